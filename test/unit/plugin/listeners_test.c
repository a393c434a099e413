/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/listeners.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/cmocka_all.h"
#include "test/unit/plugin/listeners_fixture.h"

static const struct {
	const char *name;
	const char *text;
	struct included files[3];
	bool are_all;
	int ours[4], others[4];
} good[] = {
    {"one plugin for all", "listener 8883\n" US "listener 1\n", {{0}}, true,
        {0}, {0}},
    {"all, said so", "per_listener_settings false\n" US "listener 1\n", {{0}},
        true, {0}, {0}},
    {"all, before the listeners", US "listener 1\n", {{0}}, true, {0}, {0}},
    {"all, old name", "auth_plugin @/us.so\n", {{0}}, true, {0}, {0}},
    {"all, by name alone", "plugin us.so\n", {{0}}, true, {0}, {0}},
    {"all, however it is written", "plugin libelsewhere.so\nlistener 1\n",
        {{0}}, true, {0}, {0}},
    {"all, two plugins", "plugin @/them.so\n" US, {{0}}, true, {0}, {0}},
    {"all: the port is nobody's concern",
        "listener 0x10\n" US "port 010\n" US "listener 010\n" US, {{0}}, true,
        {0}, {0}},
    {"all: one port twice", "listener 8883 ::1\n" US "listener 8883 ::2\n",
        {{0}}, true, {0}, {0}},
    {"in an included file", "include_dir @/d\n", {{"d/a.conf", US}}, true, {0},
        {0}},

    {"one of two", ONE "listener 8884\n", {{0}}, false, {8883}, {8884, 1883}},
    {"the other one", PER "listener 8884\nlistener 8883\n" US, {{0}}, false,
        {8883}, {8884}},
    {"two of three", ONE "listener 8884\nlistener 8885\n" US, {{0}}, false,
        {8883, 8885}, {8884}},
    {"two plugins, one listener", PER "listener 1\nplugin @/them.so\n" US,
        {{0}}, false, {1}, {0}},
    {"another plugin", ONE "listener 8884\nplugin @/them.so\n", {{0}}, false,
        {8883}, {8884}},
    {"old name", PER "listener 1\nauth_plugin @/us.so\nlistener 2\n", {{0}},
        false, {1}, {2}},
    {"a link to it", PER "listener 1\nplugin @/alias.so\nlistener 2\n", {{0}},
        false, {1}, {2}},
    {"a detour", PER "listener 1\nplugin @/d/../us.so\nlistener 2\n", {{0}},
        false, {1}, {2}},
    {"other options between",
        PER "listener 1\ncafile /x\nplugin_opt_registry /r\nconnection c\n" US
            "listener 2\n",
        {{0}}, false, {1}, {2}},
    {"an unknown key", "frobnicate\nPlugin @/us.so\n" ONE "listener 2\n", {{0}},
        false, {8883}, {2}},
    {"1 is true", "per_listener_settings 1\nlistener 1\n" US "listener 2\n",
        {{0}}, false, {1}, {2}},
    {"false, then true", "per_listener_settings 0\n" ONE "listener 2\n", {{0}},
        false, {8883}, {2}},
    {"true twice", PER ONE "listener 2\n", {{0}}, false, {8883}, {2}},

    {"the lowest and the highest port",
        PER "listener 1\n" US "listener 65535\n" US "listener 7\nlistener 8\n",
        {{0}}, false, {1, 65535}, {7, 8, 65534, 2}},
    {"a bind address", PER "listener 1 127.0.0.1\n" US "listener 2 ::1\n",
        {{0}}, false, {1}, {2}},
    {"one port twice, both ours",
        PER "listener 1 127.0.0.1\n" US "listener 1 ::1\n" US "listener 2\n",
        {{0}}, false, {1}, {2}},
    {"one port twice, neither ours", ONE "listener 1 ::1\nlistener 1 ::2\n",
        {{0}}, false, {8883}, {1}},
    {"a Unix socket", PER "listener 0 /s\n" US "listener 2\n" US "listener 3\n",
        {{0}}, false, {2}, {0, 3}},
    {"only a Unix socket", PER "listener 0 /s\n" US "listener 2\n", {{0}},
        false, {0}, {2, 1883}},
    {"what 2.0 takes for a port",
        PER "listener \t21abc\n" US "listener 22\t::1\n", {{0}}, false, {21},
        {22}},
    {"an unclear port, not ours", ONE "listener 0x10\nlistener 010\n", {{0}},
        false, {8883}, {8, 10, 16}},

    {"default listener", PER US "listener 1\n", {{0}}, false, {1883}, {1}},
    {"default listener, port above", PER "port 8883\n" US "listener 1\n", {{0}},
        false, {8883}, {1, 1883}},
    {"default listener, port below", PER US "listener 1\nport 8883\n", {{0}},
        false, {8883}, {1, 1883}},
    {"default listener, the last port counts", PER US "port 1\nport 2\n", {{0}},
        false, {2}, {1, 1883}},
    {"default listener, address", PER "bind_address ::1\n" US "listener 1\n",
        {{0}}, false, {1883}, {1}},
    {"default listener, not ours", PER "port 1\nlistener 2\n" US, {{0}}, false,
        {2}, {1, 1883}},
    {"no default listener", PER "listener 1883\n" US "certfile /c\n", {{0}},
        false, {1883}, {0}},
    {"a plugin above port is clear", ONE "port 1\n", {{0}}, false, {8883},
        {1, 1883}},
    {"another plugin below port", ONE "port 1\nplugin @/them.so\n", {{0}},
        false, {8883}, {1}},
    {"clear again after listener", PER "listener 1\nport 2\nlistener 3\n" US,
        {{0}}, false, {3}, {1, 2}},

    {"load and use",
        "plugin_load x @/us.so\nlistener 1\nplugin_use x\nlistener 2\n", {{0}},
        false, {1}, {2}},
    {"load and use, per listener",
        PER "plugin_load x @/us.so\nlistener 1\nplugin_use x\nlistener 2\n",
        {{0}}, false, {1}, {2}},
    {"load below, use twice",
        "listener 1\nplugin_load x @/us.so\nlistener 2\nplugin_use x\n"
        "listener 3\nplugin_use   x \n",
        {{0}}, false, {2, 3}, {1}},
    {"load and use others",
        "plugin_load x @/us.so\nplugin_load y @/them.so\nlistener 1\n"
        "plugin_use y\nlistener 2\nplugin_use x\nlistener 3\nplugin_use X\n",
        {{0}}, false, {2}, {1, 3}},
    {"load and use beside another for all",
        "plugin_load x @/us.so\nplugin @/them.so\nlistener 1\nplugin_use x\n"
        "listener 2\n",
        {{0}}, false, {1}, {2}},
    {"another is loaded, we are for all",
        "plugin_load x @/them.so\nlistener 1\nplugin_use x\n" US, {{0}}, true,
        {0}, {0}},
    {"global plugin", PER "global_plugin @/us.so\nlistener 1\n", {{0}}, true,
        {0}, {0}},
    {"global plugin and one listener's", ONE "global_plugin @/us.so\n", {{0}},
        true, {0}, {0}},
    {"another global plugin",
        PER "global_plugin @/them.so\n" ONE "listener 1\n", {{0}}, false,
        {8883}, {1}},

    {"spaces",
        "  per_listener_settings   true  x\n   listener   1   ::1  \n"
        "   plugin    @/us.so  \t \n listener 2 \n",
        {{0}}, false, {1}, {2}},
    {"a tab does not separate",
        ONE "listener\t2\nplugin\t@/us.so\n"
            "\tlistener 2\n listener 3\n",
        {{0}}, false, {8883}, {2, 3}},
    {"tabs around a path", PER "listener 1\nplugin \t@/us.so\t\nlistener 2\n",
        {{0}}, false, {1}, {2}},
    {"carriage returns",
        "per_listener_settings true\r\nlistener 1\r\nplugin "
        "@/us.so\r\r\nlistener 2\r\n\r\n",
        {{0}}, false, {1}, {2}},
    {"no newline at the end", PER "listener 2\nlistener 1\nplugin @/us.so",
        {{0}}, false, {1}, {2}},
    {"comments", "#listener 9\n" ONE "# listener 2\n#" US "listener 3 # x\n",
        {{0}}, false, {8883}, {2, 3, 9}},
    {"a comment behind the path",
        PER "listener 1\nplugin @/us.so # of 2.1.3\n"
            "listener 2\n",
        {{0}}, false, {1}, {2}},
    {"a path with a space",
        PER "listener 1\nplugin @/us.so x\nlistener 2\n"
            "plugin @/us.so\n",
        {{"us.so x", ""}}, false, {2}, {1}},

    {"include: a file begins with the default listener",
        PER "listener 1\ninclude_dir @/d\nlistener 2\n", {{"d/a.conf", US}},
        false, {1883}, {1, 2}},
    {"include: a listener of its own",
        PER "listener 1\ninclude_dir @/d\nlistener 2\n",
        {{"d/a.conf", "listener 3\n" US}, {"d/b.conf", "listener 4\n"}}, false,
        {3}, {1, 2, 4}},
    {"include: a listener ends with its file", PER "include_dir @/d\n",
        {{"d/a.conf", "listener 3\n"}, {"d/b.conf", US}}, false, {1883}, {3}},
    {"include: above it is clear", ONE "include_dir @/d\n",
        {{"d/a.conf", "listener 3\n"}}, false, {8883}, {3}},
    {"include: listeners nowhere, so clear",
        PER "listener 1\ninclude_dir @/d\n" US,
        {{"d/a.conf", "max_qos 1\nport 3\n"}}, false, {1}, {3}},
    {"include: order", "include_dir @/d\nlistener 1\n" US "listener 2\n",
        {{"d/B.conf", "per_listener_settings true\n"},
            {"d/a.conf", "per_listener_settings false\n"}},
        false, {1}, {2}},
    {"include: a name for others",
        "include_dir @/d\nlistener 1\nplugin_use x\nlistener 2\n",
        {{"d/a.conf", "plugin_load x @/us.so\n"}}, false, {1}, {2}},
};

static void
knows_the_listeners(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct listeners *listeners = NULL;
		struct diag why = {{0}};

		print_message("%s\n", good[i].name);
		assert_int_equal(
		    listeners_try(good[i].text, strlen(good[i].text),
		        good[i].files, &listeners, &why),
		    RES_OK);
		assert_string_equal(why.text, "");
		assert_int_equal(listeners_are_all(listeners), good[i].are_all);
		for (k = 0; k < 4; k++) {
			if (good[i].ours[k] != 0) {
				assert_true(listeners_include(
				    listeners, good[i].ours[k]));
			}
			if (!good[i].are_all) {
				assert_false(listeners_include(
				    listeners, good[i].others[k]));
			}
		}
		listeners_free(listeners);
		listeners_drop("us.so x");
	}
}

#define NUL_LINE   ONE "max_qos\0 1\n"
#define TEXT(text) text, sizeof(text) - 1

static const struct {
	const char *name;
	const char *text;
	size_t len;
	struct included files[3];
	enum res want;
	const char *word; /* of the sentence */
} bad[] = {
    {"no plugin at all", TEXT("listener 8883\n"), {{0}}, RES_UNAVAIL,
        "no listener"},
    {"an empty file", TEXT(""), {{0}}, RES_UNAVAIL, "no listener"},
    {"another plugin", TEXT(PER "listener 1\nplugin @/them.so\n"), {{0}},
        RES_UNAVAIL, "us.so"},
    {"no such file", TEXT(PER "listener 1\nplugin @/none.so\n"), {{0}},
        RES_UNAVAIL, "us.so"},
    {"a name that goes on", TEXT(PER "listener 1\nplugin @/us.so.1\n"), {{0}},
        RES_UNAVAIL, "us.so"},
    {"no path", TEXT(PER "listener 1\nplugin us.so\n"), {{0}}, RES_UNAVAIL,
        "main.conf:3: write the whole path"},
    {"no path to load", TEXT("plugin_load x us.so\n"), {{0}}, RES_UNAVAIL,
        "whole path"},
    {"loaded, not used", TEXT("plugin_load x @/us.so\nlistener 1\n"), {{0}},
        RES_UNAVAIL, "no listener"},
    {"used, another is loaded",
        TEXT("plugin_load x @/them.so\nlistener 1\nplugin_use x\n"), {{0}},
        RES_UNAVAIL, "no listener"},
    {"used above", TEXT("listener 1\nplugin_use x\nplugin_load x @/us.so\n"),
        {{0}}, RES_UNAVAIL, "no listener"},
    {"another for all, ours loaded",
        TEXT("plugin @/them.so\n"
             "plugin_load x @/us.so\n"),
        {{0}}, RES_UNAVAIL, "no listener"},
    {"load without a path", TEXT("plugin_load x\n"), {{0}}, RES_SYNTAX,
        "main.conf:1: "},
    {"load with a space", TEXT("plugin_load x  \n"), {{0}}, RES_SYNTAX,
        "missing"},

    {"one port, ours and not",
        TEXT(PER "listener 8883 ::1\n" US "listener 8883 ::2\n"), {{0}},
        RES_UNAVAIL, "port 8883"},
    {"one port, not and ours",
        TEXT(PER "listener 65535 ::1\nlistener 65535 ::2\n" US), {{0}},
        RES_UNAVAIL, "port 65535"},
    {"one port, in two files",
        TEXT(PER "listener 1 ::1\n" US "include_dir @/d\n"),
        {{"d/a.conf", "listener 1 ::2\n"}}, RES_UNAVAIL, "port 1 "},
    {"one port, the default listener's", TEXT(ONE "port 8883\n"), {{0}},
        RES_UNAVAIL, "port 8883"},
    {"one port, the default address's",
        TEXT(PER "listener 1883 ::1\n" US "bind_address ::2\n"), {{0}},
        RES_UNAVAIL, "port 1883"},
    {"one port, the default certificate's",
        TEXT(PER "certfile /c\nlistener 1883 ::1\n" US), {{0}}, RES_UNAVAIL,
        "port 1883"},

    {"octal", TEXT(PER "listener 010\n" US), {{0}}, RES_UNAVAIL, ":3: Mosq"},
    {"hexadecimal", TEXT(PER "listener 0x10\n" US), {{0}}, RES_UNAVAIL,
        "decimal port"},
    {"no octal either", TEXT(PER "listener 08\n" US), {{0}}, RES_UNAVAIL,
        "decimal"},
    {"octal default", TEXT(PER "port 010\n" US), {{0}}, RES_UNAVAIL, "decimal"},
    {"octal default, below", TEXT(PER US "port 010\n"), {{0}}, RES_UNAVAIL,
        "default listener"},
    {"port 65536", TEXT(PER "listener 65536\n" US), {{0}}, RES_UNAVAIL,
        "decimal"},
    {"port modulo 2^32", TEXT(PER "listener 4294976179\n" US), {{0}},
        RES_UNAVAIL, "decimal"},
    {"port beyond a long", TEXT(PER "listener 99999999999999999999\n" US),
        {{0}}, RES_UNAVAIL, "decimal"},
    {"port -1", TEXT(PER "listener -1\n" US), {{0}}, RES_UNAVAIL, "decimal"},
    {"below port", TEXT(PER "listener 1\nport 2\n" US), {{0}}, RES_UNAVAIL,
        "main.conf:4: "},
    {"below bind_address", TEXT(PER "listener 1\nbind_address ::1\n" US), {{0}},
        RES_UNAVAIL, "main.conf:4: "},
    {"used below port",
        TEXT("plugin_load x @/us.so\nlistener 1\nport 2\nplugin_use x\n"),
        {{0}}, RES_UNAVAIL, "main.conf:4: "},
    {"below an include with listeners",
        TEXT(PER "listener 1\ninclude_dir @/d\n" US),
        {{"d/a.conf", "listener 2\n"}}, RES_UNAVAIL, "main.conf:4: "},
    {"below two of them", TEXT(PER "listener 1\ninclude_dir @/d\n" US),
        {{"d/a.conf", "listener 2\n"}, {"d/b.conf", "max_qos 1\n"}},
        RES_UNAVAIL, "main.conf:4: "},
    {"default, below an include with listeners",
        TEXT(PER "include_dir @/d\n" US), {{"d/a.conf", "listener 2\n"}},
        RES_UNAVAIL, "include_dir"},
    {"true taken back", TEXT(ONE "per_listener_settings false\n"), {{0}},
        RES_UNAVAIL, "main.conf:4: "},
    {"true taken back by order", TEXT("include_dir @/d\n" US),
        {{"d/A.conf", PER}, {"d/a.conf", "per_listener_settings 0\n"}},
        RES_UNAVAIL, "a.conf:1: "},

    {"neither true nor false", TEXT("per_listener_settings yes\n" US), {{0}},
        RES_SYNTAX, "main.conf:1: write true or false"},
    {"TRUE", TEXT("per_listener_settings TRUE\n" US), {{0}}, RES_SYNTAX,
        "true"},
    {"true and a tab", TEXT("per_listener_settings true\t\n" US), {{0}},
        RES_SYNTAX, "true"},
    {"per_listener_settings alone", TEXT("per_listener_settings\n" US), {{0}},
        RES_SYNTAX, "value"},
    {"plugin alone", TEXT(ONE "plugin \n"), {{0}}, RES_SYNTAX, ":4: the value"},
    {"plugin alone at the end", TEXT(ONE "plugin"), {{0}}, RES_SYNTAX, "value"},
    {"listener alone", TEXT(ONE "listener   \r\n"), {{0}}, RES_SYNTAX, "value"},
    {"port alone", TEXT(US "port\n"), {{0}}, RES_SYNTAX, "value"},
    {"NUL", TEXT(NUL_LINE), {{0}}, RES_SYNTAX, "main.conf:4: there is a NUL"},
    {"a file for a listeners_folder", TEXT(ONE "include_dir @/us.so\n"), {{0}},
        RES_UNAVAIL, "us.so cannot be read"},

    {"no such listeners_folder", TEXT(ONE "include_dir @/none\n"), {{0}},
        RES_UNAVAIL, "/none cannot be read"},
};

static void
refuses_what_is_unclear(void **state)
{
	struct listeners *untouched =
	    (struct listeners *)(void *)listeners_folder;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct listeners *listeners = untouched;
		struct diag why = {{0}};

		print_message("%s\n", bad[i].name);
		assert_int_equal(listeners_try(bad[i].text, bad[i].len,
		                     bad[i].files, &listeners, &why),
		    bad[i].want);
		assert_ptr_equal(listeners, untouched);
		if (strstr(why.text, bad[i].word) == NULL) {
			fail_msg("%s: %s", bad[i].word, why.text);
		}
	}
}

static void
limits_names(void **state)
{
	struct listeners *listeners = NULL;
	struct diag why = {{0}};
	char text[(LISTENERS_NAMES_MAX + 2) * 32];
	size_t len = 0;
	int i;

	(void)state;
	for (i = 0; i < LISTENERS_NAMES_MAX; i++) {
		len +=
		    (size_t)sprintf(text + len, "plugin_load %d @/us.so\n", i);
	}
	len +=
	    (size_t)sprintf(text + len, "listener 1\nplugin_use %d\n", i - 1);
	assert_int_equal(
	    listeners_try(text, len, NULL, &listeners, &why), RES_OK);
	assert_true(listeners_include(listeners, 1));
	listeners_free(listeners);
	listeners = NULL;
	len += (size_t)sprintf(text + len, "plugin_load %d @/us.so\n", i);
	assert_int_equal(
	    listeners_try(text, len, NULL, &listeners, &why), RES_LIMIT);
	assert_null(listeners);
}

static void
knows_no_port_but_a_port(void **state)
{
	struct listeners *listeners = NULL;
	struct diag why = {{0}};
	int port, count = 0;

	(void)state;
	assert_int_equal(
	    listeners_try(ONE, strlen(ONE), NULL, &listeners, &why), RES_OK);
	for (port = -70000; port <= 70000; port++) {
		count += listeners_include(listeners, port) ? 1 : 0;
	}
	assert_int_equal(count, 1);
	listeners_free(listeners);
	listeners_free(NULL);
}

/* Words that mean something, in any order: an answer or a refusal, and never
 * a byte that is not in the file (that is for the sanitizer to see). */
static void
bears_anything(void **state)
{
	static const char *const words[] = {"per_listener_settings", "true",
	    "false", "listener", "1", "2", "0 /s", "010", "port", "plugin",
	    "@/us.so", "@/them.so", "us.so", "plugin_load", "plugin_use", "x",
	    "global_plugin", "bind_address", "certfile", "include_dir", "@/d",
	    "#", "\r", "\t", " ", "\n", "\n", "\n", "\n", "\xff"};
	static const struct included files[3] = {
	    {"d/a.conf", "listener 3\nplugin_load x @/us.so\n"}};
	uint32_t random = 1;
	int round, i, answers = 0;

	(void)state;
	for (round = 0; round < 4000; round++) {
		struct listeners *listeners = NULL;
		struct diag why = {{0}};
		char text[512];
		size_t len = 0;
		enum res r;

		for (i = 0; i < 24; i++) {
			const char *word;

			random = random * 1664525 + 1013904223;
			word = words[(random >> 16) %
			    (sizeof(words) / sizeof(words[0]))];
			len += (size_t)sprintf(text + len, "%s%s", word,
			    word[0] == '\n' || i % 7 == 0 ? "" : " ");
		}
		r = listeners_try(text, len, files, &listeners, &why);
		assert_int_equal(r == RES_OK, listeners != NULL);
		assert_int_equal(r == RES_OK, why.text[0] == '\0');
		assert_int_not_equal(r, RES_NOMEM);
		answers += r == RES_OK ? 1 : 0;
		listeners_free(listeners);
	}
	assert_true(answers > 100);
}

/* This program, started once more as if it were a broker, says what it knows
 * of port 8883 by its exit status; RUN_YES + res where it knows nothing. */
#define RUN_VARIABLE "CERTID_LISTENERS_TEST"
enum { RUN_ALL = 100, RUN_NO, RUN_YES };

static int
run_as_broker(const char *plugin)
{
	struct listeners *listeners = NULL;
	struct diag why = {{0}};
	enum res r = listeners_read(plugin, &listeners, &why);
	int status = RUN_YES + (int)r;

	if (r == RES_OK) {
		status = listeners_are_all(listeners)    ? RUN_ALL
		    : listeners_include(listeners, 8883) ? RUN_YES
		                                         : RUN_NO;
	}
	listeners_free(listeners);
	return status;
}

static int
run(const char *const words[8])
{
	int i, status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char *copy[10] = {NULL};

		for (i = 0; i < 8 && words[i] != NULL; i++) {
			copy[i + 1] = strdup(words[i]);
		}
		copy[0] = strdup("mosquitto");
		if (setenv(RUN_VARIABLE, listeners_us, 1) == 0 &&
		    chdir(listeners_folder) == 0) {
			(void)execv("/proc/self/exe", copy);
		}
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct {
	const char *name;
	const char *words[8];
	int want;
} command_lines[] = {
    {"absolute", {"-c", "@/one.conf"}, RUN_YES},
    {"relative", {"-c", "one.conf"}, RUN_YES},
    {"long", {"--config-file", "d/../one.conf"}, RUN_YES},
    {"other words", {"-v", "-d", "-c", "one.conf", "-q"}, RUN_YES},
    {"a port", {"-p", "-c", "-c", "one.conf"}, RUN_YES},
    {"a port, long", {"--port", "-c", "-c", "one.conf"}, RUN_YES},
    {"a key log", {"--tls-keylog", "-c", "-c", "one.conf"}, RUN_YES},
    {"under another program",
        {"--library-path", "/x", "/mosquitto", "-c", "one.conf"}, RUN_YES},
    {"all", {"-c", "all.conf"}, RUN_ALL},
    {"another port", {"-c", "two.conf"}, RUN_NO},
    {"two files", {"-c", "per.conf", "-c", "l8883.conf"}, RUN_YES},
    {"two files, two sections", {"-c", "section.conf", "-c", "all.conf"},
        RUN_NO},
    {"two files, the second is clear", {"-c", "unclear.conf", "-c", "all.conf"},
        RUN_YES},
    {"a file twice", {"-c", "one.conf", "-c", "one.conf"}, RUN_YES},
    {"two files that differ", {"-c", "one.conf", "-c", "conflict.conf"},
        RUN_YES + RES_UNAVAIL},
    {"no words", {NULL}, RUN_YES + RES_UNAVAIL},
    {"no -c", {"-p", "1883"}, RUN_YES + RES_UNAVAIL},
    {"-c alone", {"-v", "-c"}, RUN_YES + RES_UNAVAIL},
    {"an empty name", {"-c", ""}, RUN_YES + RES_UNAVAIL},
    {"no such file", {"-c", "none.conf"}, RUN_YES + RES_UNAVAIL},
    {"the first is missing", {"-c", "none.conf", "-c", "one.conf"},
        RUN_YES + RES_UNAVAIL},
    {"the second is missing", {"-c", "one.conf", "-c", "none.conf"},
        RUN_YES + RES_UNAVAIL},
    {"joined, as the broker does not take it", {"-cone.conf"},
        RUN_YES + RES_UNAVAIL},
};

static void
finds_the_configuration(void **state)
{
	static const char one[] = ONE "listener 8884\n";
	static const char two[] = PER "listener 8884\n" US "listener 8883\n";
	static const char l8883[] = "listener 8883\n" US;
	static const char section[] = PER "listener 8883\n";
	static const char unclear[] = PER "listener 8884\nport 8883\n";
	static const char conflict[] = "listener 8883 ::1\n";
	char path[256];
	size_t i;

	(void)state;
	listeners_write("one.conf", one, sizeof(one) - 1);
	listeners_write("two.conf", two, sizeof(two) - 1);
	listeners_write("per.conf", PER, sizeof(PER) - 1);
	listeners_write("all.conf", US, sizeof(US) - 1);
	listeners_write("l8883.conf", l8883, sizeof(l8883) - 1);
	listeners_write("section.conf", section, sizeof(section) - 1);
	listeners_write("unclear.conf", unclear, sizeof(unclear) - 1);
	listeners_write("conflict.conf", conflict, sizeof(conflict) - 1);
	assert_true(
	    snprintf(path, sizeof(path), "%s/one.conf", listeners_folder) > 0);
	for (i = 0; i < sizeof(command_lines) / sizeof(command_lines[0]); i++) {
		const char *words[8];

		print_message("%s\n", command_lines[i].name);
		memcpy(words, command_lines[i].words, sizeof(words));
		if (i == 0) {
			words[1] = path;
		}
		assert_int_equal(run(words), command_lines[i].want);
	}
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_the_listeners),
	    cmocka_unit_test(refuses_what_is_unclear),
	    cmocka_unit_test(limits_names),
	    cmocka_unit_test(knows_no_port_but_a_port),
	    cmocka_unit_test(bears_anything),
	    cmocka_unit_test(finds_the_configuration),
	};
	const char *plugin = getenv(RUN_VARIABLE);

	(void)argc;
	(void)argv;
	if (plugin != NULL) {
		return run_as_broker(plugin);
	}
	return cmocka_run_group_tests(
	    tests, listeners_make_folder, listeners_remove_folder);
}
