/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trust: does a registered CA stand behind this certificate?
 *
 * A trust_set is the registered CAs of one org.  It is built by one thread,
 * then never changed: any number of threads may verify against it.  Every CA
 * has an X509_STORE of its own, and the ones that could have issued the chain
 * are tried one by one (same subject, several keys: all work; OpenSSL with one
 * store would try only the first).  Trust ends at any registered CA
 * (X509_V_FLAG_PARTIAL_CHAIN).
 *
 * Revocation goes by the CRLs that operators registered, each for its CA.
 * Nothing that stands in a certificate is ever fetched.
 *
 * Does not check: client id, device, levels.
 */
#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

#include "common/reason.h"
#include "trust/crl.h"
#include "trust/leaf.h"
#include "trust/scope.h"

#define TRUST_CAS_MAX          64 /* an org */
#define TRUST_SAME_SUBJECT_MAX 10
#define TRUST_TRIES_MAX        20   /* CAs tried for one leaf */
#define TRUST_DEPTH            4    /* certificates between leaf and anchor */
#define TRUST_AUTH_LEVEL       2    /* OpenSSL's security level */
#define TRUST_POLICIES_MAX     2048 /* bytes of either policy extension */

enum ca_state {
	CA_UNPROVEN = 0, /* waits for proof of possession */
	CA_INACTIVE,
	CA_ACTIVE,
};

const char *ca_state_name(enum ca_state state); /* "active", ... */
bool ca_state_parse(const char *name, enum ca_state *out);

struct trust_set;

/* What the registry says of a CA. */
struct ca_terms {
	enum ca_state state;
	const char *const *patterns; /* scope; copied */
	size_t pattern_count;
	enum crl_policy crl_policy;
	int64_t crl_grace; /* seconds after nextUpdate */
	struct crl *crl;   /* NULL: none; the set takes a reference */
};

/*
 * How a leaf hangs on its CA: serial numbers, issuers and dates of the chain
 * that verified, some hundred bytes, so that a session can be looked at again
 * without its certificates.  Immutable; counted references; any thread.
 */
struct trust_path;
struct trust_path *trust_path_ref(struct trust_path *path);
void trust_path_unref(struct trust_path *path); /* NULL is allowed */

/* A path of which nothing is known but the CA.  NULL: no memory. */
struct trust_path *trust_path_of_ca(const uint8_t ca[HASH_LEN]);

/* The fingerprint of the CA that anchors it. */
const uint8_t *trust_path_ca(const struct trust_path *path);

/* What trust_verify() found. */
struct trust_finding {
	enum reason reason;   /* REASON_NONE: a usable CA anchors the leaf */
	const char *detail;   /* constant; what was found, for a person */
	bool has_ca;          /* ca is set: the CA that anchors, or would */
	uint8_t ca[HASH_LEN]; /* its fingerprint */
	bool in_scope;        /* the CA may assert the identity asked for */
	int64_t valid_until;  /* earliest notAfter of the chain, or nextUpdate
	                         with grace of a CRL that was asked, that
	                         moment excluded; CLOCK_NONE in a refusal */
};

MUST_CHECK enum res trust_set_new(struct trust_set **out);
void trust_set_free(struct trust_set *set);

/*
 * Add a CA while the set is being built.  der is copied.  RES_CORRUPT: der is
 * not one certificate, or has a key of a kind that CAs may not have; or
 * crl_grace is negative.  RES_LIMIT: TRUST_CAS_MAX or SCOPE_PATTERNS_MAX.
 * RES_EXISTS: it is in the set already.
 */
MUST_CHECK enum res trust_set_add(struct trust_set *set, const uint8_t *der,
    size_t der_len, const struct ca_terms *terms, struct diag *why);

/* Whether a CA of the set is revoked: one of the set that issued it lists it
 * in its CRL, or is itself revoked; false for one that is not in the set. */
bool trust_is_revoked(const struct trust_set *set, const uint8_t ca[HASH_LEN]);

/*
 * leaf_check(), then the chain at the time now (one reading of the clock, in
 * seconds): purpose sslclient, security level 2, depth 4, certificate policies
 * as RFC 5280 6.1 has them.  chain may be NULL.  REASON_CERT_TOO_LARGE also
 * if the certificatePolicies or policyMappings of the leaf, or of one in chain,
 * take more than TRUST_POLICIES_MAX.
 * A leaf that is itself registered is REASON_CERT_IS_CA.  A chain that passes
 * through a registered CA that is not active is refused with that CA's state,
 * whatever else would anchor it; a chain through an active one is bound by
 * that CA's scope as well.  Among several CAs that verify, one whose scope
 * covers who is preferred; who may be NULL (then in_scope is false).
 *
 * CRLs: every certificate of the chain is looked up in the CRLs of each
 * registered CA, whatever its state, that has the name and key of its issuer,
 * unless that CA's policy is CRL_OFF.  One that is listed: REASON_CERT_REVOKED
 * for the whole chain; so also if the CA that anchors, or a registered one that
 * the chain passes through, is listed by a registered CA that issued it, or
 * was issued by such a one.  A CRL that is past nextUpdate and grace:
 * REASON_CRL_STALE.  None, or one that is silent about such certificates,
 * where the CA demands one: REASON_CRL_MISSING; a CA that demands CRLs demands
 * one for each link below it, whatever anchors, so unregistered intermediates
 * have to be registered with theirs.  Where several certificates of one CA are
 * registered, any of them may list or demand, and one CRL that is neither
 * stale nor silent is enough.  Stale or silent CRLs of the issuer of an anchor
 * are no matter: trust ends there.
 *
 * Where several things are wrong the reason is the first in the order of
 * reason.h, told of the CA that comes nearest to anchoring the leaf.
 * out->reason is REASON_REGISTRY_ERROR if there was no memory.  path may be
 * NULL; with REASON_NONE *path is the caller's, else it is set to NULL.
 */
void trust_verify(const struct trust_set *set, const struct leaf *leaf,
    const struct chain *chain, const struct identity *who, int64_t now,
    struct trust_finding *out, struct trust_path **path);

/*
 * Would a chain that verified before, against this or an earlier set, still
 * hold?  Looks at everything but signatures and extensions: whether its CA is
 * there, states, dates, scopes, CRLs.  REASON_CA_UNKNOWN if the CA is gone:
 * then the leaf must be verified anew.
 */
void trust_recheck(const struct trust_set *set, const struct trust_path *path,
    const struct identity *who, int64_t now, struct trust_finding *out);

struct stack_st_X509_NAME;

/* The subjects of the active CAs, as a server names the CAs that it accepts;
 * the caller frees them.  NULL: no memory. */
struct stack_st_X509_NAME *trust_ca_names(const struct trust_set *set);

#endif /* TRUST_TRUST_H */
