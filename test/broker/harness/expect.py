# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""How a certificate is refused, which depends on who verifies the handshake.

With "tls_verify plugin" what is wrong with a certificate or its chain ends the
handshake; with "tls_verify broker" what the broker let pass ends at CONNECT."""

import re
from typing import Any

from harness.broker import fields, verifies_in_plugin
from harness.client import CLOSED, REFUSED

# The steps "certificate" and "chain" of a decision.
OF_CERTIFICATES = {
    *("cert-too-large", "cert-malformed", "cert-is-ca", "ca-unknown"),
    *("ca-inactive", "ca-unproven", "ca-expired", "cert-expired"),
    *("cert-not-yet-valid", "cert-purpose", "cert-weak", "cert-revoked"),
    *("crl-missing", "crl-stale", "cert-invalid"),
}


def ends_handshake(reason: str) -> bool:
    return verifies_in_plugin() and reason in OF_CERTIFICATES


def refusal(reason: str) -> str:
    """What Client.attempt() gives."""
    return CLOSED if ends_handshake(reason) else REFUSED


def wait_refusal(
    broker: Any, client_id: str, reason: str, since: int, identity: str = ""
) -> dict:
    """The fields of the line in the log.  A handshake knows no client id."""
    if not ends_handshake(reason):
        found = broker.wait_decision(client_id, since)
        assert (found["verdict"], found["reason"]) == ("refused", reason), found
        return found
    who = f"identity={re.escape(identity)} " if identity else ""
    line = rf'certid: refused (reason={reason} {who}.*client="".*)$'
    return {"verdict": "refused", **fields(broker.wait_log(line, since=since)[1])}
