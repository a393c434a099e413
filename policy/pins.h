/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pins: whether a device may use the certificate that it presents, and what
 * becomes of its slots.  A pure function.
 *
 * Pins that are there hold whatever the mode: an operator who lists a
 * certificate means it, also in a type with the mode none.  Without any, none
 * admits, first takes the certificate up, listed refuses.
 *
 * A certificate that is in no slot is taken up by the type's rotation:
 * same-key, if a slot that holds has the same public key, and the newest slot
 * whose notBefore is known no later one; same-ca, if the newest slot holds and
 * has the same CA and an earlier notBefore; approve: it waits, in the place of
 * any other that waits.  Taking up gives every slot that has no end one, after
 * the overlap, and drops the older one where there are two.  A certificate in
 * a slot that has lapsed is never taken up again, nor is one that was pushed
 * out of its slot since, if it began before the one that took its place.
 */
#ifndef POLICY_PINS_H
#define POLICY_PINS_H

#include "identity/pin.h"
#include "policy/policy.h"

enum pin_answer {
	PINS_REFUSE = 0, /* pin-mismatch */
	PINS_WAIT,       /* for approval: out is to be written if it differs */
	PINS_HELD,       /* admitted; out is to be written if it differs: what
	                    was not known of the slot is known now */
	PINS_TAKEN,      /* admitted, and out is to be written */
};

/*
 * type may be NULL: nothing is said, mode none.  presented holds all that is
 * known of the certificate; waits, added_at and ends_at do not count.  *out is
 * always set, to pins where nothing is to be written.  *why is a constant
 * sentence.
 */
enum pin_answer policy_pins(const struct type_policy *type,
    const struct pins *pins, const struct pin *presented, int64_t now,
    struct pins *out, const char **why);

/*
 * The same of a session that was admitted before.  A certificate that the
 * device had then is in a slot, or is taken up where it has none (mode first);
 * no rotation is gone through again: PINS_REFUSE, never PINS_WAIT.
 */
enum pin_answer policy_pins_again(const struct type_policy *type,
    const struct pins *pins, const struct pin *presented, int64_t now,
    struct pins *out, const char **why);

/* An operator approves of the certificate that waits: it is taken up.  False,
 * and *out is as it was: none waits. */
bool policy_pins_approve(
    const struct pins *pins, int64_t overlap, int64_t now, struct pins *out);

#endif /* POLICY_PINS_H */
