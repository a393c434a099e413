/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin: the three functions that Mosquitto looks for, and the life of an
 * instance.  Everything else in this room is hidden.
 */
#include <dlfcn.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/admin.h"
#include "trust/cert.h"

#define PLUGIN_VERSION       5
#define EVENT_CONNECT        11 /* 2.1 */
#define EVENT_CLIENT_OFFLINE 28 /* 2.1 */
#define ANSWER_FAILED        13 /* MOSQ_ERR_UNKNOWN: it does not start */

static const struct {
	int event;
	MOSQ_FUNC_generic_callback call;
	bool optional; /* older brokers do not know it */
} callbacks[] = {
    {MOSQ_EVT_BASIC_AUTH, auth_basic, false},
    {MOSQ_EVT_EXT_AUTH_START, auth_extended, false},
    {MOSQ_EVT_ACL_CHECK, acl_check, false},
    {MOSQ_EVT_RELOAD, turn_reload, false},
    {MOSQ_EVT_TICK, turn_tick, false},
    {MOSQ_EVT_DISCONNECT, turn_leave, false},
    {EVENT_CONNECT, turn_arrive, true},
    {EVENT_CLIENT_OFFLINE, turn_leave, true},
};

#define CALLBACKS (sizeof(callbacks) / sizeof(callbacks[0]))

bool
instance_is_home(const struct instance *instance)
{
	return pthread_equal(pthread_self(), instance->thread) != 0;
}

/* A registry that cannot be read refuses everybody who connects: say so, but
 * not once for each of them. */
static void
complain(struct instance *instance, const struct diag *why)
{
	if (instance->told_lookup_ms == 0 ||
	    instance->now_ms - instance->told_lookup_ms >= REPORT_REPEAT_MS) {
		instance->told_lookup_ms = instance->now_ms;
		report_text(LOG_ERROR, "registry: %s", why->text);
	}
}

enum res
instance_lookup(void *context, const char *org, const struct identity *who,
    struct device *out, bool *case_clash)
{
	struct instance *instance = context;
	struct diag why = {{0}};
	enum res r;

	r = pending_get(&instance->pending, org, who, out, case_clash);
	if (r == RES_OK || *case_clash) {
		return r;
	}
	r = registry_get(
	    instance->registry, org, who, false, out, case_clash, &why);
	if (r == RES_OK) {
		pending_overlay(&instance->pending, out);
	} else if (r != RES_NOTFOUND) {
		complain(instance, &why);
	}
	return r;
}

static enum res
count(void *context, const char *org, const struct device_type *type,
    int64_t *out)
{
	const struct device_query query = {.org = org, .type = type};
	struct instance *instance = context;
	struct diag why = {{0}};
	enum res r = registry_count(instance->registry, &query, out, &why);

	if (r == RES_OK) {
		*out += pending_count(&instance->pending, org, type);
	} else {
		complain(instance, &why);
	}
	return r;
}

static bool
within_rate(void *context, const char *org, const struct ca_record *ca)
{
	struct instance *instance = context;

	return limits_has_rate(&instance->limits, org, ca, instance->now_ms);
}

struct source
instance_source(struct instance *instance)
{
	return (struct source){.context = instance,
	    .find = instance_lookup,
	    .count = count,
	    .within_rate = within_rate};
}

/* A configuration that cannot be read is no reason not to start: then it is
 * not known which clients without a certificate use TLS. */
static void
read_listeners(struct instance *instance)
{
	struct diag why;
	Dl_info self;

	/* POSIX lets a function pointer be asked for as data; ISO C has no
	 * cast. */
	union {
		struct source (*function)(struct instance *);
		void *data;
	} here = {.function = instance_source};

	if (dladdr(here.data, &self) == 0 || self.dli_fname == NULL ||
	    listeners_read(self.dli_fname, &instance->listeners, &why) !=
	        RES_OK) {
		instance->listeners = NULL;
	}
}

static enum res
start(struct instance *instance, struct diag *why)
{
	const struct registry_options how = {
	    .path = instance->options.registry, .mode = REGISTRY_READ};
	const struct worker_options worker = {
	    .registry = instance->options.registry,
	    .capath = instance->options.capath};
	struct keeper_options keeper = {.registry = instance->options.registry};
	struct outbox_options outbox = {.registry = instance->options.registry};
	struct control_options control = {
	    .registry = instance->options.registry};
	enum res r;

	/* The worker opens for writing, and so brings an older schema up to
	 * date, and finds out first whether the file can be written. */
	if ((r = worker_start(&worker, &instance->worker, why)) != RES_OK ||
	    (r = registry_open(&how, &instance->registry, why)) != RES_OK) {
		return r;
	}
	keeper.mailbox = worker_mailbox(instance->worker);
	outbox.mailbox = keeper.mailbox;
	if ((r = keeper_start(&keeper, &instance->keeper, why)) != RES_OK ||
	    (r = outbox_start(&outbox, &instance->outbox, why)) != RES_OK) {
		return r;
	}
	control.mailbox = keeper.mailbox;
	if ((r = control_start(&control, &instance->control, why)) != RES_OK) {
		return r;
	}
	read_listeners(instance);
	if ((instance->verdicts = verdicts_new()) == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	turn_start(instance);
	instance->metrics.started_at = instance->now;
	publish_source(instance->source);
	if (snapshot_tenant(instance->snapshot, ORG_DEFAULT) == NULL) {
		return diag_res(why, RES_CORRUPT,
		    "the registry %s has no org %s", how.path, ORG_DEFAULT);
	}
	return instance->options.tls_verify
	    ? handshake_start(instance, &instance->handshake, why)
	    : RES_OK;
}

static int
subscribe(struct instance *instance)
{
	size_t i;
	int answer;

	for (i = 0; i < CALLBACKS; i++) {
		answer = mosquitto_callback_register(instance->id,
		    callbacks[i].event, callbacks[i].call, NULL, instance);
		if (answer == ANSWER_EXISTS) {
			report_text(LOG_ERROR,
			    "the plugin is loaded twice: remove one of its "
			    "plugin lines");
		}
		if (answer != ANSWER_OK && !callbacks[i].optional) {
			return answer;
		}
	}
	return ANSWER_OK;
}

/* Where admins publish their commands.  One that cannot be had is no reason
 * not to start. */
static void
listen_to_admins(struct instance *instance)
{
	if (mosquitto_callback_register(instance->id, MOSQ_EVT_CONTROL,
	        admin_control, CONTROL_TOPIC, instance) != ANSWER_OK) {
		report_text(LOG_WARNING,
		    "another plugin has the topic %s: the registry cannot be "
		    "managed over MQTT",
		    CONTROL_TOPIC);
	}
}

static void
unsubscribe(const struct instance *instance)
{
	size_t i;

	(void)mosquitto_callback_unregister(
	    instance->id, MOSQ_EVT_CONTROL, admin_control, CONTROL_TOPIC);
	for (i = 0; i < CALLBACKS; i++) {
		(void)mosquitto_callback_unregister(
		    instance->id, callbacks[i].event, callbacks[i].call, NULL);
	}
}

/* What could not be written in the end, and why, there is nobody else to tell
 * of: no TICK comes any more. */
static void
stop_worker(struct instance *instance)
{
	size_t lost = worker_stop(instance->worker);
	struct news *news, *next;

	if (instance->worker == NULL) {
		return;
	}
	for (news = worker_take(instance->worker); news != NULL; news = next) {
		next = news->next;
		if (news->kind == NEWS_LOG) {
			report_text(news->level, "%s", news->text.text);
		}
		news_free(news);
	}
	if (lost > 0) {
		report_text(LOG_ERROR,
		    "registry: %zu change%s lost, for nothing could be written "
		    "until the broker had to end: new devices, pins, locks or "
		    "events of its last moments",
		    lost, lost == 1 ? " is" : "s are");
	}
}

/* The worker first: what others wait for may take so long that somebody ends
 * the broker, and devices would be lost. */
static void
release(struct instance *instance)
{
	stop_worker(instance);
	control_stop(instance->control);
	outbox_stop(instance->outbox);
	keeper_stop(instance->keeper);
	handshake_stop(instance->handshake);
	worker_free(instance->worker);
	sessions_done(&instance->sessions);
	pending_done(&instance->pending);
	limits_done(&instance->limits);
	behind_clear(&instance->behind);
	homes_clear(&instance->homes);
	listeners_free(instance->listeners);
	verdicts_free(instance->verdicts);
	snapshot_unref(instance->snapshot);
	registry_close(instance->registry);
	options_done(&instance->options);
	free(instance);
}

bool
instance_knows_tls(const struct instance *instance)
{
	const struct listeners *listeners = instance->listeners;

	return instance->options.assume_tls ||
	    (listeners != NULL &&
	        (instance->broker.is_2_1 ||
	            (instance->handshake != NULL &&
	                listeners_all_have_tls(listeners))));
}

/* Whether clients without a certificate can come in, if they use TLS. */
static bool
wants_tls_alone(enum level level)
{
	return level == LEVEL_TOKEN || level == LEVEL_CERT_OR_TOKEN;
}

static const char *
find_org_of_tokens(const struct snapshot *snapshot)
{
	const struct policy *policy;
	const char *org;
	size_t i, j;

	for (i = 0; (org = snapshot_org(snapshot, i)) != NULL; i++) {
		policy = &snapshot_tenant(snapshot, org)->policy;
		if (wants_tls_alone(policy->level)) {
			return org;
		}
		for (j = 0; j < policy->type_count; j++) {
			if (policy->types[j].has_level &&
			    wants_tls_alone(policy->types[j].level)) {
				return org;
			}
		}
	}
	return NULL;
}

static void
warn_of_tls(const struct instance *instance)
{
	const char *org = instance_knows_tls(instance)
	    ? NULL
	    : find_org_of_tokens(instance->snapshot);

	if (org != NULL) {
		report_text(LOG_WARNING,
		    "a rule of the org %s asks clients without a certificate "
		    "for TLS, and the broker does not tell whether they use "
		    "it: they are refused with level-tls; if every listener "
		    "uses TLS, write plugin_opt_assume_tls true",
		    org);
	}
}

/* Say what we are running in: the first thing to look at when it does not
 * work. */
static void
introduce(const struct instance *instance)
{
	report_text(LOG_INFO,
	    "version %s on Mosquitto %s, %s, registry %s, tls_verify %s",
	    CERTID_VERSION, instance->broker.is_2_1 ? "2.1" : "2.0",
	    cert_library(), instance->options.registry,
	    instance->handshake == NULL ? "broker" : "plugin");
	if (instance->options.others == OTHERS_ALLOW) {
		report_text(LOG_WARNING,
		    "plugin_opt_others allow: clients without a certificate "
		    "may do everything; for closed test nets only");
	}
	warn_of_tls(instance);
}

__attribute__((visibility("default"))) int
mosquitto_plugin_version(int count, const int *versions)
{
	int i;

	for (i = 0; i < count; i++) {
		if (versions[i] == PLUGIN_VERSION) {
			return PLUGIN_VERSION;
		}
	}
	return -1;
}

__attribute__((visibility("default"))) int
mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **user_data,
    struct mosquitto_opt *options, int option_count)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	struct diag why = {{0}};

	if (instance == NULL) {
		return ANSWER_FAILED;
	}
	instance->thread = pthread_self();
	instance->id = id;
	broker_look(&instance->broker);
	if (instance->broker.set_info != NULL) {
		(void)instance->broker.set_info(id, "certid", CERTID_VERSION);
	}
	if (options_parse(options, option_count, &instance->options, &why) !=
	        RES_OK ||
	    start(instance, &why) != RES_OK) {
		report_text(LOG_ERROR, "%s", why.text);
		release(instance);
		return ANSWER_FAILED;
	}
	if (subscribe(instance) != ANSWER_OK) {
		unsubscribe(instance);
		release(instance);
		return ANSWER_FAILED;
	}
	listen_to_admins(instance);
	introduce(instance);
	*user_data = instance;
	return ANSWER_OK;
}

__attribute__((visibility("default"))) int
mosquitto_plugin_cleanup(
    void *user_data, struct mosquitto_opt *options, int option_count)
{
	struct instance *instance = user_data;

	(void)options;
	(void)option_count;
	if (instance != NULL) {
		unsubscribe(instance);
		turn_stop(instance);
		release(instance);
	}
	return ANSWER_OK;
}
