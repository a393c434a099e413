/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_key: what makes a CA the CA that it is: its name and its key, however
 * they are written.  A CA may have several certificates (renewed, or
 * cross-signed); they have one ca_key.  For this room only.
 */
#ifndef TRUST_CA_KEY_H
#define TRUST_CA_KEY_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/res.h"
#include "common/text.h"

/* A plain value.  All zero bytes is nobody's. */
struct ca_key {
	uint8_t key[HASH_LEN]; /* SHA-256 of the public key as a number */
	unsigned long name;    /* X509_NAME_hash_ex() of the subject */
};

/*
 * Of a CA's certificate.  RES_SYNTAX: the public key cannot be decoded, or is
 * neither RSA nor on a curve.  RES_NOMEM: no memory, or a curve without a
 * name.  Errors stay in OpenSSL's queue.
 */
MUST_CHECK enum res ca_key_read(const X509 *cert, struct ca_key *out);

bool ca_key_equal(const struct ca_key *a, const struct ca_key *b);

#endif /* TRUST_CA_KEY_H */
