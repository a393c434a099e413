/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/follow.h"

#include <stdlib.h>
#include <string.h>

/* Devices that were only listed, and what is told to people alone, concern
 * nobody who is connected.  One that a broker provisioned concerns the gateways
 * of the others: which broker it was, no event tells. */
static bool
is_idle(const struct event *event)
{
	static const char *const kinds[] = {"session-closed", "import",
	    "device-allowed", "ca-expiring", "crl-failed", "clone-suspected",
	    "pin-mismatch", "metrics"};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(event->kind, kinds[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether it is about a device, and which. */
static bool
is_of_device(const struct event *event, struct identity *who)
{
	static const char *const heads[] = {"device-", "pin-", "token-"};
	const char *detail;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		if (strncmp(event->kind, heads[i], strlen(heads[i])) == 0) {
			return event->subject != NULL &&
			    identity_parse(event->subject,
			        strlen(event->subject), who, &detail) == RES_OK;
		}
	}
	return false;
}

enum concern
follow_concern(const struct event *event, struct identity *who)
{
	if (is_idle(event)) {
		return CONCERN_NOBODY;
	}
	return is_of_device(event, who) ? CONCERN_DEVICE : CONCERN_SETTINGS;
}

enum res
follow_post_device(struct mailbox *mailbox, struct registry *registry,
    enum news_kind kind, const char *org, const struct identity *who,
    enum res result)
{
	struct news *news = news_new(kind);
	bool case_clash;
	enum res r;

	if (news == NULL) {
		return RES_NOMEM;
	}
	r = registry_get(
	    registry, org, who, false, &news->device, &case_clash, NULL);
	if (r != RES_OK && r != RES_NOTFOUND) {
		news_free(news);
		return r;
	}
	news->found = r == RES_OK;
	news->result = result;
	if (!news->found) {
		device_init(&news->device, org, who);
	}
	mailbox_post(mailbox, news);
	return RES_OK;
}

enum res
follow_post_event(struct mailbox *mailbox, const struct event *event)
{
	struct news *news = news_new(NEWS_EVENT);

	if (news == NULL) {
		return RES_NOMEM;
	}
	news->event = *event;
	news->event.subject =
	    event->subject == NULL ? NULL : strdup(event->subject);
	news->event.detail =
	    event->detail == NULL ? NULL : strdup(event->detail);
	if ((event->subject == NULL) != (news->event.subject == NULL) ||
	    (event->detail == NULL) != (news->event.detail == NULL)) {
		news_free(news);
		return RES_NOMEM;
	}
	mailbox_post(mailbox, news);
	return RES_OK;
}
