/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/right.h"

#include <string.h>

enum bar_kind {
	BAR_ALL = 0,
	BAR_FIRST,  /* one of words as the first argument */
	BAR_FILTER, /* a third argument that is a filter, unless its first level
	               is that of the org */
};

/*
 * What an admin of an org other than default may not do, besides all that is
 * of no org (NEED_ORG): what other orgs would feel, who share the broker, its
 * topics, client ids and names with his; and requests to other hosts, which
 * come from the provider's network.
 */
static const struct {
	const char *command;
	enum bar_kind kind;
	const char *words;
} bars[] = {
    {"hook add", BAR_ALL, NULL},
    {"hook remove", BAR_ALL, NULL},
    {"set", BAR_FIRST, "max-devices sni client-id topics"},
    {"topic add", BAR_FILTER, NULL},
    {"topic remove", BAR_FILTER, NULL},
};

bool
right_is_tenant(const struct admin *admin)
{
	return strcmp(admin->org, ORG_DEFAULT) != 0;
}

static bool
is_one_of(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = words; *at != '\0'; at += strspn(at, " ")) {
		if (strcspn(at, " ") == len && memcmp(at, word, len) == 0) {
			return true;
		}
		at += strcspn(at, " ");
	}
	return false;
}

/* Whether the first level of the filter is {org}, or the name of the org: every
 * topic that it matches is then below the org. */
static bool
is_within(const char *org, const char *filter)
{
	size_t len = strcspn(filter, "/");

	return (len == strlen("{org}") && memcmp(filter, "{org}", len) == 0) ||
	    (len == strlen(org) && memcmp(filter, org, len) == 0);
}

/* What everybody is told of what is barred. */
static enum res
bar(const struct admin *admin, const char *what, struct diag *why)
{
	return diag_res(why, RES_REFUSED,
	    "%.120s is not for %.120s, an admin of the org %s: an admin of the "
	    "org %s does that",
	    what, admin->name, admin->org, ORG_DEFAULT);
}

static enum res
bar_filter(const struct admin *admin, const char *filter, struct diag *why)
{
	if (filter != NULL && is_within(admin->org, filter)) {
		return RES_OK;
	}
	return diag_res(why, RES_REFUSED,
	    "the filter must begin with {org}/ or %s/, for %.120s is an admin "
	    "of the org %s: of any other filter an admin of the org %s does "
	    "that",
	    admin->org, admin->name, admin->org, ORG_DEFAULT);
}

static enum res
check_bars(
    const struct admin *admin, const struct request *request, struct diag *why)
{
	const char *words = request->command->words, *first = request->args[0];
	size_t i;

	for (i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
		if (strcmp(bars[i].command, words) != 0) {
			continue;
		}
		switch (bars[i].kind) {
		case BAR_ALL:
			return bar(admin, request->name, why);
		case BAR_FIRST:
			return first != NULL && is_one_of(bars[i].words, first)
			    ? bar(admin, first, why)
			    : RES_OK;
		case BAR_FILTER:
			return bar_filter(admin, request->args[2], why);
		}
	}
	return RES_OK;
}

enum res
right_check(const struct admin *admin, const struct request *request,
    const char **org, struct diag *why)
{
	const struct command *command = request->command;
	const char *asked = request->org;

	if ((command->need & NEED_LOCAL) != 0) {
		return diag_res(why, RES_REFUSED,
		    "%s is for the machine of the broker: run \"certid %s\" "
		    "there",
		    request->name, command->words);
	}
	if (!right_is_tenant(admin)) {
		*org = (command->need & NEED_ORG) != 0 ? asked : NULL;
		return RES_OK;
	}
	if ((command->need & NEED_ORG) == 0) {
		return diag_res(why, RES_REFUSED,
		    "%s is for admins of the org %s, and %s is one of the org "
		    "%s",
		    request->name, ORG_DEFAULT, admin->name, admin->org);
	}
	if (asked != NULL && strcmp(asked, admin->org) != 0) {
		return diag_res(why, RES_REFUSED,
		    "%s is an admin of the org %s, and of no other",
		    admin->name, admin->org);
	}
	*org = admin->org;
	return check_bars(admin, request, why);
}

static bool
is_listed(const struct admin *admin, const struct config *config)
{
	size_t i;

	for (i = 0; i < config->admin_count; i++) {
		if (strcmp(config->admins[i].org, admin->org) == 0 &&
		    strcmp(config->admins[i].name, admin->name) == 0) {
			return true;
		}
	}
	return false;
}

/* One that was let in a moment ago may have no row yet. */
static enum res
check_device(const struct admin *admin, const struct call *call,
    const struct identity *who, struct diag *why)
{
	struct device device = {.locked = true};
	bool clash = false, stands;
	enum res r = registry_get(
	    call->registry, admin->org, who, false, &device, &clash, why);

	if (r == RES_NOTFOUND) {
		return admin->is_new
		    ? RES_OK
		    : diag_res(why, RES_REFUSED,
		          "there is no device %s in the org %s any more",
		          admin->name, admin->org);
	}
	if (r != RES_OK) {
		return r;
	}
	stands = !device.locked;
	device_done(&device);
	return stands ? RES_OK
	              : diag_res(why, RES_REFUSED, "the device %s is locked",
	                    admin->name);
}

enum res
right_stands(
    const struct admin *admin, const struct call *call, struct diag *why)
{
	struct identity who;
	const char *said;

	if (call->registry == NULL || !is_listed(admin, &call->config)) {
		return diag_res(why, RES_REFUSED,
		    "%.200s is no admin of the org %s any more", admin->name,
		    admin->org);
	}
	return identity_parse(admin->name, strlen(admin->name), &who, &said) ==
	        RES_OK
	    ? check_device(admin, call, &who, why)
	    : RES_OK;
}
