/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/signature.h"

#include <openssl/asn1t.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stddef.h>

static bool
is_strong_digest(int nid)
{
	switch (nid) {
	case NID_sha224:
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
	case NID_sha512_224:
	case NID_sha512_256:
	case NID_sha3_224:
	case NID_sha3_256:
	case NID_sha3_384:
	case NID_sha3_512:
		return true;
	default:
		return false;
	}
}

/* RFC 4055 3.1: the digest is among the parameters, SHA-1 where it is not. */
static int
pss_digest(int type, const void *value)
{
	RSA_PSS_PARAMS *params;
	const ASN1_OBJECT *name = NULL;
	int nid = NID_undef;

	if (type != V_ASN1_SEQUENCE) {
		return NID_undef;
	}
	params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (params != NULL && params->hashAlgorithm != NULL) {
		X509_ALGOR_get0(&name, NULL, NULL, params->hashAlgorithm);
		nid = OBJ_obj2nid(name);
	}
	RSA_PSS_PARAMS_free(params);
	return nid;
}

bool
signature_is_strong(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *name = NULL;
	const void *value = NULL;
	int type = V_ASN1_UNDEF, nid, digest = NID_undef, key;

	X509_ALGOR_get0(&name, &type, &value, algorithm);
	nid = OBJ_obj2nid(name);
	switch (nid) {
	case NID_ED25519:
	case NID_ED448:
		return true;
	case NID_rsassaPss:
		return is_strong_digest(pss_digest(type, value));
	default:
		return OBJ_find_sigid_algs(nid, &digest, &key) == 1 &&
		    is_strong_digest(digest);
	}
}
