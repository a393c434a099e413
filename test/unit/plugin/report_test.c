/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/report.h"

#include <mosquitto_broker.h>
#include <stdio.h>

#include "test/support/cmocka_all.h"
#include "test/support/mint.h"

/* The broker's log, as this test sees it. */
static char logged[8][1100];
static int levels[8];
static int lines;

void
mosquitto_log_printf(int level, const char *format, ...)
{
	va_list args;

	assert_true(lines < 8);
	levels[lines] = level;
	va_start(args, format);
	(void)vsnprintf(logged[lines++], sizeof(logged[0]), format, args);
	va_end(args);
}

static int
setup(void **state)
{
	(void)state;
	lines = 0;
	return 0;
}

static struct answer
answer(enum reason reason, const char *name)
{
	struct answer made = {.verdict.reason = reason};
	const char *why;

	if (name != NULL) {
		assert_int_equal(
		    identity_parse(name, strlen(name), &made.who, &why),
		    RES_OK);
		made.has_identity = true;
	}
	return made;
}

static const struct {
	const char *name;
	enum reason reason;
	const char *identity, *client, *address, *detail;
	const char *want;
} cases[] = {
    {"admitted", REASON_KNOWN, "d:m:1", "d:m:1", "10.0.0.7", "not told",
        "certid: admitted reason=known identity=d:m:1 client=\"d:m:1\" "
        "addr=10.0.0.7"},
    {"refused", REASON_CA_SCOPE, "d:m:1", "d:m:1", "10.0.0.7", NULL,
        "certid: refused reason=ca-scope identity=d:m:1 client=\"d:m:1\" "
        "addr=10.0.0.7"},
    {"no identity", REASON_IDENTITY_NONE, NULL, "x", "::1", "no name",
        "certid: refused reason=identity-none client=\"x\" addr=::1 "
        "detail=\"no name\""},
    {"nothing known", REASON_NOT_A_DEVICE, NULL, NULL, NULL, NULL,
        "certid: refused reason=not-a-device client=\"\""},
    {"a forged line", REASON_CLIENT_ID, "d:m:1",
        "x\"\ncertid: admitted reason=known", "10.0.0.7", NULL,
        "certid: refused reason=client-id identity=d:m:1 "
        "client=\"x\\\"\\x0acertid: admitted reason=known\" "
        "addr=10.0.0.7"},
    {"a forged address", REASON_CLIENT_ID, "d:m:1", "x", "1.2.3.4 reason=known",
        NULL,
        "certid: refused reason=client-id identity=d:m:1 client=\"x\" "
        "addr=\"1.2.3.4 reason=known\""},
};

static void
writes_one_line(void **state)
{
	static struct report report;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer of = answer(cases[i].reason, cases[i].identity);
		struct subject subject = {
		    .client_id = cases[i].client, .address = cases[i].address};

		print_message("%s\n", cases[i].name);
		memset(&report, 0, sizeof(report));
		lines = 0;
		of.detail = cases[i].detail;
		report_decision(&report, &subject, &of, 1);
		assert_int_equal(lines, 1);
		assert_string_equal(logged[0], cases[i].want);
	}
}

static void
shortens_what_is_long(void **state)
{
	static struct report report;
	struct answer of = answer(REASON_CLIENT_ID, NULL);
	char id[60000];
	struct subject subject = {.client_id = id};

	(void)state;
	memset(id, '\n', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	report_decision(&report, &subject, &of, 1);
	assert_true(strlen(logged[0]) < 300);
	assert_non_null(strstr(logged[0], "...\""));
}

/* The same refusal again is counted; another reason, or an admission, is told
 * at once. */
static void
counts_repeats(void **state)
{
	static struct report report;
	struct answer wrong = answer(REASON_CLIENT_ID, "d:m:1");
	struct answer locked = answer(REASON_DEVICE_LOCKED, "d:m:1");
	struct answer known = answer(REASON_KNOWN, "d:m:1");
	struct subject subject = {.client_id = "d:m:1"};
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		report_decision(&report, &subject, &wrong, 1000 + i);
	}
	assert_int_equal(lines, 1);
	report_decision(&report, &subject, &wrong, 1000 + REPORT_REPEAT_MS);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(logged[1], " repeated=99"));
	report_decision(&report, &subject, &locked, 2000);
	assert_int_equal(lines, 3);
	assert_null(strstr(logged[2], "repeated"));
	report_decision(&report, &subject, &known, 2001);
	report_decision(&report, &subject, &locked, 2002);
	assert_int_equal(lines, 5);
}

/* Another client id is another line, but not without end. */
static void
tells_a_few_variants(void **state)
{
	static struct report report;
	struct answer wrong = answer(REASON_CLIENT_ID, "d:m:1");
	struct subject subject = {.leaf = NULL};
	struct minted ca = mint_ca("Factory", 0);
	struct minted device = mint_device(&ca, "d:m:1");
	struct diag why;
	struct leaf *leaf;
	char id[16];
	int i;

	(void)state;
	assert_int_equal(
	    leaf_parse(device.der, device.der_len, &leaf, &why), RES_OK);
	subject.leaf = leaf;
	subject.client_id = id;
	for (i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "x%d", i);
		report_decision(&report, &subject, &wrong, 1000 + i);
		assert_true(lines <= REPORT_VARIANTS);
	}
	assert_int_equal(lines, REPORT_VARIANTS);
	assert_non_null(strstr(logged[3], "client=\"x3\""));
	lines = 0;
	report_sweep(&report, 1000 + REPORT_REPEAT_MS);
	assert_int_equal(lines, 1);
	assert_non_null(strstr(logged[0], "repeated=96"));
	leaf_free(leaf);
	minted_done(&device);
	minted_done(&ca);
}

/* A client that gives up leaves its count behind: that is told too. */
static void
tells_the_rest_later(void **state)
{
	static struct report report;
	struct answer wrong = answer(REASON_CLIENT_ID, "d:m:1");
	struct subject subject = {.client_id = "d:m:1"};

	(void)state;
	report_decision(&report, &subject, &wrong, 1000);
	report_decision(&report, &subject, &wrong, 1001);
	report_decision(&report, &subject, &wrong, 1002);
	report_sweep(&report, 1003);
	assert_int_equal(lines, 1);
	report_sweep(&report, 1000 + REPORT_REPEAT_MS);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(logged[1], "reason=client-id"));
	assert_non_null(strstr(logged[1], "repeated=2"));
	report_sweep(&report, 1000 + 3 * REPORT_REPEAT_MS);
	assert_int_equal(lines, 2);
}

static void
denials_are_told_now_and_then(void **state)
{
	struct session session = {.client_id = NULL};
	int i;

	(void)state;
	session.who = answer(REASON_KNOWN, "d:m:1").who;
	for (i = 0; i < 50; i++) {
		report_denied(&session, "publish", "x/y", 1000 + i);
	}
	assert_int_equal(lines, 1);
	assert_string_equal(logged[0],
	    "certid: denied reason=topic access=publish identity=d:m:1 "
	    "topic=\"x/y\"");
	report_denied(&session, "publish", "x/y", 1000 + REPORT_REPEAT_MS);
	assert_int_equal(lines, 2);
	assert_non_null(strstr(logged[1], " repeated=49"));
}

/* The org where it is not the default one, and the name that led to none. */
static void
tells_the_org(void **state)
{
	struct report report = {0};
	struct subject subject = {.client_id = "d:m:1", .org = "acme"};
	struct answer known = answer(REASON_KNOWN, "d:m:1");
	struct answer unknown = answer(REASON_CA_UNKNOWN, "d:m:1");
	struct session session = {.client_id = NULL, .org = "acme"};

	(void)state;
	report_decision(&report, &subject, &known, 1000);
	assert_non_null(strstr(logged[0], " identity=d:m:1 org=acme client="));
	subject.org = ORG_DEFAULT;
	report_decision(&report, &subject, &known, 1000);
	assert_null(strstr(logged[1], "org="));
	subject.org = NULL;
	subject.server = "no\"body.example.com";
	report_decision(&report, &subject, &unknown, 1000);
	assert_null(strstr(logged[2], "org="));
	assert_non_null(
	    strstr(logged[2], " server=\"no\\\"body.example.com\""));
	session.who = known.who;
	report_closed(&session, REASON_DEVICE_LOCKED);
	assert_non_null(strstr(logged[3], " org=acme"));
}

/* Who is let in after all leaves no line without a reason behind. */
static void
an_admission_ends_the_count(void **state)
{
	struct report report = {0};
	struct subject subject = {.client_id = "d:m:1"};
	struct answer known = answer(REASON_KNOWN, "d:m:1");
	struct answer unknown = answer(REASON_CA_UNKNOWN, "d:m:1");
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		report_decision(&report, &subject, &unknown, 1000);
	}
	assert_int_equal(lines, 1);
	report_decision(&report, &subject, &known, 1000);
	assert_int_equal(lines, 3);
	assert_non_null(strstr(logged[1], "admitted reason=known"));
	assert_non_null(strstr(logged[2], "reason=ca-unknown"));
	assert_non_null(strstr(logged[2], " repeated=4"));
	report_sweep(&report, 1000 + 2 * REPORT_REPEAT_MS);
	assert_int_equal(lines, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(writes_one_line, setup),
	    cmocka_unit_test_setup(shortens_what_is_long, setup),
	    cmocka_unit_test_setup(counts_repeats, setup),
	    cmocka_unit_test_setup(tells_a_few_variants, setup),
	    cmocka_unit_test_setup(tells_the_rest_later, setup),
	    cmocka_unit_test_setup(denials_are_told_now_and_then, setup),
	    cmocka_unit_test_setup(tells_the_org, setup),
	    cmocka_unit_test_setup(an_admission_ends_the_count, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
