/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * base64: RFC 4648, section 4, to the letter: padded, without line ends, the
 * bits behind the last byte zero.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "common/res.h"

/* Bytes that text of len digits holds at most, and digits of len bytes. */
#define BASE64_BYTES(len)  ((len) / 4 * 3)
#define BASE64_DIGITS(len) (((len) + 2) / 3 * 4)

/* out has room for BASE64_BYTES(len).  RES_SYNTAX: *out_len is as it was, and
 * out may not be. */
MUST_CHECK enum res base64_parse(
    const char *text, size_t len, uint8_t *out, size_t *out_len);

/* text has room for BASE64_DIGITS(len) and a NUL. */
void base64_format(const uint8_t *bytes, size_t len, char *text);

#endif /* COMMON_BASE64_H */
