/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/report.h"

#include <mosquitto_broker.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/broker.h"

#define QUOTED_MAX 160 /* bytes of one value from a peer */

/* A line that is being written.  What does not fit is left out whole. */
struct line {
	char text[REPORT_LINE];
	size_t len;
};

static void add(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		line->text[line->len] = '\0';
	} else {
		line->len += (size_t)n;
	}
}

static void
add_quoted(struct line *line, const char *key, const char *value)
{
	char quoted[QUOTED_MAX];

	if (value != NULL) {
		text_quote(quoted, sizeof(quoted), value, strlen(value));
		add(line, " %s=%s", key, quoted);
	}
}

bool
report_is_address(const char *address)
{
	size_t len = address == NULL ? 0 : strlen(address);

	return len > 0 && len <= ADDRESS_MAX &&
	    strspn(address, "0123456789abcdefABCDEF.:%") == len;
}

static void
add_address(struct line *line, const char *address)
{
	if (report_is_address(address)) {
		add(line, " addr=%s", address);
	} else {
		add_quoted(line, "addr", address);
	}
}

static void
add_identity(struct line *line, const struct identity *who)
{
	char name[IDENTITY_TEXT_MAX + 1];

	identity_format(who, name);
	add(line, " identity=%s", name);
}

void
report_text(int level, const char *format, ...)
{
	char text[REPORT_LINE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mosquitto_log_printf(level, "certid: %s", text);
}

/* Only one who is not of the org default has one to tell. */
static void
add_org(struct line *line, const char *org)
{
	if (org != NULL && org[0] != '\0' && strcmp(org, ORG_DEFAULT) != 0) {
		add(line, " org=%s", org);
	}
}

static void
write_decision(const struct subject *subject, const struct answer *answer,
    unsigned repeated)
{
	bool admits = reason_admits(answer->verdict.reason);
	struct line line = {.len = 0};
	char ca[HASH_TEXT_MAX + 1];

	add(&line, "%s reason=%s", admits ? "admitted" : "refused",
	    reason_id(answer->verdict.reason));
	if (answer->has_identity) {
		add_identity(&line, &answer->who);
	}
	add_org(&line, subject->org);
	add_quoted(&line, "client",
	    subject->client_id == NULL ? "" : subject->client_id);
	add_address(&line, subject->address);
	add_quoted(&line, "server", subject->server);
	if (answer->has_ca) {
		text_hex(ca, answer->ca, HASH_LEN);
		ca[CA_ID_MIN] = '\0';
		add(&line, " ca=%s",
		    subject->ca == NULL ? ca : subject->ca->id);
	}
	if (subject->leaf != NULL) {
		add(&line, " serial=%s", leaf_info(subject->leaf)->serial);
	}
	if (!admits) {
		add_quoted(&line, "detail", answer->detail);
	}
	if (repeated > 0) {
		add(&line, " repeated=%u", repeated);
	}
	mosquitto_log_printf(
	    admits ? LOG_INFO : LOG_NOTICE, "certid: %s", line.text);
}

/* FNV-1a over a client id, spread over a key: only to count repeats. */
static void
make_key(const struct subject *subject, uint8_t key[HASH_LEN])
{
	const char *at = subject->client_id;
	uint64_t hash = 14695981039346656037u;

	memset(key, 0, HASH_LEN);
	if (subject->leaf != NULL) {
		memcpy(key, leaf_info(subject->leaf)->fingerprint, HASH_LEN);
		return;
	}
	for (; at != NULL && *at != '\0'; at++) {
		hash = (hash ^ (uint8_t)*at) * 1099511628211u;
	}
	memcpy(key, &hash, sizeof(hash));
}

/* The place where this key is counted.  Two keys that meet in one place push
 * each other out, which costs a line in the log and nothing else. */
static struct repeat *
place(struct report *report, const uint8_t key[HASH_LEN])
{
	size_t at = ((size_t)key[0] << 8 | key[1]) % REPORT_REPEATS;

	return &report->repeats[at];
}

static void
quote_client(const struct subject *subject, char *client, size_t size)
{
	const char *id = subject->client_id == NULL ? "" : subject->client_id;

	text_quote(client, size, id, strlen(id));
}

/* The same again is counted; so is what comes beyond a few client ids, or many
 * lines in all, for a client can change what is wrong with it. */
static bool
is_counted(const struct repeat *repeat, enum reason reason, const char *client)
{
	if (repeat->reason != reason) {
		return repeat->told >= REPORT_TOLD_MAX;
	}
	return repeat->variants >= REPORT_VARIANTS ||
	    strcmp(repeat->client, client) == 0;
}

/* A client that gave up, or was let in, leaves its count behind. */
static void
tell_rest(const struct repeat *repeat)
{
	struct line line = {.len = 0};
	char key[HASH_TEXT_MAX + 1];

	add(&line, "refused reason=%s client=%s", reason_id(repeat->reason),
	    repeat->client);
	if (repeat->has_certificate) {
		text_hex(key, repeat->key, HASH_LEN);
		add(&line, " fingerprint=%s", key);
	}
	add(&line, " repeated=%u", repeat->count);
	mosquitto_log_printf(LOG_NOTICE, "certid: %s", line.text);
}

void
report_decision(struct report *report, const struct subject *subject,
    const struct answer *answer, int64_t now_ms)
{
	char client[sizeof(((struct repeat *)0)->client)];
	uint8_t key[HASH_LEN];
	struct repeat *repeat;
	bool known, fresh;

	make_key(subject, key);
	repeat = place(report, key);
	known = repeat->used && memcmp(repeat->key, key, HASH_LEN) == 0;
	if (reason_admits(answer->verdict.reason)) {
		write_decision(subject, answer, 0);
		if (known) {
			if (repeat->count > 0) {
				tell_rest(repeat);
			}
			memset(repeat, 0, sizeof(*repeat));
		}
		return;
	}
	quote_client(subject, client, sizeof(client));
	fresh = !known || now_ms - repeat->told_at >= REPORT_REPEAT_MS;
	if (!fresh && is_counted(repeat, answer->verdict.reason, client)) {
		repeat->count++;
		return;
	}
	write_decision(subject, answer, known ? repeat->count : 0);
	if (fresh) {
		memset(repeat, 0, sizeof(*repeat));
		repeat->used = true;
		repeat->has_certificate = subject->leaf != NULL;
		memcpy(repeat->key, key, HASH_LEN);
		repeat->told_at = now_ms;
	}
	if (repeat->reason != answer->verdict.reason) {
		repeat->variants = 0;
	}
	repeat->variants++;
	text_set(repeat->client, sizeof(repeat->client), client);
	repeat->reason = answer->verdict.reason;
	repeat->told++;
	repeat->count = 0;
}

void
report_sweep(struct report *report, int64_t now_ms)
{
	struct repeat *repeat;
	size_t i;

	for (i = 0; i < REPORT_REPEATS; i++) {
		repeat = &report->repeats[i];
		if (!repeat->used ||
		    now_ms - repeat->told_at < REPORT_REPEAT_MS) {
			continue;
		}
		if (repeat->count > 0) {
			tell_rest(repeat);
		}
		memset(repeat, 0, sizeof(*repeat));
	}
}

void
report_closed(const struct session *session, enum reason reason)
{
	struct line line = {.len = 0};

	add(&line, "closed reason=%s", reason_id(reason));
	add_identity(&line, &session->who);
	add_org(&line, session->org);
	add_quoted(&line, "client", session->client_id);
	mosquitto_log_printf(LOG_NOTICE, "certid: %s", line.text);
}

void
report_denied(struct session *session, const char *access, const char *topic,
    int64_t now_ms)
{
	struct line line = {.len = 0};

	session->denials++;
	if (session->denied_at != 0 &&
	    now_ms - session->denied_at < REPORT_REPEAT_MS) {
		return;
	}
	add(&line, "denied reason=topic access=%s", access);
	if (session->kind == SESSION_DEVICE) {
		add_identity(&line, &session->who);
		add_org(&line, session->org);
	} else {
		add_quoted(&line, "user", session->username);
	}
	add_quoted(&line, "client", session->client_id);
	add_quoted(&line, "topic", topic);
	if (session->denials > 1) {
		add(&line, " repeated=%u", session->denials - 1);
	}
	mosquitto_log_printf(LOG_NOTICE, "certid: %s", line.text);
	session->denials = 0;
	session->denied_at = now_ms;
}
