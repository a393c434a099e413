/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * attach: certid device attach|detach.
 */
#include "manage/commands.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/words.h"

static int
attach(struct call *call, struct device *device, const struct identity *gateway)
{
	char before[IDENTITY_TEXT_MAX + 1] = "";
	struct edit edit = call_edit(call);
	bool moved = device->has_gateway, already;
	struct diag why = {""};
	struct json *object;
	enum res r;

	already = moved && identity_equal(&device->gateway, gateway);
	if (moved) {
		identity_format(&device->gateway, before);
	}
	r = edit_device_attach(&edit, &device->who, gateway, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	device->has_gateway = true;
	device->gateway = *gateway;
	object = device_json(&call->config, device, call->now);
	if (already) {
		return report(call, object,
		    "the device %s is attached to %s already",
		    call_arg(call, 0), before);
	}
	return report(call, object, "attached the device %s to %s%s%s",
	    call_arg(call, 0), call_arg(call, 1),
	    moved ? ", no longer to " : "", before);
}

static int
detach(struct call *call, struct device *device)
{
	char before[IDENTITY_TEXT_MAX + 1] = "";
	struct edit edit = call_edit(call);
	bool attached = device->has_gateway;
	struct diag why = {""};
	struct json *object;
	enum res r;

	if (attached) {
		identity_format(&device->gateway, before);
	}
	r = edit_device_attach(&edit, &device->who, NULL, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	device->has_gateway = false;
	object = device_json(&call->config, device, call->now);
	return attached
	    ? report(call, object, "detached the device %s from %s",
	          call_arg(call, 0), before)
	    : report(call, object, "the device %s is attached to no gateway",
	          call_arg(call, 0));
}

int
run_device_attach(struct call *call)
{
	struct device device = {.tags = NULL};
	struct identity who, gateway;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who) ||
	    !take_identity(call, call_arg(call, 1), &gateway)) {
		return EXIT_USAGE;
	}
	if (who.type.class != 'd') {
		return misuse(call,
		    "only a device, d:TYPE:ID, can be attached to a gateway");
	}
	if (gateway.type.class != 'g') {
		return misuse(call, "%s is no gateway: name one as g:TYPE:ID",
		    call_arg(call, 1));
	}
	code = find_device(call, &who, &device);
	if (code == EXIT_DONE) {
		code = attach(call, &device, &gateway);
	}
	device_done(&device);
	return code;
}

int
run_device_detach(struct call *call)
{
	struct device device = {.tags = NULL};
	struct identity who;
	int code;

	if (!take_identity(call, call_arg(call, 0), &who)) {
		return EXIT_USAGE;
	}
	code = find_device(call, &who, &device);
	if (code == EXIT_DONE) {
		code = detach(call, &device);
	}
	device_done(&device);
	return code;
}
