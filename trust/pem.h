/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pem: a certificate as the text that files hold.
 */
#ifndef TRUST_PEM_H
#define TRUST_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "common/res.h"

/* One certificate, DER, as one PEM block; the caller frees *out.  RES_SYNTAX,
 * RES_NOMEM. */
MUST_CHECK enum res pem_from_der(
    const uint8_t *der, size_t der_len, char **out);

#endif /* TRUST_PEM_H */
