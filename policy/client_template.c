/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/client_template.h"

#include <string.h>

#include "common/text.h"
#include "policy/policy.h"

static enum res
check_bytes(const char *text, struct diag *why)
{
	size_t len = strlen(text);
	const char *star = strchr(text, '*');

	if (len > CLIENT_TEMPLATE_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the client id template is %zu bytes long; write at most "
		    "%d",
		    len, CLIENT_TEMPLATE_MAX);
	}
	if (!text_is_printable_utf8(text, len)) {
		return diag_res(why, RES_SYNTAX,
		    "the client id template holds a control character or is "
		    "not UTF-8; write it in printable text");
	}
	if (strpbrk(text, "+#/") != NULL) {
		return diag_res(why, RES_SYNTAX,
		    "the client id template holds a '%c'; leave it out, for "
		    "it has a meaning in topics",
		    *strpbrk(text, "+#/"));
	}
	if (star != NULL && star[1] != '\0') {
		return diag_res(why, RES_SYNTAX,
		    "a '*' may stand only at the end of the client id "
		    "template");
	}
	return RES_OK;
}

/* Given that the three stand in it once, and that between type and id there
 * is a byte that no type holds, the parts can be told apart again: all the
 * rest has a fixed length, and the first (or, with the id before the type,
 * the last) such byte ends the type. */
static enum res
check_unique(const char *text, struct diag *why)
{
	const unsigned pair = WORD_TYPE | WORD_ID;
	unsigned word, seen = 0;
	bool apart = false;
	size_t len;

	for (; *text != '\0'; text += len) {
		word = policy_word(text, &len);
		if (word == 0) {
			apart = apart || policy_ends_type(*text);
			len = 1;
			continue;
		}
		if ((seen & word) != 0) {
			return diag_res(why, RES_SYNTAX,
			    "the client id template holds %.*s twice; write "
			    "it once",
			    (int)len, text);
		}
		if ((word & pair) != 0 && (seen & pair) != 0 && !apart) {
			return diag_res(why, RES_SYNTAX,
			    "two devices could share a client id; write a ':' "
			    "between {type} and {id}");
		}
		if ((word & pair) != 0) {
			apart = false;
		}
		seen |= word;
	}
	if ((seen & (pair | WORD_CLASS)) != (pair | WORD_CLASS)) {
		return diag_res(why, RES_SYNTAX,
		    "two devices could share a client id; write {class}, "
		    "{type} and {id} in the template");
	}
	return RES_OK;
}

enum res
client_template_parse(
    const char *text, struct client_template *out, struct diag *why)
{
	struct client_template template = {0};
	size_t len = strlen(text);
	enum res r = check_bytes(text, why);

	if (r == RES_OK) {
		r = policy_check_words(text, why);
	}
	if (r == RES_OK) {
		r = check_unique(text, why);
	}
	if (r != RES_OK) {
		return r;
	}
	template.any_suffix = text[len - 1] == '*';
	memcpy(template.text, text, template.any_suffix ? len - 1 : len);
	*out = template;
	return RES_OK;
}

bool
client_template_render(const struct client_template *template, const char *org,
    const struct identity *who, char client_id[CLIENT_ID_MAX + 1])
{
	return policy_fill(
	           template->text, org, who, client_id, CLIENT_ID_MAX + 1) &&
	    client_id[0] != '\0';
}

bool
client_template_admits(const struct client_template *template, const char *org,
    const struct identity *who, const char *client_id)
{
	char right[CLIENT_ID_MAX + 1];
	size_t len;

	if (client_id == NULL ||
	    !client_template_render(template, org, who, right)) {
		return false;
	}
	len = strlen(right);
	if (strncmp(client_id, right, len) != 0) {
		return false;
	}
	return client_id[len] == '\0' ||
	    (template->any_suffix && strpbrk(client_id + len, "/+#") == NULL);
}

/* The bytes of a client id that are neither type nor id. */
static size_t
measure_rest(const char *text, const char *org)
{
	size_t len, rest = 0;

	for (; *text != '\0'; text += len) {
		switch (policy_word(text, &len)) {
		case WORD_TYPE:
		case WORD_ID:
			break;
		case WORD_ORG:
			rest += strlen(org);
			break;
		case WORD_CLASS:
			rest++;
			break;
		default:
			len = 1;
			rest++;
			break;
		}
	}
	return rest;
}

/* What stands in the place of {class}, {type} and {id}, given the lengths of
 * the last two; whether the rest is the template's is seen by rendering. */
static void
pick(const struct client_template *template, const char *org,
    const char *client_id, size_t type_len, size_t id_len, struct identity *out)
{
	const char *text = template->text, *at = client_id;
	size_t len;

	memset(out, 0, sizeof(*out));
	for (; *text != '\0'; text += len) {
		switch (policy_word(text, &len)) {
		case WORD_TYPE:
			memcpy(out->type.name, at, type_len);
			at += type_len;
			break;
		case WORD_ID:
			memcpy(out->id, at, id_len);
			at += id_len;
			break;
		case WORD_ORG:
			at += strlen(org);
			break;
		case WORD_CLASS:
			out->type.class = *at++;
			break;
		default:
			len = 1;
			at++;
			break;
		}
	}
}

/* Whether who is an identity, and this its client id. */
static bool
leads_back(const struct client_template *template, const char *org,
    const struct identity *who, const char *client_id)
{
	char text[IDENTITY_TEXT_MAX + 1], right[CLIENT_ID_MAX + 1];
	struct identity read;
	const char *why;

	identity_format(who, text);
	return identity_parse(text, strlen(text), &read, &why) == RES_OK &&
	    identity_equal(&read, who) &&
	    client_template_render(template, org, who, right) &&
	    strcmp(right, client_id) == 0;
}

/* Every length that the type may have is tried: no two of them fit, for a
 * template gives no two identities one client id. */
bool
client_template_read(const struct client_template *template, const char *org,
    const char *client_id, struct identity *who)
{
	size_t len = strnlen(client_id, CLIENT_ID_MAX + 1);
	size_t rest = measure_rest(template->text, org), type_len;

	for (type_len = 1; type_len <= IDENTITY_TYPE_MAX &&
	     len <= CLIENT_ID_MAX && rest + type_len < len;
	     type_len++) {
		if (len - rest - type_len > IDENTITY_ID_MAX) {
			continue;
		}
		pick(template, org, client_id, type_len, len - rest - type_len,
		    who);
		if (leads_back(template, org, who, client_id)) {
			return true;
		}
	}
	memset(who, 0, sizeof(*who));
	return false;
}
