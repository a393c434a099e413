/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/edit_private.h"

#define SUBJECT_PREFIX "hook "
#define SUBJECT_SIZE   (sizeof(SUBJECT_PREFIX) + HOOK_ID_LEN)
#define TRIES          8 /* to find an id that is not taken */

_Static_assert(HOOK_ID_LEN % 2 == 0, "an id is whole bytes");

/* An event is told to every receiver: a query may hold a password. */
static char *
describe(const char *verb, const char *url)
{
	size_t len = strcspn(url, "?#");

	return edit_describe(
	    "%s: %.*s%s", verb, (int)len, url, url[len] == '\0' ? "" : "?...");
}

static enum res
apply(const struct edit *edit, enum change_kind kind, struct hook_record *hook,
    const char *verb, struct diag *why)
{
	char subject[SUBJECT_SIZE];
	struct change change;

	(void)snprintf(subject, sizeof(subject), SUBJECT_PREFIX "%s", hook->id);
	change = edit_change(edit, kind, "setting-changed", subject);
	change.of.hook = hook;
	return edit_apply(edit, &change, describe(verb, hook->url), why);
}

static enum res
check(const struct hook_record *hook, struct diag *why)
{
	if (hook->url == NULL || hook->url[0] == '\0') {
		return diag_res(why, RES_SYNTAX, "the URL is empty");
	}
	if (strlen(hook->url) > URL_MAX) {
		return diag_res(
		    why, RES_LIMIT, "the URL is longer than %d bytes", URL_MAX);
	}
	if (hook->secret != NULL && strlen(hook->secret) > SECRET_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the secret is longer than %d bytes", SECRET_MAX);
	}
	return RES_OK;
}

/* With an id of its own, which one in four billion has already. */
static enum res
add(const struct edit *edit, struct hook_record *hook, struct diag *why)
{
	enum res r = RES_EXISTS;
	int i;

	for (i = 0; r == RES_EXISTS && i < TRIES; i++) {
		r = secret_random_hex(hook->id, HOOK_ID_LEN / 2);
		r = r == RES_OK
		    ? apply(edit, CHANGE_HOOK_ADD, hook, "added", why)
		    : diag_res(why, r, "there are no random numbers");
	}
	return r;
}

enum res
edit_hook_add(
    const struct edit *edit, struct hook_record *hook, struct diag *why)
{
	enum res r = edit_put_org(edit, hook->org, why);

	if (r == RES_OK) {
		r = check(hook, why);
	}
	if (r == RES_OK) {
		r = registry_mark(edit->registry, &hook->cursor, why);
	}
	if (r != RES_OK) {
		return r;
	}
	hook->created_at = edit->now;
	hook->delivered = 0;
	hook->dropped = 0;
	hook->failing_since = CLOCK_NONE;
	return add(edit, hook, why);
}

/* Hooks of the org that text stands for: how many, and one of them. */
static size_t
find(const struct config *config, const char *org, const char *text,
    struct hook_record **out)
{
	size_t i, len = strlen(text), count = 0;
	struct hook_record *hook;

	for (i = 0; i < config->hook_count; i++) {
		hook = &config->hooks[i];
		if (strcmp(hook->org, org) == 0 && len > 0 &&
		    (strcmp(hook->url, text) == 0 ||
		        strncmp(hook->id, text, len) == 0)) {
			*out = hook;
			count++;
		}
	}
	return count;
}

enum res
config_find_hook(const struct config *config, const char *org, const char *text,
    struct hook_record **out, struct diag *why)
{
	struct hook_record *hook = NULL;
	size_t count = find(config, org, text, &hook);

	if (count == 0) {
		return diag_res(why, RES_NOTFOUND,
		    "the org %s has no hook %.120s: see \"certid hook list\"",
		    org, text);
	}
	if (count > 1) {
		return diag_res(why, RES_EXISTS,
		    "%.120s fits %zu hooks of the org %s: give the id of one, "
		    "see \"certid hook list\"",
		    text, count, org);
	}
	*out = hook;
	return RES_OK;
}

enum res
edit_hook_remove(const struct edit *edit, const struct config *config,
    const char *text, struct diag *why)
{
	struct hook_record *hook = NULL;
	enum res r = config_find_hook(config, edit->org, text, &hook, why);

	return r == RES_OK
	    ? apply(edit, CHANGE_HOOK_REMOVE, hook, "removed", why)
	    : r;
}
