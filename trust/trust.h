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
 * Does not check: revocation (no CRLs yet), client id, device, levels.
 */
#ifndef TRUST_TRUST_H
#define TRUST_TRUST_H

#include "common/reason.h"
#include "trust/leaf.h"
#include "trust/scope.h"

#define TRUST_CAS_MAX          64 /* an org */
#define TRUST_SAME_SUBJECT_MAX 10
#define TRUST_TRIES_MAX        20 /* CAs tried for one leaf */
#define TRUST_DEPTH            4  /* certificates between leaf and anchor */
#define TRUST_AUTH_LEVEL       2  /* OpenSSL's security level */

enum ca_state {
	CA_UNPROVEN = 0, /* waits for proof of possession */
	CA_INACTIVE,
	CA_ACTIVE,
};

const char *ca_state_name(enum ca_state state); /* "active", ... */
bool ca_state_parse(const char *name, enum ca_state *out);

struct trust_set;

/* What trust_verify() found. */
struct trust_finding {
	enum reason reason;   /* REASON_NONE: a usable CA anchors the leaf */
	const char *detail;   /* constant; what was found, for a person */
	bool has_ca;          /* ca is set: the CA that anchors, or would */
	uint8_t ca[HASH_LEN]; /* its fingerprint */
	bool in_scope;        /* the CA may assert the identity asked for */
	int64_t valid_until;  /* earliest notAfter of the chain, that moment
	                         excluded; CLOCK_NONE in a refusal */
};

MUST_CHECK enum res trust_set_new(struct trust_set **out);
void trust_set_free(struct trust_set *set);

/*
 * Add a CA while the set is being built.  der and patterns are copied.
 * RES_CORRUPT: der is not one certificate.  RES_LIMIT: TRUST_CAS_MAX or
 * SCOPE_PATTERNS_MAX.  RES_EXISTS: it is in the set already.
 */
MUST_CHECK enum res trust_set_add(struct trust_set *set, const uint8_t *der,
    size_t der_len, enum ca_state state, const char *const *patterns,
    size_t pattern_count, struct diag *why);

/*
 * leaf_check(), then the chain at the time now (one reading of the clock, in
 * seconds): purpose sslclient, security level 2, depth 4.  chain may be NULL.
 * A leaf that is itself registered is REASON_CERT_IS_CA.  A chain that passes
 * through a registered CA that is not active is refused with that CA's state,
 * whatever else would anchor it; a chain through an active one is bound by
 * that CA's scope as well.  Among several CAs that verify, one whose scope
 * covers who is preferred; who may be NULL (then in_scope is false).
 * Where several things are wrong the reason is the first in the order of
 * reason.h, told of the CA that comes nearest to anchoring the leaf.
 * out->reason is REASON_REGISTRY_ERROR if there was no memory.
 */
void trust_verify(const struct trust_set *set, const struct leaf *leaf,
    const struct chain *chain, const struct identity *who, int64_t now,
    struct trust_finding *out);

/*
 * Would the CA that anchored a leaf before still do so?  Looks only at the
 * CA's presence, state, dates and scope, not at signatures; for sessions whose
 * leaf verified against an earlier set.  REASON_CA_UNKNOWN if it is gone: then
 * the leaf must be verified anew.
 */
void trust_recheck(const struct trust_set *set, const uint8_t ca[HASH_LEN],
    const struct identity *who, int64_t now, struct trust_finding *out);

#endif /* TRUST_TRUST_H */
