/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/session.h"

#include "test/support/cmocka_all.h"

/* Addresses to stand for the broker's client pointers. */
static char pointers[64];

static struct identity
who(const char *name)
{
	struct identity identity = {0};
	const char *why;

	assert_int_equal(
	    identity_parse(name, strlen(name), &identity, &why), RES_OK);
	return identity;
}

static struct session *
add(struct sessions *table, int pointer, const char *name)
{
	struct identity identity = who(name);
	struct session *session =
	    session_add(table, &pointers[pointer], name, name, &identity);

	assert_non_null(session);
	return session;
}

/* A session is found by its pointer only with the same names. */
static void
finds_by_all_three(void **state)
{
	struct sessions table = {0};
	struct session *a = add(&table, 1, "d:m:1");

	(void)state;
	assert_ptr_equal(
	    session_find(&table, &pointers[1], "d:m:1", "d:m:1"), a);
	assert_null(session_find(&table, &pointers[2], "d:m:1", "d:m:1"));
	assert_null(session_find(&table, &pointers[1], "d:m:2", "d:m:1"));
	assert_null(session_find(&table, &pointers[1], "d:m:1", "d:m:2"));
	assert_null(session_find(&table, &pointers[1], NULL, "d:m:1"));
	assert_null(session_find(&table, &pointers[1], "d:m:1", NULL));
	assert_null(session_find(&table, &pointers[1], "d:m:1", ""));
	sessions_done(&table);
}

static void
starts_in_good_standing_as_a_device(void **state)
{
	struct sessions table = {0};
	struct session *a = add(&table, 1, "d:m:1");
	struct session *b = add(&table, 2, "d:m:2");

	(void)state;
	assert_int_equal(a->serial, 1);
	assert_int_equal(b->serial, 2);
	session_remove(&table, b);
	b = add(&table, 2, "d:m:2");
	assert_int_equal(b->serial, 3);
	assert_false(a->token.is_set || a->device_token.is_set);
	assert_int_equal(a->seen_with, 0);
	assert_int_equal(a->kind, SESSION_DEVICE);
	assert_int_equal(a->refused, REASON_NONE);
	assert_int_equal(a->sight, SIGHT_FAILED);
	assert_null(a->grants);
	assert_true(a->online);
	sessions_done(&table);
}

/* The broker uses a pointer again: the older record is gone with its list. */
static void
replaces_the_pointers_last_owner(void **state)
{
	struct sessions table = {0};
	struct identity first = who("d:m:1"), second = who("d:m:2");
	struct session *b;

	(void)state;
	add(&table, 1, "d:m:1");
	b = add(&table, 1, "d:m:2");
	assert_null(session_find(&table, &pointers[1], "d:m:1", "d:m:1"));
	assert_null(session_of(&table, &first));
	assert_ptr_equal(session_of(&table, &second), b);
	assert_ptr_equal(table.all, b);
	assert_null(b->next);
	sessions_done(&table);
	assert_null(table.by_client);
	assert_null(table.by_who);
}

static void
keeps_all_sessions_of_an_identity(void **state)
{
	struct sessions table = {0};
	struct identity identity = who("d:m:1");
	struct session *a = add(&table, 1, "d:m:1"), *b, *c;

	(void)state;
	b = add(&table, 2, "d:m:1");
	c = add(&table, 3, "d:m:1");
	session_remove(&table, b);
	assert_ptr_equal(session_of(&table, &identity), c);
	assert_ptr_equal(c->peer, a);
	assert_null(a->peer);
	session_remove(&table, c);
	session_remove(&table, a);
	assert_null(session_of(&table, &identity));
	assert_null(table.by_who);
	sessions_done(&table);
}

static void
keeps_the_walk_when_a_session_goes(void **state)
{
	struct sessions table = {0};
	struct session *b;

	(void)state;
	add(&table, 1, "d:m:1");
	b = add(&table, 2, "d:m:2");
	add(&table, 3, "d:m:3");
	table.cursor = b;
	session_remove(&table, b);
	assert_non_null(table.cursor);
	assert_string_equal(table.cursor->client_id, "d:m:3");
	session_remove(&table, table.cursor);
	assert_null(table.cursor);
	sessions_done(&table);
}

static void
counts_kicks_once(void **state)
{
	struct sessions table = {0};
	struct session *a = add(&table, 1, "d:m:1");

	(void)state;
	session_want_kick(&table, a);
	session_want_kick(&table, a);
	assert_int_equal(table.kicks_due, 1);
	session_remove(&table, a);
	assert_int_equal(table.kicks_due, 0);
	sessions_done(&table);
}

static void
takes_clients_that_are_no_devices(void **state)
{
	struct sessions table = {0};
	struct session *a =
	    session_add(&table, &pointers[1], "app", NULL, NULL);

	(void)state;
	assert_non_null(a);
	assert_ptr_equal(session_find(&table, &pointers[1], "app", NULL), a);
	assert_null(session_find(&table, &pointers[1], "app", "app"));
	assert_null(table.by_who);
	sessions_done(&table);
}

/* The newest record of a client id, whoever's it is. */
static void
finds_the_newest_of_a_client_id(void **state)
{
	struct sessions table = {0};
	struct identity one = who("d:m:12"), other = who("d:12:m");
	struct session *a, *b, *c;

	(void)state;
	assert_null(session_of_id(&table, "x"));
	assert_null(session_of_id(&table, NULL));
	a = session_add(&table, &pointers[1], "x", "d:m:12", &one);
	assert_ptr_equal(session_of_id(&table, "x"), a);
	assert_null(session_of_id(&table, "X"));
	b = session_add(&table, &pointers[2], "x", "d:12:m", &other);
	assert_ptr_equal(session_of_id(&table, "x"), b);
	assert_true(a->replaced && !b->replaced);
	session_remove(&table, a);
	assert_ptr_equal(session_of_id(&table, "x"), b);
	/* Who is no device takes no place of one that may come back. */
	b->fleeting = true;
	assert_true(session_is_held(b));
	c = session_add(&table, &pointers[3], "x", NULL, NULL);
	assert_non_null(c);
	assert_true(c->replaced && !b->replaced);
	assert_ptr_equal(session_of_id(&table, "x"), b);
	session_remove(&table, c);
	assert_ptr_equal(session_of_id(&table, "x"), b);
	b->online = b->fleeting = false;
	assert_true(session_is_held(b));
	c = session_add(&table, &pointers[3], "x", NULL, NULL);
	assert_ptr_equal(session_of_id(&table, "x"), b);
	b->fleeting = true;
	assert_false(session_is_held(b));
	c = session_add(&table, &pointers[3], "x", NULL, NULL);
	assert_ptr_equal(session_of_id(&table, "x"), c);
	assert_true(b->replaced && !c->replaced);
	c->kind = SESSION_FREE;
	assert_false(session_is_held(c) || session_is_held(NULL));
	session_remove(&table, c);
	assert_null(session_of_id(&table, "x"));
	assert_non_null(
	    session_add(&table, &pointers[4], NULL, "d:m:12", &one));
	sessions_done(&table);
	assert_null(table.by_id);
}

/* A slot that ends earlier than all else ends the session; one that does not
 * hold the session's certificate has nothing to do with it. */
static void
ends_with_its_pin(void **state)
{
	struct sessions table = {0};
	struct session *a = add(&table, 1, "d:m:1");

	(void)state;
	a->presented.fingerprint[0] = 1;
	session_bound(a, 100);
	assert_int_equal(a->valid_until, 100);
	a->pins.count = 2;
	a->pins.list[0].fingerprint[0] = 2;
	a->pins.list[0].ends_at = 10;
	a->pins.list[1].fingerprint[0] = 1;
	a->pins.list[1].ends_at = CLOCK_FOREVER;
	session_bound(a, 100);
	assert_int_equal(a->valid_until, 100);
	a->pins.list[1].ends_at = 50;
	session_bound(a, 100);
	assert_int_equal(a->valid_until, 50);
	session_bound(a, 40);
	assert_int_equal(a->valid_until, 40);
	sessions_done(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_the_newest_of_a_client_id),
	    cmocka_unit_test(finds_by_all_three),
	    cmocka_unit_test(starts_in_good_standing_as_a_device),
	    cmocka_unit_test(ends_with_its_pin),
	    cmocka_unit_test(replaces_the_pointers_last_owner),
	    cmocka_unit_test(keeps_all_sessions_of_an_identity),
	    cmocka_unit_test(keeps_the_walk_when_a_session_goes),
	    cmocka_unit_test(counts_kicks_once),
	    cmocka_unit_test(takes_clients_that_are_no_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
