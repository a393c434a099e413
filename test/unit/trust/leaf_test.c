/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/leaf.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"

#define EXTRA(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

static struct leaf *
make(const struct mint_options *options)
{
	struct minted cert = mint(options);
	struct leaf *leaf = NULL;

	assert_int_equal(
	    leaf_parse(cert.der, cert.der_len, &leaf, NULL), RES_OK);
	minted_done(&cert);
	return leaf;
}

static enum reason
check(const char *name, const struct leaf *leaf)
{
	const char *why = NULL;
	enum reason reason = leaf_check(leaf, &why);

	if ((reason == REASON_NONE) != (why == NULL) || ERR_peek_error() != 0) {
		fail_msg("%s: %s, why %s", name, reason_id(reason),
		    why == NULL ? "unset" : why);
	}
	return reason;
}

struct check_case {
	const char *name;
	enum reason want;
	struct mint_options options;
};

static void
run(const struct check_case *cases, size_t n, const struct minted *issuer)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct mint_options options = cases[i].options;
		struct leaf *leaf;
		enum reason reason;

		options.issuer = issuer;
		options.cn = options.cn == NULL ? "d:meter:1" : options.cn;
		leaf = make(&options);
		reason = check(cases[i].name, leaf);
		if (reason != cases[i].want) {
			fail_msg("%s: %s, not %s", cases[i].name,
			    reason_id(reason), reason_id(cases[i].want));
		}
		leaf_free(leaf);
	}
}

static const struct check_case check_cases[] = {
    {"plain", REASON_NONE, {.eku = NULL}},
    {"no extensions but keys", REASON_NONE, {.ku = "", .eku = ""}},
    {"version 1", REASON_NONE, {.version = 1}},
    {"version 2", REASON_CERT_MALFORMED, {.version = 2}},
    {"version 4", REASON_CERT_MALFORMED, {.version = 4}},
    {"CA:FALSE", REASON_NONE, {.bc = "critical,CA:FALSE"}},

    {"serial 1", REASON_NONE, {.serial = "1"}},
    {"serial 0", REASON_CERT_MALFORMED, {.serial = "0"}},
    {"serial -1", REASON_CERT_MALFORMED, {.serial = "-1"}},
    {"serial 20 octets", REASON_NONE,
        {.serial = "1461501637330902918203684832716283019655932542975"}},
    {"serial 21 octets", REASON_CERT_MALFORMED,
        {.serial = "1461501637330902918203684832716283019655932542976"}},

    {"CA:TRUE", REASON_CERT_IS_CA, {.bc = "critical,CA:TRUE"}},
    {"CA:TRUE, keyUsage of a leaf", REASON_CERT_IS_CA,
        {.bc = "CA:TRUE", .ku = "digitalSignature"}},
    {"a whole CA", REASON_CERT_IS_CA, {.ca = true}},
    {"keyCertSign alone", REASON_CERT_IS_CA,
        {.ku = "digitalSignature,keyCertSign"}},
    {"keyCertSign, CA:FALSE", REASON_CERT_IS_CA,
        {.bc = "CA:FALSE", .ku = "digitalSignature,keyCertSign"}},
    {"Netscape's CA", REASON_CERT_IS_CA,
        {.ku = "", .extensions = EXTRA("nsCertType=sslCA")}},

    {"P-384", REASON_NONE, {.key = MINT_P384}},
    {"P-521", REASON_NONE, {.key = MINT_P521}},
    {"Ed25519", REASON_NONE, {.key = MINT_ED25519}},
    {"Ed448", REASON_NONE, {.key = MINT_ED448}},
    {"RSA 2048", REASON_NONE, {.key = MINT_RSA2048}},
    {"RSA 1024", REASON_CERT_WEAK, {.key = MINT_RSA1024}},
    {"RSA 2047", REASON_CERT_WEAK, {.key = MINT_RSA2047}},
    {"RSA 2050", REASON_CERT_WEAK, {.key = MINT_RSA2050}},
    {"secp256k1", REASON_CERT_WEAK, {.key = MINT_K256}},
    {"explicit parameters", REASON_CERT_WEAK, {.key = MINT_P256_EXPLICIT}},

    {"name constraints", REASON_CERT_MALFORMED,
        {.extensions = EXTRA("nameConstraints=permitted;DNS:example.com")}},
    {"keyUsage twice", REASON_CERT_MALFORMED,
        {.extensions = EXTRA("keyUsage=digitalSignature")}},
    {"SAN twice", REASON_CERT_MALFORMED,
        {.san = "email:a@b", .extensions = EXTRA("subjectAltName=email:a@b")}},
    {"unknown extension", REASON_NONE,
        {.extensions = EXTRA("1.2.3.4=DER:0500")}},
    {"unknown extension twice", REASON_CERT_MALFORMED,
        {.extensions = EXTRA("1.2.3.4=DER:0500", "1.2.3.4=DER:0500")}},
    {"EKU undecodable", REASON_CERT_MALFORMED, {.eku = "DER:0500"}},
    {"EKU with a byte more", REASON_CERT_MALFORMED,
        {.eku = "DER:300a06082b0601050507030200"}},
    {"AIA undecodable", REASON_CERT_MALFORMED,
        {.extensions = EXTRA("authorityInfoAccess=DER:0400")}},
    {"pathlen negative", REASON_CERT_MALFORMED, {.bc = "DER:30060101ff0201ff"}},
    {"SKI undecodable", REASON_CERT_MALFORMED,
        {.no_ski = true, .extensions = EXTRA("subjectKeyIdentifier=DER:0500")}},
    {"malformed comes before CA", REASON_CERT_MALFORMED,
        {.ca = true, .serial = "0"}},
    {"CA comes before weak", REASON_CERT_IS_CA,
        {.ca = true, .key = MINT_RSA1024}},
};

static void
check_follows_the_table(void **state)
{
	struct minted ca = mint_ca("Plant 1", 0);

	(void)state;
	run(check_cases, sizeof(check_cases) / sizeof(check_cases[0]), &ca);
	minted_done(&ca);
}

#define LABEL_63                                                               \
	"a12345678901234567890123456789012345678901234567890123456789012"

static const struct {
	const char *san;
	enum reason want;
} san_cases[] = {
    {"email:d:meter:0001", REASON_NONE},
    {"email:g:hub:1", REASON_NONE},
    {"email:d:", REASON_NONE},            /* identity/ refuses it */
    {"email:d:meter:a@b@c", REASON_NONE}, /* that too */
    {"email:a@b", REASON_NONE},
    {"email:first.last@example.com", REASON_NONE},
    {"email:a@b@c", REASON_CERT_MALFORMED},
    {"email:ab", REASON_CERT_MALFORMED},
    {"email:@b", REASON_CERT_MALFORMED},
    {"email:a@", REASON_CERT_MALFORMED},
    {"email:x:meter:0001", REASON_CERT_MALFORMED},
    {"email:D:meter:0001", REASON_CERT_MALFORMED},
    {"DER:30028100", REASON_CERT_MALFORMED},           /* empty */
    {"DER:30058103612062", REASON_CERT_MALFORMED},     /* "a b" */
    {"DER:3006810461204062", REASON_CERT_MALFORMED},   /* "a @b" */
    {"DER:3006810461004062", REASON_CERT_MALFORMED},   /* "a\0@b" */
    {"DER:3006810461400a62", REASON_CERT_MALFORMED},   /* "a@\nb" */
    {"DER:3006810461407f62", REASON_CERT_MALFORMED},   /* "a@\x7fb" */
    {"DER:300681046140c3a9", REASON_CERT_MALFORMED},   /* "a@é" */
    {"DER:300581036140620000", REASON_CERT_MALFORMED}, /* bytes follow */
    {"DER:0500", REASON_CERT_MALFORMED},
    {"DNS:example.com", REASON_NONE},
    {"DNS:localhost", REASON_NONE},
    {"DNS:a-b.c_d.e1", REASON_NONE},
    {"DNS:*.example.com", REASON_NONE},
    {"DNS:" LABEL_63 ".com", REASON_NONE},
    {"DNS:" LABEL_63 "x.com", REASON_CERT_MALFORMED},
    {"DNS:" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
        REASON_CERT_MALFORMED},
    {"DNS:.example.com", REASON_CERT_MALFORMED},
    {"DNS:example.com.", REASON_CERT_MALFORMED},
    {"DNS:a..b", REASON_CERT_MALFORMED},
    {"DNS:-a.b", REASON_CERT_MALFORMED},
    {"DNS:a-.b", REASON_CERT_MALFORMED},
    {"DNS:*", REASON_CERT_MALFORMED},
    {"DNS:*.", REASON_CERT_MALFORMED},
    {"DNS:a*.b", REASON_CERT_MALFORMED},
    {"DNS:*a.b", REASON_CERT_MALFORMED},
    {"DNS:a.*.b", REASON_CERT_MALFORMED},
    {"DNS:*.*.b", REASON_CERT_MALFORMED},
    {"DNS:a b", REASON_CERT_MALFORMED},
    {"DNS:a/b", REASON_CERT_MALFORMED},
    {"DNS:a@b", REASON_CERT_MALFORMED},
    {"DER:30028200", REASON_CERT_MALFORMED},       /* empty */
    {"DER:30058203610062", REASON_CERT_MALFORMED}, /* "a\0b" */
    {"DER:30048202c3a9", REASON_CERT_MALFORMED},   /* "é" */
    {"URI:urn:x,IP:10.0.0.1", REASON_NONE},
    {"email:d:meter:1,DNS:a..b", REASON_CERT_MALFORMED},
};

static void
names_follow_the_table(void **state)
{
	struct minted ca = mint_ca("Plant 1", 0);
	struct check_case one = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(san_cases) / sizeof(san_cases[0]); i++) {
		one.name = san_cases[i].san;
		one.want = san_cases[i].want;
		one.options.san = san_cases[i].san;
		run(&one, 1, &ca);
	}
	minted_done(&ca);
}

static void
counts_names(void **state)
{
	char san[64 * LEAF_SANS_MAX] = "email:d:meter:1";
	struct check_case one = {"32 names", REASON_NONE, {.san = san}};
	struct minted ca = mint_ca("Plant 1", 0);
	size_t i;

	(void)state;
	for (i = 1; i < LEAF_SANS_MAX; i++) {
		strcat(san, ",DNS:a.b");
	}
	run(&one, 1, &ca);
	strcat(san, ",DNS:a..b");
	one.name = "33 names, one of them bad";
	one.want = REASON_CERT_TOO_LARGE;
	run(&one, 1, &ca);
	minted_done(&ca);
}

static void
counts_extensions(void **state)
{
	char text[LEAF_EXTENSIONS_MAX][32];
	const char *list[LEAF_EXTENSIONS_MAX] = {NULL};
	struct check_case one = {"64", REASON_NONE, {.extensions = list}};
	struct minted ca = mint_ca("Plant 1", 0);
	size_t i;

	(void)state;
	/* keyUsage, EKU, SKI and AKI are there already. */
	for (i = 0; i < LEAF_EXTENSIONS_MAX - 3; i++) {
		(void)snprintf(
		    text[i], sizeof(text[i]), "1.2.3.%u=DER:0500", (unsigned)i);
		list[i] = i < LEAF_EXTENSIONS_MAX - 4 ? text[i] : NULL;
	}
	run(&one, 1, &ca);
	list[LEAF_EXTENSIONS_MAX - 4] = text[LEAF_EXTENSIONS_MAX - 4];
	one.name = "65";
	one.want = REASON_CERT_TOO_LARGE;
	run(&one, 1, &ca);
	minted_done(&ca);
}

/* A certificate with a filler of len bytes; its own length is told. */
static struct leaf *
make_filled(const struct minted *ca, size_t len, size_t *der_len)
{
	static const char head[] = "1.2.3.4=DER:";
	char *filler = malloc(sizeof(head) + 2 * len);
	const char *list[] = {filler, NULL};
	struct leaf *leaf;

	assert_non_null(filler);
	strcpy(filler, head);
	memset(filler + sizeof(head) - 1, '0', 2 * len);
	filler[sizeof(head) - 1 + 2 * len] = '\0';
	leaf = make(&(struct mint_options){
	    .cn = "d:meter:1", .issuer = ca, .extensions = list});
	*der_len = leaf_size(leaf);
	free(filler);
	return leaf;
}

static void
counts_bytes(void **state)
{
	/* An Ed25519 signature always has one length. */
	struct minted ca = mint(&(struct mint_options){
	    .cn = "Plant 1", .ca = true, .key = MINT_ED25519});
	size_t len = 0, filler = 15000;
	struct leaf *leaf = make_filled(&ca, filler, &len);

	(void)state;
	leaf_free(leaf);
	filler += LEAF_DER_MAX - len;
	leaf = make_filled(&ca, filler, &len);
	assert_int_equal(len, LEAF_DER_MAX);
	assert_int_equal(check("16 KiB", leaf), REASON_NONE);
	leaf_free(leaf);
	leaf = make_filled(&ca, filler + 1, &len);
	assert_int_equal(len, LEAF_DER_MAX + 1);
	assert_int_equal(check("one more", leaf), REASON_CERT_TOO_LARGE);
	leaf_free(leaf);
	minted_done(&ca);
}

/* A notAfter of no format; nothing else tells of it before the chain. */
static void
refuses_dates_that_are_none(void **state)
{
	struct minted cert = mint(&(struct mint_options){.cn = "d:meter:1"});
	uint8_t *at = memmem(cert.der, cert.der_len, "200101000000Z", 13);
	struct leaf *leaf = NULL;

	(void)state;
	assert_non_null(at);
	memset(at, 'x', 13);
	assert_int_equal(
	    leaf_parse(cert.der, cert.der_len, &leaf, NULL), RES_OK);
	assert_int_equal(check("dates", leaf), REASON_CERT_MALFORMED);
	leaf_free(leaf);
	minted_done(&cert);
}

static void
adopts_one_reference(void **state)
{
	struct minted cert = mint(&(struct mint_options){.cn = "d:meter:1"});
	struct leaf *leaf;

	(void)state;
	assert_int_equal(X509_up_ref(cert.cert), 1);
	leaf = leaf_adopt(cert.cert);
	assert_non_null(leaf);
	assert_int_equal(leaf_size(leaf), cert.der_len);
	assert_string_equal(leaf_info(leaf)->subject, "CN=d:meter:1");
	leaf_free(leaf);
	leaf_free(NULL);
	minted_done(&cert);
}

static void
refuses_what_is_no_certificate(void **state)
{
	struct diag why = {""};
	struct leaf *const untouched = (void *)&why, *leaf = untouched;

	(void)state;
	assert_int_equal(
	    leaf_parse((const uint8_t *)"no", 2, &leaf, &why), RES_SYNTAX);
	assert_ptr_equal(leaf, untouched);
	assert_string_not_equal(why.text, "");
	assert_null(leaf_adopt(NULL));
}

static void
tells_the_identity(void **state)
{
	struct leaf *good = make(&(struct mint_options){.cn = "d:meter:1"});
	struct leaf *bad = make(&(struct mint_options){.cn = "meter 1"});
	struct identity who = {0};
	const char *why = NULL;

	(void)state;
	assert_int_equal(leaf_identity(good, &who, &why), REASON_NONE);
	assert_string_equal(who.id, "1");
	assert_null(why);
	assert_int_equal(leaf_identity(bad, &who, &why), REASON_IDENTITY_NONE);
	assert_string_equal(who.id, "1");
	assert_non_null(why);
	leaf_free(good);
	leaf_free(bad);
}

static void
tells_wildcards(void **state)
{
	static const struct {
		const char *san;
		bool want;
	} cases[] = {{"", false}, {"DNS:a.b", false}, {"email:*@b", false},
	    {"DNS:*.b", true}, {"email:a@b,DNS:a.b,DNS:*.b", true},
	    {"DER:0500", true}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct leaf *leaf = make(
		    &(struct mint_options){.cn = "x", .san = cases[i].san});

		assert_int_equal(leaf_has_wildcard(leaf), cases[i].want);
		leaf_free(leaf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_follows_the_table),
	    cmocka_unit_test(names_follow_the_table),
	    cmocka_unit_test(counts_names),
	    cmocka_unit_test(counts_extensions),
	    cmocka_unit_test(counts_bytes),
	    cmocka_unit_test(refuses_dates_that_are_none),
	    cmocka_unit_test(adopts_one_reference),
	    cmocka_unit_test(refuses_what_is_no_certificate),
	    cmocka_unit_test(tells_the_identity),
	    cmocka_unit_test(tells_wildcards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
