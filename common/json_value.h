/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json_value: reading a JSON object of somebody else's, value by value.
 *
 * What json_check() asks of a document, and bounds besides, so that little text
 * cannot take much memory or time.  Any thread.
 */
#ifndef COMMON_JSON_VALUE_H
#define COMMON_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/res.h"

#define JSON_VALUES_MAX  16384 /* in all of the text */
#define JSON_MEMBERS_MAX 256   /* of one object */

struct json_value;

enum json_kind {
	JSON_NULL = 0,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_TEXT,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* One object; the caller frees it, and with it all values in it.  RES_SYNTAX:
 * not JSON, or no object; RES_LIMIT; RES_NOMEM. */
MUST_CHECK enum res json_value_read(
    const char *text, struct json_value **out, struct diag *why);
void json_value_free(struct json_value *value);

enum json_kind json_value_kind(const struct json_value *value);

/* The members of an object or the elements of an array, in their order; NULL:
 * no more, or none.  The key is a member's. */
const struct json_value *json_value_first(const struct json_value *value);
const struct json_value *json_value_next(const struct json_value *value);
const char *json_value_key(const struct json_value *value);
size_t json_value_count(const struct json_value *value);

/* NULL: value is no object, or has no such member. */
const struct json_value *json_value_member(
    const struct json_value *value, const char *key);

/* NULL: it is no text. */
const char *json_value_text(const struct json_value *value);

/* Whether it is the word true. */
bool json_value_is_true(const struct json_value *value);

/* False: it is no whole number, or one of 2^53 or more, which not every writer
 * of JSON can hold. */
MUST_CHECK bool json_value_number(const struct json_value *value, int64_t *out);

#endif /* COMMON_JSON_VALUE_H */
