/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fetch_fixture: a fetcher with small limits, real servers, and files that
 * they have: a.crl (FETCH_BODY), full, large, empty, secret, fifo, dangling.
 */
#ifndef TEST_UNIT_PLUGIN_FETCH_FIXTURE_H
#define TEST_UNIT_PLUGIN_FETCH_FIXTURE_H

#include "plugin/fetch.h"
#include "test/support/cmocka_all.h"
#include "test/unit/plugin/crl_server.h"

#define FETCH_BYTES_MAX 4096 /* of a file: full has as many, large one more */
#define FETCH_BODY      "a list of revoked certificates"
#define HERE            SERVER_KINDS /* a file: URL */
#define TOO_LARGE       "it is larger than 4096 bytes"
#define TOO_SLOW        "the server is too slow"

struct fetch_fixture {
	struct crl_server server;
	struct fetcher *fetcher;
};

int fetch_group_setup(void **state);
int fetch_group_teardown(void **state);
int fetch_setup(void **state);
int fetch_teardown(void **state);

/* One that believes the CAs of ca_file, with this patience. */
struct fetcher *fetch_fetcher(const char *ca_file, long whole_ms, long slow_s);

/* Begin a fetch; its owner is the fetcher. */
const struct fetch *fetch_start(
    struct fetcher *fetcher, const char *url, int64_t modified_at);

/* Begin it, and wait for the next one that is over. */
struct fetch *fetch_one(
    struct fetcher *fetcher, const char *url, int64_t modified_at);

/* The same without a condition, with the fixture's fetcher, from a server. */
struct fetch *fetch_get(
    struct fetch_fixture *fixture, enum server_kind kind, const char *path);

/* It failed with this sentence, in one line that names the place. */
void fetch_must_fail(const struct fetch *fetch, const char *want);

/* It is a.crl. */
void fetch_must_be_there(const struct fetch *fetch);

#endif /* TEST_UNIT_PLUGIN_FETCH_FIXTURE_H */
