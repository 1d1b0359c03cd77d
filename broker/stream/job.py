"""Running the streaming job: one for a home, until it is told to stop, with errors that name their cause."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

from broker import filters
from broker.filters import refusals, trial
from broker.kafka import topics
from broker.local.at_work import at_work
from broker.settings import Settings
from broker.stream import recent_ranks
from broker.stream.nightly import NightlySelection
from broker.stream.query import CHECKPOINT_FOLDER
from broker.stream.query import start as start_query
from broker.stream.session import LOG_FILE, session, warm_workers
from broker.stream.source import STOP_FILE
from broker.stream.telemetry import BatchListener
from broker.text_output import printable
from models.registry.named_model import ensure_one

LOCK_FILE = Path("run") / "job.lock"
"""In the home: locked while a job runs; holds its process id."""

LOOK_S = 1
"""How often a stop asked for is noticed, seconds."""

FIRST_READING_DEADLINE_S = 30.0
"""How long the first batch waits for the archive's recent scores, seconds: they are read while Spark starts."""

REPORTS_DEADLINE_S = 20.0
"""How long the last batch's report may take after the query has ended, seconds."""


class JobFailed(RuntimeError):
    """The streaming query ended with an error; the text is its cause."""


def run(settings: Settings, *, available_now: bool = False) -> dict[str, Any]:
    """Run the job until it ends (``available_now``), or SIGTERM or Ctrl-C stops it after the running batch.

    Returns the summary of ``gueststar run --json``. Raises JobFailed with the cause; LookupError where no model is in
    production; RuntimeError where another job runs in this home.
    """
    home = settings.home
    with (
        only_job(home),
        at_work(home, "run"),
        _stop_signals(home) as (stop_asked, take_signals),
        ExitStack() as keeping,
    ):
        # raises where there is no Kafka, before Spark takes its seconds
        kept = filters.load(settings)
        topics.create(settings, topics.all_topics(settings, kept.conditions))
        if shipped := ensure_one(settings.registry()):
            print(f"no model was trained here yet: the one that came with gueststar, {shipped[:16]}", file=sys.stderr)
        model = settings.registry().model("production")
        began = time.monotonic()
        has_read = keeping.enter_context(recent_ranks.kept_up(settings))
        spark = session(settings, warm_model=model.sha256)
        take_signals()
        listener = BatchListener(settings.home)
        spark.streams.addListener(listener)
        try:
            kept = admitted_filters(spark, settings, kept)  # before the workers' start takes every core
            threading.Thread(target=warm_workers, args=(spark,), name="warm workers", daemon=True).start()
            has_read.wait(FIRST_READING_DEADLINE_S)
            query = start_query(spark, settings, kept.conditions, available_now=available_now)
            listener.say(f"started after {time.monotonic() - began:.0f} s: model {model.version}, {model.sha256[:16]}")
            with NightlySelection(settings, wanted=not available_now):
                _wait(query, stop_asked)
            listener.terminated.wait(REPORTS_DEADLINE_S)
        except StreamingQueryException as error:
            raise failure(settings, str(error)) from None
        except (Py4JError, ConnectionError) as error:
            raise JobFailed(f"Spark's Java process is gone ({error}): see {settings.home / LOG_FILE}") from None
        finally:
            with suppress(Py4JError, ConnectionError):
                spark.stop()
    return listener.totals.summary()


def admitted_filters(spark: SparkSession, settings: Settings, kept: filters.Filters) -> filters.Filters:
    """The filters that Spark runs. The others are told, here and in the job's log, and kept for `filters list`."""
    tried = trial.tried(spark, kept)
    refusals.keep(settings, tried.refused)
    lines = [f"left out the filter {refused.line()}" for refused in tried.refused]
    log_file = settings.home / LOG_FILE
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("a", encoding="utf-8", errors="backslashreplace") as log:
        for line in lines:
            print(line, file=log)
            print(printable(line), file=sys.stderr, flush=True)
    return tried


@contextmanager
def only_job(home: Path) -> Iterator[None]:
    """Hold the home's lock. Raises RuntimeError where another job holds it; a killed job holds nothing."""
    file = home / LOCK_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise RuntimeError(
                f"a job already runs in {home} (process {lock.read().strip()}): stop it, "
                "or set GUESTSTAR_HOME to another folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def cause(text: str) -> str:
    """Why a query failed, in one line: the innermost Python error, under its traceback; else what Java says of it.

    Spark's own line says which query ended before it says why; its description of the query follows.
    """
    _, is_python, traceback = text.rpartition("Traceback (most recent call last):")
    if is_python and (raised := re.search(r"^((?:\w+\.)*[A-Z]\w+): (.+)$", traceback, re.MULTILINE)):
        name, message = raised.groups()
        return message if name.startswith("broker.") else f"{name}: {message}"
    summary = text.partition("=== Streaming Query ===")[0].strip().split("\n")[0]
    why = summary.rpartition("terminated with exception: ")[2]
    return re.sub(r" SQLSTATE: \w+$", "", why)


def failure(settings: Settings, text: str) -> JobFailed:
    """The error of a job whose query failed: the cause, where all of it stands, and what to do next."""
    log_file = settings.home / LOG_FILE
    if not (settings.home / CHECKPOINT_FOLDER / "offsets").is_dir():
        advice = (
            f"{settings.home / CHECKPOINT_FOLDER} was removed under the job, which keeps there how far it is: "
            "what is still in the input topics is read from the beginning when `gueststar run` starts again"
        )
    else:
        advice = "`gueststar run` goes on after the last batch that was finished, once this is mended"
    return JobFailed(f"the job ended: {cause(text)}. {advice[0].upper()}{advice[1:]} (all of it: {log_file})")


@contextmanager
def _stop_signals(home: Path) -> Iterator[tuple[threading.Event, Callable[[], None]]]:
    """Inside, SIGTERM and Ctrl-C set the event and ask the source to begin no new batch; a second one ends at once.

    Yields the event, and what takes the signals again from one who took them: a Spark session does so with Ctrl-C.
    """
    asked, stop_file = threading.Event(), home / STOP_FILE
    stop_file.parent.mkdir(parents=True, exist_ok=True)
    stop_file.unlink(missing_ok=True)

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            _end_at_once()
        stop_file.touch()
        asked.set()

    numbers = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.getsignal(number) for number in numbers}

    def take() -> None:
        for number in numbers:
            signal.signal(number, ask)

    take()
    try:
        yield asked, take
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop_file.unlink(missing_ok=True)


def _end_at_once() -> NoReturn:
    """End this process, wherever it is: no exception gets through a call of Java that it interrupts.

    Spark's Java process ends with it, as the pipe between them closes.
    """
    line = "gueststar: ended at once; the batch that ran is done again by the next job\n"
    with suppress(OSError):
        os.write(2, line.encode())
    os._exit(130)


def _wait(query: StreamingQuery, stop_asked: threading.Event) -> None:
    """Wait for the query's end; once a stop is asked for, for the end of its running batch, and stop it there."""
    while not query.awaitTermination(LOOK_S):
        if stop_asked.is_set() and not query.status["isTriggerActive"]:
            query.stop()
            return
