/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/registry/store_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

int
fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	(void)strcpy(fixture->directory, "/tmp/certid-store-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	fixture_path(fixture, "r.db");
	*state = fixture;
	return 0;
}

static void
empty(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	char path[512];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		(void)snprintf(
		    path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (unlink(path) != 0) {
			empty(path);
			(void)rmdir(path);
		}
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
}

int
fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	empty(fixture->directory);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

void
fixture_path(struct fixture *fixture, const char *name)
{
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/%s",
	    fixture->directory, name);
}

struct registry *
fixture_open(const struct fixture *fixture, enum registry_mode mode)
{
	struct registry_options options = {.path = fixture->path, .mode = mode};
	struct registry *registry = NULL;
	struct diag why = {{0}};

	if (registry_open(&options, &registry, &why) != RES_OK) {
		fail_msg("%s", why.text);
	}
	return registry;
}

void
fixture_create(const struct fixture *fixture)
{
	registry_close(fixture_open(fixture, REGISTRY_CREATE));
}

void
fixture_refuse(const struct fixture *fixture, enum registry_mode mode,
    enum res want, const char *words)
{
	struct registry_options options = {.path = fixture->path, .mode = mode};
	struct registry *const untouched = (struct registry *)&options;
	struct registry *registry = untouched;
	struct diag why = {{0}};

	assert_int_equal(registry_open(&options, &registry, &why), want);
	assert_ptr_equal(registry, untouched);
	if (strstr(why.text, words) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
	}
	assert_non_null(strstr(why.text, fixture->directory));
}

void
fixture_sql(const struct fixture *fixture, const char *sql)
{
	sqlite3 *db = NULL;
	char *said = NULL;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK) {
		fail_msg("%s: %s", sql, said);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

char *
fixture_bytes(const struct fixture *fixture, size_t *len)
{
	FILE *file = fopen(fixture->path, "rb");
	struct stat st;
	char *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *len, file), *len);
	(void)fclose(file);
	return bytes;
}

void
fixture_write(const struct fixture *fixture, const char *bytes, size_t len)
{
	FILE *file = fopen(fixture->path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

int
fixture_entries(const struct fixture *fixture)
{
	DIR *dir = opendir(fixture->directory);
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		count++;
	}
	(void)closedir(dir);
	return count - 2; /* "." and ".." */
}

enum res
fixture_add(struct registry *registry, const char *identity,
    enum device_state state, struct diag *why)
{
	struct change change = {
	    .kind = CHANGE_DEVICE_ADD,
	    .org = ORG_DEFAULT,
	    .time = NOW,
	    .actor = "operator",
	    .event_kind = "import",
	    .event_subject = identity,
	};
	struct identity who = {0};
	struct device device;
	const char *said = "";

	assert_int_equal(
	    identity_parse(identity, strlen(identity), &who, &said), RES_OK);
	device_init(&device, ORG_DEFAULT, &who);
	device.state = state;
	device.created_at = NOW;
	change.of.device = &device;
	return registry_apply(registry, &change, 1, APPLY_ALL, why);
}
