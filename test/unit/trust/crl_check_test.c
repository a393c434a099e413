/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/crl.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"
#include "trust/cert.h"

#define EXTRA(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define IDP(der) EXTRA("issuingDistributionPoint=critical,DER:" der)
#define DAY      ((int64_t)86400)

#define OCTETS_20 "1461501637330902918203684832716283019655932542975"
#define OCTETS_21 "1461501637330902918203684832716283019655932542976"

enum ca {
	SAME, /* as a signer: the CA that the list is registered for */
	PLAIN,
	TWIN, /* the same subject, another key */
	OTHER,
	NO_SKI,
	NO_USAGE,
	NO_CRL_SIGN,
	P384,
	P521,
	ED25519,
	ED448,
	RSA,
	RSA_WEAK,
	K256,
	EXPLICIT,
	CAS
};

static const struct mint_options ca_options[CAS] = {
    [SAME] = {.cn = "Nobody", .ca = true},
    [PLAIN] = {.cn = "Plant 1", .ca = true, .serial = "77"},
    [TWIN] = {.cn = "Plant 1", .ca = true, .slot = 1},
    [OTHER] = {.cn = "Plant 2", .ca = true},
    [NO_SKI] = {.cn = "Plant 1", .ca = true, .no_ski = true},
    [NO_USAGE] = {.cn = "Plant 1", .ca = true, .ku = ""},
    [NO_CRL_SIGN] = {.cn = "Plant 1", .ca = true, .ku = "keyCertSign"},
    [P384] = {.cn = "Plant 1", .ca = true, .key = MINT_P384},
    [P521] = {.cn = "Plant 1", .ca = true, .key = MINT_P521},
    [ED25519] = {.cn = "Plant 1", .ca = true, .key = MINT_ED25519},
    [ED448] = {.cn = "Plant 1", .ca = true, .key = MINT_ED448},
    [RSA] = {.cn = "Plant 1", .ca = true, .key = MINT_RSA2048},
    [RSA_WEAK] = {.cn = "Plant 1", .ca = true, .key = MINT_RSA1024},
    [K256] = {.cn = "Plant 1", .ca = true, .key = MINT_K256},
    [EXPLICIT] = {.cn = "Plant 1", .ca = true, .key = MINT_P256_EXPLICIT},
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

static struct minted_crl
mint_for(enum ca ca, const struct mint_crl_options *options)
{
	struct mint_crl_options copy = *options;

	copy.issuer = &cas[ca];
	return mint_crl(&copy);
}

struct parse_case {
	const char *name;
	enum ca ca, signer; /* for which it is registered; SAME: its own */
	struct mint_crl_options options;
	const char *word; /* in why; NULL: it is accepted */
};

static const struct parse_case parse_cases[] = {
    {"plain", PLAIN, SAME, {.number = NULL}, NULL},
    {"P-384", P384, SAME, {.number = NULL}, NULL},
    {"P-521", P521, SAME, {.number = NULL}, NULL},
    {"Ed25519", ED25519, SAME, {.number = NULL}, NULL},
    {"Ed448", ED448, SAME, {.number = NULL}, NULL},
    {"RSA", RSA, SAME, {.number = NULL}, NULL},
    {"RSA-PSS", RSA, SAME, {.pss = true}, NULL},
    {"SHA-384", RSA, SAME, {.digest = "SHA384"}, NULL},
    {"SHA-224", RSA, SAME, {.digest = "SHA224"}, NULL},
    {"SHA3-256", RSA, SAME, {.digest = "SHA3-256"}, NULL},
    {"a CA without keyUsage", NO_USAGE, SAME, {.number = NULL}, NULL},
    {"a CA without SKI, a list that names one", NO_SKI, SAME,
        {.aki = &cas[TWIN]}, NULL},
    {"no AKI", PLAIN, SAME, {.no_aki = true}, NULL},
    {"AKI with the CA's serial", PLAIN, SAME,
        {.no_aki = true,
            .extensions = EXTRA("authorityKeyIdentifier=DER:300382014d")},
        NULL},
    {"AKI critical", PLAIN, SAME,
        {.no_aki = true,
            .extensions =
                EXTRA("authorityKeyIdentifier=critical,DER:300382014d")},
        NULL},
    {"number 0", PLAIN, SAME, {.number = "0"}, NULL},
    {"number of 20 octets", PLAIN, SAME, {.number = OCTETS_20}, NULL},
    {"for users", PLAIN, SAME, {.extensions = IDP("30038101ff")}, NULL},
    {"for users, not critical", PLAIN, SAME,
        {.extensions = EXTRA("issuingDistributionPoint=DER:30038101ff")}, NULL},
    {"unknown extension", PLAIN, SAME,
        {.extensions = EXTRA("1.2.3.4=DER:0500")}, NULL},
    {"freshest CRL", PLAIN, SAME,
        {.extensions = EXTRA("freshestCRL=URI:https://a.example/delta")}, NULL},
    {"after 2050", PLAIN, SAME, {.next_update = MINT_TO + DAY}, NULL},

    {"version 1", PLAIN, SAME, {.version = 1}, "version 2"},
    {"version 3", PLAIN, SAME, {.version = 3}, "version 2"},
    {"another issuer's name", PLAIN, SAME, {.issuer_cn = "Plant 2"}, "issuer"},
    {"another CA's", PLAIN, OTHER, {.number = NULL}, "issuer"},
    {"the same name, another key", PLAIN, TWIN, {.number = NULL},
        "this CA's key"},
    {"the same name, another key, no AKI", PLAIN, TWIN, {.no_aki = true},
        "this CA's key"},
    {"the same name, another kind of key", PLAIN, RSA, {.no_aki = true},
        "this CA's key"},
    {"no cRLSign", NO_CRL_SIGN, SAME, {.number = NULL}, "cRLSign"},
    {"MD5", RSA, SAME, {.digest = "MD5"}, "SHA-256"},
    {"SHA-1", RSA, SAME, {.digest = "SHA1"}, "SHA-256"},
    {"SHA-1 with ECDSA", PLAIN, SAME, {.digest = "SHA1"}, "SHA-256"},
    {"SHA-1 with PSS", RSA, SAME, {.digest = "SHA1", .pss = true}, "SHA-256"},
    {"RSA 1024", RSA_WEAK, SAME, {.number = NULL}, "2048"},
    {"secp256k1", K256, SAME, {.number = NULL}, "curve"},
    {"explicit parameters", EXPLICIT, SAME, {.number = NULL}, "by its name"},

    {"no nextUpdate", PLAIN, SAME, {.next_update = MINT_NEVER}, "nextUpdate"},
    {"nextUpdate is no date", PLAIN, SAME, {.next_text = "260231000000Z"},
        "dates cannot be read"},

    {"no number", PLAIN, SAME, {.number = ""}, "no CRL number"},
    {"negative number", PLAIN, SAME, {.number = "-1"}, "negative"},
    {"number of 21 octets", PLAIN, SAME, {.number = OCTETS_21}, "20 octets"},
    {"critical number", PLAIN, SAME, {.critical_number = true}, "RFC 5280"},
    {"number is none", PLAIN, SAME,
        {.number = "", .extensions = EXTRA("crlNumber=DER:0500")}, "decoded"},
    {"number with bytes behind it", PLAIN, SAME,
        {.number = "", .extensions = EXTRA("crlNumber=DER:02010100")},
        "decoded"},
    {"two numbers", PLAIN, SAME, {.extensions = EXTRA("crlNumber=DER:020102")},
        "twice"},
    {"an unknown extension twice", PLAIN, SAME,
        {.extensions = EXTRA("1.2.3.4=DER:0500", "1.2.3.4=DER:0500")}, "twice"},

    {"delta", PLAIN, SAME,
        {.extensions = EXTRA("deltaCRL=critical,DER:020101")}, "delta"},
    {"delta, not critical", PLAIN, SAME,
        {.extensions = EXTRA("deltaCRL=DER:020101")}, "delta"},
    {"delta without a number", PLAIN, SAME,
        {.number = "", .extensions = EXTRA("deltaCRL=critical,DER:020101")},
        "delta"},
    {"indirect", PLAIN, SAME, {.extensions = IDP("30038401ff")}, "indirect"},
    {"indirect, for users", PLAIN, SAME,
        {.extensions = IDP("30068101ff8401ff")}, "indirect"},
    {"for CAs", PLAIN, SAME, {.extensions = IDP("30038201ff")}, "CAs alone"},
    {"for users and CAs", PLAIN, SAME, {.extensions = IDP("30068101ff8201ff")},
        "CAs alone"},
    {"for CAs, TRUE as BER has it", PLAIN, SAME,
        {.extensions = IDP("3003820101")}, "CAs alone"},
    {"for attribute certificates", PLAIN, SAME,
        {.extensions = IDP("30038501ff")}, "attribute"},
    {"for some reasons", PLAIN, SAME, {.extensions = IDP("300483020520")},
        "reasons"},
    {"for a distribution point", PLAIN, SAME,
        {.extensions = EXTRA("issuingDistributionPoint=critical,"
                             "fullname:URI:https://a.example/crl")},
        "distribution point"},
    {"for a distribution point, not critical", PLAIN, SAME,
        {.extensions = EXTRA("issuingDistributionPoint="
                             "fullname:URI:https://a.example/crl")},
        "distribution point"},
    {"for users of a distribution point", PLAIN, SAME,
        {.extensions = EXTRA("issuingDistributionPoint=critical,onlyuser:TRUE,"
                             "fullname:URI:https://a.example/crl")},
        "distribution point"},
    {"for nobody", PLAIN, SAME, {.extensions = IDP("3000")}, "empty"},
    {"for users: FALSE", PLAIN, SAME, {.extensions = IDP("3003810100")},
        "empty"},
    {"a scope that cannot be decoded", PLAIN, SAME, {.extensions = IDP("0500")},
        "decoded"},
    {"a scope with bytes behind it", PLAIN, SAME,
        {.extensions = IDP("30038101ff00")}, "decoded"},

    {"another key's AKI", PLAIN, SAME, {.aki = &cas[TWIN]}, "another key"},
    {"another certificate's serial in the AKI", PLAIN, SAME,
        {.no_aki = true,
            .extensions = EXTRA("authorityKeyIdentifier=DER:300382014e")},
        "another key"},
    {"AKI is none", PLAIN, SAME,
        {.no_aki = true,
            .extensions = EXTRA("authorityKeyIdentifier=DER:0500")},
        "decoded"},
    {"unknown critical", PLAIN, SAME,
        {.extensions = EXTRA("1.2.3.4=critical,DER:0500")}, "critical"},
    {"issuerAltName, critical", PLAIN, SAME,
        {.extensions = EXTRA("issuerAltName=critical,DNS:a.example")},
        "critical"},
    {"freshest CRL, critical", PLAIN, SAME,
        {.extensions = EXTRA("freshestCRL=critical,URI:https://a.example/")},
        "critical"},
};

/* What both readers have to say; untouched stays so where they refuse. */
static void
check_parse(const struct parse_case *at, const struct minted_crl *minted)
{
	struct crl *const untouched = (void *)&cas, *crl = untouched;
	uint8_t *const no_der = (void *)&cas, *der = no_der;
	const struct minted *ca = &cas[at->ca];
	struct diag why = {""};
	size_t len = 77;
	enum res r = crl_parse(minted->der, minted->der_len, ca->der,
	    ca->der_len, MINT_NOW, 0, &crl, &der, &len, &why);

	if (r != (at->word == NULL ? RES_OK : RES_REFUSED)) {
		fail_msg("%s: %d %s", at->name, (int)r, why.text);
	}
	if (r == RES_OK) {
		assert_string_equal(why.text, "");
		assert_int_equal(len, minted->der_len);
		assert_memory_equal(der, minted->der, len);
		free(der);
		crl_unref(crl);
		return;
	}
	assert_ptr_equal(crl, untouched);
	assert_ptr_equal(der, no_der);
	assert_int_equal(len, 77);
	if (strstr(why.text, at->word) == NULL) {
		fail_msg("%s: \"%s\"", at->name, why.text);
	}
}

static void
check_restore(const struct parse_case *at, const struct minted_crl *minted)
{
	struct crl *const untouched = (void *)&cas, *crl = untouched;
	bool good = at->word == NULL;
	const struct minted *ca = &cas[at->ca];
	struct diag why = {""};
	enum res r = crl_restore(
	    minted->der, minted->der_len, ca->der, ca->der_len, &crl, &why);

	if (r != (good ? RES_OK : RES_CORRUPT)) {
		fail_msg("%s: %d %s", at->name, (int)r, why.text);
	}
	assert_int_equal(why.text[0] == '\0', good);
	if (good) {
		crl_unref(crl);
	} else {
		assert_ptr_equal(crl, untouched);
	}
}

static void
lists_follow_the_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		const struct parse_case *at = &parse_cases[i];
		struct minted_crl minted = mint_for(
		    at->signer == SAME ? at->ca : at->signer, &at->options);

		check_parse(at, &minted);
		check_restore(at, &minted);
		assert_int_equal(ERR_peek_error(), 0);
		minted_crl_done(&minted);
	}
}

#define REASON(octet) EXTRA("CRLReason=DER:0a01" octet)

static const struct {
	const char *name;
	struct mint_entry entry;
	const char *word; /* in why; NULL: it is listed */
} entry_cases[] = {
    {"plain", {"26", NULL}, NULL},
    {"one octet of ff", {"255", NULL}, NULL},
    {"20 octets", {OCTETS_20, NULL}, NULL},
    {"key compromise", {"26", REASON("01")}, NULL},
    {"on hold", {"26", REASON("06")}, NULL},
    {"removed from the CRL", {"26", REASON("08")}, NULL},
    {"a reason that nobody knows", {"26", REASON("63")}, NULL},
    {"a critical reason", {"26", EXTRA("CRLReason=critical,DER:0a0101")}, NULL},
    {"an unknown extension", {"26", EXTRA("1.2.3.4=DER:0500")}, NULL},

    {"serial number 0", {"0", NULL}, "not positive"},
    {"negative", {"-26", NULL}, "not positive"},
    {"21 octets", {OCTETS_21, NULL}, "20 octets"},
    {"another issuer's", {"26", EXTRA("certificateIssuer=DER:3003820131")},
        "other CAs"},
    {"another issuer's, critical",
        {"26", EXTRA("certificateIssuer=critical,DER:3003820131")},
        "other CAs"},
    {"an issuer that is none",
        {"26", EXTRA("certificateIssuer=critical,DER:300382013131")},
        "decoded"},
    {"unknown critical", {"26", EXTRA("1.2.3.4=critical,DER:0500")},
        "critical extension"},
    {"hold instruction, critical",
        {"26", EXTRA("2.5.29.23=critical,DER:06032a0304")},
        "critical extension"},
    {"an extension twice",
        {"26", EXTRA("CRLReason=DER:0a0101", "CRLReason=DER:0a0108")}, "twice"},
    {"a reason that is none", {"26", EXTRA("CRLReason=DER:0500")}, "decoded"},
};

static void
entries_follow_the_table(void **state)
{
	uint8_t octets[CRL_SERIAL_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(entry_cases) / sizeof(entry_cases[0]); i++) {
		const struct mint_entry listed[] = {
		    {"5", NULL}, entry_cases[i].entry};
		struct minted_crl minted = mint_for(PLAIN,
		    &(struct mint_crl_options){
		        .entries = listed, .entry_count = 2});
		struct crl *crl = NULL;
		struct diag why = {""};
		enum res r = crl_parse(minted.der, minted.der_len,
		    cas[PLAIN].der, cas[PLAIN].der_len, MINT_NOW, 0, &crl, NULL,
		    NULL, &why);
		BIGNUM *serial = NULL;
		const char *word = entry_cases[i].word;
		int len;

		if ((r == RES_OK) != (word == NULL) ||
		    strstr(why.text, word == NULL ? "" : word) == NULL) {
			fail_msg("%s: %d \"%s\"", entry_cases[i].name, (int)r,
			    why.text);
		}
		if (r == RES_OK) {
			BN_dec2bn(&serial, listed[1].serial);
			len = BN_bn2bin(serial, octets);
			assert_int_equal(
			    crl_look(crl, octets, (size_t)len, false),
			    CRL_LISTED);
			assert_int_equal(
			    crl_look(crl, octets, (size_t)len, true),
			    CRL_LISTED);
			assert_int_equal(crl_info(crl)->entries, 2);
		} else {
			assert_int_equal(r, RES_REFUSED);
			assert_null(crl);
		}
		BN_free(serial);
		crl_unref(crl);
		minted_crl_done(&minted);
	}
}

static const struct {
	const char *name;
	int64_t from, to, grace; /* to and from are after MINT_NOW */
	const char *word;        /* in why; NULL: it is accepted */
} date_cases[] = {
    {"made this second", 0, DAY, 0, NULL},
    {"last second", -DAY, 1, 0, NULL},
    {"last second of grace", -DAY, -9, 10, NULL},
    {"first second of grace", -DAY, 0, 1, NULL},
    {"after 2050", -DAY, MINT_TO - MINT_NOW + DAY, 0, NULL},
    {"endless grace", -DAY, -9, INT64_MAX, NULL},

    {"of the future", 1, DAY, 0, "2026-01-01T00:00:01Z"},
    {"of the future, with grace", 1, DAY, DAY, "2026-01-01T00:00:01Z"},
    {"stale", -DAY, 0, 0, "2026-01-01T00:00:00Z"},
    {"past the grace", -DAY, -10, 10, "2025-12-31T23:59:50Z"},
    {"grace below zero", -DAY, 0, -1, "2026-01-01T00:00:00Z"},
};

static void
dates_follow_the_table(void **state)
{
	const struct minted *ca = &cas[PLAIN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(date_cases) / sizeof(date_cases[0]); i++) {
		const char *word = date_cases[i].word;
		struct minted_crl minted = mint_for(PLAIN,
		    &(struct mint_crl_options){
		        .this_update = MINT_NOW + date_cases[i].from,
		        .next_update = MINT_NOW + date_cases[i].to});
		struct crl *crl = NULL;
		struct diag why = {""};
		enum res r =
		    crl_parse(minted.der, minted.der_len, ca->der, ca->der_len,
		        MINT_NOW, date_cases[i].grace, &crl, NULL, NULL, &why);

		if (r != (word == NULL ? RES_OK : RES_REFUSED) ||
		    strstr(why.text, word == NULL ? "" : word) == NULL) {
			fail_msg("%s: %d \"%s\"", date_cases[i].name, (int)r,
			    why.text);
		}
		assert_int_equal(crl != NULL, r == RES_OK);
		crl_unref(crl);
		/* What the registry holds may have become stale there. */
		assert_int_equal(crl_restore(minted.der, minted.der_len,
		                     ca->der, ca->der_len, &crl, NULL),
		    RES_OK);
		assert_true(
		    crl_info(crl)->next_update == MINT_NOW + date_cases[i].to);
		crl_unref(crl);
		minted_crl_done(&minted);
	}
}

/* Unknown ones, besides the number and the authority key identifier. */
static enum res
parse_with(size_t of_list, size_t of_entry)
{
	static char texts[CERT_EXTENSIONS_MAX + 1][32];
	const char *list[CERT_EXTENSIONS_MAX + 2] = {NULL};
	const char *entry[CERT_EXTENSIONS_MAX + 2] = {NULL};
	const struct minted *ca = &cas[PLAIN];
	struct minted_crl minted;
	struct crl *crl = NULL;
	enum res r;
	size_t i;

	for (i = 0; i <= CERT_EXTENSIONS_MAX; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "1.2.3.%u=DER:0500",
		    (unsigned)i);
		list[i] = i < of_list ? texts[i] : NULL;
		entry[i] = i < of_entry ? texts[i] : NULL;
	}
	minted = mint_for(PLAIN,
	    &(struct mint_crl_options){.extensions = list,
	        .entries = &(struct mint_entry){"26", entry},
	        .entry_count = 1});
	r = crl_parse(minted.der, minted.der_len, ca->der, ca->der_len,
	    MINT_NOW, 0, &crl, NULL, NULL, NULL);
	crl_unref(crl);
	minted_crl_done(&minted);
	return r;
}

static void
extensions_have_a_limit(void **state)
{
	(void)state;
	assert_int_equal(parse_with(62, 64), RES_OK);
	assert_int_equal(parse_with(63, 64), RES_REFUSED);
	assert_int_equal(parse_with(62, 65), RES_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_follow_the_table),
	    cmocka_unit_test(entries_follow_the_table),
	    cmocka_unit_test(dates_follow_the_table),
	    cmocka_unit_test(extensions_have_a_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
