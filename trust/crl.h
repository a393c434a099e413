/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl: certificate revocation lists (RFC 5280 5, 6.3): what a list must be to
 * be registered for a CA, and whether it names a certificate.
 *
 * Only complete lists, signed by the CA itself, about all of its certificates
 * or all but those of CAs.  Everything else is refused: a list that is not
 * understood must not count as one that says nothing.
 *
 * Does not check: whether a number is higher than that of the CRL before.  Any
 * thread may call this.
 */
#ifndef TRUST_CRL_H
#define TRUST_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/res.h"
#include "common/text.h"

#define CRL_DER_MAX    (8 * 1024 * 1024)  /* about 200,000 certificates */
#define CRL_FILE_MAX   (12 * 1024 * 1024) /* the same as PEM */
#define CRL_NUMBER_MAX 40                 /* hex digits, 20 octets */
#define CRL_SERIAL_MAX 20                 /* octets, RFC 5280 4.1.2.2 */
#define CRL_URL_MAX    1024               /* bytes */

/* What holds where a CA's CRL is missing.  Zero is the strictest. */
enum crl_policy {
	CRL_REQUIRED = 0, /* without one nobody is admitted */
	CRL_IF_PRESENT,   /* one that is there counts, and must be fresh */
	CRL_OFF,          /* none is looked at */
};

const char *crl_policy_name(enum crl_policy policy); /* "if-present", ... */
bool crl_policy_parse(const char *name, enum crl_policy *out);

struct crl; /* immutable; counted references; reading from any thread */

struct crl_info {
	uint8_t fingerprint[HASH_LEN];   /* SHA-256 of the DER */
	char number[CRL_NUMBER_MAX + 1]; /* all 40 lower-case hex digits, so
	                                    that the order of the text is the
	                                    order of the numbers */
	int64_t this_update, next_update;
	size_t entries;
};

/*
 * Read exactly one CRL, PEM or DER, for the CA whose certificate is ca_der.
 * It must be a complete one of version 2: issuer and signature the CA's (which
 * has cRLSign where it has a keyUsage), a signature no weaker than a
 * certificate's may be, a CRL number of 1 to 20 octets in an extension that is
 * not critical, thisUpdate <= now < nextUpdate + grace, no delta, no indirect
 * list, none for some reasons, for attribute certificates, for CAs alone or
 * for a distribution point; no authority key identifier of another key; no
 * critical extension that is not known, in an entry neither; positive serial
 * numbers of up to 20 octets.  Text around a PEM block is skipped; DER that
 * does not come out again as it went in is refused, as for certificates.
 * grace is in seconds.
 *
 * RES_SYNTAX: not one CRL.  RES_REFUSED: one that may not be registered, or a
 * private key is in the file.  RES_LIMIT: too large.  RES_CORRUPT: ca_der is
 * not one certificate.  RES_NOMEM.  why says in words what is wrong and what
 * to do.  On RES_OK the caller owns *out; *der (where der is not NULL), to be
 * freed, is the CRL's DER.
 */
MUST_CHECK enum res crl_parse(const uint8_t *bytes, size_t len,
    const uint8_t *ca_der, size_t ca_der_len, int64_t now, int64_t grace,
    struct crl **out, uint8_t **der, size_t *der_len, struct diag *why);

/* One that the registry holds: DER, with the same checks but for the dates,
 * which are looked at whenever a certificate is.  RES_CORRUPT where they
 * fail; RES_NOMEM. */
MUST_CHECK enum res crl_restore(const uint8_t *der, size_t der_len,
    const uint8_t *ca_der, size_t ca_der_len, struct crl **out,
    struct diag *why);

struct crl *crl_ref(struct crl *crl);
void crl_unref(struct crl *crl); /* NULL is allowed */

const struct crl_info *crl_info(const struct crl *crl);

enum crl_answer {
	CRL_SILENT = 0, /* it is not about such certificates */
	CRL_LISTED,     /* revoked, or on hold */
	CRL_CLEAR,
};

/* The serial number as unsigned octets, in which leading zeros do not count;
 * is_ca: the certificate is a CA's.  CRL_SILENT also for a number that no list
 * may hold: zero, or more than CRL_SERIAL_MAX octets. */
enum crl_answer crl_look(
    const struct crl *crl, const uint8_t *serial, size_t len, bool is_ca);

/* Whether text may be a CA's crl-url: https://HOST... or file:///PATH,
 * printable ASCII without blanks, at most CRL_URL_MAX bytes; no user name in
 * it; in a file's path no '%', '?' or '#'.  RES_SYNTAX, RES_LIMIT. */
MUST_CHECK enum res crl_url_check(const char *text, struct diag *why);

#endif /* TRUST_CRL_H */
