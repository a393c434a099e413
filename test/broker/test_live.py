# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What the registry says now holds for connected clients, within a second.

The second is counted from the end of the command to the end of the
connection.
"""

import os
import re
import time
from typing import Callable

import pytest
from harness.client import ACCEPTED, CLOSED, REFUSED, Client
from harness.expect import refusal
from harness.pki import Ca, in_seconds
from harness.site import Site, topic
from harness.wait import until

pytestmark = pytest.mark.alone

SECOND = 1.0
V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])


def add_ca(site: Site, name: str) -> Ca:
    ca = site.pki.root(name)
    site.certid("ca", "add", ca.cert, "--name", name)
    site.settle()
    return ca


def connect(site: Site, ca: Ca, identity: str, v5: bool = False) -> Client:
    device = site.client(identity, ca.leaf(identity), v5=v5).open()
    until(lambda: identity in site.certid.identities(), "the device's row")
    return device


def expect_closed(
    site: Site, device: Client, reason: str, *command: object
) -> None:
    """The command closes the session in time, with a line and an event."""
    since = site.broker.mark()
    site.certid(*command)
    returned = time.monotonic()
    took = device.wait_closed() - returned
    assert took < SECOND, f"{took:.2f} s"
    identity = device.client_id
    site.broker.wait_log(
        rf"certid: closed reason={reason} .*identity={identity}", since=since
    )

    def event() -> bool:
        return any(
            each["subject"] == identity and reason in each["detail"]
            for each in site.certid.events("session-closed")
        )

    until(event, "the event session-closed")


@V5
@pytest.mark.parametrize(
    "verb,reason", [("deactivate", "ca-inactive"), ("remove", "ca-unknown")]
)
def test_a_ca_goes(site: Site, verb: str, reason: str, v5: bool) -> None:
    name = f"goes-{verb}-{v5}"
    ca = add_ca(site, name)
    gone = connect(site, ca, site.new_id(), v5)
    stays = connect(site, site.ca, site.new_id(), v5)
    expect_closed(site, gone, reason, "ca", verb, name)
    assert stays.is_open()
    again = site.client(gone.client_id, ca.leaf(gone.client_id))
    assert again.attempt() == refusal(reason)


@V5
@pytest.mark.parametrize("verb", ["lock", "remove"])
def test_a_device_goes(site: Site, verb: str, v5: bool) -> None:
    device = connect(site, site.ca, site.new_id(), v5)
    other = connect(site, site.ca, site.new_id(), v5)
    reason = {"lock": "device-locked", "remove": "device-unlisted"}[verb]
    expect_closed(site, device, reason, "device", verb, device.client_id)
    assert other.is_open()


def test_every_session_of_a_locked_device_ends(site: Site) -> None:
    site.certid("set", "client-id", "{class}:{type}:{id}*")
    try:
        site.settle()
        identity = site.new_id()
        leaf = site.ca.leaf(identity)
        sessions = [site.client(f"{identity}-{n}", leaf).open() for n in range(3)]
        until(lambda: identity in site.certid.identities(), "the device's row")
        site.certid("device", "lock", identity)
        for session in sessions:
            session.wait_closed(SECOND)
    finally:
        site.certid("set", "client-id", "{class}:{type}:{id}")
        site.settle()


def test_a_ca_loses_a_part_of_its_scope(site: Site) -> None:
    ca = add_ca(site, "narrowed")
    out = connect(site, ca, site.new_id("pump"))
    inside = connect(site, ca, site.new_id("meter"))
    command = ("ca", "set", "narrowed", "--scope", "d:meter:*")
    expect_closed(site, out, "ca-scope", *command)
    assert inside.is_open()


def test_a_rule_is_tightened(site: Site) -> None:
    device = connect(site, site.ca, site.new_id("ruled"))
    expect_closed(site, device, "level-token", "rule", "set", "d:ruled", "cert+token")


def test_a_certificate_expires(site: Site) -> None:
    identity = site.new_id()
    end = in_seconds(3)
    device = site.client(identity, site.ca.leaf(identity, end=end)).open()
    device.wait_closed()
    late = in_seconds(0) - end
    assert late.total_seconds() < 2.5, late  # notAfter itself is still valid
    site.broker.wait_log(rf"certid: closed reason=cert-expired .*{identity}")


def test_a_new_ca_works_at_once(site: Site) -> None:
    """No SIGHUP, no restart: the folder of the listener's capath is filled."""
    ca = site.pki.root("brand-new")
    identity = site.new_id()
    leaf = ca.leaf(identity)
    assert site.client(identity, leaf).attempt() == CLOSED
    site.certid("ca", "add", ca.cert, "--name", "brand-new")
    returned = time.monotonic()
    until(
        lambda: site.client(identity, leaf).attempt() == ACCEPTED,
        "entry by the new CA",
        SECOND,
    )
    assert time.monotonic() - returned < SECOND


def test_an_activated_ca_works_at_once(site: Site) -> None:
    ca = site.pki.root("woken")
    site.certid("ca", "add", ca.cert, "--name", "woken", "--inactive")
    site.settle()
    identity = site.new_id()
    leaf = ca.leaf(identity)
    assert site.client(identity, leaf).attempt() == CLOSED
    for _ in range(2):
        site.certid("ca", "activate", "woken")
        until(
            lambda: site.client(identity, leaf).attempt() == ACCEPTED,
            "entry by the activated CA",
            SECOND,
        )
        device = site.client(identity, leaf).open()
        expect_closed(site, device, "ca-inactive", "ca", "deactivate", "woken")
        assert site.client(identity, leaf).attempt() in (CLOSED, REFUSED)


def test_an_unlocked_device_returns_at_once(site: Site) -> None:
    device = connect(site, site.ca, site.new_id())
    site.certid("device", "lock", device.client_id)
    device.wait_closed(SECOND)
    site.certid("device", "unlock", device.client_id)
    until(
        lambda: site.device(device.client_id).attempt() == ACCEPTED,
        "entry after unlock",
        SECOND,
    )


def test_nothing_is_delivered_after_the_change_is_seen(site: Site) -> None:
    """A device floods; the log tells when its session was closed; what a
    back-end gets afterwards is not from that device."""
    backend = site.backend("d/#")
    device = connect(site, site.ca, site.new_id())
    assert device.subscribe(topic(device.client_id, "cmd/#"))
    sent, locked = 0, False
    while device.is_open():
        sent += 1
        device.paho.publish(topic(device.client_id, "evt"), str(sent))
        if sent == 50:
            site.certid("device", "lock", device.client_id)
            locked = True
        assert sent < 1_000_000
    assert locked
    site.broker.wait_log(rf"certid: closed .*identity={device.client_id}")
    other = connect(site, site.ca, site.new_id())
    other.publish(topic(other.client_id, "evt"), "end")
    backend.wait_message(topic(other.client_id, "evt"), "end")
    got = backend.payloads()
    assert got[-1] == "end"
    numbers = [int(number) for number in got[:-1]]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 50
    # What the back-end sends now reaches nobody.
    backend.publish(topic(device.client_id, "cmd/go"), "too late")
    assert "too late" not in device.payloads()


def hashes(site: Site) -> list[str]:
    return sorted(path.name for path in (site.broker.store / "ca").iterdir())


def test_the_folder_of_cas(new_site: Callable[..., Site]) -> None:
    """Names as c_rehash gives them; whole files; other files are left alone."""
    site = new_site()
    folder = site.broker.store / "ca"
    (folder / "README").write_text("not ours\n")
    (folder / "00000000.0").write_text("left by an earlier run\n")
    (folder / ".certid").touch()
    site.certid("ca", "add", site.pki.root("dozing").cert, "--inactive")
    site.broker.start()

    def names() -> list[str]:
        form = re.compile(r"[0-9a-f]{8}\.\d+")
        return [name for name in hashes(site) if form.fullmatch(name)]

    assert len(names()) == 1 and "README" in hashes(site)
    pem = (folder / names()[0]).read_text()
    assert site.ca.cert.read_text().strip() in pem
    site.certid("ca", "add", site.pki.root("another").cert, "--name", "another")
    until(lambda: len(names()) == 2, "the second CA's file", SECOND)
    site.certid("ca", "deactivate", "another")
    until(lambda: len(names()) == 1, "the end of its file", SECOND)


def test_topic_rules_change_under_a_session(site: Site) -> None:
    """A rule that is added or removed holds for who is connected."""
    backend = site.backend("d/#")
    device = connect(site, site.ca, site.new_id("talker"))
    rule = ("d:talker", "publish", "d/plaza/{id}")
    where = f"d/plaza/{device.client_id.rsplit(':', 1)[1]}"
    device.publish(where, "too early")
    site.certid("topic", "add", *rule)
    site.settle()
    device.publish(where, "now")
    backend.wait_message(where, "now")
    site.certid("topic", "remove", *rule)
    site.settle()
    device.publish(where, "too late")
    device.publish(topic(device.client_id, "evt"), "end")
    backend.wait_message(topic(device.client_id, "evt"), "end")
    assert backend.payloads() == ["now", "end"]
    assert device.is_open()


def test_the_folder_of_cas_is_mended(new_site: Callable[..., Site]) -> None:
    """What could not be written is written once it can be."""
    site = new_site()
    site.broker.start()
    folder = site.broker.store / "ca"
    if os.geteuid() != 0:
        pytest.skip("only root can take the folder away")
    owner = folder.stat()
    os.chown(folder, 0, 0)
    ca = site.pki.root("delayed")
    site.certid("ca", "add", ca.cert)
    site.broker.wait_log("certid: capath: new CAs wait")
    os.chown(folder, owner.st_uid, owner.st_gid)
    identity = site.new_id()
    until(
        lambda: site.client(identity, ca.leaf(identity)).attempt() == ACCEPTED,
        "entry by the delayed CA",
    )
    site.broker.wait_log("certid: capath: filled again")


def test_the_folder_of_cas_is_made_anew(new_site: Callable[..., Site]) -> None:
    """Somebody cleans it up; the next change puts everything back."""
    site = new_site()
    site.broker.start()
    before = set(hashes(site))
    for path in (site.broker.store / "ca").iterdir():
        path.unlink()
    site.certid("ca", "add", site.pki.root("latecomer").cert)
    until(lambda: before < set(hashes(site)), "the old files and a new one")
    site.broker.restart()
    assert site.device(site.new_id()).attempt() == ACCEPTED
