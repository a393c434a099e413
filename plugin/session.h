/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * session: who is connected as whom.  The only source of "allowed" in an ACL
 * check: a client without a session here gets nothing.
 *
 * Keyed by the broker's client pointer, which is never followed; the broker
 * uses a pointer again once a client is gone, so a record counts only for a
 * client that shows the same client id and user name.  A record outlives its
 * connection: wills and queued messages are checked after DISCONNECT.
 *
 * Broker's thread only.
 */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include "admission/admission.h"
#include "plugin/hash.h"

enum session_kind {
	SESSION_DEVICE = 0, /* limited to its grants */
	SESSION_DEFERRED,   /* no device; others decide */
	SESSION_FREE,       /* no device; plugin_opt_others allow */
};

struct session {
	const void *client; /* key */
	uint64_t serial;    /* no other session ever has it */
	char *client_id;
	char *username; /* ours for a device; NULL: none */
	enum session_kind kind;
	bool online;
	bool fleeting; /* the broker forgets it when it disconnects */
	bool is_v5;
	bool restored;         /* from disk: it never connected to us */
	bool replaced;         /* the same client id has a newer record */
	bool will_due;         /* it left, and its will may still come */
	uint64_t left_turn;    /* the broker's turn in which it left */
	int64_t offline_since; /* monotonic ms */
	char address[ADDRESS_MAX + 1];

	/* A device's. */
	char org[NAME_MAX_LEN + 1];
	struct identity who;
	uint8_t fingerprint[HASH_LEN]; /* of its certificate */
	struct leaf *leaf;             /* NULL while offline */
	const struct chain *chain; /* that came with leaf, and lives as long */
	struct trust_path *path;   /* from its certificate to its CA */
	int64_t valid_until;
	unsigned seen_with;      /* how it connected */
	struct token_hash token; /* that it presented; not set: none */
	struct pin presented;    /* its certificate */
	enum sight sight;
	bool locked;
	struct token_hash device_token; /* of its device now */
	struct pins pins;               /* of its device now */
	struct grants *grants;
	uint64_t reviewed;   /* generation of the settings; 0: never */
	enum reason refused; /* REASON_NONE: in good standing */
	bool kick_due;
	bool pins_due;     /* its certificate waits to be queued as its pin */
	unsigned denials;  /* not told in the log yet */
	int64_t denied_at; /* monotonic ms of the last one told; 0: none */

	UT_hash_handle hh;
	UT_hash_handle by_id;        /* the newest record of its client id */
	struct session *prev, *next; /* of all, for walks */
	struct session *peer;        /* next one of the same identity */
};

struct owner; /* the sessions of one identity */

struct sessions {
	uint64_t last_serial;
	struct session *by_client;
	struct session *by_id; /* one a client id: the newest */
	struct owner *by_who;
	struct session *all;
	struct session *cursor; /* where a paced walk goes on */
	size_t kicks_due;
};

/* The session of client, if its client id and user name are the same (NULL
 * equals NULL). */
struct session *session_find(const struct sessions *table, const void *client,
    const char *client_id, const char *username);

/* The newest record of a client id, of which the broker has one session; but
 * one of a client that is no device takes no place of session_is_held(). */
struct session *session_of_id(
    const struct sessions *table, const char *client_id);

/* By the pointer alone, for when a client leaves. */
struct session *session_at(const struct sessions *table, const void *client);

/* Whether it is a device's, and the broker may have it still: it is online, or
 * can come back.  False for NULL. */
bool session_is_held(const struct session *session);

/* A record that is in no table, and so is nobody's session: offline, in good
 * standing.  NULL: no memory. */
struct session *session_new(const void *client, const char *client_id,
    const char *username, const struct identity *who);
void session_free(struct session *session); /* NULL is allowed */

/* Add a session for client, in the place of any older one.  NULL: no memory,
 * and there is none for this client then.  who is NULL for no device. */
struct session *session_add(struct sessions *table, const void *client,
    const char *client_id, const char *username, const struct identity *who);
void session_remove(struct sessions *table, struct session *session);
void sessions_done(struct sessions *table);

/* The first session of an identity, whatever its org; the others follow by
 * peer. */
struct session *session_of(
    const struct sessions *table, const struct identity *who);

/* valid_until, or the end of the slot of its certificate if that is earlier. */
void session_bound(struct session *session, int64_t valid_until);

/* Its certificate is not needed any more: the connection is gone. */
void session_drop_leaf(struct session *session);

/* Note that a session must be closed, which the next TICK does; and that it
 * need not any more. */
void session_want_kick(struct sessions *table, struct session *session);
void session_unwant_kick(struct sessions *table, struct session *session);

#endif /* PLUGIN_SESSION_H */
