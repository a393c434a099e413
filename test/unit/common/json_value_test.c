/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/json_value.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "test/support/cmocka_all.h"

static struct json_value *
read_good(const char *text)
{
	struct diag why = {"untouched"};
	struct json_value *value = NULL;

	assert_int_equal(json_value_read(text, &value, &why), RES_OK);
	assert_string_equal(why.text, "untouched");
	return value;
}

static void
gives_what_is_there(void **state)
{
	struct json_value *root = read_good(
	    "{\"a\":\"x\",\"b\":[1,-2,true,null,{}],\"c\":{\"d\":false}}");
	const struct json_value *value;
	int64_t number = 77;

	(void)state;
	assert_int_equal(json_value_kind(root), JSON_OBJECT);
	assert_int_equal(json_value_count(root), 3);
	value = json_value_member(root, "a");
	assert_string_equal(json_value_text(value), "x");
	assert_string_equal(json_value_key(value), "a");
	assert_false(json_value_number(value, &number));
	assert_null(json_value_member(value, "a"));
	assert_null(json_value_first(value));
	value = json_value_member(root, "b");
	assert_int_equal(json_value_kind(value), JSON_ARRAY);
	assert_int_equal(json_value_count(value), 5);
	assert_null(json_value_member(value, "a"));
	value = json_value_first(value);
	assert_true(json_value_number(value, &number));
	assert_int_equal(number, 1);
	assert_null(json_value_text(value));
	value = json_value_next(value);
	assert_true(json_value_number(value, &number));
	assert_int_equal(number, -2);
	value = json_value_next(value);
	assert_true(json_value_is_true(value));
	value = json_value_next(value);
	assert_int_equal(json_value_kind(value), JSON_NULL);
	assert_false(json_value_is_true(value));
	assert_null(json_value_next(json_value_next(value)));
	value = json_value_member(json_value_member(root, "c"), "d");
	assert_int_equal(json_value_kind(value), JSON_BOOL);
	assert_false(json_value_is_true(value));
	assert_null(json_value_member(root, "A")); /* letter case counts */
	json_value_free(root);
}

static const struct {
	const char *text;
	bool good;
	int64_t want;
} numbers[] = {
    {"0", true, 0},
    {"1e3", true, 1000},
    {"9007199254740991", true, 9007199254740991},
    {"-9007199254740991", true, -9007199254740991},
    {"9007199254740992", false, 0},
    {"-9007199254740993", false, 0},
    {"1e300", false, 0},
    {"1e999", false, 0},
    {"0.5", false, 0},
    {"\"1\"", false, 0},
    {"true", false, 0},
    {"null", false, 0},
    {"[]", false, 0},
};

static void
takes_whole_numbers(void **state)
{
	struct json_value *root;
	char text[64];
	int64_t number;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "{\"n\":%s}", numbers[i].text);
		root = read_good(text);
		number = 77;
		assert_int_equal(
		    json_value_number(json_value_member(root, "n"), &number),
		    numbers[i].good);
		assert_int_equal(
		    number, numbers[i].good ? numbers[i].want : 77);
		json_value_free(root);
	}
}

static void
expect_refusal(const char *text, enum res want, const char *says)
{
	struct json_value *value = NULL;
	struct diag why = {""};

	assert_int_equal(json_value_read(text, &value, &why), want);
	assert_null(value);
	if (strstr(why.text, says) == NULL) {
		fail_msg("\"%.60s\": %s", text, why.text);
	}
}

static const char *const bad[] = {"", " ", "[]", "1", "\"a\"", "null", "{",
    "{}}", "{} x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
    "{\"a\":01}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}",
    "{\"a\":1,\"a\":2}", "{\"b\":{\"a\":1,\"a\":2}}", "{\"a\":tru}",
    "{\"a\":\"", "{\"a\":\"\\", "\xef\xbb\xbf{}"};

static void
refuses_other_text(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_refusal(bad[i], RES_SYNTAX, "JSON");
	}
}

/* {"a":[X,X,...]} with n times X, or {X,X,...} with keys. */
static char *
repeat(size_t n, bool members)
{
	char *text = malloc(24 * n + 32), *at = text;
	size_t i;

	assert_non_null(text);
	at += sprintf(at, members ? "{" : "{\"a\":[");
	for (i = 0; i < n; i++) {
		at += sprintf(at, "%s", i == 0 ? "" : ",");
		at += members ? sprintf(at, "\"k%zu\":1", i) : sprintf(at, "1");
	}
	(void)sprintf(at, members ? "}" : "]}");
	return text;
}

static void
has_bounds(void **state)
{
	struct json_value *root;
	char *text;

	(void)state;
	text = repeat(JSON_MEMBERS_MAX, true);
	root = read_good(text);
	assert_int_equal(json_value_count(root), JSON_MEMBERS_MAX);
	json_value_free(root);
	free(text);
	text = repeat(JSON_MEMBERS_MAX + 1, true);
	expect_refusal(text, RES_LIMIT, "members");
	free(text);
	text = repeat(JSON_VALUES_MAX - 2, false);
	root = read_good(text);
	json_value_free(root);
	free(text);
	text = repeat(JSON_VALUES_MAX, false);
	expect_refusal(text, RES_LIMIT, "values");
	free(text);
	/* What stands in strings is no value. */
	text = malloc(JSON_VALUES_MAX * 2 + 32);
	assert_non_null(text);
	memcpy(text, "{\"a\":\"\\\"", 8);
	memset(text + 8, ',', JSON_VALUES_MAX * 2);
	memcpy(text + 8 + JSON_VALUES_MAX * 2, "\"}", 3);
	root = read_good(text);
	json_value_free(root);
	free(text);
	/* Deep rather than wide: no deeper than the parser goes. */
	text = malloc(JSON_VALUES_MAX + 32);
	assert_non_null(text);
	memcpy(text, "{\"a\":", 5);
	memset(text + 5, '[', JSON_VALUES_MAX / 2);
	text[5 + JSON_VALUES_MAX / 2] = '\0';
	expect_refusal(text, RES_SYNTAX, "JSON");
	free(text);
}

static void
keeps_lines(void **state)
{
	struct json *object = json_object();
	struct json_value *root;
	char *text;

	(void)state;
	json_add_lines(object, "a", "x\n\ty\xc3\xa9\x1b[0m\x7f");
	json_add_lines(object, "b", "\xff\n");
	text = json_print(object);
	assert_non_null(text);
	assert_non_null(strstr(text, "x\\n\\ty\xc3\xa9\\u001b[0m?"));
	assert_non_null(strstr(text, "\"b\":\"?\\n\""));
	root = read_good(text);
	json_value_free(root);
	free(text);
	json_free(object);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_what_is_there),
	    cmocka_unit_test(takes_whole_numbers),
	    cmocka_unit_test(refuses_other_text),
	    cmocka_unit_test(has_bounds),
	    cmocka_unit_test(keeps_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
