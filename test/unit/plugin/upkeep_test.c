/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Counters reach the registry, and old events leave it. */
#include "plugin/upkeep.h"

#include <stdio.h>
#include <stdlib.h>

#include "registry/backend.h"
#include "registry/edit.h"
#include "test/support/cmocka_all.h"

#define DAY 86400 /* seconds */

enum res __real_registry_apply(struct registry *registry,
    struct change *changes, size_t n, enum apply_mode mode, struct diag *why);
enum res __wrap_registry_apply(struct registry *registry,
    struct change *changes, size_t n, enum apply_mode mode, struct diag *why);

static enum res answer; /* RES_OK: really */
static int asked;
static struct upkeep *stops; /* at the first question */

enum res
__wrap_registry_apply(struct registry *registry, struct change *changes,
    size_t n, enum apply_mode mode, struct diag *why)
{
	asked++;
	if (stops != NULL) {
		upkeep_stop(stops);
	}
	return answer == RES_OK
	    ? __real_registry_apply(registry, changes, n, mode, why)
	    : diag_res(why, answer, "not now");
}

struct desk {
	struct registry *registry;
	struct snapshot *snapshot;
	struct upkeep upkeep;
};

static void
look_again(struct desk *desk)
{
	struct config config = {0};
	struct diag why;

	snapshot_unref(desk->snapshot);
	desk->snapshot = NULL;
	assert_int_equal(registry_load(desk->registry, &config, &why), RES_OK);
	assert_int_equal(
	    snapshot_new(&config, NULL, &desk->snapshot, &why), RES_OK);
}

static struct edit
edit_of(const struct desk *desk, const char *org)
{
	return (struct edit){.registry = desk->registry,
	    .org = org,
	    .actor = "operator",
	    .now = clock_now()};
}

/* One that has no events of its own. */
static void
add_org(struct desk *desk, const char *name)
{
	struct org org = {.created_at = clock_now()};
	struct change change = {
	    .kind = CHANGE_ORG_ADD, .org = name, .of.org = &org};
	struct diag why;

	text_set(org.name, sizeof(org.name), name);
	assert_int_equal(
	    registry_apply(desk->registry, &change, 1, APPLY_ALL, &why),
	    RES_OK);
	look_again(desk);
}

static void
keep_days(struct desk *desk, const char *org, const char *days)
{
	const struct edit edit = edit_of(desk, org);
	struct diag why;

	assert_int_equal(edit_setting(&edit, "event-days", days, &why), RES_OK);
	look_again(desk);
}

static int
setup(void **state)
{
	static struct desk desk;
	const struct registry_options how = {.path = "memory",
	    .mode = REGISTRY_CREATE,
	    .backend = &backend_memory};
	struct diag why;
	struct edit edit;

	answer = RES_OK;
	stops = NULL;
	desk = (struct desk){0};
	assert_int_equal(registry_open(&how, &desk.registry, &why), RES_OK);
	edit = edit_of(&desk, ORG_DEFAULT);
	assert_int_equal(edit_org_start(&edit, STARTER_PLAIN, &why), RES_OK);
	upkeep_init(&desk.upkeep);
	look_again(&desk);
	*state = &desk;
	return 0;
}

static int
teardown(void **state)
{
	struct desk *desk = *state;

	upkeep_done(&desk->upkeep);
	snapshot_unref(desk->snapshot);
	registry_close(desk->registry);
	return 0;
}

static void
add_events(struct desk *desk, const char *org, int64_t age, size_t n)
{
	const struct identity who = {
	    .type = {.class = 'd', .name = "m"}, .id = "1"};
	struct change *changes = calloc(n, sizeof(*changes));
	struct device device;
	struct diag why;
	size_t i;

	assert_non_null(changes);
	device_init(&device, org, &who);
	for (i = 0; i < n; i++) {
		changes[i] = (struct change){.kind = CHANGE_EVENT,
		    .org = org,
		    .of.device = &device,
		    .time = clock_now() - age,
		    .actor = "broker",
		    .event_kind = "session-closed",
		    .event_subject = "d:m:1"};
	}
	assert_int_equal(
	    registry_apply(desk->registry, changes, n, APPLY_ALL, &why),
	    RES_OK);
	free(changes);
}

static enum res
count(const struct event *event, void *context)
{
	size_t *n = context;

	*n += strcmp(event->kind, "session-closed") == 0;
	return RES_OK;
}

static size_t
events_of(const struct desk *desk, const char *org)
{
	const struct event_query query = {.org = org, .since = CLOCK_NONE};
	struct diag why;
	size_t n = 0;

	assert_int_equal(
	    registry_events(desk->registry, &query, count, &n, &why), RES_OK);
	return n;
}

static void
run_now(struct desk *desk)
{
	desk->upkeep.purge_at = 0;
	upkeep_run(&desk->upkeep, desk->registry, desk->snapshot);
}

/* An event of an age, in days and seconds, by the setting of its org. */
static const struct {
	const char *name, *days;
	int64_t age;
	size_t left;
} ages[] = {
    {"new", "90", 0, 1},
    {"an hour before its end", "90", 90 * DAY - 3600, 1},
    {"an hour after its end", "90", 90 * DAY + 3600, 0},
    {"by default", NULL, 89 * DAY, 1},
    {"too old by default", NULL, 91 * DAY, 0},
    {"kept for long", "3650", 3649 * DAY, 1},
    {"kept for a day", "1", DAY + 3600, 0},
    {"of today", "1", DAY - 3600, 1},
    {"of tomorrow", "1", -DAY, 1},
};

static void
events_are_kept_for_days(void **state)
{
	struct desk *desk;
	size_t i;

	for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		print_message("%s\n", ages[i].name);
		(void)teardown(state);
		(void)setup(state);
		desk = *state;
		if (ages[i].days != NULL) {
			keep_days(desk, ORG_DEFAULT, ages[i].days);
		}
		add_events(desk, ORG_DEFAULT, ages[i].age, 1);
		run_now(desk);
		assert_int_equal(events_of(desk, ORG_DEFAULT), ages[i].left);
	}
}

static void
each_org_has_its_own_days(void **state)
{
	struct desk *desk = *state;

	add_org(desk, "acme");
	keep_days(desk, ORG_DEFAULT, "30");
	keep_days(desk, "acme", "9");
	add_events(desk, ORG_DEFAULT, 10 * DAY, 2);
	add_events(desk, "acme", 10 * DAY, 3);
	run_now(desk);
	assert_int_equal(events_of(desk, ORG_DEFAULT), 2);
	assert_int_equal(events_of(desk, "acme"), 0);
}

/* The seq that others follow does not go back. */
static void
the_mark_stays(void **state)
{
	struct desk *desk = *state;
	int64_t before, after;
	struct diag why;

	add_events(desk, ORG_DEFAULT, 365 * DAY, 3);
	assert_int_equal(registry_mark(desk->registry, &before, &why), RES_OK);
	run_now(desk);
	assert_int_equal(events_of(desk, ORG_DEFAULT), 0);
	assert_int_equal(registry_mark(desk->registry, &after, &why), RES_OK);
	assert_int_equal(after, before);
}

/* A few steps, and soon more, so that others get their turn. */
static void
many_go_step_by_step(void **state)
{
	struct desk *desk = *state;
	int64_t start = clock_monotonic_ms();

	add_org(desk, "acme");
	add_events(
	    desk, "acme", 365 * DAY, (size_t)PURGE_MAX * UPKEEP_STEPS + 1);
	run_now(desk);
	assert_int_equal(events_of(desk, "acme"), 1);
	assert_true(desk->upkeep.purge_at < start + UPKEEP_PURGE_MS);
	/* Not before its time. */
	desk->upkeep.purge_at = clock_monotonic_ms() + 1000000;
	upkeep_run(&desk->upkeep, desk->registry, desk->snapshot);
	assert_int_equal(events_of(desk, "acme"), 1);
	run_now(desk);
	assert_int_equal(events_of(desk, "acme"), 0);
	assert_true(desk->upkeep.purge_at >= start + UPKEEP_MORE_MS);
	run_now(desk);
	assert_true(desk->upkeep.purge_at >= start + UPKEEP_PURGE_MS);
}

static enum res
find_metrics(const struct metrics_record *metrics, void *context)
{
	struct metrics_record *found = context;

	*found = *metrics;
	found->body = strdup(metrics->body);
	return RES_OK;
}

static struct metrics_record
written(const struct desk *desk)
{
	struct metrics_record found = {.body = NULL};
	struct diag why;

	assert_int_equal(
	    registry_metrics(desk->registry, find_metrics, &found, &why),
	    RES_OK);
	return found;
}

static void
the_newest_counters_are_written(void **state)
{
	struct desk *desk = *state;
	struct metrics_record found;

	upkeep_metrics(&desk->upkeep, "host:1", strdup("old 1\n"));
	upkeep_metrics(&desk->upkeep, "host:1", strdup("new 2\n"));
	upkeep_run(&desk->upkeep, desk->registry, desk->snapshot);
	found = written(desk);
	assert_string_equal(found.source, "host:1");
	assert_string_equal(found.body, "new 2\n");
	assert_in_range(found.written_at, clock_now() - 60, clock_now());
	free(found.body);

	upkeep_metrics(&desk->upkeep, "host:1", strdup("last 3\n"));
	assert_int_equal(upkeep_finish(&desk->upkeep, desk->registry), RES_OK);
	found = written(desk);
	assert_string_equal(found.body, "last 3\n");
	free(found.body);
	assert_int_equal(upkeep_finish(&desk->upkeep, desk->registry), RES_OK);
}

static void
add_orgs(struct desk *desk, int n)
{
	char name[16];
	int i;

	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "o%d", i);
		add_org(desk, name);
	}
}

/* Each question may wait for another writer, and there may be many orgs. */
static void
one_refusal_ends_a_look(void **state)
{
	static const enum res answers[] = {RES_BUSY, RES_UNAVAIL, RES_NOMEM};
	struct desk *desk = *state;
	int64_t start = clock_monotonic_ms();
	size_t i;

	add_orgs(desk, 20);
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		answer = answers[i];
		asked = 0;
		run_now(desk);
		assert_int_equal(asked, 1);
		assert_true(desk->upkeep.purge_at >= start + UPKEEP_PURGE_MS);
	}
	answer = RES_OK;
	add_events(desk, "o19", 365 * DAY, 1);
	run_now(desk);
	assert_int_equal(events_of(desk, "o19"), 0);
}

static void
a_stop_ends_a_look(void **state)
{
	struct desk *desk = *state;

	add_orgs(desk, 20);
	add_events(desk, "o19", 365 * DAY, 1);
	asked = 0;
	stops = &desk->upkeep;
	run_now(desk);
	assert_int_equal(asked, 1);
	run_now(desk);
	assert_int_equal(asked, 1);
	/* The last counters are written all the same. */
	upkeep_metrics(&desk->upkeep, "host:1", strdup("x 1\n"));
	assert_int_equal(upkeep_finish(&desk->upkeep, desk->registry), RES_OK);
	assert_int_equal(asked, 2);
}

static void
write_counters(struct desk *desk, const char *source, int64_t age)
{
	char body[] = "x 1\n";
	struct metrics_record record = {
	    .body = body, .written_at = clock_now() - age};
	struct change change = {.kind = CHANGE_METRICS, .of.metrics = &record};
	struct diag why;

	text_set(record.source, sizeof(record.source), source);
	assert_int_equal(
	    registry_apply(desk->registry, &change, 1, APPLY_ALL, &why),
	    RES_OK);
}

static enum res
list_sources(const struct metrics_record *metrics, void *context)
{
	char *list = context;

	(void)strncat(list, metrics->source, 100);
	return RES_OK;
}

/* Of brokers that are gone for as long as events are kept. */
static void
old_counters_go(void **state)
{
	struct desk *desk = *state;
	char list[512] = "";
	struct diag why;

	add_org(desk, "acme");
	keep_days(desk, ORG_DEFAULT, "30");
	keep_days(desk, "acme", "9");
	write_counters(desk, "a-gone;", 30 * DAY + 3600);
	write_counters(desk, "b-here;", 0);
	write_counters(desk, "c-gone;", 300 * DAY);
	write_counters(desk, "d-lately;", 30 * DAY - 3600);
	write_counters(desk, "e-ahead;", -DAY);
	run_now(desk);
	assert_int_equal(
	    registry_metrics(desk->registry, list_sources, list, &why), RES_OK);
	assert_string_equal(list, "b-here;d-lately;e-ahead;");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        events_are_kept_for_days, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        each_org_has_its_own_days, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_mark_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        many_go_step_by_step, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        the_newest_counters_are_written, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        one_refusal_ends_a_look, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_stop_ends_a_look, setup, teardown),
	    cmocka_unit_test_setup_teardown(old_counters_go, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
