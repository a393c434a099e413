/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "trust/crl.h"

static const struct {
	const char *text;
	enum res want;
} url_cases[] = {
    {"https://a.example/plant.crl", RES_OK},
    {"https://a.example", RES_OK},
    {"https://a", RES_OK},
    {"https://A.EXAMPLE/%20x", RES_OK},
    {"https://a.example:8443/x", RES_OK},
    {"https://a.example:65535", RES_OK},
    {"https://10.0.0.7/x", RES_OK},
    {"https://[2001:db8::7]/x", RES_OK},
    {"https://[::ffff:10.0.0.7]:443/x", RES_OK},
    {"https://a.example?ca=1&x=/@b", RES_OK},
    {"https://a.example/x@y:z", RES_OK},
    {"https://a_b.example/x#y", RES_OK},
    {"file:///var/lib/plant.crl", RES_OK},
    {"file:///x", RES_OK},
    {"file:///a@b:c", RES_OK},

    {"", RES_SYNTAX},
    {"a.example/x", RES_SYNTAX},
    {"http://a.example/x", RES_SYNTAX},
    {"HTTPS://a.example/x", RES_SYNTAX},
    {"Https://a.example/x", RES_SYNTAX},
    {"https:/a.example/x", RES_SYNTAX},
    {"https:a.example/x", RES_SYNTAX},
    {"ftp://a.example/x", RES_SYNTAX},
    {"ldap://a.example/x", RES_SYNTAX},
    {"https+file://a.example/x", RES_SYNTAX},
    {" https://a.example/x", RES_SYNTAX},
    {"https://", RES_SYNTAX},
    {"https:///x", RES_SYNTAX},
    {"https://?x", RES_SYNTAX},
    {"https://#x", RES_SYNTAX},
    {"https://:443/x", RES_SYNTAX},
    {"https://a.example:/x", RES_SYNTAX},
    {"https://a.example:0/x", RES_SYNTAX},
    {"https://a.example:00000/x", RES_SYNTAX},
    {"https://a.example:65536/x", RES_SYNTAX},
    {"https://a.example:4294967739/x", RES_SYNTAX},
    {"https://a.example:18446744073709552059/x", RES_SYNTAX},
    {"https://a.example:44x/x", RES_SYNTAX},
    {"https://a.example:-1/x", RES_SYNTAX},
    {"https://a.example:443:444/x", RES_SYNTAX},
    {"https://a.example#b", RES_SYNTAX},
    {"https://user@a.example/x", RES_SYNTAX},
    {"https://user:secret@a.example/x", RES_SYNTAX},
    {"https://user:1@a.example/x", RES_SYNTAX},
    {"https://@a.example/x", RES_SYNTAX},
    {"https://a.example@b.example", RES_SYNTAX},
    {"https://a.example\\@b.example/x", RES_SYNTAX},
    {"https://a.example\\x", RES_SYNTAX},
    {"https://a%2eexample/x", RES_SYNTAX},
    {"https://a;b/x", RES_SYNTAX},
    {"https://{a,b}/x", RES_SYNTAX},
    {"https://[::1/x", RES_SYNTAX},
    {"https://[::1/", RES_SYNTAX},
    {"https://[::1", RES_SYNTAX},
    {"https://[::1;/x", RES_SYNTAX},
    {"https://[]/x", RES_SYNTAX},
    {"https://[a.example]x/x", RES_SYNTAX},
    {"https://[fe80::1%25eth0]/x", RES_SYNTAX},
    {"https://::1/x", RES_SYNTAX},
    {"https://a.example/a b", RES_SYNTAX},
    {"https://a.example/a\tb", RES_SYNTAX},
    {"https://a.example/x\n", RES_SYNTAX},
    {"https://a.example/\x7f", RES_SYNTAX},
    {"https://a.example/\xc3\xa9", RES_SYNTAX},
    {"https://\xd0\xb0.example/x", RES_SYNTAX},
    {"file://", RES_SYNTAX},
    {"file:///", RES_SYNTAX},
    {"file:/x", RES_SYNTAX},
    {"file:x", RES_SYNTAX},
    {"file://localhost/x", RES_SYNTAX},
    {"file://a.example/x", RES_SYNTAX},
    {"FILE:///x", RES_SYNTAX},
    {"file:///a%2fb", RES_SYNTAX},
    {"file:///a?b", RES_SYNTAX},
    {"file:///a#b", RES_SYNTAX},
    {"file:///a b", RES_SYNTAX},
    {"/var/lib/plant.crl", RES_SYNTAX},
};

static void
urls_follow_the_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(url_cases) / sizeof(url_cases[0]); i++) {
		struct diag why = {""};
		enum res r = crl_url_check(url_cases[i].text, &why);

		if (r != url_cases[i].want ||
		    (r == RES_OK) != (why.text[0] == '\0')) {
			fail_msg(
			    "%s: %d %s", url_cases[i].text, (int)r, why.text);
		}
	}
}

static void
urls_have_a_limit(void **state)
{
	static const char *const begin[] = {"https://a/", "file:///"};
	char text[CRL_URL_MAX + 2];
	struct diag why = {""};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, begin[i], strlen(begin[i]));
		text[CRL_URL_MAX] = '\0';
		assert_int_equal(crl_url_check(text, &why), RES_OK);
		text[CRL_URL_MAX] = 'x';
		text[CRL_URL_MAX + 1] = '\0';
		assert_int_equal(crl_url_check(text, &why), RES_LIMIT);
	}
	assert_string_not_equal(why.text, "");
	assert_int_equal(crl_url_check(text, NULL), RES_LIMIT);
}

static void
never_tells_a_password(void **state)
{
	struct diag why = {""};

	(void)state;
	assert_int_equal(
	    crl_url_check("https://user:secret@a.example/x", &why), RES_SYNTAX);
	assert_null(strstr(why.text, "secret"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_follow_the_table),
	    cmocka_unit_test(urls_have_a_limit),
	    cmocka_unit_test(never_tells_a_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
