/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * preview: certid rule set|unset --preview.
 */
#include <stdio.h>
#include <string.h>

#include "manage/objects.h"
#include "manage/rule.h"
#include "manage/streams.h"

#define SHOWN_PEOPLE   20
#define SHOWN_PROGRAMS 1000

/* A rule as it is, and as it would be. */
struct preview {
	const struct call *call;
	const char *who;
	bool is_default;
	struct rule_lines lines;
	const struct rule_line *line; /* that holds now */
	enum level level;             /* then */
	struct figures now, then;
	struct ways ways; /* that are admitted now, and then are not */
	struct table *table;
	struct json *array;
	int64_t rows;
};

static enum res
take_tally(const struct tally *tally, void *context)
{
	struct preview *preview = context;
	enum level now = preview->line->level;

	/* A type with a rule of its own does not follow the default. */
	if (preview->is_default &&
	    rule_lines_find(&preview->lines, &tally->type) != preview->line) {
		return RES_OK;
	}
	figures_add(&preview->now, now, tally);
	figures_add(&preview->then, preview->level, tally);
	return tally->seen_with != 0 && level_is_met(now, tally->seen_with) &&
	        !level_is_met(preview->level, tally->seen_with)
	    ? ways_add(&preview->ways, preview->level, tally)
	    : RES_OK;
}

struct json *
violator_json(const struct violator *violator)
{
	struct json *object = json_object();
	char text[IDENTITY_TEXT_MAX + 1];

	identity_format(&violator->who, text);
	json_add_text(object, "identity", text);
	json_add_time(object, "last_seen_at", violator->last_seen_at);
	json_add(object, "seen_with", seen_json(violator->seen_with));
	json_add(object, "missing",
	    missing_json(violator->level, violator->seen_with));
	return object;
}

static void
add_locked_out(const struct violator *violator, void *context)
{
	char identity[IDENTITY_TEXT_MAX + 1], seen[SEEN_TEXT_MAX + 1];
	char missing[MISSING_TEXT_MAX + 1], when[TIME_MAX + 1] = "";
	const char *row[] = {identity, seen, missing, when};
	struct preview *preview = context;

	preview->rows++;
	if (preview->call->json) {
		json_append(preview->array, violator_json(violator));
		return;
	}
	identity_format(&violator->who, identity);
	seen_format(violator->seen_with, seen);
	missing_format(violator->level, violator->seen_with, missing);
	if (violator->last_seen_at != CLOCK_NONE) {
		clock_format(violator->last_seen_at, when);
	}
	table_add(preview->table, row);
}

static int
print_for_programs(struct preview *preview)
{
	struct json *object = json_object();
	int64_t devices = preview->now.devices, seen = preview->now.seen;

	json_add_text(object, "rule", preview->who);
	json_add_text(object, "level_now", preview->line->word);
	json_add_text(object, "level_then", level_name(preview->level));
	json_add_number(object, "devices", devices);
	json_add_number(object, "connected", seen);
	json_add_number(object, "never_connected", devices - seen);
	json_add_number(object, "compliant_now", preview->now.compliant);
	json_add_number(object, "compliant_then", preview->then.compliant);
	json_add_number(object, "locked_out", preview->ways.devices);
	json_add(object, "locked_out_devices", preview->array);
	preview->array = NULL;
	return print_json(object);
}

static void
add_count(struct table *table, const char *name, int64_t count)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)count);
	table_field(table, name, text);
}

static void
add_share(struct table *table, const char *name, const struct figures *figures)
{
	char share[PERCENT_TEXT_MAX + 1], text[48];

	percent_format(figures->compliant, figures->seen, share);
	(void)snprintf(text, sizeof(text), "%lld%s%s%s",
	    (long long)figures->compliant, share[0] == '\0' ? "" : " (", share,
	    share[0] == '\0' ? "" : ")");
	table_field(table, name, text);
}

static int
print_counts(const struct preview *preview)
{
	struct table *table = table_new(NULL, 2);
	char levels[2 * WORD_MAX + 8];

	(void)snprintf(levels, sizeof(levels), "%s -> %s", preview->line->word,
	    level_name(preview->level));
	table_field(table, "rule", preview->who);
	table_field(table, "level", levels);
	add_count(table, "devices", preview->now.devices);
	add_count(
	    table, "never connected", preview->now.devices - preview->now.seen);
	add_share(table, "compliant now", &preview->now);
	add_share(table, "compliant then", &preview->then);
	add_count(table, "locked out", preview->ways.devices);
	return print_table(table);
}

static int
print_for_people(struct preview *preview)
{
	struct table *table = preview->table;
	int64_t others = preview->ways.devices - preview->rows;
	int code = print_counts(preview);

	if (code == EXIT_DONE && preview->rows > 0) {
		(void)fputc('\n', answers());
		preview->table = NULL;
		code = print_table(table);
	}
	if (code == EXIT_DONE && others > 0) {
		(void)fprintf(answers(), "and %lld more\n", (long long)others);
	}
	if (code == EXIT_DONE) {
		(void)fprintf(complaints(), "certid: nothing was changed\n");
	}
	return code;
}

static enum res
look(struct preview *preview, struct diag *why)
{
	const struct call *call = preview->call;
	struct device_type type, *asked = NULL;
	const char *unused;
	bool more;
	enum res r = rule_lines_new(call, &preview->lines, why);

	if (r != RES_OK) {
		return r;
	}
	preview->is_default = strcmp(preview->who, DEFAULT_RULE) == 0;
	preview->line = &preview->lines.items[0];
	if (!preview->is_default) {
		r = device_type_parse(
		    preview->who, strlen(preview->who), &type, &unused);
		asked = &type;
		preview->line = rule_lines_find(&preview->lines, &type);
	}
	if (r == RES_OK) {
		r = registry_tally(
		    call->registry, call->org, asked, take_tally, preview, why);
	}
	return r == RES_OK ? violators_read(call, &preview->ways, NULL,
	                         call->json ? SHOWN_PROGRAMS : SHOWN_PEOPLE,
	                         add_locked_out, preview, &more, why)
	                   : r;
}

int
rule_preview(const struct call *call, const char *who, enum level level)
{
	const char *header[] = {
	    "LOCKED OUT", "SEEN WITH", "MISSING", "LAST SEEN"};
	struct preview preview = {.call = call,
	    .who = who,
	    .level = level,
	    .table = table_new(header, 4),
	    .array = json_array()};
	struct diag why = {""};
	enum res r = look(&preview, &why);
	int code;

	if (r != RES_OK) {
		code = fail(r, &why);
	} else {
		code = call->json ? print_for_programs(&preview)
		                  : print_for_people(&preview);
	}
	rule_lines_done(&preview.lines);
	ways_done(&preview.ways);
	table_free(preview.table);
	json_free(preview.array);
	return code;
}

int
rule_preview_unset(const struct call *call, const char *who)
{
	const struct rule_record *rule =
	    rule_of(&call->config, call->org, DEFAULT_RULE);
	enum level level = LEVEL_CERT;

	if (rule_of(&call->config, call->org, who) == NULL) {
		return refuse(EXIT_NOT_FOUND,
		    "the type %s has no rule in the org %s: the default holds "
		    "already",
		    who, call->org);
	}
	if (rule != NULL && !level_parse(rule->level, &level)) {
		level = LEVEL_CERT_TOKEN;
	}
	return rule_preview(call, who, level);
}
