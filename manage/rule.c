/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule: certid rule list|set|unset.
 */
#include "manage/rule.h"

#include <stdio.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/words.h"

struct json *
rule_json(const struct rule_line *line)
{
	struct json *object = json_object();

	json_add_text(object, "rule", line->who);
	json_add_text(object, "level", line->word);
	figures_json(object, &line->figures);
	return object;
}

struct table *
rule_table_new(void)
{
	const char *header[] = {"RULE", "LEVEL", "DEVICES", "NEVER CONNECTED",
	    "CONNECTED", "COMPLIANT", "COMPLIANCE"};
	struct table *table = table_new(header, 7);

	table_align_right(table, 2, 6);
	return table;
}

void
rule_table_add(struct table *table, const struct rule_line *line)
{
	const struct figures *figures = &line->figures;
	const int64_t numbers[] = {figures->devices,
	    figures->devices - figures->seen, figures->seen,
	    figures->compliant};
	char text[4][24], share[PERCENT_TEXT_MAX + 1];
	const char *row[7] = {line->who, line->word};
	size_t i;

	for (i = 0; i < 4; i++) {
		(void)snprintf(
		    text[i], sizeof(text[i]), "%lld", (long long)numbers[i]);
		row[2 + i] = text[i];
	}
	percent_format(figures->compliant, figures->seen, share);
	row[6] = share;
	table_add(table, row);
}

static int
print_rules(const struct call *call, const struct rule_lines *lines)
{
	struct table *table;
	struct json *array;
	size_t i;

	if (call->json) {
		array = json_array();
		for (i = 0; i < lines->count; i++) {
			json_append(array, rule_json(&lines->items[i]));
		}
		return print_json(array);
	}
	table = rule_table_new();
	for (i = 0; i < lines->count; i++) {
		rule_table_add(table, &lines->items[i]);
	}
	return print_table(table);
}

int
run_rule_list(struct call *call)
{
	struct rule_lines lines = {NULL, 0};
	struct diag why = {""};
	enum res r = rule_lines_new(call, &lines, &why);
	int code;

	if (r == RES_OK) {
		r = rule_lines_count(call, &lines, &why);
	}
	code = r == RES_OK ? print_rules(call, &lines) : fail(r, &why);
	rule_lines_done(&lines);
	return code;
}

/* Devices that the rule shuts out, unless they come back in another way. */
static void
caution_unmet(const struct rule_line *line)
{
	int64_t n = line->figures.seen - line->figures.compliant;
	bool is_default = strcmp(line->who, DEFAULT_RULE) == 0;

	if (n > 0) {
		caution("%lld device%s last connected in a way that %s does "
		        "not admit: certid compliance%s%s lists %s",
		    (long long)n, n == 1 ? "" : "s", line->word,
		    is_default ? "" : " ", is_default ? "" : line->who,
		    n == 1 ? "it" : "them");
	}
}

/* What a change of the rule who ends with: the rule as it is then. */
static int
report_rule(struct call *call, const char *who, const char *done)
{
	struct rule_lines lines = {NULL, 0};
	struct device_type type;
	const char *unused;
	struct rule_line *line;
	struct diag why = {""};
	enum res r;
	int code;

	config_done(&call->config);
	r = registry_load(call->registry, &call->config, &why);
	if (r == RES_OK) {
		r = rule_lines_new(call, &lines, &why);
	}
	if (r == RES_OK) {
		r = rule_lines_count(call, &lines, &why);
	}
	if (r != RES_OK) {
		rule_lines_done(&lines);
		return fail(r, &why);
	}
	line = &lines.items[0];
	if (device_type_parse(who, strlen(who), &type, &unused) == RES_OK) {
		line = rule_lines_find(&lines, &type);
	}
	caution_unmet(line);
	code = report(call, rule_json(line), "%s the rule %s%s%s", done, who,
	    line == &lines.items[0] && strcmp(who, DEFAULT_RULE) != 0
	        ? ": the default holds, "
	        : " to ",
	    line->word);
	rule_lines_done(&lines);
	return code;
}

int
run_rule_set(struct call *call)
{
	const char *who = call_arg(call, 0), *word = call_arg(call, 1);
	struct edit edit = call_edit(call);
	struct device_type type;
	struct diag why = {""};
	enum level level;
	enum res r;

	if (strcmp(who, DEFAULT_RULE) != 0 && !take_type(call, who, &type)) {
		return EXIT_USAGE;
	}
	if (!level_parse(word, &level)) {
		return misuse(call,
		    "\"%.80s\" is not a level: use tls-optional, token, cert, "
		    "cert+token or cert-or-token",
		    word);
	}
	if (call_option(call, "preview") != NULL) {
		return rule_preview(call, who, level);
	}
	r = edit_rule_set(&edit, who, word, &why);
	return r == RES_OK ? report_rule(call, who, "set") : fail(r, &why);
}

int
run_rule_unset(struct call *call)
{
	struct edit edit = call_edit(call);
	const char *who = call_arg(call, 0);
	struct device_type type;
	struct diag why = {""};
	enum res r;

	if (strcmp(who, DEFAULT_RULE) == 0) {
		return misuse(
		    call, "the default rule can be set, but not unset");
	}
	if (!take_type(call, who, &type)) {
		return EXIT_USAGE;
	}
	if (call_option(call, "preview") != NULL) {
		return rule_preview_unset(call, who);
	}
	r = edit_rule_unset(&edit, who, &why);
	return r == RES_OK ? report_rule(call, who, "unset") : fail(r, &why);
}
