/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * export: certid export, devices as CSV that "import" reads back.
 *
 * Gateways go first, for a device is read after the gateway that it is
 * attached to.
 */
#include <errno.h>
#include <string.h>

#include "manage/commands.h"
#include "manage/interrupt.h"
#include "manage/outfile.h"
#include "manage/row.h"
#include "manage/streams.h"
#include "manage/type.h"
#include "manage/words.h"

#define CLASS_GATEWAY 'g'

struct export
{
	const struct call *call;
	struct device_query query;
	struct device_type type;
	FILE *to;
	int64_t count;       /* of devices */
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
	export->count++;
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

/* All of it or nothing: what was there before stays until then. */
static enum res
write_file(struct export *export, const char *path)
{
	struct outfile file;
	enum res r = outfile_open(&file, path, &export->why);

	if (r != RES_OK) {
		return r;
	}
	export->to = file.to;
	r = write_rows(export);
	if (r == RES_OK) {
		return outfile_commit(&file, &export->why);
	}
	outfile_drop(&file);
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

/* A type that is misspelt has no devices, and a file of none looks as if all
 * were well. */
static int
check_known(const struct call *call, const struct export *export)
{
	struct diag why = {""};
	struct type_view view;
	enum res r;

	if (export->query.type == NULL) {
		return EXIT_DONE;
	}
	r = type_view(call, export->query.type, &view, &why);
	if (r != RES_OK) {
		return fail(r, &why);
	}
	return type_is_known(&view) ? EXIT_DONE : refuse_type(&view);
}

static int
report_file(int64_t count, const char *path)
{
	(void)fprintf(answers(), "exported %lld device%s to %s\n",
	    (long long)count, count == 1 ? "" : "s", path);
	return EXIT_DONE;
}

int
run_export(struct call *call)
{
	const char *path = call_option(call, "output");
	struct export export = {.call = call, .to = answers()};
	enum res r;
	int code;

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
	code = check_known(call, &export);
	if (code != EXIT_DONE) {
		return code;
	}
	if (path == NULL) {
		r = write_rows(&export);
		return r == RES_OK ? EXIT_DONE : fail(r, &export.why);
	}
	interrupt_watch();
	r = write_file(&export, path);
	interrupt_forget();
	return r == RES_OK ? report_file(export.count, path)
	                   : fail(r, &export.why);
}
