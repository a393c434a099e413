/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * main: certid, the command line.  Takes the words apart, opens what the
 * command needs, runs it, and makes sure that its output arrived.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"

static void
settle(struct call *call)
{
	const char *path = getenv(REGISTRY_ENV);
	const char *given = call_option(call, "registry");
	const char *org = call_option(call, "org");

	call->path = given != NULL          ? given
	    : path != NULL && *path != '\0' ? path
	                                    : REGISTRY_PATH;
	call->org = org != NULL ? org : ORG_DEFAULT;
	call->json = call_option(call, "json") != NULL;
	call->now = clock_now();
}

static int
run(struct call *call)
{
	int code;

	settle(call);
	if (call->words.version) {
		(void)printf("certid %s\n", CERTID_VERSION);
		return EXIT_DONE;
	}
	if (call->words.help) {
		return print_help(call->words.topic);
	}
	code = call_open(call);
	return code == EXIT_DONE ? call->words.command->run(call) : code;
}

int
main(int argc, char **argv)
{
	struct call call = {0};
	struct diag why = {""};
	enum res r;
	int code;

	r = words_parse(
	    commands, global_options, argc, argv, &call.words, &why);
	if (r == RES_SYNTAX) {
		code = refuse(EXIT_USAGE, "%s", why.text);
	} else {
		code = r == RES_OK ? run(&call) : fail(r, &why);
	}
	call_done(&call);
	/* A full disk must not look like success to a script. */
	if ((ferror(stdout) != 0 || fflush(stdout) != 0) && code == EXIT_DONE) {
		code = refuse(EXIT_REFUSED, "cannot write the output: %s",
		    strerror(errno));
	}
	return code;
}
