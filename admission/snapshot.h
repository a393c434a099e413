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
	uint32_t number; /* of this org, in this snapshot */
	struct policy policy;
	struct trust_set *trust;
	struct topic_rule *topics;
	size_t topic_count;
	const char *sni; /* suffix of server names; NULL or "": none */
	/* What every client id holds, by {org} in the template; "": nothing. */
	char marker[CLIENT_TEMPLATE_MAX + NAME_MAX_LEN + 1];
	bool topics_on; /* false: other ACL sources decide for the admitted */
	bool locks_clones; /* the setting clone-action is lock */
	int64_t event_days;
};

struct snapshot;

/*
 * On RES_OK the config has moved into the snapshot, and is empty.
 * RES_CORRUPT with why: a stored value that this program does not understand;
 * the config stays the caller's.  CRLs that previous (or NULL) holds as well
 * are taken from there rather than read again.
 */
MUST_CHECK enum res snapshot_new(struct config *config,
    const struct snapshot *previous, struct snapshot **out, struct diag *why);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is allowed */

/* NULL: no such org. */
const struct tenant *snapshot_tenant(
    const struct snapshot *snapshot, const char *org);

/* The name of the i-th org, in order; NULL: there are not so many. */
const char *snapshot_org(const struct snapshot *snapshot, size_t i);

/*
 * The org that a TLS client asked for by the name of the server (SNI, RFC 6066
 * 3): NAME of "NAME.SUFFIX", where SUFFIX is the setting sni of that org, or of
 * the org default; letter case does not matter.  The org default for NULL and
 * for every name that ends in no SUFFIX.  NULL: a SUFFIX with no such org, or
 * with two whose names differ in letter case alone.
 */
const char *snapshot_org_of_host(
    const struct snapshot *snapshot, const char *host);

/*
 * The org of a client that shows no certificate, by its client id: the first in
 * order whose client-id template holds {org} and gives this id to username, if
 * that is an identity, or else to any identity; otherwise the org default, also
 * for NULL.  Searches client_id once for each such org, and takes it apart at
 * most ORG_READS_MAX times.
 */
#define ORG_READS_MAX 16
const char *snapshot_org_of_client(const struct snapshot *snapshot,
    const char *client_id, const char *username);

/* The registry's record of a CA, for names and ids; NULL: not there. */
const struct ca_record *snapshot_ca(const struct snapshot *snapshot,
    const char *org, const uint8_t fingerprint[HASH_LEN]);

/* Whether name, an identity or a user name, is an admin of org. */
bool snapshot_is_admin(
    const struct snapshot *snapshot, const char *org, const char *name);

/* Visit every active CA of an org, whatever its dates: a clock may be set
 * right at any time. */
typedef void ca_visit(const struct ca_record *ca, void *context);
void snapshot_active_cas(const struct snapshot *snapshot, const char *org,
    ca_visit *visit, void *context);

/* The last event that the snapshot knows of. */
int64_t snapshot_mark(const struct snapshot *snapshot);

#endif /* ADMISSION_SNAPSHOT_H */
