/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/behind.h"

#include <stdio.h>
#include <string.h>

#include "test/support/cmocka_all.h"

static const struct identity first = {{'g', "edge"}, "1"};
static const struct identity second = {{'g', "edge"}, "2"};

static struct device
device_of(const char *org, const char *id, const struct identity *gateway)
{
	struct identity who = {{'d', "meter"}, ""};
	struct device device;

	text_set(who.id, sizeof(who.id), id);
	device_init(&device, org, &who);
	device.state = DEVICE_PROVISIONED;
	if (gateway != NULL) {
		device.has_gateway = true;
		device.gateway = *gateway;
	}
	return device;
}

static void
only_its_gateway_speaks(void **state)
{
	static const struct {
		bool found, locked;
		enum device_state state;
		const struct identity *gateway;
		bool want;
	} rows[] = {
	    {true, false, DEVICE_PROVISIONED, &first, true},
	    {false, false, DEVICE_PROVISIONED, &first, false},
	    {true, true, DEVICE_PROVISIONED, &first, false},
	    {true, false, DEVICE_PENDING, &first, false},
	    {true, false, DEVICE_ALLOWED, &first, false},
	    {true, false, DEVICE_PROVISIONED, &second, false},
	    {true, false, DEVICE_PROVISIONED, NULL, false},
	};
	struct behind_table table = {0};
	struct device device;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		device = device_of("default", "1", rows[i].gateway);
		device.locked = rows[i].locked;
		device.state = rows[i].state;
		assert_int_equal(behind_speaks(behind_learn(&table, &device,
		                                   rows[i].found, 0),
		                     &first),
		    rows[i].want);
	}
	assert_int_equal(HASH_COUNT(table.entries), 1);
	behind_clear(&table);
	assert_null(behind_find(&table, "default", &device.who));
}

static void
news_put_right_what_is_known(void **state)
{
	struct behind_table table = {0};
	struct device device = device_of("default", "1", &first);
	struct device other = device_of("plant", "1", &first);
	struct behind_entry *entry;

	(void)state;
	behind_update(&table, &device, true);
	assert_null(behind_find(&table, "default", &device.who));

	entry = behind_learn(&table, &device, true, 0);
	assert_non_null(behind_learn(&table, &other, true, 0));
	entry->denied_until_ms = 7;
	device.locked = true;
	behind_update(&table, &device, true);
	assert_ptr_equal(behind_find(&table, "default", &device.who), entry);
	assert_false(behind_speaks(entry, &first));
	assert_int_equal(entry->denied_until_ms, 0);
	assert_true(
	    behind_speaks(behind_find(&table, "plant", &other.who), &first));
	behind_update(&table, &device, false);
	assert_false(entry->found || entry->has_gateway);
	behind_clear(&table);
}

static void
a_gateway_that_is_gone_leaves_nothing(void **state)
{
	struct behind_table table = {0};
	struct device mine = device_of("default", "1", &first);
	struct device theirs = device_of("default", "2", &second);
	struct device elsewhere = device_of("default2", "1", &first);
	struct device gateway;

	(void)state;
	assert_non_null(behind_learn(&table, &mine, true, 0));
	assert_non_null(behind_learn(&table, &theirs, true, 0));
	assert_non_null(behind_learn(&table, &elsewhere, true, 0));
	device_init(&gateway, "default", &first);
	behind_update(&table, &gateway, true);
	assert_non_null(behind_find(&table, "default", &mine.who));
	behind_update(&table, &gateway, false);
	assert_null(behind_find(&table, "default", &mine.who));
	assert_non_null(behind_find(&table, "default", &theirs.who));
	assert_non_null(behind_find(&table, "default2", &elsewhere.who));
	behind_clear(&table);
}

static void
it_is_bounded(void **state)
{
	struct behind_table table = {0};
	struct device device;
	char id[16];
	unsigned i;

	(void)state;
	for (i = 0; i <= BEHIND_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%u", i);
		device = device_of("default", id, &first);
		assert_non_null(behind_learn(&table, &device, true, 0));
		assert_true(HASH_COUNT(table.entries) <= BEHIND_MAX);
	}
	assert_int_equal(HASH_COUNT(table.entries), 1);
	behind_clear(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_its_gateway_speaks),
	    cmocka_unit_test(news_put_right_what_is_known),
	    cmocka_unit_test(a_gateway_that_is_gone_leaves_nothing),
	    cmocka_unit_test(it_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
