/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * identity: which device or gateway a name speaks of.
 *
 * An identity is written d:<type>:<id> or g:<type>:<id>.  Every input gives
 * one outcome, an identity or a reason; nothing here allocates, logs or keeps
 * state, so all of it may be called from any thread.
 *
 * Does not check: whether a ':' in the id is admitted for this type (see
 * id_rule.h), whether the type is declared, whether anybody may use the name.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/res.h"

#define IDENTITY_TYPE_MAX 36 /* bytes in a type, NUL not counted */
#define IDENTITY_ID_MAX   64 /* bytes in an id */
#define IDENTITY_TEXT_MAX (2 + IDENTITY_TYPE_MAX + 1 + IDENTITY_ID_MAX)
#define TYPE_TEXT_MAX     (2 + IDENTITY_TYPE_MAX)

/* A device type, "d:meter": the class and the name. */
struct device_type {
	char class; /* 'd' or 'g'; '\0' is no type */
	char name[IDENTITY_TYPE_MAX + 1];
};

/* A plain value, safe to copy.  All zero bytes is nobody. */
struct identity {
	struct device_type type;
	char id[IDENTITY_ID_MAX + 1];
};

/*
 * Read an identity from len bytes, which need not end in NUL.  On RES_OK *out
 * is set; otherwise *out is as it was and *why is a constant sentence.
 * RES_SYNTAX: not an identity.  RES_LIMIT: a part is too long.
 */
MUST_CHECK enum res identity_parse(
    const char *text, size_t len, struct identity *out, const char **why);

/* Write the name and a NUL; identity_parse() reads back an equal value. */
void identity_format(
    const struct identity *who, char text[IDENTITY_TEXT_MAX + 1]);

/* Byte for byte. */
bool identity_equal(const struct identity *a, const struct identity *b);

/* Whether len bytes begin "d:" or "g:", and so claim to be an identity. */
bool identity_is_candidate(const char *text, size_t len);

/* The same two for a device type alone, "d:meter". */
MUST_CHECK enum res device_type_parse(
    const char *text, size_t len, struct device_type *out, const char **why);
void device_type_format(
    const struct device_type *type, char text[TYPE_TEXT_MAX + 1]);
bool device_type_equal(
    const struct device_type *a, const struct device_type *b);

#endif /* IDENTITY_IDENTITY_H */
