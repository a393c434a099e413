/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LAST_REASON REASON_PROVISIONED
#define TOPIC_LEN   64 /* of a topic here; a reason's word is shorter */

_Static_assert(LAST_REASON < METRICS_REASONS, "a counter for every reason");

/* Upper bounds, inclusive; as a number of seconds for people who plot it. */
static const struct {
	uint64_t ns;
	const char *seconds;
} bounds[METRICS_BUCKETS] = {
    {10000, "0.00001"},
    {25000, "0.000025"},
    {50000, "0.00005"},
    {100000, "0.0001"},
    {250000, "0.00025"},
    {500000, "0.0005"},
    {1000000, "0.001"},
    {2500000, "0.0025"},
    {5000000, "0.005"},
    {10000000, "0.01"},
    {100000000, "0.1"},
    {UINT64_MAX, "+Inf"},
};

void
metrics_decision(struct metrics *metrics, enum reason reason, uint64_t ns)
{
	size_t i = 0;

	if ((size_t)reason > LAST_REASON || reason == REASON_NONE) {
		reason = REASON_REGISTRY_ERROR;
	}
	while (ns > bounds[i].ns) {
		i++;
	}
	metrics->decisions[reason]++;
	metrics->buckets[i]++;
	metrics->decision_ns += ns;
}

uint64_t
metrics_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t
count_decisions(const struct metrics *metrics)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < METRICS_BUCKETS; i++) {
		count += metrics->buckets[i];
	}
	return count;
}

static uint64_t
count_admitted(const struct metrics *metrics)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i <= LAST_REASON; i++) {
		if (reason_admits((enum reason)i)) {
			count += metrics->decisions[i];
		}
	}
	return count;
}

/* ---- Prometheus ---- */

static void
begin(FILE *to, const char *name, const char *type, const char *help)
{
	(void)fprintf(
	    to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
format_decisions(FILE *to, const struct metrics *metrics, const char *source)
{
	size_t i;

	begin(to, "certid_decisions_total", "counter",
	    "Connections decided, by answer and reason.");
	for (i = 0; i <= LAST_REASON; i++) {
		if (i == REASON_NONE) {
			continue;
		}
		(void)fprintf(to,
		    "certid_decisions_total{broker=\"%s\",decision=\"%s\","
		    "reason=\"%s\"} %llu\n",
		    source, reason_admits((enum reason)i) ? "admit" : "refuse",
		    reason_id((enum reason)i),
		    (unsigned long long)metrics->decisions[i]);
	}
}

/* Buckets of the format hold all that is not above their bound. */
static void
format_seconds(FILE *to, const struct metrics *metrics, const char *source)
{
	const char *name = "certid_decision_seconds";
	unsigned long long sum = metrics->decision_ns, count = 0;
	size_t i;

	begin(to, name, "histogram", "Time that a decision took.");
	for (i = 0; i < METRICS_BUCKETS; i++) {
		count += metrics->buckets[i];
		(void)fprintf(to, "%s_bucket{broker=\"%s\",le=\"%s\"} %llu\n",
		    name, source, bounds[i].seconds, count);
	}
	(void)fprintf(to, "%s_sum{broker=\"%s\"} %llu.%09llu\n", name, source,
	    sum / 1000000000u, sum % 1000000000u);
	(void)fprintf(
	    to, "%s_count{broker=\"%s\"} %llu\n", name, source, count);
}

static void
format_plain(FILE *to, const struct metrics *metrics, const char *source)
{
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
	    {"certid_sessions", "gauge", "Devices that are connected.",
	        metrics->sessions},
	    {"certid_sessions_closed_total", "counter",
	        "Sessions closed because they lost their right.",
	        metrics->closed},
	    {"certid_denied_total", "counter",
	        "Publications and subscriptions of devices that were denied.",
	        metrics->denied},
	    {"certid_clones_suspected_total", "counter",
	        "Identities that seemed to be in use twice.", metrics->clones},
	    {"certid_queue_depth", "gauge",
	        "Changes that wait to be written to the registry.",
	        metrics->queue_depth},
	    {"certid_verdict_cache_hits_total", "counter",
	        "Certificates whose verdict was known.", metrics->cache_hits},
	    {"certid_verdict_cache_misses_total", "counter",
	        "Certificates that had to be verified.", metrics->cache_misses},
	    {"certid_start_time_seconds", "gauge",
	        "When the plugin started, in seconds since 1970.",
	        metrics->started_at < 0 ? 0 : (uint64_t)metrics->started_at},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(to, rows[i].name, rows[i].type, rows[i].help);
		(void)fprintf(to, "%s{broker=\"%s\"} %llu\n", rows[i].name,
		    source, (unsigned long long)rows[i].value);
	}
}

char *
metrics_format(const struct metrics *metrics, const char *source)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	int failed;

	if (to == NULL) {
		return NULL;
	}
	format_decisions(to, metrics, source);
	format_seconds(to, metrics, source);
	format_plain(to, metrics, source);
	failed = ferror(to);
	if (fclose(to) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- $SYS ---- */

struct teller {
	metrics_visit_topic *visit;
	void *context;
};

static void
tell(const struct teller *teller, const char *topic, uint64_t value)
{
	char text[METRICS_VALUE_MAX + 1];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	teller->visit(topic, text, teller->context);
}

static void
tell_refused(const struct teller *teller, const struct metrics *metrics)
{
	char topic[TOPIC_LEN];
	size_t i;

	tell(teller, "refused",
	    count_decisions(metrics) - count_admitted(metrics));
	for (i = 0; i <= LAST_REASON; i++) {
		if (i == REASON_NONE || reason_admits((enum reason)i)) {
			continue;
		}
		(void)snprintf(topic, sizeof(topic), "refused/%s",
		    reason_id((enum reason)i));
		tell(teller, topic, metrics->decisions[i]);
	}
}

void
metrics_topics(
    const struct metrics *metrics, metrics_visit_topic *visit, void *context)
{
	const struct teller teller = {visit, context};
	uint64_t count = count_decisions(metrics);

	tell(&teller, "sessions", metrics->sessions);
	tell(&teller, "admitted", count_admitted(metrics));
	tell(&teller, "provisioned", metrics->decisions[REASON_PROVISIONED]);
	tell_refused(&teller, metrics);
	tell(&teller, "closed", metrics->closed);
	tell(&teller, "denied", metrics->denied);
	tell(&teller, "clones", metrics->clones);
	tell(&teller, "queue/depth", metrics->queue_depth);
	tell(&teller, "decision/count", count);
	tell(&teller, "decision/mean_us",
	    count == 0 ? 0 : metrics->decision_ns / count / 1000);
	tell(&teller, "cache/hits", metrics->cache_hits);
	tell(&teller, "cache/misses", metrics->cache_misses);
}
