/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "admission/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "admission/tenant.h"

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
		tenant_done(&snapshot->tenants[i]);
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
		r = tenant_fill(&snapshot->tenants[i], config, snapshot->crls,
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

/* Whether the org gives its client id to who, or (NULL) to anybody. */
static bool
gives_id(const struct tenant *tenant, const char *client_id,
    const struct identity *who)
{
	const struct policy *policy = &tenant->policy;
	struct identity ignored;

	return who == NULL ? client_template_read(&policy->client_template,
	                         policy->org, client_id, &ignored)
	                   : client_template_admits(&policy->client_template,
	                         policy->org, who, client_id);
}

const char *
snapshot_org_of_client(const struct snapshot *snapshot, const char *client_id,
    const char *username)
{
	struct identity who;
	const char *why;
	bool is_named = username != NULL &&
	    identity_parse(username, strlen(username), &who, &why) == RES_OK;
	size_t i, reads = 0;

	for (i = 0; client_id != NULL && i < snapshot->tenant_count; i++) {
		const struct tenant *tenant = &snapshot->tenants[i];

		if (tenant->marker[0] == '\0' ||
		    strstr(client_id, tenant->marker) == NULL) {
			continue;
		}
		if (gives_id(tenant, client_id, is_named ? &who : NULL)) {
			return tenant->policy.org;
		}
		if (++reads >= ORG_READS_MAX) {
			break;
		}
	}
	return ORG_DEFAULT;
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

bool
snapshot_is_admin(
    const struct snapshot *snapshot, const char *org, const char *name)
{
	const struct admin_record *admin;
	size_t i;

	for (i = 0; i < snapshot->config.admin_count; i++) {
		admin = &snapshot->config.admins[i];
		if (strcmp(admin->org, org) == 0 &&
		    strcmp(admin->name, name) == 0) {
			return true;
		}
	}
	return false;
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
