/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/topic.h"

#include "test/support/cmocka_all.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *filter;
	bool want;
} filters[] = {
    {"a", true},
    {"/", true},
    {"//", true},
    {"a/b/c", true},
    {"+", true},
    {"#", true},
    {"+/+", true},
    {"/+", true},
    {"a/+/b", true},
    {"a/#", true},
    {"+/#", true},
    {"$SYS/#", true},
    {"$shared/a", true},
    {"a b", true},
    {"", false},
    {"a+", false},
    {"+a", false},
    {"++", false},
    {"a/+b/c", false},
    {"#/", false},
    {"#/a", false},
    {"a#", false},
    {"a/#b", false},
    {"##", false},
    {"a/##", false},
    {"+#", false},
    {"#+", false},
    {"a/#/b", false},
    {"$share", false},
    {"$share/g/a", false},
};

static void
filters_are_valid_or_not(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(filters); i++) {
		if (topic_filter_is_valid(filters[i].filter) !=
		    filters[i].want) {
			fail_msg("filter \"%s\"", filters[i].filter);
		}
	}
}

static const struct {
	const char *filter, *topic;
	bool want;
} matches[] = {
    {"a", "a", true},
    {"a/b", "a/b", true},
    {"/", "/", true},
    {"+", "a", true},
    {"a/+", "a/b", true},
    {"a/+", "a/", true},
    {"+/+", "/", true},
    {"/+", "/a", true},
    {"a/+/c", "a/b/c", true},
    {"#", "a", true},
    {"#", "a/b/c", true},
    {"#", "/", true},
    {"a/#", "a", true},
    {"a/#", "a/", true},
    {"a/#", "a/b/c", true},
    {"+/#", "a", true},
    {"$SYS/#", "$SYS/broker/uptime", true},
    {"$SYS/+", "$SYS/a", true},
    {"a/#", "a/$SYS", true},
    {"a/+", "a/$SYS", true},
    {"a", "b", false},
    {"a", "A", false},
    {"a", "ab", false},
    {"ab", "a", false},
    {"a", "a/", false},
    {"a", "a/b", false},
    {"a/b", "a", false},
    {"+", "a/b", false},
    {"+", "/a", false},
    {"a/+", "a", false},
    {"a/+", "a/b/c", false},
    {"a/#", "ab", false},
    {"a/#", "b", false},
    {"#", "$SYS", false},
    {"#", "$SYS/a", false},
    {"+", "$SYS", false},
    {"+/a", "$SYS/a", false},
    {"+/#", "$SYS/a", false},
    {"#", "$CONTROL/x", false},
    {"#", "", false},
    {"+", "", false},
    {"a", "", false},
    {"#", "+", false},
    {"#", "a/#", false},
    {"a/+", "a/+", false},
    {"a/#/b", "a/x/b", false},
    {"a/#/b", "a", false},
};

static void
topics_match_filters(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(matches); i++) {
		if (topic_matches(matches[i].filter, matches[i].topic) !=
		    matches[i].want) {
			fail_msg("filter \"%s\", topic \"%s\"",
			    matches[i].filter, matches[i].topic);
		}
	}
}

static const struct {
	const char *grant, *filter;
	bool want;
} covers[] = {
    {"a/b", "a/b", true},
    {"a/+", "a/b", true},
    {"a/+", "a/+", true},
    {"a/#", "a", true},
    {"a/#", "a/b", true},
    {"a/#", "a/+", true},
    {"a/#", "a/#", true},
    {"a/#", "a/b/#", true},
    {"a/#", "a/+/#", true},
    {"#", "#", true},
    {"#", "+/#", true},
    {"#", "a/+/c", true},
    {"+/#", "#", true},
    {"/+/#", "/#", true},
    {"$SYS/#", "$SYS/#", true},
    {"$SYS/+", "$SYS/a", true},
    {"a/#", "$share/g/a/#", true},
    {"a/#", "$share/g/a", true},
    {"#", "$share/g//", true},
    {"#", "$share/$g/a", true},
    {"a/b", "a/+", false},
    {"a/b", "a/#", false},
    {"a/b", "a", false},
    {"a/b", "#", false},
    {"a/b", "+/b", false},
    {"a/+", "a/#", false},
    {"a/+", "a", false},
    {"a/+", "+/b", false},
    {"a/+", "#", false},
    {"a/+/#", "a/#", false},
    {"a/#", "#", false},
    {"a/#", "+/#", false},
    {"a/#", "ab", false},
    {"a/#", "ab/c", false},
    {"+", "#", false},
    {"+/+", "#", false},
    {"+/+/#", "#", false},
    {"d/meter/1/#", "d/meter/10/#", false},
    {"d/meter/1/#", "d/meter/+/#", false},
    {"d/meter/1/#", "+/meter/1/#", false},
    {"#", "$SYS/#", false},
    {"#", "$SYS", false},
    {"+/#", "$SYS/a", false},
    {"+/a", "$SYS/a", false},
    {"$SYS/#", "#", false},
    {"$SYS/#", "+/a", false},
    {"#", "$share/g/$SYS/#", false},
    {"a/#", "$share/g/b", false},
    {"a/#", "$share/g/#", false},
    {"#", "$share", false},
    {"#", "$share/", false},
    {"#", "$share/g", false},
    {"#", "$share/g/", false},
    {"#", "$share//a", false},
    {"#", "$share/+/a", false},
    {"#", "$share/g#/a", false},
    {"#", "$share/g/$share/h/a", false},
    {"$share/g/a", "$share/g/a", false},
    {"$share/g/a", "a", false},
    {"#", "", false},
    {"#", "a#", false},
    {"#", "a/#/b", false},
    {"#", "a+", false},
    {"", "a", false},
    {"a/#/b", "a/b", false},
    {"a#", "a", false},
};

static void
grants_cover_filters(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(covers); i++) {
		if (topic_covers(covers[i].grant, covers[i].filter) !=
		    covers[i].want) {
			fail_msg("grant \"%s\", filter \"%s\"", covers[i].grant,
			    covers[i].filter);
		}
	}
}

/* Every text of so many levels at most that are made of these words. */
#define TEXT_MAX  16
#define SPACE_MAX 400

struct space {
	size_t count;
	char text[SPACE_MAX][TEXT_MAX];
};

static void
extend(struct space *space, const char *start, const char *const *words,
    size_t count, size_t levels)
{
	char more[TEXT_MAX];
	size_t i;

	for (i = 0; i < count; i++) {
		assert_true(space->count < SPACE_MAX);
		(void)snprintf(space->text[space->count++], TEXT_MAX, "%s%s",
		    start, words[i]);
		if (levels > 1) {
			(void)snprintf(
			    more, TEXT_MAX, "%s%s/", start, words[i]);
			extend(space, more, words, count, levels - 1);
		}
	}
}

/* Whether every topic that matches filter matches grant. */
static bool
is_within(const struct space *topics, const char *grant, const char *filter)
{
	size_t i;

	for (i = 0; i < topics->count; i++) {
		if (topic_matches(filter, topics->text[i]) &&
		    !topic_matches(grant, topics->text[i])) {
			return false;
		}
	}
	return true;
}

/*
 * A grant covers a filter if and only if no topic tells them apart.  Topics
 * have one level more than filters, and a word "x" that no filter has, so
 * that '+' and '#' always have a topic of their own.
 */
static void
covering_is_containment(void **state)
{
	static const char *const filter_words[] = {"a", "", "$b", "+", "#"};
	static const char *const topic_words[] = {"a", "", "$b", "x"};
	static struct space filters_all, topics;
	size_t i, j, n = 0;
	const char *grant, *filter;
	bool within;

	(void)state;
	extend(&filters_all, "", filter_words, COUNT(filter_words), 3);
	extend(&topics, "", topic_words, COUNT(topic_words), 4);
	for (i = 0; i < filters_all.count; i++) {
		for (j = 0; j < filters_all.count; j++) {
			grant = filters_all.text[i];
			filter = filters_all.text[j];
			if (!topic_filter_is_valid(grant) ||
			    !topic_filter_is_valid(filter)) {
				assert_false(topic_covers(grant, filter));
				continue;
			}
			within = is_within(&topics, grant, filter);
			if (topic_covers(grant, filter) != within) {
				fail_msg("grant \"%s\", filter \"%s\": %d",
				    grant, filter, within);
			}
			n++;
		}
	}
	assert_true(n > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filters_are_valid_or_not),
	    cmocka_unit_test(topics_match_filters),
	    cmocka_unit_test(grants_cover_filters),
	    cmocka_unit_test(covering_is_containment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
