/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "test/unit/plugin/crl_server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "test/support/mint.h"

#define PYTHON "/usr/bin/python3"
#define SCRIPT TEST_SOURCE_DIR "/server.py"

static void
need(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

static void
path_of(const struct crl_server *server, const char *name, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", server->directory, name);
}

/* The certificate and, where wanted, its key. */
static void
write_pem(const char *path, const struct minted *minted, bool with_key)
{
	char *pem = mint_pem(minted, 1);
	FILE *file = fopen(path, "w");

	need(file != NULL, path);
	need(fputs(pem, file) >= 0, path);
	need(!with_key ||
	        PEM_write_PrivateKey(
	            file, minted->key, NULL, NULL, 0, NULL, NULL) == 1,
	    path);
	need(fclose(file) == 0, path);
	free(pem);
}

static void
write_server(const struct crl_server *server, const char *name,
    struct mint_options options)
{
	struct minted minted;
	char path[256];

	options.cn = name;
	options.eku = "serverAuth";
	options.slot = 9;
	minted = mint(&options);
	path_of(server, name, path);
	write_pem(path, &minted, true);
	minted_done(&minted);
}

static void
write_pki(struct crl_server *server)
{
	struct minted ca = mint_ca("Servers", 10);
	struct minted other = mint_ca("Strangers", 11);

	(void)snprintf(server->ca_file, sizeof(server->ca_file), "%s/.ca.pem",
	    server->directory);
	(void)snprintf(server->other_file, sizeof(server->other_file),
	    "%s/.other.pem", server->directory);
	write_pem(server->ca_file, &ca, false);
	write_pem(server->other_file, &other, false);
	write_server(server, ".good",
	    (struct mint_options){.issuer = &ca, .san = "DNS:localhost"});
	write_server(server, ".elsewhere",
	    (struct mint_options){.issuer = &ca, .san = "DNS:other.example"});
	write_server(server, ".expired",
	    (struct mint_options){.issuer = &ca,
	        .san = "DNS:localhost",
	        .to = MINT_FROM + 86400});
	write_server(server, ".strange",
	    (struct mint_options){.issuer = &other, .san = "DNS:localhost"});
	minted_done(&ca);
	minted_done(&other);
}

static void
run_script(const struct crl_server *server, int in, int out)
{
	char good[256], other[256], expired[256], strange[256];
	char *const words[] = {(char[]){PYTHON}, (char[]){SCRIPT},
	    strdup(server->directory), good, other, expired, strange,
	    (char[]){"-"}, NULL};

	path_of(server, ".good", good);
	path_of(server, ".elsewhere", other);
	path_of(server, ".expired", expired);
	path_of(server, ".strange", strange);
	(void)dup2(in, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	execv(PYTHON, words);
	_exit(127);
}

static void
read_ports(struct crl_server *server)
{
	char *at = server->text;
	int kind;

	need(crl_server_await(server, "\n"), "server.py says nothing");
	for (kind = 0; kind < SERVER_KINDS; kind++) {
		server->port[kind] = (int)strtol(at, &at, 10);
		need(server->port[kind] > 0, "server.py has no ports");
	}
	crl_server_hush(server);
}

void
crl_server_start(struct crl_server *server)
{
	int in[2], out[2];

	*server = (struct crl_server){.pid = -1};
	(void)snprintf(server->directory, sizeof(server->directory),
	    "/tmp/certid-crl-XXXXXX");
	need(mkdtemp(server->directory) != NULL, server->directory);
	write_pki(server);
	need(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe");
	server->pid = fork();
	need(server->pid >= 0, "fork");
	if (server->pid == 0) {
		run_script(server, in[0], out[1]);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	server->in = in[1];
	server->out = out[0];
	need(fcntl(server->out, F_SETFL, O_NONBLOCK) == 0, "fcntl");
	read_ports(server);
}

static void
remove_all(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	need(dir != NULL, directory);
	while ((entry = readdir(dir)) != NULL) {
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	(void)closedir(dir);
	need(rmdir(directory) == 0, directory);
}

void
crl_server_stop(struct crl_server *server)
{
	(void)close(server->in);
	need(waitpid(server->pid, NULL, 0) == server->pid, "waitpid");
	(void)close(server->out);
	remove_all(server->directory);
}

const char *
crl_server_url(
    const struct crl_server *server, enum server_kind kind, const char *path)
{
	static char url[SERVER_URL_MAX + 1];

	if (kind == SERVER_KINDS) {
		(void)snprintf(
		    url, sizeof(url), "file://%s/%s", server->directory, path);
	} else {
		(void)snprintf(url, sizeof(url), "https://localhost:%d/%s",
		    server->port[kind], path);
	}
	return url;
}

/* In one step, as a CA should do it. */
void
crl_server_put(const struct crl_server *server, const char *name,
    const void *bytes, size_t len, int64_t age)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - (time_t)age}};
	char path[256], temporary[256];
	FILE *file;

	times[1] = times[0];
	path_of(server, name, path);
	path_of(server, ".new", temporary);
	file = fopen(temporary, "w");
	need(file != NULL && fwrite(bytes, 1, len, file) == len &&
	        fclose(file) == 0 &&
	        utimensat(AT_FDCWD, temporary, times, 0) == 0 &&
	        rename(temporary, path) == 0,
	    path);
}

/* Take what has been said; wait at most ms for more. */
static void
listen_to(struct crl_server *server, int ms)
{
	struct pollfd ready = {.fd = server->out, .events = POLLIN};
	ssize_t n;

	if (poll(&ready, 1, ms) <= 0) {
		return;
	}
	n = read(server->out, server->text + server->len,
	    SERVER_TEXT_MAX - 1 - server->len);
	need(n > 0 || (n < 0 && errno == EAGAIN), "server.py has ended");
	server->len += n > 0 ? (size_t)n : 0;
	server->text[server->len] = '\0';
}

void
crl_server_hush(struct crl_server *server)
{
	listen_to(server, 0);
	server->len = 0;
	server->text[0] = '\0';
}

bool
crl_server_await(struct crl_server *server, const char *text)
{
	int64_t end = clock_monotonic_ms() + SERVER_DEADLINE_MS;

	while (!crl_server_has_said(server, text)) {
		if (clock_monotonic_ms() >= end) {
			return false;
		}
		listen_to(server, 100);
	}
	return true;
}

bool
crl_server_has_said(struct crl_server *server, const char *text)
{
	listen_to(server, 0);
	return strstr(server->text, text) != NULL;
}
