/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * signature: which signature algorithms count, in certificates and CRLs alike.
 * For this room only.
 */
#ifndef TRUST_SIGNATURE_H
#define TRUST_SIGNATURE_H

#include <openssl/types.h>
#include <stdbool.h>

/*
 * Whether the digest has at least 112 bits of strength, OpenSSL's security
 * level 2: SHA-2, SHA-3, or what Ed25519 and Ed448 bring along.  Not MD5, not
 * SHA-1, nothing unknown.  Errors stay in OpenSSL's queue.
 */
bool signature_is_strong(const X509_ALGOR *algorithm);

#endif /* TRUST_SIGNATURE_H */
