/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The steps device and registry: addresses, quotas, rates, pins; and devices
 * that a gateway publishes for. */
#include "policy/decide.h"

#include "test/support/cmocka_all.h"

/* A case overrides fields of the client that it starts from. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW      1795269600
#define TYPE_MAX 5
#define ORG_MAX  100

/* The types of the policy below. */
#define METER  "meter"  /* nothing is said about it */
#define SITE   "site"   /* from 10.0.0.0/8 alone */
#define ISLE   "isle"   /* from nowhere */
#define FEW    "few"    /* at most TYPE_MAX */
#define ASKS   "asks"   /* approve; as SITE and FEW; pins are first */
#define FIRST  "first"  /* pins: first, same-key */
#define LISTED "listed" /* pins: listed, approve */
#define CLOSED "closed" /* enrolment listed; as SITE and FEW; pins listed */
#define MAC    "mac"    /* ids are MAC addresses */

static struct cidr net = {.bytes = {10}, .bits = 8};

static struct type_policy types[] = {
    {.type = {'d', SITE},
        .pin = PIN_NONE,
        .has_addresses = true,
        .addresses = &net,
        .address_count = 1},
    {.type = {'d', ISLE}, .pin = PIN_NONE, .has_addresses = true},
    {.type = {'d', FEW}, .pin = PIN_NONE, .max_devices = TYPE_MAX},
    {.type = {'d', ASKS},
        .pin = PIN_FIRST,
        .has_enrolment = true,
        .enrolment = ENROL_APPROVE,
        .max_devices = TYPE_MAX,
        .has_addresses = true,
        .addresses = &net,
        .address_count = 1},
    {.type = {'d', FIRST},
        .pin = PIN_FIRST,
        .rotation = ROTATE_SAME_KEY,
        .overlap = 10},
    {.type = {'d', LISTED}, .pin = PIN_LISTED, .rotation = ROTATE_APPROVE},
    {.type = {'d', CLOSED},
        .pin = PIN_LISTED,
        .has_enrolment = true,
        .enrolment = ENROL_LISTED,
        .max_devices = TYPE_MAX,
        .has_addresses = true,
        .addresses = &net,
        .address_count = 1},
    {.type = {'d', MAC}, .pin = PIN_NONE, .id_rule = {.kind = ID_MAC_COLON}},
};

static struct policy policy = {.org = "plant",
    .level = LEVEL_CERT_OR_TOKEN,
    .enrolment = ENROL_AUTO,
    .max_devices = ORG_MAX,
    .types = types,
    .type_count = COUNT(types)};

static int
make_policy(void **state)
{
	(void)state;
	policy_sort(&policy);
	return client_template_parse(CLIENT_TEMPLATE_DEFAULT,
	           &policy.client_template, NULL) == RES_OK
	    ? 0
	    : -1;
}

/* Certificates A and B have one key, C has another. */
#define HASH(byte)                                                             \
	{                                                                      \
		[0] = byte, [31] = byte                                        \
	}
#define PIN(print, key_byte, end)                                              \
	{                                                                      \
		.fingerprint = HASH(print), .has_key = true, .has_ca = true,   \
		.key = HASH(key_byte), .ca = HASH(9), .not_before = 1,         \
		.ends_at = end                                                 \
	}
#define A        PIN(1, 1, CLOCK_FOREVER)
#define B        PIN(2, 1, CLOCK_FOREVER)
#define C        PIN(3, 3, CLOCK_FOREVER)
#define A_LAPSED PIN(1, 1, NOW)
#define ONE(pin)                                                               \
	{                                                                      \
		.count = 1, .list = { pin }                                    \
	}
#define BARE_A                                                                 \
	{                                                                      \
		.count = 1, .list = {                                          \
			{.fingerprint = HASH(1),                               \
			    .not_before = CLOCK_NONE,                          \
			    .ends_at = CLOCK_FOREVER}                          \
		}                                                              \
	}
#define A_AND_C_WAITS                                                          \
	{                                                                      \
		.count = 2, .list = {                                          \
			A,                                                     \
			{.fingerprint = HASH(3),                               \
			    .has_key = true,                                   \
			    .has_ca = true,                                    \
			    .key = HASH(3),                                    \
			    .ca = HASH(9),                                     \
			    .not_before = 1,                                   \
			    .ends_at = CLOCK_FOREVER,                          \
			    .waits = true}                                     \
		}                                                              \
	}

/* A client in good order that presents A; see WHO for its type. */
#define COMMON                                                                 \
	.names_device = true, .client_id = "", .tls = true,                    \
	.has_certificate = true, .certificate = REASON_NONE, .in_scope = true, \
	.identity = REASON_NONE, .can_record = true, .now = NOW,               \
	.clock_is_set = true, .window_ends_at = NOW + 1, .presented = A,       \
	.address = "10.0.0.7", .counted = true, .within_rate = true,           \
	.who = {{'d', METER}, "1"}
#define NEW   COMMON, .sight = SIGHT_FIRST
#define ADDED COMMON, .sight = SIGHT_ALLOWED
#define KNOWN COMMON, .sight = SIGHT_KNOWN
#define TOKEN                                                                  \
	COMMON, .has_certificate = false, .certificate = 0,                    \
	        .token = TOKEN_RIGHT, .presented = {.not_before = 0}
#define WHO(type, id) .who = {{'d', type}, id}

/* What the pins of the verdict are: as before, A alone, B after A, C that waits
 * beside A, A with all that is known of it. */
enum after { SAME, TAKEN_A, ROTATED, WAITING, FILLED };

static const struct device_case {
	const char *name;
	struct facts facts;
	enum reason want;
	enum action action;
	enum after after;
} cases[] = {
    /* Addresses. */
    {"at home", {NEW, WHO(SITE, "1")}, REASON_PROVISIONED, ACTION_PROVISION,
        SAME},
    {"mapped", {NEW, WHO(SITE, "1"), .address = "::ffff:10.0.0.7"},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"from elsewhere", {NEW, WHO(SITE, "1"), .address = "11.0.0.7"},
        REASON_ADDRESS, 0, SAME},
    {"from nobody knows where", {NEW, WHO(SITE, "1"), .address = NULL},
        REASON_ADDRESS, 0, SAME},
    {"no address", {NEW, WHO(SITE, "1"), .address = "10"}, REASON_ADDRESS, 0,
        SAME},
    {"from nowhere", {NEW, WHO(ISLE, "1")}, REASON_ADDRESS, 0, SAME},
    {"added, from elsewhere", {ADDED, WHO(SITE, "1"), .address = "11.0.0.7"},
        REASON_ADDRESS, 0, SAME},
    {"added, with a token, from elsewhere",
        {TOKEN, .sight = SIGHT_ALLOWED, WHO(SITE, "1"), .address = "::1"},
        REASON_ADDRESS, 0, SAME},
    {"known, from elsewhere", {KNOWN, WHO(SITE, "1"), .address = "11.0.0.7"},
        REASON_KNOWN, 0, SAME},
    {"another type, from elsewhere", {NEW, .address = NULL}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},

    /* Quotas. */
    {"the last of its type", {NEW, WHO(FEW, "1"), .type_devices = TYPE_MAX - 1},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"one too many", {NEW, WHO(FEW, "1"), .type_devices = TYPE_MAX},
        REASON_QUOTA, 0, SAME},
    {"many too many", {NEW, WHO(FEW, "1"), .type_devices = INT64_MAX},
        REASON_QUOTA, 0, SAME},
    {"the last of the org", {NEW, .org_devices = ORG_MAX - 1},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"one too many in the org", {NEW, .org_devices = ORG_MAX}, REASON_QUOTA, 0,
        SAME},
    {"the org is full, not the type",
        {NEW, WHO(FEW, "1"), .org_devices = ORG_MAX}, REASON_QUOTA, 0, SAME},
    {"other types are full", {NEW, .type_devices = TYPE_MAX},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"not counted", {NEW, .counted = false}, REASON_REGISTRY_ERROR, 0, SAME},
    {"added, and full", {ADDED, .org_devices = ORG_MAX}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},
    {"added, and not counted", {ADDED, .counted = false}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},
    {"known, and full", {KNOWN, .org_devices = ORG_MAX + 1, .counted = false},
        REASON_KNOWN, 0, SAME},

    /* Rates. */
    {"too fast", {NEW, .within_rate = false}, REASON_RATE, 0, SAME},
    {"added, too fast", {ADDED, .within_rate = false}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},
    {"known, too fast", {KNOWN, .within_rate = false}, REASON_KNOWN, 0, SAME},

    /* Pins of a new one. */
    {"first", {NEW, WHO(FIRST, "1")}, REASON_PROVISIONED, ACTION_PROVISION,
        TAKEN_A},
    {"first, busy", {NEW, WHO(FIRST, "1"), .can_record = false},
        REASON_REGISTRY_BUSY, 0, SAME},
    {"listed, and first seen", {NEW, WHO(LISTED, "1")}, REASON_PIN_MISMATCH, 0,
        SAME},
    {"approve takes the first along", {NEW, WHO(ASKS, "1")},
        REASON_DEVICE_PENDING, ACTION_PEND, TAKEN_A},
    {"approve, busy", {NEW, WHO(ASKS, "1"), .can_record = false},
        REASON_REGISTRY_BUSY, 0, SAME},

    /* Approve writes nothing for those that quotas keep out. */
    {"approve, from elsewhere", {NEW, WHO(ASKS, "1"), .address = "11.0.0.7"},
        REASON_ADDRESS, 0, SAME},
    {"approve, full", {NEW, WHO(ASKS, "1"), .type_devices = TYPE_MAX},
        REASON_QUOTA, 0, SAME},
    {"approve, not counted", {NEW, WHO(ASKS, "1"), .counted = false},
        REASON_REGISTRY_ERROR, 0, SAME},
    {"approve, too fast", {NEW, WHO(ASKS, "1"), .within_rate = false},
        REASON_RATE, 0, SAME},

    /* The order of reasons. */
    {"mode before address",
        {NEW, WHO(CLOSED, "1"), .address = NULL, .type_devices = TYPE_MAX,
            .within_rate = false},
        REASON_DEVICE_UNLISTED, 0, SAME},
    {"window before address",
        {ADDED, WHO(CLOSED, "1"), .address = NULL, .window_ends_at = NOW},
        REASON_WINDOW_EXPIRED, 0, SAME},
    {"mode before clock",
        {NEW, WHO(CLOSED, "1"), .clock_is_set = false, .address = NULL},
        REASON_DEVICE_UNLISTED, 0, SAME},
    {"mode before case", {NEW, WHO(CLOSED, "1"), .sight = SIGHT_CASE},
        REASON_DEVICE_UNLISTED, 0, SAME},
    {"mode before id-format",
        {NEW, WHO(MAC, "x"), .has_ca_enrolment = true,
            .ca_enrolment = ENROL_LISTED},
        REASON_DEVICE_UNLISTED, 0, SAME},
    {"window before id-format", {ADDED, WHO(MAC, "x"), .window_ends_at = NOW},
        REASON_WINDOW_EXPIRED, 0, SAME},
    {"window before clock",
        {ADDED, .clock_is_set = false, .window_ends_at = NOW},
        REASON_WINDOW_EXPIRED, 0, SAME},
    {"id-format before case and quota",
        {NEW, WHO(MAC, "x"), .sight = SIGHT_CASE, .org_devices = ORG_MAX},
        REASON_ID_FORMAT, 0, SAME},
    {"approve, case", {NEW, WHO(ASKS, "1"), .sight = SIGHT_CASE},
        REASON_IDENTITY_CASE, 0, SAME},
    {"approve, id-format",
        {NEW, WHO(MAC, "x"), .has_ca_enrolment = true,
            .ca_enrolment = ENROL_APPROVE},
        REASON_ID_FORMAT, 0, SAME},
    {"case before address",
        {NEW, WHO(SITE, "1"), .sight = SIGHT_CASE, .address = NULL},
        REASON_IDENTITY_CASE, 0, SAME},
    {"pins before clock", {NEW, WHO(LISTED, "1"), .clock_is_set = false},
        REASON_PIN_MISMATCH, 0, SAME},
    {"clock last", {NEW, WHO(FIRST, "1"), .clock_is_set = false},
        REASON_CLOCK_UNSET, 0, SAME},
    {"clock before busy", {NEW, .clock_is_set = false, .can_record = false},
        REASON_CLOCK_UNSET, 0, SAME},
    {"approve, clock", {NEW, WHO(ASKS, "1"), .clock_is_set = false},
        REASON_CLOCK_UNSET, 0, SAME},
    {"added, another asks, clock",
        {ADDED, WHO(LISTED, "1"), .pins = ONE(A), .presented = C,
            .clock_is_set = false},
        REASON_CLOCK_UNSET, 0, SAME},
    {"known, another asks, clock",
        {KNOWN, WHO(LISTED, "1"), .pins = ONE(A), .presented = C,
            .clock_is_set = false},
        REASON_DEVICE_PENDING, ACTION_PINS, WAITING},
    {"case before quota",
        {NEW, .sight = SIGHT_CASE, .org_devices = ORG_MAX, .counted = false},
        REASON_IDENTITY_CASE, 0, SAME},
    {"address before quota",
        {NEW, WHO(ASKS, "1"), .address = NULL, .type_devices = TYPE_MAX,
            .within_rate = false},
        REASON_ADDRESS, 0, SAME},
    {"quota before rate", {NEW, .org_devices = ORG_MAX, .within_rate = false},
        REASON_QUOTA, 0, SAME},
    {"rate before pins", {NEW, WHO(LISTED, "1"), .within_rate = false},
        REASON_RATE, 0, SAME},
    {"address before pins", {ADDED, WHO(CLOSED, "1"), .address = NULL},
        REASON_ADDRESS, 0, SAME},
    {"locked before pins", {KNOWN, WHO(LISTED, "1"), .locked = true},
        REASON_DEVICE_LOCKED, 0, SAME},
    {"pins before busy", {NEW, WHO(LISTED, "1"), .can_record = false},
        REASON_PIN_MISMATCH, 0, SAME},

    /* Pins of one that was added. */
    {"added, listed", {ADDED, WHO(LISTED, "1"), .pins = ONE(A)},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"added, listed by fingerprint", {ADDED, WHO(LISTED, "1"), .pins = BARE_A},
        REASON_PROVISIONED, ACTION_PROVISION, FILLED},
    {"added, none listed", {ADDED, WHO(LISTED, "1")}, REASON_PIN_MISMATCH, 0,
        SAME},
    {"added, first", {ADDED, WHO(FIRST, "1")}, REASON_PROVISIONED,
        ACTION_PROVISION, TAKEN_A},
    {"added, another, same key",
        {ADDED, WHO(FIRST, "1"), .pins = ONE(A), .presented = B},
        REASON_PROVISIONED, ACTION_PROVISION, ROTATED},
    {"added, another", {ADDED, WHO(FIRST, "1"), .pins = ONE(A), .presented = C},
        REASON_PIN_MISMATCH, 0, SAME},
    {"added, another asks",
        {ADDED, WHO(LISTED, "1"), .pins = ONE(A), .presented = C},
        REASON_DEVICE_PENDING, ACTION_PINS, WAITING},
    {"added, pins in a type without", {ADDED, .pins = ONE(A), .presented = C},
        REASON_PIN_MISMATCH, 0, SAME},
    {"added, busy", {ADDED, WHO(FIRST, "1"), .can_record = false},
        REASON_REGISTRY_BUSY, 0, SAME},
    {"added, with a token alone",
        {TOKEN, .sight = SIGHT_ALLOWED, WHO(LISTED, "1"), .pins = ONE(A)},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"added, with a token alone, first",
        {TOKEN, .sight = SIGHT_ALLOWED, WHO(FIRST, "1")}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},
    {"added, with a token alone, late",
        {TOKEN, .sight = SIGHT_ALLOWED, .window_ends_at = NOW},
        REASON_WINDOW_EXPIRED, 0, SAME},
    {"added, with a wrong token alone",
        {TOKEN, .sight = SIGHT_ALLOWED, .token = TOKEN_WRONG},
        REASON_TOKEN_WRONG, 0, SAME},

    /* Pins of a known one. */
    {"known, none", {KNOWN}, REASON_KNOWN, 0, SAME},
    {"known, held", {KNOWN, WHO(LISTED, "1"), .pins = ONE(A)}, REASON_KNOWN, 0,
        SAME},
    {"known, held in a type without", {KNOWN, .pins = ONE(A)}, REASON_KNOWN, 0,
        SAME},
    {"known, more is known", {KNOWN, WHO(LISTED, "1"), .pins = BARE_A},
        REASON_KNOWN, ACTION_PINS, FILLED},
    {"known, more is known, busy",
        {KNOWN, WHO(LISTED, "1"), .pins = BARE_A, .can_record = false},
        REASON_KNOWN, 0, SAME},
    {"known, first from now on", {KNOWN, WHO(FIRST, "1")}, REASON_KNOWN,
        ACTION_PINS, TAKEN_A},
    {"known, first, busy", {KNOWN, WHO(FIRST, "1"), .can_record = false},
        REASON_REGISTRY_BUSY, 0, SAME},
    {"known, listed and none", {KNOWN, WHO(LISTED, "1")}, REASON_PIN_MISMATCH,
        0, SAME},
    {"known, another", {KNOWN, .pins = ONE(A), .presented = B},
        REASON_PIN_MISMATCH, 0, SAME},
    {"known, lapsed", {KNOWN, WHO(FIRST, "1"), .pins = ONE(A_LAPSED)},
        REASON_PIN_MISMATCH, 0, SAME},
    {"known, lapsed, asks not",
        {KNOWN, WHO(LISTED, "1"), .pins = ONE(A_LAPSED)}, REASON_PIN_MISMATCH,
        0, SAME},
    {"known, same key",
        {KNOWN, WHO(FIRST, "1"), .pins = ONE(A), .presented = B}, REASON_KNOWN,
        ACTION_PINS, ROTATED},
    {"known, same key, busy",
        {KNOWN, WHO(FIRST, "1"), .pins = ONE(A), .presented = B,
            .can_record = false},
        REASON_REGISTRY_BUSY, 0, SAME},
    {"known, another key",
        {KNOWN, WHO(FIRST, "1"), .pins = ONE(A), .presented = C},
        REASON_PIN_MISMATCH, 0, SAME},
    {"known, another asks",
        {KNOWN, WHO(LISTED, "1"), .pins = ONE(A), .presented = C},
        REASON_DEVICE_PENDING, ACTION_PINS, WAITING},
    {"known, another asks, busy",
        {KNOWN, WHO(LISTED, "1"), .pins = ONE(A), .presented = C,
            .can_record = false},
        REASON_DEVICE_PENDING, 0, SAME},
    {"known, another asks again",
        {KNOWN, WHO(LISTED, "1"), .pins = A_AND_C_WAITS, .presented = C},
        REASON_DEVICE_PENDING, 0, SAME},
    {"known, nothing presented",
        {KNOWN, WHO(FIRST, "1"), .pins = ONE(A), .presented = {.ends_at = 0}},
        REASON_PIN_MISMATCH, 0, SAME},
    {"known, with a token alone",
        {TOKEN, .sight = SIGHT_KNOWN, WHO(LISTED, "1"), .pins = ONE(C)},
        REASON_KNOWN, 0, SAME},
    {"known, with a token alone, none listed",
        {TOKEN, .sight = SIGHT_KNOWN, WHO(LISTED, "1")}, REASON_KNOWN, 0, SAME},
    {"known, with both",
        {KNOWN, .token = TOKEN_RIGHT, WHO(LISTED, "1"), .pins = ONE(C)},
        REASON_DEVICE_PENDING, ACTION_PINS, SAME},
    {"from disk", {KNOWN, WHO(LISTED, "1"), .pins_unknowable = true},
        REASON_KNOWN, 0, SAME},
    {"pending, whatever it presents",
        {KNOWN, WHO(LISTED, "1"), .sight = SIGHT_PENDING, .pins = ONE(C)},
        REASON_DEVICE_PENDING, 0, SAME},
    {"could not look", {KNOWN, .sight = SIGHT_FAILED}, REASON_REGISTRY_ERROR, 0,
        SAME},
};

static void
make_pins(const struct facts *facts, enum after after, struct pins *out)
{
	static const struct pin a = A, b = B, c = C;

	*out = facts->pins;
	switch (after) {
	case SAME:
		break;
	case TAKEN_A:
	case FILLED:
		out->count = 1;
		out->list[0] = a;
		out->list[0].added_at = after == FILLED ? 0 : NOW;
		break;
	case ROTATED:
		out->count = 2;
		out->list[0].ends_at = NOW + 10;
		out->list[1] = b;
		out->list[1].added_at = NOW;
		break;
	case WAITING:
		out->count = 2;
		out->list[1] = c;
		out->list[1].added_at = NOW;
		out->list[1].waits = true;
		break;
	}
}

static void
check_verdict(const struct device_case *one, const struct verdict *verdict)
{
	struct pins want;

	if (verdict->reason != one->want) {
		fail_msg("%s: %s", one->name, reason_id(verdict->reason));
	}
	if (verdict->action != one->action) {
		fail_msg("%s: action %d", one->name, verdict->action);
	}
	/* "known, with both" has A wait beside C, which no case names. */
	if (strcmp(one->name, "known, with both") != 0) {
		make_pins(&one->facts, one->after, &want);
		if (!pins_equal(&verdict->pins, &want)) {
			fail_msg("%s: pins", one->name);
		}
	}
}

static void
facts_give_a_verdict(void **state)
{
	char right[IDENTITY_TEXT_MAX + 1];
	struct verdict verdict;
	struct trace trace;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct facts facts = cases[i].facts;

		identity_format(&facts.who, right);
		facts.client_id = right;
		memset(&verdict, 'z', sizeof(verdict));
		policy_decide(&policy, &facts, &verdict, &trace);
		check_verdict(&cases[i], &verdict);
		policy_decide(&policy, &facts, &verdict, NULL);
		check_verdict(&cases[i], &verdict);
		/* A refusal tells why, and the step is one of the last. */
		if (!reason_admits(verdict.reason) &&
		    verdict.reason != REASON_TOKEN_WRONG) {
			assert_true(trace.steps[6].result == STEP_FAIL ||
			    trace.steps[7].result == STEP_FAIL);
		}
	}
}

/* Behind a gateway there is neither certificate nor client id. */
#define HIDDEN                                                                 \
	.can_record = true, .now = NOW, .clock_is_set = true,                  \
	.window_ends_at = NOW + 1, .counted = true, .within_rate = true,       \
	.address = "10.0.0.7", .who = {{'d', METER}, "1"},                     \
	.sight = SIGHT_FIRST

static const struct device_case behind[] = {
    {"first", {HIDDEN}, REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"known", {HIDDEN, .sight = SIGHT_KNOWN}, REASON_KNOWN, 0, SAME},
    {"added", {HIDDEN, .sight = SIGHT_ALLOWED}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},
    {"added, with pins",
        {HIDDEN, .sight = SIGHT_ALLOWED, WHO(LISTED, "1"), .pins = ONE(A)},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"pins are not asked for", {HIDDEN, WHO(LISTED, "1")}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},
    {"nor taken up", {HIDDEN, WHO(FIRST, "1"), .presented = A},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
    {"nor is a certificate",
        {HIDDEN, .has_certificate = true, WHO(LISTED, "1")}, REASON_PROVISIONED,
        ACTION_PROVISION, SAME},
    {"locked", {HIDDEN, .sight = SIGHT_KNOWN, .locked = true},
        REASON_DEVICE_LOCKED, 0, SAME},
    {"pending", {HIDDEN, .sight = SIGHT_PENDING}, REASON_DEVICE_PENDING, 0,
        SAME},
    {"case", {HIDDEN, .sight = SIGHT_CASE}, REASON_IDENTITY_CASE, 0, SAME},
    {"could not look", {HIDDEN, .sight = SIGHT_FAILED}, REASON_REGISTRY_ERROR,
        0, SAME},
    {"late", {HIDDEN, .sight = SIGHT_ALLOWED, .window_ends_at = NOW},
        REASON_WINDOW_EXPIRED, 0, SAME},
    {"listed", {HIDDEN, WHO(CLOSED, "1")}, REASON_DEVICE_UNLISTED, 0, SAME},
    {"approve", {HIDDEN, WHO(ASKS, "1")}, REASON_DEVICE_PENDING, ACTION_PEND,
        SAME},
    {"the CA lists",
        {HIDDEN, .has_ca_enrolment = true, .ca_enrolment = ENROL_LISTED},
        REASON_DEVICE_UNLISTED, 0, SAME},
    {"the CA asks",
        {HIDDEN, .has_ca_enrolment = true, .ca_enrolment = ENROL_APPROVE},
        REASON_DEVICE_PENDING, ACTION_PEND, SAME},
    {"the gateway from elsewhere",
        {HIDDEN, WHO(SITE, "1"), .address = "1.1.1.1"}, REASON_ADDRESS, 0,
        SAME},
    {"full", {HIDDEN, WHO(FEW, "1"), .type_devices = TYPE_MAX}, REASON_QUOTA, 0,
        SAME},
    {"not counted", {HIDDEN, .counted = false}, REASON_REGISTRY_ERROR, 0, SAME},
    {"too fast", {HIDDEN, .within_rate = false}, REASON_RATE, 0, SAME},
    {"busy", {HIDDEN, .can_record = false}, REASON_REGISTRY_BUSY, 0, SAME},
    {"clock", {HIDDEN, .clock_is_set = false}, REASON_CLOCK_UNSET, 0, SAME},
    {"a colon, and nothing said", {HIDDEN, WHO(METER, "a:b")}, REASON_ID_FORMAT,
        0, SAME},
    {"a colon, and no MAC addresses", {HIDDEN, WHO(FEW, "a:b")},
        REASON_ID_FORMAT, 0, SAME},
    {"a colon in a MAC address", {HIDDEN, WHO(MAC, "00:1b:44:11:3a:b7")},
        REASON_PROVISIONED, ACTION_PROVISION, SAME},
};

static void
devices_behind_gateways_get_one_too(void **state)
{
	struct facts zero = {0};
	struct verdict verdict;
	struct trace trace;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(behind); i++) {
		memset(&verdict, 'z', sizeof(verdict));
		policy_decide_behind(
		    &policy, &behind[i].facts, &verdict, &trace);
		check_verdict(&behind[i], &verdict);
		assert_int_equal(trace.count, 2);
		assert_string_equal(trace.steps[0].name, "device");
		assert_string_equal(trace.steps[1].name, "registry");
		policy_decide_behind(&policy, &behind[i].facts, &verdict, NULL);
		check_verdict(&behind[i], &verdict);
	}
	policy_decide_behind(&policy, &zero, &verdict, NULL);
	assert_int_equal(verdict.reason, REASON_REGISTRY_ERROR);
	assert_int_equal(verdict.action, ACTION_NONE);
}

static void
counts_only_where_there_is_a_maximum(void **state)
{
	const struct device_type few = {'d', FEW}, meter = {'d', METER};
	struct facts facts = {NEW, .client_id = "d:meter:1", .counted = false};
	struct policy open = policy;
	struct verdict verdict;

	(void)state;
	assert_true(policy_counts(&policy, &few));
	assert_true(policy_counts(&policy, &meter));
	open.max_devices = 0;
	assert_true(policy_counts(&open, &few));
	assert_false(policy_counts(&open, &meter));
	policy_decide(&open, &facts, &verdict, NULL);
	assert_int_equal(verdict.reason, REASON_PROVISIONED);
}

/* What the trace tells a person. */
static const struct {
	const char *says;
	struct facts facts;
} details[] = {
    {"device approve d:listed:1",
        {KNOWN, WHO(LISTED, "1"), .pins = ONE(A), .presented = C}},
    {"is new, and would wait for approval; once",
        {KNOWN, WHO(LISTED, "1"), .pins = ONE(A), .presented = C}},
    {"is new, and waits for approval; certid device approve d:listed:1",
        {KNOWN, WHO(LISTED, "1"), .pins = A_AND_C_WAITS, .presented = C}},
    {"would wait for approval in the place of 0300000000000000..., which",
        {KNOWN, WHO(LISTED, "1"), .pins = A_AND_C_WAITS, .presented = B}},
    {"mode is approve: it would wait for approval; once it has connected",
        {NEW, WHO(ASKS, "1")}},
    {"waits for approval; certid device approve d:asks:1",
        {COMMON, .sight = SIGHT_PENDING, WHO(ASKS, "1"), .pins = ONE(A)}},
    {"waits for approval; certid device approve d:asks:1",
        {COMMON, .sight = SIGHT_PENDING, WHO(ASKS, "1")}},
    {"waits for approval with another certificate, 0100000000000000...",
        {COMMON, .sight = SIGHT_PENDING, WHO(ASKS, "1"), .pins = ONE(A),
            .presented = B}},
    {"device pin d:first:1",
        {KNOWN, WHO(FIRST, "1"), .pins = ONE(A), .presented = C}},
    {"\"11.0.0.7\"", {NEW, WHO(SITE, "1"), .address = "11.0.0.7"}},
    {"\\x0a", {NEW, WHO(SITE, "1"), .address = "10.0.0.7\n"}},
    {"not known", {NEW, WHO(SITE, "1"), .address = NULL}},
    {"5 devices of this type, and at most 5",
        {NEW, WHO(FEW, "1"), .type_devices = TYPE_MAX}},
    {"100 devices in the org, and at most 100", {NEW, .org_devices = ORG_MAX}},
    {"its rate", {NEW, .within_rate = false}},
    {"could not be found out", {NEW, .counted = false}},
};

static void
details_name_the_values(void **state)
{
	char right[IDENTITY_TEXT_MAX + 1];
	struct verdict verdict;
	struct trace trace;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(details); i++) {
		struct facts facts = details[i].facts;

		identity_format(&facts.who, right);
		facts.client_id = right;
		policy_decide(&policy, &facts, &verdict, &trace);
		assert_int_equal(trace.steps[6].result, STEP_FAIL);
		if (strstr(trace.steps[6].detail, details[i].says) == NULL) {
			fail_msg("%s", trace.steps[6].detail);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_give_a_verdict),
	    cmocka_unit_test(devices_behind_gateways_get_one_too),
	    cmocka_unit_test(counts_only_where_there_is_a_maximum),
	    cmocka_unit_test(details_name_the_values),
	};

	return cmocka_run_group_tests(tests, make_policy, NULL);
}
