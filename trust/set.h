/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * set: the registered CAs of one org, for this room only.  See trust.h.
 */
#ifndef TRUST_SET_H
#define TRUST_SET_H

#include <openssl/types.h>

#include "trust/ca_key.h"
#include "trust/trust.h"

struct anchor {
	X509 *cert;
	X509_STORE *store; /* holds cert alone; never changed */
	uint8_t fingerprint[HASH_LEN];
	struct ca_key key;
	enum ca_state state;
	int64_t not_before, not_after;
	char **patterns;
	size_t pattern_count;
	enum crl_policy crl_policy;
	int64_t crl_grace;
	struct crl *crl; /* or NULL */
	bool is_revoked; /* a registered CA that issued it lists it */
};

struct trust_set {
	struct anchor anchors[TRUST_CAS_MAX];
	size_t count;
};

/* The CA with this fingerprint; NULL: it is not registered. */
const struct anchor *set_find(
    const struct trust_set *set, const uint8_t fingerprint[HASH_LEN]);

/* Whether the CA may assert who; false for NULL. */
bool anchor_covers(const struct anchor *anchor, const struct identity *who);

#endif /* TRUST_SET_H */
