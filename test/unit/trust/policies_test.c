/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Certificate policies, RFC 5280 6.1: any initial policy will do, and an
 * explicit one is needed where a CA of the chain below the anchor says so.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

/* certificatePolicies of 1.2.3.4, 1.2.3.5, both, and any-policy. */
#define FOUR     "certificatePolicies=DER:3007300506032a0304"
#define FIVE     "certificatePolicies=DER:3007300506032a0305"
#define BOTH     "certificatePolicies=DER:300e300506032a0304300506032a0305"
#define TWICE    "certificatePolicies=DER:300e300506032a0304300506032a0304"
#define ANY      "certificatePolicies=DER:300830060604551d2000"
#define EXPLICIT "policyConstraints=critical,requireExplicitPolicy:0"
#define SOON     "policyConstraints=critical,requireExplicitPolicy:1"
#define LATER    "policyConstraints=critical,requireExplicitPolicy:3"
#define NO_MAP                                                                 \
	"policyConstraints=critical,requireExplicitPolicy:0,"                  \
	"inhibitPolicyMapping:0"
#define ONE_MAP                                                                \
	"policyConstraints=critical,requireExplicitPolicy:0,"                  \
	"inhibitPolicyMapping:1"
#define NO_ANY       "inhibitAnyPolicy=critical,0"
#define MAP          "policyMappings=critical,1.2.3.4:1.2.3.5"
#define MAP_TO_ANY   "policyMappings=critical,1.2.3.4:2.5.29.32.0"
#define MAP_FROM_ANY "policyMappings=critical,2.5.29.32.0:1.2.3.5"
#define SOFT_MAP     "policyMappings=1.2.3.4:2.5.29.32.0"
#define EMPTY_MAP    "policyMappings=critical,DER:3000"

/* Root, High, Low, leaf. */
static const struct {
	const char *name;
	enum reason want;
	const char *const *high, *const *low, *const *leaf;
} cases[] = {
    {"none at all", REASON_NONE, NULL, NULL, NULL},
    {"no demand, one policy", REASON_NONE, EXTRA(FOUR), EXTRA(FOUR),
        EXTRA(FOUR)},
    {"no demand, policies that differ", REASON_NONE, EXTRA(FOUR), EXTRA(FIVE),
        EXTRA(FOUR)},
    {"no demand, a mapping", REASON_NONE, EXTRA(FOUR, MAP), NULL, NULL},

    {"explicit, none", REASON_CERT_INVALID, EXTRA(EXPLICIT), NULL, NULL},
    {"explicit below, none", REASON_CERT_INVALID, NULL, EXTRA(EXPLICIT), NULL},
    {"explicit, all", REASON_NONE, EXTRA(EXPLICIT, FOUR), EXTRA(FOUR),
        EXTRA(FOUR)},
    {"explicit below, all", REASON_NONE, EXTRA(FOUR), EXTRA(EXPLICIT, FOUR),
        EXTRA(FOUR)},
    {"explicit, none above it", REASON_CERT_INVALID, NULL,
        EXTRA(EXPLICIT, FOUR), EXTRA(FOUR)},
    {"explicit, leaf none", REASON_CERT_INVALID, EXTRA(EXPLICIT, FOUR),
        EXTRA(FOUR), NULL},
    {"explicit, middle none", REASON_CERT_INVALID, EXTRA(EXPLICIT, FOUR), NULL,
        EXTRA(FOUR)},
    {"explicit, top none", REASON_CERT_INVALID, EXTRA(EXPLICIT), EXTRA(FOUR),
        EXTRA(FOUR)},
    {"explicit, leaf another", REASON_CERT_INVALID, EXTRA(EXPLICIT, FOUR),
        EXTRA(FOUR), EXTRA(FIVE)},
    {"explicit, one of two", REASON_NONE, EXTRA(EXPLICIT, BOTH), EXTRA(FIVE),
        EXTRA(BOTH)},
    {"explicit, no common one", REASON_CERT_INVALID, EXTRA(EXPLICIT, BOTH),
        EXTRA(FOUR), EXTRA(FIVE)},
    {"explicit in the leaf, none", REASON_CERT_INVALID, NULL, NULL,
        EXTRA(EXPLICIT)},
    {"explicit in the leaf, all", REASON_NONE, EXTRA(FOUR), EXTRA(FOUR),
        EXTRA(EXPLICIT, FOUR)},
    {"explicit in the leaf alone", REASON_CERT_INVALID, NULL, NULL,
        EXTRA(EXPLICIT, FOUR)},
    {"explicit soon, none", REASON_CERT_INVALID, EXTRA(SOON), NULL, NULL},
    {"explicit too late to matter", REASON_NONE, EXTRA(LATER), NULL, NULL},

    {"any at the top", REASON_NONE, EXTRA(EXPLICIT, ANY), EXTRA(FOUR),
        EXTRA(FOUR)},
    {"any all the way", REASON_NONE, EXTRA(EXPLICIT, ANY), EXTRA(ANY),
        EXTRA(ANY)},
    {"any in the leaf", REASON_NONE, EXTRA(EXPLICIT, FOUR), EXTRA(FOUR),
        EXTRA(ANY)},
    {"any inhibited below", REASON_CERT_INVALID, EXTRA(EXPLICIT, FOUR, NO_ANY),
        EXTRA(ANY), EXTRA(FOUR)},
    {"any inhibited in the leaf", REASON_CERT_INVALID, EXTRA(EXPLICIT, FOUR),
        EXTRA(FOUR, NO_ANY), EXTRA(ANY)},
    {"any inhibited, none used", REASON_NONE, EXTRA(EXPLICIT, ANY, NO_ANY),
        EXTRA(FOUR), EXTRA(FOUR)},

    {"mapped", REASON_NONE, EXTRA(EXPLICIT, FOUR, MAP), EXTRA(FIVE),
        EXTRA(FIVE)},
    {"mapped, the old name", REASON_CERT_INVALID, EXTRA(EXPLICIT, FOUR, MAP),
        EXTRA(FOUR), EXTRA(FOUR)},
    {"mapping inhibited", REASON_CERT_INVALID, EXTRA(NO_MAP, FOUR),
        EXTRA(FOUR, MAP), EXTRA(FIVE)},
    {"mapping inhibited from the next on", REASON_NONE, EXTRA(ONE_MAP, FOUR),
        EXTRA(FOUR, MAP), EXTRA(FIVE)},
    {"inhibited for others, not for itself", REASON_NONE,
        EXTRA(NO_MAP, FOUR, MAP), EXTRA(FIVE), EXTRA(FIVE)},
    {"mapped to any", REASON_CERT_INVALID, EXTRA(FOUR, MAP_TO_ANY), NULL, NULL},
    {"mapped from any", REASON_CERT_INVALID, EXTRA(ANY, MAP_FROM_ANY), NULL,
        NULL},
    {"mapped to any, below", REASON_CERT_INVALID, NULL, EXTRA(FOUR, MAP_TO_ANY),
        NULL},
    {"mapped to any, not critical", REASON_CERT_INVALID, EXTRA(FOUR, SOFT_MAP),
        NULL, NULL},
    {"mapped to any, no policies", REASON_CERT_INVALID, EXTRA(MAP_TO_ANY), NULL,
        NULL},
    {"mapped from any, no policies", REASON_CERT_INVALID, EXTRA(MAP_FROM_ANY),
        NULL, NULL},
    {"mapped from any, explicit", REASON_CERT_INVALID,
        EXTRA(EXPLICIT, ANY, MAP_FROM_ANY), EXTRA(FIVE), EXTRA(FIVE)},
    {"an empty mapping", REASON_CERT_INVALID, EXTRA(FOUR, EMPTY_MAP), NULL,
        NULL},

    {"one policy twice", REASON_CERT_INVALID, EXTRA(TWICE), NULL, NULL},
    {"one policy twice in the leaf", REASON_CERT_INVALID, NULL, NULL,
        EXTRA(TWICE)},
    {"empty constraints", REASON_CERT_INVALID,
        EXTRA("policyConstraints=critical,DER:3000"), NULL, NULL},
    {"a negative skip", REASON_CERT_INVALID,
        EXTRA("policyConstraints=critical,DER:30038001ff"), NULL, NULL},
    {"a negative inhibition", REASON_CERT_INVALID,
        EXTRA(FOUR, "inhibitAnyPolicy=critical,DER:0201ff"), NULL, NULL},
    {"constraints that are not critical, far", REASON_NONE,
        EXTRA("policyConstraints=requireExplicitPolicy:3"), NULL, NULL},
    {"constraints that are not critical, met", REASON_NONE,
        EXTRA("policyConstraints=requireExplicitPolicy:0", FOUR), EXTRA(FOUR),
        EXTRA(FOUR)},
    {"constraints that are not critical, not met", REASON_CERT_INVALID,
        EXTRA("policyConstraints=requireExplicitPolicy:0", FOUR), NULL, NULL},
    {"an inhibition that is not critical", REASON_CERT_INVALID,
        EXTRA(EXPLICIT, FOUR), EXTRA(FOUR, "inhibitAnyPolicy=0"), EXTRA(ANY)},
    {"policies that are none", REASON_CERT_INVALID,
        EXTRA("certificatePolicies=DER:0500"), NULL, NULL},
};

static struct minted
mint_below(const struct minted *issuer, const char *cn, unsigned slot,
    const char *const *extensions)
{
	return mint(&(struct mint_options){.cn = cn,
	    .ca = cn[0] != 'd',
	    .slot = slot,
	    .extensions = extensions,
	    .issuer = issuer});
}

static void
follows_the_standard(void **state)
{
	struct minted root = mint_ca("Root", 0), steps[2], leaf;
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	struct trust_finding found;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		steps[1] = mint_below(&root, "High", 1, cases[i].high);
		steps[0] = mint_below(&steps[1], "Low", 2, cases[i].low);
		leaf = mint_below(&steps[0], "d:meter:0001", 3, cases[i].leaf);
		found = verify(set, (struct ask){.leaf = &leaf, steps, 2});
		if (found.reason != cases[i].want) {
			fail_msg("%s: %s (%s)", cases[i].name,
			    reason_id(found.reason), found.detail);
		}
		minted_done(&steps[0]);
		minted_done(&steps[1]);
		minted_done(&leaf);
	}
	trust_set_free(set);
	minted_done(&root);
}

/* The path begins below the anchor, whose own policies say nothing. */
static void
passes_over_the_anchor(void **state)
{
	struct minted root = mint(&(struct mint_options){
	    .cn = "Root", .ca = true, .extensions = EXTRA(FIVE)});
	struct minted high =
	    mint_below(&root, "High", 1, EXTRA(EXPLICIT, FOUR));
	struct minted leaf = mint_below(&high, "d:meter:0001", 3, EXTRA(FOUR));
	struct minted bare = mint_below(&high, "d:meter:0002", 3, NULL);
	struct trust_set *set = set_of(&root, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_NONE, &root, &leaf, &high, 1);
	EXPECT(set, REASON_CERT_INVALID, &root, &bare, &high, 1);
	trust_set_free(set);
	minted_done(&root);
	minted_done(&high);
	minted_done(&leaf);
	minted_done(&bare);
}

/* No such CA can be registered; one that is all the same admits nobody. */
static void
refuses_an_anchor_with_constraints(void **state)
{
	struct minted root = mint(&(struct mint_options){
	    .cn = "Root", .ca = true, .extensions = EXTRA(EXPLICIT, FOUR)});
	struct minted leaf = mint_below(&root, "d:meter:0001", 3, EXTRA(FOUR));
	struct trust_set *set = set_of(&root, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_CERT_INVALID, &root, &leaf);
	trust_set_free(set);
	minted_done(&root);
	minted_done(&leaf);
}

/* "NAME=DER:..." of n policies, or of n pairs of them. */
static char *
make_many(const char *name, unsigned n, bool pairs)
{
	unsigned each = pairs ? 14 : 8, i;
	size_t size = strlen(name) + 32 + (size_t)n * 32;
	char *text = calloc(1, size);
	size_t at =
	    (size_t)snprintf(text, size, "%s=DER:3082%04x", name, n * each);

	for (i = 0; i < n; i++) {
		at += (size_t)snprintf(text + at, size - at,
		    pairs ? "300c06042a03%04x06042a04%04x" : "300606042a03%04x",
		    i % 128 + i / 128 * 0x100 + 0x8100,
		    i % 128 + i / 128 * 0x100 + 0x8100);
	}
	return text;
}

static const struct {
	const char *name, *extension;
	unsigned n;
	bool is_too_large;
} sizes[] = {
    {"policies that fit", "certificatePolicies", 255, false},
    {"one too many", "certificatePolicies", 256, true},
    {"far too many", "certificatePolicies", 4000, true},
    {"mappings to the last byte", "policyMappings", 146, false},
    {"a mapping too many", "policyMappings", 147, true},
};

/* In the chain or beside it: nothing is done with such a certificate. */
static void
bounds_policies(void **state)
{
	struct minted root = mint_ca("Root", 0), stray = mint_ca("Stray", 4);
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *many = make_many(sizes[i].extension, sizes[i].n,
		    sizes[i].extension[0] == 'p');
		enum reason want =
		    sizes[i].is_too_large ? REASON_CERT_TOO_LARGE : REASON_NONE;
		struct minted chain[2] = {
		    stray, mint_below(&root, "High", 1, EXTRA(many))};
		struct minted below =
		    mint_below(&chain[1], "d:meter:0001", 3, NULL);
		struct minted plain =
		    mint_below(&root, "d:meter:0001", 3, NULL);
		struct minted full =
		    mint_below(&root, "d:meter:0001", 3, EXTRA(many));
		const struct minted *told = want == REASON_NONE ? &root : NULL;

		print_message("%s\n", sizes[i].name);
		EXPECT(set, want, told, &below, chain, 2);
		EXPECT(set, want, told, &plain, chain, 2);
		EXPECT(set, want, told, &full);
		EXPECT(set, REASON_NONE, &root, &plain);
		minted_done(&chain[1]);
		minted_done(&below);
		minted_done(&plain);
		minted_done(&full);
		free(many);
	}
	trust_set_free(set);
	minted_done(&root);
	minted_done(&stray);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(follows_the_standard),
	    cmocka_unit_test(passes_over_the_anchor),
	    cmocka_unit_test(refuses_an_anchor_with_constraints),
	    cmocka_unit_test(bounds_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
