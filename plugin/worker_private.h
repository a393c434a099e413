/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * worker_private: what the files of the worker share: worker_write.c brings
 * jobs onto the disk; worker.c is the thread, and follows the registry.
 */
#ifndef PLUGIN_WORKER_PRIVATE_H
#define PLUGIN_WORKER_PRIVATE_H

#include <pthread.h>

#include "plugin/capath.h"
#include "plugin/jobs.h"
#include "plugin/upkeep.h"
#include "plugin/worker.h"

struct worker {
	pthread_t thread;
	pthread_mutex_t lock; /* of what is up to the rule */
	pthread_cond_t wake;
	struct queue urgent, lazy;
	bool stopping;
	bool failing;   /* the disk did not take the last batch */
	size_t writing; /* jobs of the batch */
	/* ---- */
	struct mailbox mailbox;
	struct upkeep upkeep;

	/* The thread's own. */
	struct registry *registry;
	struct capath *capath;
	struct snapshot *snapshot; /* the last one posted */
	struct queue batch;        /* taken, not yet on the disk */
	struct queue written;      /* on the disk, not yet read back */
	int64_t busy_ms; /* since when another writer keeps us; 0: none */
	int64_t mark;
	bool stale; /* the settings changed; a snapshot is due */
	bool capath_due;
	bool told_disk, told_busy, told_poll, told_capath; /* in the log */
	size_t lost;                                       /* in the end */
	bool stopped; /* the broker's thread's: joined */
};

/* Say something once, until it is well again. */
void worker_tell(
    struct worker *worker, bool *told, int level, const struct diag *text);
void worker_tell_well(struct worker *worker, bool *told, const char *what);

/* Write the batch.  What fails stays in it, to be tried again: the changes bear
 * being applied twice.  What is written moves to worker->written. */
MUST_CHECK enum res worker_write_batch(struct worker *worker);

/* The same, and tell of what was written; what was written before and could not
 * be told of comes first. */
MUST_CHECK enum res worker_write(struct worker *worker);

#endif /* PLUGIN_WORKER_PRIVATE_H */
