/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/pin.h"

#include <string.h>

#include "identity/field.h"

#define MARK_SLOT 's'
#define MARK_WAIT 'w'

static char *
format_pin(const struct pin *pin, char *to)
{
	to = field_put_bytes(to, true, pin->fingerprint, HASH_LEN);
	to = field_put_end(to, ':');
	to = field_put_bytes(to, pin->has_key, pin->key, HASH_LEN);
	to = field_put_end(to, ':');
	to = field_put_bytes(to, pin->has_ca, pin->ca, HASH_LEN);
	to = field_put_end(to, ':');
	to = field_put_time(to, pin->not_before, CLOCK_NONE);
	to = field_put_end(to, ':');
	to = field_put_time(to, pin->added_at, CLOCK_NONE);
	to = field_put_end(to, ':');
	to = field_put_time(to, pin->ends_at, CLOCK_FOREVER);
	to = field_put_end(to, ':');
	return field_put_end(to, pin->waits ? MARK_WAIT : MARK_SLOT);
}

void
pins_format(const struct pins *pins, char text[PINS_TEXT_MAX + 1])
{
	char *at = text;
	size_t i;

	text[0] = '\0';
	for (i = 0; i < pins->count && i < PINS_MAX; i++) {
		if (i > 0) {
			at = field_put_end(at, ' ');
		}
		at = format_pin(&pins->list[i], at);
	}
}

static bool
read_pin(const char **at, struct pin *out)
{
	bool has_fingerprint;

	if (!field_get_bytes(
	        at, &has_fingerprint, out->fingerprint, HASH_LEN) ||
	    !has_fingerprint || !field_get_end(at, ':') ||
	    !field_get_bytes(at, &out->has_key, out->key, HASH_LEN) ||
	    !field_get_end(at, ':') ||
	    !field_get_bytes(at, &out->has_ca, out->ca, HASH_LEN) ||
	    !field_get_end(at, ':') ||
	    !field_get_time(at, CLOCK_NONE, &out->not_before) ||
	    !field_get_end(at, ':') ||
	    !field_get_time(at, CLOCK_NONE, &out->added_at) ||
	    !field_get_end(at, ':') ||
	    !field_get_time(at, CLOCK_FOREVER, &out->ends_at) ||
	    !field_get_end(at, ':')) {
		return false;
	}
	out->waits = **at == MARK_WAIT;
	return field_get_end(at, out->waits ? MARK_WAIT : MARK_SLOT);
}

/* Whether one more may stand beside those that are there. */
static bool
has_room(const struct pins *pins, const struct pin *pin)
{
	size_t i, alike = 0;

	for (i = 0; i < pins->count; i++) {
		alike += pins->list[i].waits == pin->waits;
	}
	return alike < (pin->waits ? PINS_MAX - PIN_SLOTS : PIN_SLOTS) &&
	    pins_find(pins, pin->fingerprint) == NULL;
}

static bool
read_pins(const char *text, struct pins *out)
{
	struct pin pin;

	while (*text != '\0') {
		pin = (struct pin){0};
		if ((out->count > 0 && !field_get_end(&text, ' ')) ||
		    !read_pin(&text, &pin) || !has_room(out, &pin)) {
			return false;
		}
		out->list[out->count++] = pin;
	}
	return true;
}

enum res
pins_parse(const char *text, struct pins *out)
{
	char again[PINS_TEXT_MAX + 1];

	*out = (struct pins){0};
	if (read_pins(text, out)) {
		pins_format(out, again);
		if (strcmp(again, text) == 0) {
			return RES_OK;
		}
	}
	*out = (struct pins){0};
	return RES_SYNTAX;
}

static bool
equal_hash(bool a_known, const uint8_t *a, bool b_known, const uint8_t *b)
{
	return a_known == b_known && (!a_known || memcmp(a, b, HASH_LEN) == 0);
}

static bool
equal(const struct pin *a, const struct pin *b)
{
	return memcmp(a->fingerprint, b->fingerprint, HASH_LEN) == 0 &&
	    equal_hash(a->has_key, a->key, b->has_key, b->key) &&
	    equal_hash(a->has_ca, a->ca, b->has_ca, b->ca) &&
	    a->not_before == b->not_before && a->added_at == b->added_at &&
	    a->ends_at == b->ends_at && a->waits == b->waits;
}

bool
pins_equal(const struct pins *a, const struct pins *b)
{
	size_t i;

	if (a->count != b->count) {
		return false;
	}
	for (i = 0; i < a->count; i++) {
		if (!equal(&a->list[i], &b->list[i])) {
			return false;
		}
	}
	return true;
}

const struct pin *
pins_find(const struct pins *pins, const uint8_t fingerprint[HASH_LEN])
{
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (memcmp(pins->list[i].fingerprint, fingerprint, HASH_LEN) ==
		    0) {
			return &pins->list[i];
		}
	}
	return NULL;
}

bool
pins_hold(const struct pins *pins, int64_t now)
{
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (!pins->list[i].waits && now < pins->list[i].ends_at) {
			return true;
		}
	}
	return false;
}

const struct pin *
pins_waiting(const struct pins *pins)
{
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (pins->list[i].waits) {
			return &pins->list[i];
		}
	}
	return NULL;
}
