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

struct type_policy {
	struct device_type type;
	bool has_level, has_enrolment;
	bool is_declared; /* by "type set"; a rule alone declares nothing */
	enum level level;
	enum enrolment enrolment;
	struct id_rule id_rule;
};

struct policy {
	char org[NAME_MAX_LEN + 1];
	struct client_template client_template;
	enum level level;          /* of types without a rule */
	enum enrolment enrolment;  /* of types without a mode */
	bool types_declared;       /* types that are not declared are refused */
	struct type_policy *types; /* sorted by class, then name */
	size_t type_count;
};

/* Sort the types; call once after filling. */
void policy_sort(struct policy *policy);

/* NULL: nothing is said about this type. */
const struct type_policy *policy_type(
    const struct policy *policy, const struct device_type *type);

#endif /* POLICY_POLICY_H */
