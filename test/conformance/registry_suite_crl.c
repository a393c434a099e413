/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>

/* The revocation lists of CAs. */

#define NUMBER_MAX "ffffffffffffffffffffffffffffffffffffffff"

static char subject[] = "CN=A";

/* The one CA that is there; the caller frees config. */
static struct ca_record *
load_ca(struct registry *registry, struct config *config)
{
	suite_load(registry, config);
	assert_int_equal(config->ca_count, 1);
	return &config->cas[0];
}

static void
must_be_crl(const struct crl_record *back, const struct crl_record *want)
{
	assert_int_equal(back->der_len, want->der_len);
	assert_memory_equal(back->der, want->der, want->der_len);
	assert_memory_equal(back->fingerprint, want->fingerprint, HASH_LEN);
	assert_string_equal(back->number, want->number);
	assert_int_equal(back->this_update, want->this_update);
	assert_int_equal(back->next_update, want->next_update);
	assert_int_equal(back->entries, want->entries);
	assert_int_equal(back->stored_at, want->stored_at);
	assert_int_equal(back->fetched, want->fetched);
	assert_int_equal(back->modified_at, want->modified_at);
	assert_int_equal(back->told, want->told);
}

/* The CA has this list; NULL: none. */
static void
must_have(struct registry *registry, const struct crl_record *want)
{
	struct config config;
	const struct ca_record *ca = load_ca(registry, &config);

	if (want == NULL) {
		assert_null(ca->crl.der);
		assert_string_equal(ca->crl.number, "");
	} else {
		must_be_crl(&ca->crl, want);
	}
	config_done(&config);
}

/* A CA that is in the registry, with a list that is not. */
static struct ca_record
add_ca(struct registry *registry)
{
	struct ca_record ca = suite_ca("aa", subject);

	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	ca.crl = suite_crl("1a", 1);
	return ca;
}

static void
a_crl_reads_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	uint8_t der[] = {0x30, 0, 0xff, 1};
	struct ca_record ca = suite_ca("aa", subject);

	ca.crl = suite_crl("1a", 1);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_NOTFOUND);
	ca.crl.der = NULL;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	must_have(registry, NULL);
	ca.crl = suite_crl("1a", 1);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	must_have(registry, &ca.crl);

	ca.crl = (struct crl_record){.der = der,
	    .der_len = sizeof(der),
	    .number = NUMBER_MAX,
	    .this_update = -1,
	    .next_update = INT64_MAX,
	    .entries = INT64_MAX,
	    .stored_at = 0,
	    .fetched = true,
	    .modified_at = 0};
	memset(ca.crl.fingerprint, 0xff, HASH_LEN);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	must_have(registry, &ca.crl);
}

/* What is there, what comes, all at NOW plus so many seconds. */
static const struct {
	const char *there;
	int64_t there_at;
	const char *comes;
	int64_t comes_at;
	enum res want;
} orders[] = {
    {"1a", 0, "1b", 0, RES_OK},
    {"1a", 0, "1b", -99, RES_OK},
    {"1a", 0, "1a", 1, RES_OK},
    {"1a", 0, "1a", 0, RES_REFUSED},
    {"1a", 0, "1a", -1, RES_REFUSED},
    {"1a", 0, "19", 0, RES_REFUSED},
    {"1a", 0, "19", 99, RES_REFUSED},
    {"1a", 0, "0", 99, RES_REFUSED},
    {"9", 0, "a", 0, RES_OK},
    {"a", 0, "9", 0, RES_REFUSED},
    {"ff", 0, "100", 0, RES_OK},
    {"100", 0, "ff", 99, RES_REFUSED},
    {"0", 0, NUMBER_MAX, 0, RES_OK},
    {NUMBER_MAX, 0, "0", 99, RES_REFUSED},
    {NUMBER_MAX, 0, NUMBER_MAX, -1, RES_REFUSED},
    {"ffffffffffffffff", 0, "10000000000000000", 0, RES_OK},
    {"7fffffffffffffff", 0, "8000000000000000", 0, RES_OK},
    {"8000000000000000", 0, "7fffffffffffffff", 99, RES_REFUSED},
};

static void
only_a_newer_crl_comes_in(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = suite_ca("aa", subject);
	struct crl_record there;
	size_t i;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		ca.crl.der = NULL;
		suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
		there = suite_crl(orders[i].there, 1);
		there.this_update = NOW + orders[i].there_at;
		ca.crl = there;
		suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
		ca.crl = suite_crl(orders[i].comes, 2);
		ca.crl.this_update = NOW + orders[i].comes_at;
		suite_expect(registry, CHANGE_CA_CRL, &ca, orders[i].want);
		must_have(
		    registry, orders[i].want == RES_OK ? &ca.crl : &there);
		suite_expect(registry, CHANGE_CA_REMOVE, &ca, RES_OK);
	}
}

static void
refuse(struct registry *registry, struct ca_record *ca, enum res want,
    const char *words)
{
	struct change change = suite_change(CHANGE_CA_CRL, ca);
	struct diag why = {{0}};

	assert_int_equal(
	    registry_apply(registry, &change, 1, APPLY_ALL, &why), want);
	assert_string_equal(why.text, words);
}

static void
the_sentences_say_which(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = add_ca(registry);

	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	refuse(registry, &ca, RES_EXISTS,
	    "the CRL of the CA aa00000000000000 in the org default is stored "
	    "already");
	ca.crl = suite_crl("19", 2);
	refuse(registry, &ca, RES_REFUSED,
	    "the CRL is older than the one that is stored (number 0x1a of "
	    "2027-01-15T07:59:55Z), and nothing was changed: get the newest "
	    "list from the CA");
}

/* A list that could not be read back, or is none, one defect each. */
static void
harm(struct crl_record *crl, int defect)
{
	switch (defect) {
	case 0:
		crl->der = NULL;
		break;
	case 1:
		crl->der_len = 0;
		break;
	case 2:
		crl->number[0] = '\0';
		break;
	case 3:
		crl->number[CRL_NUMBER_LEN - 1] = '\0';
		break;
	case 4:
		crl->number[CRL_NUMBER_LEN - 1] = 'A';
		break;
	case 5:
		crl->number[0] = 'g';
		break;
	case 6:
		crl->number[0] = ' ';
		break;
	case 7:
		crl->number[0] = '-';
		break;
	case 8:
		crl->this_update = CLOCK_NONE;
		break;
	case 9:
		crl->next_update = CLOCK_NONE;
		break;
	case 10:
		crl->stored_at = CLOCK_NONE;
		break;
	default:
		crl->entries = -1;
		break;
	}
}

static void
a_defective_crl_is_refused(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = add_ca(registry);
	int defect;

	for (defect = 0; defect <= 11; defect++) {
		ca.crl = suite_crl("1a", 1);
		harm(&ca.crl, defect);
		suite_expect(registry, CHANGE_CA_CRL, &ca, RES_REFUSED);
		must_have(registry, NULL);
	}
}

static void
a_large_crl_reads_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = add_ca(registry);
	uint8_t *der = malloc(CRL_BYTES_MAX + 1);
	size_t i;

	assert_non_null(der);
	for (i = 0; i <= CRL_BYTES_MAX; i++) {
		der[i] = (uint8_t)(i * 7 + i / 251);
	}
	ca.crl.der = der;
	ca.crl.der_len = CRL_BYTES_MAX + 1;
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_LIMIT);
	refuse(registry, &ca, RES_LIMIT,
	    "the CRL is too large: 8388608 bytes are the most");
	must_have(registry, NULL);
	ca.crl.der_len = CRL_BYTES_MAX;
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	must_have(registry, &ca.crl);
	free(der);
}

/* Lists are told of, and fetched, one by one. */
static void
a_new_crl_begins_anew(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char failure[] = "404";
	struct ca_record ca = add_ca(registry), failed = ca;
	struct config config;

	ca.crl.told = 7; /* of a new one nothing has been told */
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	ca.crl.told = 0;
	must_have(registry, &ca.crl);
	ca.crl.told = 30;
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_OK);
	must_have(registry, &ca.crl);
	failed.crl_failure = failure;
	suite_expect(registry, CHANGE_CA_CRL_CHECKED, &failed, RES_OK);

	/* The same, or an older one, changes nothing of that. */
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_EXISTS);
	must_have(registry, &ca.crl);
	failed.crl = suite_crl("19", 2);
	suite_expect(registry, CHANGE_CA_CRL, &failed, RES_REFUSED);
	assert_string_equal(load_ca(registry, &config)->crl_failure, "404");
	config_done(&config);

	ca.crl = suite_crl("1b", 2);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	must_have(registry, &ca.crl);
	assert_null(load_ca(registry, &config)->crl_failure);
	config_done(&config);
}

static void
a_failure_is_noted_once(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char first[] = "404", second[] = "the server slept", none[] = "";
	struct ca_record ca = suite_ca("aa", subject);
	const struct {
		char *failure;
		enum res want;
	} steps[] = {
	    {NULL, RES_EXISTS},
	    {first, RES_OK},
	    {first, RES_EXISTS},
	    {second, RES_OK},
	    {none, RES_REFUSED},
	    {second, RES_EXISTS},
	    {first, RES_OK},
	    {NULL, RES_OK},
	    {NULL, RES_EXISTS},
	    {first, RES_OK},
	};
	struct config config;
	size_t i;

	ca.crl_failure = first;
	suite_expect(registry, CHANGE_CA_CRL_CHECKED, &ca, RES_NOTFOUND);
	ca.crl_failure = NULL;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ca.crl_failure = steps[i].failure;
		suite_expect(
		    registry, CHANGE_CA_CRL_CHECKED, &ca, steps[i].want);
	}
	assert_string_equal(load_ca(registry, &config)->crl_failure, "404");
	config_done(&config);
}

/* An operator loaded the very list that a server has: from then on it counts
 * as the server's; another list does not. */
static void
the_same_list_may_be_fetched_later(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = suite_ca("aa", subject);
	struct config config;
	const struct crl_record *there;

	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	ca.crl = suite_crl("1", 1);
	ca.crl.fetched = false;
	ca.crl.modified_at = CLOCK_NONE;
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_CRL_CHECKED, &ca, RES_EXISTS);
	ca.crl = suite_crl("2", 2);
	ca.crl.fetched = true;
	suite_expect(registry, CHANGE_CA_CRL_CHECKED, &ca, RES_EXISTS);
	ca.crl = suite_crl("1", 1);
	ca.crl.fetched = true;
	ca.crl.modified_at = NOW - 5;
	suite_expect(registry, CHANGE_CA_CRL_CHECKED, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_CRL_CHECKED, &ca, RES_EXISTS);
	there = &load_ca(registry, &config)->crl;
	assert_true(there->fetched);
	assert_int_equal(there->modified_at, NOW - 5);
	assert_int_equal(there->fingerprint[0], ca.crl.fingerprint[0]);
	config_done(&config);
}

/* What a server said of its list says nothing of another server's. */
static void
another_url_forgets_the_last(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char one[] = "https://a/1", two[] = "https://a/2", f[] = "404";
	static const struct {
		char *url;
		bool forgets;
	} steps[] = {
	    {NULL, false},
	    {one, true},
	    {one, false},
	    {two, true},
	    {NULL, true},
	    {NULL, false},
	};
	struct ca_record ca = suite_ca("aa", subject),
	                 other = suite_ca("bb", subject), *back;
	struct config config;
	size_t i;

	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_ADD, &other, RES_OK);
	other.crl = suite_crl("1", 0xbb);
	other.crl.modified_at = NOW - 8;
	suite_expect(registry, CHANGE_CA_CRL, &other, RES_OK);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ca.crl = suite_crl("1a", (uint8_t)i);
		ca.crl.this_update += (int64_t)i;
		ca.crl.modified_at = NOW - 9;
		ca.crl.fetched = true;
		ca.crl_failure = f;
		suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
		suite_expect(registry, CHANGE_CA_CRL_CHECKED, &ca, RES_OK);
		ca.crl_url = steps[i].url;
		suite_expect(registry, CHANGE_CA_SET, &ca, RES_OK);
		suite_load(registry, &config);
		back = &config.cas[0];
		assert_int_equal(back->crl_failure == NULL, steps[i].forgets);
		assert_int_equal(back->crl.modified_at,
		    steps[i].forgets ? CLOCK_NONE : NOW - 9);
		assert_true(back->crl.fetched);
		assert_int_equal(back->crl.fingerprint[0], i);
		must_be_crl(&config.cas[1].crl, &other.crl);
		config_done(&config);
	}
}

static void
a_name_that_is_taken_changes_nothing(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	static char url[] = "https://a/1", f[] = "404";
	struct ca_record ca = add_ca(registry), other = suite_ca("bb", subject);
	struct config config;

	ca.crl.modified_at = NOW - 9;
	ca.crl_failure = f;
	(void)strcpy(other.name, "taken");
	suite_expect(registry, CHANGE_CA_ADD, &other, RES_OK);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_CRL_CHECKED, &ca, RES_OK);
	(void)strcpy(ca.name, "taken");
	(void)strcpy(ca.crl_policy, "off");
	ca.crl_grace = 1;
	ca.crl_url = url;
	suite_expect(registry, CHANGE_CA_SET, &ca, RES_EXISTS);
	suite_load(registry, &config);
	assert_string_equal(config.cas[0].name, "");
	assert_string_equal(config.cas[0].crl_policy, "if-present");
	assert_int_equal(config.cas[0].crl_grace, 0);
	assert_null(config.cas[0].crl_url);
	assert_string_equal(config.cas[0].crl_failure, "404");
	assert_int_equal(config.cas[0].crl.modified_at, NOW - 9);
	config_done(&config);
}

static void
the_end_of_a_crl_is_told_once(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = add_ca(registry), late;
	struct crl_record want = ca.crl;

	/* Without a list there is nothing to note of one. */
	ca.crl.told = 30;
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_EXISTS);
	must_have(registry, NULL);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_EXISTS);
	ca.crl.told = TOLD_MAX + 1;
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_REFUSED);
	ca.crl.told = TOLD_EXPIRED - 1;
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_REFUSED);
	want.told = 30;
	must_have(registry, &want);

	/* Whoever looked at the one before knows nothing of this one. */
	late = ca;
	ca.crl = want = suite_crl("1b", 2);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	late.crl.told = 7;
	suite_expect(registry, CHANGE_CA_TOLD, &late, RES_EXISTS);
	late.told = 90;
	suite_expect(registry, CHANGE_CA_TOLD, &late, RES_OK);
	must_have(registry, &want);

	/* One that says nothing of a list leaves it alone. */
	ca.told = 90;
	ca.crl.told = want.told = TOLD_EXPIRED;
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_OK);
	ca.crl.told = 0;
	ca.crl.der = NULL;
	suite_expect(registry, CHANGE_CA_TOLD, &ca, RES_EXISTS);
	must_have(registry, &want);
}

static void
a_crl_goes_with_its_ca(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record ca = add_ca(registry);

	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_REMOVE, &ca, RES_OK);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_NOTFOUND);
	ca.crl.der = NULL;
	suite_expect(registry, CHANGE_CA_ADD, &ca, RES_OK);
	must_have(registry, NULL);
	/* Its number does not outlive it either. */
	ca.crl = suite_crl("1", 3);
	suite_expect(registry, CHANGE_CA_CRL, &ca, RES_OK);
	must_have(registry, &ca.crl);
}

static enum res
apply_in(struct registry *registry, const char *org, enum change_kind kind,
    void *record)
{
	struct change change = suite_change(kind, record);
	struct diag why;

	change.org = org;
	return registry_apply(registry, &change, 1, APPLY_ALL, &why);
}

/* One CA in two orgs, and two in one, each with a list of its own. */
static void
a_crl_is_its_own_cas(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	struct ca_record a = add_ca(registry), b = suite_ca("bb", subject),
	                 c = suite_ca("aa", subject);
	struct config config;

	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	suite_expect(registry, CHANGE_CA_ADD, &b, RES_OK);
	assert_int_equal(
	    apply_in(registry, "plant", CHANGE_CA_ADD, &c), RES_OK);
	c.crl = suite_crl("5", 3);
	assert_int_equal(
	    apply_in(registry, "plant", CHANGE_CA_CRL, &c), RES_OK);
	suite_expect(registry, CHANGE_CA_CRL, &a, RES_OK);
	b.crl = suite_crl("2", 2);
	suite_expect(registry, CHANGE_CA_CRL, &b, RES_OK);
	suite_load(registry, &config);
	assert_int_equal(config.ca_count, 3);
	must_be_crl(&config.cas[0].crl, &a.crl);
	must_be_crl(&config.cas[1].crl, &b.crl);
	must_be_crl(&config.cas[2].crl, &c.crl);
	config_done(&config);

	suite_expect(registry, CHANGE_ORG_REMOVE, &org, RES_OK);
	suite_expect(registry, CHANGE_CA_REMOVE, &b, RES_OK);
	must_have(registry, &a.crl);
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	c.crl.der = NULL;
	assert_int_equal(
	    apply_in(registry, "plant", CHANGE_CA_ADD, &c), RES_OK);
	suite_load(registry, &config);
	assert_null(config.cas[1].crl.der);
	config_done(&config);
}

static void
a_batch_of_crls_is_answered_one_by_one(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct ca_record a = add_ca(registry), old = a, unknown = a, none = a;
	static const enum res want[] = {
	    RES_OK, RES_REFUSED, RES_EXISTS, RES_NOTFOUND, RES_REFUSED};
	struct change changes[5];
	struct diag why;
	size_t i;

	old.crl = suite_crl("19", 2);
	unknown.fingerprint[0] = 0xbb;
	none.crl.der = NULL;
	changes[0] = suite_change(CHANGE_CA_CRL, &a);
	changes[1] = suite_change(CHANGE_CA_CRL, &old);
	changes[2] = suite_change(CHANGE_CA_CRL, &a);
	changes[3] = suite_change(CHANGE_CA_CRL, &unknown);
	changes[4] = suite_change(CHANGE_CA_CRL, &none);
	assert_int_equal(
	    registry_apply(registry, changes, 5, APPLY_EACH, &why), RES_OK);
	for (i = 0; i < 5; i++) {
		assert_int_equal(changes[i].result, want[i]);
	}
	must_have(registry, &a.crl);
	assert_int_equal(suite_mark(registry), 2);

	/* Together with one that fails it is undone. */
	a.crl = suite_crl("1b", 3);
	assert_int_equal(
	    registry_apply(registry, changes, 2, APPLY_ALL, &why), RES_REFUSED);
	assert_int_equal(changes[0].result, RES_UNAVAIL);
	a.crl = suite_crl("1a", 1);
	must_have(registry, &a.crl);
	assert_int_equal(suite_mark(registry), 2);
}

int
suite_crl_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(a_crl_reads_back),
	    SUITE_TEST(only_a_newer_crl_comes_in),
	    SUITE_TEST(the_sentences_say_which),
	    SUITE_TEST(a_defective_crl_is_refused),
	    SUITE_TEST(a_large_crl_reads_back),
	    SUITE_TEST(a_new_crl_begins_anew),
	    SUITE_TEST(a_failure_is_noted_once),
	    SUITE_TEST(the_same_list_may_be_fetched_later),
	    SUITE_TEST(another_url_forgets_the_last),
	    SUITE_TEST(a_name_that_is_taken_changes_nothing),
	    SUITE_TEST(the_end_of_a_crl_is_told_once),
	    SUITE_TEST(a_crl_goes_with_its_ca),
	    SUITE_TEST(a_crl_is_its_own_cas),
	    SUITE_TEST(a_batch_of_crls_is_answered_one_by_one),
	};

	return cmocka_run_group_tests_name("crl", tests, NULL, NULL);
}
