/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct backend *suite_backend;

int
suite_setup(void **state)
{
	struct suite *suite = calloc(1, sizeof(*suite));
	struct registry_options options = {
	    .mode = REGISTRY_CREATE,
	    .backend = suite_backend,
	};
	struct diag why = {{0}};

	assert_non_null(suite);
	(void)strcpy(suite->directory, "/tmp/certid-suite-XXXXXX");
	assert_non_null(mkdtemp(suite->directory));
	(void)snprintf(
	    suite->path, sizeof(suite->path), "%s/r.db", suite->directory);
	options.path = suite->path;
	if (registry_open(&options, &suite->registry, &why) != RES_OK) {
		fail_msg("%s", why.text);
	}
	*state = suite;
	return 0;
}

int
suite_teardown(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	struct suite *suite = *state;
	char path[96];
	size_t i;

	registry_close(suite->registry);
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s%s", suite->path, suffixes[i]);
		(void)unlink(path);
	}
	(void)rmdir(suite->directory);
	free(suite);
	return 0;
}

struct identity
suite_identity(const char *text)
{
	struct identity who = {0};
	const char *why = "";

	assert_int_equal(
	    identity_parse(text, strlen(text), &who, &why), RES_OK);
	return who;
}

struct change
suite_change(enum change_kind kind, void *record)
{
	return (struct change){
	    .kind = kind,
	    .org = ORG_DEFAULT,
	    .of.org = record,
	    .time = NOW,
	    .actor = "operator",
	    .event_kind = "k",
	    .event_subject = "s",
	};
}

enum res
suite_apply(struct registry *registry, enum change_kind kind, void *record)
{
	struct change change = suite_change(kind, record);
	struct diag why = {{0}};
	enum res r = registry_apply(registry, &change, 1, APPLY_ALL, &why);

	assert_int_equal(change.result, r);
	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	return r;
}

void
suite_expect(struct registry *registry, enum change_kind kind, void *record,
    enum res want)
{
	int64_t before = suite_mark(registry), after;

	assert_int_equal(suite_apply(registry, kind, record), want);
	after = suite_mark(registry);
	if (want == RES_OK) {
		assert_true(after > before);
	} else {
		assert_int_equal(after, before);
	}
}

void
suite_load(struct registry *registry, struct config *out)
{
	struct diag why = {{0}};

	if (registry_load(registry, out, &why) != RES_OK) {
		fail_msg("%s", why.text);
	}
}

struct device
suite_device(const char *identity, enum device_state state)
{
	struct identity who = suite_identity(identity);
	struct device device;

	device_init(&device, ORG_DEFAULT, &who);
	device.state = state;
	device.created_at = NOW;
	return device;
}

int64_t
suite_mark(struct registry *registry)
{
	struct diag why = {{0}};
	int64_t mark = -1;

	assert_int_equal(registry_mark(registry, &mark, &why), RES_OK);
	return mark;
}

struct ca_record
suite_ca(const char *digits, char *subject)
{
	static uint8_t der[] = {0x30, 0x03, 0x00, 0x01, 0x02};
	static char none[] = "[]";
	char hex[HASH_TEXT_MAX + 1];
	struct ca_record ca = {
	    .der = der,
	    .der_len = sizeof(der),
	    .subject = subject,
	    .not_before = NOW - 10,
	    .not_after = NOW + 10,
	    .state = "active",
	    .scope = none,
	    .tags = none,
	    .added_at = NOW,
	    .crl_policy = "if-present",
	};

	memset(hex, '0', HASH_TEXT_MAX);
	hex[HASH_TEXT_MAX] = '\0';
	memcpy(hex, digits, strlen(digits));
	assert_true(text_unhex(hex, ca.fingerprint, HASH_LEN));
	return ca;
}

struct crl_record
suite_crl(const char *number, uint8_t first)
{
	static uint8_t der[] = {0x30, 0x01, 0x05};
	size_t len = strlen(number);
	struct crl_record crl = {
	    .der = der,
	    .der_len = sizeof(der),
	    .fingerprint = {first},
	    .this_update = NOW - 5,
	    .next_update = NOW + 5,
	    .entries = 3,
	    .stored_at = NOW,
	    .modified_at = CLOCK_NONE,
	};

	memset(crl.number, '0', CRL_NUMBER_LEN);
	memcpy(crl.number + CRL_NUMBER_LEN - len, number, len);
	return crl;
}

struct hook_record
suite_hook(const char *id)
{
	static char url[] = "https://siem.example.com/in", kinds[] = "[]";
	struct hook_record hook = {
	    .url = url,
	    .kinds = kinds,
	    .format = "cloudevents",
	    .created_at = NOW,
	    .failing_since = CLOCK_NONE,
	};

	assert_int_equal(strlen(id), HOOK_ID_LEN);
	(void)strcpy(hook.id, id);
	return hook;
}

struct pins
suite_pins(const char *octets)
{
	struct pins pins = {.count = strlen(octets)};
	size_t i;

	assert_true(pins.count <= PIN_SLOTS);
	for (i = 0; i < pins.count; i++) {
		pins.list[i] = (struct pin){
		    .fingerprint = {(uint8_t)octets[i]},
		    .not_before = CLOCK_NONE,
		    .added_at = NOW,
		    .ends_at = CLOCK_FOREVER,
		};
	}
	return pins;
}

struct device
suite_behind(const char *identity, const char *gateway)
{
	struct device device = suite_device(identity, DEVICE_PROVISIONED);

	device.has_gateway = gateway != NULL;
	if (gateway != NULL) {
		device.gateway = suite_identity(gateway);
	}
	return device;
}

struct device
suite_get(struct registry *registry, const char *identity)
{
	struct identity who = suite_identity(identity);
	struct diag why = {{0}};
	struct device device;
	bool clash;

	if (registry_get(registry, ORG_DEFAULT, &who, true, &device, &clash,
	        &why) != RES_OK) {
		fail_msg("%s", why.text);
	}
	return device;
}

int
registry_suite(const struct backend *backend)
{
	suite_backend = backend;
	return suite_config_tests() + suite_ca_tests() + suite_crl_tests() +
	    suite_device_tests() + suite_event_tests() + suite_fact_tests() +
	    suite_note_tests() + suite_quota_tests() + suite_tally_tests() +
	    suite_transaction_tests();
}
