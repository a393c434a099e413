# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Devices that are turned away, each with the reason, and "certid explain"
telling the same as the broker."""

from typing import Any, Callable, Optional

import pytest
from harness.broker import verifies_in_plugin
from harness.client import ACCEPTED, CLOSED, REFUSED
from harness.expect import refusal, wait_refusal
from harness.pki import CA_EXTENSIONS, Ca, Leaf, Pki, in_seconds
from harness.site import Site
from harness.wait import until


def ca_as_leaf(ca: Ca) -> Leaf:
    lines = (*CA_EXTENSIONS[:1], "keyUsage=digitalSignature,keyCertSign")
    key = ca.pki.key("device")
    cert = ca.pki.mint(ca, "/CN=d:meter:ca", lines, key, 30)
    return Leaf(cert, key.private, cert)


def of(*args: Any, **options: Any) -> Callable[[Ca], Leaf]:
    return lambda ca: ca.leaf(*args, **options)


LONG_TYPE, LONG_ID = "t" * 37, "i" * 65

# Certificates of the registered CA: the reason of broker and explain.
CERTIFICATES: list[tuple[str, str, Callable[[Ca], Leaf]]] = [
    ("none-cn", "identity-none", of("meter 0001")),
    ("none-no-cn", "identity-none", of()),
    ("none-dns", "identity-none", of("x", ["DNS:d.meter.0001"])),
    ("none-upper-class", "identity-none", of("D:meter:0001")),
    ("none-other-class", "identity-none", of("a:meter:0001")),
    ("syntax-two-parts", "identity-syntax", of("d:meter")),
    ("syntax-empty-id", "identity-syntax", of("d:meter:")),
    ("syntax-empty-type", "identity-syntax", of("d::0001")),
    ("syntax-blank", "identity-syntax", of("d:meter:00 01")),
    ("syntax-wildcard", "identity-syntax", of("d:meter:+")),
    ("syntax-hash", "identity-syntax", of("g:hub:#")),
    ("syntax-utf8", "identity-syntax", of("x", ["email:d:meter:a@b"])),
    ("syntax-long-type", "identity-syntax", of("", [f"email:d:{LONG_TYPE}:1"])),
    ("syntax-long-id", "identity-syntax", of("", [f"email:d:m:{LONG_ID}"])),
    ("conflict-cn-san", "identity-conflict", of("d:meter:1", ["email:d:meter:2"])),
    ("conflict-sans", "identity-conflict", of("x", ["email:d:m:1", "email:d:m:2"])),
    ("conflict-class", "identity-conflict", of("d:meter:1", ["email:g:meter:1"])),
    ("conflict-case", "identity-conflict", of("d:meter:a", ["email:d:meter:A"])),
    ("is-a-ca", "cert-is-ca", ca_as_leaf),
]


@pytest.mark.parametrize(
    "reason,make", [c[1:] for c in CERTIFICATES], ids=[c[0] for c in CERTIFICATES]
)
def test_a_bad_certificate(
    site: Site, reason: str, make: Callable[[Ca], Leaf]
) -> None:
    leaf = make(site.ca)
    client_id = site.new_id()
    since = site.broker.mark()
    assert site.client(client_id, leaf).attempt() == refusal(reason)
    wait_refusal(site.broker, client_id, reason, since)
    explained = site.certid.explain(leaf.cert, "--client-id", client_id)
    assert (explained["decision"], explained["reason"]) == ("refuse", reason)
    failed = [step for step in explained["steps"] if step["result"] == "fail"]
    assert failed and failed[0]["detail"]


def test_two_common_names(site: Site) -> None:
    """Both names are the same; picking one would be a guess all the same."""
    identity = site.new_id()
    leaf = site.ca.leaf([identity, identity])
    since = site.broker.mark()
    assert site.client(identity, leaf).attempt() == REFUSED
    reason = site.broker.wait_decision(identity, since)["reason"]
    assert reason in ("identity-syntax", "identity-conflict")
    assert site.certid.explain(leaf.cert)["reason"] == reason


def test_a_version_1_certificate(site: Site) -> None:
    """No extensions: whatever the broker says, explain says too."""
    identity = site.new_id()
    leaf = site.ca.leaf(identity, v1=True)
    since = site.broker.mark()
    site.client(identity, leaf).attempt()
    decision = site.broker.wait_decision(identity, since)
    explained = site.certid.explain(leaf.cert)
    admitted = decision["verdict"] == "admitted"
    assert admitted == (explained["decision"] == "admit")
    if not admitted:
        assert decision["reason"] == explained["reason"]


# The TLS handshake refuses these before the plugin is asked.
HANDSHAKE: list[tuple[str, str, Callable[[Pki, Ca], Leaf]]] = [
    ("stranger", "ca-unknown", lambda p, ca: p.root("stranger").leaf("d:m:1")),
    ("expired", "cert-expired", lambda p, ca: ca.leaf("d:m:1", end=in_seconds(-60))),
    (
        "early",
        "cert-not-yet-valid",
        lambda p, ca: ca.leaf("d:m:1", start=in_seconds(3600)),
    ),
    ("server", "cert-purpose", lambda p, ca: ca.leaf("d:m:1", eku="serverAuth")),
]


@pytest.mark.parametrize(
    "reason,make", [c[1:] for c in HANDSHAKE], ids=[c[0] for c in HANDSHAKE]
)
def test_what_tls_refuses_explain_explains(
    site: Site, reason: str, make: Callable[[Pki, Ca], Leaf]
) -> None:
    leaf = make(site.pki, site.ca)
    since = site.broker.mark()
    assert site.client("d:m:1", leaf).attempt() == CLOSED
    site.broker.wait_log("OpenSSL Error|failed: error", since=since)
    if verifies_in_plugin():
        wait_refusal(site.broker, "", reason, since)
    assert site.certid.explain(leaf.cert)["reason"] == reason
    assert "d:m:1" not in site.certid.identities()


def refused(
    site: Site,
    identity: str,
    reason: str,
    client_id: Optional[str] = None,
    ca: Optional[Ca] = None,
    v5: bool = False,
) -> dict[str, str]:
    """This identity is refused, explain knows it, and nothing is recorded."""
    leaf = (ca or site.ca).leaf(identity)
    name = identity if client_id is None else client_id
    explained = site.certid.explain(leaf.cert, "--client-id", name)
    since = site.broker.mark()
    assert site.client(name, leaf, v5=v5).attempt() == refusal(reason)
    decision = wait_refusal(site.broker, name, reason, since, identity)
    assert decision["identity"] == identity
    assert (explained["decision"], explained["reason"]) == ("refuse", reason)
    return decision


def first_sight(site: Site, identity: str) -> None:
    client = site.device(identity)
    assert client.attempt() == ACCEPTED
    client.close()
    until(lambda: identity in site.certid.identities(), "the device's row")


@pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])
@pytest.mark.parametrize("what", ["other", "free", "suffix", "case", "prefix"])
def test_a_wrong_client_id(site: Site, what: str, v5: bool) -> None:
    identity = site.new_id()
    wrong = {
        "other": site.new_id(),
        "free": f"sensor-{identity.replace(':', '-')}",
        "suffix": identity + "x",
        "case": identity.replace("meter", "Meter"),
        "prefix": identity[:-1],
    }[what]
    refused(site, identity, "client-id", wrong, v5=v5)
    assert identity not in site.certid.identities()


def test_an_empty_client_id(site: Site) -> None:
    """The broker makes one up, and that is a wrong one."""
    identity = site.new_id()
    since = site.broker.mark()
    assert site.client("", site.ca.leaf(identity)).attempt() == REFUSED
    site.broker.wait_log(
        rf"certid: refused reason=client-id identity={identity} ", since=since
    )


def test_outside_the_scope_of_its_ca(site: Site) -> None:
    ca = site.pki.root("scoped")
    site.certid("ca", "add", ca.cert, "--name", "scoped", "--scope", "d:pump:A*")
    site.settle()
    decision = refused(site, "d:pump:B1", "ca-scope", ca=ca)
    assert decision["ca"] == site.certid.ca_id("scoped")
    refused(site, "d:meter:A1", "ca-scope", ca=ca)
    refused(site, "g:pump:A1", "ca-scope", ca=ca)
    assert site.client("d:pump:A1", ca.leaf("d:pump:A1")).attempt() == ACCEPTED


def test_an_inactive_ca(site: Site) -> None:
    ca = site.pki.root("asleep")
    site.certid("ca", "add", ca.cert, "--name", "asleep")
    site.settle()
    # Once a CA has been used, OpenSSL trusts it until the broker restarts.
    site.client("d:meter:awake", ca.leaf("d:meter:awake")).open()
    site.certid("ca", "deactivate", "asleep")
    site.settle()
    refused(site, site.new_id(), "ca-inactive", ca=ca)
    site.certid("ca", "remove", "asleep")
    site.settle()
    refused(site, site.new_id(), "ca-unknown", ca=ca)


def test_an_expired_ca(site: Site) -> None:
    ca = site.pki.root("mayfly", end=in_seconds(4))
    site.certid("ca", "add", ca.cert, "--name", "mayfly")
    site.settle()
    identity = site.new_id()
    leaf = ca.leaf(identity)
    device = site.client(identity, leaf).open()
    device.wait_closed()
    site.broker.wait_log(rf"certid: closed reason=ca-expired .*{identity}")
    assert site.client(identity, leaf).attempt() in (CLOSED, REFUSED)
    assert site.certid.explain(leaf.cert)["reason"] == "ca-expired"


def test_a_locked_device(site: Site) -> None:
    identity = site.new_id()
    first_sight(site, identity)
    site.certid("device", "lock", identity)
    refused(site, identity, "device-locked")
    site.certid("device", "unlock", identity)
    assert site.device(identity).attempt() == ACCEPTED


def test_a_removed_device_enrols_again(site: Site) -> None:
    identity = site.new_id()
    first_sight(site, identity)
    site.certid("device", "remove", identity)
    assert identity not in site.certid.identities()
    site.settle()
    since = site.broker.mark()
    first_sight(site, identity)
    assert site.broker.wait_decision(identity, since)["reason"] == "provisioned"


def test_listed_types_admit_the_listed(site: Site) -> None:
    site.certid("type", "set", "d:listed", "--enrol", "listed")
    site.settle()
    identity = site.new_id("listed")
    refused(site, identity, "device-unlisted")
    assert identity not in site.certid.identities()
    site.certid("device", "add", identity)
    assert site.certid.device(identity)["state"] == "allowed"
    since = site.broker.mark()
    assert site.device(identity).attempt() == ACCEPTED
    assert site.broker.wait_decision(identity, since)["reason"] == "provisioned"
    until(
        lambda: site.certid.device(identity)["state"] == "provisioned",
        "the state provisioned",
    )


@pytest.mark.parametrize("type_", ["listed2", "meter"])
def test_a_lapsed_window(site: Site, type_: str) -> None:
    if type_ != "meter":
        site.certid("type", "set", f"d:{type_}", "--enrol", "listed")
        site.settle()
    identity = site.new_id(type_)
    site.certid("device", "add", identity, "--window", "1s")
    leaf = site.ca.leaf(identity)
    until(
        lambda: site.certid.explain(leaf.cert)["reason"] == "window-expired",
        "the end of the window",
    )
    refused(site, identity, "window-expired")
    assert site.certid.device(identity)["state"] == "allowed"


def test_a_type_that_asks_for_approval(site: Site) -> None:
    site.certid("type", "set", "d:asked", "--enrol", "approve")
    site.settle()
    identity = site.new_id("asked")
    refused(site, identity, "device-pending")
    until(lambda: identity in site.certid.identities(), "the pending row")
    assert site.certid.device(identity)["state"] == "pending"
    site.certid("device", "approve", identity)
    site.settle()
    assert site.device(identity).attempt() == ACCEPTED
    until(
        lambda: site.certid.device(identity)["state"] == "provisioned",
        "the state provisioned",
    )


def test_a_type_that_was_not_declared(site: Site) -> None:
    """It keeps out what is new; a device that is known already stays."""
    known = site.new_id("undeclared")
    first_sight(site, known)
    site.certid("type", "set", "d:canary")  # settle() needs it
    site.certid("type", "set", "d:declared")
    site.certid("set", "types", "declared")
    try:
        site.settle()
        refused(site, site.new_id("undeclared"), "type-unknown")
        assert site.device(site.new_id("declared")).attempt() == ACCEPTED
        assert site.device(known).attempt() == ACCEPTED
    finally:
        site.certid("set", "types", "open")
        site.settle()


def test_an_id_against_the_format_of_its_type(site: Site) -> None:
    site.certid("type", "set", "d:counted", *("--id-format", "decimal"),
                *("--id-length", 4))  # fmt: skip
    site.settle()
    refused(site, "d:counted:12a4", "id-format")
    refused(site, "d:counted:12345", "id-format")
    assert site.device("d:counted:1234").attempt() == ACCEPTED


def test_a_mac_address_with_colons(site: Site) -> None:
    mac = "d:nic:00:1a:2b:3c:4d:5e"
    refused(site, mac, "identity-syntax")
    site.certid("type", "set", "d:nic", "--id-format", "mac-colon")
    site.settle()
    assert site.device(mac).attempt() == ACCEPTED


def test_an_identity_that_differs_in_letter_case(site: Site) -> None:
    first_sight(site, "d:meter:CaseOne")
    refused(site, "d:meter:caseone", "identity-case")
    refused(site, "d:Meter:CaseOne", "identity-case")


@pytest.mark.parametrize("level", ["token", "cert+token"])
def test_a_rule_that_demands_a_token(site: Site, level: str) -> None:
    type_ = "tok" if level == "token" else "both"
    site.certid("rule", "set", f"d:{type_}", level)
    site.settle()
    refused(site, site.new_id(type_), "level-token")


def test_a_device_without_its_certificate(site: Site) -> None:
    """On the back-end's listener: a device's name alone opens nothing."""
    identity = site.new_id()
    since = site.broker.mark()
    assert site.plain(identity).attempt() == REFUSED
    assert site.broker.wait_decision(identity, since)["reason"] == "cert-missing"
