/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/plugin/keeper_fixture.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "trust/crl.h"

static struct config config; /* see keeper_look() */

static struct edit
edit(const struct keeper_fixture *fixture)
{
	return (struct edit){.registry = fixture->registry,
	    .org = ORG_DEFAULT,
	    .actor = "operator",
	    .now = clock_now()};
}

int
keeper_group_setup(void **state)
{
	struct keeper_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	crl_server_start(&fixture->server);
	assert_int_equal(
	    setenv("SSL_CERT_FILE", fixture->server.ca_file, 1), 0);
	*state = fixture;
	return 0;
}

int
keeper_group_teardown(void **state)
{
	struct keeper_fixture *fixture = *state;

	crl_server_stop(&fixture->server);
	free(fixture);
	return 0;
}

int
keeper_setup(void **state)
{
	struct keeper_fixture *fixture = *state;
	struct registry_options how = {
	    .path = fixture->path, .mode = REGISTRY_CREATE, .busy_ms = 5000};
	struct edit starter;
	struct diag why = {{0}};

	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/r.db",
	    fixture->server.directory);
	assert_int_equal(registry_open(&how, &fixture->registry, &why), RES_OK);
	starter = edit(fixture);
	assert_int_equal(edit_org_start(&starter, STARTER_PLAIN, &why), RES_OK);
	mailbox_init(&fixture->mailboxes[0]);
	mailbox_init(&fixture->mailboxes[1]);
	crl_server_hush(&fixture->server);
	return 0;
}

int
keeper_teardown(void **state)
{
	struct keeper_fixture *fixture = *state;
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char path[160];
	size_t i;

	for (i = 0; i < 2; i++) {
		keeper_halt(fixture, i);
		mailbox_done(&fixture->mailboxes[i]);
		fixture->logs[i][0] = '\0';
	}
	for (i = 0; i < fixture->ca_count; i++) {
		ca_record_done(&fixture->cas[i]);
		minted_done(&fixture->issuers[i]);
	}
	fixture->ca_count = 0;
	config_done(&config);
	registry_close(fixture->registry);
	for (i = 0; i < 3; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s%s", fixture->path, suffixes[i]);
		(void)unlink(path);
	}
	return 0;
}

void
keeper_run(struct keeper_fixture *fixture, size_t which)
{
	const struct keeper_options options = {
	    .registry = fixture->path, .mailbox = &fixture->mailboxes[which]};
	struct diag why = {{0}};

	assert_int_equal(
	    keeper_start(&options, &fixture->keepers[which], &why), RES_OK);
}

void
keeper_halt(struct keeper_fixture *fixture, size_t which)
{
	int64_t began = clock_monotonic_ms();

	keeper_stop(fixture->keepers[which]);
	fixture->keepers[which] = NULL;
	assert_true(clock_monotonic_ms() - began < KEEPER_QUICK);
}

struct ca_record *
keeper_add_ca(
    struct keeper_fixture *fixture, const char *state, int64_t not_after)
{
	size_t n = fixture->ca_count++;
	char cn[] = "CA A";
	struct ca_record *ca = &fixture->cas[n];
	struct minted *issuer = &fixture->issuers[n];
	struct edit admin = edit(fixture);
	struct diag why = {{0}};

	assert_true(n < KEEPER_CAS);
	cn[3] = (char)('A' + n);
	*issuer = mint(&(struct mint_options){
	    .cn = cn, .ca = true, .slot = (unsigned)n, .to = not_after});
	*ca = (struct ca_record){
	    .der = malloc(issuer->der_len),
	    .der_len = issuer->der_len,
	    .subject = strdup(cn),
	    .not_before = MINT_FROM,
	    .not_after = not_after == 0 ? MINT_TO : not_after,
	    .scope = strdup("[]"),
	    .tags = strdup("[]"),
	    .code_expires_at = CLOCK_NONE,
	};
	assert_non_null(ca->der);
	memcpy(ca->der, issuer->der, issuer->der_len);
	(void)SHA256(ca->der, ca->der_len, ca->fingerprint);
	text_set(ca->state, sizeof(ca->state), state);
	text_set(ca->crl_policy, sizeof(ca->crl_policy), "if-present");
	assert_int_equal(edit_ca_add(&admin, ca, &why), RES_OK);
	return ca;
}

static struct minted_crl
mint_for(const struct keeper_fixture *fixture, const struct ca_record *ca,
    struct mint_crl_options options)
{
	int64_t now = clock_now();

	if (options.issuer == NULL) {
		options.issuer = &fixture->issuers[ca - fixture->cas];
	}
	if (options.this_update == 0) {
		options.this_update = now - KEEPER_HOUR;
	}
	if (options.next_update == 0) {
		options.next_update = now + KEEPER_DAY;
	}
	return mint_crl(&options);
}

void
keeper_put_crl(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *name, struct mint_crl_options options)
{
	struct minted_crl crl = mint_for(fixture, ca, options);

	crl_server_put(&fixture->server, name, crl.der, crl.der_len, 100);
	minted_crl_done(&crl);
}

void
keeper_store_crl(struct keeper_fixture *fixture, struct ca_record *ca,
    struct mint_crl_options options)
{
	struct minted_crl minted = mint_for(fixture, ca, options);
	struct edit admin = edit(fixture);
	struct ca_record changed = *ca;
	struct crl *crl = NULL;
	struct diag why = {{0}};

	assert_int_equal(crl_parse(minted.der, minted.der_len, ca->der,
	                     ca->der_len, admin.now, 10 * KEEPER_DAY, &crl,
	                     &changed.crl.der, &changed.crl.der_len, &why),
	    RES_OK);
	memcpy(changed.crl.fingerprint, crl_info(crl)->fingerprint, HASH_LEN);
	text_set(changed.crl.number, sizeof(changed.crl.number),
	    crl_info(crl)->number);
	changed.crl.this_update = crl_info(crl)->this_update;
	changed.crl.next_update = crl_info(crl)->next_update;
	changed.crl.modified_at = CLOCK_NONE;
	assert_int_equal(edit_ca_crl(&admin, &changed, &why), RES_OK);
	free(changed.crl.der);
	crl_unref(crl);
	minted_crl_done(&minted);
}

void
keeper_set_other_url(
    struct keeper_fixture *fixture, struct ca_record *ca, const char *url)
{
	struct edit admin = edit(fixture);
	struct diag why = {{0}};

	free(ca->crl_url);
	ca->crl_url = url == NULL ? NULL : strdup(url);
	assert_int_equal(edit_ca_set(&admin, ca, &why), RES_OK);
}

void
keeper_set_url(struct keeper_fixture *fixture, struct ca_record *ca,
    enum server_kind kind, const char *path)
{
	keeper_set_other_url(
	    fixture, ca, crl_server_url(&fixture->server, kind, path));
}

void
keeper_remove_ca(struct keeper_fixture *fixture, struct ca_record *ca)
{
	struct edit admin = edit(fixture);
	struct diag why = {{0}};

	assert_int_equal(edit_ca_remove(&admin, ca, &why), RES_OK);
}

const struct ca_record *
keeper_look(struct keeper_fixture *fixture, const struct ca_record *ca)
{
	struct diag why = {{0}};
	size_t i;

	config_done(&config);
	assert_int_equal(
	    registry_load(fixture->registry, &config, &why), RES_OK);
	for (i = 0; i < config.ca_count; i++) {
		if (strcmp(config.cas[i].id, ca->id) == 0) {
			return &config.cas[i];
		}
	}
	return NULL;
}

void
keeper_put_stored(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *name)
{
	const struct crl_record *crl = &keeper_look(fixture, ca)->crl;

	crl_server_put(&fixture->server, name, crl->der, crl->der_len, 100);
}

struct wanted {
	const char *subject, *text;
	int count;
};

static enum res
count_event(const struct event *event, void *context)
{
	struct wanted *wanted = context;

	wanted->count += strcmp(event->actor, "broker") == 0 &&
	    strcmp(event->subject, wanted->subject) == 0 &&
	    event->detail != NULL &&
	    strstr(event->detail, wanted->text) != NULL;
	return RES_OK;
}

int
keeper_count(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *kind, const char *text)
{
	const struct event_query query = {.kind = kind, .since = CLOCK_NONE};
	struct wanted wanted = {.subject = ca->id, .text = text};
	struct diag why = {{0}};

	assert_int_equal(registry_events(fixture->registry, &query, count_event,
	                     &wanted, &why),
	    RES_OK);
	return wanted.count;
}

void
keeper_pause(void)
{
	const struct timespec span = {.tv_nsec = 5000000};

	(void)nanosleep(&span, NULL);
}

void
keeper_must_tell(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *kind, const char *text, int count)
{
	int64_t end = clock_monotonic_ms() + SERVER_DEADLINE_MS;

	while (keeper_count(fixture, ca, kind, text) < count &&
	    clock_monotonic_ms() < end) {
		keeper_pause();
	}
	assert_int_equal(keeper_count(fixture, ca, kind, text), count);
}

void
keeper_must_fail(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *text)
{
	int64_t end = clock_monotonic_ms() + SERVER_DEADLINE_MS;
	const char *failure = keeper_look(fixture, ca)->crl_failure;

	while (clock_monotonic_ms() < end &&
	    (text == NULL ? failure != NULL
	                  : failure == NULL || strstr(failure, text) == NULL)) {
		keeper_pause();
		failure = keeper_look(fixture, ca)->crl_failure;
	}
	if (text == NULL) {
		assert_null(failure);
		return;
	}
	if (failure == NULL || strstr(failure, text) == NULL) {
		print_error("no failure \"%s\" but \"%s\"\n", text,
		    failure == NULL ? "" : failure);
	}
	assert_non_null(failure);
	assert_non_null(strstr(failure, text));
}

static bool
has_number(const struct ca_record *ca, const char *number)
{
	return ca->crl.der != NULL &&
	    strcmp(ca->crl.number + CRL_NUMBER_LEN - strlen(number), number) ==
	    0;
}

void
keeper_must_store(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *number)
{
	int64_t end = clock_monotonic_ms() + SERVER_DEADLINE_MS;

	while (!has_number(keeper_look(fixture, ca), number) &&
	    clock_monotonic_ms() < end) {
		keeper_pause();
	}
	assert_true(has_number(keeper_look(fixture, ca), number));
}

static void
take_lines(struct keeper_fixture *fixture, size_t which)
{
	struct news *news = mailbox_take(&fixture->mailboxes[which]), *next;
	char *log = fixture->logs[which];
	size_t len = strlen(log);

	for (; news != NULL; news = next) {
		next = news->next;
		assert_int_equal(news->kind, NEWS_LOG);
		len += (size_t)snprintf(log + len, KEEPER_LOG_MAX - len,
		    "%d %s\n", news->level, news->text.text);
		assert_true(len < KEEPER_LOG_MAX);
		news_free(news);
	}
}

int
keeper_count_log(struct keeper_fixture *fixture, size_t which, int level,
    const char *text, const char *other)
{
	char *at = fixture->logs[which], *end, line[1024];
	int count = 0;

	take_lines(fixture, which);
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		(void)snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		count += (level == 0 || strtol(line, NULL, 10) == level) &&
		    strstr(line, text) != NULL && strstr(line, other) != NULL;
	}
	return count;
}

void
keeper_must_log(struct keeper_fixture *fixture, size_t which, int level,
    const char *text, const char *other)
{
	int64_t end = clock_monotonic_ms() + SERVER_DEADLINE_MS;

	while (keeper_count_log(fixture, which, level, text, other) == 0 &&
	    clock_monotonic_ms() < end) {
		keeper_pause();
	}
	if (keeper_count_log(fixture, which, level, text, other) != 1) {
		print_error("not one line \"%s\", \"%s\" in:\n%s\n", text,
		    other, fixture->logs[which]);
	}
	assert_int_equal(
	    keeper_count_log(fixture, which, level, text, other), 1);
}
