/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "admission/tenant.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "registry/event.h"

static enum res
bad(struct diag *why, const char *org, const char *what, const char *value)
{
	return diag_res(why, RES_CORRUPT,
	    "the registry holds a %s that this version does not understand: "
	    "\"%s\" in the org %s; upgrade, or set it anew with certid",
	    what, value, org);
}

static enum res
read_terms(const struct ca_record *ca, struct ca_terms *terms, struct diag *why)
{
	enum enrolment mode;

	if (!ca_state_parse(ca->state, &terms->state)) {
		return bad(why, ca->org, "CA state", ca->state);
	}
	if (ca->enrol[0] != '\0' && !enrolment_parse(ca->enrol, &mode)) {
		return bad(why, ca->org, "CA's enrolment mode", ca->enrol);
	}
	if (!crl_policy_parse(ca->crl_policy, &terms->crl_policy)) {
		return bad(why, ca->org, "CA's CRL policy", ca->crl_policy);
	}
	terms->crl_grace = ca->crl_grace;
	return RES_OK;
}

static enum res
add_ca(struct tenant *tenant, const struct ca_record *ca, struct crl *crl,
    struct diag *why)
{
	struct ca_terms terms = {.crl = crl};
	char **patterns = NULL;
	size_t count = 0;
	enum res r = read_terms(ca, &terms, why);

	if (r != RES_OK) {
		return r;
	}
	/* An unreadable scope must not turn into "any identity". */
	r = json_read_texts(
	    ca->scope, SCOPE_PATTERNS_MAX, &patterns, &count, why);
	if (r != RES_OK) {
		return r == RES_NOMEM
		    ? r
		    : bad(why, ca->org, "CA scope", ca->scope);
	}
	terms.patterns = (const char *const *)patterns;
	terms.pattern_count = count;
	r = trust_set_add(tenant->trust, ca->der, ca->der_len, &terms, why);
	json_texts_free(patterns, count);
	return r;
}

static enum res
add_cas(struct tenant *tenant, const struct config *config,
    struct crl *const *crls, struct diag *why)
{
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < config->ca_count; i++) {
		if (strcmp(config->cas[i].org, tenant->policy.org) == 0) {
			r = add_ca(tenant, &config->cas[i], crls[i], why);
		}
	}
	return r;
}

static struct type_policy *
find_type(struct policy *policy, const struct device_type *type)
{
	struct type_policy *found;
	size_t i;

	for (i = 0; i < policy->type_count; i++) {
		if (device_type_equal(&policy->types[i].type, type)) {
			return &policy->types[i];
		}
	}
	found = &policy->types[policy->type_count++];
	found->type = *type;
	found->pin = PIN_NONE; /* where nothing is said */
	found->overlap = OVERLAP_DEFAULT;
	return found;
}

/* Addresses that cannot be read must not turn into "any address". */
static enum res
add_addresses(struct type_policy *type, const struct type_record *record,
    struct diag *why)
{
	char **texts = NULL;
	size_t count = 0, i;
	enum res r;

	if (record->addresses == NULL) {
		return RES_OK;
	}
	r = json_read_texts(
	    record->addresses, ADDRESSES_MAX, &texts, &count, NULL);
	if (r != RES_OK) {
		return r == RES_NOMEM
		    ? diag_res(why, r, "no memory for the settings")
		    : bad(why, record->org, "type's addresses",
		          record->addresses);
	}
	type->has_addresses = true;
	type->addresses = calloc(count + 1, sizeof(*type->addresses));
	if (type->addresses == NULL) {
		r = diag_res(why, RES_NOMEM, "no memory for the settings");
	}
	for (i = 0; r == RES_OK && i < count; i++) {
		if (cidr_parse(texts[i], &type->addresses[i], NULL) != RES_OK) {
			r = bad(why, record->org, "type's address", texts[i]);
		}
		type->address_count = i + 1;
	}
	json_texts_free(texts, count);
	return r;
}

/* Which certificates, how many devices, from where. */
static enum res
add_limits(struct type_policy *type, const struct type_record *record,
    struct diag *why)
{
	if (record->pin[0] != '\0' &&
	    !pin_mode_parse(record->pin, &type->pin)) {
		return bad(why, record->org, "type's pin mode", record->pin);
	}
	if (record->rotate[0] != '\0' &&
	    !rotation_parse(record->rotate, &type->rotation)) {
		return bad(why, record->org, "type's rotation", record->rotate);
	}
	if (record->overlap != CLOCK_NONE) {
		type->overlap = record->overlap;
	}
	type->max_devices = record->max_devices;
	type->privileged = record->privileged;
	if (type->overlap < 0) {
		return bad(why, record->org, "type's overlap", "negative");
	}
	if (type->max_devices < 0 || type->max_devices > DEVICES_MAX) {
		return bad(why, record->org, "type's number of devices",
		    "out of range");
	}
	return add_addresses(type, record, why);
}

static enum res
add_type(
    struct policy *policy, const struct type_record *record, struct diag *why)
{
	struct type_policy *type = find_type(policy, &record->type);

	type->is_declared = true;
	if (record->enrol[0] != '\0') {
		if (!enrolment_parse(record->enrol, &type->enrolment)) {
			return bad(why, record->org, "type's enrolment mode",
			    record->enrol);
		}
		type->has_enrolment = true;
	}
	if (record->id_format[0] != '\0' &&
	    !id_kind_parse(record->id_format, &type->id_rule.kind)) {
		return bad(
		    why, record->org, "identity format", record->id_format);
	}
	if (record->id_length < 0 || record->id_length > IDENTITY_ID_MAX) {
		return bad(why, record->org, "length of ids", "out of range");
	}
	type->id_rule.length = (uint8_t)record->id_length;
	memcpy(type->id_rule.prefix, record->id_prefix,
	    sizeof(type->id_rule.prefix));
	return add_limits(type, record, why);
}

static enum res
add_rule(
    struct policy *policy, const struct rule_record *rule, struct diag *why)
{
	struct type_policy *type;
	struct device_type name;
	const char *detail;
	enum level level;

	if (!level_parse(rule->level, &level)) {
		return bad(why, rule->org, "level", rule->level);
	}
	if (strcmp(rule->who, "default") == 0) {
		policy->level = level;
		return RES_OK;
	}
	if (device_type_parse(rule->who, strlen(rule->who), &name, &detail) !=
	    RES_OK) {
		return bad(why, rule->org, "rule's type", rule->who);
	}
	type = find_type(policy, &name);
	type->level = level;
	type->has_level = true;
	return RES_OK;
}

/* One of two words; anything else is not understood. */
static bool
read_choice(const char *value, const char *yes, const char *no, bool *out)
{
	if (strcmp(value, yes) == 0) {
		*out = true;
		return true;
	}
	*out = false;
	return strcmp(value, no) == 0;
}

static bool
set_client_id(struct tenant *tenant, const char *value)
{
	return client_template_parse(
	           value, &tenant->policy.client_template, NULL) == RES_OK;
}

static bool
set_enrol(struct tenant *tenant, const char *value)
{
	return enrolment_parse(value, &tenant->policy.enrolment);
}

static bool
set_types(struct tenant *tenant, const char *value)
{
	return read_choice(
	    value, "declared", "open", &tenant->policy.types_declared);
}

static bool
set_topics(struct tenant *tenant, const char *value)
{
	return read_choice(value, "on", "off", &tenant->topics_on);
}

static bool
set_sni(struct tenant *tenant, const char *value)
{
	tenant->sni = value;
	return true;
}

/* Concerns who adds a CA, not who connects. */
static bool
set_ca_proof(struct tenant *tenant, const char *value)
{
	bool ignored;

	(void)tenant;
	return read_choice(value, "on", "off", &ignored);
}

static bool
set_clone_action(struct tenant *tenant, const char *value)
{
	return read_choice(value, "lock", "event", &tenant->locks_clones);
}

static bool
set_event_days(struct tenant *tenant, const char *value)
{
	return text_number(value, 1, EVENT_DAYS_MAX, &tenant->event_days) ==
	    RES_OK;
}

static bool
set_max_devices(struct tenant *tenant, const char *value)
{
	return strcmp(value, "none") == 0 ||
	    text_number(value, 1, DEVICES_MAX, &tenant->policy.max_devices) ==
	    RES_OK;
}

static const struct {
	const char *key;
	bool (*set)(struct tenant *tenant, const char *value);
} settings[] = {
    {"client-id", set_client_id},
    {"enrol", set_enrol},
    {"types", set_types},
    {"topics", set_topics},
    {"sni", set_sni},
    {"ca-proof", set_ca_proof},
    {"clone-action", set_clone_action},
    {"event-days", set_event_days},
    {"max-devices", set_max_devices},
};

static enum res
add_setting(struct tenant *tenant, const struct setting_record *setting,
    struct diag *why)
{
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (strcmp(setting->key, settings[i].key) == 0) {
			return settings[i].set(tenant, setting->value)
			    ? RES_OK
			    : bad(why, setting->org, setting->key,
			          setting->value);
		}
	}
	return bad(why, setting->org, "setting", setting->key);
}

static enum res
add_topic(
    struct tenant *tenant, const struct topic_record *topic, struct diag *why)
{
	struct topic_rule rule = {topic->who, ACCESS_NONE, topic->filter};

	if (!access_parse(topic->access, &rule.access) ||
	    topic_rule_check(&rule, NULL) != RES_OK) {
		return bad(why, topic->org, "topic rule", topic->filter);
	}
	tenant->topics[tenant->topic_count++] = rule;
	return RES_OK;
}

/* What holds where the registry says nothing is the strictest. */
static enum res
start_tenant(
    struct tenant *tenant, const struct config *config, const char *org)
{
	struct policy *policy = &tenant->policy;

	if (!text_copy(policy->org, sizeof(policy->org), org, strlen(org))) {
		return RES_CORRUPT;
	}
	tenant->topics_on = true;
	tenant->event_days = EVENT_DAYS_DEFAULT;
	policy->types = calloc(config->type_count + config->rule_count + 1,
	    sizeof(*policy->types));
	tenant->topics =
	    calloc(config->topic_count + 1, sizeof(*tenant->topics));
	if (policy->types == NULL || tenant->topics == NULL) {
		return RES_NOMEM;
	}
	return trust_set_new(&tenant->trust);
}

/* The name of the org with the ordinary bytes of the template around it. */
static void
mark(struct tenant *tenant)
{
	const char *text = tenant->policy.client_template.text;
	const char *start = text;
	char *end = tenant->marker;
	unsigned word;
	size_t len;

	for (; *text != '\0'; text += len) {
		word = policy_word(text, &len);
		if (word == WORD_ORG) {
			memcpy(end, start, (size_t)(text - start));
			end += text - start;
			memcpy(end, tenant->policy.org,
			    strlen(tenant->policy.org));
			end += strlen(tenant->policy.org);
			text += len;
			for (; *text != '\0' && policy_word(text, &len) == 0;
			     text++) {
				*end++ = *text;
			}
			*end = '\0';
			return;
		}
		len = word == 0 ? 1 : len;
		start = word == 0 ? start : text + len;
	}
}

/* One loop for every kind of record: those of this org, one by one. */
#define EACH(of, add, to)                                                      \
	for (i = 0; r == RES_OK && i < config->of##_count; i++) {              \
		if (strcmp(config->of##s[i].org, org) == 0) {                  \
			r = add(to, &config->of##s[i], why);                   \
		}                                                              \
	}

enum res
tenant_fill(struct tenant *tenant, const struct config *config,
    struct crl *const *crls, const char *org, struct diag *why)
{
	enum res r = start_tenant(tenant, config, org);
	size_t i;

	if (r != RES_OK) {
		return diag_res(why, r, "no memory for the org %s", org);
	}
	EACH(setting, add_setting, tenant)
	if (r == RES_OK) {
		r = add_cas(tenant, config, crls, why);
	}
	EACH(type, add_type, &tenant->policy)
	EACH(rule, add_rule, &tenant->policy)
	EACH(topic, add_topic, tenant)
	policy_sort(&tenant->policy);
	mark(tenant);
	return r;
}

void
tenant_done(struct tenant *tenant)
{
	size_t i;

	for (i = 0; i < tenant->policy.type_count; i++) {
		free(tenant->policy.types[i].addresses);
	}
	trust_set_free(tenant->trust);
	free(tenant->policy.types);
	free(tenant->topics);
}
