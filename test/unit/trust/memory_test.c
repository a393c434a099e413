/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Each allocation that OpenSSL makes for one verification fails once.  The
 * answer may then be a refusal; it is never an admission that it was not.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

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

/* How many of the verifications were admissions, the n-th allocation of each
 * failing, until one gets through. */
static int
starve(const struct trust_set *set, enum reason *last)
{
	char *pem = mint_pem(&middle, 1);
	struct chain *chain = NULL;
	struct leaf *leaf = NULL;
	struct trust_finding found;
	bool starved = true;
	int admitted = 0;
	long n;

	assert_int_equal(
	    chain_parse((const uint8_t *)pem, strlen(pem), &chain, NULL),
	    RES_OK);
	assert_int_equal(
	    leaf_parse(device.der, device.der_len, &leaf, NULL), RES_OK);
	for (n = 0; starved && n < ALLOCATIONS_MAX; n++) {
		countdown = n;
		trust_verify(set, leaf, chain, &meter, MINT_NOW, &found);
		starved = countdown < 0;
		countdown = -1;
		admitted += found.reason == REASON_NONE && found.in_scope;
		ERR_clear_error();
	}
	assert_false(starved);
	*last = found.reason;
	leaf_free(leaf);
	chain_free(chain);
	free(pem);
	return admitted;
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(never_admits_through_an_idle_intermediate),
	    cmocka_unit_test(never_admits_out_of_scope),
	    cmocka_unit_test(admits_when_there_is_memory),
	};

	/* OpenSSL takes its allocator before its first use only. */
	if (CRYPTO_set_mem_functions(get, resize, put) != 1) {
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
