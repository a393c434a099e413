/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/support/mint.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
need(bool ok, const char *what)
{
	if (!ok) {
		(void)fprintf(stderr, "mint: %s\n", what);
		ERR_print_errors_fp(stderr);
		abort();
	}
}

static EVP_PKEY *
make_explicit(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	need(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
	        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(
	            ctx, NID_X9_62_prime256v1) == 1 &&
	        EVP_PKEY_CTX_set_ec_param_enc(ctx, OPENSSL_EC_EXPLICIT_CURVE) ==
	            1 &&
	        EVP_PKEY_keygen(ctx, &key) == 1,
	    "no key with explicit parameters");
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
make_key(enum mint_key kind)
{
	switch (kind) {
	case MINT_P256:
		return EVP_EC_gen("P-256");
	case MINT_P384:
		return EVP_EC_gen("P-384");
	case MINT_P521:
		return EVP_EC_gen("P-521");
	case MINT_K256:
		return EVP_EC_gen("secp256k1");
	case MINT_P256_EXPLICIT:
		return make_explicit();
	case MINT_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case MINT_ED448:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	case MINT_RSA1024:
		return EVP_RSA_gen(1024);
	case MINT_RSA2047:
		return EVP_RSA_gen(2047);
	case MINT_RSA2048:
		return EVP_RSA_gen(2048);
	case MINT_RSA2050:
		return EVP_RSA_gen(2050);
	case MINT_KEYS:
	default:
		return NULL;
	}
}

static EVP_PKEY *keys[MINT_KEYS][MINT_SLOTS];

__attribute__((destructor)) static void
free_keys(void)
{
	size_t kind, slot;

	for (kind = 0; kind < MINT_KEYS; kind++) {
		for (slot = 0; slot < MINT_SLOTS; slot++) {
			EVP_PKEY_free(keys[kind][slot]);
		}
	}
}

static EVP_PKEY *
get_key(enum mint_key kind, unsigned slot)
{
	need(kind < MINT_KEYS && slot < MINT_SLOTS, "no such key");
	if (keys[kind][slot] == NULL) {
		keys[kind][slot] = make_key(kind);
		need(keys[kind][slot] != NULL, "no key");
	}
	return keys[kind][slot];
}

static void
add_text(X509_NAME *name, const char *field, const char *text)
{
	if (text != NULL) {
		need(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
		         (const unsigned char *)text, -1, -1, 0) == 1,
		    field);
	}
}

static void
add_cn(X509_NAME *name, const struct mint_options *options)
{
	int len = options->cn_len == 0 ? -1 : options->cn_len;

	if (options->cn_type == 0) {
		add_text(name, "CN", options->cn);
		return;
	}
	need(X509_NAME_add_entry_by_NID(name, NID_commonName, options->cn_type,
	         (const unsigned char *)options->cn, len, -1, 0) == 1,
	    "CN");
}

static void
set_names(X509 *cert, const struct mint_options *options)
{
	X509_NAME *name = X509_NAME_new();

	need(name != NULL, "no name");
	add_text(name, "O", options->o);
	add_cn(name, options);
	add_text(name, "CN", options->cn2);
	add_text(name, "emailAddress", options->email);
	need(X509_set_subject_name(cert, name) == 1, "subject");
	if (options->issuer_cn != NULL) {
		X509_NAME_free(name);
		name = X509_NAME_new();
		add_text(name, "CN", options->issuer_cn);
	} else if (options->issuer != NULL) {
		X509_NAME_free(name);
		name =
		    X509_NAME_dup(X509_get_subject_name(options->issuer->cert));
	}
	need(X509_set_issuer_name(cert, name) == 1, "issuer");
	X509_NAME_free(name);
}

static void
set_serial(X509 *cert, const struct mint_options *options)
{
	static unsigned long next = 1000;
	BIGNUM *number = NULL;

	if (options->serial == NULL) {
		need(ASN1_INTEGER_set_uint64(
		         X509_get_serialNumber(cert), next++) == 1,
		    "serial");
		return;
	}
	need(BN_dec2bn(&number, options->serial) > 0 &&
	        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL,
	    "serial");
	BN_free(number);
}

static void
set_dates(X509 *cert, const struct mint_options *options)
{
	time_t from = (time_t)(options->from == 0 ? MINT_FROM : options->from);
	time_t to = (time_t)(options->to == 0 ? MINT_TO : options->to);

	need(ASN1_TIME_adj(X509_getm_notBefore(cert), from, 0, 0) != NULL &&
	        ASN1_TIME_adj(X509_getm_notAfter(cert), to, 0, 0) != NULL,
	    "dates");
}

static X509_EXTENSION *
make_extension(X509V3_CTX *ctx, const char *name, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, ctx, name, value);

	need(extension != NULL, name);
	return extension;
}

/* "name=value" */
static X509_EXTENSION *
read_extension(X509V3_CTX *ctx, const char *text)
{
	const char *value = strchr(text, '=');
	char name[64];

	need(value != NULL && value - text < 64, text);
	memcpy(name, text, (size_t)(value - text));
	name[value - text] = '\0';
	return make_extension(ctx, name, value + 1);
}

static void
add(X509 *cert, X509V3_CTX *ctx, const char *name, const char *value)
{
	X509_EXTENSION *extension;

	if (value == NULL || value[0] == '\0') {
		return;
	}
	extension = make_extension(ctx, name, value);
	need(X509_add_ext(cert, extension, -1) == 1, name);
	X509_EXTENSION_free(extension);
}

static void
add_more(X509 *cert, X509V3_CTX *ctx, const char *const *extensions)
{
	X509_EXTENSION *extension;

	for (; extensions != NULL && *extensions != NULL; extensions++) {
		extension = read_extension(ctx, *extensions);
		need(X509_add_ext(cert, extension, -1) == 1, *extensions);
		X509_EXTENSION_free(extension);
	}
}

static const char *
choose(const char *wanted, const char *otherwise)
{
	return wanted != NULL ? wanted : otherwise;
}

static void
add_extensions(X509 *cert, const struct mint_options *options)
{
	X509 *issuer = options->issuer == NULL ? cert : options->issuer->cert;
	bool ca = options->ca;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	add(cert, &ctx, "basicConstraints",
	    choose(options->bc, ca ? "critical,CA:TRUE" : ""));
	add(cert, &ctx, "keyUsage",
	    choose(options->ku,
	        ca ? "critical,keyCertSign,cRLSign"
	           : "critical,digitalSignature"));
	add(cert, &ctx, "extendedKeyUsage",
	    choose(options->eku, ca ? "" : "clientAuth"));
	add(cert, &ctx, "subjectKeyIdentifier", options->no_ski ? "" : "hash");
	/* "keyid" alone is left out where the issuer has no SKI. */
	if (!options->no_aki && X509_get0_subject_key_id(issuer) != NULL) {
		add(cert, &ctx, "authorityKeyIdentifier", "keyid");
	}
	add(cert, &ctx, "subjectAltName", options->san);
	add_more(cert, &ctx, options->extensions);
}

static const EVP_MD *
choose_digest(const char *digest, const EVP_PKEY *key)
{
	int id = EVP_PKEY_get_base_id(key);

	if (digest == NULL && id != EVP_PKEY_ED25519 && id != EVP_PKEY_ED448) {
		digest = "SHA256";
	}
	return digest == NULL ? NULL : EVP_get_digestbyname(digest);
}

static void
sign(X509 *cert, const struct mint_options *options, EVP_PKEY *key)
{
	need(X509_sign(cert, key, choose_digest(options->digest, key)) > 0,
	    "signature");
}

/* Newer releases of OpenSSL make version 3 of whatever they sign with
 * extensions.  The signature does not fit the octet that is written here. */
static void
write_version(struct minted *minted, int version)
{
	static const uint8_t three[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
	uint8_t *at =
	    memmem(minted->der, minted->der_len, three, sizeof(three));

	if (version != 0 && version != 3 && at != NULL) {
		at[sizeof(three) - 1] = (uint8_t)(version - 1);
	}
}

/* Through DER and back, so that tests see what a parser sees. */
static struct minted
finish(X509 *cert, EVP_PKEY *key, int version)
{
	struct minted minted = {.key = key};
	const unsigned char *at;
	int len = i2d_X509(cert, &minted.der);

	need(len > 0, "encoding");
	minted.der_len = (size_t)len;
	write_version(&minted, version);
	at = minted.der;
	minted.cert = d2i_X509(NULL, &at, len);
	need(minted.cert != NULL, "decoding");
	ERR_clear_error(); /* of what was tried on the way */
	return minted;
}

struct minted
mint(const struct mint_options *options)
{
	EVP_PKEY *key = get_key(options->key, options->slot);
	X509 *cert = X509_new();
	struct minted minted;

	need(cert != NULL, "certificate");
	need(X509_set_version(
	         cert, options->version == 0 ? 2 : options->version - 1) == 1,
	    "version");
	set_names(cert, options);
	set_serial(cert, options);
	set_dates(cert, options);
	need(X509_set_pubkey(cert, key) == 1, "public key");
	if (options->version != 1) {
		add_extensions(cert, options);
	}
	sign(cert, options,
	    options->issuer == NULL ? key : options->issuer->key);
	minted = finish(cert, key, options->version);
	X509_free(cert);
	return minted;
}

void
minted_done(struct minted *minted)
{
	X509_free(minted->cert);
	OPENSSL_free(minted->der);
	*minted = (struct minted){0};
}

struct minted
mint_ca(const char *cn, unsigned slot)
{
	return mint(&(struct mint_options){.cn = cn, .ca = true, .slot = slot});
}

struct minted
mint_device(const struct minted *ca, const char *identity)
{
	return mint(&(struct mint_options){
	    .cn = identity, .issuer = ca, .slot = MINT_SLOTS - 1});
}

char *
mint_pem(const struct minted *minted, size_t n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *copy;
	long len;
	size_t i;

	for (i = 0; i < n; i++) {
		need(PEM_write_bio_X509(bio, minted[i].cert) == 1, "PEM");
	}
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	need(copy != NULL, "PEM");
	BIO_free(bio);
	return copy;
}

struct minted
mint_forged(const struct minted *minted)
{
	struct minted forged = {.key = minted->key};
	const unsigned char *at;

	forged.der = OPENSSL_memdup(minted->der, minted->der_len);
	need(forged.der != NULL, "copy");
	forged.der_len = minted->der_len;
	forged.der[forged.der_len - 1] ^= 1;
	at = forged.der;
	forged.cert = d2i_X509(NULL, &at, (long)forged.der_len);
	need(forged.cert != NULL, "decoding");
	return forged;
}

static void
set_crl_issuer(X509_CRL *crl, const struct mint_crl_options *options)
{
	X509_NAME *name;

	if (options->issuer_cn == NULL) {
		name =
		    X509_NAME_dup(X509_get_subject_name(options->issuer->cert));
	} else {
		name = X509_NAME_new();
		add_text(name, "CN", options->issuer_cn);
	}
	need(X509_CRL_set_issuer_name(crl, name) == 1, "issuer of a CRL");
	X509_NAME_free(name);
}

static void
set_crl_dates(X509_CRL *crl, const struct mint_crl_options *options)
{
	int64_t from = options->this_update, to = options->next_update;
	ASN1_TIME *time = ASN1_TIME_new();

	from = from == 0 ? MINT_NOW - 86400 : from;
	to = to == 0 ? MINT_NOW + (int64_t)7 * 86400 : to;
	need(ASN1_TIME_adj(time, (time_t)from, 0, 0) != NULL &&
	        X509_CRL_set1_lastUpdate(crl, time) == 1,
	    "thisUpdate");
	if (to != MINT_NEVER) {
		need(ASN1_TIME_adj(time, (time_t)to, 0, 0) != NULL &&
		        X509_CRL_set1_nextUpdate(crl, time) == 1,
		    "nextUpdate");
	}
	if (options->next_text != NULL) {
		need(ASN1_STRING_set(time, options->next_text, -1) == 1 &&
		        X509_CRL_set1_nextUpdate(crl, time) == 1,
		    "nextUpdate");
	}
	ASN1_TIME_free(time);
}

static void
add_to_crl(X509_CRL *crl, X509_EXTENSION *extension)
{
	need(X509_CRL_add_ext(crl, extension, -1) == 1, "extension of a CRL");
	X509_EXTENSION_free(extension);
}

/* OpenSSL's configuration knows no word for it. */
static X509_EXTENSION *
make_number(const char *decimal, bool critical)
{
	BIGNUM *number = NULL;
	ASN1_INTEGER *value;
	X509_EXTENSION *extension;

	need(BN_dec2bn(&number, decimal) > 0, "CRL number");
	value = BN_to_ASN1_INTEGER(number, NULL);
	extension = X509V3_EXT_i2d(NID_crl_number, critical ? 1 : 0, value);
	need(value != NULL && extension != NULL, "CRL number");
	ASN1_INTEGER_free(value);
	BN_free(number);
	return extension;
}

static void
add_crl_extensions(X509_CRL *crl, const struct mint_crl_options *options)
{
	X509 *named =
	    options->aki == NULL ? options->issuer->cert : options->aki->cert;
	const char *number = choose(options->number, "1");
	const char *const *at = options->extensions;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, named, NULL, NULL, crl, 0);
	if (!options->no_aki && X509_get0_subject_key_id(named) != NULL) {
		add_to_crl(crl,
		    make_extension(&ctx, "authorityKeyIdentifier", "keyid"));
	}
	if (number[0] != '\0') {
		add_to_crl(crl, make_number(number, options->critical_number));
	}
	for (; at != NULL && *at != NULL; at++) {
		add_to_crl(crl, read_extension(&ctx, *at));
	}
}

static void
add_entry(X509_CRL *crl, BIGNUM *serial, const char *const *extensions)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *number = BN_to_ASN1_INTEGER(serial, NULL);
	ASN1_TIME *time = ASN1_TIME_adj(NULL, (time_t)MINT_FROM, 0, 0);
	X509_EXTENSION *extension;

	need(entry != NULL && number != NULL && time != NULL &&
	        X509_REVOKED_set_serialNumber(entry, number) == 1 &&
	        X509_REVOKED_set_revocationDate(entry, time) == 1,
	    "entry");
	for (; extensions != NULL && *extensions != NULL; extensions++) {
		extension = read_extension(NULL, *extensions);
		need(X509_REVOKED_add_ext(entry, extension, -1) == 1,
		    *extensions);
		X509_EXTENSION_free(extension);
	}
	need(X509_CRL_add0_revoked(crl, entry) == 1, "entry");
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(time);
}

static void
add_entries(X509_CRL *crl, const struct mint_crl_options *options)
{
	BIGNUM *serial = NULL;
	size_t i;

	for (i = 0; i < options->entry_count; i++) {
		need(BN_dec2bn(&serial, options->entries[i].serial) > 0,
		    "serial number of an entry");
		add_entry(crl, serial, options->entries[i].extensions);
	}
	need(BN_dec2bn(&serial, "0") > 0 && BN_set_word(serial, MINT_BULK) == 1,
	    "serial number");
	for (i = 0; i < options->bulk; i++) {
		add_entry(crl, serial, NULL);
		need(BN_add_word(serial, 1) == 1, "serial number");
	}
	BN_free(serial);
}

static void
sign_crl(X509_CRL *crl, const struct mint_crl_options *options)
{
	EVP_PKEY *key = options->issuer->key;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx = NULL;

	need(ctx != NULL &&
	        EVP_DigestSignInit(ctx, &key_ctx,
	            choose_digest(options->digest, key), NULL, key) == 1 &&
	        (!options->pss ||
	            EVP_PKEY_CTX_set_rsa_padding(
	                key_ctx, RSA_PKCS1_PSS_PADDING) == 1) &&
	        X509_CRL_sign_ctx(crl, ctx) > 0,
	    "signature of a CRL");
	EVP_MD_CTX_free(ctx);
}

struct minted_crl
mint_crl(const struct mint_crl_options *options)
{
	X509_CRL *crl = X509_CRL_new();
	struct minted_crl minted = {0};
	int len;

	need(crl != NULL, "CRL");
	set_crl_issuer(crl, options);
	set_crl_dates(crl, options);
	add_entries(crl, options);
	if (options->version != 1) {
		need(X509_CRL_set_version(crl,
		         options->version == 0 ? 1 : options->version - 1) == 1,
		    "version of a CRL");
		add_crl_extensions(crl, options);
	}
	sign_crl(crl, options);
	len = i2d_X509_CRL(crl, &minted.der);
	need(len > 0, "encoding of a CRL");
	minted.der_len = (size_t)len;
	X509_CRL_free(crl);
	ERR_clear_error();
	return minted;
}

void
minted_crl_done(struct minted_crl *minted)
{
	OPENSSL_free(minted->der);
	*minted = (struct minted_crl){0};
}

char *
mint_crl_pem(const struct minted_crl *minted, size_t n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *copy;
	long len;
	size_t i;

	for (i = 0; i < n; i++) {
		need(PEM_write_bio(bio, PEM_STRING_X509_CRL, "", minted[i].der,
		         (long)minted[i].der_len) > 0,
		    "PEM of a CRL");
	}
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	need(copy != NULL, "PEM of a CRL");
	BIO_free(bio);
	return copy;
}
