/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule: certid rule list|set|unset.
 */
#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"
#include "policy/policy.h"

#define DEFAULT_RULE "default"

static struct json *
rule_json(const char *who, const char *level, int64_t devices)
{
	struct json *object = json_object();

	json_add_text(object, "rule", who);
	json_add_text(object, "level", level);
	json_add_number(object, "devices", devices);
	return object;
}

/* Whether record is a rule of this org for one type. */
static bool
is_of_type(const struct call *call, const struct rule_record *record,
    struct device_type *out)
{
	const char *why;

	return strcmp(record->org, call->org) == 0 &&
	    device_type_parse(record->who, strlen(record->who), out, &why) ==
	    RES_OK;
}

/* Devices that who's rule holds for: those of the type, or those of no type
 * that has a rule. */
static enum res
count(const struct call *call, const char *who, int64_t *out, struct diag *why)
{
	const struct config *config = &call->config;
	struct device_type type;
	int64_t some = 0, all = 0;
	enum res r;
	size_t i;

	if (strcmp(who, DEFAULT_RULE) != 0) {
		return device_type_parse(who, strlen(who), &type,
		           &(const char *){NULL}) == RES_OK
		    ? count_devices(call, &type, out, why)
		    : RES_CORRUPT;
	}
	r = count_devices(call, NULL, &all, why);
	for (i = 0; r == RES_OK && i < config->rule_count; i++) {
		if (is_of_type(call, &config->rules[i], &type)) {
			r = count_devices(call, &type, &some, why);
			all -= some;
		}
	}
	*out = all > 0 ? all : 0;
	return r;
}

static enum res
add_rule(const struct call *call, const char *who, const char *level,
    struct json *array, struct table *table)
{
	struct diag why = {""};
	const char *row[3] = {who, level};
	int64_t devices = 0;
	char text[24];
	enum res r = count(call, who, &devices, &why);

	if (r != RES_OK) {
		(void)fail(r, &why);
		return r;
	}
	(void)snprintf(text, sizeof(text), "%lld", (long long)devices);
	row[2] = text;
	table_add(table, row);
	json_append(array, rule_json(who, level, devices));
	return RES_OK;
}

static const char *
default_level(const struct call *call)
{
	const struct rule_record *rule =
	    rule_of(&call->config, call->org, DEFAULT_RULE);

	return rule == NULL ? level_name(LEVEL_CERT) : rule->level;
}

int
run_rule_list(struct call *call)
{
	const char *header[] = {"RULE", "LEVEL", "DEVICES"};
	struct table *table = table_new(header, 3);
	struct json *array = json_array();
	const struct rule_record *rule;
	struct device_type type;
	enum res r;
	size_t i;

	r = add_rule(call, DEFAULT_RULE, default_level(call), array, table);
	for (i = 0; r == RES_OK && i < call->config.rule_count; i++) {
		rule = &call->config.rules[i];
		if (is_of_type(call, rule, &type)) {
			r = add_rule(
			    call, rule->who, rule->level, array, table);
		}
	}
	if (r == RES_OK && !call->json) {
		json_free(array);
		return print_table(table);
	}
	table_free(table);
	if (r == RES_OK) {
		return print_json(array);
	}
	json_free(array);
	return EXIT_NO_REGISTRY;
}

int
run_rule_set(struct call *call)
{
	const char *who = call_arg(call, 0), *level = call_arg(call, 1);
	struct edit edit = call_edit(call);
	struct device_type type;
	struct diag why = {""};
	enum level parsed;
	int64_t devices = 0;
	enum res r;

	if (strcmp(who, DEFAULT_RULE) != 0 && !take_type(call, who, &type)) {
		return EXIT_USAGE;
	}
	if (!level_parse(level, &parsed)) {
		return misuse(call,
		    "\"%.80s\" is not a level: use tls-optional, token, cert, "
		    "cert+token or cert-or-token",
		    level);
	}
	r = edit_rule_set(&edit, who, level, &why);
	if (r == RES_OK) {
		r = count(call, who, &devices, &why);
	}
	if (r != RES_OK) {
		return fail(r, &why);
	}
	if (level_needs_token(level)) {
		caution(NO_TOKENS, level);
	}
	return report(call, rule_json(who, level, devices),
	    "set the rule %s to %s", who, level);
}

int
run_rule_unset(struct call *call)
{
	const char *who = call_arg(call, 0), *level = default_level(call);
	struct edit edit = call_edit(call);
	struct device_type type;
	struct diag why = {""};
	int64_t devices = 0;
	enum res r;

	if (strcmp(who, DEFAULT_RULE) == 0) {
		return misuse(
		    call, "the default rule can be set, but not unset");
	}
	if (!take_type(call, who, &type)) {
		return EXIT_USAGE;
	}
	r = edit_rule_unset(&edit, who, &why);
	if (r == RES_OK) {
		r = count(call, who, &devices, &why);
	}
	return r != RES_OK
	    ? fail(r, &why)
	    : report(call, rule_json(who, level, devices),
	          "unset the rule %s: the default, %s, holds", who, level);
}
