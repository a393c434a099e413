/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
/* Of org/identity and its NUL. */
#define NAME_SIZE (NAME_MAX_LEN + 1 + IDENTITY_TEXT_MAX + 1)

/* Keys are compared as bytes, so a key is all zeros before it is filled in. */
struct bucket_key {
	char org[NAME_MAX_LEN + 1];
	uint8_t ca[HASH_LEN];
};

/* One identity is MINUTE_MS units, and rate units flow back in each ms. */
struct bucket {
	struct bucket_key key;
	int64_t spent; /* at that time */
	int64_t at;
	UT_hash_handle hh;
};

struct clone {
	char name[NAME_SIZE];
	int64_t at[CLONE_TAKEOVERS]; /* a ring */
	size_t count;                /* of all so far */
	bool told;
	int64_t told_at;
	UT_hash_handle hh;
};

struct mismatch_key {
	char name[NAME_SIZE];
	uint8_t fingerprint[HASH_LEN];
};

struct mismatch {
	struct mismatch_key key;
	int64_t at;
	UT_hash_handle hh;
};

static void
make_name(char name[NAME_SIZE], const char *org, const struct identity *who)
{
	char text[IDENTITY_TEXT_MAX + 1];

	identity_format(who, text);
	(void)snprintf(name, NAME_SIZE, "%.*s/%s", NAME_MAX_LEN, org, text);
}

/* ---- Rates ---- */

static int64_t
spent_now(const struct bucket *bucket, int64_t rate, int64_t now)
{
	int64_t spent = bucket->spent, past = now - bucket->at;

	/* The rate may have been higher when it was spent. */
	if (spent > rate * MINUTE_MS) {
		spent = rate * MINUTE_MS;
	}
	if (past <= 0) {
		return spent;
	}
	if (past >= MINUTE_MS || past * rate >= spent) {
		return 0;
	}
	return spent - past * rate;
}

static void
make_key(const char *org, const struct ca_record *ca, struct bucket_key *key)
{
	memset(key, 0, sizeof(*key));
	text_set(key->org, sizeof(key->org), org);
	memcpy(key->ca, ca->fingerprint, HASH_LEN);
}

static struct bucket *
find_bucket(const struct limits *limits, const struct bucket_key *key)
{
	struct bucket *bucket;

	HASH_FIND(hh, limits->buckets, key, sizeof(*key), bucket);
	return bucket;
}

/* Full again after a minute, a bucket says no more than none. */
static bool
make_room(struct limits *limits, int64_t now)
{
	struct bucket *bucket, *next;

	if (HASH_COUNT(limits->buckets) < LIMITS_BUCKETS_MAX) {
		return true;
	}
	HASH_ITER(hh, limits->buckets, bucket, next)
	{
		if (now - bucket->at >= MINUTE_MS) {
			HASH_DEL(limits->buckets, bucket);
			free(bucket);
		}
	}
	return HASH_COUNT(limits->buckets) < LIMITS_BUCKETS_MAX;
}

bool
limits_has_rate(struct limits *limits, const char *org,
    const struct ca_record *ca, int64_t now)
{
	struct bucket_key key;
	struct bucket *bucket;

	if (ca->rate <= 0) {
		return true;
	}
	make_key(org, ca, &key);
	bucket = find_bucket(limits, &key);
	if (bucket == NULL) {
		return make_room(limits, now);
	}
	return spent_now(bucket, ca->rate, now) <= (ca->rate - 1) * MINUTE_MS;
}

bool
limits_take(struct limits *limits, const char *org, const struct ca_record *ca,
    int64_t now)
{
	struct bucket_key key;
	struct bucket *bucket;

	if (ca->rate <= 0) {
		return true;
	}
	if (!limits_has_rate(limits, org, ca, now)) {
		return false;
	}
	make_key(org, ca, &key);
	bucket = find_bucket(limits, &key);
	if (bucket == NULL) {
		if ((bucket = calloc(1, sizeof(*bucket))) == NULL) {
			return false;
		}
		bucket->key = key;
		HASH_ADD(hh, limits->buckets, key, sizeof(key), bucket);
		if (bucket->hh.tbl == NULL) {
			free(bucket);
			return false;
		}
	}
	bucket->spent = spent_now(bucket, ca->rate, now) + MINUTE_MS;
	bucket->at = now;
	return true;
}

/* ---- Clones ---- */

/* The entry of an identity, the last of the table from now on; the table is in
 * order of the last take-over.  NULL: no memory. */
static struct clone *
touch_clone(struct limits *limits, const char *name)
{
	struct clone *clone, *oldest;

	HASH_FIND_STR(limits->clones, name, clone);
	if (clone != NULL) {
		HASH_DEL(limits->clones, clone);
	} else if ((clone = calloc(1, sizeof(*clone))) == NULL) {
		return NULL;
	} else {
		text_set(clone->name, sizeof(clone->name), name);
		oldest = limits->clones;
		if (HASH_COUNT(limits->clones) >= LIMITS_CLONES_MAX) {
			HASH_DEL(limits->clones, oldest);
			free(oldest);
		}
	}
	HASH_ADD_STR(limits->clones, name, clone);
	if (clone->hh.tbl == NULL) {
		free(clone);
		return NULL;
	}
	return clone;
}

bool
limits_takeover(struct limits *limits, const char *org,
    const struct identity *who, int64_t now, int64_t *span)
{
	char name[NAME_SIZE];
	struct clone *clone;
	int64_t first;

	make_name(name, org, who);
	if ((clone = touch_clone(limits, name)) == NULL) {
		return false;
	}
	clone->at[clone->count++ % CLONE_TAKEOVERS] = now;
	if (clone->count < CLONE_TAKEOVERS) {
		return false;
	}
	first = clone->at[clone->count % CLONE_TAKEOVERS];
	if (now - first > CLONE_WINDOW_MS ||
	    (clone->told && now - clone->told_at < CLONE_TELL_MS)) {
		return false;
	}
	clone->told = true;
	clone->told_at = now;
	*span = now - first;
	return true;
}

/* ---- Mismatches ---- */

/* Those of long ago are first in the table. */
static void
forget(struct mismatch **table, int64_t now, int64_t span)
{
	struct mismatch *first;

	while ((first = *table) != NULL && now - first->at >= span) {
		HASH_DEL(*table, first);
		free(first);
	}
}

/* Whether it was not there for so long; now it is. */
static bool
note(struct mismatch **table, const struct mismatch_key *key, int64_t now,
    int64_t span, unsigned max)
{
	struct mismatch *mismatch;

	forget(table, now, span);
	HASH_FIND(hh, *table, key, sizeof(*key), mismatch);
	if (mismatch != NULL || HASH_COUNT(*table) >= max ||
	    (mismatch = calloc(1, sizeof(*mismatch))) == NULL) {
		return false;
	}
	mismatch->key = *key;
	mismatch->at = now;
	HASH_ADD(hh, *table, key, sizeof(*key), mismatch);
	if (mismatch->hh.tbl == NULL) {
		free(mismatch);
		return false;
	}
	return true;
}

static void
make_mismatch_key(struct mismatch_key *key, const char *org,
    const struct identity *who, const uint8_t fingerprint[HASH_LEN])
{
	memset(key, 0, sizeof(*key));
	make_name(key->name, org, who);
	memcpy(key->fingerprint, fingerprint, HASH_LEN);
}

bool
limits_may_tell(struct limits *limits, const char *org,
    const struct identity *who, const uint8_t fingerprint[HASH_LEN],
    int64_t now)
{
	struct mismatch_key key;

	make_mismatch_key(&key, org, who, fingerprint);
	return note(&limits->mismatches, &key, now, MISMATCH_TELL_MS,
	    LIMITS_MISMATCHES_MAX);
}

bool
limits_may_wait(struct limits *limits, const char *org,
    const struct identity *who, const uint8_t fingerprint[HASH_LEN],
    int64_t now)
{
	struct mismatch_key key;

	make_mismatch_key(&key, org, who, fingerprint);
	return note(&limits->waits, &key, now, WAIT_AGAIN_MS, LIMITS_WAITS_MAX);
}

static void
forget_all(struct mismatch **table)
{
	struct mismatch *mismatch, *next;

	HASH_ITER(hh, *table, mismatch, next)
	{
		HASH_DEL(*table, mismatch);
		free(mismatch);
	}
}

void
limits_done(struct limits *limits)
{
	struct bucket *bucket, *next_bucket;
	struct clone *clone, *next_clone;

	HASH_ITER(hh, limits->buckets, bucket, next_bucket)
	{
		HASH_DEL(limits->buckets, bucket);
		free(bucket);
	}
	HASH_ITER(hh, limits->clones, clone, next_clone)
	{
		HASH_DEL(limits->clones, clone);
		free(clone);
	}
	forget_all(&limits->mismatches);
	forget_all(&limits->waits);
}
