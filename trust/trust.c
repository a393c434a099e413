/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A CA is asked in two steps.  Only the first, X509_verify_cert() without a
 * callback, can lead to acceptance.  If it fails the second runs again with a
 * callback that goes on after every error and notes them all: that answer is
 * used to say what is wrong, and for nothing else.
 */
#include "trust/trust.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "trust/set.h"

/* One call of trust_verify(). */
struct query {
	const struct trust_set *set;
	const struct leaf *leaf;
	X509 *cert; /* the leaf's */
	STACK_OF(X509) * untrusted;
	const struct identity *who;
	time_t now;
	const char *weakness; /* of the leaf's key; NULL: none */
};

/* What was found wrong between the leaf and one CA. */
struct defects {
	bool lost;         /* no answer: no memory */
	bool stranger;     /* the CA did not issue this */
	bool forged;       /* it names the CA's key, which did not sign it */
	enum reason first; /* the rest; REASON_NONE: nothing */
	const char *detail;
};

/* How close a CA came, from best to worst. */
enum standing {
	STANDING_USABLE,
	STANDING_OUT_OF_SCOPE,
	STANDING_BLOCKED, /* all is well but for the state of a CA */
	STANDING_FLAWED,
	STANDING_BLOCKED_AND_FLAWED,
	STANDING_FORGED,
	STANDING_STRANGER,
};

struct outcome {
	enum standing standing;
	enum reason reason;
	const char *detail;
	const struct anchor *ca; /* NULL: none */
	int64_t valid_until;
};

/* Why a CA that is not active admits nobody. */
static enum reason
state_reason(enum ca_state state)
{
	return state == CA_INACTIVE ? REASON_CA_INACTIVE : REASON_CA_UNPROVEN;
}

/*
 * The signature of the certificate at depth is wrong.  If its authority key
 * identifier names that very key it was forged or damaged; otherwise another
 * CA of the same name has issued it.
 */
static bool
claims_issuer(X509_STORE_CTX *ctx, int depth)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int above = depth + 1 < sk_X509_num(chain) ? depth + 1 : depth;

	return cert_names_key_of(
	    sk_X509_value(chain, depth), sk_X509_value(chain, above));
}

static enum reason
translate(int error, int depth)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return depth == 0 ? REASON_CERT_EXPIRED : REASON_CA_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return depth == 0 ? REASON_CERT_NOT_YET_VALID
		                  : REASON_CERT_INVALID;
	case X509_V_ERR_INVALID_PURPOSE:
		return depth == 0 ? REASON_CERT_PURPOSE : REASON_CERT_INVALID;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return REASON_CERT_WEAK;
	default:
		return REASON_CERT_INVALID;
	}
}

/* Keep the flaw that comes first in the order of reason.h. */
static void
add_flaw(struct defects *defects, enum reason reason, const char *detail)
{
	if (defects->first == REASON_NONE || reason < defects->first) {
		defects->first = reason;
		defects->detail = detail;
	}
}

static void
note(struct defects *defects, X509_STORE_CTX *ctx)
{
	int error = X509_STORE_CTX_get_error(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);

	switch (error) {
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_OUT_OF_MEM:
		defects->lost = true;
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_REJECTED:
	case X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
	case X509_V_ERR_AKID_SKID_MISMATCH:
	case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
		defects->stranger = true;
		break;
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		if (claims_issuer(ctx, depth)) {
			defects->forged = true;
		} else {
			defects->stranger = true;
		}
		break;
	default:
		add_flaw(defects, translate(error, depth),
		    X509_verify_cert_error_string(error));
	}
}

static int
collect(int ok, X509_STORE_CTX *ctx)
{
	struct defects *defects = X509_STORE_CTX_get_app_data(ctx);

	if (ok != 1) {
		note(defects, ctx);
	}
	return defects->lost ? 0 : 1;
}

static X509_STORE_CTX *
open_context(const struct query *query, const struct anchor *anchor)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	if (ctx == NULL ||
	    X509_STORE_CTX_init(
	        ctx, anchor->store, query->cert, query->untrusted) != 1) {
		X509_STORE_CTX_free(ctx);
		return NULL;
	}
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), query->now);
	return ctx;
}

/* The first step: NULL, or a context whose chain holds without any error. */
static X509_STORE_CTX *
accept(const struct query *query, const struct anchor *anchor)
{
	X509_STORE_CTX *ctx = open_context(query, anchor);

	if (ctx != NULL &&
	    (X509_verify_cert(ctx) != 1 ||
	        X509_STORE_CTX_get_error(ctx) != X509_V_OK)) {
		X509_STORE_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* The second: what was wrong.  Something always is. */
static X509_STORE_CTX *
diagnose(const struct query *query, const struct anchor *anchor,
    struct defects *defects)
{
	X509_STORE_CTX *ctx = open_context(query, anchor);

	if (ctx == NULL) {
		defects->lost = true;
		return NULL;
	}
	X509_STORE_CTX_set_app_data(ctx, defects);
	X509_STORE_CTX_set_verify_cb(ctx, collect);
	if (X509_verify_cert(ctx) < 0 ||
	    (!defects->stranger && !defects->forged &&
	        defects->first == REASON_NONE)) {
		defects->lost = true;
	}
	return ctx;
}

/* What the walk along a chain found, besides defects. */
struct walk {
	const struct anchor *blocker; /* nearest to the leaf */
	bool out_of_scope;
	int64_t valid_until;
};

/* An intermediate that is registered, by its name and key, is bound by what
 * the registry says of it, whichever of its certificates the client sent. */
static void
judge_intermediate(
    const struct query *query, const X509 *cert, struct walk *walk)
{
	const struct anchor *idle = NULL, *anchor = query->set->anchors;
	const struct anchor *end = anchor + query->set->count;
	bool active = false, covered = false;

	for (; anchor < end; anchor++) {
		if (!cert_is_same_ca(anchor->cert, cert)) {
			continue;
		}
		if (anchor->state == CA_ACTIVE) {
			active = true;
			covered |= anchor_covers(anchor, query->who);
		} else if (idle == NULL) {
			idle = anchor;
		}
	}
	walk->out_of_scope |= active && !covered;
	if (!active && walk->blocker == NULL) {
		walk->blocker = idle;
	}
}

/* What OpenSSL leaves open: wildcards under name constraints, of which it
 * compares the letters alone, and policies, which it checks on request. */
static void
judge_extensions(
    const struct query *query, const X509 *cert, struct defects *defects)
{
	if (X509_get_ext_by_NID(cert, NID_name_constraints, -1) >= 0 &&
	    leaf_has_wildcard(query->leaf)) {
		add_flaw(defects, REASON_CERT_INVALID,
		    "the certificate has a wildcard, and a CA above it "
		    "constrains names");
	}
	if (X509_get_ext_by_NID(cert, NID_policy_constraints, -1) >= 0) {
		add_flaw(defects, REASON_CERT_INVALID,
		    "the chain sets constraints on certificate policies, "
		    "which are not enforced here");
	}
}

static struct walk
walk_chain(const struct query *query, const struct anchor *anchor,
    X509_STORE_CTX *ctx, struct defects *defects)
{
	struct walk walk = {.valid_until = CLOCK_FOREVER};
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	int i, n = sk_X509_num(chain);

	for (i = 0; i < n; i++) {
		const X509 *cert = sk_X509_value(chain, i);
		int64_t until = cert_not_after(cert);

		walk.valid_until =
		    until < walk.valid_until ? until : walk.valid_until;
		judge_extensions(query, cert, defects);
		if (i > 0 && i < n - 1) {
			judge_intermediate(query, cert, &walk);
		}
	}
	if (anchor->state != CA_ACTIVE && walk.blocker == NULL) {
		walk.blocker = anchor;
	}
	walk.out_of_scope |= !anchor_covers(anchor, query->who);
	return walk;
}

static struct outcome
sum_up(const struct anchor *anchor, const struct defects *defects,
    const struct walk *walk)
{
	bool flawed = defects->first != REASON_NONE;

	if (walk->blocker != NULL) {
		enum reason reason = state_reason(walk->blocker->state);

		return (struct outcome){
		    flawed ? STANDING_BLOCKED_AND_FLAWED : STANDING_BLOCKED,
		    reason, reason_text(reason), walk->blocker, CLOCK_NONE};
	}
	if (flawed) {
		return (struct outcome){STANDING_FLAWED, defects->first,
		    defects->detail, anchor, CLOCK_NONE};
	}
	return (struct outcome){
	    walk->out_of_scope ? STANDING_OUT_OF_SCOPE : STANDING_USABLE,
	    REASON_NONE, "a registered CA issued the certificate", anchor,
	    walk->valid_until};
}

static const struct outcome unknown = {STANDING_STRANGER, REASON_CA_UNKNOWN,
    "no registered CA issued the certificate", NULL, CLOCK_NONE};

static const struct outcome forged = {STANDING_FORGED, REASON_CERT_INVALID,
    "the signature does not fit the key of the CA that it names", NULL,
    CLOCK_NONE};

/* Ask one CA.  False: no answer, for want of memory. */
static bool
ask(const struct query *query, const struct anchor *anchor, struct outcome *out)
{
	struct defects defects = {.first = REASON_NONE};
	X509_STORE_CTX *ctx = accept(query, anchor);
	struct walk walk;

	if (ctx == NULL) {
		ctx = diagnose(query, anchor, &defects);
	}
	if (query->weakness != NULL) {
		add_flaw(&defects, REASON_CERT_WEAK, query->weakness);
	}
	if (!defects.lost) {
		walk = walk_chain(query, anchor, ctx, &defects);
		*out = defects.stranger ? unknown
		    : defects.forged    ? forged
		                        : sum_up(anchor, &defects, &walk);
	}
	X509_STORE_CTX_free(ctx);
	return !defects.lost;
}

static bool
issued(const struct anchor *anchor, const X509 *cert)
{
	return X509_NAME_cmp(X509_get_subject_name(anchor->cert),
	           X509_get_issuer_name(cert)) == 0;
}

/*
 * When to ask a CA: 0 and 1 if it bears the name of the leaf's issuer, then
 * by the place in the client's chain of the first certificate whose issuer
 * it could be; -1 never.  Nearer to the leaf comes first, for its scope is
 * the one that counts.
 */
static int
rank(const struct query *query, const struct anchor *anchor)
{
	int i, n = sk_X509_num(query->untrusted);

	if (issued(anchor, query->cert)) {
		return cert_names_key_of(query->cert, anchor->cert) ? 0 : 1;
	}
	for (i = 0; i < n; i++) {
		if (issued(anchor, sk_X509_value(query->untrusted, i))) {
			return 2 + i;
		}
	}
	return -1;
}

static size_t
list_candidates(const struct query *query, const struct anchor **list)
{
	const struct trust_set *set = query->set;
	int ranks[TRUST_CAS_MAX];
	size_t i, at, n = 0;

	for (i = 0; i < set->count; i++) {
		int mine = rank(query, &set->anchors[i]);

		if (mine < 0) {
			continue;
		}
		for (at = n; at > 0 && ranks[at - 1] > mine; at--) {
			ranks[at] = ranks[at - 1];
			list[at] = list[at - 1];
		}
		ranks[at] = mine;
		list[at] = &set->anchors[i];
		n++;
	}
	return n < TRUST_TRIES_MAX ? n : TRUST_TRIES_MAX;
}

/* Of two CAs with flaws the one that passed more steps is the one meant: an
 * expired CA is no news where its successor finds the leaf expired as well. */
static bool
is_better(const struct outcome *a, const struct outcome *b)
{
	return a->standing < b->standing ||
	    (a->standing == b->standing && a->standing == STANDING_FLAWED &&
	        a->reason > b->reason);
}

static void
tell(const struct query *query, const struct outcome *outcome,
    struct trust_finding *out)
{
	out->reason = outcome->reason;
	out->detail = outcome->detail;
	out->valid_until = outcome->valid_until;
	out->in_scope =
	    outcome->standing == STANDING_USABLE && query->who != NULL;
	if (outcome->ca != NULL) {
		out->has_ca = true;
		memcpy(out->ca, outcome->ca->fingerprint, HASH_LEN);
	}
}

static void
ask_all(const struct query *query, struct trust_finding *out)
{
	const struct anchor *list[TRUST_CAS_MAX];
	size_t i, n = list_candidates(query, list);
	struct outcome best = unknown, next = unknown;
	enum standing enough =
	    query->who == NULL ? STANDING_OUT_OF_SCOPE : STANDING_USABLE;

	for (i = 0; i < n && best.standing > enough; i++) {
		if (!ask(query, list[i], &next)) {
			return;
		}
		if (is_better(&next, &best)) {
			best = next;
		}
	}
	tell(query, &best, out);
}

void
trust_verify(const struct trust_set *set, const struct leaf *leaf,
    const struct chain *chain, const struct identity *who, int64_t now,
    struct trust_finding *out)
{
	struct query query = {set, leaf, leaf_cert(leaf), chain_certs(chain),
	    who, (time_t)now, NULL};
	const char *why = NULL;
	enum reason reason = leaf_check(leaf, &why);

	*out = (struct trust_finding){.reason = REASON_REGISTRY_ERROR,
	    .detail = "there was no memory to verify the certificate",
	    .valid_until = CLOCK_NONE};
	/* A weak key is told only where nothing about the CA comes first. */
	if (reason != REASON_NONE && reason != REASON_CERT_WEAK) {
		out->reason = reason;
		out->detail = why;
		return;
	}
	if (set_find(set, leaf_info(leaf)->fingerprint) != NULL) {
		out->reason = REASON_CERT_IS_CA;
		out->detail = "the certificate is itself registered as a CA";
		return;
	}
	query.weakness = reason == REASON_CERT_WEAK ? why : NULL;
	ERR_set_mark();
	ask_all(&query, out);
	ERR_pop_to_mark();
}

static enum reason
recheck(const struct anchor *anchor, int64_t now)
{
	if (anchor->state != CA_ACTIVE) {
		return state_reason(anchor->state);
	}
	if (now >= anchor->not_after) {
		return REASON_CA_EXPIRED;
	}
	return now < anchor->not_before ? REASON_CERT_INVALID : REASON_NONE;
}

void
trust_recheck(const struct trust_set *set, const uint8_t ca[HASH_LEN],
    const struct identity *who, int64_t now, struct trust_finding *out)
{
	const struct anchor *anchor = set_find(set, ca);

	*out = (struct trust_finding){.reason = REASON_CA_UNKNOWN,
	    .detail = "the CA is not registered any more",
	    .valid_until = CLOCK_NONE};
	if (anchor == NULL) {
		return;
	}
	out->has_ca = true;
	memcpy(out->ca, ca, HASH_LEN);
	out->reason = recheck(anchor, now);
	out->detail = reason_text(out->reason);
	if (out->reason == REASON_NONE) {
		out->in_scope = anchor_covers(anchor, who);
		out->valid_until = anchor->not_after;
	}
}
