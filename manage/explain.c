/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * explain: the decision of the broker, taken for a person.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/streams.h"
#include "manage/words.h"

#define TOKEN_USERNAME "use-token-auth"
#define DETAIL_MAX     (STEP_DETAIL + HASH_TEXT_MAX + 204)
#define PEM_END        "-----END CERTIFICATE-----"

/* What the command line asks about. */
struct question {
	struct leaf *leaf;
	struct chain *chain;
	struct snapshot *snapshot;
	struct request request;
	struct diag malformed; /* why the certificate cannot be read */
};

static void
forget(struct question *question)
{
	leaf_free(question->leaf);
	chain_free(question->chain);
	snapshot_unref(question->snapshot);
}

/* The file of an option as bytes to be freed; an exit code, an error told. */
static int
load(const struct call *call, const char *option, uint8_t **out, size_t *len)
{
	struct diag why = {""};
	enum res r = read_file(call, call_option(call, option), "a certificate",
	    CERT_FILE_MAX, out, len, &why);

	return r == RES_OK ? EXIT_DONE : fail(r, &why);
}

/* The bytes of the first certificate in PEM, and so where the next begin. */
static size_t
find_end(const uint8_t *bytes, size_t len)
{
	const uint8_t *end = memmem(bytes, len, PEM_END, strlen(PEM_END));

	return end == NULL ? len : (size_t)(end - bytes) + strlen(PEM_END);
}

/*
 * A file of several certificates, as a client has it: its own first, the
 * chain behind.  RES_SYNTAX: it is not that, nor one certificate.
 */
static enum res
split(const uint8_t *bytes, size_t len, struct question *question,
    struct diag *why)
{
	struct chain *all = NULL;
	size_t first = find_end(bytes, len);
	enum res r;

	/* All of it must be sound; then the marks of PEM are what they seem. */
	r = chain_parse(bytes, len, &all, why);
	chain_free(all);
	if (r == RES_OK) {
		r = leaf_parse(bytes, first, &question->leaf, why);
	}
	if (r == RES_OK) {
		r = chain_parse(
		    bytes + first, len - first, &question->chain, why);
	}
	if (r != RES_OK) {
		leaf_free(question->leaf);
		question->leaf = NULL;
	}
	return r;
}

static int
read_leaf(const struct call *call, struct question *question)
{
	struct diag *why = &question->malformed;
	uint8_t *bytes = NULL;
	size_t len = 0;
	int code = load(call, "cert", &bytes, &len);
	enum res r;

	if (code != EXIT_DONE) {
		return code;
	}
	r = leaf_parse(bytes, len, &question->leaf, why);
	if (r == RES_SYNTAX) {
		r = split(bytes, len, question, why);
	}
	free(bytes);
	if (r == RES_SYNTAX) {
		/* A client may present it, so there is a decision on it. */
		question->request.malformed = why->text;
		return EXIT_DONE;
	}
	return r == RES_OK ? EXIT_DONE
	                   : blame_file(call_option(call, "cert"), why);
}

static int
read_certificates(const struct call *call, struct question *question)
{
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int code = read_leaf(call, question);
	enum res r;

	if (code != EXIT_DONE || call_option(call, "chain") == NULL) {
		return code;
	}
	if (question->chain != NULL) {
		return misuse(call,
		    "the file of --cert holds a chain already: give it there "
		    "or with --chain");
	}
	code = load(call, "chain", &bytes, &len);
	if (code != EXIT_DONE) {
		return code;
	}
	r = chain_parse(bytes, len, &question->chain, &why);
	free(bytes);
	return r == RES_OK ? EXIT_DONE
	                   : blame_file(call_option(call, "chain"), &why);
}

static bool
take_request(const struct call *call, struct request *request)
{
	const char *tls = call_option(call, "tls");
	const char *at = call_option(call, "at");
	const char *address = call_option(call, "address");
	struct in6_addr ignored;

	*request = (struct request){
	    .client_id = call_option(call, "client-id"),
	    .password = call_option(call, "token"),
	    .address = address,
	    .tls = tls == NULL || strcmp(tls, "yes") == 0,
	    .can_record = true,
	    .clock_is_set = clock_is_set(call->now),
	    .now = call->now,
	};
	if (request->password != NULL) {
		request->username = TOKEN_USERNAME;
	}
	if (!request->tls && strcmp(tls, "no") != 0) {
		(void)misuse(call, "--tls takes yes or no");
		return false;
	}
	if (address != NULL && inet_pton(AF_INET, address, &ignored) != 1 &&
	    inet_pton(AF_INET6, address, &ignored) != 1) {
		(void)misuse(call,
		    "--address takes an IP address as in 10.0.0.7 or fe80::1");
		return false;
	}
	if (at != NULL && clock_parse(at, &request->now) != RES_OK) {
		(void)misuse(
		    call, "--at takes a time as in 2026-11-21T14:00:00Z");
		return false;
	}
	return true;
}

/* Whom it is about: a certificate tells, and else a client id with a token. */
static bool
has_subject(const struct call *call)
{
	if (call_option(call, "cert") != NULL) {
		return true;
	}
	if (call_option(call, "chain") != NULL) {
		(void)misuse(call,
		    "--chain goes with --cert, the certificate of the device");
		return false;
	}
	if (call_option(call, "client-id") == NULL ||
	    call_option(call, "token") == NULL) {
		(void)misuse(call,
		    "\"explain\" needs --cert FILE; or, of a client without a "
		    "certificate, --client-id ID and --token T");
		return false;
	}
	return true;
}

static int
ask(struct call *call, struct question *question)
{
	struct diag why = {""};
	enum res r;
	int code;

	if (!has_subject(call) || !take_request(call, &question->request)) {
		return EXIT_USAGE;
	}
	code = call_option(call, "cert") == NULL
	    ? EXIT_DONE
	    : read_certificates(call, question);
	if (code != EXIT_DONE) {
		return code;
	}
	question->request.leaf = question->leaf;
	question->request.chain = question->chain;
	r = snapshot_new(&call->config, NULL, &question->snapshot, &why);
	return r == RES_OK ? EXIT_DONE : fail(r, &why);
}

static enum res
look_up(void *context, const char *org, const struct identity *who,
    struct device *out, bool *case_clash)
{
	return registry_get(context, org, who, false, out, case_clash, NULL);
}

static enum res
count(void *context, const char *org, const struct device_type *type,
    int64_t *out)
{
	const struct device_query query = {.org = org, .type = type};

	return registry_count(context, &query, out, NULL);
}

/* The answer as words; NULL where the decision did not come that far. */
struct words_of {
	const char *decision, *reason, *identity, *ca, *rule, *level;
	const char *ca_name; /* or its subject */
	char identity_text[IDENTITY_TEXT_MAX + 1];
	char ca_text[HASH_TEXT_MAX + 1];
	char type_text[TYPE_TEXT_MAX + 1];
};

static void
put_in_words(const char *org, const struct snapshot *snapshot,
    const struct answer *answer, struct words_of *out)
{
	const struct ca_record *ca;

	memset(out, 0, sizeof(*out));
	out->decision =
	    reason_admits(answer->verdict.reason) ? "admit" : "refuse";
	out->reason = reason_id(answer->verdict.reason);
	if (answer->has_ca) {
		ca = snapshot_ca(snapshot, org, answer->ca);
		text_hex(out->ca_text, answer->ca, CA_ID_MIN / 2);
		out->ca = ca == NULL ? out->ca_text : ca->id;
		out->ca_name = ca == NULL ? "removed"
		    : ca->name[0] != '\0' ? ca->name
		                          : ca->subject;
	}
	if (answer->has_identity) {
		identity_format(&answer->who, out->identity_text);
		out->identity = out->identity_text;
		device_type_format(&answer->who.type, out->type_text);
		out->rule = answer->verdict.level_is_default ? "default"
		                                             : out->type_text;
		out->level = level_name(answer->verdict.level);
	}
}

static const struct {
	const char *word, *mark;
} results[] = {
    [STEP_SKIPPED] = {"skipped", "-"},
    [STEP_PASS] = {"pass", "ok"},
    [STEP_FAIL] = {"fail", "no"},
};

static int
print_for_programs(const struct words_of *words, const struct trace *trace)
{
	struct json *object = json_object(), *steps = json_array(), *step;
	size_t i;

	for (i = 0; i < trace->count; i++) {
		step = json_object();
		json_add_text(step, "step", trace->steps[i].name);
		json_add_text(
		    step, "result", results[trace->steps[i].result].word);
		json_add_text(step, "detail", trace->steps[i].detail);
		json_append(steps, step);
	}
	json_add_text(object, "decision", words->decision);
	json_add_text(object, "reason", words->reason);
	json_add_text(object, "identity", words->identity);
	json_add_text(object, "ca", words->ca);
	json_add_text(object, "rule", words->rule);
	json_add_text(object, "level", words->level);
	json_add(object, "steps", steps);
	return print_json(object);
}

/* The step of the chain also says which CA it is about. */
static void
describe(const struct words_of *words, const struct step *step,
    char text[DETAIL_MAX + 1])
{
	if (words->ca != NULL && step->result != STEP_SKIPPED &&
	    strcmp(step->name, "chain") == 0) {
		(void)snprintf(text, DETAIL_MAX + 1, "%s: %s, %.200s",
		    step->detail, words->ca, words->ca_name);
	} else {
		(void)snprintf(text, DETAIL_MAX + 1, "%s", step->detail);
	}
}

static int
print_for_people(const struct words_of *words, const struct trace *trace,
    const struct answer *answer)
{
	struct table *table = table_new(NULL, 3);
	char detail[DETAIL_MAX + 1];
	const char *row[3] = {NULL, NULL, detail};
	size_t i;
	int code;

	for (i = 0; i < trace->count; i++) {
		row[0] = results[trace->steps[i].result].mark;
		row[1] = trace->steps[i].name;
		describe(words, &trace->steps[i], detail);
		table_add(table, row);
	}
	code = print_table(table);
	(void)fprintf(answers(), "%s: %s, %s\n", words->decision, words->reason,
	    reason_text(answer->verdict.reason));
	return code;
}

int
run_explain(struct call *call)
{
	const struct source source = {
	    .context = call->registry, .find = look_up, .count = count};
	struct question question = {0};
	struct trace trace = {0};
	struct answer answer = {0};
	struct words_of words;
	int code;

	code = ask(call, &question);
	if (code == EXIT_DONE) {
		admission_decide(question.snapshot, call->org,
		    &question.request, &source, &answer, &trace);
		put_in_words(call->org, question.snapshot, &answer, &words);
		code = call->json ? print_for_programs(&words, &trace)
		                  : print_for_people(&words, &trace, &answer);
	}
	if (code == EXIT_DONE && !reason_admits(answer.verdict.reason)) {
		code = EXIT_REFUSED;
	}
	answer_done(&answer);
	forget(&question);
	return code;
}
