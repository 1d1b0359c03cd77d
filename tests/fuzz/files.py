"""Damaged files, one after the other: each must come out as data or be refused, clearly and soon."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.datasets.reading import UnreadableError

SLOW_S = 2.0
"""CPU time that no small file may take."""


@dataclass(frozen=True)
class Kind:
    """A kind of input: ``make`` puts one damaged input, a file or a folder of files, into the empty folder that it is
    given, and returns its path; ``read`` reads it. ``refused``: the errors that may say no."""

    make: Callable[[np.random.Generator, Path], Path]
    read: Callable[[Path], object]
    refused: tuple[type[Exception], ...] = (UnreadableError,)


@dataclass
class Outcome:
    """What became of the files. ``unclear``: refusals of more than one line, or that do not name the file; ``crashed``:
    files at which the whole process ended, or answered no more."""

    files: int = 0
    read: int = 0
    refused: int = 0
    raised: int = 0
    unclear: int = 0
    slow: int = 0
    crashed: int = 0
    slowest_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    harm: str = ""

    @property
    def is_good(self) -> bool:
        """Nothing else was raised, every refusal was clear, nothing took long or crashed."""
        return not self.harmful

    @property
    def harmful(self) -> int:
        """How often harm was done."""
        return self.raised + self.unclear + self.slow + self.crashed

    def __add__(self, later: Outcome) -> Outcome:
        """Both together; :attr:`harm` is that of the later one, if it did some."""
        counts = {
            name: getattr(self, name) + getattr(later, name)
            for name in ("files", "read", "refused", "raised", "unclear", "slow", "crashed", "reasons")
        }
        return Outcome(slowest_s=max(self.slowest_s, later.slowest_s), harm=later.harm or self.harm, **counts)


def fuzz(kind: Kind, n: int, seed: int) -> Iterator[tuple[Outcome, Path | None]]:
    """The outcome after each file, and the file where it did harm; it is gone with the next step."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        yield from fuzz_within(kind, n, np.random.default_rng(seed), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fuzz_within(kind: Kind, n: int, rng: np.random.Generator, folder: Path) -> Iterator[tuple[Outcome, Path | None]]:
    """As :func:`fuzz`, with the files in ``folder``, which is emptied before each."""
    outcome = Outcome()
    for _ in range(n):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = kind.make(rng, folder)
        before = outcome.harmful
        _read(kind, path, outcome)
        yield outcome, path if outcome.harmful > before else None


def _read(kind: Kind, path: Path, outcome: Outcome) -> None:
    """Read the input and count what became of it."""
    took_s = _attempt(kind, path, outcome)
    if took_s > SLOW_S:  # the first of a format imports and compiles what is needed, but not twice
        took_s = min(took_s, _attempt(kind, path, Outcome()))
    outcome.files += 1
    outcome.slowest_s = max(outcome.slowest_s, took_s)
    if took_s > SLOW_S:
        outcome.slow += 1
        outcome.harm = f"took {took_s:.1f} s"


def _attempt(kind: Kind, path: Path, outcome: Outcome) -> float:
    """Returns the CPU time, s: other processes on the machine do no harm."""
    began = time.process_time()
    try:
        kind.read(path)
        outcome.read += 1
    except kind.refused as error:
        text = str(error)
        outcome.refused += 1
        outcome.reasons[" ".join(text.replace(str(path), "FILE").split()[:7])] += 1
        if "\n" in text or path.name not in text:
            outcome.unclear += 1
            outcome.harm = f"unclear: {text}"
    except BaseException as error:  # whatever it is, it is what is looked for
        outcome.raised += 1
        outcome.harm = f"{type(error).__name__}: {error}"
    return time.process_time() - began
