/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What admins may not do, and how much may be asked for. */
#include "manage/execute.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/json_value.h"
#include "test/support/cmocka_all.h"
#include "test/unit/manage/execute_fixture.h"

#define PROVIDER                                                               \
	" is not for alice, an admin of the org acme: an admin of the org "    \
	"default does that"
#define OF_FILTER "the filter must begin with {org}/ or acme/"
#define TOPIC(command, filter)                                                 \
	"\"command\":\"" command "\",\"who\":\"all\",\"access\":\"both\","     \
	"\"filter\":\"" filter "\""

/* An admin of acme may work on acme alone. */
static const struct {
	const char *members, *says;
} not_theirs[] = {
    {"\"command\":\"listDevices\",\"org\":\"default\"", "and of no other"},
    {"\"command\":\"listDevices\",\"org\":\"nope\"", "and of no other"},
    {"\"command\":\"listDevices\",\"org\":\"\"", "and of no other"},
    {"\"command\":\"setSetting\",\"key\":\"enrol\",\"value\":\"auto\","
     "\"org\":\"default\"",
        "and of no other"},
    {"\"command\":\"addAdmin\",\"name\":\"alice\",\"org\":\"default\"",
        "and of no other"},
    {"\"command\":\"addOrg\",\"org\":\"more\"", "is for admins of the org"},
    {"\"command\":\"addOrg\",\"org\":\"acme\"", "is for admins of the org"},
    {"\"command\":\"removeOrg\",\"org\":\"acme\"", "is for admins of the org"},
    {"\"command\":\"removeOrg\",\"org\":\"default\"", "is for admins of"},
    {"\"command\":\"listOrgs\"", "is for admins of the org default"},
    /* what others would feel */
    {"\"command\":\"addHook\",\"url\":\"https://h.example/\"",
        "addHook" PROVIDER},
    {"\"command\":\"removeHook\",\"hook\":\"abcd\"", "removeHook" PROVIDER},
    {"\"command\":\"setSetting\",\"key\":\"max-devices\",\"value\":\"none\"",
        "max-devices" PROVIDER},
    {"\"command\":\"setSetting\",\"key\":\"sni\",\"value\":\"\"",
        "sni" PROVIDER},
    {"\"command\":\"setSetting\",\"key\":\"client-id\",\"value\":\"{id}\"",
        "client-id" PROVIDER},
    {"\"command\":\"setSetting\",\"key\":\"topics\",\"value\":\"off\","
     "\"org\":\"acme\"",
        "topics" PROVIDER},
    {TOPIC("addTopic", "#"), OF_FILTER},
    {TOPIC("addTopic", "+/x"), OF_FILTER},
    {TOPIC("addTopic", "$SYS/broker/certid/#"), OF_FILTER},
    {TOPIC("addTopic", "$share/g/acme/x"), OF_FILTER},
    {TOPIC("addTopic", "/acme/x"), OF_FILTER},
    {TOPIC("addTopic", "acme2/x"), OF_FILTER},
    {TOPIC("addTopic", "acm/x"), OF_FILTER},
    {TOPIC("addTopic", "ACME/x"), OF_FILTER},
    {TOPIC("addTopic", "{org}x/y"), OF_FILTER},
    {TOPIC("addTopic", "{id}/y"), OF_FILTER},
    {TOPIC("addTopic", "default/#"), OF_FILTER},
    {TOPIC("addTopic", "{class}/{type}/{id}/x"), OF_FILTER},
    {TOPIC("addTopic", ""), OF_FILTER},
    {TOPIC("removeTopic", "{class}/{type}/{id}/#"), OF_FILTER},
};

static void
keeps_admins_to_their_org(void **state)
{
	int64_t before = fixture_mark();
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(not_theirs) / sizeof(not_theirs[0]); i++) {
		answer = run_one("acme", not_theirs[i].members);
		must_hold(answer, not_theirs[i].says, not_theirs[i].members);
		must_hold(answer, "\"code\":1", not_theirs[i].members);
		free(answer);
	}
	assert_int_equal(fixture_mark(), before);
	answer = run_one("acme", "\"command\":\"getStatus\"");
	must_hold(answer, "\"org\":\"acme\"", "getStatus");
	assert_null(strstr(answer, "\"org\":\"default\""));
	free(answer);
	answer = run_one("acme",
	    "\"command\":\"addDevice\",\"identity\":\"d:a:1\",\"org\":"
	    "\"acme\"");
	must_hold(answer, "\"data\":{\"identity\":\"d:a:1\"", "addDevice");
	free(answer);
	answer = run_one("acme", "\"command\":\"listDevices\"");
	must_hold(answer, "d:a:1", "listDevices");
	free(answer);
	answer = run_one(ORG_DEFAULT, "\"command\":\"listDevices\"");
	assert_null(strstr(answer, "d:a:1"));
	free(answer);
	answer = run_one(
	    ORG_DEFAULT, "\"command\":\"listDevices\",\"org\":\"acme\"");
	must_hold(answer, "d:a:1", "listDevices");
	free(answer);
}

/* What is within the org is the admin's to decide. */
static void
lets_admins_of_an_org_work_on_it(void **state)
{
	static const char *const theirs[] = {TOPIC("addTopic", "{org}/x/#"),
	    TOPIC("addTopic", "acme"), TOPIC("removeTopic", "{org}/x/#"),
	    TOPIC("removeTopic", "acme"), "\"command\":\"listSettings\"",
	    "\"command\":\"listTopics\"", "\"command\":\"listHooks\"",
	    "\"command\":\"setSetting\",\"key\":\"enrol\",\"value\":\"auto\""};
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
		answer = run_one("acme", theirs[i]);
		must_hold(answer, "\"data\":", theirs[i]);
		assert_null(strstr(answer, "\"error\""));
		free(answer);
	}
}

static void
tells_tenants_nothing_of_the_machine(void **state)
{
	const struct admin lost = {
	    .registry = "/nonexistent/x.db", .org = "acme", .name = "alice"};
	const char *message = "{\"commands\":[{\"command\":\"getStatus\"}]}";
	char *answer;

	(void)state;
	answer = run_one("acme", "\"command\":\"getStatus\"");
	assert_null(strstr(answer, path));
	assert_null(strstr(answer, "\"orgs\""));
	assert_null(strstr(answer, "default"));
	free(answer);
	answer =
	    run_one("acme", "\"command\":\"getStatus\",\"format\":\"text\"");
	must_hold(answer, "\"text\":\"registry, schema ", "getStatus");
	assert_null(strstr(answer, path));
	assert_null(strstr(answer, "default"));
	free(answer);
	answer = execute(&lost, message, strlen(message));
	must_hold(answer, "the registry: ", message);
	assert_null(strstr(answer, "nonexistent"));
	free(answer);
	/* Of the org default they may know. */
	answer = run_one(ORG_DEFAULT, "\"command\":\"getStatus\"");
	must_hold(answer, path, "getStatus");
	must_hold(answer, "\"orgs\":2", "getStatus");
	free(answer);
}

static char *
run_admin(const struct admin *admin, const char *message)
{
	char *answer = execute(admin, message, strlen(message));

	assert_non_null(answer);
	return answer;
}

#define ADD(id) "{\"command\":\"addDevice\",\"identity\":\"" id "\"}"

/* Who is none any more, or never was, reads and does nothing. */
static void
a_right_that_is_gone_ends_the_message(void **state)
{
	static const struct {
		const char *name, *command, *says;
	} ends[] = {
	    {"carol", "{\"command\":\"removeAdmin\",\"name\":\"carol\"}",
	        "carol is no admin of the org default any more"},
	    {"d:ops:2", "{\"command\":\"removeAdmin\",\"name\":\"d:ops:2\"}",
	        "d:ops:2 is no admin of the org default any more"},
	    {"d:ops:2", "{\"command\":\"lockDevice\",\"identity\":\"d:ops:2\"}",
	        "the device d:ops:2 is locked"},
	    {"d:ops:2",
	        "{\"command\":\"removeDevice\",\"identity\":\"d:ops:2\"}",
	        "there is no device d:ops:2 in the org default any more"},
	};
	struct admin admin = {.registry = path, .org = ORG_DEFAULT};
	char message[400], *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(message, sizeof(message),
		    "{\"commands\":[{\"command\":\"addAdmin\",\"name\":\"%s\"},"
		    "{\"command\":\"addDevice\",\"identity\":\"d:ops:2\"},"
		    "{\"command\":\"unlockDevice\",\"identity\":\"d:ops:2\"}]}",
		    ends[i].name);
		free(run_as(ORG_DEFAULT, message));
		(void)snprintf(message, sizeof(message),
		    "{\"commands\":[%s," ADD(
		        "d:gone:1") ",{\"command\":\"listDevices\",\"org\":\""
		                    "nope\",\"correlationData\":\"last\"}]}",
		    ends[i].command);
		admin.name = ends[i].name;
		answer = run_admin(&admin, message);
		must_hold(answer, "\"data\":", message);
		must_hold(answer,
		    "\"command\":\"addDevice\",\"error\":\"not run: ", message);
		must_hold(answer, ends[i].says, message);
		/* Not even whether there is an org. */
		assert_null(strstr(answer, "there is no org"));
		must_hold(answer, "\"code\":1,\"correlationData\":\"last\"}]}",
		    message);
		assert_int_equal(count_responses(answer), 3);
		free(answer);
		answer = run_one(ORG_DEFAULT,
		    "\"command\":\"showDevice\",\"identity\":\"d:gone:1\"");
		must_hold(answer, "\"code\":4", "d:gone:1");
		free(answer);
	}
}

static void
who_is_no_admin_does_nothing(void **state)
{
	static const struct {
		const char *org, *name;
	} nobody[] = {{ORG_DEFAULT, "mallory"}, {ORG_DEFAULT, "ALICE"},
	    {ORG_DEFAULT, ""}, {"acme", "d:ops:1"}, {"nope", "alice"},
	    {ORG_DEFAULT, "d:ops:1"}};
	struct admin admin = {.registry = path};
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		int64_t before = fixture_mark();

		admin.org = nobody[i].org;
		admin.name = nobody[i].name;
		answer =
		    run_admin(&admin, "{\"commands\":[" ADD("d:no:1") "]}");
		must_hold(answer, "not run: ", admin.name);
		free(answer);
		assert_int_equal(fixture_mark(), before);
	}
	/* The row of one that came a moment ago may be under way. */
	admin.is_new = true;
	answer = run_admin(&admin, "{\"commands\":[" ADD("d:yes:1") "]}");
	must_hold(answer, "\"data\":{\"identity\":\"d:yes:1\"", "is_new");
	free(answer);
	admin.name = "mallory";
	answer = run_admin(&admin, "{\"commands\":[" ADD("d:yes:2") "]}");
	must_hold(answer, "not run: ", "mallory");
	free(answer);
}

static void
begins_nothing_where_the_broker_ends(void **state)
{
	atomic_bool stopping = true;
	struct admin admin = {.registry = path,
	    .org = ORG_DEFAULT,
	    .name = "alice",
	    .stopping = &stopping};
	int64_t before = fixture_mark();
	char *answer = run_admin(
	    &admin, "{\"commands\":[" ADD("d:end:1") "," ADD("d:end:2") "]}");

	(void)state;
	must_hold(answer, "not run: the broker ends", "stopping");
	assert_int_equal(count_responses(answer), 2);
	assert_int_equal(fixture_mark(), before);
	free(answer);
}

/* Waits no longer than others can wait for it. */
static void
waits_a_second_for_another_writer(void **state)
{
	struct registry_options options = {
	    .path = path, .mode = REGISTRY_WRITE, .busy_ms = 1000};
	struct registry *other = NULL;
	struct diag why = {""};
	int64_t start;
	char *answer;

	(void)state;
	assert_int_equal(registry_open(&options, &other, &why), RES_OK);
	assert_int_equal(registry_begin(other, &why), RES_OK);
	start = clock_monotonic_ms();
	answer = run_as(ORG_DEFAULT, "{\"commands\":[" ADD("d:busy:1") "]}");
	assert_true(clock_monotonic_ms() - start < BUSY_MS - 500);
	must_hold(answer, "somebody else is writing to it: try again", "busy");
	must_hold(answer, "\"code\":3", "busy");
	free(answer);
	registry_rollback(other);
	registry_close(other);
}

/* A device with so many bytes about it. */
static void
add_info(const char *identity, size_t len, const char *command)
{
	char *members = malloc(len + 256), *answer;
	size_t used;

	assert_non_null(members);
	used = (size_t)sprintf(members,
	    "\"command\":\"%s\",\"identity\":\"%s\",\"info\":"
	    "\"{\\\"a\\\":\\\"",
	    command, identity);
	memset(members + used, 'x', len);
	(void)sprintf(members + used + len, "\\\"}\"");
	answer = run_one(ORG_DEFAULT, members);
	must_hold(answer, "\"data\"", identity);
	free(answer);
	free(members);
}

/* No more than there is room for may be asked to be kept. */
static void
bounds_what_comes_back(void **state)
{
	char *list = malloc(64 * 80), name[16], *answer, *at;
	size_t i;

	(void)state;
	assert_non_null(list);
	for (i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "d:big:%zu", i);
		add_info(name, 60000, "addDevice");
	}
	/* 13 lists of 5 * 60,000 bytes are just below 4 MiB; 14, above. */
	at = list + sprintf(list, "{\"commands\":[");
	for (i = 0; i < 64; i++) {
		at += sprintf(at,
		    "%s{\"command\":\"listDevices\",\"type\":\"d:big\"}",
		    i == 0 ? "" : ",");
	}
	(void)sprintf(at, "]}");
	answer = run_as(ORG_DEFAULT, list);
	must_hold(answer, "the answer was dropped", "64 long lists");
	must_hold(answer, "not run: the answers of this message are too long",
	    "64 lists");
	assert_int_equal(count_responses(answer), 64);
	assert_true(strlen(answer) < EXECUTE_ANSWER_MAX + 64 * 300);
	free(answer);
	free(list);
}

/* The bytes that an export of the type costs. */
static size_t
cost_of(const char *type)
{
	struct json_value *root = NULL;
	char members[80], *answer;
	size_t len;

	(void)snprintf(members, sizeof(members),
	    "\"command\":\"exportDevices\",\"type\":\"%s\"", type);
	answer = run_one(ORG_DEFAULT, members);
	assert_int_equal(json_value_read(answer, &root, NULL), RES_OK);
	len = strlen(json_value_text(json_value_member(
	    json_value_first(json_value_member(root, "responses")), "text")));
	json_value_free(root);
	free(answer);
	return len;
}

/* A message that leaves so much room, and ends in this command. */
static char *
fill(size_t room, const char *command)
{
	char *message = malloc(strlen(command) + 64 * 80), *at = message;
	size_t each, rest, n;

	assert_non_null(message);
	add_info("d:rest:1", 1, "setDevice");
	each = cost_of("d:fill");
	rest = cost_of("d:rest");
	n = (EXECUTE_ANSWER_MAX - room - rest) / each;
	add_info("d:rest:1", 1 + EXECUTE_ANSWER_MAX - room - rest - n * each,
	    "setDevice");
	assert_int_equal(
	    cost_of("d:rest") + n * each + room, EXECUTE_ANSWER_MAX);
	assert_true(n < 60);
	at += sprintf(at,
	    "{\"commands\":["
	    "{\"command\":\"exportDevices\",\"type\":\"d:rest\"}");
	for (; n > 0; n--) {
		at += sprintf(
		    at, ",{\"command\":\"exportDevices\",\"type\":\"d:fill\"}");
	}
	(void)sprintf(at, ",%s]}", command);
	return message;
}

/* What was done is told, even where there is no room for its output. */
static void
what_was_done_is_no_failure(void **state)
{
	char *command = malloc(70000), *message, *answer;
	size_t used;

	(void)state;
	assert_non_null(command);
	add_info("d:fill:1", 50000, "addDevice");
	add_info("d:fill:2", 50000, "addDevice");
	add_info("d:rest:1", 1, "addDevice");
	used = (size_t)sprintf(command,
	    "{\"command\":\"setDevice\",\"identity\":\"d:rest:1\",\"tag\":"
	    "\"done=yes\",\"info\":\"{\\\"a\\\":\\\"");
	memset(command + used, 'y', 65500);
	(void)sprintf(command + used + 65500, "\\\"}\"}");
	message = fill(EXECUTE_ANSWER_MIN, command);
	answer = run_as(ORG_DEFAULT, message);
	must_hold(answer,
	    "{\"command\":\"setDevice\",\"warnings\":[\"it was run; its output "
	    "was too long and is left out\"]}]}",
	    "setDevice");
	assert_null(strstr(answer, "\"error\""));
	free(answer);
	free(message);
	answer = run_one(ORG_DEFAULT,
	    "\"command\":\"showDevice\",\"identity\":\"d:rest:1\"");
	must_hold(answer, "yyyy", "it was run");
	free(answer);
	free(command);
}

/* Nobody would ever see the token. */
static void
without_room_nothing_is_begun(void **state)
{
	const char *token =
	    "{\"command\":\"tokenDevice\",\"identity\":\"d:rest:1\"}";
	char *message = fill(EXECUTE_ANSWER_MIN - 1, token), *answer;

	(void)state;
	answer = run_as(ORG_DEFAULT, message);
	must_hold(answer,
	    "{\"command\":\"tokenDevice\",\"error\":\"not run: the answers of "
	    "this message are too long\",\"code\":1}]}",
	    "tokenDevice");
	free(answer);
	free(message);
	answer = run_one(ORG_DEFAULT,
	    "\"command\":\"listEvents\",\"kind\":\"token-issued\"");
	assert_null(strstr(answer, "d:rest:1"));
	free(answer);
	message = fill(EXECUTE_ANSWER_MIN, token);
	answer = run_as(ORG_DEFAULT, message);
	must_hold(answer, "\"token\":\"", "tokenDevice");
	free(answer);
	free(message);
}

static void
an_export_that_is_too_large_says_how(void **state)
{
	const char *export =
	    "{\"command\":\"exportDevices\",\"type\":\"d:big\"}";
	char *message = fill(EXECUTE_ANSWER_MIN, export);
	char *answer = run_as(ORG_DEFAULT, message);

	(void)state;
	must_hold(answer,
	    "export them in parts, with --type or --state, or all on the "
	    "machine of the broker",
	    message);
	free(answer);
	free(message);
}

/* So much is said of bad rows that not all can be kept. */
static void
an_import_that_counts_is_told_so(void **state)
{
	static const struct {
		const char *members, *gives, *says;
	} how[] = {{"", "\"data\":{\"imported\":1,\"bad\":100000", "\"more\":"},
	    {"\"format\":\"text\",", "\"text\":\"imported 1 device",
	        "lines are left out here"}};
	char *members = malloc(1 << 20), *at, *answer;
	size_t i, n;

	(void)state;
	assert_non_null(members);
	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		at = members +
		    sprintf(members,
		        "%s\"command\":\"importDevices\",\"skipBad\":true,"
		        "\"file\":\"ID\\nd:bad:%zu\\n",
		        how[i].members, i);
		for (n = 0; n < 100000; n++) {
			at += sprintf(at, "x\\n");
		}
		(void)sprintf(at, "\"");
		answer = run_one(ORG_DEFAULT, members);
		must_hold(answer, how[i].gives, "importDevices");
		assert_null(strstr(answer, "\"code\":1"));
		must_hold(answer, how[i].says, "importDevices");
		assert_true(strlen(answer) < 1 << 18);
		free(answer);
	}
	free(members);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_admins_to_their_org),
	    cmocka_unit_test(lets_admins_of_an_org_work_on_it),
	    cmocka_unit_test(tells_tenants_nothing_of_the_machine),
	    cmocka_unit_test(a_right_that_is_gone_ends_the_message),
	    cmocka_unit_test(who_is_no_admin_does_nothing),
	    cmocka_unit_test(begins_nothing_where_the_broker_ends),
	    cmocka_unit_test(waits_a_second_for_another_writer),
	    cmocka_unit_test(bounds_what_comes_back),
	    cmocka_unit_test(what_was_done_is_no_failure),
	    cmocka_unit_test(without_room_nothing_is_begun),
	    cmocka_unit_test(an_export_that_is_too_large_says_how),
	    cmocka_unit_test(an_import_that_counts_is_told_so),
	};

	return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
