/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fetch_private: what fetch.c and fetch_file.c share: how a fetch is named, how
 * it fails, and those that need no server.
 */
#ifndef PLUGIN_FETCH_PRIVATE_H
#define PLUGIN_FETCH_PRIVATE_H

#include "plugin/fetch.h"

/* The URL as sentences show it: without its query, which may hold a password,
 * and shortened. */
void fetch_set_label(struct fetch *fetch, const char *url);

/* FETCH_FAILED, and why: "LABEL: " before the sentence.  Whatever is not
 * printable ASCII becomes '?', for a server may be quoted. */
void fetch_fail(struct fetch *fetch, const char *format, ...) PRINTF_LIKE(2, 3);

/* modified_at if it is fit for later requests, else CLOCK_NONE. */
int64_t fetch_settled(int64_t modified_at);

/*
 * Read the file at path: a regular one of 1 to max bytes.  Waits for no other
 * process, whatever path names.  FETCH_UNCHANGED where its date is modified_at,
 * unless that is CLOCK_NONE.
 */
void fetch_file(
    struct fetch *fetch, const char *path, size_t max, int64_t modified_at);

#endif /* PLUGIN_FETCH_PRIVATE_H */
