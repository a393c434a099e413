/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * org: certid init, status, org add|list|remove.
 */
#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"

static bool
take_topics(const struct call *call, enum starter_topics *out)
{
	const char *text = call_option(call, "topics");

	if (text == NULL || strcmp(text, "plain") == 0) {
		*out = STARTER_PLAIN;
		return true;
	}
	if (strcmp(text, "iot-2") == 0) {
		*out = STARTER_IOT_2;
		return true;
	}
	(void)misuse(call, "--topics takes plain or iot-2");
	return false;
}

int
run_init(struct call *call)
{
	struct registry_options options = {
	    .path = call->path, .mode = REGISTRY_CREATE, .busy_ms = BUSY_MS};
	enum starter_topics topics;
	struct json *object;
	struct diag why = {""};
	struct edit edit;
	enum res r;

	if (!take_topics(call, &topics)) {
		return EXIT_USAGE;
	}
	if (strcmp(call->org, ORG_DEFAULT) != 0) {
		return refuse(EXIT_NOT_FOUND,
		    "a new registry has the org \"%s\" only: make it without "
		    "--org, then use \"certid org add\"",
		    ORG_DEFAULT);
	}
	r = registry_open(&options, &call->registry, &why);
	if (r != RES_OK) {
		(void)fail(r, &why);
		return r == RES_EXISTS ? EXIT_CONFLICT : EXIT_NO_REGISTRY;
	}
	edit = call_edit(call);
	r = edit_org_start(&edit, topics, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	object = json_object();
	json_add_text(object, "registry", call->path);
	json_add_number(object, "schema", REGISTRY_SCHEMA);
	json_add_text(object, "org", ORG_DEFAULT);
	return report(call, object, "made the registry %s", call->path);
}

static const struct org *
find_org(const struct call *call, const char *name)
{
	size_t i;

	for (i = 0; i < call->config.org_count; i++) {
		if (strcmp(call->config.orgs[i].name, name) == 0) {
			return &call->config.orgs[i];
		}
	}
	return NULL;
}

/* The org that the command names as its argument, in the place of --org. */
static bool
take_org(struct call *call, struct org *out)
{
	const char *name = call_arg(call, 0);

	if (!text_is_name(name)) {
		(void)misuse(call,
		    "\"%.120s\" is not a name for an org: use 1-64 letters, "
		    "digits, '.', '_', '-'",
		    name);
		return false;
	}
	memset(out, 0, sizeof(*out));
	memcpy(out->name, name, strlen(name) + 1);
	out->created_at = call->now;
	call->org = name;
	return true;
}

/* The org default alone needs no name of the server. */
static void
tell_reach(const struct call *call, const char *org)
{
	const char *suffix = config_setting(&call->config, ORG_DEFAULT, "sni");

	if (suffix == NULL || suffix[0] == '\0') {
		caution("clients reach the org %s through SNI alone, with "
		        "plugin_opt_tls_verify plugin: begin with certid set "
		        "sni SUFFIX --org %s",
		    org, org);
	} else {
		caution("clients reach the org %s as %s.%s through SNI, with "
		        "plugin_opt_tls_verify plugin",
		    org, org, suffix);
	}
}

int
run_org_add(struct call *call)
{
	struct diag why = {""};
	struct edit edit;
	struct org org;
	enum res r;

	if (!take_org(call, &org)) {
		return EXIT_USAGE;
	}
	edit = call_edit(call);
	r = edit_org_add(&edit, STARTER_PLAIN, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	tell_reach(call, org.name);
	return report(call, org_json(&org), "added the org %s", org.name);
}

int
run_org_list(struct call *call)
{
	const char *header[] = {"ORG", "CREATED"}, *row[2];
	const struct config *config = &call->config;
	struct json *array = json_array();
	struct table *table = table_new(header, 2);
	char time[TIME_MAX + 1];
	size_t i;

	for (i = 0; i < config->org_count; i++) {
		clock_format(config->orgs[i].created_at, time);
		row[0] = config->orgs[i].name;
		row[1] = time;
		table_add(table, row);
		json_append(array, org_json(&config->orgs[i]));
	}
	if (call->json) {
		table_free(table);
		return print_json(array);
	}
	json_free(array);
	return print_table(table);
}

int
run_org_remove(struct call *call)
{
	const struct org *found;
	struct diag why = {""};
	struct edit edit;
	struct org org;
	enum res r;

	if (!take_org(call, &org)) {
		return EXIT_USAGE;
	}
	found = find_org(call, org.name);
	org = found == NULL ? org : *found;
	edit = call_edit(call);
	r = edit_org_remove(&edit, &why);
	return r != RES_OK
	    ? fail(r, &why)
	    : report(call, org_json(&org), "removed the org %s", org.name);
}
