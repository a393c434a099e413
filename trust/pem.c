/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/pem.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "trust/cert.h"

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

const char *
cert_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
