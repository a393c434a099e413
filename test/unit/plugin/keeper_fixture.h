/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * keeper_fixture: a registry file, servers, a CA that issues CRLs, and up to
 * two keepers, as two brokers on one registry have them.
 */
#ifndef TEST_UNIT_PLUGIN_KEEPER_FIXTURE_H
#define TEST_UNIT_PLUGIN_KEEPER_FIXTURE_H

#include "plugin/broker.h"
#include "plugin/keeper.h"
#include "registry/edit.h"
#include "test/support/cmocka_all.h"
#include "test/support/mint.h"
#include "test/unit/plugin/crl_server.h"

#define KEEPER_HOUR    ((int64_t)3600)
#define KEEPER_DAY     ((int64_t)86400)
#define KEEPER_CAS     9
#define KEEPER_QUICK   2000 /* ms */
#define KEEPER_LOG_MAX (64 * 1024)
#define HERE           SERVER_KINDS /* a file: URL */

struct keeper_fixture {
	struct crl_server server;
	char path[128];
	struct registry *registry;
	struct mailbox mailboxes[2];
	struct keeper *keepers[2];
	struct minted issuers[KEEPER_CAS]; /* keys in slots 0, 1, ... */
	struct ca_record cas[KEEPER_CAS];
	size_t ca_count;
	char logs[2][KEEPER_LOG_MAX]; /* what has been taken from each */
};

int keeper_group_setup(void **state);
int keeper_group_teardown(void **state);
int keeper_setup(void **state); /* no keeper runs yet */
int keeper_teardown(void **state);

/* Register one more CA, which expires at not_after (0: far away). */
struct ca_record *keeper_add_ca(
    struct keeper_fixture *fixture, const char *state, int64_t not_after);

void keeper_run(struct keeper_fixture *fixture, size_t which);
void keeper_halt(struct keeper_fixture *fixture, size_t which);

/* Put a CRL of the CA where the servers have it as /files/NAME; its options
 * have no issuer yet; without dates it holds from an hour ago for a day. */
void keeper_put_crl(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *name, struct mint_crl_options options);

/* Store a CRL as "certid ca crl" does. */
void keeper_store_crl(struct keeper_fixture *fixture, struct ca_record *ca,
    struct mint_crl_options options);

void keeper_set_url(struct keeper_fixture *fixture, struct ca_record *ca,
    enum server_kind kind, const char *path);

/* Put the stored CRL where the servers have it. */
void keeper_put_stored(struct keeper_fixture *fixture,
    const struct ca_record *ca, const char *name);

/* Any URL, or NULL. */
void keeper_set_other_url(
    struct keeper_fixture *fixture, struct ca_record *ca, const char *url);

void keeper_remove_ca(struct keeper_fixture *fixture, struct ca_record *ca);

/* What the registry says of the CA now; NULL: it is gone.  Good until the next
 * call, or keeper_teardown(). */
const struct ca_record *keeper_look(
    struct keeper_fixture *fixture, const struct ca_record *ca);

/* How many events of this kind the CA has whose actor is "broker" and whose
 * detail holds text. */
int keeper_count(struct keeper_fixture *fixture, const struct ca_record *ca,
    const char *kind, const char *text);

/* Wait for so many of them, and see that there are no more. */
void keeper_must_tell(struct keeper_fixture *fixture,
    const struct ca_record *ca, const char *kind, const char *text, int count);

/* Wait until the stored failure holds text; NULL: until there is none. */
void keeper_must_fail(struct keeper_fixture *fixture,
    const struct ca_record *ca, const char *text);

/* Wait until the stored CRL has this number, in hex digits. */
void keeper_must_store(struct keeper_fixture *fixture,
    const struct ca_record *ca, const char *number);

/* Between two looks at what has to become so. */
void keeper_pause(void);

/* How many lines of this level (0: any) a keeper has had so far that hold
 * both texts. */
int keeper_count_log(struct keeper_fixture *fixture, size_t which, int level,
    const char *text, const char *other);

/* Wait for one, and see that there is only one. */
void keeper_must_log(struct keeper_fixture *fixture, size_t which, int level,
    const char *text, const char *other);

#endif /* TEST_UNIT_PLUGIN_KEEPER_FIXTURE_H */
