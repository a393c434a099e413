/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

void
upkeep_init(struct upkeep *upkeep)
{
	*upkeep = (struct upkeep){0};
	atomic_init(&upkeep->stopping, false);
	pthread_mutex_init(&upkeep->lock, NULL);
}

void
upkeep_done(struct upkeep *upkeep)
{
	free(upkeep->metrics.body);
	pthread_mutex_destroy(&upkeep->lock);
}

void
upkeep_stop(struct upkeep *upkeep)
{
	atomic_store(&upkeep->stopping, true);
}

/* ---- Counters ---- */

void
upkeep_metrics(struct upkeep *upkeep, const char *source, char *body)
{
	struct metrics_record *kept = &upkeep->metrics;

	pthread_mutex_lock(&upkeep->lock);
	free(kept->body);
	kept->body = body;
	kept->written_at = clock_now();
	(void)snprintf(kept->source, sizeof(kept->source), "%s", source);
	pthread_mutex_unlock(&upkeep->lock);
}

static struct metrics_record
take(struct upkeep *upkeep)
{
	struct metrics_record taken;

	pthread_mutex_lock(&upkeep->lock);
	taken = upkeep->metrics;
	upkeep->metrics.body = NULL;
	pthread_mutex_unlock(&upkeep->lock);
	return taken;
}

/* Unless there are newer ones by now. */
static void
give_back(struct upkeep *upkeep, const struct metrics_record *taken)
{
	char *body = taken->body;

	pthread_mutex_lock(&upkeep->lock);
	if (upkeep->metrics.body == NULL) {
		upkeep->metrics = *taken;
		body = NULL;
	}
	pthread_mutex_unlock(&upkeep->lock);
	free(body);
}

/* RES_OK also where there is nothing to write. */
static enum res
write_metrics(struct upkeep *upkeep, struct registry *registry)
{
	struct metrics_record taken = take(upkeep);
	struct change change = {.kind = CHANGE_METRICS,
	    .org = ORG_DEFAULT,
	    .of.metrics = &taken,
	    .time = taken.written_at};
	enum res r;

	if (taken.body == NULL) {
		return RES_OK;
	}
	r = registry_apply(registry, &change, 1, APPLY_ALL, NULL);
	if (r != RES_OK && r != RES_LIMIT) {
		give_back(upkeep, &taken);
		return r;
	}
	free(taken.body);
	return RES_OK;
}

enum res
upkeep_finish(struct upkeep *upkeep, struct registry *registry)
{
	return write_metrics(upkeep, registry);
}

/* ---- What is old ---- */

static bool
must_stop(const struct upkeep *upkeep)
{
	return atomic_load(&upkeep->stopping);
}

/* RES_OK: there may be more of them; RES_NOTFOUND: there are not. */
static enum res
purge_org(struct upkeep *upkeep, struct registry *registry,
    const struct tenant *tenant, const char *org, int64_t now)
{
	struct change change = {.kind = CHANGE_EVENTS_PURGE,
	    .org = org,
	    .time = now - tenant->event_days * DAY_S};
	enum res r = RES_OK;
	int step;

	for (step = 0; r == RES_OK && step < UPKEEP_STEPS && !must_stop(upkeep);
	     step++) {
		r = registry_apply(registry, &change, 1, APPLY_ALL, NULL);
	}
	return r;
}

static enum res
purge_events(struct upkeep *upkeep, struct registry *registry,
    const struct snapshot *snapshot, int64_t now, bool *more)
{
	const struct tenant *tenant;
	enum res r = RES_NOTFOUND;
	const char *org;
	size_t i;

	for (i = 0; (r == RES_OK || r == RES_NOTFOUND) && !must_stop(upkeep) &&
	     (org = snapshot_org(snapshot, i)) != NULL;
	     i++) {
		tenant = snapshot_tenant(snapshot, org);
		if (tenant == NULL || tenant->event_days <= 0) {
			continue;
		}
		r = purge_org(upkeep, registry, tenant, org, now);
		*more = *more || r == RES_OK;
	}
	return r == RES_NOTFOUND ? RES_OK : r;
}

/* Brokers write down what they count at least once a minute. */
static enum res
purge_metrics(
    struct registry *registry, const struct snapshot *snapshot, int64_t now)
{
	const struct tenant *tenant = snapshot_tenant(snapshot, ORG_DEFAULT);
	struct change change = {
	    .kind = CHANGE_METRICS_PURGE, .org = ORG_DEFAULT};
	enum res r;

	if (tenant == NULL || tenant->event_days <= 0) {
		return RES_OK;
	}
	change.time = now - tenant->event_days * DAY_S;
	r = registry_apply(registry, &change, 1, APPLY_ALL, NULL);
	return r == RES_NOTFOUND ? RES_OK : r;
}

/* Another writer, or a disk that refuses, ends it until the next look: each
 * attempt may wait, and the worker has devices to write. */
static void
purge(struct upkeep *upkeep, struct registry *registry,
    const struct snapshot *snapshot, int64_t now_ms)
{
	int64_t now = clock_now();
	bool more = false;
	enum res r = purge_metrics(registry, snapshot, now);

	if (r == RES_OK) {
		r = purge_events(upkeep, registry, snapshot, now, &more);
	}
	upkeep->purge_at =
	    now_ms + (r == RES_OK && more ? UPKEEP_MORE_MS : UPKEEP_PURGE_MS);
}

void
upkeep_run(struct upkeep *upkeep, struct registry *registry,
    const struct snapshot *snapshot)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms < upkeep->retry_at || must_stop(upkeep)) {
		return;
	}
	if (write_metrics(upkeep, registry) != RES_OK) {
		upkeep->retry_at = now_ms + UPKEEP_RETRY_MS;
		return;
	}
	if (now_ms >= upkeep->purge_at) {
		purge(upkeep, registry, snapshot, now_ms);
	}
}
