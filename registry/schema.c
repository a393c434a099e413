/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <inttypes.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

/*
 * migrations[n] leads from schema n to n + 1; the first makes an empty file a
 * registry.  Text that has been released is never changed, only added to.
 *
 * A time without a value is NULL; one without an end is the largest integer.
 * ca.crl_fingerprint names the row that must be in crl, so that a CA whose list
 * got lost is noticed rather than trusted without it; der stands last in crl,
 * so that the rest is read without touching its pages.
 * In device, the two indexes beside the key hold: one name whatever its case,
 * and the devices of one state in order.
 */
static const char *const migrations[REGISTRY_SCHEMA] = {
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
    ") STRICT;"

    "CREATE TABLE type ("
    " org TEXT NOT NULL REFERENCES org ON DELETE CASCADE,"
    " type TEXT NOT NULL,"
    " enrol TEXT,"
    " window INTEGER,"
    " id_format TEXT,"
    " id_length INTEGER NOT NULL,"
    " id_prefix TEXT,"
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
    "CREATE INDEX event_kind ON event (org, kind);",
};

/* quick_check reads a whole table, so only those that stay small.  What is
 * damaged in crl, which may hold CRL_BYTES_MAX for each CA, shows when it is
 * loaded: a row that is broken, or that is missing although its CA names it,
 * is an error, and whoever reads the DER finds out about its bytes. */
static const char *const small_tables[] = {
    "org", "ca", "type", "rule", "topic", "setting"};

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
		rc = store_exec(store, migrations[from]);
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
	struct event_query query = {.org = ORG_DEFAULT};
	int sql, rc = SQLITE_OK;
	int end = store->mode == REGISTRY_READ ? SQL_READ_COUNT : SQL_COUNT;

	for (sql = 0; rc == SQLITE_OK && sql < end; sql++) {
		if (store_statement(store, (enum sql)sql) == NULL) {
			rc = sqlite3_errcode(store->db);
		}
	}
	if (rc == SQLITE_OK) {
		rc = check_query(store, sql_scan(true, true));
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
	return r;
}
