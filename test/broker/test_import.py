# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A large import while the broker runs: nobody notices."""

import contextlib
import itertools
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness.pki import Ca, Leaf
from harness.raw import Raw, tls_context
from harness.site import Site
from harness.wait import until

ROWS = 200_000
KNOWN = [f"d:known:{number:03}" for number in range(8)]
NEW = [f"d:new:{number:03}" for number in range(40)]
LISTED = [f"d:bulk:{ROWS - number:06}" for number in range(1, 9)]
PATIENCE = 5.0  # seconds that a connection may take


@pytest.fixture(scope="module")
def leaves(ca: Ca) -> dict[str, Leaf]:
    names = [*KNOWN, *NEW, *LISTED]
    ca.leaf(names[0])  # makes the key, once
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(ca.leaf, names)))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the devices that come meanwhile are in it as well."""
    path = tmp_path_factory.mktemp("import") / "devices.csv"
    names = itertools.chain((f"d:bulk:{n:06}" for n in range(ROWS)), NEW[::2])
    path.write_text("ID\n" + "".join(f"{name}\n" for name in names))
    return path


class Connects:
    """Connections one after the other, with what became of them."""

    def __init__(self, site: Site, leaves: dict[str, Leaf]):
        self.site, self.leaves = site, leaves
        self.codes: dict[str, set[int]] = {}
        self.slowest = 0.0

    def __call__(self, identity: str) -> int:
        context = tls_context(self.site.server_ca, self.leaves[identity])
        start = time.monotonic()
        with Raw(self.site.broker.tls_port, context) as raw:
            code = raw.ask(identity)
        self.slowest = max(self.slowest, time.monotonic() - start)
        self.codes.setdefault(identity, set()).add(code)
        return code


@contextlib.contextmanager
def importing(site: Site, path: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [site.certid.binary, "--registry", site.certid.registry]
        + ["import", "--skip-bad", path],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as it:
        try:
            yield it
        finally:
            it.kill()


def test_the_broker_goes_on(
    new_site: Callable[..., Site], leaves: dict[str, Leaf], file: Path
) -> None:
    site = new_site()
    site.certid("type", "set", "d:bulk", "--enrol", "listed")
    site.broker.start()
    connect = Connects(site, leaves)
    assert {connect(name) for name in KNOWN} == {0}
    until(lambda: len(site.certid.identities()) == len(KNOWN), "their rows")
    coming = iter(NEW)
    with importing(site, file) as it:
        rounds = 0
        while it.poll() is None:
            connect(KNOWN[rounds % len(KNOWN)])
            if (name := next(coming, None)) is not None:
                connect(name)
            # Not in force before the end of the import.
            code = connect(LISTED[rounds % len(LISTED)])
            assert code != 0 or it.wait(10) == 0
            rounds += 1
        out, err = it.communicate()
    assert rounds >= 10, "the import was too fast to tell"
    came = [name for name in NEW if name in connect.codes]
    assert all(connect.codes[name] == {0} for name in [*KNOWN, *came])
    assert connect.slowest < PATIENCE
    # Of those that are in the file, some may have come before it began.
    assert it.returncode == 0 and "Sanitizer" not in err
    assert "d:bulk:" not in err and "d:known:" not in err
    imported = ROWS + len(NEW[::2]) - err.count("is registered already")
    assert out.startswith(f"imported {imported} devices")
    until(lambda: all(map(site.knows, came)), "a row for each that came")
    for name in came:
        until(
            lambda at=name: site.certid.device(at)["state"] == "provisioned",
            f"{name} is provisioned",
        )
    assert {connect(name) for name in LISTED} == {0}
    (event,) = site.certid.events("import")
    assert event["detail"].startswith(f"{imported} devices from ")
