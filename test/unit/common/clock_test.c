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
	    cmocka_unit_test(clocks_run_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
