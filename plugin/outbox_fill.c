/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/outbox_private.h"

#define PAGE_MAX   256
#define PAGES_MAX  16   /* in one go, for others wait */
#define BACKLOG_MS 5000 /* between two looks for what is too far behind */

/* Rows that are looked at for one receiver. */
struct reading {
	struct outbox *outbox;
	struct receiver *receiver;
	int64_t upto;  /* seq */
	int64_t rows;  /* that were seen */
	int64_t first; /* seq of the first of them */
	int64_t wanted;
};

/* Counting may take some time, and stopping may not. */
static bool
must_stop(const struct reading *reading)
{
	return atomic_load(&reading->outbox->stopping);
}

static enum res
count(const struct event *event, void *context)
{
	struct reading *reading = context;

	if (event->seq > reading->upto) {
		return RES_EXISTS; /* ends it */
	}
	if (must_stop(reading)) {
		return RES_BUSY;
	}
	reading->rows++;
	reading->wanted += receiver_wants(reading->receiver, event) ? 1 : 0;
	return RES_OK;
}

/* Count the events behind what the receiver saw, up to reading->upto; org NULL:
 * of every org. */
static enum res
count_rows(struct reading *reading, const char *org, struct diag *why)
{
	struct event_query query = {.org = org,
	    .after = delivery_seen(reading->receiver->delivery),
	    .since = CLOCK_NONE};
	enum res r = registry_events(
	    reading->outbox->registry, &query, count, reading, why);

	return r == RES_EXISTS ? RES_OK : r;
}

static enum res
note_first(const struct event *event, void *context)
{
	struct reading *reading = context;

	reading->rows++;
	reading->first = event->seq;
	return RES_OK;
}

/*
 * The next event of the org that the table has is next.  Unless an older one is
 * there too, the table may have forgotten some in between: as many as there are
 * numbers that belong to no event of any org.  Of what kinds they were nobody
 * can tell any more.
 */
static enum res
count_lost(struct outbox *outbox, struct receiver *receiver, int64_t next,
    int64_t *lost, struct diag *why)
{
	int64_t seen = delivery_seen(receiver->delivery);
	struct event_query query = {
	    .org = receiver->hook.org, .since = CLOCK_NONE, .limit = 1};
	struct reading oldest = {.outbox = outbox, .first = next};
	struct reading between = {
	    .outbox = outbox, .receiver = receiver, .upto = next - 1};
	enum res r;

	*lost = 0;
	r = registry_events(outbox->registry, &query, note_first, &oldest, why);
	if (r != RES_OK || oldest.first <= seen) {
		return r;
	}
	r = count_rows(&between, NULL, why);
	if (r == RES_OK) {
		*lost = next - 1 - seen - between.rows;
	}
	return r;
}

static enum res
give_up_lost(struct outbox *outbox, struct receiver *receiver, int64_t next,
    struct diag *why)
{
	int64_t lost = 0;
	enum res r = RES_OK;

	if (next > delivery_seen(receiver->delivery) + 1) {
		r = count_lost(outbox, receiver, next, &lost, why);
	}
	if (r == RES_OK && lost > 0) {
		/* What was taken in is still delivered. */
		outbox_drop(outbox, receiver, CLOCK_NONE, lost,
		    "the table keeps them for event-days alone");
		delivery_pass(receiver->delivery, next - 1);
	}
	return r;
}

/* Of the hook's own org: what others do is nothing to it.  Walking over so many
 * takes some time, so that it is not done for each event. */
static enum res
give_up_oldest(struct outbox *outbox, struct receiver *receiver, int64_t mark,
    struct diag *why)
{
	struct reading reading = {.outbox = outbox, .receiver = receiver};
	int64_t cursor = delivery_cursor(receiver->delivery);
	int64_t now_ms = clock_monotonic_ms();
	enum res r;

	if (mark - cursor <= OUTBOX_BACKLOG_MAX ||
	    now_ms < receiver->backlog_ms) {
		return RES_OK;
	}
	receiver->backlog_ms = now_ms + BACKLOG_MS;
	r = registry_event_before(outbox->registry, receiver->hook.org, cursor,
	    OUTBOX_BACKLOG_MAX, &reading.upto, why);
	if (r != RES_OK || reading.upto == 0) {
		return r;
	}
	r = count_rows(&reading, receiver->hook.org, why);
	if (r == RES_OK) {
		outbox_drop(outbox, receiver, reading.upto, reading.wanted,
		    "too many wait");
	}
	return r;
}

static enum res
take(const struct event *event, void *context)
{
	struct reading *reading = context;
	struct delivery *delivery = reading->receiver->delivery;

	reading->rows++;
	if (receiver_wants(reading->receiver, event)) {
		return delivery_add(delivery, event);
	}
	delivery_pass(delivery, event->seq);
	return RES_OK;
}

/* One page of events.  *more: it was full. */
static enum res
take_page(struct outbox *outbox, struct receiver *receiver, int64_t mark,
    bool *more, struct diag *why)
{
	size_t room = delivery_room(receiver->delivery);
	struct event_query query = {.org = receiver->hook.org,
	    .after = delivery_seen(receiver->delivery),
	    .since = CLOCK_NONE,
	    .limit = room < PAGE_MAX ? (int64_t)room : PAGE_MAX};
	struct reading reading = {.outbox = outbox, .receiver = receiver};
	enum res r;

	r = registry_events(outbox->registry, &query, take, &reading, why);
	if (r == RES_OK) {
		*more = reading.rows == query.limit;
		if (!*more) {
			delivery_pass(receiver->delivery, mark);
		}
	}
	return r;
}

/* The seq of the next event of the org; mark + 1 if there is none. */
static enum res
find_next(struct outbox *outbox, struct receiver *receiver, int64_t mark,
    int64_t *next, struct diag *why)
{
	struct event_query query = {.org = receiver->hook.org,
	    .after = delivery_seen(receiver->delivery),
	    .since = CLOCK_NONE,
	    .limit = 1};
	struct reading reading = {.first = mark + 1};
	enum res r = registry_events(
	    outbox->registry, &query, note_first, &reading, why);

	*next = reading.first;
	return r;
}

enum res
outbox_fill(struct outbox *outbox, struct receiver *receiver, int64_t mark,
    bool *more, struct diag *why)
{
	struct delivery *delivery = receiver->delivery;
	bool full = true;
	int64_t next;
	size_t pages;
	enum res r;

	if (delivery_seen(delivery) >= mark) {
		receiver->caught_up = true;
		return RES_OK;
	}
	r = give_up_oldest(outbox, receiver, mark, why);
	if (r == RES_OK) {
		r = find_next(outbox, receiver, mark, &next, why);
	}
	if (r == RES_OK) {
		r = give_up_lost(outbox, receiver, next, why);
	}
	for (pages = 0; r == RES_OK && full && pages < PAGES_MAX &&
	     delivery_room(delivery) > 0;
	     pages++) {
		r = take_page(outbox, receiver, mark, &full, why);
	}
	receiver->caught_up = r == RES_OK && !full;
	*more = *more || (r == RES_OK && full && delivery_room(delivery) > 0);
	return r;
}
