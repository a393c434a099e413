/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/plugin/worker_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_MS 10000

/* A registry that refuses when a test wants it to. */
enum res __real_registry_apply(struct registry *registry,
    struct change *changes, size_t n, enum apply_mode mode, struct diag *why);
enum res __wrap_registry_apply(struct registry *registry,
    struct change *changes, size_t n, enum apply_mode mode, struct diag *why);
enum res __real_registry_get(struct registry *registry, const char *org,
    const struct identity *who, bool full, struct device *out, bool *case_clash,
    struct diag *why);
enum res __wrap_registry_get(struct registry *registry, const char *org,
    const struct identity *who, bool full, struct device *out, bool *case_clash,
    struct diag *why);

static atomic_int applies_as;      /* enum res; RES_OK: really */
static atomic_llong refuses_until; /* monotonic ms */
atomic_int fixture_gets_to_fail;

enum res
__wrap_registry_apply(struct registry *registry, struct change *changes,
    size_t n, enum apply_mode mode, struct diag *why)
{
	if (clock_monotonic_ms() < atomic_load(&refuses_until)) {
		return diag_res(
		    why, (enum res)atomic_load(&applies_as), "not now");
	}
	return __real_registry_apply(registry, changes, n, mode, why);
}

enum res
__wrap_registry_get(struct registry *registry, const char *org,
    const struct identity *who, bool full, struct device *out, bool *case_clash,
    struct diag *why)
{
	if (atomic_load(&fixture_gets_to_fail) > 0) {
		atomic_fetch_sub(&fixture_gets_to_fail, 1);
		*case_clash = false;
		return diag_res(why, RES_UNAVAIL, "cannot be read");
	}
	return __real_registry_get(
	    registry, org, who, full, out, case_clash, why);
}

void
fixture_refuse(enum res r, int64_t ms)
{
	atomic_store(&applies_as, (int)r);
	atomic_store(&refuses_until, clock_monotonic_ms() + ms);
}

struct edit
fixture_edit(struct fixture *fixture)
{
	struct edit made = {.registry = fixture->admin,
	    .org = ORG_DEFAULT,
	    .actor = "operator",
	    .now = clock_now()};

	return made;
}

struct device
fixture_device(const char *name)
{
	struct device made;
	struct identity who;
	const char *why;

	assert_int_equal(
	    identity_parse(name, strlen(name), &who, &why), RES_OK);
	device_init(&made, ORG_DEFAULT, &who);
	made.state = DEVICE_PROVISIONED;
	made.created_at = clock_now();
	made.provisioned_at = clock_now();
	made.window_ends_at = CLOCK_FOREVER;
	return made;
}

int
fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct worker_options options = {.capath = NULL};
	struct registry_options how = {
	    .mode = REGISTRY_CREATE, .busy_ms = 5000};
	struct edit starter;
	struct diag why = {{0}};

	fixture_refuse(RES_OK, 0);
	atomic_store(&fixture_gets_to_fail, 0);
	(void)snprintf(fixture->directory, sizeof(fixture->directory),
	    "/tmp/certid-worker-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/r.db",
	    fixture->directory);
	how.path = fixture->path;
	options.registry = fixture->path;
	assert_int_equal(registry_open(&how, &fixture->admin, &why), RES_OK);
	starter = fixture_edit(fixture);
	assert_int_equal(edit_org_start(&starter, STARTER_PLAIN, &why), RES_OK);
	assert_int_equal(
	    worker_start(&options, &fixture->worker, &why), RES_OK);
	*state = fixture;
	return 0;
}

int
fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct news *next;
	char path[128];
	size_t i;

	for (; fixture->news != NULL; fixture->news = next) {
		next = fixture->news->next;
		news_free(fixture->news);
	}
	worker_free(fixture->worker);
	registry_close(fixture->admin);
	for (i = 0; i < 3; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s%s", fixture->path, suffixes[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

/* The next piece of news of this kind; others are dropped.  NULL: none came
 * before the deadline. */
struct news *
fixture_await(struct fixture *fixture, enum news_kind kind)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t end = clock_monotonic_ms() + DEADLINE_MS;
	struct news *news;

	while (clock_monotonic_ms() < end) {
		if (fixture->news == NULL) {
			fixture->news = worker_take(fixture->worker);
		}
		if (fixture->news == NULL) {
			nanosleep(&pause, NULL);
			continue;
		}
		news = fixture->news;
		fixture->news = news->next;
		if (news->kind == kind) {
			return news;
		}
		news_free(news);
	}
	return NULL;
}

void
fixture_provision(struct fixture *fixture, const struct device *device)
{
	assert_int_equal(worker_provision(fixture->worker, device), RES_OK);
	news_free(fixture_await(fixture, NEWS_RECORDED));
	news_free(fixture_await(fixture, NEWS_DEVICE)); /* of the event */
}
