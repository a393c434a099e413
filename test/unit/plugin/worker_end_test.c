/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What the worker does when the registry takes nothing, and in the end. */
#include <stdlib.h>
#include <string.h>

#include "test/unit/plugin/worker_fixture.h"

static bool
is_there(struct fixture *fixture, const struct device *device)
{
	struct device out = {0};
	bool clash;
	enum res r = registry_get(fixture->admin, ORG_DEFAULT, &device->who,
	    false, &out, &clash, NULL);

	device_done(&out);
	return r == RES_OK;
}

/* Another writer, say an import, is waited for in the end too, and for longer
 * than a disk that refuses. */
static void
waits_for_another_writer_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct device one = fixture_device("d:m:1");
	int64_t start = clock_monotonic_ms();

	fixture_refuse(RES_BUSY, 4000);
	assert_int_equal(worker_provision(fixture->worker, &one), RES_OK);
	worker_event(fixture->worker, &one, "pin-mismatch", "x");
	assert_int_equal(worker_stop(fixture->worker), 0);
	assert_true(clock_monotonic_ms() - start >= 4000);
	assert_true(is_there(fixture, &one));
}

/* What connected last is no reason to keep a broker from its end. */
static void
does_not_wait_for_what_may_be_lost(void **state)
{
	struct fixture *fixture = *state;
	struct device one = fixture_device("d:m:1");
	int64_t start = clock_monotonic_ms();

	fixture_provision(fixture, &one);
	fixture_refuse(RES_BUSY, 3600000);
	worker_seen(fixture->worker, &one);
	worker_metrics(fixture->worker, "here:1", strdup("x 1\n"));
	assert_int_equal(worker_stop(fixture->worker), 0);
	assert_true(clock_monotonic_ms() - start < WORKER_FAREWELL_MS / 2);
	fixture_refuse(RES_OK, 0);
}

static void
tells_how_much_is_lost(void **state)
{
	struct fixture *fixture = *state;
	struct device one = fixture_device("d:m:1"),
	              two = fixture_device("d:m:2");
	int64_t start = clock_monotonic_ms();

	fixture_provision(fixture, &two);
	fixture_refuse(RES_UNAVAIL, 3600000);
	assert_int_equal(worker_provision(fixture->worker, &one), RES_OK);
	worker_lock(fixture->worker, &two, "clone-suspected");
	worker_event(fixture->worker, &two, "pin-mismatch", "x");
	worker_seen(fixture->worker, &two);
	assert_int_equal(worker_stop(fixture->worker), 3);
	assert_true(clock_monotonic_ms() - start < WORKER_FAREWELL_MS / 2);
	fixture_refuse(RES_OK, 0);
	assert_false(is_there(fixture, &one));
	/* Others may still post. */
	assert_non_null(worker_mailbox(fixture->worker));
	assert_int_equal(worker_stop(NULL), 0);
}

static enum res
count_mismatches(const struct event *event, void *context)
{
	int *count = context;

	*count += strcmp(event->kind, "pin-mismatch") == 0;
	return RES_OK;
}

/* What is on the disk is not written again because it could not be read back:
 * that is tried again by itself. */
static void
writes_once_what_is_not_read_back(void **state)
{
	const struct event_query query = {.since = CLOCK_NONE};
	struct fixture *fixture = *state;
	struct device one = fixture_device("d:m:1");
	struct news *news;
	int count = 0;

	fixture_refuse(RES_BUSY, 500); /* so that both are in one batch */
	assert_int_equal(worker_provision(fixture->worker, &one), RES_OK);
	worker_event(fixture->worker, &one, "pin-mismatch", "x");
	atomic_store(&fixture_gets_to_fail, 2);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(news->found);
	assert_int_equal(news->result, RES_OK);
	news_free(news);
	assert_int_equal(atomic_load(&fixture_gets_to_fail), 0);
	assert_int_equal(worker_stop(fixture->worker), 0);
	assert_int_equal(registry_events(fixture->admin, &query,
	                     count_mismatches, &count, NULL),
	    RES_OK);
	assert_int_equal(count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(waits_for_another_writer_at_the_end,
	        fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(does_not_wait_for_what_may_be_lost,
	        fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        tells_how_much_is_lost, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(writes_once_what_is_not_read_back,
	        fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
