/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define TIME_DIGITS_MAX 20 /* of an int64_t, with its sign */

char *
field_put_end(char *to, char end)
{
	to[0] = end;
	to[1] = '\0';
	return to + 1;
}

char *
field_put_bytes(char *to, bool is_known, const uint8_t *bytes, size_t len)
{
	if (!is_known) {
		return field_put_end(to, '-');
	}
	text_hex(to, bytes, len);
	return to + 2 * len;
}

char *
field_put_time(char *to, int64_t when, int64_t none)
{
	if (when == none) {
		return field_put_end(to, '-');
	}
	return to + snprintf(to, TIME_DIGITS_MAX + 1, "%" PRId64, when);
}

bool
field_get_end(const char **at, char end)
{
	if (**at != end) {
		return false;
	}
	*at += end != '\0';
	return true;
}

/* Whether a field of "-" alone stands here. */
static bool
get_none(const char **at)
{
	if ((*at)[0] != '-' || ((*at)[1] != ':' && (*at)[1] != '\0')) {
		return false;
	}
	*at += 1;
	return true;
}

bool
field_get_bytes(const char **at, bool *is_known, uint8_t *bytes, size_t len)
{
	char hex[HASH_TEXT_MAX + 1];

	*is_known = false;
	if (get_none(at)) {
		return true;
	}
	if (2 * len > HASH_TEXT_MAX || strnlen(*at, 2 * len) < 2 * len) {
		return false;
	}
	memcpy(hex, *at, 2 * len);
	hex[2 * len] = '\0';
	*is_known = text_unhex(hex, bytes, len);
	*at += 2 * len;
	return *is_known;
}

bool
field_get_time(const char **at, int64_t none, int64_t *out)
{
	char *end;
	long long value;

	if (get_none(at)) {
		*out = none;
		return true;
	}
	errno = 0;
	value = strtoll(*at, &end, 10);
	if (errno != 0 || end == *at || value == none) {
		return false;
	}
	*out = value;
	*at = end;
	return true;
}
