/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * The signature comes before whatever it vouches for.
 *
 * OpenSSL notes some of this while it decodes a list, but keeps its notes to
 * itself, and its releases differ in what they make of them (3.0.19 takes a
 * delta CRL for a complete one).  So nothing here relies on them.
 */
#include "trust/crl_check.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "trust/cert.h"
#include "trust/crl.h"
#include "trust/extension.h"
#include "trust/signature.h"

#define ADVICE_COMPLETE                                                        \
	"; register a complete CRL of this CA, without "                       \
	"issuingDistributionPoint"

/* Whether the list may not be registered; *why says for which reason. */
typedef bool refusal(X509_CRL *list, X509 *ca, const char **why);

/* RFC 5280 5.1.2.1: version 1 has neither number nor scope. */
static bool
has_other_version(X509_CRL *list, X509 *ca, const char **why)
{
	(void)ca;
	*why = "it is not of version 2, so it has no CRL number; have the CA "
	       "issue one with extensions";
	return X509_CRL_get_version(list) != X509_CRL_VERSION_2;
}

static bool
has_other_issuer(X509_CRL *list, X509 *ca, const char **why)
{
	*why = "its issuer is not this CA's subject; register it for the CA "
	       "that issued it";
	return X509_NAME_cmp(
	           X509_CRL_get_issuer(list), X509_get_subject_name(ca)) != 0;
}

/* The answer is all bits where there is no keyUsage, none on an error. */
static bool
may_not_sign(X509_CRL *list, X509 *ca, const char **why)
{
	(void)list;
	*why = "the CA's keyUsage does not hold cRLSign, so the CA may not "
	       "sign CRLs; have the CA's certificate issued anew";
	return (X509_get_key_usage(ca) & KU_CRL_SIGN) == 0;
}

static bool
is_weak(X509_CRL *list, X509 *ca, const char **why)
{
	const X509_ALGOR *algorithm = NULL;

	if (!cert_has_strong_key(ca, why)) {
		return true;
	}
	*why = "its signature does not use SHA-2, SHA-3, Ed25519 or Ed448; "
	       "have the CA sign it with SHA-256";
	X509_CRL_get0_signature(list, NULL, &algorithm);
	return !signature_is_strong(algorithm);
}

/* X509_CRL_verify() also compares the signature's two algorithms, the signed
 * one and the other. */
static bool
is_forged(X509_CRL *list, X509 *ca, const char **why)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);

	*why = "its signature is not by this CA's key; register it for the CA "
	       "that signed it, or fetch it anew";
	return key == NULL || X509_CRL_verify(list, key) != 1;
}

static bool
is_malformed(X509_CRL *list, X509 *ca, const char **why)
{
	const char *detail;

	(void)ca;
	*why = "an extension of it stands twice or cannot be decoded, or "
	       "there are more than 64; have the CA issue it anew";
	return !extensions_are_sound(X509_CRL_get0_extensions(list), &detail);
}

static bool
has_bad_dates(X509_CRL *list, X509 *ca, const char **why)
{
	(void)ca;
	if (X509_CRL_get0_nextUpdate(list) == NULL) {
		*why = "it has no nextUpdate, so nobody could tell when it is "
		       "too old; have the CA issue one with a nextUpdate";
		return true;
	}
	*why = "its dates cannot be read; have the CA issue it anew";
	return cert_time(X509_CRL_get0_lastUpdate(list)) == CLOCK_NONE ||
	    cert_time(X509_CRL_get0_nextUpdate(list)) == CLOCK_NONE;
}

/* RFC 5280 5.2.4.  A delta CRL has a complete one's shape. */
static bool
is_delta(X509_CRL *list, X509 *ca, const char **why)
{
	(void)ca;
	*why = "it is a delta CRL, which tells only what is new; register the "
	       "complete CRL";
	return X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0;
}

/* RFC 5280 5.2.3. */
static bool
has_bad_number(X509_CRL *list, X509 *ca, const char **why)
{
	ASN1_INTEGER *number;
	int critical;
	bool bad;

	(void)ca;
	number = X509_CRL_get_ext_d2i(list, NID_crl_number, &critical, NULL);
	if (critical > 0) {
		*why = "its CRL number is critical, which RFC 5280 forbids; "
		       "have the CA issue it anew";
		bad = true;
	} else if (number == NULL) {
		*why = "it has no CRL number, so an old one could pass for a "
		       "new one; have the CA issue CRLs with cRLNumber";
		bad = true;
	} else {
		*why = "its CRL number is negative, or has more than 20 "
		       "octets; have the CA issue it anew";
		bad = ASN1_STRING_type(number) != V_ASN1_INTEGER ||
		    ASN1_STRING_length(number) > CRL_NUMBER_MAX / 2;
	}
	ASN1_INTEGER_free(number);
	return bad;
}

/* What limits the list, or NULL.  The flags are -1 or 0 where they are off. */
static const char *
find_limit(const ISSUING_DIST_POINT *point)
{
	if (point->indirectCRL > 0) {
		return "it is an indirect CRL, about certificates of other "
		       "CAs" ADVICE_COMPLETE;
	}
	if (point->onlyCA > 0) {
		return "it is about certificates of CAs alone" ADVICE_COMPLETE;
	}
	if (point->onlyattr > 0) {
		return "it is about attribute certificates "
		       "alone" ADVICE_COMPLETE;
	}
	if (point->onlysomereasons != NULL) {
		return "it is about some reasons of revocation "
		       "alone" ADVICE_COMPLETE;
	}
	if (point->distpoint != NULL) {
		return "it is about the certificates of one distribution "
		       "point alone" ADVICE_COMPLETE;
	}
	if (point->onlyuser <= 0) {
		return "its issuingDistributionPoint is empty, which RFC 5280 "
		       "forbids" ADVICE_COMPLETE;
	}
	return NULL;
}

/* RFC 5280 5.2.5. */
static bool
is_partial(X509_CRL *list, X509 *ca, const char **why)
{
	ISSUING_DIST_POINT *point;
	int critical;

	(void)ca;
	point = X509_CRL_get_ext_d2i(
	    list, NID_issuing_distribution_point, &critical, NULL);
	*why = point != NULL ? find_limit(point)
	    : critical != -1 ? "its issuingDistributionPoint cannot be "
	                       "decoded; have the CA issue it anew"
	                     : NULL;
	ISSUING_DIST_POINT_free(point);
	return *why != NULL;
}

/* RFC 5280 5.2.1.  The signature fits all the same, so such a list is of a CA
 * that mixes its keys up. */
static bool
names_other_key(X509_CRL *list, X509 *ca, const char **why)
{
	AUTHORITY_KEYID *named;
	int critical;
	bool other;

	named = X509_CRL_get_ext_d2i(
	    list, NID_authority_key_identifier, &critical, NULL);
	*why = "its authority key identifier names another key or "
	       "certificate than this CA's; register it for the CA that "
	       "issued it";
	(void)X509_get_extension_flags(ca); /* decodes what is compared */
	other = named != NULL ? X509_check_akid(ca, named) != X509_V_OK
	                      : critical != -1;
	AUTHORITY_KEYID_free(named);
	return other;
}

static bool
has_unknown_critical(X509_CRL *list, X509 *ca, const char **why)
{
	static const int known[] = {
	    NID_issuing_distribution_point, NID_authority_key_identifier};

	(void)ca;
	*why = "it has a critical extension that is not known here; have the "
	       "CA issue CRLs without";
	return extensions_have_critical_but(X509_CRL_get0_extensions(list),
	    known, sizeof(known) / sizeof(known[0]));
}

/* Positive, and as long as a certificate's may be; no other is ever asked
 * for, and one that stood here could not be what it seems. */
static bool
is_serial(const ASN1_INTEGER *serial)
{
	const unsigned char *octets = ASN1_STRING_get0_data(serial);
	int len = ASN1_STRING_length(serial);

	return ASN1_STRING_type(serial) == V_ASN1_INTEGER && len > 0 &&
	    len <= CRL_SERIAL_MAX && octets[0] != 0;
}

/*
 * RFC 5280 5.3.  Whatever the reason code says the certificate counts as
 * revoked, removeFromCRL included, which has no place in a complete list.
 */
static bool
is_bad_entry(const X509_REVOKED *entry, const char **why)
{
	static const int known[] = {NID_crl_reason, NID_invalidity_date};
	const STACK_OF(X509_EXTENSION) *list =
	    X509_REVOKED_get0_extensions(entry);
	const char *detail;

	if (!is_serial(X509_REVOKED_get0_serialNumber(entry))) {
		*why = "it lists a serial number that is not positive, or has "
		       "more than 20 octets; have the CA issue it anew";
		return true;
	}
	if (!extensions_are_sound(list, &detail)) {
		*why = "an extension of an entry stands twice or cannot be "
		       "decoded; have the CA issue it anew";
		return true;
	}
	if (X509v3_get_ext_by_NID(list, NID_certificate_issuer, -1) >= 0) {
		*why = "it lists certificates of other CAs; register a CRL of "
		       "this CA alone";
		return true;
	}
	*why = "it has an entry with a critical extension that is not known "
	       "here; have the CA issue CRLs without";
	return extensions_have_critical_but(
	    list, known, sizeof(known) / sizeof(known[0]));
}

static bool
has_bad_entry(X509_CRL *list, X509 *ca, const char **why)
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
	int i, n = sk_X509_REVOKED_num(entries);

	(void)ca;
	for (i = 0; i < n; i++) {
		if (is_bad_entry(sk_X509_REVOKED_value(entries, i), why)) {
			return true;
		}
	}
	return false;
}

static refusal *const refusals[] = {
    has_other_version,
    has_other_issuer,
    may_not_sign,
    is_weak,
    is_forged,
    is_malformed,
    has_bad_dates,
    is_delta,
    has_bad_number,
    is_partial,
    names_other_key,
    has_unknown_critical,
    has_bad_entry,
};

bool
crl_check(X509_CRL *list, X509 *ca, const char **why)
{
	const char *objection = NULL;
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i](list, ca, &objection)) {
			*why = objection;
			return false;
		}
	}
	return true;
}

/* No other list with this extension has passed is_partial(). */
bool
crl_check_is_for_users(X509_CRL *list)
{
	return X509_CRL_get_ext_by_NID(
	           list, NID_issuing_distribution_point, -1) >= 0;
}
