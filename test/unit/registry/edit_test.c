/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The verbs of operators, on the back end in memory. */
#include "test/unit/registry/edit_fixture.h"

#define LONG  "a-word-that-is-far-longer-than-any-word-of-the-registry-may-be-"
#define LONG2 LONG LONG

static char subject_a[] = "CN=A";

static struct identity
parse(const char *text)
{
	struct identity who = {0};
	const char *said = "";

	assert_int_equal(
	    identity_parse(text, strlen(text), &who, &said), RES_OK);
	return who;
}

static void
must_be_setting(const struct config *config, const char *key, const char *want)
{
	const char *value = config_setting(config, ORG_DEFAULT, key);

	assert_non_null(value);
	assert_string_equal(value, want);
}

static void
an_org_starts_with_safe_settings(void **state)
{
	struct edit *edit = *state;
	struct diag why = {{0}};
	struct config config;

	assert_int_equal(edit_org_start(edit, STARTER_PLAIN, &why), RES_OK);
	config = edit_load(edit);
	must_be_setting(&config, "enrol", "auto");
	must_be_setting(&config, "client-id", "{class}:{type}:{id}");
	must_be_setting(&config, "topics", "on");
	must_be_setting(&config, "types", "open");
	must_be_setting(&config, "ca-proof", "off");
	assert_null(config_setting(&config, ORG_DEFAULT, "Enrol"));
	assert_null(config_setting(&config, "plant", "enrol"));
	assert_int_equal(config.setting_count, 5);
	assert_int_equal(config.rule_count, 1);
	assert_string_equal(config.rules[0].who, "default");
	assert_string_equal(config.rules[0].level, "cert");
	assert_int_equal(config.topic_count, 1);
	assert_string_equal(config.topics[0].who, "all");
	assert_string_equal(config.topics[0].access, "both");
	assert_string_equal(config.topics[0].filter, "{class}/{type}/{id}/#");
	config_done(&config);
	edit_must_tell(edit,
	    "default setting-changed topic: added: all both "
	    "{class}/{type}/{id}/#");
}

static void
an_org_may_start_with_watson_names(void **state)
{
	struct edit *edit = *state;
	struct diag why = {{0}};
	struct config config;

	edit->org = "plant";
	assert_int_equal(edit_org_add(edit, STARTER_IOT_2, &why), RES_OK);
	config = edit_load(edit);
	assert_int_equal(config.org_count, 2);
	assert_int_equal(config.orgs[1].created_at, NOW);
	assert_int_equal(config.topic_count, 2);
	assert_string_equal(config.topics[0].org, "plant");
	assert_string_equal(config.topics[0].access, "publish");
	assert_string_equal(
	    config.topics[0].filter, "iot-2/type/{type}/id/{id}/evt/+/fmt/+");
	assert_string_equal(config.topics[1].access, "subscribe");
	assert_string_equal(
	    config.topics[1].filter, "iot-2/type/{type}/id/{id}/cmd/+/fmt/+");
	config_done(&config);
}

static void
an_org_goes_with_a_trace(void **state)
{
	struct edit *edit = *state;
	struct diag why = {{0}};
	struct config config;

	edit->org = "plant";
	assert_int_equal(edit_org_add(edit, STARTER_PLAIN, &why), RES_OK);
	assert_int_equal(edit_org_remove(edit, &why), RES_OK);
	edit_must_tell(edit, "default setting-changed org: org plant removed");
	config = edit_load(edit);
	assert_int_equal(config.org_count, 1);
	config_done(&config);
}

/* One line a refusal: it says why and changes nothing. */
typedef enum res attempt(const struct edit *edit, struct diag *why);

static enum res
try_org_add(const struct edit *edit, struct diag *why)
{
	return edit_org_add(edit, STARTER_PLAIN, why);
}

static enum res
try_org_start(const struct edit *edit, struct diag *why)
{
	return edit_org_start(edit, STARTER_PLAIN, why);
}

static enum res
try_ca_hex_name(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);

	(void)strcpy(ca.name, "0123456789abcdef");
	return edit_ca_add(edit, &ca, why);
}

static enum res
try_ca_short_hex_name(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);

	(void)strcpy(ca.name, "Cafe");
	return edit_ca_add(edit, &ca, why);
}

static enum res
try_ca_set_hex_name(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);

	(void)strcpy(ca.name, "0123456789abcdef");
	return edit_ca_set(edit, &ca, why);
}

static enum res
try_ca_add(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);

	return edit_ca_add(edit, &ca, why);
}

static enum res
try_ca_set(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);

	return edit_ca_set(edit, &ca, why);
}

static enum res
try_ca_state(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);
	enum res r = edit_ca_state(edit, &ca, "inactive", why);

	assert_string_equal(ca.state, "active");
	return r;
}

static enum res
try_ca_long_state(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);

	return edit_ca_state(edit, &ca, LONG, why);
}

static enum res
try_ca_remove(const struct edit *edit, struct diag *why)
{
	struct ca_record ca = edit_make_ca(1, subject_a);

	return edit_ca_remove(edit, &ca, why);
}

static enum res
try_type_set(const struct edit *edit, struct diag *why)
{
	struct type_record type = {
	    .type = {.class = 'd', .name = "meter"}, .overlap = CLOCK_NONE};

	return edit_type_set(edit, &type, why);
}

static enum res
try_type_unset(const struct edit *edit, struct diag *why)
{
	struct device_type type = {.class = 'd', .name = "meter"};

	return edit_type_unset(edit, &type, why);
}

static enum res
try_rule_long(const struct edit *edit, struct diag *why)
{
	return edit_rule_set(edit, LONG, "cert", why);
}

static enum res
try_rule_long_level(const struct edit *edit, struct diag *why)
{
	return edit_rule_set(edit, "d:meter", LONG, why);
}

static enum res
try_rule_empty(const struct edit *edit, struct diag *why)
{
	return edit_rule_set(edit, "", "cert", why);
}

static enum res
try_rule_set(const struct edit *edit, struct diag *why)
{
	return edit_rule_set(edit, "d:meter", "cert", why);
}

static enum res
try_rule_unset(const struct edit *edit, struct diag *why)
{
	return edit_rule_unset(edit, "d:meter", why);
}

static enum res
try_rule_unset_default(const struct edit *edit, struct diag *why)
{
	return edit_rule_unset(edit, "default", why);
}

static enum res
try_topic_long(const struct edit *edit, struct diag *why)
{
	return edit_topic_add(edit, LONG, "both", "a", why);
}

static enum res
try_topic_empty(const struct edit *edit, struct diag *why)
{
	return edit_topic_add(edit, "all", "both", "", why);
}

static enum res
try_topic_add(const struct edit *edit, struct diag *why)
{
	return edit_topic_add(edit, "all", "both", "a", why);
}

static enum res
try_topic_remove(const struct edit *edit, struct diag *why)
{
	return edit_topic_remove(edit, "all", "both", "a", why);
}

static enum res
try_setting_long(const struct edit *edit, struct diag *why)
{
	return edit_setting(edit, LONG, "on", why);
}

static enum res
try_setting(const struct edit *edit, struct diag *why)
{
	return edit_setting(edit, "topics", "on", why);
}

static enum res
try_device_add(const struct edit *edit, struct diag *why)
{
	struct identity who = parse("d:meter:1");
	struct device device;

	device_init(&device, edit->org, &who);
	return edit_device_add(edit, &device, why);
}

static enum res
try_device_lock(const struct edit *edit, struct diag *why)
{
	struct identity who = parse("d:meter:1");

	return edit_device_lock(edit, &who, true, why);
}

static enum res
try_device_approve(const struct edit *edit, struct diag *why)
{
	struct identity who = parse("d:meter:1");

	return edit_device_approve(edit, &who, NULL, why);
}

static enum res
try_device_remove(const struct edit *edit, struct diag *why)
{
	struct identity who = parse("d:meter:1");

	return edit_device_remove(edit, &who, why);
}

#define NO_ORG    "there is no org nowhere: add it with certid org add nowhere"
#define NO_DEVICE "there is no device d:meter:1 in the org default"

static const struct {
	attempt *attempt;
	const char *org;
	enum res want;
	const char *words;
} refusals[] = {
    {edit_org_remove, "default", RES_REFUSED, "always there"},
    {edit_org_remove, "nowhere", RES_NOTFOUND,
        "there is no org nowhere: certid org list shows"},
    {edit_org_remove, LONG2, RES_LIMIT, "too long"},
    {try_org_add, "default", RES_EXISTS, "there is an org default already"},
    {try_org_add, "Default", RES_EXISTS,
        "there is an org default already, which differs from Default in "
        "letter case"},
    {try_org_add, "", RES_SYNTAX, "no name for an org"},
    {try_org_add, "a b", RES_SYNTAX, "no name for an org"},
    {try_org_add, LONG2, RES_LIMIT, "too long"},
    {try_org_start, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_ca_hex_name, "default", RES_REFUSED, "looks like the id"},
    {try_ca_short_hex_name, "default", RES_REFUSED, "not a hexadecimal"},
    {try_ca_set_hex_name, "default", RES_REFUSED, "looks like the id"},
    {try_ca_add, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_ca_add, LONG2, RES_LIMIT, "too long"},
    {try_ca_set, "default", RES_NOTFOUND, "there is no CA 0100000000000000"},
    {try_ca_set, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_ca_state, "default", RES_NOTFOUND, "no CA 0100000000000000"},
    {try_ca_state, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_ca_long_state, "default", RES_LIMIT, "too long"},
    {try_ca_remove, "default", RES_NOTFOUND, "no CA 0100000000000000"},
    {try_type_set, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_type_set, LONG2, RES_LIMIT, "too long"},
    {try_type_unset, "default", RES_NOTFOUND,
        "there is no type d:meter in the org default"},
    {try_rule_set, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_rule_long, "default", RES_LIMIT, "too long"},
    {try_rule_long_level, "default", RES_LIMIT, "too long"},
    {try_rule_empty, "default", RES_SYNTAX, "empty"},
    {try_rule_unset, "default", RES_NOTFOUND,
        "there is no rule for d:meter in the org default"},
    {try_rule_unset_default, "default", RES_REFUSED, "rule set default"},
    {try_topic_add, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_topic_long, "default", RES_LIMIT, "too long"},
    {try_topic_empty, "default", RES_SYNTAX, "empty"},
    {try_topic_remove, "default", RES_NOTFOUND,
        "there is no topic rule all both a in the org default"},
    {try_setting, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_setting_long, "default", RES_LIMIT, "too long"},
    {try_device_add, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_device_add, LONG2, RES_LIMIT, "too long"},
    {try_device_lock, "default", RES_NOTFOUND, NO_DEVICE},
    {try_device_lock, "nowhere", RES_NOTFOUND, NO_ORG},
    {try_device_approve, "default", RES_NOTFOUND, NO_DEVICE},
    {try_device_remove, "default", RES_NOTFOUND, NO_DEVICE},
};

static void
refusals_say_why_and_change_nothing(void **state)
{
	struct edit *edit = *state;
	struct diag why;
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		why.text[0] = '\0';
		edit->org = refusals[i].org;
		assert_int_equal(
		    refusals[i].attempt(edit, &why), refusals[i].want);
		if (strstr(why.text, refusals[i].words) == NULL) {
			fail_msg("%zu: \"%s\"", i, why.text);
		}
	}
	assert_int_equal(edit_mark(edit), 0);
}

static void
a_ca_lives_and_dies(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = edit_make_ca(0xab, subject_a);
	char scope[] = "[\"d:a:*\"]", note[] = "Hall 3";
	struct diag why = {{0}};
	struct config config;
	int64_t before;

	assert_int_equal(edit_ca_add(edit, &ca, &why), RES_OK);
	assert_string_equal(ca.org, ORG_DEFAULT);
	assert_string_equal(ca.id, "ab00000000000000");
	assert_int_equal(ca.added_at, NOW);
	edit_must_tell(edit, "default ca-added ab00000000000000: CN=A, active");
	before = edit_mark(edit);
	assert_int_equal(edit_ca_state(edit, &ca, "active", &why), RES_OK);
	assert_string_equal(why.text, "");
	assert_int_equal(edit_mark(edit), before);
	assert_int_equal(edit_ca_state(edit, &ca, "inactive", &why), RES_OK);
	assert_string_equal(ca.state, "inactive");
	edit_must_tell(edit,
	    "default ca-deactivated ab00000000000000: active -> inactive");
	assert_int_equal(edit_ca_state(edit, &ca, "active", &why), RES_OK);
	edit_must_tell(
	    edit, "default ca-activated ab00000000000000: inactive -> active");
	(void)strcpy(ca.name, "root");
	(void)strcpy(ca.enrol, "listed");
	assert_int_equal(edit_ca_set(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default setting-changed ab00000000000000: name none -> root, "
	    "enrol of the type -> listed");
	before = edit_mark(edit);
	assert_int_equal(edit_ca_set(edit, &ca, &why), RES_OK);
	assert_int_equal(edit_mark(edit), before);
	ca.scope = scope;
	ca.description = note;
	assert_int_equal(edit_ca_set(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default setting-changed ab00000000000000: description none -> "
	    "Hall 3, scope [] -> [\"d:a:*\"]");
	config = edit_load(edit);
	assert_string_equal(config.cas[0].name, "root");
	config_done(&config);
	assert_int_equal(edit_ca_remove(edit, &ca, &why), RES_OK);
	edit_must_tell(edit, "default ca-removed ab00000000000000: CN=A");
}

static void
types_and_rules_are_told_of(void **state)
{
	struct edit *edit = *state;
	struct type_record type = {.type = {.class = 'd', .name = "meter"},
	    .window = CLOCK_NONE,
	    .overlap = CLOCK_NONE};
	struct diag why = {{0}};
	int64_t before;

	assert_int_equal(edit_type_set(edit, &type, &why), RES_OK);
	edit_must_tell(edit, "default type-changed d:meter: declared");
	type.window = 172800;
	type.id_length = 8;
	(void)strcpy(type.enrol, "approve");
	(void)strcpy(type.id_format, "hex");
	(void)strcpy(type.id_prefix, "SN");
	assert_int_equal(edit_type_set(edit, &type, &why), RES_OK);
	edit_must_tell(edit,
	    "default type-changed d:meter: enrol default -> approve, window "
	    "default -> 48h, id-format any -> hex, id-length any -> 8, "
	    "id-prefix none -> SN");
	type.window = CLOCK_FOREVER;
	assert_int_equal(edit_type_set(edit, &type, &why), RES_OK);
	edit_must_tell(
	    edit, "default type-changed d:meter: window 48h -> none");
	before = edit_mark(edit);
	assert_int_equal(edit_type_set(edit, &type, &why), RES_OK);
	assert_int_equal(edit_mark(edit), before);
	assert_int_equal(edit_type_unset(edit, &type.type, &why), RES_OK);
	edit_must_tell(edit, "default type-changed d:meter: removed");

	assert_int_equal(edit_rule_set(edit, "d:meter", "cert", &why), RES_OK);
	edit_must_tell(edit, "default rule-changed d:meter: default -> cert");
	assert_int_equal(edit_rule_set(edit, "d:meter", "token", &why), RES_OK);
	edit_must_tell(edit, "default rule-changed d:meter: cert -> token");
	assert_int_equal(edit_rule_unset(edit, "d:meter", &why), RES_OK);
	edit_must_tell(edit, "default rule-changed d:meter: token -> default");
}

static void
topics_and_settings_are_told_of(void **state)
{
	struct edit *edit = *state;
	struct diag why = {{0}};

	assert_int_equal(
	    edit_topic_add(edit, "d:meter", "publish", "a/{id}", &why), RES_OK);
	edit_must_tell(edit,
	    "default setting-changed topic: added: d:meter publish a/{id}");
	assert_int_equal(
	    edit_topic_add(edit, "d:meter", "publish", "a/{id}", &why),
	    RES_EXISTS);
	assert_int_equal(
	    edit_topic_remove(edit, "d:meter", "publish", "a/{id}", &why),
	    RES_OK);
	edit_must_tell(edit,
	    "default setting-changed topic: removed: d:meter publish a/{id}");
	assert_int_equal(edit_setting(edit, "enrol", "auto", &why), RES_OK);
	edit_must_tell(edit, "default setting-changed enrol: auto");
	assert_int_equal(edit_setting(edit, "enrol", "approve", &why), RES_OK);
	edit_must_tell(edit, "default setting-changed enrol: auto -> approve");
}

/* A device that is there, in this or another spelling, is not added. */
static void
must_be_there(const struct edit *edit, const char *text, const char *words)
{
	struct identity who = parse(text);
	struct diag why = {{0}};
	struct device device;

	device_init(&device, "x", &who);
	assert_int_equal(edit_device_add(edit, &device, &why), RES_EXISTS);
	if (strstr(why.text, words) == NULL) {
		fail_msg("\"%s\"", why.text);
	}
}

static void
a_device_lives_and_dies(void **state)
{
	struct edit *edit = *state;
	struct identity who = parse("d:meter:1");
	struct diag why = {{0}};
	struct device device;
	int64_t before;

	device_init(&device, "x", &who);
	device.window_ends_at = 1800003600;
	assert_int_equal(edit_device_add(edit, &device, &why), RES_OK);
	assert_string_equal(device.org, ORG_DEFAULT);
	assert_int_equal(device.state, DEVICE_ALLOWED);
	assert_int_equal(device.created_at, NOW);
	edit_must_tell(edit,
	    "default device-allowed d:meter:1: allowed until "
	    "2027-01-15T09:00:00Z");
	must_be_there(edit, "d:meter:1", "default already, allowed: ");
	must_be_there(edit, "d:METER:1", "has d:meter:1 already");
	assert_int_equal(edit_device_lock(edit, &who, true, &why), RES_OK);
	edit_must_tell(edit, "default device-locked d:meter:1");
	must_be_there(edit, "d:meter:1", "allowed and locked: ");
	before = edit_mark(edit);
	assert_int_equal(edit_device_lock(edit, &who, true, &why), RES_OK);
	assert_string_equal(why.text, "");
	assert_int_equal(edit_mark(edit), before);
	assert_int_equal(edit_device_lock(edit, &who, false, &why), RES_OK);
	edit_must_tell(edit, "default device-unlocked d:meter:1");
	assert_int_equal(
	    edit_device_approve(edit, &who, NULL, &why), RES_REFUSED);
	assert_string_equal(why.text,
	    "the device d:meter:1 in the org default is not pending: there is "
	    "nothing to approve");
	assert_int_equal(edit_device_remove(edit, &who, &why), RES_OK);
	edit_must_tell(edit, "default device-removed d:meter:1");
	device.window_ends_at = CLOCK_FOREVER;
	assert_int_equal(edit_device_add(edit, &device, &why), RES_OK);
	edit_must_tell(
	    edit, "default device-allowed d:meter:1: allowed without end");
}

static void
a_pending_device_is_approved(void **state)
{
	struct edit *edit = *state;
	struct identity who = parse("d:meter:1");
	struct change change = {
	    .kind = CHANGE_DEVICE_PROVISION, .org = ORG_DEFAULT};
	struct diag why = {{0}};
	struct device device;
	bool clash;

	device_init(&device, ORG_DEFAULT, &who);
	change.of.device = &device;
	assert_int_equal(
	    registry_apply(edit->registry, &change, 1, APPLY_ALL, &why),
	    RES_OK);
	must_be_there(edit, "d:meter:1", "pending: certid device approve");
	assert_int_equal(edit_device_approve(edit, &who, NULL, &why), RES_OK);
	edit_must_tell(
	    edit, "default device-approved d:meter:1: pending -> allowed");
	assert_int_equal(registry_get(edit->registry, ORG_DEFAULT, &who, false,
	                     &device, &clash, &why),
	    RES_OK);
	assert_int_equal(device.state, DEVICE_ALLOWED);
	assert_int_equal(device.window_ends_at, CLOCK_FOREVER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    EDIT_TEST(an_org_starts_with_safe_settings),
	    EDIT_TEST(an_org_may_start_with_watson_names),
	    EDIT_TEST(an_org_goes_with_a_trace),
	    EDIT_TEST(refusals_say_why_and_change_nothing),
	    EDIT_TEST(a_ca_lives_and_dies),
	    EDIT_TEST(types_and_rules_are_told_of),
	    EDIT_TEST(topics_and_settings_are_told_of),
	    EDIT_TEST(a_device_lives_and_dies),
	    EDIT_TEST(a_pending_device_is_approved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
