/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* Metrics of several sources become one text; what is none is refused. */
#include "manage/exposition.h"

#include <stdlib.h>

#include "test/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define COUNTER "# HELP a_total How many.\n# TYPE a_total counter\n"
#define GAUGE   "# HELP g What.\n# TYPE g gauge\n"
#define TIMES   "# HELP t Time.\n# TYPE t histogram\n"

static char *
print(const struct exposition *exposition)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	assert_int_equal(exposition_write(exposition, to), RES_OK);
	assert_int_equal(fclose(to), 0);
	return text;
}

static const struct {
	const char *name;
	const char *text; /* of one source */
	enum res want;
} sources[] = {
    {"nothing", "", RES_OK},
    {"a counter", COUNTER "a_total{broker=\"x\"} 5\n", RES_OK},
    {"no labels", COUNTER "a_total 5\n", RES_OK},
    {"no samples", COUNTER, RES_OK},
    {"no line end", COUNTER "a_total 5", RES_OK},
    {"two labels", COUNTER "a_total{a=\"1\",b=\"2\"} 5\n", RES_OK},
    {"an empty label", COUNTER "a_total{a=\"\"} 5\n", RES_OK},
    {"a decimal", GAUGE "g -1.25\n", RES_OK},
    {"escapes", GAUGE "g{a=\"x\\\\y\\\"z\\n\"} 1\n", RES_OK},
    {"a histogram", TIMES "t_bucket{le=\"+Inf\"} 1\nt_sum 0.5\nt_count 1\n",
        RES_OK},
    {"two families", COUNTER "a_total 5\n" GAUGE "g 1\n", RES_OK},

    {"no type", "a_total 5\n", RES_SYNTAX},
    {"help alone", "# HELP a_total How many.\na_total 5\n", RES_SYNTAX},
    {"another family", COUNTER "b_total 5\n", RES_SYNTAX},
    {"a longer name", COUNTER "a_total_more 5\n", RES_SYNTAX},
    {"a bucket of a counter", COUNTER "a_total_bucket 5\n", RES_SYNTAX},
    {"a histogram itself", TIMES "t 5\n", RES_SYNTAX},
    {"a histogram's other end", TIMES "t_mean 5\n", RES_SYNTAX},
    {"an unknown type", "# TYPE a summary\n", RES_SYNTAX},
    {"two types", COUNTER "# TYPE a_total gauge\n", RES_SYNTAX},
    {"no name", "# TYPE  counter\n", RES_SYNTAX},
    {"a comment", "# by hand\n", RES_SYNTAX},
    {"an empty line", COUNTER "\na_total 5\n", RES_SYNTAX},
    {"no value", COUNTER "a_total\n", RES_SYNTAX},
    {"an empty value", COUNTER "a_total \n", RES_SYNTAX},
    {"a word", COUNTER "a_total many\n", RES_SYNTAX},
    {"no number", COUNTER "a_total NaN\n", RES_SYNTAX},
    {"no end", COUNTER "a_total +Inf\n", RES_SYNTAX},
    {"a leading zero", COUNTER "a_total 05\n", RES_SYNTAX},
    {"a point alone", COUNTER "a_total 5.\n", RES_SYNTAX},
    {"a time stamp", COUNTER "a_total 5 1000\n", RES_SYNTAX},
    {"two blanks", COUNTER "a_total  5\n", RES_SYNTAX},
    {"a carriage return", COUNTER "a_total 5\r\n", RES_SYNTAX},
    {"labels that do not end", COUNTER "a_total{a=\"1\" 5\n", RES_SYNTAX},
    {"a label without quotes", COUNTER "a_total{a=1} 5\n", RES_SYNTAX},
    {"a label without value", COUNTER "a_total{a} 5\n", RES_SYNTAX},
    {"a label without name", COUNTER "a_total{=\"1\"} 5\n", RES_SYNTAX},
    {"a digit first", COUNTER "a_total{1=\"1\"} 5\n", RES_SYNTAX},
    {"a value that does not end", COUNTER "a_total{a=\"1} 5\n", RES_SYNTAX},
    {"an escape at the end", COUNTER "a_total{a=\"\\", RES_SYNTAX},
    {"an unknown escape", COUNTER "a_total{a=\"\\t\"} 5\n", RES_SYNTAX},
    {"a long number",
        COUNTER "a_total 1234567890123456789012345678901234567890"
                "123456789012345678901234\n",
        RES_SYNTAX},
};

static void
what_is_read_is_printed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sources); i++) {
		struct exposition *exposition = exposition_new();
		struct diag why = {""};
		enum res r;

		print_message("%s\n", sources[i].name);
		assert_non_null(exposition);
		r = exposition_read(exposition, sources[i].text, &why);
		assert_int_equal(r, sources[i].want);
		assert_int_equal(why.text[0] != '\0', r != RES_OK);
		exposition_free(exposition);
	}
}

static void
long_names_are_refused(void **state)
{
	struct exposition *exposition = exposition_new();
	char text[METRIC_NAME_MAX + 200], name[METRIC_NAME_MAX + 2];
	struct diag why;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "# TYPE %s gauge\n", name);
	assert_int_equal(exposition_read(exposition, text, &why), RES_SYNTAX);
	(void)snprintf(text, sizeof(text), "# TYPE %s gauge\n", name + 1);
	assert_int_equal(exposition_read(exposition, text, &why), RES_OK);
	exposition_free(exposition);
}

static void
long_values_are_refused(void **state)
{
	struct exposition *exposition = exposition_new();
	char text[LABEL_VALUE_MAX + 200], value[LABEL_VALUE_MAX + 2];
	struct diag why;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	(void)snprintf(text, sizeof(text), GAUGE "g{a=\"%s\"} 1\n", value);
	assert_int_equal(exposition_read(exposition, text, &why), RES_SYNTAX);
	(void)snprintf(text, sizeof(text), GAUGE "g{a=\"%s\"} 1\n", value + 1);
	assert_int_equal(exposition_read(exposition, text, &why), RES_OK);
	exposition_free(exposition);
}

static void
a_family_stands_once(void **state)
{
	struct exposition *exposition = exposition_new();
	const struct label labels[] = {{"org", "a"}, {"name", "q\"b\\\n"}, {0}};
	struct diag why;
	char *text;

	(void)state;
	assert_int_equal(
	    exposition_read(exposition,
	        COUNTER "a_total{b=\"1\"} 5\n" TIMES
	                "t_bucket{b=\"1\",le=\"+Inf\"} 1\nt_count{b=\"1\"} 1\n",
	        &why),
	    RES_OK);
	assert_int_equal(exposition_read(exposition,
	                     TIMES "t_count{b=\"2\"} 0\n" GAUGE
	                           "# HELP a_total Other words.\n"
	                           "# TYPE a_total counter\n"
	                           "a_total{b=\"2\"} 6\n",
	                     &why),
	    RES_OK);
	exposition_begin(exposition, "mine", "gauge", "My own.");
	exposition_add(exposition, labels, -3);
	text = print(exposition);
	assert_string_equal(text,
	    COUNTER "a_total{b=\"1\"} 5\na_total{b=\"2\"} 6\n" TIMES
	            "t_bucket{b=\"1\",le=\"+Inf\"} 1\nt_count{b=\"1\"} 1\n"
	            "t_count{b=\"2\"} 0\n"
	            "# HELP mine My own.\n# TYPE mine gauge\n"
	            "mine{org=\"a\",name=\"q\\\"b\\\\\\n\"} -3\n");
	free(text);
	exposition_free(exposition);
}

static void
types_of_two_sources_agree(void **state)
{
	struct exposition *exposition = exposition_new();
	struct diag why = {""};

	(void)state;
	assert_int_equal(
	    exposition_read(exposition, COUNTER "a_total 5\n", &why), RES_OK);
	assert_int_equal(exposition_read(exposition,
	                     "# TYPE a_total gauge\na_total 6\n", &why),
	    RES_SYNTAX);
	assert_string_equal(why.text, "line 1 is no metric of certid");
	exposition_free(exposition);
}

/* A sample without TYPE in its own source is none, whatever stood before. */
static void
sources_do_not_leak(void **state)
{
	struct exposition *exposition = exposition_new();
	struct diag why;

	(void)state;
	assert_int_equal(
	    exposition_read(exposition, COUNTER "a_total 5\n", &why), RES_OK);
	assert_int_equal(
	    exposition_read(exposition, "a_total 6\n", &why), RES_SYNTAX);
	exposition_free(exposition);
}

static void
programs_get_labels(void **state)
{
	struct exposition *exposition = exposition_new();
	struct json *json;
	struct diag why;
	char *text;

	(void)state;
	assert_int_equal(
	    exposition_read(exposition,
	        COUNTER "a_total{b=\"x\\\"y\",c=\"\"} 5\n" GAUGE "g 0.250\n",
	        &why),
	    RES_OK);
	json = exposition_json(exposition);
	text = json_print(json);
	assert_string_equal(text,
	    "[{\"name\":\"a_total\",\"labels\":{\"b\":\"x\\\"y\",\"c\":\"\"},"
	    "\"value\":5},{\"name\":\"g\",\"labels\":{},\"value\":0.250}]");
	free(text);
	json_free(json);
	exposition_free(exposition);
}

static void
no_memory_is_remembered(void **state)
{
	struct diag why;

	(void)state;
	assert_int_equal(exposition_write(NULL, stdout), RES_NOMEM);
	assert_null(exposition_json(NULL));
	assert_int_equal(exposition_read(NULL, "", &why), RES_NOMEM);
	exposition_begin(NULL, "a", "gauge", "A.");
	exposition_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_read_is_printed),
	    cmocka_unit_test(long_names_are_refused),
	    cmocka_unit_test(long_values_are_refused),
	    cmocka_unit_test(a_family_stands_once),
	    cmocka_unit_test(types_of_two_sources_agree),
	    cmocka_unit_test(sources_do_not_leak),
	    cmocka_unit_test(programs_get_labels),
	    cmocka_unit_test(no_memory_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
