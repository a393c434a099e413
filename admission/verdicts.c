/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "admission/verdicts.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 4 /* places that a certificate may have */
#define ROWS (VERDICTS_MAX / WAYS)

struct entry {
	struct verdict_key key;
	bool used;
	uint64_t asked; /* order of the last use */
	int64_t from;   /* the moment of the verdict */
	int64_t until;  /* exclusive */
	struct trust_finding finding;
	struct trust_path *path;
};

struct verdicts {
	uint64_t clock; /* rises with each use */
	struct verdicts_use use;
	struct entry entries[ROWS][WAYS];
};

struct verdicts *
verdicts_new(void)
{
	/* Pages of entries that were never used cost no memory. */
	return calloc(1, sizeof(struct verdicts));
}

void
verdicts_free(struct verdicts *verdicts)
{
	size_t i;

	for (i = 0; verdicts != NULL && i < VERDICTS_MAX; i++) {
		trust_path_unref(verdicts->entries[i / WAYS][i % WAYS].path);
	}
	free(verdicts);
}

struct verdicts_use
verdicts_use(const struct verdicts *verdicts)
{
	return verdicts->use;
}

/* A fingerprint is as good as random; who makes certificates until they meet
 * in one row costs us their verification, as without the table. */
static struct entry *
row_of(struct verdicts *verdicts, const struct verdict_key *key)
{
	uint32_t at;

	memcpy(&at, key->fingerprint, sizeof(at));
	return verdicts->entries[at % ROWS];
}

static bool
is_about(const struct entry *entry, const struct verdict_key *key)
{
	return entry->used && entry->key.tenant == key->tenant &&
	    memcmp(entry->key.fingerprint, key->fingerprint, HASH_LEN) == 0;
}

/* A CA out of whose scope the identity is may be one that the chain at hand
 * led to; another chain may lead to another. */
static bool
is_good(const struct trust_finding *finding)
{
	return finding->reason == REASON_NONE && finding->in_scope;
}

static bool
fits_chain(const struct entry *entry, const struct verdict_key *key)
{
	static const uint8_t none[HASH_LEN];

	return memcmp(entry->key.chain, key->chain, HASH_LEN) == 0 ||
	    (is_good(&entry->finding) &&
	        (key->any_chain ||
	            memcmp(entry->key.chain, none, HASH_LEN) == 0));
}

static bool
holds(const struct entry *entry, const struct verdict_key *key, int64_t now)
{
	return entry->key.generation == key->generation && now >= entry->from &&
	    now < entry->until && fits_chain(entry, key);
}

bool
verdicts_find(struct verdicts *verdicts, const struct verdict_key *key,
    int64_t now, struct trust_finding *out, struct trust_path **path)
{
	struct entry *row = row_of(verdicts, key);
	size_t i;

	verdicts->use.asked++;
	for (i = 0; i < WAYS; i++) {
		if (is_about(&row[i], key) && holds(&row[i], key, now)) {
			verdicts->use.found++;
			row[i].asked = ++verdicts->clock;
			*out = row[i].finding;
			if (path != NULL) {
				*path = row[i].path == NULL
				    ? NULL
				    : trust_path_ref(row[i].path);
			}
			return true;
		}
	}
	return false;
}

/* The place for a verdict: the one that it had, or that of the one that was
 * not asked for longest. */
static struct entry *
make_room(struct entry *row, const struct verdict_key *key)
{
	struct entry *oldest = row;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (is_about(&row[i], key)) {
			return &row[i];
		}
		if (row[i].asked < oldest->asked) {
			oldest = &row[i];
		}
	}
	return oldest;
}

static int64_t
last_refusal(const struct trust_finding *finding, int64_t now)
{
	int64_t until = now + VERDICT_REFUSED_S;

	return finding->reason == REASON_NONE && finding->valid_until < until
	    ? finding->valid_until
	    : until;
}

void
verdicts_keep(struct verdicts *verdicts, const struct verdict_key *key,
    int64_t now, const struct trust_finding *finding, struct trust_path *path)
{
	struct verdict_key any = *key;
	struct entry *entry;

	if (finding->reason == REASON_REGISTRY_ERROR) {
		return;
	}
	entry = make_room(row_of(verdicts, key), key);
	any.any_chain = true;
	if (!is_good(finding) && is_about(entry, key) &&
	    is_good(&entry->finding) && holds(entry, &any, now)) {
		return;
	}
	trust_path_unref(entry->path);
	*entry = (struct entry){.key = *key,
	    .used = true,
	    .asked = ++verdicts->clock,
	    .from = now,
	    .until = is_good(finding) ? finding->valid_until
	                              : last_refusal(finding, now),
	    .finding = *finding,
	    .path = path == NULL ? NULL : trust_path_ref(path)};
}
