/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * admin: certid admin add|list|remove.
 */
#include <string.h>

#include "manage/commands.h"
#include "manage/output.h"

static struct json *
admin_json(const struct admin_record *admin)
{
	struct json *object = json_object();

	json_add_text(object, "name", admin->name);
	json_add_time(object, "added_at", admin->added_at);
	return object;
}

/* Whoever takes away his own right should not find it out afterwards. */
static void
warn_of_self(const struct call *call, const char *name)
{
	if (call->by != NULL && strcmp(call->by, name) == 0) {
		caution("this was you: %s is no admin of the org %s any more",
		    name, call->org);
	}
}

static bool
is_admin(const struct call *call, const char *name)
{
	size_t i;

	for (i = 0; i < call->config.admin_count; i++) {
		if (strcmp(call->config.admins[i].org, call->org) == 0 &&
		    strcmp(call->config.admins[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* The user names of clients count in one org alone. */
static void
warn_of_user_name(const struct call *call, const char *name)
{
	struct identity who;
	const char *why;

	if (strcmp(call->org, ORG_DEFAULT) != 0 &&
	    identity_parse(name, strlen(name), &who, &why) != RES_OK) {
		caution("%s is no identity: a user name makes an admin of the "
		        "org %s alone",
		    name, ORG_DEFAULT);
	}
}

int
run_admin_add(struct call *call)
{
	const char *name = call_arg(call, 0);
	struct admin_record admin = {.added_at = call->now};
	struct edit edit = call_edit(call);
	struct diag why = {""};
	enum res r;

	r = is_admin(call, name)
	    ? diag_res(&why, RES_EXISTS,
	          "%.200s is an admin of the org %s already", name, call->org)
	    : edit_admin_add(&edit, name, &why);
	if (r != RES_OK) {
		return r == RES_SYNTAX || r == RES_LIMIT
		    ? misuse(call, "%s", why.text)
		    : fail(r, &why);
	}
	text_set(admin.name, sizeof(admin.name), name);
	warn_of_user_name(call, name);
	return report(call, admin_json(&admin),
	    "%s may now manage the org %s over MQTT", name, call->org);
}

int
run_admin_list(struct call *call)
{
	const char *header[] = {"ADMIN", "ADDED"}, *row[2];
	const struct config *config = &call->config;
	struct json *array = json_array();
	struct table *table = table_new(header, 2);
	char time[TIME_MAX + 1];
	size_t i;

	for (i = 0; i < config->admin_count; i++) {
		if (strcmp(config->admins[i].org, call->org) != 0) {
			continue;
		}
		clock_format(config->admins[i].added_at, time);
		row[0] = config->admins[i].name;
		row[1] = time;
		table_add(table, row);
		json_append(array, admin_json(&config->admins[i]));
	}
	if (call->json) {
		table_free(table);
		return print_json(array);
	}
	json_free(array);
	return print_table(table);
}

int
run_admin_remove(struct call *call)
{
	const char *name = call_arg(call, 0);
	struct admin_record admin = {.added_at = CLOCK_NONE};
	struct edit edit = call_edit(call);
	struct diag why = {""};
	size_t i;
	enum res r;

	if (!is_admin(call, name)) {
		return refuse(EXIT_NOT_FOUND,
		    "%.200s is no admin of the org %s: see \"certid admin "
		    "list\"",
		    name, call->org);
	}
	for (i = 0; i < call->config.admin_count; i++) {
		if (strcmp(call->config.admins[i].org, call->org) == 0 &&
		    strcmp(call->config.admins[i].name, name) == 0) {
			admin = call->config.admins[i];
		}
	}
	r = edit_admin_remove(&edit, name, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	warn_of_self(call, name);
	return report(call, admin_json(&admin),
	    "%s may no longer manage the org %s over MQTT", name, call->org);
}
