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
	assert_int_equal(edit_admin_add(&edit, "alice", &why), RES_OK);
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
	assert_true(accepted >= CONTROL_SESSION_MAX);
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

/* Another writer, who has begun and not ended. */
static struct registry *
hold(int busy_ms)
{
	struct registry_options options = {
	    .path = path, .mode = REGISTRY_WRITE, .busy_ms = busy_ms};
	struct registry *other = NULL;
	struct diag why = {""};

	assert_int_equal(registry_open(&options, &other, &why), RES_OK);
	if (registry_begin(other, &why) != RES_OK) {
		registry_close(other);
		return NULL;
	}
	return other;
}

static void
let_go(struct registry *other)
{
	registry_rollback(other);
	registry_close(other);
}

#define ADD "{\"command\":\"addDevice\",\"identity\":\"d:m:1\"}"

/* Each of many commands would wait for the other writer. */
static void
stops_while_another_writes(void **state)
{
	static const char payload[] =
	    "{\"commands\":[" ADD "," ADD "," ADD "," ADD "," ADD "," ADD "]}";
	struct registry *other = hold(1000);
	struct running running;
	int64_t begun;

	(void)state;
	start(&running);
	assert_int_equal(
	    control_submit(running.control, &alice, payload, strlen(payload)),
	    RES_OK);
	begun = clock_monotonic_ms();
	stop(&running);
	assert_true(clock_monotonic_ms() - begun < 2500);
	let_go(other);
}

/* An import counts as a whole, and a long one is not waited for. */
static void
stops_in_the_middle_of_an_import(void **state)
{
	char *payload = malloc(CONTROL_PAYLOAD_MAX), *at = payload;
	struct registry *other;
	struct running running;
	struct device device;
	struct identity who;
	struct diag why = {""};
	const char *said;
	int64_t begun;
	bool clash;
	size_t i;

	(void)state;
	assert_non_null(payload);
	at += sprintf(at,
	    "{\"commands\":[{\"command\":\"importDevices\","
	    "\"file\":\"ID\\n");
	for (i = 0; at - payload < CONTROL_PAYLOAD_MAX - 64; i++) {
		at += sprintf(at, "d:i:%zu\\n", i);
	}
	(void)sprintf(at, "\"}]}");
	start(&running);
	assert_int_equal(
	    control_submit(running.control, &alice, payload, strlen(payload)),
	    RES_OK);
	begun = clock_monotonic_ms();
	while ((other = hold(0)) != NULL) {
		let_go(other);
		assert_true(clock_monotonic_ms() - begun < PATIENCE_MS);
		(void)usleep(1000);
	}
	begun = clock_monotonic_ms();
	stop(&running);
	assert_true(clock_monotonic_ms() - begun < 2000);
	other = hold(1000);
	assert_int_equal(
	    identity_parse("d:i:0", strlen("d:i:0"), &who, &said), RES_OK);
	assert_int_equal(registry_get(other, ORG_DEFAULT, &who, false, &device,
	                     &clash, &why),
	    RES_NOTFOUND);
	let_go(other);
	free(payload);
}

/* One that asks for much does not keep the others waiting. */
static void
each_session_has_its_turn(void **state)
{
	static const char payload[] = "{\"commands\":[" ADD "]}";
	static const uint64_t serials[] = {9, 1, 2, 3, 1, 2, 1, 1, 1, 1, 1, 1};
	struct asker asker = alice;
	struct registry *other = hold(1000);
	struct running running;
	struct news *news, *next;
	size_t i, n = 0;

	(void)state;
	start(&running);
	asker.serial = 9; /* waits for the other writer */
	assert_int_equal(
	    control_submit(running.control, &asker, payload, strlen(payload)),
	    RES_OK);
	asker.serial = 1;
	for (i = 0; i < CONTROL_SESSION_MAX + 2; i++) {
		assert_int_equal(
		    control_submit(running.control, &asker, LIST, strlen(LIST)),
		    i < CONTROL_SESSION_MAX ? RES_OK : RES_LIMIT);
	}
	for (i = 0; i < 3; i++) {
		asker.serial = i == 2 ? 3 : 2;
		assert_int_equal(
		    control_submit(running.control, &asker, LIST, strlen(LIST)),
		    RES_OK);
	}
	let_go(other);
	while (n < sizeof(serials) / sizeof(serials[0])) {
		for (news = mailbox_take(&running.mailbox); news != NULL;
		     news = next) {
			next = news->next;
			assert_int_equal(news->serial, serials[n++]);
			news_free(news);
		}
		(void)usleep(1000);
	}
	stop(&running);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_the_one_who_asked),
	    cmocka_unit_test(every_accepted_one_is_answered),
	    cmocka_unit_test(large_ones_are_bounded),
	    cmocka_unit_test(stops_with_work_to_do),
	    cmocka_unit_test(stops_while_another_writes),
	    cmocka_unit_test(stops_in_the_middle_of_an_import),
	    cmocka_unit_test(each_session_has_its_turn),
	};

	return cmocka_run_group_tests(tests, make_registry, remove_registry);
}
