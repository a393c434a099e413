/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pin: certid device pin, and the certificates of --cert.
 */
#include "manage/pin.h"

#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"
#include "trust/leaf.h"

#define CERT_WANTED                                                            \
	"the device's certificate, or its SHA-256 fingerprint, 64 hex digits"

bool
fingerprint_parse(const char *text, uint8_t hash[HASH_LEN])
{
	char hex[HASH_TEXT_MAX + 1];
	size_t i, len = strlen(text), at = 0;

	if (len != HASH_TEXT_MAX && len != HASH_TEXT_MAX + HASH_LEN - 1) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (len > HASH_TEXT_MAX && i % 3 == 2) {
			if (text[i] != ':') {
				return false;
			}
		} else {
			hex[at++] = text[i];
		}
	}
	hex[at] = '\0';
	return text_unhex(hex, hash, HASH_LEN);
}

/* Whether a certificate that was read may be a pin of who, and what of it. */
static int
judge(const struct call *call, const char *path, const struct leaf *leaf,
    const struct identity *who)
{
	char wanted[IDENTITY_TEXT_MAX + 1], named[IDENTITY_TEXT_MAX + 1];
	const struct cert_info *info = leaf_info(leaf);
	char ended[TIME_MAX + 1];
	struct identity found;
	const char *why = "";

	if (leaf_check(leaf, &why) != REASON_NONE ||
	    leaf_identity(leaf, &found, &why) != REASON_NONE) {
		return refuse(EXIT_REFUSED,
		    "%.200s: no device can use this certificate: %s", path,
		    why);
	}
	if (!identity_equal(&found, who)) {
		identity_format(who, wanted);
		identity_format(&found, named);
		return refuse(EXIT_REFUSED,
		    "%.200s is the certificate of %s, not of %s", path, named,
		    wanted);
	}
	if (info->not_after != CLOCK_NONE && info->not_after < call->now) {
		clock_format(info->not_after, ended);
		caution("%.200s expired at %s", path, ended);
	}
	return EXIT_DONE;
}

static int
read_pin(const struct call *call, const char *path, const struct identity *who,
    struct pin *out)
{
	struct leaf *leaf = NULL;
	const struct cert_info *info;
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;
	int code;

	r = read_file(
	    call, path, CERT_WANTED, CERT_FILE_MAX, &bytes, &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = leaf_parse(bytes, len, &leaf, &why);
	free(bytes);
	if (r != RES_OK) {
		return blame_file(path, &why);
	}
	code = judge(call, path, leaf, who);
	if (code == EXIT_DONE) {
		info = leaf_info(leaf);
		memcpy(out->fingerprint, info->fingerprint, HASH_LEN);
		memcpy(out->key, info->key, HASH_LEN);
		out->has_key = true;
		out->not_before = info->not_before;
	}
	leaf_free(leaf);
	return code;
}

/* --none aside, how many --cert there are; those beyond PIN_SLOTS are told. */
static bool
count_certs(const struct call *call, size_t *out)
{
	size_t at = 0, n = 0;

	while (call_next_option(call, "cert", &at) != NULL) {
		n++;
	}
	if (n > PIN_SLOTS) {
		(void)misuse(call,
		    "--cert may be given %d times: an old and a new "
		    "certificate",
		    PIN_SLOTS);
		return false;
	}
	*out = n;
	return true;
}

int
take_pins(const struct call *call, const struct identity *who, struct pins *out)
{
	struct pins pins = {.count = 0};
	const char *text;
	size_t at = 0, n = 0;
	struct pin pin;
	int code;

	if (!count_certs(call, &n)) {
		return EXIT_USAGE;
	}
	while ((text = call_next_option(call, "cert", &at)) != NULL) {
		pin = (struct pin){.not_before = CLOCK_NONE,
		    .added_at = call->now,
		    .ends_at = CLOCK_FOREVER};
		code = fingerprint_parse(text, pin.fingerprint)
		    ? EXIT_DONE
		    : read_pin(call, text, who, &pin);
		if (code != EXIT_DONE) {
			return code;
		}
		if (pins_find(&pins, pin.fingerprint) != NULL) {
			return misuse(call,
			    "--cert %.120s is given twice, or is the same "
			    "certificate",
			    text);
		}
		pins.list[pins.count++] = pin;
	}
	*out = pins;
	return EXIT_DONE;
}

/* One that needs no change stays as it is. */
void
keep_known(const struct pins *before, struct pins *pins)
{
	const struct pin *old;
	struct pin *pin;
	size_t i;

	for (i = 0; i < pins->count; i++) {
		pin = &pins->list[i];
		old = pins_find(before, pin->fingerprint);
		if (old == NULL) {
			continue;
		}
		if (!old->waits && old->ends_at == CLOCK_FOREVER) {
			pin->added_at = old->added_at;
		}
		if (old->has_ca) {
			pin->has_ca = true;
			memcpy(pin->ca, old->ca, HASH_LEN);
		}
		if (!pin->has_key) {
			pin->has_key = old->has_key;
			memcpy(pin->key, old->key, HASH_LEN);
			pin->not_before = old->not_before;
		}
	}
}

static int
pin_device(struct call *call, struct device *device, struct pins *pins)
{
	struct edit edit = call_edit(call);
	char text[IDENTITY_TEXT_MAX + 1];
	struct diag why = {""};
	bool already;
	enum res r;

	keep_known(&device->pins, pins);
	already = pins_equal(&device->pins, pins);
	r = edit_device_pins(&edit, &device->who, pins, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	device->pins = *pins;
	identity_format(&device->who, text);
	if (pins->count == 0) {
		return report(call,
		    device_json(&call->config, device, call->now),
		    "the device %s is %sheld to no certificate", text,
		    already ? "" : "now ");
	}
	return report(call, device_json(&call->config, device, call->now),
	    "the device %s is %s held to %s", text, already ? "already" : "now",
	    pins->count == 1 ? "this certificate" : "these two certificates");
}

int
run_device_pin(struct call *call)
{
	struct device device = {.tags = NULL};
	struct pins pins = {.count = 0};
	struct identity who;
	bool none = call_option(call, "none") != NULL;
	bool some = call_option(call, "cert") != NULL;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	if (none == some) {
		return misuse(call,
		    none ? "give --cert or --none, not both"
		         : "give --cert FILE, --cert HASH or --none");
	}
	code = find_device(call, &who, &device);
	if (code == EXIT_DONE) {
		code = take_pins(call, &who, &pins);
	}
	if (code == EXIT_DONE) {
		code = pin_device(call, &device, &pins);
	}
	device_done(&device);
	return code;
}
