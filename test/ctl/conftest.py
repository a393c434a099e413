# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Fixtures of the tests of the command line."""
import pytest
from ctl_tools import Certs, Ctl


@pytest.fixture
def ctl(tmp_path):
    it = Ctl(tmp_path / "registry.db")
    it.ok("init")
    return it


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    it = Ctl(tmp_path_factory.mktemp("untouched") / "registry.db")
    it.ok("init")
    return it


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    it = Certs(tmp_path_factory.mktemp("certs"))
    it.factory = it.ca("factory")
    it.other = it.ca("other")
    it.weak_words = it.ca("noku", extensions=["basicConstraints=CA:TRUE"])
    it.soon = it.ca("soon", days=30)
    it.meter = it.leaf("meter", "d:meter:0001", it.factory)
    it.lamp = it.leaf("lamp", "d:lamp:0001", it.factory)
    it.stranger = it.leaf("stranger", "d:meter:0001", it.other)
    it.nobody = it.leaf("nobody", "somebody", it.factory)
    it.der = it.folder / "factory.der"
    it.openssl("x509", "-in", it.factory, "-outform", "DER", "-out", it.der)
    it.two = it.folder / "two.pem"
    it.two.write_text(it.factory.read_text() + it.other.read_text())
    return it
