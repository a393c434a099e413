/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * event: what all who tell of events have in common: the words for their kinds
 * and the JSON that programs rely on.  Any thread.
 */
#ifndef REGISTRY_EVENT_H
#define REGISTRY_EVENT_H

#include "common/json.h"
#include "registry/records.h"

#define EVENT_DAYS_DEFAULT 90    /* that events are kept */
#define EVENT_DAYS_MAX     36500 /* that the setting event-days may say */

/* Every kind that this version writes; NULL ends the list. */
extern const char *const event_kinds[];

bool event_is_kind(const char *kind);

/* An object with seq, time, org, actor, kind, subject and detail.  As with all
 * builders, NULL is one that ran out of memory. */
struct json *event_json(const struct event *event);

#endif /* REGISTRY_EVENT_H */
