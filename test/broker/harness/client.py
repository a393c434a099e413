# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A proper MQTT client (paho) that keeps what happened to it."""

import contextlib
import socket
import threading
import time
from typing import Any, Optional

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from harness.broker import is_2_1
from harness.pki import Leaf
from harness.raw import tls_context
from harness.wait import PATIENCE

ACCEPTED, REFUSED, CLOSED = "accepted", "refused", "closed"
NOT_AUTHORIZED = {paho.MQTTv311: 5, paho.MQTTv5: 0x87}
# Client identifier not valid, server busy, banned: to MQTT 5 clients by 2.1.
TELLING = {0x85, 0x89, 0x8A}


class Loop(paho.Client):
    """paho lets TLS errors of a closed connection end its thread in silence."""

    def loop_forever(self, *args: Any, **options: Any) -> Any:
        try:
            return super().loop_forever(*args, **options)
        except OSError:
            self.on_disconnect()
            return paho.MQTT_ERR_CONN_LOST


class Client:
    """leaf None and server_ca None: no TLS."""

    def __init__(
        self,
        port: int,
        client_id: str,
        leaf: Optional[Leaf] = None,
        server_ca: Any = None,
        v5: bool = False,
        tls: str = "",
        clean: bool = True,
        login: Optional[tuple[str, Optional[str]]] = None,
        will: Optional[tuple[str, str]] = None,
    ):
        self.port, self.client_id, self.v5, self.clean = port, client_id, v5, clean
        self.changed = threading.Condition()
        self.connack: Optional[int] = None
        self.session_present = False
        self.closed_at: Optional[float] = None
        self.messages: list[tuple[str, str]] = []
        self.times: list[float] = []
        self.granted: dict[int, int] = {}
        self.acked: dict[int, int] = {}
        version = paho.MQTTv5 if v5 else paho.MQTTv311
        options = {} if v5 else {"clean_session": clean}
        self.paho = Loop(
            client_id, protocol=version, reconnect_on_failure=False, **options
        )
        if server_ca:
            self.paho.tls_set_context(tls_context(server_ca, leaf, tls))
        if login:
            self.paho.username_pw_set(*login)
        if will:
            self.paho.will_set(will[0], will[1], qos=1)
        self.paho.on_connect = self.on_connect
        self.paho.on_disconnect = self.on_disconnect
        self.paho.on_message = self.on_message
        self.paho.on_subscribe = self.on_subscribe
        self.paho.on_publish = self.on_publish

    # What paho tells, on its own thread

    def tell(self, change: Any) -> None:
        with self.changed:
            change()
            self.changed.notify_all()

    def on_connect(self, _c: Any, _u: Any, flags: Any, code: Any, *_: Any) -> None:
        value = code.value if hasattr(code, "value") else code

        def change() -> None:
            self.connack = value
            self.session_present = bool(flags["session present"])

        self.tell(change)

    def on_disconnect(self, *_: Any) -> None:
        now = time.monotonic()
        self.tell(lambda: setattr(self, "closed_at", now))

    def on_message(self, _c: Any, _u: Any, message: Any) -> None:
        def change() -> None:
            self.messages.append((message.topic, message.payload.decode()))
            self.times.append(time.monotonic())

        self.tell(change)

    def on_subscribe(self, _c: Any, _u: Any, number: int, codes: Any, *_: Any) -> None:
        code = codes[0].value if hasattr(codes[0], "value") else codes[0]
        self.tell(lambda: self.granted.__setitem__(number, code))

    def on_publish(self, _c: Any, _u: Any, number: int, *_: Any) -> None:
        self.tell(lambda: self.acked.__setitem__(number, 0))

    # What a test does

    def wait(self, look: Any, what: str, timeout: float = PATIENCE) -> None:
        with self.changed:
            done = self.changed.wait_for(look, timeout)
        assert done, f"{self.client_id}: waited {timeout:g} s in vain: {what}"

    def attempt(self) -> str:
        """Connect; ACCEPTED, REFUSED (not authorized) or CLOSED."""
        try:
            if self.v5:
                properties = Properties(PacketTypes.CONNECT)
                if not self.clean:
                    properties.SessionExpiryInterval = 3600
                self.paho.connect(
                    "127.0.0.1",
                    self.port,
                    clean_start=self.clean,
                    properties=properties,
                )
            else:
                self.paho.connect("127.0.0.1", self.port)
        except OSError:
            return CLOSED
        self.paho.loop_start()
        self.wait(
            lambda: self.connack is not None or self.closed_at is not None,
            "an answer to CONNECT",
        )
        if self.connack == 0:
            return ACCEPTED
        self.wait(lambda: self.closed_at is not None, "the end of the connection")
        if self.connack is None:
            return CLOSED
        version = paho.MQTTv5 if self.v5 else paho.MQTTv311
        expected = {NOT_AUTHORIZED[version]}
        if self.v5 and is_2_1():
            expected |= TELLING
        assert self.connack in expected, self.connack
        return REFUSED

    def open(self) -> "Client":
        outcome = self.attempt()
        assert outcome == ACCEPTED, f"{self.client_id} was not let in: {outcome}"
        return self

    def publish(self, topic: str, payload: str, retain: bool = False) -> None:
        """QoS 1; comes back when the broker has dealt with it."""
        number = self.paho.publish(topic, payload, qos=1, retain=retain).mid
        self.wait(lambda: number in self.acked, f"PUBACK for {topic}")

    def subscribe(self, topic: str) -> bool:
        """Whether the broker granted it."""
        number = self.paho.subscribe(topic, qos=1)[1]
        self.wait(lambda: number in self.granted, f"SUBACK for {topic}")
        return self.granted[number] < 0x80

    def wait_message(self, topic: str, payload: str, timeout: float = PATIENCE) -> None:
        want = (topic, payload)
        self.wait(lambda: want in self.messages, f"message {want}", timeout)

    def payloads(self) -> list[str]:
        with self.changed:
            return [payload for _, payload in self.messages]

    def is_open(self) -> bool:
        return self.connack == 0 and self.closed_at is None

    def wait_closed(self, timeout: float = PATIENCE) -> float:
        """When the connection ended, by time.monotonic()."""
        self.wait(lambda: self.closed_at is not None, "disconnection", timeout)
        assert self.closed_at is not None
        return self.closed_at

    def lose(self) -> None:
        """The network goes: no DISCONNECT, so the will is due."""
        sock = self.paho.socket()
        if sock is not None:
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
            self.wait_closed()
        self.paho.loop_stop()

    def close(self) -> None:
        if self.is_open():
            with contextlib.suppress(OSError):
                self.paho.disconnect()
        self.paho.loop_stop()
