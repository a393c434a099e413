/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin/broker.h"
#include "plugin/follow.h"
#include "plugin/worker_private.h"

#define RETRY_MS    200  /* between attempts at a disk that refuses */
#define FAREWELL_MS 2000 /* for the last attempts */
#define BUSY_MS     1000 /* of one wait for another writer */
#define LAZY_MAX    1024 /* last-seen times that wait at most */
#define EVENTS_MAX  1024 /* others' events looked at in one turn */

/* ---- News, from the worker's thread to the broker's ---- */

void
worker_tell(
    struct worker *worker, bool *told, int level, const struct diag *text)
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

void
worker_tell_well(struct worker *worker, bool *told, const char *what)
{
	struct diag text;
	bool fresh = false;

	if (*told) {
		*told = false;
		diag_set(&text, "%s", what);
		worker_tell(worker, &fresh, LOG_NOTICE, &text);
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
		r = follow_post_device(&worker->mailbox, worker->registry,
		    NEWS_DEVICE, event->org, &who, RES_OK);
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
		worker_tell_well(
		    worker, &worker->told_capath, "capath: filled again");
		return;
	}
	diag_set(&text, "capath: new CAs wait until it works: %.300s",
	    why.text[0] == '\0' ? "no memory" : why.text);
	worker_tell(worker, &worker->told_capath, LOG_ERROR, &text);
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
	worker_tell(worker, &fresh, LOG_WARNING, &text);
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
		worker_tell_well(worker, &worker->told_poll,
		    "registry: following its changes again");
		return;
	}
	diag_set(&text,
	    "registry: cannot follow its changes, the last good settings "
	    "stay: %.300s",
	    why.text[0] == '\0' ? "no memory" : why.text);
	worker_tell(worker, &worker->told_poll, LOG_ERROR, &text);
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

/* When somebody connected last, and what was counted, may get lost. */
static size_t
count_jobs(const struct queue *queue)
{
	const struct job *job;
	size_t count = 0;

	for (job = queue->head; job != NULL; job = job->next) {
		count += job->kind != JOB_SEEN;
	}
	return count;
}

/* How long that answer is put up with in the end. */
static int64_t
patience_ms(const struct worker *worker, enum res r)
{
	return r == RES_BUSY && count_jobs(&worker->batch) > 0
	    ? WORKER_FAREWELL_MS
	    : FAREWELL_MS;
}

/* Everything that is queued, unless the disk will not.  Nothing is added to it
 * any more, so that as long as it is written there is an end. */
static void
write_the_rest(struct worker *worker)
{
	int64_t start = clock_monotonic_ms();
	enum res r;

	do {
		r = worker_write_batch(worker);
		if (r == RES_OK && worker->batch.count == 0) {
			r = upkeep_finish(&worker->upkeep, worker->registry);
		}
		if (r != RES_OK) {
			pause_ms(RETRY_MS / 10);
		}
		(void)take_jobs(worker, 0, true);
	} while (r == RES_OK
	        ? worker->batch.count > 0
	        : clock_monotonic_ms() - start < patience_ms(worker, r));
	worker->lost = count_jobs(&worker->batch) + count_jobs(&worker->urgent);
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
		if (worker_write(worker) != RES_OK) {
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
	const struct registry_options how = {.path = options->registry,
	    .mode = REGISTRY_WRITE,
	    .busy_ms = BUSY_MS};
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
	queue_drain(&worker->written);
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

static void
stop(struct worker *worker)
{
	if (worker->stopped) {
		return;
	}
	upkeep_stop(&worker->upkeep);
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	worker->stopped = true;
}

size_t
worker_stop(struct worker *worker)
{
	if (worker == NULL) {
		return 0;
	}
	stop(worker);
	return worker->lost;
}

void
worker_free(struct worker *worker)
{
	if (worker != NULL) {
		stop(worker);
		release(worker);
	}
}
