/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "manage/streams.h"

#define COLUMNS_MAX 16
#define CAUTION_MAX 1023 /* bytes of the longest, with its commands */

struct table {
	size_t columns;
	bool has_header;
	bool is_right[COLUMNS_MAX];
	bool hides_zeros[COLUMNS_MAX];
	int widths[COLUMNS_MAX]; /* at least */
	char **cells;            /* row by row, the header first */
	size_t count, room;
	bool failed;
};

struct table *
table_new(const char *const *header, size_t columns)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL) {
		return NULL;
	}
	table->columns = columns;
	table->has_header = header != NULL;
	table->failed = columns == 0 || columns > COLUMNS_MAX;
	if (header != NULL) {
		table_add(table, header);
	}
	return table;
}

void
table_free(struct table *table)
{
	size_t i;

	if (table != NULL) {
		for (i = 0; i < table->count; i++) {
			free(table->cells[i]);
		}
		free(table->cells);
		free(table);
	}
}

void
table_align_right(struct table *table, size_t from, size_t to)
{
	size_t i;

	for (i = from; table != NULL && i <= to && i < COLUMNS_MAX; i++) {
		table->is_right[i] = true;
	}
}

void
table_hide_zeros(struct table *table, size_t from, size_t to)
{
	size_t i;

	for (i = from; table != NULL && i <= to && i < COLUMNS_MAX; i++) {
		table->hides_zeros[i] = true;
	}
}

void
table_pad(struct table *table, const int *widths)
{
	if (table != NULL && !table->failed) {
		memcpy(table->widths, widths, table->columns * sizeof(*widths));
	}
}

static bool
make_room(struct table *table)
{
	size_t room = table->room == 0 ? 64 : table->room * 2;
	char **cells;

	if (table->count + table->columns <= table->room) {
		return true;
	}
	cells = realloc(table->cells, room * sizeof(*cells));
	if (cells == NULL) {
		return false;
	}
	table->cells = cells;
	table->room = room;
	return true;
}

/* What was stored may come from a peer: it must not move the cursor. */
static char *
copy_cell(const char *text)
{
	char *copy = strdup(text == NULL || text[0] == '\0' ? "-" : text), *at;

	for (at = copy; at != NULL && *at != '\0'; at++) {
		if (*at == '\n' || *at == '\r' || *at == '\t') {
			*at = ' ';
		} else if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			*at = '?';
		}
	}
	return copy;
}

void
table_add(struct table *table, const char *const *cells)
{
	size_t i;

	if (table == NULL || table->failed || !make_room(table)) {
		if (table != NULL) {
			table->failed = true;
		}
		return;
	}
	for (i = 0; i < table->columns; i++) {
		table->cells[table->count] = copy_cell(cells[i]);
		table->failed |= table->cells[table->count] == NULL;
		table->count++;
	}
}

void
table_field(struct table *table, const char *name, const char *value)
{
	const char *cells[] = {name, value};

	table_add(table, cells);
}

void
table_field_time(struct table *table, const char *name, int64_t when)
{
	char text[TIME_MAX + 1] = "";

	if (when != CLOCK_NONE && when != CLOCK_FOREVER) {
		clock_format(when, text);
	}
	table_field(table, name, text);
}

static const struct {
	const char *word, *colour;
} colours[] = {
    {"active", "\033[32m"},
    {"provisioned", "\033[32m"},
    {"pending", "\033[33m"},
    {"allowed", "\033[33m"},
    {"inactive", "\033[33m"},
    {"locked", "\033[31m"},
    {"expired", "\033[31m"},
    {"unproven", "\033[33m"},
    {"revoked", "\033[31m"},
    {"fresh", "\033[32m"},
    {"grace", "\033[33m"},
    {"stale", "\033[31m"},
    {"missing", "\033[31m"},
    {"yes", "\033[31m"}, /* locked */
    {"holds", "\033[32m"},
    {"waits", "\033[33m"},
    {"lapsed", "\033[31m"},
};

/* The colour of a cell: of the words in a column STATE, WINDOW, LOCKED or CRL,
 * or in a row of these names; of the word behind the fingerprint in a row
 * "pin".  NULL: none. */
static const char *
colour_of(const struct table *table, size_t row, size_t column)
{
	const char *text = table->cells[row * table->columns + column];
	const char *name =
	    table->cells[table->has_header ? column : row * table->columns];
	bool is_pin = !table->has_header && strcmp(name, "pin") == 0;
	size_t i, len;

	if (column == 0 ||
	    (strcasecmp(name, "state") != 0 &&
	        strcasecmp(name, "window") != 0 &&
	        strcasecmp(name, "locked") != 0 &&
	        strcasecmp(name, "crl") != 0 && !is_pin)) {
		return NULL;
	}
	text += is_pin ? strcspn(text, " ") + (strchr(text, ' ') != NULL) : 0;
	len = is_pin ? strcspn(text, " ") : strlen(text);
	for (i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
		if (strlen(colours[i].word) == len &&
		    memcmp(text, colours[i].word, len) == 0) {
			return colours[i].colour;
		}
	}
	return NULL;
}

/* As wide as the widest of its cells; -1: it is not shown. */
static int
measure(const struct table *table, size_t column)
{
	bool is_hidden = table->hides_zeros[column];
	int widest = table->widths[column], width;
	size_t i;

	for (i = column; i < table->count; i += table->columns) {
		width = (int)strlen(table->cells[i]);
		widest = width > widest ? width : widest;
		if (strcmp(table->cells[i], "0") != 0 &&
		    (!table->has_header || i != column)) {
			is_hidden = false;
		}
	}
	return is_hidden ? -1 : widest;
}

static void
write_row(const struct table *table, size_t row, const int *widths, FILE *to,
    bool colour)
{
	const char *text, *start;
	int before, after;
	size_t i;

	for (i = 0; i < table->columns; i++) {
		if (widths[i] < 0) {
			continue;
		}
		text = table->cells[row * table->columns + i];
		start = colour ? colour_of(table, row, i) : NULL;
		after = widths[i] - (int)strlen(text);
		before = table->is_right[i] ? after : 0;
		after = i + 1 == table->columns ? 0 : after - before + 2;
		(void)fprintf(to, "%*s%s%s%s%*s", before, "",
		    start == NULL ? "" : start, text,
		    start == NULL ? "" : "\033[0m", after, "");
	}
	(void)fputc('\n', to);
}

enum res
table_write(const struct table *table, FILE *to, bool colour)
{
	int widths[COLUMNS_MAX];
	size_t i;

	if (table == NULL || table->failed) {
		return RES_NOMEM;
	}
	for (i = 0; i < table->columns; i++) {
		widths[i] = measure(table, i);
	}
	for (i = 0; i < table->count / table->columns; i++) {
		write_row(table, i, widths, to, colour);
	}
	return RES_OK;
}

int
print_table(struct table *table)
{
	enum res r = table_write(table, answers(), answers_in_colour());
	struct diag why = {""};

	table_free(table);
	return r == RES_OK ? EXIT_DONE : fail(r, &why);
}

int
print_json(struct json *json)
{
	char *text = json_print(json);
	struct diag why = {""};

	json_free(json);
	if (text == NULL) {
		return fail(RES_NOMEM, &why);
	}
	(void)fprintf(answers(), "%s\n", text);
	free(text);
	return EXIT_DONE;
}

int
report(const struct call *call, struct json *object, const char *format, ...)
{
	va_list args;

	if (call->json) {
		return print_json(object);
	}
	json_free(object);
	va_start(args, format);
	(void)vfprintf(answers(), format, args);
	va_end(args);
	(void)fputc('\n', answers());
	return EXIT_DONE;
}

static void
tell(const struct call *call, struct json *warnings, const char *how,
    const char *format, va_list args)
{
	char text[CAUTION_MAX + 1];

	(void)vsnprintf(text, sizeof(text), format, args);
	json_append_text(warnings, text);
	if (!call->json) {
		(void)fprintf(complaints(), "certid: %s: %s\n", how, text);
	}
}

void
warn(const struct call *call, struct json *warnings, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(call, warnings, "warning", format, args);
	va_end(args);
}

void
warn_critical(
    const struct call *call, struct json *warnings, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(call, warnings, "critical", format, args);
	va_end(args);
}

void
caution(const char *format, ...)
{
	char text[CAUTION_MAX + 1];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)fprintf(complaints(), "certid: warning: %s\n", text);
}
