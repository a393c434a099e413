# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""One broker with a registered CA, and the clients that a test connects."""

import itertools
from typing import Any, Optional, Sequence

from harness.broker import BACKEND, Broker
from harness.client import Client
from harness.pki import Ca, Leaf, Pki
from harness.raw import Raw, tls_context
from harness.wait import until


class Site:
    """Clients are closed, and the broker is examined, by close()."""

    def __init__(self, pki: Pki, ca: Ca, edits: Sequence[tuple[str, str]] = ()):
        self.pki, self.ca = pki, ca
        self.server_ca = pki.root("server")
        self.broker = Broker(self.server_ca, edits)
        self.certid = self.broker.certid
        self.certid("init")
        self.certid("ca", "add", ca.cert, "--name", "factory")
        self.clients: list[Client] = []
        self.ids = itertools.count(1)
        self.has_canary = False
        self.canary: Optional[Raw] = None

    def new_id(self, type_: str = "meter", class_: str = "d") -> str:
        """An identity that no other test uses."""
        return f"{class_}:{type_}:t{next(self.ids):04}"

    def knows(self, identity: str) -> bool:
        """Whether the registry has a row of it."""
        return self.certid.run("device", "show", identity).returncode == 0

    def client(self, client_id: str, leaf: Optional[Leaf], **options: Any) -> Client:
        """On the TLS listener; not connected yet."""
        port, ca = self.broker.tls_port, self.server_ca
        made = Client(port, client_id, leaf, ca, **options)
        self.clients.append(made)
        return made

    def device(self, identity: str, **options: Any) -> Client:
        return self.client(identity, self.ca.leaf(identity), **options)

    def plain(self, client_id: str, **options: Any) -> Client:
        """On the loopback listener, without TLS."""
        made = Client(self.broker.plain_port, client_id, **options)
        self.clients.append(made)
        return made

    def backend(self, *topics: str, client_id: str = "", **options: Any) -> Client:
        """Connected, with its password, and subscribed."""
        name = client_id or f"backend-{next(self.ids)}"
        made = self.plain(name, login=BACKEND, **options).open()
        for topic in topics:
            assert made.subscribe(topic), topic
        return made

    def raw(self, leaf: Optional[Leaf], tls: str = "", **options: Any) -> Raw:
        context = tls_context(self.server_ca, leaf, tls)
        return Raw(self.broker.tls_port, context, **options)

    def raw_plain(self) -> Raw:
        return Raw(self.broker.plain_port)

    def settle(self) -> None:
        """Come back when the broker has taken up all changes made so far.

        The sign is a session that ends because its CA is deactivated: the
        broker follows changes in their order.
        """
        canary = self.pki.root("canary")
        if not self.has_canary:
            self.certid("ca", "add", canary.cert, "--name", "canary")
            self.has_canary = True
        identity = self.new_id("canary")
        until(lambda: self.try_canary(canary.leaf(identity), identity), "canary")
        self.certid("ca", "deactivate", "canary")
        assert self.canary
        try:
            while True:
                self.canary.read()
        except Raw.Gone:
            self.canary.close()
        self.certid("ca", "activate", "canary")

    def try_canary(self, leaf: Leaf, identity: str) -> bool:
        try:
            self.canary = self.raw(leaf)
        except Raw.Gone:
            return False
        return self.canary.ask(identity) == 0

    def leave(self) -> None:
        """Close the clients of one test."""
        while self.clients:
            self.clients.pop().close()

    def close(self) -> None:
        self.leave()
        self.broker.close()


def topic(identity: str, rest: str = "") -> str:
    """d:meter:0001, evt -> d/meter/0001/evt"""
    return identity.replace(":", "/") + (f"/{rest}" if rest else "")
