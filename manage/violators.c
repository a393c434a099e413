/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/violators.h"

#include <stdlib.h>
#include <string.h>

enum res
ways_add(struct ways *ways, enum level level, const struct tally *tally)
{
	size_t room = ways->room == 0 ? 16 : 2 * ways->room;
	struct way *last =
	    ways->count == 0 ? NULL : &ways->items[ways->count - 1];
	struct way *items;

	/* Tallies come in the order of type. */
	if (last == NULL || !device_type_equal(&last->type, &tally->type)) {
		if (ways->count == ways->room) {
			items = realloc(ways->items, room * sizeof(*items));
			if (items == NULL) {
				return RES_NOMEM;
			}
			ways->items = items;
			ways->room = room;
		}
		last = &ways->items[ways->count++];
		*last = (struct way){.type = tally->type, .level = level};
	}
	last->values |= 1u << tally->seen_with;
	ways->devices += tally->count;
	return RES_OK;
}

void
ways_done(struct ways *ways)
{
	free(ways->items);
	*ways = (struct ways){.items = NULL};
}

/* The violators of one type, as they were read. */
struct crowd {
	struct violator *items; /* heap */
	size_t count, room;
	enum level level;
};

static enum res
take(const struct device *device, void *context)
{
	struct crowd *crowd = context;
	size_t room = crowd->room == 0 ? 128 : 2 * crowd->room;
	struct violator *items;

	if (crowd->count == crowd->room) {
		items = realloc(crowd->items, room * sizeof(*items));
		if (items == NULL) {
			return RES_NOMEM;
		}
		crowd->items = items;
		crowd->room = room;
	}
	crowd->items[crowd->count++] = (struct violator){
	    .who = device->who,
	    .level = crowd->level,
	    .seen_with = device->seen_with,
	    .last_seen_at = device->last_seen_at,
	};
	return RES_OK;
}

static int
compare(const void *a, const void *b)
{
	const struct violator *x = a, *y = b;

	return strcmp(x->who.id, y->who.id);
}

/* limit of each of the ways of one type, merged; crowd holds them. */
static enum res
read_way(const struct call *call, const struct way *way,
    const struct identity *after, int64_t limit, struct crowd *crowd,
    struct diag *why)
{
	struct device_query query = {.org = call->org,
	    .type = &way->type,
	    .after = after,
	    .has_seen_with = true,
	    .limit = limit};
	enum res r = RES_OK;

	crowd->count = 0;
	crowd->level = way->level;
	for (query.seen_with = 0; r == RES_OK && query.seen_with <= SEEN_MAX;
	     query.seen_with++) {
		if ((way->values & 1u << query.seen_with) != 0) {
			r = registry_scan(
			    call->registry, &query, take, crowd, why);
		}
	}
	if (r == RES_OK && crowd->count > 1) {
		qsort(crowd->items, crowd->count, sizeof(crowd->items[0]),
		    compare);
	}
	return r;
}

/* Whether all of a type comes before an identity. */
static bool
is_before(const struct device_type *type, const struct identity *after)
{
	char a[TYPE_TEXT_MAX + 1], b[TYPE_TEXT_MAX + 1];

	device_type_format(type, a);
	device_type_format(&after->type, b);
	return strcmp(a, b) < 0;
}

enum res
violators_read(const struct call *call, const struct ways *ways,
    const struct identity *after, int64_t limit, violator_visit *visit,
    void *context, bool *more, struct diag *why)
{
	struct crowd crowd = {.items = NULL};
	const struct way *way;
	enum res r = RES_OK;
	size_t i, j;

	*more = false;
	for (i = 0; r == RES_OK && !*more && i < ways->count; i++) {
		way = &ways->items[i];
		if (after != NULL && is_before(&way->type, after)) {
			continue;
		}
		r = read_way(call, way,
		    after != NULL && device_type_equal(&way->type, &after->type)
		        ? after
		        : NULL,
		    limit + 1, &crowd, why);
		for (j = 0; r == RES_OK && !*more && j < crowd.count; j++) {
			*more = limit == 0;
			if (limit > 0) {
				visit(&crowd.items[j], context);
				limit--;
			}
		}
	}
	free(crowd.items);
	return r;
}
