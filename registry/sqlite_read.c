/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

static const char read_verb[] = "read";

/* The first column of a statement's one row; untouched without a row. */
int
store_step_number(struct sqlite3_stmt *stmt, int64_t *out)
{
	int rc = stmt == NULL ? SQLITE_NOMEM : sqlite3_step(stmt);

	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(stmt, 0);
	}
	if (rc == SQLITE_ROW &&
	    sqlite3_column_type(stmt, 0) != SQLITE_INTEGER) {
		rc = SQLITE_CORRUPT;
	}
	(void)sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void
read_device(struct columns *from, bool full, struct device *device)
{
	read_identity(from, &device->who);
	read_state(from, &device->state);
	read_bool(from, &device->locked);
	read_time(from, &device->created_at);
	read_time(from, &device->provisioned_at);
	read_time(from, &device->last_seen_at);
	read_time(from, &device->window_ends_at);
	read_word(from, device->last_address, sizeof(device->last_address));
	read_seen_with(from, &device->seen_with);
	read_token(from, &device->token);
	read_pins(from, &device->pins);
	read_gateway(from, &device->has_gateway, &device->gateway);
	read_hash_or_null(from, &device->has_ca, device->ca);
	read_hash_or_null(from, &device->has_fingerprint, device->fingerprint);
	read_word(from, device->serial, sizeof(device->serial));
	read_time(from, &device->not_after);
	if (full) {
		read_string_or_null(from, &device->subject);
		read_string_or_null(from, &device->tags);
		read_string_or_null(from, &device->info);
	}
}

/* The row that stmt stands on; device is empty on failure. */
static enum res
take_device(const struct store *store, struct sqlite3_stmt *stmt,
    const char *org, bool full, struct device *device, struct diag *why)
{
	struct columns from = columns_start(stmt);

	*device = (struct device){0};
	if (!text_copy(device->org, sizeof(device->org), org, strlen(org))) {
		return diag_res(why, RES_CORRUPT, "the org's name is too long");
	}
	read_device(&from, full, device);
	if (from.res != RES_OK) {
		device_done(device);
		return store_broken(
		    store, &from, "device", store_key(stmt), why);
	}
	return RES_OK;
}

enum res
sqlite_get(void *self, const char *org, const struct identity *who, bool full,
    struct device *out, bool *case_clash, struct diag *why)
{
	struct store *store = self;
	struct binder to =
	    bind_start(store_statement(store, full ? SQL_GET_FULL : SQL_GET));
	char text[IDENTITY_TEXT_MAX + 1];
	struct device device;
	enum res r;
	int rc;

	bind_text(&to, org);
	bind_identity(&to, who, text);
	rc = to.rc == SQLITE_OK ? sqlite3_step(to.stmt) : to.rc;
	if (rc == SQLITE_DONE) {
		r = RES_NOTFOUND;
	} else if (rc != SQLITE_ROW) {
		r = store_fail(store, rc, read_verb, why);
	} else if (strcmp(store_key(to.stmt), text) != 0) {
		*case_clash = true;
		r = RES_NOTFOUND;
	} else {
		r = take_device(store, to.stmt, org, full, &device, why);
	}
	if (r == RES_OK) {
		*out = device;
	}
	(void)sqlite3_reset(to.stmt);
	(void)sqlite3_clear_bindings(to.stmt);
	return r;
}

/* The names of a query's devices lie between two texts, both exclusive. */
struct range {
	char low[IDENTITY_TEXT_MAX + 1];
	char high[TYPE_TEXT_MAX + 2];
	char after[IDENTITY_TEXT_MAX + 1];
	char gateway[IDENTITY_TEXT_MAX + 1];
};

static int
bind_range(struct binder *to, struct range *range,
    const struct device_query *query, bool paged)
{
	size_t len = 0;

	range->low[0] = range->high[0] = range->after[0] = '\0';
	if (query->type != NULL) {
		device_type_format(query->type, range->low);
		len = strlen(range->low);
		memcpy(range->high, range->low, len);
		memcpy(range->low + len, ":", 2);
		memcpy(range->high + len, ";", 2); /* the byte after ':' */
	}
	if (paged && query->after != NULL) {
		identity_format(query->after, range->after);
	}
	bind_text(to, query->org);
	bind_text(to,
	    strcmp(range->after, range->low) > 0 ? range->after : range->low);
	if (query->type != NULL) {
		bind_text(to, range->high);
	} else {
		bind_bytes(to, "", 0); /* every text sorts before a blob */
	}
	if (query->has_state) {
		bind_text(to, device_state_name(query->state));
	} else {
		to->at++;
	}
	if (paged) {
		bind_number(to, query->limit > 0 ? query->limit : -1);
	} else {
		to->at++;
	}
	if (query->gateway != NULL) {
		bind_identity(to, query->gateway, range->gateway);
	} else {
		to->at++;
	}
	/* Statements that do not ask for the others have no place for them. */
	if (query->has_seen_with) {
		bind_number(to, query->seen_with);
	} else {
		to->at++;
	}
	if (query->is_waiting) {
		bind_number(to, 1);
	} else {
		to->at++;
	}
	if (query->is_lapsed) {
		bind_time(to, query->now);
	}
	return to->rc;
}

static int
prepare(struct store *store, const char *text, struct binder *to)
{
	struct sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL);

	*to = bind_start(stmt);
	to->rc = rc;
	return rc;
}

enum res
sqlite_scan(void *self, const struct device_query *query, device_visit *visit,
    void *context, struct diag *why)
{
	struct store *store = self;
	enum res r = RES_OK;
	struct device device;
	struct range range;
	struct binder to;
	int rc;

	rc = prepare(store, sql_scan(query), &to);
	if (rc == SQLITE_OK) {
		rc = bind_range(&to, &range, query, true);
	}
	while (r == RES_OK && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		rc = sqlite3_step(to.stmt);
		if (rc != SQLITE_ROW) {
			break;
		}
		r = take_device(
		    store, to.stmt, query->org, query->full, &device, why);
		if (r == RES_OK) {
			r = visit(&device, context);
			device_done(&device);
		}
	}
	if (r == RES_OK && rc != SQLITE_DONE) {
		r = store_fail(store, rc, read_verb, why);
	}
	(void)sqlite3_finalize(to.stmt);
	return r;
}

/* Those that no tally tells apart, of which there are few: of one gateway, the
 * locked ones, those that connected in one way, wait, or have lapsed. */
static enum res
count_rows(struct store *store, const struct device_query *query, int64_t *out,
    struct diag *why)
{
	int64_t count = 0;
	struct range range;
	struct binder to;
	int rc;

	rc = prepare(store, sql_count(query), &to);
	if (rc == SQLITE_OK) {
		rc = bind_range(&to, &range, query, false);
	}
	if (rc == SQLITE_OK) {
		rc = store_step_number(to.stmt, &count);
	}
	(void)sqlite3_finalize(to.stmt);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, read_verb, why);
	}
	*out = count;
	return RES_OK;
}

enum res
sqlite_count(void *self, const struct device_query *query, int64_t *out,
    struct diag *why)
{
	struct store *store = self;
	char text[TYPE_TEXT_MAX + 1];
	struct columns from = {0};
	struct binder to;
	int64_t count = 0;
	enum res r;
	int rc;

	if (query->gateway != NULL || query->is_locked || query->is_waiting ||
	    query->is_lapsed || query->has_seen_with) {
		return count_rows(store, query, out, why);
	}
	to = store_start(store, query->type == NULL ? SQL_SUM : SQL_SUM_TYPE);
	bind_text(&to, query->org);
	bind_text(
	    &to, query->has_state ? device_state_name(query->state) : NULL);
	if (query->type != NULL) {
		bind_type(&to, query->type, text);
	}
	rc = to.rc == SQLITE_OK ? sqlite3_step(to.stmt) : to.rc;
	if (rc == SQLITE_ROW) {
		from = columns_start(to.stmt);
		read_number(&from, 0, INT64_MAX, &count);
		r = from.res == RES_OK
		    ? RES_OK
		    : store_broken(store, &from, "tally", query->org, why);
	} else {
		r = store_fail(store, rc, read_verb, why);
	}
	(void)sqlite3_reset(to.stmt);
	(void)sqlite3_clear_bindings(to.stmt);
	*out = r == RES_OK ? count : *out;
	return r;
}

/* A query of rows that are given to somebody one by one. */
typedef enum res take_row(struct columns *from, void *context);

static enum res
give_rows(struct store *store, struct binder *to, const char *table,
    take_row *take, void *context, struct diag *why)
{
	struct columns from;
	enum res r = RES_OK;
	int rc = to->rc;

	while (r == RES_OK && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		rc = sqlite3_step(to->stmt);
		if (rc == SQLITE_ROW) {
			from = columns_start(to->stmt);
			r = take(&from, context);
		} else {
			break;
		}
		if (from.res != RES_OK) {
			r = store_broken(
			    store, &from, table, store_key(to->stmt), why);
		}
	}
	if (r == RES_OK && rc != SQLITE_DONE) {
		r = store_fail(store, rc, read_verb, why);
	}
	(void)sqlite3_finalize(to->stmt);
	return r;
}

struct tally_taker {
	tally_visit *visit;
	void *context;
};

static enum res
take_tally(struct columns *from, void *context)
{
	const struct tally_taker *taker = context;
	struct tally tally = {0};

	read_type(from, &tally.type);
	read_state(from, &tally.state);
	read_seen_with(from, &tally.seen_with);
	read_number(from, 1, INT64_MAX, &tally.count);
	return from->res == RES_OK ? taker->visit(&tally, taker->context)
	                           : from->res;
}

enum res
sqlite_tally(void *self, const char *org, const struct device_type *type,
    tally_visit *visit, void *context, struct diag *why)
{
	struct tally_taker taker = {visit, context};
	struct store *store = self;
	char text[TYPE_TEXT_MAX + 1];
	struct binder to;

	(void)prepare(store, sql_tallies(type != NULL), &to);
	bind_text(&to, org);
	if (type != NULL) {
		bind_type(&to, type, text);
	}
	return give_rows(store, &to, "tally", take_tally, &taker, why);
}

struct metrics_taker {
	metrics_visit *visit;
	void *context;
};

static enum res
take_metrics(struct columns *from, void *context)
{
	const struct metrics_taker *taker = context;
	struct metrics_record metrics = {0};
	enum res r;

	read_text(from, metrics.source, sizeof(metrics.source));
	read_time(from, &metrics.written_at);
	read_string(from, &metrics.body);
	r = from->res == RES_OK ? taker->visit(&metrics, taker->context)
	                        : from->res;
	free(metrics.body);
	return r;
}

enum res
sqlite_metrics(
    void *self, metrics_visit *visit, void *context, struct diag *why)
{
	struct metrics_taker taker = {visit, context};
	struct store *store = self;
	struct binder to;

	(void)prepare(store, sql_metrics(), &to);
	return give_rows(store, &to, "metrics", take_metrics, &taker, why);
}

static enum res
take_event(const struct store *store, struct sqlite3_stmt *stmt,
    struct event *event, struct diag *why)
{
	struct columns from = columns_start(stmt);

	*event = (struct event){0};
	read_number(&from, 1, INT64_MAX, &event->seq);
	read_text(&from, event->org, sizeof(event->org));
	read_time(&from, &event->time);
	read_text(&from, event->actor, sizeof(event->actor));
	read_text(&from, event->kind, sizeof(event->kind));
	read_string(&from, &event->subject);
	read_string_or_null(&from, &event->detail);
	if (from.res != RES_OK) {
		event_done(event);
		return store_broken(
		    store, &from, "event", store_key(stmt), why);
	}
	return RES_OK;
}

/* A query's values, where its text has a place for them. */
static int
bind_events(struct binder *to, const struct event_query *query)
{
	bind_text(to, query->org);
	bind_text(to, query->kind);
	bind_number(to, query->after);
	bind_number(to, query->since);
	bind_number(to, query->limit > 0 ? query->limit : -1);
	return to->rc;
}

enum res
sqlite_events(void *self, const struct event_query *query, event_visit *visit,
    void *context, struct diag *why)
{
	struct store *store = self;
	enum res r = RES_OK;
	struct event event;
	struct binder to;
	int rc;

	rc = prepare(store, sql_events(query), &to);
	if (rc == SQLITE_OK) {
		rc = bind_events(&to, query);
	}
	while (r == RES_OK && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		rc = sqlite3_step(to.stmt);
		if (rc != SQLITE_ROW) {
			break;
		}
		r = take_event(store, to.stmt, &event, why);
		if (r == RES_OK) {
			r = visit(&event, context);
			event_done(&event);
		}
	}
	if (r == RES_OK && rc != SQLITE_DONE) {
		r = store_fail(store, rc, read_verb, why);
	}
	(void)sqlite3_finalize(to.stmt);
	return r;
}

enum res
sqlite_event_before(void *self, const char *org, int64_t after, int64_t n,
    int64_t *out, struct diag *why)
{
	struct store *store = self;
	struct binder to = store_start(store, SQL_EVENT_BEFORE);

	bind_text(&to, org);
	bind_number(&to, after);
	bind_number(&to, n);
	return store_ask_number(store, &to, out, why);
}

/* data_version moves when somebody else commits; what this object writes
 * itself takes has_mark away. */
enum res
sqlite_mark(void *self, int64_t *out, struct diag *why)
{
	struct store *store = self;
	int64_t version = 0, mark = 0;
	int rc;

	rc = store_step_number(
	    store_statement(store, SQL_DATA_VERSION), &version);
	if (rc == SQLITE_OK &&
	    (!store->has_mark || version != store->data_version)) {
		store->has_mark = false;
		rc = store_step_number(store_statement(store, SQL_MARK), &mark);
		if (rc == SQLITE_OK) {
			store->mark = mark;
			store->data_version = version;
			store->has_mark = true;
		}
	}
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, read_verb, why);
	}
	*out = store->mark;
	return RES_OK;
}
