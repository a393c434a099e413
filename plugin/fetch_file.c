/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/fetch_private.h"

#define FLAW_MAX 340 /* bytes of a sentence behind its label */

void
fetch_set_label(struct fetch *fetch, const char *url)
{
	size_t len = strcspn(url, "?#");
	const char *tail = url[len] == '\0' ? "" : "?...";

	if (len + strlen(tail) > FETCH_LABEL_MAX) {
		tail = "...";
		len = FETCH_LABEL_MAX - strlen(tail);
	}
	(void)snprintf(
	    fetch->label, sizeof(fetch->label), "%.*s%s", (int)len, url, tail);
}

void
fetch_fail(struct fetch *fetch, const char *format, ...)
{
	char flaw[FLAW_MAX + 1], *at;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(flaw, sizeof(flaw), format, args);
	va_end(args);
	for (at = flaw; *at != '\0'; at++) {
		if (*at < 0x20 || *at > 0x7e) {
			*at = '?';
		}
	}
	fetch->outcome = FETCH_FAILED;
	diag_set(&fetch->why, "%s: %s", fetch->label, flaw);
}

/* A date from the future is no date. */
int64_t
fetch_settled(int64_t modified_at)
{
	return modified_at >= 0 && modified_at <= clock_now() - FETCH_SETTLED_S
	    ? modified_at
	    : CLOCK_NONE;
}

/* All of a file of size bytes, and not a byte more. */
static void
read_all(struct fetch *fetch, int fd, size_t size)
{
	ssize_t n = 0;

	if ((fetch->bytes = malloc(size + 1)) == NULL) {
		fetch_fail(fetch, "no memory");
		return;
	}
	while (fetch->len <= size) {
		n = read(fd, fetch->bytes + fetch->len, size + 1 - fetch->len);
		if (n > 0) {
			fetch->len += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			break;
		}
	}
	if (n < 0) {
		fetch_fail(fetch, "cannot read it: %s", strerror(errno));
	} else if (fetch->len != size) {
		fetch_fail(fetch, "it changed while it was read");
	} else {
		fetch->outcome = FETCH_DONE;
	}
}

static void
read_opened(struct fetch *fetch, int fd, size_t max, int64_t modified_at)
{
	struct stat is;

	if (fstat(fd, &is) != 0) {
		fetch_fail(fetch, "cannot look at it: %s", strerror(errno));
	} else if (!S_ISREG(is.st_mode)) {
		fetch_fail(fetch, "it is not a regular file");
	} else if (modified_at != CLOCK_NONE && is.st_mtime == modified_at) {
		fetch->outcome = FETCH_UNCHANGED;
	} else if (is.st_size <= 0) {
		fetch_fail(fetch, "it is empty");
	} else if ((uintmax_t)is.st_size > max) {
		fetch_fail(fetch, "it is larger than %zu bytes", max);
	} else {
		fetch->modified_at = fetch_settled(is.st_mtime);
		read_all(fetch, fd, (size_t)is.st_size);
	}
}

void
fetch_file(
    struct fetch *fetch, const char *path, size_t max, int64_t modified_at)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		fetch_fail(fetch, "cannot open it: %s", strerror(errno));
		return;
	}
	read_opened(fetch, fd, max, modified_at);
	(void)close(fd);
}
