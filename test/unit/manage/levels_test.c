/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/levels.h"

#include <stdlib.h>

#include "manage/objects.h"
#include "manage/pin.h"
#include "test/support/cmocka_all.h"

/* What each connection lacks, by level; "" is compliant. */
static const struct {
	unsigned seen;
	const char *missing[5]; /* in the order of enum level */
} lacks[] = {
    {SEEN_TLS,
        {"a certificate and a token", "a certificate", "a token",
            "a certificate or a token", "a certificate or a token"}},
    {SEEN_TLS | SEEN_CERT, {"a token", "", "a token", "", ""}},
    {SEEN_TLS | SEEN_TOKEN, {"a certificate", "a certificate", "", "", ""}},
    {SEEN_TLS | SEEN_CERT | SEEN_TOKEN, {"", "", "", "", ""}},
    {SEEN_TOKEN,
        {"TLS and a certificate", "TLS and a certificate", "TLS", "TLS", ""}},
    {SEEN_CERT, {"TLS and a token", "TLS", "TLS and a token", "TLS", ""}},
    {0,
        {"TLS, a certificate and a token", "TLS and a certificate",
            "TLS and a token", "TLS and a certificate or a token",
            "a certificate or a token"}},
};

static void
tells_what_is_missing(void **state)
{
	char text[MISSING_TEXT_MAX + 1];
	enum level level;
	char *printed;
	struct json *array;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		for (level = LEVEL_CERT_TOKEN; level <= LEVEL_TLS_OPTIONAL;
		     level++) {
			missing_format(level, lacks[i].seen, text);
			assert_string_equal(text, lacks[i].missing[level]);
			/* Nothing is missing just where the level is met. */
			assert_int_equal(text[0] == '\0',
			    level_is_met(level, lacks[i].seen));
			array = missing_json(level, lacks[i].seen);
			printed = json_print(array);
			assert_int_equal(
			    strcmp(printed, "[]") == 0, text[0] == '\0');
			free(printed);
			json_free(array);
		}
	}
}

static const struct {
	int64_t some, n;
	const char *want;
} shares[] = {
    {0, 0, ""},
    {0, 1, "0.0%"},
    {1, 1, "100.0%"},
    {1, 3, "33.3%"},
    {2, 3, "66.6%"},
    {999, 1000, "99.9%"},
    {999999, 1000000, "99.9%"},
    {1, 1000000, "0.0%"},
    {DEVICES_MAX - 1, DEVICES_MAX, "99.9%"},
    {DEVICES_MAX, DEVICES_MAX, "100.0%"},
};

static void
rounds_down(void **state)
{
	char text[PERCENT_TEXT_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		percent_format(shares[i].some, shares[i].n, text);
		assert_string_equal(text, shares[i].want);
	}
}

static void
counts_the_never_connected_apart(void **state)
{
	const struct tally tallies[] = {{.seen_with = 0, .count = 5},
	    {.seen_with = 3, .count = 7}, {.seen_with = 5, .count = 11}};
	struct figures figures = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		figures_add(&figures, LEVEL_CERT, &tallies[i]);
	}
	assert_int_equal(figures.devices, 23);
	assert_int_equal(figures.seen, 18);
	assert_int_equal(figures.compliant, 7);
}

static struct rule_record rules[] = {
    {"default", "d:a", "tls-optional"},
    {"default", "d:a-b", "token"},
    {"default", "default", "cert"},
    {"default", "g:a", "of-another-version"},
    {"other", "d:c", "token"},
};

static const struct {
	const char *type, *who;
	enum level level;
} holds[] = {
    {"d:a", "d:a", LEVEL_TLS_OPTIONAL},
    {"d:a-b", "d:a-b", LEVEL_TOKEN},
    {"d:b", "default", LEVEL_CERT},
    {"d:c", "default", LEVEL_CERT},
    {"d:A", "default", LEVEL_CERT},
    {"g:a", "g:a", LEVEL_CERT_TOKEN}, /* the strictest */
    {"g:a-b", "default", LEVEL_CERT},
};

static void
finds_the_rule_of_a_type(void **state)
{
	struct call call = {.org = "default",
	    .config = {.rules = rules,
	        .rule_count = sizeof(rules) / sizeof(rules[0])}};
	struct rule_lines lines;
	struct device_type type;
	struct rule_line *line;
	const char *why;
	size_t i;

	(void)state;
	assert_int_equal(rule_lines_new(&call, &lines, NULL), RES_OK);
	assert_int_equal(lines.count, 4);
	assert_string_equal(lines.items[0].who, "default");
	for (i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		assert_int_equal(device_type_parse(holds[i].type,
		                     strlen(holds[i].type), &type, &why),
		    RES_OK);
		line = rule_lines_find(&lines, &type);
		assert_string_equal(line->who, holds[i].who);
		assert_int_equal(line->level, holds[i].level);
	}
	rule_lines_done(&lines);
}

#define A8  "aB012345"
#define A64 A8 A8 A8 A8 A8 A8 A8 A8
#define C4  "aB:01:23:45"
#define C32 C4 ":" C4 ":" C4 ":" C4
#define C64 C32 ":" C32

static const struct {
	const char *text;
	bool want;
} fingerprints[] = {
    {A64, true},
    {C64, true},
    {"", false},
    {A8, false},
    {A64 "0", false},
    {A64 A8, false},
    {C64 ":", false},
    {":" C64, false},
    {C32 "::" C32, false},
    {C32 "-" C32, false},
    {C32 ":" C4 ":" C4 ":" C4 ":aB:01:23:4g", false},
    {A8 A8 A8 A8 A8 A8 A8 "aB01234 ", false},
    {A8 A8 A8 A8 A8 A8 A8 "0xB01234", false},
    {"sha256:" A64, false},
};

static void
reads_fingerprints(void **state)
{
	const uint8_t want[4] = {0xab, 0x01, 0x23, 0x45};
	uint8_t hash[HASH_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fingerprints) / sizeof(fingerprints[0]); i++) {
		memset(hash, 0x55, sizeof(hash));
		if (fingerprint_parse(fingerprints[i].text, hash) !=
		    fingerprints[i].want) {
			fail_msg("%s", fingerprints[i].text);
		}
		if (fingerprints[i].want) {
			assert_memory_equal(hash + 28, want, 4);
		} else {
			assert_int_equal(hash[0], 0x55);
			assert_int_equal(hash[31], 0x55);
		}
	}
}

static const struct {
	unsigned seen;
	const char *want;
} sights[] = {
    {0, ""},
    {SEEN_TLS, "TLS"},
    {SEEN_TOKEN, "token"},
    {SEEN_TLS | SEEN_CERT, "TLS, certificate"},
    {SEEN_MAX, "TLS, certificate, token"},
};

static void
tells_how_a_device_connected(void **state)
{
	char text[SEEN_TEXT_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
		seen_format(sights[i].seen, text);
		assert_string_equal(text, sights[i].want);
	}
}

static const struct {
	int64_t ends_at;
	bool waits;
	const char *want;
} pins[] = {
    {CLOCK_FOREVER, false, "holds"},
    {101, false, "holds"},
    {100, false, "lapsed"},
    {99, false, "lapsed"},
    {CLOCK_FOREVER, true, "waits"},
    {99, true, "waits"},
};

static void
tells_the_state_of_a_pin(void **state)
{
	struct pin pin = {.has_key = false};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
		pin.ends_at = pins[i].ends_at;
		pin.waits = pins[i].waits;
		assert_string_equal(pin_state(&pin, 100), pins[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tells_what_is_missing),
	    cmocka_unit_test(rounds_down),
	    cmocka_unit_test(counts_the_never_connected_apart),
	    cmocka_unit_test(finds_the_rule_of_a_type),
	    cmocka_unit_test(reads_fingerprints),
	    cmocka_unit_test(tells_how_a_device_connected),
	    cmocka_unit_test(tells_the_state_of_a_pin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
