/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/path.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

struct trust_path {
	atomic_uint refs;
	struct path path;
};

struct trust_path *
trust_path_new(const struct path *path)
{
	struct trust_path *made = calloc(1, sizeof(*made));

	if (made != NULL) {
		atomic_init(&made->refs, 1);
		made->path = *path;
	}
	return made;
}

struct trust_path *
trust_path_of_ca(const uint8_t ca[HASH_LEN])
{
	struct path path = {.count = 0};

	memcpy(path.ca, ca, HASH_LEN);
	return trust_path_new(&path);
}

struct trust_path *
trust_path_ref(struct trust_path *path)
{
	atomic_fetch_add(&path->refs, 1);
	return path;
}

void
trust_path_unref(struct trust_path *path)
{
	if (path != NULL && atomic_fetch_sub(&path->refs, 1) == 1) {
		free(path);
	}
}

const uint8_t *
trust_path_ca(const struct trust_path *path)
{
	return path->path.ca;
}

const struct path *
trust_path_get(const struct trust_path *path)
{
	return &path->path;
}

bool
path_serial(const X509 *cert, uint8_t octets[CRL_SERIAL_MAX], size_t *len)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const unsigned char *at = ASN1_STRING_get0_data(serial);
	const unsigned char *end = at + ASN1_STRING_length(serial);

	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER) {
		return false; /* a negative one would pass for its opposite */
	}
	while (at < end && at[0] == 0) {
		at++;
	}
	if (at == end || end - at > CRL_SERIAL_MAX) {
		return false;
	}
	*len = (size_t)(end - at);
	memcpy(octets, at, *len);
	return true;
}

static bool
read_key(const X509 *cert, struct ca_key *out, const char **why)
{
	enum res r = ca_key_read(cert, out);

	*why = r == RES_SYNTAX
	    ? "the key of a CA above the certificate cannot be decoded, or is "
	      "of a kind that is not accepted"
	    : NULL;
	return r == RES_OK;
}

static bool
read_link(const X509 *cert, bool is_ca, struct link *out, const char **why)
{
	*out = (struct link){.not_before = cert_time(X509_get0_notBefore(cert)),
	    .not_after = cert_time(X509_get0_notAfter(cert))};
	if (is_ca && !read_key(cert, &out->key, why)) {
		return false;
	}
	if (!path_serial(cert, out->serial, &out->serial_len)) {
		*why = "a serial number in the chain is not positive, or has "
		       "more than 20 octets, so that no CRL could name it";
		return false;
	}
	if (out->not_before == CLOCK_NONE || out->not_after == CLOCK_NONE) {
		*why = "the dates of a certificate in the chain cannot be read";
		return false;
	}
	return true;
}

bool
path_read(const STACK_OF(X509) * chain, const X509 *anchor,
    const uint8_t ca[HASH_LEN], struct path *out, const char **why)
{
	int i, n = sk_X509_num(chain) - 1;
	bool ok = true;

	*out = (struct path){.count = 0};
	memcpy(out->ca, ca, HASH_LEN);
	for (i = 0; i < n && i < PATH_LINKS_MAX; i++) {
		ok &= read_link(
		    sk_X509_value(chain, i), i > 0, &out->links[i], why);
		out->count++;
	}
	if (n < 1 || n > PATH_LINKS_MAX ||
	    X509_cmp(sk_X509_value(chain, n), anchor) != 0) {
		*why = "the chain does not end at the CA, or is too long";
		return false;
	}
	return ok;
}
