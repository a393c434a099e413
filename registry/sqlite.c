/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

#define WAL_KEPT                                                               \
	"67108864"          /* bytes of the log that stay after a checkpoint   \
	                     */
#define CACHE_READ "-2000"  /* KiB */
#define CACHE_EDIT "-16000" /* an import touches pages all over the indexes */

static const struct {
	int rc;
	enum res res;
	const char *advice;
} failures[] = {
    {SQLITE_NOMEM, RES_NOMEM, "free some memory"},
    {SQLITE_CORRUPT, RES_CORRUPT, "restore it from a backup"},
    {SQLITE_NOTADB, RES_CORRUPT, "name a certid registry"},
    {SQLITE_BUSY, RES_BUSY, "somebody else is writing to it: try again"},
    {SQLITE_FULL, RES_UNAVAIL, "make room on the disk"},
    {SQLITE_IOERR, RES_UNAVAIL, "look at the disk"},
    {SQLITE_CANTOPEN, RES_UNAVAIL,
        "run this as the user who owns it, or as root"},
    {SQLITE_READONLY, RES_UNAVAIL,
        "run this as the user who owns it, or as root"},
};

enum res
store_fail(
    const struct store *store, int rc, const char *verb, struct diag *why)
{
	const char *advice = "try again", *said = sqlite3_errstr(rc & 0xff);
	enum res r = RES_UNAVAIL;
	int system = 0;
	size_t i;

	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].rc == (rc & 0xff)) {
			r = failures[i].res;
			advice = failures[i].advice;
		}
	}
	if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_IOERR) {
		system = sqlite3_system_errno(store->db);
	}
	/* A reader waits for nobody: it could not look. */
	if (r == RES_BUSY && store->mode == REGISTRY_READ) {
		r = RES_UNAVAIL;
	}
	return diag_res(why, r, "cannot %s %s: %s: %s", verb, store->path,
	    system != 0 ? strerror(system) : said, advice);
}

struct sqlite3_stmt *
store_statement(struct store *store, enum sql sql)
{
	sqlite3_stmt **at = &store->prepared[sql];

	if (*at == NULL) {
		(void)sqlite3_prepare_v3(store->db, sql_text(sql), -1,
		    SQLITE_PREPARE_PERSISTENT, at, NULL);
	}
	return *at;
}

int
store_run(struct store *store, enum sql sql)
{
	struct binder to = bind_start(store_statement(store, sql));

	return bind_run(&to);
}

int
store_exec(struct store *store, const char *text)
{
	return sqlite3_exec(store->db, text, NULL, NULL, NULL);
}

int
store_number(struct store *store, const char *text, int64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	rc = sqlite3_prepare_v2(store->db, text, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(stmt, 0);
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE) {
		rc = SQLITE_ERROR;
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

void
store_rollback(struct store *store)
{
	/* SQLite may have rolled back by itself: disk full, no memory. */
	if (sqlite3_get_autocommit(store->db) == 0) {
		(void)store_exec(store, "ROLLBACK");
	}
}

static int
read_numbers(struct store *store, int64_t *application_id, int64_t *version)
{
	int rc = store_number(store, "PRAGMA application_id", application_id);

	return rc == SQLITE_OK
	    ? store_number(store, "PRAGMA user_version", version)
	    : rc;
}

/*
 * Whether the file is ours, before anything else: an immutable file is opened
 * without locks, log or index, so that a file that is not ours, or that a
 * newer certid wrote, is left as it is and nothing appears beside it.  Reading
 * its header with read() would do so too, but close() drops every lock that
 * this process has on the file (POSIX), and the broker has it open.
 */
static enum res
peek(struct store *store, struct diag *why)
{
	int64_t application_id = 0, version = 0;
	char *uri = file_uri(store);
	enum res r = RES_OK;
	int rc;

	if (uri == NULL) {
		return diag_res(why, RES_NOMEM, "no memory left");
	}
	rc = sqlite3_open_v2(uri, &store->db,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
	        SQLITE_OPEN_NOFOLLOW,
	    NULL);
	if (rc == SQLITE_OK) {
		rc = read_numbers(store, &application_id, &version);
	}
	/* Any other failure is for the true opening to judge: half-way through
	 * a checkpoint the file alone looks damaged. */
	if (rc == SQLITE_OK || rc == SQLITE_NOTADB) {
		r = schema_check_numbers(store, application_id, version, why);
	}
	(void)sqlite3_close(store->db);
	store->db = NULL;
	free(uri);
	return r;
}

/* Nothing that the file says makes SQLite do more than read and write rows. */
static int
harden(struct store *store, int busy_ms)
{
	static const struct {
		int option, on;
	} options[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, /* until they are known */
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
	    /* Until it is known whose file it is, leave it as it is. */
	    {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
	};
	int rc = sqlite3_busy_timeout(store->db, busy_ms);
	size_t i;

	for (i = 0; rc == SQLITE_OK && i < sizeof(options) / sizeof(options[0]);
	     i++) {
		rc = sqlite3_db_config(
		    store->db, options[i].option, options[i].on, NULL);
	}
	(void)sqlite3_limit(store->db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_extended_result_codes(store->db, 1);
	return rc;
}

/* What undoes a statement is kept in memory, as temp_store says: with the
 * triggers each has some pages of it, and a file for it takes longer than all
 * the rest.  No statement touches more than a few thousand rows. */
static enum res
open_file(struct store *store, int busy_ms, struct diag *why)
{
	bool edits = store->mode != REGISTRY_READ;
	int rc;

	rc = sqlite3_open_v2(store->real, &store->db,
	    (edits ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
	        SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
	    NULL);
	if (rc == SQLITE_OK) {
		rc = harden(store, busy_ms);
	}
	if (rc == SQLITE_OK) {
		rc = store_exec(store,
		    edits ? "PRAGMA cell_size_check = ON;"
		            "PRAGMA synchronous = FULL;"
		            "PRAGMA journal_size_limit = " WAL_KEPT ";"
		            "PRAGMA temp_store = MEMORY;"
		            "PRAGMA cache_size = " CACHE_EDIT
		          : "PRAGMA cell_size_check = ON;"
		            "PRAGMA query_only = ON;"
		            "PRAGMA cache_size = " CACHE_READ);
	}
	/* READWRITE falls back to reading where the file does not allow it. */
	if (rc == SQLITE_OK && edits &&
	    sqlite3_db_readonly(store->db, "main") != 0) {
		rc = SQLITE_READONLY;
	}
	return rc == SQLITE_OK ? RES_OK : store_fail(store, rc, "open", why);
}

/* Readers beside a writer need the log.  It is turned on after the schema is
 * there: until then the file itself holds everything. */
static enum res
log_on(struct store *store, struct diag *why)
{
	sqlite3_stmt *stmt = NULL;
	const char *mode = NULL;
	enum res r = RES_OK;
	int rc;

	rc = sqlite3_prepare_v2(
	    store->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	if (rc == SQLITE_ROW) {
		mode = (const char *)sqlite3_column_text(stmt, 0);
	} else {
		r = store_fail(store, rc, "open", why);
	}
	if (r == RES_OK && (mode == NULL || strcmp(mode, "wal") != 0)) {
		r = diag_res(why, RES_UNAVAIL,
		    "%s cannot have a write-ahead log where it is: move it to "
		    "a local file system",
		    store->path);
	}
	(void)sqlite3_finalize(stmt);
	return r;
}

/* What peek() saw may be older than the log, or another program may have
 * migrated the file since. */
static enum res
settle(struct store *store, struct diag *why)
{
	int64_t application_id = 0, version = 0;
	enum res r;
	int rc;

	rc = read_numbers(store, &application_id, &version);
	if (rc != SQLITE_OK) {
		return store_fail(store, rc, "open", why);
	}
	r = schema_check_numbers(store, application_id, version, why);
	if (r == RES_OK && version < REGISTRY_SCHEMA) {
		r = schema_migrate(store, version, why);
	}
	return r;
}

/* It is a registry, and its triggers are ours. */
static enum res
let_write(struct store *store, struct diag *why)
{
	int rc = sqlite3_db_config(
	    store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_db_config(
		    store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
	}
	return rc == SQLITE_OK ? RES_OK : store_fail(store, rc, "open", why);
}

static enum res
sqlite_open(
    void *self, const struct registry_options *options, struct diag *why)
{
	struct store *store = self;
	bool create = options->mode == REGISTRY_CREATE;
	enum res r;

	store->mode = options->mode;
	store->path = strdup(options->path);
	if (store->path == NULL) {
		return diag_res(why, RES_NOMEM, "no memory left");
	}
	r = create ? file_create(store, why) : file_check(store, why);
	if (r == RES_OK && !create) {
		r = peek(store, why);
	}
	if (r == RES_OK) {
		r = open_file(store, options->busy_ms, why);
	}
	if (r == RES_OK) {
		r = create ? schema_migrate(store, 0, why) : settle(store, why);
	}
	if (r == RES_OK && store->mode != REGISTRY_READ) {
		r = log_on(store, why);
	}
	if (r == RES_OK) {
		r = schema_check(store, why);
	}
	if (r == RES_OK && store->mode != REGISTRY_READ) {
		r = let_write(store, why);
	}
	store->unfinished = store->unfinished && r != RES_OK;
	return r;
}

static void
sqlite_close(void *self)
{
	struct store *store = self;
	size_t i;

	for (i = 0; i < SQL_COUNT; i++) {
		(void)sqlite3_finalize(store->prepared[i]);
	}
	(void)sqlite3_close(store->db);
	if (store->unfinished) {
		file_remove(store);
	}
	free(store->path);
	free(store->real);
}

const struct backend backend_sqlite = {
    .name = "sqlite",
    .size = sizeof(struct store),
    .open = sqlite_open,
    .close = sqlite_close,
    .load = sqlite_load,
    .get = sqlite_get,
    .scan = sqlite_scan,
    .count = sqlite_count,
    .tally = sqlite_tally,
    .metrics = sqlite_metrics,
    .events = sqlite_events,
    .event_before = sqlite_event_before,
    .apply = sqlite_apply,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .mark = sqlite_mark,
};
