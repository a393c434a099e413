/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/policy.h"

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
levels_have_names(void **state)
{
	static const char *const names[] = {
	    "cert+token", "cert", "token", "cert-or-token", "tls-optional"};
	static const char *const wrong[] = {
	    "", "Cert", "cert ", "tls", "unknown", "cert + token"};
	enum level level;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		assert_string_equal(level_name((enum level)i), names[i]);
		assert_true(level_parse(names[i], &level));
		assert_int_equal(level, i);
	}
	level = LEVEL_TOKEN;
	for (i = 0; i < COUNT(wrong); i++) {
		assert_false(level_parse(wrong[i], &level));
		assert_int_equal(level, LEVEL_TOKEN);
	}
	assert_string_equal(level_name((enum level)99), "unknown");
}

static void
enrolment_modes_have_names(void **state)
{
	static const char *const names[] = {"listed", "approve", "auto"};
	static const char *const wrong[] = {
	    "", "Auto", "automatic", "unknown", "auto\n"};
	enum enrolment mode;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		assert_string_equal(
		    enrolment_name((enum enrolment)i), names[i]);
		assert_true(enrolment_parse(names[i], &mode));
		assert_int_equal(mode, i);
	}
	mode = ENROL_APPROVE;
	for (i = 0; i < COUNT(wrong); i++) {
		assert_false(enrolment_parse(wrong[i], &mode));
		assert_int_equal(mode, ENROL_APPROVE);
	}
	assert_string_equal(enrolment_name((enum enrolment)99), "unknown");
}

/* NULL ends a list. */
static void
check_names(const char *const *names, const char *const *wrong,
    const char *(*name_of)(int), bool (*parse)(const char *, int *))
{
	int value, i;

	for (i = 0; names[i] != NULL; i++) {
		assert_string_equal(name_of(i), names[i]);
		assert_true(parse(names[i], &value));
		assert_int_equal(value, i);
	}
	assert_string_equal(name_of(i), "unknown");
	assert_string_equal(name_of(-1), "unknown");
	value = 77;
	for (i = 0; wrong[i] != NULL; i++) {
		assert_false(parse(wrong[i], &value));
		assert_int_equal(value, 77);
	}
}

static const char *
pin_mode_of(int value)
{
	return pin_mode_name((enum pin_mode)value);
}

static bool
pin_mode_to(const char *name, int *out)
{
	enum pin_mode mode;
	bool ok = pin_mode_parse(name, &mode);

	*out = ok ? (int)mode : *out;
	return ok;
}

static const char *
rotation_of(int value)
{
	return rotation_name((enum rotation)value);
}

static bool
rotation_to(const char *name, int *out)
{
	enum rotation rotation;
	bool ok = rotation_parse(name, &rotation);

	*out = ok ? (int)rotation : *out;
	return ok;
}

static void
pin_modes_and_rotations_have_names(void **state)
{
	static const char *const modes[] = {"listed", "first", "none", NULL};
	static const char *const rotations[] = {
	    "none", "same-key", "same-ca", "approve", NULL};
	static const char *const wrong[] = {"", "None", "any", "samekey",
	    "same-key ", "same_ca", "unknown", "list", NULL};

	(void)state;
	check_names(modes, wrong, pin_mode_of, pin_mode_to);
	check_names(rotations, wrong, rotation_of, rotation_to);
}

static void
zero_is_the_strictest(void **state)
{
	const struct policy zero = {0};
	const struct type_policy type = {0};

	(void)state;
	assert_int_equal(type.pin, PIN_LISTED);
	assert_int_equal(type.rotation, ROTATE_NONE);
	assert_int_equal(zero.level, LEVEL_CERT_TOKEN);
	assert_int_equal(zero.enrolment, ENROL_LISTED);
	assert_null(policy_type(&zero, &(struct device_type){'d', "meter"}));
}

static void
types_are_found_whatever_their_order(void **state)
{
	static const struct device_type names[] = {{'g', "meter"},
	    {'d', "meter"}, {'d', "Meter"}, {'d', "m"}, {'d', "meters"},
	    {'g', "a"}, {'d', "z"}};
	static const struct device_type absent[] = {{'g', "Meter"},
	    {'g', "meters"}, {'d', "a"}, {'d', ""}, {'\0', ""}, {'x', "meter"}};
	struct type_policy types[COUNT(names)] = {0};
	struct policy policy = {.types = types};
	const struct type_policy *found;
	size_t count, i;

	(void)state;
	for (count = 0; count <= COUNT(names); count++) {
		for (i = 0; i < count; i++) {
			types[i] = (struct type_policy){.type = names[i]};
		}
		policy.type_count = count;
		policy_sort(&policy);
		for (i = 0; i < COUNT(names); i++) {
			found = policy_type(&policy, &names[i]);
			assert_int_equal(found != NULL, i < count);
			assert_true(found == NULL ||
			    device_type_equal(&found->type, &names[i]));
		}
		for (i = 0; i < COUNT(absent); i++) {
			assert_null(policy_type(&policy, &absent[i]));
		}
	}
}

static const struct {
	const char *text;
	unsigned word;
	size_t len;
} words[] = {
    {"{class}", WORD_CLASS, 7},
    {"{org}x", WORD_ORG, 5},
    {"{type}{id}", WORD_TYPE, 6},
    {"{id}}", WORD_ID, 4},
    {"x{id}", 0, 0},
    {"{id", 0, 0},
    {"{ID}", 0, 0},
    {"{}", 0, 0},
    {"", 0, 0},
};

static void
words_are_known(void **state)
{
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(words); i++) {
		assert_int_equal(
		    policy_word(words[i].text, &len), words[i].word);
		if (words[i].word != 0) {
			assert_int_equal(len, words[i].len);
		}
	}
}

static void
words_are_filled_in_where_they_fit(void **state)
{
	const struct identity who = {{'g', "hub"}, "7"};
	char to[12];

	(void)state;
	assert_true(
	    policy_fill("{class}{org}{type}{id}", "eu", &who, to, sizeof(to)));
	assert_string_equal(to, "geuhub7");
	assert_true(policy_fill("", "eu", &who, to, sizeof(to)));
	assert_string_equal(to, "");
	assert_true(policy_fill("{type}/1234567", "eu", &who, to, sizeof(to)));
	assert_string_equal(to, "hub/1234567");
	assert_false(
	    policy_fill("{type}/12345678", "eu", &who, to, sizeof(to)));
	assert_string_equal(to, "");
	assert_false(policy_fill("12345678{type}x", "eu", &who, to, 11));
	assert_string_equal(to, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(levels_have_names),
	    cmocka_unit_test(enrolment_modes_have_names),
	    cmocka_unit_test(pin_modes_and_rotations_have_names),
	    cmocka_unit_test(zero_is_the_strictest),
	    cmocka_unit_test(types_are_found_whatever_their_order),
	    cmocka_unit_test(words_are_known),
	    cmocka_unit_test(words_are_filled_in_where_they_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
