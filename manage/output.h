/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * output: what certid prints.  Tables for people, JSON for programs.
 */
#ifndef MANAGE_OUTPUT_H
#define MANAGE_OUTPUT_H

#include <stdio.h>

#include "common/json.h"
#include "manage/call.h"

/*
 * A table under construction.  As with a JSON builder, one that ran out of
 * memory remembers it and fails when it is printed.
 */
struct table;

/* header may be NULL: rows without one, for name and value. */
struct table *table_new(const char *const *header, size_t columns);
void table_free(struct table *table);

/* Columns from..to, counted from 0, are for numbers: aligned to the right. */
void table_align_right(struct table *table, size_t from, size_t to);

/* Columns from..to, which are not the last one, are left out where there is
 * nothing but 0 in them. */
void table_hide_zeros(struct table *table, size_t from, size_t to);

/* Columns are at least so wide, widths[0] the first; for rows that are written
 * one by one and are to stand below each other. */
void table_pad(struct table *table, const int *widths);

/* Copies the cells; NULL or "" is shown as "-", line ends and tabs as a
 * blank, other control characters as '?'. */
void table_add(struct table *table, const char *const *cells);

/* A row of two. */
void table_field(struct table *table, const char *name, const char *value);
void table_field_time(struct table *table, const char *name, int64_t when);

/* Columns aligned; words of a state in colour.  RES_NOMEM. */
MUST_CHECK enum res table_write(
    const struct table *table, FILE *to, bool colour);

/* To stdout, in colour if that is a terminal and NO_COLOR is not set; frees
 * table.  An exit code. */
int print_table(struct table *table);

/* One document and a newline to stdout; frees json.  An exit code. */
int print_json(struct json *json);

/* A warning: one line on stderr for people, and an element of warnings. */
void warn(const struct call *call, struct json *warnings, const char *format,
    ...) PRINTF_LIKE(3, 4);
/* The same of something that keeps devices out, which "critical:" begins. */
void warn_critical(const struct call *call, struct json *warnings,
    const char *format, ...) PRINTF_LIKE(3, 4);

/* A warning about what was done, on stderr, with --json too. */
void caution(const char *format, ...) PRINTF_LIKE(1, 2);

/* What a command that changes something ends with: object with --json, else
 * the sentence.  Frees object. */
int report(const struct call *call, struct json *object, const char *format,
    ...) PRINTF_LIKE(3, 4);

#endif /* MANAGE_OUTPUT_H */
