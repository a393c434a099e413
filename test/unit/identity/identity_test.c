/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/identity.h"

#include "test/support/cmocka_all.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

#define TYPE_36 "abcdefghijklmnopqrstuvwxyz0123456789"
#define ID_64                                                                  \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ._-:0123456789"                             \
	"abcdefghijklmnopqrstuvwx"

static const struct {
	const char *name;
	const char *text;
	size_t len;
	char class;
	const char *type, *id;
} good[] = {
    {"plain", TEXT("d:meter:0001"), 'd', "meter", "0001"},
    {"gateway", TEXT("g:hub:eu.west-1_a"), 'g', "hub", "eu.west-1_a"},
    {"shortest", TEXT("d:a:b"), 'd', "a", "b"},
    {"longest", TEXT("d:" TYPE_36 ":" ID_64), 'd', TYPE_36, ID_64},
    {"MAC address", TEXT("d:cam:00:1b:44"), 'd', "cam", "00:1b:44"},
    {"colon first", TEXT("d:cam::1"), 'd', "cam", ":1"},
    {"looks like two", TEXT("d:a:g:b"), 'd', "a", "g:b"},
    {"case is kept", TEXT("d:Meter:aB"), 'd', "Meter", "aB"},
    {"dots", TEXT("d:..:.."), 'd', "..", ".."},
};

static void
identities_read_and_write(void **state)
{
	char text[IDENTITY_TEXT_MAX + 1];
	const char *why = NULL;
	struct identity who, back;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (identity_parse(good[i].text, good[i].len, &who, &why) !=
		    RES_OK) {
			fail_msg("%s: %s", good[i].name, why);
		}
		assert_null(why);
		assert_int_equal(who.type.class, good[i].class);
		assert_string_equal(who.type.name, good[i].type);
		assert_string_equal(who.id, good[i].id);
		identity_format(&who, text);
		assert_string_equal(text, good[i].text);
		assert_int_equal(
		    identity_parse(text, strlen(text), &back, &why), RES_OK);
		assert_true(identity_equal(&who, &back));
	}
}

static const struct {
	const char *name;
	const char *text;
	size_t len;
	enum res want;
} bad[] = {
    {"nothing", TEXT(""), RES_SYNTAX},
    {"class alone", TEXT("d"), RES_SYNTAX},
    {"class and colon", TEXT("d:"), RES_SYNTAX},
    {"no id", TEXT("d:meter"), RES_SYNTAX},
    {"empty id", TEXT("d:meter:"), RES_SYNTAX},
    {"empty type", TEXT("d::1"), RES_SYNTAX},
    {"all empty", TEXT("d::"), RES_SYNTAX},
    {"no class", TEXT(":meter:1"), RES_SYNTAX},
    {"upper class", TEXT("D:meter:1"), RES_SYNTAX},
    {"upper gateway", TEXT("G:hub:1"), RES_SYNTAX},
    {"another class", TEXT("a:meter:1"), RES_SYNTAX},
    {"long class", TEXT("dd:meter:1"), RES_SYNTAX},
    {"leading space", TEXT(" d:meter:1"), RES_SYNTAX},
    {"trailing space", TEXT("d:meter:1 "), RES_SYNTAX},
    {"space in type", TEXT("d:me ter:1"), RES_SYNTAX},
    {"newline", TEXT("d:meter:1\n"), RES_SYNTAX},
    {"NUL in the id", TEXT("d:meter:1\0evil"), RES_SYNTAX},
    {"NUL at the end", TEXT("d:meter:1\0"), RES_SYNTAX},
    {"NUL in the type", TEXT("d:me\0ter:1"), RES_SYNTAX},
    {"NUL first", TEXT("\0d:meter:1"), RES_SYNTAX},
    {"plus", TEXT("d:meter:+"), RES_SYNTAX},
    {"hash", TEXT("d:meter:#"), RES_SYNTAX},
    {"slash", TEXT("d:meter:a/b"), RES_SYNTAX},
    {"slash in type", TEXT("d:me/ter:1"), RES_SYNTAX},
    {"dollar", TEXT("d:$SYS:1"), RES_SYNTAX},
    {"percent", TEXT("d:meter:%u"), RES_SYNTAX},
    {"star", TEXT("d:meter:*"), RES_SYNTAX},
    {"braces", TEXT("d:meter:{id}"), RES_SYNTAX},
    {"quote", TEXT("d:meter:1'"), RES_SYNTAX},
    {"backslash", TEXT("d:meter:1\\2"), RES_SYNTAX},
    {"at sign", TEXT("d:meter:1@plant"), RES_SYNTAX},
    {"comma", TEXT("d:meter:1,2"), RES_SYNTAX},
    {"another RDN", TEXT("d:meter:1/CN=d:admin:1"), RES_SYNTAX},
    {"full-width colon",
        TEXT("d:meter\xef\xbc\x9a"
             "1"),
        RES_SYNTAX},
    {"full-width colon first", TEXT("d\xef\xbc\x9ameter:1"), RES_SYNTAX},
    {"Cyrillic a", TEXT("d:met\xd0\xb0:1"), RES_SYNTAX},
    {"Greek omicron", TEXT("d:meter:\xce\xbf"), RES_SYNTAX},
    {"zero width space", TEXT("d:meter:1\xe2\x80\x8b"), RES_SYNTAX},
    {"soft hyphen", TEXT("d:meter:1\xc2\xad"), RES_SYNTAX},
    {"Latin-1", TEXT("d:meter:\xe9"), RES_SYNTAX},
    {"overlong d", TEXT("\xc1\xa4:meter:1"), RES_SYNTAX},
    {"byte order mark",
        TEXT("\xef\xbb\xbf"
             "d:meter:1"),
        RES_SYNTAX},
    {"DEL", TEXT("d:meter:\x7f"), RES_SYNTAX},
    {"type one too long", TEXT("d:" TYPE_36 "x:1"), RES_LIMIT},
    {"id one too long", TEXT("d:meter:" ID_64 "x"), RES_LIMIT},
    {"both too long", TEXT("d:" TYPE_36 "x:" ID_64 "x"), RES_LIMIT},
};

static void
bad_identities_are_refused(void **state)
{
	struct identity who, before;
	const char *why;
	size_t i;

	(void)state;
	memset(&who, 'z', sizeof(who));
	before = who;
	for (i = 0; i < COUNT(bad); i++) {
		why = NULL;
		if (identity_parse(bad[i].text, bad[i].len, &who, &why) !=
		    bad[i].want) {
			fail_msg("%s", bad[i].name);
		}
		assert_memory_equal(&who, &before, sizeof(who));
		assert_non_null(why);
	}
}

/* Only these 65 bytes, whatever the locale and wherever they stand. */
static void
the_alphabet_is_exact(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                               "abcdefghijklmnopqrstuvwxyz"
	                               "0123456789._-";
	char type[] = "d:aXb:1", id[] = "d:a:bXc";
	struct identity who;
	const char *why;
	bool plain;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		plain = c != 0 && strchr(alphabet, c) != NULL;
		type[3] = id[5] = (char)c;
		assert_int_equal(
		    identity_parse(id, sizeof(id) - 1, &who, &why) == RES_OK,
		    plain || c == ':');
		if (c == ':') {
			continue; /* then the id is "b:1" */
		}
		assert_int_equal(identity_parse(type, sizeof(type) - 1, &who,
		                     &why) == RES_OK,
		    plain);
	}
}

static void
length_counts_not_the_nul(void **state)
{
	struct identity who = {0};
	const char *why = NULL;

	(void)state;
	assert_int_equal(
	    identity_parse("d:meter:12345", 10, &who, &why), RES_OK);
	assert_string_equal(who.id, "12");
}

static void
candidates_are_known_by_two_bytes(void **state)
{
	(void)state;
	assert_true(identity_is_candidate(TEXT("d:")));
	assert_true(identity_is_candidate(TEXT("g:\0")));
	assert_true(identity_is_candidate(TEXT("d:/bad")));
	assert_false(identity_is_candidate(TEXT("")));
	assert_false(identity_is_candidate("d:", 1));
	assert_false(identity_is_candidate(TEXT("D:meter:1")));
	assert_false(identity_is_candidate(TEXT("x:meter:1")));
	assert_false(identity_is_candidate(TEXT("meter")));
	assert_false(identity_is_candidate(TEXT(" d:meter:1")));
}

static void
equal_is_byte_for_byte(void **state)
{
	static const char *const names[] = {
	    "d:a:b", "g:a:b", "d:a:B", "d:A:b", "d:a:bb", "d:aa:b", "d:a:b:"};
	struct identity a, b;
	const char *why;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		for (j = 0; j < COUNT(names); j++) {
			assert_int_equal(identity_parse(names[i],
			                     strlen(names[i]), &a, &why),
			    RES_OK);
			assert_int_equal(identity_parse(names[j],
			                     strlen(names[j]), &b, &why),
			    RES_OK);
			assert_int_equal(identity_equal(&a, &b), i == j);
		}
	}
}

static void
nobody_has_an_empty_name(void **state)
{
	const struct identity nobody = {0};
	char text[IDENTITY_TEXT_MAX + 1] = "old";

	(void)state;
	identity_format(&nobody, text);
	assert_string_equal(text, "");
}

static const struct {
	const char *text;
	size_t len;
	enum res want;
} types[] = {
    {TEXT("d:meter"), RES_OK},
    {TEXT("g:" TYPE_36), RES_OK},
    {TEXT(""), RES_SYNTAX},
    {TEXT("d"), RES_SYNTAX},
    {TEXT("d:"), RES_SYNTAX},
    {TEXT("meter"), RES_SYNTAX},
    {TEXT("D:meter"), RES_SYNTAX},
    {TEXT("x:meter"), RES_SYNTAX},
    {TEXT("d:meter:"), RES_SYNTAX},
    {TEXT("d:meter:1"), RES_SYNTAX},
    {TEXT("d:me ter"), RES_SYNTAX},
    {TEXT("d:meter\0"), RES_SYNTAX},
    {TEXT("d:meter*"), RES_SYNTAX},
    {TEXT("d:" TYPE_36 "x"), RES_LIMIT},
};

static void
device_types_read_and_write(void **state)
{
	struct device_type type, before;
	char text[TYPE_TEXT_MAX + 1];
	const char *why;
	size_t i;
	enum res r;

	(void)state;
	memset(&before, 'z', sizeof(before));
	for (i = 0; i < COUNT(types); i++) {
		type = before;
		why = NULL;
		r = device_type_parse(types[i].text, types[i].len, &type, &why);
		if (r != types[i].want) {
			fail_msg("type %s", types[i].text);
		}
		if (r == RES_OK) {
			device_type_format(&type, text);
			assert_string_equal(text, types[i].text);
		} else {
			assert_memory_equal(&type, &before, sizeof(type));
			assert_non_null(why);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(identities_read_and_write),
	    cmocka_unit_test(bad_identities_are_refused),
	    cmocka_unit_test(the_alphabet_is_exact),
	    cmocka_unit_test(length_counts_not_the_nul),
	    cmocka_unit_test(candidates_are_known_by_two_bytes),
	    cmocka_unit_test(equal_is_byte_for_byte),
	    cmocka_unit_test(nobody_has_an_empty_name),
	    cmocka_unit_test(device_types_read_and_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
