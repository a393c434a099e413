/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * certificate: the one identity that a certificate names.
 *
 * Sources are the subject's common name (PrintableString or UTF8String) and
 * every rfc822Name in subjectAltName (RFC 5280, 4.2.1.6).  A source that begins
 * "d:" or "g:" is a candidate; all candidates must parse and be one and the
 * same.
 *
 * Does not check: who signed the certificate, dates, purpose, revocation.
 * That is trust/.
 */
#ifndef IDENTITY_CERTIFICATE_H
#define IDENTITY_CERTIFICATE_H

#include "common/reason.h"
#include "identity/identity.h"

struct x509_st; /* OpenSSL's X509 */

/*
 * REASON_NONE and *out set; or REASON_IDENTITY_NONE, _SYNTAX or _CONFLICT,
 * with *out as it was and *why a constant sentence.  More than one common
 * name is _CONFLICT whatever they say.  A name that looks like an identity in
 * a string type that does not count (BMPString, T61String) is _SYNTAX, and so
 * is a subjectAltName that cannot be decoded, for want of memory too, or that
 * stands twice.  Any thread; cert is only read.
 */
enum reason identity_from_certificate(
    const struct x509_st *cert, struct identity *out, const char **why);

#endif /* IDENTITY_CERTIFICATE_H */
