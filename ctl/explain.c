/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * explain: the decision of the broker, taken for a person.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "ctl/commands.h"
#include "ctl/objects.h"
#include "ctl/output.h"
#include "ctl/words.h"

#define TOKEN_USERNAME "use-token-auth"

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

/* A certificate that cannot be read is a bad answer, not a bad registry. */
static int
blame_file(const char *path, const struct diag *why)
{
	return refuse(EXIT_REFUSED, "%.200s: %.300s", path, why->text);
}

static int
read_certificates(const struct call *call, struct question *question)
{
	const char *cert = call_option(call, "cert");
	const char *chain = call_option(call, "chain");
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;

	r = read_file(cert, CERT_FILE_MAX, &bytes, &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = leaf_parse(bytes, len, &question->leaf, &question->malformed);
	free(bytes);
	if (r == RES_SYNTAX) {
		/* A client may present it, so there is a decision on it. */
		question->request.malformed = question->malformed.text;
	} else if (r != RES_OK) {
		return blame_file(cert, &question->malformed);
	}
	if (chain == NULL) {
		return EXIT_DONE;
	}
	r = read_file(chain, CERT_FILE_MAX, &bytes, &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	r = chain_parse(bytes, len, &question->chain, &why);
	free(bytes);
	return r == RES_OK ? EXIT_DONE : blame_file(chain, &why);
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
	/* No rule of this version looks at it. */
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

static int
ask(struct call *call, struct question *question)
{
	struct diag why = {""};
	enum res r;
	int code;

	if (call_option(call, "cert") == NULL) {
		return misuse(call, "\"explain\" needs --cert FILE");
	}
	if (!take_request(call, &question->request)) {
		return EXIT_USAGE;
	}
	code = read_certificates(call, question);
	if (code != EXIT_DONE) {
		return code;
	}
	question->request.leaf = question->leaf;
	question->request.chain = question->chain;
	r = snapshot_new(&call->config, &question->snapshot, &why);
	return r == RES_OK ? EXIT_DONE : fail(r, &why);
}

static enum res
look_up(void *context, const char *org, const struct identity *who,
    struct device *out, bool *case_clash)
{
	return registry_get(context, org, who, false, out, case_clash, NULL);
}

/* The answer as words; NULL where the decision did not come that far. */
struct words_of {
	const char *decision, *reason, *identity, *ca, *rule, *level;
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

static int
print_for_people(const struct words_of *words, const struct trace *trace,
    const struct answer *answer)
{
	struct table *table = table_new(NULL, 3);
	const char *row[3];
	size_t i;
	int code;

	for (i = 0; i < trace->count; i++) {
		row[0] = results[trace->steps[i].result].mark;
		row[1] = trace->steps[i].name;
		row[2] = trace->steps[i].detail;
		table_add(table, row);
	}
	code = print_table(table);
	(void)printf("%s: %s, %s\n", words->decision, words->reason,
	    reason_text(answer->verdict.reason));
	return code;
}

int
run_explain(struct call *call)
{
	struct question question = {0};
	struct trace trace = {0};
	struct answer answer = {0};
	struct words_of words;
	int code;

	code = ask(call, &question);
	if (code == EXIT_DONE) {
		admission_decide(question.snapshot, call->org,
		    &question.request, look_up, call->registry, &answer,
		    &trace);
		put_in_words(call->org, question.snapshot, &answer, &words);
		code = call->json ? print_for_programs(&words, &trace)
		                  : print_for_people(&words, &trace, &answer);
	}
	if (code == EXIT_DONE && !reason_admits(answer.verdict.reason)) {
		code = EXIT_REFUSED;
	}
	forget(&question);
	return code;
}
