/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/proof.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"

#define CODE_63                                                                \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define CODE  CODE_63 "f"
#define UPPER "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
#define WIDE_16                                                                \
	"\0000\0001\0002\0003\0004\0005\0006\0007"                             \
	"\0008\0009\000a\000b\000c\000d\000e\000f"

enum ca {
	SELF, /* as a signer: the certificate itself */
	PLAIN,
	TWIN, /* the same subject, another key */
	OTHER,
	RSA,
	RSA_WEAK,
	EXPIRED,
	COMING,
	CAS
};

static const struct mint_options ca_options[CAS] = {
    [SELF] = {.cn = "Nobody", .ca = true},
    [PLAIN] = {.cn = "Plant 1", .ca = true},
    [TWIN] = {.cn = "Plant 1", .ca = true, .slot = 1},
    [OTHER] = {.cn = "Plant 2", .ca = true},
    [RSA] = {.cn = "Plant 1", .ca = true, .key = MINT_RSA2048},
    [RSA_WEAK] = {.cn = "Plant 1", .ca = true, .key = MINT_RSA1024},
    [EXPIRED] = {.cn = "Plant 1", .ca = true, .to = MINT_NOW},
    [COMING] = {.cn = "Plant 1", .ca = true, .from = MINT_NOW + 1},
};

static struct minted cas[CAS];

static int
set_up(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CAS; i++) {
		cas[i] = mint(&ca_options[i]);
	}
	return 0;
}

static int
tear_down(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CAS; i++) {
		minted_done(&cas[i]);
	}
	return 0;
}

static const struct {
	const char *name;
	enum ca ca, signer;
	struct mint_options options;
	const char *word; /* in why; NULL: it proves the CA's key */
} check_cases[] = {
    {"plain", PLAIN, PLAIN, {.cn = CODE}, NULL},
    {"PrintableString", PLAIN, PLAIN,
        {.cn = CODE, .cn_type = V_ASN1_PRINTABLESTRING}, NULL},
    {"other attributes", PLAIN, PLAIN,
        {.cn = CODE, .o = "Plant", .email = "a@b.example"}, NULL},
    {"version 1", PLAIN, PLAIN, {.cn = CODE, .version = 1}, NULL},
    {"no key usage", PLAIN, PLAIN, {.cn = CODE, .ku = "", .eku = ""}, NULL},
    {"for servers", PLAIN, PLAIN, {.cn = CODE, .eku = "serverAuth"}, NULL},
    {"RSA", RSA, RSA, {.cn = CODE}, NULL},
    {"first second", PLAIN, PLAIN, {.cn = CODE, .from = MINT_NOW}, NULL},
    {"last second", PLAIN, PLAIN, {.cn = CODE, .to = MINT_NOW + 1}, NULL},

    {"no subject", PLAIN, PLAIN, {.cn = NULL}, "one common name"},
    {"the code elsewhere", PLAIN, PLAIN, {.o = CODE}, "one common name"},
    {"another name", PLAIN, PLAIN, {.cn = "d:meter:0001"}, "not the code"},
    {"another code", PLAIN, PLAIN, {.cn = CODE_63 "e"}, "not the code"},
    {"upper case", PLAIN, PLAIN, {.cn = UPPER}, "not the code"},
    {"a part of it", PLAIN, PLAIN, {.cn = CODE_63}, "not the code"},
    {"empty", PLAIN, PLAIN, {.cn = "", .cn_type = V_ASN1_UTF8STRING},
        "not the code"},
    {"more than it", PLAIN, PLAIN,
        {.cn = CODE "0", .cn_type = V_ASN1_UTF8STRING}, "not the code"},
    {"a blank behind it", PLAIN, PLAIN,
        {.cn = CODE " ", .cn_type = V_ASN1_UTF8STRING}, "not the code"},
    {"a blank before it", PLAIN, PLAIN,
        {.cn = " " CODE, .cn_type = V_ASN1_UTF8STRING}, "not the code"},
    {"a NUL behind it", PLAIN, PLAIN,
        {.cn = CODE "\0", .cn_type = V_ASN1_UTF8STRING, .cn_len = 65},
        "not the code"},
    {"a NUL inside", PLAIN, PLAIN,
        {.cn = CODE_63 "\0", .cn_type = V_ASN1_UTF8STRING, .cn_len = 64},
        "not the code"},
    {"BMPString", PLAIN, PLAIN,
        {.cn = WIDE_16 WIDE_16 WIDE_16 WIDE_16,
            .cn_type = V_ASN1_BMPSTRING,
            .cn_len = 128},
        "UTF8String"},
    {"T61String", PLAIN, PLAIN, {.cn = CODE, .cn_type = V_ASN1_T61STRING},
        "UTF8String"},
    {"IA5String", PLAIN, PLAIN, {.cn = CODE, .cn_type = V_ASN1_IA5STRING},
        "UTF8String"},
    {"two common names", PLAIN, PLAIN, {.cn = CODE, .cn2 = "x"},
        "one common name"},
    {"two common names, the code second", PLAIN, PLAIN,
        {.cn = "x", .cn2 = CODE}, "one common name"},
    {"the code twice", PLAIN, PLAIN, {.cn = CODE, .cn2 = CODE},
        "one common name"},

    {"expired", PLAIN, PLAIN, {.cn = CODE, .to = MINT_NOW},
        "expired on 2026-01-01T00:00:00Z"},
    {"not yet valid", PLAIN, PLAIN, {.cn = CODE, .from = MINT_NOW + 1},
        "before 2026-01-01T00:00:01Z"},
    {"a CA", PLAIN, PLAIN, {.cn = CODE, .ca = true}, "may sign others"},
    {"a CA by its keyUsage", PLAIN, PLAIN,
        {.cn = CODE, .ku = "digitalSignature,keyCertSign"}, "may sign others"},
    {"a CA by basicConstraints", PLAIN, PLAIN, {.cn = CODE, .bc = "CA:TRUE"},
        "may sign others"},
    {"malformed", PLAIN, PLAIN, {.cn = CODE, .serial = "0"}, "serial number"},

    {"another CA of the name", PLAIN, TWIN, {.cn = CODE}, "this CA's key"},
    {"another CA of the name, no AKI", PLAIN, TWIN,
        {.cn = CODE, .no_aki = true}, "this CA's key"},
    {"another CA of the name, another kind of key", PLAIN, RSA,
        {.cn = CODE, .no_aki = true}, "this CA's key"},
    {"another CA", PLAIN, OTHER, {.cn = CODE}, "issuer"},
    {"the CA's key, another issuer", PLAIN, PLAIN,
        {.cn = CODE, .issuer_cn = "Plant 2"}, "issuer"},
    {"signed by itself", PLAIN, SELF, {.cn = CODE, .slot = 2}, "issuer"},
    {"signed by itself in the CA's name", PLAIN, SELF,
        {.cn = CODE, .slot = 2, .issuer_cn = "Plant 1"}, "this CA's key"},
    {"SHA-1", RSA, RSA, {.cn = CODE, .digest = "SHA1"}, "SHA-256"},
    {"SHA-1 with ECDSA", PLAIN, PLAIN, {.cn = CODE, .digest = "SHA1"},
        "SHA-256"},
    {"MD5", RSA, RSA, {.cn = CODE, .digest = "MD5"}, "SHA-256"},
    {"a weak CA", RSA_WEAK, RSA_WEAK, {.cn = CODE}, "2048"},
    {"an expired CA", EXPIRED, EXPIRED, {.cn = CODE},
        "the CA expired on 2026-01-01T00:00:00Z"},
    {"a CA not yet valid", COMING, COMING, {.cn = CODE},
        "the CA is not valid before 2026-01-01T00:00:01Z"},
};

static enum res
check(const void *bytes, size_t len, enum ca ca, const char *code,
    struct diag *why)
{
	enum res r = proof_check(
	    bytes, len, cas[ca].der, cas[ca].der_len, code, MINT_NOW, why);

	assert_int_equal(r == RES_OK, why->text[0] == '\0');
	assert_int_equal(ERR_peek_error(), 0);
	return r;
}

static void
proofs_follow_the_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(check_cases) / sizeof(check_cases[0]); i++) {
		struct mint_options options = check_cases[i].options;
		const char *word = check_cases[i].word;
		enum ca signer = check_cases[i].signer;
		struct diag why = {""};
		struct minted cert;
		enum res r;

		options.issuer = signer == SELF ? NULL : &cas[signer];
		cert = mint(&options);
		r = check(
		    cert.der, cert.der_len, check_cases[i].ca, CODE, &why);
		if (r != (word == NULL ? RES_OK : RES_REFUSED) ||
		    strstr(why.text, word == NULL ? "" : word) == NULL) {
			fail_msg("%s: %d \"%s\"", check_cases[i].name, (int)r,
			    why.text);
		}
		minted_done(&cert);
	}
}

static const char *const codes[] = {
    "",
    " ",
    CODE_63,
    CODE "0",
    CODE_63 "e",
    CODE_63 "g",
    "0000000000000000000000000000000000000000000000000000000000000000",
};

/* Also for the certificate that has that very name. */
static void
refuses_other_codes(void **state)
{
	struct minted cert =
	    mint(&(struct mint_options){.cn = CODE, .issuer = &cas[PLAIN]});
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct minted same = mint(&(struct mint_options){.cn = codes[i],
		    .cn_type = V_ASN1_UTF8STRING,
		    .issuer = &cas[PLAIN]});
		bool right = strlen(codes[i]) == PROOF_CODE_LEN &&
		    codes[i][PROOF_CODE_LEN - 1] != 'g';
		struct diag why = {""};

		assert_int_equal(
		    check(cert.der, cert.der_len, PLAIN, codes[i], &why),
		    RES_REFUSED);
		why.text[0] = '\0';
		assert_int_equal(
		    check(same.der, same.der_len, PLAIN, codes[i], &why),
		    right ? RES_OK : RES_REFUSED);
		minted_done(&same);
	}
	minted_done(&cert);
}

static void
reads_exactly_one(void **state)
{
	struct minted two[2] = {
	    mint(&(struct mint_options){.cn = CODE, .issuer = &cas[PLAIN]}),
	    cas[PLAIN]};
	char *one_pem = mint_pem(two, 1), *two_pem = mint_pem(two, 2);
	struct diag why[6] = {{""}};

	(void)state;
	assert_int_equal(
	    check(one_pem, strlen(one_pem), PLAIN, CODE, &why[0]), RES_OK);
	assert_int_equal(
	    check(two_pem, strlen(two_pem), PLAIN, CODE, &why[1]), RES_SYNTAX);
	assert_int_equal(
	    check(two[0].der, two[0].der_len - 1, PLAIN, CODE, &why[2]),
	    RES_SYNTAX);
	assert_int_equal(check("", 0, PLAIN, CODE, &why[3]), RES_SYNTAX);
	assert_int_equal(
	    check(two[1].der, two[1].der_len, PLAIN, CODE, &why[4]),
	    RES_REFUSED);
	assert_int_equal(proof_check(two[0].der, two[0].der_len, cas[PLAIN].der,
	                     cas[PLAIN].der_len - 1, CODE, MINT_NOW, &why[5]),
	    RES_CORRUPT);
	assert_string_not_equal(why[5].text, "");
	free(one_pem);
	free(two_pem);
	minted_done(&two[0]);
}

static void
refuses_a_forged_signature(void **state)
{
	struct minted cert =
	    mint(&(struct mint_options){.cn = CODE, .issuer = &cas[PLAIN]});
	struct minted forged = mint_forged(&cert);
	struct diag why = {""};

	(void)state;
	assert_int_equal(
	    check(forged.der, forged.der_len, PLAIN, CODE, &why), RES_REFUSED);
	minted_done(&forged);
	minted_done(&cert);
}

#define DRAWS 1000

static void
codes_are_new(void **state)
{
	static char drawn[DRAWS][PROOF_CODE_LEN + 2];
	unsigned seen[16] = {0};
	size_t i, k;

	(void)state;
	for (i = 0; i < DRAWS; i++) {
		struct diag why = {""};

		drawn[i][PROOF_CODE_LEN + 1] = '#';
		assert_int_equal(proof_code_new(drawn[i], &why), RES_OK);
		assert_string_equal(why.text, "");
		assert_int_equal(strlen(drawn[i]), PROOF_CODE_LEN);
		assert_int_equal(drawn[i][PROOF_CODE_LEN + 1], '#');
		assert_int_equal(
		    strspn(drawn[i], "0123456789abcdef"), PROOF_CODE_LEN);
		for (k = 0; k < i; k++) {
			assert_string_not_equal(drawn[k], drawn[i]);
		}
		for (k = 0; k < PROOF_CODE_LEN; k++) {
			seen[strtoul((char[]){drawn[i][k], '\0'}, NULL, 16)]++;
		}
	}
	/* 4000 of each are expected; a tenth less is 6.5 sigma off. */
	for (k = 0; k < 16; k++) {
		assert_true(seen[k] > 3600 && seen[k] < 4400);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(proofs_follow_the_table),
	    cmocka_unit_test(refuses_other_codes),
	    cmocka_unit_test(reads_exactly_one),
	    cmocka_unit_test(refuses_a_forged_signature),
	    cmocka_unit_test(codes_are_new),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
