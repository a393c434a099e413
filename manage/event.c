/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * event: certid event list|follow.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/commands.h"
#include "manage/output.h"
#include "manage/streams.h"
#include "manage/words.h"
#include "registry/event.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     100000
#define POLL_MS       100

/* What may be long comes last. */
static const char *const header[] = {
    "SEQ", "TIME", "ACTOR", "KIND", "SUBJECT", "DETAIL"};
#define COUNT (sizeof(header) / sizeof(header[0]))

static bool
take_kind(const struct call *call, const char **out)
{
	const char *text = call_option(call, "kind");

	if (text == NULL) {
		return true;
	}
	if (event_is_kind(text)) {
		*out = text;
		return true;
	}
	(void)misuse(
	    call, "\"%.80s\" is not a kind of event such as ca-added", text);
	return false;
}

static bool
take_query(const struct call *call, struct event_query *query)
{
	return take_kind(call, &query->kind) &&
	    take_since(call, &query->since) &&
	    take_number(call, "limit", 1, LIMIT_MAX, &query->limit);
}

struct listing {
	bool json;
	struct json *array;
	struct table *table;
};

static enum res
list(const struct event *event, void *context)
{
	struct listing *listing = context;
	char seq[24], time[TIME_MAX + 1];
	const char *row[] = {seq, time, event->actor, event->kind,
	    event->subject, event->detail};

	if (listing->json) {
		json_append(listing->array, event_json(event));
		return RES_OK;
	}
	(void)snprintf(seq, sizeof(seq), "%lld", (long long)event->seq);
	clock_format(event->time, time);
	table_add(listing->table, row);
	return RES_OK;
}

int
run_event_list(struct call *call)
{
	struct event_query query = {.org = call->org,
	    .since = CLOCK_NONE,
	    .limit = LIMIT_DEFAULT,
	    .newest = true};
	struct listing listing = {.json = call->json};
	struct diag why = {""};
	enum res r;

	if (!take_query(call, &query)) {
		return EXIT_USAGE;
	}
	listing.array = json_array();
	listing.table = table_new(header, COUNT);
	r = registry_events(call->registry, &query, list, &listing, &why);
	if (r == RES_OK && call->json) {
		table_free(listing.table);
		return print_json(listing.array);
	}
	json_free(listing.array);
	if (r == RES_OK) {
		return print_table(listing.table);
	}
	table_free(listing.table);
	return fail(r, &why);
}

static volatile sig_atomic_t interrupted;

static void
interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* Where event follow has come to. */
struct follower {
	bool json;
	int64_t seq; /* printed up to here */
	bool limited;
	int64_t left;     /* events to print before the end, if limited */
	bool reader_gone; /* nobody reads what we print */
};

/* One row of a table that has no end: its columns are as wide as what most
 * events have in them. */
static bool
print_row(const char *const row[])
{
	static const int widths[] = {6, 20, 8, 18, 24, 0};
	struct table *table = table_new(NULL, COUNT);
	enum res r;

	table_pad(table, widths);
	table_add(table, row);
	r = table_write(table, answers(), false);
	table_free(table);
	return r == RES_OK;
}

static bool
print_line(const struct event *event)
{
	char seq[24], time[TIME_MAX + 1];
	const char *row[] = {seq, time, event->actor, event->kind,
	    event->subject, event->detail};

	(void)snprintf(seq, sizeof(seq), "%lld", (long long)event->seq);
	clock_format(event->time, time);
	return print_row(row);
}

static enum res
follow(const struct event *event, void *context)
{
	struct follower *follower = context;

	if (interrupted || (follower->limited && follower->left == 0)) {
		return RES_OK;
	}
	if (follower->json ? print_json(event_json(event)) != EXIT_DONE
	                   : !print_line(event)) {
		return RES_NOMEM;
	}
	follower->seq = event->seq;
	follower->left--;
	if (fflush(answers()) != 0) {
		follower->reader_gone = errno == EPIPE;
		return RES_REFUSED;
	}
	return RES_OK;
}

/* Wait a moment; true: the reader of a pipe has gone. */
static bool
pause_follower(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, POLL_MS) > 0 &&
	    (out.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

/* New events until there is a reason to end. */
static int
run_follower(
    struct call *call, struct event_query *query, struct follower *follower)
{
	int64_t mark = -1, last = -1;
	struct diag why = {""};
	enum res r = RES_OK;

	while (!interrupted && !follower->reader_gone &&
	    (!follower->limited || follower->left > 0)) {
		r = registry_mark(call->registry, &mark, &why);
		if (r == RES_OK && mark != last) {
			query->after = follower->seq;
			r = registry_events(
			    call->registry, query, follow, follower, &why);
			last = mark;
		}
		if (r != RES_OK) {
			break;
		}
		follower->reader_gone = pause_follower();
	}
	if (r == RES_REFUSED && !follower->reader_gone) {
		return refuse(EXIT_REFUSED, "cannot write the output");
	}
	return r == RES_OK || r == RES_REFUSED ? EXIT_DONE : fail(r, &why);
}

int
run_event_follow(struct call *call)
{
	struct sigaction action = {.sa_handler = interrupt};
	struct event_query query = {.org = call->org, .since = CLOCK_NONE};
	struct follower follower = {.json = call->json};
	struct diag why = {""};
	enum res r;
	int code;

	if (!take_query(call, &query)) {
		return EXIT_USAGE;
	}
	follower.limited = query.limit > 0;
	follower.left = query.limit;
	query.limit = 0;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (query.since == CLOCK_NONE) {
		r = registry_mark(call->registry, &follower.seq, &why);
		if (r != RES_OK) {
			return fail(r, &why);
		}
	}
	if (!call->json && !print_row(header)) {
		return fail(RES_NOMEM, &why);
	}
	(void)fflush(answers());
	code = run_follower(call, &query, &follower);
	if (follower.reader_gone) {
		/* What stays in the buffer is nobody's loss. */
		(void)freopen("/dev/null", "w", stdout);
	}
	return code;
}
