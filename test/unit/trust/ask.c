/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/trust/ask.h"

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
add(struct trust_set *set, const struct minted *ca, enum ca_state state,
    const char *scope)
{
	assert_int_equal(trust_set_add(set, ca->der, ca->der_len, state, &scope,
	                     scope == NULL ? 0 : 1, NULL),
	    RES_OK);
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

struct trust_finding
verify(const struct trust_set *set, struct ask ask)
{
	struct trust_finding found;
	struct leaf *leaf = NULL;
	struct chain *chain = make_chain(ask.chain, ask.chain_len);

	memset(&found, 0xff, sizeof(found));
	assert_int_equal(
	    leaf_parse(ask.leaf->der, ask.leaf->der_len, &leaf, NULL), RES_OK);
	trust_verify(set, leaf, chain, ask.who,
	    ask.now == 0 ? MINT_NOW : ask.now, &found);
	leaf_free(leaf);
	chain_free(chain);
	assert_non_null(found.detail);
	assert_int_equal(ERR_peek_error(), 0);
	if (found.reason != REASON_NONE) {
		assert_false(found.in_scope);
		assert_true(found.valid_until == CLOCK_NONE);
	}
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
