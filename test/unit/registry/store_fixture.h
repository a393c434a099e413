/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_fixture: a directory of its own for each test of the SQLite back end,
 * and a second connection to look at the file, or to harm it.
 */
#ifndef TEST_UNIT_REGISTRY_STORE_FIXTURE_H
#define TEST_UNIT_REGISTRY_STORE_FIXTURE_H

#include "test/support/cmocka_all.h"

#include "registry/registry.h"

#define NOW 1800000000

struct fixture {
	char directory[64], path[160];
};

int fixture_setup(void **state);
int fixture_teardown(void **state); /* removes all that is in it */

#define FIXTURE_TEST(function)                                                 \
	cmocka_unit_test_setup_teardown(                                       \
	    function, fixture_setup, fixture_teardown)

void fixture_path(struct fixture *fixture, const char *name);
/* Open, or fail the test. */
struct registry *fixture_open(
    const struct fixture *fixture, enum registry_mode mode);
/* Create and close. */
void fixture_create(const struct fixture *fixture);
/* Opening is answered with want, a sentence that has words in it, and no
 * registry. */
void fixture_refuse(const struct fixture *fixture, enum registry_mode mode,
    enum res want, const char *words);
/* Run SQL on the file by a connection of its own. */
void fixture_sql(const struct fixture *fixture, const char *sql);
/* The whole file, for the caller to free. */
char *fixture_bytes(const struct fixture *fixture, size_t *len);
void fixture_write(
    const struct fixture *fixture, const char *bytes, size_t len);
int fixture_entries(const struct fixture *fixture);

enum res fixture_add(struct registry *registry, const char *identity,
    enum device_state state, struct diag *why);

#endif /* TEST_UNIT_REGISTRY_STORE_FIXTURE_H */
