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
	pthread_mutex_init(&upkeep->lock, NULL);
}

void
upkeep_done(struct upkeep *upkeep)
{
	free(upkeep->metrics.body);
	pthread_mutex_destroy(&upkeep->lock);
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

/* ---- Old events ---- */

/* RES_OK: there may be more of them; RES_NOTFOUND: there are not. */
static enum res
purge_org(struct registry *registry, const struct snapshot *snapshot,
    const char *org, int64_t now)
{
	const struct tenant *tenant = snapshot_tenant(snapshot, org);
	struct change change = {.kind = CHANGE_EVENTS_PURGE, .org = org};
	enum res r = RES_OK;
	int step;

	if (tenant == NULL || tenant->event_days <= 0) {
		return RES_NOTFOUND;
	}
	change.time = now - tenant->event_days * DAY_S;
	for (step = 0; r == RES_OK && step < UPKEEP_STEPS; step++) {
		r = registry_apply(registry, &change, 1, APPLY_ALL, NULL);
	}
	return r;
}

static void
purge(struct upkeep *upkeep, struct registry *registry,
    const struct snapshot *snapshot, int64_t now_ms)
{
	int64_t now = clock_now();
	const char *org;
	bool more = false;
	size_t i;

	for (i = 0; (org = snapshot_org(snapshot, i)) != NULL; i++) {
		if (purge_org(registry, snapshot, org, now) == RES_OK) {
			more = true;
		}
	}
	upkeep->purge_at = now_ms + (more ? UPKEEP_MORE_MS : UPKEEP_PURGE_MS);
}

void
upkeep_run(struct upkeep *upkeep, struct registry *registry,
    const struct snapshot *snapshot)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms < upkeep->retry_at) {
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
