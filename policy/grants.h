/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * grants: what one admitted client may publish and subscribe to.
 *
 * Topic rules are written for many: who (a class, a type, or all), access, a
 * filter with the words {class} {type} {id} {org}.  At admission the rules
 * that concern the identity are filled in once, as grants.
 */
#ifndef POLICY_GRANTS_H
#define POLICY_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"
#include "identity/identity.h"

enum access {
	ACCESS_NONE = 0,
	ACCESS_PUBLISH = 1,
	ACCESS_SUBSCRIBE = 2,
	ACCESS_BOTH = 3,
};

/* "publish", "subscribe", "both". */
const char *access_name(enum access access);
bool access_parse(const char *name, enum access *out);

/* Strings are borrowed. */
struct topic_rule {
	const char *who; /* "all", "d", "g" or "d:meter" */
	enum access access;
	const char *filter;
};

#define TOPIC_RULES_MAX 256 /* an org */

/* Whether a rule may be written down.  Refused: $share, $CONTROL, publish on
 * $-topics, unknown {words}, {type} and {id} with nothing in between that tells
 * them apart, filters that are not valid. */
MUST_CHECK enum res topic_rule_check(
    const struct topic_rule *rule, struct diag *why);

/* Whether the rule is written for such an identity. */
bool topic_rule_concerns(
    const struct topic_rule *rule, const struct identity *who);

struct grants; /* immutable; any thread */

/* RES_NOMEM, RES_LIMIT (a filled-in filter beyond TOPIC_MAX), or what
 * topic_rule_check() says to one of the rules: then nobody gets grants. */
MUST_CHECK enum res grants_new(const struct topic_rule *rules, size_t n,
    const char *org, const struct identity *who, struct grants **out);
void grants_free(struct grants *grants);

/* NULL grants grant nothing.  No allocation.  A delivery passes with a grant
 * to subscribe.  Nothing under $CONTROL, and no publish on a $-topic. */
bool grants_allow_publish(const struct grants *grants, const char *topic);
bool grants_allow_delivery(const struct grants *grants, const char *topic);
bool grants_allow_subscribe(const struct grants *grants, const char *filter);

#endif /* POLICY_GRANTS_H */
