"""One process at a time: a lock on a file, which the kernel drops when its holder is killed."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_S = 0.02
"""How often a lock that another holds is tried again, seconds."""


@contextmanager
def locked(file: Path, wait_s: float, error: Callable[[str], Exception]) -> Iterator[None]:
    """Hold the lock on ``file``, which is made with its folder where it is missing.

    Raises ``error``, with a line that says what to do, where another process keeps the lock for longer than ``wait_s``
    seconds; OSError where the file cannot be made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        end = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    line = f"{file}: another process has held this lock for {wait_s:.0f} s: end it, then try again"
                    raise error(line) from None
                time.sleep(LOOK_S)
        yield
