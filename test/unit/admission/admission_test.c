/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The walk of one connection, from bytes of a certificate to the verdict. */
#include "admission/admission.h"

#include "test/support/cmocka_all.h"
#include "test/unit/admission/fixture.h"

static struct fixture fixture;

static int
setup(void **state)
{
	(void)state;
	fixture_init(&fixture);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_done(&fixture);
	return 0;
}

/* A connection that is in order, but for what a test changes. */
static struct request
request_of(const struct leaf *leaf)
{
	return (struct request){.leaf = leaf,
	    .tls = leaf != NULL,
	    .can_record = true,
	    .clock_is_set = true,
	    .now = MINT_NOW};
}

static enum reason
decide(const struct request *request, struct answer *answer)
{
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	const struct source source = fixture_source(&fixture);
	struct trace trace = {0};

	memset(answer, 0xff, sizeof(*answer));
	admission_decide(
	    snapshot, ORG_DEFAULT, request, &source, answer, &trace);
	assert_int_equal(trace.count, 8);
	snapshot_unref(snapshot);
	answer_done(answer);
	return answer->verdict.reason;
}

static enum reason
decide_minted(const struct mint_options *options, struct answer *answer)
{
	struct minted minted = mint(options);
	struct leaf *leaf = fixture_leaf(&minted);
	struct request request = request_of(leaf);
	enum reason reason = decide(&request, answer);

	leaf_free(leaf);
	minted_done(&minted);
	return reason;
}

static void
admits_a_first_sight(void **state)
{
	struct mint_options options = {
	    .cn = "d:meter:0001", .issuer = &fixture.ca, .to = MINT_TO - 9};
	struct answer answer;

	(void)state;
	assert_int_equal(decide_minted(&options, &answer), REASON_PROVISIONED);
	assert_int_equal(answer.verdict.action, ACTION_PROVISION);
	assert_true(answer.has_identity && answer.has_ca);
	assert_string_equal(answer.who.id, "0001");
	assert_int_equal(answer.valid_until, MINT_TO - 9);
	assert_int_equal(answer.seen_with, SEEN_TLS | SEEN_CERT);
	assert_false(answer.token.is_set || answer.was_known);
	assert_memory_equal(answer.presented.ca, answer.ca, HASH_LEN);
	assert_true(answer.presented.has_key && answer.presented.has_ca);
	assert_true(answer.presented.not_before == MINT_FROM);
}

static void
knows_a_device(void **state)
{
	struct mint_options options = {
	    .cn = "d:meter:0001", .issuer = &fixture.ca};
	struct answer answer;

	(void)state;
	fixture_add_device(&fixture, "d:meter:0001", DEVICE_PROVISIONED);
	assert_int_equal(decide_minted(&options, &answer), REASON_KNOWN);
	assert_int_equal(answer.verdict.action, ACTION_NONE);
}

static const struct {
	const char *name;
	enum reason want;
	struct mint_options options;
	bool stranger;
} refused[] = {
    {"a stranger's", REASON_CA_UNKNOWN, {.cn = "d:meter:1"}, true},
    {"expired", REASON_CERT_EXPIRED, {.cn = "d:meter:1", .to = MINT_NOW},
        false},
    {"too early", REASON_CERT_NOT_YET_VALID,
        {.cn = "d:meter:1", .from = MINT_NOW + 1}, false},
    {"a server's", REASON_CERT_PURPOSE,
        {.cn = "d:meter:1", .eku = "serverAuth"}, false},
    {"weak", REASON_CERT_WEAK, {.cn = "d:meter:1", .key = MINT_RSA1024}, false},
    {"a CA's", REASON_CERT_IS_CA, {.cn = "d:meter:1", .ca = true}, false},
    {"no identity", REASON_IDENTITY_NONE, {.cn = "meter"}, false},
    {"no syntax", REASON_IDENTITY_SYNTAX, {.cn = "d:meter:"}, false},
    {"conflict", REASON_IDENTITY_CONFLICT,
        {.cn = "d:meter:1", .san = "email:d:meter:2"}, false},
    {"a colon in the id", REASON_IDENTITY_SYNTAX, {.cn = "d:meter:1:2"}, false},
    /* Two things are wrong: the first step tells. */
    {"a stranger without identity", REASON_CA_UNKNOWN, {.cn = "x"}, true},
    {"expired, no identity", REASON_CERT_EXPIRED, {.cn = "x", .to = MINT_NOW},
        false},
};

static void
refuses_certificates(void **state)
{
	struct minted other = mint_ca("Factory", 1);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct mint_options options = refused[i].options;
		struct answer answer;

		print_message("%s\n", refused[i].name);
		options.issuer = refused[i].stranger ? &other : &fixture.ca;
		assert_int_equal(
		    decide_minted(&options, &answer), refused[i].want);
		assert_int_equal(answer.verdict.action, ACTION_NONE);
		assert_int_equal(answer.valid_until == CLOCK_NONE,
		    refused[i].want < REASON_IDENTITY_NONE);
	}
	minted_done(&other);
}

/* Bytes that are no certificate are a certificate that is malformed. */
static void
refuses_what_it_cannot_read(void **state)
{
	struct request request = request_of(NULL);
	struct answer answer;

	(void)state;
	request.malformed = "trailing bytes";
	request.client_id = "d:meter:1";
	request.tls = true;
	assert_int_equal(decide(&request, &answer), REASON_CERT_MALFORMED);
	assert_string_equal(answer.detail, "trailing bytes");
	assert_false(answer.has_identity || answer.has_ca);
}

static const struct {
	const char *name;
	const char *client_id, *username, *password;
	bool tls;
	enum reason want;
} bare[] = {
    {"nobody", "app", NULL, NULL, false, REASON_NOT_A_DEVICE},
    {"a password is no token", "app", "alice", "x", true, REASON_NOT_A_DEVICE},
    {"by client id", "d:meter:1", NULL, NULL, true, REASON_CERT_MISSING},
    {"by client id, with a password", "d:meter:1", "alice", "x", true,
        REASON_CERT_MISSING},
    {"by user name", "app", "d:meter:1", NULL, true, REASON_CERT_MISSING},
    {"by half a name", "g:", NULL, NULL, true, REASON_CERT_MISSING},
    {"a token in the clear", "d:meter:1", "use-token-auth", "x", false,
        REASON_LEVEL_TLS},
    {"a token", "d:meter:1", "use-token-auth", "x", true, REASON_LEVEL_CERT},
    {"a token for nobody", "app", "use-token-auth", "x", true,
        REASON_IDENTITY_SYNTAX},
    {"a token for another name", "app", "d:meter:1", "x", true,
        REASON_CLIENT_ID},
    {"a token of half a name", "d:meter:1", "d:meter", "x", true,
        REASON_CERT_MISSING},
};

static void
refuses_clients_without_certificate(void **state)
{
	size_t i;

	(void)state;
	fixture_add_device(&fixture, "d:meter:1", DEVICE_PROVISIONED);
	for (i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		struct request request = request_of(NULL);
		struct answer answer;

		print_message("%s\n", bare[i].name);
		request.client_id = bare[i].client_id;
		request.username = bare[i].username;
		request.password = bare[i].password;
		request.tls = bare[i].tls;
		assert_int_equal(decide(&request, &answer), bare[i].want);
		assert_false(answer.has_ca);
	}
}

/* A registry that does not answer refuses, whatever it says instead. */
static void
refuses_when_it_cannot_look(void **state)
{
	enum res results[] = {RES_NOMEM, RES_SYNTAX, RES_LIMIT, RES_REFUSED,
	    RES_EXISTS, RES_UNAVAIL, RES_BUSY, RES_CORRUPT};
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct request request = request_of(leaf);
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	const struct source whole = fixture_source(&fixture);
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		struct stub stub = {.res = results[i]};
		const struct source source = stub_source(&stub);

		admission_decide(
		    snapshot, ORG_DEFAULT, &request, &source, &answer, NULL);
		assert_int_equal(answer.verdict.reason, REASON_REGISTRY_ERROR);
		assert_int_equal(answer.verdict.action, ACTION_NONE);
		answer_done(&answer);
	}
	/* Nor does an org that is not there admit anybody. */
	admission_decide(snapshot, "nowhere", &request, &whole, &answer, NULL);
	assert_int_equal(answer.verdict.reason, REASON_REGISTRY_ERROR);
	snapshot_unref(snapshot);
	leaf_free(leaf);
	minted_done(&minted);
}

/* A flood of bad certificates costs no look-ups. */
static void
looks_up_only_who_is_worth_it(void **state)
{
	struct minted other = mint_ca("Other", 1);
	struct minted bad = mint_device(&other, "d:meter:1");
	struct minted good = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaves[] = {fixture_leaf(&bad), fixture_leaf(&good)};
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	struct answer answer;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct request request = request_of(leaves[i]);
		struct stub stub = {.res = RES_NOTFOUND};
		const struct source source = stub_source(&stub);

		admission_decide(
		    snapshot, ORG_DEFAULT, &request, &source, &answer, NULL);
		assert_int_equal(stub.finds, i);
		assert_int_equal(stub.counts + stub.rates, 0);
		answer_done(&answer);
		leaf_free(leaves[i]);
	}
	snapshot_unref(snapshot);
	minted_done(&bad);
	minted_done(&good);
	minted_done(&other);
}

static void
a_ca_narrows_enrolment(void **state)
{
	struct minted strict = mint_ca("Strict", 1);
	struct mint_options options = {.cn = "d:meter:1", .issuer = &strict};
	struct answer answer;

	(void)state;
	fixture_add_ca(&fixture, &strict, "active", "[]", "listed");
	assert_int_equal(
	    decide_minted(&options, &answer), REASON_DEVICE_UNLISTED);
	options.issuer = &fixture.ca;
	assert_int_equal(decide_minted(&options, &answer), REASON_PROVISIONED);
	minted_done(&strict);
}

static void
a_ca_keeps_to_its_scope(void **state)
{
	struct minted narrow = mint_ca("Narrow", 1);
	struct mint_options options = {.issuer = &narrow};
	struct answer answer;

	(void)state;
	fixture_add_ca(&fixture, &narrow, "active", "[\"d:pump:*\"]", "");
	options.cn = "d:meter:1";
	assert_int_equal(decide_minted(&options, &answer), REASON_CA_SCOPE);
	options.cn = "d:pump:1";
	assert_int_equal(decide_minted(&options, &answer), REASON_PROVISIONED);
	minted_done(&narrow);
}

/* What a session was admitted on, and what changes under it. */
static struct trust_path *
path_of(const struct leaf *leaf, const struct identity *who)
{
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	struct trust_path *path = NULL;
	struct trust_finding finding;

	trust_verify(snapshot_tenant(snapshot, ORG_DEFAULT)->trust, leaf, NULL,
	    who, MINT_NOW, &finding, &path);
	assert_int_equal(finding.reason, REASON_NONE);
	assert_non_null(path);
	snapshot_unref(snapshot);
	return path;
}

static struct standing
standing_of(const struct identity *who, struct trust_path *path)
{
	return (struct standing){.who = who,
	    .path = path,
	    .client_id = "d:meter:1",
	    .seen_with = SEEN_TLS | SEEN_CERT,
	    .sight = SIGHT_KNOWN,
	    .now = MINT_NOW};
}

static enum reason
review(const struct standing *standing, bool has_new_path)
{
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	struct answer answer;

	memset(&answer, 0xff, sizeof(answer));
	admission_review(snapshot, ORG_DEFAULT, standing, &answer);
	assert_int_equal(answer.verdict.action, ACTION_NONE);
	assert_int_equal(answer.path != NULL, has_new_path);
	answer_done(&answer);
	snapshot_unref(snapshot);
	return answer.verdict.reason;
}

#define LEAF_ENDS (MINT_NOW + 100)

static const struct {
	const char *name;
	enum sight sight;
	bool locked;
	int64_t now;
	const char *client_id;
	enum reason want;
} reviews[] = {
    {"in order", SIGHT_KNOWN, false, MINT_NOW, "d:meter:1", REASON_KNOWN},
    {"locked", SIGHT_KNOWN, true, MINT_NOW, "d:meter:1", REASON_DEVICE_LOCKED},
    {"removed", SIGHT_FIRST, false, MINT_NOW, "d:meter:1",
        REASON_DEVICE_UNLISTED},
    {"removed and listed again", SIGHT_ALLOWED, false, MINT_NOW, "d:meter:1",
        REASON_DEVICE_UNLISTED},
    {"pending", SIGHT_PENDING, false, MINT_NOW, "d:meter:1",
        REASON_DEVICE_PENDING},
    {"not to be known", SIGHT_FAILED, false, MINT_NOW, "d:meter:1",
        REASON_REGISTRY_ERROR},
    {"expired", SIGHT_KNOWN, false, LEAF_ENDS, "d:meter:1",
        REASON_CERT_EXPIRED},
    {"a second before", SIGHT_KNOWN, false, LEAF_ENDS - 1, "d:meter:1",
        REASON_KNOWN},
    {"its CA expired too", SIGHT_KNOWN, false, MINT_TO, "d:meter:1",
        REASON_CA_EXPIRED},
    {"another client id", SIGHT_KNOWN, false, MINT_NOW, "d:meter:2",
        REASON_CLIENT_ID},
    {"no client id", SIGHT_KNOWN, false, MINT_NOW, NULL, REASON_CLIENT_ID},
};

static void
reviews_sessions(void **state)
{
	struct mint_options options = {
	    .cn = "d:meter:1", .issuer = &fixture.ca, .to = LEAF_ENDS};
	struct minted minted = mint(&options);
	struct leaf *leaf = fixture_leaf(&minted);
	struct identity who = fixture_who("d:meter:1");
	struct trust_path *path = path_of(leaf, &who);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reviews) / sizeof(reviews[0]); i++) {
		struct standing standing = standing_of(&who, path);

		print_message("%s\n", reviews[i].name);
		standing.sight = reviews[i].sight;
		standing.locked = reviews[i].locked;
		standing.now = reviews[i].now;
		standing.client_id = reviews[i].client_id;
		assert_int_equal(review(&standing, false), reviews[i].want);
	}
	trust_path_unref(path);
	leaf_free(leaf);
	minted_done(&minted);
}

/* A session of which nothing is known is no session. */
static void
refuses_without_a_path(void **state)
{
	struct identity who = fixture_who("d:meter:1");
	struct standing standing = standing_of(&who, NULL);

	(void)state;
	assert_int_equal(review(&standing, false), REASON_REGISTRY_ERROR);
	standing.is_restored = true;
	assert_int_equal(review(&standing, false), REASON_KNOWN);
}

/* An org that is removed takes its CAs along. */
static void
reviews_what_went_with_its_org(void **state)
{
	struct snapshot *snapshot = fixture_snapshot(&fixture);
	struct identity who = fixture_who("d:meter:1");
	struct standing standing = standing_of(&who, NULL);
	struct answer answer;

	(void)state;
	standing.is_restored = true;
	admission_review(snapshot, "gone", &standing, &answer);
	assert_int_equal(answer.verdict.reason, REASON_CA_UNKNOWN);
	assert_int_equal(answer.verdict.action, ACTION_NONE);
	answer_done(&answer);
	snapshot_unref(snapshot);
}

/* The CA is gone, but another certificate of it (a roll-over) is there: only
 * the certificate itself can tell. */
static void
looks_for_another_ca(void **state)
{
	const uint8_t gone[HASH_LEN] = {1};
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct identity who = fixture_who("d:meter:1");
	struct trust_path *path = trust_path_of_ca(gone);
	struct standing standing = standing_of(&who, path);

	(void)state;
	assert_int_equal(review(&standing, false), REASON_CA_UNKNOWN);
	standing.leaf = leaf;
	assert_int_equal(review(&standing, true), REASON_KNOWN);
	trust_path_unref(path);
	leaf_free(leaf);
	minted_done(&minted);
}

/* A verdict that was kept is taken, until the settings are others. */
static void
keeps_verdicts(void **state)
{
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct request request = request_of(leaf);
	struct answer answer;
	struct ca_record *ca;
	struct config config = {0};
	struct diag why;

	(void)state;
	request.verdicts = verdicts_new();
	request.generation = 7;
	assert_int_equal(decide(&request, &answer), REASON_PROVISIONED);
	/* The CA is gone behind its back. */
	assert_int_equal(
	    registry_load(fixture.registry, &config, &why), RES_OK);
	ca = &config.cas[0];
	assert_int_equal(edit_ca_remove(&fixture.edit, ca, &why), RES_OK);
	assert_int_equal(decide(&request, &answer), REASON_PROVISIONED);
	request.generation = 8;
	assert_int_equal(decide(&request, &answer), REASON_CA_UNKNOWN);
	assert_non_null(answer.detail);
	verdicts_free(request.verdicts);
	config_done(&config);
	leaf_free(leaf);
	minted_done(&minted);
}

/* Whatever the certificate says. */
static void
heeds_an_objection(void **state)
{
	struct minted minted = mint_device(&fixture.ca, "d:meter:1");
	struct leaf *leaf = fixture_leaf(&minted);
	struct request request = request_of(leaf);
	struct answer answer;

	(void)state;
	request.objection = "it came by night";
	assert_int_equal(decide(&request, &answer), REASON_CERT_INVALID);
	assert_string_equal(answer.detail, "it came by night");
	assert_int_equal(answer.verdict.action, ACTION_NONE);
	leaf_free(leaf);
	minted_done(&minted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        admits_a_first_sight, setup, teardown),
	    cmocka_unit_test_setup_teardown(knows_a_device, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_certificates, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_clients_without_certificate, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_what_it_cannot_read, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_when_it_cannot_look, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        looks_up_only_who_is_worth_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_ca_narrows_enrolment, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_ca_keeps_to_its_scope, setup, teardown),
	    cmocka_unit_test_setup_teardown(reviews_sessions, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        refuses_without_a_path, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        reviews_what_went_with_its_org, setup, teardown),
	    cmocka_unit_test_setup_teardown(keeps_verdicts, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        heeds_an_objection, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        looks_for_another_ca, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
