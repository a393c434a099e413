/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * delivery: what is sent to one receiver, and when.
 *
 * Events come in by rising seq and wait in lanes: one for each identity that
 * they are about, and one for all that are about none.  In a lane they go out
 * one after the other, and one that fails holds back those behind it, with a
 * back-off that doubles and has jitter.  Lanes do not wait for each other,
 * unless DELIVERY_SICK attempts in a row failed: then there is one attempt at a
 * time, with a back-off of the receiver's own, of what was tried least.
 *
 * Pure: no clock, no network, no disk; times are of a clock that never jumps,
 * in ms.  One thread.
 */
#ifndef PLUGIN_DELIVERY_H
#define PLUGIN_DELIVERY_H

#include "common/diag.h"
#include "registry/records.h"

#define DELIVERY_SICK 8 /* failures in a row */

struct delivery_limits {
	size_t window; /* events that are not done, in memory */
	size_t flight; /* under way at a time */
	int64_t retry_ms, retry_max_ms;
};

/* An event that is not done. */
struct parcel {
	struct event event;
	unsigned attempts; /* begun, the one under way included */
	bool in_flight, is_probe;
	void *sender, *post; /* whoever sends it keeps his own here */
	struct lane *lane;
	struct parcel *behind;      /* in its lane */
	struct parcel *prev, *next; /* of all, by seq; utlist.h */
};

struct delivery;

/* All up to cursor are done.  seed decides on the jitter.  NULL: no memory. */
struct delivery *delivery_new(
    const struct delivery_limits *limits, int64_t cursor, uint64_t seed);
void delivery_free(struct delivery *delivery);

/* How many more events it takes. */
size_t delivery_room(const struct delivery *delivery);

/* Take in an event, which is copied.  RES_LIMIT: no room.  RES_NOMEM.
 * RES_REFUSED: its seq is not above that of all before. */
MUST_CHECK enum res delivery_add(
    struct delivery *delivery, const struct event *event);

/* There is nothing to send up to seq but what was added. */
void delivery_pass(struct delivery *delivery, int64_t seq);

/* The seq up to which events were added or passed. */
int64_t delivery_seen(const struct delivery *delivery);

/* The seq up to which all is done: never at, or beyond, what is not. */
int64_t delivery_cursor(const struct delivery *delivery);

/* One to send now, in flight from here on; NULL: none. */
struct parcel *delivery_next(struct delivery *delivery, int64_t now_ms);

/* When delivery_next() may have one, if nothing else happens; INT64_MAX: not
 * before a parcel ends or an event comes. */
int64_t delivery_due(const struct delivery *delivery, int64_t now_ms);

/* How an attempt ended; a parcel that was delivered is freed.  now is the wall
 * clock, for delivery_failing_since(). */
void delivery_end(struct delivery *delivery, struct parcel *parcel,
    bool delivered, int64_t now_ms, int64_t now);

/* It was not sent after all, for a reason that is not the receiver's. */
void delivery_put_back(struct delivery *delivery, struct parcel *parcel);

/*
 * Give up the events up to seq, which counts as passed.  Those under way are
 * told to abandon first.  Back: how many were taken in and not done.
 */
typedef void delivery_abandon(struct parcel *parcel, void *context);
size_t delivery_drop(struct delivery *delivery, int64_t seq,
    delivery_abandon *abandon, void *context);

/* Whether DELIVERY_SICK attempts in a row failed. */
bool delivery_is_sick(const struct delivery *delivery);

/* When the event that fails longest failed first; CLOCK_NONE: none fails. */
int64_t delivery_failing_since(const struct delivery *delivery);

/* Those not done, and those of them in flight. */
size_t delivery_waiting(const struct delivery *delivery);
size_t delivery_in_flight(const struct delivery *delivery);

#endif /* PLUGIN_DELIVERY_H */
