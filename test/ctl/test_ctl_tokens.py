# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""certid device token."""
import hashlib
import sqlite3

import pytest
from ctl_tools import HASH, TIME, add_devices, same_device


@pytest.fixture
def meter(ctl):
    add_devices(ctl, "d:meter:1")
    ctl.ok("rule", "set", "d:meter", "token")
    return ctl


BAD = [
    (2, ("x",), "is not an identity"),
    (2, ("d:meter",), "is not an identity"),
    (2, ("d:meter:1", "--expires", "0s"), "--expires takes a time"),
    (2, ("d:meter:1", "--expires", "7"), "--expires takes a time"),
    (2, ("d:meter:1", "--expires", "none"), "--expires takes a time"),
    (2, ("d:meter:1", "--expires", "-1d"), "--expires takes a time"),
    (2, ("d:meter:1", "--expires", "40000d"), "--expires takes a time"),
    (2, ("d:meter:1", "--expires", ""), "needs a value"),
    (2, ("d:meter:1", "--expires", "1d", "--expires", "1d"), "given twice"),
    (2, ("d:meter:1", "--expires", "1d", "--revoke"), "not both"),
    (2, ("d:meter:1", "--revoke=yes"), "no value may be given"),
    (2, ("d:meter:1", "--token", "x"), "unknown option --token"),
    (2, ("d:meter:1", "d:meter:2"), "surplus argument"),
    (4, ("d:meter:2",), "there is no device d:meter:2"),
    (4, ("d:METER:1",), "one that differs in letter case"),
    (4, ("d:meter:2", "--revoke"), "there is no device d:meter:2"),
]


@pytest.mark.parametrize("code,args,words", BAD)
def test_a_refusal_changes_nothing(meter, code, args, words):
    meter.ok("device", "token", "d:meter:1")
    with same_device(meter, "d:meter:1"):
        meter.fails(code, words, "device", "token", *args)


def test_there_must_be_one_to_revoke(meter):
    with same_device(meter, "d:meter:1"):
        meter.fails(4, "has no token", "device", "token", "d:meter:1",
                    "--revoke")


def test_the_token_is_alone_on_stdout(meter):
    done = meter("device", "token", "d:meter:1")
    assert done.returncode == 0
    assert HASH.match(done.stdout) and done.stdout.count("\n") == 1
    assert "shown this once" in done.stderr
    assert "valid without end" in done.stderr
    assert "no longer valid" not in done.stderr
    assert "warning" not in done.stderr


def test_a_new_one_takes_the_place_of_the_old_one(meter):
    old = meter.ok("device", "token", "d:meter:1").strip()
    done = meter("device", "token", "d:meter:1", "--expires", "7d")
    assert done.stdout.strip() != old
    assert "is no longer valid" in done.stderr
    token = meter.json("device", "show", "d:meter:1")["token"]
    assert set(token) == {"created_at", "expires_at"}
    assert TIME.match(token["expires_at"])


def test_json(meter):
    it = meter.json("device", "token", "d:meter:1")
    assert set(it) == {"identity", "token", "expires_at"}
    assert it["identity"] == "d:meter:1" and it["expires_at"] is None
    assert HASH.match(it["token"])
    until = meter.json("device", "token", "d:meter:1", "--expires",
                       "1h")["expires_at"]
    assert TIME.match(until)
    assert meter.json("device", "show",
                      "d:meter:1")["token"]["expires_at"] == until
    gone = meter.json("device", "token", "d:meter:1", "--revoke")
    assert gone["identity"] == "d:meter:1" and gone["token"] is None
    assert meter.json("device", "show", "d:meter:1")["token"] is None


def test_the_token_itself_is_kept_nowhere(meter):
    token = meter.json("device", "token", "d:meter:1")["token"]
    kept = meter.path.read_bytes()
    wal = meter.path.parent / (meter.path.name + "-wal")
    kept += wal.read_bytes() if wal.exists() else b""
    assert token.encode() not in kept
    assert bytes.fromhex(token) not in kept
    shown = "".join(meter.ok(*args) for args in (
        ("device", "show", "d:meter:1"), ("event", "list"), ("status",),
        ("--json", "device", "show", "d:meter:1"), ("--json", "event", "list")))
    assert token not in shown
    with sqlite3.connect(meter.path) as db:
        (text,), = db.execute(
            "SELECT token FROM device WHERE identity = 'd:meter:1'")
    salt, digest = text.split(":")[:2]
    assert hashlib.sha256(bytes.fromhex(salt) +
                          token.encode()).hexdigest() == digest
    assert salt not in shown and digest not in shown


def test_events(meter):
    def last():
        return meter.json("event", "list", "--kind", "token-changed")[-1]
    meter.ok("device", "token", "d:meter:1")
    assert last()["subject"] == "d:meter:1"
    assert last()["detail"] == "new token, without end"
    meter.ok("device", "token", "d:meter:1", "--expires", "2d")
    assert last()["detail"].startswith("new token, valid until 20")
    meter.ok("device", "token", "d:meter:1", "--revoke")
    assert last()["detail"] == "revoked"
    assert len(meter.json("event", "list", "--kind", "token-changed")) == 3


@pytest.mark.parametrize("level,warned", [
    ("cert", True), ("token", False), ("cert+token", False),
    ("cert-or-token", False), ("tls-optional", False)])
def test_a_level_that_asks_for_no_token_is_told(meter, level, warned):
    meter.ok("rule", "set", "d:meter", level)
    done = meter("device", "token", "d:meter:1")
    assert ("certid: warning: the level of the type d:meter is cert" in
            done.stderr) == warned


def test_show_for_people(meter):
    assert "\ntoken              -\n" in meter.ok("device", "show", "d:meter:1")
    meter.ok("device", "token", "d:meter:1")
    assert ", without end\n" in meter.ok("device", "show", "d:meter:1")
    meter.ok("device", "token", "d:meter:1", "--expires", "1d")
    assert ", valid until 20" in meter.ok("device", "show", "d:meter:1")
    with sqlite3.connect(meter.path) as db:
        (text,), = db.execute(
            "SELECT token FROM device WHERE identity = 'd:meter:1'")
        db.execute("UPDATE device SET token = ? WHERE identity = 'd:meter:1'",
                   (text.rsplit(":", 1)[0] + ":1790000000",))
    assert ", expired 2026-09-21T14:13:20Z\n" in meter.ok(
        "device", "show", "d:meter:1")


def test_a_token_stays_where_its_device_is(meter):
    meter.ok("org", "add", "acme")
    meter.ok("--org", "acme", "device", "add", "d:meter:1")
    meter.ok("device", "token", "d:meter:1")
    assert meter.json("--org", "acme", "device", "show",
                      "d:meter:1")["token"] is None
