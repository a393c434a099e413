/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Each allocation for a CRL, a proof or a chain, OpenSSL's and our own, fails
 * once.  The answer may then be a refusal; it is never an acceptance that it
 * was not, and never a list that tells less.
 */
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"
#include "trust/cert.h"
#include "trust/crl.h"
#include "trust/proof.h"

#define ALLOCATIONS_MAX 20000
#define CODE_HALF       "0123456789abcdef0123456789abcdef"
#define CODE            CODE_HALF CODE_HALF
#define EXTRA(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

static long countdown = -1; /* allocations until the one that fails */

static bool
fails(void)
{
	return countdown >= 0 && countdown-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* The linker sends our own calls here. */
void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

/* And OpenSSL, its own here. */
static void *
get(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
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

static struct minted ca, twin;

static int
set_up(void **state)
{
	(void)state;
	ca = mint_ca("Plant 1", 0);
	twin = mint_ca("Plant 1", 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&ca);
	minted_done(&twin);
	return 0;
}

/* One call; true if it accepted. */
typedef bool attempt(const void *input);

static long
count_allocations(attempt *again, const void *input)
{
	long left;

	countdown = LONG_MAX;
	(void)again(input);
	left = countdown;
	countdown = -1;
	return LONG_MAX - left;
}

/* Whether it accepts once there is memory.  *before: how often it did while
 * one of the last allocations failed, so many of them. */
static bool
starve(attempt *again, const void *input, long last, int *before)
{
	long n = count_allocations(again, input) - last;
	bool starved = true, accepted = false;

	assert_true(n < ALLOCATIONS_MAX);
	*before = 0;
	for (n = n > 0 ? n : 0; starved && n < ALLOCATIONS_MAX; n++) {
		countdown = n;
		accepted = again(input);
		starved = countdown < 0;
		countdown = -1;
		*before += accepted && starved;
		ERR_clear_error();
	}
	assert_false(starved);
	return accepted;
}

/* The good ones are starved all the way; the others after the certificates
 * have been decoded, where what is wrong with them is looked for. */
#define LAST(good) ((good) ? ALLOCATIONS_MAX : 400)

static const struct mint_entry entries[] = {
    {"26", EXTRA("CRLReason=DER:0a0101")},
    {"5", NULL},
};

static const struct mint_entry foreign[] = {
    {"26", EXTRA("certificateIssuer=critical,DER:3003820131")},
};

static const struct {
	const char *name;
	bool good;
	const struct minted *signer;
	struct mint_crl_options options;
} list_cases[] = {
    {"plain", true, &ca, {.number = NULL}},
    {"another key's", false, &twin, {.no_aki = true}},
    {"another key's AKI", false, &ca, {.aki = &twin}},
    {"indirect", false, &ca,
        {.extensions =
                EXTRA("issuingDistributionPoint=critical,DER:30038401ff")}},
    {"for CAs", false, &ca,
        {.extensions =
                EXTRA("issuingDistributionPoint=critical,DER:30038201ff")}},
    {"other CAs' entries", false, &ca, {.entries = foreign, .entry_count = 1}},
};

static bool
parse_list(const void *input)
{
	const struct minted_crl *minted = input;
	struct crl *crl = NULL;
	enum res r = crl_parse(minted->der, minted->der_len, ca.der, ca.der_len,
	    MINT_NOW, 0, &crl, NULL, NULL, NULL);

	assert_int_equal(crl != NULL, r == RES_OK);
	if (r == RES_OK) {
		assert_int_equal(crl_info(crl)->entries, 2);
		assert_int_equal(
		    crl_look(crl, (const uint8_t *)"\x1a", 1, true),
		    CRL_LISTED);
		assert_string_equal(crl_info(crl)->number,
		    "0000000000000000000000000000000000000001");
	}
	crl_unref(crl);
	return r == RES_OK;
}

static void
lists_are_never_taken_for_others(void **state)
{
	size_t i;
	int before;

	(void)state;
	for (i = 0; i < sizeof(list_cases) / sizeof(list_cases[0]); i++) {
		struct mint_crl_options options = list_cases[i].options;
		bool good = list_cases[i].good;
		struct minted_crl minted;

		options.issuer = list_cases[i].signer;
		if (options.entries == NULL) {
			options.entries = entries;
			options.entry_count = 2;
		}
		minted = mint_crl(&options);
		if (starve(parse_list, &minted, LAST(good), &before) != good ||
		    (!good && before > 0)) {
			fail_msg("%s", list_cases[i].name);
		}
		minted_crl_done(&minted);
	}
}

static const struct {
	const char *name;
	bool good;
	struct mint_options options;
} proof_cases[] = {
    {"plain", true, {.cn = CODE, .issuer = &ca}},
    {"another key", false, {.cn = CODE, .issuer = &twin, .no_aki = true}},
    {"two names", false, {.cn = CODE, .cn2 = CODE, .issuer = &ca}},
    {"a CA", false, {.cn = CODE, .issuer = &ca, .ca = true}},
};

static bool
check_proof(const void *input)
{
	const struct minted *cert = input;

	return proof_check(cert->der, cert->der_len, ca.der, ca.der_len, CODE,
	           MINT_NOW, NULL) == RES_OK;
}

static void
proofs_are_never_taken_for_others(void **state)
{
	size_t i;
	int before;

	(void)state;
	for (i = 0; i < sizeof(proof_cases) / sizeof(proof_cases[0]); i++) {
		struct minted cert = mint(&proof_cases[i].options);
		bool good = proof_cases[i].good;

		if (starve(check_proof, &cert, LAST(good), &before) != good ||
		    (!good && before > 0)) {
			fail_msg("%s", proof_cases[i].name);
		}
		minted_done(&cert);
	}
}

static bool
adopt_chain(const void *input)
{
	struct chain *const untouched = (void *)&ca, *chain = untouched;
	uint8_t digest[HASH_LEN], none[HASH_LEN] = {0};
	enum res r = chain_adopt(input, &chain);

	if (r != RES_OK) {
		assert_ptr_equal(chain, untouched);
		return false;
	}
	assert_int_equal(sk_X509_num(chain_certs(chain)), 2);
	chain_digest(chain, digest);
	assert_memory_not_equal(digest, none, HASH_LEN);
	chain_free(chain);
	return true;
}

static void
chains_are_whole_or_none(void **state)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	int before;

	(void)state;
	assert_int_equal(sk_X509_push(sent, ca.cert), 1);
	assert_int_equal(sk_X509_push(sent, twin.cert), 2);
	assert_int_equal(sk_X509_push(sent, ca.cert), 3);
	assert_true(starve(adopt_chain, sent, LAST(true), &before));
	sk_X509_free(sent);
}

static bool
draw_code(const void *input)
{
	char code[PROOF_CODE_LEN + 1] = "untouched";
	enum res r = proof_code_new(code, NULL);

	(void)input;
	if (r == RES_OK) {
		assert_int_equal(strlen(code), PROOF_CODE_LEN);
	} else {
		assert_int_equal(r, RES_UNAVAIL);
		assert_string_equal(code, "untouched");
	}
	return r == RES_OK;
}

static void
codes_are_drawn_or_not(void **state)
{
	int before;

	(void)state;
	assert_true(starve(draw_code, NULL, LAST(true), &before));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(codes_are_drawn_or_not),
	    cmocka_unit_test(lists_are_never_taken_for_others),
	    cmocka_unit_test(proofs_are_never_taken_for_others),
	    cmocka_unit_test(chains_are_whole_or_none),
	};

	/* OpenSSL takes its allocator before its first use only. */
	if (CRYPTO_set_mem_functions(get, resize, put) != 1) {
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
