/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/progress.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "manage/streams.h"

#define EVERY_MS     100
#define WIDTH_USUAL  80
#define BAR_MAX      30
#define BAR_MIN      5
#define TAIL_MAX     127
#define NUMBER_MAX   27 /* of an int64_t with its commas */
#define DURATION_MAX 31

struct progress {
	FILE *to;
	struct progress_state state;
	int64_t began, shown; /* monotonic ms */
	bool is_there;        /* something stands in the line */
};

/* "1,234,567" */
static void
format_number(int64_t number, char text[NUMBER_MAX + 1])
{
	char digits[24];
	size_t len, i, at = 0;

	(void)snprintf(digits, sizeof(digits), "%lld", (long long)number);
	len = strlen(digits);
	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			text[at++] = ',';
		}
		text[at++] = digits[i];
	}
	text[at] = '\0';
}

/* "0:05", "12:34", "1:02:03" */
static void
format_duration(int64_t seconds, char text[DURATION_MAX + 1])
{
	long long s = seconds % 60, m = seconds / 60 % 60, h = seconds / 3600;

	if (h > 0) {
		(void)snprintf(
		    text, DURATION_MAX + 1, "%lld:%02lld:%02lld", h, m, s);
	} else {
		(void)snprintf(text, DURATION_MAX + 1, "%lld:%02lld", m, s);
	}
}

/* Whether there is an end that it is on the way to. */
static bool
has_end(const struct progress_state *state)
{
	return state->total > 0 && state->bytes >= 0 &&
	    state->bytes <= state->total;
}

static void
format_tail(const struct progress_state *state, char text[TAIL_MAX + 1])
{
	char rows[NUMBER_MAX + 1], rate[NUMBER_MAX + 1], time[DURATION_MAX + 1];
	double share =
	    has_end(state) ? (double)state->bytes / (double)state->total : 0;
	double ms = (double)state->ms;

	format_number(state->rows, rows);
	format_number(
	    state->ms > 0 ? (int64_t)((double)state->rows * 1000 / ms) : 0,
	    rate);
	if (share > 0) {
		format_duration(
		    (int64_t)(ms * (1 - share) / share / 1000 + 1), time);
		(void)snprintf(text, TAIL_MAX + 1,
		    "%3d%%  %s rows  %s/s  %s left", (int)(share * 100), rows,
		    rate, time);
	} else {
		format_duration(state->ms / 1000, time);
		(void)snprintf(
		    text, TAIL_MAX + 1, "%s rows  %s/s  %s", rows, rate, time);
	}
}

void
progress_format(const struct progress_state *state, size_t width,
    char text[PROGRESS_MAX + 1])
{
	char tail[TAIL_MAX + 1], bar[BAR_MAX + 1];
	size_t room, cells, full;

	format_tail(state, tail);
	width = width > PROGRESS_MAX ? PROGRESS_MAX : width;
	room = width > strlen(tail) + 3 ? width - strlen(tail) - 3 : 0;
	cells = room > BAR_MAX ? BAR_MAX : room;
	if (!has_end(state) || cells < BAR_MIN) {
		/* A figure that is cut would be another one. */
		(void)snprintf(text, PROGRESS_MAX + 1, "%s",
		    strlen(tail) > width ? "" : tail);
		return;
	}
	full = (size_t)((double)cells * (double)state->bytes /
	    (double)state->total);
	memset(bar, '#', full);
	memset(bar + full, '.', cells - full);
	bar[cells] = '\0';
	(void)snprintf(text, PROGRESS_MAX + 1, "[%s] %s", bar, tail);
}

static bool
is_terminal(FILE *to)
{
	const char *kind = getenv("TERM");

	return to == stderr && isatty(STDERR_FILENO) && kind != NULL &&
	    strcmp(kind, "dumb") != 0;
}

struct progress *
progress_new(int64_t total)
{
	struct progress *progress =
	    is_terminal(complaints()) ? calloc(1, sizeof(*progress)) : NULL;

	if (progress != NULL) {
		progress->to = complaints();
		progress->state.total = total;
		progress->began = clock_monotonic_ms();
		progress->shown = progress->began;
	}
	return progress;
}

/* One column stays free: some terminals begin a new line behind the last. */
static size_t
read_width(void)
{
	struct winsize size = {.ws_col = 0};

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1
	    ? (size_t)size.ws_col - 1
	    : WIDTH_USUAL - 1;
}

void
progress_show(struct progress *progress, int64_t bytes, int64_t rows)
{
	char text[PROGRESS_MAX + 1];
	int64_t now;

	if (progress == NULL) {
		return;
	}
	now = clock_monotonic_ms();
	if (now - progress->shown < EVERY_MS) {
		return;
	}
	progress->shown = now;
	progress->state.bytes = bytes;
	progress->state.rows = rows;
	progress->state.ms = now - progress->began;
	progress_format(&progress->state, read_width(), text);
	(void)fprintf(progress->to, "\r%s\033[K", text);
	(void)fflush(progress->to);
	progress->is_there = true;
}

void
progress_erase(struct progress *progress)
{
	if (progress != NULL && progress->is_there) {
		(void)fputs("\r\033[K", progress->to);
		(void)fflush(progress->to);
		progress->is_there = false;
	}
}

void
progress_free(struct progress *progress)
{
	progress_erase(progress);
	free(progress);
}
