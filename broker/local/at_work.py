"""Which commands are at work in a home.

Each holds a lock on a file of its own while it works. The kernel drops the lock of a killed holder, so no file that is
left behind deceives.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

FOLDER = "at-work"
"""In the home: one file for each command at work, named after the command and its process id."""


class Worker(NamedTuple):
    """A command at work: its name after ``gueststar``, and its process id."""

    command: str
    pid: int


@contextmanager
def at_work(home: Path, command: str) -> Iterator[None]:
    """Be seen by :func:`others_at_work` while the context lasts."""
    file = home / FOLDER / f"{command}-{os.getpid()}"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def others_at_work(home: Path) -> list[Worker]:
    """The commands of other processes at work in a home, by name and process id."""
    workers = []
    for file in sorted((home / FOLDER).glob("*-*")):
        command, _, pid = file.name.rpartition("-")
        if pid.isdigit() and int(pid) != os.getpid() and _is_held(file):
            workers.append(Worker(command, int(pid)))
    return workers


def _is_held(file: Path) -> bool:
    with suppress(FileNotFoundError), file.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
