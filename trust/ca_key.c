/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The point of an elliptic curve may be written compressed or not, and the
 * curve by its name or its parameters, so that one key has several encodings.
 * What is hashed is the key itself: kind, curve and numbers, each with its
 * length before it.
 */
#include "trust/ca_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define CURVE_MAX 64 /* bytes of a curve's name */
#define RAW_MAX   57 /* octets of an Ed448 key */

static bool
add(EVP_MD_CTX *hash, const void *bytes, size_t len)
{
	uint64_t size = len;

	return EVP_DigestUpdate(hash, &size, sizeof(size)) == 1 &&
	    EVP_DigestUpdate(hash, bytes, len) == 1;
}

static bool
add_number(EVP_MD_CTX *hash, const EVP_PKEY *key, const char *name)
{
	BIGNUM *number = NULL;
	uint8_t *octets = NULL;
	size_t len = 0;
	bool ok = EVP_PKEY_get_bn_param(key, name, &number) == 1;

	if (ok) {
		len = (size_t)BN_num_bytes(number);
		octets = OPENSSL_malloc(len + 1); /* 0 would answer NULL */
		ok = octets != NULL;
	}
	if (ok) {
		(void)BN_bn2bin(number, octets);
		ok = add(hash, octets, len);
	}
	OPENSSL_free(octets);
	BN_free(number);
	return ok;
}

/* A curve that has no name is refused with the chain. */
static bool
add_ec(EVP_MD_CTX *hash, const EVP_PKEY *key)
{
	char curve[CURVE_MAX];

	return EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
	    add(hash, "EC", 2) && add(hash, curve, strlen(curve)) &&
	    add_number(hash, key, OSSL_PKEY_PARAM_EC_PUB_X) &&
	    add_number(hash, key, OSSL_PKEY_PARAM_EC_PUB_Y);
}

static bool
add_rsa(EVP_MD_CTX *hash, const EVP_PKEY *key)
{
	return add(hash, "RSA", 3) &&
	    add_number(hash, key, OSSL_PKEY_PARAM_RSA_N) &&
	    add_number(hash, key, OSSL_PKEY_PARAM_RSA_E);
}

static bool
add_raw(EVP_MD_CTX *hash, const EVP_PKEY *key, const char *kind)
{
	uint8_t raw[RAW_MAX];
	size_t len = sizeof(raw);

	return EVP_PKEY_get_raw_public_key(key, raw, &len) == 1 &&
	    add(hash, kind, strlen(kind)) && add(hash, raw, len);
}

/* EVP_PKEY_is_a() takes a lack of memory for another kind. */
static enum res
add_key(EVP_MD_CTX *hash, const EVP_PKEY *key)
{
	bool ok;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		ok = add_ec(hash, key);
		break;
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		ok = add_rsa(hash, key);
		break;
	case EVP_PKEY_ED25519:
		ok = add_raw(hash, key, "ED25519");
		break;
	case EVP_PKEY_ED448:
		ok = add_raw(hash, key, "ED448");
		break;
	default:
		return RES_SYNTAX;
	}
	return ok ? RES_OK : RES_NOMEM;
}

static enum res
digest(const EVP_PKEY *key, uint8_t out[HASH_LEN])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned int len = 0;
	enum res r = RES_NOMEM;

	if (hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1) {
		r = add_key(hash, key);
	}
	if (r == RES_OK &&
	    (EVP_DigestFinal_ex(hash, out, &len) != 1 || len != HASH_LEN)) {
		r = RES_NOMEM;
	}
	EVP_MD_CTX_free(hash);
	return r;
}

enum res
ca_key_read(const X509 *cert, struct ca_key *out)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	struct ca_key mine = {0};
	int named = 0;
	enum res r = key == NULL ? RES_SYNTAX : digest(key, mine.key);

	if (r != RES_OK) {
		return r;
	}
	mine.name =
	    X509_NAME_hash_ex(X509_get_subject_name(cert), NULL, NULL, &named);
	if (named != 1) {
		return RES_NOMEM;
	}
	*out = mine;
	return RES_OK;
}

bool
ca_key_equal(const struct ca_key *a, const struct ca_key *b)
{
	return a->name == b->name && memcmp(a->key, b->key, HASH_LEN) == 0;
}
