/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "plugin/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE 0640

struct lease {
	char *path, *model;
	int fd; /* -1: the file is to be opened */
	bool held;
};

/* Several may do so at once. */
static enum res
open_file(struct lease *lease, struct diag *why)
{
	struct stat is;

	lease->fd = open(lease->path,
	    O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    MODE);
	if (lease->fd < 0) {
		return diag_res(why, RES_UNAVAIL, "cannot open %s: %s",
		    lease->path, strerror(errno));
	}
	if (geteuid() == 0 && stat(lease->model, &is) == 0 &&
	    fchown(lease->fd, is.st_uid, is.st_gid) != 0) {
		return diag_res(why, RES_UNAVAIL, "cannot give away %s: %s",
		    lease->path, strerror(errno));
	}
	return RES_OK;
}

static void
close_file(struct lease *lease)
{
	if (lease->fd >= 0) {
		(void)close(lease->fd);
	}
	lease->fd = -1;
	lease->held = false;
}

enum res
lease_open(
    const char *path, const char *model, struct lease **out, struct diag *why)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	enum res r;

	if (lease == NULL) {
		return diag_res(why, RES_NOMEM, "no memory");
	}
	lease->fd = -1;
	if ((lease->path = strdup(path)) == NULL ||
	    (lease->model = strdup(model)) == NULL) {
		lease_close(lease);
		return diag_res(why, RES_NOMEM, "no memory");
	}
	if ((r = open_file(lease, why)) != RES_OK) {
		lease_close(lease);
		return r;
	}
	*out = lease;
	return RES_OK;
}

void
lease_close(struct lease *lease)
{
	if (lease != NULL) {
		close_file(lease);
		free(lease->path);
		free(lease->model);
		free(lease);
	}
}

/* Whether the open file is still the one that others would open. */
static bool
is_there(const struct lease *lease)
{
	struct stat open_one, named;

	return fstat(lease->fd, &open_one) == 0 &&
	    lstat(lease->path, &named) == 0 &&
	    open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

bool
lease_take(struct lease *lease)
{
	if (lease->fd >= 0 && !is_there(lease)) {
		close_file(lease);
		return false;
	}
	if (lease->fd < 0 && open_file(lease, NULL) != RES_OK) {
		close_file(lease);
		return false;
	}
	/* Of an open file, not of a process: two instances of the plugin in one
	 * broker keep each other out too. */
	if (!lease->held && flock(lease->fd, LOCK_EX | LOCK_NB) == 0) {
		lease->held = is_there(lease);
	}
	return lease->held;
}
