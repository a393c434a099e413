/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/grants.h"

#include "test/support/cmocka_all.h"

#include "policy/topic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct identity meter = {{'d', "meter"}, "0001"};

static const struct topic_rule good[] = {
    {"all", ACCESS_BOTH, "{class}/{type}/{id}/#"},
    {"d", ACCESS_PUBLISH, "iot-2/type/{type}/id/{id}/evt/+/fmt/+"},
    {"g", ACCESS_SUBSCRIBE, "#"},
    {"d:meter", ACCESS_SUBSCRIBE, "$SYS/broker/uptime"},
    {"d:meter", ACCESS_SUBSCRIBE, "$SYS/{id}"},
    {"all", ACCESS_PUBLISH, "a/$CONTROL/#"},
    {"all", ACCESS_SUBSCRIBE, "$CONTROLLER"},
    {"all", ACCESS_PUBLISH, "{org}"},
    {"all", ACCESS_PUBLISH, "x-{class}-{id}"},
    {"all", ACCESS_BOTH, "{type}:{id}"},
    {"all", ACCESS_BOTH, "{id}:{type}/{id}{type}"},
    {"all", ACCESS_BOTH, "{type}/+/{id}"},
    {"all", ACCESS_BOTH, "{id}{class}{id}/x"},
};

static void
good_rules_are_taken(void **state)
{
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (topic_rule_check(&good[i], &why) != RES_OK) {
			fail_msg("%s: %s", good[i].filter, why.text);
		}
	}
}

static const struct {
	struct topic_rule rule;
	enum res want;
} bad[] = {
    {{"", ACCESS_BOTH, "a"}, RES_SYNTAX},
    {{"x", ACCESS_BOTH, "a"}, RES_SYNTAX},
    {{"ALL", ACCESS_BOTH, "a"}, RES_SYNTAX},
    {{"meter", ACCESS_BOTH, "a"}, RES_SYNTAX},
    {{"d:", ACCESS_BOTH, "a"}, RES_SYNTAX},
    {{"d:meter:1", ACCESS_BOTH, "a"}, RES_SYNTAX},
    {{"d:*", ACCESS_BOTH, "a"}, RES_SYNTAX},
    {{"d:abcdefghijklmnopqrstuvwxyz01234567890", ACCESS_BOTH, "a"}, RES_LIMIT},
    {{"all", ACCESS_NONE, "a"}, RES_SYNTAX},
    {{"all", (enum access)4, "a"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, ""}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "a/#/b"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "a+"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "{id}#"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "+{id}"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "a\nb"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "a\xff"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "{name}/#"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "{ID}/#"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "{id/#"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "id}/#"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "{type}{id}/#"}, RES_SYNTAX},
    {{"d:meter", ACCESS_BOTH, "x/{id}{type}"}, RES_SYNTAX},
    {{"d", ACCESS_PUBLISH, "{type}-{id}"}, RES_SYNTAX},
    {{"d", ACCESS_PUBLISH, "{id}.x_9{type}"}, RES_SYNTAX},
    {{"g", ACCESS_BOTH, "a/{type}{class}{id}"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "{type}{org}{id}/#"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "{id}{id}{type}/#"}, RES_SYNTAX},
    {{"all", ACCESS_BOTH, "a:b/{id}{type}:"}, RES_SYNTAX},
    {{"all", ACCESS_SUBSCRIBE, "$share/g/a"}, RES_REFUSED},
    {{"all", ACCESS_SUBSCRIBE, "$share"}, RES_REFUSED},
    {{"all", ACCESS_SUBSCRIBE, "$CONTROL/dynamic-security/v1"}, RES_REFUSED},
    {{"all", ACCESS_SUBSCRIBE, "$CONTROL/#"}, RES_REFUSED},
    {{"all", ACCESS_SUBSCRIBE, "$CONTROL"}, RES_REFUSED},
    {{"all", ACCESS_SUBSCRIBE, "${type}/#"}, RES_REFUSED},
    {{"all", ACCESS_SUBSCRIBE, "$CON{id}"}, RES_REFUSED},
    {{"all", ACCESS_PUBLISH, "$SYS/#"}, RES_REFUSED},
    {{"all", ACCESS_BOTH, "$SYS/#"}, RES_REFUSED},
    {{"all", ACCESS_PUBLISH, "$anything"}, RES_REFUSED},
};

static void
bad_rules_are_refused(void **state)
{
	struct grants *grants = NULL;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		why.text[0] = '\0';
		if (topic_rule_check(&bad[i].rule, &why) != bad[i].want) {
			fail_msg("%s, %s: %s", bad[i].rule.who,
			    bad[i].rule.filter, why.text);
		}
		assert_true(why.text[0] != '\0');
		/* Nor does it grant anything if it came here all the same. */
		assert_int_equal(
		    grants_new(&bad[i].rule, 1, "plant", &meter, &grants),
		    bad[i].want);
		assert_null(grants);
	}
}

enum ask {
	PUBLISH,
	DELIVERY,
	SUBSCRIBE,
};

static const struct topic_rule rules[] = {
    {"all", ACCESS_BOTH, "{class}/{type}/{id}/#"},
    {"d", ACCESS_PUBLISH, "up/{org}/+"},
    {"d:meter", ACCESS_SUBSCRIBE, "down/{id}/+"},
    {"d:meter", ACCESS_SUBSCRIBE, "$SYS/broker/#"},
    {"g", ACCESS_BOTH, "gateways/#"},
    {"d:valve", ACCESS_BOTH, "valves/#"},
    {"d:mete", ACCESS_BOTH, "mete/#"},
};

static const struct {
	enum ask ask;
	const char *topic;
	bool want;
} asked[] = {
    {PUBLISH, "d/meter/0001", true},
    {PUBLISH, "d/meter/0001/a/b", true},
    {PUBLISH, "up/plant/x", true},
    {PUBLISH, "d/meter/0002", false},
    {PUBLISH, "d/meter/00011", false},
    {PUBLISH, "d/meter", false},
    {PUBLISH, "g/meter/0001", false},
    {PUBLISH, "up/other/x", false},
    {PUBLISH, "up/plant/x/y", false},
    {PUBLISH, "down/0001/x", false},
    {PUBLISH, "gateways/x", false},
    {PUBLISH, "valves/x", false},
    {PUBLISH, "mete/x", false},
    {PUBLISH, "$SYS/broker/x", false},
    {PUBLISH, "$CONTROL/x", false},
    {PUBLISH, "{class}/{type}/{id}/x", false},
    {PUBLISH, "d/meter/0001/+", false},
    {PUBLISH, "", false},

    {DELIVERY, "d/meter/0001/x", true},
    {DELIVERY, "down/0001/x", true},
    {DELIVERY, "$SYS/broker/uptime", true},
    {DELIVERY, "up/plant/x", false},
    {DELIVERY, "down/0002/x", false},
    {DELIVERY, "$CONTROL/x", false},
    {DELIVERY, "$SYS", false},

    {SUBSCRIBE, "d/meter/0001/#", true},
    {SUBSCRIBE, "d/meter/0001/+/x", true},
    {SUBSCRIBE, "$share/group/down/0001/+", true},
    {SUBSCRIBE, "$SYS/broker/+", true},
    {SUBSCRIBE, "down/0001/x", true},
    {SUBSCRIBE, "down/0001/#", false},
    {SUBSCRIBE, "down/+/x", false},
    {SUBSCRIBE, "d/meter/+/#", false},
    {SUBSCRIBE, "#", false},
    {SUBSCRIBE, "+/#", false},
    {SUBSCRIBE, "$SYS/#", false},
    {SUBSCRIBE, "$CONTROL/#", false},
    {SUBSCRIBE, "$share/g/$CONTROL/#", false},
    {SUBSCRIBE, "$share/g/#", false},
    {SUBSCRIBE, "$share//down/0001/+", false},
    {SUBSCRIBE, "up/plant/+", false},
    {SUBSCRIBE, "d/meter/0001/#/x", false},
};

static bool
allow(const struct grants *grants, enum ask ask, const char *topic)
{
	return ask == PUBLISH ? grants_allow_publish(grants, topic)
	    : ask == DELIVERY ? grants_allow_delivery(grants, topic)
	                      : grants_allow_subscribe(grants, topic);
}

static void
a_client_does_what_its_grants_say(void **state)
{
	struct grants *grants;
	size_t i;

	(void)state;
	assert_int_equal(
	    grants_new(rules, COUNT(rules), "plant", &meter, &grants), RES_OK);
	for (i = 0; i < COUNT(asked); i++) {
		if (allow(grants, asked[i].ask, asked[i].topic) !=
		    asked[i].want) {
			fail_msg("%d %s", asked[i].ask, asked[i].topic);
		}
		/* And without grants, nothing. */
		assert_false(allow(NULL, asked[i].ask, asked[i].topic));
	}
	grants_free(grants);
	grants_free(NULL);
}

/* The widest that can be granted stays outside of what is the broker's. */
static void
no_grant_reaches_control(void **state)
{
	static const struct topic_rule widest[] = {
	    {"all", ACCESS_BOTH, "#"},
	    {"all", ACCESS_BOTH, "+/#"},
	    {"all", ACCESS_BOTH, "{type}/#"},
	    {"all", ACCESS_SUBSCRIBE, "$SYS/#"},
	};
	static const char *const topics[] = {"$CONTROL", "$CONTROL/x",
	    "$CONTROL/dynamic-security/v1", "$CONTROL/#", "$CONTROL/+",
	    "$share/g/$CONTROL/#"};
	const struct identity who = {{'d', "CONTROL"}, "1"};
	struct grants *grants;
	size_t i, ask;

	(void)state;
	assert_int_equal(
	    grants_new(widest, COUNT(widest), "o", &who, &grants), RES_OK);
	for (i = 0; i < COUNT(topics); i++) {
		for (ask = PUBLISH; ask <= SUBSCRIBE; ask++) {
			assert_false(allow(grants, (enum ask)ask, topics[i]));
		}
	}
	assert_true(grants_allow_subscribe(grants, "#"));
	assert_true(grants_allow_delivery(grants, "$SYS/x"));
	assert_false(grants_allow_publish(grants, "$SYS/x"));
	assert_false(grants_allow_publish(grants, "$SYS"));
	grants_free(grants);
}

static void
a_filter_must_fit_when_filled_in(void **state)
{
	char filter[TOPIC_MAX + 1];
	struct topic_rule rule = {"all", ACCESS_BOTH, filter};
	struct grants *grants = NULL;

	(void)state;
	memset(filter, 'x', sizeof(filter));
	memcpy(filter, "{id}/", 5); /* as long as "0001/" */
	filter[TOPIC_MAX] = '\0';
	assert_int_equal(
	    grants_new(&rule, 1, "plant", &meter, &grants), RES_OK);
	grants_free(grants);
	grants = NULL;
	memcpy(filter, "{org}/", 6);
	assert_int_equal(
	    grants_new(&rule, 1, "plant1", &meter, &grants), RES_LIMIT);
	assert_null(grants);
}

static void
access_has_names(void **state)
{
	static const char *const wrong[] = {
	    "", "none", "Both", "read", "both "};
	enum access access;
	size_t i;

	(void)state;
	assert_string_equal(access_name(ACCESS_PUBLISH), "publish");
	assert_string_equal(access_name(ACCESS_SUBSCRIBE), "subscribe");
	assert_string_equal(access_name(ACCESS_BOTH), "both");
	assert_string_equal(access_name(ACCESS_NONE), "none");
	assert_string_equal(access_name((enum access)9), "none");
	for (i = ACCESS_PUBLISH; i <= ACCESS_BOTH; i++) {
		assert_true(access_parse(access_name((enum access)i), &access));
		assert_int_equal(access, i);
	}
	for (i = 0; i < COUNT(wrong); i++) {
		assert_false(access_parse(wrong[i], &access));
		assert_int_equal(access, ACCESS_BOTH);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_rules_are_taken),
	    cmocka_unit_test(bad_rules_are_refused),
	    cmocka_unit_test(a_client_does_what_its_grants_say),
	    cmocka_unit_test(no_grant_reaches_control),
	    cmocka_unit_test(a_filter_must_fit_when_filled_in),
	    cmocka_unit_test(access_has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
