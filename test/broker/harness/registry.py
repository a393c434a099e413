# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The command certid, on one registry."""

import json
import subprocess
from pathlib import Path
from typing import Any


class Certid:
    def __init__(self, binary: Path, registry: Path):
        self.binary = binary
        self.registry = registry

    def run(self, *args: object) -> "subprocess.CompletedProcess[str]":
        line = [self.binary, "--registry", self.registry, *args]
        return subprocess.run(
            [str(word) for word in line], text=True, capture_output=True, timeout=60
        )

    def __call__(self, *args: object, expect: int = 0) -> str:
        """Run it, demand this exit code, give what it printed."""
        done = self.run(*args)
        assert done.returncode == expect, (
            f"certid {' '.join(map(str, args))}: exit {done.returncode}, "
            f"expected {expect}: {done.stdout}{done.stderr}"
        )
        assert "Sanitizer" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def json(self, *args: object, expect: int = 0) -> Any:
        done = self.run("--json", *args)
        assert done.returncode == expect, (
            f"certid --json {args}: exit {done.returncode}: {done.stderr}"
        )
        return json.loads(done.stdout)

    def device(self, identity: str) -> Any:
        return self.json("device", "show", identity)

    def identities(self) -> list[str]:
        found = self.json("device", "list", "--limit", 100000)
        return [device["identity"] for device in found]

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        narrow = ["--kind", kind] if kind else []
        return self.json("event", "list", "--limit", 100000, *narrow)

    def ca_id(self, name: str) -> str:
        return self.json("ca", "show", name)["ca"]

    def explain(self, cert: Path, *args: object) -> Any:
        done = self.run("--json", "explain", "--cert", cert, *args)
        assert done.returncode in (0, 1), done.stderr
        answer = json.loads(done.stdout)
        assert (answer["decision"] == "admit") == (done.returncode == 0)
        return answer
