/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manage/streams.h"

const char *
call_arg(const struct call *call, size_t n)
{
	return n < call->words.arg_count ? call->words.args[n] : NULL;
}

const char *
call_next_option(const struct call *call, const char *name, size_t *at)
{
	const struct given *given;

	while (*at < call->words.given_count) {
		given = &call->words.given[(*at)++];
		if (strcmp(given->option->name, name) == 0) {
			return given->value;
		}
	}
	return NULL;
}

const char *
call_option(const struct call *call, const char *name)
{
	size_t at = 0;

	return call_next_option(call, name, &at);
}

struct edit
call_edit(const struct call *call)
{
	struct edit edit = {
	    .registry = call->registry,
	    .org = call->org,
	    .actor = "operator",
	    .by = call->by,
	    .now = call->now,
	};

	return edit;
}

static int
exit_code_of(enum res res)
{
	switch (res) {
	case RES_OK:
		return EXIT_DONE;
	case RES_NOTFOUND:
		return EXIT_NOT_FOUND;
	case RES_EXISTS:
		return EXIT_CONFLICT;
	case RES_UNAVAIL:
	case RES_BUSY:
	case RES_CORRUPT:
		return EXIT_NO_REGISTRY;
	case RES_NOMEM:
	case RES_SYNTAX:
	case RES_LIMIT:
	case RES_REFUSED:
		break;
	}
	return EXIT_REFUSED;
}

int
fail(enum res res, const struct diag *why)
{
	const char *text = why->text;

	if (text[0] == '\0') {
		text = res == RES_NOMEM ? "there is not enough memory"
		                        : "the registry gave no answer";
	}
	(void)fprintf(complaints(), "certid: %s\n", text);
	return exit_code_of(res);
}

int
refuse(enum exit_code code, const char *format, ...)
{
	char text[DIAG_MAX + 1];
	struct diag why;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diag_set(&why, "%s", text);
	(void)fprintf(complaints(), "certid: %s\n", why.text);
	return (int)code;
}

int
blame_file(const char *path, const struct diag *why)
{
	struct diag whole;

	diag_set(&whole, "%.200s: %s", path, why->text);
	(void)fail(RES_REFUSED, &whole);
	return EXIT_REFUSED;
}

int
misuse(const struct call *call, const char *format, ...)
{
	char text[DIAG_MAX + 1];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return refuse(EXIT_USAGE, "%.400s: see \"certid help %s\"", text,
	    call->words.topic);
}

int
call_check_org(const struct call *call)
{
	size_t i;

	if ((call->words.command->need & NEED_ORG) == 0) {
		return EXIT_DONE;
	}
	for (i = 0; i < call->config.org_count; i++) {
		if (strcmp(call->config.orgs[i].name, call->org) == 0) {
			return EXIT_DONE;
		}
	}
	return refuse(EXIT_NOT_FOUND,
	    "there is no org \"%.80s\": see \"certid org list\"", call->org);
}

bool
call_writes(const struct call *call)
{
	unsigned need = call->words.command->need;
	bool writes = (need & NEED_WRITE) != 0 ||
	    ((need & NEED_WRITE_WITH_ARGS) != 0 && call->words.arg_count > 0);
	bool previews = (need & NEED_READ_TO_PREVIEW) != 0 &&
	    call_option(call, "preview") != NULL;

	return writes && !previews;
}

int
call_load(struct call *call)
{
	struct registry_options options = {.path = call->path,
	    .mode = call_writes(call) ? REGISTRY_WRITE : REGISTRY_READ,
	    .busy_ms = call->files != NULL ? REMOTE_BUSY_MS : BUSY_MS};
	struct diag why = {""};
	enum res r;

	if ((call->words.command->need & NEED_REGISTRY) == 0) {
		return EXIT_DONE;
	}
	r = registry_open(&options, &call->registry, &why);
	if (r == RES_OK) {
		r = registry_load(call->registry, &call->config, &why);
	}
	if (r != RES_OK) {
		(void)fail(r, &why);
		return EXIT_NO_REGISTRY;
	}
	return EXIT_DONE;
}

int
call_open(struct call *call)
{
	int code = call_load(call);

	return code == EXIT_DONE ? call_check_org(call) : code;
}

void
call_done(struct call *call)
{
	config_done(&call->config);
	registry_close(call->registry);
	words_done(&call->words);
}
