"""How far work is, in lines: for standard error that is a file or a pipe, where no bar can be drawn."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY_S = 15.0
"""A line is written so often, seconds: work that ends before writes none."""

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, of how much."""


@contextmanager
def progress_lines(
    write: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True), every_s: float = EVERY_S
) -> Iterator[Progress]:
    """A callable (stage, done, of); every ``every_s`` seconds a line says how far the stage is, also where it stands.

    ``write`` is called in a thread of its own.
    """
    began, ended, state = time.monotonic(), threading.Event(), [("", 0, 0)]

    def tell() -> None:
        while not ended.wait(every_s):
            stage, done, of = state[0]
            if stage:
                share = f": {done:,} of {of:,} done" if of > 1 else " …"
                write(f"{stage}{share} after {time.monotonic() - began:.0f} s")

    thread = threading.Thread(target=tell, name="progress lines", daemon=True)
    thread.start()
    try:
        yield lambda stage, done, of: state.__setitem__(0, (stage, done, of))
    finally:
        ended.set()
        thread.join()
