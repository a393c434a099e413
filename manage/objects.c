/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_value.h"
#include "manage/health.h"
#include "policy/policy.h"

static const char *
or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

struct json *
org_json(const struct org *org)
{
	struct json *object = json_object();

	json_add_text(object, "org", org->name);
	json_add_time(object, "created_at", org->created_at);
	return object;
}

static void
add_crl(struct json *object, const struct ca_record *ca, int64_t now)
{
	bool has = ca->crl.der != NULL;
	enum crl_health health = health_of_crl(ca, now);
	char grace[SPAN_TEXT_MAX + 1], number[CRL_NUMBER_LEN + sizeof("0x")];

	span_format(ca->crl_grace, grace);
	crl_record_number_format(ca->crl.number, number);
	json_add_text(object, "crl", ca->crl_policy);
	json_add_text(object, "crl_grace", grace);
	json_add_text(object, "crl_state",
	    health == CRL_UNASKED ? "none" : crl_health_name(health));
	json_add_text(object, "crl_url", or_null(ca->crl_url));
	json_add_text(object, "crl_number", has ? number : NULL);
	json_add_time(
	    object, "crl_this_update", has ? ca->crl.this_update : CLOCK_NONE);
	json_add_time(
	    object, "crl_next_update", has ? ca->crl.next_update : CLOCK_NONE);
	if (has) {
		json_add_number(object, "crl_entries", ca->crl.entries);
		json_add_bool(object, "crl_fetched", ca->crl.fetched);
	} else {
		json_add_null(object, "crl_entries");
		json_add_null(object, "crl_fetched");
	}
	json_add_time(
	    object, "crl_stored_at", has ? ca->crl.stored_at : CLOCK_NONE);
	json_add_text(object, "crl_failure", or_null(ca->crl_failure));
}

struct json *
ca_json(const struct ca_record *ca, int64_t now)
{
	struct json *object = json_object();

	json_add_text(object, "ca", ca->id);
	json_add_text(object, "name", or_null(ca->name));
	json_add_text(object, "description", or_null(ca->description));
	json_add_text(object, "subject", ca->subject);
	json_add_hash(object, "fingerprint", ca->fingerprint);
	json_add_time(object, "not_before", ca->not_before);
	json_add_time(object, "not_after", ca->not_after);
	json_add_text(object, "state", ca->state);
	json_add_parsed(object, "scope", ca->scope == NULL ? "[]" : ca->scope);
	json_add_text(object, "enrol", or_null(ca->enrol));
	if (ca->rate > 0) {
		json_add_number(object, "rate", ca->rate);
	} else {
		json_add_null(object, "rate");
	}
	json_add_parsed(object, "tags", ca->tags == NULL ? "[]" : ca->tags);
	json_add_time(object, "added_at", ca->added_at);
	json_add_time(object, "code_expires_at",
	    ca->code[0] == '\0' ? CLOCK_NONE : ca->code_expires_at);
	add_crl(object, ca, now);
	return object;
}

static void
add_class(struct json *object, const struct device_type *type)
{
	const char class[] = {type->class, '\0'};

	json_add_text(object, "class", class);
	json_add_text(object, "type", type->name);
}

const char *
pin_state(const struct pin *pin, int64_t now)
{
	if (pin->waits) {
		return "waits";
	}
	return pin->ends_at > now ? "holds" : "lapsed";
}

static const struct {
	unsigned bit;
	const char *word, *name;
} sights[] = {
    {SEEN_TLS, "tls", "TLS"},
    {SEEN_CERT, "certificate", "certificate"},
    {SEEN_TOKEN, "token", "token"},
};

void
seen_format(unsigned seen_with, char text[SEEN_TEXT_MAX + 1])
{
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
		if ((seen_with & sights[i].bit) != 0) {
			used += (size_t)snprintf(text + used,
			    SEEN_TEXT_MAX + 1 - used, "%s%s",
			    used == 0 ? "" : ", ", sights[i].name);
		}
	}
}

struct json *
seen_json(unsigned seen_with)
{
	struct json *array = json_array();
	size_t i;

	for (i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
		if ((seen_with & sights[i].bit) != 0) {
			json_append_text(array, sights[i].word);
		}
	}
	return array;
}

static struct json *
pins_json(const struct config *config, const struct device *device, int64_t now)
{
	struct json *array = json_array(), *object;
	char ca[HASH_TEXT_MAX + 1];
	const struct pin *pin;
	size_t i;

	for (i = 0; i < device->pins.count; i++) {
		pin = &device->pins.list[i];
		object = json_object();
		json_add_hash(object, "fingerprint", pin->fingerprint);
		json_add_text(object, "state", pin_state(pin, now));
		json_add_time(object, "added_at", pin->added_at);
		json_add_time(object, "ends_at", pin->ends_at);
		json_add_time(object, "not_before", pin->not_before);
		if (pin->has_ca) {
			ca_id_of(config, device->org, pin->ca, ca);
		}
		json_add_text(object, "ca", pin->has_ca ? ca : NULL);
		json_append(array, object);
	}
	return array;
}

/* How it may connect, and how it did; never what a token is made of. */
static void
add_credentials(struct json *object, const struct config *config,
    const struct device *device, int64_t now)
{
	struct json *token;

	json_add(object, "pins", pins_json(config, device, now));
	if (device->token.is_set) {
		token = json_object();
		json_add_time(token, "created_at", device->token.created_at);
		json_add_time(token, "expires_at", device->token.expires_at);
		json_add(object, "token", token);
	} else {
		json_add_null(object, "token");
	}
	json_add(object, "seen_with", seen_json(device->seen_with));
}

struct json *
device_json(
    const struct config *config, const struct device *device, int64_t now)
{
	struct json *object = json_object();
	char text[IDENTITY_TEXT_MAX + 1], ca[HASH_TEXT_MAX + 1];

	identity_format(&device->who, text);
	json_add_text(object, "identity", text);
	add_class(object, &device->who.type);
	json_add_text(object, "id", device->who.id);
	json_add_text(object, "state", device_state_name(device->state));
	json_add_bool(object, "locked", device->locked);
	json_add_time(object, "created_at", device->created_at);
	json_add_time(object, "provisioned_at", device->provisioned_at);
	json_add_time(object, "last_seen_at", device->last_seen_at);
	json_add_text(object, "last_address", or_null(device->last_address));
	json_add_time(object, "window_ends_at", device->window_ends_at);
	if (device->has_ca) {
		ca_id_of(config, device->org, device->ca, ca);
	}
	json_add_text(object, "ca", device->has_ca ? ca : NULL);
	if (device->has_fingerprint) {
		json_add_hash(object, "fingerprint", device->fingerprint);
	} else {
		json_add_null(object, "fingerprint");
	}
	json_add_text(object, "subject", or_null(device->subject));
	json_add_text(object, "serial", or_null(device->serial));
	json_add_time(object, "not_after", device->not_after);
	add_credentials(object, config, device, now);
	json_add_parsed(
	    object, "tags", device->tags == NULL ? "[]" : device->tags);
	json_add_parsed(
	    object, "info", device->info == NULL ? "{}" : device->info);
	if (device->has_gateway) {
		identity_format(&device->gateway, text);
	}
	json_add_text(object, "gateway", device->has_gateway ? text : NULL);
	return object;
}

void
ca_id_of(const struct config *config, const char *org,
    const uint8_t fingerprint[HASH_LEN], char id[HASH_TEXT_MAX + 1])
{
	const struct ca_record *ca;
	size_t i;

	for (i = 0; i < config->ca_count; i++) {
		ca = &config->cas[i];
		if (strcmp(ca->org, org) == 0 &&
		    memcmp(ca->fingerprint, fingerprint, HASH_LEN) == 0) {
			memcpy(id, ca->id, sizeof(ca->id));
			return;
		}
	}
	text_hex(id, fingerprint, CA_ID_MIN / 2);
}

const struct type_record *
type_of(const struct config *config, const char *org,
    const struct device_type *type)
{
	size_t i;

	for (i = 0; i < config->type_count; i++) {
		if (strcmp(config->types[i].org, org) == 0 &&
		    device_type_equal(&config->types[i].type, type)) {
			return &config->types[i];
		}
	}
	return NULL;
}

const struct rule_record *
rule_of(const struct config *config, const char *org, const char *who)
{
	size_t i;

	for (i = 0; i < config->rule_count; i++) {
		if (strcmp(config->rules[i].org, org) == 0 &&
		    strcmp(config->rules[i].who, who) == 0) {
			return &config->rules[i];
		}
	}
	return NULL;
}

bool
types_are_declared(const struct config *config, const char *org)
{
	const char *types = config_setting(config, org, "types");

	return types != NULL && strcmp(types, "open") != 0;
}

int64_t
overlap_of(const struct type_record *type)
{
	return type == NULL || type->overlap == CLOCK_NONE ? OVERLAP_DEFAULT
	                                                   : type->overlap;
}

bool
read_id_rule(const struct type_record *type, struct id_rule *out)
{
	*out = (struct id_rule){.kind = ID_ANY};
	if (type == NULL) {
		return true;
	}
	out->length = (uint8_t)type->id_length;
	text_set(out->prefix, sizeof(out->prefix), type->id_prefix);
	return type->id_format[0] == '\0' ||
	    id_kind_parse(type->id_format, &out->kind);
}

int
find_ca(struct call *call, struct ca_record **out)
{
	struct diag why = {""};
	enum res r;

	r = config_find_ca(
	    &call->config, call->org, call_arg(call, 0), out, &why);
	return r == RES_OK ? EXIT_DONE : fail(r, &why);
}

int
find_device(
    const struct call *call, const struct identity *who, struct device *out)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct diag why = {""};
	bool clash = false;
	enum res r;

	r = registry_get(
	    call->registry, call->org, who, true, out, &clash, &why);
	if (r == RES_NOTFOUND) {
		identity_format(who, text);
		return refuse(EXIT_NOT_FOUND, "there is no device %s%s", text,
		    clash ? ", but one that differs in letter case" : "");
	}
	return r == RES_OK ? EXIT_DONE : fail(r, &why);
}

enum res
count_devices(const struct call *call, const struct device_type *type,
    int64_t *out, struct diag *why)
{
	struct device_query query = {.org = call->org, .type = type};

	return registry_count(call->registry, &query, out, why);
}

static void
write_tags(FILE *to, const struct json_value *array)
{
	const struct json_value *tag;
	const char *name, *value, *before = "";

	for (tag = json_value_first(array); tag != NULL;
	     tag = json_value_next(tag)) {
		name = json_value_text(json_value_member(tag, "name"));
		value = json_value_text(json_value_member(tag, "value"));
		(void)fprintf(to, "%s%s=%s", before, name == NULL ? "" : name,
		    value == NULL ? "" : value);
		before = ", ";
	}
}

char *
tags_format(const char *tags)
{
	struct json_value *object = NULL;
	char *whole = NULL, *text = NULL;
	size_t len = 0;
	FILE *to;

	if (tags == NULL || asprintf(&whole, "{\"tags\":%s}", tags) < 0) {
		return NULL;
	}
	if (json_value_read(whole, &object, NULL) == RES_OK) {
		to = open_memstream(&text, &len);
		if (to != NULL) {
			write_tags(to, json_value_member(object, "tags"));
			(void)fclose(to);
		}
	}
	json_value_free(object);
	free(whole);
	return text;
}
