/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * diag: one sentence for a person, owned by the caller.
 *
 * A function that takes a diag fills it only when it fails.  The sentence has
 * no final full stop and no newline; whoever prints it adds both.
 */
#ifndef COMMON_DIAG_H
#define COMMON_DIAG_H

#include "common/res.h"

#define DIAG_MAX 511 /* bytes; a longer sentence ends in "..." */

struct diag {
	char text[DIAG_MAX + 1];
};

/* NULL why is allowed and says nothing.  Control characters that came in
 * with an argument are written as '?', so that a sentence is one line. */
void diag_set(struct diag *why, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same, and returns res: "return diag_res(why, RES_LIMIT, ...);" */
enum res diag_res(struct diag *why, enum res res, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif /* COMMON_DIAG_H */
