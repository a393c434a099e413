/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * receiver: a hook that is delivered to: what the registry says of it, its
 * delivery, and what there is to say of that.  One thread.
 */
#ifndef PLUGIN_RECEIVER_H
#define PLUGIN_RECEIVER_H

#include "plugin/delivery.h"

#define RECEIVER_LABEL_MAX (HOOK_ID_LEN + 170)

/* What the registry is told; all of it but the failure's words is compared. */
struct progress {
	int64_t cursor, delivered, dropped;
	int64_t failing_since; /* CLOCK_NONE: all is well */
	struct diag failure;   /* with failing_since */
};

struct receiver {
	struct hook_record hook;
	char label[RECEIVER_LABEL_MAX + 1]; /* "ID (URL without its query)" */
	char **kinds;
	size_t kind_count; /* 0: every kind */
	struct delivery *delivery;
	int64_t delivered, dropped;
	int64_t
	    inherited_since; /* failing since then, as the registry had it */
	struct diag failure; /* of the last attempt that failed */
	bool caught_up;      /* it saw all events that there are */
	int64_t stall_ms;    /* nothing is sent before: the registry fails */
	int64_t backlog_ms;  /* its backlog is not measured before */
	struct progress saved;
	bool told_sick, told_dropped; /* in the log */
	bool listed;                  /* still in the registry */
	struct receiver *prev, *next;
};

/* hook is copied.  RES_NOMEM; RES_SYNTAX: its kinds do not parse. */
MUST_CHECK enum res receiver_new(const struct hook_record *hook,
    const struct delivery_limits *limits, uint64_t seed, struct receiver **out);
void receiver_free(struct receiver *receiver);

/* Whether hook is this one. */
bool receiver_is(
    const struct receiver *receiver, const struct hook_record *hook);

/* Whether its kinds hold that of the event; its org is not looked at. */
bool receiver_wants(const struct receiver *receiver, const struct event *event);

/* An attempt ended; failure is NULL if it did well. */
void receiver_end(struct receiver *receiver, struct parcel *parcel,
    const struct diag *failure, int64_t now_ms, int64_t now);

/* How it does now, and whether that differs from what was saved. */
bool receiver_progress(struct receiver *receiver, struct progress *out);

#endif /* PLUGIN_RECEIVER_H */
