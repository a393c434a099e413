/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/session.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct owner {
	char name[IDENTITY_TEXT_MAX + 1]; /* key */
	struct session *first;
	UT_hash_handle hh;
};

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

struct session *
session_at(const struct sessions *table, const void *client)
{
	struct session *session;

	HASH_FIND_PTR(table->by_client, &client, session);
	return session;
}

struct session *
session_find(const struct sessions *table, const void *client,
    const char *client_id, const char *username)
{
	struct session *session = session_at(table, client);

	if (session == NULL || !same(session->client_id, client_id) ||
	    !same(session->username, username)) {
		return NULL;
	}
	return session;
}

static struct owner *
find_owner(const struct sessions *table, const struct identity *who)
{
	char name[IDENTITY_TEXT_MAX + 1];
	struct owner *owner;

	identity_format(who, name);
	HASH_FIND_STR(table->by_who, name, owner);
	return owner;
}

struct session *
session_of(const struct sessions *table, const struct identity *who)
{
	struct owner *owner = find_owner(table, who);

	return owner == NULL ? NULL : owner->first;
}

/* Put session into the list of its identity.  False: no memory. */
static bool
join_owner(struct sessions *table, struct session *session)
{
	struct owner *owner = find_owner(table, &session->who);

	if (owner == NULL) {
		if ((owner = calloc(1, sizeof(*owner))) == NULL) {
			return false;
		}
		identity_format(&session->who, owner->name);
		HASH_ADD_STR(table->by_who, name, owner);
		if (owner->hh.tbl == NULL) {
			free(owner);
			return false;
		}
	}
	LL_PREPEND2(owner->first, session, peer);
	return true;
}

static void
leave_owner(struct sessions *table, struct session *session)
{
	struct owner *owner = find_owner(table, &session->who);

	if (owner == NULL) {
		return;
	}
	LL_DELETE2(owner->first, session, peer);
	if (owner->first == NULL) {
		HASH_DEL(table->by_who, owner);
		free(owner);
	}
}

void
session_bound(struct session *session, int64_t valid_until)
{
	const struct pin *pin =
	    pins_find(&session->pins, session->presented.fingerprint);

	session->valid_until = pin != NULL && pin->ends_at < valid_until
	    ? pin->ends_at
	    : valid_until;
}

void
session_drop_leaf(struct session *session)
{
	leaf_free(session->leaf);
	session->leaf = NULL;
	session->chain = NULL;
}

void
session_free(struct session *session)
{
	if (session != NULL) {
		session_drop_leaf(session);
		trust_path_unref(session->path);
		grants_free(session->grants);
		free(session->client_id);
		free(session->username);
		free(session);
	}
}

static char *
copy(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

struct session *
session_of_id(const struct sessions *table, const char *client_id)
{
	struct session *session = NULL;

	if (client_id != NULL) {
		HASH_FIND(
		    by_id, table->by_id, client_id, strlen(client_id), session);
	}
	return session;
}

bool
session_is_held(const struct session *session)
{
	return session != NULL && session->kind == SESSION_DEVICE &&
	    (session->online || !session->fleeting);
}

static bool
is_device(const struct session *session)
{
	return session->who.type.class != '\0';
}

/* A client id has one session: an older record of it is of no more use.  But
 * who is no device has no claim to the client id of one, whatever became of
 * the question before.  False: no memory. */
static bool
join_id(struct sessions *table, struct session *session)
{
	struct session *older = session_of_id(table, session->client_id);

	if (older != NULL && !is_device(session) && is_device(older) &&
	    session_is_held(older)) {
		session->replaced = true;
		return true;
	}
	if (older != NULL) {
		older->replaced = true;
		HASH_DELETE(by_id, table->by_id, older);
	}
	if (session->client_id == NULL) {
		return true;
	}
	HASH_ADD_KEYPTR(by_id, table->by_id, session->client_id,
	    strlen(session->client_id), session);
	return session->by_id.tbl != NULL;
}

static void
leave_id(struct sessions *table, struct session *session)
{
	if (session_of_id(table, session->client_id) == session) {
		HASH_DELETE(by_id, table->by_id, session);
	}
}

struct session *
session_new(const void *client, const char *client_id, const char *username,
    const struct identity *who)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL) {
		return NULL;
	}
	session->client = client;
	session->client_id = copy(client_id);
	session->username = copy(username);
	session->refused = REASON_NONE;
	if (who != NULL) {
		session->who = *who;
	}
	if (!same(session->client_id, client_id) ||
	    !same(session->username, username)) {
		session_free(session);
		return NULL;
	}
	return session;
}

struct session *
session_add(struct sessions *table, const void *client, const char *client_id,
    const char *username, const struct identity *who)
{
	struct session *session = session_at(table, client);

	if (session != NULL) {
		session_remove(table, session);
	}
	session = session_new(client, client_id, username, who);
	if (session == NULL) {
		return NULL;
	}
	session->serial = ++table->last_serial;
	session->online = true;
	HASH_ADD_PTR(table->by_client, client, session);
	if (session->hh.tbl == NULL) {
		session_free(session);
		return NULL;
	}
	DL_APPEND(table->all, session);
	if (!join_id(table, session) ||
	    (is_device(session) && !join_owner(table, session))) {
		session_remove(table, session);
		return NULL;
	}
	return session;
}

void
session_remove(struct sessions *table, struct session *session)
{
	if (table->cursor == session) {
		table->cursor = session->next;
	}
	session_unwant_kick(table, session);
	leave_id(table, session);
	if (is_device(session)) {
		leave_owner(table, session);
	}
	HASH_DEL(table->by_client, session);
	DL_DELETE(table->all, session);
	session_free(session);
}

void
sessions_done(struct sessions *table)
{
	while (table->all != NULL) {
		session_remove(table, table->all);
	}
}

void
session_want_kick(struct sessions *table, struct session *session)
{
	if (!session->kick_due) {
		session->kick_due = true;
		table->kicks_due++;
	}
}

void
session_unwant_kick(struct sessions *table, struct session *session)
{
	if (session->kick_due) {
		session->kick_due = false;
		table->kicks_due--;
	}
}
