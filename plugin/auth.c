/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <mosquitto_broker.h>
#include <string.h>

#include "plugin/instance.h"

/* CONNECT, as the broker shows it to us. */
struct connect {
	struct mosquitto *client;
	const char *id;
	const char *username;
	const char *password;
	const char *address;
	bool has_certificate;
	struct leaf *leaf;       /* NULL: none, or one that cannot be read */
	const char *org;         /* that it asked for in the handshake */
	const struct mark *mark; /* left by the handshake; NULL: none */
};

/* Mosquitto 2.0 authenticates again between RELOAD and the next TICK.  Where
 * TICK never comes the window closes when nobody was asked for a while. */
static bool
is_reloading(struct instance *instance)
{
	if (instance->reloading_ms == 0 ||
	    (instance->turn == 0 &&
	        instance->now_ms - instance->reloading_ms > RELOAD_MS)) {
		return false;
	}
	instance->reloading_ms = instance->now_ms;
	return true;
}

/*
 * Mosquitto runs BASIC_AUTH again for every session when it reloads, also for
 * those that are offline or came from disk.  Those must never be refused: 2.0
 * would spoil its list of expiring sessions.  Revocation does not need it; it
 * is followed all the time.
 */
static bool
is_again(struct instance *instance, const struct connect *connect,
    const struct session *session)
{
	bool from_disk = connect->address == NULL &&
	    mosquitto_client_protocol_version(connect->client) == 0;

	switch (broker_holds(&instance->broker, connect->client)) {
	case KNOWN_YES:
		return session != NULL || from_disk;
	case KNOWN_NO:
		return false;
	case KNOWN_UNSURE:
		break;
	}
	if (session == NULL) {
		return from_disk;
	}
	/* An offline session that shows a connection is a new client whose
	 * pointer was an old one's. */
	return is_reloading(instance) &&
	    (session->online ||
	        (!connect->has_certificate &&
	            mosquitto_client_protocol(connect->client) !=
	                mp_websockets));
}

/* A device that lost its standing is closed by the next TICK, with a line and
 * an event, and is denied everything until then. */
static int
answer_again(const struct session *session)
{
	return session != NULL && session->online &&
	        session->kind == SESSION_DEFERRED
	    ? ANSWER_DEFER
	    : ANSWER_OK;
}

static void
describe_session(const struct connect *connect, struct session *session)
{
	session->is_v5 =
	    mosquitto_client_protocol_version(connect->client) >= 5;
	/* Certain only for MQTT 3.1.1 and before. */
	session->fleeting =
	    !session->is_v5 && mosquitto_client_clean_session(connect->client);
	if (connect->address != NULL) {
		text_set(session->address, sizeof(session->address),
		    connect->address);
	}
}

static int
answer_other(struct instance *instance, const struct connect *connect)
{
	struct subject subject = {
	    .client_id = connect->id, .address = connect->address};
	struct answer answer = {.verdict.reason = REASON_NOT_A_DEVICE};
	struct session *session;

	if (instance->options.others == OTHERS_REFUSE) {
		report_decision(
		    &instance->report, &subject, &answer, instance->now_ms);
		return broker_refusal(&instance->broker, REASON_NOT_A_DEVICE);
	}
	session = session_add(&instance->sessions, connect->client, connect->id,
	    connect->username, NULL);
	if (session == NULL) {
		return broker_refusal(&instance->broker, REASON_REGISTRY_ERROR);
	}
	describe_session(connect, session);
	if (instance->options.others == OTHERS_ALLOW) {
		session->kind = SESSION_FREE;
		return ANSWER_OK;
	}
	session->kind = SESSION_DEFERRED;
	return ANSWER_DEFER;
}

/* The row of a device, as this connection shows it. */
static void
describe(const struct instance *instance, const struct connect *connect,
    const struct answer *answer, struct device *device)
{
	const struct cert_info *info;

	device_init(device, connect->org, &answer->who);
	device->state = answer->verdict.action == ACTION_PEND
	    ? DEVICE_PENDING
	    : DEVICE_PROVISIONED;
	device->created_at = instance->now;
	device->window_ends_at = CLOCK_FOREVER;
	device->last_seen_at = instance->now;
	/* A proxy may send anything in the place of an address. */
	if (report_is_address(connect->address)) {
		text_set(device->last_address, sizeof(device->last_address),
		    connect->address);
	}
	if (device->state == DEVICE_PROVISIONED) {
		device->provisioned_at = instance->now;
	}
	device->has_ca = answer->has_ca;
	memcpy(device->ca, answer->ca, HASH_LEN);
	if (connect->leaf != NULL) {
		info = leaf_info(connect->leaf);
		device->has_fingerprint = true;
		memcpy(device->fingerprint, info->fingerprint, HASH_LEN);
		memcpy(device->serial, info->serial, sizeof(device->serial));
		device->not_after = info->not_after;
		device->subject = info->subject; /* lent */
	}
}

/* Write down what the verdict asks for; false if it cannot be. */
static bool
record(struct instance *instance, const struct connect *connect,
    const struct answer *answer)
{
	struct device device;

	describe(instance, connect, answer, &device);
	if (answer->verdict.action == ACTION_NONE) {
		if (answer->verdict.reason == REASON_KNOWN) {
			worker_seen(instance->worker, &device);
		}
		return true;
	}
	if (pending_add(&instance->pending, &device) != RES_OK) {
		return false;
	}
	if (worker_provision(instance->worker, &device) != RES_OK) {
		pending_remove(&instance->pending, connect->org, &answer->who);
		return false;
	}
	return true;
}

/* Make the session of an admitted device; false: no memory, so no entry. */
static bool
admit(struct instance *instance, struct connect *connect,
    const struct answer *answer)
{
	const struct tenant *tenant =
	    snapshot_tenant(instance->snapshot, connect->org);
	char name[IDENTITY_TEXT_MAX + 1];
	struct session *session;

	identity_format(&answer->who, name);
	session = session_add(&instance->sessions, connect->client, connect->id,
	    name, &answer->who);
	if (session == NULL) {
		return false;
	}
	describe_session(connect, session);
	text_set(session->org, sizeof(session->org), connect->org);
	session->path =
	    answer->path == NULL ? NULL : trust_path_ref(answer->path);
	session->valid_until = answer->valid_until;
	session->sight = SIGHT_KNOWN;
	session->reviewed = instance->generation;
	if (connect->leaf != NULL) {
		memcpy(session->fingerprint,
		    leaf_info(connect->leaf)->fingerprint, HASH_LEN);
	}
	if (grants_new(tenant->topics, tenant->topic_count, connect->org,
	        &answer->who, &session->grants) != RES_OK ||
	    mosquitto_set_username(connect->client, name) != ANSWER_OK) {
		session_remove(&instance->sessions, session);
		return false;
	}
	session->leaf = connect->leaf;
	session->chain = mark_chain(connect->mark);
	connect->leaf = NULL;
	return true;
}

static void
tell(struct instance *instance, const struct connect *connect,
    const struct leaf *leaf, const struct answer *answer)
{
	struct subject subject = {.client_id = connect->id,
	    .address = connect->address,
	    .org = connect->org,
	    .leaf = leaf};

	if (answer->has_ca) {
		subject.ca =
		    snapshot_ca(instance->snapshot, connect->org, answer->ca);
	}
	report_decision(&instance->report, &subject, answer, instance->now_ms);
}

/* A certificate whose handshake we did not see: somebody else decided it. */
static const char *
find_objection(struct instance *instance, const struct connect *connect)
{
	if (!connect->has_certificate || instance->handshake == NULL ||
	    connect->mark != NULL) {
		return NULL;
	}
	if (!instance->told_unmarked) {
		instance->told_unmarked = true;
		report_text(LOG_ERROR,
		    "a client came through a TLS handshake that was not "
		    "verified here, and is refused, as all such are: this "
		    "broker or another plugin verifies certificates by "
		    "itself; set plugin_opt_tls_verify broker");
	}
	return "the handshake was not verified by certid: see the broker's "
	       "log";
}

/* Client ids are the broker's, and so one for all orgs.  Where the templates of
 * two orgs lead to one client id, the second device must not take over the
 * session of the first. */
static bool
is_taken(struct instance *instance, const struct connect *connect)
{
	const struct session *session =
	    session_of_id(&instance->sessions, connect->id);

	return session != NULL && session->kind == SESSION_DEVICE &&
	    (session->online || !session->fleeting) &&
	    strcmp(session->org, connect->org) != 0;
}

static void
decide(struct instance *instance, const struct connect *connect,
    const struct request *request, struct answer *answer)
{
	admission_decide(instance->snapshot, connect->org, request,
	    instance_lookup, instance, answer, NULL);
	if (reason_admits(answer->verdict.reason) &&
	    is_taken(instance, connect)) {
		answer->verdict.reason = REASON_CLIENT_ID;
		answer->verdict.action = ACTION_NONE;
		answer->detail = "the session belongs to a device of another "
		                 "org: put {org} into the client-id template";
	}
}

static int
answer_device(struct instance *instance, struct connect *connect)
{
	const struct leaf *leaf = connect->leaf; /* the session takes it */
	const struct request request = {.leaf = leaf,
	    .chain = mark_chain(connect->mark),
	    .path = mark_path(connect->mark),
	    .objection = find_objection(instance, connect),
	    .verdicts = instance->verdicts,
	    .generation = instance->generation,
	    .client_id = connect->id == NULL ? "" : connect->id,
	    .username = connect->username,
	    .password = connect->password,
	    .malformed = connect->has_certificate && leaf == NULL
	        ? "the certificate cannot be read"
	        : NULL,
	    .tls = connect->has_certificate || instance->options.assume_tls,
	    .can_record = worker_has_room(instance->worker),
	    .clock_is_set = clock_is_set(instance->now),
	    .now = instance->now};
	struct answer answer;
	enum reason *reason = &answer.verdict.reason;

	decide(instance, connect, &request, &answer);
	/* A refused device may have to be written too: as pending. */
	if (!record(instance, connect, &answer)) {
		*reason = REASON_REGISTRY_BUSY;
	} else if (reason_admits(*reason) &&
	    !admit(instance, connect, &answer)) {
		*reason = REASON_REGISTRY_ERROR;
	}
	tell(instance, connect, leaf, &answer);
	answer_done(&answer);
	return reason_admits(*reason)
	    ? ANSWER_OK
	    : broker_refusal(&instance->broker, *reason);
}

int
auth_basic(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_basic_auth *auth = event_data;
	struct instance *instance = userdata;
	struct connect connect = {.client = auth->client};
	struct x509_st *cert;
	struct session *session;
	int answer;

	(void)event;
	if (!instance_is_home(instance)) {
		return instance->options.others == OTHERS_DEFER ? ANSWER_DEFER
		                                                : ANSWER_AUTH;
	}
	turn_at_connect(instance);
	connect.id = mosquitto_client_id(auth->client);
	connect.username = auth->username;
	connect.password = auth->password;
	connect.address = mosquitto_client_address(auth->client);
	cert = mosquitto_client_certificate(auth->client);
	connect.has_certificate = cert != NULL;
	connect.mark = cert == NULL ? NULL : mark_of(cert);
	connect.org = mark_org(connect.mark);
	connect.leaf = cert == NULL ? NULL : leaf_adopt(cert);

	session = session_find(&instance->sessions, auth->client, connect.id,
	    mosquitto_client_username(auth->client));
	if (is_again(instance, &connect, session)) {
		answer = answer_again(session);
		leaf_free(connect.leaf);
		return answer;
	}
	/* The pointer may have been another client's before. */
	session = session_at(&instance->sessions, auth->client);
	if (session != NULL) {
		session_remove(&instance->sessions, session);
	}
	answer = !connect.has_certificate &&
	        !admission_names_device(connect.id, connect.username)
	    ? answer_other(instance, &connect)
	    : answer_device(instance, &connect);
	leaf_free(connect.leaf);
	return answer;
}

/*
 * MQTT 5 extended authentication is another plugin's business, and never makes
 * a client a device.  What we knew of this pointer is forgotten, so that the
 * will of a client that breaks off is not taken for a device's.
 */
int
auth_extended(int event, void *event_data, void *userdata)
{
	struct mosquitto_evt_extended_auth *auth = event_data;
	struct instance *instance = userdata;
	const char *id = mosquitto_client_id(auth->client);
	const char *name = mosquitto_client_username(auth->client);
	struct session *session;

	(void)event;
	if (!instance_is_home(instance)) {
		return ANSWER_DEFER;
	}
	session = session_at(&instance->sessions, auth->client);
	if (session != NULL) {
		session_remove(&instance->sessions, session);
	}
	if (instance->options.others == OTHERS_REFUSE ||
	    admission_names_device(id, name)) {
		return ANSWER_AUTH;
	}
	session =
	    session_add(&instance->sessions, auth->client, id, name, NULL);
	if (session == NULL) {
		return ANSWER_AUTH;
	}
	session->kind = instance->options.others == OTHERS_ALLOW
	    ? SESSION_FREE
	    : SESSION_DEFERRED;
	return ANSWER_DEFER;
}
