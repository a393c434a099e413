/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/instance.h"

#include <string.h>

/* New settings may hold other topic rules.  No memory: no grants, which grant
 * nothing, until the next look. */
static void
renew_grants(const struct instance *instance, struct session *session)
{
	const struct tenant *tenant =
	    snapshot_tenant(instance->snapshot, INSTANCE_ORG);

	grants_free(session->grants);
	session->grants = NULL;
	if (tenant == NULL ||
	    grants_new(tenant->topics, tenant->topic_count, INSTANCE_ORG,
	        &session->who, &session->grants) != RES_OK) {
		session->grants = NULL;
	}
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
	struct answer answer;

	admission_review(instance->snapshot, INSTANCE_ORG, &standing, &answer);
	if (session->reviewed != instance->snapshot) {
		session->reviewed = instance->snapshot;
		renew_grants(instance, session);
	}
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
	if (session->online) {
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
