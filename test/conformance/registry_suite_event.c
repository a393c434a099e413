/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 512

static enum res
note(const struct event *event, void *context)
{
	char *line = context;

	assert_true(strlen(line) + strlen(event->subject) + 2 < LINE_MAX_BYTES);
	(void)strcat(line, line[0] == '\0' ? "" : " ");
	(void)strcat(line, event->subject);
	return RES_OK;
}

static void
must_list(struct registry *registry, const struct event_query *query,
    const char *want)
{
	char line[LINE_MAX_BYTES] = "";
	struct diag why = {{0}};

	assert_int_equal(
	    registry_events(registry, query, note, line, &why), RES_OK);
	assert_string_equal(line, want);
}

/* One change with its event: setting key, in org, at NOW + second. */
static void
tell(struct registry *registry, const char *org, const char *kind,
    const char *subject, int second)
{
	static char value[] = "v";
	struct setting_record setting = {.key = "key", .value = value};
	struct change change = suite_change(CHANGE_SETTING_SET, &setting);
	struct diag why;

	change.org = org;
	change.event_kind = kind;
	change.event_subject = subject;
	change.time = NOW + second;
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_OK);
}

static enum res
check_whole(const struct event *event, void *context)
{
	assert_int_equal(event->seq, 1);
	assert_string_equal(event->org, ORG_DEFAULT);
	assert_int_equal(event->time, NOW);
	assert_string_equal(event->actor, "broker");
	assert_string_equal(event->kind, "device-provisioned");
	assert_string_equal(event->subject, "d:m:1");
	if (event->detail != NULL) {
		assert_string_equal(event->detail, "a \"detail\"");
	}
	*(bool *)context = event->detail != NULL;
	return RES_OK;
}

static void
an_event_reads_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_PROVISIONED);
	struct change change = suite_change(CHANGE_DEVICE_PROVISION, &device);
	struct event_query query = {.since = CLOCK_NONE};
	struct diag why;
	bool detailed = false;

	change.actor = "broker";
	change.event_kind = "device-provisioned";
	change.event_subject = "d:m:1";
	change.event_detail = "a \"detail\"";
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_OK);
	assert_int_equal(
	    registry_events(registry, &query, check_whole, &detailed, &why),
	    RES_OK);
	assert_true(detailed);
	assert_int_equal(suite_mark(registry), 1);
}

static const struct {
	struct event_query query;
	const char *want;
} list_cases[] = {
    {{.since = CLOCK_NONE}, "a b c d e"},
    {{.since = CLOCK_NONE, .limit = 2}, "a b"},
    {{.since = CLOCK_NONE, .limit = 2, .newest = true}, "d e"},
    {{.since = CLOCK_NONE, .limit = 9, .newest = true}, "a b c d e"},
    {{.since = CLOCK_NONE, .newest = true}, "a b c d e"},
    {{.since = CLOCK_NONE, .after = 3, .limit = 2}, "c d"},
    {{.since = CLOCK_NONE, .after = 6}, ""},
    {{.since = CLOCK_NONE, .after = 4, .limit = 9, .newest = true}, "d e"},
    {{.since = NOW + 3}, "c d e"},
    {{.since = NOW + 9}, ""},
    {{.since = NOW + 2, .limit = 1}, "b"},
    {{.since = CLOCK_NONE, .kind = "k2"}, "b d"},
    {{.since = CLOCK_NONE, .kind = "k3"}, ""},
    {{.since = CLOCK_NONE, .org = ORG_DEFAULT}, "a b e"},
    {{.since = CLOCK_NONE, .org = "plant"}, "c d"},
    {{.since = CLOCK_NONE, .org = "nowhere"}, ""},
    {{.since = CLOCK_NONE, .org = ORG_DEFAULT, .kind = "k1"}, "a e"},
    {{.since = CLOCK_NONE, .org = "plant", .kind = "k2"}, "d"},
    {{.since = CLOCK_NONE, .org = ORG_DEFAULT, .limit = 2, .newest = true},
        "b e"},
    {{.since = NOW + 3, .org = ORG_DEFAULT, .kind = "k1"}, "e"},
};

static void
events_are_listed_in_order(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	struct change change = suite_change(CHANGE_ORG_ADD, &org);
	struct event_query all;
	struct diag why;
	size_t i;

	change.actor = NULL; /* no event */
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_OK);
	assert_int_equal(suite_mark(registry), 0);
	tell(registry, ORG_DEFAULT, "k1", "zero", 0);
	tell(registry, ORG_DEFAULT, "k1", "a", 1);
	tell(registry, ORG_DEFAULT, "k2", "b", 2);
	tell(registry, "plant", "k1", "c", 3);
	tell(registry, "plant", "k2", "d", 4);
	tell(registry, ORG_DEFAULT, "k1", "e", 5);
	for (i = 0; i < sizeof(list_cases) / sizeof(list_cases[0]); i++) {
		all = list_cases[i].query;
		all.after = all.after == 0 ? 1 : all.after; /* not "zero" */
		must_list(registry, &all, list_cases[i].want);
	}
}

static enum res
stop(const struct event *event, void *context)
{
	(void)event;
	++*(int *)context;
	return RES_REFUSED;
}

static void
a_visitor_ends_the_list(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct event_query query = {.since = CLOCK_NONE};
	struct diag why;
	int seen = 0;

	tell(registry, ORG_DEFAULT, "k1", "a", 1);
	tell(registry, ORG_DEFAULT, "k1", "b", 1);
	assert_int_equal(
	    registry_events(registry, &query, stop, &seen, &why), RES_REFUSED);
	assert_int_equal(seen, 1);
}

static void
a_new_org_sees_no_events_of_an_old_one(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	struct event_query query = {.since = CLOCK_NONE, .org = "plant"};
	int64_t mark;

	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	tell(registry, "plant", "k1", "secret", 1);
	must_list(registry, &query, "secret");
	mark = suite_mark(registry);
	suite_expect(registry, CHANGE_ORG_REMOVE, &org, RES_OK);
	assert_true(suite_mark(registry) > mark);
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	must_list(registry, &query, "");
}

/* Three devices, of which the second is there already. */
static void
start_three(
    struct registry *registry, struct device *devices, struct change *changes)
{
	static const char *const names[] = {"d:m:1", "d:m:2", "d:m:3"};
	size_t i;

	for (i = 0; i < 3; i++) {
		devices[i] = suite_device(names[i], DEVICE_PROVISIONED);
		changes[i] = suite_change(CHANGE_DEVICE_PROVISION, &devices[i]);
		changes[i].event_subject = names[i];
	}
	assert_int_equal(
	    suite_apply(registry, CHANGE_DEVICE_ADD, &devices[1]), RES_OK);
}

static void
all_or_nothing(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct event_query query = {.since = CLOCK_NONE};
	struct device_query devices_query = {.org = ORG_DEFAULT};
	struct device devices[3];
	struct change changes[3];
	struct diag why = {{0}};
	int64_t count;

	start_three(registry, devices, changes);
	assert_int_equal(
	    registry_apply(registry, changes, 3, APPLY_ALL, &why), RES_EXISTS);
	assert_non_null(strstr(why.text, "d:m:2"));
	assert_int_equal(changes[0].result, RES_UNAVAIL); /* undone */
	assert_int_equal(changes[1].result, RES_EXISTS);
	assert_int_equal(changes[2].result, RES_UNAVAIL); /* not tried */
	must_list(registry, &query, "s");
	assert_int_equal(
	    registry_count(registry, &devices_query, &count, &why), RES_OK);
	assert_int_equal(count, 1);
}

static void
each_for_itself(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct event_query query = {.since = CLOCK_NONE};
	struct device devices[3];
	struct change changes[3];
	struct diag why = {{0}};

	start_three(registry, devices, changes);
	assert_int_equal(
	    registry_apply(registry, changes, 3, APPLY_EACH, &why), RES_OK);
	assert_string_equal(why.text, "");
	assert_int_equal(changes[0].result, RES_OK);
	assert_int_equal(changes[1].result, RES_EXISTS);
	assert_int_equal(changes[2].result, RES_OK);
	must_list(registry, &query, "s d:m:1 d:m:3");

	/* Again, as after a commit that only seemed to fail. */
	assert_int_equal(
	    registry_apply(registry, changes, 3, APPLY_EACH, &why), RES_OK);
	assert_int_equal(changes[0].result, RES_EXISTS);
	assert_int_equal(changes[2].result, RES_EXISTS);
	must_list(registry, &query, "s d:m:1 d:m:3");
}

static void
a_change_sees_the_one_before(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	struct device device = suite_device("d:m:1", DEVICE_PENDING);
	struct change changes[] = {
	    suite_change(CHANGE_ORG_ADD, &org),
	    suite_change(CHANGE_DEVICE_PROVISION, &device),
	    suite_change(CHANGE_DEVICE_APPROVE, &device),
	    suite_change(CHANGE_DEVICE_PROVISION, &device),
	};
	struct diag why = {{0}};
	size_t i;

	for (i = 0; i < 4; i++) {
		changes[i].org = "plant";
	}
	assert_int_equal(
	    registry_apply(registry, changes, 4, APPLY_EACH, &why), RES_OK);
	assert_int_equal(changes[0].result, RES_OK);
	assert_int_equal(changes[1].result, RES_OK);
	assert_int_equal(changes[2].result, RES_OK);
	assert_int_equal(changes[3].result, RES_EXISTS);
}

static void
an_event_may_stand_alone(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct event_query query = {.since = CLOCK_NONE};
	struct device nobody = suite_device("d:m:9", DEVICE_PENDING);
	struct device devices[3];
	struct change changes[3];
	struct diag why = {{0}};

	start_three(registry, devices, changes);
	changes[1] = suite_change(CHANGE_EVENT, &nobody);
	changes[1].event_subject = "d:m:9";
	assert_int_equal(
	    registry_apply(registry, changes, 3, APPLY_EACH, &why), RES_OK);
	must_list(registry, &query, "s d:m:1 d:m:9 d:m:3");

	/* Of an org that is gone it is not written, and harms no other. */
	changes[1].org = "nowhere";
	changes[0].kind = changes[2].kind = CHANGE_EVENT;
	assert_int_equal(
	    registry_apply(registry, changes, 3, APPLY_EACH, &why), RES_OK);
	assert_int_equal(changes[0].result, RES_OK);
	assert_int_equal(changes[1].result, RES_NOTFOUND);
	assert_int_equal(changes[2].result, RES_OK);
	must_list(registry, &query, "s d:m:1 d:m:9 d:m:3 d:m:1 d:m:3");
}

static void
nothing_is_nothing(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct diag why = {{0}};

	assert_int_equal(
	    registry_apply(registry, NULL, 0, APPLY_ALL, &why), RES_OK);
	assert_int_equal(suite_mark(registry), 0);
}

static void
a_batch_of_the_largest_size(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct change *changes = calloc(512, sizeof(*changes));
	struct device *devices = calloc(512, sizeof(*devices));
	char name[32];
	struct diag why;
	size_t i;

	assert_non_null(changes);
	assert_non_null(devices);
	for (i = 0; i < 512; i++) {
		(void)snprintf(name, sizeof(name), "d:m:%zu", i / 2);
		devices[i] = suite_device(name, DEVICE_PROVISIONED);
		changes[i] = suite_change(CHANGE_DEVICE_PROVISION, &devices[i]);
	}
	assert_int_equal(
	    registry_apply(registry, changes, 512, APPLY_EACH, &why), RES_OK);
	for (i = 0; i < 512; i++) {
		assert_int_equal(
		    changes[i].result, i % 2 == 0 ? RES_OK : RES_EXISTS);
	}
	assert_int_equal(suite_mark(registry), 256);
	free(changes);
	free(devices);
}

int
suite_event_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(an_event_reads_back),
	    SUITE_TEST(events_are_listed_in_order),
	    SUITE_TEST(a_visitor_ends_the_list),
	    SUITE_TEST(a_new_org_sees_no_events_of_an_old_one),
	    SUITE_TEST(all_or_nothing),
	    SUITE_TEST(each_for_itself),
	    SUITE_TEST(a_change_sees_the_one_before),
	    SUITE_TEST(an_event_may_stand_alone),
	    SUITE_TEST(nothing_is_nothing),
	    SUITE_TEST(a_batch_of_the_largest_size),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
