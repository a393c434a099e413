/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * hook_health: how the delivery to the receivers of events does, and what an
 * operator should look after in it.
 */
#ifndef MANAGE_HOOK_HEALTH_H
#define MANAGE_HOOK_HEALTH_H

#include "manage/findings.h"

#define HOOK_LABEL_MAX   (HOOK_ID_LEN + 170)
#define HOOK_FAILING_MAX 3600   /* seconds that one may fail unnoticed */
#define HOOK_BACKLOG_MAX 100000 /* events that are counted */

/* "ID (URL)", the URL without its query, which may hold a password. */
void hook_label(const struct hook_record *hook, char label[HOOK_LABEL_MAX + 1]);

/* How many events wait for the hook, HOOK_BACKLOG_MAX at most. */
MUST_CHECK enum res hook_backlog(const struct call *call,
    const struct hook_record *hook, int64_t *out, struct diag *why);

/* What there is to look after in the hooks of an org; and an array of {hook,
 * url, backlog, delivered, dropped, failing_since, failure}. */
MUST_CHECK enum res hook_survey(const struct call *call, const char *org,
    struct findings *findings, struct json *array, struct diag *why);

#endif /* MANAGE_HOOK_HEALTH_H */
