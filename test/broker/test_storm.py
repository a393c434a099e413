# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A thousand first sights at once, and a SIGKILL in the middle of them."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest
from harness.pki import Ca, Leaf
from harness.raw import Raw, tls_context
from harness.site import Site
from harness.wait import until

COUNT = 1000
THREADS = 16
Fleet = dict[str, Leaf]


@pytest.fixture(scope="module")
def fleet(ca: Ca) -> Fleet:
    names = [f"d:storm:{number:04}" for number in range(COUNT)]
    ca.leaf(names[0])  # makes the key, once
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(ca.leaf, names)))


def enrol(site: Site, identity: str, leaf: Leaf) -> int:
    try:
        context = tls_context(site.server_ca, leaf)
        with Raw(site.broker.tls_port, context) as raw:
            return raw.ask(identity)
    except (OSError, Raw.Gone):
        return -1


def enrol_all(site: Site, fleet: Fleet) -> dict[str, int]:
    with ThreadPoolExecutor(THREADS) as pool:
        codes = pool.map(lambda name: enrol(site, name, fleet[name]), fleet)
        return dict(zip(fleet, codes))


def rows(site: Site) -> set[str]:
    return set(site.certid.identities())


def provisioned(site: Site) -> list[str]:
    return [event["subject"] for event in site.certid.events("device-provisioned")]


def test_a_thousand_first_sights(new_site: Callable[..., Site], fleet: Fleet) -> None:
    site = new_site()
    site.broker.start()
    codes = enrol_all(site, fleet)
    assert set(codes.values()) == {0}, {n: c for n, c in codes.items() if c}
    until(lambda: len(rows(site)) >= COUNT, "a row for each")
    assert rows(site) == set(fleet)
    assert sorted(provisioned(site)) == sorted(fleet)
    # Once more: nobody is new, nothing is written twice.
    assert set(enrol_all(site, fleet).values()) == {0}
    assert sorted(provisioned(site)) == sorted(fleet)


def test_many_first_sights_of_one_identity(
    new_site: Callable[..., Site], ca: Ca
) -> None:
    """The same identity, several certificates, at the same time."""
    site = new_site()
    site.broker.start()
    leaves = [ca.leaf("d:storm:twin", serial=number) for number in range(1, 25)]
    with ThreadPoolExecutor(THREADS) as pool:
        codes = list(pool.map(lambda leaf: enrol(site, "d:storm:twin", leaf), leaves))
    # A take-over may close a connection before its CONNACK is read.
    assert set(codes) <= {0, -1} and 0 in codes
    until(lambda: rows(site) == {"d:storm:twin"}, "the one row")
    assert provisioned(site) == ["d:storm:twin"]


@pytest.mark.parametrize("after", [1, 300])
def test_sigkill_while_they_enrol(
    new_site: Callable[..., Site], fleet: Fleet, after: int
) -> None:
    """What the registry has shown once is there for good."""
    site = new_site()
    site.broker.start()
    storm = threading.Thread(target=enrol_all, args=(site, fleet))
    storm.start()
    shown: list[str] = []
    end = time.monotonic() + 30
    while len(shown) < after:
        shown = provisioned(site)
        assert time.monotonic() < end, "the registry shows nobody"
    site.broker.kill()
    storm.join()
    assert set(shown) <= rows(site)
    db = sqlite3.connect(site.certid.registry)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    site.broker.start()
    assert set(shown) <= rows(site)
    assert set(enrol_all(site, fleet).values()) == {0}
    until(lambda: rows(site) == set(fleet), "a row for each")
    assert sorted(provisioned(site)) == sorted(fleet)


def test_sigterm_loses_nobody(new_site: Callable[..., Site], fleet: Fleet) -> None:
    """Whoever was admitted before an orderly end is in the registry."""
    site = new_site()
    site.broker.start()
    few = dict(list(fleet.items())[:100])
    codes = enrol_all(site, few)
    site.broker.stop()
    assert set(codes.values()) == {0}
    assert rows(site) == set(few)
