/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>

#include <sqlite3.h>

#include "registry/change.h"
#include "registry/sqlite_private.h"

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

static enum res
org_remove(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_ORG_REMOVE);
	enum res r;

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

	device_type_format(&type->type, text);
	bind_text(&to, change->org);
	bind_text(&to, text);
	bind_word(&to, type->enrol);
	bind_time(&to, type->window);
	bind_word(&to, type->id_format);
	bind_number(&to, type->id_length);
	bind_word(&to, type->id_prefix);
	return store_put(store, &to, change, why);
}

static enum res
type_unset(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_TYPE_UNSET);
	char text[TYPE_TEXT_MAX + 1];

	device_type_format(&change->of.type->type, text);
	bind_text(&to, change->org);
	bind_text(&to, text);
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
	int64_t count = TOPICS_MAX;
	int rc;

	bind_text(&to, change->org);
	rc = to.rc == SQLITE_OK ? sqlite3_step(to.stmt) : to.rc;
	if (rc == SQLITE_ROW) {
		count = sqlite3_column_int64(to.stmt, 0);
	}
	(void)sqlite3_reset(to.stmt);
	(void)sqlite3_clear_bindings(to.stmt);
	if (rc != SQLITE_ROW) {
		return store_fail(store, rc, "read", why);
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

/* Without a row added RES_EXISTS: the name is taken, or one that differs in
 * letter case alone. */
static enum res
insert_device(
    struct store *store, const struct change *change, struct diag *why)
{
	struct binder to = store_start(store, SQL_DEVICE_ADD);
	const struct device *device = change->of.device;
	char text[IDENTITY_TEXT_MAX + 1];
	enum res r;

	bind_text(&to, change->org);
	bind_identity(&to, &device->who, text);
	bind_text(&to, device_state_name(device->state));
	bind_number(&to, device->locked);
	bind_time(&to, device->created_at);
	bind_time(&to, device->provisioned_at);
	bind_time(&to, device->last_seen_at);
	bind_time(&to, device->window_ends_at);
	bind_word(&to, device->last_address);
	bind_hash(&to, device->has_ca, device->ca);
	bind_hash(&to, device->has_fingerprint, device->fingerprint);
	bind_word(&to, device->serial);
	bind_time(&to, device->not_after);
	bind_text(&to, device->subject);
	bind_text(&to, device->tags);
	bind_text(&to, device->info);
	r = store_put(store, &to, change, why);
	return r == RES_OK && sqlite3_changes(store->db) == 0 ? RES_EXISTS : r;
}

static enum res
device_add(struct store *store, struct change *change, struct diag *why)
{
	enum res r = insert_device(store, change, why);

	return r == RES_EXISTS ? change_answer(change, r, why) : r;
}

static enum res
device_provision(struct store *store, struct change *change, struct diag *why)
{
	const struct device *device = change->of.device;
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to;
	enum res r;

	r = insert_device(store, change, why);
	if (r == RES_EXISTS && device->state == DEVICE_PROVISIONED) {
		to = store_start(store, SQL_DEVICE_PROMOTE);
		bind_text(&to, change->org);
		bind_identity(&to, &device->who, text);
		bind_time(&to, device->provisioned_at);
		bind_time(&to, device->last_seen_at);
		bind_word(&to, device->last_address);
		bind_hash(&to, device->has_ca, device->ca);
		bind_hash(&to, device->has_fingerprint, device->fingerprint);
		bind_word(&to, device->serial);
		bind_time(&to, device->not_after);
		bind_text(&to, device->subject);
		r = store_put(store, &to, change, why);
		if (r == RES_OK && sqlite3_changes(store->db) == 0) {
			r = RES_EXISTS;
		}
	}
	return r == RES_EXISTS ? change_answer(change, r, why) : r;
}

static struct binder
start_device(struct store *store, enum sql sql, const struct change *change,
    char text[IDENTITY_TEXT_MAX + 1])
{
	struct binder to = store_start(store, sql);

	bind_text(&to, change->org);
	bind_identity(&to, &change->of.device->who, text);
	return to;
}

static enum res
device_lock(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_LOCK, change, text);
	enum res r;

	bind_number(&to, change->of.device->locked);
	r = store_put(store, &to, change, why);
	if (r != RES_OK || sqlite3_changes(store->db) != 0) {
		return r;
	}
	to = start_device(store, SQL_HAS_DEVICE, change, text);
	return store_explain(store, &to, change, RES_EXISTS, why);
}

static enum res
device_approve(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to =
	    start_device(store, SQL_DEVICE_APPROVE, change, text);
	enum res r;

	bind_time(&to, CLOCK_FOREVER);
	r = store_put(store, &to, change, why);
	if (r != RES_OK || sqlite3_changes(store->db) != 0) {
		return r;
	}
	to = start_device(store, SQL_HAS_DEVICE, change, text);
	return store_explain(store, &to, change, RES_REFUSED, why);
}

static enum res
device_remove(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_REMOVE, change, text);

	return store_alter(store, &to, change, why);
}

static enum res
device_seen(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_SEEN, change, text);

	bind_time(&to, change->of.device->last_seen_at);
	bind_word(&to, change->of.device->last_address);
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
    [CHANGE_DEVICE_ADD] = device_add,
    [CHANGE_DEVICE_PROVISION] = device_provision,
    [CHANGE_DEVICE_LOCK] = device_lock,
    [CHANGE_DEVICE_APPROVE] = device_approve,
    [CHANGE_DEVICE_REMOVE] = device_remove,
    [CHANGE_DEVICE_SEEN] = device_seen,
    [CHANGE_EVENT] = event_alone,
};

static enum res
make(void *self, struct change *change, struct diag *why)
{
	return writers[change->kind](self, change, why);
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
sqlite_apply(void *self, struct change *changes, size_t n, enum apply_mode mode,
    struct diag *why)
{
	struct store *store = self;
	enum res r;
	int rc;

	store->has_mark = false;
	rc = store_run(store, SQL_BEGIN_WRITE);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "write", why);
	}
	r = change_run(changes, n, mode, make, tell, store, why);
	if (r == RES_OK) {
		rc = store_run(store, SQL_COMMIT);
		r = rc == SQLITE_OK ? RES_OK
		                    : store_fail(store, rc, "write", why);
	}
	if (r != RES_OK) {
		store_rollback(store);
		changes_undone(changes, n);
	}
	return r;
}
