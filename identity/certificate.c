/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "identity/certificate.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* The candidates seen so far, which must all be one and the same. */
struct search {
	struct identity who;
	bool found;
	const char **why;
};

static enum reason
refuse(struct search *search, enum reason reason, const char *why)
{
	*search->why = why;
	return reason;
}

/* Look at one name, by length: a NUL is a byte like any other here, and one
 * that identity_parse() does not take. */
static enum reason
take(struct search *search, const ASN1_STRING *name)
{
	const char *text = (const char *)ASN1_STRING_get0_data(name);
	size_t len = (size_t)ASN1_STRING_length(name);
	struct identity who;

	if (!identity_is_candidate(text, len)) {
		return REASON_NONE;
	}
	if (identity_parse(text, len, &who, search->why) != RES_OK) {
		return REASON_IDENTITY_SYNTAX;
	}
	if (search->found && !identity_equal(&search->who, &who)) {
		return refuse(search, REASON_IDENTITY_CONFLICT,
		    "the certificate names two different identities");
	}
	search->who = who;
	search->found = true;
	return REASON_NONE;
}

/* A name in a string type that does not count: harmless, unless it or what it
 * stands for looks like an identity. */
static enum reason
take_foreign(struct search *search, const ASN1_STRING *name)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, name);
	bool claims;

	if (len < 0) {
		return refuse(search, REASON_IDENTITY_SYNTAX,
		    "the common name cannot be read as text");
	}
	claims = identity_is_candidate((const char *)utf8, (size_t)len) ||
	    identity_is_candidate((const char *)ASN1_STRING_get0_data(name),
	        (size_t)ASN1_STRING_length(name));
	OPENSSL_free(utf8);
	if (claims) {
		return refuse(search, REASON_IDENTITY_SYNTAX,
		    "the common name is neither a PrintableString nor a "
		    "UTF8String");
	}
	return REASON_NONE;
}

static enum reason
take_common_name(struct search *search, const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	const ASN1_STRING *name;
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0) {
		return REASON_NONE;
	}
	/* X.501 lets a subject carry several, in one RDN or in many.  To pick
	 * one would be a guess. */
	if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
		return refuse(search, REASON_IDENTITY_CONFLICT,
		    "the certificate has more than one common name");
	}
	name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	switch (ASN1_STRING_type(name)) {
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_UTF8STRING:
		return take(search, name);
	default:
		return take_foreign(search, name);
	}
}

/*
 * Decode the one subjectAltName.  X509_get_ext_d2i() would do, but overlooks
 * bytes that follow the sequence.  *out is NULL if there is none.
 */
static enum reason
read_alt_names(struct search *search, const X509 *cert, GENERAL_NAMES **out)
{
	int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
	const ASN1_OCTET_STRING *value;
	const unsigned char *from, *end;
	GENERAL_NAMES *names;

	*out = NULL;
	if (at < 0) {
		return REASON_NONE;
	}
	if (X509_get_ext_by_NID(cert, NID_subject_alt_name, at) >= 0) {
		return refuse(search, REASON_IDENTITY_SYNTAX,
		    "the certificate has more than one subjectAltName");
	}
	value = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	from = ASN1_STRING_get0_data(value);
	end = from + ASN1_STRING_length(value);
	names = d2i_GENERAL_NAMES(NULL, &from, end - from);
	if (names == NULL || from != end) {
		GENERAL_NAMES_free(names);
		return refuse(search, REASON_IDENTITY_SYNTAX,
		    "the subjectAltName cannot be decoded");
	}
	*out = names;
	return REASON_NONE;
}

static enum reason
take_alt_names(struct search *search, const X509 *cert)
{
	GENERAL_NAMES *names;
	const GENERAL_NAME *name;
	enum reason reason = read_alt_names(search, cert, &names);
	int i;

	for (i = 0; reason == REASON_NONE && i < sk_GENERAL_NAME_num(names);
	     i++) {
		name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_EMAIL) {
			reason = take(search, name->d.rfc822Name);
		}
	}
	GENERAL_NAMES_free(names);
	return reason;
}

enum reason
identity_from_certificate(
    const X509 *cert, struct identity *out, const char **why)
{
	struct search search = {.why = why};
	enum reason reason;

	/* What is left in the thread's error queue would end the connection
	 * that the broker reads next. */
	ERR_set_mark();
	reason = take_common_name(&search, cert);
	if (reason == REASON_NONE) {
		reason = take_alt_names(&search, cert);
	}
	ERR_pop_to_mark();
	if (reason != REASON_NONE) {
		return reason;
	}
	if (!search.found) {
		return refuse(&search, REASON_IDENTITY_NONE,
		    "neither the common name nor an e-mail SAN begins with d: "
		    "or g:");
	}
	*out = search.who;
	return REASON_NONE;
}
