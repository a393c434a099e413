/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/output.h"

static bool
make_room(struct findings *findings)
{
	size_t room = findings->room == 0 ? 16 : findings->room * 2;
	struct finding *items;

	if (findings->count < findings->room) {
		return true;
	}
	items = realloc(findings->items, room * sizeof(*items));
	if (items == NULL) {
		return false;
	}
	findings->items = items;
	findings->room = room;
	return true;
}

/* Whether a is told before b; what is alike stays in the order of adding. */
static bool
is_before(const struct finding *a, const struct finding *b)
{
	return a->urgency != b->urgency ? a->urgency < b->urgency
	                                : a->when < b->when;
}

void
findings_add(struct findings *findings, const struct finding *finding,
    const char *format, ...)
{
	struct finding *at, new = *finding;
	char whole[2 * DIAG_MAX];
	struct diag said;
	va_list args;

	if (findings->failed || !make_room(findings)) {
		findings->failed = true;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(whole, sizeof(whole), format, args);
	va_end(args);
	/* It may hold what a server said; what is too long ends in dots. */
	diag_set(&said, "%s", whole);
	memcpy(new.text, said.text, sizeof(new.text));
	at = findings->items + findings->count++;
	for (; at > findings->items && is_before(&new, at - 1); at--) {
		*at = at[-1];
	}
	*at = new;
}

static struct json *
finding_json(const struct finding *finding)
{
	struct json *object = json_object();

	json_add_text(object, "kind", finding->kind);
	json_add_text(object, "org", finding->org);
	json_add_text(object, "ca", finding->ca);
	json_add_text(object, "level",
	    finding->urgency == URGENT_NOW ? "critical" : "warning");
	json_add_text(object, "text", finding->text);
	return object;
}

enum res
findings_report(struct findings *findings, const struct call *call,
    struct json *warnings, struct json *array)
{
	const struct finding *finding;
	size_t i;

	if (findings->failed) {
		return RES_NOMEM;
	}
	for (i = 0; i < findings->count; i++) {
		finding = &findings->items[i];
		(finding->urgency == URGENT_NOW ? warn_critical : warn)(call,
		    warnings, "%s%s%s%s", finding->org == NULL ? "" : "org ",
		    finding->org == NULL ? "" : finding->org,
		    finding->org == NULL ? "" : ": ", finding->text);
		json_append(array, finding_json(finding));
	}
	return RES_OK;
}

bool
findings_are_critical(const struct findings *findings)
{
	return findings->count > 0 && findings->items[0].urgency == URGENT_NOW;
}

void
findings_done(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){0};
}
