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

/* cJSON would cut a string at an escaped NUL. */
static bool
has_escaped_nul(const char *text)
{
	const char *at = text;

	while ((at = strchr(at, '\\')) != NULL && at[1] != '\0') {
		if (strncmp(at + 1, "u0000", 5) == 0) {
			return true;
		}
		at += 2;
	}
	return false;
}

/* cJSON_Parse() would overlook what follows the document. */
static cJSON *
parse(const char *text)
{
	return has_escaped_nul(text) ? NULL
	                             : cJSON_ParseWithOpts(text, NULL, 1);
}

void
json_add_parsed(struct json *object, const char *key, const char *text)
{
	cJSON *node = text == NULL ? NULL : parse(text);

	put(object, key, node == NULL ? cJSON_CreateNull() : node);
}

char *
json_print(const struct json *json)
{
	if (json == NULL || json->failed) {
		return NULL;
	}
	return cJSON_PrintUnformatted(json->node);
}

enum res
json_check(const char *text, char kind, size_t max, struct diag *why)
{
	size_t len = strlen(text);
	cJSON *node;
	bool right;

	if (len > max) {
		return diag_res(why, RES_LIMIT,
		    "the JSON text is %zu bytes long; at most %zu are taken",
		    len, max);
	}
	if ((node = parse(text)) == NULL) {
		return diag_res(why, RES_SYNTAX, "the JSON text is not valid");
	}
	right = kind == '{' ? cJSON_IsObject(node) : cJSON_IsArray(node);
	cJSON_Delete(node);
	if (!right) {
		return diag_res(why, RES_SYNTAX, "the JSON text must be an %s",
		    kind == '{' ? "object" : "array");
	}
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
	cJSON *node = parse(text), *item;
	char **texts = NULL;
	size_t n = 0;
	enum res r = RES_SYNTAX;

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
