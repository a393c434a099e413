/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What commands, arguments and options are called in JSON. */
#include "manage/member.h"

#include "manage/commands.h"
#include "test/support/cmocka_all.h"

#define NAMES_MAX 32

static const struct {
	const char *words, *name;
} known[] = {
    {"device list", "listDevices"},
    {"device token", "tokenDevice"},
    {"device lock", "lockDevice"},
    {"ca add", "addCa"},
    {"ca list", "listCas"},
    {"org list", "listOrgs"},
    {"rule set", "setRule"},
    {"topic list", "listTopics"},
    {"event list", "listEvents"},
    {"admin add", "addAdmin"},
    {"hook list", "listHooks"},
    {"status", "getStatus"},
    {"metrics", "getMetrics"},
    {"compliance", "getCompliance"},
    {"explain", "explain"},
    {"import", "importDevices"},
    {"export", "exportDevices"},
    {"set", "setSetting"},
};

static void
commands_have_these_names(void **state)
{
	char name[MEMBER_MAX + 1];
	const struct command *command;
	bool with_args;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		command = command_find(commands, known[i].words);
		assert_non_null(command);
		member_of_command(command, true, name);
		assert_string_equal(name, known[i].name);
		assert_ptr_equal(
		    member_find_command(commands, name, &with_args), command);
		assert_true(with_args);
	}
	command = command_find(commands, "set");
	assert_ptr_equal(
	    member_find_command(commands, "listSettings", &with_args), command);
	assert_false(with_args);
	member_of_command(command, false, name);
	assert_string_equal(name, "listSettings");
}

static void
each_command_has_a_name_of_its_own(void **state)
{
	char name[MEMBER_MAX + 1], other[MEMBER_MAX + 1];
	const struct command *a, *b;
	bool with_args;
	int i, k;

	(void)state;
	for (a = commands; a->words != NULL; a++) {
		for (i = 0; i < 2; i++) {
			member_of_command(a, i == 1, name);
			assert_true(name[0] >= 'a' && name[0] <= 'z');
			assert_null(strchr(name, ' '));
			assert_ptr_equal(
			    member_find_command(commands, name, &with_args), a);
			for (b = a + 1; b->words != NULL; b++) {
				for (k = 0; k < 2; k++) {
					member_of_command(b, k == 1, other);
					assert_string_not_equal(name, other);
				}
			}
		}
	}
}

static const char *const nobody[] = {"", "list", "device list", "listDevice",
    "ListDevices", "listdevices", "listDevices ", "set", "status", "import",
    "deviceList", "Unknown command"};

static void
nothing_else_is_a_command(void **state)
{
	bool with_args = true;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		assert_null(
		    member_find_command(commands, nobody[i], &with_args));
	}
}

/* All members that a command takes, the reserved ones apart. */
static size_t
list_names(const struct command *command, char names[][MEMBER_MAX + 1])
{
	const struct option *option = command->options;
	size_t n;

	for (n = 0; member_of_argument(command, n, names[n]); n++) {
	}
	assert_int_equal(n, command->max_args);
	for (; option != NULL && option->name != NULL; option++) {
		assert_true(n < NAMES_MAX);
		member_of_option(command, option, names[n++]);
	}
	return n;
}

static void
members_of_a_command_differ(void **state)
{
	char names[NAMES_MAX][MEMBER_MAX + 1];
	const struct command *command;
	size_t n, i, k;

	(void)state;
	for (command = commands; command->words != NULL; command++) {
		if (strcmp(command->words, "help") == 0) {
			continue; /* not for JSON, and has unnamed arguments */
		}
		n = list_names(command, names);
		for (i = 0; i < n; i++) {
			assert_true(names[i][0] != '\0');
			assert_int_equal(
			    strspn(names[i],
			        "abcdefghijklmnopqrstuvwxyz"
			        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
			    strlen(names[i]));
			assert_false(member_is_reserved(names[i]));
			for (k = i + 1; k < n; k++) {
				assert_string_not_equal(names[i], names[k]);
			}
		}
	}
}

static const struct option two_options[] = {
    {"crl-url", "URL", USE_ONCE, ""},
    {"format", "a|b", USE_ONCE, ""},
    {"info", "FILE", USE_ONCE, ""},
    {"cert", "FILE|FINGERPRINT", USE_ONCE, ""},
    {"flag", NULL, USE_ONCE, ""},
    {0},
};

static const struct command example = {.words = "hook add",
    .args = "default|CLASS:TYPE [FILE] WHO...",
    .min_args = 2,
    .max_args = 3,
    .options = two_options};

static void
names_follow_the_table(void **state)
{
	char name[MEMBER_MAX + 1] = "untouched";

	(void)state;
	assert_true(member_of_argument(&example, 0, name));
	assert_string_equal(name, "type");
	assert_true(member_of_argument(&example, 1, name));
	assert_string_equal(name, "file");
	assert_true(member_of_argument(&example, 2, name));
	assert_string_equal(name, "who");
	assert_false(member_of_argument(&example, 3, name));
	assert_string_equal(name, "who");
	assert_false(member_is_file(&example, 0));
	assert_true(member_is_file(&example, 1));
	assert_false(member_is_file(&example, 3));
	member_of_option(&example, &two_options[0], name);
	assert_string_equal(name, "crlUrl");
	member_of_option(&example, &two_options[1], name);
	assert_string_equal(name, "hookFormat");
	member_of_option(NULL, &two_options[1], name);
	assert_string_equal(name, "format");
}

static void
files_are_known_by_the_table(void **state)
{
	(void)state;
	assert_false(member_takes_file(&two_options[0]));
	assert_true(member_takes_file(&two_options[2]));
	assert_true(member_takes_file(&two_options[3]));
	assert_false(member_takes_file(&two_options[4]));
	assert_false(member_is_fingerprint(&two_options[2], "aa:bb"));
	assert_true(member_is_fingerprint(&two_options[3], "aa:BB"));
	assert_false(member_is_fingerprint(&two_options[3], "-----BEGIN"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_have_these_names),
	    cmocka_unit_test(each_command_has_a_name_of_its_own),
	    cmocka_unit_test(nothing_else_is_a_command),
	    cmocka_unit_test(members_of_a_command_differ),
	    cmocka_unit_test(names_follow_the_table),
	    cmocka_unit_test(files_are_known_by_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
