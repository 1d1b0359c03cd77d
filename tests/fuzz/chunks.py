"""Files in child processes, a few thousand in each: a crash or a hang of a C library ends the child, not the run."""

from __future__ import annotations

import faulthandler
import multiprocessing
import shutil
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tests.fuzz.files import Kind, Outcome, fuzz_within

CHUNK = 2_000
HANG_S = 120.0
"""So long no file may keep the child from an answer; its CPU time is measured within."""


def fuzz_in_chunks(
    kind: Kind, n: int, seed: int, keep: Path, chunk: int = CHUNK, hang_s: float = HANG_S
) -> Iterator[Outcome]:
    """The outcome after each file. A file that did harm is put into ``keep``, in a folder named by the chunk's seed and
    its number in it; :attr:`Outcome.harm` says which.

    The generator of a chunk is seeded with (seed, chunk, restart): what it gives depends on these alone. A child that
    ended or answers no more counts as harm by the file that it was at, and another goes on with the rest.
    """
    whole = Outcome()
    for number, begin in enumerate(range(0, n, chunk)):
        end, restart = min(begin + chunk, n), 0
        while whole.files < end:
            before = whole
            for outcome in _child(kind, end - before.files, (seed, number, restart), keep, hang_s):
                whole = before + outcome
                yield whole
            restart += 1


def _child(kind: Kind, n: int, seed: tuple[int, ...], keep: Path, hang_s: float) -> Iterator[Outcome]:
    """The outcomes that one child tells; the last of them has its crash, if it ended before the n-th file."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    folder, outcome = Path(tempfile.mkdtemp(prefix="fuzz-")), Outcome()
    child = spawn.Process(target=_work, args=(kind, n, seed, folder, keep, there), daemon=True)
    child.start()
    there.close()
    try:
        while outcome.files < n:
            hung = not here.poll(hang_s)
            try:
                if hung:
                    raise EOFError
                outcome = here.recv()
            except EOFError:
                if hung:
                    child.kill()
                child.join()
                outcome = outcome + Outcome(files=1, crashed=1)
                place = _kept(folder / "input", keep, seed, outcome.files)
                what = f"no answer for {hang_s:.0f} s" if hung else f"the process ended with {child.exitcode}"
                outcome.harm = f"{what}: {place}"
                yield outcome
                return
            yield outcome
    finally:
        child.join(5.0)
        child.kill()
        child.join()
        shutil.rmtree(folder, ignore_errors=True)


def _work(kind: Kind, n: int, seed: tuple[int, ...], folder: Path, keep: Path, answers: Connection) -> None:
    faulthandler.enable()
    for outcome, culprit in fuzz_within(kind, n, np.random.default_rng(seed), folder / "input"):
        if culprit is not None:
            outcome.harm = f"{outcome.harm}: {_kept(folder / 'input', keep, seed, outcome.files)}"
        answers.send(outcome)


def _kept(folder: Path, keep: Path, seed: tuple[int, ...], number: int) -> Path:
    place = keep / f"{'-'.join(map(str, seed))}-{number}"
    shutil.rmtree(place, ignore_errors=True)
    if folder.is_dir():
        shutil.copytree(folder, place)
    return place
