# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The certificates that a device is held to, and gateways."""
import contextlib
import hashlib
import sqlite3
import ssl

import pytest
from ctl_tools import add_devices, same_device, tell_pins

A, B, C = "a" * 64, "b" * 64, "c" * 64


def colons(fingerprint):
    return ":".join(fingerprint[i:i + 2] for i in range(0, 64, 2))


def digest_of(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read_text())).hexdigest()


def pins(ctl, identity):
    return [(p["fingerprint"], p["state"])
            for p in ctl.json("device", "show", identity)["pins"]]


@pytest.fixture
def meter(ctl):
    ctl.ok("device", "add", "d:meter:0001", "--cert", A)
    return ctl


BAD = [
    (2, (), "give --cert FILE, --cert HASH or --none"),
    (2, ("--none", "--cert", A), "not both"),
    (2, ("--none", "--none"), "given twice"),
    (2, ("--cert", A, "--cert", B, "--cert", C), "may be given 2 times"),
    (2, ("--cert", A, "--cert", A), "is given twice"),
    (2, ("--cert", A, "--cert", colons(A.upper())), "is given twice"),
    (2, ("--cert", ""), "needs a value"),
    (1, ("--cert", A[:-1]), "64 hex digits"),
    (1, ("--cert", A + "a"), "64 hex digits"),
    (1, ("--cert", "g" * 64), "64 hex digits"),
    (1, ("--cert", colons(A)[:-1]), "64 hex digits"),
    (1, ("--cert", colons(A).replace(":", "-")), "64 hex digits"),
    (1, ("--cert", ":" + colons(A)[:-1]), "64 hex digits"),
    (1, ("--cert", "/nonexistent/x.pem"), "there is no file"),
    (1, ("--cert", "/"), "is a directory"),
    (1, ("--cert", "/dev/null"), "not a regular file"),
    (1, ("--cert", B, "--cert", "/nonexistent/x.pem"), "there is no file"),
]


@pytest.mark.parametrize("code,args,words", BAD)
def test_a_refusal_changes_nothing(meter, code, args, words):
    with same_device(meter, "d:meter:0001"):
        meter.fails(code, words, "device", "pin", "d:meter:0001", *args)


@pytest.mark.parametrize("name,words", [
    ("lamp", "is the certificate of d:lamp:0001, not of d:meter:0001"),
    ("nobody", "no device can use this certificate"),
    ("factory", "no device can use this certificate"),
    ("two", "two.pem: "),
])
def test_a_certificate_must_be_the_device_s(meter, certs, name, words):
    pem = getattr(certs, name)
    with same_device(meter, "d:meter:0001"):
        meter.fails(1, words, "device", "pin", "d:meter:0001", "--cert", pem)
        meter.fails(1, words, "device", "pin", "d:meter:0001", "--cert", B,
                    "--cert", pem)
    before = meter.json("event", "list")
    meter.fails(1, words.replace("d:meter:0001", "d:meter:0002"), "device",
                "add", "d:meter:0002", "--cert", pem)
    assert meter.json("event", "list") == before
    meter.fails(4, "there is no device", "device", "show", "d:meter:0002")


def test_a_file_with_a_key_is_refused(meter, certs, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text(certs.meter.read_text() + certs.key("meter").read_text())
    with same_device(meter, "d:meter:0001"):
        meter.fails(1, "both.pem: ", "device", "pin", "d:meter:0001", "--cert",
                    both)


def test_there_must_be_a_device(ctl):
    ctl.fails(4, "there is no device", "device", "pin", "d:meter:1", "--none")
    ctl.fails(4, "there is no device", "device", "pin", "d:meter:1", "--cert",
              A)
    ctl.fails(2, "is not an identity", "device", "pin", "x", "--none")


def test_pins_are_replaced(meter):
    assert pins(meter, "d:meter:0001") == [(A, "holds")]
    it = meter.json("device", "pin", "d:meter:0001", "--cert", B, "--cert",
                    colons(C.upper()))
    assert [p["fingerprint"] for p in it["pins"]] == [B, C]
    assert it["pins"][0]["ends_at"] is None
    assert pins(meter, "d:meter:0001") == [(B, "holds"), (C, "holds")]
    assert meter.ok("device", "pin", "d:meter:0001", "--none") == (
        "the device d:meter:0001 is now held to no certificate\n")
    assert pins(meter, "d:meter:0001") == []
    events = meter.json("event", "list", "--kind", "pin-changed")
    assert [e["detail"] for e in events] == [f"{B[:16]}, {C[:16]}", "none"]
    assert {e["subject"] for e in events} == {"d:meter:0001"}


def test_what_is_so_already_is_no_event(meter):
    with same_device(meter, "d:meter:0001"):
        assert "already held to" in meter.ok(
            "device", "pin", "d:meter:0001", "--cert", A)
    meter.ok("device", "pin", "d:meter:0001", "--none")
    with same_device(meter, "d:meter:0001"):
        meter.ok("device", "pin", "d:meter:0001", "--none")


def test_of_a_file_the_fingerprint_is_kept(meter, certs):
    want = digest_of(certs.meter)
    meter.ok("device", "pin", "d:meter:0001", "--cert", certs.meter)
    assert pins(meter, "d:meter:0001") == [(want, "holds")]
    meter.ok("device", "remove", "d:meter:0001")
    it = meter.json("device", "add", "d:meter:0001", "--cert", certs.meter,
                    "--cert", B)
    assert [p["fingerprint"] for p in it["pins"]] == [want, B]


def test_the_states_of_pins(meter):
    tell_pins(meter, "d:meter:0001",
              f"{A}:-:-:-:1790000000:1790000001:s "
              f"{B}:-:-:-:1790000000:9000000000:s "
              f"{C}:-:-:-:1790000000:-:w")
    assert pins(meter, "d:meter:0001") == [
        (A, "lapsed"), (B, "holds"), (C, "waits")]
    shown = meter.ok("device", "show", "d:meter:0001")
    assert f"pin                {A} lapsed at 2026-09-21T14:13:21Z\n" in shown
    assert f"pin                {B} holds until 2255-03-14T16:00:00Z\n" in shown
    assert (f"pin                {C} waits for approval since "
            "2026-09-21T14:13:20Z\n") in shown


def test_approve_a_certificate_that_waits(meter):
    tell_pins(meter, "d:meter:0001", f"{A}:-:-:-:1790000000:-:s "
              f"{B}:-:-:-:1790000000:-:w")
    assert "approved the new certificate" in meter.ok(
        "device", "approve", "d:meter:0001")
    a, b = meter.json("device", "show", "d:meter:0001")["pins"]
    assert (a["fingerprint"], b["fingerprint"]) == (A, B)
    assert a["state"] == b["state"] == "holds"
    assert a["ends_at"] is not None and b["ends_at"] is None
    event = meter.json("event", "list")[-1]
    assert event["kind"] == "device-approved"
    assert event["detail"] == f"certificate {B[:16]}"
    with same_device(meter, "d:meter:0001"):
        meter.fails(1, "nothing to approve", "device", "approve",
                    "d:meter:0001")


def test_approve_of_nothing_but_what_was_looked_at(meter):
    tell_pins(meter, "d:meter:0001", f"{A}:-:-:-:1790000000:-:s "
              f"{B}:-:-:-:1790000000:-:w")
    for other in (A, C):
        with same_device(meter, "d:meter:0001"):
            meter.fails(5, "is not what waits", "device", "approve",
                        "d:meter:0001", "--cert", other)
    meter.ok("device", "approve", "d:meter:0001", "--cert", B)
    assert pins(meter, "d:meter:0001")[1] == (B, "holds")


def test_approve_without_an_overlap(meter):
    meter.ok("type", "set", "d:meter", "--rotate", "approve", "--overlap", "0s")
    tell_pins(meter, "d:meter:0001", f"{A}:-:-:-:1790000000:-:s "
              f"{B}:-:-:-:1790000000:-:w")
    meter.ok("device", "approve", "d:meter:0001")
    assert pins(meter, "d:meter:0001") == [(A, "lapsed"), (B, "holds")]


def test_a_pending_device_is_approved_first(meter):
    import sqlite3
    with sqlite3.connect(meter.path) as db:
        db.execute("UPDATE device SET state = 'pending'")
    tell_pins(meter, "d:meter:0001", f"{A}:-:-:-:1790000000:-:s "
              f"{B}:-:-:-:1790000000:-:w")
    assert "approved the device" in meter.ok("device", "approve",
                                             "d:meter:0001")
    assert pins(meter, "d:meter:0001") == [(A, "holds"), (B, "waits")]
    meter.ok("device", "approve", "d:meter:0001")
    assert pins(meter, "d:meter:0001") == [(A, "holds"), (B, "holds")]


def let_wait(ctl, identity, fingerprint):
    """As a broker writes a device that is first seen, and waits."""
    ctl.ok("device", "add", identity)
    with contextlib.closing(sqlite3.connect(ctl.path)) as db, db:
        db.execute("UPDATE device SET state = 'pending', fingerprint = ?1 "
                   "WHERE identity = ?2",
                   (bytes.fromhex(fingerprint), identity))


def test_a_pending_device_is_held_to_what_was_approved(ctl):
    let_wait(ctl, "d:ops:1", A)
    let_wait(ctl, "d:ops:2", A)
    for other in (B, C):
        with same_device(ctl, "d:ops:1"):
            ctl.fails(5, "is not what waits", "device", "approve", "d:ops:1",
                      "--cert", other)
    assert ctl.ok("device", "approve", "d:ops:1", "--cert", A) == (
        "approved this certificate alone of the device d:ops:1\n")
    assert pins(ctl, "d:ops:1") == [(A, "holds")]
    assert ctl.json("event", "list")[-1]["detail"] == (
        f"pending -> allowed, certificate {A[:16]}")
    assert ctl.ok("device", "approve", "d:ops:2") == (
        "approved the device d:ops:2\n")
    assert pins(ctl, "d:ops:2") == []
    assert ctl.json("event", "list")[-1]["detail"] == "pending -> allowed"


def test_of_a_file_the_key_is_kept_when_it_is_approved(ctl, certs):
    let_wait(ctl, "d:meter:0001", digest_of(certs.meter))
    it = ctl.json("device", "approve", "d:meter:0001", "--cert", certs.meter)
    assert it["state"] == "allowed"
    (pin,) = it["pins"]
    assert pin["fingerprint"] == digest_of(certs.meter)
    assert pin["not_before"] is not None and pin["ends_at"] is None


def test_a_locked_device_that_is_approved_stays_locked(ctl):
    let_wait(ctl, "d:ops:1", A)
    ctl.ok("device", "lock", "d:ops:1")
    done = ctl("device", "approve", "d:ops:1")
    assert done.returncode == 0
    assert done.stderr == ("certid: warning: the device d:ops:1 is locked all "
                           "the same: certid device unlock d:ops:1 admits it\n")
    assert ctl.json("device", "show", "d:ops:1")["locked"]


def test_certificates_that_wait_are_found(meter):
    add_devices(meter, "d:meter:0002", "g:gw:1")
    let_wait(meter, "d:ops:1", A)
    assert meter.json("device", "list", "--waiting") == []
    assert "certificates-pending" not in [
        f["kind"] for f in meter.json("status")["findings"]]
    for identity in ("d:meter:0001", "g:gw:1"):
        tell_pins(meter, identity, f"{A}:-:-:-:1790000000:-:s "
                  f"{B}:-:-:-:1790000000:-:w")

    def names(*args):
        return [d["identity"] for d in meter.json("device", "list", "--waiting",
                                                  *args)]

    assert names() == ["d:meter:0001", "g:gw:1"]
    assert names("--limit", "1") == ["d:meter:0001"]
    assert names("--after", "d:meter:0001") == ["g:gw:1"]
    assert names("--type", "g:gw") == ["g:gw:1"]
    assert names("--locked") == names("--state", "pending") == []
    status = meter.json("status")
    assert status["per_org"][0]["devices"]["waiting"] == 2
    assert [f["text"] for f in status["findings"]
            if f["kind"] == "certificates-pending"] == [
        "2 new certificates wait for approval: certid device list --waiting, "
        "then certid device approve"]
    meter.ok("device", "approve", "g:gw:1")
    assert names() == ["d:meter:0001"]
    meter.fails(2, "no value may be given", "device", "list", "--waiting=1")


def test_what_is_known_of_a_pin_is_shown(meter):
    tell_pins(meter, "d:meter:0001",
              f"{A}:-:{C}:1780000000:1790000000:-:s {B}:-:-:-:1790000000:-:w")
    shown = meter.ok("device", "show", "d:meter:0001")
    assert (f"pin                {A} holds (not before 2026-05-28T20:26:40Z, "
            f"CA {C[:16]})\n") in shown
    a, b = meter.json("device", "show", "d:meter:0001")["pins"]
    assert (a["not_before"], a["ca"]) == ("2026-05-28T20:26:40Z", C[:16])
    assert (b["not_before"], b["ca"]) == (None, None)


def test_the_first_certificate_is_called_so(ctl):
    let_wait(ctl, "d:ops:1", A)
    shown = ctl.ok("device", "show", "d:ops:1")
    assert f"first certificate  {A}\n  its ca " in shown
    assert "\nfingerprint" not in shown and "\nnot after" not in shown
    add_devices(ctl, "d:ops:2")
    shown = ctl.ok("device", "show", "d:ops:2")
    assert "first certificate  -\ntags               -\ninfo               -\n" \
        in shown


# Gateways

@pytest.fixture
def gateway(ctl):
    add_devices(ctl, "d:meter:1", "d:meter:2", "d:lamp:1", "g:gw:1", "g:gw:2")
    return ctl


BAD_ATTACH = [
    (2, ("attach", "d:meter:1"), "needs GATEWAY"),
    (2, ("attach", "d:meter:1", "x"), "is not an identity"),
    (2, ("attach", "x", "g:gw:1"), "is not an identity"),
    (2, ("attach", "d:meter:1", "g:gw:1", "g:gw:2"), "surplus argument"),
    (2, ("attach", "d:meter:1", "d:lamp:1"), "d:lamp:1 is no gateway"),
    (2, ("attach", "g:gw:2", "g:gw:1"), "only a device"),
    (2, ("attach", "g:gw:1", "g:gw:1"), "only a device"),
    (4, ("attach", "d:meter:1", "g:gw:3"), "g:gw:3 is not registered"),
    (4, ("attach", "d:meter:1", "g:GW:1"), "differs in letter case"),
    (4, ("attach", "d:meter:3", "g:gw:1"), "there is no device"),
    (4, ("detach", "d:meter:3"), "there is no device"),
    (2, ("detach", "x"), "is not an identity"),
    (2, ("list", "--gateway", "d:meter:1"), "d:meter:1 is no gateway"),
    (2, ("list", "--gateway", "x"), "is not an identity"),
]


@pytest.mark.parametrize("code,args,words", BAD_ATTACH)
def test_attach_refuses(gateway, code, args, words):
    with same_device(gateway, "d:meter:1"), same_device(gateway, "g:gw:1"):
        gateway.fails(code, words, "device", *args)


def test_attach_and_detach(gateway):
    it = gateway.json("device", "attach", "d:meter:1", "g:gw:1")
    assert it["gateway"] == "g:gw:1"
    with same_device(gateway, "d:meter:1"):
        assert "already" in gateway.ok("device", "attach", "d:meter:1",
                                       "g:gw:1")
    gateway.ok("device", "attach", "d:lamp:1", "g:gw:1")
    listed = gateway.json("device", "list", "--gateway", "g:gw:1")
    assert [d["identity"] for d in listed] == ["d:lamp:1", "d:meter:1"]
    assert [d["identity"] for d in gateway.json(
        "device", "list", "--gateway", "g:gw:1", "--type", "d:meter")] == [
            "d:meter:1"]
    assert "attached           2\n" in gateway.ok("device", "show", "g:gw:1")
    assert gateway.ok("device", "attach", "d:meter:1", "g:gw:2") == (
        "attached the device d:meter:1 to g:gw:2, no longer to g:gw:1\n")
    assert "gateway            g:gw:2\n" in gateway.ok("device", "show",
                                                  "d:meter:1")
    assert gateway.json("device", "detach", "d:meter:1")["gateway"] is None
    with same_device(gateway, "d:meter:1"):
        assert "is attached to no gateway" in gateway.ok(
            "device", "detach", "d:meter:1")
    assert [(e["kind"], e["detail"])
            for e in gateway.json("event", "list")[-4:]] == [
        ("device-attached", "g:gw:1"), ("device-attached", "g:gw:1"),
        ("device-attached", "g:gw:2"), ("device-detached", None)]


def test_a_gateway_that_is_removed_has_no_devices(gateway):
    gateway.ok("device", "attach", "d:meter:1", "g:gw:1")
    gateway.ok("device", "remove", "g:gw:1")
    assert gateway.json("device", "show", "d:meter:1")["gateway"] is None


def test_at_most_500_devices_of_a_gateway(gateway):
    import sqlite3
    with sqlite3.connect(gateway.path) as db:
        db.executemany(
            "INSERT INTO device (org, identity, state, locked, created_at, "
            "window_ends_at, seen_with, gateway) VALUES ('default', ?, "
            "'allowed', 0, 1790000000, 9000000000, 0, 'g:gw:1')",
            [(f"d:probe:{i}",) for i in range(500)])
    with same_device(gateway, "d:meter:1"):
        gateway.fails(1, "500", "device", "attach", "d:meter:1", "g:gw:1")
    gateway.ok("device", "detach", "d:probe:7")
    gateway.ok("device", "attach", "d:meter:1", "g:gw:1")
