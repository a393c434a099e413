/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "policy/client_template.h"

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct identity meter = {{'d', "meter"}, "0001"};

static const struct {
	const char *text, *client_id;
	bool any_suffix;
} good[] = {
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:0001", false},
    {"{class}:{org}:{type}:{id}", "d:plant:meter:0001", false},
    {"{class}:{type}:{id}*", "d:meter:0001", true},
    {"{class}{type}:{id}", "dmeter:0001", false},
    {"{id}:{class}:{type}", "0001:d:meter", false},
    {"{type}{class}:x{id}", "meterd:x0001", false},
    {"{type}-{org}:{id}.{class}", "meter-plant:0001.d", false},
    {"mqtt {class} {type} {id}", "mqtt d meter 0001", false},
    {"{class}:{type}:{id}@*", "d:meter:0001@", true},
    {"gr\xc3\xbc\xc3\x9f:{class}:{type}:{id}",
        "gr\xc3\xbc\xc3\x9f:d:meter:0001", false},
};

static void
templates_are_filled_in(void **state)
{
	struct client_template template;
	char client_id[CLIENT_ID_MAX + 1];
	struct diag why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (client_template_parse(good[i].text, &template, &why) !=
		    RES_OK) {
			fail_msg("%s: %s", good[i].text, why.text);
		}
		assert_int_equal(template.any_suffix, good[i].any_suffix);
		assert_true(client_template_render(
		    &template, "plant", &meter, client_id));
		assert_string_equal(client_id, good[i].client_id);
		assert_true(client_template_admits(
		    &template, "plant", &meter, client_id));
	}
}

static const struct {
	const char *text;
	enum res want;
	const char *says;
} bad[] = {
    {"", RES_SYNTAX, "{class}"},
    {"*", RES_SYNTAX, "{class}"},
    {"device", RES_SYNTAX, "{class}"},
    {"{class}:{type}", RES_SYNTAX, "{id}"},
    {"{class}:{id}", RES_SYNTAX, "{type}"},
    {"{type}:{id}", RES_SYNTAX, "{class}"},
    {"{class}:{type}{id}", RES_SYNTAX, "':'"},
    {"{class}:{id}{type}", RES_SYNTAX, "':'"},
    {"{class}:{type}-{id}", RES_SYNTAX, "':'"},
    {"{class}:{type}.{id}", RES_SYNTAX, "':'"},
    {"{class}:{type}_x0{id}", RES_SYNTAX, "':'"},
    {"{type}{class}{id}", RES_SYNTAX, "':'"},
    {"{class}:{type}{org}{id}", RES_SYNTAX, "':'"},
    {"{class}:{type}:{id}:{id}", RES_SYNTAX, "twice"},
    {"{class}:{type}:{type}:{id}", RES_SYNTAX, "twice"},
    {"{class}:{class}:{type}:{id}", RES_SYNTAX, "twice"},
    {"{org}:{org}:{class}:{type}:{id}", RES_SYNTAX, "twice"},
    {"{class}:{type}:{id}:{name}", RES_SYNTAX, "\"{name}\""},
    {"{class}:{type}:{ID}", RES_SYNTAX, "\"{ID}\""},
    {"{class}:{type}:{ id }", RES_SYNTAX, "\"{ id }\""},
    {"{class}:{type}:{id", RES_SYNTAX, "\"{id"},
    {"{class}:{type}:{id}}", RES_SYNTAX, "\"}\""},
    {"{class}:{type}:{{id}}", RES_SYNTAX, "\"{{id}\""},
    {"{class}:{type}:*{id}", RES_SYNTAX, "end"},
    {"{class}:{type}:{id}**", RES_SYNTAX, "end"},
    {"{class}:{type}:{id}* ", RES_SYNTAX, "end"},
    {"{class}/{type}:{id}", RES_SYNTAX, "'/'"},
    {"{class}:{type}:{id}+", RES_SYNTAX, "'+'"},
    {"{class}:{type}:{id}#", RES_SYNTAX, "'#'"},
    {"{class}:{type}:{id}\n", RES_SYNTAX, "control"},
    {"{class}:{type}:{id}\x7f", RES_SYNTAX, "control"},
    {"{class}:{type}:{id}\xff", RES_SYNTAX, "UTF-8"},
    {"{class}:{type}:{id}" X32 X32 X32 X32, RES_LIMIT, "128"},
};

static void
bad_templates_are_refused(void **state)
{
	struct client_template template, before;
	struct diag why;
	size_t i;

	(void)state;
	memset(&before, 'z', sizeof(before));
	template = before;
	for (i = 0; i < COUNT(bad); i++) {
		why.text[0] = '\0';
		if (client_template_parse(bad[i].text, &template, &why) !=
		    bad[i].want) {
			fail_msg("%s", bad[i].text);
		}
		if (strstr(why.text, bad[i].says) == NULL) {
			fail_msg("%s: %s", bad[i].text, why.text);
		}
		assert_memory_equal(&template, &before, sizeof(before));
	}
}

static const struct {
	const char *text, *client_id;
	bool want;
} ids[] = {
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:0001", true},
    {CLIENT_TEMPLATE_DEFAULT, NULL, false},
    {CLIENT_TEMPLATE_DEFAULT, "", false},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:000", false},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:0002", false},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:00011", false},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:0001*", false},
    {CLIENT_TEMPLATE_DEFAULT, "D:meter:0001", false},
    {CLIENT_TEMPLATE_DEFAULT, "g:meter:0001", false},
    {CLIENT_TEMPLATE_DEFAULT, " d:meter:0001", false},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:0001 ", false},
    {CLIENT_TEMPLATE_DEFAULT, "{class}:{type}:{id}", false},
    {"{class}:{type}:{id}*", "d:meter:0001", true},
    {"{class}:{type}:{id}*", "d:meter:0001-app", true},
    {"{class}:{type}:{id}*", "d:meter:00012", true},
    {"{class}:{type}:{id}*", "d:meter:000", false},
    {"{class}:{type}:{id}*", "d:meter:1001", false},
    {"{class}:{type}:{id}*", "", false},
    {"{class}:{type}:{id}*", "d:meter:0001/a", false},
    {"{class}:{type}:{id}*", "d:meter:0001+", false},
    {"{class}:{type}:{id}*", "d:meter:0001#", false},
    {"{class}:{type}:{id}@*", "d:meter:0001@2", true},
    {"{class}:{type}:{id}@*", "d:meter:0001", false},
    {"{class}:{type}:{id}@*", "d:meter:00012@", false},
    {"{class}:{org}:{type}:{id}", "d:plant:meter:0001", true},
    {"{class}:{org}:{type}:{id}", "d:other:meter:0001", false},
    {"{class}:{org}:{type}:{id}", "d:meter:0001", false},
};

static void
client_ids_are_admitted_or_not(void **state)
{
	struct client_template template;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ids); i++) {
		assert_int_equal(
		    client_template_parse(ids[i].text, &template, NULL),
		    RES_OK);
		if (client_template_admits(&template, "plant", &meter,
		        ids[i].client_id) != ids[i].want) {
			fail_msg("%s: %s", ids[i].text, ids[i].client_id);
		}
	}
}

static void
a_template_that_was_never_parsed_admits_nobody(void **state)
{
	const struct client_template zero = {0}, open = {.any_suffix = true};
	char client_id[CLIENT_ID_MAX + 1] = "old";

	(void)state;
	assert_false(client_template_render(&zero, "plant", &meter, client_id));
	assert_string_equal(client_id, "");
	assert_false(client_template_admits(&zero, "plant", &meter, ""));
	assert_false(
	    client_template_admits(&open, "plant", &meter, "d:meter:0001"));
}

static void
a_client_id_that_does_not_fit_is_none(void **state)
{
	char org[CLIENT_ID_MAX + 1], client_id[CLIENT_ID_MAX + 1];
	const size_t rest = strlen("d::meter:0001");
	struct client_template template;

	(void)state;
	assert_int_equal(
	    client_template_parse("{class}:{org}:{type}:{id}", &template, NULL),
	    RES_OK);
	memset(org, 'o', sizeof(org));
	org[CLIENT_ID_MAX - rest] = '\0';
	assert_true(client_template_render(&template, org, &meter, client_id));
	assert_int_equal(strlen(client_id), CLIENT_ID_MAX);
	org[CLIENT_ID_MAX - rest] = 'o';
	org[CLIENT_ID_MAX - rest + 1] = '\0';
	assert_false(client_template_render(&template, org, &meter, client_id));
	assert_string_equal(client_id, "");
	assert_false(client_template_admits(&template, org, &meter, client_id));
}

/* Under every template that is taken, identities that are built to run into
 * each other keep client ids of their own. */
static void
no_two_identities_share_a_client_id(void **state)
{
	static const char *const types[] = {"a", "b", "d", "g", "aa", "a-a",
	    "a.d", "-", "x", "ax", "plant", "a-plant", "dd"};
	static const char *const names[] = {"a", "b", "d", "a:a", ":a",
	    "a:", "a-a", "-", "a:d", "d:a", "x", "xa", ":", "x:", "a:x"};
	static char seen[2 * COUNT(types) * COUNT(names)][CLIENT_ID_MAX + 1];
	struct client_template template;
	struct identity who = {0};
	size_t i, j, t, n, count;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(
		    client_template_parse(good[i].text, &template, NULL),
		    RES_OK);
		count = 0;
		for (j = 0; j < 2 * COUNT(types) * COUNT(names); j++) {
			t = j / 2 % COUNT(types);
			n = j / 2 / COUNT(types);
			who.type.class = j % 2 == 0 ? 'd' : 'g';
			memcpy(who.type.name, types[t], strlen(types[t]) + 1);
			memcpy(who.id, names[n], strlen(names[n]) + 1);
			assert_true(client_template_render(
			    &template, "plant", &who, seen[count]));
			count++;
		}
		for (j = 1; j < count; j++) {
			for (t = 0; t < j; t++) {
				if (strcmp(seen[j], seen[t]) == 0) {
					fail_msg("%s: \"%s\"", good[i].text,
					    seen[j]);
				}
			}
		}
	}
}

/* Each identity is read from its own client id, under every template. */
static void
client_ids_are_read_back(void **state)
{
	static const char *const types[] = {"a", "d", "g", "a-a", "x", "plant",
	    "meter", "-", ".", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const names[] = {"a", ":", "a:a", "d:a:x", "0001",
	    "-", "plant", "00:1b:44:11:3a:b7",
	    "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
	    "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"};
	struct client_template template;
	char client_id[CLIENT_ID_MAX + 1];
	struct identity who, read;
	size_t i, j, t, n;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(
		    client_template_parse(good[i].text, &template, NULL),
		    RES_OK);
		for (j = 0; j < 2 * COUNT(types) * COUNT(names); j++) {
			t = j / 2 % COUNT(types);
			n = j / 2 / COUNT(types);
			memset(&who, 0, sizeof(who));
			who.type.class = j % 2 == 0 ? 'd' : 'g';
			(void)stpcpy(who.type.name, types[t]);
			(void)stpcpy(who.id, names[n]);
			assert_true(client_template_render(
			    &template, "plant", &who, client_id));
			memset(&read, 'z', sizeof(read));
			if (!client_template_read(
			        &template, "plant", client_id, &read) ||
			    !identity_equal(&read, &who)) {
				fail_msg("%s: %s", good[i].text, client_id);
			}
		}
	}
}

#define I64                                                                    \
	"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"                                     \
	"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
#define T36 "tttttttttttttttttttttttttttttttttttt"

static const struct {
	const char *text, *client_id;
} nobodys[] = {
    {CLIENT_TEMPLATE_DEFAULT, ""},
    {CLIENT_TEMPLATE_DEFAULT, "d"},
    {CLIENT_TEMPLATE_DEFAULT, "d::"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:"},
    {CLIENT_TEMPLATE_DEFAULT, "d::1"},
    {CLIENT_TEMPLATE_DEFAULT, ":meter:1"},
    {CLIENT_TEMPLATE_DEFAULT, "x:meter:1"},
    {CLIENT_TEMPLATE_DEFAULT, "D:meter:1"},
    {CLIENT_TEMPLATE_DEFAULT, "d:me ter:1"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:1 "},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:1\n"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:1/#"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:\xc3\xbc"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter/1"},
    {CLIENT_TEMPLATE_DEFAULT, "{class}:{type}:{id}"},
    {CLIENT_TEMPLATE_DEFAULT, "d:" T36 "t:1"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:" I64 "i"},
    {CLIENT_TEMPLATE_DEFAULT, "d:meter:" I64 I64 I64 I64 I64 I64 I64 I64},
    {"{class}:{org}:{type}:{id}", "d:meter:1"},
    {"{class}:{org}:{type}:{id}", "d:plan:meter:1"},
    {"{class}:{org}:{type}:{id}", "d:Plant:meter:1"},
    {"{class}:{org}:{type}:{id}", "d:plant:meter:"},
    {"{class}:{org}:{type}:{id}", "d:plant:meter1"},
    {"{class}:{type}:{id}@*", "d:meter:1"},
    {"{class}:{type}:{id}@*", "d:meter:1@x"},
    {"{id}:{class}:{type}", "d:meter:1"},
    {"{id}:{class}:{type}", "1:d:meter:x"},
    {"{id}:{class}:{type}", "1:d:"},
    {"{id}:{class}:{type}", ":d:meter"},
    {"x{class}{type}:{id}", "dmeter:1"},
    {"x{class}{type}:{id}", "xd:1"},
};

static void
nobodys_client_ids_are_nobodys(void **state)
{
	static const struct identity nobody;
	const struct client_template zero = {0}, open = {.any_suffix = true};
	struct client_template template;
	struct identity read;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(nobodys); i++) {
		assert_int_equal(
		    client_template_parse(nobodys[i].text, &template, NULL),
		    RES_OK);
		memset(&read, 'z', sizeof(read));
		if (client_template_read(
		        &template, "plant", nobodys[i].client_id, &read)) {
			fail_msg(
			    "%s: %s", nobodys[i].text, nobodys[i].client_id);
		}
		assert_memory_equal(&read, &nobody, sizeof(read));
	}
	assert_false(client_template_read(&zero, "plant", "d:meter:1", &read));
	assert_false(client_template_read(&zero, "plant", "", &read));
	assert_false(client_template_read(&open, "plant", "d:meter:1", &read));
}

/* Whatever a client calls itself, what is read leads back to it. */
static void
what_is_read_leads_back(void **state)
{
	static const char bytes[] = "dg:am-@ p";
	char client_id[16], right[CLIENT_ID_MAX + 1];
	struct client_template template;
	struct identity read;
	unsigned seed = 7, found = 0;
	size_t i, j, len;
	int round;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_int_equal(
		    client_template_parse(good[i].text, &template, NULL),
		    RES_OK);
		for (round = 0; round < 20000; round++) {
			seed = seed * 1103515245 + 12345;
			len = seed / 65536 % (sizeof(client_id) - 1);
			for (j = 0; j < len; j++) {
				seed = seed * 1103515245 + 12345;
				client_id[j] =
				    bytes[seed / 65536 % (sizeof(bytes) - 1)];
			}
			client_id[len] = '\0';
			if (!client_template_read(
			        &template, "p", client_id, &read)) {
				continue;
			}
			found++;
			assert_true(client_template_render(
			    &template, "p", &read, right));
			assert_string_equal(right, client_id);
			assert_true(client_template_admits(
			    &template, "p", &read, client_id));
		}
	}
	assert_true(found > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(templates_are_filled_in),
	    cmocka_unit_test(bad_templates_are_refused),
	    cmocka_unit_test(client_ids_are_admitted_or_not),
	    cmocka_unit_test(a_template_that_was_never_parsed_admits_nobody),
	    cmocka_unit_test(a_client_id_that_does_not_fit_is_none),
	    cmocka_unit_test(no_two_identities_share_a_client_id),
	    cmocka_unit_test(client_ids_are_read_back),
	    cmocka_unit_test(nobodys_client_ids_are_nobodys),
	    cmocka_unit_test(what_is_read_leads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
