/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * field: the fields that pins and token hashes are made of as text, with a ':'
 * after each but the last.  Within this room.
 *
 * Reads generously: the caller writes what it read, and compares.
 */
#ifndef IDENTITY_FIELD_H
#define IDENTITY_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write at to, which has the room, and return where the NUL stands. */
char *field_put_bytes(
    char *to, bool is_known, const uint8_t *bytes, size_t len);
/* "-" for the time that stands for none. */
char *field_put_time(char *to, int64_t when, int64_t none);
char *field_put_end(char *to, char end); /* ':', a mark, a blank */

/* Read at *at, and move it on.  False: not such a field. */
bool field_get_bytes(
    const char **at, bool *is_known, uint8_t *bytes, size_t len);
bool field_get_time(const char **at, int64_t none, int64_t *out);
bool field_get_end(const char **at, char end);

#endif /* IDENTITY_FIELD_H */
