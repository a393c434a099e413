/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 1024

static enum res
get(struct registry *registry, const char *text, bool full, struct device *out,
    bool *clash)
{
	struct identity who = suite_identity(text);
	struct diag why = {{0}};
	enum res r;

	r = registry_get(registry, ORG_DEFAULT, &who, full, out, clash, &why);
	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	return r;
}

/* The device must be there. */
static struct device
must_get(struct registry *registry, const char *text)
{
	struct device device = {0};
	bool clash = true;

	assert_int_equal(get(registry, text, true, &device, &clash), RES_OK);
	assert_false(clash);
	return device;
}

static void
must_miss(struct registry *registry, const char *text, bool want_clash)
{
	struct device device, before;
	bool clash = !want_clash;

	memset(&device, 0x5a, sizeof(device));
	before = device;
	assert_int_equal(
	    get(registry, text, true, &device, &clash), RES_NOTFOUND);
	assert_memory_equal(&device, &before, sizeof(device));
	assert_int_equal(clash, want_clash);
}

static char subject_text[] = "CN=d:meter:0001",
            tags_text[] = "[{\"name\":\"site\",\"value\":\"7\"}]",
            info_text[] = "{\"manufacturer\":\"ACME\"}";

static struct device
whole_device(enum device_state state)
{
	struct device device = suite_device("d:meter:0001", state);

	device.locked = true;
	device.provisioned_at = NOW + 1;
	device.last_seen_at = NOW + 2;
	device.window_ends_at = CLOCK_FOREVER;
	device.not_after = INT64_C(253402300799);
	device.has_ca = device.has_fingerprint = true;
	memset(device.ca, 0xca, HASH_LEN);
	memset(device.fingerprint, 0xfe, HASH_LEN);
	(void)strcpy(device.last_address, "2001:db8::1");
	(void)strcpy(device.serial, "0x1a");
	device.subject = subject_text;
	device.tags = tags_text;
	device.info = info_text;
	return device;
}

static void
a_whole_device_reads_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = whole_device(DEVICE_PROVISIONED), back;
	bool clash;

	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	back = must_get(registry, "d:meter:0001");
	assert_string_equal(back.subject, subject_text);
	assert_string_equal(back.tags, tags_text);
	assert_string_equal(back.info, info_text);
	device_done(&back);
	assert_int_equal(
	    get(registry, "d:meter:0001", false, &back, &clash), RES_OK);
	assert_null(back.subject);
	assert_null(back.tags);
	assert_null(back.info);
	device.subject = device.tags = device.info = NULL;
	assert_string_equal(back.org, ORG_DEFAULT);
	assert_true(identity_equal(&back.who, &device.who));
	assert_int_equal(back.state, DEVICE_PROVISIONED);
	assert_true(back.locked);
	assert_int_equal(back.created_at, NOW);
	assert_int_equal(back.provisioned_at, NOW + 1);
	assert_int_equal(back.last_seen_at, NOW + 2);
	assert_int_equal(back.window_ends_at, CLOCK_FOREVER);
	assert_string_equal(back.last_address, "2001:db8::1");
	assert_true(back.has_ca && back.has_fingerprint);
	assert_memory_equal(back.ca, device.ca, HASH_LEN);
	assert_memory_equal(back.fingerprint, device.fingerprint, HASH_LEN);
	assert_string_equal(back.serial, "0x1a");
	assert_int_equal(back.not_after, device.not_after);
	device_done(&back);
}

static void
an_empty_device_reads_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("g:g:a:b", DEVICE_PENDING), back;

	device.created_at = CLOCK_NONE;
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	back = must_get(registry, "g:g:a:b");
	assert_int_equal(back.state, DEVICE_PENDING);
	assert_false(back.locked || back.has_ca || back.has_fingerprint);
	assert_int_equal(back.created_at, CLOCK_NONE);
	assert_int_equal(back.provisioned_at, CLOCK_NONE);
	assert_int_equal(back.last_seen_at, CLOCK_NONE);
	assert_int_equal(back.window_ends_at, CLOCK_NONE);
	assert_int_equal(back.not_after, CLOCK_NONE);
	assert_string_equal(back.last_address, "");
	assert_string_equal(back.serial, "");
	assert_null(back.subject);
	assert_null(back.tags);
	assert_null(back.info);
	device_done(&back);
}

static void
a_name_is_taken_whatever_its_case(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:meter:ab", DEVICE_ALLOWED),
	              twin = suite_device("d:Meter:aB", DEVICE_PROVISIONED);

	must_miss(registry, "d:meter:ab", false);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_EXISTS);
	suite_expect(registry, CHANGE_DEVICE_ADD, &twin, RES_EXISTS);
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &twin, RES_EXISTS);
	suite_expect(registry, CHANGE_DEVICE_REMOVE, &twin, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_LOCK, &twin, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_APPROVE, &twin, RES_NOTFOUND);
	must_miss(registry, "d:Meter:aB", true);
	must_miss(registry, "g:meter:ab", false);
	must_miss(registry, "d:meter:ab1", false);
	device = must_get(registry, "d:meter:ab");
	assert_int_equal(device.state, DEVICE_ALLOWED);
	suite_expect(registry, CHANGE_DEVICE_REMOVE, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_REMOVE, &device, RES_NOTFOUND);
	must_miss(registry, "d:Meter:aB", false);
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &twin, RES_OK);
}

static void
orgs_do_not_share_devices(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_ALLOWED), out;
	struct org org = {.name = "plant", .created_at = NOW};
	bool clash = true;

	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	assert_int_equal(registry_get(registry, "plant", &device.who, false,
	                     &out, &clash, NULL),
	    RES_NOTFOUND);
	assert_false(clash);
	assert_int_equal(registry_get(registry, "nowhere", &device.who, false,
	                     &out, NULL, NULL),
	    RES_NOTFOUND);
}

static void
provisioning_adds_once(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = whole_device(DEVICE_PROVISIONED), other = device,
	              back;

	device.locked = false;
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &device, RES_OK);
	other.subject = NULL;
	other.created_at = NOW + 100;
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &other, RES_EXISTS);
	back = must_get(registry, "d:meter:0001");
	assert_int_equal(back.created_at, NOW);
	assert_string_equal(back.subject, subject_text);
	device_done(&back);
}

static void
provisioning_promotes_the_allowed(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device allowed = suite_device("d:meter:0001", DEVICE_ALLOWED),
	              seen = whole_device(DEVICE_PROVISIONED), back;
	static char tags[] = "[]", info[] = "{}";

	allowed.window_ends_at = NOW + 60;
	allowed.tags = tags;
	allowed.info = info;
	seen.created_at = NOW + 100;
	seen.locked = true;
	suite_expect(registry, CHANGE_DEVICE_ADD, &allowed, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &seen, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &seen, RES_EXISTS);
	back = must_get(registry, "d:meter:0001");
	assert_int_equal(back.state, DEVICE_PROVISIONED);
	/* Of the connection. */
	assert_int_equal(back.provisioned_at, seen.provisioned_at);
	assert_int_equal(back.last_seen_at, seen.last_seen_at);
	assert_string_equal(back.last_address, seen.last_address);
	assert_memory_equal(back.ca, seen.ca, HASH_LEN);
	assert_memory_equal(back.fingerprint, seen.fingerprint, HASH_LEN);
	assert_string_equal(back.serial, seen.serial);
	assert_int_equal(back.not_after, seen.not_after);
	assert_string_equal(back.subject, seen.subject);
	/* Of the operator. */
	assert_false(back.locked);
	assert_int_equal(back.created_at, NOW);
	assert_int_equal(back.window_ends_at, NOW + 60);
	assert_string_equal(back.tags, tags);
	assert_string_equal(back.info, info);
	device_done(&back);
}

static void
pending_changes_nothing_that_is_there(void **state)
{
	static const enum device_state states[] = {
	    DEVICE_PENDING, DEVICE_ALLOWED, DEVICE_PROVISIONED};
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device there = suite_device("d:m:1", DEVICE_PENDING),
	              pending = there, back;
	size_t i;

	for (i = 0; i < 3; i++) {
		there.state = states[i];
		suite_expect(registry, CHANGE_DEVICE_ADD, &there, RES_OK);
		suite_expect(
		    registry, CHANGE_DEVICE_PROVISION, &pending, RES_EXISTS);
		back = must_get(registry, "d:m:1");
		assert_int_equal(back.state, states[i]);
		device_done(&back);
		suite_expect(registry, CHANGE_DEVICE_REMOVE, &there, RES_OK);
	}
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &pending, RES_OK);
	/* Nor does a connection make a pending one provisioned. */
	there.state = DEVICE_PROVISIONED;
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &there, RES_EXISTS);
	back = must_get(registry, "d:m:1");
	assert_int_equal(back.state, DEVICE_PENDING);
	device_done(&back);
}

static void
locking_touches_the_lock_alone(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_PROVISIONED),
	              lock = suite_device("d:m:1", DEVICE_PENDING), back;

	lock.locked = true;
	suite_expect(registry, CHANGE_DEVICE_LOCK, &lock, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_LOCK, &lock, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_LOCK, &lock, RES_EXISTS);
	back = must_get(registry, "d:m:1");
	assert_true(back.locked);
	assert_int_equal(back.state, DEVICE_PROVISIONED);
	device_done(&back);
	lock.locked = false;
	suite_expect(registry, CHANGE_DEVICE_LOCK, &lock, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_LOCK, &lock, RES_EXISTS);
	back = must_get(registry, "d:m:1");
	assert_false(back.locked);
	device_done(&back);
}

static void
only_the_pending_are_approved(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_PENDING), back;

	device.locked = true;
	suite_expect(registry, CHANGE_DEVICE_APPROVE, &device, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	device.locked = false;
	suite_expect(registry, CHANGE_DEVICE_APPROVE, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_APPROVE, &device, RES_REFUSED);
	back = must_get(registry, "d:m:1");
	assert_int_equal(back.state, DEVICE_ALLOWED);
	assert_int_equal(back.window_ends_at, CLOCK_FOREVER);
	assert_true(back.locked); /* approving unlocks nobody */
	device_done(&back);
	device.state = DEVICE_PROVISIONED;
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_APPROVE, &device, RES_REFUSED);
}

/* Pins before, in the change, and after. */
static const struct {
	const char *name, *before, *brings, *want;
} approvals[] = {
    {"d:m:1", "", "", ""},
    {"d:m:2", "", "a", "a"},
    {"d:m:3", "a", "", "a"},
    {"d:m:4", "a", "b", "b"},
    {"d:m:5", "ab", "b", "b"},
};

static void
approving_may_hold_a_device_to_a_certificate(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device, back;
	struct pins want;
	size_t i;

	for (i = 0; i < sizeof(approvals) / sizeof(approvals[0]); i++) {
		device = suite_device(approvals[i].name, DEVICE_PENDING);
		device.pins = suite_pins(approvals[i].before);
		suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
		device.pins = suite_pins(approvals[i].brings);
		suite_expect(registry, CHANGE_DEVICE_APPROVE, &device, RES_OK);
		want = suite_pins(approvals[i].want);
		back = must_get(registry, approvals[i].name);
		assert_int_equal(back.state, DEVICE_ALLOWED);
		assert_true(pins_equal(&back.pins, &want));
		device.pins = suite_pins("c");
		suite_expect(
		    registry, CHANGE_DEVICE_APPROVE, &device, RES_REFUSED);
		device_done(&back);
		back = must_get(registry, approvals[i].name);
		assert_true(pins_equal(&back.pins, &want));
		device_done(&back);
	}
}

static void
being_seen_is_no_event(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_PROVISIONED), back;
	int64_t mark;

	suite_expect(registry, CHANGE_DEVICE_SEEN, &device, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	mark = suite_mark(registry);
	device.last_seen_at = NOW + 9;
	(void)strcpy(device.last_address, "192.0.2.1");
	assert_int_equal(
	    suite_apply(registry, CHANGE_DEVICE_SEEN, &device), RES_OK);
	assert_int_equal(suite_mark(registry), mark);
	back = must_get(registry, "d:m:1");
	assert_int_equal(back.last_seen_at, NOW + 9);
	assert_string_equal(back.last_address, "192.0.2.1");
	device_done(&back);
}

/* The certificate of number n, as a connection with one brings it. */
static void
show_certificate(struct device *device, uint8_t n)
{
	static char subject[] = "CN=x", tags[] = "[{\"a\":\"b\"}]";

	device->has_ca = device->has_fingerprint = true;
	memset(device->ca, n, HASH_LEN);
	memset(device->fingerprint, n + 1, HASH_LEN);
	(void)snprintf(device->serial, sizeof(device->serial), "%02x", n);
	device->not_after = NOW + n;
	device->subject = n == 1 ? NULL : subject;
	device->tags = tags;
}

static void
expect_certificate(struct registry *registry, uint8_t n)
{
	struct device back = must_get(registry, "d:m:1");
	uint8_t ca[HASH_LEN], fingerprint[HASH_LEN];
	char serial[8] = "";

	memset(ca, n, HASH_LEN);
	memset(fingerprint, n + 1, HASH_LEN);
	assert_int_equal(back.has_ca, n != 0);
	assert_int_equal(back.has_fingerprint, n != 0);
	if (n != 0) {
		assert_memory_equal(back.ca, ca, HASH_LEN);
		assert_memory_equal(back.fingerprint, fingerprint, HASH_LEN);
		(void)snprintf(serial, sizeof(serial), "%02x", n);
	}
	assert_string_equal(back.serial, serial);
	assert_true(back.not_after == (n == 0 ? CLOCK_NONE : NOW + n));
	assert_int_equal(back.subject == NULL, n < 2);
	assert_true(back.tags == NULL || strcmp(back.tags, "[]") == 0);
	device_done(&back);
}

/* Of a device that came by a token, or through its gateway, the first
 * certificate is noted, and no later one. */
static void
the_first_certificate_is_noted_when_it_is_seen(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_PROVISIONED), seen;
	uint8_t n;

	for (n = 1; n <= 2; n++) {
		suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
		seen = device;
		seen.seen_with = SEEN_TLS | SEEN_TOKEN;
		assert_int_equal(
		    suite_apply(registry, CHANGE_DEVICE_SEEN, &seen), RES_OK);
		expect_certificate(registry, 0);
		show_certificate(&seen, n);
		assert_int_equal(
		    suite_apply(registry, CHANGE_DEVICE_SEEN, &seen), RES_OK);
		expect_certificate(registry, n);
		show_certificate(&seen, 7);
		assert_int_equal(
		    suite_apply(registry, CHANGE_DEVICE_SEEN, &seen), RES_OK);
		expect_certificate(registry, n);
		assert_int_equal(
		    suite_apply(registry, CHANGE_DEVICE_SEEN, &device), RES_OK);
		expect_certificate(registry, n);
		suite_expect(registry, CHANGE_DEVICE_REMOVE, &device, RES_OK);
		suite_expect(registry, CHANGE_DEVICE_SEEN, &seen, RES_NOTFOUND);
	}
}

/* Names, in byte order, with the state of each. */
static const struct {
	const char *name;
	enum device_state state;
} fleet[] = {
    {"d:Meter:9", DEVICE_PROVISIONED},
    {"d:me:1", DEVICE_PROVISIONED},
    {"d:meter-x:1", DEVICE_ALLOWED},
    {"d:meter.x:1", DEVICE_PROVISIONED},
    {"d:meter2:1", DEVICE_PENDING},
    {"d:meter:-", DEVICE_PROVISIONED},
    {"d:meter:1", DEVICE_ALLOWED},
    {"d:meter:1:2", DEVICE_PROVISIONED},
    {"d:meter:A", DEVICE_PENDING},
    {"d:meter:z", DEVICE_PROVISIONED},
    {"d:meter_:1", DEVICE_PROVISIONED},
    {"g:meter:1", DEVICE_PROVISIONED},
};

#define FLEET (sizeof(fleet) / sizeof(fleet[0]))

/* In an order that is not theirs, and another org beside. */
static void
add_fleet(struct registry *registry)
{
	struct org org = {.name = "plant", .created_at = NOW};
	struct device device;
	struct change change;
	struct diag why;
	size_t i, at;

	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	for (i = 0; i < FLEET; i++) {
		at = (i * 7) % FLEET;
		device = suite_device(fleet[at].name, fleet[at].state);
		suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
		change = suite_change(CHANGE_DEVICE_ADD, &device);
		change.org = "plant";
		assert_int_equal(
		    registry_apply(registry, &change, 1, APPLY_ALL, &why),
		    RES_OK);
	}
}

static enum res
note(const struct device *device, void *context)
{
	char *line = context, text[IDENTITY_TEXT_MAX + 1];

	identity_format(&device->who, text);
	assert_string_equal(device->org, ORG_DEFAULT);
	assert_null(device->subject);
	assert_true(strlen(line) + strlen(text) + 2 < LINE_MAX_BYTES);
	(void)strcat(line, line[0] == '\0' ? "" : " ");
	(void)strcat(line, text);
	return RES_OK;
}

static const struct {
	const char *type, *after; /* NULL: none */
	int state;                /* -1: any */
	int64_t limit, count;
	const char *want;
} scan_cases[] = {
    {NULL, NULL, -1, 0, 12,
        "d:Meter:9 d:me:1 d:meter-x:1 d:meter.x:1 d:meter2:1 d:meter:- "
        "d:meter:1 d:meter:1:2 d:meter:A d:meter:z d:meter_:1 g:meter:1"},
    {NULL, NULL, -1, 2, 12, "d:Meter:9 d:me:1"},
    {NULL, "d:meter:z", -1, 0, 12, "d:meter_:1 g:meter:1"},
    {NULL, "d:meter:0", -1, 1, 12, "d:meter:1"},
    {NULL, "g:meter:1", -1, 5, 12, ""},
    {NULL, NULL, DEVICE_ALLOWED, 0, 2, "d:meter-x:1 d:meter:1"},
    {NULL, "d:meter-x:1", DEVICE_ALLOWED, 0, 2, "d:meter:1"},
    {"d:meter", NULL, -1, 0, 5,
        "d:meter:- d:meter:1 d:meter:1:2 d:meter:A d:meter:z"},
    {"d:meter", NULL, -1, 3, 5, "d:meter:- d:meter:1 d:meter:1:2"},
    {"d:meter", "d:meter:1:2", -1, 0, 5, "d:meter:A d:meter:z"},
    {"d:meter", "d:meter:z", -1, 0, 5, ""},
    {"d:meter", "g:meter:1", -1, 0, 5, ""},
    {"d:meter", "d:me:1", -1, 1, 5, "d:meter:-"},
    {"d:meter", NULL, DEVICE_PROVISIONED, 0, 3,
        "d:meter:- d:meter:1:2 d:meter:z"},
    {"d:meter", "d:meter:-", DEVICE_PROVISIONED, 1, 3, "d:meter:1:2"},
    {"d:meter", NULL, DEVICE_PENDING, 0, 1, "d:meter:A"},
    {"d:Meter", NULL, -1, 0, 1, "d:Meter:9"},
    {"g:meter", NULL, -1, 0, 1, "g:meter:1"},
    {"g:meter", NULL, DEVICE_PENDING, 0, 0, ""},
    {"g:nothing", NULL, -1, 0, 0, ""},
};

static void
check_scan(struct registry *registry, size_t i)
{
	struct device_query query = {
	    .org = ORG_DEFAULT,
	    .has_state = scan_cases[i].state >= 0,
	    .limit = scan_cases[i].limit,
	};
	char line[LINE_MAX_BYTES] = "";
	struct device_type type;
	struct identity after;
	struct diag why;
	const char *said;
	int64_t count = -1;

	if (query.has_state) {
		query.state = (enum device_state)scan_cases[i].state;
	}
	if (scan_cases[i].type != NULL) {
		assert_int_equal(device_type_parse(scan_cases[i].type,
		                     strlen(scan_cases[i].type), &type, &said),
		    RES_OK);
		query.type = &type;
	}
	if (scan_cases[i].after != NULL) {
		after = suite_identity(scan_cases[i].after);
		query.after = &after;
	}
	assert_int_equal(
	    registry_scan(registry, &query, note, line, &why), RES_OK);
	assert_string_equal(line, scan_cases[i].want);
	assert_int_equal(
	    registry_count(registry, &query, &count, &why), RES_OK);
	assert_int_equal(count, scan_cases[i].count);
}

static void
pages_are_in_byte_order(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	size_t i;

	add_fleet(registry);
	for (i = 0; i < sizeof(scan_cases) / sizeof(scan_cases[0]); i++) {
		check_scan(registry, i);
	}
}

static enum res
stop_at_two(const struct device *device, void *context)
{
	(void)device;
	return ++*(int *)context == 2 ? RES_LIMIT : RES_OK;
}

static void
a_visitor_ends_the_scan(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device_query query = {.org = ORG_DEFAULT};
	struct diag why;
	int seen = 0;

	add_fleet(registry);
	assert_int_equal(
	    registry_scan(registry, &query, stop_at_two, &seen, &why),
	    RES_LIMIT);
	assert_int_equal(seen, 2);
}

static enum res
check_full(const struct device *device, void *context)
{
	assert_string_equal(device->subject, subject_text);
	assert_string_equal(device->tags, tags_text);
	assert_string_equal(device->info, info_text);
	++*(int *)context;
	return RES_OK;
}

static void
a_full_scan_has_the_texts(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = whole_device(DEVICE_PROVISIONED);
	struct device_query query = {.org = ORG_DEFAULT, .full = true};
	struct diag why;
	int seen = 0;

	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	assert_int_equal(
	    registry_scan(registry, &query, check_full, &seen, &why), RES_OK);
	query.has_state = true;
	query.state = DEVICE_PROVISIONED;
	assert_int_equal(
	    registry_scan(registry, &query, check_full, &seen, &why), RES_OK);
	assert_int_equal(seen, 2);
}

int
suite_device_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(a_whole_device_reads_back),
	    SUITE_TEST(an_empty_device_reads_back),
	    SUITE_TEST(a_name_is_taken_whatever_its_case),
	    SUITE_TEST(orgs_do_not_share_devices),
	    SUITE_TEST(provisioning_adds_once),
	    SUITE_TEST(provisioning_promotes_the_allowed),
	    SUITE_TEST(pending_changes_nothing_that_is_there),
	    SUITE_TEST(locking_touches_the_lock_alone),
	    SUITE_TEST(only_the_pending_are_approved),
	    SUITE_TEST(approving_may_hold_a_device_to_a_certificate),
	    SUITE_TEST(being_seen_is_no_event),
	    SUITE_TEST(the_first_certificate_is_noted_when_it_is_seen),
	    SUITE_TEST(pages_are_in_byte_order),
	    SUITE_TEST(a_visitor_ends_the_scan),
	    SUITE_TEST(a_full_scan_has_the_texts),
	};

	return cmocka_run_group_tests_name("devices", tests, NULL, NULL);
}
