/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/output.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"

/* What the table prints; the caller frees it. */
static char *
print(const struct table *table, bool colour)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	assert_int_equal(table_write(table, to, colour), RES_OK);
	(void)fclose(to);
	return text;
}

static void
expect(struct table *table, bool colour, const char *want)
{
	char *text = print(table, colour);

	assert_string_equal(text, want);
	free(text);
	table_free(table);
}

static const char *const header[] = {"NAME", "STATE", "NOTE"};

static void
aligns_columns(void **state)
{
	const char *const rows[][3] = {
	    {"a", "active", "x"}, {"long-name", "b", "y"}};
	struct table *table = table_new(header, 3);

	(void)state;
	table_add(table, rows[0]);
	table_add(table, rows[1]);
	expect(table, false,
	    "NAME       STATE   NOTE\n"
	    "a          active  x\n"
	    "long-name  b       y\n");
}

static void
colours_the_state_of_a_pin(void **state)
{
	static const char *const lines[][2] = {
	    {"ab holds", "pin  \033[32mab holds\033[0m\n"},
	    {"ab holds until x", "pin  \033[32mab holds until x\033[0m\n"},
	    {"ab waits for y", "pin  \033[33mab waits for y\033[0m\n"},
	    {"ab lapsed at z", "pin  \033[31mab lapsed at z\033[0m\n"},
	    {"holds", "pin  holds\n"},
	    {"", "pin  -\n"},
	};
	struct table *table;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		table = table_new(NULL, 2);
		table_field(table, "pin", lines[i][0]);
		expect(table, true, lines[i][1]);
	}
}

static void
aligns_numbers_to_the_right(void **state)
{
	const char *const rows[][3] = {
	    {"a", "1", "9.5%"}, {"b", "1000", "100.0%"}, {"c", NULL, NULL}};
	struct table *table = table_new(header, 3);
	size_t i;

	(void)state;
	table_align_right(table, 1, 2);
	for (i = 0; i < 3; i++) {
		table_add(table, rows[i]);
	}
	expect(table, false,
	    "NAME  STATE    NOTE\n"
	    "a         1    9.5%\n"
	    "b      1000  100.0%\n"
	    "c         -       -\n");
}

static void
prints_the_header_alone(void **state)
{
	(void)state;
	expect(table_new(header, 3), false, "NAME  STATE  NOTE\n");
}

static void
shows_what_is_missing(void **state)
{
	const char *const row[] = {"a", NULL, ""};
	struct table *table = table_new(header, 3);

	(void)state;
	table_add(table, row);
	expect(table, false, "NAME  STATE  NOTE\na     -      -\n");
}

static const struct {
	const char *word, *want;
} coloured[] = {
    {"active", "NAME  STATE   NOTE\na     \033[32mactive\033[0m  active\n"},
    {"locked", "NAME  STATE   NOTE\na     \033[31mlocked\033[0m  locked\n"},
    {"expired", "NAME  STATE    NOTE\na     \033[31mexpired\033[0m  expired\n"},
    {"pending", "NAME  STATE    NOTE\na     \033[33mpending\033[0m  pending\n"},
    {"other", "NAME  STATE  NOTE\na     other  other\n"},
};

static void
colours_states_alone(void **state)
{
	struct table *table;
	const char *row[3];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(coloured) / sizeof(coloured[0]); i++) {
		row[0] = "a";
		row[1] = row[2] = coloured[i].word;
		table = table_new(header, 3);
		table_add(table, row);
		expect(table, true, coloured[i].want);
	}
}

static void
colours_what_is_locked(void **state)
{
	static const char *const columns[] = {"NAME", "LOCKED", "NOTE"};
	const char *const row[] = {"yes", "yes", "yes"};
	struct table *table = table_new(columns, 3);

	(void)state;
	table_add(table, row);
	expect(table, true,
	    "NAME  LOCKED  NOTE\nyes   \033[31myes\033[0m     yes\n");
}

static const struct {
	const char *word, *want;
} lists[] = {
    {"fresh", "NAME   CRL    NOTE\nfresh  \033[32mfresh\033[0m  fresh\n"},
    {"grace", "NAME   CRL    NOTE\ngrace  \033[33mgrace\033[0m  grace\n"},
    {"stale", "NAME   CRL    NOTE\nstale  \033[31mstale\033[0m  stale\n"},
    {"missing",
        "NAME     CRL      NOTE\nmissing  \033[31mmissing\033[0m  missing\n"},
    {"", "NAME  CRL  NOTE\n-     -    -\n"},
};

static void
colours_revocation_lists(void **state)
{
	static const char *const columns[] = {"NAME", "CRL", "NOTE"};
	struct table *table;
	const char *row[3];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		row[0] = row[1] = row[2] = lists[i].word;
		table = table_new(columns, 3);
		table_add(table, row);
		expect(table, true, lists[i].want);
	}
}

static void
colours_the_state_of_one_thing(void **state)
{
	struct table *table = table_new(NULL, 2);

	(void)state;
	table_field(table, "state", "active");
	table_field(table, "note", "active");
	expect(table, true, "state  \033[32mactive\033[0m\nnote   active\n");
}

static void
nothing_moves_the_cursor(void **state)
{
	struct table *table = table_new(NULL, 2);

	(void)state;
	table_field(table, "a", "x\033[2Jy\x7f");
	table_field(table, "b", "one\ntwo\tthree\r");
	expect(table, true, "a  x?[2Jy?\nb  one two three \n");
}

static void
prints_times(void **state)
{
	struct table *table = table_new(NULL, 2);

	(void)state;
	table_field_time(table, "a", 0);
	table_field_time(table, "b", CLOCK_NONE);
	table_field_time(table, "c", CLOCK_FOREVER);
	expect(table, false, "a  1970-01-01T00:00:00Z\nb  -\nc  -\n");
}

static void
grows(void **state)
{
	struct table *table = table_new(NULL, 2);
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		table_field(table, "name", "value");
	}
	text = print(table, false);
	assert_int_equal(strlen(text), 1000 * strlen("name  value\n"));
	free(text);
	table_free(table);
}

static void
a_table_that_failed_is_not_printed(void **state)
{
	struct table *wide = table_new(NULL, 99), *none = table_new(NULL, 0);

	(void)state;
	table_field(wide, "a", "b");
	assert_int_equal(table_write(NULL, stdout, false), RES_NOMEM);
	assert_int_equal(table_write(wide, stdout, false), RES_NOMEM);
	assert_int_equal(table_write(none, stdout, false), RES_NOMEM);
	table_add(NULL, header);
	table_free(NULL);
	table_free(wide);
	table_free(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(aligns_columns),
	    cmocka_unit_test(aligns_numbers_to_the_right),
	    cmocka_unit_test(colours_the_state_of_a_pin),
	    cmocka_unit_test(prints_the_header_alone),
	    cmocka_unit_test(shows_what_is_missing),
	    cmocka_unit_test(colours_states_alone),
	    cmocka_unit_test(colours_what_is_locked),
	    cmocka_unit_test(colours_revocation_lists),
	    cmocka_unit_test(colours_the_state_of_one_thing),
	    cmocka_unit_test(nothing_moves_the_cursor),
	    cmocka_unit_test(prints_times),
	    cmocka_unit_test(grows),
	    cmocka_unit_test(a_table_that_failed_is_not_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
