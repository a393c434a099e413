/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* A session that was admitted before: would it be admitted now? */
#include <string.h>

#include "admission/facts.h"

/* The certificate's side: has its CA, or another one, still a word for it,
 * and until when? */
static void
read_trust(const struct tenant *tenant, const struct standing *standing,
    struct facts *facts, struct answer *out)
{
	struct trust_finding finding = {0};

	facts->has_certificate = (standing->seen_with & SEEN_CERT) != 0;
	if (facts->has_certificate && standing->path != NULL) {
		facts_follow(tenant, standing->path, standing->leaf,
		    standing->chain, standing->who, standing->now, &finding,
		    &out->path);
	}
	facts->certificate = finding.reason; /* zero refuses */
	facts->in_scope = finding.in_scope;
	facts->presented = standing->presented;
	out->has_ca = finding.has_ca;
	memcpy(out->ca, finding.ca, HASH_LEN);
	if (finding.reason == REASON_NONE) {
		out->valid_until = finding.valid_until;
		facts->presented.has_ca = finding.has_ca;
		memcpy(facts->presented.ca, finding.ca, HASH_LEN);
	}
	out->presented = facts->presented;
}

static void
read_token(
    const struct standing *standing, struct facts *facts, struct answer *out)
{
	if (!standing->token.is_set) {
		return;
	}
	facts->token = TOKEN_WRONG;
	if (!token_hash_equal(&standing->token, &standing->device_token)) {
		facts->token_detail = "the device's token is another one now";
	} else if (standing->now >= standing->token.expires_at) {
		facts->token_detail = "the token has expired";
	} else {
		facts->token = TOKEN_RIGHT;
		out->token = standing->token;
	}
}

/* A session from disk only receives.  How it was admitted nobody knows. */
static void
assume(struct facts *facts, struct answer *out)
{
	facts->has_certificate = true;
	facts->certificate = REASON_NONE;
	facts->in_scope = true;
	facts->tls = true;
	facts->token = TOKEN_RIGHT;
	facts->pins_unknowable = true;
	out->valid_until = CLOCK_FOREVER;
}

void
admission_review(const struct snapshot *snapshot, const char *org,
    const struct standing *standing, struct answer *out)
{
	const struct tenant *tenant = snapshot_tenant(snapshot, org);
	struct facts facts = {0};

	memset(out, 0, sizeof(*out));
	out->valid_until = CLOCK_NONE;
	out->has_identity = true;
	out->who = *standing->who;
	out->seen_with = standing->seen_with;
	out->was_known = standing->sight == SIGHT_KNOWN;
	out->pins_before = standing->pins;
	if (tenant == NULL) {
		out->verdict.reason = REASON_CA_UNKNOWN; /* went with its org */
		return;
	}
	facts.names_device = true;
	facts.client_id = standing->client_id;
	facts.tls = (standing->seen_with & SEEN_TLS) != 0;
	facts.identity = REASON_NONE;
	facts.who = *standing->who;
	facts.locked = standing->locked;
	facts.pins = standing->pins;
	facts.now = standing->now;
	facts.clock_is_set = true;
	/* Nothing is written in a review but a first certificate, and a device
	 * that is not provisioned any more is none. */
	facts.can_record = true;
	facts.is_again = true;
	facts.sight =
	    standing->sight == SIGHT_ALLOWED ? SIGHT_FIRST : standing->sight;
	facts.has_ca_enrolment = true;
	facts.ca_enrolment = ENROL_LISTED;
	if (standing->is_restored) {
		assume(&facts, out);
	} else {
		read_trust(tenant, standing, &facts, out);
		read_token(standing, &facts, out);
	}
	policy_decide(&tenant->policy, &facts, &out->verdict, NULL);
	if (out->verdict.action != ACTION_PINS) {
		out->verdict.action = ACTION_NONE;
		out->verdict.pins = standing->pins;
	}
	if (out->token.is_set && facts_need_token(&facts, out->verdict.level)) {
		out->valid_until =
		    facts_earlier(out->valid_until, out->token.expires_at);
	}
	if (out->verdict.reason == REASON_TOKEN_WRONG) {
		out->detail = facts.token_detail;
	}
}
