/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

/* Root, Middle below it, a leaf of Middle.  Former is an old certificate of
 * Middle, expired, that no chain holds with. */
static struct minted root, middle, former, leaf;

static int
set_up(void **state)
{
	(void)state;
	root = mint_ca("Root", 0);
	middle = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	former = mint(&(struct mint_options){.cn = "Middle",
	    .ca = true,
	    .slot = 1,
	    .to = MINT_NOW - 2 * DAY,
	    .issuer = &root});
	leaf = mint_device(&middle, "d:meter:0001");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&root);
	minted_done(&middle);
	minted_done(&former);
	minted_done(&leaf);
	return 0;
}

static const struct {
	const char *name;
	enum reason want;
	struct setting ca;
	int64_t until; /* 0: MINT_TO */
} leaf_cases[] = {
    {"off", REASON_NONE, OFF(), 0},
    {"off, fresh", REASON_NONE, OFF(.crl = GOOD), 0},
    {"off, stale", REASON_NONE, OFF(.crl = LATE), 0},
    {"off, listed", REASON_NONE, OFF(.crl = GOOD, .lists = true), 0},
    {"if present, none", REASON_NONE, IF_PRESENT(), 0},
    {"if present, fresh", REASON_NONE, IF_PRESENT(.crl = GOOD), GOOD},
    {"if present, fresh for a second", REASON_NONE,
        IF_PRESENT(.crl = MINT_NOW + 1), MINT_NOW + 1},
    {"if present, outlives the leaf", REASON_NONE,
        IF_PRESENT(.crl = MINT_TO + DAY), MINT_TO},
    {"if present, graced", REASON_NONE,
        IF_PRESENT(.crl = LATE, .grace = 3 * DAY), LATE + 3 * DAY},
    {"if present, graced for a second", REASON_NONE,
        IF_PRESENT(.crl = LATE, .grace = DAY + 1), MINT_NOW + 1},
    {"if present, graced for ever", REASON_NONE,
        IF_PRESENT(.crl = LATE, .grace = CLOCK_FOREVER), MINT_TO},
    {"if present, users alone", REASON_NONE,
        IF_PRESENT(.crl = GOOD, .for_users = true), GOOD},
    {"if present, stale", REASON_CRL_STALE, IF_PRESENT(.crl = LATE), 0},
    {"if present, stale since now", REASON_CRL_STALE,
        IF_PRESENT(.crl = MINT_NOW), 0},
    {"if present, past its grace", REASON_CRL_STALE,
        IF_PRESENT(.crl = LATE, .grace = DAY), 0},
    {"if present, listed", REASON_CERT_REVOKED,
        IF_PRESENT(.crl = GOOD, .lists = true), 0},
    {"if present, listed, graced", REASON_CERT_REVOKED,
        IF_PRESENT(.crl = LATE, .grace = 3 * DAY, .lists = true), 0},
    {"if present, listed, stale", REASON_CERT_REVOKED,
        IF_PRESENT(.crl = LATE, .lists = true), 0},
    {"required, none", REASON_CRL_MISSING, REQUIRED(), 0},
    {"required, fresh", REASON_NONE, REQUIRED(.crl = GOOD), GOOD},
    {"required, graced", REASON_NONE, REQUIRED(.crl = LATE, .grace = 3 * DAY),
        LATE + 3 * DAY},
    {"required, users alone", REASON_NONE,
        REQUIRED(.crl = GOOD, .for_users = true), GOOD},
    {"required, stale", REASON_CRL_STALE, REQUIRED(.crl = LATE), 0},
    {"required, listed", REASON_CERT_REVOKED,
        REQUIRED(.crl = GOOD, .lists = true), 0},
    {"required, listed, stale", REASON_CERT_REVOKED,
        REQUIRED(.crl = LATE, .lists = true), 0},
};

static void
expect_case(const char *name, const struct trust_set *set, struct ask ask,
    enum reason want, int64_t until)
{
	struct trust_finding found;

	ask.who = &meter;
	found = verify(set, ask);
	if (found.reason != want ||
	    (want == REASON_NONE &&
	        found.valid_until != (until == 0 ? MINT_TO : until))) {
		fail_msg(
		    "%s: %s (%s)", name, reason_id(found.reason), found.detail);
	}
}

static void
looks_leaves_up(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(leaf_cases) / sizeof(leaf_cases[0]); i++) {
		struct trust_set *set = new_set();

		add_setting(set, &middle, CA_ACTIVE, &leaf_cases[i].ca, &leaf);
		expect_case(leaf_cases[i].name, set,
		    (struct ask){.leaf = &leaf}, leaf_cases[i].want,
		    leaf_cases[i].until);
		trust_set_free(set);
	}
}

/* Root anchors; of Middle the registry knows Former, or nothing. */
static const struct {
	const char *name;
	enum reason want;
	struct setting root, middle;
	int64_t until;
} chain_cases[] = {
    {"nothing", REASON_NONE, IF_PRESENT(), ABSENT, 0},
    {"root fresh", REASON_NONE, IF_PRESENT(.crl = GOOD), ABSENT, GOOD},
    {"root graced", REASON_NONE, IF_PRESENT(.crl = LATE, .grace = 3 * DAY),
        ABSENT, LATE + 3 * DAY},
    {"root off, listed", REASON_NONE, OFF(.crl = GOOD, .lists = true), ABSENT,
        0},
    {"root stale", REASON_CRL_STALE, IF_PRESENT(.crl = LATE), ABSENT, 0},
    {"root listed", REASON_CERT_REVOKED, IF_PRESENT(.crl = GOOD, .lists = true),
        ABSENT, 0},
    {"root listed, stale", REASON_CERT_REVOKED,
        IF_PRESENT(.crl = LATE, .lists = true), ABSENT, 0},
    {"root silent", REASON_NONE, IF_PRESENT(.crl = GOOD, .for_users = true),
        ABSENT, GOOD},
    {"root silent, stale", REASON_CRL_STALE,
        IF_PRESENT(.crl = LATE, .for_users = true), ABSENT, 0},
    {"root requires, has none", REASON_CRL_MISSING, REQUIRED(), ABSENT, 0},
    {"root requires, unknown middle", REASON_CRL_MISSING, REQUIRED(.crl = GOOD),
        ABSENT, 0},
    {"root requires, unknown middle, listed", REASON_CERT_REVOKED,
        REQUIRED(.crl = GOOD, .lists = true), ABSENT, 0},
    {"root requires, middle has none", REASON_CRL_MISSING,
        REQUIRED(.crl = GOOD), IF_PRESENT(), 0},
    {"root requires, middle off", REASON_CRL_MISSING, REQUIRED(.crl = GOOD),
        OFF(.crl = GOOD), 0},
    {"root requires, both fresh", REASON_NONE, REQUIRED(.crl = GOOD),
        IF_PRESENT(.crl = GOOD + DAY), GOOD},
    {"root requires, middle's ends first", REASON_NONE,
        REQUIRED(.crl = GOOD + DAY), IF_PRESENT(.crl = GOOD), GOOD},
    {"root requires, silent", REASON_CRL_MISSING,
        REQUIRED(.crl = GOOD, .for_users = true), IF_PRESENT(.crl = GOOD), 0},
    {"root requires, silent, stale", REASON_CRL_MISSING,
        REQUIRED(.crl = LATE, .for_users = true), IF_PRESENT(.crl = GOOD), 0},
    {"root requires, middle's for users", REASON_NONE, REQUIRED(.crl = GOOD),
        IF_PRESENT(.crl = GOOD, .for_users = true), GOOD},
    {"root requires, stale", REASON_CRL_STALE, REQUIRED(.crl = LATE),
        IF_PRESENT(.crl = GOOD), 0},
    {"root requires, middle stale", REASON_CRL_STALE, REQUIRED(.crl = GOOD),
        IF_PRESENT(.crl = LATE), 0},
    {"root stale, leaf listed", REASON_CERT_REVOKED, REQUIRED(.crl = LATE),
        REQUIRED(.crl = GOOD, .lists = true), 0},
    {"root stale, middle missing", REASON_CRL_MISSING, IF_PRESENT(.crl = LATE),
        REQUIRED(), 0},
    {"leaf listed", REASON_CERT_REVOKED, IF_PRESENT(),
        IF_PRESENT(.crl = GOOD, .lists = true), 0},
    {"leaf listed, off", REASON_NONE, IF_PRESENT(),
        OFF(.crl = GOOD, .lists = true), 0},
    {"middle requires, has none", REASON_CRL_MISSING, IF_PRESENT(), REQUIRED(),
        0},
    {"middle requires, fresh", REASON_NONE, IF_PRESENT(), REQUIRED(.crl = GOOD),
        GOOD},
    {"middle stale", REASON_CRL_STALE, IF_PRESENT(), IF_PRESENT(.crl = LATE),
        0},
};

static void
looks_chains_up(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(chain_cases) / sizeof(chain_cases[0]); i++) {
		struct trust_set *set = new_set();

		add_setting(
		    set, &root, CA_ACTIVE, &chain_cases[i].root, &middle);
		add_setting(
		    set, &former, CA_ACTIVE, &chain_cases[i].middle, &leaf);
		expect_case(chain_cases[i].name, set,
		    (struct ask){.leaf = &leaf, &middle, 1},
		    chain_cases[i].want, chain_cases[i].until);
		trust_set_free(set);
	}
}

/* Two registered certificates of one CA, which has one key. */
static const struct {
	const char *name;
	enum reason want;
	struct setting first, second;
	int64_t until;
} twin_cases[] = {
    {"the second listed", REASON_CERT_REVOKED, IF_PRESENT(.crl = GOOD),
        IF_PRESENT(.crl = GOOD, .lists = true), 0},
    {"the stale one lists", REASON_CERT_REVOKED, REQUIRED(.crl = GOOD),
        IF_PRESENT(.crl = LATE, .lists = true), 0},
    {"the one that is off lists", REASON_NONE, IF_PRESENT(.crl = GOOD),
        OFF(.crl = GOOD, .lists = true), GOOD},
    {"one is fresh, the other stale", REASON_NONE, IF_PRESENT(.crl = GOOD),
        IF_PRESENT(.crl = LATE), GOOD},
    {"the last to go stale counts", REASON_NONE, IF_PRESENT(.crl = GOOD),
        IF_PRESENT(.crl = GOOD + DAY), GOOD + DAY},
    {"both stale", REASON_CRL_STALE, IF_PRESENT(.crl = LATE),
        REQUIRED(.crl = LATE), 0},
    {"one demands, the other has", REASON_NONE, REQUIRED(),
        IF_PRESENT(.crl = GOOD), GOOD},
    {"one demands, the other is stale", REASON_CRL_STALE, REQUIRED(),
        IF_PRESENT(.crl = LATE), 0},
    {"one demands, the other has none", REASON_CRL_MISSING, REQUIRED(),
        IF_PRESENT(), 0},
    {"one demands, the other is off", REASON_CRL_MISSING, REQUIRED(),
        OFF(.crl = GOOD), 0},
    {"one stale, the other has none", REASON_CRL_STALE, IF_PRESENT(),
        IF_PRESENT(.crl = LATE), 0},
    {"one stale, the other is off", REASON_CRL_STALE, OFF(),
        IF_PRESENT(.crl = LATE), 0},
    {"off and off", REASON_NONE, OFF(), OFF(.crl = LATE), 0},
};

static void
counts_every_certificate_of_a_ca(void **state)
{
	struct minted renewed = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	const struct minted *one[] = {&middle, &renewed};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(twin_cases) / sizeof(twin_cases[0]); i++) {
		for (k = 0; k < 2; k++) {
			struct trust_set *set = new_set();

			add_setting(set, one[k], CA_ACTIVE,
			    &twin_cases[i].first, &leaf);
			add_setting(set, one[1 - k], CA_ACTIVE,
			    &twin_cases[i].second, &leaf);
			expect_case(twin_cases[i].name, set,
			    (struct ask){.leaf = &leaf}, twin_cases[i].want,
			    twin_cases[i].until);
			trust_set_free(set);
		}
	}
	minted_done(&renewed);
}

/* Idle certificates of a CA anchor nothing, but their lists and demands hold
 * for the one that is active. */
static void
heeds_idle_certificates(void **state)
{
	static const struct setting demands = REQUIRED();
	static const struct setting lists =
	    IF_PRESENT(.crl = LATE, .lists = true);
	static const struct setting plain = IF_PRESENT();
	enum ca_state idle;

	(void)state;
	for (idle = CA_UNPROVEN; idle < CA_ACTIVE; idle++) {
		struct trust_set *set = new_set(), *other = new_set();

		add_setting(set, &former, idle, &demands, NULL);
		add_setting(set, &middle, CA_ACTIVE, &plain, NULL);
		EXPECT(set, REASON_CRL_MISSING, &middle, &leaf);
		add_setting(other, &middle, CA_ACTIVE, &plain, NULL);
		add_setting(other, &former, idle, &lists, &leaf);
		EXPECT(other, REASON_CERT_REVOKED, &middle, &leaf);
		trust_set_free(set);
		trust_set_free(other);
	}
}

/* A CA of the same name with another key is another CA. */
static void
tells_namesakes_lists_apart(void **state)
{
	struct minted twin = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 2, .issuer = &root});
	static const struct setting lists =
	    REQUIRED(.crl = GOOD, .lists = true);
	static const struct setting late = REQUIRED(.crl = LATE);
	static const struct setting plain = IF_PRESENT();
	struct trust_set *set = new_set(), *stale = new_set();

	(void)state;
	add_setting(set, &twin, CA_ACTIVE, &lists, &leaf);
	add_setting(set, &middle, CA_ACTIVE, &plain, NULL);
	EXPECT(set, REASON_NONE, &middle, &leaf);
	add_setting(stale, &twin, CA_ACTIVE, &late, &leaf);
	add_setting(stale, &middle, CA_ACTIVE, &plain, NULL);
	EXPECT(stale, REASON_NONE, &middle, &leaf);
	trust_set_free(set);
	trust_set_free(stale);
	minted_done(&twin);
}

/* What a CA demands holds however far down, and whatever anchors it. */
static void
demands_go_all_the_way_down(void **state)
{
	static const struct setting demands = REQUIRED(.crl = GOOD);
	static const struct setting plain = IF_PRESENT();
	struct minted sub = mint(&(struct mint_options){
	    .cn = "Sub", .ca = true, .slot = 2, .issuer = &middle});
	struct minted device = mint_device(&sub, "d:meter:0001");
	struct minted steps[2] = {sub, middle};
	struct trust_set *set = new_set(), *both = new_set();

	(void)state;
	add_setting(set, &middle, CA_ACTIVE, &demands, NULL);
	EXPECT(set, REASON_CRL_MISSING, &middle, &device, steps, 2);
	add_setting(both, &root, CA_ACTIVE, &plain, NULL);
	EXPECT(both, REASON_NONE, &root, &device, steps, 2);
	add_setting(both, &middle, CA_ACTIVE, &demands, NULL);
	EXPECT(both, REASON_CRL_MISSING, &middle, &device, steps, 2);
	add_setting(both, &sub, CA_ACTIVE, &demands, NULL);
	EXPECT(both, REASON_NONE, &sub, &device, steps, 2);
	trust_set_free(set);
	trust_set_free(both);
	minted_done(&sub);
	minted_done(&device);
}

/* A revoked leaf with something else that is wrong. */
static const struct leaf_case flawed_cases[] = {
    {"nothing", REASON_CERT_REVOKED, {.eku = NULL}},
    {"expired", REASON_CERT_EXPIRED, {.to = MINT_NOW - DAY}},
    {"not yet valid", REASON_CERT_NOT_YET_VALID, {.from = MINT_NOW + DAY}},
    {"purpose", REASON_CERT_PURPOSE, {.eku = "serverAuth"}},
    {"weak", REASON_CERT_WEAK, {.digest = "SHA1"}},
    {"unknown critical extension", REASON_CERT_REVOKED,
        {.extensions = EXTRA("1.2.3.4=critical,DER:0500")}},
    {"a CA's", REASON_CERT_IS_CA, {.ca = true}},
};

static void
keeps_the_order_of_reasons(void **state)
{
	static const struct setting lists =
	    IF_PRESENT(.crl = GOOD, .lists = true);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(flawed_cases) / sizeof(flawed_cases[0]); i++) {
		struct mint_options options = flawed_cases[i].options;
		struct trust_set *set = new_set(), *idle = new_set();
		struct minted device;
		struct trust_finding found;

		options.cn = "d:meter:0001";
		options.slot = 3;
		options.issuer = &middle;
		device = mint(&options);
		add_setting(set, &middle, CA_ACTIVE, &lists, &device);
		add_setting(idle, &middle, CA_INACTIVE, &lists, &device);
		found = verify(set, (struct ask){.leaf = &device});
		if (found.reason != flawed_cases[i].want) {
			fail_msg("%s: %s", flawed_cases[i].name,
			    reason_id(found.reason));
		}
		found = verify(idle, (struct ask){.leaf = &device});
		assert_int_equal(found.reason,
		    options.ca ? REASON_CERT_IS_CA : REASON_CA_INACTIVE);
		trust_set_free(set);
		trust_set_free(idle);
		minted_done(&device);
	}
}

static const struct {
	const char *name, *mine, *listed;
	enum reason want;
} serial_cases[] = {
    {"one", "1", "1", REASON_CERT_REVOKED},
    {"the next", "1", "2", REASON_NONE},
    {"the highest bit", "128", "128", REASON_CERT_REVOKED},
    {"an octet more", "128", "32768", REASON_NONE},
    {"an octet less", "32768", "128", REASON_NONE},
    {"twenty octets", "730750818665451459101842416358141509827966271487",
        "730750818665451459101842416358141509827966271487",
        REASON_CERT_REVOKED},
    {"twenty octets, the last other",
        "730750818665451459101842416358141509827966271487",
        "730750818665451459101842416358141509827966271486", REASON_NONE},
};

static void
compares_whole_serial_numbers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(serial_cases) / sizeof(serial_cases[0]); i++) {
		struct minted device =
		    mint(&(struct mint_options){.cn = "d:meter:0001",
		        .slot = 3,
		        .serial = serial_cases[i].mine,
		        .issuer = &middle});
		struct mint_entry entry = {.serial = serial_cases[i].listed};
		struct trust_set *set = new_set();
		struct crl *crl = make_crl(&(struct mint_crl_options){
		    .issuer = &middle, .entries = &entry, .entry_count = 1});

		add_terms(set, &middle,
		    &(struct ca_terms){.state = CA_ACTIVE, .crl = crl});
		EXPECT(set, serial_cases[i].want, &middle, &device);
		crl_unref(crl);
		trust_set_free(set);
		minted_done(&device);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(looks_leaves_up),
	    cmocka_unit_test(looks_chains_up),
	    cmocka_unit_test(counts_every_certificate_of_a_ca),
	    cmocka_unit_test(heeds_idle_certificates),
	    cmocka_unit_test(tells_namesakes_lists_apart),
	    cmocka_unit_test(demands_go_all_the_way_down),
	    cmocka_unit_test(keeps_the_order_of_reasons),
	    cmocka_unit_test(compares_whole_serial_numbers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
