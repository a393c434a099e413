/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * edit_admin: who may manage an org over MQTT.  See edit.h.
 */
#include <string.h>

#include "registry/edit_private.h"

/*
 * What a broker can know a client by: printable UTF-8 without the bytes that
 * Mosquitto's own access lists refuse in a user name, for '+' and '#' are
 * wildcards there, and '/' ends a level.
 */
static enum res
put_name(struct admin_record *admin, const char *name, struct diag *why)
{
	size_t len = strlen(name);

	if (len > ADMIN_NAME_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the name of an admin is at most %d bytes long, not %zu",
		    ADMIN_NAME_MAX, len);
	}
	if (len == 0) {
		return diag_res(
		    why, RES_SYNTAX, "the name of an admin is empty");
	}
	if (!text_is_printable_utf8(name, len) ||
	    strpbrk(name, "+#/") != NULL) {
		return diag_res(why, RES_SYNTAX,
		    "an admin is an identity, such as d:ops:1, or a user name: "
		    "printable UTF-8 without '+', '#' and '/'");
	}
	memcpy(admin->name, name, len + 1);
	return RES_OK;
}

static enum res
apply(const struct edit *edit, enum change_kind kind, const char *name,
    const char *verb, struct diag *why)
{
	char subject[sizeof("admin ") + ADMIN_NAME_MAX];
	struct admin_record admin = {.added_at = edit->now};
	struct change change;
	enum res r = edit_put_org(edit, admin.org, why);

	if (r == RES_OK) {
		r = put_name(&admin, name, why);
	}
	if (r != RES_OK) {
		return r;
	}
	memcpy(subject, "admin ", sizeof("admin "));
	memcpy(subject + strlen("admin "), admin.name, strlen(admin.name) + 1);
	change = edit_change(edit, kind, "setting-changed", subject);
	change.of.admin = &admin;
	return edit_apply(edit, &change, edit_describe("%s", verb), why);
}

enum res
edit_admin_add(const struct edit *edit, const char *name, struct diag *why)
{
	return apply(edit, CHANGE_ADMIN_ADD, name, "added", why);
}

enum res
edit_admin_remove(const struct edit *edit, const char *name, struct diag *why)
{
	return apply(edit, CHANGE_ADMIN_REMOVE, name, "removed", why);
}
