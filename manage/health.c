/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/health.h"

#include <stdio.h>
#include <string.h>

#include "manage/output.h"
#include "trust/crl.h"
#include "trust/trust.h"

#define DAYS_MAX 8 /* bytes of "90 days" */

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

void
ca_label(const struct ca_record *ca, char label[CA_LABEL_MAX + 1])
{
	if (ca->name[0] == '\0') {
		text_set(label, CA_LABEL_MAX + 1, ca->id);
	} else {
		(void)snprintf(
		    label, CA_LABEL_MAX + 1, "%s (%s)", ca->name, ca->id);
	}
}

void
org_option(const char *org, char text[ORG_OPTION_MAX + 1])
{
	text[0] = '\0';
	if (strcmp(org, ORG_DEFAULT) != 0) {
		(void)snprintf(text, ORG_OPTION_MAX + 1, " --org %s", org);
	}
}

const char *
ca_state_shown(const struct ca_record *ca, int64_t now, bool is_revoked)
{
	return is_revoked          ? "revoked"
	    : ca->not_after <= now ? "expired"
	                           : ca->state;
}

static void
days_format(int days, char text[DAYS_MAX + 1])
{
	(void)snprintf(
	    text, DAYS_MAX + 1, "%d day%s", days % 100, days == 1 ? "" : "s");
}

/* What all findings about one CA share. */
struct look {
	const struct ca_record *ca;
	int64_t now;
	char label[CA_LABEL_MAX + 1];
	char org[ORG_OPTION_MAX + 1];
	struct findings *findings;
};

static void
begin(const struct ca_record *ca, int64_t now, struct look *look)
{
	look->ca = ca;
	look->now = now;
	ca_label(ca, look->label);
	org_option(ca->org, look->org);
}

/* What keeps devices out is critical where there could be any. */
static struct finding
finding_of(const struct look *look, const char *kind, enum urgency urgency)
{
	bool active = strcmp(look->ca->state, ca_state_name(CA_ACTIVE)) == 0;

	return (struct finding){
	    .kind = kind,
	    .urgency = urgency == URGENT_NOW && !active ? URGENT_SOON : urgency,
	    .org = look->ca->org,
	    .ca = look->ca->id,
	    .when = CLOCK_FOREVER,
	};
}

static void
look_at_dates(const struct look *look)
{
	const struct ca_record *ca = look->ca;
	char time[TIME_MAX + 1], days[DAYS_MAX + 1];
	int stage = expiry_stage(ca->not_after, look->now);
	struct finding finding = stage < 0
	    ? finding_of(look, "ca-expired", URGENT_NOW)
	    : finding_of(look, "ca-expiring", URGENT_DATED);

	clock_format(ca->not_after, time);
	finding.when = ca->not_after;
	if (stage < 0) {
		findings_add(look->findings, &finding,
		    "the CA %s expired at %s: add its successor with certid ca "
		    "add FILE%s, then certid ca remove %s%s",
		    look->label, time, look->org, ca->id, look->org);
	} else if (stage > 0) {
		days_format(stage, days);
		findings_add(look->findings, &finding,
		    "the CA %s expires within %s, at %s: add its successor "
		    "before then, with certid ca add FILE%s",
		    look->label, days, time, look->org);
	}
}

/* What is to be done next for a CA that waits for its proof. */
static void
look_at_proof(const struct look *look)
{
	const struct ca_record *ca = look->ca;
	struct finding finding = finding_of(look, "ca-unproven", URGENT_LATER);
	char time[TIME_MAX + 1];

	if (strcmp(ca->state, ca_state_name(CA_UNPROVEN)) != 0) {
		return;
	}
	clock_format(ca->code_expires_at, time);
	if (ca->code[0] == '\0') {
		findings_add(look->findings, &finding,
		    "the CA %s waits for proof of possession and admits "
		    "nobody: begin with certid ca code %s%s",
		    look->label, ca->id, look->org);
	} else if (ca->code_expires_at <= look->now) {
		findings_add(look->findings, &finding,
		    "the CA %s waits for proof of possession and admits "
		    "nobody, and its registration code expired at %s: certid "
		    "ca code %s%s gives a new one",
		    look->label, time, ca->id, look->org);
	} else {
		findings_add(look->findings, &finding,
		    "the CA %s waits for proof of possession and admits "
		    "nobody: certid ca verify %s FILE%s ends that, until %s",
		    look->label, ca->id, look->org, time);
	}
}

/* What gets a newer list: an operator, or the broker where it can. */
static void
describe_renewal(const struct look *look, struct diag *out)
{
	const struct ca_record *ca = look->ca;

	if (ca->crl_url == NULL) {
		diag_set(out, "store a newer one with certid ca crl %s FILE%s",
		    ca->id, look->org);
	} else if (ca->crl_failure != NULL) {
		diag_set(out,
		    "see why it cannot be fetched, or store a newer one with "
		    "certid ca crl %s FILE%s",
		    ca->id, look->org);
	} else {
		diag_set(out,
		    "a running broker fetches the next one from its crl-url: "
		    "look whether the CA has published it, and whether a "
		    "broker runs");
	}
}

/* The sentence on a CRL that came to its end; the CA has one. */
static void
describe_end(const struct look *look, enum crl_health health, struct diag *out)
{
	char ended[TIME_MAX + 1], until[TIME_MAX + 1], grace[SPAN_TEXT_MAX + 1];
	const struct ca_record *ca = look->ca;
	struct diag renewal;

	clock_format(ca->crl.next_update, ended);
	clock_format(crl_grace_end(ca), until);
	span_format(ca->crl_grace, grace);
	describe_renewal(look, &renewal);
	if (health == CRL_GRACE) {
		diag_set(out,
		    "the CRL of the CA %s is stale since %s, and counts until "
		    "%s, for its grace of %s: %s",
		    look->label, ended, until, grace, renewal.text);
	} else {
		diag_set(out,
		    "the CRL of the CA %s is stale since %s, its grace of %s "
		    "is over, and under the policy %s the CA admits nobody: %s",
		    look->label, ended, grace, ca->crl_policy, renewal.text);
	}
}

/* The sentence on a CRL that keeps devices out, or is about to; false where
 * there is nothing to say. */
static bool
describe(const struct look *look, enum crl_health health, struct diag *out)
{
	switch (health) {
	case CRL_MISSING:
		diag_set(out,
		    "the CA %s requires a CRL and has none, so it admits "
		    "nobody: store one with certid ca crl %s FILE%s",
		    look->label, look->ca->id, look->org);
		return true;
	case CRL_STALE:
	case CRL_GRACE:
		describe_end(look, health, out);
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
	struct look look = {.findings = NULL};
	struct diag said;

	begin(ca, now, &look);
	if (describe(&look, health_of_crl(ca, now), &said)) {
		caution("%s", said.text);
	}
}

static void
look_at_next_update(const struct look *look)
{
	const struct ca_record *ca = look->ca;
	struct finding finding = finding_of(look, "crl-expiring", URGENT_DATED);
	char time[TIME_MAX + 1], days[DAYS_MAX + 1];
	int stage = ca_record_crl_stage(ca, look->now);
	struct diag renewal;

	if (stage > 0) {
		clock_format(ca->crl.next_update, time);
		days_format(stage, days);
		describe_renewal(look, &renewal);
		finding.when = ca->crl.next_update;
		findings_add(look->findings, &finding,
		    "the CRL of the CA %s expires within %s, at %s: %s",
		    look->label, days, time, renewal.text);
	}
}

static void
look_at_crl(const struct look *look)
{
	static const char *const kinds[] = {
	    [CRL_MISSING] = "crl-missing",
	    [CRL_STALE] = "crl-stale",
	    [CRL_GRACE] = "crl-grace",
	};
	enum crl_health health = health_of_crl(look->ca, look->now);
	struct finding finding;
	struct diag said;

	if (!describe(look, health, &said)) {
		if (health == CRL_FRESH) {
			look_at_next_update(look);
		}
		return;
	}
	finding = finding_of(look, kinds[health],
	    health == CRL_GRACE ? URGENT_DATED : URGENT_NOW);
	finding.when = health == CRL_MISSING ? CLOCK_FOREVER
	    : health == CRL_GRACE            ? crl_grace_end(look->ca)
	                                     : look->ca->crl.next_update;
	findings_add(look->findings, &finding, "%s", said.text);
}

static void
look_at_fetching(const struct look *look, int64_t failed_at)
{
	const struct ca_record *ca = look->ca;
	struct finding finding;
	char since[TIME_MAX + sizeof(" since ")] = "", time[TIME_MAX + 1];

	if (ca->crl_url == NULL || policy_of(ca) == CRL_OFF) {
		return;
	}
	if (ca->crl_failure != NULL) {
		if (failed_at != CLOCK_NONE) {
			clock_format(failed_at, time);
			(void)snprintf(since, sizeof(since), " since %s", time);
		}
		finding = finding_of(look, "crl-failed", URGENT_SOON);
		findings_add(look->findings, &finding,
		    "the CRL of the CA %s cannot be fetched%s: %s", look->label,
		    since, ca->crl_failure);
	} else if (!ca->crl.fetched) {
		finding = finding_of(look, "crl-unfetched", URGENT_LATER);
		findings_add(look->findings, &finding,
		    "the CRL of the CA %s has not been fetched from its "
		    "crl-url yet: a running broker does that",
		    look->label);
	}
}

void
health_look(const struct ca_record *ca, int64_t now, int64_t failed_at,
    struct findings *findings)
{
	struct look look = {.findings = findings};

	begin(ca, now, &look);
	look_at_dates(&look);
	look_at_proof(&look);
	look_at_crl(&look);
	look_at_fetching(&look, failed_at);
}
