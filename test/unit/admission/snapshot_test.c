/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Settings of the registry in the form of decisions, and what is not
 * understood. */
#include "admission/snapshot.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/unit/admission/fixture.h"

static struct fixture fixture;

static int
setup(void **state)
{
	(void)state;
	fixture_init(&fixture);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_done(&fixture);
	return 0;
}

static void
reads_what_an_org_starts_with(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	const struct tenant *tenant = snapshot_tenant(snapshot, ORG_DEFAULT);

	(void)state;
	assert_non_null(tenant);
	assert_int_equal(tenant->policy.level, LEVEL_CERT);
	assert_int_equal(tenant->policy.enrolment, ENROL_AUTO);
	assert_false(tenant->policy.types_declared);
	assert_true(tenant->topics_on);
	assert_int_equal(tenant->topic_count, 1);
	assert_false(tenant->locks_clones);
	assert_int_equal(tenant->event_days, 90);
	assert_int_equal(tenant->policy.max_devices, 0);
	assert_null(snapshot_tenant(snapshot, "Default"));
	assert_null(snapshot_tenant(snapshot, ""));
	snapshot_unref(snapshot);
}

/* An org that has nothing at all is as strict as can be. */
static void
an_empty_org_refuses(void **state)
{
	struct org org = {.name = "acme", .created_at = MINT_NOW};
	struct change change = {
	    .kind = CHANGE_ORG_ADD, .of.org = &org, .time = MINT_NOW};
	struct snapshot *snapshot;
	const struct tenant *tenant;
	struct diag why;

	(void)state;
	assert_int_equal(
	    registry_apply(fixture.registry, &change, 1, APPLY_ALL, &why),
	    RES_OK);
	snapshot = fixture_snapshot(&fixture);
	tenant = snapshot_tenant(snapshot, "acme");
	assert_non_null(tenant);
	assert_int_equal(tenant->policy.level, LEVEL_CERT_TOKEN);
	assert_int_equal(tenant->policy.enrolment, ENROL_LISTED);
	assert_int_equal(tenant->topic_count, 0);
	snapshot_unref(snapshot);
}

static const struct {
	const char *key, *value;
} settings[] = {
    {"topics", "maybe"},
    {"topics", "On"},
    {"types", "closed"},
    {"enrol", "never"},
    {"client-id", "{class}"},
    {"ca-proof", "yes"},
    {"clone-action", "kill"},
    {"clone-action", "Lock"},
    {"event-days", "0"},
    {"event-days", "-1"},
    {"event-days", "36501"},
    {"event-days", "7d"},
    {"event-days", ""},
    {"max-devices", "0"},
    {"max-devices", "-1"},
    {"max-devices", "all"},
    {"max-devices", "1000000001"},
    {"max-devices", "99999999999999999999"},
    {"max-devices", " 5"},
    {"colour", "blue"},
};

/* Clients without a certificate: whose they are, by their client id. */
static const struct {
	const char *name, *template;
} client_orgs[] = {
    {"acme", "{class}:{org}:{type}:{id}"},
    {"gamma", "{org}~{class}:{type}:{id}*"},
    {"plain", "{class}:{type}:{id}"},
    {"tail", "{class}:{type}:{id}@{org}"},
};

static const struct {
	const char *client_id, *username, *want;
} clients[] = {
    {NULL, NULL, "default"},
    {NULL, "d:meter:1", "default"},
    {"", "use-token-auth", "default"},
    {"d:meter:1", "use-token-auth", "default"},
    {"d:meter:1", "d:meter:1", "default"},
    {"d:acme:meter:1", "use-token-auth", "acme"},
    {"d:acme:meter:1", NULL, "acme"},
    {"d:acme:meter:1", "app", "acme"},
    {"d:acme:meter:1", "d:meter:1", "acme"},
    {"d:acme:meter:1", "d:acme:meter:1", "default"},
    {"d:acme:meter:1", "d:meter:2", "default"},
    {"d:acme:meter:1", "g:meter:1", "default"},
    {"d:Acme:meter:1", "use-token-auth", "default"},
    {"x:acme:meter:1", "use-token-auth", "default"},
    {"d:acme:meter:", "use-token-auth", "default"},
    {"d:acme:", "use-token-auth", "default"},
    {":acme:", "use-token-auth", "default"},
    {"d:meter:acme:1", "use-token-auth", "default"},
    {"d:plain:meter:1", "use-token-auth", "default"},
    {"gamma~d:meter:1", "use-token-auth", "gamma"},
    {"gamma~d:meter:1#", "use-token-auth", "default"},
    {"gamma~d:meter:1@2", "d:meter:1", "gamma"},
    {"gamma~d:meter:12", "d:meter:1", "gamma"},
    {"gamma~d:meter:2", "d:meter:1", "default"},
    {"gammad:meter:1", "use-token-auth", "default"},
    {"d:meter:1@tail", "use-token-auth", "tail"},
    {"d:meter:1@tails", "use-token-auth", "default"},
    {"d:acme:1@tail", "use-token-auth", "tail"},
};

static struct snapshot *
snapshot_of_client_orgs(void)
{
	struct snapshot *snapshot = NULL;
	struct config config = {0};
	struct diag why = {{0}};
	size_t i, j;

	for (i = 0; i < sizeof(client_orgs) / sizeof(client_orgs[0]); i++) {
		struct edit edit = fixture.edit;

		edit.org = client_orgs[i].name;
		assert_int_equal(
		    edit_org_add(&edit, STARTER_PLAIN, &why), RES_OK);
	}
	assert_int_equal(
	    registry_load(fixture.registry, &config, &why), RES_OK);
	for (i = 0; i < config.setting_count; i++) {
		struct setting_record *setting = &config.settings[i];

		for (j = 0; j < sizeof(client_orgs) / sizeof(client_orgs[0]);
		     j++) {
			if (strcmp(setting->key, "client-id") == 0 &&
			    strcmp(setting->org, client_orgs[j].name) == 0) {
				free(setting->value);
				setting->value =
				    strdup(client_orgs[j].template);
			}
		}
	}
	assert_int_equal(snapshot_new(&config, NULL, &snapshot, &why), RES_OK);
	return snapshot;
}

static void
knows_the_org_of_a_client_id(void **state)
{
	struct snapshot *snapshot = snapshot_of_client_orgs();
	const char *org;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		org = snapshot_org_of_client(
		    snapshot, clients[i].client_id, clients[i].username);
		if (strcmp(org, clients[i].want) != 0) {
			fail_msg("%s, %s: %s", clients[i].client_id,
			    clients[i].username, org);
		}
	}
	snapshot_unref(snapshot);
}

/* The config stays whole for whoever holds it. */
static void
expect_refused(const char *says)
{
	struct config config = {0};
	struct snapshot *snapshot = NULL;
	struct diag why = {{0}};

	assert_int_equal(
	    registry_load(fixture.registry, &config, &why), RES_OK);
	assert_int_equal(
	    snapshot_new(&config, NULL, &snapshot, &why), RES_CORRUPT);
	assert_null(snapshot);
	assert_int_equal(config.org_count, 1);
	assert_non_null(strstr(why.text, says));
	config_done(&config);
}

/* A setting as the registry may hold it, put in behind its back. */
static void
refuses_settings_it_does_not_know(void **state)
{
	struct setting_record *setting;
	struct config config = {0};
	struct snapshot *snapshot = NULL;
	struct diag why;
	size_t i;

	(void)state;
	assert_int_equal(
	    registry_load(fixture.registry, &config, &why), RES_OK);
	assert_true(config.setting_count > 0);
	setting = &config.settings[config.setting_count - 1];
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		print_message("%s %s\n", settings[i].key, settings[i].value);
		text_set(setting->key, sizeof(setting->key), settings[i].key);
		free(setting->value);
		setting->value = strdup(settings[i].value);
		why.text[0] = '\0';
		assert_int_equal(
		    snapshot_new(&config, NULL, &snapshot, &why), RES_CORRUPT);
		assert_null(snapshot);
		assert_non_null(strstr(why.text, settings[i].key));
	}
	config_done(&config);
}

static void
refuses_a_level_it_does_not_know(void **state)
{
	struct diag why;

	(void)state;
	assert_int_equal(
	    edit_rule_set(&fixture.edit, "d:meter", "retina", &why), RES_OK);
	expect_refused("retina");
}

/* A scope that cannot be read must not mean "any identity". */
static void
refuses_a_scope_it_cannot_read(void **state)
{
	struct minted ca = mint_ca("Second", 1);

	(void)state;
	fixture_add_ca(&fixture, &ca, "active", "[1]", "");
	expect_refused("scope");
	minted_done(&ca);
}

static void
refuses_a_state_it_does_not_know(void **state)
{
	struct minted ca = mint_ca("Second", 1);

	(void)state;
	fixture_add_ca(&fixture, &ca, "trusted", "[]", "");
	expect_refused("trusted");
	minted_done(&ca);
}

static void
reads_settings(void **state)
{
	struct snapshot *snapshot;
	const struct tenant *tenant;
	struct diag why;

	(void)state;
	assert_int_equal(
	    edit_setting(&fixture.edit, "clone-action", "lock", &why), RES_OK);
	assert_int_equal(
	    edit_setting(&fixture.edit, "event-days", "7", &why), RES_OK);
	assert_int_equal(
	    edit_setting(&fixture.edit, "max-devices", "1000000000", &why),
	    RES_OK);
	snapshot = fixture_snapshot(&fixture);
	tenant = snapshot_tenant(snapshot, ORG_DEFAULT);
	assert_true(tenant->locks_clones);
	assert_int_equal(tenant->event_days, 7);
	assert_int_equal(tenant->policy.max_devices, 1000000000);
	snapshot_unref(snapshot);
	assert_int_equal(
	    edit_setting(&fixture.edit, "clone-action", "event", &why), RES_OK);
	assert_int_equal(
	    edit_setting(&fixture.edit, "max-devices", "none", &why), RES_OK);
	snapshot = fixture_snapshot(&fixture);
	tenant = snapshot_tenant(snapshot, ORG_DEFAULT);
	assert_false(tenant->locks_clones);
	assert_int_equal(tenant->policy.max_devices, 0);
	snapshot_unref(snapshot);
}

/* A type as the registry may hold it, put in behind its back. */
static enum res
read_type(
    const struct type_record *type, struct snapshot **out, struct diag *why)
{
	struct config config = {0};
	enum res r;

	assert_int_equal(registry_load(fixture.registry, &config, why), RES_OK);
	assert_int_equal(config.type_count, 0);
	free(config.types);
	config.types = calloc(1, sizeof(*config.types));
	config.type_count = 1;
	assert_int_equal(type_record_copy(type, &config.types[0]), RES_OK);
	text_set(config.types[0].org, sizeof(type->org), ORG_DEFAULT);
	*out = NULL;
	r = snapshot_new(&config, NULL, out, why);
	config_done(&config);
	return r;
}

static void
reads_types(void **state)
{
	static char two[] = "[\"10.0.0.0/8\",\"2001:db8::/32\"]", none[] = "[]";
	struct type_record type = {.type = {'g', "hub"},
	    .overlap = 60,
	    .max_devices = 5,
	    .pin = "first",
	    .rotate = "same-ca",
	    .addresses = two,
	    .privileged = true};
	const struct type_policy *policy;
	struct snapshot *snapshot;
	struct diag why;

	(void)state;
	assert_int_equal(read_type(&type, &snapshot, &why), RES_OK);
	policy = policy_type(
	    &snapshot_tenant(snapshot, ORG_DEFAULT)->policy, &type.type);
	assert_int_equal(policy->pin, PIN_FIRST);
	assert_int_equal(policy->rotation, ROTATE_SAME_CA);
	assert_int_equal(policy->overlap, 60);
	assert_int_equal(policy->max_devices, 5);
	assert_true(policy->privileged && policy->has_addresses);
	assert_int_equal(policy->address_count, 2);
	assert_true(cidr_holds(policy->addresses, 2, "2001:db8::1"));
	snapshot_unref(snapshot);

	/* Of what is not said. */
	type = (struct type_record){
	    .type = {'g', "hub"}, .overlap = CLOCK_NONE, .addresses = none};
	assert_int_equal(read_type(&type, &snapshot, &why), RES_OK);
	policy = policy_type(
	    &snapshot_tenant(snapshot, ORG_DEFAULT)->policy, &type.type);
	assert_int_equal(policy->pin, PIN_NONE);
	assert_int_equal(policy->rotation, ROTATE_NONE);
	assert_true(policy->overlap == OVERLAP_DEFAULT);
	assert_int_equal(policy->max_devices, 0);
	assert_false(policy->privileged);
	/* A list of no addresses is none of any. */
	assert_true(policy->has_addresses);
	assert_int_equal(policy->address_count, 0);
	snapshot_unref(snapshot);
}

static const struct {
	const char *pin, *rotate;
	int64_t overlap, max_devices;
	const char *addresses, *says;
} types[] = {
    {"any", "", 0, 0, NULL, "any"},
    {"First", "", 0, 0, NULL, "First"},
    {"", "same", 0, 0, NULL, "same"},
    {"", "", -1, 0, NULL, "overlap"},
    {"", "", 0, -1, NULL, "number"},
    {"", "", 0, DEVICES_MAX + (int64_t)1, NULL, "number"},
    {"", "", 0, 0, "", "addresses"},
    {"", "", 0, 0, "10.0.0.0/8", "addresses"},
    {"", "", 0, 0, "[1]", "addresses"},
    {"", "", 0, 0, "{}", "addresses"},
    {"", "", 0, 0, "[\"10.0.0.0/8\"", "addresses"},
    {"", "", 0, 0, "[\"10.0.0.0/8\",\"10.0.0.1/8\"]", "10.0.0.1/8"},
    {"", "", 0, 0, "[\"any\"]", "any"},
};

static void
refuses_types_it_does_not_understand(void **state)
{
	struct snapshot *snapshot;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct type_record type = {.type = {'d', "meter"},
		    .overlap = types[i].overlap,
		    .max_devices = types[i].max_devices};

		text_set(type.pin, sizeof(type.pin), types[i].pin);
		text_set(type.rotate, sizeof(type.rotate), types[i].rotate);
		type.addresses = types[i].addresses == NULL
		    ? NULL
		    : strdup(types[i].addresses);
		assert_int_equal(
		    read_type(&type, &snapshot, &why), RES_CORRUPT);
		assert_null(snapshot);
		if (strstr(why.text, types[i].says) == NULL) {
			fail_msg("%zu: %s", i, why.text);
		}
		free(type.addresses);
	}
}

/* Names are compared as they are, and an admin is one of his org alone. */
static void
knows_admins(void **state)
{
	struct snapshot *snapshot = NULL;
	struct config config = {0};
	struct diag why;

	(void)state;
	assert_int_equal(
	    registry_load(fixture.registry, &config, &why), RES_OK);
	free(config.admins);
	config.admins = calloc(2, sizeof(*config.admins));
	config.admin_count = 2;
	(void)stpcpy(config.admins[0].org, "acme");
	(void)stpcpy(config.admins[0].name, "alice");
	(void)stpcpy(config.admins[1].org, ORG_DEFAULT);
	(void)stpcpy(config.admins[1].name, "d:admin:1");
	assert_int_equal(snapshot_new(&config, NULL, &snapshot, &why), RES_OK);
	assert_true(snapshot_is_admin(snapshot, ORG_DEFAULT, "d:admin:1"));
	assert_true(snapshot_is_admin(snapshot, "acme", "alice"));
	assert_false(snapshot_is_admin(snapshot, ORG_DEFAULT, "alice"));
	assert_false(snapshot_is_admin(snapshot, "acme", "d:admin:1"));
	assert_false(snapshot_is_admin(snapshot, "acme", "Alice"));
	assert_false(snapshot_is_admin(snapshot, "acme", "alic"));
	assert_false(snapshot_is_admin(snapshot, "acme", "alice2"));
	assert_false(snapshot_is_admin(snapshot, "acme", ""));
	assert_false(snapshot_is_admin(snapshot, "nowhere", "alice"));
	snapshot_unref(snapshot);
}

static void
keep_name(const struct ca_record *ca, void *context)
{
	(void)stpcpy((char *)context + strlen(context), ca->subject);
}

static void
tells_active_cas(void **state)
{
	struct minted idle = mint_ca("Idle", 1);
	struct snapshot *snapshot;
	char names[256] = "";

	(void)state;
	fixture_add_ca(&fixture, &idle, "inactive", "[]", "");
	snapshot = fixture_snapshot(&fixture);
	snapshot_active_cas(snapshot, ORG_DEFAULT, keep_name, names);
	assert_string_equal(names, "CN=Factory");
	names[0] = '\0';
	snapshot_active_cas(snapshot, "acme", keep_name, names);
	assert_string_equal(names, "");
	snapshot_unref(snapshot);
	minted_done(&idle);
}

/* Server names and the orgs they stand for; NULL: none.  "default" has the
 * suffix mqtt.example.com, "acme" beta.example.com. */
static const struct {
	const char *host, *org;
} hosts[] = {
    {NULL, "default"},
    {"", "default"},
    {"127.0.0.1", "default"},
    {"mqtt.example.com", "default"},
    {".mqtt.example.com", "default"},
    {"xmqtt.example.com", "default"},
    {"mqtt.example.com.acme", "default"},
    {"acme.example.com", "default"},
    {"acme.mqtt.example.com", "acme"},
    {"ACME.mqtt.Example.COM", "acme"},
    {"acme.beta.example.com", "acme"},
    {"default.mqtt.example.com", "default"},
    {"a.b.mqtt.example.com", "a.b"},
    {"b.mqtt.example.com", NULL},
    {"nobody.mqtt.example.com", NULL},
    {"x.acme.mqtt.example.com", NULL},
    {"a.b.beta.example.com", NULL},
    {"default.beta.example.com", NULL},
    {"acme..mqtt.example.com", NULL},
    {"twin.mqtt.example.com", NULL},
    {"acm.mqtt.example.com", NULL},
    {"acme1.mqtt.example.com", NULL},
};

/* Not through edit_org_add(), which lets no two names in that differ in letter
 * case alone. */
static void
add_org(const char *name)
{
	struct edit edit = fixture.edit;
	struct org org = {.created_at = edit.now};
	struct change change = {
	    .kind = CHANGE_ORG_ADD,
	    .org = name,
	    .of.org = &org,
	    .time = edit.now,
	    .actor = edit.actor,
	    .event_kind = "setting-changed",
	    .event_subject = "org",
	};
	struct diag why;

	assert_true(text_copy(org.name, sizeof(org.name), name, strlen(name)));
	assert_int_equal(
	    registry_apply(edit.registry, &change, 1, APPLY_ALL, &why), RES_OK);
	edit.org = name;
	assert_int_equal(edit_org_start(&edit, STARTER_PLAIN, &why), RES_OK);
}

static void
tells_orgs_by_server_name(void **state)
{
	struct edit acme = fixture.edit;
	struct snapshot *snapshot;
	const char *org;
	struct diag why;
	size_t i;

	(void)state;
	acme.org = "acme";
	add_org("acme");
	add_org("a.b");
	add_org("Twin");
	add_org("twin");
	assert_int_equal(
	    edit_setting(&fixture.edit, "sni", "mqtt.example.com", &why),
	    RES_OK);
	assert_int_equal(
	    edit_setting(&acme, "sni", "beta.example.com", &why), RES_OK);
	snapshot = fixture_snapshot(&fixture);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		print_message(
		    "%s\n", hosts[i].host == NULL ? "no name" : hosts[i].host);
		org = snapshot_org_of_host(snapshot, hosts[i].host);
		if (hosts[i].org == NULL) {
			assert_null(org);
		} else {
			assert_non_null(org);
			assert_string_equal(org, hosts[i].org);
		}
	}
	snapshot_unref(snapshot);
}

/* Without the setting a name means nothing. */
static void
serves_default_whatever_the_name(void **state)
{
	struct snapshot *snapshot;

	(void)state;
	add_org("acme");
	snapshot = fixture_snapshot(&fixture);
	assert_string_equal(
	    snapshot_org_of_host(snapshot, "acme.mqtt.example.com"), "default");
	assert_string_equal(snapshot_org_of_host(snapshot, "acme"), "default");
	snapshot_unref(snapshot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        knows_the_org_of_a_client_id, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        tells_orgs_by_server_name, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        serves_default_whatever_the_name, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        reads_what_an_org_starts_with, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        an_empty_org_refuses, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_settings_it_does_not_know, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_a_level_it_does_not_know, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_a_scope_it_cannot_read, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_a_state_it_does_not_know, setup, teardown),
	    cmocka_unit_test_setup_teardown(reads_settings, setup, teardown),
	    cmocka_unit_test_setup_teardown(reads_types, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_types_it_does_not_understand, setup, teardown),
	    cmocka_unit_test_setup_teardown(knows_admins, setup, teardown),
	    cmocka_unit_test_setup_teardown(tells_active_cas, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
