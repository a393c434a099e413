/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reach: topic rules read backwards: which device does a topic speak of?
 *
 * A gateway acts for the devices behind it.  A rule such as {type}/{id}/#, of
 * which an identity makes a filter, shows in the topic meter/0001/state who is
 * meant.  Whatever is read from a topic counts only after the rule, filled in
 * with it, grants that very topic, as it would to the device itself.
 *
 * Rules that do not name {id}, or from which the type cannot be told, speak of
 * no device: a gateway needs such a rule for itself.  No allocation; any
 * thread.
 */
#ifndef POLICY_REACH_H
#define POLICY_REACH_H

#include "policy/grants.h"

enum reach {
	REACH_PUBLISH = 1,
	REACH_DELIVERY,  /* a topic with a grant to subscribe */
	REACH_SUBSCRIBE, /* a filter, which a grant covers */
};

/* Whether the device behind a topic is one that the asker may speak for. */
typedef bool reach_accept(const struct identity *who, void *context);

/*
 * Whether a rule for devices (class d), filled in for one that accept() takes,
 * grants topic.  accept() may be called several times, for different devices.
 * False for topics under $CONTROL and publications on $-topics.
 */
bool reach_device(const struct topic_rule *rules, size_t n, const char *org,
    enum reach how, const char *topic, reach_accept *accept, void *context);

#endif /* POLICY_REACH_H */
