/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
text_copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size || memchr(from, '\0', len) != NULL) {
		return false;
	}
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

void
text_set(char *to, size_t size, const char *from)
{
	if (!text_copy(to, size, from, strlen(from))) {
		to[0] = '\0';
	}
}

void
text_hex(char *hex, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * len] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

bool
text_is_hex(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (hex_value(text[i]) < 0) {
			return false;
		}
	}
	return true;
}

bool
text_unhex(const char *hex, uint8_t *bytes, size_t len)
{
	size_t i;

	if (strlen(hex) != 2 * len || !text_is_hex(hex, 2 * len)) {
		return false;
	}
	for (i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(hex_value(hex[2 * i]) << 4 |
		    hex_value(hex[2 * i + 1]));
	}
	return true;
}

/* The escaped form of one byte; returns its length, at most 4. */
static size_t
escape(char c, char piece[5])
{
	if (c == '"' || c == '\\') {
		piece[0] = '\\';
		piece[1] = c;
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		piece[0] = c;
		return 1;
	}
	memcpy(piece, "\\x", 2);
	text_hex(piece + 2, (const uint8_t *)&c, 1);
	return 4;
}

void
text_quote(char *to, size_t size, const char *from, size_t len)
{
	size_t i, n, at = 0, safe = 1;
	char piece[5];

	to[at++] = '"';
	for (i = 0; i < len; i++) {
		n = escape(from[i], piece);
		if (at + n + 2 > size) { /* the quote and the NUL */
			memcpy(to + safe, "...", 3);
			at = safe + 3;
			break;
		}
		memcpy(to + at, piece, n);
		at += n;
		if (at + 5 <= size) { /* room for an ellipsis from here */
			safe = at;
		}
	}
	to[at++] = '"';
	to[at] = '\0';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_equal_nocase(const char *a, const char *b)
{
	for (; *a != '\0' && lower(*a) == lower(*b); a++, b++) {
	}
	return *a == '\0' && *b == '\0';
}

/* Length of the UTF-8 sequence at text (RFC 3629), 0 if it is not one. */
static size_t
utf8_length(const unsigned char *text, size_t len)
{
	static const struct {
		unsigned char mask, lead;
		unsigned long low;
	} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800},
	    {0xf8, 0xf0, 0x10000}};
	unsigned long point;
	size_t form, i;

	for (form = 0; form < 4; form++) {
		if ((text[0] & forms[form].mask) == forms[form].lead) {
			break;
		}
	}
	if (form == 4 || form + 1 > len) {
		return 0;
	}
	point = text[0] & (unsigned char)~forms[form].mask;
	for (i = 1; i <= form; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < forms[form].low || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff) ||
	    (point >= 0x7f && point <= 0x9f) || point < 0x20) {
		return 0;
	}
	return form + 1;
}

bool
text_is_printable_utf8(const char *text, size_t len)
{
	size_t at = 0, n;

	while (at < len) {
		n = utf8_length((const unsigned char *)text + at, len - at);
		if (n == 0) {
			return false;
		}
		at += n;
	}
	return true;
}

enum res
text_number(const char *text, int64_t low, int64_t high, int64_t *out)
{
	long long value;
	char *end;

	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) {
		return RES_SYNTAX;
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || value < low || value > high) {
		return RES_LIMIT;
	}
	*out = value;
	return RES_OK;
}

bool
text_is_name(const char *text)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                            "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                          "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(text);

	return len >= 1 && len <= NAME_MAX_LEN &&
	    strchr(first, text[0]) != NULL && strspn(text, all) == len;
}
