/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * PEM is unwrapped here and the DER inside handed to d2i_X509(), never to
 * OpenSSL's readers of whole files: those obey the trust settings of a
 * "TRUSTED CERTIFICATE", and stop at the first block.
 *
 * Every public function leaves OpenSSL's queue of errors as it found it: the
 * broker reads the same queue for its own connections.
 */
#include "trust/cert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

#define KEY_RSA_MIN 2048
#define KEY_RSA_MAX 8192

#define PEM_BEGIN "-----BEGIN "
#define PEM_KEY   "PRIVATE KEY-----"

struct chain {
	STACK_OF(X509) * certs;
};

/*
 * What is not encoded as DER wants it (ASN.1 lengths and the like) does not
 * come out again as it went in.  Such a certificate would have as many
 * fingerprints as it has spellings.
 */
static X509 *
decode(const uint8_t *der, size_t len)
{
	const unsigned char *at = der;
	unsigned char *again = NULL;
	X509 *cert;
	int n;

	if (len == 0 || len > CERT_FILE_MAX) {
		return NULL;
	}
	cert = d2i_X509(NULL, &at, (long)len);
	n = cert == NULL ? 0 : i2d_X509(cert, &again);
	if (at != der + len || n < 0 || (size_t)n != len ||
	    memcmp(again, der, len) != 0) {
		X509_free(cert);
		cert = NULL;
	}
	OPENSSL_free(again);
	return cert;
}

struct x509_st *
cert_from_der(const uint8_t *der, size_t len)
{
	X509 *cert;

	ERR_set_mark();
	cert = decode(der, len);
	ERR_pop_to_mark();
	return cert;
}

static enum res
take(const uint8_t *der, size_t len, STACK_OF(X509) * certs, int max,
    struct diag *why)
{
	X509 *cert;

	if (sk_X509_num(certs) >= max && max == 1) {
		return diag_res(why, RES_SYNTAX,
		    "the file holds more than one certificate; give a file "
		    "with one alone");
	}
	if (sk_X509_num(certs) >= max) {
		return diag_res(why, RES_LIMIT,
		    "the file holds more than %d certificates", max);
	}
	if ((cert = decode(der, len)) == NULL) {
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
take_block(
    const char *name, const char *header, const uint8_t *der, struct diag *why)
{
	if (strcmp(name, PEM_STRING_X509_TRUSTED) == 0) {
		return diag_res(why, RES_REFUSED,
		    "the file holds a TRUSTED CERTIFICATE, whose settings "
		    "would be lost; write it anew with \"openssl x509\"");
	}
	if (strcmp(name, PEM_STRING_X509) != 0 || header[0] != '\0' ||
	    der == NULL) {
		return diag_res(why, RES_SYNTAX,
		    "the file holds a PEM block \"%.40s\"; give certificates "
		    "only",
		    name);
	}
	return RES_OK;
}

static size_t
count(const uint8_t *bytes, size_t len, const char *word)
{
	const uint8_t *at = bytes, *end = bytes + len;
	size_t n = 0;

	while (
	    (at = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL) {
		at += strlen(word);
		n++;
	}
	return n;
}

static bool
ended_well(void)
{
	unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
	    ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static enum res
read_blocks(const uint8_t *bytes, size_t len, STACK_OF(X509) * certs, int max,
    struct diag *why)
{
	size_t blocks = count(bytes, len, PEM_BEGIN);
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_len = 0;
	enum res r = RES_OK;

	if (bio == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	while (r == RES_OK &&
	    PEM_read_bio(bio, &name, &header, &der, &der_len) == 1) {
		r = take_block(name, header, der, why);
		if (r == RES_OK) {
			r = take(der, (size_t)der_len, certs, max, why);
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	/* A BEGIN that the reader passed over (indented, say) hides something
	 * from us that another program might read. */
	if (r == RES_OK &&
	    (!ended_well() || (size_t)sk_X509_num(certs) != blocks)) {
		r = diag_res(why, RES_SYNTAX,
		    "the file holds a damaged PEM block; copy it anew");
	}
	BIO_free(bio);
	return r;
}

/* A certificate is longer than 127 bytes, so its length takes more than one
 * byte, and the second byte of DER can be no character of a PEM file. */
static bool
is_der(const uint8_t *bytes, size_t len)
{
	return len >= 2 && bytes[0] == 0x30 && (bytes[1] & 0x80) != 0;
}

static enum res
read_certs(const uint8_t *bytes, size_t len, int max, STACK_OF(X509) * *out,
    struct diag *why)
{
	STACK_OF(X509) *certs = NULL;
	enum res r = RES_OK;

	if (len > CERT_FILE_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the file is larger than %d bytes; give certificates only",
		    CERT_FILE_MAX);
	}
	if (len == 0) {
		return diag_res(why, RES_SYNTAX,
		    "the file is empty; give a certificate in PEM or DER");
	}
	if (!is_der(bytes, len) && count(bytes, len, PEM_KEY) > 0) {
		return diag_res(why, RES_REFUSED,
		    "the file holds a private key; give the certificate "
		    "alone, and keep the key where it belongs");
	}
	if ((certs = sk_X509_new_null()) == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	r = is_der(bytes, len) ? take(bytes, len, certs, max, why)
	                       : read_blocks(bytes, len, certs, max, why);
	if (r == RES_OK && sk_X509_num(certs) == 0) {
		r = diag_res(why, RES_SYNTAX,
		    "the file holds no certificate in PEM or DER");
	}
	if (r == RES_OK) {
		*out = certs;
		certs = NULL;
	}
	sk_X509_pop_free(certs, X509_free);
	return r;
}

enum res
cert_parse(
    const uint8_t *bytes, size_t len, struct x509_st **out, struct diag *why)
{
	STACK_OF(X509) *certs = NULL;
	enum res r;

	ERR_set_mark();
	r = read_certs(bytes, len, 1, &certs, why);
	if (r == RES_OK) {
		*out = sk_X509_pop(certs);
	}
	sk_X509_free(certs);
	ERR_pop_to_mark();
	return r;
}

enum res
chain_parse(
    const uint8_t *bytes, size_t len, struct chain **out, struct diag *why)
{
	struct chain *chain = calloc(1, sizeof(*chain));
	enum res r;

	if (chain == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	ERR_set_mark();
	r = read_certs(bytes, len, CERT_CHAIN_MAX, &chain->certs, why);
	ERR_pop_to_mark();
	if (r == RES_OK) {
		*out = chain;
		chain = NULL;
	}
	chain_free(chain);
	return r;
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

static int64_t
read_time(const ASN1_TIME *time)
{
	struct tm tm;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) {
		return CLOCK_NONE;
	}
	return (int64_t)timegm(&tm);
}

int64_t
cert_not_after(const struct x509_st *cert)
{
	int64_t when;

	ERR_set_mark();
	when = read_time(X509_get0_notAfter(cert));
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

enum res
cert_info_read(
    const struct x509_st *cert, struct cert_info *out, struct diag *why)
{
	struct cert_info info = {0};
	unsigned int len = 0;
	enum res r = RES_OK;

	ERR_set_mark();
	if (X509_digest(cert, EVP_sha256(), info.fingerprint, &len) != 1 ||
	    len != HASH_LEN) {
		r = diag_res(
		    why, RES_SYNTAX, "the certificate cannot be encoded");
		goto out;
	}
	info.not_before = read_time(X509_get0_notBefore(cert));
	info.not_after = read_time(X509_get0_notAfter(cert));
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

/* X509V3_EXT_d2i() would not tell of bytes that follow the value. */
static bool
decodes(X509_EXTENSION *extension)
{
	const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	const unsigned char *at = ASN1_STRING_get0_data(value);
	const unsigned char *end = at + ASN1_STRING_length(value);
	void *item;

	if (method == NULL || (method->it == NULL && method->d2i == NULL)) {
		return true; /* critical ones are refused with the chain */
	}
	if (method->it != NULL) {
		item = ASN1_item_d2i(
		    NULL, &at, end - at, ASN1_ITEM_ptr(method->it));
		ASN1_item_free(item, ASN1_ITEM_ptr(method->it));
	} else {
		item = method->d2i(NULL, &at, end - at);
		method->ext_free(item);
	}
	return item != NULL && at == end;
}

static bool
find_unsound(X509 *cert, const char **why)
{
	int i, n = X509_get_ext_count(cert);
	X509_EXTENSION *extension;

	if (n > CERT_EXTENSIONS_MAX) {
		*why = "the certificate has too many extensions";
		return true;
	}
	for (i = 0; i < n; i++) {
		extension = X509_get_ext(cert, i);
		if (X509_get_ext_by_OBJ(
		        cert, X509_EXTENSION_get_object(extension), i) >= 0) {
			*why = "the certificate has an extension twice";
			return true;
		}
		if (!decodes(extension)) {
			*why = "the certificate has an extension that cannot "
			       "be decoded";
			return true;
		}
	}
	if ((X509_get_extension_flags(cert) & EXFLAG_INVALID) != 0) {
		*why = "the certificate has an extension that makes no sense";
		return true;
	}
	return false;
}

bool
cert_has_sound_extensions(struct x509_st *cert, const char **why)
{
	bool unsound;

	ERR_set_mark();
	unsound = find_unsound(cert, why);
	ERR_pop_to_mark();
	return !unsound;
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
	int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);

	switch (key == NULL ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		*why = "the RSA key does not have 2048 to 8192 bits, in whole "
		       "bytes";
		return bits >= KEY_RSA_MIN && bits <= KEY_RSA_MAX &&
		    bits % 8 == 0;
	case EVP_PKEY_EC:
		*why = "the elliptic curve is not P-256, P-384 or P-521, or "
		       "is not given by its name";
		return has_named_curve(cert);
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return true;
	default:
		*why = "the key is not RSA, P-256, P-384, P-521, Ed25519 or "
		       "Ed448, or cannot be decoded";
		return false;
	}
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

/* The bits first: that comparison cannot fail for want of memory, and so miss
 * a CA.  The keys, for an elliptic curve's point may be written two ways. */
static bool
have_same_key(const X509 *a, const X509 *b)
{
	const ASN1_BIT_STRING *of_a = X509_get0_pubkey_bitstr(a);
	const ASN1_BIT_STRING *of_b = X509_get0_pubkey_bitstr(b);
	const EVP_PKEY *key = X509_get0_pubkey(a);

	return ASN1_STRING_cmp(of_a, of_b) == 0 ||
	    (key != NULL && EVP_PKEY_eq(key, X509_get0_pubkey(b)) == 1);
}

bool
cert_is_same_ca(const struct x509_st *a, const struct x509_st *b)
{
	bool same;

	ERR_set_mark();
	same = X509_NAME_cmp(
	           X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
	    have_same_key(a, b);
	ERR_pop_to_mark();
	return same;
}
