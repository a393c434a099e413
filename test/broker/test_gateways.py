# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Gateways act for the devices that are attached to them."""

import sqlite3
from typing import Any, Callable

import pytest
from harness.client import REFUSED
from harness.raw import publish_packet
from harness.site import Site, topic
from harness.wait import until
from test_pins import hold, twin


@pytest.fixture
def edge(site: Site) -> Any:
    """A gateway that has been seen."""
    identity = site.new_id("edge", "g")
    site.device(identity).open().close()
    until(lambda: known(site, identity), "the gateway's row")
    return identity


def known(site: Site, identity: str) -> bool:
    return site.knows(identity)


def state(site: Site, identity: str) -> str:
    return site.certid.device(identity)["state"]


def enrolled(site: Site, type_: str = "meter") -> str:
    """A device that has been seen, by itself."""
    identity = site.new_id(type_)
    site.device(identity).open().close()
    until(lambda: known(site, identity), "the device's row")
    return identity


def attached(site: Site, gateway: str, type_: str = "meter") -> str:
    identity = enrolled(site, type_)
    site.certid("device", "attach", identity, gateway)
    site.settle()
    return identity


def says(site: Site, gateway: Any, identity: str, payload: str) -> bool:
    """Whether what the gateway publishes for a device arrives."""
    backend = site.backend("d/#", "g/#")
    gateway.publish(topic(identity, "evt"), payload)
    gateway.publish(topic(gateway.client_id, "end"), payload)
    backend.wait_message(topic(gateway.client_id, "end"), payload)
    found = (topic(identity, "evt"), payload) in backend.messages
    backend.close()
    return found


def test_it_speaks_and_listens_for_its_devices(site: Site, edge: str) -> None:
    mine, other = attached(site, edge), enrolled(site)
    gateway = site.device(edge).open()
    assert says(site, gateway, mine, "a")
    assert not says(site, gateway, other, "b")
    assert gateway.subscribe(topic(mine, "cmd/#"))
    assert gateway.subscribe("$share/w/" + topic(mine, "cmd"))
    backend = site.backend()
    backend.publish(topic(mine, "cmd/x"), "to mine")
    gateway.wait_message(topic(mine, "cmd/x"), "to mine")


REFUSED_FILTERS = [
    "d/#",
    "d/meter/#",
    "d/meter/+/cmd",
    "+/meter/{id}/#",
    "d/meter/{other}/#",
    "g/meter/{id}/#",
    "$share/w/d/meter/{other}/#",
    "$SYS/#",
    "$CONTROL/#",
]


@pytest.mark.parametrize("wanted", REFUSED_FILTERS)
def test_it_subscribes_to_no_more(site: Site, edge: str, wanted: str) -> None:
    mine, other = attached(site, edge), enrolled(site)
    gateway = site.device(edge).open()
    text = wanted.replace("{id}", mine.split(":")[2])
    assert not gateway.subscribe(text.replace("{other}", other.split(":")[2]))


def test_what_is_detached_is_lost_at_once(site: Site, edge: str) -> None:
    mine = attached(site, edge)
    gateway = site.device(edge).open()
    assert says(site, gateway, mine, "a") and gateway.subscribe(topic(mine, "#"))
    site.certid("device", "detach", mine)
    site.settle()
    assert not says(site, gateway, mine, "b")
    backend = site.backend()
    backend.publish(topic(mine, "cmd"), "too late")
    backend.publish(topic(edge, "cmd"), "end")
    assert gateway.subscribe(topic(edge, "#"))
    backend.publish(topic(edge, "cmd"), "end")
    gateway.wait_message(topic(edge, "cmd"), "end")
    assert "too late" not in gateway.payloads()


@pytest.mark.parametrize("how", ["lock", "remove", "attach"])
def test_a_device_that_is_not_its_own_any_more(
    site: Site, edge: str, how: str
) -> None:
    mine = attached(site, edge)
    gateway = site.device(edge).open()
    assert says(site, gateway, mine, "a")
    if how == "attach":
        second = site.new_id("edge", "g")
        site.device(second).open().close()
        until(lambda: known(site, second), "the other gateway's row")
        site.certid("device", "attach", mine, second)
    else:
        site.certid("device", how, mine)
    site.settle()
    assert not says(site, gateway, mine, "b")
    if how == "attach":
        assert says(site, site.device(second).open(), mine, "c")


def test_a_locked_gateway_speaks_for_nobody(site: Site, edge: str) -> None:
    mine = attached(site, edge)
    gateway = site.device(edge).open()
    device = site.device(mine).open()
    assert says(site, gateway, mine, "a")
    site.certid("device", "lock", edge)
    gateway.wait_closed(1)
    assert site.device(edge).attempt() == REFUSED
    # What it has by itself stays: its own connection, its attachment.
    device.publish(topic(mine, "evt"), "myself")
    assert device.is_open()
    assert site.certid.device(mine)["gateway"] == edge
    site.certid("device", "unlock", edge)
    site.settle()
    assert says(site, site.device(edge).open(), mine, "b")


def test_a_removed_gateway_leaves_its_devices_alone(site: Site, edge: str) -> None:
    mine = attached(site, edge)
    gateway = site.device(edge).open()
    assert says(site, gateway, mine, "a")
    site.certid("device", "remove", edge)
    gateway.wait_closed(1)
    assert site.certid.device(mine)["gateway"] is None
    again = site.device(edge).open()  # enrols anew
    assert not says(site, again, mine, "b")


def test_a_device_speaks_for_no_other(site: Site) -> None:
    one, two = enrolled(site), enrolled(site)
    device = site.device(one).open()
    backend = site.backend("d/#")
    device.publish(topic(two, "evt"), "forged")
    device.publish(topic(one, "evt"), "own")
    backend.wait_message(topic(one, "evt"), "own")
    assert "forged" not in backend.payloads()


def test_an_unprivileged_gateway_registers_nobody(site: Site, edge: str) -> None:
    fresh, listed = site.new_id(), site.new_id()
    site.certid("device", "add", listed)
    site.settle()
    gateway = site.device(edge).open()
    assert not says(site, gateway, fresh, "a")
    assert not says(site, gateway, listed, "b")
    assert not known(site, fresh) and state(site, listed) == "allowed"


def test_what_was_added_and_attached_is_provisioned_by_its_gateway(
    site: Site, edge: str
) -> None:
    listed = site.new_id()
    site.certid("device", "add", listed)
    site.certid("device", "attach", listed, edge)
    site.settle()
    gateway = site.device(edge).open()
    assert says(site, gateway, listed, "a")
    until(lambda: state(site, listed) == "provisioned", "the row")
    event = site.certid.events("device-provisioned")[-1]
    assert event["subject"] == listed and edge in event["detail"]


@pytest.fixture
def hub(site: Site) -> Any:
    """A privileged gateway, connected."""
    site.certid("type", "set", "g:hub", "--privileged", "yes")
    site.settle()
    identity = site.new_id("hub", "g")
    gateway = site.device(identity).open()
    until(lambda: known(site, identity), "the gateway's row")
    yield gateway
    site.certid("type", "unset", "g:hub")
    site.settle()


def test_a_privileged_gateway_registers_on_first_publish(
    site: Site, hub: Any
) -> None:
    fresh = site.new_id()
    assert not hub.subscribe(topic(fresh, "cmd"))
    assert says(site, hub, fresh, "first")  # the first message is not lost
    until(lambda: known(site, fresh), "the row")
    row = site.certid.device(fresh)
    assert (row["state"], row["gateway"]) == ("provisioned", hub.client_id)
    assert row["fingerprint"] is None
    assert says(site, hub, fresh, "second") and hub.subscribe(topic(fresh, "cmd"))
    found = [e for e in site.certid.events("device-provisioned") if e["subject"] == fresh]
    assert len(found) == 1 and hub.client_id in found[0]["detail"]


def test_it_takes_nothing_that_is_another_s(site: Site, hub: Any, edge: str) -> None:
    own_path, behind_edge = enrolled(site), attached(site, edge)
    assert not says(site, hub, own_path, "a")
    assert not says(site, hub, behind_edge, "b")
    assert site.certid.device(own_path)["gateway"] is None
    assert site.certid.device(behind_edge)["gateway"] == edge


def test_it_takes_what_was_added_for_anybody(site: Site, hub: Any) -> None:
    listed = site.new_id()
    site.certid("device", "add", listed)
    site.settle()
    assert says(site, hub, listed, "a")
    until(lambda: state(site, listed) == "provisioned", "the row")
    assert site.certid.device(listed)["gateway"] == hub.client_id


@pytest.mark.parametrize(
    "options,reason",
    [
        (["--enrol", "listed"], "device-unlisted"),
        (["--enrol", "approve"], "device-pending"),
        (["--id-format", "decimal"], "id-format"),
        (["--address", "192.0.2.0/24"], "address"),
    ],
)
def test_what_holds_for_a_device_holds_behind_it(
    site: Site, hub: Any, options: list, reason: str
) -> None:
    type_ = f"kind-{reason}"
    site.certid("type", "set", f"d:{type_}", *options)
    site.settle()
    fresh, since = site.new_id(type_), site.broker.mark()
    assert not says(site, hub, fresh, "a")
    site.broker.wait_log(
        rf"certid: refused reason={reason} identity={fresh}", since=since
    )
    if reason == "device-pending":
        until(lambda: known(site, fresh), "the pending row")
        assert state(site, fresh) == "pending"
        site.certid("device", "approve", fresh)
        site.settle()
        assert says(site, hub, fresh, "b")
    else:
        assert not known(site, fresh)


def test_a_type_quota_counts_behind_it(site: Site, hub: Any) -> None:
    site.certid("type", "set", "d:few", "--max-devices", 3)
    site.settle()
    ids = [site.new_id("few") for _ in range(6)]
    heard = []
    for identity in ids:
        heard.append(says(site, hub, identity, "x"))
        if heard[-1]:  # until the broker has heard of the row it counts twice
            until(lambda: known(site, identity), "the row")
            site.settle()
    assert heard == [True] * 3 + [False] * 3


def test_500_devices_and_no_more(site: Site, hub: Any) -> None:
    ids = [f"d:crowd:n{n:04}" for n in range(510)]
    backend = site.backend("d/crowd/+/evt", "g/#")
    for identity in ids:
        hub.publish(topic(identity, "evt"), "x")
    hub.publish(topic(hub.client_id, "end"), "end")
    backend.wait_message(topic(hub.client_id, "end"), "end")

    def count() -> int:
        line = ["device", "list", "--gateway", hub.client_id, "--limit", 1000]
        return len(site.certid.json(*line))

    # A row that is written, and of which the broker has not heard yet, counts
    # twice for a moment: the last places may be refused in a burst, and are there
    # for the next try.  There are never more.
    until(lambda: count() > 50, "the rows")
    site.settle()
    assert count() <= 500


def hold_registry(site: Site) -> Any:
    """Be the writer that the broker has to wait for, until close()."""
    db = sqlite3.connect(site.broker.store / "registry.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    return db


def test_500_devices_while_the_registry_is_busy(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.certid("type", "set", "g:hub", "--privileged", "yes")
    site.broker.start()
    hub = site.device(site.new_id("hub", "g")).open()
    until(lambda: known(site, hub.client_id), "the gateway's row")
    backend = site.backend("d/crowd/+/evt", "g/#")
    db = hold_registry(site)
    try:
        for number in range(600):
            hub.publish(f"d/crowd/n{number}/evt", "x")
        hub.publish(topic(hub.client_id, "end"), "end")
        backend.wait_message(topic(hub.client_id, "end"), "end")
    finally:
        db.close()
    assert len(backend.messages) - 1 == 500


def test_what_an_operator_gave_holds_while_the_row_waits(
    new_site: Callable[..., Site],
) -> None:
    site = new_site()
    site.certid("rule", "set", "d:meter", "tls-optional")
    site.broker.start()
    edge = site.device(site.new_id("edge", "g")).open()
    until(lambda: known(site, edge.client_id), "the gateway's row")
    identity = site.new_id()
    site.certid("device", "add", identity)
    site.certid("device", "attach", identity, edge.client_id)
    token = site.certid.json("device", "token", identity)["token"]
    site.settle()
    db = hold_registry(site)
    try:
        for _ in range(2):
            with site.raw_plain() as raw:
                assert raw.ask(identity, username=identity, password=token) == 0
        assert says(site, edge, identity, "x")
    finally:
        db.close()


@pytest.mark.parametrize("word", ["enrol", "rate"])
def test_a_token_does_not_shed_the_ca(new_site: Callable[..., Site], word: str) -> None:
    site = new_site()
    site.certid("type", "set", "g:hub", "--privileged", "yes")
    site.certid("rule", "set", "g:hub", "tls-optional")
    site.broker.start()
    name = site.new_id("hub", "g")
    hub = site.device(name).open()
    until(lambda: known(site, name), "the gateway's row")
    value = {"enrol": "listed", "rate": 1}[word]
    site.certid("ca", "set", "factory", f"--{word}", value)
    token = site.certid.json("device", "token", name)["token"]
    site.settle()
    heard = [says(site, hub, site.new_id(), "x") for _ in range(2)]
    hub.close()
    hub = site.plain(name, login=("use-token-auth", token)).open()
    heard += [says(site, hub, site.new_id(), "x") for _ in range(2)]
    assert sum(heard) == (1 if word == "rate" else 0)


def test_a_gateway_without_a_ca_brings_what_is_listed(site: Site) -> None:
    site.certid("type", "set", "g:box", "--privileged", "yes")
    site.certid("rule", "set", "g:box", "tls-optional")
    name, fresh, listed = site.new_id("box", "g"), site.new_id(), site.new_id()
    site.certid("device", "add", name)
    site.certid("device", "add", listed)
    token = site.certid.json("device", "token", name)["token"]
    site.settle()
    box = site.plain(name, login=("use-token-auth", token)).open()
    until(lambda: state(site, name) == "provisioned", "the gateway's row")
    assert not says(site, box, fresh, "a")
    assert says(site, box, listed, "b")


def test_the_log_tells_of_one_that_waits(site: Site, hub: Any) -> None:
    site.certid("type", "set", "d:waits", "--enrol", "approve")
    site.settle()
    fresh = site.new_id("waits")
    line = rf"certid: refused reason=device-pending identity={fresh}"
    assert not says(site, hub, fresh, "a")
    until(lambda: known(site, fresh), "the pending row")
    site.settle()
    hub.close()
    other = site.device(site.new_id("hub", "g")).open()
    since = site.broker.mark()
    site.certid("device", "lock", fresh)
    site.certid("device", "unlock", fresh)  # what is known of it is put right
    site.settle()
    again = site.device(hub.client_id).open()
    assert not says(site, again, fresh, "b") and not says(site, other, fresh, "c")
    site.broker.wait_log(line, since=since)


@pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])
def test_a_will_registers_nobody(site: Site, hub: Any, v5: bool) -> None:
    hub.close()
    fresh = site.new_id()
    backend = site.backend("g/#")
    raw = site.raw(site.ca.leaf(hub.client_id))
    delay = {"will_delay": 1, "expiry": 60} if v5 else {}
    assert raw.ask(hub.client_id, v5=v5, will=(topic(fresh, "w"), b"dead"), **delay) == 0
    one = site.new_id("hub", "g")
    mark = site.raw(site.ca.leaf(one))
    assert mark.ask(one, v5=v5, will=(topic(one, "w"), b"dead"), **delay) == 0
    raw.close()
    mark.close()
    backend.wait_message(topic(one, "w"), "dead")
    site.settle()
    assert not known(site, fresh)


def test_a_device_that_another_broker_registered(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.certid("type", "set", "g:hub", "--privileged", "yes")
    site.broker.start()
    other = twin(site)
    try:
        identity, name = site.new_id(), site.new_id("hub", "g")
        hub = site.device(name).open()
        until(lambda: known(site, name), "the gateway's row")
        assert not hub.subscribe(topic(identity, "cmd"))
        raw = hold(site, other, name, site.ca.leaf(name))
        assert raw
        raw.send(publish_packet(topic(identity, "evt"), b"x"))
        until(lambda: known(site, identity), "the row")
        raw.close()
        until(lambda: hub.subscribe(topic(identity, "cmd")), "its commands")
    finally:
        other.close()
