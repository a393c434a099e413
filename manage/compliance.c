/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * compliance: certid compliance.
 */
#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/rule.h"
#include "manage/streams.h"
#include "manage/violators.h"
#include "manage/words.h"

#define LIMIT_DEFAULT 100

/* One answer under construction. */
struct survey {
	const struct call *call;
	struct rule_lines lines;
	struct ways ways;
	struct identity last;
	int64_t rows;
	struct table *table; /* for people */
	struct json *array;  /* with --json */
};

static enum res
take_tally(const struct tally *tally, void *context)
{
	struct survey *survey = context;
	struct rule_line *line = rule_lines_find(&survey->lines, &tally->type);

	figures_add(&line->figures, line->level, tally);
	return tally->seen_with == 0 ||
	        level_is_met(line->level, tally->seen_with)
	    ? RES_OK
	    : ways_add(&survey->ways, line->level, tally);
}

static void
add_violator(const struct violator *violator, void *context)
{
	char identity[IDENTITY_TEXT_MAX + 1], seen[SEEN_TEXT_MAX + 1];
	char missing[MISSING_TEXT_MAX + 1], when[TIME_MAX + 1] = "";
	const char *row[] = {
	    identity, level_name(violator->level), seen, missing, when};
	struct survey *survey = context;
	struct json *object;

	survey->rows++;
	survey->last = violator->who;
	if (survey->call->json) {
		object = violator_json(violator);
		json_add_text(object, "level", level_name(violator->level));
		json_append(survey->array, object);
		return;
	}
	identity_format(&violator->who, identity);
	seen_format(violator->seen_with, seen);
	missing_format(violator->level, violator->seen_with, missing);
	if (violator->last_seen_at != CLOCK_NONE) {
		clock_format(violator->last_seen_at, when);
	}
	table_add(survey->table, row);
}

/* The rules that are asked about: all, or the one of type. */
static bool
is_shown(const struct survey *survey, const struct device_type *type,
    const struct rule_line *line)
{
	return type == NULL || rule_lines_find(&survey->lines, type) == line;
}

static int
print_for_programs(
    struct survey *survey, const struct device_type *type, bool more)
{
	struct json *object = json_object(), *rules = json_array();
	size_t i;

	for (i = 0; i < survey->lines.count; i++) {
		if (is_shown(survey, type, &survey->lines.items[i])) {
			json_append(rules, rule_json(&survey->lines.items[i]));
		}
	}
	json_add(object, "rules", rules);
	json_add_number(object, "violators_count", survey->ways.devices);
	json_add(object, "violators", survey->array);
	survey->array = NULL;
	json_add_bool(object, "more", more);
	return print_json(object);
}

static int
print_rules(const struct survey *survey, const struct device_type *type)
{
	struct table *table = rule_table_new();
	size_t i;

	for (i = 0; i < survey->lines.count; i++) {
		if (is_shown(survey, type, &survey->lines.items[i])) {
			rule_table_add(table, &survey->lines.items[i]);
		}
	}
	return print_table(table);
}

static int
print_for_people(
    struct survey *survey, const struct device_type *type, bool more)
{
	char last[IDENTITY_TEXT_MAX + 1];
	struct table *table = survey->table;
	int code = print_rules(survey, type);

	if (code != EXIT_DONE) {
		return code;
	}
	if (survey->ways.devices == 0) {
		(void)fprintf(answers(),
		    "\nno device connected last in a way that its rule does "
		    "not admit\n");
		return EXIT_DONE;
	}
	if (survey->rows > 0) {
		(void)fputc('\n', answers());
		survey->table = NULL;
		code = print_table(table);
	}
	if (more) {
		identity_format(&survey->last, last);
		(void)fprintf(complaints(),
		    "certid: %lld devices in all do not meet their rule: for "
		    "the next ones repeat with --after %s\n",
		    (long long)survey->ways.devices, last);
	}
	return code;
}

/* The lines and the violators; an exit code, an error told. */
static int
look(struct survey *survey, const struct device_type *type,
    const struct identity *after, int64_t limit)
{
	const struct call *call = survey->call;
	struct diag why = {""};
	bool more = false;
	enum res r;

	r = rule_lines_new(call, &survey->lines, &why);
	if (r == RES_OK) {
		r = registry_tally(
		    call->registry, call->org, type, take_tally, survey, &why);
	}
	if (r == RES_OK) {
		r = violators_read(call, &survey->ways, after, limit,
		    add_violator, survey, &more, &why);
	}
	if (r != RES_OK) {
		return fail(r, &why);
	}
	return call->json ? print_for_programs(survey, type, more)
	                  : print_for_people(survey, type, more);
}

/* A type of which nothing is known is a mistake, not a good answer. */
static int
check_type(const struct call *call, const struct device_type *type)
{
	char name[TYPE_TEXT_MAX + 1];
	struct diag why = {""};
	int64_t count = 0;
	enum res r = count_devices(call, type, &count, &why);

	if (r != RES_OK) {
		return fail(r, &why);
	}
	device_type_format(type, name);
	return count > 0 || type_of(&call->config, call->org, type) != NULL ||
	        rule_of(&call->config, call->org, name) != NULL
	    ? EXIT_DONE
	    : refuse(EXIT_NOT_FOUND,
	          "nothing is known of the type %s: see \"certid type list\"",
	          name);
}

int
run_compliance(struct call *call)
{
	const char *header[] = {
	    "IDENTITY", "LEVEL", "SEEN WITH", "MISSING", "LAST SEEN"};
	const char *text = call_arg(call, 0);
	const char *after_text = call_option(call, "after");
	struct device_type type, *asked = text == NULL ? NULL : &type;
	struct identity after, *behind = after_text == NULL ? NULL : &after;
	struct survey survey = {.call = call};
	int64_t limit = LIMIT_DEFAULT;
	int code;

	if ((text != NULL && !take_type(call, text, &type)) ||
	    (after_text != NULL && !take_identity(call, after_text, &after)) ||
	    !take_number(call, "limit", 1, VIOLATORS_MAX, &limit)) {
		return EXIT_USAGE;
	}
	code = asked == NULL ? EXIT_DONE : check_type(call, asked);
	if (code == EXIT_DONE) {
		survey.table = table_new(header, 5);
		survey.array = json_array();
		code = look(&survey, asked, behind, limit);
	}
	rule_lines_done(&survey.lines);
	ways_done(&survey.ways);
	table_free(survey.table);
	json_free(survey.array);
	return code;
}
