/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* The words for events. */
#include "registry/event.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"

static const struct {
	const char *word;
	bool is_kind;
} words[] = {
    {"device-provisioned", true},
    {"device-attached", true},
    {"device-allowed", true},
    {"device-changed", true},
    {"token-changed", true},
    {"import", true},
    {"", false},
    {"device", false},
    {"device-provisione", false},
    {"device-provisioned ", false},
    {"Device-Provisioned", false},
    {"#", false},
};

static void
kinds_are_known(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		print_message("%s\n", words[i].word);
		assert_int_equal(
		    event_is_kind(words[i].word), words[i].is_kind);
	}
}

/* Each can be a level of a topic, and fits into its column. */
static void
kinds_are_plain_words(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; event_kinds[i] != NULL; i++) {
		assert_true(text_is_name(event_kinds[i]));
		assert_true(strlen(event_kinds[i]) <= WORD_MAX);
	}
}

static void
an_event_is_a_document(void **state)
{
	char subject[] = "d:m:1", detail[] = "";
	const struct event event = {.seq = INT64_MAX,
	    .org = "acme",
	    .time = 0,
	    .actor = "broker",
	    .kind = "device-locked",
	    .subject = subject,
	    .detail = detail};
	struct json *json = event_json(&event);
	char *text = json_print(json);

	(void)state;
	assert_non_null(text);
	assert_string_equal(text,
	    "{\"seq\":9223372036854775807,\"time\":\"1970-01-01T00:00:00Z\","
	    "\"org\":\"acme\",\"actor\":\"broker\",\"kind\":\"device-locked\","
	    "\"subject\":\"d:m:1\",\"detail\":null}");
	free(text);
	json_free(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kinds_are_known),
	    cmocka_unit_test(kinds_are_plain_words),
	    cmocka_unit_test(an_event_is_a_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
