/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client_template: which MQTT client ids an identity may use.
 *
 * Text with the words {class} {org} {type} {id}, each filled in from the
 * identity, and optionally one '*' at the very end.  No two identities may
 * get the same client id, or one device could take over the other's session.
 * So {class}, {type} and {id} must each stand in it once, and between {type}
 * and {id}, whichever comes first, a byte that no type can hold, such as ':'.
 *
 * The '*' stands for any suffix without '/', '+' and '#'.  It gives some of
 * that up: under {class}:{type}:{id}* the device d:meter:1 may also call
 * itself d:meter:12, for the suffix can turn one id into another.  A byte that
 * no id can hold before the '*', as in {class}:{type}:{id}@*, prevents it; ids
 * of one length per type (see id_rule.h) do so, too.
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

/* The client id of who, without any suffix, and a NUL.  False, and client_id
 * is empty: longer than CLIENT_ID_MAX, or the template was never parsed. */
MUST_CHECK bool client_template_render(const struct client_template *template,
    const char *org, const struct identity *who,
    char client_id[CLIENT_ID_MAX + 1]);

/* Whether who may call itself client_id.  False on any failure. */
bool client_template_admits(const struct client_template *template,
    const char *org, const struct identity *who, const char *client_id);

/* The identity whose client id this is, without any suffix.  False, and *who is
 * nobody: it is nobody's.  What it gives, client_template_render() leads back
 * to client_id. */
MUST_CHECK bool client_template_read(const struct client_template *template,
    const char *org, const char *client_id, struct identity *who);

#endif /* POLICY_CLIENT_TEMPLATE_H */
