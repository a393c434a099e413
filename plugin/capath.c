/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/capath.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/ca.h"
#include "trust/pem.h"

#define MARKER    ".certid"
#define TEMPORARY ".certid.tmp"
#define FILE_MAX  (8 + 1 + 10) /* bytes of a hashed name */

/* A hashed file, and whose certificate it holds. */
struct file {
	unsigned long hash;
	unsigned number;
	uint8_t fingerprint[HASH_LEN];
};

struct files {
	struct file list[2 * CAS_MAX]; /* while old ones still stand */
	size_t count;
};

struct capath {
	char *path;
	struct files files; /* as they are on the disk */
};

static enum res
cannot(const char *verb, const char *path, const char *name, struct diag *why)
{
	return diag_res(why, RES_UNAVAIL,
	    "cannot %s %s/%s: %s; plugin_opt_capath must be a directory of "
	    "the user that the broker runs as",
	    verb, path, name, strerror(errno));
}

static bool
is_hashed_name(const char *name)
{
	return strlen(name) > 9 && text_is_hex(name, 8) && name[8] == '.' &&
	    strspn(name + 9, "0123456789") == strlen(name + 9);
}

/* What an earlier run left is made anew. */
static enum res
remove_hashed(DIR *dir, const char *path, bool is_ours, struct diag *why)
{
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (!is_hashed_name(entry->d_name)) {
			continue;
		}
		if (!is_ours) {
			return diag_res(why, RES_UNAVAIL,
			    "the directory %s of plugin_opt_capath holds CA "
			    "files (%s) that the plugin did not make: name a "
			    "directory of its own",
			    path, entry->d_name);
		}
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
			return cannot("remove", path, entry->d_name, why);
		}
	}
	return RES_OK;
}

static enum res
take_possession(const char *path, struct diag *why)
{
	DIR *dir = opendir(path);
	FILE *marker;
	bool is_ours;
	enum res r;

	if (dir == NULL) {
		return cannot("read", path, "", why);
	}
	is_ours = faccessat(dirfd(dir), MARKER, F_OK, 0) == 0;
	r = remove_hashed(dir, path, is_ours, why);
	(void)closedir(dir);
	if (r == RES_OK && !is_ours) {
		char name[4096];

		(void)snprintf(name, sizeof(name), "%s/" MARKER, path);
		marker = fopen(name, "we");
		if (marker == NULL || fclose(marker) != 0) {
			r = cannot("write", path, MARKER, why);
		}
	}
	return r;
}

enum res
capath_open(const char *path, struct capath **out, struct diag *why)
{
	struct capath *capath;
	enum res r;

	if (mkdir(path, 0755) != 0 && errno != EEXIST) {
		return cannot("make", path, "", why);
	}
	if ((r = take_possession(path, why)) != RES_OK) {
		return r;
	}
	capath = calloc(1, sizeof(*capath));
	if (capath == NULL || (capath->path = strdup(path)) == NULL) {
		capath_close(capath);
		return diag_res(why, RES_NOMEM, "no memory");
	}
	*out = capath;
	return RES_OK;
}

void
capath_close(struct capath *capath)
{
	if (capath != NULL) {
		free(capath->path);
		free(capath);
	}
}

static struct file *
find(struct files *files, unsigned long hash, unsigned number)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		if (files->list[i].hash == hash &&
		    files->list[i].number == number) {
			return &files->list[i];
		}
	}
	return NULL;
}

static void
file_name(const struct file *file, char name[FILE_MAX + 1])
{
	(void)snprintf(name, FILE_MAX + 1, "%08lx.%u", file->hash & 0xffffffffu,
	    file->number);
}

static enum res
write_file(const struct capath *capath, const char *name, const char *pem,
    struct diag *why)
{
	char path[4096], temporary[4096];
	FILE *file;
	bool good;

	(void)snprintf(path, sizeof(path), "%s/%s", capath->path, name);
	(void)snprintf(
	    temporary, sizeof(temporary), "%s/" TEMPORARY, capath->path);
	file = fopen(temporary, "we");
	good = file != NULL && fputs(pem, file) >= 0;
	if (file != NULL && fclose(file) != 0) {
		good = false;
	}
	if (good && chmod(temporary, 0644) == 0 &&
	    rename(temporary, path) == 0) {
		return RES_OK;
	}
	return cannot("write", capath->path, name, why);
}

/* One fill: what there should be, and how it went. */
struct fill {
	struct capath *capath;
	struct files want;
	struct diag *why;
	enum res res;
};

static enum res
put(struct fill *fill, const struct ca_record *ca, const struct file *file)
{
	struct files *have = &fill->capath->files;
	struct file *there = find(have, file->hash, file->number);
	char name[FILE_MAX + 1];
	char *pem = NULL;
	enum res r;

	if (there != NULL &&
	    memcmp(there->fingerprint, file->fingerprint, HASH_LEN) == 0) {
		return RES_OK;
	}
	if ((r = pem_from_der(ca->der, ca->der_len, &pem)) != RES_OK) {
		return diag_res(fill->why, r, "no memory for a CA");
	}
	file_name(file, name);
	r = write_file(fill->capath, name, pem, fill->why);
	free(pem);
	if (r != RES_OK) {
		return r;
	}
	if (there != NULL) {
		*there = *file;
	} else {
		have->list[have->count++] = *file;
	}
	return RES_OK;
}

static void
take(const struct ca_record *ca, void *context)
{
	struct fill *fill = context;
	struct file file = {.number = 0};

	if (fill->res != RES_OK || fill->want.count == CAS_MAX) {
		return;
	}
	fill->res = ca_subject_hash(ca->der, ca->der_len, &file.hash);
	if (fill->res != RES_OK) {
		return;
	}
	memcpy(file.fingerprint, ca->fingerprint, HASH_LEN);
	while (find(&fill->want, file.hash, file.number) != NULL) {
		file.number++;
	}
	fill->want.list[fill->want.count++] = file;
	fill->res = put(fill, ca, &file);
}

/* Those that are not wanted any more; the highest numbers, so no gap. */
static enum res
drop_others(struct fill *fill)
{
	struct capath *capath = fill->capath;
	struct files *have = &capath->files;
	char name[FILE_MAX + 1], path[4096];
	size_t i = 0;

	while (i < have->count) {
		if (find(&fill->want, have->list[i].hash,
		        have->list[i].number) != NULL) {
			i++;
			continue;
		}
		file_name(&have->list[i], name);
		(void)snprintf(path, sizeof(path), "%s/%s", capath->path, name);
		if (unlink(path) != 0 && errno != ENOENT) {
			return cannot("remove", capath->path, name, fill->why);
		}
		have->list[i] = have->list[--have->count];
	}
	return RES_OK;
}

enum res
capath_fill(
    struct capath *capath, const struct snapshot *snapshot, struct diag *why)
{
	struct fill *fill = calloc(1, sizeof(*fill));
	enum res r;

	if (fill == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	fill->capath = capath;
	fill->why = why;
	snapshot_active_cas(snapshot, ORG_DEFAULT, take, fill);
	r = fill->res == RES_OK ? drop_others(fill) : fill->res;
	free(fill);
	return r;
}
