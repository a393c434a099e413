/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/decide.h"

#include "test/support/cmocka_all.h"

/* A case overrides fields of the client that it starts from. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW 1795269600

/* The types of the policy below. */
#define METER  "meter"  /* nothing is said about it */
#define AUTO   "auto"   /* declared; enrolment auto */
#define ASKS   "asks"   /* declared; enrolment approve */
#define LISTED "listed" /* declared; enrolment listed */
#define CAM    "cam"    /* declared; ids are MAC addresses */
#define STRICT "strict" /* cert+token */
#define TOKEN  "token"  /* token */
#define EITHER "either" /* cert-or-token */
#define LAX    "lax"    /* tls-optional */
#define RULE   "rule"   /* cert by a rule, but not declared */
#define SERIAL "serial" /* declared; ids are four decimals after SN- */

static struct type_policy types[] = {
    {.type = {'d', AUTO},
        .pin = PIN_NONE,
        .is_declared = true,
        .has_enrolment = true,
        .enrolment = ENROL_AUTO},
    {.type = {'d', ASKS},
        .pin = PIN_NONE,
        .is_declared = true,
        .has_enrolment = true,
        .enrolment = ENROL_APPROVE},
    {.type = {'d', LISTED},
        .pin = PIN_NONE,
        .is_declared = true,
        .has_enrolment = true,
        .enrolment = ENROL_LISTED},
    {.type = {'d', CAM},
        .pin = PIN_NONE,
        .is_declared = true,
        .id_rule = {.kind = ID_MAC_COLON}},
    {.type = {'d', SERIAL},
        .pin = PIN_NONE,
        .is_declared = true,
        .id_rule = {.kind = ID_DECIMAL, .length = 4, .prefix = "SN-"}},
    {.type = {'d', STRICT},
        .pin = PIN_NONE,
        .has_level = true,
        .level = LEVEL_CERT_TOKEN},
    {.type = {'d', TOKEN},
        .pin = PIN_NONE,
        .has_level = true,
        .level = LEVEL_TOKEN},
    {.type = {'d', EITHER},
        .pin = PIN_NONE,
        .has_level = true,
        .level = LEVEL_CERT_OR_TOKEN},
    {.type = {'d', LAX},
        .pin = PIN_NONE,
        .has_level = true,
        .level = LEVEL_TLS_OPTIONAL},
    {.type = {'d', RULE},
        .pin = PIN_NONE,
        .has_level = true,
        .level = LEVEL_CERT},
};

static struct policy policy = {.org = "plant",
    .level = LEVEL_CERT,
    .enrolment = ENROL_AUTO,
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

/*
 * One deviation from a client that is welcome: KNOWN_CERT is a provisioned
 * device with a valid certificate over TLS, FIRST_CERT the same seen for the
 * first time, KNOWN_TOKEN a provisioned device with a token alone.  A later
 * initializer of a field replaces an earlier one.
 */
#define COMMON                                                                 \
	.names_device = true, .client_id = "", .tls = true,                    \
	.identity = REASON_NONE, .who = {{'d', METER}, "1"},                   \
	.can_record = true, .now = NOW, .clock_is_set = true,                  \
	.window_ends_at = NOW + 1
#define KNOWN_CERT                                                             \
	COMMON, .has_certificate = true, .certificate = REASON_NONE,           \
	        .in_scope = true, .sight = SIGHT_KNOWN
#define FIRST_CERT                                                             \
	COMMON, .has_certificate = true, .certificate = REASON_NONE,           \
	        .in_scope = true, .within_rate = true, .sight = SIGHT_FIRST
#define ADDED_CERT                                                             \
	COMMON, .has_certificate = true, .certificate = REASON_NONE,           \
	        .in_scope = true, .sight = SIGHT_ALLOWED
#define KNOWN_TOKEN                                                            \
	COMMON, .token = TOKEN_RIGHT, .sight = SIGHT_KNOWN,                    \
	        .who = {{'d', TOKEN}, "1"}
#define WHO(type, id) .who = {{'d', type}, id}

/* client_id "" means the right one of who.  step is the one that fails; NULL
 * where the client is admitted. */
struct decide_case {
	const char *name;
	struct facts facts;
	enum reason want;
	const char *step;
	enum action action;
};

static const struct decide_case cases[] = {
    {"known", {KNOWN_CERT}, REASON_KNOWN, NULL, 0},
    {"first seen", {FIRST_CERT}, REASON_PROVISIONED, NULL, ACTION_PROVISION},
    {"added before", {ADDED_CERT}, REASON_PROVISIONED, NULL, ACTION_PROVISION},
    {"token alone", {KNOWN_TOKEN}, REASON_KNOWN, NULL, 0},

    /* Who is asking. */
    {"nothing at all", {0}, REASON_NOT_A_DEVICE, "who", 0},
    {"no certificate, no name", {KNOWN_TOKEN, .names_device = false},
        REASON_NOT_A_DEVICE, "who", 0},
    {"a certificate needs no name", {KNOWN_CERT, .names_device = false},
        REASON_KNOWN, NULL, 0},

    /* Certificate. */
    {"no certificate", {KNOWN_TOKEN, .token = TOKEN_NONE, WHO(METER, "1")},
        REASON_CERT_MISSING, "certificate", 0},
    {"too large", {KNOWN_CERT, .certificate = REASON_CERT_TOO_LARGE},
        REASON_CERT_TOO_LARGE, "certificate", 0},
    {"malformed", {KNOWN_CERT, .certificate = REASON_CERT_MALFORMED},
        REASON_CERT_MALFORMED, "certificate", 0},
    {"a CA's", {KNOWN_CERT, .certificate = REASON_CERT_IS_CA},
        REASON_CERT_IS_CA, "certificate", 0},
    {"too large, and a right token",
        {KNOWN_CERT, .certificate = REASON_CERT_TOO_LARGE, .token = TOKEN_RIGHT,
            WHO(EITHER, "1")},
        REASON_CERT_TOO_LARGE, "certificate", 0},

    /* Chain. */
    {"ca-unknown", {KNOWN_CERT, .certificate = REASON_CA_UNKNOWN},
        REASON_CA_UNKNOWN, "chain", 0},
    {"ca-inactive", {KNOWN_CERT, .certificate = REASON_CA_INACTIVE},
        REASON_CA_INACTIVE, "chain", 0},
    {"ca-unproven", {KNOWN_CERT, .certificate = REASON_CA_UNPROVEN},
        REASON_CA_UNPROVEN, "chain", 0},
    {"ca-expired", {KNOWN_CERT, .certificate = REASON_CA_EXPIRED},
        REASON_CA_EXPIRED, "chain", 0},
    {"cert-expired", {KNOWN_CERT, .certificate = REASON_CERT_EXPIRED},
        REASON_CERT_EXPIRED, "chain", 0},
    {"not yet valid", {KNOWN_CERT, .certificate = REASON_CERT_NOT_YET_VALID},
        REASON_CERT_NOT_YET_VALID, "chain", 0},
    {"cert-purpose", {KNOWN_CERT, .certificate = REASON_CERT_PURPOSE},
        REASON_CERT_PURPOSE, "chain", 0},
    {"cert-weak", {KNOWN_CERT, .certificate = REASON_CERT_WEAK},
        REASON_CERT_WEAK, "chain", 0},
    {"cert-revoked", {KNOWN_CERT, .certificate = REASON_CERT_REVOKED},
        REASON_CERT_REVOKED, "chain", 0},
    {"crl-missing", {KNOWN_CERT, .certificate = REASON_CRL_MISSING},
        REASON_CRL_MISSING, "chain", 0},
    {"crl-stale", {KNOWN_CERT, .certificate = REASON_CRL_STALE},
        REASON_CRL_STALE, "chain", 0},
    {"cert-invalid", {KNOWN_CERT, .certificate = REASON_CERT_INVALID},
        REASON_CERT_INVALID, "chain", 0},
    {"nobody verified", {KNOWN_CERT, .certificate = 0}, REASON_REGISTRY_ERROR,
        "chain", 0},
    {"a reason that admits is none", {KNOWN_CERT, .certificate = REASON_KNOWN},
        REASON_REGISTRY_ERROR, "chain", 0},
    {"a bad chain, and a right token",
        {KNOWN_CERT, .certificate = REASON_CA_UNKNOWN, .token = TOKEN_RIGHT,
            WHO(EITHER, "1")},
        REASON_CA_UNKNOWN, "chain", 0},
    {"chain before identity",
        {KNOWN_CERT, .certificate = REASON_CA_UNKNOWN,
            .identity = REASON_IDENTITY_NONE},
        REASON_CA_UNKNOWN, "chain", 0},

    /* Identity. */
    {"identity-none", {KNOWN_CERT, .identity = REASON_IDENTITY_NONE},
        REASON_IDENTITY_NONE, "identity", 0},
    {"identity-syntax", {KNOWN_CERT, .identity = REASON_IDENTITY_SYNTAX},
        REASON_IDENTITY_SYNTAX, "identity", 0},
    {"identity-conflict", {KNOWN_CERT, .identity = REASON_IDENTITY_CONFLICT},
        REASON_IDENTITY_CONFLICT, "identity", 0},
    {"nobody looked", {KNOWN_CERT, .identity = 0}, REASON_REGISTRY_ERROR,
        "identity", 0},
    {"provisioned is no identity", {KNOWN_CERT, .identity = REASON_PROVISIONED},
        REASON_REGISTRY_ERROR, "identity", 0},
    {"nobody", {KNOWN_CERT, .who = {{0}, ""}}, REASON_IDENTITY_NONE, "identity",
        0},
    {"colon, and nothing said", {KNOWN_CERT, WHO(METER, "a:b")},
        REASON_IDENTITY_SYNTAX, "identity", 0},
    {"colon, and no MAC addresses", {KNOWN_CERT, WHO(AUTO, "a:b")},
        REASON_IDENTITY_SYNTAX, "identity", 0},
    {"colon in a MAC address", {KNOWN_CERT, WHO(CAM, "00:1b:44:11:3a:b7")},
        REASON_KNOWN, NULL, 0},
    {"colon with a token", {KNOWN_TOKEN, WHO(TOKEN, "a:b")},
        REASON_IDENTITY_SYNTAX, "identity", 0},
    {"token, bad name", {KNOWN_TOKEN, .identity = REASON_IDENTITY_SYNTAX},
        REASON_IDENTITY_SYNTAX, "identity", 0},
    {"ca-scope", {KNOWN_CERT, .in_scope = false}, REASON_CA_SCOPE, "identity",
        0},
    {"another's token", {KNOWN_CERT, .token_of_other = true},
        REASON_IDENTITY_CONFLICT, "identity", 0},
    {"another's token before scope",
        {KNOWN_CERT, .token_of_other = true, .in_scope = false},
        REASON_IDENTITY_CONFLICT, "identity", 0},
    {"another's token before the client id",
        {KNOWN_CERT, .token_of_other = true, .client_id = "x"},
        REASON_IDENTITY_CONFLICT, "identity", 0},
    {"syntax before another's token",
        {KNOWN_CERT, WHO(METER, "a:b"), .token_of_other = true},
        REASON_IDENTITY_SYNTAX, "identity", 0},
    {"a token has no scope", {KNOWN_TOKEN, .in_scope = false}, REASON_KNOWN,
        NULL, 0},
    {"syntax before scope", {KNOWN_CERT, WHO(METER, "a:b"), .in_scope = false},
        REASON_IDENTITY_SYNTAX, "identity", 0},

    /* Client id. */
    {"another's", {KNOWN_CERT, .client_id = "d:meter:2"}, REASON_CLIENT_ID,
        "client-id", 0},
    {"a suffix", {KNOWN_CERT, .client_id = "d:meter:12"}, REASON_CLIENT_ID,
        "client-id", 0},
    {"none", {KNOWN_CERT, .client_id = NULL}, REASON_CLIENT_ID, "client-id", 0},
    {"letter case", {KNOWN_CERT, .client_id = "D:meter:1"}, REASON_CLIENT_ID,
        "client-id", 0},
    {"client id before level", {KNOWN_CERT, .client_id = "x", .tls = false},
        REASON_CLIENT_ID, "client-id", 0},

    /* Level: TLS. */
    {"cert without TLS", {KNOWN_CERT, .tls = false}, REASON_LEVEL_TLS, "level",
        0},
    {"token without TLS", {KNOWN_TOKEN, .tls = false}, REASON_LEVEL_TLS,
        "level", 0},
    {"either without TLS", {KNOWN_TOKEN, .tls = false, WHO(EITHER, "1")},
        REASON_LEVEL_TLS, "level", 0},
    {"TLS before a wrong token",
        {KNOWN_TOKEN, .tls = false, .token = TOKEN_WRONG}, REASON_LEVEL_TLS,
        "level", 0},
    {"lax without TLS, token", {KNOWN_TOKEN, .tls = false, WHO(LAX, "1")},
        REASON_KNOWN, NULL, 0},
    {"lax without TLS, certificate", {KNOWN_CERT, .tls = false, WHO(LAX, "1")},
        REASON_KNOWN, NULL, 0},

    /* Level: cert, the default here. */
    {"cert, token", {KNOWN_TOKEN, WHO(METER, "1")}, REASON_LEVEL_CERT, "level",
        0},
    {"cert, wrong token", {KNOWN_TOKEN, .token = TOKEN_WRONG, WHO(METER, "1")},
        REASON_LEVEL_CERT, "level", 0},
    {"cert, certificate and token", {KNOWN_CERT, .token = TOKEN_RIGHT},
        REASON_KNOWN, NULL, 0},
    {"cert, certificate and wrong token", {KNOWN_CERT, .token = TOKEN_WRONG},
        REASON_KNOWN, NULL, 0},
    {"cert by a rule, token", {KNOWN_TOKEN, WHO(RULE, "1")}, REASON_LEVEL_CERT,
        "level", 0},

    /* Level: cert+token. */
    {"both, certificate", {KNOWN_CERT, WHO(STRICT, "1")}, REASON_LEVEL_TOKEN,
        "level", 0},
    {"both, token", {KNOWN_TOKEN, WHO(STRICT, "1")}, REASON_LEVEL_CERT, "level",
        0},
    {"both, wrong token alone",
        {KNOWN_TOKEN, .token = TOKEN_WRONG, WHO(STRICT, "1")},
        REASON_LEVEL_CERT, "level", 0},
    {"both, both", {KNOWN_CERT, .token = TOKEN_RIGHT, WHO(STRICT, "1")},
        REASON_KNOWN, NULL, 0},
    {"both, wrong token", {KNOWN_CERT, .token = TOKEN_WRONG, WHO(STRICT, "1")},
        REASON_TOKEN_WRONG, "level", 0},
    {"both, no number for a token",
        {KNOWN_CERT, .token = (enum token)9, WHO(STRICT, "1")},
        REASON_LEVEL_TOKEN, "level", 0},

    /* Level: token. */
    {"token, certificate", {KNOWN_CERT, WHO(TOKEN, "1")}, REASON_LEVEL_TOKEN,
        "level", 0},
    {"token, both", {KNOWN_CERT, .token = TOKEN_RIGHT, WHO(TOKEN, "1")},
        REASON_KNOWN, NULL, 0},
    {"token, wrong", {KNOWN_TOKEN, .token = TOKEN_WRONG}, REASON_TOKEN_WRONG,
        "level", 0},
    {"token, certificate and wrong",
        {KNOWN_CERT, .token = TOKEN_WRONG, WHO(TOKEN, "1")}, REASON_TOKEN_WRONG,
        "level", 0},

    /* Level: cert-or-token and tls-optional. */
    {"either, certificate", {KNOWN_CERT, WHO(EITHER, "1")}, REASON_KNOWN, NULL,
        0},
    {"either, token", {KNOWN_TOKEN, WHO(EITHER, "1")}, REASON_KNOWN, NULL, 0},
    {"either, wrong token",
        {KNOWN_TOKEN, .token = TOKEN_WRONG, WHO(EITHER, "1")},
        REASON_TOKEN_WRONG, "level", 0},
    {"either, certificate and wrong token",
        {KNOWN_CERT, .token = TOKEN_WRONG, WHO(EITHER, "1")}, REASON_KNOWN,
        NULL, 0},
    {"lax, wrong token", {KNOWN_TOKEN, .token = TOKEN_WRONG, WHO(LAX, "1")},
        REASON_TOKEN_WRONG, "level", 0},
    {"lax, certificate and wrong token",
        {KNOWN_CERT, .token = TOKEN_WRONG, WHO(LAX, "1")}, REASON_KNOWN, NULL,
        0},
    {"level before device", {KNOWN_CERT, WHO(STRICT, "1"), .locked = true},
        REASON_LEVEL_TOKEN, "level", 0},

    /* Device. */
    {"locked", {KNOWN_CERT, .locked = true}, REASON_DEVICE_LOCKED, "device", 0},
    {"locked with a token", {KNOWN_TOKEN, .locked = true}, REASON_DEVICE_LOCKED,
        "device", 0},
    {"locked while it waits",
        {KNOWN_CERT, .locked = true, .sight = SIGHT_PENDING},
        REASON_DEVICE_LOCKED, "device", 0},
    {"locked before its window ends", {ADDED_CERT, .locked = true},
        REASON_DEVICE_LOCKED, "device", 0},
    {"waits", {KNOWN_CERT, .sight = SIGHT_PENDING}, REASON_DEVICE_PENDING,
        "device", 0},
    {"waits, whatever the mode is now",
        {KNOWN_CERT, .sight = SIGHT_PENDING, WHO(AUTO, "1")},
        REASON_DEVICE_PENDING, "device", 0},
    {"id-format", {FIRST_CERT, WHO(CAM, "00:1b")}, REASON_ID_FORMAT, "device",
        0},
    {"id-format, though added", {ADDED_CERT, WHO(CAM, "x")}, REASON_ID_FORMAT,
        "device", 0},
    {"id-format is not asked of a known one", {KNOWN_CERT, WHO(CAM, "x")},
        REASON_KNOWN, NULL, 0},
    {"identity-case", {FIRST_CERT, .sight = SIGHT_CASE}, REASON_IDENTITY_CASE,
        "device", 0},
    {"a token makes no device of that case", {KNOWN_TOKEN, .sight = SIGHT_CASE},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"id-format before case", {FIRST_CERT, WHO(CAM, "x"), .sight = SIGHT_CASE},
        REASON_ID_FORMAT, "device", 0},
    {"clock, first seen", {FIRST_CERT, .clock_is_set = false},
        REASON_CLOCK_UNSET, "device", 0},
    {"clock, added", {ADDED_CERT, .clock_is_set = false}, REASON_CLOCK_UNSET,
        "device", 0},
    {"clock, known", {KNOWN_CERT, .clock_is_set = false}, REASON_KNOWN, NULL,
        0},
    {"case before clock",
        {FIRST_CERT, .sight = SIGHT_CASE, .clock_is_set = false},
        REASON_IDENTITY_CASE, "device", 0},
    {"mode before clock", {FIRST_CERT, WHO(LISTED, "1"), .clock_is_set = false},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"listed", {FIRST_CERT, WHO(LISTED, "1")}, REASON_DEVICE_UNLISTED, "device",
        0},
    {"listed, and added", {ADDED_CERT, WHO(LISTED, "1")}, REASON_PROVISIONED,
        NULL, ACTION_PROVISION},
    {"approve", {FIRST_CERT, WHO(ASKS, "1")}, REASON_DEVICE_PENDING, "device",
        ACTION_PEND},
    {"approve, and added", {ADDED_CERT, WHO(ASKS, "1")}, REASON_PROVISIONED,
        NULL, ACTION_PROVISION},
    {"auto", {FIRST_CERT, WHO(AUTO, "1")}, REASON_PROVISIONED, NULL,
        ACTION_PROVISION},
    {"the CA lists",
        {FIRST_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_LISTED},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"the CA asks",
        {FIRST_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_APPROVE},
        REASON_DEVICE_PENDING, "device", ACTION_PEND},
    {"the CA cannot widen listed",
        {FIRST_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_AUTO,
            WHO(LISTED, "1")},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"the CA cannot widen approve",
        {FIRST_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_AUTO,
            WHO(ASKS, "1")},
        REASON_DEVICE_PENDING, "device", ACTION_PEND},
    {"the CA narrows approve",
        {FIRST_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_LISTED,
            WHO(ASKS, "1")},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"the CA's mode does not matter to an added one",
        {ADDED_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_LISTED},
        REASON_PROVISIONED, NULL, ACTION_PROVISION},
    {"a token makes no device", {KNOWN_TOKEN, .sight = SIGHT_FIRST},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"a token makes no pending device",
        {KNOWN_TOKEN, .sight = SIGHT_FIRST, .has_ca_enrolment = true,
            .ca_enrolment = ENROL_APPROVE},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"a token of an added device", {KNOWN_TOKEN, .sight = SIGHT_ALLOWED},
        REASON_PROVISIONED, NULL, ACTION_PROVISION},
    {"window ends now", {ADDED_CERT, .window_ends_at = NOW},
        REASON_WINDOW_EXPIRED, "device", 0},
    {"window ended", {ADDED_CERT, .window_ends_at = NOW - 1},
        REASON_WINDOW_EXPIRED, "device", 0},
    {"window not known", {ADDED_CERT, .window_ends_at = 0},
        REASON_WINDOW_EXPIRED, "device", 0},
    {"window without end", {ADDED_CERT, .window_ends_at = INT64_MAX},
        REASON_PROVISIONED, NULL, ACTION_PROVISION},
    {"a known one has no window", {KNOWN_CERT, .window_ends_at = 0},
        REASON_KNOWN, NULL, 0},

    /* Registry. */
    {"could not look", {KNOWN_CERT, .sight = SIGHT_FAILED},
        REASON_REGISTRY_ERROR, "registry", 0},
    {"could not look, token", {KNOWN_TOKEN, .sight = SIGHT_FAILED},
        REASON_REGISTRY_ERROR, "registry", 0},
    {"no such sight", {KNOWN_CERT, .sight = (enum sight)99},
        REASON_REGISTRY_ERROR, "registry", 0},
    {"busy, first seen", {FIRST_CERT, .can_record = false},
        REASON_REGISTRY_BUSY, "registry", 0},
    {"busy, added", {ADDED_CERT, .can_record = false}, REASON_REGISTRY_BUSY,
        "registry", 0},
    {"busy, approve", {FIRST_CERT, WHO(ASKS, "1"), .can_record = false},
        REASON_REGISTRY_BUSY, "registry", 0},
    {"busy, listed", {FIRST_CERT, WHO(LISTED, "1"), .can_record = false},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"busy, known", {KNOWN_CERT, .can_record = false}, REASON_KNOWN, NULL, 0},
};

/* The same with "types declared". */
static const struct decide_case declared_cases[] = {
    {"nothing said", {FIRST_CERT}, REASON_TYPE_UNKNOWN, "device", 0},
    {"a rule declares nothing", {FIRST_CERT, WHO(RULE, "1")},
        REASON_TYPE_UNKNOWN, "device", 0},
    {"added, but not declared", {ADDED_CERT}, REASON_TYPE_UNKNOWN, "device", 0},
    {"type before case", {FIRST_CERT, .sight = SIGHT_CASE}, REASON_TYPE_UNKNOWN,
        "device", 0},
    {"mode before type",
        {FIRST_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_LISTED},
        REASON_DEVICE_UNLISTED, "device", 0},
    {"window before type", {ADDED_CERT, .window_ends_at = NOW},
        REASON_WINDOW_EXPIRED, "device", 0},
    {"approve before it is declared",
        {FIRST_CERT, .has_ca_enrolment = true, .ca_enrolment = ENROL_APPROVE},
        REASON_TYPE_UNKNOWN, "device", 0},
    {"another class", {FIRST_CERT, .who = {{'g', AUTO}, "1"}},
        REASON_TYPE_UNKNOWN, "device", 0},
    {"declared", {FIRST_CERT, WHO(AUTO, "1")}, REASON_PROVISIONED, NULL,
        ACTION_PROVISION},
    {"known before", {KNOWN_CERT}, REASON_KNOWN, NULL, 0},
};

static const char *const step_names[] = {"who", "certificate", "chain",
    "identity", "client-id", "level", "device", "registry"};

/* Every step has its name; those before the one that fails did not fail, and
 * those after it were not looked at. */
static void
check_trace(const struct decide_case *one, const struct trace *trace)
{
	bool failed = false;
	size_t i;

	assert_int_equal(trace->count, COUNT(step_names));
	for (i = 0; i < trace->count; i++) {
		assert_string_equal(trace->steps[i].name, step_names[i]);
		if (failed) {
			assert_int_equal(trace->steps[i].result, STEP_SKIPPED);
			assert_string_equal(trace->steps[i].detail, "");
			continue;
		}
		failed = trace->steps[i].result == STEP_FAIL;
		if (failed &&
		    (one->step == NULL ||
		        strcmp(step_names[i], one->step) != 0)) {
			fail_msg("%s: failed at %s", one->name, step_names[i]);
		}
		assert_true(trace->steps[i].detail[0] != '\0');
		assert_true(strlen(trace->steps[i].detail) < STEP_DETAIL - 1);
	}
	assert_int_equal(failed, one->step != NULL);
}

static void
check_case(const struct decide_case *one)
{
	char right[IDENTITY_TEXT_MAX + 1];
	struct facts facts = one->facts;
	struct verdict verdict, again;
	struct trace trace;

	if (facts.client_id != NULL && facts.client_id[0] == '\0') {
		identity_format(&facts.who, right);
		facts.client_id = right;
	}
	memset(&verdict, 'z', sizeof(verdict));
	memset(&trace, 'z', sizeof(trace));
	policy_decide(&policy, &facts, &verdict, &trace);
	if (verdict.reason != one->want) {
		fail_msg("%s: %s", one->name, reason_id(verdict.reason));
	}
	if (verdict.action != one->action) {
		fail_msg("%s: action %d", one->name, verdict.action);
	}
	assert_int_equal(reason_admits(verdict.reason), one->step == NULL);
	check_trace(one, &trace);

	/* Nobody has to watch. */
	policy_decide(&policy, &facts, &again, NULL);
	assert_int_equal(again.reason, verdict.reason);
	assert_int_equal(again.action, verdict.action);
}

static void
facts_give_a_verdict(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		check_case(&cases[i]);
	}
}

static void
types_can_have_to_be_declared(void **state)
{
	size_t i;

	(void)state;
	policy.types_declared = true;
	for (i = 0; i < COUNT(declared_cases); i++) {
		check_case(&declared_cases[i]);
	}
	policy.types_declared = false;
}

/* Which reasons the table shows: all but those that are not decided here. */
static void
every_reason_has_its_case(void **state)
{
	/* decide_device_test has those. */
	static const enum reason elsewhere[] = {REASON_NONE, REASON_ADDRESS,
	    REASON_QUOTA, REASON_RATE, REASON_PIN_MISMATCH};
	bool seen[REASON_PROVISIONED + 1] = {false};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		seen[cases[i].want] = true;
	}
	for (i = 0; i < COUNT(declared_cases); i++) {
		seen[declared_cases[i].want] = true;
	}
	for (i = 0; i < COUNT(elsewhere); i++) {
		seen[elsewhere[i]] = true;
	}
	for (i = 0; i < COUNT(seen); i++) {
		if (!seen[i]) {
			fail_msg("no case: %s", reason_id((enum reason)i));
		}
	}
}

/* A policy that nobody filled in, and any single fact missing, refuse. */
static void
zero_refuses(void **state)
{
	const struct policy zero = {0};
	const struct facts good = {FIRST_CERT, .token = TOKEN_RIGHT};
	struct facts facts = good;
	struct verdict verdict;

	(void)state;
	facts.client_id = "d:meter:1";
	policy_decide(&policy, &facts, &verdict, NULL);
	assert_int_equal(verdict.reason, REASON_PROVISIONED);
	policy_decide(&zero, &facts, &verdict, NULL);
	assert_int_equal(verdict.reason, REASON_CLIENT_ID);
	facts.client_id = "";
	policy_decide(&zero, &facts, &verdict, NULL);
	assert_int_equal(verdict.reason, REASON_CLIENT_ID);

#define WITHOUT(field)                                                         \
	facts = good;                                                          \
	facts.client_id = "d:meter:1";                                         \
	memset(&facts.field, 0, sizeof(facts.field));                          \
	policy_decide(&policy, &facts, &verdict, NULL);                        \
	assert_false(reason_admits(verdict.reason));                           \
	assert_int_equal(verdict.action, ACTION_NONE)

	WITHOUT(has_certificate);
	WITHOUT(client_id);
	WITHOUT(tls);
	WITHOUT(certificate);
	WITHOUT(identity);
	WITHOUT(who);
	WITHOUT(in_scope);
	WITHOUT(sight);
	WITHOUT(can_record);
	WITHOUT(clock_is_set);
	WITHOUT(within_rate);
}

static void
the_verdict_names_the_level(void **state)
{
	struct facts facts = {KNOWN_CERT};
	struct policy odd = policy;
	struct verdict verdict;

	(void)state;
	policy_decide(&policy, &facts, &verdict, NULL);
	assert_int_equal(verdict.level, LEVEL_CERT);
	assert_true(verdict.level_is_default);

	facts.who = (struct identity){{'d', EITHER}, "1"};
	policy_decide(&policy, &facts, &verdict, NULL);
	assert_int_equal(verdict.level, LEVEL_CERT_OR_TOKEN);
	assert_false(verdict.level_is_default);

	/* Whoever it was, it was not shown to be of this type. */
	facts.identity = REASON_IDENTITY_CONFLICT;
	policy_decide(&policy, &facts, &verdict, NULL);
	assert_true(verdict.level_is_default);

	odd.level = (enum level)99;
	facts = (struct facts){KNOWN_CERT};
	facts.client_id = "d:meter:1";
	policy_decide(&odd, &facts, &verdict, NULL);
	assert_int_equal(verdict.level, LEVEL_CERT_TOKEN);
	assert_int_equal(verdict.reason, REASON_LEVEL_TOKEN);
}

/* What a person reads names the values. */
static const struct {
	const char *step, *says;
	struct facts facts;
} details[] = {
    {"client-id", "must be \"d:meter:1\"",
        {KNOWN_CERT, .client_id = "d:meter:2"}},
    {"client-id", "is \"d:meter:2\"", {KNOWN_CERT, .client_id = "d:meter:2"}},
    {"client-id", "\\x0a", {KNOWN_CERT, .client_id = "a\nb"}},
    {"client-id", "missing", {KNOWN_CERT, .client_id = NULL}},
    {"chain", "no registered CA issued",
        {KNOWN_CERT, .certificate = REASON_CA_UNKNOWN, .client_id = ""}},
    {"chain", "seen by trust",
        {KNOWN_CERT, .certificate = REASON_CA_UNKNOWN,
            .certificate_detail = "seen by trust"}},
    {"identity", "seen by identity",
        {KNOWN_CERT, .identity = REASON_IDENTITY_SYNTAX,
            .identity_detail = "seen by identity"}},
    {"identity", "cover d:meter:1", {KNOWN_CERT, .in_scope = false}},
    {"level", "the token is of yesterday",
        {KNOWN_TOKEN, .token = TOKEN_WRONG, .client_id = "d:token:1",
            .token_detail = "the token is of yesterday"}},
    {"level", "is not valid",
        {KNOWN_TOKEN, .token = TOKEN_WRONG, .client_id = "d:token:1"}},
    {"identity", "of d:meter:1, and the token",
        {KNOWN_CERT, .token_of_other = true}},
    {"level", "default is cert ",
        {KNOWN_CERT, .tls = false, .client_id = "d:meter:1"}},
    {"device", "device approve d:meter:1",
        {KNOWN_CERT, .sight = SIGHT_PENDING, .client_id = "d:meter:1"}},
    {"device", "device remove d:meter:1, then add",
        {ADDED_CERT, .window_ends_at = NOW, .client_id = "d:meter:1"}},
    {"device", "d:serial demands decimal, 4 characters after SN-",
        {FIRST_CERT, WHO(SERIAL, "SN-1"), .client_id = "d:serial:SN-1"}},
    {"device", "d:cam demands mac-colon",
        {FIRST_CERT, WHO(CAM, "1"), .client_id = "d:cam:1"}},
    {"device", "2026-11-21T14:00:00Z",
        {ADDED_CERT, .window_ends_at = NOW, .client_id = "d:meter:1"}},
};

static void
details_name_the_values(void **state)
{
	struct verdict verdict;
	struct trace trace;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(details); i++) {
		policy_decide(&policy, &details[i].facts, &verdict, &trace);
		for (j = 0; strcmp(trace.steps[j].name, details[i].step) != 0;
		     j++) {
		}
		assert_int_equal(trace.steps[j].result, STEP_FAIL);
		if (strstr(trace.steps[j].detail, details[i].says) == NULL) {
			fail_msg("%s", trace.steps[j].detail);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_give_a_verdict),
	    cmocka_unit_test(types_can_have_to_be_declared),
	    cmocka_unit_test(every_reason_has_its_case),
	    cmocka_unit_test(zero_refuses),
	    cmocka_unit_test(the_verdict_names_the_level),
	    cmocka_unit_test(details_name_the_values),
	};

	return cmocka_run_group_tests(tests, make_policy, NULL);
}
