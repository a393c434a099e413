/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/set.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

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

static X509_STORE *
make_store(X509 *cert)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param;

	if (store == NULL) {
		return NULL;
	}
	param = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_auth_level(param, TRUST_AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, TRUST_DEPTH);
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) !=
	        1 ||
	    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) !=
	        1 ||
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
fill(struct anchor *anchor, const uint8_t *der, size_t der_len,
    const char *const *patterns, size_t n, struct diag *why)
{
	struct cert_info info;
	enum res r;

	if ((anchor->cert = cert_from_der(der, der_len)) == NULL) {
		return diag_res(why, RES_CORRUPT,
		    "a registered CA does not read back as a certificate");
	}
	if (!copy_patterns(anchor, patterns, n) ||
	    (anchor->store = make_store(anchor->cert)) == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	if ((r = cert_info_read(anchor->cert, &info, why)) == RES_OK) {
		memcpy(anchor->fingerprint, info.fingerprint, HASH_LEN);
		anchor->not_before = info.not_before;
		anchor->not_after = info.not_after;
		cert_info_done(&info);
	}
	return r;
}

enum res
trust_set_add(struct trust_set *set, const uint8_t *der, size_t der_len,
    enum ca_state state, const char *const *patterns, size_t pattern_count,
    struct diag *why)
{
	struct anchor anchor = {.state = state};
	enum res r;

	if (set->count == TRUST_CAS_MAX || pattern_count > SCOPE_PATTERNS_MAX) {
		return diag_res(why, RES_LIMIT,
		    "there are more than %d CAs, or more than %d scopes of "
		    "one CA",
		    TRUST_CAS_MAX, SCOPE_PATTERNS_MAX);
	}
	ERR_set_mark();
	r = fill(&anchor, der, der_len, patterns, pattern_count, why);
	ERR_pop_to_mark();
	if (r == RES_OK && set_find(set, anchor.fingerprint) != NULL) {
		r = diag_res(
		    why, RES_EXISTS, "a CA is registered twice in one org");
	}
	if (r != RES_OK) {
		clear(&anchor);
		return r;
	}
	set->anchors[set->count++] = anchor;
	return RES_OK;
}

bool
anchor_covers(const struct anchor *anchor, const struct identity *who)
{
	return who != NULL &&
	    scope_covers((const char *const *)anchor->patterns,
	        anchor->pattern_count, who);
}
