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

#define GOOD (MINT_NOW + DAY)
#define LATE (MINT_NOW - DAY)

/* What the registry holds for a CA. */
struct setting {
	enum crl_policy policy;
	int64_t crl; /* its nextUpdate; 0: there is none */
	int64_t grace;
	bool lists; /* the certificate below */
	bool for_users;
	bool is_absent; /* the CA is not registered at all */
};

#define ABSENT                                                                 \
	{                                                                      \
		.is_absent = true                                              \
	}
#define OFF(...)                                                               \
	{                                                                      \
		.policy = CRL_OFF, __VA_ARGS__                                 \
	}
#define IF_PRESENT(...)                                                        \
	{                                                                      \
		.policy = CRL_IF_PRESENT, __VA_ARGS__                          \
	}
#define REQUIRED(...)                                                          \
	{                                                                      \
		.policy = CRL_REQUIRED, __VA_ARGS__                            \
	}

struct trust_set *new_set(void);

/* scope: one pattern, NULL for any identity. */
void add(struct trust_set *set, const struct minted *ca, enum ca_state state,
    const char *scope);

struct trust_set *set_of(const struct minted *ca, enum ca_state state);

/* With all that the registry may say. */
void add_terms(struct trust_set *set, const struct minted *ca,
    const struct ca_terms *terms);
void add_setting(struct trust_set *set, const struct minted *ca,
    enum ca_state state, const struct setting *setting,
    const struct minted *below);

/* A CRL as the registry gives it, whatever its dates; the caller drops it. */
struct crl *make_crl(const struct mint_crl_options *options);

/* The one that the setting tells of, about the certificate below; NULL: none.*/
struct crl *crl_by(const struct minted *ca, const struct setting *setting,
    const struct minted *below);

/* One that lists a certificate, or none if that is NULL. */
struct crl *crl_of(
    const struct minted *ca, int64_t next_update, const struct minted *listed);

/* The finding.  What every refusal has in common is asserted, and that a
 * second look says the same, and when it ceases to. */
struct trust_finding verify(const struct trust_set *set, struct ask ask);

/* The same, and the path; NULL with a refusal. */
struct trust_finding verify_path(
    const struct trust_set *set, struct ask ask, struct trust_path **path);

struct trust_finding recheck(const struct trust_set *set,
    const struct trust_path *path, const struct identity *who, int64_t now);

bool is_ca(const struct trust_finding *found, const struct minted *ca);

void expect_at(int line, const struct trust_set *set, struct ask ask,
    enum reason want, const struct minted *ca);

/* The leaf, then what else is known: EXPECT(set, REASON_NONE, &ca, &leaf,
 * .now = 1).  ca is the one that must be told, NULL for none. */
#define EXPECT(set, want, ca, ...)                                             \
	expect_at(__LINE__, set, (struct ask){.leaf = __VA_ARGS__}, want, ca)

#endif /* TEST_UNIT_TRUST_ASK_H */
