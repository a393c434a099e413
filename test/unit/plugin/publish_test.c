/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What goes out on $SYS, when, and what the worker gets. */
#include "plugin/publish.h"

#include <mosquitto_broker.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/broker.h"
#include "test/support/cmocka_all.h"

#define SENT_MAX 256

/* The broker and the worker, as this test sees them. */
static struct {
	char topic[128], payload[512];
	int qos;
	bool retain, to_one;
} sent[SENT_MAX];
static size_t sent_count;
static int broker_answer;
static char *body, body_source[ADDRESS_MAX + 1];
static int bodies;
static size_t depth;

int
mosquitto_broker_publish_copy(const char *client, const char *topic, int len,
    const void *payload, int qos, bool retain, mosquitto_property *properties)
{
	assert_null(properties);
	if (broker_answer != ANSWER_OK) {
		return broker_answer;
	}
	assert_true(sent_count < SENT_MAX);
	(void)snprintf(
	    sent[sent_count].topic, sizeof(sent[0].topic), "%s", topic);
	(void)snprintf(sent[sent_count].payload, sizeof(sent[0].payload),
	    "%.*s", len, (const char *)payload);
	sent[sent_count].qos = qos;
	sent[sent_count].to_one = client != NULL;
	sent[sent_count++].retain = retain;
	return ANSWER_OK;
}

void
worker_metrics(struct worker *worker, const char *source, char *text)
{
	(void)worker;
	free(body);
	body = text;
	(void)snprintf(body_source, sizeof(body_source), "%s", source);
	bodies++;
}

size_t
worker_depth(struct worker *worker)
{
	(void)worker;
	return depth;
}

static int
setup(void **state)
{
	(void)state;
	sent_count = 0;
	broker_answer = ANSWER_OK;
	bodies = 0;
	depth = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(body);
	body = NULL;
	return 0;
}

static char subject[] = "d:m:1", detail[] = "a \"word\"\n";

/* Events, and the topic they go out on; NULL: none. */
static const struct {
	const char *name, *kind;
	char *detail;
	const char *topic, *payload;
} events[] = {
    {"plain", "device-locked", NULL, "$SYS/broker/certid/event/device-locked",
        "{\"seq\":7,\"time\":\"1970-01-01T00:01:40Z\",\"org\":\"acme\","
        "\"actor\":\"operator\",\"kind\":\"device-locked\","
        "\"subject\":\"d:m:1\",\"detail\":null}"},
    {"with a detail", "pin-mismatch", detail,
        "$SYS/broker/certid/event/pin-mismatch",
        "{\"seq\":7,\"time\":\"1970-01-01T00:01:40Z\",\"org\":\"acme\","
        "\"actor\":\"operator\",\"kind\":\"pin-mismatch\","
        "\"subject\":\"d:m:1\",\"detail\":\"a \\\"word\\\"\\n\"}"},
    {"of a newer version", "moon-rose", NULL,
        "$SYS/broker/certid/event/moon-rose", NULL},
    {"two levels", "a/b", NULL, NULL, NULL},
    {"a wildcard", "#", NULL, NULL, NULL},
    {"another wildcard", "+", NULL, NULL, NULL},
    {"none", "", NULL, NULL, NULL},
    {"a blank", "a b", NULL, NULL, NULL},
};

static void
an_event_is_told_to_all(void **state)
{
	struct event event = {.seq = 7,
	    .org = "acme",
	    .time = 100,
	    .actor = "operator",
	    .subject = subject};
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		print_message("%s\n", events[i].name);
		(void)setup(state);
		(void)snprintf(
		    event.kind, sizeof(event.kind), "%s", events[i].kind);
		event.detail = events[i].detail;
		publish_event(&event);
		assert_int_equal(sent_count, events[i].topic == NULL ? 0 : 1);
		if (sent_count == 1) {
			assert_string_equal(sent[0].topic, events[i].topic);
			assert_int_equal(sent[0].qos, 0);
			assert_false(sent[0].retain);
			assert_false(sent[0].to_one);
		}
		if (events[i].payload != NULL) {
			assert_string_equal(sent[0].payload, events[i].payload);
		}
	}
}

static size_t
tell(struct told *told, struct metrics *metrics, int64_t now_ms)
{
	sent_count = 0;
	publish_metrics(told, metrics, NULL, "b:1", now_ms);
	return sent_count;
}

static void
only_what_changed_is_told(void **state)
{
	struct metrics metrics = {0};
	struct told told = {0};
	size_t all, i;

	(void)state;
	all = tell(&told, &metrics, 5);
	assert_true(all > 40);
	for (i = 0; i < all; i++) {
		assert_true(sent[i].retain);
		assert_false(sent[i].to_one);
		assert_int_equal(sent[i].qos, 0);
		assert_int_equal(
		    strncmp(sent[i].topic, PUBLISH_ROOT, strlen(PUBLISH_ROOT)),
		    0);
	}
	assert_int_equal(bodies, 1);
	assert_string_equal(body_source, "b:1");

	metrics.denied = 3;
	assert_int_equal(tell(&told, &metrics, 5 + PUBLISH_MS - 1), 0);
	assert_int_equal(bodies, 1);
	assert_int_equal(tell(&told, &metrics, 5 + PUBLISH_MS), 1);
	assert_string_equal(sent[0].topic, "$SYS/broker/certid/denied");
	assert_string_equal(sent[0].payload, "3");
	assert_int_equal(bodies, 2);
	assert_non_null(strstr(body, "certid_denied_total{broker=\"b:1\"} 3"));

	assert_int_equal(tell(&told, &metrics, 5 + 2 * PUBLISH_MS), 0);
	assert_int_equal(bodies, 2);
	depth = 4;
	assert_int_equal(tell(&told, &metrics, 5 + 3 * PUBLISH_MS), 1);
	assert_string_equal(sent[0].topic, "$SYS/broker/certid/queue/depth");
	assert_string_equal(sent[0].payload, "4");
}

/* Nothing happens for long: the registry hears that the broker is there. */
static void
a_broker_is_heard_of(void **state)
{
	struct metrics metrics = {0};
	struct told told = {0};

	(void)state;
	(void)tell(&told, &metrics, 5);
	assert_int_equal(tell(&told, &metrics, 5 + PUBLISH_IDLE_MS - 1), 0);
	assert_int_equal(bodies, 1);
	assert_int_equal(
	    tell(&told, &metrics, 5 + PUBLISH_IDLE_MS + PUBLISH_MS), 0);
	assert_int_equal(bodies, 2);
}

static void
what_was_not_taken_comes_again(void **state)
{
	struct metrics metrics = {0};
	struct told told = {0};
	size_t all;

	(void)state;
	broker_answer = 1;
	assert_int_equal(tell(&told, &metrics, 5), 0);
	broker_answer = ANSWER_OK;
	all = tell(&told, &metrics, 5 + PUBLISH_MS);
	assert_true(all > 40);
	assert_int_equal(tell(&told, &metrics, 5 + 2 * PUBLISH_MS), 0);
}

static void
the_last_numbers_are_of_nobody(void **state)
{
	struct metrics metrics = {.sessions = 3, .queue_depth = 4, .closed = 5};

	(void)state;
	publish_last(&metrics, NULL, "b:1");
	assert_int_equal(bodies, 1);
	assert_int_equal(sent_count, 0);
	assert_non_null(strstr(body, "certid_sessions{broker=\"b:1\"} 0\n"));
	assert_non_null(strstr(body, "certid_queue_depth{broker=\"b:1\"} 0\n"));
	assert_non_null(
	    strstr(body, "certid_sessions_closed_total{broker=\"b:1\"} 5\n"));
}

static void
a_source_is_plain_text(void **state)
{
	char source[ADDRESS_MAX + 1];
	const char *plain = "abcdefghijklmnopqrstuvwxyz"
	                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";

	(void)state;
	memset(source, 'x', sizeof(source));
	publish_source(source);
	assert_true(strlen(source) >= 1);
	assert_true(strlen(source) <= ADDRESS_MAX);
	assert_int_equal(strspn(source, plain), strlen(source));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        an_event_is_told_to_all, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        only_what_changed_is_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_broker_is_heard_of, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        what_was_not_taken_comes_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        the_last_numbers_are_of_nobody, setup, teardown),
	    cmocka_unit_test(a_source_is_plain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
