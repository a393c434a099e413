/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/gateway.h"

#include <string.h>

#include "plugin/record.h"

#include "plugin/record.h"

/* One question: what accept() needs to know. */
struct asking {
	struct instance *instance;
	struct session *session;
	enum reach how;
};

/* What is known of a device, if need be from the registry. */
static struct behind_entry *
look(struct instance *instance, const char *org, const struct identity *who)
{
	struct behind_entry *entry = behind_find(&instance->behind, org, who);
	struct device device = {0};
	bool case_clash = false;
	enum res r;

	if (entry != NULL) {
		return entry;
	}
	r = instance_lookup(instance, org, who, &device, &case_clash);
	if (r == RES_NOTFOUND) {
		device_init(&device, org, who);
	}
	if (r == RES_OK || r == RES_NOTFOUND) {
		entry = behind_learn(&instance->behind, &device, r == RES_OK);
		device_done(&device);
	}
	return entry;
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

/* Whether the gateway's first word for a device can make it one of its own. */
static bool
may_begin(const struct asking *asking, const struct behind_entry *entry)
{
	if (asking->how != REACH_PUBLISH || entry->locked ||
	    asking->instance->now_ms < entry->denied_until_ms) {
		return false;
	}
	if (entry->found && entry->state != DEVICE_ALLOWED) {
		return false;
	}
	return entry->has_gateway
	    ? identity_equal(&entry->gateway, &asking->session->who)
	    : is_privileged(asking);
}

/* How many devices are attached to the gateway; the registry has the last word
 * when one more is written. */
static bool
has_room(const struct asking *asking)
{
	const struct device_query query = {
	    .org = asking->session->org, .gateway = &asking->session->who};
	int64_t count = GATEWAY_DEVICES_MAX;

	return registry_count(asking->instance->registry, &query, &count,
	           NULL) == RES_OK &&
	    count < GATEWAY_DEVICES_MAX;
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
	refused = record_row(instance, &device, !answer->was_known, ca);
	if (refused != REASON_NONE) {
		answer->verdict.reason = refused;
		return;
	}
	(void)behind_learn(&instance->behind, &device, true);
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
	const struct behind behind = {.gateway = &session->who,
	    .who = who,
	    .ca = session->path == NULL ? NULL : trust_path_ca(session->path),
	    .address = session->address,
	    .can_record = worker_has_room(instance->worker),
	    .clock_is_set = clock_is_set(instance->now),
	    .now = instance->now};
	struct answer answer;
	enum reason *reason = &answer.verdict.reason;
	struct behind_entry *entry;

	admission_behind(
	    instance->snapshot, session->org, &behind, &source, &answer);
	if (reason_admits(*reason) && !has_room(asking)) {
		*reason = REASON_QUOTA;
		answer.verdict.action = ACTION_NONE;
		answer.detail = "the gateway has as many devices as it may";
	}
	record(asking, &answer, behind.ca);
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
