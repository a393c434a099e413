/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/sqlite_private.h"

#define FILE_MODE      0640
#define DIRECTORY_MODE 0750

static enum res
no_memory(struct diag *why)
{
	return diag_res(why, RES_NOMEM, "no memory left");
}

static enum res
cannot(const char *verb, const char *path, struct diag *why)
{
	const char *advice = errno == EACCES || errno == EPERM
	    ? "run this as the user who owns it, or as root"
	    : "look at the path and the disk";

	return diag_res(why, RES_UNAVAIL, "cannot %s %s: %s: %s", verb, path,
	    strerror(errno), advice);
}

/* The directory that path names a file in; NULL: no memory. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL) {
		return strdup(".");
	}
	return slash == path ? strdup("/")
	                     : strndup(path, (size_t)(slash - path));
}

/*
 * store->real: SQLite gets an absolute path, which it does not take for a
 * URI, and one whose directories are no symbolic links, since with
 * SQLITE_OPEN_NOFOLLOW it refuses those too.
 */
static enum res
resolve(struct store *store, struct diag *why)
{
	const char *slash = strrchr(store->path, '/');
	const char *name = slash == NULL ? store->path : slash + 1;
	char *directory = directory_of(store->path);
	char *real = directory == NULL ? NULL : realpath(directory, NULL);
	enum res r = RES_OK;

	if (real == NULL) {
		r = directory == NULL ? no_memory(why)
		                      : cannot("open", directory, why);
	} else if (asprintf(&store->real, "%s/%s",
	               strcmp(real, "/") == 0 ? "" : real, name) < 0) {
		store->real = NULL;
		r = no_memory(why);
	}
	free(directory);
	free(real);
	return r;
}

/* Whether anybody may rename what is in the directory of path; a sticky one,
 * as /tmp is, keeps each file with its owner. */
static bool
lets_all_in(const char *path)
{
	char *directory = directory_of(path);
	struct stat st;
	bool open;

	/* What cannot be looked at is for open() to complain of. */
	open = directory != NULL && stat(directory, &st) == 0 &&
	    (st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0;
	free(directory);
	return open;
}

/* What is at the path, by lstat(): opening a FIFO would wait. */
enum res
file_check(struct store *store, struct diag *why)
{
	const char *path = store->path;
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT || errno == ENOTDIR) {
			return diag_res(why, RES_NOTFOUND,
			    "no registry at %s: create one with \"certid "
			    "--registry %s init\"",
			    path, path);
		}
		return cannot("open", path, why);
	}
	if (S_ISLNK(st.st_mode)) {
		return diag_res(why, RES_UNAVAIL,
		    "%s is a symbolic link: name the file itself", path);
	}
	if (!S_ISREG(st.st_mode)) {
		return diag_res(why, RES_CORRUPT,
		    "%s is not a certid registry, it is no regular file: name "
		    "another path",
		    path);
	}
	if ((st.st_mode & S_IWOTH) != 0) {
		return diag_res(why, RES_UNAVAIL,
		    "%s can be written by everybody on this machine: look who "
		    "changed it, then \"chmod o-w %s\"",
		    path, path);
	}
	if (lets_all_in(path)) {
		return diag_res(why, RES_UNAVAIL,
		    "everybody on this machine can put another file in the "
		    "place of %s: \"chmod o-w\" its directory",
		    path);
	}
	if (st.st_size == 0) {
		return diag_res(why, RES_CORRUPT,
		    "%s is not a certid registry, it is empty: remove it, then "
		    "create one with \"certid --registry %s init\"",
		    path, path);
	}
	return resolve(store, why);
}

/* Give what fd is open on to the owner of model, if we may. */
static int
give(int fd, mode_t mode, const char *model)
{
	struct stat st;

	if (fchmod(fd, mode) != 0) {
		return -1;
	}
	if (geteuid() != 0) {
		return 0;
	}
	return stat(model, &st) != 0 ? -1 : fchown(fd, st.st_uid, st.st_gid);
}

/* The last directory of the path, if it is missing. */
static enum res
make_directory(struct store *store, const char *directory, struct diag *why)
{
	char *parent = NULL;
	enum res r = RES_OK;
	int fd = -1;

	if (mkdir(directory, DIRECTORY_MODE) != 0) {
		return errno == EEXIST ? RES_OK
		                       : cannot("make", directory, why);
	}
	store->made_directory = true;
	parent = directory_of(directory);
	if (parent == NULL) {
		return no_memory(why);
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || give(fd, DIRECTORY_MODE, parent) != 0) {
		r = cannot("make", directory, why);
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	free(parent);
	return r;
}

/* O_EXCL: whatever is there, a dangling link too, is left alone. */
static enum res
make_file(struct store *store, const char *directory, struct diag *why)
{
	enum res r = RES_OK;
	int fd;

	fd = open(store->path,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0 && errno == EEXIST) {
		return diag_res(why, RES_EXISTS,
		    "%s is there already: use it, or name another path",
		    store->path);
	}
	if (fd < 0) {
		return cannot("create", store->path, why);
	}
	store->unfinished = true;
	if (give(fd, FILE_MODE, directory) != 0) {
		r = cannot("create", store->path, why);
	}
	(void)close(fd);
	return r;
}

enum res
file_create(struct store *store, struct diag *why)
{
	char *directory = directory_of(store->path);
	enum res r;

	if (directory == NULL) {
		return no_memory(why);
	}
	r = make_directory(store, directory, why);
	if (r == RES_OK) {
		r = resolve(store, why);
	}
	if (r == RES_OK) {
		r = make_file(store, directory, why);
	}
	free(directory);
	return r;
}

void
file_remove(const struct store *store)
{
	static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};
	char *directory, *path;
	size_t i;

	for (i = 0;
	     store->unfinished && i < sizeof(suffixes) / sizeof(suffixes[0]);
	     i++) {
		if (asprintf(&path, "%s%s", store->real, suffixes[i]) >= 0) {
			(void)unlink(path);
			free(path);
		}
	}
	directory = store->made_directory ? directory_of(store->path) : NULL;
	if (directory != NULL) {
		(void)rmdir(directory); /* unless somebody uses it by now */
	}
	free(directory);
}

char *
file_uri(const struct store *store)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                            "abcdefghijklmnopqrstuvwxyz"
	                            "0123456789/._-";
	static const char scheme[] = "file:", query[] = "?immutable=1";
	size_t len = strlen(store->real), i, at = sizeof(scheme) - 1;
	char *uri = malloc(sizeof(scheme) + sizeof(query) + 3 * len);

	if (uri == NULL) {
		return NULL;
	}
	memcpy(uri, scheme, sizeof(scheme));
	for (i = 0; i < len; i++) {
		if (strchr(plain, store->real[i]) != NULL) {
			uri[at++] = store->real[i];
			continue;
		}
		uri[at++] = '%';
		text_hex(uri + at, (const uint8_t *)&store->real[i], 1);
		at += 2;
	}
	memcpy(uri + at, query, sizeof(query));
	return uri;
}
