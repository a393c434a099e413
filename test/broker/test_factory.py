# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A day in a factory: at its end the registry, its events, the messages on
$SYS, the receiver of notifications and the metrics tell the same story.

CERTID_FACTORY is how many devices enrol; the import is of 100,000 always."""

import collections
import concurrent.futures
import http.server
import json
import os
import random
import re
import ssl
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness.client import REFUSED
from harness.raw import PUBACK, Raw, publish_packet
from harness.site import Site, topic
from harness.wait import until

LISTED = 100_000
ENROLLING = int(os.environ.get("CERTID_FACTORY", "240"))
HUBS = 4
THREADS = 8
LONG = 120.0


class Receiver:
    """An https server that fails half the time, each time in another way."""

    def __init__(self, site: Site):
        self.lock = threading.Lock()
        self.taken: dict[str, dict[str, Any]] = {}  # CloudEvents id -> event
        self.order: list[dict[str, Any]] = []  # first acceptances
        self.requests = 0
        dice = random.Random(4)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.requests += 1
                    fate = dice.choice(["ok", "ok", "ok", "500", "429", "drop"])
                    if fate == "ok":
                        receiver.take(json.loads(body))
                if fate == "drop":
                    self.close_connection = True
                    return
                self.send_response({"ok": 204, "500": 500, "429": 429}[fate])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        leaf = site.server_ca.leaf(
            "localhost", ["IP:127.0.0.1"], eku="serverAuth", key="server"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf.cert, leaf.key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, event: dict[str, Any]) -> None:
        if event["id"] not in self.taken:
            self.taken[event["id"]] = event
            self.order.append(event)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(site: Site) -> Iterator[Receiver]:
    made = Receiver(site)
    yield made
    made.close()


class Day:
    """What the clients saw."""

    def __init__(self, site: Site):
        self.site = site
        self.lock = threading.Lock()
        self.seen: "collections.Counter[str]" = collections.Counter()

    def count(self, what: str) -> None:
        with self.lock:
            self.seen[what] += 1

    def connect(self, identity: str, expected: str, **leaf: Any) -> None:
        """One connection; expected is the reason that the broker gives."""
        admitted = expected in ("known", "provisioned")
        with self.site.raw(self.site.ca.leaf(identity, **leaf)) as raw:
            assert (raw.ask(identity) == 0) == admitted, (identity, expected)
        self.count(expected)


def in_parallel(work: Callable[[str], None], items: list[str]) -> None:
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, items))


def hub_day(day: Day, hub: str, sensors: list[str]) -> None:
    """A gateway that brings its sensors, one message each."""
    site = day.site
    with site.raw(site.ca.leaf(hub)) as raw:
        assert raw.ask(hub) == 0
        day.count("provisioned")
        for number, sensor in enumerate(sensors, 1):
            raw.send(publish_packet(topic(sensor, "evt"), b"1", number=number))
            raw.read_until(PUBACK)


def flap(day: Day, identity: str) -> None:
    """Two copies of one device that throw each other out."""
    site, held = day.site, []
    for days in (30, 40) * 4:
        raw = site.raw(site.ca.leaf(identity, days=days))
        assert raw.ask(identity) == 0
        day.count("known")
        held.append(raw)
    for raw in held:
        raw.close()


def rows(site: Site) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    after: list[str] = []
    while True:
        page = site.certid.json("device", "list", "--limit", 50000, *after)
        found.update({device["identity"]: device for device in page})
        if len(page) < 50000:
            return found
        after = ["--after", page[-1]["identity"]]


def replay(events: list[dict], listed: list[str]) -> dict[str, tuple[str, bool]]:
    """State and lock of every device, as the events tell it."""
    found: dict[str, tuple[str, bool]] = {}
    for event in events:
        kind, subject = event["kind"], event["subject"]
        if kind == "import":
            found.update({identity: ("allowed", False) for identity in listed})
        elif kind == "device-provisioned":
            assert found.get(subject, ("allowed", False))[0] == "allowed", event
            found[subject] = ("provisioned", False)
        elif kind in ("device-locked", "device-unlocked"):
            found[subject] = (found[subject][0], kind == "device-locked")
        elif kind == "device-removed":
            del found[subject]
    return found


def samples(site: Site) -> dict[str, float]:
    """certid metrics, by name and labels but that of the broker."""
    found = {}
    for line in site.certid("metrics").splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            name = re.sub(r'(broker|decision)="[^"]*",?', "", name)
            name = name.replace(",}", "}")
            found[name.replace("{}", "")] = float(value)
    return found


def test_a_day_in_the_factory(
    site: Site, receiver: Receiver, tmp_path: Path
) -> None:
    day = Day(site)
    certid = site.certid
    count = ENROLLING
    listed = [f"d:meter:m{number:06}" for number in range(LISTED)]
    hubs = [f"g:hub:h{number}" for number in range(HUBS)]
    sensors = [f"d:sensor:s{number:04}" for number in range(count // 2)]
    valves = [f"d:valve:v{number:04}" for number in range(count // 4)]
    meters = listed[:count]

    # The operator prepares.
    for pin in (["d:meter", "--enrol", "listed", "--pin", "first"],
                ["g:hub", "--privileged", "yes"],
                ["d:valve", "--max-devices", count // 4 - 5]):
        certid("type", "set", *pin)
    certid("type", "set", "d:meter", "--rotate", "same-key")
    certid("hook", "add", receiver.url, "--ca-file", site.server_ca.cert)
    site.settle()
    before = certid.events()[-1]["seq"]
    listener = site.backend("$SYS/broker/certid/event/#")
    # What was counted before reaches the registry a moment later.
    until(lambda: samples(site)["certid_sessions_closed_total"] == 1, "a count")
    start = samples(site)

    table = tmp_path / "meters.csv"
    lines = (f"{identity.split(':')[2]},,[]\r\n" for identity in listed)
    table.write_text("ID,TLS Client Certificate,Tags\r\n" + "".join(lines))
    certid("import", table, "--type", "d:meter")

    # Certificates come from elsewhere: they are minted before the rush.
    site.pki.key("thief")
    in_parallel(lambda name: str(site.ca.leaf(name)), meters + valves + hubs)

    # Thousands enrol, by themselves and through gateways.
    def bring(hub: str) -> None:
        hub_day(day, hub, sensors[hubs.index(hub) :: HUBS])

    def enrol_valve(identity: str) -> None:
        with site.raw(site.ca.leaf(identity)) as raw:
            day.count("provisioned" if raw.ask(identity) == 0 else "quota")

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        work = [
            pool.submit(in_parallel, lambda who: day.connect(who, "provisioned"), meters),
            pool.submit(in_parallel, bring, hubs),
            pool.submit(in_parallel, enrol_valve, valves),
        ]
        for each in work:
            each.result()
    strangers = [f"d:meter:x{number}" for number in range(20)]
    in_parallel(lambda who: day.connect(who, "device-unlisted"), strangers)
    assert day.seen["quota"] == 5

    # They come back: with a new certificate of the same key, or a thief's.
    until(lambda: certid.device(meters[-1])["state"] == "provisioned", "rows")
    rotated, robbed = meters[:20], meters[20:30]
    in_parallel(lambda who: day.connect(who, "known", days=33), rotated)
    in_parallel(lambda who: day.connect(who, "pin-mismatch", key="thief"), robbed)
    in_parallel(lambda who: day.connect(who, "known"), meters[30:60])

    # Somebody copied a valve.
    until(lambda: len(certid.events("device-provisioned")) >= count, "rows")
    alive = [v for v in valves if site.knows(v)][0]
    flap(day, alive)
    until(lambda: certid.events("clone-suspected"), "the suspicion")

    # Some are locked, some revoked, some removed, while they are connected.
    until(lambda: all(certid.device(m)["pins"] for m in meters[60:90]), "pins")
    held = [site.device(who).open() for who in meters[60:90]]
    day.seen["known"] += len(held)
    for who in meters[60:70]:
        certid("device", "lock", who)
    for who in meters[70:80]:
        certid("device", "remove", who)
    bad = [site.ca.leaf(who) for who in meters[80:90]]
    certid("ca", "crl", "factory", site.ca.crl(1, *bad))
    for client in held:
        client.wait_closed()
    in_parallel(lambda who: day.connect(who, "device-locked"), meters[60:70])
    in_parallel(lambda who: day.connect(who, "device-unlisted"), meters[70:80])
    with_crl = "cert-revoked"
    for who in meters[80:90]:
        try:
            day.connect(who, with_crl)
        except Raw.Gone:  # judged in the handshake
            day.count(with_crl)
    assert site.device(meters[60]).attempt() == REFUSED
    day.count("device-locked")

    # The end of the day.
    def happened(kind: str = "") -> list[dict]:
        return [e for e in certid.events(kind) if e["seq"] > before]

    until(lambda: len(happened("session-closed")) == len(held), "their events")
    events = happened()
    assert len({event["seq"] for event in events}) == len(events)

    def heard() -> list[dict]:
        told = [json.loads(text) for text in listener.payloads()]
        return [event for event in told if event["seq"] > before]

    until(lambda: len(heard()) >= len(events), "all events on $SYS", LONG)
    assert sorted(heard(), key=lambda event: event["seq"]) == events

    wanted = {f"default/{event['seq']}" for event in events}
    until(lambda: wanted <= set(receiver.taken), "all events at the receiver", LONG)
    for event in events:
        told = receiver.taken[f"default/{event['seq']}"]
        assert told["type"] == f"io.certid.{event['kind']}"
        assert (told["subject"], told["time"]) == (event["subject"], event["time"])
        assert told["data"]["detail"] == event["detail"]
    latest: dict[str, int] = {}
    for told in receiver.order:
        assert told["data"]["seq"] > latest.get(told["subject"], 0), told
        latest[told["subject"]] = told["data"]["seq"]
    assert receiver.requests > 1.5 * len(wanted)  # it did fail half the time

    told = replay(events, listed)
    kept = {
        identity: (row["state"], row["locked"])
        for identity, row in rows(site).items()
        if ":canary:" not in identity
    }
    assert kept == told
    kinds = collections.Counter(event["kind"] for event in events)
    provisioned = day.seen["provisioned"] + len(sensors)
    assert kinds["device-provisioned"] == provisioned
    assert kinds["pin-changed"] == len(rotated)
    assert kinds["pin-mismatch"] == len(robbed)
    assert kinds["session-closed"] == len(held)
    assert (kinds["device-locked"], kinds["device-removed"]) == (10, 10)

    def counted() -> dict[str, float]:
        now = samples(site)
        return {name: value - start.get(name, 0) for name, value in now.items()}

    def adds_up() -> bool:
        found = counted()
        return all(
            found.get(f'certid_decisions_total{{reason="{reason}"}}') == number
            for reason, number in day.seen.items()
            if reason != with_crl
        )

    try:
        until(adds_up, "the counters")
    except AssertionError:
        raise AssertionError(f"{dict(day.seen)}\n{counted()}") from None
    assert counted()["certid_sessions_closed_total"] == len(held)
    states = collections.Counter(row[0] for key, row in told.items() if ":meter:" in key)
    for state, number in states.items():
        name = f'certid_devices{{org="default",type="d:meter",state="{state}"}}'
        assert samples(site)[name] == number
