/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/pin.h"

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TWICE(text)             text text
#define A                       TWICE(TWICE(TWICE("aaaaaaaa")))
#define B                       TWICE(TWICE(TWICE("bbbbbbbb")))
#define C                       TWICE(TWICE(TWICE("cccccccc")))
#define K                       TWICE(TWICE("0123456789abcdef"))
#define S                       TWICE(TWICE("fedcba9876543210"))
#define BARE(fingerprint, mark) fingerprint ":-:-:-:-:-:" mark
/* 20 bytes, as many as a number has. */
#define MIN "-9223372036854775807"

static const char *const good[] = {"", BARE(A, "s"), BARE(A, "w"),
    A ":" K ":" S ":1700000000:1700000001:1700000002:s",
    A ":" K ":-:-631152000:0:-:w", A ":-:" S ":-:5:-:s",
    BARE(A, "s") " " BARE(B, "s"), BARE(A, "w") " " BARE(B, "s"),
    BARE(A, "s") " " BARE(B, "w") " " BARE(C, "s"),
    BARE(A, "s") " " BARE(B, "s") " " BARE(C, "w"),
    A ":" K ":" S ":" MIN ":" MIN ":" MIN ":s " B ":" K ":" S ":" MIN ":" MIN
      ":" MIN ":s " C ":" K ":" S ":" MIN ":" MIN ":" MIN ":w"};

static void
reads_what_it_wrote(void **state)
{
	char again[PINS_TEXT_MAX + 1];
	struct pins pins;
	size_t i, longest = 0;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (pins_parse(good[i], &pins) != RES_OK) {
			fail_msg("%s", good[i]);
		}
		memset(again, 'z', sizeof(again));
		pins_format(&pins, again);
		assert_string_equal(again, good[i]);
		longest = strlen(again) > longest ? strlen(again) : longest;
	}
	assert_int_equal(longest, PINS_TEXT_MAX - 1);
}

static void
reads_every_part(void **state)
{
	struct pins pins;
	const struct pin *pin;

	(void)state;
	assert_int_equal(pins_parse(good[3], &pins), RES_OK);
	assert_int_equal(pins.count, 1);
	pin = &pins.list[0];
	assert_int_equal(pin->fingerprint[0], 0xaa);
	assert_true(pin->has_key && pin->has_ca && !pin->waits);
	assert_int_equal(pin->key[0], 0x01);
	assert_int_equal(pin->ca[0], 0xfe);
	assert_true(pin->not_before == 1700000000);
	assert_true(pin->added_at == 1700000001);
	assert_true(pin->ends_at == 1700000002);

	assert_int_equal(pins_parse(BARE(B, "w"), &pins), RES_OK);
	pin = &pins.list[0];
	assert_true(!pin->has_key && !pin->has_ca && pin->waits);
	assert_true(pin->not_before == CLOCK_NONE);
	assert_true(pin->added_at == CLOCK_NONE);
	assert_true(pin->ends_at == CLOCK_FOREVER);
}

static const char *const bad[] = {" ", "-", "s", A, A ":", A ":-:-:-:-:-",
    A ":-:-:-:-:-:", A ":-:-:-:-:-:x", A ":-:-:-:-:-:S", A ":-:-:-:-:-:ss",
    A ":-:-:-:-:-:s:", A ":-:-:-:-:s", A ":-:-:-:-:-:-:s", A ":-:-:-:-:-:s ",
    " " A ":-:-:-:-:-:s", A ":-:-:-:-:-:s\n", A " :-:-:-:-:-:s",
    "-:-:-:-:-:-:s", ":-:-:-:-:-:s", "a" A ":-:-:-:-:-:s",
    "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaa:-:-:-:-:-:s",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    ":-:-:-:-:-:s",
    "gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    ":-:-:-:-:-:s",
    A ":" K "0:-:-:-:-:s", A ":0123:-:-:-:-:s", A "::-:-:-:-:s",
    A ":--:-:-:-:-:s", A ":-:-::-:-:s", A ":-:-:01:-:-:s", A ":-:-:+1:-:-:s",
    A ":-:-: 1:-:-:s", A ":-:-:-0:-:-:s", A ":-:-:0x1:-:-:s",
    A ":-:-:1.5:-:-:s", A ":-:-:9223372036854775808:-:-:s",
    A ":-:-:-9223372036854775808:-:-:s", A ":-:-:-:-9223372036854775808:-:s",
    A ":-:-:-:-:9223372036854775807:s",
    /* Too many, or one twice. */
    BARE(A, "s") " " BARE(A, "s"), BARE(A, "s") " " BARE(A, "w"),
    BARE(A, "w") " " BARE(B, "w"),
    BARE(A, "s") " " BARE(B, "s") " " BARE(C, "s"),
    BARE(A, "s") " " BARE(B, "w") " " BARE(C, "w"),
    BARE(A, "s") " " BARE(B, "s") " " BARE(C, "w") " " BARE(K, "s"),
    BARE(A, "s") " " BARE(B, "s") " " BARE(C, "w") " " BARE(K, "w"),
    BARE(A, "s") "  " BARE(B, "s"), BARE(A, "s") "," BARE(B, "s"),
    BARE(A, "s") BARE(B, "s"), BARE(A, "s") " " BARE(B, "x")};

static void
reads_nothing_else(void **state)
{
	static const struct pins none;
	struct pins pins;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		memset(&pins, 0x55, sizeof(pins));
		if (pins_parse(bad[i], &pins) != RES_SYNTAX) {
			fail_msg("%s", bad[i]);
		}
		assert_memory_equal(&pins, &none, sizeof(pins));
	}
}

/* Every field that two may differ in. */
static void
knows_equal_ones(void **state)
{
	static const char *const texts[] = {"", A ":" K ":" S ":1:2:3:s",
	    B ":" K ":" S ":1:2:3:s", A ":" A ":" S ":1:2:3:s",
	    A ":-:" S ":1:2:3:s", A ":" K ":" A ":1:2:3:s",
	    A ":" K ":-:1:2:3:s", A ":" K ":" S ":2:2:3:s",
	    A ":" K ":" S ":1:1:3:s", A ":" K ":" S ":1:2:-:s",
	    A ":" K ":" S ":1:2:3:w", A ":" K ":" S ":1:2:3:s " BARE(C, "s"),
	    BARE(C, "s") " " A ":" K ":" S ":1:2:3:s"};
	struct pins a, b;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		for (j = 0; j < COUNT(texts); j++) {
			assert_int_equal(pins_parse(texts[i], &a), RES_OK);
			memset(&b, 0x55, sizeof(b));
			assert_int_equal(pins_parse(texts[j], &b), RES_OK);
			assert_int_equal(pins_equal(&a, &b), i == j);
		}
	}
	/* What is not known does not count. */
	assert_int_equal(pins_parse(texts[4], &a), RES_OK);
	b = a;
	b.list[0].key[5] = 9;
	assert_true(pins_equal(&a, &b));
}

static void
finds_by_the_whole_fingerprint(void **state)
{
	uint8_t fingerprint[HASH_LEN];
	struct pins pins;

	(void)state;
	assert_int_equal(
	    pins_parse(BARE(A, "s") " " BARE(B, "w"), &pins), RES_OK);
	memset(fingerprint, 0xaa, sizeof(fingerprint));
	assert_ptr_equal(pins_find(&pins, fingerprint), &pins.list[0]);
	fingerprint[31] = 0;
	assert_null(pins_find(&pins, fingerprint));
	memset(fingerprint, 0xbb, sizeof(fingerprint));
	assert_ptr_equal(pins_find(&pins, fingerprint), &pins.list[1]);
	pins.count = 1;
	assert_null(pins_find(&pins, fingerprint));
}

static const struct {
	const char *text;
	int64_t now;
	bool want;
} holds[] = {
    {"", 0, false},
    {BARE(A, "s"), 0, true},
    {BARE(A, "w"), 0, false},
    {A ":-:-:-:-:100:s", 99, true},
    {A ":-:-:-:-:100:s", 100, false},
    {A ":-:-:-:-:100:s", 101, false},
    {A ":-:-:-:-:100:s " BARE(B, "w"), 100, false},
    {A ":-:-:-:-:100:s " BARE(B, "s"), 100, true},
};

static void
knows_whether_one_holds(void **state)
{
	struct pins pins;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(holds); i++) {
		assert_int_equal(pins_parse(holds[i].text, &pins), RES_OK);
		if (pins_hold(&pins, holds[i].now) != holds[i].want) {
			fail_msg("%s", holds[i].text);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_it_wrote),
	    cmocka_unit_test(reads_every_part),
	    cmocka_unit_test(reads_nothing_else),
	    cmocka_unit_test(knows_equal_ones),
	    cmocka_unit_test(finds_by_the_whole_fingerprint),
	    cmocka_unit_test(knows_whether_one_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
