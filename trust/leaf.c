/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/leaf.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "identity/certificate.h"

#define DNS_NAME_MAX  253 /* RFC 1035, 2.3.4, in characters */
#define DNS_LABEL_MAX 63

struct leaf {
	X509 *cert;
	size_t der_len;
	struct cert_info info;
};

struct leaf *
leaf_adopt(struct x509_st *cert)
{
	struct leaf *leaf = calloc(1, sizeof(*leaf));
	int len;

	if (leaf == NULL) {
		X509_free(cert);
		return NULL;
	}
	ERR_set_mark();
	leaf->cert = cert;
	len = i2d_X509(cert, NULL);
	leaf->der_len = len > 0 ? (size_t)len : 0;
	if (len <= 0 || cert_info_read(cert, &leaf->info, NULL) != RES_OK) {
		leaf_free(leaf);
		leaf = NULL;
	}
	ERR_pop_to_mark();
	return leaf;
}

enum res
leaf_parse(
    const uint8_t *bytes, size_t len, struct leaf **out, struct diag *why)
{
	X509 *cert = NULL;
	struct leaf *leaf;
	enum res r = cert_parse(bytes, len, &cert, why);

	if (r != RES_OK) {
		return r;
	}
	if ((leaf = leaf_adopt(cert)) == NULL) {
		return diag_res(why, RES_NOMEM, "there is no memory left");
	}
	*out = leaf;
	return RES_OK;
}

void
leaf_free(struct leaf *leaf)
{
	if (leaf != NULL) {
		cert_info_done(&leaf->info);
		X509_free(leaf->cert);
		free(leaf);
	}
}

const struct cert_info *
leaf_info(const struct leaf *leaf)
{
	return &leaf->info;
}

size_t
leaf_size(const struct leaf *leaf)
{
	return leaf->der_len;
}

struct x509_st *
leaf_cert(const struct leaf *leaf)
{
	return leaf->cert;
}

static bool
is_mail_byte(unsigned char c)
{
	return c > 0x20 && c < 0x7f;
}

/* An address, or what claims to be an identity and is judged as one. */
static bool
is_mail(const char *text, size_t len)
{
	size_t i, ats = 0;

	if (identity_is_candidate(text, len)) {
		return true;
	}
	for (i = 0; i < len; i++) {
		if (!is_mail_byte((unsigned char)text[i])) {
			return false;
		}
		ats += text[i] == '@' ? 1 : 0;
	}
	return ats == 1 && text[0] != '@' && text[len - 1] != '@';
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* Letters, digits, hyphens inside; '_' is no host's, but common. */
static bool
is_label(const char *text, size_t len)
{
	size_t i;

	if (len == 0 || len > DNS_LABEL_MAX || text[0] == '-' ||
	    text[len - 1] == '-') {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_') {
			return false;
		}
	}
	return true;
}

/* RFC 1034, 3.5; a wildcard as RFC 6125, 6.4.3 has it, with a name below. */
static bool
is_dns_name(const char *text, size_t len)
{
	const char *at = text, *end = text + len, *dot;

	if (len == 0 || len > DNS_NAME_MAX) {
		return false;
	}
	if (len > 2 && memcmp(text, "*.", 2) == 0) {
		at += 2;
	}
	while ((dot = memchr(at, '.', (size_t)(end - at))) != NULL) {
		if (!is_label(at, (size_t)(dot - at))) {
			return false;
		}
		at = dot + 1;
	}
	return is_label(at, (size_t)(end - at));
}

static bool
is_name(const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const char *text;
	size_t len;

	if (type != GEN_EMAIL && type != GEN_DNS) {
		return true; /* no source of anything here */
	}
	text = (const char *)ASN1_STRING_get0_data(value);
	len = (size_t)ASN1_STRING_length(value);
	return type == GEN_EMAIL ? is_mail(text, len) : is_dns_name(text, len);
}

static bool
has_good_names(const GENERAL_NAMES *names, const char **why)
{
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		if (!is_name(sk_GENERAL_NAME_value(names, i))) {
			*why = "the certificate has an e-mail address or a DNS "
			       "name that is none";
			return false;
		}
	}
	return true;
}

/* RFC 5280, 4.1.2.2. */
static bool
has_good_serial(const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	const unsigned char *bytes = ASN1_STRING_get0_data(serial);
	int len = ASN1_STRING_length(serial);

	return ASN1_STRING_type(serial) == V_ASN1_INTEGER && len > 0 &&
	    len <= LEAF_SERIAL_MAX && (len > 1 || bytes[0] != 0);
}

/* Version 1 is what "openssl x509 -req" makes of a request without further
 * options; it has no extensions. */
static bool
has_good_version(const X509 *cert)
{
	long version = X509_get_version(cert);

	return version == X509_VERSION_3 ||
	    (version == X509_VERSION_1 && X509_get_ext_count(cert) == 0);
}

static bool
is_well_formed(
    const struct leaf *leaf, const GENERAL_NAMES *names, const char **why)
{
	if (!has_good_version(leaf->cert)) {
		*why = "the certificate is not of version 3, nor of version 1 "
		       "without extensions";
		return false;
	}
	if (!has_good_serial(leaf->cert)) {
		*why = "the serial number is not positive, or has more than "
		       "20 octets";
		return false;
	}
	if (leaf->info.not_before == CLOCK_NONE ||
	    leaf->info.not_after == CLOCK_NONE) {
		*why = "the certificate's dates cannot be read";
		return false;
	}
	if (!cert_has_sound_extensions(leaf->cert, why)) {
		return false;
	}
	if (X509_get_ext_by_NID(leaf->cert, NID_name_constraints, -1) >= 0) {
		*why = "the certificate has name constraints, which only a CA "
		       "may have";
		return false;
	}
	return names == NULL || has_good_names(names, why);
}

/* Each of the marks that some verifier takes for a CA's. */
static bool
is_ca(X509 *cert)
{
	uint32_t flags = X509_get_extension_flags(cert);

	return X509_check_ca(cert) != 0 || (flags & EXFLAG_CA) != 0 ||
	    ((flags & EXFLAG_KUSAGE) != 0 &&
	        (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) != 0);
}

static bool
is_too_large(const struct leaf *leaf, const char **why)
{
	if (leaf->der_len > LEAF_DER_MAX) {
		*why = "the certificate is larger than 16 KiB";
		return true;
	}
	if (X509_get_ext_count(leaf->cert) > LEAF_EXTENSIONS_MAX) {
		*why = "the certificate has more than 64 extensions";
		return true;
	}
	return false;
}

static enum reason
judge(const struct leaf *leaf, const GENERAL_NAMES *names, const char **why)
{
	if (names != NULL && sk_GENERAL_NAME_num(names) > LEAF_SANS_MAX) {
		*why = "the certificate has more than 32 subject alternative "
		       "names";
		return REASON_CERT_TOO_LARGE;
	}
	if (!is_well_formed(leaf, names, why)) {
		return REASON_CERT_MALFORMED;
	}
	if (X509_get0_pubkey(leaf->cert) == NULL) {
		*why = "the public key cannot be decoded";
		return REASON_CERT_MALFORMED;
	}
	if (is_ca(leaf->cert)) {
		*why = "the certificate may sign others: it is a CA's, not a "
		       "device's";
		return REASON_CERT_IS_CA;
	}
	return cert_has_strong_key(leaf->cert, why) ? REASON_NONE
	                                            : REASON_CERT_WEAK;
}

/* False: there is one that cannot be decoded, or more than one. */
static bool
read_names(const struct leaf *leaf, GENERAL_NAMES **out)
{
	int found = 0;

	*out = X509_get_ext_d2i(leaf->cert, NID_subject_alt_name, &found, NULL);
	return *out != NULL || found == -1;
}

enum reason
leaf_check(const struct leaf *leaf, const char **why)
{
	GENERAL_NAMES *names = NULL;
	enum reason reason = REASON_CERT_MALFORMED;

	if (is_too_large(leaf, why)) {
		return REASON_CERT_TOO_LARGE;
	}
	ERR_set_mark();
	if (read_names(leaf, &names)) {
		reason = judge(leaf, names, why);
	} else {
		*why = "the subject alternative name cannot be decoded, or "
		       "stands twice";
	}
	GENERAL_NAMES_free(names);
	ERR_pop_to_mark();
	return reason;
}

static bool
is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* scheme "://" host [":" port] ["/" ...], where the host is a name with a
 * letter in it that does not end in a dot: what everybody reads alike. */
static bool
is_plain_uri(const char *at, size_t len)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *end = at + len, *host = memmem(at, len, "://", 3);
	bool named = false;

	if (host == NULL) {
		return false;
	}
	for (at = host + 3;
	     at < end && (is_in(*at, letters) || is_in(*at, "0123456789-."));
	     at++) {
		named |= is_in(*at, letters);
	}
	if (!named || at[-1] == '.') {
		return false;
	}
	if (at < end && *at == ':') {
		for (at++; at < end && is_in(*at, "0123456789"); at++) {
		}
	}
	return at == end || *at == '/';
}

typedef bool is_odd(const char *text, size_t len);

static bool
has_star(const char *text, size_t len)
{
	return memchr(text, '*', len) != NULL;
}

static bool
is_no_plain_uri(const char *text, size_t len)
{
	return !is_plain_uri(text, len);
}

/* Whether there is a name of this type that is odd, or cannot be read. */
static bool
has_odd_name(const struct leaf *leaf, int wanted, is_odd *odd)
{
	GENERAL_NAMES *names = NULL;
	const ASN1_STRING *value;
	bool found;
	int i, type;

	ERR_set_mark();
	found = !read_names(leaf, &names);
	for (i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
		value = GENERAL_NAME_get0_value(
		    sk_GENERAL_NAME_value(names, i), &type);
		found = type == wanted &&
		    odd((const char *)ASN1_STRING_get0_data(value),
		        (size_t)ASN1_STRING_length(value));
	}
	GENERAL_NAMES_free(names);
	ERR_pop_to_mark();
	return found;
}

bool
leaf_has_wildcard(const struct leaf *leaf)
{
	return has_odd_name(leaf, GEN_DNS, has_star);
}

bool
leaf_has_odd_uri(const struct leaf *leaf)
{
	return has_odd_name(leaf, GEN_URI, is_no_plain_uri);
}

enum reason
leaf_identity(const struct leaf *leaf, struct identity *out, const char **why)
{
	enum reason reason;

	ERR_set_mark();
	reason = identity_from_certificate(leaf->cert, out, why);
	ERR_pop_to_mark();
	return reason;
}
