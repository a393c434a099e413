/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/base64.h"

#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of a digit; 64 or more: it is none. */
static uint32_t
bits_of(char digit)
{
	const char *at = digit == '\0' ? NULL : strchr(digits, digit);

	return at == NULL ? 64 : (uint32_t)(at - digits);
}

/* Four digits, of which the last pad stand for nothing, as one number. */
static enum res
read_group(const char *text, size_t pad, uint32_t *out)
{
	uint32_t group = 0, bits;
	size_t i;

	for (i = 0; i < 4; i++) {
		bits = i < 4 - pad ? bits_of(text[i]) : 0;
		if (bits > 63) {
			return RES_SYNTAX;
		}
		group = group << 6 | bits;
	}
	if ((group & (pad == 2 ? 0xffffu : pad == 1 ? 0xffu : 0u)) != 0) {
		return RES_SYNTAX;
	}
	*out = group;
	return RES_OK;
}

enum res
base64_parse(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
	size_t at, pad = 0, i, n = 0;
	uint32_t group = 0;

	if (len % 4 != 0) {
		return RES_SYNTAX;
	}
	for (at = 0; at < len; at += 4) {
		if (at + 4 == len && text[len - 1] == '=') {
			pad = text[len - 2] == '=' ? 2 : 1;
		}
		if (read_group(text + at, pad, &group) != RES_OK) {
			return RES_SYNTAX;
		}
		for (i = 0; i < 3 - pad; i++) {
			out[n++] = (uint8_t)(group >> (16 - 8 * i));
		}
	}
	*out_len = n;
	return RES_OK;
}

void
base64_format(const uint8_t *bytes, size_t len, char *text)
{
	uint32_t group;
	size_t at, i, n;

	for (at = 0; at < len; at += 3) {
		n = len - at < 3 ? len - at : 3;
		group = 0;
		for (i = 0; i < 3; i++) {
			group = group << 8 | (i < n ? bytes[at + i] : 0);
		}
		for (i = 0; i < 4; i++) {
			*text++ =
			    i > n ? '=' : digits[group >> (18 - 6 * i) & 63];
		}
	}
	*text = '\0';
}
