/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/broker.h"
#include "plugin/follow.h"
#include "plugin/worker_private.h"

/* One job is on the disk, or was not needed: somebody else wrote the device
 * first, or changed it in between.  What the row says now holds. */
static enum res
finish(struct worker *worker, const struct job *job)
{
	return job->kind == JOB_PROVISION || job->kind == JOB_PINS
	    ? follow_post_device(&worker->mailbox, worker->registry,
	          NEWS_RECORDED, job->device.org, &job->device.who, job->result)
	    : RES_OK;
}

/* While the disk refuses, new devices are refused: what is admitted is to be
 * on the disk in a moment. */
static void
set_failing(struct worker *worker, bool failing)
{
	pthread_mutex_lock(&worker->lock);
	worker->failing = failing;
	worker->writing = worker->batch.count;
	pthread_mutex_unlock(&worker->lock);
}

static void
tell_failing(struct worker *worker, const struct diag *why)
{
	struct diag text;

	diag_set(&text,
	    "registry: cannot write, new devices are refused until it works: "
	    "%.300s",
	    why->text[0] == '\0' ? "no memory" : why->text);
	worker_tell(worker, &worker->told_disk, LOG_ERROR, &text);
}

/* Another writer is at it, say an import of many devices.  It comes to an end,
 * and until then the queue takes what comes. */
static void
tell_busy(struct worker *worker)
{
	int64_t now = clock_monotonic_ms();
	struct diag text;

	if (worker->busy_ms == 0) {
		worker->busy_ms = now;
	}
	if (now - worker->busy_ms < WORKER_BUSY_MS) {
		return;
	}
	diag_set(&text,
	    "registry: somebody else has been writing for %d seconds; what is "
	    "new waits until that is done",
	    (int)((now - worker->busy_ms) / 1000));
	worker_tell(worker, &worker->told_busy, LOG_WARNING, &text);
}

static void
tell_free(struct worker *worker)
{
	worker->busy_ms = 0;
	worker_tell_well(
	    worker, &worker->told_busy, "registry: the other writer is done");
}

static void
tell_how_it_went(struct worker *worker, enum res r, const struct diag *why)
{
	set_failing(worker, r != RES_OK);
	if (r == RES_OK) {
		worker_tell_well(worker, &worker->told_disk,
		    "registry: writing works again");
	} else {
		tell_failing(worker, why);
	}
}

/* What came onto the disk leaves the batch, whatever comes of reading it back:
 * an event that is written twice is told twice. */
static void
leave_batch(struct worker *worker, const struct change *changes, size_t n)
{
	struct job *job;
	size_t i;

	for (i = 0; i < n; i++) {
		job = queue_pop(&worker->batch);
		job->result = changes[i].result;
		queue_push(&worker->written, job);
	}
}

/* Tell what the registry says of the devices that were written. */
static enum res
read_back(struct worker *worker)
{
	enum res r = RES_OK;

	while (worker->written.head != NULL) {
		r = finish(worker, worker->written.head);
		if (r != RES_OK) {
			break;
		}
		job_free(queue_pop(&worker->written));
	}
	return r;
}

enum res
worker_write_batch(struct worker *worker)
{
	struct change changes[WORKER_BATCH_MAX];
	struct diag why = {{0}};
	struct job *job = worker->batch.head;
	size_t n;
	enum res r;

	for (n = 0; job != NULL && n < WORKER_BATCH_MAX; n++) {
		changes[n] = job_change(job);
		job = job->next;
	}
	if (n == 0) {
		return RES_OK;
	}
	r = registry_apply(worker->registry, changes, n, APPLY_EACH, &why);
	if (r == RES_BUSY) {
		tell_busy(worker);
		return r;
	}
	tell_free(worker);
	if (r == RES_OK) {
		leave_batch(worker, changes, n);
	}
	tell_how_it_went(worker, r, &why);
	return r;
}

enum res
worker_write(struct worker *worker)
{
	const struct diag why = {"what was written cannot be read back"};
	enum res r = read_back(worker);

	if (r == RES_OK && (r = worker_write_batch(worker)) != RES_OK) {
		return r;
	}
	if (r == RES_OK) {
		r = read_back(worker);
	}
	if (r != RES_OK) {
		tell_how_it_went(worker, r, &why);
	}
	return r;
}
