# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A real broker, started with the example configuration.

Only paths and ports of mosquitto.conf.example are replaced, so the file that
operators copy is the file that is tested.  A test may ask for further edits.
"""

import functools
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Optional, Sequence

from harness.pki import Ca
from harness.raw import Raw
from harness.registry import Certid
from harness.wait import PATIENCE, until

REPO = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("CERTID_BUILD", REPO / "build")).resolve()
MOSQUITTO = os.environ.get("MOSQUITTO", "/usr/sbin/mosquitto")
TLS_VERIFY = os.environ.get("CERTID_TLS_VERIFY", "broker")
TLS_VERIFY_MODES = ("broker", "plugin")
EXAMPLE = REPO / "mosquitto.conf.example"
ACL_EXAMPLE = REPO / "packaging" / "acl.example"
PLUGIN_LINE = "plugin /usr/lib/x86_64-linux-gnu/mosquitto_certid.so\n"

BACKEND = ("backend", "a back-end's password")
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")
ASAN_EXIT = 99
# The last option of the plugin in the configuration, and all before it.
OPTIONS = re.compile(r".*^plugin_opt_[^\n]*\n", re.MULTILINE | re.DOTALL)

IS_ROOT = os.geteuid() == 0
PORTS = (12000, 32000)


def plugin_file() -> Path:
    return BUILD / "plugin" / "mosquitto_certid.so"


def certid_file() -> Path:
    return BUILD / "ctl" / "certid"


@functools.lru_cache
def version() -> str:
    """The version of the broker under test, say 2.0.11."""
    said = subprocess.run([MOSQUITTO, "-h"], capture_output=True, text=True).stdout
    found = re.search(r"^mosquitto version (\S+)$", said, re.MULTILINE)
    assert found, f"{MOSQUITTO} -h does not tell its version: {said!r}"
    return found[1]


def is_2_1() -> bool:
    """Whether the broker under test is Mosquitto 2.1."""
    return version().startswith("2.1.")


def verifies_in_plugin() -> bool:
    """Whether the plugin, and not the broker, judges certificates in the
    handshake: every broker is started with "plugin_opt_tls_verify plugin"."""
    assert TLS_VERIFY in TLS_VERIFY_MODES, f"CERTID_TLS_VERIFY={TLS_VERIFY}"
    return TLS_VERIFY == "plugin"


@functools.lru_cache
def is_sanitized() -> bool:
    return b"libasan.so" in plugin_file().read_bytes()


def free_ports(count: int) -> list[int]:
    """Below the ports that the system gives to connections, or one of those
    might take it before the broker does."""
    held: list[socket.socket] = []
    while len(held) < count:
        one = socket.socket()
        try:
            one.bind(("", random.randint(*PORTS)))
            held.append(one)
        except OSError:
            one.close()
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def replace_each(text: str, edits: Sequence[tuple[str, str]]) -> str:
    for old, new in edits:
        assert old in text, f"mosquitto.conf.example has no {old!r}"
        text = text.replace(old, new)
    return text


def own(path: Path) -> None:
    """Give path and all below it to the user that the broker becomes."""
    if not IS_ROOT:
        return
    user = pwd.getpwnam("mosquitto")
    for each in [path, *path.rglob("*")]:
        os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)


class Broker:
    """One broker with its folder: etc/, lib/certid/ca/, log/."""

    def __init__(self, server_ca: Ca, edits: Sequence[tuple[str, str]] = ()):
        self.folder = Path(tempfile.mkdtemp(prefix="certid-broker-"))
        self.folder.chmod(0o755)
        self.etc = self.folder / "etc"
        self.store = self.folder / "lib" / "certid"
        self.log_file = self.folder / "log" / "mosquitto.log"
        self.stderr_file = self.folder / "stderr"
        self.tls_port, self.plain_port = free_ports(2)
        self.server_ca = server_ca
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.expected_end = False
        self.edits = list(edits)
        self.environment: dict[str, str] = {}  # besides that of the tests
        self.plugin = self.folder / "mosquitto_certid.so"
        shutil.copy(plugin_file(), self.plugin)
        for part in ("etc/certs", "lib/certid/ca", "log"):
            (self.folder / part).mkdir(parents=True)
        self.store.chmod(0o750)
        self.certid = Certid(certid_file(), self.store / "registry.db")
        self.write_server_certificate()
        self.write_passwords()
        shutil.copy(ACL_EXAMPLE, self.etc / "acl")
        own(self.folder)

    # Files

    def write_server_certificate(self) -> None:
        leaf = self.server_ca.leaf(
            "localhost", ["IP:127.0.0.1"], eku="serverAuth", key="server"
        )
        shutil.copy(leaf.cert, self.etc / "certs" / "server.crt")
        shutil.copy(leaf.key, self.etc / "certs" / "server.key")

    def write_passwords(self) -> None:
        line = ["mosquitto_passwd", "-b", "-c", self.etc / "passwd", *BACKEND]
        subprocess.run(line, check=True)

    def config(self) -> str:
        text = EXAMPLE.read_text()
        places = [
            (PLUGIN_LINE, f"plugin {self.plugin}\n"),
            ("/etc/mosquitto/", f"{self.etc}/"),
            ("/var/lib/mosquitto/", f"{self.folder}/lib/"),
            ("/var/log/mosquitto/", f"{self.folder}/log/"),
            ("\nlistener 8883\n", f"\nlistener {self.tls_port}\n"),
            ("\nlistener 1883 ", f"\nlistener {self.plain_port} "),
        ]
        text = replace_each(text, places)
        if verifies_in_plugin():
            line = "plugin_opt_tls_verify plugin\n"
            text, found = OPTIONS.subn(lambda upto: upto[0] + line, text, 1)
            assert found, "mosquitto.conf.example has no option of the plugin"
        return replace_each(text, self.edits)

    def edit(self, old: str, new: str) -> None:
        """Change the configuration of the next start."""
        self.edits.append((old, new))

    # Life

    def spawn(self) -> None:
        conf = self.etc / "mosquitto.conf"
        conf.write_text(self.config())
        environment = {**os.environ, **self.environment}
        if is_sanitized():
            library = subprocess.run(
                ["gcc", "-print-file-name=libasan.so"],
                text=True, capture_output=True, check=True,
            ).stdout.strip()  # fmt: skip
            environment["LD_PRELOAD"] = library
            environment["ASAN_OPTIONS"] = (
                f"detect_leaks=0:halt_on_error=1:exitcode={ASAN_EXIT}"
            )
            environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
        self.expected_end = False
        with open(self.stderr_file, "ab") as errors:
            self.process = subprocess.Popen(
                [MOSQUITTO, "-c", str(conf)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=environment,
            )

    def start(self) -> "Broker":
        since = self.mark()
        self.spawn()
        self.wait_log(r"mosquitto version \S+ running", since=since)
        return self

    def start_refused(self) -> str:
        """Start it, expect it to give up, and give what it said."""
        since = self.mark()
        self.spawn()
        assert self.process
        self.expected_end = True
        code = self.process.wait(PATIENCE)
        said = self.log()[since:] + self.stderr()
        assert code not in (0, ASAN_EXIT) and code > 0, f"exit {code}: {said}"
        assert not re.search(r"mosquitto version \S+ running", said), said
        return said

    def pid(self) -> int:
        assert self.process and self.process.poll() is None, self.story()
        return self.process.pid

    def stop(self) -> None:
        """End it as systemd would.  It must end well."""
        os.kill(self.pid(), signal.SIGTERM)
        assert self.process
        self.expected_end = True
        code = self.process.wait(PATIENCE)
        assert code == 0, f"the broker ended with {code}\n{self.story()}"

    def kill(self) -> None:
        os.kill(self.pid(), signal.SIGKILL)
        assert self.process
        self.expected_end = True
        self.process.wait(PATIENCE)

    def restart(self) -> None:
        self.stop()
        self.start()

    def sighup(self) -> None:
        since = self.mark()
        os.kill(self.pid(), signal.SIGHUP)
        self.wait_log("Reloading config", since=since)
        # It forgets a SIGHUP that comes while it reloads: wait until it
        # answers somebody again.
        with Raw(self.plain_port) as raw:
            raw.ask("after-the-reload")

    def close(self) -> None:
        """End of the test: the broker must be alive, and have no complaints."""
        try:
            if self.process and not self.expected_end:
                self.stop()
            assert not SANITIZER.search(self.stderr() + self.log()), self.story()
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    # What it says

    def log(self) -> str:
        try:
            return self.log_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def stderr(self) -> str:
        try:
            return self.stderr_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def story(self) -> str:
        return f"log: {self.log()[-6000:]}\nstderr: {self.stderr()[-6000:]}"

    def mark(self) -> int:
        """Where the log ends now, for since=."""
        return len(self.log())

    def wait_log(
        self, pattern: str, timeout: float = PATIENCE, since: int = 0
    ) -> "re.Match[str]":
        def look() -> "Optional[re.Match[str]]":
            found = re.search(pattern, self.log()[since:], re.MULTILINE)
            if not found and self.process and self.process.poll() is not None:
                raise AssertionError(f"the broker is gone\n{self.story()}")
            return found

        try:
            found = until(look, f"{pattern!r} in the log", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story()}") from None
        assert found
        return found

    def wait_decision(self, client_id: str, since: int = 0) -> dict[str, str]:
        """The fields of the next decision about a client, and "verdict"."""
        name = re.escape(quote(client_id))
        pattern = rf"certid: (admitted|refused) (.*client={name}.*)$"
        found = self.wait_log(pattern, since=since)
        return {"verdict": found[1], **fields(found[2])}


def quote(text: str) -> str:
    """As the log writes what a peer says."""
    out = ""
    for byte in text.encode():
        if chr(byte) in '"\\':
            out += "\\" + chr(byte)
        elif 0x20 <= byte < 0x7F:
            out += chr(byte)
        else:
            out += f"\\x{byte:02x}"
    return f'"{out}"'


FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: |$)')


def fields(line: str) -> dict[str, str]:
    """Read logfmt strictly: every byte of the line belongs to a field."""
    found: dict[str, str] = {}
    at = 0
    while at < len(line):
        part = FIELD.match(line, at)
        assert part, f"not logfmt: {line[at:]!r} in {line!r}"
        assert part[1] not in found, f"{part[1]} twice in {line!r}"
        found[part[1]] = part[2]
        at = part.end()
    return found


def load_before(site: Any, plugin: Path) -> None:
    """Load another plugin before ours."""
    copy = site.broker.folder / plugin.name
    shutil.copy(plugin, copy)
    own(copy)
    ours = f"plugin {site.broker.plugin}\n"
    site.broker.edit(ours, f"plugin {copy}\n\n{ours}")
