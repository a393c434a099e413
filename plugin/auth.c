/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <mosquitto_broker.h>
#include <string.h>

#include "plugin/record.h"

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

static void
count(struct instance *instance, const struct connect *connect,
    enum reason reason)
{
	metrics_decision(
	    &instance->metrics, reason, metrics_clock() - connect->started);
}

static int
refuse_other(struct instance *instance, const struct connect *connect,
    enum reason reason, const char *detail)
{
	const struct subject subject = {
	    .client_id = connect->id, .address = connect->address};
	const struct answer answer = {
	    .verdict.reason = reason, .detail = detail};

	report_decision(&instance->report, &subject, &answer, instance->now_ms);
	count(instance, connect, reason);
	return broker_refusal(&instance->broker, reason);
}

/* Whether the client id is that of a device's session, which nobody who is none
 * may take over, nor even try: his password is not checked yet. */
static bool
is_of_device(const struct instance *instance, const char *client_id)
{
	return session_is_held(session_of_id(&instance->sessions, client_id));
}

static int
answer_other(struct instance *instance, const struct connect *connect)
{
	struct session *session;

	if (instance->options.others == OTHERS_REFUSE) {
		return refuse_other(
		    instance, connect, REASON_NOT_A_DEVICE, NULL);
	}
	if (is_of_device(instance, connect->id)) {
		return refuse_other(instance, connect, REASON_CLIENT_ID,
		    "the session belongs to a device");
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
	record_takeover(instance, connect, answer);
	session = session_add(&instance->sessions, connect->client, connect->id,
	    name, &answer->who);
	if (session == NULL) {
		return false;
	}
	describe_session(connect, session);
	text_set(session->org, sizeof(session->org), connect->org);
	session->path =
	    answer->path == NULL ? NULL : trust_path_ref(answer->path);
	session->seen_with = answer->seen_with;
	session->token = answer->token;
	session->device_token = answer->token;
	session->presented = answer->presented;
	session->pins = answer->verdict.action == ACTION_NONE
	    ? answer->pins_before
	    : answer->verdict.pins;
	session_bound(session, answer->valid_until);
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

/* Whether the client id is that of who, and not only one that his suffix makes
 * of it. */
static bool
is_his_own(const struct instance *instance, const struct connect *connect,
    const struct identity *who)
{
	const struct tenant *tenant =
	    snapshot_tenant(instance->snapshot, connect->org);
	struct identity owner;

	return tenant != NULL &&
	    client_template_read(&tenant->policy.client_template, connect->org,
	        connect->id, &owner) &&
	    identity_equal(&owner, who);
}

/*
 * Client ids are the broker's, and so one for all orgs.  Where the templates of
 * two orgs lead to one client id, the second device must not take over the
 * session of the first; nor, where a template ends in '*', one device that of
 * another, whose client id is his own with a suffix.  NULL, or a constant
 * sentence.
 */
static const char *
find_owner(const struct instance *instance, const struct connect *connect,
    const struct identity *who)
{
	const struct session *session =
	    session_of_id(&instance->sessions, connect->id);

	if (!session_is_held(session)) {
		return NULL;
	}
	if (strcmp(session->org, connect->org) != 0) {
		return "the session belongs to a device of another org: put "
		       "{org} into the client-id template";
	}
	return identity_equal(&session->who, who) ||
	        is_his_own(instance, connect, who)
	    ? NULL
	    : "the session belongs to another device: put a byte that no id "
	      "holds before the '*' of the client-id template";
}

/*
 * Whether this connection uses TLS.  2.0 does not tell through which listener
 * it came; there only what is known of all of them helps, and only where the
 * plugin has the handshakes of its own listeners in hand.
 */
static bool
is_tls(const struct instance *instance, const struct connect *connect)
{
	const struct listeners *listeners = instance->listeners;

	if (connect->has_certificate || instance->options.assume_tls) {
		return true;
	}
	if (listeners == NULL) {
		return false;
	}
	if (instance->broker.is_2_1) {
		return listeners_have_tls(
		    listeners, broker_port(&instance->broker, connect->client));
	}
	return instance->handshake != NULL && listeners_all_have_tls(listeners);
}

static void
decide(struct instance *instance, const struct connect *connect,
    const struct request *request, struct answer *answer)
{
	const struct source source = instance_source(instance);
	const char *objection;

	admission_decide(
	    instance->snapshot, connect->org, request, &source, answer, NULL);
	if (!reason_admits(answer->verdict.reason)) {
		return;
	}
	objection = find_owner(instance, connect, &answer->who);
	if (objection != NULL) {
		answer->verdict.reason = REASON_CLIENT_ID;
		answer->verdict.action = ACTION_NONE;
		answer->detail = objection;
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
	    .address = connect->address,
	    .tls = is_tls(instance, connect),
	    .tls_unknown = !instance_knows_tls(instance),
	    .can_record = worker_has_room(instance->worker),
	    .clock_is_set = clock_is_set(instance->now),
	    .now = instance->now};
	struct answer answer;
	enum reason *reason = &answer.verdict.reason;

	decide(instance, connect, &request, &answer);
	/* A refused device may have to be written too: as pending. */
	record_answer(instance, connect, &answer);
	if (reason_admits(*reason) && !admit(instance, connect, &answer)) {
		*reason = REASON_REGISTRY_ERROR;
	}
	tell(instance, connect, leaf, &answer);
	count(instance, connect, *reason);
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
	struct connect connect = {
	    .client = auth->client, .started = metrics_clock()};
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
	connect.org = cert == NULL ? snapshot_org_of_client(instance->snapshot,
	                                 connect.id, connect.username)
	                           : mark_org(connect.mark);
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
	    admission_names_device(id, name) || is_of_device(instance, id)) {
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
