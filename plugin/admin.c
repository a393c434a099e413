/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/admin.h"

#include <mosquitto_broker.h>
#include <stdlib.h>
#include <string.h>

#include "manage/execute.h"
#include "plugin/control.h"

#define OURS      "$CONTROL/certid"
#define SYS       "$SYS/broker/certid/"
#define REPLY_QOS 1

/* Whether topic is prefix, or below it. */
static bool
is_at(const char *topic, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(topic, prefix, len) == 0 &&
	    (topic[len] == '\0' || topic[len] == '/');
}

/* Whoever came in by a user name shows no certificate.  One with the pointer
 * of such a client that does show one got its name from elsewhere. */
static bool
shows_certificate(const struct mosquitto *client)
{
	struct x509_st *cert = mosquitto_client_certificate(client);

	if (cert != NULL) {
		leaf_free(leaf_adopt(cert));
	}
	return cert != NULL;
}

/* What makes the client of this session an admin; false: it is none. */
static bool
find_right(struct instance *instance, struct session *session,
    const struct mosquitto *client, struct asker *out)
{
	char name[IDENTITY_TEXT_MAX + 1];
	const char *org = ORG_DEFAULT;

	if (session == NULL || !session->online || session->username == NULL ||
	    session->client_id == NULL) {
		return false;
	}
	switch (session->kind) {
	case SESSION_DEVICE:
		identity_format(&session->who, name);
		org = session->org;
		if (strcmp(name, session->username) != 0 ||
		    !review_stands(instance, session)) {
			return false;
		}
		break;
	case SESSION_DEFERRED:
		if (shows_certificate(client)) {
			return false;
		}
		break;
	case SESSION_FREE:
		return false;
	}
	if (!snapshot_is_admin(instance->snapshot, org, session->username)) {
		return false;
	}
	*out = (struct asker){.client_id = session->client_id,
	    .serial = session->serial,
	    .org = org,
	    .name = session->username,
	    .is_new = session->kind == SESSION_DEVICE &&
	        pending_has(&instance->pending, org, &session->who)};
	return true;
}

static struct session *
session_of_client(
    const struct instance *instance, const struct mosquitto *client)
{
	return session_find(&instance->sessions, client,
	    mosquitto_client_id(client), mosquitto_client_username(client));
}

/* What an admin may do at or below $CONTROL/certid. */
static bool
is_allowed(int access, const char *topic)
{
	switch (access) {
	case BROKER_WRITE:
		return strcmp(topic, CONTROL_TOPIC) == 0;
	case BROKER_READ:
	case BROKER_SUBSCRIBE:
	case BROKER_UNSUBSCRIBE:
		return strcmp(topic, CONTROL_RESPONSE) == 0;
	default:
		return false;
	}
}

static void
note_denied(struct instance *instance, struct session *session, int access,
    const char *topic)
{
	if (session != NULL &&
	    (access == BROKER_WRITE || access == BROKER_SUBSCRIBE)) {
		instance->metrics.denied++;
		report_denied(session,
		    access == BROKER_WRITE ? "publish" : "subscribe", topic,
		    instance->now_ms);
	}
}

bool
admin_decides(struct instance *instance,
    const struct mosquitto_evt_acl_check *check, int *answer)
{
	bool is_ours = is_at(check->topic, OURS), is_admin;
	struct session *session;
	struct asker asker;

	if (!is_ours &&
	    (check->access == BROKER_WRITE ||
	        strncmp(check->topic, SYS, strlen(SYS)) != 0)) {
		return false;
	}
	*answer = ANSWER_DENIED;
	if (!instance_is_home(instance)) {
		return is_ours;
	}
	session = session_of_client(instance, check->client);
	is_admin = find_right(instance, session, check->client, &asker);
	if (!is_ours) {
		*answer = ANSWER_OK;
		return is_admin && strcmp(asker.org, ORG_DEFAULT) == 0;
	}
	if (is_admin && is_allowed(check->access, check->topic)) {
		*answer = ANSWER_OK;
	} else {
		note_denied(instance, session, check->access, check->topic);
	}
	return true;
}

/* To one client alone, which need not have subscribed.  What the broker cannot
 * take is lost, and the asker's patience ends.  The broker gets a copy, for it
 * counts the memory that it frees. */
static void
publish(const char *client_id, const char *payload)
{
	if (payload != NULL) {
		(void)mosquitto_broker_publish_copy(client_id, CONTROL_RESPONSE,
		    (int)strlen(payload), payload, REPLY_QOS, false, NULL);
	}
}

static void
tell_busy(const char *client_id, size_t len)
{
	char *payload = execute_not(len > CONTROL_PAYLOAD_MAX
	        ? "the message is too long"
	        : "too many requests wait: try again later");

	publish(client_id, payload);
	free(payload);
}

int
admin_control(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_control *control = event_data;
	struct instance *instance = userdata;
	struct session *session;
	struct asker asker;
	enum res r;

	(void)event;
	/* Any answer but this one would end the connection of the sender. */
	if (!instance_is_home(instance) || control->client == NULL ||
	    control->topic == NULL ||
	    strcmp(control->topic, CONTROL_TOPIC) != 0) {
		return ANSWER_OK;
	}
	session = session_of_client(instance, control->client);
	if (!find_right(instance, session, control->client, &asker)) {
		note_denied(instance, session, BROKER_WRITE, control->topic);
		return ANSWER_OK;
	}
	r = control_submit(
	    instance->control, &asker, control->payload, control->payloadlen);
	if (r != RES_OK) {
		tell_busy(asker.client_id, control->payloadlen);
	}
	return ANSWER_OK;
}

/* The session with this serial number, if it is that of client_id. */
static struct session *
find_asker(const struct instance *instance, const struct news *news)
{
	struct session *session =
	    session_of_id(&instance->sessions, news->client_id);

	/* A client that is refused has the newest record of its client id, and
	 * yet takes nobody's place. */
	if (session == NULL || session->serial != news->serial) {
		session = instance->sessions.all;
		while (session != NULL && session->serial != news->serial) {
			session = session->next;
		}
	}
	return session != NULL && session->online &&
	        session->client_id != NULL &&
	        strcmp(session->client_id, news->client_id) == 0
	    ? session
	    : NULL;
}

void
admin_reply(struct instance *instance, struct news *news)
{
	struct session *session = find_asker(instance, news);

	/* One who was an admin when he asked hears what came of it, even if it
	 * is that he is none any more; one who lost his standing does not. */
	if (session == NULL ||
	    (session->kind == SESSION_DEVICE &&
	        !review_stands(instance, session))) {
		return;
	}
	publish(news->client_id, news->payload);
}
