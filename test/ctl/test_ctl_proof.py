# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Proof of possession: certid ca code, certid ca verify, and what demands it."""
import json
import re
import sqlite3
import subprocess
import time

import pytest
from ctl_tools import (CERTID, TIME, Certs, bare, explain, rfc3339,
                       unchanged)

NO_CA = "basicConstraints=critical,CA:FALSE\n"


@pytest.fixture(scope="module")
def mint(tmp_path_factory):
    it = Certs(tmp_path_factory.mktemp("mint"))
    it.factory = it.ca("factory")
    it.other = it.ca("other")
    it.twin = it.ca("twin", subject="/CN=factory")
    return it


@pytest.fixture
def waiting(ctl, mint):
    """A CA, "f", that waits for its proof; and another that is active."""
    ctl.ok("ca", "add", mint.factory, "--name", "f", "--require-proof")
    ctl.ok("ca", "add", mint.other, "--name", "o")
    return ctl


def code_of(ctl, ca="f"):
    return ctl.json("ca", "code", ca)["registration_code"]


def state_of(ctl, ca="f"):
    return ctl.json("ca", "show", ca)["state"]


def change_row(ctl, sql, *values):
    with sqlite3.connect(ctl.path) as file:
        file.execute(sql, values)
    file.close()


# Who has to prove

def test_ca_add_that_requires_a_proof(ctl, mint):
    done = ctl("ca", "add", mint.factory, "--name", "f", "--require-proof")
    ca = ctl.json("ca", "show", "f")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == (
        f"added the CA {ca['ca']} (CN=factory), unproven: it admits nobody "
        f"before it is proven, which certid ca code {ca['ca']} begins\n")
    assert ca["state"] == "unproven"
    added = ctl.json("ca", "add", mint.other, "--require-proof")
    assert added["state"] == "unproven" and added["warnings"] == []
    assert re.search(r"f +unproven ", ctl.ok("ca", "list"))
    assert ctl.json("status")["per_org"][0]["cas"] == {
        "active": 0, "inactive": 0, "unproven": 2, "expired": 0, "revoked": 0}


def test_an_org_that_demands_proofs(ctl, mint):
    ctl.ok("org", "add", "acme")
    ctl.ok("set", "ca-proof", "on")
    assert ctl.json("ca", "add", mint.factory)["state"] == "unproven"
    assert ctl.json("ca", "add", mint.other,
                    "--require-proof")["state"] == "unproven"
    # Another org does not.
    assert ctl.json("ca", "add", mint.factory, "--org",
                    "acme")["state"] == "active"
    ctl.ok("set", "ca-proof", "off")
    assert ctl.json("ca", "add", mint.twin)["state"] == "active"


def test_a_proof_and_inactive_exclude_each_other(ctl, mint):
    with unchanged(ctl):
        ctl.fails(2, "--inactive cannot be given with --require-proof", "ca",
                  "add", mint.factory, "--inactive", "--require-proof")
    ctl.ok("set", "ca-proof", "on")
    with unchanged(ctl):
        ctl.fails(2, "where the org demands a proof (set ca-proof on)", "ca",
                  "add", mint.factory, "--inactive")
        ctl.fails(2, "with --require-proof", "ca", "add", mint.factory,
                  "--inactive", "--require-proof")
    ctl.ok("set", "ca-proof", "off")
    assert ctl.json("ca", "add", mint.factory,
                    "--inactive")["state"] == "inactive"


def test_only_a_proof_ends_the_waiting(waiting):
    for verb, words in (("activate", "certid ca verify"),
                        ("deactivate", "admits nobody as it is")):
        with unchanged(waiting):
            waiting.fails(1, words, "ca", verb, "f")
    code_of(waiting)
    for verb in ("activate", "deactivate"):
        with unchanged(waiting):
            waiting.fails(1, "", "ca", verb, "f")
    assert waiting.json("ca", "set", "f", "--name", "g")["state"] == "unproven"
    assert waiting.json("ca", "remove", "g")["state"] == "unproven"


# Codes

def test_ca_code(waiting):
    before = time.time()
    assert waiting.json("ca", "show", "f")["code_expires_at"] is None
    said = waiting.json("ca", "code", "f")
    assert (waiting.json("ca", "show", "f")["code_expires_at"]
            == said["expires_at"])
    assert set(said) == {"ca", "registration_code", "expires_at"}
    assert said["ca"] == waiting.json("ca", "show", "f")["ca"]
    assert re.match("^[0-9a-f]{64}$", said["registration_code"])
    assert TIME.match(said["expires_at"])
    assert (rfc3339(before + 7 * 86400) <= said["expires_at"]
            <= rfc3339(time.time() + 7 * 86400))
    assert code_of(waiting) != said["registration_code"]
    assert state_of(waiting) == "unproven"


def test_a_code_is_told_once(waiting):
    code = code_of(waiting)
    event = waiting.json("event", "list")[-1]
    assert event["kind"] == "setting-changed"
    assert event["subject"] == waiting.json("ca", "show", "f")["ca"]
    for args in (("event", "list"), ("ca", "list"), ("ca", "show", "f"),
                 ("status",), ("set",)):
        done = waiting(*args)
        assert code not in done.stdout + done.stderr
        assert code not in waiting.ok("--json", *args)
    assert re.search(r"code +valid until 20", waiting.ok("ca", "show", "f"))
    change_row(waiting, "UPDATE ca SET code_expires_at = 1 WHERE name = 'f'")
    assert re.search(r"code +expired at 1970-01-01T00:00:01Z",
                     waiting.ok("ca", "show", "f"))
    assert "code" not in waiting.ok("ca", "show", "o")


def test_ca_code_says_what_to_do(waiting):
    done = waiting("ca", "code", "f")
    ca = waiting.json("ca", "show", "f")["ca"]
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        f"the registration code of the CA {ca} (CN=factory), valid until 20")
    assert re.match("^    [0-9a-f]{64}$", lines[2])
    assert f"certid ca verify {ca} FILE" in done.stdout
    assert "certid help ca code" in done.stdout
    assert all(len(line) <= 100 for line in lines)


def test_ca_code_where_nobody_waits_for_it(ctl, mint):
    ca = ctl.json("ca", "add", mint.factory, "--name", "f")["ca"]
    done = ctl("ca", "code", "f")
    assert done.returncode == 0 and "registration code" in done.stdout
    assert done.stderr == (f"certid: warning: the CA {ca} is active: it needs "
                           "no proof, and one changes nothing\n")
    assert state_of(ctl) == "active"
    assert not any("proof" in w for w in ctl.json("status")["warnings"])
    ctl.ok("ca", "deactivate", "f")
    done = ctl("--json", "ca", "code", "f")
    code = json.loads(done.stdout)["registration_code"]
    assert "is inactive: it needs no proof, and one activates it" in done.stderr
    proof = mint.proof("inactive", code, mint.factory)
    assert ctl.json("ca", "verify", "f", proof)["state"] == "active"


def test_ca_code_refuses(ctl, untouched):
    for args in (("nope",), ("00000000",)):
        with unchanged(ctl):
            ctl.fails(4, "", "ca", "code", *args)
    ctl.fails(4, 'there is no org "acme"', "ca", "code", "f", "--org", "acme")


# Proofs

def test_ca_verify(waiting, mint):
    ca = waiting.json("ca", "show", "f")
    meter = mint.leaf("meter", "d:meter:0001", mint.factory)
    assert explain(waiting, 1, "--cert", meter)["reason"] == "ca-unproven"
    proof = mint.proof("good", code_of(waiting), mint.factory, extra=NO_CA)
    done = waiting("ca", "verify", "f", proof)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout == (f"the CA {ca['ca']} (CN=factory) is proven, and "
                           "active\n")
    ca["state"] = "active"
    assert waiting.json("ca", "show", "f") == ca
    assert explain(waiting, 0, "--cert", meter)["reason"] == "provisioned"
    event = waiting.json("event", "list")[-1]
    assert (event["kind"], event["subject"]) == ("ca-proven", ca["ca"])
    # The code is used up.
    assert "code" not in waiting.ok("ca", "show", "f")
    with unchanged(waiting):
        waiting.fails(1, "is proven, or needed no proof, already", "ca",
                      "verify", "f", proof)
    waiting.ok("ca", "deactivate", "f")
    with unchanged(waiting):
        waiting.fails(1, "begin with certid ca code", "ca", "verify", "f",
                      proof)
    assert waiting.json("ca", "activate", "f")["state"] == "active"


def test_ca_verify_takes_der(waiting, mint):
    proof = mint.proof("forder", code_of(waiting), mint.factory)
    der = mint.folder / "proof.der"
    mint.openssl("x509", "-in", proof, "-outform", "DER", "-out", der)
    said = waiting.json("ca", "verify", "f", der)
    assert said["state"] == "active"
    assert said == bare(waiting.json("ca", "show", "f"))


def test_the_recipe_of_the_help_works(waiting, mint, tmp_path):
    """As it stands there, but for the names."""
    help = waiting.ok("help", "ca", "code")
    lines = [line.strip() for line in help.splitlines()]
    start = next(i for i, line in enumerate(lines)
                 if line.startswith("openssl req"))
    end = next(i for i, line in enumerate(lines)
               if line.startswith("certid ca verify"))
    recipe = "\n".join(lines[start:end + 1])
    recipe = recipe.replace("CODE", code_of(waiting))
    recipe = recipe.replace("verify CA ", "verify f ")
    recipe = recipe.replace("certid ", f"{CERTID} --registry {waiting.path} ")
    (tmp_path / "ca.pem").write_text(mint.factory.read_text())
    (tmp_path / "ca.key").write_text(mint.key("factory").read_text())
    done = subprocess.run(["sh", "-ec", recipe], cwd=tmp_path, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, (recipe, done.stderr)
    assert state_of(waiting) == "active"


def test_ca_verify_without_a_code(waiting, mint):
    proof = mint.proof("early", "0" * 64, mint.factory)
    with unchanged(waiting):
        waiting.fails(1, "no registration code is given out for the CA",
                      "ca", "verify", "f", proof)
        waiting.fails(1, "is proven, or needed no proof, already", "ca",
                      "verify", "o", proof)
        waiting.fails(4, "", "ca", "verify", "nope", proof)


def test_ca_verify_with_a_code_that_expired(waiting, mint):
    proof = mint.proof("late", code_of(waiting), mint.factory)
    now = int(time.time())
    for end in (now, now - 1, 1):
        change_row(waiting, "UPDATE ca SET code_expires_at = ? WHERE name = 'f'",
                   end)
        with unchanged(waiting):
            said = waiting.fails(1, "expired at " + rfc3339(end), "ca",
                                 "verify", "f", proof)
        assert "certid ca code" in said
    change_row(waiting, "UPDATE ca SET code_expires_at = ? WHERE name = 'f'",
               now + 3600)
    assert waiting.json("ca", "verify", "f", proof)["state"] == "active"


def test_ca_verify_with_a_code_that_was_replaced(waiting, mint):
    old = mint.proof("old", code_of(waiting), mint.factory)
    new = mint.proof("new", code_of(waiting), mint.factory)
    with unchanged(waiting):
        waiting.fails(1, "its common name is not the code", "ca", "verify",
                      "f", old)
    assert waiting.json("ca", "verify", "f", new)["state"] == "active"


def test_ca_verify_with_the_code_of_another_ca(waiting, mint):
    code, others = code_of(waiting), code_of(waiting, "o")
    for name, cn, ca in (("crossed1", others, mint.factory),
                         ("crossed2", code, mint.other),
                         ("crossed3", others, mint.other),
                         ("crossed4", code, mint.twin)):
        proof = mint.proof(name, cn, ca)
        with unchanged(waiting):
            assert "(certid ca code " in waiting.fails(
                1, f"{name}.pem: the certificate proves nothing", "ca",
                "verify", "f", proof)


WRONG_NAMES = ["/CN={code}x", "/CN=x{code}", "/CN={upper}", "/CN= {code}",
               "/CN={half}", "/O={code}", "/CN={code}/CN={code}",
               "/CN=a/CN={code}"]


def test_ca_verify_with_another_name(waiting, mint):
    code = code_of(waiting)
    for i, subject in enumerate(WRONG_NAMES):
        text = subject.format(code=code, upper=code.upper(), half=code[:32])
        if len(text) > len("/CN=") + 64 and text.count("CN=") == 1:
            text = text.replace(code, code[:-2])  # a name has 64 at most
        proof = mint.proof(f"name{i}", None, mint.factory, subject=text)
        with unchanged(waiting):
            waiting.fails(1, "common name", "ca", "verify", "f", proof)


def test_ca_verify_with_what_proves_nothing(waiting, mint):
    code = code_of(waiting)
    ca_again = mint.proof("anotherca", code, mint.factory,
                          extra="basicConstraints=critical,CA:TRUE\n")
    old = mint.proof("outdated", code, mint.factory, days=-1)
    own = mint.ca("selfsigned", subject=f"/CN={code}")
    good = mint.proof("twice", code, mint.factory)
    two = mint.folder / "two.pem"
    two.write_text(good.read_text() + good.read_text())
    bad = mint.folder / "damaged.pem"
    bad.write_text(good.read_text().replace("A", "B", 20))
    for file in (ca_again, old, own, two, bad, mint.factory):
        with unchanged(waiting):
            waiting.fails(1, f"certid: {file}: ", "ca", "verify", "f", file)
    assert waiting.json("ca", "verify", "f", good)["state"] == "active"


def test_ca_verify_with_what_is_no_certificate(waiting, mint, tmp_path):
    code_of(waiting)
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "empty").write_text("")
    (tmp_path / "large").write_bytes(b"x" * (64 * 1024 + 1))
    request = mint.proof("forthecsr", "x", mint.factory).with_suffix(".csr")
    for file, words in ((tmp_path / "text", "text"),
                        (tmp_path / "empty", "empty"),
                        (tmp_path / "large", "is too large"),
                        (tmp_path / "missing", "there is no file"),
                        (tmp_path, "is a directory"),
                        ("/dev/zero", "not a regular file"),
                        (mint.key("factory"), "private key"),
                        (request, "forthecsr.csr")):
        with unchanged(waiting):
            waiting.fails(1, words, "ca", "verify", "f", file)
    assert state_of(waiting) == "unproven"


def test_two_proofs_at_once(waiting, mint):
    proof = mint.proof("race", code_of(waiting), mint.factory)
    started = [subprocess.Popen(
        [str(CERTID), "--registry", str(waiting.path), "ca", "verify", "f",
         str(proof)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(6)]
    assert sorted(p.wait(timeout=60) for p in started) == [0, 1, 1, 1, 1, 1]
    proven = waiting.json("event", "list", "--kind", "ca-proven")
    assert len(proven) == 1 and state_of(waiting) == "active"


# What is warned of

def test_status_tells_what_waits(waiting, mint):
    ca = waiting.json("ca", "show", "f")["ca"]

    def warnings():
        return [w for w in waiting.json("status")["warnings"] if ca in w]

    assert warnings() == [
        f"org default: the CA f ({ca}) waits for proof of possession and admits "
        f"nobody: begin with certid ca code {ca}"]
    expires = waiting.json("ca", "code", "f")["expires_at"]
    assert warnings() == [
        f"org default: the CA f ({ca}) waits for proof of possession and admits "
        f"nobody: certid ca verify {ca} FILE ends that, until {expires}"]
    change_row(waiting, "UPDATE ca SET code_expires_at = 1 WHERE name = 'f'")
    assert len(warnings()) == 1
    assert ("its registration code expired at 1970-01-01T00:00:01Z: certid ca "
            f"code {ca} gives a new one") in warnings()[0]
    assert warnings()[0] in waiting("status").stderr
    waiting.ok("ca", "verify", "f", mint.proof("status", code_of(waiting),
                                               mint.factory))
    assert warnings() == []
