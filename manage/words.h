/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * words: arguments and options checked against the rooms that own them.
 *
 * The take_ functions answer false after they have told the user what to
 * write instead; then *out is as it was and the exit code is EXIT_USAGE.  An
 * option that was not given is true, and *out is as it was.
 */
#ifndef MANAGE_WORDS_H
#define MANAGE_WORDS_H

#include "common/json.h"
#include "manage/call.h"

/* The longest DNS name (RFC 1035 2.3.4) but for an org's name and a dot. */
#define SUFFIX_MAX (253 - NAME_MAX_LEN - 1)

MUST_CHECK bool take_identity(
    const struct call *call, const char *text, struct identity *out);
MUST_CHECK bool take_type(
    const struct call *call, const char *text, struct device_type *out);
MUST_CHECK bool take_number(const struct call *call, const char *option,
    int64_t low, int64_t high, int64_t *out);

/* Seconds; CLOCK_FOREVER for "none". */
MUST_CHECK bool take_window(const struct call *call, int64_t *out);

/* A point in time, or a span before now. */
MUST_CHECK bool take_since(const struct call *call, int64_t *out);

/* The option --enrol into word[WORD_MAX + 1]; "" for "default". */
MUST_CHECK bool take_enrol(const struct call *call, char *word);

/* The JSON array of every --scope or --tag, to be freed; NULL in *out if there
 * was none. */
MUST_CHECK bool take_scope(const struct call *call, char **out);
MUST_CHECK bool take_tags(const struct call *call, char **out);

/*
 * What follows the name of an org in the name of a server: a DNS name of labels
 * of 1-63 letters, digits and hyphens, none of these first or last (RFC 952,
 * RFC 1123 2.1); at most SUFFIX_MAX bytes; no dot at either end, no wildcard,
 * no IP address (RFC 6066 3). *out is in lower case.  RES_SYNTAX, RES_LIMIT;
 * *why is a constant sentence.
 */
MUST_CHECK enum res suffix_parse(
    const char *text, char out[SUFFIX_MAX + 1], const char **why);

/* "none" for CLOCK_FOREVER, "" for CLOCK_NONE, else "48h". */
void window_format(int64_t window, char text[SPAN_TEXT_MAX + 1]);

/* Whether url may be a CA's crl-url; "" is not asked here. */
MUST_CHECK bool take_url_text(const struct call *call, const char *url);

/*
 * A regular file as bytes with a NUL after them, to be freed; "-" is a file's
 * name like any other.  what completes the sentence on one that is not there:
 * "give the path of WHAT".  A call that came over MQTT reads its inline files
 * and nothing else, whatever path says.  RES_REFUSED, RES_NOMEM.
 */
MUST_CHECK enum res read_file(const struct call *call, const char *path,
    const char *what, size_t max, uint8_t **out, size_t *len, struct diag *why);

#endif /* MANAGE_WORDS_H */
