/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/grants.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "policy/policy.h"
#include "policy/topic.h"

struct grant {
	enum access access;
	char *filter; /* with its words filled in */
};

struct grants {
	size_t count;
	struct grant list[];
};

static const char *const names[] = {
    [ACCESS_NONE] = "none",
    [ACCESS_PUBLISH] = "publish",
    [ACCESS_SUBSCRIBE] = "subscribe",
    [ACCESS_BOTH] = "both",
};

const char *
access_name(enum access access)
{
	return (size_t)access <= ACCESS_BOTH ? names[access] : names[0];
}

bool
access_parse(const char *name, enum access *out)
{
	size_t i;

	for (i = ACCESS_PUBLISH; i <= ACCESS_BOTH; i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum access)i;
			return true;
		}
	}
	return false;
}

static enum res
check_who(const char *who, struct diag *why)
{
	struct device_type type;
	const char *detail;
	enum res r;

	if (strcmp(who, "all") == 0 || strcmp(who, "d") == 0 ||
	    strcmp(who, "g") == 0) {
		return RES_OK;
	}
	r = device_type_parse(who, strlen(who), &type, &detail);
	if (r != RES_OK) {
		return diag_res(why, r,
		    "\"%s\" is not all, d, g or a device type: %s", who,
		    detail);
	}
	return RES_OK;
}

/* Whether the first level of filter is word. */
static bool
begins_with_level(const char *filter, const char *word)
{
	size_t len = strlen(word);

	return strncmp(filter, word, len) == 0 &&
	    (filter[len] == '/' || filter[len] == '\0');
}

/* What is the broker's own: topics that begin with '$'. */
static enum res
check_dollar(const struct topic_rule *rule, struct diag *why)
{
	const char *filter = rule->filter;

	if (filter[0] != '$') {
		return RES_OK;
	}
	if (begins_with_level(filter, "$share")) {
		return diag_res(why, RES_REFUSED,
		    "a topic rule does not name $share; write the filter "
		    "without it, and it holds for shared subscriptions too");
	}
	if (begins_with_level(filter, "$CONTROL")) {
		return diag_res(why, RES_REFUSED,
		    "$CONTROL is for administrators; no topic rule grants it");
	}
	/* "${type}" with a type CONTROL would be just that. */
	if (strcspn(filter, "{") < strcspn(filter, "/")) {
		return diag_res(why, RES_REFUSED,
		    "the first level of a topic filter that begins with $ "
		    "cannot hold a word to be filled in");
	}
	if ((rule->access & ACCESS_PUBLISH) != 0) {
		return diag_res(why, RES_REFUSED,
		    "clients cannot publish on topics that begin with $; "
		    "grant subscribe alone");
	}
	return RES_OK;
}

static enum res
check_filter(const char *filter, struct diag *why)
{
	size_t len = strlen(filter);

	if (len > TOPIC_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the topic filter is %zu bytes long; write at most %d", len,
		    TOPIC_MAX);
	}
	if (!text_is_printable_utf8(filter, len)) {
		return diag_res(why, RES_SYNTAX,
		    "the topic filter holds a control character or is not "
		    "UTF-8; write it in printable text");
	}
	/* No word fills in as nothing, or with '/', '+' or '#': what is valid
	 * now is valid when the words are filled in. */
	if (!topic_filter_is_valid(filter)) {
		return diag_res(why, RES_SYNTAX,
		    "the topic filter is not valid; write '+' alone in a "
		    "level and '#' alone in the last one");
	}
	return policy_check_words(filter, why);
}

/* Between {type} and {id} there is a byte that no type holds.  Otherwise two
 * devices could share a topic, and reach.c would have to try every place where
 * one could end and the other begin. */
static enum res
check_apart(const char *filter, struct diag *why)
{
	const unsigned pair = WORD_TYPE | WORD_ID;
	unsigned word, seen = 0;
	bool apart = false;
	size_t len;

	for (; *filter != '\0'; filter += len) {
		word = policy_word(filter, &len);
		if (word == 0) {
			apart = apart || policy_ends_type(*filter);
			len = 1;
		} else if ((word & pair) != 0 && seen == 0) {
			seen = word;
			apart = false;
		} else if ((word & pair & ~seen) != 0) {
			return apart
			    ? RES_OK
			    : diag_res(why, RES_SYNTAX,
			          "two devices could share a topic; write a "
			          "'/' between {type} and {id}");
		}
	}
	return RES_OK;
}

enum res
topic_rule_check(const struct topic_rule *rule, struct diag *why)
{
	enum res r = check_who(rule->who, why);

	if (r != RES_OK) {
		return r;
	}
	if (rule->access <= ACCESS_NONE || rule->access > ACCESS_BOTH) {
		return diag_res(why, RES_SYNTAX,
		    "the access of a topic rule is publish, subscribe or both");
	}
	if ((r = check_dollar(rule, why)) != RES_OK) {
		return r;
	}
	if ((r = check_filter(rule->filter, why)) != RES_OK) {
		return r;
	}
	return check_apart(rule->filter, why);
}

bool
topic_rule_concerns(const struct topic_rule *rule, const struct identity *who)
{
	char type[TYPE_TEXT_MAX + 1];

	if (strcmp(rule->who, "all") == 0) {
		return true;
	}
	if (rule->who[0] != who->type.class) {
		return false;
	}
	device_type_format(&who->type, type);
	return rule->who[1] == '\0' || strcmp(rule->who, type) == 0;
}

/* Fill in one rule, as one more grant. */
static enum res
add(struct grants *grants, const struct topic_rule *rule, const char *org,
    const struct identity *who)
{
	struct grant *grant = &grants->list[grants->count];
	char filter[TOPIC_MAX + 1];

	if (!policy_fill(rule->filter, org, who, filter, sizeof(filter))) {
		return RES_LIMIT;
	}
	if ((grant->filter = strdup(filter)) == NULL) {
		return RES_NOMEM;
	}
	grant->access = rule->access;
	grants->count++;
	return RES_OK;
}

enum res
grants_new(const struct topic_rule *rules, size_t n, const char *org,
    const struct identity *who, struct grants **out)
{
	struct grants *grants;
	size_t i, count = 0;
	enum res r = RES_OK;

	for (i = 0; i < n; i++) {
		/* Checked when it was written; this is the last look. */
		if ((r = topic_rule_check(&rules[i], NULL)) != RES_OK) {
			return r;
		}
		count += topic_rule_concerns(&rules[i], who) ? 1 : 0;
	}
	grants = calloc(1, sizeof(*grants) + count * sizeof(struct grant));
	if (grants == NULL) {
		return RES_NOMEM;
	}
	for (i = 0; r == RES_OK && i < n; i++) {
		if (topic_rule_concerns(&rules[i], who)) {
			r = add(grants, &rules[i], org, who);
		}
	}
	if (r != RES_OK) {
		grants_free(grants);
		return r;
	}
	*out = grants;
	return RES_OK;
}

void
grants_free(struct grants *grants)
{
	size_t i;

	for (i = 0; grants != NULL && i < grants->count; i++) {
		free(grants->list[i].filter);
	}
	free(grants);
}

/* Whether one of the grants for access says yes to name. */
static bool
allow(const struct grants *grants, enum access access, const char *name,
    bool (*says_yes)(const char *filter, const char *name))
{
	size_t i;

	for (i = 0; grants != NULL && i < grants->count; i++) {
		if ((grants->list[i].access & access) != 0 &&
		    says_yes(grants->list[i].filter, name)) {
			return true;
		}
	}
	return false;
}

bool
grants_allow_publish(const struct grants *grants, const char *topic)
{
	return topic[0] != '$' &&
	    allow(grants, ACCESS_PUBLISH, topic, topic_matches);
}

bool
grants_allow_delivery(const struct grants *grants, const char *topic)
{
	return allow(grants, ACCESS_SUBSCRIBE, topic, topic_matches);
}

bool
grants_allow_subscribe(const struct grants *grants, const char *filter)
{
	return allow(grants, ACCESS_SUBSCRIBE, filter, topic_covers);
}
