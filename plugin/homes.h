/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * homes: to which org the author of a retained message belongs, for the broker
 * asks about him with each of his messages, and to find out is a look-up in
 * every org.
 *
 * A bounded memory of where to look, not of what was found there: the author is
 * judged anew each time.  What it holds counts for HOMES_MS; news of a device
 * make it be forgotten sooner, and it is forgotten as a whole when it is full
 * and with every new snapshot.  Broker's thread only.
 */
#ifndef PLUGIN_HOMES_H
#define PLUGIN_HOMES_H

#include "plugin/hash.h"
#include "registry/records.h"

#define HOMES_BYTES (1 << 20) /* of all client ids and entries */
#define HOMES_MS    1000

struct home; /* of one client id */

/* All zeros is an empty one. */
struct homes {
	struct home *list;
	size_t bytes;
};

/* The org of who with this client id; "": none has such a device; NULL: it is
 * not known at now (monotonic ms). */
const char *homes_find(const struct homes *homes, const char *client_id,
    const struct identity *who, int64_t now);

/* Without memory nothing is learned. */
void homes_learn(struct homes *homes, const char *client_id,
    const struct identity *who, const char *org, int64_t now);

/* A device changed, in whatever org. */
void homes_forget(struct homes *homes, const struct identity *who);
void homes_clear(struct homes *homes);

#endif /* PLUGIN_HOMES_H */
