/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* How many there may be: of devices, a gateway's, hooks, admins, events. */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>

static void
limit_type(
    struct registry *registry, const char *name, int64_t most, enum res r)
{
	struct type_record type = {.type = {.class = 'd'},
	    .window = CLOCK_NONE,
	    .overlap = CLOCK_NONE,
	    .max_devices = most};

	(void)strcpy(type.type.name, name);
	suite_expect(registry, CHANGE_TYPE_SET, &type, r);
}

static void
limit_org(struct registry *registry, const char *text, enum res r)
{
	char value[32];
	struct setting_record setting = {.key = "max-devices", .value = value};

	(void)strcpy(value, text);
	suite_expect(registry, CHANGE_SETTING_SET, &setting, r);
}

static void
expect_device(struct registry *registry, enum change_kind kind,
    const char *name, enum device_state state, enum res want)
{
	struct device device = suite_device(name, state);

	suite_expect(registry, kind, &device, want);
}

#define ADD       CHANGE_DEVICE_ADD
#define PROVISION CHANGE_DEVICE_PROVISION

static void
a_type_has_its_maximum(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device seen = suite_device("d:m:1", DEVICE_PROVISIONED);

	limit_type(registry, "m", -1, RES_REFUSED);
	limit_type(registry, "m", DEVICES_MAX + 1, RES_REFUSED);
	limit_type(registry, "m", 2, RES_OK);
	expect_device(registry, ADD, "d:m:1", DEVICE_ALLOWED, RES_OK);
	expect_device(registry, PROVISION, "d:m:2", DEVICE_PENDING, RES_OK);
	/* Full: whatever state, whichever way. */
	expect_device(registry, ADD, "d:m:3", DEVICE_ALLOWED, RES_LIMIT);
	expect_device(registry, PROVISION, "d:m:3", DEVICE_PENDING, RES_LIMIT);
	expect_device(
	    registry, PROVISION, "d:m:3", DEVICE_PROVISIONED, RES_LIMIT);
	/* What is there is there: first in line, before any limit. */
	expect_device(registry, ADD, "d:m:2", DEVICE_ALLOWED, RES_EXISTS);
	expect_device(registry, ADD, "d:M:2", DEVICE_ALLOWED, RES_EXISTS);
	suite_expect(registry, PROVISION, &seen, RES_OK);
	/* Of others there are as many as you like. */
	expect_device(registry, ADD, "d:m2:1", DEVICE_ALLOWED, RES_OK);
	expect_device(registry, ADD, "g:m:1", DEVICE_ALLOWED, RES_OK);
	/* One goes, one comes. */
	suite_expect(registry, CHANGE_DEVICE_REMOVE, &seen, RES_OK);
	expect_device(registry, ADD, "d:m:3", DEVICE_ALLOWED, RES_OK);
	expect_device(registry, ADD, "d:m:4", DEVICE_ALLOWED, RES_LIMIT);
	limit_type(registry, "m", 0, RES_OK);
	expect_device(registry, ADD, "d:m:4", DEVICE_ALLOWED, RES_OK);
	limit_type(registry, "m", 1, RES_OK); /* there are more than that */
	expect_device(registry, ADD, "d:m:5", DEVICE_ALLOWED, RES_LIMIT);
}

static void
an_org_has_its_maximum(void **state)
{
	static const char *const bad[] = {
	    "", "0", "-1", "1000000001", "1e3", " 2", "None", "unlimited"};
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	struct device device = suite_device("d:m:9", DEVICE_ALLOWED);
	struct change change = suite_change(CHANGE_DEVICE_ADD, &device);
	struct diag why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		limit_org(registry, bad[i], RES_SYNTAX);
	}
	limit_org(registry, "3", RES_OK);
	expect_device(registry, ADD, "d:m:1", DEVICE_ALLOWED, RES_OK);
	expect_device(registry, ADD, "d:n:1", DEVICE_PENDING, RES_OK);
	expect_device(registry, ADD, "g:g:1", DEVICE_PROVISIONED, RES_OK);
	expect_device(registry, ADD, "d:o:1", DEVICE_ALLOWED, RES_LIMIT);
	expect_device(
	    registry, PROVISION, "d:o:1", DEVICE_PROVISIONED, RES_LIMIT);
	expect_device(registry, ADD, "d:n:1", DEVICE_PENDING, RES_EXISTS);
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	change.org = "plant";
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_OK);
	limit_org(registry, "none", RES_OK);
	expect_device(registry, ADD, "d:o:1", DEVICE_ALLOWED, RES_OK);
}

/* A limit that comes in a transaction holds for what follows in it. */
static void
a_limit_holds_from_its_change_on(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct diag why;

	assert_int_equal(registry_begin(registry, &why), RES_OK);
	expect_device(registry, ADD, "d:m:1", DEVICE_ALLOWED, RES_OK);
	limit_type(registry, "m", 1, RES_OK);
	expect_device(registry, ADD, "d:m:2", DEVICE_ALLOWED, RES_LIMIT);
	limit_type(registry, "m", 2, RES_OK);
	expect_device(registry, ADD, "d:m:2", DEVICE_ALLOWED, RES_OK);
	limit_org(registry, "3", RES_OK);
	limit_type(registry, "m", 0, RES_OK);
	expect_device(registry, ADD, "d:m:3", DEVICE_ALLOWED, RES_OK);
	expect_device(registry, ADD, "d:m:4", DEVICE_ALLOWED, RES_LIMIT);
	expect_device(registry, ADD, "d:n:4", DEVICE_ALLOWED, RES_LIMIT);
	limit_org(registry, "none", RES_OK);
	expect_device(registry, ADD, "d:m:4", DEVICE_ALLOWED, RES_OK);
	assert_int_equal(registry_commit(registry, &why), RES_OK);
}

/* Of a batch, as many as there is room for. */
static void
a_batch_stops_at_the_maximum(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device devices[5];
	struct change changes[5];
	struct diag why;
	char name[16];
	size_t i;

	limit_type(registry, "m", 3, RES_OK);
	for (i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "d:m:%zu", i);
		devices[i] = suite_device(name, DEVICE_PROVISIONED);
		changes[i] = suite_change(CHANGE_DEVICE_PROVISION, &devices[i]);
	}
	assert_int_equal(
	    registry_apply(registry, changes, 5, APPLY_ALL, &why), RES_LIMIT);
	assert_non_null(strstr(why.text, "3 devices of the type d:m"));
	assert_int_equal(
	    registry_apply(registry, changes, 5, APPLY_EACH, &why), RES_OK);
	for (i = 0; i < 5; i++) {
		assert_int_equal(changes[i].result, i < 3 ? RES_OK : RES_LIMIT);
	}
}

static void
a_gateway_has_its_maximum(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device *devices = calloc(GATEWAY_DEVICES_MAX, sizeof(*devices));
	struct change *changes = calloc(GATEWAY_DEVICES_MAX, sizeof(*changes));
	struct device more = suite_behind("d:n:1", "g:g:1"),
	              lone = suite_device("d:n:1", DEVICE_ALLOWED);
	struct diag why;
	char name[16];
	size_t i;

	assert_true(devices != NULL && changes != NULL);
	expect_device(registry, ADD, "g:g:1", DEVICE_PROVISIONED, RES_OK);
	for (i = 0; i < GATEWAY_DEVICES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "d:m:%zu", i);
		devices[i] = suite_behind(name, "g:g:1");
		changes[i] = suite_change(ADD, &devices[i]);
	}
	assert_int_equal(registry_apply(registry, changes, GATEWAY_DEVICES_MAX,
	                     APPLY_ALL, &why),
	    RES_OK);
	suite_expect(registry, ADD, &more, RES_LIMIT);
	suite_expect(registry, PROVISION, &more, RES_LIMIT);
	suite_expect(registry, ADD, &lone, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &more, RES_LIMIT);
	suite_expect(registry, PROVISION, &more, RES_LIMIT); /* is allowed */
	suite_expect(registry, CHANGE_DEVICE_REMOVE, &devices[7], RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &more, RES_OK);
	free(devices);
	free(changes);
}

static void
hooks_are_kept(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char failure[] = "refused", secret[] = "s", pem[] = "p";
	struct hook_record hook = suite_hook("0000000f"), *back;
	struct config config;
	int64_t mark;

	suite_expect(registry, CHANGE_HOOK_PROGRESS, &hook, RES_NOTFOUND);
	suite_expect(registry, CHANGE_HOOK_REMOVE, &hook, RES_NOTFOUND);
	hook.secret = secret;
	hook.ca_pem = pem;
	hook.cursor = 5;
	suite_expect(registry, CHANGE_HOOK_ADD, &hook, RES_OK);
	suite_expect(registry, CHANGE_HOOK_ADD, &hook, RES_EXISTS);
	hook.cursor = 9;
	hook.delivered = 3;
	hook.dropped = 1;
	hook.failure = failure;
	hook.failing_since = NOW + 1;
	hook.url = hook.kinds = NULL; /* do not count */
	mark = suite_mark(registry);
	assert_int_equal(
	    suite_apply(registry, CHANGE_HOOK_PROGRESS, &hook), RES_OK);
	assert_int_equal(suite_mark(registry), mark);
	suite_load(registry, &config);
	assert_int_equal(config.hook_count, 1);
	back = &config.hooks[0];
	assert_string_equal(back->org, ORG_DEFAULT);
	assert_string_equal(back->id, "0000000f");
	assert_string_equal(back->url, suite_hook("0000000f").url);
	assert_string_equal(back->kinds, "[]");
	assert_string_equal(back->format, "cloudevents");
	assert_string_equal(back->secret, "s");
	assert_string_equal(back->ca_pem, "p");
	assert_int_equal(back->created_at, NOW);
	assert_int_equal(back->cursor, 9);
	assert_int_equal(back->delivered, 3);
	assert_int_equal(back->dropped, 1);
	assert_string_equal(back->failure, "refused");
	assert_int_equal(back->failing_since, NOW + 1);
	config_done(&config);
	suite_expect(registry, CHANGE_HOOK_REMOVE, &hook, RES_OK);
	suite_expect(registry, CHANGE_HOOK_REMOVE, &hook, RES_NOTFOUND);
}

static void
a_bad_hook_is_refused(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct hook_record bad[10];
	char empty[] = "", number[] = "1", *large = malloc(URL_MAX + 2);
	size_t i;

	assert_non_null(large);
	memset(large, 'x', URL_MAX + 1);
	large[URL_MAX + 1] = '\0';
	for (i = 0; i < 10; i++) {
		bad[i] = suite_hook("0000000f");
	}
	bad[0].url = NULL;
	bad[1].url = empty;
	bad[2].url = large;
	bad[3].kinds = NULL;
	bad[4].format[0] = '\0';
	bad[5].secret = empty;
	bad[6].secret = large; /* longer than SECRET_MAX too */
	bad[7].failure = empty;
	bad[8].cursor = -1;
	(void)strcpy(bad[9].id, "xyz");
	for (i = 0; i < 10; i++) {
		suite_expect(registry, CHANGE_HOOK_ADD, &bad[i], RES_REFUSED);
	}
	bad[0] = suite_hook("0000000f");
	bad[0].kinds = number;
	suite_expect(registry, CHANGE_HOOK_ADD, &bad[0], RES_SYNTAX);
	free(large);
}

static void
hooks_and_admins_are_few(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct admin_record admin = {.added_at = NOW};
	struct hook_record hook;
	struct config config;
	char id[HOOK_ID_LEN + 1];
	int i;

	for (i = 0; i <= HOOKS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%08x", 0x1000 - i);
		hook = suite_hook(id);
		suite_expect(registry, CHANGE_HOOK_ADD, &hook,
		    i < HOOKS_MAX ? RES_OK : RES_LIMIT);
	}
	hook = suite_hook("00001000");
	suite_expect(registry, CHANGE_HOOK_ADD, &hook, RES_EXISTS);
	for (i = 0; i <= ADMINS_MAX; i++) {
		(void)snprintf(admin.name, sizeof(admin.name), "a%d", 999 - i);
		suite_expect(registry, CHANGE_ADMIN_ADD, &admin,
		    i < ADMINS_MAX ? RES_OK : RES_LIMIT);
	}
	(void)strcpy(admin.name, "a999");
	suite_expect(registry, CHANGE_ADMIN_ADD, &admin, RES_EXISTS);
	suite_load(registry, &config);
	assert_int_equal(config.hook_count, HOOKS_MAX);
	assert_int_equal(config.admin_count, ADMINS_MAX);
	for (i = 1; i < HOOKS_MAX; i++) {
		assert_true(
		    strcmp(config.hooks[i - 1].id, config.hooks[i].id) < 0);
	}
	for (i = 1; i < ADMINS_MAX; i++) {
		assert_true(strcmp(config.admins[i - 1].name,
		                config.admins[i].name) < 0);
	}
	config_done(&config);
	suite_expect(registry, CHANGE_ADMIN_REMOVE, &admin, RES_OK);
	suite_expect(registry, CHANGE_ADMIN_REMOVE, &admin, RES_NOTFOUND);
	suite_expect(registry, CHANGE_HOOK_REMOVE, &hook, RES_OK);
}

static void
a_bad_admin_is_refused(void **state)
{
	static const char *const bad[] = {"", "a\nb", "\xff"};
	struct registry *registry = ((struct suite *)*state)->registry;
	struct admin_record admin = {.added_at = NOW};
	size_t i;

	for (i = 0; i < 3; i++) {
		(void)strcpy(admin.name, bad[i]);
		suite_expect(registry, CHANGE_ADMIN_ADD, &admin, RES_SYNTAX);
	}
}

/* How many sources there are, and their texts one after the other. */
static enum res
note_metrics(const struct metrics_record *metrics, void *context)
{
	char *line = context;
	size_t len = strlen(line);

	(void)snprintf(line + len, 64 - len, "%s@%d=%s ", metrics->source,
	    (int)(metrics->written_at - NOW), metrics->body);
	return RES_OK;
}

static void
metrics_take_the_place_of_older_ones(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	char one[] = "1", two[] = "2", *large = malloc(METRICS_MAX + 2);
	struct metrics_record metrics[] = {
	    {"b", NOW, one}, {"a", NOW + 1, one}, {"b", NOW + 2, two}};
	struct change change;
	char line[64] = "";
	struct diag why;
	size_t i;

	assert_non_null(large);
	for (i = 0; i < 3; i++) {
		change = suite_change(CHANGE_METRICS, &metrics[i]);
		change.org = NULL;
		assert_int_equal(
		    registry_apply(registry, &change, 1, APPLY_ALL, &why),
		    RES_OK);
	}
	assert_int_equal(suite_mark(registry), 0);
	memset(large, 'x', METRICS_MAX + 1);
	large[METRICS_MAX + 1] = '\0';
	metrics[0].body = large;
	suite_expect(registry, CHANGE_METRICS, &metrics[0], RES_LIMIT);
	metrics[0].body = NULL;
	suite_expect(registry, CHANGE_METRICS, &metrics[0], RES_REFUSED);
	metrics[1].source[0] = '\0';
	suite_expect(registry, CHANGE_METRICS, &metrics[1], RES_REFUSED);
	assert_int_equal(
	    registry_metrics(registry, note_metrics, line, &why), RES_OK);
	assert_string_equal(line, "a@1=1 b@2=2 ");
	free(large);
}

static enum res
count_event(const struct event *event, void *context)
{
	(void)event;
	++*(int *)context;
	return RES_OK;
}

static int
count_events(struct registry *registry, const char *org)
{
	struct event_query query = {.org = org, .since = CLOCK_NONE};
	struct diag why;
	int count = 0;

	assert_int_equal(
	    registry_events(registry, &query, count_event, &count, &why),
	    RES_OK);
	return count;
}

/* n events of the org, a second apart. */
static void
add_events(struct registry *registry, const char *org, int64_t first, int n)
{
	struct device device = suite_device("d:m:1", DEVICE_PENDING);
	struct change *changes = calloc((size_t)n, sizeof(*changes));
	struct diag why;
	int i;

	assert_non_null(changes);
	for (i = 0; i < n; i++) {
		changes[i] = suite_change(CHANGE_EVENT, &device);
		changes[i].org = org;
		changes[i].time = first + i;
	}
	assert_int_equal(
	    registry_apply(registry, changes, (size_t)n, APPLY_ALL, &why),
	    RES_OK);
	free(changes);
}

static enum res
purge(struct registry *registry, const char *org, int64_t before)
{
	struct change change = {
	    .kind = CHANGE_EVENTS_PURGE, .org = org, .time = before};
	struct diag why = {{0}};
	enum res r = registry_apply(registry, &change, 1, APPLY_ALL, &why);

	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	return r;
}

static void
old_events_are_forgotten(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	int64_t mark;

	assert_int_equal(purge(registry, "nowhere", NOW), RES_NOTFOUND);
	assert_int_equal(purge(registry, ORG_DEFAULT, NOW), RES_NOTFOUND);
	assert_int_equal(suite_apply(registry, CHANGE_ORG_ADD, &org), RES_OK);
	add_events(registry, "plant", 0, 5);
	add_events(registry, ORG_DEFAULT, 100, PURGE_MAX + 50);
	mark = suite_mark(registry);
	assert_int_equal(purge(registry, "plant", 0), RES_NOTFOUND);
	assert_int_equal(purge(registry, "plant", 3), RES_OK);
	assert_int_equal(count_events(registry, "plant"), 2);
	assert_int_equal(count_events(registry, ORG_DEFAULT), PURGE_MAX + 51);
	assert_int_equal(purge(registry, ORG_DEFAULT, NOW), RES_OK);
	assert_int_equal(count_events(registry, ORG_DEFAULT), 51);
	assert_int_equal(purge(registry, ORG_DEFAULT, NOW), RES_OK);
	assert_int_equal(count_events(registry, ORG_DEFAULT), 1);
	assert_int_equal(purge(registry, ORG_DEFAULT, NOW), RES_NOTFOUND);
	assert_int_equal(suite_mark(registry), mark);
}

/* A clock that was ahead once: its events, more than one change forgets, do not
 * keep all later ones. */
static void
young_events_do_not_keep_old_ones(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};

	assert_int_equal(suite_apply(registry, CHANGE_ORG_ADD, &org), RES_OK);
	add_events(registry, "plant", NOW + 1000000, PURGE_MAX + 10);
	add_events(registry, "plant", 0, 20);
	add_events(registry, ORG_DEFAULT, 0, 30);
	assert_int_equal(purge(registry, "plant", 10), RES_OK);
	assert_int_equal(count_events(registry, "plant"), PURGE_MAX + 20);
	assert_int_equal(purge(registry, "plant", NOW), RES_OK);
	assert_int_equal(count_events(registry, "plant"), PURGE_MAX + 10);
	assert_int_equal(purge(registry, "plant", NOW), RES_NOTFOUND);
	assert_int_equal(count_events(registry, ORG_DEFAULT), 31);
}

static void
old_metrics_are_forgotten(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	char one[] = "1";
	struct metrics_record metrics[] = {
	    {"a", NOW, one}, {"b", NOW + 1, one}, {"c", NOW - 1, one}};
	struct change change = {
	    .kind = CHANGE_METRICS_PURGE, .org = ORG_DEFAULT, .time = NOW - 1};
	struct change written;
	char line[64] = "";
	struct diag why = {{0}};
	size_t i;

	for (i = 0; i < 3; i++) {
		written = suite_change(CHANGE_METRICS, &metrics[i]);
		assert_int_equal(
		    registry_apply(registry, &written, 1, APPLY_ALL, &why),
		    RES_OK);
	}
	assert_int_equal(registry_apply(registry, &change, 1, APPLY_ALL, &why),
	    RES_NOTFOUND);
	assert_non_null(strstr(why.text, "metrics of that age"));
	change.time = NOW + 1;
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_OK);
	assert_int_equal(
	    registry_metrics(registry, note_metrics, line, &why), RES_OK);
	assert_string_equal(line, "b@1=1 ");
	assert_int_equal(suite_mark(registry), 0);
	change.org = "nowhere";
	assert_int_equal(registry_apply(registry, &change, 1, APPLY_ALL, &why),
	    RES_NOTFOUND);
}

static int64_t
before(struct registry *registry, const char *org, int64_t after, int64_t n)
{
	struct diag why;
	int64_t seq = -1;

	assert_int_equal(
	    registry_event_before(registry, org, after, n, &seq, &why), RES_OK);
	return seq;
}

/* An event by how many newer ones its org has, whatever others do. */
static void
events_are_found_from_the_end(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	int64_t first;

	assert_int_equal(before(registry, "nowhere", 0, 0), 0);
	assert_int_equal(suite_apply(registry, CHANGE_ORG_ADD, &org), RES_OK);
	first = suite_mark(registry) + 1;
	add_events(registry, "plant", 0, 5);
	add_events(registry, ORG_DEFAULT, 0, 100);
	assert_int_equal(before(registry, "plant", 0, 0), first + 4);
	assert_int_equal(before(registry, "plant", 0, 3), first + 1);
	assert_int_equal(before(registry, "plant", first, 3), first + 1);
	assert_int_equal(before(registry, "plant", first + 1, 3), 0);
	assert_int_equal(before(registry, "plant", 0, 1000000), 0);
	assert_int_equal(before(registry, ORG_DEFAULT, 0, 99), first + 5);
}

static void
new_columns_of_types_and_cas_read_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char addresses[] = "[\"10.0.0.0/8\"]", subject[] = "CN=A",
	            number[] = "1";
	struct type_record type = {.type = {.class = 'd', .name = "m"},
	    .window = CLOCK_NONE,
	    .pin = "first",
	    .rotate = "same-ca",
	    .overlap = 60,
	    .max_devices = DEVICES_MAX,
	    .addresses = addresses,
	    .privileged = true};
	struct ca_record ca = suite_ca("aa", subject);
	struct config config;

	ca.rate = 7;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	suite_expect(registry, CHANGE_TYPE_SET, &type, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.cas[0].rate, 7);
	assert_string_equal(config.types[0].pin, "first");
	assert_string_equal(config.types[0].rotate, "same-ca");
	assert_int_equal(config.types[0].overlap, 60);
	assert_int_equal(config.types[0].max_devices, DEVICES_MAX);
	assert_string_equal(config.types[0].addresses, addresses);
	assert_true(config.types[0].privileged);
	config_done(&config);
	ca.rate = RATE_MAX;
	suite_expect(registry, CHANGE_CA_SET, &ca, RES_OK);
	type = (struct type_record){.type = type.type, .overlap = CLOCK_NONE};
	suite_expect(registry, CHANGE_TYPE_SET, &type, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.cas[0].rate, RATE_MAX);
	assert_string_equal(config.types[0].pin, "");
	assert_string_equal(config.types[0].rotate, "");
	assert_int_equal(config.types[0].overlap, CLOCK_NONE);
	assert_int_equal(config.types[0].max_devices, 0);
	assert_null(config.types[0].addresses);
	assert_false(config.types[0].privileged);
	config_done(&config);
	type.addresses = number;
	suite_expect(registry, CHANGE_TYPE_SET, &type, RES_SYNTAX);
	ca.rate = RATE_MAX + 1;
	suite_expect(registry, CHANGE_CA_SET, &ca, RES_REFUSED);
	ca.rate = -1;
	suite_expect(registry, CHANGE_CA_SET, &ca, RES_REFUSED);
	ca = suite_ca("bb", subject);
	ca.rate = -1;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_REFUSED);
}

int
suite_quota_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(a_type_has_its_maximum),
	    SUITE_TEST(an_org_has_its_maximum),
	    SUITE_TEST(a_limit_holds_from_its_change_on),
	    SUITE_TEST(a_batch_stops_at_the_maximum),
	    SUITE_TEST(a_gateway_has_its_maximum),
	    SUITE_TEST(hooks_are_kept),
	    SUITE_TEST(a_bad_hook_is_refused),
	    SUITE_TEST(hooks_and_admins_are_few),
	    SUITE_TEST(a_bad_admin_is_refused),
	    SUITE_TEST(metrics_take_the_place_of_older_ones),
	    SUITE_TEST(old_events_are_forgotten),
	    SUITE_TEST(young_events_do_not_keep_old_ones),
	    SUITE_TEST(old_metrics_are_forgotten),
	    SUITE_TEST(events_are_found_from_the_end),
	    SUITE_TEST(new_columns_of_types_and_cas_read_back),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
