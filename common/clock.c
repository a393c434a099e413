/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPAN_LONGEST ((int64_t)100 * 366 * 86400)

int64_t
clock_now(void)
{
	return (int64_t)time(NULL);
}

int64_t
clock_monotonic_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
		return 0;
	}
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
clock_is_set(int64_t now)
{
	return now >= (int64_t)CERTID_BUILD_TIME;
}

void
clock_format(int64_t when, char text[TIME_MAX + 1])
{
	const int64_t first = -62167219200, last = 253402300799;
	time_t t = (time_t)(when < first ? first : when > last ? last : when);
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&t, &tm) != NULL) {
		(void)snprintf(text, TIME_MAX + 1,
		    "%04u-%02u-%02uT%02u:%02u:%02uZ",
		    (unsigned)(tm.tm_year + 1900) % 10000u,
		    (unsigned)(tm.tm_mon + 1) % 100u,
		    (unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u,
		    (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
	}
}

enum res
clock_parse(const char *text, int64_t *out)
{
	struct tm tm = {0}, back;
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	int day = tm.tm_mday; /* timegm() normalises what it is given */
	time_t t;

	/* strptime is lax about width and blanks; RFC 3339 is not. */
	if (rest == NULL || rest - text != 10 || strchr(text, ' ') != NULL) {
		return RES_SYNTAX;
	}
	if (*rest != '\0') {
		rest = strptime(text + 10, "T%H:%M:%S", &tm);
		if (rest == NULL || rest - text != 19 || tm.tm_sec > 59 ||
		    (strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0)) {
			return RES_SYNTAX;
		}
	}
	t = timegm(&tm);
	/* 31 February normalises to another day: that is not a date. */
	if (gmtime_r(&t, &back) == NULL || back.tm_mday != day) {
		return RES_SYNTAX;
	}
	*out = (int64_t)t;
	return RES_OK;
}

static const struct {
	char letter;
	int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

enum res
span_parse(const char *text, int64_t *out)
{
	size_t digits = strspn(text, "0123456789"), i;
	int64_t value;

	if (digits == 0 || digits > 10 || strlen(text) != digits + 1) {
		return RES_SYNTAX;
	}
	value = strtoll(text, NULL, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[digits] != units[i].letter) {
			continue;
		}
		if (value > SPAN_LONGEST / units[i].seconds) {
			return RES_LIMIT;
		}
		*out = value * units[i].seconds;
		return RES_OK;
	}
	return RES_SYNTAX;
}

void
span_format(int64_t seconds, char text[SPAN_TEXT_MAX + 1])
{
	size_t i = 0;

	while (i < 3 &&
	    (seconds % units[i].seconds != 0 || seconds == 0 ||
	        (i == 0 && seconds < 3 * 86400))) {
		i++;
	}
	(void)snprintf(text, SPAN_TEXT_MAX + 1, "%lld%c",
	    (long long)(seconds / units[i].seconds), units[i].letter);
}

#define DAY 86400u

int
expiry_stage(int64_t end, int64_t now)
{
	static const int days[] = {1, 7, 30, 90};
	uint64_t left;
	size_t i;

	if (end <= now) {
		return -1;
	}
	left = (uint64_t)end - (uint64_t)now; /* whatever their signs */
	for (i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		if (left <= (uint64_t)days[i] * DAY) {
			return days[i];
		}
	}
	return 0;
}

int
expiry_stage_renewed(int64_t end, int64_t now)
{
	int stage = expiry_stage(end, now);

	return stage > 1 ? 0 : stage;
}

bool
expiry_is_near(int64_t begin, int64_t end, int64_t now)
{
	if (now >= end) {
		return true;
	}
	return begin < end &&
	    (uint64_t)end - (uint64_t)now <=
	    ((uint64_t)end - (uint64_t)begin) / 4;
}

int
expiry_stage_by_hand(int64_t begin, int64_t end, int64_t now)
{
	int stage = expiry_stage(end, now);

	if (stage > 7 && !expiry_is_near(begin, end, now)) {
		return 0;
	}
	if (stage == 90 &&
	    (uint64_t)end - (uint64_t)begin <= (uint64_t)180 * DAY) {
		return 0;
	}
	return stage;
}
