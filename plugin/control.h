/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control: commands of admins, who publish them on $CONTROL/certid/v1.
 *
 * A thread of its own runs them, one after the other, as "certid" does on the
 * registry's file, and of many sessions each in its turn; whoever asked, and
 * nobody else, gets the answer.  What the broker's thread does is to find out
 * whether the asker is an admin, by its session, for 2.1 calls this handler for
 * clients of any listener.
 */
#ifndef PLUGIN_CONTROL_H
#define PLUGIN_CONTROL_H

#include "manage/execute.h"
#include "plugin/mailbox.h"

#define CONTROL_WAITING_MAX 64 /* requests that wait; more are refused */
#define CONTROL_SESSION_MAX 8  /* of them of one session */
#define CONTROL_BYTES_MAX   (16 << 20) /* of all that wait */

struct control;

struct control_options {
	const char *registry;    /* path */
	struct mailbox *mailbox; /* for NEWS_REPLY; lent until control_stop() */
};

MUST_CHECK enum res control_start(const struct control_options *options,
    struct control **out, struct diag *why);
/* The command that is running comes to its end, a long one before its time;
 * where another writer holds the registry, that is about REMOTE_BUSY_MS.  NULL
 * is allowed. */
void control_stop(struct control *control);

/* Who asks: an admin of org. */
struct asker {
	const char *client_id;
	uint64_t serial; /* of its session */
	const char *org;
	const char *name; /* that makes it an admin */
	bool is_new;      /* as in struct admin */
};

/* Broker's thread.  Copies all.  RES_LIMIT: too much waits, of this session or
 * of all, or the payload is too long; RES_NOMEM. */
MUST_CHECK enum res control_submit(struct control *control,
    const struct asker *asker, const void *payload, size_t len);

#endif /* PLUGIN_CONTROL_H */
