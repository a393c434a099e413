/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Several applies in one transaction. */
#include "test/conformance/registry_suite.h"

static void
begin(struct registry *registry)
{
	struct diag why = {{0}};

	if (registry_begin(registry, &why) != RES_OK) {
		fail_msg("%s", why.text);
	}
}

static enum res
commit(struct registry *registry)
{
	struct diag why = {{0}};
	enum res r = registry_commit(registry, &why);

	assert_int_equal(r == RES_OK, why.text[0] == '\0');
	return r;
}

static int64_t
count(struct registry *registry)
{
	struct device_query query = {.org = ORG_DEFAULT};
	struct diag why;
	int64_t out = -1;

	assert_int_equal(registry_count(registry, &query, &out, &why), RES_OK);
	return out;
}

/* d:m:1, d:m:1 again, d:m:2 as it comes. */
static enum res
add_three(struct registry *registry, enum apply_mode mode, const char *first,
    const char *last)
{
	struct device devices[] = {suite_device(first, DEVICE_ALLOWED),
	    suite_device(first, DEVICE_ALLOWED),
	    suite_device(last, DEVICE_ALLOWED)};
	struct change changes[3];
	struct diag why;
	size_t i;
	enum res r;

	for (i = 0; i < 3; i++) {
		changes[i] = suite_change(CHANGE_DEVICE_ADD, &devices[i]);
	}
	r = registry_apply(registry, changes, 3, mode, &why);
	if (r == RES_OK) {
		assert_int_equal(changes[0].result, RES_OK);
		assert_int_equal(changes[1].result, RES_EXISTS);
		assert_int_equal(changes[2].result, RES_OK);
	} else {
		assert_int_not_equal(changes[0].result, RES_OK);
	}
	return r;
}

static void
answers_leave_it_usable(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct config config;
	int64_t mark;

	begin(registry);
	assert_int_equal(
	    add_three(registry, APPLY_EACH, "d:m:1", "d:m:2"), RES_OK);
	assert_int_equal(
	    add_three(registry, APPLY_EACH, "d:m:3", "d:m:4"), RES_OK);
	mark = suite_mark(registry);
	assert_int_equal(mark, 4);
	suite_load(registry, &config); /* one's own is seen */
	assert_int_equal(config.mark, 4);
	config_done(&config);
	assert_int_equal(count(registry), 4);
	assert_int_equal(commit(registry), RES_OK);
	assert_int_equal(count(registry), 4);
	assert_int_equal(suite_mark(registry), 4);
	assert_int_equal(
	    add_three(registry, APPLY_EACH, "d:m:5", "d:m:6"), RES_OK);
	assert_int_equal(count(registry), 6);
}

static void
a_rollback_undoes_all(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	int i;

	registry_rollback(registry); /* of nothing */
	for (i = 0; i < 3; i++) {
		begin(registry);
		assert_int_equal(
		    add_three(registry, APPLY_EACH, "d:m:1", "d:m:2"), RES_OK);
		assert_int_equal(suite_mark(registry), 2);
		registry_rollback(registry);
		assert_int_equal(suite_mark(registry), 0);
		assert_int_equal(count(registry), 0);
	}
}

static void
one_at_a_time(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct diag why = {{0}};

	assert_int_equal(commit(registry), RES_REFUSED);
	begin(registry);
	assert_int_equal(registry_begin(registry, &why), RES_REFUSED);
	assert_string_not_equal(why.text, "");
	assert_int_equal(
	    add_three(registry, APPLY_EACH, "d:m:1", "d:m:2"), RES_OK);
	assert_int_equal(commit(registry), RES_OK);
	assert_int_equal(commit(registry), RES_REFUSED);
	assert_int_equal(count(registry), 2);
}

/* What failed half-way is never committed. */
static void
half_a_batch_is_rolled_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:9", DEVICE_ALLOWED);
	struct change change = suite_change(CHANGE_DEVICE_ADD, &device);
	struct diag why = {{0}};

	begin(registry);
	assert_int_equal(
	    add_three(registry, APPLY_EACH, "d:m:1", "d:m:2"), RES_OK);
	assert_int_equal(
	    add_three(registry, APPLY_ALL, "d:m:3", "d:m:4"), RES_EXISTS);
	assert_int_equal(registry_apply(registry, &change, 1, APPLY_EACH, &why),
	    RES_REFUSED);
	assert_int_equal(commit(registry), RES_REFUSED);
	assert_int_equal(commit(registry), RES_REFUSED); /* it is over */
	assert_int_equal(count(registry), 0);
	assert_int_equal(suite_mark(registry), 0);
	begin(registry);
	assert_int_equal(
	    add_three(registry, APPLY_EACH, "d:m:1", "d:m:2"), RES_OK);
	assert_int_equal(commit(registry), RES_OK);
	assert_int_equal(count(registry), 2);
}

/* An answer to the first change has written nothing: the rest may stand. */
static void
one_answer_spoils_nothing(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;
	struct device device = suite_device("d:m:1", DEVICE_ALLOWED);

	begin(registry);
	assert_int_equal(
	    suite_apply(registry, CHANGE_DEVICE_ADD, &device), RES_OK);
	assert_int_equal(
	    suite_apply(registry, CHANGE_DEVICE_ADD, &device), RES_EXISTS);
	assert_int_equal(
	    suite_apply(registry, CHANGE_DEVICE_APPROVE, &device), RES_REFUSED);
	device = suite_device("d:m:2", DEVICE_ALLOWED);
	assert_int_equal(
	    suite_apply(registry, CHANGE_DEVICE_ADD, &device), RES_OK);
	assert_int_equal(commit(registry), RES_OK);
	assert_int_equal(count(registry), 2);
}

static void
closing_rolls_back(void **state)
{
	struct registry *registry = ((struct suite *)*state)->registry;

	begin(registry);
	assert_int_equal(
	    add_three(registry, APPLY_EACH, "d:m:1", "d:m:2"), RES_OK);
	/* The end of the test closes it; the leak checker looks on. */
}

int
suite_transaction_tests(void)
{
	const struct CMUnitTest tests[] = {
	    SUITE_TEST(answers_leave_it_usable),
	    SUITE_TEST(a_rollback_undoes_all),
	    SUITE_TEST(one_at_a_time),
	    SUITE_TEST(half_a_batch_is_rolled_back),
	    SUITE_TEST(one_answer_spoils_nothing),
	    SUITE_TEST(closing_rolls_back),
	};

	return cmocka_run_group_tests_name("transactions", tests, NULL, NULL);
}
