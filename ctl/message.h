/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * message: one command as JSON for a broker, and its answer, as they would be
 * on a command line.
 */
#ifndef CTL_MESSAGE_H
#define CTL_MESSAGE_H

#include "manage/call.h"

/* The message that asks for what call wants; files are read here.  The caller
 * frees *out.  An exit code, an error told. */
int message_build(const struct call *call, char **out);

/* Print what an answer to call holds to stdout, or into the file that it is to
 * be written to on this machine, and to stderr; the exit code that it says. */
int message_show(const struct call *call, const char *answer);

#endif /* CTL_MESSAGE_H */
