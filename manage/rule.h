/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule: rules as tables and as JSON, and what a change of one would do.
 */
#ifndef MANAGE_RULE_H
#define MANAGE_RULE_H

#include "manage/output.h"
#include "manage/violators.h"

struct json *rule_json(const struct rule_line *line);

/* A row a rule, with its figures. */
struct table *rule_table_new(void);
void rule_table_add(struct table *table, const struct rule_line *line);

/* identity, last_seen_at, seen_with, missing. */
struct json *violator_json(const struct violator *violator);

/* Print what setting the rule who ("default" or a type) to a level would do.
 * Only reads.  An exit code. */
int rule_preview(const struct call *call, const char *who, enum level level);
/* The same of taking the rule of the type who back, so that the default holds;
 * EXIT_NOT_FOUND where it has none. */
int rule_preview_unset(const struct call *call, const char *who);

#endif /* MANAGE_RULE_H */
