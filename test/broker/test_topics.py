# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""An admitted device stays on its own topics."""

from typing import Callable

import pytest
from harness.raw import PUBACK, SUBACK, publish_packet, subscribe_packet
from harness.site import Site, topic

FOREIGN = [
    "d/meter/somebody/evt",
    "d/meter/{id}",  # one level above a grant of {id}/# is still {id}
    "g/meter/{id}/evt",
    "d/pump/{id}/evt",
    "d/meter/{id}x/evt",
    "d/Meter/{id}/evt",
    "/d/meter/{id}/evt",
    "elsewhere",
]
COVERED = {"d/meter/{id}"}


@pytest.mark.parametrize("where", FOREIGN)
def test_publishing_elsewhere(site: Site, where: str) -> None:
    identity = site.new_id()
    target = where.replace("{id}", identity.rsplit(":", 1)[1])
    backend = site.backend("d/#", "g/#")
    since = site.broker.mark()
    device = site.device(identity).open()
    device.publish(target, "foreign")
    device.publish(topic(identity, "evt"), "own")
    backend.wait_message(topic(identity, "evt"), "own")
    if where in COVERED:
        assert backend.payloads() == ["foreign", "own"]
        return
    assert backend.payloads() == ["own"]
    site.broker.wait_log(
        rf'certid: denied .*access=publish .*identity={identity} .*topic="', since=since
    )


def test_foreign_publish_is_told_to_mqtt_5(site: Site) -> None:
    identity = site.new_id()
    with site.raw(site.ca.leaf(identity)) as raw:
        assert raw.connect(identity, v5=True) == 0
        raw.send(publish_packet("d/meter/x/evt", b"x", v5=True, number=7))
        assert raw.read_until(PUBACK)[2] == 0x87


FILTERS = [
    ("{own}/#", True),
    ("{own}/cmd/+", True),
    ("{own}", True),
    ("$share/workers/{own}/cmd/#", True),
    ("#", False),
    ("+/#", False),
    ("d/#", False),
    ("d/+/#", False),
    ("d/meter/#", False),
    ("d/meter/+/cmd", False),
    ("+/meter/{id}/#", False),
    ("d/meter/somebody/#", False),
    ("g/meter/{id}/#", False),
    ("{own}x/#", False),
    ("$share/workers/#", False),
    ("$share/workers/d/meter/somebody/#", False),
    ("$share/d/meter/{id}/#", False),
    ("$SYS/#", False),
    ("$SYS/broker/certid/#", False),
    ("$CONTROL/#", False),
    ("$CONTROL/dynamic-security/v1/response", False),
]


@pytest.mark.parametrize("wanted,granted", FILTERS)
def test_subscribing(site: Site, wanted: str, granted: bool) -> None:
    identity = site.new_id()
    text = wanted.replace("{own}", topic(identity))
    text = text.replace("{id}", identity.rsplit(":", 1)[1])
    for v5 in (False, True):
        assert site.device(identity, v5=v5).open().subscribe(text) == granted


def test_nobody_hears_a_device_but_those_who_may(site: Site) -> None:
    """Two devices with all that they may subscribe to, and a back-end."""
    one, two = site.new_id(), site.new_id()
    first, second = site.device(one).open(), site.device(two).open()
    assert first.subscribe(topic(one, "#")) and second.subscribe(topic(two, "#"))
    backend = site.backend("d/#")
    first.publish(topic(one, "evt"), "mine")
    first.publish(topic(two, "evt"), "forged")
    backend.wait_message(topic(one, "evt"), "mine")
    second.publish(topic(two, "end"), "end")
    second.wait_message(topic(two, "end"), "end")
    assert second.payloads() == ["end"]


def test_sys_is_not_for_devices_to_write(site: Site) -> None:
    identity = site.new_id()
    backend = site.backend("$SYS/broker/certid/#", "$SYS/fake/#", "d/#")
    device = site.device(identity).open()
    for where in ("$SYS/fake/a", "$SYS/broker/certid/event/device-locked"):
        device.publish(where, "forged")
    device.publish(topic(identity, "evt"), "end")
    backend.wait_message(topic(identity, "evt"), "end")
    assert "forged" not in backend.payloads()


def test_control_is_not_for_devices(site: Site) -> None:
    identity = site.new_id()
    with site.raw(site.ca.leaf(identity)) as raw:
        assert raw.connect(identity, v5=True) == 0
        raw.send(publish_packet("$CONTROL/certid/v1", b"{}", v5=True, number=7))
        assert raw.read_until(PUBACK)[2] == 0x87


def test_a_subscription_outlives_its_grant_but_delivers_nothing(site: Site) -> None:
    grant = ("d:meter", "subscribe", "news/{type}/#")
    site.certid("topic", "add", *grant)
    site.certid("topic", "add", "d:press", "publish", "news/meter/#")
    site.settle()
    identity = site.new_id()
    press = site.device(site.new_id("press")).open()
    device = site.device(identity, clean=False).open()
    assert device.subscribe("news/meter/#")
    press.publish("news/meter/today", "before")
    device.wait_message("news/meter/today", "before")
    device.close()
    site.certid("topic", "remove", *grant)
    site.settle()
    device = site.device(identity, clean=False).open()
    assert device.session_present
    press.publish("news/meter/today", "after")
    device.publish(topic(identity, "end"), "end")
    assert not device.subscribe("news/meter/#")
    assert device.payloads() == []
    # Leave no session behind.
    device.close()
    site.device(identity).open().close()


def test_a_long_and_odd_topic(site: Site) -> None:
    """What a client library would not send; the broker must live."""
    identity = site.new_id()
    deep = topic(identity) + "/a" * 90
    for where in (deep, topic(identity) + "/" + "x" * 60000, "d//", "///"):
        with site.raw(site.ca.leaf(identity)) as raw:
            assert raw.connect(identity) == 0
            raw.send(publish_packet(where, b"x"))
            raw.send(subscribe_packet(where))
            try:
                raw.read_until(SUBACK)
            except raw.Gone:
                pass
    site.broker.pid()


def test_topics_off_leaves_topics_to_the_acl_file(
    new_site: Callable[..., Site],
) -> None:
    """The user name is the identity, so %u works."""
    site = new_site()
    acl = site.broker.etc / "acl"
    acl.write_text(acl.read_text() + "\npattern readwrite by-name/%u/#\n"
                   "\nuser backend\ntopic read by-name/#\n")  # fmt: skip
    site.certid("set", "topics", "off")
    site.broker.start()
    backend = site.backend("by-name/#", "d/#")
    identity = site.new_id()
    device = site.device(identity, login=("backend", None)).open()
    device.publish(topic(identity, "evt"), "by the plugin's rule")
    device.publish("by-name/d:meter:other/evt", "foreign")
    device.publish("$SYS/broker/certid/x", "foreign")
    device.publish(f"by-name/{identity}/evt", "own")
    backend.wait_message(f"by-name/{identity}/evt", "own")
    assert backend.payloads() == ["own"]
    assert device.subscribe(f"by-name/{identity}/#")
