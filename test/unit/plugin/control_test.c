/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The thread that runs what admins ask for, with a registry on the disk. */
#include "plugin/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "registry/edit.h"
#include "test/support/cmocka_all.h"

#define PATIENCE_MS 20000

static char folder[] = "/tmp/certid-control-XXXXXX";
static char path[64];

static int
make_registry(void **state)
{
	struct registry_options options = {
	    .path = path, .mode = REGISTRY_CREATE, .busy_ms = 1000};
	struct edit edit = {.org = ORG_DEFAULT, .actor = "operator", .now = 1};
	struct diag why = {""};

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/registry.db", folder);
	assert_int_equal(registry_open(&options, &edit.registry, &why), RES_OK);
	assert_int_equal(edit_org_start(&edit, STARTER_PLAIN, &why), RES_OK);
	registry_close(edit.registry);
	return 0;
}

static int
remove_registry(void **state)
{
	const char *const ends[] = {"", "-wal", "-shm"};
	char name[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	return rmdir(folder);
}

struct running {
	struct mailbox mailbox;
	struct control *control;
};

static void
start(struct running *running)
{
	struct control_options options = {
	    .registry = path, .mailbox = &running->mailbox};
	struct diag why = {""};

	mailbox_init(&running->mailbox);
	assert_int_equal(
	    control_start(&options, &running->control, &why), RES_OK);
}

static void
stop(struct running *running)
{
	control_stop(running->control);
	mailbox_done(&running->mailbox);
}

/* The next n answers, which are freed; the last one stays for the caller. */
static struct news *
wait_news(struct running *running, size_t n)
{
	int64_t end = clock_monotonic_ms() + PATIENCE_MS;
	struct news *news = NULL, *next;

	while (n > 0) {
		assert_true(clock_monotonic_ms() < end);
		for (next = mailbox_take(&running->mailbox); next != NULL;) {
			news_free(news);
			news = next;
			next = news->next;
			assert_true(n > 0);
			n--;
		}
		(void)usleep(1000);
	}
	return news;
}

static const struct asker alice = {
    .client_id = "c1", .serial = 42, .org = ORG_DEFAULT, .name = "alice"};

#define LIST "{\"commands\":[{\"command\":\"listOrgs\"}]}"

static void
answers_the_one_who_asked(void **state)
{
	struct running running;
	struct news *news;

	(void)state;
	start(&running);
	/* What is asked for is copied. */
	{
		char payload[] = LIST, id[] = "c1";
		struct asker asker = alice;

		asker.client_id = id;
		assert_int_equal(control_submit(running.control, &asker,
		                     payload, strlen(payload)),
		    RES_OK);
		memset(payload, 'x', sizeof(payload));
		memset(id, 'x', sizeof(id));
	}
	news = wait_news(&running, 1);
	assert_int_equal(news->kind, NEWS_REPLY);
	assert_int_equal(news->serial, 42);
	assert_string_equal(news->client_id, "c1");
	assert_non_null(strstr(news->payload, "\"org\":\"default\""));
	news_free(news);
	/* What is no JSON is answered as well, nothing too. */
	assert_int_equal(
	    control_submit(running.control, &alice, NULL, 0), RES_OK);
	news = wait_news(&running, 1);
	assert_non_null(strstr(news->payload, "Payload not valid JSON"));
	news_free(news);
	stop(&running);
}

static void
every_accepted_one_is_answered(void **state)
{
	size_t accepted = 0, refused = 0, i;
	struct running running;
	enum res r;

	(void)state;
	start(&running);
	for (i = 0; i < 1000; i++) {
		r = control_submit(running.control, &alice, LIST, strlen(LIST));
		assert_true(r == RES_OK || r == RES_LIMIT);
		accepted += r == RES_OK;
		refused += r == RES_LIMIT;
	}
	assert_true(accepted >= CONTROL_WAITING_MAX);
	assert_true(refused > 0);
	news_free(wait_news(&running, accepted));
	assert_false(mailbox_has(&running.mailbox));
	/* And then there is room again. */
	assert_int_equal(
	    control_submit(running.control, &alice, LIST, strlen(LIST)),
	    RES_OK);
	news_free(wait_news(&running, 1));
	stop(&running);
}

static void
large_ones_are_bounded(void **state)
{
	char *payload = calloc(1, CONTROL_PAYLOAD_MAX + 1);
	size_t accepted = 0;
	struct running running;
	enum res r = RES_OK;

	(void)state;
	assert_non_null(payload);
	memset(payload, '[', CONTROL_PAYLOAD_MAX);
	start(&running);
	assert_int_equal(control_submit(running.control, &alice, payload,
	                     CONTROL_PAYLOAD_MAX + 1),
	    RES_LIMIT);
	while (accepted < 100 && r == RES_OK) {
		r = control_submit(
		    running.control, &alice, payload, CONTROL_PAYLOAD_MAX);
		accepted += r == RES_OK;
	}
	assert_true(accepted > 0);
	news_free(wait_news(&running, accepted));
	/* And then there is room again. */
	assert_int_equal(control_submit(running.control, &alice, payload,
	                     CONTROL_PAYLOAD_MAX),
	    RES_OK);
	news_free(wait_news(&running, 1));
	stop(&running);
	free(payload);
}

static void
stops_with_work_to_do(void **state)
{
	struct running running;
	size_t i;

	(void)state;
	start(&running);
	for (i = 0; i < CONTROL_WAITING_MAX / 2; i++) {
		(void)!control_submit(
		    running.control, &alice, LIST, strlen(LIST));
	}
	stop(&running);
	control_stop(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_the_one_who_asked),
	    cmocka_unit_test(every_accepted_one_is_answered),
	    cmocka_unit_test(large_ones_are_bounded),
	    cmocka_unit_test(stops_with_work_to_do),
	};

	return cmocka_run_group_tests(tests, make_registry, remove_registry);
}
