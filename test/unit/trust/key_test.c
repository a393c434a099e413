/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Keys for which anybody can sign, or that only cost time, are none. */
#include "trust/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdint.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"

#define FF8  "ffffffffffffffff"
#define FF29 FF8 FF8 FF8 "ffffffffff"

/* Ed25519 and Ed448 keys in hex, little-endian. */
static const struct {
	const char *name;
	int type;
	const char *hex;
	bool strong;
} edwards[] = {
    {"RFC 8032 7.1, test 1", EVP_PKEY_ED25519,
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        true},
    {"0, order 4", EVP_PKEY_ED25519,
        "0000000000000000000000000000000000000000000000000000000000000000",
        false},
    {"0, the other sign", EVP_PKEY_ED25519,
        "0000000000000000000000000000000000000000000000000000000000000080",
        false},
    {"1, the identity", EVP_PKEY_ED25519,
        "0100000000000000000000000000000000000000000000000000000000000000",
        false},
    {"1, the other sign", EVP_PKEY_ED25519,
        "0100000000000000000000000000000000000000000000000000000000000080",
        false},
    {"2", EVP_PKEY_ED25519,
        "0200000000000000000000000000000000000000000000000000000000000000",
        true},
    {"order 8", EVP_PKEY_ED25519,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        false},
    {"order 8, the other sign", EVP_PKEY_ED25519,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        false},
    {"order 8, the other", EVP_PKEY_ED25519,
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        false},
    {"p - 1, order 2", EVP_PKEY_ED25519, "ecff" FF29 "7f", false},
    {"p - 2", EVP_PKEY_ED25519, "ebff" FF29 "7f", true},
    {"p, which is 0", EVP_PKEY_ED25519, "edff" FF29 "7f", false},
    {"p + 1, which is 1", EVP_PKEY_ED25519, "eeff" FF29 "7f", false},
    {"2^255 - 1", EVP_PKEY_ED25519, "ffff" FF29 "ff", false},
    {"RFC 8032 7.4, blank", EVP_PKEY_ED448,
        "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778"
        "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
        true},
    {"448: 0, order 4", EVP_PKEY_ED448,
        "0000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000000",
        false},
    {"448: 1, the identity", EVP_PKEY_ED448,
        "0100000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000080",
        false},
    {"448: p - 1, order 2", EVP_PKEY_ED448,
        "fe" FF8 FF8 FF8 "ffffff"
        "fe" FF8 FF8 FF8 "ffffff"
        "00",
        false},
    {"448: p, which is 0", EVP_PKEY_ED448,
        "ff" FF8 FF8 FF8 "ffffff"
        "fe" FF8 FF8 FF8 "ffffff"
        "00",
        false},
    {"448: above all", EVP_PKEY_ED448,
        "ff" FF8 FF8 FF8 "ffffff"
        "ff" FF8 FF8 FF8 "ffffff"
        "7f",
        false},
};

static void
knows_points_of_small_order(void **state)
{
	uint8_t raw[64];
	const char *why;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(edwards) / sizeof(edwards[0]); i++) {
		EVP_PKEY *key;

		print_message("%s\n", edwards[i].name);
		assert_int_equal(OPENSSL_hexstr2buf_ex(raw, sizeof(raw), &len,
		                     edwards[i].hex, '\0'),
		    1);
		key = EVP_PKEY_new_raw_public_key(
		    edwards[i].type, NULL, raw, len);
		assert_non_null(key);
		why = NULL;
		assert_int_equal(key_is_strong(key, &why), edwards[i].strong);
		assert_true(edwards[i].strong || why != NULL);
		EVP_PKEY_free(key);
	}
}

/* An RSA key of so many bits, with the exponent in hex. */
static EVP_PKEY *
make_rsa(int bits, const char *exponent)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = BN_new(), *e = NULL;
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	assert_int_equal(
	    BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD), 1);
	assert_true(BN_hex2bn(&e, exponent) > 0);
	assert_int_equal(
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n), 1);
	assert_int_equal(
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return key;
}

static const struct {
	int bits;
	const char *exponent;
	bool strong;
} moduli[] = {
    {2048, "10001", true},
    {2048, "3", true},
    {8192, "10001", true},
    {2048, "FFFFFFFFFFFFFFFF", true},
    {2048, "10000000000000001", false},
    {2048, "1", false},
    {2048, "2", false},
    {2048, "10000", false},
    {2048, "0", false},
    {2047, "10001", false},
    {1024, "10001", false},
    {2050, "10001", false},
    {8200, "10001", false},
};

static void
looks_at_the_exponent(void **state)
{
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(moduli) / sizeof(moduli[0]); i++) {
		EVP_PKEY *key = make_rsa(moduli[i].bits, moduli[i].exponent);

		print_message(
		    "%d bits, %s\n", moduli[i].bits, moduli[i].exponent);
		assert_int_equal(key_is_strong(key, &why), moduli[i].strong);
		EVP_PKEY_free(key);
	}
}

/* The point at infinity is one octet long. */
static void
refuses_infinity(void **state)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char curve[] = "prime256v1";
	uint8_t point[] = {0};
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(
	                           OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
	    OSSL_PARAM_construct_octet_string(
	        OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
	    OSSL_PARAM_construct_end()};
	EVP_PKEY *key = NULL;
	const char *why;

	(void)state;
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	/* An OpenSSL that does not make such a key is as good. */
	if (EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1) {
		assert_false(key_is_strong(key, &why));
	}
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
}

static void
takes_the_usual_ones(void **state)
{
	static const enum mint_key kinds[] = {MINT_P256, MINT_P384, MINT_P521,
	    MINT_ED25519, MINT_ED448, MINT_RSA2048};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct mint_options options = {.cn = "d:m:1", .key = kinds[i]};
		struct minted minted = mint(&options);

		assert_true(key_is_strong(minted.key, &why));
		minted_done(&minted);
	}
	assert_false(key_is_strong(NULL, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_points_of_small_order),
	    cmocka_unit_test(looks_at_the_exponent),
	    cmocka_unit_test(refuses_infinity),
	    cmocka_unit_test(takes_the_usual_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
