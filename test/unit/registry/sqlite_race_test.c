/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Several objects on one file: limits and comparisons hold between them, and a
 * transaction is seen by nobody else before its end. */
#include "test/unit/registry/store_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITERS 4
#define TRIES   12
#define MOST    10

static struct device
device_named(const char *text, enum device_state state)
{
	struct identity who = {0};
	const char *said = "";
	struct device device;

	assert_int_equal(
	    identity_parse(text, strlen(text), &who, &said), RES_OK);
	device_init(&device, ORG_DEFAULT, &who);
	device.state = state;
	device.created_at = NOW;
	return device;
}

static struct pins
one_pin(uint8_t first)
{
	return (struct pins){.count = 1,
	    .list = {{.fingerprint = {first},
	        .not_before = CLOCK_NONE,
	        .added_at = NOW,
	        .ends_at = CLOCK_FOREVER}}};
}

static enum res
apply(struct registry *registry, enum change_kind kind, void *record,
    const struct pins *before, struct diag *why)
{
	struct change change = {.kind = kind,
	    .org = ORG_DEFAULT,
	    .of.org = record,
	    .pins_before = before};

	return registry_apply(registry, &change, 1, APPLY_ALL, why);
}

static int64_t
count(struct registry *registry)
{
	struct device_query query = {.org = ORG_DEFAULT};
	struct diag why;
	int64_t out = -1;

	assert_int_equal(registry_count(registry, &query, &out, &why), RES_OK);
	return out;
}

struct writer {
	const struct fixture *fixture;
	pthread_barrier_t *barrier;
	int number, added, refused, others;
	enum res pins;
};

static struct registry *
open_patient(const struct fixture *fixture)
{
	struct registry_options options = {
	    .path = fixture->path, .mode = REGISTRY_WRITE, .busy_ms = 20000};
	struct registry *registry = NULL;
	struct diag why;

	return registry_open(&options, &registry, &why) == RES_OK ? registry
	                                                          : NULL;
}

static void
add_one(struct writer *writer, struct registry *registry, int i)
{
	struct device device;
	struct diag why;
	char name[32];
	enum res r;

	(void)snprintf(name, sizeof(name), "d:m:%d-%d", writer->number, i);
	device = device_named(name, DEVICE_PROVISIONED);
	r = apply(registry, CHANGE_DEVICE_PROVISION, &device, NULL, &why);
	writer->added += r == RES_OK;
	writer->refused += r == RES_LIMIT;
	writer->others += r != RES_OK && r != RES_LIMIT;
}

/* Pins of its own in the place of none. */
static void
take_up(struct writer *writer, struct registry *registry)
{
	struct device device = device_named("d:x:1", DEVICE_PROVISIONED);
	const struct pins none = {0};
	struct diag why;

	device.pins = one_pin((uint8_t)(writer->number + 1));
	writer->pins =
	    apply(registry, CHANGE_DEVICE_PINS, &device, &none, &why);
}

static void *
write_on(void *context)
{
	struct writer *writer = context;
	struct registry *registry = open_patient(writer->fixture);
	int i;

	(void)pthread_barrier_wait(writer->barrier);
	for (i = 0; registry != NULL && i < TRIES; i++) {
		add_one(writer, registry, i);
	}
	if (registry != NULL) {
		take_up(writer, registry);
	}
	registry_close(registry);
	return NULL;
}

static void
check_writers(const struct writer *writers, struct registry *registry)
{
	struct device_type type = {.class = 'd', .name = "m"};
	struct device_query query = {.org = ORG_DEFAULT, .type = &type};
	int added = 0, took = 0, i;
	struct diag why;
	int64_t there = -1;

	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(writers[i].others, 0);
		assert_int_equal(writers[i].added + writers[i].refused, TRIES);
		added += writers[i].added;
		took += writers[i].pins == RES_OK;
		assert_true(writers[i].pins == RES_OK ||
		    writers[i].pins == RES_REFUSED);
	}
	assert_int_equal(added, MOST);
	assert_int_equal(took, 1);
	assert_int_equal(
	    registry_count(registry, &query, &there, &why), RES_OK);
	assert_int_equal(there, MOST);
}

/* However many come at once, so many are let in, and one takes the pin. */
static void
limits_hold_between_writers(void **state)
{
	struct type_record type = {.type = {.class = 'd', .name = "m"},
	    .window = CLOCK_NONE,
	    .overlap = CLOCK_NONE,
	    .max_devices = MOST};
	struct device device = device_named("d:x:1", DEVICE_PROVISIONED);
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	pthread_barrier_t barrier;
	struct registry *registry;
	struct diag why;
	int i;

	fixture_create(*state);
	registry = fixture_open(*state, REGISTRY_WRITE);
	assert_int_equal(
	    apply(registry, CHANGE_TYPE_SET, &type, NULL, &why), RES_OK);
	assert_int_equal(
	    apply(registry, CHANGE_DEVICE_ADD, &device, NULL, &why), RES_OK);
	assert_int_equal(pthread_barrier_init(&barrier, NULL, WRITERS), 0);
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){
		    .fixture = *state, .barrier = &barrier, .number = i};
		assert_int_equal(
		    pthread_create(&threads[i], NULL, write_on, &writers[i]),
		    0);
	}
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	check_writers(writers, registry);
	(void)pthread_barrier_destroy(&barrier);
	registry_close(registry);
}

/* What the one has seen of the limits, the other changes. */
static void
a_limit_of_another_holds(void **state)
{
	struct type_record type = {.type = {.class = 'd', .name = "m"},
	    .window = CLOCK_NONE,
	    .overlap = CLOCK_NONE,
	    .max_devices = 1};
	struct registry *one, *two;
	struct diag why;

	fixture_create(*state);
	one = fixture_open(*state, REGISTRY_WRITE);
	two = fixture_open(*state, REGISTRY_WRITE);
	assert_int_equal(
	    fixture_add(one, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(
	    apply(two, CHANGE_TYPE_SET, &type, NULL, &why), RES_OK);
	assert_int_equal(
	    fixture_add(one, "d:m:2", DEVICE_ALLOWED, &why), RES_LIMIT);
	registry_close(one);
	registry_close(two);
}

/* One reads, another writes, the first writes what follows from what it
 * read. */
static void
what_was_read_may_be_old(void **state)
{
	struct registry *one, *two;
	struct device device = device_named("d:x:1", DEVICE_PROVISIONED);
	struct pins first, second = one_pin(2), third = one_pin(3);
	struct diag why = {{0}};

	fixture_create(*state);
	one = fixture_open(*state, REGISTRY_WRITE);
	two = fixture_open(*state, REGISTRY_WRITE);
	device.pins = first = one_pin(1);
	assert_int_equal(
	    apply(one, CHANGE_DEVICE_ADD, &device, NULL, &why), RES_OK);
	device.pins = second;
	assert_int_equal(
	    apply(two, CHANGE_DEVICE_PINS, &device, &first, &why), RES_OK);
	device.pins = third;
	assert_int_equal(
	    apply(one, CHANGE_DEVICE_PINS, &device, &first, &why), RES_REFUSED);
	assert_non_null(strstr(why.text, "d:x:1"));
	assert_int_equal(
	    apply(one, CHANGE_DEVICE_PINS, &device, &second, &why), RES_OK);
	registry_close(one);
	registry_close(two);
}

static void
a_transaction_is_seen_at_its_end(void **state)
{
	struct registry *one, *two, *reader;
	struct diag why = {{0}};
	int64_t mark = -1;

	fixture_create(*state);
	one = fixture_open(*state, REGISTRY_WRITE);
	two = fixture_open(*state, REGISTRY_WRITE);
	reader = fixture_open(*state, REGISTRY_READ);
	assert_int_equal(registry_begin(one, &why), RES_OK);
	assert_int_equal(
	    fixture_add(one, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(count(one), 1);
	assert_int_equal(count(reader), 0);
	assert_int_equal(registry_begin(two, &why), RES_BUSY);
	assert_non_null(strstr(why.text, "somebody else is writing"));
	assert_int_equal(
	    fixture_add(two, "d:m:2", DEVICE_ALLOWED, &why), RES_BUSY);
	/* Who could not begin has nothing to end. */
	assert_int_equal(registry_commit(two, &why), RES_REFUSED);
	registry_rollback(two);
	assert_int_equal(registry_commit(one, &why), RES_OK);
	assert_int_equal(count(reader), 1);
	assert_int_equal(registry_begin(two, &why), RES_OK);
	assert_int_equal(
	    fixture_add(two, "d:m:2", DEVICE_ALLOWED, &why), RES_OK);
	registry_rollback(two);
	assert_int_equal(registry_mark(two, &mark, &why), RES_OK);
	assert_int_equal(mark, 1);
	assert_int_equal(registry_begin(reader, &why), RES_UNAVAIL);
	registry_close(reader);
	registry_close(two);
	registry_close(one);
}

/* A failure of SQLite in the midst of it: nothing may be added to the half. */
static void
what_failed_half_way_is_not_committed(void **state)
{
	struct registry *registry;
	struct diag why = {{0}};

	fixture_create(*state);
	fixture_sql(*state,
	    "CREATE TABLE t (n); CREATE UNIQUE INDEX boom ON event "
	    "(CASE WHEN seq > 2 THEN abs(-9223372036854775807 - 1) END)");
	registry = fixture_open(*state, REGISTRY_WRITE);
	assert_int_equal(registry_begin(registry, &why), RES_OK);
	assert_int_equal(
	    fixture_add(registry, "d:m:1", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(
	    fixture_add(registry, "d:m:2", DEVICE_ALLOWED, &why), RES_OK);
	assert_int_equal(
	    fixture_add(registry, "d:m:3", DEVICE_ALLOWED, &why), RES_UNAVAIL);
	assert_int_equal(
	    fixture_add(registry, "d:m:4", DEVICE_ALLOWED, &why), RES_REFUSED);
	assert_int_equal(registry_commit(registry, &why), RES_REFUSED);
	assert_int_equal(count(registry), 0);
	registry_close(registry);
}

/* The tables that must be empty once an org is gone. */
static void
an_org_takes_all_along(void **state)
{
	fixture_create(*state);
	fixture_sql(*state,
	    "INSERT INTO org VALUES ('plant', 1);"
	    "INSERT INTO device (org, identity, state, locked, seen_with, "
	    "gateway) VALUES ('plant', 'd:m:1', 'allowed', 0, 0, 'g:g:1'),"
	    "('plant', 'd:n:1', 'pending', 0, 3, NULL),"
	    "('plant', 'g:g:1', 'provisioned', 0, 7, NULL),"
	    "('default', 'd:m:1', 'allowed', 0, 0, NULL);"
	    "INSERT INTO hook VALUES ('plant', '0123abcd', 'https://a', '[]', "
	    "'f', NULL, NULL, 1, 0, 0, 0, NULL, NULL);"
	    "INSERT INTO admin VALUES ('plant', 'alice', 1);");
	{
		struct org org = {.name = "plant"};
		struct registry *registry =
		    fixture_open(*state, REGISTRY_WRITE);
		struct diag why;

		assert_int_equal(
		    apply(registry, CHANGE_ORG_REMOVE, &org, NULL, &why),
		    RES_OK);
		assert_int_equal(count(registry), 1);
		registry_close(registry);
	}
	fixture_sql(*state,
	    "CREATE TABLE t (n CHECK (n = 0));"
	    "INSERT INTO t SELECT count(*) FROM device WHERE org = 'plant';"
	    "INSERT INTO t SELECT count(*) FROM tally WHERE org = 'plant';"
	    "INSERT INTO t SELECT count(*) FROM hook;"
	    "INSERT INTO t SELECT count(*) FROM admin;"
	    "INSERT INTO t SELECT count(*) - 1 FROM tally");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(limits_hold_between_writers),
	    FIXTURE_TEST(a_limit_of_another_holds),
	    FIXTURE_TEST(what_was_read_may_be_old),
	    FIXTURE_TEST(a_transaction_is_seen_at_its_end),
	    FIXTURE_TEST(what_failed_half_way_is_not_committed),
	    FIXTURE_TEST(an_org_takes_all_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
