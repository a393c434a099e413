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
#include "plugin/jobs.h"

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
	bool failing; /* the disk did not take the last batch */
	/* ---- */
	struct mailbox mailbox;

	/* The thread's own. */
	struct registry *registry;
	struct capath *capath;
	struct snapshot *snapshot; /* the last one posted */
	struct queue batch;        /* taken, not yet on the disk */
	int64_t mark;
	bool stale; /* the settings changed; a snapshot is due */
	bool capath_due;
	bool told_disk, told_poll, told_capath; /* in the log already */
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
	char ca[HASH_TEXT_MAX + 1];

	if (job == NULL) {
		return RES_NOMEM;
	}
	text_hex(ca, device->ca, HASH_LEN);
	diag_set(&job->detail, "ca=%.16s serial=%s addr=%s", ca, device->serial,
	    device->last_address);
	if (!submit(worker, &worker->urgent, WORKER_QUEUE_MAX, job)) {
		job_free(job);
		return RES_LIMIT;
	}
	return RES_OK;
}

void
worker_closed(
    struct worker *worker, const struct device *device, const char *detail)
{
	struct job *job = job_new(JOB_CLOSED, device);

	if (job == NULL) {
		return;
	}
	diag_set(&job->detail, "%s", detail);
	/* Closing is never refused for want of room: one a session. */
	if (!submit(worker, &worker->urgent, SIZE_MAX, job)) {
		job_free(job);
	}
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

/* What the registry says of a device now, for the broker's thread. */
static enum res
post_device(struct worker *worker, enum news_kind kind, const char *org,
    const struct identity *who)
{
	struct news *news = news_new(kind);
	bool case_clash;
	enum res r;

	if (news == NULL) {
		return RES_NOMEM;
	}
	r = registry_get(worker->registry, org, who, false, &news->device,
	    &case_clash, NULL);
	if (r != RES_OK && r != RES_NOTFOUND) {
		news_free(news);
		return r;
	}
	news->found = r == RES_OK;
	if (!news->found) {
		device_init(&news->device, org, who);
	}
	mailbox_post(&worker->mailbox, news);
	return RES_OK;
}

/* One job is on the disk, or was not needed: somebody else wrote the device
 * first, or changed it in between.  What the row says now holds. */
static enum res
finish(struct worker *worker, const struct job *job)
{
	return job->kind == JOB_PROVISION
	    ? post_device(
	          worker, NEWS_RECORDED, job->device.org, &job->device.who)
	    : RES_OK;
}

/* While the disk refuses, new devices are refused: what is admitted is to be
 * on the disk in a moment. */
static void
set_failing(struct worker *worker, bool failing)
{
	pthread_mutex_lock(&worker->lock);
	worker->failing = failing;
	pthread_mutex_unlock(&worker->lock);
}

/* Write the batch.  What fails stays in it, to be tried again: the changes
 * bear being applied twice. */
static enum res
write_batch(struct worker *worker)
{
	struct change changes[WORKER_BATCH_MAX];
	struct diag why = {{0}}, text;
	struct job *job = worker->batch.head;
	size_t n, i;
	enum res r;

	for (n = 0; job != NULL && n < WORKER_BATCH_MAX; n++) {
		changes[n] = job_change(job);
		job = job->next;
	}
	if (n == 0) {
		return RES_OK;
	}
	r = registry_apply(worker->registry, changes, n, APPLY_EACH, &why);
	for (i = 0; r == RES_OK && i < n; i++) {
		r = finish(worker, worker->batch.head);
		if (r == RES_OK) {
			job_free(queue_pop(&worker->batch));
		}
	}
	set_failing(worker, r != RES_OK);
	if (r == RES_OK) {
		tell_well(worker, &worker->told_disk,
		    "registry: writing works again");
		return RES_OK;
	}
	diag_set(&text,
	    "registry: cannot write, new devices are refused until it works: "
	    "%.300s",
	    why.text[0] == '\0' ? "no memory" : why.text);
	tell(worker, &worker->told_disk, LOG_ERROR, &text);
	return r;
}

/* ---- The worker's thread: following others' changes ---- */

/* What we wrote ourselves, devices that were only listed, and what is told to
 * people alone concern nobody who is connected. */
static bool
is_idle(const struct event *event)
{
	static const char *const kinds[] = {
	    "session-closed", "import", "ca-expiring", "crl-failed"};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(event->kind, kinds[i]) == 0) {
			return true;
		}
	}
	return strcmp(event->kind, "device-provisioned") == 0 &&
	    strcmp(event->actor, "broker") == 0;
}

/* Events about a device concern its sessions; all others, the settings. */
static enum res
follow_event(const struct event *event, void *context)
{
	struct worker *worker = context;
	struct identity who;
	const char *detail;
	enum res r = RES_OK;

	if (is_idle(event)) {
		worker->mark = event->seq;
		return RES_OK;
	}
	if (event->subject != NULL &&
	    strncmp(event->kind, "device-", strlen("device-")) == 0 &&
	    identity_parse(event->subject, strlen(event->subject), &who,
	        &detail) == RES_OK) {
		r = post_device(worker, NEWS_DEVICE, event->org, &who);
	} else {
		worker->stale = true;
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

	do {
		if (write_batch(worker) != RES_OK) {
			pause_ms(RETRY_MS / 10);
		}
		(void)take_jobs(worker, 0, true);
	} while (worker->batch.count > 0 && clock_monotonic_ms() < end);
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
