/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

/* Root, Middle below it, a leaf of Middle. */
static struct minted root, middle, leaf;

static int
set_up(void **state)
{
	(void)state;
	root = mint_ca("Root", 0);
	middle = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	leaf = mint_device(&middle, "d:meter:0001");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&root);
	minted_done(&middle);
	minted_done(&leaf);
	return 0;
}

static void
ends_at_an_intermediate(void **state)
{
	struct minted both[2] = {middle, root};
	struct trust_set *set = set_of(&middle, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_NONE, &middle, &leaf);
	EXPECT(set, REASON_NONE, &middle, &leaf, both, 1);
	EXPECT(set, REASON_NONE, &middle, &leaf, both, 2);
	trust_set_free(set);
}

static void
climbs_to_a_root(void **state)
{
	struct minted forged = mint_forged(&middle);
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	struct trust_set *idle = set_of(&root, CA_INACTIVE);

	(void)state;
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &leaf);
	EXPECT(set, REASON_NONE, &root, &leaf, &middle, 1);
	EXPECT(set, REASON_CERT_INVALID, NULL, &leaf, &forged, 1);
	EXPECT(idle, REASON_CA_INACTIVE, &root, &leaf, &middle, 1);
	trust_set_free(set);
	trust_set_free(idle);
	minted_done(&forged);
}

/* Whatever else would anchor it: the state of Middle is what counts. */
static void
stops_at_an_idle_intermediate(void **state)
{
	static const struct {
		enum ca_state state;
		enum reason want;
	} cases[] = {{CA_INACTIVE, REASON_CA_INACTIVE},
	    {CA_UNPROVEN, REASON_CA_UNPROVEN}};
	struct minted renewed = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	struct minted namesake = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 2, .issuer = &root});
	struct minted other = mint_device(&namesake, "d:meter:0001");
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct trust_set *set = set_of(&root, CA_ACTIVE);

		add(set, &middle, cases[i].state, NULL);
		EXPECT(set, cases[i].want, &middle, &leaf);
		EXPECT(set, cases[i].want, &middle, &leaf, &middle, 1);
		/* Another certificate of the same CA is no way around. */
		EXPECT(set, cases[i].want, &middle, &leaf, &renewed, 1);
		/* Another CA of the same name is not meant. */
		EXPECT(set, REASON_NONE, &root, &other, &namesake, 1);
		/* One registered and active certificate of it is enough. */
		add(set, &renewed, CA_ACTIVE, NULL);
		EXPECT(set, REASON_NONE, &renewed, &leaf);
		EXPECT(set, REASON_NONE, &renewed, &leaf, &middle, 1);
		trust_set_free(set);
	}
	minted_done(&renewed);
	minted_done(&namesake);
	minted_done(&other);
}

/* The old certificate of Middle is an expired candidate of its own; the new
 * one, below an idle root, is blocked by that, and an active one is fine. */
static void
replaces_an_expired_intermediate(void **state)
{
	struct minted old = mint(&(struct mint_options){.cn = "Middle",
	    .ca = true,
	    .slot = 1,
	    .to = MINT_NOW - DAY,
	    .issuer = &root});
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	struct trust_set *idle = set_of(&root, CA_INACTIVE);

	(void)state;
	add(set, &old, CA_ACTIVE, NULL);
	EXPECT(set, REASON_CA_EXPIRED, &old, &leaf);
	EXPECT(set, REASON_NONE, &root, &leaf, &middle, 1);
	add(idle, &old, CA_ACTIVE, NULL);
	EXPECT(idle, REASON_CA_INACTIVE, &root, &leaf, &middle, 1);
	trust_set_free(set);
	trust_set_free(idle);
	minted_done(&old);
}

static void
expect_scope(const struct trust_set *set, const struct minted *chain,
    bool in_scope, const struct minted *ca)
{
	struct ask ask = {.leaf = &leaf,
	    .chain = chain,
	    .chain_len = chain == NULL ? 0 : 1,
	    .who = &meter};
	struct trust_finding found = verify(set, ask);

	assert_int_equal(found.reason, REASON_NONE);
	assert_int_equal(found.in_scope, in_scope);
	assert_true(is_ca(&found, ca));
	assert_true(found.valid_until == MINT_TO);
}

static void
prefers_a_ca_in_scope(void **state)
{
	struct minted renewed = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	struct trust_set *set = new_set();
	struct trust_finding found;

	(void)state;
	add(set, &middle, CA_ACTIVE, "g:*:*");
	expect_scope(set, NULL, false, &middle);
	add(set, &renewed, CA_ACTIVE, "d:meter:*");
	expect_scope(set, NULL, true, &renewed);
	expect_scope(set, &middle, true, &renewed);
	found = verify(set, (struct ask){.leaf = &leaf});
	assert_int_equal(found.reason, REASON_NONE);
	assert_false(found.in_scope); /* nobody was asked for */
	trust_set_free(set);
	minted_done(&renewed);
}

/* A root with a wider scope does not widen that of a registered CA below. */
static void
holds_scopes_all_the_way(void **state)
{
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	struct trust_set *narrow = new_set();

	(void)state;
	expect_scope(set, &middle, true, &root);
	add(set, &middle, CA_ACTIVE, "g:*:*");
	expect_scope(set, &middle, false, &middle);
	expect_scope(set, NULL, false, &middle);
	trust_set_free(set);
	/* The CA nearest to the leaf decides. */
	add(narrow, &root, CA_ACTIVE, "g:*:*");
	expect_scope(narrow, &middle, false, &root);
	add(narrow, &middle, CA_ACTIVE, "d:meter:*");
	expect_scope(narrow, &middle, true, &middle);
	trust_set_free(narrow);
}

/* A ladder of n intermediates below root, the lowest first. */
static struct minted
make_ladder(struct minted *steps, size_t n)
{
	const struct minted *above = &root;
	char name[16];
	size_t i;

	for (i = n; i-- > 0;) {
		(void)snprintf(name, sizeof(name), "Step %u", (unsigned)i);
		steps[i] = mint(&(struct mint_options){.cn = name,
		    .ca = true,
		    .slot = (unsigned)i + 1,
		    .issuer = above});
		above = &steps[i];
	}
	return mint_device(above, "d:meter:0001");
}

static void
climbs_four_steps(void **state)
{
	struct minted steps[TRUST_DEPTH + 1], device;
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	size_t n, i;

	(void)state;
	for (n = 1; n <= TRUST_DEPTH + 1; n++) {
		struct trust_finding found;

		device = make_ladder(steps, n);
		found = verify(set, (struct ask){.leaf = &device, steps, n});
		assert_int_equal(found.reason == REASON_NONE, n <= TRUST_DEPTH);
		minted_done(&device);
		for (i = 0; i < n; i++) {
			minted_done(&steps[i]);
		}
	}
	trust_set_free(set);
}

/* Defects of Middle, with a leaf that is well. */
static const struct leaf_case middle_cases[] = {
    {"plain", REASON_NONE, {.ca = true}},
    {"expired", REASON_CA_EXPIRED, {.ca = true, .to = MINT_NOW - DAY}},
    {"not yet valid", REASON_CERT_INVALID,
        {.ca = true, .from = MINT_NOW + DAY}},
    {"not a CA", REASON_CERT_INVALID, {.ku = ""}},
    {"keyUsage without keyCertSign", REASON_CERT_INVALID,
        {.ca = true, .ku = "critical,cRLSign"}},
    {"RSA 1024", REASON_CERT_WEAK, {.ca = true, .key = MINT_RSA1024}},
    {"SHA-1", REASON_CERT_WEAK, {.ca = true, .digest = "SHA1"}},
    {"EKU of a server", REASON_CERT_INVALID, {.ca = true, .eku = "serverAuth"}},
    {"unknown critical extension", REASON_CERT_INVALID,
        {.ca = true, .extensions = EXTRA("1.2.3.4=critical,DER:0500")}},
    {"policyConstraints", REASON_CERT_INVALID,
        {.ca = true,
            .extensions =
                EXTRA("policyConstraints=critical,requireExplicitPolicy:0")}},
    {"serial number of twenty octets", REASON_NONE,
        {.ca = true,
            .serial = "1461501637330902918203684832716283019655932542975"}},
    {"serial number of twenty-one octets", REASON_CERT_INVALID,
        {.ca = true,
            .serial = "1461501637330902918203684832716283019655932542976"}},
    {"serial number 0", REASON_CERT_INVALID, {.ca = true, .serial = "0"}},
    {"serial number -1", REASON_CERT_INVALID, {.ca = true, .serial = "-1"}},
    {"names permitted", REASON_NONE,
        {.ca = true,
            .extensions =
                EXTRA("nameConstraints=critical,permitted;DNS:example.com")}},
    {"names not permitted", REASON_CERT_INVALID,
        {.ca = true,
            .extensions =
                EXTRA("nameConstraints=critical,permitted;DNS:other.com")}},
    {"names excluded", REASON_CERT_INVALID,
        {.ca = true,
            .extensions =
                EXTRA("nameConstraints=critical,excluded;DNS:example.com")}},
    {"expired and weak", REASON_CA_EXPIRED,
        {.ca = true, .digest = "SHA1", .to = MINT_NOW - DAY}},
};

static void
judges_intermediates(void **state)
{
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(middle_cases) / sizeof(middle_cases[0]); i++) {
		struct mint_options options = middle_cases[i].options;
		struct minted between, device;
		struct trust_finding found;

		options.cn = "Middle";
		options.slot = 1;
		options.issuer = &root;
		between = mint(&options);
		device = mint(&(struct mint_options){.cn = "d:meter:0001",
		    .san = "DNS:a.example.com",
		    .slot = 2,
		    .issuer = &between});
		found = verify(set, (struct ask){.leaf = &device, &between, 1});
		if (found.reason != middle_cases[i].want) {
			fail_msg("%s: %s (%s)", middle_cases[i].name,
			    reason_id(found.reason), found.detail);
		}
		minted_done(&between);
		minted_done(&device);
	}
	trust_set_free(set);
}

/* *.example.com stands for the excluded name too. */
static void
refuses_wildcards_below_constraints(void **state)
{
	struct minted ca = mint(&(struct mint_options){.cn = "Plant",
	    .ca = true,
	    .extensions = EXTRA(
	        "nameConstraints=critical,excluded;DNS:bar.example.com")});
	struct minted wild = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .san = "DNS:*.example.com",
	    .slot = 1,
	    .issuer = &ca});
	struct minted plain = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .san = "DNS:foo.example.com",
	    .slot = 1,
	    .issuer = &ca});
	struct trust_set *set = set_of(&ca, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_CERT_INVALID, &ca, &wild);
	EXPECT(set, REASON_NONE, &ca, &plain);
	trust_set_free(set);
	minted_done(&ca);
	minted_done(&wild);
	minted_done(&plain);
}

static void
obeys_path_length(void **state)
{
	struct minted flat = mint(&(struct mint_options){
	    .cn = "Flat", .ca = true, .bc = "critical,CA:TRUE,pathlen:0"});
	struct minted below = mint(&(struct mint_options){
	    .cn = "Below", .ca = true, .slot = 1, .issuer = &flat});
	struct minted good = mint_device(&flat, "d:meter:0001");
	struct minted bad = mint_device(&below, "d:meter:0001");
	struct trust_set *set = set_of(&flat, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_NONE, &flat, &good);
	EXPECT(set, REASON_CERT_INVALID, &flat, &bad, &below, 1);
	trust_set_free(set);
	minted_done(&flat);
	minted_done(&below);
	minted_done(&good);
	minted_done(&bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ends_at_an_intermediate),
	    cmocka_unit_test(climbs_to_a_root),
	    cmocka_unit_test(stops_at_an_idle_intermediate),
	    cmocka_unit_test(replaces_an_expired_intermediate),
	    cmocka_unit_test(prefers_a_ca_in_scope),
	    cmocka_unit_test(holds_scopes_all_the_way),
	    cmocka_unit_test(climbs_four_steps),
	    cmocka_unit_test(judges_intermediates),
	    cmocka_unit_test(refuses_wildcards_below_constraints),
	    cmocka_unit_test(obeys_path_length),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
