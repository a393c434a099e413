/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/exposition.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct sample {
	char *name;   /* the family's, or with _bucket, _sum, _count */
	char *labels; /* as they are written between braces; "": none */
	char *value;
};

struct family {
	char *name, *type; /* type NULL: not said yet */
	char *help;        /* escaped, as it is written */
	struct sample *samples;
	size_t count, room;
};

struct exposition {
	struct family *families;
	size_t count, room;
	size_t current; /* the family that samples belong to; count: none */
	bool failed;
};

struct exposition *
exposition_new(void)
{
	return calloc(1, sizeof(struct exposition));
}

static void
family_done(struct family *family)
{
	size_t i;

	for (i = 0; i < family->count; i++) {
		free(family->samples[i].name);
		free(family->samples[i].labels);
		free(family->samples[i].value);
	}
	free(family->samples);
	free(family->name);
	free(family->type);
	free(family->help);
}

void
exposition_free(struct exposition *exposition)
{
	size_t i;

	for (i = 0; exposition != NULL && i < exposition->count; i++) {
		family_done(&exposition->families[i]);
	}
	if (exposition != NULL) {
		free(exposition->families);
	}
	free(exposition);
}

/* Room for one more in an array; the new array, or NULL. */
static void *
make_room(void *items, size_t count, size_t *room, size_t size)
{
	size_t more = *room == 0 ? 16 : 2 * *room;
	void *grown;

	if (count < *room) {
		return items;
	}
	grown = realloc(items, more * size);
	if (grown != NULL) {
		*room = more;
	}
	return grown;
}

/* Make the family of this name the current one; NULL: no memory. */
static struct family *
enter(struct exposition *exposition, const char *name)
{
	struct family *families = exposition->families;
	size_t i;

	for (i = 0; i < exposition->count; i++) {
		if (strcmp(families[i].name, name) == 0) {
			exposition->current = i;
			return &families[i];
		}
	}
	exposition->current = exposition->count;
	families = make_room(
	    families, exposition->count, &exposition->room, sizeof(*families));
	if (families == NULL) {
		return NULL;
	}
	exposition->families = families;
	families += exposition->count;
	*families = (struct family){.name = strdup(name)};
	if (families->name == NULL) {
		return NULL;
	}
	exposition->count++;
	return families;
}

static bool
add_sample(struct family *family, const char *name, const char *labels,
    const char *value)
{
	const struct sample made = {
	    strdup(name), strdup(labels), strdup(value)};
	struct sample *samples = make_room(
	    family->samples, family->count, &family->room, sizeof(*samples));

	if (samples != NULL) {
		family->samples = samples;
	}
	if (samples == NULL || made.name == NULL || made.labels == NULL ||
	    made.value == NULL) {
		free(made.name);
		free(made.labels);
		free(made.value);
		return false;
	}
	samples[family->count++] = made;
	return true;
}

/* ---- Reading ---- */

static bool
is_name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (!first && c >= '0' && c <= '9');
}

/* Copies a name, and sets *at behind it; false: there is none, or one that is
 * too long. */
static bool
read_name(const char **at, char name[METRIC_NAME_MAX + 1])
{
	size_t len = 0;

	while (is_name_byte((*at)[len], len == 0)) {
		len++;
	}
	if (len == 0 || !text_copy(name, METRIC_NAME_MAX + 1, *at, len)) {
		return false;
	}
	*at += len;
	return true;
}

/* The value of a label between its quotes, without escapes. */
static bool
read_quoted(const char **at, char value[LABEL_VALUE_MAX + 1])
{
	const char *from = *at;
	size_t len = 0;

	if (*from++ != '"') {
		return false;
	}
	for (; *from != '"'; from++) {
		if (*from == '\0' || *from == '\n' || len == LABEL_VALUE_MAX) {
			return false;
		}
		if (*from == '\\') {
			from++;
			if (strchr("\\\"n", *from) == NULL || *from == '\0') {
				return false;
			}
			value[len++] = *from == 'n' ? '\n' : *from;
		} else {
			value[len++] = *from;
		}
	}
	value[len] = '\0';
	*at = from + 1;
	return true;
}

/* One label of a list, and the ',' behind it. */
static bool
read_label(const char **at, char name[METRIC_NAME_MAX + 1],
    char value[LABEL_VALUE_MAX + 1])
{
	if (!read_name(at, name) || *(*at)++ != '=' ||
	    !read_quoted(at, value)) {
		return false;
	}
	if (**at == ',') {
		(*at)++;
	}
	return true;
}

static bool
read_labels(const char **at, char **labels)
{
	char name[METRIC_NAME_MAX + 1], value[LABEL_VALUE_MAX + 1];
	const char *start;

	if (**at != '{') {
		*labels = strdup("");
		return true;
	}
	start = ++*at;
	while (**at != '}') {
		if (!read_label(at, name, value)) {
			return false;
		}
	}
	*labels = strndup(start, (size_t)(*at - start));
	(*at)++;
	return true;
}

/* What is a number in JSON, too. */
static bool
is_decimal(const char *text)
{
	const char *digits = "0123456789";
	size_t n;

	text += *text == '-' ? 1 : 0;
	n = strspn(text, digits);
	if (n == 0 || (n > 1 && *text == '0')) {
		return false;
	}
	text += n;
	if (*text == '.') {
		n = strspn(++text, digits);
		text += n;
	}
	return n > 0 && *text == '\0';
}

/* Whether a sample of this name can stand in the family. */
static bool
belongs(const struct family *family, const char *name)
{
	static const char *const ends[] = {"_bucket", "_sum", "_count"};
	size_t len = strlen(family->name), i;

	if (strncmp(name, family->name, len) != 0) {
		return false;
	}
	if (strcmp(family->type, "histogram") != 0) {
		return name[len] == '\0';
	}
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(name + len, ends[i]) == 0) {
			return true;
		}
	}
	return false;
}

static enum res
read_sample(struct exposition *exposition, const char *line)
{
	struct family *family = &exposition->families[exposition->current];
	char name[METRIC_NAME_MAX + 1], *labels = NULL;
	enum res r = RES_SYNTAX;

	if (exposition->current < exposition->count && family->type != NULL &&
	    read_name(&line, name) && read_labels(&line, &labels) &&
	    *line == ' ' && is_decimal(line + 1) &&
	    strlen(line + 1) <= METRIC_VALUE_MAX && belongs(family, name)) {
		r = labels != NULL && add_sample(family, name, labels, line + 1)
		    ? RES_OK
		    : RES_NOMEM;
	}
	free(labels);
	return r;
}

/* "# HELP NAME TEXT", "# TYPE NAME WORD": keep TEXT or WORD in *field(family);
 * the first source has the word about HELP. */
static enum res
read_comment(struct exposition *exposition, const char *line)
{
	bool is_type = strncmp(line, "# TYPE ", 7) == 0;
	char name[METRIC_NAME_MAX + 1];
	struct family *family;
	char **field;

	if (!is_type && strncmp(line, "# HELP ", 7) != 0) {
		return RES_SYNTAX;
	}
	line += 7;
	if (!read_name(&line, name) || *line++ != ' ') {
		return RES_SYNTAX;
	}
	if ((family = enter(exposition, name)) == NULL) {
		return RES_NOMEM;
	}
	field = is_type ? &family->type : &family->help;
	if (*field != NULL) {
		return !is_type || strcmp(*field, line) == 0 ? RES_OK
		                                             : RES_SYNTAX;
	}
	if (is_type && strcmp(line, "counter") != 0 &&
	    strcmp(line, "gauge") != 0 && strcmp(line, "histogram") != 0) {
		return RES_SYNTAX;
	}
	return (*field = strdup(line)) == NULL ? RES_NOMEM : RES_OK;
}

enum res
exposition_read(
    struct exposition *exposition, const char *text, struct diag *why)
{
	char *copy, *line, *rest;
	unsigned number = 0;
	enum res r = RES_OK;

	if (exposition == NULL || (copy = strdup(text)) == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	exposition->current = exposition->count;
	for (line = copy; r == RES_OK && *line != '\0'; line = rest) {
		number++;
		rest = line + strcspn(line, "\n");
		if (*rest != '\0') {
			*rest++ = '\0';
		}
		r = *line == '#' ? read_comment(exposition, line)
		                 : read_sample(exposition, line);
	}
	if (r == RES_SYNTAX) {
		diag_set(why, "line %u is no metric of certid", number);
	} else if (r != RES_OK) {
		diag_set(why, "no memory");
	}
	free(copy);
	return r;
}

/* ---- Adding ---- */

void
exposition_begin(struct exposition *exposition, const char *name,
    const char *type, const char *help)
{
	struct family *family;

	if (exposition == NULL) {
		return;
	}
	family = enter(exposition, name);
	if (family != NULL && family->type == NULL) {
		free(family->help);
		family->help = strdup(help);
		family->type = strdup(type);
	}
	if (family == NULL || family->help == NULL || family->type == NULL) {
		exposition->failed = true;
	}
}

static void
write_label(FILE *to, const char *name, const char *value)
{
	(void)fprintf(to, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			(void)fputs("\\n", to);
			continue;
		}
		if (*value == '\\' || *value == '"') {
			(void)fputc('\\', to);
		}
		(void)fputc(*value, to);
	}
	(void)fputc('"', to);
}

static char *
format_labels(const struct label *labels)
{
	char *text = NULL;
	size_t len, i;
	FILE *to = open_memstream(&text, &len);
	bool failed;

	if (to == NULL) {
		return NULL;
	}
	for (i = 0; labels[i].name != NULL; i++) {
		(void)fputs(i == 0 ? "" : ",", to);
		write_label(to, labels[i].name, labels[i].value);
	}
	failed = ferror(to) != 0;
	if (fclose(to) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

void
exposition_add(
    struct exposition *exposition, const struct label *labels, int64_t value)
{
	struct family *family;
	char number[24], *text;

	if (exposition == NULL || exposition->failed) {
		return;
	}
	family = &exposition->families[exposition->current];
	text = format_labels(labels);
	(void)snprintf(number, sizeof(number), "%lld", (long long)value);
	if (text == NULL || !add_sample(family, family->name, text, number)) {
		exposition->failed = true;
	}
	free(text);
}

/* ---- Printing ---- */

enum res
exposition_write(const struct exposition *exposition, FILE *to)
{
	const struct family *family;
	const struct sample *sample;
	size_t i, j;

	if (exposition == NULL || exposition->failed) {
		return RES_NOMEM;
	}
	for (i = 0; i < exposition->count; i++) {
		family = &exposition->families[i];
		if (family->count == 0) {
			continue;
		}
		(void)fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", family->name,
		    family->help == NULL ? "" : family->help, family->name,
		    family->type);
		for (j = 0; j < family->count; j++) {
			sample = &family->samples[j];
			(void)fprintf(to,
			    sample->labels[0] == '\0' ? "%s%s %s\n"
			                              : "%s{%s} %s\n",
			    sample->name, sample->labels, sample->value);
		}
	}
	return RES_OK;
}

static struct json *
sample_json(const struct sample *sample)
{
	char name[METRIC_NAME_MAX + 1], value[LABEL_VALUE_MAX + 1];
	struct json *object = json_object(), *labels = json_object();
	const char *at = sample->labels;

	while (*at != '\0' && read_label(&at, name, value)) {
		json_add_text(labels, name, value);
	}
	json_add_text(object, "name", sample->name);
	json_add(object, "labels", labels);
	json_add_decimal(object, "value", sample->value);
	return object;
}

struct json *
exposition_json(const struct exposition *exposition)
{
	struct json *array = json_array();
	size_t i, j;

	if (exposition == NULL || exposition->failed) {
		json_free(array);
		return NULL;
	}
	for (i = 0; i < exposition->count; i++) {
		for (j = 0; j < exposition->families[i].count; j++) {
			json_append(array,
			    sample_json(&exposition->families[i].samples[j]));
		}
	}
	return array;
}
