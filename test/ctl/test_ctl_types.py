# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What limits the devices of a type, an org, a CA."""
import pytest
from ctl_tools import add_devices, connected, unchanged


@pytest.fixture
def types(ctl):
    ctl.ok("type", "set", "d:meter", "--pin", "first", "--rotate", "same-ca",
           "--overlap", "48h", "--max-devices", "10", "--address",
           "10.0.0.0/8", "--address", "2001:db8::/32")
    ctl.ok("type", "set", "g:gw", "--privileged", "yes")
    return ctl


def said(ctl):
    return (ctl.json("type", "list"), ctl.json("set"), ctl.json("ca", "list"),
            ctl.json("event", "list"))


BAD = [
    (("d:meter", "--pin", "always"), "--pin takes none, first or listed"),
    (("d:meter", "--pin", "default"), "--pin takes"),
    (("d:meter", "--pin", ""), "needs a value"),
    (("d:meter", "--pin", "first", "--pin", "first"), "given twice"),
    (("d:meter", "--rotate", "never"), "--rotate takes none, same-key"),
    (("d:meter", "--rotate", "same key"), "--rotate takes"),
    (("d:meter", "--overlap", "7"), "--overlap takes a time"),
    (("d:meter", "--overlap", "none"), "--overlap takes a time"),
    (("d:meter", "--overlap", "-1s"), "--overlap takes a time"),
    (("d:meter", "--max-devices", "0"), "takes a number from 1 to 1000000000"),
    (("d:meter", "--max-devices", "-1"), "--max-devices takes"),
    (("d:meter", "--max-devices", "1000000001"), "--max-devices takes"),
    (("d:meter", "--max-devices", "many"), "--max-devices takes"),
    (("d:meter", "--max-devices", "1e3"), "--max-devices takes"),
    (("d:meter", "--address", "10.0.0.1/8"), "write 10.0.0.0/8"),
    (("d:meter", "--address", "10.0.0.0/33"), "--address: "),
    (("d:meter", "--address", "::1/129"), "--address: "),
    (("d:meter", "--address", "10.0.0"), "--address: "),
    (("d:meter", "--address", "010.0.0.1"), "--address: "),
    (("d:meter", "--address", "fe80::1%eth0"), "--address: "),
    (("d:meter", "--address", "example.com"), "--address: "),
    (("d:meter", "--address", "10.0.0.0/8", "--address", "x"), "--address: "),
    (("d:meter", "--address", "10.0.0.0/8", "--address", ""), "give it alone"),
    (("d:meter", "--address", "", "--address", "::1"), "give it alone"),
    (("d:meter", "--address", "10.0.0.7", "--address", "10.0.0.7"), "twice"),
    (("d:meter", *[x for i in range(65)
                   for x in ("--address", f"10.0.0.{i}")]), "64 times"),
    (("d:meter", "--privileged", "yes"), "--privileged is about gateways"),
    (("d:meter", "--privileged", "no"), "--privileged is about gateways"),
    (("g:gw", "--privileged", "maybe"), "--privileged takes yes or no"),
    (("g:gw", "--privileged", ""), "needs a value"),
]


@pytest.mark.parametrize("args,words", BAD)
def test_a_refusal_changes_nothing(types, args, words):
    before = said(types)
    types.fails(2, words, "type", "set", *args)
    assert said(types) == before


def test_show(types):
    it = types.json("type", "show", "d:meter")
    assert {k: it[k] for k in ("pin", "rotate", "overlap", "max_devices",
                               "address", "privileged")} == {
        "pin": "first", "rotate": "same-ca", "overlap": "48h",
        "max_devices": 10, "address": ["10.0.0.0/8", "2001:db8::/32"],
        "privileged": False}
    shown = types.ok("type", "show", "d:meter")
    for line in ("pin          first", "rotate       same-ca",
                 "overlap      48h", "max devices  10",
                 "address      10.0.0.0/8, 2001:db8::/32"):
        assert f"\n{line}\n" in shown
    assert "privileged" not in shown
    assert "\nprivileged   yes\n" in types.ok("type", "show", "g:gw")


def test_list(types):
    head, gw, *rest = types.ok("type", "list").splitlines()[0], *[
        r.split() for r in types.ok("type", "list").splitlines()[1:]]
    assert head.split() == ["TYPE", "DECLARED", "ENROL", "PIN", "RULE",
                            "LEVEL", "DEVICES", "MAX"]
    rows = {r[0]: r for r in [gw, *rest]}
    assert rows["d:meter"][3] == "first" and rows["d:meter"][7] == "10"
    assert rows["g:gw"][3] == "none" and rows["g:gw"][7] == "-"


def test_what_is_not_given_stays(types):
    before = types.json("type", "show", "d:meter")
    assert types.json("type", "set", "d:meter", "--enrol", "approve") == {
        **before, "enrol": "approve"}
    it = types.json("type", "set", "d:meter", "--address", "")
    assert it["address"] == [] and it["pin"] == "first"
    it = types.json("type", "set", "d:meter", "--max-devices", "none",
                    "--overlap", "default", "--rotate", "none", "--pin", "none")
    assert it["max_devices"] is None and it["overlap"] == "7d"
    types.ok("type", "unset", "d:meter")
    types.fails(4, "nothing is known", "type", "show", "d:meter")


CAUTIONS = [
    (("--rotate", "same-ca"), "with --pin none only those devices of d:x"),
    (("--overlap", "1d"), "an overlap counts only where"),
    (("--overlap", "0s"), "an overlap counts only where"),
    (("--pin", "listed"), "is refused until its certificate is listed"),
    (("--pin", "listed", "--enrol", "listed"), None),
    (("--pin", "first"), None),
    (("--pin", "first", "--rotate", "approve", "--overlap", "0s"), None),
    (("--max-devices", "2"), None),
    (("--max-devices", "1"), "there are 2 devices of d:x already"),
]


@pytest.mark.parametrize("args,words", CAUTIONS)
def test_cautions(ctl, args, words):
    add_devices(ctl, "d:x:1", "d:x:2")
    done = ctl("type", "set", "d:x", *args)
    assert done.returncode == 0
    if words is None:
        assert done.stderr == ""
    else:
        assert done.stderr.startswith("certid: warning: ")
        assert words in done.stderr and done.stderr.count("\n") == 1


def test_events_tell_of_the_limits(types):
    detail = [e["detail"] for e in types.json(
        "event", "list", "--kind", "type-changed")]
    assert detail == [
        "declared, pin none -> first, rotate none -> same-ca, overlap default "
        "-> 48h, max-devices none -> 10, address any -> "
        '["10.0.0.0/8","2001:db8::/32"]',
        "declared, privileged no -> yes"]


def test_events_tell_what_changed(types):
    before = len(said(types)[3])
    types.ok("type", "set", "d:meter", "--pin", "none", "--id-length", "4")
    types.ok("type", "set", "d:meter", "--address", "", "--window", "none")
    types.ok("type", "set", "d:meter", "--max-devices", "none")
    assert [e["detail"] for e in said(types)[3][before:]] == [
        "id-length any -> 4, pin first -> none",
        'window default -> none, address ["10.0.0.0/8","2001:db8::/32"] -> any',
        "max-devices 10 -> none"]
    with unchanged(types):
        types.ok("type", "set", "d:meter", "--id-length", "4")
        types.fails(2, "there is nothing to set", "type", "set", "d:meter")
    assert types.ok("type", "set", "d:new") == "set the type d:new\n"
    assert said(types)[3][-1]["detail"] == "declared"


MISFITS = [
    (("--id-length", "4"), ["2 devices of d:x that have yet to connect do not",
                            "1 provisioned device of d:x does not"]),
    (("--id-length", "2"), ["1 device of d:x that has yet to connect does not"]),
    (("--id-format", "decimal"), ["1 device of d:x that has yet"]),
    (("--id-prefix", "1"), ["1 device of d:x that has yet"]),
    (("--id-format", "any"), []),
    (("--enrol", "listed"), []),
]


@pytest.mark.parametrize("args,words", MISFITS)
def test_devices_that_do_not_fit_the_format(ctl, args, words):
    add_devices(ctl, "d:x:11", "d:x:abc", "d:y:abcde")
    connected(ctl, 3, "d:x:12")
    done = ctl("type", "set", "d:x", *args)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert len(lines) == len(words)
    for line, want in zip(lines, words):
        assert line.startswith("certid: warning: " + want)


def test_that_a_thousand_devices_are_looked_at(ctl, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("ID\n" + "".join(f"d:x:{n}\n" for n in range(1, 1500)))
    ctl.ok("import", path)
    assert "at least 1000 devices of d:x " in ctl(
        "type", "set", "d:x", "--id-length", "8").stderr


def test_an_undeclared_type_takes_no_device(ctl):
    ctl.ok("set", "types", "declared")
    with unchanged(ctl):
        ctl.fails(1, "the type g:new is not declared: certid type set g:new",
                  "device", "add", "g:new:2")
    ctl.ok("type", "set", "g:new")
    add_devices(ctl, "g:new:2")
    ctl.ok("set", "types", "open")
    add_devices(ctl, "d:other:1")


def test_a_listed_type_wants_a_certificate(ctl):
    ctl.ok("type", "set", "d:tag", "--pin", "listed")
    done = ctl("device", "add", "d:tag:1")
    assert done.returncode == 0 and "device pin" in done.stderr
    done = ctl("device", "add", "d:tag:2", "--cert", "ab" * 32)
    assert done.returncode == 0 and done.stderr == ""


WIDE = [  # rule, and whether it is warned of as publishing, as reading
    (("all", "both", "#"), True, True),
    (("all", "subscribe", "d/#"), False, True),
    (("all", "subscribe", "+/meter/#"), False, True),
    (("d", "subscribe", "d/meter/+/state"), False, True),
    (("g", "publish", "{class}/{type}/x"), True, False),
    (("all", "publish", "broadcast/x"), True, False),
    (("all", "subscribe", "broadcast/#"), False, False),
    (("all", "subscribe", "d/meter"), False, False),
    (("all", "subscribe", "d/meter/x/#"), False, True),
    (("all", "subscribe", "$SYS/broker/version"), False, False),
    (("all", "both", "x/{id}/#"), False, False),
    (("d:ops", "both", "#"), False, False),
]


@pytest.mark.parametrize("rule,publish,read", WIDE)
def test_topics_for_all(ctl, rule, publish, read):
    done = ctl("topic", "add", *rule)
    assert done.returncode == 0
    assert ("may publish the same topics" in done.stderr) == publish
    assert ("may read what the others publish" in done.stderr) == read
    assert done.stderr.count("\n") == publish + read


def test_a_full_type_takes_no_more(ctl):
    ctl.ok("type", "set", "d:meter", "--max-devices", "1")
    ctl.ok("device", "add", "d:meter:1")
    with unchanged(ctl):
        ctl.fails(1, "max-devices", "device", "add", "d:meter:2")
    ctl.ok("device", "add", "d:lamp:1")
    ctl.ok("set", "max-devices", "2")
    with unchanged(ctl):
        ctl.fails(1, "max-devices", "device", "add", "d:lamp:2")
    ctl.ok("set", "max-devices", "none")
    ctl.ok("device", "add", "d:lamp:2")


BAD_SETTINGS = [
    ("max-devices", "0"), ("max-devices", "+1"), ("max-devices", "01"),
    ("max-devices", "1000000001"), ("max-devices", ""), ("max-devices", "x"),
    ("event-days", "0"), ("event-days", "36501"), ("event-days", "none"),
    ("event-days", "7d"), ("event-days", ""), ("clone-action", "refuse"),
    ("clone-action", ""), ("clone-action", "event lock"),
]


@pytest.mark.parametrize("key,value", BAD_SETTINGS)
def test_settings_that_are_refused(untouched, key, value):
    before = said(untouched)
    untouched.fails(2, f"{key} takes ", "set", key, value)
    assert said(untouched) == before


def test_settings(ctl):
    add_devices(ctl, "d:x:1", "d:x:2")
    listed = {s["key"]: s["value"] for s in ctl.json("set")}
    assert (listed["max-devices"], listed["clone-action"],
            listed["event-days"]) == ("none", "event", "90")
    for key, value in (("max-devices", "2"), ("event-days", "36500"),
                       ("clone-action", "lock"), ("max-devices", "none")):
        done = ctl("set", key, value)
        assert done.returncode == 0 and done.stderr == ""
        assert {"key": key, "value": value} in ctl.json("set")
    assert "there are 2 devices in the org default already" in ctl(
        "set", "max-devices", "1").stderr


@pytest.mark.parametrize("rate", ["0", "-1", "1000001", "x", "1/s", ""])
def test_rates_that_are_refused(ctl, certs, rate):
    ctl.ok("ca", "add", certs.factory, "--name", "factory")
    before = said(ctl)
    ctl.fails(2, "rate", "ca", "set", "factory", "--rate", rate)
    assert said(ctl) == before


def test_rate(ctl, certs):
    ctl.ok("ca", "add", certs.factory, "--name", "factory")
    assert ctl.json("ca", "show", "factory")["rate"] is None
    assert ctl.json("ca", "set", "factory", "--rate", "60")["rate"] == 60
    assert "60 new identities a minute" in ctl.ok("ca", "show", "factory")
    assert ctl.json("event", "list")[-1]["detail"] == "rate none -> 60"
    with unchanged(ctl):
        ctl.ok("ca", "set", "factory", "--rate", "60")
    assert ctl.json("ca", "set", "factory", "--rate", "none")["rate"] is None
