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
	struct pending *table = NULL;
	size_t i;

	(void)state;
	assert_int_equal(pending_add(&table, &one), RES_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct device asked = device(cases[i].org, cases[i].asked);
		struct device out = {.org = "untouched"};
		bool clash = !cases[i].clash;

		print_message("%s\n", cases[i].name);
		assert_int_equal(
		    pending_get(table, cases[i].org, &asked.who, &out, &clash),
		    cases[i].want);
		assert_int_equal(clash, cases[i].clash);
		assert_string_equal(
		    out.org, cases[i].want == RES_OK ? "default" : "untouched");
	}
	pending_done(&table);
	assert_null(table);
}

/* Two first sights that differ in case: the second must not get in. */
static void
refuses_what_is_there(void **state)
{
	struct device one = device("default", "d:m:Ab");
	struct device same = device("default", "d:m:Ab");
	struct device other = device("default", "d:m:AB");
	struct pending *table = NULL;

	(void)state;
	assert_int_equal(pending_add(&table, &one), RES_OK);
	assert_int_equal(pending_add(&table, &same), RES_EXISTS);
	assert_int_equal(pending_add(&table, &other), RES_EXISTS);
	/* Nor does the end of the one free the place of the other. */
	pending_remove(&table, "default", &other.who);
	assert_int_equal(pending_add(&table, &same), RES_EXISTS);
	pending_remove(&table, "default", &one.who);
	assert_int_equal(pending_add(&table, &other), RES_OK);
	pending_done(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(looks_up),
	    cmocka_unit_test(refuses_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
