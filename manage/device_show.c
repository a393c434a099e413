/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device_show: certid device show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"

#define KNOWN_MAX    (HASH_TEXT_MAX + TIME_MAX + 24)
#define PIN_LINE_MAX (HASH_TEXT_MAX + TIME_MAX + KNOWN_MAX + 40)

/* " (not before TIME, CA ID)", as much of it as is known. */
static void
describe_pin(
    const struct call *call, const struct pin *pin, char text[KNOWN_MAX + 1])
{
	bool has_time = pin->not_before != CLOCK_NONE;
	char ca[HASH_TEXT_MAX + 1] = "", when[TIME_MAX + 1] = "";

	text[0] = '\0';
	if (!has_time && !pin->has_ca) {
		return;
	}
	if (has_time) {
		clock_format(pin->not_before, when);
	}
	if (pin->has_ca) {
		ca_id_of(&call->config, call->org, pin->ca, ca);
	}
	(void)snprintf(text, KNOWN_MAX + 1, " (%s%s%s%s%s)",
	    has_time ? "not before " : "", when,
	    has_time && pin->has_ca ? ", " : "", pin->has_ca ? "CA " : "", ca);
}

/* "FINGERPRINT holds until TIME (not before TIME, CA ID)". */
static void
add_pin(struct table *table, const struct call *call, const struct pin *pin)
{
	char hex[HASH_TEXT_MAX + 1], when[TIME_MAX + 1] = "";
	char line[PIN_LINE_MAX + 1], known[KNOWN_MAX + 1];

	text_hex(hex, pin->fingerprint, HASH_LEN);
	describe_pin(call, pin, known);
	if (pin->waits) {
		clock_format(pin->added_at, when);
		(void)snprintf(line, sizeof(line),
		    "%s waits for approval since %s%s", hex, when, known);
	} else if (pin->ends_at == CLOCK_FOREVER) {
		(void)snprintf(line, sizeof(line), "%s holds%s", hex, known);
	} else {
		clock_format(pin->ends_at, when);
		(void)snprintf(line, sizeof(line), "%s %s %s%s", hex,
		    pin->ends_at > call->now ? "holds until" : "lapsed at",
		    when, known);
	}
	table_field(table, "pin", line);
}

static void
add_pins(struct table *table, const struct call *call, const struct pins *pins)
{
	size_t i;

	for (i = 0; i < pins->count; i++) {
		add_pin(table, call, &pins->list[i]);
	}
	if (pins->count == 0) {
		table_field(table, "pin", NULL);
	}
}

/* The end of the time that an allowed device has to connect first. */
static void
add_window(struct table *table, const struct device *device, int64_t now)
{
	char text[TIME_MAX + sizeof(", lapsed")] = "";

	if (device->window_ends_at != CLOCK_NONE &&
	    device->window_ends_at != CLOCK_FOREVER) {
		clock_format(device->window_ends_at, text);
		if (device->state == DEVICE_ALLOWED &&
		    device->window_ends_at <= now) {
			memcpy(text + strlen(text), ", lapsed",
			    sizeof(", lapsed"));
		}
	}
	table_field(table, "window ends", text);
}

static void
add_token(struct table *table, const struct token_hash *token, int64_t now)
{
	char made[TIME_MAX + 1], ends[TIME_MAX + 1] = "";
	char line[2 * TIME_MAX + 40] = "";

	if (token->is_set) {
		clock_format(token->created_at, made);
		if (token->expires_at != CLOCK_FOREVER) {
			clock_format(token->expires_at, ends);
		}
		(void)snprintf(line, sizeof(line), "set %s, %s%s", made,
		    ends[0] == '\0'               ? "without end"
		        : token->expires_at > now ? "valid until "
		                                  : "expired ",
		    ends);
	}
	table_field(table, "token", line);
}

/* How it may connect, and how it did. */
static void
add_credentials(
    struct table *table, const struct call *call, const struct device *device)
{
	char seen[SEEN_TEXT_MAX + 1];

	seen_format(device->seen_with, seen);
	table_field_time(table, "last seen", device->last_seen_at);
	table_field(table, "last address", device->last_address);
	table_field(table, "seen with", seen);
	add_window(table, device, call->now);
	add_token(table, &device->token, call->now);
	add_pins(table, call, &device->pins);
}

/* The gateway of a device; the number of devices of a gateway. */
static int
add_gateway(
    struct table *table, const struct call *call, const struct device *device)
{
	struct device_query query = {.org = call->org, .gateway = &device->who};
	char text[IDENTITY_TEXT_MAX + 1] = "";
	struct diag why = {""};
	int64_t count = 0;
	enum res r;

	if (device->who.type.class != 'g') {
		if (device->has_gateway) {
			identity_format(&device->gateway, text);
		}
		table_field(table, "gateway", text);
		return EXIT_DONE;
	}
	r = registry_count(call->registry, &query, &count, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	(void)snprintf(text, sizeof(text), "%lld", (long long)count);
	table_field(table, "attached", text);
	return EXIT_DONE;
}

/* What the registry wrote down when the device was first seen.  Later ones are
 * told of by the pins alone. */
static void
add_first(
    struct table *table, const struct call *call, const struct device *device)
{
	char hex[HASH_TEXT_MAX + 1] = "", ca[HASH_TEXT_MAX + 1] = "";

	if (device->has_ca) {
		ca_id_of(&call->config, call->org, device->ca, ca);
	}
	if (device->has_fingerprint) {
		text_hex(hex, device->fingerprint, HASH_LEN);
	}
	table_field(table, "first certificate", hex);
	if (!device->has_fingerprint && !device->has_ca) {
		return;
	}
	table_field(table, "  its ca", ca);
	table_field(table, "  its subject", device->subject);
	table_field(table, "  its serial", device->serial);
	table_field_time(table, "  its not after", device->not_after);
}

static int
add_fields(
    struct table *table, const struct call *call, const struct device *device)
{
	char identity[IDENTITY_TEXT_MAX + 1], *tags = tags_format(device->tags);
	int code;

	identity_format(&device->who, identity);
	table_field(table, "identity", identity);
	table_field(table, "state", device_state_name(device->state));
	table_field(table, "locked", device->locked ? "yes" : "no");
	table_field_time(table, "created", device->created_at);
	table_field_time(table, "provisioned", device->provisioned_at);
	add_credentials(table, call, device);
	code = add_gateway(table, call, device);
	add_first(table, call, device);
	table_field(table, "tags", tags != NULL ? tags : device->tags);
	table_field(table, "info",
	    device->info == NULL || strcmp(device->info, "{}") == 0
	        ? NULL
	        : device->info);
	free(tags);
	return code;
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
		code =
		    print_json(device_json(&call->config, &device, call->now));
	} else {
		table = table_new(NULL, 2);
		code = add_fields(table, call, &device);
		if (code == EXIT_DONE) {
			code = print_table(table);
		} else {
			table_free(table);
		}
	}
	device_done(&device);
	return code;
}
