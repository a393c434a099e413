/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What is counted where, and how it is told. */
#include "plugin/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One decision, the line of the bucket that it is the first in, and the topic
 * that rises; NULL: none of its own. */
static const struct {
	const char *name;
	enum reason reason;
	uint64_t ns;
	const char *bucket, *below; /* below: the one that stays empty, or "" */
	const char *counter, *topic;
} decisions[] = {
    {"no time", REASON_KNOWN, 0, "0.00001", "",
        "decision=\"admit\",reason=\"known\"", "admitted"},
    {"on a bound", REASON_PROVISIONED, 10000, "0.00001", "",
        "decision=\"admit\",reason=\"provisioned\"", "provisioned"},
    {"above a bound", REASON_KNOWN, 10001, "0.000025", "0.00001",
        "decision=\"admit\",reason=\"known\"", "admitted"},
    {"a millisecond", REASON_CA_UNKNOWN, 1000000, "0.001", "0.0005",
        "decision=\"refuse\",reason=\"ca-unknown\"", "refused/ca-unknown"},
    {"the last bound", REASON_DEVICE_LOCKED, 100000000, "0.1", "0.01",
        "decision=\"refuse\",reason=\"device-locked\"",
        "refused/device-locked"},
    {"beyond all bounds", REASON_NOT_A_DEVICE, 100000001, "+Inf", "0.1",
        "decision=\"refuse\",reason=\"not-a-device\"", "refused/not-a-device"},
    {"for ever", REASON_REGISTRY_BUSY, UINT64_MAX, "+Inf", "0.1",
        "decision=\"refuse\",reason=\"registry-busy\"",
        "refused/registry-busy"},
    {"no final answer", REASON_NONE, 1, "0.00001", "",
        "decision=\"refuse\",reason=\"registry-error\"",
        "refused/registry-error"},
    {"no reason that there is", (enum reason)METRICS_REASONS, 1, "0.00001", "",
        "decision=\"refuse\",reason=\"registry-error\"",
        "refused/registry-error"},
};

static void
assert_line(const char *text, const char *line)
{
	char whole[256];

	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(text, whole) == NULL) {
		fail_msg("no line \"%s\" in:\n%s", line, text);
	}
}

static void
assert_bucket(const char *text, const char *bound, int count)
{
	char line[128];

	(void)snprintf(line, sizeof(line),
	    "certid_decision_seconds_bucket{broker=\"b:1\",le=\"%s\"} %d",
	    bound, count);
	assert_line(text, line);
}

/* The value of one topic. */
struct search {
	const char *topic;
	char value[METRICS_VALUE_MAX + 1];
	int found;
	size_t topics;
};

static void
look(const char *topic, const char *value, void *context)
{
	struct search *search = context;

	search->topics++;
	assert_true(strlen(value) <= METRICS_VALUE_MAX);
	if (strcmp(topic, search->topic) == 0) {
		(void)snprintf(
		    search->value, sizeof(search->value), "%s", value);
		search->found++;
	}
}

static void
assert_topic(const struct metrics *metrics, const char *topic, const char *want)
{
	struct search search = {.topic = topic};

	metrics_topics(metrics, look, &search);
	assert_int_equal(search.found, 1);
	assert_string_equal(search.value, want);
	assert_true(search.topics <= METRICS_TOPICS_MAX);
}

static void
a_decision_is_counted_once(void **state)
{
	char line[160], *text;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(decisions); i++) {
		struct metrics metrics = {0};

		print_message("%s\n", decisions[i].name);
		metrics_decision(
		    &metrics, decisions[i].reason, decisions[i].ns);
		text = metrics_format(&metrics, "b:1");
		assert_non_null(text);
		assert_bucket(text, decisions[i].bucket, 1);
		assert_bucket(text, "+Inf", 1);
		if (decisions[i].below[0] != '\0') {
			assert_bucket(text, decisions[i].below, 0);
		}
		(void)snprintf(line, sizeof(line),
		    "certid_decisions_total{broker=\"b:1\",%s} 1",
		    decisions[i].counter);
		assert_line(text, line);
		assert_line(
		    text, "certid_decision_seconds_count{broker=\"b:1\"} 1");
		assert_topic(&metrics, decisions[i].topic, "1");
		assert_topic(&metrics, "decision/count", "1");
		assert_topic(&metrics,
		    reason_admits(decisions[i].reason) ? "admitted" : "refused",
		    "1");
		assert_topic(&metrics,
		    reason_admits(decisions[i].reason) ? "refused" : "admitted",
		    "0");
		free(text);
	}
}

static void
time_adds_up(void **state)
{
	struct metrics metrics = {0};
	char *text;

	(void)state;
	metrics_decision(&metrics, REASON_KNOWN, 1500000000);
	metrics_decision(&metrics, REASON_CA_SCOPE, 2500);
	metrics_decision(&metrics, REASON_PROVISIONED, 20000);
	text = metrics_format(&metrics, "b:1");
	assert_non_null(text);
	assert_line(
	    text, "certid_decision_seconds_sum{broker=\"b:1\"} 1.500022500");
	assert_bucket(text, "0.00001", 1);
	assert_bucket(text, "0.000025", 2);
	assert_bucket(text, "0.1", 2);
	assert_bucket(text, "+Inf", 3);
	free(text);
	assert_topic(&metrics, "decision/mean_us", "500007");
	assert_topic(&metrics, "admitted", "2");
	assert_topic(&metrics, "provisioned", "1");
	assert_topic(&metrics, "refused", "1");
}

/* Every number at its own place. */
static void
nothing_is_mixed_up(void **state)
{
	const struct metrics metrics = {.closed = 11,
	    .denied = 12,
	    .clones = 13,
	    .cache_hits = 14,
	    .cache_misses = 15,
	    .sessions = 16,
	    .queue_depth = UINT64_MAX,
	    .started_at = 18};
	static const char *const rows[][3] = {
	    {"closed", "11", "certid_sessions_closed_total"},
	    {"denied", "12", "certid_denied_total"},
	    {"clones", "13", "certid_clones_suspected_total"},
	    {"cache/hits", "14", "certid_verdict_cache_hits_total"},
	    {"cache/misses", "15", "certid_verdict_cache_misses_total"},
	    {"sessions", "16", "certid_sessions"},
	    {"queue/depth", "18446744073709551615", "certid_queue_depth"},
	    {NULL, "18", "certid_start_time_seconds"},
	};
	char line[128], *text = metrics_format(&metrics, "b:1");
	size_t i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < COUNT(rows); i++) {
		(void)snprintf(line, sizeof(line), "%s{broker=\"b:1\"} %s",
		    rows[i][2], rows[i][1]);
		assert_line(text, line);
		if (rows[i][0] != NULL) {
			assert_topic(&metrics, rows[i][0], rows[i][1]);
		}
	}
	assert_topic(&metrics, "decision/mean_us", "0");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_decision_is_counted_once),
	    cmocka_unit_test(time_adds_up),
	    cmocka_unit_test(nothing_is_mixed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
