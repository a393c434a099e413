# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Events on $SYS: the same as "certid event list", to those who may read
them, and from nobody else."""

import json
import sqlite3
import subprocess
from typing import Any, Callable

import pytest
from harness.broker import BACKEND
from harness.client import ACCEPTED, Client
from harness.site import Site, topic
from harness.wait import PATIENCE, until

ROOT = "$SYS/broker/certid"
EVENTS = f"{ROOT}/event/#"


def last_seq(site: Site) -> int:
    return site.certid.events()[-1]["seq"]


def listed(site: Site, since: int) -> list[dict[str, Any]]:
    return [each for each in site.certid.events() if each["seq"] > since]


def heard(client: Client, since: int) -> list[tuple[str, Any]]:
    """Topics and documents, in the order in which they came."""
    with client.changed:
        found = [(name, json.loads(text)) for name, text in client.messages]
    return [(name, event) for name, event in found if event["seq"] > since]


def wait_heard(site: Site, client: Client, since: int) -> list[tuple[str, Any]]:
    """All that is listed now has come."""
    last = last_seq(site)
    until(
        lambda: any(e["seq"] == last for _, e in heard(client, since)),
        f"event {last} on $SYS",
    )
    return heard(client, since)


def test_events_are_told_as_they_are_listed(site: Site) -> None:
    since = last_seq(site)
    listener = site.backend(EVENTS)
    identity = site.new_id()
    device = site.device(identity).open()
    until(lambda: identity in site.certid.identities(), "the device's row")
    site.certid("device", "lock", identity)
    device.wait_closed()
    until(lambda: site.certid.events("session-closed"), "the event")
    site.certid("device", "unlock", identity)
    site.certid("device", "remove", identity)
    site.certid("topic", "add", "d:told", "subscribe", 'a/"b"/\\')
    site.certid("topic", "remove", "d:told", "subscribe", 'a/"b"/\\')
    told = wait_heard(site, listener, since)
    rows = listed(site, since)
    assert [event for _, event in told] == rows
    assert [name for name, _ in told] == [
        f"{ROOT}/event/{row['kind']}" for row in rows
    ]
    kinds = {row["kind"] for row in rows}
    assert kinds >= {"device-provisioned", "device-locked", "session-closed"}
    assert {row["org"] for row in rows} == {"default"}
    assert {row["actor"] for row in rows} == {"broker", "operator"}


def test_events_of_every_org(site: Site) -> None:
    since = last_seq(site)
    listener = site.backend(EVENTS)
    site.certid("org", "add", "acme")
    site.certid("--org", "acme", "device", "add", "d:meter:acme1")
    site.certid("--org", "acme", "device", "lock", "d:meter:acme1")
    site.certid("device", "add", "d:meter:last")  # an event of the default org
    told = wait_heard(site, listener, since)
    ours = site.certid.json("--org", "acme", "event", "list")
    assert ours and ours == [e for _, e in told if e["org"] == "acme"]
    site.certid("org", "remove", "acme")


def test_follow_shows_the_same(site: Site) -> None:
    """One listener each way: mosquitto_sub and certid event follow."""
    line = ["stdbuf", "-oL", "mosquitto_sub", "-p", site.broker.plain_port]
    line += ["-i", "sub", "-u", BACKEND[0], "-P", BACKEND[1], "-C", 2]
    line += ["-W", int(PATIENCE)]
    line += ["-t", f"{ROOT}/event/device-locked", "-d"]
    words = [str(word) for word in line]
    sub = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert sub.stdout
    seen = ""
    while "SUBACK" not in seen:
        seen = sub.stdout.readline()
        assert seen, "mosquitto_sub ended"
    since = last_seq(site)
    for identity in (site.new_id(), site.new_id()):
        site.certid("device", "add", identity)
        site.certid("device", "lock", identity)
    said, _ = sub.communicate(timeout=2 * PATIENCE)
    told = [json.loads(each) for each in said.splitlines() if each[0] == "{"]
    rows = [row for row in listed(site, since) if row["kind"] == "device-locked"]
    assert told == rows and len(rows) == 2
    line = ["--json", "event", "follow", "--since", "1h", "--kind", "device-locked"]
    followed = site.certid(*line, "--limit", len(site.certid.events("device-locked")))
    assert [json.loads(each) for each in followed.splitlines()][-2:] == rows


def test_events_are_not_retained(site: Site) -> None:
    first, second = site.new_id(), site.new_id()
    before = site.backend(EVENTS)
    since = last_seq(site)
    site.certid("device", "add", first)
    wait_heard(site, before, since)
    late = site.backend(EVENTS)
    middle = last_seq(site)
    site.certid("device", "add", second)
    told = wait_heard(site, late, 0)
    assert [event["subject"] for _, event in told] == [second]
    assert told[0][1]["seq"] > middle


@pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])
def test_a_device_reads_them_by_a_rule(site: Site, v5: bool) -> None:
    identity = site.new_id("watcher")
    device = site.device(identity, v5=v5).open()
    assert not device.subscribe(EVENTS)
    assert not device.subscribe("$SYS/#")
    rule = ("all", "subscribe", f"{ROOT}/event/#")
    site.certid("topic", "add", *rule)
    try:
        until(lambda: device.subscribe(EVENTS), "the grant")
        assert not device.subscribe(f"{ROOT}/#")
        since = last_seq(site)
        site.certid("device", "add", site.new_id())
        wait_heard(site, device, since)
    finally:
        site.certid("topic", "remove", *rule)
        site.settle()


FORGED = [f"{ROOT}/event/device-locked", f"{ROOT}/sessions", "$SYS/broker/uptime"]


def expect_silence(listener: Client, forger: Client, proof: str) -> None:
    """What the forger publishes on $SYS reaches nobody, and is not kept; what
    it publishes on proof does."""
    for name in FORGED:
        forger.publish(name, "forged")
        forger.publish(name, "forged", retain=True)
    forger.publish(proof, "true")
    listener.wait_message(proof, "true")
    assert "forged" not in listener.payloads()


def expect_nothing_kept(site: Site) -> None:
    late = site.backend("$SYS/#")
    late.wait(lambda: len(late.messages) >= 2, "what is kept")
    for name in FORGED:
        assert (name, "forged") not in late.messages


def test_a_device_cannot_write_there(site: Site) -> None:
    identity = site.new_id()
    refused = site.certid.run("topic", "add", "all", "both", "$SYS/broker/#")
    assert refused.returncode != 0
    listener = site.backend("$SYS/#", "d/#")
    device = site.device(identity).open()
    expect_silence(listener, device, topic(identity, "evt"))
    expect_nothing_kept(site)


def test_nor_with_another_acl(new_site: Callable[..., Site]) -> None:
    """Whatever the ACL file grants: to devices with topics off, to others."""
    site = new_site()
    acl = site.broker.etc / "acl"
    acl.write_text("pattern readwrite any/#\npattern readwrite $SYS/#\n")
    site.certid("set", "topics", "off")
    site.broker.start()
    listener = site.backend("$SYS/#", "any/#")
    device = site.device(site.new_id()).open()
    expect_silence(listener, device, "any/device")
    expect_silence(listener, site.backend(), "any/backend")
    expect_nothing_kept(site)


def test_nor_with_others_allow(new_site: Callable[..., Site]) -> None:
    site = new_site(
        ("plugin_opt_others defer", "plugin_opt_others allow"),
        ("allow_anonymous false", "allow_anonymous true"),
    )
    site.broker.start()
    listener = site.plain("listener").open()
    assert listener.subscribe("$SYS/#") and listener.subscribe("any/#")
    free = site.plain("free")
    assert free.attempt() == ACCEPTED
    expect_silence(listener, free, "any/free")


def make_old(site: Site, days: int) -> int:
    """All events so far; the seq of the last."""
    with sqlite3.connect(site.certid.registry) as file:
        file.execute("UPDATE event SET time = time - ?", (days * 86400,))
    file.close()
    return last_seq(site)


def test_old_events_are_forgotten(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.certid("org", "add", "acme")
    site.certid("--org", "acme", "device", "add", "d:meter:1")
    site.certid("device", "add", "d:meter:1")
    site.certid("set", "event-days", "200")
    ours = site.certid.json("--org", "acme", "event", "list")
    last = make_old(site, 91)
    site.certid("set", "event-days", "200")  # has a row of today, if any
    kept = site.certid.events()
    site.broker.start()
    until(
        lambda: site.certid.json("--org", "acme", "event", "list") == [],
        "acme forgets what is older than 90 days",
    )
    assert ours and site.certid.events()[: len(kept)] == kept
    identity = site.new_id()
    site.device(identity).open()
    until(lambda: identity in site.certid.identities(), "the device's row")
    assert last_seq(site) > last
    assert "went back in time" not in site.broker.log()


def test_many_events_arrive_in_order(site: Site) -> None:
    since = last_seq(site)
    listener = site.backend(EVENTS)
    identities = [site.new_id("crowd") for _ in range(60)]
    leaves = [site.ca.leaf(each) for each in identities]
    for identity, leaf in zip(identities, leaves):
        with site.raw(leaf) as raw:
            assert raw.ask(identity) == 0
    until(lambda: set(identities) <= set(site.certid.identities()), "the rows")
    told = wait_heard(site, listener, since)
    assert [event for _, event in told] == listed(site, since)
