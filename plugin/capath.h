/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * capath: the directory of usable CAs that the TLS listener trusts
 * (X509_LOOKUP_hash_dir(3)): files <hash of the subject>.<number>.
 *
 * OpenSSL reads a directory lazily and remembers how far it read: it never
 * looks again at a number that it has seen, and stops at the first gap.  So
 * while the broker runs numbers are only added, gaps are filled with another
 * CA of the same subject, and a hash whose CAs are all gone starts behind its
 * last number, filled up from zero.  A CA that is gone may go on passing the
 * handshake until the broker restarts; the plugin refuses it at CONNECT.
 *
 * Only files whose names look like <8 hex digits>.<number> are touched.
 */
#ifndef PLUGIN_CAPATH_H
#define PLUGIN_CAPATH_H

#include "admission/snapshot.h"

struct capath;

/* Look at the directory: it must exist and be writable.  RES_UNAVAIL. */
MUST_CHECK enum res capath_open(
    const char *path, struct capath **out, struct diag *why);
void capath_close(struct capath *capath);

/* Make the files those of the usable CAs in snapshot.  Each file appears
 * whole or not at all.  RES_UNAVAIL, RES_NOMEM: tried again next time. */
MUST_CHECK enum res capath_fill(struct capath *capath,
    const struct snapshot *snapshot, int64_t now, struct diag *why);

#endif /* PLUGIN_CAPATH_H */
