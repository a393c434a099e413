/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "ctl/message.h"

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/json.h"
#include "common/json_value.h"
#include "manage/execute.h"
#include "manage/member.h"
#include "manage/outfile.h"
#include "manage/request.h"
#include "manage/streams.h"
#include "manage/words.h"

#define OPTION_OUTPUT "output"

static bool
is_plain(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((bytes[i] < 0x20 && bytes[i] != '\n') || bytes[i] >= 0x7f) {
			return false;
		}
	}
	return true;
}

/* Other text would not arrive as it was written. */
static bool
is_sendable(const char *text)
{
	return text_is_printable_utf8(text, strlen(text));
}

static int
blame_text(const struct call *call, const char *name)
{
	return misuse(call,
	    "the value of %s is not printable UTF-8, and cannot be sent to a "
	    "broker",
	    name);
}

static void
add_coded(struct json *object, const uint8_t *bytes, size_t len)
{
	char *text = malloc(BASE64_DIGITS(len) + 1);

	if (text == NULL) {
		json_add(object, "base64", NULL); /* it fails when printed */
		return;
	}
	base64_format(bytes, len, text);
	json_add_text(object, "base64", text);
	free(text);
}

/* What a file holds, with its name; NULL: an error has been told. */
static struct json *
read_member(const struct call *call, const char *path)
{
	struct json *object;
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (read_file(call, path, "the file to send", CONTROL_PAYLOAD_MAX,
	        &bytes, &len, &why) != RES_OK) {
		(void)refuse(EXIT_REFUSED, "%s", why.text);
		return NULL;
	}
	object = json_object();
	if (is_sendable(path) && strlen(path) <= REQUEST_FILE_NAME_MAX) {
		json_add_text(object, "name", path);
	}
	if (is_plain(bytes, len)) {
		json_add_lines(object, "text", (const char *)bytes);
	} else {
		add_coded(object, bytes, len);
	}
	free(bytes);
	return object;
}

/* One value of an option; an exit code, an error told. */
static int
add_value(const struct call *call, struct json *object, const char *name,
    const struct given *given, struct json *array)
{
	bool repeated = option_is_repeated(given->option);
	struct json *file;

	if (member_takes_file(given->option) &&
	    !member_is_fingerprint(given->option, given->value)) {
		if ((file = read_member(call, given->value)) == NULL) {
			return EXIT_REFUSED;
		}
		if (repeated) {
			json_append(array, file);
		} else {
			json_add(object, name, file);
		}
	} else if (!is_sendable(given->value)) {
		return blame_text(call, name);
	} else if (repeated) {
		json_append_text(array, given->value);
	} else if (given->option->value == NULL) {
		json_add_bool(object, name, true);
	} else {
		json_add_text(object, name, given->value);
	}
	return EXIT_DONE;
}

/* Every value that option was given, in an array if it may have several. */
static int
add_option(
    const struct call *call, struct json *object, const struct option *option)
{
	const struct words *words = &call->words;
	struct json *array = json_array();
	char name[MEMBER_MAX + 1];
	int code = EXIT_DONE;
	size_t i;

	member_of_option(words->command, option, name);
	for (i = 0; i < words->given_count && code == EXIT_DONE; i++) {
		if (words->given[i].option == option) {
			code = add_value(
			    call, object, name, &words->given[i], array);
		}
	}
	if (option_is_repeated(option)) {
		json_add(object, name, array);
	} else {
		json_free(array);
	}
	return code;
}

static bool
is_given(const struct call *call, const struct option *option)
{
	size_t i;

	for (i = 0; i < call->words.given_count; i++) {
		if (call->words.given[i].option == option) {
			return true;
		}
	}
	return false;
}

/* A file to write is one of this machine. */
static bool
is_ours(const struct option *option)
{
	return strcmp(option->name, OPTION_OUTPUT) == 0;
}

static int
add_options(const struct call *call, struct json *object)
{
	const struct option *option = call->words.command->options;
	int code = EXIT_DONE;

	for (; option != NULL && option->name != NULL && code == EXIT_DONE;
	     option++) {
		if (is_given(call, option) && !is_ours(option)) {
			code = add_option(call, object, option);
		}
	}
	return code;
}

static int
add_arguments(const struct call *call, struct json *object)
{
	char name[MEMBER_MAX + 1];
	struct json *file;
	size_t n;

	for (n = 0; n < call->words.arg_count; n++) {
		if (!member_of_argument(call->words.command, n, name)) {
			continue; /* the table has a name for each */
		}
		if (!member_is_file(call->words.command, n)) {
			if (!is_sendable(call->words.args[n])) {
				return blame_text(call, name);
			}
			json_add_text(object, name, call->words.args[n]);
			continue;
		}
		file = read_member(call, call->words.args[n]);
		if (file == NULL) {
			return EXIT_REFUSED;
		}
		json_add(object, name, file);
	}
	return EXIT_DONE;
}

/* An exit code, an error told. */
static int
fill_command(const struct call *call, struct json *object)
{
	char name[MEMBER_MAX + 1];
	const char *org = call_option(call, "org");
	int code;

	member_of_command(call->words.command, call->words.arg_count > 0, name);
	json_add_text(object, "command", name);
	json_add_text(object, "format", "text");
	json_add_bool(object, "colour", answers_in_colour());
	if (call->json) {
		json_add_bool(object, "json", true);
	}
	if (org != NULL) {
		json_add_text(object, "org", org);
	}
	code = add_options(call, object);
	return code == EXIT_DONE ? add_arguments(call, object) : code;
}

int
message_build(const struct call *call, char **out)
{
	struct json *root, *array, *command = json_object();
	int code = fill_command(call, command);
	struct diag why = {""};
	char *text;

	if (code != EXIT_DONE) {
		json_free(command);
		return code;
	}
	root = json_object();
	array = json_array();
	json_append(array, command);
	json_add(root, "commands", array);
	text = json_print(root);
	json_free(root);
	if (text == NULL) {
		return fail(RES_NOMEM, &why);
	}
	if (strlen(text) > CONTROL_PAYLOAD_MAX) {
		free(text);
		return refuse(EXIT_REFUSED,
		    "the command with its files is too long to send: a broker "
		    "takes %d MiB; run certid on its machine",
		    CONTROL_PAYLOAD_MAX >> 20);
	}
	*out = text;
	return EXIT_DONE;
}

/* The one response in an answer; NULL: it is none that we can read. */
static const struct json_value *
find_response(const struct json_value *root)
{
	const struct json_value *array = json_value_member(root, "responses");
	const struct json_value *response =
	    array == NULL ? NULL : json_value_first(array);

	return response != NULL && json_value_kind(response) == JSON_OBJECT
	    ? response
	    : NULL;
}

static const char *
text_of(const struct json_value *response, const char *key)
{
	const struct json_value *value =
	    response == NULL ? NULL : json_value_member(response, key);

	return value == NULL ? NULL : json_value_text(value);
}

/* What the command would have printed goes into a file of this machine. */
static int
write_text(const char *path, const char *text)
{
	struct diag why = {""};
	struct outfile file;
	enum res r = outfile_open(&file, path, &why);

	if (r == RES_OK) {
		(void)fputs(text, file.to);
		r = outfile_commit(&file, &why);
	}
	if (r != RES_OK) {
		return fail(r, &why);
	}
	(void)fprintf(answers(), "wrote %zu bytes to %s\n", strlen(text), path);
	return EXIT_DONE;
}

static int
show(const struct call *call, const struct json_value *response)
{
	const char *path = call_option(call, OPTION_OUTPUT);

	const struct json_value *value =
	    response == NULL ? NULL : json_value_member(response, "code");
	const char *text = text_of(response, "text");
	const char *errors = text_of(response, "errors");
	const char *error = text_of(response, "error");
	int64_t code = EXIT_REFUSED;

	if (value != NULL && !json_value_number(value, &code)) {
		code = EXIT_REFUSED;
	}
	if (error != NULL) {
		return refuse(code <= 0 || code > EXIT_CONFLICT
		        ? EXIT_REFUSED
		        : (enum exit_code)code,
		    "the broker says: %.400s", error);
	}
	if (text == NULL || errors == NULL || value == NULL || code < 0 ||
	    code > EXIT_CONFLICT) {
		return refuse(EXIT_REFUSED,
		    "the broker's answer is none that this certid can read: is "
		    "it of another version?");
	}
	(void)fputs(errors, complaints());
	if (path != NULL && code == EXIT_DONE) {
		return write_text(path, text);
	}
	(void)fputs(text, answers());
	return (int)code;
}

int
message_show(const struct call *call, const char *answer)
{
	struct json_value *root = NULL;
	struct diag why = {""};
	int code;

	if (json_value_read(answer, &root, &why) != RES_OK) {
		return refuse(EXIT_REFUSED,
		    "the broker's answer is not JSON: %.200s", why.text);
	}
	code = show(call, find_response(root));
	json_value_free(root);
	return code;
}
