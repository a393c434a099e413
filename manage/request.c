/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/text.h"
#include "manage/member.h"

#define WORDS_MAX 4096 /* of one command line */

static enum res
no_memory(struct diag *why)
{
	return diag_res(why, RES_NOMEM, "there is not enough memory");
}

/* Takes word; NULL is one that found no memory. */
static enum res
push(struct request *request, char *word, struct diag *why)
{
	size_t room = request->room == 0 ? 16 : 2 * request->room;
	char **argv;

	if (word == NULL) {
		return no_memory(why);
	}
	if (request->argc + 1 >= WORDS_MAX) {
		free(word);
		return diag_res(
		    why, RES_LIMIT, "the command has too many values");
	}
	if (request->argc + 1 >= request->room) {
		argv = realloc(request->argv, room * sizeof(*argv));
		if (argv == NULL) {
			free(word);
			return no_memory(why);
		}
		request->argv = argv;
		request->room = room;
	}
	request->argv[request->argc++] = word;
	request->argv[request->argc] = NULL;
	return RES_OK;
}

/* "certid" and the one or two words of the command. */
static enum res
push_command(struct request *request, struct diag *why)
{
	const char *words = request->command->words;
	size_t len = strcspn(words, " ");
	enum res r = push(request, strdup("certid"), why);

	if (r == RES_OK) {
		r = push(request, strndup(words, len), why);
	}
	if (r == RES_OK && words[len] != '\0') {
		r = push(request, strdup(words + len + 1), why);
	}
	return r;
}

static enum res
push_option(struct request *request, const char *name, const char *value,
    struct diag *why)
{
	char *word = NULL;

	if (asprintf(&word, value == NULL ? "--%s" : "--%s=%s", name, value) <
	    0) {
		word = NULL;
	}
	return push(request, word, why);
}

/* A text or a whole number as a word; the caller frees it. */
static enum res
take_word(const struct json_value *value, const char *member, char **out,
    struct diag *why)
{
	const char *text = json_value_text(value);
	char digits[24];
	int64_t number;

	if (text == NULL) {
		if (!json_value_number(value, &number)) {
			return diag_res(why, RES_SYNTAX,
			    "the member \"%.80s\" must be a text or a whole "
			    "number",
			    member);
		}
		(void)snprintf(
		    digits, sizeof(digits), "%lld", (long long)number);
		text = digits;
	}
	*out = strdup(text);
	return *out == NULL ? no_memory(why) : RES_OK;
}

/* What a file holds: the value's text, or bytes in base64.  The caller frees
 * *out. */
static enum res
take_contents(const struct json_value *value, const char *member, uint8_t **out,
    size_t *len, struct diag *why)
{
	const struct json_value *coded = json_value_member(value, "base64");
	const struct json_value *plain = json_value_member(value, "text");
	const char *text =
	    json_value_text(json_value_kind(value) != JSON_OBJECT ? value
	            : coded != NULL                               ? coded
	                                                          : plain);
	uint8_t *bytes;

	if (text == NULL || (coded != NULL && plain != NULL)) {
		return diag_res(why, RES_SYNTAX,
		    "the member \"%.80s\" must be what the file holds: a text, "
		    "or {\"base64\": \"...\"}",
		    member);
	}
	*len = strlen(text);
	if ((bytes = malloc(*len + 1)) == NULL) {
		return no_memory(why);
	}
	memcpy(bytes, text, *len + 1);
	if (coded != NULL && base64_parse(text, *len, bytes, len) != RES_OK) {
		free(bytes);
		return diag_res(why, RES_SYNTAX,
		    "the member \"%.80s\" is not base64 as RFC 4648 has it, "
		    "padded and without line ends",
		    member);
	}
	*out = bytes;
	return RES_OK;
}

/* What a file is called in sentences: as its sender says, or as its member. */
static enum res
take_name(const struct request *request, const struct json_value *value,
    const char *member, char **out, struct diag *why)
{
	const struct json_value *given = json_value_member(value, "name");
	const char *text = given == NULL ? member : json_value_text(given);
	const struct json_value *child = NULL;
	const char *key;
	int len;

	if (json_value_kind(value) == JSON_OBJECT) {
		child = json_value_first(value);
	}
	for (; child != NULL; child = json_value_next(child)) {
		key = json_value_key(child);
		if (strcmp(key, "name") != 0 && strcmp(key, "text") != 0 &&
		    strcmp(key, "base64") != 0) {
			return diag_res(why, RES_SYNTAX,
			    "unknown member \"%.80s\" in \"%.80s\": it takes "
			    "base64 or text, and name",
			    key, member);
		}
	}
	if (text == NULL || text[0] == '\0' ||
	    strlen(text) > REQUEST_FILE_NAME_MAX ||
	    !text_is_printable_utf8(text, strlen(text))) {
		return diag_res(why, RES_SYNTAX,
		    "the name in \"%.80s\" must be a printable text of 1 to %d "
		    "bytes",
		    member, REQUEST_FILE_NAME_MAX);
	}
	len = given != NULL || request->files.count == 0
	    ? asprintf(out, "%s", text)
	    : asprintf(out, "%s-%zu", text, request->files.count + 1);
	return len < 0 ? no_memory(why) : RES_OK;
}

static const struct inline_file *
find_file(const struct request *request, const char *name)
{
	size_t i;

	for (i = 0; i < request->files.count; i++) {
		if (strcmp(request->files.list[i].name, name) == 0) {
			return &request->files.list[i];
		}
	}
	return NULL;
}

/* Keep a file, and give the word that stands for it.  Takes name and bytes. */
static enum res
keep_file(struct request *request, char *name, uint8_t *bytes, size_t len,
    char **out, struct diag *why)
{
	const struct inline_file *there = find_file(request, name);
	size_t n = request->files.count;
	enum res r = RES_OK;

	*out = NULL;
	if (there != NULL &&
	    (there->len != len || memcmp(there->bytes, bytes, len) != 0)) {
		r = diag_res(
		    why, RES_SYNTAX, "two files have the name \"%.80s\"", name);
	} else if (there == NULL && n == INLINE_FILES_MAX) {
		r = diag_res(why, RES_LIMIT,
		    "more than %d files in one command", INLINE_FILES_MAX);
	} else if ((*out = strdup(name)) == NULL) {
		r = no_memory(why);
	}
	if (r != RES_OK || there != NULL) {
		free(name);
		free(bytes);
		return r;
	}
	request->names[n] = name;
	request->contents[n] = bytes;
	request->files.list[n] =
	    (struct inline_file){.name = name, .bytes = bytes, .len = len};
	request->files.count++;
	return RES_OK;
}

static enum res
take_file(struct request *request, const struct json_value *value,
    const char *member, char **out, struct diag *why)
{
	uint8_t *bytes = NULL;
	char *name = NULL;
	size_t len = 0;
	enum res r = take_name(request, value, member, &name, why);

	if (r == RES_OK) {
		r = take_contents(value, member, &bytes, &len, why);
	}
	if (r == RES_OK) {
		return keep_file(request, name, bytes, len, out, why);
	}
	free(name);
	return r;
}

/* One value of an option that wants one. */
static enum res
take_value(struct request *request, const struct option *option,
    const struct json_value *value, const char *member, struct diag *why)
{
	const char *text = json_value_text(value);
	bool is_file = member_takes_file(option) &&
	    (text == NULL || !member_is_fingerprint(option, text));
	char *word = NULL;
	enum res r;

	r = is_file ? take_file(request, value, member, &word, why)
	            : take_word(value, member, &word, why);
	if (r == RES_OK) {
		r = push_option(request, option->name, word, why);
	}
	free(word);
	return r;
}

static enum res
take_flag(struct request *request, const struct option *option,
    const struct json_value *value, const char *member, struct diag *why)
{
	if (json_value_kind(value) != JSON_BOOL) {
		return diag_res(why, RES_SYNTAX,
		    "the member \"%.80s\" must be true or false", member);
	}
	return json_value_is_true(value)
	    ? push_option(request, option->name, NULL, why)
	    : RES_OK;
}

static enum res
take_option(struct request *request, const struct option *option,
    const struct json_value *value, const char *member, struct diag *why)
{
	const struct json_value *element;
	enum res r = RES_OK;

	if (option->value == NULL) {
		return take_flag(request, option, value, member, why);
	}
	if (json_value_kind(value) != JSON_ARRAY ||
	    !option_is_repeated(option)) {
		return take_value(request, option, value, member, why);
	}
	element = json_value_first(value);
	if (element == NULL) {
		return diag_res(why, RES_SYNTAX,
		    "the member \"%.80s\" is an empty array: leave it out",
		    member);
	}
	for (; element != NULL && r == RES_OK;
	     element = json_value_next(element)) {
		r = take_value(request, option, element, member, why);
	}
	return r;
}

/* The option of the command, or of all commands, that has this member. */
static const struct option *
find_option(const struct request *request, const struct option *globals,
    const char *member)
{
	const struct option *option = request->command->options;
	char name[MEMBER_MAX + 1];

	for (; option != NULL && option->name != NULL; option++) {
		member_of_option(request->command, option, name);
		if (strcmp(name, member) == 0) {
			return option;
		}
	}
	for (option = globals; option->name != NULL; option++) {
		member_of_option(NULL, option, name);
		if (option->use != USE_REMOTE && strcmp(name, member) == 0) {
			return option;
		}
	}
	return NULL;
}

/* The number of the argument that has this member; ARGS_MAX: none. */
static size_t
find_argument(const struct request *request, const char *member)
{
	char name[MEMBER_MAX + 1];
	size_t n;

	for (n = 0; request->with_args &&
	     member_of_argument(request->command, n, name);
	     n++) {
		if (strcmp(name, member) == 0) {
			return n;
		}
	}
	return ARGS_MAX;
}

/* Options that all commands have, as far as they mean something here. */
static enum res
take_global(struct request *request, const struct option *option,
    const struct json_value *value, const char *member, struct diag *why)
{
	if (strcmp(option->name, "json") == 0) {
		return take_flag(request, option, value, member, why);
	}
	if (strcmp(option->name, "org") == 0) {
		request->org = json_value_text(value);
		return request->org == NULL
		    ? diag_res(
		          why, RES_SYNTAX, "the member \"org\" must be a text")
		    : RES_OK;
	}
	return diag_res(why, RES_SYNTAX,
	    "\"%.80s\" means nothing over MQTT: the command is run on the "
	    "registry of the broker",
	    member);
}

static bool
is_of(const struct option *option, const struct option *options)
{
	for (; options->name != NULL; options++) {
		if (options == option) {
			return true;
		}
	}
	return false;
}

/* What the command takes, for a sentence. */
static void
list_members(const struct request *request, char *to, size_t size)
{
	const struct option *option = request->command->options;
	char name[MEMBER_MAX + 1];
	size_t n, used = 0;

	to[0] = '\0';
	for (n = 0; request->with_args &&
	     member_of_argument(request->command, n, name);
	     n++) {
		used += (size_t)snprintf(to + used, size - used, "%s%s",
		    used == 0 ? "" : ", ", name);
	}
	for (; option != NULL && option->name != NULL &&
	     used + MEMBER_MAX + 2 < size;
	     option++) {
		member_of_option(request->command, option, name);
		used += (size_t)snprintf(to + used, size - used, "%s%s",
		    used == 0 ? "" : ", ", name);
	}
}

static enum res
take_member(struct request *request, const struct option *globals,
    const struct json_value *value, struct diag *why)
{
	const char *member = json_value_key(value);
	size_t n = find_argument(request, member);
	const struct option *option;
	char known[300];

	if (n < ARGS_MAX) {
		return member_is_file(request->command, n)
		    ? take_file(request, value, member, &request->args[n], why)
		    : take_word(value, member, &request->args[n], why);
	}
	option = find_option(request, globals, member);
	if (option != NULL && is_of(option, globals)) {
		return take_global(request, option, value, member, why);
	}
	if (option != NULL) {
		return take_option(request, option, value, member, why);
	}
	list_members(request, known, sizeof(known));
	return diag_res(why, RES_SYNTAX,
	    "unknown member \"%.80s\" of %s, which takes %s", member,
	    request->name, known[0] == '\0' ? "none" : known);
}

/* The command's arguments are all there, but for those at the end that may be
 * left out. */
static enum res
check_arguments(const struct request *request, struct diag *why)
{
	const struct command *command = request->command;
	/* Of the two of "set" the one with arguments wants them. */
	size_t least = command->min_args > 0 || !request->with_args ||
	        strcmp(command->words, "set") != 0
	    ? command->min_args
	    : command->max_args;
	char name[MEMBER_MAX + 1];
	size_t n, last = 0;

	for (n = 0; n < ARGS_MAX; n++) {
		last = request->args[n] != NULL ? n + 1 : last;
	}
	for (n = 0; n < (last > least ? last : least); n++) {
		if (request->args[n] == NULL &&
		    member_of_argument(command, n, name)) {
			return diag_res(why, RES_SYNTAX,
			    "the member \"%s\" of %s is missing", name,
			    request->name);
		}
	}
	return RES_OK;
}

enum res
request_parse(const struct command *table, const struct option *globals,
    const struct json_value *object, struct request *out, struct diag *why)
{
	const struct json_value *value = json_value_member(object, "command");
	enum res r;

	memset(out, 0, sizeof(*out));
	out->name = value == NULL ? NULL : json_value_text(value);
	if (out->name == NULL) {
		return diag_res(why, RES_SYNTAX,
		    "a command is an object whose member \"command\" is its "
		    "name");
	}
	out->command = member_find_command(table, out->name, &out->with_args);
	if (out->command == NULL) {
		return diag_res(
		    why, RES_SYNTAX, "unknown command \"%.80s\"", out->name);
	}
	r = push_command(out, why);
	for (value = json_value_first(object); value != NULL && r == RES_OK;
	     value = json_value_next(value)) {
		if (!member_is_reserved(json_value_key(value))) {
			r = take_member(out, globals, value, why);
		}
	}
	return r == RES_OK ? check_arguments(out, why) : r;
}

enum res
request_complete(struct request *request, const char *org, struct diag *why)
{
	enum res r =
	    org == NULL ? RES_OK : push_option(request, "org", org, why);
	size_t n;

	/* Arguments may begin with a dash. */
	if (r == RES_OK) {
		r = push(request, strdup("--"), why);
	}
	for (n = 0; n < ARGS_MAX && r == RES_OK && request->args[n] != NULL;
	     n++) {
		r = push(request, strdup(request->args[n]), why);
	}
	return r;
}

void
request_done(struct request *request)
{
	size_t i;

	for (i = 0; i < request->argc; i++) {
		free(request->argv[i]);
	}
	free(request->argv);
	for (i = 0; i < ARGS_MAX; i++) {
		free(request->args[i]);
	}
	for (i = 0; i < INLINE_FILES_MAX; i++) {
		free(request->contents[i]);
		free(request->names[i]);
	}
	memset(request, 0, sizeof(*request));
}
