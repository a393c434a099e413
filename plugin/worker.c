/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin/broker.h"
#include "plugin/capath.h"
#include "plugin/follow.h"
#include "plugin/jobs.h"
#include "plugin/upkeep.h"

#define RETRY_MS    200  /* between attempts at a disk that refuses */
#define FAREWELL_MS 2000 /* for the last attempts */
#define LAZY_MAX    1024 /* last-seen times that wait at most */
#define EVENTS_MAX  1024 /* others' events looked at in one turn */

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
	int64_t busy_ms; /* since when another writer keeps us; 0: none */
	int64_t mark;
	bool stale; /* the settings changed; a snapshot is due */
	bool capath_due;
	bool told_disk, told_busy, told_poll, told_capath; /* in the log */
};

/* ---- News, from the worker's thread to the broker's ---- */

/* Say something once, until it is well again. */
static void
tell(struct worker *worker, bool *told, int level, const struct diag *text)
{
	struct news *news;

	if (*told || (news = news_new(NEWS_LOG)) == NULL) {
		return;
	}
	*told = true;
	news->level = level;
	news->text = *text;
	mailbox_post(&worker->mailbox, news);
}

static void
tell_well(struct worker *worker, bool *told, const char *what)
{
	struct diag text;
	bool fresh = false;

	if (*told) {
		*told = false;
		diag_set(&text, "%s", what);
		tell(worker, &fresh, LOG_NOTICE, &text);
	}
}

bool
worker_has_news(const struct worker *worker)
{
	return mailbox_has(&worker->mailbox);
}

struct news *
worker_take(struct worker *worker)
{
	return mailbox_take(&worker->mailbox);
}

struct mailbox *
worker_mailbox(struct worker *worker)
{
	return &worker->mailbox;
}

/* ---- Jobs, from the broker's thread to the worker's ---- */

bool
worker_has_room(struct worker *worker)
{
	bool room;

	pthread_mutex_lock(&worker->lock);
	room = worker->urgent.count < WORKER_QUEUE_MAX && !worker->stopping &&
	    !worker->failing;
	pthread_mutex_unlock(&worker->lock);
	return room;
}

/* False: the queue is full, and the job still the caller's. */
static bool
submit(struct worker *worker, struct queue *queue, size_t max, struct job *job)
{
	bool taken;

	pthread_mutex_lock(&worker->lock);
	taken = queue->count < max && !worker->stopping;
	if (taken) {
		queue_push(queue, job);
		if (queue == &worker->urgent) {
			pthread_cond_signal(&worker->wake);
		}
	}
	pthread_mutex_unlock(&worker->lock);
	return taken;
}

enum res
worker_provision(struct worker *worker, const struct device *device)
{
	struct job *job = job_new(JOB_PROVISION, device);

	if (job == NULL) {
		return RES_NOMEM;
	}
	job_describe(job);
	if (!submit(worker, &worker->urgent, WORKER_QUEUE_MAX, job)) {
		job_free(job);
		return RES_LIMIT;
	}
	return RES_OK;
}

enum res
worker_pins(struct worker *worker, const struct device *device,
    const struct pins *before, const char *kind, const char *detail)
{
	struct job *job = job_new(JOB_PINS, device);

	if (job == NULL) {
		return RES_NOMEM;
	}
	job->before = *before;
	if (kind != NULL) {
		text_set(job->event_kind, sizeof(job->event_kind), kind);
		diag_set(&job->detail, "%s", detail);
	}
	if (!submit(worker, &worker->urgent, WORKER_QUEUE_MAX, job)) {
		job_free(job);
		return RES_LIMIT;
	}
	return RES_OK;
}

/* Whoever asks for it bounds how many there are. */
static void
submit_always(struct worker *worker, struct job *job, const char *detail)
{
	if (job == NULL) {
		return;
	}
	diag_set(&job->detail, "%s", detail);
	if (!submit(worker, &worker->urgent, SIZE_MAX, job)) {
		job_free(job);
	}
}

void
worker_event(struct worker *worker, const struct device *device,
    const char *kind, const char *detail)
{
	struct job *job = job_new(JOB_EVENT, device);

	if (job != NULL) {
		text_set(job->event_kind, sizeof(job->event_kind), kind);
	}
	submit_always(worker, job, detail);
}

void
worker_lock(
    struct worker *worker, const struct device *device, const char *detail)
{
	struct job *job = job_new(JOB_LOCK, device);

	if (job != NULL) {
		job->device.locked = true;
	}
	submit_always(worker, job, detail);
}

void
worker_metrics(struct worker *worker, const char *source, char *body)
{
	upkeep_metrics(&worker->upkeep, source, body);
}

size_t
worker_depth(struct worker *worker)
{
	size_t depth;

	pthread_mutex_lock(&worker->lock);
	depth = worker->urgent.count + worker->writing;
	pthread_mutex_unlock(&worker->lock);
	return depth;
}

void
worker_seen(struct worker *worker, const struct device *device)
{
	struct job *job = job_new(JOB_SEEN, device);

	if (job != NULL && !submit(worker, &worker->lazy, LAZY_MAX, job)) {
		job_free(job);
	}
}

/* ---- The worker's thread: writing ---- */

static enum res
post_device(struct worker *worker, enum news_kind kind, const char *org,
    const struct identity *who, enum res result)
{
	return follow_post_device(
	    &worker->mailbox, worker->registry, kind, org, who, result);
}

/* One job is on the disk, or was not needed: somebody else wrote the device
 * first, or changed it in between.  What the row says now holds. */
static enum res
finish(struct worker *worker, const struct job *job, enum res result)
{
	return job->kind == JOB_PROVISION || job->kind == JOB_PINS
	    ? post_device(worker, NEWS_RECORDED, job->device.org,
	          &job->device.who, result)
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
	tell(worker, &worker->told_disk, LOG_ERROR, &text);
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
	tell(worker, &worker->told_busy, LOG_WARNING, &text);
}

static void
tell_free(struct worker *worker)
{
	worker->busy_ms = 0;
	tell_well(
	    worker, &worker->told_busy, "registry: the other writer is done");
}

/* Everything that is in the batch came onto the disk. */
static enum res
finish_batch(struct worker *worker, const struct change *changes, size_t n)
{
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < n; i++) {
		r = finish(worker, worker->batch.head, changes[i].result);
		if (r == RES_OK) {
			job_free(queue_pop(&worker->batch));
		}
	}
	return r;
}

/* Write the batch.  What fails stays in it, to be tried again: the changes
 * bear being applied twice. */
static enum res
write_batch(struct worker *worker)
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
		r = finish_batch(worker, changes, n);
	}
	set_failing(worker, r != RES_OK);
	if (r == RES_OK) {
		tell_well(worker, &worker->told_disk,
		    "registry: writing works again");
	} else {
		tell_failing(worker, &why);
	}
	return r;
}

/* ---- The worker's thread: following others' changes ---- */

/* One that fails is looked at again. */
static enum res
follow_event(const struct event *event, void *context)
{
	struct worker *worker = context;
	struct identity who;
	enum res r = RES_OK;

	switch (follow_concern(event, &who)) {
	case CONCERN_SETTINGS:
		worker->stale = true;
		break;
	case CONCERN_DEVICE:
		r = post_device(worker, NEWS_DEVICE, event->org, &who, RES_OK);
		break;
	case CONCERN_NOBODY:
		break;
	}
	if (r == RES_OK) {
		r = follow_post_event(&worker->mailbox, event);
	}
	if (r == RES_OK) {
		worker->mark = event->seq;
	}
	return r;
}

/* Fill the capath, unless it is as it should be; said once if it cannot. */
static void
fill_capath(struct worker *worker)
{
	struct diag why = {{0}}, text;

	if (worker->capath == NULL || !worker->capath_due) {
		return;
	}
	if (capath_fill(worker->capath, worker->snapshot, &why) == RES_OK) {
		worker->capath_due = false;
		tell_well(worker, &worker->told_capath, "capath: filled again");
		return;
	}
	diag_set(&text, "capath: new CAs wait until it works: %.300s",
	    why.text[0] == '\0' ? "no memory" : why.text);
	tell(worker, &worker->told_capath, LOG_ERROR, &text);
}

static enum res
post_snapshot(struct worker *worker, struct diag *why)
{
	struct config config = {0};
	struct news *news = news_new(NEWS_SNAPSHOT);
	enum res r;

	if (news == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	if ((r = registry_load(worker->registry, &config, why)) != RES_OK ||
	    (r = snapshot_new(
	         &config, worker->snapshot, &news->snapshot, why)) != RES_OK) {
		config_done(&config);
		news_free(news);
		return r;
	}
	snapshot_unref(worker->snapshot);
	worker->snapshot = snapshot_ref(news->snapshot);
	worker->stale = false;
	worker->capath_due = true;
	mailbox_post(&worker->mailbox, news);
	fill_capath(worker);
	return RES_OK;
}

/* Somebody put an older registry in the place of this one. */
static void
go_back(struct worker *worker, int64_t mark)
{
	struct diag text;
	bool fresh = false;

	diag_set(&text,
	    "registry: it went back in time, as after a restore: its settings "
	    "hold now, but devices stay connected; restart the broker");
	tell(worker, &fresh, LOG_WARNING, &text);
	worker->mark = mark;
	worker->stale = true;
}

static enum res
follow(struct worker *worker, struct diag *why)
{
	struct event_query query = {
	    .after = worker->mark, .since = CLOCK_NONE, .limit = EVENTS_MAX};
	int64_t mark;
	enum res r;

	/* Nobody reads: there is no TICK and no CONNECT. */
	if (!mailbox_has_room(&worker->mailbox)) {
		return RES_OK;
	}
	if ((r = registry_mark(worker->registry, &mark, why)) != RES_OK) {
		return r;
	}
	if (mark < worker->mark) {
		go_back(worker, mark);
		query.after = mark;
	}
	if (mark != worker->mark &&
	    (r = registry_events(worker->registry, &query, follow_event, worker,
	         why)) != RES_OK) {
		return r;
	}
	return worker->stale ? post_snapshot(worker, why) : RES_OK;
}

static void
poll_registry(struct worker *worker)
{
	struct diag why = {{0}}, text;

	fill_capath(worker);
	if (follow(worker, &why) == RES_OK) {
		tell_well(worker, &worker->told_poll,
		    "registry: following its changes again");
		return;
	}
	diag_set(&text,
	    "registry: cannot follow its changes, the last good settings "
	    "stay: %.300s",
	    why.text[0] == '\0' ? "no memory" : why.text);
	tell(worker, &worker->told_poll, LOG_ERROR, &text);
}

/* ---- The worker's thread: the loop ---- */

static void
deadline_in(struct timespec *at, int64_t ms)
{
	clock_gettime(CLOCK_MONOTONIC, at);
	at->tv_sec += ms / 1000;
	at->tv_nsec += (ms % 1000) * 1000000;
	if (at->tv_nsec >= 1000000000) {
		at->tv_sec++;
		at->tv_nsec -= 1000000000;
	}
}

/* Move what waits into the batch; wait at most ms for something urgent.
 * Returns whether it is time to stop. */
static bool
take_jobs(struct worker *worker, int64_t ms, bool with_lazy)
{
	struct timespec at;
	struct job *job;
	bool stopping;

	deadline_in(&at, ms);
	pthread_mutex_lock(&worker->lock);
	while (ms > 0 && worker->urgent.count == 0 && !worker->stopping) {
		if (pthread_cond_timedwait(&worker->wake, &worker->lock, &at) ==
		    ETIMEDOUT) {
			break;
		}
	}
	while (worker->batch.count < WORKER_BATCH_MAX &&
	    (job = queue_pop(&worker->urgent)) != NULL) {
		queue_push(&worker->batch, job);
	}
	stopping = worker->stopping;
	while ((with_lazy || stopping) &&
	    worker->batch.count < WORKER_BATCH_MAX &&
	    (job = queue_pop(&worker->lazy)) != NULL) {
		queue_push(&worker->batch, job);
	}
	worker->writing = worker->batch.count;
	pthread_mutex_unlock(&worker->lock);
	return stopping;
}

static void
pause_ms(int64_t ms)
{
	struct timespec span = {
	    .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	while (nanosleep(&span, &span) != 0 && errno == EINTR) {
	}
}

/* Everything that is queued, unless the disk will not. */
static void
write_the_rest(struct worker *worker)
{
	int64_t end = clock_monotonic_ms() + FAREWELL_MS;

	bool again;

	do {
		again = write_batch(worker) != RES_OK ||
		    upkeep_finish(&worker->upkeep, worker->registry) != RES_OK;
		if (again) {
			pause_ms(RETRY_MS / 10);
		}
		(void)take_jobs(worker, 0, true);
	} while (
	    (again || worker->batch.count > 0) && clock_monotonic_ms() < end);
}

static void *
run(void *context)
{
	struct worker *worker = context;
	int64_t now, lazy_at = 0, poll_at = 0;
	int64_t wait = WORKER_POLL_MS;

	for (;;) {
		now = clock_monotonic_ms();
		if (take_jobs(worker, wait, now >= lazy_at)) {
			break;
		}
		if (now >= lazy_at) {
			lazy_at = now + WORKER_LAZY_MS;
		}
		wait = WORKER_POLL_MS;
		if (write_batch(worker) != RES_OK) {
			pause_ms(RETRY_MS);
			wait = 0;
		}
		now = clock_monotonic_ms();
		if (now >= poll_at) {
			poll_registry(worker);
			poll_at = now + WORKER_POLL_MS / 2;
		}
		upkeep_run(&worker->upkeep, worker->registry, worker->snapshot);
	}
	write_the_rest(worker);
	return NULL;
}

/* ---- Starting and stopping, on the broker's thread ---- */

static enum res
open_all(struct worker *worker, const struct worker_options *options,
    struct diag *why)
{
	const struct registry_options how = {
	    .path = options->registry, .mode = REGISTRY_WRITE, .busy_ms = 1000};
	enum res r = registry_open(&how, &worker->registry, why);

	if (r == RES_OK && options->capath != NULL) {
		r = capath_open(options->capath, &worker->capath, why);
	}
	return r;
}

static enum res
start_thread(struct worker *worker, struct diag *why)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		return diag_res(why, RES_UNAVAIL,
		    "cannot start the worker thread: %s", strerror(error));
	}
	return RES_OK;
}

static void
release(struct worker *worker)
{
	queue_drain(&worker->urgent);
	queue_drain(&worker->lazy);
	queue_drain(&worker->batch);
	registry_close(worker->registry);
	capath_close(worker->capath);
	snapshot_unref(worker->snapshot);
	mailbox_done(&worker->mailbox);
	upkeep_done(&worker->upkeep);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

enum res
worker_start(
    const struct worker_options *options, struct worker **out, struct diag *why)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	pthread_condattr_t monotonic;
	enum res r;

	if (worker == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	mailbox_init(&worker->mailbox);
	upkeep_init(&worker->upkeep);
	pthread_mutex_init(&worker->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if ((r = open_all(worker, options, why)) != RES_OK ||
	    (r = post_snapshot(worker, why)) != RES_OK) {
		release(worker);
		return r;
	}
	worker->mark = snapshot_mark(worker->snapshot);
	if ((r = start_thread(worker, why)) != RES_OK) {
		release(worker);
		return r;
	}
	*out = worker;
	return RES_OK;
}

void
worker_stop(struct worker *worker)
{
	if (worker == NULL) {
		return;
	}
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	release(worker);
}
