/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * findings: what an operator should look after, the most urgent first, for
 * people and for programs.
 */
#ifndef MANAGE_FINDINGS_H
#define MANAGE_FINDINGS_H

#include "common/json.h"
#include "manage/call.h"

/* In the order in which they are told. */
enum urgency {
	URGENT_NOW = 0, /* it keeps devices out: critical */
	URGENT_SOON,    /* something fails */
	URGENT_DATED,   /* something ends, the first end first */
	URGENT_LATER,
};

struct finding {
	enum urgency urgency;
	const char *kind; /* a constant word: "ca-expired" */
	const char *org;  /* lent; NULL: it is about the registry */
	const char *ca;   /* lent; an id; NULL: it is about no CA */
	int64_t when;     /* the end that is told of; CLOCK_FOREVER: none */
	char text[DIAG_MAX + 1];
};

/* Without memory it remembers so, and findings_report() fails. */
struct findings {
	struct finding *items; /* heap */
	size_t count, room;
	bool failed;
};

/* finding is copied, text aside, which is made of format. */
void findings_add(struct findings *findings, const struct finding *finding,
    const char *format, ...) PRINTF_LIKE(3, 4);

/* One line each on stderr for people; into the arrays for programs: a sentence,
 * and {kind, org, ca, level, text}.  RES_NOMEM. */
MUST_CHECK enum res findings_report(struct findings *findings,
    const struct call *call, struct json *warnings, struct json *array);

/* Whether one is critical. */
bool findings_are_critical(const struct findings *findings);

void findings_done(struct findings *findings);

#endif /* MANAGE_FINDINGS_H */
