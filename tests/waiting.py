"""Wait for a condition with a deadline: no test sleeps and hopes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], deadline_s: float, what: str) -> T:
    """Ask `condition` until it gives something true, and return that; fails with `what` after `deadline_s` seconds."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s:g} s in vain for {what}; last seen: {value!r}")
        time.sleep(0.05)
    return value
