/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What devices are held to: tokens, pins, gateways, how they connected. */
#include "test/conformance/registry_suite.h"

#include <stdio.h>

static struct token_hash
token(uint8_t first)
{
	return (struct token_hash){.is_set = true,
	    .salt = {first},
	    .hash = {first, 1},
	    .created_at = NOW,
	    .expires_at = CLOCK_FOREVER};
}

/* What a client of the suite may not write; each is refused in every change
 * of a device, and nothing is written. */
static void
what_would_not_read_back_is_refused(void **state)
{
	static const enum change_kind kinds[] = {CHANGE_DEVICE_ADD,
	    CHANGE_DEVICE_PROVISION, CHANGE_DEVICE_SEEN, CHANGE_DEVICE_TOKEN,
	    CHANGE_DEVICE_PINS, CHANGE_DEVICE_ATTACH, CHANGE_DEVICE_SET};
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device good = suite_device("d:m:1", DEVICE_PROVISIONED),
	              gate = suite_device("g:g:1", DEVICE_PROVISIONED), bad[7];
	size_t i, k;

	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	for (i = 0; i < 7; i++) {
		bad[i] = good;
	}
	bad[0].seen_with = SEEN_MAX + 1;
	bad[1].pins = suite_pins("aa");
	bad[2].pins.count = PINS_MAX + 1;
	bad[3].pins = suite_pins("ab");
	bad[3].pins.count = PINS_MAX;
	bad[3].pins.list[2] = bad[3].pins.list[0];
	bad[3].pins.list[2].fingerprint[0] = 'c';
	bad[4] = suite_behind("d:m:1", "d:m:2");
	bad[5] = suite_behind("g:m:1", "g:g:1");
	bad[6] = suite_behind("d:m:1", "g:g:1");
	bad[6].gateway.id[0] = ' ';
	for (i = 0; i < 7; i++) {
		for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			suite_expect(registry, kinds[k], &bad[i], RES_REFUSED);
		}
	}
}

static void
facts_read_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device gate = suite_device("g:g:1", DEVICE_PENDING),
	              device = suite_behind("d:m:1", "g:g:1"), back;

	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	device.seen_with = SEEN_TLS | SEEN_TOKEN;
	device.token = token(7);
	device.pins = suite_pins("ab");
	device.pins.list[1].has_key = true;
	device.pins.list[1].key[3] = 9;
	device.pins.list[0].ends_at = NOW + 8;
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	back = suite_get(registry, "d:m:1");
	assert_int_equal(back.seen_with, SEEN_TLS | SEEN_TOKEN);
	assert_true(token_hash_equal(&back.token, &device.token));
	assert_true(pins_equal(&back.pins, &device.pins));
	assert_true(back.has_gateway);
	assert_true(identity_equal(&back.gateway, &gate.who));
	device_done(&back);
	back = suite_get(registry, "g:g:1");
	assert_int_equal(back.seen_with, 0);
	assert_false(back.token.is_set || back.has_gateway);
	assert_int_equal(back.pins.count, 0);
	device_done(&back);
}

static void
a_token_is_set_replaced_and_taken_away(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_ALLOWED), back,
	              change = device;
	uint8_t i;

	change.token = token(1);
	suite_expect(registry, CHANGE_DEVICE_TOKEN, &change, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_TOKEN, &device, RES_EXISTS);
	for (i = 1; i < 4; i++) {
		change.token = token(i);
		suite_expect(registry, CHANGE_DEVICE_TOKEN, &change, RES_OK);
		back = suite_get(registry, "d:m:1");
		assert_true(token_hash_equal(&back.token, &change.token));
		assert_int_equal(back.state, DEVICE_ALLOWED);
		device_done(&back);
	}
	suite_expect(registry, CHANGE_DEVICE_TOKEN, &device, RES_OK);
	back = suite_get(registry, "d:m:1");
	assert_false(back.token.is_set);
	device_done(&back);
	suite_expect(registry, CHANGE_DEVICE_TOKEN, &device, RES_EXISTS);
}

static enum res
set_pins(struct registry *registry, const char *before, const char *after)
{
	struct device device = suite_device("d:m:1", DEVICE_PENDING);
	struct change change = suite_change(CHANGE_DEVICE_PINS, &device);
	struct diag why = {{0}};
	struct pins pins;
	enum res r;

	if (before != NULL) {
		pins = suite_pins(before);
		change.pins_before = &pins;
	}
	device.pins = suite_pins(after);
	r = registry_apply(registry, &change, 1, APPLY_ALL, &why);
	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	return r;
}

/* One octet is one slot; before NULL: whatever there is. */
static const struct {
	const char *before, *after;
	enum res want;
	const char *then;
} pin_cases[] = {
    {"a", "b", RES_REFUSED, ""},
    {"", "", RES_EXISTS, ""},
    {NULL, "", RES_EXISTS, ""},
    {"a", "", RES_EXISTS, ""}, /* a change that is made twice */
    {"", "a", RES_OK, "a"},
    {"", "a", RES_EXISTS, "a"},
    {"", "b", RES_REFUSED, "a"},
    {"b", "c", RES_REFUSED, "a"},
    {"ab", "c", RES_REFUSED, "a"},
    {"a", "ab", RES_OK, "ab"},
    {"ba", "b", RES_REFUSED, "ab"},
    {"a", "b", RES_REFUSED, "ab"},
    {"ab", "ba", RES_OK, "ba"},
    {NULL, "ba", RES_EXISTS, "ba"},
    {NULL, "c", RES_OK, "c"},
    {"c", "", RES_OK, ""},
};

static void
pins_are_compared_and_set(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_PROVISIONED), back;
	struct pins then;
	size_t i;

	assert_int_equal(set_pins(registry, NULL, "a"), RES_NOTFOUND);
	assert_int_equal(set_pins(registry, "", ""), RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	for (i = 0; i < sizeof(pin_cases) / sizeof(pin_cases[0]); i++) {
		assert_int_equal(
		    set_pins(registry, pin_cases[i].before, pin_cases[i].after),
		    pin_cases[i].want);
		then = suite_pins(pin_cases[i].then);
		back = suite_get(registry, "d:m:1");
		assert_true(pins_equal(&back.pins, &then));
		device_done(&back);
	}
}

static void
devices_are_attached_to_gateways_that_are_there(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_ALLOWED), back,
	              one = suite_behind("d:m:1", "g:g:1"),
	              two = suite_behind("d:m:1", "g:g:2"),
	              gate = suite_device("g:g:1", DEVICE_PROVISIONED);

	suite_expect(registry, CHANGE_DEVICE_ATTACH, &one, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &device, RES_NOTFOUND);
	suite_expect(registry, CHANGE_DEVICE_ADD, &one, RES_REFUSED);
	suite_expect(registry, CHANGE_DEVICE_PROVISION, &one, RES_REFUSED);
	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &device, RES_EXISTS);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &one, RES_REFUSED);
	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &two, RES_REFUSED);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &one, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &one, RES_EXISTS);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &two, RES_REFUSED);
	gate = suite_device("g:g:2", DEVICE_PROVISIONED);
	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &two, RES_OK);
	back = suite_get(registry, "d:m:1");
	assert_true(back.has_gateway);
	assert_true(identity_equal(&back.gateway, &gate.who));
	assert_int_equal(back.state, DEVICE_ALLOWED);
	device_done(&back);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &device, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ATTACH, &device, RES_EXISTS);
	back = suite_get(registry, "d:m:1");
	assert_false(back.has_gateway);
	device_done(&back);
}

/* Which devices of org default are attached to the gateway, and how many. */
static int64_t
behind(struct registry *registry, const char *gateway)
{
	struct identity who = suite_identity(gateway);
	struct device_query query = {.org = ORG_DEFAULT, .gateway = &who};
	struct diag why;
	int64_t count = -1;

	assert_int_equal(
	    registry_count(registry, &query, &count, &why), RES_OK);
	return count;
}

static void
a_gateway_that_goes_leaves_its_devices(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device gates[] = {suite_device("g:g:1", DEVICE_PROVISIONED),
	    suite_device("g:g:2", DEVICE_PROVISIONED)};
	struct device devices[] = {suite_behind("d:m:1", "g:g:1"),
	    suite_behind("d:m:2", "g:g:1"), suite_behind("d:m:3", "g:g:2")};
	struct device back;
	size_t i;

	for (i = 0; i < 2; i++) {
		suite_expect(registry, CHANGE_DEVICE_ADD, &gates[i], RES_OK);
	}
	for (i = 0; i < 3; i++) {
		suite_expect(registry, CHANGE_DEVICE_ADD, &devices[i], RES_OK);
	}
	assert_int_equal(behind(registry, "g:g:1"), 2);
	suite_expect(registry, CHANGE_DEVICE_REMOVE, &gates[0], RES_OK);
	assert_int_equal(behind(registry, "g:g:1"), 0);
	assert_int_equal(behind(registry, "g:g:2"), 1);
	back = suite_get(registry, "d:m:2");
	assert_false(back.has_gateway);
	assert_int_equal(back.state, DEVICE_PROVISIONED);
	device_done(&back);
	/* It comes again: nobody is behind it. */
	suite_expect(registry, CHANGE_DEVICE_ADD, &gates[0], RES_OK);
	assert_int_equal(behind(registry, "g:g:1"), 0);
}

static enum res
note(const struct device *device, void *context)
{
	char *line = context, text[IDENTITY_TEXT_MAX + 1];
	size_t len = strlen(line);

	identity_format(&device->who, text);
	(void)snprintf(line + len, 256 - len, "%s ", text);
	return RES_OK;
}

/* after and type NULL: none; state -1: any. */
static const struct {
	const char *type, *after;
	int state;
	int64_t limit;
	const char *want;
	int64_t count;
} pages[] = {
    {NULL, NULL, -1, 0, "d:a:1 d:m:1 d:m:2 d:m:4 ", 4},
    {NULL, NULL, -1, 2, "d:a:1 d:m:1 ", 4},
    {NULL, "d:m:1", -1, 0, "d:m:2 d:m:4 ", 4},
    {"d:m", NULL, -1, 0, "d:m:1 d:m:2 d:m:4 ", 3},
    {"d:m", "d:m:1", -1, 1, "d:m:2 ", 3},
    {"d:m", NULL, DEVICE_ALLOWED, 0, "d:m:2 ", 1},
    {NULL, NULL, DEVICE_PROVISIONED, 0, "d:a:1 d:m:1 d:m:4 ", 3},
    {NULL, NULL, DEVICE_PENDING, 0, "", 0},
    {"d:z", NULL, -1, 0, "", 0},
};

static void
add_behind(struct registry *registry)
{
	static const char *const names[][2] = {{"d:m:4", "g:g:1"},
	    {"d:m:1", "g:g:1"}, {"d:m:3", "g:g:2"}, {"d:a:1", "g:g:1"},
	    {"d:m:5", NULL}, {"d:m:2", "g:g:1"}};
	struct device gate = suite_device("g:g:1", DEVICE_PROVISIONED), device;
	size_t i;

	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	gate = suite_device("g:g:2", DEVICE_PROVISIONED);
	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		device = suite_behind(names[i][0], names[i][1]);
		if (i == 5) {
			device.state = DEVICE_ALLOWED;
		}
		suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	}
}

static void
the_devices_of_a_gateway_come_in_pages(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct identity gate = suite_identity("g:g:1"), after;
	struct device_query query;
	struct device_type type;
	struct diag why;
	const char *said;
	int64_t count;
	size_t i;

	add_behind(registry);
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		char line[256] = "";

		query = (struct device_query){.org = ORG_DEFAULT,
		    .gateway = &gate,
		    .has_state = pages[i].state >= 0,
		    .limit = pages[i].limit};
		if (query.has_state) {
			query.state = (enum device_state)pages[i].state;
		}
		if (pages[i].type != NULL) {
			assert_int_equal(
			    device_type_parse(pages[i].type, 3, &type, &said),
			    RES_OK);
			query.type = &type;
		}
		if (pages[i].after != NULL) {
			after = suite_identity(pages[i].after);
			query.after = &after;
		}
		assert_int_equal(
		    registry_scan(registry, &query, note, line, &why), RES_OK);
		assert_string_equal(line, pages[i].want);
		assert_int_equal(
		    registry_count(registry, &query, &count, &why), RES_OK);
		assert_int_equal(count, pages[i].count);
	}
}

/* seen, state -1: any. */
static const struct {
	int seen;
	bool locked;
	const char *type, *gateway, *after;
	int state;
	int64_t limit;
	const char *want;
	int64_t count;
} picks[] = {
    {3, false, NULL, NULL, NULL, -1, 0, "d:a:1 d:m:1 d:m:3 ", 3},
    {3, false, NULL, NULL, NULL, -1, 2, "d:a:1 d:m:1 ", 3},
    {3, false, "d:m", NULL, NULL, -1, 0, "d:m:1 d:m:3 ", 2},
    {3, false, "d:m", NULL, "d:m:1", -1, 0, "d:m:3 ", 2},
    {3, false, NULL, "g:g:1", NULL, -1, 0, "d:a:1 d:m:1 ", 2},
    {0, false, NULL, NULL, NULL, -1, 0, "d:m:5 g:g:1 g:g:2 ", 3},
    {0, false, NULL, NULL, NULL, DEVICE_ALLOWED, 0, "", 0},
    {5, false, NULL, NULL, NULL, DEVICE_ALLOWED, 0, "d:m:2 ", 1},
    {7, false, NULL, NULL, NULL, -1, 0, "", 0},
    {-1, true, NULL, NULL, NULL, -1, 0, "d:m:2 d:m:3 ", 2},
    {-1, true, NULL, NULL, "d:m:2", -1, 0, "d:m:3 ", 2},
    {-1, true, NULL, "g:g:1", NULL, -1, 0, "d:m:2 ", 1},
    {-1, true, NULL, NULL, NULL, DEVICE_PROVISIONED, 0, "d:m:3 ", 1},
    {5, true, NULL, NULL, NULL, -1, 0, "d:m:2 ", 1},
    {-1, true, "d:a", NULL, NULL, -1, 0, "", 0},
};

static void
see(struct registry *registry, const char *name, unsigned with, bool locked)
{
	struct device device = suite_device(name, DEVICE_PROVISIONED);

	device.seen_with = with;
	device.last_seen_at = NOW;
	assert_int_equal(
	    suite_apply(registry, CHANGE_DEVICE_SEEN, &device), RES_OK);
	device.locked = locked;
	suite_expect(registry, CHANGE_DEVICE_LOCK, &device,
	    locked ? RES_OK : RES_EXISTS);
}

static void
pick(struct registry *registry, size_t i)
{
	struct device_query query = {.org = ORG_DEFAULT,
	    .has_seen_with = picks[i].seen >= 0,
	    .is_locked = picks[i].locked,
	    .has_state = picks[i].state >= 0,
	    .limit = picks[i].limit};
	struct identity gate, after;
	struct device_type type;
	char line[256] = "";
	struct diag why;
	const char *said;
	int64_t count;

	query.seen_with = query.has_seen_with ? (unsigned)picks[i].seen : 0;
	query.state = query.has_state ? (enum device_state)picks[i].state : 0;
	if (picks[i].type != NULL) {
		assert_int_equal(
		    device_type_parse(picks[i].type, 3, &type, &said), RES_OK);
		query.type = &type;
	}
	if (picks[i].gateway != NULL) {
		gate = suite_identity(picks[i].gateway);
		query.gateway = &gate;
	}
	if (picks[i].after != NULL) {
		after = suite_identity(picks[i].after);
		query.after = &after;
	}
	assert_int_equal(
	    registry_scan(registry, &query, note, line, &why), RES_OK);
	assert_string_equal(line, picks[i].want);
	assert_int_equal(
	    registry_count(registry, &query, &count, &why), RES_OK);
	assert_int_equal(count, picks[i].count);
}

static void
devices_are_picked_by_lock_and_by_how_they_connected(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	size_t i;

	add_behind(registry);
	see(registry, "d:a:1", 3, false);
	see(registry, "d:m:1", 3, false);
	see(registry, "d:m:2", 5, true);
	see(registry, "d:m:3", 3, true);
	see(registry, "d:m:4", 1, false);
	for (i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
		pick(registry, i);
	}
}

/* Names, pins of one letter each, of which a capital one waits, and the end of
 * the window. */
static const struct {
	const char *name, *pins;
	enum device_state state;
	int64_t window_ends_at;
} waiters[] = {
    {"d:a:1", "aB", DEVICE_PROVISIONED, CLOCK_FOREVER},
    {"d:m:1", "ab", DEVICE_PROVISIONED, NOW - 1},
    {"d:m:2", "A", DEVICE_ALLOWED, NOW - 1},
    {"d:m:3", "", DEVICE_ALLOWED, NOW},
    {"d:m:4", "a", DEVICE_ALLOWED, NOW + 1},
    {"d:m:5", "", DEVICE_ALLOWED, CLOCK_FOREVER},
    {"d:m:6", "abC", DEVICE_PENDING, NOW - 1},
};

static const struct {
	struct device_query query;
	const char *type;
	const char *want;
	int64_t count;
} waits[] = {
    {{.is_waiting = true}, NULL, "d:a:1 d:m:2 d:m:6 ", 3},
    {{.is_waiting = true, .limit = 2}, NULL, "d:a:1 d:m:2 ", 3},
    {{.is_waiting = true}, "d:m", "d:m:2 d:m:6 ", 2},
    {{.is_waiting = true, .has_state = true, .state = DEVICE_PROVISIONED}, NULL,
        "d:a:1 ", 1},
    {{.is_waiting = true, .is_locked = true}, NULL, "d:m:6 ", 1},
    {{.is_waiting = true, .has_seen_with = true, .seen_with = 7}, NULL, "", 0},
    {{.is_lapsed = true, .now = NOW}, NULL, "d:m:2 d:m:3 ", 2},
    {{.is_lapsed = true, .now = NOW, .limit = 1}, NULL, "d:m:2 ", 2},
    {{.is_lapsed = true, .now = NOW + 1}, "d:m", "d:m:2 d:m:3 d:m:4 ", 3},
    {{.is_lapsed = true, .now = NOW - 2}, NULL, "", 0},
    {{.is_lapsed = true, .now = NOW}, "d:a", "", 0},
    {{.is_lapsed = true, .is_waiting = true, .now = NOW}, NULL, "d:m:2 ", 1},
    {{.is_lapsed = true, .is_locked = true, .now = NOW}, NULL, "", 0},
};

static void
add_waiters(struct registry *registry)
{
	struct device device;
	size_t i, k;

	for (i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++) {
		device = suite_device(waiters[i].name, waiters[i].state);
		device.window_ends_at = waiters[i].window_ends_at;
		device.locked = i == 6;
		device.pins.count = strlen(waiters[i].pins);
		for (k = 0; k < device.pins.count; k++) {
			device.pins.list[k] = (struct pin){
			    .fingerprint = {(uint8_t)waiters[i].pins[k]},
			    .not_before = CLOCK_NONE,
			    .added_at = NOW,
			    .ends_at = CLOCK_FOREVER,
			    .waits = waiters[i].pins[k] < 'a',
			};
		}
		suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	}
}

static void
what_waits_and_what_has_lapsed_is_found(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device_query query;
	struct device_type type;
	const char *said;
	struct diag why;
	int64_t count;
	size_t i;

	add_waiters(registry);
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		char line[256] = "";

		query = waits[i].query;
		query.org = ORG_DEFAULT;
		if (waits[i].type != NULL) {
			assert_int_equal(
			    device_type_parse(waits[i].type, 3, &type, &said),
			    RES_OK);
			query.type = &type;
		}
		assert_int_equal(
		    registry_scan(registry, &query, note, line, &why), RES_OK);
		assert_string_equal(line, waits[i].want);
		assert_int_equal(
		    registry_count(registry, &query, &count, &why), RES_OK);
		assert_int_equal(count, waits[i].count);
	}
}

/* What the operator set, what the connection brings, what comes of it.
 * Gateways NULL: none. */
static const struct {
	const char *set_pins, *set_gateway, *brings_pins, *brings_gateway;
	enum res want;
	const char *pins, *gateway;
} promotions[] = {
    {"", NULL, "", NULL, RES_OK, "", NULL},
    {"", NULL, "x", NULL, RES_OK, "x", NULL},
    {"a", NULL, "", NULL, RES_OK, "a", NULL},
    {"a", NULL, "x", NULL, RES_OK, "x", NULL},
    {"a", NULL, "", "g:g:1", RES_OK, "a", "g:g:1"},
    {"", "g:g:1", "", NULL, RES_OK, "", "g:g:1"},
    {"", "g:g:1", "x", "g:g:1", RES_OK, "x", "g:g:1"},
    {"a", "g:g:1", "x", "g:g:2", RES_REFUSED, "a", "g:g:1"},
    {"a", NULL, "x", "g:g:9", RES_REFUSED, "a", NULL},
    {"a", "g:g:1", "x", "g:g:9", RES_REFUSED, "a", "g:g:1"},
};

static void
check_promotion(struct registry *registry, size_t i)
{
	struct device allowed =
	                  suite_behind("d:m:1", promotions[i].set_gateway),
	              seen =
	                  suite_behind("d:m:1", promotions[i].brings_gateway),
	              back;
	struct pins pins = suite_pins(promotions[i].pins);
	struct identity gateway;

	allowed.state = DEVICE_ALLOWED;
	allowed.pins = suite_pins(promotions[i].set_pins);
	allowed.token = token(3);
	seen.pins = suite_pins(promotions[i].brings_pins);
	seen.seen_with = SEEN_TLS | SEEN_CERT;
	suite_expect(registry, CHANGE_DEVICE_ADD, &allowed, RES_OK);
	suite_expect(
	    registry, CHANGE_DEVICE_PROVISION, &seen, promotions[i].want);
	back = suite_get(registry, "d:m:1");
	assert_int_equal(back.state,
	    promotions[i].want == RES_OK ? DEVICE_PROVISIONED : DEVICE_ALLOWED);
	assert_int_equal(back.seen_with,
	    promotions[i].want == RES_OK ? SEEN_TLS | SEEN_CERT : 0);
	assert_true(pins_equal(&back.pins, &pins));
	assert_true(token_hash_equal(&back.token, &allowed.token));
	assert_int_equal(back.has_gateway, promotions[i].gateway != NULL);
	if (promotions[i].gateway != NULL) {
		gateway = suite_identity(promotions[i].gateway);
		assert_true(identity_equal(&back.gateway, &gateway));
	}
	device_done(&back);
	suite_expect(registry, CHANGE_DEVICE_REMOVE, &allowed, RES_OK);
}

static void
promotion_keeps_what_the_operator_set(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device gate = suite_device("g:g:1", DEVICE_PROVISIONED);
	size_t i;

	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	gate = suite_device("g:g:2", DEVICE_PROVISIONED);
	suite_expect(registry, CHANGE_DEVICE_ADD, &gate, RES_OK);
	for (i = 0; i < sizeof(promotions) / sizeof(promotions[0]); i++) {
		check_promotion(registry, i);
	}
}

static void
being_seen_says_with_what(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_PROVISIONED), back;
	unsigned with;

	suite_expect(registry, CHANGE_DEVICE_ADD, &device, RES_OK);
	for (with = 0; with <= SEEN_MAX; with++) {
		device.seen_with = with;
		device.last_seen_at = NOW + (int64_t)with;
		assert_int_equal(
		    suite_apply(registry, CHANGE_DEVICE_SEEN, &device), RES_OK);
		back = suite_get(registry, "d:m:1");
		assert_int_equal(back.seen_with, with);
		device_done(&back);
	}
}

int
suite_fact_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(what_would_not_read_back_is_refused),
	    SUITE_TEST(facts_read_back),
	    SUITE_TEST(a_token_is_set_replaced_and_taken_away),
	    SUITE_TEST(pins_are_compared_and_set),
	    SUITE_TEST(devices_are_attached_to_gateways_that_are_there),
	    SUITE_TEST(a_gateway_that_goes_leaves_its_devices),
	    SUITE_TEST(the_devices_of_a_gateway_come_in_pages),
	    SUITE_TEST(promotion_keeps_what_the_operator_set),
	    SUITE_TEST(being_seen_says_with_what),
	    SUITE_TEST(devices_are_picked_by_lock_and_by_how_they_connected),
	    SUITE_TEST(what_waits_and_what_has_lapsed_is_found),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
