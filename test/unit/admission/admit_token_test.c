/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Tokens, beside certificates and in their place. */
#include "admission/admission.h"
#include "test/support/cmocka_all.h"
#include "test/unit/admission/fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ENDS (MINT_NOW + 50) /* the token */

static struct fixture fixture;
static char mine[TOKEN_TEXT_MAX + 1], others[TOKEN_TEXT_MAX + 1];
static struct token_hash kept;

static int
setup(void **state)
{
	struct token_hash ignored;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(token_make(mine, &kept), RES_OK);
	assert_int_equal(token_make(others, &ignored), RES_OK);
	kept.created_at = MINT_NOW - 9;
	kept.expires_at = ENDS;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_done(&fixture);
	return 0;
}

/* A device that is provisioned, with the token "mine". */
static struct stub
make_stub(void)
{
	struct stub stub = {.res = RES_OK};

	stub.device.state = DEVICE_PROVISIONED;
	stub.device.window_ends_at = CLOCK_FOREVER;
	stub.device.token = kept;
	return stub;
}

static enum reason
ask(const struct request *request, struct stub *stub, struct answer *answer)
{
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	const struct source source = stub_source(stub);
	struct trace trace;

	memset(answer, 0xff, sizeof(*answer));
	admission_decide(
	    snapshot, ORG_DEFAULT, request, &source, answer, &trace);
	/* What the level's step says is what the answer says. */
	if (answer->verdict.reason == REASON_TOKEN_WRONG) {
		assert_non_null(answer->detail);
		assert_non_null(strstr(trace.steps[5].detail, answer->detail));
	}
	snapshot_unref(snapshot);
	answer_done(answer);
	return answer->verdict.reason;
}

static void
set_level(const char *level)
{
	struct diag why;

	assert_int_equal(
	    edit_rule_set(&fixture.edit, "default", level, &why), RES_OK);
}

/* As level_test has it, from the bytes of certificates and tokens on.
 * k known, m cert-missing, t level-tls, c level-cert, n level-token,
 * w token-wrong, b the certificate is bad, x identity-conflict. */
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

static enum reason
reason_of(char sign)
{
	switch (sign) {
	case 'k':
		return REASON_KNOWN;
	case 'm':
		return REASON_CERT_MISSING;
	case 't':
		return REASON_LEVEL_TLS;
	case 'c':
		return REASON_LEVEL_CERT;
	case 'n':
		return REASON_LEVEL_TOKEN;
	case 'w':
		return REASON_TOKEN_WRONG;
	case 'b':
		return REASON_CA_UNKNOWN;
	default:
		return REASON_IDENTITY_CONFLICT;
	}
}

static struct request
make_request(const struct leaf *leaf, int token, bool tls)
{
	static const char wrong[] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	struct request request = {.leaf = leaf,
	    .client_id = "d:meter:1",
	    .tls = tls,
	    .can_record = true,
	    .clock_is_set = true,
	    .now = MINT_NOW};

	if (token == 0) {
		return request;
	}
	/* Beside a certificate another's token says whose it is. */
	request.username =
	    token == 3 && leaf != NULL ? "d:meter:2" : "use-token-auth";
	request.password = token == 1 ? wrong : token == 2 ? mine : others;
	return request;
}

static unsigned
bits_of(int cert, int token, bool tls)
{
	return (tls ? SEEN_TLS : 0) | (cert == 1 ? SEEN_CERT : 0) |
	    (token == 2 && cert != 2 ? SEEN_TOKEN : 0);
}

static void
each_way_to_connect_meets_a_level_or_not(void **state)
{
	struct minted stranger = mint_ca("Stranger", 1);
	struct minted good = mint_device(&fixture.ca, "d:meter:1");
	struct minted bad = mint_device(&stranger, "d:meter:1");
	struct leaf *leaves[] = {NULL, fixture_leaf(&good), fixture_leaf(&bad)};
	struct answer answer;
	int cert, token;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		set_level(rows[i].level);
		for (cert = 0; cert < 3; cert++) {
			for (token = 0; token < 4; token++) {
				struct request request = make_request(
				    leaves[cert], token, rows[i].tls);
				struct stub stub = make_stub();
				char sign = rows[i].want[cert * 5 + token];

				if (ask(&request, &stub, &answer) !=
				    reason_of(sign)) {
					fail_msg("%s tls %d cert %d token %d: "
					         "%s",
					    rows[i].level, rows[i].tls, cert,
					    token,
					    reason_id(answer.verdict.reason));
				}
				assert_int_equal(answer.seen_with,
				    bits_of(cert, token, rows[i].tls));
				assert_int_equal(answer.token.is_set,
				    token == 2 && cert != 2);
			}
		}
	}
	leaf_free(leaves[1]);
	leaf_free(leaves[2]);
	minted_done(&good);
	minted_done(&bad);
	minted_done(&stranger);
}

/* Whose token is it?  The level is token; the device of the certificate, or
 * else of the words, has "mine". */
static const struct {
	const char *name, *template;
	bool certificate;
	const char *client_id, *username;
	bool has_token;
	enum reason want;
	const char *who; /* NULL: nobody */
} whose[] = {
    {"by client id", NULL, false, "d:meter:1", "use-token-auth", true,
        REASON_KNOWN, "d:meter:1"},
    {"by user name", NULL, false, "d:meter:1", "d:meter:1", true, REASON_KNOWN,
        "d:meter:1"},
    {"user name before client id", NULL, false, "d:meter:2", "d:meter:1", true,
        REASON_CLIENT_ID, "d:meter:1"},
    {"user name, no client id of a device", NULL, false, "app", "d:meter:1",
        true, REASON_CLIENT_ID, "d:meter:1"},
    {"nobody's client id", NULL, false, "app", "use-token-auth", true,
        REASON_IDENTITY_SYNTAX, NULL},
    {"no client id", NULL, false, "", "use-token-auth", true,
        REASON_IDENTITY_SYNTAX, NULL},
    {"a user name that is none", NULL, false, "d:meter:1", "alice", true,
        REASON_LEVEL_TOKEN, "d:meter:1"},
    {"half a user name", NULL, false, "d:meter:1", "d:meter:", true,
        REASON_LEVEL_TOKEN, "d:meter:1"},
    {"almost the user name", NULL, false, "d:meter:1", "Use-Token-Auth", true,
        REASON_LEVEL_TOKEN, "d:meter:1"},
    {"no user name", NULL, false, "d:meter:1", NULL, true, REASON_LEVEL_TOKEN,
        "d:meter:1"},
    {"no password", NULL, false, "d:meter:1", "use-token-auth", false,
        REASON_LEVEL_TOKEN, "d:meter:1"},
    {"no password, by user name", NULL, false, "d:meter:1", "d:meter:1", false,
        REASON_LEVEL_TOKEN, "d:meter:1"},
    {"a colon that no type has", NULL, false, "d:meter:1:2", "use-token-auth",
        true, REASON_IDENTITY_SYNTAX, "d:meter:1:2"},
    /* The template turns a client id into another identity than it seems. */
    {"template", "{class}:{org}:{type}:{id}", false, "d:default:meter:1",
        "use-token-auth", true, REASON_KNOWN, "d:meter:1"},
    {"template, and the plain name", "{class}:{org}:{type}:{id}", false,
        "d:meter:1", "use-token-auth", true, REASON_CLIENT_ID, "d:meter:1"},
    {"template, by user name", "{class}:{org}:{type}:{id}", false,
        "d:default:meter:1", "d:meter:1", true, REASON_KNOWN, "d:meter:1"},
    {"template that begins otherwise", "x:{class}:{type}:{id}", false,
        "x:d:meter:1", "use-token-auth", true, REASON_KNOWN, "d:meter:1"},
    {"suffix, by user name", "{class}:{type}:{id}@*", false, "d:meter:1@app",
        "d:meter:1", true, REASON_KNOWN, "d:meter:1"},

    {"certificate", NULL, true, "d:meter:1", "use-token-auth", true,
        REASON_KNOWN, "d:meter:1"},
    {"certificate, by user name", NULL, true, "d:meter:1", "d:meter:1", true,
        REASON_KNOWN, "d:meter:1"},
    {"certificate, another's user name", NULL, true, "d:meter:1", "d:meter:2",
        true, REASON_IDENTITY_CONFLICT, "d:meter:1"},
    {"certificate, another's client id", NULL, true, "d:meter:2",
        "use-token-auth", true, REASON_IDENTITY_CONFLICT, "d:meter:1"},
    {"certificate, no token, another's user name", NULL, true, "d:meter:1",
        "d:meter:2", false, REASON_LEVEL_TOKEN, "d:meter:1"},
    {"certificate, nobody's client id", NULL, true, "app", "use-token-auth",
        true, REASON_CLIENT_ID, "d:meter:1"},
    {"certificate, password of others", NULL, true, "d:meter:1", "alice", true,
        REASON_LEVEL_TOKEN, "d:meter:1"},
    {"certificate, suffix", "{class}:{type}:{id}*", true, "d:meter:1-app",
        "use-token-auth", true, REASON_KNOWN, "d:meter:1"},
    {"certificate, suffix behind a mark", "{class}:{type}:{id}@*", true,
        "d:meter:1@app", "use-token-auth", true, REASON_KNOWN, "d:meter:1"},
    {"certificate, the right client id", NULL, true, NULL, "use-token-auth",
        true, REASON_KNOWN, "d:meter:1"},
};

static void
a_token_is_somebodys(void **state)
{
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	char who[IDENTITY_TEXT_MAX + 1];
	struct answer answer;
	struct diag why;
	size_t i;

	(void)state;
	set_level("token");
	for (i = 0; i < COUNT(whose); i++) {
		struct request request =
		    make_request(whose[i].certificate ? leaf : NULL, 0, true);
		struct stub stub = make_stub();

		request.client_id = whose[i].client_id;
		request.username = whose[i].username;
		request.password = whose[i].has_token ? mine : NULL;
		assert_int_equal(
		    edit_setting(&fixture.edit, "client-id",
		        whose[i].template == NULL ? CLIENT_TEMPLATE_DEFAULT
		                                  : whose[i].template,
		        &why),
		    RES_OK);
		if (ask(&request, &stub, &answer) != whose[i].want) {
			fail_msg("%s: %s", whose[i].name,
			    reason_id(answer.verdict.reason));
		}
		/* A token for another device counts for none. */
		assert_false(
		    answer.verdict.reason == REASON_IDENTITY_CONFLICT &&
		    (answer.token.is_set ||
		        (answer.seen_with & SEEN_TOKEN) != 0));
		assert_int_equal(answer.has_identity, whose[i].who != NULL);
		if (whose[i].who != NULL) {
			identity_format(&answer.who, who);
			assert_string_equal(who, whose[i].who);
		}
	}
	leaf_free(leaf);
	minted_done(&minted);
}

/* Of the device, the token, or the time. */
static const struct {
	const char *name;
	enum res found;
	bool has_token, locked;
	enum device_state state;
	int64_t now;
	enum reason want;
	enum action action;
	const char *says;
} devices[] = {
    {"a second before", RES_OK, true, false, DEVICE_PROVISIONED, ENDS - 1,
        REASON_KNOWN, 0, NULL},
    {"expired", RES_OK, true, false, DEVICE_PROVISIONED, ENDS,
        REASON_TOKEN_WRONG, 0, "has expired"},
    {"revoked", RES_OK, false, false, DEVICE_PROVISIONED, MINT_NOW,
        REASON_TOKEN_WRONG, 0, "has no token"},
    {"not there", RES_NOTFOUND, true, false, DEVICE_PROVISIONED, MINT_NOW,
        REASON_TOKEN_WRONG, 0, "no such device is registered"},
    {"could not look", RES_UNAVAIL, true, false, DEVICE_PROVISIONED, MINT_NOW,
        REASON_REGISTRY_ERROR, 0, NULL},
    {"a broken row", RES_CORRUPT, true, false, DEVICE_PROVISIONED, MINT_NOW,
        REASON_REGISTRY_ERROR, 0, NULL},
    {"locked", RES_OK, true, true, DEVICE_PROVISIONED, MINT_NOW,
        REASON_DEVICE_LOCKED, 0, NULL},
    {"pending", RES_OK, true, false, DEVICE_PENDING, MINT_NOW,
        REASON_DEVICE_PENDING, 0, NULL},
    {"added", RES_OK, true, false, DEVICE_ALLOWED, MINT_NOW, REASON_PROVISIONED,
        ACTION_PROVISION, NULL},
};

static void
a_token_is_of_a_device(void **state)
{
	struct answer answer;
	size_t i;

	(void)state;
	set_level("token");
	for (i = 0; i < COUNT(devices); i++) {
		struct request request = make_request(NULL, 2, true);
		struct stub stub = make_stub();

		request.now = devices[i].now;
		stub.res = devices[i].found;
		stub.device.state = devices[i].state;
		stub.device.locked = devices[i].locked;
		if (!devices[i].has_token) {
			stub.device.token = (struct token_hash){0};
		}
		if (ask(&request, &stub, &answer) != devices[i].want) {
			fail_msg("%s: %s", devices[i].name,
			    reason_id(answer.verdict.reason));
		}
		assert_int_equal(answer.verdict.action, devices[i].action);
		assert_int_equal(answer.was_known, stub.res == RES_OK);
		assert_int_equal(stub.counts + stub.rates, 0);
		assert_int_equal(stub.finds, 1);
		assert_true(devices[i].says == NULL ||
		    strstr(answer.detail, devices[i].says) != NULL);
	}
}

/* What the log is told beside the reason. */
static const struct {
	const char *level, *username;
	bool has_password, tls, tls_unknown;
	enum reason want;
	const char *says; /* NULL: nothing */
} strays[] = {
    {"token", NULL, false, true, false, REASON_LEVEL_TOKEN, NULL},
    {"token", "alice", false, true, false, REASON_LEVEL_TOKEN, NULL},
    {"token", "alice", true, true, false, REASON_LEVEL_TOKEN,
        "must be use-token-auth or the identity"},
    {"token", NULL, true, true, true, REASON_LEVEL_TOKEN,
        "must be use-token-auth or the identity"},
    {"token", "use-token-auth", false, true, false, REASON_LEVEL_TOKEN, NULL},
    {"cert-or-token", "alice", true, true, false, REASON_CERT_MISSING,
        "must be use-token-auth or the identity"},
    {"cert-or-token", NULL, false, true, false, REASON_CERT_MISSING, NULL},
    {"tls-optional", "alice", true, false, true, REASON_CERT_MISSING,
        "must be use-token-auth or the identity"},
    {"token", "use-token-auth", true, false, false, REASON_LEVEL_TLS, NULL},
    {"token", "use-token-auth", true, false, true, REASON_LEVEL_TLS,
        "see plugin_opt_assume_tls"},
    {"token", "alice", true, false, true, REASON_LEVEL_TLS,
        "see plugin_opt_assume_tls"},
    {"cert-or-token", "use-token-auth", true, false, true, REASON_LEVEL_TLS,
        "see plugin_opt_assume_tls"},
    {"cert", "use-token-auth", true, true, true, REASON_LEVEL_CERT, NULL},
    {"token", "use-token-auth", true, true, true, REASON_KNOWN, NULL},
};

static void
the_log_is_told_more(void **state)
{
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(strays); i++) {
		struct request request = make_request(NULL, 0, strays[i].tls);
		struct stub stub = make_stub();

		set_level(strays[i].level);
		request.username = strays[i].username;
		request.password = strays[i].has_password ? mine : NULL;
		request.tls_unknown = strays[i].tls_unknown;
		if (ask(&request, &stub, &answer) != strays[i].want) {
			fail_msg(
			    "%zu: %s", i, reason_id(answer.verdict.reason));
		}
		assert_int_equal(answer.detail == NULL, strays[i].says == NULL);
		assert_true(strays[i].says == NULL ||
		    strstr(answer.detail, strays[i].says) != NULL);
	}
}

/* How long it may stay: as long as what the level asks for. */
static const struct {
	const char *level;
	bool certificate, token;
	int64_t want;
} ends[] = {
    {"token", false, true, ENDS},
    {"token", true, true, ENDS},
    {"cert+token", true, true, ENDS},
    {"cert", true, true, MINT_TO - 9},
    {"cert", true, false, MINT_TO - 9},
    {"cert-or-token", true, true, MINT_TO - 9},
    {"cert-or-token", false, true, ENDS},
    {"tls-optional", false, true, ENDS},
};

static void
an_end_comes_with_what_is_needed(void **state)
{
	struct mint_options options = {
	    .cn = "d:meter:1", .issuer = &fixture.ca, .to = MINT_TO - 9};
	struct minted minted = mint(&options);
	struct leaf *leaf = fixture_leaf(&minted);
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ends); i++) {
		struct request request =
		    make_request(ends[i].certificate ? leaf : NULL,
		        ends[i].token ? 2 : 0, true);
		struct stub stub = make_stub();

		set_level(ends[i].level);
		assert_int_equal(ask(&request, &stub, &answer), REASON_KNOWN);
		assert_true(answer.valid_until == ends[i].want);
		/* The chain may end first. */
		stub.device.token.expires_at = CLOCK_FOREVER;
		assert_int_equal(ask(&request, &stub, &answer), REASON_KNOWN);
		assert_true(answer.valid_until ==
		    (ends[i].certificate ? MINT_TO - 9 : CLOCK_FOREVER));
	}
	leaf_free(leaf);
	minted_done(&minted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        each_way_to_connect_meets_a_level_or_not, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_token_is_somebodys, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_token_is_of_a_device, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        the_log_is_told_more, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        an_end_comes_with_what_is_needed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
