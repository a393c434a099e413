/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The worker against a real registry file: what goes in, what comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "test/unit/plugin/worker_fixture.h"

static void
begins_with_a_snapshot(void **state)
{
	struct fixture *fixture = *state;
	struct news *news = worker_take(fixture->worker);

	assert_non_null(news);
	assert_int_equal(news->kind, NEWS_SNAPSHOT);
	assert_non_null(snapshot_tenant(news->snapshot, ORG_DEFAULT));
	assert_null(snapshot_tenant(news->snapshot, "acme"));
	news_free(news);
}

static void
writes_what_is_queued(void **state)
{
	struct fixture *fixture = *state;
	struct device one = fixture_device("d:m:1"), out = {0};
	struct news *news;
	bool clash;

	assert_true(worker_has_room(fixture->worker));
	assert_int_equal(worker_provision(fixture->worker, &one), RES_OK);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(identity_equal(&news->device.who, &one.who));
	news_free(news);
	assert_int_equal(registry_get(fixture->admin, ORG_DEFAULT, &one.who,
	                     false, &out, &clash, NULL),
	    RES_OK);
	assert_int_equal(out.state, DEVICE_PROVISIONED);
	device_done(&out);
}

/* Somebody else wrote it first: what he wrote holds, and is told. */
static void
tells_what_was_there_first(void **state)
{
	struct fixture *fixture = *state;
	struct device first = fixture_device("d:m:1"),
	              second = fixture_device("d:m:1");
	struct edit admin = fixture_edit(fixture);
	struct diag why;
	struct news *news;

	assert_int_equal(worker_provision(fixture->worker, &first), RES_OK);
	news_free(fixture_await(fixture, NEWS_RECORDED));
	assert_int_equal(
	    edit_device_lock(&admin, &first.who, true, &why), RES_OK);
	assert_int_equal(worker_provision(fixture->worker, &second), RES_OK);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(news->found);
	assert_true(news->device.locked);
	news_free(news);
}

static void
refuses_a_second_spelling(void **state)
{
	struct fixture *fixture = *state;
	struct device first = fixture_device("d:m:ab"),
	              second = fixture_device("d:m:AB");
	struct news *news;

	assert_int_equal(worker_provision(fixture->worker, &first), RES_OK);
	assert_int_equal(worker_provision(fixture->worker, &second), RES_OK);
	news_free(fixture_await(fixture, NEWS_RECORDED));
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(identity_equal(&news->device.who, &second.who));
	assert_false(news->found);
	news_free(news);
}

static void
follows_an_operator(void **state)
{
	struct fixture *fixture = *state;
	struct device one = fixture_device("d:m:1");
	struct edit admin = fixture_edit(fixture);
	struct diag why;
	struct news *news;

	fixture_provision(fixture, &one);
	assert_int_equal(
	    edit_device_lock(&admin, &one.who, true, &why), RES_OK);
	news = fixture_await(fixture, NEWS_DEVICE);
	assert_non_null(news);
	assert_true(news->found && news->device.locked);
	news_free(news);

	assert_int_equal(edit_device_remove(&admin, &one.who, &why), RES_OK);
	news = fixture_await(fixture, NEWS_DEVICE);
	assert_non_null(news);
	assert_false(news->found);
	news_free(news);

	assert_int_equal(edit_setting(&admin, "topics", "off", &why), RES_OK);
	news = fixture_await(fixture, NEWS_SNAPSHOT);
	assert_non_null(news);
	assert_false(snapshot_tenant(news->snapshot, ORG_DEFAULT)->topics_on);
	news_free(news);
}

static struct pins
pins(int fingerprint)
{
	struct pins made = {.count = 1};

	made.list[0].fingerprint[0] = (uint8_t)fingerprint;
	made.list[0].not_before = CLOCK_NONE;
	made.list[0].added_at = 1;
	made.list[0].ends_at = CLOCK_FOREVER;
	return made;
}

/* Event by event, as others see them; NULL: none of this kind came. */
static struct news *
await_event(struct fixture *fixture, const char *kind)
{
	struct news *news;

	while ((news = fixture_await(fixture, NEWS_EVENT)) != NULL &&
	    strcmp(news->event.kind, kind) != 0) {
		news_free(news);
	}
	return news;
}

static void
writes_pins(void **state)
{
	const struct pins none = {0}, one = pins(1), two = pins(2);
	struct fixture *fixture = *state;
	struct device who = fixture_device("d:m:1");
	struct news *news;

	fixture_provision(fixture, &who);
	who.pins = one;
	assert_int_equal(worker_pins(fixture->worker, &who, &none,
	                     "pin-changed", "taken up by first: 01..."),
	    RES_OK);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(news->found);
	assert_int_equal(news->result, RES_OK);
	assert_true(pins_equal(&news->device.pins, &one));
	news_free(news);
	news = await_event(fixture, "pin-changed");
	assert_non_null(news);
	assert_string_equal(news->event.subject, "d:m:1");
	assert_string_equal(news->event.actor, "broker");
	assert_string_equal(news->event.detail, "taken up by first: 01...");
	news_free(news);

	/* Somebody else was faster: what the row says holds. */
	who.pins = two;
	assert_int_equal(
	    worker_pins(fixture->worker, &who, &none, NULL, NULL), RES_OK);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(news->found);
	assert_int_equal(news->result, RES_REFUSED);
	assert_true(pins_equal(&news->device.pins, &one));
	news_free(news);
}

/* Of two brokers that admit one identity at once, one is the owner. */
static void
tells_whose_pins_hold(void **state)
{
	struct fixture *fixture = *state;
	struct device first = fixture_device("d:m:1"),
	              second = fixture_device("d:m:1");
	struct news *news;

	first.pins = pins(1);
	second.pins = pins(2);
	fixture_provision(fixture, &first);
	assert_int_equal(worker_provision(fixture->worker, &second), RES_OK);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(news->found);
	assert_int_equal(news->result, RES_EXISTS);
	assert_true(pins_equal(&news->device.pins, &first.pins));
	news_free(news);
}

static void
tells_of_a_quota(void **state)
{
	struct fixture *fixture = *state;
	struct device first = fixture_device("d:m:1"),
	              second = fixture_device("d:m:2");
	struct edit admin = fixture_edit(fixture);
	struct news *news;
	struct diag why;

	assert_int_equal(
	    edit_setting(&admin, "max-devices", "1", &why), RES_OK);
	fixture_provision(fixture, &first);
	assert_int_equal(worker_provision(fixture->worker, &second), RES_OK);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_false(news->found);
	assert_int_equal(news->result, RES_LIMIT);
	news_free(news);
}

static void
locks(void **state)
{
	struct fixture *fixture = *state;
	struct device who = fixture_device("d:m:1");
	struct news *news;

	fixture_provision(fixture, &who);
	worker_lock(fixture->worker, &who, "clone-suspected");
	news = fixture_await(fixture, NEWS_DEVICE);
	assert_non_null(news);
	assert_true(news->found && news->device.locked);
	news_free(news);
	news = await_event(fixture, "device-locked");
	assert_non_null(news);
	assert_string_equal(news->event.detail, "clone-suspected");
	assert_string_equal(news->event.actor, "broker");
	news_free(news);
}

/* Every event is told of, our own included, and in order. */
static void
tells_of_events(void **state)
{
	struct fixture *fixture = *state;
	struct device who = fixture_device("d:m:1");
	struct edit admin = fixture_edit(fixture);
	struct news *news;
	struct diag why;
	int64_t seq;

	fixture_provision(fixture, &who);
	worker_event(fixture->worker, &who, "pin-mismatch", "from somewhere");
	news = await_event(fixture, "device-provisioned");
	assert_non_null(news);
	assert_string_equal(news->event.org, ORG_DEFAULT);
	seq = news->event.seq;
	news_free(news);
	news = await_event(fixture, "pin-mismatch");
	assert_non_null(news);
	assert_string_equal(news->event.detail, "from somewhere");
	assert_true(news->event.seq > seq);
	seq = news->event.seq;
	news_free(news);
	assert_int_equal(edit_setting(&admin, "topics", "off", &why), RES_OK);
	news = await_event(fixture, "setting-changed");
	assert_non_null(news);
	assert_true(news->event.seq > seq);
	news_free(news);
}

/* Tokens and pins of an operator reach who is connected. */
static void
follows_tokens_and_pins(void **state)
{
	struct fixture *fixture = *state;
	struct device who = fixture_device("d:m:1");
	struct edit admin = fixture_edit(fixture);
	struct token_hash token = {
	    .is_set = true, .created_at = 1, .expires_at = CLOCK_FOREVER};
	const struct pins one = pins(1);
	struct news *news;
	struct diag why;

	fixture_provision(fixture, &who);
	assert_int_equal(
	    edit_device_token(&admin, &who.who, &token, &why), RES_OK);
	news = fixture_await(fixture, NEWS_DEVICE);
	assert_non_null(news);
	assert_true(token_hash_equal(&news->device.token, &token));
	news_free(news);
	assert_int_equal(
	    edit_device_pins(&admin, &who.who, &one, &why), RES_OK);
	news = fixture_await(fixture, NEWS_DEVICE);
	assert_non_null(news);
	assert_true(pins_equal(&news->device.pins, &one));
	news_free(news);
}

/* While somebody else writes, say for an import, new devices go on being taken,
 * and are written when he is done. */
static void
waits_for_another_writer(void **state)
{
	struct fixture *fixture = *state;
	struct device who = fixture_device("d:m:1");
	struct news *news;
	struct diag why;
	int64_t begun;

	assert_int_equal(registry_begin(fixture->admin, &why), RES_OK);
	begun = clock_monotonic_ms();
	assert_int_equal(worker_provision(fixture->worker, &who), RES_OK);
	/* The log says so, once that is too long. */
	news = fixture_await(fixture, NEWS_LOG);
	assert_non_null(news);
	assert_int_equal(news->level, 4);
	assert_non_null(strstr(news->text.text, "somebody else"));
	assert_true(clock_monotonic_ms() - begun >= WORKER_BUSY_MS);
	news_free(news);
	assert_true(worker_has_room(fixture->worker));
	assert_int_equal(worker_depth(fixture->worker), 1);
	registry_rollback(fixture->admin);
	news = fixture_await(fixture, NEWS_RECORDED);
	assert_non_null(news);
	assert_true(news->found);
	news_free(news);
	assert_int_equal(worker_depth(fixture->worker), 0);
}

static enum res
keep_metrics(const struct metrics_record *metrics, void *context)
{
	struct metrics_record *kept = context;

	assert_null(kept->body);
	*kept = *metrics;
	kept->body = strdup(metrics->body);
	return RES_OK;
}

/* The newest is what is found after the end. */
static void
writes_what_was_counted(void **state)
{
	struct fixture *fixture = *state;
	struct metrics_record kept = {.body = NULL};
	char text[16];
	int i;

	for (i = 0; i <= 100; i++) {
		(void)snprintf(text, sizeof(text), "x %d\n", i);
		worker_metrics(fixture->worker, "here:1", strdup(text));
	}
	assert_int_equal(worker_stop(fixture->worker), 0);
	assert_int_equal(
	    registry_metrics(fixture->admin, keep_metrics, &kept, NULL),
	    RES_OK);
	assert_string_equal(kept.source, "here:1");
	assert_string_equal(kept.body, "x 100\n");
	free(kept.body);
}

/* A value that this version does not know must not replace good settings. */
static void
keeps_the_old_settings(void **state)
{
	struct fixture *fixture = *state;
	struct edit admin = fixture_edit(fixture);
	struct diag why;
	struct news *news;

	news_free(fixture_await(fixture, NEWS_SNAPSHOT));
	assert_int_equal(
	    edit_setting(&admin, "topics", "perhaps", &why), RES_OK);
	news = fixture_await(fixture, NEWS_LOG);
	assert_non_null(news);
	assert_non_null(strstr(news->text.text, "perhaps"));
	news_free(news);
	assert_int_equal(edit_setting(&admin, "topics", "off", &why), RES_OK);
	news = fixture_await(fixture, NEWS_SNAPSHOT);
	assert_non_null(news);
	assert_false(snapshot_tenant(news->snapshot, ORG_DEFAULT)->topics_on);
	news_free(news);
}

/* Stopping writes what is queued. */
static void
writes_the_rest_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct device_query all = {.org = ORG_DEFAULT};
	struct device one;
	char name[32];
	int64_t count = 0;
	int i;

	for (i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "d:m:%d", i);
		one = fixture_device(name);
		assert_int_equal(
		    worker_provision(fixture->worker, &one), RES_OK);
	}
	assert_int_equal(worker_stop(fixture->worker), 0);
	assert_int_equal(
	    registry_count(fixture->admin, &all, &count, NULL), RES_OK);
	assert_int_equal(count, 2000);
}

static void
does_not_start_without_a_registry(void **state)
{
	struct worker_options options = {.registry = "/nonexistent/r.db"};
	struct worker *worker = NULL;
	struct diag why = {{0}};

	(void)state;
	assert_int_not_equal(worker_start(&options, &worker, &why), RES_OK);
	assert_null(worker);
	assert_non_null(strstr(why.text, "/nonexistent/r.db"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        begins_with_a_snapshot, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        writes_what_is_queued, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        tells_what_was_there_first, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_a_second_spelling, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        follows_an_operator, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        keeps_the_old_settings, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        writes_pins, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        tells_whose_pins_hold, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        tells_of_a_quota, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        locks, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        tells_of_events, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        follows_tokens_and_pins, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        waits_for_another_writer, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        writes_what_was_counted, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(
	        writes_the_rest_at_the_end, fixture_setup, fixture_teardown),
	    cmocka_unit_test(does_not_start_without_a_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
