/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/registry.h"

#include <stdlib.h>

#include "registry/backend.h"

struct registry {
	const struct backend *backend;
	void *self;
	enum registry_mode mode;
	bool is_open;   /* a transaction of several applies */
	bool is_spoilt; /* one of them failed half-way */
};

static bool
is_whole(const struct backend *backend)
{
	return backend->open != NULL && backend->close != NULL &&
	    backend->load != NULL && backend->get != NULL &&
	    backend->scan != NULL && backend->count != NULL &&
	    backend->tally != NULL && backend->metrics != NULL &&
	    backend->events != NULL && backend->event_before != NULL &&
	    backend->apply != NULL && backend->begin != NULL &&
	    backend->commit != NULL && backend->rollback != NULL &&
	    backend->mark != NULL;
}

enum res
registry_open(const struct registry_options *options, struct registry **out,
    struct diag *why)
{
	const struct backend *backend =
	    options->backend == NULL ? &backend_sqlite : options->backend;
	struct registry *registry;
	enum res r;

	if (!is_whole(backend) || options->path == NULL) {
		return diag_res(why, RES_UNAVAIL,
		    "the registry's back end or path is missing");
	}
	registry = calloc(1, sizeof(*registry));
	if (registry == NULL) {
		return diag_res(why, RES_NOMEM, "no memory left");
	}
	registry->backend = backend;
	registry->mode = options->mode;
	registry->self = calloc(1, backend->size);
	if (registry->self == NULL) {
		r = diag_res(why, RES_NOMEM, "no memory left");
		goto out;
	}
	r = backend->open(registry->self, options, why);
	if (r == RES_OK) {
		*out = registry;
		registry = NULL;
	}
out:
	registry_close(registry);
	return r;
}

void
registry_close(struct registry *registry)
{
	if (registry == NULL) {
		return;
	}
	registry_rollback(registry);
	if (registry->self != NULL) {
		registry->backend->close(registry->self);
	}
	free(registry->self);
	free(registry);
}

enum res
registry_load(struct registry *registry, struct config *out, struct diag *why)
{
	return registry->backend->load(registry->self, out, why);
}

enum res
registry_get(struct registry *registry, const char *org,
    const struct identity *who, bool full, struct device *out, bool *case_clash,
    struct diag *why)
{
	bool clash = false;
	enum res r;

	r = registry->backend->get(
	    registry->self, org, who, full, out, &clash, why);
	if (case_clash != NULL) {
		*case_clash = clash;
	}
	if (r == RES_NOTFOUND && why != NULL) {
		char text[IDENTITY_TEXT_MAX + 1];

		identity_format(who, text);
		diag_set(why, "there is no device %s in the org %s", text, org);
	}
	return r;
}

enum res
registry_scan(struct registry *registry, const struct device_query *query,
    device_visit *visit, void *context, struct diag *why)
{
	return registry->backend->scan(
	    registry->self, query, visit, context, why);
}

enum res
registry_count(struct registry *registry, const struct device_query *query,
    int64_t *out, struct diag *why)
{
	return registry->backend->count(registry->self, query, out, why);
}

enum res
registry_tally(struct registry *registry, const char *org,
    const struct device_type *type, tally_visit *visit, void *context,
    struct diag *why)
{
	return registry->backend->tally(
	    registry->self, org, type, visit, context, why);
}

enum res
registry_metrics(struct registry *registry, metrics_visit *visit, void *context,
    struct diag *why)
{
	return registry->backend->metrics(registry->self, visit, context, why);
}

enum res
registry_events(struct registry *registry, const struct event_query *query,
    event_visit *visit, void *context, struct diag *why)
{
	return registry->backend->events(
	    registry->self, query, visit, context, why);
}

enum res
registry_event_before(struct registry *registry, const char *org, int64_t after,
    int64_t n, int64_t *out, struct diag *why)
{
	return registry->backend->event_before(
	    registry->self, org, after, n, out, why);
}

enum res
registry_mark(struct registry *registry, int64_t *out, struct diag *why)
{
	return registry->backend->mark(registry->self, out, why);
}

static enum res
only_reads(struct diag *why)
{
	return diag_res(
	    why, RES_UNAVAIL, "the registry was opened for reading only");
}

enum res
registry_begin(struct registry *registry, struct diag *why)
{
	enum res r;

	if (registry->mode == REGISTRY_READ) {
		return only_reads(why);
	}
	if (registry->is_open) {
		return diag_res(why, RES_REFUSED,
		    "a transaction is open already: end it first");
	}
	r = registry->backend->begin(registry->self, why);
	registry->is_open = r == RES_OK;
	registry->is_spoilt = false;
	return r;
}

enum res
registry_commit(struct registry *registry, struct diag *why)
{
	if (!registry->is_open) {
		return diag_res(
		    why, RES_REFUSED, "no transaction is open: begin one");
	}
	if (registry->is_spoilt) {
		registry_rollback(registry);
		return diag_res(why, RES_REFUSED,
		    "a part of the transaction failed, and nothing was "
		    "changed: start again");
	}
	registry->is_open = false;
	return registry->backend->commit(registry->self, why);
}

void
registry_rollback(struct registry *registry)
{
	if (registry->is_open) {
		registry->is_open = false;
		registry->backend->rollback(registry->self);
	}
}

/* Whether an apply that failed left nothing behind: it ended with the answer
 * to its first change. */
static bool
left_nothing(const struct change *changes, enum res r)
{
	return changes[0].result == r && r != RES_UNAVAIL && r != RES_BUSY &&
	    r != RES_NOMEM && r != RES_CORRUPT;
}

enum res
registry_apply(struct registry *registry, struct change *changes, size_t n,
    enum apply_mode mode, struct diag *why)
{
	enum res r;
	size_t i;

	for (i = 0; i < n; i++) {
		changes[i].result = RES_UNAVAIL;
	}
	if (registry->mode == REGISTRY_READ) {
		return only_reads(why);
	}
	if (n == 0) {
		return RES_OK;
	}
	if (registry->is_spoilt && registry->is_open) {
		return diag_res(why, RES_REFUSED,
		    "a part of the transaction failed: roll it back");
	}
	r = registry->backend->apply(registry->self, changes, n, mode, why);
	if (registry->is_open && r != RES_OK && !left_nothing(changes, r)) {
		registry->is_spoilt = true;
	}
	return r;
}
