/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * type: certid type list|show.
 */
#include "manage/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"
#include "policy/policy.h"

enum res
type_view(const struct call *call, const struct device_type *type,
    struct type_view *out, struct diag *why)
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

bool
type_is_known(const struct type_view *view)
{
	return view->record != NULL || view->devices > 0 ||
	    strcmp(view->rule, "default") != 0;
}

int
refuse_type(const struct type_view *view)
{
	return refuse(EXIT_NOT_FOUND,
	    "nothing is known of the type %s: see \"certid type list\"",
	    view->name);
}

static const char *
or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static const char *
pin_of(const struct type_record *record)
{
	return record->pin[0] == '\0' ? pin_mode_name(PIN_NONE) : record->pin;
}

static const char *
rotation_of(const struct type_record *record)
{
	return record->rotate[0] == '\0' ? rotation_name(ROTATE_NONE)
	                                 : record->rotate;
}

/* "7d", as it holds. */
static void
format_overlap(const struct type_record *record, char text[SPAN_TEXT_MAX + 1])
{
	span_format(overlap_of(record), text);
}

static void
add_limits(struct json *object, const struct type_record *record)
{
	char overlap[SPAN_TEXT_MAX + 1];

	format_overlap(record, overlap);
	json_add_text(object, "pin", pin_of(record));
	json_add_text(object, "rotate", rotation_of(record));
	json_add_text(object, "overlap", overlap);
	if (record->max_devices > 0) {
		json_add_number(object, "max_devices", record->max_devices);
	} else {
		json_add_null(object, "max_devices");
	}
	json_add_parsed(object, "address",
	    record->addresses == NULL ? "[]" : record->addresses);
	json_add_bool(object, "privileged", record->privileged);
}

struct json *
type_json(const struct type_view *view)
{
	const struct type_record none = {.window = CLOCK_NONE,
	                             .overlap = CLOCK_NONE},
	                         *record;
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
	add_limits(object, record);
	json_add_text(object, "rule", view->rule);
	json_add_text(object, "level", view->level);
	json_add_number(object, "devices", view->devices);
	return object;
}

static void
add_row(struct table *table, const struct type_view *view)
{
	const struct type_record none = {.window = CLOCK_NONE,
	                             .overlap = CLOCK_NONE},
	                         *record;
	char devices[24], most[24] = "";
	const char *row[] = {view->name, NULL, NULL, NULL, view->rule,
	    view->level, devices, most};

	record = view->record == NULL ? &none : view->record;
	row[1] = view->record == NULL ? "no" : "yes";
	row[2] = record->enrol[0] == '\0' ? "default" : record->enrol;
	row[3] = pin_of(record);
	(void)snprintf(
	    devices, sizeof(devices), "%lld", (long long)view->devices);
	if (record->max_devices > 0) {
		(void)snprintf(
		    most, sizeof(most), "%lld", (long long)record->max_devices);
	}
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
add_tallied(const struct tally *tally, void *context)
{
	return tally->count > 0 ? add_type(context, &tally->type) : RES_OK;
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
	return r == RES_OK ? registry_tally(call->registry, call->org, NULL,
	                         add_tallied, types, why)
	                   : r;
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
	const char *header[] = {"TYPE", "DECLARED", "ENROL", "PIN", "RULE",
	    "LEVEL", "DEVICES", "MAX"};
	struct table *table = table_new(header, 8);
	struct json *array = json_array();
	struct types types = {0};
	struct diag why = {""};
	struct type_view view;
	enum res r;
	size_t i;

	table_align_right(table, 6, 7);
	r = collect(call, &types, &why);
	if (types.count > 0) {
		qsort(
		    types.items, types.count, sizeof(types.items[0]), compare);
	}
	for (i = 0; r == RES_OK && i < types.count; i++) {
		r = type_view(call, &types.items[i], &view, &why);
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

/* "10.0.0.0/8, 2001:db8::/32"; the caller frees it, NULL: any address. */
static char *
join_addresses(const struct type_record *record)
{
	size_t count = 0, i, size = 1, used = 0;
	char **texts = NULL, *line = NULL;

	if (record->addresses == NULL ||
	    json_read_texts(record->addresses, ADDRESSES_MAX, &texts, &count,
	        NULL) != RES_OK) {
		return NULL;
	}
	for (i = 0; i < count; i++) {
		size += strlen(texts[i]) + 2;
	}
	line = calloc(1, size);
	for (i = 0; line != NULL && i < count; i++) {
		used += (size_t)snprintf(line + used, size - used, "%s%s",
		    i == 0 ? "" : ", ", texts[i]);
	}
	json_texts_free(texts, count);
	return line;
}

static void
print_limits(struct table *table, char class, const struct type_record *record)
{
	char overlap[SPAN_TEXT_MAX + 1], most[24] = "none";
	char *addresses = join_addresses(record);

	format_overlap(record, overlap);
	if (record->max_devices > 0) {
		(void)snprintf(
		    most, sizeof(most), "%lld", (long long)record->max_devices);
	}
	table_field(table, "pin", pin_of(record));
	table_field(table, "rotate", rotation_of(record));
	table_field(table, "overlap", overlap);
	table_field(table, "max devices", most);
	table_field(table, "address",
	    addresses != NULL               ? addresses
	        : record->addresses == NULL ? "any"
	                                    : record->addresses);
	if (class == 'g') {
		table_field(
		    table, "privileged", record->privileged ? "yes" : "no");
	}
	free(addresses);
}

static int
print_type(const struct type_view *view)
{
	const struct type_record none = {.window = CLOCK_NONE,
	                             .overlap = CLOCK_NONE},
	                         *record;
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
	print_limits(table, view->type.class, record);
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
	struct type_view view;
	enum res r;

	if (!take_type(call, call_arg(call, 0), &type)) {
		return EXIT_USAGE;
	}
	r = type_view(call, &type, &view, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	if (!type_is_known(&view)) {
		return refuse_type(&view);
	}
	return call->json ? print_json(type_json(&view)) : print_type(&view);
}
