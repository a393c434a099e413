/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/hook_health.h"

#include <stdio.h>
#include <string.h>

#include "manage/health.h"

#define KINDS_MAX 256
#define URL_SHOWN 160 /* bytes */

/* A URL as others than its owner may see it. */
static void
show_url(const char *url, char shown[HOOK_LABEL_MAX + 1])
{
	size_t len = strcspn(url, "?#");
	const char *tail = url[len] == '\0' ? "" : "?...";

	if (len > URL_SHOWN) {
		tail = "...";
		len = URL_SHOWN;
	}
	(void)snprintf(
	    shown, HOOK_LABEL_MAX + 1, "%.*s%s", (int)len, url, tail);
}

void
hook_label(const struct hook_record *hook, char label[HOOK_LABEL_MAX + 1])
{
	char url[HOOK_LABEL_MAX + 1];

	show_url(hook->url, url);
	(void)snprintf(label, HOOK_LABEL_MAX + 1, "%s (%.165s)", hook->id, url);
}

struct counting {
	char **kinds;
	size_t kind_count;
	int64_t found;
};

static enum res
count(const struct event *event, void *context)
{
	struct counting *counting = context;
	bool wanted = counting->kind_count == 0;
	size_t i;

	for (i = 0; i < counting->kind_count && !wanted; i++) {
		wanted = strcmp(counting->kinds[i], event->kind) == 0;
	}
	counting->found += wanted ? 1 : 0;
	return RES_OK;
}

enum res
hook_backlog(const struct call *call, const struct hook_record *hook,
    int64_t *out, struct diag *why)
{
	struct event_query query = {.org = hook->org,
	    .after = hook->cursor,
	    .since = CLOCK_NONE,
	    .limit = HOOK_BACKLOG_MAX};
	struct counting counting = {.found = 0};
	enum res r = json_read_texts(
	    hook->kinds, KINDS_MAX, &counting.kinds, &counting.kind_count, why);

	if (r == RES_OK) {
		r = registry_events(
		    call->registry, &query, count, &counting, why);
		json_texts_free(counting.kinds, counting.kind_count);
	}
	if (r == RES_OK) {
		*out = counting.found;
	}
	return r;
}

static void
look_at_failure(const struct call *call, const struct hook_record *hook,
    int64_t backlog, struct findings *findings)
{
	struct finding finding = {.kind = "hook-failing",
	    .urgency = URGENT_SOON,
	    .org = hook->org,
	    .when = CLOCK_FOREVER};
	char label[HOOK_LABEL_MAX + 1], since[TIME_MAX + 1];

	if (hook->failing_since == CLOCK_NONE ||
	    call->now - hook->failing_since < HOOK_FAILING_MAX) {
		return;
	}
	hook_label(hook, label);
	clock_format(hook->failing_since, since);
	findings_add(findings, &finding,
	    "the hook %s fails since %s, %lld events wait: %.200s", label,
	    since, (long long)backlog,
	    hook->failure == NULL ? "not known why" : hook->failure);
}

static void
look_at_dropped(const struct hook_record *hook, struct findings *findings)
{
	struct finding finding = {.kind = "hook-dropped",
	    .urgency = URGENT_LATER,
	    .org = hook->org,
	    .when = CLOCK_FOREVER};
	char label[HOOK_LABEL_MAX + 1], org[ORG_OPTION_MAX + 1];

	if (hook->dropped == 0) {
		return;
	}
	hook_label(hook, label);
	org_option(hook->org, org);
	findings_add(findings, &finding,
	    "%lld events were never delivered to the hook %s, for they waited "
	    "too long: \"certid event list%s\" has those that are kept; to "
	    "clear this, remove and add the hook",
	    (long long)hook->dropped, label, org);
}

static struct json *
health_json(const struct hook_record *hook, int64_t backlog)
{
	char url[HOOK_LABEL_MAX + 1];
	struct json *object = json_object();

	show_url(hook->url, url);
	json_add_text(object, "hook", hook->id);
	json_add_text(object, "url", url);
	json_add_number(object, "backlog", backlog);
	json_add_number(object, "delivered", hook->delivered);
	json_add_number(object, "dropped", hook->dropped);
	json_add_time(object, "failing_since", hook->failing_since);
	json_add_text(object, "failure", hook->failure);
	return object;
}

enum res
hook_survey(const struct call *call, const char *org, struct findings *findings,
    struct json *array, struct diag *why)
{
	const struct hook_record *hook;
	int64_t backlog = 0;
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < call->config.hook_count; i++) {
		hook = &call->config.hooks[i];
		if (strcmp(hook->org, org) != 0) {
			continue;
		}
		r = hook_backlog(call, hook, &backlog, why);
		if (r == RES_OK) {
			look_at_failure(call, hook, backlog, findings);
			look_at_dropped(hook, findings);
			json_append(array, health_json(hook, backlog));
		}
	}
	return r;
}
