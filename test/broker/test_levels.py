# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Connection security levels: what a client presents, over which listener, and
what becomes of its session when that no longer does."""

import itertools
import time
from dataclasses import dataclass
from typing import Callable, Iterator, Optional

import pytest
from harness.broker import free_ports, is_2_1
from harness.client import Client
from harness.pki import Ca, Pki
from harness.raw import Raw, tls_context
from harness.site import Site
from harness.wait import until

LEVELS = ("tls-optional", "token", "cert", "cert+token", "cert-or-token")
# Who does not ask for certificates is not shown any, with tls_verify broker.
TOKENS = """
listener {}
certfile {}/certs/server.crt
keyfile {}/certs/server.key
"""
OTHERS = "plugin_opt_others defer\n"
ASSUME = (OTHERS, OTHERS + "plugin_opt_assume_tls true\n")
WRONG = "0" * 64
SECOND = 1.0


@dataclass(frozen=True)
class Shown:
    """What a client shows, and where."""

    cert: bool
    token: str  # "", "right", "wrong"
    tls: bool = True


CASES = {
    "cert": Shown(True, ""),
    "token": Shown(False, "right"),
    "both": Shown(True, "right"),
    "neither": Shown(False, ""),
    "wrong": Shown(False, "wrong"),
    "cert-and-wrong": Shown(True, "wrong"),
    "plain-token": Shown(False, "right", False),
    "plain-wrong": Shown(False, "wrong", False),
    "plain-neither": Shown(False, "", False),
}
# Of those that show no token, or a wrong one, where one would have helped.
LACKS = {"": "level-token", "wrong": "token-wrong"}


def verdict(level: str, shown: Shown, tls: bool) -> str:
    """Why it is refused, or "": the table of the documentation."""
    if not shown.cert and not shown.token and level != "token":
        return "cert-missing"
    if level != "tls-optional" and not tls:
        return "level-tls"
    if level in ("cert", "cert+token") and not shown.cert:
        return "level-cert"
    if level == "cert" or (level in ("cert-or-token", "tls-optional") and shown.cert):
        return ""
    return LACKS.get(shown.token, "")


def type_of(level: str) -> str:
    return "d:" + level.replace("+", "-and-")


@pytest.fixture(scope="module", params=["unknown", "assumed"])
def leveled(request: pytest.FixtureRequest, pki: Pki, ca: Ca) -> Iterator[Site]:
    """A type for each level; a TLS listener for those who have a token."""
    made = Site(pki, ca, [ASSUME] if request.param == "assumed" else [])
    taken = (made.broker.tls_port, made.broker.plain_port)
    port = next(each for each in free_ports(3) if each not in taken)
    etc = made.broker.etc
    plain = f"\nlistener {made.broker.plain_port} "
    made.broker.edit(plain, TOKENS.format(port, etc, etc) + plain)
    made.token_port = port  # type: ignore[attr-defined]
    try:
        for level in LEVELS:
            made.certid("rule", "set", type_of(level), level)
        made.broker.start()
        yield made
    finally:
        made.close()


def assumes(site: Site) -> bool:
    return ASSUME in site.broker.edits


def new_device(site: Site, level: str) -> tuple[str, str]:
    """One that an operator added, and its token."""
    identity = site.new_id(type_of(level).split(":")[1])
    site.certid("device", "add", identity)
    return identity, site.certid.json("device", "token", identity)["token"]


def login(shown: Shown, token: str, name: str = "use-token-auth") -> dict[str, str]:
    if not shown.token:
        return {}
    return {"username": name, "password": token if shown.token == "right" else WRONG}


def enter(site: Site, identity: str, shown: Shown) -> Raw:
    if not shown.tls:
        return site.raw_plain()
    if shown.cert:
        return site.raw(site.ca.leaf(identity))
    port = site.token_port  # type: ignore[attr-defined]
    return Raw(port, tls_context(site.server_ca, None))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["use-token-auth", "identity"])
def test_what_is_shown(leveled: Site, level: str, case: str, name: str) -> None:
    site, shown = leveled, CASES[case]
    # What is not known of a client without a certificate counts as no TLS.
    tls = shown.cert or assumes(site) or (shown.tls and is_2_1())
    why = verdict(level, shown, tls)
    identity, token = new_device(site, level)
    since = site.broker.mark()
    with enter(site, identity, shown) as raw:
        words = login(shown, token, identity if name == "identity" else name)
        code = raw.ask(identity, **words)
        found = site.broker.wait_decision(identity, since)
        if why:
            assert (found["verdict"], found["reason"]) == ("refused", why)
            assert code == 5
            return
        assert (found["verdict"], found["reason"]) == ("admitted", "provisioned")
        assert code == 0
    assert token not in site.broker.log() and WRONG not in site.broker.log()
    row = until(lambda: is_provisioned(site, identity), "the device's row")
    assert bool(row["ca"]) == shown.cert


STRAYS = {
    "no user name": ("", ""),
    "wrong user name": ("alice", "must be use-token-auth or the identity"),
    "not registered": ("use-token-auth", "no such device is registered"),
}


@pytest.mark.parametrize("case", STRAYS)
def test_the_log_says_more(leveled: Site, case: str) -> None:
    site, (name, says) = leveled, STRAYS[case]
    identity = site.new_id("token")
    since = site.broker.mark()
    with enter(site, identity, Shown(False, "wrong")) as raw:
        words = {"username": name, "password": WRONG} if name else {}
        assert raw.ask(identity, **words) == 5
    found = site.broker.wait_decision(identity, since)
    if not assumes(site) and not is_2_1():
        assert found["reason"] == "level-tls"
        assert "see plugin_opt_assume_tls" in found["detail"]
    elif case == "no user name":
        assert found["reason"] == "level-token" and "detail" not in found
    else:
        known = "token-wrong" if case == "not registered" else "level-token"
        assert found["reason"] == known and says in found["detail"]


def test_a_broker_that_does_not_tell_is_warned_of(leveled: Site) -> None:
    told = "the broker does not tell whether they use it" in leveled.broker.log()
    assert told == (not assumes(leveled) and not is_2_1())


def is_provisioned(site: Site, identity: str) -> dict:
    row = site.certid.device(identity)
    return row if row["state"] == "provisioned" else {}


def test_the_first_certificate_is_noted_when_it_comes(leveled: Site) -> None:
    """Of a device that came by its token."""
    site = leveled
    identity, token = new_device(site, "tls-optional")
    with site.raw_plain() as raw:
        assert raw.ask(identity, **login(Shown(False, "right"), token)) == 0
    until(lambda: site.certid.device(identity)["provisioned_at"], "its row")
    assert site.certid.device(identity)["fingerprint"] is None
    leaf = site.ca.leaf(identity)
    with site.raw(leaf) as raw:
        assert raw.ask(identity) == 0
    want = leaf.fingerprint()
    until(lambda: site.certid.device(identity)["fingerprint"] == want, "its data")
    assert site.certid.device(identity)["ca"]


def test_a_token_provisions_nobody(leveled: Site) -> None:
    site = leveled
    identity, token = new_device(site, "tls-optional")
    stranger = site.new_id("tls-optional")
    since = site.broker.mark()
    with site.raw_plain() as raw:
        assert raw.ask(stranger, username="use-token-auth", password=token) == 5
    assert site.broker.wait_decision(stranger, since)["reason"] == "token-wrong"
    assert not site.knows(stranger)


@pytest.mark.parametrize("level", LEVELS)
def test_the_token_of_another_device(leveled: Site, level: str) -> None:
    """Whatever the level asks for: a certificate and a token are for one."""
    site = leveled
    one, _ = new_device(site, level)
    two, token = new_device(site, level)
    since = site.broker.mark()
    with site.raw(site.ca.leaf(one)) as raw:
        assert raw.ask(one, username=two, password=token) == 5
    assert site.broker.wait_decision(one, since)["reason"] == "identity-conflict"
    since = site.broker.mark()
    with site.raw(site.ca.leaf(one)) as raw:
        assert raw.ask(two, username="use-token-auth", password=token) == 5
    found = site.broker.wait_decision(two, since)
    assert found["reason"] in ("identity-conflict", "client-id")


def test_a_locked_device_and_its_token(leveled: Site) -> None:
    site = leveled
    identity, token = new_device(site, "tls-optional")
    site.certid("device", "lock", identity)
    since = site.broker.mark()
    with site.raw_plain() as raw:
        assert raw.ask(identity, username=identity, password=token) == 5
    assert site.broker.wait_decision(identity, since)["reason"] == "device-locked"


# While it is connected


def connected(site: Site, level: str) -> tuple[Client, str]:
    """By a token alone, without TLS if the level bears it."""
    identity, token = new_device(site, level)
    words = {"login": ("use-token-auth", token)}
    device = site.plain(identity, **words).open()
    until(lambda: is_provisioned(site, identity), "the device's row")
    return device, identity


def closed_for(site: Site, identity: str) -> Optional[str]:
    events = site.certid.events("session-closed")
    found = [each["detail"] for each in events if each["subject"] == identity]
    return found[-1] if found else None


ENDS: dict[str, tuple[Callable[[str], list[str]], str]] = {
    "revoked": (lambda name: ["device", "token", name, "--revoke"], "token-wrong"),
    "replaced": (lambda name: ["device", "token", name], "token-wrong"),
    "locked": (lambda name: ["device", "lock", name], "device-locked"),
    "removed": (lambda name: ["device", "remove", name], ""),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_session_ends_with_its_token(leveled: Site, how: str) -> None:
    site, (command, reason) = leveled, ENDS[how]
    device, identity = connected(site, "tls-optional")
    site.certid(*command(identity))
    returned = time.monotonic()
    assert device.wait_closed() - returned < SECOND
    assert reason in until(lambda: closed_for(site, identity), "its event")


def test_a_session_ends_when_its_token_expires(leveled: Site) -> None:
    site = leveled
    identity, _ = new_device(site, "tls-optional")
    given = time.time()
    line = ["device", "token", identity, "--expires", "2s"]
    token = site.certid.json(*line)["token"]
    device = site.plain(identity, login=("use-token-auth", token)).open()
    device.wait_closed()
    assert 1 <= time.time() - given < 2 + 1 + SECOND
    assert until(lambda: closed_for(site, identity), "its event") == "token-wrong"
    since = site.broker.mark()
    with site.raw_plain() as raw:
        assert raw.ask(identity, username="use-token-auth", password=token) == 5
    assert site.broker.wait_decision(identity, since)["reason"] == "token-wrong"


NUMBERS = itertools.count(1)


@pytest.mark.parametrize(
    "level, reason",
    [("token", "level-tls"), ("cert", "level-cert"), ("cert+token", "level-cert")],
)
def test_a_session_ends_with_a_tighter_rule(
    leveled: Site, level: str, reason: str
) -> None:
    """Where TLS is assumed, a level that asks for TLS and a token is met."""
    site = leveled
    type_ = f"tighter{next(NUMBERS)}"
    site.certid("rule", "set", f"d:{type_}", "tls-optional")
    site.settle()
    identity = site.new_id(type_)
    site.certid("device", "add", identity)
    token = site.certid.json("device", "token", identity)["token"]
    device = site.plain(identity, login=("use-token-auth", token)).open()
    until(lambda: is_provisioned(site, identity), "the device's row")
    site.certid("rule", "set", f"d:{type_}", level)
    returned = time.monotonic()
    if assumes(site) and level == "token":
        site.settle()
        assert device.is_open()
        return
    assert device.wait_closed() - returned < SECOND
    want = reason if assumes(site) else "level-tls"
    assert until(lambda: closed_for(site, identity), "its event") == want


def test_a_session_with_a_certificate_needs_its_token_only_where_asked(
    leveled: Site,
) -> None:
    site = leveled
    one, token = new_device(site, "cert-or-token")
    two, other = new_device(site, "cert+token")
    first = site.client(one, site.ca.leaf(one), login=(one, token)).open()
    second = site.client(two, site.ca.leaf(two), login=(two, other)).open()
    for each in (one, two):
        until(lambda: is_provisioned(site, each), "the device's row")
        site.certid("device", "token", each, "--revoke")
    second.wait_closed()
    site.settle()
    assert first.is_open()


def test_a_token_of_another_org(leveled: Site) -> None:
    """Where the client-id template holds {org}, the client id tells whose it is."""
    site, template = leveled, "{class}:{org}:{type}:{id}"
    for org in ("acme", "plain"):
        site.certid("org", "add", org)
        site.certid("--org", org, "rule", "set", "default", "tls-optional")
        site.certid("--org", org, "device", "add", "d:meter:1")
    without = site.certid.run("--org", "acme", "device", "token", "d:meter:1")
    assert "{org}" in without.stderr
    site.certid("--org", "acme", "set", "client-id", template)
    done = site.certid.run("--org", "acme", "device", "token", "d:meter:1")
    assert done.returncode == 0 and "{org}" not in done.stderr
    token = done.stdout.strip()
    other = site.certid.json("--org", "plain", "device", "token", "d:meter:1")["token"]
    site.settle()
    for client_id, name, password, want in [
        ("d:acme:meter:1", "use-token-auth", token, 0),
        ("d:acme:meter:1", "d:meter:1", token, 0),
        ("d:acme:meter:1", "use-token-auth", other, 5),
        ("d:acme:meter:1", "d:meter:2", token, 5),
        ("d:plain:meter:1", "use-token-auth", other, 5),
        ("d:meter:1", "use-token-auth", other, 5),
        ("d:meter:1", "use-token-auth", token, 5),
    ]:
        with site.raw_plain() as raw:
            found = raw.ask(client_id, username=name, password=password)
        assert found == want, (client_id, name)
    site.certid("org", "remove", "acme")
    site.certid("org", "remove", "plain")
