/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <mosquitto_broker.h>
#include <string.h>

#include "plugin/admin.h"
#include "plugin/gateway.h"

static bool
is_control(const char *topic)
{
	return strncmp(topic, "$CONTROL", strlen("$CONTROL")) == 0;
}

/* Where the broker and we tell of ourselves: nobody's to write, whatever other
 * ACL sources would say.  Mosquitto 2.0 and 2.1 deny it before they ask us. */
static bool
is_told(int access, const char *topic)
{
	return access == BROKER_WRITE &&
	    strncmp(topic, "$SYS", strlen("$SYS")) == 0;
}

/* What somebody who is no device gets. */
static int
answer_other(enum session_kind kind, const char *topic)
{
	if (kind == SESSION_DEFERRED) {
		return ANSWER_DEFER;
	}
	return kind == SESSION_FREE && !is_control(topic) ? ANSWER_OK
	                                                  : ANSWER_DENIED;
}

static int
answer_policy(enum others others, const char *topic)
{
	switch (others) {
	case OTHERS_DEFER:
		return answer_other(SESSION_DEFERRED, topic);
	case OTHERS_ALLOW:
		return answer_other(SESSION_FREE, topic);
	case OTHERS_REFUSE:
		break;
	}
	return ANSWER_DENIED;
}

static bool
is_granted(const struct session *session, int access, const char *topic)
{
	switch (access) {
	case BROKER_READ:
		return grants_allow_delivery(session->grants, topic);
	case BROKER_WRITE:
		return grants_allow_publish(session->grants, topic);
	case BROKER_SUBSCRIBE:
		return grants_allow_subscribe(session->grants, topic);
	case BROKER_UNSUBSCRIBE:
		return true;
	default:
		return false;
	}
}

/* What a gateway gets for the devices that are attached to it. */
static bool
is_granted_behind(struct instance *instance, struct session *session,
    int access, const char *topic)
{
	switch (access) {
	case BROKER_READ:
		return gateway_may(instance, session, REACH_DELIVERY, topic);
	case BROKER_WRITE:
		return gateway_may(instance, session, REACH_PUBLISH, topic);
	case BROKER_SUBSCRIBE:
		return gateway_may(instance, session, REACH_SUBSCRIBE, topic);
	default:
		return false;
	}
}

/* With "set topics off" the other ACL sources have the word, but for what no
 * device may ever do. */
static int
answer_elsewhere(int access, const char *topic)
{
	if (is_control(topic) || (access == BROKER_WRITE && topic[0] == '$')) {
		return ANSWER_DENIED;
	}
	return ANSWER_DEFER;
}

/* A client that connected without BASIC_AUTH being asked. */
static int
answer_bypass(struct instance *instance)
{
	if (!instance->told_bypass) {
		instance->told_bypass = true;
		report_text(LOG_ERROR,
		    "a client that was never authenticated here asks for "
		    "access, and all of it is denied: "
		    "use_identity_as_username and use_subject_as_username "
		    "must be off, and no other plugin may authenticate "
		    "before this one");
	}
	return ANSWER_DENIED;
}

enum shown { SHOWN_NONE, SHOWN_SAME, SHOWN_OTHER };

/* The certificate of client beside the one that the session connected with. */
static enum shown
compare_certificate(
    const struct session *session, const struct mosquitto *client)
{
	struct x509_st *cert = mosquitto_client_certificate(client);
	struct leaf *leaf;
	bool same;

	if (cert == NULL) {
		return SHOWN_NONE;
	}
	leaf = leaf_adopt(cert);
	same = leaf != NULL &&
	    memcmp(leaf_info(leaf)->fingerprint, session->fingerprint,
	        HASH_LEN) == 0;
	leaf_free(leaf);
	return same ? SHOWN_SAME : SHOWN_OTHER;
}

/* Whether client can still be the one that left: it has the address, and at
 * most the certificate, that the session connected with. */
static bool
looks_the_same(const struct instance *instance, const struct session *session,
    const struct mosquitto *client)
{
	const char *address = mosquitto_client_address(client);

	if (session->restored) {
		return address == NULL &&
		    mosquitto_client_protocol_version(client) == 0;
	}
	if (address == NULL || strcmp(address, session->address) != 0) {
		return false;
	}
	switch (compare_certificate(session, client)) {
	case SHOWN_NONE:
		return true;
	case SHOWN_SAME:
		/* Who has left shows none, once the broker is done with it. */
		return session->left_turn == instance->turn;
	case SHOWN_OTHER:
		break;
	}
	return false;
}

/*
 * The broker frees a client at the start of its next turn, so up to then a
 * publication is the will.  Later only a delayed will of MQTT 5 can come, and
 * once.  Turn 0: no TICK has come, so turns cannot be told.
 */
static bool
is_will(const struct instance *instance, struct session *session,
    const struct mosquitto *client)
{
	bool due = session->will_due;

	session->will_due = false;
	return due &&
	    ((instance->turn > 0 && session->left_turn == instance->turn) ||
	        (session->is_v5 && looks_the_same(instance, session, client)));
}

/*
 * The client of this session has left, and another one that was never
 * authenticated here may have got the pointer, and call itself the same.  An
 * offline session is delivered to, and its will is published; it does nothing
 * else.
 */
static bool
may_be_asked_offline(const struct instance *instance, struct session *session,
    const struct mosquitto *client, int access)
{
	switch (access) {
	case BROKER_READ:
		return looks_the_same(instance, session, client);
	case BROKER_WRITE:
		return is_will(instance, session, client);
	default:
		return false;
	}
}

/* What a device gets.  Nobody is told. */
static int
judge_device(struct instance *instance, struct session *session, int access,
    const char *topic)
{
	const struct tenant *tenant;

	if (!review_stands(instance, session)) {
		return ANSWER_DENIED;
	}
	tenant = snapshot_tenant(instance->snapshot, session->org);
	if (tenant != NULL && !tenant->topics_on) {
		return answer_elsewhere(access, topic);
	}
	return is_granted(session, access, topic) ||
	        is_granted_behind(instance, session, access, topic)
	    ? ANSWER_OK
	    : ANSWER_DENIED;
}

static int
answer_device(struct instance *instance, struct session *session, int access,
    const char *topic)
{
	int answer = judge_device(instance, session, access, topic);

	/* Never a line for a delivery: see report.h.  Who lost his standing is
	 * told of when he is closed. */
	if (answer == ANSWER_DENIED && session->refused == REASON_NONE &&
	    (access == BROKER_WRITE || access == BROKER_SUBSCRIBE)) {
		instance->metrics.denied++;
		report_denied(session,
		    access == BROKER_WRITE ? "publish" : "subscribe", topic,
		    instance->now_ms);
	}
	return answer;
}

/* The certificate that a device has now, as far as the registry knows. */
static struct pin
newest_pin(const struct device *device)
{
	struct pin pin = {0};
	size_t i;

	memcpy(pin.fingerprint, device->fingerprint, HASH_LEN);
	for (i = 0; i < device->pins.count; i++) {
		if (!device->pins.list[i].waits) {
			pin = device->pins.list[i];
		}
	}
	return pin;
}

/* Fill in what the registry of org says of a session's device, and take it that
 * it connected as it did the last time. */
static enum res
place(struct instance *instance, struct session *session, const char *org)
{
	struct device device = {0};
	bool case_clash = false;
	enum res r =
	    instance_lookup(instance, org, &session->who, &device, &case_clash);

	text_set(session->org, sizeof(session->org), org);
	session->sight = admission_sight(r, &device, case_clash);
	session->locked = device.locked;
	session->seen_with = device.seen_with;
	session->token = device.token;
	session->device_token = device.token;
	session->pins = device.pins;
	session->presented = newest_pin(&device);
	session->valid_until = CLOCK_FOREVER;
	session->reviewed = 0;
	trust_path_unref(session->path);
	session->path = device.has_ca ? trust_path_of_ca(device.ca) : NULL;
	device_done(&device);
	return r;
}

/* Which org a session belongs to is not on the disk: it is the one that has
 * such a device and would give it this client id, or else the first that has
 * the device.  False: none has it. */
static bool
settle(struct instance *instance, struct session *session)
{
	const char *org, *home = ORG_DEFAULT;
	bool found = false;
	size_t i;

	for (i = 0; (org = snapshot_org(instance->snapshot, i)) != NULL; i++) {
		if (place(instance, session, org) == RES_NOTFOUND) {
			continue;
		}
		review_session(instance, session);
		if (session->refused == REASON_NONE ||
		    session->sight == SIGHT_FAILED) {
			return true;
		}
		home = found ? home : org;
		found = true;
	}
	(void)place(instance, session, home);
	return found;
}

/* The same for an author, who is asked about with each of his messages.  False:
 * no org has such a device. */
static bool
settle_author(struct instance *instance, struct session *author)
{
	const char *org = homes_find(&instance->homes, author->client_id,
	    &author->who, instance->now_ms);
	bool found;

	if (org != NULL) {
		return org[0] != '\0' && place(instance, author, org) == RES_OK;
	}
	found = settle(instance, author);
	if (author->sight != SIGHT_FAILED) {
		homes_learn(&instance->homes, author->client_id, &author->who,
		    found ? author->org : "", instance->now_ms);
	}
	return found;
}

/*
 * A session from disk, or the author of a retained message: the broker asks
 * with a client that never connected in this process.  Its user name is the
 * one that we set when it was admitted; nobody can give himself such a name
 * without a certificate.  It is judged by what the registry says now.  The CA
 * that the registry notes is the device's first one; an author answers for it,
 * a session that only receives does not: its device may have rolled over, and
 * is judged when it returns.
 *
 * An author is nobody's session: his record is in no table, he is not told of,
 * and nothing comes of asking about him.
 */
static int
answer_author(struct instance *instance, const struct mosquitto *client,
    const struct identity *who, const char *topic)
{
	struct session *author =
	    session_new(client, mosquitto_client_id(client),
	        mosquitto_client_username(client), who);
	int answer = ANSWER_DENIED;

	if (author != NULL && settle_author(instance, author)) {
		answer = judge_device(instance, author, BROKER_WRITE, topic);
	}
	session_free(author);
	return answer;
}

static struct session *
restore(struct instance *instance, const struct mosquitto *client,
    const struct identity *who)
{
	struct session *session = session_add(&instance->sessions, client,
	    mosquitto_client_id(client), mosquitto_client_username(client),
	    who);

	if (session == NULL) {
		return NULL;
	}
	session->restored = true;
	session->online = false;
	session->offline_since = instance->now_ms;
	(void)settle(instance, session);
	return session;
}

static int
answer_restored(struct instance *instance, const struct mosquitto *client,
    int access, const char *topic)
{
	const char *name = mosquitto_client_username(client);
	struct session *session;
	struct identity who;
	const char *detail;
	int answer;

	if (name == NULL ||
	    identity_parse(name, strlen(name), &who, &detail) != RES_OK) {
		return answer_policy(instance->options.others, topic);
	}
	if (mosquitto_client_id(client) == NULL) {
		return ANSWER_DENIED;
	}
	if (access == BROKER_WRITE) {
		return answer_author(instance, client, &who, topic);
	}
	/* Deliveries are to sessions, and 2.1 can tell whether this is one. */
	if (access != BROKER_READ ||
	    broker_holds(&instance->broker, client) == KNOWN_NO ||
	    (session = restore(instance, client, &who)) == NULL) {
		return ANSWER_DENIED;
	}
	answer = answer_device(instance, session, access, topic);
	/* Who could not be looked up is asked about once more. */
	if (session->sight == SIGHT_FAILED) {
		session_remove(&instance->sessions, session);
	}
	return answer;
}

int
acl_check(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_acl_check *check = event_data;
	const struct mosquitto *client = check->client;
	struct instance *instance = userdata;
	struct session *session;
	int answer;

	(void)event;
	if (check->topic == NULL || is_told(check->access, check->topic)) {
		return ANSWER_DENIED;
	}
	if (admin_decides(instance, check, &answer)) {
		return answer;
	}
	if (!instance_is_home(instance)) {
		return instance->options.others == OTHERS_DEFER ? ANSWER_DEFER
		                                                : ANSWER_DENIED;
	}
	session = session_find(&instance->sessions, client,
	    mosquitto_client_id(client), mosquitto_client_username(client));
	if (session == NULL) {
		if (mosquitto_client_address(client) == NULL &&
		    mosquitto_client_protocol_version(client) == 0) {
			return answer_restored(
			    instance, client, check->access, check->topic);
		}
		return answer_bypass(instance);
	}
	if (session->kind != SESSION_DEVICE) {
		return answer_other(session->kind, check->topic);
	}
	if (!session->online &&
	    !may_be_asked_offline(instance, session, client, check->access)) {
		return answer_bypass(instance);
	}
	return answer_device(instance, session, check->access, check->topic);
}
