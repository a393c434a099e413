/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/edit_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name that reads as the beginning of an id could stand for another CA. */
static enum res
check_ca_name(const struct ca_record *ca, struct diag *why)
{
	size_t len = strlen(ca->name);

	if (len >= CA_PREFIX_MIN && text_is_hex(ca->name, len)) {
		return diag_res(why, RES_REFUSED,
		    "the name %s looks like the id of a CA: choose a name that "
		    "is not a hexadecimal number",
		    ca->name);
	}
	return RES_OK;
}

enum res
edit_ca_add(const struct edit *edit, struct ca_record *ca, struct diag *why)
{
	struct change change;
	enum res r;

	r = edit_put_org(edit, ca->org, why);
	if (r == RES_OK) {
		r = check_ca_name(ca, why);
	}
	if (r != RES_OK) {
		return r;
	}
	ca->added_at = edit->now;
	/* apply fills the id in before it writes the event. */
	change = edit_change(edit, CHANGE_CA_ADD, "ca-added", ca->id);
	change.of.ca = ca;
	return edit_apply(edit, &change,
	    edit_describe(
	        "%s, %s", ca->subject == NULL ? "" : ca->subject, ca->state),
	    why);
}

enum res
edit_ca_state(const struct edit *edit, struct ca_record *ca, const char *state,
    struct diag *why)
{
	bool active = strcmp(state, "active") == 0;
	struct ca_record wanted = {0};
	struct change change;
	enum res r;

	r = edit_put_word(
	    wanted.state, sizeof(wanted.state), state, "state of a CA", why);
	if (r != RES_OK) {
		return r;
	}
	memcpy(wanted.fingerprint, ca->fingerprint, HASH_LEN);
	change = edit_change(edit, CHANGE_CA_STATE,
	    active ? "ca-activated" : "ca-deactivated", ca->id);
	change.of.ca = &wanted;
	r = edit_apply_once(
	    edit, &change, edit_describe("%s -> %s", ca->state, state), why);
	if (r == RES_OK) {
		memcpy(ca->state, wanted.state, sizeof(ca->state));
	}
	return r;
}

static const char *
text_or(const char *text, const char *other)
{
	return text == NULL || text[0] == '\0' ? other : text;
}

/* ", crl-url OLD -> NEW" without their queries, which may hold a password; two
 * that differ in nothing else are told to do so.  As edit_describe_change(). */
static char *
describe_url(char *detail, const char *old, const char *new)
{
	int old_len = (int)strcspn(old, "?"), new_len = (int)strcspn(new, "?");
	bool is_told =
	    old_len != new_len || strncmp(old, new, (size_t)old_len) != 0;
	char *longer;

	if (detail == NULL || strcmp(old, new) == 0) {
		return detail;
	}
	longer = is_told
	    ? edit_describe("%s%scrl-url %.*s%s -> %.*s%s", detail,
	          detail[0] == '\0' ? "" : ", ", old_len, old,
	          old[old_len] == '\0' ? "" : "?...", new_len, new,
	          new[new_len] == '\0' ? "" : "?...")
	    : edit_describe("%s%scrl-url %.*s, another query", detail,
	          detail[0] == '\0' ? "" : ", ", new_len, new);
	free(detail);
	return longer;
}

static char *
describe_crl_terms(
    char *detail, const struct ca_record *old, const struct ca_record *ca)
{
	char old_grace[SPAN_TEXT_MAX + 1], grace[SPAN_TEXT_MAX + 1];

	span_format(old->crl_grace, old_grace);
	span_format(ca->crl_grace, grace);
	detail = edit_describe_change(detail, "crl-policy",
	    text_or(old->crl_policy, "none"), text_or(ca->crl_policy, "none"));
	detail = edit_describe_change(detail, "crl-grace", old_grace, grace);
	return describe_url(detail, text_or(old->crl_url, "none"),
	    text_or(ca->crl_url, "none"));
}

/* "none", or so many a minute. */
static void
format_rate(int64_t rate, char text[24])
{
	if (rate == 0) {
		text_set(text, 24, "none");
	} else {
		(void)snprintf(text, 24, "%" PRId64, rate);
	}
}

static char *
describe_ca(const struct ca_record *old, const struct ca_record *ca)
{
	char old_rate[24], rate[24];
	char *detail = edit_describe("%s", "");

	detail = edit_describe_change(detail, "name",
	    text_or(old->name, "none"), text_or(ca->name, "none"));
	detail = edit_describe_change(detail, "description",
	    text_or(old->description, "none"),
	    text_or(ca->description, "none"));
	detail = edit_describe_change(detail, "enrol",
	    text_or(old->enrol, "of the type"),
	    text_or(ca->enrol, "of the type"));
	detail = edit_describe_change(detail, "scope",
	    text_or(old->scope, "[]"), text_or(ca->scope, "[]"));
	format_rate(old->rate, old_rate);
	format_rate(ca->rate, rate);
	detail = edit_describe_change(detail, "rate", old_rate, rate);
	return describe_crl_terms(detail, old, ca);
}

/* What there is to say of the change from the CA as it is stored, "" if there
 * is none; a name that it has had all along is not looked at. */
static enum res
compare_ca(const struct edit *edit, const struct ca_record *ca, char **detail,
    struct diag *why)
{
	const struct ca_record *old = NULL;
	struct config config = {0};
	enum res r;
	size_t i;

	r = registry_load(edit->registry, &config, why);
	if (r != RES_OK) {
		return r;
	}
	for (i = 0; i < config.ca_count; i++) {
		if (strcmp(config.cas[i].org, edit->org) == 0 &&
		    memcmp(config.cas[i].fingerprint, ca->fingerprint,
		        HASH_LEN) == 0) {
			old = &config.cas[i];
		}
	}
	r = old != NULL && strcmp(old->name, ca->name) == 0
	    ? RES_OK
	    : check_ca_name(ca, why);
	if (r == RES_OK) {
		/* One that is not there is registry_apply()'s to refuse. */
		*detail = old == NULL ? edit_describe("changed")
		                      : describe_ca(old, ca);
	}
	config_done(&config);
	return r;
}

enum res
edit_ca_set(const struct edit *edit, struct ca_record *ca, struct diag *why)
{
	struct change change;
	char *detail = NULL;
	enum res r = compare_ca(edit, ca, &detail, why);

	if (r != RES_OK) {
		return r;
	}
	if (detail != NULL && detail[0] == '\0') {
		free(detail);
		return RES_OK;
	}
	change = edit_change(edit, CHANGE_CA_SET, "setting-changed", ca->id);
	change.of.ca = ca;
	return edit_apply(edit, &change, detail, why);
}

enum res
edit_ca_remove(const struct edit *edit, struct ca_record *ca, struct diag *why)
{
	struct change change =
	    edit_change(edit, CHANGE_CA_REMOVE, "ca-removed", ca->id);

	change.of.ca = ca;
	return edit_apply(edit, &change,
	    edit_describe("%s", ca->subject == NULL ? "" : ca->subject), why);
}

enum res
edit_ca_code(const struct edit *edit, struct ca_record *ca, const char *code,
    int64_t expires_at, struct diag *why)
{
	struct ca_record wanted = {.code_expires_at = expires_at};
	char until[TIME_MAX + 1];
	struct change change;
	enum res r;

	r = edit_put_word(
	    wanted.code, sizeof(wanted.code), code, "registration code", why);
	if (r != RES_OK) {
		return r;
	}
	memcpy(wanted.fingerprint, ca->fingerprint, HASH_LEN);
	clock_format(expires_at, until);
	change = edit_change(edit, CHANGE_CA_CODE, "setting-changed", ca->id);
	change.of.ca = &wanted;
	r = edit_apply(edit, &change,
	    edit_describe("new registration code, valid until %s", until), why);
	if (r == RES_OK) {
		memcpy(ca->code, wanted.code, sizeof(ca->code));
		ca->code_expires_at = expires_at;
	}
	return r;
}

enum res
edit_ca_prove(const struct edit *edit, struct ca_record *ca, const char *code,
    struct diag *why)
{
	struct ca_record wanted = {0};
	struct change change;
	enum res r;

	r = edit_put_word(
	    wanted.code, sizeof(wanted.code), code, "registration code", why);
	if (r != RES_OK) {
		return r;
	}
	memcpy(wanted.fingerprint, ca->fingerprint, HASH_LEN);
	change = edit_change(edit, CHANGE_CA_PROVE, "ca-proven", ca->id);
	change.of.ca = &wanted;
	r = edit_apply(
	    edit, &change, edit_describe("%s -> active", ca->state), why);
	if (r == RES_OK) {
		text_set(ca->state, sizeof(ca->state), "active");
		ca->code[0] = '\0';
		ca->code_expires_at = CLOCK_NONE;
	}
	return r;
}

enum res
edit_ca_crl(const struct edit *edit, struct ca_record *ca, struct diag *why)
{
	struct change change =
	    edit_change(edit, CHANGE_CA_CRL, "crl-updated", ca->id);
	char number[CRL_NUMBER_LEN + sizeof("0x")], until[TIME_MAX + 1];
	enum res r;

	ca->crl.stored_at = edit->now;
	change.of.ca = ca;
	crl_record_number_format(ca->crl.number, number);
	clock_format(ca->crl.next_update, until);
	r = edit_apply_once(edit, &change,
	    edit_describe("number %s, %" PRId64 " %s, next update %s", number,
	        ca->crl.entries, ca->crl.entries == 1 ? "entry" : "entries",
	        until),
	    why);
	if (r == RES_OK && change.result == RES_OK) {
		ca->crl.told = 0;
		free(ca->crl_failure);
		ca->crl_failure = NULL;
	}
	return r;
}

enum res
edit_ca_crl_checked(const struct edit *edit, struct ca_record *ca,
    const char *failure, struct diag *why)
{
	char *copy = failure == NULL ? NULL : strdup(failure);
	struct ca_record wanted = {.crl_failure = copy};
	struct change change;
	enum res r;

	if (failure != NULL && copy == NULL) {
		return diag_res(why, RES_NOMEM, "no memory left");
	}
	memcpy(wanted.fingerprint, ca->fingerprint, HASH_LEN);
	wanted.crl = ca->crl; /* lent, for what it says of the fetch */
	wanted.crl.der = NULL;
	change = edit_change(edit, CHANGE_CA_CRL_CHECKED, "crl-failed", ca->id);
	change.of.ca = &wanted;
	/* That all is well again is for whoever asks, not for the log. */
	change.actor = failure == NULL ? NULL : edit->actor;
	r = edit_apply_once(edit, &change,
	    edit_describe("%s", failure == NULL ? "" : failure), why);
	if (r == RES_OK) {
		free(ca->crl_failure);
		ca->crl_failure = copy;
		copy = NULL;
	}
	free(copy);
	return r;
}

enum res
edit_ca_told(const struct edit *edit, struct ca_record *ca, const char *detail,
    struct diag *why)
{
	struct change change =
	    edit_change(edit, CHANGE_CA_TOLD, "ca-expiring", ca->id);

	change.of.ca = ca;
	return edit_apply_once(edit, &change, edit_describe("%s", detail), why);
}
