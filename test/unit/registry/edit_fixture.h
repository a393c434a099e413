/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * edit_fixture: an operator at NOW, with a registry in memory for each test.
 */
#ifndef TEST_UNIT_REGISTRY_EDIT_FIXTURE_H
#define TEST_UNIT_REGISTRY_EDIT_FIXTURE_H

#include "test/support/cmocka_all.h"

#include "registry/edit.h"

#define NOW 1800000000

int edit_setup(void **state); /* *state is a struct edit */
int edit_teardown(void **state);

#define EDIT_TEST(function)                                                    \
	cmocka_unit_test_setup_teardown(function, edit_setup, edit_teardown)

struct config edit_load(const struct edit *edit);
/* The last event as "org kind subject: detail". */
void edit_must_tell(const struct edit *edit, const char *want);
int64_t edit_mark(const struct edit *edit);
/* A CA whose fingerprint begins with this octet. */
struct ca_record edit_make_ca(uint8_t first, char *subject);

#endif /* TEST_UNIT_REGISTRY_EDIT_FIXTURE_H */
