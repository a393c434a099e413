/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The man page and the completion of bash name every command and option of
 * the table, and no others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "manage/commands.h"
#include "registry/event.h"
#include "test/support/cmocka_all.h"

#define PACKAGING TEST_SOURCE_DIR "/../../../packaging/"
#define TEXT_MAX  (256 * 1024)

/* A file without backslashes: "\-\-name" is "--name" then. */
static char *
read_plain(const char *path)
{
	char *text = calloc(1, TEXT_MAX);
	FILE *file = fopen(path, "r");
	size_t at = 0;
	int c;

	assert_non_null(text);
	assert_non_null(file);
	while ((c = fgetc(file)) != EOF && at < TEXT_MAX - 1) {
		if (c != '\\') {
			text[at++] = (char)c;
		}
	}
	(void)fclose(file);
	return text;
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what)) {
		n++;
	}
	return n;
}

/* What the man page says under the heading of one command. */
static char *
section_of(const char *page, const struct command *command)
{
	char heading[80], *section;
	const char *start, *end;

	(void)snprintf(
	    heading, sizeof(heading), ".B certid %s", command->words);
	for (start = strstr(page, heading); start != NULL;
	     start = strstr(start + 1, heading)) {
		if (strchr(" \n", start[strlen(heading)]) != NULL) {
			break;
		}
	}
	if (start == NULL) {
		fail_msg("the man page lacks: certid %s", command->words);
	}
	end = strstr(start + 1, "\n.B certid ");
	end = end == NULL ? start + strlen(start) : end;
	section = strndup(start, (size_t)(end - start));
	assert_non_null(section);
	return section;
}

static void
check_option(
    const char *section, const char *where, const struct option *option)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "--%s", option->name);
	if (strstr(section, name) == NULL) {
		fail_msg("the man page lacks %s of %s", name, where);
	}
	assert_true(option->help[0] != '\0');
}

static void
man_page_is_complete(void **state)
{
	char *page = read_plain(PACKAGING "certid.1"), *section;
	const struct command *command;
	const struct option *option;
	size_t commands_count = 0;

	(void)state;
	for (option = global_options; option->name != NULL; option++) {
		check_option(page, "all commands", option);
	}
	for (command = commands; command->words != NULL; command++) {
		section = section_of(page, command);
		option = command->options;
		for (; option != NULL && option->name != NULL; option++) {
			check_option(section, command->words, option);
		}
		free(section);
		commands_count++;
	}
	assert_int_equal(count(page, "\n.B certid "), commands_count);
	free(page);
}

static void
man_page_names_what_it_must(void **state)
{
	const char *const words[] = {REGISTRY_ENV, REGISTRY_PATH, "NO_COLOR",
	    ".SH EXIT STATUS", ".SH EXAMPLES", ".SH FILES"};
	char *page = read_plain(PACKAGING "certid.1");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_non_null(strstr(page, words[i]));
	}
	free(page);
}

/* Kinds of events: whoever asks for one must be able to find it. */
static void
kinds_are_written_down(void **state)
{
	char *page = read_plain(PACKAGING "certid.1"), word[WORD_MAX + 3];
	char *script = read_plain(PACKAGING "certid.bash");
	char *guide = read_plain(PACKAGING "../docs/OPERATING.md");
	size_t i;

	(void)state;
	for (i = 0; event_kinds[i] != NULL; i++) {
		(void)snprintf(word, sizeof(word), "%s", event_kinds[i]);
		if (strstr(strstr(page, "\n.SH EVENTS"), word) == NULL ||
		    strstr(strstr(script, "\t--kind)"), word) == NULL) {
			fail_msg("the man page or the completion lacks the "
			         "kind %s",
			    word);
		}
		(void)snprintf(word, sizeof(word), "`%s`", event_kinds[i]);
		if (strstr(guide, word) == NULL) {
			fail_msg("OPERATING.md lacks the kind %s", word);
		}
	}
	free(page);
	free(script);
	free(guide);
}

/* The line of the completion for one command. */
static void
expect_line(const struct command *command, char *line, size_t size)
{
	const struct option *option = command->options;
	size_t at;

	at =
	    (size_t)snprintf(line, size, "\n\t\"%s\") echo \"", command->words);
	for (; option != NULL && option->name != NULL; option++) {
		at += (size_t)snprintf(line + at, size - at, "%s--%s",
		    option == command->options ? "" : " ", option->name);
	}
	at += (size_t)snprintf(line + at, size - at, "\" ;;\n");
	assert_true(at < size);
}

static void
completion_is_complete(void **state)
{
	char *text = read_plain(PACKAGING "certid.bash"), *end;
	char line[512], word[64];
	const struct command *command;
	const struct option *option;
	size_t commands_count = 0;

	(void)state;
	for (command = commands; command->words != NULL; command++) {
		expect_line(command, line, sizeof(line));
		if (strstr(text, line) == NULL) {
			fail_msg("the completion lacks the line:%s", line);
		}
		commands_count++;
	}
	end = strstr(text, "\n}\n"); /* of the function with the options */
	assert_non_null(end);
	*end = '\0';
	assert_int_equal(count(text, "\n\t\""), commands_count);
	for (option = global_options; option->name != NULL; option++) {
		(void)snprintf(word, sizeof(word), "--%s", option->name);
		assert_non_null(strstr(text, word));
	}
	free(text);
}

/* The second words of a noun's commands, as the completion offers them. */
static void
completion_offers_all_words(void **state)
{
	char *text = read_plain(PACKAGING "certid.bash"), start[64];
	const struct command *command;
	const char *space, *line, *end, *at;

	(void)state;
	for (command = commands; command->words != NULL; command++) {
		space = strchr(command->words, ' ');
		(void)snprintf(start, sizeof(start), "\n\t%.*s) echo \"",
		    space == NULL ? 2 : (int)(space - command->words),
		    space == NULL ? "\"\"" : command->words);
		line = strstr(text, start);
		assert_non_null(line);
		end = strchr(line + 1, '\n');
		at = strstr(line, space == NULL ? command->words : space + 1);
		assert_true(at != NULL && at < end);
	}
	free(text);
}

/* What the table itself must hold to. */
static void
table_is_sound(void **state)
{
	const struct command *command;

	(void)state;
	for (command = commands; command->words != NULL; command++) {
		assert_true(strlen(command->words) <= COMMAND_MAX);
		assert_true(command->max_args <= ARGS_MAX);
		assert_true(command->min_args <= command->max_args);
		assert_non_null(command->run);
		assert_true(command->summary[0] != '\0');
		assert_ptr_equal(
		    command_find(commands, command->words), command);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(man_page_is_complete),
	    cmocka_unit_test(man_page_names_what_it_must),
	    cmocka_unit_test(kinds_are_written_down),
	    cmocka_unit_test(completion_is_complete),
	    cmocka_unit_test(completion_offers_all_words),
	    cmocka_unit_test(table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
