/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/limits.h"

#include <stdio.h>

#include "test/support/cmocka_all.h"

#define ORG "default"

static struct ca_record
ca(int number, int64_t rate)
{
	struct ca_record made = {.rate = rate};

	made.fingerprint[0] = (uint8_t)number;
	made.fingerprint[1] = (uint8_t)(number >> 8);
	return made;
}

static struct identity
device(int number)
{
	struct identity made = {.type = {.class = 'd', .name = "m"}};

	(void)snprintf(made.id, sizeof(made.id), "%d", number);
	return made;
}

/* How many of n attempts at a moment are given. */
static int
take(struct limits *limits, const char *org, const struct ca_record *from,
    int64_t now, int n)
{
	int taken = 0;

	for (; n > 0; n--) {
		bool may = limits_has_rate(limits, org, from, now);

		assert_int_equal(limits_take(limits, org, from, now), may);
		taken += may;
	}
	return taken;
}

static const struct {
	const char *name;
	int64_t rate, at[4]; /* ms; -1: no more */
	int want[4];         /* of 1,000 attempts at each */
} rates[] = {
    {"all of it at once", 20, {5, -1, 0, 0}, {20}},
    {"one", 1, {5, 6, 60004, 60005}, {1, 0, 0, 1}},
    {"a minute gives all back", 20, {0, 60000, -1, 0}, {20, 20}},
    {"an hour gives no more", 20, {0, 3600000, -1, 0}, {20, 20}},
    {"evenly", 60, {0, 999, 1000, 2500}, {60, 0, 1, 1}},
    {"nothing is lost on the way", 60, {0, 1500, 2000, 61000}, {60, 1, 1, 59}},
    {"never back in time", 2, {60000, 0, 1, 60001}, {2, 0, 0, 0}},
    {"the largest", RATE_MAX, {0, 1, -1, 0}, {1000, 1000}},
};

static void
keeps_rates(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct ca_record one = ca(1, rates[i].rate);
		struct limits limits = {0};

		print_message("%s\n", rates[i].name);
		for (k = 0; k < 4 && rates[i].at[k] >= 0; k++) {
			assert_int_equal(
			    take(&limits, ORG, &one, rates[i].at[k], 1000),
			    rates[i].want[k]);
		}
		limits_done(&limits);
	}
}

static void
knows_cas_apart(void **state)
{
	struct ca_record one = ca(1, 2), two = ca(2, 2), free = ca(3, 0);
	struct limits limits = {0};

	(void)state;
	assert_int_equal(take(&limits, ORG, &one, 0, 10), 2);
	assert_int_equal(take(&limits, ORG, &two, 0, 10), 2);
	assert_int_equal(take(&limits, "acme", &one, 0, 10), 2);
	assert_int_equal(take(&limits, ORG, &free, 0, 10), 10);
	assert_int_equal(take(&limits, ORG, &one, 0, 10), 0);
	limits_done(&limits);
}

/* New settings count at once, and do not begin anew. */
static void
takes_up_another_rate(void **state)
{
	struct ca_record one = ca(1, 100);
	struct limits limits = {0};

	(void)state;
	assert_int_equal(take(&limits, ORG, &one, 0, 60), 60);
	one.rate = 70;
	assert_int_equal(take(&limits, ORG, &one, 0, 100), 10);
	/* What was spent at the higher rate is not to be waited for. */
	one.rate = 2;
	assert_int_equal(take(&limits, ORG, &one, 0, 100), 0);
	assert_int_equal(take(&limits, ORG, &one, 29999, 100), 0);
	assert_int_equal(take(&limits, ORG, &one, 30000, 100), 1);
	limits_done(&limits);
}

/* One CA too many waits until another has not been heard of for a minute. */
static void
bounds_the_buckets(void **state)
{
	struct ca_record one;
	struct limits limits = {0};
	int i;

	(void)state;
	for (i = 0; i < LIMITS_BUCKETS_MAX; i++) {
		one = ca(i, 1);
		assert_int_equal(take(&limits, ORG, &one, 1, 2), 1);
	}
	one = ca(LIMITS_BUCKETS_MAX, 1);
	assert_int_equal(take(&limits, ORG, &one, 60000, 2), 0);
	assert_int_equal(take(&limits, ORG, &one, 60001, 2), 1);
	limits_done(&limits);
}

static const struct {
	const char *name;
	int64_t at[12]; /* ms; -1: no more */
	const char *told;
} takeovers[] = {
    {"four", {0, 1, 2, 3, -1}, "...."},
    {"five", {0, 1, 2, 3, 4, -1}, "....T"},
    {"five in all of the window", {1, 2, 3, 4, 60001, -1}, "....T"},
    {"five in more than that", {0, 2, 3, 4, 60001, -1}, "....."},
    {"six, the last five in it", {0, 20000, 30000, 40000, 50000, 60001, -1},
        "....T."},
    {"slowly for ever", {0, 15001, 30002, 45003, 60004, 75005, 90006, -1},
        "......."},
    {"once a minute", {0, 1, 2, 3, 4, 5, 60003, 60004, 60005, 60006, 60007, -1},
        "....T.....T"},
    {"and again after it", {0, 1, 2, 3, 4, 60001, 60002, 60003, 60004, -1},
        "....T...T"},
};

static void
suspects_clones(void **state)
{
	struct identity who = device(1);
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(takeovers) / sizeof(takeovers[0]); i++) {
		struct limits limits = {0};

		print_message("%s\n", takeovers[i].name);
		for (k = 0; k < 12 && takeovers[i].at[k] >= 0; k++) {
			int64_t now = takeovers[i].at[k], span = -1;
			bool told =
			    limits_takeover(&limits, ORG, &who, now, &span);

			assert_int_equal(told, takeovers[i].told[k] == 'T');
			assert_true(told ? span >= 0 && span <= CLONE_WINDOW_MS
			                 : span == -1);
		}
		limits_done(&limits);
	}
}

static void
knows_identities_apart(void **state)
{
	struct identity one = device(1), two = device(2);
	struct limits limits = {0};
	int64_t span;
	int i;

	(void)state;
	for (i = 0; i < CLONE_TAKEOVERS - 1; i++) {
		assert_false(limits_takeover(&limits, ORG, &one, i, &span));
		assert_false(limits_takeover(&limits, ORG, &two, i, &span));
		assert_false(limits_takeover(&limits, "acme", &one, i, &span));
	}
	assert_true(limits_takeover(&limits, ORG, &one, 9, &span));
	assert_int_equal(span, 9);
	assert_true(limits_takeover(&limits, ORG, &two, 9, &span));
	limits_done(&limits);
}

/* The identity that was quiet for longest is forgotten first. */
static void
bounds_the_clones(void **state)
{
	struct identity one = device(0), two = device(1), other;
	struct limits limits = {0};
	int64_t span;
	int i;

	(void)state;
	assert_false(limits_takeover(&limits, ORG, &two, 0, &span));
	for (i = 0; i < CLONE_TAKEOVERS - 1; i++) {
		assert_false(limits_takeover(&limits, ORG, &one, 1, &span));
	}
	for (i = 0; i < CLONE_TAKEOVERS - 2; i++) {
		assert_false(limits_takeover(&limits, ORG, &two, 2, &span));
	}
	for (i = 0; i < LIMITS_CLONES_MAX - 1; i++) {
		other = device(2 + i);
		assert_false(limits_takeover(&limits, ORG, &other, 5, &span));
	}
	assert_true(limits_takeover(&limits, ORG, &two, 6, &span));
	assert_false(limits_takeover(&limits, ORG, &one, 6, &span));
	limits_done(&limits);
}

static bool
may_tell(
    struct limits *limits, const char *org, int number, int print, int64_t now)
{
	struct identity who = device(number);
	uint8_t fingerprint[HASH_LEN] = {(uint8_t)print};

	return limits_may_tell(limits, org, &who, fingerprint, now);
}

static void
tells_a_mismatch_once_a_minute(void **state)
{
	struct limits limits = {0};

	(void)state;
	assert_true(may_tell(&limits, ORG, 1, 1, 0));
	assert_false(may_tell(&limits, ORG, 1, 1, 0));
	assert_true(may_tell(&limits, ORG, 1, 2, 1));
	assert_true(may_tell(&limits, ORG, 2, 1, 1));
	assert_true(may_tell(&limits, "acme", 1, 1, 1));
	assert_false(may_tell(&limits, ORG, 1, 1, 59999));
	assert_true(may_tell(&limits, ORG, 1, 1, 60000));
	assert_false(may_tell(&limits, ORG, 1, 2, 60000));
	assert_false(may_tell(&limits, ORG, 1, 1, 119999));
	limits_done(&limits);
}

static bool
may_wait(
    struct limits *limits, const char *org, int number, int print, int64_t now)
{
	struct identity who = device(number);
	uint8_t fingerprint[HASH_LEN] = {(uint8_t)print};

	return limits_may_wait(limits, org, &who, fingerprint, now);
}

/* One that was told of a moment ago may wait, and the other way round. */
static void
lets_a_certificate_wait_once_a_minute(void **state)
{
	struct limits limits = {0};
	int i;

	(void)state;
	assert_true(may_tell(&limits, ORG, 1, 1, 0));
	assert_true(may_wait(&limits, ORG, 1, 1, 0));
	assert_false(may_wait(&limits, ORG, 1, 1, 59999));
	assert_true(may_wait(&limits, ORG, 1, 2, 1));
	assert_true(may_tell(&limits, ORG, 1, 2, 1));
	assert_true(may_wait(&limits, ORG, 2, 1, 1));
	assert_true(may_wait(&limits, "acme", 1, 1, 1));
	assert_true(may_wait(&limits, ORG, 1, 1, 60000));
	for (i = 4; i < LIMITS_WAITS_MAX; i++) {
		assert_true(may_wait(&limits, ORG, i, 0, 60000));
	}
	assert_false(may_wait(&limits, ORG, i, 0, 60000));
	assert_true(may_tell(&limits, ORG, i, 0, 60000));
	assert_true(may_wait(&limits, ORG, i, 0, 60001));
	limits_done(&limits);
}

static void
bounds_the_mismatches(void **state)
{
	struct limits limits = {0};
	int i;

	(void)state;
	for (i = 0; i < LIMITS_MISMATCHES_MAX; i++) {
		assert_true(may_tell(&limits, ORG, i, 0, i < 2 ? 0 : 1));
	}
	assert_false(may_tell(&limits, ORG, i, 0, 59999));
	assert_true(may_tell(&limits, ORG, i, 0, 60000));
	assert_true(may_tell(&limits, ORG, i + 1, 0, 60000));
	assert_false(may_tell(&limits, ORG, i + 2, 0, 60000));
	limits_done(&limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_rates),
	    cmocka_unit_test(knows_cas_apart),
	    cmocka_unit_test(takes_up_another_rate),
	    cmocka_unit_test(bounds_the_buckets),
	    cmocka_unit_test(suspects_clones),
	    cmocka_unit_test(knows_identities_apart),
	    cmocka_unit_test(bounds_the_clones),
	    cmocka_unit_test(tells_a_mismatch_once_a_minute),
	    cmocka_unit_test(lets_a_certificate_wait_once_a_minute),
	    cmocka_unit_test(bounds_the_mismatches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
