/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

/* Defects of a leaf whose CA is well. */
static const struct leaf_case leaf_cases[] = {
    {"plain", REASON_NONE, {.eku = NULL}},
    {"version 1", REASON_NONE, {.version = 1}},
    {"no EKU", REASON_NONE, {.eku = ""}},
    {"clientAuth among others", REASON_NONE, {.eku = "serverAuth,clientAuth"}},
    {"key agreement", REASON_NONE, {.ku = "critical,keyAgreement"}},
    {"no SKI, no AKI", REASON_NONE, {.no_ski = true, .no_aki = true}},
    {"SHA-384", REASON_NONE, {.digest = "SHA384"}},
    {"serverAuth", REASON_CERT_PURPOSE, {.eku = "serverAuth"}},
    {"anyExtendedKeyUsage", REASON_CERT_PURPOSE,
        {.eku = "anyExtendedKeyUsage"}},
    {"keyEncipherment", REASON_CERT_PURPOSE,
        {.ku = "critical,keyEncipherment"}},
    {"SHA-1", REASON_CERT_WEAK, {.digest = "SHA1"}},
    {"RSA 1024", REASON_CERT_WEAK, {.key = MINT_RSA1024}},
    {"secp256k1", REASON_CERT_WEAK, {.key = MINT_K256}},
    {"unknown critical extension", REASON_CERT_INVALID,
        {.extensions = EXTRA("1.2.3.4=critical,DER:0500")}},
    {"policyConstraints", REASON_CERT_INVALID,
        {.extensions =
                EXTRA("policyConstraints=critical,requireExplicitPolicy:0")}},
    {"expired", REASON_CERT_EXPIRED, {.to = MINT_NOW - DAY}},
    {"not yet valid", REASON_CERT_NOT_YET_VALID, {.from = MINT_NOW + DAY}},
    {"serial 0", REASON_CERT_MALFORMED, {.serial = "0"}},
    {"a CA", REASON_CERT_IS_CA, {.ca = true}},

    {"expired and purpose", REASON_CERT_EXPIRED,
        {.to = MINT_NOW - DAY, .eku = "serverAuth"}},
    {"expired and weak", REASON_CERT_EXPIRED,
        {.to = MINT_NOW - DAY, .key = MINT_RSA1024}},
    {"not yet valid and purpose", REASON_CERT_NOT_YET_VALID,
        {.from = MINT_NOW + DAY, .eku = "serverAuth"}},
    {"purpose and weak", REASON_CERT_PURPOSE,
        {.eku = "serverAuth", .digest = "SHA1"}},
    {"purpose and weak key", REASON_CERT_PURPOSE,
        {.eku = "serverAuth", .key = MINT_RSA1024}},
    {"weak and invalid", REASON_CERT_WEAK,
        {.digest = "SHA1", .extensions = EXTRA("1.2.3.4=critical,DER:0500")}},
};

static void
each(const struct minted *ca, enum ca_state state, enum reason flawed)
{
	struct trust_set *set = set_of(ca, state);
	size_t i;

	for (i = 0; i < sizeof(leaf_cases) / sizeof(leaf_cases[0]); i++) {
		struct mint_options options = leaf_cases[i].options;
		enum reason want = leaf_cases[i].want;
		struct minted leaf;
		struct trust_finding found;

		options.cn = "d:meter:0001";
		options.slot = 1;
		options.issuer = ca;
		leaf = mint(&options);
		found = verify(set, (struct ask){.leaf = &leaf, .who = &meter});
		/* Only what comes before the chain outranks the CA. */
		if (flawed != REASON_NONE && want != REASON_CERT_MALFORMED &&
		    want != REASON_CERT_IS_CA) {
			want = flawed;
		}
		if (found.reason != want ||
		    found.in_scope != (want == REASON_NONE)) {
			fail_msg("%s: %s (%s), not %s", leaf_cases[i].name,
			    reason_id(found.reason), found.detail,
			    reason_id(want));
		}
		minted_done(&leaf);
	}
	trust_set_free(set);
}

static void
judges_leaves(void **state)
{
	struct minted ca = mint_ca("Plant 1", 0);

	(void)state;
	each(&ca, CA_ACTIVE, REASON_NONE);
	minted_done(&ca);
}

static void
tells_of_the_ca_before_the_leaf(void **state)
{
	struct minted ca = mint_ca("Plant 1", 0);
	struct minted old = mint(&(struct mint_options){
	    .cn = "Plant 1", .ca = true, .to = MINT_NOW - DAY});

	(void)state;
	each(&ca, CA_INACTIVE, REASON_CA_INACTIVE);
	each(&ca, CA_UNPROVEN, REASON_CA_UNPROVEN);
	each(&old, CA_ACTIVE, REASON_CA_EXPIRED);
	each(&old, CA_INACTIVE, REASON_CA_INACTIVE);
	minted_done(&ca);
	minted_done(&old);
}

static void
refuses_md5(void **state)
{
	struct minted ca = mint(&(struct mint_options){
	    .cn = "Plant", .ca = true, .key = MINT_RSA2048});
	struct minted good = mint_device(&ca, "d:meter:0001");
	struct minted bad = mint(&(struct mint_options){
	    .cn = "d:meter:0001", .slot = 1, .digest = "MD5", .issuer = &ca});
	struct trust_set *set = set_of(&ca, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_NONE, &ca, &good);
	EXPECT(set, REASON_CERT_WEAK, &ca, &bad);
	trust_set_free(set);
	minted_done(&ca);
	minted_done(&good);
	minted_done(&bad);
}

static void
tells_of_no_ca_before_the_leaf(void **state)
{
	struct minted ca = mint_ca("Plant 1", 0), other = mint_ca("Other", 1);
	struct trust_set *set = set_of(&other, CA_ACTIVE), *none = new_set();
	struct minted weak = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .key = MINT_RSA1024,
	    .to = MINT_NOW - DAY,
	    .issuer = &ca});

	(void)state;
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &weak);
	EXPECT(none, REASON_CA_UNKNOWN, NULL, &weak);
	trust_set_free(set);
	trust_set_free(none);
	minted_done(&weak);
	minted_done(&other);
	minted_done(&ca);
}

static void
keeps_to_the_second(void **state)
{
	struct minted ca = mint(&(struct mint_options){.cn = "Plant 1",
	    .ca = true,
	    .from = MINT_NOW - 2 * DAY,
	    .to = MINT_NOW + 2 * DAY});
	struct minted leaf = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .slot = 1,
	    .from = MINT_NOW - DAY,
	    .to = MINT_NOW + DAY,
	    .issuer = &ca});
	struct minted longer = mint_device(&ca, "d:meter:0001");
	struct trust_set *set = set_of(&ca, CA_ACTIVE);
	struct trust_finding found;

	(void)state;
	EXPECT(set, REASON_NONE, &ca, &leaf, .now = MINT_NOW - DAY);
	EXPECT(set, REASON_CERT_NOT_YET_VALID, &ca, &leaf,
	    .now = MINT_NOW - DAY - 1);
	EXPECT(set, REASON_NONE, &ca, &leaf, .now = MINT_NOW + DAY - 1);
	EXPECT(set, REASON_CERT_EXPIRED, &ca, &leaf, .now = MINT_NOW + DAY);
	found = verify(set, (struct ask){.leaf = &leaf});
	assert_true(found.valid_until == MINT_NOW + DAY);

	EXPECT(set, REASON_NONE, &ca, &longer, .now = MINT_NOW - 2 * DAY);
	EXPECT(set, REASON_CERT_INVALID, &ca, &longer,
	    .now = MINT_NOW - 2 * DAY - 1);
	EXPECT(set, REASON_NONE, &ca, &longer, .now = MINT_NOW + 2 * DAY - 1);
	EXPECT(set, REASON_CA_EXPIRED, &ca, &longer, .now = MINT_NOW + 2 * DAY);
	found = verify(set, (struct ask){.leaf = &longer});
	assert_true(found.valid_until == MINT_NOW + 2 * DAY);
	trust_set_free(set);
	minted_done(&ca);
	minted_done(&leaf);
	minted_done(&longer);
}

static void
outlives_2038(void **state)
{
	struct minted ca = mint(&(struct mint_options){
	    .cn = "Plant 1", .ca = true, .to = 253402300799});
	struct minted leaf = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .slot = 1,
	    .to = 253402300799,
	    .issuer = &ca});
	struct trust_set *set = set_of(&ca, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_NONE, &ca, &leaf, .now = (int64_t)1 << 31);
	EXPECT(set, REASON_NONE, &ca, &leaf, .now = (int64_t)1 << 32);
	EXPECT(set, REASON_CERT_NOT_YET_VALID, &ca, &leaf, .now = 1);
	EXPECT(set, REASON_CA_EXPIRED, &ca, &leaf, .now = 253402300799);
	trust_set_free(set);
	minted_done(&ca);
	minted_done(&leaf);
}

/* Ten CAs of one name, each with a key of its own, and a leaf of each. */
static void
try_namesakes(bool bare)
{
	struct minted cas[TRUST_SAME_SUBJECT_MAX];
	struct trust_set *set = new_set();
	size_t i;

	for (i = 0; i < TRUST_SAME_SUBJECT_MAX; i++) {
		cas[i] = mint(&(struct mint_options){.cn = "Plant",
		    .ca = true,
		    .slot = (unsigned)i,
		    .no_ski = bare});
		add(set, &cas[i], CA_ACTIVE, NULL);
	}
	for (i = 0; i < TRUST_SAME_SUBJECT_MAX; i++) {
		struct minted leaf = mint_device(&cas[i], "d:meter:0001");

		EXPECT(set, REASON_NONE, &cas[i], &leaf);
		minted_done(&leaf);
	}
	for (i = 0; i < TRUST_SAME_SUBJECT_MAX; i++) {
		minted_done(&cas[i]);
	}
	trust_set_free(set);
}

static void
tells_namesakes_apart(void **state)
{
	(void)state;
	try_namesakes(false);
	try_namesakes(true);
}

/* The reason comes from the namesake that issued, not from the others. */
static void
blames_the_right_namesake(void **state)
{
	struct minted a = mint_ca("Plant", 0), b = mint_ca("Plant", 1);
	struct minted c = mint_ca("Plant", 2);
	struct minted of_a = mint_device(&a, "d:meter:0001");
	struct minted of_b = mint_device(&b, "d:meter:0001");
	struct minted of_c = mint(&(struct mint_options){
	    .cn = "d:meter:0001", .slot = 3, .no_aki = true, .issuer = &c});
	struct trust_set *set = new_set();

	(void)state;
	add(set, &a, CA_INACTIVE, NULL);
	add(set, &b, CA_ACTIVE, NULL);
	EXPECT(set, REASON_CA_INACTIVE, &a, &of_a);
	EXPECT(set, REASON_NONE, &b, &of_b);
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &of_c);
	trust_set_free(set);
	minted_done(&a);
	minted_done(&b);
	minted_done(&c);
	minted_done(&of_a);
	minted_done(&of_b);
	minted_done(&of_c);
}

static void
rolls_over_with_one_key(void **state)
{
	struct minted old = mint(&(struct mint_options){
	    .cn = "Plant", .ca = true, .to = MINT_NOW - DAY});
	struct minted new = mint(&(struct mint_options){
	    .cn = "Plant", .ca = true, .from = MINT_NOW - 2 * DAY});
	struct minted leaf = mint_device(&old, "d:meter:0001");
	struct minted late = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .slot = 1,
	    .to = MINT_NOW - DAY,
	    .issuer = &old});
	struct trust_set *both = new_set(), *half = new_set();
	struct trust_set *shut = new_set();

	(void)state;
	add(both, &old, CA_ACTIVE, NULL);
	add(both, &new, CA_ACTIVE, NULL);
	EXPECT(both, REASON_NONE, &new, &leaf);
	EXPECT(both, REASON_CERT_EXPIRED, &new, &late);
	add(half, &old, CA_INACTIVE, NULL);
	add(half, &new, CA_ACTIVE, NULL);
	EXPECT(half, REASON_NONE, &new, &leaf);
	EXPECT(half, REASON_CERT_EXPIRED, &new, &late);
	add(shut, &old, CA_ACTIVE, NULL);
	add(shut, &new, CA_INACTIVE, NULL);
	EXPECT(shut, REASON_CA_INACTIVE, &new, &leaf);
	trust_set_free(both);
	trust_set_free(half);
	trust_set_free(shut);
	minted_done(&old);
	minted_done(&new);
	minted_done(&leaf);
	minted_done(&late);
}

static void
refuses_strangers_of_the_same_name(void **state)
{
	struct minted ca = mint_ca("Plant", 0), stranger = mint_ca("Plant", 1);
	struct minted leaf = mint_device(&stranger, "d:meter:0001");
	struct minted bare = mint(&(struct mint_options){.cn = "d:meter:0001",
	    .slot = 2,
	    .no_aki = true,
	    .issuer = &stranger});
	struct minted own = mint(
	    &(struct mint_options){.cn = "Plant", .slot = 2, .no_aki = true});
	struct trust_set *set = set_of(&ca, CA_ACTIVE);

	(void)state;
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &leaf);
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &leaf, &stranger, 1);
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &bare);
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &bare, &stranger, 1);
	EXPECT(set, REASON_CA_UNKNOWN, NULL, &own);
	trust_set_free(set);
	minted_done(&ca);
	minted_done(&stranger);
	minted_done(&leaf);
	minted_done(&bare);
	minted_done(&own);
}

static void
refuses_forged_signatures(void **state)
{
	struct minted ca = mint_ca("Plant", 0);
	struct minted leaf = mint_device(&ca, "d:meter:0001");
	struct minted bare = mint(&(struct mint_options){
	    .cn = "d:meter:0001", .slot = 1, .no_aki = true, .issuer = &ca});
	struct minted forged = mint_forged(&leaf);
	struct minted bare_forged = mint_forged(&bare);
	struct trust_set *active = set_of(&ca, CA_ACTIVE);
	struct trust_set *idle = set_of(&ca, CA_INACTIVE);

	(void)state;
	EXPECT(active, REASON_CERT_INVALID, NULL, &forged);
	EXPECT(active, REASON_CA_UNKNOWN, NULL, &bare_forged);
	EXPECT(idle, REASON_CERT_INVALID, NULL, &forged);
	EXPECT(idle, REASON_CA_UNKNOWN, NULL, &bare_forged);
	trust_set_free(active);
	trust_set_free(idle);
	minted_done(&ca);
	minted_done(&leaf);
	minted_done(&bare);
	minted_done(&forged);
	minted_done(&bare_forged);
}

static void
refuses_registered_certificates(void **state)
{
	struct minted ca = mint_ca("Plant", 0);
	struct minted lax = mint(&(struct mint_options){
	    .cn = "Lax", .ca = true, .ku = "", .slot = 1});
	struct minted leaf = mint_device(&ca, "d:meter:0001");
	struct trust_set *set = set_of(&ca, CA_ACTIVE);

	(void)state;
	add(set, &lax, CA_ACTIVE, NULL);
	EXPECT(set, REASON_CERT_IS_CA, NULL, &ca);
	EXPECT(set, REASON_CERT_IS_CA, NULL, &lax);
	EXPECT(set, REASON_NONE, &ca, &leaf);
	/* A registry that took a device's certificate for a CA's. */
	add(set, &leaf, CA_ACTIVE, NULL);
	EXPECT(set, REASON_CERT_IS_CA, NULL, &leaf);
	trust_set_free(set);
	minted_done(&ca);
	minted_done(&lax);
	minted_done(&leaf);
}

static void
refuse(struct trust_set *set, const uint8_t *der, size_t len,
    const struct ca_terms *terms, enum res want)
{
	struct diag why = {""};

	assert_int_equal(trust_set_add(set, der, len, terms, &why), want);
	assert_string_not_equal(why.text, "");
}

static void
refuses_additions(void **state)
{
	struct minted ca = mint_ca("Plant", 0);
	const char *patterns[SCOPE_PATTERNS_MAX + 1] = {NULL};
	const struct ca_terms plain = {.state = CA_ACTIVE};
	const struct ca_terms hasty = {.state = CA_ACTIVE, .crl_grace = -1};
	const struct ca_terms scoped = {.state = CA_ACTIVE,
	    .patterns = patterns,
	    .pattern_count = SCOPE_PATTERNS_MAX + 1};
	struct trust_set *set = new_set();
	char *pem = mint_pem(&ca, 1);

	(void)state;
	refuse(set, (const uint8_t *)pem, strlen(pem), &plain, RES_CORRUPT);
	refuse(set, ca.der, ca.der_len - 1, &plain, RES_CORRUPT);
	refuse(set, ca.der, ca.der_len, &scoped, RES_LIMIT);
	refuse(set, ca.der, ca.der_len, &hasty, RES_CORRUPT);
	add(set, &ca, CA_INACTIVE, NULL);
	refuse(set, ca.der, ca.der_len, &plain, RES_EXISTS);
	free(pem);
	trust_set_free(set);
	trust_set_free(NULL);
	minted_done(&ca);
}

static void
takes_sixty_four(void **state)
{
	const struct ca_terms terms = {
	    .state = CA_ACTIVE, .crl_policy = CRL_IF_PRESENT};
	struct trust_set *set = new_set();
	struct minted ca, device;
	char name[16];
	size_t i;

	(void)state;
	for (i = 0; i <= TRUST_CAS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "CA %u", (unsigned)i);
		ca = mint_ca(name, 0);
		device = mint_device(&ca, "d:meter:0001");
		assert_int_equal(
		    trust_set_add(set, ca.der, ca.der_len, &terms, NULL),
		    i < TRUST_CAS_MAX ? RES_OK : RES_LIMIT);
		if (i < TRUST_CAS_MAX) {
			EXPECT(set, REASON_NONE, &ca, &device);
		} else {
			EXPECT(set, REASON_CA_UNKNOWN, NULL, &device);
		}
		minted_done(&ca);
		minted_done(&device);
	}
	trust_set_free(set);
}

static void
states_have_names(void **state)
{
	static const char *const bad[] = {
	    "", "Active", "activ", "active ", "0"};
	enum ca_state each_state, read;
	size_t i;

	(void)state;
	for (each_state = CA_UNPROVEN; each_state <= CA_ACTIVE; each_state++) {
		assert_true(ca_state_parse(ca_state_name(each_state), &read));
		assert_int_equal(read, each_state);
	}
	read = CA_INACTIVE;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(ca_state_parse(bad[i], &read));
		assert_int_equal(read, CA_INACTIVE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(judges_leaves),
	    cmocka_unit_test(tells_of_the_ca_before_the_leaf),
	    cmocka_unit_test(refuses_md5),
	    cmocka_unit_test(tells_of_no_ca_before_the_leaf),
	    cmocka_unit_test(keeps_to_the_second),
	    cmocka_unit_test(outlives_2038),
	    cmocka_unit_test(tells_namesakes_apart),
	    cmocka_unit_test(blames_the_right_namesake),
	    cmocka_unit_test(rolls_over_with_one_key),
	    cmocka_unit_test(refuses_strangers_of_the_same_name),
	    cmocka_unit_test(refuses_forged_signatures),
	    cmocka_unit_test(refuses_registered_certificates),
	    cmocka_unit_test(refuses_additions),
	    cmocka_unit_test(takes_sixty_four),
	    cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
