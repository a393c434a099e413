/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * clock: points in time and spans, as numbers and as text.
 *
 * A time is seconds since 1970-01-01 UTC in an int64_t, so nothing ends in
 * 2038.  CLOCK_NONE is "no time".  A span is seconds.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/res.h"

#define CLOCK_NONE    INT64_MIN
#define CLOCK_FOREVER INT64_MAX
#define TIME_MAX      20 /* bytes of 9999-12-31T23:59:59Z */
#define SPAN_TEXT_MAX 24

int64_t clock_now(void);          /* the wall clock */
int64_t clock_monotonic_ms(void); /* never jumps; no meaning but by itself */

/* Whether now is not before this program was built: a machine without a
 * battery wakes up in 1970. */
bool clock_is_set(int64_t now);

/* RFC 3339 in UTC, "2026-11-21T14:00:00Z"; a year outside 0-9999 is clamped
 * to the nearest that can be written. */
void clock_format(int64_t when, char text[TIME_MAX + 1]);

/* The same back; also with "+00:00", and with a date alone (midnight). */
MUST_CHECK enum res clock_parse(const char *text, int64_t *out);

/* "90s", "15m", "48h", "7d"; a bare number is refused.  At most 100 years. */
MUST_CHECK enum res span_parse(const char *text, int64_t *out);

/* In the largest unit that divides it, but days only from three on: 172800 is
 * "48h" and 604800 "7d". */
void span_format(int64_t seconds, char text[SPAN_TEXT_MAX + 1]);

/*
 * When to warn of an end that comes: 90, 30, 7 or 1, the smallest of these
 * numbers of days that holds the time from now to end; 0 where more than 90
 * days remain; -1 from end on, and so for CLOCK_NONE.
 */
int expiry_stage(int64_t end, int64_t now);

/* The same for what is renewed by itself, as a CRL that is fetched: there is
 * nothing to tell, 0, before the last day. */
int expiry_stage_renewed(int64_t end, int64_t now);

/* The same for what somebody must bring anew each time, as a CRL that is stored
 * by hand: nothing, 0, before the last quarter of its life but in the last
 * week; 90 only for what lives longer than 180 days. */
int expiry_stage_by_hand(int64_t begin, int64_t end, int64_t now);

/* Whether the last quarter of a life has come, or its end.  What lives for a
 * day alone is within a day of its end always, and nothing is wrong with that
 * before then. */
bool expiry_is_near(int64_t begin, int64_t end, int64_t now);

#endif /* COMMON_CLOCK_H */
