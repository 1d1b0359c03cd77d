"""Published tests: train and score as the suite says, with bootstrap intervals over objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.catalogue import NAMES
from models.datasets.sources import load
from models.evaluation import auc, bootstrap, expected_calibration_error, flat_log_loss, macro_f1
from models.measures import SN_IA
from models.scorer import Scorer
from models.training import fit_bundle
from models.training_rows import Progress, Rows, silent, training_table

SUITES = ("plasticc",)

PEERS = {"log_loss_flat_last": 0.468}
"""Avocado's flat log-loss on PLAsTiCC's test set, with host redshifts and whole light curves (arXiv:1907.04690): not
the same objects, and more information than an alert has; given for orientation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Objects learnt from and tested on, and each metric as (value, low, high) with a 95 % interval."""

    n_train: int
    n_test: int
    metrics: dict[str, tuple[float, float, float]]


def run(
    suite: str, data: str, *, folder: Path, seed: int = 1, draws: int = 200, progress: Progress = silent
) -> Outcome:
    """Train on the suite's training objects, score its held-out objects at their last alert.

    ``plasticc``: the training set split by object (60 % to learn from, 18 % held out); no redshift is used.
    ``folder`` takes the training table and the bundle. Raises LookupError where the suite is unknown.
    """
    if suite not in SUITES:
        raise LookupError(f"no suite {suite!r}; there are {', '.join(SUITES)}")
    table, _ = training_table(load(data), seed, folder / "training", progress=progress)
    trained = fit_bundle(table, out=folder / "evaluated", seed=seed, progress=progress)
    scorer, rows = Scorer.load(trained.path, trained.sha256), Rows.of(table, NAMES)
    known = np.isin(rows.class_id, scorer.class_ids)
    test = rows.select(known & (rows.split == "test") & rows.is_last)
    p, _, _ = scorer.evaluate(test.features, test.detections)
    index, one = np.searchsorted(scorer.class_ids, test.class_id), np.ones(len(test))
    ia = int(np.searchsorted(scorer.class_ids, SN_IA))
    statistics = {
        "log_loss_flat_last": lambda i: flat_log_loss(p[i], index[i], one[i]),
        "macro_f1_last": lambda i: macro_f1(p[i], index[i], one[i]),
        "ece_last": lambda i: expected_calibration_error(p[i], index[i], one[i]),
        "auc_ia_last": lambda i: auc(p[i, ia], index[i] == ia),
    }
    metrics = {name: bootstrap(of, test.object_id, seed=seed, draws=draws) for name, of in statistics.items()}
    n_train = len(np.unique(rows.object_id[known & (rows.split == "train")]))
    return Outcome(n_train, len(test), metrics)
