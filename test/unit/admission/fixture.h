/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fixture: a registry in memory with one CA, and the snapshot of it.
 */
#ifndef TEST_UNIT_ADMISSION_FIXTURE_H
#define TEST_UNIT_ADMISSION_FIXTURE_H

#include "admission/admission.h"
#include "registry/backend.h"
#include "registry/edit.h"
#include "test/support/mint.h"

struct fixture {
	struct registry *registry;
	struct minted ca;
	struct edit edit;
};

void fixture_init(struct fixture *fixture);
void fixture_done(struct fixture *fixture);

/* Register a CA; scope is a JSON array. */
void fixture_add_ca(struct fixture *fixture, const struct minted *ca,
    const char *state, const char *scope, const char *enrol);

/* The settings as they are now.  A test ends where they cannot be read. */
struct snapshot *fixture_snapshot(struct fixture *fixture);

struct leaf *fixture_leaf(const struct minted *minted);

struct identity fixture_who(const char *name);

/* The fixture's registry. */
struct source fixture_source(struct fixture *fixture);

/* A registry that says what it is told to say, and counts how often. */
struct stub {
	enum res res;         /* of find; RES_OK: device */
	struct device device; /* without heap memory */
	enum res count_res;
	int64_t org_devices, type_devices;
	bool within_rate;
	int finds, counts, rates;
};

struct source stub_source(struct stub *stub);

/* Write a device in this state. */
void fixture_add_device(
    struct fixture *fixture, const char *name, enum device_state state);

#endif /* TEST_UNIT_ADMISSION_FIXTURE_H */
