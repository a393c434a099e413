/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * A process in which OpenSSL finds no generator of random numbers, for it is
 * told a name that there is not before it makes its first.
 */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "test/support/cmocka_all.h"
#include "trust/proof.h"

static void
gives_no_code_without_random_numbers(void **state)
{
	char code[PROOF_CODE_LEN + 1] = "untouched";
	struct diag why = {""};

	(void)state;
	assert_int_equal(proof_code_new(code, &why), RES_UNAVAIL);
	assert_string_equal(code, "untouched");
	assert_string_not_equal(why.text, "");
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gives_no_code_without_random_numbers),
	};

	if (RAND_set_DRBG_type(NULL, "NO-SUCH-DRBG", NULL, NULL, NULL) != 1) {
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
