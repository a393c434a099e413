/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What is sent to a receiver, and when, under a clock of the test's own. */
#include "plugin/delivery.h"

#include "test/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLIGHT  4
#define WINDOW  16
#define RETRY   200
#define LONGEST 300000

static const struct delivery_limits limits = {
    .window = WINDOW,
    .flight = FLIGHT,
    .retry_ms = RETRY,
    .retry_max_ms = LONGEST,
};

static struct delivery *
make(const struct delivery_limits *how, int64_t cursor)
{
	struct delivery *delivery = delivery_new(how, cursor, 12345);

	assert_non_null(delivery);
	return delivery;
}

static enum res
add(struct delivery *delivery, int64_t seq, const char *subject)
{
	char copy[80];
	struct event event = {.seq = seq, .subject = copy, .detail = copy};

	(void)snprintf(copy, sizeof(copy), "%s", subject);
	return delivery_add(delivery, &event);
}

static void
must_add(struct delivery *delivery, int64_t seq, const char *subject)
{
	assert_int_equal(add(delivery, seq, subject), RES_OK);
}

static struct parcel *
must_send(struct delivery *delivery, int64_t now_ms, int64_t seq)
{
	struct parcel *parcel = delivery_next(delivery, now_ms);

	assert_non_null(parcel);
	assert_int_equal(parcel->event.seq, seq);
	return parcel;
}

static void
a_new_one_has_nothing(void **state)
{
	struct delivery *delivery = make(&limits, 7);

	(void)state;
	assert_int_equal(delivery_cursor(delivery), 7);
	assert_int_equal(delivery_seen(delivery), 7);
	assert_null(delivery_next(delivery, 0));
	assert_int_equal(delivery_due(delivery, 0), INT64_MAX);
	assert_int_equal(delivery_room(delivery), WINDOW);
	assert_int_equal(delivery_failing_since(delivery), CLOCK_NONE);
	delivery_free(delivery);
	delivery_free(NULL);
}

static void
refuses_what_is_not_new(void **state)
{
	struct delivery *delivery = make(&limits, 7);

	(void)state;
	assert_int_equal(add(delivery, 7, "d:a:1"), RES_REFUSED);
	assert_int_equal(add(delivery, 1, "d:a:1"), RES_REFUSED);
	must_add(delivery, 9, "d:a:1");
	assert_int_equal(add(delivery, 9, "d:a:1"), RES_REFUSED);
	assert_int_equal(add(delivery, 8, "d:a:1"), RES_REFUSED);
	delivery_pass(delivery, 12);
	assert_int_equal(add(delivery, 12, "d:a:1"), RES_REFUSED);
	assert_int_equal(delivery_waiting(delivery), 1);
	delivery_free(delivery);
}

static void
takes_as_many_as_the_window(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	int64_t seq;

	(void)state;
	for (seq = 1; seq <= WINDOW; seq++) {
		must_add(delivery, seq, "d:a:1");
	}
	assert_int_equal(delivery_room(delivery), 0);
	assert_int_equal(add(delivery, seq, "d:a:2"), RES_LIMIT);
	assert_int_equal(delivery_seen(delivery), WINDOW);
	delivery_end(delivery, must_send(delivery, 0, 1), true, 0, 0);
	must_add(delivery, seq, "d:a:2");
	delivery_free(delivery);
}

static void
what_does_not_match_moves_the_cursor(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *parcel;

	(void)state;
	delivery_pass(delivery, 5);
	assert_int_equal(delivery_cursor(delivery), 5);
	delivery_pass(delivery, 3);
	assert_int_equal(delivery_cursor(delivery), 5);
	must_add(delivery, 8, "d:a:1");
	assert_int_equal(delivery_cursor(delivery), 7);
	delivery_pass(delivery, 20);
	assert_int_equal(delivery_cursor(delivery), 7);
	parcel = must_send(delivery, 0, 8);
	assert_int_equal(delivery_cursor(delivery), 7);
	delivery_end(delivery, parcel, true, 0, 0);
	assert_int_equal(delivery_cursor(delivery), 20);
	delivery_free(delivery);
}

static void
a_lane_is_in_order(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *first, *other;

	(void)state;
	must_add(delivery, 1, "d:a:1");
	must_add(delivery, 2, "d:a:1");
	must_add(delivery, 3, "d:a:2");
	first = must_send(delivery, 0, 1);
	other = must_send(delivery, 0, 3);
	assert_null(delivery_next(delivery, 0));
	assert_int_equal(delivery_in_flight(delivery), 2);
	delivery_end(delivery, other, true, 0, 0);
	assert_int_equal(delivery_cursor(delivery), 0);
	assert_null(delivery_next(delivery, 0));
	delivery_end(delivery, first, true, 0, 0);
	assert_int_equal(delivery_cursor(delivery), 1);
	delivery_end(delivery, must_send(delivery, 0, 2), true, 0, 0);
	assert_int_equal(delivery_cursor(delivery), 3);
	delivery_free(delivery);
}

/* All that is no identity goes one after the other. */
static const char *const others[] = {"", "ca-proof", "3f2a91c0ffee0001",
    "d:meter", "x:a:1", "d:a:", "hook 01234567", "D:a:1", "g:a"};

static void
what_is_no_identity_shares_a_lane(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	int64_t seq = 0, count = (int64_t)(sizeof(others) / sizeof(others[0]));

	(void)state;
	for (; seq < count; seq++) {
		must_add(delivery, seq + 1, others[seq]);
	}
	must_add(delivery, seq + 1, "g:a:1");
	for (seq = 1; seq <= count; seq++) {
		struct parcel *parcel = must_send(delivery, 0, seq), *gateway;

		if (seq == 1) {
			gateway = must_send(delivery, 0, count + 1);
			delivery_end(delivery, gateway, true, 0, 0);
		}
		assert_null(delivery_next(delivery, 0));
		delivery_end(delivery, parcel, true, 0, 0);
	}
	assert_int_equal(delivery_cursor(delivery), count + 1);
	delivery_free(delivery);
}

static void
no_more_than_so_many_at_once(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *parcels[FLIGHT];
	char subject[16];
	int64_t seq;

	(void)state;
	for (seq = 1; seq <= WINDOW; seq++) {
		(void)snprintf(subject, sizeof(subject), "d:a:%d", (int)seq);
		must_add(delivery, seq, subject);
	}
	for (seq = 1; seq <= FLIGHT; seq++) {
		assert_int_equal(delivery_due(delivery, 5), 0);
		parcels[seq - 1] = must_send(delivery, 5, seq);
	}
	assert_null(delivery_next(delivery, 5));
	assert_int_equal(delivery_due(delivery, 5), INT64_MAX);
	delivery_end(delivery, parcels[2], true, 5, 0);
	(void)must_send(delivery, 5, FLIGHT + 1);
	assert_null(delivery_next(delivery, 5));
	assert_int_equal(delivery_cursor(delivery), 0);
	delivery_free(delivery);
}

/* The first seven failures of one lane, each twice as far from the next. */
static void
a_failure_holds_back_its_lane_alone(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	int64_t now = 1000, want = RETRY, due;
	unsigned i;

	(void)state;
	must_add(delivery, 1, "d:a:1");
	must_add(delivery, 2, "d:a:1");
	for (i = 1; i < DELIVERY_SICK; i++) {
		struct parcel *parcel = must_send(delivery, now, 1);

		assert_int_equal(parcel->attempts, i);
		delivery_end(delivery, parcel, false, now, 77);
		assert_int_equal(delivery_failing_since(delivery), 77);
		due = delivery_due(delivery, now);
		assert_in_range(due - now, want / 2, want);
		assert_null(delivery_next(delivery, due - 1));
		now = due;
		want *= 2;
	}
	assert_int_equal(delivery_cursor(delivery), 0);
	assert_false(delivery_is_sick(delivery));
	must_add(delivery, 3, "d:a:2");
	delivery_end(delivery, must_send(delivery, now - 1, 3), true, now, 0);
	delivery_end(delivery, must_send(delivery, now, 1), true, now, 0);
	assert_int_equal(delivery_failing_since(delivery), CLOCK_NONE);
	delivery_end(delivery, must_send(delivery, now, 2), true, now, 0);
	assert_int_equal(delivery_cursor(delivery), 3);
	delivery_free(delivery);
}

/* Fail as many as it takes, of as many lanes as there are. */
static int64_t
fall_sick(struct delivery *delivery, int64_t now)
{
	struct parcel *parcel;

	while (!delivery_is_sick(delivery)) {
		while ((parcel = delivery_next(delivery, now)) == NULL) {
			now = delivery_due(delivery, now);
			assert_true(now < INT64_MAX);
		}
		delivery_end(delivery, parcel, false, now, 0);
	}
	return now;
}

static void
add_lanes(struct delivery *delivery, int64_t from, int64_t upto)
{
	char subject[24];

	for (; from <= upto; from++) {
		(void)snprintf(subject, sizeof(subject), "d:a:%d", (int)from);
		must_add(delivery, from, subject);
	}
}

static void
a_dead_receiver_is_asked_now_and_then(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	int64_t now, due, want = RETRY, start;
	struct parcel *parcel;
	unsigned asked = 0;

	(void)state;
	add_lanes(delivery, 1, WINDOW);
	start = now = fall_sick(delivery, 1000);
	/* A day of it. */
	while (now - start < (int64_t)24 * 3600 * 1000) {
		due = delivery_due(delivery, now);
		assert_in_range(due - now, want / 2, want);
		now = due;
		parcel = delivery_next(delivery, now);
		assert_non_null(parcel);
		assert_null(delivery_next(delivery, now + LONGEST));
		assert_int_equal(delivery_due(delivery, now), INT64_MAX);
		delivery_end(delivery, parcel, false, now, 0);
		want = want * 2 > LONGEST ? LONGEST : want * 2;
		asked++;
	}
	assert_in_range(asked, 24 * 12, 2 * 24 * 12 + 20);
	delivery_free(delivery);
}

static void
one_success_ends_it(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *parcel;
	int64_t now, other;

	(void)state;
	add_lanes(delivery, 1, 2);
	now = fall_sick(delivery, 1000);
	now = delivery_due(delivery, now);
	parcel = delivery_next(delivery, now);
	assert_non_null(parcel);
	other = 3 - parcel->event.seq;
	delivery_end(delivery, parcel, true, now, 0);
	assert_false(delivery_is_sick(delivery));
	/* What failed before does not wait out its own back-off. */
	(void)must_send(delivery, now, other);
	delivery_free(delivery);
}

/* An event that is never taken: the others find out that the receiver is
 * well. */
static void
a_poisoned_event_is_not_asked_again_first(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *parcel;
	int64_t now;

	(void)state;
	must_add(delivery, 1, "d:a:1");
	now = fall_sick(delivery, 0);
	must_add(delivery, 2, "d:a:2");
	now = delivery_due(delivery, now);
	parcel = must_send(delivery, now, 2);
	assert_null(delivery_next(delivery, now));
	delivery_end(delivery, parcel, true, now, 0);
	assert_false(delivery_is_sick(delivery));
	assert_int_equal(delivery_cursor(delivery), 0);
	delivery_free(delivery);
}

/* What was under way when it fell sick does not make it wait longer. */
static void
a_short_break_is_short(void **state)
{
	struct delivery_limits wide = {32, 2 * DELIVERY_SICK, RETRY, LONGEST};
	struct delivery *delivery = make(&wide, 0);
	struct parcel *parcels[2 * DELIVERY_SICK];
	size_t i;

	(void)state;
	add_lanes(delivery, 1, 32);
	for (i = 0; i < 2 * DELIVERY_SICK; i++) {
		parcels[i] = delivery_next(delivery, 0);
		assert_non_null(parcels[i]);
	}
	for (i = 0; i < 2 * DELIVERY_SICK; i++) {
		delivery_end(delivery, parcels[i], false, 0, 0);
	}
	assert_true(delivery_is_sick(delivery));
	assert_in_range(delivery_due(delivery, 0), RETRY / 2, RETRY);
	delivery_free(delivery);
}

static void
what_is_put_back_is_sent_again(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *parcel;

	(void)state;
	must_add(delivery, 1, "d:a:1");
	parcel = must_send(delivery, 0, 1);
	delivery_put_back(delivery, parcel);
	assert_int_equal(delivery_in_flight(delivery), 0);
	assert_int_equal(delivery_failing_since(delivery), CLOCK_NONE);
	parcel = must_send(delivery, 0, 1);
	assert_int_equal(parcel->attempts, 1);
	delivery_free(delivery);
}

static void
count_abandoned(struct parcel *parcel, void *context)
{
	size_t *abandoned = context;

	assert_true(parcel->in_flight);
	++*abandoned;
}

static void
the_oldest_are_given_up(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *parcel;
	size_t abandoned = 0;

	(void)state;
	add_lanes(delivery, 1, 4);
	must_add(delivery, 5, "d:a:1");
	parcel = must_send(delivery, 0, 1);
	delivery_end(delivery, parcel, false, 0, 5);
	(void)must_send(delivery, 0, 2);
	assert_int_equal(
	    delivery_drop(delivery, 2, count_abandoned, &abandoned), 2);
	assert_int_equal(abandoned, 1);
	assert_int_equal(delivery_in_flight(delivery), 0);
	assert_int_equal(delivery_cursor(delivery), 2);
	assert_int_equal(delivery_failing_since(delivery), CLOCK_NONE);
	/* The back-off goes with the event that failed. */
	(void)must_send(delivery, 0, 3);
	(void)must_send(delivery, 0, 4);
	(void)must_send(delivery, 0, 5);
	assert_int_equal(
	    delivery_drop(delivery, 9, count_abandoned, &abandoned), 3);
	assert_int_equal(delivery_cursor(delivery), 9);
	assert_int_equal(delivery_waiting(delivery), 0);
	delivery_free(delivery);
}

static void
the_longest_failure_is_told(void **state)
{
	struct delivery *delivery = make(&limits, 0);
	struct parcel *first, *second;

	(void)state;
	add_lanes(delivery, 1, 2);
	first = must_send(delivery, 0, 1);
	second = must_send(delivery, 0, 2);
	delivery_end(delivery, second, false, 0, 100);
	delivery_end(delivery, first, false, 0, 200);
	assert_int_equal(delivery_failing_since(delivery), 100);
	second = delivery_next(delivery, RETRY);
	first = delivery_next(delivery, RETRY);
	assert_non_null(first);
	assert_non_null(second);
	delivery_end(delivery, first, false, RETRY, 300);
	delivery_end(delivery, second, false, RETRY, 300);
	assert_int_equal(delivery_failing_since(delivery), 100);
	delivery_free(delivery);
}

/* ---- A long day with a receiver that fails half of the time ---- */

#define EVENTS   10000
#define SUBJECTS 300
#define FLIGHTS  8
#define BIG      256
#define FAR_MS   (7 * 24 * 3600 * 1000LL)
#define ACK_LOST 4 /* one of so many is taken, but that does not come back */

struct simulation {
	struct delivery *delivery;
	struct parcel *air[FLIGHTS];
	size_t in_air;
	unsigned random;
	int64_t now, next;         /* clock; seq of the next event */
	int64_t taken[EVENTS + 1]; /* how often, by seq */
	bool acked[EVENTS + 1];    /* the receiver's yes came back */
	bool matches[EVENTS + 1];
	int64_t newest[SUBJECTS]; /* first successes, by subject */
	int subject[EVENTS + 1];
	int64_t attempts;
	int64_t dead_from, dead_upto;
};

static unsigned
draw(struct simulation *is, unsigned limit)
{
	is->random = is->random * 1103515245u + 12345u;
	return (is->random >> 16) % limit;
}

static void
feed(struct simulation *is)
{
	char subject[24];
	int64_t seq;

	while (is->next <= EVENTS && delivery_room(is->delivery) > 0 &&
	    draw(is, 4) > 0) {
		seq = is->next++;
		is->subject[seq] = (int)draw(is, SUBJECTS);
		is->matches[seq] = draw(is, 5) > 0;
		if (!is->matches[seq]) {
			delivery_pass(is->delivery, seq);
			continue;
		}
		(void)snprintf(subject, sizeof(subject), "%s%d",
		    is->subject[seq] == 0 ? "setting-" : "d:meter:",
		    is->subject[seq]);
		must_add(is->delivery, seq, subject);
	}
}

/* One answer of the receiver. */
static void
land(struct simulation *is, struct parcel *parcel)
{
	int64_t seq = parcel->event.seq;
	bool dead = is->now >= is->dead_from && is->now < is->dead_upto;
	bool takes = !dead && draw(is, 2) == 0;
	bool lost = takes && draw(is, ACK_LOST) == 0;

	is->attempts++;
	if (takes && is->taken[seq]++ == 0) {
		assert_true(is->newest[is->subject[seq]] < seq);
		is->newest[is->subject[seq]] = seq;
	}
	is->acked[seq] |= takes && !lost;
	delivery_end(is->delivery, parcel, takes && !lost, is->now, is->now);
}

static void
fly(struct simulation *is)
{
	struct parcel *parcel;
	size_t i;

	while (is->in_air < FLIGHTS &&
	    (parcel = delivery_next(is->delivery, is->now)) != NULL) {
		/* Nobody else about the same subject is under way. */
		for (i = 0; i < is->in_air; i++) {
			assert_ptr_not_equal(is->air[i]->lane, parcel->lane);
		}
		is->air[is->in_air++] = parcel;
	}
	if (is->in_air > 0 && draw(is, 3) > 0) {
		i = draw(is, (unsigned)is->in_air);
		parcel = is->air[i];
		is->air[i] = is->air[--is->in_air];
		land(is, parcel);
	}
	is->now += (int64_t)draw(is, 40);
}

static void
check_cursor(const struct simulation *is)
{
	int64_t cursor = delivery_cursor(is->delivery), seq;

	/* Looking at the last few is enough, for it is looked at each time. */
	for (seq = cursor; seq > 0 && seq > cursor - BIG; seq--) {
		assert_true(!is->matches[seq] || is->acked[seq]);
	}
}

static void
half_of_the_time(void **state)
{
	struct delivery_limits big = {BIG, FLIGHTS, RETRY, LONGEST};
	struct simulation *is;
	unsigned seed;
	int64_t seq;

	(void)state;
	for (seed = 1; seed <= 3; seed++) {
		is = calloc(1, sizeof(*is));
		assert_non_null(is);
		is->delivery = make(&big, 0);
		is->random = seed;
		is->next = 1;
		is->dead_from = 20000;
		is->dead_upto = 60000;
		while (delivery_cursor(is->delivery) < EVENTS) {
			feed(is);
			fly(is);
			check_cursor(is);
			assert_true(is->now < FAR_MS);
		}
		for (seq = 1; seq <= EVENTS; seq++) {
			assert_int_equal(is->matches[seq], is->taken[seq] > 0);
		}
		assert_int_equal(delivery_waiting(is->delivery), 0);
		assert_in_range(is->attempts, EVENTS, 4 * EVENTS);
		delivery_free(is->delivery);
		free(is);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_one_has_nothing),
	    cmocka_unit_test(refuses_what_is_not_new),
	    cmocka_unit_test(takes_as_many_as_the_window),
	    cmocka_unit_test(what_does_not_match_moves_the_cursor),
	    cmocka_unit_test(a_lane_is_in_order),
	    cmocka_unit_test(what_is_no_identity_shares_a_lane),
	    cmocka_unit_test(no_more_than_so_many_at_once),
	    cmocka_unit_test(a_failure_holds_back_its_lane_alone),
	    cmocka_unit_test(a_dead_receiver_is_asked_now_and_then),
	    cmocka_unit_test(one_success_ends_it),
	    cmocka_unit_test(a_poisoned_event_is_not_asked_again_first),
	    cmocka_unit_test(a_short_break_is_short),
	    cmocka_unit_test(what_is_put_back_is_sent_again),
	    cmocka_unit_test(the_oldest_are_given_up),
	    cmocka_unit_test(the_longest_failure_is_told),
	    cmocka_unit_test(half_of_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
