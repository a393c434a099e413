/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* A registry on the disk, with the orgs default and acme, whose admin is alice;
 * and what is answered to her. */
#ifndef TEST_UNIT_MANAGE_EXECUTE_FIXTURE_H
#define TEST_UNIT_MANAGE_EXECUTE_FIXTURE_H

#include "manage/execute.h"

extern char folder[], path[64]; /* of the registry */

int fixture_make(void **state);
int fixture_remove(void **state);

/* That of the last event. */
int64_t fixture_mark(void);

/* The answer to a message of alice, for the caller to free. */
char *run_as(const char *org, const char *message);
/* The same of one command, given as its members. */
char *run_one(const char *org, const char *members);

void must_hold(const char *answer, const char *what, const char *asked);
size_t count_responses(const char *answer);

#endif /* TEST_UNIT_MANAGE_EXECUTE_FIXTURE_H */
