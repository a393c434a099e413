/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fetch: files from https servers, and from our own disk, several at once.
 * With post.c the home of libcurl.
 *
 * What is fetched is named by an operator, never by a certificate, and is not
 * believed for where it came from: https only, redirects not followed, no
 * proxy, no cookies, no password; TLS 1.2 or later, the server verified
 * against the system's CAs, or those of the file that the environment variable
 * SSL_CERT_FILE names when the fetcher is made.  An answer that is too large,
 * too slow or no answer is a failure, told in one sentence that stays the same
 * while the cause does, without the query of the URL.
 *
 * No call waits longer than it is told to, whatever a server or the DNS does:
 * a look-up of a name that hangs is left to a thread of libcurl's, which ends
 * by itself.  A file on a network disk that hangs does hang the fetcher.
 *
 * Does not check: what is in the file.
 */
#ifndef PLUGIN_FETCH_H
#define PLUGIN_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/res.h"

#define FETCH_AT_ONCE    8   /* not yet taken, for each has its memory */
#define FETCH_LABEL_MAX  160 /* bytes of a URL in a sentence */
#define FETCH_SETTLED_S  2   /* dates are whole seconds, see modified_at */
#define FETCH_CONNECT_MS 10000
#define FETCH_WHOLE_MS   60000
#define FETCH_SLOW_S     20  /* at less than FETCH_SLOW_BYTES a second */
#define FETCH_SLOW_BYTES 100 /* a second */

enum fetch_outcome {
	FETCH_FAILED = 0, /* why says what was wrong */
	FETCH_UNCHANGED,  /* not modified since the request's modified_at */
	FETCH_DONE,       /* bytes */
};

/* A fetch, under way or over.  Only fetch.c makes one. */
struct fetch {
	void *owner;                     /* the request's */
	char label[FETCH_LABEL_MAX + 1]; /* URL without its query, shortened */
	enum fetch_outcome outcome;      /* of one that is over; so the rest */
	uint8_t *bytes;                  /* freed by fetch_free() */
	size_t len;                      /* 1 or more with FETCH_DONE */
	/* With FETCH_DONE: the file's date, which a later request may pass.
	 * CLOCK_NONE if nobody told it, or it is so near that the file may
	 * change once more in the same second. */
	int64_t modified_at;
	struct diag why;
};

struct fetch_request {
	const char *url;     /* what crl_url_check() takes; copied */
	int64_t modified_at; /* fetch only what is newer; CLOCK_NONE: anything.
	                        Of a file: only one of another date */
	void *owner;         /* comes back in the fetch */
};

/* What is too slow and too large. */
struct fetch_limits {
	long connect_ms, whole_ms;
	long slow_s;      /* at less than FETCH_SLOW_BYTES a second */
	size_t bytes_max; /* of the file */
};

struct fetcher; /* for one thread at a time, but for fetcher_wake() */

/* Initializes libcurl for the process, which is safe at any time with a libcurl
 * that is "threadsafe", else as long as there is one thread.  It is never
 * cleaned up: others may use it.  RES_NOMEM, RES_UNAVAIL. */
MUST_CHECK enum res fetcher_new(
    const struct fetch_limits *limits, struct fetcher **out, struct diag *why);

/* Abandons what is under way and drops what is over.  NULL is allowed. */
void fetcher_free(struct fetcher *fetcher);

/*
 * Begin a fetch; whatever comes of it, a URL that is none included, is told by
 * fetcher_take().  *out is lent until then; it is good for fetcher_abandon().
 * RES_LIMIT: FETCH_AT_ONCE are not yet taken.  RES_NOMEM: nothing begun.
 */
MUST_CHECK enum res fetcher_begin(struct fetcher *fetcher,
    const struct fetch_request *request, const struct fetch **out);

/* Forget a fetch that fetcher_take() has not given out. */
void fetcher_abandon(struct fetcher *fetcher, const struct fetch *fetch);

/* Move all on; wait at most ms for the network, or fetcher_wake(), unless a
 * fetch is over. */
void fetcher_turn(struct fetcher *fetcher, int ms);

/* Whether one is over. */
bool fetcher_has_over(const struct fetcher *fetcher);

/* The next one that is over, the caller's now; NULL: none. */
struct fetch *fetcher_take(struct fetcher *fetcher);
void fetch_free(struct fetch *fetch); /* NULL is allowed */

/* From any thread: let fetcher_turn() return at once, this time or the next. */
void fetcher_wake(struct fetcher *fetcher);

#endif /* PLUGIN_FETCH_H */
