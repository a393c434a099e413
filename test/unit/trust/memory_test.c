/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Each allocation that OpenSSL, or this room, makes for one verification fails
 * once.  The answer may then be a refusal; it is never an admission that it
 * was not.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"
#include "trust/ca_key.h"

#define ALLOCATIONS_MAX 20000

static long countdown = -1; /* allocations until the one that fails */

static bool
fails(void)
{
	if (countdown < 0) {
		return false;
	}
	return countdown-- == 0;
}

static void *
get(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(size);
}

static void *
resize(void *at, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size == 0) {
		free(at);
		return NULL;
	}
	return fails() ? NULL : realloc(at, size);
}

static void
put(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	free(at);
}

/* The linker puts them in the place of this room's calloc(). */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

/* A root, an intermediate below it, and a leaf of that. */
static struct minted root, middle, device;

static int
set_up(void **state)
{
	(void)state;
	root = mint_ca("Root", 0);
	middle = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	device = mint_device(&middle, "d:meter:0001");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&root);
	minted_done(&middle);
	minted_done(&device);
	return 0;
}

static struct chain *
chain_of(const struct minted *minted)
{
	char *pem = mint_pem(minted, 1);
	struct chain *chain = NULL;

	assert_int_equal(
	    chain_parse((const uint8_t *)pem, strlen(pem), &chain, NULL),
	    RES_OK);
	free(pem);
	return chain;
}

static struct leaf *
leaf_of(const struct minted *minted)
{
	struct leaf *leaf = NULL;

	assert_int_equal(
	    leaf_parse(minted->der, minted->der_len, &leaf, NULL), RES_OK);
	return leaf;
}

/* How many of the verifications were admissions, the n-th allocation of each
 * failing, until one gets through. */
static int
starve_with(const struct trust_set *set, const struct minted *presented,
    const struct minted *between, enum reason *last)
{
	struct trust_finding found;
	struct trust_path *path;
	bool starved = true;
	int admitted = 0;
	long n;

	for (n = 0; starved && n < ALLOCATIONS_MAX; n++) {
		/* What a certificate has decoded once it keeps. */
		struct chain *chain = chain_of(between);
		struct leaf *leaf = leaf_of(presented);

		countdown = n;
		trust_verify(set, leaf, chain, &meter, MINT_NOW, &found, &path);
		starved = countdown < 0;
		countdown = -1;
		admitted += found.reason == REASON_NONE && found.in_scope;
		assert_int_equal(found.reason == REASON_NONE, path != NULL);
		trust_path_unref(path);
		leaf_free(leaf);
		chain_free(chain);
		ERR_clear_error();
	}
	assert_false(starved);
	*last = found.reason;
	return admitted;
}

static int
starve(const struct trust_set *set, enum reason *last)
{
	return starve_with(set, &device, &middle, last);
}

static void
never_admits_through_an_idle_intermediate(void **state)
{
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	enum reason last;

	(void)state;
	add(set, &middle, CA_INACTIVE, NULL);
	assert_int_equal(starve(set, &last), 0);
	assert_int_equal(last, REASON_CA_INACTIVE);
	trust_set_free(set);
}

static void
never_admits_out_of_scope(void **state)
{
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	enum reason last;

	(void)state;
	add(set, &middle, CA_ACTIVE, "g:*:*");
	assert_int_equal(starve(set, &last), 0);
	assert_int_equal(last, REASON_NONE);
	trust_set_free(set);
}

static void
admits_when_there_is_memory(void **state)
{
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	enum reason last;

	(void)state;
	assert_true(starve(set, &last) > 0);
	assert_int_equal(last, REASON_NONE);
	trust_set_free(set);
}

static void
never_admits_what_is_revoked(void **state)
{
	static const struct setting lists =
	    IF_PRESENT(.crl = MINT_TO, .lists = true);
	static const struct setting plain = IF_PRESENT();
	struct trust_set *leaf = new_set(), *chain = new_set();
	enum reason last;

	(void)state;
	add_setting(leaf, &root, CA_ACTIVE, &plain, NULL);
	add_setting(leaf, &middle, CA_ACTIVE, &lists, &device);
	assert_int_equal(starve(leaf, &last), 0);
	assert_int_equal(last, REASON_CERT_REVOKED);
	add_setting(chain, &root, CA_ACTIVE, &lists, &middle);
	assert_int_equal(starve(chain, &last), 0);
	assert_int_equal(last, REASON_CERT_REVOKED);
	trust_set_free(leaf);
	trust_set_free(chain);
}

/* certificatePolicies 1.2.3.4 in the CA alone. */
static void
never_admits_without_a_policy(void **state)
{
	struct minted strict = mint(&(struct mint_options){.cn = "Strict",
	    .ca = true,
	    .slot = 2,
	    .extensions =
	        EXTRA("policyConstraints=critical,requireExplicitPolicy:0",
	            "certificatePolicies=DER:3007300506032a0304"),
	    .issuer = &root});
	struct minted bare = mint_device(&strict, "d:meter:0001");
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	enum reason last;

	(void)state;
	assert_int_equal(starve_with(set, &bare, &strict, &last), 0);
	assert_int_equal(last, REASON_CERT_INVALID);
	trust_set_free(set);
	minted_done(&strict);
	minted_done(&bare);
}

/* Another key than that which is there with memory would be another CA. */
static void
reads_a_key_or_none(void **state)
{
	static const enum mint_key kinds[] = {MINT_P256, MINT_P256_EXPLICIT,
	    MINT_RSA2048, MINT_ED25519, MINT_ED448};
	struct ca_key want, key;
	struct minted ca;
	enum res r;
	size_t i;
	long n;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		ca = mint(&(struct mint_options){
		    .cn = "Plant", .ca = true, .key = kinds[i]});
		assert_int_equal(ca_key_read(ca.cert, &want), RES_OK);
		for (n = 0; n < ALLOCATIONS_MAX; n++) {
			countdown = n;
			r = ca_key_read(ca.cert, &key);
			if (countdown >= 0) {
				break;
			}
			assert_true(r != RES_OK || ca_key_equal(&key, &want));
		}
		countdown = -1;
		assert_true(n > 0);
		assert_int_equal(r, RES_OK);
		ERR_clear_error();
		minted_done(&ca);
	}
}

/* The registered CA that is revoked, and the one that revokes it. */
static bool
builds(long n, bool *starved, enum reason *reason)
{
	struct crl *crl = crl_of(&root, MINT_TO, &middle);
	const struct ca_terms plain = {
	    .state = CA_ACTIVE, .crl_policy = CRL_IF_PRESENT};
	const struct ca_terms lists = {.state = CA_INACTIVE, .crl = crl};
	struct trust_set *set = NULL;
	struct leaf *leaf = leaf_of(&device);
	struct trust_finding found;
	bool built;

	countdown = n;
	built = trust_set_new(&set) == RES_OK &&
	    trust_set_add(set, middle.der, middle.der_len, &plain, NULL) ==
	        RES_OK &&
	    trust_set_add(set, root.der, root.der_len, &lists, NULL) == RES_OK;
	*starved = countdown < 0;
	countdown = -1;
	ERR_clear_error();
	if (built) {
		trust_verify(set, leaf, NULL, &meter, MINT_NOW, &found, NULL);
		*reason = found.reason;
	}
	leaf_free(leaf);
	crl_unref(crl);
	trust_set_free(set);
	return built;
}

static void
builds_the_whole_set_or_none(void **state)
{
	enum reason reason = REASON_NONE;
	bool starved = true;
	long n;

	(void)state;
	for (n = 0; starved && n < ALLOCATIONS_MAX; n++) {
		if (builds(n, &starved, &reason)) {
			assert_int_not_equal(reason, REASON_NONE);
		}
	}
	assert_false(starved);
	assert_int_equal(reason, REASON_CERT_REVOKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(never_admits_through_an_idle_intermediate),
	    cmocka_unit_test(never_admits_out_of_scope),
	    cmocka_unit_test(never_admits_what_is_revoked),
	    cmocka_unit_test(never_admits_without_a_policy),
	    cmocka_unit_test(reads_a_key_or_none),
	    cmocka_unit_test(builds_the_whole_set_or_none),
	    cmocka_unit_test(admits_when_there_is_memory),
	};

	/* OpenSSL takes its allocator before its first use only. */
	if (CRYPTO_set_mem_functions(get, resize, put) != 1) {
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
