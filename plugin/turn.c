/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <mosquitto_broker.h>
#include <string.h>

#include "plugin/admin.h"

/* New settings: every session is looked at again, a slice in each turn, and
 * at once if it asks for something.  A walk that is under way goes on, or the
 * end of the list would never be reached while changes keep coming. */
static void
take_snapshot(struct instance *instance, struct news *news)
{
	snapshot_unref(instance->snapshot);
	instance->snapshot = news->snapshot;
	instance->generation++;
	news->snapshot = NULL;
	behind_clear(&instance->behind);
	homes_clear(&instance->homes);
	instance->reviewing = true;
}

static void
take_news(struct instance *instance)
{
	struct news *news = worker_take(instance->worker), *next;

	for (; news != NULL; news = next) {
		next = news->next;
		switch (news->kind) {
		case NEWS_SNAPSHOT:
			take_snapshot(instance, news);
			break;
		case NEWS_RECORDED:
			homes_forget(&instance->homes, &news->device.who);
			pending_remove(&instance->pending, news->device.org,
			    &news->device.who);
			behind_update(
			    &instance->behind, &news->device, news->found);
			review_recorded(
			    instance, &news->device, news->found, news->result);
			break;
		case NEWS_DEVICE:
			homes_forget(&instance->homes, &news->device.who);
			behind_update(
			    &instance->behind, &news->device, news->found);
			review_device(instance, &news->device, news->found);
			break;
		case NEWS_EVENT:
			publish_event(&news->event);
			break;
		case NEWS_REPLY:
			admin_reply(instance, news);
			break;
		case NEWS_LOG:
			report_text(news->level, "%s", news->text.text);
			break;
		}
		news_free(news);
	}
}

void
turn_start(struct instance *instance)
{
	instance->now = clock_now();
	instance->now_ms = clock_monotonic_ms();
	take_news(instance);
}

/* A slice of the sessions that wait for a look. */
static void
review_slice(struct instance *instance)
{
	struct sessions *table = &instance->sessions;
	int64_t end = clock_monotonic_ms() + TURN_SLICE_MS;
	struct session *session;
	unsigned n = 0;

	if (table->cursor == NULL) {
		table->cursor = table->all;
		instance->walked = instance->generation;
	}
	while ((session = table->cursor) != NULL) {
		table->cursor = session->next;
		if (session->pins_due) {
			review_session(instance, session);
		} else if (session->kind == SESSION_DEVICE) {
			(void)review_stands(instance, session);
		}
		if (++n % 64 == 0 && clock_monotonic_ms() >= end) {
			break;
		}
	}
	/* Settings that came in the middle want another walk. */
	instance->reviewing =
	    table->cursor != NULL || instance->walked != instance->generation;
}

/* Whether the record of a client that left can still be asked for. */
static bool
is_gone(const struct instance *instance, const struct session *session)
{
	if (session->online ||
	    instance->now_ms - session->offline_since < FORGET_MS) {
		return false;
	}
	if (instance->broker.is_2_1) {
		return session->client_id == NULL ||
		    instance->broker.find(session->client_id) !=
		    session->client;
	}
	return session->fleeting || session->replaced;
}

/* Twice a second: certificates that have expired, records nobody needs.  New
 * settings are for review_slice(). */
static void
sweep(struct instance *instance)
{
	struct session *session = instance->sessions.all, *next;
	unsigned removed = 0;
	uint64_t connected = 0;

	instance->swept_ms = instance->now_ms;
	report_sweep(&instance->report, instance->now_ms);
	for (; session != NULL; session = next) {
		next = session->next;
		connected += session->online && session->kind == SESSION_DEVICE;
		if (removed < SWEEP_MAX && is_gone(instance, session)) {
			session_remove(&instance->sessions, session);
			removed++;
		} else if (session->kind == SESSION_DEVICE &&
		    instance->now >= session->valid_until) {
			(void)review_stands(instance, session);
		}
	}
	instance->metrics.sessions = connected;
	instance->reviewing |= instance->pins_due;
	instance->pins_due = false;
}

static void
count_uses(struct instance *instance)
{
	const struct verdicts_use use = verdicts_use(instance->verdicts);

	instance->metrics.cache_hits = use.found;
	instance->metrics.cache_misses = use.asked - use.found;
}

void
turn_stop(struct instance *instance)
{
	count_uses(instance);
	publish_last(&instance->metrics, instance->worker, instance->source);
}

static void
turn(struct instance *instance)
{
	instance->now = clock_now();
	instance->now_ms = clock_monotonic_ms();
	if (worker_has_news(instance->worker)) {
		take_news(instance);
	}
	if (instance->reviewing) {
		review_slice(instance);
	}
	if (instance->now_ms - instance->swept_ms >= SWEEP_MS) {
		sweep(instance);
	}
	count_uses(instance);
	publish_metrics(&instance->told, &instance->metrics, instance->worker,
	    instance->source, instance->now_ms);
}

int
turn_tick(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_tick *tick = event_data;
	struct instance *instance = userdata;

	(void)event;
	turn(instance);
	instance->tickless_ms = 0;
	instance->reloading_ms = 0;
	if (instance->sessions.kicks_due > 0) {
		review_kick(instance);
	}
	instance->turn++; /* whom we closed left in this turn */
	/* 2.1 comes back this soon (it reads milliseconds here); 2.0 comes
	 * every 100 ms by itself and does not look. */
	tick->next_s = 0;
	tick->next_ns = 100;
	return ANSWER_OK;
}

void
turn_at_connect(struct instance *instance)
{
	instance->now = clock_now();
	instance->now_ms = clock_monotonic_ms();
	/* What the registry is known to hold must not be older than what a
	 * look-up would find. */
	if (worker_has_news(instance->worker)) {
		take_news(instance);
	}
	if (instance->reloading_ms != 0 && instance->turn > 0) {
		return; /* one turn of the broker, however long it takes */
	}
	if (instance->tickless_ms == 0) {
		instance->tickless_ms = instance->now_ms;
	}
	if (instance->now_ms - instance->tickless_ms < TICKLESS_MS) {
		return;
	}
	if (!instance->told_tickless) {
		instance->told_tickless = true;
		report_text(LOG_ERROR,
		    "the broker does not call TICK, so sessions are not "
		    "closed when they lose their right: set "
		    "per_listener_settings false");
	}
	turn(instance);
}

int
turn_reload(int event, void *event_data, void *userdata)
{
	struct instance *instance = userdata;

	(void)event;
	(void)event_data;
	instance->reloading_ms = clock_monotonic_ms();
	return broker_reload_answer(&instance->broker);
}

/* Somebody who came in without being asked for by BASIC_AUTH has the pointer
 * of one who left: 2.1 does not call TICK in every turn, which is how a will
 * is told from this on 2.0. */
int
turn_arrive(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_disconnect *arrive = event_data;
	struct instance *instance = userdata;
	struct session *session;

	(void)event;
	if (!instance_is_home(instance)) {
		return ANSWER_OK;
	}
	session = session_at(&instance->sessions, arrive->client);
	if (session != NULL && !session->online) {
		session_remove(&instance->sessions, session);
	}
	return ANSWER_OK;
}

/* The record stays: the will, and messages queued for a session that may come
 * back, are checked after this. */
int
turn_leave(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_disconnect *leave = event_data;
	struct instance *instance = userdata;
	struct session *session;

	(void)event;
	if (!instance_is_home(instance)) {
		return ANSWER_OK;
	}
	session = session_at(&instance->sessions, leave->client);
	if (session != NULL && session->online) {
		session->online = false;
		session->offline_since = instance->now_ms;
		session->left_turn = instance->turn;
		session->will_due = true;
		session_drop_leaf(session);
	}
	return ANSWER_OK;
}
