/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What operators note of a device, and may change: tags, info, its window. */
#include "test/conformance/registry_suite.h"

#include <stdio.h>

/* What a device is changed to, in turn; NULL and CLOCK_NONE: not this. */
static const struct {
	const char *tags, *info;
	int64_t window;
	enum res want;
	const char *then_tags, *then_info;
	int64_t then_window;
} notes[] = {
    {NULL, NULL, CLOCK_NONE, RES_EXISTS, "[]", "{}", NOW},
    {"[]", "{}", NOW, RES_EXISTS, "[]", "{}", NOW},
    {"[1]", NULL, CLOCK_NONE, RES_OK, "[1]", "{}", NOW},
    {"[1]", NULL, CLOCK_NONE, RES_EXISTS, "[1]", "{}", NOW},
    {NULL, "{\"a\":1}", CLOCK_NONE, RES_OK, "[1]", "{\"a\":1}", NOW},
    {"[1]", "{}", CLOCK_NONE, RES_OK, "[1]", "{}", NOW},
    {NULL, NULL, CLOCK_FOREVER, RES_OK, "[1]", "{}", CLOCK_FOREVER},
    {NULL, NULL, CLOCK_FOREVER, RES_EXISTS, "[1]", "{}", CLOCK_FOREVER},
    {"[]", NULL, NOW + 5, RES_OK, "[]", "{}", NOW + 5},
    {"{}", NULL, CLOCK_NONE, RES_SYNTAX, "[]", "{}", NOW + 5},
    {"[2]", "[]", CLOCK_NONE, RES_SYNTAX, "[]", "{}", NOW + 5},
};

static void
set_notes(
    struct device *device, const char *tags, const char *info, int64_t window)
{
	static char texts[2][32];

	(void)snprintf(
	    texts[0], sizeof(texts[0]), "%s", tags == NULL ? "" : tags);
	(void)snprintf(
	    texts[1], sizeof(texts[1]), "%s", info == NULL ? "" : info);
	device->tags = tags == NULL ? NULL : texts[0];
	device->info = info == NULL ? NULL : texts[1];
	device->window_ends_at = window;
}

static void
notes_are_replaced(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_behind("d:m:1", "g:g:1"), back,
	              gate = suite_device("g:g:1", DEVICE_PROVISIONED);
	size_t i;

	set_notes(&device, "[]", NULL, CLOCK_NONE);
	suite_expect(registry, CHANGE_DEVICE_SET, &device, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	set_notes(&device, NULL, NULL, NOW);
	device.state = DEVICE_ALLOWED;
	device.token = (struct token_hash){
	    .is_set = true, .created_at = NOW, .expires_at = CLOCK_FOREVER};
	device.pins = suite_pins("a");
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		device = suite_device("d:m:1", DEVICE_PENDING);
		set_notes(
		    &device, notes[i].tags, notes[i].info, notes[i].window);
		suite_expect(
		    registry, CHANGE_DEVICE_SET, &device, notes[i].want);
		back = suite_get(registry, "d:m:1");
		assert_string_equal(
		    back.tags == NULL ? "[]" : back.tags, notes[i].then_tags);
		assert_string_equal(
		    back.info == NULL ? "{}" : back.info, notes[i].then_info);
		assert_int_equal(back.window_ends_at, notes[i].then_window);
		assert_int_equal(back.state, DEVICE_ALLOWED);
		assert_true(back.token.is_set && back.has_gateway);
		assert_int_equal(back.pins.count, 1);
		device_done(&back);
	}
}

static void
a_window_is_for_allowed_devices(void **state)
{
	static const enum device_state states[] = {
	    DEVICE_PENDING, DEVICE_PROVISIONED};
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device, back;
	size_t i;

	for (i = 0; i < 2; i++) {
		device = suite_device(i == 0 ? "d:m:1" : "d:m:2", states[i]);
		suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
		set_notes(&device, "[1]", NULL, NOW + 1);
		suite_expect(registry, CHANGE_DEVICE_SET, &device, RES_REFUSED);
		back = suite_get(registry, i == 0 ? "d:m:1" : "d:m:2");
		assert_true(back.tags == NULL || strcmp(back.tags, "[]") == 0);
		assert_int_not_equal(back.window_ends_at, NOW + 1);
		device_done(&back);
		set_notes(&device, "[1]", NULL, CLOCK_NONE);
		suite_expect(registry, CHANGE_DEVICE_SET, &device, RES_OK);
	}
}

int
suite_note_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(notes_are_replaced),
	    SUITE_TEST(a_window_is_for_allowed_devices),
	};

	return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
