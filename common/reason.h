/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * reason: why a client was admitted or refused.  One word each, stable: logs,
 * the command line and operators' scripts rely on them.
 *
 * Zero is a refusal, so that a struct nobody filled in admits nobody.
 */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

#include <stdbool.h>

enum reason {
	REASON_REGISTRY_ERROR = 0,
	REASON_NONE, /* no objection found so far; never a final answer */

	REASON_NOT_A_DEVICE,

	REASON_CERT_MISSING,
	REASON_CERT_TOO_LARGE,
	REASON_CERT_MALFORMED,
	REASON_CERT_IS_CA,

	REASON_CA_UNKNOWN,
	REASON_CA_INACTIVE,
	REASON_CA_UNPROVEN,
	REASON_CA_EXPIRED,
	REASON_CERT_EXPIRED,
	REASON_CERT_NOT_YET_VALID,
	REASON_CERT_PURPOSE,
	REASON_CERT_WEAK,
	REASON_CERT_REVOKED,
	REASON_CRL_MISSING,
	REASON_CRL_STALE,
	REASON_CERT_INVALID,

	REASON_IDENTITY_NONE,
	REASON_IDENTITY_SYNTAX,
	REASON_IDENTITY_CONFLICT,
	REASON_CA_SCOPE,

	REASON_CLIENT_ID,

	REASON_LEVEL_TLS,
	REASON_LEVEL_CERT,
	REASON_LEVEL_TOKEN,
	REASON_TOKEN_WRONG,

	REASON_DEVICE_LOCKED,
	REASON_DEVICE_PENDING,
	REASON_DEVICE_UNLISTED,
	REASON_WINDOW_EXPIRED,
	REASON_TYPE_UNKNOWN,
	REASON_ID_FORMAT,
	REASON_IDENTITY_CASE,
	REASON_ADDRESS,
	REASON_QUOTA,
	REASON_RATE,
	REASON_PIN_MISMATCH,
	REASON_CLOCK_UNSET,

	REASON_REGISTRY_BUSY,

	REASON_KNOWN,
	REASON_PROVISIONED,
};

/* The word, "ca-unknown"; "none" for REASON_NONE. */
const char *reason_id(enum reason reason);

/* A sentence for an operator: what was found. */
const char *reason_text(enum reason reason);

/* True for REASON_KNOWN and REASON_PROVISIONED alone. */
bool reason_admits(enum reason reason);

#endif /* COMMON_REASON_H */
