/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * request: one command that was given as a JSON object, as the words of a
 * command line and the files that came along.
 */
#ifndef MANAGE_REQUEST_H
#define MANAGE_REQUEST_H

#include "common/json_value.h"
#include "manage/call.h"

#define REQUEST_FILE_NAME_MAX 200 /* bytes of what a file is called */

struct request {
	const struct command *command;
	const char *org;  /* that it names, lent by the object; NULL: none */
	const char *name; /* lent by the object: "listDevices" */
	bool with_args;   /* which of the two of "set" it is */
	char **argv;      /* heap, and every word of it; the program's first */
	size_t argc, room;
	char *args[ARGS_MAX]; /* heap; NULL: not given */
	struct inline_files files;
	uint8_t *contents[INLINE_FILES_MAX]; /* heap: what files lends */
	char *names[INLINE_FILES_MAX];       /* heap: likewise */
};

/*
 * Take object apart.  RES_SYNTAX, RES_LIMIT, RES_NOMEM: *why is one sentence.
 * "command" must be a text; what else is unknown, of the wrong type or missing
 * is RES_SYNTAX.  request_done() also after a failure, and before object is
 * freed.
 */
MUST_CHECK enum res request_parse(const struct command *table,
    const struct option *globals, const struct json_value *object,
    struct request *out, struct diag *why);

/* Complete the words: they are for this org (NULL: for the one that the
 * command line would choose), and then come the arguments. */
MUST_CHECK enum res request_complete(
    struct request *request, const char *org, struct diag *why);

void request_done(struct request *request);

#endif /* MANAGE_REQUEST_H */
