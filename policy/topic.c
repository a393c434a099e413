/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/topic.h"

#include <stddef.h>
#include <string.h>

#define SHARE     "$share"
#define SHARE_LEN (sizeof(SHARE) - 1)

/* The level after this one; NULL after the last. */
static const char *
next_level(const char *level)
{
	const char *slash = strchr(level, '/');

	return slash == NULL ? NULL : slash + 1;
}

static size_t
level_length(const char *level)
{
	return strcspn(level, "/");
}

static bool
is_plus(const char *level)
{
	return level[0] == '+' && level_length(level) == 1;
}

static bool
is_same_level(const char *a, const char *b)
{
	size_t len = level_length(a);

	return level_length(b) == len && memcmp(a, b, len) == 0;
}

static bool
is_share(const char *filter)
{
	return strncmp(filter, SHARE, SHARE_LEN) == 0 &&
	    level_length(filter) == SHARE_LEN;
}

/* Whether level is free of wildcards, or one wildcard in its right place. */
static bool
is_valid_level(const char *level)
{
	size_t len = level_length(level);

	return strcspn(level, "+#") >= len || is_plus(level) ||
	    strcmp(level, "#") == 0;
}

bool
topic_filter_is_valid(const char *filter)
{
	const char *level;

	if (filter[0] == '\0' || is_share(filter)) {
		return false;
	}
	for (level = filter; level != NULL; level = next_level(level)) {
		if (!is_valid_level(level)) {
			return false;
		}
	}
	return true;
}

/*
 * Level by level, grant must be as wide as filter.  A topic name is a filter
 * that has no wildcards, so this one walk answers both questions.
 */
static bool
covers(const char *grant, const char *filter)
{
	/* 4.7.2: these never meet a topic that begins with '$'. */
	if (filter[0] == '$' && (grant[0] == '+' || grant[0] == '#')) {
		return false;
	}
	while (grant != NULL && filter != NULL) {
		if (strcmp(grant, "#") == 0) {
			return true;
		}
		if (strcmp(filter, "#") == 0 ||
		    (!is_plus(grant) && !is_same_level(grant, filter))) {
			return false;
		}
		grant = next_level(grant);
		filter = next_level(filter);
	}
	/* "a/#" matches "a" as well (4.7.1.2). */
	return filter == NULL && (grant == NULL || strcmp(grant, "#") == 0);
}

bool
topic_matches(const char *filter, const char *topic)
{
	return topic[0] != '\0' && strpbrk(topic, "+#") == NULL &&
	    covers(filter, topic);
}

/* The filter in $share/<group>/<filter>; NULL: none, or no proper group. */
static const char *
skip_share(const char *filter)
{
	const char *group = next_level(filter);
	size_t len;

	if (group == NULL) {
		return NULL;
	}
	len = level_length(group);
	if (len == 0 || strcspn(group, "+#") < len) {
		return NULL;
	}
	return next_level(group);
}

bool
topic_covers(const char *grant, const char *filter)
{
	if (is_share(filter) && (filter = skip_share(filter)) == NULL) {
		return false;
	}
	if (!topic_filter_is_valid(grant) || !topic_filter_is_valid(filter)) {
		return false;
	}
	/* '#' stands for the level before it as well, but no topic is empty:
	 * at the start it asks for one level more. */
	if (strcmp(filter, "#") == 0) {
		filter = "+/#";
	} else if (strcmp(filter, "/#") == 0) {
		filter = "/+/#";
	}
	return covers(grant, filter);
}
