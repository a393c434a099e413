/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/pins.h"

#include <string.h>

static bool
is_slot(const struct pin *pin)
{
	return !pin->waits;
}

static bool
slot_holds(const struct pin *pin, int64_t now)
{
	return is_slot(pin) && now < pin->ends_at;
}

static size_t
count_slots(const struct pins *pins)
{
	size_t i, count = 0;

	for (i = 0; i < pins->count; i++) {
		count += is_slot(&pins->list[i]);
	}
	return count;
}

static void
drop(struct pins *pins, size_t at)
{
	pins->count--;
	memmove(&pins->list[at], &pins->list[at + 1],
	    (pins->count - at) * sizeof(pins->list[0]));
	memset(&pins->list[pins->count], 0, sizeof(pins->list[0]));
}

static size_t
find_oldest_slot(const struct pins *pins)
{
	size_t i = 0;

	while (i < pins->count && !is_slot(&pins->list[i])) {
		i++;
	}
	return i;
}

static void
drop_waiting(struct pins *pins)
{
	size_t i = 0;

	while (i < pins->count) {
		if (is_slot(&pins->list[i])) {
			i++;
		} else {
			drop(pins, i);
		}
	}
}

static int64_t
end_of_overlap(int64_t overlap, int64_t now)
{
	if (overlap <= 0) {
		return now;
	}
	/* A moment that is never reached, but not "no end". */
	return now > CLOCK_FOREVER - 1 - overlap ? CLOCK_FOREVER - 1
	                                         : now + overlap;
}

/* The certificate becomes the newest slot; the older ones come to an end. */
static void
take_up(struct pins *pins, const struct pin *presented, int64_t overlap,
    int64_t now)
{
	struct pin taken = *presented;
	const struct pin *same = pins_find(pins, presented->fingerprint);
	size_t i;

	if (same != NULL) {
		drop(pins, (size_t)(same - pins->list));
	}
	while (count_slots(pins) >= PIN_SLOTS) {
		drop(pins, find_oldest_slot(pins));
	}
	for (i = 0; i < pins->count; i++) {
		if (is_slot(&pins->list[i]) &&
		    pins->list[i].ends_at == CLOCK_FOREVER) {
			pins->list[i].ends_at = end_of_overlap(overlap, now);
		}
	}
	taken.waits = false;
	taken.added_at = now;
	taken.ends_at = CLOCK_FOREVER;
	pins->list[pins->count++] = taken;
}

/* What was not known of it is known now. */
static void
complete(struct pin *pin, const struct pin *presented)
{
	if (!pin->has_key && presented->has_key) {
		pin->has_key = true;
		memcpy(pin->key, presented->key, HASH_LEN);
	}
	if (!pin->has_ca && presented->has_ca) {
		pin->has_ca = true;
		memcpy(pin->ca, presented->ca, HASH_LEN);
	}
	if (pin->not_before == CLOCK_NONE) {
		pin->not_before = presented->not_before;
	}
}

static bool
has_key_of_a_slot(
    const struct pins *pins, const struct pin *presented, int64_t now)
{
	const struct pin *pin;
	size_t i;

	for (i = 0; i < pins->count; i++) {
		pin = &pins->list[i];
		if (slot_holds(pin, now) && pin->has_key &&
		    presented->has_key &&
		    memcmp(pin->key, presented->key, HASH_LEN) == 0) {
			return true;
		}
	}
	return false;
}

/* CLOCK_NONE is before every time, and so never the later one. */
static bool
follows_newest_slot(
    const struct pins *pins, const struct pin *presented, int64_t now)
{
	const struct pin *newest = NULL;
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (is_slot(&pins->list[i])) {
			newest = &pins->list[i];
		}
	}
	return newest != NULL && slot_holds(newest, now) && newest->has_ca &&
	    presented->has_ca &&
	    memcmp(newest->ca, presented->ca, HASH_LEN) == 0 &&
	    newest->not_before != CLOCK_NONE &&
	    newest->not_before < presented->not_before;
}

/* One that was pushed out of its slot began before the one that came after it,
 * and does not come again.  Where nothing is known of the newest, which an
 * operator listed by its fingerprint, the one before it counts. */
static bool
precedes_newest_slot(const struct pins *pins, const struct pin *presented)
{
	int64_t newest = CLOCK_NONE;
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (is_slot(&pins->list[i]) &&
		    pins->list[i].not_before != CLOCK_NONE) {
			newest = pins->list[i].not_before;
		}
	}
	return newest == CLOCK_NONE || presented->not_before < newest;
}

/* It waits for approval, in the place of any other that does. */
static enum pin_answer
let_wait(struct pins *pins, const struct pin *presented, int64_t now)
{
	const struct pin *same = pins_find(pins, presented->fingerprint);
	struct pin waiting = *presented;

	waiting.waits = true;
	waiting.added_at = same == NULL ? now : same->added_at;
	waiting.ends_at = CLOCK_FOREVER;
	drop_waiting(pins);
	pins->list[pins->count++] = waiting;
	return PINS_WAIT;
}

/* A certificate that is in no slot, of a device that has some. */
static enum pin_answer
rotate(const struct type_policy *type, struct pins *pins,
    const struct pin *presented, int64_t now, const char **why)
{
	bool taken = false;

	switch (type == NULL ? ROTATE_NONE : type->rotation) {
	case ROTATE_APPROVE:
		*why = "the certificate is new";
		return let_wait(pins, presented, now);
	case ROTATE_SAME_KEY:
		if (!has_key_of_a_slot(pins, presented, now)) {
			*why = "the certificate is none of the device's, and "
			       "has another key";
		} else if (precedes_newest_slot(pins, presented)) {
			*why = "the certificate is none of the device's, and "
			       "began before the one that it has";
		} else {
			*why = "the certificate is new, with the same key";
			taken = true;
		}
		break;
	case ROTATE_SAME_CA:
		taken = follows_newest_slot(pins, presented, now);
		*why = taken ? "the certificate is newer, of the same CA"
		             : "the certificate is none of the device's, and "
		               "is not a newer one of the same CA";
		break;
	case ROTATE_NONE:
	default:
		*why = "the certificate is none of the device's";
		break;
	}
	if (!taken) {
		return PINS_REFUSE;
	}
	take_up(pins, presented, type->overlap, now);
	return PINS_TAKEN;
}

/* The first certificate of a device that has no slot. */
static enum pin_answer
begin(const struct type_policy *type, struct pins *pins,
    const struct pin *presented, int64_t now, const char **why)
{
	switch (type == NULL ? PIN_NONE : type->pin) {
	case PIN_NONE:
		*why = "any certificate will do";
		return PINS_HELD;
	case PIN_FIRST:
		take_up(pins, presented, 0, now);
		*why = "the first certificate, to which the device is held "
		       "from now on";
		return PINS_TAKEN;
	case PIN_LISTED:
	default:
		*why = "no certificate is listed for the device";
		return PINS_REFUSE;
	}
}

enum pin_answer
policy_pins(const struct type_policy *type, const struct pins *pins,
    const struct pin *presented, int64_t now, struct pins *out,
    const char **why)
{
	const struct pin *same = pins_find(pins, presented->fingerprint);

	*out = *pins;
	if (count_slots(pins) == 0) {
		return begin(type, out, presented, now, why);
	}
	if (same == NULL || !is_slot(same)) {
		return rotate(type, out, presented, now, why);
	}
	if (!slot_holds(same, now)) {
		*why = "a newer certificate has taken this one's place";
		return PINS_REFUSE;
	}
	complete(&out->list[same - pins->list], presented);
	*why = "the certificate is the device's";
	return PINS_HELD;
}

enum pin_answer
policy_pins_again(const struct type_policy *type, const struct pins *pins,
    const struct pin *presented, int64_t now, struct pins *out,
    const char **why)
{
	const struct pin *same = pins_find(pins, presented->fingerprint);

	*out = *pins;
	if (count_slots(pins) == 0) {
		return begin(type, out, presented, now, why);
	}
	if (same == NULL || !slot_holds(same, now)) {
		*why = "the certificate is none of the device's any more";
		return PINS_REFUSE;
	}
	*why = "the certificate is the device's";
	return PINS_HELD;
}

bool
policy_pins_approve(
    const struct pins *pins, int64_t overlap, int64_t now, struct pins *out)
{
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (!is_slot(&pins->list[i])) {
			const struct pin waiting = pins->list[i];

			*out = *pins;
			take_up(out, &waiting, overlap, now);
			return true;
		}
	}
	return false;
}
