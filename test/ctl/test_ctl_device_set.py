# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""certid device set: what may change of a device that is registered."""
import pytest
from ctl_tools import TIME, connected, same_device

KEPT = ("pins", "token", "gateway", "state", "locked", "created_at")


@pytest.fixture
def device(ctl, tmp_path):
    """One with all that must not be lost."""
    ctl.ok("device", "add", "g:gw:1")
    ctl.ok("device", "add", "d:m:1", "--cert", "ab" * 32, "--tag", "a=1")
    ctl.ok("device", "token", "d:m:1")
    ctl.ok("device", "attach", "d:m:1", "g:gw:1")
    ctl.ok("device", "lock", "d:m:1")
    (tmp_path / "info.json").write_text('{"model": "m"}')
    (tmp_path / "bad.json").write_text("[]")
    return ctl


def show(ctl, who="d:m:1"):
    return ctl.json("device", "show", who)


def test_what_is_not_given_stays(device, tmp_path):
    before = show(device)
    it = device.json("device", "set", "d:m:1", "--tag", "b=2", "--tag", "c=3")
    assert it == {**before, "tags": [{"name": "b", "value": "2"},
                                     {"name": "c", "value": "3"}]}
    it = device.json("device", "set", "d:m:1", "--info", tmp_path / "info.json")
    assert it["info"] == {"model": "m"} and len(it["tags"]) == 2
    it = device.json("device", "set", "d:m:1", "--window", "none")
    assert it["window_ends_at"] is None
    it = device.json("device", "set", "d:m:1", "--window", "7d", "--tag", "")
    assert TIME.match(it["window_ends_at"]) and it["tags"] == []
    assert it["info"] == {"model": "m"}
    assert {k: it[k] for k in KEPT} == {k: before[k] for k in KEPT}
    assert show(device) == it
    assert device.ok("device", "set", "d:m:1", "--tag", "x=y") == (
        "set the device d:m:1\n")
    said = [e["detail"] for e in device.json(
        "event", "list", "--kind", "device-changed")]
    assert said[:3] == ["tags", "info", "allowed without end"]
    assert said[3].startswith("tags, allowed until ")


def test_what_is_so_already_is_no_event(device, tmp_path):
    args = ("--tag", "a=1", "--info", tmp_path / "info.json", "--window",
            "none")
    device.ok("device", "set", "d:m:1", *args)
    with same_device(device, "d:m:1"):
        device.ok("device", "set", "d:m:1", *args)
        device.ok("device", "set", "d:m:1", *args[:2])
    with same_device(device, "g:gw:1"):
        device.ok("device", "set", "g:gw:1", "--tag", "")


BAD = [
    (2, (), "there is nothing to set"),
    (2, ("--tag", "a"), "--tag takes NAME=VALUE"),
    (2, ("--tag", "", "--tag", "a=1"), "give it alone"),
    (2, ("--tag", "a=1", "--tag", ""), "give it alone"),
    (2, ("--window", "0s"), "more than 0s"),
    (2, ("--window", "default"), "--window takes"),
    (2, ("--window", "1h", "--window", "2h"), "twice"),
    (2, ("--cert", "ab" * 32), "--cert is for a broker"),
    (1, ("--info", "bad.json"), "object"),
    (1, ("--info", "none.json"), "there is no file"),
    (1, ("--tag", "a=2", "--info", "bad.json"), "object"),
]


@pytest.mark.parametrize("code,args,words", BAD)
def test_refusals(device, tmp_path, code, args, words):
    args = [tmp_path / a if a.endswith(".json") else a for a in args]
    with same_device(device, "d:m:1"):
        device.fails(code, words, "device", "set", "d:m:1", *args)


def test_there_must_be_a_device(device):
    device.fails(4, "d:m:2", "device", "set", "d:m:2", "--tag", "a=1")
    device.fails(4, "d:M:1", "device", "set", "d:M:1", "--tag", "a=1")
    device.fails(4, "org", "device", "set", "d:m:1", "--tag", "a=1", "--org",
                 "nope")
    device.fails(2, "not an identity", "device", "set", "x", "--tag", "a=1")


def test_a_window_is_for_those_who_have_yet_to_come(device):
    connected(device, 3, "d:m:1")
    with same_device(device, "d:m:1"):
        device.fails(1, "has yet to connect", "device", "set", "d:m:1",
                     "--window", "1h")
        device.fails(1, "has yet to connect", "device", "set", "d:m:1",
                     "--window", "none", "--tag", "b=2")
    assert device.json("device", "set", "d:m:1", "--tag", "b=2")["tags"] == [
        {"name": "b", "value": "2"}]
