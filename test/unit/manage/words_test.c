/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/support/cmocka_all.h"

static char folder[] = "/tmp/certid-words-XXXXXX";

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void
path_of(const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", folder, name);
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	(void)fclose(file);
}

static const struct call machine; /* no inline files */

static void
reads_a_file_with_a_nul_behind(void **state)
{
	struct diag why = {"untouched"};
	uint8_t *bytes = NULL;
	char path[128];
	size_t len = 0;

	(void)state;
	path_of("file", path);
	write_file(path, "12345");
	assert_int_equal(
	    read_file(&machine, path, "a file", 5, &bytes, &len, &why), RES_OK);
	assert_int_equal(len, 5);
	assert_memory_equal(bytes, "12345", 6);
	assert_string_equal(why.text, "untouched");
	free(bytes);
	write_file(path, "");
	assert_int_equal(
	    read_file(&machine, path, "a file", 5, &bytes, &len, &why), RES_OK);
	assert_int_equal(len, 0);
	free(bytes);
	(void)unlink(path);
}

static void
expect_refusal(const char *path, const char *says)
{
	uint8_t mark, *bytes = &mark;
	struct diag why = {""};
	size_t len = 77;

	assert_int_equal(
	    read_file(&machine, path, "a file", 5, &bytes, &len, &why),
	    RES_REFUSED);
	assert_ptr_equal(bytes, &mark);
	assert_int_equal(len, 77);
	assert_non_null(strstr(why.text, path));
	assert_non_null(strstr(why.text, says));
}

static void
refuses_what_is_no_small_file(void **state)
{
	char path[128];

	(void)state;
	path_of("thing", path);
	expect_refusal(path, "there is no file");
	expect_refusal(folder, "is a directory");
	expect_refusal("/dev/zero", "is not a regular file");
	expect_refusal("/dev/zero/x", "there is no file");
	expect_refusal("-", "there is no file");
	write_file(path, "123456");
	expect_refusal(path, "is too large: at most 5 bytes");
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refusal(path, "is not a regular file");
	(void)unlink(path);
	assert_int_equal(symlink("thing", path), 0);
	expect_refusal(path, "cannot open");
	(void)unlink(path);
}

static void
formats_windows(void **state)
{
	char text[SPAN_TEXT_MAX + 1];

	(void)state;
	window_format(CLOCK_FOREVER, text);
	assert_string_equal(text, "none");
	window_format(CLOCK_NONE, text);
	assert_string_equal(text, "");
	window_format(172800, text);
	assert_string_equal(text, "48h");
}

static void
a_word_that_does_not_fit_is_none(void **state)
{
	char word[4] = "old";

	(void)state;
	text_set(word, sizeof(word), "abc");
	assert_string_equal(word, "abc");
	text_set(word, sizeof(word), "abcd");
	assert_string_equal(word, "");
}

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10
#define L63 L60 "abc"

/* 188 bytes, the most that may be: two of 63 and one of 60, and two dots. */
#define LONGEST L63 "." L63 "." L60

static const struct {
	const char *text, *want;
} suffixes[] = {
    {"mqtt.example.com", "mqtt.example.com"},
    {"localhost", "localhost"},
    {"a", "a"},
    {"a.b", "a.b"},
    {"MQTT.Example.COM", "mqtt.example.com"},
    {"AZaz09.x-y.z--z", "azaz09.x-y.z--z"},
    {"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
    {"1.2", "1.2"},
    {L63, L63},
    {LONGEST, LONGEST},
};

static void
takes_suffixes(void **state)
{
	const char *why = "untouched";
	char out[SUFFIX_MAX + 1];
	size_t i;

	(void)state;
	assert_int_equal(strlen(LONGEST), SUFFIX_MAX);
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		assert_int_equal(
		    suffix_parse(suffixes[i].text, out, &why), RES_OK);
		assert_string_equal(out, suffixes[i].want);
		assert_string_equal(why, "untouched");
	}
}

static const struct {
	const char *text;
	enum res want;
	const char *says;
} bad_suffixes[] = {
    {"", RES_SYNTAX, "empty"},
    {".", RES_SYNTAX, "empty"},
    {".example.com", RES_SYNTAX, "empty"},
    {"example.com.", RES_SYNTAX, "without the dot at its end"},
    {"example.com..", RES_SYNTAX, "empty"},
    {"192.0.2.1", RES_SYNTAX, "an IP address"},
    {"::1", RES_SYNTAX, "an IP address"},
    {"2001:db8::7", RES_SYNTAX, "an IP address"},
    {"example..com", RES_SYNTAX, "empty"},
    {"*.example.com", RES_SYNTAX, "letters"},
    {"exa*mple.com", RES_SYNTAX, "letters"},
    {"example.com:8883", RES_SYNTAX, "letters"},
    {"example.com/", RES_SYNTAX, "letters"},
    {"exam ple.com", RES_SYNTAX, "letters"},
    {" example.com", RES_SYNTAX, "letters"},
    {"example.com\n", RES_SYNTAX, "letters"},
    {"ex_ample.com", RES_SYNTAX, "letters"},
    {"m\xc3\xbcnchen.de", RES_SYNTAX, "letters"},
    {"{org}.example.com", RES_SYNTAX, "letters"},
    {"-example.com", RES_SYNTAX, "hyphen"},
    {"example-.com", RES_SYNTAX, "hyphen"},
    {"example.-com", RES_SYNTAX, "hyphen"},
    {"example.com-", RES_SYNTAX, "hyphen"},
    {"-", RES_SYNTAX, "hyphen"},
    {L63 "x", RES_LIMIT, "63 bytes"},
    {"a." L63 "x.b", RES_LIMIT, "63 bytes"},
    {LONGEST "x", RES_LIMIT, "longer than a DNS name"},
    {LONGEST ".a", RES_LIMIT, "longer than a DNS name"},
};

static void
refuses_what_is_no_suffix(void **state)
{
	char out[SUFFIX_MAX + 1] = "untouched";
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_suffixes) / sizeof(bad_suffixes[0]); i++) {
		why = "";
		if (suffix_parse(bad_suffixes[i].text, out, &why) !=
		        bad_suffixes[i].want ||
		    strstr(why, bad_suffixes[i].says) == NULL) {
			fail_msg("\"%s\": %s", bad_suffixes[i].text, why);
		}
		assert_string_equal(out, "untouched");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_a_file_with_a_nul_behind),
	    cmocka_unit_test(refuses_what_is_no_small_file),
	    cmocka_unit_test(formats_windows),
	    cmocka_unit_test(a_word_that_does_not_fit_is_none),
	    cmocka_unit_test(takes_suffixes),
	    cmocka_unit_test(refuses_what_is_no_suffix),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
