/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * judge: does a path hold against the registered CAs at a time?  Both
 * trust_verify() and trust_recheck() ask here, so that they cannot differ.
 * Knows nothing of signatures and extensions.  For this room only.
 */
#ifndef TRUST_JUDGE_H
#define TRUST_JUDGE_H

#include "trust/path.h"
#include "trust/set.h"

/* The flaw that comes first in the order of reason.h. */
struct flaw {
	enum reason reason; /* REASON_NONE: there is none */
	const char *detail; /* a constant sentence */
};

/* Of two with one reason the one that was there stays. */
void flaw_add(struct flaw *flaw, enum reason reason, const char *detail);

struct judgement {
	const struct anchor *anchor;  /* NULL: not in the set; the rest says
	                                 nothing then */
	const struct anchor *blocker; /* a CA of the path that is not active,
	                                 the nearest to the leaf; or NULL */
	struct flaw flaw;
	bool out_of_scope;   /* a CA of the path may not assert who */
	int64_t valid_until; /* if there is neither blocker nor flaw: how long
	                        an unchanged set would say so */
};

/* who may be NULL: then out_of_scope is true. */
void judge_path(const struct trust_set *set, const struct path *path,
    const struct identity *who, int64_t now, struct judgement *out);

#endif /* TRUST_JUDGE_H */
