/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json: JSON for programs.  The one home of cJSON.
 *
 * Building never fails half-way: a builder that ran out of memory remembers
 * it, every later call does nothing, and json_print() gives NULL.  A value
 * added to another belongs to that one.  One thread at a time per tree.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/res.h"

struct json; /* an object, an array or a value */

struct json *json_object(void);
struct json *json_array(void);
void json_free(struct json *json);

/* Text that is not UTF-8 is a defect of the caller; bytes >= 0x80 that are
 * no UTF-8 are written as '?'.  NULL text is null. */
void json_add_text(struct json *object, const char *key, const char *text);
/* The same with line ends, tabs and other control characters kept, but for
 * DEL, which JSON would not escape. */
void json_add_lines(struct json *object, const char *key, const char *text);
void json_add_number(struct json *object, const char *key, int64_t number);
/* A number as it is written in text; null if that is none by RFC 8259. */
void json_add_decimal(struct json *object, const char *key, const char *text);
void json_add_bool(struct json *object, const char *key, bool truth);
void json_add_null(struct json *object, const char *key);
void json_add_time(struct json *object, const char *key, int64_t when);
void json_add_hash(struct json *object, const char *key, const uint8_t *hash);
/* Takes value, NULL included (then the tree is marked as failed). */
void json_add(struct json *object, const char *key, struct json *value);
void json_append(struct json *array, struct json *value);
void json_append_text(struct json *array, const char *text);

/* JSON text that we stored ourselves, as it was written but for blanks; null
 * if text is NULL or is not what json_check() takes. */
void json_add_parsed(struct json *object, const char *key, const char *text);

/* Take what is under key out, if there is something, and free it. */
void json_remove(struct json *object, const char *key);

/* The document as text, one line; the caller frees it.  NULL: no memory. */
char *json_print(const struct json *json);

/* Whether text is one JSON document of the kind that is wanted: '{' or '[',
 * at most max bytes, by the letter of RFC 8259, in printable UTF-8, without an
 * escaped NUL and without a key twice in an object. */
MUST_CHECK enum res json_check(
    const char *text, char kind, size_t max, struct diag *why);

/*
 * What is under key in a JSON object, as JSON text without blanks, which the
 * caller frees.  RES_NOTFOUND: there is nothing; RES_SYNTAX: text is no object,
 * or not what json_check() takes; RES_NOMEM.
 */
MUST_CHECK enum res json_member(const char *text, const char *key, char **out);

/*
 * Read a JSON array of strings, at most max of them.  The strings, and the
 * array of them, belong to the caller: json_texts_free().
 */
MUST_CHECK enum res json_read_texts(
    const char *text, size_t max, char ***out, size_t *count, struct diag *why);
void json_texts_free(char **texts, size_t count);

#endif /* COMMON_JSON_H */
