/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/gateway.h"

#include <string.h>

#include "plugin/record.h"

/* One question: what accept() needs to know. */
struct asking {
	struct instance *instance;
	struct session *session;
	enum reach how;
};

/* What the registry says of a device.  NULL: it cannot tell, or no memory. */
static struct behind_entry *
learn(struct instance *instance, const char *org, const struct identity *who)
{
	struct behind_entry *entry = NULL;
	struct device device = {0};
	bool case_clash = false;
	enum res r = instance_lookup(instance, org, who, &device, &case_clash);

	if (r == RES_NOTFOUND) {
		device_init(&device, org, who);
	}
	if (r == RES_OK || r == RES_NOTFOUND) {
		entry = behind_learn(
		    &instance->behind, &device, r == RES_OK, instance->now_ms);
		device_done(&device);
	}
	return entry;
}

/* What is known of a device, if need be from the registry. */
static struct behind_entry *
look(struct instance *instance, const char *org, const struct identity *who)
{
	struct behind_entry *entry = behind_find(&instance->behind, org, who);

	return entry != NULL && behind_counts(entry, instance->now_ms)
	    ? entry
	    : learn(instance, org, who);
}

static bool
is_privileged(const struct asking *asking)
{
	const struct tenant *tenant =
	    snapshot_tenant(asking->instance->snapshot, asking->session->org);
	const struct type_policy *type = tenant == NULL
	    ? NULL
	    : policy_type(&tenant->policy, &asking->session->who.type);

	return type != NULL && type->privileged;
}

/* Whether the gateway's first word for a device can make it one of its own.  It
 * must be connected: neither its will nor who reads a retained message of it
 * brings devices.  One that waits for approval is asked about so that the log
 * tells of it. */
static bool
may_begin(const struct asking *asking, const struct behind_entry *entry)
{
	if (asking->how != REACH_PUBLISH || !asking->session->online ||
	    entry->locked ||
	    asking->instance->now_ms < entry->denied_until_ms) {
		return false;
	}
	if (entry->found && entry->state == DEVICE_PROVISIONED) {
		return false;
	}
	return entry->has_gateway
	    ? identity_equal(&entry->gateway, &asking->session->who)
	    : is_privileged(asking);
}

/* How many devices are attached to the gateway, or about to be; the registry
 * has the last word when one more is written. */
static bool
has_room(const struct asking *asking)
{
	const struct session *session = asking->session;
	const struct device_query query = {
	    .org = session->org, .gateway = &session->who};
	int64_t count = GATEWAY_DEVICES_MAX;

	return registry_count(asking->instance->registry, &query, &count,
	           NULL) == RES_OK &&
	    count +
	        pending_count_behind(
	            &asking->instance->pending, session->org, &session->who) <
	    GATEWAY_DEVICES_MAX;
}

/* The CA by which the gateway is here: that of its certificate, or, if it came
 * with a token alone, the one that its row names, as long as that one is in
 * order.  False: there is none. */
static bool
find_ca(const struct asking *asking, uint8_t out[HASH_LEN])
{
	struct instance *instance = asking->instance;
	const struct session *session = asking->session;
	const struct ca_record *ca = NULL;
	struct device device = {0};
	bool case_clash = false;
	enum ca_state state;

	if (session->path != NULL) {
		memcpy(out, trust_path_ca(session->path), HASH_LEN);
		return true;
	}
	if (instance_lookup(instance, session->org, &session->who, &device,
	        &case_clash) == RES_OK &&
	    device.has_ca) {
		memcpy(out, device.ca, HASH_LEN);
		ca = snapshot_ca(instance->snapshot, session->org, out);
	}
	device_done(&device);
	return ca != NULL && ca_state_parse(ca->state, &state) &&
	    state == CA_ACTIVE;
}

static void
describe(const struct asking *asking, const struct answer *answer,
    struct device *device)
{
	const struct session *session = asking->session;

	device_init(device, session->org, &answer->who);
	device->state = answer->verdict.action == ACTION_PEND
	    ? DEVICE_PENDING
	    : DEVICE_PROVISIONED;
	device->created_at = asking->instance->now;
	device->last_seen_at = asking->instance->now;
	device->window_ends_at = CLOCK_FOREVER;
	if (device->state == DEVICE_PROVISIONED) {
		device->provisioned_at = asking->instance->now;
	}
	device->has_gateway = true;
	device->gateway = session->who;
	if (report_is_address(session->address)) {
		text_set(device->last_address, sizeof(device->last_address),
		    session->address);
	}
}

/* Write down what the verdict asks for. */
static void
record(const struct asking *asking, struct answer *answer, const uint8_t *ca)
{
	struct instance *instance = asking->instance;
	struct device device;
	enum reason refused;

	if (answer->verdict.action != ACTION_PROVISION &&
	    answer->verdict.action != ACTION_PEND) {
		return;
	}
	describe(asking, answer, &device);
	refused = record_row(instance, &device, answer, ca);
	if (refused != REASON_NONE) {
		answer->verdict.reason = refused;
		return;
	}
	(void)behind_learn(&instance->behind, &device, true, instance->now_ms);
}

static void
tell(const struct asking *asking, const struct answer *answer)
{
	const struct session *session = asking->session;
	const struct subject subject = {.client_id = session->client_id,
	    .address = session->address,
	    .org = session->org,
	    .leaf = session->leaf};

	report_decision(&asking->instance->report, &subject, answer,
	    asking->instance->now_ms);
}

static bool
begin(const struct asking *asking, const struct identity *who)
{
	struct instance *instance = asking->instance;
	const struct session *session = asking->session;
	const struct source source = instance_source(instance);
	uint8_t ca[HASH_LEN];
	const struct behind behind = {.gateway = &session->who,
	    .who = who,
	    .ca = find_ca(asking, ca) ? ca : NULL,
	    .address = session->address,
	    .can_record = worker_has_room(instance->worker),
	    .clock_is_set = clock_is_set(instance->now),
	    .now = instance->now};
	struct answer answer;
	enum reason *reason = &answer.verdict.reason;
	struct behind_entry *entry;

	admission_behind(
	    instance->snapshot, session->org, &behind, &source, &answer);
	if (reason_admits(*reason) && !answer.has_gateway &&
	    !has_room(asking)) {
		*reason = REASON_QUOTA;
		answer.verdict.action = ACTION_NONE;
		answer.detail = "the gateway has as many devices as it may";
	}
	record(asking, &answer, behind.ca);
	if (*reason == REASON_KNOWN) { /* what was known of it is out of date */
		(void)learn(instance, session->org, who);
	}
	tell(asking, &answer);
	entry = behind_find(&instance->behind, session->org, who);
	if (!reason_admits(*reason) && entry != NULL) {
		entry->denied_until_ms = instance->now_ms + BEHIND_DENIED_MS;
	}
	answer_done(&answer);
	return reason_admits(*reason);
}

static bool
accept(const struct identity *who, void *context)
{
	const struct asking *asking = context;
	const struct session *session = asking->session;
	const struct behind_entry *entry =
	    look(asking->instance, session->org, who);

	if (entry == NULL) {
		return false;
	}
	return behind_speaks(entry, &session->who) ||
	    (may_begin(asking, entry) && begin(asking, who));
}

bool
gateway_may(struct instance *instance, struct session *session, enum reach how,
    const char *topic)
{
	const struct tenant *tenant;
	struct asking asking = {instance, session, how};

	if (session->who.type.class != 'g') {
		return false;
	}
	tenant = snapshot_tenant(instance->snapshot, session->org);
	return tenant != NULL &&
	    reach_device(tenant->topics, tenant->topic_count, session->org, how,
	        topic, accept, &asking);
}
