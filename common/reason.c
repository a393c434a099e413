/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
#include "common/reason.h"

#include <stddef.h>

static const struct {
	const char *id, *text;
} reasons[] = {
    [REASON_REGISTRY_ERROR] = {"registry-error",
        "the registry could not be read"},
    [REASON_NONE] = {"none", "nothing speaks against it"},
    [REASON_NOT_A_DEVICE] = {"not-a-device",
        "no certificate, and neither the client id nor the user name "
        "names a device"},
    [REASON_CERT_MISSING] = {"cert-missing",
        "the client presented no certificate"},
    [REASON_CERT_TOO_LARGE] = {"cert-too-large",
        "the certificate is larger, or holds more names or extensions, than "
        "is accepted"},
    [REASON_CERT_MALFORMED] = {"cert-malformed",
        "the certificate does not follow RFC 5280"},
    [REASON_CERT_IS_CA] = {"cert-is-ca",
        "the certificate is a CA's, not a device's"},
    [REASON_CA_UNKNOWN] = {"ca-unknown",
        "no registered CA issued the certificate"},
    [REASON_CA_INACTIVE] = {"ca-inactive",
        "the CA that issued the certificate is not active"},
    [REASON_CA_UNPROVEN] = {"ca-unproven",
        "the CA that issued the certificate waits for proof of possession"},
    [REASON_CA_EXPIRED] = {"ca-expired",
        "a CA above the certificate has expired"},
    [REASON_CERT_EXPIRED] = {"cert-expired", "the certificate has expired"},
    [REASON_CERT_NOT_YET_VALID] = {"cert-not-yet-valid",
        "the certificate is not valid yet"},
    [REASON_CERT_PURPOSE] = {"cert-purpose",
        "the certificate may not be used by a TLS client"},
    [REASON_CERT_WEAK] = {"cert-weak",
        "a key or a signature in the chain is too weak"},
    [REASON_CERT_REVOKED] = {"cert-revoked", "the certificate is revoked"},
    [REASON_CRL_MISSING] = {"crl-missing",
        "the CA requires a CRL, and there "
        "is none"},
    [REASON_CRL_STALE] = {"crl-stale", "the CA's CRL is out of date"},
    [REASON_CERT_INVALID] = {"cert-invalid",
        "the certificate's chain does not hold"},
    [REASON_IDENTITY_NONE] = {"identity-none",
        "neither the common name nor an e-mail SAN begins with d: or g:"},
    [REASON_IDENTITY_SYNTAX] = {"identity-syntax",
        "a name in the certificate begins like an identity but is none"},
    [REASON_IDENTITY_CONFLICT] = {"identity-conflict",
        "the certificate names more than one identity"},
    [REASON_CA_SCOPE] = {"ca-scope",
        "the identity is outside the scope of its CA"},
    [REASON_CLIENT_ID] = {"client-id",
        "the MQTT client id is not the one of this identity"},
    [REASON_LEVEL_TLS] = {"level-tls", "the rule demands TLS"},
    [REASON_LEVEL_CERT] = {"level-cert", "the rule demands a certificate"},
    [REASON_LEVEL_TOKEN] = {"level-token", "the rule demands a token"},
    [REASON_TOKEN_WRONG] = {"token-wrong", "the token is not valid"},
    [REASON_DEVICE_LOCKED] = {"device-locked", "the device is locked"},
    [REASON_DEVICE_PENDING] = {"device-pending",
        "the device waits for an operator's approval"},
    [REASON_DEVICE_UNLISTED] = {"device-unlisted",
        "the device was not added by an operator before"},
    [REASON_WINDOW_EXPIRED] = {"window-expired",
        "the window for the first connection has lapsed"},
    [REASON_TYPE_UNKNOWN] = {"type-unknown",
        "the device type was not declared"},
    [REASON_ID_FORMAT] = {"id-format",
        "the id does not follow the identity format of its type"},
    [REASON_IDENTITY_CASE] = {"identity-case",
        "the identity equals an existing one but for letter case"},
    [REASON_ADDRESS] = {"address",
        "new devices of this type are not accepted from this address"},
    [REASON_QUOTA] = {"quota", "the quota of devices is used up"},
    [REASON_RATE] = {"rate", "new devices arrive faster than is allowed"},
    [REASON_PIN_MISMATCH] = {"pin-mismatch",
        "the certificate is none of those that the device is held to"},
    [REASON_CLOCK_UNSET] = {"clock-unset",
        "the broker's clock is behind the date of its own build"},
    [REASON_REGISTRY_BUSY] = {"registry-busy",
        "the registry cannot take new devices at the moment"},
    [REASON_KNOWN] = {"known", "the device is known"},
    [REASON_PROVISIONED] = {"provisioned",
        "the device is seen for the first time, and is written to the "
        "registry"},
};

const char *
reason_id(enum reason reason)
{
	if ((size_t)reason >= sizeof(reasons) / sizeof(reasons[0])) {
		reason = REASON_REGISTRY_ERROR;
	}
	return reasons[reason].id;
}

const char *
reason_text(enum reason reason)
{
	if ((size_t)reason >= sizeof(reasons) / sizeof(reasons[0])) {
		reason = REASON_REGISTRY_ERROR;
	}
	return reasons[reason].text;
}

bool
reason_admits(enum reason reason)
{
	return reason == REASON_KNOWN || reason == REASON_PROVISIONED;
}
