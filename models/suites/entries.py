"""Anyone's probabilities for a published test: what is asked for, and how they are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.datasets.labelled import Labelled
from models.suites.moments import WHOLE
from models.suites.trial import Predictions, Trial

WHOLE_WORD = "whole"
SUM_TOLERANCE = 0.01
"""By which an entry's probabilities may miss 1: rounding to two or three places."""


def form(labelled: Labelled, trials: list[Trial]) -> pd.DataFrame:
    """Who may be learnt from and who is tested: ``trial``, ``fold``, ``object`` (as the data name it), ``role``."""
    parts = []
    for trial in trials:
        for number, pair in enumerate(trial.folds):
            for role, rows in zip(("learn", "test"), pair, strict=True):
                rows = rows[trial.label[rows] >= 0]
                names = labelled.truth.name[rows]
                parts.append(pd.DataFrame({"trial": trial.name, "fold": number, "object": names, "role": role}))
    return pd.concat(parts, ignore_index=True)


def read(file: Path, labelled: Labelled, trial: Trial) -> Predictions:
    """The probabilities in a CSV: ``object``, ``days`` (a number, or whole; left out: whole), a column for each class.

    Every tested object counts at every moment that the file speaks of: one that it does not name there gets the class
    rates of the objects learnt from, and counts as not answered. Raises ValueError naming the line and what is wrong.
    """
    table = _table(file, trial)
    tested, mix, n_train = _tested(trial)
    position = {str(name): place for place, name in enumerate(labelled.truth.name[tested])}
    days = np.unique(table["days"].to_numpy(np.float64))
    p = np.tile(mix, (len(days), len(tested), 1))
    answered = np.zeros((len(days), len(tested)), bool)
    given = table[list(trial.classes.names)].to_numpy(np.float64)
    for line, (name, day) in enumerate(zip(table["object"].astype(str), table["days"], strict=True)):
        place = position.get(name)
        if place is None:
            raise ValueError(f"{file}, line {line + 2}: object must be one that {trial.title} tests, found {name}")
        moment = int(np.searchsorted(days, day))
        if answered[moment, place]:
            raise ValueError(f"{file}, line {line + 2}: the object {name} occurs twice at the same days")
        p[moment, place], answered[moment, place] = given[line] / given[line].sum(), True
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
    """Rows of the tested objects, class rates of those learnt from, and how many these are."""
    k = len(trial.classes)
    learnt = [train[trial.label[train] >= 0] for train, _ in trial.folds]
    tested = np.concatenate([test[trial.label[test] >= 0] for _, test in trial.folds])
    counts = np.bincount(trial.label[np.concatenate(learnt)], minlength=k).astype(np.float64)
    return np.sort(tested), counts / counts.sum(), round(counts.sum() / len(learnt))


def _table(file: Path, trial: Trial) -> pd.DataFrame:
    table = pd.read_csv(file, dtype={"object": str, "days": str})
    wanted = ["object", *trial.classes.names]
    missing = [name for name in wanted if name not in table]
    if missing:
        raise ValueError(f"{file} must have the columns {', '.join(wanted)}, and may have days; missing {missing}")
    words = table["days"].str.strip() if "days" in table else pd.Series([WHOLE_WORD] * len(table))
    days = pd.to_numeric(words.replace(WHOLE_WORD, "inf"), errors="coerce").to_numpy(np.float64)
    known = np.isin(days, [*trial.days, WHOLE])
    if not known.all():
        said = ", ".join(f"{day:g}" for day in trial.days)
        line = int(np.flatnonzero(~known)[0])
        raise ValueError(f"{file}, line {line + 2}: days must be one of {said} or whole, found {words.iloc[line]!r}")
    p = table[list(trial.classes.names)].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    wrong = ~((p >= 0) & (p <= 1)).all(axis=1) | ~(np.abs(p.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if wrong.any():
        line = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{file}, line {line + 2}: probabilities must be 0 to 1 and add up to 1, found {p[line].tolist()}"
        )
    return table.assign(days=days, **{name: p[:, c] for c, name in enumerate(trial.classes.names)})
