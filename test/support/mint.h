/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mint: certificates and CRLs for tests, made on the spot.
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
	int cn_type;       /* V_ASN1_..., and cn is its octets; 0: UTF-8 */
	int cn_len;        /* octets of cn; 0: up to its NUL */
	const char *cn2;   /* one more common name */
	const char *o;     /* organizationName */
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

struct mint_entry {
	const char *serial; /* decimal */
	/* "name=value" as above; ends in NULL. */
	const char *const *extensions;
};

/* All zero options but issuer are an ordinary CRL: version 2, number 1,
 * thisUpdate MINT_NOW - 1 day, nextUpdate MINT_NOW + 7 days, nobody on it, an
 * authority key identifier if the issuer has a subject key identifier. */
struct mint_crl_options {
	const struct minted *issuer;
	const char *issuer_cn;    /* in the place of the issuer's subject */
	const struct minted *aki; /* whom the AKI names; NULL: the issuer */
	bool no_aki;
	int64_t this_update;   /* 0: see above */
	const char *next_text; /* in its place, whatever it says */
	int64_t next_update;   /* 0: see above; MINT_NEVER: none */
	const char *number;    /* decimal; "": none */
	bool critical_number;
	int version; /* 0: 2.  1 leaves all extensions out */
	const struct mint_entry *entries;
	size_t entry_count;
	size_t bulk; /* so many more: MINT_BULK, and upwards */
	const char *const *extensions;
	const char *digest; /* NULL: SHA256, or none */
	bool pss;           /* RSA-PSS; the issuer's key is RSA */
};

#define MINT_NEVER INT64_MIN
#define MINT_BULK  1000000 /* serial number of the first of the bulk */

struct minted_crl {
	uint8_t *der;
	size_t der_len;
};

struct minted_crl mint_crl(const struct mint_crl_options *options);
void minted_crl_done(struct minted_crl *minted);

/* PEM of n CRLs one after the other; the caller frees it. */
char *mint_crl_pem(const struct minted_crl *minted, size_t n);

#endif /* TEST_SUPPORT_MINT_H */
