# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Somebody else, say an import, writes to the registry for long."""

import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness.client import ACCEPTED
from harness.site import Site
from harness.wait import until

HELD = 4.0  # seconds: longer than a broker waits for a disk that refuses


@pytest.fixture
def locked(new_site: Callable[..., Site]) -> Iterator[tuple[Site, sqlite3.Connection]]:
    """A broker, and who holds the lock on its registry."""
    site = new_site()
    site.broker.start()
    db = sqlite3.connect(
        site.certid.registry, isolation_level=None, check_same_thread=False
    )
    db.execute("BEGIN IMMEDIATE")
    yield site, db
    db.close()


def test_the_end_loses_nobody(locked: tuple[Site, sqlite3.Connection]) -> None:
    site, db = locked
    names = [site.new_id() for _ in range(5)]
    for name in names:
        assert site.device(name).attempt() == ACCEPTED
    process = site.broker.process
    assert process is not None
    site.broker.expected_end = True
    process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    release = threading.Timer(HELD, lambda: db.execute("ROLLBACK"))
    release.start()
    assert process.wait(60) == 0
    assert time.monotonic() - start >= HELD
    release.join()
    assert set(names) <= set(site.certid.identities())
    assert "lost" not in site.broker.log()


def read_bytes(pid: int) -> dict[str, int]:
    """By each thread."""
    tasks = Path(f"/proc/{pid}/task")
    return {
        task.name: int((task / "io").read_text().split()[1]) for task in tasks.iterdir()
    }


@pytest.mark.parametrize("kind", ["session-closed", "pin-mismatch", "clone-suspected"])
def test_events_of_devices_load_no_settings(site: Site, kind: str) -> None:
    """What an event costs does not grow with the settings."""
    rounds = 20
    site.certid("hook", "add", "https://127.0.0.1:1/in", "--kind", "crl-failed")
    id_ = site.certid.json("hook", "list")[0]["hook"]

    def cursor() -> int:
        return site.certid.json("hook", "list")[0]["cursor"]

    with sqlite3.connect(site.certid.registry, isolation_level=None) as db:
        db.execute(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c "
            "WHERE n < 20000) INSERT INTO admin "
            "SELECT 'default', 'someone-' || n, 1 FROM c"
        )
        site.settle()
        before = read_bytes(site.broker.pid())
        for _ in range(rounds):
            db.execute(
                "INSERT INTO event (org, time, actor, kind, subject, detail) "
                "VALUES ('default', unixepoch(), 'broker', ?, 'd:m:1', 'x')",
                (kind,),
            )
            (seq,) = db.execute("SELECT max(seq) FROM event").fetchone()
            until(lambda: cursor() >= seq, "the event was looked at")
        after = read_bytes(site.broker.pid())
        costs = [(after[task] - before[task]) / rounds for task in before]
        db.execute("DELETE FROM admin WHERE name LIKE 'someone-%'")
        site.certid("hook", "remove", id_)
    db.close()
    # The keeper, one thread, looks at all events but a few anew.
    assert sorted(costs)[-2] < 100 * 1024, costs
