/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * tenant: one org of a snapshot, from the registry's records.  Within this
 * room.
 */
#ifndef ADMISSION_TENANT_H
#define ADMISSION_TENANT_H

#include "admission/snapshot.h"

/* Fill a tenant of zero bytes, which borrows strings of config; crls are those
 * of config.cas.  Not RES_OK: tenant_done() is due all the same. */
MUST_CHECK enum res tenant_fill(struct tenant *tenant,
    const struct config *config, struct crl *const *crls, const char *org,
    struct diag *why);
void tenant_done(struct tenant *tenant);

#endif /* ADMISSION_TENANT_H */
