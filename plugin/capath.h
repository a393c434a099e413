/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * capath: the directory of active CAs that the TLS listener trusts
 * (X509_LOOKUP_hash_dir(3)): files <hash of the subject>.<number>, numbered
 * from 0 without gaps.
 *
 * OpenSSL looks a subject up here once, and keeps what it found until the
 * broker restarts.  So a CA of a new subject is trusted by the handshake at
 * once; a second CA of a subject that was used before, only after a restart;
 * and one that is gone goes on passing the handshake until then, to be refused
 * at CONNECT.
 *
 * The directory is the plugin's own, which a file ".certid" in it says: one
 * that has hashed files but not this is refused, not emptied.
 */
#ifndef PLUGIN_CAPATH_H
#define PLUGIN_CAPATH_H

#include "admission/snapshot.h"

struct capath;

/* Make the directory if it is missing, and take possession.  RES_UNAVAIL,
 * RES_NOMEM. */
MUST_CHECK enum res capath_open(
    const char *path, struct capath **out, struct diag *why);
void capath_close(struct capath *capath);

/* Make the files those of the active CAs of the org that the broker serves.
 * Each file appears whole or not at all, and those that stay are not touched.
 * RES_UNAVAIL, RES_NOMEM: call again later. */
MUST_CHECK enum res capath_fill(
    struct capath *capath, const struct snapshot *snapshot, struct diag *why);

#endif /* PLUGIN_CAPATH_H */
