/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Tokens, pins and gateways, by operators, on the back end in memory. */
#include "test/unit/registry/edit_fixture.h"

#include <stdio.h>
#include <string.h>

static struct identity
parse(const char *text)
{
	struct identity who = {0};
	const char *said = "";

	assert_int_equal(
	    identity_parse(text, strlen(text), &who, &said), RES_OK);
	return who;
}

static void
add(const struct edit *edit, const char *text, const struct pins *pins)
{
	struct identity who = parse(text);
	struct device device;
	struct diag why = {{0}};

	device_init(&device, edit->org, &who);
	device.window_ends_at = CLOCK_FOREVER;
	if (pins != NULL) {
		device.pins = *pins;
	}
	assert_int_equal(edit_device_add(edit, &device, &why), RES_OK);
}

static struct device
get(const struct edit *edit, const char *text)
{
	struct identity who = parse(text);
	struct device device = {.tags = NULL};
	struct diag why = {{0}};
	bool clash;

	assert_int_equal(registry_get(edit->registry, edit->org, &who, false,
	                     &device, &clash, &why),
	    RES_OK);
	return device;
}

static struct token_hash
token(uint8_t first, int64_t expires_at)
{
	return (struct token_hash){.is_set = true,
	    .salt = {first},
	    .hash = {first},
	    .created_at = NOW,
	    .expires_at = expires_at};
}

/* A slot for each letter; a capital one waits. */
static struct pins
pins_of(const char *letters)
{
	struct pins pins = {.count = strlen(letters)};
	size_t i;

	for (i = 0; i < pins.count; i++) {
		pins.list[i] = (struct pin){
		    .fingerprint = {(uint8_t)(letters[i] | 0x20)},
		    .not_before = CLOCK_NONE,
		    .added_at = NOW,
		    .ends_at = CLOCK_FOREVER,
		    .waits = letters[i] < 'a',
		};
	}
	return pins;
}

static void
tokens_are_told_of_but_not_told(void **state)
{
	const struct edit *edit = *state;
	struct identity who = parse("d:m:1");
	struct token_hash one = token(1, CLOCK_FOREVER), two = token(2, NOW);
	struct token_hash none = {.is_set = false};
	struct diag why = {{0}};
	struct device device;

	add(edit, "d:m:1", NULL);
	assert_int_equal(edit_device_token(edit, &who, &one, &why), RES_OK);
	edit_must_tell(
	    edit, "default token-changed d:m:1: new token, without end");
	assert_int_equal(edit_device_token(edit, &who, &two, &why), RES_OK);
	edit_must_tell(edit,
	    "default token-changed d:m:1: new token, valid until "
	    "2027-01-15T08:00:00Z");
	device = get(edit, "d:m:1");
	assert_true(token_hash_equal(&device.token, &two));
	assert_int_equal(edit_device_token(edit, &who, &none, &why), RES_OK);
	edit_must_tell(edit, "default token-changed d:m:1: revoked");
	assert_int_equal(
	    edit_device_token(edit, &who, &none, &why), RES_NOTFOUND);
	assert_non_null(strstr(why.text, "d:m:1 has no token"));
	edit_must_tell(edit, "default token-changed d:m:1: revoked");
}

static void
pins_are_told_of(void **state)
{
	static const struct {
		const char *letters, *want;
	} cases[] = {
	    {"a", "6100000000000000"},
	    {"ab", "6100000000000000, 6200000000000000"},
	    {"abC",
	        "6100000000000000, 6200000000000000, 6300000000000000 waits"},
	    {"A", "6100000000000000 waits"},
	    {"", "none"},
	};
	const struct edit *edit = *state;
	struct identity who = parse("d:m:1");
	struct diag why = {{0}};
	struct pins pins;
	char want[160];
	int64_t mark;
	size_t i;

	add(edit, "d:m:1", NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pins = pins_of(cases[i].letters);
		assert_int_equal(
		    edit_device_pins(edit, &who, &pins, &why), RES_OK);
		(void)snprintf(want, sizeof(want),
		    "default pin-changed d:m:1: %s", cases[i].want);
		edit_must_tell(edit, want);
		mark = edit_mark(edit);
		assert_int_equal(
		    edit_device_pins(edit, &who, &pins, &why), RES_OK);
		assert_int_equal(edit_mark(edit), mark);
	}
}

static void
a_certificate_is_approved_if_nothing_came_between(void **state)
{
	const struct edit *edit = *state;
	struct identity who = parse("d:m:1");
	struct pins before = pins_of("aB"), other = pins_of("aC"),
	            after = pins_of("ab");
	struct diag why = {{0}};
	struct device device;
	int64_t mark;

	add(edit, "d:m:1", &before);
	mark = edit_mark(edit);
	assert_int_equal(
	    edit_device_approve_pins(edit, &who, &other, &after, &why),
	    RES_REFUSED);
	assert_non_null(strstr(why.text, "changed in between"));
	assert_int_equal(edit_mark(edit), mark);
	assert_int_equal(
	    edit_device_approve_pins(edit, &who, &before, &after, &why),
	    RES_OK);
	edit_must_tell(edit,
	    "default device-approved d:m:1: certificate 6200000000000000");
	device = get(edit, "d:m:1");
	assert_true(pins_equal(&device.pins, &after));
}

static void
gateways_are_told_of(void **state)
{
	const struct edit *edit = *state;
	struct identity who = parse("d:m:1"), gate = parse("g:g:1");
	struct diag why = {{0}};
	int64_t mark;

	add(edit, "d:m:1", NULL);
	add(edit, "g:g:1", NULL);
	mark = edit_mark(edit);
	assert_int_equal(edit_device_attach(edit, &who, NULL, &why), RES_OK);
	assert_int_equal(edit_mark(edit), mark);
	assert_int_equal(edit_device_attach(edit, &who, &gate, &why), RES_OK);
	edit_must_tell(edit, "default device-attached d:m:1: g:g:1");
	mark = edit_mark(edit);
	assert_int_equal(edit_device_attach(edit, &who, &gate, &why), RES_OK);
	assert_int_equal(edit_mark(edit), mark);
	assert_int_equal(edit_device_attach(edit, &who, NULL, &why), RES_OK);
	assert_int_equal(edit_mark(edit), mark + 1);
}

/* One line a refusal: it says why and changes nothing. */
static const struct {
	const char *who, *gateway;
	enum res want;
	const char *words;
} attachments[] = {
    {"d:m:1", "d:m:1", RES_REFUSED, "d:m:1 is no gateway"},
    {"d:m:1", "d:m:2", RES_REFUSED, "d:m:2 is no gateway"},
    {"g:g:1", "g:g:1", RES_REFUSED, "only a device"},
    {"d:m:1", "g:g:2", RES_NOTFOUND, "g:g:2 is not registered"},
    {"d:m:1", "g:G:1", RES_NOTFOUND, "differs in letter case"},
    {"d:m:2", "g:g:1", RES_NOTFOUND, "no device d:m:2"},
    {"d:m:2", NULL, RES_NOTFOUND, "no device d:m:2"},
};

static void
what_cannot_be_attached_is_refused(void **state)
{
	const struct edit *edit = *state;
	struct identity who, gate;
	struct diag why;
	int64_t mark;
	size_t i;

	add(edit, "d:m:1", NULL);
	add(edit, "g:g:1", NULL);
	mark = edit_mark(edit);
	for (i = 0; i < sizeof(attachments) / sizeof(attachments[0]); i++) {
		who = parse(attachments[i].who);
		if (attachments[i].gateway != NULL) {
			gate = parse(attachments[i].gateway);
		}
		diag_set(&why, "%s", "");
		assert_int_equal(
		    edit_device_attach(edit, &who,
		        attachments[i].gateway == NULL ? NULL : &gate, &why),
		    attachments[i].want);
		assert_non_null(strstr(why.text, attachments[i].words));
		assert_int_equal(edit_mark(edit), mark);
	}
}

static void
there_must_be_a_device(void **state)
{
	const struct edit *edit = *state;
	struct identity who = parse("d:m:1");
	struct token_hash one = token(1, CLOCK_FOREVER), none = {0};
	struct pins a = pins_of("a"), b = pins_of("b"), no = pins_of("");
	struct diag why = {{0}};

	assert_int_equal(
	    edit_device_token(edit, &who, &one, &why), RES_NOTFOUND);
	assert_int_equal(
	    edit_device_token(edit, &who, &none, &why), RES_NOTFOUND);
	assert_int_equal(edit_device_pins(edit, &who, &a, &why), RES_NOTFOUND);
	assert_int_equal(edit_device_pins(edit, &who, &no, &why), RES_NOTFOUND);
	assert_int_equal(
	    edit_device_approve_pins(edit, &who, &a, &b, &why), RES_NOTFOUND);
	assert_int_equal(
	    edit_device_approve(edit, &who, NULL, &why), RES_NOTFOUND);
	assert_int_equal(
	    edit_device_approve(edit, &who, &a, &why), RES_NOTFOUND);
	assert_int_equal(edit_mark(edit), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    EDIT_TEST(tokens_are_told_of_but_not_told),
	    EDIT_TEST(pins_are_told_of),
	    EDIT_TEST(a_certificate_is_approved_if_nothing_came_between),
	    EDIT_TEST(gateways_are_told_of),
	    EDIT_TEST(what_cannot_be_attached_is_refused),
	    EDIT_TEST(there_must_be_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
