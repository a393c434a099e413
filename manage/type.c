/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * type: certid type list|show|set|unset.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"
#include "policy/policy.h"

/* What there is to tell about one type. */
struct view {
	struct device_type type;
	char name[TYPE_TEXT_MAX + 1];
	const struct type_record *record; /* NULL: not declared */
	const char *rule;                 /* its own name, or "default" */
	const char *level;
	int64_t devices;
};

static enum res
view_type(const struct call *call, const struct device_type *type,
    struct view *out, struct diag *why)
{
	const struct config *config = &call->config;
	const struct rule_record *rule;

	out->type = *type;
	device_type_format(type, out->name);
	out->record = type_of(config, call->org, type);
	rule = rule_of(config, call->org, out->name);
	out->rule = rule != NULL ? out->name : "default";
	rule = rule != NULL ? rule : rule_of(config, call->org, "default");
	out->level = rule != NULL ? rule->level : level_name(LEVEL_CERT);
	return count_devices(call, type, &out->devices, why);
}

static const char *
or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static struct json *
type_json(const struct view *view)
{
	const struct type_record none = {.window = CLOCK_NONE}, *record;
	const char class[] = {view->type.class, '\0'};
	struct json *object = json_object();
	char window[SPAN_TEXT_MAX + 1];

	record = view->record == NULL ? &none : view->record;
	window_format(record->window, window);
	json_add_text(object, "type", view->name);
	json_add_text(object, "class", class);
	json_add_text(object, "name", view->type.name);
	json_add_bool(object, "declared", view->record != NULL);
	json_add_text(object, "enrol", or_null(record->enrol));
	json_add_text(object, "window", or_null(window));
	json_add_text(object, "id_format",
	    record->id_format[0] == '\0' ? id_kind_name(ID_ANY)
	                                 : record->id_format);
	if (record->id_length > 0) {
		json_add_number(object, "id_length", record->id_length);
	} else {
		json_add_null(object, "id_length");
	}
	json_add_text(object, "id_prefix", or_null(record->id_prefix));
	json_add_text(object, "rule", view->rule);
	json_add_text(object, "level", view->level);
	json_add_number(object, "devices", view->devices);
	return object;
}

static void
add_row(struct table *table, const struct view *view)
{
	char devices[24];
	const char *row[] = {view->name, view->record == NULL ? "no" : "yes",
	    view->record == NULL || view->record->enrol[0] == '\0'
	        ? "default"
	        : view->record->enrol,
	    view->rule, view->level, devices};

	(void)snprintf(
	    devices, sizeof(devices), "%lld", (long long)view->devices);
	table_add(table, row);
}

/* A growing set of types. */
struct types {
	struct device_type *items;
	size_t count, room;
};

static enum res
add_type(struct types *types, const struct device_type *type)
{
	size_t i, room = types->room == 0 ? 64 : types->room * 2;
	struct device_type *items;

	for (i = 0; i < types->count; i++) {
		if (device_type_equal(&types->items[i], type)) {
			return RES_OK;
		}
	}
	if (types->count == types->room) {
		items = realloc(types->items, room * sizeof(*items));
		if (items == NULL) {
			return RES_NOMEM;
		}
		types->items = items;
		types->room = room;
	}
	types->items[types->count++] = *type;
	return RES_OK;
}

static enum res
keep(const struct device *device, void *context)
{
	*(struct identity *)context = device->who;
	return RES_OK;
}

/* The types of all devices, one look-up for each: from the last identity that
 * a type can have to the next one there is. */
static enum res
add_seen(const struct call *call, struct types *types, struct diag *why)
{
	struct device_query query = {.org = call->org, .limit = 1};
	struct identity next, last;
	enum res r;

	for (;;) {
		memset(&next, 0, sizeof(next));
		r = registry_scan(call->registry, &query, keep, &next, why);
		if (r != RES_OK || next.type.class == '\0') {
			return r;
		}
		r = add_type(types, &next.type);
		if (r != RES_OK) {
			return r;
		}
		/* 'z' is the highest byte that an id may hold. */
		last = next;
		memset(last.id, 'z', IDENTITY_ID_MAX);
		last.id[IDENTITY_ID_MAX] = '\0';
		query.after = &last;
	}
}

static enum res
collect(const struct call *call, struct types *types, struct diag *why)
{
	const struct config *config = &call->config;
	struct device_type type;
	const char *unused;
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < config->type_count; i++) {
		if (strcmp(config->types[i].org, call->org) == 0) {
			r = add_type(types, &config->types[i].type);
		}
	}
	for (i = 0; r == RES_OK && i < config->rule_count; i++) {
		if (strcmp(config->rules[i].org, call->org) == 0 &&
		    device_type_parse(config->rules[i].who,
		        strlen(config->rules[i].who), &type,
		        &unused) == RES_OK) {
			r = add_type(types, &type);
		}
	}
	return r == RES_OK ? add_seen(call, types, why) : r;
}

static int
compare(const void *a, const void *b)
{
	const struct device_type *x = a, *y = b;
	int classes = x->class - y->class;

	return classes != 0 ? classes : strcmp(x->name, y->name);
}

int
run_type_list(struct call *call)
{
	const char *header[] = {
	    "TYPE", "DECLARED", "ENROL", "RULE", "LEVEL", "DEVICES"};
	struct table *table = table_new(header, 6);
	struct json *array = json_array();
	struct types types = {0};
	struct diag why = {""};
	struct view view;
	enum res r;
	size_t i;

	r = collect(call, &types, &why);
	if (types.count > 0) {
		qsort(
		    types.items, types.count, sizeof(types.items[0]), compare);
	}
	for (i = 0; r == RES_OK && i < types.count; i++) {
		r = view_type(call, &types.items[i], &view, &why);
		if (r == RES_OK) {
			add_row(table, &view);
			json_append(array, type_json(&view));
		}
	}
	free(types.items);
	if (r == RES_OK && call->json) {
		table_free(table);
		return print_json(array);
	}
	json_free(array);
	if (r != RES_OK) {
		table_free(table);
		return fail(r, &why);
	}
	return print_table(table);
}

static int
print_type(const struct view *view)
{
	const struct type_record none = {.window = CLOCK_NONE}, *record;
	struct table *table = table_new(NULL, 2);
	char text[24], window[SPAN_TEXT_MAX + 1];

	record = view->record == NULL ? &none : view->record;
	table_field(table, "type", view->name);
	table_field(table, "declared", view->record == NULL ? "no" : "yes");
	table_field(table, "enrol",
	    record->enrol[0] == '\0' ? "default" : record->enrol);
	window_format(record->window, window);
	table_field(
	    table, "window", window[0] == '\0' ? "default (48h)" : window);
	table_field(table, "id format",
	    record->id_format[0] == '\0' ? id_kind_name(ID_ANY)
	                                 : record->id_format);
	(void)snprintf(text, sizeof(text), "%d", record->id_length);
	table_field(table, "id length", record->id_length == 0 ? "any" : text);
	table_field(table, "id prefix", record->id_prefix);
	table_field(table, "rule", view->rule);
	table_field(table, "level", view->level);
	(void)snprintf(text, sizeof(text), "%lld", (long long)view->devices);
	table_field(table, "devices", text);
	return print_table(table);
}

int
run_type_show(struct call *call)
{
	struct device_type type;
	struct diag why = {""};
	struct view view;
	enum res r;

	if (!take_type(call, call_arg(call, 0), &type)) {
		return EXIT_USAGE;
	}
	r = view_type(call, &type, &view, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	if (view.record == NULL && view.devices == 0 &&
	    strcmp(view.rule, "default") == 0) {
		return refuse(EXIT_NOT_FOUND,
		    "nothing is known of the type %s: see \"certid type list\"",
		    view.name);
	}
	return call->json ? print_json(type_json(&view)) : print_type(&view);
}

/* --id-format and --id-prefix, each by itself. */
static bool
take_format_words(const struct call *call, struct type_record *record)
{
	const char *format = call_option(call, "id-format");
	const char *prefix = call_option(call, "id-prefix");
	char sample[4 + 2 * IDENTITY_ID_MAX];
	const char *why = NULL;
	struct identity who;
	enum id_kind kind;

	if (format != NULL && !id_kind_parse(format, &kind)) {
		(void)misuse(call,
		    "--id-format takes any, decimal, hex, mac, mac-colon, "
		    "mac-dash or uuid4");
		return false;
	}
	if (format != NULL) {
		text_set(record->id_format, sizeof(record->id_format), format);
	}
	if (prefix != NULL && prefix[0] != '\0') {
		(void)snprintf(sample, sizeof(sample), "d:t:%s", prefix);
		if (strlen(prefix) >= IDENTITY_ID_MAX ||
		    identity_parse(sample, strlen(sample), &who, &why) !=
		        RES_OK) {
			(void)misuse(call,
			    "--id-prefix takes what an id may begin with, at "
			    "most %d bytes",
			    IDENTITY_ID_MAX - 1);
			return false;
		}
	}
	if (prefix != NULL) {
		text_set(record->id_prefix, sizeof(record->id_prefix), prefix);
	}
	return true;
}

/* --id-format, --id-length, --id-prefix: what they make together, with what
 * was set before. */
static bool
take_format(const struct call *call, struct type_record *record)
{
	int64_t length = record->id_length;
	const char *why = NULL;
	struct id_rule rule;

	if (!take_format_words(call, record) ||
	    !take_number(call, "id-length", 0, IDENTITY_ID_MAX, &length)) {
		return false;
	}
	record->id_length = (int)length;
	if (!read_id_rule(record, &rule)) {
		(void)misuse(call,
		    "the identity format \"%s\" is not known: give "
		    "--id-format",
		    record->id_format);
		return false;
	}
	if (!id_rule_is_possible(&rule, &why)) {
		(void)misuse(call, "%s", why);
		return false;
	}
	return true;
}

/* --window, where "default" is a word, too. */
static bool
take_type_window(const struct call *call, int64_t *out)
{
	const char *text = call_option(call, "window");

	if (text != NULL && strcmp(text, "default") == 0) {
		*out = CLOCK_NONE;
		return true;
	}
	return take_window(call, out);
}

static int
report_type(const struct call *call, const struct view *view, const char *done)
{
	return report(
	    call, type_json(view), "%s the type %s", done, view->name);
}

int
run_type_set(struct call *call)
{
	struct type_record record = {.window = CLOCK_NONE};
	struct edit edit = call_edit(call);
	struct diag why = {""};
	struct view view;
	enum res r;

	if (!take_type(call, call_arg(call, 0), &record.type)) {
		return EXIT_USAGE;
	}
	r = view_type(call, &record.type, &view, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	record = view.record == NULL ? record : *view.record;
	if (!take_enrol(call, record.enrol) ||
	    !take_type_window(call, &record.window) ||
	    !take_format(call, &record)) {
		return EXIT_USAGE;
	}
	r = edit_type_set(&edit, &record, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	view.record = &record;
	return report_type(call, &view, "set");
}

int
run_type_unset(struct call *call)
{
	struct edit edit = call_edit(call);
	struct device_type type;
	struct diag why = {""};
	struct view view;
	enum res r;

	if (!take_type(call, call_arg(call, 0), &type)) {
		return EXIT_USAGE;
	}
	r = edit_type_unset(&edit, &type, &why);
	if (r == RES_OK) {
		r = view_type(call, &type, &view, &why);
	}
	if (r != RES_OK) {
		return fail(r, &why);
	}
	view.record = NULL;
	return report_type(call, &view, "unset");
}
