/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/csv.h"

#include <stdlib.h>
#include <string.h>

#include "test/support/cmocka_all.h"

static const struct csv_column columns[] = {
    {"ID", true}, {"Tags", false}, {"Long Name", false}};

#define COLUMNS    (sizeof(columns) / sizeof(columns[0]))
#define TEXT(text) text, sizeof(text) - 1
#define HEAD       "ID,Tags\n"

/* What a reader showed, as text: "2[a|b|~]" is a row of line 2 whose third
 * column the file does not have, "3!" one with a fault. */
struct shown {
	char *text;
	size_t len;
	FILE *to;
	char fault[DIAG_MAX + 1]; /* the last one */
	int64_t rows, stop_at;
};

static enum res
show(const struct csv_row *row, void *context)
{
	struct shown *shown = context;
	size_t i;

	if (++shown->rows == shown->stop_at) {
		return RES_REFUSED;
	}
	(void)fprintf(shown->to, "%lld", (long long)row->line);
	if (row->fault != NULL) {
		assert_null(row->cells);
		assert_true(row->fault[0] != '\0');
		(void)snprintf(
		    shown->fault, sizeof(shown->fault), "%s", row->fault);
		(void)fputc('!', shown->to);
		return RES_OK;
	}
	for (i = 0; i < COLUMNS; i++) {
		(void)fprintf(shown->to, "%c%s", i == 0 ? '[' : '|',
		    row->cells[i] == NULL ? "~" : row->cells[i]);
	}
	(void)fputc(']', shown->to);
	return RES_OK;
}

static struct csv_reader *
start(struct shown *shown)
{
	struct csv_reader *reader = NULL;

	*shown = (struct shown){.text = NULL};
	shown->to = open_memstream(&shown->text, &shown->len);
	assert_non_null(shown->to);
	assert_int_equal(
	    csv_reader_new(columns, COLUMNS, show, shown, &reader), RES_OK);
	return reader;
}

static void
stop(struct csv_reader *reader, struct shown *shown)
{
	csv_reader_free(reader);
	(void)fclose(shown->to);
}

/* Read text, cut after cut bytes, and then every step bytes. */
static enum res
read_cut(const char *text, size_t len, size_t cut, size_t step,
    struct shown *shown, struct diag *why)
{
	struct csv_reader *reader = start(shown);
	enum res r = csv_feed(reader, text, cut, why);
	size_t n;

	while (r == RES_OK && cut < len) {
		n = step < len - cut ? step : len - cut;
		/* A copy, so that a look behind its end is found out. */
		char *piece = malloc(n);

		assert_non_null(piece);
		memcpy(piece, text + cut, n);
		r = csv_feed(reader, piece, n, why);
		free(piece);
		cut += n;
	}
	if (r == RES_OK) {
		r = csv_end(reader, why);
	}
	stop(reader, shown);
	return r;
}

static const struct {
	const char *name, *text;
	size_t len;
	const char *want, *fault; /* of the last bad row */
} row_cases[] = {
    {"plain", TEXT(HEAD "a,b\nc,d\n"), "2[a|b|~]3[c|d|~]", NULL},
    {"no line end at the end", TEXT(HEAD "a,b"), "2[a|b|~]", NULL},
    {"no rows", TEXT(HEAD), "", NULL},
    {"header alone without line end", TEXT("ID"), "", NULL},
    {"CRLF", TEXT("ID,Tags\r\na,b\r\nc,d\r\n"), "2[a|b|~]3[c|d|~]", NULL},
    {"CRLF behind quotes", TEXT("\"ID\",Tags\r\na,\"b\"\r\nc,\"d\"\r\n"),
        "2[a|b|~]3[c|d|~]", NULL},
    {"byte order mark", TEXT("\xef\xbb\xbfID,Tags\na,b\n"), "2[a|b|~]", NULL},
    {"byte order mark before a quote", TEXT("\xef\xbb\xbf\"ID\"\na\n"),
        "2[a|~|~]", NULL},
    {"empty lines", TEXT("\n\r\n" HEAD "\n  \t\r\na,b\n\n\nc,d\n\n"),
        "6[a|b|~]9[c|d|~]", NULL},
    {"other order, other case, blanks",
        TEXT(" LONG name ,\"\ttags\", id\nx,y,z\n"), "2[z|y|x]", NULL},
    {"empty cells", TEXT(HEAD ",\na,\n,b\n\"\",\"\"\n"),
        "2[||~]3[a||~]4[|b|~]5[||~]", NULL},
    {"blanks around cells", TEXT(HEAD " a \t,  b c  \n"), "2[a|b c|~]", NULL},
    {"blanks around quotes", TEXT(HEAD " \" a \" , \"b\"\t\n"), "2[ a |b|~]",
        NULL},
    {"commas and quotes in quotes", TEXT(HEAD "\"a,\"\"b\"\"\",\"\"\"\"\n"),
        "2[a,\"b\"|\"|~]", NULL},
    {"line ends in quotes", TEXT(HEAD "\"a\r\nb\",\"c\n\nd\"\ne,f\n"),
        "2[a\r\nb|c\n\nd|~]6[e|f|~]", NULL},
    {"CR within", TEXT(HEAD "a\rb,c\n"), "2[a\rb|c|~]", NULL},
    {"UTF-8", TEXT(HEAD "W\xc3\xa4rme,\xf0\x9f\x94\xa5\n"),
        "2[W\xc3\xa4rme|\xf0\x9f\x94\xa5|~]", NULL},
    {"a byte order mark later is text",
        TEXT(HEAD "\xef\xbb\xbf"
                  "a,b\n"),
        "2[\xef\xbb\xbf"
        "a|b|~]",
        NULL},
    {"defused", TEXT(HEAD "'=1,'+2\n'-3,'@4\n''5,'''6\n\"'\t7\",\"'\r8\"\n"),
        "2[=1|+2|~]3[-3|@4|~]4['5|''6|~]5[\t7|\r8|~]", NULL},
    {"apostrophes that mean nothing", TEXT(HEAD "'a,'\n=1,a'=\n"),
        "2['a|'|~]3[=1|a'=|~]", NULL},

    {"too few", TEXT(HEAD "a\nb,c\n"), "2!3[b|c|~]",
        "it has 1 cell, and the first row of the file 2"},
    {"too many", TEXT(HEAD "a,b,c\nd,e\n"), "2!3[d|e|~]",
        "it has 3 cells, and the first row of the file 2"},
    {"one too many, empty", TEXT(HEAD "a,b,\n"), "2!", "3 cells"},
    {"quote within", TEXT(HEAD "a\"b,c\nd,e\n"), "2!3[d|e|~]", "in cell 1"},
    {"quote behind", TEXT(HEAD "a,b\"\nd,e\n"), "2!3[d|e|~]", "in cell 2"},
    {"text behind quotes", TEXT(HEAD "a,\"b\"c\nd,e\n"), "2!3[d|e|~]",
        "in cell 2"},
    {"quote behind blanks", TEXT(HEAD "\"a\" \"b\",\nd,e\n"), "2!3[d|e|~]",
        "in cell 1"},
    {"quote in the second line of a row", TEXT(HEAD "\"a\nb\"c,d\ne,f\n"),
        "2!4[e|f|~]", "in cell 1"},
    {"two faults, two rows", TEXT(HEAD "a\"\nb\"\nc,d\n"), "2!3!4[c|d|~]",
        "in cell 1"},
    {"quote without end", TEXT(HEAD "a,b\nc,\"d\ne,f\n"), "2[a|b|~]3!",
        "the quote that begins cell 2 has no end"},
    {"a quote alone", TEXT(HEAD "\""), "2!", "has no end"},
    {"fault in the last line", TEXT(HEAD "a\"b"), "2!", "in cell 1"},
    {"NUL", TEXT(HEAD "a,b\0c\nd,e\n"), "2!3[d|e|~]", "cell 2 holds"},
    {"NUL in quotes", TEXT(HEAD "\"a\0\",b\n"), "2!", "cell 1 holds"},
    {"NUL alone in a line", TEXT(HEAD "\0\nd,e\n"), "2!3[d|e|~]",
        "cell 1 holds"},
    {"Latin-1", TEXT(HEAD "W\xe4rme,b\nd,e\n"), "2!3[d|e|~]", "cell 1 holds"},
    {"half a character", TEXT(HEAD "a,\xc3\nd,e\n"), "2!3[d|e|~]", "cell 2"},
    {"overlong", TEXT(HEAD "\xc0\xaf,b\n"), "2!", "cell 1 holds"},
    {"surrogate", TEXT(HEAD "\xed\xa0\x80,b\n"), "2!", "cell 1 holds"},
    {"escape", TEXT(HEAD "\x1b[31m,b\n"), "2!", "control characters"},
    {"delete", TEXT(HEAD "a,\x7f\n"), "2!", "control characters"},
    {"the first fault is told", TEXT(HEAD "\x01,b\"c\n"), "2!", "cell 1 holds"},
};

static void
rows_are_read_wherever_they_are_cut(void **state)
{
	struct shown shown;
	struct diag why = {""};
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(row_cases) / sizeof(row_cases[0]); i++) {
		print_message("%s\n", row_cases[i].name);
		for (cut = 0; cut <= row_cases[i].len; cut++) {
			/* At cut 0: byte by byte. */
			assert_int_equal(
			    read_cut(row_cases[i].text, row_cases[i].len, cut,
			        cut == 0 ? 1 : row_cases[i].len, &shown, &why),
			    RES_OK);
			assert_string_equal(shown.text, row_cases[i].want);
			if (row_cases[i].fault != NULL) {
				assert_non_null(
				    strstr(shown.fault, row_cases[i].fault));
			}
			free(shown.text);
		}
	}
}

static const struct {
	const char *name, *text;
	size_t len;
	const char *says;
} header_cases[] = {
    {"nothing", TEXT(""), "it is empty"},
    {"empty lines alone", TEXT("\n \r\n\n"), "it is empty"},
    {"byte order mark alone", TEXT("\xef\xbb\xbf"), "it is empty"},
    {"unknown", TEXT("ID,Foo\na,b\n"), "the column \"Foo\" is not known"},
    {"repeated", TEXT("ID,Tags,ID\n"), "the column \"ID\" is there twice"},
    {"repeated in other case", TEXT("ID,tags,TAGS\n"),
        "the column \"Tags\" is there twice"},
    {"required one missing", TEXT("Tags\na\n"), "there is no column \"ID\""},
    {"without a name", TEXT("ID,\na,b\n"), "a column has no name"},
    {"semicolons", TEXT("ID;Tags\na;b\n"), "separated by commas"},
    {"CR alone", TEXT("ID\ra\rb\r"), "lines end in CR alone"},
    {"no header", TEXT("d:meter:0001,\n"), "\"d:meter:0001\" is not known"},
    {"blank within", TEXT("I D\n"), "\"I D\" is not known"},
    {"prefix", TEXT("Tag,ID\n"), "\"Tag\" is not known"},
    {"quote within", TEXT("ID,\"Tags\"x\na,b\n"), "in cell 2"},
    {"quote without end", TEXT("ID,\"Tags\na,b\n"), "no end"},
    {"NUL", TEXT("ID\0\na\n"), "cell 1 holds"},
    {"UTF-16", TEXT("\xff\xfeI\0D\0\n\0"), "no UTF-8"},
    {"two bytes of a byte order mark", TEXT("\xef\xbbID\n"), "no UTF-8"},
    {"two byte order marks", TEXT("\xef\xbb\xbf\xef\xbb\xbfID\n"),
        "is not known"},
    {"two bytes of it alone", TEXT("\xef\xbb"), "no UTF-8"},
    {"too many", TEXT("ID,Tags,Long Name,,,,,,,,,,,,,,,,,,,,\n"),
        "has no name"},
};

static void
headers_that_do_not_fit_are_refused(void **state)
{
	struct shown shown;
	struct diag why;
	size_t i, cut;

	(void)state;
	for (i = 0; i < sizeof(header_cases) / sizeof(header_cases[0]); i++) {
		print_message("%s\n", header_cases[i].name);
		for (cut = 0; cut <= header_cases[i].len; cut++) {
			why.text[0] = '\0';
			assert_int_equal(
			    read_cut(header_cases[i].text, header_cases[i].len,
			        cut, cut == 0 ? 1 : header_cases[i].len, &shown,
			        &why),
			    RES_SYNTAX);
			assert_string_equal(shown.text, "");
			assert_non_null(strstr(why.text, header_cases[i].says));
			free(shown.text);
		}
	}
}

static void
the_visitor_may_end_it(void **state)
{
	struct csv_reader *reader;
	struct shown shown;
	struct diag why = {"untouched"};

	(void)state;
	reader = start(&shown);
	shown.stop_at = 2;
	assert_int_equal(
	    csv_feed(reader, TEXT(HEAD "a,b\nc,d\ne,f\n"), &why), RES_REFUSED);
	assert_int_equal(shown.rows, 2);
	assert_string_equal(why.text, "untouched");
	stop(reader, &shown);
	assert_string_equal(shown.text, "2[a|b|~]");
	free(shown.text);
}

/* A file whose second row has a first cell of n bytes. */
static char *
make_long(size_t n, bool quoted, const char *end, size_t *len)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, len);
	size_t i;

	assert_non_null(to);
	(void)fputs(HEAD, to);
	(void)fputs(quoted ? "\"" : "", to);
	for (i = 0; i < n; i++) {
		(void)fputc('x', to);
	}
	(void)fprintf(to, "%s%s", quoted ? "\"" : "", end);
	(void)fclose(to);
	return text;
}

static const struct {
	const char *name;
	size_t n;
	bool quoted;
	const char *end;
	const char *want; /* without the long cell */
} long_cases[] = {
    {"the longest", CSV_CELL_MAX, false, ",b\nc,d\n", "|b|~]3[c|d|~]"},
    {"the longest in quotes", CSV_CELL_MAX, true, ",b\nc,d\n", "|b|~]3[c|d|~]"},
    {"one more", CSV_CELL_MAX + 1, false, ",b\nc,d\n", "2!3[c|d|~]"},
    {"one more in quotes", CSV_CELL_MAX + 1, true, ",b\nc,d\n", "2!3[c|d|~]"},
    {"much more", 40 * CSV_CELL_MAX, false, ",b\nc,d\n", "2!3[c|d|~]"},
    {"much more in quotes", 40 * CSV_CELL_MAX, true, ",b\nc,d\n", "2!3[c|d|~]"},
    {"at the end of the file", 3 * CSV_CELL_MAX, false, "", "2!"},
    {"in quotes at the end", 3 * CSV_CELL_MAX, true, "", "2!"},
    {"quoted line ends behind it", 2 * CSV_CELL_MAX, false,
        ",\"a\n\"\"\nb\"\nc,d\n", "2!5[c|d|~]"},
    {"line ends within it", 2 * CSV_CELL_MAX, true, "\"\n\n\",b\nc,d\n",
        "2!5[c|d|~]"},
};

static void
cells_are_bounded(void **state)
{
	struct shown shown;
	struct diag why = {""};
	size_t i, len, step;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(long_cases) / sizeof(long_cases[0]); i++) {
		print_message("%s\n", long_cases[i].name);
		text = make_long(long_cases[i].n, long_cases[i].quoted,
		    long_cases[i].end, &len);
		for (step = 1021; step < 4 * len; step *= 37) {
			assert_int_equal(
			    read_cut(text, len, 0, step, &shown, &why), RES_OK);
			assert_true(shown.len >= strlen(long_cases[i].want));
			assert_string_equal(
			    shown.text + shown.len - strlen(long_cases[i].want),
			    long_cases[i].want);
			if (long_cases[i].want[0] == '2') {
				assert_int_equal(
				    shown.len, strlen(long_cases[i].want));
			} else {
				assert_int_equal(shown.len,
				    strlen(long_cases[i].want) + CSV_CELL_MAX +
				        2);
			}
			free(shown.text);
		}
		free(text);
	}
}

static void
long_cells_are_told(void **state)
{
	struct shown shown;
	struct diag why = {""};
	size_t len;
	char *text = make_long(CSV_CELL_MAX + 1, true, ",b\n", &len);

	(void)state;
	assert_int_equal(read_cut(text, len, 0, len, &shown, &why), RES_OK);
	assert_string_equal(shown.fault, "cell 1 is longer than 256 KiB");
	free(shown.text);
	free(text);
}

/* A quote that has no end makes one cell of the rest of the file. */
static void
a_quote_without_end_takes_no_memory(void **state)
{
	static const char line[] = "d:meter:0001,[]\n";
	struct csv_reader *reader;
	struct shown shown;
	struct diag why = {""};
	int i;

	(void)state;
	reader = start(&shown);
	assert_int_equal(csv_feed(reader, TEXT(HEAD "\"a,b\n"), &why), RES_OK);
	for (i = 0; i < 200000; i++) {
		assert_int_equal(csv_feed(reader, TEXT(line), &why), RES_OK);
	}
	assert_int_equal(csv_end(reader, &why), RES_OK);
	stop(reader, &shown);
	assert_string_equal(shown.text, "2!");
	free(shown.text);
}

static const struct {
	const char *cells[3];
	size_t count;
	const char *want;
} write_cases[] = {
    {{"a", "b", "c"}, 3, "a,b,c\n"},
    {{"", NULL, ""}, 3, ",,\n"},
    {{""}, 1, "\"\"\n"},
    {{NULL}, 1, "\"\"\n"},
    {{"a b", "a,b", "a\"b"}, 3, "a b,\"a,b\",\"a\"\"b\"\n"},
    {{"a\nb", "a\r", "\""}, 3, "\"a\nb\",\"a\r\",\"\"\"\"\n"},
    {{" a", "a ", "a\t"}, 3, "\" a\",\"a \",\"a\t\"\n"},
    {{"=1", "+1", "-1"}, 3, "'=1,'+1,'-1\n"},
    {{"@1", "\t1", "\r1"}, 3, "'@1,\"'\t1\",\"'\r1\"\n"},
    {{"'1", "''", "1'"}, 3, "''1,''',1'\n"},
    {{"=\"1\"", "-", "'="}, 3, "\"'=\"\"1\"\"\",'-,''=\n"},
};

static void
rows_are_written(void **state)
{
	char *text = NULL;
	size_t i, len;
	FILE *to;

	(void)state;
	for (i = 0; i < sizeof(write_cases) / sizeof(write_cases[0]); i++) {
		to = open_memstream(&text, &len);
		assert_non_null(to);
		csv_write_row(to, write_cases[i].cells, write_cases[i].count);
		(void)fclose(to);
		assert_string_equal(text, write_cases[i].want);
		free(text);
	}
}

/* Cells of what has a meaning somewhere. */
static void
make_cell(char cell[16], unsigned *seed)
{
	static const char *const parts[] = {"'", "=", "+", "-", "@", "\t", "\r",
	    "\n", " ", ",", "\"", "a", "\xc3\xa4", "\xef\xbb\xbf", "\\", ";"};
	int n = rand_r(seed) % 5;

	cell[0] = '\0';
	while (n-- > 0) {
		(void)strcat(cell, parts[(size_t)rand_r(seed) % 16]);
	}
}

struct expected {
	char cells[COLUMNS][16];
	int rows;
};

static enum res
compare(const struct csv_row *row, void *context)
{
	struct expected *expected = context;
	size_t i;

	assert_null(row->fault);
	for (i = 0; i < COLUMNS; i++) {
		assert_string_equal(row->cells[i], expected->cells[i]);
	}
	expected->rows++;
	return RES_OK;
}

static void
what_is_written_is_read_back(void **state)
{
	const char *header[] = {"ID", "Tags", "Long Name"}, *cells[COLUMNS];
	struct csv_reader *reader = NULL;
	struct expected expected;
	unsigned seed = 20261121;
	struct diag why = {""};
	char *text = NULL;
	size_t i, len;
	FILE *to;
	int n;

	(void)state;
	for (n = 0; n < 20000; n++) {
		expected.rows = 0;
		for (i = 0; i < COLUMNS; i++) {
			make_cell(expected.cells[i], &seed);
			cells[i] = expected.cells[i];
		}
		to = open_memstream(&text, &len);
		assert_non_null(to);
		csv_write_row(to, header, COLUMNS);
		csv_write_row(to, cells, COLUMNS);
		(void)fclose(to);
		assert_int_equal(csv_reader_new(columns, COLUMNS, compare,
		                     &expected, &reader),
		    RES_OK);
		assert_int_equal(csv_feed(reader, text, len, &why), RES_OK);
		assert_int_equal(csv_end(reader, &why), RES_OK);
		assert_int_equal(expected.rows, 1);
		csv_reader_free(reader);
		free(text);
	}
}

/* A spreadsheet runs what begins so, with the quotes taken off. */
static void
no_written_cell_is_a_formula(void **state)
{
	const char *first;
	unsigned seed = 7;
	char *text = NULL, cell[16];
	const char *cells[] = {cell};
	size_t len;
	FILE *to;
	int n;

	(void)state;
	for (n = 0; n < 20000; n++) {
		make_cell(cell, &seed);
		to = open_memstream(&text, &len);
		assert_non_null(to);
		csv_write_row(to, cells, 1);
		(void)fclose(to);
		first = text[0] == '"' ? text + 1 : text;
		assert_null(strchr("=+-@\t\r", *first));
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_read_wherever_they_are_cut),
	    cmocka_unit_test(headers_that_do_not_fit_are_refused),
	    cmocka_unit_test(the_visitor_may_end_it),
	    cmocka_unit_test(cells_are_bounded),
	    cmocka_unit_test(long_cells_are_told),
	    cmocka_unit_test(a_quote_without_end_takes_no_memory),
	    cmocka_unit_test(rows_are_written),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(no_written_cell_is_a_formula),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
