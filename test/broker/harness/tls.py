# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""TLS by hand, for brokers whose plugin judges the handshake: names of the
server, chains, tickets, flights."""

import base64
import itertools
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import pytest
from harness.broker import fields, quote, verifies_in_plugin
from harness.pki import Ca, Leaf, openssl
from harness.raw import TIMEOUT, Raw, connect_packet
from harness.site import Site
from harness.wait import until

OTHERS = "plugin_opt_others defer\n"
OPTION = "plugin_opt_tls_verify plugin\n"
TLS = pytest.mark.parametrize("tls", ["1.2", "1.3"])
NUMBERS = itertools.count(1)


# The broker


def stranger(site: Site) -> Ca:
    """A CA that nobody registered.  The listeners trust it."""
    return site.pki.root("stranger")


def own_trust(site: Site, kind: str) -> str:
    """A listener's own lines about CAs; the plugin does not care for them."""
    etc = site.broker.etc
    shutil.copy(stranger(site).cert, etc / "stranger.pem")
    folder = etc / "strangers"
    (etc / "empty").mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    name = openssl("x509", "-in", etc / "stranger.pem", "-noout", "-hash").strip()
    shutil.copy(etc / "stranger.pem", folder / f"{name}.0")
    return {
        "cafile": f"cafile {etc}/stranger.pem\n",
        "capath": f"capath {folder}\n",
        "both": f"cafile {etc}/stranger.pem\ncapath {folder}\n",
        "empty": f"capath {etc}/empty\n",
        "none": "",
    }[kind]


def hand_over(site: Site, kind: str = "cafile") -> Site:
    """Let the plugin judge the handshake, and the listener trust strangers."""
    if not verifies_in_plugin():
        site.broker.edit(OTHERS, OTHERS + OPTION)
    line = f"\ncapath {site.broker.store}/ca\n"
    site.broker.edit(line, "\n" + own_trust(site, kind))
    return site


def tls_listener(site: Site, port: int, more: str = "", kind: str = "cafile") -> str:
    """The lines of one more TLS listener."""
    certs = site.broker.etc / "certs"
    return (
        f"listener {port} 127.0.0.1\n{own_trust(site, kind)}"
        f"certfile {certs}/server.crt\nkeyfile {certs}/server.key\n"
        f"require_certificate true\n{more}"
    )


# Certificates


def bundle(leaf: Leaf, *along: "Path | Ca") -> Leaf:
    """The same certificate, sent with these after it."""
    out = leaf.cert.with_suffix(f".bundle{next(NUMBERS)}.pem")
    files = [each.cert if isinstance(each, Ca) else each for each in along]
    out.write_text("".join(file.read_text() for file in (leaf.cert, *files)))
    return Leaf(leaf.cert, leaf.key, out)


# Clients


class Context(ssl.SSLContext):
    """Asks for the server by host (SNI), or by none, whatever it looks like."""

    host: Optional[str] = None

    def _encode_hostname(self, hostname: Optional[str]) -> Optional[str]:
        return hostname

    def wrap_socket(self, *args: Any, **options: Any) -> Any:
        options["server_hostname"] = self.host
        return super().wrap_socket(*args, **options)

    def wrap_bio(self, *args: Any, **options: Any) -> Any:
        options["server_hostname"] = self.host
        return super().wrap_bio(*args, **options)


def context_of(
    site: Site, leaf: Optional[Leaf], tls: str = "", host: Optional[str] = None
) -> Context:
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.host = host
    context.load_verify_locations(site.server_ca.cert)
    if leaf:
        context.load_cert_chain(leaf.chain, leaf.key)
    if tls:
        version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[tls]
        context.minimum_version = context.maximum_version = version
    return context


def enter(
    site: Site,
    leaf: Optional[Leaf],
    client_id: str,
    tls: str = "",
    host: Optional[str] = None,
    port: int = 0,
    **options: Any,
) -> Raw:
    """Connected, and let in."""
    context = context_of(site, leaf, tls, host)
    raw = Raw(port or site.broker.tls_port, context)
    code = raw.connect(client_id, **options)
    assert code == 0, f"{client_id} was not let in: {code}"
    return raw


def knock(
    site: Site,
    leaf: Optional[Leaf],
    client_id: str,
    tls: str = "",
    host: Optional[str] = None,
    port: int = 0,
    **options: Any,
) -> int:
    """The code of CONNACK; -1 if none came."""
    context = context_of(site, leaf, tls, host)
    try:
        with Raw(port or site.broker.tls_port, context) as raw:
            return raw.connect(client_id, **options)
    except Raw.Gone:
        return -1


def turned_away(
    site: Site, leaf: Leaf, reason: str, **how: Any
) -> "dict[str, str]":
    """In the handshake.  The fields of the line in the log."""
    since = site.broker.mark()
    assert knock(site, leaf, "d:not:heard", **how) == -1
    fields = wait_refusal(site, "", reason, since)
    assert "as d:not:heard" not in site.broker.log()[since:]
    return fields


def refused(
    site: Site, leaf: Optional[Leaf], client_id: str, reason: str, **how: Any
) -> "dict[str, str]":
    """After the handshake, at CONNECT."""
    since = site.broker.mark()
    assert knock(site, leaf, client_id, **how) == 5
    return wait_refusal(site, client_id, reason, since)


def wait_refusal(
    site: Site, client_id: str, reason: str, since: int
) -> "dict[str, str]":
    """The line of one client; those that only count refusals have no address."""
    name = re.escape(quote(client_id))
    form = rf"certid: (admitted|refused) (.*client={name} addr=.*)$"
    found = site.broker.wait_log(form, since=since)
    told = fields(found[2])
    assert (found[1], told["reason"]) == ("refused", reason), told
    return told


def at_rest(site: Site) -> None:
    """As settle(); and no change of its own is on the way any more."""
    site.settle()
    identity = site.new_id("canary")
    leaf = site.pki.root("canary").leaf(identity)
    until(lambda: knock(site, leaf, identity) == 0, "the canary's CA")


# Tickets


@dataclass
class Kept:
    """What a client may come back with."""

    context: Context
    session: ssl.SSLSession


def keep(
    site: Site,
    leaf: Optional[Leaf],
    client_id: str,
    tls: str = "",
    host: Optional[str] = None,
    port: int = 0,
    **words: Any,
) -> Kept:
    context = context_of(site, leaf, tls, host)
    with Raw(port or site.broker.tls_port, context) as raw:
        assert raw.connect(client_id, **words) == 0
        return Kept(context, raw.socket.session)


def come_back(
    site: Site, kept: Kept, client_id: str, port: int = 0, **words: Any
) -> tuple[int, bool]:
    """The code of CONNACK, -1 for none; and whether the ticket was taken."""
    reused = False
    try:
        with Raw(port or site.broker.tls_port, kept.context, kept.session) as raw:
            reused = raw.socket.session_reused
            code = raw.connect(client_id, **words)
            # It comes back with the newest one next time.
            kept.session = raw.socket.session or kept.session
            return code, reused
    except Raw.Gone:
        return -1, reused


# What the server asks for


def asked(port: int, tls: str = "1.3", host: str = "") -> Optional[list[str]]:
    """The names of CAs in its CertificateRequest; None if it sends none."""
    name = ["-servername", host] if host else ["-noservername"]
    line = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *name]
    version = "-tls" + tls.replace(".", "_")
    done = subprocess.run(
        [*line, version, "-nameopt", "RFC2253"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    if "Requested Signature Algorithms" not in done.stdout:
        return None
    form = r"^Acceptable client certificate CA names\n((?:.+\n)*?)(?:Client|Requested)"
    found = re.search(form, done.stdout, re.MULTILINE)
    return found[1].splitlines() if found else []


class Flights:
    """A handshake of which the client is the master, flight by flight."""

    def __init__(self, port: int, context: Context):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.into, self.out)

    def next(self) -> bytes:
        """What the client has to send now; b"" when it is done."""
        while True:
            try:
                self.tls.do_handshake()
                return self.out.read()
            except ssl.SSLWantReadError:
                data = self.out.read()
                if data:
                    return data
            more = self.socket.recv(65536)
            if not more:
                raise Raw.Gone("closed")
            self.into.write(more)

    def finish(self) -> None:
        data = self.next()
        while data:
            self.socket.sendall(data)
            data = self.next()

    def connect(self, client_id: str) -> int:
        self.tls.write(connect_packet(client_id))
        self.socket.sendall(self.out.read())
        answer = b""
        while len(answer) < 4:
            try:
                answer += self.tls.read(4)
            except ssl.SSLWantReadError:
                more = self.socket.recv(65536)
                if not more:
                    raise Raw.Gone("closed") from None
                self.into.write(more)
        return answer[3]

    def close(self) -> None:
        self.socket.close()


class WebSocket:
    """RFC 6455 in the place of a socket: MQTT in binary frames."""

    def __init__(self, inner: Any):
        self.inner = inner
        self.data = b""
        key = base64.b64encode(os.urandom(16)).decode()
        inner.sendall(
            "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n"
            "\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.more(1)
        assert answer.startswith(b"HTTP/1.1 101 "), answer

    def more(self, count: int) -> bytes:
        data = self.inner.recv(count)
        if not data:
            raise OSError("closed")
        return data

    def sendall(self, data: bytes) -> None:
        size = len(data)
        head = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
        self.inner.sendall(b"\x82" + head + bytes(4) + data)  # masked with zeros

    def recv(self, count: int) -> bytes:
        while not self.data:
            first, size = self.more(1)[0], self.more(1)[0]
            if size == 126:
                size = struct.unpack("!H", self.more(1) + self.more(1))[0]
            frame = b""
            while len(frame) < size:
                frame += self.more(size - len(frame))
            if first & 0x0F == 8:
                raise OSError("closed")
            self.data += frame
        out, self.data = self.data[:count], self.data[count:]
        return out

    def close(self) -> None:
        self.inner.close()
