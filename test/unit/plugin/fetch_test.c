/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The fetcher against real servers and a real disk. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/unit/plugin/fetch_fixture.h"

#define NOBODY 65534

static int64_t
date_of(const struct crl_server *server, const char *name)
{
	struct stat is;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", server->directory, name);
	assert_int_equal(stat(path, &is), 0);
	return is.st_mtime;
}

static const struct {
	enum server_kind kind;
	const char *path;
	const char *why;
} failures[] = {
    {SERVER_GOOD, "files/none", "the server answered 404"},
    {SERVER_GOOD, "status/403", "the server answered 403"},
    {SERVER_GOOD, "status/500", "the server answered 500"},
    {SERVER_GOOD, "status/201", "the server answered 201"},
    {SERVER_GOOD, "status/206", "the server answered 206"},
    {SERVER_GOOD, "status/301", "answered 301: redirects are not followed"},
    {SERVER_GOOD, "status/302", "set --crl-url to the last address"},
    {SERVER_GOOD, "status/307", "answered 307: redirects are not followed"},
    {SERVER_GOOD, "status/308", "answered 308: redirects are not followed"},
    {SERVER_GOOD, "not_modified/", "304, which it was not asked for"},
    {SERVER_GOOD, "empty/", "the answer is empty"},
    {SERVER_GOOD, "files/empty", "the answer is empty"},
    {SERVER_GOOD, "files/large", TOO_LARGE},
    {SERVER_GOOD, "announce/1000000000", TOO_LARGE},
    {SERVER_GOOD, "chunked/4097", TOO_LARGE},
    {SERVER_GOOD, "chunked/endless", TOO_LARGE},
    {SERVER_GOOD, "half/", "the connection broke off"},
    {SERVER_GOOD, "close/", "closed the connection without an answer"},
    {SERVER_GOOD, "garbage/", "the answer is not HTTP"},
    {SERVER_GOOD, "drip/1", TOO_SLOW},
    {SERVER_GOOD, "hang/", TOO_SLOW},
    {SERVER_OTHER, "files/a.crl", "certificate subject name matches"},
    {SERVER_OTHER, "files/a.crl", "localhost"},
    {SERVER_EXPIRED, "files/a.crl", "certificate has expired"},
    {SERVER_STRANGE, "files/a.crl", "unable to get local issuer certificate"},
    {SERVER_PLAIN, "files/a.crl", "wrong version number"},
    {HERE, "none", "cannot open it: No such file or directory"},
    {HERE, "none/", "cannot open it: No such file or directory"},
    {HERE, "a.crl/b", "cannot open it: Not a directory"},
    {HERE, "dangling", "cannot open it: No such file or directory"},
    {HERE, "", "it is not a regular file"},
    {HERE, "fifo", "it is not a regular file"},
    {HERE, "../../dev/zero", "it is not a regular file"},
    {HERE, "empty", "it is empty"},
    {HERE, "large", TOO_LARGE},
};

static void
fails(void **state)
{
	struct fetch_fixture *fixture = *state;
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		fetch = fetch_get(fixture, failures[i].kind, failures[i].path);
		fetch_must_fail(fetch, failures[i].why);
		fetch_free(fetch);
	}
	/* No redirect was followed. */
	assert_false(crl_server_has_said(&fixture->server, "Referer=https"));
	assert_false(crl_server_has_said(&fixture->server, "GET /files/a.crl"));
}

static void
cannot_read_what_is_not_ours(void **state)
{
	struct fetch_fixture *fixture = *state;
	struct fetch *fetch;

	/* Root may read everything. */
	assert_int_equal(geteuid() == 0 ? seteuid(NOBODY) : 0, 0);
	fetch = fetch_get(fixture, HERE, "secret");
	assert_int_equal(getuid() == 0 ? seteuid(0) : 0, 0);
	fetch_must_fail(fetch, "cannot open it: Permission denied");
	fetch_free(fetch);
}

static const struct {
	const char *url;
	const char *why;
} strange_urls[] = {
    {"", "crl-url: the URL does not begin"},
    {"http://localhost/a.crl", "crl-url: the URL does not begin"},
    {"ftp://localhost/a.crl", "crl-url: the URL does not begin"},
    {"ldap://localhost/a.crl", "crl-url: the URL does not begin"},
    {"file:/etc/passwd", "crl-url: the URL does not begin"},
    {"file://localhost/etc/passwd", "crl-url: the URL does not begin"},
    {"https://me:secret@localhost/a.crl", "write no user name or password"},
    {"https://localhost/a b", "blank"},
};

static void
takes_no_other_url(void **state)
{
	struct fetch_fixture *fixture = *state;
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < sizeof(strange_urls) / sizeof(strange_urls[0]); i++) {
		fetch = fetch_one(
		    fixture->fetcher, strange_urls[i].url, CLOCK_NONE);
		fetch_must_fail(fetch, strange_urls[i].why);
		assert_null(strstr(fetch->why.text, "secret"));
		fetch_free(fetch);
	}
}

static void
cannot_connect(void **state)
{
	struct fetch_fixture *fixture = *state;
	struct fetch *first, *second;

	first = fetch_one(
	    fixture->fetcher, "https://localhost:1/a.crl", CLOCK_NONE);
	second = fetch_one(
	    fixture->fetcher, "https://localhost:1/a.crl", CLOCK_NONE);
	fetch_must_fail(first,
	    "https://localhost:1/a.crl: cannot connect to the server: "
	    "Connection refused");
	/* No milliseconds in it. */
	assert_string_equal(first->why.text, second->why.text);
	fetch_free(first);
	fetch_free(second);
}

static void
hides_a_query(void **state)
{
	static const char *const paths[] = {
	    "status/404?password", "status/404/b#password"};
	struct fetch_fixture *fixture = *state;
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < 2; i++) {
		fetch = fetch_get(fixture, SERVER_GOOD, paths[i]);
		fetch_must_fail(fetch, "?...: ");
		assert_null(strstr(fetch->why.text, "password"));
		fetch_free(fetch);
	}
}

static void
shortens_a_long_url(void **state)
{
	struct fetch_fixture *fixture = *state;
	char path[600] = "none";
	struct fetch *fetch;

	memset(path + 4, 'x', sizeof(path) - 5);
	path[sizeof(path) - 1] = '\0';
	fetch = fetch_get(fixture, HERE, path);
	fetch_must_fail(fetch, "xxx...: cannot open it: File name too long");
	assert_int_equal(strlen(fetch->label), FETCH_LABEL_MAX);
	fetch_free(fetch);
}

/* From a server, and from the disk. */
static const struct {
	enum server_kind kind;
	const char *path;
} places[] = {{SERVER_GOOD, "files/a.crl"}, {HERE, "a.crl"}};

static void
fetches(void **state)
{
	struct fetch_fixture *fixture = *state;
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < 2; i++) {
		fetch = fetch_get(fixture, places[i].kind, places[i].path);
		fetch_must_be_there(fetch);
		assert_int_equal(
		    fetch->modified_at, date_of(&fixture->server, "a.crl"));
		fetch_free(fetch);
	}
}

static void
fetches_what_just_fits(void **state)
{
	static const struct {
		enum server_kind kind;
		const char *path;
	} full[] = {{SERVER_GOOD, "files/full"}, {SERVER_GOOD, "chunked/4096"},
	    {HERE, "full"}};
	struct fetch_fixture *fixture = *state;
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < 3; i++) {
		fetch = fetch_get(fixture, full[i].kind, full[i].path);
		assert_int_equal(fetch->outcome, FETCH_DONE);
		assert_int_equal(fetch->len, FETCH_BYTES_MAX);
		fetch_free(fetch);
	}
}

/* A server tells by order of dates, a disk by whether they are the same. */
static const struct {
	enum server_kind kind;
	const char *path;
	int64_t later; /* than the file's date */
	enum fetch_outcome want;
} conditions[] = {
    {SERVER_GOOD, "files/a.crl", 0, FETCH_UNCHANGED},
    {SERVER_GOOD, "files/a.crl", 1, FETCH_UNCHANGED},
    {SERVER_GOOD, "files/a.crl", -1, FETCH_DONE},
    {SERVER_GOOD, "not_modified/", 0, FETCH_UNCHANGED},
    {SERVER_GOOD, "files/none", 0, FETCH_FAILED},
    {SERVER_GOOD, "status/302", 0, FETCH_FAILED},
    {HERE, "a.crl", 0, FETCH_UNCHANGED},
    {HERE, "a.crl", 1, FETCH_DONE},
    {HERE, "a.crl", -1, FETCH_DONE},
    {HERE, "none", 0, FETCH_FAILED},
    {HERE, "fifo", 0, FETCH_FAILED},
};

static void
asks_for_what_is_new(void **state)
{
	struct fetch_fixture *fixture = *state;
	int64_t date = date_of(&fixture->server, "a.crl");
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		fetch = fetch_one(fixture->fetcher,
		    crl_server_url(&fixture->server, conditions[i].kind,
		        conditions[i].path),
		    date + conditions[i].later);
		assert_int_equal(fetch->outcome, conditions[i].want);
		assert_true(
		    (fetch->len > 0) == (conditions[i].want == FETCH_DONE));
		fetch_free(fetch);
	}
	assert_true(crl_server_has_said(
	    &fixture->server, "GET /files/a.crl If-Modified-Since="));
}

/* A date that a change in the same second could bear as well is not used. */
static void
passes_on_settled_dates(void **state)
{
	static const struct {
		int64_t age;
		bool settled;
	} cases[] = {{FETCH_SETTLED_S + 2, true}, {0, false}, {-100, false}};
	struct fetch_fixture *fixture = *state;
	const struct crl_server *server = &fixture->server;
	struct fetch *fetch;
	size_t i, place;

	for (i = 0; i < 6; i++) {
		place = i % 2;
		crl_server_put(server, "new.crl", FETCH_BODY,
		    strlen(FETCH_BODY), cases[i / 2].age);
		fetch = fetch_get(fixture, places[place].kind,
		    place == 0 ? "files/new.crl" : "new.crl");
		fetch_must_be_there(fetch);
		assert_int_equal(fetch->modified_at,
		    cases[i / 2].settled ? date_of(server, "new.crl")
		                         : CLOCK_NONE);
		fetch_free(fetch);
	}
}

static void
says_no_more_than_it_must(void **state)
{
	struct fetch_fixture *fixture = *state;

	/* It answers with a cookie. */
	fetch_free(fetch_get(fixture, SERVER_GOOD, "status/200"));
	fetch_free(fetch_get(fixture, SERVER_GOOD, "files/a.crl"));
	assert_true(crl_server_has_said(&fixture->server,
	    "GET /files/a.crl User-Agent=mosquitto-certid/" CERTID_VERSION
	    "\n"));
}

static void
uses_no_proxy(void **state)
{
	struct fetch_fixture *fixture = *state;
	static const char *const names[] = {
	    "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(setenv(names[i], "http://127.0.0.1:1", 1), 0);
	}
	fetch = fetch_get(fixture, SERVER_GOOD, "files/a.crl");
	for (i = 0; i < 4; i++) {
		(void)unsetenv(names[i]);
	}
	fetch_must_be_there(fetch);
	fetch_free(fetch);
}

/* The file takes the place of the system's CAs. */
static void
believes_the_named_cas(void **state)
{
	static const struct {
		enum server_kind kind;
		bool good;
	} cases[] = {{SERVER_STRANGE, true}, {SERVER_GOOD, false}};
	struct fetch_fixture *fixture = *state;
	struct fetcher *fetcher =
	    fetch_fetcher(fixture->server.other_file, 10000, 1);
	struct fetch *fetch;
	size_t i;

	for (i = 0; i < 2; i++) {
		fetch = fetch_one(fetcher,
		    crl_server_url(
		        &fixture->server, cases[i].kind, "files/a.crl"),
		    CLOCK_NONE);
		if (cases[i].good) {
			fetch_must_be_there(fetch);
		} else {
			fetch_must_fail(fetch, "local issuer");
		}
		fetch_free(fetch);
	}
	fetcher_free(fetcher);
}

static void
needs_the_named_cas(void **state)
{
	struct fetch_fixture *fixture = *state;
	struct fetcher *fetcher =
	    fetch_fetcher("/nonexistent/ca.pem", 10000, 1);
	struct fetch *fetch;

	fetch = fetch_one(fetcher,
	    crl_server_url(&fixture->server, SERVER_GOOD, "files/a.crl"),
	    CLOCK_NONE);
	fetch_must_fail(fetch, "SSL_CERT_FILE");
	fetch_free(fetch);
	fetcher_free(fetcher);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fetch_setup, fetch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(fails),
	    CASE(cannot_read_what_is_not_ours),
	    CASE(takes_no_other_url),
	    CASE(cannot_connect),
	    CASE(hides_a_query),
	    CASE(shortens_a_long_url),
	    CASE(fetches),
	    CASE(fetches_what_just_fits),
	    CASE(asks_for_what_is_new),
	    CASE(passes_on_settled_dates),
	    CASE(says_no_more_than_it_must),
	    CASE(uses_no_proxy),
	    CASE(believes_the_named_cas),
	    CASE(needs_the_named_cas),
	};

	/* The keeper's thread blocks it. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(
	    tests, fetch_group_setup, fetch_group_teardown);
}
