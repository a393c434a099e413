# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Throw-away certificates, minted with the openssl command.

One file per certificate.  Keys are shared unless a test asks for its own, and
equal requests give the same file, so that a run mints each certificate once.
"""

import itertools
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Optional, Sequence

CA_EXTENSIONS = (
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
)
LEAF_EXTENSIONS = (
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
)


# Or it reads all CAs of the machine to sign with one of ours: most of its time.
ENVIRONMENT = {**os.environ, "SSL_CERT_FILE": "/dev/null"}


def openssl(*args: object, stdin: str = "") -> str:
    done = subprocess.run(
        ["openssl", *map(str, args)],
        input=stdin,
        text=True,
        capture_output=True,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, f"openssl {args}: {done.stderr}"
    return done.stdout


def in_seconds(seconds: float) -> datetime:
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


def serial_of(cert: Path) -> str:
    """As "openssl ca" wants it: an even number of hex digits."""
    digits = openssl("x509", "-in", cert, "-noout", "-serial").strip().split("=")[1]
    return digits.zfill(len(digits) + len(digits) % 2)


@dataclass(frozen=True)
class Key:
    private: Path
    public: Path


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key.  chain holds it and its intermediates."""

    cert: Path
    key: Path
    chain: Path

    def fingerprint(self) -> str:
        text = openssl("x509", "-in", self.cert, "-noout", "-fingerprint", "-sha256")
        return text.split("=")[1].strip().replace(":", "").lower()


@dataclass
class Ca:
    pki: "Pki"
    name: str
    cert: Path
    key: Key
    above: list[Path] = field(default_factory=list)  # what a client sends along

    def leaf(
        self,
        cn: "str | Sequence[str] | None" = None,
        san: Sequence[str] = (),
        days: int = 30,
        end: Optional[datetime] = None,
        start: Optional[datetime] = None,
        v1: bool = False,
        eku: str = "clientAuth",
        key: str = "device",
        extensions: Sequence[str] = (),
        serial: Optional[int] = None,
    ) -> Leaf:
        """san: as in openssl's configuration, "email:d:meter:0001"."""
        names = [cn] if isinstance(cn, str) else list(cn or [])
        subject = "".join(f"/CN={name}" for name in names) or "/O=nobody"
        lines = [] if v1 else [*LEAF_EXTENSIONS, *extensions]
        if eku and not v1:
            lines.append(f"extendedKeyUsage={eku}")
        if san:
            lines.append("subjectAltName=" + ",".join(san))
        cert = self.pki.mint(
            self, subject, lines, self.pki.key(key), days, start, end, serial
        )
        chain = cert
        if self.above:
            chain = cert.with_suffix(".chain.pem")
            parts = [cert, *self.above]
            chain.write_text("".join(part.read_text() for part in parts))
        return Leaf(cert, self.pki.key(key).private, chain)

    def crl(
        self,
        number: int,
        *revoked: "Leaf | Ca",
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
    ) -> Path:
        """A revocation list of this CA that lists these certificates."""
        work = Path(tempfile.mkdtemp(prefix="crl-", dir=self.pki.folder))
        rows = [
            f"R\t491231235959Z\t200101000000Z\t{serial_of(each.cert)}\tunknown\t/CN=x\n"
            for each in revoked
        ]
        (work / "index").write_text("".join(rows))
        (work / "number").write_text(f"{number:040x}\n")
        (work / "conf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={work}/index\n"
            f"crlnumber={work}/number\ndefault_md=sha256\ncrl_extensions=e\n"
            "[e]\nauthorityKeyIdentifier=keyid\n"
        )
        form = "%Y%m%d%H%M%SZ"
        openssl(
            *("ca", "-gencrl", "-config", work / "conf", "-cert", self.cert),
            *("-keyfile", self.key.private, "-out", work / "crl.pem"),
            *("-crl_lastupdate", (start or in_seconds(-60)).strftime(form)),
            *("-crl_nextupdate", (end or in_seconds(86400)).strftime(form)),
        )
        return work / "crl.pem"

    def intermediate(self, name: str) -> "Ca":
        """A CA below this one.  Its leaves send it along."""
        key = self.pki.key(f"ca-{name}")
        cert = self.pki.mint(self, f"/CN={name}", CA_EXTENSIONS, key, 365)
        return Ca(self.pki, name, cert, key, [cert, *self.above])


class Pki:
    def __init__(self, folder: Path):
        self.folder = folder
        self.keys: dict[str, Key] = {}
        self.minted: dict[tuple, Path] = {}
        self.numbers = itertools.count(1)

    def key(self, name: str) -> Key:
        if name not in self.keys:
            private = self.folder / f"{name}.key"
            public = self.folder / f"{name}.pub"
            curve = "ec_paramgen_curve:P-256"
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", private)
            openssl("pkey", "-in", private, "-pubout", "-out", public)
            self.keys[name] = Key(private, public)
        return self.keys[name]

    def root(
        self,
        name: str,
        days: int = 365,
        end: Optional[datetime] = None,
        extensions: Sequence[str] = CA_EXTENSIONS,
        key: Optional[str] = None,
    ) -> Ca:
        pair = self.key(key or f"ca-{name}")
        cert = self.mint(None, f"/CN={name}", extensions, pair, days, None, end)
        return Ca(self, name, cert, pair)

    def mint(
        self,
        issuer: Optional[Ca],
        subject: str,
        extensions: Sequence[str],
        key: Key,
        days: int,
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        serial: Optional[int] = None,
    ) -> Path:
        """A certificate; issuer None: it signs itself."""
        above = issuer.cert if issuer else None
        want = (above, subject, tuple(extensions), key, days, start, end, serial)
        if want in self.minted:
            return self.minted[want]
        number = next(self.numbers)  # several threads mint at once
        out = self.folder / f"{number}.pem"
        self.minted[want] = out
        lines = self.folder / f"{number}.ext"
        lines.write_text("".join(f"{line}\n" for line in extensions))
        if start or end:
            self.mint_between(out, issuer, subject, lines, key, start, end)
            return out
        args: list[object] = ["-new", "-subj", subject, "-days", days, "-out", out]
        if issuer:
            args += ["-force_pubkey", key.public, "-CA", issuer.cert]
            args += ["-CAkey", issuer.key.private]
        else:
            args += ["-key", key.private]
        if extensions:
            args += ["-extfile", lines]
        if serial is not None:
            args += ["-set_serial", serial]
        openssl("x509", *args)
        return out

    def mint_between(
        self,
        out: Path,
        issuer: Optional[Ca],
        subject: str,
        lines: Path,
        key: Key,
        start: Optional[datetime],
        end: Optional[datetime],
    ) -> None:
        """With dates to the second, which only "openssl ca" can do."""
        work = out.with_suffix(".ca")
        work.mkdir()
        (work / "index").touch()
        (work / "conf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={work}/index\nnew_certs_dir={work}\n"
            "rand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
            "[p]\ncommonName=optional\norganizationName=optional\n"
            "[req]\ndistinguished_name=d\n[d]\n"
        )
        request = work / "request"
        openssl(
            *("req", "-new", "-config", work / "conf", "-key", key.private),
            *("-subj", subject, "-out", request),
        )
        signer = issuer.key if issuer else key
        by = ["-cert", issuer.cert] if issuer else ["-selfsign"]
        form = "%Y%m%d%H%M%SZ"
        openssl(
            *("ca", "-batch", "-config", work / "conf", "-notext", "-in", request),
            *("-keyfile", signer.private, *by, "-extfile", lines, "-out", out),
            *("-startdate", (start or in_seconds(-3600)).strftime(form)),
            *("-enddate", (end or in_seconds(86400)).strftime(form)),
        )
