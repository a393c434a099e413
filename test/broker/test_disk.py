# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A registry that breaks while the broker runs: known devices are served, new
ones are refused in time, and the broker recovers by itself."""

import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness.broker import IS_ROOT, own
from harness.client import ACCEPTED, REFUSED
from harness.site import Site, topic
from harness.wait import until


def run(*line: object) -> bool:
    done = subprocess.run([str(word) for word in line], capture_output=True)
    return done.returncode == 0


@pytest.fixture
def small_disk(new_site: Callable[..., Site]) -> Iterator[Site]:
    """A broker whose registry lies on a file system of two megabytes."""
    if not IS_ROOT:
        pytest.skip("needs root: mounts a small tmpfs")
    site = new_site()
    store = site.broker.store
    kept = {path.name: path.read_bytes() for path in store.glob("registry.db*")}
    if not run("mount", "-t", "tmpfs", "-o", "size=2m,mode=750", "tmpfs", store):
        pytest.skip("this machine does not let tests mount a tmpfs")
    try:
        (store / "ca").mkdir()
        for name, content in kept.items():
            (store / name).write_bytes(content)
            (store / name).chmod(0o640)
        own(store)
        yield site
    finally:
        site.leave()
        if site.broker.process and site.broker.process.poll() is None:
            site.broker.stop()
        assert run("umount", store)


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    return filler


def serve(site: Site, identity: str) -> None:
    """This known device connects and is heard."""
    backend = site.backend("d/#")
    device = site.device(identity).open()
    device.publish(topic(identity, "evt"), "served")
    backend.wait_message(topic(identity, "evt"), "served")
    device.close()
    backend.close()


def known_device(site: Site) -> str:
    identity = site.new_id()
    site.device(identity).open().close()
    until(lambda: identity in site.certid.identities(), "the device's row")
    return identity


def flood(site: Site, until_refused: int) -> "tuple[list[str], str]":
    """New devices until one is refused: who got in, and why the last did not."""
    admitted: list[str] = []
    leaf_of = site.ca.leaf
    for number in range(until_refused):
        identity = f"d:flood:{number}"
        since = site.broker.mark()
        with site.raw(leaf_of(identity)) as raw:
            code = raw.ask(identity)
        if code != 0:
            return admitted, site.broker.wait_decision(identity, since)["reason"]
        admitted.append(identity)
    return admitted, ""


def test_a_full_disk(small_disk: Site) -> None:
    site = small_disk
    site.broker.start()
    known = known_device(site)
    filler = fill(site.broker.store)
    # The first ones wait in the queue, then the new are refused.
    admitted, reason = flood(site, 2000)
    assert reason == "registry-busy", f"{len(admitted)} admitted"
    serve(site, known)
    site.broker.wait_log("certid: registry: cannot write, new devices are refused")
    since = site.broker.mark()
    filler.unlink()
    until(
        lambda: set(admitted) <= set(site.certid.identities()),
        "the rows of all who were admitted",
    )
    late = site.new_id()
    until(lambda: site.device(late).attempt() == ACCEPTED, "entry of a new device")
    until(lambda: late in site.certid.identities(), "its row")
    serve(site, known)
    site.broker.wait_log("certid: registry: writing works again", since=since)


def test_a_registry_that_somebody_else_has_locked(site: Site) -> None:
    """As a backup tool may do.  New devices wait in the queue, or come later."""
    known = known_device(site)
    db = sqlite3.connect(site.certid.registry, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        serve(site, known)
        new = site.new_id()
        since = site.broker.mark()
        outcome = site.device(new).attempt()
        if outcome == ACCEPTED:
            serve(site, new)  # what is queued counts at once
        else:
            decision = site.broker.wait_decision(new, since)
            assert decision["reason"] == "registry-busy"
    finally:
        db.execute("ROLLBACK")
        db.close()
    until(lambda: site.device(new).attempt() == ACCEPTED, "entry of a new device")
    until(lambda: new in site.certid.identities(), "its row")


def test_a_registry_that_turns_read_only(new_site: Callable[..., Site]) -> None:
    site = new_site()
    site.broker.start()
    known = known_device(site)
    files = list(site.broker.store.glob("registry.db*"))
    if not IS_ROOT or not all(run("chattr", "+i", file) for file in files):
        for file in files:
            run("chattr", "-i", file)
        pytest.skip("needs root and a file system with immutable files")
    try:
        serve(site, known)
        admitted, reason = flood(site, 2000)
        assert reason == "registry-busy", f"{len(admitted)} admitted"
        serve(site, known)
    finally:
        for file in files:
            run("chattr", "-i", file)
    until(
        lambda: set(admitted) <= set(site.certid.identities()),
        "the rows of all who were admitted",
    )


def test_a_registry_that_is_gone(new_site: Callable[..., Site]) -> None:
    """Moved away by mistake, and put back."""
    site = new_site()
    site.broker.start()
    known = known_device(site)
    backend = site.backend("d/#")
    connected = site.device(known).open()
    files = list(site.broker.store.glob("registry.db*"))
    for file in files:
        file.rename(file.with_name("away-" + file.name))
    connected.publish(topic(known, "evt"), "goes on")
    backend.wait_message(topic(known, "evt"), "goes on")
    outcome = site.device(site.new_id()).attempt()
    assert outcome in (ACCEPTED, REFUSED)
    assert not site.certid.registry.exists(), "nothing is created silently"
    for file in files:
        file.with_name("away-" + file.name).rename(file)
    new = site.new_id()
    until(lambda: site.device(new).attempt() == ACCEPTED, "entry of a new device")
    until(lambda: new in site.certid.identities(), "its row")
    assert os.stat(site.certid.registry).st_size > 0
