/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * upkeep: what the worker does for the registry besides its jobs: writing down
 * what the broker counted, and forgetting events that are older than their org
 * keeps them, and the counters of brokers that are gone.
 */
#ifndef PLUGIN_UPKEEP_H
#define PLUGIN_UPKEEP_H

#include <pthread.h>
#include <stdatomic.h>

#include "admission/snapshot.h"
#include "registry/registry.h"

#define UPKEEP_PURGE_MS 60000 /* between two looks for old events */
#define UPKEEP_MORE_MS  1000  /* the same, while there are more of them */
#define UPKEEP_STEPS    4     /* of PURGE_MAX events, an org and a look */
#define UPKEEP_RETRY_MS 1000  /* after the registry did not take something */

struct upkeep {
	pthread_mutex_t lock;          /* of metrics */
	struct metrics_record metrics; /* body NULL: none to be written */
	/* The worker's own. */
	int64_t purge_at, retry_at; /* monotonic ms */
	atomic_bool stopping;
};

void upkeep_init(struct upkeep *upkeep);
void upkeep_done(struct upkeep *upkeep);

/* Any thread: keep body, which it takes, to be written in the place of what is
 * kept and what source wrote before.  source is cut at ADDRESS_MAX. */
void upkeep_metrics(struct upkeep *upkeep, const char *source, char *body);

/* Any thread: upkeep_run() is to come back soon, and then does nothing. */
void upkeep_stop(struct upkeep *upkeep);

/* The worker's thread: whatever is due.  What the registry does not take is
 * tried again, or gives way to newer counters; nobody is told, for the worker
 * tells of a registry that does not work.  Waits at most once for another
 * writer. */
void upkeep_run(struct upkeep *upkeep, struct registry *registry,
    const struct snapshot *snapshot);

/* The worker's thread, at its end: the last counters. */
MUST_CHECK enum res upkeep_finish(
    struct upkeep *upkeep, struct registry *registry);

#endif /* PLUGIN_UPKEEP_H */
