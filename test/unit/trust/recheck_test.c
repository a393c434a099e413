/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A path that verified once, looked at again when the set is another, or the
 * time is.  The certificates that it was read from are gone by then.
 */
#include <stdlib.h>

#include "common/clock.h"
#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

#define LEAF_FROM   (MINT_NOW - 2 * DAY)
#define MIDDLE_FROM (MINT_NOW - 3 * DAY)
#define LEAF_TO     (MINT_NOW + 10 * DAY)
#define MIDDLE_TO   (MINT_NOW + 20 * DAY)

/* Root, Middle below it, a leaf of Middle; another certificate of Root's. */
static struct minted root, middle, leaf, renewed;

static int
set_up(void **state)
{
	(void)state;
	root = mint_ca("Root", 0);
	renewed = mint_ca("Root", 0);
	middle = mint(&(struct mint_options){.cn = "Middle",
	    .ca = true,
	    .slot = 1,
	    .from = MIDDLE_FROM,
	    .to = MIDDLE_TO,
	    .issuer = &root});
	leaf = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .slot = 2,
	    .from = LEAF_FROM,
	    .to = LEAF_TO,
	    .issuer = &middle});
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&root);
	minted_done(&renewed);
	minted_done(&middle);
	minted_done(&leaf);
	return 0;
}

/* From the leaf through Middle to ca, which is registered alone. */
static struct trust_path *
path_to(const struct minted *ca)
{
	struct trust_set *set = set_of(ca, CA_ACTIVE);
	struct trust_path *path = NULL;
	struct trust_finding found =
	    verify_path(set, (struct ask){.leaf = &leaf, &middle, 1}, &path);

	assert_int_equal(found.reason, REASON_NONE);
	assert_true(is_ca(&found, ca));
	trust_set_free(set);
	return path;
}

/* What became of a CA. */
struct standing {
	enum ca_state state;
	const char *scope;
	struct setting setting;
};

#define GONE                                                                   \
	{                                                                      \
		.setting = ABSENT                                              \
	}
#define IS(what, ...)                                                          \
	{                                                                      \
		.state = (what), .setting = IF_PRESENT(__VA_ARGS__)            \
	}
#define COVERS(pattern)                                                        \
	{                                                                      \
		.state = CA_ACTIVE, .scope = (pattern),                        \
		.setting = IF_PRESENT()                                        \
	}

static void
add_standing(struct trust_set *set, const struct minted *ca,
    const struct standing *standing, const struct minted *below)
{
	struct crl *crl = crl_by(ca, &standing->setting, below);

	if (!standing->setting.is_absent) {
		add_terms(set, ca,
		    &(struct ca_terms){.state = standing->state,
		        .patterns = &standing->scope,
		        .pattern_count = standing->scope == NULL ? 0 : 1,
		        .crl_policy = standing->setting.policy,
		        .crl_grace = standing->setting.grace,
		        .crl = crl});
	}
	crl_unref(crl);
}

enum told { NOBODY, ROOT, MIDDLE };

static const struct {
	const char *name;
	struct standing root, middle;
	int64_t later; /* seconds after MINT_NOW */
	enum reason want;
	bool in_scope;
	enum told told;
} cases[] = {
    {"unchanged", IS(CA_ACTIVE), GONE, 0, REASON_NONE, true, ROOT},
    {"removed", GONE, GONE, 0, REASON_CA_UNKNOWN, false, NOBODY},
    {"removed, Middle is there", GONE, IS(CA_ACTIVE), 0, REASON_CA_UNKNOWN,
        false, NOBODY},
    {"removed, Middle is idle", GONE, IS(CA_INACTIVE), 0, REASON_CA_UNKNOWN,
        false, NOBODY},
    {"inactive", IS(CA_INACTIVE), GONE, 0, REASON_CA_INACTIVE, false, ROOT},
    {"unproven", IS(CA_UNPROVEN), GONE, 0, REASON_CA_UNPROVEN, false, ROOT},
    {"narrowed", COVERS("g:*:*"), GONE, 0, REASON_NONE, false, ROOT},
    {"still covered", COVERS("d:meter:*"), GONE, 0, REASON_NONE, true, ROOT},
    {"bad scope", COVERS("*"), GONE, 0, REASON_NONE, false, ROOT},
    {"Middle added", IS(CA_ACTIVE), IS(CA_ACTIVE), 0, REASON_NONE, true, ROOT},
    {"Middle added, inactive", IS(CA_ACTIVE), IS(CA_INACTIVE), 0,
        REASON_CA_INACTIVE, false, MIDDLE},
    {"Middle added, unproven", IS(CA_ACTIVE), IS(CA_UNPROVEN), 0,
        REASON_CA_UNPROVEN, false, MIDDLE},
    {"both idle", IS(CA_UNPROVEN), IS(CA_INACTIVE), 0, REASON_CA_INACTIVE,
        false, MIDDLE},
    {"Middle added, narrow", IS(CA_ACTIVE), COVERS("g:*:*"), 0, REASON_NONE,
        false, ROOT},
    {"Middle added, covers", IS(CA_ACTIVE), COVERS("d:*:*"), 0, REASON_NONE,
        true, ROOT},
    {"Middle covers, Root no more", COVERS("g:*:*"), COVERS("d:*:*"), 0,
        REASON_NONE, false, ROOT},

    {"leaf listed", IS(CA_ACTIVE), IS(CA_ACTIVE, .crl = MINT_TO, .lists = true),
        0, REASON_CERT_REVOKED, false, ROOT},
    {"Middle listed", IS(CA_ACTIVE, .crl = MINT_TO, .lists = true), GONE, 0,
        REASON_CERT_REVOKED, false, ROOT},
    {"Middle listed, and idle", IS(CA_ACTIVE, .crl = MINT_TO, .lists = true),
        IS(CA_INACTIVE), 0, REASON_CA_INACTIVE, false, MIDDLE},
    {"leaf listed, off", IS(CA_ACTIVE),
        {CA_ACTIVE, NULL, OFF(.crl = MINT_TO, .lists = true)}, 0, REASON_NONE,
        true, ROOT},
    {"demand", {CA_ACTIVE, NULL, REQUIRED()}, GONE, 0, REASON_CRL_MISSING,
        false, ROOT},
    {"demand of Middle", IS(CA_ACTIVE), {CA_ACTIVE, NULL, REQUIRED()}, 0,
        REASON_CRL_MISSING, false, ROOT},
    {"demand, half met", {CA_ACTIVE, NULL, REQUIRED(.crl = MINT_TO)}, GONE, 0,
        REASON_CRL_MISSING, false, ROOT},
    {"demand met", {CA_ACTIVE, NULL, REQUIRED(.crl = MINT_TO)},
        IS(CA_ACTIVE, .crl = MINT_TO), 0, REASON_NONE, true, ROOT},
    {"fresh CRL", IS(CA_ACTIVE, .crl = MINT_NOW + DAY), GONE, DAY - 1,
        REASON_NONE, true, ROOT},
    {"CRL gone stale", IS(CA_ACTIVE, .crl = MINT_NOW + DAY), GONE, DAY,
        REASON_CRL_STALE, false, ROOT},
    {"CRL of Middle gone stale", IS(CA_ACTIVE),
        IS(CA_ACTIVE, .crl = MINT_NOW + DAY), DAY, REASON_CRL_STALE, false,
        ROOT},
    {"within grace", IS(CA_ACTIVE, .crl = MINT_NOW + DAY, .grace = DAY), GONE,
        2 * DAY - 1, REASON_NONE, true, ROOT},
    {"past grace", IS(CA_ACTIVE, .crl = MINT_NOW + DAY, .grace = DAY), GONE,
        2 * DAY, REASON_CRL_STALE, false, ROOT},

    {"last second", IS(CA_ACTIVE), GONE, LEAF_TO - 1 - MINT_NOW, REASON_NONE,
        true, ROOT},
    {"leaf expired", IS(CA_ACTIVE), GONE, LEAF_TO - MINT_NOW,
        REASON_CERT_EXPIRED, false, ROOT},
    {"Middle expired", IS(CA_ACTIVE), GONE, MIDDLE_TO - MINT_NOW,
        REASON_CA_EXPIRED, false, ROOT},
    {"all expired", IS(CA_ACTIVE), GONE, MINT_TO - MINT_NOW, REASON_CA_EXPIRED,
        false, ROOT},
    {"expired and idle", IS(CA_INACTIVE), GONE, LEAF_TO - MINT_NOW,
        REASON_CA_INACTIVE, false, ROOT},
    {"expired and listed", IS(CA_ACTIVE, .crl = MINT_TO, .lists = true), GONE,
        LEAF_TO - MINT_NOW, REASON_CERT_EXPIRED, false, ROOT},
    {"first second", IS(CA_ACTIVE), GONE, LEAF_FROM - MINT_NOW, REASON_NONE,
        true, ROOT},
    {"leaf not yet valid", IS(CA_ACTIVE), GONE, LEAF_FROM - 1 - MINT_NOW,
        REASON_CERT_NOT_YET_VALID, false, ROOT},
    {"Middle not yet valid", IS(CA_ACTIVE), GONE, MIDDLE_FROM - 1 - MINT_NOW,
        REASON_CERT_NOT_YET_VALID, false, ROOT},
    {"expired and narrowed", COVERS("g:*:*"), GONE, LEAF_TO - MINT_NOW,
        REASON_CERT_EXPIRED, false, ROOT},
};

static void
check_told(const char *name, const struct trust_finding *found, enum told told)
{
	if (told == NOBODY ? found->has_ca
	                   : !is_ca(found, told == ROOT ? &root : &middle)) {
		fail_msg("%s: another CA is told", name);
	}
}

/* The CAs are added in both orders. */
static void
follows_the_registry(void **state)
{
	struct trust_path *path = path_to(&root);
	size_t i, k;

	(void)state;
	for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct trust_set *set = new_set();
		struct trust_finding found;

		k = i / 2;
		if (i % 2 == 0) {
			add_standing(set, &root, &cases[k].root, &middle);
		}
		add_standing(set, &middle, &cases[k].middle, &leaf);
		if (i % 2 == 1) {
			add_standing(set, &root, &cases[k].root, &middle);
		}
		found = recheck(set, path, &meter, MINT_NOW + cases[k].later);
		if (found.reason != cases[k].want ||
		    found.in_scope != cases[k].in_scope) {
			fail_msg("%s: %s (%s)", cases[k].name,
			    reason_id(found.reason), found.detail);
		}
		check_told(cases[k].name, &found, cases[k].told);
		trust_set_free(set);
	}
	trust_path_unref(path);
}

/* A verification and a second look give one answer in every set of the table,
 * where the same CA anchors. */
static void
agrees_with_verification(void **state)
{
	struct trust_path *path = path_to(&root), *fresh;
	size_t i, compared = 0;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trust_set *set = new_set();
		struct ask ask = {.leaf = &leaf,
		    &middle,
		    1,
		    MINT_NOW + cases[i].later,
		    &meter};
		struct trust_finding found, again;

		add_standing(set, &root, &cases[i].root, &middle);
		/* Not Middle itself, which would anchor. */
		if (cases[i].middle.setting.is_absent) {
			found = verify_path(set, ask, &fresh);
			again = recheck(set, path, ask.who, ask.now);
			assert_int_equal(found.reason, again.reason);
			assert_int_equal(found.in_scope, again.in_scope);
			assert_int_equal(found.has_ca, again.has_ca);
			assert_true(found.valid_until == again.valid_until);
			trust_path_unref(fresh);
			compared++;
		}
		trust_set_free(set);
	}
	assert_true(compared > 20);
	trust_path_unref(path);
}

/* Another certificate of the CA is no anchor of the path, but its state and
 * its list count where it is an intermediate's. */
static void
wants_the_very_anchor(void **state)
{
	struct trust_path *path = path_to(&root);
	struct trust_set *set = set_of(&renewed, CA_ACTIVE);
	struct crl *crl = crl_of(&renewed, MINT_TO, &middle);
	struct trust_finding found = recheck(set, path, &meter, MINT_NOW);

	(void)state;
	assert_int_equal(found.reason, REASON_CA_UNKNOWN);
	add(set, &root, CA_INACTIVE, NULL);
	found = recheck(set, path, &meter, MINT_NOW);
	assert_int_equal(found.reason, REASON_CA_INACTIVE);
	trust_set_free(set);

	set = set_of(&root, CA_ACTIVE);
	add_terms(set, &renewed,
	    &(struct ca_terms){.state = CA_INACTIVE,
	        .crl_policy = CRL_IF_PRESENT,
	        .crl = crl});
	found = recheck(set, path, &meter, MINT_NOW);
	assert_int_equal(found.reason, REASON_CERT_REVOKED);
	crl_unref(crl);
	trust_set_free(set);
	trust_path_unref(path);
}

static void
sees_an_anchor_revoked(void **state)
{
	struct trust_path *path = path_to(&middle);
	struct trust_set *set = set_of(&middle, CA_ACTIVE);
	struct crl *crl = crl_of(&root, MINT_TO, &middle);
	struct trust_finding found = recheck(set, path, &meter, MINT_NOW);

	(void)state;
	assert_int_equal(found.reason, REASON_NONE);
	add_terms(set, &root,
	    &(struct ca_terms){.state = CA_INACTIVE,
	        .crl_policy = CRL_IF_PRESENT,
	        .crl = crl});
	found = recheck(set, path, &meter, MINT_NOW);
	assert_int_equal(found.reason, REASON_CERT_REVOKED);
	assert_true(is_ca(&found, &middle));
	crl_unref(crl);
	trust_set_free(set);
	trust_path_unref(path);
}

static void
knows_nobody_in_scope(void **state)
{
	struct trust_path *path = path_to(&root);
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	struct trust_finding found = recheck(set, path, NULL, MINT_NOW);

	(void)state;
	assert_int_equal(found.reason, REASON_NONE);
	assert_false(found.in_scope);
	trust_set_free(set);
	trust_path_unref(path);
}

static const struct {
	const char *name;
	enum ca_state state;
	const char *scope;
	int64_t now;
	enum reason want;
	bool in_scope;
} ca_cases[] = {
    {"active", CA_ACTIVE, NULL, MINT_NOW, REASON_NONE, true},
    {"in scope", CA_ACTIVE, "d:meter:*", MINT_NOW, REASON_NONE, true},
    {"out of scope", CA_ACTIVE, "g:*:*", MINT_NOW, REASON_NONE, false},
    {"bad scope", CA_ACTIVE, "*", MINT_NOW, REASON_NONE, false},
    {"inactive", CA_INACTIVE, NULL, MINT_NOW, REASON_CA_INACTIVE, false},
    {"unproven", CA_UNPROVEN, NULL, MINT_NOW, REASON_CA_UNPROVEN, false},
    {"inactive and expired", CA_INACTIVE, NULL, MINT_TO, REASON_CA_INACTIVE,
        false},
    {"last second", CA_ACTIVE, NULL, MINT_TO - 1, REASON_NONE, true},
    {"expired", CA_ACTIVE, NULL, MINT_TO, REASON_CA_EXPIRED, false},
    {"first second", CA_ACTIVE, NULL, MINT_FROM, REASON_NONE, true},
    {"too early", CA_ACTIVE, NULL, MINT_FROM - 1, REASON_CERT_INVALID, false},
};

/* All that is known is which CA it was. */
static void
goes_by_the_ca_alone(void **state)
{
	struct cert_info info;
	struct trust_path *path;
	size_t i;

	(void)state;
	assert_int_equal(cert_info_read(root.cert, &info, NULL), RES_OK);
	path = trust_path_of_ca(info.fingerprint);
	assert_non_null(path);
	for (i = 0; i < sizeof(ca_cases) / sizeof(ca_cases[0]); i++) {
		struct trust_set *set = new_set();
		struct trust_finding found;

		add(set, &root, ca_cases[i].state, ca_cases[i].scope);
		found = recheck(set, path, &meter, ca_cases[i].now);
		if (found.reason != ca_cases[i].want ||
		    found.in_scope != ca_cases[i].in_scope ||
		    !is_ca(&found, &root) ||
		    (found.reason == REASON_NONE &&
		        found.valid_until != MINT_TO)) {
			fail_msg("%s: %s", ca_cases[i].name,
			    reason_id(found.reason));
		}
		trust_set_free(set);
	}
	trust_path_unref(path);
	cert_info_done(&info);
}

static void
knows_no_ca_of_zeros(void **state)
{
	const uint8_t zeros[HASH_LEN] = {0};
	struct trust_path *path = trust_path_of_ca(zeros);
	struct trust_set *set = set_of(&root, CA_ACTIVE), *none = new_set();
	struct trust_finding found = recheck(set, path, &meter, MINT_NOW);

	(void)state;
	assert_int_equal(found.reason, REASON_CA_UNKNOWN);
	assert_false(found.has_ca);
	found = recheck(none, path, &meter, MINT_NOW);
	assert_int_equal(found.reason, REASON_CA_UNKNOWN);
	trust_set_free(set);
	trust_set_free(none);
	trust_path_unref(path);
}

static void
counts_references(void **state)
{
	struct trust_path *path = path_to(&root);
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	struct trust_finding found;

	(void)state;
	assert_ptr_equal(trust_path_ref(path), path);
	trust_path_unref(path);
	found = recheck(set, path, &meter, MINT_NOW); /* it is there yet */
	assert_int_equal(found.reason, REASON_NONE);
	trust_path_unref(path);
	trust_path_unref(NULL);
	trust_set_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(follows_the_registry),
	    cmocka_unit_test(agrees_with_verification),
	    cmocka_unit_test(wants_the_very_anchor),
	    cmocka_unit_test(sees_an_anchor_revoked),
	    cmocka_unit_test(knows_nobody_in_scope),
	    cmocka_unit_test(goes_by_the_ca_alone),
	    cmocka_unit_test(knows_no_ca_of_zeros),
	    cmocka_unit_test(counts_references),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
