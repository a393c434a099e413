/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * body: an event as receivers get it.
 *
 * CloudEvents 1.0 in structured mode, with the device as "certid device show
 * --json" has it but for its token and its pins; or the list of one device that
 * services which speak Watson IoT's device model take.  What is not known is
 * left out.  Never a secret.
 */
#ifndef PLUGIN_BODY_H
#define PLUGIN_BODY_H

#include "registry/registry.h"

#define BODY_CLOUDEVENTS "cloudevents"
#define BODY_WATSON      "watson"

#define BODY_ID_MAX (NAME_MAX_LEN + 1 + 20)

/* What tells this event from all others: "ORG/SEQ". */
void body_id(const struct event *event, char id[BODY_ID_MAX + 1]);

/* Whether an event is about one device, and which. */
bool body_device(const struct event *event, struct identity *out);

/* The header of a format's media type; NULL: there is no such format. */
const char *body_content_type(const char *format);

/*
 * The document, freed by the caller.  device: as it is now, with its subject,
 * tags and info; NULL: it is gone, or the event is about none.  RES_REFUSED:
 * the format is unknown, or cannot tell of this event.  RES_NOMEM.
 */
MUST_CHECK enum res body_make(const char *format, const struct config *config,
    const struct event *event, const struct device *device, int64_t now,
    char **out);

#endif /* PLUGIN_BODY_H */
