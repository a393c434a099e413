/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "registry/change.h"
#include "registry/memory_private.h"

/* Replace a record, or take one out. */
static enum res
set(struct state *state, enum list_id id, const void *record, struct diag *why)
{
	size_t at;

	if (state_find(state, id, record, &at) != NULL) {
		state_take_out(state, id, at);
	}
	return memory_add(state, id, record, why);
}

static enum res
unset(struct state *state, enum list_id id, const void *record,
    const struct change *change, struct diag *why)
{
	size_t at;

	if (state_find(state, id, record, &at) == NULL) {
		return change_answer(change, RES_NOTFOUND, why);
	}
	state_take_out(state, id, at);
	return RES_OK;
}

static enum res
change_org(struct state *state, struct change *change, struct diag *why)
{
	const char *name = change->of.org->name;
	enum list_id id;
	size_t i;

	if (change->kind == CHANGE_ORG_ADD) {
		return state_has_org(state, name)
		    ? change_answer(change, RES_EXISTS, why)
		    : memory_add(state, LIST_ORGS, change->of.org, why);
	}
	if (!state_has_org(state, name)) {
		return change_answer(change, RES_NOTFOUND, why);
	}
	for (id = 0; id < LIST_COUNT; id++) {
		if (id == LIST_METRICS) {
			continue; /* of no org */
		}
		for (i = state->lists[id].count; i > 0; i--) {
			if (strcmp(
			        state_org_of(id, state_item(state, id, i - 1)),
			        name) == 0) {
				state_take_out(state, id, i - 1);
			}
		}
	}
	return RES_OK;
}

static enum res
change_type(struct state *state, struct change *change, struct diag *why)
{
	struct type_record type = *change->of.type;

	text_set(type.org, sizeof(type.org), change->org);
	return change->kind == CHANGE_TYPE_SET
	    ? set(state, LIST_TYPES, &type, why)
	    : unset(state, LIST_TYPES, &type, change, why);
}

static enum res
change_rule(struct state *state, struct change *change, struct diag *why)
{
	struct rule_record rule = *change->of.rule;

	text_set(rule.org, sizeof(rule.org), change->org);
	return change->kind == CHANGE_RULE_SET
	    ? set(state, LIST_RULES, &rule, why)
	    : unset(state, LIST_RULES, &rule, change, why);
}

static enum res
change_setting(struct state *state, struct change *change, struct diag *why)
{
	struct setting_record setting = *change->of.setting;

	text_set(setting.org, sizeof(setting.org), change->org);
	return set(state, LIST_SETTINGS, &setting, why);
}

static enum res
change_topic(struct state *state, struct change *change, struct diag *why)
{
	struct topic_record topic = *change->of.topic;
	const struct topic_record *there;
	size_t count = 0, i;

	text_set(topic.org, sizeof(topic.org), change->org);
	for (i = 0; i < state->lists[LIST_TOPICS].count; i++) {
		there = state_item(state, LIST_TOPICS, i);
		if (strcmp(there->org, topic.org) != 0) {
			continue;
		}
		count++;
		if (strcmp(there->who, topic.who) != 0 ||
		    strcmp(there->access, topic.access) != 0 ||
		    strcmp(there->filter, topic.filter) != 0) {
			continue;
		}
		if (change->kind == CHANGE_TOPIC_ADD) {
			return change_answer(change, RES_EXISTS, why);
		}
		state_take_out(state, LIST_TOPICS, i);
		return RES_OK;
	}
	if (change->kind == CHANGE_TOPIC_REMOVE) {
		return change_answer(change, RES_NOTFOUND, why);
	}
	return count >= TOPICS_MAX
	    ? change_answer(change, RES_LIMIT, why)
	    : memory_add(state, LIST_TOPICS, &topic, why);
}

/* Add a record of which an org may have so many, or take one out. */
static enum res
change_few(struct state *state, enum list_id id, const void *record,
    size_t most, bool add, const struct change *change, struct diag *why)
{
	size_t count = 0, at, i;

	if (!add) {
		return unset(state, id, record, change, why);
	}
	if (state_find(state, id, record, &at) != NULL) {
		return change_answer(change, RES_EXISTS, why);
	}
	for (i = 0; i < state->lists[id].count; i++) {
		count += strcmp(state_org_of(id, state_item(state, id, i)),
		             change->org) == 0;
	}
	return count >= most ? change_answer(change, RES_LIMIT, why)
	                     : memory_add(state, id, record, why);
}

static enum res
note_progress(struct state *state, const struct hook_record *hook,
    const struct change *change, struct diag *why)
{
	struct hook_record *there, next;
	size_t at = 0;
	enum res r;

	there = state_find(state, LIST_HOOKS, hook, &at);
	if (there == NULL) {
		return change_answer(change, RES_NOTFOUND, why);
	}
	next = *there;
	next.cursor = hook->cursor;
	next.delivered = hook->delivered;
	next.dropped = hook->dropped;
	next.failure = hook->failure;
	next.failing_since = hook->failing_since;
	r = hook_record_copy(&next, &next);
	if (r != RES_OK) {
		return memory_none(why);
	}
	hook_record_done(there);
	*there = next;
	return RES_OK;
}

static enum res
change_hook(struct state *state, struct change *change, struct diag *why)
{
	struct hook_record hook = *change->of.hook;

	text_set(hook.org, sizeof(hook.org), change->org);
	return change->kind == CHANGE_HOOK_PROGRESS
	    ? note_progress(state, &hook, change, why)
	    : change_few(state, LIST_HOOKS, &hook, HOOKS_MAX,
	          change->kind == CHANGE_HOOK_ADD, change, why);
}

static enum res
change_admin(struct state *state, struct change *change, struct diag *why)
{
	struct admin_record admin = *change->of.admin;

	text_set(admin.org, sizeof(admin.org), change->org);
	return change_few(state, LIST_ADMINS, &admin, ADMINS_MAX,
	    change->kind == CHANGE_ADMIN_ADD, change, why);
}

static enum res
change_metrics(struct state *state, struct change *change, struct diag *why)
{
	return set(state, LIST_METRICS, change->of.metrics, why);
}

static enum res
purge_metrics(struct state *state, struct change *change, struct diag *why)
{
	const struct metrics_record *metrics;
	size_t gone = 0, i = state->lists[LIST_METRICS].count;

	while (i-- > 0) {
		metrics = state_item(state, LIST_METRICS, i);
		if (metrics->written_at < change->time) {
			state_take_out(state, LIST_METRICS, i);
			gone++;
		}
	}
	return gone > 0 ? RES_OK : change_answer(change, RES_NOTFOUND, why);
}

static enum res
purge_events(struct state *state, struct change *change, struct diag *why)
{
	const struct event *event;
	size_t gone = 0, i = 0;

	while (i < state->lists[LIST_EVENTS].count && gone < PURGE_MAX) {
		event = state_item(state, LIST_EVENTS, i);
		if (strcmp(event->org, change->org) == 0 &&
		    event->time < change->time) {
			state_take_out(state, LIST_EVENTS, i);
			gone++;
		} else {
			i++;
		}
	}
	return gone > 0 ? RES_OK : change_answer(change, RES_NOTFOUND, why);
}

typedef enum res make_change(
    struct state *state, struct change *change, struct diag *why);

/* The event alone is the change. */
static enum res
change_nothing(struct state *state, struct change *change, struct diag *why)
{
	(void)state;
	(void)change;
	(void)why;
	return RES_OK;
}

static make_change *const makers[] = {
    [CHANGE_ORG_ADD] = change_org,
    [CHANGE_ORG_REMOVE] = change_org,
    [CHANGE_CA_ADD] = memory_change_ca,
    [CHANGE_CA_SET] = memory_change_ca,
    [CHANGE_CA_STATE] = memory_change_ca,
    [CHANGE_CA_CODE] = memory_change_ca,
    [CHANGE_CA_PROVE] = memory_change_ca,
    [CHANGE_CA_CRL] = memory_change_ca,
    [CHANGE_CA_CRL_CHECKED] = memory_change_ca,
    [CHANGE_CA_TOLD] = memory_change_ca,
    [CHANGE_CA_REMOVE] = memory_change_ca,
    [CHANGE_TYPE_SET] = change_type,
    [CHANGE_TYPE_UNSET] = change_type,
    [CHANGE_RULE_SET] = change_rule,
    [CHANGE_RULE_UNSET] = change_rule,
    [CHANGE_TOPIC_ADD] = change_topic,
    [CHANGE_TOPIC_REMOVE] = change_topic,
    [CHANGE_SETTING_SET] = change_setting,
    [CHANGE_DEVICE_ADD] = memory_change_device,
    [CHANGE_DEVICE_PROVISION] = memory_change_device,
    [CHANGE_DEVICE_LOCK] = memory_change_device,
    [CHANGE_DEVICE_APPROVE] = memory_change_device,
    [CHANGE_DEVICE_REMOVE] = memory_change_device,
    [CHANGE_DEVICE_SEEN] = memory_change_device,
    [CHANGE_DEVICE_TOKEN] = memory_change_device,
    [CHANGE_DEVICE_PINS] = memory_change_device,
    [CHANGE_DEVICE_ATTACH] = memory_change_device,
    [CHANGE_DEVICE_SET] = memory_change_device,
    [CHANGE_HOOK_ADD] = change_hook,
    [CHANGE_HOOK_REMOVE] = change_hook,
    [CHANGE_HOOK_PROGRESS] = change_hook,
    [CHANGE_ADMIN_ADD] = change_admin,
    [CHANGE_ADMIN_REMOVE] = change_admin,
    [CHANGE_METRICS] = change_metrics,
    [CHANGE_METRICS_PURGE] = purge_metrics,
    [CHANGE_EVENTS_PURGE] = purge_events,
    [CHANGE_EVENT] = change_nothing,
};

/* The event of a change that was made. */
static enum res
tell(void *self, struct change *change, struct diag *why)
{
	const char *org = change_event_org(change);
	struct event event = {.time = change->time};
	struct state *state = self;
	enum res r = RES_OK;

	if (!state_has_org(state, org)) {
		return change_no_org(org, why);
	}
	text_set(event.org, sizeof(event.org), org);
	text_set(event.actor, sizeof(event.actor), change->actor);
	text_set(event.kind, sizeof(event.kind), change->event_kind);
	event.seq = ++state->last_seq;
	event.subject = strdup(change->event_subject);
	event.detail =
	    change->event_detail == NULL ? NULL : strdup(change->event_detail);
	if (event.subject == NULL ||
	    state_insert(state, LIST_EVENTS, &event) != RES_OK) {
		r = memory_none(why);
	}
	event_done(&event);
	return r;
}

static enum res
make(void *self, struct change *change, struct diag *why)
{
	struct state *state = self;
	bool needs_org = change->kind != CHANGE_ORG_ADD &&
	    change->kind != CHANGE_ORG_REMOVE && change->kind != CHANGE_METRICS;

	if (needs_org && !state_has_org(state, change->org)) {
		return change_no_org(change->org, why);
	}
	return makers[change->kind](state, change, why);
}

enum res
memory_apply(void *self, struct change *changes, size_t n, enum apply_mode mode,
    struct diag *why)
{
	struct state *state = self, next;
	enum res r;

	if (state_copy(state, &next) != RES_OK) {
		return memory_none(why);
	}
	r = change_run(changes, n, mode, make, tell, &next, why);
	if (r == RES_OK) {
		state_done(state);
		*state = next;
	} else {
		state_done(&next);
		changes_undone(changes, n);
	}
	return r;
}
