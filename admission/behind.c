/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Devices that a gateway publishes for and that were not seen before. */
#include <string.h>

#include "admission/facts.h"

static bool
is_privileged(const struct tenant *tenant, const struct identity *gateway)
{
	const struct type_policy *type =
	    policy_type(&tenant->policy, &gateway->type);

	return gateway->type.class == 'g' && type != NULL && type->privileged;
}

/* What an operator has to settle first: NULL, or a constant sentence. */
static const char *
find_objection(const struct device *device, const struct identity *gateway)
{
	if (device->has_gateway) {
		if (!identity_equal(&device->gateway, gateway)) {
			return "it is attached to another gateway";
		}
	} else if (device->state == DEVICE_PROVISIONED) {
		return "it is provisioned, and attached to no gateway";
	}
	return device->state == DEVICE_PENDING ? "it waits for approval" : NULL;
}

static void
refuse(struct answer *out, const char *detail)
{
	out->verdict.reason = REASON_DEVICE_UNLISTED;
	out->detail = detail;
}

/* The CA of the gateway, whose mode and rate hold; false: it is gone. */
static bool
read_ca(const struct snapshot *snapshot, const char *org,
    const struct behind *behind, struct facts *facts, struct answer *out,
    const struct ca_record **ca)
{
	*ca = NULL;
	if (behind->ca == NULL) {
		return true;
	}
	out->has_ca = true;
	memcpy(out->ca, behind->ca, HASH_LEN);
	*ca = snapshot_ca(snapshot, org, behind->ca);
	facts_take_ca(facts, *ca);
	return *ca != NULL;
}

static void
decide(const struct snapshot *snapshot, const struct tenant *tenant,
    const struct behind *behind, const struct source *source,
    struct facts *facts, struct answer *out)
{
	const char *org = tenant->policy.org, *objection = NULL;
	const struct ca_record *ca;
	struct device device;

	if (!read_ca(snapshot, org, behind, facts, out, &ca)) {
		out->verdict.reason = REASON_CA_UNKNOWN;
		return;
	}
	facts_look_up(facts, source, org, &device, out);
	if (out->was_known && !device.locked) {
		objection = find_objection(&device, behind->gateway);
	}
	/* What an operator attached to it needs no privilege. */
	if (objection == NULL && !(out->was_known && device.has_gateway) &&
	    !is_privileged(tenant, behind->gateway)) {
		objection = "the gateway is not privileged";
	}
	device_done(&device);
	if (objection != NULL) {
		refuse(out, objection);
		return;
	}
	facts_count(facts, source, &tenant->policy, ca);
	policy_decide_behind(&tenant->policy, facts, &out->verdict, NULL);
}

void
admission_behind(const struct snapshot *snapshot, const char *org,
    const struct behind *behind, const struct source *source,
    struct answer *out)
{
	const struct tenant *tenant = snapshot_tenant(snapshot, org);
	struct facts facts = {.who = *behind->who,
	    .address = behind->address,
	    .can_record = behind->can_record,
	    .clock_is_set = behind->clock_is_set,
	    .now = behind->now};

	memset(out, 0, sizeof(*out));
	out->valid_until = CLOCK_NONE;
	out->has_identity = true;
	out->who = *behind->who;
	if (tenant == NULL) {
		return;
	}
	if (behind->who->type.class != 'd') {
		refuse(out, "a gateway stands behind no other");
		return;
	}
	decide(snapshot, tenant, behind, source, &facts, out);
}
