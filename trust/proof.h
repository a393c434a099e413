/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * proof: proof of possession.  Whoever registers a CA shows that its private
 * key is at hand: the CA signs a certificate whose common name is a code that
 * was made for it.
 *
 * Does not check: whether the code has expired.  Any thread may call this.
 */
#ifndef TRUST_PROOF_H
#define TRUST_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/res.h"

#define PROOF_CODE_LEN  64 /* lower-case hex digits, 256 bits */
#define PROOF_CODE_LIFE ((int64_t)7 * 86400) /* seconds */

/* A new code from the system's random numbers.  RES_UNAVAIL: there are none. */
MUST_CHECK enum res proof_code_new(
    char code[PROOF_CODE_LEN + 1], struct diag *why);

/*
 * Whether bytes hold exactly one certificate, PEM or DER, that proves it: its
 * subject has one common name, PrintableString or UTF8String, that is code to
 * the byte and nothing more; it is not a CA; its dates and those of the CA
 * hold at now; the CA's subject is its issuer and the CA's key signed it, with
 * no older digest than certificates may have.  Whatever leaf_check() objects
 * to proves nothing either.
 *
 * RES_SYNTAX: not one certificate.  RES_REFUSED: it proves nothing, or a
 * private key is in the file, or code is none; why says in one sentence what
 * is wrong, and what to do.  RES_LIMIT: larger than CERT_FILE_MAX.
 * RES_CORRUPT: ca_der is not one certificate.  RES_NOMEM.
 */
MUST_CHECK enum res proof_check(const uint8_t *bytes, size_t len,
    const uint8_t *ca_der, size_t ca_der_len, const char *code, int64_t now,
    struct diag *why);

#endif /* TRUST_PROOF_H */
