/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * type: what there is to tell about one device type.
 */
#ifndef MANAGE_TYPE_H
#define MANAGE_TYPE_H

#include "common/json.h"
#include "manage/call.h"

struct type_view {
	struct device_type type;
	char name[TYPE_TEXT_MAX + 1];
	const struct type_record *record; /* NULL: not declared */
	const char *rule;                 /* its own name, or "default" */
	const char *level;
	int64_t devices;
};

/* What the registry says of a type; record and level are lent by call->config.
 * As registry_count(). */
MUST_CHECK enum res type_view(const struct call *call,
    const struct device_type *type, struct type_view *out, struct diag *why);

/* Whether there is anything that is known of it, and the answer where there is
 * not: the exit code, the error told. */
bool type_is_known(const struct type_view *view);
int refuse_type(const struct type_view *view);

struct json *type_json(const struct type_view *view);

#endif /* MANAGE_TYPE_H */
