/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * res: how a call went.  Whether a client is welcome is a verdict, never a res.
 */
#ifndef COMMON_RES_H
#define COMMON_RES_H

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum res {
	RES_OK = 0,
	RES_NOMEM,    /* no memory; nothing was changed */
	RES_SYNTAX,   /* the input does not follow its grammar */
	RES_LIMIT,    /* the input is longer, or more, than we take */
	RES_REFUSED,  /* well formed, but not acceptable */
	RES_NOTFOUND, /* looked, and it is not there */
	RES_EXISTS,   /* someone else put it there first */
	RES_UNAVAIL,  /* could not look: treat as unknown, so refuse */
	RES_BUSY,     /* somebody else is at it: try again */
	RES_CORRUPT,  /* what we stored ourselves does not read back */
};

#endif /* COMMON_RES_H */
