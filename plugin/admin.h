/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * admin: who of the clients may manage an org over MQTT, what they may reach,
 * and their questions and answers.
 *
 * A device is an admin of its own org by its identity, while its session is in
 * good standing; a client that others authenticate is one of the org default by
 * its user name.  A client whom nobody authenticates never is.
 *
 * Broker's thread only.
 */
#ifndef PLUGIN_ADMIN_H
#define PLUGIN_ADMIN_H

#include "plugin/instance.h"

struct mosquitto_evt_acl_check;

/*
 * Whether the access is one that we decide, whatever other ACL sources say, and
 * then *answer: below $CONTROL/certid everybody is denied but admins, who may
 * publish to CONTROL_TOPIC and subscribe to CONTROL_RESPONSE; $SYS/broker/
 * certid is open to admins of the org default, and is otherwise not ours.
 */
bool admin_decides(struct instance *instance,
    const struct mosquitto_evt_acl_check *check, int *answer);

/* MOSQ_EVT_CONTROL.  Somebody who is no admin gets no answer. */
int admin_control(int event, void *event_data, void *userdata);

/* Hand the answer over to the one who asked, if he is still there. */
void admin_reply(struct instance *instance, struct news *news);

#endif /* PLUGIN_ADMIN_H */
