/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outfile: a file that takes its place when all of it is written, or never.
 * Nobody but its owner may read it.
 */
#ifndef MANAGE_OUTFILE_H
#define MANAGE_OUTFILE_H

#include <stdio.h>

#include "common/diag.h"

struct outfile {
	FILE *to; /* where it is written, once it is open */
	const char *path;
	char *temporary;
};

/* path is lent until commit or drop.  RES_REFUSED: something else than a
 * regular file is there, or none can be made; RES_NOMEM. */
MUST_CHECK enum res outfile_open(
    struct outfile *file, const char *path, struct diag *why);

/* On the disk, and in the place of what was there; on failure it is dropped. */
MUST_CHECK enum res outfile_commit(struct outfile *file, struct diag *why);

/* Forget what was written; nothing if the file is not open. */
void outfile_drop(struct outfile *file);

#endif /* MANAGE_OUTFILE_H */
