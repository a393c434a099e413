/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/admission/fixture.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "trust/ca.h"

void
fixture_init(struct fixture *fixture)
{
	const struct registry_options options = {.path = "memory",
	    .mode = REGISTRY_CREATE,
	    .backend = &backend_memory};
	struct diag why;

	memset(fixture, 0, sizeof(*fixture));
	assert_int_equal(
	    registry_open(&options, &fixture->registry, &why), RES_OK);
	fixture->edit = (struct edit){.registry = fixture->registry,
	    .org = ORG_DEFAULT,
	    .actor = "operator",
	    .now = MINT_NOW};
	assert_int_equal(
	    edit_org_start(&fixture->edit, STARTER_PLAIN, &why), RES_OK);
	fixture->ca = mint_ca("Factory", 0);
	fixture_add_ca(fixture, &fixture->ca, "active", "[]", "");
}

void
fixture_done(struct fixture *fixture)
{
	minted_done(&fixture->ca);
	registry_close(fixture->registry);
}

void
fixture_add_ca(struct fixture *fixture, const struct minted *ca,
    const char *state, const char *scope, const char *enrol)
{
	struct ca_candidate candidate;
	struct ca_record record = {0};
	struct diag why = {{0}};

	assert_int_equal(
	    ca_parse(ca->der, ca->der_len, MINT_NOW, &candidate, &why), RES_OK);
	memcpy(record.fingerprint, candidate.info.fingerprint, HASH_LEN);
	record.der = candidate.der;
	record.der_len = candidate.der_len;
	record.subject = candidate.info.subject;
	record.not_before = candidate.info.not_before;
	record.not_after = candidate.info.not_after;
	(void)stpcpy(record.state, state);
	(void)stpcpy(record.enrol, enrol);
	(void)stpcpy(record.crl_policy, "if-present");
	record.scope = strdup(scope);
	record.tags = strdup("[]");
	assert_int_equal(edit_ca_add(&fixture->edit, &record, &why), RES_OK);
	free(record.scope);
	free(record.tags);
	ca_candidate_done(&candidate);
}

struct snapshot *
fixture_snapshot(struct fixture *fixture)
{
	struct config config = {0};
	struct snapshot *snapshot = NULL;
	struct diag why = {{0}};

	assert_int_equal(
	    registry_load(fixture->registry, &config, &why), RES_OK);
	assert_int_equal(snapshot_new(&config, NULL, &snapshot, &why), RES_OK);
	assert_int_equal(config.org_count, 0);
	return snapshot;
}

struct leaf *
fixture_leaf(const struct minted *minted)
{
	struct leaf *leaf = NULL;
	struct diag why;

	assert_int_equal(
	    leaf_parse(minted->der, minted->der_len, &leaf, &why), RES_OK);
	return leaf;
}

struct identity
fixture_who(const char *name)
{
	struct identity who = {0};
	const char *why;

	assert_int_equal(
	    identity_parse(name, strlen(name), &who, &why), RES_OK);
	return who;
}

static enum res
find(void *context, const char *org, const struct identity *who,
    struct device *out, bool *case_clash)
{
	struct fixture *fixture = context;

	return registry_get(
	    fixture->registry, org, who, false, out, case_clash, NULL);
}

static enum res
count(void *context, const char *org, const struct device_type *type,
    int64_t *out)
{
	struct fixture *fixture = context;
	const struct device_query query = {.org = org, .type = type};

	return registry_count(fixture->registry, &query, out, NULL);
}

struct source
fixture_source(struct fixture *fixture)
{
	return (struct source){
	    .context = fixture, .find = find, .count = count};
}

static enum res
stub_find(void *context, const char *org, const struct identity *who,
    struct device *out, bool *case_clash)
{
	struct stub *stub = context;

	(void)org;
	stub->finds++;
	*case_clash = false;
	if (stub->res == RES_OK) {
		*out = stub->device;
		out->who = *who;
	}
	return stub->res;
}

static enum res
stub_count(void *context, const char *org, const struct device_type *type,
    int64_t *out)
{
	struct stub *stub = context;

	(void)org;
	stub->counts++;
	if (stub->count_res == RES_OK) {
		*out = type == NULL ? stub->org_devices : stub->type_devices;
	}
	return stub->count_res;
}

static bool
stub_within_rate(void *context, const char *org, const struct ca_record *ca)
{
	struct stub *stub = context;

	(void)org;
	assert_true(ca->rate > 0);
	stub->rates++;
	return stub->within_rate;
}

struct source
stub_source(struct stub *stub)
{
	return (struct source){.context = stub,
	    .find = stub_find,
	    .count = stub_count,
	    .within_rate = stub_within_rate};
}

void
fixture_add_device(
    struct fixture *fixture, const char *name, enum device_state state)
{
	struct identity who = fixture_who(name);
	struct device device;
	struct change change = {.kind = CHANGE_DEVICE_ADD,
	    .org = ORG_DEFAULT,
	    .of.device = &device,
	    .time = MINT_NOW,
	    .actor = "operator",
	    .event_kind = "import",
	    .event_subject = name};
	struct diag why;

	device_init(&device, ORG_DEFAULT, &who);
	device.state = state;
	device.created_at = MINT_NOW;
	device.window_ends_at = MINT_NOW + 100;
	assert_int_equal(
	    registry_apply(fixture->registry, &change, 1, APPLY_ALL, &why),
	    RES_OK);
}
