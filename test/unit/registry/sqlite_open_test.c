/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What may be opened as a registry, and how one is created. */
#include "test/unit/registry/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

#define NOBODY 65534

static void
missing(const struct fixture *fixture)
{
	(void)fixture;
}

static void
symbolic_link(const struct fixture *fixture)
{
	char target[200];

	(void)snprintf(
	    target, sizeof(target), "%s/real.db", fixture->directory);
	fixture_create(fixture);
	assert_int_equal(rename(fixture->path, target), 0);
	assert_int_equal(symlink(target, fixture->path), 0);
}

static void
directory(const struct fixture *fixture)
{
	assert_int_equal(mkdir(fixture->path, 0700), 0);
}

static void
fifo(const struct fixture *fixture)
{
	assert_int_equal(mkfifo(fixture->path, 0600), 0);
}

static void
no_bytes(const struct fixture *fixture)
{
	fixture_write(fixture, "", 0);
}

static void
no_database(const struct fixture *fixture)
{
	char text[4096];

	memset(text, 'x', sizeof(text));
	fixture_write(fixture, text, sizeof(text));
}

static void
one_byte(const struct fixture *fixture)
{
	fixture_write(fixture, "S", 1);
}

static void
other_database(const struct fixture *fixture)
{
	fixture_sql(fixture, "CREATE TABLE device (a)");
}

static void
other_application(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "PRAGMA application_id = 1");
}

static void
no_version(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "PRAGMA user_version = 0");
}

static void
negative_version(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "PRAGMA user_version = -1");
}

static void
newer(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "PRAGMA user_version = 99");
}

static void
world_writable(const struct fixture *fixture)
{
	fixture_create(fixture);
	assert_int_equal(chmod(fixture->path, 0642), 0);
}

static void
world_writable_folder(const struct fixture *fixture)
{
	fixture_create(fixture);
	assert_int_equal(chmod(fixture->directory, 0707), 0);
}

static void
no_table(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "DROP TABLE rule");
}

/* As before there were lists. */
static void
no_list(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "DROP TABLE crl");
}

static void
no_index(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "DROP INDEX device_state");
}

static void
no_unique_index(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "DROP INDEX device_nocase");
}

static void
no_event_index(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "DROP INDEX event_kind");
}

static void
no_column(const struct fixture *fixture)
{
	fixture_create(fixture);
	fixture_sql(fixture, "ALTER TABLE device RENAME COLUMN locked TO x");
}

static void
half(const struct fixture *fixture)
{
	size_t len;
	char *bytes;

	fixture_create(fixture);
	bytes = fixture_bytes(fixture, &len);
	fixture_write(fixture, bytes, len / 2);
	free(bytes);
}

static const struct {
	const char *name;
	void (*make)(const struct fixture *fixture);
	enum res want;
	const char *words;
	bool quiet; /* nothing may appear beside the file */
} refusals[] = {
    {"missing", missing, RES_NOTFOUND, "no registry at", true},
    {"link", symbolic_link, RES_UNAVAIL, "name the file itself", true},
    {"directory", directory, RES_CORRUPT, "not a certid registry", true},
    {"fifo", fifo, RES_CORRUPT, "not a certid registry", true},
    {"no bytes", no_bytes, RES_CORRUPT, "it is empty", true},
    {"one byte", one_byte, RES_CORRUPT, "not a certid registry", true},
    {"text", no_database, RES_CORRUPT, "not a certid registry", true},
    {"other database", other_database, RES_CORRUPT, "not a certid registry",
        true},
    {"other application", other_application, RES_CORRUPT,
        "not a certid registry", true},
    {"no version", no_version, RES_CORRUPT, "not a certid registry", true},
    {"version -1", negative_version, RES_CORRUPT, "not a certid registry",
        true},
    {"newer", newer, RES_CORRUPT,
        "was written by a newer certid (schema 99); this one reads up to 1: "
        "upgrade",
        true},
    {"world-writable", world_writable, RES_UNAVAIL, "chmod o-w", true},
    {"world-writable folder", world_writable_folder, RES_UNAVAIL,
        "can put another file in the place", true},
    {"no table", no_table, RES_CORRUPT, "no such table", false},
    {"no list", no_list, RES_CORRUPT, "no such table", false},
    {"no index", no_index, RES_CORRUPT, "no such index", false},
    {"no unique index", no_unique_index, RES_CORRUPT, "no such index", false},
    {"no event index", no_event_index, RES_CORRUPT, "no such index", false},
    {"no column", no_column, RES_CORRUPT, "no such column", false},
    {"half", half, RES_CORRUPT, "", false},
};

/* The file's bytes, or nothing where it has none. */
static char *
bytes_if_file(const struct fixture *fixture, size_t *len)
{
	struct stat st;

	*len = 0;
	return lstat(fixture->path, &st) == 0 && S_ISREG(st.st_mode)
	    ? fixture_bytes(fixture, len)
	    : NULL;
}

static void
check_refusal(size_t i, enum registry_mode mode)
{
	struct fixture *fixture;
	void *state;
	size_t before_len, after_len;
	char *before, *after;
	int entries;

	(void)fixture_setup(&state);
	fixture = state;
	refusals[i].make(fixture);
	entries = fixture_entries(fixture);
	before = bytes_if_file(fixture, &before_len);
	(void)alarm(20); /* a FIFO must not hang us */
	fixture_refuse(fixture, mode, refusals[i].want, refusals[i].words);
	(void)alarm(0);
	if (refusals[i].quiet) {
		assert_int_equal(fixture_entries(fixture), entries);
	}
	after = bytes_if_file(fixture, &after_len);
	assert_int_equal(after_len, before_len);
	if (before != NULL) {
		assert_memory_equal(after, before, before_len);
	}
	free(before);
	free(after);
	(void)fixture_teardown(&state);
}

static void
what_is_no_registry_is_left_alone(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		check_refusal(i, REGISTRY_READ);
		check_refusal(i, REGISTRY_WRITE);
	}
}

static void
the_missing_file_has_its_remedy(void **state)
{
	struct fixture *fixture = *state;
	char words[512];

	(void)snprintf(words, sizeof(words),
	    "no registry at %s: create one with \"certid --registry %s "
	    "init\"",
	    fixture->path, fixture->path);
	fixture_refuse(fixture, REGISTRY_WRITE, RES_NOTFOUND, words);
	fixture_path(fixture, "none/r.db");
	fixture_refuse(fixture, REGISTRY_READ, RES_NOTFOUND, "create one");
}

/* Whatever the header says: an answer, and a registry only if it works. */
static void
flip(const struct fixture *fixture, const char *whole, size_t len, size_t at,
    enum registry_mode mode)
{
	struct registry_options options = {.path = fixture->path, .mode = mode};
	struct registry *registry = NULL;
	struct config config = {0};
	struct diag why = {{0}};
	char *bytes = malloc(len);
	enum res r;

	assert_non_null(bytes);
	memcpy(bytes, whole, len);
	bytes[at] = (char)(bytes[at] ^ 0xff);
	fixture_write(fixture, bytes, len);
	r = registry_open(&options, &registry, &why);
	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	if (r == RES_OK) {
		assert_true(at >= 16); /* "SQLite format 3" */
		assert_int_equal(
		    registry_load(registry, &config, &why), RES_OK);
		assert_int_equal(config.org_count, 1);
		config_done(&config);
	} else {
		assert_true(r == RES_CORRUPT || r == RES_UNAVAIL);
	}
	registry_close(registry);
	free(bytes);
}

static void
a_damaged_header_is_no_surprise(void **state)
{
	struct fixture *fixture = *state;
	size_t len, at;
	char *whole;

	fixture_create(fixture);
	whole = fixture_bytes(fixture, &len);
	for (at = 0; at < 100; at++) {
		flip(fixture, whole, len, at, REGISTRY_READ);
		flip(fixture, whole, len, at, REGISTRY_WRITE);
	}
	free(whole);
}

static void
small_tables_are_looked_through(void **state)
{
	struct fixture *fixture = *state;
	size_t len, at, refused = 0;
	struct registry_options options = {
	    .path = fixture->path, .mode = REGISTRY_READ};
	struct registry *registry;
	struct config config;
	struct diag why;
	char *bytes;

	fixture_create(fixture);
	fixture_sql(
	    fixture, "INSERT INTO rule VALUES ('default', 'd:meter', 'token')");
	bytes = fixture_bytes(fixture, &len);
	/* The first byte of every page but the first says what page it is. */
	for (at = 4096; at < len; at += 4096) {
		bytes[at] = (char)(bytes[at] ^ 0xff);
		fixture_write(fixture, bytes, len);
		bytes[at] = (char)(bytes[at] ^ 0xff);
		registry = NULL;
		if (registry_open(&options, &registry, &why) != RES_OK) {
			refused++;
		} else if (registry_load(registry, &config, &why) == RES_OK) {
			assert_int_equal(config.rule_count, 1);
			config_done(&config);
		}
		registry_close(registry);
	}
	assert_true(refused >= 6);
	free(bytes);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
a_new_file_has_its_mode(void **state)
{
	static const mode_t masks[] = {0, 022, 0777};
	struct fixture *fixture = *state;
	char name[16];
	mode_t old;
	size_t i;

	for (i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "%zu.db", i);
		fixture_path(fixture, name);
		old = umask(masks[i]);
		fixture_create(fixture);
		(void)umask(old);
		assert_int_equal(mode_of(fixture->path), 0640);
	}
}

static void
a_missing_directory_is_made(void **state)
{
	struct fixture *fixture = *state;
	char path[80];
	mode_t old;

	(void)snprintf(path, sizeof(path), "%s/certid", fixture->directory);
	fixture_path(fixture, "certid/r.db");
	old = umask(0777);
	fixture_create(fixture);
	(void)umask(old);
	assert_int_equal(mode_of(path), 0750);
	fixture_path(fixture, "a/b/r.db");
	fixture_refuse(fixture, REGISTRY_CREATE, RES_UNAVAIL, "cannot make");
	assert_int_equal(fixture_entries(fixture), 1);
}

static void
root_gives_it_to_the_owner(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;

	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(chown(fixture->directory, NOBODY, NOBODY), 0);
	fixture_path(fixture, "certid/r.db");
	fixture_create(fixture);
	assert_int_equal(lstat(fixture->path, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_gid, NOBODY);
}

static void
what_is_there_is_not_created(void **state)
{
	static const char text[] = "mine";
	struct fixture *fixture = *state;
	char *bytes;
	size_t len;

	fixture_write(fixture, text, sizeof(text));
	fixture_refuse(fixture, REGISTRY_CREATE, RES_EXISTS, "there already");
	bytes = fixture_bytes(fixture, &len);
	assert_int_equal(len, sizeof(text));
	assert_string_equal(bytes, text);
	free(bytes);

	fixture_path(fixture, "dangling");
	assert_int_equal(symlink("/nonexistent/x", fixture->path), 0);
	fixture_refuse(fixture, REGISTRY_CREATE, RES_EXISTS, "there already");
	fixture_path(fixture, "directory");
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	fixture_refuse(fixture, REGISTRY_CREATE, RES_EXISTS, "there already");
	assert_int_equal(fixture_entries(fixture), 3);
}

/* Files may grow to so many bytes; the old limit is given back. */
static struct rlimit
limit_files(rlim_t bytes)
{
	struct rlimit old, limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return old;
}

static void
a_failed_creation_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit old;
	rlim_t bytes;

	fixture_path(fixture, "certid/r.db");
	for (bytes = 0; bytes < 49152; bytes += 8192) {
		old = limit_files(bytes);
		fixture_refuse(fixture, REGISTRY_CREATE, RES_UNAVAIL, "");
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(fixture_entries(fixture), 0);
	}
	fixture_create(fixture);
}

/* As somebody who is not root; the directory is theirs if they are. */
static void
become_nobody(const struct fixture *fixture, bool owner)
{
	if (geteuid() == 0) {
		if (owner) {
			assert_int_equal(
			    chown(fixture->directory, NOBODY, NOBODY), 0);
			assert_int_equal(
			    chown(fixture->path, NOBODY, NOBODY), 0);
		}
		assert_int_equal(seteuid(NOBODY), 0);
	}
}

static void
become_myself(void)
{
	assert_int_equal(seteuid(getuid()), 0);
}

static void
what_may_not_be_written_is_not_opened_for_it(void **state)
{
	struct fixture *fixture = *state;

	fixture_create(fixture);
	assert_int_equal(chmod(fixture->path, 0440), 0);
	become_nobody(fixture, true);
	fixture_refuse(fixture, REGISTRY_WRITE, RES_UNAVAIL,
	    "run this as the user who owns it");
	become_myself();
}

static void
what_may_not_be_read_is_not_opened(void **state)
{
	struct fixture *fixture = *state;

	fixture_create(fixture);
	assert_int_equal(chmod(fixture->path, 0), 0);
	become_nobody(fixture, true);
	fixture_refuse(fixture, REGISTRY_READ, RES_UNAVAIL,
	    "Permission denied: run this as the user who owns it");
	become_myself();
	assert_int_equal(chmod(fixture->directory, 0), 0);
	become_nobody(fixture, false);
	fixture_refuse(fixture, REGISTRY_READ, RES_UNAVAIL,
	    "Permission denied: run this as the user who owns it");
	fixture_path(fixture, "new.db");
	fixture_refuse(
	    fixture, REGISTRY_CREATE, RES_UNAVAIL, "Permission denied");
	become_myself();
	assert_int_equal(chmod(fixture->directory, 0700), 0);
}

static void
odd_names_are_only_names(void **state)
{
	static const char *const names[] = {
	    "a?mode=memory", "a%41#b c.db", "file:x.db", "-r.db", ":memory:"};
	struct fixture *fixture = *state;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fixture_path(fixture, names[i]);
		fixture_create(fixture);
		assert_int_equal(fixture_entries(fixture), (int)i + 1);
		registry_close(fixture_open(fixture, REGISTRY_WRITE));
	}
	assert_int_equal(chdir(fixture->directory), 0);
	(void)strcpy(fixture->path, "relative.db");
	fixture_create(fixture);
	registry_close(fixture_open(fixture, REGISTRY_WRITE));
	assert_int_equal(chdir("/"), 0);
	fixture_path(fixture, "relative.db");
	assert_int_equal(mode_of(fixture->path), 0640);
}

static void
a_link_on_the_way_is_followed(void **state)
{
	struct fixture *fixture = *state;
	char to[80], from[80];

	(void)snprintf(to, sizeof(to), "%s/real", fixture->directory);
	(void)snprintf(from, sizeof(from), "%s/link", fixture->directory);
	assert_int_equal(mkdir(to, 0700), 0);
	assert_int_equal(symlink(to, from), 0);
	fixture_path(fixture, "link/r.db");
	fixture_create(fixture);
	registry_close(fixture_open(fixture, REGISTRY_WRITE));
	registry_close(fixture_open(fixture, REGISTRY_READ));
}

static void
settings_are_the_durable_ones(void **state)
{
	struct fixture *fixture = *state;
	struct store store = {.mode = REGISTRY_WRITE};
	struct registry_options options = {
	    .path = fixture->path, .mode = REGISTRY_WRITE};
	struct diag why;
	int64_t number = 0;

	fixture_create(fixture);
	assert_int_equal(backend_sqlite.open(&store, &options, &why), RES_OK);
	assert_int_equal(
	    store_number(&store, "PRAGMA synchronous", &number), 0);
	assert_int_equal(number, 2); /* FULL */
	assert_int_equal(
	    store_number(&store, "PRAGMA foreign_keys", &number), 0);
	assert_int_equal(number, 1);
	assert_int_equal(
	    store_number(&store, "PRAGMA trusted_schema", &number), 0);
	assert_int_equal(number, 0);
	assert_int_equal(store_number(&store,
	                     "SELECT journal_mode = 'wal' FROM "
	                     "pragma_journal_mode",
	                     &number),
	    0);
	assert_int_equal(number, 1);
	assert_int_not_equal(store_exec(&store,
	                         "PRAGMA writable_schema = ON;"
	                         "DELETE FROM sqlite_schema"),
	    SQLITE_OK); /* defensive */
	backend_sqlite.close(&store);
}

/* Whether another process gets the file for itself alone. */
static int
other_process_gets_it(const struct fixture *fixture)
{
	int status = 0;
	pid_t child = fork();
	sqlite3 *db = NULL;

	assert_true(child >= 0);
	if (child == 0) {
		if (sqlite3_open(fixture->path, &db) != SQLITE_OK) {
			_exit(2);
		}
		_exit(sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL,
		          NULL, NULL) == SQLITE_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
opening_again_keeps_our_locks(void **state)
{
	struct fixture *fixture = *state;
	struct registry *registry;
	struct diag why;

	fixture_create(fixture);
	registry = fixture_open(fixture, REGISTRY_WRITE);
	assert_int_equal(
	    fixture_add(registry, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(other_process_gets_it(fixture), 0);
	registry_close(fixture_open(fixture, REGISTRY_READ));
	registry_close(fixture_open(fixture, REGISTRY_WRITE));
	assert_int_equal(other_process_gets_it(fixture), 0);
	registry_close(registry);
	assert_int_equal(other_process_gets_it(fixture), 1);
}

static void
a_table_with_a_hole_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct backend hole = backend_sqlite;
	struct registry_options options = {
	    .path = fixture->path, .mode = REGISTRY_CREATE, .backend = &hole};
	struct registry *registry = NULL;
	struct diag why = {{0}};

	hole.mark = NULL;
	assert_int_equal(registry_open(&options, &registry, &why), RES_UNAVAIL);
	assert_null(registry);
	assert_string_not_equal(why.text, "");
	assert_int_equal(fixture_entries(fixture), 0);
	registry_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_registry_is_left_alone),
	    FIXTURE_TEST(the_missing_file_has_its_remedy),
	    FIXTURE_TEST(a_damaged_header_is_no_surprise),
	    FIXTURE_TEST(small_tables_are_looked_through),
	    FIXTURE_TEST(a_new_file_has_its_mode),
	    FIXTURE_TEST(a_missing_directory_is_made),
	    FIXTURE_TEST(root_gives_it_to_the_owner),
	    FIXTURE_TEST(what_is_there_is_not_created),
	    FIXTURE_TEST(a_failed_creation_leaves_nothing),
	    FIXTURE_TEST(what_may_not_be_written_is_not_opened_for_it),
	    FIXTURE_TEST(what_may_not_be_read_is_not_opened),
	    FIXTURE_TEST(odd_names_are_only_names),
	    FIXTURE_TEST(a_link_on_the_way_is_followed),
	    FIXTURE_TEST(settings_are_the_durable_ones),
	    FIXTURE_TEST(opening_again_keeps_our_locks),
	    FIXTURE_TEST(a_table_with_a_hole_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
