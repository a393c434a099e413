/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Receivers of events: what operators do to them, on the back end in
 * memory. */
#include "test/unit/registry/edit_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define URL "https://example.org/hook"

/* A hook in the registry; text that is lent by the caller. */
static struct hook_record
add(const struct edit *edit, const char *url)
{
	struct hook_record hook = {
	    .url = strdup(url), .kinds = strdup("[]"), .format = "cloudevents"};
	struct diag why = {{0}};

	assert_int_equal(edit_hook_add(edit, &hook, &why), RES_OK);
	return hook;
}

static size_t
count(const struct edit *edit)
{
	struct config config = edit_load(edit);
	size_t n = config.hook_count;

	config_done(&config);
	return n;
}

static void
a_new_one_begins_now(void **state)
{
	struct edit *edit = *state;
	int64_t mark = edit_mark(edit);
	struct hook_record hook = add(edit, URL);
	struct config config = edit_load(edit);
	char told[120];

	assert_int_equal(config.hook_count, 1);
	assert_string_equal(config.hooks[0].org, ORG_DEFAULT);
	assert_string_equal(config.hooks[0].id, hook.id);
	assert_true(text_is_hex(hook.id, HOOK_ID_LEN));
	assert_string_equal(config.hooks[0].url, URL);
	assert_int_equal(config.hooks[0].created_at, NOW);
	assert_int_equal(config.hooks[0].cursor, mark);
	assert_int_equal(config.hooks[0].delivered, 0);
	assert_int_equal(config.hooks[0].failing_since, CLOCK_NONE);
	assert_null(config.hooks[0].failure);
	(void)snprintf(told, sizeof(told),
	    "default setting-changed hook %s: added: " URL, hook.id);
	edit_must_tell(edit, told);
	config_done(&config);
	hook_record_done(&hook);
}

static void
an_event_hides_a_query(void **state)
{
	struct edit *edit = *state;
	struct hook_record hook = add(edit, URL "?key=very-secret");
	char told[120];

	(void)snprintf(told, sizeof(told),
	    "default setting-changed hook %s: added: " URL "?...", hook.id);
	edit_must_tell(edit, told);
	hook_record_done(&hook);
}

static void
what_is_too_long_is_refused(void **state)
{
	struct edit *edit = *state;
	struct hook_record hook = {.kinds = strdup("[]"),
	    .format = "cloudevents",
	    .url = calloc(1, URL_MAX + 2),
	    .secret = calloc(1, SECRET_MAX + 2)};
	struct diag why = {{0}};

	assert_int_equal(edit_hook_add(edit, &hook, &why), RES_SYNTAX);
	memset(hook.url, 'x', URL_MAX + 1);
	assert_int_equal(edit_hook_add(edit, &hook, &why), RES_LIMIT);
	hook.url[8] = '\0';
	memset(hook.secret, 'x', SECRET_MAX + 1);
	assert_int_equal(edit_hook_add(edit, &hook, &why), RES_LIMIT);
	assert_true(why.text[0] != '\0');
	assert_int_equal(count(edit), 0);
	hook_record_done(&hook);
}

static void
there_are_not_too_many(void **state)
{
	struct edit *edit = *state;
	struct hook_record hook;
	struct diag why = {{0}};
	size_t i;

	for (i = 0; i < HOOKS_MAX; i++) {
		hook = add(edit, URL);
		hook_record_done(&hook);
	}
	hook = (struct hook_record){
	    .url = strdup(URL), .kinds = strdup("[]"), .format = "cloudevents"};
	assert_int_equal(edit_hook_add(edit, &hook, &why), RES_LIMIT);
	assert_int_equal(count(edit), HOOKS_MAX);
	hook_record_done(&hook);
}

static enum res
remove_hook(const struct edit *edit, const char *text)
{
	struct config config = edit_load(edit);
	struct diag why = {{0}};
	enum res r = edit_hook_remove(edit, &config, text, &why);

	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	config_done(&config);
	return r;
}

static void
one_is_removed(void **state)
{
	struct edit *edit = *state;
	struct hook_record first = add(edit, URL), second = add(edit, URL),
	                   third = add(edit, URL "?a=b");
	char told[120], start[5] = "";

	assert_int_equal(remove_hook(edit, ""), RES_NOTFOUND);
	assert_int_equal(remove_hook(edit, "no such"), RES_NOTFOUND);
	assert_int_equal(
	    remove_hook(edit, "https://example.org/"), RES_NOTFOUND);
	assert_int_equal(remove_hook(edit, URL), RES_EXISTS);
	assert_int_equal(count(edit), 3);
	assert_int_equal(remove_hook(edit, URL "?a=b"), RES_OK);
	(void)snprintf(told, sizeof(told),
	    "default setting-changed hook %s: removed: " URL "?...", third.id);
	edit_must_tell(edit, told);
	assert_int_equal(remove_hook(edit, first.id), RES_OK);
	assert_int_equal(remove_hook(edit, first.id), RES_NOTFOUND);
	memcpy(start, second.id, 4);
	assert_int_equal(remove_hook(edit, start), RES_OK);
	assert_int_equal(count(edit), 0);
	hook_record_done(&first);
	hook_record_done(&second);
	hook_record_done(&third);
}

static void
an_org_has_its_own(void **state)
{
	struct edit *edit = *state, other;
	struct hook_record hook = add(edit, URL);
	struct diag why = {{0}};

	other = *edit;
	other.org = "acme";
	assert_int_equal(edit_org_add(&other, STARTER_PLAIN, &why), RES_OK);
	assert_int_equal(remove_hook(&other, hook.id), RES_NOTFOUND);
	assert_int_equal(remove_hook(&other, URL), RES_NOTFOUND);
	assert_int_equal(count(edit), 1);
	hook_record_done(&hook);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    EDIT_TEST(a_new_one_begins_now),
	    EDIT_TEST(an_event_hides_a_query),
	    EDIT_TEST(what_is_too_long_is_refused),
	    EDIT_TEST(there_are_not_too_many),
	    EDIT_TEST(one_is_removed),
	    EDIT_TEST(an_org_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
