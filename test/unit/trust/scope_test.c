/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/support/cmocka_all.h"
#include "trust/scope.h"

#define TEN        "0123456789"
#define THIRTY_SIX TEN TEN TEN "012345"
#define SIXTY_FOUR TEN TEN TEN TEN TEN TEN "0123"

static const struct {
	const char *pattern;
	enum res want;
} check_cases[] = {
    {"d:meter:*", RES_OK},
    {"g:*:*", RES_OK},
    {"*:*:*", RES_OK},
    {"d:meter:A*", RES_OK},
    {"d:me*:0001", RES_OK},
    {"d:meter:aa:bb*", RES_OK},
    {"d:" THIRTY_SIX ":" SIXTY_FOUR, RES_OK},
    {"d:" THIRTY_SIX "*:" SIXTY_FOUR "*", RES_OK},
    {"d:" THIRTY_SIX "x:*", RES_LIMIT},
    {"d:meter:" SIXTY_FOUR "x", RES_LIMIT},
    {"", RES_SYNTAX},
    {"*", RES_SYNTAX},
    {"d", RES_SYNTAX},
    {"d:", RES_SYNTAX},
    {"d:meter", RES_SYNTAX},
    {"d:meter:", RES_SYNTAX},
    {"d::1", RES_SYNTAX},
    {":meter:1", RES_SYNTAX},
    {"x:meter:*", RES_SYNTAX},
    {"D:meter:*", RES_SYNTAX},
    {"d*:meter:*", RES_SYNTAX},
    {"dg:meter:*", RES_SYNTAX},
    {"d:*ter:*", RES_SYNTAX},
    {"d:me*er:*", RES_SYNTAX},
    {"d:meter:**", RES_SYNTAX},
    {"d:meter:*A", RES_SYNTAX},
    {"d:meter:a b", RES_SYNTAX},
    {"d:meter:a\n", RES_SYNTAX},
    {"d:meter:+", RES_SYNTAX},
    {"d:m/t:*", RES_SYNTAX},
    {" d:meter:*", RES_SYNTAX},
    {"d:m\xc3\xa9t:*", RES_SYNTAX},
};

static void
check_follows_the_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(check_cases) / sizeof(check_cases[0]); i++) {
		const char *why = NULL;
		enum res r = scope_check(check_cases[i].pattern, &why);

		if (r != check_cases[i].want ||
		    (r == RES_OK) != (why == NULL)) {
			fail_msg("\"%s\": %d", check_cases[i].pattern, (int)r);
		}
	}
}

static const struct identity meter = {{'d', "meter"}, "A001"};

static const struct {
	const char *pattern;
	bool want;
} cover_cases[] = {
    {"d:meter:A001", true},
    {"d:meter:*", true},
    {"d:meter:A*", true},
    {"d:meter:A001*", true},
    {"d:m*:*", true},
    {"d:*:A001", true},
    {"*:meter:*", true},
    {"*:*:*", true},
    {"g:meter:*", false},
    {"d:meter:B*", false},
    {"d:meter:a*", false},
    {"d:meter:A00", false},
    {"d:meter:A0010", false},
    {"d:meter:A0010*", false},
    {"d:mete:*", false},
    {"d:meters:*", false},
    {"d:meters*:*", false},
    {"d:lamp:*", false},
    {"d:me*er:*", false}, /* not well-formed */
    {"d:meter", false},
    {"*", false},
    {"", false},
};

static void
covers_follows_the_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cover_cases) / sizeof(cover_cases[0]); i++) {
		const char *list[] = {"d:lamp:1", cover_cases[i].pattern};

		if (scope_covers(&list[1], 1, &meter) != cover_cases[i].want ||
		    scope_covers(list, 2, &meter) != cover_cases[i].want) {
			fail_msg("\"%s\"", cover_cases[i].pattern);
		}
	}
}

static void
no_pattern_covers_all(void **state)
{
	(void)state;
	assert_true(scope_covers(NULL, 0, &meter));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_follows_the_table),
	    cmocka_unit_test(covers_follows_the_table),
	    cmocka_unit_test(no_pattern_covers_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
