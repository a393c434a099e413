/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "registry/change.h"
#include "registry/sqlite_private.h"

/* How far from the end an event told of it. */
static void
read_told(struct columns *from, int *told)
{
	int64_t days = 0;

	read_number(from, TOLD_EXPIRED, TOLD_MAX, &days);
	*told = (int)days;
}

/* A point in time that must be there. */
static void
read_date(struct columns *from, int64_t *to)
{
	read_number(from, INT64_MIN + 1, INT64_MAX, to);
}

static void
read_crl_number(struct columns *from, char number[CRL_NUMBER_LEN + 1])
{
	read_text(from, number, CRL_NUMBER_LEN + 1);
	if (from->res == RES_OK && !crl_number_is_whole(number)) {
		columns_break(from);
	}
}

/* A CA that names a list which is not there must not pass for one without. */
static void
read_crl(struct columns *from, bool full, struct crl_record *crl)
{
	uint8_t named[HASH_LEN] = {0};
	bool is_named = false, is_there = false;

	read_hash_or_null(from, &is_named, named);
	read_hash_or_null(from, &is_there, crl->fingerprint);
	if (is_named != is_there ||
	    memcmp(named, crl->fingerprint, HASH_LEN) != 0) {
		columns_break(from);
	}
	if (!is_there) {
		return;
	}
	read_crl_number(from, crl->number);
	read_date(from, &crl->this_update);
	read_date(from, &crl->next_update);
	read_number(from, 0, INT64_MAX, &crl->entries);
	read_date(from, &crl->stored_at);
	read_bool(from, &crl->fetched);
	read_time(from, &crl->modified_at);
	read_told(from, &crl->told);
	if (full) {
		read_bytes(from, &crl->der, &crl->der_len);
	}
}

static void
read_code(struct columns *from, struct ca_record *ca)
{
	read_word(from, ca->code, sizeof(ca->code));
	read_time(from, &ca->code_expires_at);
	if (from->res == RES_OK &&
	    (ca->code[0] == '\0') != (ca->code_expires_at == CLOCK_NONE)) {
		columns_break(from);
	}
}

static void
read_crl_policy(struct columns *from, char policy[WORD_MAX + 1])
{
	read_text(from, policy, WORD_MAX + 1);
	if (from->res == RES_OK && !crl_policy_is_word(policy)) {
		columns_break(from);
	}
}

void
read_ca(struct columns *from, struct ca_record *ca)
{
	read_text(from, ca->id, sizeof(ca->id));
	read_text(from, ca->org, sizeof(ca->org));
	read_hash(from, ca->fingerprint);
	read_bytes(from, &ca->der, &ca->der_len);
	read_string(from, &ca->subject);
	read_time(from, &ca->not_before);
	read_time(from, &ca->not_after);
	read_word(from, ca->name, sizeof(ca->name));
	read_string_or_null(from, &ca->description);
	read_text(from, ca->state, sizeof(ca->state));
	read_string(from, &ca->scope);
	read_word(from, ca->enrol, sizeof(ca->enrol));
	read_number(from, 0, RATE_MAX, &ca->rate);
	read_string(from, &ca->tags);
	read_time(from, &ca->added_at);
	read_code(from, ca);
	read_told(from, &ca->told);
	read_crl_policy(from, ca->crl_policy);
	read_number(from, 0, INT64_MAX, &ca->crl_grace);
	read_string_or_null(from, &ca->crl_url);
	read_string_or_null(from, &ca->crl_failure);
	read_crl(from, true, &ca->crl);
}

/* The CAs that the org has, against the one to be added. */
static enum res
take_census(struct store *store, const struct change *change,
    struct ca_census *census, struct diag *why)
{
	struct binder to = store_start(store, SQL_CA_CENSUS);
	struct columns from = {0};
	uint8_t fingerprint[HASH_LEN];
	char id[HASH_TEXT_MAX + 1] = "?", *subject;
	enum res r = RES_OK;
	int rc;

	bind_text(&to, change->org);
	rc = to.rc;
	while (rc == SQLITE_OK && (rc = sqlite3_step(to.stmt)) == SQLITE_ROW) {
		subject = NULL;
		from = columns_start(to.stmt);
		read_text(&from, id, sizeof(id));
		read_hash(&from, fingerprint);
		read_string(&from, &subject);
		if (from.res == RES_OK) {
			change_ca_other(
			    census, change->of.ca, fingerprint, subject);
			rc = SQLITE_OK;
		}
		free(subject);
	}
	if (from.res != RES_OK) {
		r = store_broken(store, &from, "CA", id, why);
	} else if (rc != SQLITE_DONE) {
		r = store_fail(store, rc, "read", why);
	}
	(void)sqlite3_reset(to.stmt);
	(void)sqlite3_clear_bindings(to.stmt);
	return r;
}

static void
bind_ca(struct binder *to, const char *org, const struct ca_record *ca)
{
	bind_text(to, org);
	bind_hash(to, true, ca->fingerprint);
	bind_text(to, ca->id);
	bind_bytes(to, ca->der, ca->der_len);
	bind_text(to, ca->subject);
	bind_number(to, ca->not_before);
	bind_number(to, ca->not_after);
	bind_word(to, ca->name);
	bind_text(to, ca->description);
	bind_text(to, ca->state);
	bind_text(to, ca->scope == NULL ? "[]" : ca->scope);
	bind_word(to, ca->enrol);
	bind_number(to, ca->rate);
	bind_text(to, ca->tags == NULL ? "[]" : ca->tags);
	bind_number(to, ca->added_at);
	bind_word(to, ca->code);
	bind_time(to, ca->code[0] == '\0' ? CLOCK_NONE : ca->code_expires_at);
	bind_number(to, ca->told);
	bind_text(to, ca->crl_policy);
	bind_number(to, ca->crl_grace);
	bind_text(to, ca->crl_url);
	bind_text(to, ca->crl_failure);
}

/* The only key that can be taken once the census is done is the name. */
static enum res
put_ca(struct store *store, struct binder *to, struct change *change,
    struct diag *why)
{
	enum res r = store_put(store, to, change, why);

	return r == RES_EXISTS ? change_name_taken(change, why) : r;
}

enum res
sqlite_ca_add(struct store *store, struct change *change, struct diag *why)
{
	struct ca_census census = {0};
	struct binder to;
	enum res r;

	r = take_census(store, change, &census, why);
	if (r == RES_OK) {
		r = change_ca_settle(&census, change, why);
	}
	if (r == RES_OK) {
		to = store_start(store, SQL_CA_ADD);
		bind_ca(&to, change->org, change->of.ca);
		r = put_ca(store, &to, change, why);
	}
	return r;
}

/* A statement about the CA of a change, with the values that tell which. */
static struct binder
start_ca(struct store *store, enum sql sql, const struct change *change)
{
	struct binder to = store_start(store, sql);

	bind_text(&to, change->org);
	bind_hash(&to, true, change->of.ca->fingerprint);
	return to;
}

/* The answer where no row of ca was altered; res if the CA is there. */
static enum res
explain_ca(struct store *store, const struct change *change, enum res res,
    struct diag *why)
{
	struct binder to = start_ca(store, SQL_HAS_CA, change);

	return store_explain(store, &to, change, res, why);
}

/* Run a statement that may alter no row; *altered says how many. */
static enum res
run(struct store *store, struct binder *to, int *altered, struct diag *why)
{
	int rc = bind_run(to);

	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "write", why);
	}
	*altered += sqlite3_changes(store->db);
	return RES_OK;
}

static enum res
update_ca(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_SET, change);
	const struct ca_record *ca = change->of.ca;
	enum res r;

	bind_word(&to, ca->name);
	bind_text(&to, ca->description);
	bind_text(&to, ca->scope == NULL ? "[]" : ca->scope);
	bind_word(&to, ca->enrol);
	bind_text(&to, ca->crl_policy);
	bind_number(&to, ca->crl_grace);
	bind_text(&to, ca->crl_url);
	bind_number(&to, ca->rate);
	r = put_ca(store, &to, change, why);
	return r == RES_OK && sqlite3_changes(store->db) == 0
	    ? store_missing(store, change, why)
	    : r;
}

/* What a server said of its list says nothing of another server's. */
enum res
sqlite_ca_set(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_HAS_URL, change);
	bool has_url = false;
	int altered = 0, rc;
	enum res r;

	bind_text(&to, change->of.ca->crl_url);
	rc = store_ask(&to, &has_url);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	r = update_ca(store, change, why);
	if (r == RES_OK && !has_url) {
		to = start_ca(store, SQL_CRL_FORGET, change);
		r = run(store, &to, &altered, why);
	}
	return r;
}

enum res
sqlite_ca_state(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_STATE, change);
	bool has_state = false;
	enum res r;
	int rc;

	bind_text(&to, change->of.ca->state);
	r = store_put(store, &to, change, why);
	if (r != RES_OK || sqlite3_changes(store->db) != 0) {
		return r;
	}
	to = start_ca(store, SQL_CA_HAS_STATE, change);
	bind_text(&to, change->of.ca->state);
	rc = store_ask(&to, &has_state);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	return explain_ca(
	    store, change, has_state ? RES_EXISTS : RES_REFUSED, why);
}

enum res
sqlite_ca_code(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_CODE, change);

	bind_text(&to, change->of.ca->code);
	bind_number(&to, change->of.ca->code_expires_at);
	return store_alter(store, &to, change, why);
}

enum res
sqlite_ca_prove(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_PROVE, change);
	int altered = 0;
	enum res r;

	bind_text(&to, change->of.ca->code);
	bind_number(&to, change->time);
	r = run(store, &to, &altered, why);
	return r == RES_OK && altered == 0
	    ? explain_ca(store, change, RES_REFUSED, why)
	    : r;
}

/* The list that the CA has against the one to be stored. */
static enum res
compare_crl(struct store *store, const struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CRL_GET, change);
	int rc = to.rc == SQLITE_OK ? sqlite3_step(to.stmt) : to.rc;
	char id[HASH_TEXT_MAX + 1] = "?";
	struct crl_record there = {0};
	struct columns from;
	enum res r;

	if (rc == SQLITE_ROW) {
		from = columns_start(to.stmt);
		read_text(&from, id, sizeof(id));
		read_crl(&from, false, &there);
		r = from.res == RES_OK
		    ? change_crl_compare(change, &there, why)
		    : store_broken(store, &from, "CA", id, why);
	} else if (rc == SQLITE_DONE) {
		r = store_missing(store, change, why);
	} else {
		r = store_fail(store, rc, "read", why);
	}
	(void)sqlite3_reset(to.stmt);
	(void)sqlite3_clear_bindings(to.stmt);
	return r;
}

static enum res
put_crl(struct store *store, const struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CRL_SET, change);
	const struct crl_record *crl = &change->of.ca->crl;
	int altered = 0;

	bind_hash(&to, true, crl->fingerprint);
	bind_text(&to, crl->number);
	bind_number(&to, crl->this_update);
	bind_number(&to, crl->next_update);
	bind_number(&to, crl->entries);
	bind_number(&to, crl->stored_at);
	bind_number(&to, crl->fetched);
	bind_time(&to, crl->modified_at);
	bind_number(&to, 0); /* nothing has been told of this one */
	bind_bytes(&to, crl->der, crl->der_len);
	return run(store, &to, &altered, why);
}

enum res
sqlite_ca_crl(struct store *store, struct change *change, struct diag *why)
{
	struct binder to;
	int altered = 0;
	enum res r;

	r = compare_crl(store, change, why);
	if (r == RES_OK) {
		r = put_crl(store, change, why);
	}
	if (r == RES_OK) {
		to = start_ca(store, SQL_CA_CRL, change);
		bind_hash(&to, true, change->of.ca->crl.fingerprint);
		r = run(store, &to, &altered, why);
	}
	return r;
}

enum res
sqlite_ca_crl_checked(
    struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_CRL_CHECKED, change);
	const struct crl_record *crl = &change->of.ca->crl;
	int altered = 0;
	enum res r;

	bind_text(&to, change->of.ca->crl_failure);
	r = run(store, &to, &altered, why);
	if (r == RES_OK && crl->number[0] != '\0') {
		to = start_ca(store, SQL_CRL_FETCHED, change);
		bind_number(&to, crl->fetched);
		bind_time(&to, crl->modified_at);
		bind_hash(&to, true, crl->fingerprint);
		r = run(store, &to, &altered, why);
	}
	return r == RES_OK && altered == 0
	    ? explain_ca(store, change, RES_EXISTS, why)
	    : r;
}

/* A list that came in between has its own end: it is left alone. */
enum res
sqlite_ca_told(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_TOLD, change);
	const struct crl_record *crl = &change->of.ca->crl;
	int altered = 0;
	enum res r;

	bind_number(&to, change->of.ca->told);
	r = run(store, &to, &altered, why);
	if (r == RES_OK && crl->der != NULL) {
		to = start_ca(store, SQL_CRL_TOLD, change);
		bind_number(&to, crl->told);
		bind_hash(&to, true, crl->fingerprint);
		r = run(store, &to, &altered, why);
	}
	return r == RES_OK && altered == 0
	    ? explain_ca(store, change, RES_EXISTS, why)
	    : r;
}

enum res
sqlite_ca_remove(struct store *store, struct change *change, struct diag *why)
{
	struct binder to = start_ca(store, SQL_CA_REMOVE, change);

	return store_alter(store, &to, change, why);
}
