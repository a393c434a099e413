/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_server: https servers for tests, in a process of their own (server.py),
 * with certificates made on the spot, and the directory that they serve.
 *
 * A test that cannot start them ends there.
 */
#ifndef TEST_UNIT_PLUGIN_CRL_SERVER_H
#define TEST_UNIT_PLUGIN_CRL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_DEADLINE_MS 20000
#define SERVER_URL_MAX     2047
#define SERVER_TEXT_MAX    (64 * 1024)

enum server_kind {
	SERVER_GOOD = 0, /* its certificate is for localhost, from the CA */
	SERVER_OTHER,    /* for other.example */
	SERVER_EXPIRED,
	SERVER_STRANGE, /* from a CA that is not in ca_file */
	SERVER_PLAIN,   /* without TLS */
	SERVER_KINDS
};

struct crl_server {
	char directory[64]; /* what they serve, and scratch space */
	char ca_file[96];   /* PEM of the CA of their certificates */
	char other_file[96];
	int port[SERVER_KINDS];
	pid_t pid;
	int in, out;
	char text[SERVER_TEXT_MAX]; /* what they have said so far */
	size_t len;
};

void crl_server_start(struct crl_server *server);
void crl_server_stop(struct crl_server *server);

/* "https://localhost:PORT/PATH" of a server, "file:///DIRECTORY/PATH" for
 * SERVER_KINDS; good until the next call. */
const char *crl_server_url(
    const struct crl_server *server, enum server_kind kind, const char *path);

/* Write directory/name; its date is age seconds ago. */
void crl_server_put(const struct crl_server *server, const char *name,
    const void *bytes, size_t len, int64_t age);

/* Forget what has been said. */
void crl_server_hush(struct crl_server *server);

/* Wait until the servers have said text since.  False: they did not before
 * the deadline. */
bool crl_server_await(struct crl_server *server, const char *text);

/* Whether they have said text since, without waiting. */
bool crl_server_has_said(struct crl_server *server, const char *text);

#endif /* TEST_UNIT_PLUGIN_CRL_SERVER_H */
