/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * health: what an operator should look after in a CA: what expires, what is
 * missing, what is out of date, and what that means for its devices.
 */
#ifndef MANAGE_HEALTH_H
#define MANAGE_HEALTH_H

#include "manage/findings.h"

#define CA_LABEL_MAX   (NAME_MAX_LEN + HASH_TEXT_MAX + 3)
#define ORG_OPTION_MAX (NAME_MAX_LEN + 7)

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

/* "NAME (ID)", or the id of one without a name. */
void ca_label(const struct ca_record *ca, char label[CA_LABEL_MAX + 1]);

/* What the commands of a sentence need to be about this org: " --org ORG"; ""
 * for the org default. */
void org_option(const char *org, char text[ORG_OPTION_MAX + 1]);

/* "active", "expired" for a CA whose dates are over, or "revoked". */
const char *ca_state_shown(
    const struct ca_record *ca, int64_t now, bool is_revoked);

/* Everything to look after in a CA, at now.  failed_at is when fetching its
 * CRL began to fail as it does; CLOCK_NONE: not known.  What keeps the devices
 * of an active CA out is critical. */
void health_look(const struct ca_record *ca, int64_t now, int64_t failed_at,
    struct findings *findings);

/* A caution where, as things are, the CA's CRL keeps devices out or will soon
 * do so. */
void health_caution(const struct ca_record *ca, int64_t now);

#endif /* MANAGE_HEALTH_H */
