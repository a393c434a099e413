/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * hook: certid hook add|list|show|remove: receivers of events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/hook_health.h"
#include "manage/output.h"
#include "manage/words.h"
#include "registry/event.h"
#include "trust/cert.h"
#include "trust/crl.h"

#define FORMAT_FIRST "cloudevents"
#define FORMAT_LIST  "watson" /* knows one kind of event */
#define KIND_LIST    "device-provisioned"
#define HTTPS        "https://"
#define SECRET_MIN   16
#define CA_FILE_MAX  (256 * 1024)
#define PEM_BEGIN    "-----BEGIN CERTIFICATE-----"

/* ---- What add is given ---- */

static bool
take_url(const struct call *call, char **out)
{
	const char *url = call_arg(call, 0);
	struct diag why = {""};

	if (strncmp(url, "http://", strlen("http://")) == 0) {
		(void)misuse(call,
		    "events are delivered over TLS alone: give a URL that "
		    "begins with https://");
		return false;
	}
	if (strncmp(url, HTTPS, strlen(HTTPS)) != 0) {
		(void)misuse(call, "the URL does not begin with https://");
		return false;
	}
	if (crl_url_check(url, &why) != RES_OK) {
		(void)misuse(call, "%s", why.text);
		return false;
	}
	*out = strdup(url);
	return true;
}

static bool
take_format(const struct call *call, char format[WORD_MAX + 1])
{
	const char *text = call_option(call, "format");

	if (text == NULL) {
		text = FORMAT_FIRST;
	}
	if (strcmp(text, FORMAT_FIRST) != 0 && strcmp(text, FORMAT_LIST) != 0) {
		(void)misuse(call, "--format takes cloudevents or watson");
		return false;
	}
	text_set(format, WORD_MAX + 1, text);
	return true;
}

/* Whether --kind was given with this value before the n-th time. */
static bool
is_repeated(const struct call *call, const char *kind, size_t n)
{
	const char *other;
	size_t at = 0, i;

	for (i = 0; i < n; i++) {
		other = call_next_option(call, "kind", &at);
		if (other != NULL && strcmp(other, kind) == 0) {
			return true;
		}
	}
	return false;
}

static bool
check_kind(const struct call *call, const char *format, const char *kind)
{
	if (!event_is_kind(kind)) {
		(void)misuse(call,
		    "\"%.80s\" is not a kind of event such as ca-added", kind);
		return false;
	}
	if (strcmp(format, FORMAT_LIST) == 0 && strcmp(kind, KIND_LIST) != 0) {
		(void)misuse(call,
		    "--format " FORMAT_LIST " can tell of " KIND_LIST
		    " alone, not of %s",
		    kind);
		return false;
	}
	return true;
}

/* NULL in *out: no memory. */
static bool
take_kinds(const struct call *call, const char *format, char **out)
{
	struct json *array = json_array();
	const char *kind;
	size_t at = 0, n = 0;

	while ((kind = call_next_option(call, "kind", &at)) != NULL) {
		if (!check_kind(call, format, kind)) {
			json_free(array);
			return false;
		}
		if (!is_repeated(call, kind, n++)) {
			json_append_text(array, kind);
		}
	}
	if (n == 0 && strcmp(format, FORMAT_LIST) == 0) {
		json_append_text(array, KIND_LIST);
	}
	*out = json_print(array);
	json_free(array);
	return true;
}

/* The bytes of the file but for a line end behind them; an exit code, an error
 * told. */
static int
take_secret(const struct call *call, char **out)
{
	const char *path = call_option(call, "secret");
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;

	if (path == NULL) {
		return EXIT_DONE;
	}
	r = read_file(
	    call, path, "a secret", SECRET_MAX + 2, &bytes, &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	if (len > 0 && bytes[len - 1] == '\n') {
		len -= len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
		bytes[len] = '\0';
	}
	if (len < SECRET_MIN || len > SECRET_MAX) {
		diag_set(&why, "a secret has %d to %d bytes, this one %zu",
		    SECRET_MIN, SECRET_MAX, len);
	} else if (memchr(bytes, '\0', len) != NULL) {
		diag_set(&why,
		    "there is a NUL in the secret: write it as "
		    "text, as \"openssl rand -hex 32\" does");
	}
	*out = (char *)bytes;
	return why.text[0] == '\0' ? EXIT_DONE : blame_file(path, &why);
}

static int
take_cas(const struct call *call, char **out)
{
	const char *path = call_option(call, "ca-file");
	struct chain *chain = NULL;
	struct diag why = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;

	if (path == NULL) {
		return EXIT_DONE;
	}
	r = read_file(
	    call, path, "CA certificates", CA_FILE_MAX, &bytes, &len, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	*out = (char *)bytes;
	if (memchr(bytes, '\0', len) != NULL ||
	    strstr(*out, PEM_BEGIN) == NULL) {
		diag_set(&why, "there is no certificate in PEM in it");
		return blame_file(path, &why);
	}
	r = chain_parse(bytes, len, &chain, &why);
	chain_free(chain);
	return r == RES_OK ? EXIT_DONE : blame_file(path, &why);
}

/* ---- What is shown; never the secret ---- */

static struct json *
hook_json(const struct hook_record *hook)
{
	struct json *object = json_object();

	json_add_text(object, "hook", hook->id);
	json_add_text(object, "url", hook->url);
	json_add_parsed(object, "kinds", hook->kinds);
	json_add_text(object, "format", hook->format);
	json_add_bool(object, "signed", hook->secret != NULL);
	json_add_bool(object, "own_ca", hook->ca_pem != NULL);
	json_add_time(object, "created_at", hook->created_at);
	return object;
}

static void
add_state(struct json *object, const struct hook_record *hook, int64_t backlog)
{
	json_add_number(object, "cursor", hook->cursor);
	json_add_number(object, "backlog", backlog);
	json_add_number(object, "delivered", hook->delivered);
	json_add_number(object, "dropped", hook->dropped);
	json_add_time(object, "failing_since", hook->failing_since);
	json_add_text(object, "failure", hook->failure);
}

/* ---- The commands ---- */

static int
add(const struct call *call, struct hook_record *hook)
{
	struct edit edit = call_edit(call);
	struct diag why = {""};
	enum res r;

	if (hook->url == NULL || hook->kinds == NULL) {
		return fail(RES_NOMEM, &why);
	}
	r = edit_hook_add(&edit, hook, &why);
	return r != RES_OK
	    ? fail(r, &why)
	    : report(call, hook_json(hook),
	          "added the hook %s: it gets what happens from now on",
	          hook->id);
}

int
run_hook_add(struct call *call)
{
	struct hook_record hook = {.failing_since = CLOCK_NONE};
	int code = EXIT_USAGE;

	if (take_url(call, &hook.url) && take_format(call, hook.format) &&
	    take_kinds(call, hook.format, &hook.kinds)) {
		code = take_secret(call, &hook.secret);
	}
	if (code == EXIT_DONE) {
		code = take_cas(call, &hook.ca_pem);
	}
	if (code == EXIT_DONE) {
		code = add(call, &hook);
	}
	hook_record_done(&hook);
	return code;
}

/* "every kind", or the first and how many more. */
static void
show_kinds(const struct hook_record *hook, char text[2 * WORD_MAX])
{
	char **kinds = NULL;
	size_t count = 0;

	if (json_read_texts(hook->kinds, 256, &kinds, &count, NULL) != RES_OK) {
		text_set(text, 2 * WORD_MAX, "?");
		return;
	}
	if (count < 2) {
		(void)snprintf(text, 2 * WORD_MAX, "%s",
		    count == 0 ? "every kind" : kinds[0]);
	} else {
		(void)snprintf(
		    text, 2 * WORD_MAX, "%s and %zu more", kinds[0], count - 1);
	}
	json_texts_free(kinds, count);
}

/* How delivery does, as text. */
struct progress {
	char waiting[24], delivered[24], dropped[24];
	char since[TIME_MAX + 1];
};

static void
show_progress(
    const struct hook_record *hook, int64_t backlog, struct progress *out)
{
	*out = (struct progress){.since = ""};
	(void)snprintf(out->waiting, sizeof(out->waiting), "%lld%s",
	    (long long)backlog, backlog == HOOK_BACKLOG_MAX ? "+" : "");
	(void)snprintf(out->delivered, sizeof(out->delivered), "%lld",
	    (long long)hook->delivered);
	(void)snprintf(out->dropped, sizeof(out->dropped), "%lld",
	    (long long)hook->dropped);
	if (hook->failing_since != CLOCK_NONE) {
		clock_format(hook->failing_since, out->since);
	}
}

/* What may be long comes last. */
static void
add_row(struct table *table, const struct hook_record *hook, int64_t backlog)
{
	char kinds[2 * WORD_MAX];
	struct progress progress;
	const char *row[] = {hook->id, progress.waiting, progress.delivered,
	    progress.dropped, progress.since, hook->format, kinds, hook->url,
	    hook->failure};

	show_kinds(hook, kinds);
	show_progress(hook, backlog, &progress);
	table_add(table, row);
}

int
run_hook_list(struct call *call)
{
	const char *header[] = {"HOOK", "WAITING", "DELIVERED", "DROPPED",
	    "FAILING SINCE", "FORMAT", "KINDS", "URL", "WHY"};
	struct table *table = table_new(header, 9);
	struct json *array = json_array(), *object;
	const struct hook_record *hook;
	struct diag why = {""};
	int64_t backlog = 0;
	enum res r = RES_OK;
	size_t i;

	table_align_right(table, 1, 3);
	for (i = 0; r == RES_OK && i < call->config.hook_count; i++) {
		hook = &call->config.hooks[i];
		if (strcmp(hook->org, call->org) != 0) {
			continue;
		}
		r = hook_backlog(call, hook, &backlog, &why);
		object = hook_json(hook);
		add_state(object, hook, backlog);
		json_append(array, object);
		add_row(table, hook, backlog);
	}
	if (r == RES_OK && call->json) {
		table_free(table);
		return print_json(array);
	}
	json_free(array);
	if (r == RES_OK) {
		return print_table(table);
	}
	table_free(table);
	return fail(r, &why);
}

/* All kinds, one after the other. */
static void
add_kinds(struct table *table, const struct hook_record *hook)
{
	char **kinds = NULL;
	size_t i, count = 0;

	if (json_read_texts(hook->kinds, 256, &kinds, &count, NULL) != RES_OK) {
		table_field(table, "kind", "?");
		return;
	}
	for (i = 0; i < count; i++) {
		table_field(table, "kind", kinds[i]);
	}
	if (count == 0) {
		table_field(table, "kind", "every kind");
	}
	json_texts_free(kinds, count);
}

static int
print_hook(const struct hook_record *hook, int64_t backlog)
{
	struct table *table = table_new(NULL, 2);
	struct progress progress;

	show_progress(hook, backlog, &progress);
	table_field(table, "hook", hook->id);
	table_field(table, "url", hook->url);
	table_field(table, "format", hook->format);
	add_kinds(table, hook);
	table_field(table, "signed", hook->secret != NULL ? "yes" : "no");
	table_field(table, "trusts",
	    hook->ca_pem != NULL ? "the CAs of --ca-file"
	                         : "the CAs of the system");
	table_field_time(table, "added", hook->created_at);
	table_field(table, "waiting", progress.waiting);
	table_field(table, "delivered", progress.delivered);
	table_field(table, "dropped", progress.dropped);
	table_field(table, "failing since", progress.since);
	table_field(table, "why", hook->failure);
	return print_table(table);
}

int
run_hook_show(struct call *call)
{
	struct hook_record *hook = NULL;
	struct diag why = {""};
	struct json *object;
	int64_t backlog = 0;
	enum res r = config_find_hook(
	    &call->config, call->org, call_arg(call, 0), &hook, &why);

	if (r == RES_OK) {
		r = hook_backlog(call, hook, &backlog, &why);
	}
	if (r != RES_OK) {
		return fail(r, &why);
	}
	if (!call->json) {
		return print_hook(hook, backlog);
	}
	object = hook_json(hook);
	add_state(object, hook, backlog);
	return print_json(object);
}

int
run_hook_remove(struct call *call)
{
	struct edit edit = call_edit(call);
	struct json *object;
	struct diag why = {""};
	enum res r =
	    edit_hook_remove(&edit, &call->config, call_arg(call, 0), &why);

	if (r != RES_OK) {
		return fail(r, &why);
	}
	object = json_object();
	json_add_text(object, "removed", call_arg(call, 0));
	return report(call, object,
	    "removed the hook %.120s: nothing more is "
	    "sent to it",
	    call_arg(call, 0));
}
