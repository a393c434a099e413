/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "registry/memory_private.h"

/* The text that tells a record from the others of its org. */
typedef const char *record_key(const void *record, char *buffer);

#define KEY_MAX (2 * HASH_TEXT_MAX)

static const char *
org_key(const void *record, char *buffer)
{
	(void)record;
	(void)buffer;
	return "";
}

static const char *
ca_key(const void *record, char *buffer)
{
	text_hex(
	    buffer, ((const struct ca_record *)record)->fingerprint, HASH_LEN);
	return buffer;
}

static const char *
type_key(const void *record, char *buffer)
{
	device_type_format(&((const struct type_record *)record)->type, buffer);
	return buffer;
}

static const char *
rule_key(const void *record, char *buffer)
{
	(void)buffer;
	return ((const struct rule_record *)record)->who;
}

static const char *
setting_key(const void *record, char *buffer)
{
	(void)buffer;
	return ((const struct setting_record *)record)->key;
}

static const char *
device_key(const void *record, char *buffer)
{
	identity_format(&((const struct device *)record)->who, buffer);
	return buffer;
}

static enum res
copy_ca(const void *from, void *to)
{
	return ca_record_copy(from, to);
}

static const char *
hook_key(const void *record, char *buffer)
{
	(void)buffer;
	return ((const struct hook_record *)record)->id;
}

static const char *
admin_key(const void *record, char *buffer)
{
	(void)buffer;
	return ((const struct admin_record *)record)->name;
}

/* They are of no org. */
static const char *
metrics_key(const void *record, char *buffer)
{
	(void)record;
	(void)buffer;
	return "";
}

static enum res
copy_type(const void *from, void *to)
{
	return type_record_copy(from, to);
}

static enum res
copy_hook(const void *from, void *to)
{
	return hook_record_copy(from, to);
}

static enum res
copy_device(const void *from, void *to)
{
	return device_copy(from, to);
}

static char *
copy_text(const char *from, enum res *r)
{
	char *to = from == NULL ? NULL : strdup(from);

	*r = from != NULL && to == NULL ? RES_NOMEM : *r;
	return to;
}

static enum res
copy_topic(const void *from, void *to)
{
	struct topic_record *topic = to;
	enum res r = RES_OK;

	*topic = *(const struct topic_record *)from;
	topic->filter = copy_text(topic->filter, &r);
	return r;
}

static enum res
copy_setting(const void *from, void *to)
{
	struct setting_record *setting = to;
	enum res r = RES_OK;

	*setting = *(const struct setting_record *)from;
	setting->value = copy_text(setting->value, &r);
	return r;
}

static enum res
copy_metrics(const void *from, void *to)
{
	struct metrics_record *metrics = to;
	enum res r = RES_OK;

	*metrics = *(const struct metrics_record *)from;
	metrics->body = copy_text(metrics->body, &r);
	return r;
}

static enum res
copy_event(const void *from, void *to)
{
	struct event *event = to;
	enum res r = RES_OK;

	*event = *(const struct event *)from;
	event->subject = copy_text(event->subject, &r);
	event->detail = copy_text(event->detail, &r);
	if (r != RES_OK) {
		event_done(event);
	}
	return r;
}

static void
done_ca(void *record)
{
	ca_record_done(record);
}

static void
done_type(void *record)
{
	type_record_done(record);
}

static void
done_hook(void *record)
{
	hook_record_done(record);
}

static void
done_metrics(void *record)
{
	free(((struct metrics_record *)record)->body);
}

static void
done_topic(void *record)
{
	topic_record_done(record);
}

static void
done_setting(void *record)
{
	setting_record_done(record);
}

static void
done_device(void *record)
{
	device_done(record);
}

static void
done_event(void *record)
{
	event_done(record);
}

/* No copy: the bytes are the record.  key NULL: in the order of adding. */
static const struct kind {
	size_t size, org;
	enum res (*copy)(const void *from, void *to);
	void (*done)(void *record);
	record_key *key;
} kinds[LIST_COUNT] = {
    [LIST_ORGS] = {sizeof(struct org), offsetof(struct org, name), NULL, NULL,
        org_key},
    [LIST_CAS] = {sizeof(struct ca_record), offsetof(struct ca_record, org),
        copy_ca, done_ca, ca_key},
    [LIST_TYPES] = {sizeof(struct type_record),
        offsetof(struct type_record, org), copy_type, done_type, type_key},
    [LIST_RULES] = {sizeof(struct rule_record),
        offsetof(struct rule_record, org), NULL, NULL, rule_key},
    [LIST_TOPICS] = {sizeof(struct topic_record),
        offsetof(struct topic_record, org), copy_topic, done_topic, NULL},
    [LIST_SETTINGS] = {sizeof(struct setting_record),
        offsetof(struct setting_record, org), copy_setting, done_setting,
        setting_key},
    [LIST_HOOKS] = {sizeof(struct hook_record),
        offsetof(struct hook_record, org), copy_hook, done_hook, hook_key},
    [LIST_ADMINS] = {sizeof(struct admin_record),
        offsetof(struct admin_record, org), NULL, NULL, admin_key},
    [LIST_DEVICES] = {sizeof(struct device), offsetof(struct device, org),
        copy_device, done_device, device_key},
    [LIST_METRICS] = {sizeof(struct metrics_record),
        offsetof(struct metrics_record, source), copy_metrics, done_metrics,
        metrics_key},
    [LIST_EVENTS] = {sizeof(struct event), offsetof(struct event, org),
        copy_event, done_event, NULL},
};

void *
state_item(const struct state *state, enum list_id id, size_t i)
{
	return state->lists[id].items + i * kinds[id].size;
}

const char *
state_org_of(enum list_id id, const void *record)
{
	return (const char *)record + kinds[id].org;
}

enum res
memory_none(struct diag *why)
{
	return diag_res(why, RES_NOMEM, "no memory left");
}

/* By org, then by key. */
static int
compare(enum list_id id, const void *a, const void *b)
{
	char ka[KEY_MAX + 1], kb[KEY_MAX + 1];
	int order = strcmp(state_org_of(id, a), state_org_of(id, b));

	return order != 0 || kinds[id].key == NULL
	    ? order
	    : strcmp(kinds[id].key(a, ka), kinds[id].key(b, kb));
}

/* Where a record belongs: after all that are not greater. */
static size_t
place(const struct state *state, enum list_id id, const void *record)
{
	size_t i = state->lists[id].count;

	while (i > 0 && id != LIST_EVENTS &&
	    compare(id, state_item(state, id, i - 1), record) > 0) {
		i--;
	}
	return i;
}

enum res
state_insert(struct state *state, enum list_id id, const void *record)
{
	struct list *list = &state->lists[id];
	size_t size = kinds[id].size, i = place(state, id, record);
	char *grown = realloc(list->items, (list->count + 1) * size), *at;

	if (grown == NULL) {
		return RES_NOMEM;
	}
	list->items = grown;
	at = grown + i * size;
	memmove(at + size, at, (list->count - i) * size);
	if (kinds[id].copy == NULL) {
		memcpy(at, record, size);
	} else if (kinds[id].copy(record, at) != RES_OK) {
		memmove(at, at + size, (list->count - i) * size);
		return RES_NOMEM;
	}
	list->count++;
	return RES_OK;
}

enum res
memory_add(
    struct state *state, enum list_id id, const void *record, struct diag *why)
{
	return state_insert(state, id, record) == RES_OK ? RES_OK
	                                                 : memory_none(why);
}

void
state_take_out(struct state *state, enum list_id id, size_t i)
{
	struct list *list = &state->lists[id];
	char *at = state_item(state, id, i);

	if (kinds[id].done != NULL) {
		kinds[id].done(at);
	}
	list->count--;
	memmove(at, at + kinds[id].size, (list->count - i) * kinds[id].size);
}

void
state_done(struct state *state)
{
	enum list_id id;

	for (id = 0; id < LIST_COUNT; id++) {
		while (state->lists[id].count > 0) {
			state_take_out(state, id, state->lists[id].count - 1);
		}
		free(state->lists[id].items);
	}
	*state = (struct state){0};
}

enum res
state_copy(const struct state *from, struct state *out)
{
	struct state copy = {.last_seq = from->last_seq};
	enum res r = RES_OK;
	enum list_id id;
	size_t i;

	for (id = 0; id < LIST_COUNT; id++) {
		for (i = 0; r == RES_OK && i < from->lists[id].count; i++) {
			r = state_insert(&copy, id, state_item(from, id, i));
		}
	}
	if (r != RES_OK) {
		state_done(&copy);
	}
	*out = copy;
	return r;
}

void *
state_find(
    const struct state *state, enum list_id id, const void *record, size_t *at)
{
	size_t i = place(state, id, record);

	if (i == 0 || compare(id, state_item(state, id, i - 1), record) != 0) {
		return NULL;
	}
	*at = i - 1;
	return state_item(state, id, i - 1);
}

bool
state_has_org(const struct state *state, const char *name)
{
	struct org org = {0};
	size_t at;

	return text_copy(org.name, sizeof(org.name), name, strlen(name)) &&
	    state_find(state, LIST_ORGS, &org, &at) != NULL;
}

static enum res
memory_open(
    void *self, const struct registry_options *options, struct diag *why)
{
	struct org org = {.name = ORG_DEFAULT, .created_at = clock_now()};

	(void)options;
	return state_insert(self, LIST_ORGS, &org) == RES_OK ? RES_OK
	                                                     : memory_none(why);
}

static void
memory_close(void *self)
{
	struct memory *memory = self;

	state_done(&memory->now);
	state_done(&memory->before);
}

static enum res
memory_load(void *self, struct config *out, struct diag *why)
{
	struct state copy;
	enum list_id id;

	if (state_copy(self, &copy) != RES_OK) {
		return memory_none(why);
	}
	for (id = LIST_DEVICES; id < LIST_COUNT; id++) {
		while (copy.lists[id].count > 0) {
			state_take_out(&copy, id, copy.lists[id].count - 1);
		}
		free(copy.lists[id].items);
	}
	*out = (struct config){
	    .mark = copy.last_seq,
	    .orgs = (void *)copy.lists[LIST_ORGS].items,
	    .org_count = copy.lists[LIST_ORGS].count,
	    .cas = (void *)copy.lists[LIST_CAS].items,
	    .ca_count = copy.lists[LIST_CAS].count,
	    .types = (void *)copy.lists[LIST_TYPES].items,
	    .type_count = copy.lists[LIST_TYPES].count,
	    .rules = (void *)copy.lists[LIST_RULES].items,
	    .rule_count = copy.lists[LIST_RULES].count,
	    .topics = (void *)copy.lists[LIST_TOPICS].items,
	    .topic_count = copy.lists[LIST_TOPICS].count,
	    .settings = (void *)copy.lists[LIST_SETTINGS].items,
	    .setting_count = copy.lists[LIST_SETTINGS].count,
	    .hooks = (void *)copy.lists[LIST_HOOKS].items,
	    .hook_count = copy.lists[LIST_HOOKS].count,
	    .admins = (void *)copy.lists[LIST_ADMINS].items,
	    .admin_count = copy.lists[LIST_ADMINS].count,
	};
	return RES_OK;
}

static bool
event_matches(const struct event_query *query, const struct event *event)
{
	return (query->org == NULL || strcmp(event->org, query->org) == 0) &&
	    (query->kind == NULL || strcmp(event->kind, query->kind) == 0) &&
	    event->seq > query->after && event->time >= query->since;
}

/* Events stand in the order of seq. */
static enum res
memory_events(void *self, const struct event_query *query, event_visit *visit,
    void *context, struct diag *why)
{
	struct state *state = self;
	size_t count = state->lists[LIST_EVENTS].count, i;
	int64_t skip = 0, given = 0;
	enum res r = RES_OK;

	(void)why;
	for (i = 0; query->newest && query->limit > 0 && i < count; i++) {
		skip += event_matches(query, state_item(state, LIST_EVENTS, i));
	}
	skip -= query->limit;
	for (i = 0; r == RES_OK && i < count; i++) {
		if (!event_matches(query, state_item(state, LIST_EVENTS, i)) ||
		    (query->newest && skip-- > 0)) {
			continue;
		}
		if (query->limit > 0 && given++ >= query->limit) {
			break;
		}
		r = visit(state_item(state, LIST_EVENTS, i), context);
	}
	return r;
}

static enum res
memory_event_before(void *self, const char *org, int64_t after, int64_t n,
    int64_t *out, struct diag *why)
{
	const struct event_query query = {
	    .org = org, .after = after, .since = CLOCK_NONE};
	struct state *state = self;
	size_t i = state->lists[LIST_EVENTS].count;
	const struct event *event;

	(void)why;
	*out = 0;
	while (i-- > 0) {
		event = state_item(state, LIST_EVENTS, i);
		if (event_matches(&query, event) && n-- == 0) {
			*out = event->seq;
			break;
		}
	}
	return RES_OK;
}

static enum res
memory_metrics(
    void *self, metrics_visit *visit, void *context, struct diag *why)
{
	struct state *state = self;
	enum res r = RES_OK;
	size_t i;

	(void)why;
	for (i = 0; r == RES_OK && i < state->lists[LIST_METRICS].count; i++) {
		r = visit(state_item(state, LIST_METRICS, i), context);
	}
	return r;
}

static enum res
memory_begin(void *self, struct diag *why)
{
	struct memory *memory = self;

	return state_copy(&memory->now, &memory->before) == RES_OK
	    ? RES_OK
	    : memory_none(why);
}

static enum res
memory_commit(void *self, struct diag *why)
{
	(void)why;
	state_done(&((struct memory *)self)->before);
	return RES_OK;
}

static void
memory_rollback(void *self)
{
	struct memory *memory = self;

	state_done(&memory->now);
	memory->now = memory->before;
	memory->before = (struct state){0};
}

static enum res
memory_mark(void *self, int64_t *out, struct diag *why)
{
	(void)why;
	*out = ((struct state *)self)->last_seq;
	return RES_OK;
}

const struct backend backend_memory = {
    .name = "memory",
    .size = sizeof(struct memory),
    .open = memory_open,
    .close = memory_close,
    .load = memory_load,
    .get = memory_get,
    .scan = memory_scan,
    .count = memory_count,
    .tally = memory_tally,
    .metrics = memory_metrics,
    .events = memory_events,
    .event_before = memory_event_before,
    .apply = memory_apply,
    .begin = memory_begin,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .mark = memory_mark,
};
