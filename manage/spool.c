/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manage/interrupt.h"

#define CHUNK 65536

static const char *
find_directory(void)
{
	const char *named = secure_getenv("TMPDIR");

	return named != NULL && named[0] != '\0' ? named : "/var/tmp";
}

static enum res
fail_write(const char *name, struct diag *why)
{
	const char *directory = find_directory();

	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
		return diag_res(why, RES_REFUSED,
		    "there is no room in %.200s for what comes from %.200s: "
		    "make some, or name another directory in TMPDIR",
		    directory, name);
	}
	return diag_res(why, RES_REFUSED,
	    "what comes from %.200s cannot be put into a file in %.200s (%s): "
	    "name another directory in TMPDIR",
	    name, directory, strerror(errno));
}

static enum res
open_unnamed(const char *name, int *out, struct diag *why)
{
	char path[PATH_MAX];
	int n =
	    snprintf(path, sizeof(path), "%s/certid-XXXXXX", find_directory());

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return fail_write(name, why);
	}
	*out = mkostemp(path, O_CLOEXEC);
	if (*out < 0) {
		return fail_write(name, why);
	}
	(void)unlink(path);
	return RES_OK;
}

/* False: errno says why. */
static bool
write_all(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static enum res
copy(int from, int to, const char *name, struct diag *why)
{
	char chunk[CHUNK];
	ssize_t n;

	for (;;) {
		if (interrupt_came()) {
			return diag_res(why, RES_REFUSED,
			    "interrupted, and nothing was imported");
		}
		n = read(from, chunk, sizeof(chunk));
		if (n == 0) {
			return RES_OK;
		}
		if (n < 0 && errno != EINTR) {
			return diag_res(why, RES_REFUSED,
			    "cannot read the file %.200s: %s", name,
			    strerror(errno));
		}
		if (n > 0 && !write_all(to, chunk, (size_t)n)) {
			return fail_write(name, why);
		}
	}
}

enum res
spool(int fd, const char *name, int *out, struct diag *why)
{
	int made = -1;
	enum res r = open_unnamed(name, &made, why);

	if (r == RES_OK) {
		r = copy(fd, made, name, why);
	}
	if (r == RES_OK && lseek(made, 0, SEEK_SET) != 0) {
		r = fail_write(name, why);
	}
	if (r != RES_OK) {
		if (made >= 0) {
			(void)close(made);
		}
		return r;
	}
	*out = made;
	return RES_OK;
}
