/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * cert: certificates as bytes, in and out.  One reader for every room, so
 * that a PEM file is read one way only.
 *
 * "TRUSTED CERTIFICATE" blocks, whose extra settings change verdicts, and
 * files that hold a private key are refused.
 */
#ifndef TRUST_CERT_H
#define TRUST_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/res.h"
#include "common/text.h"

struct x509_st;

#define CERT_FILE_MAX   (1024 * 1024) /* bytes of a file of certificates */
#define CERT_CHAIN_MAX  32            /* certificates in a chain file */
#define CERT_SERIAL_MAX 42            /* "0x" and 20 octets in hex */

/* What is told about a certificate; every pointer belongs to the struct. */
struct cert_info {
	uint8_t fingerprint[HASH_LEN]; /* SHA-256 of the DER */
	int64_t not_before, not_after;
	char serial[CERT_SERIAL_MAX + 1]; /* "0x1a"; "?" if too long */
	char *subject; /* RFC 2253, every byte printable ASCII */
};

/*
 * Read exactly one certificate, PEM or DER, from len bytes.  RES_SYNTAX: none,
 * more than one, or trailing bytes.  RES_LIMIT: larger than CERT_FILE_MAX.
 * The caller frees *out with X509_free().
 */
MUST_CHECK enum res cert_parse(
    const uint8_t *bytes, size_t len, struct x509_st **out, struct diag *why);

/* Fill *out; cert_info_done() frees it.  RES_NOMEM or RES_SYNTAX. */
MUST_CHECK enum res cert_info_read(
    const struct x509_st *cert, struct cert_info *out, struct diag *why);
void cert_info_done(struct cert_info *info);

/* The untrusted certificates that a client sent, or an operator's file. */
struct chain; /* immutable; NULL is an empty one */

MUST_CHECK enum res chain_parse(
    const uint8_t *bytes, size_t len, struct chain **out, struct diag *why);
void chain_free(struct chain *chain);

#endif /* TRUST_CERT_H */
