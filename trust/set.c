/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/set.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "trust/path.h"

static const char *const state_names[] = {
    [CA_UNPROVEN] = "unproven",
    [CA_INACTIVE] = "inactive",
    [CA_ACTIVE] = "active",
};

const char *
ca_state_name(enum ca_state state)
{
	return state_names[state];
}

bool
ca_state_parse(const char *name, enum ca_state *out)
{
	enum ca_state state;

	for (state = CA_UNPROVEN; state <= CA_ACTIVE; state++) {
		if (strcmp(name, state_names[state]) == 0) {
			*out = state;
			return true;
		}
	}
	return false;
}

enum res
trust_set_new(struct trust_set **out)
{
	struct trust_set *set = calloc(1, sizeof(*set));

	if (set == NULL) {
		return RES_NOMEM;
	}
	*out = set;
	return RES_OK;
}

static void
clear(struct anchor *anchor)
{
	size_t i;

	for (i = 0; i < anchor->pattern_count; i++) {
		free(anchor->patterns[i]);
	}
	free(anchor->patterns);
	crl_unref(anchor->crl);
	X509_STORE_free(anchor->store);
	X509_free(anchor->cert);
}

void
trust_set_free(struct trust_set *set)
{
	size_t i;

	if (set != NULL) {
		for (i = 0; i < set->count; i++) {
			clear(&set->anchors[i]);
		}
		free(set);
	}
}

/*
 * RFC 5280 6.1.1 has any-policy as the initial set of policies.  OpenSSL's is
 * empty, and then no chain holds in which a CA requires an explicit policy.
 */
static bool
set_params(X509_VERIFY_PARAM *param)
{
	X509_VERIFY_PARAM_set_auth_level(param, TRUST_AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, TRUST_DEPTH);
	return X509_VERIFY_PARAM_set_flags(param,
	           X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK) == 1 &&
	    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) ==
	    1 &&
	    X509_VERIFY_PARAM_add0_policy(param, OBJ_nid2obj(NID_any_policy)) ==
	    1;
}

static X509_STORE *
make_store(X509 *cert)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL || !set_params(X509_STORE_get0_param(store)) ||
	    X509_STORE_add_cert(store, cert) != 1) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

static bool
copy_patterns(struct anchor *anchor, const char *const *patterns, size_t n)
{
	size_t i;

	/* One more than n: calloc(0) may answer NULL. */
	anchor->patterns = calloc(n + 1, sizeof(*anchor->patterns));
	if (anchor->patterns == NULL) {
		return false;
	}
	for (i = 0; i < n; i++) {
		if ((anchor->patterns[i] = strdup(patterns[i])) == NULL) {
			return false;
		}
		anchor->pattern_count = i + 1;
	}
	return true;
}

const struct anchor *
set_find(const struct trust_set *set, const uint8_t fingerprint[HASH_LEN])
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		if (memcmp(set->anchors[i].fingerprint, fingerprint,
		        HASH_LEN) == 0) {
			return &set->anchors[i];
		}
	}
	return NULL;
}

static enum res
read_cert(struct anchor *anchor, struct diag *why)
{
	struct cert_info info;
	enum res r = ca_key_read(anchor->cert, &anchor->key);

	if (r == RES_SYNTAX) {
		return diag_res(why, RES_CORRUPT,
		    "the public key of a registered CA cannot be decoded, or "
		    "is of a kind that is not accepted");
	}
	if (r != RES_OK) {
		return diag_res(why, r, "there is no memory left");
	}
	if ((r = cert_info_read(anchor->cert, &info, why)) == RES_OK) {
		memcpy(anchor->fingerprint, info.fingerprint, HASH_LEN);
		anchor->not_before = info.not_before;
		anchor->not_after = info.not_after;
		cert_info_done(&info);
	}
	return r;
}

static enum res
fill(struct anchor *anchor, const uint8_t *der, size_t der_len,
    const struct ca_terms *terms, struct diag *why)
{
	if ((anchor->cert = cert_from_der(der, der_len)) == NULL) {
		return diag_res(why, RES_CORRUPT,
		    "a registered CA does not read back as a certificate");
	}
	if (!copy_patterns(anchor, terms->patterns, terms->pattern_count) ||
	    (anchor->store = make_store(anchor->cert)) == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	anchor->state = terms->state;
	anchor->crl_policy = terms->crl_policy;
	anchor->crl_grace = terms->crl_grace;
	anchor->crl = terms->crl == NULL ? NULL : crl_ref(terms->crl);
	return read_cert(anchor, why);
}

static enum res
check_terms(
    const struct trust_set *set, const struct ca_terms *terms, struct diag *why)
{
	if (set->count == TRUST_CAS_MAX ||
	    terms->pattern_count > SCOPE_PATTERNS_MAX) {
		return diag_res(why, RES_LIMIT,
		    "there are more than %d CAs, or more than %d scopes of "
		    "one CA",
		    TRUST_CAS_MAX, SCOPE_PATTERNS_MAX);
	}
	if (terms->crl_grace < 0) {
		return diag_res(why, RES_CORRUPT,
		    "the grace of a registered CA's CRL is negative");
	}
	return RES_OK;
}

/* Whether issuer's CRL lists a CA of that serial number. */
static bool
lists(const struct anchor *issuer, const struct anchor *subject)
{
	uint8_t serial[CRL_SERIAL_MAX];
	size_t len;

	return issuer->crl != NULL && issuer->crl_policy != CRL_OFF &&
	    path_serial(subject->cert, serial, &len) &&
	    crl_look(issuer->crl, serial, len, true) == CRL_LISTED;
}

/*
 * X509_verify() does not tell a wrong signature from a lack of memory.  Where
 * the authority key identifier names the issuer's key the answer is not
 * needed.
 */
static bool
has_signed(const struct anchor *issuer, const struct anchor *subject)
{
	return X509_NAME_cmp(X509_get_subject_name(issuer->cert),
	           X509_get_issuer_name(subject->cert)) == 0 &&
	    (cert_names_key_of(subject->cert, issuer->cert) ||
	        X509_verify(subject->cert, X509_get0_pubkey(issuer->cert)) ==
	            1);
}

/* Whoever was signed by a CA that is revoked is no better.  True: that was
 * news. */
static bool
mark_revoked(const struct anchor *issuer, struct anchor *subject)
{
	if (subject->is_revoked ||
	    !(issuer->is_revoked || lists(issuer, subject)) ||
	    !has_signed(issuer, subject)) {
		return false;
	}
	subject->is_revoked = true;
	return true;
}

/* A self-signed CA may list itself. */
static void
append(struct trust_set *set, const struct anchor *anchor)
{
	bool news = true;
	size_t i, j;

	set->anchors[set->count++] = *anchor;
	while (news) {
		news = false;
		for (i = 0; i < set->count; i++) {
			for (j = 0; j < set->count; j++) {
				news |= mark_revoked(
				    &set->anchors[i], &set->anchors[j]);
			}
		}
	}
}

enum res
trust_set_add(struct trust_set *set, const uint8_t *der, size_t der_len,
    const struct ca_terms *terms, struct diag *why)
{
	struct anchor anchor = {.state = CA_UNPROVEN};
	enum res r = check_terms(set, terms, why);

	if (r != RES_OK) {
		return r;
	}
	ERR_set_mark();
	r = fill(&anchor, der, der_len, terms, why);
	if (r == RES_OK && set_find(set, anchor.fingerprint) != NULL) {
		r = diag_res(
		    why, RES_EXISTS, "a CA is registered twice in one org");
	}
	if (r == RES_OK) {
		append(set, &anchor);
	} else {
		clear(&anchor);
	}
	ERR_pop_to_mark();
	return r;
}

bool
anchor_covers(const struct anchor *anchor, const struct identity *who)
{
	return who != NULL &&
	    scope_covers((const char *const *)anchor->patterns,
	        anchor->pattern_count, who);
}

bool
trust_is_revoked(const struct trust_set *set, const uint8_t ca[HASH_LEN])
{
	const struct anchor *anchor = set_find(set, ca);

	return anchor != NULL && anchor->is_revoked;
}
