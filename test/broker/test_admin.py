# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Admins manage the registry over MQTT; nobody else does."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import pytest
from harness.broker import BACKEND, certid_file, is_sanitized
from harness.client import ACCEPTED, Client
from harness.raw import PINGRESP
from harness.site import Site
from harness.wait import PATIENCE, until

TOPIC = "$CONTROL/certid/v1"
RESPONSE = "$CONTROL/certid/v1/response"
OPS = "d:ops:1"


class Asker:
    """A client that asks, and keeps what it is answered."""

    def __init__(self, client: Client):
        self.client = client
        self.taken = 0

    def send(self, payload: str, topic: str = TOPIC) -> None:
        self.client.publish(topic, payload)

    def answers(self) -> list[str]:
        with self.client.changed:
            return [text for topic, text in self.client.messages if topic == RESPONSE]

    def next(self) -> Any:
        want = self.taken + 1
        self.client.wait(
            lambda: len([1 for t, _ in self.client.messages if t == RESPONSE]) >= want,
            f"answer {want}",
        )
        self.taken = want
        return json.loads(self.answers()[want - 1])["responses"]

    def ask(self, command: str, **members: Any) -> Any:
        self.send(json.dumps({"commands": [{"command": command, **members}]}))
        responses = self.next()
        assert len(responses) == 1 and responses[0]["command"] == command, responses
        return responses[0]

    def data(self, command: str, **members: Any) -> Any:
        response = self.ask(command, **members)
        assert "error" not in response, response
        return response["data"]

    def must_hear_nothing(self, own: "Asker") -> None:
        """What comes first is the answer to somebody else's later question."""
        before = len(self.answers())
        own.data("listOrgs")
        assert len(self.answers()) == before, self.answers()


def certid_afar(*words: object) -> Any:
    """certid that finds no registry here."""
    done = subprocess.run(
        [str(word) for word in [certid_file(), *words]],
        text=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, "CERTID_REGISTRY": "/nonexistent"},
    )
    assert "Sanitizer" not in done.stderr, done.stderr
    return done


def remote(site: Site, *words: object, **options: Any) -> Any:
    """certid --broker, by the identity of an admin, or by a user name."""
    login: Optional[tuple[str, str]] = options.pop("login", None)
    identity = options.pop("identity", OPS)
    expect: Optional[int] = options.pop("expect", 0)
    if login:
        password = site.broker.folder / "password"
        password.write_text(login[1] + "\n")
        line: list[object] = ["--broker", f"mqtt://127.0.0.1:{site.broker.plain_port}"]
        line += ["--username", login[0], "--password-file", password]
    else:
        leaf = site.ca.leaf(identity)
        line = ["--broker", f"mqtts://127.0.0.1:{site.broker.tls_port}"]
        line += ["--cert", leaf.chain, "--key", leaf.key]
        line += ["--ca-file", site.server_ca.cert]
    for name, value in options.items():
        line += [f"--{name.replace('_', '-')}", value]
    done = certid_afar(*line, *words)
    if expect is not None:
        assert done.returncode == expect, (words, done)
    return done


@pytest.fixture(scope="module")
def shared(pki: Any, ca: Any) -> Iterator[Site]:
    made = Site(pki, ca)
    try:
        made.certid("admin", "add", OPS)
        made.certid("admin", "add", BACKEND[0])
        made.broker.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def ops(site: Site) -> Asker:
    return Asker(site.device(OPS).open())


@pytest.fixture
def backend(site: Site) -> Asker:
    return Asker(site.plain("admin-1", login=BACKEND).open())


WALK = [
    ("listOrgs", {}, ["org", "list"]),
    ("listCas", {}, ["ca", "list"]),
    ("showCa", {"ca": "factory"}, ["ca", "show", "factory"]),
    ("listTypes", {}, ["type", "list"]),
    ("listRules", {}, ["rule", "list"]),
    ("listTopics", {}, ["topic", "list"]),
    ("listSettings", {}, ["set"]),
    ("listAdmins", {}, ["admin", "list"]),
    ("listHooks", {}, ["hook", "list"]),
    ("listDevices", {"limit": 5}, ["device", "list", "--limit", 5]),
    ("listDevices", {"type": "d:ops"}, ["device", "list", "--type", "d:ops"]),
    ("showDevice", {"identity": "d:walk:1"}, ["device", "show", "d:walk:1"]),
    ("listEvents", {"limit": 3}, ["event", "list", "--limit", 3]),
    ("getCompliance", {}, ["compliance"]),
    ("getStatus", {}, ["status"]),
]


@pytest.fixture(scope="module")
def walked(shared: Site) -> None:
    shared.certid("device", "add", "d:walk:1", "--tag", "name=ä", "--window", "none")


def same_as_here(site: Site, asker: Asker, name: str, members: Any, line: Any) -> None:
    # The broker notes when it saw somebody last, which is another moment.
    def look() -> bool:
        here = json.loads(site.certid.run("--json", *line).stdout)
        return bool(asker.data(name, **members) == here)

    until(look, f"{name} as {line} prints it")


@pytest.mark.parametrize("name,members,line", WALK)
def test_reading_by_an_identity_and_by_a_user_name(
    site: Site, walked: None, ops: Asker, backend: Asker,
    name: str, members: Any, line: Any,
) -> None:  # fmt: skip
    same_as_here(site, ops, name, members, line)
    same_as_here(site, backend, name, members, line)


@pytest.mark.parametrize("name,members,line", WALK)
@pytest.mark.parametrize("how", [["--json"], []], ids=["json", "text"])
@pytest.mark.parametrize("who", [None, BACKEND], ids=["identity", "user-name"])
def test_certid_prints_the_same_from_afar(
    site: Site, walked: None, name: str, members: Any, line: Any, how: Any, who: Any
) -> None:
    def look() -> bool:
        here = site.certid.run(*how, *line)
        there = remote(site, *how, *line, login=who, expect=None)
        return (here.returncode, here.stdout, here.stderr) == (
            there.returncode, there.stdout, there.stderr,
        )  # fmt: skip

    until(look, f"certid --broker {line} as certid {line}")


def test_writing(site: Site, ops: Asker) -> None:
    """A walk through most commands, raw."""
    pem = site.pki.root("walk").cert.read_text()
    made = ops.data("addCa", file=pem, name="walk", scope=["d:walk:*", "g:*:*"])
    assert made["name"] == "walk"
    code = ops.data("codeCa", ca="walk")["registration_code"]
    proof = site.pki.root("walk").leaf(code)
    ops.data("verifyCa", ca="walk", file=proof.cert.read_text())
    ops.data("setCa", ca="walk", crlGrace="1h", description="for a walk")
    crl = site.pki.root("walk").crl(1)
    ops.data("crlCa", ca="walk", file=crl.read_text())
    ops.data("deactivateCa", ca="walk")
    assert ops.data("showCa", ca="walk")["state"] == "inactive"
    ops.data("activateCa", ca="walk")
    ops.data("setType", type="d:walk", enrol="listed", idLength=4, idFormat="decimal")
    assert ops.data("showType", type="d:walk")["enrol"] == "listed"
    ops.data("setRule", type="d:walk", level="cert")
    ops.data("unsetRule", type="d:walk")
    device = {"identity": "d:walk:0007"}
    ops.data("addDevice", **device, window="none", tag=["a=b"], info='{"model":"x"}')
    set_ = ops.data("setDevice", **device, tag=["c=d"], info='{"model":"y"}')
    assert set_["tags"] == [{"name": "c", "value": "d"}]
    assert set_["info"] == {"model": "y"} and set_["window_ends_at"] is None
    ops.data("lockDevice", **device)
    assert ops.data("showDevice", **device)["locked"] is True
    ops.data("unlockDevice", **device)
    token = ops.data("tokenDevice", **device)["token"]
    assert len(token) == 64
    leaf = site.pki.root("walk").leaf(device["identity"])
    answer = ops.data("explain", cert=leaf.cert.read_text())
    assert answer["decision"] == "admit"
    answer = ops.ask("explain", cert=leaf.cert.read_text(), clientId="other")
    assert answer["code"] == 1 and answer["data"]["reason"] == "client-id"
    ops.data("removeDevice", **device)
    ops.data("unsetType", type="d:walk")
    rule = {"who": "d:walk", "access": "publish", "filter": "walk/{id}/#"}
    ops.data("addTopic", **rule)
    ops.data("removeTopic", **rule)
    ops.data("setSetting", key="event-days", value=89)
    ops.data("setSetting", key="event-days", value="90")
    ops.data("addOrg", org="walked")
    ops.data("addAdmin", name="d:ops:2", org="walked")
    ops.data("removeOrg", org="walked")
    ops.data("removeCa", ca="walk")
    for event in site.certid.events()[-20:]:
        if event["actor"] == "operator" and event["kind"] != "import":
            assert event["detail"].endswith(f"by={OPS}"), event


def test_writing_by_certid(site: Site, tmp_path: Path) -> None:
    ca = site.pki.root("walk-2")
    remote(site, "ca", "add", ca.cert, "--name", "walk-2", "--scope", "d:walk2:*")
    der = tmp_path / "crl.der"
    subprocess.run(
        ["openssl", "crl", "-in", ca.crl(1), "-outform", "DER", "-out", der], check=True
    )
    remote(site, "ca", "crl", "walk-2", der)
    info = tmp_path / "info.json"
    info.write_text('{"model": "größer"}')
    remote(site, "device", "add", "d:walk2:1", "--info", info, "--tag", "a=b=c")
    shown = site.certid.device("d:walk2:1")
    assert shown["info"] == {"model": "größer"}
    assert shown["tags"] == [{"name": "a", "value": "b=c"}]
    rows = tmp_path / "rows.csv"
    rows.write_text('ID,Tags\nd:walk2:2,"[{""name"":""ä"",""value"":""1""}]"\n')
    remote(site, "import", rows, login=BACKEND)
    assert site.certid.device("d:walk2:2")["tags"] == [{"name": "ä", "value": "1"}]
    done = remote(site, "export", "--type", "d:walk2")
    text = site.certid.run("export", "--type", "d:walk2").stdout
    assert done.stdout == text
    out = tmp_path / "out.csv"
    done = remote(site, "export", "--type", "d:walk2", "--output", out)
    assert out.read_text() == text and out.stat().st_mode & 0o777 == 0o600
    assert done.stdout == f"wrote {len(text.encode())} bytes to {out}\n"
    done = remote(site, "export", "--type", "d:nix", "--output", out, expect=4)
    assert done.stdout == "" and out.read_text() == text
    done = remote(site, "export", "--output", tmp_path, expect=1)
    assert "not a regular file" in done.stderr
    leaf = ca.leaf("d:walk2:1")
    assert "admit" in remote(site, "explain", "--cert", leaf.cert).stdout
    remote(site, "ca", "remove", "walk-2", login=BACKEND)
    for name in ("1", "2"):
        remote(site, "device", "remove", f"d:walk2:{name}")


@pytest.mark.parametrize("kind", ["rsa:2048", "ec:P-256"])
def test_a_key_of_another_certificate(site: Site, tmp_path: Path, kind: str) -> None:
    leaf, other = site.ca.leaf(OPS), tmp_path / "other.key"
    kind, what = kind.split(":")
    option = "rsa_keygen_bits:" if kind == "rsa" else "ec_paramgen_curve:"
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", kind, "-pkeyopt", option + what]
        + ["-out", str(other)], check=True, capture_output=True,
    )
    done = subprocess.run(
        [str(certid_file()), "--broker", f"mqtts://127.0.0.1:{site.broker.tls_port}"]
        + ["--cert", str(leaf.chain), "--key", str(other)]
        + ["--ca-file", str(site.server_ca.cert), "status"],
        check=False, capture_output=True, text=True, timeout=40,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"certid: the key {other} is not that of ")


def test_the_recipe_with_mosquittos_own_client(site: Site) -> None:
    if shutil.which("mosquitto_rr") is None:
        pytest.skip("there is no mosquitto_rr")
    leaf = site.ca.leaf(OPS)
    done = subprocess.run(
        ["mosquitto_rr", "-h", "127.0.0.1", "-p", str(site.broker.tls_port)]
        + ["--cafile", str(site.server_ca.cert), "--cert", str(leaf.chain)]
        + ["--key", str(leaf.key), "-i", OPS, "-q", "1", "-t", TOPIC, "-e", RESPONSE]
        + ["-W", "20", "-m", '{"commands":[{"command":"listAdmins"}]}'],
        check=False, capture_output=True, text=True, timeout=40,
    )
    assert done.returncode == 0, done.stderr
    assert any(a["name"] == OPS for a in json.loads(done.stdout)["responses"][0]["data"])


FAILURES = [
    ["device", "show", "d:nobody:1"],
    ["device", "add", "nonsense"],
    ["device", "list", "--limit", "0"],
    ["device", "list", "--org", "nope"],
    ["ca", "add", "/etc/hostname"],
    ["ca", "show", "nope"],
    ["org", "remove", "default"],
    ["rule", "set", "default", "nope"],
    ["set", "enrol", "nope"],
    ["explain", "--cert", "/etc/hostname"],
    ["admin", "add", "a/b"],
]


@pytest.mark.parametrize("line", FAILURES, ids=" ".join)
@pytest.mark.parametrize("how", [["--json"], []], ids=["json", "text"])
def test_failures_are_the_same_from_afar(site: Site, how: Any, line: Any) -> None:
    here = site.certid.run(*how, *line)
    there = remote(site, *how, *line, expect=here.returncode)
    assert here.returncode != 0
    assert (there.stdout, there.stderr) == (here.stdout, here.stderr)


# Who is no admin


def denied(client: Client) -> None:
    assert not client.subscribe(RESPONSE)
    assert not client.subscribe(TOPIC)
    assert not client.subscribe("$CONTROL/certid/#")
    assert not client.subscribe("$SYS/broker/certid/#")


def test_a_device_that_is_no_admin(site: Site, ops: Asker) -> None:
    before = site.certid.events()[-1]["seq"]
    for v5 in (False, True):
        identity = site.new_id()
        device = Asker(site.device(identity, v5=v5).open())
        denied(device.client)
        since = site.broker.mark()
        device.send('{"commands":[{"command":"addOrg","org":"mine"}]}')
        device.must_hear_nothing(ops)
        if not v5:
            continue
        site.broker.wait_log(r"certid: denied reason=topic access=", since=0)
        assert "admitted" not in site.broker.log()[since:]
    kinds = {e["kind"] for e in site.certid.events() if e["seq"] > before}
    assert "setting-changed" not in kinds


def test_an_admin_may_do_nothing_else(site: Site, ops: Asker) -> None:
    assert ops.client.subscribe(RESPONSE)
    for filter_ in ("$CONTROL/#", "$CONTROL/certid/#", "$CONTROL/certid/v1", "#"):
        assert not ops.client.subscribe(filter_), filter_
    assert not ops.client.subscribe("$CONTROL/+/v1/response")
    assert ops.client.subscribe("$SYS/broker/certid/#")
    assert not ops.client.subscribe("$SYS/broker/#")
    # The topic of the answers is nobody's to write.
    ops.send('{"responses":[]}', topic=RESPONSE)
    ops.send("{}", topic="$CONTROL/certid/v2")
    ops.data("listOrgs")
    assert len(ops.answers()) == 1


@pytest.mark.parametrize("topic", [RESPONSE, "$CONTROL/certid/v2", "$CONTROL/certid"])
def test_an_admin_writes_one_topic_alone(site: Site, topic: str) -> None:
    identity = site.new_id()
    site.certid("admin", "add", identity)
    site.settle()
    since = site.broker.mark()
    Asker(site.device(identity).open()).send("{}", topic=topic)
    line = rf'certid: denied .*identity={identity} .*topic="{re.escape(topic)}"'
    site.broker.wait_log(line, since=since)


def test_events_and_counters_for_admins(site: Site, ops: Asker) -> None:
    assert ops.client.subscribe("$SYS/broker/certid/event/#")
    ops.data("addTopic", who="d", access="publish", filter="sys/#")
    name = "$SYS/broker/certid/event/setting-changed"
    ops.client.wait(
        lambda: any(t == name and "sys/#" in text for t, text in ops.client.messages),
        "the event",
    )
    ops.data("removeTopic", who="d", access="publish", filter="sys/#")


def test_a_second_client_hears_nothing(site: Site, ops: Asker) -> None:
    """Answers go to the one who asked, whoever subscribed to their topic."""
    others = [
        Asker(site.plain("bridge", login=BACKEND).open()),
        Asker(site.device("d:ops:1x").open()),
    ]
    assert others[0].client.subscribe(RESPONSE)
    assert not others[1].client.subscribe(RESPONSE)
    for _ in range(5):
        ops.data("listOrgs")
    assert [asker.answers() for asker in others] == [[], []]
    assert others[0].data("listOrgs")
    assert len(ops.answers()) == 5


def test_an_admin_of_another_org_has_no_right_here(site: Site, ops: Asker) -> None:
    site.certid("org", "add", "acme")
    try:
        identity = site.new_id()
        site.certid("admin", "add", identity, "--org", "acme")
        site.certid("admin", "add", "user", "--org", "acme")
        site.settle()
        device = Asker(site.device(identity).open())
        denied(device.client)
        device.send('{"commands":[{"command":"listOrgs"}]}')
        device.must_hear_nothing(ops)
        listed = ops.data("listAdmins", org="acme")
        assert {each["name"] for each in listed} == {identity, "user"}
    finally:
        site.certid("org", "remove", "acme")


def test_an_admin_who_is_removed(site: Site, ops: Asker) -> None:
    identity = site.new_id()
    ops.data("addAdmin", name=identity)
    site.settle()
    other = Asker(site.device(identity).open())
    assert other.data("listOrgs")
    assert other.client.subscribe(RESPONSE)
    # The answer to the last thing that it does as an admin still comes.
    response = other.ask("removeAdmin", name=identity)
    assert "this was you" in response["warnings"][0]
    site.settle()
    other.send('{"commands":[{"command":"listOrgs"}]}')
    other.must_hear_nothing(ops)
    assert not other.client.subscribe(RESPONSE)


def test_an_admin_who_is_locked(site: Site, ops: Asker) -> None:
    identity = site.new_id()
    ops.data("addAdmin", name=identity)
    site.settle()
    other = Asker(site.device(identity).open())
    assert other.data("listOrgs")
    ops.data("lockDevice", identity=identity)
    other.client.wait_closed()
    assert site.device(identity).attempt() != ACCEPTED
    ops.data("unlockDevice", identity=identity)


def test_locking_oneself(site: Site) -> None:
    identity = site.new_id()
    site.certid("admin", "add", identity)
    site.settle()
    client = site.device(identity).open()
    until(lambda: site.knows(identity), "its row")
    Asker(client).send(
        json.dumps({"commands": [{"command": "lockDevice", "identity": identity}]})
    )
    client.wait_closed()
    assert site.certid.device(identity)["locked"]


@pytest.mark.parametrize("option", ["allow", "refuse"])
def test_a_name_that_nobody_checked(new_site: Callable[..., Site], option: str) -> None:
    site = new_site(("plugin_opt_others defer", f"plugin_opt_others {option}"))
    site.certid("admin", "add", OPS)
    site.certid("admin", "add", BACKEND[0])
    site.broker.start()
    ops = Asker(site.device(OPS).open())
    client = site.plain("admin-1", login=BACKEND)
    if option == "refuse":
        assert client.attempt() != ACCEPTED
        return
    asker = Asker(client.open())
    asker.send('{"commands":[{"command":"listOrgs"}]}')
    asker.must_hear_nothing(ops)
    denied_too = not client.subscribe(RESPONSE)
    assert denied_too


def test_a_will_asks_for_nothing(site: Site, ops: Asker) -> None:
    before = len(site.certid.json("org", "list"))
    command = '{"commands":[{"command":"addOrg","org":"willed"}]}'
    for topic in (TOPIC, RESPONSE):
        for client in (
            site.device(site.new_id(), will=(topic, command)),
            site.plain("will-1", login=BACKEND, will=(topic, command)),
        ):
            # 2.0.16 and later refuse it at CONNECT, with a code of its own.
            try:
                opened = client.attempt() == ACCEPTED
            except AssertionError:
                opened = False
            if opened:
                client.lose()
    ops.data("listOrgs")
    assert len(site.certid.json("org", "list")) == before
    assert len(ops.answers()) == 1


HOSTILE = [
    "",
    "\x00",
    "[" * 100000,
    '{"a":' * 5000,
    '{"commands":' + "[" * 900 + "]" * 900 + "}",
    '{"commands":[' + ",".join(["1"] * 65) + "]}",
    '{"commands":[' + ",".join(["1"] * 64) + "]}",
    '{"commands":[{' + ",".join(f'"k{n}":1' for n in range(300)) + "}]}",
    '{"commands":[{"command":"' + "x" * 100000 + '"}]}',
    '{"commands":[{"command":"listDevices","type":"' + "%s%n" * 1000 + '"}]}',
    '{"commands":[{"command":"addCa","file":"' + "A" * 1000000 + '"}]}',
    '{"commands":[{"command":"addCa","file":{"name":"../../x","text":"y"}}]}',
    '{"commands":[{"command":"explain","cert":"/etc/shadow"}]}',
    '{"commands":[{"command":"importDevices","file":"-"}]}',
    '{"commands":[{"command":"importDevices","file":"ID\\n' + "d:h:x\\n" * 2 + '"}]}',
    '{"commands":[{"command":"listDevices","registry":"/tmp/x"}]}',
    '{"commands":[{"command":"init"}]}',
    '{"commands":[{"command":"setCa","ca":"factory","crlUrl":"file:///etc/x"}]}',
    '{"commands":[{"command":"addDevice","identity":"d:h:1","tag":[[[["x"]]]]}]}',
    '{"commands":[{"command":"listDevices","limit":1e400}]}',
    "\ufeff{}",
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_messages_are_answered(site: Site, ops: Asker, number: int) -> None:
    before = [e for e in site.certid.events() if e["actor"] == "operator"]
    ops.send(HOSTILE[number])
    for response in ops.next():
        assert response["error"] and response["code"] > 0, response
    assert ops.data("listOrgs")
    assert [e for e in site.certid.events() if e["actor"] == "operator"] == before


def pings(site: Site, during: Callable[[], Any], until_: Callable[[], bool]) -> float:
    """The longest wait for a PINGRESP from the start of something to its end."""
    raw = site.raw(site.ca.leaf(identity := site.new_id()))
    assert raw.ask(identity) == 0
    longest, end = 0.0, time.monotonic() + PATIENCE
    during()
    while not until_():
        start = time.monotonic()
        assert start < end, "it takes too long"
        raw.send(b"\xc0\x00")
        raw.read_until(PINGRESP)
        longest = max(longest, time.monotonic() - start)
    raw.close()
    return longest


STALL = 3.0 if is_sanitized() else 1.0


def test_four_mebibytes(new_site: Callable[..., Site]) -> None:
    site, room = new_site(), 4 << 20
    # 2.1 takes packets of 2,000,000 bytes at most, unless it is told to.
    site.broker.edit(f"\nlistener {site.broker.plain_port} ", f"\nmax_packet_size 10000000\nlistener {site.broker.plain_port} ")
    site.certid("admin", "add", OPS)
    site.broker.start()
    ops = Asker(site.device(OPS).open())
    start, end = '{"commands":[{"command":"addCa","file":"', '"}]}'
    fits = start + "A" * (room - len(start) - len(end)) + end

    def send() -> None:
        ops.client.paho.publish(TOPIC, fits, qos=1)

    assert pings(site, send, lambda: len(ops.answers()) == 1) < STALL
    assert "file" in ops.next()[0]["error"]
    ops.send(fits + " ")
    assert "too long" in ops.next()[0]["error"]
    assert ops.data("listOrgs")


def test_a_burst(site: Site, ops: Asker) -> None:
    """Every request is answered, run or not, and the broker goes on."""
    count = 1000
    command = '{"commands":[{"command":"listOrgs","correlationData":"%d"}]}'

    def send() -> None:
        for number in range(count):
            ops.client.paho.publish(TOPIC, command % number, qos=1)

    assert pings(site, send, lambda: len(ops.answers()) >= count) < STALL
    responses = [json.loads(text)["responses"][0] for text in ops.answers()]
    run = [int(r["correlationData"]) for r in responses if "data" in r]
    busy = [r for r in responses if "too many requests wait" in r.get("error", "")]
    assert len(run) + len(busy) == count
    assert len(run) >= 8 and run == sorted(run) and len(set(run)) == len(run)
    ops.taken = count
    assert ops.data("listOrgs")


def test_the_broker_ends_with_requests_that_wait(new_site: Any) -> None:
    site = new_site()
    site.certid("admin", "add", OPS)
    site.broker.start()
    client = site.device(OPS).open()
    for _ in range(64):
        client.paho.publish(TOPIC, '{"commands":[{"command":"getStatus"}]}', qos=1)
    site.broker.stop()


# The connection of certid


def test_certid_names_what_is_wrong(site: Site, pki: Any) -> None:
    done = remote(site, "org", "list", identity=site.new_id(), expect=1, timeout="2s")
    assert "no admin" in done.stderr
    done = remote(site, "org", "list", login=("backend", "wrong"), expect=1)
    assert "does not let backend in" in done.stderr
    other = pki.root("other").cert
    done = remote(site, "org", "list", ca_file=other, expect=2)
    assert "twice" in done.stderr
    wrong = pki.root("stranger").leaf(OPS)
    line = ["--broker", f"mqtts://127.0.0.1:{site.broker.tls_port}", "org", "list"]
    who = ["--cert", wrong.cert, "--key", wrong.key, "--ca-file", site.server_ca.cert]
    done = certid_afar(*who, *line)
    assert done.returncode == 1, done
    who[5] = other
    done = certid_afar(*who, *line)
    assert done.returncode == 3 and "not trusted" in done.stderr, done
    assert done.stderr.count("\n") == 1
