/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/edit_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Everything about an org goes here, its first topic rules too. */
#define KIND_SETTING "setting-changed"
#define RULE_WHO     "default"
#define RULE_LEVEL   "cert"

static const struct {
	const char *key, *value;
} first_settings[] = {
    {"enrol", "auto"},
    {"client-id", "{class}:{type}:{id}"},
    {"topics", "on"},
    {"types", "open"},
    {"ca-proof", "off"},
};

#define TOPIC(set, access, filter)                                             \
	{                                                                      \
		set, access, filter, "added: all " access " " filter           \
	}

static const struct {
	enum starter_topics set;
	const char *access, *filter, *detail;
} first_topics[] = {
    TOPIC(STARTER_PLAIN, "both", "{class}/{type}/{id}/#"),
    TOPIC(STARTER_IOT_2, "publish", "iot-2/type/{type}/id/{id}/evt/+/fmt/+"),
    TOPIC(STARTER_IOT_2, "subscribe", "iot-2/type/{type}/id/{id}/cmd/+/fmt/+"),
};

/* What a new org starts with, as records that changes can lend. */
struct starter {
	struct org org;
	struct rule_record rule;
	struct setting_record settings[COUNT(first_settings)];
	struct topic_record topics[COUNT(first_topics)];
	struct change changes[2 + COUNT(first_settings) + COUNT(first_topics)];
	char *details[2 + COUNT(first_settings) + COUNT(first_topics)];
	size_t count;
};

static struct change *
add_change(struct starter *starter, const struct edit *edit,
    enum change_kind kind, const char *event_kind)
{
	struct change *change = &starter->changes[starter->count++];

	*change = (struct change){
	    .kind = kind,
	    .org = edit->org,
	    .time = edit->now,
	    .actor = edit->actor,
	    .event_kind = event_kind,
	};
	return change;
}

static void
start_rule(struct starter *starter, const struct edit *edit)
{
	struct change *change =
	    add_change(starter, edit, CHANGE_RULE_SET, "rule-changed");

	text_set(starter->rule.who, sizeof(starter->rule.who), RULE_WHO);
	text_set(starter->rule.level, sizeof(starter->rule.level), RULE_LEVEL);
	change->of.rule = &starter->rule;
	change->event_subject = RULE_WHO;
	change->event_detail = RULE_LEVEL;
}

/* A text that found no memory stays NULL, which apply refuses; this says it
 * before. */
static bool
start_settings(struct starter *starter, const struct edit *edit)
{
	struct setting_record *setting;
	struct change *change;
	size_t i;

	for (i = 0; i < COUNT(first_settings); i++) {
		setting = &starter->settings[i];
		text_set(
		    setting->key, sizeof(setting->key), first_settings[i].key);
		setting->value = strdup(first_settings[i].value);
		if (setting->value == NULL) {
			return false;
		}
		change =
		    add_change(starter, edit, CHANGE_SETTING_SET, KIND_SETTING);
		change->of.setting = setting;
		change->event_subject = first_settings[i].key;
		change->event_detail = first_settings[i].value;
	}
	return true;
}

static bool
start_topics(
    struct starter *starter, const struct edit *edit, enum starter_topics set)
{
	struct topic_record *topic;
	struct change *change;
	size_t i;

	for (i = 0; i < COUNT(first_topics); i++) {
		if (first_topics[i].set != set) {
			continue;
		}
		topic = &starter->topics[i];
		text_set(topic->who, sizeof(topic->who), "all");
		text_set(topic->access, sizeof(topic->access),
		    first_topics[i].access);
		topic->filter = strdup(first_topics[i].filter);
		if (topic->filter == NULL) {
			return false;
		}
		change =
		    add_change(starter, edit, CHANGE_TOPIC_ADD, KIND_SETTING);
		change->of.topic = topic;
		change->event_subject = "topic";
		change->event_detail = first_topics[i].detail;
	}
	return true;
}

static void
starter_done(struct starter *starter)
{
	size_t i;

	for (i = 0; i < COUNT(first_settings); i++) {
		setting_record_done(&starter->settings[i]);
	}
	for (i = 0; i < COUNT(first_topics); i++) {
		topic_record_done(&starter->topics[i]);
	}
	for (i = 0; i < COUNT(starter->details); i++) {
		free(starter->details[i]);
	}
}

/* All changes in one transaction, their events signed. */
static enum res
apply(struct starter *starter, const struct edit *edit, struct diag *why)
{
	struct change *change;
	size_t i;

	for (i = 0; i < starter->count; i++) {
		change = &starter->changes[i];
		starter->details[i] =
		    edit_sign(edit, edit_describe("%s", change->event_detail));
		if (starter->details[i] == NULL) {
			return diag_res(why, RES_NOMEM, "no memory left");
		}
		change->event_detail = starter->details[i];
	}
	return registry_apply(
	    edit->registry, starter->changes, starter->count, APPLY_ALL, why);
}

/* Complete what add_change() began, and apply it. */
static enum res
start(struct starter *starter, const struct edit *edit,
    enum starter_topics topics, struct diag *why)
{
	enum res r;

	start_rule(starter, edit);
	r = start_settings(starter, edit) && start_topics(starter, edit, topics)
	    ? RES_OK
	    : diag_res(why, RES_NOMEM, "no memory left");
	if (r == RES_OK) {
		r = apply(starter, edit, why);
	}
	starter_done(starter);
	return r;
}

enum res
edit_org_start(
    const struct edit *edit, enum starter_topics topics, struct diag *why)
{
	struct starter starter = {0};

	return start(&starter, edit, topics, why);
}

/* The name in an org's record; registry_apply() looks at its letters. */
static enum res
put_name(struct org *org, const char *name, struct diag *why)
{
	if (!text_copy(org->name, sizeof(org->name), name, strlen(name))) {
		return diag_res(why, RES_LIMIT,
		    "the name of the org is too long: at most %d bytes",
		    NAME_MAX_LEN);
	}
	return RES_OK;
}

/*
 * The names of servers, by which clients ask for an org, do not tell letter
 * case apart (RFC 4343).  The same name once more is registry_apply()'s to
 * answer.
 */
static enum res
check_twins(const struct edit *edit, struct diag *why)
{
	struct config config = {0};
	const char *name;
	enum res r = registry_load(edit->registry, &config, why);
	size_t i;

	for (i = 0; r == RES_OK && i < config.org_count; i++) {
		name = config.orgs[i].name;
		if (text_equal_nocase(name, edit->org) &&
		    strcmp(name, edit->org) != 0) {
			r = diag_res(why, RES_EXISTS,
			    "there is an org %s already, which differs from %s "
			    "in letter case alone, and names of servers do not "
			    "tell that: choose another name",
			    name, edit->org);
		}
	}
	config_done(&config);
	return r;
}

enum res
edit_org_add(
    const struct edit *edit, enum starter_topics topics, struct diag *why)
{
	struct starter starter = {.org = {.created_at = edit->now}};
	struct change *change;
	enum res r = put_name(&starter.org, edit->org, why);

	if (r == RES_OK) {
		r = check_twins(edit, why);
	}
	if (r != RES_OK) {
		return r;
	}
	change = add_change(&starter, edit, CHANGE_ORG_ADD, KIND_SETTING);
	change->of.org = &starter.org;
	change->event_subject = "org";
	change->event_detail = "added";
	return start(&starter, edit, topics, why);
}

enum res
edit_org_remove(const struct edit *edit, struct diag *why)
{
	char detail[NAME_MAX_LEN + sizeof("org  removed")];
	struct starter starter = {.org = {.created_at = edit->now}};
	struct change *change;
	enum res r;

	if (strcmp(edit->org, ORG_DEFAULT) == 0) {
		return diag_res(why, RES_REFUSED,
		    "the org %s is always there: it cannot be removed",
		    ORG_DEFAULT);
	}
	r = put_name(&starter.org, edit->org, why);
	if (r != RES_OK) {
		return r;
	}
	/* Its own events go with it: this one stays, in the default org. */
	(void)snprintf(
	    detail, sizeof(detail), "org %s removed", starter.org.name);
	change = add_change(&starter, edit, CHANGE_ORG_REMOVE, KIND_SETTING);
	change->org = ORG_DEFAULT;
	change->of.org = &starter.org;
	change->event_subject = "org";
	change->event_detail = detail;
	r = apply(&starter, edit, why);
	starter_done(&starter);
	return r;
}
