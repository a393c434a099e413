/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * What becomes of an identity that is beyond doubt: is it known, may it become
 * a device, and is this certificate one of its own?
 */
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "policy/pins.h"
#include "policy/walk.h"

/* The mode of the type or the org, unless the CA's is stricter. */
static enum enrolment
mode_of(const struct walk *walk)
{
	const struct facts *facts = walk->facts;
	enum enrolment mode = walk->type != NULL && walk->type->has_enrolment
	    ? walk->type->enrolment
	    : walk->policy->enrolment;

	if (facts->has_ca_enrolment && facts->ca_enrolment < mode) {
		mode = facts->ca_enrolment;
	}
	return mode;
}

static bool
is_held_to_pins(const struct walk *walk)
{
	return walk->facts->has_certificate && !walk->is_behind &&
	    !walk->facts->pins_unknowable;
}

static enum step_result
look_clock(struct walk *walk)
{
	char clock[TIME_MAX + 1];

	if (walk->facts->clock_is_set) {
		return STEP_PASS;
	}
	walk->verdict->pins = walk->facts->pins;
	clock_format(walk->facts->now, clock);
	return walk_fail(walk, REASON_CLOCK_UNSET,
	    "the clock says %s, which is before this program was built; set it "
	    "to admit new devices",
	    clock);
}

/* What is said of another certificate than the one that was presented. */
#define OTHER_DIGITS 16

/* A certificate that is to wait.  Nobody but explain reads this, which writes
 * nothing: so what is not written yet is only said to be. */
static enum step_result
tell_waiting(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	const struct pin *waiting = pins_waiting(&facts->pins);
	char hex[HASH_TEXT_MAX + 1];

	if (waiting == NULL) {
		return walk_fail(walk, REASON_DEVICE_PENDING,
		    "%s, and would wait for approval; once the device has "
		    "presented it, certid device approve %s admits it",
		    walk->pinned, walk->name);
	}
	if (memcmp(waiting->fingerprint, facts->presented.fingerprint,
	        HASH_LEN) == 0) {
		return walk_fail(walk, REASON_DEVICE_PENDING,
		    "%s, and waits for approval; certid device approve %s "
		    "admits it",
		    walk->pinned, walk->name);
	}
	text_hex(hex, waiting->fingerprint, HASH_LEN);
	return walk_fail(walk, REASON_DEVICE_PENDING,
	    "%s, and would wait for approval in the place of %.*s..., which "
	    "is what waits now",
	    walk->pinned, OTHER_DIGITS, hex);
}

/* It is refused, and its certificate noted, until an operator has looked.  Of a
 * device that was not seen yet it is the last thing that stands against it. */
static enum step_result
let_wait(struct walk *walk, const struct pins *pins)
{
	const struct facts *facts = walk->facts;

	if (facts->sight != SIGHT_KNOWN && look_clock(walk) == STEP_FAIL) {
		return STEP_FAIL;
	}
	if (facts->can_record && !pins_equal(pins, &facts->pins)) {
		walk->verdict->pins = *pins;
		walk->verdict->action = ACTION_PINS;
	}
	return tell_waiting(walk);
}

/* The pins that the device is to have; *must tells whether it may be admitted
 * only if they are written. */
static enum step_result
look_pins(struct walk *walk, bool *must)
{
	const struct facts *facts = walk->facts;
	struct pins pins;

	*must = false;
	walk->pinned = "no certificate is asked for";
	if (!is_held_to_pins(walk)) {
		return STEP_PASS;
	}
	switch ((facts->is_again ? policy_pins_again : policy_pins)(walk->type,
	    &facts->pins, &facts->presented, facts->now, &pins,
	    &walk->pinned)) {
	case PINS_TAKEN:
		*must = true;
		walk->verdict->pins = pins;
		return STEP_PASS;
	case PINS_HELD:
		walk->verdict->pins = pins;
		return STEP_PASS;
	case PINS_WAIT:
		return let_wait(walk, &pins);
	case PINS_REFUSE:
		break;
	}
	return walk_fail(walk, REASON_PIN_MISMATCH,
	    "%s; certid device pin %s sets those that it may use", walk->pinned,
	    walk->name);
}

static enum step_result
look_known(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	struct verdict *verdict = walk->verdict;
	enum step_result result;
	bool must;

	result = look_pins(walk, &must);
	if (result == STEP_FAIL) {
		return result;
	}
	if (!facts->can_record) {
		verdict->pins = facts->pins; /* there will be other times */
	}
	if (must || !pins_equal(&verdict->pins, &facts->pins)) {
		verdict->action = ACTION_PINS;
	}
	return walk_pass(
	    walk, "the registry knows %s; %s", walk->name, walk->pinned);
}

/* What the type or the format of its ids has against a new device, or the
 * letters of one that is there. */
static enum step_result
look_name(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	char text[TYPE_TEXT_MAX + 1], format[ID_RULE_TEXT_MAX + 1];
	const char *why = NULL;

	device_type_format(&facts->who.type, text);
	if (walk->policy->types_declared &&
	    (walk->type == NULL || !walk->type->is_declared)) {
		return walk_fail(walk, REASON_TYPE_UNKNOWN,
		    "the type %s is not declared; certid type set %s declares "
		    "it",
		    text, text);
	}
	if (!id_rule_check(walk_id_rule(walk), facts->who.id, &why)) {
		id_rule_format(walk_id_rule(walk), format);
		return walk_fail(walk, REASON_ID_FORMAT,
		    "%s: the type %s demands %s", why, text, format);
	}
	if (facts->sight == SIGHT_CASE) {
		return walk_fail(walk, REASON_IDENTITY_CASE,
		    "the registry holds %s in other upper and lower case",
		    walk->name);
	}
	return STEP_PASS;
}

/* What the mode or the window has against a new device. */
static enum step_result
look_enrolment(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	char text[TIME_MAX + 1];

	if (facts->sight == SIGHT_ALLOWED) {
		if (facts->now < facts->window_ends_at) {
			return STEP_PASS;
		}
		clock_format(facts->window_ends_at, text);
		return walk_fail(walk, REASON_WINDOW_EXPIRED,
		    "the window for the first connection ended at %s; for a "
		    "new one certid device remove %s, then add it again",
		    text, walk->name);
	}
	switch (mode_of(walk)) {
	case ENROL_AUTO:
	case ENROL_APPROVE:
		return STEP_PASS;
	case ENROL_LISTED:
		break;
	}
	return walk_fail(walk, REASON_DEVICE_UNLISTED,
	    "first seen, and the enrolment mode is listed; certid device add "
	    "%s admits it",
	    walk->name);
}

static enum step_result
look_address(struct walk *walk)
{
	const struct type_policy *type = walk->type;
	const char *address = walk->facts->address;
	char quoted[72] = "not known";

	if (type == NULL || !type->has_addresses ||
	    cidr_holds(type->addresses, type->address_count, address)) {
		return STEP_PASS;
	}
	if (address != NULL) {
		text_quote(quoted, sizeof(quoted), address, strlen(address));
	}
	return walk_fail(walk, REASON_ADDRESS,
	    "first connections of this type come from certain addresses "
	    "alone, and this one is %s",
	    quoted);
}

bool
policy_counts(const struct policy *policy, const struct device_type *type)
{
	const struct type_policy *said = policy_type(policy, type);

	return policy->max_devices > 0 ||
	    (said != NULL && said->max_devices > 0);
}

/* How many there may be, and how soon after each other.  One that was added
 * by an operator is counted already. */
static enum step_result
look_quota(struct walk *walk)
{
	const struct facts *facts = walk->facts;
	int64_t org_max = walk->policy->max_devices;
	int64_t type_max = walk->type == NULL ? 0 : walk->type->max_devices;

	if (facts->sight != SIGHT_FIRST) {
		return STEP_PASS;
	}
	if ((org_max > 0 || type_max > 0) && !facts->counted) {
		return walk_fail(walk, REASON_REGISTRY_ERROR,
		    "how many devices there are could not be found out");
	}
	if (type_max > 0 && facts->type_devices >= type_max) {
		return walk_fail(walk, REASON_QUOTA,
		    "there are %" PRId64 " devices of this type, and at most "
		    "%" PRId64 " may be",
		    facts->type_devices, type_max);
	}
	if (org_max > 0 && facts->org_devices >= org_max) {
		return walk_fail(walk, REASON_QUOTA,
		    "there are %" PRId64 " devices in the org, and at most "
		    "%" PRId64 " may be",
		    facts->org_devices, org_max);
	}
	if (!facts->within_rate) {
		return walk_fail(walk, REASON_RATE,
		    "the CA brings more new identities than its rate admits");
	}
	return STEP_PASS;
}

/* They are written with the device. */
static enum step_result
look_new_pins(struct walk *walk)
{
	bool must;

	return look_pins(walk, &must);
}

/* All is well: what is to be written? */
static enum step_result
enrol(struct walk *walk)
{
	struct verdict *verdict = walk->verdict;
	char text[TIME_MAX + 1];

	if (walk->facts->sight == SIGHT_ALLOWED) {
		clock_format(walk->facts->window_ends_at, text);
		verdict->action = ACTION_PROVISION;
		return walk_pass(walk,
		    "added by an operator, with a window until %s; %s",
		    walk->facts->window_ends_at == CLOCK_FOREVER
		        ? "further notice"
		        : text,
		    walk->pinned);
	}
	if (mode_of(walk) == ENROL_AUTO) {
		verdict->action = ACTION_PROVISION;
		return walk_pass(walk,
		    "first seen, and the enrolment mode is auto; %s",
		    walk->pinned);
	}
	verdict->action = ACTION_PEND;
	if (!walk->facts->can_record) {
		return walk_pass(walk,
		    "first seen, and must be recorded to wait for "
		    "approval");
	}
	return walk_fail(walk, REASON_DEVICE_PENDING,
	    "first seen, and the enrolment mode is approve: it would wait for "
	    "approval; once it has connected, certid device approve %s admits "
	    "it",
	    walk->name);
}

/* What a device must meet that is to be written as provisioned or pending, in
 * the order of reasons. */
static enum step_result
look_new(struct walk *walk)
{
	static enum step_result (*const looks[])(struct walk * walk) = {
	    look_enrolment, look_name, look_address, look_quota, look_new_pins,
	    look_clock};
	enum step_result result;
	size_t i;

	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		result = looks[i](walk);
		if (result == STEP_FAIL) {
			return result;
		}
	}
	return enrol(walk);
}

/* It may wait with another certificate than the one that is presented. */
static enum step_result
look_pending(struct walk *walk)
{
	const struct pins *pins = &walk->facts->pins;
	char hex[HASH_TEXT_MAX + 1];

	if (!is_held_to_pins(walk) || pins->count == 0 ||
	    pins_find(pins, walk->facts->presented.fingerprint) != NULL) {
		return walk_fail(walk, REASON_DEVICE_PENDING,
		    "waits for approval; certid device approve %s admits it",
		    walk->name);
	}
	text_hex(hex, pins->list[pins->count - 1].fingerprint, HASH_LEN);
	return walk_fail(walk, REASON_DEVICE_PENDING,
	    "waits for approval with another certificate, %.*s...; certid "
	    "device show %s tells more",
	    OTHER_DIGITS, hex, walk->name);
}

enum step_result
walk_device(struct walk *walk)
{
	const struct facts *facts = walk->facts;

	if (facts->locked) {
		return walk_fail(walk, REASON_DEVICE_LOCKED,
		    "locked; certid device unlock %s admits it", walk->name);
	}
	switch (facts->sight) {
	case SIGHT_KNOWN:
		return look_known(walk);
	case SIGHT_PENDING:
		return look_pending(walk);
	case SIGHT_FIRST:
	case SIGHT_CASE:
		if (!facts->has_certificate && !walk->is_behind) {
			return walk_fail(walk, REASON_DEVICE_UNLISTED,
			    "first seen, and a token alone makes no new "
			    "device; certid device add %s admits it",
			    walk->name);
		}
		return look_new(walk);
	case SIGHT_ALLOWED:
		return look_new(walk);
	case SIGHT_FAILED:
		break;
	}
	return walk_skip(walk, "nothing is known about the device");
}

static enum step_result
admit(struct walk *walk, enum reason reason, const char *detail)
{
	walk->verdict->reason = reason;
	return walk_pass(walk, "%s", detail);
}

enum step_result
walk_registry(struct walk *walk)
{
	struct verdict *verdict = walk->verdict;
	const struct facts *facts = walk->facts;

	if (verdict->action == ACTION_NONE) {
		return facts->sight == SIGHT_KNOWN
		    ? admit(walk, REASON_KNOWN, "there is nothing to write")
		    : walk_fail_found(walk, REASON_REGISTRY_ERROR, NULL);
	}
	if (verdict->action == ACTION_PROVISION && facts->can_record) {
		return admit(walk, REASON_PROVISIONED,
		    "the device is written as provisioned");
	}
	if (verdict->action == ACTION_PINS && facts->can_record) {
		return admit(walk, REASON_KNOWN,
		    "the certificate is written as the device's");
	}
	verdict->action = ACTION_NONE;
	verdict->pins = facts->pins;
	return walk_fail_found(walk, REASON_REGISTRY_BUSY, NULL);
}
