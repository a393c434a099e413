# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Revocation: certid ca crl, the settings of it, and what they come to."""
import json
import re
import sqlite3
import subprocess
import time

import pytest
from ctl_tools import (CERTID, TIME, Certs, Ctl, bare, explain, rfc3339,
                       unchanged)

DAY = 86400
NOBODY = "the CA admits nobody"


@pytest.fixture(scope="module")
def mint(tmp_path_factory):
    it = Certs(tmp_path_factory.mktemp("mint"))
    it.factory = it.ca("factory")
    it.other = it.ca("other")
    it.twin = it.ca("twin", subject="/CN=factory")
    it.meter = it.leaf("meter", "d:meter:0001", it.factory)
    it.empty = it.crl("empty", it.factory)
    it.full = it.crl("full", it.factory, number=0x1a, revoked=("1A", "02"))
    it.old = it.crl("old", it.factory, number=0x100, days=-1,
                    start=time.time() - 10 * DAY)
    return it


@pytest.fixture
def known(ctl, mint):
    """The CA "f", active."""
    ctl.ok("ca", "add", mint.factory, "--name", "f")
    return ctl


def shown(ctl, *keys):
    ca = ctl.json("ca", "show", "f")
    return tuple(ca["crl_" + key] for key in keys)


def warnings(ctl):
    return [w for w in ctl.json("status")["warnings"] if "chmod" not in w]


def change_row(ctl, sql, *values):
    with sqlite3.connect(ctl.path) as file:
        file.execute(sql, values)
    file.close()


def store_old(ctl, mint):
    """One that was to be replaced a day ago."""
    ctl.ok("ca", "set", "f", "--crl-grace", "365d")
    ctl.ok("ca", "crl", "f", mint.old)
    ctl.ok("ca", "set", "f", "--crl-grace", "0s")


# Storing

def test_ca_crl(known, mint):
    before = bare(known.json("ca", "show", "f"))
    ca = known.json("ca", "crl", "f", mint.full)
    assert ca["crl_number"] == "0x1a" and ca["crl_entries"] == 2
    assert TIME.match(ca["crl_this_update"])
    assert TIME.match(ca["crl_next_update"])
    assert (rfc3339(time.time() + 29 * DAY) < ca["crl_next_update"]
            < rfc3339(time.time() + 31 * DAY))
    assert bare(known.json("ca", "show", "f")) == ca
    assert bare(known.json("ca", "list")[0]) == ca
    assert ca["crl_state"] == "fresh" and ca["crl_fetched"] is False
    assert TIME.match(ca["crl_stored_at"])
    changed = {k for k in ca if ca[k] != before[k]}
    assert changed == {"crl_number", "crl_entries", "crl_this_update",
                       "crl_next_update", "crl_state", "crl_stored_at",
                       "crl_fetched"}
    event = known.json("event", "list")[-1]
    assert (event["kind"], event["subject"]) == ("crl-updated", ca["ca"])


def test_ca_crl_for_people(known, mint):
    ca = known.json("ca", "show", "f")["ca"]
    assert re.search(r"^CA +NAME +STATE +NOT AFTER +CRL +SUBJECT$",
                     known.ok("ca", "list").splitlines()[0])
    assert re.search(r"Z +- +CN=factory$", known.ok("ca", "list").strip())
    done = known("ca", "crl", "f", mint.full)
    until = known.json("ca", "show", "f")["crl_next_update"]
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == (f"stored the CRL 0x1a of the CA {ca} (CN=factory): "
                           f"2 entries, next update at {until}\n")
    assert re.search(r"Z +fresh +CN=factory$", known.ok("ca", "list").strip())
    lines = [re.split("  +", line, maxsplit=1)
             for line in known.ok("ca", "show", "f").splitlines()]
    fields = dict(line for line in lines if len(line) == 2)
    assert {k: v for k, v in fields.items() if k.startswith("crl")} == {
        "crl policy": "if-present", "crl grace": "0s", "crl url": "-",
        "crl": "fresh", "crl number": "0x1a", "crl entries": "2",
        "crl this update": known.json("ca", "show", "f")["crl_this_update"],
        "crl next update": until, "crl stored": fields["crl stored"],
        "crl came from": "certid ca crl"}
    one = mint.crl("one", mint.factory, number=0x1b, revoked=("05",))
    assert "0x1b of the CA" in known.ok("ca", "crl", "f", one)
    assert ": 1 entry, next" in known.ok("ca", "crl", "f", mint.crl(
        "onemore", mint.factory, number=0x1c, revoked=("05",)))


def test_ca_crl_takes_der(known, mint):
    der = mint.folder / "full.der"
    mint.openssl("crl", "-in", mint.full, "-outform", "DER", "-out", der)
    ca = known.json("ca", "crl", "f", der)
    assert ca["crl_number"] == "0x1a"
    # The same list in PEM is the same list.
    with unchanged(known):
        assert "is stored already" in known.ok("ca", "crl", "f", mint.full)


def test_a_crl_of_many_entries(known, mint):
    many = mint.crl("many", mint.factory, number=5, revoked=[
        f"{0x1000000000 + i:X}" for i in range(40000)])
    assert many.stat().st_size > 1024 * 1024
    assert known.json("ca", "crl", "f", many)["crl_entries"] == 40000
    assert explain(known, 0, "--cert", mint.meter)["decision"] == "admit"


def test_numbers_are_shown_without_zeros(known, mint):
    for number, text in ((0, "0x0"), (1, "0x1"), (0xff, "0xff"),
                         (0x100, "0x100"), (2 ** 158, "0x4" + "0" * 39)):
        crl = mint.crl(f"number{number}", mint.factory, number=number)
        assert known.json("ca", "crl", "f", crl)["crl_number"] == text


def test_the_same_crl_again(known, mint):
    ca = known.json("ca", "crl", "f", mint.full)
    with unchanged(known):
        done = known("ca", "crl", "f", mint.full)
        assert done.returncode == 0 and done.stderr == ""
        assert done.stdout == (
            f"the CRL 0x1a of the CA {ca['ca']} (CN=factory) is stored "
            "already\n")
        assert known.json("ca", "crl", "f", mint.full) == ca
    assert len(known.json("event", "list", "--kind", "crl-updated")) == 1


def test_an_older_crl_is_refused(known, mint):
    known.ok("ca", "crl", "f", mint.full)
    earlier = mint.crl("earlier", mint.factory, number=0x1a,
                       start=time.time() - DAY)
    for crl in (mint.empty, earlier):
        with unchanged(known):
            known.fails(1, "get the newest list from the CA", "ca", "crl",
                        "f", crl)
    later = mint.crl("later", mint.factory, number=0x1a, days=60)
    assert known.json("ca", "crl", "f", mint.crl(
        "next", mint.factory, number=0x1b))["crl_entries"] == 0
    with unchanged(known):
        known.fails(1, "", "ca", "crl", "f", later)


# Lists that may not be registered, and the words that say why.
BAD_LISTS = [
    ("strangers", "other", {}, "its issuer is not this CA"),
    ("twins", "twin", {}, "is not by this CA's key"),
    ("unnumbered", "factory", {"number": None}, "CRL number"),
    ("version1", "factory", {"version_2": False, "number": None}, "version 2"),
    ("past", "factory", {"days": -1, "start": time.time() - 9 * DAY},
     "replaced by"),
    ("future", "factory", {"start": time.time() + DAY}, "in the future"),
    ("delta", "factory", {"extra": "2.5.29.27=critical,DER:020101\n"},
     "delta CRL"),
    ("indirect", "factory", {
        "extra": "issuingDistributionPoint=critical,@i\n[i]\n"
                 "indirectCRL=TRUE\n"}, "indirect"),
    ("onlyca", "factory", {
        "extra": "issuingDistributionPoint=critical,@i\n[i]\nonlyCA=TRUE\n"},
     "CAs alone"),
    ("strange", "factory", {"extra": "1.2.3.4=critical,DER:0500\n"},
     "critical extension"),
]


@pytest.mark.parametrize("name,ca,how,words", BAD_LISTS)
def test_a_crl_that_may_not_be_registered(known, mint, name, ca, how, words):
    crl = mint.crl(name, getattr(mint, ca), **how)
    with unchanged(known):
        known.fails(1, words, "ca", "crl", "f", crl)
    known.ok("ca", "crl", "f", mint.full)
    with unchanged(known):
        said = known.fails(1, words, "ca", "crl", "f", crl)
    assert said.startswith(f"certid: {crl}: ")


def test_a_file_that_is_no_crl(known, mint, tmp_path):
    text = mint.full.read_text()
    body = text.split("-----")[2]
    (tmp_path / "text").write_text("no CRL")
    (tmp_path / "none").write_text("")
    (tmp_path / "half").write_text(text[:-40])
    (tmp_path / "two").write_text(text + mint.empty.read_text())
    (tmp_path / "both").write_text(text + mint.factory.read_text())
    (tmp_path / "flipped").write_text(
        text.replace(body[-40:-8], body[-40:-8].swapcase()))
    (tmp_path / "behind").write_bytes(subprocess.run(
        ["openssl", "crl", "-in", mint.full, "-outform", "DER"], check=True,
        capture_output=True).stdout + b"\0")
    with open(tmp_path / "large", "wb") as large:
        large.truncate(12 * 1024 * 1024 + 1)
    for file, words in ((tmp_path / "text", "text: "),
                        (tmp_path / "none", "none: "),
                        (tmp_path / "half", "half: "),
                        (tmp_path / "two", "two: "),
                        (tmp_path / "both", "both: "),
                        (tmp_path / "flipped", "flipped: "),
                        (tmp_path / "behind", "behind: "),
                        (tmp_path / "large", "is too large"),
                        (tmp_path / "missing", "give the path of the CRL"),
                        (tmp_path, "is a directory"),
                        ("/dev/zero", "not a regular file"),
                        (mint.factory, "factory.pem: "),
                        (mint.key("factory"), "factory.key: ")):
        with unchanged(known):
            known.fails(1, words, "ca", "crl", "f", file)
    with unchanged(known):
        known.fails(4, "", "ca", "crl", "nope", mint.full)
        known.fails(4, 'no org "acme"', "ca", "crl", "f", mint.full, "--org",
                    "acme")


def test_a_ca_that_may_not_sign_crls(ctl, mint):
    nosign = mint.ca("nosign", extensions=[
        "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign",
        "subjectKeyIdentifier=hash"])
    ctl.ok("ca", "add", nosign, "--name", "n")
    with unchanged(ctl):
        ctl.fails(1, "cRLSign", "ca", "crl", "n", mint.crl("nosign", nosign))


def test_a_ca_that_does_not_admit_has_a_crl_too(ctl, mint):
    ctl.ok("ca", "add", mint.factory, "--name", "f", "--inactive")
    assert ctl.json("ca", "crl", "f", mint.full)["state"] == "inactive"
    ctl.ok("ca", "remove", "f")
    ctl.ok("ca", "add", mint.factory, "--name", "f", "--require-proof")
    assert ctl.json("ca", "show", "f")["crl_number"] is None
    assert ctl.json("ca", "crl", "f", mint.full)["state"] == "unproven"


def test_the_crl_goes_with_its_ca(known, mint):
    known.ok("ca", "crl", "f", mint.full)
    assert known.json("ca", "remove", "f")["crl_number"] == "0x1a"
    known.ok("ca", "add", mint.factory, "--name", "f")
    assert shown(known, "number", "entries", "next_update") == (
        None, None, None)
    # A lower number than the one that went.
    assert known.json("ca", "crl", "f", mint.empty)["crl_number"] == "0x1"


def test_a_crl_is_of_one_org(known, mint):
    known.ok("org", "add", "acme")
    known.ok("ca", "add", mint.factory, "--name", "f", "--org", "acme")
    known.ok("ca", "crl", "f", mint.full, "--org", "acme")
    assert shown(known, "number") == (None,)
    assert explain(known, 0, "--cert", mint.meter)["decision"] == "admit"
    assert explain(known, 1, "--cert", mint.meter, "--org",
                   "acme")["reason"] == "cert-revoked"


def test_two_at_once(known, mint):
    crls = [mint.crl(f"race{i}", mint.factory, number=0x50 + i)
            for i in range(6)]
    started = [subprocess.Popen(
        [str(CERTID), "--registry", str(known.path), "ca", "crl", "f",
         str(crl)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for crl in crls]
    assert {p.wait(timeout=60) for p in started} <= {0, 1}
    assert shown(known, "number") == ("0x55",)


# Settings

def test_the_settings_of_revocation(known):
    ca = bare(known.json("ca", "show", "f"))
    assert (ca["crl"], ca["crl_grace"], ca["crl_url"]) == (
        "if-present", "0s", None)
    url = "https://crl.example.com/f.crl"
    new = known.json("ca", "set", "f", "--crl", "off", "--crl-grace", "48h",
                     "--crl-url", url)
    ca.update(crl="off", crl_grace="48h", crl_url=url)
    assert new == ca == bare(known.json("ca", "show", "f"))
    detail = known.json("event", "list")[-1]["detail"]
    assert "if-present -> off" in detail and "0s -> 48h" in detail
    assert url in detail
    # What is not given stays.
    assert known.json("ca", "set", "f", "--description", "x")["crl"] == "off"
    assert known.json("ca", "set", "f", "--crl", "if-present") == {
        **ca, "crl": "if-present", "description": "x"}
    assert known.json("ca", "set", "f", "--crl-url", "")["crl_url"] is None
    assert known.json("ca", "set", "f", "--crl-url=")["crl_url"] is None
    grace = known.json("ca", "set", "f", "--crl-grace", "0s")["crl_grace"]
    assert grace == "0s"
    for text, want in (("90s", "90s"), ("120m", "2h"), ("365d", "365d"),
                       ("8760h", "365d")):
        assert known.json("ca", "set", "f", "--crl-grace",
                          text)["crl_grace"] == want
    for url in ("file:///etc/pki/f.crl", "https://h:1/f", "https://h:65535",
                "https://[::1]:443/f", "https://[::1]", "https://h?a=b:c"):
        assert known.json("ca", "set", "f", "--crl-url", url)["crl_url"] == url


BAD_SETTINGS = [
    ("--crl", "never", "--crl takes off, if-present or required"),
    ("--crl", "OFF", "--crl takes"),
    ("--crl", "default", "--crl takes"),
    ("--crl", "if-present ", "--crl takes"),
    ("--crl-grace", "48", "--crl-grace takes a time from 0s to 365d"),
    ("--crl-grace", "0", "--crl-grace takes"),
    ("--crl-grace", "-1s", "--crl-grace takes"),
    ("--crl-grace", "366d", "--crl-grace takes"),
    ("--crl-grace", "8761h", "--crl-grace takes"),
    ("--crl-grace", "31536001s", "--crl-grace takes"),
    ("--crl-grace", "99999999999999999999d", "--crl-grace takes"),
    ("--crl-grace", "none", "--crl-grace takes"),
    ("--crl-grace", "1h30m", "--crl-grace takes"),
    ("--crl-url", "http://crl.example.com/f.crl", "--crl-url: "),
    ("--crl-url", "ftp://crl.example.com/f.crl", "--crl-url: "),
    ("--crl-url", "ldap://crl.example.com/f.crl", "--crl-url: "),
    ("--crl-url", "https://", "--crl-url: "),
    ("--crl-url", "https://user:pw@crl.example.com/", "--crl-url: "),
    ("--crl-url", "https://crl.example.com/a b", "--crl-url: "),
    ("--crl-url", "https://crl.example.com/ü", "--crl-url: "),
    ("--crl-url", "https://h:0/", "the port behind the host is not a number"),
    ("--crl-url", "https://h:65536/", "the port behind the host"),
    ("--crl-url", "https://h:80x/f", "the port behind the host"),
    ("--crl-url", "https://h:", "the port behind the host"),
    ("--crl-url", "https://[::1]:x/", "the port behind the host"),
    ("--crl-url", "https://u:pw@h:x/", "write no user name or password"),
    ("--crl-url", "https://h/f.crl#a", "a fragment"),
    ("--crl-url", "https://h#a", "a fragment"),
    ("--crl-url", "file://host/f.crl", "--crl-url: "),
    ("--crl-url", "file:///a%20b", "--crl-url: "),
    ("--crl-url", "/etc/pki/f.crl", "--crl-url: "),
    ("--crl-url", "https://h/" + "a" * 1024, "--crl-url: "),
]


@pytest.fixture(scope="module")
def steady(tmp_path_factory, mint):
    it = Ctl(tmp_path_factory.mktemp("steady") / "registry.db")
    it.ok("init")
    it.ok("ca", "add", mint.factory, "--name", "f")
    it.ok("ca", "set", "f", "--crl-url", "https://h/", "--crl-grace", "1h")
    return it


@pytest.mark.parametrize("option,value,words", BAD_SETTINGS)
def test_bad_settings_change_nothing(steady, option, value, words):
    with unchanged(steady):
        steady.fails(2, words, "ca", "set", "f", option, value)
        # Nor does what is right beside it.
        steady.fails(2, words, "ca", "set", "f", "--description", "x", option,
                     value)


def cautions(done):
    assert done.returncode == 0, done.stderr
    return [line[len("certid: warning: "):]
            for line in done.stderr.splitlines()]


def test_required_without_a_crl_is_cautioned_of(known, mint):
    ca = known.json("ca", "show", "f")["ca"]
    sentence = (f"the CA f ({ca}) requires a CRL and has none, so it admits "
                f"nobody: store one with certid ca crl {ca} FILE")
    done = known("ca", "set", "f", "--crl", "required")
    assert cautions(done) == [sentence]
    assert done.stdout == f"changed the CA {ca} (CN=factory)\n"
    done = known("--json", "ca", "set", "f", "--crl", "required")
    assert json.loads(done.stdout)["crl"] == "required"
    assert cautions(done) == [sentence]
    assert re.search("missing +CN=factory", known.ok("ca", "list"))
    assert re.search("(?m)^crl +missing$", known.ok("ca", "show", "f"))
    assert warnings(known) == [f"org default: {sentence}"]
    # Another setting is not the occasion.
    assert cautions(known("ca", "set", "f", "--description", "x")) == []
    known.ok("ca", "crl", "f", mint.full)
    assert cautions(known("ca", "set", "f", "--crl", "required")) == []
    known.ok("ca", "set", "f", "--crl", "off")
    assert re.search("Z +- +CN=factory", known.ok("ca", "list"))


def test_a_grace_that_is_taken_away_is_cautioned_of(known, mint):
    known.ok("ca", "set", "f", "--crl-grace", "365d")
    stored = known("ca", "crl", "f", mint.old)
    assert stored.stdout.startswith("stored the CRL 0x100 of the CA ")
    assert len(cautions(stored)) == 1
    assert "for its grace of 365d" in cautions(stored)[0]
    assert re.search("grace +CN=factory", known.ok("ca", "list"))
    done = known("ca", "set", "f", "--crl-grace", "0s")
    assert len(cautions(done)) == 1 and NOBODY in cautions(done)[0]
    assert re.search("stale +CN=factory", known.ok("ca", "list"))
    assert cautions(known("ca", "set", "f", "--crl", "off")) == []


def test_a_crl_that_nobody_looks_at_is_cautioned_of(known, mint):
    known.ok("ca", "set", "f", "--crl", "off")
    done = known("ca", "crl", "f", mint.full)
    assert done.stdout.startswith("stored the CRL 0x1a")
    assert len(cautions(done)) == 1
    assert "under the CRL policy off" in cautions(done)[0]


def test_the_grace_holds_when_a_crl_is_stored(known, mint):
    with unchanged(known):
        known.fails(1, "was to be replaced by", "ca", "crl", "f", mint.old)
    known.ok("ca", "set", "f", "--crl-grace", "23h")
    with unchanged(known):
        known.fails(1, "was to be replaced by", "ca", "crl", "f", mint.old)
    known.ok("ca", "set", "f", "--crl-grace", "48h")
    assert known.json("ca", "crl", "f", mint.old)["crl_number"] == "0x100"


def test_another_url_forgets_what_came_of_the_last(known):
    known.ok("ca", "set", "f", "--crl-url", "https://h/a")
    change_row(known, "UPDATE ca SET crl_failure = 'HTTP 404'")
    assert known.json("ca", "show", "f")["crl_failure"] == "HTTP 404"
    assert re.search("crl failure +HTTP 404", known.ok("ca", "show", "f"))
    for options in (("--crl-url", "https://h/a"), ("--crl", "off")):
        assert known.json("ca", "set", "f", *options)["crl_failure"] == (
            "HTTP 404")
    changed = known.json("ca", "set", "f", "--crl-url", "https://h/b")
    assert changed["crl_failure"] is None
    assert bare(known.json("ca", "show", "f")) == changed
    assert "crl failure" not in known.ok("ca", "show", "f")


def test_a_stored_crl_ends_a_failure(known, mint):
    known.ok("ca", "crl", "f", mint.empty)
    known.ok("ca", "set", "f", "--crl-url", "https://h/a")
    change_row(known, "UPDATE ca SET crl_failure = 'HTTP 404'")
    assert known.json("ca", "crl", "f", mint.empty) == bare(known.json(
        "ca", "show", "f"))
    assert shown(known, "failure") == ("HTTP 404",)
    assert known.json("ca", "crl", "f", mint.full) == bare(known.json(
        "ca", "show", "f"))
    assert shown(known, "failure") == (None,)


# What it comes to

def test_explain_tells_of_revocation(known, mint):
    def reason(code=1, *args):
        said = explain(known, code, "--cert", mint.meter, *args)
        people = known("explain", "--cert", mint.meter, *args)
        assert people.returncode == code
        assert f": {said['reason']}, " in people.stdout.splitlines()[-1]
        if code:
            chain = said["steps"][2]
            assert chain["step"] == "chain" and chain["result"] == "fail"
            assert chain["detail"]
            assert "no  chain" in people.stdout
        return said["reason"]

    assert reason(0) == "provisioned"
    known.ok("ca", "set", "f", "--crl", "required")
    assert reason() == "crl-missing"
    known.ok("ca", "crl", "f", mint.empty)
    assert reason(0) == "provisioned"
    known.ok("ca", "crl", "f", mint.full)
    assert reason() == "cert-revoked"
    known.ok("ca", "set", "f", "--crl", "off")
    assert reason(0) == "provisioned"
    known.ok("ca", "set", "f", "--crl", "if-present")
    assert reason() == "cert-revoked"
    known.ok("ca", "crl", "f", mint.crl("third", mint.factory, number=0x1b))
    assert reason(0) == "provisioned"
    store_old(known, mint)
    assert reason() == "crl-stale"
    known.ok("ca", "set", "f", "--crl-grace", "365d")
    assert reason(0) == "provisioned"


def test_explain_looks_at_the_dates_of_a_crl(known, mint):
    known.ok("ca", "crl", "f", mint.empty)
    for days, grace, code in ((29, "0s", 0), (31, "0s", 1), (31, "48h", 0),
                              (33, "48h", 1)):
        leaf = mint.leaf(f"leaf{days}{grace}", "d:meter:1", mint.factory,
                         days=90)
        known.ok("ca", "set", "f", "--crl-grace", grace)
        said = explain(known, code, "--cert", leaf, "--at",
                       rfc3339(time.time() + days * DAY))
        assert said["reason"] == ("crl-stale" if code else "provisioned")


def test_explain_tells_which_ca_revoked(known, mint):
    ca = known.json("ca", "crl", "f", mint.full)["ca"]
    assert explain(known, 1, "--cert", mint.meter)["ca"] == ca
    people = known("explain", "--cert", mint.meter).stdout.splitlines()
    assert people[2].endswith(f": {ca}, f")
    assert people[-1].startswith("refuse: cert-revoked, ")


# What is warned of

def test_status_tells_when_a_crl_ends(known, mint):
    ca = known.json("ca", "show", "f")["ca"]
    for number, (age, days, words) in enumerate((
            (0, 100, None), (0, 30, None), (0, 8, None), (0, 7, "7 days"),
            (300, 89, "90 days"),
            (90, 29, "30 days"), (90, 31, None), (20, 6, "7 days"),
            (0, 0.5, "1 day"))):
        crl = mint.crl(f"ends{number}", mint.factory, number=number, days=days,
                       start=time.time() - age * DAY)
        until = known.json("ca", "crl", "f", crl)["crl_next_update"]
        assert warnings(known) == ([] if words is None else [
            f"org default: the CRL of the CA f ({ca}) expires within {words}, "
            f"at {until}: store a newer one with certid ca crl {ca} FILE"])


def test_status_says_less_of_what_is_fetched(known, mint):
    ca = known.json("ca", "set", "f", "--crl-url", "https://h/a")["ca"]
    assert len(warnings(known)) == 1
    assert "has not been fetched from its crl-url yet" in warnings(known)[0]
    known.ok("ca", "crl", "f", mint.crl("week", mint.factory, days=6))
    change_row(known, "UPDATE crl SET fetched = 1")
    assert warnings(known) == []
    assert known.json("ca", "show", "f")["crl_fetched"] is True
    assert re.search("crl came from +its url", known.ok("ca", "show", "f"))
    # One that lives for a day is not to be warned of before its evening.
    known.ok("ca", "crl", "f", mint.crl("day", mint.factory, number=2, days=1))
    change_row(known, "UPDATE crl SET fetched = 1")
    assert warnings(known) == []
    known.ok("ca", "crl", "f", mint.crl("hours", mint.factory, number=3,
                                        days=0.5, start=time.time() - 9 * DAY))
    change_row(known, "UPDATE crl SET fetched = 1")
    assert len(warnings(known)) == 1
    assert "expires within 1 day, at " in warnings(known)[0]
    assert "store a newer one" not in warnings(known)[0]
    change_row(known, "UPDATE ca SET crl_failure = 'HTTP 404'")
    assert len(warnings(known)) == 2
    assert "cannot be fetched: HTTP 404" in warnings(known)[0]
    assert "or store a newer one" in warnings(known)[1]
    for seq, (when, subject) in enumerate((
            (60, ca), (120, ca), (180, "0123456789abcdef"))):
        change_row(known, "INSERT INTO event (org, time, actor, kind, subject) "
                   "VALUES ('default', ?, 'broker', 'crl-failed', ?)", when,
                   subject)
    assert "cannot be fetched since 1970-01-01T00:02:00Z: HTTP" in warnings(
        known)[0]
    known.ok("ca", "set", "f", "--crl", "off")
    assert warnings(known) == []


def test_what_is_forgotten_with_a_crl_is_cautioned_of(known, mint):
    ca = known.json("ca", "crl", "f", mint.full)["ca"]
    assert cautions(known("ca", "set", "f", "--crl", "off")) == [
        f"2 revoked certificates of the CA {ca} are admitted again from now on"]
    assert cautions(known("ca", "set", "f", "--crl", "off")) == []
    known.ok("ca", "set", "f", "--crl", "required")
    known.ok("ca", "deactivate", "f")
    assert cautions(known("ca", "set", "f", "--crl", "off")) == [
        f"2 revoked certificates of the CA {ca} are admitted again once it is "
        "active"]
    assert cautions(known("ca", "remove", "f")) == [
        f"the CRL of the CA {ca} and its number 0x1a are forgotten: 2 revoked "
        "certificates of it are admitted again if it is added again and no CRL "
        "is stored before"]
    known.ok("ca", "add", mint.factory, "--name", "f")
    assert cautions(known("ca", "remove", "f")) == []
    known.ok("ca", "add", mint.factory, "--name", "f")
    known.ok("ca", "crl", "f", mint.empty)
    assert cautions(known("ca", "set", "f", "--crl", "off")) == []
    assert "an older one is taken" in cautions(known("ca", "remove", "f"))[0]


@pytest.mark.parametrize("policy", ["if-present", "required"])
def test_status_tells_of_a_stale_crl(known, mint, policy):
    known.ok("ca", "set", "f", "--crl", policy)
    store_old(known, mint)
    assert len(warnings(known)) == 1
    assert f"under the policy {policy} {NOBODY}" in warnings(known)[0]
    assert warnings(known)[0] in known("status").stderr
    known.ok("ca", "set", "f", "--crl-grace", "7d")
    assert len(warnings(known)) == 1
    assert "for its grace of 7d" in warnings(known)[0]
    assert NOBODY not in warnings(known)[0]
    known.ok("ca", "set", "f", "--crl", "off")
    assert warnings(known) == []
