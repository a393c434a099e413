/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/progress.h"

#include <stdlib.h>
#include <string.h>

#include "test/support/cmocka_all.h"

static const struct {
	const char *name;
	struct progress_state state; /* bytes, total, rows, ms */
	size_t width;
	const char *want;
} cases[] = {
    {"half", {500, 1000, 45000, 1000}, 79,
        "[###############...............]  50%  45,000 rows  45,000/s  "
        "0:02 left"},
    {"a terminal of less width", {500, 1000, 45000, 1000}, 60,
        "[#########..........]  50%  45,000 rows  45,000/s  0:02 left"},
    {"no room for a bar", {500, 1000, 45000, 1000}, 45,
        " 50%  45,000 rows  45,000/s  0:02 left"},
    {"no room at all", {500, 1000, 45000, 1000}, 20, ""},
    {"a terminal of more width", {1000, 1000, 1234567, 61000}, 500,
        "[##############################] 100%  1,234,567 rows  20,238/s  "
        "0:01 left"},
    {"hours", {1, 10000, 1, 1000}, 79,
        "[..............................]   0%  1 rows  1/s  2:46:40 left"},
    {"nothing read", {0, 1000, 0, 0}, 79,
        "[..............................] 0 rows  0/s  0:00"},
    {"a pipe", {500, -1, 999, 2500}, 79, "999 rows  399/s  0:02"},
    {"a file that is empty", {0, 0, 0, 10}, 79, "0 rows  0/s  0:00"},
    {"a file that grew", {2000, 1000, 1000, 1000}, 79,
        "1,000 rows  1,000/s  0:01"},
    {"what cannot be", {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, 160,
        "[##############################] 100%  9,223,372,036,854,775,807 "
        "rows  1,000/s  0:01 left"},
};

static void
lines_fit(void **state)
{
	char text[PROGRESS_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		progress_format(&cases[i].state, cases[i].width, text);
		assert_string_equal(text, cases[i].want);
	}
}

static void
no_line_is_wider_than_the_terminal(void **state)
{
	char text[PROGRESS_MAX + 1];
	struct progress_state it;
	size_t width;

	(void)state;
	for (width = 0; width < 300; width++) {
		for (it.bytes = 0; it.bytes <= 7; it.bytes++) {
			it.total = 7;
			it.rows = it.bytes * 1111111;
			it.ms = 1 + (int64_t)width * 99991;
			progress_format(&it, width, text);
			assert_true(strlen(text) <= width);
		}
	}
}

/* The tests have no terminal on stderr, or one that is not for this. */
static void
without_a_terminal_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(setenv("TERM", "dumb", 1), 0);
	assert_null(progress_new(10));
	progress_show(NULL, 1, 1);
	progress_erase(NULL);
	progress_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_fit),
	    cmocka_unit_test(no_line_is_wider_than_the_terminal),
	    cmocka_unit_test(without_a_terminal_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
