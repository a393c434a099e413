/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * hash: uthash, as the tables of this room use it.  Nobody here includes
 * <uthash.h> but this file.
 *
 * Memory that is short must not end the broker: after a HASH_ADD an entry whose
 * hh.tbl is NULL is in no table, and still the caller's, who frees it and goes
 * on as if it had not been there.
 */
#ifndef PLUGIN_HASH_H
#define PLUGIN_HASH_H

#define HASH_NONFATAL_OOM 1

#include <uthash.h>

#endif /* PLUGIN_HASH_H */
