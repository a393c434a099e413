/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * row: a device as a row of CSV, in and out.
 *
 * The columns of an allow-list come first; those behind hold what else the
 * registry knows, so that a device that was written is read back as it was.
 */
#ifndef MANAGE_ROW_H
#define MANAGE_ROW_H

#include <stdio.h>

#include "manage/csv.h"
#include "registry/records.h"

enum row_column {
	ROW_ID = 0,
	ROW_CERT,
	ROW_TAGS,
	ROW_TYPE,
	ROW_CLASS,
	ROW_WINDOW,
	ROW_INFO,
	ROW_STATE,
	ROW_LOCKED,
	ROW_GATEWAY,
	ROW_RECORD, /* a JSON object: times, certificate, pins, token */
	ROW_COLUMNS,
};

extern const struct csv_column row_columns[ROW_COLUMNS];

/* What holds for every row of a file; lent. */
struct row_terms {
	const struct config *config;
	const char *org;
	const struct device_type *type; /* of ids without one; NULL: none */
	int64_t now;
};

/*
 * The device of a row, for the caller to free with device_done().  The id must
 * follow the format of its type, and the type be declared where the org wants
 * that; tags and info are checked as those of "device add"; a certificate must
 * be one that the device can use now.  RES_SYNTAX, RES_REFUSED, RES_LIMIT:
 * *why says what is wrong with the row, *out is empty; RES_NOMEM;
 * RES_CORRUPT: the type is not understood.  Does not look at other devices.
 */
MUST_CHECK enum res row_read(const struct row_terms *terms,
    const char *const *cells, struct device *out, struct diag *why);

/* Write a whole device (DEVICE_FULL); RES_NOMEM. */
MUST_CHECK enum res row_write(FILE *to, const struct device *device);
void row_write_header(FILE *to);

#endif /* MANAGE_ROW_H */
