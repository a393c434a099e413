/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * extension: what holds for extensions wherever they stand: in certificates,
 * CRLs and their entries (RFC 5280 4.2, 5.2, 5.3).  For this room only.
 */
#ifndef TRUST_EXTENSION_H
#define TRUST_EXTENSION_H

#include <openssl/types.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "trust/cert.h"

/*
 * Whether there are at most CERT_EXTENSIONS_MAX, none stands twice, and each
 * that OpenSSL knows decodes to its last byte.  NULL is an empty list.  False:
 * *why is a constant sentence.  Errors stay in OpenSSL's queue.
 */
bool extensions_are_sound(
    const STACK_OF(X509_EXTENSION) * list, const char **why);

/* Whether one is critical whose NID is none of the n. */
bool extensions_have_critical_but(
    const STACK_OF(X509_EXTENSION) * list, const int *nids, size_t n);

#endif /* TRUST_EXTENSION_H */
