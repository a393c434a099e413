/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * key: which public keys count, in devices' certificates, in registered CAs
 * and in those between.  For this room only.
 */
#ifndef TRUST_KEY_H
#define TRUST_KEY_H

#include <openssl/types.h>
#include <stdbool.h>

/*
 * RSA of 2048 to 8192 bits in whole bytes, with an odd exponent of 3 or more
 * and at most 64 bits; a point of P-256, P-384 or P-521 that is on its curve;
 * Ed25519 and Ed448, but not the few points for which anybody can sign.  The
 * curve must be given by its name: see cert_has_strong_key().  False: *why is
 * a constant sentence.  Errors stay in OpenSSL's queue.
 */
bool key_is_strong(const EVP_PKEY *key, const char **why);

#endif /* TRUST_KEY_H */
