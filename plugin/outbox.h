/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox: a thread of its own that delivers events to the receivers (hooks)
 * that operators registered.
 *
 * The event table is the queue; a hook's cursor says how far it came, and is
 * kept in the registry, so nothing is lost by a restart.  At least once: what
 * was under way when the broker stopped is sent again, with the same id.  In
 * order per subject: an event waits for those before it about the same device.
 * Every hook has its own requests, timers and backlog; it never calls the
 * broker.
 */
#ifndef PLUGIN_OUTBOX_H
#define PLUGIN_OUTBOX_H

#include "plugin/mailbox.h"

#define OUTBOX_POLL_MS    200  /* how often it looks for new events */
#define OUTBOX_FLIGHT_MAX 8    /* requests of one hook under way */
#define OUTBOX_WINDOW     1024 /* events of one hook in memory */
#define OUTBOX_BACKLOG_MAX                                                     \
	1000000                 /* events of its org; older ones are dropped,  \
	                           and counted */
#define OUTBOX_RETRY_MS     200 /* after the first failure; doubled */
#define OUTBOX_RETRY_MAX_MS 300000
#define OUTBOX_TIMEOUT_MS   10000 /* of one request */

struct outbox;

struct outbox_options {
	const char *registry;    /* path */
	struct mailbox *mailbox; /* for NEWS_LOG; lent until outbox_stop() */
};

/* On the broker's thread, when no other one may be in libcurl. */
MUST_CHECK enum res outbox_start(const struct outbox_options *options,
    struct outbox **out, struct diag *why);
/* Within about a second, whatever receivers do.  NULL is allowed. */
void outbox_stop(struct outbox *outbox);

#endif /* PLUGIN_OUTBOX_H */
