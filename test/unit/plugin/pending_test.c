/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/pending.h"

#include "test/support/cmocka_all.h"

static struct device
device(const char *org, const char *name)
{
	struct device made;
	struct identity who;
	const char *why;

	assert_int_equal(
	    identity_parse(name, strlen(name), &who, &why), RES_OK);
	device_init(&made, org, &who);
	made.state = DEVICE_PROVISIONED;
	return made;
}

static const struct {
	const char *name, *org, *asked;
	enum res want;
	bool clash;
} cases[] = {
    {"there", "default", "d:m:Ab", RES_OK, false},
    {"other id", "default", "d:m:Ac", RES_NOTFOUND, false},
    {"other class", "default", "g:m:Ab", RES_NOTFOUND, false},
    {"other type", "default", "d:mm:Ab", RES_NOTFOUND, false},
    {"other org", "acme", "d:m:Ab", RES_NOTFOUND, false},
    {"other case of id", "default", "d:m:aB", RES_NOTFOUND, true},
    {"other case of type", "default", "d:M:Ab", RES_NOTFOUND, true},
};

static void
looks_up(void **state)
{
	struct device one = device("default", "d:m:Ab");
	struct pending table = {0};
	size_t i;

	(void)state;
	assert_int_equal(pending_add(&table, &one, true, false), RES_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device asked = device(cases[i].org, cases[i].asked);
		struct device out = {.org = "untouched"};
		bool clash = !cases[i].clash;

		print_message("%s\n", cases[i].name);
		assert_int_equal(
		    pending_get(&table, cases[i].org, &asked.who, &out, &clash),
		    cases[i].want);
		assert_int_equal(clash, cases[i].clash);
		assert_string_equal(
		    out.org, cases[i].want == RES_OK ? "default" : "untouched");
	}
	pending_done(&table);
	assert_null(table.entries);
	assert_null(table.tallies);
}

/* Two first sights that differ in case: the second must not get in. */
static void
refuses_what_is_there(void **state)
{
	struct device one = device("default", "d:m:Ab");
	struct device same = device("default", "d:m:Ab");
	struct device other = device("default", "d:m:AB");
	struct pending table = {0};

	(void)state;
	assert_int_equal(pending_add(&table, &one, true, false), RES_OK);
	assert_int_equal(pending_add(&table, &same, true, false), RES_EXISTS);
	assert_int_equal(pending_add(&table, &other, true, false), RES_EXISTS);
	/* Nor does the end of the one free the place of the other. */
	pending_remove(&table, "default", &other.who);
	assert_int_equal(pending_add(&table, &same, true, false), RES_EXISTS);
	pending_remove(&table, "default", &one.who);
	assert_int_equal(pending_add(&table, &other, true, false), RES_OK);
	pending_done(&table);
}

static struct pins
pins(int fingerprint)
{
	struct pins made = {.count = 1};

	made.list[0].fingerprint[0] = (uint8_t)fingerprint;
	made.list[0].ends_at = CLOCK_FOREVER;
	return made;
}

/* Pins that are under way hold, but not against what somebody else wrote in
 * between. */
static void
lays_pins_over(void **state)
{
	const struct pins old = pins(1), new = pins(2), others = pins(3);
	struct device one = device("default", "d:m:Ab"), row = one;
	struct pending table = {0};
	struct device out;
	bool clash = true;

	(void)state;
	one.pins = new;
	assert_int_equal(pending_add_pins(&table, &one, &old), RES_OK);
	row.pins = old;
	pending_overlay(&table, &row);
	assert_true(pins_equal(&row.pins, &new));
	pending_overlay(&table, &row);
	assert_true(pins_equal(&row.pins, &new));
	row.pins = others;
	pending_overlay(&table, &row);
	assert_true(pins_equal(&row.pins, &others));
	row.pins = (struct pins){0};
	pending_overlay(&table, &row);
	assert_int_equal(row.pins.count, 0);
	row = device("default", "d:m:aB");
	row.pins = old;
	pending_overlay(&table, &row);
	assert_true(pins_equal(&row.pins, &old));
	row = device("acme", "d:m:Ab");
	row.pins = old;
	pending_overlay(&table, &row);
	assert_true(pins_equal(&row.pins, &old));

	/* They are no row. */
	assert_int_equal(pending_get(&table, "default", &one.who, &out, &clash),
	    RES_NOTFOUND);
	assert_false(clash);
	assert_int_equal(pending_count(&table, "default", NULL), 0);
	pending_remove(&table, "default", &one.who);
	row = one;
	row.pins = old;
	pending_overlay(&table, &row);
	assert_true(pins_equal(&row.pins, &old));
	pending_done(&table);
}

/* A second change of a device waits for the answer to the first. */
static void
takes_one_change_at_a_time(void **state)
{
	const struct pins old = pins(1);
	struct device one = device("default", "d:m:1"), row = one;
	struct pending table = {0};

	(void)state;
	assert_false(pending_has(&table, "default", &one.who));
	assert_int_equal(pending_add_pins(&table, &one, &old), RES_OK);
	assert_true(pending_has(&table, "default", &one.who));
	assert_false(pending_has(&table, "acme", &one.who));
	assert_int_equal(pending_add_pins(&table, &one, &old), RES_EXISTS);
	assert_int_equal(pending_add(&table, &one, true, false), RES_EXISTS);
	pending_remove(&table, "default", &one.who);
	assert_int_equal(pending_add(&table, &one, true, false), RES_OK);
	assert_int_equal(pending_add_pins(&table, &one, &old), RES_EXISTS);
	/* Nor do pins lie over the row of one that is new. */
	row.pins = old;
	pending_overlay(&table, &row);
	assert_true(pins_equal(&row.pins, &old));
	pending_done(&table);
}

static void
counts_what_is_new(void **state)
{
	static const char *const names[] = {
	    "d:m:1", "d:m:2", "d:mm:1", "g:m:1", "d:M:7"};
	const struct device_type m = {.class = 'd', .name = "m"};
	struct device listed = device("default", "d:m:3"), one;
	struct pending table = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		one = device("default", names[i]);
		assert_int_equal(
		    pending_add(&table, &one, true, false), RES_OK);
	}
	one = device("acme", "d:m:1");
	assert_int_equal(pending_add(&table, &one, true, false), RES_OK);
	assert_int_equal(pending_add(&table, &listed, false, false), RES_OK);
	assert_int_equal(pending_add(&table, &one, true, false), RES_EXISTS);
	assert_int_equal(pending_count(&table, "default", &m), 2);
	assert_int_equal(pending_count(&table, "default", NULL), 5);
	assert_int_equal(pending_count(&table, "acme", &m), 1);
	assert_int_equal(pending_count(&table, "default:", NULL), 0);
	pending_remove(&table, "default", &listed.who);
	assert_int_equal(pending_count(&table, "default", &m), 2);
	pending_remove(&table, "acme", &one.who);
	assert_int_equal(pending_count(&table, "acme", NULL), 0);
	pending_remove(&table, "default", &one.who);
	assert_int_equal(pending_count(&table, "default", &m), 1);
	assert_int_equal(pending_count(&table, "default", NULL), 4);
	pending_done(&table);
	assert_null(table.tallies);
}

/* What takes a place at a gateway counts there, whether it is new or not; what
 * is attached already does not. */
static void
counts_what_is_behind_a_gateway(void **state)
{
	struct device gateway = device("default", "g:hub:1");
	struct device other = device("default", "g:hub:2"), one;
	static const struct {
		const char *org, *name;
		bool is_new, attaches;
	} rows[] = {
	    {"default", "d:m:1", true, true},
	    {"default", "d:m:2", false, true},
	    {"default", "d:m:3", false, false},
	    {"default", "d:m:4", true, false},
	    {"acme", "d:m:1", true, true},
	};
	struct pending table = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one = device(rows[i].org, rows[i].name);
		one.has_gateway = true;
		one.gateway = gateway.who;
		assert_int_equal(
		    pending_add(&table, &one, rows[i].is_new, rows[i].attaches),
		    RES_OK);
		assert_int_equal(
		    pending_add(&table, &one, true, true), RES_EXISTS);
	}
	assert_int_equal(
	    pending_count_behind(&table, "default", &gateway.who), 2);
	assert_int_equal(pending_count_behind(&table, "acme", &gateway.who), 1);
	assert_int_equal(
	    pending_count_behind(&table, "default", &other.who), 0);
	assert_int_equal(pending_count(&table, "default", NULL), 2);
	one = device("default", "d:m:2");
	pending_remove(&table, "default", &one.who);
	assert_int_equal(
	    pending_count_behind(&table, "default", &gateway.who), 1);
	pending_done(&table);
	assert_null(table.tallies);
}

/* One that an operator added is what its row makes of it, until that row is on
 * the disk; nothing else is hidden by it. */
static void
lays_a_row_over_one_that_was_added(void **state)
{
	struct device one = device("default", "d:m:1"), row = one;
	struct pending table = {0};

	(void)state;
	one.pins = pins(1);
	assert_int_equal(pending_add(&table, &one, false, false), RES_OK);
	row.state = DEVICE_ALLOWED;
	row.locked = true;
	pending_overlay(&table, &row);
	assert_int_equal(row.state, DEVICE_PROVISIONED);
	assert_true(row.locked && pins_equal(&row.pins, &one.pins));
	row = device("default", "d:m:1");
	row.state = DEVICE_PENDING;
	pending_overlay(&table, &row);
	assert_int_equal(row.state, DEVICE_PENDING);
	assert_int_equal(row.pins.count, 0);
	pending_done(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(looks_up),
	    cmocka_unit_test(refuses_what_is_there),
	    cmocka_unit_test(lays_pins_over),
	    cmocka_unit_test(takes_one_change_at_a_time),
	    cmocka_unit_test(counts_what_is_new),
	    cmocka_unit_test(counts_what_is_behind_a_gateway),
	    cmocka_unit_test(lays_a_row_over_one_that_was_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
