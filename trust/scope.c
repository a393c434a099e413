/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/scope.h"

#include <string.h>

/* One part of a pattern: len bytes, then anything if open. */
struct part {
	const char *text;
	size_t len;
	bool open;
};

struct pattern {
	struct part class, type, id;
};

static bool
is_plain(const struct part *part, const char *extra)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
	                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t i;

	for (i = 0; i < part->len; i++) {
		if (strchr(bytes, part->text[i]) == NULL &&
		    strchr(extra, part->text[i]) == NULL) {
			return false;
		}
	}
	return true;
}

static struct part
read_part(const char *text, size_t len)
{
	bool open = len > 0 && text[len - 1] == '*';

	return (struct part){text, open ? len - 1 : len, open};
}

static enum res
split(const char *text, struct pattern *out, const char **why)
{
	const char *type = strchr(text, ':'), *id;

	if (type == NULL || (id = strchr(type + 1, ':')) == NULL) {
		*why = "a scope is written CLASS:TYPE:ID, as in d:meter:*";
		return RES_SYNTAX;
	}
	out->class = read_part(text, (size_t)(type - text));
	out->type = read_part(type + 1, (size_t)(id - type) - 1);
	out->id = read_part(id + 1, strlen(id + 1));
	return RES_OK;
}

static enum res
parse(const char *text, struct pattern *out, const char **why)
{
	enum res r = split(text, out, why);
	size_t class_len;

	if (r != RES_OK) {
		return r;
	}
	class_len = out->class.len + (out->class.open ? 1 : 0);
	if (class_len != 1 || strchr("dg*", text[0]) == NULL) {
		*why = "the class of a scope is d, g or *";
		return RES_SYNTAX;
	}
	if (out->type.len > IDENTITY_TYPE_MAX ||
	    out->id.len > IDENTITY_ID_MAX) {
		*why = "the type or the id of a scope is longer than any "
		       "identity's";
		return RES_LIMIT;
	}
	if ((out->type.len == 0 && !out->type.open) ||
	    (out->id.len == 0 && !out->id.open)) {
		*why = "a scope has an empty part; write * for any";
		return RES_SYNTAX;
	}
	if (!is_plain(&out->type, "") || !is_plain(&out->id, ":")) {
		*why = "a scope holds a byte that no identity has, or a * "
		       "before the end of a part";
		return RES_SYNTAX;
	}
	return RES_OK;
}

enum res
scope_check(const char *pattern, const char **why)
{
	struct pattern parsed;

	return parse(pattern, &parsed, why);
}

static bool
fits(const struct part *part, const char *text)
{
	size_t len = strlen(text);

	return (part->open ? len >= part->len : len == part->len) &&
	    memcmp(part->text, text, part->len) == 0;
}

bool
scope_covers(const char *const *patterns, size_t n, const struct identity *who)
{
	const char class[] = {who->type.class, '\0'};
	struct pattern pattern;
	const char *why;
	size_t i;

	for (i = 0; i < n; i++) {
		if (parse(patterns[i], &pattern, &why) == RES_OK &&
		    fits(&pattern.class, class) &&
		    fits(&pattern.type, who->type.name) &&
		    fits(&pattern.id, who->id)) {
			return true;
		}
	}
	return n == 0;
}
