/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* What receivers get, byte for byte. */
#include "plugin/body.h"

#include "test/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#define NOW  1800000000
#define THEN 1700000000

static const char info[] =
    "{\"deviceInfo\":{\"serialNumber\":\"S-1\",\"model\":\"M\","
    "\"odd\":\"x\",\"fwVersion\":\"1.10\"},"
    "\"location\":{\"latitude\":52.50,\"longitude\":13.4},"
    "\"metadata\":{\"a\":[1,2]},\"more\":true}";

/* One that has secrets. */
static struct device
make_device(char *with_info)
{
	struct device device;
	struct identity who = {.type = {'d', "meter"}, .id = "0001"};

	device_init(&device, "acme", &who);
	device.state = DEVICE_PROVISIONED;
	device.created_at = THEN;
	device.provisioned_at = THEN;
	device.info = with_info;
	device.token.is_set = true;
	device.token.created_at = THEN;
	device.token.expires_at = CLOCK_FOREVER;
	device.pins.count = 1;
	device.pins.list[0].ends_at = CLOCK_FOREVER;
	return device;
}

static char *
make(const char *format, const char *kind, const char *subject,
    const char *detail, const struct device *device)
{
	char *copies[2] = {
	    strdup(subject), detail == NULL ? NULL : strdup(detail)};
	struct event event = {.seq = 42,
	    .org = "acme",
	    .time = THEN,
	    .actor = "broker",
	    .subject = copies[0],
	    .detail = copies[1]};
	struct config config = {0};
	char *out = NULL;
	enum res r;

	text_set(event.kind, sizeof(event.kind), kind);
	r = body_make(format, &config, &event, device, NOW, &out);
	free(copies[0]);
	free(copies[1]);
	assert_int_equal(r == RES_OK, out != NULL);
	assert_true(r == RES_OK || r == RES_REFUSED);
	return out;
}

static void
expect(char *body, const char *want)
{
	assert_non_null(body);
	assert_string_equal(body, want);
	free(body);
}

#define EVENT_HEAD(kind)                                                       \
	"{\"specversion\":\"1.0\",\"id\":\"acme/42\","                         \
	"\"source\":\"certid/acme\",\"type\":\"io.certid." kind "\","
#define EVENT_TAIL(detail)                                                     \
	"\"time\":\"2023-11-14T22:13:20Z\","                                   \
	"\"datacontenttype\":\"application/json\","                            \
	"\"data\":{\"seq\":42,\"actor\":\"broker\",\"detail\":" detail         \
	",\"org\":\"acme\""

static void
an_event_about_no_device(void **state)
{
	(void)state;
	expect(make("cloudevents", "setting-changed", "enrol", "auto -> listed",
	           NULL),
	    EVENT_HEAD("setting-changed") "\"subject\":\"enrol\"," EVENT_TAIL(
	        "\"auto -> listed\"") "}}");
	/* There are no empty subjects in CloudEvents. */
	expect(make("cloudevents", "import", "", NULL, NULL),
	    EVENT_HEAD("import") EVENT_TAIL("null") "}}");
	/* No defect of the sender makes it anything but JSON. */
	expect(make("cloudevents", "import", "a\"b\\\xff", "\x01", NULL),
	    EVENT_HEAD("import") "\"subject\":\"a\\\"b\\\\?\"," EVENT_TAIL(
	        "\"\\u0001\"") "}}");
}

static void
a_device_that_is_gone(void **state)
{
	(void)state;
	expect(
	    make("cloudevents", "device-removed", "d:meter:0001", NULL, NULL),
	    EVENT_HEAD("device-removed") "\"subject\":\"d:meter:"
	                                 "0001\"," EVENT_TAIL(
	                                     "null") ",\"device\":null}}");
}

static void
a_device_as_it_is_now(void **state)
{
	char copy[sizeof(info)];
	struct device device;
	char *body;
	const char *start;

	(void)state;
	memcpy(copy, info, sizeof(info));
	device = make_device(copy);
	body = make(
	    "cloudevents", "device-provisioned", "d:meter:0001", "x", &device);
	assert_non_null(body);
	start = strstr(body,
	    ",\"device\":{\"identity\":\"d:meter:0001\","
	    "\"class\":\"d\",\"type\":\"meter\",\"id\":"
	    "\"0001\",\"state\":\"provisioned\"");
	assert_non_null(start);
	assert_non_null(strstr(start, "\"latitude\":52.50"));
	/* Not one word of what it proves itself with. */
	assert_null(strstr(body, "token"));
	assert_null(strstr(body, "pins"));
	assert_null(strstr(body, "salt"));
	free(body);
}

static const struct {
	const char *info;
	const char *want;
} watson[] = {
    {info,
        "[{\"typeId\":\"meter\",\"deviceId\":\"0001\",\"deviceInfo\":{"
        "\"serialNumber\":\"S-1\",\"model\":\"M\",\"fwVersion\":\"1.10\"},"
        "\"location\":{\"latitude\":52.50,\"longitude\":13.4},"
        "\"metadata\":{\"a\":[1,2]}}]"},
    {NULL, "[{\"typeId\":\"meter\",\"deviceId\":\"0001\"}]"},
    {"{}", "[{\"typeId\":\"meter\",\"deviceId\":\"0001\"}]"},
    {"{\"deviceInfo\":{}}", "[{\"typeId\":\"meter\",\"deviceId\":\"0001\"}]"},
    {"{\"deviceInfo\":{\"odd\":1},\"x\":2}",
        "[{\"typeId\":\"meter\",\"deviceId\":\"0001\"}]"},
    {"{\"deviceInfo\":\"none\"}",
        "[{\"typeId\":\"meter\",\"deviceId\":\"0001\"}]"},
    {"not json", "[{\"typeId\":\"meter\",\"deviceId\":\"0001\"}]"},
    {"{\"metadata\":{\"deviceInfo\":{\"model\":\"no\"}}}",
        "[{\"typeId\":\"meter\",\"deviceId\":\"0001\","
        "\"metadata\":{\"deviceInfo\":{\"model\":\"no\"}}}]"},
};

static void
the_list_of_one_device(void **state)
{
	struct device device;
	char *copy;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(watson) / sizeof(watson[0]); i++) {
		copy = watson[i].info == NULL ? NULL : strdup(watson[i].info);
		device = make_device(copy);
		expect(make("watson", "device-provisioned", "d:meter:0001", "x",
		           &device),
		    watson[i].want);
		free(copy);
	}
	expect(make("watson", "device-provisioned", "g:gate:a:b", NULL, NULL),
	    "[{\"typeId\":\"gate\",\"deviceId\":\"a:b\"}]");
}

static void
what_a_format_cannot_tell_is_refused(void **state)
{
	(void)state;
	assert_null(make("watson", "device-removed", "d:meter:0001", "", NULL));
	assert_null(make("watson", "device-provisioned", "enrol", "", NULL));
	assert_null(make("watson", "device-provisioned", "", "", NULL));
	assert_null(make("xml", "import", "d:meter:0001", "", NULL));
	assert_null(make("", "import", "d:meter:0001", "", NULL));
	assert_null(body_content_type("xml"));
	assert_null(body_content_type(""));
	assert_null(body_content_type("CloudEvents"));
}

static void
media_types(void **state)
{
	(void)state;
	assert_string_equal(body_content_type("cloudevents"),
	    "Content-Type: application/cloudevents+json; charset=utf-8");
	assert_string_equal(body_content_type("watson"),
	    "Content-Type: application/json; charset=utf-8");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_about_no_device),
	    cmocka_unit_test(a_device_that_is_gone),
	    cmocka_unit_test(a_device_as_it_is_now),
	    cmocka_unit_test(the_list_of_one_device),
	    cmocka_unit_test(what_a_format_cannot_tell_is_refused),
	    cmocka_unit_test(media_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
