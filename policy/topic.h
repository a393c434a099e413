/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * topic: MQTT topic names and filters (MQTT 5.0, section 4.7).
 *
 * Pure string work, no allocation, any thread; cheap enough for every message.
 */
#ifndef POLICY_TOPIC_H
#define POLICY_TOPIC_H

#include <stdbool.h>

#define TOPIC_MAX 1024 /* bytes of a filter that an operator writes */

/* A filter by the rules of MQTT: '+' alone in a level, '#' alone in the last
 * one, not empty.  $share is not a filter but a way to subscribe: false. */
bool topic_filter_is_valid(const char *filter);

/* Whether a topic name matches a valid filter.  Wildcards in the first level
 * match no topic that begins with '$' (4.7.2).  A topic with a wildcard in it
 * matches nothing. */
bool topic_matches(const char *filter, const char *topic);

/*
 * Whether every topic that matches filter matches grant too: the rule for a
 * SUBSCRIBE.  filter may be $share/<group>/<filter> (4.8.2); the group does
 * not count, and an empty group or remainder is not covered.  A filter that
 * is not valid is covered by nothing.
 */
bool topic_covers(const char *grant, const char *filter);

#endif /* POLICY_TOPIC_H */
