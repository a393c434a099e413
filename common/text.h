/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * text: bytes with a length, until they have proved to be text.
 *
 * Nothing here cuts: what does not fit is refused.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/res.h"

#define HASH_LEN      32             /* bytes of a SHA-256 */
#define HASH_TEXT_MAX (2 * HASH_LEN) /* the same in hex, NUL not counted */

/* Copy len bytes and a NUL into to[size]; false, and to untouched, if they do
 * not fit or hold a NUL. */
MUST_CHECK bool text_copy(char *to, size_t size, const char *from, size_t len);

/* Copy a text that is known to fit to[size]: a constant, or a field that has
 * been checked.  One that does not fit after all becomes "", which every
 * grammar here refuses. */
void text_set(char *to, size_t size, const char *from);

/* Lower-case hex of len bytes and a NUL; hex has room for 2 * len + 1. */
void text_hex(char *hex, const uint8_t *bytes, size_t len);

/* Read exactly 2 * len hex digits, either case, then a NUL. */
MUST_CHECK bool text_unhex(const char *hex, uint8_t *bytes, size_t len);

bool text_is_hex(const char *text, size_t len);

/*
 * Write from[len] between double quotes: backslash and quote escaped, bytes
 * outside printable ASCII as \xNN.  At most size - 1 bytes and a NUL are
 * written; what does not fit ends in an ellipsis of three dots before the
 * closing quote.  size must be at least 6.  For logs, never for comparing.
 */
void text_quote(char *to, size_t size, const char *from, size_t len);

/* Case-insensitive equality, ASCII only, whatever the locale. */
bool text_equal_nocase(const char *a, const char *b);

/* Whether text is well-formed UTF-8 without control characters. */
bool text_is_printable_utf8(const char *text, size_t len);

/* A decimal number in low..high; RES_SYNTAX or RES_LIMIT otherwise. */
MUST_CHECK enum res text_number(
    const char *text, int64_t low, int64_t high, int64_t *out);

/*
 * A name that an operator gives (org, CA): 1-64 bytes of [A-Za-z0-9._-], the
 * first one a letter or digit.
 */
#define NAME_MAX_LEN 64
bool text_is_name(const char *text);

#endif /* COMMON_TEXT_H */
