# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Resumption: a ticket is taken while its certificate holds, and else the
client gets a whole handshake without noticing."""

import ssl
from typing import Callable, Iterator

import pytest
from harness.broker import free_ports
from harness.pki import Ca, Leaf, Pki, in_seconds
from harness.raw import Raw
from harness.site import Site
from harness.tls import (
    TLS,
    Kept,
    at_rest,
    come_back,
    context_of,
    hand_over,
    keep,
    knock,
    tls_listener,
    wait_refusal,
)
from harness.wait import until

SECOND = 1.0


@pytest.fixture(scope="module")
def shared(pki: Pki, ca: Ca) -> Iterator[Site]:
    """With two listeners more: one like the first, one that lets clients
    without a certificate in."""
    made = hand_over(Site(pki, ca))
    ports = free_ports(2)
    made.second, made.lax = ports  # type: ignore[attr-defined]
    lines = tls_listener(made, ports[0]) + "\n" + tls_listener(made, ports[1])
    head, tail = lines.rsplit("require_certificate true", 1)
    lines = f"{head}require_certificate false{tail}"
    end = "# --- Back-end applications"
    made.broker.edit(end, f"{lines}\n\n{end}")
    try:
        made.broker.start()
        yield made
    finally:
        made.close()


def registered(site: Site, name: str) -> Ca:
    ca = site.pki.root(name)
    site.certid("ca", "add", ca.cert, "--name", name)
    at_rest(site)
    return ca


def change_something(site: Site) -> None:
    """All that the broker remembers of certificates is void afterwards."""
    site.certid("type", "set", f"d:{site.new_id().replace(':', '-')}")
    at_rest(site)


@TLS
def test_a_ticket_is_taken(site: Site, tls: str) -> None:
    identity = site.new_id()
    kept = keep(site, site.ca.leaf(identity), identity, tls)
    for _ in range(3):
        since = site.broker.mark()
        assert come_back(site, kept, identity) == (0, True)
        assert site.broker.wait_decision(identity, since)["reason"] == "known"


@TLS
def test_after_a_change_too(site: Site, tls: str) -> None:
    identity = site.new_id()
    kept = keep(site, site.ca.leaf(identity), identity, tls)
    change_something(site)
    assert come_back(site, kept, identity) == (0, True)


@TLS
def test_a_ticket_holds_no_chain(site: Site, tls: str) -> None:
    """Below an intermediate that is not registered it is taken as long as the
    broker remembers the certificate; else the client sends the chain again."""
    low = site.ca.intermediate("t-one").intermediate("t-two")
    identity = site.new_id()
    at_rest(site)
    kept = keep(site, low.leaf(identity), identity, tls)
    assert come_back(site, kept, identity) == (0, True)
    for _ in range(2):
        change_something(site)
        assert come_back(site, kept, identity) == (0, False)
        assert come_back(site, kept, identity) == (0, True)


@TLS
def test_settings_change_between_ticket_and_connect(site: Site, tls: str) -> None:
    """What the ticket was taken for still holds."""
    low = site.ca.intermediate("t-one").intermediate("t-two")
    identity = site.new_id()
    at_rest(site)
    kept = keep(site, low.leaf(identity), identity, tls)
    with Raw(site.broker.tls_port, kept.context, kept.session) as raw:
        assert raw.socket.session_reused
        change_something(site)
        assert raw.ask(identity) == 0


@TLS
def test_what_a_device_sent_last_time_is_no_matter(site: Site, tls: str) -> None:
    """A whole handshake without the chain fails, although the same certificate
    came with it a moment ago."""
    low = site.ca.intermediate("t-one").intermediate("t-two")
    identity = site.new_id()
    at_rest(site)
    leaf = low.leaf(identity)
    alone = Leaf(leaf.cert, leaf.key, leaf.cert)
    for _ in range(2):
        with site.raw(leaf, tls) as raw:
            assert raw.connect(identity) == 0
        with pytest.raises(Raw.Gone), site.raw(alone, tls) as raw:
            raw.connect(identity)


@TLS
def test_a_ticket_of_before_a_restart(site: Site, tls: str) -> None:
    identity = site.new_id()
    kept = keep(site, site.ca.leaf(identity), identity, tls)
    site.broker.restart()
    assert come_back(site, kept, identity) == (0, False)
    assert come_back(site, kept, identity) == (0, True)


@TLS
def test_a_ticket_of_before_a_reload(site: Site, tls: str) -> None:
    identity = site.new_id()
    kept = keep(site, site.ca.leaf(identity), identity, tls)
    site.broker.sighup()
    assert come_back(site, kept, identity) == (0, True)


@TLS
def test_a_ticket_of_another_listener(site: Site, tls: str) -> None:
    second = site.second  # type: ignore[attr-defined]
    identity = site.new_id()
    kept = keep(site, site.ca.leaf(identity), identity, tls)
    assert come_back(site, kept, identity, port=second) == (0, False)
    assert come_back(site, kept, identity, port=second) == (0, True)
    assert come_back(site, kept, identity) == (0, False)


@TLS
def test_a_ticket_of_a_listener_that_needs_no_certificate(site: Site, tls: str) -> None:
    """Neither of those opens the other."""
    lax = site.lax  # type: ignore[attr-defined]
    login = {"username": "backend", "password": "a back-end's password"}
    bare = keep(site, None, "app", tls, port=lax, **login)
    assert come_back(site, bare, "app", port=lax, **login) == (0, True)
    assert come_back(site, bare, "app", port=lax) == (5, True)
    assert come_back(site, bare, site.new_id(), port=lax) == (5, True)
    assert come_back(site, bare, "app", **login) == (-1, False)
    identity = site.new_id()
    kept = keep(site, site.ca.leaf(identity), identity, tls, port=lax)
    assert come_back(site, kept, identity, port=lax) == (0, True)
    assert come_back(site, kept, identity) == (0, False)


def test_session_ids_are_not_kept(site: Site) -> None:
    """TLS 1.2 without tickets: the broker would have to remember the session,
    and would not ask us when the client comes back.  It would forget it when
    the connection breaks, so both are there at once."""
    identity = site.new_id()
    context = context_of(site, site.ca.leaf(identity), "1.2")
    context.options |= ssl.OP_NO_TICKET
    port = site.broker.tls_port
    with Raw(port, context) as first:
        assert first.connect(identity) == 0
        session = first.socket.session
        assert not session.has_ticket
        with Raw(port, context, session) as second:
            assert not second.socket.session_reused
            assert second.connect(identity) == 0


# Tickets that are worth nothing any more


Words = list
# What an operator does, the reason, and where the client fails: in a whole
# handshake, or at CONNECT.
Make = Callable[[str, Ca, Leaf, str], Words]
ENDS: list[tuple[str, bool, Make]] = [
    ("ca-inactive", False, lambda name, *_: ["ca", "deactivate", name]),
    ("ca-unknown", False, lambda name, *_: ["ca", "remove", name]),
    (
        "cert-revoked",
        False,
        lambda name, ca, leaf, _: ["ca", "crl", name, ca.crl(1, leaf)],
    ),
    ("crl-missing", False, lambda name, *_: ["ca", "set", name, "--crl", "required"]),
    ("ca-scope", True, lambda name, *_: ["ca", "set", name, "--scope", "g:*:*"]),
    ("device-locked", True, lambda *of: ["device", "lock", of[3]]),
    ("level-token", True, lambda *of: ["rule", "set", of[3][:-6], "cert+token"]),
]


@TLS
@pytest.mark.parametrize("reason,taken,make", ENDS, ids=[c[0] for c in ENDS])
def test_a_ticket_is_worth_nothing_any_more(
    site: Site, reason: str, taken: bool, make: Make, tls: str
) -> None:
    name = f"{reason}-{tls}"
    ca = registered(site, name)
    identity = site.new_id(f"of-{name}")
    leaf = ca.leaf(identity)
    kept = keep(site, leaf, identity, tls)
    until(lambda: identity in site.certid.identities(), "the device's row")
    site.certid(*make(name, ca, leaf, identity))
    site.settle()
    expect_refused(site, kept, identity, reason, taken)


def expect_refused(
    site: Site, kept: Kept, identity: str, reason: str, taken: bool
) -> None:
    since = site.broker.mark()
    assert come_back(site, kept, identity) == (5 if taken else -1, taken)
    fields = wait_refusal(site, identity if taken else "", reason, since)
    assert fields["identity"] == identity


@TLS
def test_the_intermediate_of_a_ticket_is_refused(site: Site, tls: str) -> None:
    """It is not known to the broker but by what it remembers of the leaf."""
    root = registered(site, f"t-root-{tls}")
    middle = root.intermediate(f"t-middle-{tls}")
    identity = site.new_id()
    kept = keep(site, middle.leaf(identity), identity, tls)
    site.certid("ca", "crl", f"t-root-{tls}", root.crl(1, middle))
    site.settle()
    expect_refused(site, kept, identity, "cert-revoked", False)


@TLS
def test_a_ticket_of_a_certificate_that_expires(site: Site, tls: str) -> None:
    identity = site.new_id()
    leaf = site.ca.leaf(identity, end=in_seconds(3))
    kept = keep(site, leaf, identity, tls)
    until(lambda: knock(site, leaf, identity, tls) == -1, "the certificate's end")
    assert come_back(site, kept, identity) == (-1, False)


@pytest.mark.alone
@TLS
def test_a_session_on_a_ticket_is_under_watch(site: Site, tls: str) -> None:
    """Also by its intermediates, which did not come along this time."""
    name = f"watched-{tls}"
    root = registered(site, name)
    middle = root.intermediate(f"{name}-middle")
    identity = site.new_id()
    kept = keep(site, middle.leaf(identity), identity, tls)
    since = site.broker.mark()
    with Raw(site.broker.tls_port, kept.context, kept.session) as raw:
        assert raw.connect(identity) == 0 and raw.socket.session_reused
        site.certid("ca", "add", middle.cert, "--inactive")
        raw.socket.settimeout(SECOND)
        with pytest.raises(Raw.Gone):
            raw.read()
    form = rf"certid: closed reason=ca-inactive identity={identity} "
    site.broker.wait_log(form, since=since)
    assert come_back(site, kept, identity) == (-1, False)
