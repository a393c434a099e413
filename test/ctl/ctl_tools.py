# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""certid as the tests run it, and certificates for it."""
import contextlib
import json
import os
import re
import sqlite3
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("CERTID_BUILD", ROOT / "build")).resolve()
CERTID = BUILD / "ctl" / "certid"

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
HASH = re.compile(r"^[0-9a-f]{64}$")

DEVICE_KEYS = set(
    "identity class type id state created_at provisioned_at last_seen_at "
    "last_address ca fingerprint pins tags info locked window_ends_at "
    "gateway token seen_with".split())
CA_KEYS = set(
    "ca name description subject fingerprint not_before not_after state "
    "scope enrol rate tags added_at crl crl_grace crl_url crl_number crl_this_update "
    "crl_next_update crl_entries crl_failure crl_state crl_stored_at "
    "crl_fetched code_expires_at".split())


def run(*args, registry=None, env=None, **more):
    """certid with these arguments; never the user's own registry."""
    full = {k: v for k, v in os.environ.items() if k != "CERTID_REGISTRY"}
    full["CERTID_REGISTRY"] = str(registry or "/nonexistent/registry.db")
    full.update(env or {})
    return subprocess.run([str(CERTID), *map(str, args)], env=full, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, **more)


class Ctl:
    """certid on one registry."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *args, **more):
        return run(*args, registry=self.path, **more)

    def ok(self, *args, **more):
        done = self(*args, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *args):
        return json.loads(self.ok("--json", *args))

    def fails(self, code, words, *args, **more):
        """It ends with code, one sentence on stderr, and nothing else."""
        done = self(*args, **more)
        assert done.returncode == code, (args, done.stdout, done.stderr)
        assert done.stdout == ""
        assert done.stderr.startswith("certid: "), done.stderr
        assert done.stderr.count("\n") == 1
        assert words in done.stderr, done.stderr
        return done.stderr


class Certs:
    """A CA and what it signed, minted with the openssl command."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "empty.cnf"
        self.config.write_text("[req]\ndistinguished_name=dn\n[dn]\n")

    def openssl(self, *args):
        subprocess.run(["openssl", *map(str, args)], check=True,
                       cwd=self.folder, capture_output=True)

    def key(self, name):
        key = self.folder / f"{name}.key"
        if not key.exists():
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-out", key)
        return key

    def ca(self, name, subject=None, days=3650, extensions=None):
        pem = self.folder / f"{name}.pem"
        wanted = extensions or ["basicConstraints=critical,CA:TRUE",
                                "keyUsage=critical,keyCertSign,cRLSign",
                                "subjectKeyIdentifier=hash"]
        added = [x for e in wanted for x in ("-addext", e)]
        self.openssl("req", "-x509", "-new", "-config", self.config, "-key",
                     self.key(name), "-subj", subject or f"/CN={name}",
                     "-days", days, *added, "-out", pem)
        return pem

    def leaf(self, name, cn, ca, days=30, extra=""):
        pem = self.folder / f"{name}.pem"
        request = self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text("basicConstraints=critical,CA:FALSE\n"
                              "keyUsage=critical,digitalSignature\n"
                              "extendedKeyUsage=clientAuth\n"
                              "authorityKeyIdentifier=keyid\n" + extra)
        self.openssl("req", "-new", "-config", self.config, "-key",
                     self.key(name), "-subj", f"/CN={cn}", "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey",
                     self.key(ca.stem), "-set_serial", "0x1a", "-days", days,
                     "-extfile", extensions, "-out", pem)
        return pem


    def proof(self, name, cn, ca, days=1, extra="", subject=None):
        """What a CA signs to show that its key is at hand."""
        pem = self.folder / f"{name}.pem"
        request = self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text("[ext]\nsubjectKeyIdentifier=hash\n" + extra)
        self.openssl("req", "-new", "-config", self.config, "-key",
                     self.key("proof"), "-subj", subject or f"/CN={cn}",
                     "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey",
                     self.key(ca.stem), "-set_serial", "7", "-days", days,
                     "-extfile", extensions, "-extensions", "ext", "-out", pem)
        return pem

    def crl(self, name, ca, number=1, revoked=(), days=30, start=None,
            extra="", version_2=True):
        """A CRL of ca; days may be negative, with an earlier start."""
        pem = self.folder / f"{name}.crl"
        folder = self.folder / f"{name}.db"
        folder.mkdir()
        start = time.time() if start is None else start
        (folder / "index.txt").write_text("".join(
            f"R\t491231235959Z\t250101000000Z\t{serial}\tunknown\t/CN=x\n"
            for serial in revoked))
        if number is not None:
            (folder / "crlnumber").write_text(f"{number:040x}\n")
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=a\n[a]\ndatabase={folder}/index.txt\n"
            f"default_md=sha256\nunique_subject=no\n" +
            (f"crlnumber={folder}/crlnumber\n" if number is not None else "") +
            ("crl_extensions=ext\n" if version_2 else "") +
            "[ext]\nauthorityKeyIdentifier=keyid\n" + extra)
        self.openssl("ca", "-gencrl", "-config", folder / "ca.cnf", "-cert", ca,
                     "-keyfile", self.key(ca.stem), "-crl_lastupdate",
                     asn1_time(start), "-crl_nextupdate",
                     asn1_time(time.time() + days * 86400), "-out", pem)
        return pem


def bare(ca):
    """A CA as what changes it prints it: without a look at the other CAs."""
    return {k: v for k, v in ca.items() if k != "revoked"}


def asn1_time(when):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(when))


def rfc3339(when):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


@contextlib.contextmanager
def unchanged(ctl):
    """Nothing that is done here changes the CAs, or makes an event, which every
    other change does."""
    def said():
        return ctl.json("ca", "list"), ctl.json("event", "list")
    before = said()
    yield
    assert said() == before


def add_devices(ctl, *identities):
    for identity in identities:
        ctl.ok("device", "add", identity)


STEPS = ["who", "certificate", "chain", "identity", "client-id", "level",
         "device", "registry"]


def explain(ctl, code, *args):
    done = ctl("explain", "--json", *args)
    assert done.returncode == code, (done.stdout, done.stderr)
    it = json.loads(done.stdout)
    assert set(it) == {"decision", "reason", "identity", "ca", "rule",
                       "level", "steps"}
    assert it["decision"] == ("refuse" if code else "admit")
    assert [s["step"] for s in it["steps"]] == STEPS
    for step in it["steps"]:
        assert set(step) == {"step", "result", "detail"}
        assert step["result"] in ("pass", "fail", "skipped")
    failed = [s for s in it["steps"] if s["result"] == "fail"]
    assert len(failed) == (1 if code else 0)
    return it


@contextlib.contextmanager
def same_device(ctl, identity):
    """Nothing that is done here changes the device, or makes an event."""
    def said():
        return ctl.json("device", "show", identity), ctl.json("event", "list")
    before = said()
    yield
    assert said() == before


def connected(ctl, seen_with, *identities, at=1790000000):
    """As if these had connected: 1 TLS, 2 a certificate, 4 a token.  Written as
    a broker writes it; the registry keeps its tallies itself."""
    for identity in identities:
        if ctl("device", "show", identity).returncode == 4:
            ctl.ok("device", "add", identity)
    with contextlib.closing(sqlite3.connect(ctl.path)) as db, db:
        db.executemany(
            "UPDATE device SET state = 'provisioned', provisioned_at = ?1, "
            "last_seen_at = ?1, seen_with = ?2 WHERE identity = ?3",
            [(at, seen_with, identity) for identity in identities])


def tell_pins(ctl, identity, text):
    """The pins of a device, as a broker would write them."""
    with contextlib.closing(sqlite3.connect(ctl.path)) as db, db:
        db.execute("UPDATE device SET pins = ? WHERE identity = ?",
                   (text, identity))
