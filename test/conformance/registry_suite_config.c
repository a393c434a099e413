/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>

static void
begins_with_the_default_org(void **state)
{
	struct suite *suite = *state;
	struct config config;

	suite_load(suite->registry, &config);
	assert_int_equal(config.org_count, 1);
	assert_string_equal(config.orgs[0].name, ORG_DEFAULT);
	assert_true(config.orgs[0].created_at > 0);
	assert_int_equal(config.ca_count + config.type_count +
	        config.rule_count + config.topic_count + config.setting_count,
	    0);
	assert_int_equal(config.mark, 0);
	assert_int_equal(suite_mark(suite->registry), 0);
	config_done(&config);
}

/* One record of every kind in an org. */
static void
fill_org(struct registry *registry, const char *org)
{
	static char subject[] = "CN=A", value[] = "auto", filter[] = "a/#";
	struct ca_record ca = suite_ca("aa", subject);
	struct type_record type = {.type = {.class = 'd', .name = "meter"}};
	struct rule_record rule = {.who = "default", .level = "cert"};
	struct topic_record topic = {
	    .who = "all", .access = "both", .filter = filter};
	struct setting_record setting = {.key = "enrol", .value = value};
	struct device device = suite_device("d:meter:1", DEVICE_ALLOWED);
	struct change changes[] = {
	    suite_change(CHANGE_CA_ADD, &ca),
	    suite_change(CHANGE_TYPE_SET, &type),
	    suite_change(CHANGE_RULE_SET, &rule),
	    suite_change(CHANGE_TOPIC_ADD, &topic),
	    suite_change(CHANGE_SETTING_SET, &setting),
	    suite_change(CHANGE_DEVICE_ADD, &device),
	};
	struct diag why = {{0}};
	size_t i;

	for (i = 0; i < 6; i++) {
		changes[i].org = org;
	}
	assert_int_equal(
	    registry_apply(registry, changes, 6, APPLY_ALL, &why), RES_OK);
}

static int64_t
count_devices(struct registry *registry, const char *org)
{
	struct device_query query = {.org = org};
	struct diag why = {{0}};
	int64_t count = -1;

	assert_int_equal(
	    registry_count(registry, &query, &count, &why), RES_OK);
	return count;
}

static void
orgs_come_and_go(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	struct config config;

	suite_expect(registry, CHANGE_ORG_REMOVE, &org, RES_NOTFOUND);
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_EXISTS);
	fill_org(registry, "plant");
	fill_org(registry, ORG_DEFAULT);
	suite_load(registry, &config);
	assert_int_equal(config.org_count, 2);
	assert_string_equal(config.orgs[1].name, "plant");
	assert_int_equal(config.orgs[1].created_at, NOW);
	assert_int_equal(config.ca_count, 2);
	assert_string_equal(config.cas[1].org, "plant");
	config_done(&config);

	suite_expect(registry, CHANGE_ORG_REMOVE, &org, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.org_count, 1);
	assert_int_equal(config.ca_count, 1);
	assert_int_equal(config.type_count, 1);
	assert_int_equal(config.rule_count, 1);
	assert_int_equal(config.topic_count, 1);
	assert_int_equal(config.setting_count, 1);
	assert_string_equal(config.cas[0].org, ORG_DEFAULT);
	config_done(&config);
	assert_int_equal(count_devices(registry, "plant"), 0);
	assert_int_equal(count_devices(registry, ORG_DEFAULT), 1);
}

static void
must_want_org(struct registry *registry, enum change_kind kind, void *record)
{
	struct change change = suite_change(kind, record);
	struct diag why = {{0}};

	change.org = "nowhere";
	assert_int_equal(registry_apply(registry, &change, 1, APPLY_ALL, &why),
	    RES_NOTFOUND);
	assert_string_equal(why.text,
	    "there is no org nowhere: add it with certid org add nowhere");
}

static void
every_change_wants_its_org(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char text[] = "x";
	struct ca_record ca = suite_ca("aa", text), proof = ca, listed = ca;
	struct type_record type = {.type = {.class = 'd', .name = "meter"}};
	struct rule_record rule = {.who = "default", .level = "cert"};
	struct topic_record topic = {
	    .who = "all", .access = "both", .filter = text};
	struct setting_record setting = {.key = "enrol", .value = text};
	struct device device = suite_device("d:meter:1", DEVICE_PENDING);
	struct device behind = suite_device("d:meter:1", DEVICE_PENDING);
	struct hook_record hook = suite_hook("0123abcd");
	struct admin_record admin = {.name = "alice", .added_at = NOW};
	void *records[] = {
	    [CHANGE_CA_ADD] = &ca,
	    [CHANGE_CA_SET] = &ca,
	    [CHANGE_CA_STATE] = &ca,
	    [CHANGE_CA_CODE] = &proof,
	    [CHANGE_CA_PROVE] = &proof,
	    [CHANGE_CA_CRL] = &listed,
	    [CHANGE_CA_CRL_CHECKED] = &ca,
	    [CHANGE_CA_TOLD] = &ca,
	    [CHANGE_CA_REMOVE] = &ca,
	    [CHANGE_TYPE_SET] = &type,
	    [CHANGE_TYPE_UNSET] = &type,
	    [CHANGE_RULE_SET] = &rule,
	    [CHANGE_RULE_UNSET] = &rule,
	    [CHANGE_TOPIC_ADD] = &topic,
	    [CHANGE_TOPIC_REMOVE] = &topic,
	    [CHANGE_SETTING_SET] = &setting,
	    [CHANGE_DEVICE_ADD] = &device,
	    [CHANGE_DEVICE_PROVISION] = &device,
	    [CHANGE_DEVICE_LOCK] = &device,
	    [CHANGE_DEVICE_APPROVE] = &device,
	    [CHANGE_DEVICE_REMOVE] = &device,
	    [CHANGE_DEVICE_SEEN] = &device,
	    [CHANGE_DEVICE_TOKEN] = &device,
	    [CHANGE_DEVICE_PINS] = &device,
	    [CHANGE_DEVICE_ATTACH] = &behind,
	    [CHANGE_DEVICE_SET] = &device,
	    [CHANGE_HOOK_ADD] = &hook,
	    [CHANGE_HOOK_REMOVE] = &hook,
	    [CHANGE_HOOK_PROGRESS] = &hook,
	    [CHANGE_ADMIN_ADD] = &admin,
	    [CHANGE_ADMIN_REMOVE] = &admin,
	    [CHANGE_METRICS] = NULL, /* of no org */
	    [CHANGE_METRICS_PURGE] = NULL,
	    [CHANGE_EVENTS_PURGE] = NULL,
	    [CHANGE_EVENT] = &device,
	};
	enum change_kind kind;

	behind.has_gateway = true;
	behind.gateway = suite_identity("g:gate:1");
	(void)strcpy(proof.code, "code");
	listed.crl = suite_crl("1", 1);
	for (kind = CHANGE_CA_ADD; kind <= CHANGE_EVENT; kind++) {
		if (kind == CHANGE_METRICS) {
			continue;
		}
		must_want_org(registry, kind, records[kind]);
	}
	assert_int_equal(suite_mark(registry), 0);
}

static void
a_ca_reads_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char subject[] = "O=Plant, CN=Root", said[] = "the first",
	            scope[] = "[\"d:meter:*\"]";
	struct ca_record ca = suite_ca("0123456789abcdef01", subject), *back;
	struct config config;

	ca.description = said;
	ca.scope = scope;
	ca.not_after = INT64_C(253402300799);
	(void)strcpy(ca.name, "plant-root");
	(void)strcpy(ca.enrol, "listed");
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	assert_string_equal(ca.id, "0123456789abcdef");
	suite_load(registry, &config);
	assert_int_equal(config.ca_count, 1);
	back = &config.cas[0];
	assert_string_equal(back->org, ORG_DEFAULT);
	assert_string_equal(back->id, "0123456789abcdef");
	assert_memory_equal(back->fingerprint, ca.fingerprint, HASH_LEN);
	assert_int_equal(back->der_len, ca.der_len);
	assert_memory_equal(back->der, ca.der, ca.der_len);
	assert_string_equal(back->subject, subject);
	assert_int_equal(back->not_before, ca.not_before);
	assert_int_equal(back->not_after, ca.not_after);
	assert_string_equal(back->name, "plant-root");
	assert_string_equal(back->description, "the first");
	assert_string_equal(back->state, "active");
	assert_string_equal(back->scope, scope);
	assert_string_equal(back->enrol, "listed");
	assert_string_equal(back->tags, "[]");
	assert_int_equal(back->added_at, NOW);
	config_done(&config);
}

static void
a_ca_is_changed_part_by_part(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char subject[] = "CN=A", scope[] = "[\"g:*:*\"]";
	struct ca_record ca = suite_ca("aa", subject);
	struct config config;

	suite_expect(registry, CHANGE_CA_SET, &ca, RES_NOTFOUND);
	suite_expect(registry, CHANGE_CA_STATE, &ca, RES_NOTFOUND);
	suite_expect(registry, CHANGE_CA_REMOVE, &ca, RES_NOTFOUND);
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_STATE, &ca, RES_EXISTS);
	(void)strcpy(ca.state, "inactive");
	suite_expect(registry, CHANGE_CA_STATE, &ca, RES_OK);

	/* Setting the rest does not bring an old state back. */
	(void)strcpy(ca.state, "active");
	(void)strcpy(ca.name, "n");
	ca.scope = scope;
	suite_expect(registry, CHANGE_CA_SET, &ca, RES_OK);
	suite_load(registry, &config);
	assert_string_equal(config.cas[0].state, "inactive");
	assert_string_equal(config.cas[0].name, "n");
	assert_string_equal(config.cas[0].scope, scope);
	assert_null(config.cas[0].description);
	assert_string_equal(config.cas[0].subject, subject);
	config_done(&config);
	suite_expect(registry, CHANGE_CA_REMOVE, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_REMOVE, &ca, RES_NOTFOUND);
}

static void
a_ca_is_there_once(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char subject[] = "CN=A";
	struct ca_record a = suite_ca("aa", subject),
	                 b = suite_ca("bb", subject);
	struct org org = {.name = "plant", .created_at = NOW};
	struct change change = suite_change(CHANGE_CA_ADD, &a);
	struct diag why;

	(void)strcpy(a.name, "same");
	suite_expect(registry, CHANGE_CA_ADD, &a, RES_OK);
	suite_expect(registry, CHANGE_CA_ADD, &a, RES_EXISTS);
	(void)strcpy(b.name, "same");
	suite_expect(registry, CHANGE_CA_ADD, &b, RES_EXISTS);
	assert_string_equal(b.id, "");
	b.name[0] = '\0';
	suite_expect(registry, CHANGE_CA_ADD, &b, RES_OK);
	(void)strcpy(b.name, "same");
	suite_expect(registry, CHANGE_CA_SET, &b, RES_EXISTS);
	/* Another org knows nothing of it. */
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	change.org = "plant";
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_OK);
}

static void
a_ca_id_grows_on_a_tie(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char subject[] = "CN=A";
	struct ca_record a = suite_ca("0123456789abcdef01", subject),
	                 b = suite_ca("0123456789abcdef02", subject),
	                 c = suite_ca("0123456789abcdee", subject);

	suite_expect(registry, CHANGE_CA_ADD, &a, RES_OK);
	suite_expect(registry, CHANGE_CA_ADD, &b, RES_OK);
	suite_expect(registry, CHANGE_CA_ADD, &c, RES_OK);
	assert_string_equal(a.id, "0123456789abcdef");
	assert_string_equal(b.id, "0123456789abcdef02");
	assert_string_equal(c.id, "0123456789abcdee");
}

/* Add n CAs, the last one being answered with want. */
static void
add_cas(struct registry *registry, size_t n, bool one_subject, enum res want)
{
	char digits[16], subject[16] = "CN=A";
	struct ca_record ca;
	size_t i;

	for (i = 1; i <= n; i++) {
		(void)snprintf(digits, sizeof(digits), "%04zx", i);
		if (!one_subject) {
			(void)snprintf(subject, sizeof(subject), "CN=%zu", i);
		}
		ca = suite_ca(digits, subject);
		suite_expect(
		    registry, CHANGE_CA_ADD, &ca, i < n ? RES_OK : want);
	}
	assert_string_equal(ca.id, "");
}

static void
an_org_has_so_many_cas(void **state)
{
	struct suite *suite = *state;

	add_cas(suite->registry, CAS_MAX + 1, false, RES_LIMIT);
}

static void
a_subject_has_so_many_cas(void **state)
{
	struct suite *suite = *state;

	add_cas(suite->registry, CAS_SUBJECT_MAX + 1, true, RES_LIMIT);
}

static void
a_type_is_set_and_unset(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct type_record type = {
	    .type = {.class = 'd', .name = "meter"}, .window = CLOCK_NONE};
	struct config config;

	suite_expect(registry, CHANGE_TYPE_UNSET, &type, RES_NOTFOUND);
	suite_expect(registry, CHANGE_TYPE_SET, &type, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.types[0].window, CLOCK_NONE);
	assert_string_equal(config.types[0].enrol, "");
	config_done(&config);

	type.window = CLOCK_FOREVER;
	type.id_length = IDENTITY_ID_MAX;
	(void)strcpy(type.enrol, "approve");
	(void)strcpy(type.id_format, "hex");
	(void)strcpy(type.id_prefix, "SN-");
	suite_expect(registry, CHANGE_TYPE_SET, &type, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.type_count, 1);
	assert_true(device_type_equal(&config.types[0].type, &type.type));
	assert_string_equal(config.types[0].org, ORG_DEFAULT);
	assert_string_equal(config.types[0].enrol, "approve");
	assert_int_equal(config.types[0].window, CLOCK_FOREVER);
	assert_string_equal(config.types[0].id_format, "hex");
	assert_int_equal(config.types[0].id_length, IDENTITY_ID_MAX);
	assert_string_equal(config.types[0].id_prefix, "SN-");
	config_done(&config);
	suite_expect(registry, CHANGE_TYPE_UNSET, &type, RES_OK);
}

static void
a_rule_is_set_and_unset(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct rule_record rule = {.who = "d:meter", .level = "cert"};
	struct config config;

	suite_expect(registry, CHANGE_RULE_UNSET, &rule, RES_NOTFOUND);
	suite_expect(registry, CHANGE_RULE_SET, &rule, RES_OK);
	(void)strcpy(rule.level, "token");
	suite_expect(registry, CHANGE_RULE_SET, &rule, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.rule_count, 1);
	assert_string_equal(config.rules[0].who, "d:meter");
	assert_string_equal(config.rules[0].level, "token");
	config_done(&config);
	suite_expect(registry, CHANGE_RULE_UNSET, &rule, RES_OK);
	suite_expect(registry, CHANGE_RULE_UNSET, &rule, RES_NOTFOUND);
}

static void
topics_keep_their_order(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char z[] = "z/#", a[] = "a/#";
	struct topic_record first = {
	    .who = "d", .access = "publish", .filter = z};
	struct topic_record second = {
	    .who = "all", .access = "both", .filter = a};
	struct config config;

	suite_expect(registry, CHANGE_TOPIC_REMOVE, &first, RES_NOTFOUND);
	suite_expect(registry, CHANGE_TOPIC_ADD, &first, RES_OK);
	suite_expect(registry, CHANGE_TOPIC_ADD, &first, RES_EXISTS);
	suite_expect(registry, CHANGE_TOPIC_ADD, &second, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.topic_count, 2);
	assert_string_equal(config.topics[0].filter, z);
	assert_string_equal(config.topics[0].who, "d");
	assert_string_equal(config.topics[0].access, "publish");
	assert_string_equal(config.topics[1].filter, a);
	config_done(&config);
	(void)strcpy(first.access, "both");
	suite_expect(registry, CHANGE_TOPIC_REMOVE, &first, RES_NOTFOUND);
	(void)strcpy(first.access, "publish");
	suite_expect(registry, CHANGE_TOPIC_REMOVE, &first, RES_OK);
}

static void
an_org_has_so_many_topics(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	char filter[16];
	struct topic_record topic = {
	    .who = "all", .access = "both", .filter = filter};
	size_t i;

	for (i = 0; i <= TOPICS_MAX; i++) {
		(void)snprintf(filter, sizeof(filter), "t/%zu", i);
		suite_expect(registry, CHANGE_TOPIC_ADD, &topic,
		    i < TOPICS_MAX ? RES_OK : RES_LIMIT);
	}
}

static void
a_setting_is_replaced(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char one[] = "auto", two[] = "";
	struct setting_record setting = {.key = "enrol", .value = one};
	struct config config;

	suite_expect(registry, CHANGE_SETTING_SET, &setting, RES_OK);
	setting.value = two;
	suite_expect(registry, CHANGE_SETTING_SET, &setting, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.setting_count, 1);
	assert_string_equal(config.settings[0].key, "enrol");
	assert_string_equal(config.settings[0].value, "");
	config_done(&config);
}

static void
loaded_arrays_are_in_order(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static const char *const names[] = {"b", "B", "a"};
	struct rule_record rule = {.level = "cert"};
	struct org org = {.created_at = NOW};
	struct config config;
	size_t i;

	for (i = 0; i < 3; i++) {
		(void)strcpy(org.name, names[i]);
		suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
		(void)strcpy(rule.who, names[i]);
		suite_expect(registry, CHANGE_RULE_SET, &rule, RES_OK);
	}
	suite_load(registry, &config);
	assert_int_equal(config.org_count, 4);
	for (i = 1; i < 4; i++) {
		assert_true(
		    strcmp(config.orgs[i - 1].name, config.orgs[i].name) < 0);
	}
	for (i = 1; i < 3; i++) {
		assert_true(
		    strcmp(config.rules[i - 1].who, config.rules[i].who) < 0);
	}
	assert_int_equal(config.mark, suite_mark(registry));
	config_done(&config);
}

static void
what_would_not_read_back_is_refused(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char bad[] = "[1", object[] = "{}", text[] = "CN=A";
	struct device nobody = {0},
	              tags = suite_device("d:m:1", DEVICE_ALLOWED), info = tags,
	              state_bad = tags, large = tags;
	struct ca_record no_der = suite_ca("aa", text), scope = no_der,
	                 named = no_der;
	struct type_record no_type = {0};
	struct topic_record no_filter = {.who = "all", .access = "both"};
	struct setting_record no_value = {.key = "enrol"};
	struct org no_name = {0}, bad_name = {.name = "a b"};
	char *much = malloc(JSON_MAX + 2);
	const struct {
		enum change_kind kind;
		void *record;
		enum res want;
	} cases[] = {
	    {CHANGE_DEVICE_ADD, NULL, RES_REFUSED},
	    {(enum change_kind)99, &tags, RES_REFUSED},
	    {CHANGE_DEVICE_ADD, &nobody, RES_SYNTAX},
	    {CHANGE_DEVICE_PROVISION, &nobody, RES_SYNTAX},
	    {CHANGE_DEVICE_REMOVE, &nobody, RES_SYNTAX},
	    {CHANGE_DEVICE_ADD, &tags, RES_SYNTAX},
	    {CHANGE_DEVICE_ADD, &info, RES_SYNTAX},
	    {CHANGE_DEVICE_ADD, &large, RES_LIMIT},
	    {CHANGE_DEVICE_PROVISION, &state_bad, RES_REFUSED},
	    {CHANGE_CA_ADD, &no_der, RES_REFUSED},
	    {CHANGE_CA_ADD, &scope, RES_SYNTAX},
	    {CHANGE_CA_ADD, &named, RES_SYNTAX},
	    {CHANGE_TYPE_SET, &no_type, RES_SYNTAX},
	    {CHANGE_TOPIC_ADD, &no_filter, RES_REFUSED},
	    {CHANGE_SETTING_SET, &no_value, RES_REFUSED},
	    {CHANGE_ORG_ADD, &no_name, RES_SYNTAX},
	    {CHANGE_ORG_ADD, &bad_name, RES_SYNTAX},
	};
	size_t i;

	assert_non_null(much);
	memset(much, ' ', JSON_MAX + 1);
	memcpy(much, "[]", 2);
	much[JSON_MAX + 1] = '\0';
	large.tags = much;
	tags.tags = object;
	info.info = bad;
	no_der.der = NULL;
	scope.scope = object;
	(void)strcpy(named.name, "-x");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		suite_expect(
		    registry, cases[i].kind, cases[i].record, cases[i].want);
	}
	free(much);
}

static void
an_event_must_be_complete(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_ALLOWED);
	struct org org = {.name = "plant", .created_at = NOW};
	struct change cases[4];
	struct diag why;
	size_t i;

	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	for (i = 0; i < 3; i++) {
		cases[i] = suite_change(CHANGE_DEVICE_ADD, &device);
	}
	cases[0].event_kind = NULL;
	cases[1].event_subject = NULL;
	cases[2].event_kind = "a-kind-that-is-longer-than-a-word-may-be";
	cases[3] = suite_change(CHANGE_ORG_REMOVE, &org);
	cases[3].org = "plant"; /* would go with the org */
	for (i = 0; i < 4; i++) {
		why.text[0] = '\0';
		assert_int_equal(
		    registry_apply(registry, &cases[i], 1, APPLY_ALL, &why),
		    i == 2 ? RES_LIMIT : RES_REFUSED);
		assert_string_not_equal(why.text, "");
	}
	assert_int_equal(suite_mark(registry), 1);
}

int
suite_config_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(begins_with_the_default_org),
	    SUITE_TEST(orgs_come_and_go),
	    SUITE_TEST(every_change_wants_its_org),
	    SUITE_TEST(a_ca_reads_back),
	    SUITE_TEST(a_ca_is_changed_part_by_part),
	    SUITE_TEST(a_ca_is_there_once),
	    SUITE_TEST(a_ca_id_grows_on_a_tie),
	    SUITE_TEST(an_org_has_so_many_cas),
	    SUITE_TEST(a_subject_has_so_many_cas),
	    SUITE_TEST(a_type_is_set_and_unset),
	    SUITE_TEST(a_rule_is_set_and_unset),
	    SUITE_TEST(topics_keep_their_order),
	    SUITE_TEST(an_org_has_so_many_topics),
	    SUITE_TEST(a_setting_is_replaced),
	    SUITE_TEST(loaded_arrays_are_in_order),
	    SUITE_TEST(what_would_not_read_back_is_refused),
	    SUITE_TEST(an_event_must_be_complete),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
