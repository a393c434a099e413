/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Quotas, rates, addresses and pins of a connection; devices that a gateway
 * publishes for. */
#include <stdlib.h>

#include "admission/admission.h"
#include "test/support/cmocka_all.h"
#include "test/unit/admission/fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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

/* The settings, with a rate for the CA. */
static struct snapshot *
make_snapshot(int64_t rate)
{
	struct snapshot *snapshot = NULL;
	struct config config = {0};
	struct diag why = {{0}};

	assert_int_equal(
	    registry_load(fixture.registry, &config, &why), RES_OK);
	config.cas[0].rate = rate;
	assert_int_equal(snapshot_new(&config, NULL, &snapshot, &why), RES_OK);
	return snapshot;
}

static void
set(const char *key, const char *value)
{
	struct diag why;

	assert_int_equal(edit_setting(&fixture.edit, key, value, &why), RES_OK);
}

static void
set_type(const char *name, int64_t max_devices, const char *pin,
    const char *addresses)
{
	struct type_record type = {.window = CLOCK_NONE,
	    .overlap = CLOCK_NONE,
	    .max_devices = max_devices,
	    .privileged = name[0] == 'g'};
	const char *detail;
	struct diag why;

	text_set(type.org, sizeof(type.org), ORG_DEFAULT);
	assert_int_equal(
	    device_type_parse(name, strlen(name), &type.type, &detail), RES_OK);
	text_set(type.pin, sizeof(type.pin), pin);
	type.addresses = addresses == NULL ? NULL : strdup(addresses);
	assert_int_equal(edit_type_set(&fixture.edit, &type, &why), RES_OK);
	free(type.addresses);
}

static void
ask(struct snapshot *snapshot, const struct leaf *leaf, struct stub *stub,
    const char *address, struct answer *answer)
{
	const struct request request = {.leaf = leaf,
	    .address = address,
	    .tls = true,
	    .can_record = true,
	    .clock_is_set = true,
	    .now = MINT_NOW};
	const struct source source = stub_source(stub);

	memset(answer, 0xff, sizeof(*answer));
	admission_decide(
	    snapshot, ORG_DEFAULT, &request, &source, answer, NULL);
	answer_done(answer);
}

/* What is asked of the registry, and when. */
static const struct {
	const char *name, *org_max;
	int64_t type_max, rate;
	enum res found;
	enum res count_res;
	int64_t org_devices, type_devices;
	bool within_rate;
	enum reason want;
	int counts, rates;
} limits[] = {
    {"no limits", "none", 0, 0, RES_NOTFOUND, 0, 9, 9, false,
        REASON_PROVISIONED, 0, 0},
    {"org", "9", 0, 0, RES_NOTFOUND, 0, 8, 99, false, REASON_PROVISIONED, 1, 0},
    {"org is full", "9", 0, 0, RES_NOTFOUND, 0, 9, 0, false, REASON_QUOTA, 1,
        0},
    {"type", "none", 9, 0, RES_NOTFOUND, 0, 99, 8, false, REASON_PROVISIONED, 1,
        0},
    {"type is full", "none", 9, 0, RES_NOTFOUND, 0, 0, 9, false, REASON_QUOTA,
        1, 0},
    {"both", "9", 9, 0, RES_NOTFOUND, 0, 8, 8, false, REASON_PROVISIONED, 2, 0},
    {"cannot count", "9", 9, 0, RES_NOTFOUND, RES_UNAVAIL, 0, 0, false,
        REASON_REGISTRY_ERROR, 1, 0},
    {"in its rate", "none", 0, 3, RES_NOTFOUND, 0, 0, 0, true,
        REASON_PROVISIONED, 0, 1},
    {"beyond its rate", "none", 0, 3, RES_NOTFOUND, 0, 0, 0, false, REASON_RATE,
        0, 1},
    {"full and beyond", "9", 0, 3, RES_NOTFOUND, 0, 9, 0, false, REASON_QUOTA,
        1, 1},
    {"known", "9", 9, 3, RES_OK, 0, 9, 9, false, REASON_KNOWN, 0, 0},
    {"cannot look", "9", 9, 3, RES_UNAVAIL, 0, 0, 0, true,
        REASON_REGISTRY_ERROR, 0, 0},
};

static void
new_ones_are_counted(void **state)
{
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(limits); i++) {
		struct stub stub = {.res = limits[i].found,
		    .device.state = DEVICE_PROVISIONED,
		    .count_res = limits[i].count_res,
		    .org_devices = limits[i].org_devices,
		    .type_devices = limits[i].type_devices,
		    .within_rate = limits[i].within_rate};
		struct snapshot *snapshot;

		set("max-devices", limits[i].org_max);
		set_type("d:meter", limits[i].type_max, "", NULL);
		snapshot = make_snapshot(limits[i].rate);
		ask(snapshot, leaf, &stub, NULL, &answer);
		if (answer.verdict.reason != limits[i].want) {
			fail_msg("%s: %s", limits[i].name,
			    reason_id(answer.verdict.reason));
		}
		assert_int_equal(stub.counts, limits[i].counts);
		assert_int_equal(stub.rates, limits[i].rates);
		snapshot_unref(snapshot);
	}
	leaf_free(leaf);
	minted_done(&minted);
}

/* A flood of certificates that hold in no way costs no counting. */
static void
bad_ones_are_not_counted(void **state)
{
	struct minted stranger = mint_ca("Stranger", 1);
	struct minted minted = mint_device(&stranger, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct stub stub = {.res = RES_NOTFOUND};
	struct snapshot *snapshot;
	struct answer answer;

	(void)state;
	set("max-devices", "9");
	snapshot = make_snapshot(3);
	ask(snapshot, leaf, &stub, NULL, &answer);
	assert_int_equal(answer.verdict.reason, REASON_CA_UNKNOWN);
	assert_int_equal(stub.finds + stub.counts + stub.rates, 0);
	snapshot_unref(snapshot);
	leaf_free(leaf);
	minted_done(&minted);
	minted_done(&stranger);
}

static void
addresses_come_from_the_request(void **state)
{
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct stub stub = {.res = RES_NOTFOUND};
	struct snapshot *snapshot;
	struct answer answer;

	(void)state;
	set_type("d:meter", 0, "", "[\"192.0.2.0/24\",\"2001:db8::/32\"]");
	snapshot = make_snapshot(0);
	ask(snapshot, leaf, &stub, "2001:db8::7", &answer);
	assert_int_equal(answer.verdict.reason, REASON_PROVISIONED);
	ask(snapshot, leaf, &stub, "192.0.3.1", &answer);
	assert_int_equal(answer.verdict.reason, REASON_ADDRESS);
	ask(snapshot, leaf, &stub, NULL, &answer);
	assert_int_equal(answer.verdict.reason, REASON_ADDRESS);
	snapshot_unref(snapshot);
	leaf_free(leaf);
	minted_done(&minted);
}

/* The pins that are written are those of the certificate that came. */
static void
pins_come_from_the_certificate(void **state)
{
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	const struct cert_info *info = leaf_info(leaf);
	struct stub stub = {.res = RES_NOTFOUND};
	struct snapshot *snapshot;
	struct answer answer;
	const struct pin *pin = &answer.verdict.pins.list[0];

	(void)state;
	set_type("d:meter", 0, "first", NULL);
	snapshot = make_snapshot(0);
	ask(snapshot, leaf, &stub, NULL, &answer);
	assert_int_equal(answer.verdict.action, ACTION_PROVISION);
	assert_int_equal(answer.verdict.pins.count, 1);
	assert_memory_equal(pin->fingerprint, info->fingerprint, HASH_LEN);
	assert_memory_equal(pin->key, info->key, HASH_LEN);
	assert_memory_equal(pin->ca, answer.ca, HASH_LEN);
	assert_true(pin->has_key && pin->has_ca && !pin->waits);
	assert_true(pin->not_before == MINT_FROM);
	assert_true(pin->added_at == MINT_NOW);
	assert_true(pin->ends_at == CLOCK_FOREVER);
	assert_int_equal(answer.pins_before.count, 0);

	/* And are looked at when it comes again. */
	stub.res = RES_OK;
	stub.device.state = DEVICE_PROVISIONED;
	stub.device.pins = answer.verdict.pins;
	ask(snapshot, leaf, &stub, NULL, &answer);
	assert_int_equal(answer.verdict.reason, REASON_KNOWN);
	assert_int_equal(answer.verdict.action, ACTION_NONE);
	assert_true(pins_equal(&answer.pins_before, &stub.device.pins));
	stub.device.pins.list[0].fingerprint[0] ^= 1;
	ask(snapshot, leaf, &stub, NULL, &answer);
	assert_int_equal(answer.verdict.reason, REASON_PIN_MISMATCH);
	assert_true(answer.was_known);
	snapshot_unref(snapshot);
	leaf_free(leaf);
	minted_done(&minted);
}

/* A type of which only a rule speaks holds nobody to pins. */
static void
a_rule_alone_says_nothing_of_pins(void **state)
{
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct stub stub = {.res = RES_NOTFOUND};
	struct snapshot *snapshot;
	struct answer answer;
	struct diag why;

	(void)state;
	assert_int_equal(
	    edit_rule_set(&fixture.edit, "d:meter", "cert", &why), RES_OK);
	snapshot = make_snapshot(0);
	ask(snapshot, leaf, &stub, NULL, &answer);
	assert_int_equal(answer.verdict.reason, REASON_PROVISIONED);
	assert_int_equal(answer.verdict.pins.count, 0);
	snapshot_unref(snapshot);
	leaf_free(leaf);
	minted_done(&minted);
}

/* A gateway publishes for a device.  Where the device is attached: nowhere, to
 * g:hub:1, to g:hub:2, to g:plain:1, which is not privileged. */
enum where { NOWHERE, HERE, ELSEWHERE, PLAIN };

static const struct {
	const char *name, *gateway, *who;
	enum res found;
	enum device_state state;
	enum where where;
	bool locked;
	enum reason want;
	enum action action;
	const char *says;
} behind[] = {
    {"new", "g:hub:1", "d:meter:1", RES_NOTFOUND, 0, NOWHERE, false,
        REASON_PROVISIONED, ACTION_PROVISION, NULL},
    {"added", "g:hub:1", "d:meter:1", RES_OK, DEVICE_ALLOWED, NOWHERE, false,
        REASON_PROVISIONED, ACTION_PROVISION, NULL},
    {"added and attached", "g:hub:1", "d:meter:1", RES_OK, DEVICE_ALLOWED, HERE,
        false, REASON_PROVISIONED, ACTION_PROVISION, NULL},
    {"attached", "g:hub:1", "d:meter:1", RES_OK, DEVICE_PROVISIONED, HERE,
        false, REASON_KNOWN, ACTION_NONE, NULL},
    {"provisioned by itself", "g:hub:1", "d:meter:1", RES_OK,
        DEVICE_PROVISIONED, NOWHERE, false, REASON_DEVICE_UNLISTED, ACTION_NONE,
        "no gateway"},
    {"another's", "g:hub:1", "d:meter:1", RES_OK, DEVICE_PROVISIONED, ELSEWHERE,
        false, REASON_DEVICE_UNLISTED, ACTION_NONE, "another gateway"},
    {"added for another", "g:hub:1", "d:meter:1", RES_OK, DEVICE_ALLOWED,
        ELSEWHERE, false, REASON_DEVICE_UNLISTED, ACTION_NONE,
        "another gateway"},
    {"pending", "g:hub:1", "d:meter:1", RES_OK, DEVICE_PENDING, HERE, false,
        REASON_DEVICE_PENDING, ACTION_NONE, "approval"},
    {"pending, nowhere", "g:hub:1", "d:meter:1", RES_OK, DEVICE_PENDING,
        NOWHERE, false, REASON_DEVICE_PENDING, ACTION_NONE, "approval"},
    {"pending, another's", "g:hub:1", "d:meter:1", RES_OK, DEVICE_PENDING,
        ELSEWHERE, false, REASON_DEVICE_UNLISTED, ACTION_NONE,
        "another gateway"},
    {"locked", "g:hub:1", "d:meter:1", RES_OK, DEVICE_PROVISIONED, HERE, true,
        REASON_DEVICE_LOCKED, ACTION_NONE, NULL},
    {"locked, another's", "g:hub:1", "d:meter:1", RES_OK, DEVICE_PROVISIONED,
        ELSEWHERE, true, REASON_DEVICE_LOCKED, ACTION_NONE, NULL},
    {"cannot look", "g:hub:1", "d:meter:1", RES_UNAVAIL, 0, NOWHERE, false,
        REASON_REGISTRY_ERROR, ACTION_NONE, NULL},
    {"a plain gateway, added and attached", "g:plain:1", "d:meter:1", RES_OK,
        DEVICE_ALLOWED, PLAIN, false, REASON_PROVISIONED, ACTION_PROVISION,
        NULL},
    {"a plain gateway, attached", "g:plain:1", "d:meter:1", RES_OK,
        DEVICE_PROVISIONED, PLAIN, false, REASON_KNOWN, ACTION_NONE, NULL},
    {"a plain gateway, added", "g:plain:1", "d:meter:1", RES_OK, DEVICE_ALLOWED,
        NOWHERE, false, REASON_DEVICE_UNLISTED, ACTION_NONE, "not privileged"},
    {"a plain gateway, another's", "g:plain:1", "d:meter:1", RES_OK,
        DEVICE_ALLOWED, HERE, false, REASON_DEVICE_UNLISTED, ACTION_NONE,
        "another gateway"},
    {"a plain gateway, pending", "g:plain:1", "d:meter:1", RES_OK,
        DEVICE_PENDING, PLAIN, false, REASON_DEVICE_PENDING, ACTION_NONE,
        "approval"},
    {"a plain gateway, locked", "g:plain:1", "d:meter:1", RES_OK,
        DEVICE_PROVISIONED, PLAIN, true, REASON_DEVICE_LOCKED, ACTION_NONE,
        NULL},
    {"a plain gateway", "g:plain:1", "d:meter:1", RES_NOTFOUND, 0, NOWHERE,
        false, REASON_DEVICE_UNLISTED, ACTION_NONE, "not privileged"},
    {"a device", "d:hub:1", "d:meter:1", RES_NOTFOUND, 0, NOWHERE, false,
        REASON_DEVICE_UNLISTED, ACTION_NONE, "not privileged"},
    {"for a gateway", "g:hub:1", "g:hub:2", RES_NOTFOUND, 0, NOWHERE, false,
        REASON_DEVICE_UNLISTED, ACTION_NONE, "no other"},
    {"a colon", "g:hub:1", "d:meter:a:b", RES_NOTFOUND, 0, NOWHERE, false,
        REASON_ID_FORMAT, ACTION_NONE, NULL},
};

static void
check_behind(struct snapshot *snapshot, size_t i, const uint8_t *ca,
    struct stub *stub, struct answer *answer)
{
	const struct identity gateway = fixture_who(behind[i].gateway);
	const struct identity who = fixture_who(behind[i].who);
	const struct source source = stub_source(stub);
	const struct behind question = {.gateway = &gateway,
	    .who = &who,
	    .ca = ca,
	    .address = "10.0.0.7",
	    .can_record = true,
	    .clock_is_set = true,
	    .now = MINT_NOW};

	memset(answer, 0xff, sizeof(*answer));
	admission_behind(snapshot, ORG_DEFAULT, &question, &source, answer);
	answer_done(answer);
}

static void
note_ca(const struct ca_record *ca, void *context)
{
	memcpy(context, ca->fingerprint, HASH_LEN);
}

static void
gateways_bring_devices(void **state)
{
	const struct identity attached[] = {{{0}, ""}, fixture_who("g:hub:1"),
	    fixture_who("g:hub:2"), fixture_who("g:plain:1")};
	struct snapshot *snapshot;
	struct answer answer;
	uint8_t ca[HASH_LEN];
	size_t i;

	(void)state;
	set_type("g:hub", 0, "", NULL);
	snapshot = make_snapshot(0);
	snapshot_active_cas(snapshot, ORG_DEFAULT, note_ca, ca);
	for (i = 0; i < COUNT(behind); i++) {
		struct stub stub = {.res = behind[i].found};

		stub.device.state = behind[i].state;
		stub.device.locked = behind[i].locked;
		stub.device.window_ends_at = CLOCK_FOREVER;
		stub.device.has_gateway = behind[i].where != NOWHERE;
		stub.device.gateway = attached[behind[i].where];
		check_behind(snapshot, i, ca, &stub, &answer);
		if (answer.verdict.reason != behind[i].want ||
		    answer.verdict.action != behind[i].action) {
			fail_msg("%s: %s", behind[i].name,
			    reason_id(answer.verdict.reason));
		}
		assert_true(behind[i].says == NULL ||
		    strstr(answer.detail, behind[i].says) != NULL);
		assert_true(answer.has_identity);
		assert_int_equal(
		    answer.was_known, stub.res == RES_OK && stub.finds > 0);
		assert_int_equal(answer.has_gateway,
		    answer.was_known && stub.device.has_gateway);
		assert_true(!answer.has_gateway ||
		    identity_equal(&answer.gateway, &stub.device.gateway));
	}
	snapshot_unref(snapshot);
}

/* The mode and the rate of the CA that anchors the gateway hold. */
static void
a_gateway_brings_no_more_than_its_ca_may(void **state)
{
	struct minted strict = mint_ca("Strict", 1);
	const uint8_t unknown[HASH_LEN] = {1};
	uint8_t lists[HASH_LEN], rated[HASH_LEN];
	struct stub stub = {.res = RES_NOTFOUND, .within_rate = true};
	struct snapshot *snapshot;
	struct config config = {0};
	struct answer answer;
	struct diag why;
	size_t i;

	(void)state;
	set_type("g:hub", 0, "", NULL);
	fixture_add_ca(&fixture, &strict, "active", "[]", "listed");
	assert_int_equal(
	    registry_load(fixture.registry, &config, &why), RES_OK);
	for (i = 0; i < config.ca_count; i++) {
		memcpy(config.cas[i].enrol[0] != '\0' ? lists : rated,
		    config.cas[i].fingerprint, HASH_LEN);
		config.cas[i].rate = config.cas[i].enrol[0] != '\0' ? 0 : 3;
	}
	assert_int_equal(snapshot_new(&config, NULL, &snapshot, &why), RES_OK);
	check_behind(snapshot, 0, rated, &stub, &answer);
	assert_int_equal(answer.verdict.reason, REASON_PROVISIONED);
	assert_true(answer.has_ca);
	assert_memory_equal(answer.ca, rated, HASH_LEN);
	assert_int_equal(stub.rates, 1);
	stub.within_rate = false;
	check_behind(snapshot, 0, rated, &stub, &answer);
	assert_int_equal(answer.verdict.reason, REASON_RATE);
	check_behind(snapshot, 0, lists, &stub, &answer);
	assert_int_equal(answer.verdict.reason, REASON_DEVICE_UNLISTED);
	stub.finds = 0;
	check_behind(snapshot, 0, unknown, &stub, &answer);
	assert_int_equal(answer.verdict.reason, REASON_CA_UNKNOWN);
	assert_int_equal(stub.finds, 0);

	/* Without a CA that is known the mode is listed. */
	check_behind(snapshot, 0, NULL, &stub, &answer);
	assert_int_equal(answer.verdict.reason, REASON_DEVICE_UNLISTED);
	assert_false(answer.has_ca);
	stub.res = RES_OK;
	stub.device.state = DEVICE_ALLOWED;
	stub.device.window_ends_at = CLOCK_FOREVER;
	check_behind(snapshot, 0, NULL, &stub, &answer);
	assert_int_equal(answer.verdict.reason, REASON_PROVISIONED);
	snapshot_unref(snapshot);
	minted_done(&strict);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        new_ones_are_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        bad_ones_are_not_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        addresses_come_from_the_request, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        pins_come_from_the_certificate, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_rule_alone_says_nothing_of_pins, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        gateways_bring_devices, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_gateway_brings_no_more_than_its_ca_may, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
