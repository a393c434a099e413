/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper: a thread of its own that fetches CRLs from where operators said they
 * are, stores what verifies, and tells of CAs and CRLs that expire.
 *
 * It is to the registry what one more operator is, with the actor "broker":
 * what it stores reaches this and every other broker as an event does.  It
 * never calls the broker and waits for no server: a CA's CRL is not late
 * because the server of another hangs, unless FETCH_AT_ONCE of them do.
 *
 * When: at once for a crl_url that is new to this keeper; then after half the
 * time to nextUpdate, between a second and an hour; after a failure 10 s, and
 * twice as long each time up to an hour.  Nothing is fetched while the clock
 * is not set.  All CAs count, whatever their state.
 *
 * A failure, of the server or of what it has, leaves the stored CRL as it is;
 * it is stored with the CA, told by an event if it is new, and by one line in
 * this broker's log.  See fetch.h for what a server may do, and for
 * SSL_CERT_FILE; trust/crl.h for what a CRL must be.
 */
#ifndef PLUGIN_KEEPER_H
#define PLUGIN_KEEPER_H

#include "plugin/mailbox.h"

#define KEEPER_POLL_MS 1000  /* how often it looks for others' changes */
#define KEEPER_LOOK_MS 60000 /* how often it looks for what expires */

struct keeper;

struct keeper_options {
	const char *registry;    /* path */
	struct mailbox *mailbox; /* NEWS_LOG is posted there; lent until
	                            keeper_stop() is back */
};

/* Open the registry for writing and start.  On the broker's thread, when no
 * other one may be in libcurl.  Signals stay the broker's.  RES_UNAVAIL and
 * those of registry_open(). */
MUST_CHECK enum res keeper_start(const struct keeper_options *options,
    struct keeper **out, struct diag *why);

/* Abandon what is under way, stop, join, free: within about a second, whatever
 * servers do.  NULL is allowed. */
void keeper_stop(struct keeper *keeper);

#endif /* PLUGIN_KEEPER_H */
