"""The selection of novel objects at each night's end, beside the running job, in a process of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

import psutil

from active_learning.last_alerts import nights_of
from broker.kafka.errors import KafkaFailure
from broker.kafka.message_log import selections_log
from broker.records import archive
from broker.settings import Settings
from schemas.night import date_of, night_of_unix_ms

LOOK_S = 60.0
"""How often the clock is asked whether a night has ended."""

LOG_FILE = "logs/novelty.log"
"""In the home: what the selections said."""

NICENESS = 10
"""The selection stands behind the stream where both want the processor."""

TRIES_A_NIGHT = 3
"""A selection that fails is tried again; after so many failures the night is left to `gueststar novelty select`."""

log = logging.getLogger(__name__)


def ended_night(settings: Settings, now_ms: float) -> int | None:
    """The night that ended last, if it has alerts in the archive and no selection yet. Raises KafkaFailure."""
    night = int(night_of_unix_ms(now_ms)) - 1
    if night not in nights_of(archive.folder(settings)):
        return None
    with selections_log(settings) as selections:
        is_done = any(stored.record["night"] == night for stored in selections.read())
    return None if is_done else night


class NightlySelection:
    """A context in which each night that ends is followed by its selection."""

    def __init__(
        self, settings: Settings, *, wanted: bool = True, clock_ms: Callable[[], float] = lambda: time.time() * 1000
    ) -> None:
        self._settings, self._clock_ms = settings, clock_ms
        self._wanted = wanted and settings.novelty_nightly
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._tries: dict[int, int] = {}
        self._thread = threading.Thread(target=self._follow, name="nightly selection", daemon=True)

    def __enter__(self) -> NightlySelection:
        if self._wanted:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()  # the next job does the night again: what was published is not repeated
        if self._thread.ident is not None:
            self._thread.join(LOOK_S)

    def _follow(self) -> None:
        while True:
            try:
                night = ended_night(self._settings, self._clock_ms())
                if night is not None and self._tries.get(night, 0) < TRIES_A_NIGHT and not self._ended.is_set():
                    self._select(night)
            except (
                KafkaFailure,
                OSError,
                psutil.Error,
            ) as error:  # the stream goes on
                log.warning("the night's selection of novel objects has to wait: %s", error)
            if self._ended.wait(LOOK_S):
                return

    def _select(self, night: int) -> None:
        self._tries[night] = self._tries.get(night, 0) + 1
        command = [sys.executable, "-m", "broker.cli", "novelty", "select", "--night", str(night)]
        file = self._settings.home / LOG_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **self._settings.variables()},
                stdout=output,
                stderr=output,
            )
            psutil.Process(self._process.pid).nice(NICENESS)
            code = self._process.wait()
        if code and not self._ended.is_set():
            log.warning("the selection of novel objects of %s ended with code %d: see %s", date_of(night), code, file)
