/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/trust/ask.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "common/clock.h"
#include "test/support/cmocka_all.h"

const struct identity meter = {{'d', "meter"}, "0001"};

struct trust_set *
new_set(void)
{
	struct trust_set *set = NULL;

	assert_int_equal(trust_set_new(&set), RES_OK);
	return set;
}

void
add_terms(struct trust_set *set, const struct minted *ca,
    const struct ca_terms *terms)
{
	assert_int_equal(
	    trust_set_add(set, ca->der, ca->der_len, terms, NULL), RES_OK);
}

void
add(struct trust_set *set, const struct minted *ca, enum ca_state state,
    const char *scope)
{
	add_terms(set, ca,
	    &(struct ca_terms){.state = state,
	        .patterns = &scope,
	        .pattern_count = scope == NULL ? 0 : 1,
	        .crl_policy = CRL_IF_PRESENT});
}

struct trust_set *
set_of(const struct minted *ca, enum ca_state state)
{
	struct trust_set *set = new_set();

	add(set, ca, state, NULL);
	return set;
}

static struct chain *
make_chain(const struct minted *certs, size_t n)
{
	struct chain *chain = NULL;
	char *pem;

	if (n == 0) {
		return NULL;
	}
	pem = mint_pem(certs, n);
	assert_int_equal(
	    chain_parse((const uint8_t *)pem, strlen(pem), &chain, NULL),
	    RES_OK);
	free(pem);
	return chain;
}

struct crl *
make_crl(const struct mint_crl_options *options)
{
	struct minted_crl minted = mint_crl(options);
	struct crl *crl = NULL;

	assert_int_equal(
	    crl_restore(minted.der, minted.der_len, options->issuer->der,
	        options->issuer->der_len, &crl, NULL),
	    RES_OK);
	minted_crl_done(&minted);
	return crl;
}

struct crl *
crl_of(
    const struct minted *ca, int64_t next_update, const struct minted *listed)
{
	struct mint_crl_options options = {
	    .issuer = ca, .this_update = MINT_FROM, .next_update = next_update};
	struct mint_entry entry;
	char *decimal = NULL;
	BIGNUM *number = NULL;
	struct crl *crl;

	if (listed != NULL) {
		number = ASN1_INTEGER_to_BN(
		    X509_get0_serialNumber(listed->cert), NULL);
		decimal = BN_bn2dec(number);
		assert_non_null(decimal);
		entry = (struct mint_entry){.serial = decimal};
		options.entries = &entry;
		options.entry_count = 1;
	}
	crl = make_crl(&options);
	OPENSSL_free(decimal);
	BN_free(number);
	return crl;
}

struct crl *
crl_by(const struct minted *ca, const struct setting *setting,
    const struct minted *below)
{
	if (setting->crl == 0) {
		return NULL;
	}
	if (setting->for_users) {
		return make_crl(&(struct mint_crl_options){.issuer = ca,
		    .this_update = MINT_FROM,
		    .next_update = setting->crl,
		    .extensions = EXTRA(
		        "issuingDistributionPoint=critical,DER:30038101ff")});
	}
	return crl_of(ca, setting->crl, setting->lists ? below : NULL);
}

void
add_setting(struct trust_set *set, const struct minted *ca, enum ca_state state,
    const struct setting *setting, const struct minted *below)
{
	struct crl *crl;

	if (setting->is_absent) {
		return;
	}
	crl = crl_by(ca, setting, below);
	add_terms(set, ca,
	    &(struct ca_terms){.state = state,
	        .crl_policy = setting->policy,
	        .crl_grace = setting->grace,
	        .crl = crl});
	crl_unref(crl); /* the set has one of its own */
}

struct trust_finding
recheck(const struct trust_set *set, const struct trust_path *path,
    const struct identity *who, int64_t now)
{
	struct trust_finding found;

	memset(&found, 0xff, sizeof(found));
	trust_recheck(set, path, who, now, &found);
	assert_non_null(found.detail);
	assert_int_equal(ERR_peek_error(), 0);
	if (found.reason != REASON_NONE) {
		assert_false(found.in_scope);
		assert_true(found.valid_until == CLOCK_NONE);
	}
	return found;
}

/* A path that has just been made holds as the chain did, until the second
 * that was named. */
static void
look_again(const struct trust_set *set, const struct trust_path *path,
    const struct identity *who, int64_t now, const struct trust_finding *found)
{
	struct trust_finding again = recheck(set, path, who, now);

	assert_int_equal(again.reason, REASON_NONE);
	assert_int_equal(again.in_scope, found->in_scope);
	assert_true(again.has_ca);
	assert_memory_equal(again.ca, found->ca, HASH_LEN);
	assert_true(again.valid_until == found->valid_until);
	assert_true(found->valid_until > now);
	again = recheck(set, path, who, found->valid_until - 1);
	assert_int_equal(again.reason, REASON_NONE);
	again = recheck(set, path, who, found->valid_until);
	assert_int_not_equal(again.reason, REASON_NONE);
}

static void
check(const struct trust_finding *found, const struct trust_path *path)
{
	assert_non_null(found->detail);
	assert_int_equal(ERR_peek_error(), 0);
	if (found->reason != REASON_NONE) {
		assert_false(found->in_scope);
		assert_true(found->valid_until == CLOCK_NONE);
		assert_null(path);
	} else {
		assert_non_null(path);
	}
}

struct trust_finding
verify_path(
    const struct trust_set *set, struct ask ask, struct trust_path **path)
{
	struct trust_finding found, bare;
	struct leaf *leaf = NULL;
	struct chain *chain = make_chain(ask.chain, ask.chain_len);
	int64_t now = ask.now == 0 ? MINT_NOW : ask.now;

	memset(&found, 0xff, sizeof(found));
	memset(path, 0xff, sizeof(*path));
	assert_int_equal(
	    leaf_parse(ask.leaf->der, ask.leaf->der_len, &leaf, NULL), RES_OK);
	trust_verify(set, leaf, chain, ask.who, now, &found, path);
	trust_verify(set, leaf, chain, ask.who, now, &bare, NULL);
	leaf_free(leaf);
	chain_free(chain);
	check(&found, *path);
	assert_int_equal(bare.reason, found.reason);
	assert_string_equal(bare.detail, found.detail);
	if (found.reason == REASON_NONE) {
		look_again(set, *path, ask.who, now, &found);
	}
	return found;
}

struct trust_finding
verify(const struct trust_set *set, struct ask ask)
{
	struct trust_path *path;
	struct trust_finding found = verify_path(set, ask, &path);

	trust_path_unref(path);
	return found;
}

bool
is_ca(const struct trust_finding *found, const struct minted *ca)
{
	struct cert_info info;
	bool same;

	assert_int_equal(cert_info_read(ca->cert, &info, NULL), RES_OK);
	same =
	    found->has_ca && memcmp(found->ca, info.fingerprint, HASH_LEN) == 0;
	cert_info_done(&info);
	return same;
}

void
expect_at(int line, const struct trust_set *set, struct ask ask,
    enum reason want, const struct minted *ca)
{
	struct trust_finding found = verify(set, ask);

	if (found.reason != want) {
		fail_msg("line %d: %s (%s), not %s", line,
		    reason_id(found.reason), found.detail, reason_id(want));
	}
	if (ca == NULL ? found.has_ca : !is_ca(&found, ca)) {
		fail_msg("line %d: another CA is told", line);
	}
}
