# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Last wills: whose is published, and whose never."""

import pytest
from harness.client import REFUSED
from harness.site import Site, topic
from harness.wait import until

V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])


def expect_no_will(site: Site, backend: object, will: str) -> None:
    """Whatever the broker sends after this message was not sent before it."""
    identity = site.new_id()
    site.device(identity).open().publish(topic(identity, "end"), "end")
    backend.wait_message(topic(identity, "end"), "end")  # type: ignore[attr-defined]
    assert will not in backend.payloads()  # type: ignore[attr-defined]


@V5
def test_a_lost_devices_will_is_published(site: Site, v5: bool) -> None:
    identity = site.new_id()
    backend = site.backend("d/#")
    will = (topic(identity, "gone"), "lost")
    site.device(identity, will=will, v5=v5).open().lose()
    backend.wait_message(*will)


@V5
@pytest.mark.parametrize(
    "where", ["d/meter/somebody/gone", "elsewhere", "$SYS/x", "$CONTROL/certid/v1"]
)
def test_a_will_on_foreign_topics_is_not(site: Site, where: str, v5: bool) -> None:
    identity = site.new_id()
    backend = site.backend("d/#", "$SYS/x")
    device = site.device(identity, will=(where, "forged"), v5=v5)
    since = site.broker.mark()
    if device.attempt() == "accepted":  # newer brokers refuse $CONTROL at once
        device.lose()
        site.broker.wait_log(rf"Client {identity} .*(closed|disc)", since=since)
    expect_no_will(site, backend, "forged")


@V5
def test_the_will_of_a_locked_device_is_never_published(site: Site, v5: bool) -> None:
    identity = site.new_id()
    backend = site.backend("d/#")
    will = (topic(identity, "gone"), "kicked")
    device = site.device(identity, will=will, v5=v5).open()
    until(lambda: identity in site.certid.identities(), "the device's row")
    site.certid("device", "lock", identity)
    device.wait_closed()
    expect_no_will(site, backend, "kicked")
    # Nor when the refused device tries again.
    assert site.device(identity, will=will, v5=v5).attempt() == REFUSED
    expect_no_will(site, backend, "kicked")


@V5
def test_the_will_of_a_refused_client_is_never_published(site: Site, v5: bool) -> None:
    one, two = site.new_id(), site.new_id()
    backend = site.backend("d/#")
    will = (topic(one, "gone"), "refused")
    assert site.client(one, site.ca.leaf(two), will=will, v5=v5).attempt() == REFUSED
    none = site.ca.leaf("no identity")
    assert site.client(one, none, will=will, v5=v5).attempt() == REFUSED
    assert site.plain(one, will=will, v5=v5).attempt() == REFUSED
    expect_no_will(site, backend, "refused")


def test_a_delayed_will_of_a_device_that_was_locked_meanwhile(site: Site) -> None:
    """Two lost devices whose wills are due later; one of them is locked."""
    backend = site.backend("d/#")
    locked, free = site.new_id(), site.new_id()
    for identity in (locked, free):
        will = (topic(identity, "gone"), identity.encode())
        with site.raw(site.ca.leaf(identity)) as raw:
            delays = {"expiry": 60, "will_delay": 2}
            assert raw.connect(identity, v5=True, will=will, **delays) == 0
    until(lambda: locked in site.certid.identities(), "the device's row")
    site.certid("device", "lock", locked)
    backend.wait_message(topic(free, "gone"), free)
    expect_no_will(site, backend, locked)
