/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* A worker on a real registry file, which refuses when a test wants it to. */
#ifndef TEST_WORKER_FIXTURE_H
#define TEST_WORKER_FIXTURE_H

#include <stdatomic.h>

#include "plugin/worker.h"
#include "registry/edit.h"
#include "test/support/cmocka_all.h"

struct fixture {
	char directory[64];
	char path[96];
	struct registry *admin;
	struct worker *worker;
	struct news *news; /* taken, not yet looked at */
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

struct edit fixture_edit(struct fixture *fixture);
struct device fixture_device(const char *name);

/* The next piece of news of this kind; others are dropped.  NULL: none came
 * before the deadline. */
struct news *fixture_await(struct fixture *fixture, enum news_kind kind);

/* Written, and followed. */
void fixture_provision(struct fixture *fixture, const struct device *device);

/* For so long, every registry_apply() answers r. */
void fixture_refuse(enum res r, int64_t ms);

/* How many registry_get() fail. */
extern atomic_int fixture_gets_to_fail;

#endif /* TEST_WORKER_FIXTURE_H */
