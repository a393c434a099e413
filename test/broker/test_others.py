# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Clients that are no devices, and clients that would pass for one."""

from typing import Callable, Optional

import pytest
from harness.broker import BACKEND
from harness.client import ACCEPTED, REFUSED
from harness.site import Site, topic

DEFER = "plugin_opt_others defer"
V5 = pytest.mark.parametrize("v5", [False, True], ids=["mqtt3.1.1", "mqtt5"])


@V5
def test_defer_lets_the_password_file_decide(site: Site, v5: bool) -> None:
    login = BACKEND
    assert site.plain("app", login=login, v5=v5).attempt() == ACCEPTED
    wrong = (BACKEND[0], "wrong")
    assert site.plain("app-1", login=wrong, v5=v5).attempt() == REFUSED
    assert site.plain("app-2", login=("nobody", "x"), v5=v5).attempt() == REFUSED
    assert site.plain("app-3", v5=v5).attempt() == REFUSED


def test_defer_lets_the_acl_file_decide(site: Site) -> None:
    identity = site.new_id()
    device = site.device(identity).open()
    assert device.subscribe(topic(identity, "#"))
    backend = site.backend("d/#")
    backend.publish(topic(identity, "evt"), "not a command")
    backend.publish(topic(identity, "cmd/go"), "command")
    device.wait_message(topic(identity, "cmd/go"), "command")
    assert device.payloads() == ["command"]


# With a password that says it is a token, and without one.
TOKEN = ("use-token-auth", "x")
NAMES = [
    ("d:meter:0001", TOKEN, "level-tls"),
    ("d:", TOKEN, "identity-syntax"),
    ("d:meter:0001", BACKEND, "cert-missing"),
    ("g:hub:1", BACKEND, "cert-missing"),
    ("d:x", BACKEND, "cert-missing"),
    ("d:meter:0002", None, "cert-missing"),
    ("g:", None, "cert-missing"),
]


@pytest.mark.parametrize("client_id,login,reason", NAMES)
def test_a_back_end_with_a_devices_client_id(
    site: Site, client_id: str, login: Optional[tuple[str, str]], reason: str
) -> None:
    since = site.broker.mark()
    for v5 in (True, False):  # the second time it is only counted
        assert site.plain(client_id, login=login, v5=v5).attempt() == REFUSED
    assert site.broker.wait_decision(client_id, since)["reason"] == reason


@pytest.mark.parametrize("name", ["d:meter:0001", "g:hub:1", "d:", "use-token-auth"])
def test_a_back_end_with_a_devices_user_name(site: Site, name: str) -> None:
    since = site.broker.mark()
    client_id = f"app-{name}"
    assert site.plain(client_id, login=(name, "x")).attempt() == REFUSED
    assert site.broker.wait_decision(client_id, since)["verdict"] == "refused"


def test_a_device_with_a_back_ends_password_is_still_a_device(site: Site) -> None:
    identity = site.new_id()
    named = site.client("app", site.ca.leaf(identity), login=BACKEND)
    assert named.attempt() == REFUSED
    device = site.device(identity, login=BACKEND).open()
    assert not device.subscribe("d/#")


@pytest.mark.parametrize("line", ["plugin_opt_others refuse", ""])
def test_refuse_is_the_default(new_site: Callable[..., Site], line: str) -> None:
    site = new_site((DEFER, line))
    site.broker.start()
    since = site.broker.mark()
    assert site.plain("app", login=BACKEND).attempt() == REFUSED
    assert site.broker.wait_decision("app", since)["reason"] == "not-a-device"
    site.device(site.new_id()).open()


def test_allow_lets_everybody_do_everything(new_site: Callable[..., Site]) -> None:
    site = new_site((DEFER, "plugin_opt_others allow"))
    site.broker.start()
    anyone = site.plain("app", login=("nobody", "x")).open()
    other = site.plain("other").open()
    assert other.subscribe("#")
    anyone.publish("free/for/all", "hello")
    other.wait_message("free/for/all", "hello")
    # A device's name still needs the device's certificate.
    assert site.plain("d:meter:0001").attempt() == REFUSED
    assert site.plain("x", login=("d:meter:0001", "x")).attempt() == REFUSED
    # And a device still has its own topics only.
    assert not site.device(site.new_id()).open().subscribe("#")


def test_a_back_ends_session_survives_a_restart(new_site: Callable[..., Site]) -> None:
    """Deferred clients are restored as the broker alone would restore them."""
    site = new_site()
    site.broker.start()
    identity = site.new_id()
    site.backend("d/#", client_id="store", clean=False).close()
    site.broker.restart()
    site.device(identity).open().publish(topic(identity, "evt"), "while away")
    store = site.plain("store", login=BACKEND, clean=False).open()
    assert store.session_present
    store.wait_message(topic(identity, "evt"), "while away")


@pytest.mark.parametrize("online", [True, False], ids=["online", "away"])
@pytest.mark.parametrize("login", [BACKEND, ("nobody", "wrong")])
def test_nobody_else_takes_a_devices_session(
    new_site: Callable[..., Site], login: tuple[str, str], online: bool
) -> None:
    """A client id that does not say that it is a device's is one all the same."""
    site = new_site()
    site.certid("set", "client-id", "{org}:{class}:{type}:{id}")
    site.broker.start()
    name, leaf = "default:d:meter:1", site.ca.leaf("d:meter:1")
    device = site.client(name, leaf, clean=False).open()
    assert device.subscribe("d/meter/1/cmd/#")
    if not online:
        device.close()
    since = site.broker.mark()
    assert site.plain(name, login=login, clean=False).attempt() == REFUSED
    assert site.broker.wait_decision(name, since)["reason"] == "client-id"
    assert device.is_open() == online
    site.backend().publish("d/meter/1/cmd/go", "mine")
    if not online:
        device = site.client(name, leaf, clean=False).open()
        assert device.session_present
    device.wait_message("d/meter/1/cmd/go", "mine")
