/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/client_template.h"

#include <string.h>

#include "common/text.h"
#include "policy/policy.h"

/* What a device type may hold; any other byte tells where the type ends. */
static const char type_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789._-";

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
			apart = apart || strchr(type_bytes, *text) == NULL;
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
