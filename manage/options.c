/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The state of one parse. */
struct parser {
	const struct command *table;
	const struct option *globals;
	char **argv;
	int argc, at;
	struct words *words;
	struct diag *why;
};

const struct command *
command_find(const struct command *table, const char *words)
{
	for (; table->words != NULL; table++) {
		if (strcmp(table->words, words) == 0) {
			return table;
		}
	}
	return NULL;
}

bool
option_is_repeated(const struct option *option)
{
	return option->use == USE_REPEATED ||
	    option->use == USE_REPEATED_CLEARABLE;
}

bool
option_is_clearable(const struct option *option)
{
	return option->use == USE_CLEARABLE ||
	    option->use == USE_REPEATED_CLEARABLE;
}

bool
command_is_noun(const struct command *table, const char *word)
{
	size_t len = strlen(word);

	for (; table->words != NULL; table++) {
		if (strncmp(table->words, word, len) == 0 &&
		    table->words[len] == ' ') {
			return true;
		}
	}
	return false;
}

/* Where to read on, after a mistake at this point of the line. */
static enum res
blame(const struct parser *parser, const char *mistake)
{
	const char *topic = parser->words->topic;

	return diag_res(parser->why, RES_SYNTAX, "%s: see \"certid help%s%s\"",
	    mistake, topic[0] == '\0' ? "" : " ", topic);
}

static const struct option *
find(const struct option *options, const char *name, size_t len)
{
	for (; options != NULL && options->name != NULL; options++) {
		if (strlen(options->name) == len &&
		    memcmp(options->name, name, len) == 0) {
			return options;
		}
	}
	return NULL;
}

static const struct option *
look_up(const struct parser *parser, const char *name, size_t len)
{
	const struct command *command = parser->words->command;
	const struct option *option =
	    command == NULL ? NULL : find(command->options, name, len);

	return option != NULL ? option : find(parser->globals, name, len);
}

static bool
is_given(const struct words *words, const struct option *option)
{
	size_t i;

	for (i = 0; i < words->given_count; i++) {
		if (words->given[i].option == option) {
			return true;
		}
	}
	return false;
}

/* Say what is wrong with an option; which is the word as it was written. */
static enum res
blame_option(
    const struct parser *parser, const char *what, const char *which, int len)
{
	const char *topic = parser->words->topic;
	char mistake[DIAG_MAX + 1];

	if (topic[0] == '\0') {
		(void)snprintf(mistake, sizeof(mistake), "%s %.*s", what,
		    len > 200 ? 200 : len, which);
	} else {
		(void)snprintf(mistake, sizeof(mistake), "%s %.*s for \"%s\"",
		    what, len > 200 ? 200 : len, which, topic);
	}
	return blame(parser, mistake);
}

/* The value of an option: what follows '=', or the next word. */
static enum res
take_value(struct parser *parser, const struct option *option,
    const char *equals, const char **out)
{
	char dashed[COMMAND_MAX + 3], mistake[DIAG_MAX + 1];
	int len = snprintf(dashed, sizeof(dashed), "--%s", option->name);

	if (option->value == NULL) {
		if (equals != NULL) {
			return blame_option(parser,
			    "no value may be given to option", dashed, len);
		}
		*out = "";
		return RES_OK;
	}
	if (equals != NULL) {
		*out = equals + 1;
	} else if (parser->at + 1 < parser->argc) {
		*out = parser->argv[++parser->at];
	} else {
		return blame_option(
		    parser, "a value is missing after option", dashed, len);
	}
	if (**out == '\0' && !option_is_clearable(option)) {
		(void)snprintf(mistake, sizeof(mistake),
		    "option %s needs a value that is not empty", dashed);
		return blame(parser, mistake);
	}
	return RES_OK;
}

static enum res
take_option(struct parser *parser)
{
	const char *word = parser->argv[parser->at];
	size_t len = strcspn(word, "=");
	struct words *words = parser->words;
	struct given *given = &words->given[words->given_count];
	const struct option *option;
	enum res r;

	if (strcmp(word, "-h") == 0) {
		words->help = true;
		return RES_OK;
	}
	option = word[1] == '-' ? look_up(parser, word + 2, len - 2) : NULL;
	if (option == NULL) {
		return blame_option(parser, "unknown option", word, (int)len);
	}
	if (!option_is_repeated(option) && is_given(words, option)) {
		return blame_option(
		    parser, "given twice: option", word, (int)len);
	}
	r = take_value(parser, option, word[len] == '=' ? word + len : NULL,
	    &given->value);
	if (r != RES_OK) {
		return r;
	}
	given->option = option;
	words->given_count++;
	words->help |= strcmp(option->name, "help") == 0;
	words->version |= strcmp(option->name, "version") == 0;
	return RES_OK;
}

/* A word before the command is complete: part of its name. */
static enum res
take_command(struct parser *parser, const char *word)
{
	struct words *words = parser->words;
	char mistake[DIAG_MAX + 1], name[COMMAND_MAX + 1];
	int len;

	len = snprintf(name, sizeof(name), "%s%s%s", words->topic,
	    words->topic[0] == '\0' ? "" : " ", word);
	if ((size_t)len < sizeof(name) && strchr(word, ' ') == NULL) {
		words->command = command_find(parser->table, name);
		if (words->command != NULL ||
		    command_is_noun(parser->table, name)) {
			memcpy(words->topic, name, (size_t)len + 1);
			return RES_OK;
		}
	}
	(void)snprintf(mistake, sizeof(mistake),
	    "unknown command \"%s%s%.200s\"", words->topic,
	    words->topic[0] == '\0' ? "" : " ", word);
	return blame(parser, mistake);
}

/* Whether the argument that comes next may be "". */
static bool
may_be_empty(const struct words *words)
{
	const struct command *command = words->command;

	return command != NULL && (command->need & NEED_NO_VALUE) != 0 &&
	    words->arg_count + 1 == command->max_args;
}

static enum res
take_argument(struct parser *parser, const char *word)
{
	struct words *words = parser->words;

	if (word[0] == '\0' && !may_be_empty(words)) {
		return blame(parser, "an argument is empty");
	}
	if (words->command == NULL) {
		return take_command(parser, word);
	}
	if (words->arg_count == words->command->max_args) {
		return blame_option(
		    parser, "surplus argument", word, (int)strlen(word));
	}
	words->args[words->arg_count++] = word;
	return RES_OK;
}

/* The second words of a noun, "add, list or remove". */
static void
list_verbs(const struct command *table, const char *noun, char *to, size_t size)
{
	size_t len = strlen(noun), used = 0, left = 0;
	const struct command *at;

	for (at = table; at->words != NULL; at++) {
		left +=
		    strncmp(at->words, noun, len) == 0 && at->words[len] == ' ';
	}
	to[0] = '\0';
	for (at = table; at->words != NULL && used < size; at++) {
		if (strncmp(at->words, noun, len) == 0 &&
		    at->words[len] == ' ') {
			used += (size_t)snprintf(to + used, size - used, "%s%s",
			    at->words + len + 1,
			    left > 2       ? ", "
			        : left > 1 ? " or "
			                   : "");
			left--;
		}
	}
}

/* The names of the arguments from the n-th on: "LEVEL". */
static const char *
name_missing(const struct command *command, size_t n)
{
	const char *at = command->args;

	for (; n > 0 && strchr(at, ' ') != NULL; n--) {
		at = strchr(at, ' ') + 1;
	}
	return at;
}

/* What is missing once every word was looked at. */
static enum res
check_complete(const struct parser *parser)
{
	const struct words *words = parser->words;
	char mistake[DIAG_MAX + 1], verbs[200];

	if (words->help || words->version) {
		return RES_OK;
	}
	if (words->command == NULL && words->topic[0] == '\0') {
		return blame(parser, "a command is missing");
	}
	if (words->command == NULL) {
		list_verbs(parser->table, words->topic, verbs, sizeof(verbs));
		(void)snprintf(mistake, sizeof(mistake), "\"%s\" needs %s",
		    words->topic, verbs);
		return blame(parser, mistake);
	}
	if (words->arg_count < words->command->min_args) {
		(void)snprintf(mistake, sizeof(mistake), "\"%s\" needs %s",
		    words->topic,
		    name_missing(words->command, words->arg_count));
		return blame(parser, mistake);
	}
	return RES_OK;
}

enum res
words_parse(const struct command *table, const struct option *globals, int argc,
    char **argv, struct words *out, struct diag *why)
{
	struct parser parser = {table, globals, argv, argc, 1, out, why};
	bool options = true;
	enum res r = RES_OK;
	const char *word;

	memset(out, 0, sizeof(*out));
	out->given = calloc((size_t)argc + 1, sizeof(*out->given));
	if (out->given == NULL) {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	for (; r == RES_OK && parser.at < argc; parser.at++) {
		word = argv[parser.at];
		if (options && strcmp(word, "--") == 0) {
			options = false;
		} else if (options && word[0] == '-' && word[1] != '\0') {
			r = take_option(&parser);
		} else {
			r = take_argument(&parser, word);
		}
	}
	return r == RES_OK ? check_complete(&parser) : r;
}

void
words_done(struct words *words)
{
	free(words->given);
	memset(words, 0, sizeof(*words));
}
