/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * topic: certid topic list|add|remove.
 */
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"
#include "policy/grants.h"

static struct json *
topic_json(const char *who, const char *access, const char *filter)
{
	struct json *object = json_object();

	json_add_text(object, "who", who);
	json_add_text(object, "access", access);
	json_add_text(object, "filter", filter);
	return object;
}

int
run_topic_list(struct call *call)
{
	const char *header[] = {"WHO", "ACCESS", "FILTER"}, *row[3];
	struct table *table = table_new(header, 3);
	struct json *array = json_array();
	const struct topic_record *topic;
	size_t i;

	for (i = 0; i < call->config.topic_count; i++) {
		topic = &call->config.topics[i];
		if (strcmp(topic->org, call->org) != 0) {
			continue;
		}
		row[0] = topic->who;
		row[1] = topic->access;
		row[2] = topic->filter;
		table_add(table, row);
		json_append(array,
		    topic_json(topic->who, topic->access, topic->filter));
	}
	if (call->json) {
		table_free(table);
		return print_json(array);
	}
	json_free(array);
	return print_table(table);
}

static bool
take_rule(const struct call *call, struct topic_rule *out)
{
	const char *who = call_arg(call, 0), *why = NULL;
	struct device_type type;

	if (strcmp(who, "all") != 0 && strcmp(who, "d") != 0 &&
	    strcmp(who, "g") != 0 &&
	    device_type_parse(who, strlen(who), &type, &why) != RES_OK) {
		(void)misuse(call,
		    "\"%.80s\" is not a WHO: use all, d, g or a type such as "
		    "d:meter",
		    who);
		return false;
	}
	out->who = who;
	out->filter = call_arg(call, 2);
	if (!access_parse(call_arg(call, 1), &out->access) ||
	    out->access == ACCESS_NONE) {
		(void)misuse(call,
		    "\"%.80s\" is not an ACCESS: use publish, subscribe or "
		    "both",
		    call_arg(call, 1));
		return false;
	}
	return true;
}

static int
report_rule(
    const struct call *call, const struct topic_rule *rule, const char *done)
{
	const char *access = access_name(rule->access);

	return report(call, topic_json(rule->who, access, rule->filter),
	    "%s the topic rule %s %s %s", done, rule->who, access,
	    rule->filter);
}

/* The level at *at ends there or before the next slash. */
static size_t
level_len(const char *at)
{
	return strcspn(at, "/");
}

static bool
is_text(const char *level, size_t len, const char *text)
{
	return len == strlen(text) && strncmp(level, text, len) == 0;
}

/* Whether a level of a filter may stand for several texts. */
static bool
is_open(const char *level, size_t len)
{
	return is_text(level, len, "+") || memchr(level, '{', len) != NULL;
}

/* Of all words {class} alone is known to be one of two. */
static bool
may_be(const char *level, size_t len, const char *other, size_t other_len)
{
	return !is_text(level, len, "{class}") || is_open(other, other_len) ||
	    is_text(other, other_len, "d") || is_text(other, other_len, "g");
}

static bool
levels_may_meet(const char *a, size_t m, const char *b, size_t n)
{
	if (!is_open(a, m) && !is_open(b, n)) {
		return m == n && strncmp(a, b, n) == 0;
	}
	return may_be(a, m, b, n) && may_be(b, n, a, m);
}

/* Whether one topic may match two filters, with anything for their words. */
static bool
may_meet(const char *a, const char *b)
{
	size_t m, n;

	for (;;) {
		m = level_len(a);
		n = level_len(b);
		if (a[0] == '#' || b[0] == '#') {
			return true;
		}
		if (!levels_may_meet(a, m, b, n)) {
			return false;
		}
		if (a[m] == '\0' || b[n] == '\0') {
			/* "x/#" matches "x", too. */
			return strcmp(a + m, b + n) == 0 ||
			    strcmp(a + m, "/#") == 0 ||
			    strcmp(b + n, "/#") == 0;
		}
		a += m + 1;
		b += n + 1;
	}
}

/* The first grant by which a device publishes what is its own alone, and that
 * the filter meets; NULL: none. */
static const char *
find_met(const struct call *call, const char *filter)
{
	const struct topic_record *topic;
	enum access access;
	size_t i;

	for (i = 0; i < call->config.topic_count; i++) {
		topic = &call->config.topics[i];
		if (strcmp(topic->org, call->org) == 0 &&
		    access_parse(topic->access, &access) &&
		    access != ACCESS_SUBSCRIBE &&
		    strstr(topic->filter, "{id}") != NULL &&
		    may_meet(filter, topic->filter)) {
			return topic->filter;
		}
	}
	return NULL;
}

/* A rule for many that does not tell them apart. */
static void
caution_rule(const struct call *call, const struct topic_rule *rule)
{
	const char *met;

	if (strchr(rule->who, ':') != NULL ||
	    strstr(rule->filter, "{id}") != NULL) {
		return;
	}
	met = find_met(call, rule->filter);
	if (rule->access != ACCESS_SUBSCRIBE) {
		caution("the filter does not name {id}: each %s may publish "
		        "the same topics%s%s",
		    rule->who[0] == 'g' ? "gateway" : "device",
		    met == NULL ? "" : ", those of the others too: ",
		    met == NULL ? "" : met);
	}
	if (rule->access != ACCESS_PUBLISH && met != NULL) {
		caution("the filter does not name {id}: each %s may read what "
		        "the others publish: %s",
		    rule->who[0] == 'g' ? "gateway" : "device", met);
	}
}

int
run_topic_add(struct call *call)
{
	struct edit edit = call_edit(call);
	struct topic_rule rule = {0};
	struct diag why = {""};
	enum res r;

	if (!take_rule(call, &rule)) {
		return EXIT_USAGE;
	}
	r = topic_rule_check(&rule, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = edit_topic_add(
	    &edit, rule.who, access_name(rule.access), rule.filter, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	caution_rule(call, &rule);
	return report_rule(call, &rule, "added");
}

int
run_topic_remove(struct call *call)
{
	struct edit edit = call_edit(call);
	struct topic_rule rule = {0};
	struct diag why = {""};
	enum res r;

	if (!take_rule(call, &rule)) {
		return EXIT_USAGE;
	}
	r = edit_topic_remove(
	    &edit, rule.who, access_name(rule.access), rule.filter, &why);
	return r != RES_OK ? fail(r, &why)
	                   : report_rule(call, &rule, "removed");
}
