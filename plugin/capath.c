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

#define SLOTS_MAX  1000 /* numbers of one hash in one run of the broker */
#define USABLE_MAX 1024

/* One file of a hash: whose certificate it holds; all zero is none. */
struct slot {
	uint8_t fingerprint[HASH_LEN];
};

struct hash {
	unsigned long value;
	struct slot *slots;
	size_t count;
	struct hash *next;
};

struct capath {
	char *path;
	struct hash *hashes;
};

/* The CAs of one fill. */
struct usable {
	const struct ca_record *cas[USABLE_MAX];
	unsigned long hashes[USABLE_MAX];
	size_t count;
	bool too_many;
};

static bool
is_hash_name(const char *name)
{
	return strlen(name) >= 10 && text_is_hex(name, 8) && name[8] == '.' &&
	    strspn(name + 9, "0123456789") == strlen(name + 9);
}

/* What an earlier run left is made anew. */
static enum res
clear(const char *path, struct diag *why)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	enum res r = RES_OK;

	if (dir == NULL) {
		return diag_res(why, RES_UNAVAIL,
		    "cannot read the directory %s of plugin_opt_capath: %s; "
		    "give it to the user that the broker runs as",
		    path, strerror(errno));
	}
	while (r == RES_OK && (entry = readdir(dir)) != NULL) {
		if (is_hash_name(entry->d_name) &&
		    unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
			r = diag_res(why, RES_UNAVAIL,
			    "cannot remove %s/%s: %s; give the directory to "
			    "the user that the broker runs as",
			    path, entry->d_name, strerror(errno));
		}
	}
	(void)closedir(dir);
	return r;
}

enum res
capath_open(const char *path, struct capath **out, struct diag *why)
{
	struct capath *capath;
	enum res r;

	if (mkdir(path, 0755) != 0 && errno != EEXIST) {
		return diag_res(why, RES_UNAVAIL,
		    "cannot make the directory %s of plugin_opt_capath: %s; "
		    "make it and give it to the user that the broker runs as",
		    path, strerror(errno));
	}
	if ((r = clear(path, why)) != RES_OK) {
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
	struct hash *hash;

	if (capath == NULL) {
		return;
	}
	while ((hash = capath->hashes) != NULL) {
		capath->hashes = hash->next;
		free(hash->slots);
		free(hash);
	}
	free(capath->path);
	free(capath);
}

static void
collect(const struct ca_record *ca, void *context)
{
	struct usable *usable = context;
	size_t i;

	for (i = 0; i < usable->count; i++) {
		if (memcmp(usable->cas[i]->fingerprint, ca->fingerprint,
		        HASH_LEN) == 0) {
			return; /* two orgs may share a CA */
		}
	}
	if (usable->count == USABLE_MAX) {
		usable->too_many = true;
		return;
	}
	if (ca_subject_hash(ca->der, ca->der_len,
	        &usable->hashes[usable->count]) == RES_OK) {
		usable->cas[usable->count++] = ca;
	}
}

/* The CA with this fingerprint, or the first one of the hash. */
static const struct ca_record *
choose(
    const struct usable *usable, unsigned long hash, const uint8_t *fingerprint)
{
	const struct ca_record *first = NULL;
	size_t i;

	for (i = 0; i < usable->count; i++) {
		if (usable->hashes[i] != hash) {
			continue;
		}
		if (memcmp(usable->cas[i]->fingerprint, fingerprint,
		        HASH_LEN) == 0) {
			return usable->cas[i];
		}
		if (first == NULL) {
			first = usable->cas[i];
		}
	}
	return first;
}

static void
slot_path(const struct capath *capath, unsigned long hash, size_t number,
    char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%08lx.%zu", capath->path, hash, number);
}

static enum res
write_pem(
    const char *path, const char *temporary, const char *pem, struct diag *why)
{
	FILE *file = fopen(temporary, "we");
	bool good;

	good = file != NULL && fputs(pem, file) >= 0;
	if (file != NULL && fclose(file) != 0) {
		good = false;
	}
	if (good && chmod(temporary, 0644) == 0 &&
	    rename(temporary, path) == 0) {
		return RES_OK;
	}
	return diag_res(
	    why, RES_UNAVAIL, "cannot write %s: %s", path, strerror(errno));
}

static enum res
fill_slot(const struct capath *capath, struct hash *hash, size_t number,
    const struct ca_record *ca, struct diag *why)
{
	char path[4096], temporary[4096];
	char *pem = NULL;
	enum res r;

	slot_path(capath, hash->value, number, path, sizeof(path));
	if (ca == NULL) {
		(void)unlink(path);
		memset(&hash->slots[number], 0, sizeof(struct slot));
		return RES_OK;
	}
	if (memcmp(hash->slots[number].fingerprint, ca->fingerprint,
	        HASH_LEN) == 0) {
		return RES_OK;
	}
	(void)snprintf(
	    temporary, sizeof(temporary), "%s/.certid.tmp", capath->path);
	if ((r = pem_from_der(ca->der, ca->der_len, &pem)) != RES_OK) {
		return diag_res(why, r, "no memory for %s", path);
	}
	r = write_pem(path, temporary, pem, why);
	free(pem);
	if (r == RES_OK) {
		memcpy(
		    hash->slots[number].fingerprint, ca->fingerprint, HASH_LEN);
	}
	return r;
}

static struct hash *
find_hash(struct capath *capath, unsigned long value)
{
	struct hash *hash;

	for (hash = capath->hashes; hash != NULL; hash = hash->next) {
		if (hash->value == value) {
			return hash;
		}
	}
	if ((hash = calloc(1, sizeof(*hash))) != NULL) {
		hash->value = value;
		hash->next = capath->hashes;
		capath->hashes = hash;
	}
	return hash;
}

/* The number of the file that holds this CA, or count if none does. */
static size_t
slot_of(const struct hash *hash, const uint8_t *fingerprint)
{
	size_t i = 0;

	while (i < hash->count &&
	    memcmp(hash->slots[i].fingerprint, fingerprint, HASH_LEN) != 0) {
		i++;
	}
	return i;
}

static enum res
append_slot(struct hash *hash, struct diag *why)
{
	struct slot *slots;

	if (hash->count == SLOTS_MAX) {
		return diag_res(why, RES_LIMIT,
		    "CAs of one subject came and went too often for the "
		    "capath: restart the broker");
	}
	slots = realloc(hash->slots, (hash->count + 1) * sizeof(*slots));
	if (slots == NULL) {
		return diag_res(why, RES_NOMEM, "no memory for the capath");
	}
	hash->slots = slots;
	memset(&slots[hash->count++], 0, sizeof(*slots));
	return RES_OK;
}

/* A CA that has no file gets the next number; every other number keeps its
 * CA, or gets another one of the same subject. */
static enum res
fill_hash(struct capath *capath, struct hash *hash, const struct usable *usable,
    struct diag *why)
{
	const struct ca_record *ca;
	enum res r = RES_OK;
	size_t i;

	for (i = 0; r == RES_OK && i < usable->count; i++) {
		ca = usable->cas[i];
		if (usable->hashes[i] == hash->value &&
		    slot_of(hash, ca->fingerprint) == hash->count &&
		    (r = append_slot(hash, why)) == RES_OK) {
			r = fill_slot(capath, hash, hash->count - 1, ca, why);
		}
	}
	for (i = 0; r == RES_OK && i < hash->count; i++) {
		ca = choose(usable, hash->value, hash->slots[i].fingerprint);
		r = fill_slot(capath, hash, i, ca, why);
	}
	return r;
}

enum res
capath_fill(struct capath *capath, const struct snapshot *snapshot, int64_t now,
    struct diag *why)
{
	struct usable *usable = calloc(1, sizeof(*usable));
	struct hash *hash;
	enum res r = RES_OK;
	size_t i;

	if (usable == NULL) {
		return diag_res(why, RES_NOMEM, "no memory for the capath");
	}
	snapshot_usable_cas(snapshot, now, collect, usable);
	for (i = 0; i < usable->count; i++) {
		if (find_hash(capath, usable->hashes[i]) == NULL) {
			r = diag_res(why, RES_NOMEM, "no memory");
		}
	}
	for (hash = capath->hashes; r == RES_OK && hash != NULL;
	     hash = hash->next) {
		r = fill_hash(capath, hash, usable, why);
	}
	if (r == RES_OK && usable->too_many) {
		r = diag_res(why, RES_LIMIT,
		    "more than %d usable CAs: some are not in the capath",
		    USABLE_MAX);
	}
	free(usable);
	return r;
}
