/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca: what a certificate must be to become a registered CA.
 */
#ifndef TRUST_CA_H
#define TRUST_CA_H

#include "trust/cert.h"

#define CA_FILE_MAX     (64 * 1024)
#define CA_WARNINGS_MAX 6
#define CA_EXPIRES_SOON ((int64_t)90 * 86400) /* seconds */

/* A candidate that passed.  Every pointer belongs to the struct. */
struct ca_candidate {
	struct cert_info info;
	uint8_t *der;
	size_t der_len;
	char common_name[65];                  /* printable ASCII, or "" */
	const char *warnings[CA_WARNINGS_MAX]; /* constant sentences */
	size_t warning_count;
};

/*
 * Exactly one certificate, PEM or DER; valid at now; X509_check_ca() == 1;
 * keyCertSign where keyUsage is present; RSA of 2048 bits or more, P-256,
 * P-384, P-521, Ed25519 or Ed448; no critical extension that OpenSSL does not
 * know.  RES_SYNTAX: no certificate.  RES_REFUSED: a certificate that may not
 * be registered.  why says in words what is wrong.  What does not disqualify
 * (no subject key identifier, no keyUsage, expiring within 90 days, SHA-1
 * signature) is in warnings.
 */
MUST_CHECK enum res ca_parse(const uint8_t *bytes, size_t len, int64_t now,
    struct ca_candidate *out, struct diag *why);
void ca_candidate_done(struct ca_candidate *ca);

/* OpenSSL's X509_NAME hash of a CA's subject, as c_rehash names files. */
MUST_CHECK enum res ca_subject_hash(
    const uint8_t *der, size_t der_len, unsigned long *out);

#endif /* TRUST_CA_H */
