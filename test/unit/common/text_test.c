/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/text.h"

#include "test/support/cmocka_all.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static void
a_copy_is_whole_or_not_at_all(void **state)
{
	char to[5] = "old";

	(void)state;
	assert_true(text_copy(to, sizeof(to), TEXT("abcd")));
	assert_string_equal(to, "abcd");
	assert_false(text_copy(to, sizeof(to), TEXT("ABCDE")));
	assert_false(text_copy(to, sizeof(to), TEXT("a\0b")));
	assert_false(text_copy(to, 0, TEXT("")));
	assert_string_equal(to, "abcd");
	assert_true(text_copy(to, sizeof(to), TEXT("")));
	assert_string_equal(to, "");
}

static void
hex_goes_there_and_back(void **state)
{
	const uint8_t bytes[] = {0x00, 0x0f, 0xf0, 0xff, 0x5a};
	uint8_t back[5];
	char hex[11];

	(void)state;
	text_hex(hex, bytes, sizeof(bytes));
	assert_string_equal(hex, "000ff0ff5a");
	assert_true(text_unhex(hex, back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_true(text_unhex("000FF0Ff5A", back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
}

static void
bad_hex_is_refused(void **state)
{
	static const char *const bad[] = {"", "0", "00", "000", "00000", "0g00",
	    "0x00", " 000", "00 0", "-000",
	    "00\xff"
	    "0"};
	uint8_t bytes[2] = {1, 2};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		assert_false(text_unhex(bad[i], bytes, sizeof(bytes)));
		assert_int_equal(bytes[0], 1);
		assert_int_equal(bytes[1], 2);
	}
	assert_false(text_is_hex("0/", 2));
	assert_false(text_is_hex("0:", 2));
	assert_false(text_is_hex("@a", 2));
	assert_false(text_is_hex("`a", 2));
	assert_false(text_is_hex("\0", 1));
}

static const struct {
	size_t size;
	const char *text;
	size_t len;
	const char *want;
} quotes[] = {
    {16, TEXT(""), "\"\""},
    {16, TEXT("d:meter:1"), "\"d:meter:1\""},
    {16, TEXT("a\"b\\c"), "\"a\\\"b\\\\c\""},
    {16, TEXT("a\nb"), "\"a\\x0ab\""},
    {16, TEXT("a\0b"), "\"a\\x00b\""},
    {16, TEXT("\x1b\x7f\xff"), "\"\\x1b\\x7f\\xff\""},
    {8, TEXT("abcde"), "\"abcde\""},
    {8, TEXT("abcdef"), "\"ab...\""},
    {8, TEXT("a\n"), "\"a\\x0a\""},
    {8, TEXT("ab\n"), "\"ab...\""},
    {8, TEXT("abc\n"), "\"ab...\""},
    {6, TEXT("abcd"), "\"...\""},
    {6, TEXT("abc"), "\"abc\""},
};

static void
text_is_quoted_for_logs(void **state)
{
	char to[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(quotes); i++) {
		text_quote(to, quotes[i].size, quotes[i].text, quotes[i].len);
		assert_string_equal(to, quotes[i].want);
	}
}

/* Whatever the bytes and the room, the result is a bounded, printable, quoted
 * piece of one line. */
static void
a_quote_is_always_whole(void **state)
{
	char from[24], to[128];
	size_t size, len, i;

	(void)state;
	for (i = 0; i < sizeof(from); i++) {
		from[i] = (char)(i % 3 == 0 ? '\n' : i % 3 == 1 ? '"' : 'x');
	}
	for (size = 6; size < sizeof(to); size++) {
		for (len = 0; len <= sizeof(from); len++) {
			memset(to, 'Z', sizeof(to));
			text_quote(to, size, from, len);
			assert_true(strlen(to) >= 2 && strlen(to) < size);
			assert_int_equal(to[0], '"');
			assert_int_equal(to[strlen(to) - 1], '"');
			assert_null(strchr(to, '\n'));
			assert_int_equal(to[size], 'Z');
		}
	}
}

static void
letter_case_is_ascii_only(void **state)
{
	(void)state;
	assert_true(text_equal_nocase("", ""));
	assert_true(text_equal_nocase("d:Meter:aZ", "D:mETER:Az"));
	assert_false(text_equal_nocase("abc", "abcd"));
	assert_false(text_equal_nocase("abcd", "abc"));
	assert_false(text_equal_nocase("[", "{"));
	assert_false(text_equal_nocase("@", "`"));
	assert_false(text_equal_nocase("\xc3\x84", "\xc3\xa4"));
}

static const struct {
	const char *text;
	size_t len;
	bool want;
} utf8_cases[] = {
    {TEXT(""), true},
    {TEXT("plain ~"), true},
    {TEXT("gr\xc3\xbc\xc3\x9f"), true},
    {TEXT("\xe2\x82\xac"), true},
    {TEXT("\xf0\x9f\x9a\x80"), true},
    {TEXT("\xf4\x8f\xbf\xbf"), true},
    {TEXT("\xc2\xa0"), true},
    {TEXT("\0"), false},
    {TEXT("a\nb"), false},
    {TEXT("\x1f"), false},
    {TEXT("\x7f"), false},
    {TEXT("\xc2\x80"), false},
    {TEXT("\xc2\x9f"), false},
    {TEXT("\x80"), false},
    {TEXT("\xbf"), false},
    {TEXT("\xc3"), false},
    {TEXT("\xc3("), false},
    {TEXT("\xe2\x82"), false},
    {TEXT("\xc0\xaf"), false},
    {TEXT("\xc1\xbf"), false},
    {TEXT("\xe0\x80\xaf"), false},
    {TEXT("\xf0\x80\x80\xaf"), false},
    {TEXT("\xed\xa0\x80"), false},
    {TEXT("\xed\xbf\xbf"), false},
    {TEXT("\xf4\x90\x80\x80"), false},
    {TEXT("\xf8\x88\x80\x80\x80"), false},
    {TEXT("\xff"), false},
};

static void
utf8_is_checked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(utf8_cases); i++) {
		if (text_is_printable_utf8(utf8_cases[i].text,
		        utf8_cases[i].len) != utf8_cases[i].want) {
			fail_msg("UTF-8 case %zu", i);
		}
	}
}

static const struct {
	const char *text;
	enum res want;
	int64_t value;
} numbers[] = {
    {"1", RES_OK, 1},
    {"100", RES_OK, 100},
    {"007", RES_OK, 7},
    {"0", RES_LIMIT, 0},
    {"101", RES_LIMIT, 0},
    {"9223372036854775807", RES_LIMIT, 0},
    {"9223372036854775808", RES_LIMIT, 0},
    {"99999999999999999999999", RES_LIMIT, 0},
    {"", RES_SYNTAX, 0},
    {"-1", RES_SYNTAX, 0},
    {"+1", RES_SYNTAX, 0},
    {" 1", RES_SYNTAX, 0},
    {"1 ", RES_SYNTAX, 0},
    {"1.0", RES_SYNTAX, 0},
    {"0x10", RES_SYNTAX, 0},
    {"1e1", RES_SYNTAX, 0},
    {"ten", RES_SYNTAX, 0},
};

static void
numbers_have_bounds(void **state)
{
	int64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(numbers); i++) {
		value = -7;
		if (text_number(numbers[i].text, 1, 100, &value) !=
		    numbers[i].want) {
			fail_msg("number \"%s\"", numbers[i].text);
		}
		assert_int_equal(
		    value, numbers[i].want == RES_OK ? numbers[i].value : -7);
	}
}

#define NAME_64                                                                \
	"0123456789012345678901234567890123456789012345678901234567890123"

static void
names_are_plain_words(void **state)
{
	static const char *const good[] = {
	    "a", "0", "default", "Plant-1", "plant_1.eu", "a-", NAME_64};
	static const char *const bad[] = {"", "-a", ".a", "_a", "a b", "a/b",
	    "a:b", "a\n", "a\"", "gr\xc3\xbcn", "{org}", "a*", NAME_64 "4"};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_true(text_is_name(good[i]));
	}
	for (i = 0; i < COUNT(bad); i++) {
		assert_false(text_is_name(bad[i]));
	}
}

static void
what_does_not_fit_is_nothing(void **state)
{
	char to[4] = "xyz";

	(void)state;
	text_set(to, sizeof(to), "abc");
	assert_string_equal(to, "abc");
	text_set(to, sizeof(to), "abcd");
	assert_string_equal(to, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_copy_is_whole_or_not_at_all),
	    cmocka_unit_test(what_does_not_fit_is_nothing),
	    cmocka_unit_test(hex_goes_there_and_back),
	    cmocka_unit_test(bad_hex_is_refused),
	    cmocka_unit_test(text_is_quoted_for_logs),
	    cmocka_unit_test(a_quote_is_always_whole),
	    cmocka_unit_test(letter_case_is_ascii_only),
	    cmocka_unit_test(utf8_is_checked),
	    cmocka_unit_test(numbers_have_bounds),
	    cmocka_unit_test(names_are_plain_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
