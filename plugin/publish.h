/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * publish: events and counters on $SYS/broker/certid/..., where no client may
 * write, and counters to the registry, for "certid metrics".
 *
 * Broker's thread only.
 */
#ifndef PLUGIN_PUBLISH_H
#define PLUGIN_PUBLISH_H

#include "plugin/metrics.h"
#include "plugin/worker.h"
#include "registry/records.h"

#define PUBLISH_ROOT "$SYS/broker/certid/"
#define PUBLISH_MS   1000 /* between two looks at the counters */
#define PUBLISH_IDLE_MS                                                        \
	30000 /* the registry has counters no older than this,                 \
	         changed or not: it tells who is alive */

/* What was told last. */
struct told {
	bool anything;
	int64_t looked_ms;  /* monotonic */
	int64_t written_ms; /* the same, of what the worker got */
	char values[METRICS_TOPICS_MAX][METRICS_VALUE_MAX + 1];
};

/* On $SYS/broker/certid/event/<kind>, QoS 0, not retained: the document of
 * event_json().  A kind that is no level of a topic is not told. */
void publish_event(const struct event *event);

/*
 * Once in PUBLISH_MS: publish, retained, the counters that changed, the first
 * time all; and let the worker have all of them.  For every turn of the
 * broker's loop.  What cannot be published for want of memory is tried again.
 */
void publish_metrics(struct told *told, struct metrics *metrics,
    struct worker *worker, const char *source, int64_t now_ms);

/* The broker ends: nobody is connected any more, and the worker, which is
 * stopped next, writes the last numbers. */
void publish_last(
    struct metrics *metrics, struct worker *worker, const char *source);

/*
 * What this broker is called in the metrics, the same after a restart: the
 * host's name, with the port of the first listener that has one if the
 * broker's configuration can be read.  Of letters, digits and "._:-".
 */
void publish_source(char source[ADDRESS_MAX + 1]);

#endif /* PLUGIN_PUBLISH_H */
