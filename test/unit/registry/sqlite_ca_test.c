/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* CAs and their lists in a file: several writers at once, a list that got lost
 * or damaged, a full disk. */
#include "test/unit/registry/store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "registry/sqlite_private.h"

#define WRITERS 6

static struct ca_record
make_ca(void)
{
	static uint8_t der[] = {0x30, 0x00};
	static char subject[] = "CN=A";

	return (struct ca_record){.der = der,
	    .der_len = sizeof(der),
	    .subject = subject,
	    .state = "unproven",
	    .crl_policy = "required",
	    .fingerprint = {0xaa}};
}

/* A list whose number ends in a digit, which its fingerprint has too. */
static struct crl_record
make_crl(char digit)
{
	static uint8_t der[] = {0x30, 0x00};
	struct crl_record crl = {.der = der,
	    .der_len = sizeof(der),
	    .number = "0000000000000000000000000000000000000000",
	    .next_update = 1,
	    .fingerprint = {(uint8_t)digit}};

	crl.number[CRL_NUMBER_LEN - 1] = digit;
	return crl;
}

static enum res
apply(struct registry *registry, enum change_kind kind, struct ca_record *ca,
    struct diag *why)
{
	struct change change = {
	    .kind = kind,
	    .org = ORG_DEFAULT,
	    .of.ca = ca,
	    .time = NOW,
	    .actor = "operator",
	    .event_kind = "k",
	    .event_subject = "s",
	};

	return registry_apply(registry, &change, 1, APPLY_ALL, why);
}

static void
must(struct registry *registry, enum change_kind kind, struct ca_record *ca,
    enum res want)
{
	struct diag why = {{0}};
	enum res r = apply(registry, kind, ca, &why);

	if (r != want) {
		fail_msg("%d: %s", (int)r, why.text);
	}
}

/* A file with the CA, which has a code and the list number 5. */
static struct registry *
create(const struct fixture *fixture)
{
	struct ca_record ca = make_ca();
	struct registry *registry;

	fixture_create(fixture);
	registry = fixture_open(fixture, REGISTRY_WRITE);
	(void)strcpy(ca.code, "code");
	ca.code_expires_at = NOW + 1;
	must(registry, CHANGE_CA_ADD, &ca, RES_OK);
	ca.crl = make_crl('5');
	must(registry, CHANGE_CA_CRL, &ca, RES_OK);
	return registry;
}

static struct ca_record *
load_ca(struct registry *registry, struct config *config)
{
	struct diag why = {{0}};

	if (registry_load(registry, config, &why) != RES_OK) {
		fail_msg("%s", why.text);
	}
	assert_int_equal(config->ca_count, 1);
	return &config->cas[0];
}

/* What somebody read before is not what is there now. */
static void
an_old_view_decides_nothing(void **state)
{
	struct registry *first = create(*state),
	                *second = fixture_open(*state, REGISTRY_WRITE);
	struct config old, now;
	struct ca_record *ca = load_ca(second, &old), next = make_ca();

	/* A newer list, then the code, come in by the other. */
	next.crl = make_crl('7');
	must(first, CHANGE_CA_CRL, &next, RES_OK);
	next.crl = make_crl('6');
	must(second, CHANGE_CA_CRL, &next, RES_REFUSED);
	ca->crl.told = 1;
	must(second, CHANGE_CA_TOLD, ca, RES_EXISTS);
	(void)strcpy(next.code, "code");
	must(first, CHANGE_CA_PROVE, &next, RES_OK);
	must(second, CHANGE_CA_PROVE, ca, RES_REFUSED);
	(void)strcpy(next.code, "next");
	next.code_expires_at = NOW + 1;
	must(first, CHANGE_CA_CODE, &next, RES_OK);
	must(second, CHANGE_CA_PROVE, ca, RES_REFUSED);
	config_done(&old);

	ca = load_ca(second, &now);
	assert_string_equal(ca->state, "active");
	assert_string_equal(ca->code, "next");
	assert_int_equal(ca->crl.fingerprint[0], '7');
	assert_int_equal(ca->crl.told, 0);
	config_done(&now);
	registry_close(first);
	registry_close(second);
}

static void
a_ca_that_went_takes_nothing_in(void **state)
{
	struct registry *first = create(*state),
	                *second = fixture_open(*state, REGISTRY_WRITE);
	struct config old;
	struct ca_record *ca = load_ca(second, &old), next = make_ca();
	static const enum change_kind kinds[] = {CHANGE_CA_SET, CHANGE_CA_STATE,
	    CHANGE_CA_CODE, CHANGE_CA_PROVE, CHANGE_CA_CRL,
	    CHANGE_CA_CRL_CHECKED, CHANGE_CA_TOLD, CHANGE_CA_REMOVE};
	size_t i;

	must(first, CHANGE_CA_REMOVE, &next, RES_OK);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		must(second, kinds[i], ca, RES_NOTFOUND);
	}
	config_done(&old);
	registry_close(first);
	registry_close(second);
	fixture_sql(*state,
	    "CREATE TABLE t (n CHECK (n = 0));"
	    "INSERT INTO t SELECT count(*) FROM crl");
}

struct writer {
	const struct fixture *fixture;
	pthread_barrier_t *barrier;
	char digit;
	enum res proof, crl;
};

/* Each has an object of its own, as each process would. */
static void *
write_both(void *context)
{
	struct writer *writer = context;
	struct registry_options options = {.path = writer->fixture->path,
	    .mode = REGISTRY_WRITE,
	    .busy_ms = 20000};
	struct ca_record ca = make_ca();
	struct registry *registry = NULL;
	struct diag why;

	writer->proof = registry_open(&options, &registry, &why);
	(void)pthread_barrier_wait(writer->barrier);
	if (writer->proof != RES_OK) {
		return NULL;
	}
	(void)strcpy(ca.code, "code");
	writer->proof = apply(registry, CHANGE_CA_PROVE, &ca, &why);
	ca.crl = make_crl(writer->digit);
	writer->crl = apply(registry, CHANGE_CA_CRL, &ca, &why);
	registry_close(registry);
	return NULL;
}

static void
check_writers(const struct writer *writers, const struct ca_record *ca)
{
	int proofs = 0;
	size_t i;

	for (i = 0; i < WRITERS; i++) {
		proofs += writers[i].proof == RES_OK;
		assert_true(writers[i].proof == RES_OK ||
		    writers[i].proof == RES_REFUSED);
		assert_true(
		    writers[i].crl == RES_OK || writers[i].crl == RES_REFUSED);
	}
	assert_int_equal(proofs, 1);
	assert_int_equal(writers[WRITERS - 1].crl, RES_OK);
	assert_int_equal(ca->crl.fingerprint[0], writers[WRITERS - 1].digit);
	assert_string_equal(ca->state, "active");
}

/* One burns the code, and the newest list is there in the end, whoever comes
 * first. */
static void
several_writers_at_once(void **state)
{
	struct registry *registry = create(*state);
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	pthread_barrier_t barrier;
	struct config config;
	size_t i;

	assert_int_equal(pthread_barrier_init(&barrier, NULL, WRITERS), 0);
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.fixture = *state,
		    .barrier = &barrier,
		    .digit = (char)('a' + i)};
		assert_int_equal(
		    pthread_create(&threads[i], NULL, write_both, &writers[i]),
		    0);
	}
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	check_writers(writers, load_ca(registry, &config));
	config_done(&config);
	(void)pthread_barrier_destroy(&barrier);
	registry_close(registry);
}

/* The list against which a new one is compared must be whole itself. */
static const struct {
	const char *sql, *words;
} harms[] = {
    {"DELETE FROM crl", "(crl_fingerprint)"},
    {"UPDATE ca SET crl_fingerprint = NULL", "(crl_fingerprint)"},
    {"UPDATE crl SET number = 'zz'", "(crl_number)"},
    {"UPDATE crl SET this_update = -9223372036854775807 - 1",
        "(crl_this_update)"},
    {"UPDATE crl SET told = 91", "(crl_told)"},
};

static void
a_broken_crl_stops_another(void **state)
{
	struct ca_record ca = make_ca();
	struct registry *registry;
	struct diag why;
	void *own;
	size_t i;

	(void)state;
	ca.crl = make_crl('9');
	for (i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		(void)fixture_setup(&own);
		registry_close(create(own));
		fixture_sql(own, harms[i].sql);
		registry = fixture_open(own, REGISTRY_WRITE);
		why.text[0] = '\0';
		assert_int_equal(
		    apply(registry, CHANGE_CA_CRL, &ca, &why), RES_CORRUPT);
		if (strstr(why.text, harms[i].words) == NULL ||
		    strstr(why.text, "CA aa00000000000000") == NULL) {
			fail_msg("%s: \"%s\"", harms[i].sql, why.text);
		}
		registry_close(registry);
		(void)fixture_teardown(&own);
	}
}

/* The number of the page whose bytes are all this one, but for the first four,
 * which name the next page of a long value. */
static size_t
find_page(const char *bytes, size_t len, char byte)
{
	size_t at, i;

	for (at = 0; at + 4096 <= len; at += 4096) {
		for (i = 4; i < 4096 && bytes[at + i] == byte; i++) {
		}
		if (i == 4096) {
			return at;
		}
	}
	fail_msg("there is no such page");
	return 0;
}

/* Nothing looks at these pages when the file is opened. */
static void
a_damaged_crl_is_not_read_in_part(void **state)
{
	const struct fixture *fixture = *state;
	struct registry *registry = create(fixture);
	struct ca_record ca = make_ca();
	uint8_t der[100000];
	struct config config;
	struct diag why = {{0}};
	size_t len, at;
	char *bytes;

	memset(der, 0x5a, sizeof(der));
	ca.crl = make_crl('9');
	ca.crl.der = der;
	ca.crl.der_len = sizeof(der);
	must(registry, CHANGE_CA_CRL, &ca, RES_OK);
	registry_close(registry);
	bytes = fixture_bytes(fixture, &len);
	at = find_page(bytes, len, 0x5a);
	memset(bytes + at, 0x7f, 4);
	fixture_write(fixture, bytes, len);
	free(bytes);
	registry = fixture_open(fixture, REGISTRY_READ);
	assert_int_equal(registry_load(registry, &config, &why), RES_CORRUPT);
	assert_non_null(strstr(why.text, "backup"));
	registry_close(registry);
}

static void
a_full_disk_keeps_the_last_crl(void **state)
{
	struct registry *registry = create(*state);
	struct ca_record ca = make_ca(), *back;
	struct rlimit old, limit;
	struct config config;
	struct diag why = {{0}};

	(void)signal(SIGXFSZ, SIG_IGN);
	ca.crl = make_crl('9');
	ca.crl.der = malloc(CRL_BYTES_MAX);
	ca.crl.der_len = CRL_BYTES_MAX;
	assert_non_null(ca.crl.der);
	memset(ca.crl.der, 1, CRL_BYTES_MAX);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 1024 * 1024;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(
	    apply(registry, CHANGE_CA_CRL, &ca, &why), RES_UNAVAIL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_string_not_equal(why.text, "");
	back = load_ca(registry, &config);
	assert_int_equal(back->crl.fingerprint[0], '5');
	assert_int_equal(back->crl.der_len, 2);
	config_done(&config);
	must(registry, CHANGE_CA_CRL, &ca, RES_OK);
	free(ca.crl.der);
	registry_close(registry);
}

/* Sorting rows would copy the lists that are in them. */
static void
lists_are_not_sorted(void **state)
{
	struct fixture *fixture = *state;
	char text[2048], plan[512] = "";
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;

	fixture_create(fixture);
	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	(void)snprintf(
	    text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql_text(SQL_CAS));
	assert_int_equal(
	    sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		(void)strncat(plan, (const char *)sqlite3_column_text(stmt, 3),
		    sizeof(plan) - strlen(plan) - 1);
	}
	(void)sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_non_null(strstr(plan, "SEARCH crl USING INDEX"));
	assert_null(strstr(plan, "TEMP B-TREE"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(an_old_view_decides_nothing),
	    FIXTURE_TEST(a_ca_that_went_takes_nothing_in),
	    FIXTURE_TEST(several_writers_at_once),
	    cmocka_unit_test(a_broken_crl_stops_another),
	    FIXTURE_TEST(a_damaged_crl_is_not_read_in_part),
	    FIXTURE_TEST(a_full_disk_keeps_the_last_crl),
	    FIXTURE_TEST(lists_are_not_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
