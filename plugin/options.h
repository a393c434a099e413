/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options: the plugin_opt_ lines of mosquitto.conf.
 */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"

/* What becomes of a client that is no device.  Zero refuses. */
enum others {
	OTHERS_REFUSE = 0,
	OTHERS_DEFER, /* other plugins, the password and ACL files decide */
	OTHERS_ALLOW, /* accepted, no limits on topics */
};

struct options {
	char *registry; /* path */
	char *capath;   /* NULL: none is kept */
	enum others others;
	bool assume_tls;
	bool tls_verify; /* inside the handshake: "tls_verify plugin" */
};

struct mosquitto_opt;

/*
 * Read count options.  Unknown, repeated, empty and wrong values are errors;
 * registry is required.  RES_SYNTAX with why naming the line; RES_NOMEM.
 * *out is set on RES_OK only; options_done() frees what it holds.
 */
MUST_CHECK enum res options_parse(const struct mosquitto_opt *list, int count,
    struct options *out, struct diag *why);
void options_done(struct options *options);

#endif /* PLUGIN_OPTIONS_H */
