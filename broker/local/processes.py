"""Servers as processes of this machine: started on their own, found again, waited for and ended."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from schemas import file_lock

FIRST_PORT, LAST_PORT = 20_000, 32_000
"""Below the range that the kernel gives to outgoing connections (from 32768), so that a remembered port stays free."""


class ServerError(OSError):
    """A server did not start, answer or end."""

    takes_lines = True


@dataclass(frozen=True)
class Server:
    """How one server of a home is run: its name, its working folder, what its command line must contain, its log."""

    name: str
    folder: Path
    marker: str
    log: Path

    def find(self) -> psutil.Process | None:
        """This server's process, whoever started it: told by its folder and command line, no id deceives."""
        folder = str(self.folder.resolve())
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                ours = process.uids().real == os.getuid() and process.cwd() == folder
                if ours and self.marker in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    return process
        return None

    def launch(self, command: list[str], environment: dict[str, str]) -> psutil.Process:
        """Start the server in a session of its own, so that it outlives the command that started it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".before.log"))
        with self.log.open("wb") as log:
            started = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.returncode = 0  # it is not ours to wait for: Popen must not warn that it still runs
        return psutil.Process(started.pid)

    def wait_until(self, answers: Callable[[], bool], process: psutil.Process, deadline_s: float) -> None:
        """Return when `answers` is true; raises ServerError with the log's end if the process ends or time is up."""
        end = time.monotonic() + deadline_s
        while not answers():
            if not alive(process):
                raise ServerError(f"{self.name} ended while it started; the end of {self.log}:\n{self.last_lines()}")
            if time.monotonic() > end:
                raise ServerError(
                    f"{self.name} (process {process.pid}) does not answer after {deadline_s:.0f} s; "
                    f"the end of {self.log}:\n{self.last_lines()}"
                )
            time.sleep(0.1)

    def end(self, process: psutil.Process, patience_s: float) -> None:
        """End the server: asked first (SIGTERM), and after `patience_s` seconds killed."""
        for ask, wait_s in ((process.terminate, patience_s), (process.kill, 10.0)):
            with suppress(psutil.NoSuchProcess):
                ask()
            if gone(process, wait_s):
                return
        raise ServerError(
            f"{self.name} (process {process.pid}) does not end, even killed; look at it with `ps -p {process.pid}`"
        )

    def last_lines(self, lines: int = 15) -> str:
        """The end of the server's log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join("  " + line for line in text.splitlines()[-lines:]) or "  (empty)"


def alive(process: psutil.Process) -> bool:
    """Whether the process runs, or is still giving back its ports and files."""
    try:
        if not process.is_running():
            return False
        if process.status() != psutil.STATUS_ZOMBIE:
            return True
    except psutil.NoSuchProcess:
        return False
    try:
        # A child whose first thread has ended is a zombie while the others still end; only then can it be waited for.
        return os.waitpid(process.pid, os.WNOHANG)[0] != process.pid
    except ChildProcessError:
        return False


def gone(process: psutil.Process, wait_s: float) -> bool:
    """Whether the process has ended, waiting up to `wait_s` seconds for it."""
    end = time.monotonic() + wait_s
    while alive(process):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def free_port(remembered: int | None, taken: set[int]) -> int:
    """A port of the loopback address that nothing listens on: the remembered one where it is free."""
    candidates = [remembered] if remembered else []
    candidates += random.SystemRandom().sample(range(FIRST_PORT, LAST_PORT), 200)
    for port in candidates:
        if port not in taken and _is_free(port):
            return port
    raise ServerError(f"no free port between {FIRST_PORT} and {LAST_PORT} on 127.0.0.1")


def answers_tcp(port: int) -> bool:
    """Whether something listens on the loopback port."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def locked(file: Path, deadline_s: float = 300.0) -> Iterator[None]:
    """Hold the lock file: one process at a time. The kernel drops the lock of a killed holder."""
    with file_lock.locked(file, deadline_s, ServerError):
        yield


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do, past TIME_WAIT
        with suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return True
    return False
