/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/support/cmocka_all.h"

#include <stdlib.h>

#include "registry/records.h"

static const struct {
	const char *name;
	bool want;
	enum device_state state;
} state_cases[] = {
    {"pending", true, DEVICE_PENDING},
    {"allowed", true, DEVICE_ALLOWED},
    {"provisioned", true, DEVICE_PROVISIONED},
    {"", false, 0},
    {"Pending", false, 0},
    {"pendin", false, 0},
    {"pending ", false, 0},
    {"provisionedx", false, 0},
    {"unknown", false, 0},
    {"0", false, 0},
};

static void
states_have_names(void **state)
{
	enum device_state out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(state_cases) / sizeof(state_cases[0]); i++) {
		out = (enum device_state)77;
		assert_int_equal(device_state_parse(state_cases[i].name, &out),
		    state_cases[i].want);
		if (state_cases[i].want) {
			assert_int_equal(out, state_cases[i].state);
			assert_string_equal(
			    device_state_name(out), state_cases[i].name);
		} else {
			assert_int_equal(out, 77);
		}
	}
	assert_string_equal(device_state_name((enum device_state)3), "unknown");
	assert_string_equal(
	    device_state_name((enum device_state) - 1), "unknown");
}

static void
a_new_device_is_safe(void **state)
{
	struct identity who = {.type = {.class = 'd', .name = "m"}, .id = "1"};
	struct device device;

	(void)state;
	memset(&device, 0x5a, sizeof(device));
	device_init(&device, "plant", &who);
	assert_string_equal(device.org, "plant");
	assert_true(identity_equal(&device.who, &who));
	assert_int_equal(device.state, DEVICE_PENDING);
	assert_false(device.locked || device.has_ca || device.has_fingerprint);
	assert_int_equal(device.created_at, CLOCK_NONE);
	assert_int_equal(device.provisioned_at, CLOCK_NONE);
	assert_int_equal(device.last_seen_at, CLOCK_NONE);
	assert_int_equal(device.window_ends_at, CLOCK_NONE);
	assert_int_equal(device.not_after, CLOCK_NONE);
	assert_string_equal(device.last_address, "");
	assert_string_equal(device.serial, "");
	assert_null(device.subject);
	assert_null(device.tags);
	assert_null(device.info);
	device_done(&device);
}

static void
an_org_that_is_too_long_is_no_org(void **state)
{
	char org[NAME_MAX_LEN + 2];
	struct identity who = {0};
	struct device device;

	(void)state;
	memset(org, 'x', sizeof(org) - 1);
	org[sizeof(org) - 1] = '\0';
	device_init(&device, org, &who);
	assert_string_equal(device.org, "");
}

static void
a_copied_ca_is_its_own(void **state)
{
	uint8_t der[] = {1, 2, 3};
	char subject[] = "CN=A", said[] = "d", scope[] = "[]", tags[] = "[1]",
	     url[] = "u", failure[] = "f";
	uint8_t list[] = {4, 5};
	struct ca_record ca = {.der = der,
	    .der_len = 3,
	    .subject = subject,
	    .description = said,
	    .scope = scope,
	    .tags = tags,
	    .name = "n",
	    .crl_url = url,
	    .crl_failure = failure,
	    .crl = {.der = list, .der_len = 2, .number = "7", .told = 30},
	    .not_after = 5};
	struct ca_record copy, bare = {.id = "7"};

	(void)state;
	assert_int_equal(ca_record_copy(&ca, &copy), RES_OK);
	der[0] = list[0] = 9;
	subject[0] = said[0] = scope[0] = tags[0] = 'X';
	url[0] = failure[0] = 'X';
	assert_int_equal(copy.der[0], 1);
	assert_int_equal(copy.der_len, 3);
	assert_string_equal(copy.subject, "CN=A");
	assert_string_equal(copy.description, "d");
	assert_string_equal(copy.scope, "[]");
	assert_string_equal(copy.tags, "[1]");
	assert_string_equal(copy.name, "n");
	assert_int_equal(copy.not_after, 5);
	assert_string_equal(copy.crl_url, "u");
	assert_string_equal(copy.crl_failure, "f");
	assert_int_equal(copy.crl.der[0], 4);
	assert_int_equal(copy.crl.der[1], 5);
	assert_string_equal(copy.crl.number, "7");
	assert_int_equal(copy.crl.told, 30);
	ca_record_done(&copy);
	assert_null(copy.der);
	assert_null(copy.subject);
	assert_null(copy.crl.der);
	assert_int_equal(ca_record_copy(&bare, &copy), RES_OK);
	assert_null(copy.der);
	assert_null(copy.subject);
	assert_string_equal(copy.id, "7");
	ca_record_done(&copy);
}

static void
policies_for_crls_are_three_words(void **state)
{
	static const char *const words[] = {"off", "if-present", "required"},
	                         *const others[] = {"", "Off", "on", "of",
	                             "off ", "if-presen", "if-presents",
	                             "maybe", "REQUIRED"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_true(crl_policy_is_word(words[i]));
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(crl_policy_is_word(others[i]));
	}
}

#define ZEROS_39 "000000000000000000000000000000000000000"

static const struct {
	const char *number, *text; /* NULL: it is none */
} numbers[] = {
    {ZEROS_39 "0", "0x0"},
    {ZEROS_39 "a", "0xa"},
    {"000000000000000000000000000000000000001a", "0x1a"},
    {"0123456789abcdef0123456789abcdef01234567",
        "0x123456789abcdef0123456789abcdef01234567"},
    {"f" ZEROS_39, "0xf" ZEROS_39},
    {"", NULL},
    {"0", NULL},
    {ZEROS_39, NULL},
    {ZEROS_39 "00", NULL},
    {ZEROS_39 "A", NULL},
    {ZEROS_39 "g", NULL},
    {ZEROS_39 " ", NULL},
    {" " ZEROS_39, NULL},
    {"x" ZEROS_39, NULL},
    {"-" ZEROS_39, NULL},
};

static void
crl_numbers_have_one_form(void **state)
{
	char text[CRL_NUMBER_LEN + sizeof("0x")];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_equal(crl_number_is_whole(numbers[i].number),
		    numbers[i].text != NULL);
		if (numbers[i].text != NULL) {
			crl_record_number_format(numbers[i].number, text);
			assert_string_equal(text, numbers[i].text);
		}
	}
}

static void
a_copied_device_is_its_own(void **state)
{
	char subject[] = "CN=A", tags[] = "[]", info[] = "{}";
	struct device device = {
	    .subject = subject, .tags = tags, .info = info, .created_at = 3};
	struct device copy;

	(void)state;
	assert_int_equal(device_copy(&device, &copy), RES_OK);
	subject[0] = tags[0] = info[0] = 'X';
	assert_string_equal(copy.subject, "CN=A");
	assert_string_equal(copy.tags, "[]");
	assert_string_equal(copy.info, "{}");
	assert_int_equal(copy.created_at, 3);
	device_done(&copy);
	assert_null(copy.subject);
	device.subject = NULL;
	assert_int_equal(device_copy(&device, &copy), RES_OK);
	assert_null(copy.subject);
	device_done(&copy);
}

/* What is freed can be freed again: half-built records are. */
static void
done_leaves_nothing(void **state)
{
	struct event event = {.subject = strdup("s"), .detail = strdup("d")};
	struct topic_record topic = {.filter = strdup("a/#")};
	struct setting_record setting = {.value = strdup("v")};
	struct config config = {0};

	(void)state;
	event_done(&event);
	event_done(&event);
	assert_null(event.subject);
	topic_record_done(&topic);
	topic_record_done(&topic);
	assert_null(topic.filter);
	setting_record_done(&setting);
	setting_record_done(&setting);
	assert_null(setting.value);
	config.settings = calloc(2, sizeof(*config.settings));
	config.setting_count = 2;
	config_done(&config);
	config_done(&config);
	assert_null(config.settings);
	assert_int_equal(config.setting_count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(states_have_names),
	    cmocka_unit_test(a_new_device_is_safe),
	    cmocka_unit_test(an_org_that_is_too_long_is_no_org),
	    cmocka_unit_test(a_copied_ca_is_its_own),
	    cmocka_unit_test(a_copied_device_is_its_own),
	    cmocka_unit_test(policies_for_crls_are_three_words),
	    cmocka_unit_test(crl_numbers_have_one_form),
	    cmocka_unit_test(done_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
