/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <string.h>

#include <sqlite3.h>

#include "registry/change.h"
#include "registry/sqlite_private.h"

/* What there is where a device is to be added. */
struct place {
	bool is_taken;   /* by this name, or one of another letter case */
	bool is_allowed; /* by this very name, which has not been seen yet */
	bool is_attached, is_elsewhere; /* to the new one's gateway, another */
};

static enum res
look(struct store *store, const struct change *change, struct place *place,
    struct diag *why)
{
	struct binder to = store_start(store, SQL_DEVICE_PLACE);
	char text[IDENTITY_TEXT_MAX + 1], gateway[IDENTITY_TEXT_MAX + 1];
	const struct device *device = change->of.device;
	int rc;

	bind_text(&to, change->org);
	bind_identity(&to, &device->who, text);
	if (device->has_gateway) {
		bind_identity(&to, &device->gateway, gateway);
	}
	rc = to.rc == SQLITE_OK ? sqlite3_step(to.stmt) : to.rc;
	if (rc == SQLITE_ROW) {
		place->is_taken = true;
		place->is_allowed = sqlite3_column_int(to.stmt, 0) != 0;
		place->is_attached = sqlite3_column_int(to.stmt, 1) != 0;
		place->is_elsewhere = sqlite3_column_int(to.stmt, 2) != 0;
	}
	(void)sqlite3_reset(to.stmt);
	(void)sqlite3_clear_bindings(to.stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE
	    ? RES_OK
	    : store_fail(store, rc, "read", why);
}

static enum res
read_limits(struct store *store, const struct change *change,
    struct limits *limits, struct diag *why)
{
	struct binder to = store_start(store, SQL_LIMITS);
	char text[TYPE_TEXT_MAX + 1], most[WORD_MAX + 1] = "";
	struct columns from;
	enum res r = RES_OK;
	int rc;

	bind_text(&to, change->org);
	bind_type(&to, &limits->type, text);
	rc = to.rc == SQLITE_OK ? sqlite3_step(to.stmt) : to.rc;
	if (rc == SQLITE_ROW) {
		from = columns_start(to.stmt);
		read_number(&from, 0, DEVICES_MAX, &limits->of_type);
		read_text(&from, most, sizeof(most));
		if (from.res == RES_OK &&
		    !change_read_limit(most, &limits->of_org)) {
			columns_break(&from);
		}
		if (from.res != RES_OK) {
			r = store_broken(store, &from, "limit", text, why);
		}
	} else {
		r = store_fail(store, rc, "read", why);
	}
	(void)sqlite3_reset(to.stmt);
	(void)sqlite3_clear_bindings(to.stmt);
	return r;
}

/* The limits of the change's device, in store->limits.  A batch is of one type
 * most of the time. */
static enum res
find_limits(struct store *store, const struct change *change, struct diag *why)
{
	struct limits limits = {.type = change->of.device->who.type};
	enum res r;

	if (store->limits.is_known &&
	    strcmp(store->limits.org, change->org) == 0 &&
	    device_type_equal(&store->limits.type, &limits.type)) {
		return RES_OK;
	}
	store->limits.is_known = false;
	r = read_limits(store, change, &limits, why);
	if (r == RES_OK) {
		/* An org with a longer name is nowhere. */
		limits.is_known = text_copy(limits.org, sizeof(limits.org),
		    change->org, strlen(change->org));
		store->limits = limits;
	}
	return r;
}

/* How many there are: of the type, or with NULL of all. */
static enum res
sum(struct store *store, const char *org, const struct device_type *type,
    int64_t *out, struct diag *why)
{
	struct binder to =
	    store_start(store, type == NULL ? SQL_SUM : SQL_SUM_TYPE);
	char text[TYPE_TEXT_MAX + 1];

	bind_text(&to, org);
	bind_text(&to, NULL);
	if (type != NULL) {
		bind_type(&to, type, text);
	}
	return store_ask_number(store, &to, out, why);
}

/* Whether one more device may be added: the limits have been found. */
static enum res
check_quota(struct store *store, const struct change *change, struct diag *why)
{
	int64_t of_type = store->limits.of_type, of_org = store->limits.of_org;
	int64_t count = 0;
	enum res r = RES_OK;

	if (of_org > 0) {
		r = sum(store, change->org, NULL, &count, why);
		if (r == RES_OK && count >= of_org) {
			r = change_full(change, CHANGE_FULL_ORG, of_org, why);
		}
	}
	if (r == RES_OK && of_type > 0) {
		r = sum(store, change->org, &change->of.device->who.type,
		    &count, why);
		if (r == RES_OK && count >= of_type) {
			r = change_full(change, CHANGE_FULL_TYPE, of_type, why);
		}
	}
	return r;
}

/* Whether the device's gateway is there, and has room for one more. */
static enum res
check_gateway(
    struct store *store, const struct change *change, struct diag *why)
{
	const struct device *device = change->of.device;
	struct binder to = store_start(store, SQL_HAS_DEVICE);
	char text[IDENTITY_TEXT_MAX + 1];
	bool found = false;
	int64_t count = 0;
	enum res r;
	int rc;

	bind_text(&to, change->org);
	bind_identity(&to, &device->gateway, text);
	rc = store_ask(&to, &found);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	if (!found) {
		to = store_start(store, SQL_HAS_ORG);
		bind_text(&to, change->org);
		rc = store_ask(&to, &found);
		if (rc != SQLITE_OK) {
			return store_fail(store, rc, "read", why);
		}
		return found ? change_no_gateway(change, why)
		             : change_no_org(change->org, why);
	}
	to = store_start(store, SQL_GATEWAY_CENSUS);
	bind_text(&to, change->org);
	bind_identity(&to, &device->gateway, text);
	r = store_ask_number(store, &to, &count, why);
	return r == RES_OK && count >= GATEWAY_DEVICES_MAX
	    ? change_full(change, CHANGE_FULL_GATEWAY, GATEWAY_DEVICES_MAX, why)
	    : r;
}

static enum res
insert_device(
    struct store *store, const struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], gateway[IDENTITY_TEXT_MAX + 1];
	char token[TOKEN_HASH_TEXT_MAX + 1], pins[PINS_TEXT_MAX + 1];
	struct binder to = store_start(store, SQL_DEVICE_ADD);
	const struct device *device = change->of.device;

	bind_text(&to, change->org);
	bind_identity(&to, &device->who, text);
	bind_text(&to, device_state_name(device->state));
	bind_number(&to, device->locked);
	bind_time(&to, device->created_at);
	bind_time(&to, device->provisioned_at);
	bind_time(&to, device->last_seen_at);
	bind_time(&to, device->window_ends_at);
	bind_word(&to, device->last_address);
	bind_number(&to, device->seen_with);
	bind_token(&to, &device->token, token);
	bind_pins(&to, &device->pins, pins);
	bind_gateway(&to, device, gateway);
	bind_hash(&to, device->has_ca, device->ca);
	bind_hash(&to, device->has_fingerprint, device->fingerprint);
	bind_word(&to, device->serial);
	bind_time(&to, device->not_after);
	bind_text(&to, device->subject);
	bind_text(&to, device->tags);
	bind_text(&to, device->info);
	return store_put(store, &to, change, why);
}

/* Add the device where there is nothing: *place says what there is. */
static enum res
add(struct store *store, const struct change *change, struct place *place,
    struct diag *why)
{
	enum res r = look(store, change, place, why);

	if (r != RES_OK || place->is_taken) {
		return r;
	}
	r = check_quota(store, change, why);
	if (r == RES_OK && change->of.device->has_gateway) {
		r = check_gateway(store, change, why);
	}
	return r == RES_OK ? insert_device(store, change, why) : r;
}

/* The same without a question, where there is nothing to ask for. */
static enum res
add_at_once(struct store *store, const struct change *change,
    struct place *place, struct diag *why)
{
	enum res r = find_limits(store, change, why);

	if (r != RES_OK) {
		return r;
	}
	if (store->limits.of_type > 0 || store->limits.of_org > 0 ||
	    change->of.device->has_gateway) {
		return add(store, change, place, why);
	}
	r = insert_device(store, change, why);
	return r == RES_OK && sqlite3_changes(store->db) == 0
	    ? look(store, change, place, why)
	    : r;
}

enum res
sqlite_device_add(struct store *store, struct change *change, struct diag *why)
{
	struct place place = {0};
	enum res r = add_at_once(store, change, &place, why);

	return r == RES_OK && place.is_taken
	    ? change_answer(change, RES_EXISTS, why)
	    : r;
}

static void
bind_certificate(struct binder *to, const struct device *device)
{
	bind_hash(to, device->has_ca, device->ca);
	bind_hash(to, device->has_fingerprint, device->fingerprint);
	bind_word(to, device->serial);
	bind_time(to, device->not_after);
	bind_text(to, device->subject);
}

/* What a first connection brings to a device that was allowed. */
static enum res
promote(struct store *store, const struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], gateway[IDENTITY_TEXT_MAX + 1];
	struct binder to = store_start(store, SQL_DEVICE_PROMOTE);
	const struct device *device = change->of.device;
	char pins[PINS_TEXT_MAX + 1];

	bind_text(&to, change->org);
	bind_identity(&to, &device->who, text);
	bind_time(&to, device->provisioned_at);
	bind_time(&to, device->last_seen_at);
	bind_word(&to, device->last_address);
	bind_number(&to, device->seen_with);
	bind_pins(&to, &device->pins, pins);
	bind_gateway(&to, device, gateway);
	bind_certificate(&to, device);
	return store_put(store, &to, change, why);
}

enum res
sqlite_device_provision(
    struct store *store, struct change *change, struct diag *why)
{
	const struct device *device = change->of.device;
	struct place place = {0};
	enum res r = add_at_once(store, change, &place, why);

	if (r != RES_OK || !place.is_taken) {
		return r;
	}
	if (!place.is_allowed || device->state != DEVICE_PROVISIONED) {
		return change_answer(change, RES_EXISTS, why);
	}
	if (place.is_elsewhere) {
		return change_elsewhere(change, why);
	}
	if (device->has_gateway && !place.is_attached) {
		r = check_gateway(store, change, why);
	}
	return r == RES_OK ? promote(store, change, why) : r;
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

/* The answer where no row was altered; res if the device is there. */
static enum res
explain(struct store *store, const struct change *change, enum res res,
    struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_HAS_DEVICE, change, text);

	return store_explain(store, &to, change, res, why);
}

/* Run a statement that alters no row of a device that is not as it must be. */
static enum res
alter(struct store *store, struct binder *to, const struct change *change,
    enum res res, struct diag *why)
{
	enum res r = store_put(store, to, change, why);

	return r == RES_OK && sqlite3_changes(store->db) == 0
	    ? explain(store, change, res, why)
	    : r;
}

enum res
sqlite_device_lock(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_LOCK, change, text);

	bind_number(&to, change->of.device->locked);
	return alter(store, &to, change, RES_EXISTS, why);
}

enum res
sqlite_device_approve(
    struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], pins[PINS_TEXT_MAX + 1];
	struct binder to =
	    start_device(store, SQL_DEVICE_APPROVE, change, text);

	bind_time(&to, CLOCK_FOREVER);
	bind_pins(&to, &change->of.device->pins, pins);
	return alter(store, &to, change, RES_REFUSED, why);
}

enum res
sqlite_device_remove(
    struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_REMOVE, change, text);
	enum res r = store_alter(store, &to, change, why);

	if (r == RES_OK && change->of.device->who.type.class == 'g') {
		to = start_device(store, SQL_GATEWAY_DETACH, change, text);
		r = store_put(store, &to, change, why);
	}
	return r;
}

enum res
sqlite_device_seen(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_SEEN, change, text);
	enum res r;

	bind_time(&to, change->of.device->last_seen_at);
	bind_word(&to, change->of.device->last_address);
	r = store_alter(store, &to, change, why);
	if (r != RES_OK) {
		return r;
	}
	/* It seldom differs, and its index is dear to write. */
	to = start_device(store, SQL_DEVICE_SEEN_WITH, change, text);
	bind_number(&to, change->of.device->seen_with);
	r = store_put(store, &to, change, why);
	if (r != RES_OK || !change->of.device->has_ca) {
		return r;
	}
	/* It may have come by a token before, or through its gateway. */
	to = start_device(store, SQL_DEVICE_FIRST_CERT, change, text);
	bind_certificate(&to, change->of.device);
	return store_put(store, &to, change, why);
}

enum res
sqlite_device_token(
    struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], token[TOKEN_HASH_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_TOKEN, change, text);

	bind_token(&to, &change->of.device->token, token);
	return alter(store, &to, change, RES_EXISTS, why);
}

/* Compare and set.  The text is canonical, so that equal pins have equal
 * texts; pins that do not read back are replaced where any are. */
enum res
sqlite_device_pins(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	char pins[PINS_TEXT_MAX + 1], before[PINS_TEXT_MAX + 1];
	struct binder to = start_device(store, SQL_DEVICE_PINS, change, text);
	bool is_so = false;
	enum res r;
	int rc;

	bind_pins(&to, &change->of.device->pins, pins);
	bind_number(&to, change->pins_before == NULL);
	if (change->pins_before != NULL) {
		bind_pins(&to, change->pins_before, before);
	}
	r = store_put(store, &to, change, why);
	if (r != RES_OK || sqlite3_changes(store->db) != 0) {
		return r;
	}
	to = start_device(store, SQL_DEVICE_HAS_PINS, change, text);
	bind_word(&to, pins);
	rc = store_ask(&to, &is_so);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	return explain(store, change, is_so ? RES_EXISTS : RES_REFUSED, why);
}

enum res
sqlite_device_attach(
    struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], gateway[IDENTITY_TEXT_MAX + 1];
	struct binder to =
	    start_device(store, SQL_DEVICE_HAS_GATEWAY, change, text);
	const struct device *device = change->of.device;
	bool is_other = false;
	enum res r = RES_OK;
	int rc;

	bind_gateway(&to, device, gateway);
	rc = store_ask(&to, &is_other);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	if (!is_other) {
		return explain(store, change, RES_EXISTS, why);
	}
	if (device->has_gateway) {
		r = check_gateway(store, change, why);
	}
	if (r == RES_OK) {
		to = start_device(store, SQL_DEVICE_ATTACH, change, text);
		bind_gateway(&to, device, gateway);
		r = store_put(store, &to, change, why);
	}
	return r;
}

enum res
sqlite_device_set(struct store *store, struct change *change, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	const struct device *device = change->of.device;
	struct binder to = start_device(store, SQL_DEVICE_SET, change, text);
	bool is_allowed = true;
	enum res r;
	int rc;

	bind_text(&to, device->tags);
	bind_text(&to, device->info);
	bind_time(&to, device->window_ends_at);
	r = store_put(store, &to, change, why);
	if (r != RES_OK || sqlite3_changes(store->db) != 0) {
		return r;
	}
	if (device->window_ends_at != CLOCK_NONE) {
		to = start_device(store, SQL_DEVICE_IS_ALLOWED, change, text);
		rc = store_ask(&to, &is_allowed);
		if (rc != SQLITE_OK) {
			return store_fail(store, rc, "read", why);
		}
	}
	return explain(
	    store, change, is_allowed ? RES_EXISTS : RES_REFUSED, why);
}
