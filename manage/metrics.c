/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * metrics: what brokers counted, and what the registry holds, for Prometheus.
 *
 * With --org of the org alone, without what brokers count, which is of no org.
 */
#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/exposition.h"
#include "manage/hook_health.h"
#include "manage/output.h"
#include "manage/streams.h"

struct survey {
	const struct call *call;
	struct exposition *exposition;
};

static bool
is_shown(const struct survey *survey, const char *org)
{
	const char *asked = call_option(survey->call, "org");

	return asked == NULL || strcmp(asked, org) == 0;
}

/* ---- What brokers counted ---- */

/* A source that is not understood must not be missed in silence. */
static enum res
read_body(const struct metrics_record *metrics, void *context)
{
	struct survey *survey = context;
	struct diag why;
	enum res r = exposition_read(survey->exposition, metrics->body, &why);

	if (r == RES_OK) {
		return RES_OK;
	}
	if (r == RES_SYNTAX) {
		(void)refuse(EXIT_REFUSED,
		    "the metrics of the broker %.80s cannot be read (%s): is "
		    "it of a newer version?",
		    metrics->source, why.text);
		return RES_REFUSED;
	}
	return r;
}

static enum res
add_written(const struct metrics_record *metrics, void *context)
{
	struct survey *survey = context;
	const struct label labels[] = {{"broker", metrics->source}, {0}};

	exposition_add(survey->exposition, labels, metrics->written_at);
	return RES_OK;
}

static enum res
survey_brokers(struct survey *survey, struct diag *why)
{
	struct registry *registry = survey->call->registry;
	enum res r;

	if (call_option(survey->call, "org") != NULL) {
		return RES_OK;
	}
	r = registry_metrics(registry, read_body, survey, why);
	if (r == RES_OK) {
		exposition_begin(survey->exposition,
		    "certid_metrics_written_seconds", "gauge",
		    "When a broker wrote its metrics, in seconds since 1970.");
		r = registry_metrics(registry, add_written, survey, why);
	}
	return r;
}

/* ---- Devices ---- */

/* The tallies of one type, which come one after the other. */
struct sum {
	struct survey *survey;
	const char *org;
	bool has_type;
	struct device_type type;
	int64_t states[DEVICE_PROVISIONED + 1];
};

static void
end_type(struct sum *sum)
{
	char type[TYPE_TEXT_MAX + 1];
	int state;

	if (!sum->has_type) {
		return;
	}
	device_type_format(&sum->type, type);
	for (state = 0; state <= DEVICE_PROVISIONED; state++) {
		const struct label labels[] = {{"org", sum->org},
		    {"type", type},
		    {"state", device_state_name((enum device_state)state)},
		    {0}};

		exposition_add(
		    sum->survey->exposition, labels, sum->states[state]);
		sum->states[state] = 0;
	}
}

static enum res
add_tally(const struct tally *tally, void *context)
{
	struct sum *sum = context;

	if (!sum->has_type || !device_type_equal(&sum->type, &tally->type)) {
		end_type(sum);
		sum->type = tally->type;
		sum->has_type = true;
	}
	sum->states[tally->state] += tally->count;
	return RES_OK;
}

static enum res
survey_devices(struct survey *survey, struct diag *why)
{
	const struct config *config = &survey->call->config;
	enum res r = RES_OK;
	size_t i;

	exposition_begin(
	    survey->exposition, "certid_devices", "gauge", "Devices.");
	for (i = 0; r == RES_OK && i < config->org_count; i++) {
		struct sum sum = {
		    .survey = survey, .org = config->orgs[i].name};

		if (is_shown(survey, sum.org)) {
			r = registry_tally(survey->call->registry, sum.org,
			    NULL, add_tally, &sum, why);
			end_type(&sum);
		}
	}
	return r;
}

/* ---- CAs ---- */

static void
count_cas(struct survey *survey, const char *org)
{
	static const char *const states[] = {"active", "inactive", "unproven"};
	const struct config *config = &survey->call->config;
	int64_t count;
	size_t i, j;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		const struct label labels[] = {
		    {"org", org}, {"state", states[i]}, {0}};

		for (count = 0, j = 0; j < config->ca_count; j++) {
			count += strcmp(config->cas[j].org, org) == 0 &&
			        strcmp(config->cas[j].state, states[i]) == 0
			    ? 1
			    : 0;
		}
		exposition_add(survey->exposition, labels, count);
	}
}

static void
survey_ca_ends(struct survey *survey)
{
	const struct config *config = &survey->call->config;
	const struct ca_record *ca;
	size_t i;

	exposition_begin(survey->exposition, "certid_ca_not_after_seconds",
	    "gauge", "When a CA expires, in seconds since 1970.");
	for (i = 0; i < config->ca_count; i++) {
		ca = &config->cas[i];
		if (is_shown(survey, ca->org)) {
			const struct label labels[] = {{"org", ca->org},
			    {"ca", ca->id}, {"name", ca->name}, {0}};

			exposition_add(
			    survey->exposition, labels, ca->not_after);
		}
	}
	exposition_begin(survey->exposition, "certid_crl_next_update_seconds",
	    "gauge", "When a CA's CRL is due anew, in seconds since 1970.");
	for (i = 0; i < config->ca_count; i++) {
		ca = &config->cas[i];
		if (is_shown(survey, ca->org) && ca->crl.der != NULL) {
			const struct label labels[] = {
			    {"org", ca->org}, {"ca", ca->id}, {0}};

			exposition_add(
			    survey->exposition, labels, ca->crl.next_update);
		}
	}
}

static void
survey_cas(struct survey *survey)
{
	const struct config *config = &survey->call->config;
	size_t i;

	exposition_begin(
	    survey->exposition, "certid_cas", "gauge", "Registered CAs.");
	for (i = 0; i < config->org_count; i++) {
		if (is_shown(survey, config->orgs[i].name)) {
			count_cas(survey, config->orgs[i].name);
		}
	}
	survey_ca_ends(survey);
}

/* ---- Hooks ---- */

/* One family of hooks: its value is the backlog, or what field() gives. */
static enum res
survey_hook_family(struct survey *survey,
    int64_t (*field)(const struct hook_record *hook), struct diag *why)
{
	const struct config *config = &survey->call->config;
	const struct hook_record *hook;
	enum res r = RES_OK;
	int64_t value;
	size_t i;

	for (i = 0; r == RES_OK && i < config->hook_count; i++) {
		hook = &config->hooks[i];
		if (is_shown(survey, hook->org)) {
			const struct label labels[] = {
			    {"org", hook->org}, {"hook", hook->id}, {0}};

			value = field == NULL ? 0 : field(hook);
			r = field == NULL
			    ? hook_backlog(survey->call, hook, &value, why)
			    : RES_OK;
			exposition_add(survey->exposition, labels, value);
		}
	}
	return r;
}

static int64_t
delivered_of(const struct hook_record *hook)
{
	return hook->delivered;
}

static int64_t
dropped_of(const struct hook_record *hook)
{
	return hook->dropped;
}

static enum res
survey_hooks(struct survey *survey, struct diag *why)
{
	enum res r;

	exposition_begin(survey->exposition, "certid_hook_backlog", "gauge",
	    "Events that a receiver has not got yet.");
	r = survey_hook_family(survey, NULL, why);
	if (r == RES_OK) {
		exposition_begin(survey->exposition,
		    "certid_hook_delivered_total", "counter",
		    "Events that a receiver has taken.");
		r = survey_hook_family(survey, delivered_of, why);
	}
	if (r == RES_OK) {
		exposition_begin(survey->exposition,
		    "certid_hook_dropped_total", "counter",
		    "Events that were given up for a receiver.");
		r = survey_hook_family(survey, dropped_of, why);
	}
	return r;
}

/* ---- The registry ---- */

static enum res
survey_registry(struct survey *survey, struct diag *why)
{
	const struct label none[] = {{0}};
	int64_t mark = 0;
	enum res r = registry_mark(survey->call->registry, &mark, why);

	exposition_begin(survey->exposition, "certid_events_last_seq", "gauge",
	    "The number of the last event.");
	exposition_add(survey->exposition, none, mark);
	exposition_begin(survey->exposition, "certid_registry_schema", "gauge",
	    "The schema of the registry.");
	exposition_add(survey->exposition, none, REGISTRY_SCHEMA);
	return r;
}

static enum res
survey_all(struct survey *survey, struct diag *why)
{
	enum res r;

	if ((r = survey_brokers(survey, why)) != RES_OK ||
	    (r = survey_devices(survey, why)) != RES_OK) {
		return r;
	}
	survey_cas(survey);
	if ((r = survey_hooks(survey, why)) != RES_OK) {
		return r;
	}
	return survey_registry(survey, why);
}

int
run_metrics(struct call *call)
{
	struct survey survey = {.call = call, .exposition = exposition_new()};
	struct diag why = {""};
	enum res r = survey_all(&survey, &why);
	int code = EXIT_DONE;

	if (r == RES_OK && call->json) {
		code = print_json(exposition_json(survey.exposition));
	} else if (r == RES_OK) {
		r = exposition_write(survey.exposition, answers());
	}
	exposition_free(survey.exposition);
	if (r == RES_REFUSED) {
		return EXIT_REFUSED; /* which has been told */
	}
	return r == RES_OK ? code : fail(r, &why);
}
