/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * status: what the registry holds, and what an operator should look after.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "manage/commands.h"
#include "manage/health.h"
#include "manage/hook_health.h"
#include "manage/levels.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/revoked.h"
#include "manage/streams.h"
#include "registry/event.h"
#include "trust/trust.h"

struct numbers {
	int64_t active, inactive, unproven, expired, revoked;
	int64_t devices[DEVICE_PROVISIONED + 1];
	int64_t locked, waiting; /* of any state */
	int64_t lapsed;          /* of those that are allowed */
	int64_t event_days;
};

/* What is looked at in every org. */
struct survey {
	const struct call *call;
	struct revoked *revoked; /* NULL: not known */
	struct findings findings;
};

static bool
is_shown(const struct call *call, const char *org)
{
	const char *asked = call_option(call, "org");

	return asked == NULL || strcmp(asked, org) == 0;
}

/* Each CA counts once. */
static int64_t *
number_of(
    const struct ca_record *ca, const char *shown, struct numbers *numbers)
{
	if (strcmp(shown, "revoked") == 0) {
		return &numbers->revoked;
	}
	if (strcmp(ca->state, ca_state_name(CA_ACTIVE)) != 0 &&
	    strcmp(ca->state, ca_state_name(CA_INACTIVE)) != 0) {
		return &numbers->unproven;
	}
	if (strcmp(shown, "expired") == 0) {
		return &numbers->expired;
	}
	return strcmp(shown, "active") == 0 ? &numbers->active
	                                    : &numbers->inactive;
}

/* The last event that tells of fetching the CRL of a CA. */
struct failure {
	const char *ca;
	int64_t time;
};

static enum res
note_failure(const struct event *event, void *context)
{
	struct failure *failure = context;

	if (strcmp(event->subject, failure->ca) == 0) {
		failure->time = event->time;
	}
	return RES_OK;
}

/* An event is written when a failure begins, or becomes another one. */
static int64_t
failing_since(const struct call *call, const struct ca_record *ca)
{
	struct event_query query = {
	    .org = ca->org, .kind = "crl-failed", .since = CLOCK_NONE};
	struct failure failure = {.ca = ca->id, .time = CLOCK_NONE};

	if (ca->crl_failure == NULL ||
	    registry_events(call->registry, &query, note_failure, &failure,
	        NULL) != RES_OK) {
		return CLOCK_NONE;
	}
	return failure.time;
}

static void
look_at_revocation(
    struct survey *survey, const struct ca_record *ca, const struct diag *said)
{
	bool active = strcmp(ca->state, ca_state_name(CA_ACTIVE)) == 0;
	struct finding finding = {.kind = "ca-revoked",
	    .urgency = active ? URGENT_NOW : URGENT_SOON,
	    .org = ca->org,
	    .ca = ca->id,
	    .when = CLOCK_FOREVER};
	char label[CA_LABEL_MAX + 1], org[ORG_OPTION_MAX + 1];

	ca_label(ca, label);
	org_option(ca->org, org);
	findings_add(&survey->findings, &finding,
	    "the CA %s %s: certid ca remove %s%s", label, said->text, ca->id,
	    org);
}

static void
look_at_no_ca(struct survey *survey, const char *name)
{
	struct finding finding = {.kind = "no-active-ca",
	    .urgency = URGENT_NOW,
	    .org = name,
	    .when = CLOCK_FOREVER};
	char org[ORG_OPTION_MAX + 1];

	org_option(name, org);
	findings_add(&survey->findings, &finding,
	    "there is no active CA, so no certificate is accepted: certid ca "
	    "add FILE%s adds one",
	    org);
}

static void
count_cas(struct survey *survey, const char *org, struct numbers *numbers)
{
	const struct call *call = survey->call;
	const struct ca_record *ca;
	struct diag said;
	bool is_revoked;
	size_t i;

	for (i = 0; i < call->config.ca_count; i++) {
		ca = &call->config.cas[i];
		if (strcmp(ca->org, org) != 0) {
			continue;
		}
		is_revoked = revoked_has(survey->revoked, ca, &said);
		++*number_of(
		    ca, ca_state_shown(ca, call->now, is_revoked), numbers);
		if (is_revoked) {
			look_at_revocation(survey, ca, &said);
		}
		health_look(
		    ca, call->now, failing_since(call, ca), &survey->findings);
	}
	if (numbers->active == 0) {
		look_at_no_ca(survey, org);
	}
}

static void
look_at_pending(
    struct survey *survey, const char *org, const struct numbers *numbers)
{
	int64_t n = numbers->devices[DEVICE_PENDING];
	struct finding finding = {.kind = "devices-pending",
	    .urgency = URGENT_LATER,
	    .org = org,
	    .when = CLOCK_FOREVER};
	char option[ORG_OPTION_MAX + 1];

	if (n > 0) {
		org_option(org, option);
		findings_add(&survey->findings, &finding,
		    "%lld device%s for approval: certid device list --state "
		    "pending%s, then certid device approve",
		    (long long)n, n == 1 ? " waits" : "s wait", option);
	}
}

static void
look_at_waiting(
    struct survey *survey, const char *org, const struct numbers *numbers)
{
	int64_t n = numbers->waiting;
	struct finding finding = {.kind = "certificates-pending",
	    .urgency = URGENT_LATER,
	    .org = org,
	    .when = CLOCK_FOREVER};
	char option[ORG_OPTION_MAX + 1];

	if (n > 0) {
		org_option(org, option);
		findings_add(&survey->findings, &finding,
		    "%lld new certificate%s for approval: certid device list "
		    "--waiting%s, then certid device approve",
		    (long long)n, n == 1 ? " waits" : "s wait", option);
	}
}

/* Devices that connected before their rule was tightened, and have not come
 * back as it asks. */
static enum res
look_at_rules(struct survey *survey, const char *org, struct diag *why)
{
	struct finding finding = {.kind = "rule-unmet",
	    .urgency = URGENT_LATER,
	    .org = org,
	    .when = CLOCK_FOREVER};
	struct call call = *survey->call;
	struct rule_lines lines = {NULL, 0};
	char option[ORG_OPTION_MAX + 1];
	int64_t n = 0;
	enum res r;
	size_t i;

	call.org = org;
	r = rule_lines_new(&call, &lines, why);
	if (r == RES_OK) {
		r = rule_lines_count(&call, &lines, why);
	}
	for (i = 0; r == RES_OK && i < lines.count; i++) {
		n += lines.items[i].figures.seen -
		    lines.items[i].figures.compliant;
	}
	if (n > 0) {
		org_option(org, option);
		findings_add(&survey->findings, &finding,
		    "%lld device%s not meet %s rule: certid compliance%s",
		    (long long)n, n == 1 ? " does" : "s do",
		    n == 1 ? "its" : "their", option);
	}
	rule_lines_done(&lines);
	return r;
}

static enum res
count_states(const struct call *call, const char *org, struct numbers *numbers,
    struct diag *why)
{
	struct device_query query = {.org = org, .has_state = true};
	const struct {
		struct device_query query;
		int64_t *count;
	} others[] = {
	    {{.org = org, .is_locked = true}, &numbers->locked},
	    {{.org = org, .is_waiting = true}, &numbers->waiting},
	    {{.org = org, .is_lapsed = true, .now = call->now},
	        &numbers->lapsed},
	};
	enum res r = RES_OK;
	size_t i;
	int state;

	for (state = 0; r == RES_OK && state <= DEVICE_PROVISIONED; state++) {
		query.state = (enum device_state)state;
		r = registry_count(
		    call->registry, &query, &numbers->devices[state], why);
	}
	for (i = 0; r == RES_OK && i < sizeof(others) / sizeof(others[0]);
	     i++) {
		r = registry_count(
		    call->registry, &others[i].query, others[i].count, why);
	}
	return r;
}

/* How long events are kept; a value that is no number keeps the broker's last
 * good settings, and is not told here. */
static int64_t
event_days_of(const struct call *call, const char *org)
{
	const char *value = config_setting(&call->config, org, "event-days");
	int64_t days;

	return value == NULL ||
	        text_number(value, 1, EVENT_DAYS_MAX, &days) != RES_OK
	    ? EVENT_DAYS_DEFAULT
	    : days;
}

static struct json *
numbers_json(const char *org, const struct numbers *numbers, struct json *hooks)
{
	struct json *object = json_object(), *cas = json_object(),
	            *devices = json_object();
	int state;

	json_add_text(object, "org", org);
	json_add_number(cas, "active", numbers->active);
	json_add_number(cas, "inactive", numbers->inactive);
	json_add_number(cas, "unproven", numbers->unproven);
	json_add_number(cas, "expired", numbers->expired);
	json_add_number(cas, "revoked", numbers->revoked);
	json_add(object, "cas", cas);
	for (state = 0; state <= DEVICE_PROVISIONED; state++) {
		json_add_number(devices,
		    device_state_name((enum device_state)state),
		    numbers->devices[state]);
	}
	json_add_number(devices, "locked", numbers->locked);
	json_add_number(devices, "waiting", numbers->waiting);
	json_add_number(devices, "lapsed", numbers->lapsed);
	json_add(object, "devices", devices);
	json_add_number(object, "event_days", numbers->event_days);
	json_add(object, "hooks", hooks);
	return object;
}

#define COUNTS 12

static void
add_row(struct table *table, const char *org, const struct numbers *numbers)
{
	const int64_t counts[COUNTS] = {numbers->active, numbers->inactive,
	    numbers->unproven, numbers->expired, numbers->revoked,
	    numbers->devices[DEVICE_PROVISIONED],
	    numbers->devices[DEVICE_ALLOWED], numbers->lapsed,
	    numbers->devices[DEVICE_PENDING], numbers->waiting, numbers->locked,
	    numbers->event_days};
	char text[COUNTS][24];
	const char *row[COUNTS + 1] = {org};
	size_t i;

	for (i = 0; i < COUNTS; i++) {
		(void)snprintf(
		    text[i], sizeof(text[i]), "%lld", (long long)counts[i]);
		row[i + 1] = text[i];
	}
	table_add(table, row);
}

/* Devices' names and addresses are in there. */
static void
look_at_file(struct survey *survey)
{
	struct finding finding = {.kind = "registry-readable",
	    .urgency = URGENT_LATER,
	    .when = CLOCK_FOREVER};
	const char *path = survey->call->path;
	struct stat file;

	if (!survey->call->of_tenant && stat(path, &file) == 0 &&
	    (file.st_mode & (S_IROTH | S_IWOTH)) != 0) {
		findings_add(&survey->findings, &finding,
		    "the registry can be read or written by every user: "
		    "chmod 0640 %.200s",
		    path);
	}
}

/* What the broker cannot read either is no small matter. */
static void
look_for_revoked(struct survey *survey)
{
	struct finding finding = {.kind = "registry-unreadable",
	    .urgency = URGENT_NOW,
	    .when = CLOCK_FOREVER};
	struct diag why;

	if (revoked_new(&survey->call->config, &survey->revoked, &why) !=
	    RES_OK) {
		findings_add(&survey->findings, &finding,
		    "cannot tell which CAs are revoked: %s", why.text);
	}
}

static enum res
survey_orgs(struct survey *survey, struct json *orgs, struct table *table,
    struct diag *why)
{
	const struct call *call = survey->call;
	struct numbers numbers;
	struct json *hooks;
	const char *org;
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < call->config.org_count; i++) {
		org = call->config.orgs[i].name;
		if (is_shown(call, org)) {
			memset(&numbers, 0, sizeof(numbers));
			numbers.event_days = event_days_of(call, org);
			count_cas(survey, org, &numbers);
			r = count_states(call, org, &numbers, why);
			look_at_pending(survey, org, &numbers);
			look_at_waiting(survey, org, &numbers);
			if (r == RES_OK) {
				r = look_at_rules(survey, org, why);
			}
			hooks = json_array();
			if (r == RES_OK) {
				r = hook_survey(
				    call, org, &survey->findings, hooks, why);
			}
			json_append(orgs, numbers_json(org, &numbers, hooks));
			add_row(table, org, &numbers);
		}
	}
	return r;
}

/* Everything about the registry but what is in the table; NULL with an empty
 * why: no memory. */
static struct json *
status_json(struct survey *survey, struct json *orgs)
{
	const struct call *call = survey->call;
	struct json *object = json_object(), *warnings = json_array(),
	            *array = json_array();
	enum res r = findings_report(&survey->findings, call, warnings, array);

	if (!call->of_tenant) {
		json_add_text(object, "registry", call->path);
	}
	json_add_number(object, "schema", REGISTRY_SCHEMA);
	json_add_text(object, "version", CERTID_VERSION);
	if (!call->of_tenant) {
		json_add_number(
		    object, "orgs", (int64_t)call->config.org_count);
	}
	json_add(object, "per_org", orgs);
	json_add(object, "warnings", warnings);
	json_add(object, "findings", array);
	if (r != RES_OK) {
		json_free(object);
		return NULL;
	}
	return object;
}

/* Frees orgs and table. */
static int
print_status(struct survey *survey, struct json *orgs, struct table *table)
{
	const struct call *call = survey->call;
	struct json *object = status_json(survey, orgs);
	struct diag none = {""};

	if (object == NULL) {
		table_free(table);
		return fail(RES_NOMEM, &none);
	}
	if (call->json) {
		table_free(table);
		return print_json(object);
	}
	json_free(object);
	(void)fprintf(answers(), "registry%s%s, schema %d, certid %s\n\n",
	    call->of_tenant ? "" : " ", call->of_tenant ? "" : call->path,
	    REGISTRY_SCHEMA, CERTID_VERSION);
	return print_table(table);
}

int
run_status(struct call *call)
{
	const char *header[COUNTS + 1] = {"ORG", "ACTIVE CAs", "INACTIVE",
	    "UNPROVEN", "EXPIRED", "REVOKED", "PROVISIONED", "ALLOWED",
	    "LAPSED", "PENDING", "WAITING", "LOCKED", "EVENT DAYS"};
	struct json *orgs = json_array();
	struct table *table = table_new(header, COUNTS + 1);
	struct survey survey = {.call = call};
	struct diag why = {""};
	enum res r;
	int code;

	table_align_right(table, 1, COUNTS);
	table_hide_zeros(table, 2, 5); /* of CAs, but for the active ones */
	table_hide_zeros(table, 7, COUNTS - 1); /* and the provisioned ones */
	look_for_revoked(&survey);
	r = survey_orgs(&survey, orgs, table, &why);
	if (r == RES_OK) {
		look_at_file(&survey);
		code = print_status(&survey, orgs, table);
	} else {
		json_free(orgs);
		table_free(table);
		code = fail(r, &why);
	}
	if (code == EXIT_DONE && call_option(call, "check") != NULL &&
	    findings_are_critical(&survey.findings)) {
		code = EXIT_REFUSED;
	}
	revoked_free(survey.revoked);
	findings_done(&survey.findings);
	return code;
}
