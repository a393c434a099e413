/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/base64.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"

/* RFC 4648, section 10, and all bytes that have their two top bits set. */
static const struct {
	const char *bytes, *text;
} pairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xff\xff", "////"},
    {"\xfb\xef\xbe", "++++"},
};

static void
goes_both_ways(void **state)
{
	uint8_t bytes[64];
	char text[64];
	size_t i, len = 99;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		base64_format((const uint8_t *)pairs[i].bytes,
		    strlen(pairs[i].bytes), text);
		assert_string_equal(text, pairs[i].text);
		assert_int_equal(
		    base64_parse(text, strlen(text), bytes, &len), RES_OK);
		assert_int_equal(len, strlen(pairs[i].bytes));
		assert_memory_equal(bytes, pairs[i].bytes, len);
	}
}

static const char *const bad[] = {
    "Z",
    "Zg",
    "Zg=",
    "Zg===",
    "=",
    "====",
    "Z===",
    "=Zg=",
    "Zg==Zg==", /* padding inside */
    "Zm8=Zm9v",
    "Zh==", /* bits behind the last byte */
    "Zm9=",
    "Zm9v\n",
    "Zm\n9v",
    " Zm9",
    "Zm-v", /* the alphabet of URLs */
    "Zm_v",
    "Zm9\xc3",
};

static void
refuses_other_text(void **state)
{
	uint8_t bytes[64];
	size_t i, len = 99;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    base64_parse(bad[i], strlen(bad[i]), bytes, &len),
		    RES_SYNTAX);
		assert_int_equal(len, 99);
	}
	/* A NUL is no digit, though strchr() finds one. */
	assert_int_equal(base64_parse("Zg\0=", 4, bytes, &len), RES_SYNTAX);
}

static void
fits_the_room_that_it_names(void **state)
{
	uint8_t all[300], *back;
	char *text;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(all); i++) {
		all[i] = (uint8_t)(i * 7);
	}
	for (i = 0; i <= sizeof(all); i++) {
		text = malloc(BASE64_DIGITS(i) + 1);
		back = malloc(BASE64_BYTES(BASE64_DIGITS(i)) + 1);
		assert_non_null(text);
		assert_non_null(back);
		base64_format(all, i, text);
		assert_int_equal(strlen(text), BASE64_DIGITS(i));
		assert_int_equal(
		    base64_parse(text, strlen(text), back, &len), RES_OK);
		assert_int_equal(len, i);
		assert_memory_equal(back, all, i);
		free(text);
		free(back);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(goes_both_ways),
	    cmocka_unit_test(refuses_other_text),
	    cmocka_unit_test(fits_the_room_that_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
