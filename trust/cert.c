/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Every public function leaves OpenSSL's queue of errors as it found it: the
 * broker reads the same queue for its own connections.
 */
#include "trust/cert.h"

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "trust/extension.h"
#include "trust/key.h"
#include "trust/pem.h"

struct chain {
	STACK_OF(X509) * certs;
	uint8_t digest[HASH_LEN];
};

static const struct pem_kind one = {
    PEM_STRING_X509, "certificate", CERT_FILE_MAX, 1};
static const struct pem_kind several = {
    PEM_STRING_X509, "certificate", CERT_FILE_MAX, CERT_CHAIN_MAX};

struct x509_st *
cert_from_der(const uint8_t *der, size_t len)
{
	return len > CERT_FILE_MAX ? NULL
	                           : pem_decode(ASN1_ITEM_rptr(X509), der, len);
}

static enum res
take(void *to, const uint8_t *der, size_t len, struct diag *why)
{
	STACK_OF(X509) *certs = to;
	X509 *cert = cert_from_der(der, len);

	if (cert == NULL) {
		return diag_res(why, RES_SYNTAX,
		    "the file is not a certificate in PEM or DER, or bytes "
		    "follow it");
	}
	if (sk_X509_push(certs, cert) <= 0) {
		X509_free(cert);
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	return RES_OK;
}

static enum res
read_certs(const struct pem_kind *kind, const uint8_t *bytes, size_t len,
    STACK_OF(X509) * *out, struct diag *why)
{
	STACK_OF(X509) * certs;
	enum res r;

	ERR_set_mark();
	certs = sk_X509_new_null();
	r = certs == NULL ? diag_res(why, RES_NOMEM, "there is no memory left")
	                  : pem_read(kind, bytes, len, take, certs, why);
	if (r == RES_OK) {
		*out = certs;
		certs = NULL;
	}
	sk_X509_pop_free(certs, X509_free);
	ERR_pop_to_mark();
	return r;
}

enum res
cert_parse(
    const uint8_t *bytes, size_t len, struct x509_st **out, struct diag *why)
{
	STACK_OF(X509) *certs = NULL;
	enum res r = read_certs(&one, bytes, len, &certs, why);

	if (r == RES_OK) {
		*out = sk_X509_pop(certs);
	}
	sk_X509_free(certs);
	return r;
}

static enum res
add_to_digest(EVP_MD_CTX *ctx, const X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	enum res r = RES_SYNTAX;

	if (len > 0) {
		r = EVP_DigestUpdate(ctx, der, (size_t)len) == 1 ? RES_OK
		                                                 : RES_NOMEM;
	}
	OPENSSL_free(der);
	return r;
}

/* DER tells its own length, so no two lists run together into one. */
static enum res
digest(const STACK_OF(X509) * certs, uint8_t out[HASH_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int i, n = sk_X509_num(certs);
	enum res r = RES_OK;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
		r = RES_NOMEM;
	}
	for (i = 0; r == RES_OK && i < n; i++) {
		r = add_to_digest(ctx, sk_X509_value(certs, i));
	}
	if (r == RES_OK && EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
		r = RES_NOMEM;
	}
	EVP_MD_CTX_free(ctx);
	return r;
}

/* Takes the certificates over, also on failure. */
static enum res
make_chain(STACK_OF(X509) * certs, struct chain **out)
{
	struct chain *chain = calloc(1, sizeof(*chain));
	enum res r;

	if (chain == NULL) {
		sk_X509_pop_free(certs, X509_free);
		return RES_NOMEM;
	}
	chain->certs = certs;
	if ((r = digest(certs, chain->digest)) == RES_OK) {
		*out = chain;
		chain = NULL;
	}
	chain_free(chain);
	return r;
}

enum res
chain_parse(
    const uint8_t *bytes, size_t len, struct chain **out, struct diag *why)
{
	STACK_OF(X509) *certs = NULL;
	enum res r = read_certs(&several, bytes, len, &certs, why);

	if (r != RES_OK) {
		return r;
	}
	ERR_set_mark();
	if ((r = make_chain(certs, out)) != RES_OK) {
		diag_set(why, "there is no memory left");
	}
	ERR_pop_to_mark();
	return r;
}

static STACK_OF(X509) * refer_to_rest(const STACK_OF(X509) * sent)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	int i, n = sk_X509_num(sent);
	X509 *cert;

	for (i = 1; certs != NULL && i < n; i++) {
		cert = sk_X509_value(sent, i);
		if (X509_up_ref(cert) != 1) {
			break;
		}
		if (sk_X509_push(certs, cert) <= 0) {
			X509_free(cert);
			break;
		}
	}
	if (certs != NULL && i < n) {
		sk_X509_pop_free(certs, X509_free);
		certs = NULL;
	}
	return certs;
}

enum res
chain_adopt(const struct stack_st_X509 *sent, struct chain **out)
{
	STACK_OF(X509) * certs;
	int n = sk_X509_num(sent) - 1; /* -2 for NULL */
	enum res r = RES_NOMEM;

	if (n > CERT_CHAIN_MAX) {
		return RES_LIMIT;
	}
	if (n <= 0) {
		*out = NULL;
		return RES_OK;
	}
	ERR_set_mark();
	if ((certs = refer_to_rest(sent)) != NULL) {
		r = make_chain(certs, out);
	}
	ERR_pop_to_mark();
	return r;
}

void
chain_digest(const struct chain *chain, uint8_t out[HASH_LEN])
{
	memset(out, 0, HASH_LEN);
	if (chain != NULL) {
		memcpy(out, chain->digest, HASH_LEN);
	}
}

void
chain_free(struct chain *chain)
{
	if (chain != NULL) {
		sk_X509_pop_free(chain->certs, X509_free);
		free(chain);
	}
}

struct stack_st_X509 *
chain_certs(const struct chain *chain)
{
	return chain == NULL ? NULL : chain->certs;
}

int64_t
cert_time(const struct asn1_string_st *time)
{
	int64_t when = CLOCK_NONE;
	struct tm tm;

	ERR_set_mark();
	if (time != NULL && ASN1_TIME_to_tm(time, &tm) == 1) {
		when = (int64_t)timegm(&tm);
	}
	ERR_pop_to_mark();
	return when;
}

static void
write_serial(const X509 *cert, char text[CERT_SERIAL_MAX + 1])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	bool negative = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;
	size_t len = (size_t)ASN1_STRING_length(serial);
	const char *sign = negative ? "-0x" : "0x";

	text_set(text, CERT_SERIAL_MAX + 1, "?");
	if (len > 0 && strlen(sign) + 2 * len <= CERT_SERIAL_MAX) {
		text_set(text, CERT_SERIAL_MAX + 1, sign);
		text_hex(
		    text + strlen(sign), ASN1_STRING_get0_data(serial), len);
	}
}

/* A name that is not in the encoding that it claims does not get this far:
 * OpenSSL compares names, and to that end converts them when it parses. */
static char *
write_subject(const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *copy = NULL, *at;
	long len;

	if (bio == NULL ||
	    X509_NAME_print_ex(bio, subject, 0, XN_FLAG_RFC2253) < 0) {
		goto out;
	}
	len = BIO_get_mem_data(bio, &text);
	if ((copy = strndup(len > 0 ? text : "", (size_t)len)) == NULL) {
		goto out;
	}
	for (at = copy; *at != '\0'; at++) {
		*at = *at < 0x20 || *at > 0x7e ? '?' : *at;
	}
out:
	BIO_free(bio);
	return copy;
}

/* SHA-256 of the SubjectPublicKeyInfo, as it stands in the certificate: the
 * same key in another encoding is another one. */
static bool
digest_key(const X509 *cert, uint8_t out[HASH_LEN])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool ok = len > 0 &&
	    EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return ok;
}

enum res
cert_info_read(
    const struct x509_st *cert, struct cert_info *out, struct diag *why)
{
	struct cert_info info = {0};
	unsigned int len = 0;
	enum res r = RES_OK;

	ERR_set_mark();
	if (X509_digest(cert, EVP_sha256(), info.fingerprint, &len) != 1 ||
	    len != HASH_LEN || !digest_key(cert, info.key)) {
		r = diag_res(
		    why, RES_SYNTAX, "the certificate cannot be encoded");
		goto out;
	}
	info.not_before = cert_time(X509_get0_notBefore(cert));
	info.not_after = cert_time(X509_get0_notAfter(cert));
	write_serial(cert, info.serial);
	if ((info.subject = write_subject(cert)) == NULL) {
		r = diag_res(why, RES_NOMEM, "there is no memory left");
		goto out;
	}
	*out = info;
out:
	ERR_pop_to_mark();
	return r;
}

void
cert_info_done(struct cert_info *info)
{
	free(info->subject);
	info->subject = NULL;
}

bool
cert_has_sound_extensions(struct x509_st *cert, const char **why)
{
	bool sound;

	ERR_set_mark();
	sound = extensions_are_sound(X509_get0_extensions(cert), why);
	if (sound && (X509_get_extension_flags(cert) & EXFLAG_INVALID) != 0) {
		*why = "the certificate has an extension that makes no sense";
		sound = false;
	}
	ERR_pop_to_mark();
	return sound;
}

/* The curve must be named: explicit parameters let a certificate choose its
 * own generator (CVE-2020-0601). */
static bool
has_named_curve(const X509 *cert)
{
	X509_ALGOR *algorithm = NULL;
	const void *value = NULL;
	int type = V_ASN1_UNDEF, nid;

	if (X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm,
	        X509_get_X509_PUBKEY(cert)) != 1) {
		return false;
	}
	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	nid = type == V_ASN1_OBJECT ? OBJ_obj2nid(value) : NID_undef;
	return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 ||
	    nid == NID_secp521r1;
}

static bool
is_strong(const X509 *cert, const char **why)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);

	if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
	    !has_named_curve(cert)) {
		*why = "the elliptic curve is not P-256, P-384 or P-521, or "
		       "is not given by its name";
		return false;
	}
	return key_is_strong(key, why);
}

bool
cert_has_strong_key(const struct x509_st *cert, const char **why)
{
	const char *objection = NULL;
	bool strong;

	ERR_set_mark();
	strong = is_strong(cert, &objection);
	ERR_pop_to_mark();
	if (!strong) {
		*why = objection;
	}
	return strong;
}

bool
cert_names_key_of(struct x509_st *cert, struct x509_st *issuer)
{
	const ASN1_OCTET_STRING *named = X509_get0_authority_key_id(cert);
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);

	return named != NULL && id != NULL &&
	    ASN1_OCTET_STRING_cmp(named, id) == 0;
}
