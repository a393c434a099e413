/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/record.h"

#include <string.h>

/* As it is written into details: enough to find a certificate by. */
#define DIGITS 16

/* The row of a device, as this connection shows it. */
static void
describe(const struct instance *instance, const struct connect *connect,
    const struct answer *answer, struct device *device)
{
	const struct ca_record *ca;
	const struct cert_info *info;

	device_init(device, connect->org, &answer->who);
	device->state = answer->verdict.action == ACTION_PEND
	    ? DEVICE_PENDING
	    : DEVICE_PROVISIONED;
	device->created_at = instance->now;
	device->window_ends_at = CLOCK_FOREVER;
	device->last_seen_at = instance->now;
	/* One that waits has not been let in: it counts as never connected. */
	device->seen_with =
	    device->state == DEVICE_PENDING ? 0 : answer->seen_with;
	device->pins = answer->verdict.pins;
	/* A proxy may send anything in the place of an address. */
	if (report_is_address(connect->address)) {
		text_set(device->last_address, sizeof(device->last_address),
		    connect->address);
	}
	if (device->state == DEVICE_PROVISIONED) {
		device->provisioned_at = instance->now;
	}
	if (answer->has_ca) {
		device->has_ca = true;
		memcpy(device->ca, answer->ca, HASH_LEN);
		ca = snapshot_ca(instance->snapshot, connect->org, answer->ca);
		device->tags = ca == NULL ? NULL : ca->tags; /* lent */
	}
	if (connect->leaf != NULL) {
		info = leaf_info(connect->leaf);
		device->has_fingerprint = true;
		memcpy(device->fingerprint, info->fingerprint, HASH_LEN);
		memcpy(device->serial, info->serial, sizeof(device->serial));
		device->not_after = info->not_after;
		device->subject = info->subject; /* lent */
	}
}

/* ---- Rows ---- */

static bool
take_rate(struct instance *instance, const char *org, const uint8_t *ca)
{
	const struct ca_record *record =
	    ca == NULL ? NULL : snapshot_ca(instance->snapshot, org, ca);

	return record == NULL ||
	    limits_take(&instance->limits, org, record, instance->now_ms);
}

/* What decisions see while the row waits: what an operator gave the device is
 * not written anew with it, and holds all the same. */
static struct device
foresee(const struct device *device, const struct answer *answer)
{
	struct device row = *device;

	if (answer->was_known) {
		row.token = answer->device_token;
		if (row.pins.count == 0) {
			row.pins = answer->pins_before;
		}
		if (answer->has_gateway) {
			row.has_gateway = true;
			row.gateway = answer->gateway;
		}
	}
	return row;
}

enum reason
record_row(struct instance *instance, const struct device *device,
    const struct answer *answer, const uint8_t *ca)
{
	const struct device row = foresee(device, answer);
	bool is_new = !answer->was_known;

	if (is_new && !take_rate(instance, device->org, ca)) {
		return REASON_RATE;
	}
	homes_forget(&instance->homes, &device->who);
	if (pending_add(&instance->pending, &row, is_new,
	        device->has_gateway && !answer->has_gateway) != RES_OK) {
		return REASON_REGISTRY_BUSY;
	}
	if (worker_provision(instance->worker, device) != RES_OK) {
		pending_remove(&instance->pending, device->org, &device->who);
		return REASON_REGISTRY_BUSY;
	}
	return REASON_NONE;
}

/* ---- Pins ---- */

/* The certificate is in a slot already: what else is to be written of it can
 * wait for the next time. */
static bool
is_held(const struct answer *answer, int64_t now)
{
	const struct pin *pin =
	    pins_find(&answer->pins_before, answer->presented.fingerprint);

	return pin != NULL && !pin->waits && now < pin->ends_at;
}

/* How a device came to the certificate that it presents.  NULL: it had it, and
 * no event tells of that. */
static const char *
describe_pins(const struct instance *instance, const struct device *device,
    const struct pins *before, const uint8_t fingerprint[HASH_LEN],
    struct diag *detail)
{
	const struct tenant *tenant =
	    snapshot_tenant(instance->snapshot, device->org);
	const struct type_policy *type = tenant == NULL
	    ? NULL
	    : policy_type(&tenant->policy, &device->who.type);
	const struct pin *pin = pins_find(&device->pins, fingerprint);
	char text[HASH_TEXT_MAX + 1];

	if (pin == NULL || pins_find(before, fingerprint) != NULL) {
		return NULL;
	}
	text_hex(text, fingerprint, HASH_LEN);
	if (pin->waits) {
		diag_set(detail, "the certificate %.*s... waits for approval",
		    DIGITS, text);
		return "device-pending";
	}
	diag_set(detail, "taken up by %s: %.*s...",
	    before->count == 0 || type == NULL ? pin_mode_name(PIN_FIRST)
	                                       : rotation_name(type->rotation),
	    DIGITS, text);
	return "pin-changed";
}

/* A certificate that is to wait for approval takes the place of another that
 * does.  Two that take turns must not become a stream of writes. */
static bool
may_wait(struct instance *instance, const struct answer *answer,
    const struct device *device)
{
	return limits_may_wait(&instance->limits, device->org, &device->who,
	    answer->presented.fingerprint, instance->now_ms);
}

/* A second certificate at the same moment waits until it is known what became
 * of the first. */
bool
record_pins(struct instance *instance, const struct device *device,
    const struct pins *before, const uint8_t fingerprint[HASH_LEN])
{
	struct diag detail = {{0}};
	const char *kind;

	if (pending_add_pins(&instance->pending, device, before) != RES_OK) {
		return false;
	}
	kind = describe_pins(instance, device, before, fingerprint, &detail);
	if (worker_pins(instance->worker, device, before, kind, detail.text) !=
	    RES_OK) {
		pending_remove(&instance->pending, device->org, &device->who);
		return false;
	}
	return true;
}

static void
tell_mismatch(struct instance *instance, const struct answer *answer,
    const struct device *device)
{
	char text[HASH_TEXT_MAX + 1];
	struct diag detail;

	if (!limits_may_tell(&instance->limits, device->org, &device->who,
	        answer->presented.fingerprint, instance->now_ms)) {
		return;
	}
	text_hex(text, answer->presented.fingerprint, HASH_LEN);
	diag_set(&detail, "refused with the certificate %.*s... from %s",
	    DIGITS, text,
	    device->last_address[0] == '\0' ? "an unknown address"
	                                    : device->last_address);
	worker_event(instance->worker, device, "pin-mismatch", detail.text);
}

/* ---- One decision ---- */

static void
record_action(struct instance *instance, struct answer *answer,
    const struct device *device)
{
	struct verdict *verdict = &answer->verdict;
	enum reason refused;

	switch (verdict->action) {
	case ACTION_NONE:
		break;
	case ACTION_PROVISION:
	case ACTION_PEND:
		refused = record_row(instance, device, answer,
		    answer->has_ca ? answer->ca : NULL);
		if (refused != REASON_NONE) {
			verdict->reason = refused;
			verdict->action = ACTION_NONE;
		}
		break;
	case ACTION_PINS:
		if (!reason_admits(verdict->reason) &&
		    !may_wait(instance, answer, device)) {
			verdict->action = ACTION_NONE;
			break;
		}
		if (record_pins(instance, device, &answer->pins_before,
		        answer->presented.fingerprint)) {
			break;
		}
		verdict->action = ACTION_NONE;
		if (reason_admits(verdict->reason) &&
		    !is_held(answer, instance->now)) {
			verdict->reason = REASON_REGISTRY_BUSY;
		}
		break;
	}
}

void
record_answer(struct instance *instance, const struct connect *connect,
    struct answer *answer)
{
	struct device device;

	if (!answer->has_identity) {
		return;
	}
	describe(instance, connect, answer, &device);
	record_action(instance, answer, &device);
	if (answer->verdict.reason == REASON_KNOWN) {
		worker_seen(instance->worker, &device);
	} else if (answer->verdict.reason == REASON_PIN_MISMATCH) {
		tell_mismatch(instance, answer, &device);
	}
}

/* ---- Clones ---- */

static bool
looks_the_same(const struct connect *connect, const struct session *session)
{
	static const uint8_t none[HASH_LEN];
	const uint8_t *fingerprint = connect->leaf == NULL
	    ? none
	    : leaf_info(connect->leaf)->fingerprint;
	const char *address = connect->address == NULL ? "" : connect->address;

	return strcmp(session->address, address) == 0 &&
	    memcmp(session->fingerprint, fingerprint, HASH_LEN) == 0;
}

static const char *
show_address(const char *address)
{
	return report_is_address(address) ? address : "an unknown address";
}

static void
tell_clone(struct instance *instance, const struct connect *connect,
    const struct session *session, int64_t span)
{
	const struct tenant *tenant =
	    snapshot_tenant(instance->snapshot, connect->org);
	char ours[HASH_TEXT_MAX + 1] = "-", theirs[HASH_TEXT_MAX + 1];
	struct device device;
	struct diag detail;

	text_hex(theirs, session->fingerprint, HASH_LEN);
	if (connect->leaf != NULL) {
		text_hex(ours, leaf_info(connect->leaf)->fingerprint, HASH_LEN);
	}
	diag_set(&detail,
	    "%d take-overs in %d s, the last from %s (certificate %.*s) by %s "
	    "(certificate %.*s)",
	    CLONE_TAKEOVERS, (int)((span + 999) / 1000),
	    show_address(session->address), DIGITS, theirs,
	    show_address(connect->address), DIGITS, ours);
	device_init(&device, connect->org, &session->who);
	report_text(LOG_WARNING, "%s looks as if it were cloned: %s",
	    session->username, detail.text);
	instance->metrics.clones++;
	worker_event(instance->worker, &device, "clone-suspected", detail.text);
	if (tenant->locks_clones) {
		worker_lock(instance->worker, &device, "clone-suspected");
	}
}

void
record_takeover(struct instance *instance, const struct connect *connect,
    const struct answer *answer)
{
	const struct session *session =
	    session_of_id(&instance->sessions, connect->id);
	int64_t span;

	if (session == NULL || !session->online ||
	    session->kind != SESSION_DEVICE ||
	    !identity_equal(&session->who, &answer->who) ||
	    strcmp(session->org, connect->org) != 0 ||
	    looks_the_same(connect, session)) {
		return;
	}
	if (limits_takeover(&instance->limits, connect->org, &session->who,
	        instance->now_ms, &span)) {
		tell_clone(instance, connect, session, span);
	}
}
