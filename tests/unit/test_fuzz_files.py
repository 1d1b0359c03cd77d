"""A short run of what ``make fuzz`` does at length with files, and that it notices harm."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.datasets.reading import UnreadableError, in_words, reading
from tests.fuzz import crash
from tests.fuzz.chunks import fuzz_in_chunks
from tests.fuzz.files import Kind, fuzz, fuzz_within
from tests.fuzz.kinds import KINDS

N = 200


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


@pytest.mark.parametrize("error", [KeyError("x"), UnreadableError("no name"), ValueError("one.csv is cut")])
def test_harm_is_noticed(error: Exception) -> None:
    def read(path: Path) -> None:
        raise error

    (outcome, culprit), *_ = fuzz(Kind(_one, read), 1, seed=1)
    assert not outcome.is_good
    assert culprit is not None


def test_children_find_what_their_seeds_tell(tmp_path: Path) -> None:
    outcomes = list(fuzz_in_chunks(KINDS["plasticc"], 12, 5, tmp_path, chunk=8))
    assert [outcome.files for outcome in outcomes] == list(range(1, 13))
    reasons: Counter[str] = Counter()
    for number, n in enumerate((8, 4)):
        *_, (outcome, _) = fuzz_within(KINDS["plasticc"], n, np.random.default_rng((5, number, 0)), tmp_path / "here")
        reasons += outcome.reasons
    assert outcomes[-1].reasons == reasons
    assert outcomes[-1].is_good
    assert [one.name for one in tmp_path.iterdir()] == ["here"]


def test_a_crash_is_harm_and_the_file_is_kept(tmp_path: Path) -> None:
    outcome = list(fuzz_in_chunks(crash.KIND, 2, 5, tmp_path))[-1]
    assert (outcome.files, outcome.crashed, outcome.is_good) == (2, 2, False)
    kept = sorted(tmp_path.iterdir())
    assert [one.name for one in kept] == ["5-0-0-1", "5-0-1-1"]
    assert str(kept[-1]) in outcome.harm
    assert all((one / "one.csv").is_file() for one in kept)


def test_no_answer_is_harm(tmp_path: Path) -> None:
    outcome = list(fuzz_in_chunks(crash.KIND, 1, 5, tmp_path, hang_s=0.01))[-1]
    assert (outcome.files, outcome.crashed) == (1, 1)
    assert outcome.harm.startswith("no answer for")


@pytest.mark.parametrize(
    ("error", "words"),
    [(KeyError("flux"), "KeyError: 'flux'"), (EOFError(), "EOFError"), (ValueError("a\n  b"), "a b")],
)
def test_an_error_of_a_library_becomes_one_line(error: Exception, words: str) -> None:
    assert in_words(error) == words
    with pytest.raises(UnreadableError) as raised, reading(Path("own.csv"), "a table"):
        raise error
    assert str(raised.value) == f"own.csv is not a table that can be read: {words}"
