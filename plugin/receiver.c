/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/receiver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

#define KINDS_MAX 256
#define URL_SHOWN 160 /* bytes */

static void
set_label(struct receiver *receiver)
{
	const char *url = receiver->hook.url, *tail = "";
	size_t len = strcspn(url, "?#");

	if (url[len] != '\0') {
		tail = "?...";
	}
	if (len > URL_SHOWN) {
		tail = "...";
		len = URL_SHOWN;
	}
	(void)snprintf(receiver->label, sizeof(receiver->label), "%s (%.*s%s)",
	    receiver->hook.id, (int)len, url, tail);
}

/* Go on from what the registry says. */
static void
inherit(struct receiver *receiver)
{
	const struct hook_record *hook = &receiver->hook;

	receiver->delivered = hook->delivered;
	receiver->dropped = hook->dropped;
	receiver->inherited_since = hook->failing_since;
	if (hook->failure != NULL) {
		diag_set(&receiver->failure, "%s", hook->failure);
	}
	receiver->saved = (struct progress){.cursor = hook->cursor,
	    .delivered = hook->delivered,
	    .dropped = hook->dropped,
	    .failing_since = hook->failing_since,
	    .failure = receiver->failure};
}

enum res
receiver_new(const struct hook_record *hook,
    const struct delivery_limits *limits, uint64_t seed, struct receiver **out)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	enum res r = RES_NOMEM;

	if (receiver == NULL) {
		return RES_NOMEM;
	}
	if ((r = hook_record_copy(hook, &receiver->hook)) == RES_OK) {
		r = json_read_texts(receiver->hook.kinds, KINDS_MAX,
		    &receiver->kinds, &receiver->kind_count, NULL);
	}
	if (r == RES_OK &&
	    (receiver->delivery = delivery_new(limits, hook->cursor, seed)) ==
	        NULL) {
		r = RES_NOMEM;
	}
	if (r != RES_OK) {
		receiver_free(receiver);
		return r == RES_NOMEM ? r : RES_SYNTAX;
	}
	set_label(receiver);
	inherit(receiver);
	*out = receiver;
	return RES_OK;
}

void
receiver_free(struct receiver *receiver)
{
	if (receiver != NULL) {
		delivery_free(receiver->delivery);
		json_texts_free(receiver->kinds, receiver->kind_count);
		hook_record_done(&receiver->hook);
		free(receiver);
	}
}

bool
receiver_is(const struct receiver *receiver, const struct hook_record *hook)
{
	return strcmp(receiver->hook.id, hook->id) == 0 &&
	    strcmp(receiver->hook.org, hook->org) == 0;
}

bool
receiver_wants(const struct receiver *receiver, const struct event *event)
{
	size_t i;

	for (i = 0; i < receiver->kind_count; i++) {
		if (strcmp(receiver->kinds[i], event->kind) == 0) {
			return true;
		}
	}
	return receiver->kind_count == 0;
}

void
receiver_end(struct receiver *receiver, struct parcel *parcel,
    const struct diag *failure, int64_t now_ms, int64_t now)
{
	if (failure == NULL) {
		receiver->delivered++;
		receiver->inherited_since = CLOCK_NONE;
	} else {
		receiver->failure = *failure;
	}
	delivery_end(receiver->delivery, parcel, failure == NULL, now_ms, now);
}

static bool
is_same(const struct progress *a, const struct progress *b)
{
	return a->cursor == b->cursor && a->delivered == b->delivered &&
	    a->dropped == b->dropped && a->failing_since == b->failing_since &&
	    strcmp(a->failure.text, b->failure.text) == 0;
}

bool
receiver_progress(struct receiver *receiver, struct progress *out)
{
	int64_t since = delivery_failing_since(receiver->delivery);

	if (receiver->caught_up && delivery_waiting(receiver->delivery) == 0) {
		receiver->inherited_since = CLOCK_NONE;
	}
	if (receiver->inherited_since != CLOCK_NONE) {
		since = receiver->inherited_since;
	}
	*out = (struct progress){
	    .cursor = delivery_cursor(receiver->delivery),
	    .delivered = receiver->delivered,
	    .dropped = receiver->dropped,
	    .failing_since = since,
	};
	if (since != CLOCK_NONE) {
		out->failure = receiver->failure;
	}
	return !is_same(out, &receiver->saved);
}
