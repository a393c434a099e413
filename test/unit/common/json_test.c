/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/json.h"

#include "test/support/cmocka_all.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Print and release. */
static void
expect(struct json *json, const char *want)
{
	char *text = json_print(json);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
	json_free(json);
}

static void
an_object_holds_every_kind(void **state)
{
	const uint8_t hash[HASH_LEN] = {0xab, 0xcd};
	struct json *json = json_object(), *list = json_array();

	(void)state;
	json_add_text(json, "text", "a \"b\" \\");
	json_add_text(json, "nothing", NULL);
	json_add_number(json, "number", INT64_MAX);
	json_add_number(json, "less", -1);
	json_add_bool(json, "yes", true);
	json_add_bool(json, "no", false);
	json_add_null(json, "null");
	json_add_time(json, "time", 0);
	json_append_text(list, "one");
	json_append(list, json_object());
	json_add(json, "list", list);
	expect(json,
	    "{\"text\":\"a \\\"b\\\" \\\\\",\"nothing\":null,"
	    "\"number\":9223372036854775807,\"less\":-1,\"yes\":true,"
	    "\"no\":false,\"null\":null,\"time\":\"1970-01-01T00:00:00Z\","
	    "\"list\":[\"one\",{}]}");

	json = json_object();
	json_add_hash(json, "hash", hash);
	expect(json,
	    "{\"hash\":\"abcd0000000000000000000000000000"
	    "00000000000000000000000000000000\"}");
}

static void
decimals_stay_as_they_are_written(void **state)
{
	struct json *json = json_object();

	(void)state;
	json_add_decimal(json, "a", "0.000025000");
	json_add_decimal(json, "b", "-18446744073709551615");
	json_add_decimal(json, "c", "+Inf");
	json_add_decimal(json, "d", "05");
	json_add_decimal(json, "e", "1,2");
	json_add_decimal(json, "f", "");
	json_add_decimal(json, "g", "\"1\"");
	expect(json,
	    "{\"a\":0.000025000,\"b\":-18446744073709551615,\"c\":null,"
	    "\"d\":null,\"e\":null,\"f\":null,\"g\":null}");
}

static void
no_time_is_null(void **state)
{
	struct json *json = json_object();

	(void)state;
	json_add_time(json, "a", CLOCK_NONE);
	json_add_time(json, "b", CLOCK_FOREVER);
	expect(json, "{\"a\":null,\"b\":null}");
}

static void
text_that_is_no_utf8_stays_readable(void **state)
{
	struct json *json = json_object();

	(void)state;
	json_add_text(json, "good", "gr\xc3\xbcn");
	json_add_text(json, "bad",
	    "a\xff"
	    "b\xc3");
	json_add_text(json, "control", "a\nb\x01");
	expect(json,
	    "{\"good\":\"gr\xc3\xbcn\",\"bad\":\"a?b?\","
	    "\"control\":\"a\\nb\\u0001\"}");
}

static void
stored_text_is_read_back(void **state)
{
	struct json *json = json_object();

	(void)state;
	json_add_parsed(json, "a", "[1,{\"b\":null}]");
	json_add_parsed(json, "b", NULL);
	json_add_parsed(json, "c", "{broken");
	json_add_parsed(json, "d", "{} {}");
	expect(
	    json, "{\"a\":[1,{\"b\":null}],\"b\":null,\"c\":null,\"d\":null}");
}

/* A line of JSON stays one line, and a number what it was. */
static void
stored_text_stays_as_it_was_written(void **state)
{
	struct json *json = json_object();

	(void)state;
	json_add_parsed(json, "a", "{ \"n\" :\n\t12345678901234567890 }\r\n");
	json_add_parsed(json, "b", "[1e999, -0.10E+2, \"a  \\u00e4 \\\" \"]");
	json_add_parsed(json, "c", "[\"\xff\"]");
	json_add_parsed(json, "d", "[\"\x1b\"]");
	json_add_parsed(json, "e", "[\"gr\xc3\xbcn\", true, null, {}]");
	expect(json,
	    "{\"a\":{\"n\":12345678901234567890},"
	    "\"b\":[1e999,-0.10E+2,\"a  \\u00e4 \\\" \"],"
	    "\"c\":null,\"d\":null,"
	    "\"e\":[\"gr\xc3\xbcn\",true,null,{}]}");
}

static void
a_failure_below_shows_at_the_top(void **state)
{
	struct json *json = json_object(), *inner = json_object();

	(void)state;
	json_add_text(json, "a", "b");
	json_add(inner, "gone", NULL);
	json_add(json, "inner", inner);
	assert_null(json_print(json));
	json_free(json);

	json = json_array();
	json_append(json, NULL);
	assert_null(json_print(json));
	json_free(json);

	/* A builder that never came to be takes everything, too. */
	json_add_text(NULL, "a", "b");
	json_append_text(NULL, "a");
	json_add(NULL, "a", json_object());
	assert_null(json_print(NULL));
	json_free(NULL);
}

static const struct {
	const char *text;
	char kind;
	enum res want;
} checks[] = {
    {"{}", '{', RES_OK},
    {" {\"a\": [1, 2]} \n", '{', RES_OK},
    {"[]", '[', RES_OK},
    {"[]", '{', RES_SYNTAX},
    {"{}", '[', RES_SYNTAX},
    {"1", '{', RES_SYNTAX},
    {"\"a\"", '[', RES_SYNTAX},
    {"null", '{', RES_SYNTAX},
    {"", '{', RES_SYNTAX},
    {"{", '{', RES_SYNTAX},
    {"{}x", '{', RES_SYNTAX},
    {"{} {}", '{', RES_SYNTAX},
    {"{\"a\":}", '{', RES_SYNTAX},
    {"{'a':1}", '{', RES_SYNTAX},
    {"[1,]", '[', RES_SYNTAX},
    {"[\"\\\\u0000\"]", '[', RES_OK},
    {"[\"\\u0000\"]", '[', RES_SYNTAX},
    {"[\"\\\\\\u0000\"]", '[', RES_SYNTAX},
    {"[\"\\", '[', RES_SYNTAX},
    {"[                                     ]", '[', RES_LIMIT},

    {"[0, -0, 10, 1.0, 1e5, 1E-50]", '[', RES_OK},
    {"[01]", '[', RES_SYNTAX},
    {"[-01]", '[', RES_SYNTAX},
    {"[1.]", '[', RES_SYNTAX},
    {"[-.5]", '[', RES_SYNTAX},
    {"[1.e5]", '[', RES_SYNTAX},
    {"[+1]", '[', RES_SYNTAX},
    {"[1e]", '[', RES_SYNTAX},
    {"[NaN]", '[', RES_SYNTAX},
    {"[\"\\uzzzz\"]", '[', RES_SYNTAX},
    {"[\"\\u12\"]", '[', RES_SYNTAX},
    {"[\"\\ud800\"]", '[', RES_SYNTAX},
    {"[\"\\u001b\"]", '[', RES_OK},
    {"[\"\x1b\"]", '[', RES_SYNTAX},
    {"[\"\n\"]", '[', RES_SYNTAX},
    {"[\"\x7f\"]", '[', RES_SYNTAX},
    {"[\x01]", '[', RES_SYNTAX},
    {"[\"\xc3\xbc\"]", '[', RES_OK},
    {"[\"\xc3\"]", '[', RES_SYNTAX},
    {"{\"\xff\":1}", '{', RES_SYNTAX},
    {"\xef\xbb\xbf{}", '{', RES_SYNTAX},
    {"{\"a\":1,\"A\":2}", '{', RES_OK},
    {"{\"a\":1,\"b\":2,\"a\":3}", '{', RES_SYNTAX},
    {"{\"a\":1,\"\\u0061\":2}", '{', RES_SYNTAX},
    {"[{\"b\":{\"a\":1,\"a\":1}}]", '[', RES_SYNTAX},
    {"[{\"a\":1},{\"a\":1}]", '[', RES_OK},
};

static const struct {
	const char *text, *says;
} faults[] = {
    {"{\"a\": \"\\u0000\"}", "an escaped NUL, \\u0000"},
    {"{\"a\": \"\xff\"}", "no UTF-8"},
    {"{\"a\": \"\x1b\"}", "a control character"},
    {"{\"a\": 01}", "a number"},
    {"{\"a\": 1, \"a\": 2}", "the key \"a\" twice"},
    {"{\"a\": x}", "see byte 7"},
    {"\xef\xbb\xbf{}", "a byte order mark"},
};

static void
a_fault_is_told_by_its_name(void **state)
{
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(faults); i++) {
		assert_int_equal(
		    json_check(faults[i].text, '{', 64, &why), RES_SYNTAX);
		if (strstr(why.text, faults[i].says) == NULL) {
			fail_msg("%s: %s", faults[i].text, why.text);
		}
	}
}

static void
documents_are_checked(void **state)
{
	struct diag why;
	size_t i;
	enum res r;

	(void)state;
	for (i = 0; i < COUNT(checks); i++) {
		why.text[0] = '\0';
		r = json_check(checks[i].text, checks[i].kind, 32, &why);
		if (r != checks[i].want) {
			fail_msg("document %s", checks[i].text);
		}
		assert_int_equal(why.text[0] == '\0', r == RES_OK);
	}
}

static void
deep_nesting_is_refused(void **state)
{
	char text[4001];

	(void)state;
	memset(text, '[', 2000);
	memset(text + 2000, ']', 2000);
	text[4000] = '\0';
	assert_int_equal(json_check(text, '[', 8192, NULL), RES_SYNTAX);
}

static void
arrays_of_strings_are_read(void **state)
{
	char **texts = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(
	    json_read_texts("[\"a\", \"b c\"]", 2, &texts, &count, NULL),
	    RES_OK);
	assert_int_equal(count, 2);
	assert_string_equal(texts[0], "a");
	assert_string_equal(texts[1], "b c");
	json_texts_free(texts, count);

	assert_int_equal(
	    json_read_texts("[]", 2, &texts, &count, NULL), RES_OK);
	assert_int_equal(count, 0);
	json_texts_free(texts, count);
	json_texts_free(NULL, 3);
}

static const struct {
	const char *text;
	enum res want;
} bad_arrays[] = {
    {"", RES_SYNTAX},
    {"{}", RES_SYNTAX},
    {"\"a\"", RES_SYNTAX},
    {"[\"a\"", RES_SYNTAX},
    {"[\"a\"]x", RES_SYNTAX},
    {"[\"a\"] []", RES_SYNTAX},
    {"[1]", RES_SYNTAX},
    {"[\"a\", null]", RES_SYNTAX},
    {"[[\"a\"]]", RES_SYNTAX},
    {"[\"a\\u0000b\"]", RES_SYNTAX},
    {"[\"a\",\"b\",\"c\"]", RES_LIMIT},
};

static void
bad_arrays_are_refused(void **state)
{
	char *before = NULL, **texts = &before;
	size_t i, count = 7;
	struct diag why;

	(void)state;
	for (i = 0; i < COUNT(bad_arrays); i++) {
		why.text[0] = '\0';
		if (json_read_texts(bad_arrays[i].text, 2, &texts, &count,
		        &why) != bad_arrays[i].want) {
			fail_msg("array %s", bad_arrays[i].text);
		}
		assert_ptr_equal(texts, &before);
		assert_int_equal(count, 7);
		assert_true(why.text[0] != '\0');
	}
}

static const struct {
	const char *text, *key;
	enum res want;
	const char *value;
} members[] = {
    {"{\"a\":1}", "a", RES_OK, "1"},
    {" { \"a\" : { \"b\" : [ 1 , 2 ] } , \"b\" : 3 } ", "a", RES_OK,
        "{\"b\":[1,2]}"},
    {"{\"a\":{\"b\":[1,2]},\"b\":3}", "b", RES_OK, "3"},
    {"{\"a\":\"x:y,}\",\"b\":\"\"}", "a", RES_OK, "\"x:y,}\""},
    {"{\"a\":\"x:y,}\",\"b\":\"\"}", "b", RES_OK, "\"\""},
    {"{\"\\u0061\":null}", "a", RES_OK, "null"},
    {"{\"a\":1e1000,\"b\":0.10}", "b", RES_OK, "0.10"},
    {"{\"a\":12345678901234567890}", "a", RES_OK, "12345678901234567890"},
    {"{\"a\":[]}", "a", RES_OK, "[]"},
    {"{}", "a", RES_NOTFOUND, NULL},
    {"{\"A\":1}", "a", RES_NOTFOUND, NULL},
    {"{\"b\":{\"a\":1}}", "a", RES_NOTFOUND, NULL},
    {"{\"b\":\"a\"}", "a", RES_NOTFOUND, NULL},
    {"[\"a\"]", "a", RES_SYNTAX, NULL},
    {"\"a\"", "a", RES_SYNTAX, NULL},
    {"", "a", RES_SYNTAX, NULL},
    {"{\"a\":01}", "a", RES_SYNTAX, NULL},
    {"{\"a\":1", "a", RES_SYNTAX, NULL},
    {"{\"a\":1}}", "a", RES_SYNTAX, NULL},
    {"{\"a\":\"\\u0000\"}", "a", RES_SYNTAX, NULL},
};

static void
a_member_is_read(void **state)
{
	char before, *value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(members); i++) {
		value = &before;
		if (json_member(members[i].text, members[i].key, &value) !=
		    members[i].want) {
			fail_msg("%s of %s", members[i].key, members[i].text);
		}
		if (members[i].want == RES_OK) {
			assert_string_equal(value, members[i].value);
			free(value);
		} else {
			assert_ptr_equal(value, &before);
		}
	}
}

static void
a_member_is_taken_out(void **state)
{
	struct json *json = json_object();

	(void)state;
	json_add_number(json, "a", 1);
	json_add_number(json, "A", 2);
	json_remove(json, "a");
	json_remove(json, "none");
	json_remove(NULL, "a");
	expect(json, "{\"A\":2}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_object_holds_every_kind),
	    cmocka_unit_test(decimals_stay_as_they_are_written),
	    cmocka_unit_test(no_time_is_null),
	    cmocka_unit_test(text_that_is_no_utf8_stays_readable),
	    cmocka_unit_test(stored_text_is_read_back),
	    cmocka_unit_test(stored_text_stays_as_it_was_written),
	    cmocka_unit_test(a_failure_below_shows_at_the_top),
	    cmocka_unit_test(documents_are_checked),
	    cmocka_unit_test(a_fault_is_told_by_its_name),
	    cmocka_unit_test(deep_nesting_is_refused),
	    cmocka_unit_test(arrays_of_strings_are_read),
	    cmocka_unit_test(bad_arrays_are_refused),
	    cmocka_unit_test(a_member_is_read),
	    cmocka_unit_test(a_member_is_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
