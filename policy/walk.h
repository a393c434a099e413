/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * walk: one walk through the steps of a decision.  Within this room.
 *
 * Each step looks at the facts and answers with walk_pass(), walk_skip() or
 * walk_fail(); only the last one can admit.
 */
#ifndef POLICY_WALK_H
#define POLICY_WALK_H

#include "policy/decide.h"

struct walk {
	const struct policy *policy;
	const struct facts *facts;
	const struct type_policy *type; /* NULL: nothing is said about it */
	struct verdict *verdict;
	struct step *step;  /* NULL: nobody wants a trace */
	bool is_behind;     /* a gateway publishes for it */
	const char *pinned; /* what was found of its certificate, or NULL */
	char name[IDENTITY_TEXT_MAX + 1];
};

enum step_result walk_pass(struct walk *walk, const char *format, ...)
    PRINTF_LIKE(2, 3);
enum step_result walk_skip(struct walk *walk, const char *format, ...)
    PRINTF_LIKE(2, 3);
enum step_result walk_fail(struct walk *walk, enum reason reason,
    const char *format, ...) PRINTF_LIKE(3, 4);

/* Fail with what another room found; NULL detail: the reason's own words. */
enum step_result walk_fail_found(
    struct walk *walk, enum reason reason, const char *detail);

/* The identity format of a type of which nothing is said. */
const struct id_rule *walk_id_rule(const struct walk *walk);

/* The last two steps. */
enum step_result walk_device(struct walk *walk);
enum step_result walk_registry(struct walk *walk);

#endif /* POLICY_WALK_H */
