/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * limits: what one broker counts over time, so that it can say "too often".
 *
 * The rates of CAs, the take-overs of sessions that betray a cloned device,
 * which mismatches of pins were told of already, and which certificates were
 * left to wait for approval.  It lives as long as the
 * instance, whatever the settings become, and forgets it all when the broker
 * ends.  Every table has a ceiling.  Times are of the monotonic clock, in ms.
 * Broker's thread only.
 */
#ifndef PLUGIN_LIMITS_H
#define PLUGIN_LIMITS_H

#include "plugin/hash.h"
#include "registry/records.h"

#define LIMITS_BUCKETS_MAX    4096 /* CAs with a rate */
#define LIMITS_CLONES_MAX     4096 /* identities; the oldest are dropped */
#define LIMITS_MISMATCHES_MAX 1024 /* told in one minute */
#define LIMITS_WAITS_MAX      1024 /* left to wait in one minute */

#define MISMATCH_TELL_MS 60000
#define WAIT_AGAIN_MS    60000
#define CLONE_TAKEOVERS  5 /* so many ... */
#define CLONE_WINDOW_MS  60000
#define CLONE_TELL_MS    60000 /* one identity is told of once in it */

struct bucket;   /* of one CA */
struct clone;    /* take-overs of one identity */
struct mismatch; /* of one identity and certificate */

/* All zeros is a new one. */
struct limits {
	struct bucket *buckets;
	struct clone *clones;
	struct mismatch *mismatches;
	struct mismatch *waits;
};

void limits_done(struct limits *limits);

/*
 * A CA brings at most ca->rate new identities at once, and is given back that
 * many a minute, evenly.  limits_has_rate(): may it bring one now?
 * limits_take(): it does; false and nothing is taken if it may not, or there is
 * no memory to count.  Without a rate always true.
 */
bool limits_has_rate(struct limits *limits, const char *org,
    const struct ca_record *ca, int64_t now);
MUST_CHECK bool limits_take(struct limits *limits, const char *org,
    const struct ca_record *ca, int64_t now);

/*
 * The session of who was taken over by a connection that looks different.  True
 * if that was the CLONE_TAKEOVERS-th time in CLONE_WINDOW_MS, or one after it,
 * and it was not told of for CLONE_TELL_MS: then *span is for how long (ms)
 * they went on.
 */
bool limits_takeover(struct limits *limits, const char *org,
    const struct identity *who, int64_t now, int64_t *span);

/* Whether a certificate that does not fit the pins of who is to be told of: it
 * was not in the last minute, and there were fewer than
 * LIMITS_MISMATCHES_MAX. */
bool limits_may_tell(struct limits *limits, const char *org,
    const struct identity *who, const uint8_t fingerprint[HASH_LEN],
    int64_t now);

/* Whether a certificate of who is to be written down as one that waits for
 * approval: it was not in the last minute, and there were fewer than
 * LIMITS_WAITS_MAX.  That it was told of as one that does not fit says
 * nothing about this. */
bool limits_may_wait(struct limits *limits, const char *org,
    const struct identity *who, const uint8_t fingerprint[HASH_LEN],
    int64_t now);

#endif /* PLUGIN_LIMITS_H */
