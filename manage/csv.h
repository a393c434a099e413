/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * csv: tables as RFC 4180 has them, in and out, row by row.  The one home of
 * libcsv.
 *
 * Read: a first row names the columns.  Rows end in LF or CRLF, the last one
 * also at the end; empty lines are skipped, and so are a byte order mark and
 * the blanks around a cell without quotes.  Cells are UTF-8.  A quote is the
 * first byte of a cell, the last one, or doubled within: anything else is a
 * fault.  After a fault reading goes on with the next line; after a cell that
 * is too long, with the next row.
 *
 * A cell that a spreadsheet would run as a formula, because it begins with = +
 * - @ TAB or CR, is written with an apostrophe before it, and so is one that
 * begins with an apostrophe.  An apostrophe before one of these bytes is
 * dropped when it is read: what was written is read back as it was.
 *
 * Memory is bounded whatever is read: CSV_CELL_MAX for each column.
 */
#ifndef MANAGE_CSV_H
#define MANAGE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/diag.h"

#define CSV_COLUMNS_MAX 16
#define CSV_CELL_MAX    (256 * 1024) /* bytes of a cell */

/* A column that may be there; names are compared without regard to case. */
struct csv_column {
	const char *name;
	bool required;
};

/* One row but the first.  All of it is lent for the call. */
struct csv_row {
	int64_t line;             /* of the file, where it begins; from 1 */
	const char *fault;        /* what is wrong with it; NULL: nothing, and
	                             then: */
	const char *const *cells; /* one for each csv_column, in their order;
	                             NULL: the file does not have the column */
};

/* Not RES_OK ends the reading with that. */
typedef enum res csv_visit(const struct csv_row *row, void *context);

struct csv_reader;

/* columns, at most CSV_COLUMNS_MAX of them, are lent.  RES_NOMEM. */
MUST_CHECK enum res csv_reader_new(const struct csv_column *columns,
    size_t count, csv_visit *visit, void *context, struct csv_reader **out);
void csv_reader_free(struct csv_reader *reader);

/*
 * The next bytes, cut wherever they are.  RES_SYNTAX: of the first row, a
 * column that is unknown, repeated or missing, or no row of columns at all;
 * RES_NOMEM; or what visit answered, and then why is not set.  After a failure
 * nothing but csv_reader_free() may follow.
 */
MUST_CHECK enum res csv_feed(
    struct csv_reader *reader, const char *bytes, size_t len, struct diag *why);

/* There are no more bytes.  As csv_feed(). */
MUST_CHECK enum res csv_end(struct csv_reader *reader, struct diag *why);

/* A row and its LF; a NULL cell is an empty one.  Cells must be such as can be
 * read.  Whether it was written, ferror(to) tells. */
void csv_write_row(FILE *to, const char *const *cells, size_t count);

#endif /* MANAGE_CSV_H */
