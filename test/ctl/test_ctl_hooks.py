# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""certid hook, and what status says of receivers that are in trouble."""
import json
import sqlite3
import time

import pytest

KEYS = set("hook url kinds format signed own_ca created_at".split())
STATE = set("cursor backlog delivered dropped failing_since failure".split())
URL = "https://example.org/in"


def change(ctl, **columns):
    """What a broker would have written down."""
    words = ", ".join(f"{name} = ?" for name in columns)
    file = sqlite3.connect(ctl.path)
    with file:
        file.execute(f"UPDATE hook SET {words}", tuple(columns.values()))
    file.close()


def findings(ctl):
    return {each["kind"]: each for each in ctl.json("status")["findings"]
            if each["kind"].startswith("hook")}


def test_what_is_told_of_a_hook(ctl, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a secret that nobody sees\r\n")
    made = ctl.json("hook", "add", URL + "?key=hidden", "--kind", "ca-added",
                    "--kind", "device-allowed", "--kind",
                    "ca-added", "--secret", secret)
    assert set(made) == KEYS
    assert made["kinds"] == ["ca-added", "device-allowed"]
    assert made["format"] == "cloudevents"
    assert made["signed"] and not made["own_ca"]
    (listed,) = ctl.json("hook", "list")
    assert set(listed) == KEYS | STATE
    assert {key: listed[key] for key in KEYS} == made
    assert listed["backlog"] == 0
    ctl.ok("device", "add", "d:meter:1")
    ctl.ok("device", "lock", "d:meter:1")
    assert ctl.json("hook", "list")[0]["backlog"] == 1
    said = (ctl.ok("hook", "list") + json.dumps(ctl.json("hook", "list")) +
            json.dumps(ctl.json("status")) + ctl.ok("event", "list"))
    assert "nobody sees" not in said
    assert "hidden" not in ctl.ok("event", "list")
    assert "hidden" not in json.dumps(ctl.json("status"))
    with sqlite3.connect(ctl.path) as file:
        stored = file.execute("SELECT secret FROM hook").fetchone()[0]
    file.close()
    assert stored == "a secret that nobody sees"


def test_a_hook_is_shown_whole(ctl, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a secret that nobody sees")
    ctl.ok("hook", "add", URL, "--kind", "ca-added", "--kind", "device-locked",
           "--secret", secret)
    ctl.ok("hook", "add", URL + "2")
    first, second = ctl.json("hook", "list")
    if first["url"] != URL:
        first, second = second, first
    for name in (first["hook"], first["hook"][:7], URL):
        assert ctl.json("hook", "show", name) == first
    shown = ctl.ok("hook", "show", URL)
    assert "nobody sees" not in shown
    assert [line.split(None, 1) for line in shown.splitlines()[1:6]] == [
        ["url", URL], ["format", "cloudevents"], ["kind", "ca-added"],
        ["kind", "device-locked"], ["signed", "yes"]]
    assert "kind           every kind\n" in ctl.ok("hook", "show",
                                                   second["hook"])
    ctl.fails(4, "has no hook", "hook", "show", "zzzz")
    ctl.fails(4, "has no hook", "hook", "show", URL + "3")
    ctl.fails(2, "needs HOOK", "hook", "show")
    header = ctl.ok("hook", "list").splitlines()[0].split("  ")
    assert header[0] == "HOOK" and header[-1] == "WHY"


@pytest.mark.parametrize("content,length", [
    ("x" * 16, 16), ("x" * 16 + "\n", 16), ("x" * 1024 + "\r\n", 1024),
    ("x" * 16 + "\n\n", 17),
])
def test_secrets_that_are_taken(ctl, tmp_path, content, length):
    secret = tmp_path / "secret"
    secret.write_bytes(content.encode())
    ctl.ok("hook", "add", URL, "--secret", secret)
    with sqlite3.connect(ctl.path) as file:
        assert file.execute(
            "SELECT length(secret) FROM hook").fetchone()[0] == length
    file.close()


@pytest.mark.parametrize("content", ["", "\n", "x" * 15, "x" * 15 + "\n",
                                     "x" * 15 + "\r\n", "x" * 1025,
                                     "x" * 1027])
def test_secrets_that_are_refused(ctl, tmp_path, content):
    secret = tmp_path / "secret"
    secret.write_bytes(content.encode())
    ctl.fails(1, "", "hook", "add", URL, "--secret", secret)
    assert ctl.json("hook", "list") == []


def test_a_hook_that_fails_for_an_hour(ctl):
    ctl.ok("hook", "add", URL + "?key=hidden")
    now = int(time.time())
    change(ctl, failing_since=now - 3000, failure="the server answered 503")
    assert findings(ctl) == {}
    change(ctl, failing_since=now - 3700)
    found = findings(ctl)["hook-failing"]
    assert found["level"] == "warning" and found["org"] == "default"
    assert "the server answered 503" in found["text"]
    assert "hidden" not in found["text"]
    (told,) = ctl.json("status")["per_org"][0]["hooks"]
    assert told["failure"] == "the server answered 503"
    assert told["url"] == URL + "?..." and told["backlog"] > 0


def test_a_hook_that_dropped_events(ctl):
    ctl.ok("hook", "add", URL)
    assert findings(ctl) == {}
    change(ctl, dropped=7)
    assert "7 events" in findings(ctl)["hook-dropped"]["text"]
    assert ctl.json("hook", "list")[0]["dropped"] == 7


def test_an_org_has_its_own(ctl):
    ctl.ok("org", "add", "acme")
    made = ctl.json("hook", "add", URL)
    assert ctl.json("--org", "acme", "hook", "list") == []
    ctl.fails(4, "no hook", "--org", "acme", "hook", "remove", made["hook"])
    ctl.ok("hook", "remove", URL)
    assert ctl.json("hook", "list") == []


def test_there_are_not_too_many(ctl):
    for _ in range(32):
        ctl.ok("hook", "add", URL)
    ctl.fails(1, "32", "hook", "add", URL)
