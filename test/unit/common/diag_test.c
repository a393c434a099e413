/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/diag.h"

#include "test/support/cmocka_all.h"

static void
a_sentence_is_written(void **state)
{
	struct diag why = {0};

	(void)state;
	diag_set(&why, "the %s is %d bytes long", "file", 7);
	assert_string_equal(why.text, "the file is 7 bytes long");
}

static void
the_result_comes_back(void **state)
{
	struct diag why = {0};

	(void)state;
	assert_int_equal(diag_res(&why, RES_LIMIT, "too long"), RES_LIMIT);
	assert_string_equal(why.text, "too long");
	assert_int_equal(diag_res(NULL, RES_CORRUPT, "broken"), RES_CORRUPT);
}

static void
nobody_has_to_listen(void **state)
{
	(void)state;
	diag_set(NULL, "%s", "unheard");
}

static void
control_characters_cannot_break_the_line(void **state)
{
	struct diag why = {0};

	(void)state;
	diag_set(&why, "name \"%s\"", "a\nb\tc\x1b[31m\x7f\r");
	assert_string_equal(why.text, "name \"a?b?c?[31m??\"");
	diag_set(&why, "%s", "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(why.text, "gr\xc3\xbc\xc3\x9f");
}

static void
what_does_not_fit_shows_that_it_was_cut(void **state)
{
	char text[DIAG_MAX + 100];
	struct diag why = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[DIAG_MAX] = '\0';
	diag_set(&why, "%s", text);
	assert_string_equal(why.text, text);

	text[DIAG_MAX] = 'x';
	text[DIAG_MAX + 1] = '\0';
	diag_set(&why, "%s", text);
	assert_int_equal(strlen(why.text), DIAG_MAX);
	assert_string_equal(why.text + DIAG_MAX - 4, "x...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sentence_is_written),
	    cmocka_unit_test(the_result_comes_back),
	    cmocka_unit_test(nobody_has_to_listen),
	    cmocka_unit_test(control_characters_cannot_break_the_line),
	    cmocka_unit_test(what_does_not_fit_shows_that_it_was_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
