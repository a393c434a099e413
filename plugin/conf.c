/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUFFER_STEP  1000 /* by which the broker's line buffer grows */
#define COMMAND_LINE "/proc/self/cmdline"

struct reader {
	const struct conf_sink *sink;
	size_t bytes, included;
	struct diag *why;
};

static enum res read_file(
    struct reader *reader, const char *path, bool is_included);

char *
conf_word(char **rest)
{
	char *word = *rest + strspn(*rest, " ");
	char *end = word + strcspn(word, " ");

	*rest = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

char *
conf_trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text)) {
		text++;
	}
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1])) {
		text[--len] = '\0';
	}
	return text;
}

static enum res
cannot_read(const struct reader *reader, const char *path)
{
	return diag_res(reader->why, errno == ENOMEM ? RES_NOMEM : RES_UNAVAIL,
	    "%s cannot be read by the user that the broker runs as (%s), so "
	    "the listeners that use the plugin are not known: let that user "
	    "read it (chgrp, chmod), or write plugin_opt_tls_verify broker",
	    path, strerror(errno));
}

static int
is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int
upper(char c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

/* A, a, B, b: the case of a letter counts before the letters behind it, and
 * '_' comes after them. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	const char *s = (*a)->d_name, *t = (*b)->d_name;

	while (*s != '\0' && *s == *t) {
		s++;
		t++;
	}
	if (*s != '\0' && *t != '\0' && upper(*s) != upper(*t)) {
		return upper(*s) - upper(*t);
	}
	return *s - *t;
}

static enum res
read_included(struct reader *reader, const char *directory, const char *name)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", directory, name);

	if (len < 0 || (size_t)len >= sizeof(path)) {
		return diag_res(reader->why, RES_LIMIT,
		    "include_dir %s: the path is too long", directory);
	}
	if (reader->included++ == CONF_INCLUDED_MAX) {
		return diag_res(reader->why, RES_LIMIT,
		    "include_dir %s: more than %d files are included",
		    directory, CONF_INCLUDED_MAX);
	}
	return read_file(reader, path, true);
}

static enum res
read_directory(struct reader *reader, const char *directory)
{
	struct dirent **list = NULL;
	enum res r = RES_OK;
	int i, count = scandir(directory, &list, is_conf, by_name);

	if (count < 0) {
		return cannot_read(reader, directory);
	}
	for (i = 0; i < count; i++) {
		if (r == RES_OK) {
			r = read_included(reader, directory, list[i]->d_name);
		}
		free(list[i]);
	}
	free(list);
	return r;
}

static enum res
take_line(
    struct reader *reader, struct conf_line *line, char *text, bool is_included)
{
	size_t len = strlen(text);

	if (text[0] == '#' || text[0] == '\r') {
		return RES_OK;
	}
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
		text[--len] = '\0';
	}
	line->value = text;
	line->key = conf_word(&line->value);
	if (*line->key == '\0') {
		return RES_OK;
	}
	if (strcmp(line->key, "include_dir") != 0) {
		return reader->sink->line(
		    reader->sink->context, line, reader->why);
	}
	/* In a file that is included, 2.0 passes over it; 2.1 refuses. */
	return is_included ? RES_OK : read_directory(reader, line->value);
}

/* Behind a NUL the broker reads no further; a last line that fills its buffer
 * and has no newline, it loses. */
static enum res
check_line(struct reader *reader, const struct conf_line *line,
    const char *text, size_t len)
{
	reader->bytes += len;
	if (reader->bytes > CONF_BYTES_MAX) {
		return diag_res(reader->why, RES_LIMIT,
		    "%s: the configuration is larger than %zu bytes",
		    line->path, CONF_BYTES_MAX);
	}
	if (memchr(text, '\0', len) != NULL) {
		return diag_res(reader->why, RES_SYNTAX,
		    "%s:%lu: there is a NUL in this line: remove it",
		    line->path, line->number);
	}
	if (text[len - 1] != '\n' && (len + 1) % BUFFER_STEP == 0) {
		return diag_res(reader->why, RES_SYNTAX,
		    "%s:%lu: the broker loses this line: end it with a newline",
		    line->path, line->number);
	}
	return RES_OK;
}

static enum res
read_lines(
    struct reader *reader, const char *path, FILE *file, bool is_included)
{
	struct conf_line line = {.path = path};
	char *text = NULL;
	size_t size = 0;
	enum res r = RES_OK;
	ssize_t len;

	while (r == RES_OK && (len = getline(&text, &size, file)) > 0) {
		line.number++;
		r = check_line(reader, &line, text, (size_t)len);
		if (r == RES_OK) {
			r = take_line(reader, &line, text, is_included);
		}
	}
	if (r == RES_OK && !feof(file)) {
		r = cannot_read(reader, path);
	}
	free(text);
	return r;
}

/* What the broker has read from a pipe is gone, and opening one would block. */
static enum res
check_file(const struct reader *reader, const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0) {
		return cannot_read(reader, path);
	}
	if (!S_ISREG(status.st_mode)) {
		return diag_res(reader->why, RES_UNAVAIL,
		    "%s is not a file, so the listeners that use the plugin "
		    "are not known: make it one, or write "
		    "plugin_opt_tls_verify broker",
		    path);
	}
	if (status.st_size > (off_t)CONF_BYTES_MAX) {
		return diag_res(reader->why, RES_LIMIT,
		    "%s is larger than %zu bytes", path, CONF_BYTES_MAX);
	}
	return RES_OK;
}

static enum res
read_file(struct reader *reader, const char *path, bool is_included)
{
	const struct conf_sink *sink = reader->sink;
	enum res r = check_file(reader, path);
	FILE *file;

	if (r != RES_OK) {
		return r;
	}
	if ((file = fopen(path, "re")) == NULL) {
		return cannot_read(reader, path);
	}
	sink->begin(sink->context, is_included);
	r = read_lines(reader, path, file, is_included);
	sink->end(sink->context, is_included);
	(void)fclose(file);
	return r;
}

enum res
conf_read(const char *path, const struct conf_sink *sink, struct diag *why)
{
	struct reader reader = {.sink = sink, .why = why};

	return read_file(&reader, path, false);
}

/* What the argument behind a word of the command line is. */
enum argument { ARGUMENT_NONE = 0, ARGUMENT_CONFIG, ARGUMENT_OTHER };

static enum argument
argument_of(const char *word)
{
	static const struct {
		const char *word;
		enum argument argument;
	} table[] = {
	    {"-c", ARGUMENT_CONFIG},
	    {"--config-file", ARGUMENT_CONFIG},
	    {"-p", ARGUMENT_OTHER},
	    {"--port", ARGUMENT_OTHER},
	    {"--tls-keylog", ARGUMENT_OTHER},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(word, table[i].word) == 0) {
			return table[i].argument;
		}
	}
	return ARGUMENT_NONE;
}

/* The broker reads every file that is named, one after the other. */
static enum res
read_command_line(struct reader *reader, FILE *file)
{
	enum argument next = ARGUMENT_NONE;
	bool has_config = false;
	enum res r = RES_OK;
	char *word = NULL;
	size_t size = 0;

	while (r == RES_OK && getdelim(&word, &size, '\0', file) > 0) {
		if (next == ARGUMENT_CONFIG) {
			has_config = true;
			r = read_file(reader, word, false);
		}
		next =
		    next == ARGUMENT_NONE ? argument_of(word) : ARGUMENT_NONE;
	}
	if (r == RES_OK && !feof(file)) {
		r = cannot_read(reader, COMMAND_LINE);
	}
	free(word);
	if (r == RES_OK && !has_config) {
		return diag_res(reader->why, RES_UNAVAIL,
		    "the broker was not started with -c, so the listeners that "
		    "use the plugin are not known: start it with -c, or write "
		    "plugin_opt_tls_verify broker");
	}
	return r;
}

enum res
conf_read_started(const struct conf_sink *sink, struct diag *why)
{
	struct reader reader = {.sink = sink, .why = why};
	FILE *file = fopen(COMMAND_LINE, "re");
	enum res r;

	if (file == NULL) {
		return cannot_read(&reader, COMMAND_LINE);
	}
	r = read_command_line(&reader, file);
	(void)fclose(file);
	return r;
}
