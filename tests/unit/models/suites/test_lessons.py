"""Learning again from tested objects: from sure ones, by what is thought of them; they do not answer themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from models.datasets import bts as files
from models.datasets.labelled import Labelled
from models.suites import learning
from models.suites.learners import Learnt
from models.suites.moments import WHOLE, Moments, moments
from models.suites.trial import Classes, Trial

DAYS = (3.0, 7.0)
HELD_OUT = (0.3, 0.7)
"""What the learner says of rows that it did not see."""


def thought(rows: Moments) -> np.ndarray:
    """The class that the learner takes an object for: of every third it is not sure."""
    likely = np.where(rows.object_id % 3 == 2, 0.6, 0.97)
    second = np.stack([1 - likely, likely], axis=1)
    return np.where((rows.object_id % 2 == 0)[:, None], second[:, ::-1], second)


@dataclass(frozen=True)
class Notebook:
    """A learner that thinks what :func:`thought` says and keeps what it was taught."""

    lessons: list[tuple[Moments, np.ndarray]] = field(default_factory=list)
    name: str = "notebook"

    def fit(self, rows: Moments, label: np.ndarray, group: np.ndarray, n_classes: int, seed: int) -> Learnt:
        self.lessons.append((rows, label))
        return Learnt(self, np.tile(HELD_OUT, (len(rows), 1)))

    def predict_proba(self, rows: Moments) -> np.ndarray:
        return thought(rows)


@pytest.fixture(scope="module")
def few(shared_data: Path) -> Labelled:
    return files.load(shared_data / "bts").select(np.arange(40))


def test_a_lesson_is_of_sure_objects_and_they_do_not_answer_themselves(few: Labelled, tmp_path: Path) -> None:
    label = np.arange(len(few)) % 2
    folds = [(np.arange(20), np.arange(20, 40))]
    trial = Trial("", "half", Classes(("Ia", "II"), (2222, 2224)), label, folds, DAYS, lessons=1)
    rows = moments(few, DAYS, tmp_path, n_jobs=1)
    learner = Notebook()
    said = learning.run(trial, few, rows, learner, seed=1)

    (first, _), (second, taught) = learner.lessons
    assert set(first.object_row.tolist()) == set(range(20))
    new = slice(len(first), len(second))
    ids = few.light_curves.object_id
    sure = set(np.flatnonzero((np.arange(40) >= 20) & (ids % 3 != 2)).tolist())
    assert sure
    assert set(second.object_row[new].tolist()) == sure
    assert np.array_equal(taught[new], ids[second.object_row[new]] % 2)
    assert np.array_equal(taught[: len(first)], label[first.object_row])

    mine = np.array([i in sure for i in said.object_row.tolist()])
    assert 0 < mine.sum() < len(mine)
    shown = rows.of_objects(np.arange(20, 40))
    shown = shown.select(np.isin(shown.days, [*DAYS, WHOLE]))
    assert np.allclose(said.p[mine], HELD_OUT)
    assert np.array_equal(said.p[~mine], thought(shown)[~mine])


def test_the_true_classes_of_the_tested_are_not_looked_at(few: Labelled, tmp_path: Path) -> None:
    label = np.arange(len(few)) % 2
    trial = Trial(
        "", "half", Classes(("Ia", "II"), (2222, 2224)), label, [(np.arange(20), np.arange(20, 40))], DAYS, lessons=2
    )
    rows = moments(few, DAYS, tmp_path, n_jobs=1)
    other = replace(trial, label=np.where(np.arange(40) < 20, label, 1 - label))
    one, another = (learning.run(each, few, rows, Notebook(), seed=1) for each in (trial, other))
    assert np.array_equal(one.p, another.p)
    assert not np.array_equal(one.label, another.label)
