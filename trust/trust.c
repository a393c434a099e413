/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A CA is asked in two steps.  Only the first, X509_verify_cert() without a
 * callback, can lead to acceptance.  If it fails the second runs again with a
 * callback that goes on after every error and notes them all: that answer is
 * used to say what is wrong, and for nothing else.
 *
 * What the registry has to say of the chain is judged in both cases by
 * judge_path(), as it is when the chain is looked at again.
 */
#include "trust/trust.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "trust/judge.h"
#include "trust/path.h"
#include "trust/set.h"

/* One call of trust_verify(). */
struct query {
	const struct trust_set *set;
	const struct leaf *leaf;
	X509 *cert; /* the leaf's */
	STACK_OF(X509) * untrusted;
	const struct identity *who;
	int64_t now;
	const char *weakness; /* of the leaf's key; NULL: none */
};

/* What was found wrong between the leaf and one CA. */
struct defects {
	bool lost;        /* no answer: no memory */
	bool stranger;    /* the CA did not issue this */
	bool forged;      /* it names the CA's key, which did not sign it */
	struct flaw flaw; /* the rest */
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
		flaw_add(&defects->flaw, translate(error, depth),
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
	/* Who was not issued by the CA gets no more of our time: what follows
	 * would be signatures by keys of his own choice. */
	return defects->lost || defects->stranger || defects->forged ? 0 : 1;
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
	X509_VERIFY_PARAM_set_time(
	    X509_STORE_CTX_get0_param(ctx), (time_t)query->now);
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

	if (ctx == NULL || X509_STORE_CTX_set_app_data(ctx, defects) != 1) {
		defects->lost = true;
		return ctx;
	}
	X509_STORE_CTX_set_verify_cb(ctx, collect);
	if (X509_verify_cert(ctx) < 0 ||
	    (!defects->stranger && !defects->forged &&
	        defects->flaw.reason == REASON_NONE)) {
		defects->lost = true;
	}
	return ctx;
}

/* OpenSSL looks at a CA's mappings only if the CA has policies as well. */
static bool
maps_any_policy(const X509 *cert)
{
	POLICY_MAPPINGS *list;
	const POLICY_MAPPING *pair;
	bool found;
	int i;

	if (X509_get_ext_by_NID(cert, NID_policy_mappings, -1) < 0) {
		return false;
	}
	list = X509_get_ext_d2i(cert, NID_policy_mappings, NULL, NULL);
	found = list == NULL; /* cannot be decoded */
	for (i = 0; i < sk_POLICY_MAPPING_num(list); i++) {
		pair = sk_POLICY_MAPPING_value(list, i);
		found |=
		    OBJ_obj2nid(pair->issuerDomainPolicy) == NID_any_policy ||
		    OBJ_obj2nid(pair->subjectDomainPolicy) == NID_any_policy;
	}
	sk_POLICY_MAPPING_pop_free(list, POLICY_MAPPING_free);
	return found;
}

/* RFC 5280 4.2.1.5. */
static void
judge_policies(const X509 *cert, struct flaw *flaw)
{
	if (maps_any_policy(cert)) {
		flaw_add(flaw, REASON_CERT_INVALID,
		    "a certificate in the chain maps any-policy, or its policy "
		    "mappings cannot be decoded");
	}
}

/* A CA between is held to what a registered one and a leaf are. */
static void
judge_between(X509 *cert, struct flaw *flaw)
{
	const char *why = NULL;

	if (X509_get_version(cert) != X509_VERSION_3) {
		flaw_add(flaw, REASON_CERT_INVALID,
		    "a CA above the certificate is not of version 3");
	}
	if (!cert_has_sound_extensions(cert, &why)) {
		flaw_add(flaw, REASON_CERT_INVALID,
		    "a CA above the certificate has an extension that is "
		    "there twice, or cannot be decoded, or too many of them");
	}
	if (!cert_has_strong_key(cert, &why)) {
		flaw_add(flaw, REASON_CERT_WEAK,
		    "the key of a CA above the certificate is too weak, or of "
		    "a kind that is not accepted");
	}
}

static bool
has_uri(const STACK_OF(GENERAL_SUBTREE) * trees)
{
	int i, n = sk_GENERAL_SUBTREE_num(trees);

	for (i = 0; i < n; i++) {
		if (sk_GENERAL_SUBTREE_value(trees, i)->base->type == GEN_URI) {
			return true;
		}
	}
	return false;
}

/* The leaf's names under the constraints of a CA. */
static void
judge_names(const struct query *query, const X509 *ca, struct flaw *flaw)
{
	NAME_CONSTRAINTS *names =
	    X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);

	if (leaf_has_wildcard(query->leaf)) {
		flaw_add(flaw, REASON_CERT_INVALID,
		    "the certificate has a wildcard, and a CA above it "
		    "constrains names");
	}
	if ((names == NULL || has_uri(names->permittedSubtrees) ||
	        has_uri(names->excludedSubtrees)) &&
	    leaf_has_odd_uri(query->leaf)) {
		flaw_add(flaw, REASON_CERT_INVALID,
		    "the certificate has a URI that is not plain, and a CA "
		    "above it constrains URIs");
	}
	NAME_CONSTRAINTS_free(names);
}

/* What OpenSSL leaves open: names under name constraints of which it compares
 * the letters alone, or reads something else than others do; what it takes
 * from CAs between; and the constraints of the CA that anchors. */
static void
judge_extensions(
    const struct query *query, X509_STORE_CTX *ctx, struct flaw *flaw)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	X509 *cert = NULL;
	int i, n = sk_X509_num(chain);

	for (i = 0; i < n; i++) {
		cert = sk_X509_value(chain, i);
		judge_policies(cert, flaw);
		if (i > 0 && i < n - 1) {
			judge_between(cert, flaw);
		}
		if (X509_get_ext_by_NID(cert, NID_name_constraints, -1) >= 0) {
			judge_names(query, cert, flaw);
		}
	}
	if (X509_get_ext_by_NID(cert, NID_policy_constraints, -1) >= 0) {
		flaw_add(flaw, REASON_CERT_INVALID,
		    "the registered CA sets constraints on certificate "
		    "policies, which are not enforced here");
	}
}

/* A chain that OpenSSL accepts can be read, if there is memory. */
static void
read_path(const struct anchor *anchor, X509_STORE_CTX *ctx, bool accepted,
    struct path *path, struct defects *defects)
{
	const char *why = NULL;

	if (path_read(X509_STORE_CTX_get0_chain(ctx), anchor->cert,
	        anchor->fingerprint, path, &why)) {
		return;
	}
	if (why != NULL) {
		flaw_add(&defects->flaw, REASON_CERT_INVALID, why);
	}
	defects->lost |= accepted && why == NULL;
}

static struct outcome
sum_up(const struct judgement *judgement)
{
	const struct flaw *flaw = &judgement->flaw;
	const struct anchor *blocker = judgement->blocker;
	bool flawed = flaw->reason != REASON_NONE;

	if (blocker != NULL) {
		enum reason reason = state_reason(blocker->state);

		return (struct outcome){
		    flawed ? STANDING_BLOCKED_AND_FLAWED : STANDING_BLOCKED,
		    reason, reason_text(reason), blocker, CLOCK_NONE};
	}
	if (flawed) {
		return (struct outcome){STANDING_FLAWED, flaw->reason,
		    flaw->detail, judgement->anchor, CLOCK_NONE};
	}
	return (struct outcome){
	    judgement->out_of_scope ? STANDING_OUT_OF_SCOPE : STANDING_USABLE,
	    REASON_NONE, "a registered CA issued the certificate",
	    judgement->anchor, judgement->valid_until};
}

static const struct outcome unknown = {STANDING_STRANGER, REASON_CA_UNKNOWN,
    "no registered CA issued the certificate", NULL, CLOCK_NONE};

static const struct outcome forged = {STANDING_FORGED, REASON_CERT_INVALID,
    "the signature does not fit the key of the CA that it names", NULL,
    CLOCK_NONE};

/* The chain came to the CA: what is there to say of it? */
static struct outcome
judge(
    const struct query *query, const struct path *path, const struct flaw *flaw)
{
	struct judgement judgement;

	judge_path(query->set, path, query->who, query->now, &judgement);
	if (flaw->reason != REASON_NONE) {
		flaw_add(&judgement.flaw, flaw->reason, flaw->detail);
	}
	return sum_up(&judgement);
}

/* Ask one CA.  False: no answer, for want of memory.  *path is the chain's,
 * if out->reason is REASON_NONE. */
static bool
ask(const struct query *query, const struct anchor *anchor, struct outcome *out,
    struct path *path)
{
	struct defects defects = {.flaw = {.reason = REASON_NONE}};
	X509_STORE_CTX *ctx = accept(query, anchor);
	bool accepted = ctx != NULL;

	if (!accepted) {
		ctx = diagnose(query, anchor, &defects);
	}
	if (query->weakness != NULL) {
		flaw_add(&defects.flaw, REASON_CERT_WEAK, query->weakness);
	}
	if (defects.stranger || defects.forged) {
		*out = defects.stranger ? unknown : forged;
	} else if (!defects.lost) {
		judge_extensions(query, ctx, &defects.flaw);
		read_path(anchor, ctx, accepted, path, &defects);
		*out = judge(query, path, &defects.flaw);
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
tell(const struct outcome *outcome, const struct identity *who,
    struct trust_finding *out)
{
	out->reason = outcome->reason;
	out->detail = outcome->detail;
	out->valid_until = outcome->valid_until;
	out->in_scope = outcome->standing == STANDING_USABLE && who != NULL;
	if (outcome->ca != NULL) {
		out->has_ca = true;
		memcpy(out->ca, outcome->ca->fingerprint, HASH_LEN);
	}
}

/* As ask(), of the CA that comes nearest. */
static bool
ask_all(const struct query *query, struct outcome *best, struct path *path)
{
	const struct anchor *list[TRUST_CAS_MAX];
	size_t i, n = list_candidates(query, list);
	struct outcome next = unknown;
	struct path way = {.count = 0};
	enum standing enough =
	    query->who == NULL ? STANDING_OUT_OF_SCOPE : STANDING_USABLE;

	*best = unknown;
	for (i = 0; i < n && best->standing > enough; i++) {
		if (!ask(query, list[i], &next, &way)) {
			return false;
		}
		if (is_better(&next, best)) {
			*best = next;
			*path = way;
		}
	}
	return true;
}

static bool
is_large(const X509 *cert, int nid)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);

	return at >= 0 &&
	    ASN1_STRING_length(X509_EXTENSION_get_data(
	        X509_get_ext(cert, at))) > TRUST_POLICIES_MAX;
}

static bool
has_large_policies(const X509 *cert)
{
	return is_large(cert, NID_certificate_policies) ||
	    is_large(cert, NID_policy_mappings);
}

/* OpenSSL takes the square of their number to sort them, and diagnose() comes
 * to that whoever has signed the chain. */
static bool
came_with_large_policies(const struct query *query)
{
	int i, n = sk_X509_num(query->untrusted);
	bool found = has_large_policies(query->cert);

	for (i = 0; i < n; i++) {
		found |= has_large_policies(sk_X509_value(query->untrusted, i));
	}
	return found;
}

/* What is refused whichever CA signed it. */
static enum reason
refuse(const struct query *query, enum reason checked, const char **why)
{
	if (checked != REASON_CERT_TOO_LARGE &&
	    came_with_large_policies(query)) {
		*why = "the certificate, or one that was sent along, has more "
		       "than 2 KiB of certificate policies";
		return REASON_CERT_TOO_LARGE;
	}
	/* A weak key is told only where nothing about the CA comes first. */
	if (checked != REASON_NONE && checked != REASON_CERT_WEAK) {
		return checked;
	}
	if (set_find(query->set, leaf_info(query->leaf)->fingerprint) != NULL) {
		*why = "the certificate is itself registered as a CA";
		return REASON_CERT_IS_CA;
	}
	return REASON_NONE;
}

static void
answer(const struct query *query, struct trust_finding *out,
    struct trust_path **path)
{
	struct outcome best;
	struct path way = {.count = 0};

	if (!ask_all(query, &best, &way)) {
		return;
	}
	if (best.reason == REASON_NONE && path != NULL &&
	    (*path = trust_path_new(&way)) == NULL) {
		return;
	}
	tell(&best, query->who, out);
}

void
trust_verify(const struct trust_set *set, const struct leaf *leaf,
    const struct chain *chain, const struct identity *who, int64_t now,
    struct trust_finding *out, struct trust_path **path)
{
	struct query query = {
	    set, leaf, leaf_cert(leaf), chain_certs(chain), who, now, NULL};
	const char *why = NULL;
	enum reason checked = leaf_check(leaf, &why);
	enum reason refused;

	*out = (struct trust_finding){.reason = REASON_REGISTRY_ERROR,
	    .detail = "there was no memory to verify the certificate",
	    .valid_until = CLOCK_NONE};
	if (path != NULL) {
		*path = NULL;
	}
	query.weakness = checked == REASON_CERT_WEAK ? why : NULL;
	refused = refuse(&query, checked, &why);
	if (refused != REASON_NONE) {
		out->reason = refused;
		out->detail = why;
		return;
	}
	ERR_set_mark();
	answer(&query, out, path);
	ERR_pop_to_mark();
}

void
trust_recheck(const struct trust_set *set, const struct trust_path *path,
    const struct identity *who, int64_t now, struct trust_finding *out)
{
	struct judgement judgement;
	struct outcome outcome;

	*out = (struct trust_finding){.reason = REASON_CA_UNKNOWN,
	    .detail = "the CA is not registered any more",
	    .valid_until = CLOCK_NONE};
	judge_path(set, trust_path_get(path), who, now, &judgement);
	if (judgement.anchor != NULL) {
		outcome = sum_up(&judgement);
		tell(&outcome, who, out);
	}
}
