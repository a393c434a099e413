/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "manage/commands.h"
#include "manage/request.h"
#include "manage/streams.h"

#define UNKNOWN         "Unknown command" /* as other plugins answer */
#define CORRELATION_MAX 4096
#define WARNINGS_MAX    100

/* What a command prints, in memory. */
struct sink {
	char *text; /* NULL: nothing yet */
	size_t len, room;
	size_t left; /* bytes that are still taken */
	bool over;   /* more came than that, or there was no memory */
};

/* One command of a message. */
struct job {
	const struct admin *admin;
	struct request request;
	bool as_text, in_colour;
	const char *correlation; /* NULL: none */
	const char *org;         /* for the words; NULL: none */
	struct sink answers, complaints;
	int code;
};

static ssize_t
take_bytes(void *cookie, const char *bytes, size_t len)
{
	struct sink *sink = cookie;
	size_t room = sink->room == 0 ? 4096 : sink->room;
	char *text;

	/* What does not fit is dropped, and the whole answer with it. */
	sink->over |= len > sink->left;
	if (sink->over) {
		return (ssize_t)len;
	}
	while (room < sink->len + len + 1) {
		room *= 2;
	}
	if (room > sink->room) {
		if ((text = realloc(sink->text, room)) == NULL) {
			sink->over = true;
			return (ssize_t)len;
		}
		sink->text = text;
		sink->room = room;
	}
	memcpy(sink->text + sink->len, bytes, len);
	sink->len += len;
	sink->left -= len;
	sink->text[sink->len] = '\0';
	return (ssize_t)len;
}

static FILE *
open_sink(struct sink *sink)
{
	return fopencookie(
	    sink, "w", (cookie_io_functions_t){.write = take_bytes});
}

static const char *
printed(const struct sink *sink)
{
	return sink->text == NULL ? "" : sink->text;
}

/* A sentence as commands tell them, and how the command ends. */
static void
complain(struct job *job, int code, const char *sentence)
{
	FILE *to = open_sink(&job->complaints);

	if (to != NULL) {
		(void)fprintf(to, "certid: %s\n", sentence);
		(void)fclose(to);
	}
	job->code = code;
}

/* Whether the admin may run the command, and for which org. */
static enum res
check_right(struct job *job, struct diag *why)
{
	const struct command *command = job->request.command;
	const struct admin *admin = job->admin;
	const char *asked = job->request.org;
	bool of_all = strcmp(admin->org, ORG_DEFAULT) == 0;

	if ((command->need & NEED_LOCAL) != 0) {
		return diag_res(why, RES_REFUSED,
		    "%s is for the machine of the broker: run \"certid %s\" "
		    "there",
		    job->request.name, command->words);
	}
	if ((command->need & NEED_ORG) == 0) {
		return of_all ? RES_OK
		              : diag_res(why, RES_REFUSED,
		                    "%s is for admins of the org %s, and %s is "
		                    "one of the org %s",
		                    job->request.name, ORG_DEFAULT, admin->name,
		                    admin->org);
	}
	if (!of_all && asked != NULL && strcmp(asked, admin->org) != 0) {
		return diag_res(why, RES_REFUSED,
		    "%s is an admin of the org %s, and of no other",
		    admin->name, admin->org);
	}
	job->org = of_all ? asked : admin->org;
	return RES_OK;
}

/* As certid does with the words of its command line. */
static void
run_words(struct job *job)
{
	const struct request *request = &job->request;
	struct call call = {.path = job->admin->registry,
	    .by = job->admin->name,
	    .files = &request->files,
	    .now = clock_now()};
	const char *org;
	struct diag why = {""};
	enum res r;

	r = words_parse(commands, global_options, (int)request->argc,
	    request->argv, &call.words, &why);
	if (r != RES_OK) {
		job->code = r == RES_SYNTAX ? refuse(EXIT_USAGE, "%s", why.text)
		                            : fail(r, &why);
	} else {
		org = call_option(&call, "org");
		call.org = org != NULL ? org : ORG_DEFAULT;
		call.json = call_option(&call, "json") != NULL ||
		    (!job->as_text &&
		        (request->command->need & NEED_TEXT) == 0);
		job->code = call_open(&call);
		if (job->code == EXIT_DONE) {
			job->code = request->command->run(&call);
		}
	}
	call_done(&call);
}

static void
run_captured(struct job *job)
{
	FILE *to = open_sink(&job->answers);
	FILE *errors = open_sink(&job->complaints);

	if (to == NULL || errors == NULL) {
		job->answers.over = true;
	} else {
		streams_redirect(to, errors, job->in_colour);
		run_words(job);
		streams_redirect(NULL, NULL, false);
	}
	if (to != NULL) {
		(void)fclose(to);
	}
	if (errors != NULL) {
		(void)fclose(errors);
	}
}

/* The members that are about the answer. */
static enum res
take_wishes(struct job *job, const struct json_value *object, struct diag *why)
{
	const struct json_value *format = json_value_member(object, "format");
	const struct json_value *colour = json_value_member(object, "colour");
	const char *word = format == NULL ? NULL : json_value_text(format);

	if (format != NULL &&
	    (word == NULL ||
	        (strcmp(word, "text") != 0 && strcmp(word, "json") != 0))) {
		return diag_res(why, RES_SYNTAX,
		    "the member \"format\" must be \"json\" or \"text\"");
	}
	if (colour != NULL && json_value_kind(colour) != JSON_BOOL) {
		return diag_res(why, RES_SYNTAX,
		    "the member \"colour\" must be true or false");
	}
	job->as_text = word != NULL && strcmp(word, "text") == 0;
	job->in_colour = colour != NULL && json_value_is_true(colour);
	return RES_OK;
}

static enum res
take_correlation(
    struct job *job, const struct json_value *object, struct diag *why)
{
	const struct json_value *value =
	    json_value_member(object, "correlationData");
	const char *text = value == NULL ? NULL : json_value_text(value);

	if (value == NULL) {
		return RES_OK;
	}
	if (text == NULL || strlen(text) > CORRELATION_MAX) {
		return diag_res(why, RES_SYNTAX,
		    "the member \"correlationData\" must be a text of at most "
		    "%d bytes",
		    CORRELATION_MAX);
	}
	job->correlation = text;
	return RES_OK;
}

static void
run_job(struct job *job, const struct json_value *object)
{
	struct diag why = {""};
	enum res r = take_correlation(job, object, &why), told;

	/* Its name is wanted for the answer in any case. */
	told = request_parse(commands, global_options, object, &job->request,
	    r == RES_OK ? &why : NULL);
	r = r == RES_OK ? told : r;
	if (r == RES_OK) {
		r = take_wishes(job, object, &why);
	}
	if (r != RES_OK) {
		complain(job, EXIT_USAGE, why.text);
		return;
	}
	r = check_right(job, &why);
	if (r == RES_OK) {
		r = request_complete(&job->request, job->org, &why);
	}
	if (r != RES_OK) {
		complain(job, EXIT_REFUSED, why.text);
		return;
	}
	run_captured(job);
}

/* One line of complaints without what begins it on a terminal; *at moves on to
 * the next one.  NULL: no more. */
static char *
next_line(const char **at)
{
	static const char *const starts[] = {"certid: warning: ", "certid: "};
	const char *line = *at;
	size_t len = strcspn(line, "\n"), i;

	if (line[0] == '\0') {
		return NULL;
	}
	*at = line + len + (line[len] == '\n' ? 1 : 0);
	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (strncmp(line, starts[i], strlen(starts[i])) == 0) {
			return strndup(
			    line + strlen(starts[i]), len - strlen(starts[i]));
		}
	}
	return strndup(line, len);
}

/* Of a failure the last line says what is wrong; all others are warnings. */
static void
add_complaints(struct json *response, const struct job *job)
{
	const char *at = printed(&job->complaints);
	struct json *warnings = json_array();
	size_t n = 0;
	char *line;

	while ((line = next_line(&at)) != NULL) {
		if (job->code != EXIT_DONE && *at == '\0') {
			json_add_text(response, "error", line);
		} else if (n++ < WARNINGS_MAX) {
			json_append_text(warnings, line);
		}
		free(line);
	}
	if (job->code != EXIT_DONE && job->complaints.len == 0) {
		json_add_text(response, "error",
		    "the answer is no, for the reasons that its data tells");
	}
	if (n > 0) {
		json_add(response, "warnings", warnings);
	} else {
		json_free(warnings);
	}
}

static bool
is_document(const char *text)
{
	return json_check(text, '{', EXECUTE_ANSWER_MAX, NULL) == RES_OK ||
	    json_check(text, '[', EXECUTE_ANSWER_MAX, NULL) == RES_OK;
}

static void
add_answer(struct json *response, const struct job *job)
{
	const char *text = printed(&job->answers);

	if (job->as_text) {
		json_add_lines(response, "text", text);
		json_add_lines(response, "errors", printed(&job->complaints));
		json_add_number(response, "code", job->code);
		return;
	}
	add_complaints(response, job);
	if (job->code != EXIT_DONE) {
		json_add_number(response, "code", job->code);
	}
	if (is_document(text)) {
		json_add_parsed(response, "data", text);
	} else if (text[0] != '\0') {
		json_add_lines(response, "text", text);
	}
}

/* What a command says that printed more than we keep. */
static void
forget_answer(struct job *job)
{
	char sentence[160];

	free(job->answers.text);
	free(job->complaints.text);
	memset(&job->answers, 0, sizeof(job->answers));
	memset(&job->complaints, 0, sizeof(job->complaints));
	job->complaints.left = sizeof(sentence) + sizeof("certid: \n");
	(void)snprintf(sentence, sizeof(sentence),
	    "the answer was dropped, for it is longer than the %d MiB of one "
	    "message: ask for less",
	    EXECUTE_ANSWER_MAX >> 20);
	complain(job, EXIT_REFUSED, sentence);
}

/* Run one command; *left are the bytes that it may print. */
static struct json *
respond(
    const struct admin *admin, const struct json_value *object, size_t *left)
{
	struct json *response = json_object();
	struct job job = {.admin = admin,
	    .answers = {.left = *left},
	    .complaints = {.left = *left}};

	run_job(&job, object);
	*left -= job.answers.len < *left ? job.answers.len : *left;
	if (job.answers.over || job.complaints.over) {
		forget_answer(&job);
	}
	json_add_text(response, "command",
	    job.request.name == NULL ? UNKNOWN : job.request.name);
	add_answer(response, &job);
	if (job.correlation != NULL) {
		json_add_lines(response, "correlationData", job.correlation);
	}
	request_done(&job.request);
	free(job.answers.text);
	free(job.complaints.text);
	return response;
}

/* The array of commands; NULL: there is none that we take. */
static const struct json_value *
find_commands(const struct json_value *root, struct diag *why)
{
	const struct json_value *array = json_value_member(root, "commands");

	if (array == NULL || json_value_kind(array) != JSON_ARRAY ||
	    json_value_count(root) != 1) {
		diag_set(why,
		    "the payload must be an object with one member, "
		    "\"commands\", an array");
		return NULL;
	}
	if (json_value_count(array) > EXECUTE_COMMANDS_MAX) {
		diag_set(why, "more than %d commands in one message",
		    EXECUTE_COMMANDS_MAX);
		return NULL;
	}
	return array;
}

/* The one response to a message in which there is no command to be found. */
static struct json *
respond_unknown(const char *sentence)
{
	struct json *response = json_object();

	json_add_text(response, "command", UNKNOWN);
	json_add_text(response, "error", sentence);
	json_add_number(response, "code", EXIT_USAGE);
	return response;
}

static enum res
read_message(
    const char *message, size_t len, struct json_value **out, struct diag *why)
{
	struct diag fault = {""};
	enum res r = memchr(message, '\0', len) != NULL
	    ? diag_res(&fault, RES_SYNTAX, "there is a NUL in it")
	    : json_value_read(message, out, &fault);

	return r == RES_OK
	    ? r
	    : diag_res(why, r, "Payload not valid JSON: %s", fault.text);
}

char *
execute(const struct admin *admin, const char *message, size_t len)
{
	const struct json_value *array = NULL, *object = NULL;
	struct json *root = json_object(), *responses = json_array();
	size_t left = EXECUTE_ANSWER_MAX;
	struct json_value *read = NULL;
	struct diag why = {""};
	char *answer;

	if (read_message(message, len, &read, &why) == RES_OK) {
		array = find_commands(read, &why);
	}
	if (array == NULL) {
		json_append(responses, respond_unknown(why.text));
	} else {
		object = json_value_first(array);
	}
	for (; object != NULL; object = json_value_next(object)) {
		json_append(responses, respond(admin, object, &left));
	}
	json_add(root, "responses", responses);
	answer = json_print(root);
	json_free(root);
	json_value_free(read);
	return answer;
}

char *
execute_not(const char *sentence)
{
	struct json *root = json_object(), *responses = json_array();
	char *answer;

	json_append(responses, respond_unknown(sentence));
	json_add(root, "responses", responses);
	answer = json_print(root);
	json_free(root);
	return answer;
}
