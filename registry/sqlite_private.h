/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sqlite_private: what the files of the SQLite back end share; nobody else
 * includes it.
 */
#ifndef REGISTRY_SQLITE_PRIVATE_H
#define REGISTRY_SQLITE_PRIVATE_H

#include "registry/backend.h"

struct sqlite3;
struct sqlite3_stmt;

#define REGISTRY_APPLICATION_ID 0x63657274 /* "cert" */

/* Statements that are prepared once; their text is in sqlite_sql.c. */
enum sql {
	SQL_BEGIN_READ = 0,
	SQL_END,
	SQL_DATA_VERSION,
	SQL_MARK,
	SQL_ORGS,
	SQL_CAS,
	SQL_TYPES,
	SQL_RULES,
	SQL_TOPICS,
	SQL_SETTINGS,
	SQL_HOOKS,
	SQL_ADMINS,
	SQL_HAS_TRIGGER,
	SQL_SUM,
	SQL_SUM_TYPE,
	SQL_GET,
	SQL_GET_FULL,
	SQL_EVENT_BEFORE,
	SQL_READ_COUNT, /* the ones above only read */

	SQL_BEGIN_WRITE = SQL_READ_COUNT,
	SQL_COMMIT,
	SQL_HAS_ORG,
	SQL_HAS_CA,
	SQL_HAS_DEVICE,
	SQL_CA_CENSUS,
	SQL_LIMITS,
	SQL_GATEWAY_CENSUS,
	SQL_HOOK_CENSUS,
	SQL_ADMIN_CENSUS,
	SQL_TOPIC_CENSUS,
	SQL_ORG_ADD,
	SQL_ORG_REMOVE,
	SQL_ORG_DEVICES,
	SQL_ORG_EVENTS,
	SQL_CA_ADD,
	SQL_CA_HAS_URL,
	SQL_CA_SET,
	SQL_CA_HAS_STATE,
	SQL_CA_STATE,
	SQL_CA_CODE,
	SQL_CA_PROVE,
	SQL_CA_CRL_CHECKED,
	SQL_CA_TOLD,
	SQL_CA_CRL,
	SQL_CA_REMOVE,
	SQL_CRL_GET,
	SQL_CRL_SET,
	SQL_CRL_FORGET,
	SQL_CRL_TOLD,
	SQL_CRL_FETCHED,
	SQL_TYPE_SET,
	SQL_TYPE_UNSET,
	SQL_RULE_SET,
	SQL_RULE_UNSET,
	SQL_TOPIC_ADD,
	SQL_TOPIC_REMOVE,
	SQL_SETTING_SET,
	SQL_DEVICE_ADD,
	SQL_DEVICE_PROMOTE,
	SQL_DEVICE_LOCK,
	SQL_DEVICE_APPROVE,
	SQL_DEVICE_REMOVE,
	SQL_DEVICE_SEEN,
	SQL_DEVICE_SEEN_WITH,
	SQL_DEVICE_FIRST_CERT,
	SQL_DEVICE_TOKEN,
	SQL_DEVICE_PINS,
	SQL_DEVICE_HAS_PINS,
	SQL_DEVICE_PLACE,
	SQL_DEVICE_HAS_GATEWAY,
	SQL_DEVICE_ATTACH,
	SQL_DEVICE_SET,
	SQL_DEVICE_IS_ALLOWED,
	SQL_GATEWAY_DETACH,
	SQL_HOOK_ADD,
	SQL_HAS_HOOK,
	SQL_HOOK_REMOVE,
	SQL_HOOK_PROGRESS,
	SQL_ADMIN_ADD,
	SQL_HAS_ADMIN,
	SQL_ADMIN_REMOVE,
	SQL_METRICS_SET,
	SQL_METRICS_PURGE,
	SQL_EVENTS_PURGE,
	SQL_EVENT_ADD,
	SQL_COUNT,
};

/* The text of one, and of the queries that are prepared when asked. */
const char *sql_text(enum sql sql);
const char *sql_scan(const struct device_query *query);
const char *sql_count(const struct device_query *query); /* not by tallies */
const char *sql_tallies(bool has_type);
const char *sql_metrics(void);
const char *sql_events(const struct event_query *query);

/* How many devices an org may have, of one type and in all; 0: no limit. */
struct limits {
	bool is_known; /* the last one asked for, and nothing changed since */
	char org[NAME_MAX_LEN + 1];
	struct device_type type;
	int64_t of_type, of_org;
};

struct store {
	struct sqlite3 *db;
	struct sqlite3_stmt *prepared[SQL_COUNT];
	char *path; /* as it was given, for sentences */
	char *real; /* absolute, its directory without symbolic links */
	enum registry_mode mode;
	bool unfinished;     /* being created: close() takes it away */
	bool made_directory; /* by us, for this file */
	bool is_open;        /* between sqlite_begin() and its end */
	bool has_mark;       /* mark is right for data_version */
	int64_t data_version, mark;
	struct limits limits; /* of this transaction */
};

/* sqlite.c: a failure of SQLite as res and sentence; verb: "read". */
enum res store_fail(
    const struct store *store, int rc, const char *verb, struct diag *why);
/* A prepared statement, reset and without values. */
struct sqlite3_stmt *store_statement(struct store *store, enum sql sql);
/* Run one that gives no row. */
int store_run(struct store *store, enum sql sql);
int store_exec(struct store *store, const char *text);
/* The integer that a statement without parameters gives. */
int store_number(struct store *store, const char *text, int64_t *out);
/* sqlite_read.c: the integer of a prepared one, or *out as it was without a
 * row. */
int store_step_number(struct sqlite3_stmt *stmt, int64_t *out);
void store_rollback(struct store *store);

/* schema.c: lead the open file from schema `from` (0: an empty file) to
 * REGISTRY_SCHEMA, in one transaction. */
MUST_CHECK enum res schema_migrate(
    struct store *store, int64_t from, struct diag *why);
/* The file's number and tables, before anything else is read. */
MUST_CHECK enum res schema_check(struct store *store, struct diag *why);
/* application_id and user_version fit; why says what to do otherwise. */
MUST_CHECK enum res schema_check_numbers(const struct store *store,
    int64_t application_id, int64_t version, struct diag *why);

/* sqlite_file.c: the file as the file system shows it. */
MUST_CHECK enum res file_check(struct store *store, struct diag *why);
MUST_CHECK enum res file_create(struct store *store, struct diag *why);
void file_remove(const struct store *store);
/* "file:...?immutable=1" of store->real; NULL: no memory. */
char *file_uri(const struct store *store);

/*
 * sqlite_row.c: values into a statement, or columns out of a row, one after
 * the other.  The first failure is remembered and what follows does nothing.
 */
struct binder {
	struct sqlite3_stmt *stmt;
	int at, rc;
};

struct binder bind_start(struct sqlite3_stmt *stmt);
void bind_text(struct binder *to, const char *text); /* NULL is NULL */
void bind_word(struct binder *to, const char *text); /* "" is NULL */
void bind_number(struct binder *to, int64_t number);
void bind_time(struct binder *to, int64_t when); /* CLOCK_NONE is NULL */
void bind_bytes(struct binder *to, const void *bytes, size_t len);
void bind_hash(struct binder *to, bool has, const uint8_t *hash);
/* Text must live until the step. */
void bind_identity(struct binder *to, const struct identity *who,
    char text[IDENTITY_TEXT_MAX + 1]);
void bind_type(struct binder *to, const struct device_type *type,
    char text[TYPE_TEXT_MAX + 1]);
/* Of a device: NULL without one. */
void bind_gateway(struct binder *to, const struct device *device,
    char text[IDENTITY_TEXT_MAX + 1]);
void bind_pins(struct binder *to, const struct pins *pins,
    char text[PINS_TEXT_MAX + 1]); /* none is NULL */
void bind_token(struct binder *to, const struct token_hash *token,
    char text[TOKEN_HASH_TEXT_MAX + 1]); /* none is NULL */
/* Step to the end of a statement that gives no row, and reset it. */
int bind_run(struct binder *to);

struct columns {
	struct sqlite3_stmt *stmt;
	int at;
	enum res res;       /* RES_CORRUPT or RES_NOMEM */
	const char *broken; /* name of the column */
};

struct columns columns_start(struct sqlite3_stmt *stmt);
void read_text(struct columns *from, char *to, size_t size);
void read_word(struct columns *from, char *to, size_t size); /* or NULL: "" */
void read_string(struct columns *from, char **to);
void read_string_or_null(struct columns *from, char **to);
void read_number(struct columns *from, int64_t low, int64_t high, int64_t *to);
void read_time(struct columns *from, int64_t *to); /* NULL is CLOCK_NONE */
void read_bool(struct columns *from, bool *to);
void read_hash(struct columns *from, uint8_t to[HASH_LEN]);
void read_hash_or_null(struct columns *from, bool *has, uint8_t to[HASH_LEN]);
void read_bytes(struct columns *from, uint8_t **to, size_t *len);
void read_identity(struct columns *from, struct identity *to);
void read_type(struct columns *from, struct device_type *to);
void read_state(struct columns *from, enum device_state *to);
void read_seen_with(struct columns *from, unsigned *to);
void read_pins(struct columns *from, struct pins *to);        /* or NULL */
void read_token(struct columns *from, struct token_hash *to); /* or NULL */
void read_gateway(struct columns *from, bool *has, struct identity *to);
/* Note that the column just read breaks its grammar. */
void columns_break(struct columns *from);

/* The text of a row's first column, for a sentence. */
const char *store_key(struct sqlite3_stmt *stmt);
/* The sentence for a row that does not read back; table: "device". */
enum res store_broken(const struct store *store, const struct columns *columns,
    const char *table, const char *key, struct diag *why);

/*
 * sqlite_write.c: steps of one change.  A change writes with one statement, or
 * only after the last of its questions: one that is answered "no" has written
 * nothing, so that no savepoint is needed around it.
 */
typedef enum res write_change(
    struct store *store, struct change *change, struct diag *why);

struct binder store_start(struct store *store, enum sql sql);
/* Whether a statement with its values gives a row. */
MUST_CHECK int store_ask(struct binder *to, bool *found);
/* Run a statement that puts something there. */
MUST_CHECK enum res store_put(struct store *store, struct binder *to,
    const struct change *change, struct diag *why);
/* Run a statement that must find a row. */
MUST_CHECK enum res store_alter(struct store *store, struct binder *to,
    const struct change *change, struct diag *why);
/* The answer to a change that found no row of its own: no such org, or no
 * such record in it. */
MUST_CHECK enum res store_missing(
    struct store *store, const struct change *change, struct diag *why);
/* A change that met no row to alter: none there, or, where the question finds
 * one, one that is not as the change wants it, which is answered with res. */
MUST_CHECK enum res store_explain(struct store *store, struct binder *question,
    const struct change *change, enum res res, struct diag *why);

/* The integer that a question with its values gives. */
MUST_CHECK enum res store_ask_number(
    struct store *store, struct binder *to, int64_t *out, struct diag *why);

/* sqlite_device.c: devices. */
write_change sqlite_device_add, sqlite_device_provision, sqlite_device_lock,
    sqlite_device_approve, sqlite_device_remove, sqlite_device_seen,
    sqlite_device_token, sqlite_device_pins, sqlite_device_attach,
    sqlite_device_set;

/* sqlite_ca.c: CAs and their lists. */
void read_ca(struct columns *from, struct ca_record *ca);
write_change sqlite_ca_add, sqlite_ca_set, sqlite_ca_state, sqlite_ca_code,
    sqlite_ca_prove, sqlite_ca_crl, sqlite_ca_crl_checked, sqlite_ca_told,
    sqlite_ca_remove;

/* sqlite_load.c, sqlite_read.c, sqlite_write.c: operations of struct backend.
 */
enum res sqlite_load(void *self, struct config *out, struct diag *why);
enum res sqlite_get(void *self, const char *org, const struct identity *who,
    bool full, struct device *out, bool *case_clash, struct diag *why);
enum res sqlite_scan(void *self, const struct device_query *query,
    device_visit *visit, void *context, struct diag *why);
enum res sqlite_count(void *self, const struct device_query *query,
    int64_t *out, struct diag *why);
enum res sqlite_tally(void *self, const char *org,
    const struct device_type *type, tally_visit *visit, void *context,
    struct diag *why);
enum res sqlite_metrics(
    void *self, metrics_visit *visit, void *context, struct diag *why);
enum res sqlite_begin(void *self, struct diag *why);
enum res sqlite_commit(void *self, struct diag *why);
void sqlite_rollback(void *self);
enum res sqlite_events(void *self, const struct event_query *query,
    event_visit *visit, void *context, struct diag *why);
enum res sqlite_apply(void *self, struct change *changes, size_t n,
    enum apply_mode mode, struct diag *why);
enum res sqlite_event_before(void *self, const char *org, int64_t after,
    int64_t n, int64_t *out, struct diag *why);
enum res sqlite_mark(void *self, int64_t *out, struct diag *why);

#endif /* REGISTRY_SQLITE_PRIVATE_H */
