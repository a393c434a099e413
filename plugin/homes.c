/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/homes.h"

#include <stdlib.h>
#include <string.h>

struct home {
	char *client_id; /* key */
	struct identity who;
	char org[NAME_MAX_LEN + 1];
	int64_t learned_at;
	UT_hash_handle hh;
};

static struct home *
find(const struct homes *homes, const char *client_id)
{
	struct home *home;

	HASH_FIND_STR(homes->list, client_id, home);
	return home;
}

static size_t
measure(const struct home *home)
{
	return sizeof(*home) + strlen(home->client_id) + 1;
}

static void
drop(struct homes *homes, struct home *home)
{
	homes->bytes -= measure(home);
	HASH_DEL(homes->list, home);
	free(home->client_id);
	free(home);
}

const char *
homes_find(const struct homes *homes, const char *client_id,
    const struct identity *who, int64_t now)
{
	const struct home *home = find(homes, client_id);

	return home != NULL && identity_equal(&home->who, who) &&
	        now - home->learned_at < HOMES_MS
	    ? home->org
	    : NULL;
}

static struct home *
add(struct homes *homes, const char *client_id)
{
	struct home *home = calloc(1, sizeof(*home));

	if (home == NULL || (home->client_id = strdup(client_id)) == NULL) {
		free(home);
		return NULL;
	}
	if (homes->bytes + measure(home) > HOMES_BYTES) {
		homes_clear(homes);
	}
	HASH_ADD_KEYPTR(
	    hh, homes->list, home->client_id, strlen(client_id), home);
	if (home->hh.tbl == NULL) {
		free(home->client_id);
		free(home);
		return NULL;
	}
	homes->bytes += measure(home);
	return home;
}

void
homes_learn(struct homes *homes, const char *client_id,
    const struct identity *who, const char *org, int64_t now)
{
	struct home *home = find(homes, client_id);

	if (home == NULL && (home = add(homes, client_id)) == NULL) {
		return;
	}
	home->who = *who;
	text_set(home->org, sizeof(home->org), org);
	home->learned_at = now;
}

void
homes_forget(struct homes *homes, const struct identity *who)
{
	struct home *home, *next;

	HASH_ITER(hh, homes->list, home, next)
	{
		if (identity_equal(&home->who, who)) {
			drop(homes, home);
		}
	}
}

void
homes_clear(struct homes *homes)
{
	struct home *home, *next;

	HASH_ITER(hh, homes->list, home, next)
	{
		drop(homes, home);
	}
}
