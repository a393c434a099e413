/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* For whom, when and how long a verdict counts. */
#include "admission/verdicts.h"

#include "common/clock.h"
#include "test/support/cmocka_all.h"

#define NOW 1000

static struct verdict_key
key_of(uint32_t fingerprint)
{
	struct verdict_key key = {.generation = 5, .tenant = 1};

	/* The first four bytes choose the row. */
	memcpy(key.fingerprint, &fingerprint, sizeof(fingerprint));
	memcpy(key.fingerprint + 4, &fingerprint, sizeof(fingerprint));
	return key;
}

static const struct trust_finding good = {.reason = REASON_NONE,
    .has_ca = true,
    .ca = {7},
    .in_scope = true,
    .valid_until = NOW + 100};
static const struct trust_finding bad = {
    .reason = REASON_CA_UNKNOWN, .valid_until = CLOCK_NONE};

static bool
asks(struct verdicts *verdicts, const struct verdict_key *key, int64_t now,
    enum reason want)
{
	struct trust_finding found = {0};
	struct trust_path *path = NULL;
	bool known = verdicts_find(verdicts, key, now, &found, &path);

	assert_int_equal(path != NULL, known && want == REASON_NONE);
	assert_int_equal(found.reason, known ? want : REASON_REGISTRY_ERROR);
	trust_path_unref(path);
	return known;
}

/* Each question differs in one thing from the verdicts that are kept. */
static const struct {
	const char *name;
	uint64_t generation;
	uint32_t tenant, fingerprint;
	uint8_t chain;
	int64_t now;
	bool good_counts, bad_counts;
} questions[] = {
    {"the same", 5, 1, 9, 0, NOW, true, true},
    {"a second later", 5, 1, 9, 0, NOW + 1, true, true},
    {"before a refusal ends", 5, 1, 9, 0, NOW + 9, true, true},
    {"after a refusal has ended", 5, 1, 9, 0, NOW + 10, true, false},
    {"before the certificate ends", 5, 1, 9, 0, NOW + 99, true, false},
    {"when the certificate ends", 5, 1, 9, 0, NOW + 100, false, false},
    {"after the clock was set back", 5, 1, 9, 0, NOW - 1, false, false},
    {"newer settings", 6, 1, 9, 0, NOW, false, false},
    {"older settings", 4, 1, 9, 0, NOW, false, false},
    {"another org", 5, 2, 9, 0, NOW, false, false},
    {"another certificate", 5, 1, 10, 0, NOW, false, false},
    {"another chain", 5, 1, 9, 1, NOW, true, false},
};

static void
questions_are_counted(void **state)
{
	struct verdicts *verdicts = verdicts_new();
	const struct verdict_key kept = key_of(9), other = key_of(10);

	(void)state;
	assert_int_equal(verdicts_use(verdicts).asked, 0);
	verdicts_keep(verdicts, &kept, NOW, &bad, NULL);
	assert_true(asks(verdicts, &kept, NOW, REASON_CA_UNKNOWN));
	assert_false(asks(verdicts, &other, NOW, REASON_CA_UNKNOWN));
	assert_true(asks(verdicts, &kept, NOW, REASON_CA_UNKNOWN));
	assert_int_equal(verdicts_use(verdicts).asked, 3);
	assert_int_equal(verdicts_use(verdicts).found, 2);
	verdicts_free(verdicts);
}

static void
counts_as_long_as_it_holds(void **state)
{
	const uint8_t ca[HASH_LEN] = {7};
	struct trust_path *path = trust_path_of_ca(ca);
	struct verdict_key kept = key_of(9), key;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct verdicts *all_good = verdicts_new();
		struct verdicts *all_bad = verdicts_new();

		print_message("%s\n", questions[i].name);
		key = key_of(questions[i].fingerprint);
		key.generation = questions[i].generation;
		key.tenant = questions[i].tenant;
		key.chain[31] = questions[i].chain;
		verdicts_keep(all_good, &kept, NOW, &good, path);
		assert_int_equal(
		    asks(all_good, &key, questions[i].now, REASON_NONE),
		    questions[i].good_counts);
		verdicts_keep(all_bad, &kept, NOW, &bad, NULL);
		assert_int_equal(
		    asks(all_bad, &key, questions[i].now, REASON_CA_UNKNOWN),
		    questions[i].bad_counts);
		verdicts_free(all_good);
		verdicts_free(all_bad);
	}
	trust_path_unref(path);
}

/* Which chain came along, and which comes now; 0: none. */
static const struct {
	const char *name;
	uint8_t kept, comes;
	bool any; /* asked for by who has lost it */
	bool in_scope, counts;
} chains[] = {
    {"good by itself, now with a chain", 0, 1, false, true, true},
    {"good with a chain, and again", 1, 1, false, true, true},
    {"good with a chain, now with none", 1, 0, false, true, false},
    {"good with a chain, now with another", 1, 2, false, true, false},
    {"good with a chain, which was lost", 1, 0, true, true, true},
    {"out of scope, and again", 1, 1, false, false, true},
    {"out of scope, with another", 1, 2, false, false, false},
    {"out of scope by itself, with a chain", 0, 1, false, false, false},
    {"out of scope, which was lost", 1, 0, true, false, false},
};

static void
is_about_a_chain(void **state)
{
	const uint8_t ca[HASH_LEN] = {7};
	struct trust_path *path = trust_path_of_ca(ca);
	struct trust_finding finding = good;
	struct verdict_key kept, comes;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		struct verdicts *verdicts = verdicts_new();

		print_message("%s\n", chains[i].name);
		kept = comes = key_of(9);
		kept.chain[5] = chains[i].kept;
		comes.chain[5] = chains[i].comes;
		comes.any_chain = chains[i].any;
		finding.in_scope = chains[i].in_scope;
		verdicts_keep(verdicts, &kept, NOW, &finding, path);
		assert_int_equal(
		    asks(verdicts, &comes, NOW, REASON_NONE), chains[i].counts);
		verdicts_free(verdicts);
	}
	trust_path_unref(path);
}

/* Somebody sends another's certificate with a chain of his own. */
static void
no_bad_one_takes_a_good_ones_place(void **state)
{
	const uint8_t ca[HASH_LEN] = {7};
	struct trust_path *path = trust_path_of_ca(ca);
	struct verdicts *verdicts = verdicts_new();
	struct verdict_key right = key_of(9), wrong = key_of(9);
	struct trust_finding outside = good;

	(void)state;
	right.chain[0] = 1;
	wrong.chain[0] = 2;
	outside.in_scope = false;
	verdicts_keep(verdicts, &right, NOW, &good, path);
	verdicts_keep(verdicts, &wrong, NOW, &bad, NULL);
	verdicts_keep(verdicts, &wrong, NOW, &outside, path);
	assert_true(asks(verdicts, &right, NOW, REASON_NONE));
	assert_false(asks(verdicts, &wrong, NOW, REASON_NONE));
	/* But for the settings that follow. */
	wrong.generation++;
	verdicts_keep(verdicts, &wrong, NOW, &bad, NULL);
	assert_true(asks(verdicts, &wrong, NOW, REASON_CA_UNKNOWN));
	/* Nor does one that is out of scope last. */
	verdicts_keep(verdicts, &wrong, NOW, &outside, path);
	assert_false(
	    asks(verdicts, &wrong, NOW + VERDICT_REFUSED_S, REASON_NONE));
	trust_path_unref(path);
	verdicts_free(verdicts);
}

/* Two certificates that begin alike are two. */
static void
compares_whole_fingerprints(void **state)
{
	struct verdicts *verdicts = verdicts_new();
	struct verdict_key key = key_of(9), twin = key_of(9);

	(void)state;
	twin.fingerprint[31] = 1;
	verdicts_keep(verdicts, &key, NOW, &bad, NULL);
	assert_true(asks(verdicts, &key, NOW, REASON_CA_UNKNOWN));
	assert_false(asks(verdicts, &twin, NOW, REASON_CA_UNKNOWN));
	verdicts_free(verdicts);
}

static void
forgets_what_was_asked_longest_ago(void **state)
{
	struct verdicts *verdicts = verdicts_new();
	const uint32_t rows = VERDICTS_MAX / 4;
	struct verdict_key keys[5];
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		keys[i] = key_of(3 + (uint32_t)i * rows); /* one row */
	}
	for (i = 0; i < 4; i++) {
		verdicts_keep(verdicts, &keys[i], NOW, &bad, NULL);
	}
	assert_true(asks(verdicts, &keys[0], NOW, REASON_CA_UNKNOWN));
	verdicts_keep(verdicts, &keys[4], NOW, &bad, NULL);
	for (i = 0; i < 5; i++) {
		assert_int_equal(
		    asks(verdicts, &keys[i], NOW, REASON_CA_UNKNOWN), i != 1);
	}
	verdicts_free(verdicts);
}

/* However many come, the table stays as large as it is. */
static void
stays_within_bounds(void **state)
{
	struct verdicts *verdicts = verdicts_new();
	const uint8_t ca[HASH_LEN] = {7};
	struct trust_path *path = trust_path_of_ca(ca);
	uint32_t i, known = 0;
	struct verdict_key key;

	(void)state;
	for (i = 0; i < 3 * VERDICTS_MAX; i++) {
		key = key_of(i);
		verdicts_keep(verdicts, &key, NOW, &good, path);
	}
	for (i = 0; i < 3 * VERDICTS_MAX; i++) {
		key = key_of(i);
		known += asks(verdicts, &key, NOW, REASON_NONE);
	}
	assert_int_equal(known, VERDICTS_MAX);
	trust_path_unref(path);
	verdicts_free(verdicts);
}

/* "No memory" is no verdict. */
static void
keeps_no_failure(void **state)
{
	struct verdicts *verdicts = verdicts_new();
	struct trust_finding failure = {.reason = REASON_REGISTRY_ERROR};
	struct verdict_key key = key_of(1);

	(void)state;
	verdicts_keep(verdicts, &key, NOW, &failure, NULL);
	assert_false(asks(verdicts, &key, NOW, REASON_NONE));
	verdicts_free(verdicts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(questions_are_counted),
	    cmocka_unit_test(counts_as_long_as_it_holds),
	    cmocka_unit_test(is_about_a_chain),
	    cmocka_unit_test(no_bad_one_takes_a_good_ones_place),
	    cmocka_unit_test(compares_whole_fingerprints),
	    cmocka_unit_test(forgets_what_was_asked_longest_ago),
	    cmocka_unit_test(stays_within_bounds),
	    cmocka_unit_test(keeps_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
