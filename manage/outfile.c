/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "manage/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside path, so that it can take its place. */
enum res
outfile_open(struct outfile *file, const char *path, struct diag *why)
{
	struct stat stat;
	int fd, error;

	*file = (struct outfile){.path = path};
	if (lstat(path, &stat) == 0 && !S_ISREG(stat.st_mode)) {
		return diag_res(why, RES_REFUSED,
		    "%.200s is there and not a regular file: write to another "
		    "one, or leave out --output",
		    path);
	}
	if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0) {
		file->temporary = NULL;
		return diag_res(why, RES_NOMEM, "there is not enough memory");
	}
	fd = mkostemp(file->temporary, O_CLOEXEC);
	file->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (file->to != NULL) {
		return RES_OK;
	}
	error = errno;
	if (fd >= 0) {
		(void)close(fd);
		(void)unlink(file->temporary);
	}
	free(file->temporary);
	file->temporary = NULL;
	return diag_res(why, RES_REFUSED, "cannot make the file %.200s: %s",
	    path, strerror(error));
}

enum res
outfile_commit(struct outfile *file, struct diag *why)
{
	bool failed = fflush(file->to) != 0 || ferror(file->to) ||
	    fsync(fileno(file->to)) != 0;
	int error = errno;

	failed = (fclose(file->to) != 0 && !failed) || failed;
	file->to = NULL;
	if (!failed && rename(file->temporary, file->path) != 0) {
		failed = true;
		error = errno;
	}
	if (failed) {
		(void)unlink(file->temporary);
	}
	free(file->temporary);
	file->temporary = NULL;
	return failed ? diag_res(why, RES_REFUSED,
	                    "cannot write the output: %s", strerror(error))
	              : RES_OK;
}

void
outfile_drop(struct outfile *file)
{
	if (file->to != NULL) {
		(void)fclose(file->to);
		(void)unlink(file->temporary);
	}
	free(file->temporary);
	*file = (struct outfile){.to = NULL};
}
