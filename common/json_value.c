/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/json_value.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "common/json.h"

/* A struct json_value is a cJSON under another name. */
static const cJSON *
node_of(const struct json_value *value)
{
	return (const cJSON *)(const void *)value;
}

static const struct json_value *
value_of(const cJSON *node)
{
	return (const struct json_value *)(const void *)node;
}

/* Whether text can hold no more values than we take: each but the first stands
 * behind one of these. */
static bool
is_within(const char *text)
{
	bool quoted = false;
	size_t n = 1;

	for (; *text != '\0' && n <= JSON_VALUES_MAX; text++) {
		if (quoted && text[0] == '\\' && text[1] != '\0') {
			text++;
		} else if (*text == '"') {
			quoted = !quoted;
		} else if (!quoted && strchr(",[{", *text) != NULL) {
			n++;
		}
	}
	return n <= JSON_VALUES_MAX;
}

/* json_check() compares every member of an object with every other. */
static bool
has_few_members(const cJSON *node)
{
	const cJSON *child;

	if (cJSON_IsObject(node) &&
	    cJSON_GetArraySize(node) > JSON_MEMBERS_MAX) {
		return false;
	}
	cJSON_ArrayForEach(child, node)
	{
		if (!has_few_members(child)) {
			return false;
		}
	}
	return true;
}

enum res
json_value_read(const char *text, struct json_value **out, struct diag *why)
{
	enum res r = RES_OK;
	cJSON *node;

	if (!is_within(text)) {
		return diag_res(why, RES_LIMIT,
		    "the JSON text holds more than %d values", JSON_VALUES_MAX);
	}
	node = cJSON_Parse(text);
	if (node != NULL && !has_few_members(node)) {
		r = diag_res(why, RES_LIMIT,
		    "the JSON text holds an object of more than %d members",
		    JSON_MEMBERS_MAX);
	}
	if (r == RES_OK) {
		r = json_check(text, '{', strlen(text), why);
	}
	if (r == RES_OK && node == NULL) {
		r = diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	if (r == RES_OK) {
		*out = (struct json_value *)(void *)node;
		node = NULL;
	}
	cJSON_Delete(node);
	return r;
}

void
json_value_free(struct json_value *value)
{
	cJSON_Delete((cJSON *)(void *)value);
}

enum json_kind
json_value_kind(const struct json_value *value)
{
	const cJSON *node = node_of(value);

	return cJSON_IsBool(node)  ? JSON_BOOL
	    : cJSON_IsNumber(node) ? JSON_NUMBER
	    : cJSON_IsString(node) ? JSON_TEXT
	    : cJSON_IsArray(node)  ? JSON_ARRAY
	    : cJSON_IsObject(node) ? JSON_OBJECT
	                           : JSON_NULL;
}

const struct json_value *
json_value_first(const struct json_value *value)
{
	return value_of(node_of(value)->child);
}

const struct json_value *
json_value_next(const struct json_value *value)
{
	return value_of(node_of(value)->next);
}

const char *
json_value_key(const struct json_value *value)
{
	return node_of(value)->string;
}

size_t
json_value_count(const struct json_value *value)
{
	return (size_t)cJSON_GetArraySize(node_of(value));
}

const struct json_value *
json_value_member(const struct json_value *value, const char *key)
{
	return cJSON_IsObject(node_of(value))
	    ? value_of(cJSON_GetObjectItemCaseSensitive(node_of(value), key))
	    : NULL;
}

const char *
json_value_text(const struct json_value *value)
{
	return cJSON_GetStringValue(node_of(value));
}

bool
json_value_is_true(const struct json_value *value)
{
	return cJSON_IsTrue(node_of(value)) != 0;
}

bool
json_value_number(const struct json_value *value, int64_t *out)
{
	const double limit = 9007199254740992.0; /* 2^53 */
	const cJSON *node = node_of(value);

	if (!cJSON_IsNumber(node) ||
	    !(node->valuedouble > -limit && node->valuedouble < limit) ||
	    (double)(int64_t)node->valuedouble != node->valuedouble) {
		return false;
	}
	*out = (int64_t)node->valuedouble;
	return true;
}
