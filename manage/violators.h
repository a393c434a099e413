/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * violators: the devices whose last connection does not meet a level, one page
 * of them.  Which types have some, and how they connected, the tallies tell; of
 * the devices no more are read than the page holds, for each way in which the
 * devices of a type connected.
 */
#ifndef MANAGE_VIOLATORS_H
#define MANAGE_VIOLATORS_H

#include "manage/levels.h"

#define VIOLATORS_MAX 10000 /* on a page */

/* The ways, as bits 1 << seen_with, in which devices of a type connected and
 * which do not meet the level. */
struct way {
	struct device_type type;
	enum level level;
	unsigned values;
};

/* Where there are violators, in the order of their types' text. */
struct ways {
	struct way *items; /* heap */
	size_t count, room;
	int64_t devices; /* all of them */
};

/* Of a tally that violates level.  RES_NOMEM. */
MUST_CHECK enum res ways_add(
    struct ways *ways, enum level level, const struct tally *tally);
void ways_done(struct ways *ways);

/* What is told of one. */
struct violator {
	struct identity who;
	enum level level;
	unsigned seen_with;
	int64_t last_seen_at;
};

typedef void violator_visit(const struct violator *violator, void *context);

/*
 * The violators behind after (NULL: from the start), limit at most, in the
 * order of type and id; *more tells whether there are others behind them.  As
 * registry_scan(), RES_NOMEM.
 */
MUST_CHECK enum res violators_read(const struct call *call,
    const struct ways *ways, const struct identity *after, int64_t limit,
    violator_visit *visit, void *context, bool *more, struct diag *why);

#endif /* MANAGE_VIOLATORS_H */
