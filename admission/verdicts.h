/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * verdicts: what trust/ found of certificates, kept for when they come back.
 *
 * A table of fixed size; what was not asked for longest makes room.  A verdict
 * counts for one generation of the settings, one org, and a time: a clock
 * that goes back makes it count no more.  It is about a leaf with the chain
 * that came with it, for what a client gets must not depend on what it sent
 * last time.  Only a good one may be asked for without the chain, by who has
 * lost it; and where the leaf was good all by itself no chain matters.  A
 * verdict out of a CA's scope is no good one, and takes no good one's place:
 * anybody can send another's certificate with a chain of his own.
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
	bool any_chain;          /* ask for a good one, whatever came along */
};

struct verdicts;

/* NULL: no memory. */
struct verdicts *verdicts_new(void);
void verdicts_free(struct verdicts *verdicts);

/* How often verdicts_find() was asked, and found something. */
struct verdicts_use {
	uint64_t asked, found;
};
struct verdicts_use verdicts_use(const struct verdicts *verdicts);

/* Whether something is known that holds at now.  path may be NULL; *path is
 * the caller's, and NULL with a refusal. */
bool verdicts_find(struct verdicts *verdicts, const struct verdict_key *key,
    int64_t now, struct trust_finding *out, struct trust_path **path);

/* Keep what was found at now; path as trust_verify() gave it, of which a
 * reference is taken.  What was found for want of memory is not kept. */
void verdicts_keep(struct verdicts *verdicts, const struct verdict_key *key,
    int64_t now, const struct trust_finding *finding, struct trust_path *path);

#endif /* ADMISSION_VERDICTS_H */
