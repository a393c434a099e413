/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/row.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "identity/id_rule.h"
#include "manage/objects.h"
#include "manage/row_cert.h"
#include "manage/row_record.h"
#include "manage/words.h"

#define WINDOW_DEFAULT ((int64_t)48 * 3600)

const struct csv_column row_columns[ROW_COLUMNS] = {
    [ROW_ID] = {"ID", true},
    [ROW_CERT] = {"TLS Client Certificate", false},
    [ROW_TAGS] = {"Tags", false},
    [ROW_TYPE] = {"Type", false},
    [ROW_CLASS] = {"Class", false},
    [ROW_WINDOW] = {"Window", false},
    [ROW_INFO] = {"Info", false},
    [ROW_STATE] = {"State", false},
    [ROW_LOCKED] = {"Locked", false},
    [ROW_GATEWAY] = {"Gateway", false},
    [ROW_RECORD] = {"Record", false},
};

/* A cell of a column that the file does not have is empty. */
static const char *
cell_of(const char *const *cells, enum row_column column)
{
	return cells[column] == NULL ? "" : cells[column];
}

/* A cell on its way into a sentence. */
#define SHOWN "\"%.80s\""

static enum res
take_class(const char *text, char *out, struct diag *why)
{
	if (strcmp(text, "d") != 0 && strcmp(text, "g") != 0) {
		return diag_res(why, RES_SYNTAX,
		    "the class " SHOWN " is neither d nor g", text);
	}
	*out = text[0];
	return RES_OK;
}

static enum res
blame_types(const struct device_type *one, const char *one_is,
    const struct device_type *other, const char *other_is, struct diag *why)
{
	char a[TYPE_TEXT_MAX + 1], b[TYPE_TEXT_MAX + 1];

	device_type_format(one, a);
	device_type_format(other, b);
	return diag_res(
	    why, RES_REFUSED, "%s %s, but %s %s", one_is, a, other_is, b);
}

/* The type that the columns Type and Class name; class '\0': they name none. */
static enum res
read_type(const char *type, const char *class, struct device_type *out,
    struct diag *why)
{
	char text[TYPE_TEXT_MAX + 1] = "d:", letter = '\0';
	const char *said = NULL;
	enum res r = RES_OK;

	out->class = '\0';
	if (class[0] != '\0') {
		r = take_class(class, &letter, why);
	}
	if (r != RES_OK || type[0] == '\0') {
		return r != RES_OK || letter == '\0'
		    ? r
		    : diag_res(why, RES_SYNTAX,
		          "there is a class, but no type in the column Type");
	}
	text[0] = letter == '\0' ? 'd' : letter;
	if (identity_is_candidate(type, strlen(type))) {
		r = device_type_parse(type, strlen(type), out, &said);
	} else if (text_copy(text + 2, sizeof(text) - 2, type, strlen(type))) {
		r = device_type_parse(text, strlen(text), out, &said);
	} else {
		said = "it is too long";
		r = RES_LIMIT;
	}
	if (r != RES_OK) {
		return diag_res(why, r,
		    SHOWN " is not a type such as meter or d:meter (%s)", type,
		    said);
	}
	if (letter != '\0' && letter != out->class) {
		r = diag_res(why, RES_REFUSED,
		    "the type " SHOWN " is not of the class %c", type, letter);
	}
	return r;
}

/* The same where --type may have a say. */
static enum res
choose_type(const struct row_terms *terms, const char *const *cells,
    struct device_type *out, struct diag *why)
{
	const char *type = cell_of(cells, ROW_TYPE);
	const char *class = cell_of(cells, ROW_CLASS);
	enum res r;

	*out = (struct device_type){.class = '\0'};
	if (terms->type != NULL && type[0] == '\0') {
		*out = *terms->type;
		if (class[0] == '\0') {
			return RES_OK;
		}
		r = take_class(class, &out->class, why);
	} else {
		r = read_type(type, class, out, why);
	}
	if (r == RES_OK && terms->type != NULL &&
	    !device_type_equal(terms->type, out)) {
		r = blame_types(out, "the row is of the type", terms->type,
		    "--type is", why);
	}
	return r;
}

/* An id that its type does not admit could never connect. */
static enum res
check_id(const struct type_record *type, const struct identity *who,
    struct diag *why)
{
	char format[ID_RULE_TEXT_MAX + 1];
	const char *said = NULL;
	struct id_rule rule;

	if (!read_id_rule(type, &rule)) {
		return diag_res(why, RES_CORRUPT,
		    "the registry holds an unknown identity format \"%s\": "
		    "set it anew with \"certid type set\"",
		    type->id_format);
	}
	if (strchr(who->id, ':') != NULL && !id_rule_admits_colon(&rule)) {
		return diag_res(why, RES_REFUSED,
		    "the id %s may hold a ':' only in a type with --id-format "
		    "mac-colon",
		    who->id);
	}
	if (!id_rule_check(&rule, who->id, &said)) {
		id_rule_format(&rule, format);
		return diag_res(why, RES_REFUSED,
		    "the id %s does not follow the format of its type, %s: %s",
		    who->id, format, said);
	}
	return RES_OK;
}

/* The id alone, of a type that is known. */
static enum res
join(const struct device_type *type, const char *id, struct identity *out,
    struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	const char *said = NULL;
	size_t len;
	enum res r;

	device_type_format(type, text);
	len = strlen(text);
	text[len++] = ':';
	if (!text_copy(text + len, sizeof(text) - len, id, strlen(id))) {
		return diag_res(why, RES_LIMIT,
		    "the id " SHOWN " is longer than %d bytes", id,
		    IDENTITY_ID_MAX);
	}
	r = identity_parse(text, strlen(text), out, &said);
	return r == RES_OK
	    ? r
	    : diag_res(why, r, "the id " SHOWN " is none (%s)", id, said);
}

/* A whole identity; type is what the row says of it elsewhere. */
static enum res
take_whole(const char *id, const struct device_type *type, struct identity *out,
    struct diag *why)
{
	const char *said = NULL;
	enum res r = identity_parse(id, strlen(id), out, &said);

	if (r != RES_OK) {
		return diag_res(why, r,
		    SHOWN " is not an identity such as d:meter:0001 (%s)", id,
		    said);
	}
	return type->class != '\0' && !device_type_equal(type, &out->type)
	    ? blame_types(&out->type, "the ID is of the type", type,
	          "the type is said to be", why)
	    : RES_OK;
}

/* Whether id, which looks like a whole identity, is the id of one of this type
 * all the same, as one of MAC addresses with a prefix may be. */
static bool
is_bare(const struct row_terms *terms, const struct device_type *type,
    const char *id)
{
	struct identity who;

	return type->class != '\0' && join(type, id, &who, NULL) == RES_OK &&
	    check_id(type_of(terms->config, terms->org, type), &who, NULL) ==
	    RES_OK;
}

static enum res
read_who(const struct row_terms *terms, const char *const *cells,
    struct identity *out, struct diag *why)
{
	const char *id = cell_of(cells, ROW_ID);
	struct device_type type;
	enum res r = choose_type(terms, cells, &type, why);

	if (r != RES_OK) {
		return r;
	}
	if (id[0] == '\0') {
		return diag_res(why, RES_SYNTAX, "there is no ID");
	}
	if (identity_is_candidate(id, strlen(id)) &&
	    !is_bare(terms, &type, id)) {
		return take_whole(id, &type, out, why);
	}
	return type.class == '\0'
	    ? diag_res(why, RES_SYNTAX,
	          SHOWN " has no type: give --type, a column Type, or a whole "
	                "identity such as d:meter:0001",
	          id)
	    : join(&type, id, out, why);
}

static enum res
check_type(const struct row_terms *terms, const struct type_record *type,
    const struct identity *who, struct diag *why)
{
	char text[TYPE_TEXT_MAX + 1];

	if (type == NULL && types_are_declared(terms->config, terms->org)) {
		device_type_format(&who->type, text);
		return diag_res(why, RES_REFUSED,
		    "the type %s is not declared: certid type set %s", text,
		    text);
	}
	return check_id(type, who, why);
}

/* When the window ends.  One that has ended is nothing to begin with, but may
 * be what was exported. */
static enum res
read_window(const struct row_terms *terms, const struct type_record *type,
    const char *const *cells, int64_t *out, struct diag *why)
{
	const char *text = cell_of(cells, ROW_WINDOW);
	int64_t span = WINDOW_DEFAULT;

	if (text[0] == '\0' && type != NULL && type->window != CLOCK_NONE) {
		span = type->window;
	}
	if (strcmp(text, "none") == 0 || span == CLOCK_FOREVER) {
		*out = CLOCK_FOREVER;
		return RES_OK;
	}
	if (text[0] == '\0' || span_parse(text, &span) == RES_OK) {
		*out = terms->now + span;
		return span > 0 ? RES_OK
		                : diag_res(why, RES_SYNTAX,
		                      "a window of %s lets nobody in", text);
	}
	if (clock_parse(text, out) != RES_OK) {
		return diag_res(why, RES_SYNTAX,
		    "the window " SHOWN " is neither a span as in 48h, nor a "
		    "time as in 2026-11-21T14:00:00Z, nor none",
		    text);
	}
	if (*out <= terms->now && cell_of(cells, ROW_STATE)[0] == '\0') {
		return diag_res(why, RES_REFUSED,
		    "the column Window: the window ended at %s; leave the cell "
		    "empty for a new one",
		    text);
	}
	return RES_OK;
}

static enum res
copy_json(const char *text, char **out, struct diag *why)
{
	*out = strdup(text);
	return *out == NULL
	    ? diag_res(why, RES_NOMEM, "there is not enough memory")
	    : RES_OK;
}

static enum res
read_notes(const char *const *cells, struct device *device, struct diag *why)
{
	const char *tags = cell_of(cells, ROW_TAGS);
	const char *info = cell_of(cells, ROW_INFO);
	struct diag said = {""};
	enum res r = RES_OK;

	if (tags[0] != '\0') {
		if ((r = row_check_tags(tags, &said)) != RES_OK) {
			return diag_res(why, r, "tags: %s", said.text);
		}
		r = copy_json(tags, &device->tags, why);
	}
	if (r == RES_OK && info[0] != '\0') {
		if ((r = json_check(info, '{', JSON_MAX, &said)) != RES_OK) {
			return diag_res(why, r, "info: %s", said.text);
		}
		r = copy_json(info, &device->info, why);
	}
	return r;
}

static enum res
read_locked(const char *text, bool *out, struct diag *why)
{
	*out = strcmp(text, "yes") == 0;
	return *out || text[0] == '\0' || strcmp(text, "no") == 0
	    ? RES_OK
	    : diag_res(why, RES_SYNTAX,
	          "locked is " SHOWN ", neither yes nor no", text);
}

static enum res
read_gateway(const char *text, struct device *device, struct diag *why)
{
	const char *said = NULL;
	enum res r;

	if (text[0] == '\0') {
		return RES_OK;
	}
	r = identity_parse(text, strlen(text), &device->gateway, &said);
	if (r != RES_OK) {
		return diag_res(why, r,
		    "the gateway " SHOWN " is not an identity such as "
		    "g:hub:0001 (%s)",
		    text, said);
	}
	if (device->gateway.type.class != 'g') {
		return diag_res(why, RES_REFUSED,
		    SHOWN " is not a gateway, whose class is g", text);
	}
	if (device->who.type.class != 'd') {
		return diag_res(why, RES_REFUSED,
		    "a gateway cannot be attached to another one");
	}
	device->has_gateway = true;
	return RES_OK;
}

static enum res
read_standing(const char *const *cells, struct device *device, struct diag *why)
{
	const char *state = cell_of(cells, ROW_STATE);
	enum res r;

	device->state = DEVICE_ALLOWED;
	if (state[0] != '\0' && !device_state_parse(state, &device->state)) {
		return diag_res(why, RES_SYNTAX,
		    "the state " SHOWN " is none of allowed, pending, "
		    "provisioned",
		    state);
	}
	r = read_locked(cell_of(cells, ROW_LOCKED), &device->locked, why);
	return r == RES_OK
	    ? read_gateway(cell_of(cells, ROW_GATEWAY), device, why)
	    : r;
}

/* The certificate cell, and the pins of Record, whose first one it names. */
static enum res
read_pins(const struct row_terms *terms, const char *const *cells,
    struct device *device, struct diag *why)
{
	const char *text = cell_of(cells, ROW_CERT);
	struct pin pin;
	enum res r;

	if (text[0] != '\0') {
		r = row_read_cert(text, &device->who, terms->now, &pin, why);
		if (r != RES_OK) {
			return r;
		}
		if (device->pins.count == 0) {
			device->pins.list[0] = pin;
			device->pins.count = 1;
		}
	}
	if (device->pins.count > 0 &&
	    (text[0] == '\0' ||
	        memcmp(pin.fingerprint, device->pins.list[0].fingerprint,
	            HASH_LEN) != 0)) {
		return diag_res(why, RES_REFUSED,
		    "the certificate is not the one whose pin Record begins "
		    "with: take the pins out of Record to list another one");
	}
	return RES_OK;
}

static enum res
fill(const struct row_terms *terms, const char *const *cells,
    struct device *device, struct diag *why)
{
	const char *record = cell_of(cells, ROW_RECORD);
	const struct type_record *type =
	    type_of(terms->config, terms->org, &device->who.type);
	enum res r = check_type(terms, type, &device->who, why);

	if (r == RES_OK) {
		r = read_window(
		    terms, type, cells, &device->window_ends_at, why);
	}
	if (r == RES_OK) {
		r = read_standing(cells, device, why);
	}
	if (r == RES_OK) {
		r = read_notes(cells, device, why);
	}
	if (r == RES_OK) {
		r = row_record_read(record, terms->now, device, why);
	}
	return r == RES_OK ? read_pins(terms, cells, device, why) : r;
}

enum res
row_read(const struct row_terms *terms, const char *const *cells,
    struct device *out, struct diag *why)
{
	struct identity who;
	enum res r = read_who(terms, cells, &who, why);

	*out = (struct device){.tags = NULL};
	if (r != RES_OK) {
		return r;
	}
	device_init(out, terms->org, &who);
	r = fill(terms, cells, out, why);
	if (r != RES_OK) {
		device_done(out);
		*out = (struct device){.tags = NULL};
	}
	return r;
}

void
row_write_header(FILE *to)
{
	const char *names[ROW_COLUMNS];
	size_t i;

	for (i = 0; i < ROW_COLUMNS; i++) {
		names[i] = row_columns[i].name;
	}
	csv_write_row(to, names, ROW_COLUMNS);
}

static void
format_window(int64_t ends_at, char text[TIME_MAX + 1])
{
	text[0] = '\0';
	if (ends_at == CLOCK_FOREVER) {
		text_set(text, TIME_MAX + 1, "none");
	} else if (ends_at != CLOCK_NONE) {
		clock_format(ends_at, text);
	}
}

enum res
row_write(FILE *to, const struct device *device)
{
	const char class[] = {device->who.type.class, '\0'};
	char pin[HASH_TEXT_MAX + 1] = "", window[TIME_MAX + 1],
	                         gateway[IDENTITY_TEXT_MAX + 1] = "";
	char *record = row_record_print(device);
	const char *cells[ROW_COLUMNS] = {
	    [ROW_ID] = device->who.id,
	    [ROW_CERT] = pin,
	    [ROW_TAGS] = device->tags,
	    [ROW_TYPE] = device->who.type.name,
	    [ROW_CLASS] = class,
	    [ROW_WINDOW] = window,
	    [ROW_INFO] = device->info,
	    [ROW_STATE] = device_state_name(device->state),
	    [ROW_LOCKED] = device->locked ? "yes" : "no",
	    [ROW_GATEWAY] = gateway,
	    [ROW_RECORD] = record,
	};

	if (record == NULL) {
		return RES_NOMEM;
	}
	if (device->pins.count > 0) {
		text_hex(pin, device->pins.list[0].fingerprint, HASH_LEN);
	}
	if (device->has_gateway) {
		identity_format(&device->gateway, gateway);
	}
	format_window(device->window_ends_at, window);
	csv_write_row(to, cells, ROW_COLUMNS);
	free(record);
	return RES_OK;
}
