/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker: Mosquitto's plugin interface as this plugin uses it, the same on 2.0
 * and 2.1.  The only file besides plugin.c that knows the difference.
 *
 * Numbers that changed between the versions are written down here and not
 * taken from the header of the machine that compiled us; functions that only
 * 2.1 has are looked up at run time.
 *
 * Broker's thread only, unless said otherwise.
 */
#ifndef PLUGIN_BROKER_H
#define PLUGIN_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/reason.h"

struct mosquitto;
struct x509_st;

/* Answers to a callback. */
enum broker_answer {
	ANSWER_OK = 0,
	ANSWER_AUTH = 11,   /* refuse a connection */
	ANSWER_DENIED = 12, /* deny an access */
	ANSWER_DEFER = 17,  /* let the next plugin or file decide */
	ANSWER_EXISTS = 31, /* from registering a callback twice */
};

enum broker_access {
	BROKER_READ = 1, /* a delivery */
	BROKER_WRITE = 2,
	BROKER_SUBSCRIBE = 4,
	BROKER_UNSUBSCRIBE = 8,
};

enum broker_log {
	LOG_INFO = 1,
	LOG_NOTICE = 2,
	LOG_WARNING = 4,
	LOG_ERROR = 8,
};

/* What this broker is, found out once. */
struct broker {
	bool is_2_1;
	struct mosquitto *(*find)(const char *client_id); /* 2.1 only */
	int (*port)(const struct mosquitto *client);      /* 2.1 only */
	int (*set_info)(void *id, const char *name, const char *version);
};

void broker_look(struct broker *broker);

/*
 * Whether the broker holds client in its table of sessions now: true or
 * false on 2.1, unknown on 2.0.
 */
enum known { KNOWN_UNSURE = 0, KNOWN_YES, KNOWN_NO };
enum known broker_holds(
    const struct broker *broker, const struct mosquitto *client);

/* The TCP port of the listener that client came through; 0: not known. */
int broker_port(const struct broker *broker, const struct mosquitto *client);

/* The answer to a refused CONNECT: on 2.1 MQTT 5 clients are told more than
 * "not authorized".  2.0 would drop the connection without a word. */
int broker_refusal(const struct broker *broker, enum reason reason);

/* The answer to RELOAD that leaves other plugins and files alone. */
int broker_reload_answer(const struct broker *broker);

#endif /* PLUGIN_BROKER_H */
