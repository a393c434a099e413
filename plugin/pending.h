/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pending: devices that were admitted for the first time and whose rows are
 * on their way to the disk.  Decisions look here before they look at the
 * registry, so that what is queued counts at once.
 *
 * Bounded by the worker's queue, which is the only thing that fills it.
 * Broker's thread only.
 */
#ifndef PLUGIN_PENDING_H
#define PLUGIN_PENDING_H

#include <uthash.h>

#include "registry/records.h"

struct pending; /* one device; NULL is an empty table */

/* As registry_get(): RES_OK and *out (without subject, tags, info), or
 * RES_NOTFOUND and whether one is there that differs in letter case. */
MUST_CHECK enum res pending_get(const struct pending *table, const char *org,
    const struct identity *who, struct device *out, bool *case_clash);

/* RES_EXISTS: one is there, perhaps in other letters. */
MUST_CHECK enum res pending_add(
    struct pending **table, const struct device *device);
void pending_remove(
    struct pending **table, const char *org, const struct identity *who);
void pending_done(struct pending **table);

#endif /* PLUGIN_PENDING_H */
