/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/secret.h"

#include <ctype.h>

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define X16  "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
#define D10  "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
#define C10  "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
#define X131 X16 X16 X16 X16 X16 X16 X16 X16 "\xaa\xaa\xaa"

/* RFC 4231, 4, but for the one that is cut. */
static const struct {
	const char *key;
	size_t key_len;
	const char *data, *want;
} vectors[] = {
    {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
     "\x0b\x0b",
        20, "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"Jefe", 4, "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {X16 "\xaa\xaa\xaa\xaa", 20, D10 D10 D10 D10 D10,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12"
     "\x13\x14\x15\x16\x17\x18\x19",
        25, C10 C10 C10 C10 C10,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {X131, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {X131, 131,
        "This is a test using a larger than block-size key and a larger than "
        "block-size data. The key needs to be hashed before being used by the "
        "HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    /* Of nothing with nothing. */
    {NULL, 0, "",
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

static void
signs_as_the_rfc_has_it(void **state)
{
	char hex[HASH_TEXT_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(vectors); i++) {
		assert_true(secret_sign(vectors[i].key, vectors[i].key_len,
		    vectors[i].data, strlen(vectors[i].data), hex));
		assert_string_equal(hex, vectors[i].want);
	}
	assert_false(secret_sign("k", (size_t)INT32_MAX + 1, "", 0, hex));
	assert_string_equal(hex, "");
}

static bool
is_lower_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == strlen(text);
}

static void
no_two_tokens_are_alike(void **state)
{
	static char texts[500][TOKEN_TEXT_MAX + 1];
	static struct token_hash kept[COUNT(texts)];
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		assert_int_equal(token_make(texts[i], &kept[i]), RES_OK);
		assert_int_equal(strlen(texts[i]), TOKEN_TEXT_MAX);
		assert_true(is_lower_hex(texts[i]));
		assert_true(kept[i].is_set);
		for (j = 0; j < i; j++) {
			assert_string_not_equal(texts[i], texts[j]);
			assert_memory_not_equal(
			    kept[i].salt, kept[j].salt, SALT_LEN);
			assert_memory_not_equal(
			    kept[i].hash, kept[j].hash, HASH_LEN);
			assert_false(token_matches(&kept[i], texts[j]));
		}
		assert_true(token_matches(&kept[i], texts[i]));
	}
}

/* What is kept is what the header says, for whoever has to read it later. */
static void
keeps_a_salted_hash(void **state)
{
	const char *token =
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct token_hash kept = {.is_set = true,
	    .salt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

	(void)state;
	assert_true(text_unhex(
	    "c368200331b142b238cbf8b361d816c4cb14acaa4fa9f90b2a2cd3b3bb97a97e",
	    kept.hash, HASH_LEN));
	assert_true(token_matches(&kept, token));
}

static void
a_wrong_token_does_not_match(void **state)
{
	char text[TOKEN_TEXT_MAX + 1], other[2 * TOKEN_TEXT_MAX + 1];
	struct token_hash kept, changed;
	size_t i;

	(void)state;
	do {
		assert_int_equal(token_make(text, &kept), RES_OK);
	} while (strpbrk(text, "abcdef") == NULL);

	/* Each length but the right one. */
	for (i = 0; i < 2 * TOKEN_TEXT_MAX; i++) {
		memcpy(other, text, TOKEN_TEXT_MAX);
		memcpy(other + TOKEN_TEXT_MAX, text, TOKEN_TEXT_MAX);
		other[i] = '\0';
		assert_int_equal(
		    token_matches(&kept, other), i == TOKEN_TEXT_MAX);
	}
	/* A NUL in each place, each digit changed, another letter case. */
	for (i = 0; i < TOKEN_TEXT_MAX; i++) {
		memcpy(other, text, sizeof(text));
		other[i] = '\0';
		assert_false(token_matches(&kept, other));
		other[i] = text[i] == '0' ? '1' : '0';
		assert_false(token_matches(&kept, other));
	}
	memcpy(other, text, sizeof(text));
	*strpbrk(other, "abcdef") =
	    (char)toupper((unsigned char)*strpbrk(text, "abcdef"));
	assert_false(token_matches(&kept, other));

	/* Nor does any other salt or hash, nor one that is not set. */
	for (i = 0; i < SALT_LEN; i++) {
		changed = kept;
		changed.salt[i] ^= 1;
		assert_false(token_matches(&changed, text));
	}
	for (i = 0; i < HASH_LEN; i++) {
		changed = kept;
		changed.hash[i] ^= 0x80;
		assert_false(token_matches(&changed, text));
	}
	changed = kept;
	changed.is_set = false;
	assert_false(token_matches(&changed, text));
	changed = (struct token_hash){0};
	assert_false(token_matches(&changed, text));
	assert_false(token_matches(&changed, ""));
}

#define SALT "00112233445566778899aabbccddeeff"
#define HASH "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static const struct {
	const char *text;
	int64_t created_at, expires_at;
} good[] = {
    {SALT ":" HASH ":0:1", 0, 1},
    {SALT ":" HASH ":1795269600:-", 1795269600, CLOCK_FOREVER},
    {SALT ":" HASH ":-:-", CLOCK_NONE, CLOCK_FOREVER},
    {SALT ":" HASH ":-1:-2", -1, -2},
    {SALT ":" HASH ":-9223372036854775807:-9223372036854775808", -INT64_MAX,
        INT64_MIN},
    {SALT ":" HASH ":9223372036854775807:9223372036854775806", INT64_MAX,
        INT64_MAX - 1},
};

static void
reads_what_it_wrote(void **state)
{
	char again[TOKEN_HASH_TEXT_MAX + 1];
	struct token_hash kept, none = {0};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(token_hash_parse(good[i].text, &kept), RES_OK);
		assert_true(kept.is_set);
		assert_int_equal(kept.salt[1], 0x11);
		assert_int_equal(kept.hash[31], 0x00);
		assert_true(kept.created_at == good[i].created_at);
		assert_true(kept.expires_at == good[i].expires_at);
		token_hash_format(&kept, again);
		assert_string_equal(again, good[i].text);
	}
	assert_int_equal(token_hash_parse("", &kept), RES_OK);
	assert_false(kept.is_set);
	token_hash_format(&none, again);
	assert_string_equal(again, "");
}

static const char *const bad[] = {" ", "-", ":", ":::", SALT, SALT ":" HASH,
    SALT ":" HASH ":", SALT ":" HASH ":0",
    SALT ":" HASH ":0:", SALT ":" HASH ":0:1:", SALT ":" HASH ":0:1:2",
    SALT ":" HASH ":0:1 ", " " SALT ":" HASH ":0:1", SALT ":" HASH ": 0:1",
    SALT ":" HASH ":+0:1", SALT ":" HASH ":00:1", SALT ":" HASH ":-0:1",
    SALT ":" HASH ":0x1:1", SALT ":" HASH ":0:9223372036854775807",
    SALT ":" HASH ":-9223372036854775808:1",
    SALT ":" HASH ":0:9223372036854775808", SALT ":" HASH ":1e3:1",
    "-:" HASH ":0:1", SALT ":-:0:1", HASH ":" SALT ":0:1",
    "00112233445566778899AABBCCDDEEFF:" HASH ":0:1",
    "0112233445566778899aabbccddeeff:" HASH ":0:1",
    "g0112233445566778899aabbccddeeff:" HASH ":0:1", SALT ":" HASH "0:0:1",
    SALT ";" HASH ":0:1"};

static void
reads_nothing_else(void **state)
{
	struct token_hash kept;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		memset(&kept, 0x55, sizeof(kept));
		if (token_hash_parse(bad[i], &kept) != RES_SYNTAX) {
			fail_msg("%s", bad[i]);
		}
		assert_false(kept.is_set);
		assert_false(token_matches(&kept, bad[i]));
	}
}

static void
knows_equal_ones(void **state)
{
	const struct token_hash none = {0};
	struct token_hash a, b, unset;

	(void)state;
	assert_int_equal(token_hash_parse(good[0].text, &a), RES_OK);
	b = a;
	assert_true(token_hash_equal(&a, &b));
	unset = a;
	unset.is_set = false;
	assert_false(token_hash_equal(&a, &unset));
	assert_false(token_hash_equal(&none, &a));
	assert_true(token_hash_equal(&none, &unset));
	b.salt[15] ^= 1;
	assert_false(token_hash_equal(&a, &b));
	b = a;
	b.hash[31] ^= 1;
	assert_false(token_hash_equal(&a, &b));
	b = a;
	b.created_at++;
	assert_false(token_hash_equal(&a, &b));
	b = a;
	b.expires_at++;
	assert_false(token_hash_equal(&a, &b));
}

static void
random_digits_are_as_many_as_asked_for(void **state)
{
	static const size_t lengths[] = {0, 1, 4, 31, 32, 33, 64, 100};
	char hex[201], before[201] = "";
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lengths); i++) {
		memset(hex, 'z', sizeof(hex));
		assert_int_equal(secret_random_hex(hex, lengths[i]), RES_OK);
		assert_int_equal(strlen(hex), 2 * lengths[i]);
		assert_true(is_lower_hex(hex));
		if (lengths[i] >= 32) {
			/* No block of it comes twice. */
			assert_memory_not_equal(hex, before, 16);
			assert_true(
			    lengths[i] < 64 || memcmp(hex, hex + 64, 64) != 0);
		}
		memcpy(before, hex, sizeof(before));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signs_as_the_rfc_has_it),
	    cmocka_unit_test(no_two_tokens_are_alike),
	    cmocka_unit_test(keeps_a_salted_hash),
	    cmocka_unit_test(a_wrong_token_does_not_match),
	    cmocka_unit_test(reads_what_it_wrote),
	    cmocka_unit_test(reads_nothing_else),
	    cmocka_unit_test(knows_equal_ones),
	    cmocka_unit_test(random_digits_are_as_many_as_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
