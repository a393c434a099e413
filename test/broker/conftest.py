# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Fixtures.  Environment: CERTID_BUILD, the build folder (default: build/ of the
repository); MOSQUITTO, the broker (default: /usr/sbin/mosquitto);
CERTID_TLS_VERIFY, who judges certificates in the handshake, "broker" (default)
or "plugin"."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from harness import broker
from harness.broker import certid_file, plugin_file
from harness.pki import Ca, Pki
from harness.site import Site


PLUGINS = Path(__file__).resolve().parent / "plugins"


def pytest_configure(config: pytest.Config) -> None:
    line = "alone: measures time, so nothing else should run meanwhile"
    config.addinivalue_line("markers", line)


def pytest_report_header() -> str:
    how = "sanitized" if broker.is_sanitized() else "not sanitized"
    return (
        f"broker: Mosquitto {broker.version()} ({broker.MOSQUITTO}); "
        f"tls_verify {broker.TLS_VERIFY}; plugin: {plugin_file()} ({how})"
    )


def pytest_sessionstart() -> None:
    if broker.TLS_VERIFY not in broker.TLS_VERIFY_MODES:
        pytest.exit("CERTID_TLS_VERIFY is neither broker nor plugin", 4)
    if not shutil.which(broker.MOSQUITTO):
        pytest.exit(f"{broker.MOSQUITTO} cannot be run; set MOSQUITTO?", 4)
    for product in (plugin_file(), certid_file()):
        if not product.exists():
            pytest.exit(f"{product} is not built; set CERTID_BUILD?", 4)


@pytest.fixture(scope="session")
def pki() -> Iterator[Pki]:
    with tempfile.TemporaryDirectory(prefix="certid-pki-") as folder:
        yield Pki(Path(folder))


@pytest.fixture(scope="session")
def ca(pki: Pki) -> Ca:
    """The CA that every site has registered, by the name "factory"."""
    return pki.root("factory")


@pytest.fixture(scope="module")
def shared(pki: Pki, ca: Ca) -> Iterator[Site]:
    made = Site(pki, ca)
    try:
        made.broker.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def site(shared: Site) -> Iterator[Site]:
    """The module's broker, running, with the CA "factory" registered.  A test
    that changes settings puts them back."""
    yield shared
    shared.leave()
    shared.broker.pid()  # still alive


@pytest.fixture
def new_site(pki: Pki, ca: Ca) -> Iterator[Callable[..., Site]]:
    """A broker of the test's own, not started: new_site((old, new), ...)."""
    made: list[Site] = []

    def make(*edits: tuple[str, str]) -> Site:
        made.append(Site(pki, ca, edits))
        return made[-1]

    yield make
    problems: list[Any] = []
    for one in made:
        try:
            one.close()
        except AssertionError as error:
            problems.append(error)
    assert not problems, problems


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """compiled("permissive"): the plugin's shared object."""
    if not shutil.which("gcc"):
        pytest.skip("no gcc to compile a second plugin")
    folder = tmp_path_factory.mktemp("plugins")

    def build(name: str) -> Path:
        out = folder / f"{name}.so"
        source = PLUGINS / f"{name}.c"
        flags = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
        subprocess.run(["gcc", *flags, source, "-o", out], check=True)
        return out

    return build
