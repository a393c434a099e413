/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "trust/set.h"

static bool
add(STACK_OF(X509_NAME) * names, const struct anchor *anchor)
{
	X509_NAME *name = X509_NAME_dup(X509_get_subject_name(anchor->cert));

	if (name == NULL || sk_X509_NAME_push(names, name) <= 0) {
		X509_NAME_free(name);
		return false;
	}
	return true;
}

struct stack_st_X509_NAME *
trust_ca_names(const struct trust_set *set)
{
	STACK_OF(X509_NAME) * names;
	size_t i;

	ERR_set_mark();
	names = sk_X509_NAME_new_null();
	for (i = 0; names != NULL && i < set->count; i++) {
		if (set->anchors[i].state == CA_ACTIVE &&
		    !add(names, &set->anchors[i])) {
			sk_X509_NAME_pop_free(names, X509_NAME_free);
			names = NULL;
		}
	}
	ERR_pop_to_mark();
	return names;
}
