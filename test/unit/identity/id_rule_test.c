/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/id_rule.h"

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define UUID "c56a4180-65aa-42ec-a945-5fd21dec0538"

static const struct {
	struct id_rule rule;
	const char *id;
	bool want;
} cases[] = {
    {{0}, "anything-1.2_3", true},
    {{0}, "x", true},
    {{0}, "a:b", false},
    {{0}, "", false},
    {{.length = 4}, "0001", true},
    {{.length = 4}, "001", false},
    {{.length = 4}, "00001", false},
    {{.prefix = "SN-"}, "SN-1", true},
    {{.prefix = "SN-"}, "SN-", false},
    {{.prefix = "SN-"}, "SN", false},
    {{.prefix = "SN-"}, "sn-1", false},
    {{.prefix = "SN-"}, "xSN-1", false},
    {{.prefix = "SN-"}, "1", false},
    {{.length = 4, .prefix = "SN-"}, "SN-0001", true},
    {{.length = 4, .prefix = "SN-"}, "SN-1", false},
    {{.length = 4, .prefix = "SN-"}, "SN-00001", false},
    {{.prefix = "a:"}, "a:1", false},

    {{.kind = ID_DECIMAL}, "0123456789", true},
    {{.kind = ID_DECIMAL}, "12a", false},
    {{.kind = ID_DECIMAL}, "-1", false},
    {{.kind = ID_DECIMAL}, "1.0", false},
    {{.kind = ID_DECIMAL}, "", false},
    {{.kind = ID_DECIMAL, .length = 3}, "123", true},
    {{.kind = ID_DECIMAL, .length = 3}, "1234", false},
    {{.kind = ID_DECIMAL, .prefix = "SN"}, "SN12", true},
    {{.kind = ID_DECIMAL, .prefix = "SN"}, "SNSN12", false},

    {{.kind = ID_HEX}, "00aAfF9", true},
    {{.kind = ID_HEX}, "0x10", false},
    {{.kind = ID_HEX}, "g0", false},
    {{.kind = ID_HEX}, "a:b", false},
    {{.kind = ID_HEX, .length = 2}, "ab", true},
    {{.kind = ID_HEX, .length = 2}, "abc", false},

    {{.kind = ID_MAC}, "001b44113aB7", true},
    {{.kind = ID_MAC}, "001b44113ab", false},
    {{.kind = ID_MAC}, "001b44113ab77", false},
    {{.kind = ID_MAC}, "001b44113abg", false},
    {{.kind = ID_MAC}, "00:1b:44:11:3a:b7", false},
    {{.kind = ID_MAC, .length = 12}, "001b44113ab7", true},
    {{.kind = ID_MAC, .length = 10}, "001b44113ab7", false},

    {{.kind = ID_MAC_COLON}, "00:1b:44:11:3a:b7", true},
    {{.kind = ID_MAC_COLON}, "00:1B:44:11:3A:B7", true},
    {{.kind = ID_MAC_COLON, .prefix = "m:"}, "m:00:1b:44:11:3a:b7", true},
    {{.kind = ID_MAC_COLON}, "00-1b-44-11-3a-b7", false},
    {{.kind = ID_MAC_COLON}, "00:1b:44-11:3a:b7", false},
    {{.kind = ID_MAC_COLON}, "00:1b:44:11:3a:b", false},
    {{.kind = ID_MAC_COLON}, "00:1b:44:11:3a:b7:", false},
    {{.kind = ID_MAC_COLON}, "00:1b:44:11:3a", false},
    {{.kind = ID_MAC_COLON}, "001b44113ab7", false},
    {{.kind = ID_MAC_COLON}, "0:01b:44:11:3a:b7", false},
    {{.kind = ID_MAC_COLON}, "::::::::::::::::g", false},
    {{.kind = ID_MAC_COLON}, "00:1b:44:11:3a:g7", false},
    {{.kind = ID_MAC_COLON}, "g0:1b:44:11:3a:b7", false},

    {{.kind = ID_MAC_DASH}, "00-1b-44-11-3a-b7", true},
    {{.kind = ID_MAC_DASH}, "00:1b:44:11:3a:b7", false},
    {{.kind = ID_MAC_DASH}, "00-1b-44-11-3a-b", false},
    {{.kind = ID_MAC_DASH}, "00-1b-44-11-3a-b7-", false},
    {{.kind = ID_MAC_DASH}, "001b44113ab7", false},

    {{.kind = ID_UUID4}, UUID, true},
    {{.kind = ID_UUID4}, "C56A4180-65AA-42EC-B945-5FD21DEC0538", true},
    {{.kind = ID_UUID4, .length = 36}, UUID, true},
    {{.kind = ID_UUID4, .prefix = "u-"}, "u-" UUID, true},
    {{.kind = ID_UUID4}, "c56a4180-65aa-12ec-a945-5fd21dec0538", false},
    {{.kind = ID_UUID4}, "c56a4180-65aa-42ec-7945-5fd21dec0538", false},
    {{.kind = ID_UUID4}, "c56a4180-65aa-42ec-c945-5fd21dec0538", false},
    {{.kind = ID_UUID4}, "c56a4180-65aa-42ec-a945-5fd21dec053", false},
    {{.kind = ID_UUID4}, "c56a4180-65aa-42ec-a945-5fd21dec05388", false},
    {{.kind = ID_UUID4}, "c56a418065aa42eca9455fd21dec0538", false},
    {{.kind = ID_UUID4}, "c56a4180_65aa-42ec-a945-5fd21dec0538", false},
    {{.kind = ID_UUID4}, "g56a4180-65aa-42ec-a945-5fd21dec0538", false},
    {{.kind = ID_UUID4}, "{c56a418-65aa-42ec-a945-5fd21dec053}", false},

    {{.kind = (enum id_kind)(ID_UUID4 + 1)}, "1", false},
};

static void
ids_are_held_against_their_rule(void **state)
{
	const char *why;
	size_t i;
	bool is;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		why = NULL;
		is = id_rule_check(&cases[i].rule, cases[i].id, &why);
		if (is != cases[i].want) {
			fail_msg("%s, prefix \"%s\": \"%s\"",
			    id_kind_name(cases[i].rule.kind),
			    cases[i].rule.prefix, cases[i].id);
		}
		assert_int_equal(why == NULL, is);
	}
}

static void
only_one_kind_admits_colons(void **state)
{
	struct id_rule rule = {0};
	size_t kind;

	(void)state;
	for (kind = ID_ANY; kind <= ID_UUID4; kind++) {
		rule.kind = (enum id_kind)kind;
		assert_int_equal(
		    id_rule_admits_colon(&rule), kind == ID_MAC_COLON);
	}
}

static void
kinds_have_names(void **state)
{
	static const char *const names[] = {
	    "any", "decimal", "hex", "mac", "mac-colon", "mac-dash", "uuid4"};
	static const char *const wrong[] = {
	    "", "Any", "mac_colon", "uuid", "uuid4 ", "unknown"};
	enum id_kind kind;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		assert_string_equal(id_kind_name((enum id_kind)i), names[i]);
		assert_true(id_kind_parse(names[i], &kind));
		assert_int_equal(kind, i);
	}
	kind = ID_HEX;
	for (i = 0; i < COUNT(wrong); i++) {
		assert_false(id_kind_parse(wrong[i], &kind));
		assert_int_equal(kind, ID_HEX);
	}
	assert_string_equal(id_kind_name((enum id_kind)99), "unknown");
}

#define LONGEST                                                                \
	"0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	struct id_rule rule;
	bool want;
} rules[] = {
    {{0}, true},
    {{.length = 64}, true},
    {{.length = 65}, false},
    {{.length = 62, .prefix = "xy"}, true},
    {{.length = 63, .prefix = "xy"}, false},
    {{.prefix = LONGEST}, false},
    {{.prefix = "a:"}, false},
    {{.kind = ID_DECIMAL, .prefix = "a:"}, false},
    {{.kind = ID_HEX, .length = 5}, true},
    {{.kind = ID_MAC}, true},
    {{.kind = ID_MAC, .length = 12}, true},
    {{.kind = ID_MAC, .length = 5}, false},
    {{.kind = ID_MAC, .length = 17}, false},
    {{.kind = ID_MAC, .prefix = "m:"}, false},
    {{.kind = ID_MAC_COLON, .prefix = "m:"}, true},
    {{.kind = ID_MAC_COLON, .length = 17}, true},
    {{.kind = ID_MAC_COLON, .length = 12}, false},
    {{.kind = ID_MAC_DASH, .length = 17}, true},
    {{.kind = ID_MAC_DASH, .length = 18}, false},
    {{.kind = ID_MAC_DASH, .prefix = "m:"}, false},
    {{.kind = ID_UUID4, .length = 36}, true},
    {{.kind = ID_UUID4, .length = 64}, false},
    {{.kind = ID_UUID4, .prefix = "0123456789012345678901234567"}, true},
    {{.kind = ID_UUID4, .prefix = "01234567890123456789012345678"}, false},
    {{.kind = (enum id_kind)(ID_UUID4 + 1)}, false},
};

static void
rules_that_no_id_can_follow_are_told(void **state)
{
	const char *why;
	size_t i;
	bool is;

	(void)state;
	for (i = 0; i < COUNT(rules); i++) {
		why = NULL;
		is = id_rule_is_possible(&rules[i].rule, &why);
		if (is != rules[i].want) {
			fail_msg("%s, length %d, prefix \"%s\"",
			    id_kind_name(rules[i].rule.kind),
			    rules[i].rule.length, rules[i].rule.prefix);
		}
		assert_int_equal(why == NULL, is);
	}
}

static const struct {
	struct id_rule rule;
	const char *want;
} formats[] = {
    {{0}, "any"},
    {{.kind = ID_UUID4}, "uuid4"},
    {{.kind = ID_DECIMAL, .length = 4}, "decimal, 4 characters"},
    {{.kind = ID_HEX, .prefix = "SN-"}, "hex after SN-"},
    {{.kind = ID_MAC_COLON, .length = 255, .prefix = LONGEST},
        "mac-colon, 255 characters after " LONGEST},
};

static void
rules_are_written_for_people(void **state)
{
	char text[ID_RULE_TEXT_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(formats); i++) {
		id_rule_format(&formats[i].rule, text);
		assert_string_equal(text, formats[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_are_held_against_their_rule),
	    cmocka_unit_test(only_one_kind_admits_colons),
	    cmocka_unit_test(kinds_have_names),
	    cmocka_unit_test(rules_that_no_id_can_follow_are_told),
	    cmocka_unit_test(rules_are_written_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
