/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "ctl/health.h"

#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "trust/crl.h"
#include "trust/trust.h"

#define DAYS_MAX 8 /* bytes of "90 days" */

static bool
is_renewed(const struct ca_record *ca)
{
	return ca->crl.fetched && ca->crl_url != NULL;
}

static enum crl_policy
policy_of(const struct ca_record *ca)
{
	enum crl_policy policy;

	return crl_policy_parse(ca->crl_policy, &policy) ? policy
	                                                 : CRL_REQUIRED;
}

int64_t
crl_grace_end(const struct ca_record *ca)
{
	int64_t end = ca->crl.next_update, grace = ca->crl_grace;

	if (grace < 0) {
		return end;
	}
	return end > CLOCK_FOREVER - grace ? CLOCK_FOREVER : end + grace;
}

enum crl_health
health_of_crl(const struct ca_record *ca, int64_t now)
{
	enum crl_policy policy = policy_of(ca);

	if (policy == CRL_OFF) {
		return CRL_UNASKED;
	}
	if (ca->crl.der == NULL) {
		return policy == CRL_REQUIRED ? CRL_MISSING : CRL_UNASKED;
	}
	if (now < ca->crl.next_update) {
		return CRL_FRESH;
	}
	return now < crl_grace_end(ca) ? CRL_GRACE : CRL_STALE;
}

static const char *const names[] = {
    [CRL_MISSING] = "missing",
    [CRL_STALE] = "stale",
    [CRL_GRACE] = "grace",
    [CRL_FRESH] = "fresh",
    [CRL_UNASKED] = "",
};

const char *
crl_health_name(enum crl_health health)
{
	return (size_t)health < sizeof(names) / sizeof(names[0]) ? names[health]
	                                                         : "";
}

static void
days_format(int days, char text[DAYS_MAX + 1])
{
	(void)snprintf(
	    text, DAYS_MAX + 1, "%d day%s", days % 100, days == 1 ? "" : "s");
}

static void
look_at_dates(
    const struct call *call, const struct ca_record *ca, struct json *warnings)
{
	char time[TIME_MAX + 1], days[DAYS_MAX + 1];
	int stage = expiry_stage(ca->not_after, call->now);

	clock_format(ca->not_after, time);
	if (stage < 0) {
		warn(call, warnings, "org %s: the CA %s expired at %s", ca->org,
		    ca->id, time);
	} else if (stage > 0) {
		days_format(stage, days);
		warn(call, warnings,
		    "org %s: the CA %s expires within %s, at %s", ca->org,
		    ca->id, days, time);
	}
}

/* What is to be done next for a CA that waits for its proof. */
static void
look_at_proof(
    const struct call *call, const struct ca_record *ca, struct json *warnings)
{
	char time[TIME_MAX + 1];

	if (strcmp(ca->state, ca_state_name(CA_UNPROVEN)) != 0) {
		return;
	}
	clock_format(ca->code_expires_at, time);
	if (ca->code[0] == '\0') {
		warn(call, warnings,
		    "org %s: the CA %s waits for proof of possession and "
		    "admits nobody: begin with certid ca code %s",
		    ca->org, ca->id, ca->id);
	} else if (ca->code_expires_at <= call->now) {
		warn(call, warnings,
		    "org %s: the CA %s waits for proof of possession and "
		    "admits nobody, and its registration code expired at %s: "
		    "certid ca code %s gives a new one",
		    ca->org, ca->id, time, ca->id);
	} else {
		warn(call, warnings,
		    "org %s: the CA %s waits for proof of possession and "
		    "admits nobody: certid ca verify %s FILE ends that, until "
		    "%s",
		    ca->org, ca->id, ca->id, time);
	}
}

/* The sentence on a CRL that came to its end; ca has one. */
static void
describe_end(
    const struct ca_record *ca, enum crl_health health, struct diag *out)
{
	char ended[TIME_MAX + 1], until[TIME_MAX + 1], grace[SPAN_TEXT_MAX + 1];

	clock_format(ca->crl.next_update, ended);
	clock_format(crl_grace_end(ca), until);
	span_format(ca->crl_grace, grace);
	if (health == CRL_GRACE) {
		diag_set(out,
		    "the CRL of the CA %s is stale since %s, and counts until "
		    "%s, for its grace of %s: store a newer one with certid ca "
		    "crl %s FILE",
		    ca->id, ended, until, grace, ca->id);
	} else {
		diag_set(out,
		    "the CRL of the CA %s is stale since %s, its grace of %s "
		    "is over, and under the policy %s the CA admits nobody: "
		    "store a newer one with certid ca crl %s FILE",
		    ca->id, ended, grace, ca->crl_policy, ca->id);
	}
}

/* The sentence on a CRL that keeps devices out, or is about to; false where
 * there is nothing to say. */
static bool
describe(const struct ca_record *ca, int64_t now, struct diag *out)
{
	enum crl_health health = health_of_crl(ca, now);

	switch (health) {
	case CRL_MISSING:
		diag_set(out,
		    "the CA %s requires a CRL and has none, so it admits "
		    "nobody: store one with certid ca crl %s FILE",
		    ca->id, ca->id);
		return true;
	case CRL_STALE:
	case CRL_GRACE:
		describe_end(ca, health, out);
		return true;
	case CRL_FRESH:
	case CRL_UNASKED:
		break;
	}
	return false;
}

void
health_caution(const struct ca_record *ca, int64_t now)
{
	struct diag said;

	if (describe(ca, now, &said)) {
		caution("%s", said.text);
	}
}

/* One that is fetched comes anew long before its end, if all is well. */
static int
stage_of(const struct ca_record *ca, int64_t now)
{
	const struct crl_record *crl = &ca->crl;

	if (!is_renewed(ca)) {
		return expiry_stage(crl->next_update, now);
	}
	return expiry_is_near(crl->this_update, crl->next_update, now)
	    ? expiry_stage_renewed(crl->next_update, now)
	    : 0;
}

static void
look_at_next_update(
    const struct call *call, const struct ca_record *ca, struct json *warnings)
{
	char time[TIME_MAX + 1], days[DAYS_MAX + 1];
	int stage = stage_of(ca, call->now);

	if (stage > 0) {
		clock_format(ca->crl.next_update, time);
		days_format(stage, days);
		warn(call, warnings,
		    "org %s: the CRL of the CA %s expires within %s, at %s: "
		    "store a newer one with certid ca crl %s FILE",
		    ca->org, ca->id, days, time, ca->id);
	}
}

static void
look_at_fetching(
    const struct call *call, const struct ca_record *ca, struct json *warnings)
{
	struct diag said;

	if (ca->crl_url == NULL || policy_of(ca) == CRL_OFF) {
		return;
	}
	if (ca->crl_failure != NULL) {
		/* It may hold what a server said. */
		diag_set(&said, "%s", ca->crl_failure);
		warn(call, warnings,
		    "org %s: the CRL of the CA %s cannot be fetched: %s",
		    ca->org, ca->id, said.text);
	} else if (!ca->crl.fetched) {
		warn(call, warnings,
		    "org %s: the CRL of the CA %s has not been fetched from "
		    "its crl-url yet: a running broker does that",
		    ca->org, ca->id);
	}
}

void
health_warn(
    const struct call *call, const struct ca_record *ca, struct json *warnings)
{
	enum crl_health health = health_of_crl(ca, call->now);
	struct diag said;

	look_at_dates(call, ca, warnings);
	look_at_proof(call, ca, warnings);
	if (health == CRL_FRESH) {
		look_at_next_update(call, ca, warnings);
	} else if (describe(ca, call->now, &said)) {
		warn(call, warnings, "org %s: %s", ca->org, said.text);
	}
	look_at_fetching(call, ca, warnings);
}
