/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/reason.h"

#include "test/support/cmocka_all.h"

/* The words that logs and scripts rely on, each written out once more. */
static const struct {
	enum reason reason;
	const char *id;
} cases[] = {
    {REASON_REGISTRY_ERROR, "registry-error"},
    {REASON_NONE, "none"},
    {REASON_NOT_A_DEVICE, "not-a-device"},
    {REASON_CERT_MISSING, "cert-missing"},
    {REASON_CERT_TOO_LARGE, "cert-too-large"},
    {REASON_CERT_MALFORMED, "cert-malformed"},
    {REASON_CERT_IS_CA, "cert-is-ca"},
    {REASON_CA_UNKNOWN, "ca-unknown"},
    {REASON_CA_INACTIVE, "ca-inactive"},
    {REASON_CA_UNPROVEN, "ca-unproven"},
    {REASON_CA_EXPIRED, "ca-expired"},
    {REASON_CERT_EXPIRED, "cert-expired"},
    {REASON_CERT_NOT_YET_VALID, "cert-not-yet-valid"},
    {REASON_CERT_PURPOSE, "cert-purpose"},
    {REASON_CERT_WEAK, "cert-weak"},
    {REASON_CERT_REVOKED, "cert-revoked"},
    {REASON_CRL_MISSING, "crl-missing"},
    {REASON_CRL_STALE, "crl-stale"},
    {REASON_CERT_INVALID, "cert-invalid"},
    {REASON_IDENTITY_NONE, "identity-none"},
    {REASON_IDENTITY_SYNTAX, "identity-syntax"},
    {REASON_IDENTITY_CONFLICT, "identity-conflict"},
    {REASON_CA_SCOPE, "ca-scope"},
    {REASON_CLIENT_ID, "client-id"},
    {REASON_LEVEL_TLS, "level-tls"},
    {REASON_LEVEL_CERT, "level-cert"},
    {REASON_LEVEL_TOKEN, "level-token"},
    {REASON_TOKEN_WRONG, "token-wrong"},
    {REASON_DEVICE_LOCKED, "device-locked"},
    {REASON_DEVICE_PENDING, "device-pending"},
    {REASON_DEVICE_UNLISTED, "device-unlisted"},
    {REASON_WINDOW_EXPIRED, "window-expired"},
    {REASON_TYPE_UNKNOWN, "type-unknown"},
    {REASON_ID_FORMAT, "id-format"},
    {REASON_IDENTITY_CASE, "identity-case"},
    {REASON_ADDRESS, "address"},
    {REASON_QUOTA, "quota"},
    {REASON_RATE, "rate"},
    {REASON_PIN_MISMATCH, "pin-mismatch"},
    {REASON_CLOCK_UNSET, "clock-unset"},
    {REASON_REGISTRY_BUSY, "registry-busy"},
    {REASON_KNOWN, "known"},
    {REASON_PROVISIONED, "provisioned"},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static void
every_reason_has_its_word(void **state)
{
	size_t i;

	(void)state;
	/* A reason that is added has to be added above. */
	assert_int_equal(CASES, REASON_PROVISIONED + 1);
	for (i = 0; i < CASES; i++) {
		assert_int_equal(cases[i].reason, i);
		assert_string_equal(reason_id(cases[i].reason), cases[i].id);
	}
}

static void
no_two_reasons_share_a_word_or_a_sentence(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < CASES; i++) {
		for (j = 0; j < i; j++) {
			assert_string_not_equal(reason_id((enum reason)i),
			    reason_id((enum reason)j));
			assert_string_not_equal(reason_text((enum reason)i),
			    reason_text((enum reason)j));
		}
	}
}

static void
a_sentence_is_one_line_without_a_full_stop(void **state)
{
	const char *text;
	size_t i;

	(void)state;
	for (i = 0; i < CASES; i++) {
		text = reason_text((enum reason)i);
		assert_non_null(text);
		assert_true(strlen(text) > 10);
		assert_null(strchr(text, '\n'));
		assert_int_not_equal(text[strlen(text) - 1], '.');
	}
}

static void
only_two_reasons_admit(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CASES; i++) {
		assert_int_equal(reason_admits((enum reason)i),
		    i == REASON_KNOWN || i == REASON_PROVISIONED);
	}
}

static void
a_number_that_is_no_reason_refuses(void **state)
{
	const enum reason wrong = (enum reason)(REASON_PROVISIONED + 1);

	(void)state;
	assert_string_equal(reason_id(wrong), "registry-error");
	assert_string_equal(
	    reason_text(wrong), reason_text(REASON_REGISTRY_ERROR));
	assert_false(reason_admits(wrong));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_reason_has_its_word),
	    cmocka_unit_test(no_two_reasons_share_a_word_or_a_sentence),
	    cmocka_unit_test(a_sentence_is_one_line_without_a_full_stop),
	    cmocka_unit_test(only_two_reasons_admit),
	    cmocka_unit_test(a_number_that_is_no_reason_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
