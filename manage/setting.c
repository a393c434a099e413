/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * setting: certid set.
 */
#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"
#include "policy/policy.h"
#include "registry/event.h"

enum value_kind {
	VALUE_WORD = 0, /* one of words */
	VALUE_TEMPLATE, /* of client ids */
	VALUE_SUFFIX,   /* of names of servers; "" is none */
	VALUE_NUMBER,   /* from 1 to most; or one of words */
};

struct setting {
	const char *key;
	enum value_kind kind;
	const char *initial; /* what holds where nothing is stored */
	const char *words;
	int64_t most;
};

static const struct setting settings[] = {
    {"topics", VALUE_WORD, "on", "on off", 0},
    {"client-id", VALUE_TEMPLATE, CLIENT_TEMPLATE_DEFAULT, NULL, 0},
    {"types", VALUE_WORD, "open", "open declared", 0},
    {"enrol", VALUE_WORD, "auto", "auto approve listed", 0},
    {"max-devices", VALUE_NUMBER, "none", "none", DEVICES_MAX},
    {"ca-proof", VALUE_WORD, "off", "on off", 0},
    {"sni", VALUE_SUFFIX, "", NULL, 0},
    {"clone-action", VALUE_WORD, "event", "event lock", 0},
    {"event-days", VALUE_NUMBER, "90", NULL, EVENT_DAYS_MAX},
};

#define WORDS_TEXT_MAX 63
#define SETTINGS       (sizeof(settings) / sizeof(settings[0]))

static struct json *
setting_json(const char *key, const char *value)
{
	struct json *object = json_object();

	json_add_text(object, "key", key);
	json_add_text(object, "value", value[0] == '\0' ? NULL : value);
	return object;
}

static int
list(const struct call *call)
{
	const char *header[] = {"KEY", "VALUE"}, *row[2];
	struct table *table = table_new(header, 2);
	struct json *array = json_array();
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		row[0] = settings[i].key;
		row[1] = config_setting(&call->config, call->org, row[0]);
		row[1] = row[1] == NULL ? settings[i].initial : row[1];
		table_add(table, row);
		json_append(array, setting_json(row[0], row[1]));
	}
	if (call->json) {
		table_free(table);
		return print_json(array);
	}
	json_free(array);
	return print_table(table);
}

static bool
is_one_of(const char *words, const char *value)
{
	size_t len = strlen(value);
	const char *at;

	for (at = words; *at != '\0'; at += strspn(at, " ")) {
		if (strcspn(at, " ") == len && memcmp(at, value, len) == 0) {
			return true;
		}
		at += strcspn(at, " ");
	}
	return false;
}

static bool
check_template(const struct call *call, const char *value)
{
	struct client_template parsed;
	struct diag why = {""};

	if (client_template_parse(value, &parsed, &why) != RES_OK) {
		(void)misuse(call, "%s", why.text);
		return false;
	}
	return true;
}

static bool
take_suffix(
    const struct call *call, const char *value, char suffix[SUFFIX_MAX + 1])
{
	const char *why = NULL;

	if (value[0] == '\0') {
		suffix[0] = '\0';
		return true;
	}
	if (suffix_parse(value, suffix, &why) != RES_OK) {
		(void)misuse(call,
		    "sni takes the end of a DNS name as in mqtt.example.com, "
		    "or \"\" for none; not \"%.80s\" (%s)",
		    value, why);
		return false;
	}
	return true;
}

/* The settings that a value may be given to; the rest is told as a mistake. */
static const struct setting *
find(const struct call *call, const char *key)
{
	size_t i = 0;

	while (i < SETTINGS && strcmp(settings[i].key, key) != 0) {
		i++;
	}
	if (i == SETTINGS) {
		(void)misuse(call,
		    "unknown setting \"%.80s\": the settings are topics, "
		    "client-id, types, enrol, max-devices, ca-proof, sni, "
		    "clone-action, event-days",
		    key);
		return NULL;
	}
	return &settings[i];
}

/* Without leading zeros, so that one number has one spelling. */
static bool
check_number(
    const struct call *call, const struct setting *setting, const char *value)
{
	bool word = setting->words != NULL && is_one_of(setting->words, value);
	int64_t number;

	if (word ||
	    (value[0] != '0' &&
	        text_number(value, 1, setting->most, &number) == RES_OK)) {
		return true;
	}
	(void)misuse(call, "%s takes a number from 1 to %lld%s%s", setting->key,
	    (long long)setting->most, setting->words == NULL ? "" : ", or ",
	    setting->words == NULL ? "" : setting->words);
	return false;
}

/* "a b c" as "a, b or c". */
static void
join_words(const char *words, char text[WORDS_TEXT_MAX + 1])
{
	size_t used = 0;

	for (; *words != '\0' && used + sizeof(" or ") < WORDS_TEXT_MAX;
	     words++) {
		if (*words != ' ') {
			text[used++] = *words;
			continue;
		}
		used += (size_t)snprintf(text + used, sizeof(" or "), "%s",
		    strchr(words + 1, ' ') == NULL ? " or " : ", ");
	}
	text[used] = '\0';
}

/* The value as it is to be stored, perhaps in suffix; NULL: a mistake, told. */
static const char *
take_value(const struct call *call, const struct setting *setting,
    const char *value, char suffix[SUFFIX_MAX + 1])
{
	char words[WORDS_TEXT_MAX + 1];

	if (setting->kind == VALUE_SUFFIX) {
		return take_suffix(call, value, suffix) ? suffix : NULL;
	}
	if (setting->kind == VALUE_TEMPLATE) {
		return check_template(call, value) ? value : NULL;
	}
	if (setting->kind == VALUE_NUMBER) {
		return check_number(call, setting, value) ? value : NULL;
	}
	if (!is_one_of(setting->words, value)) {
		join_words(setting->words, words);
		(void)misuse(call, "%s takes %s", setting->key, words);
		return NULL;
	}
	return value;
}

/* The first topic rule of an org that does not tell orgs apart; NULL: none, or
 * the org has no topic rules that count. */
static const struct topic_record *
find_shared(const struct config *config, const char *org)
{
	const char *topics = config_setting(config, org, "topics");
	size_t i;

	if (topics != NULL && strcmp(topics, "off") == 0) {
		return NULL;
	}
	for (i = 0; i < config->topic_count; i++) {
		if (strcmp(config->topics[i].org, org) == 0 &&
		    strstr(config->topics[i].filter, "{org}") == NULL) {
			return &config->topics[i];
		}
	}
	return NULL;
}

#define REMEDY_MAX 384

/* The commands that tell a topic of one org from another's.  One that is too
 * long, or that a shell would read otherwise, is for the operator to write. */
static void
describe_topic_remedy(
    const struct topic_record *topic, char text[REMEDY_MAX + 1])
{
	if (strlen(topic->filter) > 80 || strchr(topic->filter, '\'') != NULL) {
		(void)snprintf(text, REMEDY_MAX + 1,
		    "{org} into the filters of certid topic list --org %s",
		    topic->org);
	} else {
		(void)snprintf(text, REMEDY_MAX + 1,
		    "certid topic add %.72s %.20s '{org}/%s' --org %s, and "
		    "certid topic remove for every rule without {org}",
		    topic->who, topic->access, topic->filter, topic->org);
	}
}

/* What two orgs share, once clients can ask for either. */
static void
caution_org(const struct call *call, const char *org)
{
	const struct config *config = &call->config;
	const char *ids = config_setting(config, org, "client-id");
	const struct topic_record *topic = find_shared(config, org);
	char remedy[REMEDY_MAX + 1] = "";
	bool apart;

	ids = ids == NULL ? CLIENT_TEMPLATE_DEFAULT : ids;
	apart = strstr(ids, "{org}") != NULL;
	if (apart && topic == NULL) {
		return;
	}
	if (topic != NULL) {
		describe_topic_remedy(topic, remedy);
	}
	if (apart) {
		caution("org %s: devices of two orgs that have one name share "
		        "topics: %s",
		    org, remedy);
	} else {
		caution("org %s: devices of two orgs that have one name cannot "
		        "be connected at the same time%s: certid set client-id "
		        "'{org}:%s' --org %s%s%s",
		    org, topic == NULL ? "" : ", and share topics", ids, org,
		    topic == NULL ? "" : "; ", remedy);
	}
}

/* The suffix of the org default holds for every org. */
static void
caution_sni(const struct call *call)
{
	bool all = strcmp(call->org, ORG_DEFAULT) == 0;
	const char *org;
	size_t i;

	caution("only a broker with plugin_opt_tls_verify plugin looks at the "
	        "name that clients ask for");
	/* One org alone shares with nobody. */
	for (i = 0; call->config.org_count > 1 && i < call->config.org_count;
	     i++) {
		org = call->config.orgs[i].name;
		if (all || strcmp(org, call->org) == 0) {
			caution_org(call, org);
		}
	}
}

/* Nobody goes, but nobody comes. */
static int
caution_max_devices(const struct call *call, const char *value)
{
	struct diag why = {""};
	int64_t count = 0, most = 0;
	enum res r;

	if (text_number(value, 1, DEVICES_MAX, &most) != RES_OK) {
		return EXIT_DONE; /* none */
	}
	r = count_devices(call, NULL, &count, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	if (count > most) {
		caution("there are %lld devices in the org %s already: none is "
		        "removed, and no new one admitted",
		    (long long)count, call->org);
	}
	return EXIT_DONE;
}

/* What the value brings with it that may not have been meant. */
static int
caution_value(
    const struct call *call, const struct setting *setting, const char *value)
{
	if (setting->kind == VALUE_SUFFIX && value[0] != '\0') {
		caution_sni(call);
	}
	return strcmp(setting->key, "max-devices") == 0
	    ? caution_max_devices(call, value)
	    : EXIT_DONE;
}

static int
tell_set(
    const struct call *call, const struct setting *setting, const char *value)
{
	int code = caution_value(call, setting, value);

	if (code != EXIT_DONE) {
		return code;
	}
	return value[0] == '\0'
	    ? report(call, setting_json(setting->key, value), "cleared %s",
	          setting->key)
	    : report(call, setting_json(setting->key, value), "set %s to %s",
	          setting->key, value);
}

/* Nothing is written, and there is no event of it. */
static int
tell_same(
    const struct call *call, const struct setting *setting, const char *value)
{
	int code = caution_value(call, setting, value);

	if (code != EXIT_DONE) {
		return code;
	}
	return value[0] == '\0'
	    ? report(call, setting_json(setting->key, value),
	          "%s is clear already", setting->key)
	    : report(call, setting_json(setting->key, value),
	          "%s is %s already", setting->key, value);
}

int
run_set(struct call *call)
{
	const char *key = call_arg(call, 0), *value = call_arg(call, 1);
	struct edit edit = call_edit(call);
	const struct setting *setting;
	const char *old;
	char suffix[SUFFIX_MAX + 1];
	struct diag why = {""};
	enum res r;

	if (key == NULL) {
		return list(call);
	}
	if (value == NULL) {
		return misuse(call, "\"set %.80s\" needs VALUE", key);
	}
	if ((setting = find(call, key)) == NULL ||
	    (value = take_value(call, setting, value, suffix)) == NULL) {
		return EXIT_USAGE;
	}
	old = config_setting(&call->config, call->org, key);
	if (old == NULL ? value[0] == '\0' : strcmp(old, value) == 0) {
		return tell_same(call, setting, value);
	}
	r = edit_setting(&edit, key, value, &why);
	return r != RES_OK ? fail(r, &why) : tell_set(call, setting, value);
}
