/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/row_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/json_value.h"

#define SUBJECT_MAX JSON_MAX

/* How a device was seen: a text of words with a blank between. */
static const struct {
	const char *word;
	unsigned bit;
} sights[] = {
    {"tls", SEEN_TLS}, {"certificate", SEEN_CERT}, {"token", SEEN_TOKEN}};

#define SIGHT_COUNT (sizeof(sights) / sizeof(sights[0]))
#define SIGHTS_MAX  31

static void
format_sights(unsigned seen_with, char text[SIGHTS_MAX + 1])
{
	size_t i, len = 0;

	text[0] = '\0';
	for (i = 0; i < SIGHT_COUNT; i++) {
		if ((seen_with & sights[i].bit) != 0) {
			len +=
			    (size_t)snprintf(text + len, SIGHTS_MAX + 1 - len,
			        "%s%s", len > 0 ? " " : "", sights[i].word);
		}
	}
}

/* Of 2^3 sets there is one whose text it is, or none. */
static bool
parse_sights(const char *text, unsigned *out)
{
	char other[SIGHTS_MAX + 1];
	unsigned seen_with;

	for (seen_with = 1; seen_with <= SEEN_MAX; seen_with++) {
		format_sights(seen_with, other);
		if (strcmp(text, other) == 0) {
			*out = seen_with;
			return true;
		}
	}
	return false;
}

static void
add_text(struct json *object, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0') {
		json_add_text(object, key, text);
	}
}

static void
add_time(struct json *object, const char *key, int64_t when)
{
	if (when != CLOCK_NONE && when != CLOCK_FOREVER) {
		json_add_time(object, key, when);
	}
}

static void
add_hash(struct json *object, const char *key, bool has, const uint8_t *hash)
{
	if (has) {
		json_add_hash(object, key, hash);
	}
}

char *
row_record_print(const struct device *device)
{
	struct json *object = json_object();
	char seen[SIGHTS_MAX + 1], pins[PINS_TEXT_MAX + 1],
	    token[TOKEN_HASH_TEXT_MAX + 1], *text;

	format_sights(device->seen_with, seen);
	pins_format(&device->pins, pins);
	token_hash_format(&device->token, token);
	add_time(object, "created_at", device->created_at);
	add_time(object, "provisioned_at", device->provisioned_at);
	add_time(object, "last_seen_at", device->last_seen_at);
	add_text(object, "last_address", device->last_address);
	add_text(object, "seen_with", seen);
	add_hash(object, "ca", device->has_ca, device->ca);
	add_hash(object, "fingerprint", device->has_fingerprint,
	    device->fingerprint);
	add_text(object, "serial", device->serial);
	add_time(object, "not_after", device->not_after);
	add_text(object, "subject", device->subject);
	add_text(object, "pins", pins);
	add_text(object, "token", token);
	text = json_print(object);
	json_free(object);
	return text;
}

/* The read_ functions take one member; false: it is not what it should be. */
static bool
read_created(struct device *device, const char *text)
{
	return clock_parse(text, &device->created_at) == RES_OK;
}

static bool
read_provisioned(struct device *device, const char *text)
{
	return clock_parse(text, &device->provisioned_at) == RES_OK;
}

static bool
read_seen(struct device *device, const char *text)
{
	return clock_parse(text, &device->last_seen_at) == RES_OK;
}

static bool
read_address(struct device *device, const char *text)
{
	return text_copy(device->last_address, sizeof(device->last_address),
	    text, strlen(text));
}

static bool
read_seen_with(struct device *device, const char *text)
{
	return parse_sights(text, &device->seen_with);
}

static bool
read_ca(struct device *device, const char *text)
{
	device->has_ca = text_unhex(text, device->ca, HASH_LEN);
	return device->has_ca;
}

static bool
read_fingerprint(struct device *device, const char *text)
{
	device->has_fingerprint =
	    text_unhex(text, device->fingerprint, HASH_LEN);
	return device->has_fingerprint;
}

static bool
read_serial(struct device *device, const char *text)
{
	return text_copy(
	    device->serial, sizeof(device->serial), text, strlen(text));
}

static bool
read_not_after(struct device *device, const char *text)
{
	return clock_parse(text, &device->not_after) == RES_OK;
}

static bool
read_subject(struct device *device, const char *text)
{
	device->subject = strlen(text) > SUBJECT_MAX ? NULL : strdup(text);
	return device->subject != NULL;
}

static bool
read_pins(struct device *device, const char *text)
{
	return pins_parse(text, &device->pins) == RES_OK &&
	    device->pins.count > 0;
}

static bool
read_token(struct device *device, const char *text)
{
	return token_hash_parse(text, &device->token) == RES_OK &&
	    device->token.is_set;
}

static const struct {
	const char *key;
	bool (*read)(struct device *device, const char *text);
} members[] = {
    {"created_at", read_created},
    {"provisioned_at", read_provisioned},
    {"last_seen_at", read_seen},
    {"last_address", read_address},
    {"seen_with", read_seen_with},
    {"ca", read_ca},
    {"fingerprint", read_fingerprint},
    {"serial", read_serial},
    {"not_after", read_not_after},
    {"subject", read_subject},
    {"pins", read_pins},
    {"token", read_token},
};

static enum res
read_member(
    const struct json_value *value, struct device *device, struct diag *why)
{
	const char *key = json_value_key(value), *text = json_value_text(value);
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(key, members[i].key) != 0) {
			continue;
		}
		/* An escape may have put anything into it. */
		return text != NULL && text[0] != '\0' &&
		        text_is_printable_utf8(text, strlen(text)) &&
		        members[i].read(device, text)
		    ? RES_OK
		    : diag_res(why, RES_SYNTAX,
		          "Record: \"%s\" is not as it is exported", key);
	}
	return diag_res(why, RES_SYNTAX, "Record: \"%.80s\" is not known", key);
}

static enum res
read_members(const char *text, struct device *device, struct diag *why)
{
	struct json_value *object = NULL;
	const struct json_value *member;
	struct diag said = {""};
	enum res r = json_value_read(text, &object, &said);

	if (r != RES_OK) {
		return diag_res(why, r, "Record: %s", said.text);
	}
	member = json_value_first(object);
	for (; r == RES_OK && member != NULL;
	     member = json_value_next(member)) {
		r = read_member(member, device, why);
	}
	json_value_free(object);
	return r;
}

enum res
row_record_read(
    const char *text, int64_t now, struct device *device, struct diag *why)
{
	enum res r = text[0] == '\0' ? RES_OK : read_members(text, device, why);

	if (r != RES_OK) {
		return r;
	}
	if (device->created_at == CLOCK_NONE) {
		device->created_at = now;
	}
	if (device->state != DEVICE_PROVISIONED) {
		return device->provisioned_at == CLOCK_NONE
		    ? RES_OK
		    : diag_res(why, RES_REFUSED,
		          "Record: a device that is %s has no provisioned_at",
		          device_state_name(device->state));
	}
	if (device->provisioned_at == CLOCK_NONE) {
		device->provisioned_at = now;
	}
	return RES_OK;
}

static bool
is_tag(const struct json_value *value)
{
	const struct json_value *name = json_value_member(value, "name");
	const struct json_value *data = json_value_member(value, "value");
	const char *text = name == NULL ? NULL : json_value_text(name);

	return text != NULL && text[0] != '\0' &&
	    text_is_printable_utf8(text, strlen(text)) && data != NULL &&
	    (text = json_value_text(data)) != NULL &&
	    text_is_printable_utf8(text, strlen(text)) &&
	    json_value_count(value) == 2;
}

static enum res
check_tags(const struct json_value *object, struct diag *why)
{
	const struct json_value *tag =
	    json_value_first(json_value_first(object));
	size_t n;

	for (n = 1; tag != NULL; tag = json_value_next(tag), n++) {
		if (!is_tag(tag)) {
			return diag_res(why, RES_SYNTAX,
			    "element %zu is not {\"name\": TEXT, \"value\": "
			    "TEXT}",
			    n);
		}
	}
	return RES_OK;
}

enum res
row_check_tags(const char *text, struct diag *why)
{
	struct json_value *object = NULL;
	struct diag said = {""};
	char *whole = NULL;
	enum res r = RES_SYNTAX;

	if (strlen(text) <= JSON_MAX &&
	    asprintf(&whole, "{\"tags\":%s}", text) > 0) {
		r = json_value_read(whole, &object, &said);
	}
	free(whole);
	if (r == RES_OK && json_value_count(object) == 1 &&
	    json_value_kind(json_value_first(object)) == JSON_ARRAY) {
		r = check_tags(object, why);
	} else {
		/* What is wrong is told of text as it stands. */
		r = json_check(text, '[', JSON_MAX, why);
		if (r == RES_OK) {
			r = diag_res(why, RES_LIMIT, "%s", said.text);
		}
	}
	json_value_free(object);
	return r;
}
