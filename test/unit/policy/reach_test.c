/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/reach.h"

#include <stdio.h>
#include <string.h>

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Who is accepted, and whoever was asked about, joined by blanks. */
struct asked {
	const char *accepted;
	char names[4096];
};

static bool
accept(const struct identity *who, void *context)
{
	char name[IDENTITY_TEXT_MAX + 1];
	struct asked *asked = context;
	size_t used = strlen(asked->names);

	identity_format(who, name);
	assert_true(used + strlen(name) + 2 < sizeof(asked->names));
	(void)snprintf(asked->names + used, sizeof(asked->names) - used, "%s%s",
	    used > 0 ? " " : "", name);
	return asked->accepted != NULL && strcmp(name, asked->accepted) == 0;
}

#define P REACH_PUBLISH
#define D REACH_DELIVERY
#define S REACH_SUBSCRIBE

/* One rule, one topic: the device that it is about, NULL for nobody. */
static const struct {
	struct topic_rule rule;
	enum reach how;
	const char *topic, *want;
} rows[] = {
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "d/meter/1/a",
        "d:meter:1"},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "d/meter/1",
        "d:meter:1"},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, D, "d/meter/1/a/b",
        "d:meter:1"},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "d/meter/1/#",
        "d:meter:1"},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "d/meter/1/+/x",
        "d:meter:1"},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "$share/g/d/meter/1/#",
        "d:meter:1"},
    {{"d", ACCESS_PUBLISH, "iot-2/type/{type}/id/{id}/evt/+/fmt/+"}, P,
        "iot-2/type/meter/id/a.b:c/evt/e/fmt/json", "d:meter:a.b:c"},
    {{"d:meter", ACCESS_PUBLISH, "m/{id}"}, P, "m/7", "d:meter:7"},
    {{"d", ACCESS_PUBLISH, "{org}/{type}:{id}"}, P, "plant/a:b", "d:a:b"},
    {{"d", ACCESS_PUBLISH, "x-{type}:-{id}"}, P, "x-a-b:-c", "d:a-b:c"},
    {{"d", ACCESS_PUBLISH, "{id}/{id}"}, P, "7/7", NULL},
    {{"d:m", ACCESS_PUBLISH, "{id}/{id}"}, P, "7/7", "d:m:7"},
    {{"d:m", ACCESS_BOTH, "+/{id}"}, P, "any/7", "d:m:7"},
    {{"d:m", ACCESS_BOTH, "+/{id}"}, S, "+/7", "d:m:7"},
    {{"d:m", ACCESS_SUBSCRIBE, "$SYS/{id}"}, D, "$SYS/7", "d:m:7"},

    /* Not the topic of a device by this rule. */
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "g/meter/1/a", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "d/meter", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "d/meter//a", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "d//1/a", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "dd/meter/1/a", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "d/me:ter/1/a", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "d/me ter/1/a", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, P, "", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "d/meter/+/#", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "d/+/1/#", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "+/meter/1/#", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "#", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "$share/d/meter/1/#",
        NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "$share//d/meter/1/#",
        NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/#"}, S, "$share/g", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/x"}, S, "d/meter/1/#", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/x"}, P, "d/meter/1/y", NULL},
    {{"all", ACCESS_BOTH, "{class}/{type}/{id}/x"}, P, "d/meter/1/x/y", NULL},
    {{"all", ACCESS_SUBSCRIBE, "{class}/{type}/{id}/#"}, P, "d/meter/1/a",
        NULL},
    {{"all", ACCESS_PUBLISH, "{class}/{type}/{id}/#"}, D, "d/meter/1/a", NULL},
    {{"g", ACCESS_BOTH, "d/{type}/{id}/#"}, P, "d/meter/1/a", NULL},
    {{"g:x", ACCESS_BOTH, "d/{type}/{id}/#"}, P, "d/meter/1/a", NULL},
    {{"d:meter", ACCESS_BOTH, "d/{type}/{id}"}, P, "d/valve/1", NULL},
    {{"d", ACCESS_BOTH, "broadcast/#"}, D, "broadcast/a", NULL},
    {{"d", ACCESS_BOTH, "{type}/#"}, P, "meter/1", NULL},
    {{"d", ACCESS_BOTH, "x/{id}"}, P, "x/1", NULL}, /* of which type? */
    {{"d:m", ACCESS_BOTH, "{id}/{id}"}, P, "7/8", NULL},
    {{"d:m", ACCESS_BOTH, "{org}/{id}"}, P, "plan/7", NULL},
    {{"d:m", ACCESS_BOTH, "{org}/{id}"}, P, "plants/7", NULL},
    {{"d:m", ACCESS_BOTH, "+/{id}"}, P, "$SYS/7", NULL},
    {{"d:m", ACCESS_SUBSCRIBE, "+/{id}"}, D, "$SYS/7", NULL},
    {{"d:m", ACCESS_SUBSCRIBE, "+/{id}"}, D, "$CONTROL/7", NULL},
    {{"d:m", ACCESS_SUBSCRIBE, "+/{id}"}, S, "$share/g/$CONTROL/7", NULL},
    {{"d:m", ACCESS_BOTH, "{id}"}, P,
        "12345678901234567890123456789012345"
        "678901234567890123456789012345",
        NULL},
};

static void
topics_tell_whose_they_are(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct asked asked = {.accepted = rows[i].want};
		bool found;

		assert_int_equal(topic_rule_check(&rows[i].rule, NULL), RES_OK);
		found = reach_device(&rows[i].rule, 1, "plant", rows[i].how,
		    rows[i].topic, accept, &asked);
		if (found != (rows[i].want != NULL) ||
		    (rows[i].want == NULL && asked.names[0] != '\0')) {
			fail_msg("row %zu, %s, %s: asked about %s", i,
			    rows[i].rule.filter, rows[i].topic, asked.names);
		}
	}
}

/* Where a topic can be read in several ways, every device is asked about, and
 * none twice by one rule.  topic_rule_check() refuses such a rule, but nothing
 * here relies on that. */
static void
every_reading_is_tried(void **state)
{
	static const struct topic_rule rule = {
	    "d", ACCESS_PUBLISH, "{type}-{id}"};
	static const char *const want[] = {
	    "d:a:b-c-d", "d:a-b:c-d", "d:a-b-c:d"};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(want); i++) {
		struct asked asked = {.accepted = want[i]};

		assert_true(
		    reach_device(&rule, 1, "x", P, "a-b-c-d", accept, &asked));
	}
	{
		struct asked asked = {.accepted = NULL};

		assert_false(
		    reach_device(&rule, 1, "x", P, "a-b-c-d", accept, &asked));
		assert_string_equal(
		    asked.names, "d:a-b-c:d d:a-b:c-d d:a:b-c-d");
	}
}

/* What is found is what the device itself may do, and the other way round. */
static void
it_agrees_with_grants(void **state)
{
	static const struct topic_rule rules[] = {
	    {"all", ACCESS_BOTH, "{class}/{type}/{id}/#"},
	    {"d", ACCESS_PUBLISH, "iot-2/type/{type}/id/{id}/evt/+/fmt/+"},
	    {"d:meter", ACCESS_SUBSCRIBE, "{org}/{id}/+"},
	    {"d", ACCESS_PUBLISH, "{type}:{id}"},
	};
	static const char *const parts[] = {"d", "meter", "7", "plant", "evt",
	    "iot-2", "type", "id", "fmt", "", "g", "x", "meter:7"};
	static const struct identity who = {{'d', "meter"}, "7"};
	struct grants *grants = NULL;
	unsigned seed = 7, granted = 0;
	char topic[256];
	size_t i, j, n;

	(void)state;
	assert_int_equal(
	    grants_new(rules, COUNT(rules), "plant", &who, &grants), RES_OK);
	for (i = 0; i < 200000; i++) {
		struct asked asked = {.accepted = "d:meter:7"};
		bool own;

		topic[0] = '\0';
		seed = seed * 1103515245u + 12345u;
		n = 1 + (seed >> 16) % 8;
		for (j = 0; j < n; j++) {
			seed = seed * 1103515245u + 12345u;
			(void)snprintf(topic + strlen(topic),
			    sizeof(topic) - strlen(topic), "%s%s",
			    j > 0 ? "/" : "",
			    i % 4 == 0 && j < 3
			        ? parts[j == 2 ? 2 : j]
			        : parts[(seed >> 16) % COUNT(parts)]);
		}
		own = grants_allow_publish(grants, topic);
		granted += own ? 1 : 0;
		if (own !=
		    reach_device(rules, COUNT(rules), "plant", P, topic, accept,
		        &asked)) {
			fail_msg("%s: %d", topic, own);
		}
	}
	assert_true(granted > 1000);
	grants_free(grants);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(topics_tell_whose_they_are),
	    cmocka_unit_test(every_reading_is_tried),
	    cmocka_unit_test(it_agrees_with_grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
