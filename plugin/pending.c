/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#define HASH_NONFATAL_OOM 1

#include "plugin/pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX (NAME_MAX_LEN + 1 + IDENTITY_TEXT_MAX)

struct pending {
	char key[KEY_MAX + 1]; /* org:identity in lower case */
	struct device device;
	UT_hash_handle hh;
};

static void
make_key(const char *org, const struct identity *who, char key[KEY_MAX + 1])
{
	char name[IDENTITY_TEXT_MAX + 1];
	char *at;

	identity_format(who, name);
	for (at = name; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z') {
			*at = (char)(*at - 'A' + 'a');
		}
	}
	(void)snprintf(key, KEY_MAX + 1, "%.*s:%s", NAME_MAX_LEN, org, name);
}

static struct pending *
find(const struct pending *table, const char *org, const struct identity *who)
{
	char key[KEY_MAX + 1];
	struct pending *entry;

	make_key(org, who, key);
	HASH_FIND_STR(table, key, entry);
	return entry;
}

enum res
pending_get(const struct pending *table, const char *org,
    const struct identity *who, struct device *out, bool *case_clash)
{
	struct pending *entry = find(table, org, who);

	*case_clash = false;
	if (entry == NULL) {
		return RES_NOTFOUND;
	}
	if (!identity_equal(&entry->device.who, who)) {
		*case_clash = true;
		return RES_NOTFOUND;
	}
	*out = entry->device;
	return RES_OK;
}

enum res
pending_add(struct pending **table, const struct device *device)
{
	struct pending *entry = find(*table, device->org, &device->who);

	if (entry != NULL) {
		return RES_EXISTS;
	}
	if ((entry = calloc(1, sizeof(*entry))) == NULL) {
		return RES_NOMEM;
	}
	make_key(device->org, &device->who, entry->key);
	entry->device = *device;
	entry->device.subject = NULL;
	entry->device.tags = NULL;
	entry->device.info = NULL;
	HASH_ADD_STR(*table, key, entry);
	if (entry->hh.tbl == NULL) {
		free(entry);
		return RES_NOMEM;
	}
	return RES_OK;
}

void
pending_remove(
    struct pending **table, const char *org, const struct identity *who)
{
	struct pending *entry = find(*table, org, who);

	if (entry != NULL && identity_equal(&entry->device.who, who)) {
		HASH_DEL(*table, entry);
		free(entry);
	}
}

void
pending_done(struct pending **table)
{
	struct pending *entry, *next;

	HASH_ITER(hh, *table, entry, next)
	{
		HASH_DEL(*table, entry);
		free(entry);
	}
}
