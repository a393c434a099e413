/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * revoked: which registered CAs other registered CAs have revoked.
 *
 * It borrows from the configuration that it was made of, and reads every CRL
 * in it: for the commands that show CAs, not for all.
 */
#ifndef MANAGE_REVOKED_H
#define MANAGE_REVOKED_H

#include "common/diag.h"
#include "registry/records.h"

struct revoked;

/* RES_CORRUPT: a CA or CRL does not read back; RES_NOMEM. */
MUST_CHECK enum res revoked_new(
    const struct config *config, struct revoked **out, struct diag *why);
void revoked_free(struct revoked *revoked); /* NULL is allowed */

/* Whether the CA, one of the configuration, is revoked; revoked may be NULL:
 * then nobody is.  Where out is not NULL, it says by whom. */
bool revoked_has(const struct revoked *revoked, const struct ca_record *ca,
    struct diag *out);

#endif /* MANAGE_REVOKED_H */
