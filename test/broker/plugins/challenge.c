/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * challenge: a plugin that answers MQTT 5 extended authentication with one more
 * question, for ever.  For the test that the will of a client which leaves in
 * the middle of that is not published.
 */
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stddef.h>

/* From mosquitto.h, which another package ships. */
#define AUTH_CONTINUE (-4)

static mosquitto_plugin_id_t *self;

static int
ask_more(int event, void *event_data, void *userdata)
{
	(void)event;
	(void)event_data;
	(void)userdata;
	return AUTH_CONTINUE;
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
	    self, MOSQ_EVT_EXT_AUTH_START, ask_more, NULL, NULL);
}

int
mosquitto_plugin_cleanup(
    void *user_data, struct mosquitto_opt *options, int count)
{
	(void)user_data;
	(void)options;
	(void)count;
	return mosquitto_callback_unregister(
	    self, MOSQ_EVT_EXT_AUTH_START, ask_more, NULL);
}
