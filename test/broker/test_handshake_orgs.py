# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Tenants: the name of the server that a client asks for says whose device it
is, and so which CAs, devices and settings count."""

from typing import Callable, Iterator

import pytest
from harness.broker import is_2_1
from harness.client import Client
from harness.pki import Ca, Leaf, Pki
from harness.raw import PUBLISH, SUBACK, Raw, subscribe_packet
from harness.site import Site, topic
from harness.tls import (
    TLS,
    asked,
    come_back,
    context_of,
    enter,
    hand_over,
    keep,
    knock,
    refused,
    turned_away,
)
from harness.wait import until

SUFFIX = "mqtt.example.com"
ACME = f"acme.{SUFFIX}"
BETA = f"beta.{SUFFIX}"
SECOND = 1.0


def in_org(site: Site, org: str, *words: object) -> str:
    return site.certid("--org", org, *words)


def identities(site: Site, org: str) -> list[str]:
    found = site.certid.json("--org", org, "device", "list", "--limit", 100000)
    return [device["identity"] for device in found]


def found_org(site: Site, org: str) -> Ca:
    """Make the org, with a CA of its own."""
    in_org(site, "default", "org", "add", org)
    ca = site.pki.root(f"{org}-factory")
    in_org(site, org, "ca", "add", ca.cert, "--name", "factory")
    return ca


@pytest.fixture(scope="module")
def shared(pki: Pki, ca: Ca) -> Iterator[Site]:
    made = hand_over(Site(pki, ca))
    try:
        found_org(made, "acme")
        found_org(made, "beta")
        made.certid("set", "sni", SUFFIX)
        made.broker.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def acme(site: Site) -> Ca:
    return site.pki.root("acme-factory")


@TLS
@pytest.mark.parametrize("host", [ACME, ACME.upper(), "Acme.mqtt.example.com"])
def test_a_device_of_the_org_that_it_asks_for(
    site: Site, acme: Ca, host: str, tls: str
) -> None:
    identity = site.new_id()
    assert knock(site, acme.leaf(identity), identity, tls, host) == 0
    until(lambda: identity in identities(site, "acme"), "the device's row")
    assert identity not in identities(site, "default") + identities(site, "beta")
    events = site.certid.json("--org", "acme", "event", "list", "--limit", 10000)
    told = [e["kind"] for e in events if e["subject"] == identity]
    assert told == ["device-provisioned"]
    assert not [e for e in site.certid.events() if e["subject"] == identity]


# Names that ask for no org: the org default.
PLAIN = [
    None,
    "localhost",
    "mqtt.example.com",
    "example.com",
    "acme",
    "acme.mqtt.example.org",
    "acmemqtt.example.com",
    "acme.mqtt.example.com.evil",
    "acme.mqtt.example.com.",
    250 * "x",
    "127.0.0.1.nip.io",
]


@TLS
@pytest.mark.parametrize("host", PLAIN)
def test_other_names_are_those_of_the_org_default(
    site: Site, acme: Ca, host: "str | None", tls: str
) -> None:
    identity, other = site.new_id(), site.new_id()
    assert knock(site, site.ca.leaf(identity), identity, tls, host) == 0
    until(lambda: identity in identities(site, "default"), "the device's row")
    assert identity not in identities(site, "acme")
    turned_away(site, acme.leaf(other), "ca-unknown", tls=tls, host=host)


# Names under the suffix with which nobody gets in.
NOBODYS = [
    f"nobody.{SUFFIX}",
    f"acm.{SUFFIX}",
    f"acmee.{SUFFIX}",
    f"x.acme.{SUFFIX}",
    f"acme.x.{SUFFIX}",
    f"acme..{SUFFIX}",
    f"acme_.{SUFFIX}",
    f"*.{SUFFIX}",
    f"{63 * 'a'}.{SUFFIX}",
]


@TLS
@pytest.mark.parametrize("host", NOBODYS)
def test_an_org_that_does_not_exist(
    site: Site, acme: Ca, host: str, tls: str
) -> None:
    for ca in (site.ca, acme):
        leaf = ca.leaf(site.new_id())
        fields = turned_away(site, leaf, "ca-unknown", tls=tls, host=host)
        assert "names no org" in fields["detail"]


@TLS
def test_a_ca_of_another_org(site: Site, acme: Ca, tls: str) -> None:
    """Known in one org, unknown in every other."""
    beta = site.pki.root("beta-factory")
    for ca, host in [
        (site.ca, ACME),
        (site.ca, BETA),
        (beta, ACME),
        (acme, BETA),
        (acme, None),
        (beta, f"default.{SUFFIX}"),
    ]:
        turned_away(site, ca.leaf(site.new_id()), "ca-unknown", tls=tls, host=host)
    identity = site.new_id()
    leaf = acme.leaf(identity)
    assert knock(site, leaf, identity, tls, ACME) == 0
    turned_away(site, leaf, "ca-unknown", tls=tls)
    assert knock(site, leaf, identity, tls, ACME) == 0


def test_the_org_default_has_a_name_too(site: Site) -> None:
    identity = site.new_id()
    host = f"default.{SUFFIX}"
    assert knock(site, site.ca.leaf(identity), identity, host=host) == 0
    until(lambda: identity in identities(site, "default"), "the device's row")


def test_without_a_suffix_there_is_the_org_default_alone(
    new_site: Callable[..., Site],
) -> None:
    site = hand_over(new_site())
    acme = found_org(site, "acme")
    site.broker.start()
    turned_away(site, acme.leaf(site.new_id()), "ca-unknown", host=ACME)
    identity = site.new_id()
    assert knock(site, site.ca.leaf(identity), identity, host=ACME) == 0
    assert identities(site, "acme") == []


def test_a_suffix_of_one_org(new_site: Callable[..., Site]) -> None:
    """It is that org's alone; nobody else is reached under it."""
    site = hand_over(new_site())
    acme, beta = found_org(site, "acme"), found_org(site, "beta")
    in_org(site, "acme", "set", "sni", SUFFIX)
    site.broker.start()
    identity = site.new_id()
    assert knock(site, acme.leaf(identity), identity, host=ACME) == 0
    until(lambda: identities(site, "acme") == [identity], "the device's row")
    for ca in (acme, beta, site.ca):
        turned_away(site, ca.leaf(site.new_id()), "ca-unknown", host=BETA)
        host = f"default.{SUFFIX}"
        turned_away(site, ca.leaf(site.new_id()), "ca-unknown", host=host)
    other = site.new_id()
    assert knock(site, site.ca.leaf(other), other) == 0


def test_a_suffix_comes_and_goes(new_site: Callable[..., Site]) -> None:
    """Without a restart; sessions stay with the org that they came for."""
    site = hand_over(new_site())
    acme = found_org(site, "acme")
    site.broker.start()
    identity = site.new_id()
    leaf = acme.leaf(identity)
    turned_away(site, leaf, "ca-unknown", host=ACME)
    site.certid("set", "sni", SUFFIX)
    site.settle()
    with enter(site, leaf, identity, host=ACME) as raw:
        site.certid("set", "sni", "")
        site.settle()
        raw.send(subscribe_packet(topic(identity, "cmd/#")))
        assert raw.read_until(SUBACK)[-1] == 1
    turned_away(site, acme.leaf(site.new_id()), "ca-unknown", host=ACME)


def test_the_settings_of_the_org_count(site: Site, acme: Ca) -> None:
    in_org(site, "acme", "type", "set", "d:asked", "--enrol", "approve")
    in_org(site, "beta", "rule", "set", "d:asked", "cert+token")
    site.settle()
    beta = site.pki.root("beta-factory")
    names = [site.new_id("asked") for _ in range(3)]
    assert knock(site, site.ca.leaf(names[0]), names[0]) == 0
    refused(site, acme.leaf(names[1]), names[1], "device-pending", host=ACME)
    refused(site, beta.leaf(names[2]), names[2], "level-token", host=BETA)
    until(lambda: names[1] in identities(site, "acme"), "the pending row")
    in_org(site, "acme", "device", "approve", names[1])
    site.settle()
    assert knock(site, acme.leaf(names[1]), names[1], host=ACME) == 0


def test_a_ca_in_two_orgs(site: Site, acme: Ca) -> None:
    """One certificate; the name alone says whose device it is, and what one
    org thinks of the CA is no matter of the other."""
    ca = site.pki.root("both")
    for org in ("acme", "default"):
        in_org(site, org, "ca", "add", ca.cert, "--name", "both")
    site.settle()
    for org, host in (("acme", ACME), ("default", None)):
        identity = site.new_id()
        assert knock(site, ca.leaf(identity), identity, host=host) == 0
        until(lambda: identity in identities(site, org), "the device's row")
        other = "default" if org == "acme" else "acme"
        assert identity not in identities(site, other)
    in_org(site, "acme", "ca", "deactivate", "both")
    site.settle()
    # Also of the same certificate, and whatever was remembered of it.
    identity = site.new_id()
    leaf = ca.leaf(identity)
    assert knock(site, leaf, identity) == 0
    turned_away(site, leaf, "ca-inactive", host=ACME)
    assert knock(site, leaf, identity) == 0


@pytest.mark.skipif(not is_2_1(), reason="Mosquitto 2.0 names no CAs")
@TLS
def test_the_names_of_cas_are_those_of_the_org(site: Site, tls: str) -> None:
    port = site.broker.tls_port
    assert asked(port, tls, BETA) == ["CN=beta-factory"]
    names = asked(port, tls)
    assert names and "CN=factory" in names and "CN=beta-factory" not in names
    # Nor does the listener name its own.
    assert asked(port, tls, f"nobody.{SUFFIX}") == []


# One name in two orgs


@TLS
def test_no_session_is_taken_over_across_orgs(site: Site, acme: Ca, tls: str) -> None:
    """Both templates give the same client id: who comes second is refused,
    whichever of the two it is."""
    sides = ((site.ca, None), (acme, ACME))
    for first, second in (sides, sides[::-1]):
        identity = site.new_id()
        with enter(site, first[0].leaf(identity), identity, tls, first[1]) as raw:
            leaf = second[0].leaf(identity)
            fields = refused(site, leaf, identity, "client-id", tls=tls, host=second[1])
            assert "{org}" in fields["detail"]
            raw.send(subscribe_packet(topic(identity, "cmd/#")))
            assert raw.read_until(SUBACK)[-1] == 1


def test_an_offline_session_is_not_taken_over(site: Site, acme: Ca) -> None:
    """Not its queue either."""
    identity = site.new_id()
    backend = site.backend()
    with enter(site, site.ca.leaf(identity), identity, clean=False) as raw:
        raw.send(subscribe_packet(topic(identity, "cmd/#")))
        raw.read_until(SUBACK)
        raw.send(b"\xe0\x00")
    backend.publish(topic(identity, "cmd/go"), "for the org default")
    other = acme.leaf(identity)
    refused(site, other, identity, "client-id", host=ACME, clean=False)
    refused(site, acme.leaf(identity, days=3), identity, "client-id", host=ACME)
    with enter(site, site.ca.leaf(identity), identity, clean=False) as raw:
        assert raw.read_until(PUBLISH).endswith(b"for the org default")


TEMPLATES = ["{class}:{type}:{id}*", "{class}:{id}:{type}"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_nor_by_another_identity_of_one_client_id(
    site: Site, acme: Ca, template: str
) -> None:
    """Templates that differ may give one client id to two identities."""
    kind, number = f"t{next(site.ids)}", f"{next(site.ids)}"
    victim = f"d:{kind}:{number}0"
    thief = {"*": f"d:{kind}:{number}", "}": f"d:{number}0:{kind}"}[template[-1]]
    in_org(site, "acme", "set", "client-id", template)
    site.settle()
    try:
        with enter(site, site.ca.leaf(victim), victim, clean=False) as raw:
            fields = refused(
                site, acme.leaf(thief), victim, "client-id", host=ACME, clean=False
            )
            assert "another org" in fields["detail"]
            raw.send(subscribe_packet(topic(victim, "cmd/#")))
            assert raw.read_until(SUBACK)[-1] == 1
            raw.send(b"\xe0\x00")
        # Offline, too; the same refusal is counted, not told again.
        assert knock(site, acme.leaf(thief), victim, host=ACME, clean=False) == 5
    finally:
        in_org(site, "acme", "set", "client-id", "{class}:{type}:{id}")
        site.settle()


@pytest.fixture
def apart(new_site: Callable[..., Site]) -> Site:
    """Client ids and topics that keep the orgs apart."""
    site = hand_over(new_site())
    found_org(site, "acme")
    site.certid("set", "sni", SUFFIX)
    for org in ("default", "acme"):
        in_org(site, org, "set", "client-id", "{class}:{org}:{type}:{id}")
        in_org(site, org, "topic", "add", "all", "both", "{org}/{type}/{id}/#")
        in_org(site, org, "topic", "remove", "all", "both", "{class}/{type}/{id}/#")
    acl = site.broker.etc / "acl"
    more = "topic readwrite acme/#\ntopic readwrite default/#\n"
    acl.write_text(acl.read_text() + more)
    site.broker.start()
    return site


def device_of(site: Site, client_id: str, leaf: Leaf) -> Client:
    """On the TLS listener, by the name of the org acme."""
    made = Client(site.broker.tls_port, client_id)
    made.paho.tls_set_context(context_of(site, leaf, host=ACME))
    site.clients.append(made)
    return made


def test_two_devices_of_one_name(apart: Site) -> None:
    site, acme = apart, apart.pki.root("acme-factory")
    backend = site.backend("acme/#", "default/#")
    ours = site.client("d:default:meter:1", site.ca.leaf("d:meter:1")).open()
    theirs = device_of(site, "d:acme:meter:1", acme.leaf("d:meter:1")).open()
    ours.publish("default/meter/1/evt", "ours")
    theirs.publish("acme/meter/1/evt", "theirs")
    ours.publish("acme/meter/1/evt", "smuggled")
    theirs.publish("default/meter/1/evt", "smuggled")
    assert not ours.subscribe("acme/meter/1/#")
    assert not theirs.subscribe("default/meter/1/#")
    ours.publish("default/meter/1/evt", "end")
    backend.wait_message("default/meter/1/evt", "end")
    assert backend.payloads() == ["ours", "theirs", "end"]
    # Neither may use the other's client id.
    leaf = acme.leaf("d:meter:1")
    refused(site, leaf, "d:default:meter:1", "client-id", host=ACME)
    refused(site, site.ca.leaf("d:meter:1"), "d:acme:meter:1", "client-id")
    assert ours.is_open() and theirs.is_open()


@pytest.mark.alone
@pytest.mark.parametrize("what", ["lock", "remove"])
def test_a_device_goes_in_one_org(apart: Site, what: str) -> None:
    """And its session; the device of that name in the other org stays."""
    site, acme = apart, apart.pki.root("acme-factory")
    host = ACME
    mine = acme.leaf("d:meter:1")
    with enter(site, site.ca.leaf("d:meter:1"), "d:default:meter:1") as ours:
        with enter(site, mine, "d:acme:meter:1", host=host) as theirs:
            for org in ("default", "acme"):
                until(lambda: identities(site, org) == ["d:meter:1"], "the rows")
            in_org(site, "acme", "device", what, "d:meter:1")
            theirs.socket.settimeout(SECOND)
            with pytest.raises(Raw.Gone):
                theirs.read()
            ours.send(subscribe_packet("default/meter/1/cmd/#"))
            assert ours.read_until(SUBACK)[-1] == 1
    if what == "lock":
        refused(site, mine, "d:acme:meter:1", "device-locked", host=host)
    assert knock(site, site.ca.leaf("d:meter:1"), "d:default:meter:1") == 0
    kinds = [e["kind"] for e in site.certid.events() if e["subject"] == "d:meter:1"]
    assert kinds == ["device-provisioned"]


def test_a_session_from_disk_finds_its_org(apart: Site) -> None:
    """The disk does not say of which org it is."""
    site, acme = apart, apart.pki.root("acme-factory")
    leaf, name = acme.leaf("d:meter:1"), "d:acme:meter:1"
    with enter(site, leaf, name, host=ACME, clean=False) as raw:
        raw.send(subscribe_packet("acme/meter/1/cmd/#"))
        assert raw.read_until(SUBACK)[-1] == 1
        raw.send(b"\xe0\x00")
    site.broker.restart()
    backend = site.backend()
    backend.publish("acme/meter/1/cmd/go", "while away")
    with enter(site, leaf, name, host=ACME, clean=False) as raw:
        assert raw.read_until(PUBLISH).endswith(b"while away")


UNASKED = pytest.mark.xfail(
    strict=True,
    reason="until the broker has asked about a session from disk, nobody knows "
    "whose it is",
)


@pytest.mark.parametrize("when", [pytest.param("before", marks=UNASKED), "after"])
def test_a_session_from_disk_is_not_another_orgs(
    new_site: Callable[..., Site], when: str
) -> None:
    """The same client id: after a restart too, who has the session keeps it."""
    site = hand_over(new_site())
    acme = found_org(site, "acme")
    site.certid("set", "sni", SUFFIX)
    site.broker.start()
    leaf, name = acme.leaf("d:meter:1"), "d:meter:1"
    with enter(site, leaf, name, host=ACME, clean=False) as raw:
        raw.send(subscribe_packet("d/meter/1/cmd/#"))
        assert raw.read_until(SUBACK)[-1] == 1
        raw.send(b"\xe0\x00")
    if when == "after":
        site.broker.restart()
    site.backend().publish("d/meter/1/cmd/go", "secret of acme")
    if when == "before":
        site.broker.restart()
    code = knock(site, site.ca.leaf(name), name, clean=False)
    assert code == 5, "the session of acme's device went to the org default"
    with enter(site, leaf, name, host=ACME, clean=False) as raw:
        assert raw.read_until(PUBLISH).endswith(b"secret of acme")


# Tickets


@TLS
def test_a_ticket_is_for_its_org(site: Site, tls: str) -> None:
    """Offered under another name it is not taken (RFC 6066 3), and there is a
    whole handshake: the CA is registered in both."""
    ca = site.pki.root(f"ticket-{tls}")
    for org in ("acme", "default"):
        in_org(site, org, "ca", "add", ca.cert, "--name", f"ticket-{tls}")
    site.settle()
    identity = site.new_id()
    kept = keep(site, ca.leaf(identity), identity, tls, ACME)
    until(lambda: identity in identities(site, "acme"), "the device's row")
    kept.context.host = None
    assert identity not in identities(site, "default")
    assert come_back(site, kept, identity) == (0, False)
    until(lambda: identity in identities(site, "default"), "the other device's row")
    in_org(site, "acme", "ca", "deactivate", f"ticket-{tls}")
    site.settle()
    kept.context.host = ACME
    assert come_back(site, kept, identity) == (-1, False)
