/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/options.h"

#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"

#define REGISTRY                                                               \
	{                                                                      \
		"registry", "/r.db"                                            \
	}

/* Mosquitto's struct wants char *; nothing here writes to it. */
struct pair {
	const char *key, *value;
};

static enum res
parse(const struct pair *pairs, struct options *out, struct diag *why)
{
	struct mosquitto_opt list[8];
	char text[8][2][64];
	int n = 0;

	while (n < 8 && pairs[n].key != NULL) {
		strcpy(text[n][0], pairs[n].key);
		strcpy(text[n][1], pairs[n].value);
		list[n].key = text[n][0];
		list[n].value = text[n][1];
		n++;
	}
	return options_parse(list, n, out, why);
}

static const struct {
	const char *name;
	struct pair pairs[5];
	enum others others;
	bool assume_tls;
	const char *capath;
} good[] = {
    {"registry alone", {REGISTRY}, OTHERS_REFUSE, false, NULL},
    {"refuse", {REGISTRY, {"others", "refuse"}}, OTHERS_REFUSE, false, NULL},
    {"defer, blanks", {REGISTRY, {"others", " defer\t "}}, OTHERS_DEFER, false,
        NULL},
    {"allow", {REGISTRY, {"others", "allow"}}, OTHERS_ALLOW, false, NULL},
    {"assume", {REGISTRY, {"assume_tls", "true"}}, OTHERS_REFUSE, true, NULL},
    {"capath", {{"capath", "/c"}, REGISTRY}, OTHERS_REFUSE, false, "/c"},
    {"broker", {REGISTRY, {"tls_verify", "broker"}}, OTHERS_REFUSE, false,
        NULL},
};

static void
reads_who_verifies(void **state)
{
	static const struct {
		const char *value;
		bool inside;
	} words[] = {{"broker", false}, {"plugin", true}, {"plugin ", true}};
	struct options options;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char registry[] = "registry", path[] = "/r",
		     key[] = "tls_verify";
		char *value = strdup(words[i].value);
		struct mosquitto_opt list[] = {{registry, path}, {key, value}};

		assert_int_equal(
		    options_parse(list, 1, &options, &why), RES_OK);
		assert_false(options.tls_verify);
		options_done(&options);
		assert_int_equal(
		    options_parse(list, 2, &options, &why), RES_OK);
		assert_int_equal(options.tls_verify, words[i].inside);
		options_done(&options);
		free(value);
	}
}

static void
reads_options(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct options options = {0};
		struct diag why = {{0}};

		print_message("%s\n", good[i].name);
		assert_int_equal(parse(good[i].pairs, &options, &why), RES_OK);
		assert_string_equal(options.registry, "/r.db");
		assert_int_equal(options.others, good[i].others);
		assert_int_equal(options.assume_tls, good[i].assume_tls);
		if (good[i].capath == NULL) {
			assert_null(options.capath);
		} else {
			assert_string_equal(options.capath, good[i].capath);
		}
		options_done(&options);
	}
}

static const struct {
	const char *name;
	struct pair pairs[5];
	const char *says;
} bad[] = {
    {"none", {{NULL, NULL}}, "plugin_opt_registry is missing"},
    {"no registry", {{"others", "defer"}}, "plugin_opt_registry is missing"},
    {"empty", {{"registry", ""}}, "plugin_opt_registry has no value"},
    {"blank", {{"registry", " \t"}}, "plugin_opt_registry has no value"},
    {"relative", {{"registry", "r.db"}}, "begins with /"},
    {"twice", {REGISTRY, REGISTRY}, "plugin_opt_registry stands there twice"},
    {"twice, other value", {REGISTRY, {"others", "defer"}, {"others", "allow"}},
        "plugin_opt_others stands there twice"},
    {"unknown", {REGISTRY, {"registri", "/x"}},
        "plugin_opt_registri is not known"},
    {"case", {{"Registry", "/x"}}, "plugin_opt_Registry is not known"},
    {"others", {REGISTRY, {"others", "maybe"}}, "refuse, defer or allow"},
    {"others case", {REGISTRY, {"others", "Defer"}}, "refuse, defer or allow"},
    {"assume", {REGISTRY, {"assume_tls", "yes"}}, "true or false"},
    {"tls", {REGISTRY, {"tls_verify", "none"}}, "write broker or plugin"},
    {"tls case", {REGISTRY, {"tls_verify", "Plugin"}},
        "write broker or plugin"},
    {"tls true", {REGISTRY, {"tls_verify", "true"}}, "write broker or plugin"},
    {"tls empty", {REGISTRY, {"tls_verify", ""}}, "has no value"},
    {"tls twice",
        {REGISTRY, {"tls_verify", "plugin"}, {"tls_verify", "plugin"}},
        "stands there twice"},
    {"capath", {REGISTRY, {"capath", "c"}}, "begins with /"},
    {"bad after good", {REGISTRY, {"capath", "/c"}, {"x", "y"}},
        "plugin_opt_x is not known"},
};

static void
refuses_options(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct options options = {.others = OTHERS_ALLOW};
		struct diag why = {{0}};

		print_message("%s\n", bad[i].name);
		assert_int_equal(
		    parse(bad[i].pairs, &options, &why), RES_SYNTAX);
		assert_non_null(strstr(why.text, bad[i].says));
		assert_null(options.registry);
		assert_int_equal(options.others, OTHERS_ALLOW);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_options),
	    cmocka_unit_test(reads_who_verifies),
	    cmocka_unit_test(refuses_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
