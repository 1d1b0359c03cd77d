"""Entries of others for a published test: the form to fill in, and the reader of their probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.datasets import table_files, table_values
from models.datasets.labelled import Labelled
from models.datasets.raw_table import RawTable
from models.datasets.reading import reading
from models.suites.moments import WHOLE
from models.suites.trial import Predictions, Trial

WHOLE_WORD = "whole"
SUM_TOLERANCE = 0.01
"""Tolerance for the sum of an entry's probabilities, which may be rounded to two or three digits."""


def form(labelled: Labelled, trials: list[Trial]) -> pd.DataFrame:
    """Training and test objects: ``trial``, ``fold``, ``object`` (its name in the data), ``role``."""
    parts = []
    for trial in trials:
        for number, pair in enumerate(trial.folds):
            for role, rows in zip(("learn", "test"), pair, strict=True):
                rows = rows[trial.label[rows] >= 0]
                names = labelled.truth.name[rows]
                parts.append(pd.DataFrame({"trial": trial.name, "fold": number, "object": names, "role": role}))
    return pd.concat(parts, ignore_index=True)


def read(file: Path, labelled: Labelled, trial: Trial) -> Predictions:
    """The probabilities in a CSV: ``object``, ``days`` (a number, or "whole", the default), a column for each class.

    Every test object counts at every moment in the file. An object without a row at a moment gets the class rates of
    the training objects and counts as not answered. Raises ValueError with the line and the fault.
    """
    entry = _entry(file, trial)
    tested, mix, n_train = _tested(trial)
    position = {str(name): place for place, name in enumerate(labelled.truth.name[tested])}
    days = np.unique(entry.days)
    p = np.tile(mix, (len(days), len(tested), 1))
    answered = np.zeros((len(days), len(tested)), bool)
    for row, (name, day) in enumerate(zip(entry.name, entry.days, strict=True)):
        place = position.get(name)
        if place is None:
            raise ValueError(f"{file}, {entry.place(row)}: object must be one that {trial.title} tests, found {name}")
        moment = int(np.searchsorted(days, day))
        if answered[moment, place]:
            raise ValueError(f"{file}, {entry.place(row)}: the object {name} occurs twice at the same days")
        p[moment, place], answered[moment, place] = entry.p[row] / entry.p[row].sum(), True
    rows = np.tile(tested, len(days))
    return Predictions.not_learnt(
        p=p.reshape(-1, len(trial.classes)),
        label=trial.label[rows],
        object_row=rows,
        object_id=labelled.light_curves.object_id[rows],
        days=np.repeat(days, len(tested)),
        detections=np.zeros(len(rows), np.int64),
        number=np.full(len(rows), -1),
        answered=answered.ravel(),
        mix=mix,
        n_train=n_train,
    )


def _tested(trial: Trial) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Rows of the test objects, class rates of the training objects, and the number of the latter."""
    k = len(trial.classes)
    learnt = [train[trial.label[train] >= 0] for train, _ in trial.folds]
    tested = np.concatenate([test[trial.label[test] >= 0] for _, test in trial.folds])
    counts = np.bincount(trial.label[np.concatenate(learnt)], minlength=k).astype(np.float64)
    return np.sort(tested), counts / counts.sum(), round(counts.sum() / len(learnt))


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of predictions: names, days (m,), probabilities (m, classes), and the place of each row in the file."""

    name: list[str]
    days: NDArray[np.float64]
    p: NDArray[np.float64]
    place: Callable[[int], str]


def _entry(file: Path, trial: Trial) -> _Entry:
    wanted = ["object", *trial.classes.names]
    table = table_files.read(file, [*wanted, "days"])
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise ValueError(f"{file} must have the columns {', '.join(wanted)}, and may have days; missing {missing}")
    with reading(file, "a table of predictions"):  # a column may have a type that is neither text nor number
        objects = table_values.names(table.columns["object"])
        p = np.stack([table_values.numbers(table.columns[name]).value for name in trial.classes.names], axis=1)
    nameless = np.flatnonzero(objects.code < 0)
    if len(nameless):
        raise ValueError(f"{file}, {table.place(int(nameless[0]))}: object must be a name, found nothing")
    wrong = ~((p >= 0) & (p <= 1)).all(axis=1) | ~(np.abs(p.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{file}, {table.place(row)}: probabilities must be 0 to 1 and add up to 1, found {p[row].tolist()}"
        )
    return _Entry([objects.distinct[k] for k in objects.code], _days(file, table, trial), p, table.place)


def _days(file: Path, table: RawTable, trial: Trial) -> NDArray[np.float64]:
    """Days after the first detection, infinite for the whole light curve."""
    if "days" not in table.columns:
        return np.full(table.n_rows, WHOLE)
    with reading(file, "a table of predictions"):
        words = table_values.names(table.columns["days"])
    texts = [text.strip() for text in words.distinct] + [""]
    numbers = [WHOLE if text == WHOLE_WORD else table_values.number(text) for text in texts]
    days = np.array([np.nan if number is None else number for number in numbers])[words.code]
    wrong = np.flatnonzero(~np.isin(days, [*trial.days, WHOLE]))
    if len(wrong):
        row, said = int(wrong[0]), ", ".join(f"{day:g}" for day in trial.days)
        raise ValueError(
            f"{file}, {table.place(row)}: days must be one of {said} or whole, found {texts[words.code[row]]!r}"
        )
    return days
