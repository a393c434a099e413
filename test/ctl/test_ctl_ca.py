# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""CAs: add, list, show, set, and their states."""
import re

from ctl_tools import CA_KEYS, HASH, TIME, Certs, bare, explain


def test_ca_add(ctl, certs):
    ca = ctl.json("ca", "add", certs.factory, "--name", "factory",
                  "--description", "Werk Süd", "--scope", "d:meter:*",
                  "--scope", "g:*:*", "--tag", "site=south", "--tag", "x=")
    assert CA_KEYS <= set(ca)
    assert HASH.match(ca["fingerprint"])
    assert ca["ca"] == ca["fingerprint"][:16]
    assert ca["name"] == "factory" and ca["description"] == "Werk Süd"
    assert ca["scope"] == ["d:meter:*", "g:*:*"]
    assert ca["tags"] == [{"name": "site", "value": "south"},
                          {"name": "x", "value": ""}]
    assert ca["subject"] == "CN=factory" and ca["state"] == "active"
    assert TIME.match(ca["not_before"]) and TIME.match(ca["not_after"])
    assert ca["crl"] == "if-present" and ca["crl_grace"] == "0s"
    assert all(ca[key] is None for key in (
        "crl_url", "crl_number", "crl_this_update", "crl_next_update",
        "crl_entries", "crl_failure", "crl_stored_at", "crl_fetched",
        "code_expires_at"))
    assert ca["crl_state"] == "none" and ca["revoked"] is False
    assert ca["warnings"] == []
    del ca["warnings"]
    assert ctl.json("ca", "list") == [ca]
    for name in (ca["ca"], ca["ca"][:4], ca["fingerprint"], "factory"):
        assert ctl.json("ca", "show", name) == ca
    ctl.fails(5, "", "ca", "add", certs.factory)
    ctl.fails(5, "", "ca", "add", certs.der)
    ctl.fails(5, "factory", "ca", "add", certs.other, "--name", "factory")
    assert "d:meter:*" in ctl.ok("ca", "show", "factory")


def test_ca_add_der_inactive_without_a_name(ctl, certs):
    ca = ctl.json("ca", "add", certs.der, "--inactive")
    assert ca["state"] == "inactive" and ca["name"] is None
    assert ca["scope"] == [] and ca["tags"] == []


def test_ca_add_warns(ctl, certs):
    done = ctl("ca", "add", certs.weak_words)
    assert done.returncode == 0
    assert "certid: warning: " in done.stderr and "added the CA" in done.stdout
    ca = ctl.json("ca", "add", certs.soon)
    assert any("90" in w or "expire" in w for w in ca["warnings"])


def test_ca_add_warns_of_a_twin(ctl, certs, tmp_path):
    mint = Certs(tmp_path)
    twin, third = (mint.ca(n, subject="/CN=factory") for n in ("twin", "third"))
    assert ctl.json("ca", "add", certs.factory)["warnings"] == []
    ctl.ok("org", "add", "acme")
    assert ctl.json("ca", "add", twin, "--org", "acme")["warnings"] == []
    assert ctl.json("ca", "add", certs.other)["warnings"] == []
    warnings = ctl.json("ca", "add", twin)["warnings"]
    assert len(warnings) == 1
    assert warnings[0].startswith("another CA of this subject is registered: "
                                  "with tls_verify broker the TLS handshake")
    done = ctl("ca", "add", third)
    assert done.returncode == 0
    assert f"certid: warning: {warnings[0]}\n" == done.stderr


def test_ca_add_warns_of_an_intermediate(ctl, tmp_path):
    mint = Certs(tmp_path)
    mid = mint.proof("mid", "mid", mint.ca("root"), extra=(
        "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n"))
    assert any(w.startswith("the CA is an intermediate: with tls_verify broker")
               for w in ctl.json("ca", "add", mid)["warnings"])


def test_a_ca_may_not_be_named_like_an_id(ctl, certs):
    for name in ("cafe", "1234", "FACADE"):
        ctl.fails(1, "choose a name that is not a hexadecimal number", "ca",
                  "add", certs.factory, "--name", name)
    ctl.ok("ca", "add", certs.factory, "--name", "abc")
    ctl.fails(1, "hexadecimal", "ca", "set", "abc", "--name", "abcd")
    ctl.ok("ca", "set", "abc", "--name", "factory")


def test_ca_add_refuses(ctl, certs, tmp_path):
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "empty").write_text("")
    (tmp_path / "large").write_bytes(b"x" * (64 * 1024 + 1))
    for name in ("text", "empty", "large"):
        ctl.fails(1, name, "ca", "add", tmp_path / name)
    ctl.fails(1, "is too large", "ca", "add", tmp_path / "large")
    ctl.fails(1, "there is no file", "ca", "add", tmp_path / "missing")
    ctl.fails(1, "is a directory", "ca", "add", tmp_path)
    ctl.fails(1, "not a regular file", "ca", "add", "/dev/zero")
    ctl.fails(1, "there is no file -", "ca", "add", "-", cwd=tmp_path)
    ctl.fails(1, "two.pem", "ca", "add", certs.two)
    ctl.fails(1, "meter.pem", "ca", "add", certs.meter)
    ctl.fails(1, "factory.key", "ca", "add", certs.key("factory"))
    assert ctl.json("ca", "list") == []


def test_ca_states(ctl, certs):
    ctl.ok("ca", "add", certs.factory, "--name", "f")
    assert ctl.json("ca", "deactivate", "f")["state"] == "inactive"
    assert ctl.json("ca", "show", "f")["state"] == "inactive"
    count = len(ctl.json("event", "list"))
    assert "is inactive already" in ctl.ok("ca", "deactivate", "f")
    assert len(ctl.json("event", "list")) == count
    assert "activated" in ctl.ok("ca", "activate", "f")
    assert ctl.json("ca", "list")[0]["state"] == "active"
    gone = ctl.json("ca", "remove", "f")
    assert gone["name"] == "f"
    for verb in ("show", "activate", "deactivate", "remove"):
        ctl.fails(4, "", "ca", verb, "f")
    ctl.fails(4, "", "ca", "set", "f", "--name", "g")


def test_ca_set(ctl, certs):
    ctl.ok("ca", "add", certs.factory, "--name", "f", "--scope", "d:a:*")
    ctl.ok("ca", "add", certs.other, "--name", "o")
    ca = ctl.json("ca", "set", "f", "--scope", "d:b:*", "--scope", "d:c:*",
                  "--enrol", "approve", "--description", "x")
    assert ca["scope"] == ["d:b:*", "d:c:*"] and ca["enrol"] == "approve"
    assert ca["description"] == "x" and ca["name"] == "f"
    assert ctl.json("ca", "set", "f", "--name", "g")["scope"] == ca["scope"]
    assert ctl.json("ca", "show", "g")["enrol"] == "approve"
    ctl.fails(5, "", "ca", "set", "g", "--name", "o")
    ctl.fails(2, "--enrol takes", "ca", "set", "g", "--enrol", "x")
    ctl.fails(2, "is not a scope", "ca", "set", "g", "--scope", "x")


def test_ca_settings_can_be_cleared(ctl, certs):
    ctl.ok("ca", "add", certs.factory, "--name", "f", "--description", "x")
    ctl.ok("ca", "add", certs.other, "--name", "o")
    ctl.ok("ca", "set", "f", "--enrol", "listed")
    ca = ctl.json("ca", "set", "f", "--enrol", "default", "--description", "",
                  "--name=")
    assert ca["enrol"] is ca["description"] is ca["name"] is None
    assert bare(ctl.json("ca", "show", ca["ca"])) == ca
    assert ctl.json("event", "list")[-1]["detail"] == (
        "name f -> none, description x -> none, enrol listed -> of the type")
    # Two without a name are no conflict.
    assert ctl.json("ca", "set", "o", "--name", "")["name"] is None


def test_a_ca_that_another_one_revoked(ctl, tmp_path):
    mint = Certs(tmp_path)
    root, mid = mint.ca("root"), mint.folder / "mid.pem"
    (mint.folder / "mid.ext").write_text(
        "[ext]\nsubjectKeyIdentifier=hash\n"
        "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n")
    mint.openssl("req", "-new", "-config", mint.config, "-key",
                 mint.key("mid"), "-subj", "/CN=mid", "-out", "mid.csr")
    mint.openssl("x509", "-req", "-in", "mid.csr", "-CA", root, "-CAkey",
                 mint.key("root"), "-set_serial", "7", "-days", "30",
                 "-extfile", "mid.ext", "-extensions", "ext", "-out", mid)
    leaf = mint.leaf("leaf", "d:meter:1", mid)
    top = ctl.json("ca", "add", root, "--name", "top")["ca"]
    ca = ctl.json("ca", "add", mid, "--name", "mid")
    assert ca["revoked"] is False
    assert explain(ctl, 0, "--cert", leaf)["reason"] == "provisioned"
    assert ctl("status", "--check").returncode == 0
    ctl.ok("ca", "crl", "top", mint.crl("lists", root, revoked=("07",)))
    said = (f"is revoked: it is listed in the CRL of the CA top ({top}); its "
            "devices are refused")
    assert explain(ctl, 1, "--cert", leaf)["reason"] == "cert-revoked"
    assert [c["revoked"] for c in ctl.json("ca", "list")] == [
        c["name"] == "mid" for c in ctl.json("ca", "list")]
    assert ctl.json("ca", "show", "mid")["state"] == "active"
    lines = ctl.ok("ca", "list").splitlines()
    assert [" revoked " in x for x in lines] == [" mid " in x for x in lines]
    assert re.search(rf"(?m)^revoked +{re.escape(said)}$",
                     ctl.ok("ca", "show", "mid"))
    assert "revoked" not in ctl.ok("ca", "show", "top")
    status = ctl.json("status")
    assert status["per_org"][0]["cas"]["revoked"] == 1
    assert status["per_org"][0]["cas"]["active"] == 1
    assert status["findings"][0] == {
        "kind": "ca-revoked", "org": "default", "ca": ca["ca"],
        "level": "critical", "text": f"the CA mid ({ca['ca']}) {said}: certid "
                                     f"ca remove {ca['ca']}"}
    assert ctl("status", "--check").returncode == 1
    ctl.ok("ca", "remove", "mid")
    assert ctl("status", "--check").returncode == 0
    again = ctl.json("ca", "add", mid)
    assert again["revoked"] is True
    assert f"the CA {ca['ca']} {said}" in again["warnings"]
    ctl.ok("ca", "set", "top", "--crl", "off")
    assert ctl.json("ca", "show", ca["ca"])["revoked"] is False
    # What was revoked where is of one org.
    ctl.ok("ca", "set", "top", "--crl", "required")
    ctl.ok("org", "add", "acme")
    assert ctl.json("ca", "add", mid, "--org", "acme")["revoked"] is False
    assert ctl.json("ca", "show", ca["ca"])["revoked"] is True
    assert [c["revoked"] for c in ctl.json("ca", "list", "--org", "acme")] == [
        False]
