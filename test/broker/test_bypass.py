# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Clients that the broker let in without asking the plugin may do nothing."""

import shutil
from pathlib import Path
from typing import Callable

import pytest
from harness.broker import BACKEND, free_ports, load_before, own, verifies_in_plugin
from harness.expect import wait_refusal
from harness.pki import Ca, Pki
from harness.raw import (
    AUTH,
    PINGRESP,
    PUBLISH,
    SUBACK,
    Raw,
    publish_packet,
    subscribe_packet,
    tls_context,
)
from harness.site import Site, topic

IDENTITY = "use_identity_as_username false"
SUBJECT = "use_subject_as_username false"
V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])


def expect_nothing(site: Site, identity: str, v5: bool) -> None:
    """It cannot publish, cannot subscribe, and hears nothing, though an older
    session of it is subscribed."""
    backend = site.backend("d/#")
    since = site.broker.mark()
    device = site.device(identity, clean=False, v5=v5).open()
    assert device.session_present
    device.publish(topic(identity, "evt"), "smuggled")
    device.publish("d/meter/somebody/evt", "smuggled")
    assert not device.subscribe(topic(identity, "more/#"))
    backend.publish(topic(identity, "cmd/go"), "secret")
    assert not device.subscribe("#")
    assert device.payloads() == []
    site.broker.wait_log("use_identity_as_username", since=since)
    device.lose()
    backend.publish("d/meter/x/cmd/end", "end")
    backend.wait_message("d/meter/x/cmd/end", "end")
    assert backend.payloads() == ["secret", "end"]


def subscribed_before(site: Site, v5: bool) -> str:
    """A session from better days, kept across a restart."""
    site.broker.start()
    identity = site.new_id()
    device = site.device(identity, clean=False, v5=v5).open()
    assert device.subscribe(topic(identity, "cmd/#"))
    site.leave()
    site.broker.stop()
    return identity


@V5
@pytest.mark.parametrize("line", [IDENTITY, SUBJECT])
def test_identity_as_username(
    new_site: Callable[..., Site], line: str, v5: bool
) -> None:
    site = new_site()
    identity = subscribed_before(site, v5)
    site.broker.edit(line, line.replace("false", "true"))
    site.broker.start()
    expect_nothing(site, identity, v5)


@V5
def test_a_permissive_plugin_in_front(
    new_site: Callable[..., Site], compiled: Callable[[str], Path], v5: bool
) -> None:
    site = new_site()
    identity = subscribed_before(site, v5)
    load_before(site, compiled("permissive"))
    site.broker.start()
    expect_nothing(site, identity, v5)


def test_a_permissive_plugin_and_a_devices_name(
    new_site: Callable[..., Site], compiled: Callable[[str], Path]
) -> None:
    """No certificate at all: the user name alone is worth nothing."""
    site = new_site()
    load_before(site, compiled("permissive"))
    site.broker.start()
    backend = site.backend("d/#")
    liar = site.plain("d:meter:1", login=("d:meter:1", "x")).open()
    liar.publish("d/meter/1/evt", "smuggled")
    assert not liar.subscribe("d/meter/1/#")
    site.leave()
    assert backend.payloads() == []


def careless_listener(site: Site, evil: Ca) -> int:
    """A second TLS listener that believes the names that this CA writes."""
    shutil.copy(evil.cert, site.broker.etc / "evil.pem")
    port = free_ports(1)[0]
    certs = site.broker.etc / "certs"
    end = "# --- Back-end applications"
    site.broker.edit(
        end,
        f"listener {port} 127.0.0.1\ncafile {site.broker.etc}/evil.pem\n"
        f"certfile {certs}/server.crt\nkeyfile {certs}/server.key\n"
        f"require_certificate true\nuse_identity_as_username true\n\n{end}",
    )
    return port


@pytest.mark.skipif(not verifies_in_plugin(), reason="the broker verifies")
def test_a_careless_listener_in_the_plugins_hands(
    new_site: Callable[..., Site], pki: Pki
) -> None:
    """The registered CAs decide its handshake too, whatever its cafile says."""
    site = new_site()
    evil = pki.root("evil")
    port = careless_listener(site, evil)
    site.broker.start()
    identity = site.new_id()
    forged = tls_context(site.server_ca, evil.leaf(identity))
    since = site.broker.mark()
    with pytest.raises(Raw.Gone), Raw(port, forged) as raw:
        raw.connect(identity)
    wait_refusal(site.broker, identity, "ca-unknown", since)


# The two that follow need a broker that uses memory again; under
# AddressSanitizer it does not, so it is the plain build that they examine.
WITH_STRANGERS = pytest.mark.skipif(
    verifies_in_plugin(), reason="a stranger does not get through the handshake"
)


@WITH_STRANGERS
@V5
def test_a_bypass_on_a_pointer_that_was_a_devices(
    new_site: Callable[..., Site], pki: Pki, v5: bool
) -> None:
    """The broker uses the memory of a client that left for the next one, here
    one that a careless listener let in with the same names."""
    site = new_site()
    evil = pki.root("evil")
    port = careless_listener(site, evil)
    site.broker.start()
    backend = site.backend("d/#")
    identity = site.new_id()
    honest = site.ca.leaf(identity)
    forged = tls_context(site.server_ca, evil.leaf(identity))
    for _ in range(20):
        with site.raw(honest) as raw:
            assert raw.connect(identity, v5=v5) == 0
            raw.send(b"\xe0\x00")
        with Raw(port, forged) as raw:
            assert raw.connect(identity, v5=v5) == 0
            raw.send(publish_packet(topic(identity, "evt"), b"forged", v5=v5))
            raw.send(subscribe_packet(topic(identity, "cmd/#"), v5=v5))
            assert raw.read_until(SUBACK)[-1] >= 0x80
    device = site.device(identity).open()
    device.publish(topic(identity, "evt"), "end")
    backend.wait_message(topic(identity, "evt"), "end")
    assert backend.payloads() == ["end"]


def heard(raw: Raw) -> list[bytes]:
    """What it is sent until it gets an answer to PINGREQ."""
    raw.send(b"\xc0\x00")
    packets = []
    while True:
        kind, body = raw.read()
        if kind == PINGRESP:
            return packets
        if kind == PUBLISH:
            packets.append(body)


@WITH_STRANGERS
@V5
def test_a_bypass_that_inherits_a_session(
    new_site: Callable[..., Site], pki: Pki, v5: bool
) -> None:
    """The same with a persistent session: the stranger takes it over, and is
    delivered nothing, neither what was queued nor what comes."""
    site = new_site()
    evil = pki.root("evil")
    port = careless_listener(site, evil)
    site.broker.start()
    backend = site.backend()
    identity = site.new_id()
    honest = site.ca.leaf(identity)
    forged = tls_context(site.server_ca, evil.leaf(identity))
    options = {"v5": v5, "clean": False, "expiry": 3600 if v5 else 0}
    for _ in range(15):
        for _ in range(2):
            with site.raw(honest) as raw:
                assert raw.connect(identity, **options) == 0
                raw.send(subscribe_packet(topic(identity, "cmd/#"), v5=v5))
                raw.read_until(SUBACK)
                raw.send(b"\xe0\x00")
        backend.publish(topic(identity, "cmd/go"), "queued")
        with Raw(port, forged) as raw:
            assert raw.connect(identity, **options) == 0
            assert heard(raw) == []
            backend.publish(topic(identity, "cmd/go"), "live")
            assert heard(raw) == []


@pytest.mark.parametrize("listener", ["tls", "plain"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_a_will_in_the_middle_of_extended_authentication(
    new_site: Callable[..., Site],
    compiled: Callable[[str], Path],
    listener: str,
    order: str,
) -> None:
    """Mosquitto publishes it with the user name that the client only claims."""
    site = new_site()
    plugin = compiled("challenge")
    if order == "before":
        load_before(site, plugin)
    else:
        copy = site.broker.folder / plugin.name
        shutil.copy(plugin, copy)
        own(copy)
        line = "plugin_opt_others defer\n"
        site.broker.edit(line, f"{line}\nplugin {copy}\n")
    site.broker.start()
    backend = site.backend("d/#")
    name = "d:meter:1" if listener == "tls" else BACKEND[0]
    will = (topic("d:meter:1", "cmd/forged"), b"forged")
    leaf = site.ca.leaf("d:meter:1")
    raw = site.raw(leaf) if listener == "tls" else site.raw_plain()
    since = site.broker.mark()
    try:
        code = raw.ask(
            "d:meter:1", v5=True, username=name, will=will, auth_method="x"
        )
        assert code != 0
    except AssertionError as error:
        assert error.args == (AUTH,)  # the other plugin asks on
    raw.close()
    site.broker.wait_log("Client .* (disconnected|closed)", since=since)
    honest = site.new_id()
    site.device(honest).open().publish(topic(honest, "end"), "end")
    backend.wait_message(topic(honest, "end"), "end")
    assert backend.payloads() == ["end"]


def test_before_connect_nothing_goes(site: Site) -> None:
    """PUBLISH as the first packet, CONNECT twice, a huge client id."""
    leaf = site.ca.leaf("d:meter:1")
    with site.raw(leaf) as raw:
        raw.send(publish_packet("d/meter/1/evt", b"x"))
        raw.send(subscribe_packet("#"))
        with pytest.raises(Raw.Gone):
            raw.read_until(PUBLISH)
    with site.raw(leaf) as raw:
        assert raw.connect("d:meter:1") == 0
        assert raw.ask("d:meter:2") == -1
    with site.raw(leaf) as raw:
        assert raw.ask("d:meter:" + "1" * 60000) == 5
    with site.raw(leaf) as raw:
        assert raw.ask(b"d:meter:1\x00") == -1
    with site.raw(leaf) as raw:
        assert raw.ask("d:meter:1") == 0
