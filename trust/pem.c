/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * PEM is unwrapped here and the DER inside handed to a decoder of DER, never
 * to OpenSSL's readers of whole files: those obey the trust settings of a
 * "TRUSTED CERTIFICATE", and stop at the first block.
 */
#include "trust/pem.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "trust/cert.h"

#define PEM_BEGIN "-----BEGIN "
#define PEM_KEY   "PRIVATE KEY-----"

enum res
pem_from_der(const uint8_t *der, size_t der_len, char **out)
{
	const unsigned char *at = der;
	BIO *bio = NULL;
	X509 *cert = NULL;
	char *text;
	long len;
	enum res r = RES_SYNTAX;

	if (der_len > LONG_MAX ||
	    (cert = d2i_X509(NULL, &at, (long)der_len)) == NULL) {
		goto out;
	}
	r = RES_NOMEM;
	if ((bio = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_X509(bio, cert) != 1 ||
	    (len = BIO_get_mem_data(bio, &text)) <= 0) {
		goto out;
	}
	if ((*out = strndup(text, (size_t)len)) != NULL) {
		r = RES_OK;
	}
out:
	BIO_free(bio);
	X509_free(cert);
	return r;
}

/*
 * What is not encoded as DER wants it (ASN.1 lengths and the like) does not
 * come out again as it went in.  It would have as many fingerprints as it has
 * spellings.
 */
void *
pem_decode(const struct ASN1_ITEM_st *type, const uint8_t *der, size_t len)
{
	const unsigned char *at = der;
	unsigned char *again = NULL;
	ASN1_VALUE *value;
	int n;

	if (len == 0 || len > INT_MAX) {
		return NULL;
	}
	ERR_set_mark();
	value = ASN1_item_d2i(NULL, &at, (long)len, type);
	n = value == NULL ? 0 : ASN1_item_i2d(value, &again, type);
	if (at != der + len || n < 0 || (size_t)n != len ||
	    memcmp(again, der, len) != 0) {
		ASN1_item_free(value, type);
		value = NULL;
	}
	OPENSSL_free(again);
	ERR_pop_to_mark();
	return value;
}

static enum res
check_block(const struct pem_kind *kind, const char *name, const char *header,
    const uint8_t *der, struct diag *why)
{
	if (strcmp(name, PEM_STRING_X509_TRUSTED) == 0) {
		return diag_res(why, RES_REFUSED,
		    "the file holds a TRUSTED CERTIFICATE, whose settings "
		    "would be lost; write it anew with \"openssl x509\"");
	}
	if (strcmp(name, kind->block) != 0 || header[0] != '\0' ||
	    der == NULL) {
		return diag_res(why, RES_SYNTAX,
		    "the file holds a PEM block \"%.40s\"; give %ss only", name,
		    kind->noun);
	}
	return RES_OK;
}

static enum res
check_count(const struct pem_kind *kind, size_t n, struct diag *why)
{
	if (n > kind->max && kind->max == 1) {
		return diag_res(why, RES_SYNTAX,
		    "the file holds more than one %s; give a file with one "
		    "alone",
		    kind->noun);
	}
	if (n > kind->max) {
		return diag_res(why, RES_LIMIT,
		    "the file holds more than %zu %ss", kind->max, kind->noun);
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

/* Every block that the reader finds; *n is how many. */
static enum res
walk(const struct pem_kind *kind, BIO *bio, pem_take *take, void *to, size_t *n,
    struct diag *why)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;
	enum res r = RES_OK;

	while (
	    r == RES_OK && PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
		r = check_block(kind, name, header, der, why);
		if (r == RES_OK) {
			r = check_count(kind, ++*n, why);
		}
		if (r == RES_OK) {
			r = take(to, der, (size_t)len, why);
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	return r;
}

static enum res
read_blocks(const struct pem_kind *kind, const uint8_t *bytes, size_t len,
    pem_take *take, void *to, struct diag *why)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	size_t n = 0;
	enum res r;

	if (bio == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	r = walk(kind, bio, take, to, &n, why);
	/* A BEGIN that the reader passed over (indented, say) hides something
	 * from us that another program might read. */
	if (r == RES_OK &&
	    (!ended_well() || n != count(bytes, len, PEM_BEGIN))) {
		r = diag_res(why, RES_SYNTAX,
		    "the file holds a damaged PEM block; copy it anew");
	}
	if (r == RES_OK && n == 0) {
		r = diag_res(why, RES_SYNTAX,
		    "the file holds no %s in PEM or DER", kind->noun);
	}
	BIO_free(bio);
	return r;
}

/* A certificate or CRL is longer than 127 bytes, so its length takes more than
 * one byte, and the second byte of DER can be no character of a PEM file. */
static bool
is_der(const uint8_t *bytes, size_t len)
{
	return len >= 2 && bytes[0] == 0x30 && (bytes[1] & 0x80) != 0;
}

enum res
pem_read(const struct pem_kind *kind, const uint8_t *bytes, size_t len,
    pem_take *take, void *to, struct diag *why)
{
	enum res r;

	if (len > kind->file_max) {
		return diag_res(why, RES_LIMIT,
		    "the file is larger than %zu bytes; give %ss only",
		    kind->file_max, kind->noun);
	}
	if (len == 0) {
		return diag_res(why, RES_SYNTAX,
		    "the file is empty; give a %s in PEM or DER", kind->noun);
	}
	if (is_der(bytes, len)) {
		return take(to, bytes, len, why);
	}
	if (count(bytes, len, PEM_KEY) > 0) {
		return diag_res(why, RES_REFUSED,
		    "the file holds a private key; give the %s alone, and "
		    "keep the key where it belongs",
		    kind->noun);
	}
	ERR_set_mark();
	r = read_blocks(kind, bytes, len, take, to, why);
	ERR_pop_to_mark();
	return r;
}

const char *
cert_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
