# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Devices that are let in."""

import subprocess

import pytest
from harness.broker import verifies_in_plugin
from harness.client import ACCEPTED, CLOSED
from harness.expect import wait_refusal
from harness.raw import Raw, tls_context
from harness.site import Site, topic
from harness.wait import until

TLS = pytest.mark.parametrize("tls", ["1.2", "1.3"])
V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])


@TLS
@V5
def test_a_first_seen_device_publishes_at_once(site: Site, tls: str, v5: bool) -> None:
    identity = site.new_id()
    backend = site.backend("d/#", v5=v5)
    since = site.broker.mark()
    device = site.device(identity, tls=tls, v5=v5).open()
    device.publish(topic(identity, "evt"), "first")
    backend.wait_message(topic(identity, "evt"), "first")
    decision = site.broker.wait_decision(identity, since)
    assert (decision["verdict"], decision["reason"]) == ("admitted", "provisioned")


def test_a_first_seen_device_is_in_the_registry(site: Site) -> None:
    identity = site.new_id()
    site.device(identity).open()
    until(lambda: identity in site.certid.identities(), "the device's row")
    device = site.certid.device(identity)
    assert device["state"] == "provisioned"
    assert (device["class"], device["type"]) == ("d", "meter")
    assert device["id"] == identity.rsplit(":", 1)[1]
    assert device["ca"] == site.certid.ca_id("factory")
    assert device["fingerprint"] == site.ca.leaf(identity).fingerprint()
    assert device["last_address"] == "127.0.0.1"
    assert device["provisioned_at"] and not device["locked"]
    told = [e for e in site.certid.events("device-provisioned")]
    assert [e["actor"] for e in told if e["subject"] == identity] == ["broker"]


def test_a_device_is_known_when_it_returns(site: Site) -> None:
    identity = site.new_id()
    site.device(identity).open().close()
    since = site.broker.mark()
    site.device(identity).open()
    assert site.broker.wait_decision(identity, since)["reason"] == "known"


def test_a_back_end_commands_a_device(site: Site) -> None:
    identity = site.new_id()
    device = site.device(identity).open()
    assert device.subscribe(topic(identity, "cmd/#"))
    site.backend().publish(topic(identity, "cmd/go"), "now")
    device.wait_message(topic(identity, "cmd/go"), "now")


def test_a_gateway_has_topics_of_its_own(site: Site) -> None:
    identity = site.new_id("hub", "g")
    backend = site.backend("g/#")
    site.device(identity).open().publish(topic(identity, "evt"), "here")
    backend.wait_message(topic(identity, "evt"), "here")


def test_the_identity_may_be_in_an_email_san(site: Site) -> None:
    identity = site.new_id()
    leaf = site.ca.leaf("Serial number 4711", [f"email:{identity}"])
    site.client(identity, leaf).open()


def test_the_identity_may_be_in_both_places(site: Site) -> None:
    identity = site.new_id()
    leaf = site.ca.leaf(identity, [f"email:{identity}", "DNS:meter.example"])
    site.client(identity, leaf).open()


def test_the_user_name_becomes_the_identity(site: Site) -> None:
    identity = site.new_id()
    since = site.broker.mark()
    site.device(identity, login=("somebody", "else")).open()
    line = rf"New client connected from \S+ as {identity} .*u'{identity}'"
    site.broker.wait_log(line, since=since)


def test_a_registered_intermediate_anchors(site: Site) -> None:
    middle = site.ca.intermediate("middle")
    site.certid("ca", "add", middle.cert, "--name", "middle")
    site.settle()
    identity = site.new_id()
    since = site.broker.mark()
    site.client(identity, middle.leaf(identity)).open()
    decision = site.broker.wait_decision(identity, since)
    assert decision["ca"] == site.certid.ca_id("middle")


def test_two_cas_of_one_subject_both_work(site: Site) -> None:
    """As in a roll-over: one name, two keys."""
    for key in ("old", "new"):
        twin = site.pki.root("twins", key=f"twin-{key}")
        site.certid("ca", "add", twin.cert, "--name", f"twin-{key}")
    site.settle()
    for key in ("old", "new"):
        identity = site.new_id()
        leaf = site.pki.root("twins", key=f"twin-{key}").leaf(identity)
        assert site.client(identity, leaf).attempt() == ACCEPTED


def test_a_client_id_template_admits_suffixes(site: Site) -> None:
    site.certid("set", "client-id", "{class}:{type}:{id}*")
    try:
        site.settle()
        identity = site.new_id()
        one = site.client(f"{identity}-a", site.ca.leaf(identity)).open()
        two = site.client(f"{identity}-b", site.ca.leaf(identity)).open()
        assert one.is_open() and two.is_open()
    finally:
        site.certid("set", "client-id", "{class}:{type}:{id}")
        site.settle()


def resume(site: Site, identity: str, tls: str, ca: object = None) -> tuple:
    """Connect once, and keep what a second connection can resume."""
    leaf = (ca or site.ca).leaf(identity)  # type: ignore[attr-defined]
    context = tls_context(site.server_ca, leaf, tls)
    with Raw(site.broker.tls_port, context) as first:
        assert first.connect(identity) == 0
        return context, first.socket.session


def again(site: Site, identity: str, kept: tuple) -> int:
    context, session = kept
    with Raw(site.broker.tls_port, context, session) as second:
        code = second.ask(identity)
        assert second.socket.session_reused
        return code


@TLS
def test_a_resumed_tls_session_is_served(site: Site, tls: str) -> None:
    identity = site.new_id()
    kept = resume(site, identity, tls)
    assert again(site, identity, kept) == 0


@TLS
def test_a_resumed_tls_session_of_a_locked_device_is_refused(
    site: Site, tls: str
) -> None:
    identity = site.new_id()
    kept = resume(site, identity, tls)
    until(lambda: identity in site.certid.identities(), "the device's row")
    site.certid("device", "lock", identity)
    site.settle()
    since = site.broker.mark()
    assert again(site, identity, kept) == 5
    assert site.broker.wait_decision(identity, since)["reason"] == "device-locked"


@TLS
def test_a_resumed_tls_session_of_an_inactive_ca_is_refused(
    site: Site, tls: str
) -> None:
    name = f"resumed-{tls}"
    ca = site.pki.root(name)
    site.certid("ca", "add", ca.cert, "--name", name)
    site.settle()
    identity = site.new_id()
    kept = resume(site, identity, tls, ca)
    site.certid("ca", "deactivate", name)
    site.settle()
    since = site.broker.mark()
    if verifies_in_plugin():
        # The ticket is not taken, so there is a whole handshake, which fails.
        context, session = kept
        with pytest.raises(Raw.Gone), Raw(site.broker.tls_port, context, session) as raw:
            raw.connect(identity)
    else:
        assert again(site, identity, kept) == 5
    wait_refusal(site.broker, identity, "ca-inactive", since)


@TLS
@V5
def test_without_a_certificate_tls_ends(site: Site, tls: str, v5: bool) -> None:
    client = site.client(site.new_id(), None, tls=tls, v5=v5)
    assert client.attempt() == CLOSED


@TLS
@V5
def test_a_strangers_ca_ends_in_tls(site: Site, tls: str, v5: bool) -> None:
    identity = site.new_id()
    since = site.broker.mark()
    leaf = site.pki.root("stranger").leaf(identity)
    assert site.client(identity, leaf, tls=tls, v5=v5).attempt() == CLOSED
    site.broker.wait_log("certificate verify failed", since=since)
    assert identity not in site.certid.identities()


def test_mosquittos_own_clients(site: Site) -> None:
    """mosquitto_pub and mosquitto_sub, as scripts use them."""
    identity = site.new_id()
    backend = site.backend("d/#")
    leaf = site.ca.leaf(identity)
    broker = ("-h", "127.0.0.1", "-p", str(site.broker.tls_port), "-i", identity)
    tls = ("--cafile", site.server_ca.cert, "--cert", leaf.cert, "--key", leaf.key)
    pub = ("mosquitto_pub", *broker, *tls, "-q", "1", "-r", "-m", "on")
    subprocess.run([*pub, "-t", topic(identity, "state")], check=True, timeout=10)
    backend.wait_message(topic(identity, "state"), "on")
    sub = ("mosquitto_sub", *broker, *tls, "-C", "1", "-W", "10")
    heard = subprocess.run(
        [*sub, "-t", topic(identity, "#")], text=True, capture_output=True, timeout=20
    )
    assert heard.stdout == "on\n", heard.stderr
