"""A short run of what ``make fuzz`` does at length with files, and that it notices harm."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from models.datasets.reading import UnreadableError, in_words, reading
from tests.fuzz.__main__ import KINDS
from tests.fuzz.files import Kind, fuzz

N = 300


@pytest.mark.parametrize("name", sorted(KINDS))
def test_damaged_files_do_no_harm(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged files the libraries warn
        for outcome, culprit in fuzz(KINDS[name], N, seed=7):
            assert culprit is None, outcome.harm
    assert outcome.files == N == outcome.read + outcome.refused
    assert outcome.refused > N / 10, outcome.reasons
    assert outcome.read > N / 50


def _one(rng: np.random.Generator, folder: Path) -> Path:
    file = folder / "one.csv"
    file.write_text("x")
    return file


@pytest.mark.parametrize("error", [KeyError("x"), UnreadableError("no name"), UnreadableError("one.csv\nis cut")])
def test_harm_is_noticed(error: Exception) -> None:
    def read(path: Path) -> None:
        raise error

    (outcome, culprit), *_ = fuzz(Kind(_one, read), 1, seed=1)
    assert not outcome.is_good
    assert culprit is not None


@pytest.mark.parametrize(
    ("error", "words"),
    [(KeyError("flux"), "KeyError: 'flux'"), (EOFError(), "EOFError"), (ValueError("a\n  b"), "a b")],
)
def test_an_error_of_a_library_becomes_one_line(error: Exception, words: str) -> None:
    assert in_words(error) == words
    with pytest.raises(UnreadableError) as raised, reading(Path("own.csv"), "a table"):
        raise error
    assert str(raised.value) == f"own.csv is not a table that can be read: {words}"
