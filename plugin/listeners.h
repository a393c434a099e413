/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * listeners: whose TLS clients are this plugin's, and which clients use TLS?
 * The broker tells a plugin nothing of its listeners, so the answer is read
 * from the broker's own configuration (conf.h), by the rules of
 * mosquitto.conf(5):
 *
 *  - "plugin" and "auth_plugin" are for every listener; after
 *    "per_listener_settings true", for the one in whose section they stand: the
 *    last "listener" line above in the same file, else the default listener.
 *  - 2.1: "global_plugin" is for every listener; "plugin_load NAME PATH" for
 *    those that say "plugin_use NAME".
 *
 * A listener is known by its port.  Where that does not tell the plugin's
 * listeners from others, or where 2.0 and 2.1 read a line differently, there
 * is no answer, rather than one that may be wrong.
 *
 * To be read while the broker starts: plugin lines are not read again on
 * SIGHUP.  The value does not change, and may be asked from any thread.
 */
#ifndef PLUGIN_LISTENERS_H
#define PLUGIN_LISTENERS_H

#include <stdbool.h>

#include "common/diag.h"

#define LISTENERS_NAMES_MAX 64 /* plugin_load lines of this plugin */

struct listeners;

/*
 * Read the files that this process was started with, and what they include.
 * plugin_path is this plugin's own file as the loader knows it (dladdr(3)); a
 * line names it if it is the same file.
 *
 * RES_OK: *out belongs to the caller, listeners_free().  RES_UNAVAIL: a file
 * cannot be read, or they do not say which listeners are the plugin's.
 * RES_SYNTAX: a line that the broker does not take either.  RES_LIMIT: see
 * conf.h and above.  RES_NOMEM.
 */
MUST_CHECK enum res listeners_read(
    const char *plugin_path, struct listeners **out, struct diag *why);

/* The same from the file config_path and what it includes. */
MUST_CHECK enum res listeners_parse(const char *plugin_path,
    const char *config_path, struct listeners **out, struct diag *why);
void listeners_free(struct listeners *listeners);

/* Whether the broker asks this plugin about the clients of every listener,
 * those without a port included. */
bool listeners_are_all(const struct listeners *listeners);

/* Whether it asks about those of the listener on this TCP port.  False for a
 * port that no line names, unless all are ours. */
bool listeners_include(const struct listeners *listeners, int port);

/*
 * Whether every client of this TCP port, or of all listeners, uses TLS: their
 * lines name a certfile and a keyfile, and no proxy protocol.  False for a port
 * that no line names, and where 2.0 and 2.1 read a line differently.  Listeners
 * of others count like ours.
 */
bool listeners_have_tls(const struct listeners *listeners, int port);
bool listeners_all_have_tls(const struct listeners *listeners);

#endif /* PLUGIN_LISTENERS_H */
