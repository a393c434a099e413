/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * record: what is written down of a decision, and the events that come of it:
 * new rows, new pins, certificates that do not fit, clones.
 *
 * All of it is queued, and decisions see it from that moment on.  Broker's
 * thread only.
 */
#ifndef PLUGIN_RECORD_H
#define PLUGIN_RECORD_H

#include "plugin/instance.h"

/* CONNECT, as the broker shows it to us. */
struct connect {
	struct mosquitto *client;
	const char *id;
	const char *username;
	const char *password;
	const char *address;
	bool has_certificate;
	struct leaf *leaf;       /* NULL: none, or one that cannot be read */
	const char *org;         /* that it asked for in the handshake */
	const struct mark *mark; /* left by the handshake; NULL: none */
	uint64_t started;        /* by metrics_clock() */
};

/*
 * Queue the row of a device that is seen for the first time: provisioned or
 * pending.  *answer tells what was found: where that is nothing, it counts as
 * one more, also of what ca (NULL: none) may bring a minute; else what an
 * operator gave the device goes on to hold while the row waits.  REASON_NONE,
 * or why the device cannot come in: REASON_RATE, REASON_REGISTRY_BUSY.
 */
MUST_CHECK enum reason record_row(struct instance *instance,
    const struct device *device, const struct answer *answer,
    const uint8_t *ca);

/* Queue device->pins in the place of *before; fingerprint is of the certificate
 * that brought the change about.  A device has one change under way: false, and
 * nothing is queued, while there is another, or where the queue is full. */
MUST_CHECK bool record_pins(struct instance *instance,
    const struct device *device, const struct pins *before,
    const uint8_t fingerprint[HASH_LEN]);

/* Queue whatever a decision about a CONNECT asks for.  Where that cannot be,
 * the reason in *answer becomes a refusal; where it need not be, the action
 * becomes none. */
void record_answer(struct instance *instance, const struct connect *connect,
    struct answer *answer);

/* The device of this answer is about to take over a session that is connected,
 * if there is one: watch for clones. */
void record_takeover(struct instance *instance, const struct connect *connect,
    const struct answer *answer);

#endif /* PLUGIN_RECORD_H */
