"""Drift of a survey's stream: against the training set, of this week against last, and of labelled objects in time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from active_learning.stream_sample import Alerts
from features.catalogue import NAMES
from models.adaptation.drift import Difference, difference
from models.adaptation.fitting import Lessons
from models.adaptation.martingale import ALARM, largest, log_capital, p_values
from models.scoring.scorer import Scorer

WEEK_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class Drift:
    """``from_training``, ``from_last_week``: two-sample tests of the stream's last alerts, None where there are too few
    objects or no training table; ``martingale``: its largest value over the labelled objects in time, from 1;
    ``n_labelled``: their number."""

    from_training: Difference | None
    from_last_week: Difference | None
    martingale: float
    n_labelled: int

    def warnings(self) -> list[str]:
        """A line for each sign of drift, with what can be done."""
        lines = []
        for said, other in ((self.from_training, "the training set"), (self.from_last_week, "last week's")):
            if said is not None and said.is_certain:
                names = ", ".join(name for name, _ in said.drivers[:3])
                lines.append(
                    f"objects differ from {other}: a classifier tells them apart with an area of {said.auc:.2f} "
                    f"({said.low:.2f} to {said.high:.2f}), by {names} first"
                )
        if self.martingale >= ALARM:
            lines.append(
                f"the model's log-loss on {self.n_labelled} labelled objects changed in time: the martingale reached "
                f"{self.martingale:.3g}, which has a probability of 1 in {self.martingale:.3g} at most if nothing "
                "changes: label random objects and run `gueststar adapt`"
            )
        return lines

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "from_training": None if self.from_training is None else asdict(self.from_training),
            "from_last_week": None if self.from_last_week is None else asdict(self.from_last_week),
            "martingale": self.martingale,
            "n_labelled": self.n_labelled,
            "warnings": self.warnings(),
        }


def drift_of(scorer: Scorer, store: Path, lessons: Lessons, labelled: Alerts, unlabelled: Alerts) -> Drift:
    """The signs of drift of one survey. ``lessons`` and ``labelled``: the same labelled alerts; ``store``: of bundles
    and their training tables."""
    training = _training_features(scorer, store)
    from_training = None if training is None else difference(training, unlabelled.features, tuple(NAMES))
    end = unlabelled.alert_mjd.max(initial=-np.inf)
    this_week = unlabelled.alert_mjd > end - WEEK_DAYS
    last_week = ~this_week & (unlabelled.alert_mjd > end - 2 * WEEK_DAYS)
    weeks = difference(unlabelled.features[last_week], unlabelled.features[this_week], tuple(NAMES))
    last = lessons.select(lessons.is_last)
    order = np.argsort(labelled.alert_mjd[labelled.is_last], kind="stable")
    loss = -np.log(np.maximum(last.p_model[np.arange(len(last)), last.label], 1e-15))[order]
    return Drift(from_training, weeks, largest(log_capital(p_values(loss, seed=1))), len(last))


def _training_features(scorer: Scorer, store: Path) -> NDArray[np.float64] | None:
    """The features of the training objects' last alerts, if the table is at hand: making it takes minutes."""
    file = store / "training" / f"{scorer.manifest['training'].get('table', '')}.parquet"
    if not file.is_file():
        return None
    table = pq.read_table(file, columns=["is_last", *NAMES])
    table = table.filter(table["is_last"])
    return np.stack([table[name].to_numpy() for name in NAMES], axis=1).astype(np.float64)
