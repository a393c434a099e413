/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/behind.h"

#include <stdlib.h>
#include <string.h>

static size_t
write_key(
    char key[BEHIND_KEY_MAX + 1], const char *org, const struct identity *who)
{
	size_t len = strlen(org);

	memcpy(key, org, len);
	key[len] = '/';
	identity_format(who, key + len + 1);
	return strlen(key);
}

struct behind_entry *
behind_find(
    struct behind_table *table, const char *org, const struct identity *who)
{
	char key[BEHIND_KEY_MAX + 1];
	struct behind_entry *entry;
	size_t len = write_key(key, org, who);

	HASH_FIND(hh, table->entries, key, len, entry);
	return entry;
}

static void
fill(struct behind_entry *entry, const struct device *device, bool found)
{
	entry->found = found;
	entry->locked = found && device->locked;
	entry->state = found ? device->state : DEVICE_PENDING;
	entry->has_gateway = found && device->has_gateway;
	entry->gateway =
	    entry->has_gateway ? device->gateway : (struct identity){0};
	entry->denied_until_ms = 0;
}

struct behind_entry *
behind_learn(struct behind_table *table, const struct device *device,
    bool found, int64_t now_ms)
{
	struct behind_entry *entry =
	    behind_find(table, device->org, &device->who);
	int64_t denied_until_ms = entry == NULL ? 0 : entry->denied_until_ms;
	size_t len;

	if (entry == NULL) {
		if (HASH_COUNT(table->entries) >= BEHIND_MAX) {
			behind_clear(table);
		}
		if ((entry = calloc(1, sizeof(*entry))) == NULL) {
			return NULL;
		}
		len = write_key(entry->key, device->org, &device->who);
		HASH_ADD(hh, table->entries, key, len, entry);
		if (entry->hh.tbl == NULL) {
			free(entry);
			return NULL;
		}
	}
	fill(entry, device, found);
	entry->learned_ms = now_ms;
	entry->denied_until_ms = denied_until_ms;
	return entry;
}

bool
behind_counts(const struct behind_entry *entry, int64_t now_ms)
{
	return entry->found || now_ms - entry->learned_ms < BEHIND_ABSENT_MS;
}

/* The registry detaches them with it, and tells of the gateway alone. */
static void
forget_gateway(struct behind_table *table, const struct device *gateway)
{
	struct behind_entry *entry, *next;
	size_t len = strlen(gateway->org);

	HASH_ITER(hh, table->entries, entry, next)
	{
		if (entry->has_gateway &&
		    identity_equal(&entry->gateway, &gateway->who) &&
		    strncmp(entry->key, gateway->org, len) == 0 &&
		    entry->key[len] == '/') {
			HASH_DEL(table->entries, entry);
			free(entry);
		}
	}
}

void
behind_update(
    struct behind_table *table, const struct device *device, bool found)
{
	struct behind_entry *entry =
	    behind_find(table, device->org, &device->who);

	if (entry != NULL) {
		fill(entry, device, found);
	}
	if (!found && device->who.type.class == 'g') {
		forget_gateway(table, device);
	}
}

bool
behind_speaks(const struct behind_entry *entry, const struct identity *gateway)
{
	return entry->found && !entry->locked &&
	    entry->state == DEVICE_PROVISIONED && entry->has_gateway &&
	    identity_equal(&entry->gateway, gateway);
}

void
behind_clear(struct behind_table *table)
{
	struct behind_entry *entry, *next;

	HASH_ITER(hh, table->entries, entry, next)
	{
		HASH_DEL(table->entries, entry);
		free(entry);
	}
}
