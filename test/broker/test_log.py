# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The log: one line a decision, logfmt, whatever a peer sends."""

import re
from typing import Callable

import pytest
from harness.broker import BACKEND, fields, quote
from harness.site import Site, topic
from harness.wait import until

LINE = re.compile(r"^\S+: certid: (admitted|refused|closed|denied) (.*)$", re.MULTILINE)


def test_an_admission(site: Site) -> None:
    identity = site.new_id()
    since = site.broker.mark()
    site.client(identity, site.ca.leaf(identity, serial=0x1A)).open()
    assert site.broker.wait_decision(identity, since) == {
        "verdict": "admitted",
        "reason": "provisioned",
        "identity": identity,
        "client": f'"{identity}"',
        "addr": "127.0.0.1",
        "ca": site.certid.ca_id("factory"),
        "serial": "0x1a",
    }


def test_a_refusal(site: Site) -> None:
    identity = site.new_id()
    since = site.broker.mark()
    client = site.client("someone", site.ca.leaf(identity, serial=0x2B))
    client.attempt()
    decision = site.broker.wait_decision("someone", since)
    detail = decision.pop("detail", None)
    assert detail is None or detail.startswith('"')
    assert decision == {
        "verdict": "refused",
        "reason": "client-id",
        "identity": identity,
        "client": '"someone"',
        "addr": "127.0.0.1",
        "ca": site.certid.ca_id("factory"),
        "serial": "0x2b",
    }


HOSTILE = [
    'quote" reason=known',
    "back\\slash",
    "d:meter:1 identity=d:meter:2",
    "umlaut-\u00e4",
    "emoji-\U0001f600",
    "percent-%s%n%x",
    "rtl-\u202e",
    "$(reboot)`id`",
]


@pytest.mark.parametrize("client_id", HOSTILE)
def test_a_hostile_client_id_is_escaped(site: Site, client_id: str) -> None:
    identity = site.new_id()
    since = site.broker.mark()
    with site.raw(site.ca.leaf(identity)) as raw:
        assert raw.ask(client_id) == 5
    decision = site.broker.wait_decision(client_id, since)
    assert decision["client"] == quote(client_id)
    assert decision["identity"] == identity and decision["reason"] == "client-id"


def test_a_long_client_id_is_cut_in_the_log(site: Site) -> None:
    identity = site.new_id()
    since = site.broker.mark()
    with site.raw(site.ca.leaf(identity)) as raw:
        assert raw.ask("x" * 5000) == 5
    found = site.broker.wait_log(
        rf"certid: refused (reason=client-id identity={identity} .*)$", since=since
    )
    assert len(found[1]) < 900
    name = fields(found[1])["client"]
    assert name.startswith('"xxx') and name.endswith('..."') and len(name) < 300


def test_a_hostile_topic_is_escaped(site: Site) -> None:
    identity = site.new_id()
    since = site.broker.mark()
    site.device(identity).open().publish('x" reason=known topic="y', "x")
    found = site.broker.wait_log(rf"denied (.*identity={identity}.*)$", since=since)
    assert fields(found[1])["topic"] == quote('x" reason=known topic="y')


def test_repeated_refusals_are_counted(site: Site) -> None:
    """Forty refusals of one certificate, half of them with the same client id; a
    new reason is told at once."""
    identity = site.new_id()
    since = site.broker.mark()
    for number in range(40):
        with site.raw(site.ca.leaf(identity)) as raw:
            assert raw.ask(f"wrong-{max(0, number - 20)}") == 5
    site.device(identity).open().close()
    until(lambda: identity in site.certid.identities(), "the device's row")
    site.certid("device", "lock", identity)
    site.settle()
    site.device(identity).attempt()
    locked = rf"refused reason=device-locked identity={identity}"
    site.broker.wait_log(locked, since=since)
    log = site.broker.log()[since:]
    told = re.findall(rf'refused reason=client-id identity={identity} client="(.*?)"', log)
    assert told == ["wrong-0", "wrong-1", "wrong-2", "wrong-3"]


def test_every_line_is_logfmt(site: Site) -> None:
    """All that this module's broker has said until now."""
    site.device(site.new_id()).open()
    lines = LINE.findall(site.broker.log())
    assert lines
    for _, rest in lines:
        assert "reason" in fields(rest), rest


def test_no_secret_and_no_certificate_reaches_the_log(site: Site) -> None:
    password = "Tr0ub4dor-and-3"
    identity = site.new_id()
    leaf = site.ca.leaf(identity)
    site.plain("app", login=(BACKEND[0], password)).attempt()
    site.client("wrong", leaf, login=("use-token-auth", password)).attempt()
    site.plain(identity, login=("use-token-auth", password)).attempt()
    device = site.device(identity, login=("use-token-auth", password))
    device.attempt()
    log = site.broker.log() + site.broker.stderr()
    assert password not in log and BACKEND[1] not in log
    assert "BEGIN CERT" not in log and "BEGIN PRIV" not in log


def test_a_log_that_is_itself_published(new_site: Callable[..., Site]) -> None:
    """log_dest topic: what the plugin logs of an access must not cause the next
    access, for ever."""
    line = "log_type error\n"
    site = new_site((line, f"log_dest topic\n{line}"))
    site.broker.start()
    reader = site.backend("$SYS/broker/log/#")
    nosy = site.plain("nosy", login=BACKEND, clean=False).open()
    assert nosy.subscribe("$SYS/broker/log/#") and nosy.subscribe("#")
    identity = site.new_id()
    device = site.device(identity).open()
    device.publish("d/meter/foreign/evt", "x")
    assert not device.subscribe("$SYS/broker/log/#")
    site.client("wrong", site.ca.leaf(identity)).attempt()

    def told() -> bool:
        return any("reason=client-id" in payload for payload in reader.payloads())

    until(told, "the refusal among the published lines")
    device.publish(topic(identity, "evt"), "still alive")


def test_a_denied_publish_is_told_once(site: Site) -> None:
    identity = site.new_id()
    backend = site.backend("d/#")
    since = site.broker.mark()
    device = site.device(identity).open()
    for _ in range(50):
        device.publish("d/meter/foreign/evt", "x")
    device.publish(topic(identity, "evt"), "end")
    backend.wait_message(topic(identity, "evt"), "end")
    log = site.broker.log()[since:]
    assert len(re.findall(rf"denied .*identity={identity}", log)) == 1
