/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device: certid device add|list|show|lock|unlock|approve|remove.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/id_rule.h"
#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/pin.h"
#include "manage/streams.h"
#include "manage/words.h"
#include "policy/pins.h"

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
	r = read_file(
	    call, path, "a JSON object", JSON_MAX, &bytes, &len, &why);
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
	if (code == EXIT_DONE) {
		code = take_pins(call, &device->who, &device->pins);
	}
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
		    : report(call,
		          device_json(&call->config, &device, call->now),
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
		json_append(page->array,
		    device_json(&page->call->config, device, page->call->now));
	} else {
		add_row(page->table, device);
	}
	return RES_OK;
}

/* What a query only points to. */
struct selection {
	struct device_type type;
	struct identity after, gateway;
};

static bool
take_state(const struct call *call, struct device_query *query)
{
	const char *state = call_option(call, "state");

	if (state == NULL) {
		return true;
	}
	if (!device_state_parse(state, &query->state)) {
		(void)misuse(call,
		    "--state takes allowed, pending or provisioned%s",
		    strcmp(state, "locked") == 0
		        ? "; a device of any state may be locked: --locked"
		        : "");
		return false;
	}
	query->has_state = true;
	return true;
}

static bool
take_gateway(const struct call *call, struct identity *gateway,
    struct device_query *query)
{
	const char *text = call_option(call, "gateway");

	if (text == NULL) {
		return true;
	}
	if (!take_identity(call, text, gateway)) {
		return false;
	}
	if (gateway->type.class != 'g') {
		(void)misuse(
		    call, "%s is no gateway: name one as g:TYPE:ID", text);
		return false;
	}
	query->gateway = gateway;
	return true;
}

static bool
take_query(const struct call *call, struct device_query *query,
    struct selection *selection)
{
	const char *type = call_option(call, "type");
	const char *after = call_option(call, "after");

	if (type != NULL) {
		if (!take_type(call, type, &selection->type)) {
			return false;
		}
		query->type = &selection->type;
	}
	if (after != NULL) {
		if (!take_identity(call, after, &selection->after)) {
			return false;
		}
		query->after = &selection->after;
	}
	query->is_locked = call_option(call, "locked") != NULL;
	return take_state(call, query) &&
	    take_gateway(call, &selection->gateway, query) &&
	    take_number(call, "limit", 1, LIMIT_MAX, &query->limit);
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
	struct selection selection = {0};
	struct diag why = {""};
	struct page page;
	enum res r;

	if (!take_query(call, &query, &selection)) {
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
		code =
		    report(call, device_json(&call->config, &device, call->now),
		        "the device %s is %s already", call_arg(call, 0),
		        locked ? "locked" : "unlocked");
	} else {
		code =
		    report(call, device_json(&call->config, &device, call->now),
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

/* Whether what waits is what --cert names: another one may have come since the
 * operator looked.  An exit code, an error told. */
static int
check_approved(const struct call *call, const struct device *device)
{
	const struct pin *pin;
	struct pins named = {0};
	char hex[HASH_TEXT_MAX + 1];
	int code = take_pins(call, &device->who, &named);

	if (code != EXIT_DONE || named.count == 0) {
		return code;
	}
	pin = pins_find(&device->pins, named.list[0].fingerprint);
	if (device->state == DEVICE_PENDING ? device->has_fingerprint &&
	            memcmp(device->fingerprint, named.list[0].fingerprint,
	                HASH_LEN) == 0
	                                    : pin != NULL && pin->waits) {
		return EXIT_DONE;
	}
	text_hex(hex, named.list[0].fingerprint, HASH_LEN);
	return refuse(EXIT_CONFLICT,
	    "the certificate %.16s... is not what waits: look with \"certid "
	    "device show %s\"",
	    hex, call_arg(call, 0));
}

/* A pending device first; else the certificate that waits. */
static enum res
approve(struct call *call, const struct device *device, const char **what,
    struct diag *why)
{
	struct edit edit = call_edit(call);
	struct pins pins;

	if (device->state != DEVICE_PENDING &&
	    policy_pins_approve(&device->pins,
	        overlap_of(
	            type_of(&call->config, call->org, &device->who.type)),
	        call->now, &pins)) {
		*what = "the new certificate of the device";
		return edit_device_approve_pins(
		    &edit, &device->who, &device->pins, &pins, why);
	}
	*what = "the device";
	return edit_device_approve(&edit, &device->who, why);
}

int
run_device_approve(struct call *call)
{
	struct device device = {.tags = NULL};
	struct diag why = {""};
	struct identity who;
	const char *what = "";
	enum res r;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	code = find_device(call, &who, &device);
	if (code == EXIT_DONE) {
		code = check_approved(call, &device);
	}
	if (code == EXIT_DONE) {
		r = approve(call, &device, &what, &why);
		device_done(&device);
		code = r == RES_OK ? find_device(call, &who, &device)
		                   : fail(r, &why);
	}
	if (code == EXIT_DONE) {
		code =
		    report(call, device_json(&call->config, &device, call->now),
		        "approved %s %s", what, call_arg(call, 0));
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
	code = r != RES_OK
	    ? fail(r, &why)
	    : report(call, device_json(&call->config, &device, call->now),
	          "removed the device %s", call_arg(call, 0));
	device_done(&device);
	return code;
}
