/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "registry/event.h"

#include <string.h>

const char *const event_kinds[] = {"device-provisioned", "device-pending",
    "device-allowed", "device-approved", "device-changed", "device-locked",
    "device-unlocked", "device-removed", "device-attached", "device-detached",
    "pin-changed", "pin-mismatch", "token-changed", "clone-suspected",
    "session-closed", "ca-added", "ca-proven", "ca-activated", "ca-deactivated",
    "ca-removed", "ca-expiring", "crl-updated", "crl-failed", "rule-changed",
    "type-changed", "setting-changed", "import", NULL};

bool
event_is_kind(const char *kind)
{
	size_t i;

	for (i = 0; event_kinds[i] != NULL; i++) {
		if (strcmp(event_kinds[i], kind) == 0) {
			return true;
		}
	}
	return false;
}

struct json *
event_json(const struct event *event)
{
	struct json *object = json_object();
	bool has_detail = event->detail != NULL && event->detail[0] != '\0';

	json_add_number(object, "seq", event->seq);
	json_add_time(object, "time", event->time);
	json_add_text(object, "org", event->org);
	json_add_text(object, "actor", event->actor);
	json_add_text(object, "kind", event->kind);
	json_add_text(object, "subject", event->subject);
	json_add_text(object, "detail", has_detail ? event->detail : NULL);
	return object;
}
