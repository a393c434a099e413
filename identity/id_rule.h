/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * id_rule: the identity format that a device type prescribes for its ids.
 */
#ifndef IDENTITY_ID_RULE_H
#define IDENTITY_ID_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "identity/identity.h"

enum id_kind {
	ID_ANY = 0,
	ID_DECIMAL,
	ID_HEX,
	ID_MAC,       /* 12 hex digits */
	ID_MAC_COLON, /* aa:bb:cc:dd:ee:ff */
	ID_MAC_DASH,  /* aa-bb-cc-dd-ee-ff */
	ID_UUID4,     /* RFC 4122, 4.4, lower or upper case hex */
};

/* All zero bytes is the rule of a type that has none: any id without ':'. */
struct id_rule {
	enum id_kind kind;
	uint8_t length; /* of the id without the prefix; 0: any */
	char prefix[IDENTITY_ID_MAX + 1];
};

/* "any", "decimal", "hex", "mac", "mac-colon", "mac-dash", "uuid4". */
const char *id_kind_name(enum id_kind kind);
bool id_kind_parse(const char *name, enum id_kind *out);

/* Whether an id may hold ':' under this rule: only in a colon-separated MAC
 * address.  Where it may not, a ':' is a fault of syntax, not of format. */
bool id_rule_admits_colon(const struct id_rule *rule);

/* Whether id follows the rule.  False: *why is a constant sentence. */
bool id_rule_check(
    const struct id_rule *rule, const char *id, const char **why);

/* Whether there is an id that follows the rule and fits: a length that the
 * kind can have, a prefix that it may begin with.  False: *why is a constant
 * sentence. */
bool id_rule_is_possible(const struct id_rule *rule, const char **why);

/* What the rule demands, for a person: "decimal, 4 characters after M-". */
#define ID_RULE_TEXT_MAX (IDENTITY_ID_MAX + 47)
void id_rule_format(
    const struct id_rule *rule, char text[ID_RULE_TEXT_MAX + 1]);

#endif /* IDENTITY_ID_RULE_H */
