/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * secret: tokens of devices, and signatures with a shared secret.
 *
 * A token is 256 random bits as 64 lower-case hex digits.  What is stored is
 * SHA-256(salt || the 64 digits), which a random value of this length needs no
 * stretching of.  Any thread.
 */
#ifndef IDENTITY_SECRET_H
#define IDENTITY_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/res.h"
#include "common/text.h"

#define TOKEN_TEXT_MAX HASH_TEXT_MAX
#define SALT_LEN       16

/* A token as the registry keeps it.  All zero bytes is none. */
struct token_hash {
	bool is_set;
	uint8_t salt[SALT_LEN];
	uint8_t hash[HASH_LEN];
	int64_t created_at;
	int64_t expires_at; /* exclusive; CLOCK_FOREVER: no end */
};

/* A new token, to be shown once, and what to keep of it; the times are the
 * caller's to set.  RES_UNAVAIL: no randomness; then text is empty. */
MUST_CHECK enum res token_make(
    char text[TOKEN_TEXT_MAX + 1], struct token_hash *out);

/* Whether text is the token that was kept, compared in constant time and at
 * the same cost where kept is not set.  Does not look at the times. */
bool token_matches(const struct token_hash *kept, const char *text);

/* Text for the registry, "" for none; and back: RES_SYNTAX, *out not set. */
#define TOKEN_HASH_TEXT_MAX (2 * SALT_LEN + HASH_TEXT_MAX + 2 * 20 + 3)
void token_hash_format(
    const struct token_hash *kept, char text[TOKEN_HASH_TEXT_MAX + 1]);
MUST_CHECK enum res token_hash_parse(const char *text, struct token_hash *out);

bool token_hash_equal(const struct token_hash *a, const struct token_hash *b);

/* n random bytes as 2 * n hex digits and a NUL.  RES_UNAVAIL. */
MUST_CHECK enum res secret_random_hex(char *hex, size_t n);

/* HMAC-SHA-256 (RFC 2104) as lower-case hex.  False: OpenSSL failed. */
MUST_CHECK bool secret_sign(const void *key, size_t key_len, const void *bytes,
    size_t len, char hex[HASH_TEXT_MAX + 1]);

#endif /* IDENTITY_SECRET_H */
