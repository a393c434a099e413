# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Everything that can take a device its right, while it is connected and while
its session waits for it.

Connected: the session ends within a second, without its will, with an event;
nothing that it sends is delivered any more, nor anything to it.  Offline: its
session is given nothing, and it does not come back.
"""

import time
from dataclasses import dataclass
from typing import Any, Callable, Optional

import pytest
from harness.client import ACCEPTED, Client
from harness.expect import refusal, wait_refusal
from harness.pki import Ca, Leaf
from harness.site import Site, topic
from harness.wait import until

pytestmark = pytest.mark.alone

SECOND = 1.0
V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])


@dataclass
class Case:
    """One device of a CA of its own."""

    site: Site
    ca: Ca
    name: str  # of the CA
    identity: str
    leaf: Leaf

    @property
    def type(self) -> str:
        return self.identity.rsplit(":", 1)[0]


Command = list[Any]


@dataclass
class Change:
    reason: str
    make: Callable[[Case], Command]
    undo: Optional[Callable[[Case], Command]] = None  # None: it is for ever
    prepare: Optional[Callable[[Case], Command]] = None


def revoke(case: Case) -> Command:
    return ["ca", "crl", case.name, case.ca.crl(2, case.leaf)]


def clear(case: Case) -> Command:
    return ["ca", "crl", case.name, case.ca.crl(3)]


CHANGES = {
    "ca-deactivated": Change(
        "ca-inactive",
        lambda c: ["ca", "deactivate", c.name],
        lambda c: ["ca", "activate", c.name],
    ),
    "ca-removed": Change(
        "ca-unknown",
        lambda c: ["ca", "remove", c.name],
        lambda c: ["ca", "add", c.ca.cert, "--name", c.name],
    ),
    "scope-narrowed": Change(
        "ca-scope",
        lambda c: ["ca", "set", c.name, "--scope", "d:nothing:*"],
        lambda c: ["ca", "set", c.name, "--scope", "*:*:*"],
    ),
    "certificate-revoked": Change("cert-revoked", revoke, clear),
    "revoked-by-the-next-crl": Change(
        "cert-revoked",
        revoke,
        clear,
        prepare=lambda c: ["ca", "crl", c.name, c.ca.crl(1)],
    ),
    "crl-required": Change(
        "crl-missing",
        lambda c: ["ca", "set", c.name, "--crl", "required"],
        lambda c: ["ca", "set", c.name, "--crl", "if-present"],
    ),
    "crl-looked-at-again": Change(
        "cert-revoked",
        lambda c: ["ca", "set", c.name, "--crl", "if-present"],
        lambda c: ["ca", "set", c.name, "--crl", "off"],
        prepare=lambda c: [
            *("ca", "set", c.name, "--crl", "off"),
            *("THEN", *revoke(c)),
        ],
    ),
    "device-locked": Change(
        "device-locked",
        lambda c: ["device", "lock", c.identity],
        lambda c: ["device", "unlock", c.identity],
    ),
    "rule-tightened": Change(
        "level-token",
        lambda c: ["rule", "set", c.type, "cert+token"],
        lambda c: ["rule", "set", c.type, "cert"],
    ),
}
EACH = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())


def run(site: Site, command: Command) -> None:
    while "THEN" in command:
        at = command.index("THEN")
        site.certid(*command[:at])
        command = command[at + 1 :]
    site.certid(*command)


def start(site: Site, change: Change) -> Case:
    identity = site.new_id(f"t{next(site.ids)}")
    name = identity.split(":")[1]
    ca = site.pki.root(f"enforced-{name}")
    site.certid("ca", "add", ca.cert, "--name", f"ca-{name}")
    case = Case(site, ca, f"ca-{name}", identity, ca.leaf(identity))
    if change.prepare:
        run(site, change.prepare(case))
    site.settle()
    return case


def recorded(case: Case) -> None:
    until(lambda: case.identity in case.site.certid.identities(), "the device's row")


def closing_events(case: Case) -> list[dict[str, Any]]:
    events = case.site.certid.events("session-closed")
    return [each for each in events if each["subject"] == case.identity]


@V5
@EACH
def test_a_connected_device(site: Site, change: Change, v5: bool) -> None:
    case = start(site, change)
    evt, cmd = topic(case.identity, "evt"), topic(case.identity, "cmd/go")
    will = topic(case.identity, "will")
    backend = site.backend(evt, will, v5=v5)
    device = site.client(case.identity, case.leaf, v5=v5, will=(will, "gone")).open()
    recorded(case)
    assert device.subscribe(topic(case.identity, "cmd/#"))
    device.publish(evt, "before")
    backend.wait_message(evt, "before")
    since = site.broker.mark()
    try:
        site.certid(*change.make(case))
        returned = time.monotonic()
        assert device.wait_closed() - returned < SECOND
        closed = rf"certid: closed reason={change.reason} .*{case.identity}"
        site.broker.wait_log(closed, since=since)
        until(lambda: len(closing_events(case)) == 1, "its event")
        assert change.reason in closing_events(case)[0]["detail"]
        # Whatever was under way has been dealt with once this one is through.
        backend.publish(cmd, "after")
        again = site.client(case.identity, case.leaf, v5=v5)
        assert again.attempt() == refusal(change.reason)
        wait_refusal(
            site.broker, case.identity, change.reason, since, case.identity
        )
        assert device.payloads() == []
        assert backend.payloads() == ["before"]
    finally:
        run(site, change.undo(case) if change.undo else ["status"])
        site.settle()


@V5
@EACH
def test_an_offline_session(site: Site, change: Change, v5: bool) -> None:
    """What is published while the device has no right never reaches it, also
    when it is given its right again."""
    case = start(site, change)
    cmd = topic(case.identity, "cmd/go")
    backend = site.backend(v5=v5)

    def device() -> Client:
        return site.client(case.identity, case.leaf, v5=v5, clean=False)

    first = device().open()
    recorded(case)
    assert first.subscribe(topic(case.identity, "cmd/#"))
    first.close()
    since = site.broker.mark()
    try:
        site.certid(*change.make(case))
        site.settle()
        backend.publish(cmd, "while it has no right")
        assert device().attempt() == refusal(change.reason)
        wait_refusal(
            site.broker, case.identity, change.reason, since, case.identity
        )
    finally:
        run(site, change.undo(case) if change.undo else ["status"])
        site.settle()
    backend.publish(cmd, "when it has")
    until(lambda: device().attempt() == ACCEPTED, "its return")
    last = site.clients[-1]
    last.wait_message(cmd, "when it has")
    assert last.payloads() == ["when it has"]
