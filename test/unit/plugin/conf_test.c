/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/conf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/support/cmocka_all.h"

/* The working directory; files to include are in d/. */
static char folder[] = "/tmp/certid-conf-XXXXXX";

static void
write_file(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
empty(const char *path)
{
	struct dirent *entry;
	DIR *directory;

	assert_non_null(directory = opendir(path));
	while ((entry = readdir(directory)) != NULL) {
		(void)unlinkat(dirfd(directory), entry->d_name, 0);
	}
	(void)closedir(directory);
}

/* What was told: (file) around a file, <file> around one that is included,
 * [key|value] for a line. */
struct story {
	char text[1024];
	size_t lines;
	unsigned long number; /* of the last one */
	char path[64];
	size_t value_len;
};

static void
add(struct story *story, const char *text)
{
	if (strlen(story->text) + strlen(text) < sizeof(story->text)) {
		strcat(story->text, text);
	}
}

static void
tell_begin(void *story, bool is_included)
{
	add(story, is_included ? "<" : "(");
}

static void
tell_end(void *story, bool is_included)
{
	add(story, is_included ? ">" : ")");
}

static enum res
tell_line(void *context, const struct conf_line *line, struct diag *why)
{
	struct story *story = context;

	add(story, "[");
	add(story, line->key);
	add(story, "|");
	add(story, line->value);
	add(story, "]");
	story->lines++;
	story->number = line->number;
	story->value_len = strlen(line->value);
	assert_true(strlen(line->path) < sizeof(story->path));
	strcpy(story->path, line->path);
	return strcmp(line->key, "stop") == 0
	    ? diag_res(why, RES_REFUSED, "stopped")
	    : RES_OK;
}

static enum res
read_again(struct story *story, struct diag *why)
{
	struct conf_sink sink = {tell_begin, tell_line, tell_end, story};

	memset(story, 0, sizeof(*story));
	memset(why, 0, sizeof(*why));
	return conf_read("main.conf", &sink, why);
}

static enum res
read_text(const char *text, size_t len, struct story *story, struct diag *why)
{
	write_file("main.conf", text, len);
	return read_again(story, why);
}

#define TEXT(text) text, sizeof(text) - 1

static const struct {
	const char *name;
	const char *text;
	size_t len;
	const char *story;
} lines[] = {
    {"nothing", TEXT(""), "()"},
    {"key and value", TEXT("a b\n"), "([a|b])"},
    {"no newline", TEXT("a b"), "([a|b])"},
    {"key alone", TEXT("a\n"), "([a|])"},
    {"key alone, no newline", TEXT("a"), "([a|])"},
    {"key and a space", TEXT("a \n"), "([a|])"},
    {"a value of several words", TEXT("a b c \n"), "([a|b c ])"},
    {"spaces", TEXT("  a   b  \n"), "([a|  b  ])"},
    {"tabs are no spaces", TEXT("\ta\tb c\t\n"), "([\ta\tb|c\t])"},
    {"empty lines", TEXT("\n\n \n   \na b\n\n"), "([a|b])"},
    {"CRLF", TEXT("a b\r\n\r\nc\r\n"), "([a|b][c|])"},
    {"many at the end", TEXT("a b\r\r\r\n"), "([a|b])"},
    {"CR alone", TEXT("a b\rc d\r"), "([a|b\rc d])"},
    {"CR first", TEXT("\ra b\nc d\n"), "([c|d])"},
    {"comment", TEXT("#a b\n# c\n#\na b\n"), "([a|b])"},
    {"comment at the end", TEXT("a b\n#c"), "([a|b])"},
    {"no comments", TEXT(" # a\nb # c\nd#e\n"), "([#|a][b|# c][d#e|])"},
    {"quotes are bytes", TEXT("a \"b c\"\n"), "([a|\"b c\"])"},
    {"bytes above ASCII", TEXT("\xff \xfe\n"), "([\xff|\xfe])"},
    {"a mark of UTF-8 belongs to the key",
        TEXT("\xef\xbb\xbf"
             "a b\n"),
        "([\xef\xbb\xbf"
        "a|b])"},
};

static void
tells_lines(void **state)
{
	struct story story;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		print_message("%s\n", lines[i].name);
		assert_int_equal(
		    read_text(lines[i].text, lines[i].len, &story, &why),
		    RES_OK);
		assert_string_equal(story.text, lines[i].story);
		assert_string_equal(why.text, "");
	}
}

static void
numbers_lines(void **state)
{
	struct story story;
	struct diag why;

	(void)state;
	assert_int_equal(
	    read_text(TEXT("\n#\na b\ninclude_dir d\n"), &story, &why), RES_OK);
	assert_int_equal(story.number, 3);
	assert_string_equal(story.path, "main.conf");
	write_file("d/x.conf", TEXT("#\na b\n"));
	assert_int_equal(read_again(&story, &why), RES_OK);
	assert_int_equal(story.number, 2);
	assert_string_equal(story.path, "d/x.conf");
	empty("d");
}

static const struct {
	const char *name;
	size_t len;
	const char *want;
} refused_lines[] = {
    {"a\0b c\n", 6, "main.conf:1: there is a NUL"},
    {"a b\n\0", 5, "main.conf:2: there is a NUL"},
    {"a b\n\0\n", 6, "main.conf:2: there is a NUL"},
    {"a b\n#\0\n", 7, "main.conf:2: there is a NUL"},
    {"a b\0", 4, "main.conf:1: there is a NUL"},
    {"include_dir none\n", 17, "none cannot be read"},
    {"include_dir  d\n", 15, " d cannot be read"},
    {"include_dir d \n", 15, "d  cannot be read"},
    {"include_dir d\t\n", 15, "cannot be read"},
    {"include_dir\n", 12, "cannot be read"},
    {"include_dir main.conf\n", 22, "(Not a directory)"},
    {"a b\nstop\nc d\n", 13, "stopped"},
};

static void
refuses_lines(void **state)
{
	struct story story;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused_lines) / sizeof(refused_lines[0]); i++) {
		print_message("%s\n", refused_lines[i].name);
		assert_int_not_equal(read_text(refused_lines[i].name,
		                         refused_lines[i].len, &story, &why),
		    RES_OK);
		assert_non_null(strstr(why.text, refused_lines[i].want));
		assert_null(strstr(story.text, "[c|d]"));
	}
}

/* The broker's buffer grows by 1,000 bytes.  A last line that fills it is lost
 * to the broker if it has no newline. */
static void
takes_long_lines(void **state)
{
	static const size_t lengths[] = {997, 998, 999, 1000, 1001, 1998, 1999,
	    2000, 4095, 4096, 70000, 999999};
	char *text = malloc(1000000);
	size_t i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		bool is_lost = (lengths[i] + 1) % 1000 == 0;
		struct story story;
		struct diag why;

		memset(text, 'x', lengths[i]);
		text[1] = ' ';
		assert_int_equal(read_text(text, lengths[i], &story, &why),
		    is_lost ? RES_SYNTAX : RES_OK);
		if (is_lost) {
			assert_non_null(strstr(why.text, "main.conf:1: "));
		}
		text[lengths[i]] = '\n';
		assert_int_equal(
		    read_text(text, lengths[i] + 1, &story, &why), RES_OK);
		assert_int_equal(story.value_len, lengths[i] - 2);
	}
	free(text);
}

static void
includes_in_the_order_of_the_broker(void **state)
{
	static const char *const names[] = {".h", "00", "01", "A", "AB", "Ab",
	    "a", "aB", "ab", "a_", "B", "b", "z.y", "_x"};
	static const size_t count = sizeof(names) / sizeof(names[0]);
	char text[64], name[32], want[512] = "([a|b]";
	struct story story;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < count; i++) {
		(void)sprintf(name, "d/%s.conf", names[count - 1 - i]);
		(void)sprintf(text, "f %s\n", names[count - 1 - i]);
		write_file(name, text, strlen(text));
		(void)sprintf(want + strlen(want), "<[f|%s]>", names[i]);
	}
	strcat(want, "[c|d])");
	write_file("d/.conf", TEXT("no\n"));
	write_file("d/xconf", TEXT("no\n"));
	write_file("d/x.conf~", TEXT("no\n"));
	write_file("d/x.CONF", TEXT("no\n"));
	assert_int_equal(
	    read_text(TEXT("a b\ninclude_dir d\nc d\n"), &story, &why), RES_OK);
	assert_string_equal(story.text, want);
	empty("d");
}

static void
includes_from_the_first_file_only(void **state)
{
	struct story story;
	struct diag why;

	(void)state;
	write_file("d/a.conf", TEXT("a\ninclude_dir none\nb"));
	write_file("d/b.conf", TEXT("stop\n"));
	assert_int_equal(
	    read_text(TEXT("include_dir d\nc\n"), &story, &why), RES_REFUSED);
	assert_string_equal(story.text, "(<[a|][b|]><[stop|]>)");
	assert_int_equal(unlink("d/b.conf"), 0);
	assert_int_equal(
	    read_text(TEXT("include_dir d\ninclude_dir d\n"), &story, &why),
	    RES_OK);
	assert_string_equal(story.text, "(<[a|][b|]><[a|][b|]>)");
	empty("d");
}

static void
limits_bytes(void **state)
{
	struct story story;
	struct diag why;
	char *text = malloc(CONF_BYTES_MAX + 1);
	size_t i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i <= CONF_BYTES_MAX; i++) {
		text[i] = i % 2 == 0 ? '#' : '\n';
	}
	assert_int_equal(
	    read_text(text, CONF_BYTES_MAX + 1, &story, &why), RES_LIMIT);
	assert_non_null(strstr(why.text, "main.conf is larger than"));
	assert_string_equal(story.text, "");
	assert_int_equal(read_text(text, CONF_BYTES_MAX, &story, &why), RES_OK);

	write_file("d/a.conf", text, CONF_BYTES_MAX);
	assert_int_equal(
	    read_text(TEXT("include_dir d\n"), &story, &why), RES_LIMIT);
	assert_non_null(
	    strstr(why.text, "a.conf: the configuration is larger"));
	write_file("d/a.conf", text, CONF_BYTES_MAX - 14);
	assert_int_equal(read_again(&story, &why), RES_OK);
	free(text);
	empty("d");
}

static void
include_files(int from, int to)
{
	char name[32];

	for (; from <= to; from++) {
		(void)sprintf(name, "d/%d.conf", from);
		write_file(name, TEXT("a\n"));
	}
}

static void
limits_included_files(void **state)
{
	static const char once[] = "include_dir d\n";
	static const char twice[] = "include_dir d\ninclude_dir d\n";
	struct story story;
	struct diag why;

	(void)state;
	include_files(1, CONF_INCLUDED_MAX / 2);
	assert_int_equal(read_text(TEXT(twice), &story, &why), RES_OK);
	assert_int_equal(story.lines, CONF_INCLUDED_MAX);
	include_files(CONF_INCLUDED_MAX / 2 + 1, CONF_INCLUDED_MAX);
	assert_int_equal(read_text(TEXT(twice), &story, &why), RES_LIMIT);
	assert_int_equal(story.lines, CONF_INCLUDED_MAX);
	assert_int_equal(read_text(TEXT(once), &story, &why), RES_OK);
	include_files(CONF_INCLUDED_MAX + 1, CONF_INCLUDED_MAX + 1);
	assert_int_equal(read_again(&story, &why), RES_LIMIT);
	assert_non_null(strstr(why.text, "more than 64 files"));
	assert_int_equal(story.lines, CONF_INCLUDED_MAX);
	empty("d");
}

static void
limits_paths(void **state)
{
	char text[5000] = "include_dir ";
	struct story story;
	struct diag why;
	size_t len = strlen(text);

	(void)state;
	write_file("d/a.conf", TEXT("a\n"));
	while (len < 4104) { /* the directory can be opened */
		memcpy(text + len, "./", 2);
		len += 2;
	}
	memcpy(text + len, "d\n", 2);
	assert_int_equal(read_text(text, len + 2, &story, &why), RES_LIMIT);
	assert_int_equal(story.lines, 0);
	empty("d");
}

/* The broker reads its files while it is root. */
static void
refuses_what_it_cannot_read(void **state)
{
	bool is_root = geteuid() == 0;
	struct story story;
	struct diag why;

	(void)state;
	write_file("d/a.conf", TEXT("a\n"));
	assert_int_equal(chmod("d/a.conf", 0), 0);
	write_file("main.conf", TEXT("include_dir d\n"));
	assert_int_equal(is_root ? seteuid(65534) : 0, 0);
	assert_int_equal(read_again(&story, &why), RES_UNAVAIL);
	assert_int_equal(is_root ? seteuid(0) : 0, 0);
	assert_non_null(strstr(why.text,
	    "a.conf cannot be read by the user that the broker runs as (Perm"));
	assert_string_equal(story.text, "()");
	assert_int_equal(chmod("d/a.conf", 0600), 0);
	assert_int_equal(read_again(&story, &why), RES_OK);
}

static void
refuses_what_is_no_file(void **state)
{
	struct story story;
	struct conf_sink sink = {tell_begin, tell_line, tell_end, &story};
	struct diag why = {{0}};

	(void)state;
	memset(&story, 0, sizeof(story));
	assert_int_equal(conf_read("none.conf", &sink, &why), RES_UNAVAIL);
	assert_non_null(strstr(why.text, "No such file"));
	assert_int_equal(conf_read("d", &sink, &why), RES_UNAVAIL);
	assert_non_null(strstr(why.text, "d is not a file"));
	assert_int_equal(conf_read("", &sink, &why), RES_UNAVAIL);
	assert_int_equal(mkfifo("d/b.conf", 0600), 0);
	assert_int_equal(conf_read("d/b.conf", &sink, &why), RES_UNAVAIL);
	assert_non_null(strstr(why.text, "b.conf is not a file"));
	assert_string_equal(story.text, "");
	empty("d");
	/* A file whose first byte cannot be read. */
	assert_int_equal(conf_read("/proc/self/mem", &sink, &why), RES_UNAVAIL);
	assert_non_null(strstr(why.text, "mem cannot be read"));
	assert_int_equal(mkdir("d/c.conf", 0700), 0);
	assert_int_equal(
	    read_text(TEXT("include_dir d\n"), &story, &why), RES_UNAVAIL);
	assert_non_null(strstr(why.text, "c.conf is not a file"));
	assert_int_equal(rmdir("d/c.conf"), 0);
}

/* listeners_test.c starts what has one. */
static void
needs_a_file_on_the_command_line(void **state)
{
	struct story story;
	struct conf_sink sink = {tell_begin, tell_line, tell_end, &story};
	struct diag why = {{0}};

	(void)state;
	memset(&story, 0, sizeof(story));
	assert_int_equal(conf_read_started(&sink, &why), RES_UNAVAIL);
	assert_non_null(strstr(why.text, "not started with -c"));
	assert_string_equal(story.text, "");
}

static void
closes_what_it_opens(void **state)
{
	struct conf_sink sink = {0};
	struct story story;
	struct diag why;
	int before = dup(1), after = -1;

	(void)state;
	include_files(1, 2);
	assert_int_equal(
	    read_text(TEXT("include_dir d\ninclude_dir no\n"), &story, &why),
	    RES_UNAVAIL);
	assert_int_equal(conf_read_started(&sink, &why), RES_UNAVAIL);
	assert_true(before >= 0 && (after = dup(1)) >= 0);
	assert_int_equal(after, before + 1);
	(void)close(before);
	(void)close(after);
	empty("d");
}

static void
splits_words(void **state)
{
	char text[] = "  a  b\tc ", blank[] = " \t\r\n ",
	     trimmed[] = "\t x y\v ";
	char *rest = text;

	(void)state;
	assert_string_equal(conf_word(&rest), "a");
	assert_string_equal(rest, " b\tc ");
	assert_string_equal(conf_word(&rest), "b\tc");
	assert_string_equal(conf_word(&rest), "");
	assert_string_equal(conf_word(&rest), "");
	assert_string_equal(conf_trim(blank), "");
	assert_string_equal(conf_trim(trimmed), "x y");
}

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0 ||
	    chdir(folder) != 0) {
		return -1;
	}
	return mkdir("d", 0755);
}

static int
remove_folder(void **state)
{
	(void)state;
	empty("d");
	(void)rmdir("d");
	empty(".");
	return rmdir(folder);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_lines),
	    cmocka_unit_test(numbers_lines),
	    cmocka_unit_test(refuses_lines),
	    cmocka_unit_test(takes_long_lines),
	    cmocka_unit_test(includes_in_the_order_of_the_broker),
	    cmocka_unit_test(includes_from_the_first_file_only),
	    cmocka_unit_test(limits_bytes),
	    cmocka_unit_test(limits_included_files),
	    cmocka_unit_test(limits_paths),
	    cmocka_unit_test(refuses_what_it_cannot_read),
	    cmocka_unit_test(refuses_what_is_no_file),
	    cmocka_unit_test(needs_a_file_on_the_command_line),
	    cmocka_unit_test(closes_what_it_opens),
	    cmocka_unit_test(splits_words),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
