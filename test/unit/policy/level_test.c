/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Every level with every way to connect, against a table that was written down
 * from what the levels are to mean. */
#include "policy/decide.h"

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* k known, m cert-missing, t level-tls, c level-cert, n level-token,
 * w token-wrong, b the certificate is bad, x identity-conflict. */
static const struct {
	char sign;
	enum reason reason;
} signs[] = {
    {'k', REASON_KNOWN},
    {'m', REASON_CERT_MISSING},
    {'t', REASON_LEVEL_TLS},
    {'c', REASON_LEVEL_CERT},
    {'n', REASON_LEVEL_TOKEN},
    {'w', REASON_TOKEN_WRONG},
    {'b', REASON_CA_UNKNOWN},
    {'x', REASON_IDENTITY_CONFLICT},
};

/* Certificate: none, good, bad; and to each a token: none, wrong, right, that
 * of another device. */
static const struct {
	const char *level;
	bool tls;
	const char *want;
} rows[] = {
    {"cert+token", true, "mccc nwkx bbbb"},
    {"cert+token", false, "mttt tttx bbbb"},
    {"cert", true, "mccc kkkx bbbb"},
    {"cert", false, "mttt tttx bbbb"},
    {"token", true, "nwkw nwkx bbbb"},
    {"token", false, "tttt tttx bbbb"},
    {"cert-or-token", true, "mwkw kkkx bbbb"},
    {"cert-or-token", false, "mttt tttx bbbb"},
    {"tls-optional", true, "mwkw kkkx bbbb"},
    {"tls-optional", false, "mwkw kkkx bbbb"},
};

enum { NO_CERT, GOOD, BAD, CERTS };
enum { NO_TOKEN, WRONG, RIGHT, OTHERS, TOKENS };

static struct facts
make_facts(bool tls, int cert, int token)
{
	/* Without a certificate another's token is just a wrong one. */
	return (struct facts){.has_certificate = cert != NO_CERT,
	    .names_device = true,
	    .client_id = "d:meter:1",
	    .tls = tls,
	    .token = token == NO_TOKEN ? TOKEN_NONE
	        : token == RIGHT       ? TOKEN_RIGHT
	                               : TOKEN_WRONG,
	    .token_of_other = cert != NO_CERT && token == OTHERS,
	    .certificate = cert == GOOD ? REASON_NONE
	        : cert == BAD           ? REASON_CA_UNKNOWN
	                                : 0,
	    .identity = REASON_NONE,
	    .who = {{'d', "meter"}, "1"},
	    .in_scope = cert == GOOD,
	    .sight = cert == BAD ? SIGHT_FAILED : SIGHT_KNOWN,
	    .can_record = true,
	    .clock_is_set = true};
}

static enum reason
reason_of(char sign)
{
	size_t i;

	for (i = 0; i < COUNT(signs); i++) {
		if (signs[i].sign == sign) {
			return signs[i].reason;
		}
	}
	fail_msg("%c", sign);
	return REASON_NONE;
}

static void
each_way_to_connect_meets_a_level_or_not(void **state)
{
	struct policy policy = {.org = "plant"};
	struct verdict verdict;
	int cert, token, seen = 0;
	size_t i;

	(void)state;
	assert_int_equal(client_template_parse(CLIENT_TEMPLATE_DEFAULT,
	                     &policy.client_template, NULL),
	    RES_OK);
	for (i = 0; i < COUNT(rows); i++) {
		assert_true(level_parse(rows[i].level, &policy.level));
		for (cert = 0; cert < CERTS; cert++) {
			for (token = 0; token < TOKENS; token++, seen++) {
				struct facts facts =
				    make_facts(rows[i].tls, cert, token);
				char sign =
				    rows[i].want[cert * (TOKENS + 1) + token];

				policy_decide(&policy, &facts, &verdict, NULL);
				if (verdict.reason != reason_of(sign)) {
					fail_msg("%s tls %d cert %d token %d: "
					         "%s",
					    rows[i].level, rows[i].tls, cert,
					    token, reason_id(verdict.reason));
				}
			}
		}
	}
	assert_int_equal(seen, 120);
}

/* What a client without a certificate or a token comes to, and one of which
 * nothing could be found out. */
static const struct {
	const char *name, *level;
	bool certificate;
	enum token token;
	enum sight sight;
	enum reason identity;
	const char *client_id;
	bool tls;
	enum reason want;
} bare[] = {
    {"neither", "token", false, TOKEN_NONE, SIGHT_FAILED, REASON_NONE,
        "d:meter:1", true, REASON_LEVEL_TOKEN},
    {"neither, and known", "token", false, TOKEN_NONE, SIGHT_KNOWN, REASON_NONE,
        "d:meter:1", true, REASON_LEVEL_TOKEN},
    {"neither, without TLS", "token", false, TOKEN_NONE, SIGHT_FAILED,
        REASON_NONE, "d:meter:1", false, REASON_LEVEL_TLS},
    {"neither, and nobody", "token", false, TOKEN_NONE, SIGHT_FAILED,
        REASON_IDENTITY_SYNTAX, "d:meter:1", true, REASON_IDENTITY_SYNTAX},
    {"neither, and another's client id", "token", false, TOKEN_NONE,
        SIGHT_FAILED, REASON_NONE, "d:meter:2", true, REASON_CLIENT_ID},
    {"neither, either will do", "cert-or-token", false, TOKEN_NONE,
        SIGHT_FAILED, REASON_NONE, "d:meter:1", true, REASON_CERT_MISSING},
    {"neither, lax", "tls-optional", false, TOKEN_NONE, SIGHT_KNOWN,
        REASON_NONE, "d:meter:1", true, REASON_CERT_MISSING},
    {"neither, both asked for", "cert+token", false, TOKEN_NONE, SIGHT_KNOWN,
        REASON_NONE, "d:meter:1", true, REASON_CERT_MISSING},
    {"no token is right", "token", false, TOKEN_WRONG, SIGHT_FAILED,
        REASON_NONE, "d:meter:1", true, REASON_REGISTRY_ERROR},
    {"no token is right, either will do", "cert-or-token", false, TOKEN_WRONG,
        SIGHT_FAILED, REASON_NONE, "d:meter:1", true, REASON_REGISTRY_ERROR},
    {"no token is right, both asked for", "cert+token", true, TOKEN_WRONG,
        SIGHT_FAILED, REASON_NONE, "d:meter:1", true, REASON_REGISTRY_ERROR},
    {"no token, both asked for", "cert+token", true, TOKEN_NONE, SIGHT_FAILED,
        REASON_NONE, "d:meter:1", true, REASON_LEVEL_TOKEN},
    {"no certificate, both asked for", "cert+token", false, TOKEN_WRONG,
        SIGHT_FAILED, REASON_NONE, "d:meter:1", true, REASON_LEVEL_CERT},
    {"no TLS", "token", false, TOKEN_WRONG, SIGHT_FAILED, REASON_NONE,
        "d:meter:1", false, REASON_LEVEL_TLS},
    {"wrong for the first sight", "token", false, TOKEN_WRONG, SIGHT_FIRST,
        REASON_NONE, "d:meter:1", true, REASON_TOKEN_WRONG},
};

static void
what_is_missing_is_named(void **state)
{
	struct policy policy = {.org = "plant"};
	struct verdict verdict;
	struct trace trace;
	size_t i;

	(void)state;
	assert_int_equal(client_template_parse(CLIENT_TEMPLATE_DEFAULT,
	                     &policy.client_template, NULL),
	    RES_OK);
	for (i = 0; i < COUNT(bare); i++) {
		struct facts facts = make_facts(bare[i].tls,
		    bare[i].certificate ? GOOD : NO_CERT, NO_TOKEN);

		assert_true(level_parse(bare[i].level, &policy.level));
		facts.token = bare[i].token;
		facts.sight = bare[i].sight;
		facts.identity = bare[i].identity;
		facts.client_id = bare[i].client_id;
		facts.tls_unknown = (i & 1) != 0;
		policy_decide(&policy, &facts, &verdict, &trace);
		assert_int_equal(strstr(trace.steps[5].detail,
		                     "see plugin_opt_assume_tls") != NULL,
		    verdict.reason == REASON_LEVEL_TLS);
		if (verdict.reason != bare[i].want) {
			fail_msg(
			    "%s: %s", bare[i].name, reason_id(verdict.reason));
		}
	}
}

/* Which of the connections 0 to 7 (1 TLS, 2 certificate, 4 token) meet it. */
static const struct {
	const char *level;
	bool met[8];
} table[] = {
    {"cert+token", {0, 0, 0, 0, 0, 0, 0, 1}},
    {"cert", {0, 0, 0, 1, 0, 0, 0, 1}},
    {"token", {0, 0, 0, 0, 0, 1, 0, 1}},
    {"cert-or-token", {0, 0, 0, 1, 0, 1, 0, 1}},
    {"tls-optional", {0, 0, 1, 1, 1, 1, 1, 1}},
};

static void
a_stored_connection_meets_a_level_or_not(void **state)
{
	struct policy policy = {.org = "plant"};
	struct verdict verdict;
	enum level level;
	unsigned with;
	size_t i;

	(void)state;
	assert_int_equal(client_template_parse(CLIENT_TEMPLATE_DEFAULT,
	                     &policy.client_template, NULL),
	    RES_OK);
	for (i = 0; i < COUNT(table); i++) {
		assert_true(level_parse(table[i].level, &level));
		policy.level = level;
		for (with = 0; with < 8; with++) {
			struct facts facts = make_facts((with & 1) != 0,
			    (with & 2) != 0 ? GOOD : NO_CERT,
			    (with & 4) != 0 ? RIGHT : NO_TOKEN);

			if (level_is_met(level, with) != table[i].met[with]) {
				fail_msg("%s: %u", table[i].level, with);
			}
			/* The decision is of the same opinion. */
			policy_decide(&policy, &facts, &verdict, NULL);
			assert_int_equal(
			    reason_admits(verdict.reason), table[i].met[with]);
		}
	}
	for (with = 0; with < 8; with++) {
		assert_false(level_is_met((enum level)5, with));
		assert_false(level_is_met((enum level) - 1, with));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_way_to_connect_meets_a_level_or_not),
	    cmocka_unit_test(what_is_missing_is_named),
	    cmocka_unit_test(a_stored_connection_meets_a_level_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
