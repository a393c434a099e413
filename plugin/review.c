/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/instance.h"

#include <string.h>

/* The event and the log line of a session that ends. */
static void
tell_closed(struct instance *instance, const struct session *session)
{
	struct device device;

	report_closed(session, session->refused);
	device_init(&device, INSTANCE_ORG, &session->who);
	worker_closed(instance->worker, &device, reason_id(session->refused));
}

void
review_session(struct instance *instance, struct session *session)
{
	const struct standing standing = {.leaf = session->leaf,
	    .who = &session->who,
	    .ca = session->ca,
	    .client_id = session->client_id,
	    .valid_until = session->valid_until,
	    .sight = session->sight,
	    .locked = session->locked,
	    .now = instance->now};
	bool stood = session->refused == REASON_NONE;
	struct answer answer;

	admission_review(instance->snapshot, INSTANCE_ORG, &standing, &answer);
	session->reviewed = instance->snapshot;
	if (reason_admits(answer.verdict.reason)) {
		session->refused = REASON_NONE;
		if (answer.has_ca) {
			memcpy(session->ca, answer.ca, HASH_LEN);
		}
		return;
	}
	session->refused = answer.verdict.reason;
	/* An offline session must not be kicked: Mosquitto 2.0 would spoil
	 * its own list of expiring sessions.  It is denied everything, and
	 * its client is judged anew when it returns. */
	if (stood && session->online) {
		tell_closed(instance, session);
		session_want_kick(&instance->sessions, session);
	}
}

bool
review_stands(struct instance *instance, struct session *session)
{
	if (session->reviewed != instance->snapshot ||
	    (session->refused == REASON_NONE &&
	        instance->now >= session->valid_until)) {
		review_session(instance, session);
	}
	return session->refused == REASON_NONE;
}
