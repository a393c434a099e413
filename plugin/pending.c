/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX (NAME_MAX_LEN + 1 + IDENTITY_TEXT_MAX)

struct pending_entry {
	char key[KEY_MAX + 1]; /* org:identity in lower case */
	bool is_row;           /* else only the pins of device count */
	bool is_new;
	bool attaches;
	struct device device;
	struct pins before; /* of pins: what they take the place of */
	UT_hash_handle hh;
};

struct pending_tally {
	char
	    key[KEY_MAX + 1]; /* org:class:type, or org: for all; org>gateway */
	int64_t count;
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

static struct pending_entry *
find(const struct pending *table, const char *org, const struct identity *who)
{
	char key[KEY_MAX + 1];
	struct pending_entry *entry;

	make_key(org, who, key);
	HASH_FIND_STR(table->entries, key, entry);
	return entry;
}

/* ---- Tallies ---- */

static void
make_tally_key(
    const char *org, const struct device_type *type, char key[KEY_MAX + 1])
{
	if (type == NULL) {
		(void)snprintf(key, KEY_MAX + 1, "%.*s:", NAME_MAX_LEN, org);
		return;
	}
	(void)snprintf(key, KEY_MAX + 1, "%.*s:%c:%s", NAME_MAX_LEN, org,
	    type->class, type->name);
}

static void
make_gateway_key(
    const char *org, const struct identity *gateway, char key[KEY_MAX + 1])
{
	char name[IDENTITY_TEXT_MAX + 1];

	identity_format(gateway, name);
	(void)snprintf(key, KEY_MAX + 1, "%.*s>%s", NAME_MAX_LEN, org, name);
}

static struct pending_tally *
find_tally(const struct pending *table, const char *key)
{
	struct pending_tally *tally;

	HASH_FIND_STR(table->tallies, key, tally);
	return tally;
}

static int64_t
read_tally(const struct pending *table, const char *key)
{
	const struct pending_tally *tally = find_tally(table, key);

	return tally == NULL ? 0 : tally->count;
}

int64_t
pending_count(const struct pending *table, const char *org,
    const struct device_type *type)
{
	char key[KEY_MAX + 1];

	make_tally_key(org, type, key);
	return read_tally(table, key);
}

int64_t
pending_count_behind(const struct pending *table, const char *org,
    const struct identity *gateway)
{
	char key[KEY_MAX + 1];

	make_gateway_key(org, gateway, key);
	return read_tally(table, key);
}

/* False: no memory. */
static bool
count_up(struct pending *table, const char key[KEY_MAX + 1])
{
	struct pending_tally *tally = find_tally(table, key);

	if (tally == NULL) {
		if ((tally = calloc(1, sizeof(*tally))) == NULL) {
			return false;
		}
		memcpy(tally->key, key, sizeof(tally->key));
		HASH_ADD_STR(table->tallies, key, tally);
		if (tally->hh.tbl == NULL) {
			free(tally);
			return false;
		}
	}
	tally->count++;
	return true;
}

static void
count_down(struct pending *table, const char *key)
{
	struct pending_tally *tally = find_tally(table, key);

	if (tally != NULL && --tally->count == 0) {
		HASH_DEL(table->tallies, tally);
		free(tally);
	}
}

/* The tallies in which an entry counts; how many there are. */
#define TALLIES_MAX 3

static size_t
list_tallies(
    const struct pending_entry *entry, char keys[TALLIES_MAX][KEY_MAX + 1])
{
	const struct device *device = &entry->device;
	size_t count = 0;

	if (entry->is_new) {
		make_tally_key(device->org, &device->who.type, keys[count++]);
		make_tally_key(device->org, NULL, keys[count++]);
	}
	if (entry->attaches) {
		make_gateway_key(device->org, &device->gateway, keys[count++]);
	}
	return count;
}

static void
count_out(struct pending *table, const struct pending_entry *entry)
{
	char keys[TALLIES_MAX][KEY_MAX + 1];
	size_t count = list_tallies(entry, keys);

	while (count > 0) {
		count_down(table, keys[--count]);
	}
}

/* False: no memory, and it counts in none. */
static bool
count_in(struct pending *table, const struct pending_entry *entry)
{
	char keys[TALLIES_MAX][KEY_MAX + 1];
	size_t count = list_tallies(entry, keys), i;

	for (i = 0; i < count; i++) {
		if (!count_up(table, keys[i])) {
			while (i > 0) {
				count_down(table, keys[--i]);
			}
			return false;
		}
	}
	return true;
}

/* ---- Entries ---- */

enum res
pending_get(const struct pending *table, const char *org,
    const struct identity *who, struct device *out, bool *case_clash)
{
	const struct pending_entry *entry = find(table, org, who);

	*case_clash = false;
	if (entry == NULL || !entry->is_row) {
		return RES_NOTFOUND;
	}
	if (!identity_equal(&entry->device.who, who)) {
		*case_clash = true;
		return RES_NOTFOUND;
	}
	*out = entry->device;
	return RES_OK;
}

void
pending_overlay(const struct pending *table, struct device *device)
{
	const struct pending_entry *entry =
	    find(table, device->org, &device->who);

	if (entry == NULL ||
	    !identity_equal(&entry->device.who, &device->who)) {
		return;
	}
	if (entry->is_row) {
		if (device->state == DEVICE_ALLOWED) {
			device->state = entry->device.state;
			device->pins = entry->device.pins;
		}
	} else if (pins_equal(&entry->before, &device->pins)) {
		device->pins = entry->device.pins;
	}
}

bool
pending_has(
    const struct pending *table, const char *org, const struct identity *who)
{
	return find(table, org, who) != NULL;
}

/* *out is set on RES_OK only. */
static enum res
add(struct pending *table, const struct device *device,
    struct pending_entry **out)
{
	struct pending_entry *entry;

	if (pending_has(table, device->org, &device->who)) {
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
	HASH_ADD_STR(table->entries, key, entry);
	if (entry->hh.tbl == NULL) {
		free(entry);
		return RES_NOMEM;
	}
	*out = entry;
	return RES_OK;
}

static void
drop(struct pending *table, struct pending_entry *entry)
{
	count_out(table, entry);
	HASH_DEL(table->entries, entry);
	free(entry);
}

enum res
pending_add(struct pending *table, const struct device *device, bool is_new,
    bool attaches)
{
	struct pending_entry *entry = NULL;
	enum res r = add(table, device, &entry);

	if (r != RES_OK) {
		return r;
	}
	entry->is_row = true;
	entry->is_new = is_new;
	entry->attaches = attaches;
	if (!count_in(table, entry)) {
		entry->is_new = entry->attaches = false;
		drop(table, entry);
		return RES_NOMEM;
	}
	return RES_OK;
}

enum res
pending_add_pins(struct pending *table, const struct device *device,
    const struct pins *before)
{
	struct pending_entry *entry = NULL;
	enum res r = add(table, device, &entry);

	if (r == RES_OK) {
		entry->before = *before;
	}
	return r;
}

void
pending_remove(
    struct pending *table, const char *org, const struct identity *who)
{
	struct pending_entry *entry = find(table, org, who);

	if (entry != NULL && identity_equal(&entry->device.who, who)) {
		drop(table, entry);
	}
}

void
pending_done(struct pending *table)
{
	struct pending_entry *entry, *next;

	HASH_ITER(hh, table->entries, entry, next)
	{
		drop(table, entry);
	}
}
