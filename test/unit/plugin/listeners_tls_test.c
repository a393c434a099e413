/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Which clients use TLS, as the broker's configuration says. */
#include "test/support/cmocka_all.h"
#include "test/unit/plugin/listeners_fixture.h"

#define TLS "certfile /c\nkeyfile /k\n"

static const struct {
	const char *name;
	const char *text;
	struct included files[3];
	bool all;
	int tls[3], plain[3];
} tls[] = {
    {"one with TLS", US "listener 1\n" TLS, {{0}}, true, {1}, {2, 1883}},
    {"one without", US "listener 1\n", {{0}}, false, {0}, {1}},
    {"no listener at all", US, {{0}}, false, {0}, {1, 1883}},
    {"one of two", US "listener 1\n" TLS "listener 2\n", {{0}}, false, {1},
        {2}},
    {"the other one", US "listener 1\nlistener 2\n" TLS, {{0}}, false, {2},
        {1}},
    {"two of two", US "listener 1\n" TLS "listener 2\n" TLS, {{0}}, true,
        {1, 2}, {3}},
    {"no key", US "listener 1\ncertfile /c\n", {{0}}, false, {0}, {1}},
    {"no certificate", US "listener 1\nkeyfile /k\n", {{0}}, false, {0}, {1}},
    {"half of it in each",
        US "listener 1\ncertfile /c\nlistener 2\nkeyfile /k\n", {{0}}, false,
        {0}, {1, 2}},
    {"CAs alone", US "listener 1\ncafile /c\ncapath /d\n", {{0}}, false, {0},
        {1}},
    {"of a bridge", US "listener 1\nbridge_certfile /c\nbridge_keyfile /k\n",
        {{0}}, false, {0}, {1}},
    {"in a comment", US "listener 1\n#" TLS, {{0}}, false, {0}, {1}},
    {"one port twice, both", US "listener 1 ::1\n" TLS "listener 1 ::2\n" TLS,
        {{0}}, true, {1}, {2}},
    {"one port twice, one of them",
        US "listener 1 ::1\n" TLS "listener 1 ::2\n", {{0}}, false, {0}, {1}},
    {"a Unix socket beside it", US "listener 1\n" TLS "listener 0 /s\n", {{0}},
        false, {1}, {0}},
    {"a port that is not clear, without TLS",
        US "listener 16\n" TLS "listener 0x10\n", {{0}}, false, {0}, {16, 1}},
    {"a port that is not clear, with TLS",
        US "listener 16\n" TLS "listener 0x10\n" TLS, {{0}}, true, {16}, {10}},
    {"a proxy speaks", US "listener 1\n" TLS "enable_proxy_protocol 2\n", {{0}},
        false, {0}, {1}},
    {"a proxy speaks elsewhere",
        US "listener 1\n" TLS "listener 2\nenable_proxy_protocol 2\n" TLS,
        {{0}}, false, {1}, {2}},
    {"a proxy, perhaps",
        US "listener 1\n" TLS "port 2\nenable_proxy_protocol 2\n", {{0}}, false,
        {0}, {1, 2}},

    {"default listener", US "port 1\n" TLS, {{0}}, true, {1}, {2}},
    {"default listener, above", US TLS "port 1\n", {{0}}, true, {1}, {1883}},
    {"default listener, no port", US TLS, {{0}}, false, {0}, {1883}},
    {"default listener, an address", US TLS "bind_address ::1\n", {{0}}, false,
        {0}, {1883}},
    {"default listener without", US "port 1\nlistener 2\n" TLS, {{0}}, false,
        {2}, {1}},
    {"below port, whose?", US "listener 1\nport 2\n" TLS, {{0}}, false, {0},
        {1, 2}},
    {"key below port, whose?",
        US "listener 1\ncertfile /c\nport 2\nkeyfile /k\n", {{0}}, false, {0},
        {1, 2}},
    {"below bind_address, whose?", US "listener 1\nbind_address ::1\n" TLS,
        {{0}}, false, {0}, {1, 1883}},

    {"include", US "include_dir @/d\nlistener 1\n" TLS,
        {{"d/a.conf", "listener 2\n" TLS}, {"d/b.conf", "listener 3\n"}}, false,
        {1, 2}, {3}},
    {"include, all", US "include_dir @/d\n", {{"d/a.conf", "listener 2\n" TLS}},
        true, {2}, {1883}},
    {"below an include with listeners, whose?",
        US "listener 1\ninclude_dir @/d\n" TLS, {{"d/a.conf", "listener 2\n"}},
        false, {0}, {1, 2}},
    {"others' listeners count", ONE TLS "listener 1\n", {{0}}, false, {8883},
        {1}},
    {"others' listeners have it", ONE TLS "listener 1\n" TLS, {{0}}, true,
        {8883, 1}, {2}},
};

static void
knows_who_uses_tls(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(tls) / sizeof(tls[0]); i++) {
		struct listeners *listeners = NULL;
		struct diag why = {{0}};

		print_message("%s\n", tls[i].name);
		assert_int_equal(listeners_try(tls[i].text, strlen(tls[i].text),
		                     tls[i].files, &listeners, &why),
		    RES_OK);
		assert_int_equal(listeners_all_have_tls(listeners), tls[i].all);
		for (k = 0; k < 3; k++) {
			if (tls[i].tls[k] != 0) {
				assert_true(listeners_have_tls(
				    listeners, tls[i].tls[k]));
			}
			assert_false(
			    listeners_have_tls(listeners, tls[i].plain[k]));
		}
		assert_false(listeners_have_tls(listeners, -1));
		assert_false(listeners_have_tls(listeners, 0));
		assert_false(listeners_have_tls(listeners, 65536));
		listeners_free(listeners);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_who_uses_tls),
	};

	return cmocka_run_group_tests(
	    tests, listeners_make_folder, listeners_remove_folder);
}
