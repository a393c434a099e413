# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""certid explain: the broker's decision, told."""
import time

import pytest
from ctl_tools import STEPS, Certs, explain, tell_pins


def test_explain_admits_and_writes_nothing(ctl, certs):
    ca = ctl.json("ca", "add", certs.factory, "--name", "f")["ca"]
    mark = ctl.json("event", "list")[-1]["seq"]
    it = explain(ctl, 0, "--cert", certs.meter)
    assert it["reason"] == "provisioned" and it["ca"] == ca
    assert it["identity"] == "d:meter:0001"
    assert it["rule"] == "default" and it["level"] == "cert"
    assert ctl.json("device", "list") == []
    assert ctl.json("event", "list")[-1]["seq"] == mark
    people = ctl("explain", "--cert", certs.meter)
    assert people.returncode == 0
    lines = people.stdout.splitlines()
    assert [x.split()[1] for x in lines[:-1]] == STEPS
    assert {x.split()[0] for x in lines[:-1]} <= {"ok", "-"}
    assert lines[-1].startswith("admit: provisioned")
    assert lines[2].endswith(f": {ca}, f")
    ctl.ok("ca", "set", "f", "--name", "")
    lines = ctl("explain", "--cert", certs.meter).stdout.splitlines()
    assert lines[2].endswith(f": {ca}, CN=factory")


def test_explain_refuses(ctl, certs):
    assert explain(ctl, 1, "--cert", certs.meter)["reason"] == "ca-unknown"
    ctl.ok("ca", "add", certs.factory, "--name", "f", "--scope", "d:meter:*")
    assert explain(ctl, 1, "--cert", certs.stranger)["reason"] == "ca-unknown"
    assert explain(ctl, 1, "--cert", certs.lamp)["reason"] == "ca-scope"
    assert ", f\n" in ctl("explain", "--cert", certs.lamp).stdout
    assert explain(ctl, 1, "--cert", certs.nobody)["reason"] == "identity-none"
    assert explain(ctl, 1, "--cert", certs.factory)["reason"] == "cert-is-ca"
    late = explain(ctl, 1, "--cert", certs.meter, "--at",
                   "2100-01-01T00:00:00Z")
    assert late["reason"] in ("cert-expired", "ca-expired")
    early = explain(ctl, 1, "--cert", certs.meter, "--at", "2001-01-01")
    assert early["reason"] == "cert-not-yet-valid"
    wrong = explain(ctl, 1, "--cert", certs.meter, "--client-id", "d:meter:2")
    assert wrong["reason"] == "client-id"
    plain = explain(ctl, 1, "--cert", certs.meter, "--tls", "no")
    assert plain["reason"] == "level-tls"
    ctl.ok("rule", "set", "d:meter", "cert+token")
    both = explain(ctl, 1, "--cert", certs.meter)
    assert both["reason"] == "level-token"
    assert both["rule"] == "d:meter" and both["level"] == "cert+token"
    ctl.ok("rule", "set", "d:meter", "cert")
    ctl.ok("ca", "deactivate", "f")
    assert explain(ctl, 1, "--cert", certs.meter)["reason"] == "ca-inactive"
    people = ctl("explain", "--cert", certs.meter)
    assert people.returncode == 1 and people.stderr == ""
    assert people.stdout.splitlines()[-1].startswith("refuse: ca-inactive")
    assert people.stdout.splitlines()[2].endswith(", f")
    assert any(x.startswith("no ") for x in people.stdout.splitlines())


def test_explain_looks_at_the_device(ctl, certs):
    ctl.ok("ca", "add", certs.factory)
    ctl.ok("type", "set", "d:meter", "--enrol", "listed")
    args = ("--cert", certs.meter)
    assert explain(ctl, 1, *args)["reason"] == "device-unlisted"
    ctl.ok("type", "set", "d:meter", "--enrol", "approve")
    assert explain(ctl, 1, *args)["reason"] == "device-pending"
    ctl.ok("device", "add", "d:meter:0001", "--window", "1h")
    assert explain(ctl, 0, *args)["reason"] == "provisioned"
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))
    late = explain(ctl, 1, *args, "--at", later)
    assert late["reason"] == "window-expired"
    assert "certid device remove d:meter:0001" in late["steps"][6]["detail"]
    ctl.ok("device", "lock", "d:meter:0001")
    assert explain(ctl, 1, *args)["reason"] == "device-locked"
    ctl.ok("type", "set", "d:meter", "--id-format", "uuid4")
    ctl.ok("device", "remove", "d:meter:0001")
    wrong = explain(ctl, 1, *args)
    assert wrong["reason"] == "id-format"
    assert "the type d:meter demands uuid4" in wrong["steps"][6]["detail"]


def test_explain_with_a_chain(ctl, certs, tmp_path):
    mint = Certs(tmp_path)
    root = mint.ca("root")
    mint.openssl("req", "-new", "-config", mint.config, "-key",
                 mint.key("mid"), "-subj", "/CN=mid", "-out", "mid.csr")
    (tmp_path / "mid.ext").write_text(
        "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n"
        "subjectKeyIdentifier=hash\n")
    mint.openssl("x509", "-req", "-in", "mid.csr", "-CA", root, "-CAkey",
                 mint.key("root"), "-set_serial", "2", "-days", "30",
                 "-extfile", "mid.ext", "-out", "mid.pem")
    leaf = mint.leaf("leaf", "d:meter:7", tmp_path / "mid.pem")
    ctl.ok("ca", "add", root)
    assert explain(ctl, 1, "--cert", leaf)["reason"] == "ca-unknown"
    explain(ctl, 0, "--cert", leaf, "--chain", tmp_path / "mid.pem")
    # A client's file: its own certificate first, its chain behind.
    bundle = tmp_path / "bundle.pem"
    mid = (tmp_path / "mid.pem").read_text()
    bundle.write_text("subject=leaf\n" + leaf.read_text() + "\n# mid\n" + mid)
    assert explain(ctl, 0, "--cert", bundle)["identity"] == "d:meter:7"
    ctl.fails(2, "holds a chain already", "explain", "--cert", bundle,
              "--chain", tmp_path / "mid.pem")
    bundle.write_text(mid + leaf.read_text())
    assert explain(ctl, 1, "--cert", bundle)["reason"] == "cert-is-ca"
    bundle.write_text(leaf.read_text() + mid[:-40])
    broken = explain(ctl, 1, "--cert", bundle)
    assert broken["reason"] == "cert-malformed"
    assert "damaged PEM block" in broken["steps"][1]["detail"]
    bundle.write_text(leaf.read_text() + mid + mint.key("leaf").read_text())
    ctl.fails(1, "a private key", "explain", "--cert", bundle)
    ctl.fails(1, "leaf.csr", "explain", "--cert", leaf, "--chain",
              tmp_path / "leaf.csr")
    ctl.fails(1, "there is no file", "explain", "--cert", leaf, "--chain", "/no")


def test_explain_of_what_is_no_certificate(ctl, certs, tmp_path):
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").write_text("")
    (tmp_path / "half").write_text(certs.meter.read_text()[:-40])
    for name in ("text", "empty", "half"):
        file = tmp_path / name
        said = explain(ctl, 1, "--cert", file)
        assert (said["reason"], said["identity"]) == ("cert-malformed", None)
        assert said["steps"][1]["result"] == "fail" and said["steps"][1]["detail"]
    for file in (tmp_path / "none", certs.key("meter")):
        ctl.fails(1, str(file), "explain", "--cert", file)


def test_explain_takes_an_address(ctl, certs):
    for good in ("10.0.0.7", "::1", "fe80::1"):
        assert explain(ctl, 1, "--cert", certs.two, "--address", good)
    for bad in ("10.0.0", "host.example", "10.0.0.7/8"):
        ctl.fails(2, "--address takes an IP address", "explain", "--cert",
                  certs.two, "--address", bad)


A, B = "a" * 64, "b" * 64


def step(it, name):
    (found,) = [s for s in it["steps"] if s["step"] == name]
    return found["detail"]


def test_explain_says_which_certificate_waits(ctl, certs):
    """It writes nothing, so what nobody has presented does not wait."""
    ctl.ok("ca", "add", certs.factory)
    ctl.ok("type", "set", "d:meter", "--rotate", "approve", "--pin", "first")
    ctl.ok("device", "add", "d:meter:0001", "--cert", A)
    it = explain(ctl, 1, "--cert", certs.meter)
    assert it["reason"] == "device-pending"
    assert "and would wait for approval; once" in step(it, "device")
    tell_pins(ctl, "d:meter:0001", f"{A}:-:-:-:1790000000:-:s "
              f"{B}:-:-:-:1790000000:-:w")
    it = explain(ctl, 1, "--cert", certs.meter)
    assert f"would wait for approval in the place of {B[:16]}..., which" in step(
        it, "device")
    ctl.ok("device", "pin", "d:meter:0001", "--none")
    ctl.ok("device", "remove", "d:meter:0001")
    ctl.ok("type", "set", "d:meter", "--enrol", "approve")
    it = explain(ctl, 1, "--cert", certs.meter)
    assert "it would wait for approval; once" in step(it, "device")


def test_explain_does_not_speak_of_another_certificate_where_there_is_none(
        ctl, certs):
    ctl.ok("ca", "add", certs.factory)
    ctl.ok("type", "set", "d:meter", "--pin", "listed")
    people = ctl("explain", "--cert", certs.meter)
    assert people.returncode == 1
    assert people.stdout.splitlines()[-1] == (
        "refuse: pin-mismatch, the certificate is none of those that the "
        "device is held to")


def test_explain_of_a_client_by_token_alone(ctl, certs):
    ctl.ok("device", "add", "d:meter:0001")
    token = ctl.json("device", "token", "d:meter:0001")["token"]
    asked = ("--client-id", "d:meter:0001", "--token")
    it = explain(ctl, 1, *asked, token)
    assert it["reason"] == "level-cert" and it["identity"] == "d:meter:0001"
    ctl.ok("rule", "set", "d:meter", "token")
    mark = ctl.json("event", "list")[-1]["seq"]
    it = explain(ctl, 0, *asked, token)
    assert it["reason"] == "provisioned" and it["ca"] is None
    assert ctl.json("event", "list")[-1]["seq"] == mark
    assert explain(ctl, 1, *asked, "x" + token[1:])["reason"] == "token-wrong"
    assert explain(ctl, 1, *asked, token, "--tls", "no")["reason"] == "level-tls"
    other = explain(ctl, 1, "--client-id", "d:meter:9", "--token", token)
    assert other["reason"] in ("token-wrong", "device-unlisted")
    assert explain(ctl, 1, "--client-id", "office", "--token", token)[
        "reason"] == "identity-syntax"


@pytest.mark.parametrize("args,words", [
    ((), "needs --cert FILE; or, of a client without a certificate, "
     "--client-id ID and --token T"),
    (("--client-id", "d:m:1"), "needs --cert FILE"),
    (("--token", "x"), "needs --cert FILE"),
    (("--client-id", "d:m:1", "--token", "x", "--chain", "f"),
     "--chain goes with --cert"),
])
def test_explain_must_know_whom(ctl, args, words):
    ctl.fails(2, words, "explain", *args)
