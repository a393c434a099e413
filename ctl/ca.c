/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca: certid ca list|show|activate|deactivate|remove.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/health.h"
#include "ctl/objects.h"
#include "ctl/output.h"
#include "trust/trust.h"

static void
add_row(struct table *table, const struct ca_record *ca, int64_t now)
{
	char time[TIME_MAX + 1];
	const char *row[] = {ca->id, ca->name, ca_state_shown(ca, now), time,
	    crl_health_name(health_of_crl(ca, now)), ca->subject};

	clock_format(ca->not_after, time);
	table_add(table, row);
}

int
run_ca_list(struct call *call)
{
	const char *header[] = {
	    "CA", "NAME", "STATE", "NOT AFTER", "CRL", "SUBJECT"};
	struct table *table = table_new(header, 6);
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

/* A code that was given out; it is told once alone, by "ca code". */
static void
field_code(struct table *table, const struct ca_record *ca, int64_t now)
{
	char time[TIME_MAX + 1], text[TIME_MAX + 16];

	if (ca->code[0] != '\0') {
		clock_format(ca->code_expires_at, time);
		(void)snprintf(text, sizeof(text), "%s %s",
		    ca->code_expires_at <= now ? "expired at" : "valid until",
		    time);
		table_field(table, "code", text);
	}
}

static void
field_crl_itself(struct table *table, const struct ca_record *ca)
{
	char number[CRL_NUMBER_LEN + sizeof("0x")], entries[24];

	crl_record_number_format(ca->crl.number, number);
	(void)snprintf(
	    entries, sizeof(entries), "%lld", (long long)ca->crl.entries);
	table_field(table, "crl number", number);
	table_field(table, "crl entries", entries);
	table_field_time(table, "crl this update", ca->crl.this_update);
	table_field_time(table, "crl next update", ca->crl.next_update);
	table_field_time(table, "crl stored", ca->crl.stored_at);
	table_field(table, "crl came from",
	    ca->crl.fetched ? "its url" : "certid ca crl");
}

static void
field_crl(struct table *table, const struct ca_record *ca, int64_t now)
{
	char grace[SPAN_TEXT_MAX + 1];

	span_format(ca->crl_grace, grace);
	table_field(table, "crl policy", ca->crl_policy);
	table_field(table, "crl grace", grace);
	table_field(table, "crl url", ca->crl_url);
	table_field(table, "crl", crl_health_name(health_of_crl(ca, now)));
	if (ca->crl.der != NULL) {
		field_crl_itself(table, ca);
	}
	if (ca->crl_failure != NULL) {
		table_field(table, "crl failure", ca->crl_failure);
	}
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
	field_code(table, ca, call->now);
	field_scope(table, ca);
	table_field(table, "enrol", ca->enrol);
	table_field(table, "tags", ca->tags);
	table_field_time(table, "added", ca->added_at);
	field_crl(table, ca, call->now);
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
