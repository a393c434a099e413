/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The keeper where somebody hangs, changes his mind, or has no time; and what
 * it tells of what expires.  This program has a clock of its own.
 */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plugin/fetch.h"
#include "test/unit/plugin/keeper_fixture.h"
#include "test/unit/plugin/slow_dns.h"

static const struct mint_crl_options usual;
static atomic_bool clock_is_lost;
static atomic_int times_asked; /* for the time, while the clock was lost */

/* Also the keeper's. */
time_t
time(time_t *out)
{
	struct timespec now = {.tv_sec = 1000};

	if (atomic_load(&clock_is_lost)) {
		atomic_fetch_add(&times_asked, 1);
	} else {
		(void)clock_gettime(CLOCK_REALTIME, &now);
	}
	if (out != NULL) {
		*out = now.tv_sec;
	}
	return now.tv_sec;
}

/* ---- Waiting ---- */

/* Its client leaves, and long before the server has been too slow for it. */
static void
must_be_left(struct keeper_fixture *fixture, const char *text)
{
	int64_t began = clock_monotonic_ms();

	assert_true(crl_server_await(&fixture->server, text));
	assert_true(
	    clock_monotonic_ms() - began < (int64_t)FETCH_SLOW_S * 1000 / 2);
}

static void
waits_for_no_server(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *hanging = keeper_add_ca(fixture, "active", 0);
	struct ca_record *good = keeper_add_ca(fixture, "active", 0);

	keeper_put_crl(fixture, good, "a.crl", usual);
	keeper_set_url(fixture, hanging, SERVER_GOOD, "hang/here");
	keeper_run(fixture, 0);
	assert_true(crl_server_await(&fixture->server, "GET /hang/here"));
	keeper_set_url(fixture, good, SERVER_GOOD, "files/a.crl");
	keeper_must_store(fixture, good, "01");
	assert_null(keeper_look(fixture, hanging)->crl_failure);
	assert_false(crl_server_has_said(&fixture->server, "gone"));
	keeper_halt(fixture, 0);
	must_be_left(fixture, "gone /hang/here");
	assert_null(keeper_look(fixture, hanging)->crl_failure);
}

static void
stops_while_a_name_hangs(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);

	keeper_set_other_url(fixture, ca, "https://" SLOW_DNS_NAME "/a.crl");
	keeper_run(fixture, 0);
	assert_true(slow_dns_await());
	keeper_halt(fixture, 0);
	slow_dns_let_go();
}

/* Long before its next look at the registry. */
static void
stops_at_once(void **state)
{
	struct keeper_fixture *fixture = *state;
	int64_t took = 0, began;
	int i;

	atomic_store(&clock_is_lost, true);
	for (i = 0; i < 5; i++) {
		fixture->logs[0][0] = '\0';
		keeper_run(fixture, 0);
		/* The last thing that it does before it waits. */
		keeper_must_log(fixture, 0, LOG_WARNING, "the clock is", "");
		began = clock_monotonic_ms();
		keeper_halt(fixture, 0);
		took += clock_monotonic_ms() - began;
	}
	atomic_store(&clock_is_lost, false);
	assert_true(took < 5 * KEEPER_POLL_MS / 2);
	/* Before it has begun. */
	keeper_run(fixture, 0);
	keeper_halt(fixture, 0);
	keeper_stop(NULL);
}

/* The old URL hangs, and is left for the new one. */
static void
follows_a_new_url(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);

	keeper_put_crl(fixture, ca, "a.crl", usual);
	keeper_set_url(fixture, ca, SERVER_GOOD, "hang/old");
	keeper_run(fixture, 0);
	assert_true(crl_server_await(&fixture->server, "GET /hang/old"));
	keeper_set_url(fixture, ca, SERVER_GOOD, "files/a.crl");
	keeper_must_store(fixture, ca, "01");
	must_be_left(fixture, "gone /hang/old");
	keeper_must_tell(fixture, ca, "crl-failed", "", 0);
	/* No URL at all. */
	keeper_set_url(fixture, ca, SERVER_GOOD, "hang/older");
	assert_true(crl_server_await(&fixture->server, "GET /hang/older"));
	keeper_set_other_url(fixture, ca, NULL);
	must_be_left(fixture, "gone /hang/older");
	keeper_must_tell(fixture, ca, "crl-failed", "", 0);
}

/* What comes from the old URL after the change, however soon, does not
 * count. */
static void
takes_nothing_from_an_old_url(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);

	keeper_put_crl(fixture, ca, "old.crl", usual);
	keeper_set_url(fixture, ca, SERVER_GOOD, "gate/old.crl");
	keeper_run(fixture, 0);
	assert_true(crl_server_await(&fixture->server, "GET /gate/old.crl"));
	keeper_set_url(fixture, ca, HERE, "none.crl");
	crl_server_put(&fixture->server, "old.crl.open", "", 0, 0);
	keeper_must_fail(fixture, ca, "none.crl");
	keeper_must_tell(fixture, ca, "crl-updated", "", 0);
}

static void
leaves_a_ca_that_is_gone(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);

	keeper_set_url(fixture, ca, SERVER_GOOD, "hang/");
	keeper_run(fixture, 0);
	assert_true(crl_server_await(&fixture->server, "GET /hang/"));
	keeper_remove_ca(fixture, ca);
	must_be_left(fixture, "gone /hang/");
	assert_null(keeper_look(fixture, ca));
	keeper_must_tell(fixture, ca, "crl-failed", "", 0);
}

/* Dates mean nothing before the clock is set. */
static void
waits_for_the_clock(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca =
	    keeper_add_ca(fixture, "active", clock_now() + KEEPER_DAY);
	int64_t end = clock_monotonic_ms() + SERVER_DEADLINE_MS;

	keeper_put_crl(fixture, ca, "a.crl", usual);
	keeper_set_url(fixture, ca, HERE, "a.crl");
	atomic_store(&times_asked, 0);
	atomic_store(&clock_is_lost, true);
	keeper_run(fixture, 0);
	keeper_must_log(fixture, 0, LOG_WARNING, "the clock is not set", "");
	/* It goes round, and does nothing. */
	while (atomic_load(&times_asked) < 4 && clock_monotonic_ms() < end) {
		keeper_pause();
	}
	assert_true(atomic_load(&times_asked) >= 4);
	assert_null(keeper_look(fixture, ca)->crl.der);
	keeper_must_tell(fixture, ca, "crl-failed", "", 0);
	keeper_must_tell(fixture, ca, "ca-expiring", "", 0);
	atomic_store(&clock_is_lost, false);
	keeper_must_log(fixture, 0, LOG_NOTICE, "the clock is set", "");
	keeper_must_store(fixture, ca, "01");
	keeper_must_tell(fixture, ca, "ca-expiring", "", 1);
}

/* ---- The registry ---- */

static void
does_not_start_without_a_registry(void **state)
{
	struct keeper_fixture *fixture = *state;
	const struct keeper_options options = {
	    .registry = "/nonexistent/r.db", .mailbox = &fixture->mailboxes[0]};
	struct keeper *keeper = NULL;
	struct diag why = {{0}};

	assert_int_not_equal(keeper_start(&options, &keeper, &why), RES_OK);
	assert_null(keeper);
	assert_non_null(strstr(why.text, "/nonexistent/r.db"));
}

static void
run_sql(sqlite3 *db, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
		print_error("%s: %s\n", sql, error);
	}
	assert_null(error);
}

/* Somebody else writes, and does not come to an end. */
static void
outlasts_a_registry_that_is_busy(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca =
	    keeper_add_ca(fixture, "active", clock_now() + 5 * KEEPER_DAY);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 20000);
	run_sql(db, "BEGIN IMMEDIATE");
	keeper_run(fixture, 0);
	keeper_must_log(fixture, 0, LOG_ERROR, "registry: cannot write", "");
	run_sql(db, "COMMIT");
	keeper_must_log(fixture, 0, LOG_NOTICE, "works again", "");
	keeper_must_tell(fixture, ca, "ca-expiring", "within 7 days", 1);
	assert_int_equal(keeper_count_log(fixture, 0, LOG_ERROR, "", ""), 1);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What cannot be read is said once, and read when it can be again. */
static void
outlasts_a_registry_that_is_broken(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca =
	    keeper_add_ca(fixture, "active", clock_now() + 5 * KEEPER_DAY);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 20000);
	run_sql(db, "UPDATE ca SET crl_policy = 'perhaps'");
	keeper_run(fixture, 0);
	keeper_must_log(
	    fixture, 0, LOG_ERROR, "registry: cannot read its CAs", "");
	run_sql(db, "UPDATE ca SET crl_policy = 'off'");
	keeper_must_log(fixture, 0, LOG_NOTICE, "can be read again", "");
	keeper_must_tell(fixture, ca, "ca-expiring", "within 7 days", 1);
	assert_int_equal(keeper_count_log(fixture, 0, LOG_ERROR, "", ""), 1);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The URL of every CA, without an event that tells of it. */
static void
steal_url(sqlite3 *db, const char *url)
{
	char sql[SERVER_URL_MAX + 64];

	(void)snprintf(sql, sizeof(sql), "UPDATE ca SET crl_url = '%s'", url);
	run_sql(db, sql);
}

/* An older registry was put in the place of this one. */
static void
follows_what_went_back(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);
	sqlite3 *db = NULL;

	keeper_set_url(fixture, ca, HERE, "none.crl");
	keeper_run(fixture, 0);
	keeper_must_fail(fixture, ca, "none.crl");
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 20000);
	run_sql(db, "BEGIN IMMEDIATE");
	run_sql(db, "DELETE FROM event WHERE seq > 3");
	run_sql(db, "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'event'");
	steal_url(db, crl_server_url(&fixture->server, HERE, "before.crl"));
	run_sql(db, "COMMIT");
	keeper_must_fail(fixture, ca, "before.crl");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* So many events of devices that it does not look at each. */
static void
follows_a_flood(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);
	sqlite3 *db = NULL;

	/* A fetch that changes nothing leaves no event to follow. */
	keeper_store_crl(fixture, ca,
	    (struct mint_crl_options){
	        .next_update = clock_now() + 1000 * KEEPER_DAY});
	keeper_put_stored(fixture, ca, "same.crl");
	keeper_set_url(fixture, ca, SERVER_GOOD, "files/same.crl");
	keeper_run(fixture, 0);
	assert_true(crl_server_await(&fixture->server, "GET /files/same.crl"));
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 20000);
	run_sql(db, "BEGIN IMMEDIATE");
	run_sql(db,
	    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 5000) INSERT INTO event (org, time, actor, kind, "
	    "subject) SELECT 'default', 1, 'broker', 'session-closed', "
	    "'d:m:1' FROM n");
	steal_url(db, crl_server_url(&fixture->server, HERE, "later.crl"));
	run_sql(db, "COMMIT");
	keeper_must_fail(fixture, ca, "later.crl");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- Ends ---- */

static void
tells_of_a_ca_that_expires(void **state)
{
	static const struct {
		int64_t left;
		int told;
		const char *detail;
	} cases[] = {
	    {80 * KEEPER_DAY, 90, "the CA expires within 90 days, at 20"},
	    {6 * KEEPER_DAY, 7, "the CA expires within 7 days, at 20"},
	    {KEEPER_HOUR, 1, "the CA expires within 1 day, at 20"},
	    {-KEEPER_HOUR, TOLD_EXPIRED, "the CA has expired, at 20"},
	};
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca;
	size_t i;

	keeper_run(fixture, 0);
	keeper_run(fixture, 1);
	for (i = 0; i < 4; i++) {
		ca = keeper_add_ca(
		    fixture, "active", clock_now() + cases[i].left);
		keeper_must_tell(
		    fixture, ca, "ca-expiring", cases[i].detail, 1);
		assert_int_equal(keeper_look(fixture, ca)->told, cases[i].told);
	}
	/* Both had the time to tell; an end that was told is not told again,
	 * by another start neither. */
	keeper_halt(fixture, 0);
	keeper_halt(fixture, 1);
	keeper_run(fixture, 0);
	keeper_set_url(fixture, ca, SERVER_GOOD, "files/none");
	keeper_must_fail(fixture, ca, "404");
	for (i = 0; i < 4; i++) {
		keeper_must_tell(
		    fixture, &fixture->cas[i], "ca-expiring", "", 1);
	}
	assert_in_range(
	    keeper_count_log(fixture, 0, LOG_WARNING, "has expired", "") +
	        keeper_count_log(fixture, 1, LOG_WARNING, "has expired", ""),
	    1, 2);
}

/* An operator's list is told of from 90 days on, one that is fetched only
 * when it is overdue. */
static void
tells_of_a_crl_that_expires(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *by_hand = keeper_add_ca(fixture, "active", 0);
	struct ca_record *fetched = keeper_add_ca(fixture, "active", 0);
	struct ca_record *overdue = keeper_add_ca(fixture, "active", 0);
	const int64_t now = clock_now();
	const struct mint_crl_options month = {
	    .this_update = now - 80 * KEEPER_DAY,
	    .next_update = now + 20 * KEEPER_DAY};
	const struct mint_crl_options late = {
	    .this_update = now - 9 * KEEPER_HOUR,
	    .next_update = now + KEEPER_HOUR};

	keeper_store_crl(fixture, by_hand, month);
	keeper_put_crl(fixture, fetched, "a.crl", month);
	keeper_put_crl(fixture, overdue, "b.crl", late);
	keeper_set_url(fixture, fetched, SERVER_GOOD, "files/a.crl");
	keeper_run(fixture, 0);
	keeper_must_tell(fixture, by_hand, "ca-expiring",
	    "its CRL expires within 30 days, at 20", 1);
	keeper_must_log(
	    fixture, 0, LOG_WARNING, "its CRL expires within 30", "");
	assert_int_equal(keeper_look(fixture, by_hand)->crl.told, 30);
	assert_int_equal(keeper_look(fixture, by_hand)->told, 0);
	keeper_must_store(fixture, fetched, "01");
	keeper_set_url(fixture, overdue, SERVER_GOOD, "files/b.crl");
	keeper_must_tell(fixture, overdue, "ca-expiring",
	    "its CRL expires within 1 day, at 20", 1);
	keeper_must_tell(fixture, fetched, "ca-expiring", "", 0);
	/* A new list has an end of its own. */
	keeper_store_crl(fixture, by_hand,
	    (struct mint_crl_options){.number = "2",
	        .this_update = now - 79 * KEEPER_DAY,
	        .next_update = now + 10 * KEEPER_DAY});
	keeper_must_tell(fixture, by_hand, "ca-expiring",
	    "its CRL expires within 30 days, at 20", 2);
	/* Nobody fetches it any more. */
	keeper_set_other_url(fixture, fetched, NULL);
	keeper_must_tell(fixture, fetched, "ca-expiring",
	    "its CRL expires within 30 days, at 20", 1);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, keeper_setup, keeper_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(waits_for_no_server),
	    CASE(stops_while_a_name_hangs),
	    CASE(stops_at_once),
	    CASE(follows_a_new_url),
	    CASE(takes_nothing_from_an_old_url),
	    CASE(leaves_a_ca_that_is_gone),
	    CASE(follows_what_went_back),
	    CASE(follows_a_flood),
	    CASE(waits_for_the_clock),
	    CASE(does_not_start_without_a_registry),
	    CASE(outlasts_a_registry_that_is_busy),
	    CASE(outlasts_a_registry_that_is_broken),
	    CASE(tells_of_a_ca_that_expires),
	    CASE(tells_of_a_crl_that_expires),
	};

	return cmocka_run_group_tests(
	    tests, keeper_group_setup, keeper_group_teardown);
}
