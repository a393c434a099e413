/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * permissive: a plugin that lets everybody in but the user "backend", of whom
 * it has no opinion.  For the test that nobody whom it let in before
 * mosquitto_certid was asked may do anything.
 */
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stddef.h>
#include <string.h>

/* From mosquitto.h, which another package ships. */
#define SUCCESS 0
#define DEFER   17

static mosquitto_plugin_id_t *self;

static int
let_in(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_basic_auth *connect = event_data;
	const char *name = connect->username;

	(void)event;
	(void)userdata;
	return name != NULL && strcmp(name, "backend") == 0 ? DEFER : SUCCESS;
}

int
mosquitto_plugin_version(int count, const int *versions)
{
	int i;

	for (i = 0; i < count; i++) {
		if (versions[i] == 5) {
			return 5;
		}
	}
	return -1;
}

int
mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **user_data,
    struct mosquitto_opt *options, int count)
{
	(void)user_data;
	(void)options;
	(void)count;
	self = identifier;
	return mosquitto_callback_register(
	    self, MOSQ_EVT_BASIC_AUTH, let_in, NULL, NULL);
}

int
mosquitto_plugin_cleanup(
    void *user_data, struct mosquitto_opt *options, int count)
{
	(void)user_data;
	(void)options;
	(void)count;
	return mosquitto_callback_unregister(
	    self, MOSQ_EVT_BASIC_AUTH, let_in, NULL);
}
