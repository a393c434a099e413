# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""With check_retain_source the broker asks about the author of a retained
message whenever somebody reads it.  Nothing may come of that."""

from typing import Any, Callable, Iterator

import pytest
from harness.pki import Ca, Pki
from harness.raw import SUBACK, publish_packet, subscribe_packet
from harness.site import Site, topic
from harness.tls import enter as enter_org
from harness.tls import hand_over, knock
from harness.wait import until
from test_clones import HERE, THERE, enter, events, gone
from test_handshake_orgs import ACME, SUFFIX, found_org

NODELAY = "\nset_tcp_nodelay true\n"
EDIT = (NODELAY, f"{NODELAY}check_retain_source true\n")


@pytest.fixture(scope="module")
def shared(pki: Pki, ca: Ca) -> Iterator[Site]:
    made = hand_over(Site(pki, ca, [EDIT]))
    try:
        found_org(made, "acme")
        made.certid("set", "sni", SUFFIX)
        made.certid("type", "set", "g:hub", "--privileged", "yes")
        made.broker.start()
        yield made
    finally:
        made.close()


def gateway(site: Site, type_: str) -> Any:
    name = site.new_id(type_, "g")
    made = site.device(name).open()
    until(lambda: site.knows(name), "the gateway's row")
    return made


def retain(site: Site, device: Any, identity: str) -> None:
    """Let a device or gateway leave a message that somebody gets."""
    backend = site.backend(topic(identity, "#"))
    device.publish(topic(identity, "s"), "1", retain=True)
    backend.wait_message(topic(identity, "s"), "1")
    backend.close()


@pytest.mark.parametrize("online", [True, False], ids=["online", "gone"])
def test_reading_registers_nobody(site: Site, online: bool) -> None:
    hub, identity = gateway(site, "hub"), site.new_id()
    retain(site, hub, identity)
    until(lambda: site.knows(identity), "the row")
    if not online:
        hub.close()
    site.certid("device", "remove", identity)
    site.settle()
    assert site.backend(topic(identity, "#")).payloads() == []
    site.settle()  # what had been queued would have been written
    assert not site.knows(identity)


def test_reading_promotes_nobody(site: Site) -> None:
    edge, identity = gateway(site, "edge"), site.new_id()

    def add() -> None:
        site.certid("device", "add", identity)
        site.certid("device", "attach", identity, edge.client_id)
        site.settle()

    add()
    retain(site, edge, identity)
    until(lambda: site.certid.device(identity)["state"] == "provisioned", "the row")
    site.certid("device", "remove", identity)
    add()
    site.backend(topic(identity, "#"))
    site.settle()
    assert site.certid.device(identity)["state"] == "allowed"


def test_reading_does_not_hide_clones(site: Site) -> None:
    identity = site.new_id()
    leaf = site.ca.leaf(identity)
    clones = [(leaf, HERE), (leaf, THERE)]
    held = enter(site, identity, *clones[0])
    held.send(publish_packet(topic(identity, "s"), b"1", retain=True))
    backend = site.backend()
    for number in range(8):
        assert backend.subscribe(topic(identity, "s"))
        taker = enter(site, identity, *clones[(number + 1) % 2])
        gone(held)
        held = taker
    until(lambda: events(site, "clone-suspected", identity), "the event")


@pytest.mark.parametrize("online", [True, False], ids=["online", "away"])
def test_reading_does_not_open_a_session_to_others(site: Site, online: bool) -> None:
    acme, name = site.pki.root("acme-factory"), site.new_id()
    raw = enter_org(site, site.ca.leaf(name), name, clean=False)
    raw.send(subscribe_packet(topic(name, "cmd/#")))
    assert raw.read_until(SUBACK)[-1] == 1
    raw.send(publish_packet(topic(name, "s"), b"1", retain=True))
    backend = site.backend()
    until(lambda: backend.subscribe(topic(name, "s")) and backend.messages, "retained")
    if not online:
        raw.send(b"\xe0\x00")
    assert knock(site, acme.leaf(name), name, clean=False, host=ACME) == 5


def test_nobody_is_told_of_an_author(new_site: Callable[..., Site]) -> None:
    """Neither in the log nor in counters, however many messages he left."""
    site = new_site(EDIT)
    site.broker.start()
    identity = site.new_id()
    device = site.device(identity).open()
    for number in range(20):
        device.publish(topic(identity, f"s/{number}"), "x", retain=True)
    until(lambda: site.knows(identity), "the row")
    reader = site.backend()
    until(lambda: reader.subscribe(topic(identity, "#")) and len(reader.messages) > 19, "all")
    site.certid("topic", "remove", "all", "both", "{class}/{type}/{id}/#")
    site.settle()
    since = site.broker.mark()
    assert site.backend(topic(identity, "#")).payloads() == []
    site.settle()
    assert "certid: denied" not in site.broker.log()[since:]
