/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>

/* What a CA brings beside itself, states, codes and what was told. */

static char subject[] = "CN=A";

/* The one CA that is there, or that of the org; the caller frees config. */
static struct ca_record *
load_ca(struct registry *registry, struct config *config)
{
	suite_load(registry, config);
	assert_int_equal(config->ca_count, 1);
	return &config->cas[0];
}

/* Refused, with a sentence that has words in it. */
static void
refuse(struct registry *registry, enum change_kind kind, void *record,
    enum res want, const char *words)
{
	struct change change = suite_change(kind, record);
	struct diag why = {{0}};
	int64_t before = suite_mark(registry);

	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), want);
	if (strstr(why.text, words) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
	}
	assert_int_equal(suite_mark(registry), before);
}

static void
a_new_ca_reads_back_whole(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char url[] = "https://a/b", failure[] = "it slept";
	struct ca_record ca = suite_ca("aa", subject), *back;
	struct config config;

	(void)strcpy(ca.code, "the-code");
	ca.code_expires_at = NOW + 7;
	ca.told = 30;
	(void)strcpy(ca.crl_policy, "required");
	ca.crl_grace = 3600;
	ca.crl_url = url;
	ca.crl_failure = failure;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	back = load_ca(registry, &config);
	assert_string_equal(back->code, "the-code");
	assert_int_equal(back->code_expires_at, NOW + 7);
	assert_int_equal(back->told, 30);
	assert_string_equal(back->crl_policy, "required");
	assert_int_equal(back->crl_grace, 3600);
	assert_string_equal(back->crl_url, url);
	assert_string_equal(back->crl_failure, failure);
	assert_null(back->crl.der);
	config_done(&config);
}

static void
a_bare_ca_has_none_of_it(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = suite_ca("aa", subject), *back;
	struct config config;

	ca.code_expires_at = NOW; /* means nothing without a code */
	(void)strcpy(ca.crl.number, "nor does this without a list");
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	back = load_ca(registry, &config);
	assert_string_equal(back->code, "");
	assert_int_equal(back->code_expires_at, CLOCK_NONE);
	assert_int_equal(back->told, 0);
	assert_string_equal(back->crl_policy, "if-present");
	assert_int_equal(back->crl_grace, 0);
	assert_null(back->crl_url);
	assert_null(back->crl_failure);
	assert_null(back->crl.der);
	assert_string_equal(back->crl.number, "");
	config_done(&config);
}

/* A CA that could not be read back, one defect each. */
static void
harm(struct ca_record *ca, int defect)
{
	static char empty[] = "";

	switch (defect) {
	case 0:
		ca->crl_policy[0] = '\0';
		break;
	case 1:
		(void)strcpy(ca->crl_policy, "maybe");
		break;
	case 2:
		(void)strcpy(ca->crl_policy, "Off");
		break;
	case 3:
		ca->crl_grace = -1;
		break;
	case 4:
		ca->crl_url = empty;
		break;
	case 5: /* from here on what only a new CA has */
		ca->crl_failure = empty;
		break;
	case 6:
		ca->told = TOLD_MAX + 1;
		break;
	case 7:
		ca->told = TOLD_EXPIRED - 1;
		break;
	case 8:
		(void)strcpy(ca->code, "code");
		ca->code_expires_at = CLOCK_NONE;
		break;
	default:
		ca->crl = suite_crl("1", 1);
		break;
	}
}

static void
a_defective_ca_is_refused(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca, good = suite_ca("aa", subject);
	struct config config;
	int defect;

	for (defect = 0; defect <= 9; defect++) {
		ca = suite_ca("aa", subject);
		harm(&ca, defect);
		suite_expect(registry, CHANGE_CA_ADD, &ca, RES_REFUSED);
		assert_string_equal(ca.id, "");
	}
	suite_expect(registry, CHANGE_CA_ADD, &good, RES_OK);
	for (defect = 0; defect <= 4; defect++) {
		ca = suite_ca("aa", subject);
		harm(&ca, defect);
		suite_expect(registry, CHANGE_CA_SET, &ca, RES_REFUSED);
	}
	assert_string_equal(
	    load_ca(registry, &config)->crl_policy, "if-present");
	config_done(&config);
}

static void
terms_are_set_and_the_rest_stays(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char url[] = "https://a/b";
	struct ca_record ca = suite_ca("aa", subject), *back;
	struct config config;

	(void)strcpy(ca.code, "the-code");
	ca.code_expires_at = NOW + 7;
	ca.told = 7;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	ca.code[0] = '\0';
	ca.told = 0;
	(void)strcpy(ca.crl_policy, "off");
	ca.crl_grace = INT64_MAX;
	ca.crl_url = url;
	suite_expect(registry, CHANGE_CA_SET, &ca, RES_OK);
	back = load_ca(registry, &config);
	assert_string_equal(back->crl_policy, "off");
	assert_int_equal(back->crl_grace, INT64_MAX);
	assert_string_equal(back->crl_url, url);
	assert_string_equal(back->code, "the-code");
	assert_int_equal(back->code_expires_at, NOW + 7);
	assert_int_equal(back->told, 7);
	assert_null(back->crl.der);
	config_done(&config);
}

static void
an_unproven_ca_stays_so(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static const char words[] =
	    "the CA aa00000000000000 waits for proof of "
	    "possession: certid ca code "
	    "aa00000000000000, then certid ca verify "
	    "aa00000000000000 FILE";
	static const char as_it_is[] =
	    "the CA aa00000000000000 waits for proof of possession and admits "
	    "nobody as it is: nothing was changed";
	struct ca_record ca = suite_ca("aa", subject);
	struct config config;

	(void)strcpy(ca.state, "unproven");
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	(void)strcpy(ca.state, "active");
	refuse(registry, CHANGE_CA_STATE, &ca, RES_REFUSED, words);
	(void)strcpy(ca.state, "inactive");
	refuse(registry, CHANGE_CA_STATE, &ca, RES_REFUSED, as_it_is);
	(void)strcpy(ca.state, "unproven");
	suite_expect(registry, CHANGE_CA_STATE, &ca, RES_EXISTS);
	(void)strcpy(ca.state, "active");
	suite_expect(registry, CHANGE_CA_SET, &ca, RES_OK);
	assert_string_equal(load_ca(registry, &config)->state, "unproven");
	config_done(&config);
}

static void
a_code_takes_the_place_of_the_last(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = suite_ca("aa", subject), *back;
	struct config config;

	(void)strcpy(ca.code, "one");
	ca.code_expires_at = NOW + 1;
	suite_expect(registry, CHANGE_CA_CODE, &ca, RES_NOTFOUND);
	ca.code[0] = '\0';
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_CODE, &ca, RES_REFUSED);
	(void)strcpy(ca.code, "one");
	suite_expect(registry, CHANGE_CA_CODE, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_CODE, &ca, RES_OK);
	ca.code_expires_at = CLOCK_NONE;
	suite_expect(registry, CHANGE_CA_CODE, &ca, RES_REFUSED);
	memset(ca.code, 'f', PROOF_CODE_MAX);
	ca.code[PROOF_CODE_MAX] = '\0';
	ca.code_expires_at = NOW + 2;
	suite_expect(registry, CHANGE_CA_CODE, &ca, RES_OK);
	back = load_ca(registry, &config);
	assert_string_equal(back->code, ca.code);
	assert_int_equal(back->code_expires_at, NOW + 2);
	assert_string_equal(back->state, "active");
	config_done(&config);
}

/* Changes are made at NOW. */
static const struct {
	const char *state, *code;
	int64_t expires_at;
	const char *given;
	enum res want;
} proofs[] = {
    {"unproven", "c0de", NOW + 1, "c0de", RES_OK},
    {"inactive", "c0de", NOW + 1, "c0de", RES_OK},
    {"active", "c0de", CLOCK_FOREVER, "c0de", RES_OK},
    {"unproven", "c0de", NOW, "c0de", RES_REFUSED},
    {"unproven", "c0de", NOW - 1, "c0de", RES_REFUSED},
    {"unproven", "c0de", 0, "c0de", RES_REFUSED},
    {"unproven", "c0de", NOW + 1, "c0df", RES_REFUSED},
    {"unproven", "c0de", NOW + 1, "C0DE", RES_REFUSED},
    {"unproven", "c0de", NOW + 1, "c0d", RES_REFUSED},
    {"unproven", "c0de", NOW + 1, "c0dec", RES_REFUSED},
    {"unproven", "c0de", NOW + 1, "%", RES_REFUSED},
    {"unproven", "c0de", NOW + 1, "", RES_REFUSED},
    {"unproven", "", 0, "", RES_REFUSED},
    {"unproven", "", 0, "c0de", RES_REFUSED},
    {"inactive", "c0de", NOW, "c0de", RES_REFUSED},
};

static void
check_proof(struct registry *registry, size_t i)
{
	struct ca_record ca = suite_ca("aa", subject), given = {0}, *back;
	bool done = proofs[i].want == RES_OK;
	struct config config;

	(void)strcpy(ca.state, proofs[i].state);
	(void)strcpy(ca.code, proofs[i].code);
	ca.code_expires_at = proofs[i].expires_at;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	memcpy(given.fingerprint, ca.fingerprint, HASH_LEN);
	(void)strcpy(given.code, proofs[i].given);
	suite_expect(registry, CHANGE_CA_PROVE, &given, proofs[i].want);
	back = load_ca(registry, &config);
	assert_string_equal(back->state, done ? "active" : proofs[i].state);
	assert_string_equal(back->code, done ? "" : proofs[i].code);
	assert_int_equal(back->code_expires_at,
	    done || proofs[i].code[0] == '\0' ? CLOCK_NONE
	                                      : proofs[i].expires_at);
	config_done(&config);
	suite_expect(registry, CHANGE_CA_REMOVE, &ca, RES_OK);
}

static void
a_proof_wants_the_code_in_its_time(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	size_t i;

	for (i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		check_proof(registry, i);
	}
}

static void
a_code_is_burnt_once(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static const char words[] =
	    "the code is not the one that was given out last, or it has "
	    "expired: print a new one with certid ca code aa00000000000000";
	struct ca_record ca = suite_ca("aa", subject);

	(void)strcpy(ca.code, "one");
	ca.code_expires_at = NOW + 1;
	suite_expect(registry, CHANGE_CA_PROVE, &ca, RES_NOTFOUND);
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_PROVE, &ca, RES_OK);
	refuse(registry, CHANGE_CA_PROVE, &ca, RES_REFUSED, words);
	ca.code[0] = '\0'; /* which is not what a burnt one is */
	refuse(registry, CHANGE_CA_PROVE, &ca, RES_REFUSED, "not complete");
	/* It is worth as much as any other when it is given out again. */
	(void)strcpy(ca.code, "two");
	suite_expect(registry, CHANGE_CA_CODE, &ca, RES_OK);
	(void)strcpy(ca.code, "one");
	refuse(registry, CHANGE_CA_PROVE, &ca, RES_REFUSED, words);
	(void)strcpy(ca.code, "two");
	suite_expect(registry, CHANGE_CA_PROVE, &ca, RES_OK);
}

static void
a_code_is_for_its_own_ca(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record a = suite_ca("aa", subject),
	                 b = suite_ca("bb", subject),
	                 c = suite_ca("aa", subject);
	struct org org = {.name = "plant", .created_at = NOW};
	struct change change = suite_change(CHANGE_CA_ADD, &c);
	struct config config;
	struct diag why;
	size_t i;

	(void)strcpy(a.state, "unproven");
	(void)strcpy(b.state, "unproven");
	(void)strcpy(c.state, "unproven");
	(void)strcpy(a.code, "for-a");
	(void)strcpy(b.code, "for-b");
	a.code_expires_at = b.code_expires_at = NOW + 1;
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	suite_expect(registry, CHANGE_CA_ADD, &a, RES_OK);
	suite_expect(registry, CHANGE_CA_ADD, &b, RES_OK);
	change.org = "plant"; /* the same CA, without a code */
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_OK);
	(void)strcpy(a.code, "for-b");
	suite_expect(registry, CHANGE_CA_PROVE, &a, RES_REFUSED);
	(void)strcpy(c.code, "for-a");
	change.kind = CHANGE_CA_PROVE;
	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), RES_REFUSED);
	(void)strcpy(a.code, "for-a");
	suite_expect(registry, CHANGE_CA_PROVE, &a, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.ca_count, 3);
	assert_string_equal(config.cas[0].state, "active");
	for (i = 1; i < 3; i++) {
		assert_string_equal(config.cas[i].state, "unproven");
	}
	assert_string_equal(config.cas[1].code, "for-b");
	config_done(&config);
}

static void
it_is_told_once(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static const int days[] = {90, 30, 7, 1, TOLD_EXPIRED, 0};
	static const int wrong[] = {91, -2, INT32_MAX, INT32_MIN};
	struct ca_record ca = suite_ca("aa", subject);
	struct config config;
	size_t i;

	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_NOTFOUND);
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_EXISTS);
	for (i = 0; i < 6; i++) {
		ca.told = days[i];
		suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_OK);
		suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_EXISTS);
		assert_int_equal(load_ca(registry, &config)->told, days[i]);
		config_done(&config);
	}
	for (i = 0; i < 4; i++) {
		ca.told = wrong[i];
		suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_REFUSED);
	}
}

/* One change of each kind that is answered "no", between two that are made. */
static void
each_is_answered_by_itself(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = suite_ca("aa", subject), none = ca, coded = ca,
	                 wrong = ca, unknown = suite_ca("bb", subject);
	static const enum res want[] = {RES_OK, RES_OK, RES_REFUSED,
	    RES_REFUSED, RES_NOTFOUND, RES_EXISTS, RES_REFUSED, RES_OK};
	struct change changes[8];
	struct config config;
	struct diag why;
	size_t i;

	(void)strcpy(ca.state, "unproven");
	(void)strcpy(coded.code, "right");
	(void)strcpy(wrong.code, "wrong");
	coded.code_expires_at = wrong.code_expires_at = NOW + 1;
	changes[0] = suite_change(CHANGE_CA_ADD, &ca);
	changes[1] = suite_change(CHANGE_CA_CODE, &coded);
	changes[2] = suite_change(CHANGE_CA_PROVE, &wrong);
	changes[3] = suite_change(CHANGE_CA_STATE, &none);
	changes[4] = suite_change(CHANGE_CA_CRL_CHECKED, &unknown);
	changes[5] = suite_change(CHANGE_CA_TOLD, &none);
	changes[6] = suite_change(CHANGE_CA_CRL, &none); /* without one */
	changes[7] = suite_change(CHANGE_CA_PROVE, &coded);
	assert_int_equal(
	    registry_apply(registry, changes, 8, APPLY_EACH, &why), RES_OK);
	for (i = 0; i < 8; i++) {
		assert_int_equal(changes[i].result, want[i]);
	}
	assert_int_equal(suite_mark(registry), 3);
	assert_string_equal(load_ca(registry, &config)->state, "active");
	config_done(&config);
}

static void
all_are_undone_with_one(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = suite_ca("aa", subject), coded = ca, told = ca;
	struct change changes[3];
	struct config config;
	struct diag why;

	(void)strcpy(ca.state, "unproven");
	(void)strcpy(coded.code, "right");
	coded.code_expires_at = NOW + 1;
	told.told = 7;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_CODE, &coded, RES_OK);
	changes[0] = suite_change(CHANGE_CA_PROVE, &coded);
	changes[1] = suite_change(CHANGE_CA_TOLD, &told);
	changes[2] = suite_change(CHANGE_CA_PROVE, &coded); /* burnt by now */
	assert_int_equal(
	    registry_apply(registry, changes, 3, APPLY_ALL, &why), RES_REFUSED);
	assert_int_equal(changes[0].result, RES_UNAVAIL);
	assert_int_equal(changes[1].result, RES_UNAVAIL);
	assert_int_equal(changes[2].result, RES_REFUSED);
	assert_int_equal(suite_mark(registry), 2);
	assert_string_equal(load_ca(registry, &config)->state, "unproven");
	assert_string_equal(config.cas[0].code, "right");
	assert_int_equal(config.cas[0].told, 0);
	config_done(&config);
}

int
suite_ca_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(a_new_ca_reads_back_whole),
	    SUITE_TEST(a_bare_ca_has_none_of_it),
	    SUITE_TEST(a_defective_ca_is_refused),
	    SUITE_TEST(terms_are_set_and_the_rest_stays),
	    SUITE_TEST(an_unproven_ca_stays_so),
	    SUITE_TEST(a_code_takes_the_place_of_the_last),
	    SUITE_TEST(a_proof_wants_the_code_in_its_time),
	    SUITE_TEST(a_code_is_burnt_once),
	    SUITE_TEST(a_code_is_for_its_own_ca),
	    SUITE_TEST(it_is_told_once),
	    SUITE_TEST(each_is_answered_by_itself),
	    SUITE_TEST(all_are_undone_with_one),
	};

	return cmocka_run_group_tests_name("ca", tests, NULL, NULL);
}
