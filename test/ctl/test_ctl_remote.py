# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""certid --broker: what it refuses before it connects, and when it cannot."""

import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from ctl_tools import CERTID

LIST = ["device", "list"]
USER = ["--username", "u"]
HOST = "mqtts://host.example"

MISUSE = [
    (["--cert", "c", *LIST], "use it with --broker"),
    ([*LIST, "--timeout", "1s"], "use it with --broker"),
    (["--username", "u", "status"], "use it with --broker"),
    (["--broker", "", *LIST], "needs a value that is not empty"),
    (["--broker", "host", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts:host", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "https://host", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "MQTTS://host", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://:8883", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://h:", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://h:0", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://h:65536", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://h:8883/x", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://h/x", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://u@h", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://[::1", *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtts://" + "h" * 256, *USER, *LIST], "takes mqtts://HOST"),
    (["--broker", "mqtt://host", *USER, *LIST], "goes without TLS"),
    (["--broker", "mqtt://128.0.0.1", *USER, *LIST], "goes without TLS"),
    (["--broker", "mqtt://127.0.0.1.example", *USER, *LIST], "goes without TLS"),
    (["--broker", "mqtt://[::2]", *USER, *LIST], "goes without TLS"),
    (["--broker", "mqtt://localhost.example", *USER, *LIST], "goes without TLS"),
    (["--broker", "mqtt://localhost", "--cert", "c", "--key", "k", *LIST], "for mqtts"),
    (["--broker", "mqtt://localhost", *USER, "--ca-file", "c", *LIST], "for mqtts"),
    (["--broker", HOST, *LIST], "must know who you are"),
    (["--broker", HOST, "--cert", "c", *LIST], "go together"),
    (["--broker", HOST, "--key", "k", *LIST], "go together"),
    # Behind the command it is the command's.
    (["--broker", HOST, "--key", "k", "explain", "--cert", "c"], "go together"),
    (["--broker", HOST, "--password-file", "p", *LIST], "wants --username"),
    (["--broker", HOST, *USER, "--timeout", "0s", *LIST], "from 1s to 1h"),
    (["--broker", HOST, *USER, "--timeout", "2h", *LIST], "from 1s to 1h"),
    (["--broker", HOST, *USER, "--timeout", "soon", *LIST], "from 1s to 1h"),
    (["--broker", HOST, *USER, "--client-id", "x" * 256, *LIST], "at most 255"),
    (["--broker", HOST, "--broker", HOST, *USER, *LIST], "given twice"),
    (["--broker", HOST, "--registry", "r", *USER, *LIST], "exclude each other"),
    (["--broker", HOST, *USER, "init"], "machine of the registry alone"),
    (["--broker", HOST, *USER, "event", "follow"], "machine of the registry alone"),
    (["--broker", HOST, *USER, "device", "add", "\udcff"], "not printable UTF-8"),
    (["--broker", HOST, "--username", "u", "explain", "--client-id", "x" * 256,
      "--cert", "/etc/hostname", "--tls", "\x01"], "not printable UTF-8"),  # fmt: skip
    (["--broker", HOST, *USER, "device", "list", "--type", "a\nb"], "not printable"),
]


def certid(*words: object) -> Any:
    line = [os.fsencode(str(word)) for word in [CERTID, *words]]
    done = subprocess.run(line, capture_output=True, timeout=60)
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done


def must_fail(code: int, says: str, *words: object) -> None:
    done = certid(*words)
    said = done.stderr.decode(errors="replace")
    assert (done.returncode, done.stdout) == (code, b""), done
    assert said.startswith("certid: ") and said.count("\n") == 1, said
    assert says in said, said


@pytest.mark.parametrize("line,says", MISUSE)
def test_misuse(line: Any, says: str) -> None:
    must_fail(2, says, *line)


FILES = [
    (["--cert", "/nonexistent/c", "--key", "k", *LIST], "there is no file"),
    (["--cert", "/etc/hostname", "--key", "k", *LIST], "/etc/hostname"),
    (["--cert", "/", "--key", "k", *LIST], "is a directory"),
    ([*USER, "--password-file", "/nonexistent/p", *LIST], "there is no file"),
    ([*USER, "--ca-file", "/nonexistent/a", *LIST], "there is no file"),
    ([*USER, "ca", "add", "/nonexistent/f"], "there is no file"),
    ([*USER, "device", "add", "d:a:1", "--info", "/nonexistent/f"], "there is no file"),
]


@pytest.mark.parametrize("line,says", FILES)
def test_files_are_read_before_anybody_is_asked(line: Any, says: str) -> None:
    must_fail(1, says, "--broker", HOST, *line)


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    long = tmp_path / "long.csv"
    long.write_text("ID\n" + "d:meter:0001\n" * 350000)
    must_fail(1, "too l", "--broker", HOST, *USER, "import", long)
    line = tmp_path / "password"
    line.write_text("x" * 1025)
    words = ["--broker", HOST, *USER, "--password-file", line, *LIST]
    must_fail(1, "longer than 1024", *words)


def test_help_needs_no_broker() -> None:
    done = certid("--broker", HOST, "--help")
    assert done.returncode == 0 and b"--broker URL" in done.stdout


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
def test_nobody_there(scheme: str) -> None:
    url = f"{scheme}://127.0.0.1:{free_port()}"
    must_fail(3, "cannot reach 127.0.0.1", "--broker", url, *USER, *LIST)


def test_no_such_host() -> None:
    must_fail(3, "cannot reach", "--broker", "mqtts://host.invalid", *USER, *LIST)


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", None])
def test_no_broker_there(scheme: str, says: Any) -> None:
    """One that hangs up, one that speaks otherwise, one that is silent."""
    server = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve() -> None:
        one, _ = server.accept()
        held.append(one)
        if says is not None:
            one.sendall(says)
            one.close()

    server.settimeout(20)
    thread = threading.Thread(target=serve)
    thread.start()
    url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
    done = certid("--broker", url, *USER, "--timeout", "1s", *LIST)
    thread.join()
    server.close()
    assert done.returncode in (1, 3), done
    assert done.stderr.count(b"\n") == 1 and done.stderr.startswith(b"certid: ")
