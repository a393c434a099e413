# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Strangers and broken handshakes by the hundred, while devices are served."""

import random
import resource
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterator

import pytest
from harness.pki import Ca, Key, Leaf, Pki, openssl
from harness.raw import PUBACK, Raw, publish_packet
from harness.site import Site, topic
from harness.tls import Flights, context_of, enter, hand_over, knock, stranger

COUNT = 300
THREADS = 8
SEED = 20


@pytest.fixture(scope="module")
def shared(pki: Pki, ca: Ca) -> Iterator[Site]:
    made = hand_over(Site(pki, ca))
    try:
        made.broker.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def crowd(pki: Pki) -> list[Leaf]:
    """Devices of an unknown CA, some with an intermediate."""
    roots = [pki.root("stranger"), pki.root("stranger").intermediate("stranger-one")]
    names = [f"d:crowd:{number:04}" for number in range(COUNT)]
    for root in roots:
        root.leaf("d:crowd:key")  # makes the key, once
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda n: roots[n[-1] in "02468"].leaf(n), names))


def while_served(site: Site, attack: Callable[[int], Any]) -> list[Any]:
    """COUNT attacks, several at a time.  Known devices go in and out, and one
    that is connected publishes, until the last is over."""
    identity, stays = site.new_id(), site.new_id()
    leaf = site.ca.leaf(identity)
    results: list[Any] = []

    def storm() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            results.extend(pool.map(attack, range(COUNT)))

    thread = threading.Thread(target=storm)
    number = 0
    with enter(site, site.ca.leaf(stays), stays) as raw:
        thread.start()
        while thread.is_alive() or number < 3:
            number = number % 1000 + 1
            assert knock(site, leaf, identity) == 0
            raw.send(publish_packet(topic(stays, "evt"), b"x", number=number))
            raw.read_until(PUBACK)
        thread.join()
    assert len(results) == COUNT
    return results


def lines(site: Site, since: int, word: str = "") -> list[str]:
    log = site.broker.log()[since:].splitlines()
    return [line for line in log if word in line]


def test_strangers(site: Site, crowd: list[Leaf]) -> None:
    """A line for each certificate, whatever else the broker says."""
    since = site.broker.mark()

    def attack(number: int) -> int:
        tls = "1.2" if number % 2 else "1.3"
        return knock(site, crowd[number], "d:crowd:me", tls)

    assert set(while_served(site, attack)) == {-1}
    told = lines(site, since, "certid: refused")
    assert len(told) == COUNT
    assert all("reason=ca-unknown" in line for line in told)
    assert not lines(site, since, "as d:crowd:")
    assert site.certid.json("device", "list", "--type", "d:crowd") == []


def test_one_stranger_again_and_again(site: Site) -> None:
    """Its refusals are counted, not told."""
    leaf = stranger(site).leaf("d:crowd:again")
    since = site.broker.mark()
    results = while_served(site, lambda _: knock(site, leaf, "d:crowd:again"))
    assert set(results) == {-1}
    # One in ten seconds, and one that tells how many there were.
    assert 1 <= len(lines(site, since, "certid: refused")) <= 10


def drain(half: Flights) -> None:
    """Until the broker has closed the connection."""
    half.socket.settimeout(30)
    try:
        half.socket.shutdown(socket.SHUT_WR)
        while half.socket.recv(65536):
            pass
    except ConnectionError:
        pass
    half.close()


def garble(data: bytes, dice: random.Random) -> bytes:
    """Cut off, changed in one bit, with more in between, or nonsense."""
    at = dice.randrange(len(data))
    return dice.choice(
        [
            data[:at],
            data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :],
            data[:at] + dice.randbytes(dice.randrange(1, 300)) + data[at:],
            dice.randbytes(len(data)),
        ]
    )


def test_broken_handshakes(site: Site) -> None:
    """At any point of either flight; nobody gets in by one."""
    since = site.broker.mark()
    names = [site.new_id("broken") for _ in range(COUNT)]
    low = site.ca.intermediate("broken-one").intermediate("broken-two")
    leaves = [low.leaf(names[0]), site.ca.leaf(names[0])]

    def attack(number: int) -> int:
        dice = random.Random(SEED + number)
        tls = dice.choice(["1.2", "1.3"])
        context = context_of(site, dice.choice(leaves), tls)
        half = Flights(site.broker.tls_port, context)
        try:
            for _ in range(dice.randrange(2)):
                half.socket.sendall(half.next())
            half.socket.sendall(garble(half.next(), dice))
            drain(half)
        except (OSError, ssl.SSLError, Raw.Gone):
            half.close()
        return number

    while_served(site, attack)
    assert not lines(site, since, f"as {names[0]}")
    told = [line for line in lines(site, since, "certid:") if "admitted" not in line]
    assert len(told) <= COUNT // 10
    assert knock(site, leaves[0], names[0]) == 0


def slow_key(pki: Pki, name: str) -> str:
    """RSA with an exponent as long as the modulus: dear for who verifies."""
    private, public = pki.folder / f"{name}.key", pki.folder / f"{name}.pub"
    exponent = random.Random(SEED).getrandbits(3071) | 1 << 3070 | 1
    options = ["rsa_keygen_bits:3072", f"rsa_keygen_pubexp:{exponent}"]
    pairs = [word for option in options for word in ("-pkeyopt", option)]
    openssl("genpkey", "-algorithm", "RSA", *pairs, "-out", private)
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    pki.keys[name] = Key(private, public)
    return name


def processor_time(action: Callable[[], Any]) -> float:
    """Of the programs that it runs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_nothing_dear_is_done_for_a_stranger(new_site: Callable[..., Site]) -> None:
    """The names of registered CAs are no secret.  A chain that ends in one of
    them, with slow keys of the sender's own below it, costs no verification by
    those keys, however many CAs might have been meant."""
    site = new_site()
    pki = site.pki
    for number in range(10):
        twin = pki.root("slow", key=f"slow-{number}")
        site.certid("ca", "add", twin.cert)
    ca = pki.root("slow", key=slow_key(pki, "sender"))
    for number in range(4):
        key = pki.keys["sender"]
        pki.keys[f"ca-slow-{number}"] = key
        ca = ca.intermediate(f"slow-{number}")
    leaf = ca.leaf("d:meter:1")
    answer = site.certid.explain(leaf.chain)
    assert answer["reason"] in ("ca-unknown", "cert-invalid"), answer
    alone = processor_time(lambda: site.certid.explain(leaf.cert))
    chained = processor_time(lambda: site.certid.explain(leaf.chain))
    # With those keys it was a quarter of a second more.
    assert chained < alone + 0.1, (alone, chained)
