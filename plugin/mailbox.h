/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mailbox: news from the worker's thread to the broker's.
 *
 * Any thread may post; one thread takes.  Whether there is anything is one
 * atomic load, for the broker asks in every turn of its loop.
 */
#ifndef PLUGIN_MAILBOX_H
#define PLUGIN_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>

#include "admission/snapshot.h"
#include "registry/records.h"

#define MAILBOX_MAX 8192 /* with more, events wait in the registry */

enum news_kind {
	NEWS_SNAPSHOT = 1, /* snapshot, now the reader's */
	NEWS_DEVICE,       /* device, or found is false: it is gone */
	NEWS_RECORDED,     /* the same, of one that was queued to be written,
	                      and what came of that */
	NEWS_LOG,          /* text for the log, at level */
	NEWS_EVENT,        /* event, for those who listen on $SYS */
	NEWS_REPLY,        /* to one client that asked on $CONTROL: client_id,
	                      its session's serial number, payload */
};

struct news {
	enum news_kind kind;
	struct snapshot *snapshot;
	struct device device; /* org and who always; the rest if found */
	bool found;
	enum res result; /* RECORDED: RES_LIMIT is a quota; see registry.h */
	int level;
	struct diag text;
	struct event event;
	char *client_id, *payload; /* heap */
	uint64_t serial;
	struct news *next;
};

struct mailbox {
	pthread_mutex_t lock;
	struct news *first, *last;
	size_t count;
	atomic_bool full;
};

/* NULL: no memory.  news_free() takes NULL. */
struct news *news_new(enum news_kind kind);
void news_free(struct news *news);

void mailbox_init(struct mailbox *mailbox);
void mailbox_done(struct mailbox *mailbox);

/* Gives news away. */
void mailbox_post(struct mailbox *mailbox, struct news *news);
bool mailbox_has(const struct mailbox *mailbox);

/* Whether there is less in it than MAILBOX_MAX. */
bool mailbox_has_room(struct mailbox *mailbox);

/* All of it, oldest first, linked by next; the caller frees each. */
struct news *mailbox_take(struct mailbox *mailbox);

#endif /* PLUGIN_MAILBOX_H */
