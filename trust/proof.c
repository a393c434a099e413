/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/proof.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "common/clock.h"
#include "trust/leaf.h"
#include "trust/signature.h"

enum res
proof_code_new(char code[PROOF_CODE_LEN + 1], struct diag *why)
{
	uint8_t bytes[PROOF_CODE_LEN / 2];
	bool drawn;

	ERR_set_mark();
	drawn = RAND_bytes(bytes, sizeof(bytes)) == 1;
	ERR_pop_to_mark();
	if (!drawn) {
		return diag_res(why, RES_UNAVAIL,
		    "the system has no random numbers to give; try again");
	}
	text_hex(code, bytes, sizeof(bytes));
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return RES_OK;
}

/* What is shown, and by which CA. */
struct claim {
	const struct leaf *leaf;
	X509 *cert; /* the leaf's */
	X509 *ca;
	const char *code;
};

/* Whether the certificate proves nothing; *why says for which reason. */
typedef bool refusal(const struct claim *claim, const char **why);

static bool
is_unsound(const struct claim *claim, const char **why)
{
	return leaf_check(claim->leaf, why) != REASON_NONE;
}

static bool
has_other_name(const struct claim *claim, const char **why)
{
	const X509_NAME *subject = X509_get_subject_name(claim->cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *name;

	*why = "its subject does not have exactly one common name; sign a "
	       "certificate with the code as its common name";
	if (at < 0 ||
	    X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
		return true;
	}
	name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	*why = "its common name is not a PrintableString or UTF8String; have "
	       "it encoded as one of them";
	if (ASN1_STRING_type(name) != V_ASN1_PRINTABLESTRING &&
	    ASN1_STRING_type(name) != V_ASN1_UTF8STRING) {
		return true;
	}
	*why = "its common name is not the code of this CA; sign one whose "
	       "common name is what \"certid ca code\" printed last, and "
	       "nothing more";
	return ASN1_STRING_length(name) != PROOF_CODE_LEN ||
	    memcmp(ASN1_STRING_get0_data(name), claim->code, PROOF_CODE_LEN) !=
	    0;
}

static bool
has_other_issuer(const struct claim *claim, const char **why)
{
	*why = "its issuer is not this CA's subject; sign one with the CA "
	       "itself";
	return X509_NAME_cmp(X509_get_issuer_name(claim->cert),
	           X509_get_subject_name(claim->ca)) != 0;
}

static bool
is_weak(const struct claim *claim, const char **why)
{
	const X509_ALGOR *algorithm = NULL;

	if (!cert_has_strong_key(claim->ca, why)) {
		return true;
	}
	*why = "its signature does not use SHA-2, SHA-3, Ed25519 or Ed448; "
	       "sign one with SHA-256";
	X509_get0_signature(NULL, &algorithm, claim->cert);
	return !signature_is_strong(algorithm);
}

static bool
is_forged(const struct claim *claim, const char **why)
{
	EVP_PKEY *key = X509_get0_pubkey(claim->ca);

	*why = "its signature is not by this CA's key; another CA of the same "
	       "name may have signed it";
	return key == NULL || X509_verify(claim->cert, key) != 1;
}

static refusal *const refusals[] = {
    is_unsound,
    has_other_issuer,
    is_weak,
    is_forged,
    has_other_name,
};

/* whose begins the sentence: "the CA". */
static enum res
check_dates(const char *whose, const struct cert_info *info, int64_t now,
    struct diag *why)
{
	char text[TIME_MAX + 1];

	if (info->not_before == CLOCK_NONE || info->not_after == CLOCK_NONE) {
		return diag_res(
		    why, RES_REFUSED, "%s's dates cannot be read", whose);
	}
	if (now < info->not_before) {
		clock_format(info->not_before, text);
		return diag_res(why, RES_REFUSED,
		    "%s is not valid before %s; look at the clocks of the CA "
		    "and of this machine",
		    whose, text);
	}
	if (now >= info->not_after) {
		clock_format(info->not_after, text);
		return diag_res(why, RES_REFUSED,
		    "%s expired on %s; it proves nothing any more", whose,
		    text);
	}
	return RES_OK;
}

static enum res
check_both_dates(const struct claim *claim, int64_t now, struct diag *why)
{
	struct cert_info ca;
	enum res r = cert_info_read(claim->ca, &ca, why);

	if (r != RES_OK) {
		return r;
	}
	r = check_dates("the CA", &ca, now, why);
	cert_info_done(&ca);
	if (r == RES_OK) {
		r = check_dates("the verification certificate",
		    leaf_info(claim->leaf), now, why);
	}
	return r;
}

static enum res
check(const struct claim *claim, int64_t now, struct diag *why)
{
	const char *objection = NULL;
	size_t i;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i](claim, &objection)) {
			return diag_res(why, RES_REFUSED,
			    "the certificate proves nothing: %s", objection);
		}
	}
	return check_both_dates(claim, now, why);
}

enum res
proof_check(const uint8_t *bytes, size_t len, const uint8_t *ca_der,
    size_t ca_der_len, const char *code, int64_t now, struct diag *why)
{
	struct claim claim = {.code = code};
	struct leaf *leaf = NULL;
	enum res r;

	/* An empty code would be the common name of anybody's certificate. */
	if (strlen(code) != PROOF_CODE_LEN ||
	    !text_is_hex(code, PROOF_CODE_LEN)) {
		return diag_res(why, RES_REFUSED,
		    "there is no code for this CA; make one with \"certid ca "
		    "code\"");
	}
	if ((r = leaf_parse(bytes, len, &leaf, why)) != RES_OK) {
		return r;
	}
	ERR_set_mark();
	claim.leaf = leaf;
	claim.cert = leaf_cert(leaf);
	claim.ca = cert_from_der(ca_der, ca_der_len);
	r = claim.ca == NULL
	    ? diag_res(why, RES_CORRUPT,
	          "a registered CA does not read back as a certificate")
	    : check(&claim, now, why);
	X509_free(claim.ca);
	leaf_free(leaf);
	ERR_pop_to_mark();
	return r;
}
