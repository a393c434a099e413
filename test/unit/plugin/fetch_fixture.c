/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/plugin/fetch_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define AGE 100 /* seconds that the files are old */

struct fetcher *
fetch_fetcher(const char *ca_file, long whole_ms, long slow_s)
{
	const struct fetch_limits limits = {.connect_ms = 3000,
	    .whole_ms = whole_ms,
	    .slow_s = slow_s,
	    .bytes_max = FETCH_BYTES_MAX};
	struct fetcher *fetcher = NULL;
	struct diag why = {{0}};

	assert_int_equal(setenv("SSL_CERT_FILE", ca_file, 1), 0);
	assert_int_equal(fetcher_new(&limits, &fetcher, &why), RES_OK);
	return fetcher;
}

int
fetch_group_setup(void **state)
{
	struct fetch_fixture *fixture = calloc(1, sizeof(*fixture));
	static const char bytes[FETCH_BYTES_MAX + 1];
	const struct crl_server *server = &fixture->server;
	char path[128];

	crl_server_start(&fixture->server);
	crl_server_put(server, "a.crl", FETCH_BODY, strlen(FETCH_BODY), AGE);
	crl_server_put(server, "full", bytes, FETCH_BYTES_MAX, AGE);
	crl_server_put(server, "large", bytes, FETCH_BYTES_MAX + 1, AGE);
	crl_server_put(server, "empty", bytes, 0, AGE);
	crl_server_put(server, "secret", FETCH_BODY, strlen(FETCH_BODY), AGE);
	(void)snprintf(path, sizeof(path), "%s/secret", server->directory);
	assert_int_equal(chmod(path, 0), 0);
	(void)snprintf(path, sizeof(path), "%s/fifo", server->directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof(path), "%s/dangling", server->directory);
	assert_int_equal(symlink("nowhere", path), 0);
	*state = fixture;
	return 0;
}

int
fetch_group_teardown(void **state)
{
	struct fetch_fixture *fixture = *state;

	crl_server_stop(&fixture->server);
	free(fixture);
	return 0;
}

int
fetch_setup(void **state)
{
	struct fetch_fixture *fixture = *state;

	fixture->fetcher = fetch_fetcher(fixture->server.ca_file, 60000, 1);
	crl_server_hush(&fixture->server);
	return 0;
}

int
fetch_teardown(void **state)
{
	struct fetch_fixture *fixture = *state;

	fetcher_free(fixture->fetcher);
	fixture->fetcher = NULL;
	return 0;
}

const struct fetch *
fetch_start(struct fetcher *fetcher, const char *url, int64_t modified_at)
{
	const struct fetch_request request = {
	    .url = url, .modified_at = modified_at, .owner = fetcher};
	const struct fetch *fetch = NULL;

	assert_int_equal(fetcher_begin(fetcher, &request, &fetch), RES_OK);
	assert_non_null(fetch);
	return fetch;
}

/* The next one that is over. */
static struct fetch *
await(struct fetcher *fetcher)
{
	int64_t end = clock_monotonic_ms() + SERVER_DEADLINE_MS;
	struct fetch *fetch = NULL;

	while (fetch == NULL && clock_monotonic_ms() < end) {
		fetcher_turn(fetcher, 100);
		fetch = fetcher_take(fetcher);
	}
	assert_non_null(fetch);
	assert_ptr_equal(fetch->owner, fetcher);
	return fetch;
}

struct fetch *
fetch_one(struct fetcher *fetcher, const char *url, int64_t modified_at)
{
	(void)fetch_start(fetcher, url, modified_at);
	return await(fetcher);
}

struct fetch *
fetch_get(
    struct fetch_fixture *fixture, enum server_kind kind, const char *path)
{
	return fetch_one(fixture->fetcher,
	    crl_server_url(&fixture->server, kind, path), CLOCK_NONE);
}

void
fetch_must_fail(const struct fetch *fetch, const char *want)
{
	if (fetch->outcome != FETCH_FAILED ||
	    strstr(fetch->why.text, want) == NULL) {
		print_error("not \"%s\" but outcome %d, \"%s\"\n", want,
		    (int)fetch->outcome, fetch->why.text);
	}
	assert_int_equal(fetch->outcome, FETCH_FAILED);
	assert_non_null(strstr(fetch->why.text, want));
	assert_null(strchr(fetch->why.text, '\n'));
	assert_int_equal(
	    strncmp(fetch->why.text, fetch->label, strlen(fetch->label)), 0);
	assert_true(strlen(fetch->label) <= FETCH_LABEL_MAX);
}

void
fetch_must_be_there(const struct fetch *fetch)
{
	assert_string_equal(fetch->why.text, "");
	assert_int_equal(fetch->outcome, FETCH_DONE);
	assert_int_equal(fetch->len, strlen(FETCH_BODY));
	assert_memory_equal(fetch->bytes, FETCH_BODY, strlen(FETCH_BODY));
}
