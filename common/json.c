/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"

struct json {
	cJSON *node; /* NULL: a builder that has failed */
	bool failed; /* something below could not be added */
};

static struct json *
wrap(cJSON *node)
{
	struct json *json = calloc(1, sizeof(*json));

	if (json == NULL || node == NULL) {
		cJSON_Delete(node);
		free(json);
		return NULL;
	}
	json->node = node;
	return json;
}

struct json *
json_object(void)
{
	return wrap(cJSON_CreateObject());
}

struct json *
json_array(void)
{
	return wrap(cJSON_CreateArray());
}

void
json_free(struct json *json)
{
	if (json != NULL) {
		cJSON_Delete(json->node);
		free(json);
	}
}

/* Give node to object under key, or note that it could not be done. */
static void
put(struct json *object, const char *key, cJSON *node)
{
	if (object == NULL || node == NULL ||
	    !cJSON_AddItemToObject(object->node, key, node)) {
		cJSON_Delete(node);
		if (object != NULL) {
			object->failed = true;
		}
	}
}

/* A string that cJSON prints is UTF-8, whatever the bytes were. */
static cJSON *
string(const char *text)
{
	char *copy, *at;
	cJSON *node;

	if (text == NULL) {
		return cJSON_CreateNull();
	}
	if (text_is_printable_utf8(text, strlen(text))) {
		return cJSON_CreateString(text);
	}
	if ((copy = strdup(text)) == NULL) {
		return NULL;
	}
	for (at = copy; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80) {
			*at = '?';
		}
	}
	node = cJSON_CreateString(copy);
	free(copy);
	return node;
}

void
json_add_text(struct json *object, const char *key, const char *text)
{
	put(object, key, string(text));
}

/* Well-formed but for control characters, which cJSON escapes. */
static bool
is_utf8(const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len) {
		for (len = 0;
		     (unsigned char)text[len] >= 0x20 && text[len] != 0x7f;) {
			len++;
		}
		if (len > 0 && !text_is_printable_utf8(text, len)) {
			return false;
		}
		len += text[len] == '\0' ? 0 : 1;
	}
	return true;
}

void
json_add_lines(struct json *object, const char *key, const char *text)
{
	bool keeps_high = is_utf8(text);
	char *copy = strdup(text), *at;

	for (at = copy; copy != NULL && *at != '\0'; at++) {
		if (*at == 0x7f ||
		    (!keeps_high && (unsigned char)*at >= 0x80)) {
			*at = '?';
		}
	}
	put(object, key, copy == NULL ? NULL : cJSON_CreateString(copy));
	free(copy);
}

void
json_add_number(struct json *object, const char *key, int64_t number)
{
	char text[24];

	/* A cJSON number is a double, printed with 15 digits. */
	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	put(object, key, cJSON_CreateRaw(text));
}

void
json_add_bool(struct json *object, const char *key, bool truth)
{
	put(object, key, cJSON_CreateBool(truth));
}

void
json_add_null(struct json *object, const char *key)
{
	put(object, key, cJSON_CreateNull());
}

void
json_add_time(struct json *object, const char *key, int64_t when)
{
	char text[TIME_MAX + 1];

	if (when == CLOCK_NONE || when == CLOCK_FOREVER) {
		json_add_null(object, key);
		return;
	}
	clock_format(when, text);
	json_add_text(object, key, text);
}

void
json_add_hash(struct json *object, const char *key, const uint8_t *hash)
{
	char hex[HASH_TEXT_MAX + 1];

	text_hex(hex, hash, HASH_LEN);
	json_add_text(object, key, hex);
}

/* Take the node out of value, which is gone then. */
static cJSON *
unwrap(struct json *value)
{
	cJSON *node;

	if (value == NULL || value->failed) {
		json_free(value);
		return NULL;
	}
	node = value->node;
	free(value);
	return node;
}

void
json_add(struct json *object, const char *key, struct json *value)
{
	put(object, key, unwrap(value));
}

void
json_append(struct json *array, struct json *value)
{
	cJSON *node = unwrap(value);

	if (array == NULL || node == NULL ||
	    !cJSON_AddItemToArray(array->node, node)) {
		cJSON_Delete(node);
		if (array != NULL) {
			array->failed = true;
		}
	}
}

void
json_append_text(struct json *array, const char *text)
{
	json_append(array, wrap(string(text)));
}

/*
 * What cJSON takes and RFC 8259 does not: control characters, bytes that are
 * no UTF-8, numbers as "01", escapes as "\\uzzzz".  It would also cut a string
 * at an escaped NUL.  These look at text that cJSON has parsed, so that only
 * the insides of strings and numbers are left to look at.  The skip_ functions
 * give the first byte behind; NULL: *why says what is wrong.
 */
static const char *
skip_escape(const char *at, const char **why)
{
	if (at[1] != 'u') {
		return at + 2;
	}
	if (strspn(at + 2, "0123456789abcdefABCDEF") < 4) {
		*why = "a \\u that four hex digits do not follow";
		return NULL;
	}
	if (strncmp(at + 2, "0000", 4) == 0) {
		*why = "an escaped NUL, \\u0000, which no text may hold";
		return NULL;
	}
	return at + 6;
}

/* The bytes of a string up to the next quote, backslash or control. */
static const char *
skip_plain(const char *at, const char **why)
{
	const char *start = at;

	while ((unsigned char)*at >= 0x20 && *at != '"' && *at != '\\') {
		at++;
	}
	if (at == start) {
		*why = "a control character, which must be written as an "
		       "escape, \\u001b or \\n";
		return NULL;
	}
	if (!text_is_printable_utf8(start, (size_t)(at - start))) {
		*why = "bytes that are no UTF-8, or a control character";
		return NULL;
	}
	return at;
}

static const char *
skip_string(const char *at, const char **why)
{
	for (at++; at != NULL && *at != '"';) {
		at = *at == '\\' ? skip_escape(at, why) : skip_plain(at, why);
	}
	return at == NULL ? NULL : at + 1;
}

/* RFC 8259, 6. */
static const char *
skip_number(const char *at, const char **why)
{
	static const char digits[] = "0123456789";
	size_t whole, more = 1;

	at += *at == '-' ? 1 : 0;
	whole = strspn(at, digits);
	if (whole > 1 && *at == '0') {
		whole = 0;
	}
	at += whole;
	if (*at == '.') {
		more = strspn(at + 1, digits);
		at += 1 + more;
	}
	if (more > 0 && (*at == 'e' || *at == 'E')) {
		at += at[1] == '+' || at[1] == '-' ? 2 : 1;
		more = strspn(at, digits);
		at += more;
	}
	if (whole == 0 || more == 0) {
		*why = "a number that is not written as JSON wants it";
		return NULL;
	}
	return at;
}

static const char *
skip_between(const char *at, const char **why)
{
	if ((unsigned char)*at >= 0x80) {
		*why = "a byte order mark; save it without";
		return NULL;
	}
	if ((unsigned char)*at < 0x20 && strchr("\t\n\r", *at) == NULL) {
		*why = "a control character";
		return NULL;
	}
	return at + 1;
}

static const char *
skip_token(const char *at, const char **why)
{
	if (*at == '"') {
		return skip_string(at, why);
	}
	return *at == '-' || (*at >= '0' && *at <= '9') ? skip_number(at, why)
	                                                : skip_between(at, why);
}

/* NULL: not JSON, and why says so. */
static cJSON *
parse(const char *text, struct diag *why)
{
	const char *at = text, *end = text, *fault = NULL;
	/* cJSON_Parse() would overlook what follows the document. */
	cJSON *node = cJSON_ParseWithOpts(text, &end, 1);

	if (node == NULL) {
		diag_set(why, "the JSON text is not valid: see byte %zu",
		    (size_t)(end - text) + 1);
		return NULL;
	}
	while (at != NULL && *at != '\0') {
		at = skip_token(at, &fault);
	}
	if (at == NULL) {
		diag_set(why, "the JSON text holds %s", fault);
		cJSON_Delete(node);
		return NULL;
	}
	return node;
}

/* The same document without the blanks between its tokens; NULL: no memory.
 * Numbers stay as they were written: a cJSON number is a double. */
static char *
compact(const char *text)
{
	char *copy = malloc(strlen(text) + 1), *to = copy;
	const char *end, *fault;

	if (copy == NULL) {
		return NULL;
	}
	for (; *text != '\0'; text = end) {
		end = skip_token(text, &fault);
		if (strchr(" \t\n\r", *text) == NULL) {
			memcpy(to, text, (size_t)(end - text));
			to += end - text;
		}
	}
	*to = '\0';
	return copy;
}

void
json_add_parsed(struct json *object, const char *key, const char *text)
{
	cJSON *node = text == NULL ? NULL : parse(text, NULL);
	char *copy;

	if (node == NULL) {
		json_add_null(object, key);
		return;
	}
	cJSON_Delete(node);
	copy = compact(text);
	put(object, key, copy == NULL ? NULL : cJSON_CreateRaw(copy));
	free(copy);
}

void
json_remove(struct json *object, const char *key)
{
	if (object != NULL) {
		cJSON_DeleteItemFromObjectCaseSensitive(object->node, key);
	}
}

void
json_add_decimal(struct json *object, const char *key, const char *text)
{
	cJSON *node = parse(text, NULL);

	if (!cJSON_IsNumber(node)) {
		cJSON_Delete(node);
		json_add_null(object, key);
		return;
	}
	cJSON_Delete(node);
	put(object, key, cJSON_CreateRaw(text));
}

char *
json_print(const struct json *json)
{
	if (json == NULL || json->failed) {
		return NULL;
	}
	return cJSON_PrintUnformatted(json->node);
}

/* A key that an object below node has twice; NULL: none. */
static const char *
find_twice(const cJSON *node)
{
	const cJSON *child, *other;
	const char *found = NULL;

	cJSON_ArrayForEach(child, node)
	{
		for (other = cJSON_IsObject(node) ? child->next : NULL;
		     other != NULL; other = other->next) {
			if (strcmp(child->string, other->string) == 0) {
				return child->string;
			}
		}
		if ((found = find_twice(child)) != NULL) {
			return found;
		}
	}
	return NULL;
}

enum res
json_check(const char *text, char kind, size_t max, struct diag *why)
{
	size_t len = strlen(text);
	const char *twice;
	enum res r = RES_OK;
	cJSON *node;

	if (len > max) {
		return diag_res(why, RES_LIMIT,
		    "the JSON text is %zu bytes long; at most %zu are taken",
		    len, max);
	}
	if ((node = parse(text, why)) == NULL) {
		return RES_SYNTAX;
	}
	if (kind == '{' ? !cJSON_IsObject(node) : !cJSON_IsArray(node)) {
		r = diag_res(why, RES_SYNTAX, "the JSON text must be an %s",
		    kind == '{' ? "object" : "array");
	} else if ((twice = find_twice(node)) != NULL) {
		r = diag_res(why, RES_SYNTAX,
		    "the JSON text holds the key \"%.80s\" twice", twice);
	}
	cJSON_Delete(node);
	return r;
}

/* The value behind the n-th colon of the outermost object in text that has no
 * blanks: from *start, *len bytes. */
static void
find_value(const char *text, size_t n, const char **start, size_t *len)
{
	const char *at = text, *fault;
	size_t depth = 0, colons = 0;

	*start = NULL;
	for (; *at != '\0'; at = skip_token(at, &fault)) {
		if (*start != NULL && depth == 1 &&
		    (*at == ',' || *at == '}')) {
			break;
		}
		if (*at == '{' || *at == '[') {
			depth++;
		} else if (*at == '}' || *at == ']') {
			depth--;
		} else if (*at == ':' && depth == 1 && ++colons == n) {
			*start = at + 1;
		}
	}
	*len = *start == NULL ? 0 : (size_t)(at - *start);
}

/* How many members there are up to the one of this key; 0: it is not there. */
static size_t
find_member(const cJSON *object, const char *key)
{
	const cJSON *child;
	size_t n = 0;

	cJSON_ArrayForEach(child, object)
	{
		n++;
		if (strcmp(child->string, key) == 0) {
			return n;
		}
	}
	return 0;
}

enum res
json_member(const char *text, const char *key, char **out)
{
	cJSON *node = parse(text, NULL);
	const char *start = NULL;
	char *copy, *value;
	size_t n, len;
	bool is_object = cJSON_IsObject(node);

	n = is_object ? find_member(node, key) : 0;
	cJSON_Delete(node);
	if (n == 0) {
		return is_object ? RES_NOTFOUND : RES_SYNTAX;
	}
	if ((copy = compact(text)) == NULL) {
		return RES_NOMEM;
	}
	find_value(copy, n, &start, &len);
	value = start == NULL ? NULL : strndup(start, len);
	free(copy);
	if (value == NULL) {
		return RES_NOMEM;
	}
	*out = value;
	return RES_OK;
}

void
json_texts_free(char **texts, size_t count)
{
	size_t i;

	for (i = 0; texts != NULL && i < count; i++) {
		free(texts[i]);
	}
	free(texts);
}

enum res
json_read_texts(
    const char *text, size_t max, char ***out, size_t *count, struct diag *why)
{
	cJSON *node = parse(text, why), *item;
	char **texts = NULL;
	size_t n = 0;
	enum res r = RES_SYNTAX;

	if (node == NULL) {
		goto out;
	}
	if (!cJSON_IsArray(node)) {
		diag_set(why, "the JSON text must be an array of strings");
		goto out;
	}
	if ((size_t)cJSON_GetArraySize(node) > max) {
		r = diag_res(why, RES_LIMIT,
		    "the JSON array has more than %zu entries", max);
		goto out;
	}
	r = RES_NOMEM;
	texts = calloc((size_t)cJSON_GetArraySize(node) + 1, sizeof(*texts));
	if (texts == NULL) {
		diag_set(why, "no memory");
		goto out;
	}
	cJSON_ArrayForEach(item, node)
	{
		if (!cJSON_IsString(item)) {
			r = diag_res(why, RES_SYNTAX,
			    "the JSON array holds something else than a "
			    "string");
			goto out;
		}
		if ((texts[n] = strdup(item->valuestring)) == NULL) {
			diag_set(why, "no memory");
			goto out;
		}
		n++;
	}
	*out = texts;
	*count = n;
	texts = NULL;
	r = RES_OK;
out:
	json_texts_free(texts, n);
	cJSON_Delete(node);
	return r;
}
