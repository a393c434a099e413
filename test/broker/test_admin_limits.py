# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What admins over MQTT may not do to other orgs, to each other and to the broker."""

import json
import os
import signal
import sqlite3
import time
from typing import Any, Callable, Iterator

import pytest
from harness.broker import BACKEND
from harness.pki import Ca, Pki
from harness.raw import PUBLISH, Raw, publish_packet
from harness.site import Site
from harness.tls import enter, hand_over
from harness.wait import until
from test_admin import OPS, TOPIC, Asker
from test_handshake_orgs import ACME, SUFFIX, found_org, in_org


def message(*commands: Any) -> str:
    return json.dumps({"commands": commands})


def add(number: int) -> dict[str, str]:
    return {"command": "addDevice", "identity": f"d:limit:{number}"}


def imported(site: Site, count: int) -> None:
    rows = site.broker.folder / "rows.csv"
    rows.write_text("ID\n" + "".join(f"d:imp:{'x' * 30}{n}\n" for n in range(count)))
    site.certid("import", rows)


def end(site: Site) -> float:
    """Seconds until the broker has ended."""
    start = time.monotonic()
    os.kill(site.broker.pid(), signal.SIGTERM)
    site.broker.expected_end = True
    assert site.broker.process.wait(60) == 0
    return time.monotonic() - start


# Another org


@pytest.fixture
def tenant(pki: Pki, ca: Ca) -> Iterator[tuple[Site, Raw]]:
    """The broker of two orgs, and an admin of acme who is connected to it."""
    site = hand_over(Site(pki, ca))
    try:
        acme = found_org(site, "acme")
        site.certid("set", "sni", SUFFIX)
        in_org(site, "acme", "admin", "add", OPS)
        in_org(site, "acme", "set", "max-devices", "2")
        site.broker.start()
        yield site, enter(site, acme.leaf(OPS), OPS, host=ACME)
    finally:
        site.close()


def ask(raw: Raw, command: str, **members: Any) -> Any:
    raw.send(publish_packet(TOPIC, message({"command": command, **members}).encode()))
    body = raw.read_until(PUBLISH)
    return json.loads(body[body.index(b"{") :])["responses"][0]


def test_an_admin_of_an_org_stays_in_it(tenant: tuple[Site, Raw]) -> None:
    site, ops = tenant
    rules, values = in_org(site, "acme", "topic", "list"), in_org(site, "acme", "set")
    refused = [
        ask(ops, "addTopic", who="all", access=access, filter=filter_)
        for access in ("both", "subscribe")
        for filter_ in ("#", "$SYS/broker/certid/#", "d/#", "+/#")
    ]
    for key, value in (("max-devices", "none"), ("sni", ""), ("client-id", "{id}"), ("topics", "off")):  # fmt: skip
        refused.append(ask(ops, "setSetting", key=key, value=value))
    refused.append(ask(ops, "addHook", url="https://127.0.0.1/"))
    for response in refused:
        assert "an admin of the org default does that" in response["error"], response
        assert response["code"] == 1
    assert in_org(site, "acme", "topic", "list") == rules
    assert in_org(site, "acme", "set") == values
    done = ask(ops, "addTopic", who="all", access="both", filter="{org}/all/#")
    assert "error" not in done
    status = ask(ops, "getStatus")["data"]
    assert [org["org"] for org in status["per_org"]] == ["acme"]
    assert str(site.certid.registry) not in json.dumps(status)
    assert "orgs" not in status


# A right that is taken away


@pytest.mark.parametrize("how", ["remove", "lock"])
def test_a_right_ends_with_messages_that_wait(new_site: Any, how: str) -> None:
    site = new_site()
    site.certid("admin", "add", OPS)
    site.certid("admin", "add", BACKEND[0])
    site.broker.start()
    ops = Asker(site.device(OPS).open())
    until(lambda: site.knows(OPS), "its row")
    other = sqlite3.connect(site.certid.registry, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ops.send(message(add(1)))  # waits for the other writer
    ops.send(message(*([add(2)] * 64)))
    ops.send(message({"command": "addAdmin", "name": "d:evil:1"}))
    if how == "remove":
        other.execute("DELETE FROM admin WHERE name = ?", (OPS,))
    else:
        other.execute("UPDATE device SET locked = 1 WHERE identity = ?", (OPS,))  # fmt: skip
    other.execute("COMMIT")
    other.close()
    # Sessions take turns: after so many answers to another those three are through.
    second = Asker(site.plain("admin-1", login=BACKEND).open())
    for _ in range(4):
        second.data("listOrgs")
    assert "d:evil:1" not in site.certid("admin", "list")
    assert "d:limit:2" not in site.certid.identities()


def test_the_first_thing_that_a_new_device_does(new_site: Any) -> None:
    """Its row may be under way."""
    site = new_site()
    site.certid("admin", "add", OPS)
    site.broker.start()
    other = sqlite3.connect(site.certid.registry, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ops = Asker(site.device(OPS).open())
    assert ops.data("listOrgs")
    other.execute("ROLLBACK")
    other.close()


# The end of the broker


def test_the_end_while_another_writes(new_site: Any) -> None:
    site = new_site()
    site.certid("admin", "add", OPS)
    site.broker.start()
    ops = Asker(site.device(OPS).open())
    until(lambda: site.knows(OPS), "its row")
    other = sqlite3.connect(site.certid.registry, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ops.send(message(*[add(n) for n in range(64)]))
    assert end(site) < 6
    other.execute("ROLLBACK")
    other.close()


def test_the_end_during_long_exports(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.certid("admin", "add", OPS)
    imported(site, 100000)
    site.broker.start()
    ops = Asker(site.device(OPS).open())
    for _ in range(8):
        ops.send(message(*([{"command": "exportDevices"}] * 64)))
    assert end(site) < 5


# Answers that are too long


def test_an_export_that_is_too_long(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.certid("admin", "add", OPS)
    imported(site, 60000)
    site.broker.start()
    ops = Asker(site.device(OPS).open())
    ops.send(message({"command": "exportDevices"}, add(1)))
    export, added = ops.next()
    assert "--type" in export["error"] and "machine" in export["error"]
    assert "not run" in added["error"]
    assert "d:limit:1" not in site.certid.identities()
    assert "error" not in ops.ask(**add(1))
