/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* How SQLite goes about each query of pages and counts. */
#include "test/unit/registry/store_fixture.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

/* Each query, and what SQLite must say of how it goes about it. */
static void
check_plan(struct sqlite3 *db, const char *query, const char *want)
{
	char text[1024], plan[512] = "";
	sqlite3_stmt *stmt = NULL;

	(void)snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", query);
	assert_int_equal(
	    sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		(void)strncat(plan, (const char *)sqlite3_column_text(stmt, 3),
		    sizeof(plan) - strlen(plan) - 1);
		(void)strncat(plan, ";", sizeof(plan) - strlen(plan) - 1);
	}
	(void)sqlite3_finalize(stmt);
	if (strcmp(plan, want) != 0) {
		fail_msg("%s: %s", query, plan);
	}
}

#define BY_KEY                                                                 \
	"SEARCH device USING PRIMARY KEY (org=? AND identity>? AND "           \
	"identity<?);"
#define BY_STATE                                                               \
	"SEARCH device USING INDEX device_state (org=? AND state=? AND "       \
	"identity>? AND identity<?);"
#define BY_GATEWAY                                                             \
	"SEARCH device USING INDEX device_gateway (org=? AND gateway=? AND "   \
	"identity>? AND identity<?);"
#define BY_SEEN                                                                \
	"SEARCH device USING INDEX device_seen (org=? AND seen_with=? AND "    \
	"identity>? AND identity<?);"
#define BY_LOCK                                                                \
	"SEARCH device USING INDEX device_locked (org=? AND identity>? AND "   \
	"identity<?);"
#define BY_WAIT                                                                \
	"SEARCH device USING INDEX device_waiting (org=? AND identity>? AND "  \
	"identity<?);"
#define BY_NAME                                                                \
	"SEARCH device USING INDEX device_nocase (org=? AND identity=?);"

static void
no_page_is_a_full_scan(void **state)
{
	struct fixture *fixture = *state;
	struct event_query all = {0}, org = {.org = "o"}, kind = {.kind = "k"},
	                   both = {.org = "o", .kind = "k"},
	                   last = {.newest = true};
	struct device_query page = {.org = "o"};
	const struct identity nobody = {.id = ""};
	sqlite3 *db = NULL;
	int i;

	fixture_create(fixture);
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	check_plan(db, sql_text(SQL_GET), BY_NAME);
	check_plan(db, sql_text(SQL_GET_FULL), BY_NAME);
	for (i = 0; i < 8; i++) {
		page.full = (i & 1) != 0;
		page.has_state = (i & 2) != 0;
		page.gateway = (i & 4) != 0 ? &nobody : NULL;
		check_plan(db, sql_scan(&page),
		    page.gateway != NULL ? BY_GATEWAY
		        : page.has_state ? BY_STATE
		                         : BY_KEY);
	}
	page = (struct device_query){.org = "o", .gateway = &nobody};
	check_plan(db, sql_count(&page),
	    "SEARCH device USING COVERING INDEX device_gateway (org=? AND "
	    "gateway=? AND identity>? AND identity<?);");
	page.has_state = true;
	check_plan(db, sql_count(&page), BY_GATEWAY);
	check_plan(db, sql_text(SQL_GATEWAY_CENSUS),
	    "SEARCH device USING COVERING INDEX device_gateway (org=? AND "
	    "gateway=?);");
	check_plan(db, sql_text(SQL_GATEWAY_DETACH),
	    "SEARCH device USING COVERING INDEX device_gateway (org=? AND "
	    "gateway=?);");
	check_plan(
	    db, sql_text(SQL_SUM), "SEARCH tally USING PRIMARY KEY (org=?);");
	check_plan(db, sql_text(SQL_SUM_TYPE),
	    "SEARCH tally USING PRIMARY KEY (org=? AND type=?);");
	check_plan(
	    db, sql_tallies(false), "SEARCH tally USING PRIMARY KEY (org=?);");
	check_plan(db, sql_tallies(true),
	    "SEARCH tally USING PRIMARY KEY (org=? AND type=?);");
	check_plan(db, sql_text(SQL_EVENTS_PURGE),
	    "SEARCH event USING INTEGER PRIMARY KEY (rowid=?);"
	    "LIST SUBQUERY 1;"
	    "SEARCH event USING COVERING INDEX event_time (org=? AND time<?);");
	check_plan(db, sql_text(SQL_EVENT_BEFORE),
	    "SCAN CONSTANT ROW;SCALAR SUBQUERY 1;"
	    "SEARCH event USING COVERING INDEX event_org (org=? AND rowid>?);");
	check_plan(db, sql_events(&all),
	    "SEARCH event USING INTEGER PRIMARY KEY (rowid>?);");
	check_plan(db, sql_events(&org),
	    "SEARCH event USING INDEX event_org (org=? AND rowid>?);");
	check_plan(db, sql_events(&kind),
	    "SEARCH event USING INTEGER PRIMARY KEY (rowid>?);");
	check_plan(db, sql_events(&both),
	    "SEARCH event USING INDEX event_kind (org=? AND kind=? AND "
	    "rowid>?);");
	check_plan(db, sql_events(&last),
	    "CO-ROUTINE (subquery-1);"
	    "SEARCH event USING INTEGER PRIMARY KEY (rowid>?);"
	    "SCAN (subquery-1);USE TEMP B-TREE FOR ORDER BY;");
	check_plan(db, sql_text(SQL_DEVICE_SEEN),
	    "SEARCH device USING PRIMARY KEY (org=? AND identity=?);");
	check_plan(db, sql_text(SQL_DEVICE_PROMOTE),
	    "SEARCH device USING PRIMARY KEY (org=? AND identity=?);");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
devices_are_selected_by_an_index(void **state)
{
	struct fixture *fixture = *state;
	struct device_query page;
	sqlite3 *db = NULL;
	int i;

	fixture_create(fixture);
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	for (i = 0; i < 4; i++) {
		page = (struct device_query){.org = "o",
		    .full = (i & 1) != 0,
		    .has_seen_with = true,
		    .is_locked = (i & 2) != 0};
		check_plan(
		    db, sql_scan(&page), page.is_locked ? BY_LOCK : BY_SEEN);
	}
	page = (struct device_query){.org = "o", .has_seen_with = true};
	check_plan(db, sql_count(&page), BY_SEEN);
	page.is_locked = true;
	check_plan(db, sql_count(&page), BY_LOCK);
	page.is_waiting = true;
	check_plan(db, sql_count(&page), BY_LOCK);
	page.is_locked = false;
	check_plan(db, sql_count(&page), BY_WAIT);
	check_plan(db, sql_scan(&page), BY_WAIT);
	page = (struct device_query){.org = "o", .is_lapsed = true};
	check_plan(db, sql_count(&page), BY_STATE);
	check_plan(db, sql_scan(&page), BY_STATE);
	check_plan(db, sql_text(SQL_DEVICE_SEEN_WITH),
	    "SEARCH device USING PRIMARY KEY (org=? AND identity=?);");
	check_plan(db, sql_text(SQL_DEVICE_FIRST_CERT),
	    "SEARCH device USING PRIMARY KEY (org=? AND identity=?);");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(no_page_is_a_full_scan),
	    FIXTURE_TEST(devices_are_selected_by_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
