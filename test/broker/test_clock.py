# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What time alone does: certificates, CAs and CRLs come to their end under
connected devices and under sessions that wait."""

import time
from dataclasses import dataclass
from typing import Callable, Iterator

import pytest
from harness.broker import is_sanitized, verifies_in_plugin, version
from harness.client import ACCEPTED, Client
from harness.clock import Clock
from harness.expect import refusal, wait_refusal
from harness.pki import Ca, Leaf, in_seconds
from harness.site import Site, topic
from harness.wait import until

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(is_sanitized(), reason="libfaketime and ASan do not mix"),
    pytest.mark.skipif(
        version() != "2.0.11",
        reason="later brokers count keep-alives by CLOCK_BOOTTIME, which "
        "libfaketime moves as well",
    ),
]

DAY = 86400
SECOND = 1.0


@dataclass
class World:
    site: Site
    clock: Clock


@pytest.fixture
def world(new_site: Callable[..., Site]) -> Iterator[World]:
    site = new_site()
    clock = Clock(site.broker)
    site.broker.start()
    yield World(site, clock)


@dataclass
class End:
    reason: str
    jump: str
    harmless: str  # a jump that is not far enough
    leaf: Callable[[Ca, str], Leaf]
    commands: Callable[[Ca], list[list]]


def plain(ca: Ca) -> list[list]:
    return []


ENDS = {
    "certificate": End(
        "cert-expired", "+31d", "+29d", lambda ca, name: ca.leaf(name, days=30), plain
    ),
    "ca": End(
        "ca-expired", "+366d", "+364d", lambda ca, name: ca.leaf(name, days=800), plain
    ),
    "crl": End(
        "crl-stale",
        "+11d",
        "+9d",
        lambda ca, name: ca.leaf(name, days=300),
        lambda ca: [["ca", "crl", "timed", ca.crl(1, end=in_seconds(10 * DAY))]],
    ),
    "crl-with-grace": End(
        "crl-stale",
        "+16d",
        "+14d",
        lambda ca, name: ca.leaf(name, days=300),
        lambda ca: [
            ["ca", "set", "timed", "--crl-grace", "5d"],
            ["ca", "crl", "timed", ca.crl(1, end=in_seconds(10 * DAY))],
        ],
    ),
}
EACH = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])


def shut_out(site: Site, device: Client, reason: str, since: int) -> None:
    """The broker knows dates too, so there it may be its own handshake."""
    name = device.client_id
    if reason == "crl-stale" or verifies_in_plugin():
        assert device.attempt() == refusal(reason)
        wait_refusal(site.broker, name, reason, since, name)
    else:
        assert device.attempt() != ACCEPTED


def register(site: Site, end: End) -> tuple[str, Leaf]:
    ca = site.pki.root("timed", days=365)
    site.certid("ca", "add", ca.cert, "--name", "timed")
    for command in end.commands(ca):
        site.certid(*command)
    identity = site.new_id()
    leaf = end.leaf(ca, identity)
    until(lambda: site.client(identity, leaf).attempt() == ACCEPTED, "the new CA")
    site.leave()
    until(lambda: identity in site.certid.identities(), "the device's row")
    return identity, leaf


@V5
@EACH
def test_the_end_of_a_connected_device(world: World, end: End, v5: bool) -> None:
    site = world.site
    identity, leaf = register(site, end)
    evt, will = topic(identity, "evt"), topic(identity, "will")
    backend = site.backend(evt, will, v5=v5)
    device = site.client(identity, leaf, v5=v5, will=(will, "gone")).open()
    world.clock.set(end.harmless)
    device.publish(evt, "in time")
    backend.wait_message(evt, "in time")
    since = site.broker.mark()
    world.clock.set(end.jump)
    jumped = time.monotonic()
    assert device.wait_closed() - jumped < SECOND
    site.broker.wait_log(rf"certid: closed reason={end.reason} .*{identity}", since=since)

    def told() -> bool:
        return [
            (each["subject"], end.reason in each["detail"])
            for each in site.certid.events("session-closed")
        ] == [(identity, True)]

    until(told, "its event")
    shut_out(site, site.client(identity, leaf, v5=v5), end.reason, since)
    assert backend.payloads() == ["in time"]


@EACH
def test_the_end_of_an_offline_session(world: World, end: End) -> None:
    """MQTT 3.1.1, whose sessions do not expire when the clock jumps."""
    site = world.site
    identity, leaf = register(site, end)
    # The CA alone is enough to be let in: its CRL may be on its way still.
    site.settle()
    cmd = topic(identity, "cmd/go")
    backend = site.backend()

    def device() -> Client:
        return site.client(identity, leaf, clean=False)

    first = device().open()
    assert first.subscribe(topic(identity, "cmd/#"))
    first.close()
    world.clock.set(end.harmless)
    backend.publish(cmd, "in time")
    world.clock.set(end.jump)
    since = site.broker.mark()
    shut_out(site, device(), end.reason, since)
    backend.publish(cmd, "too late")
    # Somebody sets the clock right.
    world.clock.set("+0")
    site.settle()
    last = device().open()
    backend.publish(cmd, "right again")
    last.wait_message(cmd, "right again")
    assert last.payloads() == ["in time", "right again"]


def expiring(site: Site) -> list[tuple[str, str]]:
    return [
        (each["subject"], each["detail"])
        for each in site.certid.events("ca-expiring")
    ]


def test_what_expires_is_told_at_each_stage(world: World) -> None:
    site = world.site
    ca = site.pki.root("ending", days=365)
    other = site.pki.root("lasting", days=3650)
    site.certid("ca", "add", ca.cert, "--name", "ending")
    site.certid("ca", "add", other.cert, "--name", "lasting")
    site.certid("ca", "crl", "lasting", other.crl(1, end=in_seconds(300 * DAY)))
    subject, listed = site.certid.ca_id("ending"), site.certid.ca_id("lasting")
    for offset, days in [("+276d", 90), ("+336d", 30), ("+359d", 7), ("+364d", 1)]:
        world.clock.set(offset)
        before = len(expiring(site))
        # A change makes it look at once.
        site.certid("ca", "set", "ending", "--description", f"at {offset}")
        until(
            lambda: any(
                who == subject and f"within {days} day" in detail
                for who, detail in expiring(site)[before:]
            ),
            f"a warning of {days} days: {expiring(site)}",
        )
    # The CRL came to its end on the way, and was told of too.
    assert any(who == listed and "CRL" in detail for who, detail in expiring(site))
    told = expiring(site)
    assert len(told) == len(set(told)), told
    site.broker.wait_log(rf"certid: .*{subject}.* expires within 1 day")
