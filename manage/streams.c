/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/streams.h"

#include <stdlib.h>
#include <unistd.h>

static _Thread_local struct {
	FILE *answers, *complaints;
	bool in_colour;
} elsewhere;

FILE *
answers(void)
{
	return elsewhere.answers != NULL ? elsewhere.answers : stdout;
}

FILE *
complaints(void)
{
	return elsewhere.complaints != NULL ? elsewhere.complaints : stderr;
}

bool
answers_in_colour(void)
{
	return elsewhere.answers != NULL
	    ? elsewhere.in_colour
	    : isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
}

void
streams_redirect(FILE *to, FILE *errors, bool in_colour)
{
	elsewhere.answers = to;
	elsewhere.complaints = errors;
	elsewhere.in_colour = in_colour;
}
