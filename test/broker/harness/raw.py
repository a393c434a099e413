# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""MQTT by hand: for what a proper client library would never send.

Blocking, one thread, no library but ssl.  Also the fast client of the tests
with a thousand connections.
"""

import socket
import ssl
import struct
from typing import Any, Optional

from harness.pki import Leaf

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP, DISCONNECT, AUTH = 2, 3, 4, 9, 13, 14, 15
TIMEOUT = 15.0


def tls_context(server_ca: Any, leaf: Optional[Leaf], tls: str = "") -> ssl.SSLContext:
    """tls: "1.2", "1.3", or whatever both sides like best."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(server_ca.cert)
    if leaf:
        context.load_cert_chain(leaf.chain, leaf.key)
    if tls:
        version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[tls]
        context.minimum_version = context.maximum_version = version
    return context


def text(value: "str | bytes") -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(data)) + data


def length(number: int) -> bytes:
    out = b""
    while True:
        number, digit = divmod(number, 128)
        out += bytes([digit | (0x80 if number else 0)])
        if not number:
            return out


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + length(len(body)) + body


def connect_packet(
    client_id: "str | bytes",
    v5: bool = False,
    clean: bool = True,
    username: Optional[str] = None,
    password: Optional[str] = None,
    will: Optional[tuple[str, bytes]] = None,
    auth_method: str = "",
    expiry: int = 0,
    will_delay: int = 0,
) -> bytes:
    flags = 0x02 if clean else 0
    properties = b""
    if expiry:
        properties += b"\x11" + struct.pack("!I", expiry)
    if auth_method:
        properties += b"\x15" + text(auth_method)
    payload = text(client_id)
    if will:
        flags |= 0x04
        delay = b"\x18" + struct.pack("!I", will_delay) if will_delay else b""
        payload += length(len(delay)) + delay if v5 else b""
        payload += text(will[0]) + text(will[1])
    if username is not None:
        flags |= 0x80
        payload += text(username)
    if password is not None:
        flags |= 0x40
        payload += text(password)
    head = text("MQTT") + bytes([5 if v5 else 4, flags]) + struct.pack("!H", 60)
    if v5:
        head += length(len(properties)) + properties
    return packet(0x10, head + payload)


def publish_packet(
    topic: "str | bytes",
    payload: bytes,
    v5: bool = False,
    number: int = 0,
    retain: bool = False,
) -> bytes:
    """number: packet identifier, and then QoS 1."""
    first = 0x30 | (0x02 if number else 0) | (0x01 if retain else 0)
    body = text(topic) + (struct.pack("!H", number) if number else b"")
    return packet(first, body + (b"\x00" if v5 else b"") + payload)


def subscribe_packet(topic: str, number: int = 1, v5: bool = False) -> bytes:
    body = struct.pack("!H", number) + (b"\x00" if v5 else b"")
    return packet(0x82, body + text(topic) + b"\x01")


class Raw:
    """One connection.  Every method that reads raises Gone at its end."""

    class Gone(Exception):
        pass

    def __init__(
        self,
        port: int,
        context: Optional[ssl.SSLContext] = None,
        session: Optional[ssl.SSLSession] = None,
        source: str = "127.0.0.1",
    ):
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT, (source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket: Any = plain
        if context:
            try:
                self.socket = context.wrap_socket(
                    plain, server_hostname="127.0.0.1", session=session
                )
            except OSError as error:
                plain.close()
                raise Raw.Gone(f"handshake: {error}") from None

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Raw.Gone(str(error)) from None

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except socket.timeout:
                raise AssertionError("no answer from the broker") from None
            except OSError as error:
                raise Raw.Gone(str(error)) from None
            if not more:
                raise Raw.Gone("closed")
            data += more
        return data

    def read(self) -> tuple[int, bytes]:
        """The next packet: its type and its body."""
        first = self.exactly(1)[0]
        total, shift = 0, 0
        while True:
            digit = self.exactly(1)[0]
            total |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                break
        return first >> 4, self.exactly(total)

    def read_until(self, kind: int) -> bytes:
        while True:
            found, body = self.read()
            if found == kind:
                return body

    def connect(self, client_id: "str | bytes", **options: Any) -> int:
        """The CONNACK's code; 0 is accepted."""
        self.send(connect_packet(client_id, **options))
        kind, body = self.read()
        assert kind == CONNACK, kind
        return body[1]

    def ask(self, client_id: "str | bytes", **options: Any) -> int:
        """connect(), where the broker may also just hang up: -1."""
        try:
            return self.connect(client_id, **options)
        except Raw.Gone:
            return -1

    def close(self) -> None:
        """Without DISCONNECT, as a lost connection."""
        self.socket.close()
