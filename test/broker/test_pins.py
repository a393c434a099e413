# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Certificates that devices are held to, and how others take their place."""

import itertools
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Optional

from harness.ask import ask
from harness.broker import Broker, own
from harness.client import ACCEPTED, REFUSED
from harness.pki import Ca, Leaf, in_seconds
from harness.raw import PINGRESP, Raw, tls_context
from harness.site import Site
from harness.wait import until

ROUNDS = 30
SECOND = 1.0
TYPES = itertools.count(1)


def new_type(site: Site, *options: str) -> str:
    """A device type with these settings, which the broker knows of."""
    name = f"pinned{next(TYPES)}"
    site.certid("type", "set", f"d:{name}", *options)
    site.settle()
    return name


def recorded(site: Site, identity: str) -> None:
    until(lambda: site.knows(identity), "the device's row")


def pinned(site: Site, identity: str) -> list[str]:
    found = site.certid.device(identity)["pins"]
    return [pin["fingerprint"] for pin in found]


def events(site: Site, kind: str, identity: str) -> list[str]:
    found = site.certid.events(kind)
    return [each["detail"] for each in found if each["subject"] == identity]


def wait_pins(site: Site, identity: str, *leaves: Leaf) -> None:
    want = [leaf.fingerprint() for leaf in leaves]
    until(lambda: pinned(site, identity) == want, "its pins")


def three(ca: Ca, identity: str) -> list[Leaf]:
    """Certificates of one name: two of one key, one of another."""
    return [
        ca.leaf(identity, serial=1),
        ca.leaf(identity, serial=2),
        ca.leaf(identity, key="another"),
    ]


def test_none_takes_any_certificate(site: Site) -> None:
    identity = site.new_id(new_type(site))
    for leaf in three(site.ca, identity):
        assert ask(site, identity, leaf) in ("provisioned", "known")
    recorded(site, identity)
    assert pinned(site, identity) == []


def test_first_holds_to_the_first(site: Site) -> None:
    identity = site.new_id(new_type(site, "--pin", "first"))
    one, two, other = three(site.ca, identity)
    assert ask(site, identity, one) == "provisioned"
    # Also before the row is written.
    assert ask(site, identity, two) == "pin-mismatch"
    assert ask(site, identity, other) == "pin-mismatch"
    assert ask(site, identity, one) == "known"
    recorded(site, identity)
    assert pinned(site, identity) == [one.fingerprint()]
    # Once a minute for each certificate.
    assert ask(site, identity, two) == "pin-mismatch"
    until(lambda: len(events(site, "pin-mismatch", identity)) >= 2, "the events")
    site.settle()
    told = events(site, "pin-mismatch", identity)
    assert len(told) == 2
    assert two.fingerprint()[:16] in told[0] and "127.0.0.1" in told[0]
    assert other.fingerprint()[:16] in told[1]


def test_first_holds_a_known_device_too(site: Site) -> None:
    type_ = new_type(site)
    identity = site.new_id(type_)
    one, two, _ = three(site.ca, identity)
    assert ask(site, identity, one) == "provisioned"
    recorded(site, identity)
    site.certid("type", "set", f"d:{type_}", "--pin", "first")
    site.settle()
    assert ask(site, identity, two) == "known"
    assert ask(site, identity, one) == "pin-mismatch"
    wait_pins(site, identity, two)
    said = events(site, "pin-changed", identity)
    assert said == [f"taken up by first: {two.fingerprint()[:16]}..."]


def test_listed_refuses_what_is_not_listed(site: Site) -> None:
    type_ = new_type(site, "--pin", "listed")
    stranger, identity = site.new_id(type_), site.new_id(type_)
    assert ask(site, stranger, site.ca.leaf(stranger)) == "pin-mismatch"
    assert not site.knows(stranger)
    one, two, other = three(site.ca, identity)
    site.certid("device", "add", identity, "--cert", one.cert, "--cert", other.cert)
    assert ask(site, identity, two) == "pin-mismatch"
    assert ask(site, identity, other) == "provisioned"
    assert ask(site, identity, one) == "known"


def test_a_listed_certificate_holds_in_every_mode(site: Site) -> None:
    identity = site.new_id(new_type(site))
    one, two, _ = three(site.ca, identity)
    site.certid("device", "add", identity, "--cert", one.fingerprint())
    assert ask(site, identity, two) == "pin-mismatch"
    assert ask(site, identity, one) == "provisioned"
    assert ask(site, identity, two) == "pin-mismatch"


def test_same_key(site: Site) -> None:
    identity = site.new_id(new_type(site, "--pin", "first", "--rotate", "same-key"))
    one, two, other = three(site.ca, identity)
    assert ask(site, identity, one) == "provisioned"
    recorded(site, identity)
    assert ask(site, identity, other) == "pin-mismatch"
    assert ask(site, identity, two) == "known"
    wait_pins(site, identity, one, two)
    said = events(site, "pin-changed", identity)
    assert said == [f"taken up by same-key: {two.fingerprint()[:16]}..."]
    # The old one counts until the overlap is over.
    assert ask(site, identity, one) == "known"
    assert ask(site, identity, other) == "pin-mismatch"


def test_same_ca_and_the_end_of_the_overlap(site: Site) -> None:
    options = ("--pin", "first", "--rotate", "same-ca", "--overlap", "2s")
    identity = site.new_id(new_type(site, *options))
    old = site.ca.leaf(identity, start=in_seconds(-7200), end=in_seconds(7200))
    new = site.ca.leaf(
        identity, start=in_seconds(-3600), end=in_seconds(7200), key="another"
    )
    assert ask(site, identity, old) == "provisioned"
    recorded(site, identity)
    assert ask(site, identity, new) == "known"
    wait_pins(site, identity, old, new)
    until(lambda: ask(site, identity, old) == "pin-mismatch", "its end")
    assert ask(site, identity, new) == "known"


def test_a_session_ends_with_the_overlap(site: Site) -> None:
    """Old and new are connected at once, under one identity."""
    options = ("--pin", "first", "--rotate", "same-ca", "--overlap", "2s")
    site.certid("set", "client-id", "{class}:{type}:{id}*")
    try:
        identity = site.new_id(new_type(site, *options))
        old = site.ca.leaf(identity, start=in_seconds(-7200), end=in_seconds(7200))
        new = site.ca.leaf(
            identity, start=in_seconds(-3600), end=in_seconds(7200), key="another"
        )
        first = site.client(identity + "-old", old).open()
        recorded(site, identity)
        second = site.client(identity + "-new", new).open()
        first.wait_closed()
        assert second.is_open()
        until(lambda: events(site, "session-closed", identity), "its event")
        assert events(site, "session-closed", identity) == ["pin-mismatch"]
    finally:
        site.certid("set", "client-id", "{class}:{type}:{id}")
        site.settle()


def test_an_older_certificate_of_the_same_ca(site: Site) -> None:
    options = ("--pin", "first", "--rotate", "same-ca")
    identity = site.new_id(new_type(site, *options))
    old = site.ca.leaf(identity, start=in_seconds(-7200), end=in_seconds(7200))
    new = site.ca.leaf(identity, start=in_seconds(-3600), end=in_seconds(7200))
    assert ask(site, identity, new) == "provisioned"
    assert ask(site, identity, old) == "pin-mismatch"


def test_approval(site: Site) -> None:
    identity = site.new_id(new_type(site, "--pin", "first", "--rotate", "approve"))
    one, two, other = three(site.ca, identity)
    assert ask(site, identity, one) == "provisioned"
    recorded(site, identity)
    assert ask(site, identity, two) == "device-pending"
    until(lambda: len(pinned(site, identity)) == 2, "the one that waits")
    assert ask(site, identity, two) == "device-pending"
    assert ask(site, identity, one) == "known"
    said = events(site, "device-pending", identity)
    assert said == [f"the certificate {two.fingerprint()[:16]}... waits for approval"]
    site.certid("device", "approve", identity)
    assert ask(site, identity, two) == "known"
    assert ask(site, identity, one) == "known"
    assert ask(site, identity, other) == "device-pending"


def test_approval_of_a_first_sight_is_of_its_certificate(site: Site) -> None:
    identity = site.new_id(new_type(site, "--pin", "first", "--enrol", "approve"))
    one, two, _ = three(site.ca, identity)
    assert ask(site, identity, one) == "device-pending"
    recorded(site, identity)
    site.certid("device", "approve", identity)
    assert ask(site, identity, two) == "pin-mismatch"
    assert ask(site, identity, one) == "provisioned"


def test_approval_of_one_certificate_is_of_no_other(site: Site) -> None:
    identity = site.new_id(type_ := new_type(site, "--enrol", "approve"))
    one, two, _ = three(site.ca, identity)
    assert ask(site, identity, one) == "device-pending"
    recorded(site, identity)
    # It was not let in: to rules it has never connected.
    waits = site.certid.device(identity)
    assert waits["state"] == "pending" and waits["seen_with"] == []
    site.certid("rule", "set", f"d:{type_}", "cert+token")
    (rule,) = [r for r in site.certid.json("rule", "list") if r["rule"] == f"d:{type_}"]
    assert (rule["devices"], rule["connected"]) == (1, 0)
    site.certid("rule", "unset", f"d:{type_}")
    site.certid("device", "approve", identity, "--cert", one.fingerprint())
    site.settle()
    assert ask(site, identity, two) == "pin-mismatch"
    assert ask(site, identity, one) == "provisioned"


def test_a_session_ends_when_its_pin_does(site: Site) -> None:
    identity = site.new_id(new_type(site, "--pin", "first"))
    one, two, _ = three(site.ca, identity)
    device = site.client(identity, one).open()
    recorded(site, identity)
    site.certid("device", "pin", identity, "--cert", two.cert)
    returned = time.monotonic()
    assert device.wait_closed() - returned < SECOND
    until(lambda: events(site, "session-closed", identity), "its event")
    assert events(site, "session-closed", identity) == ["pin-mismatch"]
    assert site.client(identity, one).attempt() == REFUSED
    assert site.client(identity, two).attempt() == ACCEPTED


def test_a_session_stays_when_its_pin_does(site: Site) -> None:
    identity = site.new_id(new_type(site, "--pin", "first"))
    one, two, _ = three(site.ca, identity)
    device = site.client(identity, one).open()
    recorded(site, identity)
    pins = ("--cert", two.cert, "--cert", one.cert)
    site.certid("device", "pin", identity, *pins)
    site.settle()
    assert device.is_open()


def test_first_holds_those_who_are_connected(site: Site) -> None:
    type_ = new_type(site)
    identity = site.new_id(type_)
    one, two, _ = three(site.ca, identity)
    device = site.client(identity, one).open()
    recorded(site, identity)
    site.certid("type", "set", f"d:{type_}", "--pin", "first")
    wait_pins(site, identity, one)
    assert ask(site, identity, two) == "pin-mismatch"
    assert device.is_open()
    said = events(site, "pin-changed", identity)
    assert said == [f"taken up by first: {one.fingerprint()[:16]}..."]


def test_a_rotation_is_for_those_who_connect(site: Site) -> None:
    """What is not written does not stand, though it would be taken up."""
    identity = site.new_id(new_type(site, "--pin", "first", "--rotate", "same-key"))
    one, two, _ = three(site.ca, identity)
    device = site.client(identity, one).open()
    recorded(site, identity)
    site.certid("device", "pin", identity, "--cert", two.cert)
    device.wait_closed()
    until(lambda: events(site, "session-closed", identity), "its event")
    assert events(site, "session-closed", identity) == ["pin-mismatch"]
    assert pinned(site, identity) == [two.fingerprint()]
    assert ask(site, identity, one) == "known"
    wait_pins(site, identity, two, one)


def test_one_that_was_pushed_out_does_not_come_again(site: Site) -> None:
    identity = site.new_id(new_type(site, "--pin", "first", "--rotate", "same-key"))
    ends = in_seconds(7200)
    old, mid, new = [
        site.ca.leaf(identity, start=in_seconds(-start), end=ends)
        for start in (10800, 7200, 3600)
    ]
    assert ask(site, identity, old) == "provisioned"
    recorded(site, identity)
    assert ask(site, identity, mid) == "known"
    wait_pins(site, identity, old, mid)
    assert ask(site, identity, new) == "known"
    wait_pins(site, identity, mid, new)
    assert ask(site, identity, old) == "pin-mismatch"
    assert pinned(site, identity) == [mid.fingerprint(), new.fingerprint()]


def test_one_that_was_refused_a_moment_ago_may_wait(site: Site) -> None:
    type_ = new_type(site, "--pin", "first")
    identity = site.new_id(type_)
    one, two, _ = three(site.ca, identity)
    assert ask(site, identity, one) == "provisioned"
    recorded(site, identity)
    assert ask(site, identity, two) == "pin-mismatch"
    site.certid("type", "set", f"d:{type_}", "--rotate", "approve")
    site.settle()
    assert ask(site, identity, two) == "device-pending"
    wait_pins(site, identity, one, two)


# Two brokers


def twin(site: Site) -> Broker:
    """Another broker, started, on the registry of this one."""
    other = Broker(site.server_ca)
    line = "plugin_opt_registry {}/lib/certid/registry.db\n"
    other.edit(line.format(other.folder), line.format(site.broker.folder))
    own(site.broker.store)
    return other.start()


def hold(site: Site, broker: Broker, identity: str, leaf: Leaf) -> Optional[Raw]:
    try:
        raw = Raw(broker.tls_port, tls_context(site.server_ca, leaf))
        if raw.ask(identity) == 0:
            return raw
        raw.close()
    except Raw.Gone:
        pass
    return None


def is_alive(raw: Optional[Raw]) -> bool:
    try:
        if raw:
            raw.send(b"\xc0\x00")
            raw.read_until(PINGRESP)
            return True
    except Raw.Gone:
        pass
    return False


def settled(held: list[Optional[Raw]]) -> list[bool]:
    """Which of them are connected, once that is one at most."""
    found = [is_alive(raw) for raw in held]
    return found if sum(found) <= 1 else []


def test_two_brokers_give_an_identity_to_one(
    new_site: Callable[..., Site], ca: Ca
) -> None:
    site = new_site()
    site.certid("type", "set", "d:race", "--pin", "first")
    site.broker.start()
    other = twin(site)
    try:
        brokers = [site.broker, other]
        with ThreadPoolExecutor(2) as pool:
            for number in range(ROUNDS):
                race(site, brokers, pool, f"d:race:{number}")
    finally:
        other.close()


def race(site: Site, brokers: list[Broker], pool: Any, identity: str) -> None:
    leaves = [site.ca.leaf(identity, serial=number) for number in (1, 2)]
    held = list(pool.map(lambda b, leaf: hold(site, b, identity, leaf), brokers, leaves))
    alive = until(lambda: settled(held), "one owner")
    until(lambda: site.knows(identity), "the device's row")
    owner = pinned(site, identity)
    assert len(owner) == 1
    assert alive == [leaf.fingerprint() == owner[0] for leaf in leaves]
    for raw in held:
        if raw:
            raw.close()
    # Nobody is admitted by the one and refused by the other.
    for broker in brokers:
        for leaf in leaves:
            raw = hold(site, broker, identity, leaf)
            assert (raw is not None) == (leaf.fingerprint() == owner[0])
            if raw:
                raw.close()


def test_the_loser_of_a_race_comes_back_by_rotation(
    new_site: Callable[..., Site], ca: Ca
) -> None:
    site = new_site()
    site.certid("type", "set", "d:race", "--pin", "first", "--rotate", "same-ca")
    site.broker.start()
    other = twin(site)
    brokers = [site.broker, other]
    db = sqlite3.connect(site.broker.store / "registry.db", isolation_level=None)
    try:
        pairs = {f"d:race:{n}": by_age(ca, f"d:race:{n}") for n in range(6)}
        db.execute("BEGIN IMMEDIATE")
        held = {
            identity: [hold(site, *each) for each in zip(brokers, [identity] * 2, pair)]
            for identity, pair in pairs.items()
        }
        assert all(raw for pair in held.values() for raw in pair)
        db.execute("ROLLBACK")
        for identity, pair in held.items():
            until(lambda: settled(pair), "one owner")
            old, new = pairs[identity]
            owner = pinned(site, identity)
            assert owner in ([old.fingerprint()], [new.fingerprint()])
            back = hold(site, other, identity, new)
            assert back
            if owner == [old.fingerprint()]:
                wait_pins(site, identity, old, new)
    finally:
        db.close()
        other.close()


def by_age(ca: Ca, identity: str) -> list[Leaf]:
    """Two certificates of which the second is newer, with another key."""
    end = in_seconds(7200)
    return [
        ca.leaf(identity, start=in_seconds(-7200), end=end),
        ca.leaf(identity, start=in_seconds(-3600), end=end, key="another"),
    ]


def test_first_is_who_is_connected(site: Site) -> None:
    type_ = new_type(site, "--pin", "none")
    identity = site.new_id(type_)
    leaves = [site.ca.leaf(identity, key=f"k{number}") for number in range(2)]
    device = site.client(identity, leaves[0]).open()
    recorded(site, identity)
    assert pinned(site, identity) == []
    site.certid("type", "set", f"d:{type_}", "--pin", "first")
    wait_pins(site, identity, leaves[0])
    assert len(events(site, "pin-changed", identity)) == 1
    assert site.client(identity, leaves[1]).attempt() == REFUSED
    assert device.is_open()
