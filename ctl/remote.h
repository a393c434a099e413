/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * remote: one command run by the plugin of a broker.
 *
 * Connects over TLS (without it only to this machine itself), asks, prints the
 * answer, and leaves.
 */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include "manage/call.h"

/* What the command of call comes to on the broker of --broker.  Its exit code;
 * EXIT_NO_REGISTRY: the broker cannot be reached; EXIT_REFUSED: it does not let
 * us in, or does not answer. */
int remote_run(const struct call *call);

#endif /* CTL_REMOTE_H */
