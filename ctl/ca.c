/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca: certid ca add|list|show|activate|deactivate|remove|set.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/objects.h"
#include "ctl/output.h"
#include "ctl/words.h"
#include "trust/ca.h"
#include "trust/trust.h"

/* What is wrong with --name and --description is told; both may be empty where
 * the option is clearable. */
static bool
check_texts(const struct call *call, const char *name, const char *description)
{
	if (name != NULL && name[0] != '\0' && !text_is_name(name)) {
		(void)misuse(call,
		    "\"%.120s\" is not a name for a CA: use 1-64 letters, "
		    "digits, '.', '_', '-'",
		    name);
		return false;
	}
	if (description != NULL &&
	    (strlen(description) > DIAG_MAX ||
	        !text_is_printable_utf8(description, strlen(description)))) {
		(void)misuse(call,
		    "--description takes one line of at most %d bytes of "
		    "UTF-8",
		    DIAG_MAX);
		return false;
	}
	return true;
}

/* --name, --description and --scope into ca; an exit code, an error told. */
static int
take_settings(const struct call *call, struct ca_record *ca)
{
	const char *name = call_option(call, "name");
	const char *description = call_option(call, "description");
	char *scope = NULL, *copy = NULL;

	if (!check_texts(call, name, description) ||
	    !take_scope(call, &scope)) {
		return EXIT_USAGE;
	}
	if (scope != NULL) {
		free(ca->scope);
		ca->scope = scope;
	}
	if (name != NULL) {
		text_set(ca->name, sizeof(ca->name), name);
	}
	if (description != NULL) {
		if (description[0] != '\0' &&
		    (copy = strdup(description)) == NULL) {
			return refuse(
			    EXIT_REFUSED, "there is not enough memory");
		}
		free(ca->description);
		ca->description = copy;
	}
	return EXIT_DONE;
}

/* Move what the certificate says from candidate into ca. */
static void
adopt(struct ca_candidate *candidate, struct ca_record *ca)
{
	memcpy(ca->fingerprint, candidate->info.fingerprint, HASH_LEN);
	ca->not_before = candidate->info.not_before;
	ca->not_after = candidate->info.not_after;
	ca->der = candidate->der;
	ca->der_len = candidate->der_len;
	candidate->der = NULL;
	ca->subject = candidate->info.subject;
	candidate->info.subject = NULL;
}

static int
read_ca(const struct call *call, struct ca_candidate *out)
{
	const char *path = call_arg(call, 0);
	struct diag why = {""}, whole;
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;

	r = read_file(path, CA_FILE_MAX, &bytes, &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = ca_parse(bytes, len, call->now, out, &why);
	free(bytes);
	if (r != RES_OK) {
		diag_set(&whole, "%.200s: %.300s", path, why.text);
		(void)fail(r, &whole);
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

/* The configuration is the one from before the CA was added. */
static bool
has_subject(const struct call *call, const char *subject)
{
	const struct config *config = &call->config;
	size_t i;

	for (i = 0; i < config->ca_count; i++) {
		if (strcmp(config->cas[i].org, call->org) == 0 &&
		    strcmp(config->cas[i].subject, subject) == 0) {
			return true;
		}
	}
	return false;
}

static int
tell_added(const struct call *call, const struct ca_candidate *candidate,
    const struct ca_record *ca)
{
	struct json *object = ca_json(ca), *warnings = json_array();
	size_t i;

	for (i = 0; i < candidate->warning_count; i++) {
		warn(call, warnings, "%s", candidate->warnings[i]);
	}
	if (has_subject(call, ca->subject)) {
		warn(call, warnings,
		    "another CA of this subject is registered: the TLS "
		    "handshake of a running broker may not find this one until "
		    "the broker restarts, and needs an authority key "
		    "identifier in its devices' certificates");
	}
	json_add(object, "warnings", warnings);
	return report(call, object, "added the CA %s (%s), %s", ca->id,
	    ca->subject, ca->state);
}

int
run_ca_add(struct call *call)
{
	struct ca_candidate candidate = {0};
	struct ca_record ca = {.enrol = ""};
	bool inactive = call_option(call, "inactive") != NULL;
	struct edit edit = call_edit(call);
	struct diag why = {""};
	enum res r;
	int code;

	code = take_settings(call, &ca);
	if (code == EXIT_DONE && !take_tags(call, &ca.tags)) {
		code = EXIT_USAGE;
	}
	if (code == EXIT_DONE) {
		code = read_ca(call, &candidate);
	}
	if (code != EXIT_DONE) {
		goto out;
	}
	adopt(&candidate, &ca);
	text_set(ca.state, sizeof(ca.state),
	    ca_state_name(inactive ? CA_INACTIVE : CA_ACTIVE));
	ca.scope = ca.scope == NULL ? strdup("[]") : ca.scope;
	ca.tags = ca.tags == NULL ? strdup("[]") : ca.tags;
	r = ca.scope == NULL || ca.tags == NULL ? RES_NOMEM
	                                        : edit_ca_add(&edit, &ca, &why);
	code = r != RES_OK ? fail(r, &why) : tell_added(call, &candidate, &ca);
out:
	ca_candidate_done(&candidate);
	ca_record_done(&ca);
	return code;
}

static void
add_row(struct table *table, const struct ca_record *ca, int64_t now)
{
	char time[TIME_MAX + 1];
	const char *row[] = {
	    ca->id, ca->name, ca_state_shown(ca, now), time, ca->subject};

	clock_format(ca->not_after, time);
	table_add(table, row);
}

int
run_ca_list(struct call *call)
{
	const char *header[] = {"CA", "NAME", "STATE", "NOT AFTER", "SUBJECT"};
	struct table *table = table_new(header, 5);
	struct json *array = json_array();
	const struct ca_record *ca;
	size_t i;

	for (i = 0; i < call->config.ca_count; i++) {
		ca = &call->config.cas[i];
		if (strcmp(ca->org, call->org) == 0) {
			add_row(table, ca, call->now);
			json_append(array, ca_json(ca));
		}
	}
	if (call->json) {
		table_free(table);
		return print_json(array);
	}
	json_free(array);
	return print_table(table);
}

static int
find_ca(struct call *call, struct ca_record **out)
{
	struct diag why = {""};
	enum res r;

	r = config_find_ca(
	    &call->config, call->org, call_arg(call, 0), out, &why);
	return r == RES_OK ? EXIT_DONE : fail(r, &why);
}

static void
field_scope(struct table *table, const struct ca_record *ca)
{
	char **patterns = NULL;
	size_t count = 0, i;

	if (json_read_texts(ca->scope, SCOPE_PATTERNS_MAX, &patterns, &count,
	        NULL) != RES_OK) {
		table_field(table, "scope", "?");
		return;
	}
	for (i = 0; i < count; i++) {
		table_field(table, i == 0 ? "scope" : " ", patterns[i]);
	}
	if (count == 0) {
		table_field(table, "scope", "any identity");
	}
	json_texts_free(patterns, count);
}

int
run_ca_show(struct call *call)
{
	char fingerprint[HASH_TEXT_MAX + 1];
	struct table *table;
	struct ca_record *ca = NULL;
	int code = find_ca(call, &ca);

	if (code != EXIT_DONE) {
		return code;
	}
	if (call->json) {
		return print_json(ca_json(ca));
	}
	text_hex(fingerprint, ca->fingerprint, HASH_LEN);
	table = table_new(NULL, 2);
	table_field(table, "ca", ca->id);
	table_field(table, "name", ca->name);
	table_field(table, "description", ca->description);
	table_field(table, "subject", ca->subject);
	table_field(table, "fingerprint", fingerprint);
	table_field_time(table, "not before", ca->not_before);
	table_field_time(table, "not after", ca->not_after);
	table_field(table, "state", ca_state_shown(ca, call->now));
	field_scope(table, ca);
	table_field(table, "enrol", ca->enrol);
	table_field(table, "tags", ca->tags);
	table_field_time(table, "added", ca->added_at);
	return print_table(table);
}

static int
change_state(struct call *call, enum ca_state state, const char *done)
{
	struct edit edit = call_edit(call);
	struct diag why = {""};
	struct ca_record *ca = NULL;
	int code = find_ca(call, &ca);
	bool already;
	enum res r;

	if (code != EXIT_DONE) {
		return code;
	}
	already = strcmp(ca->state, ca_state_name(state)) == 0;
	r = edit_ca_state(&edit, ca, ca_state_name(state), &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	text_set(ca->state, sizeof(ca->state), ca_state_name(state));
	return already
	    ? report(call, ca_json(ca), "the CA %s (%s) is %s already", ca->id,
	          ca->subject, ca->state)
	    : report(call, ca_json(ca), "%s the CA %s (%s)", done, ca->id,
	          ca->subject);
}

int
run_ca_activate(struct call *call)
{
	return change_state(call, CA_ACTIVE, "activated");
}

int
run_ca_deactivate(struct call *call)
{
	return change_state(call, CA_INACTIVE, "deactivated");
}

int
run_ca_remove(struct call *call)
{
	struct edit edit = call_edit(call);
	struct diag why = {""};
	struct ca_record *ca = NULL;
	int code = find_ca(call, &ca);
	enum res r;

	if (code != EXIT_DONE) {
		return code;
	}
	r = edit_ca_remove(&edit, ca, &why);
	return r != RES_OK ? fail(r, &why)
	                   : report(call, ca_json(ca), "removed the CA %s (%s)",
	                         ca->id, ca->subject);
}

int
run_ca_set(struct call *call)
{
	struct edit edit = call_edit(call);
	struct ca_record *ca = NULL;
	struct diag why = {""};
	enum res r;
	int code;

	if (call_option(call, "name") == NULL &&
	    call_option(call, "description") == NULL &&
	    call_option(call, "scope") == NULL &&
	    call_option(call, "enrol") == NULL) {
		return misuse(call, "there is nothing to set");
	}
	code = find_ca(call, &ca);
	if (code == EXIT_DONE) {
		code = take_settings(call, ca);
	}
	if (code != EXIT_DONE) {
		return code;
	}
	if (!take_enrol(call, ca->enrol)) {
		return EXIT_USAGE;
	}
	r = edit_ca_set(&edit, ca, &why);
	return r != RES_OK ? fail(r, &why)
	                   : report(call, ca_json(ca), "changed the CA %s (%s)",
	                         ca->id, ca->subject);
}
