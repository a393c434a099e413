/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * scope: which identities a CA may assert.
 *
 * A pattern is CLASS:TYPE:ID where each part may end in one '*', which stands
 * for any bytes: d:meter:*, g:*:*, d:meter:A*, *:*:* .  A list of none means
 * that the CA may assert any identity.
 */
#ifndef TRUST_SCOPE_H
#define TRUST_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/res.h"
#include "identity/identity.h"

#define SCOPE_PATTERNS_MAX 64 /* a CA */

/* RES_OK, or RES_SYNTAX / RES_LIMIT with *why a constant sentence. */
MUST_CHECK enum res scope_check(const char *pattern, const char **why);

/* Whether one of n well-formed patterns covers who; true if n is 0.  A
 * pattern that is not well-formed covers nobody. */
bool scope_covers(
    const char *const *patterns, size_t n, const struct identity *who);

#endif /* TRUST_SCOPE_H */
