/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * health: what an operator should look after in a CA: what expires, what is
 * missing, what is out of date, and what that means for its devices.
 */
#ifndef CTL_HEALTH_H
#define CTL_HEALTH_H

#include "common/json.h"
#include "ctl/call.h"

/* How a CA's CRL does, as its policy sees it. */
enum crl_health {
	CRL_MISSING = 0, /* it is required: the CA admits nobody */
	CRL_STALE,       /* past nextUpdate and grace: the same */
	CRL_GRACE,       /* past nextUpdate, but still taken */
	CRL_FRESH,
	CRL_UNASKED, /* none is looked at, or there need not be one */
};

/* A policy that is not known is the strictest. */
enum crl_health health_of_crl(const struct ca_record *ca, int64_t now);

/* "missing", "stale", "grace", "fresh", or "". */
const char *crl_health_name(enum crl_health health);

/* The end of a CRL's grace; CLOCK_FOREVER where it is beyond every time. */
int64_t crl_grace_end(const struct ca_record *ca);

/* Every warning about a CA, at call->now. */
void health_warn(
    const struct call *call, const struct ca_record *ca, struct json *warnings);

/* A caution where, as things are, the CA's CRL keeps devices out or will soon
 * do so. */
void health_caution(const struct ca_record *ca, int64_t now);

#endif /* CTL_HEALTH_H */
