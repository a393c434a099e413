/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * levels: how devices connected last, against the level that they must meet.
 *
 * Figures come from the registry's tallies alone.  A device that has never
 * connected is neither compliant nor not; it is counted apart.
 */
#ifndef MANAGE_LEVELS_H
#define MANAGE_LEVELS_H

#include "common/json.h"
#include "manage/call.h"
#include "policy/decide.h"

#define DEFAULT_RULE     "default"
#define PERCENT_TEXT_MAX 7 /* 100.0% */
#define MISSING_TEXT_MAX 47

struct figures {
	int64_t devices;
	int64_t seen;      /* of these: they have connected */
	int64_t compliant; /* of those seen: as the level asks for */
};

void figures_add(
    struct figures *figures, enum level level, const struct tally *tally);

/* How many of n, rounded down, so that 100.0% is all; "" of none. */
void percent_format(int64_t some, int64_t n, char text[PERCENT_TEXT_MAX + 1]);

/* devices, connected, never_connected, compliant, compliance. */
void figures_json(struct json *object, const struct figures *figures);

/* A rule of an org, and what it holds for. */
struct rule_line {
	const char *who;  /* "default" or a type; lent by the configuration */
	const char *word; /* the level as it is stored */
	enum level level; /* of a word that is not known: the strictest */
	struct figures figures;
};

struct rule_lines {
	struct rule_line *items; /* heap; the default first, then as text */
	size_t count;
};

/* The rules of the call's org; figures are empty.  RES_NOMEM. */
MUST_CHECK enum res rule_lines_new(
    const struct call *call, struct rule_lines *out, struct diag *why);
void rule_lines_done(struct rule_lines *lines);

/* The rule that holds for a type; never NULL. */
struct rule_line *rule_lines_find(
    const struct rule_lines *lines, const struct device_type *type);

/* Fill in the figures.  As registry_tally(). */
MUST_CHECK enum res rule_lines_count(
    const struct call *call, struct rule_lines *lines, struct diag *why);

/* What a connection like this lacks: "TLS and a certificate"; "" if nothing. */
void missing_format(
    enum level level, unsigned seen_with, char text[MISSING_TEXT_MAX + 1]);
/* The same as an array: tls, certificate, token, certificate-or-token. */
struct json *missing_json(enum level level, unsigned seen_with);

#endif /* MANAGE_LEVELS_H */
