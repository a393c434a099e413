/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <mosquitto_broker.h>
#include <string.h>

#include "plugin/record.h"

/* New settings may hold other topic rules. */
static bool
renew_grants(const struct instance *instance, struct session *session)
{
	const struct tenant *tenant =
	    snapshot_tenant(instance->snapshot, session->org);

	grants_free(session->grants);
	session->grants = NULL;
	return tenant != NULL &&
	    grants_new(tenant->topics, tenant->topic_count, session->org,
	        &session->who, &session->grants) == RES_OK;
}

/* The device is held from now on to the certificate that it is connected with.
 * What cannot be queued is tried again. */
static void
take_up(
    struct instance *instance, struct session *session, const struct pins *pins)
{
	struct device device;

	device_init(&device, session->org, &session->who);
	device.pins = *pins;
	session->pins_due = !record_pins(
	    instance, &device, &session->pins, session->presented.fingerprint);
	if (session->pins_due) {
		instance->pins_due = true;
	} else {
		session->pins = *pins;
	}
}

void
review_session(struct instance *instance, struct session *session)
{
	const struct standing standing = {.leaf = session->leaf,
	    .chain = session->chain,
	    .path = session->path,
	    .who = &session->who,
	    .client_id = session->client_id,
	    .is_restored = session->restored,
	    .seen_with = session->seen_with,
	    .token = session->token,
	    .presented = session->presented,
	    .sight = session->sight,
	    .locked = session->locked,
	    .device_token = session->device_token,
	    .pins = session->pins,
	    .now = instance->now};
	struct answer answer;

	admission_review(instance->snapshot, session->org, &standing, &answer);
	if (answer.path != NULL) {
		trust_path_unref(session->path);
		session->path = trust_path_ref(answer.path);
	}
	answer_done(&answer);
	/* No memory: no grants, which grant nothing, until the next look. */
	if (session->reviewed != instance->generation &&
	    renew_grants(instance, session)) {
		session->reviewed = instance->generation;
	}
	session->pins_due = false;
	if (reason_admits(answer.verdict.reason)) {
		session->refused = REASON_NONE;
		if (answer.verdict.action == ACTION_PINS && session->online) {
			take_up(instance, session, &answer.verdict.pins);
		}
		session_bound(session, answer.valid_until);
		return;
	}
	session->refused = answer.verdict.reason;
	/* An offline session must not be kicked: Mosquitto 2.0 would spoil
	 * its own list of expiring sessions.  It is denied everything, and
	 * its client is judged anew when it returns. */
	if (session->online) {
		session_want_kick(&instance->sessions, session);
	}
}

bool
review_stands(struct instance *instance, struct session *session)
{
	if (session->reviewed != instance->generation ||
	    (session->refused == REASON_NONE &&
	        instance->now >= session->valid_until)) {
		review_session(instance, session);
	}
	return session->refused == REASON_NONE;
}

void
review_device(
    struct instance *instance, const struct device *device, bool found)
{
	struct session *session = session_of(&instance->sessions, &device->who);
	struct device now = *device; /* its strings are lent */

	if (found) {
		pending_overlay(&instance->pending, &now);
	}
	for (; session != NULL; session = session->peer) {
		if (strcmp(device->org, session->org) != 0) {
			continue;
		}
		session->sight =
		    admission_sight(found ? RES_OK : RES_NOTFOUND, &now, false);
		session->locked = found && device->locked;
		session->device_token =
		    found ? device->token : (struct token_hash){0};
		session->pins = found ? now.pins : (struct pins){0};
		review_session(instance, session);
	}
}

void
review_recorded(struct instance *instance, const struct device *device,
    bool found, enum res result)
{
	struct session *session;

	review_device(instance, device, found);
	if (found || result != RES_LIMIT) {
		return;
	}
	/* It was one too many: another broker was faster. */
	session = session_of(&instance->sessions, &device->who);
	for (; session != NULL; session = session->peer) {
		if (strcmp(device->org, session->org) == 0 &&
		    session->refused != REASON_NONE) {
			session->refused = REASON_QUOTA;
		}
	}
}

/* The log line and the event of a session that ends. */
static void
tell_closed(struct instance *instance, const struct session *session)
{
	struct device device;

	report_closed(session, session->refused);
	instance->metrics.closed++;
	device_init(&device, session->org, &session->who);
	worker_event(instance->worker, &device, "session-closed",
	    reason_id(session->refused));
}

/* The broker's call comes back to us as DISCONNECT, which removes no record,
 * so the walk is safe. */
void
review_kick(struct instance *instance)
{
	struct sessions *table = &instance->sessions;
	int64_t end = clock_monotonic_ms() + TURN_SLICE_MS;
	struct session *session = table->all;

	for (; session != NULL && table->kicks_due > 0;
	     session = session->next) {
		if (!session->kick_due) {
			continue;
		}
		session_unwant_kick(table, session);
		/* By client id: a client id has one session, and this record
		 * says that it is connected. */
		if (session->online && session->refused != REASON_NONE) {
			tell_closed(instance, session);
			(void)mosquitto_kick_client_by_clientid(
			    session->client_id, false);
		}
		if (clock_monotonic_ms() >= end) {
			return;
		}
	}
}
