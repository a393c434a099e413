/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * streams: where a command of this thread writes its answer and what is wrong.
 * stdout and stderr, unless the thread runs commands for somebody else.
 */
#ifndef MANAGE_STREAMS_H
#define MANAGE_STREAMS_H

#include <stdbool.h>
#include <stdio.h>

FILE *answers(void);
FILE *complaints(void);

/* Whether answers() shows colours: it is a terminal and NO_COLOR is not set,
 * or streams_redirect() said so. */
bool answers_in_colour(void);

/* From now on this thread's commands write there; NULL for both: to stdout and
 * stderr again.  The streams stay the caller's. */
void streams_redirect(FILE *answers, FILE *complaints, bool in_colour);

#endif /* MANAGE_STREAMS_H */
