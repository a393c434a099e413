/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/delivery.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "plugin/hash.h"

#define NO_IDENTITY ""

struct lane {
	char name[IDENTITY_TEXT_MAX + 1]; /* key; NO_IDENTITY */
	struct parcel *first, *last;
	unsigned failures;     /* of the first, in a row */
	int64_t due_ms;        /* not before, with failures */
	int64_t failing_since; /* with failures */
	UT_hash_handle hh;
};

struct delivery {
	struct delivery_limits limits;
	struct lane *lanes;
	struct parcel *all; /* by seq */
	size_t waiting, in_flight;
	int64_t seen;
	unsigned failures; /* of all lanes, in a row */
	unsigned probes;   /* of these, begun when it was sick */
	int64_t due_ms;    /* not before, if it is sick */
	uint64_t random;
};

struct delivery *
delivery_new(
    const struct delivery_limits *limits, int64_t cursor, uint64_t seed)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));

	if (delivery != NULL) {
		delivery->limits = *limits;
		delivery->seen = cursor;
		delivery->random = seed == 0 ? 1 : seed; /* 0 stays 0 */
	}
	return delivery;
}

/* Take the first parcel of a lane out, and free it; an empty lane goes too. */
static void
forget_first(struct delivery *delivery, struct lane *lane)
{
	struct parcel *parcel = lane->first;

	DL_DELETE(delivery->all, parcel);
	delivery->waiting--;
	delivery->in_flight -= parcel->in_flight ? 1 : 0;
	lane->first = parcel->behind;
	lane->failures = 0;
	lane->due_ms = 0;
	event_done(&parcel->event);
	free(parcel);
	if (lane->first == NULL) {
		HASH_DEL(delivery->lanes, lane);
		free(lane);
	}
}

void
delivery_free(struct delivery *delivery)
{
	if (delivery != NULL) {
		while (delivery->all != NULL) {
			forget_first(delivery, delivery->all->lane);
		}
		free(delivery);
	}
}

size_t
delivery_room(const struct delivery *delivery)
{
	return delivery->limits.window - delivery->waiting;
}

/* The identity alone makes a lane: a CA's id or a setting's key does not. */
static const char *
lane_name(const struct event *event)
{
	struct identity who;
	const char *why, *subject = event->subject;

	return subject != NULL &&
	        identity_parse(subject, strlen(subject), &who, &why) == RES_OK
	    ? subject
	    : NO_IDENTITY;
}

static struct lane *
get_lane(struct delivery *delivery, const char *name)
{
	struct lane *lane;

	HASH_FIND_STR(delivery->lanes, name, lane);
	if (lane != NULL || (lane = calloc(1, sizeof(*lane))) == NULL) {
		return lane;
	}
	text_set(lane->name, sizeof(lane->name), name);
	HASH_ADD_STR(delivery->lanes, name, lane);
	if (lane->hh.tbl == NULL) {
		free(lane);
		return NULL;
	}
	return lane;
}

static char *
copy_text(const char *text, bool *failed)
{
	char *copy = text == NULL ? NULL : strdup(text);

	*failed |= text != NULL && copy == NULL;
	return copy;
}

static struct parcel *
parcel_new(const struct event *event)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));
	bool failed = false;

	if (parcel == NULL) {
		return NULL;
	}
	parcel->event = *event;
	parcel->event.subject = copy_text(event->subject, &failed);
	parcel->event.detail = copy_text(event->detail, &failed);
	if (failed) {
		event_done(&parcel->event);
		free(parcel);
		return NULL;
	}
	return parcel;
}

enum res
delivery_add(struct delivery *delivery, const struct event *event)
{
	struct parcel *parcel;
	struct lane *lane;

	if (event->seq <= delivery->seen) {
		return RES_REFUSED;
	}
	if (delivery_room(delivery) == 0) {
		return RES_LIMIT;
	}
	if ((parcel = parcel_new(event)) == NULL) {
		return RES_NOMEM;
	}
	if ((lane = get_lane(delivery, lane_name(event))) == NULL) {
		event_done(&parcel->event);
		free(parcel);
		return RES_NOMEM;
	}
	parcel->lane = lane;
	if (lane->first == NULL) {
		lane->first = parcel;
	} else {
		lane->last->behind = parcel;
	}
	lane->last = parcel;
	DL_APPEND(delivery->all, parcel);
	delivery->waiting++;
	delivery->seen = event->seq;
	return RES_OK;
}

void
delivery_pass(struct delivery *delivery, int64_t seq)
{
	if (seq > delivery->seen) {
		delivery->seen = seq;
	}
}

int64_t
delivery_seen(const struct delivery *delivery)
{
	return delivery->seen;
}

int64_t
delivery_cursor(const struct delivery *delivery)
{
	return delivery->all == NULL ? delivery->seen
	                             : delivery->all->event.seq - 1;
}

/* Whether it is its lane's turn, whatever the time. */
static bool
is_at_front(const struct parcel *parcel)
{
	return parcel->lane->first == parcel && !parcel->in_flight;
}

/* The first that is due. */
static struct parcel *
pick_due(const struct delivery *delivery, int64_t now_ms)
{
	struct parcel *parcel;

	DL_FOREACH(delivery->all, parcel)
	{
		if (is_at_front(parcel) && parcel->lane->due_ms <= now_ms) {
			return parcel;
		}
	}
	return NULL;
}

/* The first of those that were tried least: an event that the receiver never
 * takes must not keep the others from finding out that it is well again. */
static struct parcel *
pick_probe(const struct delivery *delivery)
{
	struct parcel *parcel, *found = NULL;

	DL_FOREACH(delivery->all, parcel)
	{
		if (is_at_front(parcel) &&
		    (found == NULL || parcel->attempts < found->attempts)) {
			found = parcel;
		}
	}
	return found;
}

struct parcel *
delivery_next(struct delivery *delivery, int64_t now_ms)
{
	bool sick = delivery_is_sick(delivery);
	struct parcel *parcel = NULL;

	if (delivery->in_flight >= (sick ? 1 : delivery->limits.flight)) {
		return NULL;
	}
	if (!sick) {
		parcel = pick_due(delivery, now_ms);
	} else if (delivery->due_ms <= now_ms) {
		parcel = pick_probe(delivery);
	}
	if (parcel != NULL) {
		parcel->in_flight = true;
		parcel->is_probe = sick;
		parcel->attempts++;
		delivery->in_flight++;
	}
	return parcel;
}

int64_t
delivery_due(const struct delivery *delivery, int64_t now_ms)
{
	bool sick = delivery_is_sick(delivery);
	const struct parcel *parcel;
	int64_t due = INT64_MAX, at;

	if (delivery->in_flight >= (sick ? 1 : delivery->limits.flight)) {
		return INT64_MAX;
	}
	DL_FOREACH(delivery->all, parcel)
	{
		if (!is_at_front(parcel)) {
			continue;
		}
		at = sick ? delivery->due_ms : parcel->lane->due_ms;
		due = at < due ? at : due;
		if (due <= now_ms) {
			break;
		}
	}
	return due;
}

/* xorshift64 (Marsaglia, 2003): jitter keeps no secrets. */
static uint64_t
random_below(struct delivery *delivery, uint64_t limit)
{
	uint64_t x = delivery->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	delivery->random = x;
	return x % limit;
}

/* Half of it for certain, the other half by chance. */
static int64_t
back_off(struct delivery *delivery, unsigned failures)
{
	int64_t ms = delivery->limits.retry_ms, half;
	unsigned i;

	for (i = 1; i < failures && ms < delivery->limits.retry_max_ms; i++) {
		ms *= 2;
	}
	if (ms > delivery->limits.retry_max_ms) {
		ms = delivery->limits.retry_max_ms;
	}
	half = ms / 2;
	return ms - half + (int64_t)random_below(delivery, (uint64_t)half + 1);
}

static void
fail_lane(
    struct delivery *delivery, struct lane *lane, int64_t now_ms, int64_t now)
{
	if (lane->failures == 0) {
		lane->failing_since = now;
	}
	lane->failures++;
	lane->due_ms = now_ms + back_off(delivery, lane->failures);
}

/* What failed because the receiver was away is sent at once. */
static void
recover(struct delivery *delivery)
{
	struct lane *lane;

	if (delivery_is_sick(delivery)) {
		for (lane = delivery->lanes; lane != NULL;
		     lane = lane->hh.next) {
			lane->due_ms = 0;
		}
	}
	delivery->failures = 0;
	delivery->probes = 0;
}

/* What was under way already when it fell sick says nothing new. */
static void
fall_sick(
    struct delivery *delivery, const struct parcel *parcel, int64_t now_ms)
{
	if (parcel->is_probe || delivery->failures == DELIVERY_SICK) {
		delivery->probes++;
		delivery->due_ms =
		    now_ms + back_off(delivery, delivery->probes);
	}
}

void
delivery_end(struct delivery *delivery, struct parcel *parcel, bool delivered,
    int64_t now_ms, int64_t now)
{
	if (delivered) {
		recover(delivery);
		forget_first(delivery, parcel->lane);
		return;
	}
	parcel->in_flight = false;
	parcel->post = NULL;
	delivery->in_flight--;
	fail_lane(delivery, parcel->lane, now_ms, now);
	delivery->failures++;
	if (delivery_is_sick(delivery)) {
		fall_sick(delivery, parcel, now_ms);
	}
}

void
delivery_put_back(struct delivery *delivery, struct parcel *parcel)
{
	parcel->in_flight = false;
	parcel->post = NULL;
	parcel->attempts--;
	delivery->in_flight--;
}

size_t
delivery_drop(struct delivery *delivery, int64_t seq, delivery_abandon *abandon,
    void *context)
{
	size_t count = 0;

	/* The first of all is always the first of its lane. */
	while (delivery->all != NULL && delivery->all->event.seq <= seq) {
		if (delivery->all->in_flight) {
			abandon(delivery->all, context);
		}
		forget_first(delivery, delivery->all->lane);
		count++;
	}
	delivery_pass(delivery, seq);
	return count;
}

bool
delivery_is_sick(const struct delivery *delivery)
{
	return delivery->failures >= DELIVERY_SICK;
}

int64_t
delivery_failing_since(const struct delivery *delivery)
{
	int64_t since = CLOCK_NONE;
	const struct lane *lane;

	for (lane = delivery->lanes; lane != NULL; lane = lane->hh.next) {
		if (lane->failures > 0 &&
		    (since == CLOCK_NONE || lane->failing_since < since)) {
			since = lane->failing_since;
		}
	}
	return since;
}

size_t
delivery_waiting(const struct delivery *delivery)
{
	return delivery->waiting;
}

size_t
delivery_in_flight(const struct delivery *delivery)
{
	return delivery->in_flight;
}
