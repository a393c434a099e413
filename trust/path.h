/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * path: what is kept of a chain that verified.  For this room only; see
 * struct trust_path in trust.h.
 */
#ifndef TRUST_PATH_H
#define TRUST_PATH_H

#include <openssl/x509.h>

#include "trust/ca_key.h"
#include "trust/trust.h"

#define PATH_LINKS_MAX (TRUST_DEPTH + 1)

/* One certificate of a chain. */
struct link {
	uint8_t serial[CRL_SERIAL_MAX]; /* unsigned, as CRLs name it */
	size_t serial_len;
	struct ca_key key; /* its own; nobody's for the leaf */
	int64_t not_before, not_after;
};

/* The leaf is the first link; the issuer of each is the next one, and that of
 * the last the CA that anchors.  Without links nothing but the CA is known. */
struct path {
	uint8_t ca[HASH_LEN]; /* its fingerprint */
	struct link links[PATH_LINKS_MAX];
	size_t count;
};

/*
 * The links of a chain whose last certificate should be anchor.  False: it is
 * no such chain, and *why, a constant sentence, says so; the links that could
 * be read are in *out all the same, to find out what else is wrong.  *why is
 * NULL if there was no memory.
 */
bool path_read(const STACK_OF(X509) * chain, const X509 *anchor,
    const uint8_t ca[HASH_LEN], struct path *out, const char **why);

/* A certificate's serial number, big-endian, without leading zeros.  False: it
 * is not positive, or longer than a CRL may name. */
bool path_serial(const X509 *cert, uint8_t octets[CRL_SERIAL_MAX], size_t *len);

/* NULL: no memory. */
struct trust_path *trust_path_new(const struct path *path);

const struct path *trust_path_get(const struct trust_path *path);

#endif /* TRUST_PATH_H */
