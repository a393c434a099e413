/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * CAs between a leaf and the one that anchors: held to what is asked of the
 * others, and revoked with those that issued them.
 */
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

static struct minted root;

static int
set_up(void **state)
{
	(void)state;
	root = mint_ca("Root", 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&root);
	return 0;
}

#define NOTHING "1.2.3.4=DER:0500"

static const struct leaf_case middles[] = {
    {"an ordinary one", REASON_NONE, {0}},
    {"P-384", REASON_NONE, {.key = MINT_P384}},
    {"Ed25519", REASON_NONE, {.key = MINT_ED25519}},
    {"RSA of 2048 bits", REASON_NONE, {.key = MINT_RSA2048}},
    {"an extension that nobody knows", REASON_NONE,
        {.extensions = EXTRA(NOTHING)}},
    {"secp256k1", REASON_CERT_WEAK, {.key = MINT_K256}},
    {"RSA of 2050 bits", REASON_CERT_WEAK, {.key = MINT_RSA2050}},
    {"RSA of 1024 bits", REASON_CERT_WEAK, {.key = MINT_RSA1024}},
    {"an extension twice", REASON_CERT_INVALID,
        {.extensions = EXTRA(NOTHING, NOTHING)}},
    {"an extended key usage that cannot be decoded", REASON_CERT_INVALID,
        {.extensions = EXTRA("1.3.6.1.5.5.7.1.1=DER:0500")}},
    {"bytes behind its basicConstraints", REASON_CERT_INVALID,
        {.bc = "", .extensions = EXTRA("2.5.29.19=DER:30030101ff020100")}},
};

static void
are_held_to_the_same(void **state)
{
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(middles) / sizeof(middles[0]); i++) {
		struct mint_options options = middles[i].options;
		struct trust_finding found;
		struct minted middle, leaf;

		options.cn = "Middle";
		options.ca = true;
		options.slot = 1;
		options.issuer = &root;
		middle = mint(&options);
		leaf = mint_device(&middle, "d:meter:0001");
		found = verify(set, (struct ask){.leaf = &leaf, &middle, 1});
		if (found.reason != middles[i].want) {
			fail_msg("%s: %s (%s)", middles[i].name,
			    reason_id(found.reason), found.detail);
		}
		minted_done(&leaf);
		minted_done(&middle);
	}
	trust_set_free(set);
}

/* Root's CRL lists High; High has issued Low; all three are registered. */
static void
go_with_their_issuer(void **state)
{
	static const struct setting plain = IF_PRESENT();
	static const struct setting lists =
	    IF_PRESENT(.crl = GOOD, .lists = true);
	static const int orders[][3] = {
	    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct minted cas[3], leaf;
	size_t i, j;

	(void)state;
	cas[0] = root;
	cas[1] = mint(&(struct mint_options){
	    .cn = "High", .ca = true, .slot = 1, .issuer = &root});
	cas[2] = mint(&(struct mint_options){
	    .cn = "Low", .ca = true, .slot = 2, .issuer = &cas[1]});
	leaf = mint_device(&cas[2], "d:meter:0001");
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct trust_set *set = new_set();
		struct trust_set *clean = new_set();

		for (j = 0; j < 3; j++) {
			int ca = orders[i][j];

			add_setting(set, &cas[ca], CA_ACTIVE,
			    ca == 0 ? &lists : &plain, &cas[1]);
			add_setting(clean, &cas[ca], CA_ACTIVE, &plain, NULL);
		}
		EXPECT(set, REASON_CERT_REVOKED, &cas[2], &leaf);
		EXPECT(clean, REASON_NONE, &cas[2], &leaf);
		trust_set_free(set);
		trust_set_free(clean);
	}
	minted_done(&leaf);
	minted_done(&cas[2]);
	minted_done(&cas[1]);
}

/* Middle is registered and on Root's CRL; Other has signed it as well, and
 * that certificate is what the client sends. */
static void
are_revoked_under_every_issuer(void **state)
{
	static const struct setting plain = IF_PRESENT();
	static const struct setting lists =
	    IF_PRESENT(.crl = GOOD, .lists = true);
	struct minted other = mint_ca("Other", 3);
	struct mint_options options = {
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root};
	struct minted middle = mint(&options), crossed, leaf;
	struct trust_set *set = new_set(), *unregistered = new_set();

	(void)state;
	options.issuer = &other;
	crossed = mint(&options);
	leaf = mint_device(&middle, "d:meter:0001");
	add_setting(set, &root, CA_ACTIVE, &lists, &middle);
	add_setting(set, &middle, CA_ACTIVE, &plain, NULL);
	add_setting(set, &other, CA_ACTIVE, &plain, NULL);
	EXPECT(set, REASON_CERT_REVOKED, &middle, &leaf);
	EXPECT(set, REASON_CERT_REVOKED, &middle, &leaf, &middle, 1);
	EXPECT(set, REASON_CERT_REVOKED, &middle, &leaf, &crossed, 1);
	/* One that is not registered is revoked by its issuer alone. */
	add_setting(unregistered, &root, CA_ACTIVE, &lists, &middle);
	add_setting(unregistered, &other, CA_ACTIVE, &plain, NULL);
	EXPECT(unregistered, REASON_CERT_REVOKED, &root, &leaf, &middle, 1);
	EXPECT(unregistered, REASON_NONE, &other, &leaf, &crossed, 1);
	trust_set_free(set);
	trust_set_free(unregistered);
	minted_done(&leaf);
	minted_done(&crossed);
	minted_done(&middle);
	minted_done(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(are_held_to_the_same),
	    cmocka_unit_test(go_with_their_issuer),
	    cmocka_unit_test(are_revoked_under_every_issuer),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
