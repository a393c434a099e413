/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * import: certid import, devices from a file of CSV in one transaction.
 *
 * Rows are read, checked and applied batch by batch, so that memory does not
 * grow with the file; the commit in the end is what makes them count.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manage/commands.h"
#include "manage/interrupt.h"
#include "manage/objects.h"
#include "manage/output.h"
#include "manage/progress.h"
#include "manage/row.h"
#include "manage/spool.h"
#include "manage/streams.h"
#include "manage/words.h"

#define BATCH_ROWS  1000
#define BATCH_BYTES ((size_t)4 << 20) /* of tags, info and subjects in it */
#define ERRORS_MAX  1000              /* bad rows in the answer of --json */
#define LINES_MAX   65536             /* that are known, about */
#define CHUNK       65536
#define INLINE_MAX  ((size_t)256 << 20)
#define EVENT_KIND  "import"

/* Where a name stands in the file. */
struct line {
	uint64_t hash; /* 0: nothing */
	int64_t line;
};

struct import {
	struct call *call;
	const char *name; /* of the file, for sentences */
	bool skip_bad;
	struct row_terms terms;
	struct device_type type;
	struct progress *progress;
	struct registry *before; /* as it was; NULL: not open */
	int64_t bytes, rows;     /* read so far */

	/* Rows that wait for the registry. */
	struct device devices[BATCH_ROWS];
	struct change changes[BATCH_ROWS];
	int64_t lines[BATCH_ROWS];
	size_t count, size;

	struct line lines_of[LINES_MAX]; /* of rows that were taken, the later
	                                    one where two would stand in one
	                                    place */

	bool has_begun; /* the transaction */
	int64_t done, bad;
	struct identity last; /* of those that are done */
	struct json *errors;
	int64_t more; /* bad rows that are not in errors */

	struct diag why; /* of what ends it all */
};

/* Tell of a bad row. */
static void
blame(struct import *import, int64_t line, const char *sentence)
{
	struct json *error;
	struct diag whole;

	import->bad++;
	diag_set(
	    &whole, "%.200s:%lld: %s", import->name, (long long)line, sentence);
	progress_erase(import->progress);
	(void)fprintf(complaints(), "certid: %s\n", whole.text);
	if (import->bad > ERRORS_MAX) {
		import->more++;
		return;
	}
	error = json_object();
	json_add_number(error, "line", line);
	json_add_text(error, "error", sentence);
	json_append(import->errors, error);
}

/* Whether the device, or one of another letter case, was registered before this
 * import: a look at the file past our own transaction.  *same: by this very
 * name.  Not RES_OK: it cannot be told. */
static enum res
look_before(
    struct import *import, const struct identity *who, bool *found, bool *same)
{
	const struct call *call = import->call;
	const struct registry_options options = {
	    .path = call->path, .mode = REGISTRY_READ};
	struct device there = {.tags = NULL};
	bool clash = false;
	enum res r = RES_OK;

	if (import->before == NULL) {
		r = registry_open(&options, &import->before, NULL);
	}
	if (r != RES_OK) {
		return r;
	}
	r = registry_get(
	    import->before, call->org, who, false, &there, &clash, NULL);
	device_done(&there);
	*same = r == RES_OK;
	*found = *same || clash;
	return r == RES_NOTFOUND ? RES_OK : r;
}

/* The place of a name in lines, whatever its letter case, and its hash
 * (FNV-1a), which is never 0. */
static struct line *
place_of(struct import *import, const struct identity *who, uint64_t *hash)
{
	char text[IDENTITY_TEXT_MAX + 1];
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	size_t i;

	identity_format(who, text);
	for (i = 0; text[i] != '\0'; i++) {
		sum ^= (unsigned char)(text[i] >= 'A' && text[i] <= 'Z'
		        ? text[i] - 'A' + 'a'
		        : text[i]);
		sum *= UINT64_C(0x100000001b3);
	}
	*hash = sum == 0 ? 1 : sum;
	return &import->lines_of[(sum ^ sum >> 32) % LINES_MAX];
}

/* The n-th row of the batch was taken. */
static void
note_done(struct import *import, size_t n)
{
	const struct identity *who = &import->devices[n].who;
	uint64_t hash;
	struct line *line = place_of(import, who, &hash);

	import->done++;
	import->last = *who;
	*line = (struct line){.hash = hash, .line = import->lines[n]};
}

/* The line of the row that was taken of this device, or of one of another
 * letter case; 0: not known. */
static int64_t
find_line(struct import *import, const struct identity *who)
{
	uint64_t hash;
	const struct line *line = place_of(import, who, &hash);

	return line->hash == hash ? line->line : 0;
}

/* Whether a row of this very name was taken. */
static bool
was_taken(struct import *import, const struct identity *who)
{
	struct device there = {.tags = NULL};
	bool clash = false;
	enum res r = registry_get(import->call->registry, import->call->org,
	    who, false, &there, &clash, NULL);

	device_done(&there);
	return r == RES_OK;
}

/* Why a device is not taken that is there already: in the registry, or further
 * up in the file. */
static void
blame_twin(struct import *import, size_t n)
{
	const struct identity *who = &import->devices[n].who;
	bool found = false, same = true;
	char text[IDENTITY_TEXT_MAX + 1], where[64];
	struct diag said;
	int64_t line;

	identity_format(who, text);
	if (look_before(import, who, &found, &same) != RES_OK) {
		diag_set(&said,
		    "%s is registered already, or further up in the file, "
		    "perhaps in other letter case",
		    text);
	} else if (found) {
		diag_set(&said,
		    same ? "%s is registered already"
		         : "%s differs in letter case alone from a device that "
		           "is registered already",
		    text);
	} else {
		line = find_line(import, who);
		same = was_taken(import, who);
		(void)snprintf(
		    where, sizeof(where), "line %lld", (long long)line);
		diag_set(&said,
		    same ? "%s is in the file already, %s"
		         : "%s differs in letter case alone from a device "
		           "that is in the file already, %s",
		    text, line == 0 ? "further up" : where);
	}
	blame(import, import->lines[n], said.text);
}

/* Why the registry did not take the n-th row of the batch. */
static void
blame_answer(struct import *import, size_t n)
{
	struct change again = import->changes[n];
	char text[IDENTITY_TEXT_MAX + 1];
	struct diag said = {""};

	if (again.result == RES_EXISTS) {
		blame_twin(import, n);
		return;
	}
	if (again.result == RES_REFUSED && import->devices[n].has_gateway) {
		identity_format(&import->devices[n].gateway, text);
		diag_set(&said,
		    "its gateway %s is not registered: put it before the "
		    "devices that are attached to it",
		    text);
	} else if (registry_apply(import->call->registry, &again, 1, APPLY_ALL,
	               &said) == RES_OK) {
		/* Asked by itself it tells why; or it has room by now. */
		note_done(import, n);
		return;
	}
	blame(import, import->lines[n],
	    said.text[0] == '\0' ? "the registry does not take it" : said.text);
}

static void
empty_batch(struct import *import)
{
	size_t i;

	for (i = 0; i < import->count; i++) {
		device_done(&import->devices[i]);
	}
	import->count = import->size = 0;
}

static enum res
flush(struct import *import)
{
	struct registry *registry = import->call->registry;
	enum res r = RES_OK;
	size_t i;

	if (import->count == 0) {
		return RES_OK;
	}
	if (!import->has_begun) {
		r = registry_begin(registry, &import->why);
		import->has_begun = r == RES_OK;
	}
	if (r == RES_OK) {
		r = registry_apply(registry, import->changes, import->count,
		    APPLY_EACH, &import->why);
	}
	for (i = 0; r == RES_OK && i < import->count; i++) {
		if (import->changes[i].result == RES_OK) {
			note_done(import, i);
		} else {
			blame_answer(import, i);
		}
	}
	empty_batch(import);
	return r;
}

static size_t
size_of(const struct device *device)
{
	const char *texts[] = {device->tags, device->info, device->subject};
	size_t i, size = 0;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size += texts[i] == NULL ? 0 : strlen(texts[i]);
	}
	return size;
}

/* Takes the device. */
static enum res
push(struct import *import, const struct device *device, int64_t line)
{
	size_t n = import->count++;

	import->devices[n] = *device;
	import->lines[n] = line;
	/* One event tells of all. */
	import->changes[n] = (struct change){.kind = CHANGE_DEVICE_ADD,
	    .org = import->call->org,
	    .of.device = &import->devices[n],
	    .time = import->call->now};
	import->size += size_of(device);
	return import->count == BATCH_ROWS || import->size > BATCH_BYTES
	    ? flush(import)
	    : RES_OK;
}

/* Bad rows are told in the order of the file: those that wait go first. */
static enum res
blame_row(struct import *import, int64_t line, const char *sentence)
{
	enum res r = flush(import);

	if (r == RES_OK) {
		blame(import, line, sentence);
	}
	return r;
}

static enum res
check_interrupt(struct import *import)
{
	return interrupt_came() ? diag_res(&import->why, RES_REFUSED,
	                              "interrupted, and nothing was imported")
	                        : RES_OK;
}

static enum res
visit(const struct csv_row *row, void *context)
{
	struct import *import = context;
	struct device device;
	struct diag said = {""};
	enum res r = check_interrupt(import);

	if (r != RES_OK) {
		return r;
	}
	import->rows++;
	if (import->rows % 64 == 0) {
		progress_show(import->progress, import->bytes, import->rows);
	}
	if (row->fault != NULL) {
		return blame_row(import, row->line, row->fault);
	}
	r = row_read(&import->terms, row->cells, &device, &said);
	if (r == RES_OK) {
		return push(import, &device, row->line);
	}
	if (r == RES_NOMEM || r == RES_CORRUPT) {
		return diag_res(&import->why, r, "%s", said.text);
	}
	return blame_row(import, row->line, said.text);
}

/* One read of the file; 0 is its end. */
static enum res
read_some(struct import *import, int fd, char *chunk, size_t *len)
{
	ssize_t n;

	do {
		enum res r = check_interrupt(import);

		if (r != RES_OK) {
			return r;
		}
		n = read(fd, chunk, CHUNK);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return diag_res(&import->why, RES_REFUSED,
		    "cannot read the file %.200s: %s", import->name,
		    strerror(errno));
	}
	*len = (size_t)n;
	return RES_OK;
}

/* What is wrong with the file as a whole. */
static enum res
blame_whole(struct import *import, enum res r, const struct diag *said)
{
	return r == RES_OK || said->text[0] == '\0'
	    ? r
	    : diag_res(&import->why, r, "%.200s: %s", import->name, said->text);
}

static enum res
read_fd(struct import *import, struct csv_reader *reader, int fd)
{
	struct diag said = {""};
	char chunk[CHUNK];
	enum res r;
	size_t len;

	do {
		len = 0;
		r = read_some(import, fd, chunk, &len);
		if (r == RES_OK && len > 0) {
			import->bytes += (int64_t)len;
			r = csv_feed(reader, chunk, len, &said);
		}
	} while (r == RES_OK && len > 0);
	if (r == RES_OK) {
		r = csv_end(reader, &said);
	}
	return blame_whole(import, r, &said);
}

/* A file that came along over MQTT. */
static enum res
read_inline(struct import *import, struct csv_reader *reader)
{
	struct diag said = {""};
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum res r;

	r = read_file(import->call, import->name, "a CSV file", INLINE_MAX,
	    &bytes, &len, &import->why);
	if (r == RES_OK) {
		r = csv_feed(reader, (const char *)bytes, len, &said);
	}
	if (r == RES_OK) {
		r = csv_end(reader, &said);
	}
	free(bytes);
	return blame_whole(import, r, &said);
}

/* The registry is locked while rows are read, and a pipe may stall: it is read
 * to its end before. */
static enum res
take_in(struct import *import, int *fd)
{
	int file = -1;
	enum res r = spool(*fd, import->name, &file, &import->why);

	if (r == RES_OK) {
		if (*fd != STDIN_FILENO) {
			(void)close(*fd);
		}
		*fd = file;
	}
	return r;
}

static enum res
open_file(struct import *import, const char *path, int *out)
{
	struct stat stat;

	*out = strcmp(path, "-") == 0
	    ? STDIN_FILENO
	    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*out < 0 || fstat(*out, &stat) != 0) {
		return errno == ENOENT
		    ? diag_res(&import->why, RES_REFUSED,
		          "there is no file %.200s: give the path of a CSV "
		          "file, or - for stdin",
		          path)
		    : diag_res(&import->why, RES_REFUSED,
		          "cannot open the file %.200s: %s", path,
		          strerror(errno));
	}
	if (S_ISDIR(stat.st_mode)) {
		return diag_res(&import->why, RES_REFUSED,
		    "%.200s is a directory: give a file", path);
	}
	return S_ISREG(stat.st_mode) ? RES_OK : take_in(import, out);
}

/* Of one that cannot tell its size there is a file by now. */
static void
show_progress(struct import *import, int fd)
{
	struct stat stat;

	if (!import->call->json) {
		import->progress = progress_new(
		    fstat(fd, &stat) == 0 ? (int64_t)stat.st_size : -1);
	}
}

static enum res
read_rows(struct import *import)
{
	struct csv_reader *reader = NULL;
	int fd = -1;
	enum res r;

	r = csv_reader_new(row_columns, ROW_COLUMNS, visit, import, &reader);
	if (r == RES_OK && import->call->files != NULL) {
		r = read_inline(import, reader);
	} else if (r == RES_OK) {
		r = open_file(import, call_arg(import->call, 0), &fd);
		if (r == RES_OK) {
			show_progress(import, fd);
			r = read_fd(import, reader, fd);
		}
	}
	if (r == RES_OK) {
		r = flush(import);
	}
	if (fd > STDIN_FILENO) {
		(void)close(fd);
	}
	csv_reader_free(reader);
	return r;
}

/* What was read counts from here on, or never did. */
static enum res
settle(struct import *import)
{
	struct edit edit = call_edit(import->call);
	struct diag detail;
	enum res r = check_interrupt(import);

	if (r != RES_OK || import->done == 0 ||
	    (import->bad > 0 && !import->skip_bad)) {
		return r;
	}
	diag_set(&detail, "%lld device%s from %.200s, %lld bad row%s left out",
	    (long long)import->done, import->done == 1 ? "" : "s", import->name,
	    (long long)import->bad, import->bad == 1 ? "" : "s");
	r = edit_devices_imported(
	    &edit, &import->last, detail.text, &import->why);
	if (r == RES_OK) {
		import->has_begun = false;
		r = registry_commit(import->call->registry, &import->why);
	}
	return r;
}

static const char *
plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* The document of --json; takes errors. */
static int
print_outcome(struct import *import, int64_t imported)
{
	struct json *object = json_object();

	json_add_number(object, "imported", imported);
	json_add_number(object, "bad", import->bad);
	json_add(object, "errors", import->errors);
	json_add_number(object, "more", import->more);
	import->errors = NULL;
	return print_json(object);
}

static int
report_import(struct import *import)
{
	bool refused = import->bad > 0 && !import->skip_bad;
	int64_t imported = refused ? 0 : import->done;
	int code = EXIT_DONE;

	if (refused) {
		code = refuse(EXIT_REFUSED,
		    "%lld bad row%s, and nothing was imported: mend %s, or "
		    "give --skip-bad to import the others",
		    (long long)import->bad, plural(import->bad),
		    import->bad == 1 ? "it" : "them");
	}
	if (import->call->json) {
		int printed = print_outcome(import, imported);

		return code == EXIT_DONE ? printed : code;
	}
	if (!refused) {
		(void)fprintf(answers(), "imported %lld device%s",
		    (long long)imported, plural(imported));
		if (import->bad > 0) {
			(void)fprintf(answers(), ", left out %lld bad row%s",
			    (long long)import->bad, plural(import->bad));
		}
		(void)fputc('\n', answers());
	}
	return code;
}

/* What is wrong with a file as a whole is a bad answer, like a bad row. */
static int
fail_import(enum res r, const struct diag *why)
{
	return fail(
	    r == RES_SYNTAX || r == RES_NOTFOUND ? RES_REFUSED : r, why);
}

static int
run(struct import *import)
{
	bool is_local = import->call->files == NULL;
	enum res r;

	import->errors = json_array();
	if (is_local) {
		interrupt_watch();
	}
	r = read_rows(import);
	if (r == RES_OK) {
		r = settle(import);
	}
	empty_batch(import);
	if (import->has_begun) {
		registry_rollback(import->call->registry);
	}
	if (is_local) {
		interrupt_forget();
	}
	progress_free(import->progress);
	registry_close(import->before);
	return r == RES_OK ? report_import(import)
	                   : fail_import(r, &import->why);
}

int
run_import(struct call *call)
{
	const char *type = call_option(call, "type");
	const char *path = call_arg(call, 0);
	struct import *import = calloc(1, sizeof(*import));
	int code = EXIT_USAGE;

	if (import == NULL) {
		return fail(RES_NOMEM, &(struct diag){""});
	}
	import->call = call;
	import->name =
	    call->files == NULL && strcmp(path, "-") == 0 ? "stdin" : path;
	import->skip_bad = call_option(call, "skip-bad") != NULL;
	import->terms = (struct row_terms){.config = &call->config,
	    .org = call->org,
	    .now = call->now,
	    .type = type == NULL ? NULL : &import->type};
	if (type == NULL || take_type(call, type, &import->type)) {
		code = run(import);
	}
	json_free(import->errors);
	free(import);
	return code;
}
