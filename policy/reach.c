/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/reach.h"

#include <string.h>

#include "policy/policy.h"
#include "policy/topic.h"

/* One rule beside one topic. */
struct walk {
	const struct topic_rule *rule;
	const char *org;
	enum reach how;
	const char *topic;
	reach_accept *accept;
	void *context;
	struct identity who; /* as far as it has been read */
};

static bool walk(struct walk *walk, const char *rule, const char *topic);

/* A name has been read to its end: does it hold? */
static bool
arrive(struct walk *walk)
{
	char filter[TOPIC_MAX + 1];
	struct identity who = walk->who;
	struct device_type type;
	const char *ignored;

	who.type.class = 'd';
	if (who.type.name[0] == '\0' &&
	    device_type_parse(walk->rule->who, strlen(walk->rule->who), &type,
	        &ignored) == RES_OK) {
		who.type = type;
	}
	if (who.id[0] == '\0' || who.type.name[0] == '\0' ||
	    !topic_rule_concerns(walk->rule, &who) ||
	    !policy_fill(
	        walk->rule->filter, walk->org, &who, filter, sizeof(filter))) {
		return false;
	}
	return (walk->how == REACH_SUBSCRIBE
	               ? topic_covers(filter, walk->topic)
	               : topic_matches(filter, walk->topic)) &&
	    walk->accept(&who, walk->context);
}

/* What a word may hold at most; the grammar is identity_parse()'s. */
static size_t
span(const char *topic, size_t max, bool with_colon)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789._-:";
	size_t n = 0;

	while (n < max && topic[n] != '\0' && topic[n] != '/' &&
	    strchr(letters, topic[n]) != NULL &&
	    (with_colon || topic[n] != ':')) {
		n++;
	}
	return n;
}

/* The word that is to be read here, at every length that it may have: another
 * word may follow without anything in between. */
static bool
read_word(struct walk *at, const char *rest, const char *topic, char *to,
    size_t max, bool with_colon)
{
	size_t known = strlen(to), n;

	if (known > 0) {
		return strncmp(topic, to, known) == 0 &&
		    walk(at, rest, topic + known);
	}
	for (n = span(topic, max, with_colon); n > 0; n--) {
		memcpy(to, topic, n);
		to[n] = '\0';
		if (walk(at, rest, topic + n)) {
			return true;
		}
	}
	to[0] = '\0';
	return false;
}

/* One '+' of the rule is one level of the topic, whatever is in it. */
static bool
pass_level(struct walk *at, const char *rest, const char *topic)
{
	return walk(at, rest, topic + strcspn(topic, "/"));
}

/*
 * Read the words of a rule out of a topic.  What is not a word is compared, so
 * that few ways are gone; arrive() has the last word about all of it.
 */
static bool
walk(struct walk *at, const char *rule, const char *topic)
{
	size_t len, org_len = strlen(at->org);

	while (*rule != '\0') {
		switch (policy_word(rule, &len)) {
		case WORD_ID:
			return read_word(at, rule + len, topic, at->who.id,
			    IDENTITY_ID_MAX, true);
		case WORD_TYPE:
			return read_word(at, rule + len, topic,
			    at->who.type.name, IDENTITY_TYPE_MAX, false);
		case WORD_CLASS:
			if (*topic != 'd') {
				return false;
			}
			rule += len;
			topic++;
			continue;
		case WORD_ORG:
			if (strncmp(topic, at->org, org_len) != 0) {
				return false;
			}
			rule += len;
			topic += org_len;
			continue;
		default:
			break;
		}
		if (*rule == '#' ||
		    (*topic == '\0' && strcmp(rule, "/#") == 0)) {
			return arrive(at);
		}
		if (*rule == '+') {
			return pass_level(at, rule + 1, topic);
		}
		if (*rule++ != *topic++) {
			return false;
		}
	}
	return *topic == '\0' && arrive(at);
}

/* What a shared subscription subscribes to (MQTT 5.0, 4.8.2). */
static const char *
without_share(const char *filter)
{
	const char *group;

	if (strncmp(filter, "$share/", strlen("$share/")) != 0) {
		return filter;
	}
	group = filter + strlen("$share/");
	filter = strchr(group, '/');
	return filter == NULL || filter == group ? "" : filter + 1;
}

bool
reach_device(const struct topic_rule *rules, size_t n, const char *org,
    enum reach how, const char *topic, reach_accept *accept, void *context)
{
	enum access access =
	    how == REACH_PUBLISH ? ACCESS_PUBLISH : ACCESS_SUBSCRIBE;
	const char *name =
	    how == REACH_SUBSCRIBE ? without_share(topic) : topic;
	size_t i;

	if ((how == REACH_PUBLISH && topic[0] == '$') ||
	    strncmp(name, "$CONTROL", strlen("$CONTROL")) == 0) {
		return false;
	}
	for (i = 0; i < n; i++) {
		struct walk at = {.rule = &rules[i],
		    .org = org,
		    .how = how,
		    .topic = topic,
		    .accept = accept,
		    .context = context};

		if ((rules[i].access & access) != 0 && rules[i].who[0] != 'g' &&
		    walk(&at, rules[i].filter, name)) {
			return true;
		}
	}
	return false;
}
