/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "manage/objects.h"

#define KIND_WATSON "device-provisioned"
#define TYPE_PREFIX "io.certid."
#define SOURCE      "certid/"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void
body_id(const struct event *event, char id[BODY_ID_MAX + 1])
{
	(void)snprintf(
	    id, BODY_ID_MAX + 1, "%s/%lld", event->org, (long long)event->seq);
}

bool
body_device(const struct event *event, struct identity *out)
{
	const char *why, *subject = event->subject;

	return subject != NULL &&
	    identity_parse(subject, strlen(subject), out, &why) == RES_OK;
}

const char *
body_content_type(const char *format)
{
	if (strcmp(format, BODY_CLOUDEVENTS) == 0) {
		return "Content-Type: application/cloudevents+json; "
		       "charset=utf-8";
	}
	return strcmp(format, BODY_WATSON) == 0
	    ? "Content-Type: application/json; charset=utf-8"
	    : NULL;
}

/* ---- CloudEvents 1.0.2, 3.1, and its JSON format, 3 ---- */

static struct json *
device_without_secrets(
    const struct config *config, const struct device *device, int64_t now)
{
	struct device plain = *device;
	struct json *object;

	plain.token = (struct token_hash){0};
	plain.pins = (struct pins){0};
	object = device_json(config, &plain, now);
	json_remove(object, "token");
	json_remove(object, "pins");
	return object;
}

static struct json *
cloudevents_data(const struct config *config, const struct event *event,
    const struct device *device, int64_t now)
{
	struct json *data = json_object();
	struct identity who;

	json_add_number(data, "seq", event->seq);
	json_add_text(data, "actor", event->actor);
	json_add_text(data, "detail", event->detail);
	json_add_text(data, "org", event->org);
	if (device != NULL) {
		json_add(data, "device",
		    device_without_secrets(config, device, now));
	} else if (body_device(event, &who)) {
		json_add_null(data, "device");
	}
	return data;
}

static char *
print(struct json *json)
{
	char *text = json_print(json);

	json_free(json);
	return text;
}

static char *
cloudevents(const struct config *config, const struct event *event,
    const struct device *device, int64_t now)
{
	char id[BODY_ID_MAX + 1], source[sizeof(SOURCE) + NAME_MAX_LEN];
	char type[sizeof(TYPE_PREFIX) + WORD_MAX];
	struct json *object = json_object();

	body_id(event, id);
	(void)snprintf(source, sizeof(source), SOURCE "%s", event->org);
	(void)snprintf(type, sizeof(type), TYPE_PREFIX "%s", event->kind);
	json_add_text(object, "specversion", "1.0");
	json_add_text(object, "id", id);
	json_add_text(object, "source", source);
	json_add_text(object, "type", type);
	/* It must not be empty (3.1). */
	if (event->subject != NULL && event->subject[0] != '\0') {
		json_add_text(object, "subject", event->subject);
	}
	json_add_time(object, "time", event->time);
	json_add_text(object, "datacontenttype", "application/json");
	json_add(object, "data", cloudevents_data(config, event, device, now));
	return print(object);
}

/* ---- Watson IoT's device model ---- */

static const char *const info_words[] = {"serialNumber", "manufacturer",
    "model", "deviceClass", "description", "fwVersion", "hwVersion",
    "descriptiveLocation"};

/* One member of what an operator stored.  False: no memory. */
static bool
add_member(struct json *object, const char *key, const char *text, bool *some)
{
	char *value = NULL;
	enum res r = json_member(text, key, &value);

	if (r == RES_OK) {
		json_add_parsed(object, key, value);
		free(value);
		*some = true;
	}
	return r != RES_NOMEM;
}

/* The words that the model has; what else there may be is not for it. */
static bool
add_device_info(struct json *object, const char *info)
{
	struct json *words = json_object();
	char *text = NULL;
	enum res r = json_member(info, "deviceInfo", &text);
	bool well = r != RES_NOMEM, some = false;
	size_t i;

	for (i = 0; r == RES_OK && well && i < COUNT(info_words); i++) {
		well = add_member(words, info_words[i], text, &some);
	}
	free(text);
	if (some) {
		json_add(object, "deviceInfo", words);
	} else {
		json_free(words);
	}
	return well;
}

static char *
watson(const struct identity *who, const struct device *device)
{
	const char *info =
	    device == NULL || device->info == NULL ? "{}" : device->info;
	struct json *array = json_array(), *object = json_object();
	bool some, well;

	json_add_text(object, "typeId", who->type.name);
	json_add_text(object, "deviceId", who->id);
	well = add_device_info(object, info) &&
	    add_member(object, "location", info, &some) &&
	    add_member(object, "metadata", info, &some);
	json_append(array, object);
	if (!well) {
		json_free(array);
		return NULL;
	}
	return print(array);
}

enum res
body_make(const char *format, const struct config *config,
    const struct event *event, const struct device *device, int64_t now,
    char **out)
{
	struct identity who;
	char *text;

	if (strcmp(format, BODY_CLOUDEVENTS) == 0) {
		text = cloudevents(config, event, device, now);
	} else if (strcmp(format, BODY_WATSON) == 0 &&
	    strcmp(event->kind, KIND_WATSON) == 0 && body_device(event, &who)) {
		text = watson(&who, device);
	} else {
		return RES_REFUSED;
	}
	if (text == NULL) {
		return RES_NOMEM;
	}
	*out = text;
	return RES_OK;
}
