/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * Registered CAs that another registered CA has revoked.
 */
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

static const struct {
	const char *name;
	enum reason want;
	enum ca_state state; /* of Root; Middle is active */
	struct setting root;
} anchor_cases[] = {
    {"listed", REASON_CERT_REVOKED, CA_ACTIVE,
        IF_PRESENT(.crl = GOOD, .lists = true)},
    {"listed, stale", REASON_CERT_REVOKED, CA_ACTIVE,
        IF_PRESENT(.crl = LATE, .lists = true)},
    {"listed, required", REASON_CERT_REVOKED, CA_ACTIVE,
        REQUIRED(.crl = GOOD, .lists = true)},
    {"listed by an inactive root", REASON_CERT_REVOKED, CA_INACTIVE,
        IF_PRESENT(.crl = GOOD, .lists = true)},
    {"listed by an unproven root", REASON_CERT_REVOKED, CA_UNPROVEN,
        REQUIRED(.crl = GOOD, .lists = true)},
    {"listed, off", REASON_NONE, CA_ACTIVE, OFF(.crl = GOOD, .lists = true)},
    {"not listed", REASON_NONE, CA_ACTIVE, REQUIRED(.crl = GOOD)},
    {"stale", REASON_NONE, CA_ACTIVE, REQUIRED(.crl = LATE)},
    {"silent", REASON_NONE, CA_ACTIVE,
        REQUIRED(.crl = GOOD, .for_users = true)},
    {"missing", REASON_NONE, CA_INACTIVE, REQUIRED()},
};

static bool
says_revoked(const struct trust_set *set, const struct minted *ca)
{
	struct cert_info info;
	struct diag why;
	bool is_revoked;

	assert_int_equal(cert_info_read(ca->cert, &info, &why), RES_OK);
	is_revoked = trust_is_revoked(set, info.fingerprint);
	cert_info_done(&info);
	return is_revoked;
}

static void
anchor_case(
    size_t i, const struct minted *ca, const struct minted *device, bool first)
{
	static const struct setting plain = IF_PRESENT();
	struct trust_set *set = new_set();
	struct trust_finding found;

	if (first) {
		add_setting(set, ca, CA_ACTIVE, &plain, NULL);
	}
	add_setting(
	    set, &root, anchor_cases[i].state, &anchor_cases[i].root, ca);
	if (!first) {
		add_setting(set, ca, CA_ACTIVE, &plain, NULL);
	}
	found = verify(set, (struct ask){.leaf = device});
	assert_int_equal(
	    says_revoked(set, ca), anchor_cases[i].want == REASON_CERT_REVOKED);
	assert_false(says_revoked(set, &root));
	assert_false(says_revoked(set, device)); /* it is not in the set */
	if (found.reason != anchor_cases[i].want || !is_ca(&found, ca)) {
		fail_msg("%s: %s (%s)", anchor_cases[i].name,
		    reason_id(found.reason), found.detail);
	}
	if (found.reason == REASON_CERT_REVOKED) {
		assert_non_null(strstr(found.detail, "the CA is revoked"));
	} else {
		assert_true(found.valid_until == MINT_TO);
	}
	trust_set_free(set);
}

/* In whichever order they are registered, with key identifiers and without. */
static void
refuses_revoked_anchors(void **state)
{
	struct minted bare = mint(&(struct mint_options){.cn = "Bare",
	    .ca = true,
	    .slot = 2,
	    .no_aki = true,
	    .issuer = &root});
	struct minted of_bare = mint_device(&bare, "d:meter:0001");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(anchor_cases) / sizeof(anchor_cases[0]); i++) {
		anchor_case(i, &middle, &leaf, true);
		anchor_case(i, &middle, &leaf, false);
		anchor_case(i, &bare, &of_bare, true);
		anchor_case(i, &bare, &of_bare, false);
	}
	minted_done(&bare);
	minted_done(&of_bare);
}

/* Of a CA's certificates the one that is listed no longer anchors, the others
 * do; and the list of a namesake's is not about it. */
static void
revokes_certificates_not_names(void **state)
{
	static const struct setting lists =
	    IF_PRESENT(.crl = GOOD, .lists = true);
	static const struct setting plain = IF_PRESENT();
	struct minted renewed = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	struct minted twin = mint_ca("Root", 5);
	struct minted bare = mint(&(struct mint_options){.cn = "Middle",
	    .ca = true,
	    .slot = 1,
	    .no_aki = true,
	    .issuer = &root});
	struct trust_set *set = new_set(), *other = new_set();

	(void)state;
	add_setting(set, &middle, CA_ACTIVE, &plain, NULL);
	add_setting(set, &root, CA_INACTIVE, &lists, &middle);
	EXPECT(set, REASON_CERT_REVOKED, &middle, &leaf);
	add_setting(set, &renewed, CA_ACTIVE, &plain, NULL);
	EXPECT(set, REASON_NONE, &renewed, &leaf);
	add_setting(other, &twin, CA_ACTIVE, &lists, &bare);
	add_setting(other, &bare, CA_ACTIVE, &plain, NULL);
	EXPECT(other, REASON_NONE, &bare, &leaf);
	trust_set_free(set);
	trust_set_free(other);
	minted_done(&renewed);
	minted_done(&twin);
	minted_done(&bare);
}

/* A root that lists itself, and one that another certificate of its lists. */
static void
takes_a_root_at_its_word(void **state)
{
	static const struct setting lists =
	    IF_PRESENT(.crl = GOOD, .lists = true);
	static const struct setting plain = IF_PRESENT();
	struct minted next = mint(&(struct mint_options){
	    .cn = "Root", .ca = true, .to = MINT_NOW - DAY});
	struct minted device = mint_device(&root, "d:meter:0001");
	struct trust_set *set = new_set(), *both = new_set();

	(void)state;
	add_setting(set, &root, CA_ACTIVE, &lists, &root);
	EXPECT(set, REASON_CERT_REVOKED, &root, &device);
	add_setting(both, &root, CA_ACTIVE, &plain, NULL);
	EXPECT(both, REASON_NONE, &root, &device);
	add_setting(both, &next, CA_ACTIVE, &lists, &root);
	EXPECT(both, REASON_CERT_REVOKED, &root, &device);
	trust_set_free(set);
	trust_set_free(both);
	minted_done(&next);
	minted_done(&device);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refuses_revoked_anchors),
	    cmocka_unit_test(revokes_certificates_not_names),
	    cmocka_unit_test(takes_a_root_at_its_word),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
