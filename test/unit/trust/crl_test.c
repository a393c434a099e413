/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/crl.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"

#define EXTRA(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define IDP(der) EXTRA("issuingDistributionPoint=critical,DER:" der)
#define DAY      ((int64_t)86400)

#define OCTETS_20 "1461501637330902918203684832716283019655932542975"
#define OCTETS_21 "1461501637330902918203684832716283019655932542976"

static struct minted plain;

static int
set_up(void **state)
{
	(void)state;
	plain = mint_ca("Plant 1", 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&plain);
	return 0;
}

static struct minted_crl
mint_for_plain(const struct mint_crl_options *options)
{
	struct mint_crl_options copy = *options;

	copy.issuer = &plain;
	return mint_crl(&copy);
}

static enum res
parse(const void *bytes, size_t len, struct crl **out)
{
	struct crl *const untouched = (void *)&plain, *crl = untouched;
	struct diag why = {""};
	enum res r = crl_parse(bytes, len, plain.der, plain.der_len, MINT_NOW,
	    0, &crl, NULL, NULL, &why);

	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	assert_int_equal(r == RES_OK, crl != untouched);
	assert_int_equal(ERR_peek_error(), 0);
	if (r == RES_OK && out != NULL) {
		*out = crl;
	} else if (r == RES_OK) {
		crl_unref(crl);
	}
	return r;
}

static struct crl *
crl_of(const struct mint_crl_options *options)
{
	struct minted_crl minted = mint_for_plain(options);
	struct crl *crl = NULL;

	assert_int_equal(parse(minted.der, minted.der_len, &crl), RES_OK);
	minted_crl_done(&minted);
	return crl;
}

static void
tells_what_it_is(void **state)
{
	static const struct {
		const char *decimal, *want;
	} numbers[] = {
	    {"0", "0000000000000000000000000000000000000000"},
	    {"1", "0000000000000000000000000000000000000001"},
	    {"255", "00000000000000000000000000000000000000ff"},
	    {"43981", "000000000000000000000000000000000000abcd"},
	    {OCTETS_20, "ffffffffffffffffffffffffffffffffffffffff"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct minted_crl minted =
		    mint_for_plain(&(struct mint_crl_options){
		        .number = numbers[i].decimal, .bulk = i});
		uint8_t want[HASH_LEN];
		struct crl *crl = NULL;
		const struct crl_info *info;

		SHA256(minted.der, minted.der_len, want);
		assert_int_equal(
		    parse(minted.der, minted.der_len, &crl), RES_OK);
		info = crl_info(crl);
		assert_memory_equal(info->fingerprint, want, HASH_LEN);
		assert_string_equal(info->number, numbers[i].want);
		assert_true(info->this_update == MINT_NOW - DAY);
		assert_true(info->next_update == MINT_NOW + 7 * DAY);
		assert_int_equal(info->entries, i);
		crl_unref(crl);
		minted_crl_done(&minted);
	}
}

#define OCTETS(...)                                                            \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct {
	const char *name;
	const uint8_t *serial;
	size_t len;
	enum crl_answer device, ca; /* of the list for all */
} look_cases[] = {
    {"listed", OCTETS(0x1a), CRL_LISTED, CRL_LISTED},
    {"listed twice", OCTETS(0x05), CRL_LISTED, CRL_LISTED},
    {"listed, two octets", OCTETS(0x01, 0x1a), CRL_LISTED, CRL_LISTED},
    {"listed, as DER has it", OCTETS(0x00, 0x80), CRL_LISTED, CRL_LISTED},
    {"listed, zeros inside", OCTETS(0x05, 0x00, 0x00), CRL_LISTED, CRL_LISTED},
    {"smaller than all", OCTETS(0x01), CRL_CLEAR, CRL_CLEAR},
    {"between", OCTETS(0x1b), CRL_CLEAR, CRL_CLEAR},
    {"larger than all", OCTETS(0xff, 0xff, 0xff), CRL_CLEAR, CRL_CLEAR},
    {"the end of one", OCTETS(0x01, 0x00), CRL_CLEAR, CRL_CLEAR},
    {"one with a zero behind", OCTETS(0x1a, 0x00), CRL_CLEAR, CRL_CLEAR},
    {"listed, 20 octets",
        OCTETS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
            19, 20),
        CRL_LISTED, CRL_LISTED},
    {"20 octets, the last another",
        OCTETS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
            19, 21),
        CRL_CLEAR, CRL_CLEAR},
    {"19 of the 20",
        OCTETS(
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19),
        CRL_CLEAR, CRL_CLEAR},
    {"21 octets",
        OCTETS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
            19, 20, 21),
        CRL_SILENT, CRL_SILENT},
    {"zero", OCTETS(0x00), CRL_SILENT, CRL_SILENT},
    {"nothing", (const uint8_t *)"", 0, CRL_SILENT, CRL_SILENT},
};

static const struct mint_entry look_entries[] = {
    {"26", NULL},
    {"5", NULL},
    {"327680", NULL},
    {"5", EXTRA("CRLReason=DER:0a0101")},
    {"282", NULL},
    {"128", NULL},
    {"5753854965885600108575829560559299546819203860", NULL},
};

static void
looks_follow_the_table(void **state)
{
	struct mint_crl_options options = {.entries = look_entries,
	    .entry_count = sizeof(look_entries) / sizeof(look_entries[0])};
	struct crl *all = crl_of(&options), *users, *none;
	size_t i;

	(void)state;
	options.extensions = IDP("30038101ff");
	users = crl_of(&options);
	none = crl_of(&(struct mint_crl_options){.number = NULL});
	for (i = 0; i < sizeof(look_cases) / sizeof(look_cases[0]); i++) {
		const uint8_t *serial = look_cases[i].serial;
		enum crl_answer want = look_cases[i].device;
		size_t len = look_cases[i].len;

		if (crl_look(all, serial, len, false) != want ||
		    crl_look(all, serial, len, true) != look_cases[i].ca) {
			fail_msg("%s: of the list for all", look_cases[i].name);
		}
		if (crl_look(users, serial, len, false) != want ||
		    crl_look(users, serial, len, true) !=
		        (want == CRL_LISTED ? CRL_LISTED : CRL_SILENT)) {
			fail_msg("%s: of the users'", look_cases[i].name);
		}
		want = want == CRL_SILENT ? CRL_SILENT : CRL_CLEAR;
		if (crl_look(none, serial, len, false) != want ||
		    crl_look(none, serial, len, true) != want) {
			fail_msg("%s: of the empty one", look_cases[i].name);
		}
	}
	assert_int_equal(crl_info(all)->entries, 7);
	crl_unref(all);
	crl_unref(users);
	crl_unref(none);
}

static void
lives_by_its_references(void **state)
{
	struct crl *crl = crl_of(&(struct mint_crl_options){.bulk = 1});
	static const uint8_t first[] = {0x0f, 0x42, 0x40};

	(void)state;
	assert_ptr_equal(crl_ref(crl), crl);
	crl_unref(crl);
	assert_int_equal(
	    crl_look(crl, first, sizeof(first), false), CRL_LISTED);
	crl_unref(crl);
	crl_unref(NULL);
}

#define MANY 200000

static void
reads_a_large_list(void **state)
{
	struct crl *crl = crl_of(&(struct mint_crl_options){.bulk = MANY});
	uint32_t number;

	(void)state;
	assert_int_equal(crl_info(crl)->entries, MANY);
	for (number = MINT_BULK - 5; number < MINT_BULK + MANY + 5; number++) {
		const uint8_t serial[] = {(uint8_t)(number >> 16),
		    (uint8_t)(number >> 8), (uint8_t)number};
		bool listed = number >= MINT_BULK && number < MINT_BULK + MANY;

		if (crl_look(crl, serial, sizeof(serial), false) !=
		    (listed ? CRL_LISTED : CRL_CLEAR)) {
			fail_msg("serial number %u", number);
		}
	}
	crl_unref(crl);
}

/* The texts one after the other. */
static enum res
parse_texts(const char *a, const char *b, const char *c)
{
	char *all = NULL;
	int len = asprintf(&all, "%s%s%s", a, b, c);
	enum res r;

	assert_true(len >= 0);
	r = parse(all, (size_t)len, NULL);
	free(all);
	return r;
}

static void
reads_exactly_one(void **state)
{
	struct minted_crl minted =
	    mint_for_plain(&(struct mint_crl_options){.bulk = 3});
	char *pem = mint_crl_pem(&minted, 1), *cert = mint_pem(&plain, 1);
	const struct minted *ca = &plain;
	size_t len = minted.der_len;
	uint8_t *two = calloc(2, len);

	(void)state;
	assert_non_null(two);
	memcpy(two, minted.der, len);
	memcpy(two + len, minted.der, len);
	assert_int_equal(parse(two, len, NULL), RES_OK);
	assert_int_equal(parse(two, len + 1, NULL), RES_SYNTAX);
	assert_int_equal(parse(two, 2 * len, NULL), RES_SYNTAX);

	assert_int_equal(parse_texts(pem, "", ""), RES_OK);
	assert_int_equal(parse_texts("Issuer: x\n", pem, "\nend\n"), RES_OK);
	assert_int_equal(parse_texts(pem, pem, ""), RES_SYNTAX);
	assert_int_equal(parse_texts(pem, " ", pem), RES_SYNTAX);
	assert_int_equal(parse_texts(pem, cert, ""), RES_SYNTAX);
	assert_int_equal(parse_texts(cert, pem, ""), RES_SYNTAX);
	assert_int_equal(parse_texts(cert, "", ""), RES_SYNTAX);
	assert_int_equal(parse(ca->der, ca->der_len, NULL), RES_SYNTAX);

	assert_int_equal(parse("", 0, NULL), RES_SYNTAX);
	assert_int_equal(parse_texts("no list\n", "", ""), RES_SYNTAX);
	assert_int_equal(parse_texts("-----BEGIN X509 CRL-----\nMAA=\n"
	                             "-----END X509 CRL-----\n",
	                     "", ""),
	    RES_SYNTAX);
	assert_int_equal(parse_texts("-----BEGIN PRIVATE KEY-----\nMAA=\n"
	                             "-----END PRIVATE KEY-----\n",
	                     pem, ""),
	    RES_REFUSED);
	free(two);
	free(pem);
	free(cert);
	minted_crl_done(&minted);
}

/* What OpenSSL's other tools would not take for a CRL is none. */
static void
refuses_another_name_of_the_block(void **state)
{
	struct minted_crl minted =
	    mint_for_plain(&(struct mint_crl_options){.bulk = 3});
	char *pem = mint_crl_pem(&minted, 1), *at;

	(void)state;
	for (at = pem; (at = strstr(at, "X509 CRL")) != NULL;) {
		memcpy(at, "X509 CRX", 8);
	}
	assert_int_equal(parse(pem, strlen(pem), NULL), RES_SYNTAX);
	free(pem);
	minted_crl_done(&minted);
}

static void
gives_the_der_of_a_pem_file(void **state)
{
	struct minted_crl minted =
	    mint_for_plain(&(struct mint_crl_options){.bulk = 3});
	char *pem = mint_crl_pem(&minted, 1);
	const struct minted *ca = &plain;
	struct crl *crl = NULL;
	uint8_t *der = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(crl_parse((const uint8_t *)pem, strlen(pem), ca->der,
	                     ca->der_len, MINT_NOW, 0, &crl, &der, &len, NULL),
	    RES_OK);
	crl_unref(crl);
	assert_int_equal(len, minted.der_len);
	assert_memory_equal(der, minted.der, len);
	assert_int_equal(
	    crl_restore(der, len, ca->der, ca->der_len, &crl, NULL), RES_OK);
	crl_unref(crl);
	assert_int_equal(crl_restore((const uint8_t *)pem, strlen(pem), ca->der,
	                     ca->der_len, &crl, NULL),
	    RES_CORRUPT);
	free(der);
	free(pem);
	minted_crl_done(&minted);
}

/* Base64 of zeros between the lines of a PEM block. */
static char *
make_large_pem(size_t len)
{
	static const char begin[] = "-----BEGIN X509 CRL-----\n";
	static const char end[] = "-----END X509 CRL-----\n";
	size_t lines = len / 65, i;
	char *text = malloc(sizeof(begin) + lines * 65 + sizeof(end));
	char *at = text;

	assert_non_null(text);
	at = stpcpy(at, begin);
	for (i = 0; i < lines; i++) {
		memset(at, 'A', 64);
		at[64] = '\n';
		at += 65;
	}
	stpcpy(at, end);
	return text;
}

static void
refuses_what_is_too_large(void **state)
{
	uint8_t *der = calloc(1, CRL_FILE_MAX + 1);
	char *pem = make_large_pem(CRL_FILE_MAX - 1000);

	(void)state;
	assert_non_null(der);
	memcpy(der, "\x30\x84\x00\x80\x00\x00", 6);
	assert_int_equal(parse(der, CRL_DER_MAX, NULL), RES_SYNTAX);
	assert_int_equal(parse(der, CRL_DER_MAX + 1, NULL), RES_LIMIT);
	assert_int_equal(parse(der, CRL_FILE_MAX + 1, NULL), RES_LIMIT);
	assert_int_equal(parse(pem, strlen(pem), NULL), RES_LIMIT);
	der[0] = '\n';
	assert_int_equal(parse(der, CRL_FILE_MAX + 1, NULL), RES_LIMIT);
	free(der);
	free(pem);
}

/* The outer length with a needless byte: BER, another fingerprint. */
static void
refuses_ber(void **state)
{
	struct minted_crl minted =
	    mint_for_plain(&(struct mint_crl_options){.bulk = 10});
	uint8_t *ber = calloc(1, minted.der_len + 1);

	(void)state;
	assert_non_null(ber);
	assert_int_equal(minted.der[1], 0x82);
	memcpy(ber, (const uint8_t[]){0x30, 0x83, 0x00}, 3);
	memcpy(ber + 3, minted.der + 2, minted.der_len - 2);
	assert_int_equal(parse(ber, minted.der_len + 1, NULL), RES_SYNTAX);
	free(ber);
	minted_crl_done(&minted);
}

static const struct mint_crl_options small = {
    .entries = look_entries, .entry_count = 1, .extensions = IDP("30038101ff")};

static void
refuses_every_truncation(void **state)
{
	struct minted_crl minted = mint_for_plain(&small);
	char *pem = mint_crl_pem(&minted, 1);
	struct diag why;
	struct crl *crl;
	size_t len;

	(void)state;
	for (len = 0; len < minted.der_len; len++) {
		/* A copy, so that a read past the end is seen. */
		uint8_t *part = malloc(len == 0 ? 1 : len);

		assert_non_null(part);
		memcpy(part, minted.der, len);
		assert_int_equal(parse(part, len, NULL), RES_SYNTAX);
		assert_int_equal(crl_restore(part, len, plain.der,
		                     plain.der_len, &crl, &why),
		    RES_CORRUPT);
		free(part);
	}
	for (len = 0; len < strlen(pem) - 1; len++) {
		assert_int_equal(parse(pem, len, NULL), RES_SYNTAX);
	}
	free(pem);
	minted_crl_done(&minted);
}

static void
refuses_every_flip_of_a_bit(void **state)
{
	struct minted_crl minted = mint_for_plain(&small);
	size_t i;

	(void)state;
	for (i = 0; i < 8 * minted.der_len; i++) {
		minted.der[i / 8] ^= (uint8_t)(1 << i % 8);
		if (parse(minted.der, minted.der_len, NULL) == RES_OK) {
			fail_msg("bit %u of byte %u", (unsigned)(i % 8),
			    (unsigned)(i / 8));
		}
		minted.der[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(parse(minted.der, minted.der_len, NULL), RES_OK);
	minted_crl_done(&minted);
}

/* ecdsa-with-SHA256 becomes ecdsa-with-SHA384 in the place that is not
 * signed. */
static void
refuses_two_signature_algorithms(void **state)
{
	static const uint8_t oid[] = {
	    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	struct minted_crl minted = mint_for_plain(&small);
	uint8_t *at = minted.der, *found, *last = NULL;
	size_t left = minted.der_len;

	(void)state;
	while ((found = memmem(at, left, oid, sizeof(oid))) != NULL) {
		last = found;
		left -= (size_t)(found + 1 - at);
		at = found + 1;
	}
	assert_non_null(last);
	last[sizeof(oid) - 1] = 0x03;
	assert_int_equal(parse(minted.der, minted.der_len, NULL), RES_REFUSED);
	minted_crl_done(&minted);
}

static void
refuses_a_ca_that_is_none(void **state)
{
	struct minted_crl minted = mint_for_plain(&small);
	const struct minted *ca = &plain;
	struct crl *crl = NULL;
	struct diag why = {""};

	(void)state;
	assert_int_equal(
	    crl_parse(minted.der, minted.der_len, ca->der, ca->der_len - 1,
	        MINT_NOW, 0, &crl, NULL, NULL, &why),
	    RES_CORRUPT);
	assert_string_not_equal(why.text, "");
	assert_int_equal(
	    crl_restore(minted.der, minted.der_len, ca->der, 0, &crl, &why),
	    RES_CORRUPT);
	assert_null(crl);
	assert_int_equal(ERR_peek_error(), 0);
	minted_crl_done(&minted);
}

static void
leaves_openssl_errors_alone(void **state)
{
	const struct minted *ca = &plain;
	struct crl *crl = NULL;

	(void)state;
	ERR_raise(ERR_LIB_USER, 7);
	assert_int_equal(crl_parse((const uint8_t *)"0\x82", 2, ca->der,
	                     ca->der_len, MINT_NOW, 0, &crl, NULL, NULL, NULL),
	    RES_SYNTAX);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
	assert_int_equal(ERR_get_error(), 0);
}

static void
names_the_policies(void **state)
{
	enum crl_policy policy = (enum crl_policy)77;

	(void)state;
	assert_string_equal(crl_policy_name(CRL_REQUIRED), "required");
	assert_string_equal(crl_policy_name(CRL_IF_PRESENT), "if-present");
	assert_string_equal(crl_policy_name(CRL_OFF), "off");
	assert_false(crl_policy_parse("", &policy));
	assert_false(crl_policy_parse("Off", &policy));
	assert_false(crl_policy_parse("off ", &policy));
	assert_false(crl_policy_parse("if_present", &policy));
	assert_int_equal(policy, 77);
	assert_true(crl_policy_parse("off", &policy));
	assert_int_equal(policy, CRL_OFF);
	assert_true(crl_policy_parse("if-present", &policy));
	assert_int_equal(policy, CRL_IF_PRESENT);
	assert_true(crl_policy_parse("required", &policy));
	assert_int_equal(policy, CRL_REQUIRED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_what_it_is),
	    cmocka_unit_test(looks_follow_the_table),
	    cmocka_unit_test(lives_by_its_references),
	    cmocka_unit_test(reads_a_large_list),
	    cmocka_unit_test(reads_exactly_one),
	    cmocka_unit_test(refuses_another_name_of_the_block),
	    cmocka_unit_test(gives_the_der_of_a_pem_file),
	    cmocka_unit_test(refuses_what_is_too_large),
	    cmocka_unit_test(refuses_ber),
	    cmocka_unit_test(refuses_every_truncation),
	    cmocka_unit_test(refuses_every_flip_of_a_bit),
	    cmocka_unit_test(refuses_two_signature_algorithms),
	    cmocka_unit_test(refuses_a_ca_that_is_none),
	    cmocka_unit_test(leaves_openssl_errors_alone),
	    cmocka_unit_test(names_the_policies),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
