/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Codes, lists and warnings of CAs: what operators and the broker do to them,
 * on the back end in memory. */
#include "test/unit/registry/edit_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define ID "ab00000000000000"
#define LONG                                                                   \
	"a-code-that-is-longer-than-any-registration-code-of-a-ca-may-ever-be"

static char subject[] = "CN=A";

static struct crl_record
make_crl(const char *tail, uint8_t first)
{
	static uint8_t der[] = {0x30, 0x00};
	struct crl_record crl = {.der = der,
	    .der_len = sizeof(der),
	    .number = "0000000000000000000000000000000000000000",
	    .this_update = NOW - 60,
	    .next_update = INT64_C(1796083200),
	    .entries = 3,
	    .modified_at = CLOCK_NONE,
	    .fingerprint = {first}};
	size_t len = strlen(tail);

	memcpy(crl.number + CRL_NUMBER_LEN - len, tail, len);
	return crl;
}

/* A CA that is in the registry. */
static struct ca_record
add(const struct edit *edit, const char *state)
{
	struct ca_record ca = edit_make_ca(0xab, subject);
	struct diag why = {{0}};

	(void)strcpy(ca.state, state);
	assert_int_equal(edit_ca_add(edit, &ca, &why), RES_OK);
	return ca;
}

/* What the registry has of it, in fixed parts alone. */
static struct ca_record
stored(const struct edit *edit)
{
	struct config config = edit_load(edit);
	struct ca_record ca;

	assert_int_equal(config.ca_count, 1);
	ca = config.cas[0];
	config_done(&config);
	ca.crl.der = NULL;
	return ca;
}

static void
an_unproven_ca_waits(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "unproven");
	struct diag why = {{0}};
	int64_t before = edit_mark(edit);

	assert_int_equal(edit_ca_state(edit, &ca, "active", &why), RES_REFUSED);
	assert_string_equal(why.text,
	    "the CA " ID " waits for proof of possession: certid ca code " ID
	    ", then certid ca verify " ID " FILE");
	assert_string_equal(ca.state, "unproven");
	assert_int_equal(
	    edit_ca_state(edit, &ca, "inactive", &why), RES_REFUSED);
	assert_string_equal(ca.state, "unproven");
	assert_int_equal(edit_ca_state(edit, &ca, "unproven", &why), RES_OK);
	assert_int_equal(edit_mark(edit), before);
}

static void
a_code_is_given_out(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "unproven"), back;
	struct diag why = {{0}};

	assert_int_equal(
	    edit_ca_code(edit, &ca, "5ec2e7", NOW + 60, &why), RES_OK);
	edit_must_tell(edit,
	    "default setting-changed " ID ": new registration code, valid "
	    "until 2027-01-15T08:01:00Z");
	assert_string_equal(ca.code, "5ec2e7");
	assert_int_equal(ca.code_expires_at, NOW + 60);
	assert_string_equal(ca.state, "unproven");
	back = stored(edit);
	assert_string_equal(back.code, "5ec2e7");
	assert_int_equal(back.code_expires_at, NOW + 60);
}

static void
a_code_that_is_signed_activates(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "unproven"), back;
	struct diag why = {{0}};
	int64_t before;

	assert_int_equal(
	    edit_ca_code(edit, &ca, "5ec2e7", NOW + 60, &why), RES_OK);
	assert_int_equal(edit_ca_prove(edit, &ca, "5ec2e7", &why), RES_OK);
	edit_must_tell(edit, "default ca-proven " ID ": unproven -> active");
	assert_string_equal(ca.state, "active");
	assert_string_equal(ca.code, "");
	assert_int_equal(ca.code_expires_at, CLOCK_NONE);
	back = stored(edit);
	assert_string_equal(back.state, "active");
	assert_string_equal(back.code, "");
	before = edit_mark(edit);
	assert_int_equal(edit_ca_prove(edit, &ca, "5ec2e7", &why), RES_REFUSED);
	assert_string_equal(why.text,
	    "the code is not the one that was given out last, or it has "
	    "expired: print a new one with certid ca code " ID);
	assert_int_equal(edit_mark(edit), before);
}

/* What is refused leaves the caller's record and the registry as they were. */
static void
codes_are_refused(void **state)
{
	struct edit *edit = *state, late = *edit;
	struct ca_record ca = add(edit, "unproven"), was, back,
	                 other = edit_make_ca(0xcd, subject);
	struct diag why = {{0}};
	const struct {
		const struct edit *edit;
		struct ca_record *ca;
		const char *code;
		enum res want;
	} cases[] = {
	    {edit, &ca, "", RES_SYNTAX},
	    {edit, &ca, LONG, RES_LIMIT},
	    {edit, &ca, "5EC2E7", RES_REFUSED},
	    {edit, &ca, "5ec2e", RES_REFUSED},
	    {edit, &ca, "5ec2e77", RES_REFUSED},
	    {&late, &ca, "5ec2e7", RES_REFUSED},
	    {edit, &other, "5ec2e7", RES_NOTFOUND},
	};
	int64_t before;
	size_t i;

	late.now = NOW + 60;
	assert_int_equal(
	    edit_ca_code(edit, &ca, "5ec2e7", NOW + 60, &why), RES_OK);
	before = edit_mark(edit);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		was = *cases[i].ca;
		why.text[0] = '\0';
		assert_int_equal(edit_ca_prove(cases[i].edit, cases[i].ca,
		                     cases[i].code, &why),
		    cases[i].want);
		assert_string_not_equal(why.text, "");
		assert_memory_equal(cases[i].ca, &was, sizeof(was));
	}
	assert_int_equal(
	    edit_ca_code(edit, &ca, "", NOW + 60, &why), RES_SYNTAX);
	assert_int_equal(
	    edit_ca_code(edit, &ca, LONG, NOW + 60, &why), RES_LIMIT);
	assert_int_equal(
	    edit_ca_code(edit, &ca, "c", CLOCK_NONE, &why), RES_REFUSED);
	assert_int_equal(
	    edit_ca_code(edit, &other, "c", NOW, &why), RES_NOTFOUND);
	assert_int_equal(edit_mark(edit), before);
	assert_string_equal(ca.code, "5ec2e7");
	back = stored(edit);
	assert_string_equal(back.code, "5ec2e7");
	assert_string_equal(back.state, "unproven");
}

static void
a_crl_is_stored_and_told_of(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "active"), back;
	struct diag why = {{0}};
	int64_t before;

	ca.crl = make_crl("1a", 1);
	ca.crl.told = 7;
	ca.crl_failure = strdup("404");
	assert_int_equal(edit_ca_crl(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default crl-updated " ID ": number 0x1a, 3 entries, next update "
	    "2026-12-01T00:00:00Z");
	assert_int_equal(ca.crl.stored_at, NOW);
	assert_int_equal(ca.crl.told, 0);
	assert_null(ca.crl_failure);
	back = stored(edit);
	assert_int_equal(back.crl.stored_at, NOW);
	assert_int_equal(back.crl.fingerprint[0], 1);

	before = edit_mark(edit);
	edit->now = NOW + 5;
	why.text[0] = '\0';
	ca.crl.told = 7;
	ca.crl_failure = strdup("404");
	assert_int_equal(edit_ca_crl(edit, &ca, &why), RES_OK);
	assert_string_equal(why.text, "");
	assert_int_equal(edit_mark(edit), before);
	assert_int_equal(stored(edit).crl.stored_at, NOW);
	assert_int_equal(ca.crl.told, 7);
	assert_string_equal(ca.crl_failure, "404");

	ca.crl = make_crl("19", 2);
	assert_int_equal(edit_ca_crl(edit, &ca, &why), RES_REFUSED);
	assert_string_equal(why.text,
	    "the CRL is older than the one that is stored (number 0x1a of "
	    "2027-01-15T07:59:00Z), and nothing was changed: get the newest "
	    "list from the CA");
	assert_int_equal(edit_mark(edit), before);
	assert_string_equal(ca.crl_failure, "404");
	free(ca.crl_failure);
}

static void
the_words_of_a_crl_count(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "unproven");
	struct diag why = {{0}};

	ca.crl = make_crl("0", 1);
	ca.crl.entries = 0;
	assert_int_equal(edit_ca_crl(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default crl-updated " ID ": number 0x0, 0 entries, next update "
	    "2026-12-01T00:00:00Z");
	ca.crl = make_crl("100", 2);
	ca.crl.entries = 1;
	assert_int_equal(edit_ca_crl(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default crl-updated " ID ": number 0x100, 1 entry, next update "
	    "2026-12-01T00:00:00Z");
	memset(ca.crl.number, 'f', CRL_NUMBER_LEN);
	ca.crl.fingerprint[0] = 3;
	assert_int_equal(edit_ca_crl(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default crl-updated " ID
	    ": number 0xffffffffffffffffffffffffffffffffffffffff, 1 entry, "
	    "next update 2026-12-01T00:00:00Z");
}

static void
a_failure_is_told_once(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "active"),
	                 other = edit_make_ca(0xcd, subject);
	static const struct {
		const char *failure;
		const char *tells; /* NULL: no event */
	} steps[] = {
	    {NULL, NULL},
	    {"404", "default crl-failed " ID ": 404"},
	    {"404", NULL},
	    {"it slept", "default crl-failed " ID ": it slept"},
	    {"404", "default crl-failed " ID ": 404"},
	    {NULL, NULL},
	    {NULL, NULL},
	    {"404", "default crl-failed " ID ": 404"},
	};
	struct diag why = {{0}};
	struct config config;
	int64_t before;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		before = edit_mark(edit);
		assert_int_equal(
		    edit_ca_crl_checked(edit, &ca, steps[i].failure, &why),
		    RES_OK);
		assert_int_equal(
		    edit_mark(edit), before + (steps[i].tells != NULL));
		if (steps[i].tells != NULL) {
			edit_must_tell(edit, steps[i].tells);
		}
		config = edit_load(edit);
		assert_int_equal(config.cas[0].crl_failure == NULL,
		    steps[i].failure == NULL);
		assert_int_equal(
		    ca.crl_failure == NULL, steps[i].failure == NULL);
		config_done(&config);
	}
	/* Its own text may be given back to it. */
	assert_int_equal(
	    edit_ca_crl_checked(edit, &ca, ca.crl_failure, &why), RES_OK);
	assert_string_equal(ca.crl_failure, "404");
	assert_int_equal(edit_ca_crl_checked(edit, &ca, "", &why), RES_REFUSED);
	assert_int_equal(
	    edit_ca_crl_checked(edit, &other, "404", &why), RES_NOTFOUND);
	assert_int_equal(
	    edit_ca_crl_checked(edit, &other, NULL, &why), RES_NOTFOUND);
	assert_null(other.crl_failure);
	free(ca.crl_failure);
}

static void
what_expires_is_told_once(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "active"),
	                 other = edit_make_ca(0xcd, subject);
	struct diag why = {{0}};
	int64_t before;

	ca.crl = make_crl("1", 1);
	assert_int_equal(edit_ca_crl(edit, &ca, &why), RES_OK);
	before = edit_mark(edit);
	assert_int_equal(edit_ca_told(edit, &ca, "soon", &why), RES_OK);
	assert_int_equal(edit_mark(edit), before);
	ca.told = 30;
	assert_int_equal(edit_ca_told(edit, &ca, "in 30 days", &why), RES_OK);
	edit_must_tell(edit, "default ca-expiring " ID ": in 30 days");
	ca.crl.told = TOLD_EXPIRED;
	assert_int_equal(edit_ca_told(edit, &ca, "its CRL", &why), RES_OK);
	edit_must_tell(edit, "default ca-expiring " ID ": its CRL");
	before = edit_mark(edit);
	assert_int_equal(edit_ca_told(edit, &ca, "again", &why), RES_OK);
	assert_int_equal(edit_ca_told(edit, &other, "x", &why), RES_NOTFOUND);
	ca.told = TOLD_MAX + 1;
	assert_int_equal(edit_ca_told(edit, &ca, "x", &why), RES_REFUSED);
	assert_int_equal(edit_mark(edit), before);
	assert_int_equal(stored(edit).told, 30);
	assert_int_equal(stored(edit).crl.told, TOLD_EXPIRED);
}

static void
terms_are_told_of(void **state)
{
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "active");
	char url[] = "https://a/crl";
	struct diag why = {{0}};
	int64_t before;

	(void)strcpy(ca.crl_policy, "required");
	ca.crl_grace = 172800;
	ca.crl_url = url;
	assert_int_equal(edit_ca_set(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default setting-changed " ID ": crl-policy if-present -> "
	    "required, crl-grace 0s -> 48h, crl-url none -> https://a/crl");
	(void)strcpy(ca.enrol, "listed");
	ca.crl_grace = 0;
	ca.crl_url = NULL;
	assert_int_equal(edit_ca_set(edit, &ca, &why), RES_OK);
	edit_must_tell(edit,
	    "default setting-changed " ID ": enrol of the type -> listed, "
	    "crl-grace 48h -> 0s, crl-url https://a/crl -> none");
	before = edit_mark(edit);
	(void)strcpy(ca.crl_policy, "maybe");
	assert_int_equal(edit_ca_set(edit, &ca, &why), RES_REFUSED);
	ca.crl_policy[0] = '\0';
	assert_int_equal(edit_ca_set(edit, &ca, &why), RES_REFUSED);
	assert_int_equal(edit_mark(edit), before);
	assert_string_equal(stored(edit).crl_policy, "required");
}

/* The query of a URL may hold a password. */
static void
queries_are_not_told(void **state)
{
	static const struct {
		const char *url, *says;
	} steps[] = {
	    {"https://a/crl?key=secret", "none -> https://a/crl?..."},
	    {"https://a/crl?key=secret2", "https://a/crl, another query"},
	    {"https://b/?secret", "https://a/crl?... -> https://b/?..."},
	    {"https://b/", "https://b/, another query"},
	    {"https://b/c", "https://b/ -> https://b/c"},
	};
	struct edit *edit = *state;
	struct ca_record ca = add(edit, "active");
	char said[160];
	struct diag why = {{0}};
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ca.crl_url = strdup(steps[i].url);
		assert_non_null(ca.crl_url);
		assert_int_equal(edit_ca_set(edit, &ca, &why), RES_OK);
		(void)snprintf(said, sizeof(said),
		    "default setting-changed " ID ": crl-url %s",
		    steps[i].says);
		edit_must_tell(edit, said);
		free(ca.crl_url);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    EDIT_TEST(an_unproven_ca_waits),
	    EDIT_TEST(a_code_is_given_out),
	    EDIT_TEST(a_code_that_is_signed_activates),
	    EDIT_TEST(codes_are_refused),
	    EDIT_TEST(a_crl_is_stored_and_told_of),
	    EDIT_TEST(the_words_of_a_crl_count),
	    EDIT_TEST(a_failure_is_told_once),
	    EDIT_TEST(what_expires_is_told_once),
	    EDIT_TEST(terms_are_told_of),
	    EDIT_TEST(queries_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
