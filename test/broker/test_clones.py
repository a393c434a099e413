# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""One identity that is in two places: they take each other's session."""

from typing import Any, Iterator

import pytest
from harness.pki import Leaf
from harness.raw import Raw
from harness.site import Site
from harness.wait import until

TAKEOVERS = 5
HERE, THERE = "127.0.0.1", "127.0.0.2"


def events(site: Site, kind: str, identity: str) -> list[dict[str, Any]]:
    return [e for e in site.certid.events(kind) if e["subject"] == identity]


def enter(site: Site, identity: str, leaf: Leaf, source: str = HERE) -> Raw:
    raw = site.raw(leaf, source=source)
    assert raw.ask(identity) == 0
    return raw


def gone(raw: Raw) -> None:
    """Wait for its end: somebody took it over, or the broker closed it."""
    try:
        while True:
            raw.read()
    except Raw.Gone:
        raw.close()


def swap(site: Site, identity: str, clones: list, times: int) -> Raw:
    """Connect as often as that makes so many take-overs; the last one is open."""
    held = enter(site, identity, *clones[0])
    for number in range(times):
        taker = enter(site, identity, *clones[(number + 1) % len(clones)])
        gone(held)
        held = taker
    return held


@pytest.fixture
def locking(site: Site) -> Iterator[Site]:
    site.certid("set", "clone-action", "lock")
    site.settle()
    yield site
    site.certid("set", "clone-action", "event")
    site.settle()


def two_keys(site: Site, identity: str) -> list:
    return [(site.ca.leaf(identity),), (site.ca.leaf(identity, key="stolen"),)]


def two_places(site: Site, identity: str) -> list:
    leaf = site.ca.leaf(identity)
    return [(leaf, HERE), (leaf, THERE)]


@pytest.mark.parametrize("clones", [two_keys, two_places])
def test_a_clone_is_told_of(site: Site, clones: Any) -> None:
    identity = site.new_id()
    pair = clones(site, identity)
    swap(site, identity, pair, TAKEOVERS).close()
    found = until(lambda: events(site, "clone-suspected", identity), "the event")
    assert [event["actor"] for event in found] == ["broker"]
    detail = found[0]["detail"]
    assert f"{TAKEOVERS} take-overs" in detail and HERE in detail
    for leaf in {one[0].fingerprint() for one in pair}:
        assert leaf[:16] in detail
    assert (THERE in detail) == (clones is two_places)
    # Once a minute, and the device goes on.
    swap(site, identity, pair, 2 * TAKEOVERS).close()
    site.settle()
    assert len(events(site, "clone-suspected", identity)) == 1
    assert not site.certid.device(identity)["locked"]


def test_a_few_take_overs_are_none(site: Site) -> None:
    identity = site.new_id()
    swap(site, identity, two_keys(site, identity), TAKEOVERS - 1).close()
    site.settle()
    assert events(site, "clone-suspected", identity) == []


def test_a_device_that_comes_back_is_none(site: Site) -> None:
    """As one does whose network is lost again and again."""
    identity = site.new_id()
    swap(site, identity, [(site.ca.leaf(identity),)], 2 * TAKEOVERS).close()
    site.settle()
    assert events(site, "clone-suspected", identity) == []


def test_one_after_the_other_is_none(site: Site) -> None:
    identity = site.new_id()
    for number in range(2 * TAKEOVERS):
        since = site.broker.mark()
        with enter(site, identity, *two_keys(site, identity)[number % 2]) as raw:
            raw.send(b"\xe0\x00")
            gone(raw)
        site.broker.wait_log(f"Client {identity} .*disconnected", since=since)
    site.settle()
    assert events(site, "clone-suspected", identity) == []


def test_who_is_refused_takes_nothing_over(site: Site) -> None:
    identity, other = site.new_id(), site.new_id()
    held = enter(site, identity, site.ca.leaf(identity))
    for _ in range(2 * TAKEOVERS):
        with site.raw(site.ca.leaf(other)) as raw:
            assert raw.ask(identity) == 5
    site.settle()
    assert events(site, "clone-suspected", identity) == []
    held.close()


def test_a_clone_is_locked(locking: Site) -> None:
    site = locking
    identity = site.new_id()
    pair = two_keys(site, identity)
    gone(swap(site, identity, pair, TAKEOVERS))
    assert site.certid.device(identity)["locked"]
    locked = events(site, "device-locked", identity)
    assert [event["actor"] for event in locked] == ["broker"]
    assert len(events(site, "clone-suspected", identity)) == 1
    closed = until(lambda: events(site, "session-closed", identity), "its event")
    assert [event["detail"] for event in closed] == ["device-locked"]
    for one in pair:
        with site.raw(one[0]) as raw:
            assert raw.ask(identity) == 5
