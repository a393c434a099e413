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
#define CERT_CHAIN_MAX  64            /* certificates in a chain file */
#define CERT_SERIAL_MAX 42            /* "0x" and 20 octets in hex */

#define CERT_EXTENSIONS_MAX 64

/* What is told about a certificate; every pointer belongs to the struct. */
struct cert_info {
	uint8_t fingerprint[HASH_LEN];    /* SHA-256 of the DER */
	uint8_t key[HASH_LEN];            /* SHA-256 of its public key, as a
	                                     SubjectPublicKeyInfo */
	int64_t not_before, not_after;    /* CLOCK_NONE: not readable */
	char serial[CERT_SERIAL_MAX + 1]; /* "0x1a"; "?" if too long */
	char *subject; /* RFC 2253, every byte printable ASCII */
};

/*
 * Read exactly one certificate, PEM or DER, from len bytes.  RES_SYNTAX: none,
 * more than one, or trailing bytes.  RES_REFUSED: a private key or a "TRUSTED
 * CERTIFICATE" is in it.  RES_LIMIT: larger than CERT_FILE_MAX.  Text around
 * a PEM block is skipped.  The caller frees *out with X509_free().
 */
MUST_CHECK enum res cert_parse(
    const uint8_t *bytes, size_t len, struct x509_st **out, struct diag *why);

/* Fill *out; cert_info_done() frees it.  RES_NOMEM, or RES_SYNTAX if the
 * certificate cannot be encoded. */
MUST_CHECK enum res cert_info_read(
    const struct x509_st *cert, struct cert_info *out, struct diag *why);
void cert_info_done(struct cert_info *info);

/* The untrusted certificates that a client sent, or an operator's file. */
struct chain; /* immutable; NULL is an empty one */

/* RES_LIMIT also for more than CERT_CHAIN_MAX; otherwise as cert_parse(). */
MUST_CHECK enum res chain_parse(
    const uint8_t *bytes, size_t len, struct chain **out, struct diag *why);
void chain_free(struct chain *chain);

struct stack_st_X509;

/* The certificates that a peer sent but for the first, its own: references to
 * them, in the order of sending.  sent may be NULL.  RES_LIMIT for more than
 * CERT_CHAIN_MAX; RES_SYNTAX for one that cannot be encoded; RES_NOMEM.  *out
 * is NULL where there are none. */
MUST_CHECK enum res chain_adopt(
    const struct stack_st_X509 *sent, struct chain **out);

/* SHA-256 over the certificates in their order; zeros for an empty one. */
void chain_digest(const struct chain *chain, uint8_t digest[HASH_LEN]);

/*
 * The rest is for the other files of this room.
 */

/* The certificates of a chain; it keeps them.  NULL for an empty one. */
struct stack_st_X509 *chain_certs(const struct chain *chain);

/* Exactly one certificate in DER, or NULL. */
struct x509_st *cert_from_der(const uint8_t *der, size_t len);

struct asn1_string_st; /* an ASN1_TIME, or NULL */
int64_t cert_time(const struct asn1_string_st *time); /* or CLOCK_NONE */

/* Whether no extension stands twice, and each that OpenSSL knows decodes to
 * its last byte.  False: *why is a constant sentence. */
bool cert_has_sound_extensions(struct x509_st *cert, const char **why);

/* RSA of 2048 to 8192 bits in whole bytes; P-256, P-384 or P-521, by name;
 * Ed25519, Ed448.  False: *why is a constant sentence. */
bool cert_has_strong_key(const struct x509_st *cert, const char **why);

/* The OpenSSL that is loaded, "OpenSSL 3.0.19 27 Jan 2026". */
const char *cert_library(void);

/* Whether the authority key identifier of cert is the subject key identifier
 * of issuer; both must be there. */
bool cert_names_key_of(struct x509_st *cert, struct x509_st *issuer);

#endif /* TRUST_CERT_H */
