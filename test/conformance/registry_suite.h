/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_suite: what every back end of the registry does alike.  Each is
 * linked with the one suite and must pass it whole.
 */
#ifndef TEST_CONFORMANCE_REGISTRY_SUITE_H
#define TEST_CONFORMANCE_REGISTRY_SUITE_H

#include "test/support/cmocka_all.h"

#include "registry/backend.h"

#define NOW 1800000000

/* Run all of it on a back end; the number of failures. */
int registry_suite(const struct backend *backend);

/* One test's registry, made anew for each. */
struct suite {
	char directory[64], path[80];
	struct registry *registry;
};

extern const struct backend *suite_backend;
int suite_setup(void **state);
int suite_teardown(void **state);

#define SUITE_TEST(function)                                                   \
	cmocka_unit_test_setup_teardown(function, suite_setup, suite_teardown)

/* Parts of the suite, by what they are about. */
int suite_config_tests(void);
int suite_ca_tests(void);
int suite_crl_tests(void);
int suite_device_tests(void);
int suite_event_tests(void);
int suite_fact_tests(void);
int suite_note_tests(void);
int suite_quota_tests(void);
int suite_tally_tests(void);
int suite_transaction_tests(void);

/* Helpers.  A change is told of by "operator" with kind "k" and subject "s",
 * and is in the org default. */
struct identity suite_identity(const char *text);
struct change suite_change(enum change_kind kind, void *record);
enum res suite_apply(
    struct registry *registry, enum change_kind kind, void *record);
/* The same, and the result and a sentence are as they must be. */
void suite_expect(struct registry *registry, enum change_kind kind,
    void *record, enum res want);
void suite_load(struct registry *registry, struct config *out);
struct device suite_device(const char *identity, enum device_state state);
int64_t suite_mark(struct registry *registry);
/* A CA whose fingerprint begins with these hex digits. */
struct ca_record suite_ca(const char *digits, char *subject);
/* A hook with this id; what it points to is constant. */
struct hook_record suite_hook(const char *id);
/* Pins with slots whose fingerprints begin with these octets. */
struct pins suite_pins(const char *octets);
struct device suite_behind(const char *identity, const char *gateway);
/* The device, which must be there. */
struct device suite_get(struct registry *registry, const char *identity);
/* A list with a number that ends in these hex digits and a fingerprint that
 * begins with this octet. */
struct crl_record suite_crl(const char *number, uint8_t first);

#endif /* TEST_CONFORMANCE_REGISTRY_SUITE_H */
