/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/identity.h"

#include <stdio.h>
#include <string.h>

/* ASCII by value: isalnum() would ask the locale. */
static bool
is_part_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool
is_plain(const char *text, size_t len, bool colon_too)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!is_part_byte(text[i]) && !(colon_too && text[i] == ':')) {
			return false;
		}
	}
	return true;
}

/* A part that does not fit is refused, never cut: two names that differ only
 * past the limit must not become one. */
static enum res
read_type(
    struct device_type *type, const char *from, size_t len, const char **why)
{
	if (len == 0) {
		*why = "the type is empty; write d:TYPE or g:TYPE";
		return RES_SYNTAX;
	}
	if (len > IDENTITY_TYPE_MAX) {
		*why = "the type is longer than 36 bytes";
		return RES_LIMIT;
	}
	if (!is_plain(from, len, false)) {
		*why = "the type holds a byte other than A-Z a-z 0-9 . _ -";
		return RES_SYNTAX;
	}
	memcpy(type->name, from, len);
	type->name[len] = '\0';
	return RES_OK;
}

static enum res
read_id(char *id, const char *from, size_t len, const char **why)
{
	if (len == 0) {
		*why = "the id is empty; write d:TYPE:ID or g:TYPE:ID";
		return RES_SYNTAX;
	}
	if (len > IDENTITY_ID_MAX) {
		*why = "the id is longer than 64 bytes";
		return RES_LIMIT;
	}
	if (!is_plain(from, len, true)) {
		*why = "the id holds a byte other than A-Z a-z 0-9 . _ : -";
		return RES_SYNTAX;
	}
	memcpy(id, from, len);
	id[len] = '\0';
	return RES_OK;
}

bool
identity_is_candidate(const char *text, size_t len)
{
	return len >= 2 && (text[0] == 'd' || text[0] == 'g') && text[1] == ':';
}

enum res
identity_parse(
    const char *text, size_t len, struct identity *out, const char **why)
{
	struct identity who = {0};
	const char *type, *colon;
	size_t left;
	enum res r;

	if (!identity_is_candidate(text, len)) {
		*why = "the name does not begin with d: or g:";
		return RES_SYNTAX;
	}
	who.type.class = text[0];
	type = text + 2;
	left = len - 2;
	if ((colon = memchr(type, ':', left)) == NULL) {
		*why = "the name has no id; write d:TYPE:ID or g:TYPE:ID";
		return RES_SYNTAX;
	}
	r = read_type(&who.type, type, (size_t)(colon - type), why);
	if (r != RES_OK) {
		return r;
	}
	left -= (size_t)(colon - type) + 1;
	if ((r = read_id(who.id, colon + 1, left, why)) != RES_OK) {
		return r;
	}
	*out = who;
	return RES_OK;
}

void
identity_format(const struct identity *who, char text[IDENTITY_TEXT_MAX + 1])
{
	(void)snprintf(text, IDENTITY_TEXT_MAX + 1, "%c:%s:%s", who->type.class,
	    who->type.name, who->id);
}

bool
identity_equal(const struct identity *a, const struct identity *b)
{
	return device_type_equal(&a->type, &b->type) &&
	    strcmp(a->id, b->id) == 0;
}

enum res
device_type_parse(
    const char *text, size_t len, struct device_type *out, const char **why)
{
	struct device_type type = {0};
	enum res r;

	if (!identity_is_candidate(text, len)) {
		*why = "the device type does not begin with d: or g:";
		return RES_SYNTAX;
	}
	type.class = text[0];
	if ((r = read_type(&type, text + 2, len - 2, why)) != RES_OK) {
		return r;
	}
	*out = type;
	return RES_OK;
}

void
device_type_format(const struct device_type *type, char text[TYPE_TEXT_MAX + 1])
{
	(void)snprintf(
	    text, TYPE_TEXT_MAX + 1, "%c:%s", type->class, type->name);
}

bool
device_type_equal(const struct device_type *a, const struct device_type *b)
{
	return a->class == b->class && strcmp(a->name, b->name) == 0;
}
