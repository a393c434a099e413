/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * lease: one holder at a time, of all processes on this machine and of all
 * parts of one: a lock on a file, which the system takes back from a process
 * that ends, however it does.
 */
#ifndef PLUGIN_LEASE_H
#define PLUGIN_LEASE_H

#include <stdbool.h>

#include "common/diag.h"
#include "common/res.h"

struct lease;

/* The lock's file is made where it is missing; run by root, it is given to the
 * owner of model.  Does not take the lease yet.  RES_UNAVAIL, RES_NOMEM. */
MUST_CHECK enum res lease_open(
    const char *path, const char *model, struct lease **out, struct diag *why);
/* Gives it back.  NULL is allowed. */
void lease_close(struct lease *lease);

/*
 * Whether it is ours now: takes it if nobody has it, never waits.  Asked again
 * from time to time, for a lock on a file that somebody removed keeps nobody
 * out; then it is lost, and the next call takes it anew.
 */
MUST_CHECK bool lease_take(struct lease *lease);

#endif /* PLUGIN_LEASE_H */
