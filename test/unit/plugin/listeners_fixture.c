/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/plugin/listeners_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/support/cmocka_all.h"

char listeners_folder[] = "/tmp/certid-listeners-XXXXXX";
char listeners_us[64];

/* '@' in a text is the listeners_folder. */
void
listeners_write(const char *name, const char *text, size_t len)
{
	char path[256];
	FILE *file;
	size_t i;

	assert_true(
	    snprintf(path, sizeof(path), "%s/%s", listeners_folder, name) > 0);
	assert_non_null(file = fopen(path, "w"));
	for (i = 0; i < len; i++) {
		if (text[i] == '@') {
			assert_true(fputs(listeners_folder, file) >= 0);
		} else {
			assert_int_not_equal(fputc(text[i], file), EOF);
		}
	}
	assert_int_equal(fclose(file), 0);
}

static void
empty(const char *path)
{
	struct dirent *entry;
	DIR *directory;

	assert_non_null(directory = opendir(path));
	while ((entry = readdir(directory)) != NULL) {
		(void)unlinkat(dirfd(directory), entry->d_name, 0);
	}
	(void)closedir(directory);
}

enum res
listeners_try(const char *text, size_t len, const struct included files[3],
    struct listeners **out, struct diag *why)
{
	char path[256];
	int i;

	assert_true(snprintf(path, sizeof(path), "%s/d", listeners_folder) > 0);
	empty(path);
	for (i = 0; i < 3 && files != NULL && files[i].name != NULL; i++) {
		listeners_write(
		    files[i].name, files[i].text, strlen(files[i].text));
	}
	listeners_write("main.conf", text, len);
	assert_true(
	    snprintf(path, sizeof(path), "%s/main.conf", listeners_folder) > 0);
	return listeners_parse(listeners_us, path, out, why);
}

void
listeners_drop(const char *name)
{
	char path[256];

	assert_true(
	    snprintf(path, sizeof(path), "%s/%s", listeners_folder, name) > 0);
	(void)unlink(path);
}

int
listeners_make_folder(void **state)
{
	char path[256];

	(void)state;
	if (mkdtemp(listeners_folder) == NULL ||
	    chmod(listeners_folder, 0755) != 0) {
		return -1;
	}
	(void)snprintf(
	    listeners_us, sizeof(listeners_us), "%s/us.so", listeners_folder);
	listeners_write("us.so", "", 0);
	listeners_write("them.so", "", 0);
	(void)snprintf(path, sizeof(path), "%s/alias.so", listeners_folder);
	if (symlink(listeners_us, path) != 0) {
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/d", listeners_folder);
	return mkdir(path, 0755);
}

int
listeners_remove_folder(void **state)
{
	char path[256];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/d", listeners_folder);
	empty(path);
	(void)rmdir(path);
	empty(listeners_folder);
	return rmdir(listeners_folder);
}
