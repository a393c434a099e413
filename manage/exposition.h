/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * exposition: metrics as Prometheus reads them (text format 0.0.4), of several
 * sources put together: every family once, with all its samples behind it.
 *
 * As with a JSON builder, one that ran out of memory remembers it and fails
 * when it is printed.
 */
#ifndef MANAGE_EXPOSITION_H
#define MANAGE_EXPOSITION_H

#include <stdio.h>

#include "common/diag.h"
#include "common/json.h"

#define METRIC_NAME_MAX  127 /* bytes of a name, or of a label's */
#define METRIC_VALUE_MAX 63  /* bytes of a number */
#define LABEL_VALUE_MAX  255 /* bytes of a label's value */

struct exposition;

struct exposition *exposition_new(void);
void exposition_free(struct exposition *exposition);

/*
 * Take up the metrics of one source, each sample behind the HELP and TYPE of
 * its family, without time stamps.  RES_SYNTAX: anything else, or a family that
 * another source says to be of another type; then some of it may have been
 * taken up.
 */
MUST_CHECK enum res exposition_read(
    struct exposition *exposition, const char *text, struct diag *why);

/* What exposition_add() adds to, from now on.  Constants. */
void exposition_begin(struct exposition *exposition, const char *name,
    const char *type, const char *help);

struct label {
	const char *name; /* a constant; NULL ends a list */
	const char *value;
};

void exposition_add(
    struct exposition *exposition, const struct label *labels, int64_t value);

/* RES_NOMEM. */
MUST_CHECK enum res exposition_write(
    const struct exposition *exposition, FILE *to);

/* An array of {name, labels, value}; NULL: no memory. */
struct json *exposition_json(const struct exposition *exposition);

#endif /* MANAGE_EXPOSITION_H */
