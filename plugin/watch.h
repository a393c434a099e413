/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * watch: what the keeper knows of each registered CA, of every org: what the
 * registry says of it, when its CRL is to be fetched, what of its end is to be
 * told.  The keeper's thread only.
 */
#ifndef PLUGIN_WATCH_H
#define PLUGIN_WATCH_H

#include "plugin/fetch.h"
#include "plugin/hash.h"
#include "registry/records.h"

#define WATCH_WAIT_MIN_MS 1000
#define WATCH_WAIT_MAX_MS 3600000
#define WATCH_RETRY_MS    10000 /* after the first failure */
#define WATCH_JITTER      100   /* of 1000, the most that a wait is cut by */
#define WATCH_KEY_MAX     (NAME_MAX_LEN + 1 + HASH_TEXT_MAX)
#define WATCH_NAME_MAX    (HASH_TEXT_MAX + 2 * NAME_MAX_LEN + 16)

struct watch {
	char key[WATCH_KEY_MAX + 1]; /* org:fingerprint */
	/* The CA as the registry had it last.  crl.der is there or not there;
	 * what it points to is not the CRL, which is large. */
	struct ca_record ca;
	const struct fetch *fetch; /* under way; NULL: none */
	int64_t due_ms;            /* of the next fetch, monotonic */
	unsigned vain;    /* fetches in a row that brought no fresh CRL */
	struct diag said; /* the failure that the log tells; "": none */
	bool found;       /* in the configuration that is being read */
	UT_hash_handle hh;
};

/*
 * Take the CAs out of config, which keeps the rest.  One that is new, or whose
 * crl_url is another, is due at once; a fetch from the old URL, or for a CA
 * that is gone, is abandoned.  RES_NOMEM: some may be missing; call again.
 */
MUST_CHECK enum res watches_update(struct watch **watches,
    struct config *config, struct fetcher *fetcher, int64_t now_ms);
void watches_free(struct watch **watches, struct fetcher *fetcher);

/* The one with a crl_url and no fetch under way that has been due for the
 * longest time; NULL: none is due. */
struct watch *watches_due(struct watch *watches, int64_t now_ms);

/* Begin the fetch that is due.  What is not newer than the stored CRL is not
 * fetched, if that came from there and has not run out. */
MUST_CHECK enum res watch_begin(
    struct watch *watch, struct fetcher *fetcher, int64_t now);

/* A fetch is over: set when the next is due.  failed: or no fresh CRL came of
 * it, as next_update says too. */
void watch_schedule(struct watch *watch, bool failed, int64_t next_update,
    int64_t now, int64_t now_ms);

/*
 * How long until the next fetch, in ms.  vain: fetches in a row that brought
 * no fresh CRL; left: seconds until nextUpdate, which count if vain is 0: half
 * of them.  dice, any number, cuts the wait by up to WATCH_JITTER, so that
 * brokers that share a registry do not call together.
 */
int64_t watch_wait_ms(unsigned vain, int64_t left, uint32_t dice);

/* "3f2a90c1d4e5f607 (factory, org default)" */
void watch_name(const struct watch *watch, char name[WATCH_NAME_MAX + 1]);

/*
 * What there is to tell of the end of a CA, or else of its CRL: what to note
 * with edit_ca_told() and the event's detail.  False: nothing that has not been
 * told, and nothing is written.  Each stage is told once, on the way down.  Of
 * a CRL that is fetched only the last day is told, if that is within the last
 * quarter of its life, and the end.
 */
struct ending {
	int told, crl_told;
	struct diag detail;
};

MUST_CHECK bool watch_ending(
    const struct ca_record *ca, int64_t now, struct ending *out);

#endif /* PLUGIN_WATCH_H */
