/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/homes.h"

#include <stdio.h>
#include <string.h>

#include "test/support/cmocka_all.h"

static const struct identity one = {{'d', "meter"}, "1"};
static const struct identity other = {{'d', "meter"}, "2"};

static const struct {
	const char *name, *client_id;
	const struct identity *who;
	int64_t now;
	bool want;
} cases[] = {
    {"the same", "a", &one, 100, true},
    {"the last moment", "a", &one, 99 + HOMES_MS, true},
    {"too late", "a", &one, 100 + HOMES_MS, false},
    {"another client id", "b", &one, 100, false},
    {"a longer client id", "ab", &one, 100, false},
    {"no client id", "", &one, 100, false},
    {"another identity", "a", &other, 100, false},
};

static void
knows_for_a_while(void **state)
{
	struct homes homes = {0};
	const char *org;
	size_t i, bytes;

	(void)state;
	homes_learn(&homes, "a", &one, "acme", 100);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		org = homes_find(
		    &homes, cases[i].client_id, cases[i].who, cases[i].now);
		assert_int_equal(org != NULL, cases[i].want);
		assert_true(org == NULL || strcmp(org, "acme") == 0);
	}
	/* Nowhere is something that is known, and the last word holds. */
	bytes = homes.bytes;
	homes_learn(&homes, "a", &one, "", 200);
	assert_string_equal(homes_find(&homes, "a", &one, 200), "");
	assert_int_equal(homes.bytes, bytes);
	homes_clear(&homes);
	assert_null(homes.list);
	assert_int_equal(homes.bytes, 0);
}

static void
forgets_a_device_with_every_client_id(void **state)
{
	struct homes homes = {0};

	(void)state;
	homes_learn(&homes, "a", &one, "acme", 0);
	homes_learn(&homes, "b", &one, "beta", 0);
	homes_learn(&homes, "c", &other, "acme", 0);
	homes_forget(&homes, &one);
	assert_null(homes_find(&homes, "a", &one, 0));
	assert_null(homes_find(&homes, "b", &one, 0));
	assert_string_equal(homes_find(&homes, "c", &other, 0), "acme");
	homes_clear(&homes);
	assert_int_equal(homes.bytes, 0);
}

static void
is_bounded(void **state)
{
	struct homes homes = {0};
	char id[65536];
	int i;

	(void)state;
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	for (i = 0; i < 10000; i++) {
		(void)snprintf(id, 16, "%015d", i);
		id[15] = i % 100 == 0 ? 'x' : '\0';
		homes_learn(&homes, id, &one, "acme", 0);
		assert_true(homes.bytes > 0 && homes.bytes <= HOMES_BYTES);
		assert_non_null(homes_find(&homes, id, &one, 0));
	}
	homes_clear(&homes);
	assert_int_equal(homes.bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_for_a_while),
	    cmocka_unit_test(forgets_a_device_with_every_client_id),
	    cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
