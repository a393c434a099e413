/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "admission/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

struct snapshot {
	atomic_uint refs;
	struct config config;   /* the tenants borrow its strings */
	struct tenant *tenants; /* one an org, in the order of config.orgs */
	size_t tenant_count;
	struct crl **crls; /* one a CA, in the order of config.cas */
	size_t crl_count;
};

static void
free_snapshot(struct snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < snapshot->tenant_count; i++) {
		trust_set_free(snapshot->tenants[i].trust);
		free(snapshot->tenants[i].policy.types);
		free(snapshot->tenants[i].topics);
	}
	for (i = 0; i < snapshot->crl_count; i++) {
		crl_unref(snapshot->crls[i]);
	}
	free(snapshot->tenants);
	free(snapshot->crls);
	config_done(&snapshot->config);
	free(snapshot);
}

struct snapshot *
snapshot_ref(struct snapshot *snapshot)
{
	atomic_fetch_add(&snapshot->refs, 1);
	return snapshot;
}

void
snapshot_unref(struct snapshot *snapshot)
{
	if (snapshot != NULL && atomic_fetch_sub(&snapshot->refs, 1) == 1) {
		free_snapshot(snapshot);
	}
}

static enum res
bad(struct diag *why, const char *org, const char *what, const char *value)
{
	return diag_res(why, RES_CORRUPT,
	    "the registry holds a %s that this version does not understand: "
	    "\"%s\" in the org %s; upgrade, or set it anew with certid",
	    what, value, org);
}

/* A large CRL takes a while to read: one that has not changed is not. */
static struct crl *
find_crl(const struct snapshot *previous, const struct ca_record *ca)
{
	const struct ca_record *old;
	size_t i;

	for (i = 0; previous != NULL && i < previous->config.ca_count; i++) {
		old = &previous->config.cas[i];
		if (previous->crls[i] != NULL &&
		    memcmp(old->fingerprint, ca->fingerprint, HASH_LEN) == 0 &&
		    memcmp(crl_info(previous->crls[i])->fingerprint,
		        ca->crl.fingerprint, HASH_LEN) == 0) {
			return crl_ref(previous->crls[i]);
		}
	}
	return NULL;
}

static enum res
read_crls(struct snapshot *snapshot, const struct snapshot *previous,
    const struct config *config, struct diag *why)
{
	const struct ca_record *ca;
	enum res r = RES_OK;
	size_t i;

	snapshot->crls = calloc(config->ca_count + 1, sizeof(*snapshot->crls));
	if (snapshot->crls == NULL) {
		return diag_res(why, RES_NOMEM, "no memory for the settings");
	}
	snapshot->crl_count = config->ca_count;
	for (i = 0; r == RES_OK && i < config->ca_count; i++) {
		ca = &config->cas[i];
		if (ca->crl.der == NULL) {
			continue;
		}
		snapshot->crls[i] = find_crl(previous, ca);
		if (snapshot->crls[i] == NULL) {
			r = crl_restore(ca->crl.der, ca->crl.der_len, ca->der,
			    ca->der_len, &snapshot->crls[i], why);
		}
	}
	return r;
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
	size_t i;

	for (i = 0; i < policy->type_count; i++) {
		if (device_type_equal(&policy->types[i].type, type)) {
			return &policy->types[i];
		}
	}
	policy->types[policy->type_count].type = *type;
	return &policy->types[policy->type_count++];
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
	return RES_OK;
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
apply_setting(
    struct tenant *tenant, const char *key, const char *value, bool *known)
{
	bool ignored;

	*known = true;
	if (strcmp(key, "client-id") == 0) {
		return client_template_parse(value,
		           &tenant->policy.client_template, NULL) == RES_OK;
	}
	if (strcmp(key, "enrol") == 0) {
		return enrolment_parse(value, &tenant->policy.enrolment);
	}
	if (strcmp(key, "types") == 0) {
		return read_choice(
		    value, "declared", "open", &tenant->policy.types_declared);
	}
	if (strcmp(key, "topics") == 0) {
		return read_choice(value, "on", "off", &tenant->topics_on);
	}
	if (strcmp(key, "sni") == 0) {
		tenant->sni = value;
		return true;
	}
	if (strcmp(key, "ca-proof") == 0) {
		/* Concerns who adds a CA, not who connects. */
		return read_choice(value, "on", "off", &ignored);
	}
	*known = false;
	return false;
}

static enum res
add_setting(struct tenant *tenant, const struct setting_record *setting,
    struct diag *why)
{
	bool known;

	if (apply_setting(tenant, setting->key, setting->value, &known)) {
		return RES_OK;
	}
	return known ? bad(why, setting->org, setting->key, setting->value)
	             : bad(why, setting->org, "setting", setting->key);
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
	policy->types = calloc(config->type_count + config->rule_count + 1,
	    sizeof(*policy->types));
	tenant->topics =
	    calloc(config->topic_count + 1, sizeof(*tenant->topics));
	if (policy->types == NULL || tenant->topics == NULL) {
		return RES_NOMEM;
	}
	return trust_set_new(&tenant->trust);
}

/* One loop for every kind of record: those of this org, one by one. */
#define EACH(of, add, to)                                                      \
	for (i = 0; r == RES_OK && i < config->of##_count; i++) {              \
		if (strcmp(config->of##s[i].org, org) == 0) {                  \
			r = add(to, &config->of##s[i], why);                   \
		}                                                              \
	}

static enum res
fill_tenant(struct tenant *tenant, const struct config *config,
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
	return r;
}

/* What is in the registry as DER is not needed twice. */
static void
drop_der(struct config *config)
{
	size_t i;

	for (i = 0; i < config->ca_count; i++) {
		free(config->cas[i].crl.der);
		config->cas[i].crl.der = NULL;
	}
}

static enum res
fill(struct snapshot *snapshot, const struct snapshot *previous,
    const struct config *config, struct diag *why)
{
	enum res r = read_crls(snapshot, previous, config, why);
	size_t i;

	if (r != RES_OK) {
		return r;
	}
	snapshot->tenants =
	    calloc(config->org_count + 1, sizeof(*snapshot->tenants));
	if (snapshot->tenants == NULL) {
		return diag_res(why, RES_NOMEM, "no memory for the settings");
	}
	snapshot->tenant_count = config->org_count;
	for (i = 0; r == RES_OK && i < config->org_count; i++) {
		snapshot->tenants[i].number = (uint32_t)i;
		r = fill_tenant(&snapshot->tenants[i], config, snapshot->crls,
		    config->orgs[i].name, why);
	}
	return r;
}

enum res
snapshot_new(struct config *config, const struct snapshot *previous,
    struct snapshot **out, struct diag *why)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	enum res r;

	if (snapshot == NULL) {
		return diag_res(why, RES_NOMEM, "no memory for the settings");
	}
	atomic_init(&snapshot->refs, 1);
	snapshot->config = *config;
	r = fill(snapshot, previous, config, why);
	if (r != RES_OK) {
		/* The config stays the caller's. */
		memset(&snapshot->config, 0, sizeof(snapshot->config));
		free_snapshot(snapshot);
		return r;
	}
	drop_der(&snapshot->config);
	memset(config, 0, sizeof(*config));
	*out = snapshot;
	return RES_OK;
}

const struct tenant *
snapshot_tenant(const struct snapshot *snapshot, const char *org)
{
	size_t i;

	for (i = 0; i < snapshot->config.org_count; i++) {
		if (strcmp(snapshot->config.orgs[i].name, org) == 0) {
			return &snapshot->tenants[i];
		}
	}
	return NULL;
}

const char *
snapshot_org(const struct snapshot *snapshot, size_t i)
{
	return i < snapshot->config.org_count ? snapshot->config.orgs[i].name
	                                      : NULL;
}

/* NAME of host, if it is NAME.SUFFIX; its length, or 0. */
static size_t
match_host(const char *host, const char *suffix)
{
	size_t len = strlen(host), tail = suffix == NULL ? 0 : strlen(suffix);

	return tail > 0 && len > tail + 1 && host[len - tail - 1] == '.' &&
	        text_equal_nocase(host + len - tail, suffix)
	    ? len - tail - 1
	    : 0;
}

static bool
is_name(const char *name, const char *host, size_t len)
{
	char copy[NAME_MAX_LEN + 1];

	return len > 0 && text_copy(copy, sizeof(copy), host, len) &&
	    text_equal_nocase(copy, name);
}

const char *
snapshot_org_of_host(const struct snapshot *snapshot, const char *host)
{
	const struct tenant *base = snapshot_tenant(snapshot, ORG_DEFAULT);
	const struct org *orgs = snapshot->config.orgs;
	const char *suffix = base == NULL ? NULL : base->sni;
	const char *found = NULL;
	bool is_ours = host != NULL && match_host(host, suffix) > 0;
	size_t i, own, matches = 0;

	for (i = 0; host != NULL && i < snapshot->config.org_count; i++) {
		own = match_host(host, snapshot->tenants[i].sni);
		is_ours |= own > 0;
		if (is_name(orgs[i].name, host, own) ||
		    is_name(orgs[i].name, host, match_host(host, suffix))) {
			found = orgs[i].name;
			matches++;
		}
	}
	if (!is_ours) {
		return ORG_DEFAULT;
	}
	return matches == 1 ? found : NULL;
}

const struct ca_record *
snapshot_ca(const struct snapshot *snapshot, const char *org,
    const uint8_t fingerprint[HASH_LEN])
{
	const struct ca_record *ca;
	size_t i;

	for (i = 0; i < snapshot->config.ca_count; i++) {
		ca = &snapshot->config.cas[i];
		if (memcmp(ca->fingerprint, fingerprint, HASH_LEN) == 0 &&
		    strcmp(ca->org, org) == 0) {
			return ca;
		}
	}
	return NULL;
}

void
snapshot_active_cas(const struct snapshot *snapshot, const char *org,
    ca_visit *visit, void *context)
{
	const struct ca_record *ca;
	enum ca_state state;
	size_t i;

	for (i = 0; i < snapshot->config.ca_count; i++) {
		ca = &snapshot->config.cas[i];
		if (strcmp(ca->org, org) == 0 &&
		    ca_state_parse(ca->state, &state) && state == CA_ACTIVE) {
			visit(ca, context);
		}
	}
}

int64_t
snapshot_mark(const struct snapshot *snapshot)
{
	return snapshot->config.mark;
}
