/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "admission/facts.h"

#include <string.h>

/* policy/ does not know the registry, and names the bits itself. */
_Static_assert(SEEN_TLS == 1 && SEEN_CERT == 2 && SEEN_TOKEN == 4,
    "level_is_met() takes what the registry stores");

void
facts_follow(const struct tenant *tenant, struct trust_path *known,
    const struct leaf *leaf, const struct chain *chain,
    const struct identity *who, int64_t now, struct trust_finding *out,
    struct trust_path **path)
{
	trust_recheck(tenant->trust, known, who, now, out);
	if (out->reason == REASON_CA_UNKNOWN && leaf != NULL) {
		trust_verify(tenant->trust, leaf, chain, who, now, out, path);
	}
}

void
facts_take_ca(struct facts *facts, const struct ca_record *ca)
{
	if (ca != NULL && ca->enrol[0] != '\0') {
		facts->has_ca_enrolment = true;
		/* A word that does not parse leaves the strictest mode. */
		(void)enrolment_parse(ca->enrol, &facts->ca_enrolment);
	}
}

void
facts_look_up(struct facts *facts, const struct source *source, const char *org,
    struct device *device, struct answer *out)
{
	bool case_clash = false;
	enum res r;

	memset(device, 0, sizeof(*device));
	r = source->find(
	    source->context, org, &facts->who, device, &case_clash);
	facts->sight = admission_sight(r, device, case_clash);
	if (r != RES_OK) {
		memset(device, 0, sizeof(*device));
		return;
	}
	facts->locked = device->locked;
	facts->window_ends_at = device->window_ends_at;
	facts->pins = device->pins;
	out->was_known = true;
	out->pins_before = device->pins;
	out->device_token = device->token;
	out->has_gateway = device->has_gateway;
	out->gateway = device->gateway;
}

static bool
count(const struct source *source, const char *org,
    const struct device_type *type, int64_t *out)
{
	return source->count != NULL &&
	    source->count(source->context, org, type, out) == RES_OK;
}

void
facts_count(struct facts *facts, const struct source *source,
    const struct policy *policy, const struct ca_record *ca)
{
	const struct device_type *type = &facts->who.type;
	const struct type_policy *said = policy_type(policy, type);

	if (facts->sight != SIGHT_FIRST) {
		return;
	}
	facts->counted = policy_counts(policy, type) &&
	    (policy->max_devices == 0 ||
	        count(source, policy->org, NULL, &facts->org_devices)) &&
	    (said == NULL || said->max_devices == 0 ||
	        count(source, policy->org, type, &facts->type_devices));
	facts->within_rate = ca == NULL || ca->rate == 0 ||
	    source->within_rate == NULL ||
	    source->within_rate(source->context, policy->org, ca);
}

bool
facts_need_token(const struct facts *facts, enum level level)
{
	return !facts->has_certificate ||
	    !level_is_met(level, SEEN_TLS | SEEN_CERT);
}

int64_t
facts_earlier(int64_t a, int64_t b)
{
	if (a == CLOCK_NONE || b == CLOCK_NONE) {
		return a == CLOCK_NONE ? b : a;
	}
	return a < b ? a : b;
}
