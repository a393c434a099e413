/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mint: certificates for tests, made on the spot.
 *
 * All zero options but cn are an ordinary device's certificate: P-256, version
 * 3, valid from MINT_FROM to MINT_TO, clientAuth, signed by its issuer with
 * SHA-256.  A test that cannot mint ends there, with OpenSSL's reason.
 */
#ifndef TEST_SUPPORT_MINT_H
#define TEST_SUPPORT_MINT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MINT_FROM ((int64_t)1577836800) /* 2020-01-01 */
#define MINT_NOW  ((int64_t)1767225600) /* 2026-01-01 */
#define MINT_TO   ((int64_t)2524608000) /* 2050-01-01 */

enum mint_key {
	MINT_P256 = 0,
	MINT_P384,
	MINT_P521,
	MINT_K256, /* secp256k1 */
	MINT_P256_EXPLICIT,
	MINT_ED25519,
	MINT_ED448,
	MINT_RSA1024,
	MINT_RSA2047,
	MINT_RSA2048,
	MINT_RSA2050,
	MINT_KEYS
};

#define MINT_SLOTS 16 /* different keys of a kind */

struct minted {
	X509 *cert;
	EVP_PKEY *key; /* lent; lives as long as the program */
	uint8_t *der;
	size_t der_len;
};

struct mint_options {
	const char *cn;    /* NULL: an empty subject */
	const char *email; /* emailAddress in the subject */
	const char *san;   /* "email:d:meter:1,DNS:a.example" */
	bool ca;           /* basicConstraints, keyCertSign */
	enum mint_key key;
	unsigned slot;      /* same kind and slot: same key */
	int64_t from, to;   /* 0: MINT_FROM, MINT_TO */
	const char *serial; /* decimal; NULL: a new one each time */
	const char *eku;    /* NULL: clientAuth for a leaf; "": none */
	const char *ku;     /* NULL: by ca, see above; "": none */
	const char *bc;     /* NULL: by ca; "": none */
	bool no_ski, no_aki;
	/* More extensions, "name=value" as OpenSSL's configuration has them;
	 * ends in NULL. */
	const char *const *extensions;
	const char *digest; /* NULL: SHA256, or none for Ed25519 and Ed448 */
	int version;        /* 0: 3.  1 has no extensions */
	const struct minted *issuer; /* NULL: signed by itself */
	const char *issuer_cn;       /* in the place of the issuer's subject */
};

struct minted mint(const struct mint_options *options);
void minted_done(struct minted *minted);

/* A CA, and a device's certificate of it, in the usual form. */
struct minted mint_ca(const char *cn, unsigned slot);
struct minted mint_device(const struct minted *ca, const char *identity);

/* PEM of n certificates one after the other; the caller frees it. */
char *mint_pem(const struct minted *minted, size_t n);

/* The same certificate with its signature's last bit turned. */
struct minted mint_forged(const struct minted *minted);

#endif /* TEST_SUPPORT_MINT_H */
