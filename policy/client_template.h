/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client_template: which MQTT client ids an identity may use.
 *
 * Text with the words {class} {org} {type} {id}, each filled in from the
 * identity, and optionally one '*' at the very end that stands for any suffix.
 * It must hold {type} and {id} and, since two classes may share them, {class}:
 * else two devices could share a client id, and one take over the other's
 * session.
 */
#ifndef POLICY_CLIENT_TEMPLATE_H
#define POLICY_CLIENT_TEMPLATE_H

#include <stdbool.h>

#include "common/diag.h"
#include "identity/identity.h"

#define CLIENT_TEMPLATE_DEFAULT "{class}:{type}:{id}"
#define CLIENT_TEMPLATE_MAX     128 /* bytes */
#define CLIENT_ID_MAX           512 /* bytes of a rendered client id */

struct client_template {
	char text[CLIENT_TEMPLATE_MAX + 1]; /* without the '*' */
	bool any_suffix;
};

/* RES_SYNTAX or RES_LIMIT: why says what to write instead. */
MUST_CHECK enum res client_template_parse(
    const char *text, struct client_template *out, struct diag *why);

/* The client id of who, without any suffix, and a NUL.  False: longer than
 * CLIENT_ID_MAX. */
MUST_CHECK bool client_template_render(const struct client_template *template,
    const char *org, const struct identity *who,
    char client_id[CLIENT_ID_MAX + 1]);

/* Whether who may call itself client_id.  False on any failure. */
bool client_template_admits(const struct client_template *template,
    const char *org, const struct identity *who, const char *client_id);

#endif /* POLICY_CLIENT_TEMPLATE_H */
