/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * setting: certid set.
 */
#include <string.h>

#include "ctl/commands.h"
#include "ctl/objects.h"
#include "ctl/output.h"
#include "ctl/words.h"
#include "policy/policy.h"

#define LATER "" /* a key whose effect this version does not have */

static const struct {
	const char *key;
	const char *initial; /* what holds where nothing is stored */
	const char *words;   /* the values; NULL: see check_template() */
} settings[] = {
    {"topics", "on", "on off"},
    {"client-id", CLIENT_TEMPLATE_DEFAULT, NULL},
    {"types", "open", "open declared"},
    {"enrol", "auto", "auto approve listed"},
    {"ca-proof", NULL, LATER},
    {"sni", NULL, LATER},
    {"clone-action", NULL, LATER},
    {"event-days", NULL, LATER},
    {"max-devices", NULL, LATER},
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static struct json *
setting_json(const char *key, const char *value)
{
	struct json *object = json_object();

	json_add_text(object, "key", key);
	json_add_text(object, "value", value);
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
		if (settings[i].initial == NULL) {
			continue;
		}
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
check(const struct call *call, const char *key, const char *value)
{
	size_t i = 0;

	while (i < SETTINGS && strcmp(settings[i].key, key) != 0) {
		i++;
	}
	if (i == SETTINGS) {
		(void)misuse(call,
		    "unknown setting \"%.80s\": the settings are topics, "
		    "client-id, types, enrol",
		    key);
		return false;
	}
	if (settings[i].initial == NULL) {
		(void)misuse(call,
		    "the setting %s is not in this version of certid", key);
		return false;
	}
	if (settings[i].words == NULL) {
		return check_template(call, value);
	}
	if (!is_one_of(settings[i].words, value)) {
		(void)misuse(
		    call, "%s takes one of: %s", key, settings[i].words);
		return false;
	}
	return true;
}

int
run_set(struct call *call)
{
	const char *key = call_arg(call, 0), *value = call_arg(call, 1);
	struct edit edit = call_edit(call);
	struct diag why = {""};
	enum res r;

	if (key == NULL) {
		return list(call);
	}
	if (value == NULL) {
		return misuse(call, "\"set %.80s\" needs VALUE", key);
	}
	if (!check(call, key, value)) {
		return EXIT_USAGE;
	}
	r = edit_setting(&edit, key, value, &why);
	return r != RES_OK ? fail(r, &why)
	                   : report(call, setting_json(key, value),
	                         "set %s to %s", key, value);
}
