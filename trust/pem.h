/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pem: the blocks of a file, in and out.  One reader for certificates and
 * CRLs, so that a file is read one way only.
 */
#ifndef TRUST_PEM_H
#define TRUST_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/res.h"

/* One certificate, DER, as one PEM block; the caller frees *out.  RES_SYNTAX,
 * RES_NOMEM. */
MUST_CHECK enum res pem_from_der(
    const uint8_t *der, size_t der_len, char **out);

/*
 * The rest is for the other files of this room.
 */
struct ASN1_ITEM_st;

/* What a file has to hold. */
struct pem_kind {
	const char *block; /* the name in a PEM file, "X509 CRL" */
	const char *noun;  /* for sentences, "CRL" */
	size_t file_max;   /* bytes */
	size_t max;        /* how many of them */
};

/* Is given the DER of one block, which lasts for the call alone. */
typedef enum res pem_take(
    void *to, const uint8_t *der, size_t len, struct diag *why);

/*
 * Hand each block to take, or all the bytes if they are no text.  Text around
 * blocks is skipped.  RES_SYNTAX: there is none, more than one where max is 1,
 * another kind of block, or a damaged one.  RES_LIMIT: more than max, or
 * than file_max bytes.  RES_REFUSED: a private key or a "TRUSTED CERTIFICATE",
 * whose extra settings change verdicts, is in it.  Otherwise as take says.
 */
MUST_CHECK enum res pem_read(const struct pem_kind *kind, const uint8_t *bytes,
    size_t len, pem_take *take, void *to, struct diag *why);

/* One value of this type; NULL if bytes are left, if there is no memory, or if
 * der is not what the value would be encoded as. */
void *pem_decode(
    const struct ASN1_ITEM_st *type, const uint8_t *der, size_t len);

#endif /* TRUST_PEM_H */
