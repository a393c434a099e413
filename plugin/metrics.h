/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * metrics: what one broker counts, since it started.
 *
 * Broker's thread only.  Counting is an addition; publish.h tells of it.
 */
#ifndef PLUGIN_METRICS_H
#define PLUGIN_METRICS_H

#include <stdint.h>

#include "common/reason.h"

#define METRICS_REASONS    64 /* more than there are */
#define METRICS_BUCKETS    12 /* of the decision time; the last: no bound */
#define METRICS_TOPICS_MAX 80 /* more than there are */
#define METRICS_VALUE_MAX  20 /* bytes of a value: of UINT64_MAX */

struct metrics {
	uint64_t decisions[METRICS_REASONS]; /* by reason */
	uint64_t buckets[METRICS_BUCKETS];   /* of decision time, each by
	                                        itself */
	uint64_t decision_ns;                /* all of it */
	uint64_t closed;                     /* sessions, by us */
	uint64_t denied;                     /* publish or subscribe */
	uint64_t clones;                     /* suspected */
	/* As they are when metrics are told. */
	uint64_t cache_hits, cache_misses;
	uint64_t sessions; /* of devices that are connected */
	uint64_t queue_depth;
	int64_t started_at;
};

/* One CONNECT, or handshake that it did not come to, was decided, in ns
 * nanoseconds. */
void metrics_decision(struct metrics *metrics, enum reason reason, uint64_t ns);

/* Nanoseconds since some moment, for spans; never jumps. */
uint64_t metrics_clock(void);

/* Prometheus text format 0.0.4, every sample with the label broker="source",
 * which is text without '"', '\' and line ends.  The caller frees it; NULL: no
 * memory. */
char *metrics_format(const struct metrics *metrics, const char *source);

/* One topic after the other below $SYS/broker/certid/, with its value as text:
 * "sessions", "refused/ca-unknown", ...; always the same topics in the same
 * order, at most METRICS_TOPICS_MAX. */
typedef void metrics_visit_topic(
    const char *topic, const char *value, void *context);
void metrics_topics(
    const struct metrics *metrics, metrics_visit_topic *visit, void *context);

#endif /* PLUGIN_METRICS_H */
