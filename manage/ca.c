/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca: certid ca list|show|activate|deactivate|remove.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/health.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/revoked.h"
#include "trust/trust.h"

static void
add_row(struct table *table, const struct ca_record *ca, int64_t now,
    bool is_revoked)
{
	char time[TIME_MAX + 1];
	const char *row[] = {ca->id, ca->name,
	    ca_state_shown(ca, now, is_revoked), time,
	    crl_health_name(health_of_crl(ca, now)), ca->subject};

	clock_format(ca->not_after, time);
	table_add(table, row);
}

/* A CRL that cannot be read must not keep the CAs from whoever is to mend it:
 * then nothing is known, NULL. */
static struct revoked *
look_for_revoked(const struct call *call)
{
	struct revoked *revoked = NULL;
	struct diag why;

	if (revoked_new(&call->config, &revoked, &why) != RES_OK) {
		caution("cannot tell which CAs are revoked: %s", why.text);
	}
	return revoked;
}

static struct json *
shown_json(
    const struct ca_record *ca, int64_t now, const struct revoked *revoked)
{
	struct json *object = ca_json(ca, now);

	if (revoked == NULL) {
		json_add_null(object, "revoked");
	} else {
		json_add_bool(
		    object, "revoked", revoked_has(revoked, ca, NULL));
	}
	return object;
}

int
run_ca_list(struct call *call)
{
	const char *header[] = {
	    "CA", "NAME", "STATE", "NOT AFTER", "CRL", "SUBJECT"};
	struct table *table = table_new(header, 6);
	struct json *array = json_array();
	struct revoked *revoked = look_for_revoked(call);
	const struct ca_record *ca;
	size_t i;

	for (i = 0; i < call->config.ca_count; i++) {
		ca = &call->config.cas[i];
		if (strcmp(ca->org, call->org) == 0) {
			add_row(table, ca, call->now,
			    revoked_has(revoked, ca, NULL));
			json_append(array, shown_json(ca, call->now, revoked));
		}
	}
	revoked_free(revoked);
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

static void
field_rate(struct table *table, const struct ca_record *ca)
{
	char text[48] = "";

	if (ca->rate > 0) {
		(void)snprintf(text, sizeof(text),
		    "%lld new identit%s a minute", (long long)ca->rate,
		    ca->rate == 1 ? "y" : "ies");
	}
	table_field(table, "rate", text);
}

static int
print_ca(
    const struct call *call, const struct ca_record *ca, const char *revoked)
{
	struct table *table = table_new(NULL, 2);
	char fingerprint[HASH_TEXT_MAX + 1], *tags;

	text_hex(fingerprint, ca->fingerprint, HASH_LEN);
	table_field(table, "ca", ca->id);
	table_field(table, "name", ca->name);
	table_field(table, "description", ca->description);
	table_field(table, "subject", ca->subject);
	table_field(table, "fingerprint", fingerprint);
	table_field_time(table, "not before", ca->not_before);
	table_field_time(table, "not after", ca->not_after);
	table_field(
	    table, "state", ca_state_shown(ca, call->now, revoked != NULL));
	if (revoked != NULL) {
		table_field(table, "revoked", revoked);
	}
	field_code(table, ca, call->now);
	field_scope(table, ca);
	table_field(table, "enrol", ca->enrol);
	field_rate(table, ca);
	tags = tags_format(ca->tags);
	table_field(table, "tags", tags != NULL ? tags : ca->tags);
	free(tags);
	table_field_time(table, "added", ca->added_at);
	field_crl(table, ca, call->now);
	return print_table(table);
}

int
run_ca_show(struct call *call)
{
	struct revoked *revoked;
	struct ca_record *ca = NULL;
	struct diag said;
	int code = find_ca(call, &ca);

	if (code != EXIT_DONE) {
		return code;
	}
	revoked = look_for_revoked(call);
	if (call->json) {
		code = print_json(shown_json(ca, call->now, revoked));
	} else {
		code = print_ca(call, ca,
		    revoked_has(revoked, ca, &said) ? said.text : NULL);
	}
	revoked_free(revoked);
	return code;
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
	return already ? report(call, ca_json(ca, call->now),
	                     "the CA %s (%s) is %s already", ca->id,
	                     ca->subject, ca->state)
	               : report(call, ca_json(ca, call->now),
	                     "%s the CA %s (%s)", done, ca->id, ca->subject);
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

/* Its CRL is gone with it, and the number below which none was taken. */
static void
caution_forgotten(const struct ca_record *ca)
{
	char number[CRL_NUMBER_LEN + sizeof("0x")];
	int64_t n = ca->crl.entries;

	if (ca->crl.der == NULL) {
		return;
	}
	crl_record_number_format(ca->crl.number, number);
	if (n == 0) {
		caution("the CRL of the CA %s and its number %s are forgotten: "
		        "an older one is taken if it is added again",
		    ca->id, number);
	} else {
		caution("the CRL of the CA %s and its number %s are forgotten: "
		        "%lld revoked certificate%s of it %s admitted again if "
		        "it is added again and no CRL is stored before",
		    ca->id, number, (long long)n, n == 1 ? "" : "s",
		    n == 1 ? "is" : "are");
	}
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
	if (r != RES_OK) {
		return fail(r, &why);
	}
	caution_forgotten(ca);
	return report(call, ca_json(ca, call->now), "removed the CA %s (%s)",
	    ca->id, ca->subject);
}
