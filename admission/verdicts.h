/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * verdicts: what trust/ found of certificates, kept for when they come back.
 *
 * A table of fixed size; what was not asked for longest makes room.  A verdict
 * counts for one generation of the settings, one org, and a time: a clock
 * that goes back makes it count no more.  That a leaf has a chain to a CA is
 * true whatever the client sends along next time, so a good verdict needs no
 * chain; a bad one is about the chain that came with it.
 *
 * One thread.
 */
#ifndef ADMISSION_VERDICTS_H
#define ADMISSION_VERDICTS_H

#include "trust/trust.h"

#define VERDICTS_MAX      32768 /* certificates */
#define VERDICT_REFUSED_S 10    /* how long a refusal is kept */

struct verdict_key {
	uint64_t generation; /* of the settings */
	uint32_t tenant;     /* number of the org in them */
	uint8_t fingerprint[HASH_LEN];
	uint8_t chain[HASH_LEN]; /* chain_digest() of what came along */
};

struct verdicts;

/* NULL: no memory. */
struct verdicts *verdicts_new(void);
void verdicts_free(struct verdicts *verdicts);

/* Whether something is known that holds at now.  path may be NULL; *path is
 * the caller's, and NULL with a refusal. */
bool verdicts_find(struct verdicts *verdicts, const struct verdict_key *key,
    int64_t now, struct trust_finding *out, struct trust_path **path);

/* Keep what was found at now; path as trust_verify() gave it, of which a
 * reference is taken.  What was found for want of memory is not kept. */
void verdicts_keep(struct verdicts *verdicts, const struct verdict_key *key,
    int64_t now, const struct trust_finding *finding, struct trust_path *path);

#endif /* ADMISSION_VERDICTS_H */
