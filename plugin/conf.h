/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * conf: the lines of the broker's configuration, as the broker reads them
 * (mosquitto.conf(5); config__read_file() in its conf.c).
 *
 * Spaces alone separate words; '#' begins a comment only as the first byte of
 * a line; newlines and carriage returns at the end of a line go.  A key that
 * the broker does not know is none of our business.  Nothing is kept.
 */
#ifndef PLUGIN_CONF_H
#define PLUGIN_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"

#define CONF_BYTES_MAX    ((size_t)4 << 20) /* of all files together */
#define CONF_INCLUDED_MAX 64                /* files of all include_dir */

struct conf_line {
	const char *path; /* of the file */
	unsigned long number;
	const char *key; /* never "" */
	char *value;     /* behind the key and one space; may be written to */
};

/*
 * Who is told of the files in the broker's order.  begin() and end() surround
 * a file; those of a file of include_dir come in between the lines of the file
 * that has the key, which is not told of itself.  A line that is not RES_OK
 * ends the reading.
 */
struct conf_sink {
	void (*begin)(void *context, bool is_included);
	enum res (*line)(
	    void *context, const struct conf_line *line, struct diag *why);
	void (*end)(void *context, bool is_included);
	void *context;
};

/*
 * Read the file at path and what it includes.  RES_UNAVAIL: a file cannot be
 * read, or not again, as a pipe.  RES_SYNTAX: the broker does not read this
 * file to its end (a NUL).  RES_LIMIT, RES_NOMEM, or what sink->line() said.
 */
MUST_CHECK enum res conf_read(
    const char *path, const struct conf_sink *sink, struct diag *why);

/* The same for every file that this process, a broker, was started with:
 * "-c FILE".  RES_UNAVAIL if there is none. */
MUST_CHECK enum res conf_read_started(
    const struct conf_sink *sink, struct diag *why);

/* The next word of *rest, "" after the last one; *rest goes on behind it and
 * one space. */
char *conf_word(char **rest);

/* text without the blanks at its ends. */
char *conf_trim(char *text);

#endif /* PLUGIN_CONF_H */
