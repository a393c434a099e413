/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "ctl/health.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"

#define NOW  ((int64_t)1800000000) /* 2027-01-15T08:00:00Z */
#define DAY  ((int64_t)86400)
#define FAR  (1000 * DAY)
#define NONE INT64_MIN /* in a table: no CRL, no code */

#define ID     "0123456789abcdef"
#define CA     "org acme: the CA " ID " "
#define CRL    "org acme: the CRL of the CA " ID " "
#define STORE  ": store a newer one with certid ca crl " ID " FILE"
#define WAITS  CA "waits for proof of possession and admits nobody"
#define NOBODY "the CA admits nobody"

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

/* The warnings, exactly; ca is a copy. */
static void
expect(struct ca_record ca, const char *const *want, size_t n)
{
	struct call call = {.json = true, .now = NOW};
	struct json *warnings = json_array();
	char **texts = NULL, *text;
	size_t count = 0, i;

	health_warn(&call, &ca, warnings);
	text = json_print(warnings);
	assert_non_null(text);
	assert_int_equal(
	    json_read_texts(text, 16, &texts, &count, NULL), RES_OK);
	for (i = 0; i < count && i < n; i++) {
		assert_string_equal(texts[i], want[i]);
	}
	if (count != n) {
		fail_msg("%zu warnings, not %zu: %s", count, n, text);
	}
	json_texts_free(texts, count);
	free(text);
	json_free(warnings);
}

#define EXPECT(ca, ...)                                                        \
	do {                                                                   \
		const char *const want[] = {__VA_ARGS__};                      \
		expect(ca, want, sizeof(want) / sizeof(want[0]));              \
	} while (0)

static const struct {
	int64_t not_after; /* from now */
	const char *want;  /* NULL: nothing */
} ends[] = {
    {FAR, NULL},
    {90 * DAY + 1, NULL},
    {90 * DAY, CA "expires within 90 days, at 2027-04-15T08:00:00Z"},
    {30 * DAY, CA "expires within 30 days, at 2027-02-14T08:00:00Z"},
    {7 * DAY, CA "expires within 7 days, at 2027-01-22T08:00:00Z"},
    {1 * DAY, CA "expires within 1 day, at 2027-01-16T08:00:00Z"},
    {1, CA "expires within 1 day, at 2027-01-15T08:00:01Z"},
    {0, CA "expired at 2027-01-15T08:00:00Z"},
    {-FAR, CA "expired at 2024-04-20T08:00:00Z"},
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

#define IN_DAYS(n, when) CRL "expires within " n ", at " when STORE

static const struct {
	int64_t next_update; /* from now */
	const char *by_hand; /* NULL: nothing */
	const char *when_fetched;
} updates[] = {
    {90 * DAY + 1, NULL, NULL},
    {90 * DAY, IN_DAYS("90 days", "2027-04-15T08:00:00Z"), NULL},
    {30 * DAY, IN_DAYS("30 days", "2027-02-14T08:00:00Z"), NULL},
    {7 * DAY, IN_DAYS("7 days", "2027-01-22T08:00:00Z"), NULL},
    {DAY + 1, IN_DAYS("7 days", "2027-01-16T08:00:01Z"), NULL},
    {DAY, IN_DAYS("1 day", "2027-01-16T08:00:00Z"),
        IN_DAYS("1 day", "2027-01-16T08:00:00Z")},
};

static void
warns_of_the_next_update(void **state)
{
	static char url[] = "https://crl.example.com/";
	const char *by_hand, *fetched;
	struct ca_record ca;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
		by_hand = updates[i].by_hand;
		fetched = updates[i].when_fetched;
		ca = make_ca("if-present", updates[i].next_update, 0);
		expect(ca, &by_hand, by_hand == NULL ? 0 : 1);
		/* It was fetched once, but is not any more. */
		ca.crl.fetched = true;
		expect(ca, &by_hand, by_hand == NULL ? 0 : 1);
		ca.crl_url = url;
		expect(ca, &fetched, fetched == NULL ? 0 : 1);
		text_set(ca.crl_policy, sizeof(ca.crl_policy), "off");
		expect(ca, NULL, 0);
	}
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
	EXPECT(ca, IN_DAYS("1 day", "2027-01-15T14:00:00Z"));
}

static void
warns_of_a_crl_that_keeps_devices_out(void **state)
{
	(void)state;
	EXPECT(make_ca("required", NONE, 0),
	    CA "requires a CRL and has none, so it admits nobody: store one "
	       "with certid ca crl " ID " FILE");
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
    {"unproven", "", NONE, WAITS ": begin with certid ca code " ID},
    {"unproven", "c0de", 1,
        WAITS ": certid ca verify " ID " FILE ends that, until "
              "2027-01-15T08:00:01Z"},
    {"unproven", "c0de", 0,
        WAITS ", and its registration code expired at 2027-01-15T08:00:00Z: "
              "certid ca code " ID " gives a new one"},
    {"unproven", "c0de", -DAY,
        WAITS ", and its registration code expired at 2027-01-14T08:00:00Z: "
              "certid ca code " ID " gives a new one"},
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
	EXPECT(ca, CA "expired at 2027-01-15T08:00:00Z",
	    WAITS ": begin with certid ca code " ID,
	    CRL "is stale since 2027-01-15T07:59:59Z, its grace of 0s is over, "
	        "and under the policy required " NOBODY STORE,
	    CRL "cannot be fetched: HTTP 404");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
