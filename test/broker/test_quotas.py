# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""How many new devices may come, how fast, and where from.  What is known
already is never held up by it."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from harness.ask import ask as reason
from harness.broker import Broker, own
from harness.pki import Ca, Leaf
from harness.raw import PINGRESP, Raw, tls_context
from harness.site import Site
from harness.wait import until

COUNT, ALLOWED = 100, 20
THREADS = 16
TYPES = itertools.count(1)


def new_type(site: Site, *options: str) -> str:
    name = f"quota{next(TYPES)}"
    if options:
        site.certid("type", "set", f"d:{name}", *options)
        site.settle()
    return name


def ask(site: Site, identity: str) -> str:
    return reason(site, identity, site.ca.leaf(identity))


def rows(site: Site, type_: str) -> list[str]:
    line = ("device", "list", "--limit", 100000, "--type", f"d:{type_}")
    return [device["identity"] for device in site.certid.json(*line)]


def recorded(site: Site, type_: str, count: int) -> None:
    until(lambda: len(rows(site, type_)) == count, f"{count} rows")


def test_a_quota_of_a_type(site: Site) -> None:
    type_ = new_type(site, "--max-devices", "3")
    names = [site.new_id(type_) for _ in range(5)]
    # Without waiting for the disk: what is on its way counts.
    found = [ask(site, name) for name in names]
    assert found == ["provisioned"] * 3 + ["quota"] * 2
    recorded(site, type_, 3)
    assert [ask(site, name) for name in names] == ["known"] * 3 + ["quota"] * 2
    # One that an operator listed has its place already.
    site.certid("device", "remove", names[0])
    site.certid("device", "add", names[3])
    assert ask(site, names[0]) == "quota"
    assert ask(site, names[3]) == "provisioned"
    # Other types have their own.
    assert ask(site, site.new_id("unlimited")) == "provisioned"


def test_a_quota_of_the_org(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.certid("set", "max-devices", "2")
    site.broker.start()
    names = [site.new_id(type_) for type_ in ("one", "two", "three")]
    assert [ask(site, name) for name in names] == ["provisioned"] * 2 + ["quota"]
    site.certid("set", "max-devices", "3")
    until(lambda: ask(site, names[2]) == "provisioned", "the new setting")


def test_a_pending_device_counts(site: Site) -> None:
    type_ = new_type(site, "--max-devices", "1", "--enrol", "approve")
    one, two = site.new_id(type_), site.new_id(type_)
    assert ask(site, one) == "device-pending"
    assert ask(site, two) == "quota"
    recorded(site, type_, 1)


# Two brokers


def connect(site: Site, broker: Broker, identity: str, leaf: Leaf) -> "Raw | None":
    try:
        raw = Raw(broker.tls_port, tls_context(site.server_ca, leaf))
        if raw.ask(identity) == 0:
            return raw
        raw.close()
    except Raw.Gone:
        pass
    return None


def is_alive(raw: "Raw | None") -> bool:
    try:
        if raw:
            raw.send(b"\xc0\x00")
            raw.read_until(PINGRESP)
            return True
    except Raw.Gone:
        pass
    return False


def test_two_brokers_keep_one_quota(new_site: Callable[..., Site], ca: Ca) -> None:
    """Each decides by what it knows; the registry has the last word, and who
    came too late loses his session."""
    site = new_site()
    site.certid("type", "set", "d:crowd", "--max-devices", ALLOWED)
    site.broker.start()
    other = Broker(site.server_ca)
    line = "plugin_opt_registry {}/lib/certid/registry.db\n"
    other.edit(line.format(other.folder), line.format(site.broker.folder))
    own(site.broker.store)
    other.start()
    try:
        names = [f"d:crowd:{number}" for number in range(COUNT)]
        ca.leaf(names[0])  # makes the key, once
        with ThreadPoolExecutor(THREADS) as pool:
            leaves = list(pool.map(ca.leaf, names))
            brokers = [site.broker, other] * (COUNT // 2)
            crowd = [site] * COUNT
            held = list(pool.map(connect, crowd, brokers, names, leaves))
        settle(site, held, dict(zip(names, leaves)))
    finally:
        other.close()


def settle(site: Site, held: list, leaves: dict[str, Leaf]) -> None:
    """Two that come at once for the last place may both have to come again."""

    def look() -> "set[str]":
        alive = {name for name, raw in zip(leaves, held) if is_alive(raw)}
        known = set(rows(site, "crowd"))
        assert len(known) <= ALLOWED
        if len(known) == ALLOWED:
            return known if alive == known else set()
        for at, (name, leaf) in enumerate(leaves.items()):
            if name not in alive:
                held[at] = connect(site, site.broker, name, leaf)
        return set()

    known = until(look, "as many as may, and they connected")
    told = [e["subject"] for e in site.certid.events("device-provisioned")]
    assert sorted(told) == sorted(known)
    late = [e for e in site.certid.events("session-closed")]
    assert {e["detail"] for e in late} <= {"quota"}
    assert known.isdisjoint(e["subject"] for e in late)
    for raw in held:
        if raw:
            raw.close()


# How fast


def test_the_rate_of_a_ca(site: Site) -> None:
    ca = site.pki.root("rated")
    site.certid("ca", "add", ca.cert, "--name", "rated")
    site.certid("ca", "set", "rated", "--rate", "12")
    site.settle()
    names = [site.new_id("rated") for _ in range(15)]

    def enter(identity: str) -> str:
        return reason(site, identity, ca.leaf(identity))

    found = [enter(name) for name in names]
    assert found[:12] == ["provisioned"] * 12
    assert "rate" in found[12:] and set(found[12:]) <= {"rate", "provisioned"}
    # Who is known is not held up, nor who comes with another CA.
    assert {enter(name) for name in names[:12]} == {"known"}
    assert ask(site, site.new_id("rated")) == "provisioned"
    late = names[found.index("rate")]
    assert late not in site.certid.identities()
    # One comes back every five seconds.
    until(lambda: enter(late) in ("provisioned", "known"), "its turn")
    # Other settings do not begin it anew.
    site.certid("set", "event-days", "30")
    site.settle()
    again = [enter(site.new_id("rated")) for _ in range(3)]
    assert again.count("provisioned") <= 1
    site.certid("ca", "set", "rated", "--rate", "none")
    site.settle()
    assert {enter(site.new_id("rated")) for _ in range(15)} == {"provisioned"}


# Where from


def test_the_address_of_a_new_device(site: Site) -> None:
    type_ = new_type(site, "--address", "10.0.0.0/8", "--address", "2001:db8::/32")
    identity, listed = site.new_id(type_), site.new_id(type_)
    assert ask(site, identity) == "address"
    site.certid("device", "add", listed)
    assert ask(site, listed) == "address"
    assert not site.knows(identity)
    site.certid("type", "set", f"d:{type_}", "--address", "127.0.0.0/8")
    site.settle()
    assert ask(site, identity) == "provisioned"
    assert ask(site, listed) == "provisioned"
    recorded(site, type_, 2)
    # It is about enrolment: who is known may come from anywhere.
    site.certid("type", "set", f"d:{type_}", "--address", "10.0.0.0/8")
    site.settle()
    assert ask(site, identity) == "known"
    assert ask(site, site.new_id(type_)) == "address"
