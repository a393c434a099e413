/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/broker.h"
#include "plugin/watch.h"
#include "registry/edit.h"
#include "trust/crl.h"

#define BUSY_MS     1000
#define EVENTS_MAX  1024 /* others' events looked at before loading anyway */
#define ACTOR       "broker"
#define FAILURE_MAX 300 /* bytes of a failure in the log */

struct keeper {
	pthread_t thread;
	atomic_bool stopping;
	struct mailbox *mailbox;

	/* The thread's own while it runs. */
	struct registry *registry;
	struct fetcher *fetcher;
	struct watch *watches;
	int64_t mark; /* of the configuration that the watches show */
	bool stale;   /* that configuration changed, or was never read */
	int64_t poll_ms, look_ms;   /* when these are due, monotonic */
	bool told_read, told_write; /* in the log already */
	bool told_clock;
};

/* ---- News for the broker's thread ---- */

static bool
say(struct keeper *keeper, int level, const struct diag *text)
{
	struct news *news = news_new(NEWS_LOG);

	if (news == NULL) {
		return false;
	}
	news->level = level;
	news->text = *text;
	mailbox_post(keeper->mailbox, news);
	return true;
}

/* Say something once, until it is well again. */
static void
tell(struct keeper *keeper, bool *told, int level, const char *what,
    const struct diag *why)
{
	struct diag text;

	if (!*told) {
		diag_set(&text, "%s: %.300s", what,
		    why->text[0] == '\0' ? "no memory" : why->text);
		*told = say(keeper, level, &text);
	}
}

static void
tell_well(struct keeper *keeper, bool *told, const char *what)
{
	struct diag text;

	if (*told) {
		diag_set(&text, "%s", what);
		*told = !say(keeper, LOG_NOTICE, &text);
	}
}

/* How writing to the registry went.  A CA that is gone is none of its
 * trouble. */
static bool
is_written(struct keeper *keeper, enum res r, const struct diag *why)
{
	if (r == RES_OK || r == RES_NOTFOUND) {
		tell_well(keeper, &keeper->told_write,
		    "registry: writing of CRLs works again");
		return true;
	}
	tell(keeper, &keeper->told_write, LOG_ERROR,
	    "registry: cannot write what there is to say of CRLs and CAs, and "
	    "tries again",
	    why);
	return false;
}

static struct edit
edit_of(const struct keeper *keeper, const struct watch *watch)
{
	return (struct edit){
	    .registry = keeper->registry,
	    .org = watch->ca.org,
	    .actor = ACTOR,
	    .now = clock_now(),
	};
}

/* ---- Following the registry ---- */

/* Events that do not concern CAs come by the thousand; whatever else there may
 * be, the configuration is read again. */
static enum res
follow_event(const struct event *event, void *context)
{
	struct keeper *keeper = context;

	if (strncmp(event->kind, "device-", strlen("device-")) != 0 &&
	    strcmp(event->kind, "session-closed") != 0 &&
	    strcmp(event->kind, "import") != 0) {
		keeper->stale = true;
	}
	return RES_OK;
}

static enum res
load(struct keeper *keeper, struct diag *why)
{
	struct config config = {0};
	enum res r = registry_load(keeper->registry, &config, why);

	if (r == RES_OK) {
		r = watches_update(&keeper->watches, &config, keeper->fetcher,
		    clock_monotonic_ms());
	}
	if (r == RES_OK) {
		keeper->mark = config.mark;
		keeper->stale = false;
		keeper->look_ms = 0;
	}
	config_done(&config);
	return r;
}

static enum res
follow(struct keeper *keeper, struct diag *why)
{
	struct event_query query = {
	    .after = keeper->mark, .since = CLOCK_NONE, .limit = EVENTS_MAX};
	int64_t mark;
	enum res r = registry_mark(keeper->registry, &mark, why);

	if (r != RES_OK) {
		return r;
	}
	if (mark < keeper->mark || mark - keeper->mark >= EVENTS_MAX) {
		keeper->stale = true;
	} else if (mark != keeper->mark && !keeper->stale) {
		r = registry_events(
		    keeper->registry, &query, follow_event, keeper, why);
	}
	if (r == RES_OK && keeper->stale) {
		return load(keeper, why);
	}
	if (r == RES_OK) {
		keeper->mark = mark;
	}
	return r;
}

static void
poll_registry(struct keeper *keeper)
{
	struct diag why = {{0}};

	if (follow(keeper, &why) == RES_OK) {
		tell_well(keeper, &keeper->told_read,
		    "registry: its CAs can be read again");
	} else {
		tell(keeper, &keeper->told_read, LOG_ERROR,
		    "registry: cannot read its CAs to keep their CRLs up to "
		    "date, and tries again",
		    &why);
	}
	keeper->poll_ms = clock_monotonic_ms() + KEEPER_POLL_MS;
}

/* ---- Fetching ---- */

static struct crl_record
record_of(
    const struct crl *crl, const struct fetch *fetch, uint8_t *der, size_t len)
{
	const struct crl_info *info = crl_info(crl);
	struct crl_record record = {
	    .der = der,
	    .der_len = len,
	    .this_update = info->this_update,
	    .next_update = info->next_update,
	    .entries = (int64_t)info->entries,
	    .stored_at = clock_now(),
	    .fetched = true,
	    .modified_at = fetch->modified_at,
	};

	memcpy(record.fingerprint, info->fingerprint, HASH_LEN);
	text_set(record.number, sizeof(record.number), info->number);
	return record;
}

/* The list that an operator loaded may be the very one that is fetched: from
 * now on it is the server's. */
static void
note_source(struct crl_record *there, const struct crl_record *fetched)
{
	if (there->der != NULL &&
	    memcmp(there->fingerprint, fetched->fingerprint, HASH_LEN) == 0) {
		there->fetched = fetched->fetched;
		there->modified_at = fetched->modified_at;
	}
}

/* Verify what was fetched, and store it.  RES_REFUSED: it is no CRL for this
 * CA, or an old one; why names its place.  RES_NOTFOUND: the CA is gone.  All
 * else is the registry's trouble. */
static enum res
store(struct keeper *keeper, struct watch *watch, const struct fetch *fetch,
    int64_t *next_update, struct diag *why)
{
	const struct edit edit = edit_of(keeper, watch);
	struct ca_record ca = watch->ca;
	struct crl *crl = NULL;
	uint8_t *der = NULL;
	struct diag said = {{0}};
	size_t len = 0;
	enum res r = crl_parse(fetch->bytes, fetch->len, ca.der, ca.der_len,
	    edit.now, ca.crl_grace, &crl, &der, &len, &said);

	if (r != RES_OK) {
		return diag_res(
		    why, RES_REFUSED, "%s: %s", fetch->label, said.text);
	}
	ca.crl = record_of(crl, fetch, der, len);
	ca.crl_failure = NULL; /* the watch keeps its own, see note() */
	r = edit_ca_crl(&edit, &ca, &said);
	if (r == RES_OK) {
		*next_update = ca.crl.next_update;
		note_source(&watch->ca.crl, &ca.crl);
	} else if (r == RES_REFUSED || r == RES_LIMIT) {
		r = diag_res(
		    why, RES_REFUSED, "%s: %s", fetch->label, said.text);
	} else {
		*why = said;
	}
	crl_unref(crl);
	free(der);
	return r;
}

/* One line in the log for each new failure, and one when it is over. */
static void
say_outcome(
    struct keeper *keeper, struct watch *watch, const struct diag *failure)
{
	char name[WATCH_NAME_MAX + 1];
	struct diag text;

	watch_name(watch, name);
	if (failure == NULL && watch->said.text[0] != '\0') {
		diag_set(&text, "CRL of CA %s: fetching works again", name);
		if (say(keeper, LOG_NOTICE, &text)) {
			watch->said.text[0] = '\0';
		}
	} else if (failure != NULL &&
	    strcmp(watch->said.text, failure->text) != 0) {
		diag_set(&text, "CRL of CA %s: %.*s; %s", name, FAILURE_MAX,
		    failure->text,
		    watch->ca.crl.der == NULL ? "there is none yet"
		                              : "the last good CRL stays");
		if (say(keeper, LOG_WARNING, &text)) {
			watch->said = *failure;
		}
	}
}

/* What came of a fetch, for operators; failure is NULL if all is well. */
static bool
note(struct keeper *keeper, struct watch *watch, const struct diag *failure)
{
	const struct edit edit = edit_of(keeper, watch);
	struct diag why = {{0}};
	enum res r = edit_ca_crl_checked(
	    &edit, &watch->ca, failure == NULL ? NULL : failure->text, &why);

	say_outcome(keeper, watch, failure);
	return is_written(keeper, r, &why);
}

static void
finish(struct keeper *keeper, struct watch *watch, const struct fetch *fetch)
{
	int64_t next_update = watch->ca.crl.next_update;
	struct diag why = fetch->why;
	enum res r = RES_OK;
	bool well;

	if (fetch->outcome == FETCH_DONE) {
		r = store(keeper, watch, fetch, &next_update, &why);
	} else if (fetch->outcome == FETCH_FAILED) {
		r = RES_REFUSED;
	}
	well = r == RES_REFUSED || is_written(keeper, r, &why);
	if (well && r != RES_NOTFOUND) {
		well = note(keeper, watch, r == RES_OK ? NULL : &why);
	}
	watch->fetch = NULL;
	watch_schedule(watch, !well || r != RES_OK, next_update, clock_now(),
	    clock_monotonic_ms());
}

/* What is over may be for a CA, or from a URL, that is no more: what the
 * registry says now counts. */
static void
finish_all(struct keeper *keeper)
{
	struct fetch *fetch;

	if (fetcher_has_over(keeper->fetcher)) {
		poll_registry(keeper);
	}
	while (!atomic_load(&keeper->stopping) &&
	    (fetch = fetcher_take(keeper->fetcher)) != NULL) {
		finish(keeper, fetch->owner, fetch);
		fetch_free(fetch);
	}
}

static void
begin_all(struct keeper *keeper, int64_t now)
{
	int64_t now_ms = clock_monotonic_ms();
	struct watch *watch;

	while ((watch = watches_due(keeper->watches, now_ms)) != NULL &&
	    watch_begin(watch, keeper->fetcher, now) == RES_OK) {
	}
}

/* ---- Ends ---- */

/* Until there is no more to tell of the CA.  False: the registry is not well,
 * and the rest has to wait. */
static bool
tell_endings(struct keeper *keeper, struct watch *watch)
{
	const struct edit edit = edit_of(keeper, watch);
	char name[WATCH_NAME_MAX + 1];
	struct ca_record ca;
	struct ending ending;
	struct diag why = {{0}}, text;
	enum res r;

	watch_name(watch, name);
	while (watch_ending(&watch->ca, edit.now, &ending)) {
		ca = watch->ca;
		ca.told = ending.told;
		ca.crl.told = ending.crl_told;
		r = edit_ca_told(&edit, &ca, ending.detail.text, &why);
		if (!is_written(keeper, r, &why)) {
			return false;
		}
		watch->ca.told = ending.told;
		watch->ca.crl.told = ending.crl_told;
		diag_set(&text, "CA %s: %s", name, ending.detail.text);
		(void)say(keeper, LOG_WARNING, &text);
	}
	return true;
}

static void
look_at_ends(struct keeper *keeper)
{
	int64_t now_ms = clock_monotonic_ms();
	struct watch *watch, *next;

	if (now_ms < keeper->look_ms) {
		return;
	}
	keeper->look_ms = now_ms + KEEPER_LOOK_MS;
	HASH_ITER(hh, keeper->watches, watch, next)
	{
		if (atomic_load(&keeper->stopping)) {
			return;
		}
		if (!tell_endings(keeper, watch)) {
			keeper->look_ms = now_ms + KEEPER_POLL_MS;
			return;
		}
	}
}

/* ---- The loop ---- */

/* Dates mean nothing before the clock is set: nothing is fetched, nothing is
 * told, for what was told is not taken back. */
static bool
has_clock(struct keeper *keeper, int64_t now)
{
	static const struct diag why = {"its time is before this program was "
	                                "built"};

	if (clock_is_set(now)) {
		tell_well(keeper, &keeper->told_clock,
		    "the clock is set: CRLs are kept up to date");
		return true;
	}
	tell(keeper, &keeper->told_clock, LOG_WARNING,
	    "the clock is not set, CRLs are not fetched until it is", &why);
	return false;
}

static void
turn(struct keeper *keeper)
{
	int64_t now = clock_now(), wait;

	if (clock_monotonic_ms() >= keeper->poll_ms) {
		poll_registry(keeper);
	}
	finish_all(keeper);
	if (has_clock(keeper, now)) {
		begin_all(keeper, now);
		look_at_ends(keeper);
	}
	wait = keeper->poll_ms - clock_monotonic_ms();
	fetcher_turn(keeper->fetcher, wait > 0 ? (int)wait : 0);
}

static void *
run(void *context)
{
	struct keeper *keeper = context;

	while (!atomic_load(&keeper->stopping)) {
		turn(keeper);
	}
	return NULL;
}

/* ---- Starting and stopping, on the broker's thread ---- */

static enum res
start_thread(struct keeper *keeper, struct diag *why)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&keeper->thread, NULL, run, keeper);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error != 0) {
		return diag_res(why, RES_UNAVAIL,
		    "cannot start the thread that fetches CRLs: %s",
		    strerror(error));
	}
	return RES_OK;
}

static void
release(struct keeper *keeper)
{
	watches_free(&keeper->watches, keeper->fetcher);
	fetcher_free(keeper->fetcher);
	registry_close(keeper->registry);
	free(keeper);
}

enum res
keeper_start(
    const struct keeper_options *options, struct keeper **out, struct diag *why)
{
	const struct registry_options how = {.path = options->registry,
	    .mode = REGISTRY_WRITE,
	    .busy_ms = BUSY_MS};
	const struct fetch_limits limits = {.connect_ms = FETCH_CONNECT_MS,
	    .whole_ms = FETCH_WHOLE_MS,
	    .slow_s = FETCH_SLOW_S,
	    .bytes_max = CRL_FILE_MAX};
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	enum res r;

	if (keeper == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	atomic_init(&keeper->stopping, false);
	keeper->mailbox = options->mailbox;
	keeper->stale = true;
	if ((r = registry_open(&how, &keeper->registry, why)) != RES_OK ||
	    (r = fetcher_new(&limits, &keeper->fetcher, why)) != RES_OK ||
	    (r = start_thread(keeper, why)) != RES_OK) {
		release(keeper);
		return r;
	}
	*out = keeper;
	return RES_OK;
}

void
keeper_stop(struct keeper *keeper)
{
	if (keeper == NULL) {
		return;
	}
	atomic_store(&keeper->stopping, true);
	fetcher_wake(keeper->fetcher);
	pthread_join(keeper->thread, NULL);
	release(keeper);
}
