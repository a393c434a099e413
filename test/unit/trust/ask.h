/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ask: trust_verify() as the tests of this room put it.
 */
#ifndef TEST_UNIT_TRUST_ASK_H
#define TEST_UNIT_TRUST_ASK_H

#include "test/support/mint.h"
#include "trust/trust.h"

#define EXTRA(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define DAY ((int64_t)86400)

extern const struct identity meter; /* d:meter:0001 */

/* What is asked: the leaf, the chain that came along, when, and of whom. */
struct ask {
	const struct minted *leaf;
	const struct minted *chain;
	size_t chain_len;
	int64_t now; /* 0: MINT_NOW */
	const struct identity *who;
};

struct leaf_case {
	const char *name;
	enum reason want;
	struct mint_options options;
};

struct trust_set *new_set(void);

/* scope: one pattern, NULL for any identity. */
void add(struct trust_set *set, const struct minted *ca, enum ca_state state,
    const char *scope);

struct trust_set *set_of(const struct minted *ca, enum ca_state state);

/* The finding; what every refusal has in common is asserted. */
struct trust_finding verify(const struct trust_set *set, struct ask ask);

bool is_ca(const struct trust_finding *found, const struct minted *ca);

void expect_at(int line, const struct trust_set *set, struct ask ask,
    enum reason want, const struct minted *ca);

/* The leaf, then what else is known: EXPECT(set, REASON_NONE, &ca, &leaf,
 * .now = 1).  ca is the one that must be told, NULL for none. */
#define EXPECT(set, want, ca, ...)                                             \
	expect_at(__LINE__, set, (struct ask){.leaf = __VA_ARGS__}, want, ca)

#endif /* TEST_UNIT_TRUST_ASK_H */
