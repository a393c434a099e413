/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * type_set: certid type set|unset.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/type.h"
#include "manage/type_caution.h"
#include "manage/words.h"
#include "policy/policy.h"

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

static bool
take_pinning(const struct call *call, struct type_record *record)
{
	const char *pin = call_option(call, "pin");
	const char *rotate = call_option(call, "rotate");
	const char *overlap = call_option(call, "overlap");
	enum rotation rotation;
	enum pin_mode mode;
	int64_t span = CLOCK_NONE;

	if (pin != NULL && !pin_mode_parse(pin, &mode)) {
		(void)misuse(call, "--pin takes none, first or listed");
		return false;
	}
	if (rotate != NULL && !rotation_parse(rotate, &rotation)) {
		(void)misuse(
		    call, "--rotate takes none, same-key, same-ca or approve");
		return false;
	}
	if (overlap != NULL && strcmp(overlap, "default") != 0 &&
	    span_parse(overlap, &span) != RES_OK) {
		(void)misuse(call,
		    "--overlap takes a time as in 0s, 48h, 7d, or default");
		return false;
	}
	if (pin != NULL) {
		text_set(record->pin, sizeof(record->pin), pin);
	}
	if (rotate != NULL) {
		text_set(record->rotate, sizeof(record->rotate), rotate);
	}
	if (overlap != NULL) {
		record->overlap = span;
	}
	return true;
}

static bool
take_max_devices(const struct call *call, int64_t *out)
{
	const char *text = call_option(call, "max-devices");

	if (text != NULL && strcmp(text, "none") == 0) {
		*out = 0;
		return true;
	}
	if (text != NULL && text_number(text, 1, DEVICES_MAX, out) != RES_OK) {
		(void)misuse(call,
		    "--max-devices takes a number from 1 to %d, or none",
		    DEVICES_MAX);
		return false;
	}
	return true;
}

/* Whether text is more than one of the values of --address. */
static bool
is_given_before(const struct call *call, const char *text)
{
	const char *other;
	size_t at = 0, n = 0;

	while ((other = call_next_option(call, "address", &at)) != NULL) {
		n += strcmp(other, text) == 0;
	}
	return n > 1;
}

/* One --address into the array; false: it is none, which has been told. */
static bool
add_address(const struct call *call, const char *text, struct json *array,
    size_t *count)
{
	struct diag why = {""};
	struct cidr block;

	if (cidr_parse(text, &block, &why) != RES_OK) {
		(void)misuse(call, "--address: %s", why.text);
		return false;
	}
	if (is_given_before(call, text)) {
		(void)misuse(call, "--address %.80s is given twice", text);
		return false;
	}
	if (++*count > ADDRESSES_MAX) {
		(void)misuse(
		    call, "--address may be given %d times", ADDRESSES_MAX);
		return false;
	}
	json_append_text(array, text);
	return true;
}

/* Every --address as a JSON array in *out, which is heap memory; "" alone takes
 * back all: NULL. */
static bool
take_addresses(const struct call *call, char **out)
{
	struct json *array = json_array();
	size_t at = 0, count = 0;
	bool cleared = false, ok = true;
	const char *text;
	char *printed = NULL;

	while (ok && (text = call_next_option(call, "address", &at)) != NULL) {
		cleared |= text[0] == '\0';
		ok = text[0] == '\0' || add_address(call, text, array, &count);
	}
	if (ok && cleared && count > 0) {
		(void)misuse(
		    call, "an empty --address takes back all: give it alone");
		ok = false;
	}
	if (ok && count > 0 && (printed = json_print(array)) == NULL) {
		(void)misuse(call, "there is not enough memory");
		ok = false;
	}
	json_free(array);
	if (ok && (cleared || count > 0)) {
		free(*out);
		*out = printed;
	}
	return ok;
}

static bool
take_privileged(const struct call *call, struct type_record *record)
{
	const char *text = call_option(call, "privileged");

	if (text == NULL) {
		return true;
	}
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
		(void)misuse(call, "--privileged takes yes or no");
		return false;
	}
	if (record->type.class != 'g') {
		(void)misuse(call,
		    "--privileged is about gateways: give a type such as g:%s",
		    record->type.name);
		return false;
	}
	record->privileged = strcmp(text, "yes") == 0;
	return true;
}

static int
report_type(
    const struct call *call, const struct type_view *view, const char *done)
{
	return report(
	    call, type_json(view), "%s the type %s", done, view->name);
}

/* Every option into record; false: a mistake, told. */
static bool
take_options(const struct call *call, struct type_record *record)
{
	return take_enrol(call, record->enrol) &&
	    take_type_window(call, &record->window) &&
	    take_format(call, record) && take_pinning(call, record) &&
	    take_max_devices(call, &record->max_devices) &&
	    take_privileged(call, record) &&
	    take_addresses(call, &record->addresses);
}

static int
set_type(struct call *call, struct type_view *view, struct type_record *record)
{
	struct edit edit = call_edit(call);
	struct diag why = {""};
	enum res r;

	if (!take_options(call, record)) {
		return EXIT_USAGE;
	}
	r = edit_type_set(&edit, record, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	view->record = record;
	type_caution(call, view);
	return report_type(call, view, "set");
}

static bool
is_any_given(const struct call *call)
{
	const struct option *option = call->words.command->options;

	for (; option->name != NULL; option++) {
		if (call_option(call, option->name) != NULL) {
			return true;
		}
	}
	return false;
}

int
run_type_set(struct call *call)
{
	struct type_record record = {
	    .window = CLOCK_NONE, .overlap = CLOCK_NONE};
	struct diag why = {""};
	struct type_view view;
	enum res r;
	int code;

	if (!take_type(call, call_arg(call, 0), &record.type)) {
		return EXIT_USAGE;
	}
	r = type_view(call, &record.type, &view, &why);
	if (r == RES_OK && view.record != NULL) {
		r = type_record_copy(view.record, &record);
	}
	if (r != RES_OK) {
		type_record_done(&record);
		return fail(r, &why);
	}
	/* Without a setting it is declared. */
	code = view.record != NULL && !is_any_given(call)
	    ? misuse(call, "there is nothing to set")
	    : set_type(call, &view, &record);
	type_record_done(&record);
	return code;
}

int
run_type_unset(struct call *call)
{
	struct edit edit = call_edit(call);
	struct device_type type;
	struct diag why = {""};
	struct type_view view;
	enum res r;

	if (!take_type(call, call_arg(call, 0), &type)) {
		return EXIT_USAGE;
	}
	r = edit_type_unset(&edit, &type, &why);
	if (r == RES_OK) {
		r = type_view(call, &type, &view, &why);
	}
	if (r != RES_OK) {
		return fail(r, &why);
	}
	view.record = NULL;
	return report_type(call, &view, "unset");
}
