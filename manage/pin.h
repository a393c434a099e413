/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pin: the certificates of --cert, each a file or a fingerprint.
 */
#ifndef MANAGE_PIN_H
#define MANAGE_PIN_H

#include "manage/call.h"

/*
 * Every --cert of the call, PIN_SLOTS at most, as slots of who without an end;
 * none given: *out is empty.  A file must hold one certificate that a client
 * may present, and name who; 64 hex digits, with or without colons, are a
 * fingerprint, of which nothing else is known.  An exit code, an error told;
 * then *out is as it was.
 */
MUST_CHECK int take_pins(
    const struct call *call, const struct identity *who, struct pins *out);

/* Of a certificate that is among before, more may be known than of the same one
 * in pins: its CA, its key, since when the device has been held to it. */
void keep_known(const struct pins *before, struct pins *pins);

/* The fingerprint that text is, in hex digits, which may have colons between
 * two and two.  False, and hash as it was: text is none. */
MUST_CHECK bool fingerprint_parse(const char *text, uint8_t hash[HASH_LEN]);

#endif /* MANAGE_PIN_H */
