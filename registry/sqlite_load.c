/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

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
	read_word(from, type->pin, sizeof(type->pin));
	read_word(from, type->rotate, sizeof(type->rotate));
	read_time(from, &type->overlap);
	read_number(from, 0, DEVICES_MAX, &type->max_devices);
	read_string_or_null(from, &type->addresses);
	read_bool(from, &type->privileged);
}

static void
done_type(void *record)
{
	type_record_done(record);
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

static void
read_hook(struct columns *from, void *record)
{
	struct hook_record *hook = record;

	read_text(from, hook->id, sizeof(hook->id));
	read_text(from, hook->org, sizeof(hook->org));
	read_string(from, &hook->url);
	read_string(from, &hook->kinds);
	read_text(from, hook->format, sizeof(hook->format));
	read_string_or_null(from, &hook->secret);
	read_string_or_null(from, &hook->ca_pem);
	read_time(from, &hook->created_at);
	read_number(from, 0, INT64_MAX, &hook->cursor);
	read_number(from, 0, INT64_MAX, &hook->delivered);
	read_number(from, 0, INT64_MAX, &hook->dropped);
	read_string_or_null(from, &hook->failure);
	read_time(from, &hook->failing_since);
}

static void
done_hook(void *record)
{
	hook_record_done(record);
}

static void
read_admin(struct columns *from, void *record)
{
	struct admin_record *admin = record;

	read_text(from, admin->name, sizeof(admin->name));
	read_text(from, admin->org, sizeof(admin->org));
	read_time(from, &admin->added_at);
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
	TABLE_HOOKS,
	TABLE_ADMINS,
	TABLE_COUNT,
};

static const struct table tables[TABLE_COUNT] = {
    {"org", SQL_ORGS, sizeof(struct org), read_org, NULL},
    {"CA", SQL_CAS, sizeof(struct ca_record), take_ca, done_ca},
    {"type", SQL_TYPES, sizeof(struct type_record), read_type_row, done_type},
    {"rule", SQL_RULES, sizeof(struct rule_record), read_rule, NULL},
    {"topic", SQL_TOPICS, sizeof(struct topic_record), read_topic, done_topic},
    {"setting", SQL_SETTINGS, sizeof(struct setting_record), read_setting,
        done_setting},
    {"hook", SQL_HOOKS, sizeof(struct hook_record), read_hook, done_hook},
    {"admin", SQL_ADMINS, sizeof(struct admin_record), read_admin, NULL},
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
		r = store_fail(store, rc, "read", why);
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
	config->hooks = rows[TABLE_HOOKS];
	config->hook_count = counts[TABLE_HOOKS];
	config->admins = rows[TABLE_ADMINS];
	config->admin_count = counts[TABLE_ADMINS];
	return r;
}

/* Inside a transaction that is open, a part of it. */
enum res
sqlite_load(void *self, struct config *out, struct diag *why)
{
	struct store *store = self;
	struct config config = {0};
	int rc = SQLITE_OK;
	enum res r;

	if (!store->is_open) {
		rc = store_run(store, SQL_BEGIN_READ);
	}
	if (rc == SQLITE_OK) {
		rc = store_step_number(
		    store_statement(store, SQL_MARK), &config.mark);
	}
	r = rc == SQLITE_OK ? load_tables(store, &config, why)
	                    : store_fail(store, rc, "read", why);
	if (!store->is_open && sqlite3_get_autocommit(store->db) == 0) {
		(void)store_run(store, SQL_END);
	}
	if (r == RES_OK) {
		*out = config;
	} else {
		config_done(&config);
	}
	return r;
}
