/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * device_add: certid device add|set.
 */
#include <stdlib.h>
#include <string.h>

#include "identity/id_rule.h"
#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/pin.h"
#include "manage/words.h"
#include "policy/pins.h"

#define WINDOW_DEFAULT ((int64_t)48 * 3600)

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

/* Nor could one of a type that the org does not know. */
static int
check_type(const struct call *call, const struct type_record *type,
    const struct identity *who)
{
	char text[TYPE_TEXT_MAX + 1];

	if (type == NULL && types_are_declared(&call->config, call->org)) {
		device_type_format(&who->type, text);
		return refuse(EXIT_REFUSED,
		    "the type %s is not declared: certid type set %s", text,
		    text);
	}
	return check_id(type, who);
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
	code = check_type(call, type, &device->who);
	if (code == EXIT_DONE) {
		code = take_pins(call, &device->who, &device->pins);
	}
	return code == EXIT_DONE ? take_info(call, &device->info) : code;
}

/* A device of a type of listed ones that none is listed for. */
static void
caution_pins(const struct call *call, const struct device *device)
{
	const struct type_record *type =
	    type_of(&call->config, call->org, &device->who.type);

	if (type != NULL && device->pins.count == 0 &&
	    strcmp(type->pin, pin_mode_name(PIN_LISTED)) == 0) {
		caution("the type of %s has --pin listed: it is refused until "
		        "its certificate is listed: certid device pin",
		    call_arg(call, 0));
	}
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
		if (r == RES_OK) {
			caution_pins(call, &device);
		}
		code = r != RES_OK
		    ? fail(r, &why)
		    : report(call,
		          device_json(&call->config, &device, call->now),
		          "added the device %s", call_arg(call, 0));
	}
	device_done(&device);
	return code;
}

/* Every --tag; "" alone takes back all. */
static int
take_new_tags(const struct call *call, char **out)
{
	const char *text;
	size_t at = 0, count = 0;
	bool cleared = false;

	while ((text = call_next_option(call, "tag", &at)) != NULL) {
		cleared |= text[0] == '\0';
		count++;
	}
	if (!cleared) {
		return take_tags(call, out) ? EXIT_DONE : EXIT_USAGE;
	}
	if (count > 1) {
		return misuse(
		    call, "an empty --tag takes back all: give it alone");
	}
	*out = strdup("[]");
	return *out == NULL ? fail(RES_NOMEM, &(struct diag){""}) : EXIT_DONE;
}

/* What is to be changed, into a device with an identity and nothing else. */
static int
take_notes(const struct call *call, struct device *device)
{
	int64_t window = CLOCK_NONE;
	int code;

	if (!take_window(call, &window)) {
		return EXIT_USAGE;
	}
	device->window_ends_at = window == CLOCK_NONE || window == CLOCK_FOREVER
	    ? window
	    : call->now + window;
	code = take_new_tags(call, &device->tags);
	return code == EXIT_DONE ? take_info(call, &device->info) : code;
}

/* Make the change, and show the device as it is after. */
static int
set_device(const struct call *call, struct device *device, struct device *after)
{
	struct edit edit = call_edit(call);
	struct diag why = {""};
	enum res r = edit_device_set(&edit, device, &why);
	int code;

	if (r != RES_OK) {
		return fail(r, &why);
	}
	code = find_device(call, &device->who, after);
	return code == EXIT_DONE
	    ? report(call, device_json(&call->config, after, call->now),
	          "set the device %s", call_arg(call, 0))
	    : code;
}

int
run_device_set(struct call *call)
{
	struct device device = {.tags = NULL}, after = {.tags = NULL};
	struct identity who;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	if (call_option(call, "tag") == NULL &&
	    call_option(call, "info") == NULL &&
	    call_option(call, "window") == NULL) {
		return misuse(call, "there is nothing to set");
	}
	device_init(&device, call->org, &who);
	code = take_notes(call, &device);
	if (code == EXIT_DONE) {
		code = set_device(call, &device, &after);
	}
	device_done(&device);
	device_done(&after);
	return code;
}
