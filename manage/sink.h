/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sink: what a command prints, in memory and with a ceiling.
 *
 * One thread at a time.
 */
#ifndef MANAGE_SINK_H
#define MANAGE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct sink {
	char *text; /* NULL: nothing yet; else NUL behind len bytes */
	size_t len, room;
	size_t most;     /* bytes that are taken */
	bool keeps_ends; /* of what is too long, the lines at both ends stay */
	bool ends;  /* what is too long is an error of the stream, by which a
	               command that looks at it ends; else it seems well */
	bool over;  /* more came, or there was no memory: text is not all */
	size_t cut; /* what is before this stays; 0: nothing was cut */
};

/* A stream into the sink, for the caller to close before he reads text; lines
 * arrive one by one where the ends are kept.  NULL: no memory. */
FILE *sink_open(struct sink *sink);

const char *sink_text(const struct sink *sink); /* never NULL */

/* Whole lines before all others; beyond the ceiling if need be. */
void sink_prepend(struct sink *sink, const char *lines);

/* Put "the registry" in the place of name wherever it stands; name is not "".
 * Without memory nothing is left of the text. */
void sink_hide(struct sink *sink, const char *name);

void sink_done(struct sink *sink); /* and then it is empty, most included */

#endif /* MANAGE_SINK_H */
