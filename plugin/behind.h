/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * behind: which gateway speaks for which device: a bounded memory of what the
 * registry says, so that a message costs no look-up.
 *
 * Filled by look-ups when a gateway names a device, kept right by the worker's
 * news about devices; forgotten as a whole when it is full and with every new
 * snapshot.  Broker's thread only.
 */
#ifndef PLUGIN_BEHIND_H
#define PLUGIN_BEHIND_H

#include "plugin/hash.h"
#include "registry/records.h"

#define BEHIND_MAX       65536 /* devices */
#define BEHIND_DENIED_MS 10000 /* before a gateway may try again */
#define BEHIND_ABSENT_MS 10000 /* of a device that was not there */
#define BEHIND_KEY_MAX   (NAME_MAX_LEN + 1 + IDENTITY_TEXT_MAX)

struct behind_entry {
	char key[BEHIND_KEY_MAX + 1]; /* org/identity */
	bool found, locked;
	enum device_state state;
	bool has_gateway;
	struct identity gateway;
	int64_t learned_ms;      /* monotonic */
	int64_t denied_until_ms; /* monotonic: what a gateway wanted of it was
	                            refused, and is not asked again before */
	UT_hash_handle hh;
};

struct behind_table {
	struct behind_entry *entries;
};

/* NULL: nothing is known. */
struct behind_entry *behind_find(
    struct behind_table *table, const char *org, const struct identity *who);

/* What the registry says of device->who; found false: it is not there, and the
 * rest of device means nothing.  NULL: no memory, and nothing is known.  A
 * gateway that was denied it is asked about no sooner than before. */
struct behind_entry *behind_learn(struct behind_table *table,
    const struct device *device, bool found, int64_t now_ms);

/* Whether what is known can still be so: many devices that are listed at once
 * are no news. */
bool behind_counts(const struct behind_entry *entry, int64_t now_ms);

/* News of a device: what is known already is put right.  If it is a gateway
 * that is gone, all that was known of its devices is forgotten. */
void behind_update(
    struct behind_table *table, const struct device *device, bool found);

/* Whether the gateway may speak for it as things are. */
bool behind_speaks(
    const struct behind_entry *entry, const struct identity *gateway);

/* Forget everything; the table can go on being used. */
void behind_clear(struct behind_table *table);

#endif /* PLUGIN_BEHIND_H */
