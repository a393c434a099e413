/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * handshake: "tls_verify plugin".  The registered CAs decide the TLS handshake
 * itself, whatever the listener's cafile and capath say.
 *
 * Mosquitto has no interface for that; OpenSSL has.  Every SSL_CTX that is
 * made for a server after handshake_start() gets our callbacks, through the
 * constructor of an ex_data index: verification of the client's chain, what
 * to ask the client for, and what to do with tickets of earlier sessions.
 * Listeners that do not use the plugin (listeners.h), clients (bridges,
 * libcurl) and other threads keep OpenSSL's own verification.
 *
 * What the handshake found stays on the certificate as a mark, which CONNECT
 * asks for: a certificate without one was verified by somebody else.  A ticket
 * is taken only while the certificate in it still holds; otherwise the client
 * is asked for a full handshake, without noticing.
 *
 * Broker's thread only.  OpenSSL 3.0 to 3.6.
 */
#ifndef PLUGIN_HANDSHAKE_H
#define PLUGIN_HANDSHAKE_H

#include "common/diag.h"
#include "common/res.h"

struct chain;
struct trust_path;
struct handshake;
struct instance;
struct x509_st;

/*
 * From now on, for this instance.  RES_EXISTS: another instance has it
 * already.  RES_UNAVAIL: it is not known which listeners are ours, or OpenSSL
 * has no memory.
 */
MUST_CHECK enum res handshake_start(
    struct instance *instance, struct handshake **out, struct diag *why);

/* Handshakes on our listeners fail from now on.  NULL is allowed. */
void handshake_stop(struct handshake *handshake);

/* What a handshake of ours left on the client's certificate, which owns it;
 * NULL: nothing. */
struct mark;
const struct mark *mark_of(const struct x509_st *cert);

/* The org that the client asked for; ORG_DEFAULT without a mark. */
const char *mark_org(const struct mark *mark);

/* What the client sent along with its certificate; NULL: nothing, or a ticket
 * took the place of it. */
const struct chain *mark_chain(const struct mark *mark);

/* How the certificate hung on its CA when a ticket took the place of the
 * chain; the mark keeps it.  NULL: it came with its chain, or no mark. */
struct trust_path *mark_path(const struct mark *mark);

#endif /* PLUGIN_HANDSHAKE_H */
