/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options: the grammar of the command line.  What commands and options there
 * are is in commands.c, as one table; parsing, help, the tests of the man page
 * and of the completion are all driven by it.
 *
 * Options are long ones, "--name VALUE" or "--name=VALUE", before or after
 * the arguments; "--" ends them.  They are never abbreviated: a script that
 * relied on it would break when an option is added.
 */
#ifndef MANAGE_OPTIONS_H
#define MANAGE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"

#define COMMAND_MAX 40 /* bytes of a command's words */
#define ARGS_MAX    3  /* arguments of a command */

struct call;

enum option_use {
	USE_ONCE = 0,
	USE_REPEATED,  /* may be given several times */
	USE_CLEARABLE, /* "" as its value clears a setting */
	USE_REMOTE,    /* once, and only to manage a broker over MQTT */
	USE_REPEATED_CLEARABLE,
};

struct option {
	const char *name;  /* without the dashes; NULL ends a list */
	const char *value; /* what the value is called; NULL: a flag */
	enum option_use use;
	const char *help;
};

enum need {
	NEED_NOTHING = 0,
	NEED_REGISTRY = 1,        /* open for reading, configuration loaded */
	NEED_WRITE = 2,           /* open for writing */
	NEED_ORG = 4,             /* the org of the call must exist */
	NEED_WRITE_WITH_ARGS = 8, /* for writing, if there are arguments */
	NEED_NO_VALUE = 16,       /* "" as the last argument clears something */
	NEED_LOCAL = 32, /* the machine of the registry: not over MQTT */
	NEED_TEXT = 64,  /* prints no JSON, but text for programs */
	NEED_READ_TO_PREVIEW = 128, /* with --preview nothing is written */
};

struct command {
	const char *words; /* "ca add"; NULL ends the table */
	const char *args;  /* "FILE", as help shows them; "" for none */
	size_t min_args, max_args;
	const struct option *options; /* NULL: none of its own */
	unsigned need;
	int (*run)(struct call *call); /* an enum exit_code */
	const char *summary;
	const char *help; /* more lines, or NULL */
};

/* One option as it was given; value is "" for a flag. */
struct given {
	const struct option *option;
	const char *value;
};

/* A command line that was taken apart. */
struct words {
	const struct command *command; /* NULL only with help or version */
	bool help, version;
	char topic[COMMAND_MAX + 1]; /* command words so far: what to explain */
	const char *args[ARGS_MAX];
	size_t arg_count;
	struct given *given; /* heap; in the order of argv */
	size_t given_count;
};

/*
 * Take argv apart by the table and the options that every command has.  An
 * option of a command that is called as one of those is the command's, once the
 * command has been named.
 * RES_SYNTAX: why is a sentence that ends in which help to read.  words_done()
 * also after a failure.
 */
MUST_CHECK enum res words_parse(const struct command *table,
    const struct option *globals, int argc, char **argv, struct words *out,
    struct diag *why);
void words_done(struct words *words);

/* NULL: no command of exactly these words. */
const struct command *command_find(
    const struct command *table, const char *words);

/* Whether it may be given several times; whether "" is a value of it. */
bool option_is_repeated(const struct option *option);
bool option_is_clearable(const struct option *option);

/* Whether word begins commands of two words, as "ca" does. */
bool command_is_noun(const struct command *table, const char *word);

#endif /* MANAGE_OPTIONS_H */
