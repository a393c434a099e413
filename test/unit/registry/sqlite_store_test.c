/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The SQLite back end at work: broken rows, other programs, a full disk, and
 * that no page is a full scan. */
#include "test/unit/registry/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

static struct identity
parse(const char *text)
{
	struct identity who = {0};
	const char *said = "";

	assert_int_equal(
	    identity_parse(text, strlen(text), &who, &said), RES_OK);
	return who;
}

static enum res
get(struct registry *registry, const char *text, bool full, struct diag *why)
{
	struct identity who = parse(text);
	struct device device, before;
	bool clash = true;
	enum res r;

	memset(&device, 0x5a, sizeof(device));
	before = device;
	r = registry_get(
	    registry, ORG_DEFAULT, &who, full, &device, &clash, why);
	if (r == RES_OK) {
		device_done(&device);
	} else {
		assert_memory_equal(&device, &before, sizeof(device));
	}
	return r;
}

static enum res
ignore_device(const struct device *device, void *context)
{
	(void)device;
	(void)context;
	return RES_OK;
}

static enum res
ignore_event(const struct event *event, void *context)
{
	(void)event;
	(void)context;
	return RES_OK;
}

static enum res
ignore_tally(const struct tally *tally, void *context)
{
	(void)tally;
	(void)context;
	return RES_OK;
}

static enum res
ignore_metrics(const struct metrics_record *metrics, void *context)
{
	(void)metrics;
	(void)context;
	return RES_OK;
}

static enum res
load(struct registry *registry, struct diag *why)
{
	struct config config, before;
	enum res r;

	memset(&config, 0x5a, sizeof(config));
	before = config;
	r = registry_load(registry, &config, why);
	if (r == RES_OK) {
		config_done(&config);
	} else {
		assert_memory_equal(&config, &before, sizeof(config));
	}
	return r;
}

enum ask {
	ASK_GET = 0,
	ASK_FULL,
	ASK_SCAN,
	ASK_LOAD,
	ASK_EVENTS,
	ASK_TALLY,
	ASK_SUM,
	ASK_METRICS,
	ASK_COUNT,
};

static enum res
ask(struct registry *registry, enum ask what, struct diag *why)
{
	struct device_query query = {.org = ORG_DEFAULT, .full = true};
	struct event_query events = {.since = CLOCK_NONE};
	int64_t count;

	switch (what) {
	case ASK_GET:
		return get(registry, "d:m:1", false, why);
	case ASK_FULL:
		return get(registry, "d:m:1", true, why);
	case ASK_SCAN:
		return registry_scan(
		    registry, &query, ignore_device, NULL, why);
	case ASK_LOAD:
		return load(registry, why);
	case ASK_EVENTS:
		return registry_events(
		    registry, &events, ignore_event, NULL, why);
	case ASK_TALLY:
		return registry_tally(
		    registry, ORG_DEFAULT, NULL, ignore_tally, NULL, why);
	case ASK_SUM:
		return registry_count(registry, &query, &count, why);
	case ASK_METRICS:
		return registry_metrics(registry, ignore_metrics, NULL, why);
	case ASK_COUNT:
		break;
	}
	return RES_OK;
}

#define DEVICE  (1 << ASK_GET | 1 << ASK_FULL | 1 << ASK_SCAN)
#define TEXTS   (1 << ASK_FULL | 1 << ASK_SCAN)
#define SCAN    (1 << ASK_SCAN)
#define LOAD    (1 << ASK_LOAD)
#define EVENTS  (1 << ASK_EVENTS)
#define TALLY   (1 << ASK_TALLY)
#define SUM     (1 << ASK_SUM)
#define METRICS (1 << ASK_METRICS)
#define LONG    "printf('%.*c', 200, 'x')"

/* What harms the file, what must say so, and the words that it must say. */
static const struct {
	const char *sql;
	int broken;
	const char *words;
} harms[] = {
    {"UPDATE device SET state = 'wild'", DEVICE, "device d:m:1 (state)"},
    {"UPDATE device SET state = ''", DEVICE, "device d:m:1 (state)"},
    {"UPDATE device SET locked = 7", DEVICE, "device d:m:1 (locked)"},
    {"UPDATE device SET ca = x'00'", DEVICE, "device d:m:1 (ca)"},
    {"UPDATE device SET ca = x''", DEVICE, "device d:m:1 (ca)"},
    {"UPDATE device SET fingerprint = zeroblob(33)", DEVICE,
        "device d:m:1 (fingerprint)"},
    {"UPDATE device SET serial = " LONG, DEVICE, "device d:m:1 (serial)"},
    {"UPDATE device SET last_address = " LONG, DEVICE,
        "device d:m:1 (last_address)"},
    {"UPDATE device SET last_address = 'a' || char(0) || 'b'", DEVICE,
        "device d:m:1 (last_address)"},
    {"UPDATE device SET created_at = -9223372036854775807 - 1", DEVICE,
        "device d:m:1 (created_at)"},
    {"UPDATE device SET seen_with = 9", DEVICE | TALLY, "(seen_with)"},
    {"UPDATE device SET seen_with = -1", DEVICE | TALLY, "(seen_with)"},
    {"UPDATE device SET token = ''", DEVICE, "device d:m:1 (token)"},
    {"UPDATE device SET token = 'secret'", DEVICE, "device d:m:1 (token)"},
    {"UPDATE device SET token = " LONG, DEVICE, "device d:m:1 (token)"},
    {"UPDATE device SET pins = ''", DEVICE, "device d:m:1 (pins)"},
    {"UPDATE device SET pins = 'none'", DEVICE, "device d:m:1 (pins)"},
    {"UPDATE device SET pins = char(0)", DEVICE, "device d:m:1 (pins)"},
    {"UPDATE device SET gateway = 'd:m:2'", DEVICE, "device d:m:1 (gateway)"},
    {"UPDATE device SET gateway = 'g:m'", DEVICE, "device d:m:1 (gateway)"},
    {"UPDATE device SET gateway = ''", DEVICE, "device d:m:1 (gateway)"},
    {"UPDATE tally SET type = 'm'", TALLY, "tally m (type)"},
    {"UPDATE tally SET state = 'wild'", TALLY, "tally d:m (state)"},
    {"UPDATE tally SET count = 0", TALLY, "tally d:m (count)"},
    {"UPDATE tally SET count = -1", TALLY | SUM, "(count)"},
    {"UPDATE tally SET seen_with = 8", TALLY, "tally d:m (seen_with)"},
    {"UPDATE metrics SET source = " LONG, METRICS, "(source)"},
    {"UPDATE metrics SET body = char(0)", METRICS, "metrics b (body)"},
    {"UPDATE hook SET id = " LONG, LOAD, "(id)"},
    {"UPDATE hook SET url = char(0)", LOAD, "hook 0123abcd (url)"},
    {"UPDATE hook SET format = " LONG, LOAD, "hook 0123abcd (format)"},
    {"UPDATE hook SET cursor = -1", LOAD, "hook 0123abcd (cursor)"},
    {"UPDATE hook SET delivered = -1", LOAD, "hook 0123abcd (delivered)"},
    {"UPDATE hook SET dropped = -1", LOAD, "hook 0123abcd (dropped)"},
    {"UPDATE admin SET name = " LONG " || " LONG, LOAD, "admin x"},
    {"UPDATE ca SET rate = -1", LOAD, "CA 0 (rate)"},
    {"UPDATE ca SET rate = 1000001", LOAD, "CA 0 (rate)"},
    {"UPDATE type SET pin = " LONG, LOAD, "type d:m (pin)"},
    {"UPDATE type SET rotate = " LONG, LOAD, "type d:m (rotate)"},
    {"UPDATE type SET max_devices = -1", LOAD, "type d:m (max_devices)"},
    {"UPDATE type SET max_devices = 1000000001", LOAD,
        "type d:m (max_devices)"},
    {"UPDATE type SET addresses = char(0)", LOAD, "type d:m (addresses)"},
    {"UPDATE type SET privileged = 2", LOAD, "type d:m (privileged)"},
    {"UPDATE device SET subject = 'a' || char(0)", TEXTS,
        "device d:m:1 (subject)"},
    {"UPDATE device SET identity = 'd:m'", SCAN, "device d:m (identity)"},
    {"UPDATE device SET identity = 'zz'", SCAN, "device zz (identity)"},
    {"UPDATE device SET identity = ' d:m:1'", SCAN, "(identity)"},
    {"UPDATE org SET name = " LONG, LOAD, "org x"},
    {"UPDATE ca SET fingerprint = x'01'", LOAD, "CA 0 (fingerprint)"},
    {"UPDATE ca SET der = x''", LOAD, "CA 0 (der)"},
    {"UPDATE ca SET id = " LONG, LOAD, "(id)"},
    {"UPDATE ca SET name = " LONG, LOAD, "CA 0 (name)"},
    {"UPDATE ca SET state = " LONG, LOAD, "CA 0 (state)"},
    {"UPDATE ca SET subject = 'a' || char(0)", LOAD, "CA 0 (subject)"},
    {"UPDATE ca SET code = " LONG, LOAD, "CA 0 (code)"},
    {"UPDATE ca SET code = NULL", LOAD, "CA 0 (code_expires_at)"},
    {"UPDATE ca SET code = ''", LOAD, "CA 0 (code_expires_at)"},
    {"UPDATE ca SET code_expires_at = NULL", LOAD, "CA 0 (code_expires_at)"},
    {"UPDATE ca SET told = 91", LOAD, "CA 0 (told)"},
    {"UPDATE ca SET told = -2", LOAD, "CA 0 (told)"},
    {"UPDATE ca SET told = 4294967296", LOAD, "CA 0 (told)"},
    {"UPDATE ca SET crl_policy = 'maybe'", LOAD, "CA 0 (crl_policy)"},
    {"UPDATE ca SET crl_policy = ''", LOAD, "CA 0 (crl_policy)"},
    {"UPDATE ca SET crl_policy = 'OFF'", LOAD, "CA 0 (crl_policy)"},
    {"UPDATE ca SET crl_policy = 'off' || char(0)", LOAD, "CA 0 (crl_policy)"},
    {"UPDATE ca SET crl_policy = " LONG, LOAD, "CA 0 (crl_policy)"},
    {"UPDATE ca SET crl_grace = -1", LOAD, "CA 0 (crl_grace)"},
    {"UPDATE ca SET crl_url = 'a' || char(0)", LOAD, "CA 0 (crl_url)"},
    {"UPDATE ca SET crl_failure = char(0)", LOAD, "CA 0 (crl_failure)"},
    {"UPDATE ca SET crl_fingerprint = NULL", LOAD, "CA 0 (crl_fingerprint)"},
    {"UPDATE ca SET crl_fingerprint = x'00'", LOAD, "CA 0 (crl_fingerprint)"},
    {"UPDATE ca SET crl_fingerprint = randomblob(32)", LOAD,
        "CA 0 (crl_fingerprint)"},
    {"UPDATE crl SET crl_fingerprint = x''", LOAD, "CA 0 (crl_fingerprint)"},
    {"UPDATE crl SET crl_fingerprint = randomblob(32)", LOAD,
        "CA 0 (crl_fingerprint)"},
    {"UPDATE crl SET fingerprint = randomblob(32)", LOAD,
        "CA 0 (crl_fingerprint)"},
    {"UPDATE crl SET org = 'plant'", LOAD, "CA 0 (crl_fingerprint)"},
    {"DELETE FROM crl", LOAD, "CA 0 (crl_fingerprint)"},
    {"UPDATE crl SET number = 'zz'", LOAD, "CA 0 (crl_number)"},
    {"UPDATE crl SET number = ''", LOAD, "CA 0 (crl_number)"},
    {"UPDATE crl SET number = upper(number)", LOAD, "CA 0 (crl_number)"},
    {"UPDATE crl SET number = '0' || number", LOAD, "CA 0 (crl_number)"},
    {"UPDATE crl SET number = substr(number, 2)", LOAD, "CA 0 (crl_number)"},
    {"UPDATE crl SET number = substr(number, 2) || 'g'", LOAD,
        "CA 0 (crl_number)"},
    {"UPDATE crl SET this_update = -9223372036854775807 - 1", LOAD,
        "CA 0 (crl_this_update)"},
    {"UPDATE crl SET next_update = -9223372036854775807 - 1", LOAD,
        "CA 0 (crl_next_update)"},
    {"UPDATE crl SET entries = -1", LOAD, "CA 0 (crl_entries)"},
    {"UPDATE crl SET stored_at = -9223372036854775807 - 1", LOAD,
        "CA 0 (crl_stored_at)"},
    {"UPDATE crl SET fetched = 2", LOAD, "CA 0 (crl_fetched)"},
    {"UPDATE crl SET modified_at = -9223372036854775807 - 1", LOAD,
        "CA 0 (crl_modified_at)"},
    {"UPDATE crl SET told = 91", LOAD, "CA 0 (crl_told)"},
    {"UPDATE crl SET der = x''", LOAD, "CA 0 (crl_der)"},
    {"UPDATE type SET type = 'meter'", LOAD, "type meter (type)"},
    {"UPDATE type SET id_length = 65", LOAD, "type d:m (id_length)"},
    {"UPDATE type SET id_length = -1", LOAD, "type d:m (id_length)"},
    {"UPDATE type SET id_prefix = " LONG, LOAD, "type d:m (id_prefix)"},
    {"UPDATE type SET enrol = " LONG, LOAD, "type d:m (enrol)"},
    {"UPDATE rule SET level = " LONG, LOAD, "rule default (level)"},
    {"UPDATE rule SET who = " LONG, LOAD, "(who)"},
    {"UPDATE topic SET who = " LONG, LOAD, "topic a/# (who)"},
    {"UPDATE topic SET filter = 'a' || char(0)", LOAD, "(filter)"},
    {"UPDATE setting SET key = " LONG, LOAD, "(key)"},
    {"UPDATE setting SET value = char(0)", LOAD, "setting enrol (value)"},
    {"UPDATE event SET kind = " LONG, EVENTS, "event 1 (kind)"},
    {"UPDATE event SET org = " LONG, EVENTS, "event 1 (org)"},
};

static const char sample[] =
    "INSERT INTO ca VALUES ('default', zeroblob(32), '0', x'30', 'CN=A', 1, "
    "2, 'n', NULL, 'active', '[]', NULL, 0, '[]', 3, 'c', 4, 0, 'off', 0, "
    "NULL, NULL, zeroblob(32));"
    "INSERT INTO crl VALUES ('default', zeroblob(32), zeroblob(32), "
    "'000000000000000000000000000000000000001a', 5, 6, 7, 8, 1, 9, 30, "
    "x'30');"
    "INSERT INTO type VALUES ('default', 'd:m', NULL, NULL, NULL, 0, NULL, "
    "NULL, NULL, NULL, 0, NULL, 0);"
    "INSERT INTO hook VALUES ('default', '0123abcd', 'https://a', '[]', 'f', "
    "NULL, NULL, 1, 0, 0, 0, NULL, NULL);"
    "INSERT INTO admin VALUES ('default', 'alice', 1);"
    "INSERT INTO metrics VALUES ('b', 1, 'x');"
    "INSERT INTO rule VALUES ('default', 'default', 'cert');"
    "INSERT INTO topic VALUES (1, 'default', 'all', 'both', 'a/#');"
    "INSERT INTO setting VALUES ('default', 'enrol', 'auto');"
    "INSERT INTO device (org, identity, state, locked, seen_with) "
    "VALUES ('default', 'd:m:1', 'allowed', 0, 0);"
    "INSERT INTO event VALUES (1, 'default', 1, 'a', 'k', 's', NULL)";

static void
check_asks(struct registry *registry, size_t i)
{
	bool expected, hidden;
	enum ask what;
	struct diag why;
	enum res r, want;

	for (what = ASK_GET; what < ASK_COUNT; what++) {
		expected = (harms[i].broken & 1 << what) != 0;
		/* The triggers carry what harms a device to the tallies. */
		if (!expected && (what == ASK_TALLY || what == ASK_SUM)) {
			continue;
		}
		why.text[0] = '\0';
		r = ask(registry, what, &why);
		/* A device whose name was harmed is not found by its name. */
		hidden = harms[i].broken == SCAN && what <= ASK_FULL;
		want = expected ? RES_CORRUPT : hidden ? RES_NOTFOUND : RES_OK;
		if (r != want) {
			fail_msg("%s: ask %d gives %d", harms[i].sql, (int)what,
			    (int)r);
		}
		if (expected &&
		    (strstr(why.text, harms[i].words) == NULL ||
		        strstr(why.text, "backup") == NULL)) {
			fail_msg("%s: \"%s\"", harms[i].sql, why.text);
		}
	}
}

static void
a_broken_row_is_an_error(void **state)
{
	struct fixture *fixture;
	struct registry *registry;
	void *own;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		(void)fixture_setup(&own);
		fixture = own;
		fixture_create(fixture);
		fixture_sql(fixture, sample);
		fixture_sql(fixture, harms[i].sql);
		registry = fixture_open(fixture, REGISTRY_READ);
		check_asks(registry, i);
		registry_close(registry);
		(void)fixture_teardown(&own);
	}
}

static void
a_broken_ca_stops_the_adding_of_another(void **state)
{
	struct fixture *fixture = *state;
	static uint8_t der[] = {0x30};
	static char subject[] = "CN=B";
	struct ca_record ca = {.der = der,
	    .der_len = 1,
	    .subject = subject,
	    .state = "active",
	    .crl_policy = "off",
	    .fingerprint = {1}};
	struct change change = {
	    .kind = CHANGE_CA_ADD, .org = ORG_DEFAULT, .of.ca = &ca};
	struct registry *registry;
	struct diag why = {{0}};

	fixture_create(fixture);
	fixture_sql(fixture, sample);
	fixture_sql(fixture, "UPDATE ca SET fingerprint = x'01'");
	registry = fixture_open(fixture, REGISTRY_WRITE);
	assert_int_equal(registry_apply(registry, &change, 1, APPLY_EACH, &why),
	    RES_CORRUPT);
	assert_int_equal(change.result, RES_CORRUPT);
	assert_string_equal(ca.id, "");
	assert_non_null(strstr(why.text, "CA 0 (fingerprint)"));
	registry_close(registry);
}

/* What is done to a registry, and what is said of it then. */
static const struct {
	const char *sql, *words;
} lacks[] = {
    {"DROP INDEX device_gateway", "no such index"},
    {"DROP TABLE tally", "no such table"},
    {"DROP TABLE hook", "no such table"},
    {"DROP TABLE admin", "no such table"},
    {"DROP TABLE metrics", "no such table"},
    {"DROP TRIGGER device_added", "its triggers"},
    {"DROP TRIGGER device_removed", "its triggers"},
    {"DROP TRIGGER device_altered", "its triggers"},
    {"DROP TRIGGER device_added; DROP TRIGGER device_removed; "
     "DROP TRIGGER device_altered",
        "its triggers"},
    /* The name and the number are right. */
    {"DROP TRIGGER device_removed; CREATE TRIGGER device_removed "
     "AFTER DELETE ON device BEGIN DELETE FROM event; END",
        "its triggers"},
    {"CREATE TRIGGER more AFTER INSERT ON event "
     "BEGIN UPDATE device SET locked = 0; END",
        "its triggers"},
};

static void
triggers_and_tables_must_be_there(void **state)
{
	struct fixture *fixture = *state;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		(void)snprintf(name, sizeof(name), "%zu.db", i);
		fixture_path(fixture, name);
		fixture_create(fixture);
		fixture_sql(fixture, lacks[i].sql);
		fixture_refuse(
		    fixture, REGISTRY_READ, RES_CORRUPT, lacks[i].words);
		fixture_refuse(
		    fixture, REGISTRY_WRITE, RES_CORRUPT, lacks[i].words);
	}
}

static sqlite3 *
open_raw(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void
a_reader_does_not_wait_for_a_writer(void **state)
{
	struct fixture *fixture = *state;
	struct registry *reader, *writer;
	struct diag why;
	sqlite3 *db;

	fixture_create(fixture);
	writer = fixture_open(fixture, REGISTRY_WRITE);
	reader = fixture_open(fixture, REGISTRY_READ);
	assert_int_equal(
	    fixture_add(writer, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	db = open_raw(fixture, "BEGIN IMMEDIATE; DELETE FROM device");
	assert_int_equal(get(reader, "d:m:1", true, &why), RES_OK);
	assert_int_equal(load(reader, &why), RES_OK);
	registry_close(reader);
	reader = fixture_open(fixture, REGISTRY_READ);
	assert_int_equal(get(reader, "d:m:1", false, &why), RES_OK);
	assert_int_equal(
	    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(get(reader, "d:m:1", false, &why), RES_NOTFOUND);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	registry_close(reader);
	registry_close(writer);
}

static void
a_second_writer_is_told_to_try_again(void **state)
{
	struct fixture *fixture = *state;
	struct registry *writer;
	struct diag why = {{0}};
	sqlite3 *db;

	fixture_create(fixture);
	writer = fixture_open(fixture, REGISTRY_WRITE);
	db = open_raw(fixture, "BEGIN IMMEDIATE");
	assert_int_equal(
	    fixture_add(writer, "d:m:1", DEVICE_ALLOWED, &why), RES_BUSY);
	assert_non_null(
	    strstr(why.text, "somebody else is writing to it: try again"));
	assert_int_equal(registry_begin(writer, &why), RES_BUSY);
	assert_int_equal(get(writer, "d:m:1", false, &why), RES_NOTFOUND);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(
	    fixture_add(writer, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	registry_close(writer);
}

static void
reading_objects_write_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct registry *reader;
	struct diag why = {{0}};

	fixture_create(fixture);
	reader = fixture_open(fixture, REGISTRY_READ);
	assert_int_equal(
	    fixture_add(reader, "d:m:1", DEVICE_ALLOWED, &why), RES_UNAVAIL);
	assert_non_null(strstr(why.text, "reading only"));
	registry_close(reader);
}

static int64_t
mark(struct registry *registry)
{
	struct diag why;
	int64_t out = -1;

	assert_int_equal(registry_mark(registry, &out, &why), RES_OK);
	return out;
}

static void
a_mark_follows_other_programs(void **state)
{
	struct fixture *fixture = *state;
	struct registry *reader, *writer;
	struct diag why;

	fixture_create(fixture);
	writer = fixture_open(fixture, REGISTRY_WRITE);
	reader = fixture_open(fixture, REGISTRY_READ);
	assert_int_equal(mark(reader), 0);
	assert_int_equal(
	    fixture_add(writer, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(mark(reader), 1);
	assert_int_equal(mark(writer), 1);
	assert_int_equal(
	    fixture_add(writer, "d:m:1", DEVICE_ALLOWED, &why), RES_EXISTS);
	assert_int_equal(mark(writer), 1);
	assert_int_equal(
	    fixture_add(writer, "d:m:2", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(mark(writer), 2);
	/* Old events may be taken away: the mark does not fall. */
	fixture_sql(fixture, "DELETE FROM event");
	assert_int_equal(mark(reader), 2);
	assert_int_equal(
	    fixture_add(writer, "d:m:3", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(mark(reader), 3);
	registry_close(reader);
	registry_close(writer);
}

static void
what_was_written_is_there_after_reopening(void **state)
{
	struct fixture *fixture = *state;
	struct registry *registry;
	struct diag why;

	fixture_create(fixture);
	registry = fixture_open(fixture, REGISTRY_WRITE);
	assert_int_equal(
	    fixture_add(registry, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	registry_close(registry);
	assert_int_equal(fixture_entries(fixture), 1); /* no log is left */
	registry = fixture_open(fixture, REGISTRY_READ);
	assert_int_equal(get(registry, "d:m:1", true, &why), RES_OK);
	registry_close(registry);
}

/* So many devices with a large text each, in one transaction. */
static enum res
add_large(struct registry *registry, struct diag *why)
{
	struct change changes[32];
	struct device devices[32];
	char info[32 * 1024], name[32];
	enum res r;
	size_t i;

	memset(info, ' ', sizeof(info) - 1);
	info[sizeof(info) - 1] = '\0';
	memcpy(info, "{}", 2);
	for (i = 0; i < 32; i++) {
		struct identity who;

		(void)snprintf(name, sizeof(name), "d:large:%zu", i);
		who = parse(name);
		device_init(&devices[i], ORG_DEFAULT, &who);
		devices[i].info = info;
		changes[i] = (struct change){.kind = CHANGE_DEVICE_PROVISION,
		    .org = ORG_DEFAULT,
		    .of.device = &devices[i],
		    .actor = "broker",
		    .event_kind = "k",
		    .event_subject = "s"};
	}
	r = registry_apply(registry, changes, 32, APPLY_EACH, why);
	for (i = 0; i < 32; i++) {
		assert_int_equal(
		    changes[i].result, r == RES_OK ? RES_OK : RES_UNAVAIL);
	}
	return r;
}

static void
a_full_disk_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit old, limit;
	struct registry *registry;
	struct diag why = {{0}};

	(void)signal(SIGXFSZ, SIG_IGN);
	fixture_create(fixture);
	registry = fixture_open(fixture, REGISTRY_WRITE);
	assert_int_equal(
	    fixture_add(registry, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 200 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(add_large(registry, &why), RES_UNAVAIL);
	assert_string_not_equal(why.text, "");
	assert_int_equal(get(registry, "d:m:1", true, &why), RES_OK);
	assert_int_equal(get(registry, "d:large:0", true, &why), RES_NOTFOUND);
	assert_int_equal(mark(registry), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(add_large(registry, &why), RES_OK);
	assert_int_equal(mark(registry), 33);
	registry_close(registry);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_broken_row_is_an_error),
	    FIXTURE_TEST(a_broken_ca_stops_the_adding_of_another),
	    FIXTURE_TEST(triggers_and_tables_must_be_there),
	    FIXTURE_TEST(a_reader_does_not_wait_for_a_writer),
	    FIXTURE_TEST(a_second_writer_is_told_to_try_again),
	    FIXTURE_TEST(reading_objects_write_nothing),
	    FIXTURE_TEST(a_mark_follows_other_programs),
	    FIXTURE_TEST(what_was_written_is_there_after_reopening),
	    FIXTURE_TEST(a_full_disk_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
