# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Rules with their figures, previews, and compliance."""
import contextlib
import hashlib

import pytest
from ctl_tools import add_devices, connected, unchanged

TLS, CERT, TOKEN = 1, 2, 4


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    from ctl_tools import Ctl
    it = Ctl(tmp_path_factory.mktemp("fleet") / "registry.db")
    it.ok("init")
    connected(it, TLS | CERT, "d:meter:1", "d:meter:2", "d:meter:3")
    connected(it, TLS | TOKEN, "d:meter:4")
    connected(it, TLS | CERT | TOKEN, "d:meter:5")
    add_devices(it, "d:meter:6", "d:meter:7")
    connected(it, TOKEN, "d:lamp:1")
    connected(it, TLS | CERT, "d:lamp:2", "g:gw:1")
    it.ok("rule", "set", "d:lamp", "tls-optional")
    return it


@contextlib.contextmanager
def untouched_file(ctl):
    def digests():
        return [hashlib.sha256(p.read_bytes()).hexdigest()
                for p in (ctl.path, ctl.path.with_name("registry.db-wal"))
                if p.exists()]
    before = digests(), ctl.json("rule", "list"), ctl.json("event", "list")
    yield
    assert (digests(), ctl.json("rule", "list"),
            ctl.json("event", "list")) == before


def line(rule, level, devices, seen, compliant, share):
    return {"rule": rule, "level": level, "devices": devices,
            "connected": seen, "never_connected": devices - seen,
            "compliant": compliant, "compliance": share}


def test_rule_list(fleet):
    assert fleet.json("rule", "list") == [
        line("default", "cert", 8, 6, 5, 83.3),
        line("d:lamp", "tls-optional", 2, 2, 2, 100.0)]


def test_rule_list_for_people(fleet):
    assert fleet.ok("rule", "list") == (
        "RULE     LEVEL         DEVICES  NEVER CONNECTED  CONNECTED  "
        "COMPLIANT  COMPLIANCE\n"
        "default  cert                8                2          6  "
        "        5       83.3%\n"
        "d:lamp   tls-optional        2                0          2  "
        "        2      100.0%\n")


def test_a_rule_of_nobody_has_no_compliance(ctl):
    assert ctl.json("rule", "list") == [line("default", "cert", 0, 0, 0, None)]
    ctl.ok("device", "add", "d:meter:1")
    assert ctl.json("rule", "list") == [line("default", "cert", 1, 0, 0, None)]


def test_nearly_all_is_not_all(ctl):
    connected(ctl, TLS | CERT, *(f"d:m:{i}" for i in range(3)))
    connected(ctl, TLS, "d:m:9")
    assert ctl.json("rule", "list")[0]["compliance"] == 75.0
    connected(ctl, TLS | TOKEN, "d:m:0", "d:m:1", "d:m:9")
    assert ctl.json("rule", "list")[0]["compliance"] == 25.0


def test_set_and_unset_tell_what_holds_then(ctl):
    connected(ctl, TLS | CERT, "d:meter:1")
    ctl.ok("rule", "set", "default", "tls-optional")
    assert ctl.json("rule", "set", "d:meter", "token") == line(
        "d:meter", "token", 1, 1, 0, 0.0)
    assert ctl.json("rule", "unset", "d:meter") == line(
        "default", "tls-optional", 1, 1, 1, 100.0)


def test_set_and_unset_warn_of_whom_they_shut_out(ctl):
    connected(ctl, TLS | CERT, "d:meter:1", "d:meter:2")
    connected(ctl, TLS | TOKEN, "d:meter:3")
    add_devices(ctl, "d:meter:4")

    def said(*args):
        done = ctl("rule", *args)
        assert done.returncode == 0
        return done.stderr

    assert said("set", "d:meter", "cert-or-token") == ""
    assert said("set", "d:meter", "token") == (
        "certid: warning: 2 devices last connected in a way that token does "
        "not admit: certid compliance d:meter lists them\n")
    assert said("unset", "d:meter") == (
        "certid: warning: 1 device last connected in a way that cert does "
        "not admit: certid compliance lists it\n")
    assert "3 devices last" in said("set", "default", "tls-optional") + said(
        "set", "default", "cert+token")
    assert said("set", "default", "cert-or-token", "--json") == ""


def test_preview_of_unset(fleet):
    with untouched_file(fleet):
        it = fleet.json("rule", "unset", "d:lamp", "--preview")
    assert (it["level_now"], it["level_then"]) == ("tls-optional", "cert")
    assert [d["identity"] for d in it["locked_out_devices"]] == ["d:lamp:1"]
    assert (it["compliant_now"], it["compliant_then"]) == (2, 1)


@pytest.mark.parametrize("level,words", [
    ("token", 0), ("cert+token", 0), ("cert-or-token", 1)])
def test_no_level_is_for_later(ctl, level, words):
    done = ctl("rule", "set", "default", level)
    assert done.returncode == 0 and done.stderr == ""
    assert "token" not in " ".join(ctl.json("status")["warnings"])


BAD = [
    (2, ("rule", "set", "default", "high", "--preview"), "is not a level"),
    (2, ("rule", "set", "x", "cert", "--preview"), "is not a device type"),
    (2, ("rule", "set", "default", "--preview"), "needs LEVEL"),
    (2, ("rule", "set", "default", "cert", "--preview=yes"),
     "no value may be given"),
    (4, ("rule", "unset", "d:meter", "--preview"), "has no rule"),
    (4, ("rule", "unset", "d:nix", "--preview"), "has no rule"),
    (2, ("rule", "unset", "default", "--preview"), "can be set, but not unset"),
    (2, ("rule", "unset", "x", "--preview"), "is not a device type"),
    (4, ("--org", "x", "rule", "unset", "d:lamp", "--preview"),
     "there is no org"),
    (4, ("--org", "x", "rule", "set", "default", "cert", "--preview"),
     "there is no org"),
    (2, ("compliance", "x"), "is not a device type"),
    (2, ("compliance", "default"), "is not a device type"),
    (2, ("compliance", "d:meter", "d:lamp"), "surplus argument"),
    (2, ("compliance", "--limit", "0"), "--limit takes a number from 1"),
    (2, ("compliance", "--limit", "10001"), "--limit takes"),
    (2, ("compliance", "--limit", "x"), "--limit takes"),
    (2, ("compliance", "--after", "d:meter"), "is not an identity"),
    (4, ("compliance", "d:nothing"), "nothing is known of the type d:nothing"),
    (4, ("--org", "x", "compliance"), "there is no org"),
]


@pytest.mark.parametrize("code,args,words", BAD)
def test_refusals_change_nothing(fleet, code, args, words):
    with untouched_file(fleet):
        fleet.fails(code, words, *args)


def preview(ctl, who, level):
    it = ctl.json("rule", "set", who, level, "--preview")
    assert set(it) == set(
        "rule level_now level_then devices connected never_connected "
        "compliant_now compliant_then locked_out locked_out_devices".split())
    assert (it["rule"], it["level_then"]) == (who, level)
    return it


PREVIEWS = [
    # who, level: devices, compliant now and then, who would be locked out
    ("default", "cert", 8, 5, 5, []),
    ("default", "cert+token", 8, 5, 1,
     ["d:meter:1", "d:meter:2", "d:meter:3", "g:gw:1"]),
    ("default", "token", 8, 5, 2,
     ["d:meter:1", "d:meter:2", "d:meter:3", "g:gw:1"]),
    ("default", "cert-or-token", 8, 5, 6, []),
    ("d:meter", "token", 7, 4, 2, ["d:meter:1", "d:meter:2", "d:meter:3"]),
    ("d:lamp", "cert", 2, 2, 1, ["d:lamp:1"]),
    ("d:lamp", "cert+token", 2, 2, 0, ["d:lamp:1", "d:lamp:2"]),
    ("d:nobody", "cert+token", 0, 0, 0, []),
]


@pytest.mark.parametrize("who,level,devices,now,then,out", PREVIEWS)
def test_preview(fleet, who, level, devices, now, then, out):
    with untouched_file(fleet), unchanged(fleet):
        it = preview(fleet, who, level)
    assert it["devices"] == devices
    assert (it["compliant_now"], it["compliant_then"]) == (now, then)
    assert it["locked_out"] == len(out)
    assert [d["identity"] for d in it["locked_out_devices"]] == out


def test_preview_tells_what_is_missing(fleet):
    one, two = preview(fleet, "d:lamp", "cert+token")["locked_out_devices"]
    assert one == {"identity": "d:lamp:1", "seen_with": ["token"],
                   "missing": ["tls", "certificate"],
                   "last_seen_at": "2026-09-21T14:13:20Z"}
    assert (two["seen_with"], two["missing"]) == (["tls", "certificate"],
                                                  ["token"])


def test_preview_for_people(fleet):
    done = fleet("rule", "set", "d:lamp", "cert", "--preview")
    assert done.returncode == 0
    assert done.stdout == (
        "rule             d:lamp\n"
        "level            tls-optional -> cert\n"
        "devices          2\n"
        "never connected  0\n"
        "compliant now    2 (100.0%)\n"
        "compliant then   1 (50.0%)\n"
        "locked out       1\n"
        "\n"
        "LOCKED OUT  SEEN WITH  MISSING                LAST SEEN\n"
        "d:lamp:1    token      TLS and a certificate  "
        "2026-09-21T14:13:20Z\n")
    assert done.stderr == "certid: nothing was changed\n"


def test_preview_of_many(ctl):
    add_devices(ctl, "d:m:x")
    import sqlite3
    with sqlite3.connect(ctl.path) as db:
        db.executemany(
            "INSERT INTO device (org, identity, state, locked, created_at, "
            "provisioned_at, window_ends_at, seen_with) VALUES ('default', ?, "
            "'provisioned', 0, 1790000000, 1790000000, 9000000000, ?)",
            [(f"d:m:{i:04}", 3) for i in range(1200)] +
            [(f"d:n:{i:04}", 7) for i in range(50)])
    shown = ctl.ok("rule", "set", "default", "token", "--preview")
    assert "locked out       1200\n" in shown
    assert "d:m:0019" in shown and "d:m:0020" not in shown
    assert shown.endswith("\nand 1180 more\n")
    it = preview(ctl, "default", "token")
    assert it["locked_out"] == 1200
    assert [d["identity"] for d in it["locked_out_devices"]] == [
        f"d:m:{i:04}" for i in range(1000)]


def violators(ctl, *args):
    it = ctl.json("compliance", *args)
    assert set(it) == {"rules", "violators_count", "violators", "more"}
    return [v["identity"] for v in it["violators"]], it["violators_count"]


def test_compliance(fleet):
    it = fleet.json("compliance")
    assert it["rules"] == fleet.json("rule", "list")
    assert it["violators"] == [
        {"identity": "d:meter:4", "level": "cert", "missing": ["certificate"],
         "seen_with": ["tls", "token"],
         "last_seen_at": "2026-09-21T14:13:20Z"}]
    assert (it["violators_count"], it["more"]) == (1, False)
    assert violators(fleet, "d:lamp") == ([], 0)
    assert violators(fleet, "d:meter") == (["d:meter:4"], 1)
    assert fleet.json("compliance", "d:meter")["rules"] == [
        line("default", "cert", 7, 5, 4, 80.0)]
    assert fleet.json("compliance", "d:lamp")["rules"] == [
        line("d:lamp", "tls-optional", 2, 2, 2, 100.0)]


def test_compliance_for_people(fleet):
    assert fleet.ok("compliance").split("\n\n")[1] == (
        "IDENTITY   LEVEL  SEEN WITH   MISSING        LAST SEEN\n"
        "d:meter:4  cert   TLS, token  a certificate  2026-09-21T14:13:20Z\n")
    assert fleet.ok("compliance", "d:lamp").split("\n\n")[1] == (
        "no device connected last in a way that its rule does not admit\n")


def test_compliance_in_pages(ctl):
    """Every page is what is left, whatever ways the devices connected in."""
    names = []
    for i in range(30):
        name = f"d:{'ab'[i % 2]}:{i:02}"
        names.append(name)
        connected(ctl, [1, 4, 5, 2, 6][i % 5], name)
    connected(ctl, TLS | CERT, "d:a:fine", "d:c:fine")
    add_devices(ctl, "d:a:never")
    names.sort()
    found, after = [], ()
    while True:
        done = ctl("compliance", "--limit", "7", *after)
        page = violators(ctl, "--limit", "7", *after)
        assert page[1] == 30
        found += page[0]
        if not ctl.json("compliance", "--limit", "7", *after)["more"]:
            assert done.stderr == ""
            break
        assert f"repeat with --after {page[0][-1]}\n" in done.stderr
        after = ("--after", page[0][-1])
    assert found == names
    assert violators(ctl, "--after", "d:b:99")[0] == []
    assert violators(ctl, "d:b", "--limit", "2")[0] == ["d:b:01", "d:b:03"]


def test_a_page_that_ends_just_so(ctl):
    connected(ctl, TLS | TOKEN, "d:m:1", "d:m:2", "d:m:3")
    for limit, more in (("2", True), ("3", False), ("4", False)):
        assert ctl.json("compliance", "--limit", limit)["more"] is more
    connected(ctl, TLS | TOKEN, "d:n:1")
    assert ctl.json("compliance", "--limit", "3")["more"] is True


def test_status_tells_of_what_waits(fleet):
    findings = {f["kind"]: f["text"] for f in fleet.json("status")["findings"]}
    assert "1 device does not meet its rule: certid compliance" in findings[
        "rule-unmet"]
    assert "devices-pending" not in findings
    import sqlite3
    with sqlite3.connect(fleet.path) as db:
        db.execute("UPDATE device SET state = 'pending' "
                   "WHERE identity IN ('d:meter:6', 'd:meter:7')")
    findings = {f["kind"]: f["text"] for f in fleet.json("status")["findings"]}
    assert ("2 devices wait for approval: certid device list --state pending"
            in findings["devices-pending"])


def test_locked_devices_are_counted(ctl):
    add_devices(ctl, "d:a:1", "d:a:2", "d:b:1")
    ctl.ok("device", "lock", "d:a:2")
    ctl.ok("device", "lock", "d:b:1")
    assert ctl.json("status")["per_org"][0]["devices"]["locked"] == 2
    listed = ctl.json("device", "list", "--locked")
    assert [d["identity"] for d in listed] == ["d:a:2", "d:b:1"]
    assert [d["identity"] for d in ctl.json(
        "device", "list", "--locked", "--type", "d:a")] == ["d:a:2"]
    assert ctl.json("device", "list", "--locked", "--state", "pending") == []
