/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "manage/commands.h"
#include "manage/interrupt.h"
#include "manage/request.h"
#include "manage/right.h"
#include "manage/sink.h"
#include "manage/streams.h"

#define UNKNOWN         "Unknown command" /* as other plugins answer */
#define CORRELATION_MAX 4096
#define WARNINGS_MAX    100

/* What is said of mistakes, beside the room for answers. */
#define COMPLAINTS_MAX (32 << 10)

/* One message. */
struct run {
	struct admin admin;
	size_t left;      /* bytes that are still taken for answers */
	struct diag over; /* why no other command is run; "": they are */
};

/* One command of a message. */
struct job {
	struct run *run;
	struct request request;
	bool as_text, in_colour;
	const char *correlation; /* NULL: none */
	const char *org;         /* for the words; NULL: none */
	struct sink answers, complaints;
	bool writes; /* once it is known; what it did stays done */
	int code;
};

/* A sentence as commands tell them, and how the command ends. */
static void
complain(struct job *job, int code, const char *sentence)
{
	FILE *to = sink_open(&job->complaints);

	if (to != NULL) {
		(void)fprintf(to, "certid: %s\n", sentence);
		(void)fclose(to);
	}
	job->code = code;
}

/* Whether he is an admin still; if not, nothing else is run. */
static int
check_standing(struct job *job, const struct call *call)
{
	struct run *run = job->run;
	struct diag why = {""};
	enum res r = right_stands(&run->admin, call, &why);

	if (r == RES_OK) {
		return EXIT_DONE;
	}
	diag_set(&run->over, "not run: %s", why.text);
	return fail(r, &run->over);
}

static void
run_call(struct job *job, struct call *call)
{
	const struct request *request = &job->request;
	const char *org = call_option(call, "org");

	call->org = org != NULL ? org : ORG_DEFAULT;
	call->json = call_option(call, "json") != NULL ||
	    (!job->as_text && (request->command->need & NEED_TEXT) == 0);
	job->writes = call_writes(call);
	/* What only reads may end where nobody hears it any more. */
	job->answers.ends = !job->writes;
	job->code = call_load(call);
	if (job->code == EXIT_DONE) {
		job->code = check_standing(job, call);
	}
	if (job->code == EXIT_DONE) {
		job->code = call_check_org(call);
	}
	if (job->code == EXIT_DONE) {
		job->code = request->command->run(call);
	}
}

/* As certid does with the words of its command line. */
static void
run_words(struct job *job)
{
	const struct request *request = &job->request;
	const struct admin *admin = &job->run->admin;
	struct call call = {.path = admin->registry,
	    .by = admin->name,
	    .files = &request->files,
	    .of_tenant = right_is_tenant(admin),
	    .now = clock_now()};
	struct diag why = {""};
	enum res r;

	r = words_parse(commands, global_options, (int)request->argc,
	    request->argv, &call.words, &why);
	if (r != RES_OK) {
		job->code = r == RES_SYNTAX ? refuse(EXIT_USAGE, "%s", why.text)
		                            : fail(r, &why);
	} else {
		run_call(job, &call);
	}
	call_done(&call);
}

static void
run_captured(struct job *job)
{
	FILE *to = sink_open(&job->answers);
	FILE *errors = sink_open(&job->complaints);

	if (to == NULL || errors == NULL) {
		complain(job, EXIT_REFUSED, "there is not enough memory");
	} else {
		interrupt_ask(job->run->admin.stopping);
		streams_redirect(to, errors, job->in_colour);
		run_words(job);
		streams_redirect(NULL, NULL, false);
		interrupt_ask(NULL);
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

/* Whether another command of the message may be begun. */
static enum res
check_run(struct run *run, struct diag *why)
{
	const atomic_bool *stopping = run->admin.stopping;

	if (run->over.text[0] == '\0' && stopping != NULL &&
	    atomic_load(stopping)) {
		diag_set(&run->over, "not run: the broker ends");
	}
	if (run->over.text[0] == '\0' && run->left < EXECUTE_ANSWER_MIN) {
		diag_set(&run->over,
		    "not run: the answers of this message are too long");
	}
	return run->over.text[0] == '\0'
	    ? RES_OK
	    : diag_res(why, RES_REFUSED, "%s", run->over.text);
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
	r = check_run(job->run, &why);
	if (r == RES_OK) {
		r = right_check(
		    &job->run->admin, &job->request, &job->org, &why);
	}
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
	const char *at = sink_text(&job->complaints);
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
	if (n > WARNINGS_MAX) {
		json_append_text(warnings, "there are more, left out here");
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
	const char *text = sink_text(&job->answers);

	if (job->as_text) {
		json_add_lines(response, "text", text);
		json_add_lines(response, "errors", sink_text(&job->complaints));
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

/* Of a command whose output is more than we keep.  What changed something tells
 * how it ended all the same; else there is no answer. */
static void
leave_out(struct job *job)
{
	bool all = job->request.command->run == run_export;

	sink_done(&job->answers);
	if (job->writes) {
		sink_prepend(&job->complaints,
		    "certid: warning: it was run; its output was too long and "
		    "is left out\n");
		return;
	}
	sink_done(&job->complaints);
	job->complaints.most = COMPLAINTS_MAX;
	complain(job, EXIT_REFUSED,
	    all ? "so many devices do not fit into the answer: export them in "
	          "parts, with --type or --state, or all on the machine of the "
	          "broker"
	        : "the answer was dropped, for it is longer than what is left "
	          "for one message: ask for less");
}

/* What the job has printed, as it may be told. */
static void
settle(struct job *job)
{
	struct run *run = job->run;
	size_t used = job->answers.len + job->complaints.len;

	run->left -= used < run->left ? used : run->left;
	if (job->answers.over) {
		/* So that nobody has us print much, over and over, for
		 * nothing. */
		run->left = 0;
		leave_out(job);
	}
	/* The sentences about a registry name its path. */
	if (right_is_tenant(&run->admin)) {
		sink_hide(&job->complaints, run->admin.registry);
	}
}

static struct json *
respond(struct run *run, const struct json_value *object)
{
	struct json *response = json_object();
	struct job job = {.run = run,
	    .answers = {.most = run->left},
	    .complaints = {.most = COMPLAINTS_MAX, .keeps_ends = true}};

	run_job(&job, object);
	settle(&job);
	json_add_text(response, "command",
	    job.request.name == NULL ? UNKNOWN : job.request.name);
	add_answer(response, &job);
	if (job.correlation != NULL) {
		json_add_lines(response, "correlationData", job.correlation);
	}
	request_done(&job.request);
	sink_done(&job.answers);
	sink_done(&job.complaints);
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
	struct run run = {.admin = *admin, .left = EXECUTE_ANSWER_MAX};
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
		json_append(responses, respond(&run, object));
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
