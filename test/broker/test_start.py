# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The broker does not start on a plugin that cannot do its work, and says in
one sentence what to do."""

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from harness.broker import IS_ROOT, own
from harness.client import ACCEPTED
from harness.site import Site

OTHERS = "plugin_opt_others defer\n"
REGISTRY = re.compile(r"^plugin_opt_registry .*\n", re.MULTILINE)

# A line more in the configuration, and what the message must speak of.
OPTIONS = [
    ("plugin_opt_unheard yes", "plugin_opt_unheard"),
    ("plugin_opt_Others defer", "plugin_opt_Others"),
    ("plugin_opt_others refuse", "plugin_opt_others"),  # for the second time
    ("plugin_opt_registry /tmp/other.db", "plugin_opt_registry"),
    ("plugin_opt_assume_tls yes", "plugin_opt_assume_tls"),
    ("plugin_opt_assume_tls TRUE", "plugin_opt_assume_tls"),
    ("plugin_opt_assume_tls true\nplugin_opt_assume_tls true", "assume_tls"),
    ("plugin_opt_tls_verify nobody", "plugin_opt_tls_verify"),
]
VALUES = [
    ("defer", "deny"),
    ("defer", "Defer"),
    ("defer", "defer, refuse"),
    ("defer", "defer # a comment"),
]


@pytest.mark.parametrize("line,about", OPTIONS)
def test_a_wrong_option(new_site: Callable[..., Site], line: str, about: str) -> None:
    site = new_site((OTHERS, f"{OTHERS}{line}\n"))
    said = site.broker.start_refused()
    assert "certid" in said and about in said


@pytest.mark.parametrize("old,new", VALUES)
def test_a_wrong_value(new_site: Callable[..., Site], old: str, new: str) -> None:
    site = new_site((f"plugin_opt_others {old}\n", f"plugin_opt_others {new}\n"))
    assert "plugin_opt_others" in site.broker.start_refused()


def test_blanks_after_a_value_do_not_count(new_site: Callable[..., Site]) -> None:
    site = new_site((OTHERS, "plugin_opt_others defer  \n"))
    site.broker.start()
    site.backend("d/#")


def test_a_capath_that_is_not_there(new_site: Callable[..., Site]) -> None:
    site = new_site(("certid/ca\n\n# Who", "certid/no/where\n\n# Who"))
    said = site.broker.start_refused()
    assert "certid/no/where" in said


def test_a_capath_of_somebody_else(new_site: Callable[..., Site]) -> None:
    """CA files that the plugin did not make are not touched."""
    site = new_site()
    theirs = site.broker.store / "ca" / "0123abcd.0"
    theirs.write_text("a CA of theirs\n")
    said = site.broker.start_refused()
    assert "name a directory of its own" in said and "0123abcd.0" in said
    assert theirs.read_text() == "a CA of theirs\n"


def test_a_capath_that_cannot_be_written(new_site: Callable[..., Site]) -> None:
    site = new_site()
    if os.geteuid() != 0:
        pytest.skip("only root can take the folder away")
    os.chown(site.broker.store / "ca", 0, 0)
    said = site.broker.start_refused()
    assert "must be a directory of the user that the broker runs as" in said


def remove(site: Site) -> None:
    for path in site.broker.store.glob("registry.db*"):
        path.unlink()


def forbid(site: Site) -> None:
    site.certid.registry.chmod(0)


def damage(site: Site) -> None:
    remove(site)
    site.certid.registry.write_bytes(os.urandom(8192))


def truncate(site: Site) -> None:
    with open(site.certid.registry, "r+b") as file:
        file.truncate(1000)


def empty(site: Site) -> None:
    remove(site)
    site.certid.registry.touch()


def other_database(site: Site) -> None:
    remove(site)
    with sqlite3.connect(site.certid.registry) as db:
        db.execute("CREATE TABLE devices (a)")
    db.close()


def newer(site: Site) -> None:
    db = sqlite3.connect(site.certid.registry)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute(f"PRAGMA user_version = {version + 1}")
    db.close()


def open_to_all(site: Site) -> None:
    site.certid.registry.chmod(0o666)


def folder(site: Site) -> None:
    remove(site)
    site.certid.registry.mkdir()


# What happens to the registry, and what the message must have besides its
# path: a hint at what to do.
REGISTRIES = [
    (remove, "certid .*init"),
    (forbid, "read|permission|owner|user"),
    (damage, "is not a certid registry"),
    (truncate, "backup|not a certid registry|damaged"),
    (empty, "is not a certid registry"),
    (other_database, "is not a certid registry"),
    (newer, "newer"),
    (open_to_all, "chmod|writ"),
    (folder, "is not a certid registry"),
]


@pytest.mark.parametrize(
    "spoil,hint", REGISTRIES, ids=[case[0].__name__ for case in REGISTRIES]
)
def test_a_registry_that_is_not_in_order(
    new_site: Callable[..., Site], spoil: Callable[[Site], None], hint: str
) -> None:
    site = new_site()
    path = site.certid.registry
    spoil(site)
    if path.exists():
        own(path)
    before = state(path)
    said = site.broker.start_refused()
    assert str(path) in said
    assert re.search(hint, said.replace(str(site.broker.folder), "")), said
    assert state(path) == before, "nothing is created or repaired silently"


def state(path: Path) -> object:
    if path.is_dir():
        return "folder"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except PermissionError:
        return "closed"


@pytest.mark.skipif(not IS_ROOT, reason="needs root: files of another user")
def test_a_registry_that_belongs_to_root(new_site: Callable[..., Site]) -> None:
    """A registry that the broker may read but not write."""
    site = new_site()
    for path in site.broker.store.glob("registry.db*"):
        os.chown(path, 0, 0)
        path.chmod(0o644)
    said = site.broker.start_refused()
    assert str(site.certid.registry) in said


def test_a_site_is_set_up_as_the_example_says(new_site: Callable[..., Site]) -> None:
    """After a failed start the repaired broker starts."""
    site = new_site()
    spare = site.broker.folder / "spare.db"
    shutil.copy(site.certid.registry, spare)
    remove(site)
    site.broker.start_refused()
    shutil.copy(spare, site.certid.registry)
    own(site.certid.registry)
    site.broker.start()
    assert site.device(site.new_id()).attempt() == ACCEPTED


def test_a_second_load_of_the_plugin(new_site: Callable[..., Site]) -> None:
    """Twice in one configuration: it starts and stays strict, or says no."""
    site = new_site()
    ours = f"plugin {site.broker.plugin}\n"
    first = f"{ours}plugin_opt_registry {site.certid.registry}\n\n{ours}"
    site.broker.edit(ours, first)
    site.broker.spawn()
    assert site.broker.process
    try:
        site.broker.wait_log("running")
    except AssertionError:
        site.broker.expected_end = True
        code = site.broker.process.wait(10)
        assert code > 0 and "certid" in site.broker.log() + site.broker.stderr()
        return
    device = site.device(site.new_id()).open()
    assert not device.subscribe("#")


def test_certid_refuses_what_the_broker_refuses(new_site: Callable[..., Site]) -> None:
    site = new_site()
    damage(site)
    done: "subprocess.CompletedProcess[str]" = site.certid.run("status")
    assert done.returncode == 3 and str(site.certid.registry) in done.stderr
