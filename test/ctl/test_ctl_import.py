# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Devices from CSV and back: import, export."""
import base64
import contextlib
import csv
import hashlib
import io
import json
import os
import pty
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from ctl_tools import CERTID, TIME, Ctl

HEADER = ["ID", "TLS Client Certificate", "Tags", "Type", "Class", "Window",
          "Info", "State", "Locked", "Gateway", "Record"]
PRINT = "ab" * 32


def write(path, *rows, header=HEADER):
    """Rows as dicts, by column; what a row does not name is empty."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, header, restval="", lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return path


def pem(path):
    """The PEM block of a file, without the text around it."""
    text = path.read_text()
    return text[text.index("-----BEGIN"):]


def der(path):
    body = pem(path).split("-----")[2]
    return base64.b64decode(body)


def fingerprint(path):
    return hashlib.sha256(der(path)).hexdigest()


def devices(ctl):
    return ctl.json("device", "list", "--limit", "100000")


def events(ctl):
    return ctl.json("event", "list", "--limit", "1000")


@contextlib.contextmanager
def nothing_changes(ctl):
    before = devices(ctl), events(ctl)
    yield
    assert (devices(ctl), events(ctl)) == before


def bad_rows(done):
    """line -> sentence, as stderr tells them."""
    found = {}
    for line in done.stderr.splitlines():
        assert line.startswith("certid: ")
        parts = line.split(":", 3)
        if parts[2].strip().isdigit():
            assert int(parts[2]) not in found
            found[int(parts[2])] = parts[3].strip()
    return found


def refuse_rows(ctl, path, *args, more=()):
    """Every row of the file is bad; what is said of each, by line."""
    with nothing_changes(ctl):
        done = ctl("import", path, *args, *more)
        assert done.returncode == 1 and done.stdout == "", done.stderr
        assert "nothing was imported" in done.stderr.splitlines()[-1]
    return bad_rows(done)


def row(**cells):
    named = {name.split()[-1].lower() if " " in name else name.lower(): name
             for name in HEADER}
    return {named[key]: value for key, value in cells.items()}


GOOD = [
    (row(id="d:meter:0001"), {}),
    (row(id="0002", type="meter"), {"identity": "d:meter:0002"}),
    (row(id="0003", type="meter", **{"class": "d"}), {}),
    (row(id="0004", type="d:meter"), {}),
    (row(id="0005", type="g:hub", **{"class": "g"}),
     {"identity": "g:hub:0005", "class": "g"}),
    (row(id="0006", type="hub", **{"class": "g"}), {"identity": "g:hub:0006"}),
    (row(id="d:meter:0007", type="meter"), {"id": "0007"}),
    (row(id="  d:meter:0008 "), {"identity": "d:meter:0008"}),
    (row(id="'-9", type="meter"), {"id": "-9"}),
    (row(id="-10", type="meter"), {"id": "-10"}),
    (row(id="d:m:11", window="none"), {"window_ends_at": None}),
    (row(id="d:m:12", window="2099-01-02T03:04:05Z"),
     {"window_ends_at": "2099-01-02T03:04:05Z"}),
    (row(id="d:m:13", tags='[{"name":"site","value":"s\u00fcd"}]'),
     {"tags": [{"name": "site", "value": "s\u00fcd"}]}),
    (row(id="d:m:14", tags='[ { "value" : "a, \\"b\\"" ,\n "name":"x"} ]'),
     {"tags": [{"value": 'a, "b"', "name": "x"}]}),
    (row(id="d:m:15", tags="[]", info="{}"), {"tags": [], "info": {}}),
    (row(id="d:m:16", info='{"model":"\U0001f525","deep":{"a":[1,2.50]}}'),
     {"info": {"model": "\U0001f525", "deep": {"a": [1, 2.5]}}}),
    (row(id="d:m:17", state="allowed", locked="yes"), {"locked": True}),
    (row(id="d:m:18", state="pending", locked="no"), {"state": "pending"}),
    (row(id="d:m:19", state="provisioned"), {"state": "provisioned"}),
    (row(id="d:m:20", gateway="g:hub:0005"), {"gateway": "g:hub:0005"}),
    (row(id="d:m:21", state="provisioned", record=json.dumps(
        {"created_at": "2020-01-01T00:00:00Z", "last_address": "10.0.0.7",
         "provisioned_at": "2020-01-02T00:00:00Z", "serial": "0x1a"})),
     {"created_at": "2020-01-01T00:00:00Z", "serial": "0x1a",
      "provisioned_at": "2020-01-02T00:00:00Z", "last_address": "10.0.0.7"}),
    (row(id="d:m:22", state="allowed", window="2020-01-01T00:00:00Z"),
     {"window_ends_at": "2020-01-01T00:00:00Z"}),
    (row(id="d:m:23", certificate=PRINT.upper()), {}),
    (row(id="d:m:24", certificate=":".join([PRINT[:2]] * 32)), {}),
]


def test_rows_are_taken(ctl, tmp_path):
    path = write(tmp_path / "a.csv", *(cells for cells, _ in GOOD))
    before = len(events(ctl))
    assert ctl.ok("import", path) == f"imported {len(GOOD)} devices\n"
    known = {d["identity"]: d for d in devices(ctl)}
    assert len(known) == len(GOOD)
    for (cells, want), _ in zip(GOOD, known):
        name = want.get("identity")
        if name is None and cells["ID"].strip().startswith("d:"):
            name = cells["ID"].strip()
        device = known.get(name)
        if device is None:
            device = next(d for d in known.values()
                          if d["id"] == cells["ID"].strip("' "))
        for key, value in want.items():
            assert device[key] == value, (cells, key)
    (event,) = events(ctl)[before:]
    assert event["kind"] == "import" and event["actor"] == "operator"
    assert f"{len(GOOD)} devices from " in event["detail"]
    assert "0 bad rows" in event["detail"]


BAD = [
    (row(id=""), "there is no ID"),
    (row(id="0001"), "has no type"),
    (row(id="0001", **{"class": "d"}), "no type in the column Type"),
    (row(id="0001", type="meter", **{"class": "x"}), "neither d nor g"),
    (row(id="0001", type="meter", **{"class": "dg"}), "neither d nor g"),
    (row(id="0001", type="d:meter", **{"class": "g"}), "not of the class g"),
    (row(id="0001", type="m/r"), "is not a type"),
    (row(id="0001", type="m" * 37), "is not a type"),
    (row(id="0001", type="x:meter"), "is not a type"),
    (row(id="0001", type="d:meter:1"), "is not a type"),
    (row(id="d:meter:0001", type="lamp"), "said to be d:lamp"),
    (row(id="d:meter:0001", type="meter", **{"class": "g"}), "g:meter"),
    (row(id="d:meter:"), "is not an identity"),
    (row(id="d:me/er:1"), "is not an identity"),
    (row(id="d:meter:a:b"), "may hold a ':' only"),
    (row(id="a b", type="meter"), "is none"),
    (row(id="a\nb", type="meter"), "is none"),
    (row(id="x" * 65, type="meter"), "longer than 64 bytes"),
    (row(id="s\u00fcd", type="meter"), "is none"),
    (row(id="12", type="dec"), "does not follow the format"),
    (row(id="d:dec:abcd"), "does not follow the format"),
    (row(id="d:m:1", window="48"), "neither a span"),
    (row(id="d:m:1", window="0s"), "lets nobody in"),
    (row(id="d:m:1", window="forever"), "neither a span"),
    (row(id="d:m:1", window="-48h"), "neither a span"),
    (row(id="d:m:1", window="2020-01-01T00:00:00Z"),
     "the column Window: the window ended"),
    (row(id="d:m:1", window="2026-13-01"), "neither a span"),
    (row(id="d:m:1", tags="x"), "tags: "),
    (row(id="d:m:1", tags="{}"), "tags: the JSON text must be an array"),
    (row(id="d:m:1", tags='["site"]'), "tags: element 1"),
    (row(id="d:m:1", tags='[],"a":[]'), "tags: the JSON text is not valid"),
    (row(id="d:m:1", tags="[" + "[]," * 20000 + "[]]"), "tags: "),
    (row(id="d:m:1", tags="1"), "tags: the JSON text must be an array"),
    (row(id="d:m:1", tags='[{"name":"a"}]'), "tags: element 1"),
    (row(id="d:m:1", tags='[{"name":"a","value":1}]'), "tags: element 1"),
    (row(id="d:m:1", tags='[{"name":"","value":"1"}]'), "tags: element 1"),
    (row(id="d:m:1", tags='[{"name":"a","value":"b","x":"c"}]'), "element 1"),
    (row(id="d:m:1", tags='[{"name":"a","value":"\\u001b"}]'), "element 1"),
    (row(id="d:m:1", tags='[{"name":"a","value":"b"},{}]'), "element 2"),
    (row(id="d:m:1", tags='[{"name":"a","name":"b","value":"c"}]'), "twice"),
    (row(id="d:m:1", tags="[" + " " * 65536 + "]"), "tags: "),
    (row(id="d:m:1", info="[]"), "info: the JSON text must be an object"),
    (row(id="d:m:1", info="{} x"), "info: "),
    (row(id="d:m:1", info='{"a":1,"a":2}'), "info: "),
    (row(id="d:m:1", info='{"a":"' + "x" * 65536 + '"}'), "info: "),
    (row(id="d:m:1", info='{"a":"\\u0000"}'), "info: "),
    (row(id="d:m:1", state="Allowed"), "none of allowed"),
    (row(id="d:m:1", state="locked"), "none of allowed"),
    (row(id="d:m:1", locked="true"), "neither yes nor no"),
    (row(id="d:m:1", gateway="hub1"), "the gateway"),
    (row(id="d:m:1", gateway="d:m:2"), "is not a gateway"),
    (row(id="g:hub:9", gateway="g:hub:1"), "attached to another"),
    (row(id="d:m:1", gateway="g:hub:1"), "g:hub:1 is not registered"),
    (row(id="d:m:1", record="[]"), "Record: "),
    (row(id="d:m:1", record="{"), "Record: "),
    (row(id="d:m:1", record='{"colour":"red"}'), '"colour" is not known'),
    (row(id="d:m:1", record='{"created_at":1}'), '"created_at" is not'),
    (row(id="d:m:1", record='{"created_at":"soon"}'), '"created_at" is not'),
    (row(id="d:m:1", record='{"created_at":""}'), '"created_at" is not'),
    (row(id="d:m:1", record='{"provisioned_at":"2020-01-01T00:00:00Z"}'),
     "has no provisioned_at"),
    (row(id="d:m:1", record='{"seen_with":"tls tls"}'), '"seen_with" is not'),
    (row(id="d:m:1", record='{"ca":"ab"}'), '"ca" is not'),
    (row(id="d:m:1", record='{"serial":"' + "1" * 43 + '"}'), '"serial"'),
    (row(id="d:m:1", record='{"subject":"\\u001b[31m"}'), '"subject"'),
    (row(id="d:m:1", record='{"last_address":"' + "1" * 64 + '"}'), "address"),
    (row(id="d:m:1", record='{"pins":"x"}'), '"pins" is not'),
    (row(id="d:m:1", record='{"token":"x"}'), '"token" is not'),
    (row(id="d:m:1", record='{"pins":"%s:-:-:-:1:-:s"}' % PRINT),
     "is not the one whose pin"),
    (row(id="d:m:1", certificate="cd" * 32,
         record='{"pins":"%s:-:-:-:1:-:s"}' % PRINT), "is not the one"),
    (row(id="d:m:1", certificate=PRINT[:-1]), "the certificate: "),
    (row(id="d:m:1", certificate=PRINT + "00"), "the certificate: "),
    (row(id="d:m:1", certificate=PRINT[:-1] + "g"), "the certificate: "),
    (row(id="d:m:1", certificate="hello"), "neither PEM"),
    (row(id="d:m:1", certificate="AAAA"),
     "the certificate: it holds no certificate"),
    (row(id="d:m:1", certificate="-----BEGIN CERTIFICATE-----\nAAAA"),
     "the certificate: "),
]


def test_rows_are_refused(ctl, tmp_path):
    ctl.ok("type", "set", "d:dec", "--id-format", "decimal", "--id-length", 4)
    path = write(tmp_path / "a.csv", *(cells for cells, _ in BAD))
    said = refuse_rows(ctl, path)
    lines, line = [], 2
    for cells, _ in BAD:
        lines.append(line)
        line += 1 + sum(value.count("\n") for value in cells.values())
    assert sorted(said) == lines
    for number, (cells, want) in zip(lines, BAD):
        assert want in said[number], (cells, said[number])
    assert "\n" not in ctl("import", path).stdout


def test_a_good_row_beside_a_bad_one_is_not_taken(ctl, tmp_path):
    path = write(tmp_path / "a.csv", row(id="d:m:1"), row(id="x"),
                 row(id="d:m:2"))
    assert list(refuse_rows(ctl, path)) == [3]
    before = len(events(ctl))
    done = ctl("import", "--skip-bad", path)
    assert done.returncode == 0 and list(bad_rows(done)) == [3]
    assert done.stdout == "imported 2 devices, left out 1 bad row\n"
    assert [d["identity"] for d in devices(ctl)] == ["d:m:1", "d:m:2"]
    (event,) = events(ctl)[before:]
    assert "2 devices from " in event["detail"]
    assert "1 bad row left out" in event["detail"]


HEADERS = [
    (b"", "it is empty"),
    (b"\n\n", "it is empty"),
    (b"Tags\n[]\n", 'there is no column "ID"'),
    (b"ID,Colour\nd:m:1,red\n", 'the column "Colour" is not known'),
    (b"ID,id\nd:m:1,d:m:2\n", 'the column "ID" is there twice'),
    (b"ID;Tags\nd:m:1;\n", "separated by commas"),
    (b"d:m:1\n", "must name the columns, and the column \"d:m:1\" is not known: "
     "ID, TLS Client Certificate, Tags, "),
    (b"ID\rd:m:1\r", "CR alone"),
    (b"\xff\xfeI\0D\0", "UTF-8"),
    (b'ID,"Tags\n', "no end"),
]


@pytest.mark.parametrize("text, words", HEADERS, ids=range(len(HEADERS)))
def test_files_are_refused(ctl, tmp_path, text, words):
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    with nothing_changes(ctl):
        ctl.fails(1, words, "import", path)
        ctl.fails(1, words, "import", "--skip-bad", path)


BROKEN = [
    (b"ID,Tags\nd:m:1\n", {2: "1 cell"}),
    (b"ID,Tags\nd:m:1,,\n", {2: "3 cells"}),
    (b"ID,Tags\nd:m:1,a\"b\nx,\n", {2: "a quote", 3: "no type"}),
    (b"ID,Tags\r\n\r\nd:m:1,\"a\r\nb\"c\r\nx,\r\n", {3: "a quote", 5: "no type"}),
    (b"ID\nd:m:\xe4\n", {2: "no UTF-8"}),
    (b"ID\nd:m:1\0\n", {2: "no UTF-8, or control"}),
    (b"ID,Info\nd:m:1,\"{}\n", {2: "has no end"}),
    (b"ID,Info\nd:m:1," + b"x" * 300000 + b"\nx,\n",
     {2: "longer than 256 KiB", 3: "no type"}),
]


@pytest.mark.parametrize("text, want", BROKEN, ids=range(len(BROKEN)))
def test_broken_rows_are_refused(ctl, tmp_path, text, want):
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    said = refuse_rows(ctl, path)
    assert list(said) == list(want)
    assert all(want[line] in said[line] for line in want)


def test_words_are_refused(ctl, tmp_path):
    path = write(tmp_path / "a.csv", row(id="d:m:1"))
    with nothing_changes(ctl):
        ctl.fails(2, "", "import")
        ctl.fails(2, "", "import", path, path)
        ctl.fails(2, "meter", "import", path, "--type", "meter")
        ctl.fails(2, "", "import", path, "--skip-bad=yes")
        ctl.fails(1, "no file", "import", tmp_path / "none.csv")
        ctl.fails(1, "directory", "import", tmp_path)
        ctl.fails(4, "org", "import", path, "--org", "acme")
        ctl.fails(2, "device list --json", "export", "--json")
        ctl.fails(2, "", "export", path)
        ctl.fails(2, "--state", "export", "--state", "locked")
        ctl.fails(1, "regular", "export", "--output", tmp_path)
        ctl.fails(1, "cannot make", "export", "--output", tmp_path / "a" / "b")
    ctl.path.chmod(0o440)
    ctl.ok("export")


def test_type_option(ctl, tmp_path):
    path = write(tmp_path / "a.csv", row(id="0001"), row(id="d:meter:0002"),
                 row(id="0003", type="meter"), row(id="4", **{"class": "d"}),
                 row(id="0005", type="d:meter"))
    ctl.ok("import", path, "--type", "d:meter")
    assert [d["identity"] for d in devices(ctl)] == [
        f"d:meter:{n}" for n in ("0001", "0002", "0003", "0005", "4")]
    path = write(tmp_path / "b.csv", row(id="d:lamp:1"),
                 row(id="1", type="lamp"), row(id="1", **{"class": "g"}),
                 row(id="g:meter:1"), row(id="1", type="g:meter"))
    said = refuse_rows(ctl, path, "--type", "d:meter")
    assert list(said) == [2, 3, 4, 5, 6]
    assert "--type is d:meter" in said[3]


def test_windows_without_a_word(ctl, tmp_path):
    ctl.ok("type", "set", "d:week", "--window", "7d")
    ctl.ok("type", "set", "d:ever", "--window", "none")
    start = time.time()
    ctl.ok("import", write(tmp_path / "a.csv", row(id="d:week:1"),
                           row(id="d:ever:1"), row(id="d:m:1"),
                           row(id="d:m:2", window="15m")))
    ends = {d["identity"]: d["window_ends_at"] for d in devices(ctl)}
    assert ends.pop("d:ever:1") is None
    for name, span in (("d:week:1", 7 * 86400), ("d:m:1", 48 * 3600),
                       ("d:m:2", 900)):
        at = time.mktime(time.strptime(ends[name], "%Y-%m-%dT%H:%M:%SZ"))
        assert abs(at - time.timezone - start - span) < 20


def test_declared_types(ctl, tmp_path):
    path = write(tmp_path / "a.csv", row(id="d:m:1"), row(id="d:n:1"))
    ctl.ok("set", "types", "declared")
    ctl.ok("type", "set", "d:m")
    said = refuse_rows(ctl, path)
    assert list(said) == [3] and "certid type set d:n" in said[3]
    ctl.ok("type", "set", "d:n")
    ctl.ok("import", path)


def test_what_is_there_is_refused(ctl, tmp_path):
    ctl.ok("device", "add", "d:m:Abc")
    path = write(tmp_path / "a.csv", row(id="d:m:x"), row(id="d:m:Abc"),
                 row(id="d:m:aBC"), row(id="d:m:y"), row(id="d:m:y"),
                 row(id="d:m:X"), row(id="1"), row(id="d:m:x"))
    said = refuse_rows(ctl, path)
    assert list(said) == [3, 4, 6, 7, 8, 9]
    assert said[3] == "d:m:Abc is registered already"
    assert "letter case" in said[4] and "letter case" in said[7]
    assert said[6] == "d:m:y is in the file already, line 5"
    assert said[7].endswith("that is in the file already, line 2")
    assert said[9] == "d:m:x is in the file already, line 2"
    ctl.ok("import", path, "--skip-bad")
    assert [d["id"] for d in devices(ctl)] == ["Abc", "x", "y"]


def test_twins_far_apart_in_the_file(ctl, tmp_path):
    path = write(tmp_path / "a.csv", *(
        row(id=f"d:m:x{n}") for n in [*range(2500), 7, 2499]),
        row(id="d:m:X7"))
    said = refuse_rows(ctl, path)
    assert said == {
        2502: "d:m:x7 is in the file already, line 9",
        2503: "d:m:x2499 is in the file already, line 2501",
        2504: "d:m:X7 differs in letter case alone from a device that is in "
              "the file already, line 9"}


def test_twins_too_far_apart_to_know_where(ctl, tmp_path):
    path = tmp_path / "a.csv"
    ids = list(range(300000)) + list(range(20))
    path.write_text("ID\n" + "".join(f"d:m:{n}\n" for n in ids))
    said = refuse_rows(ctl, path)
    assert sorted(said) == list(range(300002, 300022))
    assert all(words in (f"d:m:{n} is in the file already, line {n + 2}",
                         f"d:m:{n} is in the file already, further up")
               for n, words in enumerate(said.values()))
    assert any("further up" in words for words in said.values())


def test_orgs_are_apart(ctl, tmp_path):
    path = write(tmp_path / "a.csv", row(id="d:m:1"))
    ctl.ok("org", "add", "acme")
    ctl.ok("import", path)
    ctl.ok("import", path, "--org", "acme")
    assert ctl.ok("export") == ctl.ok("export", "--org", "acme")


def test_quotas_hold(ctl, tmp_path):
    ctl.ok("set", "max-devices", "5")
    path = write(tmp_path / "a.csv", *(row(id=f"d:m:{n}") for n in range(8)))
    said = refuse_rows(ctl, path)
    assert list(said) == [7, 8, 9]
    assert all("5 devices" in sentence for sentence in said.values())
    ctl.ok("import", path, "--skip-bad")
    assert len(devices(ctl)) == 5


def test_gateways_go_first(ctl, tmp_path):
    device = row(id="d:m:1", gateway="g:hub:1")
    path = write(tmp_path / "a.csv", device, row(id="g:hub:1"))
    said = refuse_rows(ctl, path)
    assert list(said) == [2] and "g:hub:1" in said[2]
    ctl.ok("import", write(tmp_path / "b.csv", row(id="g:hub:1"), device))
    more = write(tmp_path / "c.csv", *(
        row(id=f"d:m:{n}", gateway="g:hub:1") for n in range(2, 503)))
    said = refuse_rows(ctl, more)
    assert list(said) == [501, 502] and "500 devices" in said[501]


def test_certificates(ctl, certs, tmp_path):
    forms = [pem(certs.meter), pem(certs.meter).replace("\n", "\\n"),
             certs.meter.read_text(), pem(certs.meter).replace("\n", "\r\n"),
             base64.b64encode(der(certs.meter)).decode(),
             base64.encodebytes(der(certs.meter)).decode(),
             base64.encodebytes(der(certs.meter)).decode().replace("\n", "\\n")]
    for form in forms:
        path = write(tmp_path / "a.csv", row(id="d:meter:0001",
                                             certificate=form))
        ctl.ok("import", path)
        (device,) = devices(ctl)
        (pin,) = device["pins"]
        assert pin["fingerprint"] == fingerprint(certs.meter)
        (cells,) = csv.DictReader(io.StringIO(ctl.ok("export")))
        pins = json.loads(cells["Record"])["pins"].split(":")
        assert pins[0] == cells["TLS Client Certificate"] == pin["fingerprint"]
        assert len(pins[1]) == 64 and pins[2] == "-" and pins[3].isdigit()
        ctl.ok("device", "remove", "d:meter:0001")


def test_certificates_are_refused(ctl, certs, tmp_path):
    device_ca = certs.ca("device-ca", subject="/CN=d:meter:0001")
    old = certs.leaf("expired", "d:meter:0001", certs.factory, days=0)
    key = certs.key("meter").read_text()
    good = base64.b64encode(der(certs.meter)).decode()
    while time.time() < old.stat().st_mtime + 1.1:
        time.sleep(0.1)
    cases = [
        (pem(certs.lamp), "it is that of d:lamp:0001"),
        (pem(certs.nobody), "no device can use it"),
        (pem(certs.factory), "no device can use it"),
        (pem(device_ca), "no device can use it"),
        (pem(old), "it expired at"),
        (pem(certs.meter) + pem(certs.lamp), "the certificate: "),
        (key, "the certificate: "),
        (pem(certs.meter) + key, "the certificate: "),
        (pem(certs.meter)[:-40], "the certificate: "),
        (good[:-4], "the certificate: "),
        (good + "AAAA", "the certificate: "),
        (good[:100] + "*" + good[101:], "neither PEM"),
        (good.rstrip("=") + "!", "neither PEM"),
    ]
    path = write(tmp_path / "a.csv", *(
        row(id="d:meter:0001", certificate=text) for text, _ in cases))
    said = refuse_rows(ctl, path)
    assert len(said) == len(cases)
    for (text, want), sentence in zip(cases, said.values()):
        assert want in sentence, text


def test_json(ctl, tmp_path):
    path = write(tmp_path / "a.csv", *(row(id=f"d:m:{n}") for n in range(3)))
    assert ctl.json("import", path) == {
        "imported": 3, "bad": 0, "errors": [], "more": 0}
    with nothing_changes(ctl):
        done = ctl("--json", "import", path)
        assert done.returncode == 1 and len(bad_rows(done)) == 3
        answer = json.loads(done.stdout)
        assert (answer["imported"], answer["bad"], answer["more"]) == (0, 3, 0)
        assert answer["errors"] == [
            {"line": n + 2, "error": f"d:m:{n} is registered already"}
            for n in range(3)]
    path = write(tmp_path / "b.csv", *(row(id="x") for _ in range(1500)))
    done = ctl("--json", "import", path, "--skip-bad")
    assert done.returncode == 0 and len(bad_rows(done)) == 1500
    answer = json.loads(done.stdout)
    assert len(answer["errors"]) == 1000 and answer["more"] == 500
    assert answer["bad"] == 1500 and answer["imported"] == 0


def test_from_a_pipe(ctl, tmp_path):
    def feed(text):
        return subprocess.run([CERTID, "--registry", ctl.path, "import", "-"],
                              input=text, capture_output=True, text=True,
                              timeout=60, check=False)
    done = feed("ID\nd:m:1\n")
    assert done.returncode == 0 and done.stderr == ""
    with nothing_changes(ctl):
        done = feed("ID\nd:m:2\nd:m:1")
        assert done.returncode == 1
        assert "certid: stdin:3: d:m:1 is registered" in done.stderr
        assert feed("").returncode == 1
        assert feed("ID\n").stdout == "imported 0 devices\n"
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["sh", "-c", f"printf 'ID\\nd:m:3\\n' > {fifo}"]):
        ctl.ok("import", fifo)
    assert [d["id"] for d in devices(ctl)] == ["1", "3"]


def make_provisioned(registry, identity):
    """A device as a broker leaves it, which no command can make."""
    pins = " ".join(f"{letter * 64}:{'e' * 64}:{'f' * 64}:1600000000:{ends}"
                    for letter, ends in (("a", "1700000001:1750000000:s"),
                                         ("b", "1700000002:-:s"),
                                         ("c", "1700000003:-:w")))
    with contextlib.closing(sqlite3.connect(registry)) as db, db:
        changed = db.execute(
            "UPDATE device SET state = 'provisioned', window_ends_at = "
            "9223372036854775807, created_at = 1699999999, provisioned_at = "
            "1700000000, last_seen_at = 1700000777, last_address = "
            "'2001:db8::7', seen_with = 3, serial = '0x1a2b', not_after = "
            "1900000000, subject = 'CN=d:m:1,O=\\C3\\BC \"x\"', ca = ?, "
            "fingerprint = ?, pins = ? WHERE identity = ?",
            (b"\x01" * 32, b"\x02" * 32, pins, identity)).rowcount
        assert changed == 1


def table(registry):
    with contextlib.closing(sqlite3.connect(registry)) as db:
        return db.execute("SELECT * FROM device ORDER BY identity").fetchall()


def test_round_trip(ctl, certs, tmp_path):
    info = {"a": 'q"uo,te', "b": "line\nend", "c": "\u00fc\U0001f525", "d": 1.50}
    ctl.ok("import", write(
        tmp_path / "a.csv",
        row(id="g:hub:1", window="none", info=json.dumps(info, indent=2)),
        row(id="g:hub:2"), row(id="g:a:1"),
        row(id="d:m:seen", gateway="g:hub:1"),
        row(id="d:m:ever", window="none", gateway="g:hub:2",
            tags='[{"name":"=1+1","value":"@x, \'y"}]'),
        row(id="d:meter:0001", certificate=pem(certs.meter), locked="yes"),
        row(id="-1", type="m"),
        row(id="d:m:late", state="allowed", window="2001-01-01T00:00:00Z"),
        row(id="d:m:waits", state="pending"),
        row(id="d:" + "z" * 36 + ":" + "z" * 64)))
    ctl.ok("device", "token", "d:m:ever")
    ctl.ok("device", "token", "d:m:late", "--expires", "7d")
    make_provisioned(ctl.path, "d:m:seen")
    before, text = devices(ctl), ctl.ok("export")
    seen = next(d for d in before if d["id"] == "seen")
    assert seen["state"] == "provisioned" and seen["serial"] == "0x1a2b"
    assert text.splitlines()[0] == ",".join(HEADER)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [r["Class"] for r in rows] == ["g"] * 3 + ["d"] * 7
    assert TIME.match(json.loads(rows[0]["Record"])["created_at"])
    again = Ctl(tmp_path / "again.db")
    again.ok("init")
    copy = tmp_path / "copy.csv"
    copy.write_text(text)
    again.ok("import", copy)
    assert devices(again) == before
    assert again.ok("export") == text
    assert table(again.path) == table(ctl.path)
    refuse_rows(again, copy)


def test_export_of_some(ctl, tmp_path):
    ctl.ok("import", write(
        tmp_path / "a.csv", row(id="g:hub:1"), row(id="d:m:1"),
        row(id="d:n:1", state="pending"), row(id="d:m:2", state="pending")))

    def ids(*args):
        rows = csv.DictReader(io.StringIO(ctl.ok("export", *args)))
        return [f"{r['Class']}:{r['Type']}:{r['ID']}" for r in rows]
    assert ids() == ["g:hub:1", "d:m:1", "d:m:2", "d:n:1"]
    assert ids("--type", "d:m") == ["d:m:1", "d:m:2"]
    assert ids("--type", "g:hub") == ["g:hub:1"]
    assert ids("--state", "pending") == ["d:m:2", "d:n:1"]
    assert ids("--state", "pending", "--type", "d:m") == ["d:m:2"]
    ctl.ok("type", "set", "d:x")
    assert ids("--type", "d:x") == []
    ctl.fails(4, "nothing is known of the type d:y", "export", "--type", "d:y")


def test_export_to_a_file(ctl, tmp_path):
    ctl.ok("import", write(tmp_path / "a.csv", *(
        row(id=f"d:m:{n}") for n in range(1000))))
    path = tmp_path / "out.csv"
    path.write_text("old")
    assert ctl.ok("export", "--output", path) == (
        f"exported 1000 devices to {path}\n")
    assert path.read_text() == ctl.ok("export")
    assert path.stat().st_mode & 0o777 == 0o600
    with nothing_changes(ctl):
        ctl.fails(1, "regular", "export", "--output", "/dev/null")
        assert os.path.exists("/dev/null")
        done = subprocess.run(
            f"{CERTID} --registry {ctl.path} export > /dev/full", shell=True,
            capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "cannot write" in done.stderr
        done = subprocess.run(
            f"trap '' XFSZ; ulimit -f 128; {CERTID} --registry {ctl.path} "
            f"export --output {path}", shell=True, capture_output=True,
            text=True, check=False)
        assert done.returncode == 1 and "cannot write" in done.stderr
    assert path.read_text() == ctl.ok("export")
    assert sorted(p.name for p in tmp_path.glob("out*")) == ["out.csv"]


def test_no_cell_is_a_formula(ctl, tmp_path):
    ids = ["-1", "--", "-", "1", "_x", "-A1"]
    ctl.ok("import", write(tmp_path / "a.csv", *(
        row(id=i, type="m") for i in ids)))
    text = ctl.ok("export")
    for cells in csv.reader(io.StringIO(text)):
        assert not any(c.startswith(("=", "+", "-", "@", "\t", "\r"))
                       for c in cells), cells
    assert {r["ID"] for r in csv.DictReader(io.StringIO(text))} == {
        "'-1", "'--", "'-", "1", "_x", "'-A1"}
    assert sorted(d["id"] for d in devices(ctl)) == sorted(ids)


def test_random_notes_come_back(ctl, tmp_path):
    rng = random.Random(20261121)
    letters = "a\u00fc\U0001f525\"',;\\=+-@'{}[]: \n\t"

    def text():
        return "".join(rng.choice(letters) for _ in range(rng.randrange(9)))
    rows = [row(id=f"d:m:{n:03}", info=json.dumps({"x" + text(): text()},
                                                  ensure_ascii=n % 2 == 0),
                tags=json.dumps([{"name": "n", "value": text().replace(
                    "\n", "").replace("\t", "")}])) for n in range(200)]
    ctl.ok("import", write(tmp_path / "a.csv", *rows))
    for cells, device in zip(rows, devices(ctl)):
        assert json.loads(cells["Info"]) == device["info"]
        assert json.loads(cells["Tags"]) == device["tags"]
    copy = tmp_path / "copy.csv"
    copy.write_text(ctl.ok("export"))
    again = Ctl(tmp_path / "again.db")
    again.ok("init")
    again.ok("import", copy)
    assert devices(again) == devices(ctl)
    assert again.ok("export") == copy.read_text()


def wait_until(true, what, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


MANY = 100_000


def is_locked(ctl):
    with contextlib.closing(sqlite3.connect(ctl.path, 0)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


@contextlib.contextmanager
def importing(ctl, *args):
    """An import that is stopped in the middle of writing."""
    file = ctl.path.with_suffix(".csv")
    file.write_text("ID\n" + "".join(f"d:m:{n}\n" for n in range(MANY)))
    with subprocess.Popen(
            [CERTID, "--registry", ctl.path, "import", file, *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
        wait_until(lambda: is_locked(ctl), "it never began to write")
        it.send_signal(signal.SIGSTOP)
        yield it
        if it.poll() is None:
            it.kill()


@contextlib.contextmanager
def piping(ctl, source="-", **options):
    """An import whose pipe has brought more than a batch, and then stalls."""
    with subprocess.Popen(
            [CERTID, "--registry", ctl.path, "import", source],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **options) as it:
        it.stdin.write("ID\n" + "".join(f"d:m:{n}\n" for n in range(20000)))
        it.stdin.flush()
        yield it
        if it.poll() is None:
            it.kill()


@pytest.mark.parametrize("source", ["-", "/dev/stdin"])
def test_a_pipe_that_stalls_keeps_nobody(ctl, source):
    with piping(ctl, source) as it:
        for n in range(20):
            ctl.ok("device", "add", f"d:other:{n}")
        assert it.poll() is None
        out, err = it.communicate("d:m:last\n", timeout=30)
        assert (out, err) == ("imported 20001 devices\n", "")
    assert len(devices(ctl)) == 20021


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_a_pipe_stalls(ctl, number):
    with nothing_changes(ctl):
        with piping(ctl) as it:
            it.send_signal(number)
            assert it.wait(timeout=30) == 1
            assert it.stderr.read() == (
                "certid: interrupted, and nothing was imported\n")


def test_what_comes_through_a_pipe_leaves_no_file(ctl, tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    with piping(ctl, env=dict(os.environ, TMPDIR=str(room))) as it:
        links = f"/proc/{it.pid}/fd"

        def is_spooled():
            return any(os.readlink(f"{links}/{fd}").startswith(f"{room}/")
                       for fd in os.listdir(links))
        wait_until(is_spooled, "there is no file in TMPDIR")
        wait_until(lambda: not list(room.iterdir()), "it has a name")
        out, err = it.communicate(timeout=30)
        assert (out, err) == ("imported 20000 devices\n", "")


@pytest.mark.parametrize("room", ["/nonexistent", "/proc/self", "x" * 5000])
def test_nowhere_to_put_what_comes_through_a_pipe(ctl, room):
    with nothing_changes(ctl):
        done = subprocess.run(
            [CERTID, "--registry", ctl.path, "import", "-"], input="ID\nd:m:1\n",
            capture_output=True, text=True, env=dict(os.environ, TMPDIR=room))
        assert done.returncode == 1
        assert "name another directory in TMPDIR" in done.stderr


def test_no_room_for_what_comes_through_a_pipe(ctl, tmp_path):
    """A file system that is full looks like a limit that is reached."""
    file = tmp_path / "many.csv"
    file.write_text("ID\n" + "d:m:1\n" * 200_000)
    with nothing_changes(ctl):
        done = subprocess.run(
            ["sh", "-c", 'trap "" XFSZ; ulimit -f 600; '
             'cat "$3" | "$1" --registry "$2" import -',
             "sh", CERTID, ctl.path, file], capture_output=True, text=True)
        assert done.returncode == 1
        assert "there is no room in" in done.stderr
        assert "TMPDIR" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(ctl, number):
    with nothing_changes(ctl):
        with importing(ctl) as it:
            it.send_signal(number)
            it.send_signal(signal.SIGCONT)
            out, err = it.communicate(timeout=30)
            assert it.returncode == 1 and out == ""
            assert err == "certid: interrupted, and nothing was imported\n"


def test_killed(ctl):
    with nothing_changes(ctl):
        with importing(ctl) as it:
            it.kill()
            it.communicate(timeout=30)


def test_others_wait_and_see_nothing_before_the_end(ctl):
    with importing(ctl) as it:
        assert devices(ctl) == []
        done = ctl("device", "add", "d:other:1")
        assert done.returncode == 3 and "again" in done.stderr
        it.send_signal(signal.SIGCONT)
        out, err = it.communicate(timeout=60)
        assert (out, err) == (f"imported {MANY} devices\n", "")
    assert len(devices(ctl)) == MANY


def run_on_a_terminal(ctl, *args, width=None):
    """What stderr, a terminal, shows; stdout is a pipe."""
    ours, theirs = pty.openpty()
    env = dict(os.environ, TERM="xterm")
    with subprocess.Popen([CERTID, "--registry", ctl.path, *args],
                          stdout=subprocess.PIPE, stderr=theirs,
                          env=env) as it:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):
            while data := os.read(ours, 65536):
                shown += data
        out = it.stdout.read()
        assert it.wait(60) == 0
    os.close(ours)
    return out.decode(), shown.decode()


def test_progress(ctl, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("ID\n" + "".join(f"d:m:{n}\n" for n in range(60000)))
    out, shown = run_on_a_terminal(ctl, "import", path)
    assert out == "imported 60000 devices\n"
    assert "rows" in shown and "%" in shown and "#" in shown
    assert shown.endswith("\r\x1b[K")
    assert all(len(line) < 80 for line in shown.split("\r"))
    path.write_text("ID\nd:m:x\n")
    out, shown = run_on_a_terminal(ctl, "--json", "import", path)
    assert shown == "" and json.loads(out)["imported"] == 1


# What a process holds when it starts another one counts for that one, too: so
# a small one does it.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss * 1024, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure(ctl, *args):
    """Run it; the most memory that it took, in bytes."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", MEASURE, CERTID, "--registry", ctl.path,
         *args], capture_output=True, text=True, check=True, timeout=300)
    return int(done.stderr.splitlines()[-1])


def is_sanitized():
    return b"__asan_init" in CERTID.read_bytes()


def test_memory_does_not_grow_with_the_file(ctl, tmp_path):
    def make(name, count):
        path = tmp_path / name
        path.write_text("ID,Tags,Info\n" + "".join(
            f'd:{name[0]}:{n:07},"[{{""name"":""n"",""value"":""{n}""}}]",'
            f'"{{""serialNumber"":""{n:032}""}}"\n' for n in range(count)))
        return path
    small = measure(ctl, "import", make("a.csv", 5000))
    large = measure(ctl, "import", make("b.csv", 100000))
    exported = tmp_path / "out.csv"
    export = measure(ctl, "export", "--output", exported)
    slack = (192 if is_sanitized() else 24) << 20
    assert large < small + slack, (small, large)
    assert export < small + slack, (small, export)
    assert exported.read_bytes().count(b"\n") == 105001


def test_memory_does_not_grow_with_a_cell(ctl, tmp_path):
    path = tmp_path / "a.csv"
    with open(path, "wb") as file:
        file.write(b'ID,Info\nd:m:1,"')
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b'"\nd:m:2,\n')
    less = measure(ctl, "import", write(tmp_path / "b.csv", row(id="d:m:3")))
    most = measure(ctl, "import", "--skip-bad", path)
    assert most < less + ((64 if is_sanitized() else 8) << 20), (less, most)
    assert [d["id"] for d in devices(ctl)] == ["2", "3"]
