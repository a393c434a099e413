# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Which TLS connections the plugin judges, and which are none of its
business; and what becomes of it if somebody else judges them."""

import re
import shutil
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import pytest
from harness.broker import BACKEND, IS_ROOT, Broker, free_ports, is_2_1, own
from harness.pki import Ca, Leaf, Pki
from harness.raw import SUBACK, Raw, publish_packet, subscribe_packet
from harness.site import Site, topic
from harness.tls import (
    OPTION,
    OTHERS,
    TLS,
    Context,
    Flights,
    WebSocket,
    asked,
    come_back,
    context_of,
    enter,
    hand_over,
    keep,
    knock,
    refused,
    stranger,
    tls_listener,
    turned_away,
)
from harness.wait import until

SECOND = 1.0
LOGIN = {"username": BACKEND[0], "password": BACKEND[1]}
END = "# --- Back-end applications"
REQUIRE = "require_certificate true"
V2_1 = pytest.mark.skipif(not is_2_1(), reason="a word of Mosquitto 2.1")


# A listener that does without certificates


@pytest.fixture(scope="module")
def shared(pki: Pki, ca: Ca) -> Iterator[Site]:
    made = hand_over(Site(pki, ca))
    made.broker.edit(REQUIRE, REQUIRE.replace("true", "false"))
    try:
        made.broker.start()
        yield made
    finally:
        made.close()


@TLS
def test_a_certificate_is_asked_for_all_the_same(site: Site, tls: str) -> None:
    names = asked(site.broker.tls_port, tls)
    assert names is not None
    assert names == [] or is_2_1()
    identity = site.new_id()
    assert knock(site, site.ca.leaf(identity), identity, tls) == 0


@TLS
def test_without_a_certificate_a_password_decides(site: Site, tls: str) -> None:
    assert knock(site, None, "app", tls, **LOGIN) == 0
    assert knock(site, None, "app", tls) == 5
    wrong = {**LOGIN, "password": "wrong"}
    assert knock(site, None, "app", tls, **wrong) == 5


@TLS
@pytest.mark.parametrize("words", [{}, LOGIN, {"username": "d:meter:1"}])
def test_a_name_is_no_certificate(site: Site, words: dict, tls: str) -> None:
    refused(site, None, site.new_id(), "cert-missing", tls=tls, **words)


@TLS
def test_a_bad_certificate_is_worse_than_none(site: Site, tls: str) -> None:
    leaf = stranger(site).leaf(site.new_id())
    turned_away(site, leaf, "ca-unknown", tls=tls)
    turned_away(site, stranger(site).leaf(f"app-{tls}"), "ca-unknown", tls=tls, **LOGIN)
    old = site.ca.leaf(site.new_id(), eku="serverAuth")
    turned_away(site, old, "cert-purpose", tls=tls)


@pytest.mark.parametrize("line", ["plugin_opt_others refuse\n", ""])
def test_others_are_refused_at_connect(
    new_site: Callable[..., Site], line: str
) -> None:
    site = hand_over(new_site())
    site.broker.edit(OTHERS, line)
    site.broker.edit(REQUIRE, REQUIRE.replace("true", "false"))
    site.broker.start()
    for tls in ("1.2", "1.3"):
        refused(site, None, f"app-{tls}", "not-a-device", tls=tls, **LOGIN)
        identity = site.new_id()
        assert knock(site, site.ca.leaf(identity), identity, tls) == 0


# Listeners without the plugin


def configure(broker: Broker, text: str) -> None:
    """In the place of the example."""
    log = f"log_dest file {broker.log_file}\nlog_type all\n"
    broker.config = lambda: log + text  # type: ignore[method-assign]


def plugin_lines(site: Site, word: str = "plugin", more: str = "") -> str:
    options = f"plugin_opt_registry {site.certid.registry}\n{OTHERS}{OPTION}{more}"
    return f"{word} {site.broker.plugin}\n{options}"


def two_listeners(site: Site, ours: str, before: str = "") -> int:
    """The first listener has these lines; the second, whose port this is, lets
    in whoever has a certificate of its cafile."""
    port = free_ports(1)[0]
    configure(
        site.broker,
        f"per_listener_settings true\n{before}"
        + tls_listener(site, site.broker.tls_port, ours)
        + tls_listener(site, port, "allow_anonymous true\n"),
    )
    return port


def expect_two_worlds(site: Site, port: int) -> None:
    for tls in ("1.2", "1.3"):
        identity, other = site.new_id(), site.new_id()
        known = site.ca.leaf(identity)
        strange = stranger(site).leaf(other)
        assert knock(site, known, identity, tls) == 0
        turned_away(site, strange, "ca-unknown", tls=tls)
        assert knock(site, known, identity, tls, port=port) == -1
        kept = keep(site, strange, other, tls, port=port)
        assert come_back(site, kept, other, port=port)[0] == 0
        assert come_back(site, kept, other) == (-1, False)
        kept = keep(site, known, identity, tls)
        assert come_back(site, kept, identity) == (0, True)
        assert come_back(site, kept, identity, port=port) == (-1, False)
    told = [line for line in site.broker.log().splitlines() if "certid:" in line]
    assert len([line for line in told if "refused" in line]) == 2, told


def test_the_plugin_under_one_listener(new_site: Callable[..., Site]) -> None:
    site = hand_over(new_site())
    port = two_listeners(site, plugin_lines(site))
    site.broker.start()
    expect_two_worlds(site, port)


@TLS
def test_a_ca_is_added_under_one_listener(
    new_site: Callable[..., Site], tls: str
) -> None:
    """Mosquitto 2.0.11 never calls TICK then: a handshake looks for news."""
    site = hand_over(new_site())
    port = two_listeners(site, plugin_lines(site))
    site.broker.start()
    ca = site.pki.root("tickless")
    identity = site.new_id()
    leaf = ca.leaf(identity)
    turned_away(site, leaf, "ca-unknown", tls=tls)
    site.certid("ca", "add", ca.cert, "--name", "tickless")
    until(lambda: knock(site, leaf, identity, tls) == 0, "the new CA", SECOND)
    site.certid("ca", "remove", "tickless")
    until(lambda: knock(site, leaf, identity, tls) == -1, "its end", SECOND)
    assert knock(site, leaf, identity, tls, port=port) == -1


@V2_1
def test_the_plugin_that_one_listener_uses(new_site: Callable[..., Site]) -> None:
    site = hand_over(new_site())
    load = plugin_lines(site, "plugin_load certid")
    port = two_listeners(site, "plugin_use certid\n", load)
    site.broker.start()
    expect_two_worlds(site, port)


@V2_1
def test_the_plugin_that_two_listeners_use(new_site: Callable[..., Site]) -> None:
    site = hand_over(new_site())
    second = free_ports(1)[0]
    load = plugin_lines(site, "plugin_load certid")
    use = "plugin_use certid\n"
    port = two_listeners(site, use + tls_listener(site, second, use), load)
    site.broker.start()
    identity = site.new_id()
    assert knock(site, site.ca.leaf(identity), identity, port=second) == 0
    expect_two_worlds(site, port)


@V2_1
def test_a_plugin_for_all_listeners(new_site: Callable[..., Site]) -> None:
    """Whatever per_listener_settings says."""
    site = hand_over(new_site())
    port = two_listeners(site, "", plugin_lines(site, "global_plugin"))
    site.broker.start()
    for each in (site.broker.tls_port, port):
        identity = site.new_id()
        assert knock(site, site.ca.leaf(identity), identity, port=each) == 0
        leaf = stranger(site).leaf(site.new_id())
        turned_away(site, leaf, "ca-unknown", port=each)


def test_two_listeners_with_a_plugin_each(new_site: Callable[..., Site]) -> None:
    """Two instances cannot share one OpenSSL."""
    site = hand_over(new_site())
    second = free_ports(1)[0]
    lines = plugin_lines(site)
    two_listeners(site, lines + tls_listener(site, second, lines))
    said = site.broker.start_refused()
    assert "tls_verify plugin is set for two instances" in said


def test_one_port_with_and_without_the_plugin(new_site: Callable[..., Site]) -> None:
    """A listener is known by its port."""
    site = hand_over(new_site())
    port = site.broker.tls_port
    again = tls_listener(site, port).replace("127.0.0.1", "127.0.0.2")
    configure(
        site.broker,
        "per_listener_settings true\n"
        + tls_listener(site, port, plugin_lines(site))
        + again,
    )
    said = site.broker.start_refused()
    assert f"port {port} some use the plugin and some do not" in said


@pytest.mark.skipif(not IS_ROOT, reason="root can read the configuration")
def test_a_configuration_that_cannot_be_read_again(
    new_site: Callable[..., Site],
) -> None:
    """The broker reads it as root; the plugin, as the user mosquitto."""
    site = hand_over(new_site())
    conf = site.broker.etc / "mosquitto.conf"
    conf.touch()
    conf.chmod(0o600)
    said = site.broker.start_refused()
    told = [line for line in said.splitlines() if "certid:" in line]
    assert len(told) == 1 and str(conf) in told[0], said
    conf.chmod(0o644)
    site.broker.start()


# Bridges


def other_broker(site: Site) -> tuple[Broker, int]:
    """Without the plugin, for clients with certificates of the stranger."""
    made = Broker(site.server_ca)
    port = made.tls_port
    lines = tls_listener(site, port, "allow_anonymous true\n")
    configure(made, lines.replace(str(site.broker.etc), str(made.etc)))
    for name in ("stranger.pem", "strangers", "empty"):
        source = site.broker.etc / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, made.etc / name)
    own(made.folder)
    return made, port


def bridge_lines(site: Site, port: int, server_ca: Ca) -> str:
    leaf = stranger(site).leaf("bridge", key="bridge")
    for name, file in [("ca", server_ca.cert), ("crt", leaf.cert), ("key", leaf.key)]:
        shutil.copy(file, site.broker.etc / f"bridge.{name}")
    own(site.broker.etc)
    files = site.broker.etc / "bridge"
    return (
        f"connection far\naddress 127.0.0.1:{port}\ntopic far/# out 1\n"
        f"remote_clientid bridge-{port}\nrestart_timeout 1\n"
        f"bridge_cafile {files}.ca\nbridge_certfile {files}.crt\n"
        f"bridge_keyfile {files}.key\nbridge_insecure true\n"
    )


@pytest.mark.parametrize("trust", ["right", "wrong"])
def test_a_bridge(new_site: Callable[..., Site], trust: str) -> None:
    """A client's side of TLS is not touched: neither its own certificate nor
    what it thinks of the server's."""
    site = hand_over(new_site())
    far, port = other_broker(site)
    server_ca = site.server_ca if trust == "right" else site.ca
    site.broker.edit(END, bridge_lines(site, port, server_ca) + "\n" + END)
    try:
        far.start()
        site.broker.start()
        if trust == "right":
            far.wait_log(rf"New (client|bridge) connected from .* as bridge-{port}")
        else:
            site.broker.wait_log("certificate verify failed")
            far.wait_log("alert unknown ca|alert bad certificate|unknown ca")
            assert f"as bridge-{port}" not in far.log()
            assert "certid: refused" not in site.broker.log()
        identity = site.new_id()
        assert knock(site, site.ca.leaf(identity), identity) == 0
        if trust == "wrong":
            # Mosquitto, with and without plugins, frees something twice if it
            # ends while a bridge is between two attempts.
            site.broker.kill()
    finally:
        far.close()


# Somebody else verifies


def load(site: Site, plugin: Path, order: str, *options: str) -> None:
    copy = site.broker.folder / plugin.name
    shutil.copy(plugin, copy)
    own(copy)
    lines = "".join(f"{line}\n" for line in (f"plugin {copy}", *options))
    ours = f"plugin {site.broker.plugin}\n"
    if order == "before":
        site.broker.edit(ours, f"{lines}\n{ours}")
    else:
        site.broker.edit(END, f"{lines}\n{END}")


def override(
    site: Site, compiled: Callable[[str], Path], order: str, what: str, when: str
) -> None:
    words = (f"plugin_opt_what {what}", f"plugin_opt_when {when}")
    load(site, compiled("override"), order, *words)
    site.broker.start()
    site.broker.wait_log("override: at work")


UNMARKED = "came through a TLS handshake that was not verified here"


@pytest.mark.parametrize("what", ["verify", "both"])
@pytest.mark.parametrize(
    "order,when", [("after", "made"), ("after", "later"), ("before", "later")]
)
def test_an_overridden_verification(
    new_site: Callable[..., Site],
    compiled: Callable[[str], Path],
    order: str,
    when: str,
    what: str,
) -> None:
    """Everybody gets through the handshake, and nobody gets in."""
    site = hand_over(new_site())
    override(site, compiled, order, what, when)
    for tls in ("1.2", "1.3"):
        for ca in (site.ca, stranger(site)):
            identity = site.new_id()
            leaf = ca.leaf(identity)
            fields = refused(site, leaf, identity, "cert-invalid", tls=tls)
            assert "not verified by certid" in fields["detail"]
            context = context_of(site, leaf, tls)
            with Raw(site.broker.tls_port, context) as raw:
                assert raw.ask(identity) == 5
                session = raw.socket.session
            with Raw(site.broker.tls_port, context, session) as raw:
                assert raw.ask(identity) == 5
        refused(site, stranger(site).leaf("x"), f"app-{tls}", "cert-invalid", **LOGIN)
    assert site.broker.log().count(UNMARKED) == 1
    assert "set plugin_opt_tls_verify broker" in site.broker.log()
    assert site.certid.identities() == []
    site.backend("d/#")  # without a certificate nothing is different


@pytest.mark.parametrize("what", ["verify", "ticket", "both"])
def test_a_verification_that_we_override(
    new_site: Callable[..., Site], compiled: Callable[[str], Path], what: str
) -> None:
    """A plugin in front of ours whose callbacks are set first."""
    site = hand_over(new_site())
    override(site, compiled, "before", what, "made")
    identity = site.new_id()
    kept = keep(site, site.ca.leaf(identity), identity)
    assert come_back(site, kept, identity) == (0, True)
    turned_away(site, stranger(site).leaf(site.new_id()), "ca-unknown")
    assert UNMARKED not in site.broker.log()


@TLS
@pytest.mark.parametrize(
    "order,when", [("after", "made"), ("after", "later"), ("before", "later")]
)
def test_overridden_tickets(
    new_site: Callable[..., Site],
    compiled: Callable[[str], Path],
    order: str,
    when: str,
    tls: str,
) -> None:
    """They are taken without us, and do not open anything."""
    site = hand_over(new_site())
    override(site, compiled, order, "ticket", when)
    identity = site.new_id()
    leaf = site.ca.leaf(identity)
    kept = keep(site, leaf, identity, tls)
    since = site.broker.mark()
    for _ in range(3):
        assert come_back(site, kept, identity) == (5, True)
    assert site.broker.wait_decision(identity, since)["reason"] == "cert-invalid"
    assert site.broker.log().count(UNMARKED) == 1
    assert knock(site, leaf, identity, tls) == 0
    turned_away(site, stranger(site).leaf(site.new_id()), "ca-unknown", tls=tls)


# Websockets


def web_listener(site: Site, port: int, require: str = REQUIRE) -> None:
    lines = tls_listener(site, port, "protocol websockets\n")
    site.broker.edit(END, lines.replace(REQUIRE, require) + "\n" + END)


class Web(Raw):
    """MQTT in a websocket; code is that of CONNACK."""

    def __init__(
        self, port: int, context: Context, client_id: str, session: Any = None
    ):
        super().__init__(port, context, session)
        self.tls = self.socket
        try:
            self.socket = WebSocket(self.tls)
        except OSError as error:
            self.tls.close()
            raise Raw.Gone(str(error)) from None
        self.code = self.ask(client_id)


def web(site: Site, port: int, leaf: Optional[Leaf], tls: str, client_id: str) -> Web:
    return Web(port, context_of(site, leaf, tls), client_id)


@TLS
def test_websockets(new_site: Callable[..., Site], tls: str) -> None:
    site = hand_over(new_site())
    port = free_ports(1)[0]
    web_listener(site, port)
    site.broker.start()
    identity, other = site.new_id(), site.new_id()
    leaf = site.ca.leaf(identity)
    backend = site.backend("d/#")
    with web(site, port, leaf, tls, identity) as raw:
        assert raw.code == 0
        raw.send(subscribe_packet(topic(identity, "cmd/#")))
        assert raw.read_until(SUBACK)[-1] == 1
        raw.send(publish_packet(topic(identity, "evt"), b"by web"))
        backend.wait_message(topic(identity, "evt"), "by web")
    with web(site, port, leaf, tls, other) as raw:
        assert raw.code == 5
    strange, wrong = stranger(site).leaf(other), site.ca.leaf(other, eku="serverAuth")
    for bad in (strange, wrong, None):
        with pytest.raises(Raw.Gone):
            web(site, port, bad, tls, other)
    reasons = re.findall(r"certid: refused reason=(\S+)", site.broker.log())
    assert reasons == ["client-id", "ca-unknown", "cert-purpose"]
    low = site.ca.intermediate("web-one").intermediate("web-two")
    with web(site, port, low.leaf(other), tls, other) as raw:
        assert raw.code == 0


@TLS
def test_websockets_and_tickets(new_site: Callable[..., Site], tls: str) -> None:
    site = hand_over(new_site())
    port = free_ports(1)[0]
    web_listener(site, port)
    site.broker.start()
    identity = site.new_id()
    context = context_of(site, site.ca.leaf(identity), tls)
    with Web(port, context, identity) as first:
        session = first.tls.session
        # Without a ticket there is nothing to come back to.
        with Web(port, context, identity, session) as second:
            assert second.code == 0
            assert second.tls.session_reused == session.has_ticket
    site.certid("ca", "deactivate", "factory")
    site.broker.wait_log("certid: closed reason=ca-inactive|Client .* closed")
    site.settle()
    with pytest.raises(Raw.Gone):
        Web(port, context, identity, session)
    site.broker.wait_log("certid: refused reason=ca-inactive")


@pytest.mark.skipif(is_2_1(), reason="2.1 has websockets of its own")
def test_websockets_of_one_listener_of_2_0(new_site: Callable[..., Site]) -> None:
    """They do not tell which listener they are of, so the plugin leaves them to
    OpenSSL, and lets nobody in."""
    site = hand_over(new_site())
    port = free_ports(1)[0]
    lines = plugin_lines(site, more="protocol websockets\n")
    lines = tls_listener(site, port, lines)
    cafile = site.broker.etc / "both.pem"
    cafile.write_text(site.ca.cert.read_text() + stranger(site).cert.read_text())
    lines = lines.replace(f"{site.broker.etc}/stranger.pem", str(cafile))
    plain = f"listener {site.broker.plain_port} 127.0.0.1\nallow_anonymous true\n"
    configure(site.broker, f"per_listener_settings true\n{lines}{plain}")
    site.broker.start()
    for ca in (site.ca, stranger(site)):
        identity = site.new_id()
        with web(site, port, ca.leaf(identity), "1.2", identity) as raw:
            assert raw.code == 5
    with pytest.raises(Raw.Gone):
        web(site, port, site.pki.root("unheard").leaf("d:a:b"), "1.2", "d:a:b")
    assert site.broker.log().count(UNMARKED) == 1


# Reload and end


def half_done(site: Site, tls: str, flights: int, cut: int = 0) -> Flights:
    """A client that has sent so many flights, the last one but for cut bytes."""
    identity = site.new_id()
    made = Flights(site.broker.tls_port, context_of(site, site.ca.leaf(identity), tls))
    made.identity = identity  # type: ignore[attr-defined]
    made.rest = b""  # type: ignore[attr-defined]
    for number in range(flights):
        data = made.next()
        if number == flights - 1 and cut:
            data, made.rest = data[:-cut], data[-cut:]  # type: ignore[attr-defined]
        made.socket.sendall(data)
    return made


# How far a client has got: flights, and the bytes that the last one lacks.
STAGES = [(0, 0), (1, 40), (1, 0), (2, 1), (2, 60), (2, 0)]


@TLS
def test_a_reload_in_the_middle_of_handshakes(site: Site, tls: str) -> None:
    """They are finished afterwards; sessions stay."""
    identity = site.new_id()
    device = site.device(identity, tls=tls).open()
    halves = [half_done(site, tls, *stage) for stage in STAGES]
    site.broker.sighup()
    site.broker.sighup()
    for half in halves:
        half.socket.sendall(half.rest)  # type: ignore[attr-defined]
        half.finish()
        assert half.connect(half.identity) == 0  # type: ignore[attr-defined]
        half.close()
    assert device.subscribe(topic(identity, "cmd/#"))
    assert device.is_open()
    turned_away(site, stranger(site).leaf(site.new_id()), "ca-unknown", tls=tls)


def test_settings_change_in_the_middle_of_handshakes(site: Site) -> None:
    """What holds is what is known when the certificate comes."""
    ca = site.pki.root("midway")
    site.certid("ca", "add", ca.cert, "--name", "midway")
    site.settle()
    names = [site.new_id() for _ in range(2)]
    contexts = [context_of(site, ca.leaf(name), "1.2") for name in names]
    halves = [Flights(site.broker.tls_port, context) for context in contexts]
    for half in halves:
        half.socket.sendall(half.next())
    site.certid("ca", "remove", "midway")
    site.settle()
    with pytest.raises((Raw.Gone, OSError)):
        halves[0].finish()
    site.certid("ca", "add", ca.cert, "--name", "midway")
    site.settle()
    halves[1].finish()
    assert halves[1].connect(names[1]) == 0
    for half in halves:
        half.close()


@TLS
def test_a_reload_that_makes_new_contexts(
    new_site: Callable[..., Site], tls: str
) -> None:
    """With a crlfile Mosquitto makes the context of the listener anew: it is
    ours as well, and tickets of the old one are of no use."""
    site = hand_over(new_site())
    crl = site.broker.etc / "crl.pem"
    shutil.copy(stranger(site).crl(1), crl)
    site.broker.edit(f"\n{REQUIRE}", f"\ncrlfile {crl}\n{REQUIRE}")
    site.broker.start()
    identity = site.new_id()
    leaf = site.ca.leaf(identity)
    device = site.device(identity, tls=tls).open()
    for _ in range(2):
        kept = keep(site, site.ca.leaf("d:meter:kept"), "d:meter:kept", tls)
        half = half_done(site, tls, 1)
        site.broker.sighup()
        half.finish()
        assert half.connect(half.identity) == 0  # type: ignore[attr-defined]
        half.close()
        assert come_back(site, kept, "d:meter:kept") == (0, False)
        turned_away(site, stranger(site).leaf(site.new_id()), "ca-unknown", tls=tls)
    assert device.is_open()
    device.close()
    assert knock(site, leaf, identity, tls) == 0


@V2_1
@TLS
def test_a_reload_that_demands_certificates(
    new_site: Callable[..., Site], tls: str
) -> None:
    """A ticket of before, of a client without one, is not worth one."""
    site = hand_over(new_site())
    lax = REQUIRE.replace("true", "false")
    site.broker.edit(REQUIRE, lax)
    site.broker.start()
    kept = keep(site, None, "app", tls, **LOGIN)
    assert come_back(site, kept, "app", **LOGIN) == (0, True)
    site.broker.edit(lax, REQUIRE)
    (site.broker.etc / "mosquitto.conf").write_text(site.broker.config())
    site.broker.sighup()
    assert knock(site, None, "app", tls, **LOGIN) == -1
    assert come_back(site, kept, "app", **LOGIN) == (-1, False)
    identity = site.new_id()
    assert knock(site, site.ca.leaf(identity), identity, tls) == 0


def test_the_end_in_the_middle_of_handshakes(new_site: Callable[..., Site]) -> None:
    """With sessions, with wills and queues, and half-done handshakes."""
    site = hand_over(new_site())
    site.broker.start()
    stages = [(tls, *stage) for tls in ("1.2", "1.3") for stage in STAGES]
    halves = [half_done(site, *stage) for stage in stages]
    low = site.ca.intermediate("end-one").intermediate("end-two")
    for number in range(4):
        identity = site.new_id()
        will = (topic(identity, "gone"), "gone")
        leaf = low.leaf(identity)
        site.client(identity, leaf, clean=number < 2, will=will).open()
    identity = site.new_id()
    kept = keep(site, low.leaf(identity), identity)
    with Raw(site.broker.tls_port, kept.context, kept.session) as raw:
        assert raw.connect(identity) == 0
        site.broker.stop()
    for half in halves:
        half.close()


@pytest.mark.parametrize("what", ["identity", "subject"])
def test_a_name_taken_from_the_certificate_opens_no_topic(
    new_site: Callable[..., Site], what: str
) -> None:
    """The broker asks nobody at CONNECT then."""
    site = hand_over(new_site())
    line = f"use_{what}_as_username false"
    site.broker.edit(line, line.replace("false", "true"))
    site.broker.start()
    backend = site.backend("d/#")
    identity = site.new_id()
    with enter(site, site.ca.leaf(identity), identity) as raw:
        raw.send(subscribe_packet(topic(identity, "cmd/#")))
        assert raw.read_until(SUBACK)[-1] >= 0x80
        raw.send(publish_packet(topic(identity, "evt"), b"smuggled"))
        raw.send(subscribe_packet("#", 2))
        assert raw.read_until(SUBACK)[-1] >= 0x80
    turned_away(site, stranger(site).leaf(identity), "ca-unknown")
    backend.publish("d/x/1/cmd/end", "end")
    backend.wait_message("d/x/1/cmd/end", "end")
    assert backend.payloads() == ["end"]
