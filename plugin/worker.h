/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * worker: the one thread of ours.  It writes what the broker's thread queues,
 * in group commits; notices what others changed in the registry; builds
 * snapshots; keeps the capath folder.  It never calls the broker.
 *
 * What it finds out goes back as news, which the broker's thread takes when it
 * turns around.  Nothing that was queued is dropped while the worker lives: a
 * batch that the disk does not take is tried again until it does.
 */
#ifndef PLUGIN_WORKER_H
#define PLUGIN_WORKER_H

#include "plugin/mailbox.h"
#include "registry/registry.h"

#define WORKER_QUEUE_MAX 8192 /* devices that wait for the disk */
#define WORKER_BATCH_MAX 512  /* rows in one commit */
#define WORKER_POLL_MS   100  /* how often it looks for others' changes */
#define WORKER_LAZY_MS   500  /* how long a last-seen time may wait */
#define WORKER_BUSY_MS   5000 /* of another writer: then the log says so */
#define WORKER_FAREWELL_MS                                                     \
	30000 /* of another writer, in the end; systemd waits three times as   \
	         long */

struct worker;

struct worker_options {
	const char *registry; /* path */
	const char *capath;   /* or NULL */
};

/* Open the registry for writing, make the first snapshot (it is the first of
 * the news) and fill the capath, then start.  Signals stay the broker's. */
MUST_CHECK enum res worker_start(const struct worker_options *options,
    struct worker **out, struct diag *why);

/*
 * Write what is queued, stop, join.  A disk that does not take it is given up
 * after two seconds, another writer after WORKER_FAREWELL_MS.  Gives the number
 * of changes that are lost, times of last-seen not counted.  The mailbox stays,
 * for others still post.  Again, it does nothing and gives the same; NULL: 0.
 */
MUST_CHECK size_t worker_stop(struct worker *worker);

/* worker_stop(), unless that was done, and free.  NULL is allowed. */
void worker_free(struct worker *worker);

/* The broker's thread: does the registry take one more device now?  Not while
 * the queue is full or the disk refuses.  While somebody else writes, the queue
 * takes what comes. */
bool worker_has_room(struct worker *worker);

/*
 * Queue a device to be written as CHANGE_DEVICE_PROVISION.  Copies it.
 * RES_LIMIT: the queue is full.  RES_NOMEM.
 */
MUST_CHECK enum res worker_provision(
    struct worker *worker, const struct device *device);

/* Queue last_seen_at and last_address of a device; dropped when much waits,
 * for it is only a convenience. */
void worker_seen(struct worker *worker, const struct device *device);

/* Queue an event about a device, which need not be registered: session-closed,
 * pin-mismatch, clone-suspected.  Never refused for want of room: whoever calls
 * bounds how many there are. */
void worker_event(struct worker *worker, const struct device *device,
    const char *kind, const char *detail);

/* Queue device->pins to be written in the place of *before, with an event of
 * kind pin-changed or device-pending; kind NULL: none.  Copies both. RES_LIMIT,
 * RES_NOMEM. */
MUST_CHECK enum res worker_pins(struct worker *worker,
    const struct device *device, const struct pins *before, const char *kind,
    const char *detail);

/* Queue the locking of a device, with the event device-locked. */
void worker_lock(
    struct worker *worker, const struct device *device, const char *detail);

/* As upkeep_metrics(): takes body. */
void worker_metrics(struct worker *worker, const char *source, char *body);

/* Changes that wait for the disk. */
size_t worker_depth(struct worker *worker);

/* Whether there is news: one atomic load. */
bool worker_has_news(const struct worker *worker);

/* As mailbox_take(). */
struct news *worker_take(struct worker *worker);

/* Where others may post news that worker_take() gives; until worker_free(). */
struct mailbox *worker_mailbox(struct worker *worker);

#endif /* PLUGIN_WORKER_H */
