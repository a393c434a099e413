/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/capath.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/ca.h"
#include "trust/pem.h"

#define MARKER     ".certid"
#define TEMPORARY  ".certid.tmp"
#define FILE_MAX   (8 + 1 + 10)  /* bytes of a hashed name */
#define FILES_MAX  (2 * CAS_MAX) /* new ones while the old ones stand */
#define UNNUMBERED UINT_MAX

/* A hashed file, and whose certificate it holds. */
struct file {
	unsigned long hash;
	unsigned number;
	uint8_t fingerprint[HASH_LEN];
};

struct files {
	struct file list[FILES_MAX];
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
write_marker(const char *path, struct diag *why)
{
	char name[4096];
	FILE *marker;

	(void)snprintf(name, sizeof(name), "%s/" MARKER, path);
	marker = fopen(name, "we");
	if (marker == NULL || fclose(marker) != 0) {
		return cannot("write", path, MARKER, why);
	}
	return RES_OK;
}

static enum res
take_possession(const char *path, struct diag *why)
{
	DIR *dir = opendir(path);
	bool is_ours;
	enum res r;

	if (dir == NULL) {
		return cannot("read", path, "", why);
	}
	is_ours = faccessat(dirfd(dir), MARKER, F_OK, 0) == 0;
	r = remove_hashed(dir, path, is_ours, why);
	(void)closedir(dir);
	return r == RES_OK && !is_ours ? write_marker(path, why) : r;
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
	const struct ca_record *cas[CAS_MAX]; /* beside want */
	struct diag *why;
	enum res res;
};

static void
take(const struct ca_record *ca, void *context)
{
	struct fill *fill = context;
	struct file *file = &fill->want.list[fill->want.count];

	if (fill->res != RES_OK || fill->want.count == CAS_MAX) {
		return;
	}
	fill->res = ca_subject_hash(ca->der, ca->der_len, &file->hash);
	if (fill->res == RES_OK) {
		memcpy(file->fingerprint, ca->fingerprint, HASH_LEN);
		file->number = UNNUMBERED;
		fill->cas[fill->want.count++] = ca;
	}
}

static unsigned
count_of(const struct files *files, unsigned long hash)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < files->count; i++) {
		n += files->list[i].hash == hash ? 1 : 0;
	}
	return n;
}

/* Who has a number that will still be there keeps it, so that no file that is
 * wanted is written over; the others take the free ones from 0. */
static void
number_all(struct fill *fill)
{
	const struct files *have = &fill->capath->files;
	struct file *file;
	size_t i, k;

	for (i = 0; i < fill->want.count; i++) {
		file = &fill->want.list[i];
		for (k = 0; k < have->count; k++) {
			if (have->list[k].hash == file->hash &&
			    have->list[k].number <
			        count_of(&fill->want, file->hash) &&
			    memcmp(have->list[k].fingerprint, file->fingerprint,
			        HASH_LEN) == 0) {
				file->number = have->list[k].number;
			}
		}
	}
	for (i = 0; i < fill->want.count; i++) {
		unsigned number = 0;

		file = &fill->want.list[i];
		while (file->number == UNNUMBERED) {
			if (find(&fill->want, file->hash, number) == NULL) {
				file->number = number;
			}
			number++;
		}
	}
}

static enum res
put(struct fill *fill, const struct ca_record *ca, const struct file *file)
{
	struct files *have = &fill->capath->files;
	struct file *there = find(have, file->hash, file->number);
	char name[FILE_MAX + 1], path[4096];
	char *pem = NULL;
	enum res r;

	file_name(file, name);
	(void)snprintf(path, sizeof(path), "%s/%s", fill->capath->path, name);
	if (there != NULL && access(path, F_OK) == 0 &&
	    memcmp(there->fingerprint, file->fingerprint, HASH_LEN) == 0) {
		return RES_OK;
	}
	if (there == NULL && have->count == FILES_MAX) {
		return diag_res(fill->why, RES_LIMIT,
		    "%s holds files that cannot be removed",
		    fill->capath->path);
	}
	if ((r = pem_from_der(ca->der, ca->der_len, &pem)) != RES_OK) {
		return diag_res(fill->why, r, "no memory for a CA");
	}
	r = write_file(fill->capath, name, pem, fill->why);
	free(pem);
	if (r == RES_OK) {
		if (there == NULL) {
			there = &have->list[have->count++];
		}
		*there = *file;
	}
	return r;
}

/* Those that are not wanted any more; the highest numbers, so no gap. */
static enum res
drop_others(struct fill *fill)
{
	struct capath *capath = fill->capath;
	struct files *have = &capath->files;
	char name[FILE_MAX + 1], path[4096];
	enum res r = RES_OK;
	size_t i = 0;

	while (i < have->count) {
		if (find(&fill->want, have->list[i].hash,
		        have->list[i].number) != NULL) {
			i++;
			continue;
		}
		file_name(&have->list[i], name);
		(void)snprintf(path, sizeof(path), "%s/%s", capath->path, name);
		if (unlink(path) == 0 || errno == ENOENT) {
			have->list[i] = have->list[--have->count];
			continue;
		}
		r = cannot("remove", capath->path, name, fill->why);
		i++;
	}
	return r;
}

/* Somebody may have cleaned the directory up, or made it anew. */
static enum res
look_after_marker(struct capath *capath, struct diag *why)
{
	char name[4096];

	(void)snprintf(name, sizeof(name), "%s/" MARKER, capath->path);
	return access(name, F_OK) == 0 ? RES_OK
	                               : write_marker(capath->path, why);
}

enum res
capath_fill(
    struct capath *capath, const struct snapshot *snapshot, struct diag *why)
{
	struct fill *fill = calloc(1, sizeof(*fill));
	enum res r;
	size_t i;

	if (fill == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	fill->capath = capath;
	fill->why = why;
	snapshot_active_cas(snapshot, ORG_DEFAULT, take, fill);
	r = fill->res == RES_OK ? look_after_marker(capath, why) : fill->res;
	number_all(fill);
	for (i = 0; r == RES_OK && i < fill->want.count; i++) {
		r = put(fill, fill->cas[i], &fill->want.list[i]);
	}
	if (r == RES_OK) {
		r = drop_others(fill);
	}
	free(fill);
	return r;
}
