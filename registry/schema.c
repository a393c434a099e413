/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <inttypes.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

/*
 * What keeps the tallies: nobody can change a device, this program or another,
 * without them.  A type is an identity up to the second colon.  Of an org that
 * is removed, the devices may go before the tallies or after, so that counting
 * down never makes a row.
 */
#define TYPE_OF(row)                                                           \
	"substr(" row ".identity, 1, 1 + instr(substr(" row                    \
	".identity, 3), ':'))"
#define COUNT_UP                                                               \
	"INSERT INTO tally (org, type, state, seen_with, count) "              \
	"VALUES (NEW.org, " TYPE_OF(                                           \
	    "NEW") ", NEW.state, NEW.seen_with, 1) "                           \
	           "ON CONFLICT (org, type, state, seen_with) "                \
	           "DO UPDATE SET count = count + 1; "
#define OLD_TALLY                                                              \
	"WHERE org = OLD.org AND type = " TYPE_OF(                             \
	    "OLD") " "                                                         \
	           "AND state = OLD.state AND seen_with = OLD.seen_with"
#define COUNT_DOWN                                                             \
	"UPDATE tally SET count = count - 1 " OLD_TALLY "; "                   \
	"DELETE FROM tally " OLD_TALLY " AND count = 0; "
#define TRIGGER_ADDED                                                          \
	"CREATE TRIGGER device_added AFTER INSERT ON device "                  \
	"BEGIN " COUNT_UP "END"
#define TRIGGER_REMOVED                                                        \
	"CREATE TRIGGER device_removed AFTER DELETE ON device "                \
	"BEGIN " COUNT_DOWN "END"
#define TRIGGER_ALTERED                                                        \
	"CREATE TRIGGER device_altered "                                       \
	"AFTER UPDATE OF org, identity, state, seen_with ON device "           \
	"WHEN OLD.org <> NEW.org OR OLD.identity <> NEW.identity "             \
	"OR OLD.state <> NEW.state OR OLD.seen_with <> NEW.seen_with "         \
	"BEGIN " COUNT_DOWN COUNT_UP "END"

/*
 * migrations[n] leads from schema n to n + 1, statement by statement; the first
 * makes an empty file a registry.  Text that has been released is never
 * changed, only added to.
 *
 * A time without a value is NULL; one without an end is the largest integer.
 * ca.crl_fingerprint names the row that must be in crl, so that a CA whose list
 * got lost is noticed rather than trusted without it; der stands last in crl,
 * so that the rest is read without touching its pages.
 * In device, the indexes beside the key hold: one name whatever its case, the
 * devices of one state in order, those of one gateway, those that connected in
 * one way, those that are locked, and those of which a certificate waits for
 * approval.
 */
static const char *const first_schema[] = {
    "CREATE TABLE org ("
    " name TEXT NOT NULL PRIMARY KEY,"
    " created_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO org VALUES ('" ORG_DEFAULT "', unixepoch());"

    "CREATE TABLE ca ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " fingerprint BLOB NOT NULL,"
    " id TEXT NOT NULL,"
    " der BLOB NOT NULL,"
    " subject TEXT NOT NULL,"
    " not_before INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL,"
    " name TEXT,"
    " description TEXT,"
    " state TEXT NOT NULL,"
    " scope TEXT NOT NULL,"
    " enrol TEXT,"
    " rate INTEGER NOT NULL,"
    " tags TEXT NOT NULL,"
    " added_at INTEGER NOT NULL,"
    " code TEXT,"
    " code_expires_at INTEGER,"
    " told INTEGER NOT NULL,"
    " crl_policy TEXT NOT NULL,"
    " crl_grace INTEGER NOT NULL,"
    " crl_url TEXT,"
    " crl_failure TEXT,"
    " crl_fingerprint BLOB,"
    " PRIMARY KEY (org, fingerprint),"
    " UNIQUE (org, id),"
    " UNIQUE (org, name)"
    ") STRICT;"

    "CREATE TABLE crl ("
    " org TEXT NOT NULL,"
    " fingerprint BLOB NOT NULL,"
    " crl_fingerprint BLOB NOT NULL,"
    " number TEXT NOT NULL,"
    " this_update INTEGER NOT NULL,"
    " next_update INTEGER NOT NULL,"
    " entries INTEGER NOT NULL,"
    " stored_at INTEGER NOT NULL,"
    " fetched INTEGER NOT NULL,"
    " modified_at INTEGER,"
    " told INTEGER NOT NULL,"
    " der BLOB NOT NULL,"
    " PRIMARY KEY (org, fingerprint),"
    " FOREIGN KEY (org, fingerprint) REFERENCES ca ON DELETE CASCADE"
    ") STRICT;",

    "CREATE TABLE type ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " type TEXT NOT NULL,"
    " enrol TEXT,"
    " window INTEGER,"
    " id_format TEXT,"
    " id_length INTEGER NOT NULL,"
    " id_prefix TEXT,"
    " pin TEXT,"
    " rotate TEXT,"
    " overlap INTEGER,"
    " max_devices INTEGER NOT NULL,"
    " addresses TEXT,"
    " privileged INTEGER NOT NULL,"
    " PRIMARY KEY (org, type)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE rule ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " who TEXT NOT NULL,"
    " level TEXT NOT NULL,"
    " PRIMARY KEY (org, who)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE topic ("
    " seq INTEGER PRIMARY KEY,"
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " who TEXT NOT NULL,"
    " access TEXT NOT NULL,"
    " filter TEXT NOT NULL,"
    " UNIQUE (org, who, access, filter)"
    ") STRICT;"

    "CREATE TABLE setting ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " key TEXT NOT NULL,"
    " value TEXT NOT NULL,"
    " PRIMARY KEY (org, key)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE device ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " identity TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " locked INTEGER NOT NULL,"
    " created_at INTEGER,"
    " provisioned_at INTEGER,"
    " last_seen_at INTEGER,"
    " window_ends_at INTEGER,"
    " last_address TEXT,"
    " seen_with INTEGER NOT NULL,"
    " token TEXT,"
    " pins TEXT,"
    " gateway TEXT,"
    " ca BLOB,"
    " fingerprint BLOB,"
    " serial TEXT,"
    " not_after INTEGER,"
    " subject TEXT,"
    " tags TEXT,"
    " info TEXT,"
    " PRIMARY KEY (org, identity)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX device_nocase"
    " ON device (org, identity COLLATE NOCASE);"
    "CREATE INDEX device_state ON device (org, state, identity);"
    "CREATE INDEX device_gateway ON device (org, gateway, identity)"
    " WHERE gateway IS NOT NULL;"
    "CREATE INDEX device_seen ON device (org, seen_with, identity);"
    "CREATE INDEX device_locked ON device (org, identity)"
    " WHERE locked <> 0;"
    "CREATE INDEX device_waiting ON device (org, identity)"
    " WHERE instr(pins, 'w') > 0;",

    "CREATE TABLE tally ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " type TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " seen_with INTEGER NOT NULL,"
    " count INTEGER NOT NULL,"
    " PRIMARY KEY (org, type, state, seen_with)"
    ") STRICT, WITHOUT ROWID;",
    TRIGGER_ADDED,
    TRIGGER_REMOVED,
    TRIGGER_ALTERED,

    "CREATE TABLE hook ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " id TEXT NOT NULL,"
    " url TEXT NOT NULL,"
    " kinds TEXT NOT NULL,"
    " format TEXT NOT NULL,"
    " secret TEXT,"
    " ca_pem TEXT,"
    " created_at INTEGER NOT NULL,"
    " cursor INTEGER NOT NULL,"
    " delivered INTEGER NOT NULL,"
    " dropped INTEGER NOT NULL,"
    " failure TEXT,"
    " failing_since INTEGER,"
    " PRIMARY KEY (org, id)"
    ") STRICT;"

    "CREATE TABLE admin ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " added_at INTEGER NOT NULL,"
    " PRIMARY KEY (org, name)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE metrics ("
    " source TEXT NOT NULL PRIMARY KEY,"
    " written_at INTEGER NOT NULL,"
    " body TEXT NOT NULL"
    ") STRICT;"

    "CREATE TABLE event ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " time INTEGER NOT NULL,"
    " actor TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " detail TEXT"
    ") STRICT;"
    "CREATE INDEX event_org ON event (org);"
    "CREATE INDEX event_time ON event (org, time);"
    "CREATE INDEX event_kind ON event (org, kind);",
    NULL,
};
static const char *const *const migrations[REGISTRY_SCHEMA] = {first_schema};

/* quick_check reads a whole table, so only those that stay small.  What is
 * damaged in crl, which may hold CRL_BYTES_MAX for each CA, shows when it is
 * loaded: a row that is broken, or that is missing although its CA names it,
 * is an error, and whoever reads the DER finds out about its bytes. */
static const char *const small_tables[] = {
    "org", "ca", "type", "rule", "topic", "setting", "tally", "hook", "admin"};

static int
migrate_once(struct store *store, const char *const *statements)
{
	int rc = SQLITE_OK;

	for (; rc == SQLITE_OK && *statements != NULL; statements++) {
		rc = store_exec(store, *statements);
	}
	return rc;
}

static enum res
set_numbers(struct store *store, struct diag *why)
{
	char text[128];
	int rc;

	(void)sqlite3_snprintf(sizeof(text), text,
	    "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    REGISTRY_APPLICATION_ID, REGISTRY_SCHEMA);
	rc = store_exec(store, text);
	return rc == SQLITE_OK ? RES_OK : store_fail(store, rc, "write", why);
}

enum res
schema_migrate(struct store *store, int64_t from, struct diag *why)
{
	int64_t now = 0;
	int rc;
	enum res r;

	rc = store_exec(store, "BEGIN IMMEDIATE");
	if (rc == SQLITE_OK) {
		rc = store_number(store, "PRAGMA user_version", &now);
	}
	/* Another program may have come first: then there is less to do. */
	for (from = now > from ? now : from;
	     rc == SQLITE_OK && from < REGISTRY_SCHEMA; from++) {
		rc = migrate_once(store, migrations[from]);
	}
	if (rc != SQLITE_OK) {
		r = store_fail(store, rc, "write", why);
		goto out;
	}
	r = set_numbers(store, why);
	if (r != RES_OK) {
		goto out;
	}
	rc = store_exec(store, "COMMIT");
	if (rc != SQLITE_OK) {
		r = store_fail(store, rc, "write", why);
	}
out:
	if (r != RES_OK) {
		store_rollback(store);
	}
	return r;
}

enum res
schema_check_numbers(const struct store *store, int64_t application_id,
    int64_t version, struct diag *why)
{
	if (application_id != REGISTRY_APPLICATION_ID || version < 1) {
		return diag_res(why, RES_CORRUPT,
		    "%s is not a certid registry: name another file, or create "
		    "one with \"certid --registry PATH init\"",
		    store->path);
	}
	if (version > REGISTRY_SCHEMA) {
		return diag_res(why, RES_CORRUPT,
		    "%s was written by a newer certid (schema %" PRId64 "); "
		    "this one reads up to %d: upgrade",
		    store->path, version, REGISTRY_SCHEMA);
	}
	if (version < REGISTRY_SCHEMA && store->mode == REGISTRY_READ) {
		return diag_res(why, RES_CORRUPT,
		    "%s was written by an older certid (schema %" PRId64 "; "
		    "this one reads %d): any certid command that changes it "
		    "brings it up to date",
		    store->path, version, REGISTRY_SCHEMA);
	}
	return RES_OK;
}

static enum res
damaged(const struct store *store, const char *what, struct diag *why)
{
	return diag_res(why, RES_CORRUPT,
	    "%s is damaged (%s): restore it from a backup", store->path, what);
}

static enum res
check_table(struct store *store, const char *table, struct diag *why)
{
	sqlite3_stmt *stmt = NULL;
	const char *said;
	enum res r = RES_OK;
	char text[64];
	int rc;

	(void)sqlite3_snprintf(
	    sizeof(text), text, "PRAGMA quick_check(%Q)", table);
	rc = sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	if (rc != SQLITE_ROW) {
		r = store_fail(store, rc, "read", why);
		goto out;
	}
	said = (const char *)sqlite3_column_text(stmt, 0);
	if (said == NULL || sqlite3_stricmp(said, "ok") != 0) {
		r = damaged(store, said == NULL ? table : said, why);
	}
out:
	(void)sqlite3_finalize(stmt);
	return r;
}

/* A query that is prepared when it is asked. */
static int
check_query(struct store *store, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL);

	(void)sqlite3_finalize(stmt);
	return rc;
}

/* A statement names its tables, columns and index: it does not prepare where
 * one is missing. */
static int
check_statements(struct store *store)
{
	static const struct device_query some[] = {
	    {.has_seen_with = true},
	    {.is_locked = true},
	    {.is_waiting = true},
	    {.is_lapsed = true},
	};
	struct device_query devices = {.has_state = true, .full = true};
	struct event_query query = {.org = ORG_DEFAULT};
	const struct identity nobody = {.id = ""};
	size_t i;
	int sql, rc = SQLITE_OK;
	int end = store->mode == REGISTRY_READ ? SQL_READ_COUNT : SQL_COUNT;

	for (sql = 0; rc == SQLITE_OK && sql < end; sql++) {
		if (store_statement(store, (enum sql)sql) == NULL) {
			rc = sqlite3_errcode(store->db);
		}
	}
	if (rc == SQLITE_OK) {
		rc = check_query(store, sql_scan(&devices));
	}
	devices.gateway = &nobody;
	if (rc == SQLITE_OK) {
		rc = check_query(store, sql_scan(&devices));
	}
	for (i = 0; rc == SQLITE_OK && i < sizeof(some) / sizeof(some[0]);
	     i++) {
		rc = check_query(store, sql_count(&some[i]));
	}
	if (rc == SQLITE_OK) {
		rc = check_query(store, sql_tallies(true));
	}
	if (rc == SQLITE_OK) {
		rc = check_query(store, sql_metrics());
	}
	if (rc == SQLITE_OK) {
		rc = check_query(store, sql_events(&query));
	}
	query.kind = "";
	if (rc == SQLITE_OK) {
		rc = check_query(store, sql_events(&query));
	}
	return rc;
}

/* The triggers are ours, all of them and no other, word for word: what they do
 * is done with every change. */
static enum res
check_triggers(struct store *store, struct diag *why)
{
	static const char *const ours[] = {
	    TRIGGER_ADDED, TRIGGER_REMOVED, TRIGGER_ALTERED};
	const size_t count = sizeof(ours) / sizeof(ours[0]);
	int64_t all = 0, same = 0;
	struct binder to;
	size_t i;
	int rc;

	rc = store_number(store,
	    "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'", &all);
	for (i = 0; rc == SQLITE_OK && i < count; i++) {
		bool found = false;

		to = store_start(store, SQL_HAS_TRIGGER);
		bind_text(&to, ours[i]);
		rc = store_ask(&to, &found);
		same += found;
	}
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "read", why);
	}
	return all == (int64_t)count && same == all
	    ? RES_OK
	    : damaged(store, "its triggers are not those of a registry", why);
}

enum res
schema_check(struct store *store, struct diag *why)
{
	int rc = check_statements(store);
	enum res r = RES_OK;
	size_t i;

	if (rc != SQLITE_OK) {
		return (rc & 0xff) == SQLITE_ERROR
		    ? damaged(store, sqlite3_errmsg(store->db), why)
		    : store_fail(store, rc, "read", why);
	}
	for (i = 0;
	     r == RES_OK && i < sizeof(small_tables) / sizeof(small_tables[0]);
	     i++) {
		r = check_table(store, small_tables[i], why);
	}
	return r == RES_OK ? check_triggers(store, why) : r;
}
