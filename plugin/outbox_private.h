/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox_private: what the files of the outbox share: outbox_fill.c takes
 * events out of the table, outbox_send.c hands them to libcurl, outbox_save.c
 * writes down how far that came; outbox.c is the thread, and follows the
 * registry.
 */
#ifndef PLUGIN_OUTBOX_PRIVATE_H
#define PLUGIN_OUTBOX_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "plugin/outbox.h"
#include "plugin/receiver.h"
#include "registry/registry.h"

#define FOLLOW_MAX 1024 /* events looked at before loading anyway */
#define FAILED_MS  1000 /* before the registry is tried again */

struct outbox {
	pthread_t thread;
	atomic_bool stopping;
	struct mailbox *mailbox;

	/* The thread's own while it runs. */
	struct registry *registry;
	struct lease *lease;
	struct poster *poster;
	struct config config; /* CAs without their certificates and CRLs */
	struct receiver *receivers;
	int64_t mark;   /* of the configuration that the receivers show */
	bool stale;     /* that configuration changed, or was never read */
	bool has_lease; /* nobody else delivers */
	int64_t look_ms, lease_ms, save_ms; /* when these are due */
	uint64_t seed;
	bool told_read, told_write; /* in the log that these fail */
};

/*
 * Take in events up to mark as far as the window goes, and give up those that
 * are too far behind or gone from the table.  *more is set if there is more to
 * take in at once.
 */
MUST_CHECK enum res outbox_fill(struct outbox *outbox,
    struct receiver *receiver, int64_t mark, bool *more, struct diag *why);

/* Give up the events up to seq: those taken in, and as many as unread that were
 * not. */
void outbox_drop(struct outbox *outbox, struct receiver *receiver, int64_t seq,
    int64_t unread, const char *reason);

/* How the registry does, where r was answered; told is told_read or told_write.
 * One line in the log when it fails, one when that is over.  Whether it is
 * RES_OK. */
bool outbox_is_well(
    struct outbox *outbox, bool *told, enum res r, const struct diag *why);

/* One line when a receiver falls sick, one when it is well again. */
void outbox_say_health(struct outbox *outbox, struct receiver *receiver);

/* Begin what is due. */
void outbox_begin(struct outbox *outbox);
/* Take in what is over. */
void outbox_finish(struct outbox *outbox);

/* Write down what changed, and set save_ms. */
void outbox_save(struct outbox *outbox, int64_t now_ms);

#endif /* PLUGIN_OUTBOX_PRIVATE_H */
