/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
    [DEVICE_PENDING] = "pending",
    [DEVICE_ALLOWED] = "allowed",
    [DEVICE_PROVISIONED] = "provisioned",
};

#define STATE_COUNT (sizeof(state_names) / sizeof(state_names[0]))

const char *
device_state_name(enum device_state state)
{
	return (size_t)state < STATE_COUNT ? state_names[state] : "unknown";
}

bool
device_state_parse(const char *name, enum device_state *out)
{
	size_t i;

	for (i = 0; i < STATE_COUNT; i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*out = (enum device_state)i;
			return true;
		}
	}
	return false;
}

bool
crl_policy_is_word(const char *word)
{
	static const char *const words[] = {"off", "if-present", "required"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Upper case would come before lower case in the order of the text. */
bool
crl_number_is_whole(const char *number)
{
	return strlen(number) == CRL_NUMBER_LEN &&
	    strspn(number, "0123456789abcdef") == CRL_NUMBER_LEN;
}

void
crl_record_number_format(
    const char *number, char text[CRL_NUMBER_LEN + sizeof("0x")])
{
	while (number[0] == '0' && number[1] != '\0') {
		number++;
	}
	(void)snprintf(text, CRL_NUMBER_LEN + sizeof("0x"), "0x%s", number);
}

int
ca_record_crl_stage(const struct ca_record *ca, int64_t now)
{
	const struct crl_record *crl = &ca->crl;

	if (crl->der == NULL) {
		return 0;
	}
	if (!crl->fetched || ca->crl_url == NULL) {
		return expiry_stage_by_hand(
		    crl->this_update, crl->next_update, now);
	}
	return expiry_is_near(crl->this_update, crl->next_update, now)
	    ? expiry_stage_renewed(crl->next_update, now)
	    : 0;
}

void
ca_record_done(struct ca_record *ca)
{
	free(ca->der);
	free(ca->subject);
	free(ca->description);
	free(ca->scope);
	free(ca->tags);
	free(ca->crl_url);
	free(ca->crl_failure);
	free(ca->crl.der);
	*ca = (struct ca_record){0};
}

void
type_record_done(struct type_record *type)
{
	free(type->addresses);
	*type = (struct type_record){0};
}

void
hook_record_done(struct hook_record *hook)
{
	free(hook->url);
	free(hook->kinds);
	free(hook->secret);
	free(hook->ca_pem);
	free(hook->failure);
	*hook = (struct hook_record){0};
}

void
topic_record_done(struct topic_record *topic)
{
	free(topic->filter);
	*topic = (struct topic_record){0};
}

void
setting_record_done(struct setting_record *setting)
{
	free(setting->value);
	*setting = (struct setting_record){0};
}

void
device_done(struct device *device)
{
	free(device->subject);
	free(device->tags);
	free(device->info);
	*device = (struct device){0};
}

void
event_done(struct event *event)
{
	free(event->subject);
	free(event->detail);
	*event = (struct event){0};
}

void
config_done(struct config *config)
{
	size_t i;

	for (i = 0; i < config->ca_count; i++) {
		ca_record_done(&config->cas[i]);
	}
	for (i = 0; i < config->type_count; i++) {
		type_record_done(&config->types[i]);
	}
	for (i = 0; i < config->topic_count; i++) {
		topic_record_done(&config->topics[i]);
	}
	for (i = 0; i < config->setting_count; i++) {
		setting_record_done(&config->settings[i]);
	}
	for (i = 0; i < config->hook_count; i++) {
		hook_record_done(&config->hooks[i]);
	}
	free(config->orgs);
	free(config->cas);
	free(config->types);
	free(config->rules);
	free(config->topics);
	free(config->settings);
	free(config->hooks);
	free(config->admins);
	*config = (struct config){0};
}

/* NULL copies to NULL; false only without memory. */
static bool
copy_text(const char *from, char **to)
{
	*to = from == NULL ? NULL : strdup(from);
	return from == NULL || *to != NULL;
}

static bool
copy_bytes(const uint8_t *from, size_t len, uint8_t **to)
{
	*to = from == NULL ? NULL : malloc(len > 0 ? len : 1);
	if (*to != NULL) {
		memcpy(*to, from, len);
	}
	return from == NULL || *to != NULL;
}

enum res
ca_record_copy(const struct ca_record *from, struct ca_record *out)
{
	struct ca_record copy = *from;
	bool ok;

	ok = copy_bytes(from->der, from->der_len, &copy.der);
	ok = copy_bytes(from->crl.der, from->crl.der_len, &copy.crl.der) && ok;
	ok = copy_text(from->subject, &copy.subject) && ok;
	ok = copy_text(from->description, &copy.description) && ok;
	ok = copy_text(from->scope, &copy.scope) && ok;
	ok = copy_text(from->tags, &copy.tags) && ok;
	ok = copy_text(from->crl_url, &copy.crl_url) && ok;
	ok = copy_text(from->crl_failure, &copy.crl_failure) && ok;
	if (!ok) {
		ca_record_done(&copy);
	}
	*out = copy;
	return ok ? RES_OK : RES_NOMEM;
}

enum res
type_record_copy(const struct type_record *from, struct type_record *out)
{
	struct type_record copy = *from;
	bool ok = copy_text(from->addresses, &copy.addresses);

	if (!ok) {
		type_record_done(&copy);
	}
	*out = copy;
	return ok ? RES_OK : RES_NOMEM;
}

enum res
hook_record_copy(const struct hook_record *from, struct hook_record *out)
{
	struct hook_record copy = *from;
	bool ok;

	ok = copy_text(from->url, &copy.url);
	ok = copy_text(from->kinds, &copy.kinds) && ok;
	ok = copy_text(from->secret, &copy.secret) && ok;
	ok = copy_text(from->ca_pem, &copy.ca_pem) && ok;
	ok = copy_text(from->failure, &copy.failure) && ok;
	if (!ok) {
		hook_record_done(&copy);
	}
	*out = copy;
	return ok ? RES_OK : RES_NOMEM;
}

enum res
device_copy(const struct device *from, struct device *out)
{
	struct device copy = *from;
	bool ok = true;

	ok = copy_text(from->subject, &copy.subject) && ok;
	ok = copy_text(from->tags, &copy.tags) && ok;
	ok = copy_text(from->info, &copy.info) && ok;
	if (!ok) {
		device_done(&copy);
	}
	*out = copy;
	return ok ? RES_OK : RES_NOMEM;
}

void
device_init(struct device *device, const char *org, const struct identity *who)
{
	*device = (struct device){
	    .who = *who,
	    .state = DEVICE_PENDING,
	    .created_at = CLOCK_NONE,
	    .provisioned_at = CLOCK_NONE,
	    .last_seen_at = CLOCK_NONE,
	    .window_ends_at = CLOCK_NONE,
	    .not_after = CLOCK_NONE,
	};
	/* An org that is too long becomes "", which no registry has. */
	if (!text_copy(device->org, sizeof(device->org), org, strlen(org))) {
		device->org[0] = '\0';
	}
}
