/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * edit_type: what operators do to a device type.  See edit.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/edit_private.h"

#define NUMBER_MAX 23

/* The settings of a type as the command line has them. */
struct spelling {
	const char *enrol, *id_format, *id_prefix, *pin, *rotate, *addresses;
	const char *privileged;
	char window[SPAN_TEXT_MAX + 1], overlap[SPAN_TEXT_MAX + 1];
	char id_length[NUMBER_MAX + 1], max_devices[NUMBER_MAX + 1];
};

static const char *
word_or(const char *word, const char *other)
{
	return word == NULL || word[0] == '\0' ? other : word;
}

static void
spell_span(int64_t span, char text[SPAN_TEXT_MAX + 1])
{
	if (span == CLOCK_NONE || span == CLOCK_FOREVER) {
		text_set(text, SPAN_TEXT_MAX + 1,
		    span == CLOCK_NONE ? "default" : "none");
	} else {
		span_format(span, text);
	}
}

static void
spell_number(int64_t number, const char *zero, char text[NUMBER_MAX + 1])
{
	if (number == 0) {
		text_set(text, NUMBER_MAX + 1, zero);
	} else {
		(void)snprintf(text, NUMBER_MAX + 1, "%" PRId64, number);
	}
}

static void
spell(const struct type_record *type, struct spelling *out)
{
	out->enrol = word_or(type->enrol, "default");
	out->id_format = word_or(type->id_format, "any");
	out->id_prefix = word_or(type->id_prefix, "none");
	out->pin = word_or(type->pin, "none");
	out->rotate = word_or(type->rotate, "none");
	out->addresses = word_or(type->addresses, "any");
	out->privileged = type->privileged ? "yes" : "no";
	spell_span(type->window, out->window);
	spell_span(type->overlap, out->overlap);
	spell_number(type->id_length, "any", out->id_length);
	spell_number(type->max_devices, "none", out->max_devices);
}

/* What differs, behind detail, which is freed; NULL: no memory. */
static char *
join(char *detail, const struct spelling *was, const struct spelling *is)
{
	const struct {
		const char *key, *was, *is;
	} settings[] = {
	    {"enrol", was->enrol, is->enrol},
	    {"window", was->window, is->window},
	    {"id-format", was->id_format, is->id_format},
	    {"id-length", was->id_length, is->id_length},
	    {"id-prefix", was->id_prefix, is->id_prefix},
	    {"pin", was->pin, is->pin},
	    {"rotate", was->rotate, is->rotate},
	    {"overlap", was->overlap, is->overlap},
	    {"max-devices", was->max_devices, is->max_devices},
	    {"address", was->addresses, is->addresses},
	    {"privileged", was->privileged, is->privileged},
	};
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		detail = edit_describe_change(
		    detail, settings[i].key, settings[i].was, settings[i].is);
	}
	return detail;
}

static char *
describe(
    char *detail, const struct type_record *old, const struct type_record *new)
{
	struct spelling was, is;

	spell(old, &was);
	spell(new, &is);
	return join(detail, &was, &is);
}

/* What there is to say of the change from the type as it is stored, "" if there
 * is none. */
static enum res
compare(const struct edit *edit, const struct type_record *type, char **detail,
    struct diag *why)
{
	const struct type_record none = {.window = CLOCK_NONE,
	                             .overlap = CLOCK_NONE},
	                         *old = NULL;
	struct config config = {0};
	enum res r = registry_load(edit->registry, &config, why);
	size_t i;

	for (i = 0; r == RES_OK && i < config.type_count; i++) {
		if (strcmp(config.types[i].org, edit->org) == 0 &&
		    device_type_equal(&config.types[i].type, &type->type)) {
			old = &config.types[i];
		}
	}
	if (r == RES_OK) {
		*detail = old == NULL
		    ? describe(edit_describe("declared"), &none, type)
		    : describe(edit_describe("%s", ""), old, type);
	}
	config_done(&config);
	return r;
}

enum res
edit_type_set(
    const struct edit *edit, struct type_record *type, struct diag *why)
{
	char text[TYPE_TEXT_MAX + 1], *detail = NULL;
	struct change change;
	enum res r = edit_put_org(edit, type->org, why);

	if (r == RES_OK) {
		r = compare(edit, type, &detail, why);
	}
	if (r != RES_OK) {
		return r;
	}
	if (detail != NULL && detail[0] == '\0') {
		free(detail);
		return RES_OK;
	}
	device_type_format(&type->type, text);
	change = edit_change(edit, CHANGE_TYPE_SET, "type-changed", text);
	change.of.type = type;
	return edit_apply(edit, &change, detail, why);
}

enum res
edit_type_unset(
    const struct edit *edit, const struct device_type *type, struct diag *why)
{
	struct type_record record = {.type = *type};
	char text[TYPE_TEXT_MAX + 1];
	struct change change;

	device_type_format(type, text);
	change = edit_change(edit, CHANGE_TYPE_UNSET, "type-changed", text);
	change.of.type = &record;
	return edit_apply(edit, &change, edit_describe("removed"), why);
}
