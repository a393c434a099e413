/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/broker.h"

#include <dlfcn.h>
#include <mosquitto_broker.h>
#include <stddef.h>

/* MQTT 5 reason codes that Mosquitto 2.1 passes on from BASIC_AUTH. */
enum {
	MQTT_CLIENT_ID_NOT_VALID = 133,
	MQTT_SERVER_BUSY = 137,
	MQTT_BANNED = 138,
};

void
broker_look(struct broker *broker)
{
	/* POSIX lets a data pointer hold a function; ISO C has no cast. */
	*(void **)&broker->find = dlsym(RTLD_DEFAULT, "mosquitto_client");
	*(void **)&broker->port = dlsym(RTLD_DEFAULT, "mosquitto_client_port");
	*(void **)&broker->set_info =
	    dlsym(RTLD_DEFAULT, "mosquitto_plugin_set_info");
	broker->is_2_1 =
	    dlsym(RTLD_DEFAULT, "mosquitto_complete_basic_auth") != NULL &&
	    broker->find != NULL;
}

enum known
broker_holds(const struct broker *broker, const struct mosquitto *client)
{
	const char *id;

	if (!broker->is_2_1) {
		return KNOWN_UNSURE;
	}
	id = mosquitto_client_id(client);
	return id != NULL && broker->find(id) == client ? KNOWN_YES : KNOWN_NO;
}

int
broker_port(const struct broker *broker, const struct mosquitto *client)
{
	return broker->is_2_1 && broker->port != NULL ? broker->port(client)
	                                              : 0;
}

static int
mqtt5_code(enum reason reason)
{
	switch (reason) {
	case REASON_CLIENT_ID:
		return MQTT_CLIENT_ID_NOT_VALID;
	case REASON_REGISTRY_ERROR:
	case REASON_REGISTRY_BUSY:
	case REASON_RATE:
		return MQTT_SERVER_BUSY;
	case REASON_DEVICE_LOCKED:
	case REASON_CERT_REVOKED:
		return MQTT_BANNED;
	case REASON_NONE:
	case REASON_NOT_A_DEVICE:
	case REASON_CERT_MISSING:
	case REASON_CERT_TOO_LARGE:
	case REASON_CERT_MALFORMED:
	case REASON_CERT_IS_CA:
	case REASON_CA_UNKNOWN:
	case REASON_CA_INACTIVE:
	case REASON_CA_UNPROVEN:
	case REASON_CA_EXPIRED:
	case REASON_CERT_EXPIRED:
	case REASON_CERT_NOT_YET_VALID:
	case REASON_CERT_PURPOSE:
	case REASON_CERT_WEAK:
	case REASON_CRL_MISSING:
	case REASON_CRL_STALE:
	case REASON_CERT_INVALID:
	case REASON_IDENTITY_NONE:
	case REASON_IDENTITY_SYNTAX:
	case REASON_IDENTITY_CONFLICT:
	case REASON_CA_SCOPE:
	case REASON_LEVEL_TLS:
	case REASON_LEVEL_CERT:
	case REASON_LEVEL_TOKEN:
	case REASON_TOKEN_WRONG:
	case REASON_DEVICE_PENDING:
	case REASON_DEVICE_UNLISTED:
	case REASON_WINDOW_EXPIRED:
	case REASON_TYPE_UNKNOWN:
	case REASON_ID_FORMAT:
	case REASON_IDENTITY_CASE:
	case REASON_ADDRESS:
	case REASON_QUOTA:
	case REASON_PIN_MISMATCH:
	case REASON_CLOCK_UNSET:
	case REASON_KNOWN:
	case REASON_PROVISIONED:
		break;
	}
	return ANSWER_AUTH;
}

int
broker_refusal(const struct broker *broker, enum reason reason)
{
	return broker->is_2_1 ? mqtt5_code(reason) : ANSWER_AUTH;
}

int
broker_reload_answer(const struct broker *broker)
{
	/* 2.0: anything but DEFER stops the plugins after us, and an error
	 * unregisters the password and ACL files.  2.1: anything but success
	 * ends the broker. */
	return broker->is_2_1 ? ANSWER_OK : ANSWER_DEFER;
}
