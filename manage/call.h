/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * call: one run of certid.  The words of the command line once they are
 * parsed, the registry that they speak of, and how the run ends.
 *
 * Strings are lent by argv and the environment.
 */
#ifndef MANAGE_CALL_H
#define MANAGE_CALL_H

#include "manage/options.h"
#include "registry/edit.h"

#define REGISTRY_ENV  "CERTID_REGISTRY"
#define REGISTRY_PATH "/var/lib/mosquitto/certid/registry.db"
#define BUSY_MS       5000
/* Of what comes over MQTT: others wait behind it. */
#define REMOTE_BUSY_MS 1000

/* What a script sees. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,     /* refused, or a bad answer */
	EXIT_USAGE = 2,       /* the command line is wrong */
	EXIT_NO_REGISTRY = 3, /* the registry cannot be opened or used */
	EXIT_NOT_FOUND = 4,
	EXIT_CONFLICT = 5, /* there already, or ambiguous */
};

/* What a command that came over MQTT brings along in the place of files. */
#define INLINE_FILES_MAX 8
struct inline_file {
	const char *name;
	const uint8_t *bytes; /* never NULL */
	size_t len;
};
struct inline_files {
	struct inline_file list[INLINE_FILES_MAX];
	size_t count;
};

struct call {
	struct words words;
	const char *path;
	const char *org;
	bool json;
	int64_t now;
	const char *by; /* the admin whose words these are; NULL: whoever runs
	                   certid on the machine of the registry */
	const struct inline_files *files; /* not NULL: the call came over MQTT,
	                   and nothing of this machine is open to it but the
	                   registry */
	bool of_tenant; /* by is an admin of another org than default: of the
	                   machine, and of other orgs, he is told nothing */
	struct registry *registry; /* open where the command needs it */
	struct config config;      /* loaded where the command needs it */
};

/* The n-th argument of the command; NULL: not given. */
const char *call_arg(const struct call *call, size_t n);

/* The value of an option, "" of a flag; NULL: not given. */
const char *call_option(const struct call *call, const char *name);

/* The values of a repeatable option one by one, from *at = 0; NULL: no more. */
const char *call_next_option(
    const struct call *call, const char *name, size_t *at);

/* What the functions of edit.h ask for. */
struct edit call_edit(const struct call *call);

/* Whether the command, with these words, is one that changes the registry. */
bool call_writes(const struct call *call);

/* Open the registry and load its configuration as the command's needs say;
 * EXIT_DONE, or an error that has been told. */
int call_open(struct call *call);
/* The two halves of it: the registry first, then whether the org is there. */
int call_load(struct call *call);
int call_check_org(const struct call *call);
void call_done(struct call *call);

/* Tell what went wrong, in one sentence on stderr; the exit code is returned.
 * An empty why is filled in from res. */
int fail(enum res res, const struct diag *why);
int refuse(enum exit_code code, const char *format, ...) PRINTF_LIKE(2, 3);

/* What is wrong with the contents of a file: a bad answer, EXIT_REFUSED, that
 * begins with its name. */
int blame_file(const char *path, const struct diag *why);

/* A mistake in the words of this call: also says which help to read. */
int misuse(const struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);

#endif /* MANAGE_CALL_H */
