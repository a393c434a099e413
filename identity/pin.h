/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pin: a certificate that a device is held to.
 *
 * A device has at most two slots, so that an old and a new certificate
 * overlap, and one certificate that waits for an operator's approval.  What
 * takes a certificate up is decided in policy/pins.h.  Plain values; nothing
 * allocates; any thread.
 */
#ifndef IDENTITY_PIN_H
#define IDENTITY_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/res.h"
#include "common/text.h"

#define PIN_SLOTS 2
#define PINS_MAX  (PIN_SLOTS + 1) /* with the one that waits */

/* What is not known (of one that an operator listed by its fingerprint alone)
 * is filled in when the certificate is first seen. */
struct pin {
	uint8_t fingerprint[HASH_LEN]; /* SHA-256 of the DER */
	bool has_key, has_ca;
	uint8_t key[HASH_LEN]; /* SHA-256 of the SubjectPublicKeyInfo */
	uint8_t ca[HASH_LEN];  /* fingerprint of the CA that anchored it */
	int64_t not_before;    /* CLOCK_NONE: not known */
	int64_t added_at;
	int64_t ends_at; /* the slot has lapsed from then on; CLOCK_FOREVER */
	bool waits;      /* for approval: admits nobody */
};

/* All of a device's; the newest is the last. */
struct pins {
	size_t count;
	struct pin list[PINS_MAX];
};

/* Bytes of pins_format(): a pin is at most 3 hashes, 3 times and its marks. */
#define PIN_TEXT_MAX  (3 * HASH_TEXT_MAX + 3 * 20 + 7)
#define PINS_TEXT_MAX (PINS_MAX * (PIN_TEXT_MAX + 1))

/* Text for the registry: a blank between pins, ':' between their parts, "-"
 * for what is not known or has no end.  "" for none. */
void pins_format(const struct pins *pins, char text[PINS_TEXT_MAX + 1]);

/* The same back; RES_SYNTAX, and *out is empty: more than PIN_SLOTS slots, more
 * than one that waits, a fingerprint twice, anything else. */
MUST_CHECK enum res pins_parse(const char *text, struct pins *out);

bool pins_equal(const struct pins *a, const struct pins *b);

/* The one with this fingerprint, whatever its state, or NULL. */
const struct pin *pins_find(
    const struct pins *pins, const uint8_t fingerprint[HASH_LEN]);

/* Whether there is a slot that holds now; those that wait do not count. */
bool pins_hold(const struct pins *pins, int64_t now);

/* The one that waits for approval, or NULL. */
const struct pin *pins_waiting(const struct pins *pins);

#endif /* IDENTITY_PIN_H */
