/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * jobs: what waits to be written to the registry, and the queues it waits in.
 *
 * A queue is for whoever holds its lock; see worker.c.
 */
#ifndef PLUGIN_JOBS_H
#define PLUGIN_JOBS_H

#include "registry/registry.h"

enum job_kind {
	JOB_PROVISION,
	JOB_PINS,
	JOB_LOCK,
	JOB_EVENT,
	JOB_SEEN,
};

struct job {
	enum job_kind kind;
	struct device device;
	struct pins before;            /* JOB_PINS */
	char event_kind[WORD_MAX + 1]; /* "": no event; JOB_EVENT, JOB_PINS */
	int64_t time;
	char name[IDENTITY_TEXT_MAX + 1];
	struct diag detail;
	enum res result; /* once it is written */
	struct job *next;
};

/* About a device, which is copied, at this moment.  NULL: no memory. */
struct job *job_new(enum job_kind kind, const struct device *device);
void job_free(struct job *job); /* NULL is allowed */

/* Its detail: what brought the device here, its certificate or its gateway. */
void job_describe(struct job *job);

/* The job as the registry takes it; the job's strings are lent. */
struct change job_change(struct job *job);

/* A singly linked queue that knows its end and its length. */
struct queue {
	struct job *head, *tail;
	size_t count;
};

void queue_push(struct queue *queue, struct job *job);
struct job *queue_pop(struct queue *queue); /* NULL: it is empty */
void queue_drain(struct queue *queue);

#endif /* PLUGIN_JOBS_H */
