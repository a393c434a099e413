/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * export: certid export, devices as CSV that "import" reads back.
 *
 * Gateways go first, for a device is read after the gateway that it is
 * attached to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/commands.h"
#include "manage/interrupt.h"
#include "manage/row.h"
#include "manage/streams.h"
#include "manage/words.h"

#define CLASS_GATEWAY 'g'

struct export
{
	const struct call *call;
	struct device_query query;
	struct device_type type;
	FILE *to;
	bool skips_gateways; /* they have been written */
	struct diag why;
};

static enum res
write_fault(struct export *export)
{
	return diag_res(&export->why, RES_REFUSED,
	    "cannot write the output: %s", strerror(errno));
}

static enum res
visit(const struct device *device, void *context)
{
	struct export *export = context;
	enum res r;

	if (interrupt_came()) {
		return diag_res(&export->why, RES_REFUSED,
		    "interrupted: the output is not complete");
	}
	if (export->skips_gateways && device->who.type.class == CLASS_GATEWAY) {
		return RES_OK;
	}
	r = row_write(export->to, device);
	return r == RES_OK && ferror(export->to) ? write_fault(export) : r;
}

static enum res
scan(struct export *export)
{
	return registry_scan(export->call->registry, &export->query, visit,
	    export, &export->why);
}

/* The last identity of class d that there can be: 'z' is the highest byte. */
static struct identity
last_device(void)
{
	struct identity last = {.type = {.class = 'd'}};

	memset(last.type.name, 'z', IDENTITY_TYPE_MAX);
	memset(last.id, 'z', IDENTITY_ID_MAX);
	return last;
}

static enum res
write_rows(struct export *export)
{
	struct identity last = last_device();
	enum res r;

	row_write_header(export->to);
	if (export->query.type != NULL) {
		return scan(export);
	}
	export->query.after = &last;
	r = scan(export);
	export->query.after = NULL;
	export->skips_gateways = true;
	return r == RES_OK ? scan(export) : r;
}

static enum res
close_output(struct export *export)
{
	bool failed = fflush(export->to) != 0 ||
	    fsync(fileno(export->to)) != 0 || ferror(export->to);
	enum res r = failed ? write_fault(export) : RES_OK;

	if (fclose(export->to) != 0 && r == RES_OK) {
		r = write_fault(export);
	}
	export->to = NULL;
	return r;
}

/* Beside path, so that it can take its place; nobody else may read it. */
static enum res
open_output(struct export *export, const char *path, char **temporary)
{
	struct stat stat;
	int fd;

	if (lstat(path, &stat) == 0 && !S_ISREG(stat.st_mode)) {
		return diag_res(&export->why, RES_REFUSED,
		    "%.200s is there and not a regular file: write to another "
		    "one, or leave out --output",
		    path);
	}
	if (asprintf(temporary, "%s.XXXXXX", path) < 0) {
		*temporary = NULL;
		return RES_NOMEM;
	}
	fd = mkostemp(*temporary, O_CLOEXEC);
	export->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (export->to != NULL) {
		return RES_OK;
	}
	if (fd >= 0) {
		(void)close(fd);
		(void)unlink(*temporary);
	}
	free(*temporary);
	*temporary = NULL;
	return diag_res(&export->why, RES_REFUSED,
	    "cannot make the file %.200s: %s", path, strerror(errno));
}

/* All of it or nothing: what was there before stays until then. */
static enum res
write_file(struct export *export, const char *path)
{
	char *temporary = NULL;
	enum res r, closed;

	r = open_output(export, path, &temporary);
	if (r != RES_OK) {
		return r;
	}
	r = write_rows(export);
	closed = close_output(export);
	r = r == RES_OK ? closed : r;
	if (r == RES_OK && rename(temporary, path) != 0) {
		r = write_fault(export);
	}
	if (r != RES_OK) {
		(void)unlink(temporary);
	}
	free(temporary);
	return r;
}

static bool
take_query(const struct call *call, struct export *export)
{
	const char *type = call_option(call, "type");
	const char *state = call_option(call, "state");

	export->query.org = call->org;
	export->query.full = true;
	if (type != NULL) {
		if (!take_type(call, type, &export->type)) {
			return false;
		}
		export->query.type = &export->type;
	}
	if (state != NULL) {
		if (!device_state_parse(state, &export->query.state)) {
			(void)misuse(call,
			    "--state takes allowed, pending or provisioned");
			return false;
		}
		export->query.has_state = true;
	}
	return true;
}

int
run_export(struct call *call)
{
	const char *path = call_option(call, "output");
	struct export export = {.call = call, .to = answers()};
	enum res r;

	if (call->json) {
		return misuse(call,
		    "export writes CSV and takes no --json; \"certid device "
		    "list --json\" gives JSON");
	}
	if (path != NULL && call->files != NULL) {
		return refuse(EXIT_REFUSED,
		    "no file is written for a command that comes over MQTT: "
		    "leave out the output");
	}
	if (!take_query(call, &export)) {
		return EXIT_USAGE;
	}
	if (path == NULL) {
		r = write_rows(&export);
		return r == RES_OK ? EXIT_DONE : fail(r, &export.why);
	}
	interrupt_watch();
	r = write_file(&export, path);
	interrupt_forget();
	return r == RES_OK ? EXIT_DONE : fail(r, &export.why);
}
