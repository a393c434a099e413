/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"

static struct minted ca, device;
static char *ca_pem, *device_pem, *trusted_pem, *key_pem;

static char *
take_text(BIO *bio)
{
	char *text = NULL, *copy;
	long len = BIO_get_mem_data(bio, &text);

	copy = strndup(text, (size_t)len);
	assert_non_null(copy);
	BIO_free(bio);
	return copy;
}

static int
set_up(void **state)
{
	BIO *trusted = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());

	(void)state;
	ca = mint_ca("Plant 1", 0);
	device = mint_device(&ca, "d:meter:0001");
	ca_pem = mint_pem(&ca, 1);
	device_pem = mint_pem(&device, 1);
	assert_int_equal(PEM_write_bio_X509_AUX(trusted, ca.cert), 1);
	trusted_pem = take_text(trusted);
	assert_int_equal(
	    PEM_write_bio_PrivateKey(key, ca.key, NULL, NULL, 0, NULL, NULL),
	    1);
	key_pem = take_text(key);
	ERR_clear_error();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	minted_done(&ca);
	minted_done(&device);
	free(ca_pem);
	free(device_pem);
	free(trusted_pem);
	free(key_pem);
	return 0;
}

/* Both readers on the same bytes; the fingerprints of what came are equal. */
static enum res
parse(const void *bytes, size_t len)
{
	struct x509_st *const untouched = (void *)&ca, *cert = untouched;
	struct diag why = {""};
	enum res r = cert_parse(bytes, len, &cert, &why);

	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	if (r == RES_OK) {
		assert_int_equal(X509_cmp(cert, ca.cert), 0);
		X509_free(cert);
	} else {
		assert_ptr_equal(cert, untouched);
	}
	assert_int_equal(ERR_peek_error(), 0);
	return r;
}

/* The texts one after the other; NULL ends them. */
static enum res
parse_texts(const char *a, const char *b, const char *c)
{
	char *all = NULL;
	int len = asprintf(&all, "%s%s%s", a, b, c);
	enum res r;

	assert_true(len >= 0);
	r = parse(all, (size_t)len);
	free(all);
	return r;
}

static void
reads_der(void **state)
{
	(void)state;
	assert_int_equal(parse(ca.der, ca.der_len), RES_OK);
}

static void
reads_pem_amid_text(void **state)
{
	(void)state;
	assert_int_equal(parse_texts(ca_pem, "", ""), RES_OK);
	assert_int_equal(
	    parse_texts("Certificate:\n    Data: x\n", ca_pem, ""), RES_OK);
	assert_int_equal(
	    parse_texts("0 it begins like DER\n", ca_pem, ""), RES_OK);
	assert_int_equal(parse_texts("\n", ca_pem, "\nend\n"), RES_OK);
}

static void
reads_pem_with_carriage_returns(void **state)
{
	char *dos = calloc(2, strlen(ca_pem) + 1), *to = dos;
	const char *at;

	(void)state;
	assert_non_null(dos);
	for (at = ca_pem; *at != '\0'; at++) {
		if (*at == '\n') {
			*to++ = '\r';
		}
		*to++ = *at;
	}
	assert_int_equal(parse(dos, strlen(dos)), RES_OK);
	free(dos);
}

static void
refuses_der_that_is_not_alone(void **state)
{
	uint8_t *two = calloc(2, ca.der_len);

	(void)state;
	assert_non_null(two);
	memcpy(two, ca.der, ca.der_len);
	memcpy(two + ca.der_len, ca.der, ca.der_len);
	assert_int_equal(parse(two, ca.der_len + 1), RES_SYNTAX);
	assert_int_equal(parse(two, 2 * ca.der_len), RES_SYNTAX);
	assert_int_equal(parse(two, ca.der_len - 1), RES_SYNTAX);
	assert_int_equal(parse(two, 2), RES_SYNTAX);
	assert_int_equal(parse(two, 1), RES_SYNTAX);
	free(two);
}

/* The outer length with a needless byte: BER, another fingerprint. */
static void
refuses_ber(void **state)
{
	uint8_t *ber = calloc(1, ca.der_len + 1);

	(void)state;
	assert_non_null(ber);
	assert_int_equal(ca.der[1], 0x82);
	memcpy(ber, (const uint8_t[]){0x30, 0x83, 0x00}, 3);
	memcpy(ber + 3, ca.der + 2, ca.der_len - 2);
	assert_int_equal(parse(ber, ca.der_len + 1), RES_SYNTAX);
	free(ber);
}

/* DER wants bits that are not used to be zero (X.690 11.2.1). */
static void
refuses_stray_bits(void **state)
{
	uint8_t *der = malloc(ca.der_len);
	const ASN1_BIT_STRING *signature = NULL;
	size_t unused;

	(void)state;
	X509_get0_signature(&signature, NULL, ca.cert);
	unused = ca.der_len - (size_t)ASN1_STRING_length(signature) - 1;
	assert_non_null(der);
	memcpy(der, ca.der, ca.der_len);
	assert_int_equal(der[unused], 0);
	der[unused] = 1;
	der[ca.der_len - 1] |= 1;
	assert_int_equal(parse(der, ca.der_len), RES_SYNTAX);
	free(der);
}

static void
refuses_other_names_of_the_block(void **state)
{
	char *pem = strdup(ca_pem), *at;

	(void)state;
	assert_non_null(pem);
	for (at = pem; (at = strstr(at, "CERTIFICATE")) != NULL;) {
		memcpy(at, "CERTIFICATO", 11);
	}
	assert_int_equal(parse(pem, strlen(pem)), RES_SYNTAX);
	free(pem);
}

static void
refuses_what_holds_no_certificate(void **state)
{
	static const char request[] = "-----BEGIN CERTIFICATE REQUEST-----\n"
	                              "MAA=\n"
	                              "-----END CERTIFICATE REQUEST-----\n";

	(void)state;
	assert_int_equal(parse("", 0), RES_SYNTAX);
	assert_int_equal(parse_texts("hello", "", ""), RES_SYNTAX);
	assert_int_equal(parse("\0\0\0\0", 4), RES_SYNTAX);
	assert_int_equal(parse_texts(request, "", ""), RES_SYNTAX);
	assert_int_equal(parse_texts(ca_pem, request, ""), RES_SYNTAX);
}

static void
refuses_two(void **state)
{
	(void)state;
	assert_int_equal(parse_texts(ca_pem, device_pem, ""), RES_SYNTAX);
	assert_int_equal(parse_texts(ca_pem, ca_pem, ""), RES_SYNTAX);
	assert_int_equal(parse_texts(ca_pem, " ", device_pem), RES_SYNTAX);
}

static void
refuses_damaged_pem(void **state)
{
	(void)state;
	assert_int_equal(parse(ca_pem, strlen(ca_pem) / 2), RES_SYNTAX);
	assert_int_equal(
	    parse_texts(ca_pem, "-----BEGIN CERTIFICATE-----\n", ""),
	    RES_SYNTAX);
	assert_int_equal(parse_texts("-----BEGIN CERTIFICATE-----\nMAA=\n"
	                             "-----END CERTIFICATE-----\n",
	                     "", ""),
	    RES_SYNTAX);
}

static void
refuses_private_keys(void **state)
{
	(void)state;
	assert_int_equal(parse_texts(key_pem, "", ""), RES_REFUSED);
	assert_int_equal(parse_texts(ca_pem, key_pem, ""), RES_REFUSED);
	assert_int_equal(parse_texts(key_pem, ca_pem, ""), RES_REFUSED);
	assert_int_equal(parse_texts(ca_pem, "  ", key_pem), RES_REFUSED);
}

static void
refuses_trusted_certificates(void **state)
{
	(void)state;
	assert_int_equal(parse_texts(trusted_pem, "", ""), RES_REFUSED);
	assert_int_equal(parse_texts(trusted_pem, ca_pem, ""), RES_REFUSED);
}

static void
refuses_large_files(void **state)
{
	char *text = malloc(CERT_FILE_MAX + 1);
	size_t len = strlen(ca_pem);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', CERT_FILE_MAX + 1);
	memcpy(text, ca_pem, len);
	assert_int_equal(parse(text, CERT_FILE_MAX), RES_OK);
	assert_int_equal(parse(text, CERT_FILE_MAX + 1), RES_LIMIT);
	free(text);
}

static enum res
parse_chain(const char *text, int want)
{
	struct chain *const untouched = (void *)&ca, *chain = untouched;
	struct diag why = {""};
	enum res r =
	    chain_parse((const uint8_t *)text, strlen(text), &chain, &why);

	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	if (r == RES_OK) {
		assert_int_equal(sk_X509_num(chain_certs(chain)), want);
		chain_free(chain);
	} else {
		assert_ptr_equal(chain, untouched);
	}
	return r;
}

static void
reads_chains(void **state)
{
	struct minted many[CERT_CHAIN_MAX + 1];
	char *text, *mixed = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < CERT_CHAIN_MAX + 1; i++) {
		many[i] = ca;
	}
	text = mint_pem(many, CERT_CHAIN_MAX);
	assert_int_equal(parse_chain(text, CERT_CHAIN_MAX), RES_OK);
	free(text);
	text = mint_pem(many, CERT_CHAIN_MAX + 1);
	assert_int_equal(parse_chain(text, 0), RES_LIMIT);
	free(text);
	assert_int_equal(parse_chain(ca_pem, 1), RES_OK);
	assert_int_equal(parse_chain("", 0), RES_SYNTAX);
	assert_int_equal(parse_chain("no chain\n", 0), RES_SYNTAX);
	assert_int_equal(parse_chain(trusted_pem, 0), RES_REFUSED);
	assert_true(asprintf(&mixed, "%s%s", ca_pem, key_pem) > 0);
	assert_int_equal(parse_chain(mixed, 0), RES_REFUSED);
	free(mixed);
	chain_free(NULL);
	assert_null(chain_certs(NULL));
}

/* A stack of n references: the device's, then its CA's over and over. */
static STACK_OF(X509) * send(int n)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	int i;

	for (i = 0; i < n; i++) {
		X509 *cert = i == 0 ? device.cert : ca.cert;

		assert_int_equal(X509_up_ref(cert), 1);
		assert_int_equal(sk_X509_push(sent, cert), i + 1);
	}
	return sent;
}

static const struct {
	int sent;
	enum res want;
	int kept;
} adopt_cases[] = {
    {0, RES_OK, 0},
    {1, RES_OK, 0},
    {2, RES_OK, 1},
    {3, RES_OK, 2},
    {CERT_CHAIN_MAX + 1, RES_OK, CERT_CHAIN_MAX},
    {CERT_CHAIN_MAX + 2, RES_LIMIT, 0},
    {1000, RES_LIMIT, 0},
};

static void
adopts_what_a_peer_sent(void **state)
{
	struct chain *const untouched = (void *)&ca;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < sizeof(adopt_cases) / sizeof(adopt_cases[0]); i++) {
		STACK_OF(X509) *sent = send(adopt_cases[i].sent);
		struct chain *chain = untouched;
		enum res r = chain_adopt(sent, &chain);

		/* What was sent may go before the chain does. */
		sk_X509_pop_free(sent, X509_free);
		assert_int_equal(r, adopt_cases[i].want);
		assert_int_equal(ERR_peek_error(), 0);
		if (r != RES_OK) {
			assert_ptr_equal(chain, untouched);
			continue;
		}
		assert_int_equal(chain == NULL, adopt_cases[i].kept == 0);
		if (chain != NULL) {
			assert_int_equal(sk_X509_num(chain_certs(chain)),
			    adopt_cases[i].kept);
		}
		for (k = 0; k < adopt_cases[i].kept; k++) {
			assert_ptr_equal(
			    sk_X509_value(chain_certs(chain), k), ca.cert);
		}
		chain_free(chain);
	}
}

static void
adopts_nothing(void **state)
{
	struct chain *chain = (void *)&ca;

	(void)state;
	assert_int_equal(chain_adopt(NULL, &chain), RES_OK);
	assert_null(chain);
}

static struct chain *
adopt(const struct minted *const *certs, size_t n)
{
	STACK_OF(X509) *sent = sk_X509_new_null();
	struct chain *chain = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		assert_true(sk_X509_push(sent, certs[i]->cert) > 0);
	}
	assert_int_equal(chain_adopt(sent, &chain), RES_OK);
	sk_X509_free(sent);
	return chain;
}

static void
keeps_the_order_of_sending(void **state)
{
	const struct minted *const sent[] = {&device, &ca, &device};
	struct chain *chain = adopt(sent, 3);

	(void)state;
	assert_ptr_equal(sk_X509_value(chain_certs(chain), 0), ca.cert);
	assert_ptr_equal(sk_X509_value(chain_certs(chain), 1), device.cert);
	chain_free(chain);
}

/* Every list of the two of up to three has a digest of its own, which is that
 * of the DER one after the other. */
static void
digests_tell_chains_apart(void **state)
{
	static const struct minted *const both[] = {&ca, &device};
	uint8_t digests[15][HASH_LEN], want[HASH_LEN];
	size_t n, i, bits, count = 0;

	(void)state;
	for (n = 0; n <= 3; n++) {
		for (bits = 0; bits < (size_t)1 << n; bits++) {
			const struct minted *sent[4] = {&device};
			struct chain *chain;

			for (i = 0; i < n; i++) {
				sent[i + 1] = both[bits >> i & 1];
			}
			chain = adopt(sent, n + 1);
			chain_digest(chain, digests[count]);
			chain_free(chain);
			for (i = 0; i < count; i++) {
				assert_memory_not_equal(
				    digests[i], digests[count], HASH_LEN);
			}
			count++;
		}
	}
	memset(want, 0, HASH_LEN);
	assert_memory_equal(digests[0], want, HASH_LEN);
	SHA256(ca.der, ca.der_len, want);
	assert_memory_equal(digests[1], want, HASH_LEN);
}

static void
digests_do_not_tell_where_from(void **state)
{
	const struct minted *const sent[] = {&device, &ca, &device};
	struct minted file[] = {ca, device};
	char *pem = mint_pem(file, 2);
	struct chain *adopted = adopt(sent, 3), *parsed = NULL;
	uint8_t a[HASH_LEN], b[HASH_LEN];

	(void)state;
	assert_int_equal(
	    chain_parse((const uint8_t *)pem, strlen(pem), &parsed, NULL),
	    RES_OK);
	chain_digest(adopted, a);
	chain_digest(parsed, b);
	assert_memory_equal(a, b, HASH_LEN);
	chain_digest(NULL, b);
	assert_memory_not_equal(a, b, HASH_LEN);
	chain_free(adopted);
	chain_free(parsed);
	free(pem);
}

static void
leaves_openssl_errors_alone(void **state)
{
	struct x509_st *cert = NULL;

	(void)state;
	ERR_raise(ERR_LIB_USER, 7);
	assert_int_equal(
	    cert_parse((const uint8_t *)"0\x82", 2, &cert, NULL), RES_SYNTAX);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
	assert_int_equal(ERR_get_error(), 0);
}

static const struct {
	const char *decimal, *want;
} serial_cases[] = {
    {"26", "0x1a"},
    {"1", "0x01"},
    {"0", "0x00"},
    {"128", "0x80"},
    {"-26", "-0x1a"},
    /* 20 octets of ff, then one more */
    {"1461501637330902918203684832716283019655932542975",
        "0xffffffffffffffffffffffffffffffffffffffff"},
    {"1461501637330902918203684832716283019655932542976", "?"},
    {"-1461501637330902918203684832716283019655932542975", "?"},
};

static void
tells_serials(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(serial_cases) / sizeof(serial_cases[0]); i++) {
		struct minted cert = mint(&(struct mint_options){
		    .cn = "x", .serial = serial_cases[i].decimal});
		struct cert_info info;

		assert_int_equal(
		    cert_info_read(cert.cert, &info, NULL), RES_OK);
		assert_string_equal(info.serial, serial_cases[i].want);
		cert_info_done(&info);
		minted_done(&cert);
	}
}

static void
tells_fingerprint_and_dates(void **state)
{
	uint8_t want[HASH_LEN];
	struct cert_info info;

	(void)state;
	SHA256(device.der, device.der_len, want);
	assert_int_equal(cert_info_read(device.cert, &info, NULL), RES_OK);
	assert_memory_equal(info.fingerprint, want, HASH_LEN);
	assert_true(info.not_before == MINT_FROM);
	assert_true(info.not_after == MINT_TO);
	assert_true(cert_time(X509_get0_notAfter(device.cert)) == MINT_TO);
	assert_string_equal(info.subject, "CN=d:meter:0001");
	cert_info_done(&info);
}

/* Of the SubjectPublicKeyInfo as openssl(1) writes it, for every kind of key.
 */
static void
tells_the_hash_of_the_key(void **state)
{
	uint8_t want[HASH_LEN], seen[MINT_KEYS][HASH_LEN];
	struct minted twins[2];
	struct cert_info info;
	unsigned char *der;
	int kind, i, len;

	(void)state;
	for (kind = 0; kind < MINT_KEYS; kind++) {
		for (i = 0; i < 2; i++) {
			twins[i] = mint(
			    &(struct mint_options){.cn = i == 0 ? "x" : "y",
			        .key = (enum mint_key)kind});
			der = NULL;
			len = i2d_PUBKEY(twins[i].key, &der);
			assert_true(len > 0);
			SHA256(der, (size_t)len, want);
			OPENSSL_free(der);
			assert_int_equal(
			    cert_info_read(twins[i].cert, &info, NULL), RES_OK);
			assert_memory_equal(info.key, want, HASH_LEN);
			assert_memory_not_equal(
			    info.key, info.fingerprint, HASH_LEN);
			memcpy(seen[kind], info.key, HASH_LEN);
			cert_info_done(&info);
			minted_done(&twins[i]);
		}
		for (i = 0; i < kind; i++) {
			assert_memory_not_equal(seen[i], seen[kind], HASH_LEN);
		}
	}
}

static const struct {
	const char *cn, *want;
} subject_cases[] = {
    {"a,b+c", "CN=a\\,b\\+c"},
    {"a\nb", "CN=a\\0Ab"},
    {"\xc3\xa9", "CN=\\C3\\A9"},
    {"\x1b[31m", "CN=\\1B[31m"},
    {NULL, ""},
};

static void
tells_subjects_in_ascii(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(subject_cases) / sizeof(subject_cases[0]); i++) {
		struct minted cert =
		    mint(&(struct mint_options){.cn = subject_cases[i].cn});
		struct cert_info info;

		assert_int_equal(
		    cert_info_read(cert.cert, &info, NULL), RES_OK);
		assert_string_equal(info.subject, subject_cases[i].want);
		cert_info_done(&info);
		minted_done(&cert);
	}
}

static void
refuses_names_in_no_encoding(void **state)
{
	struct minted cert = mint(&(struct mint_options){.cn = "\xc3\xa9"});
	uint8_t *at;

	(void)state;
	while ((at = memmem(cert.der, cert.der_len, "\xc3\xa9", 2)) != NULL) {
		at[0] = 0xff;
	}
	assert_null(cert_from_der(cert.der, cert.der_len));
	minted_done(&cert);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_der),
	    cmocka_unit_test(reads_pem_amid_text),
	    cmocka_unit_test(reads_pem_with_carriage_returns),
	    cmocka_unit_test(refuses_der_that_is_not_alone),
	    cmocka_unit_test(refuses_ber),
	    cmocka_unit_test(refuses_stray_bits),
	    cmocka_unit_test(refuses_other_names_of_the_block),
	    cmocka_unit_test(refuses_what_holds_no_certificate),
	    cmocka_unit_test(refuses_two),
	    cmocka_unit_test(refuses_damaged_pem),
	    cmocka_unit_test(refuses_private_keys),
	    cmocka_unit_test(refuses_trusted_certificates),
	    cmocka_unit_test(refuses_large_files),
	    cmocka_unit_test(reads_chains),
	    cmocka_unit_test(adopts_what_a_peer_sent),
	    cmocka_unit_test(adopts_nothing),
	    cmocka_unit_test(keeps_the_order_of_sending),
	    cmocka_unit_test(digests_tell_chains_apart),
	    cmocka_unit_test(digests_do_not_tell_where_from),
	    cmocka_unit_test(leaves_openssl_errors_alone),
	    cmocka_unit_test(tells_serials),
	    cmocka_unit_test(tells_fingerprint_and_dates),
	    cmocka_unit_test(tells_the_hash_of_the_key),
	    cmocka_unit_test(tells_subjects_in_ascii),
	    cmocka_unit_test(refuses_names_in_no_encoding),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
