/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * post: documents to https servers, several at once.  What fetch.h says of
 * servers and of TLS holds here too, but that connections are kept for the next
 * post, and that a post may bring the only CAs that count for its server.
 *
 * An answer of 2xx is success, whatever its body, which is not kept; anything
 * else is a failure, told in one sentence that stays the same while the cause
 * does, and without the URL.
 *
 * No call waits longer than it is told to.
 */
#ifndef PLUGIN_POST_H
#define PLUGIN_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"
#include "common/res.h"

#define POST_CONNECT_MS  5000
#define POST_ANSWER_MAX  (64 * 1024) /* bytes of an answer that are read */
#define POST_HEADERS_MAX 5
#define POST_KEPT_MAX    64 /* connections without a post */

struct post_request {
	const char *url;    /* https; what crl_url_check() takes */
	const char *ca_pem; /* the CAs that count; NULL: the system's */
	const char *body;   /* copied, as all of this but owner */
	const char
	    *headers[POST_HEADERS_MAX]; /* "Name: value"; NULL: no more */
	long whole_ms;                  /* at most until the answer is there */
	void *owner;                    /* comes back in the post */
};

/* A post, under way or over.  Only post.c makes one. */
struct post {
	void *owner;
	bool delivered;  /* of one that is over */
	struct diag why; /* if it was not */
};

struct poster; /* for one thread at a time, but for poster_wake() */

/* Initializes libcurl as fetcher_new() does.  RES_NOMEM, RES_UNAVAIL. */
MUST_CHECK enum res poster_new(struct poster **out, struct diag *why);
/* Abandons what is under way.  NULL is allowed. */
void poster_free(struct poster *poster);

/* Begin a post; whatever comes of it is told by poster_take().  *out is lent
 * until then; it is good for poster_abandon().  RES_NOMEM: nothing begun. */
MUST_CHECK enum res poster_begin(struct poster *poster,
    const struct post_request *request, struct post **out);

/* Forget a post that poster_take() has not given out. */
void poster_abandon(struct poster *poster, struct post *post);

/* Move all on; wait at most ms for the network, or poster_wake(), unless a post
 * is over. */
void poster_turn(struct poster *poster, int ms);

/* The next one that is over, the caller's now; NULL: none. */
struct post *poster_take(struct poster *poster);
void post_free(struct post *post); /* NULL is allowed */

/* From any thread: let poster_turn() return at once, this time or the next. */
void poster_wake(struct poster *poster);

#endif /* PLUGIN_POST_H */
