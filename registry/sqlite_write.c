/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>

#include <sqlite3.h>

#include "registry/change.h"
#include "registry/sqlite_private.h"

#define ROWS_AT_ONCE 1000

struct binder
store_start(struct store *store, enum sql sql)
{
	return bind_start(store_statement(store, sql));
}

int
store_ask(struct binder *to, bool *found)
{
	int rc = to->rc;

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(to->stmt);
		*found = rc == SQLITE_ROW;
		rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
	}
	(void)sqlite3_reset(to->stmt);
	(void)sqlite3_clear_bindings(to->stmt);
	return rc;
}

enum res
store_ask_number(
    struct store *store, struct binder *to, int64_t *out, struct diag *why)
{
	int rc = to->rc == SQLITE_OK ? sqlite3_step(to->stmt) : to->rc;

	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(to->stmt, 0);
	}
	(void)sqlite3_reset(to->stmt);
	(void)sqlite3_clear_bindings(to->stmt);
	return rc == SQLITE_ROW ? RES_OK : store_fail(store, rc, "read", why);
}

enum res
store_missing(
    struct store *store, const struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_HAS_ORG);
	bool found = false;
	int rc;

	bind_text(&to, change->org);
	rc = store_ask(&to, &found);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	return found ? change_answer(change, RES_NOTFOUND, why)
	             : change_no_org(change->org, why);
}

enum res
store_put(struct store *store, struct binder *to, const struct change *change,
    struct diag *why)
{
	int rc = bind_run(to);

	switch (rc) {
	case SQLITE_OK:
		return RES_OK;
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		return change_answer(change, RES_EXISTS, why);
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return change_no_org(change->org, why);
	default:
		return store_fail(store, rc, "write", why);
	}
}

enum res
store_alter(struct store *store, struct binder *to, const struct change *change,
    struct diag *why)
{
	enum res r = store_put(store, to, change, why);

	return r == RES_OK && sqlite3_changes(store->db) == 0
	    ? store_missing(store, change, why)
	    : r;
}

enum res
store_explain(struct store *store, struct binder *question,
    const struct change *change, enum res res, struct diag *why)
{
	bool found = false;
	int rc = store_ask(question, &found);

	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	return found ? change_answer(change, res, why)
	             : store_missing(store, change, why);
}

static enum res
org_add(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_ORG_ADD);

	bind_text(&to, change->of.org->name);
	bind_number(&to, change->of.org->created_at);
	return store_put(store, &to, change, why);
}

/* Rows of the org, some at a time: what undoes a statement is in memory. */
static enum res
empty(struct store *store, enum sql sql, const struct change *change,
    struct diag *why)
{
	struct binder to;
	enum res r;

	do {
		to = store_start(store, sql);
		bind_text(&to, change->of.org->name);
		bind_number(&to, ROWS_AT_ONCE);
		r = store_put(store, &to, change, why);
	} while (r == RES_OK && sqlite3_changes(store->db) > 0);
	return r;
}

/* What there may be many of goes first, and all else with the org's row.
 * Without an org there is none of that either. */
static enum res
org_remove(struct store *store, struct change *change, struct diag *why)
{
	struct binder to;
	enum res r;

	r = empty(store, SQL_ORG_DEVICES, change, why);
	if (r == RES_OK) {
		r = empty(store, SQL_ORG_EVENTS, change, why);
	}
	if (r != RES_OK) {
		return r;
	}
	to = store_start(store, SQL_ORG_REMOVE);
	bind_text(&to, change->of.org->name);
	r = store_put(store, &to, change, why);
	return r == RES_OK && sqlite3_changes(store->db) == 0
	    ? change_answer(change, RES_NOTFOUND, why)
	    : r;
}

static enum res
type_set(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_TYPE_SET);
	const struct type_record *type = change->of.type;
	char text[TYPE_TEXT_MAX + 1];

	bind_text(&to, change->org);
	bind_type(&to, &type->type, text);
	bind_word(&to, type->enrol);
	bind_time(&to, type->window);
	bind_word(&to, type->id_format);
	bind_number(&to, type->id_length);
	bind_word(&to, type->id_prefix);
	bind_word(&to, type->pin);
	bind_word(&to, type->rotate);
	bind_time(&to, type->overlap);
	bind_number(&to, type->max_devices);
	bind_text(&to, type->addresses);
	bind_number(&to, type->privileged);
	return store_put(store, &to, change, why);
}

static enum res
type_unset(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_TYPE_UNSET);
	char text[TYPE_TEXT_MAX + 1];

	bind_text(&to, change->org);
	bind_type(&to, &change->of.type->type, text);
	return store_alter(store, &to, change, why);
}

static enum res
rule_set(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_RULE_SET);

	bind_text(&to, change->org);
	bind_text(&to, change->of.rule->who);
	bind_text(&to, change->of.rule->level);
	return store_put(store, &to, change, why);
}

static enum res
rule_unset(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_RULE_UNSET);

	bind_text(&to, change->org);
	bind_text(&to, change->of.rule->who);
	return store_alter(store, &to, change, why);
}

static void
bind_topic(struct binder *to, const char *org, const struct topic_record *topic)
{
	bind_text(to, org);
	bind_text(to, topic->who);
	bind_text(to, topic->access);
	bind_text(to, topic->filter);
}

static enum res
topic_add(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_TOPIC_CENSUS);
	int64_t count = 0;
	enum res r;

	bind_text(&to, change->org);
	r = store_ask_number(store, &to, &count, why);
	if (r != RES_OK) {
		return r;
	}
	if (count >= TOPICS_MAX) {
		return change_answer(change, RES_LIMIT, why);
	}
	to = store_start(store, SQL_TOPIC_ADD);
	bind_topic(&to, change->org, change->of.topic);
	return store_put(store, &to, change, why);
}

static enum res
topic_remove(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_TOPIC_REMOVE);

	bind_topic(&to, change->org, change->of.topic);
	return store_alter(store, &to, change, why);
}

static enum res
setting_set(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_SETTING_SET);

	bind_text(&to, change->org);
	bind_text(&to, change->of.setting->key);
	bind_text(&to, change->of.setting->value);
	return store_put(store, &to, change, why);
}

/* Add a record of which an org may have so many: RES_EXISTS where the question
 * finds it there already. */
static enum res
make_room(struct store *store, struct binder *question, enum sql census,
    int64_t most, const struct change *change, struct diag *why)
{
	struct binder to = store_start(store, census);
	bool found = false;
	int64_t count = 0;
	enum res r;
	int rc;

	rc = store_ask(question, &found);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	if (found) {
		return change_answer(change, RES_EXISTS, why);
	}
	bind_text(&to, change->org);
	r = store_ask_number(store, &to, &count, why);
	return r == RES_OK && count >= most
	    ? change_answer(change, RES_LIMIT, why)
	    : r;
}

/* A statement about the hook of a change, with the values that tell which. */
static struct binder
start_hook(struct store *store, enum sql sql, const struct change *change)
{
	struct binder to = store_start(store, sql);

	bind_text(&to, change->org);
	bind_text(&to, change->of.hook->id);
	return to;
}

static enum res
hook_add(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_hook(store, SQL_HAS_HOOK, change);
	const struct hook_record *hook = change->of.hook;
	enum res r;

	r = make_room(store, &to, SQL_HOOK_CENSUS, HOOKS_MAX, change, why);
	if (r != RES_OK) {
		return r;
	}
	to = start_hook(store, SQL_HOOK_ADD, change);
	bind_text(&to, hook->url);
	bind_text(&to, hook->kinds);
	bind_text(&to, hook->format);
	bind_text(&to, hook->secret);
	bind_text(&to, hook->ca_pem);
	bind_number(&to, hook->created_at);
	bind_number(&to, hook->cursor);
	bind_number(&to, hook->delivered);
	bind_number(&to, hook->dropped);
	bind_text(&to, hook->failure);
	bind_time(&to, hook->failing_since);
	return store_put(store, &to, change, why);
}

static enum res
hook_remove(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_hook(store, SQL_HOOK_REMOVE, change);

	return store_alter(store, &to, change, why);
}

static enum res
hook_progress(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_hook(store, SQL_HOOK_PROGRESS, change);
	const struct hook_record *hook = change->of.hook;

	bind_number(&to, hook->cursor);
	bind_number(&to, hook->delivered);
	bind_number(&to, hook->dropped);
	bind_text(&to, hook->failure);
	bind_time(&to, hook->failing_since);
	return store_alter(store, &to, change, why);
}

static struct binder
start_admin(struct store *store, enum sql sql, const struct change *change)
{
	struct binder to = store_start(store, sql);

	bind_text(&to, change->org);
	bind_text(&to, change->of.admin->name);
	return to;
}

static enum res
admin_add(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_admin(store, SQL_HAS_ADMIN, change);
	enum res r;

	r = make_room(store, &to, SQL_ADMIN_CENSUS, ADMINS_MAX, change, why);
	if (r == RES_OK) {
		to = start_admin(store, SQL_ADMIN_ADD, change);
		bind_number(&to, change->of.admin->added_at);
		r = store_put(store, &to, change, why);
	}
	return r;
}

static enum res
admin_remove(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_admin(store, SQL_ADMIN_REMOVE, change);

	return store_alter(store, &to, change, why);
}

static enum res
metrics_set(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_METRICS_SET);
	const struct metrics_record *metrics = change->of.metrics;

	bind_text(&to, metrics->source);
	bind_number(&to, metrics->written_at);
	bind_text(&to, metrics->body);
	return store_put(store, &to, change, why);
}

static enum res
metrics_purge(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_METRICS_PURGE);

	bind_number(&to, change->time);
	return store_alter(store, &to, change, why);
}

static enum res
events_purge(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_EVENTS_PURGE);

	bind_text(&to, change->org);
	bind_number(&to, change->time);
	bind_number(&to, PURGE_MAX);
	return store_alter(store, &to, change, why);
}

/* The event alone is the change.  An org that is gone is an answer: the event
 * of a session that was closed because of that must not undo a batch. */
static enum res
event_alone(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_HAS_ORG);
	bool found = false;
	int rc;

	bind_text(&to, change->org);
	rc = store_ask(&to, &found);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	return found ? RES_OK : change_no_org(change->org, why);
}

static write_change *const writers[] = {
    [CHANGE_ORG_ADD] = org_add,
    [CHANGE_ORG_REMOVE] = org_remove,
    [CHANGE_CA_ADD] = sqlite_ca_add,
    [CHANGE_CA_SET] = sqlite_ca_set,
    [CHANGE_CA_STATE] = sqlite_ca_state,
    [CHANGE_CA_CODE] = sqlite_ca_code,
    [CHANGE_CA_PROVE] = sqlite_ca_prove,
    [CHANGE_CA_CRL] = sqlite_ca_crl,
    [CHANGE_CA_CRL_CHECKED] = sqlite_ca_crl_checked,
    [CHANGE_CA_TOLD] = sqlite_ca_told,
    [CHANGE_CA_REMOVE] = sqlite_ca_remove,
    [CHANGE_TYPE_SET] = type_set,
    [CHANGE_TYPE_UNSET] = type_unset,
    [CHANGE_RULE_SET] = rule_set,
    [CHANGE_RULE_UNSET] = rule_unset,
    [CHANGE_TOPIC_ADD] = topic_add,
    [CHANGE_TOPIC_REMOVE] = topic_remove,
    [CHANGE_SETTING_SET] = setting_set,
    [CHANGE_DEVICE_ADD] = sqlite_device_add,
    [CHANGE_DEVICE_PROVISION] = sqlite_device_provision,
    [CHANGE_DEVICE_LOCK] = sqlite_device_lock,
    [CHANGE_DEVICE_APPROVE] = sqlite_device_approve,
    [CHANGE_DEVICE_REMOVE] = sqlite_device_remove,
    [CHANGE_DEVICE_SEEN] = sqlite_device_seen,
    [CHANGE_DEVICE_TOKEN] = sqlite_device_token,
    [CHANGE_DEVICE_PINS] = sqlite_device_pins,
    [CHANGE_DEVICE_ATTACH] = sqlite_device_attach,
    [CHANGE_DEVICE_SET] = sqlite_device_set,
    [CHANGE_HOOK_ADD] = hook_add,
    [CHANGE_HOOK_REMOVE] = hook_remove,
    [CHANGE_HOOK_PROGRESS] = hook_progress,
    [CHANGE_ADMIN_ADD] = admin_add,
    [CHANGE_ADMIN_REMOVE] = admin_remove,
    [CHANGE_METRICS] = metrics_set,
    [CHANGE_METRICS_PURGE] = metrics_purge,
    [CHANGE_EVENTS_PURGE] = events_purge,
    [CHANGE_EVENT] = event_alone,
};

static enum res
make(void *self, struct change *change, struct diag *why)
{
	struct store *store = self;

	if (change_about(change) != ABOUT_DEVICE) {
		store->limits.is_known = false;
	}
	return writers[change->kind](store, change, why);
}

/* The event of a change that was made. */
static enum res
tell(void *self, struct change *change, struct diag *why)
{
	struct store *store = self;
	struct binder to = store_start(store, SQL_EVENT_ADD);
	const char *org = change_event_org(change);
	int rc;

	bind_text(&to, org);
	bind_number(&to, change->time);
	bind_text(&to, change->actor);
	bind_text(&to, change->event_kind);
	bind_text(&to, change->event_subject);
	bind_text(&to, change->event_detail);
	rc = bind_run(&to);
	if (rc == SQLITE_CONSTRAINT_FOREIGNKEY) {
		return change_no_org(org, why);
	}
	return rc == SQLITE_OK ? RES_OK : store_fail(store, rc, "write", why);
}

enum res
sqlite_begin(void *self, struct diag *why)
{
	struct store *store = self;
	int rc = store_run(store, SQL_BEGIN_WRITE);

	store->has_mark = store->limits.is_known = false;
	store->is_open = rc == SQLITE_OK;
	return rc == SQLITE_OK ? RES_OK : store_fail(store, rc, "write", why);
}

enum res
sqlite_commit(void *self, struct diag *why)
{
	struct store *store = self;
	int rc = store_run(store, SQL_COMMIT);

	if (rc != SQLITE_OK) {
		enum res r = store_fail(store, rc, "write", why);

		sqlite_rollback(store);
		return r;
	}
	store->is_open = store->has_mark = false;
	return RES_OK;
}

void
sqlite_rollback(void *self)
{
	struct store *store = self;

	store->is_open = store->has_mark = false;
	store_rollback(store);
}

/* A transaction of its own, or a part of the one that is open. */
enum res
sqlite_apply(void *self, struct change *changes, size_t n, enum apply_mode mode,
    struct diag *why)
{
	struct store *store = self;
	bool is_part = store->is_open;
	enum res r = RES_OK;

	store->has_mark = false;
	if (!is_part) {
		r = sqlite_begin(store, why);
	} else if (sqlite3_get_autocommit(store->db) != 0) {
		r = diag_res(why, RES_UNAVAIL,
		    "what was to be written to %s was undone after a failure: "
		    "start again",
		    store->path);
	}
	if (r != RES_OK) {
		return r;
	}
	r = change_run(changes, n, mode, make, tell, store, why);
	if (r == RES_OK && !is_part) {
		r = sqlite_commit(store, why);
	}
	if (r != RES_OK) {
		changes_undone(changes, n);
	}
	if (r != RES_OK && !is_part) {
		sqlite_rollback(store);
	}
	return r;
}
