/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "trust/extension.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

/* X509V3_EXT_d2i() would not tell of bytes that follow the value. */
static bool
decodes(X509_EXTENSION *extension)
{
	const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	const unsigned char *at = ASN1_STRING_get0_data(value);
	const unsigned char *end = at + ASN1_STRING_length(value);
	void *item;

	if (method == NULL || (method->it == NULL && method->d2i == NULL)) {
		return true; /* critical ones are refused elsewhere */
	}
	if (method->it != NULL) {
		item = ASN1_item_d2i(
		    NULL, &at, end - at, ASN1_ITEM_ptr(method->it));
		ASN1_item_free(item, ASN1_ITEM_ptr(method->it));
	} else {
		item = method->d2i(NULL, &at, end - at);
		method->ext_free(item);
	}
	return item != NULL && at == end;
}

bool
extensions_are_sound(const STACK_OF(X509_EXTENSION) * list, const char **why)
{
	int i, n = X509v3_get_ext_count(list);
	X509_EXTENSION *extension;

	if (n > CERT_EXTENSIONS_MAX) {
		*why = "there are more than 64 extensions";
		return false;
	}
	for (i = 0; i < n; i++) {
		extension = X509v3_get_ext(list, i);
		if (X509v3_get_ext_by_OBJ(
		        list, X509_EXTENSION_get_object(extension), i) >= 0) {
			*why = "an extension stands twice";
			return false;
		}
		if (!decodes(extension)) {
			*why = "an extension cannot be decoded";
			return false;
		}
	}
	return true;
}

static bool
is_among(int nid, const int *nids, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (nids[i] == nid) {
			return true;
		}
	}
	return false;
}

bool
extensions_have_critical_but(
    const STACK_OF(X509_EXTENSION) * list, const int *nids, size_t n)
{
	int i, count = X509v3_get_ext_count(list);
	X509_EXTENSION *extension;

	for (i = 0; i < count; i++) {
		extension = X509v3_get_ext(list, i);
		if (X509_EXTENSION_get_critical(extension) != 0 &&
		    !is_among(OBJ_obj2nid(X509_EXTENSION_get_object(extension)),
		        nids, n)) {
			return true;
		}
	}
	return false;
}
