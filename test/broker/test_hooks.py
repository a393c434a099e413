# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Receivers of events (hooks): a real https server gets what happened, at least
once, in order for each device, and nothing that is not its own."""

import contextlib
import hashlib
import hmac
import http.server
import json
import os
import socket
import sqlite3
import ssl
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import pytest
from harness.broker import own
from harness.pki import Ca, Pki
from harness.site import Site
from harness.wait import until

SECRET = "0123456789abcdef-of-the-hook"


class Receiver:
    """An https server on every address.  answer(request) gives a status, and may
    wait; requests are kept in the order of coming."""

    def __init__(self, pki: Pki, ca: Ca, name: str = "localhost", port: int = 0):
        leaf = ca.leaf(name, ["IP:127.0.0.1"], eku="serverAuth", key="receiver")
        self.ca = ca
        self.requests: list[dict[str, Any]] = []
        self.connections: list[Any] = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.answer: Callable[[dict[str, Any]], int] = lambda request: 204
        self.location = ""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with receiver.lock:
                    receiver.connections.append(self.connection)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                self.reply(receiver.take("POST", self.path, self.headers, body))

            def do_GET(self) -> None:
                self.reply(receiver.take("GET", self.path, self.headers, b""))

            def reply(self, status: int) -> None:
                if status == 0:  # hang up
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *words: Any) -> None:
                pass  # clients that leave

        self.server = Server(("", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf.chain, leaf.key)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.05])
        self.thread.start()

    def take(self, method: str, path: str, headers: Any, body: bytes) -> int:
        request = {"method": method, "path": path, "body": body, "status": None}
        request["headers"] = {name.lower(): value for name, value in headers.items()}
        with self.lock:
            self.requests.append(request)
        request["status"] = self.answer(request)
        return request["status"]

    def url(self, path: str = "/in") -> str:
        return f"https://127.0.0.1:{self.port}{path}"

    def accepted(self) -> list[dict[str, Any]]:
        """The events that were answered with 2xx, in order of coming."""
        with self.lock:
            done = [r for r in self.requests if (r["status"] or 0) // 100 == 2]
        return [json.loads(request["body"]) for request in done]

    def firsts(self) -> list[int]:
        """Their numbers, each where it was taken first."""
        return list(dict.fromkeys(event["data"]["seq"] for event in self.accepted()))

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def receivers(pki: Pki) -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def make(**options: Any) -> Receiver:
        ca = options.pop("ca", None) or pki.root("receiver-ca")
        made.append(Receiver(pki, ca, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def receiver(receivers: Callable[..., Receiver]) -> Receiver:
    return receivers()


def add(site: Site, receiver: Receiver, *options: object, path: str = "/in") -> str:
    """The new hook's id."""
    cas = [] if "--ca-file" in options else ["--ca-file", receiver.ca.cert]
    told = site.certid.json("hook", "add", receiver.url(path), *cas, *options)
    return told["hook"]


def hook(site: Site, id_: str) -> dict[str, Any]:
    return next(each for each in site.certid.json("hook", "list") if each["hook"] == id_)


def rows(site: Site, after: int = 0, kinds: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    listed = site.certid.json("event", "list", "--limit", 100000)
    return [
        row
        for row in listed
        if row["seq"] > after and (not kinds or row["kind"] in kinds)
    ]


def make_events(site: Site, count: int) -> None:
    """Events about devices that need no connection."""
    for _ in range(count):
        identity = site.new_id("made")
        site.certid("device", "add", identity)
        site.certid("device", "lock", identity)
        site.certid("device", "unlock", identity)


def wait_all(site: Site, receiver: Receiver, id_: str, after: int) -> list[int]:
    """Everything behind after was delivered, and written down."""
    wanted = [row["seq"] for row in rows(site, after)]
    until(lambda: set(receiver.firsts()) >= set(wanted), "all events", 60)
    until(lambda: hook(site, id_)["cursor"] >= wanted[-1], "the cursor")
    assert sorted(receiver.firsts()) == wanted
    return wanted


def check_order(receiver: Receiver, site: Site) -> None:
    """For each subject that is an identity, and for the rest, by rising seq."""
    subjects = {row["seq"]: row["subject"] for row in rows(site)}
    lanes: dict[str, list[int]] = defaultdict(list)
    for seq in receiver.firsts():
        subject = subjects[seq]
        lanes[subject if subject[:2] in ("d:", "g:") else ""].append(seq)
    for lane in lanes.values():
        assert lane == sorted(lane)


# What a receiver gets


def test_every_row(site: Site, receiver: Receiver, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    id_ = add(site, receiver, "--secret", secret)
    cursor = hook(site, id_)["cursor"]
    device = site.device(site.new_id()).open()
    until(lambda: device.client_id in site.certid.identities(), "the row")
    make_events(site, 5)
    site.certid("set", "enrol", "auto")
    wait_all(site, receiver, id_, cursor)
    events = {event["data"]["seq"]: event for event in receiver.accepted()}
    for row in rows(site, cursor):
        event = events[row["seq"]]
        assert event["specversion"] == "1.0"
        assert event["id"] == f"default/{row['seq']}"
        assert event["source"] == "certid/default"
        assert event["type"] == f"io.certid.{row['kind']}"
        assert event["subject"] == row["subject"]
        assert event["time"] == row["time"]
        assert event["datacontenttype"] == "application/json"
        for name in ("seq", "actor", "detail"):
            assert event["data"][name] == row[name]
        assert event["data"]["org"] == "default"
        assert ("device" in event["data"]) == (row["subject"][:2] == "d:")
    provisioned = next(
        e for e in events.values() if e["type"] == "io.certid.device-provisioned"
    )
    shown = site.certid.json("device", "show", device.client_id)
    sent = provisioned["data"]["device"]
    secrets = set(shown) - set(sent)
    assert secrets == {"pins", "token"}
    moving = {"last_seen_at"}
    assert {k: v for k, v in sent.items() if k not in moving} == {
        k: v for k, v in shown.items() if k not in secrets | moving
    }
    for request in receiver.requests:
        headers, body = request["headers"], request["body"]
        assert request["method"] == "POST" and request["path"] == "/in"
        told = "application/cloudevents+json; charset=utf-8"
        assert headers["content-type"] == told
        assert headers["user-agent"].startswith("certid/")
        assert headers["x-certid-delivery"] == json.loads(body)["id"]
        assert headers["x-certid-attempt"] == "1"
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={digest}"
        assert SECRET.encode() not in body
    told = hook(site, id_)
    assert told["signed"] and told["backlog"] == 0 and told["dropped"] == 0
    assert told["delivered"] == len(receiver.requests)
    assert told["failing_since"] is None and told["failure"] is None
    assert SECRET not in json.dumps(site.certid.json("hook", "list"))
    assert SECRET not in json.dumps(rows(site))
    site.certid("hook", "remove", id_)


def test_only_its_kinds(site: Site, receiver: Receiver) -> None:
    kinds = ("device-locked", "ca-added")
    id_ = add(site, receiver, "--kind", kinds[0], "--kind", kinds[1])
    cursor = hook(site, id_)["cursor"]
    make_events(site, 3)
    wanted = [row["seq"] for row in rows(site, cursor, kinds)]
    assert len(wanted) == 3
    until(lambda: receiver.firsts() and len(receiver.firsts()) == 3, "all events")
    last = rows(site, cursor)[-1]["seq"]
    until(lambda: hook(site, id_)["cursor"] >= last, "the cursor")
    assert sorted(receiver.firsts()) == wanted
    assert "x-hub-signature-256" not in receiver.requests[0]["headers"]
    site.certid("hook", "remove", id_)


def test_the_list_of_devices(site: Site, receiver: Receiver, tmp_path: Path) -> None:
    info = tmp_path / "info"
    about = {"deviceInfo": {"serialNumber": "S1", "x": 1}, "location": {"latitude": 1.5}}
    info.write_text(json.dumps(about))
    identity = site.new_id()
    site.certid("device", "add", identity, "--info", info)
    id_ = add(site, receiver, "--format", "watson")
    assert hook(site, id_)["kinds"] == ["device-provisioned"]
    site.device(identity).open()
    until(lambda: receiver.accepted(), "the event")
    assert receiver.accepted()[0] == [
        {
            "typeId": "meter",
            "deviceId": identity.split(":")[2],
            "deviceInfo": {"serialNumber": "S1"},
            "location": {"latitude": 1.5},
        }
    ]
    site.certid("hook", "remove", id_)


def test_a_device_that_is_gone(site: Site, receiver: Receiver) -> None:
    id_ = add(site, receiver, "--kind", "device-removed")
    identity = site.new_id()
    site.certid("device", "add", identity)
    site.certid("device", "remove", identity)
    until(lambda: receiver.accepted(), "the event")
    assert receiver.accepted()[0]["data"]["device"] is None
    site.certid("hook", "remove", id_)


def test_two_receivers_do_not_wait_for_each_other(
    site: Site, receivers: Callable[..., Receiver]
) -> None:
    slow, quick = receivers(), receivers()
    slow.answer = lambda request: 204 if slow.released.wait(60) else 500
    ids = [add(site, slow), add(site, quick)]
    cursor = hook(site, ids[1])["cursor"]
    make_events(site, 10)
    wait_all(site, quick, ids[1], cursor)
    assert not slow.accepted()
    for id_ in ids:
        site.certid("hook", "remove", id_)
    slow.released.set()


# What goes wrong


def test_fails_half_the_time(site: Site, receiver: Receiver) -> None:
    seen: dict[str, int] = defaultdict(int)

    def answer(request: dict[str, Any]) -> int:
        name = request["headers"]["x-certid-delivery"]
        with receiver.lock:
            seen[name] += 1
        odd = hashlib.sha256(f"{name} {seen[name]}".encode()).digest()[0]
        return (500, 503, 404, 410, 400, 0)[odd % 6] if odd % 2 else 200

    receiver.answer = answer
    id_ = add(site, receiver)
    cursor = hook(site, id_)["cursor"]
    make_events(site, 25)
    wait_all(site, receiver, id_, cursor)
    check_order(receiver, site)
    for request in receiver.requests:
        attempt = int(request["headers"]["x-certid-attempt"])
        assert 1 <= attempt <= 60
    assert len(receiver.requests) > len(receiver.firsts())
    until(lambda: hook(site, id_)["failing_since"] is None, "it is well")
    site.certid("hook", "remove", id_)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(
    site: Site, receivers: Callable[..., Receiver], status: int
) -> None:
    target, moved = receivers(), receivers()
    moved.location = target.url("/other")
    moved.answer = lambda request: status
    id_ = add(site, moved)
    failure = f"the server answered {status}: redirects are not followed"
    until(lambda: hook(site, id_)["failure"] == failure, "the failure")
    assert hook(site, id_)["backlog"] > 0
    until(lambda: len(moved.requests) >= 3, "more attempts")
    assert not target.requests
    assert {request["path"] for request in moved.requests} == {"/in"}
    site.certid("hook", "remove", id_)


def test_a_certificate_of_another_ca(site: Site, receiver: Receiver) -> None:
    id_ = add(site, receiver, "--ca-file", site.pki.root("strange").cert)
    until(lambda: hook(site, id_)["failure"], "the failure")
    assert "issuer certificate" in hook(site, id_)["failure"]
    assert not receiver.requests
    site.certid("hook", "remove", id_)


def test_a_certificate_of_another_name(
    site: Site, pki: Pki, receivers: Callable[..., Receiver]
) -> None:
    receiver = receivers()
    url = receiver.url().replace("127.0.0.1", "127.0.0.2")
    told = site.certid.json("hook", "add", url, "--ca-file", receiver.ca.cert)
    id_ = told["hook"]
    until(lambda: hook(site, id_)["failure"], "the failure")
    assert "127.0.0.2" in hook(site, id_)["failure"]
    assert not receiver.requests
    site.certid("hook", "remove", id_)


def test_the_system_does_not_know_the_ca(site: Site, receiver: Receiver) -> None:
    told = site.certid.json("hook", "add", receiver.url())
    until(lambda: hook(site, told["hook"])["failure"], "the failure")
    assert not hook(site, told["hook"])["own_ca"]
    assert not receiver.requests
    site.certid("hook", "remove", told["hook"])


def test_the_environment_does_not_decide(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]
) -> None:
    """No proxy."""
    site, receiver, proxy = new_site(), receivers(), receivers()
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        site.broker.environment[name] = proxy.url("")
    site.broker.start()
    id_ = add(site, receiver)
    cursor = hook(site, id_)["cursor"]
    wait_all(site, receiver, id_, cursor)
    assert not proxy.requests


def test_its_own_cas_are_the_only_ones(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]
) -> None:
    """Those of the system do not count beside --ca-file, but without it."""
    site, receiver = new_site(), receivers()
    site.broker.environment["SSL_CERT_FILE"] = str(receiver.ca.cert)
    site.pki.folder.chmod(0o755)
    site.broker.start()
    id_ = add(site, receiver, "--ca-file", site.pki.root("strange").cert)
    until(lambda: hook(site, id_)["failure"], "the failure")
    assert not receiver.requests
    told = site.certid.json("hook", "add", receiver.url("/system"))
    until(lambda: hook(site, told["hook"])["delivered"], "a delivery")
    assert {request["path"] for request in receiver.requests} == {"/system"}


def test_one_that_never_answers(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]
) -> None:
    site, slow = new_site(), receivers()
    slow.answer = lambda request: 204 if slow.released.wait(120) else 500
    site.broker.start()
    id_ = add(site, slow)
    until(lambda: slow.requests, "a request")
    # The broker serves devices meanwhile, and stops without waiting for it.
    site.device(site.new_id()).open()
    failure = "the server does not answer in time"
    until(lambda: hook(site, id_)["failure"] == failure, "the failure", 30)
    site.leave()
    site.broker.stop()
    assert hook(site, id_)["cursor"] < rows(site)[-1]["seq"]


def test_dead_then_alive(site: Site, receivers: Callable[..., Receiver]) -> None:
    dead = receivers()
    id_, port = add(site, dead), dead.port
    cursor = hook(site, id_)["cursor"]
    wait_all(site, dead, id_, cursor)
    before = len(dead.firsts())
    since = site.broker.mark()
    dead.close()
    make_events(site, 5)
    site.broker.wait_log(rf"hook {id_} .* attempts in a row failed", since=since)
    until(lambda: hook(site, id_)["failing_since"], "it is told")
    assert "cannot connect" in hook(site, id_)["failure"]
    assert hook(site, id_)["backlog"] >= 10
    status = site.certid.json("status")["per_org"][0]["hooks"]
    told = next(each for each in status if each["hook"] == id_)
    assert told["backlog"] >= 10 and told["failing_since"] and told["failure"]
    alive = receivers(port=port)
    wanted = [row["seq"] for row in rows(site, cursor)]
    until(lambda: len(alive.firsts()) >= len(wanted) - before, "the rest", 60)
    site.broker.wait_log(rf"hook {id_} .*takes events again", since=since)
    until(lambda: hook(site, id_)["backlog"] == 0, "all is delivered")
    assert hook(site, id_)["failure"] is None
    assert set(dead.firsts()) | set(alive.firsts()) >= set(wanted)
    check_order(alive, site)
    site.certid("hook", "remove", id_)


# Life of a hook, and of the broker


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_backlog_outlives_the_broker(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver], how: str
) -> None:
    site, receiver = new_site(), receivers()
    site.broker.start()
    id_ = add(site, receiver)
    cursor = hook(site, id_)["cursor"]
    allowed = threading.Event()

    def answer(request: dict[str, Any]) -> int:
        return 200 if allowed.is_set() or len(receiver.firsts()) < 5 else 503

    receiver.answer = answer
    make_events(site, 10)
    until(lambda: len(receiver.firsts()) >= 5, "some are taken")
    getattr(site.broker, how)()
    make_events(site, 5)
    allowed.set()
    site.broker.start()
    wait_all(site, receiver, id_, cursor)
    check_order(receiver, site)
    told = hook(site, id_)
    assert told["backlog"] == 0 and told["dropped"] == 0


def change(site: Site, statement: str) -> None:
    """In the registry's file, while nobody else has it open."""
    database = sqlite3.connect(site.certid.registry)
    with database:
        database.execute(statement)
    database.close()
    own(site.certid.registry.parent)


def test_what_the_table_forgot_is_counted(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]
) -> None:
    site, receiver = new_site(), receivers()
    id_ = add(site, receiver)
    cursor = hook(site, id_)["cursor"]
    make_events(site, 5)
    change(site, f"DELETE FROM event WHERE seq <= {cursor + 6}")
    site.broker.start()
    site.broker.wait_log(rf"hook {id_} .*events are dropped")
    wait_all(site, receiver, id_, cursor)
    until(lambda: hook(site, id_)["dropped"] == 6, "the number")
    assert min(receiver.firsts()) == cursor + 7
    findings = site.certid.json("status")["findings"]
    assert "hook-dropped" in [each["kind"] for each in findings]


@pytest.mark.parametrize("quiet", [False, True], ids=["old-rows", "no-old-rows"])
@pytest.mark.parametrize("forgotten", [0, 4])
def test_what_others_forgot_is_not(
    new_site: Callable[..., Site],
    receivers: Callable[..., Receiver],
    quiet: bool,
    forgotten: int,
) -> None:
    """Numbers that belong to another org.  Whose events those were that nobody
    has any more can be told only by an older one of the hook's own org."""
    site, receiver = new_site(), receivers()
    site.certid("org", "add", "acme")
    site.broker.start()
    id_ = add(site, receiver)
    wait_all(site, receiver, id_, hook(site, id_)["cursor"])
    site.broker.stop()
    cursor = hook(site, id_)["cursor"]
    for n in range(6):
        site.certid("--org", "acme", "device", "add", f"d:meter:{n}")
    make_events(site, 2)
    change(
        site, f"DELETE FROM event WHERE org = 'acme' AND seq <= {cursor + forgotten}"
    )
    if quiet:
        change(site, f"DELETE FROM event WHERE org = 'default' AND seq <= {cursor}")
    site.broker.start()
    wanted = {row["seq"] for row in rows(site, cursor)}
    until(lambda: set(receiver.firsts()) >= wanted, "all events")
    until(lambda: hook(site, id_)["cursor"] >= max(wanted), "the cursor")
    assert hook(site, id_)["dropped"] == (forgotten if quiet else 0)


def test_a_removed_hook_stops(site: Site, receiver: Receiver) -> None:
    receiver.answer = lambda request: 503
    id_ = add(site, receiver)
    until(lambda: len(receiver.requests) >= 2, "attempts")
    site.certid("hook", "remove", id_[:4])
    assert not [each for each in site.certid.json("hook", "list") if each["hook"] == id_]
    site.settle()
    # It has followed by now; a request may have been under way.
    marker = add(site, receiver, path="/marker")

    def quiet() -> bool:
        with receiver.lock:
            paths = [request["path"] for request in receiver.requests]
        return paths[-3:] == ["/marker"] * 3

    until(quiet, "the other hook is alone")
    before = sum(request["path"] == "/in" for request in receiver.requests)
    until(lambda: len(receiver.requests) >= before + 6, "more of the other")
    after = sum(request["path"] == "/in" for request in receiver.requests)
    assert after == before
    site.certid("hook", "remove", marker)


def test_a_second_broker_does_not_double(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]
) -> None:
    """Of two on one registry one delivers; when it dies, the other one."""
    first, second, receiver = new_site(), new_site(), receivers()
    first.broker.start()
    other = str(second.broker.folder / "lib" / "certid" / "registry.db")
    second.broker.edit(
        f"plugin_opt_registry {other}", f"plugin_opt_registry {first.certid.registry}"
    )
    first.broker.folder.chmod(0o755)
    own(first.broker.folder)
    second.broker.start()
    id_ = add(first, receiver)
    cursor = hook(first, id_)["cursor"]
    make_events(first, 10)
    wait_all(first, receiver, id_, cursor)
    numbers = [event["data"]["seq"] for event in receiver.accepted()]
    assert len(numbers) == len(set(numbers))
    first.broker.kill()
    make_events(first, 3)
    wait_all(first, receiver, id_, cursor)
    second.broker.stop()


def test_one_broker_with_the_lock_removed(
    new_site: Callable[..., Site], receivers: Callable[..., Receiver]
) -> None:
    site, receiver = new_site(), receivers()
    site.broker.start()
    id_ = add(site, receiver)
    cursor = hook(site, id_)["cursor"]
    wait_all(site, receiver, id_, cursor)
    lock = Path(f"{site.certid.registry}-outbox")
    os.unlink(lock)
    until(lock.exists, "it is made anew")
    make_events(site, 3)
    wait_all(site, receiver, id_, cursor)


# What the command line refuses


@pytest.mark.parametrize(
    "url,words",
    [
        ("http://example.org/", "over TLS alone"),
        ("ftp://example.org/", "does not begin with https://"),
        ("file:///etc/passwd", "does not begin with https://"),
        ("example.org", "does not begin with https://"),
        ("https://me:secret@example.org/", "no user name or password"),
        ("https://me@example.org/", "no user name or password"),
        ("https://example.org/a b", "blank"),
        ("https://", "does not begin with https://HOST"),
        ("https://example.org:0/", "does not begin with https://HOST"),
    ],
)
def test_urls_that_are_refused(site: Site, url: str, words: str) -> None:
    done = site.certid.run("hook", "add", url)
    assert done.returncode == 2 and words in done.stderr


@pytest.mark.parametrize(
    "options,words,code",
    [
        (["--kind", "nonsense"], "not a kind of event", 2),
        (["--format", "xml"], "cloudevents or watson", 2),
        (["--format", "watson", "--kind", "device-removed"], "alone", 2),
        (["--secret", "{short}"], "16 to 1024 bytes", 1),
        (["--secret", "{long}"], "too large", 1),
        (["--secret", "{nul}"], "NUL", 1),
        (["--secret", "{none}"], "none", 1),
        (["--ca-file", "{short}"], "no certificate", 1),
        (["--ca-file", "{key}"], "key", 1),
    ],
)
def test_options_that_are_refused(
    site: Site, tmp_path: Path, options: list[str], words: str, code: int
) -> None:
    files: dict[str, Optional[bytes]] = {
        "short": b"fifteen bytes..\n",
        "long": b"x" * 1100,
        "nul": b"0123456789\x000123456789",
        "none": None,
        "key": site.ca.cert.read_bytes() + site.ca.key.private.read_bytes(),
    }
    places = {}
    for name, content in files.items():
        places[name] = tmp_path / name
        if content is not None:
            places[name].write_bytes(content)
    words_ = [option.format(**places) for option in options]
    done = site.certid.run("hook", "add", "https://example.org/", *words_)
    assert done.returncode == code and words in done.stderr, done.stderr
    assert site.certid.json("hook", "list") == []


def test_hooks_that_are_not_there(site: Site) -> None:
    assert site.certid.run("hook", "remove", "01234567").returncode == 4
    ids = []
    for _ in range(2):
        told = site.certid.json("hook", "add", "https://127.0.0.1:1/twin")
        ids.append(told["hook"])
    assert site.certid.run("hook", "remove", "https://127.0.0.1:1/twin").returncode == 5
    for id_ in ids:
        site.certid("hook", "remove", id_)
