/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/pins.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW     1000
#define OVERLAP 50

/*
 * Pins in short: fingerprint, key, CA and notBefore, one sign each ('.': not
 * known), then "-" or when the slot ends, and "w" for one that waits.  The
 * moment of adding stands behind '@' where it is not 0.
 */
static void
read_hash(char sign, bool *is_known, uint8_t hash[HASH_LEN])
{
	*is_known = sign != '.';
	memset(hash, *is_known ? sign : 0, HASH_LEN);
}

static void
read_pin(const char *text, struct pin *out)
{
	bool known;
	char *at;

	memset(out, 0, sizeof(*out));
	read_hash(text[0], &known, out->fingerprint);
	read_hash(text[1], &out->has_key, out->key);
	read_hash(text[2], &out->has_ca, out->ca);
	out->not_before = text[3] == '.' ? CLOCK_NONE : text[3] - '0';
	out->waits = strchr(text + 4, 'w') != NULL;
	out->ends_at = text[4] == '-' ? CLOCK_FOREVER
	                              : (int64_t)strtoll(text + 4, &at, 10);
	at = strchr(text, '@');
	out->added_at = at == NULL ? 0 : (int64_t)strtoll(at + 1, NULL, 10);
}

static void
read_pins(const char *text, struct pins *out)
{
	char copy[128], *rest = copy, *one;

	memset(out, 0, sizeof(*out));
	(void)stpcpy(copy, text);
	while ((one = strsep(&rest, " ")) != NULL) {
		if (one[0] != '\0') {
			assert_true(out->count < PINS_MAX);
			read_pin(one, &out->list[out->count++]);
		}
	}
}

enum { NONE = PIN_NONE, FIRST = PIN_FIRST, LISTED = PIN_LISTED };
enum {
	NO = ROTATE_NONE,
	KEY = ROTATE_SAME_KEY,
	CA = ROTATE_SAME_CA,
	ASK = ROTATE_APPROVE
};

/* out NULL: as before. */
static const struct {
	const char *name;
	int mode, rotation;
	const char *pins, *presented;
	enum pin_answer want;
	const char *out;
} cases[] = {
    /* No slot: by the mode, whatever the rotation. */
    {"none", NONE, NO, "", "Akc1-", PINS_HELD, NULL},
    {"none, same-key", NONE, KEY, "", "Akc1-", PINS_HELD, NULL},
    {"none, same-ca", NONE, CA, "", "Akc1-", PINS_HELD, NULL},
    {"none, approve", NONE, ASK, "", "Akc1-", PINS_HELD, NULL},
    {"first", FIRST, NO, "", "Akc1-", PINS_TAKEN, "Akc1-@1000"},
    {"first, same-key", FIRST, KEY, "", "Akc1-", PINS_TAKEN, "Akc1-@1000"},
    {"first, same-ca", FIRST, CA, "", "Akc1-", PINS_TAKEN, "Akc1-@1000"},
    {"first, approve", FIRST, ASK, "", "Akc1-", PINS_TAKEN, "Akc1-@1000"},
    {"first, little known", FIRST, NO, "", "A...-", PINS_TAKEN, "A...-@1000"},
    {"first, whatever it says of itself", FIRST, NO, "", "Akc17w@3", PINS_TAKEN,
        "Akc1-@1000"},
    {"listed", LISTED, NO, "", "Akc1-", PINS_REFUSE, NULL},
    {"listed, same-key", LISTED, KEY, "", "Akc1-", PINS_REFUSE, NULL},
    {"listed, same-ca", LISTED, CA, "", "Akc1-", PINS_REFUSE, NULL},
    {"listed, approve", LISTED, ASK, "", "Akc1-", PINS_REFUSE, NULL},
    {"no such mode", 9, KEY, "", "Akc1-", PINS_REFUSE, NULL},
    {"one that waits is no slot: none", NONE, NO, "Bkc1-w", "Akc1-", PINS_HELD,
        NULL},
    {"one that waits is no slot: first", FIRST, NO, "Bkc1-w", "Akc1-",
        PINS_TAKEN, "Bkc1-w Akc1-@1000"},
    {"one that waits is no slot: listed", LISTED, NO, "Akc1-w", "Akc1-",
        PINS_REFUSE, NULL},
    {"the first is the one that waits", FIRST, NO, "Akc1-w@3", "Akc1-",
        PINS_TAKEN, "Akc1-@1000"},

    /* In a slot: held, whatever the mode and the rotation. */
    {"held", LISTED, NO, "Akc1-", "Akc1-", PINS_HELD, NULL},
    {"held, none", NONE, NO, "Akc1-", "Akc1-", PINS_HELD, NULL},
    {"held, first", FIRST, ASK, "Akc1-", "Akc1-", PINS_HELD, NULL},
    {"held, older slot", LISTED, NO, "Akc11001 Bkc2-", "Akc1-", PINS_HELD,
        NULL},
    {"held, newer slot", LISTED, NO, "Akc11001 Bkc2-", "Bkc2-", PINS_HELD,
        NULL},
    {"held, two without end", LISTED, NO, "Akc1- Bkc2-", "Akc1-", PINS_HELD,
        NULL},
    {"held beside one that waits", LISTED, ASK, "Akc1- Ckc3-w", "Akc1-",
        PINS_HELD, NULL},
    {"by its fingerprint alone", LISTED, NO, "A...-", "Akc1-", PINS_HELD,
        "Akc1-"},
    {"its key is known", LISTED, NO, "Ax..-", "Akc1-", PINS_HELD, "Axc1-"},
    {"its CA is known", LISTED, NO, "A.x.-", "Akc1-", PINS_HELD, "Akx1-"},
    {"its date is known", LISTED, NO, "A..7-", "Akc1-", PINS_HELD, "Akc7-"},
    {"it tells nothing", LISTED, NO, "A...-", "A...-", PINS_HELD, NULL},
    {"completed in its place", LISTED, NO, "A...1001 Bkc2- Ckc3-w", "Akc1-",
        PINS_HELD, "Akc11001 Bkc2- Ckc3-w"},

    /* In a slot that has lapsed: never again. */
    {"lapsed now", NONE, NO, "Akc11000 Bkc2-", "Akc1-", PINS_REFUSE, NULL},
    {"lapsed", FIRST, NO, "Akc1999 Bkc2-", "Akc1-", PINS_REFUSE, NULL},
    {"lapsed, same-key", NONE, KEY, "Akc1999 Bkc2-", "Akc1-", PINS_REFUSE,
        NULL},
    {"lapsed, same-ca", NONE, CA, "Akc9999 Bkc2-", "Akc9-", PINS_REFUSE, NULL},
    {"lapsed, approve", NONE, ASK, "Akc1999 Bkc2-", "Akc1-", PINS_REFUSE, NULL},
    {"lapsed, and the only one", FIRST, NO, "Akc1999", "Akc1-", PINS_REFUSE,
        NULL},
    {"a lapsed slot is one: none", NONE, NO, "Akc1999", "Bkc1-", PINS_REFUSE,
        NULL},
    {"a lapsed slot is one: first", FIRST, NO, "Akc1999", "Bkc1-", PINS_REFUSE,
        NULL},
    {"nor is it completed", NONE, NO, "A...999", "Akc1-", PINS_REFUSE, NULL},

    /* In no slot, rotation none. */
    {"another", LISTED, NO, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
    {"another, none", NONE, NO, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
    {"another, first", FIRST, NO, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
    {"a third", LISTED, NO, "Akc1- Bkc2-", "Ckc3-", PINS_REFUSE, NULL},
    {"it waits", LISTED, NO, "Akc1- Bkc2-w", "Bkc2-", PINS_REFUSE, NULL},
    {"no such rotation", LISTED, 9, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},

    /* Same key. */
    {"same key", LISTED, KEY, "Akc1-", "Bkx1-", PINS_TAKEN,
        "Akc11050 Bkx1-@1000"},
    {"same key, none", NONE, KEY, "Akc1-", "Bkx1-", PINS_TAKEN,
        "Akc11050 Bkx1-@1000"},
    {"same key, first", FIRST, KEY, "Akc1-", "Bkx1-", PINS_TAKEN,
        "Akc11050 Bkx1-@1000"},
    {"another key", LISTED, KEY, "Akc1-", "Bxc2-", PINS_REFUSE, NULL},
    {"key not known", LISTED, KEY, "A.c1-", "Bkc2-", PINS_REFUSE, NULL},
    {"key not told", LISTED, KEY, "Akc1-", "B.c2-", PINS_REFUSE, NULL},
    {"neither key known", LISTED, KEY, "A.c1-", "B.c2-", PINS_REFUSE, NULL},
    {"key of the older slot", LISTED, KEY, "Akc11001 Bxc2-", "Ckc3-",
        PINS_TAKEN, "Bxc21050 Ckc3-@1000"},
    {"key of a lapsed slot", LISTED, KEY, "Akc11000 Bxc2-", "Ckc3-",
        PINS_REFUSE, NULL},
    {"key of one that waits", LISTED, KEY, "Axc1- Bkc2-w", "Ckc3-", PINS_REFUSE,
        NULL},
    {"a third certificate", LISTED, KEY, "Akc11020 Bkc2-", "Ckc3-", PINS_TAKEN,
        "Bkc21050 Ckc3-@1000"},
    {"a third beside two without end", LISTED, KEY, "Akc1- Bkc2-", "Ckc3-",
        PINS_TAKEN, "Bkc21050 Ckc3-@1000"},
    {"an end is not put off", LISTED, KEY, "Akc11001", "Bkc2-", PINS_TAKEN,
        "Akc11001 Bkc2-@1000"},
    {"what waits goes on", LISTED, KEY, "Akc1- Cxc3-w", "Bkc2-", PINS_TAKEN,
        "Akc11050 Cxc3-w Bkc2-@1000"},
    {"what waited is taken up", LISTED, KEY, "Akc1- Bkc2-w@7", "Bkc2-",
        PINS_TAKEN, "Akc11050 Bkc2-@1000"},
    {"pushed out, and does not come again", NONE, KEY, "Bkc21050 Ckc3-",
        "Akc1-", PINS_REFUSE, NULL},
    {"nor beside one of another CA", NONE, KEY, "Bxx3-", "Axc2-", PINS_REFUSE,
        NULL},
    {"began before the newest, after the older", NONE, KEY, "Akc11050 Ckc3-",
        "Bkc2-", PINS_REFUSE, NULL},
    {"began with the newest", NONE, KEY, "Akc1- Bkc3-", "Ckc3-", PINS_TAKEN,
        "Bkc31050 Ckc3-@1000"},
    {"the newest is not the latest", NONE, KEY, "Akc5- Bxc3-", "Ckc4-",
        PINS_TAKEN, "Bxc31050 Ckc4-@1000"},
    {"nothing is known of the newest", NONE, KEY, "Akc2- B...-", "Ckc1-",
        PINS_REFUSE, NULL},
    {"nothing is known of the newest, and later", NONE, KEY, "Akc2- B...-",
        "Ckc3-", PINS_TAKEN, "B...1050 Ckc3-@1000"},
    {"no date is known", NONE, KEY, "Akc.-", "Bkc9-", PINS_REFUSE, NULL},
    {"one that waits is not the newest", NONE, KEY, "Akc1- Bxc9-w", "Ckc3-",
        PINS_TAKEN, "Akc11050 Bxc9-w Ckc3-@1000"},
    {"same key, no date told", NONE, KEY, "Akc1-", "Bkc.-", PINS_REFUSE, NULL},
    {"all three at once", LISTED, KEY, "Akc1- Bkc2- Dxx9-w", "Ckc3-",
        PINS_TAKEN, "Bkc21050 Dxx9-w Ckc3-@1000"},

    /* Same CA, later notBefore. */
    {"same CA", LISTED, CA, "Akc1-", "Bxc2-", PINS_TAKEN,
        "Akc11050 Bxc2-@1000"},
    {"same CA, none", NONE, CA, "Akc1-", "Bxc2-", PINS_TAKEN,
        "Akc11050 Bxc2-@1000"},
    {"same CA, no later", LISTED, CA, "Akc2-", "Bxc2-", PINS_REFUSE, NULL},
    {"same CA, earlier", LISTED, CA, "Akc2-", "Bkc1-", PINS_REFUSE, NULL},
    {"another CA", LISTED, CA, "Akc1-", "Bkx2-", PINS_REFUSE, NULL},
    {"CA not known", LISTED, CA, "Ak.1-", "Bkc2-", PINS_REFUSE, NULL},
    {"CA not told", LISTED, CA, "Akc1-", "Bk.2-", PINS_REFUSE, NULL},
    {"neither CA known", LISTED, CA, "Ak.1-", "Bk.2-", PINS_REFUSE, NULL},
    {"date not known", LISTED, CA, "Akc.-", "Bkc2-", PINS_REFUSE, NULL},
    {"date not told", LISTED, CA, "Akc1-", "Bkc.-", PINS_REFUSE, NULL},
    {"the newest slot counts", LISTED, CA, "Akc11001 Bkc5-", "Ckc3-",
        PINS_REFUSE, NULL},
    {"the newest slot's CA counts", LISTED, CA, "Akc11001 Bkx2-", "Ckc3-",
        PINS_REFUSE, NULL},
    {"a third of the CA", LISTED, CA, "Akc11001 Bkc2-", "Ckc3-", PINS_TAKEN,
        "Bkc21050 Ckc3-@1000"},
    {"the newest has lapsed", LISTED, CA, "Akc1- Bkc21000", "Ckc3-",
        PINS_REFUSE, NULL},
    {"one that waits is not the newest", LISTED, CA, "Akc1- Bkc5-w", "Ckc3-",
        PINS_TAKEN, "Akc11050 Bkc5-w Ckc3-@1000"},
    {"one that was dropped does not come again", LISTED, CA, "Bkc21050 Ckc3-",
        "Akc1-", PINS_REFUSE, NULL},

    /* Approval. */
    {"asks", LISTED, ASK, "Akc1-", "Bxx0-", PINS_WAIT, "Akc1- Bxx0-w@1000"},
    {"asks, none", NONE, ASK, "Akc1-", "Bxx0-", PINS_WAIT, "Akc1- Bxx0-w@1000"},
    {"asks, first", FIRST, ASK, "Akc1-", "Bxx0-", PINS_WAIT,
        "Akc1- Bxx0-w@1000"},
    {"asks again", LISTED, ASK, "Akc1- Bxx0-w@7", "Bxx0-", PINS_WAIT, NULL},
    {"asks in another's place", LISTED, ASK, "Akc1- Bxx0-w@7", "Ckc3-",
        PINS_WAIT, "Akc1- Ckc3-w@1000"},
    {"asks beside two", LISTED, ASK, "Akc11001 Bkc2-", "Ckc3-", PINS_WAIT,
        "Akc11001 Bkc2- Ckc3-w@1000"},
    {"asks in another's place beside two", LISTED, ASK, "Dkc9-w Akc11001 Bkc2-",
        "Ckc3-", PINS_WAIT, "Akc11001 Bkc2- Ckc3-w@1000"},
    {"asks though all have lapsed", LISTED, ASK, "Akc1999", "Bxx0-", PINS_WAIT,
        "Akc1999 Bxx0-w@1000"},
};

static void
expect_pins(const char *name, const struct pins *got, const char *want)
{
	char left[PINS_TEXT_MAX + 1], right[PINS_TEXT_MAX + 1];
	struct pins pins;

	read_pins(want, &pins);
	if (!pins_equal(got, &pins)) {
		pins_format(got, left);
		pins_format(&pins, right);
		fail_msg("%s:\n%s\n%s", name, left, right);
	}
}

static void
certificates_are_held_to_pins(void **state)
{
	struct pins pins, out;
	struct pin presented;
	enum pin_answer answer;
	const char *why;
	char text[PINS_TEXT_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct type_policy type = {
		    .pin = (enum pin_mode)cases[i].mode,
		    .rotation = (enum rotation)cases[i].rotation,
		    .overlap = OVERLAP};

		read_pins(cases[i].pins, &pins);
		read_pin(cases[i].presented, &presented);
		memset(&out, 'z', sizeof(out));
		why = NULL;
		answer = policy_pins(&type, &pins, &presented, NOW, &out, &why);
		if (answer != cases[i].want) {
			fail_msg("%s: %d", cases[i].name, answer);
		}
		expect_pins(cases[i].name, &out,
		    cases[i].out == NULL ? cases[i].pins : cases[i].out);
		assert_true(why != NULL && why[0] != '\0');
		/* What is to be written can be read again. */
		pins_format(&out, text);
		assert_int_equal(pins_parse(text, &pins), RES_OK);
	}
}

/* Of a type of which nothing is said any will do, but pins hold. */
static void
nothing_need_be_said_of_the_type(void **state)
{
	struct pins pins, out;
	struct pin presented;
	const char *why;

	(void)state;
	read_pin("Akc1-", &presented);
	read_pins("", &pins);
	assert_int_equal(
	    policy_pins(NULL, &pins, &presented, NOW, &out, &why), PINS_HELD);
	read_pins("Akc1-", &pins);
	assert_int_equal(
	    policy_pins(NULL, &pins, &presented, NOW, &out, &why), PINS_HELD);
	read_pins("Bkc1-", &pins);
	assert_int_equal(
	    policy_pins(NULL, &pins, &presented, NOW, &out, &why), PINS_REFUSE);
}

/* A session that was admitted before. */
static const struct {
	const char *name;
	int mode, rotation;
	const char *pins, *presented;
	enum pin_answer want;
	const char *out; /* NULL: as before */
} again[] = {
    {"none", NONE, NO, "", "Akc1-", PINS_HELD, NULL},
    {"first", FIRST, NO, "", "Akc1-", PINS_TAKEN, "Akc1-@1000"},
    {"first, and one that waits", FIRST, ASK, "Bkc2-w", "Akc1-", PINS_TAKEN,
        "Bkc2-w Akc1-@1000"},
    {"listed", LISTED, NO, "", "Akc1-", PINS_REFUSE, NULL},
    {"held", LISTED, NO, "Akc1-", "Akc1-", PINS_HELD, NULL},
    {"held, the older slot", LISTED, CA, "Akc11001 Bkc2-", "Akc1-", PINS_HELD,
        NULL},
    {"nothing is filled in", LISTED, NO, "A...-", "Akc1-", PINS_HELD, NULL},
    {"lapsed", FIRST, KEY, "Akc11000 Bkc2-", "Akc1-", PINS_REFUSE, NULL},
    {"another", FIRST, NO, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
    {"another, same key", FIRST, KEY, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
    {"another, same CA", FIRST, CA, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
    {"another asks", LISTED, ASK, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
    {"it waits", LISTED, ASK, "Akc1- Bkc2-w", "Bkc2-", PINS_REFUSE, NULL},
    {"none, and another", NONE, KEY, "Akc1-", "Bkc2-", PINS_REFUSE, NULL},
};

static void
no_rotation_is_gone_through_again(void **state)
{
	struct pins pins, out;
	struct pin presented;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(again); i++) {
		const struct type_policy type = {
		    .pin = (enum pin_mode)again[i].mode,
		    .rotation = (enum rotation)again[i].rotation,
		    .overlap = OVERLAP};

		read_pins(again[i].pins, &pins);
		read_pin(again[i].presented, &presented);
		memset(&out, 'z', sizeof(out));
		why = NULL;
		if (policy_pins_again(&type, &pins, &presented, NOW, &out,
		        &why) != again[i].want) {
			fail_msg("%s", again[i].name);
		}
		expect_pins(again[i].name, &out,
		    again[i].out == NULL ? again[i].pins : again[i].out);
		assert_true(why != NULL && why[0] != '\0');
	}
}

static const struct {
	int64_t overlap, now, want;
} overlaps[] = {
    {50, 1000, 1050},
    {1, 1000, 1001},
    {0, 1000, 1000},
    {-5, 1000, 1000},
    {INT64_MIN, 1000, 1000},
    {INT64_MAX, 1000, INT64_MAX - 1},
    {INT64_MAX - 1000, 1000, INT64_MAX - 1},
    {INT64_MAX - 1001, 1000, INT64_MAX - 1},
    {INT64_MAX - 1002, 1000, INT64_MAX - 2},
    {50, -1000, -950},
};

static void
the_older_slot_ends_after_the_overlap(void **state)
{
	struct pins pins, out;
	struct pin presented;
	const char *why;
	size_t i;

	(void)state;
	read_pins("Akc1-", &pins);
	read_pin("Bkc2-", &presented);
	for (i = 0; i < COUNT(overlaps); i++) {
		const struct type_policy type = {.rotation = ROTATE_SAME_KEY,
		    .overlap = overlaps[i].overlap};

		assert_int_equal(policy_pins(&type, &pins, &presented,
		                     overlaps[i].now, &out, &why),
		    PINS_TAKEN);
		assert_true(out.list[0].ends_at == overlaps[i].want);
		assert_true(out.list[1].ends_at == CLOCK_FOREVER);
	}
}

/* A device of which one certificate follows the other: each goes on for the
 * overlap, no longer, and never comes back. */
static void
certificates_follow_each_other(void **state)
{
	const struct type_policy type = {
	    .pin = PIN_FIRST, .rotation = ROTATE_SAME_CA, .overlap = OVERLAP};
	static const struct {
		int64_t at;
		const char *presented;
		enum pin_answer want;
	} days[] = {
	    {1000, "Akc1-", PINS_TAKEN},
	    {1001, "Akc1-", PINS_HELD},
	    {1010, "Bxc2-", PINS_TAKEN},
	    {1059, "Akc1-", PINS_HELD},
	    {1060, "Akc1-", PINS_REFUSE},
	    {1060, "Bxc2-", PINS_HELD},
	    {1070, "Cyc3-", PINS_TAKEN},
	    {1071, "Akc1-", PINS_REFUSE},
	    {1079, "Bxc2-", PINS_HELD},
	    {1080, "Dzc4-", PINS_TAKEN},
	    {1081, "Bxc2-", PINS_REFUSE},
	    {1081, "Cyc3-", PINS_HELD},
	    {1130, "Cyc3-", PINS_REFUSE},
	    {9999, "Dzc4-", PINS_HELD},
	};
	struct pins pins = {0}, out;
	struct pin presented;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(days); i++) {
		read_pin(days[i].presented, &presented);
		if (policy_pins(&type, &pins, &presented, days[i].at, &out,
		        &why) != days[i].want) {
			fail_msg("%d %s", (int)days[i].at, days[i].presented);
		}
		pins = out;
	}
}

static const struct {
	const char *pins, *out; /* NULL: none waits */
} approvals[] = {
    {"", NULL},
    {"Akc1-", NULL},
    {"Akc1- Bkc2-", NULL},
    {"Akc1- Bxx0-w@7", "Akc11050 Bxx0-@1000"},
    {"Bxx0-w@7 Akc1-", "Akc11050 Bxx0-@1000"},
    {"Bxx0-w@7", "Bxx0-@1000"},
    {"Akc11020 Bkc2- Cxx0-w@7", "Bkc21050 Cxx0-@1000"},
    {"Akc1- Bkc2- Cxx0-w@7", "Bkc21050 Cxx0-@1000"},
    {"Akc1999 Cxx0-w@7", "Akc1999 Cxx0-@1000"},
};

static void
an_operator_approves_of_what_waits(void **state)
{
	struct pins pins, out, before;
	size_t i;

	(void)state;
	memset(&before, 'z', sizeof(before));
	for (i = 0; i < COUNT(approvals); i++) {
		read_pins(approvals[i].pins, &pins);
		out = before;
		assert_int_equal(policy_pins_approve(&pins, OVERLAP, NOW, &out),
		    approvals[i].out != NULL);
		if (approvals[i].out == NULL) {
			assert_memory_equal(&out, &before, sizeof(out));
		} else {
			expect_pins(approvals[i].pins, &out, approvals[i].out);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificates_are_held_to_pins),
	    cmocka_unit_test(nothing_need_be_said_of_the_type),
	    cmocka_unit_test(no_rotation_is_gone_through_again),
	    cmocka_unit_test(the_older_slot_ends_after_the_overlap),
	    cmocka_unit_test(certificates_follow_each_other),
	    cmocka_unit_test(an_operator_approves_of_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
