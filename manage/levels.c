/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/levels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/objects.h"

void
figures_add(
    struct figures *figures, enum level level, const struct tally *tally)
{
	figures->devices += tally->count;
	if (tally->seen_with == 0) {
		return;
	}
	figures->seen += tally->count;
	if (level_is_met(level, tally->seen_with)) {
		figures->compliant += tally->count;
	}
}

/* "99.9", rounded down; n is not 0. */
static void
format_share(int64_t some, int64_t n, char text[PERCENT_TEXT_MAX + 1])
{
	/* There are DEVICES_MAX at most in an org that limits them, and nothing
	 * near INT64_MAX / 1000 in one that does not. */
	int64_t tenths = some * 1000 / n;

	(void)snprintf(text, PERCENT_TEXT_MAX + 1, "%d.%d",
	    (int)(tenths / 10) % 1000, (int)(tenths % 10));
}

void
percent_format(int64_t some, int64_t n, char text[PERCENT_TEXT_MAX + 1])
{
	size_t len;

	if (n <= 0) {
		text[0] = '\0';
		return;
	}
	format_share(some, n, text);
	len = strlen(text);
	text[len] = '%';
	text[len + 1] = '\0';
}

void
figures_json(struct json *object, const struct figures *figures)
{
	char share[PERCENT_TEXT_MAX + 1];

	json_add_number(object, "devices", figures->devices);
	json_add_number(object, "connected", figures->seen);
	json_add_number(
	    object, "never_connected", figures->devices - figures->seen);
	json_add_number(object, "compliant", figures->compliant);
	if (figures->seen > 0) {
		format_share(figures->compliant, figures->seen, share);
		json_add_decimal(object, "compliance", share);
	} else {
		json_add_null(object, "compliance");
	}
}

static void
fill_line(
    struct rule_line *line, const char *who, const struct rule_record *rule)
{
	*line = (struct rule_line){
	    .who = who,
	    .word = rule == NULL ? level_name(LEVEL_CERT) : rule->level,
	    .level = rule == NULL ? LEVEL_CERT : LEVEL_CERT_TOKEN,
	};
	if (rule != NULL) {
		(void)level_parse(rule->level, &line->level);
	}
}

enum res
rule_lines_new(
    const struct call *call, struct rule_lines *out, struct diag *why)
{
	const struct config *config = &call->config;
	const struct rule_record *rule;
	struct rule_line *items;
	size_t i, count = 1;

	items = calloc(config->rule_count + 1, sizeof(*items));
	if (items == NULL) {
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	fill_line(
	    &items[0], DEFAULT_RULE, rule_of(config, call->org, DEFAULT_RULE));
	/* The configuration has them in the order of their text. */
	for (i = 0; i < config->rule_count; i++) {
		rule = &config->rules[i];
		if (strcmp(rule->org, call->org) == 0 &&
		    strcmp(rule->who, DEFAULT_RULE) != 0) {
			fill_line(&items[count++], rule->who, rule);
		}
	}
	out->items = items;
	out->count = count;
	return RES_OK;
}

void
rule_lines_done(struct rule_lines *lines)
{
	free(lines->items);
	*lines = (struct rule_lines){NULL, 0};
}

static int
compare_who(const void *key, const void *item)
{
	return strcmp(key, ((const struct rule_line *)item)->who);
}

struct rule_line *
rule_lines_find(const struct rule_lines *lines, const struct device_type *type)
{
	char who[TYPE_TEXT_MAX + 1];
	struct rule_line *found;

	device_type_format(type, who);
	found = bsearch(who, lines->items + 1, lines->count - 1,
	    sizeof(lines->items[0]), compare_who);
	return found == NULL ? &lines->items[0] : found;
}

static enum res
count_tally(const struct tally *tally, void *context)
{
	struct rule_line *line = rule_lines_find(context, &tally->type);

	figures_add(&line->figures, line->level, tally);
	return RES_OK;
}

enum res
rule_lines_count(
    const struct call *call, struct rule_lines *lines, struct diag *why)
{
	return registry_tally(
	    call->registry, call->org, NULL, count_tally, lines, why);
}

#define LACKS_MAX 3

/* What is missing, as words for programs; how many. */
static size_t
find_missing(enum level level, unsigned seen_with, const char *out[LACKS_MAX])
{
	bool cert = (seen_with & SEEN_CERT) != 0;
	bool token = (seen_with & SEEN_TOKEN) != 0;
	bool both = level == LEVEL_CERT_TOKEN;
	size_t n = 0;

	if (level != LEVEL_TLS_OPTIONAL && (seen_with & SEEN_TLS) == 0) {
		out[n++] = "tls";
	}
	if ((both || level == LEVEL_CERT) && !cert) {
		out[n++] = "certificate";
	}
	if ((both || level == LEVEL_TOKEN) && !token) {
		out[n++] = "token";
	}
	if ((level == LEVEL_CERT_OR_TOKEN || level == LEVEL_TLS_OPTIONAL) &&
	    !cert && !token) {
		out[n++] = "certificate-or-token";
	}
	return n;
}

/* The same word for people. */
static const char *
say(const char *word)
{
	static const struct {
		const char *word, *said;
	} words[] = {
	    {"tls", "TLS"},
	    {"certificate", "a certificate"},
	    {"token", "a token"},
	    {"certificate-or-token", "a certificate or a token"},
	};
	size_t i = 0;

	while (strcmp(words[i].word, word) != 0) {
		i++;
	}
	return words[i].said;
}

void
missing_format(
    enum level level, unsigned seen_with, char text[MISSING_TEXT_MAX + 1])
{
	const char *missing[LACKS_MAX];
	size_t n = find_missing(level, seen_with, missing), i, used = 0;

	text[0] = '\0';
	for (i = 0; i < n; i++) {
		used += (size_t)snprintf(text + used,
		    MISSING_TEXT_MAX + 1 - used, "%s%s",
		    i == 0          ? ""
		        : i + 1 < n ? ", "
		                    : " and ",
		    say(missing[i]));
	}
}

struct json *
missing_json(enum level level, unsigned seen_with)
{
	const char *missing[LACKS_MAX];
	size_t n = find_missing(level, seen_with, missing), i;
	struct json *array = json_array();

	for (i = 0; i < n; i++) {
		json_append_text(array, missing[i]);
	}
	return array;
}
