/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Sessions that are looked at again: levels, tokens, pins. */
#include "admission/admission.h"
#include "test/support/cmocka_all.h"
#include "test/unit/admission/fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ENDS (MINT_NOW + 50) /* the token */

static struct fixture fixture;
static struct leaf *leaf;
static struct identity who;
static struct trust_path *path;
static struct pin presented;
static struct token_hash token, newer;

static int
setup(void **state)
{
	struct minted minted;
	struct snapshot *snapshot;
	struct trust_finding finding;
	char text[TOKEN_TEXT_MAX + 1];

	(void)state;
	fixture_init(&fixture);
	minted = mint_device(&fixture.ca, "d:meter:1");
	leaf = fixture_leaf(&minted);
	minted_done(&minted);
	who = fixture_who("d:meter:1");
	snapshot = fixture_snapshot(&fixture);
	trust_verify(snapshot_tenant(snapshot, ORG_DEFAULT)->trust, leaf, NULL,
	    &who, MINT_NOW, &finding, &path);
	assert_int_equal(finding.reason, REASON_NONE);
	snapshot_unref(snapshot);
	presented = (struct pin){.has_key = true,
	    .has_ca = true,
	    .not_before = MINT_FROM,
	    .ends_at = CLOCK_FOREVER};
	memcpy(presented.fingerprint, leaf_info(leaf)->fingerprint, HASH_LEN);
	memcpy(presented.key, leaf_info(leaf)->key, HASH_LEN);
	memcpy(presented.ca, finding.ca, HASH_LEN);
	assert_int_equal(token_make(text, &token), RES_OK);
	assert_int_equal(token_make(text, &newer), RES_OK);
	token.expires_at = ENDS;
	newer.expires_at = CLOCK_FOREVER;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	trust_path_unref(path);
	leaf_free(leaf);
	fixture_done(&fixture);
	return 0;
}

static enum reason
review(const struct standing *standing, struct answer *answer)
{
	struct snapshot *snapshot = fixture_snapshot(&fixture);

	memset(answer, 0xff, sizeof(*answer));
	admission_review(snapshot, ORG_DEFAULT, standing, answer);
	assert_true(pins_equal(&answer->pins_before, &standing->pins));
	if (answer->verdict.action == ACTION_NONE) {
		assert_true(pins_equal(&answer->verdict.pins, &standing->pins));
	} else {
		assert_int_equal(answer->verdict.action, ACTION_PINS);
		assert_int_equal(answer->verdict.reason, REASON_KNOWN);
	}
	answer_done(answer);
	snapshot_unref(snapshot);
	return answer->verdict.reason;
}

#define T   SEEN_TLS
#define TC  (SEEN_TLS | SEEN_CERT)
#define TK  (SEEN_TLS | SEEN_TOKEN)
#define ALL SEEN_MAX

/* The token of the device now: the same, none, a newer one. */
enum now { SAME, NONE, NEWER };

static const struct {
	const char *name, *level;
	unsigned seen_with;
	bool has_token;
	enum now now;
	int64_t time;
	enum reason want;
	int64_t until; /* 0: of the certificate */
} tokens[] = {
    {"token alone", "token", TK, true, SAME, MINT_NOW, REASON_KNOWN, ENDS},
    {"token alone, either", "cert-or-token", TK, true, SAME, MINT_NOW,
        REASON_KNOWN, ENDS},
    {"token alone, in the clear", "tls-optional", SEEN_TOKEN, true, SAME,
        MINT_NOW, REASON_KNOWN, ENDS},
    {"a second before", "token", TK, true, SAME, ENDS - 1, REASON_KNOWN, ENDS},
    {"expired", "token", TK, true, SAME, ENDS, REASON_TOKEN_WRONG, ENDS},
    {"revoked", "token", TK, true, NONE, MINT_NOW, REASON_TOKEN_WRONG, 0},
    {"another one", "token", TK, true, NEWER, MINT_NOW, REASON_TOKEN_WRONG, 0},
    {"none, and none", "token", TK, false, NONE, MINT_NOW, REASON_LEVEL_TOKEN,
        0},
    {"nothing at all", "tls-optional", 0, false, SAME, MINT_NOW,
        REASON_CERT_MISSING, 0},
    {"TLS alone", "tls-optional", T, false, SAME, MINT_NOW, REASON_CERT_MISSING,
        0},
    {"tightened to cert", "cert", TK, true, SAME, MINT_NOW, REASON_LEVEL_CERT,
        0},
    {"tightened to TLS", "token", SEEN_TOKEN, true, SAME, MINT_NOW,
        REASON_LEVEL_TLS, 0},
    {"tightened to TLS, certificate", "cert", SEEN_CERT, false, SAME, MINT_NOW,
        REASON_LEVEL_TLS, 0},
    {"tightened to both", "cert+token", TC, false, SAME, MINT_NOW,
        REASON_LEVEL_TOKEN, 0},
    {"tightened to both, token", "cert+token", TK, true, SAME, MINT_NOW,
        REASON_LEVEL_CERT, 0},
    {"tightened to token", "token", TC, false, SAME, MINT_NOW,
        REASON_LEVEL_TOKEN, 0},
    {"both", "cert+token", ALL, true, SAME, MINT_NOW, REASON_KNOWN, ENDS},
    {"both, expired", "cert+token", ALL, true, SAME, ENDS, REASON_TOKEN_WRONG,
        ENDS},
    {"both, revoked", "cert+token", ALL, true, NONE, MINT_NOW,
        REASON_TOKEN_WRONG, 0},
    {"certificate", "cert", TC, false, SAME, MINT_NOW, REASON_KNOWN, 0},
    {"certificate, either", "cert-or-token", TC, false, SAME, MINT_NOW,
        REASON_KNOWN, 0},
    {"certificate, the token does not matter", "cert", ALL, true, NONE, ENDS,
        REASON_KNOWN, 0},
    {"certificate, nor its end", "cert-or-token", ALL, true, SAME, MINT_NOW,
        REASON_KNOWN, 0},
};

static void
tokens_are_looked_at_again(void **state)
{
	const struct token_hash none = {0};
	const struct token_hash *now[] = {&token, &none, &newer};
	struct answer answer;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(tokens); i++) {
		bool cert = (tokens[i].seen_with & SEEN_CERT) != 0;
		const struct standing standing = {.path = cert ? path : NULL,
		    .who = &who,
		    .client_id = "d:meter:1",
		    .seen_with = tokens[i].seen_with,
		    .token = tokens[i].has_token ? token : none,
		    .presented = presented,
		    .sight = SIGHT_KNOWN,
		    .device_token = *now[tokens[i].now],
		    .now = tokens[i].time};

		assert_int_equal(edit_rule_set(&fixture.edit, "default",
		                     tokens[i].level, &why),
		    RES_OK);
		if (review(&standing, &answer) != tokens[i].want) {
			fail_msg("%s: %s", tokens[i].name,
			    reason_id(answer.verdict.reason));
		}
		if (tokens[i].want == REASON_KNOWN) {
			assert_true(answer.valid_until ==
			    (tokens[i].until == 0 ? MINT_TO : tokens[i].until));
		}
		assert_int_equal(answer.seen_with, tokens[i].seen_with);
		if (tokens[i].want == REASON_TOKEN_WRONG) {
			assert_non_null(answer.detail);
		}
	}
}

/* A device that went, or was never there: whatever it showed. */
static void
a_token_keeps_nobody_who_went(void **state)
{
	static const struct {
		enum sight sight;
		bool locked;
		enum reason want;
	} cases[] = {
	    {SIGHT_KNOWN, false, REASON_KNOWN},
	    {SIGHT_KNOWN, true, REASON_DEVICE_LOCKED},
	    {SIGHT_FIRST, false, REASON_DEVICE_UNLISTED},
	    {SIGHT_ALLOWED, false, REASON_DEVICE_UNLISTED},
	    {SIGHT_PENDING, false, REASON_DEVICE_PENDING},
	    {SIGHT_FAILED, false, REASON_REGISTRY_ERROR},
	};
	struct standing standing = {.who = &who,
	    .client_id = "d:meter:1",
	    .seen_with = TK,
	    .token = token,
	    .device_token = token,
	    .now = MINT_NOW};
	struct answer answer;
	struct diag why;
	size_t i;

	(void)state;
	assert_int_equal(
	    edit_rule_set(&fixture.edit, "default", "token", &why), RES_OK);
	for (i = 0; i < COUNT(cases); i++) {
		standing.sight = cases[i].sight;
		standing.locked = cases[i].locked;
		assert_int_equal(review(&standing, &answer), cases[i].want);
	}
}

/* A removed device is gone also where its type would take it anew, or ask. */
static void
a_removed_device_is_unlisted(void **state)
{
	static const char *const modes[] = {"auto", "approve", "listed"};
	const struct standing standing = {.path = path,
	    .who = &who,
	    .client_id = "d:meter:1",
	    .seen_with = TC,
	    .presented = presented,
	    .sight = SIGHT_FIRST,
	    .now = MINT_NOW};
	struct answer answer;
	struct diag why;
	size_t i;

	(void)state;
	assert_int_equal(
	    edit_setting(&fixture.edit, "max-devices", "1", &why), RES_OK);
	for (i = 0; i < COUNT(modes); i++) {
		assert_int_equal(
		    edit_setting(&fixture.edit, "enrol", modes[i], &why),
		    RES_OK);
		assert_int_equal(
		    review(&standing, &answer), REASON_DEVICE_UNLISTED);
	}
}

/* The pins of the device now: none, this certificate, this one lapsed, this one
 * waiting, one with the same key, another one. */
enum pinned { NO_PINS, THIS, LAPSED, WAITS, TWIN, OTHER };

static const struct {
	const char *pin, *rotate;
	enum pinned pinned;
	enum reason want;
} pins[] = {
    {"none", "none", NO_PINS, REASON_KNOWN},
    {"first", "none", NO_PINS, REASON_KNOWN},
    {"listed", "none", NO_PINS, REASON_PIN_MISMATCH},
    {"none", "none", THIS, REASON_KNOWN},
    {"first", "none", THIS, REASON_KNOWN},
    {"listed", "none", THIS, REASON_KNOWN},
    {"none", "none", LAPSED, REASON_PIN_MISMATCH},
    {"first", "same-key", LAPSED, REASON_PIN_MISMATCH},
    {"none", "none", TWIN, REASON_PIN_MISMATCH},
    {"listed", "same-key", TWIN, REASON_PIN_MISMATCH},
    {"listed", "same-ca", TWIN, REASON_PIN_MISMATCH},
    {"listed", "approve", TWIN, REASON_PIN_MISMATCH},
    {"none", "none", OTHER, REASON_PIN_MISMATCH},
    {"listed", "same-key", OTHER, REASON_PIN_MISMATCH},
    {"listed", "same-ca", OTHER, REASON_PIN_MISMATCH},
    {"first", "same-ca", OTHER, REASON_PIN_MISMATCH},
    {"listed", "approve", OTHER, REASON_PIN_MISMATCH},
    {"listed", "approve", WAITS, REASON_PIN_MISMATCH},
    {"none", "none", WAITS, REASON_KNOWN},
    {"first", "approve", WAITS, REASON_KNOWN},
};

static void
make_pins(enum pinned pinned, struct pins *out)
{
	struct pin *pin = &out->list[0];

	memset(out, 0, sizeof(*out));
	out->count = pinned == NO_PINS ? 0 : 1;
	*pin = presented;
	pin->waits = pinned == WAITS;
	if (pinned == LAPSED) {
		pin->ends_at = MINT_NOW;
	}
	if (pinned == TWIN || pinned == OTHER) {
		pin->fingerprint[0] ^= 1;
	}
	if (pinned == OTHER) {
		pin->key[0] ^= 1;
		pin->not_before--;
	}
}

/* A first certificate is written, and nothing else. */
static void
check_action(const char *mode, enum pinned pinned, const struct answer *answer)
{
	const struct pins *now = &answer->verdict.pins;
	const struct pin *pin;

	if (strcmp(mode, "first") != 0 ||
	    (pinned != NO_PINS && pinned != WAITS)) {
		assert_int_equal(answer->verdict.action, ACTION_NONE);
		return;
	}
	assert_int_equal(answer->verdict.action, ACTION_PINS);
	assert_true(answer->was_known);
	assert_int_equal(now->count, 1);
	pin = pins_find(now, presented.fingerprint);
	assert_non_null(pin);
	assert_true(!pin->waits && pin->has_key && pin->has_ca &&
	    pin->added_at == MINT_NOW && pin->ends_at == CLOCK_FOREVER);
}

static void
pins_are_looked_at_again(void **state)
{
	struct type_record type = {.type = {'d', "meter"},
	    .window = CLOCK_NONE,
	    .overlap = CLOCK_NONE};
	struct answer answer;
	struct diag why;
	size_t i;

	(void)state;
	text_set(type.org, sizeof(type.org), ORG_DEFAULT);
	for (i = 0; i < COUNT(pins); i++) {
		struct standing standing = {.path = path,
		    .who = &who,
		    .client_id = "d:meter:1",
		    .seen_with = TC,
		    .presented = presented,
		    .sight = SIGHT_KNOWN,
		    .now = MINT_NOW};

		make_pins(pins[i].pinned, &standing.pins);
		text_set(type.pin, sizeof(type.pin), pins[i].pin);
		text_set(type.rotate, sizeof(type.rotate), pins[i].rotate);
		assert_int_equal(
		    edit_type_set(&fixture.edit, &type, &why), RES_OK);
		if (review(&standing, &answer) != pins[i].want) {
			fail_msg(
			    "%zu: %s", i, reason_id(answer.verdict.reason));
		}
		check_action(pins[i].pin, pins[i].pinned, &answer);
		/* From disk nobody knows which certificate it had. */
		standing.is_restored = true;
		memset(&standing.presented, 0, sizeof(standing.presented));
		standing.seen_with = 0;
		standing.path = NULL;
		assert_int_equal(review(&standing, &answer), REASON_KNOWN);
		assert_int_equal(answer.verdict.action, ACTION_NONE);
	}
}

/* What it met is not known, and nothing is asked: it only receives. */
static void
a_session_from_disk_meets_every_level(void **state)
{
	static const char *const levels[] = {
	    "cert+token", "cert", "token", "cert-or-token", "tls-optional"};
	const struct standing standing = {.who = &who,
	    .client_id = "d:meter:1",
	    .is_restored = true,
	    .sight = SIGHT_KNOWN,
	    .now = MINT_NOW};
	struct answer answer;
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(levels); i++) {
		assert_int_equal(
		    edit_rule_set(&fixture.edit, "default", levels[i], &why),
		    RES_OK);
		assert_int_equal(review(&standing, &answer), REASON_KNOWN);
		assert_true(answer.valid_until == CLOCK_FOREVER);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        tokens_are_looked_at_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_token_keeps_nobody_who_went, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_removed_device_is_unlisted, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        pins_are_looked_at_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_session_from_disk_meets_every_level, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
