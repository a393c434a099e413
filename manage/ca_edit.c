/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_edit: certid ca add|set.
 */
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/health.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/revoked.h"
#include "manage/words.h"
#include "trust/ca.h"
#include "trust/trust.h"

#define GRACE_MAX      ((int64_t)365 * 86400)
#define GRACE_MAX_TEXT "365d"

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
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;

	r = read_file(call, path, "the CA's certificate", CA_FILE_MAX, &bytes,
	    &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = ca_parse(bytes, len, call->now, out, &why);
	free(bytes);
	return r == RES_OK ? EXIT_DONE : blame_file(path, &why);
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

/* Whether a CA that is registered revoked the new one, as the configuration
 * that has it shows. */
static enum res
look_whether_revoked(const struct call *call, const struct ca_record *ca,
    bool *is_revoked, struct diag *said, struct diag *why)
{
	struct config config = {0};
	struct revoked *revoked = NULL;
	enum res r = registry_load(call->registry, &config, why);

	if (r == RES_OK) {
		r = revoked_new(&config, &revoked, why);
	}
	if (r == RES_OK) {
		*is_revoked = revoked_has(revoked, ca, said);
	}
	revoked_free(revoked);
	config_done(&config);
	return r;
}

static void
warn_of_revocation(const struct call *call, const struct ca_record *ca,
    struct json *object, struct json *warnings)
{
	bool is_revoked = false;
	struct diag said, why;

	if (look_whether_revoked(call, ca, &is_revoked, &said, &why) !=
	    RES_OK) {
		warn(call, warnings,
		    "cannot tell whether the CA %s is revoked: %s", ca->id,
		    why.text);
		json_add_null(object, "revoked");
		return;
	}
	if (is_revoked) {
		warn(call, warnings, "the CA %s %s", ca->id, said.text);
	}
	json_add_bool(object, "revoked", is_revoked);
}

static int
tell_added(const struct call *call, const struct ca_candidate *candidate,
    const struct ca_record *ca)
{
	struct json *object = ca_json(ca, call->now), *warnings = json_array();
	size_t i;

	warn_of_revocation(call, ca, object, warnings);
	for (i = 0; i < candidate->warning_count; i++) {
		warn(call, warnings, "%s", candidate->warnings[i]);
	}
	if (has_subject(call, ca->subject)) {
		warn(call, warnings,
		    "another CA of this subject is registered: with tls_verify "
		    "broker the TLS handshake of a running broker may not find "
		    "this one until the broker restarts, and needs an "
		    "authority key identifier in its devices' certificates");
	}
	json_add(object, "warnings", warnings);
	return strcmp(ca->state, ca_state_name(CA_UNPROVEN)) == 0
	    ? report(call, object,
	          "added the CA %s (%s), unproven: it admits nobody before it "
	          "is proven, which certid ca code %s begins",
	          ca->id, ca->subject, ca->id)
	    : report(call, object, "added the CA %s (%s), %s", ca->id,
	          ca->subject, ca->state);
}

/* Anything but "off" demands it. */
static bool
org_demands_proof(const struct call *call)
{
	const char *value =
	    config_setting(&call->config, call->org, "ca-proof");

	return value != NULL && strcmp(value, "off") != 0;
}

/* The state of a new CA.  One that waits for its proof cannot be inactive as
 * well: activating it would make up for the proof. */
static bool
choose_state(const struct call *call, enum ca_state *out)
{
	bool inactive = call_option(call, "inactive") != NULL;
	bool asked = call_option(call, "require-proof") != NULL;
	bool proof = asked || org_demands_proof(call);

	if (inactive && proof) {
		(void)misuse(call,
		    "--inactive cannot be given %s: a CA that waits for its "
		    "proof of possession admits nobody anyway",
		    asked ? "with --require-proof"
		          : "where the org demands a proof (set ca-proof on)");
		return false;
	}
	*out = proof ? CA_UNPROVEN : inactive ? CA_INACTIVE : CA_ACTIVE;
	return true;
}

/* What a new CA starts with. */
static void
settle(struct ca_record *ca, enum ca_state state)
{
	text_set(ca->state, sizeof(ca->state), ca_state_name(state));
	text_set(ca->crl_policy, sizeof(ca->crl_policy),
	    crl_policy_name(CRL_IF_PRESENT));
	ca->code_expires_at = CLOCK_NONE;
	ca->crl.modified_at = CLOCK_NONE;
	ca->scope = ca->scope == NULL ? strdup("[]") : ca->scope;
	ca->tags = ca->tags == NULL ? strdup("[]") : ca->tags;
}

int
run_ca_add(struct call *call)
{
	struct ca_candidate candidate = {0};
	struct ca_record ca = {.enrol = ""};
	struct edit edit = call_edit(call);
	enum ca_state state = CA_UNPROVEN;
	struct diag why = {""};
	enum res r;
	int code;

	code = take_settings(call, &ca);
	if (code == EXIT_DONE &&
	    (!take_tags(call, &ca.tags) || !choose_state(call, &state))) {
		code = EXIT_USAGE;
	}
	if (code == EXIT_DONE) {
		code = read_ca(call, &candidate);
	}
	if (code != EXIT_DONE) {
		goto out;
	}
	adopt(&candidate, &ca);
	settle(&ca, state);
	r = ca.scope == NULL || ca.tags == NULL ? RES_NOMEM
	                                        : edit_ca_add(&edit, &ca, &why);
	code = r != RES_OK ? fail(r, &why) : tell_added(call, &candidate, &ca);
out:
	ca_candidate_done(&candidate);
	ca_record_done(&ca);
	return code;
}

/* --crl and --crl-grace into ca. */
static bool
take_policy(const struct call *call, struct ca_record *ca)
{
	const char *word = call_option(call, "crl");
	const char *text = call_option(call, "crl-grace");
	enum crl_policy policy;
	int64_t grace = 0;

	if (word != NULL && !crl_policy_parse(word, &policy)) {
		(void)misuse(call, "--crl takes off, if-present or required");
		return false;
	}
	if (text != NULL &&
	    (span_parse(text, &grace) != RES_OK || grace > GRACE_MAX)) {
		(void)misuse(call,
		    "--crl-grace takes a time from 0s to " GRACE_MAX_TEXT
		    ", as in 90s, 15m, 48h, 7d");
		return false;
	}
	if (word != NULL) {
		text_set(ca->crl_policy, sizeof(ca->crl_policy), word);
	}
	if (text != NULL) {
		ca->crl_grace = grace;
	}
	return true;
}

/* --crl-url into ca; what came of fetching from another one is forgotten. */
static int
take_url(const struct call *call, struct ca_record *ca)
{
	const char *url = call_option(call, "crl-url");
	struct diag why = {""};
	char *copy = NULL;

	if (url == NULL ||
	    strcmp(url, ca->crl_url == NULL ? "" : ca->crl_url) == 0) {
		return EXIT_DONE;
	}
	if (url[0] != '\0') {
		if (!take_url_text(call, url)) {
			return EXIT_USAGE;
		}
		if ((copy = strdup(url)) == NULL) {
			return fail(RES_NOMEM, &why);
		}
	}
	free(ca->crl_url);
	ca->crl_url = copy;
	free(ca->crl_failure);
	ca->crl_failure = NULL;
	return EXIT_DONE;
}

/* --rate into ca, new identities a minute; 0: no limit. */
static bool
take_rate(const struct call *call, struct ca_record *ca)
{
	const char *text = call_option(call, "rate");

	if (text != NULL && strcmp(text, "none") == 0) {
		ca->rate = 0;
		return true;
	}
	if (text != NULL &&
	    text_number(text, 1, RATE_MAX, &ca->rate) != RES_OK) {
		(void)misuse(call,
		    "--rate takes new identities a minute, from 1 to %d, or "
		    "none",
		    RATE_MAX);
		return false;
	}
	return true;
}

static bool
is_any_given(const struct call *call)
{
	const struct option *option = call->words.command->options;

	for (; option->name != NULL; option++) {
		if (call_option(call, option->name) != NULL) {
			return true;
		}
	}
	return false;
}

static int
take_changes(const struct call *call, struct ca_record *ca)
{
	int code = take_settings(call, ca);

	if (code == EXIT_DONE &&
	    (!take_enrol(call, ca->enrol) || !take_rate(call, ca) ||
	        !take_policy(call, ca))) {
		code = EXIT_USAGE;
	}
	return code == EXIT_DONE ? take_url(call, ca) : code;
}

/* The devices that the CRL of the CA kept out come back. */
static void
caution_off(const struct ca_record *ca)
{
	int64_t n = ca->crl.entries;

	if (ca->crl.der != NULL && n > 0) {
		caution("%lld revoked certificate%s of the CA %s %s admitted "
		        "again %s",
		    (long long)n, n == 1 ? "" : "s", ca->id,
		    n == 1 ? "is" : "are",
		    strcmp(ca->state, ca_state_name(CA_ACTIVE)) == 0
		        ? "from now on"
		        : "once it is active");
	}
}

/* What the new terms of revocation come to. */
static void
caution_crl(
    const struct call *call, const struct ca_record *ca, bool was_looked_at)
{
	enum crl_policy policy;
	bool is_off =
	    crl_policy_parse(ca->crl_policy, &policy) && policy == CRL_OFF;

	if (is_off && was_looked_at) {
		caution_off(ca);
	}
	if (call_option(call, "crl") != NULL ||
	    call_option(call, "crl-grace") != NULL) {
		health_caution(ca, call->now);
	}
}

int
run_ca_set(struct call *call)
{
	struct edit edit = call_edit(call);
	bool was_looked_at = false;
	struct ca_record *ca = NULL;
	struct diag why = {""};
	enum res r;
	int code;

	if (!is_any_given(call)) {
		return misuse(call, "there is nothing to set");
	}
	code = find_ca(call, &ca);
	if (code == EXIT_DONE) {
		was_looked_at =
		    strcmp(ca->crl_policy, crl_policy_name(CRL_OFF)) != 0;
		code = take_changes(call, ca);
	}
	if (code != EXIT_DONE) {
		return code;
	}
	r = edit_ca_set(&edit, ca, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	caution_crl(call, ca, was_looked_at);
	return report(call, ca_json(ca, call->now), "changed the CA %s (%s)",
	    ca->id, ca->subject);
}
