/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * snapshot: the registry's settings at one moment, in the form that decisions
 * use: per org a trust set, a policy, topic rules.
 *
 * Built by one thread, never changed after, counted references: any thread
 * may hold one.
 */
#ifndef ADMISSION_SNAPSHOT_H
#define ADMISSION_SNAPSHOT_H

#include "policy/grants.h"
#include "policy/policy.h"
#include "registry/records.h"
#include "trust/trust.h"

/* One org in a snapshot. */
struct tenant {
	struct policy policy;
	struct trust_set *trust;
	struct topic_rule *topics;
	size_t topic_count;
	bool topics_on; /* false: other ACL sources decide for the admitted */
};

struct snapshot;

/* On RES_OK the config has moved into the snapshot, and is empty.
 * RES_CORRUPT with why: a stored value that this program does not understand;
 * the config stays the caller's. */
MUST_CHECK enum res snapshot_new(
    struct config *config, struct snapshot **out, struct diag *why);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is allowed */

/* NULL: no such org. */
const struct tenant *snapshot_tenant(
    const struct snapshot *snapshot, const char *org);

/* The registry's record of a CA, for names and ids; NULL: not there. */
const struct ca_record *snapshot_ca(const struct snapshot *snapshot,
    const char *org, const uint8_t fingerprint[HASH_LEN]);

/* Visit every active CA of an org, whatever its dates: a clock may be set
 * right at any time. */
typedef void ca_visit(const struct ca_record *ca, void *context);
void snapshot_active_cas(const struct snapshot *snapshot, const char *org,
    ca_visit *visit, void *context);

/* The last event that the snapshot knows of. */
int64_t snapshot_mark(const struct snapshot *snapshot);

#endif /* ADMISSION_SNAPSHOT_H */
