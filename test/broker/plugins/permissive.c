/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * permissive: a plugin that lets everybody in.  For the test that nobody whom
 * it let in before mosquitto_certid was asked may do anything.
 */
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stddef.h>

/* From mosquitto.h, which another package ships. */
#define SUCCESS 0

static mosquitto_plugin_id_t *self;

static int
let_in(int event, void *event_data, void *userdata)
{
	(void)event;
	(void)event_data;
	(void)userdata;
	return SUCCESS;
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
