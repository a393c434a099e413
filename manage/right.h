/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * right: what an admin over MQTT may do.
 *
 * One of the org default may do whatever is not for the machine itself.  One of
 * another org works on that org alone, and the table in right.c says what of it
 * is not his to decide, because it reaches beyond the org.
 */
#ifndef MANAGE_RIGHT_H
#define MANAGE_RIGHT_H

#include "manage/execute.h"
#include "manage/request.h"

/* Whether he is one of an org other than default. */
bool right_is_tenant(const struct admin *admin);

/* Whether he may run the command, by its words; then *org is what it is to work
 * on, NULL: what the command line would choose.  RES_REFUSED.  Looks at no
 * registry: an org that is not there is not noticed. */
MUST_CHECK enum res right_check(const struct admin *admin,
    const struct request *request, const char **org, struct diag *why);

/* Whether he is an admin still: by what call has loaded, and, if his name is an
 * identity, by his device, which must be there and not locked.  RES_REFUSED: he
 * is none; else as registry_get(). */
MUST_CHECK enum res right_stands(
    const struct admin *admin, const struct call *call, struct diag *why);

#endif /* MANAGE_RIGHT_H */
