/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Who may manage an org, and whose words an event says it was. */
#include "test/unit/registry/edit_fixture.h"

#include <stdio.h>

#define A_255                                                                  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const good[] = {"alice", "d:ops:1", "g:hub:a", "a b",
    "\xc3\xa9ric", "\"", "-", "$x", A_255};

static void
admins_come_and_go(void **state)
{
	struct edit *edit = *state;
	struct config config;
	struct diag why = {""};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(edit_admin_add(edit, good[i], &why), RES_OK);
		config = edit_load(edit);
		assert_int_equal(config.admin_count, 1);
		assert_string_equal(config.admins[0].name, good[i]);
		assert_string_equal(config.admins[0].org, ORG_DEFAULT);
		assert_int_equal(config.admins[0].added_at, NOW);
		config_done(&config);
		assert_int_equal(
		    edit_admin_remove(edit, good[i], &why), RES_OK);
		config = edit_load(edit);
		assert_int_equal(config.admin_count, 0);
		config_done(&config);
	}
	assert_int_equal(edit_admin_add(edit, "alice", &why), RES_OK);
	edit_must_tell(edit, "default setting-changed admin alice: added");
	assert_int_equal(edit_admin_remove(edit, "alice", &why), RES_OK);
	edit_must_tell(edit, "default setting-changed admin alice: removed");
}

static const struct {
	const char *name;
	enum res want;
} bad[] = {
    {"", RES_SYNTAX},
    {A_255 "a", RES_LIMIT},
    {"a+b", RES_SYNTAX},
    {"#", RES_SYNTAX},
    {"a/b", RES_SYNTAX},
    {"a\nb", RES_SYNTAX},
    {"a\x7f", RES_SYNTAX},
    {"\x1b[31m", RES_SYNTAX},
    {"\xff", RES_SYNTAX},
    {"\xc3", RES_SYNTAX},
    {"\xc2\x9b", RES_SYNTAX},
};

static void
other_names_are_refused(void **state)
{
	struct edit *edit = *state;
	int64_t mark = edit_mark(edit);
	struct diag why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why.text[0] = '\0';
		assert_int_equal(
		    edit_admin_add(edit, bad[i].name, &why), bad[i].want);
		assert_true(why.text[0] != '\0');
		why.text[0] = '\0';
		assert_int_equal(
		    edit_admin_remove(edit, bad[i].name, &why), bad[i].want);
		assert_true(why.text[0] != '\0');
	}
	assert_int_equal(edit_mark(edit), mark);
}

static void
twice_and_never_are_refused(void **state)
{
	struct edit *edit = *state;
	struct diag why = {""};
	int64_t mark;

	assert_int_equal(edit_admin_remove(edit, "alice", &why), RES_NOTFOUND);
	assert_int_equal(edit_admin_add(edit, "alice", &why), RES_OK);
	mark = edit_mark(edit);
	assert_int_equal(edit_admin_add(edit, "alice", &why), RES_EXISTS);
	assert_int_equal(edit_admin_remove(edit, "Alice", &why), RES_NOTFOUND);
	edit->org = "plant";
	assert_int_equal(edit_admin_add(edit, "alice", &why), RES_NOTFOUND);
	assert_int_equal(edit_mark(edit), mark);
}

static const struct {
	const char *by, *tells;
} names[] = {
    {"alice", "admin x: added by=alice"},
    {"d:ops:1", "admin x: added by=d:ops:1"},
    {"al ice", "admin x: added by=\"al ice\""},
    {"a\"b", "admin x: added by=\"a\\\"b\""},
    {"a\\b", "admin x: added by=\"a\\\\b\""},
    {"a,b", "admin x: added by=\"a,b\""},
    {"x by=bob", "admin x: added by=\"x by=bob\""},
    {"", "admin x: added by=\"\""},
};

static void
events_say_whose_words_they_are(void **state)
{
	struct edit *edit = *state;
	char line[128];
	struct diag why = {""};
	struct identity who;
	const char *said;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		edit->by = names[i].by;
		assert_int_equal(edit_admin_add(edit, "x", &why), RES_OK);
		(void)snprintf(line, sizeof(line), "default setting-changed %s",
		    names[i].tells);
		edit_must_tell(edit, line);
		assert_int_equal(edit_admin_remove(edit, "x", &why), RES_OK);
	}
	edit->by = "alice";
	assert_int_equal(edit_org_start(edit, STARTER_PLAIN, &why), RES_OK);
	edit_must_tell(edit,
	    "default setting-changed topic: added: all both "
	    "{class}/{type}/{id}/# by=alice");
	/* Where there is no detail, this is it. */
	assert_int_equal(identity_parse("d:a:1", 5, &who, &said), RES_OK);
	assert_int_equal(
	    edit_device_add(edit,
	        &(struct device){.who = who, .window_ends_at = CLOCK_FOREVER},
	        &why),
	    RES_OK);
	assert_int_equal(edit_device_lock(edit, &who, true, &why), RES_OK);
	edit_must_tell(edit, "default device-locked d:a:1: by=alice");
	edit->org = "plant";
	assert_int_equal(edit_org_add(edit, STARTER_PLAIN, &why), RES_OK);
	assert_int_equal(edit_org_remove(edit, &why), RES_OK);
	edit_must_tell(
	    edit, "default setting-changed org: org plant removed by=alice");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    EDIT_TEST(admins_come_and_go),
	    EDIT_TEST(other_names_are_refused),
	    EDIT_TEST(twice_and_never_are_refused),
	    EDIT_TEST(events_say_whose_words_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
