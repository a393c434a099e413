/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * find: one thing in a configuration that was loaded.  See edit.h.
 */
#include <string.h>

#include "registry/edit.h"

const char *
config_setting(const struct config *config, const char *org, const char *key)
{
	size_t i;

	for (i = 0; i < config->setting_count; i++) {
		if (strcmp(config->settings[i].org, org) == 0 &&
		    strcmp(config->settings[i].key, key) == 0) {
			return config->settings[i].value;
		}
	}
	return NULL;
}

/* How well text stands for a CA. */
enum match {
	MATCH_NONE = 0,
	MATCH_PREFIX,
	MATCH_NAME,
	MATCH_ID,
};

static enum match
match_ca(const struct ca_record *ca, const char *text)
{
	char hex[HASH_TEXT_MAX + 1];
	size_t len = strlen(text);

	text_hex(hex, ca->fingerprint, HASH_LEN);
	if (text_equal_nocase(ca->id, text) || text_equal_nocase(hex, text)) {
		return MATCH_ID;
	}
	if (ca->name[0] != '\0' && strcmp(ca->name, text) == 0) {
		return MATCH_NAME;
	}
	if (len < CA_PREFIX_MIN || len >= HASH_TEXT_MAX) {
		return MATCH_NONE;
	}
	hex[len] = '\0';
	return text_equal_nocase(hex, text) ? MATCH_PREFIX : MATCH_NONE;
}

enum res
config_find_ca(const struct config *config, const char *org, const char *text,
    struct ca_record **out, struct diag *why)
{
	struct ca_record *found = NULL;
	enum match best = MATCH_NONE, match;
	size_t same = 0, i;

	for (i = 0; i < config->ca_count; i++) {
		if (strcmp(config->cas[i].org, org) != 0) {
			continue;
		}
		match = match_ca(&config->cas[i], text);
		if (match == MATCH_NONE || match < best) {
			continue;
		}
		same = match > best ? 1 : same + 1;
		best = match;
		found = &config->cas[i];
	}
	if (found == NULL) {
		return diag_res(why, RES_NOTFOUND,
		    "there is no CA %s in the org %s: see certid ca list", text,
		    org);
	}
	if (same > 1) {
		return diag_res(why, RES_EXISTS,
		    "%s stands for %zu CAs of the org %s: give more digits",
		    text, same, org);
	}
	*out = found;
	return RES_OK;
}
