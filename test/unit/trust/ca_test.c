/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/ca.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"

#define EXTRA(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define DAY ((int64_t)86400)

static const struct {
	const char *name;
	enum res want;
	struct mint_options options;
	const char *word; /* in why, or in the one warning; NULL: none */
} parse_cases[] = {
    {"plain", RES_OK, {.ca = true}, NULL},
    {"P-384", RES_OK, {.ca = true, .key = MINT_P384}, NULL},
    {"P-521", RES_OK, {.ca = true, .key = MINT_P521}, NULL},
    {"Ed25519", RES_OK, {.ca = true, .key = MINT_ED25519}, NULL},
    {"Ed448", RES_OK, {.ca = true, .key = MINT_ED448}, NULL},
    {"RSA 2048", RES_OK, {.ca = true, .key = MINT_RSA2048}, NULL},
    {"name constraints", RES_OK,
        {.ca = true,
            .extensions =
                EXTRA("nameConstraints=critical,permitted;DNS:example.com")},
        NULL},
    {"no SKI", RES_OK, {.ca = true, .no_ski = true, .no_aki = true},
        "subject key identifier"},
    {"no keyUsage", RES_OK, {.ca = true, .ku = ""}, "keyUsage"},
    {"expires soon", RES_OK, {.ca = true, .to = MINT_NOW + 90 * DAY},
        "90 days"},
    {"SHA-1", RES_OK, {.ca = true, .digest = "SHA1"}, "SHA-1"},
    {"EKU of a server", RES_OK, {.ca = true, .eku = "serverAuth"},
        "extended key usage"},
    {"expires later", RES_OK, {.ca = true, .to = MINT_NOW + 90 * DAY + 1},
        NULL},
    {"last second", RES_OK, {.ca = true, .to = MINT_NOW + 1}, "90 days"},
    {"first second", RES_OK, {.ca = true, .from = MINT_NOW}, NULL},

    {"expired", RES_REFUSED, {.ca = true, .to = MINT_NOW},
        "expired on 2026-01-01T00:00:00Z"},
    {"not yet valid", RES_REFUSED, {.ca = true, .from = MINT_NOW + 1},
        "before 2026-01-01T00:00:01Z"},
    {"a device's", RES_REFUSED, {.ku = ""}, "not a CA"},
    {"a device's with keyUsage", RES_REFUSED, {.ku = NULL}, "keyCertSign"},
    {"CA:FALSE", RES_REFUSED, {.ca = true, .bc = "critical,CA:FALSE"},
        "not a CA"},
    {"no basicConstraints", RES_REFUSED, {.ca = true, .bc = ""}, "not a CA"},
    {"no basicConstraints, no keyUsage", RES_REFUSED,
        {.ca = true, .bc = "", .ku = ""}, "not a CA"},
    {"version 1", RES_REFUSED, {.ca = true, .version = 1}, "not a CA"},
    {"version 2", RES_REFUSED, {.ca = true, .version = 2}, "not a CA"},
    {"Netscape's", RES_REFUSED,
        {.bc = "", .ku = "", .extensions = EXTRA("nsCertType=sslCA")},
        "not a CA"},
    {"keyUsage without keyCertSign", RES_REFUSED, {.ca = true, .ku = "cRLSign"},
        "keyCertSign"},
    {"RSA 1024", RES_REFUSED, {.ca = true, .key = MINT_RSA1024}, "2048"},
    {"RSA 2047", RES_REFUSED, {.ca = true, .key = MINT_RSA2047}, "2048"},
    {"secp256k1", RES_REFUSED, {.ca = true, .key = MINT_K256}, "curve"},
    {"explicit parameters", RES_REFUSED,
        {.ca = true, .key = MINT_P256_EXPLICIT}, "by its name"},
    {"unknown critical", RES_REFUSED,
        {.ca = true, .extensions = EXTRA("1.2.3.4=critical,DER:0500")},
        "critical"},
    {"an extension twice", RES_REFUSED,
        {.ca = true, .extensions = EXTRA("basicConstraints=CA:TRUE")}, "twice"},
    {"undecodable", RES_REFUSED,
        {.ca = true, .extensions = EXTRA("authorityInfoAccess=DER:0400")},
        "decoded"},
    {"name constraints empty", RES_REFUSED,
        {.ca = true, .extensions = EXTRA("nameConstraints=DER:3000")},
        "name constraints"},
    {"name constraints of two empty lists", RES_REFUSED,
        {.ca = true, .extensions = EXTRA("nameConstraints=DER:3004a000a100")},
        "name constraints"},
    {"name constraints undecodable", RES_REFUSED,
        {.ca = true, .extensions = EXTRA("nameConstraints=DER:0500")},
        "decoded"},
    {"policyConstraints", RES_REFUSED,
        {.ca = true,
            .extensions =
                EXTRA("policyConstraints=critical,requireExplicitPolicy:0")},
        "policies"},
    {"policyConstraints, not critical", RES_REFUSED,
        {.ca = true,
            .extensions = EXTRA("policyConstraints=requireExplicitPolicy:0")},
        "policies"},
    {"inhibitAnyPolicy", RES_REFUSED,
        {.ca = true, .extensions = EXTRA("inhibitAnyPolicy=critical,0")},
        "policies"},
    {"policyMappings", RES_REFUSED,
        {.ca = true,
            .extensions = EXTRA("policyMappings=critical,1.2.3:1.2.4")},
        "policies"},
};

static void
check_one(size_t i, const struct minted *cert)
{
	struct ca_candidate ca = {.der_len = 77};
	struct diag why = {""};
	enum res r = ca_parse(cert->der, cert->der_len, MINT_NOW, &ca, &why);
	const char *word = parse_cases[i].word, *said = why.text;

	if (r != parse_cases[i].want) {
		fail_msg("%s: %d %s", parse_cases[i].name, (int)r, why.text);
	}
	if (r == RES_OK) {
		assert_string_equal(why.text, "");
		assert_int_equal(ca.der_len, cert->der_len);
		assert_memory_equal(ca.der, cert->der, ca.der_len);
		if (ca.warning_count != (word == NULL ? 0 : 1)) {
			fail_msg("%s: %u warnings", parse_cases[i].name,
			    (unsigned)ca.warning_count);
		}
		said = word == NULL ? "" : ca.warnings[0];
	} else {
		assert_int_equal(ca.der_len, 77);
		assert_null(ca.der);
		assert_null(ca.info.subject);
	}
	if (word != NULL && strstr(said, word) == NULL) {
		fail_msg("%s: \"%s\"", parse_cases[i].name, said);
	}
	assert_int_equal(ERR_peek_error(), 0);
	ca_candidate_done(&ca);
}

static void
parse_follows_the_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		struct mint_options options = parse_cases[i].options;
		struct minted cert;

		options.cn = "Plant 1";
		cert = mint(&options);
		check_one(i, &cert);
		minted_done(&cert);
	}
}

static void
refuses_an_empty_subject(void **state)
{
	struct minted cert =
	    mint(&(struct mint_options){.ca = true, .cn = NULL});
	struct ca_candidate ca = {0};
	struct diag why = {""};

	(void)state;
	assert_int_equal(
	    ca_parse(cert.der, cert.der_len, MINT_NOW, &ca, &why), RES_REFUSED);
	assert_non_null(strstr(why.text, "subject is empty"));
	minted_done(&cert);
}

static const struct {
	const char *cn, *want;
} name_cases[] = {
    {"Plant 1", "Plant 1"},
    {"Zo\xc3\xa9", ""},
    {"a\nb", ""},
};

static void
tells_the_common_name(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		struct minted cert = mint(
		    &(struct mint_options){.cn = name_cases[i].cn, .ca = true});
		struct ca_candidate ca;

		assert_int_equal(
		    ca_parse(cert.der, cert.der_len, MINT_NOW, &ca, NULL),
		    RES_OK);
		assert_string_equal(ca.common_name, name_cases[i].want);
		ca_candidate_done(&ca);
		minted_done(&cert);
	}
}

static void
registers_an_intermediate(void **state)
{
	struct minted root = mint_ca("Root", 0);
	struct minted cert = mint(&(struct mint_options){
	    .cn = "Plant 1", .ca = true, .slot = 1, .issuer = &root});
	char *pem = mint_pem(&cert, 1);
	struct ca_candidate ca;

	(void)state;
	assert_int_equal(
	    ca_parse((const uint8_t *)pem, strlen(pem), MINT_NOW, &ca, NULL),
	    RES_OK);
	assert_int_equal(ca.der_len, cert.der_len);
	assert_int_equal(ca.warning_count, 1);
	assert_non_null(strstr(ca.warnings[0], "intermediate"));
	ca_candidate_done(&ca);
	free(pem);
	minted_done(&cert);
	minted_done(&root);
}

static void
refuses_files_that_are_no_certificate(void **state)
{
	struct ca_candidate ca = {.der_len = 77};
	char *large = calloc(1, CA_FILE_MAX + 1);
	struct diag why = {""};

	(void)state;
	assert_non_null(large);
	assert_int_equal(
	    ca_parse((const uint8_t *)"x", 1, MINT_NOW, &ca, &why), RES_SYNTAX);
	assert_string_not_equal(why.text, "");
	assert_int_equal(ca_parse((const uint8_t *)large, CA_FILE_MAX + 1,
	                     MINT_NOW, &ca, &why),
	    RES_LIMIT);
	assert_int_equal(ca.der_len, 77);
	free(large);
}

static void
tells_the_subject_hash(void **state)
{
	struct minted cert = mint_ca("Plant 1", 0);
	unsigned long hash = 1;

	(void)state;
	assert_int_equal(
	    ca_subject_hash(cert.der, cert.der_len, &hash), RES_OK);
	assert_true(hash ==
	    X509_NAME_hash_ex(
	        X509_get_subject_name(cert.cert), NULL, NULL, NULL));
	hash = 1;
	assert_int_equal(
	    ca_subject_hash(cert.der, cert.der_len - 1, &hash), RES_SYNTAX);
	assert_true(hash == 1);
	minted_done(&cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_follows_the_table),
	    cmocka_unit_test(refuses_an_empty_subject),
	    cmocka_unit_test(tells_the_common_name),
	    cmocka_unit_test(registers_an_intermediate),
	    cmocka_unit_test(refuses_files_that_are_no_certificate),
	    cmocka_unit_test(tells_the_subject_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
