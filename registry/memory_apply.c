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

/* What a first connection brings to a device that was allowed. */
static enum res
promote(struct state *state, const struct device *there,
    const struct device *device, struct diag *why)
{
	struct device next = *device, copy;
	enum res r;

	next.locked = there->locked;
	next.created_at = there->created_at;
	next.window_ends_at = there->window_ends_at;
	next.tags = there->tags;
	next.info = there->info;
	if (device_copy(&next, &copy) != RES_OK) {
		return memory_none(why);
	}
	r = set(state, LIST_DEVICES, &copy, why);
	device_done(&copy);
	return r;
}

static enum res
add_device(struct state *state, const struct change *change,
    const struct device *device, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	const struct device *there;
	size_t at;

	there = state_find(state, LIST_DEVICES, device, &at);
	if (there != NULL && there->state == DEVICE_ALLOWED &&
	    change->kind == CHANGE_DEVICE_PROVISION &&
	    device->state == DEVICE_PROVISIONED) {
		return promote(state, there, device, why);
	}
	identity_format(&device->who, text);
	return state_has_twin(state, device->org, text)
	    ? change_answer(change, RES_EXISTS, why)
	    : memory_add(state, LIST_DEVICES, device, why);
}

static enum res
change_device(struct state *state, struct change *change, struct diag *why)
{
	struct device device = *change->of.device, *there;
	size_t at = 0;

	text_set(device.org, sizeof(device.org), change->org);
	if (change->kind == CHANGE_DEVICE_ADD ||
	    change->kind == CHANGE_DEVICE_PROVISION) {
		return add_device(state, change, &device, why);
	}
	there = state_find(state, LIST_DEVICES, &device, &at);
	if (there == NULL) {
		return change_answer(change, RES_NOTFOUND, why);
	}
	if (change->kind == CHANGE_DEVICE_REMOVE) {
		state_take_out(state, LIST_DEVICES, at);
	} else if (change->kind == CHANGE_DEVICE_SEEN) {
		there->last_seen_at = device.last_seen_at;
		memcpy(there->last_address, device.last_address,
		    sizeof(there->last_address));
	} else if (change->kind == CHANGE_DEVICE_LOCK) {
		if (there->locked == device.locked) {
			return change_answer(change, RES_EXISTS, why);
		}
		there->locked = device.locked;
	} else if (there->state != DEVICE_PENDING) {
		return change_answer(change, RES_REFUSED, why);
	} else {
		there->state = DEVICE_ALLOWED;
		there->window_ends_at = CLOCK_FOREVER;
	}
	return RES_OK;
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
    [CHANGE_DEVICE_ADD] = change_device,
    [CHANGE_DEVICE_PROVISION] = change_device,
    [CHANGE_DEVICE_LOCK] = change_device,
    [CHANGE_DEVICE_APPROVE] = change_device,
    [CHANGE_DEVICE_REMOVE] = change_device,
    [CHANGE_DEVICE_SEEN] = change_device,
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
	bool needs_org =
	    change->kind != CHANGE_ORG_ADD && change->kind != CHANGE_ORG_REMOVE;

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
