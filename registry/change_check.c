/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <string.h>

#include "common/json.h"
#include "registry/change.h"

#define PEM_MAX JSON_MAX

static const enum about abouts[] = {
    [CHANGE_ORG_ADD] = ABOUT_ORG,
    [CHANGE_ORG_REMOVE] = ABOUT_ORG,
    [CHANGE_CA_ADD] = ABOUT_CA,
    [CHANGE_CA_SET] = ABOUT_CA,
    [CHANGE_CA_STATE] = ABOUT_CA,
    [CHANGE_CA_CODE] = ABOUT_CA,
    [CHANGE_CA_PROVE] = ABOUT_CA,
    [CHANGE_CA_CRL] = ABOUT_CA,
    [CHANGE_CA_CRL_CHECKED] = ABOUT_CA,
    [CHANGE_CA_TOLD] = ABOUT_CA,
    [CHANGE_CA_REMOVE] = ABOUT_CA,
    [CHANGE_TYPE_SET] = ABOUT_TYPE,
    [CHANGE_TYPE_UNSET] = ABOUT_TYPE,
    [CHANGE_RULE_SET] = ABOUT_RULE,
    [CHANGE_RULE_UNSET] = ABOUT_RULE,
    [CHANGE_TOPIC_ADD] = ABOUT_TOPIC,
    [CHANGE_TOPIC_REMOVE] = ABOUT_TOPIC,
    [CHANGE_SETTING_SET] = ABOUT_SETTING,
    [CHANGE_DEVICE_ADD] = ABOUT_DEVICE,
    [CHANGE_DEVICE_PROVISION] = ABOUT_DEVICE,
    [CHANGE_DEVICE_LOCK] = ABOUT_DEVICE,
    [CHANGE_DEVICE_APPROVE] = ABOUT_DEVICE,
    [CHANGE_DEVICE_REMOVE] = ABOUT_DEVICE,
    [CHANGE_DEVICE_SEEN] = ABOUT_DEVICE,
    [CHANGE_DEVICE_TOKEN] = ABOUT_DEVICE,
    [CHANGE_DEVICE_PINS] = ABOUT_DEVICE,
    [CHANGE_DEVICE_ATTACH] = ABOUT_DEVICE,
    [CHANGE_DEVICE_SET] = ABOUT_DEVICE,
    [CHANGE_HOOK_ADD] = ABOUT_HOOK,
    [CHANGE_HOOK_REMOVE] = ABOUT_HOOK,
    [CHANGE_HOOK_PROGRESS] = ABOUT_HOOK,
    [CHANGE_ADMIN_ADD] = ABOUT_ADMIN,
    [CHANGE_ADMIN_REMOVE] = ABOUT_ADMIN,
    [CHANGE_METRICS] = ABOUT_METRICS,
    [CHANGE_METRICS_PURGE] = ABOUT_OLD_METRICS,
    [CHANGE_EVENTS_PURGE] = ABOUT_EVENTS,
    [CHANGE_EVENT] = ABOUT_DEVICE,
};

enum about
change_about(const struct change *change)
{
	return abouts[change->kind];
}

static enum res
defect(struct diag *why)
{
	return diag_res(why, RES_REFUSED, "the change is not complete");
}

static enum res
check_json(const char *text, char kind, struct diag *why)
{
	return text == NULL ? RES_OK : json_check(text, kind, JSON_MAX, why);
}

static enum res
check_org(const struct change *change, struct diag *why)
{
	const struct org *org = change->of.org;

	if (!text_is_name(org->name)) {
		return diag_res(why, RES_SYNTAX,
		    "\"%s\" is no name for an org: 1 to %d letters, digits, "
		    "'.', '_' or '-', a letter or digit first",
		    org->name, NAME_MAX_LEN);
	}
	/* The event would go with the org that it tells of. */
	if (change->kind == CHANGE_ORG_REMOVE && change->actor != NULL &&
	    (change->org == NULL || strcmp(change->org, org->name) == 0)) {
		return defect(why);
	}
	return RES_OK;
}

static bool
is_told(int days)
{
	return days >= TOLD_EXPIRED && days <= TOLD_MAX;
}

static bool
has_crl_terms(const struct ca_record *ca)
{
	return crl_policy_is_word(ca->crl_policy) && ca->crl_grace >= 0 &&
	    (ca->crl_url == NULL || ca->crl_url[0] != '\0');
}

static bool
has_terms(const struct ca_record *ca)
{
	return ca->rate >= 0 && ca->rate <= RATE_MAX && has_crl_terms(ca);
}

static bool
has_crl(const struct ca_record *ca)
{
	const struct crl_record *crl = &ca->crl;

	return crl->der != NULL && crl->der_len > 0 &&
	    crl_number_is_whole(crl->number) &&
	    crl->this_update != CLOCK_NONE && crl->next_update != CLOCK_NONE &&
	    crl->entries >= 0 && crl->stored_at != CLOCK_NONE;
}

/* The list of a new CA comes later, by a change of its own. */
static bool
is_new_ca(const struct ca_record *ca)
{
	return ca->der != NULL && ca->der_len > 0 && ca->subject != NULL &&
	    has_terms(ca) && is_told(ca->told) && ca->crl.der == NULL &&
	    (ca->code[0] == '\0' || ca->code_expires_at != CLOCK_NONE) &&
	    (ca->crl_failure == NULL || ca->crl_failure[0] != '\0');
}

static bool
has_code(const struct ca_record *ca)
{
	return ca->code[0] != '\0' && ca->code_expires_at != CLOCK_NONE;
}

static bool
has_answer_to_code(const struct ca_record *ca)
{
	return ca->code[0] != '\0';
}

static bool
has_outcome(const struct ca_record *ca)
{
	return ca->crl_failure == NULL || ca->crl_failure[0] != '\0';
}

static bool
has_told(const struct ca_record *ca)
{
	return is_told(ca->told) &&
	    (ca->crl.der == NULL || is_told(ca->crl.told));
}

/* Whether the record has what its change wants; NULL: it wants nothing. */
static bool (*const is_whole_ca[])(const struct ca_record *ca) = {
    [CHANGE_CA_ADD] = is_new_ca,
    [CHANGE_CA_SET] = has_terms,
    [CHANGE_CA_STATE] = NULL,
    [CHANGE_CA_CODE] = has_code,
    [CHANGE_CA_PROVE] = has_answer_to_code,
    [CHANGE_CA_CRL] = has_crl,
    [CHANGE_CA_CRL_CHECKED] = has_outcome,
    [CHANGE_CA_TOLD] = has_told,
    [CHANGE_CA_REMOVE] = NULL,
};

static enum res
check_ca(const struct change *change, struct diag *why)
{
	const struct ca_record *ca = change->of.ca;
	enum res r = RES_OK;

	if (ca->name[0] != '\0' && !text_is_name(ca->name)) {
		return diag_res(why, RES_SYNTAX,
		    "\"%s\" is no name for a CA: 1 to %d letters, digits, "
		    "'.', '_' or '-', a letter or digit first",
		    ca->name, NAME_MAX_LEN);
	}
	if (is_whole_ca[change->kind] != NULL &&
	    !is_whole_ca[change->kind](ca)) {
		return defect(why);
	}
	if (change->kind == CHANGE_CA_CRL && ca->crl.der_len > CRL_BYTES_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the CRL is too large: %d bytes are the most",
		    CRL_BYTES_MAX);
	}
	if (change->kind != CHANGE_CA_REMOVE) {
		r = check_json(ca->scope, '[', why);
	}
	return r == RES_OK ? check_json(ca->tags, '[', why) : r;
}

bool
change_read_limit(const char *text, int64_t *out)
{
	if (strcmp(text, "none") == 0) {
		*out = 0;
		return true;
	}
	return text_number(text, 1, DEVICES_MAX, out) == RES_OK;
}

static enum res
check_setting(const struct setting_record *setting, struct diag *why)
{
	int64_t most;

	if (setting->value == NULL) {
		return defect(why);
	}
	if (strcmp(setting->key, SETTING_MAX_DEVICES) == 0 &&
	    !change_read_limit(setting->value, &most)) {
		return diag_res(why, RES_SYNTAX,
		    "\"%s\" is no number of devices: 1 to %d, or none",
		    setting->value, DEVICES_MAX);
	}
	return RES_OK;
}

static enum res
check_type(const struct device_type *type, struct diag *why)
{
	char text[TYPE_TEXT_MAX + 1];
	struct device_type back;
	const char *said;

	device_type_format(type, text);
	if (device_type_parse(text, strlen(text), &back, &said) != RES_OK) {
		return diag_res(why, RES_SYNTAX, "\"%s\" is no device type: %s",
		    text, said);
	}
	return RES_OK;
}

static enum res
check_type_record(const struct change *change, struct diag *why)
{
	const struct type_record *type = change->of.type;
	enum res r = check_type(&type->type, why);

	if (r != RES_OK || change->kind != CHANGE_TYPE_SET) {
		return r;
	}
	if (type->max_devices < 0 || type->max_devices > DEVICES_MAX ||
	    type->id_length < 0 || type->id_length > IDENTITY_ID_MAX) {
		return defect(why);
	}
	return check_json(type->addresses, '[', why);
}

/* Of what a device is held to, that it reads back as it is. */
static bool
has_secrets(const struct device *device)
{
	char token[TOKEN_HASH_TEXT_MAX + 1], pins[PINS_TEXT_MAX + 1];
	struct token_hash token_back;
	struct pins pins_back;

	if (device->pins.count > PINS_MAX) {
		return false;
	}
	token_hash_format(&device->token, token);
	pins_format(&device->pins, pins);
	return pins_parse(pins, &pins_back) == RES_OK &&
	    pins_equal(&pins_back, &device->pins) &&
	    (!device->token.is_set ||
	        (token_hash_parse(token, &token_back) == RES_OK &&
	            token_hash_equal(&token_back, &device->token)));
}

/* Devices are attached to gateways, and gateways to nothing. */
static bool
has_gateway(const struct device *device)
{
	char text[IDENTITY_TEXT_MAX + 1];
	struct identity back;
	const char *said;

	identity_format(&device->gateway, text);
	return device->who.type.class == 'd' &&
	    device->gateway.type.class == 'g' &&
	    identity_parse(text, strlen(text), &back, &said) == RES_OK;
}

static enum res
check_facts(const struct device *device, struct diag *why)
{
	if (device->seen_with > SEEN_MAX || !has_secrets(device)) {
		return defect(why);
	}
	if (device->has_gateway && !has_gateway(device)) {
		return diag_res(why, RES_REFUSED,
		    "only devices are attached, and only to gateways");
	}
	return RES_OK;
}

static enum res
check_device(const struct change *change, struct diag *why)
{
	const struct device *device = change->of.device;
	char text[IDENTITY_TEXT_MAX + 1];
	struct identity back;
	const char *said;
	enum res r;

	identity_format(&device->who, text);
	if (identity_parse(text, strlen(text), &back, &said) != RES_OK) {
		return diag_res(
		    why, RES_SYNTAX, "\"%s\" is no identity: %s", text, said);
	}
	if (change->kind == CHANGE_DEVICE_PROVISION &&
	    device->state != DEVICE_PROVISIONED &&
	    device->state != DEVICE_PENDING) {
		return defect(why);
	}
	r = check_facts(device, why);
	if (r == RES_OK) {
		r = check_json(device->tags, '[', why);
	}
	return r == RES_OK ? check_json(device->info, '{', why) : r;
}

static bool
has_length(const char *text, size_t most)
{
	return text != NULL && text[0] != '\0' && strlen(text) <= most;
}

static bool
has_progress(const struct hook_record *hook)
{
	return hook->cursor >= 0 && hook->delivered >= 0 &&
	    hook->dropped >= 0 &&
	    (hook->failure == NULL || hook->failure[0] != '\0');
}

static enum res
check_hook(const struct change *change, struct diag *why)
{
	const struct hook_record *hook = change->of.hook;

	if (!text_is_hex(hook->id, HOOK_ID_LEN)) {
		return defect(why);
	}
	if (change->kind == CHANGE_HOOK_PROGRESS && !has_progress(hook)) {
		return defect(why);
	}
	if (change->kind != CHANGE_HOOK_ADD) {
		return RES_OK;
	}
	if (!has_length(hook->url, URL_MAX) || hook->kinds == NULL ||
	    hook->format[0] == '\0' || !has_progress(hook) ||
	    hook->created_at == CLOCK_NONE ||
	    (hook->secret != NULL && !has_length(hook->secret, SECRET_MAX)) ||
	    (hook->ca_pem != NULL && !has_length(hook->ca_pem, PEM_MAX))) {
		return defect(why);
	}
	return check_json(hook->kinds, '[', why);
}

static enum res
check_admin(const struct admin_record *admin, struct diag *why)
{
	size_t len = strlen(admin->name);

	return len > 0 && text_is_printable_utf8(admin->name, len)
	    ? RES_OK
	    : diag_res(why, RES_SYNTAX,
	          "the name of an admin is 1 to %d bytes of text",
	          ADMIN_NAME_MAX);
}

static enum res
check_metrics(const struct metrics_record *metrics, struct diag *why)
{
	if (metrics->source[0] == '\0' || metrics->body == NULL ||
	    metrics->written_at == CLOCK_NONE) {
		return defect(why);
	}
	return strlen(metrics->body) <= METRICS_MAX
	    ? RES_OK
	    : diag_res(why, RES_LIMIT,
	          "the metrics of %s are too large: %d bytes are the most",
	          metrics->source, METRICS_MAX);
}

/* Forgetting takes no record; metrics belong to no org. */
static bool
is_complete(const struct change *change)
{
	enum about about = change_about(change);

	return (change->of.org != NULL || about == ABOUT_EVENTS ||
	           about == ABOUT_OLD_METRICS) &&
	    (change->org != NULL || about == ABOUT_ORG ||
	        about == ABOUT_METRICS) &&
	    (change->actor == NULL || !change_is_told(change) ||
	        (change->event_kind != NULL && change->event_subject != NULL));
}

enum res
change_check(const struct change *change, struct diag *why)
{
	if ((size_t)change->kind >= sizeof(abouts) / sizeof(abouts[0]) ||
	    !is_complete(change)) {
		return defect(why);
	}
	if (change->actor != NULL && change_is_told(change) &&
	    (strlen(change->actor) > WORD_MAX ||
	        strlen(change->event_kind) > WORD_MAX)) {
		return diag_res(why, RES_LIMIT, "a word of the event is long");
	}
	switch (change_about(change)) {
	case ABOUT_ORG:
		return check_org(change, why);
	case ABOUT_CA:
		return check_ca(change, why);
	case ABOUT_TYPE:
		return check_type_record(change, why);
	case ABOUT_TOPIC:
		return change->of.topic->filter == NULL ? defect(why) : RES_OK;
	case ABOUT_SETTING:
		return check_setting(change->of.setting, why);
	case ABOUT_DEVICE:
		return check_device(change, why);
	case ABOUT_HOOK:
		return check_hook(change, why);
	case ABOUT_ADMIN:
		return check_admin(change->of.admin, why);
	case ABOUT_METRICS:
		return check_metrics(change->of.metrics, why);
	case ABOUT_RULE:
	case ABOUT_OLD_METRICS:
	case ABOUT_EVENTS:
		break;
	}
	return RES_OK;
}
