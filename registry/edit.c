/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/edit_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE_DEFAULT   "default"
#define SUBJECT_TOPICS "topic"

struct change
edit_change(const struct edit *edit, enum change_kind kind,
    const char *event_kind, const char *subject)
{
	return (struct change){
	    .kind = kind,
	    .org = edit->org,
	    .time = edit->now,
	    .actor = edit->actor,
	    .event_kind = event_kind,
	    .event_subject = subject,
	};
}

char *
edit_describe(const char *format, ...)
{
	va_list args;
	char *detail;
	int len;

	va_start(args, format);
	len = vasprintf(&detail, format, args);
	va_end(args);
	return len < 0 ? NULL : detail;
}

char *
edit_describe_change(
    char *detail, const char *key, const char *old, const char *new)
{
	char *longer;

	if (detail == NULL || strcmp(old, new) == 0) {
		return detail;
	}
	longer = edit_describe("%s%s%s %s -> %s", detail,
	    detail[0] == '\0' ? "" : ", ", key, old, new);
	free(detail);
	return longer;
}

/* Whatever reads as part of another field, or as its end, is quoted. */
static bool
is_plain_name(const char *name)
{
	return name[0] != '\0' && strpbrk(name, " ,;=\"\\") == NULL;
}

/* name between double quotes, with a backslash before each quote and each
 * backslash in it. */
static char *
quote_name(const char *name)
{
	char *quoted = malloc(2 * strlen(name) + 3), *to = quoted;

	if (quoted == NULL) {
		return NULL;
	}
	*to++ = '"';
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\') {
			*to++ = '\\';
		}
		*to++ = *name;
	}
	*to++ = '"';
	*to = '\0';
	return quoted;
}

char *
edit_sign(const struct edit *edit, char *detail)
{
	char *name, *signed_detail;

	if (detail == NULL || edit->by == NULL) {
		return detail;
	}
	name =
	    is_plain_name(edit->by) ? strdup(edit->by) : quote_name(edit->by);
	signed_detail = name == NULL ? NULL
	                             : edit_describe("%s%sby=%s", detail,
	                                   detail[0] == '\0' ? "" : " ", name);
	free(name);
	free(detail);
	return signed_detail;
}

enum res
edit_apply(const struct edit *edit, struct change *change, char *detail,
    struct diag *why)
{
	enum res r;

	detail = edit_sign(edit, detail);
	if (detail == NULL) {
		return diag_res(why, RES_NOMEM, "no memory left");
	}
	change->event_detail = detail[0] == '\0' ? NULL : detail;
	r = registry_apply(edit->registry, change, 1, APPLY_ALL, why);
	free(detail);
	return r;
}

enum res
edit_apply_once(const struct edit *edit, struct change *change, char *detail,
    struct diag *why)
{
	struct diag said;
	enum res r = edit_apply(edit, change, detail, &said);

	return r == RES_OK || r == RES_EXISTS
	    ? RES_OK
	    : diag_res(why, r, "%s", said.text);
}

enum res
edit_put_word(char *to, size_t size, const char *word, const char *label,
    struct diag *why)
{
	if (word[0] == '\0') {
		return diag_res(why, RES_SYNTAX, "the %s is empty", label);
	}
	if (!text_copy(to, size, word, strlen(word))) {
		return diag_res(why, RES_LIMIT,
		    "the %s \"%s\" is too long: at most %zu bytes", label, word,
		    size - 1);
	}
	return RES_OK;
}

enum res
edit_put_org(
    const struct edit *edit, char org[NAME_MAX_LEN + 1], struct diag *why)
{
	return edit_put_word(
	    org, NAME_MAX_LEN + 1, edit->org, "name of the org", why);
}

/* The level of a rule as it is, "default" without one. */
static enum res
old_level(const struct edit *edit, const char *who, char level[WORD_MAX + 1],
    struct diag *why)
{
	struct config config = {0};
	enum res r;
	size_t i;

	text_set(level, WORD_MAX + 1, RULE_DEFAULT);
	r = registry_load(edit->registry, &config, why);
	for (i = 0; r == RES_OK && i < config.rule_count; i++) {
		if (strcmp(config.rules[i].org, edit->org) == 0 &&
		    strcmp(config.rules[i].who, who) == 0) {
			memcpy(level, config.rules[i].level, WORD_MAX + 1);
		}
	}
	config_done(&config);
	return r;
}

enum res
edit_rule_set(const struct edit *edit, const char *who, const char *level,
    struct diag *why)
{
	struct rule_record rule = {0};
	char old[WORD_MAX + 1];
	struct change change;
	enum res r;

	r = edit_put_word(rule.who, sizeof(rule.who), who, "rule", why);
	if (r == RES_OK) {
		r = edit_put_word(
		    rule.level, sizeof(rule.level), level, "level", why);
	}
	if (r == RES_OK) {
		r = old_level(edit, who, old, why);
	}
	if (r != RES_OK) {
		return r;
	}
	change = edit_change(edit, CHANGE_RULE_SET, "rule-changed", who);
	change.of.rule = &rule;
	return edit_apply(
	    edit, &change, edit_describe("%s -> %s", old, level), why);
}

enum res
edit_rule_unset(const struct edit *edit, const char *who, struct diag *why)
{
	struct rule_record rule = {0};
	char old[WORD_MAX + 1];
	struct change change;
	enum res r;

	if (strcmp(who, RULE_DEFAULT) == 0) {
		return diag_res(why, RES_REFUSED,
		    "an org always has a default rule: change it with certid "
		    "rule set default LEVEL");
	}
	r = edit_put_word(rule.who, sizeof(rule.who), who, "rule", why);
	if (r == RES_OK) {
		r = old_level(edit, who, old, why);
	}
	if (r != RES_OK) {
		return r;
	}
	change = edit_change(edit, CHANGE_RULE_UNSET, "rule-changed", who);
	change.of.rule = &rule;
	return edit_apply(
	    edit, &change, edit_describe("%s -> %s", old, RULE_DEFAULT), why);
}

static enum res
edit_topic(const struct edit *edit, enum change_kind kind, const char *verb,
    struct topic_record *topic, struct diag *why)
{
	struct change change =
	    edit_change(edit, kind, "setting-changed", SUBJECT_TOPICS);

	change.of.topic = topic;
	return edit_apply(edit, &change,
	    edit_describe(
	        "%s: %s %s %s", verb, topic->who, topic->access, topic->filter),
	    why);
}

static enum res
fill_topic(struct topic_record *topic, const char *who, const char *access,
    const char *filter, struct diag *why)
{
	enum res r;

	r = edit_put_word(
	    topic->who, sizeof(topic->who), who, "owner of a topic rule", why);
	if (r == RES_OK) {
		r = edit_put_word(topic->access, sizeof(topic->access), access,
		    "access of a topic rule", why);
	}
	if (r == RES_OK && filter[0] == '\0') {
		r = diag_res(why, RES_SYNTAX, "the topic filter is empty");
	}
	if (r == RES_OK && (topic->filter = strdup(filter)) == NULL) {
		r = diag_res(why, RES_NOMEM, "no memory left");
	}
	return r;
}

enum res
edit_topic_add(const struct edit *edit, const char *who, const char *access,
    const char *filter, struct diag *why)
{
	struct topic_record topic = {0};
	enum res r = fill_topic(&topic, who, access, filter, why);

	if (r == RES_OK) {
		r = edit_topic(edit, CHANGE_TOPIC_ADD, "added", &topic, why);
	}
	topic_record_done(&topic);
	return r;
}

enum res
edit_topic_remove(const struct edit *edit, const char *who, const char *access,
    const char *filter, struct diag *why)
{
	struct topic_record topic = {0};
	enum res r = fill_topic(&topic, who, access, filter, why);

	if (r == RES_OK) {
		r = edit_topic(
		    edit, CHANGE_TOPIC_REMOVE, "removed", &topic, why);
	}
	topic_record_done(&topic);
	return r;
}

static const char *
text_or_none(const char *text)
{
	return text[0] == '\0' ? "none" : text;
}

/* "auto -> approve", or the new value alone if there was none. */
static enum res
describe_setting(const struct edit *edit, const struct setting_record *setting,
    char **detail, struct diag *why)
{
	struct config config = {0};
	const char *old;
	enum res r;

	r = registry_load(edit->registry, &config, why);
	if (r != RES_OK) {
		return r;
	}
	old = config_setting(&config, edit->org, setting->key);
	*detail = old == NULL
	    ? edit_describe("%s", text_or_none(setting->value))
	    : edit_describe(
	          "%s -> %s", text_or_none(old), text_or_none(setting->value));
	config_done(&config);
	return RES_OK;
}

enum res
edit_setting(const struct edit *edit, const char *key, const char *value,
    struct diag *why)
{
	struct setting_record setting = {0};
	struct change change;
	char *detail = NULL;
	enum res r;

	r = edit_put_word(
	    setting.key, sizeof(setting.key), key, "setting", why);
	if (r != RES_OK) {
		return r;
	}
	setting.value = strdup(value);
	if (setting.value == NULL) {
		return diag_res(why, RES_NOMEM, "no memory left");
	}
	r = describe_setting(edit, &setting, &detail, why);
	if (r == RES_OK) {
		change = edit_change(
		    edit, CHANGE_SETTING_SET, "setting-changed", key);
		change.of.setting = &setting;
		r = edit_apply(edit, &change, detail, why);
	}
	setting_record_done(&setting);
	return r;
}

/* The device that a scan looks for: another spelling of who. */
struct twin {
	char wanted[IDENTITY_TEXT_MAX + 1];
	char found[IDENTITY_TEXT_MAX + 1];
};

static enum res
compare_case(const struct device *device, void *context)
{
	struct twin *twin = context;
	char text[IDENTITY_TEXT_MAX + 1];

	identity_format(&device->who, text);
	if (!text_equal_nocase(text, twin->wanted)) {
		return RES_OK;
	}
	memcpy(twin->found, text, sizeof(text));
	return RES_EXISTS; /* ends the scan */
}

/* May read every device of the org, for the sake of one sentence. */
static enum res
answer_case(const struct edit *edit, const char *text, struct diag *why)
{
	struct device_query query = {.org = edit->org};
	struct twin twin = {.found = ""};

	memcpy(twin.wanted, text, strlen(text) + 1);
	if (registry_scan(edit->registry, &query, compare_case, &twin, NULL) !=
	    RES_EXISTS) {
		twin.found[0] = '\0';
	}
	return diag_res(why, RES_EXISTS,
	    "the org %s has %s already, which differs from %s in letter case "
	    "alone: use that one, or remove it first",
	    edit->org, twin.found[0] == '\0' ? "a device" : twin.found, text);
}

static enum res
answer_known(const struct edit *edit, const struct device *there,
    const char *text, struct diag *why)
{
	static const char *const what_to_do[] = {
	    [DEVICE_PENDING] = "certid device approve admits it",
	    [DEVICE_ALLOWED] = "certid device set --window gives it a new "
	                       "window",
	    [DEVICE_PROVISIONED] = "to let it enrol anew, remove it first",
	};

	return diag_res(why, RES_EXISTS,
	    "the device %s is in the org %s already, %s%s: %s", text, edit->org,
	    device_state_name(there->state), there->locked ? " and locked" : "",
	    there->locked ? "certid device unlock admits it"
	                  : what_to_do[there->state]);
}

/* Why a device could not be added: said is the sentence so far. */
static enum res
answer_exists(const struct edit *edit, const struct device *device,
    const struct diag *said, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct device there = {.tags = NULL};
	bool clash = false;
	enum res r;

	identity_format(&device->who, text);
	r = registry_get(edit->registry, edit->org, &device->who, false, &there,
	    &clash, NULL);
	if (r == RES_OK) {
		r = answer_known(edit, &there, text, why);
		device_done(&there);
		return r;
	}
	return r == RES_NOTFOUND && clash
	    ? answer_case(edit, text, why)
	    : diag_res(why, RES_EXISTS, "%s", said->text);
}

enum res
edit_device_add(
    const struct edit *edit, struct device *device, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], until[TIME_MAX + 1];
	struct change change;
	struct diag said;
	enum res r = edit_put_org(edit, device->org, why);

	if (r != RES_OK) {
		return r;
	}
	device->state = DEVICE_ALLOWED;
	device->created_at = edit->now;
	identity_format(&device->who, text);
	clock_format(device->window_ends_at, until);
	change = edit_change(edit, CHANGE_DEVICE_ADD, "device-allowed", text);
	change.of.device = device;
	r = edit_apply(edit, &change,
	    device->window_ends_at == CLOCK_FOREVER
	        ? edit_describe("allowed without end")
	        : edit_describe("allowed until %s", until),
	    &said);
	if (r == RES_EXISTS) {
		return answer_exists(edit, device, &said, why);
	}
	return r == RES_OK ? r : diag_res(why, r, "%s", said.text);
}

/* Of a device, its name and whether it is locked are all that is needed. */
static struct change
device_change(const struct edit *edit, enum change_kind kind,
    const char *event_kind, struct device *device,
    char text[IDENTITY_TEXT_MAX + 1])
{
	struct change change = edit_change(edit, kind, event_kind, text);

	identity_format(&device->who, text);
	change.of.device = device;
	return change;
}

enum res
edit_device_lock(const struct edit *edit, const struct identity *who,
    bool locked, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct device device;
	struct change change;

	device_init(&device, edit->org, who);
	device.locked = locked;
	change = device_change(edit, CHANGE_DEVICE_LOCK,
	    locked ? "device-locked" : "device-unlocked", &device, text);
	return edit_apply_once(edit, &change, edit_describe("%s", ""), why);
}

enum res
edit_device_remove(
    const struct edit *edit, const struct identity *who, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct device device;
	struct change change;

	device_init(&device, edit->org, who);
	change = device_change(
	    edit, CHANGE_DEVICE_REMOVE, "device-removed", &device, text);
	return edit_apply(edit, &change, edit_describe("%s", ""), why);
}
