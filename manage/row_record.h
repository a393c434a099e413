/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * row_record: the cells of a row that hold JSON.
 *
 * Record holds what the registry knows of a device besides the other columns,
 * as an object of texts.  What is not known is not there.
 */
#ifndef MANAGE_ROW_RECORD_H
#define MANAGE_ROW_RECORD_H

#include "common/diag.h"
#include "registry/records.h"

/* One line, which the caller frees; NULL: no memory. */
char *row_record_print(const struct device *device);

/*
 * The same back, into a device that has its state.  "" is an empty object: the
 * device was created now, and provisioned now if it is.  RES_SYNTAX: a member
 * that is not known, or not what it should be; RES_REFUSED: one that does not
 * go with the state; RES_LIMIT, RES_NOMEM.
 */
MUST_CHECK enum res row_record_read(
    const char *text, int64_t now, struct device *device, struct diag *why);

/* Whether text is a JSON array of {name, value}, as tags are.  RES_SYNTAX,
 * RES_LIMIT, RES_NOMEM. */
MUST_CHECK enum res row_check_tags(const char *text, struct diag *why);

#endif /* MANAGE_ROW_RECORD_H */
