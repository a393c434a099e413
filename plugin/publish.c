/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/publish.h"

#include <limits.h>
#include <mosquitto_broker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/broker.h"
#include "plugin/conf.h"
#include "registry/event.h"

#define TOPIC_SIZE 128 /* bytes of a topic here, with its NUL */
#define PORT_LEN   6   /* ":65535" */
#define HOST_LEN   (ADDRESS_MAX - PORT_LEN)

/* ---- Events ---- */

/* A newer version's kinds are told too, if they can be. */
static bool
is_level(const char *kind)
{
	return text_is_name(kind);
}

void
publish_event(const struct event *event)
{
	struct json *json;
	char topic[TOPIC_SIZE], *text;

	if (!is_level(event->kind)) {
		return;
	}
	json = event_json(event);
	text = json_print(json);
	json_free(json);
	if (text == NULL) {
		return; /* no memory; the registry has it */
	}
	(void)snprintf(
	    topic, sizeof(topic), PUBLISH_ROOT "event/%s", event->kind);
	(void)mosquitto_broker_publish_copy(
	    NULL, topic, (int)strlen(text), text, 0, false, NULL);
	free(text);
}

/* ---- Counters ---- */

struct comparison {
	struct told *told;
	size_t at; /* which topic comes next */
	bool changed;
};

static void
compare(const char *name, const char *value, void *context)
{
	struct comparison *comparison = context;
	char *last = comparison->told->values[comparison->at++];
	char topic[TOPIC_SIZE];

	if (strcmp(last, value) == 0) {
		return;
	}
	comparison->changed = true;
	(void)snprintf(topic, sizeof(topic), PUBLISH_ROOT "%s", name);
	if (mosquitto_broker_publish_copy(NULL, topic, (int)strlen(value),
	        value, 0, true, NULL) == ANSWER_OK) {
		text_set(last, METRICS_VALUE_MAX + 1, value);
	}
}

static void
hand_over(
    const struct metrics *metrics, struct worker *worker, const char *source)
{
	char *body = metrics_format(metrics, source);

	if (body != NULL) {
		worker_metrics(worker, source, body);
	}
}

void
publish_metrics(struct told *told, struct metrics *metrics,
    struct worker *worker, const char *source, int64_t now_ms)
{
	struct comparison comparison = {.told = told};

	if (told->anything && now_ms - told->looked_ms < PUBLISH_MS) {
		return;
	}
	told->looked_ms = now_ms;
	metrics->queue_depth = worker_depth(worker);
	metrics_topics(metrics, compare, &comparison);
	if (comparison.changed || !told->anything ||
	    now_ms - told->written_ms >= PUBLISH_IDLE_MS) {
		told->written_ms = now_ms;
		hand_over(metrics, worker, source);
	}
	told->anything = true;
}

void
publish_last(struct metrics *metrics, struct worker *worker, const char *source)
{
	metrics->sessions = 0;
	metrics->queue_depth = 0;
	hand_over(metrics, worker, source);
}

/* ---- The name of this broker ---- */

static void
pass_by(void *context, bool is_included)
{
	(void)context;
	(void)is_included;
}

/* The first port is kept. */
static enum res
take_port(void *context, const struct conf_line *line, struct diag *why)
{
	int64_t *port = context;
	char *rest = line->value;

	(void)why;
	if (*port == 0 &&
	    (strcmp(line->key, "listener") == 0 ||
	        strcmp(line->key, "port") == 0) &&
	    text_number(conf_word(&rest), 0, UINT16_MAX, port) != RES_OK) {
		*port = 0;
	}
	return RES_OK;
}

static uint16_t
read_port(void)
{
	int64_t port = 0;
	const struct conf_sink sink = {.begin = pass_by,
	    .line = take_port,
	    .end = pass_by,
	    .context = &port};

	return conf_read_started(&sink, NULL) == RES_OK ? (uint16_t)port : 0;
}

/* What a host is called is up to its administrator: of a name that is too
 * long, or has other bytes, only what fits is taken. */
void
publish_source(char source[ADDRESS_MAX + 1])
{
	char host[HOST_NAME_MAX + 1] = "", *at;
	uint16_t port = read_port();

	if (gethostname(host, sizeof(host)) != 0 || host[0] == '\0') {
		text_set(host, sizeof(host), "localhost");
	}
	for (at = host; *at != '\0'; at++) {
		if (strchr("._-", *at) == NULL && !(*at >= '0' && *at <= '9') &&
		    !(*at >= 'a' && *at <= 'z') &&
		    !(*at >= 'A' && *at <= 'Z')) {
			*at = '_';
		}
	}
	(void)snprintf(source, ADDRESS_MAX + 1, "%.*s", HOST_LEN, host);
	if (port != 0) {
		(void)snprintf(source + strlen(source), PORT_LEN + 1, ":%u",
		    (unsigned)port);
	}
}
