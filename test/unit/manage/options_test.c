/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/options.h"

#include "test/support/cmocka_all.h"

#define WORDS_MAX 8

static const struct option globals[] = {
    {"org", "ORG", USE_ONCE, ""},
    {"json", NULL, USE_ONCE, ""},
    {"help", NULL, USE_ONCE, ""},
    {"version", NULL, USE_ONCE, ""},
    {0},
};

static const struct option add_options[] = {
    {"name", "NAME", USE_ONCE, ""},
    {"scope", "PATTERN", USE_REPEATED, ""},
    {"inactive", NULL, USE_ONCE, ""},
    {"note", "TEXT", USE_CLEARABLE, ""},
    {"block", "CIDR", USE_REPEATED_CLEARABLE, ""},
    {0},
};

static const struct command table[] = {
    {.words = "ca add", .args = "FILE", 1, 1, .options = add_options},
    {.words = "ca list", .args = ""},
    {.words = "set", .args = "[KEY VALUE]", 0, 2},
    {.words = "rule set", .args = "WHO LEVEL", 2, 2},
    {.words = "clear", .args = "KEY VALUE", 1, 2, .need = NEED_NO_VALUE},
    {0},
};

#define LINE(...)                                                              \
	{                                                                      \
		"certid", __VA_ARGS__                                          \
	}

static int
count_words(const char *const *line)
{
	int n = 0;

	while (n < WORDS_MAX && line[n] != NULL) {
		n++;
	}
	return n;
}

static enum res
parse(const char *const *line, struct words *out, struct diag *why)
{
	char *argv[WORDS_MAX + 1] = {NULL};
	static char kept[WORDS_MAX][64]; /* given values point into it */
	int i, n = count_words(line);

	for (i = 0; i < n; i++) {
		assert_true(strlen(line[i]) < sizeof(kept[0]));
		strcpy(kept[i], line[i]);
		argv[i] = kept[i];
	}
	return words_parse(table, globals, n, argv, out, why);
}

static const struct {
	const char *line[WORDS_MAX];
	const char *command;
	size_t args, given;
} good[] = {
    {LINE("ca", "add", "f"), "ca add", 1, 0},
    {LINE("ca", "list"), "ca list", 0, 0},
    {LINE("set"), "set", 0, 0},
    {LINE("set", "a", "b"), "set", 2, 0},
    {LINE("--json", "ca", "list"), "ca list", 0, 1},
    {LINE("ca", "--json", "list"), "ca list", 0, 1},
    {LINE("ca", "list", "--json"), "ca list", 0, 1},
    {LINE("--org=x", "ca", "list"), "ca list", 0, 1},
    {LINE("ca", "add", "f", "--name", "n"), "ca add", 1, 1},
    {LINE("ca", "add", "--name=n", "f"), "ca add", 1, 1},
    {LINE("ca", "add", "f", "--scope", "a", "--scope", "b"), "ca add", 1, 2},
    {LINE("ca", "add", "--inactive", "f"), "ca add", 1, 1},
    {LINE("ca", "add", "--", "--name"), "ca add", 1, 0},
    {LINE("ca", "add", "f", "--note", ""), "ca add", 1, 1},
    {LINE("ca", "add", "f", "--note="), "ca add", 1, 1},
    {LINE("ca", "add", "f", "--block", "", "--block=x"), "ca add", 1, 2},
    {LINE("ca", "add", "-"), "ca add", 1, 0},
    {LINE("clear", "a", ""), "clear", 2, 0},
    {LINE("clear", "a", "b"), "clear", 2, 0},
    {LINE("ca", "add", "--name", "--json", "f"), "ca add", 1, 1},
};

static void
takes_good_lines_apart(void **state)
{
	struct words words;
	struct diag why = {"untouched"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse(good[i].line, &words, &why), RES_OK);
		assert_string_equal(words.command->words, good[i].command);
		assert_int_equal(words.arg_count, good[i].args);
		assert_int_equal(words.given_count, good[i].given);
		assert_string_equal(why.text, "untouched");
		words_done(&words);
	}
}

static const struct {
	const char *line[WORDS_MAX];
	const char *why;
} bad[] = {
    {{"certid"}, "a command is missing: see \"certid help\""},
    {LINE("--json"), "a command is missing: see \"certid help\""},
    {LINE("nope"), "unknown command \"nope\": see \"certid help\""},
    {LINE("c"), "unknown command \"c\": see \"certid help\""},
    {LINE("ca"), "\"ca\" needs add or list: see \"certid help ca\""},
    {LINE("ca", "nope"), "unknown command \"ca nope\": see \"certid help ca\""},
    {LINE("ca add", "f"), "unknown command \"ca add\": see \"certid help\""},
    {LINE("ca", "ad", "f"),
        "unknown command \"ca ad\": see \"certid help ca\""},
    {LINE("ca", "add"), "\"ca add\" needs FILE: see \"certid help ca add\""},
    {LINE("rule"), "\"rule\" needs set: see \"certid help rule\""},
    {LINE("rule", "set"),
        "\"rule set\" needs WHO LEVEL: see \"certid help rule set\""},
    {LINE("rule", "set", "x"),
        "\"rule set\" needs LEVEL: see \"certid help rule set\""},
    {LINE("ca", "add", "f", "--name", ""),
        "option --name needs a value that is not empty: see \"certid help ca "
        "add\""},
    {LINE("ca", "add", "f", "--note", "", "--note", ""),
        "given twice: option --note for \"ca add\": see "
        "\"certid help ca add\""},
    {LINE("ca", "add", "f", "g"),
        "surplus argument g for \"ca add\": see \"certid help ca add\""},
    {LINE("ca", "list", "g"),
        "surplus argument g for \"ca list\": see \"certid help ca list\""},
    {LINE("ca", "add", ""), "an argument is empty: see \"certid help ca add\""},
    {LINE(""), "an argument is empty: see \"certid help\""},
    {LINE("set", "a", ""), "an argument is empty: see \"certid help set\""},
    {LINE("clear", ""), "an argument is empty: see \"certid help clear\""},
    {LINE("clear", "", "b"), "an argument is empty: see \"certid help clear\""},
    {LINE("clear", "a", "b", ""),
        "an argument is empty: see \"certid help clear\""},
    {LINE("ca", "add", "f", "--foo"),
        "unknown option --foo for \"ca add\": see \"certid help ca add\""},
    {LINE("ca", "add", "f", "--foo=1"),
        "unknown option --foo for \"ca add\": see \"certid help ca add\""},
    {LINE("ca", "add", "f", "--nam", "n"),
        "unknown option --nam for \"ca add\": see \"certid help ca add\""},
    {LINE("ca", "add", "f", "--NAME", "n"),
        "unknown option --NAME for \"ca add\": see \"certid help ca add\""},
    {LINE("ca", "add", "f", "-n"),
        "unknown option -n for \"ca add\": see \"certid help ca add\""},
    {LINE("ca", "list", "--name", "n"),
        "unknown option --name for \"ca list\": see \"certid help ca list\""},
    {LINE("--name", "n", "ca", "add"),
        "unknown option --name: see \"certid help\""},
    {LINE("--=x"), "unknown option --: see \"certid help\""},
    {LINE("ca", "list", "--org"),
        "a value is missing after option --org for \"ca list\": see "
        "\"certid help ca list\""},
    {LINE("ca", "list", "--org", ""),
        "option --org needs a value that is not empty: see \"certid help ca "
        "list\""},
    {LINE("ca", "list", "--org="),
        "option --org needs a value that is not empty: see \"certid help ca "
        "list\""},
    {LINE("ca", "list", "--json=yes"),
        "no value may be given to option --json for \"ca list\": see "
        "\"certid help ca list\""},
    {LINE("--json", "ca", "list", "--json"),
        "given twice: option --json for \"ca list\": see "
        "\"certid help ca list\""},
    {LINE("--org", "a", "ca", "list", "--org=b"),
        "given twice: option --org for \"ca list\": see "
        "\"certid help ca list\""},
    {LINE("ca", "add", "f", "--name=a", "--name", "b"),
        "given twice: option --name for \"ca add\": see "
        "\"certid help ca add\""},
    {LINE("ca", "add", "f", "--", "--scope"),
        "surplus argument --scope for \"ca add\": see "
        "\"certid help ca add\""},
};

static void
refuses_bad_lines(void **state)
{
	struct words words;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why.text[0] = '\0';
		assert_int_equal(parse(bad[i].line, &words, &why), RES_SYNTAX);
		assert_string_equal(why.text, bad[i].why);
		words_done(&words);
	}
}

static void
keeps_values_in_order(void **state)
{
	const char *line[WORDS_MAX] =
	    LINE("ca", "add", "f", "--scope=a=b", "--scope", "c", "--inactive");
	struct words words;
	struct diag why;

	(void)state;
	assert_int_equal(parse(line, &words, &why), RES_OK);
	assert_int_equal(words.given_count, 3);
	assert_string_equal(words.given[0].value, "a=b");
	assert_string_equal(words.given[1].value, "c");
	assert_string_equal(words.given[2].value, "");
	assert_string_equal(words.args[0], "f");
	words_done(&words);
}

static const struct {
	const char *line[WORDS_MAX];
	const char *topic;
	bool help, version;
} asking[] = {
    {LINE("--help"), "", true, false},
    {LINE("-h"), "", true, false},
    {LINE("ca", "--help"), "ca", true, false},
    {LINE("--help", "ca", "add"), "ca add", true, false},
    {LINE("ca", "add", "--help"), "ca add", true, false},
    {LINE("--version"), "", false, true},
};

static void
help_needs_nothing_else(void **state)
{
	struct words words;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(asking) / sizeof(asking[0]); i++) {
		assert_int_equal(parse(asking[i].line, &words, &why), RES_OK);
		assert_string_equal(words.topic, asking[i].topic);
		assert_int_equal(words.help, asking[i].help);
		assert_int_equal(words.version, asking[i].version);
		words_done(&words);
	}
}

static void
tells_nouns(void **state)
{
	(void)state;
	assert_true(command_is_noun(table, "ca"));
	assert_false(command_is_noun(table, "c"));
	assert_false(command_is_noun(table, "set"));
	assert_false(command_is_noun(table, "ca add"));
	assert_null(command_find(table, "ca"));
	assert_non_null(command_find(table, "ca list"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_good_lines_apart),
	    cmocka_unit_test(refuses_bad_lines),
	    cmocka_unit_test(keeps_values_in_order),
	    cmocka_unit_test(help_needs_nothing_else),
	    cmocka_unit_test(tells_nouns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
