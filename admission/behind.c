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

static bool
refuse(struct answer *out, enum reason reason, const char *detail)
{
	out->verdict.reason = reason;
	out->detail = detail;
	return true;
}

/* What an operator has to settle first, of a device that is there. */
static bool
has_objection(const struct device *device, const struct identity *gateway,
    struct answer *out)
{
	if (device->has_gateway && !identity_equal(&device->gateway, gateway)) {
		return refuse(out, REASON_DEVICE_UNLISTED,
		    "it is attached to another gateway");
	}
	if (device->state == DEVICE_PENDING) {
		return refuse(
		    out, REASON_DEVICE_PENDING, "it waits for approval");
	}
	return !device->has_gateway && device->state == DEVICE_PROVISIONED &&
	    refuse(out, REASON_DEVICE_UNLISTED,
	        "it is provisioned, and attached to no gateway");
}

/* The CA of the gateway, whose mode and rate hold; where none is known, the
 * strictest mode does.  False: it is gone. */
static bool
read_ca(const struct snapshot *snapshot, const char *org,
    const struct behind *behind, struct facts *facts, struct answer *out,
    const struct ca_record **ca)
{
	*ca = NULL;
	if (behind->ca == NULL) {
		facts->has_ca_enrolment = true;
		facts->ca_enrolment = ENROL_LISTED;
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
	const char *org = tenant->policy.org;
	const struct ca_record *ca;
	struct device device;
	bool refused = false;

	if (!read_ca(snapshot, org, behind, facts, out, &ca)) {
		out->verdict.reason = REASON_CA_UNKNOWN;
		return;
	}
	facts_look_up(facts, source, org, &device, out);
	if (out->was_known && !device.locked) {
		refused = has_objection(&device, behind->gateway, out);
	}
	/* What an operator attached to it needs no privilege. */
	if (!refused && !(out->was_known && device.has_gateway) &&
	    !is_privileged(tenant, behind->gateway)) {
		refused = refuse(out, REASON_DEVICE_UNLISTED,
		    "the gateway is not privileged");
	}
	device_done(&device);
	if (refused) {
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
		(void)refuse(out, REASON_DEVICE_UNLISTED,
		    "a gateway stands behind no other");
		return;
	}
	decide(snapshot, tenant, behind, source, &facts, out);
}
