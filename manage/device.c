/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device: certid device list|lock|unlock|approve|remove.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/pin.h"
#include "manage/streams.h"
#include "manage/words.h"
#include "policy/pins.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     100000

/* One page under construction; one row more than the page tells of more. */
struct page {
	const struct call *call;
	struct json *array;  /* with --json */
	struct table *table; /* for people */
	int64_t rows, limit;
	struct identity last;
};

/* What is left of the time that a device has to connect first. */
static void
format_left(const struct device *device, int64_t now, char text[24])
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	int64_t left = device->window_ends_at - now;
	size_t i = 0;

	text[0] = '\0';
	if (device->state != DEVICE_ALLOWED) {
		return;
	}
	if (device->window_ends_at == CLOCK_FOREVER) {
		text_set(text, 24, "none");
	} else if (device->window_ends_at <= now) {
		text_set(text, 24, "lapsed");
	} else {
		while (units[i].seconds > 1 && left < 2 * units[i].seconds) {
			i++;
		}
		(void)snprintf(text, 24, "%lld%c",
		    (long long)(left / units[i].seconds), units[i].unit);
	}
}

static void
add_row(struct table *table, const struct device *device, int64_t now)
{
	char identity[IDENTITY_TEXT_MAX + 1], seen[TIME_MAX + 1] = "";
	char left[24];
	const char *row[] = {identity, device_state_name(device->state), left,
	    device->locked ? "yes" : "no", seen, device->last_address};

	identity_format(&device->who, identity);
	format_left(device, now, left);
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
		add_row(page->table, device, page->call->now);
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
	query->is_waiting = call_option(call, "waiting") != NULL;
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
	    "IDENTITY", "STATE", "WINDOW", "LOCKED", "LAST SEEN", "ADDRESS"};
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
	    .table = table_new(header, 6),
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

/* The certificate of --cert, which must be what waits: another one may have
 * come since the operator looked.  None given: *named is empty.  An exit code,
 * an error told. */
static int
take_approved(
    const struct call *call, const struct device *device, struct pins *named)
{
	struct pin *pin = &named->list[0];
	const struct pin *there;
	char hex[HASH_TEXT_MAX + 1];
	int code = take_pins(call, &device->who, named);

	if (code != EXIT_DONE || named->count == 0) {
		return code;
	}
	there = pins_find(&device->pins, pin->fingerprint);
	if (device->state == DEVICE_PENDING ? device->has_fingerprint &&
	            memcmp(device->fingerprint, pin->fingerprint, HASH_LEN) == 0
	                                    : there != NULL && there->waits) {
		pin->has_ca = device->has_ca;
		memcpy(pin->ca, device->ca, HASH_LEN);
		keep_known(&device->pins, named);
		return EXIT_DONE;
	}
	text_hex(hex, pin->fingerprint, HASH_LEN);
	return refuse(EXIT_CONFLICT,
	    "the certificate %.16s... is not what waits: look with \"certid "
	    "device show %s\"",
	    hex, call_arg(call, 0));
}

/* A pending device first, which is then held to the certificate that was named;
 * else the certificate that waits. */
static enum res
approve(struct call *call, const struct device *device,
    const struct pins *named, const char **what, struct diag *why)
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
	*what = named->count > 0 ? "this certificate alone of the device"
	                         : "the device";
	return edit_device_approve(&edit, &device->who, named, why);
}

static int
report_approved(
    struct call *call, const struct device *device, const char *what)
{
	const char *name = call_arg(call, 0);

	if (device->locked) {
		caution("the device %s is locked all the same: certid device "
		        "unlock %s admits it",
		    name, name);
	}
	return report(call, device_json(&call->config, device, call->now),
	    "approved %s %s", what, name);
}

int
run_device_approve(struct call *call)
{
	struct device device = {.tags = NULL};
	struct pins named = {.count = 0};
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
		code = take_approved(call, &device, &named);
	}
	if (code == EXIT_DONE) {
		r = approve(call, &device, &named, &what, &why);
		device_done(&device);
		code = r == RES_OK ? find_device(call, &who, &device)
		                   : fail(r, &why);
	}
	if (code == EXIT_DONE) {
		code = report_approved(call, &device, what);
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
