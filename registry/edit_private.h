/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * edit_private: what the files of edit share; nobody else includes it.
 */
#ifndef REGISTRY_EDIT_PRIVATE_H
#define REGISTRY_EDIT_PRIVATE_H

#include "registry/edit.h"

/* A change as edit makes them, without its event's detail. */
struct change edit_change(const struct edit *edit, enum change_kind kind,
    const char *event_kind, const char *subject);

/* The event's detail, for the caller to free; NULL: no memory. */
char *edit_describe(const char *format, ...) PRINTF_LIKE(1, 2);

/* ", KEY OLD -> NEW" behind detail, which is freed, without the comma where
 * that is ""; detail alone if nothing changed, and NULL if it is NULL. */
char *edit_describe_change(
    char *detail, const char *key, const char *old, const char *new);

/* detail with edit.by behind it, as in "added by=alice", for the caller to
 * free; a name of more than letters, digits and the like is in double quotes.
 * Takes detail; NULL in, NULL out: no memory. */
char *edit_sign(const struct edit *edit, char *detail);

/* Apply one change, signed; detail is freed, "" is none, and NULL is what
 * edit_describe() says without memory. */
MUST_CHECK enum res edit_apply(const struct edit *edit, struct change *change,
    char *detail, struct diag *why);
/* The same where RES_EXISTS says that it is so already: RES_OK; change.result
 * tells which it was. */
MUST_CHECK enum res edit_apply_once(const struct edit *edit,
    struct change *change, char *detail, struct diag *why);

/* A word into a record's array; it is never cut.  RES_SYNTAX: it is empty;
 * RES_LIMIT: it is too long. */
MUST_CHECK enum res edit_put_word(char *to, size_t size, const char *word,
    const char *label, struct diag *why);
MUST_CHECK enum res edit_put_org(
    const struct edit *edit, char org[NAME_MAX_LEN + 1], struct diag *why);

#endif /* REGISTRY_EDIT_PRIVATE_H */
