/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#define RSA_BITS_MIN     2048
#define RSA_BITS_MAX     8192
#define RSA_EXPONENT_MAX 64 /* bits; a longer one only makes verifying slow */
#define ED25519_LEN      32
#define ED448_LEN        57

/* With the exponent 1 every number is its own signature; FIPS 186-5 A.1.1 asks
 * for an odd one. */
static bool
is_sound_rsa(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	bool sound = false;

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || bits % 8 != 0) {
		return false;
	}
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1) {
		sound = BN_is_odd(e) && !BN_is_one(e) &&
		    BN_num_bits(e) <= RSA_EXPONENT_MAX;
	}
	BN_free(e);
	return sound;
}

/* On the curve, and not the point at infinity, for which anybody can sign.
 * These curves have no points of small order. */
static bool
is_sound_point(const EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new((EVP_PKEY *)(uintptr_t)key, NULL);
	bool sound = ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return sound;
}

/* The y of the points of order 8 on edwards25519, little-endian. */
static const uint8_t order_8[2][ED25519_LEN] = {
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89,
        0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
        0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76,
        0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
        0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

/* The largest y that there is, p - 1: a point of order 2.  What lies above is
 * another spelling of a smaller one (RFC 8032 5.1.3, 5.2.3). */
static const uint8_t last_25519[ED25519_LEN] = {0xec, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0x7f};
static const uint8_t last_448[ED448_LEN] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0x00};

/* Little-endian numbers of len octets. */
static int
compare(const uint8_t *a, const uint8_t *b, size_t len)
{
	while (len-- > 0) {
		if (a[len] != b[len]) {
			return a[len] < b[len] ? -1 : 1;
		}
	}
	return 0;
}

/* The y of 0 and 1 belong to points of order 4 and 1, on both curves. */
static bool
is_sound_y(const uint8_t *y, const uint8_t *last, size_t len)
{
	const uint8_t two[ED448_LEN] = {2};

	return compare(y, two, len) >= 0 && compare(y, last, len) < 0;
}

static bool
is_sound_edwards(const EVP_PKEY *key, size_t len, const uint8_t *last)
{
	uint8_t y[ED448_LEN] = {0};
	size_t got = sizeof(y);

	if (EVP_PKEY_get_raw_public_key(key, y, &got) != 1 || got != len) {
		return false;
	}
	y[len - 1] &= 0x7f; /* the sign of x */
	return is_sound_y(y, last, len) &&
	    (len != ED25519_LEN ||
	        (memcmp(y, order_8[0], len) != 0 &&
	            memcmp(y, order_8[1], len) != 0));
}

bool
key_is_strong(const EVP_PKEY *key, const char **why)
{
	switch (key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		*why = "the RSA key does not have 2048 to 8192 bits, in whole "
		       "bytes, and an odd exponent between 3 and 64 bits";
		return is_sound_rsa(key);
	case EVP_PKEY_EC:
		*why = "the elliptic curve's point is not one that may be a "
		       "key";
		return is_sound_point(key);
	case EVP_PKEY_ED25519:
		*why = "the Ed25519 key is one for which anybody can sign";
		return is_sound_edwards(key, ED25519_LEN, last_25519);
	case EVP_PKEY_ED448:
		*why = "the Ed448 key is one for which anybody can sign";
		return is_sound_edwards(key, ED448_LEN, last_448);
	default:
		*why = "the key is not RSA, P-256, P-384, P-521, Ed25519 or "
		       "Ed448, or cannot be decoded";
		return false;
	}
}
