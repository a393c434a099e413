/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * backend: the store under the registry, as a struct of operations.  SQLite
 * for use, memory for tests; etcd will be the third, with SQLite as each
 * broker's replica.  registry.c is the only caller.
 *
 * Threads: one call at a time on one object.  Calls may block on the disk, so
 * the broker's thread makes only get(), on an object of its own that was
 * opened with REGISTRY_READ; get() is one look-up by key and never waits for
 * a writer.
 *
 * Results: RES_NOTFOUND and RES_EXISTS are answers; any other failure means
 * unknown.  *out is set on RES_OK only, why on failure only.
 */
#ifndef REGISTRY_BACKEND_H
#define REGISTRY_BACKEND_H

#include "common/diag.h"
#include "registry/registry.h"

struct backend {
	const char *name;
	size_t size; /* private state; registry.c gives it zeroed */

	/* On failure registry.c calls close() all the same. */
	enum res (*open)(void *self, const struct registry_options *options,
	    struct diag *why);
	void (*close)(void *self);

	enum res (*load)(void *self, struct config *out, struct diag *why);
	enum res (*get)(void *self, const char *org, const struct identity *who,
	    bool full, struct device *out, bool *case_clash, struct diag *why);
	enum res (*scan)(void *self, const struct device_query *query,
	    device_visit *visit, void *context, struct diag *why);
	enum res (*count)(void *self, const struct device_query *query,
	    int64_t *out, struct diag *why);
	enum res (*tally)(void *self, const char *org,
	    const struct device_type *type, tally_visit *visit, void *context,
	    struct diag *why);
	enum res (*metrics)(
	    void *self, metrics_visit *visit, void *context, struct diag *why);
	enum res (*events)(void *self, const struct event_query *query,
	    event_visit *visit, void *context, struct diag *why);
	enum res (*event_before)(void *self, const char *org, int64_t after,
	    int64_t n, int64_t *out, struct diag *why);
	enum res (*apply)(void *self, struct change *changes, size_t n,
	    enum apply_mode mode, struct diag *why);
	enum res (*begin)(void *self, struct diag *why);
	enum res (*commit)(void *self, struct diag *why);
	void (*rollback)(void *self);
	enum res (*mark)(void *self, int64_t *out, struct diag *why);
};

extern const struct backend backend_sqlite, backend_memory;

#endif /* REGISTRY_BACKEND_H */
