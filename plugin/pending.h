/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pending: what was decided of devices and is on its way to the disk: rows of
 * those that were admitted for the first time, and new pins of those that are
 * known.  Decisions look here before they look at the registry, so that what is
 * queued counts at once.
 *
 * A device has one change under way, and no second one before the answer to the
 * first.  Bounded by the worker's queue, which is the only thing that fills it.
 * Broker's thread only.
 */
#ifndef PLUGIN_PENDING_H
#define PLUGIN_PENDING_H

#include "plugin/hash.h"
#include "registry/records.h"

struct pending_entry; /* one device */
struct pending_tally; /* new devices of one type, or of all; or of a gateway */

/* All zeros is an empty table. */
struct pending {
	struct pending_entry *entries;
	struct pending_tally *tallies;
};

/* As registry_get(): RES_OK and *out (without subject, tags, info), or
 * RES_NOTFOUND and whether one is there that differs in letter case. */
MUST_CHECK enum res pending_get(const struct pending *table, const char *org,
    const struct identity *who, struct device *out, bool *case_clash);

/* A device as the registry has it, with the pins that are under way in the
 * place of those that they are to replace.  Where the registry has others by
 * now, they hold: the write will be refused.  One that an operator added, and
 * whose row is under way, is what that row makes of it. */
void pending_overlay(const struct pending *table, struct device *device);

/* Whether a change of this device, however it is spelled, is under way. */
bool pending_has(
    const struct pending *table, const char *org, const struct identity *who);

/* How many of a type, or of all (NULL), are new.  One that the registry has
 * taken already, and that nobody has told us of, counts once more. */
int64_t pending_count(const struct pending *table, const char *org,
    const struct device_type *type);

/* How many take a place at a gateway that the registry may not have counted
 * yet. */
int64_t pending_count_behind(const struct pending *table, const char *org,
    const struct identity *gateway);

/* The row of a device; is_new: the registry has had none of it, not even one
 * that an operator listed; attaches: nor was it attached to device->gateway.
 * RES_EXISTS: something is under way for it, perhaps in other letters.
 * RES_NOMEM. */
MUST_CHECK enum res pending_add(struct pending *table,
    const struct device *device, bool is_new, bool attaches);

/* The pins of a device, in the place of *before; the same answers. */
MUST_CHECK enum res pending_add_pins(struct pending *table,
    const struct device *device, const struct pins *before);

/* What was under way has come through, or to nothing. */
void pending_remove(
    struct pending *table, const char *org, const struct identity *who);
void pending_done(struct pending *table);

#endif /* PLUGIN_PENDING_H */
