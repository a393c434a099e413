/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * main: certid, the command line.  Takes the words apart, opens what the
 * command needs, runs it, and makes sure that its output arrived.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/remote.h"
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

/* The name of an option that means something with --broker alone; NULL: none
 * was given. */
static const char *
find_remote(const struct call *call)
{
	size_t i;

	for (i = 0; i < call->words.given_count; i++) {
		if (call->words.given[i].option->use == USE_REMOTE) {
			return call->words.given[i].option->name;
		}
	}
	return NULL;
}

static bool
check_remote(const struct call *call)
{
	if (call_option(call, "registry") != NULL) {
		(void)misuse(call,
		    "--registry and --broker exclude each other: the broker "
		    "has a registry");
		return false;
	}
	if ((call->words.command->need & NEED_LOCAL) != 0) {
		(void)misuse(call,
		    "\"%s\" works on the machine of the registry alone, not "
		    "with --broker",
		    call->words.topic);
		return false;
	}
	return true;
}

static int
run(struct call *call)
{
	const char *stray;
	int code;

	settle(call);
	if (call->words.version) {
		(void)printf("certid %s\n", CERTID_VERSION);
		return EXIT_DONE;
	}
	if (call->words.help) {
		return print_help(call->words.topic);
	}
	if (call_option(call, "broker") != NULL) {
		return check_remote(call) ? remote_run(call) : EXIT_USAGE;
	}
	if ((stray = find_remote(call)) != NULL) {
		return misuse(call,
		    "--%s is for a broker that is managed over MQTT: use it "
		    "with --broker, before the command",
		    stray);
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
