/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/registry/edit_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "registry/backend.h"

int
edit_setup(void **state)
{
	struct registry_options options = {
	    .path = "", .mode = REGISTRY_WRITE, .backend = &backend_memory};
	struct edit *edit = calloc(1, sizeof(*edit));
	struct diag why;

	assert_non_null(edit);
	assert_int_equal(
	    registry_open(&options, &edit->registry, &why), RES_OK);
	edit->org = ORG_DEFAULT;
	edit->actor = "operator";
	edit->now = NOW;
	*state = edit;
	return 0;
}

int
edit_teardown(void **state)
{
	struct edit *edit = *state;

	registry_close(edit->registry);
	free(edit);
	return 0;
}

struct config
edit_load(const struct edit *edit)
{
	struct config config = {0};
	struct diag why;

	assert_int_equal(registry_load(edit->registry, &config, &why), RES_OK);
	return config;
}

static enum res
keep_last(const struct event *event, void *context)
{
	assert_int_equal(event->time, NOW);
	assert_string_equal(event->actor, "operator");
	(void)snprintf(context, 512, "%s %s %s%s%s", event->org, event->kind,
	    event->subject, event->detail == NULL ? "" : ": ",
	    event->detail == NULL ? "" : event->detail);
	return RES_OK;
}

/* The last event as "org kind subject: detail". */
void
edit_must_tell(const struct edit *edit, const char *want)
{
	struct event_query query = {
	    .since = CLOCK_NONE, .newest = true, .limit = 1};
	char line[512] = "";
	struct diag why;

	assert_int_equal(
	    registry_events(edit->registry, &query, keep_last, line, &why),
	    RES_OK);
	assert_string_equal(line, want);
}

int64_t
edit_mark(const struct edit *edit)
{
	struct diag why;
	int64_t out = -1;

	assert_int_equal(registry_mark(edit->registry, &out, &why), RES_OK);
	return out;
}

struct ca_record
edit_make_ca(uint8_t first, char *subject)
{
	static uint8_t der[] = {0x30, 0x00};
	static char none[] = "[]";
	struct ca_record ca = {.der = der,
	    .der_len = sizeof(der),
	    .subject = subject,
	    .state = "active",
	    .crl_policy = "if-present",
	    .scope = none,
	    .tags = none};

	ca.fingerprint[0] = first;
	return ca;
}
