/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * progress: one line on a terminal that tells how far a long command is.
 */
#ifndef MANAGE_PROGRESS_H
#define MANAGE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress;

/* total: bytes that there are to read, -1: not known.  NULL where there is no
 * terminal to show it on, or no memory: then nothing is ever shown. */
struct progress *progress_new(int64_t total);

/* So much is done.  Cheap: shown anew ten times a second at most. */
void progress_show(struct progress *progress, int64_t bytes, int64_t rows);

/* Leave the line empty, for something else to be printed there. */
void progress_erase(struct progress *progress);

void progress_free(struct progress *progress); /* erases; NULL is fine */

/*
 * The line, of width columns at most: a bar, rows, rows a second and how long
 * it will take where total is known, else without the bar and how long it took.
 * "" where that does not fit.
 */
#define PROGRESS_MAX 160
struct progress_state {
	int64_t bytes, total; /* total -1: not known */
	int64_t rows;
	int64_t ms; /* since the beginning */
};
void progress_format(const struct progress_state *state, size_t width,
    char text[PROGRESS_MAX + 1]);

#endif /* MANAGE_PROGRESS_H */
