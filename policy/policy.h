/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy: what an org demands of its clients.  Levels, enrolment, types.
 *
 * A struct policy is built from the registry by admission/snapshot.c, then
 * only read, by any thread.  Zero bytes are the strictest settings.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/text.h"
#include "identity/id_rule.h"
#include "policy/cidr.h"
#include "policy/client_template.h"

enum level {
	LEVEL_CERT_TOKEN = 0, /* TLS, a certificate and a token */
	LEVEL_CERT,           /* TLS and a certificate */
	LEVEL_TOKEN,          /* TLS and a token */
	LEVEL_CERT_OR_TOKEN,  /* TLS and either */
	LEVEL_TLS_OPTIONAL,   /* either, over TLS or not */
};

/* "cert+token", "cert", "token", "cert-or-token", "tls-optional". */
const char *level_name(enum level level);
bool level_parse(const char *name, enum level *out);

/* Smaller is stricter: a CA narrows its type's mode, never widens it. */
enum enrolment {
	ENROL_LISTED = 0,
	ENROL_APPROVE,
	ENROL_AUTO,
};

/* "listed", "approve", "auto". */
const char *enrolment_name(enum enrolment mode);
bool enrolment_parse(const char *name, enum enrolment *out);

/* Which certificates a device is held to; see pins.h. */
enum pin_mode {
	PIN_LISTED = 0, /* those that an operator listed */
	PIN_FIRST,      /* the first one that is seen */
	PIN_NONE,       /* any, but where an operator listed some */
};

/* "listed", "first", "none". */
const char *pin_mode_name(enum pin_mode mode);
bool pin_mode_parse(const char *name, enum pin_mode *out);

enum rotation {
	ROTATE_NONE = 0,
	ROTATE_SAME_KEY,
	ROTATE_SAME_CA,
	ROTATE_APPROVE,
};

/* "none", "same-key", "same-ca", "approve". */
const char *rotation_name(enum rotation rotation);
bool rotation_parse(const char *name, enum rotation *out);

#define OVERLAP_DEFAULT ((int64_t)7 * 86400) /* seconds */

struct type_policy {
	struct device_type type;
	bool has_level, has_enrolment;
	bool is_declared; /* by "type set"; a rule alone declares nothing */
	enum level level;
	enum enrolment enrolment;
	struct id_rule id_rule;
	enum pin_mode pin; /* "type set" says none where nothing is said */
	enum rotation rotation;
	int64_t overlap;     /* seconds that an old slot outlives a new one */
	int64_t max_devices; /* 0: no limit */
	bool has_addresses;  /* new identities come from these alone */
	struct cidr *addresses;
	size_t address_count;
	bool privileged; /* its gateways register devices */
};

struct policy {
	char org[NAME_MAX_LEN + 1];
	struct client_template client_template;
	enum level level;          /* of types without a rule */
	enum enrolment enrolment;  /* of types without a mode */
	int64_t max_devices;       /* 0: no limit */
	bool types_declared;       /* types that are not declared are refused */
	struct type_policy *types; /* sorted by class, then name */
	size_t type_count;
};

/* Sort the types; call once after filling. */
void policy_sort(struct policy *policy);

/* NULL: nothing is said about this type. */
const struct type_policy *policy_type(
    const struct policy *policy, const struct device_type *type);

/*
 * The words that a client id template and a topic rule may hold: {class}
 * {org} {type} {id}.  No filled-in word is empty or holds '/', '+', '#' or
 * '$', nor does any but {id} hold ':'.
 */
enum word {
	WORD_CLASS = 1,
	WORD_ORG = 2,
	WORD_TYPE = 4,
	WORD_ID = 8,
};

/* The word that text begins with, and its length in *len; 0: none. */
unsigned policy_word(const char *text, size_t *len);

/* RES_SYNTAX: a brace that is not part of a known word; why names it. */
MUST_CHECK enum res policy_check_words(const char *text, struct diag *why);

/* Whether a byte can stand in no type, and so tells where one ends. */
bool policy_ends_type(char byte);

/* Write text with its words filled in, and a NUL, into to[size].  False, and
 * to is empty: they do not fit. */
MUST_CHECK bool policy_fill(const char *text, const char *org,
    const struct identity *who, char *to, size_t size);

#endif /* POLICY_POLICY_H */
