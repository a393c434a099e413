/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * execute: commands that are given as JSON, as those of admins over MQTT.
 *
 * A message holds {"commands": [...]}.  Each command is an object: "command",
 * its name, and as members what the command line takes as arguments and
 * options, called as member.h says.  It is turned into the words of a command
 * line, which words_parse() takes apart, so that one grammar holds.  What a
 * file would hold comes along in its member.
 *
 * Nothing of the machine is read but the registry.
 */
#ifndef MANAGE_EXECUTE_H
#define MANAGE_EXECUTE_H

#include <stdatomic.h>

#include "manage/call.h"

#define CONTROL_TOPIC    "$CONTROL/certid/v1"
#define CONTROL_RESPONSE "$CONTROL/certid/v1/response"

#define CONTROL_PAYLOAD_MAX  (4 << 20)  /* bytes of one message */
#define EXECUTE_COMMANDS_MAX 64         /* of one message */
#define EXECUTE_ANSWER_MAX   (4 << 20)  /* printed for one message */
#define EXECUTE_ANSWER_MIN   (64 << 10) /* with less room none is begun */

/* Whose commands they are. */
struct admin {
	const char *registry; /* path */
	const char *org;      /* that it is an admin of; ORG_DEFAULT: of all */
	const char *name;
	bool is_new; /* its device may have no row yet: it was admitted for the
	                first time, a moment ago */
	const atomic_bool *stopping; /* once true, no other command is begun,
	                                and a long one ends; NULL: never */
};

/*
 * Run the commands in message one after the other, whatever becomes of each.
 * Before each the registry is asked whether he is still an admin; if not, the
 * rest is not run, and the answer says so.  What a command has done is never
 * answered as a failure: where its output is too long, that is left out.
 *
 * The answer, {"responses": [...]}, is text that the caller frees; NULL: no
 * memory.  len bytes and a NUL; a NUL among them is not JSON.  May take as
 * long as other writers keep the registry busy; one thread at a time may use
 * the same streams.
 */
char *execute(const struct admin *admin, const char *message, size_t len);

/* The same form for a message whose commands are not run, for this reason. */
char *execute_not(const char *sentence);

#endif /* MANAGE_EXECUTE_H */
