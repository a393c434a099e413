/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/id_rule.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define MAC_LEN   12 /* aabbccddeeff */
#define PAIRS_LEN 17 /* aa:bb:cc:dd:ee:ff */
#define UUID_LEN  36

static bool
check_decimal(const char *id, size_t len)
{
	return strspn(id, "0123456789") == len;
}

static bool
check_mac(const char *id, size_t len)
{
	return len == MAC_LEN && text_is_hex(id, len);
}

/* Six pairs of hex digits with separator between them. */
static bool
check_pairs(const char *id, size_t len, char separator)
{
	size_t i;

	if (len != PAIRS_LEN) {
		return false;
	}
	for (i = 0; i < len; i += 3) {
		if (!text_is_hex(id + i, 2) ||
		    (i + 2 < len && id[i + 2] != separator)) {
			return false;
		}
	}
	return true;
}

static bool
check_mac_colon(const char *id, size_t len)
{
	return check_pairs(id, len, ':');
}

static bool
check_mac_dash(const char *id, size_t len)
{
	return check_pairs(id, len, '-');
}

/* RFC 4122, 4.1.3 and 4.1.1: version 4, and the variant's bits are 10. */
static bool
check_uuid4(const char *id, size_t len)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-Vxxx-xxxxxxxxxxxx";
	size_t i;

	if (len != UUID_LEN) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (form[i] == 'x'       ? !text_is_hex(id + i, 1)
		        : form[i] == 'V' ? strchr("89abAB", id[i]) == NULL
		                         : id[i] != form[i]) {
			return false;
		}
	}
	return true;
}

static const struct {
	const char *name, *why;
	bool (*check)(const char *id, size_t len);
	size_t length; /* that every such id has; 0: any */
	const char *why_length;
} kinds[] = {
    [ID_ANY] = {"any", NULL, NULL, 0, NULL},
    [ID_DECIMAL] = {"decimal", "the id is not a decimal number", check_decimal,
        0, NULL},
    [ID_HEX] = {"hex", "the id is not made of hex digits", text_is_hex, 0,
        NULL},
    [ID_MAC] = {"mac", "the id is not 12 hex digits", check_mac, MAC_LEN,
        "an id of the format mac has 12 characters, so no other length is "
        "possible"},
    [ID_MAC_COLON] = {"mac-colon",
        "the id is not a MAC address written aa:bb:cc:dd:ee:ff",
        check_mac_colon, PAIRS_LEN,
        "an id of the format mac-colon has 17 characters, so no other length "
        "is possible"},
    [ID_MAC_DASH] = {"mac-dash",
        "the id is not a MAC address written aa-bb-cc-dd-ee-ff", check_mac_dash,
        PAIRS_LEN,
        "an id of the format mac-dash has 17 characters, so no other length "
        "is possible"},
    [ID_UUID4] = {"uuid4", "the id is not a version 4 UUID", check_uuid4,
        UUID_LEN,
        "an id of the format uuid4 has 36 characters, so no other length is "
        "possible"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *
id_kind_name(enum id_kind kind)
{
	return (size_t)kind < KINDS ? kinds[kind].name : "unknown";
}

bool
id_kind_parse(const char *name, enum id_kind *out)
{
	size_t i;

	for (i = 0; i < KINDS; i++) {
		if (strcmp(name, kinds[i].name) == 0) {
			*out = (enum id_kind)i;
			return true;
		}
	}
	return false;
}

bool
id_rule_admits_colon(const struct id_rule *rule)
{
	return rule->kind == ID_MAC_COLON;
}

bool
id_rule_check(const struct id_rule *rule, const char *id, const char **why)
{
	size_t prefix = strlen(rule->prefix), len = strlen(id);

	if ((size_t)rule->kind >= KINDS) {
		*why = "the identity format of the type is not known";
		return false;
	}
	if (!id_rule_admits_colon(rule) && strchr(id, ':') != NULL) {
		*why = "the id holds a ':', as only a MAC address may";
		return false;
	}
	if (strncmp(id, rule->prefix, prefix) != 0) {
		*why = "the id does not begin with the prefix of its type";
		return false;
	}
	len -= prefix;
	if (len == 0 || (rule->length != 0 && len != rule->length)) {
		*why = "the id does not have the length that its type demands";
		return false;
	}
	if (kinds[rule->kind].check != NULL &&
	    !kinds[rule->kind].check(id + prefix, len)) {
		*why = kinds[rule->kind].why;
		return false;
	}
	return true;
}

bool
id_rule_is_possible(const struct id_rule *rule, const char **why)
{
	size_t prefix = strlen(rule->prefix), least;

	if ((size_t)rule->kind >= KINDS) {
		*why = "the identity format is not known";
		return false;
	}
	least = kinds[rule->kind].length;
	if (least != 0 && rule->length != 0 && rule->length != least) {
		*why = kinds[rule->kind].why_length;
		return false;
	}
	if (!id_rule_admits_colon(rule) && strchr(rule->prefix, ':') != NULL) {
		*why = "the prefix holds a ':', which only ids of the format "
		       "mac-colon may hold";
		return false;
	}
	least = rule->length != 0 ? rule->length : least != 0 ? least : 1;
	if (prefix + least > IDENTITY_ID_MAX) {
		*why = "with this prefix and length the ids are longer than 64 "
		       "bytes";
		return false;
	}
	return true;
}

_Static_assert(IDENTITY_ID_MAX == 64, "as id_rule_is_possible() says");

void
id_rule_format(const struct id_rule *rule, char text[ID_RULE_TEXT_MAX + 1])
{
	char length[24] = "";

	if (rule->length != 0) {
		(void)snprintf(
		    length, sizeof(length), ", %d characters", rule->length);
	}
	(void)snprintf(text, ID_RULE_TEXT_MAX + 1, "%s%s%s%s",
	    id_kind_name(rule->kind), length,
	    rule->prefix[0] == '\0' ? "" : " after ", rule->prefix);
}
