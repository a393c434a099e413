/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * spool: what comes through a pipe, a terminal or a device as a file, so that
 * nobody waits for it while he holds something that others wait for.
 */
#ifndef MANAGE_SPOOL_H
#define MANAGE_SPOOL_H

#include "common/diag.h"

/*
 * Read fd to its end into a file without a name, in the directory TMPDIR or
 * /var/tmp, which is open in *out then, at its start; the caller closes it.
 * How much it takes is up to the file system.  name is that of fd, for
 * sentences.  RES_REFUSED: interrupted (see interrupt.h), cannot be read, no
 * room, or there is no such directory.
 */
MUST_CHECK enum res spool(int fd, const char *name, int *out, struct diag *why);

#endif /* MANAGE_SPOOL_H */
