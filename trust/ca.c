/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/ca.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* Whether the certificate may not become a CA; *why says for which reason. */
typedef bool refusal(X509 *cert, const char **why);

static bool
is_malformed(X509 *cert, const char **why)
{
	return !cert_has_sound_extensions(cert, why);
}

/* X509_check_ca() also likes version 1 roots and others that merely look like
 * CAs (it answers 3, 4, 5).  With a keyUsage it has seen keyCertSign. */
static bool
is_no_ca(X509 *cert, const char **why)
{
	uint32_t usage = X509_get_key_usage(cert);

	if ((X509_get_extension_flags(cert) & EXFLAG_KUSAGE) != 0 &&
	    (usage & KU_KEY_CERT_SIGN) == 0) {
		*why = "its keyUsage does not hold keyCertSign, so it may not "
		       "issue certificates";
		return true;
	}
	if (X509_check_ca(cert) != 1 ||
	    X509_get_version(cert) != X509_VERSION_3) {
		*why = "it is not a CA: it lacks basicConstraints with "
		       "CA:TRUE";
		return true;
	}
	return false;
}

static bool
is_nameless(X509 *cert, const char **why)
{
	*why = "its subject is empty, so no certificate can name it as issuer";
	return X509_NAME_entry_count(X509_get_subject_name(cert)) == 0;
}

static bool
is_weak(X509 *cert, const char **why)
{
	return !cert_has_strong_key(cert, why);
}

/* RFC 5280 6.1 takes a trust anchor for a name and a key, and OpenSSL does not
 * look at the policies of the certificate that anchors. */
static bool
has_policy_constraints(X509 *cert, const char **why)
{
	static const int nids[] = {NID_policy_constraints,
	    NID_inhibit_any_policy, NID_policy_mappings};
	size_t i;

	*why = "it sets constraints on certificate policies, which would not "
	       "be enforced below a registered CA; use a CA without them, or "
	       "register the one above it";
	for (i = 0; i < sizeof(nids) / sizeof(nids[0]); i++) {
		if (X509_get_ext_by_NID(cert, nids[i], -1) >= 0) {
			return true;
		}
	}
	return false;
}

static bool
has_empty_name_constraints(X509 *cert, const char **why)
{
	NAME_CONSTRAINTS *names;
	bool empty;

	if (X509_get_ext_by_NID(cert, NID_name_constraints, -1) < 0) {
		return false;
	}
	names = X509_get_ext_d2i(cert, NID_name_constraints, NULL, NULL);
	empty = names == NULL ||
	    (sk_GENERAL_SUBTREE_num(names->permittedSubtrees) <= 0 &&
	        sk_GENERAL_SUBTREE_num(names->excludedSubtrees) <= 0);
	NAME_CONSTRAINTS_free(names);
	*why = "its name constraints are empty or cannot be decoded";
	return empty;
}

static bool
has_unknown_critical(X509 *cert, const char **why)
{
	*why = "it has a critical extension that is not known here";
	return (X509_get_extension_flags(cert) & EXFLAG_CRITICAL) != 0;
}

static refusal *const refusals[] = {
    is_malformed,
    is_no_ca,
    is_nameless,
    is_weak,
    has_policy_constraints,
    has_empty_name_constraints,
    has_unknown_critical,
};

static enum res
check_dates(const struct cert_info *info, int64_t now, struct diag *why)
{
	char text[TIME_MAX + 1];

	if (info->not_before == CLOCK_NONE || info->not_after == CLOCK_NONE) {
		return diag_res(why, RES_REFUSED,
		    "the certificate cannot be registered: its dates cannot "
		    "be read");
	}
	if (now < info->not_before) {
		clock_format(info->not_before, text);
		return diag_res(why, RES_REFUSED,
		    "the certificate cannot be registered: it is not valid "
		    "before %s",
		    text);
	}
	if (now >= info->not_after) {
		clock_format(info->not_after, text);
		return diag_res(why, RES_REFUSED,
		    "the certificate cannot be registered: it expired on %s",
		    text);
	}
	return RES_OK;
}

static enum res
check(X509 *cert, const struct cert_info *info, int64_t now, struct diag *why)
{
	const char *objection = NULL;
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i](cert, &objection)) {
			return diag_res(why, RES_REFUSED,
			    "the certificate cannot be registered: %s",
			    objection);
		}
	}
	return check_dates(info, now, why);
}

static bool
has_old_digest(X509 *cert)
{
	int digest = NID_undef;

	return X509_get_signature_info(cert, &digest, NULL, NULL, NULL) == 1 &&
	    (digest == NID_sha1 || digest == NID_md5);
}

static void
warn(struct ca_candidate *ca, bool when, const char *sentence)
{
	if (when && ca->warning_count < CA_WARNINGS_MAX) {
		ca->warnings[ca->warning_count++] = sentence;
	}
}

static void
add_warnings(X509 *cert, int64_t now, struct ca_candidate *ca)
{
	uint32_t flags = X509_get_extension_flags(cert);

	warn(ca, X509_get0_subject_key_id(cert) == NULL,
	    "the CA has no subject key identifier, which tells CAs of one "
	    "name apart");
	warn(ca, (flags & EXFLAG_KUSAGE) == 0,
	    "the CA has no keyUsage; some verifiers demand keyCertSign");
	warn(ca,
	    X509_NAME_cmp(
	        X509_get_subject_name(cert), X509_get_issuer_name(cert)) != 0,
	    "the CA is an intermediate: with tls_verify broker, unless its "
	    "root is registered too, give the listener the root as cafile, "
	    "which opens the TLS handshake");
	warn(ca, ca->info.not_after - now <= CA_EXPIRES_SOON,
	    "the CA expires within 90 days; its devices are refused from then "
	    "on");
	warn(ca, has_old_digest(cert),
	    "the CA is signed with SHA-1 or MD5; devices that sign the same "
	    "way are refused");
	warn(ca,
	    (flags & EXFLAG_XKUSAGE) != 0 &&
	        X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 1) != 1,
	    "the CA's extended key usage leaves out TLS clients; its devices "
	    "will be refused");
}

static void
read_common_name(const X509 *cert, char text[65])
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *value;
	const unsigned char *bytes;
	int i, len;

	text[0] = '\0';
	if (at < 0 ||
	    X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
		return;
	}
	value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	bytes = ASN1_STRING_get0_data(value);
	len = ASN1_STRING_length(value);
	for (i = 0; i < len; i++) {
		if (bytes[i] < 0x20 || bytes[i] > 0x7e) {
			return;
		}
	}
	if (!text_copy(text, 65, (const char *)bytes, (size_t)len)) {
		text[0] = '\0';
	}
}

static enum res
read_candidate(
    X509 *cert, int64_t now, struct ca_candidate *out, struct diag *why)
{
	struct ca_candidate ca = {0};
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);
	enum res r = cert_info_read(cert, &ca.info, why);

	if (r != RES_OK) {
		goto out;
	}
	if ((r = check(cert, &ca.info, now, why)) != RES_OK) {
		goto out;
	}
	ca.der = len > 0 ? malloc((size_t)len) : NULL;
	if (ca.der == NULL) {
		r = diag_res(why, RES_NOMEM, "there is no memory left");
		goto out;
	}
	memcpy(ca.der, der, (size_t)len);
	ca.der_len = (size_t)len;
	read_common_name(cert, ca.common_name);
	add_warnings(cert, now, &ca);
	*out = ca;
	ca = (struct ca_candidate){0};
out:
	OPENSSL_free(der);
	ca_candidate_done(&ca);
	return r;
}

enum res
ca_parse(const uint8_t *bytes, size_t len, int64_t now,
    struct ca_candidate *out, struct diag *why)
{
	X509 *cert = NULL;
	enum res r;

	if (len > CA_FILE_MAX) {
		return diag_res(why, RES_LIMIT,
		    "the file is larger than %d bytes; give the CA's "
		    "certificate alone",
		    CA_FILE_MAX);
	}
	if ((r = cert_parse(bytes, len, &cert, why)) != RES_OK) {
		return r;
	}
	ERR_set_mark();
	r = read_candidate(cert, now, out, why);
	ERR_pop_to_mark();
	X509_free(cert);
	return r;
}

void
ca_candidate_done(struct ca_candidate *ca)
{
	cert_info_done(&ca->info);
	free(ca->der);
	ca->der = NULL;
}

enum res
ca_subject_hash(const uint8_t *der, size_t der_len, unsigned long *out)
{
	X509 *cert = cert_from_der(der, der_len);
	unsigned long hash = 0;
	int ok = 0;

	if (cert == NULL) {
		return RES_SYNTAX;
	}
	ERR_set_mark();
	hash = X509_NAME_hash_ex(X509_get_subject_name(cert), NULL, NULL, &ok);
	ERR_pop_to_mark();
	X509_free(cert);
	if (ok != 1) {
		return RES_NOMEM;
	}
	*out = hash;
	return RES_OK;
}
