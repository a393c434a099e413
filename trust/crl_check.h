/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_check: what a CRL must be to be registered for a CA, but for its dates.
 * See crl.h, crl_parse().  For this room only.
 */
#ifndef TRUST_CRL_CHECK_H
#define TRUST_CRL_CHECK_H

#include <openssl/types.h>
#include <stdbool.h>

/* False: *why is a constant sentence, which calls the CRL "it" and says what
 * to do.  Errors stay in OpenSSL's queue. */
bool crl_check(X509_CRL *list, X509 *ca, const char **why);

/* Whether a list that passed is about the certificates of users alone. */
bool crl_check_is_for_users(X509_CRL *list);

#endif /* TRUST_CRL_CHECK_H */
