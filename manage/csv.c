/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/csv.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define BOM     "\xef\xbb\xbf"
#define BOM_LEN 3
#define BLOCK   4096 /* bytes by which libcsv's buffer grows */
#define SLACK                                                                  \
	8 /* bytes in it besides the cell: a quote that may be the             \
	     last one is put there, too */
#define DANGERS   "=+-@\t\r'"
#define KNOWN_MAX 255 /* of the names of all columns, in a sentence */
#define NOWHERE   CSV_COLUMNS_MAX /* the place of a column that is not there */

/* What becomes of the bytes that come. */
enum phase {
	PARSE = 0,
	SKIP_LINE, /* to the end of the line */
	SKIP_ROW,  /* to the end of the row, which may be some lines away */
};

struct csv_reader {
	struct csv_parser parser;
	const struct csv_column *columns;
	size_t column_count;
	csv_visit *visit;
	void *context;

	size_t bom;   /* bytes of it that have been seen; then BOM_LEN + 1 */
	int64_t line; /* that the next byte belongs to */
	enum phase phase;

	/* The row that is being read. */
	bool has_begun, has_ended, quoted;
	int64_t row_line;
	struct diag fault; /* "": none so far */
	size_t cell_count;
	size_t starts[CSV_COLUMNS_MAX]; /* of the cells in text */
	char *text;                     /* the cells, each with a NUL */
	size_t text_len, text_room;
	bool no_memory;

	/* Where each known column stands in a row, and how many stand there. */
	bool has_header;
	size_t width;
	size_t places[CSV_COLUMNS_MAX];
};

/* LF alone ends a row, so that there is at most one such byte in a line; the
 * CR before it is a blank behind the last cell. */
static int
is_end(unsigned char c)
{
	return c == '\n';
}

static int
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* libcsv takes what it gets, and asks for less where it gets nothing. */
static void *
grow(void *buffer, size_t size)
{
	return size > CSV_CELL_MAX + SLACK ? NULL : realloc(buffer, size);
}

static enum res
start_parser(struct csv_parser *parser)
{
	if (csv_init(parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
		return RES_NOMEM;
	}
	csv_set_realloc_func(parser, grow);
	csv_set_blk_size(parser, BLOCK);
	csv_set_space_func(parser, is_blank);
	csv_set_term_func(parser, is_end);
	return RES_OK;
}

enum res
csv_reader_new(const struct csv_column *columns, size_t count, csv_visit *visit,
    void *context, struct csv_reader **out)
{
	struct csv_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL || count > CSV_COLUMNS_MAX ||
	    start_parser(&reader->parser) != RES_OK) {
		free(reader);
		return RES_NOMEM;
	}
	reader->columns = columns;
	reader->column_count = count;
	reader->visit = visit;
	reader->context = context;
	reader->line = 1;
	*out = reader;
	return RES_OK;
}

void
csv_reader_free(struct csv_reader *reader)
{
	if (reader != NULL) {
		csv_free(&reader->parser);
		free(reader->text);
		free(reader);
	}
}

/* The first fault of a row is the one that is told. */
static bool
is_good(const struct csv_reader *reader)
{
	return reader->fault.text[0] == '\0' && !reader->no_memory;
}

static bool
is_plain(char c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

/* UTF-8 without control characters but for tabs and line ends. */
static bool
is_text(const char *bytes, size_t len)
{
	size_t at = 0, start;

	while (at < len) {
		while (at < len && is_plain(bytes[at])) {
			at++;
		}
		for (start = at; at < len && !is_plain(bytes[at]); at++) {
		}
		if (!text_is_printable_utf8(bytes + start, at - start)) {
			return false;
		}
	}
	return true;
}

/* Whether the writer has put, or would put, an apostrophe before this. */
static bool
is_dangerous(const char *bytes, size_t len)
{
	return len > 0 && bytes[0] != '\0' && strchr(DANGERS, bytes[0]) != NULL;
}

static bool
make_room(struct csv_reader *reader, size_t more)
{
	size_t need = reader->text_len + more, room = reader->text_room;
	char *text;

	if (need <= room) {
		return true;
	}
	room = need > 2 * room ? need : 2 * room;
	if ((text = realloc(reader->text, room)) == NULL) {
		return false;
	}
	reader->text = text;
	reader->text_room = room;
	return true;
}

static void
keep_cell(struct csv_reader *reader, const char *bytes, size_t len)
{
	if (len > 1 && bytes[0] == '\'' && is_dangerous(bytes + 1, len - 1)) {
		bytes++;
		len--;
	}
	if (!make_room(reader, len + 1)) {
		reader->no_memory = true;
		return;
	}
	reader->starts[reader->cell_count] = reader->text_len;
	if (len > 0) {
		memcpy(reader->text + reader->text_len, bytes, len);
	}
	reader->text[reader->text_len + len] = '\0';
	reader->text_len += len + 1;
}

static void
blame_length(struct csv_reader *reader)
{
	diag_set(&reader->fault, "cell %zu is longer than %d KiB",
	    reader->cell_count + 1, CSV_CELL_MAX / 1024);
}

/* libcsv has a cell. */
static void
take_cell(void *bytes, size_t len, void *context)
{
	struct csv_reader *reader = context;
	size_t width =
	    reader->has_header ? reader->width : (size_t)CSV_COLUMNS_MAX;

	if (is_good(reader) && reader->cell_count < width) {
		if (len > CSV_CELL_MAX) {
			blame_length(reader);
		} else if (!is_text(bytes, len)) {
			diag_set(&reader->fault,
			    "cell %zu holds bytes that are no UTF-8, or "
			    "control characters",
			    reader->cell_count + 1);
		} else {
			keep_cell(reader, bytes, len);
		}
	}
	reader->cell_count++;
}

/* libcsv is at the end of a row. */
static void
take_end(int end, void *context)
{
	struct csv_reader *reader = context;

	(void)end;
	reader->has_ended = true;
}

static const char *
cell(const struct csv_reader *reader, size_t n)
{
	return reader->text + reader->starts[n];
}

/* Blanks around a column's name, within its quotes, too, are nothing. */
static const char *
trim(char *name)
{
	size_t len;

	while (is_blank((unsigned char)*name) || *name == '\n') {
		name++;
	}
	for (len = strlen(name); len > 0 &&
	     (is_blank((unsigned char)name[len - 1]) || name[len - 1] == '\n');
	     len--) {
	}
	name[len] = '\0';
	return name;
}

static enum res
blame_column(
    const struct csv_reader *reader, const char *name, struct diag *why)
{
	char known[KNOWN_MAX + 1] = "";
	size_t i, used = 0;

	if (strchr(name, '\r') != NULL) {
		return diag_res(why, RES_SYNTAX,
		    "its lines end in CR alone: save it with LF or CRLF");
	}
	if (name[0] == '\0') {
		return diag_res(why, RES_SYNTAX, "a column has no name");
	}
	for (i = 0; i < reader->column_count; i++) {
		used += (size_t)snprintf(known + used, sizeof(known) - used,
		    "%s%s", i == 0 ? "" : ", ", reader->columns[i].name);
		if (used >= sizeof(known)) {
			used = sizeof(known) - 1;
		}
	}
	return diag_res(why, RES_SYNTAX,
	    "the first row must name the columns, and the column \"%.100s\" is "
	    "not known: %s%s",
	    name,
	    strchr(name, ';') != NULL ? "columns are separated by commas; "
	                              : "",
	    known);
}

static enum res
place_column(struct csv_reader *reader, size_t place, struct diag *why)
{
	const char *name = trim(reader->text + reader->starts[place]);
	size_t i;

	for (i = 0; i < reader->column_count; i++) {
		if (!text_equal_nocase(name, reader->columns[i].name)) {
			continue;
		}
		if (reader->places[i] != NOWHERE) {
			return diag_res(why, RES_SYNTAX,
			    "the column \"%s\" is there twice",
			    reader->columns[i].name);
		}
		reader->places[i] = place;
		return RES_OK;
	}
	return blame_column(reader, name, why);
}

static enum res
read_header(struct csv_reader *reader, struct diag *why)
{
	enum res r = RES_OK;
	size_t i, kept;

	if (!is_good(reader)) {
		return diag_res(why, RES_SYNTAX,
		    "the first row must name the columns: %s",
		    reader->fault.text);
	}
	for (i = 0; i < reader->column_count; i++) {
		reader->places[i] = NOWHERE;
	}
	kept = reader->cell_count < CSV_COLUMNS_MAX ? reader->cell_count
	                                            : CSV_COLUMNS_MAX;
	for (i = 0; r == RES_OK && i < kept; i++) {
		r = place_column(reader, i, why);
	}
	/* So many cannot be known, each once; those that were kept may be. */
	if (r == RES_OK && reader->cell_count > kept) {
		r = diag_res(why, RES_SYNTAX,
		    "the first row names %zu columns, more than there are",
		    reader->cell_count);
	}
	for (i = 0; r == RES_OK && i < reader->column_count; i++) {
		if (reader->columns[i].required &&
		    reader->places[i] == NOWHERE) {
			r = diag_res(why, RES_SYNTAX,
			    "there is no column \"%s\": the first row must "
			    "name the columns",
			    reader->columns[i].name);
		}
	}
	reader->has_header = r == RES_OK;
	reader->width = reader->cell_count;
	return r;
}

static enum res
show_row(struct csv_reader *reader)
{
	const char *cells[CSV_COLUMNS_MAX] = {NULL};
	struct csv_row row = {.line = reader->row_line};
	size_t i;

	if (is_good(reader) && reader->cell_count != reader->width) {
		diag_set(&reader->fault,
		    "it has %zu cell%s, and the first row of the file %zu",
		    reader->cell_count, reader->cell_count == 1 ? "" : "s",
		    reader->width);
	}
	if (!is_good(reader)) {
		row.fault = reader->fault.text;
		return reader->visit(&row, reader->context);
	}
	for (i = 0; i < reader->column_count; i++) {
		if (reader->places[i] != NOWHERE) {
			cells[i] = cell(reader, reader->places[i]);
		}
	}
	row.cells = cells;
	return reader->visit(&row, reader->context);
}

/* The row has ended, one way or another. */
static enum res
end_row(struct csv_reader *reader, struct diag *why)
{
	enum res r;

	if (reader->no_memory) {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	r = reader->has_header ? show_row(reader) : read_header(reader, why);
	reader->has_begun = reader->has_ended = reader->quoted = false;
	reader->phase = PARSE;
	reader->fault.text[0] = '\0';
	reader->cell_count = 0;
	reader->text_len = 0;
	return r;
}

/* An odd number of quotes behind the beginning of a row is within a cell. */
static void
count_quotes(struct csv_reader *reader, const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;

	while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
		reader->quoted = !reader->quoted;
		at++;
	}
}

/* What the parser does not take, and how the reading goes on behind it. */
static enum res
blame_parser(struct csv_reader *reader, struct diag *why)
{
	bool is_full = csv_get_buffer_size(&reader->parser) >= CSV_CELL_MAX;

	if (csv_error(&reader->parser) == CSV_EPARSE) {
		if (is_good(reader)) {
			diag_set(&reader->fault,
			    "a quote stands where none may, in cell %zu: a "
			    "cell with a quote is written between quotes, and "
			    "each quote within is doubled",
			    reader->cell_count + 1);
		}
		reader->phase = SKIP_LINE;
	} else if (is_full) {
		if (is_good(reader)) {
			blame_length(reader);
		}
		reader->phase = SKIP_ROW;
	} else {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	csv_free(&reader->parser);
	return start_parser(&reader->parser);
}

static bool
begin_row(struct csv_reader *reader, const char *line, size_t len)
{
	size_t i = 0;

	while (
	    i < len && (is_blank((unsigned char)line[i]) || line[i] == '\n')) {
		i++;
	}
	if (!reader->has_begun && i < len) {
		reader->has_begun = true;
		reader->row_line = reader->line;
	}
	return reader->has_begun;
}

static enum res
feed_parser(struct csv_reader *reader, const char *line, size_t len,
    size_t *used, struct diag *why)
{
	if (!begin_row(reader, line, len)) {
		*used = len;
		return RES_OK;
	}
	*used =
	    csv_parse(&reader->parser, line, len, take_cell, take_end, reader);
	count_quotes(reader, line, *used);
	return *used < len ? blame_parser(reader, why) : RES_OK;
}

/* A line, with its end or without. */
static enum res
feed_line(
    struct csv_reader *reader, const char *line, size_t len, struct diag *why)
{
	bool is_whole = line[len - 1] == '\n';
	enum res r = RES_OK;
	size_t used = 0;

	if (reader->phase == PARSE) {
		r = feed_parser(reader, line, len, &used, why);
	}
	if (r == RES_OK && reader->phase == SKIP_ROW) {
		count_quotes(reader, line + used, len - used);
	}
	if (r == RES_OK && is_whole && reader->phase != PARSE) {
		reader->has_ended =
		    reader->phase == SKIP_LINE || !reader->quoted;
	}
	if (r == RES_OK && reader->has_ended) {
		r = end_row(reader, why);
	}
	reader->line += is_whole;
	return r;
}

static enum res
feed_lines(
    struct csv_reader *reader, const char *bytes, size_t len, struct diag *why)
{
	const char *end;
	enum res r = RES_OK;
	size_t n;

	while (r == RES_OK && len > 0) {
		end = memchr(bytes, '\n', len);
		n = end == NULL ? len : (size_t)(end - bytes) + 1;
		r = feed_line(reader, bytes, n, why);
		bytes += n;
		len -= n;
	}
	return r;
}

/* What began like a byte order mark was none. */
static enum res
give_back_bom(struct csv_reader *reader, struct diag *why)
{
	size_t n = reader->bom < BOM_LEN ? reader->bom : 0;

	reader->bom = BOM_LEN + 1;
	return feed_lines(reader, BOM, n, why);
}

enum res
csv_feed(
    struct csv_reader *reader, const char *bytes, size_t len, struct diag *why)
{
	enum res r = RES_OK;

	while (len > 0 && reader->bom < BOM_LEN && *bytes == BOM[reader->bom]) {
		reader->bom++;
		bytes++;
		len--;
	}
	if (len > 0 && reader->bom <= BOM_LEN) {
		r = give_back_bom(reader, why);
	}
	return r == RES_OK ? feed_lines(reader, bytes, len, why) : r;
}

enum res
csv_end(struct csv_reader *reader, struct diag *why)
{
	enum res r = give_back_bom(reader, why);

	if (r == RES_OK && reader->phase == PARSE &&
	    csv_fini(&reader->parser, take_cell, take_end, reader) != 0 &&
	    is_good(reader)) {
		diag_set(&reader->fault,
		    "the quote that begins cell %zu has no end",
		    reader->cell_count + 1);
	}
	if (r == RES_OK && reader->has_begun) {
		r = end_row(reader, why);
	}
	if (r == RES_OK && !reader->has_header) {
		r = diag_res(why, RES_SYNTAX,
		    "it is empty: the first row must name the columns");
	}
	return r;
}

/* Whether a cell needs quotes to be read as it is. */
static bool
needs_quotes(const char *text, size_t len)
{
	return strpbrk(text, ",\"\r\n") != NULL ||
	    is_blank((unsigned char)text[0]) ||
	    is_blank((unsigned char)text[len - 1]);
}

static void
write_cell(FILE *to, const char *text)
{
	size_t len = strlen(text);
	const char *at, *from = text;
	bool dangerous = is_dangerous(text, len);

	if (len == 0 || !needs_quotes(text, len)) {
		(void)fprintf(to, "%s%s", dangerous ? "'" : "", text);
		return;
	}
	(void)fputs(dangerous ? "\"'" : "\"", to);
	while ((at = strchr(from, '"')) != NULL) {
		(void)fwrite(from, 1, (size_t)(at - from) + 1, to);
		(void)fputc('"', to);
		from = at + 1;
	}
	(void)fputs(from, to);
	(void)fputc('"', to);
}

void
csv_write_row(FILE *to, const char *const *cells, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (i > 0) {
			(void)fputc(',', to);
		}
		/* A row of one empty cell would be an empty line. */
		if (count == 1 && (cells[i] == NULL || cells[i][0] == '\0')) {
			(void)fputs("\"\"", to);
		} else if (cells[i] != NULL) {
			write_cell(to, cells[i]);
		}
	}
	(void)fputc('\n', to);
}
