/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/certificate.h"

#include "test/support/cmocka_all.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define TEXT(literal) literal, sizeof(literal) - 1
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

#define UTF8      V_ASN1_UTF8STRING
#define PRINTABLE V_ASN1_PRINTABLESTRING
#define T61       V_ASN1_T61STRING
#define BMP       V_ASN1_BMPSTRING
#define UNIVERSAL V_ASN1_UNIVERSALSTRING
#define IA5       V_ASN1_IA5STRING

#define NAMES_MAX 4

/* CN is a common name in an RDN of its own, and JOINED one in the same RDN as
 * the name before.  OTHER is another attribute, o=.  SAN_RAW is a whole
 * subjectAltName extension, as DER. */
enum place {
	NOWHERE = 0,
	CN,
	JOINED,
	OTHER,
	SAN_EMAIL,
	SAN_DNS,
	SAN_URI,
	SAN_UTF8_MAILBOX,
	SAN_RAW,
};

struct name {
	enum place place;
	int type;
	const char *text;
	size_t len;
};

#define ID_16   "0123456789abcdef"
#define ID_64   ID_16 ID_16 ID_16 ID_16
#define TYPE_36 "abcdefghijklmnopqrstuvwxyz0123456789"

/* want is the identity, or NULL and then reason is why not. */
static const struct {
	const char *label;
	struct name names[NAMES_MAX];
	const char *want;
	enum reason reason;
} cases[] = {
    /* Names that are taken. */
    {"UTF8String CN", {{CN, UTF8, TEXT("d:meter:0001")}}, "d:meter:0001", 0},
    {"PrintableString CN", {{CN, PRINTABLE, TEXT("g:hub:a-1")}}, "g:hub:a-1",
        0},
    {"e-mail SAN", {{SAN_EMAIL, IA5, TEXT("d:meter:0001")}}, "d:meter:0001", 0},
    {"CN and SAN agree",
        {{CN, UTF8, TEXT("d:meter:1")}, {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        "d:meter:1", 0},
    {"two SANs agree",
        {{SAN_EMAIL, IA5, TEXT("d:meter:1")},
            {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        "d:meter:1", 0},
    {"CN is something else",
        {{CN, UTF8, TEXT("Boiler 7")}, {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        "d:meter:1", 0},
    {"a mail address beside it",
        {{SAN_EMAIL, IA5, TEXT("ops@example.org")},
            {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        "d:meter:1", 0},
    {"a BMPString CN that claims nothing",
        {{CN, BMP, TEXT("\0B\0o\0x")}, {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        "d:meter:1", 0},
    {"colon in the id", {{CN, UTF8, TEXT("d:cam:00:1b:44")}}, "d:cam:00:1b:44",
        0},
    {"the longest that a SAN holds",
        {{SAN_EMAIL, IA5, TEXT("d:" TYPE_36 ":" ID_64)}},
        "d:" TYPE_36 ":" ID_64, 0},
    {"other attributes do not count",
        {{OTHER, UTF8, TEXT("d:admin:1")}, {CN, UTF8, TEXT("d:meter:1")}},
        "d:meter:1", 0},
    {"DNS and URI SANs do not count",
        {{SAN_DNS, IA5, TEXT("d:admin:1")}, {SAN_URI, IA5, TEXT("g:admin:1")},
            {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        "d:meter:1", 0},
    {"a SmtpUTF8Mailbox does not count",
        {{SAN_UTF8_MAILBOX, UTF8, TEXT("d:admin:1")},
            {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        "d:meter:1", 0},

    /* No identity. */
    {"no names", {{0}}, NULL, REASON_IDENTITY_NONE},
    {"plain CN", {{CN, UTF8, TEXT("meter-1")}}, NULL, REASON_IDENTITY_NONE},
    {"empty SAN name", {{SAN_EMAIL, IA5, TEXT("")}}, NULL,
        REASON_IDENTITY_NONE},
    {"empty SAN list", {{SAN_RAW, 0, TEXT("\x30\x00")}}, NULL,
        REASON_IDENTITY_NONE},
    {"upper class", {{CN, UTF8, TEXT("D:meter:1")}}, NULL,
        REASON_IDENTITY_NONE},
    {"leading space", {{CN, UTF8, TEXT(" d:meter:1")}}, NULL,
        REASON_IDENTITY_NONE},
    {"leading NUL", {{CN, UTF8, TEXT("\0d:meter:1")}}, NULL,
        REASON_IDENTITY_NONE},
    {"full-width colon", {{CN, UTF8, TEXT("d\xef\xbc\x9am:1")}}, NULL,
        REASON_IDENTITY_NONE},
    {"only in DNS and URI",
        {{SAN_DNS, IA5, TEXT("d:meter:1")}, {SAN_URI, IA5, TEXT("d:meter:1")}},
        NULL, REASON_IDENTITY_NONE},
    {"only in a SmtpUTF8Mailbox", {{SAN_UTF8_MAILBOX, UTF8, TEXT("d:meter:1")}},
        NULL, REASON_IDENTITY_NONE},
    {"only in another attribute", {{OTHER, UTF8, TEXT("d:meter:1")}}, NULL,
        REASON_IDENTITY_NONE},
    {"T61String that claims nothing", {{CN, T61, TEXT("meter")}}, NULL,
        REASON_IDENTITY_NONE},

    /* Candidates that are none. */
    {"no id", {{CN, UTF8, TEXT("d:meter")}}, NULL, REASON_IDENTITY_SYNTAX},
    {"class alone", {{CN, UTF8, TEXT("d:")}}, NULL, REASON_IDENTITY_SYNTAX},
    {"NUL in the CN", {{CN, UTF8, TEXT("d:admin:1\0.evil")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"NUL at the end of the CN", {{CN, UTF8, TEXT("d:admin:1\0")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"NUL in the SAN", {{SAN_EMAIL, IA5, TEXT("d:admin:1\0.evil")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"newline", {{CN, UTF8, TEXT("d:meter:1\nfake=line")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"wildcard", {{SAN_EMAIL, IA5, TEXT("d:meter:+")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"mail domain", {{SAN_EMAIL, IA5, TEXT("d:meter:1@plant")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"Cyrillic", {{CN, UTF8, TEXT("d:met\xd0\xb0r:1")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"second colon full-width",
        {{CN, UTF8,
            TEXT("d:m\xef\xbc\x9a"
                 "1")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"8-bit CN", {{CN, PRINTABLE, TEXT("d:meter:\xff")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"8-bit SAN", {{SAN_EMAIL, IA5, TEXT("d:meter:\xe9")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"another RDN spelled out", {{CN, UTF8, TEXT("d:t:1/CN=d:admin:1")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"id too long", {{SAN_EMAIL, IA5, TEXT("d:meter:" ID_64 "x")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"type too long", {{SAN_EMAIL, IA5, TEXT("d:" TYPE_36 "x:1")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"BMPString", {{CN, BMP, TEXT("\0d\0:\0m\0:\0001")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"BMPString whose bytes claim", {{CN, BMP, TEXT("d:m:1x")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"BIT STRING", {{CN, V_ASN1_BIT_STRING, TEXT("d:meter:1")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"BMPString beside a good SAN",
        {{CN, BMP, TEXT("\0d\0:\0m\0:\0001")}, {SAN_EMAIL, IA5, TEXT("d:m:1")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"UniversalString", {{CN, UNIVERSAL, TEXT("\0\0\0d\0\0\0:\0\0\0m")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"T61String", {{CN, T61, TEXT("d:meter:1")}}, NULL, REASON_IDENTITY_SYNTAX},
    {"IA5String CN", {{CN, IA5, TEXT("d:meter:1")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"bad CN, good SAN",
        {{CN, UTF8, TEXT("d:meter")}, {SAN_EMAIL, IA5, TEXT("d:meter:1")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"good CN, bad SAN",
        {{CN, UTF8, TEXT("d:meter:1")}, {SAN_EMAIL, IA5, TEXT("d:meter")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"good SAN, bad SAN",
        {{SAN_EMAIL, IA5, TEXT("d:meter:1")}, {SAN_EMAIL, IA5, TEXT("g:")}},
        NULL, REASON_IDENTITY_SYNTAX},

    /* A subjectAltName that is none. */
    {"SAN is no DER",
        {{CN, UTF8, TEXT("d:meter:1")}, {SAN_RAW, 0, TEXT("garbage")}}, NULL,
        REASON_IDENTITY_SYNTAX},
    {"SAN is empty", {{CN, UTF8, TEXT("d:meter:1")}, {SAN_RAW, 0, TEXT("")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"SAN is cut",
        {{CN, UTF8, TEXT("d:m:1")},
            {SAN_RAW, 0,
                TEXT("\x30\x07\x81\x05"
                     "d:m")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"SAN is followed by bytes",
        {{CN, UTF8, TEXT("d:m:1")},
            {SAN_RAW, 0,
                TEXT("\x30\x07\x81\x05"
                     "d:m:1"
                     "\x05\x00")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"SAN twice, both the same",
        {{SAN_RAW, 0,
             TEXT("\x30\x07\x81\x05"
                  "d:m:1")},
            {SAN_RAW, 0,
                TEXT("\x30\x07\x81\x05"
                     "d:m:1")}},
        NULL, REASON_IDENTITY_SYNTAX},
    {"SAN twice, beside a good CN",
        {{CN, UTF8, TEXT("d:m:1")},
            {SAN_RAW, 0,
                TEXT("\x30\x07\x81\x05"
                     "d:m:1")},
            {SAN_RAW, 0,
                TEXT("\x30\x07\x81\x05"
                     "d:m:2")}},
        NULL, REASON_IDENTITY_SYNTAX},

    /* More than one. */
    {"two CNs", {{CN, UTF8, TEXT("d:m:1")}, {CN, UTF8, TEXT("d:m:2")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"two CNs that agree",
        {{CN, UTF8, TEXT("d:m:1")}, {CN, UTF8, TEXT("d:m:1")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"two CNs in one RDN",
        {{CN, UTF8, TEXT("d:m:1")}, {JOINED, UTF8, TEXT("d:m:2")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"a CN that claims nothing and one that does",
        {{CN, UTF8, TEXT("Boiler")}, {CN, UTF8, TEXT("d:m:1")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"two CNs that claim nothing, and a SAN",
        {{CN, UTF8, TEXT("Boiler")}, {CN, UTF8, TEXT("Meter")},
            {SAN_EMAIL, IA5, TEXT("d:m:1")}},
        NULL, REASON_IDENTITY_CONFLICT},
    {"two CNs, one of them broken",
        {{CN, UTF8, TEXT("d:")}, {CN, T61, TEXT("d:m:1")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"CN and SAN differ",
        {{CN, UTF8, TEXT("d:m:1")}, {SAN_EMAIL, IA5, TEXT("d:m:2")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"CN and SAN differ in letter case",
        {{CN, UTF8, TEXT("d:m:a")}, {SAN_EMAIL, IA5, TEXT("d:m:A")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"CN and SAN differ in class",
        {{CN, UTF8, TEXT("d:m:1")}, {SAN_EMAIL, IA5, TEXT("g:m:1")}}, NULL,
        REASON_IDENTITY_CONFLICT},
    {"three SANs, the last differs",
        {{SAN_EMAIL, IA5, TEXT("d:m:1")}, {SAN_EMAIL, IA5, TEXT("d:m:1")},
            {SAN_EMAIL, IA5, TEXT("d:m:11")}},
        NULL, REASON_IDENTITY_CONFLICT},
};

static EVP_PKEY *key;

static int
make_key(void **state)
{
	(void)state;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key == NULL ? -1 : 0;
}

static int
drop_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

/* ASN1_STRING_set() copies a length, so that a NUL survives. */
static void
add_alt_name(GENERAL_NAMES *names, const struct name *name)
{
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_STRING *text = ASN1_STRING_type_new(name->type);
	ASN1_TYPE *wrapped;

	assert_true(ASN1_STRING_set(text, name->text, (int)name->len) == 1);
	if (name->place == SAN_UTF8_MAILBOX) {
		wrapped = ASN1_TYPE_new();
		ASN1_TYPE_set(wrapped, V_ASN1_UTF8STRING, text);
		assert_int_equal(
		    GENERAL_NAME_set0_othername(
		        general, OBJ_txt2obj("1.3.6.1.5.5.7.8.9", 1), wrapped),
		    1);
	} else {
		GENERAL_NAME_set0_value(general,
		    name->place == SAN_EMAIL     ? GEN_EMAIL
		        : name->place == SAN_DNS ? GEN_DNS
		                                 : GEN_URI,
		    text);
	}
	assert_true(sk_GENERAL_NAME_push(names, general) > 0);
}

static void
add_raw(X509 *cert, const struct name *name)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	assert_int_equal(ASN1_OCTET_STRING_set(value,
	                     (const unsigned char *)name->text, (int)name->len),
	    1);
	extension =
	    X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
}

static void
add_names(X509 *cert, const struct name *names)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	GENERAL_NAMES *alt = sk_GENERAL_NAME_new_null();
	size_t i;

	for (i = 0; i < NAMES_MAX && names[i].place != NOWHERE; i++) {
		if (names[i].place == SAN_RAW) {
			add_raw(cert, &names[i]);
		} else if (names[i].place >= SAN_EMAIL) {
			add_alt_name(alt, &names[i]);
		} else {
			assert_int_equal(
			    X509_NAME_add_entry_by_NID(subject,
			        names[i].place == OTHER ? NID_organizationName
			                                : NID_commonName,
			        names[i].type,
			        (const unsigned char *)names[i].text,
			        (int)names[i].len, -1,
			        names[i].place == JOINED ? -1 : 0),
			    1);
		}
	}
	if (sk_GENERAL_NAME_num(alt) > 0) {
		assert_int_equal(
		    X509_add1_ext_i2d(cert, NID_subject_alt_name, alt, 0, 0),
		    1);
	}
	GENERAL_NAMES_free(alt);
}

/* A certificate as it comes over the wire: encoded, and decoded again. */
static X509 *
make_certificate(const struct name *names)
{
	X509 *cert = X509_new(), *read;
	unsigned char *der = NULL;
	const unsigned char *at;
	int len;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	add_names(cert, names);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, NULL) > 0);
	len = i2d_X509(cert, &der);
	assert_true(len > 0);
	at = der;
	read = d2i_X509(NULL, &at, len);
	assert_non_null(read);
	OPENSSL_free(der);
	X509_free(cert);
	return read;
}

static void
names_give_one_identity_or_a_reason(void **state)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct identity who, before;
	enum reason reason;
	const char *why;
	X509 *cert;
	size_t i;

	(void)state;
	memset(&before, 'z', sizeof(before));
	for (i = 0; i < COUNT(cases); i++) {
		cert = make_certificate(cases[i].names);
		who = before;
		why = NULL;
		reason = identity_from_certificate(cert, &who, &why);
		X509_free(cert);
		if (reason != (cases[i].want ? REASON_NONE : cases[i].reason)) {
			fail_msg("%s: %s", cases[i].label, reason_id(reason));
		}
		if (cases[i].want == NULL) {
			assert_memory_equal(&who, &before, sizeof(who));
			assert_non_null(why);
			continue;
		}
		identity_format(&who, text);
		assert_string_equal(text, cases[i].want);
	}
}

/* A thread that shares OpenSSL's error queue with TLS must leave it alone. */
static void
the_error_queue_is_left_as_it_was(void **state)
{
	static const struct name garbage[NAMES_MAX] = {
	    {SAN_RAW, 0, TEXT("garbage")}};
	X509 *cert = make_certificate(garbage);
	struct identity who;
	const char *why;

	(void)state;
	ERR_clear_error();
	(void)identity_from_certificate(cert, &who, &why);
	assert_int_equal(ERR_peek_error(), 0);

	ERR_raise(ERR_LIB_USER, 42);
	(void)identity_from_certificate(cert, &who, &why);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
	assert_int_equal(ERR_get_error(), 0);
	X509_free(cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_give_one_identity_or_a_reason),
	    cmocka_unit_test(the_error_queue_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
