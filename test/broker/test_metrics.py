# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""What the broker counts, on $SYS and in "certid metrics", is what its clients
did."""

import socket
import subprocess
import time
from typing import Callable

import pytest
from harness.broker import BACKEND, TLS_VERIFY, is_2_1
from harness.client import ACCEPTED, CLOSED, REFUSED
from harness.expect import refusal
from harness.site import Site, topic
from harness.wait import PATIENCE, until
from prometheus_client.parser import text_string_to_metric_families

ROOT = "$SYS/broker/certid"
PER_LISTENER = ("per_listener_settings false", "per_listener_settings true")


def kept(site: Site, name: str) -> str:
    """The retained value of a topic, as a client that comes now gets it."""
    line = ["mosquitto_sub", "-p", site.broker.plain_port, "-C", 1]
    line += ["-u", BACKEND[0], "-P", BACKEND[1], "-W", int(PATIENCE)]
    words = [str(word) for word in line + ["-t", f"{ROOT}/{name}"]]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"nothing on {name}: {done.stderr}"
    return done.stdout.strip()


def wait_kept(site: Site, name: str, value: int) -> None:
    until(lambda: kept(site, name) == str(value), f"{name} {value}")


def samples(site: Site, name: str) -> dict[tuple[str, ...], float]:
    """By the values of the labels, but for the broker."""
    text = site.certid("metrics")
    return {
        tuple(value for key, value in one.labels.items() if key != "broker"):
            one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == name
    }  # fmt: skip


def decisions(site: Site) -> dict[str, int]:
    """How many of each reason, without those there were none of."""
    found = samples(site, "certid_decisions_total")
    assert all(
        (decision == "admit") == (reason in ("known", "provisioned"))
        for decision, reason in found
    )
    return {reason: int(n) for (_, reason), n in found.items() if n}


def single(site: Site, name: str) -> float:
    found = samples(site, name)
    assert list(found) == [()], found
    return found[()]


def play(site: Site) -> dict[str, int]:
    """Clients of many kinds; how each was decided."""
    first, second, third = (site.new_id() for _ in range(3))
    stranger = site.pki.root("stranger")
    one = site.device(first).open()
    site.device(second).open()
    until(lambda: {first, second} <= set(site.certid.identities()), "the rows")
    site.device(second).open()  # takes over: known
    wrong = site.client("d:meter:wrong", site.ca.leaf(third))
    assert wrong.attempt() == REFUSED
    assert site.plain("d:meter:plain").attempt() == REFUSED
    for _ in range(2):
        unknown = site.client(third, stranger.leaf(third))
        assert unknown.attempt() in (CLOSED, REFUSED)
    one.publish("not/its/topic", "x")
    one.publish(topic(first, "evt"), "x")
    assert not one.subscribe("#")
    site.certid("device", "lock", first)
    one.wait_closed()
    for _ in range(3):
        assert site.device(first).attempt() == refusal("device-locked")
    want = {
        "provisioned": 2,
        "known": 1,
        "client-id": 1,
        "cert-missing": 1,
        "device-locked": 3,
    }
    if TLS_VERIFY == "plugin":
        want["ca-unknown"] = 2  # else the broker's handshake ends them
    return want


def test_counters_are_what_clients_did(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.broker.start()
    want = play(site)
    admitted = want["provisioned"] + want["known"]
    count = sum(want.values())
    wait_kept(site, "decision/count", count)
    wait_kept(site, "sessions", 1)
    wait_kept(site, "closed", 1)
    expected = {
        "admitted": admitted,
        "provisioned": want["provisioned"],
        "refused": count - admitted,
        "denied": 2,
        "clones": 0,
        **{
            f"refused/{reason}": n
            for reason, n in want.items()
            if reason not in ("known", "provisioned")
        },
        "refused/ca-scope": 0,
    }
    assert {name: int(kept(site, name)) for name in expected} == expected
    until(lambda: decisions(site) == want, "the numbers in the registry")
    until(lambda: single(site, "certid_sessions") == 1, "the session")

    site.leave()
    site.broker.stop()
    assert decisions(site) == want
    assert single(site, "certid_sessions") == 0
    assert single(site, "certid_sessions_closed_total") == 1
    assert single(site, "certid_denied_total") == 2
    assert single(site, "certid_decision_seconds_count") == count
    assert 0 < single(site, "certid_decision_seconds_sum") < 60
    buckets = samples(site, "certid_decision_seconds_bucket")
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets[("+Inf",)] == count
    hits = single(site, "certid_verdict_cache_hits_total")
    assert hits + single(site, "certid_verdict_cache_misses_total") >= admitted
    name = f"{socket.gethostname()}:{site.broker.tls_port}"
    assert f'broker="{name}"' in site.certid("metrics")


def test_the_last_numbers_are_written(new_site: Callable[..., Site]) -> None:
    """Stopped at once after the last client, before the next telling."""
    site = new_site()
    site.broker.start()
    for _ in range(5):
        assert site.plain("d:meter:plain").attempt() == REFUSED
    site.broker.stop()
    assert decisions(site) == {"cert-missing": 5}


def test_a_restart_begins_anew(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.broker.start()
    site.device(site.new_id()).open()
    wait_kept(site, "admitted", 1)
    site.leave()
    started = single(site, "certid_start_time_seconds")
    site.broker.restart()
    wait_kept(site, "admitted", 0)
    until(lambda: decisions(site) == {}, "new numbers in the place of the old")
    assert single(site, "certid_start_time_seconds") >= started


@pytest.mark.alone
def test_changes_are_told_within_two_seconds(site: Site) -> None:
    wait_kept(site, "sessions", 0)
    before = decisions(site).get("cert-missing", 0)
    assert site.plain("d:meter:plain").attempt() == REFUSED
    start = time.monotonic()
    until(
        lambda: decisions(site).get("cert-missing", 0) == before + 1,
        "the refusal in the registry",
    )
    assert time.monotonic() - start < 2.5


@pytest.mark.alone
def test_nothing_is_told_twice_a_second(site: Site) -> None:
    """However much changes meanwhile; and what did not change is not told."""
    listener = site.backend(f"{ROOT}/denied", f"{ROOT}/closed")
    device = site.device(site.new_id()).open()
    listener.wait(lambda: len(listener.messages) >= 2, "what is kept")
    start = time.monotonic()
    with listener.changed:
        del listener.messages[:], listener.times[:]
    while time.monotonic() < start + 3.2:
        device.publish("not/its/topic", "x")
    with listener.changed:
        names = [name for name, _ in listener.messages]
        spans = [b - a for a, b in zip(listener.times, listener.times[1:])]
    assert names and set(names) == {f"{ROOT}/denied"}
    assert len(names) <= 4 and all(span > 0.8 for span in spans), spans


@pytest.mark.skipif(is_2_1(), reason="2.1 calls TICK there, too")
def test_a_broker_without_ticks(new_site: Callable[..., Site]) -> None:
    """2.0 with per_listener_settings true: told when clients come."""
    site = new_site(PER_LISTENER)
    site.broker.start()
    identity = site.new_id()
    for _ in range(3):
        if site.device(identity).attempt() != ACCEPTED:
            break
    site.broker.pid()
    site.leave()
    site.broker.stop()
    assert isinstance(decisions(site), dict)
