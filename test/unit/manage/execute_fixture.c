/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/manage/execute_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/json_value.h"
#include "test/support/cmocka_all.h"

char folder[] = "/tmp/certid-execute-XXXXXX";
char path[64];

int64_t
fixture_mark(void)
{
	struct registry_options options = {
	    .path = path, .mode = REGISTRY_READ, .busy_ms = 1000};
	struct registry *registry = NULL;
	struct diag why = {""};
	int64_t out = -1;

	assert_int_equal(registry_open(&options, &registry, &why), RES_OK);
	assert_int_equal(registry_mark(registry, &out, &why), RES_OK);
	registry_close(registry);
	return out;
}

int
fixture_make(void **state)
{
	struct registry_options options = {
	    .path = path, .mode = REGISTRY_CREATE, .busy_ms = 1000};
	struct edit edit = {.org = ORG_DEFAULT, .actor = "operator", .now = 1};
	struct diag why = {""};

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/registry.db", folder);
	assert_int_equal(registry_open(&options, &edit.registry, &why), RES_OK);
	assert_int_equal(edit_org_start(&edit, STARTER_PLAIN, &why), RES_OK);
	assert_int_equal(edit_admin_add(&edit, "alice", &why), RES_OK);
	assert_int_equal(edit_admin_add(&edit, "bob the \"op\"", &why), RES_OK);
	assert_int_equal(edit_admin_add(&edit, "d:ops:1", &why), RES_OK);
	edit.org = "acme";
	assert_int_equal(edit_org_add(&edit, STARTER_PLAIN, &why), RES_OK);
	assert_int_equal(edit_admin_add(&edit, "alice", &why), RES_OK);
	registry_close(edit.registry);
	return 0;
}

int
fixture_remove(void **state)
{
	const char *const ends[] = {"", "-wal", "-shm", "-outbox"};
	char name[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	return rmdir(folder);
}

char *
run_as(const char *org, const char *message)
{
	const struct admin admin = {
	    .registry = path, .org = org, .name = "alice"};
	char *answer = execute(&admin, message, strlen(message));

	assert_non_null(answer);
	return answer;
}

/* One command, given as its members. */
char *
run_one(const char *org, const char *members)
{
	size_t size = strlen(members) + 32;
	char *message = malloc(size), *answer;

	assert_non_null(message);
	(void)snprintf(message, size, "{\"commands\":[{%s}]}", members);
	answer = run_as(org, message);
	free(message);
	return answer;
}

void
must_hold(const char *answer, const char *what, const char *asked)
{
	if (strstr(answer, what) == NULL) {
		fail_msg("%s\n  gives %s\n  without %s", asked, answer, what);
	}
}

size_t
count_responses(const char *answer)
{
	struct json_value *root = NULL;
	size_t n;

	assert_int_equal(json_value_read(answer, &root, NULL), RES_OK);
	n = json_value_count(json_value_member(root, "responses"));
	json_value_free(root);
	return n;
}
