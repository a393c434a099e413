/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "identity/secret.h"
#include "plugin/body.h"
#include "plugin/outbox_private.h"
#include "plugin/post.h"

#define SIGNATURE    "X-Hub-Signature-256: sha256="
#define HEADER_ID    "X-Certid-Delivery: "
#define HEADER_COUNT "X-Certid-Attempt: "

/* The headers of one attempt, and what they point at. */
struct headers {
	char id[sizeof(HEADER_ID) + BODY_ID_MAX];
	char attempt[sizeof(HEADER_COUNT) + 12];
	char signature[sizeof(SIGNATURE) + HASH_TEXT_MAX];
};

/* False: OpenSSL failed. */
static bool
add_signature(const struct receiver *receiver, const char *body,
    struct headers *headers, struct post_request *request)
{
	const char *secret = receiver->hook.secret;
	char hex[HASH_TEXT_MAX + 1];

	if (secret == NULL) {
		return true;
	}
	if (!secret_sign(secret, strlen(secret), body, strlen(body), hex)) {
		return false;
	}
	(void)snprintf(headers->signature, sizeof(headers->signature),
	    SIGNATURE "%s", hex);
	request->headers[3] = headers->signature;
	return true;
}

/* Hand one to libcurl. */
static enum res
post(struct outbox *outbox, struct receiver *receiver, struct parcel *parcel,
    const char *body, struct diag *why)
{
	struct headers headers;
	char id[BODY_ID_MAX + 1];
	struct post_request request = {.url = receiver->hook.url,
	    .ca_pem = receiver->hook.ca_pem,
	    .body = body,
	    .whole_ms = OUTBOX_TIMEOUT_MS,
	    .owner = parcel};
	struct post *begun;

	body_id(&parcel->event, id);
	(void)snprintf(headers.id, sizeof(headers.id), HEADER_ID "%s", id);
	(void)snprintf(headers.attempt, sizeof(headers.attempt),
	    HEADER_COUNT "%u", parcel->attempts);
	request.headers[0] = body_content_type(receiver->hook.format);
	request.headers[1] = headers.id;
	request.headers[2] = headers.attempt;
	if (!add_signature(receiver, body, &headers, &request)) {
		return diag_res(why, RES_UNAVAIL, "OpenSSL cannot sign");
	}
	if (poster_begin(outbox->poster, &request, &begun) != RES_OK) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	parcel->sender = receiver;
	parcel->post = begun;
	return RES_OK;
}

/* The device that an event is about as it is now, without one if it is gone;
 * and the document. */
static enum res
write_body(struct outbox *outbox, const struct receiver *receiver,
    const struct event *event, char **body, struct diag *why)
{
	struct device device = {.tags = NULL};
	struct identity who;
	bool clash, there = false;
	enum res r;

	if (body_device(event, &who)) {
		r = registry_get(outbox->registry, event->org, &who, true,
		    &device, &clash, why);
		if (r != RES_OK && r != RES_NOTFOUND) {
			return r;
		}
		there = r == RES_OK;
	}
	r = body_make(receiver->hook.format, &outbox->config, event,
	    there ? &device : NULL, clock_now(), body);
	device_done(&device);
	return r;
}

/* Not RES_OK: it stays where it was, for a reason that is ours. */
static enum res
begin(struct outbox *outbox, struct receiver *receiver, struct parcel *parcel,
    struct diag *why)
{
	static const struct diag unwritten = {
	    "this version of certid cannot write its format"};
	char *body = NULL;
	enum res r = write_body(outbox, receiver, &parcel->event, &body, why);

	if (r == RES_REFUSED) {
		receiver_end(receiver, parcel, &unwritten, clock_monotonic_ms(),
		    clock_now());
		return RES_OK;
	}
	if (r == RES_OK) {
		r = post(outbox, receiver, parcel, body, why);
	}
	free(body);
	if (r != RES_OK) {
		delivery_put_back(receiver->delivery, parcel);
	}
	return r;
}

/* All that are due, of one receiver. */
static void
begin_some(struct outbox *outbox, struct receiver *receiver)
{
	int64_t now_ms = clock_monotonic_ms();
	struct parcel *parcel;
	struct diag why = {{0}};
	enum res r = RES_OK;

	while (r == RES_OK && receiver->stall_ms <= now_ms &&
	    (parcel = delivery_next(receiver->delivery, now_ms)) != NULL) {
		r = begin(outbox, receiver, parcel, &why);
		if (!outbox_is_well(outbox, &outbox->told_read, r, &why)) {
			receiver->stall_ms = now_ms + FAILED_MS;
		}
	}
	outbox_say_health(outbox, receiver);
}

void
outbox_begin(struct outbox *outbox)
{
	struct receiver *receiver;

	DL_FOREACH(outbox->receivers, receiver)
	{
		begin_some(outbox, receiver);
	}
}

void
outbox_finish(struct outbox *outbox)
{
	struct receiver *receiver;
	struct parcel *parcel;
	struct post *over;

	while ((over = poster_take(outbox->poster)) != NULL) {
		parcel = over->owner;
		receiver = parcel->sender;
		receiver_end(receiver, parcel,
		    over->delivered ? NULL : &over->why, clock_monotonic_ms(),
		    clock_now());
		outbox_say_health(outbox, receiver);
		post_free(over);
	}
}
