/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What "CA" stands for on a command line. */
#include "registry/edit.h"
#include "test/support/cmocka_all.h"

/* Three CAs: ids ab1..., ab2..., cd...; names "root", "ab10", "". */
static const struct {
	const char *text;
	enum res want;
	int which;
} find_cases[] = {
    {"ab10000000000000", RES_OK, 0},
    {"AB10000000000000", RES_OK, 0},
    {"ab10000000000000000000000000000000000000000000000000000000000000", RES_OK,
        0},
    {"ab100000000000000", RES_OK, 0},
    {"ab1000", RES_OK, 0},
    {"root", RES_OK, 0},
    {"ab10", RES_OK, 1}, /* a name comes before a prefix */
    {"cd00", RES_OK, 2},
    {"Root", RES_NOTFOUND, 0},
    {"roo", RES_NOTFOUND, 0},
    {"cd0", RES_NOTFOUND, 0}, /* too short for a prefix */
    {"cd01", RES_NOTFOUND, 0},
    {"", RES_NOTFOUND, 0},
    {"ee00", RES_NOTFOUND, 0}, /* of another org */
    {"ffff", RES_EXISTS, 0},
    {"ab100000000000000000000000000000000000000000000000000000000000000",
        RES_NOTFOUND, 0},
};

static void
a_ca_is_found_by_many_names(void **state)
{
	static const char *const prefixes[] = {
	    "ab10", "ab20", "cd00", "ffff0", "ffff1", "ee00"};
	struct ca_record cas[6] = {0}, *out, *const untouched = &cas[5];
	struct config config = {.cas = cas, .ca_count = 6};
	char hex[HASH_TEXT_MAX + 1];
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		memset(hex, '0', HASH_TEXT_MAX);
		hex[HASH_TEXT_MAX] = '\0';
		memcpy(hex, prefixes[i], strlen(prefixes[i]));
		assert_true(text_unhex(hex, cas[i].fingerprint, HASH_LEN));
		memcpy(cas[i].id, hex, CA_ID_MIN);
		(void)strcpy(cas[i].org, i == 5 ? "plant" : ORG_DEFAULT);
	}
	(void)strcpy(cas[0].name, "root");
	(void)strcpy(cas[1].name, "ab10");
	for (i = 0; i < sizeof(find_cases) / sizeof(find_cases[0]); i++) {
		out = untouched;
		why.text[0] = '\0';
		assert_int_equal(config_find_ca(&config, ORG_DEFAULT,
		                     find_cases[i].text, &out, &why),
		    find_cases[i].want);
		assert_ptr_equal(out,
		    find_cases[i].want == RES_OK ? &cas[find_cases[i].which]
		                                 : untouched);
		assert_int_equal(
		    find_cases[i].want == RES_OK, why.text[0] == '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_ca_is_found_by_many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
