/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The fetcher's patience: what hangs or drips holds up nobody. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "test/unit/plugin/fetch_fixture.h"
#include "test/unit/plugin/slow_dns.h"

#define QUICK_MS 2000

/* Never too slow for a moment, but too slow on the whole. */
static void
takes_no_longer_than_allowed(void **state)
{
	struct fetch_fixture *fixture = *state;
	struct fetcher *fetcher =
	    fetch_fetcher(fixture->server.ca_file, 1500, 1);
	int64_t began = clock_monotonic_ms();
	struct fetch *fetch;

	fetch = fetch_one(fetcher,
	    crl_server_url(&fixture->server, SERVER_GOOD, "drip/20"),
	    CLOCK_NONE);
	fetch_must_fail(fetch, TOO_SLOW);
	assert_in_range(clock_monotonic_ms() - began, 1400, 5000);
	fetch_free(fetch);
	fetcher_free(fetcher);
}

/* One that does not give up on a server before the test ends. */
static void
be_patient(struct fetch_fixture *fixture)
{
	fetcher_free(fixture->fetcher);
	fixture->fetcher = fetch_fetcher(fixture->server.ca_file, 60000, 60);
}

/* All but one hang: that one is served, and one more has to wait. */
static void
serves_who_does_not_hang(void **state)
{
	struct fetch_fixture *fixture = *state;
	const struct fetch *hanging[FETCH_AT_ONCE], *none = NULL;
	struct fetch_request request = {.modified_at = CLOCK_NONE};
	struct fetch *fetch;
	size_t i;

	be_patient(fixture);
	for (i = 0; i < FETCH_AT_ONCE - 1; i++) {
		hanging[i] = fetch_start(fixture->fetcher,
		    crl_server_url(&fixture->server, SERVER_GOOD, "hang/"),
		    CLOCK_NONE);
	}
	fetch = fetch_get(fixture, SERVER_GOOD, "files/a.crl");
	fetch_must_be_there(fetch);
	fetch_free(fetch);

	hanging[i] = fetch_start(fixture->fetcher,
	    crl_server_url(&fixture->server, SERVER_GOOD, "hang/8"),
	    CLOCK_NONE);
	request.url =
	    crl_server_url(&fixture->server, SERVER_GOOD, "files/a.crl");
	assert_int_equal(
	    fetcher_begin(fixture->fetcher, &request, &none), RES_LIMIT);
	assert_null(none);

	fetcher_abandon(fixture->fetcher, hanging[2]);
	fetch = fetch_get(fixture, SERVER_GOOD, "files/a.crl");
	fetch_must_be_there(fetch);
	fetch_free(fetch);
}

static void
leaves_who_hangs(void **state)
{
	struct fetch_fixture *fixture = *state;
	int64_t began;

	be_patient(fixture);
	(void)fetch_start(fixture->fetcher,
	    crl_server_url(&fixture->server, SERVER_GOOD, "hang/here"),
	    CLOCK_NONE);
	(void)fetch_start(fixture->fetcher,
	    crl_server_url(&fixture->server, HERE, "a.crl"), CLOCK_NONE);
	while (!crl_server_has_said(&fixture->server, "GET /hang/here")) {
		fetcher_turn(fixture->fetcher, 10);
	}
	began = clock_monotonic_ms();
	fetcher_free(fixture->fetcher);
	fixture->fetcher = NULL;
	assert_true(clock_monotonic_ms() - began < QUICK_MS);
	assert_true(crl_server_await(&fixture->server, "gone /hang/here"));
}

static void
leaves_a_name_that_hangs(void **state)
{
	struct fetch_fixture *fixture = *state;
	int64_t began;
	struct fetch *fetch;

	/* It fails in time, although the look-up goes on ... */
	fetch = fetch_one(
	    fixture->fetcher, "https://" SLOW_DNS_NAME "/a.crl", CLOCK_NONE);
	fetch_must_fail(fetch, TOO_SLOW);
	fetch_free(fetch);
	/* ... and is left at once. */
	(void)fetch_start(
	    fixture->fetcher, "https://" SLOW_DNS_NAME "/a.crl", CLOCK_NONE);
	fetcher_turn(fixture->fetcher, 10);
	assert_true(slow_dns_await());
	began = clock_monotonic_ms();
	fetcher_free(fixture->fetcher);
	fixture->fetcher = NULL;
	assert_true(clock_monotonic_ms() - began < QUICK_MS);
	slow_dns_let_go();
}

static void *
wake(void *context)
{
	fetcher_wake(context);
	return NULL;
}

/* Before it waits, and while it does. */
static void
wakes(void **state)
{
	struct fetch_fixture *fixture = *state;
	int64_t began = clock_monotonic_ms();
	pthread_t thread;

	(void)wake(fixture->fetcher);
	fetcher_turn(fixture->fetcher, 60000);
	assert_int_equal(
	    pthread_create(&thread, NULL, wake, fixture->fetcher), 0);
	fetcher_turn(fixture->fetcher, 60000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(clock_monotonic_ms() - began < SERVER_DEADLINE_MS);
}

static void
waits_no_longer_than_told(void **state)
{
	struct fetch_fixture *fixture = *state;
	int64_t began = clock_monotonic_ms();
	struct fetch *fetch;

	fetcher_turn(fixture->fetcher, 50);
	assert_in_range(clock_monotonic_ms() - began, 45, SERVER_DEADLINE_MS);
	assert_null(fetcher_take(fixture->fetcher));
	/* What is over is not waited for. */
	(void)fetch_start(fixture->fetcher,
	    crl_server_url(&fixture->server, HERE, "a.crl"), CLOCK_NONE);
	assert_true(fetcher_has_over(fixture->fetcher));
	fetcher_turn(fixture->fetcher, 60000);
	fetch = fetcher_take(fixture->fetcher);
	fetch_must_be_there(fetch);
	fetch_free(fetch);
	assert_false(fetcher_has_over(fixture->fetcher));
	fetch_free(NULL);
	fetcher_free(NULL);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fetch_setup, fetch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(takes_no_longer_than_allowed),
	    CASE(serves_who_does_not_hang),
	    CASE(leaves_who_hangs),
	    CASE(leaves_a_name_that_hangs),
	    CASE(wakes),
	    CASE(waits_no_longer_than_told),
	};

	/* The keeper's thread blocks it. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(
	    tests, fetch_group_setup, fetch_group_teardown);
}
