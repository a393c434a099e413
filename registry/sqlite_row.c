/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

struct binder
bind_start(struct sqlite3_stmt *stmt)
{
	return (struct binder){
	    .stmt = stmt,
	    .rc = stmt == NULL ? SQLITE_NOMEM : SQLITE_OK,
	};
}

void
bind_text(struct binder *to, const char *text)
{
	to->at++;
	if (to->rc == SQLITE_OK && text != NULL) {
		to->rc = sqlite3_bind_text(
		    to->stmt, to->at, text, -1, SQLITE_STATIC);
	}
}

void
bind_word(struct binder *to, const char *text)
{
	bind_text(to, text[0] == '\0' ? NULL : text);
}

void
bind_number(struct binder *to, int64_t number)
{
	to->at++;
	if (to->rc == SQLITE_OK) {
		to->rc = sqlite3_bind_int64(to->stmt, to->at, number);
	}
}

void
bind_time(struct binder *to, int64_t when)
{
	if (when == CLOCK_NONE) {
		to->at++;
	} else {
		bind_number(to, when);
	}
}

void
bind_bytes(struct binder *to, const void *bytes, size_t len)
{
	to->at++;
	if (to->rc == SQLITE_OK) {
		to->rc = sqlite3_bind_blob64(
		    to->stmt, to->at, bytes, len, SQLITE_STATIC);
	}
}

void
bind_hash(struct binder *to, bool has, const uint8_t *hash)
{
	if (has) {
		bind_bytes(to, hash, HASH_LEN);
	} else {
		to->at++;
	}
}

void
bind_identity(struct binder *to, const struct identity *who,
    char text[IDENTITY_TEXT_MAX + 1])
{
	identity_format(who, text);
	bind_text(to, text);
}

void
bind_type(struct binder *to, const struct device_type *type,
    char text[TYPE_TEXT_MAX + 1])
{
	device_type_format(type, text);
	bind_text(to, text);
}

void
bind_gateway(struct binder *to, const struct device *device,
    char text[IDENTITY_TEXT_MAX + 1])
{
	if (device->has_gateway) {
		bind_identity(to, &device->gateway, text);
	} else {
		bind_text(to, NULL);
	}
}

void
bind_pins(
    struct binder *to, const struct pins *pins, char text[PINS_TEXT_MAX + 1])
{
	pins_format(pins, text);
	bind_word(to, text);
}

void
bind_token(struct binder *to, const struct token_hash *token,
    char text[TOKEN_HASH_TEXT_MAX + 1])
{
	token_hash_format(token, text);
	bind_word(to, text);
}

int
bind_run(struct binder *to)
{
	int rc = to->rc;

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(to->stmt);
		rc = rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
	}
	(void)sqlite3_reset(to->stmt); /* says again what step said */
	(void)sqlite3_clear_bindings(to->stmt);
	return rc;
}

struct columns
columns_start(struct sqlite3_stmt *stmt)
{
	return (struct columns){.stmt = stmt, .at = -1};
}

void
columns_break(struct columns *from)
{
	if (from->res == RES_OK) {
		from->res = RES_CORRUPT;
		from->broken = sqlite3_column_name(from->stmt, from->at);
	}
}

/* The next column's text and length; NULL if it is not text.  Text that holds
 * a NUL is as broken as a number. */
static const char *
next_text(struct columns *from, size_t *len)
{
	const unsigned char *text;

	from->at++;
	if (from->res != RES_OK) {
		return NULL;
	}
	if (sqlite3_column_type(from->stmt, from->at) != SQLITE_TEXT) {
		columns_break(from);
		return NULL;
	}
	text = sqlite3_column_text(from->stmt, from->at);
	if (text == NULL) {
		from->res = RES_NOMEM;
		return NULL;
	}
	*len = (size_t)sqlite3_column_bytes(from->stmt, from->at);
	if (memchr(text, '\0', *len) != NULL) {
		columns_break(from);
		return NULL;
	}
	return (const char *)text;
}

static bool
next_is_null(struct columns *from)
{
	if (from->res == RES_OK &&
	    sqlite3_column_type(from->stmt, from->at + 1) == SQLITE_NULL) {
		from->at++;
		return true;
	}
	return false;
}

void
read_text(struct columns *from, char *to, size_t size)
{
	size_t len = 0;
	const char *text = next_text(from, &len);

	if (text != NULL && !text_copy(to, size, text, len)) {
		columns_break(from);
	}
}

void
read_word(struct columns *from, char *to, size_t size)
{
	if (next_is_null(from)) {
		to[0] = '\0';
	} else {
		read_text(from, to, size);
	}
}

void
read_string(struct columns *from, char **to)
{
	size_t len = 0;
	const char *text = next_text(from, &len);

	if (text != NULL && (*to = strndup(text, len)) == NULL) {
		from->res = RES_NOMEM;
	}
}

void
read_string_or_null(struct columns *from, char **to)
{
	if (!next_is_null(from)) {
		read_string(from, to);
	}
}

void
read_number(struct columns *from, int64_t low, int64_t high, int64_t *to)
{
	int64_t number;

	from->at++;
	if (from->res != RES_OK) {
		return;
	}
	number = sqlite3_column_int64(from->stmt, from->at);
	if (sqlite3_column_type(from->stmt, from->at) != SQLITE_INTEGER ||
	    number < low || number > high) {
		columns_break(from);
		return;
	}
	*to = number;
}

void
read_time(struct columns *from, int64_t *to)
{
	if (next_is_null(from)) {
		*to = CLOCK_NONE;
	} else {
		read_number(from, INT64_MIN + 1, INT64_MAX, to);
	}
}

void
read_bool(struct columns *from, bool *to)
{
	int64_t number = 0;

	read_number(from, 0, 1, &number);
	*to = number != 0;
}

void
read_bytes(struct columns *from, uint8_t **to, size_t *len)
{
	const void *bytes;

	from->at++;
	if (from->res != RES_OK) {
		return;
	}
	bytes = sqlite3_column_blob(from->stmt, from->at);
	if (sqlite3_column_type(from->stmt, from->at) != SQLITE_BLOB ||
	    bytes == NULL) {
		columns_break(from);
		return;
	}
	*len = (size_t)sqlite3_column_bytes(from->stmt, from->at);
	*to = malloc(*len);
	if (*to == NULL) {
		from->res = RES_NOMEM;
		return;
	}
	memcpy(*to, bytes, *len);
}

void
read_hash(struct columns *from, uint8_t to[HASH_LEN])
{
	const void *bytes;

	from->at++;
	if (from->res != RES_OK) {
		return;
	}
	bytes = sqlite3_column_blob(from->stmt, from->at);
	if (sqlite3_column_type(from->stmt, from->at) != SQLITE_BLOB ||
	    sqlite3_column_bytes(from->stmt, from->at) != HASH_LEN ||
	    bytes == NULL) {
		columns_break(from);
		return;
	}
	memcpy(to, bytes, HASH_LEN);
}

void
read_hash_or_null(struct columns *from, bool *has, uint8_t to[HASH_LEN])
{
	*has = !next_is_null(from);
	if (*has) {
		read_hash(from, to);
	}
}

void
read_identity(struct columns *from, struct identity *to)
{
	size_t len = 0;
	const char *text = next_text(from, &len), *why;

	if (text != NULL && identity_parse(text, len, to, &why) != RES_OK) {
		columns_break(from);
	}
}

void
read_type(struct columns *from, struct device_type *to)
{
	size_t len = 0;
	const char *text = next_text(from, &len), *why;

	if (text != NULL && device_type_parse(text, len, to, &why) != RES_OK) {
		columns_break(from);
	}
}

void
read_state(struct columns *from, enum device_state *to)
{
	size_t len = 0;
	const char *text = next_text(from, &len);

	if (text != NULL && !device_state_parse(text, to)) {
		columns_break(from);
	}
}

void
read_seen_with(struct columns *from, unsigned *to)
{
	int64_t number = 0;

	read_number(from, 0, SEEN_MAX, &number);
	*to = (unsigned)number;
}

/* Stored text is as it is formatted: "" is no text for none. */
void
read_pins(struct columns *from, struct pins *to)
{
	const char *text;
	size_t len = 0;

	*to = (struct pins){0};
	if (next_is_null(from)) {
		return;
	}
	text = next_text(from, &len);
	if (text != NULL &&
	    (len == 0 || pins_parse(text, to) != RES_OK || to->count == 0)) {
		columns_break(from);
	}
}

void
read_token(struct columns *from, struct token_hash *to)
{
	const char *text;
	size_t len = 0;

	*to = (struct token_hash){0};
	if (next_is_null(from)) {
		return;
	}
	text = next_text(from, &len);
	if (text != NULL &&
	    (len == 0 || token_hash_parse(text, to) != RES_OK || !to->is_set)) {
		columns_break(from);
	}
}

void
read_gateway(struct columns *from, bool *has, struct identity *to)
{
	*has = !next_is_null(from);
	if (!*has) {
		return;
	}
	read_identity(from, to);
	if (from->res == RES_OK && to->type.class != 'g') {
		columns_break(from);
	}
}

const char *
store_key(struct sqlite3_stmt *stmt)
{
	const unsigned char *key = sqlite3_column_text(stmt, 0);

	return key == NULL ? "?" : (const char *)key;
}

enum res
store_broken(const struct store *store, const struct columns *columns,
    const char *table, const char *key, struct diag *why)
{
	if (columns->res == RES_NOMEM) {
		return diag_res(why, RES_NOMEM, "no memory left");
	}
	return diag_res(why, RES_CORRUPT,
	    "%s holds a broken record, %s %s (%s): restore the registry from "
	    "a backup",
	    store->path, table, key,
	    columns->broken == NULL ? "?" : columns->broken);
}
