/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* When CRLs are fetched, what is told of ends, and which CAs are watched. */
#include "plugin/watch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/support/cmocka_all.h"

#define NOW  ((int64_t)1767225600) /* 2026-01-01 */
#define DAY  ((int64_t)86400)
#define HOUR ((int64_t)3600)

/* ---- Waiting ---- */

static const struct {
	unsigned vain;
	int64_t left;
	uint32_t dice;
	int64_t want;
} waits[] = {
    {0, INT64_MIN, 0, 1000},
    {0, -1, 0, 1000},
    {0, 0, 0, 1000},
    {0, 1, 0, 1000},
    {0, 2, 0, 1000},
    {0, 3, 0, 1500},
    {0, 60, 0, 30000},
    {0, 7199, 0, 3599500},
    {0, 7200, 0, 3600000},
    {0, 7201, 0, 3600000},
    {0, 30 * DAY, 0, 3600000},
    {0, INT64_MAX, 0, 3600000},
    {1, 0, 0, 10000},
    {1, 30 * DAY, 0, 10000},
    {2, 0, 0, 20000},
    {3, 0, 0, 40000},
    {9, 0, 0, 2560000},
    {10, 0, 0, 3600000},
    {20, 0, 0, 3600000},
    {21, 0, 0, 3600000},
    {33, 0, 0, 3600000},
    {64, 0, 0, 3600000},
    {65, 0, 0, 3600000},
    {UINT_MAX, 0, 0, 3600000},
    {1, 0, 1, 9990},
    {1, 0, 50, 9500},
    {1, 0, 100, 9000},
    {1, 0, 101, 10000},
    {1, 0, UINT32_MAX, 10000 - 10 * (UINT32_MAX % 101)},
    {0, 2, 100, 1000},
    {0, 60, 100, 27000},
    {0, INT64_MAX, 100, 3240000},
};

static void
waits_so_long(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_int_equal(
		    watch_wait_ms(waits[i].vain, waits[i].left, waits[i].dice),
		    waits[i].want);
	}
}

/* What a fetch does to the next one's time. */
static const struct {
	unsigned vain;
	bool failed;
	int64_t next_update; /* from now */
	unsigned want;
	int64_t from, to; /* ms, within which the next one is due */
} schedules[] = {
    {0, false, HOUR, 0, 1620000, 1800000},
    {7, false, HOUR, 0, 1620000, 1800000},
    {0, true, HOUR, 1, 9000, 10000},
    {1, true, HOUR, 2, 18000, 20000},
    {UINT_MAX, true, HOUR, UINT_MAX, 3240000, 3600000},
    {0, false, 1, 0, 1000, 1000},
    {0, false, 0, 1, 9000, 10000}, /* a CRL in its grace: not each second */
    {1, false, -HOUR, 2, 18000, 20000},
    {2, false, INT64_MIN / 2, 3, 36000, 40000},
};

static void
schedules_the_next(void **state)
{
	struct watch watch = {.due_ms = 0};
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(schedules) / sizeof(schedules[0]); i++) {
		for (n = 0; n < 100; n++) {
			watch.vain = schedules[i].vain;
			watch_schedule(&watch, schedules[i].failed,
			    NOW + schedules[i].next_update, NOW, 5000);
			assert_int_equal(watch.vain, schedules[i].want);
			assert_in_range(watch.due_ms - 5000, schedules[i].from,
			    schedules[i].to);
		}
	}
}

/* ---- Ends ---- */

#define FAR      (1000 * DAY)
#define NO_CRL   INT64_MIN
#define BY_HAND  false, FAR
#define FETCHED  true, FAR
#define AT(what) what ", at "

static const struct {
	int64_t end; /* of the CA, from now */
	int told;
	int64_t next_update; /* from now; NO_CRL */
	bool fetched;
	int64_t life; /* of the CRL */
	int crl_told;
	const char *want; /* how the detail begins; NULL: there is none */
	int want_told, want_crl_told;
} endings[] = {
    {FAR, 0, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {91 * DAY, 0, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {90 * DAY + 1, 0, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {90 * DAY, 0, NO_CRL, BY_HAND, 0, AT("the CA expires within 90 days"), 90,
        0},
    {90 * DAY, 90, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {31 * DAY, 90, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {30 * DAY, 90, NO_CRL, BY_HAND, 0, AT("the CA expires within 30 days"), 30,
        0},
    {30 * DAY, 30, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {7 * DAY, 30, NO_CRL, BY_HAND, 0, AT("the CA expires within 7 days"), 7, 0},
    {7 * DAY, 7, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {DAY, 7, NO_CRL, BY_HAND, 0, AT("the CA expires within 1 day"), 1, 0},
    {1, 1, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {0, 1, NO_CRL, BY_HAND, 0, AT("the CA has expired"), -1, 0},
    {-FAR, 1, NO_CRL, BY_HAND, 0, AT("the CA has expired"), -1, 0},
    {-FAR, -1, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    /* Several stages at once are one. */
    {DAY, 90, NO_CRL, BY_HAND, 0, AT("the CA expires within 1 day"), 1, 0},
    {-1, 0, NO_CRL, BY_HAND, 0, AT("the CA has expired"), -1, 0},
    /* Up again, as after the clock was set: not told twice. */
    {30 * DAY, 7, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {30 * DAY, 1, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {30 * DAY, -1, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    {FAR, -1, NO_CRL, BY_HAND, 0, NULL, 0, 0},
    /* What an operator stored. */
    {FAR, 0, FAR, BY_HAND, 0, NULL, 0, 0},
    {FAR, 0, 30 * DAY, BY_HAND, 0, AT("its CRL expires within 30 days"), 0, 30},
    {FAR, 0, 30 * DAY, BY_HAND, 30, NULL, 0, 0},
    {FAR, 0, 2 * DAY, BY_HAND, 30, AT("its CRL expires within 7 days"), 0, 7},
    {FAR, 0, DAY, false, DAY, 7, AT("its CRL expires within 1 day"), 0, 1},
    {FAR, 0, 0, BY_HAND, 1, AT("its CRL has expired"), 0, -1},
    {FAR, 0, 0, BY_HAND, -1, NULL, 0, 0},
    /* The CA's end comes first, and the CRL's remains. */
    {7 * DAY, 30, 30 * DAY, BY_HAND, 90, AT("the CA expires within 7 days"), 7,
        90},
    {7 * DAY, 7, 30 * DAY, BY_HAND, 90, AT("its CRL expires within 30 days"), 7,
        30},
    {-1, -1, 0, BY_HAND, 1, AT("its CRL has expired"), -1, -1},
    /* One that is fetched is renewed before. */
    {FAR, 0, 30 * DAY, FETCHED, 0, NULL, 0, 0},
    {FAR, 0, DAY + 1, FETCHED, 0, NULL, 0, 0},
    {FAR, 0, DAY, FETCHED, 0, AT("its CRL expires within 1 day"), 0, 1},
    {FAR, 0, DAY, FETCHED, 1, NULL, 0, 0},
    {FAR, 0, 0, FETCHED, 0, AT("its CRL has expired"), 0, -1},
    {FAR, 0, -DAY, FETCHED, 1, AT("its CRL has expired"), 0, -1},
    /* One that lives for a day is overdue in its last quarter. */
    {FAR, 0, 23 * HOUR, true, 24 * HOUR, 0, NULL, 0, 0},
    {FAR, 0, 6 * HOUR + 1, true, 24 * HOUR, 0, NULL, 0, 0},
    {FAR, 0, 6 * HOUR, true, 24 * HOUR, 0, AT("its CRL expires within 1 day"),
        0, 1},
    {FAR, 0, 0, true, 24 * HOUR, 1, AT("its CRL has expired"), 0, -1},
    {FAR, 0, 1, true, 0, 0, NULL, 0, 0},
};

static void
check_ending(size_t i, struct ca_record *ca)
{
	struct ending ending = {.told = 55, .crl_told = 66};
	bool has = watch_ending(ca, NOW, &ending);
	char when[TIME_MAX + 1];

	if (has != (endings[i].want != NULL)) {
		print_error("ending %zu: \"%s\"\n", i, ending.detail.text);
	}
	assert_true(has == (endings[i].want != NULL));
	if (!has) {
		assert_int_equal(ending.told, 55);
		assert_int_equal(ending.crl_told, 66);
		assert_string_equal(ending.detail.text, "");
		return;
	}
	assert_int_equal(ending.told, endings[i].want_told);
	assert_int_equal(ending.crl_told, endings[i].want_crl_told);
	assert_int_equal(strncmp(ending.detail.text, endings[i].want,
	                     strlen(endings[i].want)),
	    0);
	clock_format(
	    endings[i].want[0] == 't' ? ca->not_after : ca->crl.next_update,
	    when);
	assert_string_equal(ending.detail.text + strlen(endings[i].want), when);
}

static void
tells_of_ends(void **state)
{
	static uint8_t der[1];
	static char url[] = "https://localhost/";
	struct ca_record ca;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		ca = (struct ca_record){
		    .not_after = NOW + endings[i].end,
		    .told = endings[i].told,
		    .crl_url = endings[i].fetched ? url : NULL,
		};
		if (endings[i].next_update != NO_CRL) {
			ca.crl.der = der;
			ca.crl.next_update = NOW + endings[i].next_update;
			ca.crl.this_update =
			    ca.crl.next_update - endings[i].life;
		}
		ca.crl.fetched = endings[i].fetched;
		ca.crl.told = endings[i].crl_told;
		check_ending(i, &ca);
	}
}

/* Whether a CRL will come anew: only what came from a URL that is still
 * there. */
static void
knows_what_is_renewed(void **state)
{
	static uint8_t der[1];
	static char url[] = "https://localhost/";
	struct ca_record ca = {.not_after = NOW + FAR,
	    .crl = {.der = der, .next_update = NOW + 7 * DAY}};
	struct ending ending;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		ca.crl.fetched = (i & 1) != 0;
		ca.crl_url = (i & 2) != 0 ? url : NULL;
		assert_true(watch_ending(&ca, NOW, &ending) == (i != 3));
	}
	ca.crl.der = NULL;
	ca.crl_url = NULL;
	assert_false(watch_ending(&ca, NOW, &ending));
}

/* Dates as a damaged registry may hold them. */
static void
bears_any_date(void **state)
{
	static const int64_t dates[] = {
	    INT64_MIN, INT64_MIN + 1, -1, 0, NOW, INT64_MAX - 1, INT64_MAX};
	static uint8_t der[1];
	static char url[] = "https://localhost/";
	struct ca_record ca = {.crl = {.der = der, .fetched = true}};
	struct watch watch = {.due_ms = 0};
	struct ending ending;
	size_t i, n = sizeof(dates) / sizeof(dates[0]);

	(void)state;
	for (i = 0; i < n * n * 2; i++) {
		ca.not_after = dates[i % n];
		ca.crl.next_update = dates[i % n];
		ca.crl.this_update = dates[i / n % n];
		ca.crl_url = i < n * n ? NULL : url;
		ca.told = TOLD_EXPIRED;
		if (watch_ending(&ca, NOW, &ending)) {
			assert_int_equal(ending.told, TOLD_EXPIRED);
		}
		watch_schedule(&watch, false, ca.crl.next_update, NOW, 0);
		assert_in_range(watch.due_ms, 1000, 3600000);
	}
}

/* ---- Which CAs ---- */

struct table {
	struct fetcher *fetcher;
	struct watch *watches;
};

static int
setup(void **state)
{
	const struct fetch_limits limits = {.connect_ms = 1000,
	    .whole_ms = 1000,
	    .slow_s = 1,
	    .bytes_max = 4096};
	struct table *table = calloc(1, sizeof(*table));
	struct diag why;

	assert_non_null(table);
	assert_int_equal(fetcher_new(&limits, &table->fetcher, &why), RES_OK);
	*state = table;
	return 0;
}

static int
teardown(void **state)
{
	struct table *table = *state;

	watches_free(&table->watches, table->fetcher);
	assert_null(table->watches);
	fetcher_free(table->fetcher);
	free(table);
	return 0;
}

static struct ca_record
record(const char *org, uint8_t fingerprint, const char *url)
{
	struct ca_record ca = {.told = 0};

	text_set(ca.org, sizeof(ca.org), org);
	memset(ca.fingerprint, fingerprint, HASH_LEN);
	text_set(ca.id, sizeof(ca.id), "0123456789abcdef");
	ca.crl_url = url == NULL ? NULL : strdup(url);
	ca.crl.der = malloc(1000);
	ca.crl.der_len = 1000;
	ca.crl.fetched = true;
	ca.crl.next_update = NOW + HOUR;
	ca.crl.modified_at = NOW - HOUR;
	return ca;
}

static void
update(struct table *table, struct ca_record *cas, size_t n, int64_t now_ms)
{
	struct config config = {.cas = calloc(n + 1, sizeof(*cas))};

	config.ca_count = n;
	memcpy(config.cas, cas, n * sizeof(*cas));
	assert_int_equal(
	    watches_update(&table->watches, &config, table->fetcher, now_ms),
	    RES_OK);
	config_done(&config);
}

/* The due ones, in their order, by the first digit of their fingerprints. */
static void
assert_due(struct table *table, int64_t now_ms, const char *want)
{
	char text[16] = "";
	struct watch *watch;
	size_t n = 0;

	while (
	    n < 15 && (watch = watches_due(table->watches, now_ms)) != NULL) {
		text[n++] = (char)('0' + watch->ca.fingerprint[0]);
		watch->due_ms += 1000000;
	}
	assert_string_equal(text, want);
}

static void
watches_what_is_registered(void **state)
{
	struct table *table = *state;
	struct ca_record cas[3];

	assert_due(table, 0, "");
	cas[0] = record("default", 1, "file:///1");
	cas[1] = record("default", 2, NULL);
	update(table, cas, 2, 100);
	assert_int_equal(HASH_COUNT(table->watches), 2);
	assert_due(table, 99, "");
	assert_due(table, 100, "1");
	/* Nothing new, then a URL for the second, the same CA elsewhere. */
	cas[0] = record("default", 1, "file:///1");
	cas[1] = record("default", 2, NULL);
	update(table, cas, 2, 200);
	assert_due(table, 200, "");
	cas[0] = record("default", 1, "file:///1");
	cas[1] = record("default", 2, "file:///2");
	cas[2] = record("other", 1, "file:///1");
	update(table, cas, 3, 300);
	assert_int_equal(HASH_COUNT(table->watches), 3);
	assert_due(table, 300, "21");
	/* Another URL, none, and a CA that is gone. */
	cas[0] = record("default", 1, "file:///0");
	cas[1] = record("default", 2, NULL);
	update(table, cas, 2, 400);
	assert_int_equal(HASH_COUNT(table->watches), 2);
	assert_due(table, 400, "1");
	update(table, cas, 0, 500);
	assert_null(table->watches);
}

static void
takes_the_longest_due(void **state)
{
	struct table *table = *state;
	struct ca_record cas[2];

	cas[0] = record("default", 1, "file:///1");
	cas[1] = record("default", 2, "file:///2");
	update(table, cas, 2, 100);
	watches_due(table->watches, 100)->due_ms = 300;
	watches_due(table->watches, 100)->due_ms = 200;
	assert_due(table, 199, "");
	assert_due(table, 300, "21");
}

/* Somebody stored a list by hand that runs out before the next fetch is due;
 * one that lasts changes nothing, nor does the same one again. */
static void
hurries_where_a_list_runs_out(void **state)
{
	struct table *table = *state;
	struct ca_record ca = record("default", 1, "file:///1");
	struct watch *watch;

	update(table, &ca, 1, 0);
	watch = watches_due(table->watches, 0);
	watch->due_ms = 600000;
	ca = record("default", 1, "file:///1");
	ca.crl.next_update = clock_now() + 20; /* and so within ten seconds */
	update(table, &ca, 1, 1000);
	assert_int_equal(watch->due_ms, 600000);
	ca = record("default", 1, "file:///1");
	ca.crl.fingerprint[0] = 1;
	ca.crl.next_update = clock_now() + 7200;
	update(table, &ca, 1, 1000);
	assert_int_equal(watch->due_ms, 600000);
	ca = record("default", 1, "file:///1");
	ca.crl.fingerprint[0] = 2;
	ca.crl.next_update = clock_now() + 20;
	update(table, &ca, 1, 1000);
	assert_in_range(watch->due_ms, 1000, 11000);
	ca = record("default", 1, "file:///1");
	ca.crl.fingerprint[0] = 3;
	ca.crl.next_update = clock_now() - 20; /* stale already */
	update(table, &ca, 1, 2000);
	assert_in_range(watch->due_ms, 2000, 3000);
}

/* The CRL itself is not kept, only that there is one. */
static void
keeps_no_lists(void **state)
{
	struct table *table = *state;
	struct ca_record cas[2];
	struct watch *watch, *next;

	cas[0] = record("default", 1, NULL);
	cas[1] = record("default", 2, NULL);
	free(cas[1].crl.der);
	cas[1].crl = (struct crl_record){.der = NULL};
	update(table, cas, 2, 0);
	HASH_ITER(hh, table->watches, watch, next)
	{
		assert_true((watch->ca.crl.der != NULL) ==
		    (watch->ca.fingerprint[0] == 1));
		assert_true(watch->ca.crl.der_len <= 1);
	}
}

/* A file of another date is fetched; of the same one, only if the stored CRL
 * came from elsewhere, or has run out. */
static void
asks_with_the_date_of_the_stored(void **state)
{
	static const struct {
		bool has_crl, fetched;
		int64_t now, later; /* than the stored one's date */
		enum fetch_outcome want;
	} cases[] = {
	    {true, true, NOW, 0, FETCH_UNCHANGED},
	    {true, true, NOW, 1, FETCH_DONE},
	    {true, true, NOW + HOUR - 1, 0, FETCH_UNCHANGED},
	    {true, true, NOW + HOUR, 0, FETCH_DONE},
	    {true, false, NOW, 0, FETCH_DONE},
	    {false, true, NOW, 0, FETCH_DONE},
	};
	struct table *table = *state;
	char path[] = "/tmp/certid-watch-XXXXXX", url[64];
	struct timespec times[2] = {{.tv_sec = (time_t)(NOW - HOUR)}};
	int fd = mkstemp(path);
	struct ca_record ca;
	struct watch *watch;
	struct fetch *fetch;
	size_t i;

	times[1] = times[0];
	assert_int_equal(write(fd, "crl", 3), 3);
	assert_int_equal(futimens(fd, times), 0);
	(void)close(fd);
	(void)snprintf(url, sizeof(url), "file://%s", path);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ca = record("default", 1, url);
		ca.crl.fetched = cases[i].fetched;
		ca.crl.modified_at -= cases[i].later;
		if (!cases[i].has_crl) {
			free(ca.crl.der);
			ca.crl.der = NULL;
		}
		update(table, &ca, 1, 0);
		watch = watches_due(table->watches, INT64_MAX);
		assert_int_equal(
		    watch_begin(watch, table->fetcher, cases[i].now), RES_OK);
		assert_null(watches_due(table->watches, INT64_MAX));
		fetch = fetcher_take(table->fetcher);
		assert_ptr_equal(fetch, watch->fetch);
		assert_ptr_equal(fetch->owner, watch);
		assert_int_equal(fetch->outcome, cases[i].want);
		fetch_free(fetch);
		watch->fetch = NULL;
	}
	assert_int_equal(unlink(path), 0);
}

/* Another URL, or no CA any more: what is under way is of no interest. */
static void
abandons_what_is_of_no_interest(void **state)
{
	struct table *table = *state;
	struct ca_record ca = record("default", 1, "file:///1");
	struct watch *watch;

	update(table, &ca, 1, 0);
	watch = watches_due(table->watches, 0);
	assert_int_equal(watch_begin(watch, table->fetcher, NOW), RES_OK);
	watch->vain = 5;
	diag_set(&watch->said, "failed");
	ca = record("default", 1, "file:///1");
	update(table, &ca, 1, 0);
	assert_true(fetcher_has_over(table->fetcher));
	assert_non_null(watch->fetch);
	assert_int_equal(watch->vain, 5);

	ca = record("default", 1, "file:///2");
	update(table, &ca, 1, 0);
	assert_false(fetcher_has_over(table->fetcher));
	assert_null(watch->fetch);
	assert_int_equal(watch->vain, 0);
	assert_string_equal(watch->said.text, "");

	assert_int_equal(watch_begin(watch, table->fetcher, NOW), RES_OK);
	assert_true(fetcher_has_over(table->fetcher));
	update(table, &ca, 0, 0);
	assert_false(fetcher_has_over(table->fetcher));
}

static void
names_a_ca(void **state)
{
	struct watch watch = {.ca = record("acme", 1, NULL)};
	char name[WATCH_NAME_MAX + 1];

	(void)state;
	watch_name(&watch, name);
	assert_string_equal(name, "0123456789abcdef (org acme)");
	text_set(watch.ca.name, sizeof(watch.ca.name), "factory");
	watch_name(&watch, name);
	assert_string_equal(name, "0123456789abcdef (factory, org acme)");
	ca_record_done(&watch.ca);
	memset(watch.ca.id, 'a', HASH_TEXT_MAX);
	memset(watch.ca.name, 'b', NAME_MAX_LEN);
	memset(watch.ca.org, 'c', NAME_MAX_LEN);
	watch_name(&watch, name);
	assert_string_equal(name + strlen(name) - 3, "cc)");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(waits_so_long),
	    cmocka_unit_test(schedules_the_next),
	    cmocka_unit_test(tells_of_ends),
	    cmocka_unit_test(knows_what_is_renewed),
	    cmocka_unit_test(bears_any_date),
	    CASE(watches_what_is_registered),
	    CASE(takes_the_longest_due),
	    CASE(hurries_where_a_list_runs_out),
	    CASE(keeps_no_lists),
	    CASE(asks_with_the_date_of_the_stored),
	    CASE(abandons_what_is_of_no_interest),
	    cmocka_unit_test(names_a_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
