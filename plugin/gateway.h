/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gateway: what a gateway may do for the devices behind it.
 *
 * A device that is attached to it, provisioned and not locked, is one that it
 * speaks for: the topic rules of that device hold for the gateway too.  The
 * first publication for an attached device that was not seen yet provisions
 * it; a privileged gateway's also registers one that nobody has heard of, or
 * that an operator added and attached to none, if everything holds that such a
 * device has to meet by itself: admission_behind().
 *
 * Broker's thread only.
 */
#ifndef PLUGIN_GATEWAY_H
#define PLUGIN_GATEWAY_H

#include "plugin/instance.h"
#include "policy/reach.h"

/* Whether a device behind the session's gateway grants it this.  False for a
 * session of anything but a gateway.  A look-up, or a device to be written,
 * only where something is asked for the first time. */
bool gateway_may(struct instance *instance, struct session *session,
    enum reach how, const char *topic);

#endif /* PLUGIN_GATEWAY_H */
