/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/outbox.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "plugin/broker.h"
#include "plugin/follow.h"
#include "plugin/lease.h"
#include "plugin/outbox_private.h"
#include "plugin/post.h"

#define BUSY_MS  1000
#define LEASE_MS 1000 /* between looks at the lease */

/* ---- News for the broker's thread ---- */

static void
say(struct outbox *outbox, int level, const struct diag *text)
{
	struct news *news = news_new(NEWS_LOG);

	if (news != NULL) {
		news->level = level;
		news->text = *text;
		mailbox_post(outbox->mailbox, news);
	}
}

/* How the registry does: one line when it fails, one when that is over. */
bool
outbox_is_well(
    struct outbox *outbox, bool *told, enum res r, const struct diag *why)
{
	const char *what = told == &outbox->told_write
	    ? "how far notifications came cannot be written down"
	    : "notifications wait";
	struct diag text;

	if (r != RES_OK && !*told) {
		diag_set(&text, "registry: %s, and it is tried again: %.300s",
		    what, why->text[0] == '\0' ? "no memory" : why->text);
		say(outbox, LOG_ERROR, &text);
	} else if (r == RES_OK && *told) {
		diag_set(&text,
		    "registry: what failed for notifications works again");
		say(outbox, LOG_NOTICE, &text);
	}
	*told = r != RES_OK;
	return r == RES_OK;
}

void
outbox_say_health(struct outbox *outbox, struct receiver *receiver)
{
	bool sick = delivery_is_sick(receiver->delivery);
	struct diag text;

	if (sick == receiver->told_sick) {
		return;
	}
	receiver->told_sick = sick;
	if (sick) {
		diag_set(&text,
		    "hook %s: %d attempts in a row failed, the last one "
		    "because: %.200s; events wait",
		    receiver->label, DELIVERY_SICK, receiver->failure.text);
	} else {
		diag_set(&text, "hook %s: takes events again", receiver->label);
	}
	say(outbox, sick ? LOG_WARNING : LOG_NOTICE, &text);
}

static void
add_dropped(struct outbox *outbox, struct receiver *receiver, int64_t count,
    const char *reason)
{
	struct diag text;

	receiver->dropped += count;
	if (count > 0 && !receiver->told_dropped) {
		receiver->told_dropped = true;
		diag_set(&text,
		    "hook %s: events are dropped, for %s; see \"certid hook "
		    "list\"",
		    receiver->label, reason);
		say(outbox, LOG_WARNING, &text);
	}
}

/* ---- Receivers ---- */

static void
abandon(struct parcel *parcel, void *context)
{
	struct outbox *outbox = context;

	if (parcel->post != NULL) {
		poster_abandon(outbox->poster, parcel->post);
	}
}

static void
forget(struct outbox *outbox, struct receiver *receiver)
{
	(void)delivery_drop(receiver->delivery, INT64_MAX, abandon, outbox);
	DL_DELETE(outbox->receivers, receiver);
	receiver_free(receiver);
}

static void
forget_all(struct outbox *outbox)
{
	while (outbox->receivers != NULL) {
		forget(outbox, outbox->receivers);
	}
	outbox->stale = true;
}

static struct receiver *
find(const struct outbox *outbox, const struct hook_record *hook)
{
	struct receiver *receiver;

	DL_FOREACH(outbox->receivers, receiver)
	{
		if (receiver_is(receiver, hook)) {
			return receiver;
		}
	}
	return NULL;
}

static enum res
add(struct outbox *outbox, const struct hook_record *hook, struct diag *why)
{
	static const struct delivery_limits limits = {.window = OUTBOX_WINDOW,
	    .flight = OUTBOX_FLIGHT_MAX,
	    .retry_ms = OUTBOX_RETRY_MS,
	    .retry_max_ms = OUTBOX_RETRY_MAX_MS};
	struct receiver *receiver = find(outbox, hook);
	enum res r;

	if (receiver == NULL) {
		r = receiver_new(hook, &limits,
		    (uint64_t)clock_monotonic_ms() + outbox->seed++, &receiver);
		if (r != RES_OK) {
			return diag_res(why, r, "hook %s: %s", hook->id,
			    r == RES_NOMEM ? "no memory"
			                   : "its kinds do not read back");
		}
		DL_APPEND(outbox->receivers, receiver);
	}
	receiver->listed = true;
	return RES_OK;
}

/* Bring the receivers to what the configuration says. */
static enum res
update(struct outbox *outbox, struct diag *why)
{
	const struct config *config = &outbox->config;
	struct receiver *receiver, *next;
	enum res r = RES_OK;
	size_t i;

	DL_FOREACH(outbox->receivers, receiver)
	{
		receiver->listed = false;
	}
	for (i = 0; r == RES_OK && i < config->hook_count; i++) {
		r = add(outbox, &config->hooks[i], why);
	}
	DL_FOREACH_SAFE(outbox->receivers, receiver, next)
	{
		if (r == RES_OK && !receiver->listed) {
			forget(outbox, receiver);
		}
	}
	return r;
}

/* ---- Following the registry ---- */

/* Of CAs, only the names are needed: what is large is not kept. */
static void
strip(struct config *config)
{
	struct ca_record *ca;
	size_t i;

	for (i = 0; i < config->ca_count; i++) {
		ca = &config->cas[i];
		free(ca->der);
		free(ca->crl.der);
		ca->der = NULL;
		ca->der_len = 0;
		ca->crl.der = NULL;
		ca->crl.der_len = 0;
	}
}

static enum res
load(struct outbox *outbox, struct diag *why)
{
	struct config config = {0};
	enum res r = registry_load(outbox->registry, &config, why);

	if (r != RES_OK) {
		return r;
	}
	strip(&config);
	config_done(&outbox->config);
	outbox->config = config;
	r = update(outbox, why);
	if (r == RES_OK) {
		outbox->mark = config.mark;
		outbox->stale = false;
	}
	return r;
}

/* Hooks, and the CAs whose names stand in documents, are settings.  Events come
 * in storms, and what a load costs grows with the whole configuration. */
static enum res
look_at_event(const struct event *event, void *context)
{
	struct outbox *outbox = context;
	struct identity who;

	if (follow_concern(event, &who) == CONCERN_SETTINGS) {
		outbox->stale = true;
	}
	return RES_OK;
}

static enum res
follow(struct outbox *outbox, int64_t *mark, struct diag *why)
{
	struct event_query query = {
	    .after = outbox->mark, .since = CLOCK_NONE, .limit = FOLLOW_MAX};
	enum res r = registry_mark(outbox->registry, mark, why);

	if (r != RES_OK) {
		return r;
	}
	if (*mark < outbox->mark) {
		forget_all(outbox); /* another registry is in its place */
	} else if (*mark - outbox->mark >= FOLLOW_MAX) {
		outbox->stale = true;
	} else if (*mark != outbox->mark && !outbox->stale) {
		r = registry_events(
		    outbox->registry, &query, look_at_event, outbox, why);
	}
	if (r == RES_OK && outbox->stale) {
		r = load(outbox, why);
	}
	if (r == RES_OK && *mark > outbox->mark) {
		outbox->mark = *mark;
	}
	return r;
}

/* False: another broker delivers. */
static bool
hold_lease(struct outbox *outbox, int64_t now_ms)
{
	bool had = outbox->has_lease;

	if (now_ms >= outbox->lease_ms) {
		outbox->lease_ms = now_ms + LEASE_MS;
		outbox->has_lease = lease_take(outbox->lease);
	}
	if (had && !outbox->has_lease) {
		forget_all(outbox);
	}
	if (!had && outbox->has_lease) {
		/* Others wrote down how far they came. */
		outbox->stale = true;
	}
	return outbox->has_lease;
}

static void
look(struct outbox *outbox, int64_t now_ms)
{
	struct receiver *receiver;
	struct diag why = {{0}};
	bool more = false;
	int64_t mark;
	enum res r;

	outbox->look_ms = now_ms + OUTBOX_POLL_MS;
	r = follow(outbox, &mark, &why);
	DL_FOREACH(outbox->receivers, receiver)
	{
		if (r == RES_OK) {
			r = outbox_fill(outbox, receiver, mark, &more, &why);
		}
	}
	if (!outbox_is_well(outbox, &outbox->told_read, r, &why)) {
		outbox->look_ms = now_ms + FAILED_MS;
	} else if (more) {
		outbox->look_ms = now_ms;
	}
}

void
outbox_drop(struct outbox *outbox, struct receiver *receiver, int64_t seq,
    int64_t unread, const char *reason)
{
	size_t count = delivery_drop(receiver->delivery, seq, abandon, outbox);

	add_dropped(outbox, receiver, (int64_t)count + unread, reason);
}

/* ---- The loop ---- */

static bool
is_dirty(const struct outbox *outbox)
{
	struct receiver *receiver;
	struct progress progress;

	DL_FOREACH(outbox->receivers, receiver)
	{
		if (receiver_progress(receiver, &progress)) {
			return true;
		}
	}
	return false;
}

/* When there is something to do, but for what the network brings. */
static int64_t
next_ms(const struct outbox *outbox, int64_t now_ms)
{
	int64_t next = outbox->look_ms, due;
	const struct receiver *receiver;

	if (!outbox->has_lease) {
		return outbox->lease_ms;
	}
	if (is_dirty(outbox) && outbox->save_ms < next) {
		next = outbox->save_ms;
	}
	DL_FOREACH(outbox->receivers, receiver)
	{
		due = delivery_due(receiver->delivery, now_ms);
		if (due < receiver->stall_ms) {
			due = receiver->stall_ms;
		}
		next = due < next ? due : next;
	}
	return next;
}

static void
turn(struct outbox *outbox)
{
	int64_t now_ms = clock_monotonic_ms(), wait;

	if (hold_lease(outbox, now_ms)) {
		outbox_finish(outbox);
		if (now_ms >= outbox->look_ms) {
			look(outbox, now_ms);
		}
		outbox_begin(outbox);
		if (now_ms >= outbox->save_ms) {
			outbox_save(outbox, now_ms);
		}
	}
	now_ms = clock_monotonic_ms();
	wait = next_ms(outbox, now_ms) - now_ms;
	poster_turn(outbox->poster, wait > 0 ? (int)wait : 0);
}

static void *
run(void *context)
{
	struct outbox *outbox = context;

	while (!atomic_load(&outbox->stopping)) {
		turn(outbox);
	}
	if (outbox->has_lease) {
		outbox_finish(outbox);
		outbox_save(outbox, clock_monotonic_ms());
	}
	return NULL;
}

/* ---- Starting and stopping, on the broker's thread ---- */

static enum res
start_thread(struct outbox *outbox, struct diag *why)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&outbox->thread, NULL, run, outbox);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		return diag_res(why, RES_UNAVAIL,
		    "cannot start the thread that delivers events: %s",
		    strerror(error));
	}
	return RES_OK;
}

static enum res
open_lease(struct outbox *outbox, const char *registry, struct diag *why)
{
	char *path;
	enum res r;

	if (asprintf(&path, "%s-outbox", registry) < 0) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	r = lease_open(path, registry, &outbox->lease, why);
	free(path);
	return r;
}

/* Posts are forgotten with what they are about, before libcurl is. */
static void
release(struct outbox *outbox)
{
	if (outbox->poster != NULL) {
		forget_all(outbox);
	}
	poster_free(outbox->poster);
	config_done(&outbox->config);
	registry_close(outbox->registry);
	lease_close(outbox->lease);
	free(outbox);
}

enum res
outbox_start(
    const struct outbox_options *options, struct outbox **out, struct diag *why)
{
	const struct registry_options how = {.path = options->registry,
	    .mode = REGISTRY_WRITE,
	    .busy_ms = BUSY_MS};
	struct outbox *outbox = calloc(1, sizeof(*outbox));
	enum res r;

	if (outbox == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	atomic_init(&outbox->stopping, false);
	outbox->mailbox = options->mailbox;
	outbox->stale = true;
	if ((r = registry_open(&how, &outbox->registry, why)) != RES_OK ||
	    (r = open_lease(outbox, options->registry, why)) != RES_OK ||
	    (r = poster_new(&outbox->poster, why)) != RES_OK ||
	    (r = start_thread(outbox, why)) != RES_OK) {
		release(outbox);
		return r;
	}
	*out = outbox;
	return RES_OK;
}

void
outbox_stop(struct outbox *outbox)
{
	if (outbox == NULL) {
		return;
	}
	atomic_store(&outbox->stopping, true);
	poster_wake(outbox->poster);
	pthread_join(outbox->thread, NULL);
	release(outbox);
}
