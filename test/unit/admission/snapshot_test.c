/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Settings of the registry in the form of decisions, and what is not
 * understood. */
#include "admission/snapshot.h"

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
    {"colour", "blue"},
};

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

static void
refuses_settings_it_does_not_know(void **state)
{
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		print_message("%s %s\n", settings[i].key, settings[i].value);
		assert_int_equal(edit_setting(&fixture.edit, settings[i].key,
		                     settings[i].value, &why),
		    RES_OK);
		expect_refused(settings[i].key);
		teardown(NULL);
		setup(NULL);
	}
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
	    cmocka_unit_test_setup_teardown(tells_active_cas, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
