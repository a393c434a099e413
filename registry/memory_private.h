/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * memory_private: a registry that is gone when it is closed, for tests.  Lists
 * that are searched from end to end; apply works on a copy of everything and
 * takes its place.  Path and mode mean nothing: every object starts new.
 */
#ifndef REGISTRY_MEMORY_PRIVATE_H
#define REGISTRY_MEMORY_PRIVATE_H

#include "registry/backend.h"

enum list_id {
	LIST_ORGS = 0,
	LIST_CAS,
	LIST_TYPES,
	LIST_RULES,
	LIST_TOPICS,
	LIST_SETTINGS,
	LIST_HOOKS,
	LIST_ADMINS,
	LIST_DEVICES, /* from here on, not of a config */
	LIST_METRICS,
	LIST_EVENTS,
	LIST_COUNT,
};

struct list {
	char *items;
	size_t count;
};

/* The lists are in order of org, then of key; topics and events, which have
 * none, of adding. */
struct state {
	struct list lists[LIST_COUNT];
	int64_t last_seq;
};

/* As it is, and as it was when the open transaction began. */
struct memory {
	struct state now, before;
};

void *state_item(const struct state *state, enum list_id id, size_t i);
const char *state_org_of(enum list_id id, const void *record);
/* A copy of record at its place; RES_NOMEM. */
MUST_CHECK enum res state_insert(
    struct state *state, enum list_id id, const void *record);
void state_take_out(struct state *state, enum list_id id, size_t i);
/* The record with the same org and key, or NULL. */
void *state_find(
    const struct state *state, enum list_id id, const void *record, size_t *at);
bool state_has_org(const struct state *state, const char *name);
/* A device whose name is equal but for letter case, the name itself too. */
bool state_has_twin(
    const struct state *state, const char *org, const char *name);
MUST_CHECK enum res state_copy(const struct state *from, struct state *out);
void state_done(struct state *state);

/* memory.c: the sentence for RES_NOMEM; state_insert() with it. */
enum res memory_none(struct diag *why);
MUST_CHECK enum res memory_add(
    struct state *state, enum list_id id, const void *record, struct diag *why);

/* memory_ca.c: every change of a CA. */
MUST_CHECK enum res memory_change_ca(
    struct state *state, struct change *change, struct diag *why);

/* memory_device.c: every change of a device, and the operations that read
 * devices. */
MUST_CHECK enum res memory_change_device(
    struct state *state, struct change *change, struct diag *why);
enum res memory_get(void *self, const char *org, const struct identity *who,
    bool full, struct device *out, bool *case_clash, struct diag *why);
enum res memory_scan(void *self, const struct device_query *query,
    device_visit *visit, void *context, struct diag *why);
enum res memory_count(void *self, const struct device_query *query,
    int64_t *out, struct diag *why);
enum res memory_tally(void *self, const char *org,
    const struct device_type *type, tally_visit *visit, void *context,
    struct diag *why);

enum res memory_apply(void *self, struct change *changes, size_t n,
    enum apply_mode mode, struct diag *why);

#endif /* REGISTRY_MEMORY_PRIVATE_H */
