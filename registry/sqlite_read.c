/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

static const char read_verb[] = "read";

/* One row into one record; columns are in the order of sqlite_sql.c. */
typedef void read_row(struct columns *from, void *record);
typedef void done_row(void *record);

static void
read_org(struct columns *from, void *record)
{
	struct org *org = record;

	read_text(from, org->name, sizeof(org->name));
	read_time(from, &org->created_at);
}

static void
take_ca(struct columns *from, void *record)
{
	read_ca(from, record);
}

static void
done_ca(void *record)
{
	ca_record_done(record);
}

static void
read_type_row(struct columns *from, void *record)
{
	struct type_record *type = record;
	int64_t length = 0;

	read_type(from, &type->type);
	read_text(from, type->org, sizeof(type->org));
	read_word(from, type->enrol, sizeof(type->enrol));
	read_time(from, &type->window);
	read_word(from, type->id_format, sizeof(type->id_format));
	read_number(from, 0, IDENTITY_ID_MAX, &length);
	read_word(from, type->id_prefix, sizeof(type->id_prefix));
	type->id_length = (int)length;
}

static void
read_rule(struct columns *from, void *record)
{
	struct rule_record *rule = record;

	read_text(from, rule->who, sizeof(rule->who));
	read_text(from, rule->org, sizeof(rule->org));
	read_text(from, rule->level, sizeof(rule->level));
}

static void
read_topic(struct columns *from, void *record)
{
	struct topic_record *topic = record;

	read_string(from, &topic->filter);
	read_text(from, topic->org, sizeof(topic->org));
	read_text(from, topic->who, sizeof(topic->who));
	read_text(from, topic->access, sizeof(topic->access));
}

static void
done_topic(void *record)
{
	topic_record_done(record);
}

static void
read_setting(struct columns *from, void *record)
{
	struct setting_record *setting = record;

	read_text(from, setting->key, sizeof(setting->key));
	read_text(from, setting->org, sizeof(setting->org));
	read_string(from, &setting->value);
}

static void
done_setting(void *record)
{
	setting_record_done(record);
}

struct table {
	const char *name;
	enum sql sql;
	size_t size;
	read_row *read;
	done_row *done; /* NULL: nothing to free */
};

enum {
	TABLE_ORGS = 0,
	TABLE_CAS,
	TABLE_TYPES,
	TABLE_RULES,
	TABLE_TOPICS,
	TABLE_SETTINGS,
	TABLE_COUNT,
};

static const struct table tables[TABLE_COUNT] = {
    {"org", SQL_ORGS, sizeof(struct org), read_org, NULL},
    {"CA", SQL_CAS, sizeof(struct ca_record), take_ca, done_ca},
    {"type", SQL_TYPES, sizeof(struct type_record), read_type_row, NULL},
    {"rule", SQL_RULES, sizeof(struct rule_record), read_rule, NULL},
    {"topic", SQL_TOPICS, sizeof(struct topic_record), read_topic, done_topic},
    {"setting", SQL_SETTINGS, sizeof(struct setting_record), read_setting,
        done_setting},
};

/* A row more; *rows grows by doubling. */
static enum res
append(const struct store *store, const struct table *table,
    struct sqlite3_stmt *stmt, void **rows, size_t *count, struct diag *why)
{
	struct columns from = columns_start(stmt);
	char *grown, *record;

	if ((*count & (*count - 1)) == 0) {
		grown = realloc(
		    *rows, (*count == 0 ? 1 : 2 * *count) * table->size);
		if (grown == NULL) {
			return diag_res(why, RES_NOMEM, "no memory left");
		}
		*rows = grown;
	}
	record = (char *)*rows + *count * table->size;
	memset(record, 0, table->size);
	table->read(&from, record);
	if (from.res == RES_OK) {
		(*count)++;
		return RES_OK;
	}
	if (table->done != NULL) {
		table->done(record);
	}
	return store_broken(store, &from, table->name, store_key(stmt), why);
}

static enum res
load_table(struct store *store, const struct table *table, void **rows,
    size_t *count, struct diag *why)
{
	struct sqlite3_stmt *stmt = store_statement(store, table->sql);
	int rc = stmt == NULL ? SQLITE_NOMEM : SQLITE_ROW;
	enum res r = RES_OK;

	while (r == RES_OK && rc == SQLITE_ROW) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW) {
			r = append(store, table, stmt, rows, count, why);
		}
	}
	(void)sqlite3_reset(stmt);
	if (r == RES_OK && rc != SQLITE_DONE) {
		r = store_fail(store, rc, read_verb, why);
	}
	return r;
}

static enum res
load_tables(struct store *store, struct config *config, struct diag *why)
{
	void *rows[TABLE_COUNT] = {NULL};
	size_t counts[TABLE_COUNT] = {0}, i;
	enum res r = RES_OK;

	for (i = 0; r == RES_OK && i < TABLE_COUNT; i++) {
		r = load_table(store, &tables[i], &rows[i], &counts[i], why);
	}
	config->orgs = rows[TABLE_ORGS];
	config->org_count = counts[TABLE_ORGS];
	config->cas = rows[TABLE_CAS];
	config->ca_count = counts[TABLE_CAS];
	config->types = rows[TABLE_TYPES];
	config->type_count = counts[TABLE_TYPES];
	config->rules = rows[TABLE_RULES];
	config->rule_count = counts[TABLE_RULES];
	config->topics = rows[TABLE_TOPICS];
	config->topic_count = counts[TABLE_TOPICS];
	config->settings = rows[TABLE_SETTINGS];
	config->setting_count = counts[TABLE_SETTINGS];
	return r;
}

/* The first column of a statement's one row; untouched without a row. */
static int
step_number(struct sqlite3_stmt *stmt, int64_t *out)
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

enum res
sqlite_load(void *self, struct config *out, struct diag *why)
{
	struct store *store = self;
	struct config config = {0};
	enum res r;
	int rc;

	rc = store_run(store, SQL_BEGIN_READ);
	if (rc == SQLITE_OK) {
		rc =
		    step_number(store_statement(store, SQL_MARK), &config.mark);
	}
	r = rc == SQLITE_OK ? load_tables(store, &config, why)
	                    : store_fail(store, rc, read_verb, why);
	if (sqlite3_get_autocommit(store->db) == 0) {
		(void)store_run(store, SQL_END);
	}
	if (r == RES_OK) {
		*out = config;
	} else {
		config_done(&config);
	}
	return r;
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

	rc = prepare(store, sql_scan(query->has_state, query->full), &to);
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

enum res
sqlite_count(void *self, const struct device_query *query, int64_t *out,
    struct diag *why)
{
	struct store *store = self;
	int64_t count = 0;
	struct range range;
	struct binder to;
	int rc;

	rc = prepare(store, sql_count(query->has_state), &to);
	if (rc == SQLITE_OK) {
		rc = bind_range(&to, &range, query, false);
	}
	if (rc == SQLITE_OK) {
		rc = step_number(to.stmt, &count);
	}
	(void)sqlite3_finalize(to.stmt);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, read_verb, why);
	}
	*out = count;
	return RES_OK;
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

/* data_version moves when somebody else commits; what this object writes
 * itself takes has_mark away. */
enum res
sqlite_mark(void *self, int64_t *out, struct diag *why)
{
	struct store *store = self;
	int64_t version = 0, mark = 0;
	int rc;

	rc = step_number(store_statement(store, SQL_DATA_VERSION), &version);
	if (rc == SQLITE_OK &&
	    (!store->has_mark || version != store->data_version)) {
		store->has_mark = false;
		rc = step_number(store_statement(store, SQL_MARK), &mark);
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
