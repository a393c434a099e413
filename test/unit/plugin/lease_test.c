/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* One holder at a time. */
#include "plugin/lease.h"

#include "test/support/cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char directory[64], path[80], other[80];
};

static int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	(void)snprintf(place->directory, sizeof(place->directory),
	    "/tmp/certid-lease-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	(void)snprintf(
	    place->path, sizeof(place->path), "%s/lock", place->directory);
	(void)snprintf(
	    place->other, sizeof(place->other), "%s/other", place->directory);
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;

	(void)unlink(place->path);
	(void)unlink(place->other);
	assert_int_equal(rmdir(place->directory), 0);
	free(place);
	return 0;
}

static struct lease *
must_open(const struct place *place)
{
	struct lease *lease = NULL;
	struct diag why = {{0}};

	assert_int_equal(
	    lease_open(place->path, place->directory, &lease, &why), RES_OK);
	return lease;
}

static void
one_has_it(void **state)
{
	struct lease *first = must_open(*state), *second = must_open(*state);

	assert_true(lease_take(first));
	assert_false(lease_take(second));
	assert_true(lease_take(first));
	assert_false(lease_take(second));
	lease_close(first);
	assert_true(lease_take(second));
	lease_close(second);
	lease_close(NULL);
}

/* A process that is killed gives nothing back by itself. */
static void
the_dead_have_nothing(void **state)
{
	struct lease *ours = must_open(*state), *theirs;
	int pipes[2], life[2], status;
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(life), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		theirs = must_open(*state);
		byte = lease_take(theirs) ? 'y' : 'n';
		if (write(pipes[1], &byte, 1) != 1) {
			_exit(1);
		}
		/* Until it is killed, or this program ends. */
		(void)close(life[1]);
		(void)!read(life[0], &byte, 1);
		_exit(1);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_false(lease_take(ours));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(lease_take(ours));
	lease_close(ours);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)close(life[0]);
	(void)close(life[1]);
}

static void
a_file_that_is_removed_is_no_lock(void **state)
{
	const struct place *place = *state;
	struct lease *first = must_open(place), *second;

	assert_true(lease_take(first));
	assert_int_equal(unlink(place->path), 0);
	assert_false(lease_take(first));
	second = must_open(place);
	assert_true(lease_take(second));
	assert_false(lease_take(first));
	lease_close(second);
	assert_true(lease_take(first));
	/* Another one in its place. */
	assert_int_equal(rename(place->path, place->other), 0);
	second = must_open(place);
	assert_true(lease_take(second));
	assert_false(lease_take(first));
	assert_false(lease_take(first));
	lease_close(second);
	lease_close(first);
}

static void
what_cannot_be_opened(void **state)
{
	const struct place *place = *state;
	struct lease *lease = NULL;
	struct diag why = {{0}};

	assert_int_equal(symlink(place->other, place->path), 0);
	assert_int_equal(
	    lease_open(place->path, place->directory, &lease, &why),
	    RES_UNAVAIL);
	assert_null(lease);
	assert_non_null(strstr(why.text, place->path));
	assert_int_equal(access(place->other, F_OK), -1);
	assert_int_equal(
	    lease_open("/none/lock", place->directory, &lease, &why),
	    RES_UNAVAIL);
	assert_null(lease);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_has_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        the_dead_have_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        a_file_that_is_removed_is_no_lock, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        what_cannot_be_opened, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
