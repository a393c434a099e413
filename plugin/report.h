/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report: one line a decision in the broker's log, in logfmt.
 *
 * What a peer sent is quoted, escaped and bounded.  Refusals of one
 * certificate (or, without one, of one client id) that repeat themselves are
 * counted and told once in REPORT_REPEAT_MS; those that differ in reason or
 * client id are told at once, within bounds.  Secrets,
 * passwords and certificates are never written.
 *
 * Broker's thread only, and never from a READ check: with "log_dest topic" a
 * line is itself a delivery.
 */
#ifndef PLUGIN_REPORT_H
#define PLUGIN_REPORT_H

#include "admission/admission.h"
#include "plugin/session.h"

#define REPORT_REPEAT_MS 10000
#define REPORT_VARIANTS  4   /* client ids of one refusal that are told */
#define REPORT_TOLD_MAX  32  /* lines about one certificate in that time */
#define REPORT_REPEATS   512 /* certificates that are counted at once */
#define REPORT_LINE      900 /* Mosquitto cuts at 1,000 with the time */

struct repeat {
	uint8_t key[HASH_LEN]; /* fingerprint, or a hash of the client id */
	bool used;
	bool has_certificate;
	char client[48]; /* its client id, quoted */
	enum reason reason;
	int64_t told_at;   /* monotonic ms, of the first line */
	unsigned told;     /* lines since then */
	unsigned variants; /* of them, with the last reason */
	unsigned count;    /* refusals since the last line, not told */
};

struct report {
	struct repeat repeats[REPORT_REPEATS];
};

/* What is known of the client that a line speaks of; NULL where it is not. */
struct subject {
	const char *client_id;
	const char *address;
	const char *org;
	const char *server; /* name of the server that it asked for, where that
	                       is what is wrong */
	const struct leaf *leaf;
	const struct ca_record *ca;
};

/* Whether this looks like an IP address; a proxy may send anything in its
 * place.  NULL does not. */
bool report_is_address(const char *address);

/* A sentence of the plugin's own, "certid: ...". */
void report_text(int level, const char *format, ...) PRINTF_LIKE(2, 3);

/* "certid: admitted reason=..." or "certid: refused reason=...". */
void report_decision(struct report *report, const struct subject *subject,
    const struct answer *answer, int64_t now_ms);

/* "certid: closed reason=...": a session ends because of a change. */
void report_closed(const struct session *session, enum reason reason);

/* "certid: denied access=publish topic=...": at most one in REPORT_REPEAT_MS
 * a session. */
void report_denied(struct session *session, const char *access,
    const char *topic, int64_t now_ms);

/* Tell the counts of repeats that have ended; now and then, from TICK. */
void report_sweep(struct report *report, int64_t now_ms);

#endif /* PLUGIN_REPORT_H */
