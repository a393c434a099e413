/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Commands as JSON, on a registry on the disk. */
#include "manage/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/json_value.h"
#include "test/support/cmocka_all.h"
#include "test/unit/manage/execute_fixture.h"

#define PROOF                                                                  \
	"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n"

/* Messages in which there is no command to be found, and the one response. */
static const struct {
	const char *message, *says;
} unreadable[] = {
    {"", "Payload not valid JSON"},
    {"x", "Payload not valid JSON"},
    {"{", "Payload not valid JSON"},
    {"{\"commands\":[]}x", "Payload not valid JSON"},
    {"{\"commands\":[],\"commands\":[]}", "twice"},
    {"[]", "must be an object"},
    {"\"commands\"", "must be an object"},
    {"null", "must be an object"},
    {"{}", "must be an object with one member"},
    {"{\"commands\":{}}", "must be an object with one member"},
    {"{\"commands\":null}", "must be an object with one member"},
    {"{\"commands\":\"listDevices\"}", "must be an object with one member"},
    {"{\"Commands\":[]}", "must be an object with one member"},
    {"{\"commands\":[],\"more\":1}", "must be an object with one member"},
    {"{\"commands\":[{\"command\":\"\\u0000\"}]}", "NUL"},
    {"{\"commands\":[{\"command\":\"\xff\"}]}", "Payload not valid JSON"},
};

static void
answers_what_it_cannot_read(void **state)
{
	int64_t before = fixture_mark();
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
		answer = run_as(ORG_DEFAULT, unreadable[i].message);
		must_hold(answer,
		    "{\"responses\":[{\"command\":\"Unknown command\","
		    "\"error\":\"",
		    unreadable[i].message);
		must_hold(answer, unreadable[i].says, unreadable[i].message);
		must_hold(answer, "\"code\":2}]}", unreadable[i].message);
		free(answer);
	}
	assert_int_equal(fixture_mark(), before);
}

/* The members of one command that is refused before anything is done. */
static const struct {
	const char *members, *says;
} bad[] = {
    {"", "is an object whose member"},
    {"\"command\":1", "is an object whose member"},
    {"\"command\":null", "is an object whose member"},
    {"\"Command\":\"listDevices\"", "is an object whose member"},
    {"\"command\":\"\"", "unknown command \\\"\\\""},
    {"\"command\":\"nothing\"", "unknown command \\\"nothing\\\""},
    {"\"command\":\"device list\"", "unknown command"},
    {"\"command\":\"listdevices\"", "unknown command"},
    {"\"command\":\"init\"", "is for the machine of the broker"},
    {"\"command\":\"help\"", "is for the machine of the broker"},
    {"\"command\":\"followEvent\"", "is for the machine of the broker"},
    /* members */
    {"\"command\":\"listDevices\",\"foo\":1",
        "unknown member \\\"foo\\\" of listDevices, which takes type, state"},
    {"\"command\":\"listOrgs\",\"foo\":1",
        "unknown member \\\"foo\\\" of listOrgs, which takes none"},
    {"\"command\":\"listDevices\",\"Type\":\"d:meter\"", "unknown member"},
    {"\"command\":\"listDevices\",\"help\":true", "means nothing over MQTT"},
    {"\"command\":\"listDevices\",\"version\":true", "means nothing"},
    {"\"command\":\"listDevices\",\"registry\":\"/etc/passwd\"",
        "means nothing over MQTT"},
    {"\"command\":\"listDevices\",\"broker\":\"mqtts://h\"", "unknown member"},
    {"\"command\":\"listDevices\",\"key\":\"/etc/key\"", "unknown member"},
    {"\"command\":\"listDevices\",\"--type\":\"d:meter\"", "unknown member"},
    {"\"command\":\"setCa\",\"ca\":\"x\",\"crl-url\":\"https://a/b\"",
        "unknown member \\\"crl-url\\\""},
    {"\"command\":\"listSettings\",\"key\":\"enrol\"", "unknown member"},
    {"\"command\":\"setSetting\"",
        "member \\\"key\\\" of setSetting is missing"},
    {"\"command\":\"setSetting\",\"key\":\"enrol\"",
        "member \\\"value\\\" of setSetting is missing"},
    {"\"command\":\"setSetting\",\"value\":\"auto\"",
        "member \\\"key\\\" of setSetting is missing"},
    {"\"command\":\"addDevice\"", "member \\\"identity\\\" of addDevice is"},
    {"\"command\":\"addCa\"", "member \\\"file\\\" of addCa is missing"},
    {"\"command\":\"verifyCa\",\"file\":\"x\"",
        "member \\\"ca\\\" of verifyCa is missing"},
    {"\"command\":\"addTopic\",\"who\":\"all\",\"filter\":\"a\"",
        "member \\\"access\\\" of addTopic is missing"},
    /* types */
    {"\"command\":\"addDevice\",\"identity\":true", "a text or a whole number"},
    {"\"command\":\"addDevice\",\"identity\":null", "a text or a whole number"},
    {"\"command\":\"addDevice\",\"identity\":{}", "a text or a whole number"},
    {"\"command\":\"addDevice\",\"identity\":[\"d:a:1\"]",
        "a text or a whole number"},
    {"\"command\":\"listDevices\",\"limit\":1.5", "a text or a whole number"},
    {"\"command\":\"listDevices\",\"limit\":1e30", "a text or a whole number"},
    {"\"command\":\"listDevices\",\"limit\":[1]", "a text or a whole number"},
    {"\"command\":\"listDevices\",\"limit\":true", "a text or a whole number"},
    {"\"command\":\"listDevices\",\"json\":\"yes\"", "must be true or false"},
    {"\"command\":\"listDevices\",\"json\":1", "must be true or false"},
    {"\"command\":\"getStatus\",\"check\":null", "must be true or false"},
    {"\"command\":\"listDevices\",\"org\":1", "\\\"org\\\" must be a text"},
    {"\"command\":\"listDevices\",\"org\":[\"acme\"]", "must be a text"},
    {"\"command\":\"listDevices\",\"format\":\"xml\"", "json\\\" or \\\"text"},
    {"\"command\":\"listDevices\",\"format\":1", "json\\\" or \\\"text"},
    {"\"command\":\"listDevices\",\"colour\":\"red\"", "true or false"},
    {"\"command\":\"listDevices\",\"correlationData\":7", "must be a text"},
    {"\"command\":\"listDevices\",\"correlationData\":{}", "must be a text"},
    {"\"command\":\"addDevice\",\"identity\":\"d:a:1\",\"tag\":[]",
        "is an empty array"},
    {"\"command\":\"addDevice\",\"identity\":\"d:a:1\",\"tag\":[[\"a=b\"]]",
        "a text or a whole number"},
    {"\"command\":\"addDevice\",\"identity\":\"d:a:1\",\"tag\":[true]",
        "a text or a whole number"},
    /* files */
    {"\"command\":\"addCa\",\"file\":7", "must be what the file holds"},
    {"\"command\":\"addCa\",\"file\":[\"x\"]", "must be what the file holds"},
    {"\"command\":\"addCa\",\"file\":{}", "must be what the file holds"},
    {"\"command\":\"addCa\",\"file\":{\"base64\":1}", "what the file holds"},
    {"\"command\":\"addCa\",\"file\":{\"base64\":\"!\"}", "is not base64"},
    {"\"command\":\"addCa\",\"file\":{\"base64\":\"Zg\"}", "is not base64"},
    {"\"command\":\"addCa\",\"file\":{\"base64\":\"Zg==\",\"text\":\"f\"}",
        "must be what the file holds"},
    {"\"command\":\"addCa\",\"file\":{\"path\":\"/etc/passwd\"}",
        "unknown member \\\"path\\\" in \\\"file\\\""},
    {"\"command\":\"addCa\",\"file\":{\"text\":\"f\",\"name\":7}", "printable"},
    {"\"command\":\"addCa\",\"file\":{\"text\":\"f\",\"name\":\"\"}",
        "printable"},
    {"\"command\":\"addCa\",\"file\":{\"text\":\"f\",\"name\":\"a\\nb\"}",
        "printable"},
    {"\"command\":\"explain\",\"cert\":{\"text\":\"a\",\"name\":\"n\"},"
     "\"chain\":{\"text\":\"b\",\"name\":\"n\"}",
        "two files have the name \\\"n\\\""},
    {"\"command\":\"exportDevices\",\"output\":\"/tmp/certid-x\"",
        "no file is written"},
    /* what the command line itself refuses */
    {"\"command\":\"addDevice\",\"identity\":\"\"", "an argument is empty"},
    {"\"command\":\"addDevice\",\"identity\":\"nobody\"", "is not an identity"},
    {"\"command\":\"addDevice\",\"identity\":\"--json\"", "is not an identity"},
    {"\"command\":\"listDevices\",\"limit\":0", "--limit takes a number"},
    {"\"command\":\"listDevices\",\"limit\":\"many\"",
        "--limit takes a number"},
    {"\"command\":\"listDevices\",\"type\":\"\"", "that is not empty"},
    {"\"command\":\"listDevices\",\"state\":\"--org=acme\"", "--state takes"},
    {"\"command\":\"setSetting\",\"key\":\"nope\",\"value\":1", "nope"},
    {"\"command\":\"listDevices\",\"org\":\"nope\"", "there is no org"},
    {"\"command\":\"setCa\",\"ca\":\"x\"", "nothing to set"},
    {"\"command\":\"setCa\",\"ca\":\"x\",\"crlUrl\":\"file:///etc/passwd\"",
        "\"code\":"},
    {"\"command\":\"addCa\",\"file\":\"" PROOF "\"", "file:"},
    {"\"command\":\"addCa\",\"file\":\"/etc/passwd\"", "file:"},
    {"\"command\":\"removeAdmin\",\"name\":\"x\"", "is no admin"},
    {"\"command\":\"addAdmin\",\"name\":\"a/b\"", "an admin is an identity"},
    {"\"command\":\"addAdmin\",\"name\":\"+\"", "an admin is an identity"},
};

static void
refuses_bad_commands(void **state)
{
	int64_t before = fixture_mark();
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		answer = run_one(ORG_DEFAULT, bad[i].members);
		must_hold(answer, "\"error\":\"", bad[i].members);
		must_hold(answer, bad[i].says, bad[i].members);
		must_hold(answer, "\"code\":", bad[i].members);
		assert_null(strstr(answer, "\"code\":0"));
		assert_null(strstr(answer, "\"data\""));
		assert_null(strstr(answer, "certid: "));
		free(answer);
		assert_int_equal(fixture_mark(), before);
	}
}

static const struct {
	const char *members, *gives;
} good[] = {
    {"\"command\":\"addDevice\",\"identity\":\"d:meter:1\",\"window\":\"none\","
     "\"tag\":[\"site=south\",\"line=2\"],\"info\":\"{\\\"model\\\":\\\"x\\\"}"
     "\","
     "\"correlationData\":\"c-1\"",
        "\"info\":{\"model\":\"x\"}"},
    {"\"command\":\"addDevice\",\"identity\":\"d:meter:2\",\"tag\":\"a=b\","
     "\"info\":{\"base64\":\"e30=\"}",
        "\"data\":{\"identity\":\"d:meter:2\""},
    {"\"command\":\"listDevices\",\"type\":\"d:meter\",\"limit\":1",
        "\"data\":[{\"identity\":\"d:meter:1\""},
    {"\"command\":\"listDevices\",\"limit\":\"1\",\"after\":\"d:meter:1\"",
        "\"data\":[{\"identity\":\"d:meter:2\""},
    {"\"command\":\"listDevices\",\"json\":false",
        "{\"command\":\"listDevices\",\"data\":["},
    {"\"command\":\"listDevices\",\"type\":\"d:none\"", "\"data\":[]"},
    {"\"command\":\"setSetting\",\"key\":\"event-days\",\"value\":30", "30"},
    {"\"command\":\"listSettings\"", "\"data\":"},
    {"\"command\":\"setSetting\",\"key\":\"sni\",\"value\":\"\"", "\"data\":"},
    {"\"command\":\"setRule\",\"type\":\"d:meter\",\"level\":\"cert\"",
        "\"data\":{"},
    {"\"command\":\"setRule\",\"type\":\"default\",\"level\":\"cert\"",
        "\"data\":{"},
    {"\"command\":\"addTopic\",\"who\":\"d\",\"access\":\"publish\","
     "\"filter\":\"x/{id}/#\"",
        "x/{id}/#"},
    {"\"command\":\"lockDevice\",\"identity\":\"d:meter:1\"",
        "\"locked\":true"},
    {"\"command\":\"addOrg\",\"org\":\"plant\"", "\"warnings\":["},
    {"\"command\":\"removeOrg\",\"org\":\"plant\"", "\"data\":{"},
    {"\"command\":\"listDevices\",\"format\":\"text\"", "\"text\":\"IDENTITY"},
    {"\"command\":\"listDevices\",\"format\":\"text\"", "\"errors\":\"\""},
    {"\"command\":\"listDevices\",\"format\":\"text\"", "\"code\":0"},
    {"\"command\":\"listDevices\",\"format\":\"text\",\"json\":true",
        "\"text\":\"[{\\\"identity\\\""},
    {"\"command\":\"listDevices\",\"format\":\"text\",\"colour\":true",
        "\\u001b["},
    {"\"command\":\"exportDevices\"", "\"text\":\"ID,"},
    {"\"command\":\"getStatus\"", "\"data\":{"},
    {"\"command\":\"listEvents\",\"limit\":1", "\"data\":[{\"seq\""},
};

static void
does_good_commands(void **state)
{
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		answer = run_one(ORG_DEFAULT, good[i].members);
		must_hold(answer, good[i].gives, good[i].members);
		assert_null(strstr(answer, "\"error\""));
		free(answer);
	}
	/* Text that is not asked for in colour has none. */
	answer = run_one(
	    ORG_DEFAULT, "\"command\":\"listDevices\",\"format\":\"text\"");
	assert_null(strstr(answer, "u001b"));
	free(answer);
}

static void
signs_what_it_does(void **state)
{
	const struct admin bob = {
	    .registry = path, .org = ORG_DEFAULT, .name = "bob the \"op\""};
	const char *message = "{\"commands\":[{\"command\":\"addDevice\","
	                      "\"identity\":\"d:meter:9\"},{\"command\":"
	                      "\"listEvents\",\"limit\":1}]}";
	char *answer;

	(void)state;
	answer = run_one(ORG_DEFAULT,
	    "\"command\":\"addDevice\",\"identity\":\"d:meter:8\"");
	free(answer);
	answer = run_one(ORG_DEFAULT, "\"command\":\"listEvents\",\"limit\":1");
	must_hold(answer, " by=alice\"", "listEvents");
	must_hold(answer, "\"actor\":\"operator\"", "listEvents");
	free(answer);
	answer = execute(&bob, message, strlen(message));
	assert_non_null(answer);
	must_hold(answer, " by=\\\"bob the \\\\\\\"op\\\\\\\"\\\"\"", message);
	free(answer);
}

/* A failure of one is none of the others. */
static void
runs_all_in_order(void **state)
{
	char *answer = run_as(ORG_DEFAULT,
	    "{\"commands\":["
	    "{\"command\":\"addDevice\",\"identity\":\"d:x:1\","
	    "\"correlationData\":\"1\"},"
	    "7,"
	    "{\"command\":\"addDevice\",\"identity\":\"d:x:1\","
	    "\"correlationData\":\"2\"},"
	    "{\"command\":\"removeDevice\",\"identity\":\"d:x:1\","
	    "\"correlationData\":\"3\"},"
	    "{\"command\":\"showDevice\",\"identity\":\"d:x:1\","
	    "\"correlationData\":\"\xc3\xa4\\n\"}]}");
	struct json_value *root = NULL;
	const struct json_value *at;
	const char *names[] = {"addDevice", "Unknown command", "addDevice",
	    "removeDevice", "showDevice"};
	const int64_t codes[] = {0, 2, 5, 0, 4};
	int64_t code;
	size_t i;

	(void)state;
	assert_int_equal(json_value_read(answer, &root, NULL), RES_OK);
	at = json_value_first(json_value_member(root, "responses"));
	for (i = 0; i < 5; i++) {
		assert_non_null(at);
		assert_string_equal(
		    json_value_text(json_value_member(at, "command")),
		    names[i]);
		code = 0;
		if (json_value_member(at, "code") != NULL) {
			assert_true(json_value_number(
			    json_value_member(at, "code"), &code));
		}
		assert_int_equal(code, codes[i]);
		at = json_value_next(at);
	}
	assert_null(at);
	must_hold(
	    answer, "\"correlationData\":\"\xc3\xa4\\n\"}]}", "showDevice");
	json_value_free(root);
	free(answer);
}

static char *
many(size_t n)
{
	char *message = malloc(32 * n + 32), *at = message;
	size_t i;

	assert_non_null(message);
	at += sprintf(at, "{\"commands\":[");
	for (i = 0; i < n; i++) {
		at += sprintf(
		    at, "%s{\"command\":\"listOrgs\"}", i == 0 ? "" : ",");
	}
	(void)sprintf(at, "]}");
	return message;
}

static void
takes_so_many_and_no_more(void **state)
{
	char *message, *answer;

	(void)state;
	message = many(EXECUTE_COMMANDS_MAX);
	answer = run_as(ORG_DEFAULT, message);
	assert_int_equal(count_responses(answer), EXECUTE_COMMANDS_MAX);
	assert_null(strstr(answer, "error"));
	free(answer);
	free(message);
	message = many(EXECUTE_COMMANDS_MAX + 1);
	answer = run_as(ORG_DEFAULT, message);
	assert_int_equal(count_responses(answer), 1);
	must_hold(answer, "more than 64 commands", "65 commands");
	free(answer);
	free(message);
	answer = run_as(ORG_DEFAULT, "{\"commands\":[]}");
	assert_string_equal(answer, "{\"responses\":[]}");
	free(answer);
}

static void
opens_no_file_of_the_machine(void **state)
{
	char members[256], secret[80], *answer;
	FILE *file;

	(void)state;
	(void)snprintf(secret, sizeof(secret), "%s/secret", folder);
	file = fopen(secret, "w");
	assert_non_null(file);
	(void)fputs("{\"leak\":true}", file);
	(void)fclose(file);
	(void)snprintf(members, sizeof(members),
	    "\"command\":\"addDevice\",\"identity\":\"d:leak:1\",\"info\":\"%"
	    "s\"",
	    secret);
	answer = run_one(ORG_DEFAULT, members);
	must_hold(answer, "\"error\"", members);
	assert_null(strstr(answer, "leak\\\""));
	free(answer);
	/* Nor by the name of a file that did come. */
	(void)snprintf(members, sizeof(members),
	    "\"command\":\"addDevice\",\"identity\":\"d:leak:1\","
	    "\"info\":{\"text\":\"{\\\"mine\\\":1}\",\"name\":\"%s\"}",
	    secret);
	answer = run_one(ORG_DEFAULT, members);
	must_hold(answer, "\"info\":{\"mine\":1}", members);
	free(answer);
	(void)unlink(secret);
}

/* A refusal that is the answer comes with its document. */
static void
explain_says_no_with_its_steps(void **state)
{
	const char *members = "\"command\":\"explain\",\"cert\":\"x\"";
	char *answer = run_one(ORG_DEFAULT, members);

	(void)state;
	must_hold(answer, "\"error\":\"the answer is no", members);
	must_hold(
	    answer, "\"code\":1,\"data\":{\"decision\":\"refuse\"", members);
	free(answer);
}

static void
a_nul_is_no_json(void **state)
{
	static const char message[] = "{\"commands\":[]}\0";
	const struct admin admin = {
	    .registry = path, .org = ORG_DEFAULT, .name = "alice"};
	char *answer = execute(&admin, message, sizeof(message) - 1);

	(void)state;
	must_hold(answer, "there is a NUL in it", "NUL");
	free(answer);
}

static void
a_registry_that_is_gone_is_told(void **state)
{
	const struct admin admin = {
	    .registry = "/nonexistent/x.db", .org = ORG_DEFAULT, .name = "a"};
	const char *message = "{\"commands\":[{\"command\":\"listDevices\"}]}";
	char *answer = execute(&admin, message, strlen(message));

	(void)state;
	must_hold(answer, "\"code\":3", message);
	free(answer);
	answer = execute_not("because \"so\"");
	assert_string_equal(answer,
	    "{\"responses\":[{\"command\":\"Unknown command\",\"error\":"
	    "\"because \\\"so\\\"\",\"code\":2}]}");
	free(answer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_what_it_cannot_read),
	    cmocka_unit_test(refuses_bad_commands),
	    cmocka_unit_test(does_good_commands),
	    cmocka_unit_test(signs_what_it_does),
	    cmocka_unit_test(runs_all_in_order),
	    cmocka_unit_test(takes_so_many_and_no_more),
	    cmocka_unit_test(opens_no_file_of_the_machine),
	    cmocka_unit_test(explain_says_no_with_its_steps),
	    cmocka_unit_test(a_nul_is_no_json),
	    cmocka_unit_test(a_registry_that_is_gone_is_told),
	};

	return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
