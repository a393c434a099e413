/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * edit_device: what operators do to one device that is registered: its token,
 * its pins, its gateway, its approval.  See edit.h.
 */
#include <stdlib.h>
#include <string.h>

#include "registry/edit_private.h"

/* The id of a certificate in an event: as much of its fingerprint as a CA's id
 * has. */
#define SHORT_LEN (CA_ID_MIN / 2)

/* One change of a device; text is the event's subject. */
static struct change
change_of(const struct edit *edit, enum change_kind kind,
    const char *event_kind, struct device *device,
    char text[IDENTITY_TEXT_MAX + 1])
{
	struct change change;

	identity_format(&device->who, text);
	change = edit_change(edit, kind, event_kind, text);
	change.of.device = device;
	return change;
}

static char *
describe_token(const struct token_hash *token)
{
	char until[TIME_MAX + 1];

	if (!token->is_set) {
		return edit_describe("revoked");
	}
	if (token->expires_at == CLOCK_FOREVER) {
		return edit_describe("new token, without end");
	}
	clock_format(token->expires_at, until);
	return edit_describe("new token, valid until %s", until);
}

enum res
edit_device_token(const struct edit *edit, const struct identity *who,
    const struct token_hash *token, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct device device;
	struct change change;
	struct diag said;
	enum res r;

	device_init(&device, edit->org, who);
	device.token = *token;
	change = change_of(
	    edit, CHANGE_DEVICE_TOKEN, "token-changed", &device, text);
	r = edit_apply(edit, &change, describe_token(token), &said);
	if (r == RES_EXISTS) {
		return diag_res(why, RES_NOTFOUND,
		    "the device %s has no token: there is nothing to revoke",
		    text);
	}
	return r == RES_OK ? r : diag_res(why, r, "%s", said.text);
}

/* "none", or the certificates one after the other. */
static char *
describe_pins(const struct pins *pins)
{
	char hex[PINS_MAX][2 * SHORT_LEN + 1] = {"", "", ""};
	size_t i;

	if (pins->count == 0) {
		return edit_describe("none");
	}
	for (i = 0; i < pins->count && i < PINS_MAX; i++) {
		text_hex(hex[i], pins->list[i].fingerprint, SHORT_LEN);
	}
	return edit_describe("%s%s%s%s%s%s", hex[0], i > 1 ? ", " : "", hex[1],
	    i > 2 ? ", " : "", hex[2], pins->list[i - 1].waits ? " waits" : "");
}

enum res
edit_device_pins(const struct edit *edit, const struct identity *who,
    const struct pins *pins, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct device device;
	struct change change;

	device_init(&device, edit->org, who);
	device.pins = *pins;
	change =
	    change_of(edit, CHANGE_DEVICE_PINS, "pin-changed", &device, text);
	return edit_apply_once(edit, &change, describe_pins(pins), why);
}

/* Whether both are there and of the classes that attaching asks for. */
static enum res
check_gateway(const struct edit *edit, const struct identity *who,
    const struct identity *gateway, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct device there = {.tags = NULL};
	bool clash = false;
	enum res r;

	identity_format(gateway, text);
	if (who->type.class != 'd') {
		return diag_res(why, RES_REFUSED,
		    "only a device, d:TYPE:ID, can be attached to a gateway");
	}
	if (gateway->type.class != 'g') {
		return diag_res(why, RES_REFUSED,
		    "%s is no gateway: name one as g:TYPE:ID", text);
	}
	r = registry_get(
	    edit->registry, edit->org, gateway, false, &there, &clash, why);
	if (r == RES_NOTFOUND) {
		return diag_res(why, RES_NOTFOUND,
		    "the gateway %s is not registered%s: certid device add "
		    "adds it",
		    text, clash ? ", but one that differs in letter case" : "");
	}
	device_done(&there);
	return r;
}

enum res
edit_device_attach(const struct edit *edit, const struct identity *who,
    const struct identity *gateway, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], to[IDENTITY_TEXT_MAX + 1] = "";
	struct device device;
	struct change change;
	enum res r;

	device_init(&device, edit->org, who);
	if (gateway != NULL) {
		r = check_gateway(edit, who, gateway, why);
		if (r != RES_OK) {
			return r;
		}
		device.has_gateway = true;
		device.gateway = *gateway;
		identity_format(gateway, to);
	}
	change = change_of(edit, CHANGE_DEVICE_ATTACH,
	    gateway == NULL ? "device-detached" : "device-attached", &device,
	    text);
	return edit_apply_once(edit, &change, edit_describe("%s", to), why);
}

enum res
edit_device_approve(const struct edit *edit, const struct identity *who,
    const struct pins *pins, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], hex[2 * SHORT_LEN + 1] = "";
	struct device device;
	struct change change;

	device_init(&device, edit->org, who);
	if (pins != NULL && pins->count > 0) {
		device.pins = *pins;
		text_hex(hex, pins->list[0].fingerprint, SHORT_LEN);
	}
	change = change_of(
	    edit, CHANGE_DEVICE_APPROVE, "device-approved", &device, text);
	return edit_apply(edit, &change,
	    edit_describe("pending -> allowed%s%s",
	        hex[0] == '\0' ? "" : ", certificate ", hex),
	    why);
}

enum res
edit_device_approve_pins(const struct edit *edit, const struct identity *who,
    const struct pins *before, const struct pins *pins, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1], hex[2 * SHORT_LEN + 1] = "";
	struct device device;
	struct change change;
	struct diag said;
	enum res r;

	device_init(&device, edit->org, who);
	device.pins = *pins;
	if (pins->count > 0) {
		text_hex(
		    hex, pins->list[pins->count - 1].fingerprint, SHORT_LEN);
	}
	change = change_of(
	    edit, CHANGE_DEVICE_PINS, "device-approved", &device, text);
	change.pins_before = before;
	r = edit_apply(
	    edit, &change, edit_describe("certificate %s", hex), &said);
	if (r == RES_REFUSED) {
		return diag_res(why, RES_REFUSED,
		    "the certificates of the device %s changed in between: "
		    "look at it again with certid device show %s",
		    text, text);
	}
	return r == RES_OK ? r : diag_res(why, r, "%s", said.text);
}

/* Tags and info may be long: that they changed is enough to say. */
static char *
describe_notes(const struct device *device)
{
	char until[TIME_MAX + 1];
	bool has_tags = device->tags != NULL, has_info = device->info != NULL;
	bool has_window = device->window_ends_at != CLOCK_NONE;
	bool no_end = device->window_ends_at == CLOCK_FOREVER;

	clock_format(device->window_ends_at, until);
	return edit_describe("%s%s%s%s%s%s", has_tags ? "tags" : "",
	    has_tags && (has_info || has_window) ? ", " : "",
	    has_info ? "info" : "", has_info && has_window ? ", " : "",
	    !has_window  ? ""
	        : no_end ? "allowed without end"
	                 : "allowed until ",
	    has_window && !no_end ? until : "");
}

enum res
edit_device_set(
    const struct edit *edit, struct device *device, struct diag *why)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct change change =
	    change_of(edit, CHANGE_DEVICE_SET, "device-changed", device, text);

	return edit_apply_once(edit, &change, describe_notes(device), why);
}

enum res
edit_devices_imported(const struct edit *edit, const struct identity *last,
    const char *detail, struct diag *why)
{
	struct change change =
	    edit_change(edit, CHANGE_EVENT, "import", "import");
	struct device device;

	device_init(&device, edit->org, last);
	change.of.device = &device;
	return edit_apply(edit, &change, edit_describe("%s", detail), why);
}
