/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * slow: a plugin that takes its time over each back-end application and then
 * has no opinion, so that a reload of the broker lasts longer than a second.
 */
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* From mosquitto.h, which another package ships. */
#define DEFER 17

static mosquitto_plugin_id_t *self;

static int
think(int event, void *event_data, void *userdata)
{
	const struct mosquitto_evt_basic_auth *connect = event_data;
	const struct timespec span = {.tv_nsec = 300 * 1000 * 1000};
	const char *name = connect->username;

	(void)event;
	(void)userdata;
	if (name != NULL && strcmp(name, "backend") == 0) {
		nanosleep(&span, NULL);
	}
	return DEFER;
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
	    self, MOSQ_EVT_BASIC_AUTH, think, NULL, NULL);
}

int
mosquitto_plugin_cleanup(
    void *user_data, struct mosquitto_opt *options, int count)
{
	(void)user_data;
	(void)options;
	(void)count;
	return mosquitto_callback_unregister(
	    self, MOSQ_EVT_BASIC_AUTH, think, NULL);
}
