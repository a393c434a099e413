/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * follow: what an event of the registry means for a broker, and the news that
 * comes of it.  The worker's thread.
 */
#ifndef PLUGIN_FOLLOW_H
#define PLUGIN_FOLLOW_H

#include "plugin/mailbox.h"
#include "registry/registry.h"

/* Whom an event concerns: who is connected or allowed something now.  What is
 * not known is looked at as a change of the settings. */
enum concern {
	CONCERN_SETTINGS = 0,
	CONCERN_DEVICE, /* its sessions */
	CONCERN_NOBODY, /* it is told to people alone, or is our own doing */
};

/* *who is set for CONCERN_DEVICE only. */
enum concern follow_concern(const struct event *event, struct identity *who);

/* What the registry says of a device now, as news of this kind; result is what
 * came of writing it.  RES_NOMEM, or what registry_get() answers; then there is
 * no news. */
MUST_CHECK enum res follow_post_device(struct mailbox *mailbox,
    struct registry *registry, enum news_kind kind, const char *org,
    const struct identity *who, enum res result);

/* A copy of the event.  RES_NOMEM. */
MUST_CHECK enum res follow_post_event(
    struct mailbox *mailbox, const struct event *event);

#endif /* PLUGIN_FOLLOW_H */
