/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/clock.h"

#include "test/support/cmocka_all.h"

#define UNTOUCHED ((int64_t)-7)

/* Both ways. */
static const struct {
	const char *text;
	int64_t when;
} times[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1969-12-31T23:59:59Z", -1},
    {"2000-02-29T12:00:00Z", 951825600},
    {"2026-11-21T14:00:00Z", 1795269600},
    {"2038-01-19T03:14:08Z", 2147483648},
    {"2106-02-07T06:28:16Z", 4294967296},
    {"9999-12-31T23:59:59Z", 253402300799},
    {"0000-01-01T00:00:00Z", -62167219200},
};

static void
times_read_and_write(void **state)
{
	char text[TIME_MAX + 1];
	int64_t when;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		clock_format(times[i].when, text);
		assert_string_equal(text, times[i].text);
		assert_int_equal(clock_parse(times[i].text, &when), RES_OK);
		assert_int_equal(when, times[i].when);
	}
}

static void
other_spellings_are_read(void **state)
{
	int64_t when;

	(void)state;
	assert_int_equal(clock_parse("2026-11-21", &when), RES_OK);
	assert_int_equal(when, 1795219200);
	assert_int_equal(
	    clock_parse("2026-11-21T14:00:00+00:00", &when), RES_OK);
	assert_int_equal(when, 1795269600);
}

static const char *const bad_times[] = {"", " ", "now", "2026", "2026-11",
    "2026-11-21T", "2026-11-21T14:00Z", "2026-11-21T14:00:00",
    "2026-11-21 14:00:00Z", "2026-11-21T14:00:00+01:00",
    "2026-11-21T14:00:00z ", "2026-11-21T14:00:00ZZ", "2026-11-21T14:00:00.5Z",
    "2026-11-21T24:00:00Z", "2026-11-21T14:60:00Z", "2026-11-21T14:00:60Z",
    "2026-11-21T14:00:61Z", "2026-13-01", "2026-00-01", "2026-02-30",
    "2025-02-29", "2026-04-31", "2026-11-00", "2026-11-32", "26-11-21",
    "02026-11-21", "2026-1-21", "2026-11-1", " 2026-11-2", "2026- 1-21",
    "2026-11- 1", "2026-11-21T 4:00:00Z", "2026-11-21T14: 0:00Z",
    "2026-11-21T4:00:00Z", "-026-11-21", "2026/11/21", "2026-11-21x",
    "1795269600", "99999-01-01"};

static void
bad_times_are_refused(void **state)
{
	int64_t when = UNTOUCHED;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_times) / sizeof(bad_times[0]); i++) {
		if (clock_parse(bad_times[i], &when) != RES_SYNTAX) {
			fail_msg("taken: \"%s\"", bad_times[i]);
		}
		assert_int_equal(when, UNTOUCHED);
	}
}

static void
years_beyond_four_digits_are_clamped(void **state)
{
	char text[TIME_MAX + 1];

	(void)state;
	clock_format(CLOCK_FOREVER, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	clock_format(CLOCK_NONE, text);
	assert_string_equal(text, "0000-01-01T00:00:00Z");
	clock_format(253402300800, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

/* canonical NULL: written back as it was read. */
static const struct {
	const char *text;
	int64_t seconds;
	const char *canonical;
} spans[] = {
    {"0s", 0, NULL},
    {"90s", 90, NULL},
    {"60s", 60, "1m"},
    {"15m", 900, NULL},
    {"48h", 172800, NULL},
    {"2d", 172800, "48h"},
    {"3d", 259200, NULL},
    {"7d", 604800, NULL},
    {"24h", 86400, NULL},
    {"007d", 604800, "7d"},
    {"36600d", 3162240000, NULL},
};

static void
spans_read_and_write(void **state)
{
	char text[SPAN_TEXT_MAX + 1];
	int64_t seconds;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		assert_int_equal(span_parse(spans[i].text, &seconds), RES_OK);
		assert_int_equal(seconds, spans[i].seconds);
		span_format(seconds, text);
		assert_string_equal(text,
		    spans[i].canonical != NULL ? spans[i].canonical
		                               : spans[i].text);
	}
}

static const struct {
	const char *text;
	enum res want;
} bad_spans[] = {
    {"", RES_SYNTAX},
    {"s", RES_SYNTAX},
    {"90", RES_SYNTAX},
    {"-1s", RES_SYNTAX},
    {"+1s", RES_SYNTAX},
    {" 1s", RES_SYNTAX},
    {"1 s", RES_SYNTAX},
    {"1s ", RES_SYNTAX},
    {"1h30m", RES_SYNTAX},
    {"1.5h", RES_SYNTAX},
    {"1w", RES_SYNTAX},
    {"1H", RES_SYNTAX},
    {"0x1s", RES_SYNTAX},
    {"12345678901s", RES_SYNTAX},
    {"99999999999999999999s", RES_SYNTAX},
    {"36601d", RES_LIMIT},
    {"9999999999d", RES_LIMIT},
    {"3162240001s", RES_LIMIT},
};

static void
bad_spans_are_refused(void **state)
{
	int64_t seconds = UNTOUCHED;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_spans) / sizeof(bad_spans[0]); i++) {
		if (span_parse(bad_spans[i].text, &seconds) !=
		    bad_spans[i].want) {
			fail_msg("span \"%s\"", bad_spans[i].text);
		}
		assert_int_equal(seconds, UNTOUCHED);
	}
}

static void
any_span_can_be_written(void **state)
{
	char text[SPAN_TEXT_MAX + 1];

	(void)state;
	span_format(INT64_MAX, text);
	assert_string_equal(text, "9223372036854775807s");
	span_format(-90, text);
	assert_string_equal(text, "-90s");
}

#define NOW ((int64_t)1800000000)
#define DAY ((int64_t)86400)

static const struct {
	int64_t end, now;
	int stage, renewed;
} ends[] = {
    {NOW + 1, NOW, 1, 1},
    {NOW + DAY - 1, NOW, 1, 1},
    {NOW + DAY, NOW, 1, 1},
    {NOW + DAY + 1, NOW, 7, 0},
    {NOW + 7 * DAY, NOW, 7, 0},
    {NOW + 7 * DAY + 1, NOW, 30, 0},
    {NOW + 30 * DAY, NOW, 30, 0},
    {NOW + 30 * DAY + 1, NOW, 90, 0},
    {NOW + 90 * DAY, NOW, 90, 0},
    {NOW + 90 * DAY + 1, NOW, 0, 0},
    {NOW, NOW, -1, -1},
    {NOW - 1, NOW, -1, -1},
    {NOW - 100 * DAY, NOW, -1, -1},
    {1, 0, 1, 1},
    {0, -1, 1, 1},
    {1, -1, 1, 1},
    {CLOCK_NONE, NOW, -1, -1},
    {CLOCK_NONE, CLOCK_NONE, -1, -1},
    {CLOCK_FOREVER, NOW, 0, 0},
    {CLOCK_FOREVER, CLOCK_NONE, 0, 0},
    {CLOCK_NONE, CLOCK_FOREVER, -1, -1},
    {CLOCK_FOREVER, CLOCK_FOREVER - 1, 1, 1},
};

static void
ends_are_told_in_stages(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (expiry_stage(ends[i].end, ends[i].now) != ends[i].stage ||
		    expiry_stage_renewed(ends[i].end, ends[i].now) !=
		        ends[i].renewed) {
			fail_msg("case %zu", i);
		}
	}
}

static const struct {
	int64_t begin, end, now;
	bool near;
} lives[] = {
    {NOW, NOW + DAY, NOW, false},
    {NOW, NOW + DAY, NOW + 18 * 3600 - 1, false},
    {NOW, NOW + DAY, NOW + 18 * 3600, true},
    {NOW, NOW + DAY, NOW + DAY - 1, true},
    {NOW, NOW + DAY, NOW + DAY, true},
    {NOW, NOW + DAY, NOW + 2 * DAY, true},
    {NOW, NOW + DAY, NOW - DAY, false},
    {NOW, NOW + 4, NOW + 2, false},
    {NOW, NOW + 4, NOW + 3, true},
    {NOW, NOW + 3, NOW + 2, false},
    {NOW, NOW, NOW - 1, false},
    {NOW, NOW, NOW, true},
    {NOW + DAY, NOW, NOW - 1, false},
    {-2, 2, 0, false},
    {-2, 2, 1, true},
    {CLOCK_NONE, CLOCK_FOREVER, 0, false},
    {CLOCK_NONE, CLOCK_FOREVER, CLOCK_FOREVER - 1, true},
    {CLOCK_NONE, CLOCK_NONE, CLOCK_NONE, true},
};

static void
lives_come_near_their_end(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		if (expiry_is_near(lives[i].begin, lives[i].end,
		        lives[i].now) != lives[i].near) {
			fail_msg("case %zu", i);
		}
	}
}

static void
clocks_run_forwards(void **state)
{
	int64_t before = clock_monotonic_ms();

	(void)state;
	assert_true(clock_monotonic_ms() >= before);
	assert_true(clock_is_set(clock_now()));
	assert_false(clock_is_set(0));
	assert_false(clock_is_set(CLOCK_NONE));
}

#define D ((int64_t)86400)

static const struct {
	int64_t begin, end, now;
	int stage;
} by_hand[] = {
    {0, 365 * D, 275 * D - 1, 0},
    {0, 365 * D, 275 * D, 90},
    {0, 365 * D, 335 * D, 30},
    {0, 365 * D, 365 * D, -1},
    {0, 200 * D, 150 * D - 1, 0},
    {0, 200 * D, 150 * D, 90},
    {0, 180 * D, 140 * D, 0},
    {0, 180 * D, 150 * D, 30},
    {0, 30 * D, 0, 0},
    {0, 20 * D, 10 * D, 0},
    {0, 20 * D, 13 * D - 1, 0},
    {0, 20 * D, 13 * D, 7},
    {0, 28 * D, 21 * D - 1, 0},
    {0, 28 * D, 21 * D, 7},
    {0, 30 * D, 24 * D, 7},
    {0, 7 * D, 0, 7},
    {0, 7 * D, 5 * D, 7},
    {0, 7 * D, 6 * D, 1},
    {0, D, 0, 1},
    {0, 3600, 0, 1},
    {5 * D, 5 * D, 4 * D, 1},
    {CLOCK_NONE, CLOCK_FOREVER, 0, 0},
    {0, CLOCK_NONE, 0, -1},
};

static void
ends_of_what_is_brought_by_hand(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++) {
		if (expiry_stage_by_hand(by_hand[i].begin, by_hand[i].end,
		        by_hand[i].now) != by_hand[i].stage) {
			fail_msg("case %zu", i);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_read_and_write),
	    cmocka_unit_test(other_spellings_are_read),
	    cmocka_unit_test(bad_times_are_refused),
	    cmocka_unit_test(years_beyond_four_digits_are_clamped),
	    cmocka_unit_test(spans_read_and_write),
	    cmocka_unit_test(bad_spans_are_refused),
	    cmocka_unit_test(any_span_can_be_written),
	    cmocka_unit_test(ends_are_told_in_stages),
	    cmocka_unit_test(lives_come_near_their_end),
	    cmocka_unit_test(clocks_run_forwards),
	    cmocka_unit_test(ends_of_what_is_brought_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
