# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A clock for one broker that a test can set."""

import os
from pathlib import Path
from typing import Any

LIBRARY = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu"
FAKETIME = LIBRARY / "faketime" / "libfaketimeMT.so.1"


class Clock:
    """Before the broker starts.  Its monotonic clock stays the machine's."""

    def __init__(self, broker: Any):
        self.file = broker.folder / "clock"
        self.set("+0")
        self.file.chmod(0o644)
        broker.environment.update(
            LD_PRELOAD=str(FAKETIME),
            FAKETIME_TIMESTAMP_FILE=str(self.file),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )

    def set(self, offset: str) -> None:
        """From now: "+0", "+31d", "-3y"."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(offset + "\n")
        fresh.chmod(0o644)
        fresh.replace(self.file)
