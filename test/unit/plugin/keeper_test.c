/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The keeper against a real registry file and real servers. */
#include <stdio.h>
#include <stdlib.h>

#include "test/unit/plugin/keeper_fixture.h"

static const struct mint_crl_options usual;

/* ---- What is fetched ---- */

static void
fetches_from_a_server(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);
	const struct ca_record *now;

	keeper_put_crl(fixture, ca, "a.crl", usual);
	keeper_set_url(fixture, ca, SERVER_GOOD, "files/a.crl");
	keeper_run(fixture, 0);
	keeper_must_tell(fixture, ca, "crl-updated", "number 0x1, ", 1);
	now = keeper_look(fixture, ca);
	assert_true(now->crl.fetched);
	assert_in_range(
	    now->crl.modified_at, clock_now() - 150, clock_now() - 100);
	assert_true(now->crl.next_update - now->crl.this_update ==
	    KEEPER_DAY + KEEPER_HOUR);
	assert_true(now->crl.der_len > 100);
	assert_null(now->crl_failure);
	assert_int_equal(keeper_count_log(fixture, 0, 0, "", ""), 0);
}

static void
fetches_from_a_file(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);
	struct minted_crl crl;
	char *pem;

	keeper_put_crl(fixture, ca, "a.crl", usual);
	keeper_set_url(fixture, ca, HERE, "a.crl");
	keeper_run(fixture, 0);
	keeper_must_store(fixture, ca, "01");
	assert_true(keeper_look(fixture, ca)->crl.fetched);
	/* PEM does as well. */
	crl =
	    mint_crl(&(struct mint_crl_options){.issuer = &fixture->issuers[0],
	        .number = "2",
	        .this_update = clock_now() - KEEPER_HOUR,
	        .next_update = clock_now() + KEEPER_DAY});
	pem = mint_crl_pem(&crl, 1);
	crl_server_put(&fixture->server, "a.pem", pem, strlen(pem), 100);
	keeper_set_url(fixture, ca, HERE, "a.pem");
	keeper_must_store(fixture, ca, "02");
	free(pem);
	minted_crl_done(&crl);
}

/* Their CRLs count: an intermediate's issuer, for example, is inactive. */
static void
fetches_whatever_the_state(void **state)
{
	static const char *const states[] = {"active", "inactive", "unproven"};
	struct keeper_fixture *fixture = *state;
	size_t i;

	keeper_run(fixture, 0);
	for (i = 0; i < 3; i++) {
		keeper_add_ca(fixture, states[i], 0);
		keeper_put_crl(fixture, &fixture->cas[i], "a.crl", usual);
		keeper_set_url(
		    fixture, &fixture->cas[i], SERVER_GOOD, "files/a.crl");
		keeper_must_tell(
		    fixture, &fixture->cas[i], "crl-updated", "", 1);
	}
}

/* Half-way to nextUpdate, and only if there is something new. */
static void
renews(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);

	keeper_put_crl(fixture, ca, "a.crl",
	    (struct mint_crl_options){.next_update = clock_now() + 5});
	keeper_set_url(fixture, ca, SERVER_GOOD, "files/a.crl");
	keeper_run(fixture, 0);
	keeper_must_store(fixture, ca, "01");
	crl_server_hush(&fixture->server);
	assert_true(crl_server_await(
	    &fixture->server, "GET /files/a.crl If-Modified-Since="));
	keeper_put_crl(
	    fixture, ca, "a.crl", (struct mint_crl_options){.number = "2"});
	crl_server_hush(&fixture->server);
	keeper_must_store(fixture, ca, "02");
	keeper_must_tell(fixture, ca, "crl-updated", "", 2);
	assert_int_equal(keeper_count(fixture, ca, "crl-failed", ""), 0);
	assert_int_equal(keeper_count_log(fixture, 0, 0, "CRL of CA", ""), 0);
}

/* The same list once more, from a server that does not know conditions. */
static void
tells_nothing_of_what_is_unchanged(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca = keeper_add_ca(fixture, "active", 0);
	int i;

	keeper_put_crl(fixture, ca, "a.crl", usual);
	keeper_set_url(fixture, ca, SERVER_GOOD, "files/a.crl");
	for (i = 0; i < 3; i++) {
		crl_server_hush(&fixture->server);
		keeper_run(fixture, 0);
		assert_true(crl_server_await(&fixture->server, "/a.crl"));
		keeper_must_store(fixture, ca, "01");
		keeper_halt(fixture, 0);
	}
	keeper_must_tell(fixture, ca, "crl-updated", "", 1);
	assert_int_equal(keeper_count(fixture, ca, "crl-failed", ""), 0);
}

/* ---- What is refused ---- */

static const char *const delta[] = {"deltaCRL=critical,ASN1:INTEGER:5", NULL};

static const struct {
	struct mint_crl_options options;
	bool of_other_key, is_garbage;
	int64_t from, to; /* from now; 0: as usual */
	const char *why;
} refusals[KEEPER_CAS] = {
    {{.number = "7"}, true, false, 0, 0, "not by this CA's key"},
    {{.number = "4"}, false, false, 0, 0, "is older than the one"},
    {{.number = "5"}, false, false, -2 * KEEPER_HOUR, 0,
        "is older than the one"},
    {{.number = ""}, false, false, 0, 0, "it has no CRL number"},
    {{.number = "7"}, false, false, -KEEPER_DAY, -KEEPER_HOUR,
        "it was to be replaced by"},
    {{.number = "7"}, false, false, KEEPER_HOUR, 0, "which is in the future"},
    {{.version = 1}, false, false, 0, 0, "it is not of version 2"},
    {{.number = "7", .extensions = delta}, false, false, 0, 0,
        "it is a delta CRL"},
    {{.number = "7"}, false, true, 0, 0, "the file "},
};

static void
put_refusal(struct keeper_fixture *fixture, size_t i, const char *name)
{
	struct mint_crl_options options = refusals[i].options;
	int64_t now = clock_now();
	char cn[] = "CA A";

	if (refusals[i].is_garbage) {
		crl_server_put(&fixture->server, name, "garbage", 7, 100);
		return;
	}
	options.this_update =
	    refusals[i].from == 0 ? 0 : now + refusals[i].from;
	options.next_update = refusals[i].to == 0 ? 0 : now + refusals[i].to;
	if (refusals[i].of_other_key) {
		cn[3] = (char)('A' + i);
		options.issuer = &fixture->issuers[i + 1];
		options.issuer_cn = cn;
		options.no_aki = true;
	}
	keeper_put_crl(fixture, &fixture->cas[i], name, options);
}

/* The failure is stored, told once and logged, and the good one stays. */
static void
must_refuse(
    struct keeper_fixture *fixture, const struct ca_record *ca, const char *why)
{
	keeper_must_fail(fixture, ca, why);
	keeper_must_fail(fixture, ca, "/files/bad");
	keeper_must_tell(fixture, ca, "crl-failed", why, 1);
	keeper_must_log(fixture, 0, LOG_WARNING, ca->id, why);
	keeper_must_log(
	    fixture, 0, LOG_WARNING, ca->id, "; the last good CRL stays");
	keeper_must_store(fixture, ca, "05");
	assert_false(keeper_look(fixture, ca)->crl.fetched);
}

static void
refuses(void **state)
{
	struct keeper_fixture *fixture = *state;
	char name[32], path[64];
	size_t i;

	for (i = 0; i < KEEPER_CAS; i++) {
		(void)keeper_add_ca(fixture, "active", 0);
	}
	for (i = 0; i < KEEPER_CAS; i++) {
		keeper_store_crl(fixture, &fixture->cas[i],
		    (struct mint_crl_options){.number = "5"});
		(void)snprintf(name, sizeof(name), "bad%zu.crl", i);
		(void)snprintf(path, sizeof(path), "files/%s", name);
		put_refusal(fixture, i, name);
		keeper_set_url(fixture, &fixture->cas[i], SERVER_GOOD, path);
	}
	keeper_run(fixture, 0);
	for (i = 0; i < KEEPER_CAS; i++) {
		must_refuse(fixture, &fixture->cas[i], refusals[i].why);
	}
}

static const struct {
	enum server_kind kind;
	const char *path;
	const char *why;
} failures[] = {
    {SERVER_GOOD, "files/none.crl?secret",
        "none.crl?...: the server answered 404"},
    {SERVER_GOOD, "status/302", "redirects are not followed"},
    {SERVER_GOOD, "chunked/endless", "larger than 12582912 bytes"},
    {SERVER_OTHER, "files/a.crl", "matches target host name"},
    {SERVER_STRANGE, "files/a.crl", "unable to get local issuer"},
    {HERE, "none.crl", "none.crl: cannot open it: No such file"},
    {HERE, "", "not a regular file"},
};

static void
fails(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *ca;
	size_t i, n = sizeof(failures) / sizeof(failures[0]);

	for (i = 0; i < n; i++) {
		ca = keeper_add_ca(fixture, "active", 0);
		keeper_set_url(fixture, ca, failures[i].kind, failures[i].path);
	}
	keeper_run(fixture, 0);
	for (i = 0; i < n; i++) {
		ca = &fixture->cas[i];
		keeper_must_fail(fixture, ca, failures[i].why);
		keeper_must_tell(fixture, ca, "crl-failed", failures[i].why, 1);
		keeper_must_log(
		    fixture, 0, LOG_WARNING, ca->id, failures[i].why);
		keeper_must_log(
		    fixture, 0, LOG_WARNING, ca->id, "; there is none yet");
		assert_null(keeper_look(fixture, ca)->crl.der);
	}
	assert_int_equal(keeper_count_log(fixture, 0, 0, "secret", ""), 0);
}

/*
 * What failed is tried again, after 10 s.  That it fails again is nothing new,
 * for another broker neither, but each broker's log has it once.  What was said
 * is taken back when it is over.
 */
static void
tries_again(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct ca_record *none = keeper_add_ca(fixture, "active", 0);
	struct ca_record *late = keeper_add_ca(fixture, "active", 0);
	struct ca_record *same = keeper_add_ca(fixture, "active", 0);
	size_t i;

	keeper_store_crl(fixture, same, usual);
	keeper_set_url(fixture, none, SERVER_GOOD, "files/none.crl");
	keeper_set_url(fixture, late, SERVER_GOOD, "files/late.crl");
	keeper_set_url(fixture, same, SERVER_GOOD, "files/same.crl");
	keeper_run(fixture, 0);
	keeper_run(fixture, 1);
	for (i = 0; i < 3; i++) {
		keeper_must_tell(
		    fixture, &fixture->cas[i], "crl-failed", "404", 1);
		keeper_must_log(
		    fixture, 0, LOG_WARNING, fixture->cas[i].id, "404");
		keeper_must_log(
		    fixture, 1, LOG_WARNING, fixture->cas[i].id, "404");
	}
	keeper_halt(fixture, 1);
	keeper_put_crl(fixture, late, "late.crl", usual);
	keeper_put_stored(fixture, same, "same.crl");
	crl_server_hush(&fixture->server);
	keeper_must_log(fixture, 0, LOG_NOTICE, late->id, "works again");
	keeper_must_log(fixture, 0, LOG_NOTICE, same->id, "works again");
	assert_true(crl_server_await(&fixture->server, "GET /files/none.crl"));
	keeper_halt(fixture, 0);
	keeper_must_store(fixture, late, "01");
	keeper_must_fail(fixture, late, NULL);
	keeper_must_fail(fixture, same, NULL);
	keeper_must_fail(fixture, none, "404");
	for (i = 0; i < 3; i++) {
		keeper_must_tell(
		    fixture, &fixture->cas[i], "crl-failed", "", 1);
		keeper_must_log(
		    fixture, 0, LOG_WARNING, fixture->cas[i].id, "404");
	}
	keeper_must_tell(fixture, same, "crl-updated", "", 0);
}

#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, keeper_setup, keeper_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(fetches_from_a_server),
	    CASE(fetches_from_a_file),
	    CASE(fetches_whatever_the_state),
	    CASE(renews),
	    CASE(tells_nothing_of_what_is_unchanged),
	    CASE(refuses),
	    CASE(fails),
	    CASE(tries_again),
	};

	return cmocka_run_group_tests(
	    tests, keeper_group_setup, keeper_group_teardown);
}
