/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/member.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *words, *name;
	const char *without_args; /* NULL: the same */
} single[] = {
    {"status", "getStatus", NULL},
    {"metrics", "getMetrics", NULL},
    {"compliance", "getCompliance", NULL},
    {"set", "setSetting", "listSettings"},
    {"import", "importDevices", NULL},
    {"export", "exportDevices", NULL},
};

static const char *const reserved[] = {
    "command", "correlationData", "format", "colour"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char
upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

void
member_of_command(
    const struct command *command, bool with_args, char name[MEMBER_MAX + 1])
{
	const char *words = command->words, *verb = strchr(words, ' ');
	size_t i;

	for (i = 0; i < COUNT(single); i++) {
		if (strcmp(words, single[i].words) == 0) {
			(void)snprintf(name, MEMBER_MAX + 1, "%s",
			    with_args || single[i].without_args == NULL
			        ? single[i].name
			        : single[i].without_args);
			return;
		}
	}
	if (verb == NULL) {
		(void)snprintf(name, MEMBER_MAX + 1, "%s", words);
		return;
	}
	(void)snprintf(name, MEMBER_MAX + 1, "%s%c%.*s%s", verb + 1,
	    upper(words[0]), (int)(verb - words) - 1, words + 1,
	    strcmp(verb + 1, "list") == 0 ? "s" : "");
}

const struct command *
member_find_command(
    const struct command *table, const char *name, bool *with_args)
{
	char with[MEMBER_MAX + 1], without[MEMBER_MAX + 1];

	for (; table->words != NULL; table++) {
		member_of_command(table, true, with);
		member_of_command(table, false, without);
		if (strcmp(name, with) == 0 || strcmp(name, without) == 0) {
			*with_args = strcmp(name, with) == 0;
			return table;
		}
	}
	return NULL;
}

/* The n-th word of the arguments, as "[CLASS:TYPE]"; NULL: there is none. */
static const char *
find_argument(const struct command *command, size_t n, size_t *len)
{
	const char *at = command->args;

	for (; n > 0; n--) {
		if ((at = strchr(at, ' ')) == NULL) {
			return NULL;
		}
		at++;
	}
	*len = strcspn(at, " ");
	return *len == 0 ? NULL : at;
}

bool
member_of_argument(
    const struct command *command, size_t n, char name[MEMBER_MAX + 1])
{
	const char *at;
	size_t len, i, used = 0;

	if (n >= command->max_args ||
	    (at = find_argument(command, n, &len)) == NULL) {
		return false;
	}
	for (i = 0; i < len && used < MEMBER_MAX; i++) {
		if (strchr("|:", at[i]) != NULL) {
			used = 0; /* the last part counts */
		} else if (strchr("[].", at[i]) == NULL) {
			name[used++] = lower(at[i]);
		}
	}
	name[used] = '\0';
	return true;
}

bool
member_is_reserved(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(reserved); i++) {
		if (strcmp(name, reserved[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool
is_taken(const struct command *command, const char *name)
{
	char argument[MEMBER_MAX + 1];
	size_t n;

	for (n = 0; member_of_argument(command, n, argument); n++) {
		if (strcmp(name, argument) == 0) {
			return true;
		}
	}
	return member_is_reserved(name);
}

/* "crl-url" as "crlUrl" behind what is there. */
static void
append_camel(char *name, const char *dashed, bool capital)
{
	size_t used = strlen(name);

	for (; *dashed != '\0' && used < MEMBER_MAX; dashed++) {
		if (*dashed == '-') {
			capital = true;
		} else {
			name[used++] = capital ? upper(*dashed) : *dashed;
			capital = false;
		}
	}
	name[used] = '\0';
}

void
member_of_option(const struct command *command, const struct option *option,
    char name[MEMBER_MAX + 1])
{
	name[0] = '\0';
	append_camel(name, option->name, false);
	if (command != NULL && is_taken(command, name)) {
		(void)snprintf(name, MEMBER_MAX + 1, "%.*s",
		    (int)strcspn(command->words, " "), command->words);
		append_camel(name, option->name, true);
	}
}

bool
member_is_file(const struct command *command, size_t n)
{
	char name[MEMBER_MAX + 1];

	return member_of_argument(command, n, name) &&
	    strcmp(name, "file") == 0;
}

bool
member_takes_file(const struct option *option)
{
	return option->value != NULL &&
	    strncmp(option->value, "FILE", strlen("FILE")) == 0;
}

bool
member_is_fingerprint(const struct option *option, const char *text)
{
	return strcmp(option->value, "FILE") != 0 &&
	    text[strspn(text, "0123456789abcdefABCDEF:")] == '\0';
}
