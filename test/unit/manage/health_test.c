/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/health.h"

#include <string.h>

#include "test/support/cmocka_all.h"

#define NOW  ((int64_t)1800000000) /* 2027-01-15T08:00:00Z */
#define DAY  ((int64_t)86400)
#define FAR  (1000 * DAY)
#define NONE INT64_MIN /* in a table: no CRL, no code */

#define ID     "0123456789abcdef"
#define ORG    " --org acme"
#define CA     "the CA " ID " "
#define CRL    "the CRL of the CA " ID " "
#define STORE  ": store a newer one with certid ca crl " ID " FILE" ORG
#define WAITS  CA "waits for proof of possession and admits nobody"
#define NOBODY "the CA admits nobody"
#define COMES                                                                  \
	": a running broker fetches the next one from its crl-url: look "      \
	"whether the CA has published it, and whether a broker runs"
#define VAIN                                                                   \
	": see why it cannot be fetched, or store a newer one with certid ca " \
	"crl " ID " FILE" ORG

static struct ca_record
make_ca(const char *policy, int64_t next_update, int64_t grace)
{
	static uint8_t der[] = {0x30, 0x00};
	struct ca_record ca = {
	    .org = "acme",
	    .id = ID,
	    .state = "active",
	    .not_after = NOW + FAR,
	    .code_expires_at = CLOCK_NONE,
	    .crl_grace = grace,
	};

	text_set(ca.crl_policy, sizeof(ca.crl_policy), policy);
	if (next_update != NONE) {
		ca.crl.der = der;
		ca.crl.der_len = sizeof(der);
		ca.crl.next_update = NOW + next_update;
	}
	return ca;
}

static const struct {
	const char *policy;
	int64_t next_update; /* from now */
	int64_t grace;
	const char *want;
} healths[] = {
    {"required", NONE, 0, "missing"},
    {"required", NONE, DAY, "missing"},
    {"if-present", NONE, 0, ""},
    {"off", NONE, 0, ""},
    {"required", 1, 0, "fresh"},
    {"if-present", 1, 0, "fresh"},
    {"off", 1, 0, ""},
    {"required", 0, 0, "stale"},
    {"if-present", 0, 0, "stale"},
    {"off", 0, 0, ""},
    {"off", -FAR, DAY, ""},
    {"required", 0, 1, "grace"},
    {"if-present", 0, 1, "grace"},
    {"required", -1, 1, "stale"},
    {"required", -1, 2, "grace"},
    {"required", -DAY, DAY, "stale"},
    {"required", -DAY, DAY + 1, "grace"},
    {"required", -FAR, INT64_MAX, "grace"},
    {"if-present", -1, -1, "stale"},
    /* A policy that nobody knows is the strictest. */
    {"", NONE, 0, "missing"},
    {"", -1, 0, "stale"},
    {"never", NONE, 0, "missing"},
    {"OFF", 0, 0, "stale"},
};

static void
tells_how_a_crl_does(void **state)
{
	struct ca_record ca;
	const char *name;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(healths) / sizeof(healths[0]); i++) {
		ca = make_ca(healths[i].policy, healths[i].next_update,
		    healths[i].grace);
		name = crl_health_name(health_of_crl(&ca, NOW));
		if (strcmp(name, healths[i].want) != 0) {
			fail_msg("case %zu: \"%s\"", i, name);
		}
	}
	assert_string_equal(crl_health_name((enum crl_health)99), "");
}

/* The findings, exactly, in their order; ca is a copy. */
static void
expect_since(
    struct ca_record ca, int64_t failed_at, const char *const *want, size_t n)
{
	struct findings findings = {.items = NULL};
	size_t i;

	health_look(&ca, NOW, failed_at, &findings);
	assert_false(findings.failed);
	for (i = 0; i < findings.count && i < n; i++) {
		assert_string_equal(findings.items[i].text, want[i]);
		assert_string_equal(findings.items[i].org, "acme");
		assert_string_equal(findings.items[i].ca, ID);
	}
	if (findings.count != n) {
		fail_msg("%zu findings, not %zu: %s", findings.count, n,
		    findings.count == 0 ? "" : findings.items[0].text);
	}
	findings_done(&findings);
}

static void
expect(struct ca_record ca, const char *const *want, size_t n)
{
	expect_since(ca, CLOCK_NONE, want, n);
}

#define EXPECT(ca, ...)                                                        \
	do {                                                                   \
		const char *const want[] = {__VA_ARGS__};                      \
		expect(ca, want, sizeof(want) / sizeof(want[0]));              \
	} while (0)

#define NEXT ": add its successor before then, with certid ca add FILE" ORG
#define OVER                                                                   \
	": add its successor with certid ca add FILE" ORG                      \
	", then certid ca remove " ID ORG

static const struct {
	int64_t not_after; /* from now */
	const char *want;  /* NULL: nothing */
} ends[] = {
    {FAR, NULL},
    {90 * DAY + 1, NULL},
    {90 * DAY, CA "expires within 90 days, at 2027-04-15T08:00:00Z" NEXT},
    {30 * DAY, CA "expires within 30 days, at 2027-02-14T08:00:00Z" NEXT},
    {7 * DAY, CA "expires within 7 days, at 2027-01-22T08:00:00Z" NEXT},
    {1 * DAY, CA "expires within 1 day, at 2027-01-16T08:00:00Z" NEXT},
    {1, CA "expires within 1 day, at 2027-01-15T08:00:01Z" NEXT},
    {0, CA "expired at 2027-01-15T08:00:00Z" OVER},
    {-FAR, CA "expired at 2024-04-20T08:00:00Z" OVER},
};

static void
warns_of_the_end_of_a_ca(void **state)
{
	struct ca_record ca = make_ca("if-present", NONE, 0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		ca.not_after = NOW + ends[i].not_after;
		expect(ca, &ends[i].want, ends[i].want == NULL ? 0 : 1);
		text_set(ca.state, sizeof(ca.state), "inactive");
		expect(ca, &ends[i].want, ends[i].want == NULL ? 0 : 1);
	}
}

#define ENDS(n, when)    CRL "expires within " n ", at " when
#define IN_DAYS(n, when) ENDS(n, when) STORE

static const struct {
	int64_t life, next_update; /* from now */
	const char *by_hand;       /* NULL: nothing */
	const char *when_fetched;
} updates[] = {
    {400 * DAY, 90 * DAY + 1, NULL, NULL},
    {400 * DAY, 90 * DAY, IN_DAYS("90 days", "2027-04-15T08:00:00Z"), NULL},
    {400 * DAY, 30 * DAY, IN_DAYS("30 days", "2027-02-14T08:00:00Z"), NULL},
    {400 * DAY, 7 * DAY, IN_DAYS("7 days", "2027-01-22T08:00:00Z"), NULL},
    {400 * DAY, DAY + 1, IN_DAYS("7 days", "2027-01-16T08:00:01Z"), NULL},
    {400 * DAY, DAY, IN_DAYS("1 day", "2027-01-16T08:00:00Z"),
        ENDS("1 day", "2027-01-16T08:00:00Z") COMES},
    {180 * DAY, 45 * DAY, NULL, NULL},
    {180 * DAY, 30 * DAY, IN_DAYS("30 days", "2027-02-14T08:00:00Z"), NULL},
    {30 * DAY, 30 * DAY, NULL, NULL},
    {28 * DAY, 7 * DAY + 1, NULL, NULL},
    {28 * DAY, 7 * DAY, IN_DAYS("7 days", "2027-01-22T08:00:00Z"), NULL},
    {20 * DAY, 7 * DAY + 1, NULL, NULL},
    {7 * DAY, 7 * DAY, IN_DAYS("7 days", "2027-01-22T08:00:00Z"), NULL},
    {7 * DAY, 2 * DAY, IN_DAYS("7 days", "2027-01-17T08:00:00Z"), NULL},
    {2 * DAY, DAY, IN_DAYS("1 day", "2027-01-16T08:00:00Z"), NULL},
};

static void
warns_of_the_next_update(void **state)
{
	static char url[] = "https://crl.example.com/", failure[] = "HTTP 404";
	const char *by_hand, *fetched;
	struct ca_record ca;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
		by_hand = updates[i].by_hand;
		fetched = updates[i].when_fetched;
		print_message("case %zu\n", i);
		ca = make_ca("if-present", updates[i].next_update, 0);
		ca.crl.this_update = ca.crl.next_update - updates[i].life;
		expect(ca, &by_hand, by_hand == NULL ? 0 : 1);
		/* It was fetched once, but is not any more. */
		ca.crl.fetched = true;
		expect(ca, &by_hand, by_hand == NULL ? 0 : 1);
		ca.crl_url = url;
		expect(ca, &fetched, fetched == NULL ? 0 : 1);
		text_set(ca.crl_policy, sizeof(ca.crl_policy), "off");
		expect(ca, NULL, 0);
	}
	ca = make_ca("required", DAY, 0);
	ca.crl.this_update = NOW - 9 * DAY;
	ca.crl.fetched = true;
	ca.crl_url = url;
	ca.crl_failure = failure;
	EXPECT(ca, CRL "cannot be fetched: HTTP 404",
	    ENDS("1 day", "2027-01-16T08:00:00Z") VAIN);
}

/* A list that lives for a day is not to be warned of all day. */
static void
warns_of_short_lives_late(void **state)
{
	static char url[] = "https://crl.example.com/";
	struct ca_record ca = make_ca("if-present", 6 * 3600 + 1, 0);

	(void)state;
	ca.crl.this_update = NOW + 6 * 3600 + 1 - DAY;
	EXPECT(ca, IN_DAYS("1 day", "2027-01-15T14:00:01Z"));
	ca.crl.fetched = true;
	ca.crl_url = url;
	expect(ca, NULL, 0);
	ca.crl.this_update--;
	ca.crl.next_update--;
	EXPECT(ca, ENDS("1 day", "2027-01-15T14:00:00Z") COMES);
}

static void
warns_of_a_crl_that_keeps_devices_out(void **state)
{
	(void)state;
	EXPECT(make_ca("required", NONE, 0),
	    CA "requires a CRL and has none, so it admits nobody: store one "
	       "with certid ca crl " ID " FILE" ORG);
	EXPECT(make_ca("required", -DAY, 0),
	    CRL "is stale since 2027-01-14T08:00:00Z, its grace of 0s is over, "
	        "and under the policy required " NOBODY STORE);
	EXPECT(make_ca("if-present", -DAY, 3600),
	    CRL "is stale since 2027-01-14T08:00:00Z, its grace of 1h is over, "
	        "and under the policy if-present " NOBODY STORE);
	EXPECT(make_ca("required", -DAY, 7 * DAY),
	    CRL "is stale since 2027-01-14T08:00:00Z, and counts until "
	        "2027-01-21T08:00:00Z, for its grace of 7d" STORE);
	expect(make_ca("if-present", NONE, 0), NULL, 0);
	expect(make_ca("off", NONE, 0), NULL, 0);
	expect(make_ca("off", -DAY, 0), NULL, 0);
	expect(make_ca("required", FAR, 0), NULL, 0);
}

static void
warns_of_what_cannot_be_fetched(void **state)
{
	static char url[] = "https://crl.example.com/",
	            failure[] = "no answer\x1b[2J";
	struct ca_record ca = make_ca("if-present", NONE, 0);

	(void)state;
	ca.crl_url = url;
	EXPECT(ca,
	    CRL "has not been fetched from its crl-url yet: a running broker "
	        "does that");
	ca.crl_failure = failure;
	EXPECT(ca, CRL "cannot be fetched: no answer?[2J");
	expect_since(ca, NOW - DAY,
	    (const char *const[]){CRL "cannot be fetched since "
	                              "2027-01-14T08:00:00Z: no answer?[2J"},
	    1);
	text_set(ca.crl_policy, sizeof(ca.crl_policy), "off");
	expect(ca, NULL, 0);
	ca = make_ca("required", FAR, 0);
	ca.crl_url = url;
	EXPECT(ca,
	    CRL "has not been fetched from its crl-url yet: a running broker "
	        "does that");
	ca.crl.fetched = true;
	expect(ca, NULL, 0);
	ca.crl_failure = failure;
	EXPECT(ca, CRL "cannot be fetched: no answer?[2J");
	/* Nobody asks for it any more. */
	ca.crl_url = NULL;
	expect(ca, NULL, 0);
}

static const struct {
	const char *state, *code;
	int64_t expires_at; /* from now */
	const char *want;   /* NULL: nothing */
} proofs[] = {
    {"unproven", "", NONE, WAITS ": begin with certid ca code " ID ORG},
    {"unproven", "c0de", 1,
        WAITS ": certid ca verify " ID " FILE" ORG " ends that, until "
              "2027-01-15T08:00:01Z"},
    {"unproven", "c0de", 0,
        WAITS ", and its registration code expired at 2027-01-15T08:00:00Z: "
              "certid ca code " ID ORG " gives a new one"},
    {"unproven", "c0de", -DAY,
        WAITS ", and its registration code expired at 2027-01-14T08:00:00Z: "
              "certid ca code " ID ORG " gives a new one"},
    {"active", "", NONE, NULL},
    {"active", "c0de", -DAY, NULL},
    {"inactive", "c0de", 1, NULL},
};

static void
warns_of_what_waits_for_its_proof(void **state)
{
	struct ca_record ca;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		ca = make_ca("if-present", NONE, 0);
		text_set(ca.state, sizeof(ca.state), proofs[i].state);
		text_set(ca.code, sizeof(ca.code), proofs[i].code);
		if (proofs[i].expires_at != NONE) {
			ca.code_expires_at = NOW + proofs[i].expires_at;
		}
		expect(ca, &proofs[i].want, proofs[i].want == NULL ? 0 : 1);
	}
}

static void
warns_of_several_things(void **state)
{
	static char url[] = "https://crl.example.com/", failure[] = "HTTP 404";
	struct ca_record ca = make_ca("required", -1, 0);

	(void)state;
	text_set(ca.state, sizeof(ca.state), "unproven");
	ca.not_after = NOW;
	ca.crl_url = url;
	ca.crl_failure = failure;
	EXPECT(ca,
	    CRL "is stale since 2027-01-15T07:59:59Z, its grace of 0s is over, "
	        "and under the policy required " NOBODY VAIN,
	    CA "expired at 2027-01-15T08:00:00Z" OVER,
	    CRL "cannot be fetched: HTTP 404",
	    WAITS ": begin with certid ca code " ID ORG);
}

/* What a program goes by; an inactive CA keeps nobody out. */
static void
tells_what_is_critical(void **state)
{
	static char url[] = "https://crl.example.com/", failure[] = "HTTP 404";
	const struct {
		struct ca_record ca;
		const char *kind;
		bool is_critical;
	} cases[] = {
	    {make_ca("required", NONE, 0), "crl-missing", true},
	    {make_ca("required", 0, 0), "crl-stale", true},
	    {make_ca("if-present", 0, DAY), "crl-grace", false},
	    {make_ca("if-present", DAY, 0), "crl-expiring", false},
	};
	struct findings findings = {.items = NULL};
	struct ca_record ca;
	size_t i;

	(void)state;
	assert_false(findings_are_critical(&findings));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ca = cases[i].ca;
		health_look(&ca, NOW, CLOCK_NONE, &findings);
		assert_int_equal(findings.count, 1);
		assert_string_equal(findings.items[0].kind, cases[i].kind);
		assert_int_equal(
		    findings_are_critical(&findings), cases[i].is_critical);
		findings_done(&findings);
		text_set(ca.state, sizeof(ca.state), "inactive");
		health_look(&ca, NOW, CLOCK_NONE, &findings);
		assert_int_equal(findings.count, 1);
		assert_false(findings_are_critical(&findings));
		findings_done(&findings);
	}
	ca = make_ca("if-present", FAR, 0);
	ca.not_after = NOW;
	ca.crl_url = url;
	ca.crl_failure = failure;
	health_look(&ca, NOW, CLOCK_NONE, &findings);
	assert_int_equal(findings.count, 2);
	assert_string_equal(findings.items[0].kind, "ca-expired");
	assert_string_equal(findings.items[1].kind, "crl-failed");
	assert_true(findings_are_critical(&findings));
	findings_done(&findings);
}

/* The first end first, whatever was found first. */
static void
puts_the_urgent_first(void **state)
{
	static const struct finding added[] = {
	    {.kind = "5", .urgency = URGENT_LATER, .when = 1},
	    {.kind = "4", .urgency = URGENT_DATED, .when = 20},
	    {.kind = "3", .urgency = URGENT_DATED, .when = 10},
	    {.kind = "6", .urgency = URGENT_LATER, .when = 1},
	    {.kind = "1", .urgency = URGENT_NOW, .when = CLOCK_FOREVER},
	    {.kind = "2", .urgency = URGENT_SOON, .when = 5},
	};
	struct findings findings = {.items = NULL};
	size_t i, n = sizeof(added) / sizeof(added[0]);

	(void)state;
	for (i = 0; i < n; i++) {
		findings_add(&findings, &added[i], "%zu", i);
	}
	assert_int_equal(findings.count, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(findings.items[i].kind[0], '1' + (int)i);
	}
	findings_done(&findings);
}

static void
names_cas_and_orgs(void **state)
{
	struct ca_record ca = make_ca("required", NONE, 0);
	char label[CA_LABEL_MAX + 1], org[ORG_OPTION_MAX + 1];
	const char *named = "the CA factory (" ID ") requires a CRL and has "
	                    "none, so it admits nobody: store one with certid "
	                    "ca crl " ID " FILE" ORG;

	(void)state;
	ca_label(&ca, label);
	assert_string_equal(label, ID);
	text_set(ca.name, sizeof(ca.name), "factory");
	expect(ca, &named, 1);
	org_option("default", org);
	assert_string_equal(org, "");
	memset(ca.name, 'n', NAME_MAX_LEN);
	memset(ca.id, 'a', HASH_TEXT_MAX);
	ca_label(&ca, label);
	assert_int_equal(strlen(label), CA_LABEL_MAX);
	org_option(ca.name, org);
	assert_int_equal(strlen(org), ORG_OPTION_MAX);
	assert_string_equal(ca_state_shown(&ca, NOW, true), "revoked");
	assert_string_equal(
	    ca_state_shown(&ca, ca.not_after, false), "expired");
	assert_string_equal(ca_state_shown(&ca, NOW, false), "active");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_how_a_crl_does),
	    cmocka_unit_test(warns_of_the_end_of_a_ca),
	    cmocka_unit_test(warns_of_the_next_update),
	    cmocka_unit_test(warns_of_short_lives_late),
	    cmocka_unit_test(warns_of_a_crl_that_keeps_devices_out),
	    cmocka_unit_test(warns_of_what_cannot_be_fetched),
	    cmocka_unit_test(warns_of_what_waits_for_its_proof),
	    cmocka_unit_test(warns_of_several_things),
	    cmocka_unit_test(tells_what_is_critical),
	    cmocka_unit_test(puts_the_urgent_first),
	    cmocka_unit_test(names_cas_and_orgs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
