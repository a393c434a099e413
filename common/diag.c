/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
set(struct diag *why, const char *format, va_list args)
{
	int len;
	char *at;

	if (why == NULL) {
		return;
	}
	len = vsnprintf(why->text, sizeof(why->text), format, args);
	if (len < 0) {
		why->text[0] = '\0';
	} else if ((size_t)len >= sizeof(why->text)) {
		memcpy(&why->text[DIAG_MAX - 3], "...", 4);
	}
	for (at = why->text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			*at = '?';
		}
	}
}

void
diag_set(struct diag *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(why, format, args);
	va_end(args);
}

enum res
diag_res(struct diag *why, enum res res, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(why, format, args);
	va_end(args);
	return res;
}
