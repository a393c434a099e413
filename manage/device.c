/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device: certid device add|list|show|lock|unlock|approve|remove.
 */
#include <stdlib.h>
#include <string.h>

#include "identity/id_rule.h"
#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/streams.h"
#include "manage/words.h"

#define WINDOW_DEFAULT ((int64_t)48 * 3600)
#define LIMIT_DEFAULT  100
#define LIMIT_MAX      100000

/* The file of --info, which must be a JSON object, as text. */
static int
take_info(const struct call *call, char **out)
{
	const char *path = call_option(call, "info");
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;

	if (path == NULL) {
		return EXIT_DONE;
	}
	r = read_file(path, "a JSON object", JSON_MAX, &bytes, &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = memchr(bytes, '\0', len) != NULL
	    ? diag_res(&why, RES_SYNTAX, "there is a NUL in it")
	    : json_check((const char *)bytes, '{', JSON_MAX, &why);
	if (r != RES_OK) {
		free(bytes);
		return blame_file(path, &why);
	}
	*out = (char *)bytes;
	return EXIT_DONE;
}

/* An id that its type does not admit could never connect. */
static int
check_id(const struct type_record *type, const struct identity *who)
{
	char format[ID_RULE_TEXT_MAX + 1];
	const char *why = NULL;
	struct id_rule rule;

	if (!read_id_rule(type, &rule)) {
		return refuse(EXIT_NO_REGISTRY,
		    "the registry holds an unknown identity format \"%s\": "
		    "set it anew with \"certid type set\"",
		    type->id_format);
	}
	if (strchr(who->id, ':') != NULL && !id_rule_admits_colon(&rule)) {
		return refuse(EXIT_REFUSED,
		    "the id %s may hold a ':' only in a type with "
		    "--id-format mac-colon",
		    who->id);
	}
	if (!id_rule_check(&rule, who->id, &why)) {
		id_rule_format(&rule, format);
		return refuse(EXIT_REFUSED,
		    "the id %s does not follow the format of its type, %s: %s",
		    who->id, format, why);
	}
	return EXIT_DONE;
}

/* What the options and the type say, into a device with an identity; an exit
 * code, an error told. */
static int
take_device(const struct call *call, struct device *device)
{
	const struct type_record *type =
	    type_of(&call->config, call->org, &device->who.type);
	int64_t window = WINDOW_DEFAULT;
	int code;

	if (type != NULL && type->window != CLOCK_NONE) {
		window = type->window;
	}
	if (!take_window(call, &window) || !take_tags(call, &device->tags)) {
		return EXIT_USAGE;
	}
	device->window_ends_at =
	    window == CLOCK_FOREVER ? CLOCK_FOREVER : call->now + window;
	code = check_id(type, &device->who);
	return code == EXIT_DONE ? take_info(call, &device->info) : code;
}

int
run_device_add(struct call *call)
{
	struct edit edit = call_edit(call);
	struct device device = {.tags = NULL};
	struct diag why = {""};
	struct identity who;
	enum res r;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	device_init(&device, call->org, &who);
	code = take_device(call, &device);
	if (code == EXIT_DONE) {
		r = edit_device_add(&edit, &device, &why);
		code = r != RES_OK
		    ? fail(r, &why)
		    : report(call, device_json(&call->config, &device),
		          "added the device %s", call_arg(call, 0));
	}
	device_done(&device);
	return code;
}

/* One page under construction; one row more than the page tells of more. */
struct page {
	const struct call *call;
	struct json *array;  /* with --json */
	struct table *table; /* for people */
	int64_t rows, limit;
	struct identity last;
};

static void
add_row(struct table *table, const struct device *device)
{
	char identity[IDENTITY_TEXT_MAX + 1], seen[TIME_MAX + 1] = "";
	const char *row[] = {identity, device_state_name(device->state),
	    device->locked ? "yes" : "no", seen, device->last_address};

	identity_format(&device->who, identity);
	if (device->last_seen_at != CLOCK_NONE) {
		clock_format(device->last_seen_at, seen);
	}
	table_add(table, row);
}

static enum res
visit(const struct device *device, void *context)
{
	struct page *page = context;

	page->rows++;
	if (page->rows > page->limit) {
		return RES_OK;
	}
	page->last = device->who;
	if (page->call->json) {
		json_append(
		    page->array, device_json(&page->call->config, device));
	} else {
		add_row(page->table, device);
	}
	return RES_OK;
}

static bool
take_query(const struct call *call, struct device_query *query,
    struct device_type *type, struct identity *after)
{
	const char *type_text = call_option(call, "type");
	const char *state = call_option(call, "state");
	const char *after_text = call_option(call, "after");

	if (type_text != NULL) {
		if (!take_type(call, type_text, type)) {
			return false;
		}
		query->type = type;
	}
	if (state != NULL) {
		if (!device_state_parse(state, &query->state)) {
			(void)misuse(call,
			    "--state takes allowed, pending or provisioned%s",
			    strcmp(state, "locked") == 0
			        ? "; a device of any state may be locked"
			        : "");
			return false;
		}
		query->has_state = true;
	}
	if (after_text != NULL) {
		if (!take_identity(call, after_text, after)) {
			return false;
		}
		query->after = after;
	}
	return take_number(call, "limit", 1, LIMIT_MAX, &query->limit);
}

static int
print_page(struct page *page)
{
	char last[IDENTITY_TEXT_MAX + 1];
	int code;

	if (page->call->json) {
		table_free(page->table);
		return print_json(page->array);
	}
	json_free(page->array);
	code = print_table(page->table);
	if (page->rows > page->limit) {
		identity_format(&page->last, last);
		(void)fprintf(complaints(),
		    "certid: there are more: repeat with --after %s\n", last);
	}
	return code;
}

int
run_device_list(struct call *call)
{
	const char *header[] = {
	    "IDENTITY", "STATE", "LOCKED", "LAST SEEN", "ADDRESS"};
	struct device_query query = {
	    .org = call->org, .limit = LIMIT_DEFAULT, .full = call->json};
	struct device_type type = {0};
	struct identity after;
	struct diag why = {""};
	struct page page;
	enum res r;

	if (!take_query(call, &query, &type, &after)) {
		return EXIT_USAGE;
	}
	page = (struct page){.call = call,
	    .array = json_array(),
	    .table = table_new(header, 5),
	    .limit = query.limit};
	query.limit++;
	r = registry_scan(call->registry, &query, visit, &page, &why);
	if (r != RES_OK) {
		json_free(page.array);
		table_free(page.table);
		return fail(r, &why);
	}
	return print_page(&page);
}

static void
add_fields(
    struct table *table, const struct call *call, const struct device *device)
{
	char identity[IDENTITY_TEXT_MAX + 1],
	    hex[HASH_TEXT_MAX + 1] = "", ca[HASH_TEXT_MAX + 1] = "";

	if (device->has_ca) {
		ca_id_of(&call->config, call->org, device->ca, ca);
	}
	if (device->has_fingerprint) {
		text_hex(hex, device->fingerprint, HASH_LEN);
	}
	identity_format(&device->who, identity);
	table_field(table, "identity", identity);
	table_field(table, "state", device_state_name(device->state));
	table_field(table, "locked", device->locked ? "yes" : "no");
	table_field_time(table, "created", device->created_at);
	table_field_time(table, "provisioned", device->provisioned_at);
	table_field_time(table, "last seen", device->last_seen_at);
	table_field(table, "last address", device->last_address);
	table_field_time(table, "window ends", device->window_ends_at);
	table_field(table, "ca", ca);
	table_field(table, "fingerprint", hex);
	table_field(table, "subject", device->subject);
	table_field(table, "serial", device->serial);
	table_field_time(table, "not after", device->not_after);
	table_field(table, "tags", device->tags);
	table_field(table, "info", device->info);
}

int
run_device_show(struct call *call)
{
	struct device device = {.tags = NULL};
	struct table *table;
	struct identity who;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	code = find_device(call, &who, &device);
	if (code != EXIT_DONE) {
		return code;
	}
	if (call->json) {
		code = print_json(device_json(&call->config, &device));
	} else {
		table = table_new(NULL, 2);
		add_fields(table, call, &device);
		code = print_table(table);
	}
	device_done(&device);
	return code;
}

/* Lock or unlock one device, and show it as it is after. */
static int
change_lock(struct call *call, bool locked)
{
	struct edit edit = call_edit(call);
	struct device device = {.tags = NULL};
	struct diag why = {""};
	struct identity who;
	bool already;
	enum res r;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	code = find_device(call, &who, &device);
	if (code != EXIT_DONE) {
		return code;
	}
	already = device.locked == locked;
	r = edit_device_lock(&edit, &who, locked, &why);
	device.locked = locked;
	if (r != RES_OK) {
		code = fail(r, &why);
	} else if (already) {
		code = report(call, device_json(&call->config, &device),
		    "the device %s is %s already", call_arg(call, 0),
		    locked ? "locked" : "unlocked");
	} else {
		code = report(call, device_json(&call->config, &device),
		    "%s the device %s", locked ? "locked" : "unlocked",
		    call_arg(call, 0));
	}
	device_done(&device);
	return code;
}

int
run_device_lock(struct call *call)
{
	return change_lock(call, true);
}

int
run_device_unlock(struct call *call)
{
	return change_lock(call, false);
}

int
run_device_approve(struct call *call)
{
	struct edit edit = call_edit(call);
	struct device device = {.tags = NULL};
	struct diag why = {""};
	struct identity who;
	enum res r;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	r = edit_device_approve(&edit, &who, &why);
	code = r == RES_OK ? find_device(call, &who, &device) : fail(r, &why);
	if (code == EXIT_DONE) {
		code = report(call, device_json(&call->config, &device),
		    "approved the device %s", call_arg(call, 0));
	}
	device_done(&device);
	return code;
}

int
run_device_remove(struct call *call)
{
	struct edit edit = call_edit(call);
	struct device device = {.tags = NULL};
	struct diag why = {""};
	struct identity who;
	enum res r;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	code = find_device(call, &who, &device);
	if (code != EXIT_DONE) {
		return code;
	}
	r = edit_device_remove(&edit, &who, &why);
	code = r != RES_OK ? fail(r, &why)
	                   : report(call, device_json(&call->config, &device),
	                         "removed the device %s", call_arg(call, 0));
	device_done(&device);
	return code;
}
