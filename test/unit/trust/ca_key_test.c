/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/ca_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "test/unit/trust/ask.h"

static bool
is_written_alike(const X509 *a, const X509 *b)
{
	unsigned char *of_a = NULL, *of_b = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(a), &of_a);
	bool alike = len == i2d_X509_PUBKEY(X509_get_X509_PUBKEY(b), &of_b) &&
	    memcmp(of_a, of_b, (size_t)len) == 0;

	OPENSSL_free(of_a);
	OPENSSL_free(of_b);
	return alike;
}

/* The same certificate, with its key written in another form and signed anew
 * by issuer. */
static struct minted
rewrite(const struct minted *minted, const struct minted *issuer,
    const char *param, const char *form)
{
	EVP_PKEY *key = EVP_PKEY_dup(minted->key);
	X509 *cert = X509_dup(minted->cert);
	struct minted made = {.key = minted->key};
	const unsigned char *at;
	int len;

	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, param, form), 1);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, issuer->key, EVP_sha256()) > 0);
	len = i2d_X509(cert, &made.der);
	assert_true(len > 0);
	made.der_len = (size_t)len;
	at = made.der;
	made.cert = d2i_X509(NULL, &at, len);
	assert_non_null(made.cert);
	assert_false(is_written_alike(made.cert, minted->cert));
	X509_free(cert);
	EVP_PKEY_free(key);
	return made;
}

static struct minted
compress(const struct minted *minted, const struct minted *issuer)
{
	return rewrite(minted, issuer,
	    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
}

static struct ca_key
key_of(const struct minted *minted)
{
	struct ca_key key;

	assert_int_equal(ca_key_read(minted->cert, &key), RES_OK);
	assert_int_equal(ERR_peek_error(), 0);
	return key;
}

static bool
are_one(const struct minted *a, const struct minted *b)
{
	struct ca_key of_a = key_of(a), of_b = key_of(b);

	assert_int_equal(
	    ca_key_equal(&of_a, &of_b), ca_key_equal(&of_b, &of_a));
	return ca_key_equal(&of_a, &of_b);
}

static const enum mint_key kinds[] = {MINT_P256, MINT_P384, MINT_P521,
    MINT_ED25519, MINT_ED448, MINT_RSA2048, MINT_K256, MINT_RSA1024};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct {
	const char *name;
	struct mint_options options;
	bool is_one; /* with "Plant", slot 0 */
} pairs[] = {
    {"renewed", {.cn = "Plant", .serial = "99"}, true},
    {"letter case", {.cn = "PLANT"}, true},
    {"blanks", {.cn = " Plant "}, true},
    {"another name", {.cn = "Plant 1"}, false},
    {"no name", {.cn = NULL}, false},
    {"a name with more in it", {.cn = "Plant", .email = "a@b.example"}, false},
    {"another key", {.cn = "Plant", .slot = 1}, false},
};

static void
tells_cas_apart(void **state)
{
	struct minted ca, other;
	struct mint_options options;
	size_t i, kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		ca = mint(&(struct mint_options){
		    .cn = "Plant", .ca = true, .key = kinds[kind]});
		for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
			options = pairs[i].options;
			options.ca = true;
			options.key = kinds[kind];
			other = mint(&options);
			if (are_one(&ca, &other) != pairs[i].is_one) {
				fail_msg("kind %zu: %s", kind, pairs[i].name);
			}
			minted_done(&other);
		}
		minted_done(&ca);
	}
}

static void
tells_kinds_apart(void **state)
{
	struct minted cas[KINDS];
	size_t i, k;

	(void)state;
	for (i = 0; i < KINDS; i++) {
		cas[i] = mint(&(struct mint_options){
		    .cn = "Plant", .ca = true, .key = kinds[i]});
	}
	for (i = 0; i < KINDS; i++) {
		for (k = 0; k < KINDS; k++) {
			assert_int_equal(are_one(&cas[i], &cas[k]), i == k);
		}
	}
	for (i = 0; i < KINDS; i++) {
		minted_done(&cas[i]);
	}
}

static void
sees_through_the_form_of_a_point(void **state)
{
	static const enum mint_key curves[] = {
	    MINT_P256, MINT_P384, MINT_P521, MINT_K256};
	struct minted ca, bent, hybrid, named;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		ca = mint(&(struct mint_options){
		    .cn = "Plant", .ca = true, .key = curves[i]});
		bent = compress(&ca, &ca);
		hybrid = rewrite(&ca, &ca,
		    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "hybrid");
		assert_true(are_one(&ca, &bent));
		assert_true(are_one(&ca, &hybrid));
		minted_done(&ca);
		minted_done(&bent);
		minted_done(&hybrid);
	}
	/* Explicit parameters, and the name of the same curve. */
	ca = mint(&(struct mint_options){
	    .cn = "Plant", .ca = true, .key = MINT_P256_EXPLICIT});
	bent = compress(&ca, &ca);
	named = rewrite(&ca, &ca, OSSL_PKEY_PARAM_EC_ENCODING, "named_curve");
	assert_true(are_one(&ca, &bent));
	assert_true(are_one(&ca, &named));
	minted_done(&ca);
	minted_done(&bent);
	minted_done(&named);
}

/* An idle CA whose key is written in another way is idle all the same, and a
 * list of the one is a list of the other. */
static void
no_form_leads_around_the_registry(void **state)
{
	struct minted root = mint_ca("Root", 0);
	struct minted middle = mint(&(struct mint_options){
	    .cn = "Middle", .ca = true, .slot = 1, .issuer = &root});
	struct minted bent = compress(&middle, &root);
	struct minted leaf = mint_device(&middle, "d:meter:0001");
	struct trust_set *set = set_of(&root, CA_ACTIVE);
	struct trust_set *listed = set_of(&root, CA_ACTIVE);
	struct crl *crl = crl_of(&middle, MINT_TO, &leaf);

	(void)state;
	EXPECT(set, REASON_NONE, &root, &leaf, &bent, 1);
	add(set, &middle, CA_INACTIVE, NULL);
	EXPECT(set, REASON_CA_INACTIVE, &middle, &leaf, &bent, 1);
	add_terms(listed, &middle,
	    &(struct ca_terms){.state = CA_ACTIVE, .crl = crl});
	EXPECT(listed, REASON_CERT_REVOKED, &middle, &leaf, &bent, 1);
	crl_unref(crl);
	trust_set_free(set);
	trust_set_free(listed);
	minted_done(&root);
	minted_done(&middle);
	minted_done(&bent);
	minted_done(&leaf);
}

/* A key that signs nothing, and a point that is on no curve. */
static void
refuses_other_keys(void **state)
{
	struct minted ca = mint_ca("Plant", 0);
	const ASN1_BIT_STRING *point = X509_get0_pubkey_bitstr(ca.cert);
	EVP_PKEY *dh = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	X509 *odd = X509_dup(ca.cert), *broken;
	struct ca_key key = {{0}, 7};
	const unsigned char *der = ca.der;
	uint8_t *at;

	(void)state;
	assert_int_equal(X509_set_pubkey(odd, dh), 1);
	assert_int_equal(ca_key_read(odd, &key), RES_SYNTAX);
	at = memmem(ca.der, ca.der_len, ASN1_STRING_get0_data(point),
	    (size_t)ASN1_STRING_length(point));
	assert_non_null(at);
	memset(at + 1, 0, 64);
	broken = d2i_X509(NULL, &der, (long)ca.der_len);
	assert_non_null(broken);
	assert_int_equal(ca_key_read(broken, &key), RES_SYNTAX);
	assert_true(key.name == 7);
	ERR_clear_error();
	X509_free(odd);
	X509_free(broken);
	EVP_PKEY_free(dh);
	minted_done(&ca);
}

static void
nobody_is_no_ca(void **state)
{
	const struct ca_key nobody = {.name = 0};
	struct minted ca = mint(&(struct mint_options){.cn = NULL, .ca = true});
	struct ca_key key = key_of(&ca);

	(void)state;
	assert_false(ca_key_equal(&nobody, &key));
	minted_done(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_cas_apart),
	    cmocka_unit_test(tells_kinds_apart),
	    cmocka_unit_test(sees_through_the_form_of_a_point),
	    cmocka_unit_test(no_form_leads_around_the_registry),
	    cmocka_unit_test(refuses_other_keys),
	    cmocka_unit_test(nobody_is_no_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
