/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * status: what the registry holds, and what an operator should look after.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/commands.h"
#include "ctl/health.h"
#include "ctl/objects.h"
#include "ctl/output.h"

struct numbers {
	int64_t active, inactive, unproven;
	int64_t devices[DEVICE_PROVISIONED + 1];
};

static bool
is_shown(const struct call *call, const char *org)
{
	const char *asked = call_option(call, "org");

	return asked == NULL || strcmp(asked, org) == 0;
}

static void
count_cas(const struct call *call, const char *org, struct numbers *numbers,
    struct json *warnings)
{
	const struct ca_record *ca;
	bool usable = false;
	size_t i;

	for (i = 0; i < call->config.ca_count; i++) {
		ca = &call->config.cas[i];
		if (strcmp(ca->org, org) != 0) {
			continue;
		}
		if (strcmp(ca->state, "active") == 0) {
			numbers->active++;
			usable |= ca->not_after > call->now;
		} else if (strcmp(ca->state, "inactive") == 0) {
			numbers->inactive++;
		} else {
			numbers->unproven++;
		}
		health_warn(call, ca, warnings);
	}
	if (!usable) {
		warn(call, warnings,
		    "org %s has no active CA, so no certificate is accepted",
		    org);
	}
}

static void
look_at_rules(const struct call *call, const char *org, struct json *warnings)
{
	const struct rule_record *rule;
	size_t i;

	for (i = 0; i < call->config.rule_count; i++) {
		rule = &call->config.rules[i];
		if (strcmp(rule->org, org) == 0 &&
		    level_needs_token(rule->level)) {
			warn(call, warnings, "org %s: rule %s: " NO_TOKENS, org,
			    rule->who, rule->level);
		}
	}
}

static enum res
count_states(const struct call *call, const char *org, struct numbers *numbers,
    struct diag *why)
{
	struct device_query query = {.org = org, .has_state = true};
	enum res r = RES_OK;
	int state;

	for (state = 0; r == RES_OK && state <= DEVICE_PROVISIONED; state++) {
		query.state = (enum device_state)state;
		r = registry_count(
		    call->registry, &query, &numbers->devices[state], why);
	}
	return r;
}

static struct json *
numbers_json(const char *org, const struct numbers *numbers)
{
	struct json *object = json_object(), *cas = json_object(),
	            *devices = json_object();
	int state;

	json_add_text(object, "org", org);
	json_add_number(cas, "active", numbers->active);
	json_add_number(cas, "inactive", numbers->inactive);
	json_add_number(cas, "unproven", numbers->unproven);
	json_add(object, "cas", cas);
	for (state = 0; state <= DEVICE_PROVISIONED; state++) {
		json_add_number(devices,
		    device_state_name((enum device_state)state),
		    numbers->devices[state]);
	}
	json_add(object, "devices", devices);
	return object;
}

static void
add_row(struct table *table, const char *org, const struct numbers *numbers)
{
	const int64_t counts[] = {numbers->active,
	    numbers->inactive + numbers->unproven,
	    numbers->devices[DEVICE_PROVISIONED],
	    numbers->devices[DEVICE_ALLOWED], numbers->devices[DEVICE_PENDING]};
	char text[5][24];
	const char *row[6] = {org};
	size_t i;

	for (i = 0; i < 5; i++) {
		(void)snprintf(
		    text[i], sizeof(text[i]), "%lld", (long long)counts[i]);
		row[i + 1] = text[i];
	}
	table_add(table, row);
}

/* Devices' names and addresses are in there. */
static void
look_at_file(const struct call *call, struct json *warnings)
{
	struct stat file;

	if (stat(call->path, &file) == 0 &&
	    (file.st_mode & (S_IROTH | S_IWOTH)) != 0) {
		warn(call, warnings,
		    "the registry can be read or written by every user: "
		    "chmod 0640 %.200s",
		    call->path);
	}
}

static int
print_status(const struct call *call, struct json *orgs, struct json *warnings,
    struct table *table)
{
	struct json *object = json_object();

	json_add_text(object, "registry", call->path);
	json_add_number(object, "schema", REGISTRY_SCHEMA);
	json_add_text(object, "version", CERTID_VERSION);
	json_add_number(object, "orgs", (int64_t)call->config.org_count);
	json_add(object, "per_org", orgs);
	json_add(object, "warnings", warnings);
	if (call->json) {
		table_free(table);
		return print_json(object);
	}
	json_free(object);
	(void)printf("registry %s, schema %d, certid %s\n\n", call->path,
	    REGISTRY_SCHEMA, CERTID_VERSION);
	return print_table(table);
}

int
run_status(struct call *call)
{
	const char *header[] = {"ORG", "ACTIVE CAs", "INACTIVE CAs",
	    "PROVISIONED", "ALLOWED", "PENDING"};
	struct json *orgs = json_array(), *warnings = json_array();
	struct table *table = table_new(header, 6);
	struct diag why = {""};
	struct numbers numbers;
	const char *org;
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < call->config.org_count; i++) {
		org = call->config.orgs[i].name;
		if (is_shown(call, org)) {
			memset(&numbers, 0, sizeof(numbers));
			count_cas(call, org, &numbers, warnings);
			look_at_rules(call, org, warnings);
			r = count_states(call, org, &numbers, &why);
			json_append(orgs, numbers_json(org, &numbers));
			add_row(table, org, &numbers);
		}
	}
	if (r != RES_OK) {
		json_free(orgs);
		json_free(warnings);
		table_free(table);
		return fail(r, &why);
	}
	look_at_file(call, warnings);
	return print_status(call, orgs, warnings, table);
}
