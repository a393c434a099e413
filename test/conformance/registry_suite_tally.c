/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Tallies are what counting every device gives, whatever was done before. */
#include "test/conformance/registry_suite.h"

#include <stdio.h>
#include <stdlib.h>

#define CHANGES     2000
#define TALLIES_MAX 256
#define SEED        20240229u

struct tallies {
	struct tally list[TALLIES_MAX];
	size_t count;
};

/* "d:meter provisioned 3 = 17;" one after the other, in order. */
static int
compare(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	char tx[TYPE_TEXT_MAX + 1], ty[TYPE_TEXT_MAX + 1];
	int order;

	device_type_format(&x->type, tx);
	device_type_format(&y->type, ty);
	order = strcmp(tx, ty);
	if (order == 0) {
		order = (int)x->state - (int)y->state;
	}
	return order != 0 ? order : (int)x->seen_with - (int)y->seen_with;
}

static enum res
take(const struct tally *tally, void *context)
{
	struct tallies *tallies = context;

	assert_true(tallies->count < TALLIES_MAX);
	assert_true(tally->count > 0);
	tallies->list[tallies->count++] = *tally;
	return RES_OK;
}

static enum res
count_one(const struct device *device, void *context)
{
	struct tallies *tallies = context;
	struct tally tally = {.type = device->who.type,
	    .state = device->state,
	    .seen_with = device->seen_with,
	    .count = 1};
	size_t i;

	for (i = 0; i < tallies->count; i++) {
		if (compare(&tallies->list[i], &tally) == 0) {
			tallies->list[i].count++;
			return RES_OK;
		}
	}
	return take(&tally, tallies);
}

static int64_t
sum(const struct tallies *tallies)
{
	int64_t count = 0;
	size_t i;

	for (i = 0; i < tallies->count; i++) {
		count += tallies->list[i].count;
	}
	return count;
}

/* By both ways, and by registry_count(). */
static void
check(
    struct registry *registry, const char *org, const struct device_type *type)
{
	struct tallies *told = calloc(2, sizeof(*told)), *counted;
	struct device_query query = {.org = org, .type = type};
	struct diag why;
	int64_t count = -1;
	size_t i;

	assert_non_null(told);
	counted = told + 1;
	assert_int_equal(
	    registry_tally(registry, org, type, take, told, &why), RES_OK);
	assert_int_equal(
	    registry_scan(registry, &query, count_one, counted, &why), RES_OK);
	for (i = 1; i < told->count; i++) {
		char a[TYPE_TEXT_MAX + 1], b[TYPE_TEXT_MAX + 1];

		device_type_format(&told->list[i - 1].type, a);
		device_type_format(&told->list[i].type, b);
		assert_true(strcmp(a, b) <= 0); /* in order of type */
	}
	qsort(told->list, told->count, sizeof(told->list[0]), compare);
	qsort(counted->list, counted->count, sizeof(told->list[0]), compare);
	assert_int_equal(told->count, counted->count);
	for (i = 0; i < told->count; i++) {
		assert_int_equal(compare(&told->list[i], &counted->list[i]), 0);
		assert_int_equal(told->list[i].count, counted->list[i].count);
	}
	assert_int_equal(
	    registry_count(registry, &query, &count, &why), RES_OK);
	assert_int_equal(count, sum(told));
	free(told);
}

static const char *const orgs[] = {ORG_DEFAULT, "plant"};
static const char *const types[] = {"d:m", "d:m-2", "d:m2", "g:m", "d:x"};

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static void
random_change(struct registry *registry, uint32_t *seed)
{
	static const enum change_kind kinds[] = {CHANGE_DEVICE_ADD,
	    CHANGE_DEVICE_ADD, CHANGE_DEVICE_PROVISION, CHANGE_DEVICE_PROVISION,
	    CHANGE_DEVICE_LOCK, CHANGE_DEVICE_APPROVE, CHANGE_DEVICE_REMOVE,
	    CHANGE_DEVICE_SEEN, CHANGE_DEVICE_SEEN, CHANGE_DEVICE_TOKEN,
	    CHANGE_DEVICE_PINS, CHANGE_DEVICE_ATTACH};
	enum change_kind kind =
	    kinds[draw(seed, sizeof(kinds) / sizeof(kinds[0]))];
	static const enum device_state states[] = {
	    DEVICE_PENDING, DEVICE_PROVISIONED, DEVICE_ALLOWED};
	uint32_t states_count = kind == CHANGE_DEVICE_ADD ? 3 : 2;
	struct device device;
	struct change change;
	struct diag why;
	char name[32];
	enum res r;

	(void)snprintf(name, sizeof(name), "%s:%u",
	    types[draw(seed, sizeof(types) / sizeof(types[0]))],
	    (unsigned)draw(seed, 8));
	device = suite_device(name, states[draw(seed, states_count)]);
	device.seen_with = draw(seed, SEEN_MAX + 1);
	device.locked = draw(seed, 2) != 0;
	change = suite_change(kind, &device);
	change.org = orgs[draw(seed, 2)];
	change.actor = NULL;
	r = registry_apply(registry, &change, 1, APPLY_EACH, &why);
	assert_int_equal(r, RES_OK);
}

static void
tallies_follow_every_change(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct org org = {.name = "plant", .created_at = NOW};
	struct change remove = suite_change(CHANGE_ORG_REMOVE, &org);
	struct device_type type = {.class = 'd', .name = "m"};
	struct tallies none = {.count = 0};
	struct diag why;
	uint32_t seed = SEED;
	int i;

	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	for (i = 1; i <= CHANGES; i++) {
		random_change(registry, &seed);
		if (i % 100 == 0) {
			check(registry, ORG_DEFAULT, NULL);
			check(registry, "plant", NULL);
			check(registry, ORG_DEFAULT, &type);
		}
	}
	assert_int_equal(
	    registry_apply(registry, &remove, 1, APPLY_ALL, &why), RES_OK);
	assert_int_equal(
	    registry_tally(registry, "plant", NULL, take, &none, &why), RES_OK);
	assert_int_equal(none.count, 0);
	check(registry, ORG_DEFAULT, NULL);
	/* The org comes again, with nothing of what it had. */
	suite_expect(registry, CHANGE_ORG_ADD, &org, RES_OK);
	check(registry, "plant", NULL);
}

static enum res
stop(const struct tally *tally, void *context)
{
	(void)tally;
	++*(int *)context;
	return RES_LIMIT;
}

static void
a_visitor_ends_the_tallies(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device one = suite_device("d:m:1", DEVICE_PENDING),
	              two = suite_device("d:n:1", DEVICE_PENDING);
	struct diag why;
	int seen = 0;

	suite_expect(registry, CHANGE_DEVICE_ADD, &one, RES_OK);
	suite_expect(registry, CHANGE_DEVICE_ADD, &two, RES_OK);
	assert_int_equal(
	    registry_tally(registry, ORG_DEFAULT, NULL, stop, &seen, &why),
	    RES_LIMIT);
	assert_int_equal(seen, 1);
}

int
suite_tally_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(tallies_follow_every_change),
	    SUITE_TEST(a_visitor_ends_the_tallies),
	};

	return cmocka_run_group_tests_name("tallies", tests, NULL, NULL);
}
