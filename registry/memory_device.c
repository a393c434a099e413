/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "registry/change.h"
#include "registry/memory_private.h"

bool
state_has_twin(const struct state *state, const char *org, const char *name)
{
	char text[IDENTITY_TEXT_MAX + 1];
	const struct device *device;
	size_t i;

	for (i = 0; i < state->lists[LIST_DEVICES].count; i++) {
		device = state_item(state, LIST_DEVICES, i);
		identity_format(&device->who, text);
		if (strcmp(device->org, org) == 0 &&
		    text_equal_nocase(text, name)) {
			return true;
		}
	}
	return false;
}

static void
drop_texts(struct device *device)
{
	device->subject = device->tags = device->info = NULL;
}

enum res
memory_get(void *self, const char *org, const struct identity *who, bool full,
    struct device *out, bool *case_clash, struct diag *why)
{
	struct state *state = self;
	char text[IDENTITY_TEXT_MAX + 1];
	struct device wanted, found;
	const struct device *there;
	size_t at;

	device_init(&wanted, org, who);
	there = state_find(state, LIST_DEVICES, &wanted, &at);
	if (there == NULL) {
		identity_format(who, text);
		*case_clash = state_has_twin(state, org, text);
		return RES_NOTFOUND;
	}
	found = *there;
	if (!full) {
		drop_texts(&found);
	}
	return device_copy(&found, out) == RES_OK ? RES_OK : memory_none(why);
}

static bool
matches(const struct device_query *query, const struct device *device)
{
	return strcmp(device->org, query->org) == 0 &&
	    (query->type == NULL ||
	        device_type_equal(&device->who.type, query->type)) &&
	    (!query->has_state || device->state == query->state) &&
	    (!query->has_seen_with || device->seen_with == query->seen_with) &&
	    (!query->is_locked || device->locked) &&
	    (!query->is_waiting || pins_waiting(&device->pins) != NULL) &&
	    (!query->is_lapsed ||
	        (device->state == DEVICE_ALLOWED &&
	            device->window_ends_at != CLOCK_NONE &&
	            device->window_ends_at <= query->now)) &&
	    (query->gateway == NULL ||
	        (device->has_gateway &&
	            identity_equal(&device->gateway, query->gateway)));
}

static bool
is_after(const struct device *device, const struct identity *after)
{
	char a[IDENTITY_TEXT_MAX + 1], b[IDENTITY_TEXT_MAX + 1];

	if (after == NULL) {
		return true;
	}
	identity_format(&device->who, a);
	identity_format(after, b);
	return strcmp(a, b) > 0;
}

enum res
memory_scan(void *self, const struct device_query *query, device_visit *visit,
    void *context, struct diag *why)
{
	struct state *state = self;
	struct device device;
	enum res r = RES_OK;
	int64_t given = 0;
	size_t i;

	(void)why;
	for (i = 0; r == RES_OK && i < state->lists[LIST_DEVICES].count &&
	     (query->limit <= 0 || given < query->limit);
	     i++) {
		device =
		    *(const struct device *)state_item(state, LIST_DEVICES, i);
		if (!matches(query, &device) ||
		    !is_after(&device, query->after)) {
			continue;
		}
		if (!query->full) {
			drop_texts(&device);
		}
		r = visit(&device, context);
		given++;
	}
	return r;
}

enum res
memory_count(void *self, const struct device_query *query, int64_t *out,
    struct diag *why)
{
	struct state *state = self;
	int64_t count = 0;
	size_t i;

	(void)why;
	for (i = 0; i < state->lists[LIST_DEVICES].count; i++) {
		count += matches(query, state_item(state, LIST_DEVICES, i));
	}
	*out = count;
	return RES_OK;
}

/* By type, as text, then by what is counted. */
static int
compare_tallies(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	char tx[TYPE_TEXT_MAX + 1], ty[TYPE_TEXT_MAX + 1];
	int order;

	device_type_format(&x->type, tx);
	device_type_format(&y->type, ty);
	order = strcmp(tx, ty);
	if (order == 0) {
		order = strcmp(
		    device_state_name(x->state), device_state_name(y->state));
	}
	return order != 0
	    ? order
	    : (x->seen_with > y->seen_with) - (x->seen_with < y->seen_with);
}

enum res
memory_tally(void *self, const char *org, const struct device_type *type,
    tally_visit *visit, void *context, struct diag *why)
{
	const struct device_query query = {.org = org, .type = type};
	struct state *state = self;
	const struct device *device;
	size_t all = state->lists[LIST_DEVICES].count, count = 0, i, end;
	struct tally *tallies = calloc(all + 1, sizeof(*tallies));
	enum res r = RES_OK;

	if (tallies == NULL) {
		return memory_none(why);
	}
	for (i = 0; i < all; i++) {
		device = state_item(state, LIST_DEVICES, i);
		if (matches(&query, device)) {
			tallies[count++] = (struct tally){
			    .type = device->who.type,
			    .state = device->state,
			    .seen_with = device->seen_with,
			    .count = 1,
			};
		}
	}
	qsort(tallies, count, sizeof(*tallies), compare_tallies);
	for (i = 0; r == RES_OK && i < count; i = end) {
		for (end = i + 1; end < count &&
		     compare_tallies(&tallies[i], &tallies[end]) == 0;
		     end++) {
			tallies[i].count++;
		}
		r = visit(&tallies[i], context);
	}
	free(tallies);
	return r;
}

static int64_t
count_devices(struct state *state, const struct device_query *query)
{
	int64_t count = 0;

	(void)memory_count(state, query, &count, NULL);
	return count;
}

/* How many devices a type may have, or the org; 0: no limit. */
static int64_t
limit_of_type(const struct state *state, const struct device *device)
{
	struct type_record wanted = {.type = device->who.type};
	const struct type_record *type;
	size_t at;

	text_set(wanted.org, sizeof(wanted.org), device->org);
	type = state_find(state, LIST_TYPES, &wanted, &at);
	return type == NULL ? 0 : type->max_devices;
}

static int64_t
limit_of_org(const struct state *state, const struct device *device)
{
	struct setting_record wanted = {.key = SETTING_MAX_DEVICES};
	const struct setting_record *setting;
	int64_t most = 0;
	size_t at;

	text_set(wanted.org, sizeof(wanted.org), device->org);
	setting = state_find(state, LIST_SETTINGS, &wanted, &at);
	return setting != NULL && change_read_limit(setting->value, &most)
	    ? most
	    : 0;
}

static enum res
check_quota(struct state *state, const struct change *change,
    const struct device *device, struct diag *why)
{
	struct device_query query = {.org = device->org};
	int64_t most = limit_of_org(state, device);

	if (most > 0 && count_devices(state, &query) >= most) {
		return change_full(change, CHANGE_FULL_ORG, most, why);
	}
	most = limit_of_type(state, device);
	query.type = &device->who.type;
	return most > 0 && count_devices(state, &query) >= most
	    ? change_full(change, CHANGE_FULL_TYPE, most, why)
	    : RES_OK;
}

static enum res
check_gateway(struct state *state, const struct change *change,
    const struct device *device, struct diag *why)
{
	const struct device_query query = {
	    .org = device->org, .gateway = &device->gateway};
	struct device wanted;
	size_t at;

	if (!device->has_gateway) {
		return RES_OK;
	}
	device_init(&wanted, device->org, &device->gateway);
	if (state_find(state, LIST_DEVICES, &wanted, &at) == NULL) {
		return change_no_gateway(change, why);
	}
	return count_devices(state, &query) >= GATEWAY_DEVICES_MAX
	    ? change_full(change, CHANGE_FULL_GATEWAY, GATEWAY_DEVICES_MAX, why)
	    : RES_OK;
}

static bool
has_same_gateway(const struct device *a, const struct device *b)
{
	return a->has_gateway == b->has_gateway &&
	    (!a->has_gateway || identity_equal(&a->gateway, &b->gateway));
}

/* Replace the record, which next may share texts with. */
static enum res
put(struct state *state, size_t at, const struct device *next, struct diag *why)
{
	struct device copy;
	enum res r;

	if (device_copy(next, &copy) != RES_OK) {
		return memory_none(why);
	}
	state_take_out(state, LIST_DEVICES, at);
	r = memory_add(state, LIST_DEVICES, &copy, why);
	device_done(&copy);
	return r;
}

/* What a first connection brings to a device that was allowed. */
static enum res
promote(struct state *state, const struct change *change,
    const struct device *device, size_t at, struct diag *why)
{
	const struct device *there = state_item(state, LIST_DEVICES, at);
	struct device next = *device;
	enum res r = RES_OK;

	if (!device->has_gateway) {
		next.has_gateway = there->has_gateway;
		next.gateway = there->gateway;
	} else if (there->has_gateway && !has_same_gateway(device, there)) {
		return change_elsewhere(change, why);
	} else if (!there->has_gateway) {
		r = check_gateway(state, change, device, why);
	}
	if (r != RES_OK) {
		return r;
	}
	if (device->pins.count == 0) {
		next.pins = there->pins;
	}
	next.token = there->token;
	next.locked = there->locked;
	next.created_at = there->created_at;
	next.window_ends_at = there->window_ends_at;
	next.tags = there->tags;
	next.info = there->info;
	return put(state, at, &next, why);
}

static enum res
add_device(struct state *state, const struct change *change,
    const struct device *device, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	const struct device *there;
	size_t at = 0;
	enum res r;

	there = state_find(state, LIST_DEVICES, device, &at);
	if (there != NULL && there->state == DEVICE_ALLOWED &&
	    change->kind == CHANGE_DEVICE_PROVISION &&
	    device->state == DEVICE_PROVISIONED) {
		return promote(state, change, device, at, why);
	}
	identity_format(&device->who, text);
	if (state_has_twin(state, device->org, text)) {
		return change_answer(change, RES_EXISTS, why);
	}
	r = check_quota(state, change, device, why);
	if (r == RES_OK) {
		r = check_gateway(state, change, device, why);
	}
	return r == RES_OK ? memory_add(state, LIST_DEVICES, device, why) : r;
}

static void
detach_all(struct state *state, const struct device *gateway)
{
	struct device *device;
	size_t i;

	for (i = 0; i < state->lists[LIST_DEVICES].count; i++) {
		device = state_item(state, LIST_DEVICES, i);
		if (strcmp(device->org, gateway->org) == 0 &&
		    device->has_gateway &&
		    identity_equal(&device->gateway, &gateway->who)) {
			device->has_gateway = false;
			device->gateway = (struct identity){0};
		}
	}
}

static enum res
attach(struct state *state, struct device *there, const struct device *device,
    const struct change *change, struct diag *why)
{
	enum res r;

	if (has_same_gateway(there, device)) {
		return change_answer(change, RES_EXISTS, why);
	}
	r = check_gateway(state, change, device, why);
	if (r == RES_OK) {
		there->has_gateway = device->has_gateway;
		there->gateway = device->gateway;
	}
	return r;
}

static enum res
replace_pins(
    struct device *there, const struct change *change, struct diag *why)
{
	const struct pins *pins = &change->of.device->pins;

	if (pins_equal(&there->pins, pins)) {
		return change_answer(change, RES_EXISTS, why);
	}
	if (change->pins_before != NULL &&
	    !pins_equal(&there->pins, change->pins_before)) {
		return change_answer(change, RES_REFUSED, why);
	}
	there->pins = *pins;
	return RES_OK;
}

static enum res
replace_token(
    struct device *there, const struct change *change, struct diag *why)
{
	const struct token_hash *token = &change->of.device->token;

	if (!token->is_set && !there->token.is_set) {
		return change_answer(change, RES_EXISTS, why);
	}
	there->token = *token;
	return RES_OK;
}

static enum res
lock(struct device *there, const struct change *change, struct diag *why)
{
	if (there->locked == change->of.device->locked) {
		return change_answer(change, RES_EXISTS, why);
	}
	there->locked = change->of.device->locked;
	return RES_OK;
}

static enum res
approve(struct device *there, const struct change *change, struct diag *why)
{
	if (there->state != DEVICE_PENDING) {
		return change_answer(change, RES_REFUSED, why);
	}
	there->state = DEVICE_ALLOWED;
	there->window_ends_at = CLOCK_FOREVER;
	if (change->of.device->pins.count > 0) {
		there->pins = change->of.device->pins;
	}
	return RES_OK;
}

/* text in the place of *to; NULL there is as good as nothing. */
static enum res
replace_text(char **to, const char *text, const char *nothing, bool *changed,
    struct diag *why)
{
	char *copy;

	if (text == NULL || strcmp(*to == NULL ? nothing : *to, text) == 0) {
		return RES_OK;
	}
	if ((copy = strdup(text)) == NULL) {
		return memory_none(why);
	}
	free(*to);
	*to = copy;
	*changed = true;
	return RES_OK;
}

static enum res
set_notes(struct device *there, const struct change *change, struct diag *why)
{
	const struct device *device = change->of.device;
	bool changed = false;
	enum res r;

	if (device->window_ends_at != CLOCK_NONE) {
		if (there->state != DEVICE_ALLOWED) {
			return change_answer(change, RES_REFUSED, why);
		}
		changed = there->window_ends_at != device->window_ends_at;
		there->window_ends_at = device->window_ends_at;
	}
	r = replace_text(&there->tags, device->tags, "[]", &changed, why);
	if (r == RES_OK) {
		r = replace_text(
		    &there->info, device->info, "{}", &changed, why);
	}
	return r == RES_OK && !changed ? change_answer(change, RES_EXISTS, why)
	                               : r;
}

/* The data of its first certificate. */
static enum res
take_certificate(
    struct device *there, const struct device *device, struct diag *why)
{
	char *subject = NULL;

	if (device->subject != NULL &&
	    (subject = strdup(device->subject)) == NULL) {
		return memory_none(why);
	}
	free(there->subject);
	there->subject = subject;
	there->has_ca = true;
	memcpy(there->ca, device->ca, HASH_LEN);
	there->has_fingerprint = device->has_fingerprint;
	memcpy(there->fingerprint, device->fingerprint, HASH_LEN);
	memcpy(there->serial, device->serial, sizeof(there->serial));
	there->not_after = device->not_after;
	return RES_OK;
}

static enum res
note_seen(struct device *there, const struct device *device, struct diag *why)
{
	there->last_seen_at = device->last_seen_at;
	there->seen_with = device->seen_with;
	memcpy(there->last_address, device->last_address,
	    sizeof(there->last_address));
	return device->has_ca && !there->has_ca
	    ? take_certificate(there, device, why)
	    : RES_OK;
}

enum res
memory_change_device(
    struct state *state, struct change *change, struct diag *why)
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
	switch ((int)change->kind) {
	case CHANGE_DEVICE_SEEN:
		return note_seen(there, &device, why);
	case CHANGE_DEVICE_LOCK:
		return lock(there, change, why);
	case CHANGE_DEVICE_APPROVE:
		return approve(there, change, why);
	case CHANGE_DEVICE_TOKEN:
		return replace_token(there, change, why);
	case CHANGE_DEVICE_PINS:
		return replace_pins(there, change, why);
	case CHANGE_DEVICE_ATTACH:
		return attach(state, there, &device, change, why);
	case CHANGE_DEVICE_SET:
		return set_notes(there, change, why);
	default:
		break;
	}
	state_take_out(state, LIST_DEVICES, at);
	detach_all(state, &device);
	return RES_OK;
}
