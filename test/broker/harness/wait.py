# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Waiting for something to become true, with a deadline and never longer."""

import time
from typing import Callable, TypeVar

T = TypeVar("T")

PATIENCE = 10.0  # seconds; a test that waits this long has failed


def until(look: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
    """Call look() until it gives something true, and give that back."""
    end = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(0.01)
