"""The demonstration's objects: held out from training, some of classes that the model does not know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.datasets.labelled import Labelled, alerts
from models.training.snapshots import held_out
from schemas import packets
from schemas.light_curves import LightCurves

UNKNOWN_FRACTION = 0.12
"""Of the objects, so many are of the left-out classes: far more than on the sky, so that a short
demonstration shows some."""


@dataclass(frozen=True, slots=True)
class DemoStream:
    """The alerts to replay, in time order, and the truth that only the summary and the "spectrograph" see.

    ``messages``: wire messages; ``alert_mjd``: shape (len(messages),). ``truth``: object id to class id.
    """

    messages: list[bytes]
    alerts: LightCurves
    truth: dict[int, int]


def choose(labelled: Labelled, left_out: list[int], n_objects: int, seed: int) -> NDArray[np.int64]:
    """Rows of ``n_objects`` held-out objects, drawn by seed; a fixed fraction is of the ``left_out`` classes."""
    rng = np.random.default_rng(seed)
    candidates = np.flatnonzero(held_out(labelled, seed))
    unknown = np.isin(labelled.class_id[candidates], left_out)
    n_unknown = min(round(UNKNOWN_FRACTION * n_objects), int(unknown.sum()))
    n_known = min(n_objects - n_unknown, int((~unknown).sum()))
    parts = [
        rng.choice(candidates[unknown], n_unknown, replace=False),
        rng.choice(candidates[~unknown], n_known, replace=False),
    ]
    return np.sort(np.concatenate(parts))


def make_stream(labelled: Labelled, rows: NDArray[np.int64]) -> DemoStream:
    """One wire message per detection of the chosen objects, each with its history, in time order."""
    stream = alerts(labelled, rows)
    truth = dict(zip(labelled.light_curves.object_id[rows].tolist(), labelled.class_id[rows].tolist(), strict=True))
    return DemoStream(packets.write(stream), stream, truth)
