# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Sessions: take-overs, restarts of the broker, SIGHUP, retained messages."""

from pathlib import Path
from typing import Callable

import pytest
from harness.broker import load_before
from harness.client import ACCEPTED, REFUSED
from harness.raw import SUBACK, subscribe_packet
from harness.site import Site, topic
from harness.wait import until

V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])
LAST = "per_listener_settings false\n"


@V5
def test_nobody_takes_over_another_devices_session(site: Site, v5: bool) -> None:
    one, two = site.new_id(), site.new_id()
    backend = site.backend("d/#")
    owner = site.device(one, clean=False, v5=v5).open()
    assert owner.subscribe(topic(one, "cmd/#"))
    thief = site.client(one, site.ca.leaf(two), v5=v5)
    assert thief.attempt() == REFUSED
    assert owner.is_open()
    owner.publish(topic(one, "evt"), "still here")
    backend.wait_message(topic(one, "evt"), "still here")

    owner.close()
    backend.publish(topic(one, "cmd/go"), "queued")
    assert site.client(one, site.ca.leaf(two), v5=v5).attempt() == REFUSED
    assert site.plain(one).attempt() == REFUSED
    owner = site.device(one, clean=False, v5=v5).open()
    assert owner.session_present
    owner.wait_message(topic(one, "cmd/go"), "queued")


@V5
def test_a_device_takes_over_its_own_session(site: Site, v5: bool) -> None:
    identity = site.new_id()
    backend = site.backend("d/#")
    first = site.device(identity, clean=False, v5=v5).open()
    assert first.subscribe(topic(identity, "cmd/#"))
    second = site.device(identity, clean=False, v5=v5).open()
    first.wait_closed()
    assert second.session_present
    backend.publish(topic(identity, "cmd/go"), "to the second")
    second.wait_message(topic(identity, "cmd/go"), "to the second")
    second.publish(topic(identity, "evt"), "hello")
    backend.wait_message(topic(identity, "evt"), "hello")


def test_taking_over_again_and_again(site: Site) -> None:
    """The broker uses memory of old connections again; nothing must leak from
    one device to the next."""
    one, two = site.new_id(), site.new_id()
    for _ in range(10):
        for identity in (one, two):
            device = site.device(identity, clean=False).open()
            assert device.subscribe(topic(identity, "cmd/#"))
            other = two if identity == one else one
            assert not device.subscribe(topic(other, "cmd/#"))
    site.leave()


@V5
def test_queued_messages_survive_a_restart(
    new_site: Callable[..., Site], v5: bool
) -> None:
    site = new_site()
    site.broker.start()
    identity = site.new_id()
    device = site.device(identity, clean=False, v5=v5).open()
    assert device.subscribe(topic(identity, "cmd/#"))
    device.close()
    site.backend().publish(topic(identity, "cmd/go"), "before the restart")
    site.broker.restart()
    backend = site.backend()
    backend.publish(topic(identity, "cmd/go"), "after the restart")
    device = site.device(identity, clean=False, v5=v5).open()
    assert device.session_present
    device.wait_message(topic(identity, "cmd/go"), "before the restart")
    device.wait_message(topic(identity, "cmd/go"), "after the restart")
    backend.publish(topic(identity, "cmd/go"), "live")
    device.wait_message(topic(identity, "cmd/go"), "live")
    assert not device.subscribe("d/#")


@V5
def test_a_restored_session_of_a_locked_device_gets_nothing(
    new_site: Callable[..., Site], v5: bool
) -> None:
    site = new_site()
    site.broker.start()
    identity = site.new_id()
    device = site.device(identity, clean=False, v5=v5).open()
    assert device.subscribe(topic(identity, "cmd/#"))
    until(lambda: identity in site.certid.identities(), "the device's row")
    site.leave()
    site.broker.stop()
    site.certid("device", "lock", identity)
    site.broker.start()
    backend = site.backend()
    backend.publish(topic(identity, "cmd/go"), "while locked")
    assert site.device(identity, clean=False, v5=v5).attempt() == REFUSED
    site.certid("device", "unlock", identity)
    site.settle()
    backend.publish(topic(identity, "cmd/go"), "unlocked")
    device = site.device(identity, clean=False, v5=v5).open()
    device.wait_message(topic(identity, "cmd/go"), "unlocked")
    assert device.payloads() == ["unlocked"]


@V5
def test_an_offline_session_of_a_locked_device_gets_nothing(
    site: Site, v5: bool
) -> None:
    identity = site.new_id()
    device = site.device(identity, clean=False, v5=v5).open()
    assert device.subscribe(topic(identity, "cmd/#"))
    until(lambda: identity in site.certid.identities(), "the device's row")
    device.close()
    site.certid("device", "lock", identity)
    site.settle()
    backend = site.backend()
    backend.publish(topic(identity, "cmd/go"), "while locked")
    assert site.device(identity, clean=False, v5=v5).attempt() == REFUSED
    site.certid("device", "unlock", identity)
    site.settle()
    backend.publish(topic(identity, "cmd/go"), "unlocked")
    device = site.device(identity, clean=False, v5=v5).open()
    device.wait_message(topic(identity, "cmd/go"), "unlocked")
    assert device.payloads() == ["unlocked"]


@V5
def test_sighup_keeps_connected_clients(site: Site, v5: bool) -> None:
    identity = site.new_id()
    backend = site.backend("d/#", v5=v5)
    device = site.device(identity, v5=v5).open()
    assert device.subscribe(topic(identity, "cmd/#"))
    for turn in range(3):
        site.broker.sighup()
        device.publish(topic(identity, "evt"), f"evt {turn}")
        backend.wait_message(topic(identity, "evt"), f"evt {turn}")
        backend.publish(topic(identity, "cmd/go"), f"cmd {turn}")
        device.wait_message(topic(identity, "cmd/go"), f"cmd {turn}")
    assert device.is_open() and backend.is_open()
    # The password file works after a reload as before.
    site.backend()
    assert site.plain("x", login=("backend", "wrong")).attempt() == REFUSED


def offline_sessions(site: Site) -> list[tuple[str, bool]]:
    """One of either protocol version, subscribed to its commands."""
    made = []
    for v5 in (False, True):
        identity = site.new_id()
        device = site.device(identity, clean=False, v5=v5).open()
        assert device.subscribe(topic(identity, "cmd/#"))
        device.close()
        made.append((identity, v5))
    return made


def deliver_to(site: Site, sessions: list[tuple[str, bool]]) -> None:
    backend = site.backend()
    for identity, _ in sessions:
        backend.publish(topic(identity, "cmd/go"), identity)
    for identity, v5 in sessions:
        device = site.device(identity, clean=False, v5=v5).open()
        assert device.session_present
        device.wait_message(topic(identity, "cmd/go"), identity)


def test_sighup_keeps_offline_sessions(site: Site) -> None:
    sessions = offline_sessions(site)
    for _ in range(3):
        site.broker.sighup()
    deliver_to(site, sessions)


def test_sighup_keeps_restored_sessions(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.broker.start()
    sessions = offline_sessions(site)
    site.broker.restart()
    for _ in range(3):
        site.broker.sighup()
    deliver_to(site, sessions)


def test_sighup_after_a_lock_spares_offline_sessions(site: Site) -> None:
    """Mosquitto 2.0 spoils its list of expiring sessions when an offline one
    is refused; the sessions expire soon after, and the broker must live."""
    identities = [site.new_id() for _ in range(4)]
    for identity in identities:
        with site.raw(site.ca.leaf(identity)) as raw:
            assert raw.connect(identity, v5=True, clean=False, expiry=2) == 0
            raw.send(subscribe_packet(topic(identity, "cmd/#"), v5=True))
            raw.read_until(SUBACK)
    until(
        lambda: set(identities) <= set(site.certid.identities()), "the devices' rows"
    )
    for identity in identities[::2]:
        site.certid("device", "lock", identity)
    site.settle()
    site.broker.sighup()
    site.broker.sighup()

    def expired() -> bool:
        device = site.device(identities[1], clean=False, v5=True)
        assert device.attempt() == ACCEPTED
        gone = not device.session_present
        # Come back as an offline session that expires at once.
        device.close()
        site.device(identities[1], v5=True).open().close()
        return gone

    until(expired, "the end of the offline session")
    site.broker.sighup()
    site.broker.pid()


@pytest.mark.parametrize("check", [False, True], ids=["plain", "check_retain_source"])
def test_retained_messages(new_site: Callable[..., Site], check: bool) -> None:
    edits = [(LAST, LAST + "check_retain_source true\n")] if check else []
    site = new_site(*edits)
    site.broker.start()
    one, two = site.new_id(), site.new_id()
    site.device(one).open().publish(topic(one, "state"), "on", retain=True)
    site.device(two).open().publish(topic(two, "state"), "on", retain=True)
    site.leave()
    backend = site.backend("d/#")
    backend.wait_message(topic(one, "state"), "on")
    backend.wait_message(topic(two, "state"), "on")
    site.leave()
    site.broker.restart()
    backend = site.backend("d/#")
    backend.wait_message(topic(one, "state"), "on")
    device = site.device(two).open()
    assert device.subscribe(topic(two, "#"))
    device.wait_message(topic(two, "state"), "on")


def test_retained_messages_of_a_locked_device_are_withheld(
    new_site: Callable[..., Site],
) -> None:
    site = new_site((LAST, LAST + "check_retain_source true\n"))
    site.broker.start()
    one, two = site.new_id(), site.new_id()
    for identity in (one, two):
        device = site.device(identity).open()
        device.publish(topic(identity, "state"), identity, retain=True)
        device.close()
    until(lambda: len(site.certid.identities()) >= 2, "the devices' rows")
    site.certid("device", "lock", one)
    site.settle()
    backend = site.backend("d/#")
    backend.wait_message(topic(two, "state"), two)
    site.device(two).open().publish(topic(two, "evt"), "end")
    backend.wait_message(topic(two, "evt"), "end")
    assert one not in backend.payloads()


def test_a_reload_that_takes_long(
    new_site: Callable[..., Site], compiled: Callable[[str], Path]
) -> None:
    """Offline sessions are kept however long the broker authenticates again."""
    site = new_site()
    load_before(site, compiled("slow"))
    site.broker.start()
    for _ in range(5):
        site.backend()
    kept = [identity for _ in range(3) for identity, _ in offline_sessions(site)]
    backend = site.backend()
    since = site.broker.mark()
    site.broker.sighup()
    for identity in kept:
        backend.publish(topic(identity, "cmd/go"), "after")
    assert "certid: refused" not in site.broker.log()[since:]
    for number, identity in enumerate(kept):
        device = site.device(identity, clean=False, v5=number % 2 == 1).open()
        assert device.session_present
        device.wait_message(topic(identity, "cmd/go"), "after")


@V5
@pytest.mark.parametrize("verb", ["remove", "deactivate"])
def test_a_restored_session_outlives_its_first_ca(
    new_site: Callable[..., Site], verb: str, v5: bool
) -> None:
    """A device that rolled over properly loses nothing when its old CA goes
    while it is away."""
    site = new_site()
    old = site.pki.root("old")
    site.certid("ca", "add", old.cert, "--name", "old")
    site.broker.start()
    identity = site.new_id()
    site.client(identity, old.leaf(identity), clean=False, v5=v5).open().close()
    until(lambda: identity in site.certid.identities(), "the device's row")
    device = site.device(identity, clean=False, v5=v5).open()
    assert device.subscribe(topic(identity, "cmd/#"))
    device.close()
    site.certid("ca", verb, "old")
    site.broker.restart()
    site.backend().publish(topic(identity, "cmd/go"), "while away")
    device = site.device(identity, clean=False, v5=v5).open()
    device.wait_message(topic(identity, "cmd/go"), "while away")


def test_retained_messages_of_a_device_that_came_back(
    new_site: Callable[..., Site],
) -> None:
    """With check_retain_source what a removed device retained is withheld, and
    given again once it has enrolled anew."""
    site = new_site((LAST, LAST + "check_retain_source true\n"))
    site.broker.start()
    identity = site.new_id()
    site.device(identity).open().publish(topic(identity, "s"), "1", retain=True)
    until(lambda: identity in site.certid.identities(), "the device's row")
    site.certid("device", "remove", identity)
    site.settle()
    assert site.backend("d/meter/#").payloads() == []
    site.device(identity).open().publish(topic(identity, "s"), "2", retain=True)
    until(lambda: identity in site.certid.identities(), "the device's new row")
    late = site.backend("d/meter/#")
    late.wait_message(topic(identity, "s"), "2")


@pytest.mark.parametrize("online", [True, False], ids=["online", "away"])
def test_a_suffix_takes_nobodys_session(
    new_site: Callable[..., Site], online: bool
) -> None:
    site = new_site()
    site.certid("set", "client-id", "{class}:{type}:{id}*")
    site.broker.start()
    victim, thief = "d:meter:12", "d:meter:1"
    device = site.device(victim, clean=False).open()
    assert device.subscribe(topic(victim, "cmd/#"))
    if not online:
        device.close()
    since = site.broker.mark()
    with site.raw(site.ca.leaf(thief)) as raw:
        assert raw.ask(victim, clean=False) == 5
        assert site.broker.wait_decision(victim, since)["reason"] == "client-id"
    # Its own name is free, and so is another suffix.
    for name in (thief, f"{thief}@2"):
        with site.raw(site.ca.leaf(thief)) as raw:
            assert raw.ask(name) == 0
    # Whose client id it is without a suffix is not kept out by one with it.
    long, short = "d:meter:77", "d:meter:7"
    with site.raw(site.ca.leaf(short)) as raw:
        assert raw.ask(long, clean=False) == 0
    assert site.device(long, clean=False).attempt() == ACCEPTED
