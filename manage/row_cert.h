/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * row_cert: the cell of a row that holds a certificate.
 */
#ifndef MANAGE_ROW_CERT_H
#define MANAGE_ROW_CERT_H

#include "common/diag.h"
#include "identity/identity.h"
#include "identity/pin.h"

/*
 * A certificate as PEM, whose line ends may be written \n, or as DER in base64;
 * or the SHA-256 fingerprint of one, 64 hex digits with or without colons: a
 * slot of who without an end.  Of a fingerprint nothing else is known.
 * RES_SYNTAX: none of these; RES_REFUSED: a certificate that names another
 * device, that has expired, or that no device may use; RES_NOMEM.  Then *out
 * is as it was.
 */
MUST_CHECK enum res row_read_cert(const char *text, const struct identity *who,
    int64_t now, struct pin *out, struct diag *why);

#endif /* MANAGE_ROW_CERT_H */
