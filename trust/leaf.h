/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * leaf: the certificate that a client presented, with what is asked of it
 * whoever signed it: sizes, serial number, not a CA, well-formed names.
 */
#ifndef TRUST_LEAF_H
#define TRUST_LEAF_H

#include "common/reason.h"
#include "identity/identity.h"
#include "trust/cert.h"

#define LEAF_DER_MAX        (16 * 1024)
#define LEAF_SANS_MAX       32
#define LEAF_EXTENSIONS_MAX CERT_EXTENSIONS_MAX
#define LEAF_SERIAL_MAX     20 /* octets, RFC 5280 4.1.2.2 */

struct leaf; /* immutable once made; one owner; reading from any thread */

/* Take over one reference to cert (as mosquitto_client_certificate() gives
 * it), also on failure.  NULL: no memory, or not encodable. */
struct leaf *leaf_adopt(struct x509_st *cert);

/* From a file's bytes, PEM or DER. */
MUST_CHECK enum res leaf_parse(
    const uint8_t *bytes, size_t len, struct leaf **out, struct diag *why);

void leaf_free(struct leaf *leaf);

const struct cert_info *leaf_info(const struct leaf *leaf);

/* Bytes of the DER. */
size_t leaf_size(const struct leaf *leaf);

/*
 * REASON_NONE, or the first of REASON_CERT_TOO_LARGE, _MALFORMED, _IS_CA and
 * _WEAK that applies, with *why a constant sentence.  Sizes are looked at
 * before anything is decoded.
 */
enum reason leaf_check(const struct leaf *leaf, const char **why);

/* identity_from_certificate() of this leaf. */
enum reason leaf_identity(
    const struct leaf *leaf, struct identity *out, const char **why);

/* For the other files of this room: the leaf keeps it. */
struct x509_st *leaf_cert(const struct leaf *leaf);

/* Whether a dNSName holds a wildcard, of which name constraints compare the
 * letters alone; true also if that cannot be told. */
bool leaf_has_wildcard(const struct leaf *leaf);

/* Whether a URI is not just scheme, host, port and path, so that verifiers
 * read different hosts in it; true also if that cannot be told. */
bool leaf_has_odd_uri(const struct leaf *leaf);

#endif /* TRUST_LEAF_H */
