/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * help: what commands.c knows, printed for people and for programs.
 */
#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/output.h"
#include "manage/streams.h"
#include "registry/event.h"

#define WIDTH 78

#define USAGE                                                                  \
	"usage: certid [--registry PATH] [--org ORG] [--json] COMMAND ...\n"

/* Those to manage a broker over MQTT, or all others. */
static void
list_options(const struct option *options, bool remote)
{
	char left[64];

	for (; options != NULL && options->name != NULL; options++) {
		if ((options->use == USE_REMOTE) != remote) {
			continue;
		}
		(void)snprintf(left, sizeof(left), "--%s%s%s%s", options->name,
		    options->value == NULL ? "" : " ",
		    options->value == NULL ? "" : options->value,
		    option_is_repeated(options) ? "..." : "");
		(void)fprintf(answers(), "  %-21s  %s\n", left, options->help);
	}
}

/* Commands that are noun, or begin with it; all if it is "". */
static void
list_commands(const char *noun)
{
	const struct command *command;
	size_t len = strlen(noun);

	for (command = commands; command->words != NULL; command++) {
		if (len == 0 ||
		    (strncmp(command->words, noun, len) == 0 &&
		        command->words[len] == ' ')) {
			(void)fprintf(answers(), "  %-15s  %s\n",
			    command->words, command->summary);
		}
	}
}

static bool
takes_kind(const struct command *command)
{
	const struct option *option = command->options;

	for (; option != NULL && option->name != NULL; option++) {
		if (strcmp(option->name, "kind") == 0) {
			return true;
		}
	}
	return false;
}

/* The kinds of events, in lines that fit a terminal. */
static void
list_kinds(void)
{
	size_t i, column = 0, len;

	(void)fprintf(answers(), "\nkinds of events:");
	for (i = 0; event_kinds[i] != NULL; i++) {
		len = strlen(event_kinds[i]) + 1;
		if (column == 0 || column + len > WIDTH) {
			(void)fprintf(answers(), "\n ");
			column = 1;
		}
		(void)fprintf(answers(), " %s", event_kinds[i]);
		column += len;
	}
	(void)fputc('\n', answers());
}

static void
explain_command(const struct command *command)
{
	(void)fprintf(answers(), "usage: certid %s%s%s%s\n\n%s\n",
	    command->words, command->args[0] == '\0' ? "" : " ", command->args,
	    command->options == NULL ? "" : " [OPTION]...", command->summary);
	if (command->help != NULL) {
		(void)fprintf(answers(), "\n%s\n", command->help);
	}
	if (command->options != NULL) {
		(void)fprintf(answers(), "\noptions (... may be repeated):\n");
		list_options(command->options, false);
	}
	if (takes_kind(command)) {
		list_kinds();
	}
}

int
print_help(const char *topic)
{
	const struct command *command = command_find(commands, topic);

	if (command != NULL) {
		explain_command(command);
		return EXIT_DONE;
	}
	if (topic[0] != '\0' && !command_is_noun(commands, topic)) {
		return refuse(EXIT_USAGE,
		    "unknown command \"%.80s\": see \"certid help\"", topic);
	}
	(void)fprintf(answers(), USAGE "\ncommands:\n");
	list_commands(topic);
	(void)fprintf(answers(), "\noptions of every command:\n");
	list_options(global_options, false);
	(void)fprintf(
	    answers(), "\nto manage a broker over MQTT, before the command:\n");
	list_options(global_options, true);
	(void)fprintf(answers(),
	    "\nThe registry is %s,\nor the one that %s names.  "
	    "\"certid help COMMAND\" tells more.\n",
	    REGISTRY_PATH, REGISTRY_ENV);
	return EXIT_DONE;
}

static struct json *
options_json(const struct option *options)
{
	struct json *array = json_array(), *object;

	for (; options != NULL && options->name != NULL; options++) {
		object = json_object();
		json_add_text(object, "name", options->name);
		json_add_text(object, "value", options->value);
		json_add_bool(
		    object, "repeatable", option_is_repeated(options));
		json_append(array, object);
	}
	return array;
}

static int
print_table_of_commands(void)
{
	const struct command *command;
	struct json *object, *array = json_array(), *all = json_object();

	for (command = commands; command->words != NULL; command++) {
		object = json_object();
		json_add_text(object, "command", command->words);
		json_add_text(object, "args", command->args);
		json_add_text(object, "summary", command->summary);
		json_add(object, "options", options_json(command->options));
		json_append(array, object);
	}
	json_add(all, "options", options_json(global_options));
	json_add(all, "commands", array);
	return print_json(all);
}

int
run_help(struct call *call)
{
	const char *first = call_arg(call, 0), *second = call_arg(call, 1);
	char topic[2 * COMMAND_MAX];

	if (call->json) {
		return first == NULL
		    ? print_table_of_commands()
		    : misuse(call, "with --json help takes no argument");
	}
	(void)snprintf(topic, sizeof(topic), "%.39s%s%.39s",
	    first == NULL ? "" : first, second == NULL ? "" : " ",
	    second == NULL ? "" : second);
	return print_help(topic);
}
